"""The flush of the tests: a table whose rows may not be deleted is emptied, and stays protected afterwards."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError, connection

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL truncates, which triggers allow")


@pytest.mark.django_db(transaction=True)
def test_flush_empties_a_table_that_refuses_deletion_and_leaves_its_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER kept BEFORE DELETE ON auth_group BEGIN SELECT RAISE(ABORT, 'this row is kept'); END"
        )
        try:
            Group.objects.create(name="Kept")
            call_command("flush", interactive=False, verbosity=0)
            assert not Group.objects.filter(name="Kept").exists()
            Group.objects.create(name="Kept")
            with pytest.raises(IntegrityError, match="this row is kept"):
                cursor.execute("DELETE FROM auth_group WHERE name = 'Kept'")
        finally:
            cursor.execute("DROP TRIGGER kept")

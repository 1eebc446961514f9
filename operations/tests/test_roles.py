"""The roles: the groups hold what the table says, however the database came to be, and the paper says the same."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection

from operations.roles import EDITOR, PUBLISHER, REVIEWER, ROLES, TABLE, WRITER, keep_groups, permissions_of

PAPER = Path(settings.BASE_DIR) / "docs" / "roles.md"


def held_by(role: str) -> set[str]:
    """What the group of that name may do, as the database says."""
    person = User.objects.filter(username=role).first() or User.objects.create_user(role)
    person.groups.set([Group.objects.get(name=role)])
    return User.objects.get(pk=person.pk).get_all_permissions()


def held() -> dict[str, set[str]]:
    return {role: held_by(role) for role in ROLES}


WANTED: dict[str, Any] = {role: permissions_of(role) for role in ROLES}


# --- The groups ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_database_has_the_groups_with_what_the_table_says() -> None:
    assert held() == WANTED


@pytest.mark.django_db
def test_every_permission_in_the_table_exists() -> None:
    known = {
        f"{row.content_type.app_label}.{row.codename}" for row in Permission.objects.select_related("content_type")
    }
    assert {name for row in TABLE for name in row.permissions} <= known


@pytest.mark.django_db
def test_migrating_again_changes_nothing() -> None:
    before = set(Group.permissions.through.objects.values_list("pk", "group", "permission"))
    call_command("migrate", verbosity=0)
    assert set(Group.permissions.through.objects.values_list("pk", "group", "permission")) == before


@pytest.mark.django_db
def test_migrating_sets_back_what_was_given_to_a_role_or_taken_from_it_by_hand() -> None:
    group = Group.objects.get(name=WRITER)
    group.permissions.set([Permission.objects.get(codename="publish_publication")])
    call_command("migrate", verbosity=0)
    assert held_by(WRITER) == permissions_of(WRITER)


@pytest.mark.django_db
def test_a_role_that_was_deleted_comes_back() -> None:
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert held() == WANTED


@pytest.mark.django_db
def test_a_group_of_another_name_is_left_alone() -> None:
    own = Group.objects.create(name="Interns")
    own.permissions.set([Permission.objects.get(codename="add_picture")])
    call_command("migrate", verbosity=0)
    assert [row.codename for row in own.permissions.all()] == ["add_picture"]


@pytest.mark.django_db
@pytest.mark.parametrize("backwards", [False, True])
def test_the_order_in_which_apps_are_reached_does_not_matter(backwards: bool) -> None:
    Group.objects.all().delete()
    Permission.objects.all().delete()
    labels = ["blog", "conditions", "images", "newsletter", "operations", "publishing", "taggit"]
    for label in sorted(labels, reverse=backwards):
        keep_groups(sender=apps.get_app_config(label), using="default")
    assert held() == WANTED


@pytest.mark.django_db
def test_an_app_whose_tables_come_later_gets_its_share_later() -> None:
    Group.objects.all().delete()
    Permission.objects.filter(content_type__app_label="blog").delete()
    keep_groups(sender=apps.get_app_config("publishing"), using="default")
    assert held_by(WRITER) == {name for name in permissions_of(WRITER) if name.startswith("publishing.")}
    for label in ["blog", "conditions", "images", "newsletter", "taggit"]:
        keep_groups(sender=apps.get_app_config(label), using="default")
    assert held() == WANTED


@pytest.mark.django_db
def test_a_state_without_accounts_is_no_error() -> None:
    class Nothing:
        def get_app_config(self, label: str) -> Any:
            raise LookupError(label)

        def get_model(self, *name: str) -> Any:
            raise LookupError(name)

    before = Group.objects.count()
    keep_groups(sender=apps.get_app_config("blog"), using="default", apps=Nothing())  # type: ignore[arg-type]
    assert Group.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_flush_makes_the_groups_again() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert held() == WANTED


IN_STEPS = """
import django
django.setup()
from django.contrib.auth.models import Group
from django.core.management import call_command
from operations.roles import ROLES, permissions_of
for app in [["images"], ["auth", "0001"], []]:
    call_command("migrate", *app, verbosity=0)
print([Group.objects.get(name=role).permissions.count() == len(permissions_of(role)) for role in ROLES])
"""


@pytest.mark.long
@pytest.mark.skipif(connection.vendor != "sqlite", reason="it makes a database, which takes SQLite only a file")
def test_an_empty_database_that_is_migrated_in_steps_gets_the_same_groups(tmp_path: Path) -> None:
    """In a process of its own, as on a server: Django shows the apps as they were at each step."""
    done = subprocess.run(
        [sys.executable, "-c", IN_STEPS],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'other.sqlite3'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str([True] * len(ROLES))


# --- What the table says ---------------------------------------------------------------------------------------


def test_an_editor_can_do_all_that_a_writer_can_and_a_publisher_all_that_an_editor_can() -> None:
    assert permissions_of(WRITER) < permissions_of(EDITOR) < permissions_of(PUBLISHER)


def test_only_publishers_touch_what_the_public_sees() -> None:
    publishing = {name for name in permissions_of(PUBLISHER) if name.endswith("_publication")}
    assert len(publishing) == 3
    assert not publishing & (permissions_of(EDITOR) | permissions_of(WRITER) | permissions_of(REVIEWER))


def test_only_reviewers_sign() -> None:
    may_sign = {role for role in ROLES if "publishing.add_signoff" in permissions_of(role)}
    assert may_sign == {REVIEWER}


def test_a_reviewer_only_looks_and_signs() -> None:
    assert {name.split(".")[1] for name in permissions_of(REVIEWER) if ".view_" not in name} == {
        "add_signoff",
        "add_revocation",
    }


def test_no_role_touches_accounts_or_what_is_on_record() -> None:
    every = {name for row in TABLE for name in row.permissions}
    assert not {name for name in every if name.startswith("auth.")}
    record = ("edition", "snapshot", "signoff", "revocation", "redaction", "schedule", "storeddocument", "publication")
    assert not {name for name in every for what in record if name.endswith((f".change_{what}", f".delete_{what}"))}


# --- The paper -------------------------------------------------------------------------------------------------


def rendered() -> str:
    """The table as docs/roles.md has it."""
    lines = [f"| What | {' | '.join(ROLES)} |", "|---" * (1 + len(ROLES)) + "|"]
    for row in TABLE:
        cells = ["yes" if role in row.roles else "-" for role in ROLES]
        lines.append(f"| {row.what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_paper_for_editors_says_what_the_table_says() -> None:
    paper = PAPER.read_text()
    found = "\n".join(line for line in paper.splitlines() if line.startswith("|"))
    assert found == rendered(), f"Put this into docs/roles.md:\n{rendered()}"

"""The due run as a process of its own, killed around its commit: an edition appears once, whatever was lost."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from config.tests.factories import fresh, make_article, publish_draft, reword, schedule_draft
from publishing.models import Edition, Schedule

HANG = 120  # seconds after which a test gives up on a process

# Runs the command, and dies by the one signal that no program can catch: after `service` has done its work (and
# before the transaction ends), or right after the database has taken the commit.
DYING = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from publishing import services

def dies_after(work):
    def wrapped(*args, **kwargs):
        work(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    return wrapped

point = sys.argv[1]
if point == "commit":
    connection.ensure_connection()
    connection._commit = dies_after(connection._commit)
else:
    setattr(services, point, dies_after(getattr(services, point)))
call_command("publish_due")
"""


def killed_run(dying_after: str) -> int:
    """Run `publish_due` on the test database in a process of its own, which dies at that point; its exit status."""
    name = str(connection.settings_dict["NAME"])
    is_file = connection.vendor == "sqlite"
    url = f"sqlite:///{name}" if is_file else f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url}
    command = [sys.executable, "-c", DYING, dying_after]
    folder = Path(settings.BASE_DIR)
    return subprocess.run(command, cwd=folder, env=environment, timeout=HANG, stderr=subprocess.DEVNULL).returncode


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("moment", "survives"),
    [("publish", False), ("_end_plan", False), ("commit", True)],
    ids=["after-the-edition-was-written", "before-the-commit", "after-the-commit"],
)
def test_a_due_run_that_is_killed_and_run_again_publishes_exactly_once(moment: str, survives: bool) -> None:
    draft = make_article()
    publish_draft(draft)
    draft = reword(draft)
    plan = schedule_draft(draft)
    Schedule.objects.update(due_at=timezone.now() - timedelta(minutes=1))

    assert killed_run(dying_after=moment) == -signal.SIGKILL
    # All of it or nothing: the edition, what is live, and the end of the plan.
    assert Edition.objects.count() == (2 if survives else 1)
    assert fresh(draft.publication).live.number == (2 if survives else 1)
    plan.refresh_from_db()
    assert plan.state == (Schedule.State.DONE if survives else Schedule.State.PLANNED)

    call_command("publish_due")
    call_command("publish_due")
    assert Edition.objects.count() == 2
    assert fresh(draft.publication).live.fingerprint == plan.snapshot.fingerprint
    plan.refresh_from_db()
    assert plan.state == Schedule.State.DONE

"""A PostgreSQL that crashes while four senders work, some of which are killed (R8)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.conf import settings

from newsletter.tests.processes import SOON, environment, running_kitchen, seeded, wait_until
from newsletter.tests.sink import running_sink
from script.with_postgres import SAFE, find_programs, find_user, system_postgres

PROGRAMS = find_programs()
pytestmark = [
    pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="it is PostgreSQL that crashes: tested on its leg"),
    pytest.mark.skipif(PROGRAMS is None, reason="the wheel's PostgreSQL cannot be restarted from outside"),
]

MAKE = """
import django, sys
django.setup()
from django.core.management import call_command
from newsletter.tests.rows import make_issue, make_subscribers
call_command("migrate", verbosity=0)
make_subscribers(int(sys.argv[1]))
make_issue()
"""


class Server:
    """A PostgreSQL of the test's own, which can crash."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.folder = unquote(urlsplit(url).netloc.rpartition("@")[2])

    def crash(self) -> None:
        """Every backend dies at once, with whatever it was committing; then it starts again."""
        assert PROGRAMS is not None
        command = [str(PROGRAMS / "pg_ctl"), "-D", f"{self.folder}/data", "-m", "immediate", "-w", "-s", "-l"]
        subprocess.run(
            [*command, f"{self.folder}/log", "restart"],
            check=True,
            user=find_user(),
            extra_groups=[] if find_user() else None,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(host=self.folder, user="postgres", dbname="postgres") as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def server() -> Iterator[Server]:
    assert PROGRAMS is not None
    with system_postgres(PROGRAMS, SAFE) as url:
        yield Server(url)


@pytest.mark.parametrize(
    ("mails", "crashes", "kills"), [(400, 3, 6), pytest.param(10_000, 20, 60, marks=pytest.mark.long)]
)
def test_a_database_that_crashes_loses_nobody_and_mails_nobody_twice(
    mails: int, crashes: int, kills: int, server: Server, tmp_path: Path
) -> None:
    chance = seeded()
    log = tmp_path / "sink.log"
    own = {"DATABASE_URL": server.url}
    with running_sink(log, delay=0.02 if mails < 1000 else 0.005) as sink:
        make = [sys.executable, "-c", MAKE, str(mails)]
        subprocess.run(make, check=True, env=environment(sink.port) | own, cwd=settings.BASE_DIR)
        with running_kitchen(sink.port, before=SOON, **own) as kitchen:
            running = [kitchen.start() for _number in range(4)]
            events = ["crash"] * crashes + ["kill"] * kills
            chance.shuffle(events)
            done = 0
            for event in events:
                seen = len(sink.accepted())
                # Once all is sent there is nothing left to disturb.
                wait_until(lambda: len(sink.accepted()) > seen or len(sink.copies()) >= mails - 40, "it sends")  # noqa: B023
                if len(sink.copies()) >= mails - 40:
                    break
                time.sleep(chance.uniform(0, 0.1))
                done += 1
                if event == "crash":
                    server.crash()
                else:
                    victim = running.pop(chance.randrange(4))
                    kitchen.kill(victim)
                    running.append(kitchen.start())
            wait_until(lambda: server.ask("SELECT state FROM newsletter_issue") == [("finished",)], "it is finished")
            for child in running:
                kitchen.end(child)
        copies = sink.copies()
    assert done > 3, "it was over before anything could be proved"
    rows = {str(address): str(state) for address, state in server.ask("SELECT address, state FROM newsletter_delivery")}
    unknown = {address for address, state in rows.items() if state == "unknown"}
    assert len(rows) == mails
    assert set(rows.values()) <= {"sent", "unknown"}
    assert max(copies.values()) == 1, "duplicates"
    assert set(rows) - set(copies) - unknown == set(), "silently lost"
    # At most the mail in each sender's hands, at each event.
    assert len(unknown) <= 4 * done

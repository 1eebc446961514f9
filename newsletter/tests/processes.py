"""Real sender processes on the test's own database, which a test may kill.

Importing Django takes a second, so a kitchen process imports it once and forks: each child is a process of its own
that runs `manage.py sender`, opens its own connections, and can be stopped, ended and killed like any other.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

# How long anything may take before a test gives up on it, in seconds.
HANG = 120

KITCHEN = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from newsletter.management.commands import sender as _imported
{before}
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are gone at once, as they would be
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        call_command("sender", *line.split()[1:])
        os._exit(0)
    print(child, flush=True)
"""


# What may have crashed a sender waits half a minute, which a test need not.
SOON = """
from datetime import timedelta
from newsletter import deliveries
deliveries.SUSPECT_WAIT = timedelta(seconds=0.2)
"""


def database_url() -> str:
    """The test database, as DATABASE_URL names one."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


def environment(port: int, **more: str) -> dict[str, str]:
    """The environment of a process that sends to a sink on this port."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
        "DATABASE_URL": database_url(),
        "TEST_EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


class Kitchen:
    """Starts senders, and ends them all when it is closed. `before` is Python that runs in it before the first."""

    def __init__(self, port: int, *, before: str = "", log: Path | None = None, **more: str) -> None:
        self.children: set[int] = set()
        self.log = log.open("ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, "-c", KITCHEN.format(before=before)],
            cwd=Path(settings.BASE_DIR),
            env=environment(port, **more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self._line() == "ready", "the kitchen could not start"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self, *arguments: str) -> int:
        """Start a sender; its process ID."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"start {' '.join(arguments)}\n")
        self.process.stdin.flush()
        child = int(self._line())
        self.children.add(child)
        return child

    def signal(self, child: int, number: signal.Signals) -> None:
        """Send a signal to a sender; nothing where it has ended."""
        with suppress(ProcessLookupError):
            os.kill(child, number)

    def wait(self, child: int) -> None:
        """Return when a sender has ended. Raises AssertionError where it does not."""
        until = time.monotonic() + HANG
        while time.monotonic() < until:
            if not alive(child):
                self.children.discard(child)
                return
            time.sleep(0.01)
        raise AssertionError("a sender does not end")

    def kill(self, child: int) -> None:
        """`kill -9`, and wait until it is gone."""
        self.signal(child, signal.SIGKILL)
        self.wait(child)

    def end(self, child: int) -> None:
        """SIGTERM, and wait until it has ended by itself."""
        self.signal(child, signal.SIGTERM)
        self.wait(child)

    def close(self) -> None:
        for child in self.children:
            self.signal(child, signal.SIGCONT)
            self.signal(child, signal.SIGKILL)
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(HANG)
        assert self.process.stdout is not None
        self.process.stdout.close()
        if not isinstance(self.log, int):
            self.log.close()


def alive(child: int) -> bool:
    try:
        os.kill(child, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def running_kitchen(port: int, **more: Any) -> Iterator[Kitchen]:
    """Senders for the block."""
    kitchen = Kitchen(port, **more)
    try:
        yield kitchen
    finally:
        kitchen.close()


def wait_until(condition: Callable[[], Any], what: str, seconds: float = HANG) -> None:
    """Return when the condition holds. Raises AssertionError with `what` where it never does."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.02)


def seeded(seed: int | None = None) -> random.Random:
    """A generator whose seed is printed, and taken from TEST_SEED where a run is to be repeated."""
    number = seed if seed is not None else int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(10**6))
    print(f"TEST_SEED={number}")  # noqa: T201  # pytest shows it where the test fails
    return random.Random(number)

"""Run what is due, every few seconds."""

import logging
import signal
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

logger = logging.getLogger(__name__)

# How long the loop sleeps before it looks whether it was told to end.
SLICE_SECONDS = 0.5


def run_schedule() -> list[str]:
    """Run every command of settings.SCHEDULE in its order; return the names of those that failed.

    A command that fails is logged with its traceback and does not keep the others from running: a broken
    picture must not delay a publication. What it left undone is still due, and found by its next run.
    """
    failed: list[str] = []
    for name in settings.SCHEDULE:
        # A connection that the database has closed meanwhile is replaced before it is used.
        close_old_connections()
        try:
            call_command(name)
        except (Exception, SystemExit):  # any failure of any command, also one that ends its own process
            logger.exception("Scheduled command failed: %s", name)
            failed.append(name)
    close_old_connections()
    return failed


class Command(BaseCommand):
    """The loop beside the server that publishes what is due and sweeps up what was left undone.

    Two of them at once, or one that was killed, do no harm: every command finds its due rows itself and takes
    each by compare-and-set.
    """

    help = "Runs the commands of settings.SCHEDULE every few seconds, or once."
    stopping = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --once and --interval."""
        parser.add_argument("--once", action="store_true", help="one pass, then end; for cron")
        parser.add_argument("--interval", type=float, default=15.0, help="seconds between two passes")

    def handle(self, *args: Any, once: bool, interval: float, **options: Any) -> None:
        """Run until told to end. Raises CommandError where a single pass had failures."""
        if once:
            if failed := run_schedule():
                raise CommandError(f"Failed: {', '.join(failed)}. The log has the tracebacks.")
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        while not self.stopping:
            run_schedule()
            until = time.monotonic() + interval
            while not self.stopping and time.monotonic() < until:
                time.sleep(SLICE_SECONDS)

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Let the command that is running finish, then end."""
        self.stopping = True

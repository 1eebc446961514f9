"""Send mail until told to end."""

import resource
import signal
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from newsletter.sending import Sending

# A mail that eats memory ends in an error of its own, not in the machine's.
MEMORY_BYTES = 2 * 1024**3


class Command(BaseCommand):
    """The process that hands mail to the relay.

    It may be killed at any moment. Several run side by side on PostgreSQL; on SQLite the second waits until the first
    has ended.
    """

    help = "Sends confirmations and issues until told to end (SIGTERM, Ctrl-C: after the mail in hand)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="send what is due, then end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        """Run until told to end."""
        with suppress(ValueError, OSError):  # the limit may be lower already
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
        sending = Sending()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, sending.stop)
        if once:
            sending.run_once()
        else:
            sending.run()

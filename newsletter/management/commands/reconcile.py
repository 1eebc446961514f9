"""Settle what is unknown by the relay's log."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from newsletter.reconcile import reconcile


class Command(BaseCommand):
    """Twice is harmless: what has been settled is unknown no more."""

    help = "Settles deliveries that are perhaps sent by what the relay's log says of their Message-IDs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the logs."""
        parser.add_argument("log", nargs="+", help="log files of the relay, also .gz, or - for standard input")
        parser.add_argument(
            "--complete",
            action="store_true",
            help="the logs hold everything since before the oldest of them: what they do not name is sent again",
        )

    def handle(self, *args: Any, log: list[str], complete: bool, **options: Any) -> None:
        """Settle them and say what was found."""
        sources: list[Path | BinaryIO] = [sys.stdin.buffer if name == "-" else Path(name) for name in log]
        try:
            found = reconcile(sources, complete=complete)
        except (OSError, EOFError) as error:
            raise CommandError(f"A log cannot be read: {error}") from error
        self.stdout.write(f"{found.unknown} unknown; {len(found.accepted)} had been taken: now sent")
        if found.missing and complete:
            self.stdout.write(f"{len(found.missing)} had not been taken: queued again")
        elif found.missing:
            self.stdout.write(
                f"{len(found.missing)} are not in the log. With --complete, where it holds everything since before the "
                "oldest of them, they are sent again."
            )

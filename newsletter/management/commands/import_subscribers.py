from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter import importing

# What the file of a large list may have; the admin takes smaller ones.
MOST_BYTES = 200 * 1024 * 1024
MOST_ROWS = 1_000_000


class Command(BaseCommand):
    help = (
        "Adds people who confirmed elsewhere, from a CSV file. Nobody who is known here is changed, and nobody gets "
        "mail from it. Doing it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--consent",
            required=True,
            help='Where their consent comes from, for the record: "Sign-up form of our old site, 2019 to 2025".',
        )
        parser.add_argument("--by", metavar="USERNAME", help="Whose import it is, for the record.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what it would do.")

    def handle(self, *args: Any, **options: Any) -> None:
        path, consent = options["file"], options["consent"].strip()
        if not consent:
            raise CommandError("Say in --consent where their consent comes from.")
        by = None
        if options["by"] and not (by := get_user_model().objects.filter(username=options["by"]).first()):
            raise CommandError(f"There is no account “{options['by']}”.")
        try:
            if path.stat().st_size > MOST_BYTES:
                raise CommandError(f"{path} is larger than {MOST_BYTES // 2**20} MB. Divide it.")
            text = importing.decode(path.read_bytes())
            if options["dry_run"]:
                report = importing.look(text, most=MOST_ROWS)
            else:
                report = importing.bring_in(text, consent=consent[:300], by=by, most=MOST_ROWS)
        except OSError as error:
            raise CommandError(str(error)) from error
        except importing.Unreadable as error:
            raise CommandError(str(error)) from error
        self.say(report)
        if options["dry_run"]:
            self.stdout.write("This was a dry run: nothing was changed.")

    def say(self, report: importing.Report) -> None:
        """The counts; a line that cannot be read with its reason. Addresses stay out of terminals' logs."""
        for label, count, samples in report.lines():
            self.stdout.write(f"{count:>8}  {label}")
            for sample in samples:
                if sample.reason:
                    self.stdout.write(f"          line {sample.line}: {sample.reason}")
        if report.unread:
            self.stdout.write(f"Columns that say nothing here: {', '.join(report.unread)}")

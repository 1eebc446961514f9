"""Read the mail that came back."""

import logging
import mailbox
import os
import sys
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from newsletter import reports

logger = logging.getLogger(__name__)

# Tells a mail server to try again later (sysexits.h; Postfix: pipe(8), Exim: temp_errors).
EX_TEMPFAIL = 75
# Where Postfix (local(8)) and Exim write the address that a mail was sent to, when they run a command for it.
RECIPIENT_VARIABLES = ("ORIGINAL_RECIPIENT", "RECIPIENT")


class Command(BaseCommand):
    """Reading twice counts once: a run that was interrupted is simply repeated."""

    help = "Reads delivery reports and complaints from an mbox file, a maildir, or one mail on standard input (-)."

    # What is wrong with the settings is no reason to send a mail server's mail back.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add where they are."""
        parser.add_argument("source", help="an mbox file, a maildir, or - for one mail on standard input")
        parser.add_argument("--recipient", default="", help="with -: the address that the mail was sent to")
        parser.add_argument("--keep", action="store_true", help="leave what was read in the mailbox")

    def handle(self, *args: Any, source: str, recipient: str, keep: bool, **options: Any) -> None:
        """Read them, and take those about our own mail out of the mailbox."""
        if source == "-":
            self.read_one(recipient)
            return
        path = Path(source)
        if not path.exists():
            raise CommandError(f"There is no {path}.")
        box: mailbox.Mailbox[Any] = (
            mailbox.Maildir(path, create=False) if path.is_dir() else mailbox.mbox(path, create=False)
        )
        try:
            ours, others = self.read_all(box, keep=keep)
        except mailbox.ExternalClashError as error:
            # Locked by others, or mail came in that asked for no lock: all is still there.
            raise CommandError(f"{path} is in use: {error} Nothing is lost; run this again.") from error
        except (mailbox.Error, OSError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from error
        finally:
            with suppress(mailbox.Error, OSError):
                box.close()
        self.stdout.write(f"{ours} about our mail; {others} others left alone")

    def read_all(self, box: "mailbox.Mailbox[Any]", *, keep: bool) -> tuple[int, int]:
        """Read every mail; return how many were about ours, and how many were not."""
        ours = others = 0
        # The mail server waits with new mail meanwhile; a maildir needs no lock.
        box.lock()
        for key in list(box.keys()):
            if reports.take(self.start_of(box, key)):
                ours += 1
                if not keep:
                    box.remove(key)
            else:
                others += 1
        box.flush()
        return ours, others

    @staticmethod
    def start_of(box: "mailbox.Mailbox[Any]", key: str) -> bytes:
        """A mail, and one byte more than is ever read of it."""
        with box.get_file(key) as file:
            raw: bytes = file.read(reports.MAX_BYTES + 1)
        return raw

    def read_one(self, recipient: str) -> None:
        """Read the mail on standard input, as a command that a mail server runs.

        Ends with 0 whatever the mail is, and says nothing: a mail server would answer a failure with another mail.
        Where the database is away it ends with 75, so that the mail comes again.
        """
        recipient = recipient or next((os.environ[name] for name in RECIPIENT_VARIABLES if name in os.environ), "")
        raw = sys.stdin.buffer.read(reports.MAX_BYTES + 1)
        while sys.stdin.buffer.read(65536):
            pass  # a mail server calls it a failure when its pipe breaks
        try:
            reports.take(raw, recipient)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database is away, the mail is to come again: %s", type(error).__name__)
            raise SystemExit(EX_TEMPFAIL) from error

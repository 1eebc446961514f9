from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from blog import demonstration


class Command(BaseCommand):
    help = "Fills an empty database with the demonstration content and its log-ins. Development only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="Do nothing, quietly, where there is content already."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and not demonstration.is_empty():
            return
        try:
            demonstration.load()
        except demonstration.NotAllowed as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write("Demonstration content loaded.")

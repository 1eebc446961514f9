from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from blog import demonstration


class Command(BaseCommand):
    """Its output is one line for each log-in there is: the role, a tab, the name and the published password."""

    help = "Fills an empty database with the demonstration content and its log-ins. Development only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="Do nothing, quietly, where there is content already."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if demonstration.is_empty() or not options["if_empty"]:
            try:
                demonstration.load()
            except demonstration.NotAllowed as refusal:
                raise CommandError(str(refusal)) from refusal
        for role, name in demonstration.logins():
            self.stdout.write(f"{role}\t{name} / {demonstration.PASSWORD}")

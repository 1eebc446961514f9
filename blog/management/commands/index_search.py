from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from blog.search.index import index_stale
from blog.search.misses import tidy


class Command(BaseCommand):
    help = "Indexes for the search what is new, changed or gone, where a task for it was lost, and forgets old misses."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="Read everything again, and count the words anew.")

    def handle(self, *args: Any, **options: Any) -> None:
        if changed := index_stale(everything=options["all"]):
            self.stdout.write(f"search: {changed} entries made anew")
        if forgotten := tidy():
            self.stdout.write(f"search: {forgotten} old searches that found nothing forgotten")

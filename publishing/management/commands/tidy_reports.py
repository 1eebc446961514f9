from typing import Any

from django.core.management.base import BaseCommand

from publishing import reports


class Command(BaseCommand):
    help = "Forget what names the readers who reported a problem, once it is not needed any more."

    def handle(self, *args: Any, **options: Any) -> None:
        if forgotten := reports.tidy():
            self.stdout.write(f"Tidied {forgotten} reports.")

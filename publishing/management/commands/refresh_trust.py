from typing import Any

from django.core.management.base import BaseCommand

from publishing.services import refresh_due_trust


class Command(BaseCommand):
    help = "Marks live texts whose review has run out as overdue."

    def handle(self, *args: Any, **options: Any) -> None:
        if count := refresh_due_trust():
            self.stdout.write(f"reviews overdue: {count} more")

from typing import Any

from django.core.management.base import BaseCommand

from publishing.services import publish_due


class Command(BaseCommand):
    help = "Publishes every plan whose time has come, or blocks it with a reason. Twice is harmless."

    def handle(self, *args: Any, **options: Any) -> None:
        for plan in publish_due():
            self.stdout.write(f"{plan} {plan.reason}".rstrip())

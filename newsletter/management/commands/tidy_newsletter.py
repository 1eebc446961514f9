from typing import Any

from django.core.management.base import BaseCommand

from newsletter.tidying import tidy


class Command(BaseCommand):
    help = "Reminds, and forgets what need not be kept. Run by the scheduler; running it twice does no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was done, where anything was."""
        done = {name: number for name, number in tidy().items() if number}
        if done:
            self.stdout.write(", ".join(f"{name}: {number}" for name, number in done.items()))

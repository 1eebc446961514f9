from typing import Any

from django.core.management.base import BaseCommand

from newsletter.planning import plan_issues


class Command(BaseCommand):
    help = "Makes the issues of the newsletter that are due: new articles, corrections, digests. Twice is harmless."

    def handle(self, *args: Any, **options: Any) -> None:
        for issue in plan_issues():
            self.stdout.write(issue.key)

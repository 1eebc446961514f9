"""The demonstration with readers: this app's command stands before that of the room below."""

from typing import Any

from blog import demonstration as articles
from blog.management.commands.demonstrate import Command as OfArticles
from newsletter import demonstration


class Command(OfArticles):
    """As in `blog`, and subscribers and issues with it."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is missing. Raises CommandError outside development."""
        is_new = articles.is_empty()
        super().handle(*args, **options)
        if is_new:
            demonstration.load()

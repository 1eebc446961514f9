from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from blog.importing.blocks import UnreadableSource
from blog.importing.drafts import import_text


class Command(BaseCommand):
    help = "Reads old articles (plain text) into drafts, and reports what it took and what it left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for path in options["paths"]:
            self.stdout.write(self.style.MIGRATE_HEADING(str(path)))
            try:
                imported = import_text(path.read_bytes(), name=path.name)
            except (OSError, UnreadableSource) as error:
                failed += 1
                self.stderr.write(str(error))
                continue
            article = imported.source.article
            if imported.again:
                self.stdout.write(f"Imported before, nothing changed: “{article}”")
            else:
                self.stdout.write(str(imported.report))
                self.stdout.write(f"Draft: “{article}”")
            self.stdout.write(reverse("admin:blog_article_change", args=[article.pk]))
        if failed:
            raise CommandError(f"{failed} of {len(options['paths'])} could not be read; the rest was imported.")

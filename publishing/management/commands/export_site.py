from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from publishing.archive.export import export_site
from publishing.archive.files import NoExport


class Command(BaseCommand):
    help = (
        "Writes everything that was published as plain files: JSON, Markdown, HTML, pictures, redirects. "
        "An earlier export in the same place is replaced. import_articles brings it back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("folder", nargs="?", type=Path, metavar="DIR")
        where.add_argument("--zip", type=Path, metavar="FILE", help="a zip file instead of a folder")

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["zip"] or options["folder"]
        with tqdm(unit=" texts and pictures", disable=None) as bar:  # shown on a terminal only

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                counts = export_site(target, as_zip=bool(options["zip"]), progress=progress)
            except (NoExport, OSError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{target}: " + ", ".join(f"{number} {name}" for name, number in counts.items()) + ".")

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from tqdm import tqdm

from blog.importing.blocks import Problem, Source, SourceArticle, UnreadableSource
from blog.importing.drafts import State, bring_in
from blog.importing.fetch import fetch, fetched_source
from blog.importing.readers import is_export, read, read_path
from blog.importing.report import report_text
from blog.importing.store import kept
from blog.importing.structure import understand
from publishing.archive.files import NoExport
from publishing.archive.restore import restore

WEB = ("http://", "https://")
LABELS = {
    "read": _("read"),
    State.NEW: _("new"),
    State.UPDATED: _("updated"),
    State.UNCHANGED: _("unchanged"),
    State.WAITING: _("waiting for an editor"),
    State.EDITED: _("changed, but an editor has changed the draft: left alone"),
    State.DELETED: _("deleted by an editor: not made again"),
    "restored": _("restored"),
    "problem": _("not read"),
}


class Command(BaseCommand):
    help = (
        "Reads old articles into drafts: text, HTML, Markdown, WordPress exports, feeds, Word files, folders and zips "
        "of these with their pictures. Reports what it took and what it left. Running it again changes nothing; one "
        "that was stopped goes on where it was. Nothing is fetched from the network without --fetch. What export_site "
        "wrote is restored: the same editions, published as they were."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="A file, a folder, a zip, or with --fetch a URL.")
        parser.add_argument("--language", default="", help="Of all the articles, such as en. Else it is found out.")
        parser.add_argument("--fetch", action="store_true", help="Fetch URLs, and pictures that did not come along.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be understood, and write nothing.")
        parser.add_argument("--report", type=Path, metavar="FILE", help="Write what was taken and left out to a file.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        self.counts: Counter[str] = Counter()
        with ExitStack() as stack:
            self.file = self._report_file(stack)
            self.bar = stack.enter_context(tqdm(unit=_now(" articles"), leave=False, disable=None))
            try:
                for path in options["paths"]:
                    self._read(path)
            except KeyboardInterrupt:
                self._summarise()
                raise CommandError(
                    _now("Stopped. What was imported is kept; the same command goes on from there."), returncode=130
                ) from None
            self._summarise()
        if failed := self.counts["problem"]:
            raise CommandError(
                ngettext(
                    "%(n)d thing could not be read; the rest was imported.",
                    "%(n)d things could not be read; the rest was imported.",
                    failed,
                )
                % {"n": failed}
            )

    # --- Reading ---

    def _read(self, path: str) -> None:
        if _is_export(path):
            self._restore(path)
            return
        items = self._items(path)
        while True:
            try:
                item = next(items, None)
            except UnreadableSource as error:
                item = Problem(path, 0, str(error))
            except OSError as error:
                item = Problem(path, 0, error.strerror or str(error))
            except Exception as error:
                item = self._bug(path, 0, error)
            if item is None:
                return
            if isinstance(item, Problem):
                self._problem(item)
            else:
                self._take(item)
            self.bar.update()

    def _restore(self, path: str) -> None:
        """What export_site wrote comes back as it was published, not as drafts."""
        if self.options["dry_run"]:
            self._done("read", path, _now("This is an export of a whole site."))
            return

        def progress(done: int, total: int) -> None:
            self.bar.total = total
            self.bar.update(done - self.bar.n)

        try:
            report = restore(Path(path), progress=progress)
        except (NoExport, OSError) as error:
            self._problem(Problem(path, 0, str(error)))
            return
        self.counts["problem"] += len(report.problems)
        self._done("restored", path, str(report), always=True)
        self.bar.reset()

    def _items(self, path: str) -> Iterator[SourceArticle | Problem]:
        if Path(path).is_file():
            yield from read(self._source(Path(path)))
        elif not path.startswith(WEB):
            yield from read_path(Path(path))
        elif not self.options["fetch"]:
            yield Problem(path, 0, _now("Nothing is fetched from the network without --fetch."))
        else:
            yield from read(fetched_source(path))

    def _source(self, path: Path) -> Source:
        """A file that tells the bar how much of it was read."""
        size = path.stat().st_size

        def told(position: int) -> None:
            share = f"{100 * position // max(size, 1)} %"
            self.bar.set_postfix_str(_now("%(share)s of %(file)s") % {"share": share, "file": path.name}, refresh=False)

        return Source(path.name, lambda: BufferedReader(_Watched(path, told)), size)

    def _take(self, article: SourceArticle) -> None:
        language = self.options["language"]
        if self.options["fetch"]:
            article = replace(article, open_file=_or_fetched(article))
        try:
            if self.options["dry_run"]:
                self._done("read", article.name, report_text(understand(kept(article), language=language)))
                return
            outcome = bring_in(article, language=language)
        except (OperationalError, InterfaceError):  # the database is gone, or locked: the next would fare no better
            raise
        except Exception as error:
            self._problem(self._bug(article.name, article.line, error))
            return
        source, draft = outcome.source, outcome.source.article
        place = f" “{draft}” {reverse('admin:blog_article_change', args=[draft.pk])}" if draft else ""
        self._done(outcome.state, f"{source.name}{place}", source.report if outcome.understood else "")

    def _bug(self, name: str, line: int, error: Exception) -> Problem:
        """What nobody thought of costs its article only, and shows where it is only to those who ask."""
        if self.options["traceback"]:
            raise error
        message = _now("This could not be imported (%s); --traceback says more.") % type(error).__name__
        return Problem(name, line, message)

    # --- Saying ---

    def _report_file(self, stack: ExitStack) -> TextIO | None:
        path = self.options["report"]
        try:
            return stack.enter_context(path.open("w", encoding="utf-8")) if path else None
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error

    def _done(self, state: str, what: str, report: str, *, always: bool = False) -> None:
        self.counts[state] += 1
        line = f"{LABELS[state]}: {what}"
        if self.options["verbosity"] > 0:
            self._say(line)
        if self.options["verbosity"] > (0 if always else 1) and report:
            self._say(report)
        if self.file:
            self.file.write(f"{line}\n{report}\n\n" if report else f"{line}\n")

    def _problem(self, problem: Problem) -> None:
        if not problem.is_note:
            self.counts["problem"] += 1
        where = _now("%(name)s, line %(line)d") % {"name": problem.name, "line": problem.line}
        line = f"{where if problem.line else problem.name}: {problem.message}"
        self.bar.clear()
        self.stderr.write(line)
        self.bar.refresh()
        if self.file:
            self.file.write(f"{line}\n")

    def _say(self, text: str) -> None:
        self.bar.clear()
        self.stdout.write(text)
        self.bar.refresh()

    def _summarise(self) -> None:
        counts = [f"{self.counts[state]} {label}" for state, label in LABELS.items() if self.counts[state]]
        if self.options["verbosity"] > 0:
            self._say(", ".join(counts) or _now("Nothing to import."))


class _Watched(FileIO):
    """A file that says how far it was read."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        super().__init__(path)
        self.told = told

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        self.told(self.tell())
        return count or 0


def _is_export(path: str) -> bool:
    try:
        return not path.startswith(WEB) and is_export(Path(path))
    except (OSError, ValueError):  # then the reader says what is wrong with it
        return False


def _or_fetched(article: SourceArticle) -> Callable[[str], bytes | None]:
    """Looks for a picture among the files that came along, then on the network. One that cannot be had is missing."""

    def open_file(name: str) -> bytes | None:
        data = article.open_file(name)
        if data is not None or not name.startswith(WEB):
            return data
        try:
            return fetch(name).content
        except UnreadableSource:
            return None

    return open_file

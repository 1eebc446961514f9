"""What somebody brings in the admin: read while they wait, or in the background where it is much.

Files are kept in a private folder until they are read, and no longer. A run that was interrupted can go on: what it
had brought in is there already.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import File
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import task

from blog.importing.blocks import Problem, Source, SourceArticle, UnreadableSource
from blog.importing.drafts import State, bring_in, remake
from blog.importing.readers import read
from blog.models import ImportedSource, ImportRun
from publishing.services import Refused, Stale

MOST_BYTES = 100 * 1024 * 1024  # brought at once; the command takes more
MOST_FILES = 200
# What is read while somebody waits for the page.
BYTES_AT_ONCE = 2 * 1024 * 1024
ARTICLES_AT_ONCE = 20
SILENT = timedelta(minutes=3)  # a run that took nothing for so long was interrupted
KEPT = timedelta(days=7)  # files of a run with which nobody went on
MOST_PROBLEMS = 500  # told one by one
PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp", ".tif", ".tiff", ".heic"}

log = logging.getLogger(__name__)


def bring(files: Iterable[File[bytes]], *, language: str = "", make: bool = False, by: User | None) -> ImportRun:
    """Bring files in: articles, zips and exports, and pictures that the articles beside them name.

    Makes the drafts right away where `make` is true; else each article waits for an editor to look. Returns the run,
    which is finished, or goes on in the background.
    """
    _forget_old()
    files = list(files)
    run = ImportRun.objects.create(
        files=[Path(file.name or "").name for file in files], language=language, make=make, by=by
    )
    folder = _folder(run)
    folder.mkdir(mode=0o700, parents=True)
    for number, file in enumerate(files):
        with (folder / str(number)).open("wb") as kept:
            for chunk in file.chunks():
                kept.write(chunk)
    if sum(file.size for file in files) <= BYTES_AT_ONCE:
        go_on(run, most=ARTICLES_AT_ONCE)
    if run.finished_at is None:
        ask_to_go_on(run)
    return run


def ask_to_go_on(run: ImportRun) -> None:
    """Let the worker read what a run has not read yet."""
    ImportRun.objects.filter(pk=run.pk).update(seen_at=timezone.now())
    _go_on_later.enqueue(str(run.pk))
    run.refresh_from_db()


def go_on(run: ImportRun, *, most: int = 0) -> None:
    """Read the files of a run and bring their articles in; no more than `most` of them, if it is given."""
    run.counts, run.problems = {}, []
    taken = 0
    for item in _items(run):
        if isinstance(item, Problem):
            _note(run, item)
            continue
        if taken == most > 0:
            return
        taken += 1
        _take(run, item)
        run.seen_at = timezone.now()
        run.save()
    run.seen_at = run.finished_at = timezone.now()
    run.save()
    shutil.rmtree(_folder(run), ignore_errors=True)


def is_interrupted(run: ImportRun) -> bool:
    """Whether a run has stopped before its end: its worker was killed, or none runs."""
    return run.finished_at is None and run.seen_at < timezone.now() - SILENT


def make_drafts(sources: Iterable[ImportedSource], *, by: User) -> tuple[int, list[str]]:
    """Make the drafts of imports as they were understood and corrected. Returns how many, and why the others not."""
    made, refusals = 0, []
    for source in sources:
        try:
            remake(source=source, corrections=source.corrections, by=by)
            made += 1
        except (Refused, Stale) as refusal:
            refusals.append(f"{source.title or source.name}: {refusal}")
    return made, refusals


@task
def make_drafts_later(ids: list[int], by_id: int) -> None:
    """The same in the background, for those that have none."""
    make_drafts(ImportedSource.objects.filter(pk__in=ids, article=None), by=User.objects.get(pk=by_id))


@task
def _go_on_later(run_id: str) -> None:
    run = ImportRun.objects.filter(pk=run_id, finished_at=None).first()
    if run:
        go_on(run)


# --- Reading -----------------------------------------------------------------------------------------------------


def _folder(run: ImportRun) -> Path:
    return Path(settings.VAR_DIR) / "uploads" / str(run.pk)


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _items(run: ImportRun) -> Iterator[SourceArticle | Problem]:
    """Everything in the files of a run. Pictures are read when an article asks for them."""
    folder = _folder(run)
    if not folder.is_dir():
        yield Problem(str(run), 0, _("The files are not here any more. Bring them once more."))
        return
    pictures = {
        name: folder / str(number)
        for number, name in enumerate(run.files)
        if len(run.files) > 1 and PurePosixPath(name).suffix.lower() in PICTURES
    }
    asked: set[str] = set()

    def open_file(source: str) -> bytes | None:
        name = PurePosixPath(unquote(source.partition("?")[0]).replace("\\", "/")).name
        if name not in pictures:
            return None
        asked.add(name)
        return pictures[name].read_bytes()

    for number, name in enumerate(run.files):
        path = folder / str(number)
        if name in pictures:
            continue
        try:
            yield from read(Source(name, _opener(path), path.stat().st_size, open_file))
        except UnreadableSource as error:
            yield Problem(name, 0, str(error))
    for name in pictures.keys() - asked:
        yield Problem(name, 0, _("No article names this picture, so it was not taken."), is_note=True)


def _take(run: ImportRun, article: SourceArticle) -> None:
    # Here the name of a file says nothing: two people's "article.docx" are two articles.
    if article.identity.startswith("file:"):
        article = replace(article, identity=f"brought:{article.digest}")
    try:
        outcome = bring_in(article, by=run.by, make=run.make, language=run.language)
    except (OperationalError, InterfaceError):  # the database is gone, or locked: the next would fare no better
        raise
    except Exception:
        log.exception("An article could not be imported")
        _note(run, Problem(article.name, article.line, _("This could not be imported. The site's log says more.")))
        return
    state, source = outcome.state, outcome.source
    if state == State.UNCHANGED and source.run_id == run.pk:
        state = State.NEW  # made before the run was interrupted
    run.counts[state] = run.counts.get(state, 0) + 1
    ImportedSource.objects.filter(pk=source.pk).update(run=run)


def _note(run: ImportRun, problem: Problem) -> None:
    if len(run.problems) < MOST_PROBLEMS:
        run.problems.append(asdict(problem))
    kind = "note" if problem.is_note else "problem"
    run.counts[kind] = run.counts.get(kind, 0) + 1


def _forget_old() -> None:
    """Delete the files of runs that stopped long ago."""
    for run in ImportRun.objects.filter(finished_at=None, seen_at__lt=timezone.now() - KEPT):
        shutil.rmtree(_folder(run), ignore_errors=True)
        run.finished_at = timezone.now()
        run.save()

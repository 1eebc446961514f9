"""The last step of an import: from what was understood to the rows of a draft, again and again without harm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from blog.importing.blocks import SourceArticle
from blog.importing.library import Library
from blog.importing.pictures import Kept, keep_pictures
from blog.importing.pieces import Corrections
from blog.importing.report import report_text
from blog.importing.result import Sure, Understood
from blog.importing.store import article_of, kept, pack
from blog.importing.structure import understand
from blog.importing.writing import write_draft
from blog.models import ArticleEntry, ImportedSource
from conditions.models import Condition
from publishing.documents import Urgency
from publishing.models import Publication
from publishing.services import Refused, Stale, claim_version, free_slug, settle_draft


class State(StrEnum):
    """What an import did with an article."""

    NEW = "new"  # there is a draft now
    UPDATED = "updated"  # the source had changed, and so has its draft, which no editor had touched
    UNCHANGED = "unchanged"  # nothing was written
    WAITING = "waiting"  # kept without a draft, for an editor to look at
    EDITED = "edited"  # the source had changed, but the draft was left as an editor had made it
    DELETED = "deleted"  # an editor has deleted its draft, so none is made


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did with an article, and what it understood; nothing where nothing was read."""

    state: State
    source: ImportedSource
    understood: Understood | None = None


def bring_in(article: SourceArticle, *, by: User | None = None, make: bool = True, language: str = "") -> Outcome:
    """Make or update the draft of an article that was read, or keep it waiting where `make` is false.

    The same article again writes nothing. A changed one updates its draft only while no editor has touched it, and
    nothing was frozen of it; else the newer source waits beside the draft. Of two imports at once one does the
    work. Whole or not at all: an import that is killed goes on where it was. Sends nothing, publishes nothing.
    Without `language` it is taken from the source, or guessed.
    """
    read = kept(article)
    known = ImportedSource.objects.select_related("article").filter(identity=read.identity).first()
    if known and known.digest == read.digest and not _brings_pictures(known, read):
        return Outcome(_state_again(known), known)
    understood = understand(read, language=language)
    pictures = _pictures(understood, known, by)
    try:
        return _write(understood, pictures, make=make, by=by)
    except IntegrityError:  # another import brought it, or the same tag or citation, just now
        return _write(understood, pictures, make=make, by=by)


@transaction.atomic
def remake(
    *, source: ImportedSource, corrections: Corrections, by: User | None, language: str = "", make: bool = True
) -> Outcome:
    """Make the draft of a kept source, or make it anew, as an editor has corrected what was understood.

    Without `make` the corrections are kept for later. Raises Refused where an editor has worked on the draft: it
    is theirs now.
    """
    source = ImportedSource.objects.select_for_update().get(pk=source.pk)
    if make and source.article and not is_untouched(source):
        raise Refused(_("Somebody has worked on the draft since, so it is not made again. Delete it first."))
    understood = understand(article_of(source), corrections=corrections, language=language or source.language)
    source.corrections = corrections
    if not make:
        _note(source, understood)
        source.save()
        return Outcome(State.WAITING, source, understood)
    state = State.UPDATED if source.article else State.NEW
    pictures = _pictures(understood, source, by)
    return Outcome(state, source, _make(source, understood, pictures, by))


def is_untouched(source: ImportedSource) -> bool:
    """Whether the draft is as the import made it: saved by nobody, frozen in no snapshot or edition."""
    article = source.article
    return (
        article is not None
        and article.version == source.article_version
        and not article.publication.snapshots.exists()
        and not article.publication.editions.exists()
    )


def was_deleted(source: ImportedSource) -> bool:
    """Whether an editor has deleted the draft that was made."""
    return source.article_id is None and source.article_version is not None


# --- Again -------------------------------------------------------------------------------------------------------


def _state_again(known: ImportedSource) -> State:
    if was_deleted(known):
        return State.DELETED
    return State.UNCHANGED if known.article_id else State.WAITING


def _may_change(known: ImportedSource) -> bool:
    """Whether the draft is all the import's: what an editor has corrected is theirs, too."""
    return is_untouched(known) and not known.corrections


def _brings_pictures(known: ImportedSource, read: SourceArticle) -> bool:
    """Whether a picture that did not come along before does now, for a draft that may have it."""
    missing = [name for name, content_hash in known.pictures.items() if not content_hash]
    return bool(missing) and _may_change(known) and any(read.open_file(name) is not None for name in missing)


def _pictures(understood: Understood, known: ImportedSource | None, by: User | None) -> Kept:
    """Kept before the draft is written, so that no transaction waits for pictures to be re-encoded."""
    placed = [place.picture for place in understood.structure.pictures]
    return keep_pictures(understood.article, placed, known=known.pictures if known else {}, by=by)


@transaction.atomic
def _write(understood: Understood, pictures: Kept, *, make: bool, by: User | None) -> Outcome:
    read = understood.article
    source = ImportedSource.objects.select_for_update().filter(identity=read.identity).first()
    if source and source.digest == read.digest and source.pictures == pictures.hashes:
        return Outcome(_state_again(source), source)  # brought by another import while this one was reading
    new = source is None
    source = source or ImportedSource(identity=read.identity, imported_by=by)
    mine = new or _may_change(source)
    source.blocks, source.meta = pack(read)
    source.name, source.format, source.digest = read.name, read.format[:12], read.digest
    source.pictures, source.corrections = pictures.hashes, {}
    source.imported_at = timezone.now()
    if make and mine:
        try:
            with transaction.atomic():
                source.save()
                return Outcome(State.NEW if new else State.UPDATED, source, _make(source, understood, pictures, by))
        except Stale:  # an editor has saved the draft just now
            mine = False
    if source.article_id:
        source.newer_since = timezone.now()
    else:
        _note(source, replace(understood, remarks=(*understood.remarks, *pictures.remarks)))
    source.save()
    left = State.EDITED if source.article_id and not mine else State.WAITING
    return Outcome(State.DELETED if was_deleted(source) else left, source, understood)


def _make(source: ImportedSource, understood: Understood, pictures: Kept, by: User | None) -> Understood:
    """Make the draft, or make it again, and note in the source which version it is."""
    article, remarks = write_draft(understood, pictures, by=by, article=source.article)
    understood = replace(understood, remarks=(*understood.remarks, *remarks))
    source.article, source.article_version, source.newer_since = article, article.version, None
    _note(source, understood)
    source.save()
    return understood


def _note(source: ImportedSource, understood: Understood) -> None:
    """What was understood, for the list of imports and above the draft's form."""
    structure = understood.structure
    source.language = understood.language
    source.title, source.kind = structure.title[:255], structure.kind.value
    source.conditions = len(structure.entries)
    source.unsure = sum(1 for piece in understood.pieces if piece.sure == Sure.UNSURE)
    source.report = report_text(understood)


# --- The library -------------------------------------------------------------------------------------------------


@transaction.atomic
def propose_condition(*, entry: ArticleEntry, by: User | None) -> Condition:
    """Make a draft for the library of an entry that it does not know, from the entry's words, and link the two.

    The entry keeps its own text. Raises Refused where the entry has a condition, or the library one of its name.
    """
    article = entry.article
    publication = article.publication
    if entry.condition:
        raise Refused(_("This entry has its condition already."))
    name = " ".join(entry.heading.split())
    if not name:
        raise Refused(_("Write the name of the condition first."))
    if Library(publication.language).knows(name):
        raise Refused(_("The library has “%s” already: choose it for the entry.") % name)
    claim_version(draft=article, opened_at=article.version, by=by)
    condition = Condition.objects.create(
        publication=Publication.objects.create(
            kind=Condition.KIND, slug=free_slug(Condition.KIND, name), language=publication.language
        ),
        name=name,
        what_it_is=entry.text,
        treatment=entry.treatment,
        urgency=entry.urgency or Urgency.SEE_A_DOCTOR,
        changed_by=by,
    )
    settle_draft(condition)
    entry.condition = condition
    entry.save()
    settle_draft(article)
    return condition

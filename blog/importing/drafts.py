"""The last step of an import: from the structure that was found to the rows of a draft."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.html import format_html
from django.utils.text import Truncator

from blog.importing.result import Report, Structure
from blog.importing.structure import find_structure
from blog.importing.readers.text import text_blocks
from blog.models import (
    Article,
    ArticleEntry,
    ArticleSection,
    ArticleWarningSign,
    ImportedSource,
    PreventionTip,
)
from conditions.models import Condition, lines
from publishing.models import Publication
from publishing.services import claim_version, free_slug, settle_draft

HEADING_LENGTH = 200  # of every title, heading and name of a draft


@dataclass(frozen=True)
class Imported:
    """What an import led to: the draft, the account of it, and whether the same bytes were imported before."""

    source: ImportedSource
    report: Report | None
    again: bool = False


@transaction.atomic
def import_text(data: bytes, *, name: str, by: User | None = None, language: str = "en") -> Imported:
    """Read a plain text into a new draft. The same bytes a second time change nothing.

    Sends no mail and publishes nothing. Raises UnreadableSource with a sentence for the editor.
    """
    digest = sha256(data).hexdigest()
    known = ImportedSource.objects.filter(identity=digest).select_related("article").first()
    if known:
        return Imported(known, None, again=True)
    structure, report = find_structure(text_blocks(data), language)
    article = make_draft(structure, fallback_title=name, by=by, language=language)
    source = ImportedSource.objects.create(
        identity=digest, digest=digest, name=name[:255], article=article, report=str(report)
    )
    return Imported(source, report)


def make_draft(structure: Structure, *, fallback_title: str, by: User | None, language: str) -> Article:
    """Make the draft of an article from what was understood. An entry keeps its own words, even where the library
    knows its condition."""
    title, intro = _fitting(structure.title or fallback_title, structure.intro)
    publication = Publication.objects.create(kind=Article.KIND, slug=free_slug(Article.KIND, title), language=language)
    origin = structure.origin
    article = Article.objects.create(
        publication=publication,
        kind=structure.kind.value,
        title=title,
        topic=structure.topic[:120],
        intro=intro,
        entries_heading=structure.entries_heading[:200],
        tips_heading=structure.tips_heading[:200],
        tips_intro=structure.tips_intro,
        warning_signs_heading=structure.signs_heading[:200],
        warning_signs_intro=structure.signs_intro,
        note=structure.note,
        conclusion_heading=structure.conclusion_heading[:200],
        conclusion=structure.conclusion,
        origin_name=origin.name[:200] if origin else "",
        origin_url=origin.url if origin else "",
        origin_title=origin.title[:300] if origin else "",
    )
    library = _library()
    for position, entry in enumerate(structure.entries, start=1):
        heading, text = _fitting(entry.heading, entry.text)
        ArticleEntry.objects.create(
            article=article,
            position=position,
            group=entry.group[:200],
            heading=heading,
            condition=library.get(entry.heading.casefold()),
            text=text,
            treatment=entry.treatment,
        )
    for position, section in enumerate(structure.sections, start=1):
        heading, text = _fitting(section.heading, section.text)
        ArticleSection.objects.create(article=article, position=position, heading=heading, text=text)
    for position, tip in enumerate(structure.tips, start=1):
        name, text = _fitting(tip.name, tip.text)
        PreventionTip.objects.create(article=article, position=position, name=name, text=text)
    for position, sign in enumerate(structure.signs, start=1):
        ArticleWarningSign.objects.create(
            article=article, position=position, text=sign.text, urgency=sign.urgency.value
        )
    claim_version(draft=article, opened_at=article.version, by=by)
    settle_draft(article)
    return article


def _fitting(heading: str, text: str) -> tuple[str, str]:
    """A heading that fits its field, and the text; a longer one is kept whole as the text's first paragraph."""
    if len(heading) <= HEADING_LENGTH:
        return heading, text
    return Truncator(heading).chars(HEADING_LENGTH), format_html("<p>{}</p>", heading) + text


def _library() -> dict[str, Condition]:
    """Conditions of the library by each of their names, in small letters."""
    found: dict[str, Condition] = {}
    for condition in Condition.objects.select_related("publication__live"):
        for name in (*lines(condition.synonyms), condition.name):
            found[name.casefold()] = condition
    return found

"""What a text says, for the index: its names, its headings, its signs and tips, and the rest, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from blog.documents import ArticleDocument, PageDocument
from conditions.documents import ConditionDocument
from publishing.documents import Document, Urgency
from publishing.models import Contributor, Publication
from publishing.pages import page_context
from publishing.richtext import plain


@dataclass(frozen=True)
class Part:
    """A part of a page under one anchor. `weight` is the column of the index (blog.search.engines.Columns) it is in."""

    anchor: str
    heading: str
    text: str
    weight: str = "body"


@dataclass(frozen=True)
class Searchable:
    """All that is to be found of a page. `names` are what it is called; `hints` lead to it all the same."""

    language: str
    names: tuple[str, ...]
    hints: tuple[str, ...]
    parts: tuple[Part, ...]
    emergencies: tuple[tuple[str, str], ...] = ()  # (anchor, sign)


def of_publication(publication: Publication, document: Document) -> Searchable:
    """What the live text of a publication says."""
    tags = tuple(publication.tags.names())
    if isinstance(document, ConditionDocument):
        return Searchable(
            language=document.language,
            names=(document.name, *document.synonyms),
            hints=(*tags, *document.icd10, *document.snomed),
            parts=tuple(_condition_parts(document)),
        )
    if isinstance(document, ArticleDocument):
        signs = [sign.text for sign in document.warning_signs if sign.urgency == Urgency.EMERGENCY]
        synonyms = (name for entry in document.entries if entry.condition for name in entry.condition.synonyms)
        return Searchable(
            language=document.language,
            names=(document.title,),
            hints=(*tags, document.topic, *synonyms),
            parts=tuple(_article_parts(document, page_context(document, publication)["entries"])),
            emergencies=tuple(("emergency", sign) for sign in signs),
        )
    assert isinstance(document, PageDocument)
    parts = (Part("", "", document.summary), Part("", "", plain(document.text)))
    return Searchable(document.language, (document.title,), tags, parts)


def of_person(person: Contributor, language: str) -> Searchable:
    """What a profile says. It has no language of its own, so it is taken to be in the site's."""
    about = Part("", "", "\n".join(filter(None, [person.job_title, plain(person.bio)])))
    return Searchable(language, (person.name,), (person.job_title, person.credentials), (about,))


def _condition_parts(document: ConditionDocument) -> Iterator[Part]:
    yield Part("", "", document.summary)
    yield Part("what-it-is", "", plain(document.what_it_is))
    yield Part("signs", "", plain(document.signs), "signs")
    yield Part("treatment", "", plain(document.treatment))
    yield Part("complications", "", plain(document.complications))
    for tip in document.tips:
        yield Part("prevention", tip.name, plain(tip.text), "signs")


def _article_parts(document: ArticleDocument, entries: list[Any]) -> Iterator[Part]:
    yield Part("", "", document.summary)
    yield Part("introduction", "", plain(document.intro))
    for view in entries:
        entry = view.entry
        text = "\n".join(filter(None, [plain(entry.text), plain(entry.treatment)]))
        yield Part(view.anchor, entry.heading, text)
    for number, section in enumerate(document.sections, start=1):
        yield Part(f"section-{number}", section.heading, plain(section.text))
    if document.tips:
        yield Part("prevention", document.tips_heading, plain(document.tips_intro))
    for tip in document.tips:
        yield Part("prevention", tip.name, plain(tip.text), "signs")
    if document.warning_signs:
        yield Part("see-a-doctor", document.warning_signs_heading, plain(document.warning_signs_intro))
    for sign in document.warning_signs:
        anchor = "emergency" if sign.urgency == Urgency.EMERGENCY else "see-a-doctor"
        yield Part(anchor, "", sign.text, "signs")
    yield Part("see-a-doctor", "", plain(document.note))
    yield Part("conclusion", document.conclusion_heading, plain(document.conclusion))

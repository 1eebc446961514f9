"""Findings: what a check says of a document in its context, before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from publishing.documents import Document

if TYPE_CHECKING:
    from publishing.models import Publication, SiteSettings


class Severity(StrEnum):
    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True)
class Finding:
    """`place` names the part of the form it is about: 'title', or 'entries/<part id>/treatment'."""

    id: str
    severity: Severity
    sentence: str
    remedy: str
    place: str = ""

    @property
    def blocks(self) -> bool:
        return self.severity == Severity.BLOCK

    @property
    def identity(self) -> str:
        """The same for the same finding at the same place, in any language."""
        return f"{self.id}:{self.place}"


@dataclass(frozen=True)
class Context:
    """What a check may know besides the document."""

    settings: SiteSettings
    today: date
    publication: Publication | None = None
    reviewed: bool = False  # a valid sign-off covers exactly this text
    # Of the conditions that the document mentions, by UUID: the number of the live edition, 0 where none is live.
    mentioned: Mapping[str, int] = field(default_factory=dict)
    original: Publication | None = None  # what the document names as its original
    other_translation: bool = False  # another live text is that original's translation into the same language


def block(id_: str, sentence: str, remedy: str, place: str = "") -> Finding:
    return Finding(id_, Severity.BLOCK, sentence, remedy, place)


def warn(id_: str, sentence: str, remedy: str, place: str = "") -> Finding:
    return Finding(id_, Severity.WARN, sentence, remedy, place)


def common_checks(document: Document, context: Context) -> Iterator[Finding]:
    """The checks that every kind of document has to pass."""
    columns = document.columns()
    if not columns.title.strip():
        yield block("title", _("There is no title."), _("Write one."), "title")
    known = {source.key for source in document.citations}
    for place, html in document.texts():
        for key in document.keys_in(html):
            if key not in known:
                yield block(
                    "citation-unknown",
                    _("The text cites “%s”, which is not in the list of citations.") % key,
                    _("Add the citation under Citations, or correct the key."),
                    place,
                )
    for place, picture in document.pictures():
        if len(picture.alt) > 125:
            yield warn(
                "alt-long",
                _("The alternative text of a picture is longer than 125 characters."),
                _("Say in one short sentence what matters in the picture."),
                place,
            )
    if context.settings.strictness == "strict" and document.SIGNED and not context.reviewed:
        yield block(
            "review-missing",
            _("No valid review covers this text, and this site publishes only what is reviewed."),
            _("Send it for review; publish when it is signed."),
        )


def translation_checks(document: Document, context: Context) -> Iterator[Finding]:
    """Of which text this is a translation, and whether that has moved on (check C45)."""
    original, publication = context.original, context.publication
    if original is None or publication is None:
        return
    if original.language == document.language:
        yield block(
            "translation-language",
            _("“%s”, named as the original, is in the same language.") % original,
            _("Choose the text that this one was translated from, or none."),
            "translation_of",
        )
    if original.pk == publication.pk or original.translation_of_id or publication.translations.exists():
        yield block(
            "translation-chain",
            _("A translation cannot have translations of its own, and this would make one."),
            _("Choose the first text, from which all translations are made."),
            "translation_of",
        )
    if context.other_translation:
        yield block(
            "translation-twice",
            _("“%s” has a translation into this language already.") % original,
            _("Withdraw the other one first, or make this an article of its own."),
            "translation_of",
        )
    if not original.is_live:
        yield warn(
            "translation-original",
            _("“%s”, named as the original, is not live, so readers are not led to it.") % original,
            _("Publish the original first if readers should be able to compare."),
            "translation_of",
        )
    elif publication.is_outdated_translation_of(original):
        yield warn(
            "translation-outdated",
            _("The original has had a new major edition since this translation. Readers are told so."),
            _("See what changed there, and publish a major edition of this once it says the same."),
            "translation_of",
        )


def author_checks(document: Document, context: Context) -> Iterator[Finding]:
    """Who is responsible for it (JAMA benchmarks; checks C01 and C02)."""
    if not document.authors:
        yield block(
            "author-missing",
            _("Nobody is named as the author."),
            _("Choose at least one person under People."),
            "authors",
        )
    for person in document.authors:
        if not person.medical and not person.credentials:
            yield warn(
                "author-qualification",
                _("%s has neither credentials nor a medical qualification on record.") % person.name,
                _("Add what qualifies them to their profile; the page says otherwise that they are not a clinician."),
                "authors",
            )

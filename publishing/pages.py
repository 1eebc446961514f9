"""What a page needs besides its document: links, profiles, pictures and tags that are live now.

Each is one query, however long the document. The same context serves the live page, an older edition, and the
editor's preview.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.text import slugify
from taggit.models import Tag

from images.models import Picture
from publishing.documents import Document, Person, Source, Urgency, WarningSign
from publishing.kinds import kinds
from publishing.models import Contributor, Edition, Level, Publication, SiteSettings, StoredDocument, Trust
from publishing.translations import family

# For how long a page says near its top that its last major edition said something else.
LATELY = timedelta(days=30)

# The anchors that the templates give to the parts of a page; those of entries keep clear of them.
PAGE_ANCHORS = {
    *("main", "introduction", "emergency", "at-a-glance", "conditions", "prevention", "see-a-doctor", "urgent"),
    *("not-urgent", "conclusion", "sources", "trust", "share", "related"),
}
# Where a text stands whose place in the document is not itself the name of its anchor.
ANCHORS = {
    "intro": "introduction",
    "tips": "prevention",
    "tips_intro": "prevention",
    "warning_signs_intro": "see-a-doctor",
    "note": "see-a-doctor",
}


def with_text(publications: Any) -> Any:
    """Publications with the canonical text of their live edition as `canonical`, in the same query."""
    text = StoredDocument.objects.filter(pk=OuterRef("live__fingerprint")).values("canonical")
    return publications.select_related("live", "reviewer", "picture").annotate(canonical=Subquery(text))


@dataclass(frozen=True)
class PersonLink:
    person: Person
    url: str


@dataclass(frozen=True)
class EntryView:
    """An entry with its number, its anchor on the page, and the page of its condition where that is live."""

    number: int
    anchor: str
    entry: Any
    condition_url: str
    starts_group: bool

    @property
    def is_pressing(self) -> bool:
        """Whether a doctor in good time is not soon enough."""
        return self.entry.urgency in (Urgency.EMERGENCY, Urgency.URGENT)


def page_context(
    document: Document,
    publication: Publication,
    *,
    edition: Edition | None = None,
    preview: bool = False,
) -> dict[str, Any]:
    """The template context of a document at its address.

    Takes the edition that is shown (the live one by default); `preview` marks a text that is not public. Incomplete
    documents are fine: what is missing is empty.
    """
    edition = edition or (None if preview else publication.live)
    is_live = edition is not None and edition.pk == publication.live_id
    entries = _entries(document)
    tags = list(Tag.objects.filter(tagged_publications__content_object=publication).order_by("name"))
    return {
        "document": document,
        "publication": publication,
        "edition": edition,
        "preview": preview,
        "is_live": is_live,
        "changed_lately": is_live and _changed_lately(edition),
        "translations": family(publication) if is_live else None,
        "authors": _people(document),
        "entries": entries,
        "cited_at": _cited_at(document, entries),
        "signs": _signs_by_urgency(getattr(document, "warning_signs", ())),
        "pictures": _pictures(document),
        "tags": tags,
        "evidence": _evidence(document.citations),
        "canonical_url": settings.SITE_URL + publication.get_absolute_url(),
        "language": document.language,
    }


def may_be_indexed(publication: Publication, site: SiteSettings) -> bool:
    """Whether search engines are invited: not for syndicated texts, nor unreviewed ones unless the site is open."""
    if publication.syndicated:
        return False
    if site.strictness == SiteSettings.Strictness.OPEN or not kinds[publication.kind].document.SIGNED:
        return True
    return publication.trust in (Trust.REVIEWED, Trust.MINOR_CHANGES)


def _changed_lately(edition: Edition | None) -> bool:
    """Whether this major edition replaced another one less than LATELY ago, and says what changed."""
    if edition is None or edition.number == 1 or edition.level != Level.MAJOR or not edition.note:
        return False
    return edition.published_at > timezone.now() - LATELY


def _people(document: Document) -> list[PersonLink]:
    uuids = [person.uuid for person in document.authors]
    rows = {str(row.uuid): row for row in Contributor.objects.filter(uuid__in=uuids)} if uuids else {}
    return [
        PersonLink(person, rows[person.uuid].get_absolute_url() if person.uuid in rows else "")
        for person in document.authors
    ]


def _entries(document: Document) -> list[EntryView]:
    mentioned = [mention.uuid for mention in document.mentions()]
    live = Publication.objects.live().filter(uuid__in=mentioned) if mentioned else []
    urls = {str(publication.uuid): publication.get_absolute_url() for publication in live}
    views: list[EntryView] = []
    used = {*PAGE_ANCHORS, *_section_anchors(document).values(), *(f"source-{n}" for n in _numbers(document))}
    for number, entry in enumerate(getattr(document, "entries", ()), start=1):
        views.append(
            EntryView(
                number=number,
                anchor=_free_anchor(slugify(entry.heading) or f"condition-{number}", used),
                entry=entry,
                condition_url=urls.get(entry.condition.uuid, "") if entry.condition else "",
                starts_group=bool(entry.group),
            )
        )
    return views


def _free_anchor(wanted: str, used: set[str]) -> str:
    """The anchor, with a number where the page has it already; it is used from then on."""
    anchor, number = wanted, 2
    while anchor in used:
        anchor, number = f"{wanted}-{number}", number + 1
    used.add(anchor)
    return anchor


def _section_anchors(document: Document) -> dict[str, str]:
    """The anchor of each section by its ID, as the template numbers them."""
    sections = enumerate(getattr(document, "sections", ()), start=1)
    return {section.id: f"section-{number}" for number, section in sections}


def _numbers(document: Document) -> range:
    return range(1, len(document.citations) + 1)


def _cited_at(document: Document, entries: list[EntryView]) -> dict[str, str]:
    """The anchor of the part of the page that first cites each source, by its key: the way back from the list."""
    parts = {view.entry.id: view.anchor for view in entries} | _section_anchors(document)
    found: dict[str, str] = {}
    for place, html in document.texts():
        part, _slash, rest = place.partition("/")
        anchor = parts.get(rest.partition("/")[0]) or ANCHORS.get(part, part.replace("_", "-"))
        for key in document.keys_in(html):
            found.setdefault(key, anchor)
    return found


def _signs_by_urgency(signs: tuple[WarningSign, ...]) -> dict[str, list[WarningSign]]:
    return {urgency.name.lower(): [sign for sign in signs if sign.urgency == urgency] for urgency in Urgency}


def _pictures(document: Document) -> dict[str, Picture]:
    hashes = {value.content_hash for _place, value in document.pictures()}
    rows = Picture.objects.filter(content_hash__in=hashes) if hashes else []
    return {picture.content_hash: picture for picture in rows}


def _evidence(sources: tuple[Source, ...]) -> list[tuple[str, int]]:
    """(kind, how many) in the order of strength in which the kinds are declared."""
    from publishing.models import Citation

    counts = Counter(source.kind for source in sources)
    return [(str(kind.label), counts[kind.value]) for kind in Citation.Kind if counts[kind.value]]


def trust_record(publication: Publication) -> dict[str, Any]:
    """The public record of who approved what, for `trust.json`. Takes a live publication."""
    edition = publication.live
    assert edition is not None

    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "url": settings.SITE_URL + publication.get_absolute_url(),
        "title": publication.title,
        "edition": edition.number,
        "level": edition.level,
        "published": edition.published_at.isoformat(),
        "fingerprint": {"algorithm": "SHA-256", "value": edition.fingerprint},
        "review": {
            "state": publication.trust,
            "reviewer": publication.reviewer_name or None,
            "reviewed_on": day(publication.reviewed_on),
            "valid_until": day(publication.trust_until),
        },
        "sign_offs": [
            {
                "fingerprint": record.fingerprint,
                "reviewer": record.reviewer_name,
                "statement": record.statement,
                "signed": record.signed_at.isoformat(),
                "valid_until": record.valid_until.isoformat(),
                "revoked": record.revocation.revoked_at.isoformat() if hasattr(record, "revocation") else None,
            }
            for record in publication.sign_offs.filter(
                fingerprint__in=publication.editions.values("fingerprint")
            ).select_related("revocation")
        ],
    }

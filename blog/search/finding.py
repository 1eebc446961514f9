"""The façade: a question in, results out, the same on every database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings

from blog.search.analysis import MAX_QUERY, Term, wholes
from blog.search.engines import FOUND, Question, engine
from blog.search.extracts import Extract, Segments, extract, mark
from blog.search.models import SearchEntry
from blog.search.spelling import vocabulary
from publishing.documents import normal_text
from publishing.models import Contributor, Publication, Trust

PERSON, CONDITION = "person", "condition"
REVIEWED = (Trust.REVIEWED.value, Trust.MINOR_CHANGES.value)
MOST_SIGNS = 2

# What may be found: live texts, and people of whom one is live. Held at every question, however late the index is.
LIVE = (
    "(p.live_id IS NOT NULL OR EXISTS (SELECT 1 FROM publishing_contribution c "
    "JOIN publishing_publication w ON w.id = c.publication_id "
    "WHERE c.contributor_id = e.person_id AND w.live_id IS NOT NULL))"
)
# A condition of a part of the body, or an article that names one.
AREA = (
    "(p.body_area = %s OR EXISTS (SELECT 1 FROM publishing_mention m "
    "JOIN publishing_publication n ON n.id = m.condition_id "
    "WHERE m.publication_id = p.id AND n.live_id IS NOT NULL AND n.body_area = %s))"
)


@dataclass(frozen=True)
class Hit:
    """A page that was found. Title, names and trust are those of now; `extract` is of the live edition."""

    kind: str
    title: str
    url: str
    language: str
    extract: Extract
    publication: Publication | None = None
    person: Contributor | None = None
    other_name: Segments = field(default_factory=list)  # by which it was found

    @property
    def part_url(self) -> str:
        """The address of the part that the extract is from."""
        return f"{self.url}#{self.extract.anchor}" if self.extract.anchor else ""


@dataclass(frozen=True)
class Emergency:
    """A sign of an emergency that the question names, and the page that says so."""

    text: str
    url: str
    publication: Publication


@dataclass(frozen=True)
class Results:
    """What was found. `total` counts up to FOUND. `answer` is the condition of that very name, and none of `hits`."""

    query: str
    hits: list[Hit] = field(default_factory=list)
    total: int = 0
    answer: Hit | None = None
    emergencies: list[Emergency] = field(default_factory=list)
    corrected: str = ""  # what was looked for instead, where words were misspelt
    partial: bool = False  # no page has all the words; these have some

    @property
    def capped(self) -> bool:
        return self.total >= FOUND

    @property
    def missed(self) -> bool:
        """No page has all the words."""
        return self.partial or not self.total


def tidy(query: str) -> str:
    """A question as it is looked at: one line, no control characters, no more than MAX_QUERY characters."""
    text = normal_text(query[: 4 * MAX_QUERY])
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MAX_QUERY].strip()


def search(
    query: str, *, kind: str = "", area: str = "", reviewed: bool = False, limit: int = 10, offset: int = 0
) -> Results:
    """Look for a question in all that is live. Takes any text, and raises nothing that depends on it.

    Three queries, four where no page has all the words: the stamp of the index, the matches, the rows of one page.
    The words of the index are read once more by each process after something was indexed.
    """
    query = tidy(query)
    known = vocabulary()
    asked, corrected = known.understand(query)
    if not asked:
        return Results(query)
    where, params = _filters(kind, area, reviewed)
    named = wholes(corrected or query)
    found = engine().find(Question(asked, named, where=where, params=params))
    partial = False
    if not found and len(asked) > 1:
        here = [term for term in asked if term.prefix or known.known(term.word)]
        found = engine().find(Question(here, (), any=True, where=where, params=params)) if here else []
        partial = bool(found)
    signs = known.emergencies(asked) if offset == 0 else []
    page = found[max(0, offset) : max(0, offset) + max(0, limit)]
    rows = _rows([pk for pk, _exact in page] + [sign.entry for sign in signs])
    # An entry may be made anew between two queries; then it is missing for once.
    hits = [(_hit(rows[pk], asked), exact) for pk, exact in page if pk in rows]
    answer = next((hit for hit, exact in hits if exact and hit.kind == CONDITION and offset == 0), None)
    emergencies: dict[str, Emergency] = {}
    for sign in signs:
        publication = rows[sign.entry].publication if sign.entry in rows and _is_live(rows[sign.entry]) else None
        if publication:
            url = f"{publication.get_absolute_url()}#{sign.anchor}"
            emergencies.setdefault(sign.text.casefold(), Emergency(sign.text, url, publication))
    return Results(
        query,
        hits=[hit for hit, _exact in hits if hit is not answer],
        total=len(found),
        answer=answer,
        emergencies=list(emergencies.values())[:MOST_SIGNS],
        corrected=corrected if found else "",
        partial=partial,
    )


def _filters(kind: str, area: str, reviewed: bool) -> tuple[str, list[str]]:
    clauses, params = [LIVE], list[str]()
    if kind:
        clauses.append("e.kind = %s")
        params.append(kind)
    if area:
        clauses.append(AREA)
        params += [area, area]
    if reviewed:
        clauses.append(f"p.trust IN ({', '.join(['%s'] * len(REVIEWED))})")
        params += REVIEWED
    return " AND ".join(clauses), params


def _rows(pks: Sequence[int]) -> dict[int, SearchEntry]:
    if not pks:
        return {}
    rows = SearchEntry.objects.filter(pk__in=pks).select_related("publication", "person").defer("words")
    return {row.pk: row for row in rows}


def _is_live(entry: SearchEntry) -> bool:
    """Whether the words of the entry are those that are live now."""
    return entry.publication is not None and entry.edition_id == entry.publication.live_id


def _hit(entry: SearchEntry, asked: Sequence[Term]) -> Hit:
    if entry.person:
        shown = extract(entry.parts, asked, settings.LANGUAGE_CODE)
        person = entry.person
        return Hit(PERSON, str(person), person.get_absolute_url(), "", shown, person=person)
    publication = entry.publication
    assert publication is not None
    language = publication.language
    # Words that are not live any more are not shown.
    parts = entry.parts if _is_live(entry) else [["", "", publication.summary]]
    names = [mark(name, asked, language) for name in publication.other_names]
    by_name = max(names, key=lambda name: sum(marked for _text, marked in name), default=[])
    return Hit(
        kind=entry.kind,
        title=publication.title,
        url=publication.get_absolute_url(),
        language=language,
        extract=extract(parts, asked, language),
        publication=publication,
        other_name=by_name if any(marked for _text, marked in by_name) else [],
    )

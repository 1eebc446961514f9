"""Keeps the index: what is live and not in it, or not as it is now, is read again.

`index_stale()` looks at all that is public and needs nobody to tell it what has changed; the task only says when.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django_tasks import task

from blog.search.analysis import LONGEST, stem, stems, whole, words
from blog.search.engines import Columns, engine
from blog.search.models import SearchEntry, SearchWord
from blog.search.texts import Searchable, of_person, of_publication
from publishing.models import Contribution, Contributor, Publication, TaggedPublication
from publishing.pages import with_text
from publishing.views import live_document

PERSON = "person"
AT_ONCE = 500  # words in one statement
_OPEN_END = re.compile(r"(?<![.!?:…])\n")
FORMAT = 1  # raised when the same text is indexed differently, which makes every entry stale


@dataclass(frozen=True)
class Key:
    """A publication or a person that has, or should have, an entry."""

    kind: str  # "publication" or "person"
    pk: int


@task
def index_soon() -> None:
    """Bring the index up to date, outside the request that made it stale."""
    index_stale()


def on_public_change(**_signal: object) -> None:
    """What the public sees has changed; which of it, index_stale() finds."""
    index_soon.enqueue()


def index_stale(*, everything: bool = False) -> int:
    """Index what is live and new or changed, forget what is gone; how many entries that were. Harmless at any time.

    `everything` reads all again, and counts the words anew.
    """
    if everything:
        with transaction.atomic():
            engine().wait()
            engine().clear()
            SearchEntry.objects.all().delete()
            SearchWord.objects.all().delete()
    wanted, indexed = dict(_wanted()), dict(_indexed())
    stale = [key for key in (wanted | indexed) if wanted.get(key) != indexed.get(key)]
    for key in stale:
        _index(key)
    return len(stale)


def _wanted() -> Iterator[tuple[Key, str]]:
    """What should be in the index, and the version that it is in now."""
    tags: dict[int, list[str]] = defaultdict(list)
    rows = TaggedPublication.objects.filter(content_object__live__isnull=False)
    for pk, name in rows.order_by("tag__name").values_list("content_object", "tag__name"):
        tags[pk].append(name)
    for pk, edition in Publication.objects.live().values_list("pk", "live"):
        yield Key("publication", pk), _version(edition, *tags[pk])
    for person in _people():
        yield Key(PERSON, person.pk), _person_version(person)


def _indexed() -> Iterator[tuple[Key, str]]:
    rows = SearchEntry.objects.values_list("publication", "person", "version")
    for publication, person, version in rows:
        yield (Key("publication", publication) if publication else Key(PERSON, person)), version


def _people() -> Iterator[Contributor]:
    """Who has a page: people who wrote or reviewed something that is live."""
    live = Contribution.objects.filter(publication__live__isnull=False)
    yield from Contributor.objects.filter(pk__in=live.values("contributor"))


def _version(*said: object) -> str:
    return sha256("\n".join(map(str, (FORMAT, *said))).encode()).hexdigest()


def _person_version(person: Contributor) -> str:
    return _version(person.name, person.job_title, person.credentials, person.bio, settings.LANGUAGE_CODE)


@transaction.atomic
def _index(key: Key) -> None:
    """Make the entry anew, from what is public now."""
    engine().wait()
    _forget(SearchEntry.objects.filter(**{key.kind: key.pk}))
    if key.kind == PERSON:
        person = next((person for person in _people() if person.pk == key.pk), None)
        if person:
            entry = SearchEntry(kind=PERSON, person=person, version=_person_version(person))
            _store(entry, of_person(person, settings.LANGUAGE_CODE))
        return
    publication = with_text(Publication.objects.live()).filter(pk=key.pk, canonical__isnull=False).first()
    if publication:
        tags = publication.tags.order_by("name").values_list("name", flat=True)
        entry = SearchEntry(
            kind=publication.kind,
            publication=publication,
            edition=publication.live,
            version=_version(publication.live_id, *tags),
        )
        _store(entry, of_publication(publication, live_document(publication)))


def _store(entry: SearchEntry, text: Searchable) -> None:
    columns = Columns()
    for name in text.names:
        columns.names += stems(name, text.language)
    columns.names += filter(None, (whole(name, text.language) for name in text.names))
    for hint in text.hints:
        columns.headings += stems(hint, text.language)
    for part in text.parts:
        columns.headings += stems(part.heading, text.language)
        getattr(columns, part.weight).extend(stems(part.text, text.language))
    said = "\n".join([*text.names, *text.hints, *(f"{part.heading}\n{part.text}" for part in text.parts)])
    found = sorted({word for word in words(said) if 2 < len(word) <= LONGEST and word.isalpha()})
    entry.language = text.language
    entry.parts = [[part.anchor, part.heading, one_line(part.text)] for part in text.parts if part.text]
    entry.emergencies = [list(sign) for sign in text.emergencies]
    entry.words = " ".join(found)
    entry.save()
    engine().store(entry.pk, columns)
    _count(found, text.language)


def one_line(text: str) -> str:
    """Text of several blocks as an extract shows it: items of a list are set apart, sentences are already."""
    return _OPEN_END.sub(" · ", text).replace("\n", " ")


def _forget(entries: Iterable[SearchEntry]) -> None:
    for entry in entries:
        engine().remove([entry.pk])
        gone = entry.words.split()
        for start in range(0, len(gone), AT_ONCE):
            counted = SearchWord.objects.filter(word__in=gone[start : start + AT_ONCE], language=entry.language)
            counted.filter(entries__lte=1).delete()
            counted.update(entries=F("entries") - 1)
        entry.delete()
        # By the newest entry spelling.vocabulary() tells that words have changed, and here none may follow.
        newest = SearchEntry.objects.order_by("-pk").values("pk")[:1]
        SearchEntry.objects.filter(pk__in=newest).update(made=uuid4())


def _count(found: list[str], language: str) -> None:
    """One entry more has these words."""
    sql = (
        "INSERT INTO blog_searchword (word, language, stem, entries) VALUES (%s, %s, %s, 1) "
        "ON CONFLICT (word, language) DO UPDATE SET entries = blog_searchword.entries + 1"
    )
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(word, language, stem(word, language)) for word in found])

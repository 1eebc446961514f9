"""What readers looked for in vain: counted by term and day, and nothing else.

The only thing that a GET writes. It may fail, and must not be waited for: the search answers all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from blog.search.models import SearchMiss

LONGEST = 80  # characters; whoever writes more is telling something, not looking for it
MOST_WORDS = 8
MOST_A_DAY = 5_000  # different ones, so that nobody can fill the disk
WAIT_MS = 100
KEEP = timedelta(days=90)

# What may say who somebody is: mail and web addresses, telephone and other long numbers.
_PRIVATE = re.compile(r"@|://|www\.|(?:\d[\s./-]*){5}")

_SQL = (
    "INSERT INTO blog_searchmiss (term, day, count) "
    "SELECT %s, %s, 1 WHERE (SELECT count(*) FROM blog_searchmiss WHERE day = %s) < %s "
    "ON CONFLICT (term, day) DO UPDATE SET count = blog_searchmiss.count + 1"
)


def term_of(query: str) -> str:
    """The question as it is counted, or '' where it is not: too long, or it may say who somebody is."""
    term = " ".join(query.casefold().split()).strip(" .,;:!?\"'")
    if not 2 < len(term) <= LONGEST or len(term.split()) > MOST_WORDS or _PRIVATE.search(term):
        return ""
    return term


def count_miss(query: str) -> None:
    """Count a question that found nothing. Where the database is busy or read-only it is not counted."""
    if term := term_of(query):
        today = timezone.localdate().isoformat()
        with suppress(DatabaseError), _impatient(), transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"SET LOCAL lock_timeout = {WAIT_MS}")
            cursor.execute(_SQL, [term, today, today, MOST_A_DAY])


def tidy() -> int:
    """Forget what is older than KEEP; how many rows. Harmless at any time."""
    return SearchMiss.objects.filter(day__lt=timezone.localdate() - KEEP).delete()[0]


@contextmanager
def _impatient() -> Iterator[None]:
    """Wait for a locked SQLite WAIT_MS only. What is set is the connection's, and set back."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    raw = connection.connection
    (usual,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout = {usual}")

"""Subscribers as a CSV file that a spreadsheet can open without running anything, and that can be imported again."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from newsletter.models import Subscriber

# What somebody reads about is not among them: on a site about health it says too much about a person.
COLUMNS = (
    "address",
    "status",
    "frequency",
    "language",
    "signed_up_at",
    "confirmed_at",
    "left_at",
    "paused_until",
)
# Rows a query: an export of a million people never holds a long read, nor all of them in memory.
CHUNK = 2000

# How a formula begins (OWASP ASVS 5.0, 1.2.10), also in full width; and the mark itself, so that it can be taken off.
_FORMULA = re.compile(r"['=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  # full width on purpose
_MARKED = re.compile(r"'['=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001


def safe(text: str) -> str:
    """The text of a cell, with ' before what a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain(text: str) -> str:
    """What `safe` was given."""
    return text[1:] if _MARKED.match(text) else text


class _Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, line: str) -> str:
        return line


def lines(statuses: Iterable[str] = ()) -> Iterator[str]:
    """The file, line by line: people of these statuses (all, if none is named) in the order they came.

    It is ASCII by nature of its columns, so that it needs no byte order mark.
    """
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    people = Subscriber.objects.order_by("pk").values_list("pk", *COLUMNS)
    if wanted := list(statuses):
        people = people.filter(status__in=wanted)
    last = 0
    while chunk := list(people.filter(pk__gt=last)[:CHUNK]):
        for pk, *values in chunk:
            yield writer.writerow([safe(_text(value)) for value in values])
            last = pk


def _text(value: str | date | datetime | None) -> str:
    """A value as `importing` reads it: times to the second, in UTC (ISO 8601)."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else str(value)

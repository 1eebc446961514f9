"""The time, which is the database's: two machines can agree on no other.

Everything in the newsletter that compares times (leases, due times, caps, periods) asks here. Only the tests move
it, by `settings.CLOCK_OFFSET_SECONDS`, which their subprocesses read from the environment.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils.dateparse import parse_datetime

_NOW = {"sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", "postgresql": "SELECT clock_timestamp()"}


def now() -> datetime:
    """The database's time in UTC, also in the middle of a transaction (to the millisecond on SQLite)."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        value = cursor.fetchone()[0]
    moment = value if isinstance(value, datetime) else parse_datetime(value)
    assert moment is not None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC) + timedelta(seconds=settings.CLOCK_OFFSET_SECONDS)

"""Caps, counted in rows of the database: every process sees them, and a restart forgets none."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from newsletter import clock
from newsletter.models import Allowance

# One statement, so that a thousand at once count as a thousand. Nothing is changed where the cap is reached.
_TAKE = """
INSERT INTO newsletter_allowance (key, window_ends, used) VALUES (%s, %s, 1)
ON CONFLICT (key) DO UPDATE SET
    used = CASE WHEN newsletter_allowance.window_ends <= %s THEN 1 ELSE newsletter_allowance.used + 1 END,
    window_ends = CASE WHEN newsletter_allowance.window_ends <= %s THEN excluded.window_ends
                  ELSE newsletter_allowance.window_ends END
WHERE newsletter_allowance.window_ends <= %s OR newsletter_allowance.used < %s
"""


def take(key: str, limit: int, period: timedelta) -> bool:
    """Count one more under a key; False, and nothing counted, where `limit` was reached in this window.

    The window begins with the first and ends after `period`. Takes a key of up to 120 characters that names no
    address in the clear.
    """
    if limit < 1:
        return False
    now = clock.now()
    at, ends = (connection.ops.adapt_datetimefield_value(moment) for moment in (now, now + period))
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [key, ends, at, at, at, limit])
        return bool(cursor.rowcount == 1)


def forget(key: str) -> None:
    """Begin to count anew under a key."""
    Allowance.objects.filter(key=key).delete()

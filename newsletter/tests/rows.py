"""Rows of the newsletter for tests."""

from __future__ import annotations

from typing import Any

from newsletter import addresses, clock
from newsletter.models import Issue, Subscriber


def make_subscribers(number: int, *, prefix: str = "reader", **more: Any) -> list[Subscriber]:
    """Confirmed subscribers `reader1@example.org` and so on, or others (`status=…`)."""
    now = clock.now()
    values = {"status": "confirmed", "confirmed_at": now, "signed_up_at": more.get("confirmed_at") or now} | more
    rows = []
    for count in range(1, number + 1):
        address = f"{prefix}{count}@example.org"
        rows.append(Subscriber(address=address, address_hmac=addresses.digest(address), **values))
    return Subscriber.objects.bulk_create(rows, batch_size=500)


def make_issue(state: str = Issue.State.WAITING, **more: Any) -> Issue:
    """An issue written by hand, with an opening text and no article, that starts at once."""
    values: dict[str, Any] = {
        "subject": "News about backs",
        "opening": "<p>Three things to know about backs.</p>",
        "starts_at": clock.now(),
        "state": state,
    }
    issue = Issue(**values | more)
    issue.key = f"by-hand:{issue.uuid}"
    issue.save()
    return issue

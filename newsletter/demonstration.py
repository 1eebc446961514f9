"""Readers for the demonstration, with the record of a year, and an issue that goes out at the first start.

So there is mail to open, an archive, a draft to try things with, and a growth that can be seen.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction

from newsletter import addresses, clock
from newsletter.models import Consent, Issue, IssueItem, Subscriber
from newsletter.words import CURRENT, words
from publishing.models import Publication

# Who, what they get, how many days ago they came, and how many days ago they left (0: they stayed).
PEOPLE = (
    ("rosa", "every", 348, 0),
    ("emil", "weekly", 331, 0),
    ("nadia", "weekly", 320, 75),
    ("tomas", "corrections", 301, 0),
    ("wanda", "weekly", 288, 0),
    ("oskar", "weekly", 270, 131),
    ("leila", "every", 259, 0),
    ("pavel", "weekly", 244, 0),
    ("greta", "weekly", 231, 0),
    ("amir", "weekly", 207, 0),
    ("sofia", "every", 196, 42),
    ("henrik", "corrections", 171, 0),
    ("yuki", "weekly", 158, 0),
    ("dario", "weekly", 149, 0),
    ("maeve", "weekly", 124, 0),
    ("jonas", "weekly", 96, 0),
    ("celia", "weekly", 83, 12),
    ("viktor", "every", 61, 0),
    ("anouk", "weekly", 47, 0),
    ("bruno", "weekly", 33, 0),
    ("ilse", "corrections", 18, 0),
    ("mateo", "weekly", 4, 0),
)
NETWORK = "192.0.2.0/24"  # for documentation (RFC 5737)

SENT = (
    "Reading about pain without being frightened by it",
    "<p>Most back pain passes by itself, and a leg that goes numb on a hard chair is seldom a bad sign. The few "
    "signs that do matter stand first in both articles below, so that you need not look for them.</p>",
)
DRAFT = (
    "Before winter: keeping your back moving",
    "<p>A draft to try things with: choose an article, look at the preview, send yourself a test.</p>",
)


@transaction.atomic
def load() -> None:
    """Add the readers and the issues; nothing where there are any already."""
    if Subscriber.objects.exists() or Issue.objects.exists():
        return
    for name, frequency, came, left in PEOPLE:
        _person(f"{name}@example.org", frequency, came, left)
    articles = Publication.objects.of_kind("article").live().filter(language="en").order_by("listed_at")
    about_pain = articles.filter(mentions__condition__slug="herniated-disc")
    _issue(*SENT, list(about_pain), state=Issue.State.WAITING)
    _issue(*DRAFT, list(articles[:1]), state=Issue.State.DRAFT)


def _person(address: str, frequency: str, came: int, left: int) -> None:
    now = clock.now()
    asked, gone = now - timedelta(days=came), now - timedelta(days=left) if left else None
    confirmed = asked + timedelta(minutes=7)
    status = Subscriber.Status.UNSUBSCRIBED if left else Subscriber.Status.CONFIRMED
    person = Subscriber.objects.create(
        address=address,
        address_hmac=addresses.digest(address),
        frequency=frequency,
        status=status,
        signed_up_at=asked,
        confirmed_at=confirmed,
        left_at=gone,
    )
    who = {"address_hmac": person.address_hmac, "language": "en"}
    said = {"words": words("en"), "words_version": CURRENT, "network": NETWORK}
    event, method = Consent.Event, Consent.Method
    Consent.objects.create(**who, **said, event=event.ASKED, method=method.FORM, at=asked)
    Consent.objects.create(**who, event=event.CONFIRMED, method=method.LINK, at=confirmed, network=NETWORK)
    if gone:
        Consent.objects.create(**who, event=event.UNSUBSCRIBED, method=method.ONE_CLICK, at=gone)


def _issue(subject: str, opening: str, articles: list[Publication], *, state: Issue.State) -> None:
    starts_at = clock.now() if state == Issue.State.WAITING else None
    by = User.objects.filter(username="publisher").first()
    issue = Issue(subject=subject, opening=opening, state=state, starts_at=starts_at, made_by=by)
    issue.sent_by = by if starts_at else None
    issue.key = f"by-hand:{issue.uuid}"
    issue.save()
    for position, article in enumerate(articles, start=1):
        IssueItem.objects.create(issue=issue, publication=article, position=position)

"""What happened earlier can be put on record with its own date; the demonstration's year is made that way."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.tests.factories import fresh, make_article, make_contributor, make_user, publish_draft, reword, snapshot_of
from publishing.models import Level, Trust
from publishing.services import Refused, add_months, publish, sign_off, take_snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_an_edition_a_snapshot_and_a_review_keep_the_day_they_are_from() -> None:
    long_ago = timezone.now() - timedelta(days=400)
    draft = make_article()
    user = make_user("clinician")
    reviewer = make_contributor("Cleo Clinician", medical=True, credentials="MD", user=user)
    snapshot = take_snapshot(
        publication=draft.publication, document=draft.build(), purpose="review", by=user, at=long_ago
    )
    record = sign_off(
        snapshot=snapshot,
        reviewer=reviewer,
        by=user,
        valid_until=add_months(timezone.localdate(long_ago), 12),
        statement="Read.",
        at=long_ago,
    )
    edition = publish(snapshot=snapshot, by=user, level=Level.MAJOR, note="", at=long_ago)
    publication = fresh(draft.publication)
    assert snapshot.taken_at == record.signed_at == edition.published_at == long_ago
    assert publication.first_published == publication.listed_at == long_ago
    assert publication.trust == Trust.OVERDUE


def test_an_edition_is_neither_from_the_future_nor_older_than_the_one_before() -> None:
    draft = make_article()
    publish_draft(draft)
    snapshot = snapshot_of(reword(draft))
    now = timezone.now()
    for at in (now + timedelta(hours=1), now - timedelta(days=1)):
        with pytest.raises(Refused, match="after the one before"):
            publish(snapshot=snapshot, by=None, level=Level.MAJOR, note="Later.", at=at)
    assert draft.publication.editions.count() == 1

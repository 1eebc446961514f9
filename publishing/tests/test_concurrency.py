"""Several people, or several workers, at the same moment."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from config.tests.factories import (
    REASON,
    fresh,
    make_article,
    make_user,
    publish_draft,
    reword,
    schedule_draft,
    snapshot_of,
)
from publishing.models import Edition, Generation, Level, Redacted, Schedule, Snapshot, StoredDocument
from publishing.services import (
    Refused,
    Stale,
    claim_version,
    publish,
    publish_due,
    redact,
    store_document,
    take_snapshot,
    withdraw,
)

pytestmark = pytest.mark.django_db(transaction=True)
HANG = 60  # seconds after which a test gives up on a thread; nothing here takes one


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each returned or raised, when all of them start together, each on a connection of its own."""
    barrier, results = Barrier(len(works)), [None] * len(works)

    def run(index: int, work: Callable[[], Any]) -> None:
        try:
            barrier.wait(HANG)
            results[index] = work()
        except Exception as error:
            results[index] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [Thread(target=run, args=(index, work)) for index, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
        assert not thread.is_alive()
    return results


def while_waiting(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """What `second` returned or raised when it came for the same rows before `first` had committed."""
    started, outcome = Event(), []

    def run() -> None:
        started.set()
        try:
            outcome.append(second())
        except Exception as error:
            outcome.append(error)
        finally:
            connection.close()

    thread = Thread(target=run)
    with transaction.atomic():
        first()
        thread.start()
        started.wait(HANG)
        thread.join(0.3)  # long enough to reach the lock; where it does not, the test proves less, never fails
    thread.join(HANG)
    assert not thread.is_alive()
    return outcome[0]


def test_texts_published_at_once_get_numbers_of_their_own_and_one_is_live() -> None:
    draft = make_article()
    publish_draft(draft)
    snapshots = [snapshot_of(reword(draft, f"wording {number}")) for number in range(4)]
    user = make_user()
    results = at_once(
        *(
            lambda snapshot=snapshot: publish(snapshot=snapshot, by=user, level=Level.MAJOR, note="n")
            for snapshot in snapshots
        )
    )
    assert sorted(edition.number for edition in results) == [2, 3, 4, 5]
    assert fresh(draft.publication).live.number == 5


def test_the_same_text_published_at_once_becomes_one_edition() -> None:
    draft = make_article()
    snapshot, user = snapshot_of(draft), make_user()
    results = at_once(*[lambda: publish(snapshot=snapshot, by=user, level=Level.MAJOR, note="n")] * 3)
    assert sum(isinstance(result, Edition) for result in results) == 1
    assert sum(isinstance(result, Refused) for result in results) == 2
    assert Edition.objects.count() == 1


def test_two_due_runs_at_once_publish_once() -> None:
    drafts = [make_article(f"Article {number}") for number in range(3)]
    for draft in drafts:
        schedule_draft(draft)
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=True):
        results = at_once(publish_due, publish_due)
    assert sum(len(ended) for ended in results) == 3
    assert Edition.objects.count() == 3
    assert not Schedule.objects.exclude(state=Schedule.State.DONE).exists()


def test_the_same_words_stored_at_once_are_stored_once() -> None:
    document = make_article().build()
    results = at_once(*[lambda: store_document(document)] * 4)
    assert {stored.pk for stored in results} == {document.fingerprint()}
    assert StoredDocument.objects.count() == 1


def test_snapshots_of_the_same_words_at_once_are_all_kept() -> None:
    draft = make_article()
    document, user = draft.build(), make_user()
    results = at_once(
        *[
            lambda: take_snapshot(
                publication=draft.publication, document=document, purpose=Snapshot.Purpose.REVIEW, by=user
            )
        ]
        * 3
    )
    assert len({snapshot.pk for snapshot in results}) == 3


def test_of_two_saves_at_once_one_wins() -> None:
    draft, user = make_article(), make_user()
    copies = [fresh(draft), fresh(draft)]
    results = at_once(*(lambda copy=copy: claim_version(draft=copy, opened_at=1, by=user) for copy in copies))
    assert [type(result) for result in results if result] == [Stale]
    assert fresh(draft).version == 2


def test_generation_counts_every_change_made_at_once() -> None:
    drafts = [make_article(f"Article {number}") for number in range(4)]
    snapshots, user = [snapshot_of(draft) for draft in drafts], make_user()
    publish_draft(make_article("To make the row"))
    before = Generation.objects.get().number
    at_once(
        *(
            lambda snapshot=snapshot: publish(snapshot=snapshot, by=user, level=Level.MAJOR, note="")
            for snapshot in snapshots
        )
    )
    assert Generation.objects.get().number == before + 4


def test_withdrawing_sees_an_edition_that_went_live_while_it_waited() -> None:
    draft = make_article()
    snapshot, user = snapshot_of(draft), make_user()
    publication = fresh(draft.publication)
    result = while_waiting(
        lambda: publish(snapshot=snapshot, by=user, level=Level.MAJOR, note=""),
        lambda: withdraw(publication=publication, by=user, reason=REASON),
    )
    assert result is None
    assert fresh(draft.publication).is_withdrawn


def test_minor_rule_is_held_against_an_edition_that_went_live_while_it_waited() -> None:
    draft = make_article()
    publish_draft(draft)
    minor, user = snapshot_of(reword(draft)), make_user()
    draft.warning_signs.update(text="Another sign")
    major = snapshot_of(fresh(draft))
    result = while_waiting(
        lambda: publish(snapshot=major, by=user, level=Level.MAJOR, note="n"),
        lambda: publish(snapshot=minor, by=user, level=Level.MINOR, note="n"),
    )
    assert isinstance(result, Refused)
    assert fresh(draft.publication).live.fingerprint == major.fingerprint


def test_redacting_waits_for_whoever_publishes_the_text_and_withdraws_it() -> None:
    draft = make_article()
    snapshot, user = snapshot_of(draft), make_user()
    result = while_waiting(
        lambda: publish(snapshot=snapshot, by=user, level=Level.MAJOR, note=""),
        lambda: redact(fingerprint=snapshot.fingerprint, by=user, reason=REASON),
    )
    assert result.withdrawn == [draft.publication]
    assert fresh(draft.publication).is_withdrawn


def test_publishing_finds_a_text_gone_that_was_redacted_while_it_waited() -> None:
    draft = make_article()
    snapshot, user = snapshot_of(draft), make_user()
    result = while_waiting(
        lambda: redact(fingerprint=snapshot.fingerprint, by=user, reason=REASON),
        lambda: publish(snapshot=snapshot, by=user, level=Level.MAJOR, note=""),
    )
    assert isinstance(result, Redacted)
    assert not fresh(draft.publication).is_live

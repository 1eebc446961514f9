"""The life of an issue: who gets it, who starts and stops it, and that its sum is always right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from config.tests.factories import make_article, make_user, publish_draft
from newsletter import clock, deliveries, issues
from newsletter.models import Delivery, Issue, IssueItem, Subscriber, Topic
from newsletter.tests.rows import make_issue, make_subscribers

State = Issue.State


@pytest.fixture
def by(db: None) -> User:
    return make_user()


def prepared(issue: Issue) -> Issue:
    """The issue with its snapshot made."""
    issues.begin_due()
    while issues.prepare(issue):
        pass
    return Issue.objects.get(pk=issue.pk)


def change(rows: list[Subscriber], **values: Any) -> None:
    Subscriber.objects.filter(pk__in=[row.pk for row in rows]).update(**values)


# --- Who gets it -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_only_the_confirmed_of_its_language_who_asked_for_its_kind_get_an_issue() -> None:
    now = clock.now()
    make_subscribers(2)
    make_subscribers(1, prefix="weekly", frequency="weekly")
    make_subscribers(1, prefix="corrections", frequency="corrections")
    make_subscribers(1, prefix="german", language="de")
    make_subscribers(1, prefix="pending", status="pending", confirmed_at=None)
    make_subscribers(1, prefix="gone", status="unsubscribed", left_at=now)
    make_subscribers(1, prefix="paused", paused_until=(now + timedelta(days=3)).date())
    make_subscribers(1, prefix="back", paused_until=now.date())

    def names(kind: str) -> set[str]:
        issue = Issue(kind=kind, key=f"{kind}:1")
        issue.save()
        return {row.address.partition("@")[0] for row in issues.audience(issue, clock.now())}

    assert names("article") == {"reader1", "reader2", "back1"}
    assert names("correction") == {"reader1", "reader2", "back1", "corrections1"}
    assert names("digest") == {"weekly1"}
    assert names("by-hand") == {"reader1", "reader2", "back1", "weekly1"}


@pytest.mark.django_db
def test_who_chose_topics_gets_what_has_one_of_them() -> None:
    plain, backs, knees = make_subscribers(3)
    change([backs, knees], has_topics=True)
    Topic.objects.create(subscriber=backs, slug="backs")
    Topic.objects.create(subscriber=knees, slug="knees")
    draft = make_article()
    publish_draft(draft)
    draft.publication.tags.add("Backs")
    issue = make_issue()
    IssueItem.objects.create(issue=issue, publication=draft.publication)
    assert set(issues.audience(issue, clock.now())) == {plain, backs}


@pytest.mark.django_db
def test_a_snapshot_holds_who_was_subscribed_when_it_was_frozen() -> None:
    stays, leaves, unsubscribed = make_subscribers(3)
    change([unsubscribed], status="unsubscribed", left_at=clock.now())
    issue = make_issue()
    issues.begin_due()
    change([leaves], status="unsubscribed", left_at=clock.now() + timedelta(seconds=1))
    make_subscribers(2, prefix="late", confirmed_at=clock.now() + timedelta(seconds=1))
    issue = prepared(issue)
    assert set(issue.deliveries.values_list("subscriber", flat=True)) == {stays.pk, leaves.pk}
    assert issue.recipients == 2
    assert issue.state == State.SENDING


@pytest.mark.django_db
def test_nothing_is_sent_before_the_snapshot_is_complete() -> None:
    make_subscribers(30)
    issue = make_issue()
    issues.begin_due()
    assert issues.prepare(issue, chunk=10)
    assert issue.deliveries.count() == 10
    assert Issue.objects.get().prepared_at is None
    assert Issue.objects.get().state == State.PREPARING


@pytest.mark.django_db
def test_an_issue_for_nobody_is_finished_at_once() -> None:
    prepared(make_issue())
    assert issues.finish_done() == 1
    assert Issue.objects.get().state == State.FINISHED


# --- Start, undo, pause, cancel --------------------------------------------------------------------------------


def test_starting_asks_for_the_number_and_leaves_a_minute_to_take_it_back(by: User) -> None:
    make_subscribers(3)
    issue = make_issue(State.DRAFT, starts_at=None)
    with pytest.raises(issues.Refused, match=r"goes to 3 people. You typed 30"):
        issues.start(issue=issue, by=by, expected=30)
    issue = issues.start(issue=issue, by=by, expected=3)
    assert issue.state == State.WAITING
    assert issue.starts_at is not None
    assert timedelta(seconds=50) < issue.starts_at - clock.now() <= timedelta(seconds=60)
    assert issues.begin_due() == 0
    issue = issues.take_back(issue=issue)
    assert (issue.state, issue.starts_at, issue.sent_by) == (State.DRAFT, None, None)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [({"subject": " "}, "subject"), ({"opening": ""}, "article"), ({"language": "de"}, "Nobody would get it")],
)
def test_an_issue_that_is_not_ready_is_not_started(by: User, values: dict[str, str], sentence: str) -> None:
    make_subscribers(1)
    issue = make_issue(State.DRAFT, starts_at=None, **values)
    with pytest.raises(issues.Refused, match=sentence):
        issues.start(issue=issue, by=by, expected=1)
    assert Issue.objects.get().state == State.DRAFT


def test_an_issue_with_an_article_that_is_not_public_is_not_started(by: User) -> None:
    make_subscribers(1)
    issue = make_issue(State.DRAFT, starts_at=None)
    IssueItem.objects.create(issue=issue, publication=make_article().publication)
    with pytest.raises(issues.Refused, match="not public"):
        issues.start(issue=issue, by=by, expected=1)


@pytest.mark.django_db(transaction=True)
def test_fifty_clicks_and_three_senders_make_one_mailing() -> None:
    """R11."""
    make_subscribers(200)
    by = make_user()
    issue = make_issue(State.DRAFT, starts_at=None)

    def click(_number: int) -> bool:
        try:
            issues.start(issue=issue, by=by, expected=200)
        except issues.Refused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(click, range(50))) == 1
    Issue.objects.update(starts_at=clock.now())

    def prepare(_number: int) -> None:
        issues.begin_due()
        while issues.prepare(issue, chunk=7):
            pass
        connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(prepare, range(3)))
    issue.refresh_from_db()
    assert (issue.state, issue.recipients, issue.deliveries.count()) == (State.SENDING, 200, 200)


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["waiting", "preparing", "sending"])
def test_an_issue_goes_on_where_it_was_paused(moment: str) -> None:
    make_subscribers(20)
    issue = make_issue()
    if moment != "waiting":
        issues.begin_due()
        issues.prepare(issue, chunk=10)
    if moment == "sending":
        prepared(issue)
    issues.pause(issue=issue, reason="Wait.")
    assert issues.begin_due() == 0
    assert not issues.prepare(issue)
    with pytest.raises(issues.Refused, match="Paused"):
        issues.pause(issue=issue, reason="Again.")
    assert issues.resume(issue=issue).state == moment
    assert prepared(issue).recipients == 20


@pytest.mark.django_db
def test_a_cancelled_issue_counts_what_it_did_not_send_as_cancelled() -> None:
    """R20, I7."""
    make_subscribers(25)
    issue = prepared(make_issue())
    worker = deliveries.register()
    assert worker
    sent, *_rest = deliveries.claim(worker.pk, issue.pk, 1)
    assert deliveries.mark_dot(worker.pk, sent, clock.now().date().isoformat())
    issues.cancel(issue=issue, reason="A mistake.")
    # The mail in hand cannot be called back.
    deliveries.settle(worker.pk, sent.pk, Delivery.State.SENT, at=clock.now(), code=250, reply="ok")
    deliveries.end(worker.pk)
    while issues.sweep_cancelled(chunk=10):
        pass
    issue.refresh_from_db()
    counts = issues.tally(issue)
    assert (counts["sent"], counts["cancelled"], sum(counts.values())) == (1, 24, 25)
    assert issue.tally is not None
    with pytest.raises(issues.Refused):
        issues.resume(issue=issue)


@pytest.mark.django_db
def test_an_issue_whose_sum_is_wrong_does_not_end() -> None:
    """I7."""
    make_subscribers(2)
    issue = prepared(make_issue())
    Delivery.objects.filter(issue=issue).update(state=Delivery.State.SENT)
    Delivery.objects.filter(pk=issue.deliveries.earliest("pk").pk).delete()
    assert issues.finish_done() == 0
    assert Issue.objects.get().state == State.SENDING


@pytest.mark.django_db
def test_what_turns_out_not_to_have_been_sent_of_a_cancelled_issue_is_cancelled() -> None:
    make_subscribers(2)
    issue = prepared(make_issue())
    first, second = issue.deliveries.order_by("pk")
    issue.deliveries.update(state=Delivery.State.UNKNOWN)
    issues.cancel(issue=issue, reason="A mistake.")
    issues.sweep_cancelled()
    assert not deliveries.send_again(first)
    assert deliveries.resolve_unknown(first.pk, accepted=False, detail="Not in the log.")
    assert deliveries.resolve_unknown(second.pk, accepted=True, detail="In the log.")
    issue.refresh_from_db()
    assert issue.tally == {Delivery.State.CANCELLED: 1, Delivery.State.SENT: 1}

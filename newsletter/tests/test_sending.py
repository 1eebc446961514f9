"""The sender against a real SMTP server: what it does with each answer, and what it looks at again at the last moment.

It runs in the test's own process here, so that a test can step in between two of its steps.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from config.tests.factories import make_article, make_user, publish_draft
from newsletter import clock, composing, deliveries, issues, sending, subscribing
from newsletter.models import Alarm, Consent, Delivery, Issue, IssueItem, Pace, Sender, Subscriber, Topic
from newsletter.sending import Sending
from newsletter.smtp import SMTP_BACKEND, Rejected, RelayDown, Reply, SmtpRelay
from newsletter.tests.processes import running_kitchen, seeded, wait_until
from newsletter.tests.rows import make_issue, make_subscribers
from newsletter.tests.sink import Sink, running_sink
from publishing.services import withdraw

State = Delivery.State
Run = Callable[..., Sink]


@pytest.fixture
def run(tmp_path: Path, settings: Any, db: None) -> Callable[..., Sink]:
    """Send all that is due to a new SMTP server with these faults; the server's record."""
    settings.EMAIL_BACKEND = SMTP_BACKEND
    settings.EMAIL_HOST = "127.0.0.1"

    def send(**options: Any) -> Sink:
        with running_sink(tmp_path / "sink.log", **options) as sink:
            settings.EMAIL_PORT = sink.port
            Sending().run_once()
        return sink

    return send


def by_name(**more: Any) -> dict[str, str]:
    """The state of each delivery, by the name before the @."""
    rows = Delivery.objects.filter(**more).values_list("address", "state")
    return {address.partition("@")[0]: state for address, state in rows}


def between_text_and_dot(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Do something when the first mail has been handed over up to its dot."""
    offer = SmtpRelay.offer
    done: list[bool] = []

    def offer_and_act(self: SmtpRelay, *arguments: Any) -> None:
        offer(self, *arguments)
        if not done:
            done.append(True)
            act()

    monkeypatch.setattr(SmtpRelay, "offer", offer_and_act)


def later(seconds: float, settings: Any) -> None:
    settings.CLOCK_OFFSET_SECONDS += seconds


# --- The last look ---------------------------------------------------------------------------------------------


def test_who_unsubscribes_while_the_mail_is_being_handed_over_does_not_get_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13, I6: the check and the marker are one statement."""
    first, _second = make_subscribers(2)
    make_issue()
    between_text_and_dot(monkeypatch, lambda: subscribing.unsubscribe(first.uuid, method=Consent.Method.ONE_CLICK))
    sink = run()
    assert by_name() == {"reader1": State.SUPPRESSED, "reader2": State.SENT}
    assert set(sink.copies()) == {"reader2@example.org"}
    assert "unsubscribed" in Delivery.objects.get(state=State.SUPPRESSED).reply


def test_who_unsubscribed_after_the_snapshot_is_not_even_handed_over(run: Run) -> None:
    first, _second = make_subscribers(2)
    issue = make_issue()
    issues.begin_due()
    while issues.prepare(issue):
        pass
    subscribing.unsubscribe(first.uuid, method=Consent.Method.ONE_CLICK)
    sink = run()
    assert by_name() == {"reader1": State.SUPPRESSED, "reader2": State.SENT}
    assert len(sink.events("connected")) == 1


def test_a_paused_issue_stops_before_the_next_dot(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """R20: not one mail later."""
    make_subscribers(5)
    issue = make_issue()
    between_text_and_dot(monkeypatch, lambda: issues.pause(issue=issue, reason="Stop."))
    sink = run()
    assert len(sink.copies()) == 0
    assert set(by_name().values()) == {State.QUEUED}
    issues.resume(issue=issue)
    assert len(run().copies()) == 5


def test_a_cancelled_issue_stops_and_adds_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    make_subscribers(5)
    issue = make_issue()
    between_text_and_dot(monkeypatch, lambda: issues.cancel(issue=issue, reason="Stop."))
    assert len(run().copies()) == 0
    issue.refresh_from_db()
    assert issue.tally == {State.CANCELLED: 5}


def test_a_withdrawn_article_is_not_mailed(run: Run) -> None:
    make_subscribers(2)
    draft = make_article()
    publish_draft(draft)
    issue = make_issue(opening="", kind=Issue.Kind.ARTICLE)
    IssueItem.objects.create(issue=issue, publication=draft.publication)
    issues.begin_due()
    while issues.prepare(issue):
        pass
    draft.publication.refresh_from_db()
    withdraw(publication=draft.publication, by=make_user(), reason="It was wrong.")
    assert len(run().copies()) == 0
    assert set(by_name().values()) == {State.SUPPRESSED}
    issue.refresh_from_db()
    assert issue.state == Issue.State.FINISHED


def test_a_reader_with_topics_gets_the_articles_of_these_topics(run: Run, tmp_path: Path, settings: Any) -> None:
    from publishing.models import SiteSettings

    SiteSettings(pk=1, strictness="open").save()
    everything, backs = make_subscribers(2, frequency="weekly")
    Subscriber.objects.filter(pk=backs.pk).update(has_topics=True)
    Topic.objects.create(subscriber=backs, slug="backs")
    issue = make_issue(opening="", kind=Issue.Kind.DIGEST)
    for title, tag in (("On the back", "Backs"), ("On the knee", "Knees")):
        draft = make_article(title)
        publish_draft(draft)
        draft.publication.tags.add(tag)
        IssueItem.objects.create(issue=issue, publication=draft.publication)
    sink = run(keep=tmp_path / "mails")
    assert sink.copies() == {everything.address: 1, backs.address: 1}
    texts = {("reader2@" in mail.decode()): mail.decode() for mail in sink.messages()}
    assert "On the knee" in texts[False]
    assert "On the back" in texts[True]
    assert "On the knee" not in texts[True]


def test_confirmations_go_before_issues(run: Run) -> None:
    make_subscribers(3)
    make_issue()
    (person,) = make_subscribers(1, prefix="new", status="pending", confirmed_at=None)
    deliveries.queue_notice(person, Delivery.Purpose.CONFIRM)
    assert run().accepted()[0].recipient == "new1@example.org"


# --- What the relay says ---------------------------------------------------------------------------------------


def test_an_address_that_does_not_exist_has_failed_and_gets_no_more(run: Run) -> None:
    make_subscribers(1)
    make_issue()
    run(faults={"550": 1.0})
    row = Delivery.objects.get()
    assert (row.state, row.smtp_code, row.attempts) == (State.FAILED, 550, 1)
    assert "5.1.1" in row.reply
    assert Subscriber.objects.get().status == Subscriber.Status.BOUNCED


def test_a_temporary_refusal_is_tried_eight_times_within_two_days(run: Run, settings: Any) -> None:
    """R5."""
    make_subscribers(1)
    make_issue()
    began = clock.now()
    for attempt in range(1, 9):
        run(faults={"451": 1.0})
        row = Delivery.objects.get()
        assert row.attempts == attempt
        assert row.state == (State.DEFERRED if attempt < 8 else State.FAILED)
        # Not before its time.
        run()
        assert Delivery.objects.get().attempts == attempt
        later((row.due_at - clock.now()).total_seconds() + 1, settings)
    assert row.first_tried_at is not None
    assert row.settled_at is not None
    assert row.settled_at - began < timedelta(hours=48)
    assert Subscriber.objects.get().status == Subscriber.Status.CONFIRMED


def test_what_is_refused_for_now_is_delivered_later(run: Run, settings: Any) -> None:
    """R7."""
    make_subscribers(3)
    make_issue()
    run(faults={"greylist": 1.0})
    assert set(by_name().values()) == {State.DEFERRED}
    assert not Pace.objects.exclude(key="").exists(), "greylisting is no reason to leave a domain alone"
    later(200, settings)
    assert len(run(faults={}).copies()) == 3


@pytest.mark.parametrize("fault", ["refuse", "421_greeting", "554_greeting"])
def test_a_relay_that_does_not_serve_costs_no_mail_an_attempt(run: Run, fault: str) -> None:
    """R6."""
    make_subscribers(2)
    make_issue()
    run(faults={fault: 1.0})
    assert list(Delivery.objects.values_list("state", "attempts")) == [(State.QUEUED, 0)] * 2
    assert len(run().copies()) == 2


def test_no_relay_at_all_costs_no_mail_an_attempt(run: Run, settings: Any) -> None:
    make_subscribers(1)
    make_issue()
    settings.EMAIL_PORT = 9  # nobody listens there
    Sending().run_once()
    assert list(Delivery.objects.values_list("state", "attempts")) == [(State.QUEUED, 0)]


def test_a_relay_that_refuses_our_own_address_fails_nobody(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: SmtpRelay, *arguments: Any) -> None:
        raise RelayDown("550 5.7.1 Sender address rejected")

    make_subscribers(2)
    make_issue()
    monkeypatch.setattr(SmtpRelay, "offer", refuse)
    run()
    assert set(by_name().values()) == {State.QUEUED}


@pytest.mark.parametrize(("fault", "copies"), [("drop_after", 1), ("drop_before_250", 0)])
def test_a_connection_that_is_lost_after_the_dot_leaves_bulk_mail_in_doubt(run: Run, fault: str, copies: int) -> None:
    """I4: listed, not sent again, whatever had become of it."""
    make_subscribers(1)
    make_issue()
    assert sum(run(faults={fault: 1.0}).copies().values()) == copies
    assert by_name() == {"reader1": State.UNKNOWN}
    assert sum(run().copies().values()) == copies


def test_a_confirmation_in_doubt_is_sent_once_more_and_no_more(run: Run) -> None:
    (person,) = make_subscribers(1, status="pending", confirmed_at=None)
    deliveries.queue_notice(person, Delivery.Purpose.CONFIRM)
    sink = run(faults={"drop_after": 1.0})
    assert set(sink.copies().values()) == {2}
    assert by_name() == {"reader1": State.UNKNOWN}


def test_a_connection_that_is_lost_before_the_dot_is_tried_again(
    run: Run, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_subscribers(1)
    make_issue()
    between_text_and_dot(monkeypatch, lambda: time.sleep(0.3))  # until word of it has come
    run(faults={"drop_before": 1.0})
    assert by_name() == {"reader1": State.DEFERRED}
    later(200, settings)
    assert len(run().copies()) == 1


def test_a_lost_connection_is_never_the_last_attempt(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    between_text_and_dot(monkeypatch, lambda: time.sleep(0.3))
    make_subscribers(1)
    make_issue()
    issues.begin_due()
    while issues.prepare(Issue.objects.get()):
        pass
    Delivery.objects.update(attempts=7)
    run(faults={"drop_before": 1.0})
    assert by_name() == {"reader1": State.DEFERRED}


def test_a_domain_that_asks_us_to_slow_down_is_left_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def limit(self: SmtpRelay, *arguments: Any) -> None:
        raise Rejected(Reply(450, "4.7.28 Our system has detected an unusual rate of mail"))

    make_subscribers(3)
    make_issue()
    monkeypatch.setattr(SmtpRelay, "offer", limit)
    run()
    assert Pace.objects.get(key="example.org").next_at > clock.now() + timedelta(minutes=10)
    assert set(by_name().values()) == {State.DEFERRED}
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_many_dead_addresses_stop_an_issue(run: Run) -> None:
    make_subscribers(400)
    make_issue()
    run(faults={"550": 0.2})
    issue = Issue.objects.get()
    assert issue.state == Issue.State.PAUSED
    assert issue.reason
    assert Delivery.objects.filter(state=State.QUEUED).count() > 100
    assert Alarm.objects.exists()


# --- What cannot be made ---------------------------------------------------------------------------------------


def test_an_issue_that_is_too_large_is_paused_with_the_reason(run: Run) -> None:
    make_subscribers(2)
    issue = make_issue(opening="<p>Words and words and words.</p>" * 6000)
    sink = run()
    issue.refresh_from_db()
    assert issue.state == Issue.State.PAUSED
    assert "KB" in issue.reason
    assert set(by_name().values()) == {State.QUEUED}
    assert len(sink.copies()) == 0


def test_an_issue_whose_mails_cannot_be_made_is_paused_instead_of_losing_them_all(
    run: Run, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def broken(*arguments: Any, **more: Any) -> None:
        raise ValueError("no such template")

    make_subscribers(40)
    issue = make_issue()
    monkeypatch.setattr(composing, "issue_mail", broken)
    for _turn in range(12):
        run()
        later(31, settings)
    issue.refresh_from_db()
    assert issue.state == Issue.State.PAUSED
    assert "no such template" in issue.reason
    assert Delivery.objects.filter(state=State.POISONED).count() == deliveries.MAX_POISONED


def test_a_test_goes_to_its_address_and_counts_nowhere(run: Run, tmp_path: Path) -> None:
    make_subscribers(2)
    issue = make_issue(Issue.State.DRAFT)
    deliveries.queue_test(issue, "editor@example.org")
    sink = run(keep=tmp_path / "mails")
    assert sink.copies() == {"editor@example.org": 1}
    assert b"News about backs" in sink.messages()[0]
    assert sum(issues.tally(issue).values()) == 0


def test_mail_of_one_delivery_is_the_same_on_every_attempt(run: Run, settings: Any, tmp_path: Path) -> None:
    """I5."""
    make_subscribers(1)
    make_issue()
    first = run(faults={"452": 1.0}, keep=tmp_path / "first")
    later(200, settings)
    sent = run(keep=tmp_path / "second").accepted()
    assert first.copies() == {"reader1@example.org": 1}  # the log goes on; only the second was accepted
    assert len(sent) == 1
    delivery = Delivery.objects.get()
    assert f"<{delivery.pk}-" in sent[0].message_id


# --- The pace --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_slots_of_all_senders_are_one_sequence(settings: Any) -> None:
    settings.MAIL_RATE = 100
    one, other = Sending(), Sending()
    began = clock.now()
    slots = [one.reserve(50), other.reserve(50), one.reserve(50)]
    assert [len(of_one) for of_one in slots] == [5, 5, 5]
    assert all(after - before > 1 / 100 for of_one in slots for before, after in pairwise(of_one))
    # The next who asks comes after all of them.
    assert Pace.objects.get(key="").next_at - began >= timedelta(seconds=15 / 100)


@pytest.mark.django_db
def test_a_lost_lease_is_noticed_before_the_next_mail() -> None:
    sender = Sending()
    sender.step()
    Sender.objects.update(ended_at=F("started_at"))
    sender.renewed = float("-inf")
    with pytest.raises(sending.LostLease):
        sender.heartbeat()


# --- While people leave ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("mails", "leaving", "erased"), [(400, 60, 10), pytest.param(10_000, 1_000, 100, marks=pytest.mark.long)]
)
def test_nobody_who_left_is_mailed_afterwards(mails: int, leaving: int, erased: int, tmp_path: Path) -> None:
    """R13, with a real sender: whose row had no marker when the unsubscription was committed gets nothing."""
    make_subscribers(mails)
    issue = make_issue()
    chance = seeded()
    gone = set()
    with running_sink(tmp_path / "sink.log", delay=0.01) as sink, running_kitchen(sink.port) as kitchen:
        child = kitchen.start()
        wait_until(lambda: sink.accepted(), "it sends")
        for number in range(leaving + erased):
            person = Subscriber.objects.filter(status="confirmed").order_by("pk")[
                chance.randrange(mails - leaving - erased)
            ]
            rows = Delivery.objects.filter(address=person.address)
            row = rows.get()
            if number < leaving:
                subscribing.unsubscribe(person.uuid, method=Consent.Method.ONE_CLICK)
            else:
                subscribing.erase(person)
            row.refresh_from_db()
            if row.state in (State.QUEUED, State.CLAIMED, State.SUPPRESSED):
                gone.add(person.address)
        wait_until(lambda: Issue.objects.get(pk=issue.pk).state == Issue.State.FINISHED, "the issue is finished")
        kitchen.end(child)
        copies = sink.copies()
    assert gone, "all had been sent before anybody left"
    assert gone & set(copies) == set()
    tally = issues.tally(Issue.objects.get(pk=issue.pk))
    assert sum(tally.values()) == mails
    assert tally["suppressed"] >= len(gone)


# --- The database goes away --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["claim", "mark_dot", "settle"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_commit_whose_answer_is_lost_neither_loses_nor_doubles_a_mail(
    step: str, times: int, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R8 (Ghost #30541): the database did it, and the connection broke before it could say so."""
    settings.EMAIL_BACKEND = SMTP_BACKEND
    settings.EMAIL_HOST = "127.0.0.1"
    make_subscribers(6)
    issue = make_issue()
    work = getattr(deliveries, step)
    calls: list[None] = []

    def done_but_unheard(*arguments: Any, **more: Any) -> Any:
        result = work(*arguments, **more)
        calls.append(None)
        if len(calls) in range(2, 2 + times):
            raise OperationalError("server closed the connection unexpectedly")
        return result

    monkeypatch.setattr(deliveries, step, done_but_unheard)
    with running_sink(tmp_path / "sink.log") as sink:
        settings.EMAIL_PORT = sink.port
        sender = Sending()
        sender.batch_size = 2

        def sleep(seconds: float) -> None:
            """Between two passes: end when there is nothing left to do."""
            if Issue.objects.get(pk=issue.pk).state == Issue.State.FINISHED:
                sender.stop()

        monkeypatch.setattr(sender, "sleep", sleep)
        sender.run()
        copies = sink.copies()
    assert len(calls) > times
    assert len(copies) == 6
    assert set(copies.values()) == {1}
    assert set(by_name().values()) == {State.SENT}


# --- TLS ---------------------------------------------------------------------------------------------------------


def test_a_relay_without_the_tls_that_is_asked_for_gets_nothing(run: Run, settings: Any) -> None:
    """R19: fails closed."""
    settings.EMAIL_USE_TLS = True
    make_subscribers(1)
    make_issue()
    sink = run()
    assert len(sink.copies()) == 0
    assert list(Delivery.objects.values_list("state", "attempts")) == [(State.QUEUED, 0)]


def test_a_relay_whose_certificate_nobody_vouches_for_gets_nothing(
    run: Run, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificate(tmp_path / "relay.pem")
    settings.EMAIL_USE_TLS = True
    settings.EMAIL_HOST = "localhost"
    make_subscribers(1)
    make_issue()
    assert len(run(starttls=tmp_path / "relay.pem").copies()) == 0
    assert list(Delivery.objects.values_list("state", "attempts")) == [(State.QUEUED, 0)]
    # The same relay, once its certificate is trusted.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "relay.pem"))
    assert len(run(starttls=tmp_path / "relay.pem").copies()) == 1


def make_certificate(path: Path) -> None:
    """A certificate for localhost that signs itself, with its key."""
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    subprocess.run([*command.split(), "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())


# --- A million rows ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_claiming_is_led_by_an_index_to_what_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """R18: as fast at row 1,000,000 as at row 1. The bench has the figures; this holds the plan."""
    make_subscribers(300)
    issue = make_issue()
    issues.begin_due()
    while issues.prepare(issue):
        pass
    sender = deliveries.register()
    assert sender
    with CaptureQueriesContext(connection) as queries:
        deliveries.claim(sender.pk, issue.pk, 10)
    claim = next(query["sql"] for query in queries if "SET state = 'claimed'" in query["sql"])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # 300 rows are read faster without
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{claim}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert "delivery_queue" in plan
    assert "SCAN newsletter_delivery" not in plan


@pytest.mark.django_db
def test_a_snapshot_is_made_in_short_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    make_subscribers(2500)
    issue = make_issue()
    issues.begin_due()
    sizes: list[int] = []
    while issues.prepare(issue):
        sizes.append(Delivery.objects.count() - sum(sizes))
    assert sizes == [1000, 1000, 500]


def test_what_the_relay_said_is_kept_without_the_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: SmtpRelay, *arguments: Any) -> None:
        raise Rejected(Reply(550, "5.1.1 <READER1@example.org>: no such user"))

    make_subscribers(1)
    make_issue()
    monkeypatch.setattr(SmtpRelay, "offer", refuse)
    run()
    assert Delivery.objects.get().reply == "5.1.1 <…>: no such user"

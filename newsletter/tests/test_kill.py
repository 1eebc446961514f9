"""Senders that are killed, stopped and ended at any moment: nobody is lost, nobody is mailed twice (R1 to R4).

What was accepted is counted by the log of the SMTP server, not by our tables. The seed of a run is printed;
TEST_SEED repeats it.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from newsletter import deliveries, issues, subscribing
from newsletter.models import Alarm, Delivery, Issue, Sender, Subscriber
from newsletter.tests.processes import SOON, Kitchen, alive, running_kitchen, seeded, wait_until
from newsletter.tests.rows import make_issue, make_subscribers
from newsletter.tests.sink import Sink, running_sink

pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "sink.log"


def count(sink: Sink) -> int:
    """How many mails were accepted so far, without reading the log line by line."""
    return sink.log.read_bytes().count(b'"event": "accepted"')


def finished(issue: Issue) -> bool:
    return Issue.objects.get(pk=issue.pk).state == Issue.State.FINISHED


def states(issue: Issue) -> dict[str, int]:
    return {state: number for state, number in issues.tally(Issue.objects.get(pk=issue.pk)).items() if number}


def kill_until_finished(
    kitchen: Kitchen, sink: Sink, issue: Issue, *, kills: int, workers: int, seed: int | None = None
) -> int:
    """Keep so many senders running and kill one at random again and again, until all is sent; how many were killed."""
    chance = seeded(seed)
    running = [kitchen.start() for _number in range(workers)]
    killed = 0
    while killed < kills and not finished(issue):
        seen = count(sink)
        wait_until(lambda: count(sink) > seen or finished(issue), "a sender hands over a mail")  # noqa: B023
        time.sleep(chance.uniform(0, 0.12))
        victim = chance.choice(running)
        kitchen.kill(victim)
        killed += 1
        running[running.index(victim)] = kitchen.start()
    wait_until(lambda: finished(issue), "the issue is finished")
    for child in running:
        kitchen.end(child)
    return killed


@pytest.mark.parametrize(
    ("mails", "kills", "workers"),
    [
        pytest.param(300, 8, 1),
        pytest.param(300, 6, 4),
        pytest.param(10_000, 200, 1, marks=pytest.mark.long),
        pytest.param(10_000, 200, 4, marks=pytest.mark.long),
    ],
)
def test_a_killed_sender_loses_nobody_and_mails_nobody_twice(mails: int, kills: int, workers: int, log: Path) -> None:
    make_subscribers(mails)
    issue = make_issue()
    # A server that thinks a little before it answers is killed in front of more often.
    with running_sink(log, delay=0.002) as sink, running_kitchen(sink.port, before=SOON) as kitchen:
        killed = kill_until_finished(kitchen, sink, issue, kills=kills, workers=workers)
        copies = sink.copies()

    counts = states(issue)
    unknown = set(Delivery.objects.filter(issue=issue, state=State.UNKNOWN).values_list("address", flat=True))
    everybody = set(Subscriber.objects.values_list("address", flat=True))
    assert killed >= min(kills, 5), "the run was over before anything could be proved"
    assert {address for address, number in copies.items() if number > 1} == set(), "duplicates"
    assert everybody - set(copies) - unknown == set(), "silently lost"
    assert set(counts) <= {State.SENT, State.UNKNOWN}
    assert sum(counts.values()) == mails == Issue.objects.get(pk=issue.pk).recipients
    assert len(unknown) <= killed

    call_command("reconcile", str(log), verbosity=0)
    left = set(Delivery.objects.filter(issue=issue, state=State.UNKNOWN).values_list("address", flat=True))
    assert left == unknown - set(copies), "what the server's log has is known now"
    call_command("reconcile", str(log), "--complete", verbosity=0)
    assert not Delivery.objects.filter(issue=issue, state=State.UNKNOWN).exists()
    with running_sink(log) as sink, running_kitchen(sink.port) as kitchen:
        child = kitchen.start()
        wait_until(lambda: states(issue) == {State.SENT: mails}, "the last are sent")
        kitchen.end(child)
        assert set(sink.copies().values()) == {1}
        assert set(sink.copies()) == everybody


@pytest.mark.parametrize(("mails", "kills"), [(40, 6), pytest.param(2_000, 100, marks=pytest.mark.long)])
def test_a_confirmation_is_sent_at_least_once_and_at_most_twice(mails: int, kills: int, log: Path) -> None:
    people = make_subscribers(mails, status="pending", confirmed_at=None)
    for person in people:
        deliveries.queue_notice(person, Delivery.Purpose.CONFIRM)
    chance = seeded()
    killed = 0
    with running_sink(log, delay=0.02) as sink, running_kitchen(sink.port, before=SOON) as kitchen:
        child = kitchen.start()
        while killed < kills and Delivery.objects.exclude(state=State.SENT).exists():
            seen = count(sink)
            wait_until(lambda: count(sink) > seen, "a sender hands over a mail")  # noqa: B023
            time.sleep(chance.uniform(0, 0.03))
            kitchen.kill(child)
            killed += 1
            child = kitchen.start()
        wait_until(
            lambda: not Delivery.objects.exclude(state__in=[State.SENT, State.UNKNOWN]).exists(), "all have ended"
        )
        kitchen.end(child)
        copies = sink.copies()
    assert set(copies) == {person.address for person in people}, "lost"
    assert max(copies.values()) <= 2
    assert sum(number - 1 for number in copies.values()) <= killed


def test_a_mail_that_is_killed_between_the_dot_and_the_answer_is_listed_and_not_sent_again(log: Path) -> None:
    """The window that cannot be closed: the server has accepted it, and nobody was told."""
    make_subscribers(3)
    issue = make_issue()
    with running_sink(log, faults={"slow": 1.0}, slow_seconds=60) as sink, running_kitchen(sink.port) as kitchen:
        child = kitchen.start()
        wait_until(lambda: count(sink) == 1, "the server has accepted the first")
        kitchen.kill(child)
    with running_sink(log) as sink, running_kitchen(sink.port) as kitchen:
        child = kitchen.start()
        wait_until(lambda: finished(issue), "the rest is sent")
        kitchen.end(child)
        assert set(sink.copies().values()) == {1}
        assert len(sink.copies()) == 3
    assert states(issue) == {State.SENT: 2, State.UNKNOWN: 1}


def test_a_sender_that_was_taken_for_dead_changes_nothing_when_it_wakes(log: Path) -> None:
    """Fencing: its rows belong to another by then. (A stopped process is alive: only its lease runs out.)"""
    make_subscribers(150)
    issue = make_issue()
    with (
        running_sink(log, delay=0.005) as sink,
        running_kitchen(sink.port, TEST_SENDER_LEASE_SECONDS="1") as kitchen,
    ):
        first = kitchen.start()
        wait_until(lambda: count(sink) > 20, "some are sent")
        kitchen.signal(first, signal.SIGSTOP)
        asleep = Sender.objects.get(ended_at=None)
        second = kitchen.start()
        wait_until(lambda: finished(issue), "the second sends the rest")
        kitchen.signal(first, signal.SIGCONT)
        time.sleep(1)
        assert alive(first)
        for child in (first, second):
            kitchen.end(child)
        copies = sink.copies()
    assert Sender.objects.get(pk=asleep.pk).ended_at is not None
    assert max(copies.values()) == 1
    counts = states(issue)
    assert sum(counts.values()) == 150
    # The mail in its hands was in doubt, and it alone: it is unknown, or put right by the one who knew.
    assert counts.get(State.UNKNOWN, 0) <= 1
    assert len(copies) >= 149


@pytest.mark.once
@pytest.mark.parametrize("times", [6, pytest.param(50, marks=pytest.mark.long)])
def test_a_sender_that_is_told_to_end_leaves_nothing_in_doubt(times: int, log: Path) -> None:
    """R4."""
    make_subscribers(100 * times)
    issue = make_issue()
    chance = seeded()
    with running_sink(log, delay=0.002) as sink, running_kitchen(sink.port) as kitchen:
        for _turn in range(times):
            child = kitchen.start()
            seen = count(sink)
            wait_until(lambda: count(sink) > seen or finished(issue), "it sends")  # noqa: B023
            time.sleep(chance.uniform(0, 0.05))
            kitchen.end(child)
            assert not Delivery.objects.filter(state__in=[State.CLAIMED, State.DOT]).exists()
            assert not Sender.objects.filter(ended_at=None).exists()
        child = kitchen.start()
        wait_until(lambda: finished(issue), "the rest is sent")
        kitchen.end(child)
        copies = sink.copies()
    assert states(issue) == {State.SENT: 100 * times}
    assert set(copies.values()) == {1}


POISON = f"""{SOON}
import os, time
from newsletter import composing, sending
sending.MAKING_SECONDS = 4
personal = composing.MailTemplate.personal
def poisoned(self, recipient):
    if recipient.address.startswith("reader7@"):
        os._exit(1)
    if recipient.address.startswith("reader23@"):
        while True:
            time.sleep(0.01)
    if recipient.address.startswith("reader42@"):
        return b"x" * (4 << 30)
    return personal(self, recipient)
composing.MailTemplate.personal = poisoned
"""


def test_a_mail_that_cannot_be_made_is_set_aside_and_the_others_go_out(log: Path) -> None:
    """R3: one ends the process, one never ends, one eats all memory."""
    make_subscribers(60)
    issue = make_issue()
    with running_sink(log) as sink, running_kitchen(sink.port, before=POISON) as kitchen:
        child = kitchen.start()
        began = time.monotonic()
        while not finished(issue):
            assert time.monotonic() - began < 60, states(issue)
            if not alive(child):
                child = kitchen.start()
            time.sleep(0.02)
        kitchen.end(child)
        copies = sink.copies()
    assert states(issue) == {State.SENT: 57, State.POISONED: 3}
    aside = Delivery.objects.filter(state=State.POISONED)
    assert {row.address.partition("@")[0] for row in aside} == {"reader7", "reader23", "reader42"}
    assert {row.started for row in aside} == {3}
    assert len(copies) == 57
    assert max(copies.values()) == 1
    assert Alarm.objects.filter(key="poisoned").exists()


@pytest.mark.parametrize(("people", "kills"), [(3_000, 8), pytest.param(100_000, 50, marks=pytest.mark.long)])
def test_a_snapshot_that_is_killed_again_and_again_holds_who_was_subscribed(people: int, kills: int, log: Path) -> None:
    """R12: nobody twice, nobody missing, those who come later are not in it, those who were erased still count."""
    make_subscribers(people)
    issue = make_issue()
    chance = seeded()
    slow = "from newsletter import issues; issues.prepare.__kwdefaults__['chunk'] = 100"
    with running_sink(log, faults={"refuse": 1.0}) as sink, running_kitchen(sink.port, before=slow) as kitchen:
        child = kitchen.start()
        wait_until(lambda: Delivery.objects.exists(), "the snapshot has begun")
        erased = 0
        for turn in range(kills):
            time.sleep(chance.uniform(0, 0.05))
            kitchen.kill(child)
            make_subscribers(5, prefix=f"late{turn}-")
            if Issue.objects.get(pk=issue.pk).prepared_at is None:
                erased += erase_somebody(chance.randrange(people), issue)
            child = kitchen.start()
        wait_until(lambda: Issue.objects.get(pk=issue.pk).prepared_at, "the snapshot is made")
        kitchen.end(child)
        assert count(sink) == 0
    made = Issue.objects.get(pk=issue.pk)
    rows = Delivery.objects.filter(issue=issue)
    assert made.recipients == rows.count() == people
    assert not rows.filter(address__startswith="late").exists()
    assert rows.filter(subscriber=None).count() == erased
    assert rows.exclude(subscriber=None).values("subscriber").distinct().count() == people - erased


def erase_somebody(number: int, issue: Issue) -> int:
    """Erase one of the people, as the page does; whether there was one left to erase."""
    person = Subscriber.objects.filter(address__startswith="reader").order_by("pk")[number:].first()
    if person is None:
        return 0
    subscribing.erase(person)
    return 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: the lease makes others wait")
def test_senders_share_the_work_on_postgresql(log: Path) -> None:
    make_subscribers(400)
    issue = make_issue()
    with running_sink(log, delay=0.005) as sink, running_kitchen(sink.port) as kitchen:
        children = [kitchen.start() for _number in range(3)]
        wait_until(lambda: finished(issue), "all is sent")
        assert Sender.objects.filter(ended_at=None).count() == 3
        for child in children:
            kitchen.end(child)
        assert set(sink.copies().values()) == {1}
    assert states(issue) == {State.SENT: 400}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="on PostgreSQL they share the work")
def test_a_second_sender_waits_on_sqlite_and_takes_over(log: Path) -> None:
    make_subscribers(60)
    with running_sink(log, delay=0.002) as sink, running_kitchen(sink.port) as kitchen:
        first = kitchen.start()
        wait_until(lambda: Sender.objects.filter(ended_at=None).exists(), "the first has the lease")
        second = kitchen.start()
        issue = make_issue()
        wait_until(lambda: finished(issue), "all is sent")
        assert Sender.objects.count() == 1
        kitchen.kill(first)
        again = make_issue()
        wait_until(lambda: finished(again), "the second sends")
        kitchen.end(second)
        assert max(sink.copies().values()) == 2  # one of each issue

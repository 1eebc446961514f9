"""What returned mail means for a person and for an issue, and how it is read from files and pipes (S6)."""

from __future__ import annotations

import email
import io
import mailbox
import os
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError

from newsletter import bounces, clock, identity, issues, reports, subscribing
from newsletter.models import Alarm, Bounce, Consent, Delivery, Issue, Subscriber
from newsletter.tests.processes import database_url
from newsletter.tests.rows import make_issue, make_subscribers

pytestmark = [pytest.mark.django_db, pytest.mark.once]

HARD, SOFT, COMPLAINT = Bounce.Kind.HARD, Bounce.Kind.SOFT, Bounce.Kind.COMPLAINT
State, Status, Method = Delivery.State, Subscriber.Status, Consent.Method

DAY = timedelta(days=1)


# --- Rows and mails ---------------------------------------------------------------------------------------------


def sent(person: Subscriber | None, state: str = State.SENT, *, days_ago: float = 0, **more: Any) -> Delivery:
    """A mail that was handed over, as a notice unless an issue is given."""
    at = clock.now() - days_ago * DAY
    values = {"purpose": "issue" if more.get("issue") else "already", "due_at": at, "settled_at": at} | more
    address = person.address if person else "gone@example.org"
    return Delivery.objects.create(subscriber=person, address=address, state=state, **values)


def sent_issue(people: list[Subscriber], number: int | None = None, **more: Any) -> Issue:
    """An issue under way, of which so many (or all) mails were sent."""
    issue = make_issue(Issue.State.SENDING, prepared_at=clock.now(), frozen_at=clock.now(), recipients=len(people))
    number = len(people) if number is None else number
    for place, person in enumerate(people):
        sent(person, State.SENT if place < number else State.QUEUED, issue=issue, **more)
    return issue


def came_back(delivery: Delivery, kind: Bounce.Kind = HARD, status: str = "5.1.1") -> bool:
    return bounces.record(delivery_id=delivery.pk, kind=kind, status=status, detail="", method=Method.MAIL)


def lift(person: Subscriber) -> None:
    """Let an editor say that the address works."""
    confirmed = {"event": Consent.Event.CONFIRMED, "method": Method.LINK, "at": clock.now() - 100 * DAY}
    Consent.objects.create(address_hmac=person.address_hmac, **confirmed)
    assert subscribing.lift(subscriber=person, by=User.objects.create(username="editor")) == Status.CONFIRMED


def status_of(person: Subscriber) -> str:
    return Subscriber.objects.values_list("status", flat=True).get(pk=person.pk)


def report(
    delivery: int | None,
    *,
    to: str = "",
    action: str = "failed",
    status: str = "5.1.1",
    diagnosis: str = "smtp; 550 5.1.1 <reader1@example.org>: no such user",
    copy: str = "",
) -> bytes:
    """A delivery report as Postfix writes it (RFC 3464)."""
    to = to or (identity.return_path(delivery) if delivery else "bounces@news.testserver.example")
    return f"""\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=us-ascii

This is the mail system. 5.1.1 5.7.1 anything may be written here.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Mon, 5 Oct 2026 08:00:01 +0000 (UTC)

Final-Recipient: rfc822; reader1@example.org
Action: {action}
Status: {status}
Diagnostic-Code: {diagnosis}

--=_b
Content-Type: text/rfc822-headers

From: letter@news.testserver.example
Message-ID: {copy or "<somebody-elses@example.net>"}
Subject: News about backs

--=_b--
""".encode()


def complaint(message_id: str, feedback: str = "abuse") -> bytes:
    """A complaint as a feedback loop sends it to one fixed address (RFC 5965)."""
    return f"""\
From: <abusedesk@example.com>
To: <fbl@news.testserver.example>
Subject: FW: News about backs
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_f"

--=_f
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--=_f
Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: SomeGenerator/1.0
Version: 1
Source-IP: 192.0.2.1

--=_f
Content-Type: message/rfc822

From: <letter@news.testserver.example>
To: <redacted@example.com>
Subject: News about backs
Message-ID: {message_id}

Hello.
--=_f--
""".encode()


@pytest.fixture
def person() -> Subscriber:
    return make_subscribers(1)[0]


# --- What a code means ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (550, "5.1.1", HARD),
        (None, "5.1.10", HARD),
        (556, "", HARD),
        (550, "", HARD),
        (550, "5.0.0", HARD),
        (552, "5.2.2", SOFT),
        (550, "5.2.2", SOFT),
        (None, "4.4.1", SOFT),
        (554, "", SOFT),
        (None, "5.0.0", SOFT),
        (550, "5.7.1", None),
        (550, "5.7.26", None),
        (421, "4.7.0", None),
        (550, "5.1.8", None),
        (552, "5.3.4", None),
        (554, "5.6.0", None),
    ],
)
def test_a_code_says_whose_fault_it_is(code: int | None, status: str, kind: Bounce.Kind | None) -> None:
    assert bounces.kind_of(code, status) == kind
    assert bounces.is_hard(code, status) == (kind == HARD)


# --- People -----------------------------------------------------------------------------------------------------


def test_a_hard_bounce_stops_mail_at_once_and_says_why(person: Subscriber) -> None:
    delivery = sent(person)
    assert came_back(delivery)
    assert status_of(person) == Status.BOUNCED
    consent = Consent.objects.get(event=Consent.Event.BOUNCED)
    assert consent.method == Method.MAIL
    assert "5.1.1" in consent.detail
    delivery.refresh_from_db()
    assert delivery.state == State.SENT, "the relay did take it"


def test_a_complaint_stops_mail_at_once(person: Subscriber) -> None:
    assert came_back(sent(person), COMPLAINT, "")
    assert status_of(person) == Status.COMPLAINED


def test_five_soft_bounces_stop_nothing_and_the_sixth_does(person: Subscriber) -> None:
    for days_ago in (25, 20, 15, 10, 5):
        assert came_back(sent(person, days_ago=days_ago), SOFT, "4.2.2")
    assert status_of(person) == Status.CONFIRMED
    came_back(sent(person), SOFT, "4.2.2")
    assert status_of(person) == Status.BOUNCED


def test_soft_bounces_of_more_than_thirty_days_ago_are_forgotten(person: Subscriber) -> None:
    for _number in range(5):
        came_back(sent(person, days_ago=31), SOFT, "4.2.2")
    Bounce.objects.update(at=clock.now() - 31 * DAY)
    came_back(sent(person), SOFT, "4.2.2")
    assert status_of(person) == Status.CONFIRMED


def test_a_mail_that_arrived_between_starts_the_count_anew(person: Subscriber) -> None:
    for days_ago in (25, 24, 23, 22, 21):
        came_back(sent(person, days_ago=days_ago), SOFT, "4.2.2")
    sent(person, days_ago=7)
    for _number in range(5):
        came_back(sent(person), SOFT, "4.2.2")
    assert status_of(person) == Status.CONFIRMED
    came_back(sent(person), SOFT, "4.2.2")
    assert status_of(person) == Status.BOUNCED


def test_a_mail_of_today_has_not_arrived_yet(person: Subscriber) -> None:
    """A relay tries for up to five days before it returns a mail: what was sent since may come back all the same."""
    returned = [sent(person, days_ago=days_ago) for days_ago in (11, 10, 9, 8, 7, 5.5)]
    sent(person, days_ago=5)
    for delivery in returned:
        came_back(delivery, SOFT, "4.4.7")
    assert status_of(person) == Status.BOUNCED


def test_the_same_report_twice_counts_once(person: Subscriber) -> None:
    delivery = sent(person)
    assert came_back(delivery, SOFT, "4.2.2")
    for _number in range(10):
        assert not came_back(delivery, SOFT, "4.2.2")
    assert status_of(person) == Status.CONFIRMED
    assert Bounce.objects.count() == 1


@pytest.mark.parametrize("state", [State.QUEUED, State.CLAIMED, State.SUPPRESSED, State.POISONED, State.CANCELLED])
def test_what_was_never_handed_over_cannot_come_back(state: str, person: Subscriber) -> None:
    assert not came_back(sent(person, state))
    assert not bounces.record(delivery_id=9_999_999, kind=HARD, method=Method.MAIL)
    assert status_of(person) == Status.CONFIRMED
    assert not Bounce.objects.exists()


def test_what_came_back_had_been_taken_by_the_relay(person: Subscriber) -> None:
    delivery = sent(person, State.UNKNOWN)
    came_back(delivery)
    delivery.refresh_from_db()
    assert delivery.state == State.SENT


def test_a_stop_that_an_editor_lifted_stays_lifted_for_mail_of_before(person: Subscriber) -> None:
    early, late = sent(person, days_ago=2), sent(person, days_ago=1)
    came_back(early)
    lift(person)
    assert came_back(late), "it is on record"
    assert status_of(person) == Status.CONFIRMED
    came_back(sent(person))
    assert status_of(person) == Status.BOUNCED


def test_lifting_starts_the_count_of_soft_bounces_anew(person: Subscriber) -> None:
    for _number in range(6):
        came_back(sent(person), SOFT, "4.2.2")
    lift(person)
    came_back(sent(person), SOFT, "4.2.2")
    assert status_of(person) == Status.CONFIRMED


def test_mail_to_somebody_who_was_erased_is_counted_without_them() -> None:
    assert came_back(sent(None))
    assert Bounce.objects.get().subscriber is None


def test_no_address_is_kept_with_a_bounce(person: Subscriber) -> None:
    bounces.record(
        delivery_id=sent(person).pk,
        kind=HARD,
        status="5.1.1",
        detail="smtp; 550 5.1.1 <reader1@example.org>: no\n such user, 'reader1@example.org'",
        method=Method.MAIL,
    )
    assert Bounce.objects.get().detail == "smtp; 550 5.1.1 <…>: no such user, '…'"
    assert not Consent.objects.filter(detail__contains="@").exists()


# --- Issues -----------------------------------------------------------------------------------------------------


def test_an_issue_is_paused_when_more_than_five_in_a_hundred_come_back_for_good() -> None:
    issue = sent_issue(make_subscribers(120))
    deliveries = list(issue.deliveries.all())
    for delivery in deliveries[:6]:
        came_back(delivery)
    assert Issue.objects.get().state == Issue.State.SENDING, "5 % of 120"
    came_back(deliveries[6])
    issue.refresh_from_db()
    assert issue.state == Issue.State.PAUSED
    assert "7 came back" in issue.reason
    assert issue.reason in Alarm.objects.get(key=f"paused:{issue.pk}").sentence


def test_an_issue_is_paused_at_more_than_three_complaints_in_a_thousand() -> None:
    issue = sent_issue(make_subscribers(400))
    deliveries = list(issue.deliveries.all())
    came_back(deliveries[0], COMPLAINT, "")
    assert Issue.objects.get().state == Issue.State.SENDING
    came_back(deliveries[1], COMPLAINT, "")
    assert Issue.objects.get().state == Issue.State.PAUSED


def test_a_share_of_fewer_than_a_hundred_says_nothing() -> None:
    issue = sent_issue(make_subscribers(300), 99)
    for delivery in issue.deliveries.filter(state=State.SENT)[:50]:
        came_back(delivery)
    assert Issue.objects.get().state == Issue.State.SENDING


def test_soft_bounces_stop_no_issue() -> None:
    issue = sent_issue(make_subscribers(120))
    for delivery in issue.deliveries.all()[:30]:
        came_back(delivery, SOFT, "4.2.2")
    assert Issue.objects.get().state == Issue.State.SENDING


def test_an_issue_that_a_person_let_go_on_is_judged_by_what_is_sent_from_then_on() -> None:
    people = make_subscribers(240)
    issue = sent_issue(people, 120, days_ago=0.1)
    first = list(issue.deliveries.filter(state=State.SENT))
    rest = list(issue.deliveries.filter(state=State.QUEUED))
    for delivery in first[:7]:
        came_back(delivery)
    issues.resume(issue=issue)
    for delivery in first[7:20]:
        came_back(delivery)
    assert Issue.objects.get().state == Issue.State.SENDING, "those were sent before"
    issue.deliveries.filter(state=State.QUEUED).update(state=State.SENT, settled_at=clock.now())
    for delivery in rest[:7]:
        came_back(delivery)
    assert Issue.objects.get().state == Issue.State.PAUSED


def test_the_sender_may_ask_after_a_refusal() -> None:
    issue = sent_issue(make_subscribers(100), 90)
    for delivery in issue.deliveries.filter(state=State.QUEUED):
        Delivery.objects.filter(pk=delivery.pk).update(state=State.FAILED, settled_at=clock.now())
        Bounce.objects.create(delivery=delivery, kind=HARD)
    assert bounces.check_issue(issue.pk)
    assert not bounces.check_issue(issue.pk), "it is paused already"


# --- Reading a mail ---------------------------------------------------------------------------------------------


def test_a_report_is_known_by_the_address_it_was_sent_to(person: Subscriber) -> None:
    delivery = sent(person)
    assert reports.take(report(delivery.pk))
    bounce = Bounce.objects.get()
    assert (bounce.delivery, bounce.kind, bounce.status) == (delivery, HARD, "5.1.1")
    assert status_of(person) == Status.BOUNCED


def test_a_report_is_known_by_the_copy_of_our_mail_in_it(person: Subscriber) -> None:
    delivery = sent(person)
    assert reports.take(report(None, copy=identity.message_id(delivery.pk)))
    assert status_of(person) == Status.BOUNCED


def test_the_mail_server_may_name_the_address_instead() -> None:
    found = reports.read(report(None), identity.return_path(7))
    assert found
    assert (found.delivery, found.kind) == (7, HARD)


def test_a_case_that_a_mail_server_changed_does_no_harm() -> None:
    found = reports.read(report(7, to=identity.return_path(7).upper()))
    assert found
    assert found.delivery == 7


@pytest.mark.parametrize(
    "to",
    [
        "bounces+7-abcdefghijklmnop@news.testserver.example",
        "bounces+7@news.testserver.example",
        identity.return_path(7).replace("+7-", "+8-"),
        "bounces@news.testserver.example",
    ],
)
def test_a_forged_report_says_nothing(to: str) -> None:
    assert reports.read(report(None, to=to)) is None


@pytest.mark.parametrize(
    ("values", "kind", "status"),
    [
        ({"status": "5.1.1"}, HARD, "5.1.1"),
        ({"status": "5.1.1 (bad destination mailbox address)"}, HARD, "5.1.1"),
        ({"status": "5.0.0", "diagnosis": "smtp; 550 5.1.1 no such user"}, HARD, "5.1.1"),
        ({"status": "5.0.0", "diagnosis": "smtp; 550-5.1.1 The email account"}, HARD, "5.1.1"),
        ({"status": "5.0.0", "diagnosis": "smtp; 550 no such user"}, HARD, "5.0.0"),
        ({"status": "5.0.0", "diagnosis": "smtp; 554 5.7.1 see our policy"}, None, "5.7.1"),
        ({"status": "5.0.0", "diagnosis": "smtp; 554 the server of this reader says: 5.1.1"}, SOFT, "5.0.0"),
        ({"status": "4.4.7", "diagnosis": "x-local; gave up"}, SOFT, "4.4.7"),
        ({"status": "5.2.2", "diagnosis": "smtp; 552 5.2.2 over quota, 5.1.1"}, SOFT, "5.2.2"),
        ({"status": "5.7.26", "diagnosis": "smtp; 550 5.7.26 unauthenticated"}, None, "5.7.26"),
        ({"action": "delayed", "status": "4.4.1"}, None, ""),
        ({"action": "relayed", "status": "2.0.0"}, None, ""),
        ({"action": "", "status": "5.1.1"}, None, ""),
    ],
)
def test_only_the_structured_part_of_a_failure_counts(values: dict[str, str], kind: Any, status: str) -> None:
    found = reports.read(report(7, **values))
    assert found
    assert (found.kind, found.status) == (kind, status)


def test_a_refusal_by_policy_stops_nobody_and_is_told_to_the_desk(person: Subscriber) -> None:
    assert reports.take(report(sent(person).pk, status="5.7.26"))
    assert status_of(person) == Status.CONFIRMED
    assert "5.7.26" in Alarm.objects.get(key="policy").sentence


@pytest.mark.parametrize(
    "words",
    [
        b"Auto-Submitted: auto-replied\nSubject: Out of office\n\nUser unknown. 550 5.1.1, mailbox unavailable.\n",
        b"Subject: Re: News about backs\n\nStatus: 5.1.1\nAction: failed\n",
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=x\n\n--x\n"
        b"Content-Type: message/disposition-notification\n\nDisposition: automatic-action; deleted\n\n--x--\n",
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\nA: b\n\n"
        b"Action: failed\nStatus: 5.1.1\n\n--x--\n",
    ],
    ids=["vacation", "answer", "read receipt", "no report"],
)
def test_an_answer_is_no_bounce(words: bytes) -> None:
    found = reports.read(f"To: {identity.return_path(7)}\n".encode() + words)
    assert found == reports.Report(7), "it is addressed to us, and says nothing"


def test_a_report_within_a_report_is_not_read() -> None:
    inner = report(8).decode().replace("=_b", "=_inner")
    outer = report(7, action="delayed").decode()
    mail = outer.replace("Content-Type: text/rfc822-headers\n", f"Content-Type: message/rfc822\n\n{inner}", 1)
    assert reports.read(mail.encode()) == reports.Report(7)


@pytest.mark.parametrize(
    ("feedback", "kind"), [("abuse", COMPLAINT), ("Fraud", COMPLAINT), ("not-spam", None), ("auth-failure", None)]
)
def test_a_complaint_is_known_by_the_copy_of_our_mail(feedback: str, kind: Any) -> None:
    found = reports.read(complaint(identity.message_id(7), feedback))
    assert found
    assert (found.delivery, found.kind) == (7, kind)


def test_a_complaint_about_somebody_elses_mail_says_nothing() -> None:
    assert reports.read(complaint("<7-abcdefghijklmnop@news.testserver.example>")) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"To: " + b"7-abcdefghijklmnop," * 100_000 + b"\n\n",
        b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n\n" * 200_000,
        b"Content-Type: message/rfc822\n\n" * 20_000,
        b"".join(b"Content-Type: multipart/report; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1900)),
        b"X" * (reports.MAX_BYTES + 1),
    ],
    ids=["nothing", "zeros", "many tokens", "many parts", "deep mails", "deep parts", "too large"],
)
def test_a_hostile_mail_says_nothing(raw: bytes) -> None:
    assert reports.read(raw) is None


@pytest.mark.parametrize(
    "raw",
    [b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n\n" * 200_000, b"X" * (reports.MAX_BYTES + 1)],
    ids=["many parts", "too large"],
)
def test_what_would_take_much_memory_is_not_parsed_at_all(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    monkeypatch.setattr(email, "message_from_bytes", parsed.append)
    assert reports.read(raw) is None
    assert parsed == []


WEDGES = [b"\r", b"\n\n", b"=?utf-8?b?//8=?=", b"\xff\xfe", b"--=_b--\n", b":"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_mutilated_report_never_fails(seed: int) -> None:
    """500 cases: bytes flipped, cut, doubled and mixed."""
    chance = random.Random(seed)
    seeds = [report(7), complaint(identity.message_id(7)), report(7, status="4.2.2")]
    read = 0
    for _number in range(250):
        raw = bytearray(chance.choice(seeds))
        for _change in range(chance.randint(1, 12)):
            start = chance.randrange(len(raw))
            end = start + chance.randint(0, 60)
            match chance.randrange(4):
                case 0:
                    raw[start:end] = chance.randbytes(chance.randint(0, 30))
                case 1:
                    del raw[start:end]
                case 2:
                    raw[start:start] = raw[start:end]
                case _:
                    raw[start:start] = chance.choice(
                        [b"\r", b"\n\n", b"=?utf-8?b?//8=?=", b"\xff\xfe", b"--=_b--\n", b":"]
                    )
        found = reports.read(bytes(raw))
        read += found is not None
        assert found is None or found.delivery == 7
    assert read > 50, "the mutations left too little to read"


# --- Reading a mailbox ------------------------------------------------------------------------------------------


def fill(box: mailbox.Mailbox[Any], *mails: bytes) -> None:
    for mail in mails:
        box.add(mail)
    box.flush()
    box.close()


@pytest.fixture(params=["mbox", "maildir"])
def make_box(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    def make(*mails: bytes) -> Path:
        path = tmp_path / "bounces"
        fill(mailbox.mbox(path) if request.param == "mbox" else mailbox.Maildir(path), *mails)
        return path

    return make


def mails_in(path: Path) -> list[str]:
    box: mailbox.Mailbox[Any] = mailbox.Maildir(path) if path.is_dir() else mailbox.mbox(path)
    subjects = sorted(str(mail["Subject"]) for mail in box)
    box.close()
    return subjects


def read_bounces(path: Path, *arguments: str) -> str:
    out = io.StringIO()
    call_command("read_bounces", str(path), *arguments, stdout=out)
    return out.getvalue().strip()


FOREIGN = b"From: a@example.org\nTo: bounces@news.testserver.example\nSubject: Hello\n\nFrom a person.\n"


def test_a_mailbox_is_read_and_only_what_is_ours_is_taken_out(make_box: Callable[..., Path]) -> None:
    people = make_subscribers(3)
    path = make_box(report(sent(people[0]).pk), FOREIGN, report(sent(people[1]).pk, status="4.2.2"))
    assert read_bounces(path) == "2 about our mail; 1 others left alone"
    assert [status_of(person) for person in people] == [Status.BOUNCED, Status.CONFIRMED, Status.CONFIRMED]
    assert mails_in(path) == ["Hello"]


def test_reading_twice_counts_once(make_box: Callable[..., Path], person: Subscriber) -> None:
    path = make_box(report(sent(person).pk, status="4.2.2"))
    assert read_bounces(path, "--keep") == read_bounces(path, "--keep") == "1 about our mail; 0 others left alone"
    assert len(mails_in(path)) == 1
    assert Bounce.objects.count() == 1


def test_mail_that_comes_in_meanwhile_is_not_lost(
    tmp_path: Path, person: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail server that asks for no lock writes to the mbox while it is read."""
    path = tmp_path / "bounces"
    fill(mailbox.mbox(path), report(sent(person).pk))
    take = reports.take

    def meanwhile(raw: bytes) -> bool:
        with path.open("ab") as file:
            file.write(b"From MAILER-DAEMON Mon Oct  5 08:00:00 2026\nSubject: Late\n\nNew.\n\n")
        return take(raw)

    monkeypatch.setattr(reports, "take", meanwhile)
    with pytest.raises(CommandError, match="Nothing is lost"):
        read_bounces(path)
    assert mails_in(path) == ["Late", "Undelivered Mail Returned to Sender"]
    assert not (tmp_path / "bounces.lock").exists()


def test_a_mailbox_that_is_locked_is_left_for_later(tmp_path: Path, person: Subscriber) -> None:
    path = tmp_path / "bounces"
    fill(mailbox.mbox(path), report(sent(person).pk))
    (tmp_path / "bounces.lock").touch()
    with pytest.raises(CommandError, match="in use"):
        read_bounces(path)
    assert status_of(person) == Status.CONFIRMED


def test_a_mailbox_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no"):
        read_bounces(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommandError, match="cannot be read"):
        read_bounces(tmp_path / "folder")


# --- A mail on standard input -----------------------------------------------------------------------------------


def pipe(monkeypatch: pytest.MonkeyPatch, raw: bytes, *arguments: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    call_command("read_bounces", "-", *arguments)


def test_a_mail_server_hands_over_a_mail(monkeypatch: pytest.MonkeyPatch, person: Subscriber) -> None:
    pipe(monkeypatch, report(sent(person).pk))
    assert status_of(person) == Status.BOUNCED


@pytest.mark.parametrize("variable", ["ORIGINAL_RECIPIENT", "RECIPIENT", ""])
def test_a_mail_server_tells_the_address_in_its_own_way(
    variable: str, monkeypatch: pytest.MonkeyPatch, person: Subscriber
) -> None:
    path = identity.return_path(sent(person).pk)
    if variable:
        monkeypatch.setenv(variable, path)
    pipe(monkeypatch, report(None), *([] if variable else ["--recipient", path]))
    assert status_of(person) == Status.BOUNCED


def test_a_database_that_is_away_makes_the_mail_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: Any) -> bool:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(reports, "take", away)
    with pytest.raises(SystemExit) as ended:
        pipe(monkeypatch, report(7))
    assert ended.value.code == 75


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_a_pipe_ends_with_zero_and_in_silence_whatever_comes(person: Subscriber) -> None:
    delivery = sent(person)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings_test", "DATABASE_URL": database_url()}
    for raw in (os.urandom(20_000), report(delivery.pk)):
        result = subprocess.run(
            [sys.executable, "manage.py", "read_bounces", "-"],
            cwd=settings.BASE_DIR,
            env=environment,
            input=raw,
            capture_output=True,
            check=False,
        )
        assert (result.returncode, result.stdout) == (0, b"")
        assert b"@" not in result.stderr
    assert status_of(person) == Status.BOUNCED


# --- Ten thousand (S6) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_of_many_reports_only_our_own_first_ones_count(number: int, tmp_path: Path) -> None:
    """A tenth each: hard, forged, repeated, delayed; the others soft. One in the mailbox is one in the table."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    people = make_subscribers(number)
    rows = [
        Delivery(subscriber=person, address=person.address, state=State.SENT, purpose="already",
                 due_at=clock.now(), settled_at=clock.now())
        for person in people
    ]  # fmt: skip
    rows = Delivery.objects.bulk_create(rows, batch_size=500)
    mails, hard, soft = [], set(), set()
    for row, person in zip(rows, people, strict=True):
        match chance.randrange(10):
            case 0:
                hard.add(person.pk)
                mails += [report(row.pk)]
            case 1:
                mails += [report(row.pk, to=f"bounces+{row.pk}-aaaaaaaaaaaaaaaa@news.testserver.example")]
            case 2:
                soft.add(person.pk)
                mails += [report(row.pk, status="4.2.2")] * 3
            case 3:
                mails += [report(row.pk, action="delayed", status="4.4.1")]
            case _:
                soft.add(person.pk)
                mails += [report(row.pk, status="5.2.2", diagnosis="smtp; 552 5.2.2 mailbox is full")]
    chance.shuffle(mails)
    path = tmp_path / "bounces"
    path.write_bytes(b"".join(b"From MAILER-DAEMON Mon Oct  5 08:00:00 2026\n" + mail + b"\n" for mail in mails))
    read_bounces(path, "--keep")
    read_bounces(path)
    assert set(Subscriber.objects.filter(status=Status.BOUNCED).values_list("pk", flat=True)) == hard
    assert set(Bounce.objects.filter(kind=HARD).values_list("subscriber", flat=True)) == hard
    assert sorted(Bounce.objects.filter(kind=SOFT).values_list("subscriber", flat=True)) == sorted(soft)
    assert Bounce.objects.count() == len(hard) + len(soft)

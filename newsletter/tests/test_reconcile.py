"""What is unknown is settled by the relay's own log."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter import clock, identity
from newsletter.models import Delivery, Issue
from newsletter.reconcile import accepted_in, reconcile
from newsletter.tests.rows import make_issue, make_subscribers

pytestmark = pytest.mark.django_db

State = Delivery.State

ID = identity.message_id(7)
PATH = identity.return_path(7)


def lines(*texts: str) -> list[bytes]:
    return [f"{text}\n".encode() for text in texts]


def postfix(text: str) -> str:
    return f"2026-10-05T08:00:01.123456+00:00 mail postfix/{text}"


CLEANUP = postfix(f"cleanup[812]: 4XyZ01: message-id={ID}")
ACTIVE = postfix(f"qmgr[77]: 4XyZ01: from=<{PATH}>, size=2345, nrcpt=1 (queue active)")
SMTP = postfix("smtp[813]: 4XyZ01: to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1, dsn={}, status={}")


@pytest.mark.parametrize(
    ("log", "accepted"),
    [
        ([CLEANUP], False),
        ([ACTIVE], True),
        ([CLEANUP, ACTIVE.replace(PATH, "other@example.org")], True),
        ([CLEANUP, SMTP.format("2.0.0", "sent (250 2.0.0 OK)")], True),
        ([CLEANUP, SMTP.format("5.1.1", "bounced (host said: 550 5.1.1 no such user)")], True),
        ([CLEANUP, SMTP.format("4.4.1", "deferred (connection timed out)")], True),
        ([SMTP.format("2.0.0", "sent (250 2.0.0 OK)")], False),
        ([CLEANUP, CLEANUP.replace(ID, "<other@example.org>"), SMTP.format("2.0.0", "sent")], False),
        ([CLEANUP.replace("postfix/", "postfix-out/submission/"), SMTP.format("2.0.0", "sent")], True),
        (["Oct  5 08:00:01 mail postfix/qmgr[77]: 4XyZ01: " + ACTIVE.partition("4XyZ01: ")[2]], True),
        ([CLEANUP, postfix("smtpd[811]: lost connection after DATA (2345 bytes) from localhost[127.0.0.1]")], False),
        ([postfix(f"smtpd[811]: NOQUEUE: reject: RCPT from a[::1]: 550 5.1.1 no; from=<{PATH}> to=<a@b.c>")], False),
        ([CLEANUP, postfix(f"cleanup[812]: 4XyZ01: milter-reject: END-OF-MESSAGE from a; from=<{PATH}>")], False),
    ],
    ids=[
        "only begun", "active", "active under another name", "sent", "bounced later", "still tried", "nobody's",
        "queue ID used again", "another instance", "old kind of date", "connection lost", "refused", "milter",
    ],
)  # fmt: skip
def test_a_log_of_postfix_says_what_was_taken(log: list[str], accepted: bool) -> None:
    assert accepted_in(lines(*log), [7]) == ({7} if accepted else set())


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        (f"2026-10-05 08:00:01 1uAbCd-000000001ab-2Xyz <= {PATH} H=localhost S=2345 id={ID.strip('<>')}", True),
        (f"2026-10-05 08:00:01 [12] rejected after DATA: too many: F=<{PATH}> id={ID.strip('<>')}", False),
        (f"2026-10-05 08:00:01 1uAbCd => a@example.org F=<{PATH}>", False),
        (f"accepted Message-ID: {ID.upper()}", True),
        (f"accepted {ID.replace('7-', '8-')}", False),
        ("accepted <7-abcdefghijklmnop@news.testserver.example>", False),
        (json.dumps({"event": "accepted", "message_id": ID}), True),
        (json.dumps({"event": "dropped", "message_id": ID}), False),
        ('{"event": "accepted", "message_id": [', False),
        ("[]", False),
        ("\0\xff" * 100, False),
        ("x" * 9000 + ID, False),
    ],
)
def test_a_line_of_another_log_is_believed_only_as_an_arrival(line: str, accepted: bool) -> None:
    assert accepted_in(lines(line), [7]) == ({7} if accepted else set())


# --- The rows ---------------------------------------------------------------------------------------------------


@pytest.fixture
def unknown() -> list[Delivery]:
    """Three deliveries of a finished issue of which nobody knows."""
    people = make_subscribers(3)
    now = clock.now()
    issue = make_issue(Issue.State.FINISHED, prepared_at=now, recipients=3, tally={"unknown": 3})
    rows = [
        Delivery(issue=issue, subscriber=person, address=person.address, state=State.UNKNOWN, due_at=now)
        for person in people
    ]
    return Delivery.objects.bulk_create(rows)


def write(path: Path, *deliveries: Delivery) -> Path:
    text = "".join(f"1uAbCd <= a@example.org id={identity.message_id(row.pk).strip('<>')}\n" for row in deliveries)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def states(rows: list[Delivery]) -> list[str]:
    return list(Delivery.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values_list("state", flat=True))


def run(*arguments: str | Path) -> str:
    out = io.StringIO()
    call_command("reconcile", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_what_the_log_names_is_sent_and_the_rest_stays_unknown(unknown: list[Delivery], tmp_path: Path) -> None:
    said = run(write(tmp_path / "mail.log", unknown[0]))
    assert states(unknown) == [State.SENT, State.UNKNOWN, State.UNKNOWN]
    assert "3 unknown; 1 had been taken" in said
    assert "2 are not in the log" in said
    issue = Issue.objects.get()
    assert issue.tally == {"sent": 1, "unknown": 2}


def test_a_complete_log_proves_that_the_rest_was_never_taken(unknown: list[Delivery], tmp_path: Path) -> None:
    logs = [write(tmp_path / "mail.log", unknown[0]), write(tmp_path / "mail.log.1.gz", unknown[2])]
    said = run(*logs, "--complete")
    assert states(unknown) == [State.SENT, State.QUEUED, State.SENT]
    assert "1 had not been taken: queued again" in said
    assert Issue.objects.get().state == Issue.State.SENDING


def test_reading_twice_changes_nothing_more(unknown: list[Delivery], tmp_path: Path) -> None:
    log = write(tmp_path / "mail.log", *unknown[:2])
    assert reconcile([log]).accepted == [unknown[0].pk, unknown[1].pk]
    again = reconcile([log])
    assert (again.unknown, again.accepted, again.missing) == (1, [], [unknown[2].pk])


@pytest.mark.parametrize("state", [state for state in State.values if state != State.UNKNOWN])
def test_only_what_is_unknown_is_settled(state: str, unknown: list[Delivery], tmp_path: Path) -> None:
    Delivery.objects.update(state=state)
    run(write(tmp_path / "mail.log", unknown[0]), "--complete")
    assert states(unknown) == [state] * 3


def test_a_log_may_come_through_a_pipe(
    unknown: list[Delivery], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = write(tmp_path / "mail.log", unknown[1]).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    run("-")
    assert states(unknown) == [State.UNKNOWN, State.SENT, State.UNKNOWN]


def test_a_log_that_cannot_be_read_settles_nothing(unknown: list[Delivery], tmp_path: Path) -> None:
    good = write(tmp_path / "mail.log", unknown[0])
    cut = tmp_path / "mail.log.1.gz"
    cut.write_bytes(write(tmp_path / "whole.gz", *unknown).read_bytes()[:-9])
    for bad in (tmp_path / "nothing", cut):
        with pytest.raises(CommandError, match="cannot be read"):
            run(good, bad, "--complete")
    assert states(unknown) == [State.UNKNOWN] * 3

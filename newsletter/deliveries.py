"""The state machine of a delivery, as compare-and-set statements: the only code that changes `Delivery.state`.

    queued ─► claimed ─► dot ─► sent | failed | deferred (─► claimed …) | unknown
       └────────┴─► suppressed | poisoned | cancelled

Every statement names the sender that holds the row and the state it is in (fencing): a sender that was taken for dead
changes nothing when it wakes. What a crash leaves behind is given back by `recover`: a row in `claimed` was not sent
and is queued again; one in `dot` may have been accepted, so bulk mail is *unknown* (I3, I4) and a person decides,
while a confirmation is sent once more.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from newsletter import clock, issues
from newsletter.models import Delivery, Issue, Sender, Subscriber, raise_alarm

logger = logging.getLogger(__name__)

State, Purpose = Delivery.State, Delivery.Purpose

# A mail whose making ended in a crash or an error this often is set aside (Mailman: MAX_BAK_COUNT = 3; I8).
MAX_STARTED = 3
# So many of one issue, and it is the issue that is wrong.
MAX_POISONED = 5
# One that may have crashed a sender comes after the others.
SUSPECT_WAIT = timedelta(seconds=30)


# --- Making one ------------------------------------------------------------------------------------------------


def queue_notice(subscriber: Subscriber, purpose: Delivery.Purpose) -> Delivery:
    """A mail to one person about their subscription, sent before all others."""
    return Delivery.objects.create(
        subscriber=subscriber, address=subscriber.address, purpose=purpose, due_at=clock.now()
    )


def queue_test(issue: Issue, address: str) -> Delivery:
    """A test of an issue to an address that need not be a subscriber's."""
    return Delivery.objects.create(about=issue, address=address, purpose=Purpose.TEST, due_at=clock.now())


# --- Senders and their leases ----------------------------------------------------------------------------------


@cache
def this_machine() -> str:
    """The host, its boot and its process namespace: where this is equal, a process ID means the same process."""
    marks = [socket.gethostname()]
    with suppress(OSError):
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8])
        marks.append(os.readlink("/proc/self/ns/pid").strip("pid:[]"))
    return ":".join(marks)[:100]


def _is_dead(sender: Sender) -> bool:
    """Whether the process is known to be gone. False is no proof that it lives."""
    if sender.host != this_machine():
        return False
    with suppress(PermissionError):  # somebody else's: it lives
        try:
            os.kill(sender.pid, 0)
        except ProcessLookupError:
            return True
    return False


def register() -> Sender | None:
    """Take a lease; None where another sender has it and only one may send (SQLite has one writer)."""
    with transaction.atomic():
        now = clock.now()
        recover()
        if connection.vendor == "sqlite" and Sender.objects.filter(ended_at=None).exists():
            return None
        return Sender.objects.create(host=this_machine(), pid=os.getpid(), started_at=now, leased_until=now + _lease())


def renew(sender: int) -> bool:
    """Prolong a lease; False where it was lost."""
    now = clock.now()
    living = Sender.objects.filter(pk=sender, ended_at=None, leased_until__gt=now)
    return bool(living.update(leased_until=now + _lease()))


def end(sender: int) -> None:
    """Give everything back and the lease with it: nothing of this sender is in flight any more."""
    with transaction.atomic():
        Sender.objects.filter(pk=sender, ended_at=None).update(ended_at=clock.now())
        _release(sender, crashed=False)


def recover() -> int:
    """Give back what senders held whose lease ran out or whose process is gone; return how many senders."""
    now = clock.now()
    found = 0
    for sender in Sender.objects.filter(ended_at=None):
        if sender.leased_until > now and not _is_dead(sender):
            continue
        with transaction.atomic():
            # The lease is looked at again: it may have been renewed meanwhile.
            lost = Sender.objects.filter(pk=sender.pk, ended_at=None, leased_until=sender.leased_until)
            if lost.update(ended_at=now):
                _release(sender.pk, crashed=True)
                found += 1
                logger.warning("Sender %s was lost; what it held was given back.", sender.pk)
    return found


def _lease() -> timedelta:
    return timedelta(seconds=settings.SENDER_LEASE_SECONDS)


def _release(worker: int, *, crashed: bool) -> None:
    """Let go of all that a sender held."""
    now = clock.now()
    mine = Delivery.objects.filter(worker=worker)
    in_doubt = mine.filter(state=State.DOT)
    doubt = _("The sender was interrupted after the mail was handed over, before the relay had confirmed it.")
    # Uncertain for the first time, and to one person only: better twice than not at all.
    in_doubt.exclude(purpose=Purpose.ISSUE).filter(uncertain=0).update(
        state=State.QUEUED, worker=None, uncertain=1, reply=doubt, due_at=now
    )
    # The sender stays on record: should it live after all, it may still say how it ended.
    in_doubt.update(state=State.UNKNOWN, uncertain=F("uncertain") + 1, reply=doubt, settled_at=now)
    if crashed:
        # Any of them may have been the cause: each is made alone next time. Of those that were made alone, only one
        # whose making had begun is counted.
        suspects = mine.filter(state=State.CLAIMED)
        _set_aside(suspects, _("Making it ended in a crash three times."))
        suspects.filter(started__gte=2).update(state=State.QUEUED, worker=None, due_at=now + SUSPECT_WAIT)
        suspects.update(state=State.QUEUED, worker=None, started=1)
    else:
        mine.filter(state=State.CLAIMED).update(state=State.QUEUED, worker=None)


# --- Claiming --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A row that this sender holds, with what it needs of the subscriber."""

    pk: int
    issue: int | None
    about: int | None
    purpose: str
    address: str
    subscriber: int | None
    uuid: UUID | None
    language: str
    has_topics: bool
    started: int
    attempts: int
    uncertain: int
    first_tried_at: datetime | None


# MATERIALIZED: PostgreSQL may otherwise run the inner query once for each row of the outer one, and with SKIP LOCKED
# each run chooses others: it took all there were, whatever the limit.
_CLAIM = """
UPDATE newsletter_delivery SET state = 'claimed', worker = %s WHERE id IN (
    WITH chosen AS MATERIALIZED (
        SELECT id FROM newsletter_delivery
        WHERE {queue} AND state = %s AND due_at <= %s AND started {started} 0 ORDER BY due_at, id LIMIT %s {skip}
    ) SELECT id FROM chosen
) AND state = %s RETURNING id
"""


def claim(worker: int, issue: int | None, limit: int) -> list[Claim]:
    """Take up to `limit` due rows of an issue, or of the notices (None), the oldest first.

    A row under suspicion of having crashed a sender comes last and alone. Costs the same for the first row and the
    millionth: an index leads to what is due.
    """
    now = connection.ops.adapt_datetimefield_value(clock.now())
    for started, most in (("=", limit), (">", 1)):
        for state in (State.QUEUED.value, State.DEFERRED.value):
            sql = _CLAIM.format(
                queue="issue_id IS NULL" if issue is None else "issue_id = %s",
                started=started,
                skip="FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else "",
            )
            with connection.cursor() as cursor:
                cursor.execute(sql, [worker, *([] if issue is None else [issue]), state, now, most, state])
                if ids := [row[0] for row in cursor.fetchall()]:
                    return _read(ids)
    return []


def _read(ids: Sequence[int]) -> list[Claim]:
    rows = Delivery.objects.filter(pk__in=ids).order_by("due_at", "pk").values_list(
        "pk", "issue", "about", "purpose", "address", "subscriber", "subscriber__uuid", "subscriber__language",
        "subscriber__has_topics", "started", "attempts", "uncertain", "first_tried_at",
    )  # fmt: skip
    return [Claim(*row[:7], row[7] or settings.LANGUAGE_CODE, bool(row[8]), *row[9:]) for row in rows]


def give_back(worker: int, ids: Iterable[int]) -> None:
    """Return rows to the queue that were claimed and not sent."""
    Delivery.objects.filter(pk__in=list(ids), worker=worker, state=State.CLAIMED).update(
        state=State.QUEUED, worker=None
    )


def take_back_dot(worker: int, pk: int) -> None:
    """Return a row to the queue whose marker may have been written, by the sender that knows of no dot after it."""
    held = Delivery.objects.filter(pk=pk, worker=worker, state__in=[State.CLAIMED, State.DOT])
    held.update(state=State.QUEUED, worker=None)


def begin_making(worker: int, pk: int) -> None:
    """Note that a suspect is being made; a crash now counts against it."""
    Delivery.objects.filter(pk=pk, worker=worker, state=State.CLAIMED).update(started=F("started") + 1)


def end_making(worker: int, pk: int) -> None:
    """It was made and nothing crashed: a crash from now on has another cause."""
    Delivery.objects.filter(pk=pk, worker=worker, state=State.CLAIMED).update(started=F("started") - 1)


def making_failed(worker: int, row: Claim, error: str) -> None:
    """Making it raised an error or took too long: tried again later, set aside the third time."""
    now = clock.now()
    held = Delivery.objects.filter(pk=row.pk, worker=worker, state=State.CLAIMED)
    if not row.started:  # of a suspect, this was counted when its making began
        held.update(started=1)
    if not _set_aside(held, error):
        held.update(state=State.QUEUED, worker=None, reply=error[:500], due_at=now + SUSPECT_WAIT)


def _set_aside(held: QuerySet[Delivery], reason: str) -> int:
    """Park those whose making failed for the third time; return how many. An issue with several is paused: the cause
    is in the issue, and everybody's mail would end like this."""
    hopeless = list(held.filter(started__gte=MAX_STARTED).values_list("pk", "issue"))
    if not hopeless:
        return 0
    rows = Delivery.objects.filter(pk__in=[pk for pk, _issue in hopeless])
    rows.update(state=State.POISONED, worker=None, reply=reason[:500], settled_at=clock.now())
    raise_alarm("poisoned", _("A mail was set aside because it cannot be made: %(reason)s") % {"reason": reason})
    for issue in Issue.objects.filter(pk__in={issue for _pk, issue in hopeless}, state=Issue.State.SENDING):
        if issue.deliveries.filter(state=State.POISONED).count() >= MAX_POISONED:
            with suppress(issues.Refused):
                issues.pause(issue=issue, reason=_("Its mails cannot be made: %(reason)s") % {"reason": reason})
    return len(hopeless)


# --- The dot and what comes after ------------------------------------------------------------------------------

# The last moment at which a mail can be stopped, in one statement: the sender still holds it, its issue is being sent
# and its reader still wants it (I6).
_DOT = """
UPDATE newsletter_delivery SET state = 'dot' WHERE id = %s AND worker = %s AND state = 'claimed'
"""
_DOT_BULK = (
    _DOT
    + """
AND EXISTS (SELECT 1 FROM newsletter_issue i WHERE i.id = issue_id AND i.state = 'sending')
AND EXISTS (SELECT 1 FROM newsletter_subscriber s WHERE s.id = subscriber_id AND s.status = 'confirmed'
            AND (s.paused_until IS NULL OR s.paused_until <= %s))
"""
)


def mark_dot(worker: int, row: Claim, today: str) -> bool:
    """Commit the marker that allows the final dot; False where this mail may not be sent (any more).

    Takes the day as ISO text. Raises DatabaseError where it cannot be written: then the dot is not sent.
    """
    with connection.cursor() as cursor:
        if row.issue is None:
            cursor.execute(_DOT, [row.pk, worker])
        else:
            cursor.execute(_DOT_BULK, [row.pk, worker, today])
        return bool(cursor.rowcount == 1)


_SETTLE = """
UPDATE newsletter_delivery SET state = %s, smtp_code = %s, reply = %s, settled_at = %s, attempts = attempts + %s,
    first_tried_at = COALESCE(first_tried_at, %s), due_at = %s, worker = NULL
WHERE id = %s AND worker = %s AND state IN ('claimed', 'dot', 'unknown')
"""


@contextmanager
def _lossy() -> Iterator[str]:
    """A commit that need not wait for the disk; gives the SQL condition that it takes.

    Only the marker must survive a power cut (I3). An outcome that is lost leaves the marker, and so a row in doubt.
    """
    if connection.vendor == "postgresql":
        yield " AND set_config('synchronous_commit', 'off', true) <> ''"  # for this transaction
    elif "synchronous=FULL" in connection.settings_dict["OPTIONS"].get("init_command", ""):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
            try:
                yield ""
            finally:
                cursor.execute("PRAGMA synchronous=FULL")
    else:
        yield ""


def settle(
    worker: int,
    pk: int,
    state: Delivery.State,
    *,
    at: datetime,
    code: int | None = None,
    reply: str = "",
    attempt: bool = True,
    due_at: datetime | None = None,
) -> bool:
    """Write how it ended; False where somebody else has decided meanwhile.

    Takes the relay's answer and whether it counts as an attempt; `due_at` for what is tried again. A row that was
    taken for lost and is *unknown* is put right: this sender is the one that knows.
    """
    moment = connection.ops.adapt_datetimefield_value(at)
    due = connection.ops.adapt_datetimefield_value(due_at) if due_at else moment
    with _lossy() as condition, connection.cursor() as cursor:
        cursor.execute(
            _SETTLE + condition, [state.value, code, reply[:500], moment, int(attempt), moment, due, pk, worker]
        )
        return bool(cursor.rowcount == 1)


def settle_unknown(worker: int, row: Claim, *, at: datetime, reply: str) -> None:
    """The connection was lost after the dot: bulk mail is listed as unknown, a notice is sent once more."""
    if row.issue is None and row.uncertain == 0:
        Delivery.objects.filter(pk=row.pk, worker=worker, state=State.DOT).update(
            state=State.QUEUED, worker=None, uncertain=1, attempts=F("attempts") + 1, reply=reply[:500], due_at=at
        )
        return
    held = Delivery.objects.filter(pk=row.pk, worker=worker, state=State.DOT)
    held.update(
        state=State.UNKNOWN,
        uncertain=F("uncertain") + 1,
        attempts=F("attempts") + 1,
        reply=reply[:500],
        settled_at=at,
        first_tried_at=Case(When(first_tried_at=None, then=Value(at)), default=F("first_tried_at")),
    )


def suppress_unwanted(worker: int, ids: Sequence[int], today: str) -> set[int]:
    """Settle those held bulk rows whose reader does not want them any more; return their IDs."""
    wanted = Q(subscriber__status=Subscriber.Status.CONFIRMED) & (
        Q(subscriber__paused_until=None) | Q(subscriber__paused_until__lte=today)
    )
    held = Delivery.objects.filter(pk__in=ids, worker=worker, state=State.CLAIMED, purpose=Purpose.ISSUE)
    unwanted = list(held.exclude(pk__in=held.filter(wanted).values("pk")).values_list("pk", "subscriber__status"))
    at = clock.now()
    for pk, status in unwanted:
        settle(worker, pk, State.SUPPRESSED, at=at, reply=_why_unwanted(status), attempt=False)
    return {pk for pk, _status in unwanted}


def _why_unwanted(status: str | None) -> str:
    if status is None:
        return _("Erased before it could be sent.")
    if status == Subscriber.Status.CONFIRMED:
        return _("Paused before it could be sent.")
    return _("Stopped before it could be sent: %(status)s.") % {"status": Subscriber.Status(status).label.lower()}


# --- What a person or a relay's log decides --------------------------------------------------------------------


def send_again(delivery: Delivery) -> bool:
    """Queue a delivery again that is unknown, failed or was set aside; False where it is none of these (any more)."""
    ended = Delivery.objects.filter(pk=delivery.pk, state__in=[State.UNKNOWN, State.FAILED, State.POISONED])
    with transaction.atomic():
        done = ended.exclude(Q(address="") | Q(issue__state=Issue.State.CANCELLED)).update(
            state=State.QUEUED, worker=None, due_at=clock.now(), started=0, attempts=0, first_tried_at=None
        )
        if done and delivery.issue_id:
            issues.recount(delivery.issue_id)
    return bool(done)


def resolve_unknown(delivery_id: int, accepted: bool, detail: str) -> bool:
    """Settle an unknown delivery by what a relay's log or a person says; False where it is not unknown.

    Accepted: it was sent. Otherwise it is queued again, or counted as cancelled with its issue.
    """
    with transaction.atomic():
        unknown = Delivery.objects.filter(pk=delivery_id, state=State.UNKNOWN)
        if not accepted:
            unknown = unknown.exclude(address="")  # erased or forgotten: there is nowhere to send it
        issue = Issue.objects.filter(deliveries=delivery_id).first()
        if accepted:
            state = State.SENT
        else:
            state = State.CANCELLED if issue and issue.state == Issue.State.CANCELLED else State.QUEUED
        now = clock.now()
        done = unknown.update(worker=None, reply=detail[:500], state=state, settled_at=now, due_at=now)
        if done and issue:
            issues.recount(issue.pk)
    return bool(done)

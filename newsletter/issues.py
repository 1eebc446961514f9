"""The life of an issue: draft → waiting (60 s to take it back) → preparing → sending → finished; paused, cancelled.

Every step is a compare-and-set on its state, so that fifty clicks and three senders make one mailing. Its recipients
are frozen as deliveries, in chunks that can be interrupted, before the first mail goes out (I1).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import CharField, Count, DateTimeField, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext as _

from newsletter import clock, planning
from newsletter.models import Delivery, Issue, Subscriber, Topic, raise_alarm

UNDO = timedelta(seconds=60)
# Rows made or changed in one transaction: on two slow cores a lock of some 20 ms.
CHUNK = 1000

State = Issue.State
# Whom each kind is for.
FREQUENCIES = {
    Issue.Kind.ARTICLE: [Subscriber.Frequency.EVERY],
    Issue.Kind.CORRECTION: [Subscriber.Frequency.EVERY, Subscriber.Frequency.CORRECTIONS],
    Issue.Kind.DIGEST: [Subscriber.Frequency.WEEKLY],
    Issue.Kind.BY_HAND: [Subscriber.Frequency.EVERY, Subscriber.Frequency.WEEKLY],
}


class Refused(Exception):
    """It cannot be done; the message is for the person who asked."""


# --- Who gets it -----------------------------------------------------------------------------------------------


def audience(issue: Issue, at: datetime) -> QuerySet[Subscriber]:
    """Who gets an issue that is frozen at a time, also where that time is past.

    What a person chose (frequency, topics, pause) counts as it is now; whether they were subscribed, as it was then.
    """
    wanted = Subscriber.objects.filter(
        Q(left_at=None) | Q(left_at__gt=at),
        Q(paused_until=None) | Q(paused_until__lte=at.date()),
        confirmed_at__lte=at,
        signed_up_at__lte=at,  # an import keeps the date of a confirmation that is long past
        language=issue.language,
        frequency__in=FREQUENCIES[Issue.Kind(issue.kind)],
    )
    publications = [item.publication for item in issue.items.select_related("publication")]
    slugs = {slug for publication in publications for slug in planning.tag_slugs(publication)}
    of_topic = Exists(Topic.objects.filter(subscriber=OuterRef("pk"), slug__in=slugs))
    return wanted.filter(Q(has_topics=False) | of_topic) if publications else wanted


# --- What a person does ----------------------------------------------------------------------------------------


def start(*, issue: Issue, by: AbstractBaseUser, expected: int) -> Issue:
    """Let an issue written by hand go out in 60 seconds.

    Takes the number of recipients that the person typed. Raises Refused, with what is missing, or where the issue is
    no draft any more.
    """
    with transaction.atomic():
        issue = _lock(issue, State.DRAFT)
        if not issue.subject.strip():
            raise Refused(_("Write a subject first."))
        if not issue.items.exists() and not issue.opening.strip():
            raise Refused(_("Choose an article or write an opening text first."))
        if len(planning.current_items(issue)) != issue.items.count():
            raise Refused(_("An article in it is not public, or may not be mailed. Take it out first."))
        now = clock.now()
        count = audience(issue, now).count()
        if count == 0:
            raise Refused(_("Nobody would get it: no subscriber reads this language."))
        if count != expected:
            raise Refused(_("It goes to %(count)s people. You typed %(typed)s.") % {"count": count, "typed": expected})
        issue.state, issue.starts_at, issue.sent_by_id, issue.reason = State.WAITING, now + UNDO, by.pk, ""
        issue.save(update_fields=["state", "starts_at", "sent_by", "reason"])
    return issue


def take_back(*, issue: Issue) -> Issue:
    """Undo, before it has started: what was written by hand is a draft again, anything else is cancelled."""
    with transaction.atomic():
        issue = _lock(issue, State.WAITING)
        if issue.kind == Issue.Kind.BY_HAND:
            issue.state, issue.starts_at, issue.sent_by_id = State.DRAFT, None, None
        else:
            issue.state, issue.reason, issue.finished_at = State.CANCELLED, _("Taken back in time."), clock.now()
        issue.save(update_fields=["state", "starts_at", "sent_by", "reason", "finished_at"])
    return issue


def pause(*, issue: Issue, reason: str) -> Issue:
    """Stop it for now; each sender may still finish the mail it is at. Raises Refused where it is not under way."""
    with transaction.atomic():
        issue = _lock(issue, State.WAITING, State.PREPARING, State.SENDING)
        issue.state, issue.reason = State.PAUSED, reason[:300]
        issue.save(update_fields=["state", "reason"])
    return issue


def resume(*, issue: Issue) -> Issue:
    """Go on where it was paused. Raises Refused where it is not paused."""
    with transaction.atomic():
        issue = _lock(issue, State.PAUSED)
        issue.state = State.SENDING if issue.prepared_at else State.PREPARING if issue.frozen_at else State.WAITING
        issue.reason = ""
        issue.save(update_fields=["state", "reason"])
    return issue


def cancel(*, issue: Issue, reason: str) -> Issue:
    """End it for good. What has not been sent is counted as cancelled, by the next pass of a sender."""
    with transaction.atomic():
        issue = _lock(issue, State.WAITING, State.PREPARING, State.SENDING, State.PAUSED)
        issue.state, issue.reason, issue.finished_at = State.CANCELLED, reason[:300], clock.now()
        issue.save(update_fields=["state", "reason", "finished_at"])
    return issue


def _lock(issue: Issue, *states: Issue.State) -> Issue:
    """The issue as it is now, locked. Raises Refused where it is in none of the states."""
    fresh = Issue.objects.select_for_update().get(pk=issue.pk)
    if fresh.state not in states:
        raise Refused(
            _("This is not possible any more: the issue is now “%(state)s”.") % {"state": fresh.get_state_display()}
        )
    return fresh


# --- What a sender does ----------------------------------------------------------------------------------------


def begin_due() -> int:
    """Freeze the issues whose time has come; return how many."""
    now = clock.now()
    due = Issue.objects.filter(state=State.WAITING, starts_at__lte=now)
    return due.update(state=State.PREPARING, frozen_at=now) if due.exists() else 0


def prepare(issue: Issue, *, chunk: int = CHUNK) -> bool:
    """Make the next deliveries of an issue; return whether there may be more.

    One transaction a call: killed at any moment, the next call goes on from the last commit. When all are made, the
    issue may be sent.
    """
    with transaction.atomic():
        fresh = Issue.objects.select_for_update().filter(pk=issue.pk, state=State.PREPARING).first()
        if fresh is None:
            return False
        assert fresh.frozen_at is not None
        # A stretch of all people, of whom some are wanted: their key alone leads to it, whatever the planner knows.
        stretch = list(
            Subscriber.objects.filter(pk__gt=fresh.cursor).order_by("pk").values_list("pk", flat=True)[:chunk]
        )
        if stretch:
            _insert(fresh, audience(fresh, fresh.frozen_at).filter(pk__gt=fresh.cursor, pk__lte=stretch[-1]))
            fresh.cursor = stretch[-1]
            fresh.save(update_fields=["cursor"])
            return True
        fresh.prepared_at = clock.now()
        fresh.recipients = fresh.deliveries.count()
        fresh.state = State.SENDING
        fresh.save(update_fields=["prepared_at", "recipients", "state"])
    return False


def _insert(issue: Issue, people: QuerySet[Subscriber]) -> None:
    """INSERT … SELECT: the rows never pass through Python. Places that are taken already (keep_place) stay."""
    text, whole = CharField(), IntegerField()
    values: dict[str, Any] = {
        "issue_id": Value(issue.pk, output_field=whole),
        "subscriber_id": F("pk"),
        "purpose": Value(Delivery.Purpose.ISSUE.value, output_field=text),
        "address": F("address"),
        "state": Value(Delivery.State.QUEUED.value, output_field=text),
        "due_at": Value(issue.frozen_at, output_field=DateTimeField()),
        "started": Value(0, output_field=whole),
        "attempts": Value(0, output_field=whole),
        "uncertain": Value(0, output_field=whole),
        "reply": Value("", output_field=text),
    }
    # Django refuses an annotation of a column's own name.
    named = {f"v_{name}": value for name, value in values.items()}
    sql, params = people.order_by("pk").annotate(**named).values_list(*named).query.sql_with_params()
    table, columns = Delivery._meta.db_table, ", ".join(values)
    with connection.cursor() as cursor:
        # "WHERE" comes with the SELECT, or SQLite could not tell ON CONFLICT from a join.
        cursor.execute(f"INSERT INTO {table} ({columns}) {sql} ON CONFLICT DO NOTHING", params)


def hold_snapshots() -> list[Issue]:
    """Lock the issues whose snapshot is being made, until the transaction ends; they are few, and it is short.

    Whoever erases a person does this first: a snapshot locks its issue and then the people in it.
    """
    states = [State.PREPARING, State.PAUSED]
    made = Issue.objects.select_for_update().filter(state__in=states, frozen_at__isnull=False, prepared_at=None)
    return list(made.order_by("pk"))


def keep_place(subscriber: Subscriber) -> None:
    """Count a person who is about to be erased in the snapshots that are just being made.

    Called in the transaction that deletes them, after `hold_snapshots`: a snapshot holds who was subscribed when it
    was frozen, or its sum would depend on how long making it took.
    """
    for issue in hold_snapshots():
        assert issue.frozen_at is not None
        is_to_come = subscriber.pk > issue.cursor
        if is_to_come and audience(issue, issue.frozen_at).filter(pk=subscriber.pk).exists():
            Delivery.objects.create(
                issue=issue,
                state=Delivery.State.SUPPRESSED,
                reply=_("Erased before it could be sent."),
                due_at=issue.frozen_at,
                settled_at=clock.now(),
            )


def sweep_cancelled(*, chunk: int = CHUNK) -> int:
    """Count what a cancelled issue has not sent as cancelled, a chunk a call; return how many rows were changed."""
    waiting = [Delivery.State.QUEUED, Delivery.State.DEFERRED]
    for issue in Issue.objects.filter(state=State.CANCELLED, frozen_at__isnull=False, tally__isnull=True):
        rows = Delivery.objects.filter(issue=issue, state__in=waiting)
        ids = list(rows.values_list("pk", flat=True)[:chunk])
        if ids:
            return rows.filter(pk__in=ids).update(
                state=Delivery.State.CANCELLED, settled_at=clock.now(), reply=_("The issue was cancelled.")
            )
        if not Delivery.objects.filter(issue=issue, state__in=Delivery.OPEN).exists():
            # Cancelled while its snapshot was being made: it is as large as it got.
            counts = _count([issue.pk])[issue.pk]
            Issue.objects.filter(pk=issue.pk).update(tally=counts, recipients=sum(counts.values()))
    return 0


def finish_done() -> int:
    """End the issues of which nothing is left to send; return how many.

    An issue whose states do not add up to its snapshot (I7) does not end; somebody must look.
    """
    finished = 0
    for issue in Issue.objects.filter(state=State.SENDING):
        # A look at the index for most, rather than a count of a million rows.
        if Delivery.objects.filter(issue=issue, state__in=Delivery.OPEN).exists():
            continue
        counts = _count([issue.pk]).get(issue.pk, {})
        if sum(counts.values()) != issue.recipients:
            raise_alarm(f"sum:{issue.pk}", _("The deliveries of “%(issue)s” do not add up.") % {"issue": issue})
            continue
        finished += Issue.objects.filter(pk=issue.pk, state=State.SENDING).update(
            state=State.FINISHED, finished_at=clock.now(), tally=counts
        )
    return finished


# --- How far it is ---------------------------------------------------------------------------------------------


def tally(issue: Issue) -> dict[str, int]:
    """How many deliveries of an issue are in each state (every state is a key); once prepared they add up to
    `issue.recipients`."""
    return tallies([issue])[issue.pk]


def tallies(issues: Iterable[Issue]) -> dict[int, dict[str, int]]:
    """The tally of each issue by its ID, in one query at most: those that ended have it stored."""
    issues = list(issues)
    counted = _count([issue.pk for issue in issues if issue.tally is None and issue.frozen_at])
    empty = dict.fromkeys(Delivery.State.values, 0)
    return {issue.pk: empty | (issue.tally or counted.get(issue.pk, {})) for issue in issues}


def _count(ids: list[int]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = {}
    if ids:
        rows = Delivery.objects.filter(issue__in=ids).order_by().values_list("issue", "state").annotate(n=Count("pk"))
        for issue, state, number in rows:
            counts.setdefault(issue, {})[state] = number
    return counts


def recount(issue_id: int) -> None:
    """Store the tally of an ended issue again, after a delivery of it was changed by hand or by a relay's log.

    Where something is to be sent again, the issue is sent from again.
    """
    issue = Issue.objects.filter(pk=issue_id, state__in=[State.FINISHED, State.CANCELLED]).first()
    if issue is None:
        return
    counts = _count([issue_id]).get(issue_id, {})
    again = issue.state == State.FINISHED and any(counts.get(state) for state in Delivery.OPEN)
    Issue.objects.filter(pk=issue_id, state=issue.state).update(
        tally=None if again else counts, **({"state": State.SENDING} if again else {})
    )

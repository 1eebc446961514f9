"""The sender: takes what is due, hands it over mail by mail, and writes down how each ended.

One process runs one `Sending`. What it holds in memory can be lost at any moment without losing or doubling a mail:
the rows say all (deliveries.py). In what follows every failure is one of four kinds, and only the last two count
against a mail: the database is away (wait; an outcome is kept until it can be written), the relay is away (give the
rows back), the mail cannot be made, the relay refused this mail.
"""

from __future__ import annotations

import logging
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, close_old_connections, connection, transaction
from django.utils.translation import gettext as _

from newsletter import bounces, clock, composing, deliveries, identity, issues, planning, subscribing
from newsletter.deliveries import Claim, State
from newsletter.models import Alarm, Consent, Delivery, Issue, IssueItem, Pace, Topic, raise_alarm
from newsletter.smtp import Lost, Rejected, RelayDown, Reply, Uncertain, make_relay
from publishing.models import Generation

logger = logging.getLogger(__name__)

# Rows taken at once: what a crash makes suspect, and how long a pause of the relay's keeps them from others.
BATCH = 50
# Between two looks at everything that is not a mail: leases, sign-ups, snapshots, what has ended.
HOUSEKEEPING_SECONDS = 0.5
IDLE_SECONDS = 0.5
FAILED_PASS_SECONDS = 5
# Making a mail takes a millisecond. After this long it will never end.
MAKING_SECONDS = 10
# What is left of a mail when the process is told to end.
DRAINING_SECONDS = 8

# A temporary refusal (4xx) is tried 8 times within 48 hours; these are the minutes between.
WAITS = (2, 10, 30, 120, 300, 600, 1440)
JITTER = 0.1
# A lost relay: never more than one connection a second, and back within 30 of its return.
RELAY_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A domain that asks us to slow down (4.7.x) is left alone this long.
SLOW_DOMAIN = timedelta(minutes=15)

# Errors of the database that a retry may cure: it is away, full, or in the middle of a restart.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)


class LostLease(Exception):
    """Another sender took this one for dead."""


class Sending:
    """A sender. `run` returns after `stop` was called and the mail in hand has ended."""

    def __init__(self) -> None:
        self.stopping = False
        self.worker = 0
        self.relay = make_relay(self.heartbeat_while_waiting)
        self.relay_failures = 0
        self.relay_again_at = 0.0
        self.renewed = self.kept_house = float("-inf")
        self.time = Ticking()
        self.slow_domains: dict[str, datetime] = {}
        self.built = Built()
        self.batch_size = BATCH

    def stop(self, *_signal: Any) -> None:
        """End after the mail in hand: as a signal handler, or by another thread."""
        self.stopping = True
        if hasattr(self.relay, "final_seconds"):
            self.relay.final_seconds = DRAINING_SECONDS

    # --- The loop ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Send until told to stop."""
        try:
            while not self.stopping:
                try:
                    if not self.worker:
                        close_old_connections()
                    if not self.step():
                        self.sleep(IDLE_SECONDS)
                except LostLease:
                    logger.warning("Sender %s lost its lease and starts anew.", self.worker)
                    self.start_anew()
                except DATABASE_AWAY as error:
                    logger.warning("The database is away: %s", type(error).__name__)
                    self.start_anew()
                    self.sleep(1)
                except Exception:
                    # A mistake of ours in one pass: what was in hand is given back or in doubt, and the rest goes on.
                    logger.exception("A pass of sender %s failed.", self.worker)
                    self.start_anew()
                    self.sleep(FAILED_PASS_SECONDS)
        finally:
            self.relay.close()
            self.until_written(lambda: deliveries.end(self.worker) if self.worker else None, DRAINING_SECONDS)

    def step(self) -> bool:
        """One pass over everything that is due; return whether there was anything to do."""
        if not self.worker:
            registered = deliveries.register()
            if registered is None:
                return False
            self.worker, self.renewed = registered.pk, time.monotonic()
            logger.info("Sender %s started.", self.worker)
        busy = self.keep_house()
        sent = self.send_batch(None)
        for issue in Issue.objects.filter(state=Issue.State.SENDING).order_by("prepared_at", "pk"):
            if self.stopping:
                break
            # Between any two batches: a confirmation does not wait for a million newsletters.
            sent |= self.send_batch(None)
            sent |= self.send_batch(issue)
        if not sent and not busy:
            busy = bool(issues.finish_done() + issues.sweep_cancelled())
        return sent or busy

    def run_once(self) -> None:
        """Send all that is due now and return: for tests and for cron."""
        try:
            while self.step() and not self.stopping:
                pass
        finally:
            self.relay.close()
            if self.worker:
                deliveries.end(self.worker)
                self.worker = 0

    def keep_house(self) -> bool:
        """Lease, lost senders, sign-ups, snapshots, cancelled rows; return whether more of that waits."""
        if time.monotonic() - self.kept_house < HOUSEKEEPING_SECONDS:
            return False
        self.heartbeat()
        deliveries.recover()
        subscribing.process_sign_ups()
        issues.begin_due()
        issues.finish_done()
        self.time.set(clock.now())
        self.slow_domains = dict(Pace.objects.exclude(key="").values_list("key", "next_at"))
        more = issues.sweep_cancelled() > 0
        for issue in Issue.objects.filter(state=Issue.State.PREPARING):
            more |= self.prepare_for_a_while(issue)
        if not more:
            self.kept_house = time.monotonic()
        return more

    def prepare_for_a_while(self, issue: Issue) -> bool:
        """Take down recipients for half a second, so that the mail of other issues goes on."""
        until = time.monotonic() + HOUSEKEEPING_SECONDS
        while issues.prepare(issue):
            if self.stopping or time.monotonic() > until:
                return True
        return False

    def heartbeat(self) -> None:
        """Prolong the lease when a quarter of it is over. Raises LostLease."""
        if time.monotonic() - self.renewed < settings.SENDER_LEASE_SECONDS / 4:
            return
        if not deliveries.renew(self.worker):
            raise LostLease
        self.renewed = time.monotonic()

    def heartbeat_while_waiting(self) -> None:
        """Prolong the lease as well as can be: a mail is in the relay's hands, and how it ends must be heard."""
        try:
            self.heartbeat()
        except LostLease:
            pass  # the row was taken for lost, and is put right when the answer comes
        except DATABASE_AWAY:
            connection.close()

    def start_anew(self) -> None:
        """Give everything back, also what a lost answer of the database left with us, and take a new lease."""
        self.relay.close()
        worker, self.worker = self.worker, 0
        self.kept_house = float("-inf")
        connection.close()
        if worker:
            self.until_written(lambda: deliveries.end(worker), DRAINING_SECONDS)

    def sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    # --- A batch -----------------------------------------------------------------------------------------------

    def send_batch(self, issue: Issue | None) -> bool:
        """Take some rows and hand them over; return whether there were any."""
        if time.monotonic() < self.relay_again_at:
            return False
        if not Delivery.objects.filter(
            issue=issue, state__in=[State.QUEUED, State.DEFERRED], due_at__lte=self.time.now()
        ).exists():
            return False
        try:
            self.relay.connect()
        except RelayDown as error:
            self.relay_is_down(error)
            return False
        self.relay_is_up()
        # Notices are few and wanted at once: they are not counted against the pace of bulk mail.
        slots = self.reserve(self.batch_size) if issue else None
        rows = deliveries.claim(self.worker, issue.pk if issue else None, len(slots) if slots else self.batch_size)
        self.built.forget_old()
        held = {row.pk for row in rows}
        try:
            if issue and rows:
                today = self.time.now().date().isoformat()
                held -= deliveries.suppress_unwanted(self.worker, list(held), today)
            for row in rows:
                if row.pk not in held:
                    continue
                if self.stopping:
                    break
                if slots:
                    self.wait_for(slots.pop(0))
                self.heartbeat()
                self.send(row, issue)
        except RelayDown as error:
            self.relay_is_down(error)
        # Also those that were left without being sent, in a paused issue or for lack of a relay.
        deliveries.give_back(self.worker, [row.pk for row in rows])
        return bool(rows)

    def send(self, row: Claim, issue: Issue | None) -> None:
        """Make one mail, hand it over, write down how it ended. Raises RelayDown, which says nothing of the mail."""
        slow_until = self.slow_domains.get(row.address.rpartition("@")[2])
        if issue and slow_until and slow_until > self.time.now():
            self.settle(row, State.DEFERRED, reply=_("The receiving side asked us to slow down."), due_at=slow_until)
            return
        if not row.address:
            self.settle(row, State.SUPPRESSED, reply=_("Erased before it could be sent."))
            return
        message = self.make(row, issue)
        if message is None:
            return
        try:
            self.relay.offer(identity.return_path(row.pk), row.address, message)
        except Rejected as error:
            self.refused(row, error.reply)
            return
        except Lost as error:
            self.try_later(row, None, str(error))
            return
        if not self.may_send(row):
            return
        try:
            reply = self.relay.finish()
        except Lost as error:
            self.try_later(row, None, str(error))
            return
        except Uncertain as error:
            text = str(error)
            self.until_written(lambda: deliveries.settle_unknown(self.worker, row, at=self.time.now(), reply=text))
            return
        if 200 <= reply.code < 300:
            self.settle(row, State.SENT, reply)
        else:
            self.refused(row, reply)

    def may_send(self, row: Claim) -> bool:
        """Commit the marker before the dot (I3). Where that fails, or the mail is unwanted by now, there is no dot:
        only breaking the connection ends a text without one."""
        try:
            if deliveries.mark_dot(self.worker, row, self.time.now().date().isoformat()):
                return True
        except BaseException:
            self.relay.close()
            # Whether the marker was written nobody knows; that the dot was not, we do.
            self.until_written(lambda: deliveries.take_back_dot(self.worker, row.pk))
            raise
        self.relay.close()
        if row.issue is not None:
            deliveries.suppress_unwanted(self.worker, [row.pk], self.time.now().date().isoformat())
        deliveries.give_back(self.worker, [row.pk])
        return False

    # --- Making ------------------------------------------------------------------------------------------------

    def make(self, row: Claim, issue: Issue | None) -> bytes | None:
        """The whole message; None where there is none to send, which has been written down then."""
        if row.started:
            self.until_written(lambda: deliveries.begin_making(self.worker, row.pk))
        try:
            with time_limit(MAKING_SECONDS):
                template = self.built.template(row, issue)
                message = template and template.personal(
                    composing.Recipient(delivery=row.pk, address=row.address, subscriber=row.uuid)
                )
        except DATABASE_AWAY:
            raise
        except composing.TooLarge as error:
            # As large for everybody. A test is told so in its row.
            if issue:
                self.pause(issue, str(error))
            else:
                self.settle(row, State.FAILED, reply=str(error))
            return None
        except Exception as error:
            logger.exception("Delivery %s cannot be made.", row.pk)
            deliveries.making_failed(self.worker, row, f"{type(error).__name__}: {error}")
            return None
        if row.started:
            self.until_written(lambda: deliveries.end_making(self.worker, row.pk))
        if message is None:
            self.settle(row, State.SUPPRESSED, reply=_("Withdrawn before it could be sent."), attempt=False)
        return message or None

    # --- How it ended ------------------------------------------------------------------------------------------

    def settle(self, row: Claim, state: Delivery.State, reply: Reply | str = "", **more: Any) -> None:
        """Write how it ended, and wait for the database as long as that takes: only this process knows."""
        code, text = (reply.code, reply.text) if isinstance(reply, Reply) else (None, reply)
        # The row may outlive its address, which relays like to repeat.
        text = re.sub(re.escape(row.address), "…", text, flags=re.IGNORECASE)
        more.setdefault("attempt", isinstance(reply, Reply))
        at = self.time.now()
        self.until_written(lambda: deliveries.settle(self.worker, row.pk, state, at=at, code=code, reply=text, **more))

    def refused(self, row: Claim, reply: Reply) -> None:
        """The relay said no to this mail: for good (5xx), or for now."""
        if 400 <= reply.code < 500:
            self.try_later(row, reply, str(reply))
            return
        self.settle(row, State.FAILED, reply)
        if reply.status.startswith("5.7."):
            self.until_written(lambda: bounces.refused_by_policy(row.pk, reply.status))
        elif kind := bounces.kind_of(reply.code, reply.status):
            self.until_written(
                lambda: bounces.record(
                    delivery_id=row.pk,
                    kind=kind,
                    status=reply.status,
                    detail=str(reply),
                    method=Consent.Method.MAIL,
                )
            )

    def try_later(self, row: Claim, reply: Reply | None, sentence: str) -> None:
        """Back off. The eighth answer, after some 42 hours, is the last; a lost connection is no answer."""
        now = self.time.now()
        # 4.7.1 is what greylisting says (RFC 6647, 2.1), of one recipient; the other 4.7.x are limits of a domain's.
        if reply and reply.status.startswith("4.7.") and (reply.code == 421 or reply.status != "4.7.1"):
            self.slow_down(row, reply)
        if reply and row.attempts + 1 > len(WAITS):
            self.settle(row, State.FAILED, reply)
            return
        wait = timedelta(minutes=WAITS[min(row.attempts, len(WAITS) - 1)])
        due_at = now + wait * random.uniform(1 - JITTER, 1 + JITTER)
        self.settle(row, State.DEFERRED, reply or sentence, due_at=due_at)

    def slow_down(self, row: Claim, reply: Reply) -> None:
        """Leave a domain alone for a while that says we are too fast (Gmail, Microsoft: 4.7.x)."""
        domain = row.address.rpartition("@")[2]
        until = self.time.now() + SLOW_DOMAIN
        self.slow_domains[domain] = until
        self.until_written(
            lambda: Pace.objects.update_or_create(key=domain, defaults={"next_at": until, "reason": str(reply)[:300]})
        )

    def pause(self, issue: Issue, reason: str) -> None:
        try:
            issues.pause(issue=issue, reason=reason)
        except issues.Refused:
            return  # somebody else has paused or cancelled it
        raise_alarm(f"paused:{issue.pk}", _("“%(issue)s” was paused: %(reason)s") % {"issue": issue, "reason": reason})

    def until_written(self, write: Callable[[], Any], stopping_seconds: float = DRAINING_SECONDS) -> Any:
        """Repeat a write until the database takes it: the outcome is known to this process only (R9).

        Once told to end it goes on for so many seconds, then leaves the row as it is: in doubt.
        """
        deadline = None
        while True:
            try:
                return write()
            except DATABASE_AWAY as error:
                logger.warning("An outcome waits for the database: %s", type(error).__name__)
                connection.close()
                if self.stopping:
                    deadline = deadline or time.monotonic() + stopping_seconds
                    if time.monotonic() > deadline:
                        logger.error("Sender %s ends without having written an outcome.", self.worker)
                        return None
                time.sleep(0.3)

    # --- The relay and the pace --------------------------------------------------------------------------------

    def relay_is_down(self, error: RelayDown) -> None:
        wait = RELAY_WAITS[min(self.relay_failures, len(RELAY_WAITS) - 1)]
        self.relay_failures += 1
        self.relay_again_at = time.monotonic() + wait
        self.relay.close()
        logger.warning("The relay does not serve us, again in %d s: %s", wait, error)
        if self.relay_failures == len(RELAY_WAITS):
            raise_alarm("relay", _("No mail goes out: the relay does not serve us. It says: %s") % error)

    def relay_is_up(self) -> None:
        if self.relay_failures >= len(RELAY_WAITS):
            Alarm.objects.filter(key="relay").delete()
        self.relay_failures = 0

    def reserve(self, most: int) -> list[float]:
        """Take the next slots of the common pace, as times of this machine's monotonic clock; [] without a pace.

        The slots of all senders are one sequence in a database row, 5 % further apart than the rate says, so that a
        late mail does not make a window too full.
        """
        if settings.MAIL_RATE <= 0:
            return []
        interval = timedelta(seconds=1.05 / settings.MAIL_RATE)
        # The slots of a twentieth of a second: what a late sender has left of them goes out at once.
        count = max(1, min(most, int(settings.MAIL_RATE / 20)))
        with transaction.atomic():
            Pace.objects.get_or_create(key="", defaults={"next_at": clock.now()})
            pace = Pace.objects.select_for_update().get(key="")
            now, here = clock.now(), time.monotonic()
            first = max(pace.next_at, now)
            Pace.objects.filter(key="").update(next_at=first + count * interval)
        start = here + (first - now).total_seconds()
        return [start + number * interval.total_seconds() for number in range(count)]

    def wait_for(self, moment: float) -> None:
        while not self.stopping and (left := moment - time.monotonic()) > 0:
            self.heartbeat()
            time.sleep(min(left, 0.2))


class Ticking:
    """The database's time, asked for now and then and counted on in between."""

    def __init__(self) -> None:
        self.base, self.at = datetime.min, 0.0

    def set(self, base: datetime) -> None:
        self.base, self.at = base, time.monotonic()

    def now(self) -> datetime:
        return self.base + timedelta(seconds=time.monotonic() - self.at)


class Built:
    """The messages of what is being sent, made once each and again when anything public has changed."""

    KEEP_SECONDS = 60

    def __init__(self) -> None:
        self.templates: dict[tuple[Any, ...], composing.MailTemplate] = {}
        self.items: dict[int, list[IssueItem]] = {}
        self.generation: int | None = None
        self.made = 0.0

    def forget_old(self) -> None:
        """Forget everything where the site has changed (what is live, whether it may be mailed), or after a minute."""
        generation = Generation.objects.values_list("number", flat=True).first()
        if generation != self.generation or time.monotonic() - self.made > self.KEEP_SECONDS:
            self.templates.clear()
            self.items.clear()
            self.generation, self.made = generation, time.monotonic()

    def template(self, row: Claim, issue: Issue | None) -> composing.MailTemplate | None:
        """The message for a row; None where nothing of its issue may be mailed any more."""
        if issue is None and row.about is None:
            key: tuple[Any, ...] = (row.purpose, row.language)
            if key not in self.templates:
                self.templates[key] = composing.notice_mail(Delivery.Purpose(row.purpose), row.language)
            return self.templates[key]
        subject = issue or Issue.objects.get(pk=row.about or 0)
        if subject.pk not in self.items or issue is None:
            self.items[subject.pk] = planning.current_items(subject)
        items = self.items[subject.pk]
        if row.has_topics:
            items = planning.wanted(
                items, set(Topic.objects.filter(subscriber=row.subscriber).values_list("slug", flat=True))
            )
        if not items and (subject.kind != Issue.Kind.BY_HAND or not subject.opening.strip()):
            return None
        if issue is None:
            return composing.issue_mail(subject, items, test=True)
        key = (subject.pk, *(item.pk for item in items))
        if key not in self.templates:
            self.templates[key] = composing.issue_mail(subject, items)
        return self.templates[key]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block after so many seconds. Only the main thread of a process can be interrupted;
    in any other there is no limit."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not made within {seconds:g} s")

    try:
        before = signal.signal(signal.SIGALRM, ring)
    except ValueError:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

"""Who gets mail: the only code that changes a subscriber's status, and it records each change as a consent.

    (form) ─► pending ─► confirmed ─► unsubscribed ─► (asks and confirms again) ─► confirmed
                 └───────────┴──────────────┴─► bounced, complained ─► (lifted by a person in the admin)

The form's page only writes a row (`sign_up`), which costs the same for every address; the sender looks at the rows
(`process_sign_ups`) and says by mail what is to be said. A stranger can therefore neither learn who subscribes nor
make us write to somebody often: every cap is counted here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from newsletter import addresses, clock, deliveries, issues, limits
from newsletter.models import (
    Bounce,
    Consent,
    Delivery,
    SignUp,
    Subscriber,
    Suppression,
    Topic,
    raise_alarm,
)
from newsletter.words import words

logger = logging.getLogger(__name__)

Status, Event, Method, Purpose = Subscriber.Status, Consent.Event, Consent.Method, Delivery.Purpose

STOPPED = (Status.BOUNCED, Status.COMPLAINED)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# Forms taken from one network (/24, /56). A hospital's or a phone company's whole network may share one.
NETWORK_AN_HOUR, NETWORK_A_DAY = 20, 60
# Mails to one mailbox that somebody, perhaps a stranger, asked for: one in 24 hours, and no more than three until
# the person answers one of them, or a year is over.
MAILBOX_A_DAY, MAILBOX_IN_ALL, ALL = 1, 3, timedelta(days=365)
# Links to their data, or to erase them, that a subscriber may ask for in a day.
LINKS_A_DAY = 3
# How much of the hourly budget may be used up by forms that a robot seems to have filled in, and by all but the
# first of each network: during an attack the rest is left to people.
SUSPICIOUS_SHARE, REPEATED_SHARE = 0.1, 0.5

_ADDRESS = re.compile(r"\S+@\S+")


class _Held(Exception):
    """The budget of this hour is used up."""


# --- Signing up ------------------------------------------------------------------------------------------------


def sign_up(*, address: str, language: str, words_version: str, network: str, suspicious: bool = False) -> bool:
    """Take down what the form sent; False where its network has sent too many.

    Takes a tidy address, one of the site's languages, a known version of the words and a network as `posting.network`
    writes it. Nothing is looked up by the address, so that the answer takes the same time for all (S2).
    """
    if not (
        limits.take(f"network-day:{network}", NETWORK_A_DAY, DAY)
        and limits.take(f"network-hour:{network}", NETWORK_AN_HOUR, HOUR)
    ):
        return False
    now = clock.now()
    SignUp.objects.create(
        address=address,
        language=language,
        words_version=words_version,
        network=network,
        suspicious=suspicious,
        at=now,
        due_at=now,
    )
    return True


def process_sign_ups(limit: int = 100) -> int:
    """Answer up to `limit` sign-ups by mail, each in a transaction of its own; return how many rows were settled.

    What is over the hourly budget is held until the hour is over, and somebody is told.
    """
    done = held = 0
    due = SignUp.objects.filter(due_at__lte=clock.now()).order_by("due_at", "pk")
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        try:
            with transaction.atomic():
                done += _process(pk)
        except _Held:
            held += _hold(pk)
        except IntegrityError:
            # Another sender made the same subscriber in this moment: the next pass finds them.
            continue
        except DatabaseError:
            raise
        except Exception:
            # One that cannot be answered must not keep the others, nor all other mail, waiting (I8).
            logger.exception("Sign-up %s cannot be answered.", pk)
            _hold(pk)
    if held:
        number = SignUp.objects.filter(due_at__gt=clock.now()).count()
        sentence = _("More people sign up than usual, or a robot does: %(count)s are held for up to an hour.")
        raise_alarm("sign-ups", sentence % {"count": number})
    return done


def _process(pk: int) -> int:
    """Settle one sign-up: 1, or 0 where another sender has it. Raises _Held."""
    skip = connection.features.has_select_for_update_skip_locked
    row = SignUp.objects.select_for_update(skip_locked=skip).filter(pk=pk).first()
    if row is None:
        return 0
    subscriber = Subscriber.objects.select_for_update().filter(address=row.address).first()
    if not _is_stopped(row.address, subscriber) and _take_mailbox(row.address):
        if not limits.take("sign-ups", _share_of_budget(row), HOUR):
            raise _Held
        _answer(row, subscriber)
    row.delete()
    return 1


def _is_stopped(address: str, subscriber: Subscriber | None) -> bool:
    """Whether the address came back or its owner complained: only a person in the admin can lift that."""
    if subscriber is not None and subscriber.status in STOPPED:
        return True
    return _suppressions(address).exclude(reason=Suppression.Reason.ERASED).exists()


def _suppressions(address: str) -> QuerySet[Suppression]:
    return Suppression.objects.filter(address_hmac__in=addresses.digests(address))


def _mailbox(address: str) -> str:
    return addresses.digest(addresses.canonical(address))


def _take_mailbox(address: str) -> bool:
    mailbox = _mailbox(address)
    return limits.take(f"mailbox-day:{mailbox}", MAILBOX_A_DAY, DAY) and limits.take(
        f"mailbox:{mailbox}", MAILBOX_IN_ALL, ALL
    )


def _share_of_budget(row: SignUp) -> int:
    """How far the budget may be used up for this one to be answered in this hour."""
    budget: int = settings.SIGN_UP_BUDGET
    if row.suspicious:
        return max(1, int(budget * SUSPICIOUS_SHARE))
    if not limits.take(f"network-first:{row.network}", 1, HOUR):
        return max(1, int(budget * REPEATED_SHARE))
    return budget


def _answer(row: SignUp, subscriber: Subscriber | None) -> None:
    now = clock.now()
    if subscriber is None:
        subscriber = Subscriber.objects.create(
            address=row.address,
            address_hmac=addresses.digest(row.address),
            language=row.language,
            signed_up_at=now,
        )
    if subscriber.status == Status.CONFIRMED:
        deliveries.queue_notice(subscriber, Purpose.ALREADY)
        return
    # They get nothing now; whoever confirms gets it in the language of the page they came from.
    subscriber.language, subscriber.signed_up_at = row.language, now
    subscriber.save(update_fields=["language", "signed_up_at"])
    Consent.objects.create(
        address_hmac=subscriber.address_hmac,
        event=Event.ASKED,
        method=Method.FORM,
        words=words(row.language, row.words_version),
        words_version=row.words_version,
        language=row.language,
        network=row.network,
        at=row.at,
    )
    deliveries.queue_notice(subscriber, Purpose.CONFIRM)


def _hold(pk: int) -> int:
    """Look at a sign-up again when the budget of this hour is a new one."""
    return SignUp.objects.filter(pk=pk).update(due_at=clock.now() + HOUR)


def confirm(subscriber: Subscriber | UUID, *, method: Consent.Method = Method.LINK, network: str = "") -> bool:
    """Start mail to a person who asked for it and pressed the button; False where they had not asked (any more).

    Once or ten times is the same. A link of before they left does nothing: they must have asked again. Lifts
    *unsubscribed* and *erased*, never *bounced* and *complained*.
    """
    with transaction.atomic():
        person = _lock(subscriber)
        if person is None or _is_stopped(person.address, person):
            return False
        if person.status == Status.CONFIRMED:
            return True
        if person.status == Status.UNSUBSCRIBED and not _asked_since_they_left(person):
            return False
        person.status, person.confirmed_at, person.left_at = Status.CONFIRMED, clock.now(), None
        person.save(update_fields=["status", "confirmed_at", "left_at"])
        _suppressions(person.address).delete()
        Delivery.objects.filter(
            subscriber=person, purpose__in=[Purpose.CONFIRM, Purpose.REMIND], state__in=_WAITING
        ).update(state=Delivery.State.SUPPRESSED, settled_at=clock.now(), reply=_("Confirmed before it was sent."))
        limits.forget(f"mailbox:{_mailbox(person.address)}")
        _record(person, Event.CONFIRMED, method, network=network)
    return True


_WAITING = (Delivery.State.QUEUED, Delivery.State.DEFERRED)


def _asked_since_they_left(person: Subscriber) -> bool:
    return _consents(person).filter(event=Event.ASKED, at__gte=person.left_at).exists()


# --- What a person chooses -------------------------------------------------------------------------------------


def unsubscribe(
    subscriber: Subscriber | UUID,
    *,
    method: Consent.Method = Method.LINK,
    network: str = "",
    by: AbstractBaseUser | None = None,
    detail: str = "",
) -> bool:
    """End mail to a person; True where that changed anything. Once or ten times is the same.

    Of somebody whose mail is stopped already only the wish is recorded, so that lifting the stop does not undo it.
    """
    with transaction.atomic():
        person = _lock(subscriber)
        if person is None or person.status == Status.UNSUBSCRIBED:
            return False
        if person.status in STOPPED:
            if _last_wish(person) == Event.UNSUBSCRIBED:
                return False
        else:
            person.status, person.left_at, person.paused_until = Status.UNSUBSCRIBED, clock.now(), None
            person.save(update_fields=["status", "left_at", "paused_until"])
        _record(person, Event.UNSUBSCRIBED, method, network=network, by=by, detail=detail)
    return True


def change(
    subscriber: Subscriber | UUID,
    *,
    frequency: str | None = None,
    topics: Collection[str] | None = None,
    has_topics: bool | None = None,
    method: Consent.Method = Method.LINK,
    network: str = "",
    by: AbstractBaseUser | None = None,
) -> bool:
    """Change what a person gets; True where that changed anything. What is None stays as it is.

    Takes a Subscriber.Frequency and slugs of tags; topics are forgotten where `has_topics` is False. The record says
    how many topics there are, not which: it outlives an erasure.
    """
    with transaction.atomic():
        person = _lock(subscriber)
        if person is None:
            return False
        before = (person.frequency, person.has_topics, _topics(person))
        if frequency is not None:
            person.frequency = Subscriber.Frequency(frequency)
        if has_topics is not None:
            person.has_topics = has_topics
        wanted = set(before[2] if topics is None else topics) if person.has_topics else set()
        if (person.frequency, person.has_topics, wanted) == before:
            return False
        person.save(update_fields=["frequency", "has_topics"])
        Topic.objects.filter(subscriber=person).exclude(slug__in=wanted).delete()
        Topic.objects.bulk_create(
            [Topic(subscriber=person, slug=slug) for slug in sorted(wanted)], ignore_conflicts=True
        )
        detail = str(Subscriber.Frequency(person.frequency).label)
        if person.has_topics:
            detail += "; " + _("topics: %(count)s") % {"count": len(wanted)}
        _record(person, Event.CHANGED, method, network=network, by=by, detail=detail)
    return True


def _topics(person: Subscriber) -> set[str]:
    return set(Topic.objects.filter(subscriber=person).values_list("slug", flat=True))


def pause(
    subscriber: Subscriber | UUID, *, until: date | None, method: Consent.Method = Method.LINK, network: str = ""
) -> bool:
    """Send nothing until the day, or go on at once (None); True where that changed anything."""
    with transaction.atomic():
        person = _lock(subscriber)
        if person is None or person.paused_until == until:
            return False
        person.paused_until = until
        person.save(update_fields=["paused_until"])
        detail = _("Paused until %(date)s") % {"date": until.isoformat()} if until else _("Not paused any more")
        _record(person, Event.CHANGED, method, network=network, detail=detail)
    return True


def send_link(subscriber: Subscriber, purpose: Delivery.Purpose) -> bool:
    """Mail a fresh 24-hour link (Purpose.EXPORT or ERASE) to a person; False where they had enough of them today.

    Only the mailbox can ask for what a forwarded mail must not do.
    """
    with transaction.atomic():
        person = _lock(subscriber)
        if person is None or not limits.take(f"{purpose}:{person.uuid}", LINKS_A_DAY, DAY):
            return False
        deliveries.queue_notice(person, purpose)
    return True


# --- What came back, and lifting it ----------------------------------------------------------------------------


def stop(*, subscriber: Subscriber, status: str, method: Consent.Method, detail: str = "") -> bool:
    """End mail to an address that does not work (BOUNCED) or whose owner complained (COMPLAINED).

    True where that changed anything: a complaint weighs more than a bounce, and neither is repeated.
    """
    status = Status(status)
    if status not in STOPPED:
        raise ValueError(f"{status} is no reason to stop mail")
    with transaction.atomic():
        person = _lock(subscriber)
        if person is None or person.status in (status, Status.COMPLAINED):
            return False
        person.status, person.left_at = status, person.left_at or clock.now()
        person.save(update_fields=["status", "left_at"])
        _record(person, Event(status.value), method, detail=detail)
    return True


def lift(*, subscriber: Subscriber, by: AbstractBaseUser, reason: str = "") -> str | None:
    """Take back a stop, as a person in the admin may; the status is then what the person had last wished.

    Returns the new status, or None where nothing was stopped.
    """
    with transaction.atomic():
        person = _lock(subscriber)
        if person is None or person.status not in STOPPED:
            return None
        wish = _last_wish(person)
        if wish == Event.UNSUBSCRIBED:
            person.status = Status.UNSUBSCRIBED
        elif wish is None or person.confirmed_at is None:
            person.status, person.left_at, person.signed_up_at = Status.PENDING, None, clock.now()
            if not _consents(person).filter(event=Event.ASKED).exists():
                # Nobody is reminded of what they never asked for: an import brought them.
                person.reminded_at = clock.now()
        else:
            person.status, person.left_at = Status.CONFIRMED, None
        person.save(update_fields=["status", "left_at", "signed_up_at", "reminded_at"])
        _record(person, Event.LIFTED, Method.ADMIN, by=by, detail=reason)
    return person.status


def lift_suppression(*, address: str, by: AbstractBaseUser, reason: str = "") -> bool:
    """Take back the stop of an erased address, so that its owner may sign up again; False where there is none.

    Takes a tidy address. It stays erased: nobody writes to it before they have confirmed.
    """
    with transaction.atomic():
        stopped = _suppressions(address).exclude(reason=Suppression.Reason.ERASED)
        if not stopped.update(reason=Suppression.Reason.ERASED):
            return False
        Consent.objects.create(
            address_hmac=addresses.digest(address),
            event=Event.LIFTED,
            method=Method.ADMIN,
            by_id=by.pk,
            detail=_without_addresses(reason),
        )
    return True


def _last_wish(person: Subscriber) -> str | None:
    wishes = [Event.CONFIRMED, Event.IMPORTED, Event.UNSUBSCRIBED]
    return _consents(person).filter(event__in=wishes).order_by("at", "pk").values_list("event", flat=True).last()


# --- Erasing and taking out ------------------------------------------------------------------------------------


def erase(
    subscriber: Subscriber | UUID,
    *,
    method: Consent.Method = Method.LINK,
    network: str = "",
    by: AbstractBaseUser | None = None,
    detail: str = "",
) -> bool:
    """Delete a person; False where there is nobody (any more).

    What was sent still counts, without the address. What stays is the HMAC of the address: in the record of consent,
    and so that nothing is sent to it by mistake.
    """
    with transaction.atomic():
        # Snapshots and sign-ups before people, as a sender locks them.
        issues.hold_snapshots()
        uuid = subscriber if isinstance(subscriber, UUID) else subscriber.uuid
        SignUp.objects.filter(address__in=Subscriber.objects.filter(uuid=uuid).values("address")).delete()
        person = _lock(uuid)
        if person is None:
            return False
        issues.keep_place(person)
        forget_address(Delivery.objects.filter(subscriber=person), person.address)
        stopped = _suppressions(person.address).exclude(reason=Suppression.Reason.ERASED).first()
        reason = stopped.reason if stopped else Suppression.Reason.ERASED
        if person.status in STOPPED:
            reason = Suppression.Reason(person.status)
        _suppressions(person.address).delete()
        Suppression.objects.create(address_hmac=addresses.digest(person.address), reason=reason, at=clock.now())
        _record(person, Event.ERASED, method, network=network, by=by, detail=detail)
        person.delete()
    return True


def forget_address(rows: QuerySet[Delivery], address: str) -> None:
    """Take an address out of deliveries, and out of what relays said about them; what is waiting is not sent."""
    ids = list(rows.values_list("pk", flat=True))
    mine = Delivery.objects.filter(pk__in=ids)
    mine.filter(state__in=_WAITING).update(
        state=Delivery.State.SUPPRESSED, settled_at=clock.now(), reply=_("Erased before it could be sent.")
    )
    mine.filter(reply__icontains=address).update(reply="")
    mine.update(address="")
    Bounce.objects.filter(delivery__in=ids, detail__contains="@").update(detail="")


def export(
    subscriber: Subscriber,
    *,
    method: Consent.Method = Method.LINK,
    network: str = "",
    by: AbstractBaseUser | None = None,
) -> dict[str, Any]:
    """Everything that is kept about a person, ready for JSON; that it was taken is recorded."""
    _record(subscriber, Event.EXPORTED, method, network=network, by=by)
    sent = Delivery.objects.filter(subscriber=subscriber).order_by("pk")
    bounces = Bounce.objects.filter(Q(subscriber=subscriber) | Q(delivery__subscriber=subscriber)).order_by("pk")
    return {
        "subscriber": _plain(
            subscriber,
            "uuid address address_hmac language status frequency has_topics paused_until signed_up_at reminded_at "
            "confirmed_at left_at",
        ),
        "topics": sorted(_topics(subscriber)),
        "consents": [
            _plain(row, "event method words words_version language network detail at") for row in _consents(subscriber)
        ],
        "mails": [
            _plain(row, "purpose subject address state due_at first_tried_at settled_at smtp_code reply")
            for row in sent.annotate(subject=F("issue__subject")).iterator(chunk_size=1000)
        ],
        "returned": [_plain(row, "kind status detail at") for row in bounces],
    }


def _plain(row: Any, names: str) -> dict[str, Any]:
    """The named fields, times and dates in ISO 8601."""
    values = {name: getattr(row, name) for name in names.split()}
    return {
        name: value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value
        for name, value in values.items()
    }


# --- Common ----------------------------------------------------------------------------------------------------


def _lock(subscriber: Subscriber | UUID) -> Subscriber | None:
    """The person as they are now, locked; None where they are gone."""
    uuid = subscriber if isinstance(subscriber, UUID) else subscriber.uuid
    return Subscriber.objects.select_for_update().filter(uuid=uuid).first()


def _consents(person: Subscriber) -> QuerySet[Consent]:
    return Consent.objects.filter(address_hmac__in={person.address_hmac, *addresses.digests(person.address)})


def _record(
    person: Subscriber,
    event: Consent.Event,
    method: Consent.Method,
    *,
    network: str = "",
    by: AbstractBaseUser | None = None,
    detail: str = "",
) -> None:
    Consent.objects.create(
        address_hmac=person.address_hmac,
        event=event,
        method=method,
        language=person.language,
        network=network,
        by_id=by.pk if by else None,
        detail=_without_addresses(detail),
    )


def _without_addresses(text: str) -> str:
    """A record outlives an erasure, and a relay's answer likes to repeat the address."""
    return _ADDRESS.sub("…", text)[:300]

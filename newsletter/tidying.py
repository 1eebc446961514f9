"""What time does to the newsletter's rows: one reminder, and then forgetting. Every rule can run twice or late."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from newsletter import clock, deliveries, importing, limits, subscribing
from newsletter.models import Allowance, Bounce, Consent, Delivery, Sender, Subscriber

REMIND_AFTER = timedelta(days=3)
# What was asked for and never confirmed; the link in the mail works as long (links.LIFETIMES).
FORGET_UNCONFIRMED_AFTER = timedelta(days=30)
FORGET_ADDRESSES_AFTER = timedelta(days=90)
FORGET_SENDERS_AFTER = timedelta(days=7)

# Rows in one transaction, and people in one pass.
CHUNK = 1000
PEOPLE = 100


def tidy() -> dict[str, int]:
    """Do all that is due; return how many rows each rule changed."""
    now = clock.now()
    return {
        "reminded": remind(now),
        "unconfirmed": forget_unconfirmed(now),
        "addresses": forget_addresses(now),
        "allowances": Allowance.objects.filter(window_ends__lte=now).delete()[0],
        "files": importing.forget_files(),
        "senders": Sender.objects.filter(ended_at__lt=now - FORGET_SENDERS_AFTER).delete()[0],
    }


def remind(now: datetime) -> int:
    """Remind those, once, who have not confirmed after three days."""
    reminded = 0
    waiting = Subscriber.objects.filter(
        status=Subscriber.Status.PENDING, reminded_at=None, signed_up_at__lte=now - REMIND_AFTER
    )
    for pk in list(waiting.values_list("pk", flat=True)[:PEOPLE]):
        with transaction.atomic():
            person = waiting.select_for_update().filter(pk=pk).first()
            if person is not None:
                person.reminded_at = now
                person.save(update_fields=["reminded_at"])
                deliveries.queue_notice(person, Delivery.Purpose.REMIND)
                reminded += 1
    return reminded


def forget_unconfirmed(now: datetime) -> int:
    """Delete those who have not confirmed after 30 days, with the record that somebody had asked."""
    forgotten = 0
    old = Subscriber.objects.filter(status=Subscriber.Status.PENDING, signed_up_at__lte=now - FORGET_UNCONFIRMED_AFTER)
    for pk in list(old.values_list("pk", flat=True)[:PEOPLE]):
        with transaction.atomic():
            person = old.select_for_update().filter(pk=pk).first()
            if person is not None:
                subscribing.forget_address(Delivery.objects.filter(subscriber=person), person.address)
                _only_asked(person).delete()
                person.delete()
                forgotten += 1
    return forgotten


def _only_asked(person: Subscriber) -> QuerySet[Consent]:
    """The record of somebody who only ever asked. Of one who had confirmed before, everything stays."""
    mine = Consent.objects.filter(address_hmac=person.address_hmac)
    more = Consent.objects.filter(address_hmac=OuterRef("address_hmac")).exclude(event=Consent.Event.ASKED)
    return mine.filter(~Exists(more))


def forget_addresses(now: datetime) -> int:
    """Take addresses out of what was settled 90 days ago, once a day: nothing is looked up by them any more."""
    if not limits.take("forget-addresses", 1, timedelta(hours=23)):
        return 0
    before = now - FORGET_ADDRESSES_AFTER
    old = Delivery.objects.filter(settled_at__lt=before).exclude(address="").order_by("pk")
    forgotten = last = 0
    # By the primary key, so that each row is looked at once however many chunks there are.
    while ids := list(old.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        last = ids[-1]
        # What relays answer likes to repeat the address.
        reply = Case(When(reply__contains="@", then=Value("")), default=F("reply"))
        forgotten += Delivery.objects.filter(pk__in=ids).update(address="", reply=reply)
    Bounce.objects.filter(Q(at__lt=before) & Q(detail__contains="@")).update(detail="")
    return forgotten

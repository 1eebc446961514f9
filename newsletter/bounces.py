"""What comes back: which returned mail says that an address does not work, and what follows from it.

A report counts once for each delivery and kind, and only for a mail that we handed over. That it is ours the callers
know by the token in it (identity.py), which nobody else can make up.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from newsletter import addresses, clock, deliveries, issues, subscribing
from newsletter.models import Bounce, Consent, Delivery, Issue, Subscriber, raise_alarm

logger = logging.getLogger(__name__)

# --- What a code says (RFC 5321, 4.2.3; RFC 3463 and its registry at IANA) ------------------------------------------

# The address does not work and will not: writing there again is pointless and costs the sender's name.
HARD = frozenset(
    {
        "5.1.1",  # no such mailbox
        "5.1.2",  # no such domain
        "5.1.3",  # no address at all
        "5.1.6",  # has moved, nobody says where to
        "5.1.10",  # the domain takes no mail (null MX, RFC 7505)
        "5.2.1",  # mailbox disabled
    }
)
# Says something about us, our address, the text or the reader's provider, and nothing about the reader's address:
# nobody loses a subscription over it.
NOT_THEIRS = re.compile(
    r"[45][.](?:"
    r"1[.][78]"  # the sender's address
    r"|2[.]3|3[.]4"  # the text is too long
    r"|5[.]\d+|6[.]\d+"  # protocol and content
    r"|7[.]\d+"  # policy: too fast, no SPF, DKIM or DMARC, a block list (4.7.1 and 5.7.26 of Gmail, for example)
    r")"
)
# Without such a status: mailbox unavailable, not local, name not allowed, domain takes no mail (RFC 7504).
HARD_CODES = frozenset({550, 551, 553, 556})


def kind_of(smtp_code: int | None, status: str) -> Bounce.Kind | None:
    """What a permanent failure says about an address: HARD, SOFT, or None where it says nothing about it.

    Takes the reply code (None if unknown) and the enhanced status ("" if there is none; x.0.0 says nothing).
    """
    if NOT_THEIRS.fullmatch(status):
        return None
    if status in HARD:
        return Bounce.Kind.HARD
    if (not status or status.endswith(".0.0")) and smtp_code in HARD_CODES:
        return Bounce.Kind.HARD
    return Bounce.Kind.SOFT


def is_hard(smtp_code: int | None, status: str) -> bool:
    """Whether a refusal means that the address does not work."""
    return kind_of(smtp_code, status) is Bounce.Kind.HARD


# --- What follows from it -------------------------------------------------------------------------------------------

# More than five in 30 days, and nothing that arrived between (reliability.md, 4.1 and S6).
SOFT_LIMIT = 5
SOFT_WINDOW = timedelta(days=30)
# A mail that was not returned by now has arrived: relays give up after 4 to 5 days (RFC 5321, 4.5.4.1).
ARRIVED = timedelta(days=6)

# The relay was given it, or refused it.
HANDED_OVER = (Delivery.State.DOT, Delivery.State.SENT, Delivery.State.UNKNOWN, Delivery.State.FAILED)

ADDRESS = re.compile(r"[^\s<>:;,\"'()]+@[^\s<>:;,\"'()]+")


@transaction.atomic
def record(
    *, delivery_id: int, kind: Bounce.Kind | str, method: Consent.Method, status: str = "", detail: str = ""
) -> bool:
    """Count what came back, once for each delivery and kind, and stop writing to an address where that follows.

    Takes what the report says of one delivery (`detail` without addresses: they are taken out). Returns whether it
    was new and about a mail of ours that was handed over.
    """
    delivery = Delivery.objects.filter(pk=delivery_id, state__in=HANDED_OVER).first()
    if delivery is None:
        return False
    # Two reports about one person wait for each other, or neither would see the other's.
    people = Subscriber.objects.select_for_update()
    subscriber = people.filter(pk=delivery.subscriber_id).first() if delivery.subscriber_id else None
    bounce, is_new = Bounce.objects.get_or_create(
        delivery=delivery,
        kind=kind,
        defaults={
            "subscriber": subscriber,
            "status": status[:12],
            "detail": ADDRESS.sub("…", " ".join(detail.split()))[:500],
            "at": clock.now(),
        },
    )
    if not is_new:
        return False
    logger.info("Delivery %s came back: %s %s", delivery.pk, kind, status)
    if delivery.state == Delivery.State.UNKNOWN:
        deliveries.resolve_unknown(delivery.pk, accepted=True, detail=_("It came back, so the relay had taken it."))
    if subscriber is not None:
        _stop_if_due(subscriber, delivery, bounce, method)
    if delivery.issue_id is not None:
        check_issue(delivery.issue_id)
    return True


def _stop_if_due(subscriber: Subscriber, delivery: Delivery, bounce: Bounce, method: Consent.Method) -> None:
    if bounce.kind == Bounce.Kind.COMPLAINT:
        subscribing.stop(
            subscriber=subscriber, status=Subscriber.Status.COMPLAINED, method=method, detail=bounce.detail
        )
    elif _is_before_lift(subscriber, delivery):
        return
    elif bounce.kind == Bounce.Kind.HARD or _is_soft_too_often(subscriber):
        detail = f"{bounce.status} {bounce.detail}".strip()
        subscribing.stop(subscriber=subscriber, status=Subscriber.Status.BOUNCED, method=method, detail=detail)


def _lifted(subscriber: Subscriber) -> Consent | None:
    """The last time that an editor said of a stopped address that it works."""
    known = Consent.objects.filter(address_hmac__in=addresses.digests(subscriber.address))
    return known.filter(event=Consent.Event.LIFTED).order_by("-at").first()


def _is_before_lift(subscriber: Subscriber, delivery: Delivery) -> bool:
    """Whether the mail was sent before an editor lifted the stop: its return is no news."""
    lifted = _lifted(subscriber)
    return bool(lifted and delivery.settled_at and delivery.settled_at < lifted.at)


def _is_soft_too_often(subscriber: Subscriber) -> bool:
    now = clock.now()
    since = now - SOFT_WINDOW
    if lifted := _lifted(subscriber):
        since = max(since, lifted.at)
    sent = Delivery.objects.filter(subscriber=subscriber, state=Delivery.State.SENT, settled_at__lte=now - ARRIVED)
    arrived = sent.filter(bounces=None).aggregate(last=Max("pk"))["last"] or 0
    soft = Bounce.objects.filter(subscriber=subscriber, kind=Bounce.Kind.SOFT, at__gt=since, delivery__gt=arrived)
    return soft.count() > SOFT_LIMIT


# --- When an issue is stopped ---------------------------------------------------------------------------------------

# Above these a list is old or bought, and going on costs the sender's name for all mail to come. Gmail's rules for
# senders: under 0.1 %, never 0.3 % of complaints (reliability.md, 4.1).
HARD_PER_MILLE = 50
COMPLAINTS_PER_MILLE = 3
# A share of fewer says nothing.
ENOUGH = 100


def check_issue(issue_id: int) -> bool:
    """Pause an issue of which too much comes back, and tell the desk; return whether it was paused.

    Where somebody has let it go on, only what was sent since then is looked at.
    """
    issue = Issue.objects.filter(pk=issue_id, state=Issue.State.SENDING).first()
    if issue is None:
        return False
    handed = Delivery.objects.filter(issue=issue, state__in=HANDED_OVER)
    returned = Bounce.objects.filter(delivery__issue=issue)
    if issue.stopped_at:
        handed = handed.filter(settled_at__gt=issue.stopped_at)
        returned = returned.filter(delivery__settled_at__gt=issue.stopped_at)
    hard = returned.filter(kind=Bounce.Kind.HARD).count()
    complaints = returned.filter(kind=Bounce.Kind.COMPLAINT).count()
    # Of so many, these would be no more than is allowed: nobody has to count a million.
    harmless = max(ENOUGH, hard * 1000 // HARD_PER_MILLE, -(-complaints * 1000 // COMPLAINTS_PER_MILLE))
    sent = handed[:harmless].count()
    if sent < ENOUGH or (hard * 1000 <= sent * HARD_PER_MILLE and complaints * 1000 <= sent * COMPLAINTS_PER_MILLE):
        return False
    reason = _("Of %(sent)d mails, %(hard)d came back for good and %(complaints)d were reported as spam.") % {
        "sent": sent,
        "hard": hard,
        "complaints": complaints,
    }
    try:
        issues.pause(issue=issue, reason=reason)
    except issues.Refused:
        return False  # somebody else has paused or cancelled it
    Issue.objects.filter(pk=issue.pk).update(stopped_at=clock.now())
    raise_alarm(f"paused:{issue.pk}", _("“%(issue)s” was paused. %(reason)s") % {"issue": issue, "reason": reason})
    return True


def refused_by_policy(delivery_id: int, status: str) -> None:
    """Tell the desk that a receiving side refuses our mail as such (x.7.x): no reader is to blame, we may be."""
    logger.warning("Delivery %s was refused by policy: %s", delivery_id, status)
    raise_alarm(
        "policy",
        _(
            "Mail is refused by policy (status %(status)s). Check SPF, DKIM, DMARC and whether the server is on a "
            "block list."
        )
        % {"status": status},
    )

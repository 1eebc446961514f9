"""What a mail provider reports by its webhook, through django-anymail: an optional extra (requirements-anymail.txt).

`config.urls` includes this where MAIL_PROVIDER names one. Anymail asks for the shared secret (the settings insist on
one) and for the provider's signature where it has any; which delivery a report is about is known by our token alone.
Nobody's Message-ID is followed, no address is fetched, and subscriptions of topics are not confirmed by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from anymail.urls import urlpatterns as all_of_anymail
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.dispatch import receiver
from django.urls import URLPattern
from django.utils.translation import gettext as _

from newsletter import bounces, deliveries, identity, reports
from newsletter.models import Bounce, Consent

# What a provider that did not send says of its reason not to.
REJECTED = {
    RejectReason.INVALID: Bounce.Kind.HARD,
    RejectReason.BOUNCED: Bounce.Kind.HARD,
    RejectReason.SPAM: Bounce.Kind.COMPLAINT,
}


def patterns(provider: str) -> list[URLPattern]:
    """The address of one provider's reports, `<provider>/tracking/`. Raises ImproperlyConfigured for an unknown one."""
    end = "_tracking_webhook"
    known = {pattern.name.removesuffix(end): pattern for pattern in all_of_anymail if pattern.name.endswith(end)}
    if provider not in known:
        raise ImproperlyConfigured(f"MAIL_PROVIDER must be one of {', '.join(sorted(known))}.")
    return [known[provider]]


urlpatterns = patterns(settings.MAIL_PROVIDER) if settings.MAIL_PROVIDER else []


@receiver(tracking)
def take(sender: Any, event: AnymailTrackingEvent, **named: Any) -> None:
    """Count a report about a delivery of ours, the first time it comes.

    *Deferred* is not counted: the provider goes on trying and reports again. *Delivered* settles what was unknown;
    that a mail arrived shows in that it never comes back.
    """
    delivery = _delivery(event)
    if delivery is None:
        return
    if event.event_type == EventType.DELIVERED:
        deliveries.resolve_unknown(delivery, accepted=True, detail=_("The mail provider says that it arrived."))
        return
    said = str(event.mta_response or event.description or "")[: reports.MAX_HEADER]
    status, code = reports.status_and_code("", said)
    kind = _kind(event, code, status)
    if kind is not None:
        bounces.record(delivery_id=delivery, kind=kind, status=status, detail=said, method=Consent.Method.WEBHOOK)
    elif status[1:3] == ".7":
        bounces.refused_by_policy(delivery, status)


def _delivery(event: AnymailTrackingEvent) -> int | None:
    found = (identity.delivery_of(str(text)[: reports.MAX_HEADER]) for text in _marks(event))
    return next((delivery for delivery in found if delivery is not None), None)


def _marks(event: AnymailTrackingEvent) -> Iterator[Any]:
    """Where providers give back what we wrote into a mail, and nothing that a reader's server can write."""
    yield event.message_id
    yield from (event.metadata or {}).values()
    # Amazon SES has an ID of its own and lists our headers (where that is turned on).
    mail = event.esp_event.get("mail") if isinstance(event.esp_event, dict) else None
    headers = mail.get("headers") if isinstance(mail, dict) else None
    for header in headers if isinstance(headers, list) else []:
        if str(header.get("name", "")).lower() == "message-id":
            yield header.get("value")


def _kind(event: AnymailTrackingEvent, code: int | None, status: str) -> Bounce.Kind | None:
    match event.event_type:
        case EventType.COMPLAINED:
            return Bounce.Kind.COMPLAINT
        case EventType.REJECTED:
            return REJECTED.get(event.reject_reason)
        case EventType.BOUNCED if code or status:
            return bounces.kind_of(code, status)
        case EventType.BOUNCED:
            return Bounce.Kind.HARD if _says_permanent(event) else Bounce.Kind.SOFT
    return None


def _says_permanent(event: AnymailTrackingEvent) -> bool:
    """Whether the provider's own words, without a code, say that it will never work.

    Postmark: Type "HardBounce"; Brevo and others: event "hard_bounce"; Amazon SES: "Permanent: General"; Mailgun:
    severity "permanent".
    """
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    data = raw.get("event-data")
    words = [event.description, raw.get("Type"), raw.get("event"), data.get("severity") if data else ""]
    return any(str(word).lower().startswith(("hard", "permanent")) for word in words)

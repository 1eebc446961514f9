"""Settings under which mail would not arrive, or would do harm; each with a remedy.

On a developer's machine nothing leaves, so that nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connections

from newsletter.smtp import SMTP_BACKEND
from publishing.models import SiteSettings

# Characters: 32 of a URL-safe token are 192 bits, and the signatures have 256.
SHORTEST_KEY = 32

NEW_KEY = 'Make one: python -c "import secrets; print(secrets.token_urlsafe(50))"'


def in_production(check: Callable[[], Iterator[CheckMessage]]) -> Callable[..., list[CheckMessage]]:
    """Make a check of a generator that is silent in development."""

    def run(app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
        return [] if settings.DEBUG else list(check())

    run.__name__ = check.__name__
    return run


@register(Tags.security)
@in_production
def keys() -> Iterator[CheckMessage]:
    """The keys of the links in mail."""
    if not settings.NEWSLETTER_KEYS:
        yield Error(
            "NEWSLETTER_KEYS is not set: no link in mail can be signed.",
            hint=f"{NEW_KEY}, and keep it for good: people unsubscribe with links of years ago.",
            id="newsletter.E001",
        )
    if settings.SECRET_KEY in settings.NEWSLETTER_KEYS:
        yield Error(
            "SECRET_KEY is also a key of the newsletter: it could never be changed.",
            hint=f"{NEW_KEY}, and put it in front of NEWSLETTER_KEYS.",
            id="newsletter.E002",
        )
    if any(len(key) < SHORTEST_KEY for key in settings.NEWSLETTER_KEYS):
        yield Error(
            f"A key in NEWSLETTER_KEYS is shorter than {SHORTEST_KEY} characters: it could be guessed.",
            hint=f"{NEW_KEY}, and put it in its place: the links that the short one signed stop working.",
            id="newsletter.E003",
        )


@register()
@in_production
def numbers() -> Iterator[CheckMessage]:
    """Numbers that make no sense."""
    if settings.MAIL_RATE < 0:
        yield Error(
            "MAIL_RATE is negative.",
            hint="Give the mails per second, or 0 for as fast as the relay takes them.",
            id="newsletter.E004",
        )
    if settings.SENDER_LEASE_SECONDS <= 0 or settings.SIGN_UP_BUDGET <= 0:
        yield Error(
            "SENDER_LEASE_SECONDS and SIGN_UP_BUDGET must be more than 0: nothing would be sent.",
            hint="Leave them unset for 120 and 300.",
            id="newsletter.E005",
        )


@register()
@in_production
def relay() -> Iterator[CheckMessage]:
    """Where mail is handed over."""
    if settings.EMAIL_BACKEND != SMTP_BACKEND:
        yield Warning(
            f"Mail does not leave: {settings.EMAIL_BACKEND} is no SMTP relay.",
            hint="Set EMAIL_URL to your provider's relay (submission://user:password@host:587).",
            id="newsletter.W001",
        )
    elif not settings.RELAY_IS_NAMED:
        yield Warning(
            "No relay is named: mail goes to port 25 of this machine, where perhaps nobody listens.",
            hint="Set EMAIL_URL: submission://user:password@host:587, or smtp://localhost:25 if that is meant.",
            id="newsletter.W002",
        )
    elif not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or is_this_machine(settings.EMAIL_HOST)):
        yield Warning(
            f"Mail to {settings.EMAIL_HOST} is not encrypted: the network can read who subscribes to what.",
            hint="Use submission:// (STARTTLS, port 587) or smtps:// (port 465) in EMAIL_URL.",
            id="newsletter.W003",
        )


@register()
@in_production
def addresses() -> Iterator[CheckMessage]:
    """The addresses that mail comes from and goes back to."""
    try:
        validate_email(settings.BOUNCE_ADDRESS)
    except ValidationError:
        yield Error(
            f"BOUNCE_ADDRESS ({settings.BOUNCE_ADDRESS}) is no mail address: every mail would be refused.",
            hint="Set it to a mailbox that takes +extensions, such as bounces@news.example.org.",
            id="newsletter.E006",
        )
        return
    yield from alignment(settings.MAIL_DOMAIN, "DEFAULT_FROM_EMAIL")


@register(deploy=True)
@in_production
def links() -> Iterator[CheckMessage]:
    """The address that links in mail lead to."""
    if not settings.SITE_URL.startswith("https://"):
        yield Warning(
            "Links in mail lead to http://: anybody on the way can use them.",
            hint="Serve the site over HTTPS and set SITE_URL to its https:// address.",
            id="newsletter.W004",
        )


@register(Tags.database)
def sender_address(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """The sender that editors have set; looked at by `migrate`, and by `check --database default`."""
    if settings.DEBUG:
        return []
    for alias in databases or []:
        if SiteSettings._meta.db_table in connections[alias].introspection.table_names():
            # One column: before a migration the table may lack newer ones.
            rows = SiteSettings.objects.using(alias).values_list("sender_address", flat=True)
            return [
                message
                for address in rows
                if address
                for message in alignment(address.rpartition("@")[2], "The sender of mail in the site's settings")
            ]
    return []


def alignment(domain: str, what: str) -> Iterator[CheckMessage]:
    """Whether a sender's domain may pass DMARC (RFC 7489, 3.1, relaxed): by SPF, which looks at the return path."""
    bounce = settings.BOUNCE_ADDRESS.rpartition("@")[2]
    if organisation(domain) != organisation(bounce):
        yield Warning(
            f"{what} is of {domain}, but mail goes back to {bounce}: SPF does not speak for the sender (DMARC).",
            hint="Let both be of one domain, or make sure that your relay signs with DKIM for the sender's, and add "
            '"newsletter.W005" to SILENCED_SYSTEM_CHECKS.',
            id="newsletter.W005",
        )
    site = urlsplit(settings.SITE_URL).hostname or ""
    if organisation(domain) != organisation(site):
        yield Warning(
            f"{what} is of {domain}, but the site is {site}: readers and spam filters do not see that they belong "
            "together.",
            hint="Use an address of the site's own domain, such as news@ or a sub-domain of it.",
            id="newsletter.W006",
        )


# The commonest endings with two labels of their own. The whole list (publicsuffix.org) has thousands and changes
# weekly; taking two organisations for one here only means that a warning is not given.
SECOND_LEVEL = {"ac", "co", "com", "edu", "gov", "gv", "net", "nhs", "or", "org"}


def organisation(domain: str) -> str:
    """The domain that an organisation registered, by a rule of thumb: the last two labels, or three below co.uk."""
    labels = domain.lower().strip(".").split(".")
    below_country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL
    return ".".join(labels[-3:] if below_country else labels[-2:])


def is_this_machine(host: str) -> bool:
    """Whether a relay is reached without a network."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() in {"localhost", "localhost.localdomain"}

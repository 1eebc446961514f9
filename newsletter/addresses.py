"""Addresses of people: how they are written, compared and kept when they must not be kept."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

# Providers that ignore dots in the part before the @.
_DOTLESS = {"gmail.com", "googlemail.com"}


def tidy(text: str) -> str:
    """The address as it is stored and written to: lower case, the domain in ASCII (RFC 5890).

    Takes what a person typed. Raises ValidationError with a sentence for them.
    """
    text = text.strip()
    if len(text) > 254 or not text.isprintable():
        raise ValidationError(_("This is not a mail address. It looks like name@example.org."))
    local, _at, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
        validate_email(f"{local}@{domain}")
    except (UnicodeError, ValidationError) as error:
        raise ValidationError(_("This is not a mail address. It looks like name@example.org.")) from error
    return f"{local}@{domain}".lower()


def canonical(address: str) -> str:
    """The mailbox that an address leads to, for caps: without +tag, and without dots where they mean nothing.

    Takes a tidy address. Two people may share a canonical form; nobody has two.
    """
    local, _at, domain = address.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def digests(address: str) -> list[str]:
    """HMAC-SHA256 (hex) of a tidy address under each of the newsletter's keys, the newest first."""
    return [
        hmac.digest(key.encode(), b"address:" + address.encode(), "sha256").hex() for key in settings.NEWSLETTER_KEYS
    ]


def digest(address: str) -> str:
    """The HMAC under the newest key: what is stored."""
    return digests(address)[0]

"""The signed links in mail. One purpose cannot be used for another, and the key is the newsletter's own."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse


class Purpose(StrEnum):
    """What a link is for; its address is `newsletter:<purpose>`."""

    CONFIRM = "confirm"
    CHOICES = "choices"
    UNSUBSCRIBE = "unsubscribe"
    EXPORT = "export"
    ERASE = "erase"


# Those that are not here never expire.
LIFETIMES = {
    Purpose.CONFIRM: timedelta(days=30),
    Purpose.EXPORT: timedelta(hours=24),
    Purpose.ERASE: timedelta(hours=24),
}


class BadLink(Exception):
    """The link is not one of ours, is for something else, or its time is over (`expired`)."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("expired" if expired else "bad link")
        self.expired = expired


def _signer(purpose: Purpose) -> signing.TimestampSigner:
    keys: list[str | bytes] = [*settings.NEWSLETTER_KEYS]
    return signing.TimestampSigner(key=keys[0], fallback_keys=keys[1:], sep=".", salt=f"newsletter.{purpose}")


def token(purpose: Purpose, subscriber: UUID) -> str:
    """The signed token of a person for one purpose: 73 characters of [A-Za-z0-9_.-]."""
    value = base64.urlsafe_b64encode(subscriber.bytes).rstrip(b"=").decode()
    return _signer(purpose).sign(value)


def read(purpose: Purpose, text: str) -> UUID:
    """Whose token this is. Raises BadLink."""
    try:
        value = _signer(purpose).unsign(text, max_age=LIFETIMES.get(purpose))
        return UUID(bytes=base64.urlsafe_b64decode(value + "=="))
    except signing.SignatureExpired:
        raise BadLink(expired=True) from None
    except (signing.BadSignature, binascii.Error, ValueError):
        raise BadLink from None


def url(purpose: Purpose, token: str) -> str:
    """The whole address of a token's page, which comes from the settings and from no request (I14)."""
    return settings.SITE_URL + reverse(f"newsletter:{purpose}", args=[token])

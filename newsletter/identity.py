"""How one delivery is known outside: its Message-ID, its return path (VERP) and its idempotency key.

All three are made from its ID and an HMAC, so that they are the same on every attempt (I5) and nobody else can make
one up.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator

from django.conf import settings

_TOKEN = re.compile(r"([0-9]{1,19})-([a-z2-7]{16})", re.IGNORECASE)


def token(delivery: int) -> str:
    """`<ID>-<80 bits of HMAC-SHA256>`: letters, digits and a hyphen, in any case."""
    return f"{delivery}-{next(_marks(delivery))}"


def _marks(delivery: int) -> Iterator[str]:
    """The HMAC of a delivery under each key, the newest first."""
    for key in settings.NEWSLETTER_KEYS:
        mark = hmac.digest(key.encode(), b"delivery:%d" % delivery, "sha256")
        yield base64.b32encode(mark[:10]).decode().lower()


def delivery_of(text: str) -> int | None:
    """The ID in the first token of ours that a text (an address, a Message-ID, a line of a log) holds, or None."""
    for number, mark in _TOKEN.findall(text):
        delivery = int(number)
        if any(hmac.compare_digest(mark.lower(), ours) for ours in _marks(delivery)):
            return delivery
    return None


def message_id(delivery: int) -> str:
    """The Message-ID (RFC 5322, 3.6.4), in angle brackets."""
    return f"<{token(delivery)}@{settings.MAIL_DOMAIN}>"


def return_path(delivery: int) -> str:
    """The envelope's sender, to which this mail would bounce: `bounces+<token>@domain`."""
    local, _at, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{token(delivery)}@{domain}"

"""What lies in a mailbox, read as a person's mail program and a mail scanner read it."""

from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import SMTP

from django.core import mail

from newsletter.sending import Sending

_URL = re.compile(r"""https?://[^\s"'<>]+""")


def deliver() -> list[EmailMessage]:
    """Let a sender send all that is due, through Django's mail backend for tests; the mails, oldest first."""
    before = len(mail.outbox)
    Sending().run_once()
    # The relay keeps the bytes as they were made.
    return [parsed(getattr(message, "bytes")) for message in mail.outbox[before:]]  # noqa: B009


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def urls(message: EmailMessage) -> list[str]:
    """Every web address in a mail, in its headers and in both of its parts."""
    headers = "\n".join(str(value) for value in message.values())
    texts = [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    found = _URL.findall("\n".join([headers, *texts]).replace("&amp;", "&"))
    return [url.rstrip(".,;)>") for url in found]


def link(message: EmailMessage, purpose: str) -> str:
    """The address of the page for a purpose, as it is in the text of a mail."""
    [found] = {url for url in urls(message) if f"/newsletter/{purpose}/" in url}
    return found

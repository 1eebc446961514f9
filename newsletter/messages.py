"""The bytes of a mail (RFC 5322, MIME): made once for all its readers, with the personal parts put in for each.

While the texts are rendered, a random word stands for each personal part. Nobody's text can hold it, and it is found
again in the finished bytes, also where quoted-printable has broken it over two lines. What is put in for it stands on
a line of its own between two soft line breaks (RFC 2045, 6.7), so that no line grows too long.

The standard library makes the MIME parts. The headers are folded here, because in Python 3.11 its new policies lose
spaces between encoded words, decode a "=?utf-8?…?=" that somebody typed, and encode addresses that are long.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, quote
from uuid import UUID

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from newsletter import identity, links
from newsletter.links import Purpose

# Mail programs cut off what is longer (Gmail at about 102 KB).
LARGEST = 100 * 1024
# Quoted-printable cannot hold "=_", so the texts cannot hold the boundary (RFC 2045, 6.7).
BOUNDARY = "=_text-and-html"
# RFC 2045 allows 76 characters a line of quoted-printable, two fewer than the policy's own limit.
_POLICY = SMTP.clone(max_line_length=76)

# The personal parts that are not links.
ADDRESS, MESSAGE_ID, KEY = "address", "message-id", "key"
Part = str | Purpose

_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What UTF-8 cannot hold, what nobody can see, and what turns the text around it.
_UNSEEN = re.compile("[\ud800-\udfff\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
# An address as addresses.tidy() leaves it, in ASCII: no second one beside it, no comment, no control character.
_MAILBOX = re.compile(r"""(?:[^\s"(),:;<>@\[\\\]]+|"[ -~]*")@[^\s"(),;<>@\\]+""")


class TooLarge(Exception):
    """A mail that mail programs would cut off; the message is a sentence for the editor."""

    def __init__(self, size: int) -> None:
        sentence = _("The mail would be %(size)d KB long, and mail programs cut off what is longer than %(most)d KB. "
                     "Take out some articles or shorten the opening text.")  # fmt: skip
        super().__init__(sentence % {"size": -(-size // 1024), "most": LARGEST // 1024})


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom one copy is for: the ID of the delivery, a tidy address, and the subscriber whose links it holds."""

    delivery: int
    address: str
    subscriber: UUID | None


class Marks:
    """The words that stand for personal parts in a mail that is being made."""

    def __init__(self) -> None:
        self.parts: dict[bytes, Part] = {}

    def put(self, part: Part) -> str:
        mark = f"m{secrets.token_hex(8)}"
        self.parts[mark.encode()] = part
        return mark

    def url(self, purpose: Purpose) -> str:
        """The address of a personal page."""
        return links.url(purpose, self.put(purpose))

    def split(self, data: bytes, *, soft: bool) -> tuple[list[bytes], list[tuple[int, Part]]]:
        """The pieces of some bytes, and which of them are to be replaced by what.

        `soft` tells that they are quoted-printable: what is put in then stands between soft line breaks, where there
        is not a line's beginning or end anyway.
        """
        marks = b"|".join(rb"(?:=\r\n)?".join(bytes([letter]) for letter in mark) for mark in self.parts)
        found = re.split(b"(%s)" % marks, data) if marks else [data]
        slots = []
        for place in range(1, len(found), 2):
            slots.append((place, self.parts[found[place].replace(b"=\r\n", b"")]))
            if soft and not found[place - 1].endswith(b"\n"):
                found[place - 1] += b"=\r\n"
            if soft and not found[place + 1].startswith((b"\r\n", b"=\r\n")):
                found[place + 1] = b"=\r\n" + found[place + 1]
        return found, slots


class MailTemplate:
    """A mail without its reader.

    Takes the texts with marks in them, the sender as (name, address), the time (the Date header), and more headers,
    which are written as they are. Raises TooLarge.
    """

    def __init__(
        self,
        *,
        subject: str,
        text: str,
        html: str,
        sender: tuple[str, str],
        at: datetime,
        headers: Iterable[tuple[str, str]],
        marks: Marks,
    ) -> None:
        lines = [
            mailbox_header("From", *sender),
            f"To: {marks.put(ADDRESS)}",
            text_header("Subject", subject),
            f"Date: {format_datetime(at)}",
            f"Message-ID: {marks.put(MESSAGE_ID)}",
            f"Idempotency-Key: {marks.put(KEY)}",
            *(header(name, value) for name, value in headers),
        ]
        head = "".join(f"{line}\r\n" for line in lines).encode("ascii")
        first, first_slots = marks.split(head, soft=False)
        rest, rest_slots = marks.split(_body(text, html), soft=True)
        self._pieces = first + rest
        self._slots = first_slots + [(place + len(first), part) for place, part in rest_slots]
        self._purposes = {part for _place, part in self._slots if isinstance(part, Purpose)}
        # As long as it can get: 254 characters of an address, about a hundred of anything else.
        size = sum(len(piece) for piece in self._pieces) + 254 + 100 * len(self._slots)
        if size > LARGEST:
            raise TooLarge(size)

    def personal(self, recipient: Recipient) -> bytes:
        """The whole message for one reader, with CRLF line ends. Its Message-ID and Idempotency-Key are the same on
        every attempt (I5).

        Raises ValueError for what is no address, and for links of nobody.
        """
        if not (recipient.address.isascii() and _MAILBOX.fullmatch(recipient.address)):
            raise ValueError("not an address as addresses.tidy() leaves it")
        message_id = identity.message_id(recipient.delivery)
        values: dict[Part, str] = {
            ADDRESS: recipient.address,
            MESSAGE_ID: message_id,
            KEY: message_id[1:].partition("@")[0],
        }
        if self._purposes:
            if recipient.subscriber is None:
                raise ValueError("this mail has personal links and no subscriber")
            values |= {purpose: links.token(purpose, recipient.subscriber) for purpose in self._purposes}
        pieces = self._pieces.copy()
        for place, part in self._slots:
            pieces[place] = values[part].encode("ascii")
        return b"".join(pieces)


def one_line(text: str, most: int = 200) -> str:
    """A text as a header or a line can hold it: no line breaks or control characters, at most so many characters."""
    cut = Truncator(_BREAKS.sub(" ", _UNSEEN.sub("", text)).strip())
    return str(cut.chars(most))


def header(name: str, value: str) -> str:
    """A header whose value is ASCII, on the next line where it is long. Raises ValueError for anything else."""
    if not (value.isascii() and value.isprintable()) or len(value) > 990:
        raise ValueError(f"not a value for {name}")
    return f"{name}: {value}" if len(name) + len(value) < 76 else f"{name}:\r\n {value}"


def text_header(name: str, text: str) -> str:
    """A header of free text, folded; in encoded words (RFC 2047) where it is not ASCII or could be taken for them."""
    text = one_line(text)
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return f"{name}: " + Header(text, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")


def mailbox_header(name: str, person: str, address: str) -> str:
    """A header with one mailbox. Takes a tidy address. Raises ValueError for what is none."""
    if not (address.isascii() and _MAILBOX.fullmatch(address)):
        raise ValueError(f"not an address for {name}")
    person = one_line(person, 80)
    if not person:
        return header(name, address)
    if person.isascii() and "=?" not in person:
        quoted = f'{name}: "{quote(person)}"'
        return f"{quoted} <{address}>" if len(quoted) + len(address) < 73 else f"{quoted}\r\n <{address}>"
    return f"{text_header(name, person)}\r\n <{address}>"


def _body(text: str, html: str) -> bytes:
    """The MIME headers, an empty line and both parts, in quoted-printable with CRLF."""
    message = EmailMessage(policy=_POLICY)
    message.set_content(text, cte="quoted-printable")
    message.make_alternative(boundary=BOUNDARY)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()

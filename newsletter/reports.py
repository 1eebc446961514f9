"""Reading returned mail: delivery reports (RFC 3464) and complaints (RFC 5965).

Only their structured parts are read, never free text. A mail that is neither, such as an automatic answer (RFC 3834),
says nothing about an address. Which delivery it is about is known by our own token alone: in the address that the
report was sent to (VERP), or in the copy of our mail that it holds.
"""

from __future__ import annotations

import email
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message

from newsletter import bounces, identity
from newsletter.models import Bounce, Consent

logger = logging.getLogger(__name__)

# Returned mail is ours, at most 100 KB, with a few lines of explanation. Foreign bytes are read within limits (I12).
MAX_BYTES = 10 * 1024 * 1024
MAX_PARTS = 100
# Lines that may begin a part, in all that is nested in it: each costs the parser some memory.
MAX_BOUNDARIES = 2000
MAX_HEADER = 2000

# Where a mail server writes the address that a mail was sent to.
RECIPIENT_HEADERS = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
# What holds our token in the copy of our mail.
OUR_HEADERS = ("Message-ID", "Return-Path")

# Feedback-Type (RFC 5965, 7.3) that is a reader's complaint; the others are "not-spam", "virus", "other", and
# "auth-failure" (RFC 6591).
COMPLAINTS = {"abuse", "fraud"}

_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"\b([45]\d\d)[ -]")


@dataclass(frozen=True)
class Report:
    """What a mail says about one delivery. Without a kind it is addressed to us and says nothing that counts."""

    delivery: int
    kind: Bounce.Kind | None = None
    status: str = ""
    detail: str = ""


def read(raw: bytes, recipient: str = "") -> Report | None:
    """What a mail says about a delivery of ours; None where it is about none.

    Takes the mail as it came, and the address that it was sent to where the mail server tells. Never raises.
    """
    if len(raw) > MAX_BYTES or raw.count(b"\n--") > MAX_BOUNDARIES:
        return None
    try:
        return _read(email.message_from_bytes(raw), recipient)
    except Exception as error:
        # The email package meets hostile bytes with errors of many kinds. Such a mail is nobody's report.
        logger.info("A returned mail could not be read: %s", type(error).__name__)
        return None


def take(raw: bytes, recipient: str = "") -> bool:
    """Read a mail and count what it says; return whether it is about a delivery of ours (and may be deleted)."""
    report = read(raw, recipient)
    if report is None:
        return False
    if report.kind is not None:
        bounces.record(
            delivery_id=report.delivery,
            kind=report.kind,
            status=report.status,
            detail=report.detail,
            method=Consent.Method.MAIL,
        )
    elif report.status[1:3] == ".7":
        bounces.refused_by_policy(report.delivery, report.status)
    return True


def _read(mail: Message, recipient: str) -> Report | None:
    parts = _parts(mail)
    delivery = _first([recipient[:MAX_HEADER], *_values(mail, RECIPIENT_HEADERS), *_copy_of_ours(parts)])
    if delivery is None:
        return None
    for part in parts:
        match part.get_content_type():
            case "message/delivery-status":
                return _delivery_status(delivery, part)
            case "message/feedback-report":
                return _feedback(delivery, part)
    return Report(delivery)


def _parts(mail: Message) -> list[Message]:
    """The parts of a report itself, not those of a mail within it."""
    payload = mail.get_payload()
    if mail.get_content_type() != "multipart/report" or not isinstance(payload, list):
        return []
    return [part for part in payload[:MAX_PARTS] if isinstance(part, Message)]


def _values(mail: Message, names: Iterable[str]) -> Iterator[str]:
    return (str(value)[:MAX_HEADER] for name in names for value in mail.get_all(name, []))


def _first(texts: Iterable[str]) -> int | None:
    found = (identity.delivery_of(text) for text in texts)
    return next((delivery for delivery in found if delivery is not None), None)


def _copy_of_ours(parts: list[Message]) -> Iterator[str]:
    """Where the copy of our mail, or a complaint about it, tells which one it is."""
    for part in parts:
        kind, payload = part.get_content_type(), part.get_payload()
        if kind == "text/rfc822-headers" and isinstance(payload, str):
            yield from _values(email.message_from_string(payload), OUR_HEADERS)
        elif kind == "message/rfc822" and isinstance(payload, list):
            for mail in payload[:1]:
                if isinstance(mail, Message):
                    yield from _values(mail, OUR_HEADERS)
        elif kind == "message/feedback-report":
            for fields in _fields(part):
                yield from _values(fields, ["Original-Mail-From"])


def _fields(part: Message) -> list[Message]:
    """The groups of fields in a machine-readable part, which the parser reads as headers."""
    payload = part.get_payload()
    if isinstance(payload, str):
        return [email.message_from_string(payload)]
    groups = payload[:MAX_PARTS] if isinstance(payload, list) else []
    return [group for group in groups if isinstance(group, Message)]


def _delivery_status(delivery: int, part: Message) -> Report:
    """What RFC 3464 says of the one recipient: *failed* counts; *delayed* is followed by another report."""
    for fields in _fields(part):
        action = str(fields.get("Action", "")).strip().lower()
        if action != "failed":
            continue
        diagnosis = " ".join(str(fields.get("Diagnostic-Code", ""))[:MAX_HEADER].split())
        status, code = status_and_code(str(fields.get("Status", "")), diagnosis)
        return Report(delivery, bounces.kind_of(code, status), status, diagnosis)
    return Report(delivery)


def status_and_code(status: str, diagnosis: str) -> tuple[str, int | None]:
    """The enhanced status and the reply code of a failure.

    Takes the Status field ("" if none) and what the other server said (RFC 3464, 2.3.6). Exim, for one, writes
    5.0.0 for everything: there the other server's own words are asked.
    """
    found = _STATUS.search(status)
    own = found[1] if found else ""
    said = diagnosis.partition(";")[2] if diagnosis.lower().startswith(("smtp;", "x-")) else diagnosis
    if not own or own.endswith(".0.0"):
        theirs = _STATUS.search(said[:40])
        own = theirs[1] if theirs else own
    code = _CODE.search(said[:40])
    return own, int(code[1]) if code else None


def _feedback(delivery: int, part: Message) -> Report:
    for fields in _fields(part):
        feedback = str(fields.get("Feedback-Type", "")).strip().lower()
        if feedback in COMPLAINTS:
            return Report(delivery, Bounce.Kind.COMPLAINT, detail=feedback)
    return Report(delivery)

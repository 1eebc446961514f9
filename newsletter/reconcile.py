"""Settling what is *unknown* by the relay's own log: it says which of our Message-IDs it has taken.

This is what makes handing over exactly-once with a relay of one's own (reliability.md, 3.4): the sender cannot know
what became of a mail when it was killed between the dot and the answer, but the relay does.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from django.utils.translation import gettext as _

from newsletter import deliveries, identity
from newsletter.models import Delivery

# Log lines are short. What a longer one holds is not looked at.
MAX_LINE = 8192

# Our token before an @, and not after a +: a Message-ID, and no return path (which a refusal names, too).
_MESSAGE_ID = re.compile(r"(?<![\w+-])(\d{1,19})-[a-z2-7]{16}@", re.IGNORECASE)
_RETURN_PATH = re.compile(r"from=<[^<>@]*[+](\d{1,19})-[a-z2-7]{16}@", re.IGNORECASE)
# 2026-10-05T08:00:01+00:00 mail postfix/cleanup[1234]: 4XyZ: message-id=<…>
_POSTFIX = re.compile(r"\bpostfix(?:-\w+)?/(?:\w+/)*(\w+)\[\d+\]: ([0-9A-Za-z]+): (.*)")
# How Exim and others write that they did not take a mail, in a line that may hold its Message-ID.
_REFUSED = re.compile(r"reject|refus|denied|drop|discard|defer|lost connection", re.IGNORECASE)


@dataclass
class Found:
    """What a log said: how many unknown deliveries there were, which it has taken, which it does not name."""

    unknown: int = 0
    accepted: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)


def reconcile(paths: Iterable[Path | BinaryIO], *, complete: bool = False) -> Found:
    """Settle unknown deliveries by the relay's logs: what a log says was taken is *sent*.

    Takes log files (gzip by their ending) or open streams, read line by line. `complete` is the operator's word that
    they hold everything from before the oldest unknown delivery until now; then what they do not name was never taken
    and is queued again. Raises OSError for a file that cannot be read.
    """
    # Those of now: what becomes unknown while a log is read may be written in it later.
    unknown = set(Delivery.objects.filter(state=Delivery.State.UNKNOWN).values_list("pk", flat=True))
    found = Found(unknown=len(unknown))
    taken: set[int] = set()
    for path in paths:
        with _opened(path) as lines:
            taken |= accepted_in(lines, unknown - taken)
    for delivery in sorted(taken):
        if deliveries.resolve_unknown(delivery, accepted=True, detail=_("The relay's log says that it was taken.")):
            found.accepted.append(delivery)
    found.missing = sorted(unknown - taken)
    if complete:
        for delivery in found.missing:
            deliveries.resolve_unknown(
                delivery, accepted=False, detail=_("The relay's log says that it was never taken.")
            )
    return found


def accepted_in(lines: Iterable[bytes], wanted: Iterable[int]) -> set[int]:
    """Which of these deliveries the lines of a log say were taken.

    Knows the lines of Postfix, where a Message-ID is written before the mail is taken, the tests' JSON, and takes
    any other line with one of our Message-IDs as an arrival (Exim: `<= … id=…`) unless it says otherwise.
    """
    wanted = set(wanted)
    # Postfix: which queue ID is which of ours, until it is taken.
    queue: dict[str, int] = {}
    taken: set[int] = set()
    for raw in lines:
        line = raw[:MAX_LINE].decode("utf-8", "replace")
        if postfix := _POSTFIX.search(line):
            delivery = _postfix(queue, wanted, *postfix.groups())
        elif line.startswith("{"):
            delivery = _json(wanted, line)
        else:
            delivery = None if _REFUSED.search(line) else _ours(_MESSAGE_ID, line, wanted)
        if delivery is not None:
            taken.add(delivery)
    return taken


def _ours(pattern: re.Pattern[str], line: str, wanted: set[int]) -> int | None:
    """The delivery that a line names by our token; the signature is computed only for those that are looked for."""
    for match in pattern.finditer(line):
        if int(match[1]) in wanted and identity.delivery_of(match[0]) == int(match[1]):
            return int(match[1])
    return None


def _postfix(queue: dict[str, int], wanted: set[int], service: str, entry: str, rest: str) -> int | None:
    """What a line of Postfix says was taken.

    `cleanup` writes the Message-ID while the text still comes in. Only the queue manager, and whoever delivers it
    then, speak of a mail that was taken: also when it came back later.
    """
    if service == "cleanup":
        queue.pop(entry, None)  # queue IDs are used again
        if "message-id=" in rest and (delivery := _ours(_MESSAGE_ID, rest, wanted)) is not None:
            queue[entry] = delivery
        return None
    if service == "qmgr" and "queue active" in rest:
        return queue.get(entry) or _ours(_RETURN_PATH, rest, wanted)
    return queue.get(entry) if " status=" in rest else None


def _json(wanted: set[int], line: str) -> int | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("event") != "accepted":
        return None
    return _ours(_MESSAGE_ID, str(entry.get("message_id", "")), wanted)


@contextmanager
def _opened(path: Path | BinaryIO) -> Iterator[Iterable[bytes]]:
    if not isinstance(path, Path):
        yield _lines(path)
        return
    with cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as file:
        yield _lines(file)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, of a hostile file too: what is longer comes in pieces."""
    return iter(lambda: file.readline(MAX_LINE), b"")

"""Subscribers from a CSV file: people who confirmed elsewhere are added, and nobody who is known here is changed.

An import only adds. It raises no status, brings back nobody who left, bounced or was erased, and sends nothing.
The dry run and the import judge each line by the same function. Killed halfway and begun again, or done twice, it
comes to the same: whoever was added is there already.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter import addresses, clock
from newsletter.exporting import plain
from newsletter.models import Consent, Subscriber, SubscriberFile, Suppression

MOST_BYTES = 5 * 1024 * 1024
# A few seconds' work: what is longer is for the command, which no web server cuts short.
MOST_ROWS = 20_000
# A line longer than this is no line about a person.
MOST_CHARACTERS = 2_000
# People added in one transaction: nobody waits for it longer than the blink of an eye.
CHUNK = 200
# How many lines of each outcome are shown.
SAMPLES = 10
# How long an uploaded file waits for its import.
KEPT = timedelta(hours=1)

Status = Subscriber.Status
_FREQUENCIES, _STATUSES = Subscriber.Frequency.values, Status.values
# Who is in the file twice is what the later in this list says: it never makes anybody more subscribed.
_STRICTER = [Status.PENDING, Status.CONFIRMED, Status.UNSUBSCRIBED, Status.BOUNCED, Status.COMPLAINED]
_EVENTS = {
    Status.CONFIRMED: Consent.Event.IMPORTED,
    Status.UNSUBSCRIBED: Consent.Event.UNSUBSCRIBED,
    Status.BOUNCED: Consent.Event.BOUNCED,
    Status.COMPLAINED: Consent.Event.COMPLAINED,
}
# Other names of the column that must be there.
_ADDRESS = {"email", "e_mail", "mail", "email_address", "e_mail_address", "mail_address"}
_READ = {"address", "status", "confirmed_at", "left_at", "language", "frequency", "paused_until"}
# An export has it; who is imported signed up here on the day of the import.
_KNOWN = _READ | {"signed_up_at"}


class Unreadable(Exception):
    """Nothing in the file can be used; the message is for the person who chose it."""


class Outcome(TextChoices):
    """What becomes of a line."""

    ADD = "add", gettext_lazy("Added as subscribers")
    ADD_STOPPED = "add-stopped", gettext_lazy("Added as people who get no mail, as the file says")
    THERE = "there", gettext_lazy("Here already: left alone")
    LEFT = "left", gettext_lazy("Left, or their address does not work: left alone")
    SUPPRESSED = "suppressed", gettext_lazy("Erased at their wish: left alone")
    DIFFERS = "differs", gettext_lazy("Subscribed here, but not in the file: left alone, look at them")
    UNCONFIRMED = "unconfirmed", gettext_lazy("Never confirmed: left out")
    TWICE = "twice", gettext_lazy("In the file more than once: the stricter line counts")
    INVALID = "invalid", gettext_lazy("Cannot be read: left out")


ADDING = (Outcome.ADD, Outcome.ADD_STOPPED)


@dataclass(frozen=True)
class Row:
    """What a line says of a person."""

    line: int
    address: str
    status: Subscriber.Status
    language: str
    frequency: str
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    paused_until: date | None = None


@dataclass(frozen=True)
class Sample:
    line: int
    address: str = ""
    reason: str = ""


@dataclass
class Report:
    """How many lines come to what, with the first few of each."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    samples: dict[Outcome, list[Sample]] = field(default_factory=dict)
    # Columns that say nothing here.
    unread: list[str] = field(default_factory=list)

    @property
    def adding(self) -> int:
        return sum(self.counts[outcome] for outcome in ADDING)

    def count(self, outcome: Outcome, line: int, address: str = "", reason: str = "") -> None:
        self.counts[outcome] += 1
        samples = self.samples.setdefault(outcome, [])
        if len(samples) < SAMPLES:
            samples.append(Sample(line, address, reason))

    def lines(self) -> list[tuple[str, int, list[Sample]]]:
        """Each outcome that there is: its name, how many, and samples."""
        return [
            (str(outcome.label), self.counts[outcome], self.samples[outcome])
            for outcome in Outcome
            if self.counts[outcome]
        ]


# --- Reading ---------------------------------------------------------------------------------------------------


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark. Raises Unreadable."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = _("Line %(line)s is not written in UTF-8. Save the file as “CSV UTF-8” and choose it again.")
        raise Unreadable(message % {"line": line}) from error
    if "\x00" in text:
        raise Unreadable(_("This is not a text file. Save it as “CSV UTF-8” and choose it again."))
    return text


def read(text: str, *, most: int = MOST_ROWS) -> tuple[list[Row], Report]:
    """The people in a file, each once, and a report that counts the lines which say nothing usable.

    The first line names the columns, separated by commas or semicolons; *address* must be there. Takes the most
    lines that it may have. Raises Unreadable.
    """
    records = _records(text)
    _line, names = next(records, (1, []))
    columns = _columns(names)
    report = Report(unread=sorted(set(columns) - _KNOWN - {""}))
    now = clock.now()
    found: dict[str, Row] = {}
    # One line about them cannot be read: perhaps the one that says that they left.
    doubtful: set[str] = set()
    for count, (line, fields) in enumerate(records, start=1):
        if count > most:
            message = _(
                "The file has more than %(most)s lines. Divide it, or ask an administrator for the command "
                "import_subscribers."
            )
            raise Unreadable(message % {"most": most})
        address = ""
        try:
            values = _values(columns, fields)
            address = addresses.tidy(values["address"])
            row = _row(line, address, values, now)
        except ValidationError as error:
            report.count(Outcome.INVALID, line, reason=" ".join(error.messages))
            doubtful.add(address)
            continue
        if other := found.get(address):
            row, other = sorted((row, other), key=lambda one: _STRICTER.index(one.status), reverse=True)
            report.count(Outcome.TWICE, other.line, address)
        found[address] = row
    for address in doubtful & found.keys():
        report.count(Outcome.INVALID, found.pop(address).line, address, _("Another line about them cannot be read."))
    return list(found.values()), report


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of each record, with its first line. Blank ones are passed over. Raises Unreadable."""
    first = text.partition("\n")[0]
    reader = csv.reader(_lines(text), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Whatever follows may be inside of them, also the line that says that somebody left.
            message = _("The quotation marks from line %(line)s on do not match.")
            raise Unreadable(message % {"line": line}) from error
        if any(value.strip() for value in fields):
            yield line, fields


def _lines(text: str) -> Iterator[str]:
    # Not splitlines(): it also divides at characters that stand inside a field.
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if len(line) > MOST_CHARACTERS:
            raise Unreadable(
                _("Line %(line)s is longer than %(most)s characters.") % {"line": number, "most": MOST_CHARACTERS}
            )
        yield line + "\n"


def _columns(names: list[str]) -> list[str]:
    """The names of the columns as this module writes them. Raises Unreadable."""
    columns = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    if "address" not in columns:
        columns = ["address" if name in _ADDRESS else name for name in columns]
    if "address" not in columns:
        raise Unreadable(_("The first line must name the columns, and one of them must be “address”."))
    if twice := [name for name, count in Counter(columns).items() if count > 1 and name in _READ]:
        raise Unreadable(_("Two columns have the same name: %(name)s.") % {"name": twice[0]})
    return columns


def _values(columns: list[str], fields: list[str]) -> dict[str, str]:
    if len(fields) != len(columns):
        # A line that was cut short may have lost the word that says that somebody left.
        message = _("It has %(here)s columns where the first line has %(there)s.")
        raise ValidationError(message % {"here": len(fields), "there": len(columns)})
    return {name: plain(value.strip()) for name, value in zip(columns, fields, strict=True)}


def _row(line: int, address: str, values: dict[str, str], now: datetime) -> Row:
    """What a line says. Raises ValidationError with a sentence that says what is wrong with it."""
    confirmed_at = _moment("confirmed_at", values, now)
    left_at = _moment("left_at", values, now)
    frequency = _one_of("frequency", values, _FREQUENCIES) or Subscriber.Frequency.EVERY
    status = _one_of("status", values, _STATUSES) or (Status.CONFIRMED if confirmed_at else Status.PENDING)
    if status == Status.CONFIRMED:
        if confirmed_at is None:
            raise ValidationError(_("It says “confirmed”, but not when: confirmed_at is empty."))
        if left_at is not None:
            raise ValidationError(_("It says “confirmed”, and also when they left."))
    paused_until = values.get("paused_until", "")
    return Row(
        line=line,
        address=address,
        status=Status(status),
        language=_language(values.get("language", "")),
        frequency=frequency,
        confirmed_at=confirmed_at,
        left_at=left_at,
        paused_until=_day("paused_until", paused_until) if paused_until else None,
    )


def _one_of(name: str, values: dict[str, str], known: list[str]) -> str:
    value = values.get(name, "").lower()
    if value and value not in known:
        message = _("“%(value)s” is no %(name)s. Known are: %(known)s.")
        raise ValidationError(message % {"value": value[:40], "name": name, "known": ", ".join(known)})
    return value


def _language(value: str) -> str:
    """The site's language that a code names, also as a variety of it (de-AT). Empty is the site's first language."""
    known = {code.lower(): code for code, _name in settings.LANGUAGES}
    code = value.lower().replace("_", "-")
    found = known.get(code) or known.get(code.partition("-")[0])
    if value and not found:
        message = _("The site has no language “%(value)s”. Known are: %(known)s.")
        raise ValidationError(message % {"value": value[:40], "known": ", ".join(known)})
    return found or settings.LANGUAGE_CODE


def _moment(name: str, values: dict[str, str], now: datetime) -> datetime | None:
    """A time of the past (ISO 8601); without a zone it is the site's, and a day begins at midnight."""
    value = values.get(name, "")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = datetime.combine(_day(name, value), time())
    # Before it is made aware: the first and last days of the calendar have no time in other zones.
    if not 1990 <= moment.year <= now.year + 1:
        raise ValidationError(_("%(name)s cannot be in the year %(year)s.") % {"name": name, "year": moment.year})
    moment = (moment if timezone.is_aware(moment) else timezone.make_aware(moment)).astimezone(UTC)
    if moment > now:
        raise ValidationError(_("%(name)s is in the future.") % {"name": name})
    return moment


def _day(name: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        message = _("“%(value)s” in %(name)s is no date. Write it as 2025-12-31, or 2025-12-31 18:30.")
        raise ValidationError(message % {"value": value[:40], "name": name}) from error


# --- Judging ---------------------------------------------------------------------------------------------------


def judge(rows: Sequence[Row]) -> list[Outcome]:
    """What becomes of each of a few hundred people, as things are now, in two queries."""
    # First who is here, then who was erased: whoever is erased between the two is found by the second.
    here = dict(Subscriber.objects.filter(address__in=[row.address for row in rows]).values_list("address", "status"))
    digests = {row.address: addresses.digests(row.address) for row in rows}
    every = [one for several in digests.values() for one in several]
    suppressed = set(Suppression.objects.filter(pk__in=every).values_list("pk", flat=True))
    return [_outcome(row, here.get(row.address), not suppressed.isdisjoint(digests[row.address])) for row in rows]


def _outcome(row: Row, here: str | None, suppressed: bool) -> Outcome:
    stopped = row.status not in {Status.CONFIRMED, Status.PENDING}
    if here in {Status.PENDING, Status.CONFIRMED}:
        return Outcome.DIFFERS if stopped and here == Status.CONFIRMED else Outcome.THERE
    if here is not None:
        return Outcome.LEFT
    if suppressed:
        return Outcome.SUPPRESSED
    if row.status == Status.PENDING:
        return Outcome.UNCONFIRMED
    return Outcome.ADD_STOPPED if stopped else Outcome.ADD


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def look(text: str, *, most: int = MOST_ROWS) -> Report:
    """The dry run: what an import would do now. Changes nothing. Raises Unreadable."""
    rows, report = read(text, most=most)
    for chunk in _chunks(rows):
        for row, outcome in zip(chunk, judge(chunk), strict=True):
            report.count(outcome, row.line, row.address)
    return report


# --- Adding ----------------------------------------------------------------------------------------------------


def bring_in(text: str, *, consent: str, by: AbstractBaseUser | None, most: int = MOST_ROWS) -> Report:
    """Add the people in a file that the dry run says can be added; say what was done. Raises Unreadable.

    Takes where their consent comes from, in words, which go on record for each of them, and who imports. A chunk is a
    transaction: an import that was cut short goes on when it is begun again.
    """
    rows, report = read(text, most=most)
    for chunk in _chunks(rows):
        with transaction.atomic():
            outcomes = judge(chunk)
            wanted = [row for row, outcome in zip(chunk, outcomes, strict=True) if outcome in ADDING]
            added = _add(wanted, consent=consent, by=by)
        for row, outcome in zip(chunk, outcomes, strict=True):
            late = outcome in ADDING and row.address not in added
            report.count(Outcome.THERE if late else outcome, row.line, row.address)
    return report


def _add(rows: list[Row], *, consent: str, by: AbstractBaseUser | None) -> set[str]:
    """Add people and the record of their consent; return the addresses of those who were added.

    Somebody may sign up in the very same moment. Then theirs is the row that stays.
    """
    now = clock.now()
    people = [_person(row, now) for row in rows]
    Subscriber.objects.bulk_create(people, ignore_conflicts=True)
    ours = Subscriber.objects.filter(uuid__in=[person.uuid for person in people])
    added = set(ours.values_list("address", flat=True))
    records = [
        Consent(
            address_hmac=person.address_hmac,
            event=_EVENTS[row.status],
            method=Consent.Method.IMPORT,
            words=consent,
            language=row.language,
            detail=_detail(row),
            by_id=by.pk if by else None,
            at=now,
        )
        for row, person in zip(rows, people, strict=True)
        if row.address in added
    ]
    Consent.objects.bulk_create(records)
    return added


def _person(row: Row, now: datetime) -> Subscriber:
    """Their row. They signed up here now: nothing that was on its way before is for them."""
    stopped = row.status != Status.CONFIRMED
    return Subscriber(
        address=row.address,
        address_hmac=addresses.digest(row.address),
        status=row.status,
        language=row.language,
        frequency=row.frequency,
        paused_until=row.paused_until,
        signed_up_at=now,
        confirmed_at=row.confirmed_at,
        left_at=(row.left_at or now) if stopped else None,
    )


def _detail(row: Row) -> str:
    """When it was, elsewhere: the record itself is of the day of the import."""
    if row.left_at:
        return _("Elsewhere on %(day)s") % {"day": f"{row.left_at:%Y-%m-%d}"}
    if row.confirmed_at and row.status == Status.CONFIRMED:
        return _("Confirmed elsewhere on %(day)s") % {"day": f"{row.confirmed_at:%Y-%m-%d}"}
    return ""


# --- Between the two -------------------------------------------------------------------------------------------


def forget_files() -> int:
    """Delete uploaded files whose hour is over; return how many."""
    deleted, _each = SubscriberFile.objects.filter(at__lt=clock.now() - KEPT).delete()
    return deleted

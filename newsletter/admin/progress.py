"""How far an issue is, in figures and in words: what its page, its address for scripts and the lists say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter import clock
from newsletter.models import Delivery, Issue, Sender

State = Delivery.State
MINUTE = timedelta(minutes=1)
NOTHING = "\u2013"

# The rows of the table in the order of a mail's life; a row may stand for several states.
ROWS: tuple[tuple[str, tuple[str, ...], str | Promise], ...] = (
    ("queued", (State.QUEUED,), gettext_lazy("Waits for its turn.")),
    ("flight", (State.CLAIMED, State.DOT), gettext_lazy("A sender is at it.")),
    ("deferred", (State.DEFERRED,), gettext_lazy("The relay asked us to try later.")),
    ("sent", (State.SENT,), gettext_lazy("The relay has taken it over.")),
    ("failed", (State.FAILED,), gettext_lazy("The relay refused it for good, or it was tried too often.")),
    (
        "unknown",
        (State.UNKNOWN,),
        gettext_lazy("Handed over, but the answer was lost. Nobody gets it twice until you decide."),
    ),
    (
        "suppressed",
        (State.SUPPRESSED,),
        gettext_lazy("Unsubscribed, paused or erased meanwhile, or nothing was left to send."),
    ),
    ("poisoned", (State.POISONED,), gettext_lazy("It could not be made, three times.")),
    ("cancelled", (State.CANCELLED,), gettext_lazy("The issue was cancelled before its turn.")),
)
# The states whose deliveries are listed one by one.
LISTED = (State.FAILED, State.UNKNOWN, State.POISONED, State.DEFERRED, State.SUPPRESSED)


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    name: str
    label: str
    meaning: str
    count: int
    listed: str = ""

    @property
    def number(self) -> str:
        return number(self.count)


def number(value: int) -> str:
    """A count as people of the language write it: 10,000."""
    return number_format(value, force_grouping=True)


def open_in(counts: Mapping[str, int]) -> int:
    """How many are not settled yet."""
    return sum(counts[state] for state in Delivery.OPEN)


def in_short(issue: Issue, counts: Mapping[str, int]) -> str:
    """How far it is, for a list: “8,123 of 10,000”, and what somebody must look at."""
    total = sum(counts.values())
    if not total:
        return ""
    said = _("%(done)s of %(total)s") % {
        "done": number(total - open_in(counts)),
        "total": number(issue.recipients if issue.prepared_at else total),
    }
    if undecided := counts[State.UNKNOWN] + counts[State.POISONED]:
        said += ", " + ngettext("%s to decide", "%s to decide", undecided) % number(undecided)
    return said


def in_words(span: timedelta) -> str:
    """About how long that is."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 90:
        return ngettext("about %d minute", "about %d minutes", minutes) % minutes
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("about %d hour", "about %d hours", hours) % hours
    return _("about %d days") % round(hours / 24)


class Progress:
    """The figures of an issue at one moment. All counts come from one grouped query, so that they add up."""

    def __init__(self, issue: Issue, counts: Mapping[str, int]) -> None:
        self.issue = issue
        self.counts = counts
        self.now: datetime = clock.now()
        self.total = sum(counts.values())
        self.left = open_in(counts)
        self.done = self.total - self.left

    @property
    def running(self) -> bool:
        """Whether the figures may still change by themselves."""
        state = self.issue.state
        if state == Issue.State.CANCELLED:  # a sender counts what is left as cancelled
            return self.left > 0
        under_way = {Issue.State.WAITING, Issue.State.PREPARING, Issue.State.SENDING}
        return state in under_way or self.counts[State.CLAIMED] + self.counts[State.DOT] > 0

    @property
    def lines(self) -> list[Line]:
        return [
            Line(
                name,
                str(State(states[0]).label),
                str(meaning),
                sum(self.counts[state] for state in states),
                states[0] if states[0] in LISTED else "",
            )
            for name, states, meaning in ROWS
        ]

    @property
    def adds_up(self) -> bool:
        """Whether the states add up to the snapshot (I7). Until it is taken there is nothing to compare."""
        return self.issue.prepared_at is None or self.total == self.issue.recipients

    @property
    def percent(self) -> int:
        """How much is settled, rounded down: 100 is said of nothing that is not done."""
        return self.done * 100 // self.total if self.total else 0

    @cached_property
    def per_minute(self) -> int | None:
        """Mails that the relay took in the last minute; None where nothing is being sent.

        `due_at` of a settled delivery is when it was settled, and the index leads to it: counting touches the rows
        of that minute only. An issue that has been sent for less than a minute is not measured against a whole one.
        """
        if self.issue.state != Issue.State.SENDING or self.issue.prepared_at is None:
            return None
        begun = max(self.issue.prepared_at, self.now - MINUTE)
        seconds = max((self.now - begun).total_seconds(), 1)
        recent = Delivery.objects.filter(issue=self.issue, state=State.SENT, due_at__gt=begun)
        return round(recent.count() * 60 / seconds)

    @property
    def time_left(self) -> str:
        if self.issue.state != Issue.State.SENDING or not self.left:
            return ""
        if self.left == self.counts[State.DEFERRED]:
            return _("until the last is tried again")
        return in_words(timedelta(minutes=self.left / self.per_minute)) if self.per_minute else ""

    @property
    def starts_in(self) -> int | None:
        """Seconds until it starts; None where it does not wait. While they last a click takes it back."""
        if self.issue.state != Issue.State.WAITING or self.issue.starts_at is None:
            return None
        return max(0, round((self.issue.starts_at - self.now).total_seconds()))

    @property
    def starts_after(self) -> str:
        """The same in words, where it is too long to be counted down."""
        return in_words(timedelta(seconds=self.starts_in)) if self.starts_in and self.starts_in > 120 else ""

    @property
    def sentence(self) -> str:
        """Where it stands, in a sentence."""
        state, values = self.issue.state, {"done": number(self.done), "total": number(self.total)}
        if state == Issue.State.WAITING:
            return _("Nothing has been sent yet.")
        if state == Issue.State.PREPARING:
            return _("%(total)s recipients taken down so far. The first mail goes out when all are.") % values
        if not self.total:
            return _("Nothing was sent.")
        if state == Issue.State.FINISHED and not self.left:
            return _("All %(total)s are settled.") % values
        return _("%(done)s of %(total)s are settled.") % values

    @property
    def figures(self) -> dict[str, str]:
        """What changes on the page, by the name of its place."""
        rate = self.per_minute
        return {line.name: line.number for line in self.lines} | {
            "total": number(self.total),
            "sentence": self.sentence,
            "percent": f"{self.percent} %",
            "rate": NOTHING if rate is None else ngettext("%s mail a minute", "%s mails a minute", rate) % number(rate),
            "left": self.time_left or NOTHING,
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.issue.state,
            "running": self.running,
            "percent": self.percent,
            "starts_in": self.starts_in,
            "figures": self.figures,
        }


def sender_runs() -> bool:
    """Whether a sender holds a lease."""
    return Sender.objects.filter(ended_at=None, leased_until__gt=clock.now()).exists()

"""How the number of subscribers grew: who came, who left, and how many there were, month by month.

It is counted from the record of consent, which is only added to; nobody is watched for it. The chart is an SVG
drawn here, with the same numbers in a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from django.core.cache import cache
from django.db.models import Case, CharField, Count, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from newsletter import clock
from newsletter.models import Consent, Subscriber

Event = Consent.Event
# An event that makes somebody a subscriber. (A lifted stop does so too, where they had wished for mail last.)
JOINING = (Event.CONFIRMED, Event.IMPORTED)
# An event that ends it, if they were one: who bounced may be erased afterwards, and left once.
LEAVING = (Event.UNSUBSCRIBED, Event.BOUNCED, Event.COMPLAINED, Event.ERASED)
MONTHS = 12
# How long a month that is over is remembered (seconds).
KEPT = 7 * 24 * 60 * 60


@dataclass(frozen=True)
class Month:
    """A month in the site's time zone, and how many subscribers there were at its end (or are now)."""

    first: date
    joined: int
    left: int
    total: int

    @property
    def name(self) -> str:
        return date_format(self.first, "YEAR_MONTH_FORMAT")

    @property
    def short(self) -> str:
        """A letter or three, as narrow columns need it."""
        return date_format(self.first, "M")

    @property
    def numbers(self) -> list[str]:
        """Came, left, and how many there were, as people write numbers."""
        return [_number(value) for value in (self.joined, self.left, self.total)]


def _number(value: int) -> str:
    return number_format(value, force_grouping=True)


# --- Counting --------------------------------------------------------------------------------------------------


def months(number: int = MONTHS) -> list[Month]:
    """The last months, the present one included, the oldest first.

    A month that is over is counted once: the record of it is not changed any more. The numbers, which name nobody,
    are then kept in the site's cache.
    """
    begins = _beginnings(timezone.localtime(clock.now()), number)
    spans = list(pairwise(begins))
    keys = {span: f"newsletter.growth:{span[0].isoformat()}" for span in spans[:-1]}
    kept = cache.get_many(keys.values())
    missing = {span: _counted(*span) for span in spans if keys.get(span) not in kept}
    cache.set_many({keys[span]: counted for span, counted in missing.items() if span in keys}, KEPT)
    total = Subscriber.objects.filter(status=Subscriber.Status.CONFIRMED).count()
    found = []
    # Back from today, which is counted: what came before the record began needs no guess.
    for span in reversed(spans):
        joined, left = missing[span] if span in missing else kept[keys[span]]
        found.append(Month(span[0].date(), joined, left, total))
        total -= joined - left
    return found[::-1]


def _beginnings(now: datetime, number: int) -> list[datetime]:
    """The first moments of the last months and of the next one, in the site's time zone."""
    last = now.year * 12 + now.month - 1
    places = [divmod(last - back, 12) for back in range(number - 1, -2, -1)]
    return [timezone.make_aware(datetime(year, month + 1, 1)) for year, month in places]


def _counted(begin: datetime, end: datetime) -> tuple[int, int]:
    """How many came and how many left in a span of time. Two queries."""
    within = Consent.objects.filter(at__gte=begin, at__lt=end).order_by()
    joined, left = within.filter(event__in=JOINING).count(), 0
    for event, before, wish, people in _ends(within):
        if event == Event.LIFTED:
            joined += people if wish in JOINING else 0
        elif before in JOINING or (before == Event.LIFTED and wish in JOINING):
            left += people
    return joined, left


def _ends(within: QuerySet[Consent]) -> Iterable[tuple[str, str | None, str | None, int]]:
    """Ends and lifted stops, by the event, the event before it, and what the person had last wished."""
    earlier = Consent.objects.filter(address_hmac=OuterRef("address_hmac"), pk__lt=OuterRef("pk")).order_by("-pk")

    def last(*events: Consent.Event) -> Subquery:
        return Subquery(earlier.filter(event__in=events).values("event")[:1])

    before = last(*JOINING, *LEAVING, Event.LIFTED)
    wish = Case(
        # Who was erased takes every earlier wish with them.
        When(Q(event=Event.LIFTED) | Q(before=Event.LIFTED), then=last(*JOINING, Event.UNSUBSCRIBED, Event.ERASED)),
        output_field=CharField(),
    )
    rows = within.filter(event__in=[*LEAVING, Event.LIFTED]).annotate(before=before, wish=wish)
    found: QuerySet[Any, Any] = rows.values_list("event", "before", "wish").annotate(people=Count("pk"))
    return found


# --- Drawing ---------------------------------------------------------------------------------------------------

# In units of the drawing, which is about as wide as a phone: its letters are readable there.
WIDTH, HEIGHT = 380, 230
LEFT, TOP, BOTTOM = 46, 10, 24


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    joined_y: float
    joined_height: float
    left_y: float
    left_height: float
    label_x: float
    label: str


@dataclass(frozen=True)
class Line:
    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """A drawing of months: bars up for who came, hatched bars down for who left."""

    months: list[Month]
    bars: list[Bar]
    lines: list[Line]
    zero: float
    description: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT

    @property
    def newest(self) -> list[Month]:
        """The months as the table lists them."""
        return self.months[::-1]


def chart(months: list[Month]) -> Chart:
    """The drawing of some months."""
    step = _step(max([1, *(month.joined for month in months), *(month.left for month in months)]))
    above = max(1, -(-max((month.joined for month in months), default=0) // step))
    below = -(-max((month.left for month in months), default=0) // step)
    unit = (HEIGHT - TOP - BOTTOM) / ((above + below) * step)
    zero = round(TOP + above * step * unit, 1)
    slot = (WIDTH - LEFT) / max(len(months), 1)
    bars = [
        Bar(
            x=round(LEFT + slot * (place + 0.2), 1),
            width=round(slot * 0.6, 1),
            joined_y=round(zero - month.joined * unit, 1),
            joined_height=round(month.joined * unit, 1),
            left_y=zero,
            left_height=round(month.left * unit, 1),
            label_x=round(LEFT + slot * (place + 0.5), 1),
            label=month.short,
        )
        for place, month in enumerate(months)
    ]
    lines = [
        Line(round(zero - place * step * unit, 1), _number(abs(place) * step)) for place in range(-below, above + 1)
    ]
    return Chart(months, bars, lines, zero, _describe(months))


def _step(largest: int) -> int:
    """A round distance (1, 2 or 5, and zeros) between lines, so that a largest bar has three to six."""
    size: int = 10 ** max(0, len(str(largest)) - 2)
    return size * next(step for step in (1, 2, 5, 10, 20) if largest <= 5 * step * size)


def _describe(months: list[Month]) -> str:
    joined, left = sum(month.joined for month in months), sum(month.left for month in months)
    message = _("From %(first)s to %(last)s, %(joined)s people came and %(left)s left. The table has each month.")
    return message % {
        "first": months[0].name,
        "last": months[-1].name,
        "joined": _number(joined),
        "left": _number(left),
    }

"""How the list of subscribers grew: the numbers agree with the people, and the drawing with the numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.template.loader import render_to_string

from newsletter import growth, importing, subscribing
from newsletter.growth import Month
from newsletter.models import Consent, Subscriber
from newsletter.tests.rows import make_subscribers

pytestmark = pytest.mark.once

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def at(settings: Any) -> Any:
    """Sets the newsletter's time."""

    def set_to(moment: datetime) -> None:
        settings.CLOCK_OFFSET_SECONDS = (moment - datetime.now(UTC)).total_seconds()

    set_to(NOW)
    cache.clear()
    yield set_to
    cache.clear()


def happened(event: str, person: str, moment: datetime) -> None:
    Consent.objects.create(address_hmac=person, event=event, method="form", at=moment)


def numbers() -> dict[str, tuple[int, int, int]]:
    return {f"{month.first:%Y-%m}": (month.joined, month.left, month.total) for month in growth.months()}


# --- Counting --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_months_are_the_last_twelve_with_this_one_at_the_end(at: Any) -> None:
    assert [month.first for month in growth.months()] == [
        date(2025, 12, 1),
        *(date(2026, number, 1) for number in range(1, 12)),
    ]


@pytest.mark.django_db
def test_who_confirms_or_is_imported_came_and_who_unsubscribes_left(at: Any) -> None:
    make_subscribers(2)
    happened("confirmed", "ann", datetime(2026, 3, 1, tzinfo=UTC))
    happened("imported", "ben", datetime(2026, 3, 31, 23, 59, tzinfo=UTC))
    happened("confirmed", "cleo", datetime(2026, 4, 1, tzinfo=UTC))
    happened("unsubscribed", "cleo", datetime(2026, 6, 1, tzinfo=UTC))
    found = numbers()
    assert found["2026-02"] == (0, 0, 0)
    assert found["2026-03"] == (2, 0, 2)
    assert found["2026-04"] == (1, 0, 3)
    assert found["2026-06"] == (0, 1, 2)
    assert found["2026-11"] == (0, 0, 2)


@pytest.mark.django_db
def test_who_was_never_subscribed_does_not_leave_and_nobody_leaves_twice(at: Any) -> None:
    happened("asked", "ann", datetime(2026, 3, 1, tzinfo=UTC))
    happened("erased", "ann", datetime(2026, 3, 2, tzinfo=UTC))
    happened("confirmed", "ben", datetime(2025, 3, 2, tzinfo=UTC))  # before the chart begins
    for day, event in enumerate(["unsubscribed", "bounced", "complained", "erased"], start=3):
        happened(event, "ben", datetime(2026, 3, day, tzinfo=UTC))
    assert numbers()["2026-03"] == (0, 1, 0)


@pytest.mark.django_db
def test_a_month_begins_at_midnight_in_the_zone_of_the_site(settings: Any, at: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    make_subscribers(1)
    happened("confirmed", "ann", datetime(2026, 4, 30, 16, tzinfo=UTC))  # 1 May, 01:00 in Tokyo
    assert numbers()["2026-05"] == (1, 0, 1)
    at(datetime(2026, 11, 30, 16, tzinfo=UTC))
    assert growth.months()[-1].first == date(2026, 12, 1)


@pytest.mark.once
@pytest.mark.django_db
def test_a_year_of_everything_adds_up_to_the_people_there_were(at: Any) -> None:
    """Random lives of 20 people, by the functions that the site uses; at the end of each month they are counted."""
    chance = random.Random(20261122)
    editor = User.objects.create_user("paula")
    start = datetime(2025, 12, 1, 6, tzinfo=UTC)
    names = [f"person{number}@example.org" for number in range(20)]
    people: dict[str, tuple[int, int, int]] = {}

    def subscribed() -> int:
        return Subscriber.objects.filter(status="confirmed").count()

    def live(address: str) -> None:
        person = Subscriber.objects.filter(address=address).first()
        if person is None:
            if chance.random() < 0.5:
                importing.bring_in(f"address,confirmed_at\n{address},2024-05-01\n", consent="Old site", by=None)
            else:
                subscribing.sign_up(address=address, language="en", words_version="2026-11", network="")
                subscribing.process_sign_ups()
            return
        acts: list[Callable[[], Any]] = [
            lambda: subscribing.confirm(person),
            lambda: subscribing.confirm(person),
            lambda: subscribing.unsubscribe(person),
            lambda: subscribing.stop(subscriber=person, status="bounced", method=Consent.Method.MAIL),
            lambda: subscribing.stop(subscriber=person, status="complained", method=Consent.Method.MAIL),
            lambda: subscribing.lift(subscriber=person, by=editor),
            lambda: subscribing.lift(subscriber=person, by=editor),
            lambda: subscribing.erase(person),
        ]
        chance.choice(acts)()

    joined = left = 0
    for day in range(350):
        moment = start + timedelta(days=day)
        at(moment)
        for address in chance.sample(names, 1):
            before = subscribed()
            live(address)
            joined += max(0, subscribed() - before)
            left += max(0, before - subscribed())
        if (moment + timedelta(days=1)).month != moment.month or day == 349:
            people[f"{moment:%Y-%m}"] = (joined, left, subscribed())
            joined = left = 0
    assert sum(came for came, _left, _total in people.values()) > 20
    assert {month: counted for month, counted in numbers().items() if month in people} == people


@pytest.mark.django_db
def test_months_that_are_over_are_counted_once_and_the_present_one_each_time(
    at: Any, django_assert_num_queries: Any
) -> None:
    for number in range(50):
        happened("confirmed", f"p{number}", datetime(2026, 1 + number % 11, 1, tzinfo=UTC))
    first = growth.months()
    happened("confirmed", "late", NOW)
    make_subscribers(1)
    with django_assert_num_queries(4):  # the time, the present month (2) and how many there are
        second = growth.months()
    assert [month.joined for month in second[:-1]] == [month.joined for month in first[:-1]]
    assert second[-1].joined == first[-1].joined + 1
    assert second[-1].total == 1


@pytest.mark.django_db
def test_a_month_that_was_the_present_one_is_counted_again_when_it_is_over(at: Any) -> None:
    growth.months()
    happened("confirmed", "ann", NOW)
    at(NOW + timedelta(days=30))
    assert growth.months()[-2].joined == 1


# --- Drawing ---------------------------------------------------------------------------------------------------


def drawing(*values: tuple[int, int]) -> growth.Chart:
    return growth.chart([Month(date(2026, 1 + place, 1), *pair, 100) for place, pair in enumerate(values)])


def test_bars_are_as_long_as_their_numbers_up_and_down_from_one_line() -> None:
    first, second = drawing((10, 4), (5, 0)).bars
    assert first.joined_height == pytest.approx(2 * second.joined_height, abs=0.11)
    assert first.left_height == pytest.approx(0.4 * first.joined_height, abs=0.11)
    assert second.left_height == 0
    zero = drawing((10, 4), (5, 0)).zero
    assert first.joined_y + first.joined_height == pytest.approx(zero)
    assert first.left_y == zero


@pytest.mark.parametrize("largest", [0, 1, 4, 7, 10, 11, 99, 101, 5000, 123_456, 1_000_000])
def test_every_bar_is_inside_the_drawing_between_few_round_lines(largest: int) -> None:
    chart = drawing((largest, largest // 3), (0, largest))
    for bar in chart.bars:
        assert bar.joined_y >= growth.TOP - 0.1
        assert bar.left_y + bar.left_height <= growth.HEIGHT - growth.BOTTOM + 0.1
        assert growth.LEFT < bar.x < bar.x + bar.width < growth.WIDTH
    assert 2 <= len(chart.lines) <= 11


def test_the_drawing_says_in_words_what_it_shows_and_has_no_style_of_its_own() -> None:
    html = render_to_string("admin/newsletter/subscriber/_growth.html", {"growth": drawing((1200, 4), (5, 0))})
    assert "style=" not in html
    section = ElementTree.fromstring(html)  # our own words
    svg = section.find(".//svg")
    assert svg is not None
    assert svg.get("role") == "img"
    named = svg.get("aria-labelledby", "").split()
    texts = {found.get("id"): found.text or "" for found in svg if found.tag in {"title", "desc"}}
    assert [bool(texts[name]) for name in named] == [True, True]
    assert "1,205 people came and 4 left" in texts["growth-text"]


def test_the_table_has_the_same_numbers() -> None:
    html = render_to_string("admin/newsletter/subscriber/_growth.html", {"growth": drawing((1200, 4), (5, 0))})
    rows = ElementTree.fromstring(html).findall(".//tbody/tr")
    assert [[cell.text for cell in row] for row in rows] == [
        ["February 2026", "5", "0", "100"],
        ["January 2026", "1,200", "4", "100"],
    ]


@pytest.mark.parametrize("language", ["en", "de"])
def test_coordinates_are_numbers_in_every_language(settings: Any, language: str) -> None:
    from django.utils import translation

    with translation.override(language):
        html = render_to_string("admin/newsletter/subscriber/_growth.html", {"growth": drawing((12, 4), (5, 1))})
    for rect in ElementTree.fromstring(html).iter("rect"):
        for name in ("x", "y", "width", "height"):
            float(rect.get(name, "0"))

"""The CSV file of subscribers: what is in it, and that a spreadsheet runs nothing (reliability.md, X3)."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter import exporting
from newsletter.models import Topic
from newsletter.tests.rows import make_subscribers

pytestmark = pytest.mark.once

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"]  # noqa: RUF001


def rows(*statuses: str) -> list[dict[str, str]]:
    return list(csv.DictReader(exporting.lines(statuses)))


@pytest.mark.django_db
def test_each_person_is_a_line_with_what_they_chose_and_when() -> None:
    confirmed_at = datetime(2024, 5, 1, 10, 30, 15, 999, UTC)
    make_subscribers(1, confirmed_at=confirmed_at, signed_up_at=confirmed_at, language="de", frequency="weekly")
    assert rows() == [
        {
            "address": "reader1@example.org",
            "status": "confirmed",
            "frequency": "weekly",
            "language": "de",
            "signed_up_at": "2024-05-01T10:30:15+00:00",
            "confirmed_at": "2024-05-01T10:30:15+00:00",
            "left_at": "",
            "paused_until": "",
        }
    ]


@pytest.mark.django_db
def test_only_the_chosen_statuses_are_in_it() -> None:
    make_subscribers(2)
    make_subscribers(1, prefix="waiting", status="pending", confirmed_at=None)
    assert [row["address"] for row in rows("pending")] == ["waiting1@example.org"]
    assert len(rows("pending", "confirmed")) == 3
    assert len(rows()) == 3


@pytest.mark.django_db
def test_what_people_read_about_is_not_in_it() -> None:
    (reader,) = make_subscribers(1, has_topics=True)
    Topic.objects.create(subscriber=reader, slug="depression")
    assert "depression" not in "".join(exporting.lines())


@pytest.mark.django_db
def test_a_large_list_is_read_in_pieces_and_whole(monkeypatch: Any, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 10)
    make_subscribers(25)
    with django_assert_num_queries(4):
        addresses = [row["address"] for row in rows()]
    assert addresses == [f"reader{number}@example.org" for number in range(1, 26)]


@pytest.mark.parametrize("text", [*FORMULAS, "'=1+1", "'name", "''=1"])
def test_what_would_be_a_formula_is_text_and_reads_back_as_it_was(text: str) -> None:
    assert exporting.safe(text).startswith("'")
    assert exporting.plain(exporting.safe(text)) == text


@pytest.mark.parametrize("text", ["ann@example.org", "", "2024-05-01", "o'neill@example.org", "'"])
def test_anything_else_reads_back_as_it_was(text: str) -> None:
    assert exporting.plain(exporting.safe(text)) == text


@pytest.mark.django_db
def test_an_address_that_is_a_formula_is_text_in_the_file() -> None:
    make_subscribers(1, prefix="=cmd|'/c calc'!a")
    make_subscribers(1, prefix="+1+1")
    assert [row["address"] for row in rows()] == ["'=cmd|'/c calc'!a1@example.org", "'+1+11@example.org"]


@pytest.mark.django_db
def test_the_file_needs_no_byte_order_mark_because_it_is_ascii() -> None:
    make_subscribers(1, language="de", frequency="weekly")
    assert "".join(exporting.lines()).isascii()

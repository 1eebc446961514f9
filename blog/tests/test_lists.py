"""Lists: what is in them, that every article comes once however they are paged, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from taggit.models import Tag

from config.tests.factories import make_contributor, make_picture, make_publication
from publishing.documents import Urgency
from publishing.models import Contribution, Edition, Level, Publication, SiteSettings
from publishing.services import merge_tags, rename_tag

pytestmark = pytest.mark.django_db


def fill(kind: str, count: int, **fields: Any) -> list[Publication]:
    """Live publications as lists read them, without the cost of writing whole documents."""
    picture, person, now = make_picture(), make_contributor(), timezone.now()
    made = []
    for number in range(count):
        publication = make_publication(kind, f"{kind} {number}", picture=picture)
        edition = Edition.objects.create(
            publication=publication, number=1, level=Level.MAJOR, fingerprint=f"{publication.pk:064}"
        )
        # Some of the same moment, so that the key needs its second half.
        listed = now - timedelta(minutes=number // 3)
        changes = {
            "live": edition,
            "first_published": listed,
            "listed_at": listed,
            "urgency": Urgency.URGENT,
            "title": publication.slug,
        }
        Publication.objects.filter(pk=publication.pk).update(**changes | fields)
        publication.tags.add("spine", f"topic {number}")
        Contribution.objects.create(publication=publication, contributor=person, role=Contribution.Role.AUTHOR)
        made.append(publication)
    return made


def titles(response: Any) -> list[str]:
    page = BeautifulSoup(response.content, "html.parser")
    return [card.text for card in page.select(".card h3 a")]


@pytest.mark.parametrize("path", ["/", "/articles/", "/tags/", "/tags/spine/", "/conditions/", "/people/ada-author/"])
def test_a_list_costs_at_most_eight_queries_with_ten_rows_and_with_a_hundred(path: str, client: Client) -> None:
    SiteSettings.objects.create(pk=1)
    costs = []
    for rows in (10, 90):
        fill("article", rows)
        fill("condition", rows, other_names=["another name"])
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 8


@pytest.mark.parametrize("start", ["/articles/", "/tags/spine/"])
def test_paging_gives_every_article_once_and_newest_first(start: str, client: Client) -> None:
    fill("article", 47)
    expected = list(Publication.objects.order_by("-listed_at", "-pk").values_list("title", flat=True))
    seen: list[str] = []
    path: str | None = start
    while path:
        response = client.get(path)
        seen += titles(response)
        older = BeautifulSoup(response.content, "html.parser").select_one('a[rel="next"]')
        path = start + str(older["href"]) if older else None
    assert seen == expected


HOSTILE_KEYS = [
    "x",
    "-",
    "20260101T000000.0-",
    "20260101T000000.0--1",
    "20260101T000000.0-0",
    f"20260101T000000.0-{2**63}",
    f"20260101T000000.0-{'9' * 5000}",
    "20260101T000000.0-1_0",
    "20260101T000000.0-²",
    "99999999T000000.0-1",
    "%00",
    "20260101T000000.0-1%00",
    "<script>",
]


@pytest.mark.parametrize("path", ["/articles/", "/tags/spine/"])
@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_key_that_no_page_gave_is_not_found(path: str, key: str, client: Client) -> None:
    fill("article", 1)
    assert client.get(f"{path}?before={key}").status_code == 404


def test_the_farthest_key_is_an_empty_page(client: Client) -> None:
    fill("article", 1)
    assert titles(client.get("/articles/?before=00010101T000000.0-1")) == []


def test_what_strangers_add_to_a_lists_address_is_not_in_its_canonical_one(client: Client) -> None:
    fill("article", 1)
    for path in ("/articles/", "/tags/spine/"):
        page = BeautifulSoup(client.get(f"{path}?utm=<x>&y=1").content, "html.parser")
        assert page.select_one('link[rel="canonical"]')["href"] == f"http://testserver{path}"  # type: ignore[index]


def test_a_renamed_and_a_merged_tag_lead_to_where_they_went(client: Client) -> None:
    fill("article", 2)
    rename_tag(tag=Tag.objects.get(name="spine"), name="backbone")
    merge_tags(tags=[Tag.objects.get(name="topic 0")], into=Tag.objects.get(name="topic 1"))
    for old, new in (("spine", "backbone"), ("topic-0", "topic-1")):
        response = client.get(f"/tags/{old}/")
        assert (response.status_code, response.headers["Location"]) == (301, f"/tags/{new}/")


@pytest.mark.parametrize("slug", ["nothing", "%00", "..%2f", "%F0%9F%A6%B4", "x" * 3000])
def test_a_topic_that_is_not_there_is_not_found(slug: str, client: Client) -> None:
    assert client.get(f"/tags/{slug}/").status_code == 404


def test_topics_say_how_many_live_texts_they_have_and_those_of_drafts_are_nobodys_business(client: Client) -> None:
    fill("article", 3)
    make_publication("article", "A draft").tags.add("secret")
    page = BeautifulSoup(client.get("/tags/").content, "html.parser")
    rows = [" ".join(row.get_text(" ").split()) for row in page.select("main li")]
    assert rows == ["Spine 3", "Topic 0 1", "Topic 1 1", "Topic 2 1"]


def test_the_site_without_any_text_says_so_on_every_list(client: Client) -> None:
    for path in ("/", "/articles/", "/tags/", "/conditions/"):
        response = client.get(path)
        assert response.status_code == 200
        assert b"yet" in response.content

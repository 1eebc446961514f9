"""Lists: what is in them, that every article comes once however they are paged, and what they cost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from taggit.models import Tag

from config.tests.factories import (
    make_article,
    make_condition,
    make_contributor,
    make_picture,
    make_publication,
    make_reviewer,
    publish_draft,
    reword,
    sign,
)
from publishing.documents import Urgency
from publishing.models import BodyArea, Contribution, Contributor, Edition, Level, Mention, Publication, SiteSettings
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
    return [card.text for card in page.select(".card :is(h2, h3) a")]


LISTS = {
    "/": 9,  # the frame's two, articles, emergencies, letters, conditions, areas, topics, what changed
    "/articles/": 3,
    "/tags/": 3,
    "/tags/spine/": 4,
    "/conditions/": 3,
    "/body/": 3,
    "/body/back-and-spine/": 4,
    "/people/": 3,
    "/people/ada-author/": 4,
    "/archive/": 3,
    "/archive/2026/5/": 3,
}


def fill_site(rows: int) -> None:
    """As many articles as conditions, each article naming one."""
    conditions = fill("condition", rows, other_names=["another name"], body_area="back-and-spine")
    articles = fill("article", rows, first_published=datetime(2026, 5, 3, tzinfo=UTC))
    Mention.objects.bulk_create(
        Mention(publication=article, condition=condition, position=1)
        for article, condition in zip(articles, conditions, strict=True)
    )
    Edition.objects.bulk_create(
        Edition(publication=row, number=2, level=Level.MINOR, fingerprint=f"{row.pk:064}", note="Clearer.")
        for row in articles[:5]
    )
    for row in articles[:5]:
        Publication.objects.filter(pk=row.pk).update(live=row.editions.get(number=2))


def costs_of(client: Client) -> dict[str, int]:
    costs = {}
    for path in LISTS:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert (path, client.get(path).status_code) == (path, 200)
        costs[path] = len(queries)
    return costs


def test_a_list_costs_the_same_few_queries_with_ten_rows_and_with_a_hundred(client: Client) -> None:
    SiteSettings.objects.create(pk=1)
    fill_site(10)
    assert costs_of(client) == LISTS
    fill_site(90)
    assert costs_of(client) == LISTS


@pytest.mark.long
def test_a_list_costs_the_same_few_queries_with_a_thousand_rows(client: Client) -> None:
    SiteSettings.objects.create(pk=1)
    fill_site(1000)
    assert costs_of(client) == LISTS


@pytest.mark.parametrize("start", ["/articles/", "/tags/spine/", "/archive/2026/5/"])
def test_paging_gives_every_article_once_and_newest_first(start: str, client: Client) -> None:
    fill("article", 47, first_published=datetime(2026, 5, 31, 23, 59, tzinfo=UTC))
    expected = list(Publication.objects.order_by("-listed_at", "-pk").values_list("title", flat=True))
    seen: list[str] = []
    path: str | None = start
    while path:
        response = client.get(path)
        seen += titles(response)
        older = BeautifulSoup(response.content, "html.parser").select_one('a[rel="next"]')
        path = start + str(older["href"]) if older else None
    assert seen == expected


THIS_MONTH = timezone.now().strftime("/archive/%Y/%m/")
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


@pytest.mark.parametrize("path", ["/articles/", "/tags/spine/", THIS_MONTH])
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
    rows = [" ".join(row.get_text(" ").split()) for row in page.select("main .columns li")]
    assert rows == ["Spine 3", "Topic 0 1", "Topic 1 1", "Topic 2 1"]


def test_the_site_without_any_text_says_so_on_every_list(client: Client) -> None:
    for path in ("/", "/articles/", "/tags/", "/conditions/", "/body/", "/body/skin/", "/people/", "/archive/"):
        response = client.get(path)
        assert response.status_code == 200
        assert b"yet" in response.content


# --- The front page ----------------------------------------------------------------------------------------------


def sections(response: Any) -> dict[str, list[str]]:
    """The links of each section of a page, under its heading."""
    page = BeautifulSoup(response.content, "html.parser")
    found = {}
    for section in page.select("main section[aria-labelledby]"):
        heading = page.find(id=section["aria-labelledby"])
        assert heading is not None
        found[" ".join(heading.get_text(" ").split())] = [link.text for link in section.select("a")]
    return found


def test_the_front_page_names_what_cannot_wait_and_what_was_corrected_and_nothing_that_is_not_live(
    client: Client,
) -> None:
    SiteSettings.objects.create(pk=1, emergency_number="999")
    publish_draft(make_condition("Stroke", urgency=Urgency.EMERGENCY, body_area="nerves-and-brain"))
    publish_draft(make_condition("Fibromyalgia", urgency=Urgency.SEE_A_DOCTOR, body_area="whole-body"))
    make_condition("Heart attack", urgency=Urgency.EMERGENCY, body_area="heart-and-lungs")
    article = make_article("Back pain")
    publish_draft(article)
    publish_draft(reword(article), note="A dose was wrong.")
    response = client.get("/")
    found = sections(response)
    assert found["When it cannot wait Call 999 now if it may be one of these"] == ["Stroke"]
    assert [" ".join(link.split()) for link in found["Where is it?"]] == [
        "Nerves and brain 1 condition",
        "Whole body 1 condition",
    ]
    assert found["The condition library"][:2] == ["F", "S"]
    assert found["Corrected and brought up to date"] == ["Back pain", "See the change: Back pain"]
    assert "A dose was wrong." in response.content.decode()
    assert "Heart attack" not in response.content.decode()


def test_the_way_to_see_a_change_leads_to_it(client: Client) -> None:
    article = make_article("Back pain", slug="back-pain")
    publish_draft(article)
    publish_draft(reword(article), note="A dose was wrong.")
    page = BeautifulSoup(client.get("/").content, "html.parser")
    [link] = [link for link in page.select("main a") if link.text.startswith("See the change")]
    assert b"<ins>" in client.get(str(link["href"])).content


# --- Areas, people, months ---------------------------------------------------------------------------------------


def test_an_area_has_its_conditions_and_the_articles_that_name_them(client: Client) -> None:
    disc = make_condition("Herniated disc", body_area="back-and-spine", urgency=Urgency.URGENT)
    publish_draft(disc)
    publish_draft(make_condition("Migraine", body_area="nerves-and-brain"))
    make_condition("Secret", body_area="back-and-spine")
    publish_draft(make_article("Back pain", conditions=[disc]))
    publish_draft(make_article("Headache"))
    found = sections(client.get("/body/back-and-spine/"))
    assert found == {"Conditions": ["Herniated disc"], "Articles about them": ["Back pain"]}
    page = BeautifulSoup(client.get("/body/").content, "html.parser")
    assert [link["href"] for link in page.select("main .areas a")] == [
        "/body/back-and-spine/",
        "/body/nerves-and-brain/",
    ]


@pytest.mark.parametrize("area", BodyArea.values)
def test_every_area_has_a_page_and_a_drawing(area: str, client: Client) -> None:
    page = BeautifulSoup(client.get(f"/body/{area}/").content, "html.parser")
    assert page.select_one("main svg.drawing")
    assert "noindex" in str(page.head)  # nothing is there yet


@pytest.mark.parametrize("area", ["nothing", "SKIN", "skin'--", "%00", "x" * 3000])
def test_an_area_that_is_none_is_not_found(area: str, client: Client) -> None:
    assert client.get(f"/body/{area}/").status_code == 404


def test_people_are_those_of_live_texts_with_how_much_they_did(client: Client) -> None:
    article = make_article("Back pain")
    sign(article, make_reviewer())
    publish_draft(article)
    Contributor.objects.filter(name="Rita Reviewer").update(credentials_until=date(2026, 1, 31))
    make_contributor("Nora Nobody")
    page = BeautifulSoup(client.get("/people/").content, "html.parser")
    rows = [" ".join(row.get_text(" ").split()) for row in page.select(".people li")]
    assert rows == [
        "Ada Author Health writer, MSc 1 text written",
        "Rita Reviewer Physician, MD 1 text reviewed",
    ]
    assert client.get("/people/nora-nobody/").status_code == 404
    person = client.get("/people/rita-reviewer/")
    assert sections(person) == {"Reviewed by Rita Reviewer": ["Back pain"]}
    assert "checked until 31 January 2026. No review can be signed" in person.content.decode()


def test_the_archive_counts_by_month_of_first_publication_and_a_month_without_articles_is_not_found(
    client: Client,
) -> None:
    fill("article", 2, first_published=datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC))
    fill("article", 1, first_published=datetime(2025, 12, 1, tzinfo=UTC))
    fill("condition", 1, first_published=datetime(2025, 11, 1, tzinfo=UTC))
    page = BeautifulSoup(client.get("/archive/").content, "html.parser")
    assert [" ".join(row.get_text(" ").split()) for row in page.select(".letter")] == [
        "2026 February 2026 2",
        "2025 December 2025 1",
    ]
    assert len(titles(client.get("/archive/2026/2/"))) == 2
    assert len(titles(client.get("/archive/2025/12/"))) == 1
    for path in ("2025/11", "2026/3", "2026/13", "2026/0", "0/1", "10000/1", "9999/12", f"{10**30}/1"):
        assert (path, client.get(f"/archive/{path}/").status_code) == (path, 404)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Honolulu"])
def test_no_month_of_the_calendar_fails_in_any_time_zone(zone: str, client: Client, settings: Any) -> None:
    settings.TIME_ZONE = zone
    for path in ("1/1", "2/1", "9998/12", "9999/1", "9999/12"):
        assert (path, client.get(f"/archive/{path}/").status_code) == (path, 404)


def test_every_list_says_where_it_is(client: Client) -> None:
    fill_site(1)
    for path in LISTS:
        page = BeautifulSoup(client.get(path).content, "html.parser")
        trail = [link["href"] for link in page.select(".crumbs a")]
        parent = path.rstrip("/").rpartition("/")[0] + "/"
        expected = [] if path == "/" else ["/"] if parent == "/" else ["/", f"/{path.split('/')[1]}/"]
        assert (path, trail) == (path, expected)
        assert page.select_one('link[rel="canonical"]')["href"] == f"http://testserver{path}"  # type: ignore[index]
        levels = [int(heading.name[1]) for heading in page.select("main :is(h1, h2, h3)")]
        assert (path, levels[0], levels.count(1)) == (path, 1, 1)
        assert all(after - before <= 1 for before, after in pairwise(levels)), path

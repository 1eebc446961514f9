"""Feeds: what is in them, that three formats say the same, and that they keep to their specifications."""

from __future__ import annotations

import calendar
import io
import json
from datetime import UTC, datetime
from itertools import product
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import feedparser  # type: ignore[import-untyped]
import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.dateparse import parse_datetime
from django.utils.http import http_date
from hypothesis import given
from hypothesis import strategies as st
from taggit.models import Tag

from blog.feeds import EPOCH, FORMATS, Author, Feed, Item
from blog.models import ArticleWarningSign
from config.tests.factories import (
    fresh,
    make_article,
    make_citation,
    make_condition,
    make_in_state,
    make_picture,
    make_user,
    publish_draft,
    reword,
)
from publishing.documents import Urgency
from publishing.models import Publication, SiteSettings
from publishing.services import change_address, rename_tag, withdraw

ATOM = "{http://www.w3.org/2005/Atom}"
ALL = tuple(FORMATS)
TYPES = {"atom.xml": "application/atom+xml", "rss.xml": "application/rss+xml", "feed.json": "application/feed+json"}
FEEDS = ["/feeds/", "/feeds/corrections/", "/feeds/tags/spine/", "/feeds/conditions/herniated-disc/"]


def moment(parsed: Any) -> datetime:
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC)


def entries(client: Client, base: str, name: str) -> list[dict[str, Any]]:
    """The items of a feed as another program reads them: id, title, link, html, published, updated, authors, tags."""
    response = client.get(f"{base}{name}")
    assert response.status_code == 200
    if name == "feed.json":
        return [
            {
                "id": item["id"],
                "title": item["title"],
                "link": item["url"],
                "html": item["content_html"],
                "published": parse_datetime(item["date_published"]),
                "updated": parse_datetime(item["date_modified"]),
                "authors": [author["name"] for author in item.get("authors", [])],
                "tags": sorted(item.get("tags", [])),
            }
            for item in response.json()["items"]
        ]
    found = feedparser.parse(io.BytesIO(response.content), sanitize_html=False, resolve_relative_uris=False)
    assert not found.bozo, found.get("bozo_exception")
    return [
        {
            "id": entry.id,
            "title": entry.title,
            "link": entry.link,
            "html": entry.content[0].value,
            "published": moment(entry.published_parsed),
            "updated": moment(entry.updated_parsed),
            "authors": [author["name"] for author in entry.get("authors", []) if author],
            "tags": sorted(tag.term for tag in entry.get("tags", [])),
        }
        for entry in found.entries
    ]


@pytest.fixture
def article() -> Any:
    """A live article that names a live condition and has a picture, with everything a document can hold."""
    disc = make_condition("Herniated disc", picture=make_picture("navy"))
    publish_draft(disc)
    draft = make_article(
        "Back & spine <pain>",
        slug="pain",
        conditions=[disc],
        picture=make_picture(),
        intro='<p>Begin [@guideline-a], see <a href="/about/us/">us</a>.</p>',
        signs=0,
    )
    for urgency in Urgency:
        ArticleWarningSign.objects.create(article=draft, text=f"sign {urgency.value}", urgency=urgency)
    draft.publication.tags.add("spine", "nerves")
    publish_draft(fresh(draft))
    return fresh(draft)


pytestmark = pytest.mark.django_db


# --- What is in them ---------------------------------------------------------------------------------------------


def test_every_format_of_every_feed_gives_the_same_item_whole(article: Any, client: Client) -> None:
    publication = article.publication
    for base, name in product([FEEDS[0], *FEEDS[2:]], ALL):
        (entry,) = entries(client, base, name)
        assert entry["id"] == f"urn:uuid:{publication.uuid}"
        assert entry["title"] == "Back & spine <pain>"
        assert entry["link"] == "http://testserver/articles/pain/"
        assert entry["authors"] == ["Ada Author"]
        assert entry["tags"] == ["nerves", "spine"]
        assert abs(entry["published"] - publication.first_published).total_seconds() < 1
        assert abs(entry["updated"] - publication.live.published_at).total_seconds() < 1


def test_the_text_is_whole_and_emergencies_stand_first(article: Any, client: Client) -> None:
    html = entries(client, "/feeds/", "atom.xml")[0]["html"]
    words = BeautifulSoup(html, "html.parser").get_text(" ")
    expected = ["Call 112 now", "sign emergency", "Begin [1]", "1. Herniated disc", "wording at first", "Treatment"]
    expected += ["2. Own entry 1", "Section 1", "Tip 1", "Move.", "sign urgent", "sign see-a-doctor", "Most people"]
    expected += ["Not medically reviewed", "Sources", "Title of guideline-a"]
    place = -1
    for text in expected:
        assert text in words[place + 1 :], text
        place = words.index(text, place + 1)


def test_every_address_is_whole_and_nothing_of_the_site_itself_travels_along(article: Any, client: Client) -> None:
    page = BeautifulSoup(entries(client, "/feeds/", "feed.json")[0]["html"], "html.parser")
    links = [str(tag.get("href") or tag.get("src")) for tag in page.select("[href], [src]")]
    assert "http://testserver/about/us/" in links
    assert "http://testserver/conditions/herniated-disc/" in links
    assert any(link.startswith("http://testserver/media/") for link in links)
    assert all(urlsplit(link).scheme in ("http", "https", "mailto", "tel") for link in links)
    attributes = {name for tag in page.find_all(True) for name in tag.attrs}
    assert attributes <= {"href", "src", "alt"}


def test_an_item_stays_the_same_when_its_address_and_its_words_change(article: Any, client: Client) -> None:
    before = entries(client, "/feeds/", "rss.xml")[0]
    change_address(publication=article.publication, slug="elsewhere")
    publish_draft(reword(fresh(article)))
    after = entries(client, "/feeds/", "rss.xml")[0]
    assert (after["id"], after["published"]) == (before["id"], before["published"])
    assert after["link"] == "http://testserver/articles/elsewhere/"
    assert after["updated"] >= before["updated"]


def test_a_syndicated_text_names_its_origin(client: Client) -> None:
    publish_draft(make_article(origin_name="The Original", origin_url="https://first.example/a?b=1&c=2"))
    assert client.get("/feeds/feed.json").json()["items"][0]["external_url"] == "https://first.example/a?b=1&c=2"
    link = fromstring(client.get("/feeds/atom.xml").content).find(f"{ATOM}entry/{ATOM}link[@rel='via']")
    assert link is not None
    assert link.get("href") == "https://first.example/a?b=1&c=2"
    assert b"<dc:source>https://first.example/a?b=1&amp;c=2</dc:source>" in client.get("/feeds/rss.xml").content
    assert "The Original" in entries(client, "/feeds/", "atom.xml")[0]["html"]


def test_paging_gives_every_article_once_and_newest_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blog.views.PAGE_SIZE", 2)
    for number in range(5):
        publish_draft(make_article(f"Article {number}"))
    expected = [row.uuid.urn for row in Publication.objects.of_kind("article").order_by("-listed_at", "-pk")]
    for name in ALL:
        seen: list[str] = []
        url: str | None = f"/feeds/{name}"
        while url:
            response = client.get(url)
            if name == "feed.json":
                seen += [item["id"] for item in response.json()["items"]]
                url = response.json().get("next_url")
            else:
                found = feedparser.parse(io.BytesIO(response.content))
                seen += [entry.id for entry in found.entries]
                url = next((link.href for link in found.feed.links if link.rel == "next"), None)
            url = url.removeprefix("http://testserver") if url else None
        assert (name, seen) == (name, expected)


@pytest.mark.parametrize("key", ["x", "%00", f"20260101T000000.0-{'9' * 5000}"])
def test_a_key_that_no_page_gave_is_not_found(key: str, client: Client) -> None:
    assert client.get(f"/feeds/atom.xml?before={key}").status_code == 404


def test_a_feed_costs_the_same_with_two_texts_and_with_ten(client: Client) -> None:
    costs = []
    for count in (2, 8):
        for number in range(count):
            draft = make_article(f"Text {number}", picture=make_picture())
            draft.publication.tags.add("spine", f"own {number}")
            publish_draft(draft)
        with CaptureQueriesContext(connection) as queries:
            client.get("/feeds/atom.xml")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 9


# --- Corrections -------------------------------------------------------------------------------------------------


def test_corrections_are_new_editions_and_withdrawals_with_what_was_said_of_them(client: Client) -> None:
    draft = make_in_state("live", title="Knees")
    publish_draft(reword(draft), note="The dose was wrong.")
    gone = make_in_state("live", "condition", name="Made-up disease")
    withdraw(publication=gone.publication, by=make_user(), reason="There is no such thing.")
    for name in ALL:
        withdrawal, edition = entries(client, "/feeds/corrections/", name)
        assert (edition["title"], withdrawal["title"]) == ("Knees, edition 2", "Withdrawn: Made-up disease")
        assert "The dose was wrong." in edition["html"]
        assert "/articles/knees/compare/?from=1&amp;to=2" in edition["html"]
        assert "There is no such thing." in withdrawal["html"]
        assert edition["id"] != withdrawal["id"] != f"urn:uuid:{gone.publication.uuid}"


# --- Addresses ---------------------------------------------------------------------------------------------------


def test_a_renamed_tag_and_a_moved_condition_lead_to_where_they_went(article: Any, client: Client) -> None:
    rename_tag(tag=Tag.objects.get(name="spine"), name="backbone")
    condition = Publication.objects.get(kind="condition")
    change_address(publication=condition, slug="disc")
    for old, new in (("tags/spine", "tags/backbone"), ("conditions/herniated-disc", "conditions/disc")):
        response = client.get(f"/feeds/{old}/atom.xml")
        assert (response.status_code, response.headers["Location"]) == (301, f"/feeds/{new}/atom.xml")
        assert client.get(f"/feeds/{new}/atom.xml").status_code == 200


@pytest.mark.parametrize(
    "path", ["atom", "feed.xml", "tags/nothing/atom.xml", "tags/%00/rss.xml", "conditions/nothing/feed.json", "%00"]
)
def test_a_feed_that_is_not_there_is_not_found(path: str, client: Client) -> None:
    assert client.get(f"/feeds/{path}").status_code == 404


def test_pages_name_their_own_feed_and_those_of_the_site(article: Any, client: Client) -> None:
    own = {
        "/": [],
        "/tags/spine/": ["/feeds/tags/spine/atom.xml"],
        "/conditions/herniated-disc/": ["/feeds/conditions/herniated-disc/atom.xml"],
        "/articles/pain/": [],
    }
    for path, expected in own.items():
        page = BeautifulSoup(client.get(path).content, "html.parser")
        links = [str(link["href"]) for link in page.select('link[rel="alternate"][title]') if "feeds" in link["href"]]
        assert links == [*expected, "/feeds/atom.xml", "/feeds/rss.xml", "/feeds/feed.json"], path
        for link in links:
            assert client.get(link).status_code == 200


def test_the_page_of_feeds_links_only_to_feeds_that_are_there(article: Any, client: Client) -> None:
    page = BeautifulSoup(client.get("/feeds/").content, "html.parser")
    links = [str(link["href"]) for link in page.select("main .formats a")]
    assert len(links) == 3 * (2 + 2 + 1)
    for link in links:
        assert client.get(link).status_code == 200, link


# --- Asked again -------------------------------------------------------------------------------------------------


def test_who_asks_again_is_told_when_nothing_has_changed(article: Any, client: Client) -> None:
    publish_draft(reword(article))
    etags = {}
    for base, name in product(FEEDS, ALL):
        url = f"{base}{name}"
        first = client.get(url)
        assert first.headers["Content-Type"] == f"{TYPES[name]}; charset=utf-8"
        assert first.headers["Access-Control-Allow-Origin"] == "*"
        assert first.headers["X-Robots-Tag"] == "noindex"
        etags[url] = first.headers["ETag"]
        assert client.get(url, headers={"if-none-match": etags[url]}).status_code == 304
        assert client.head(url).headers["ETag"] == etags[url]
    Publication.objects.update(title="Another title")
    for url, etag in etags.items():
        assert client.get(url, headers={"if-none-match": etag}).status_code == 200


def test_no_date_hides_what_has_no_date_from_who_asks_again(client: Client) -> None:
    """Settings, tags and profiles change a feed, and a text that comes back is older than the feed without it."""
    publish_draft(make_article())
    seen = http_date()
    SiteSettings.objects.update_or_create(pk=1, defaults={"name": "Another name"})
    again = client.get("/feeds/atom.xml", headers={"if-modified-since": seen})
    assert (again.status_code, "Another name" in again.text) == (200, True)


# --- The specifications ------------------------------------------------------------------------------------------


def is_whole(url: str | None) -> bool:
    return bool(url) and urlsplit(url).scheme in ("http", "https")


def test_atom_keeps_to_rfc_4287(article: Any, client: Client) -> None:
    publish_draft(reword(article))
    for base in FEEDS:
        feed = fromstring(client.get(f"{base}atom.xml").content)
        assert feed.tag == f"{ATOM}feed"
        ids = []
        for element in (feed, *feed.findall(f"{ATOM}entry")):
            for required in ("id", "title", "updated"):
                assert len(element.findall(f"{ATOM}{required}")) == 1, required
            updated = parse_datetime(element.findtext(f"{ATOM}updated", ""))
            assert updated is not None
            assert updated.tzinfo is not None
            assert urlsplit(element.findtext(f"{ATOM}id", "")).scheme in ("urn", "tag")
            ids.append(element.findtext(f"{ATOM}id"))
            assert element.find(f"{ATOM}author") is not None or feed.find(f"{ATOM}author") is not None
            assert all(author.findtext(f"{ATOM}name") for author in element.findall(f"{ATOM}author"))
            links = [(link.get("rel"), link.get("type"), link.get("href")) for link in element.findall(f"{ATOM}link")]
            assert all(is_whole(href) for _rel, _type, href in links)
            assert [rel for rel, _type, _href in links].count("alternate") == 1
        assert len(ids) == len(set(ids))
        own = feed.find(f"{ATOM}link[@rel='self']")
        assert own is not None
        assert own.get("href") == f"http://testserver{base}atom.xml"


def test_rss_keeps_to_its_specification(article: Any, client: Client) -> None:
    publish_draft(reword(article))
    for base in FEEDS:
        root = fromstring(client.get(f"{base}rss.xml").content)
        assert (root.tag, root.get("version")) == ("rss", "2.0")
        (channel,) = root.findall("channel")
        for required in ("title", "link", "description"):
            assert channel.findtext(required), required
        guids = [item.find("guid") for item in channel.findall("item")]
        assert guids
        assert all(guid is not None and guid.get("isPermaLink") == "false" for guid in guids)
        assert len({guid.text for guid in guids if guid is not None}) == len(guids)
        for item in channel.findall("item"):
            assert item.findtext("title")
            assert is_whole(item.findtext("link"))
            assert all(len(item.findall(tag)) <= 1 for tag in ("title", "link", "description", "pubDate", "guid"))
        assert channel.find(f"{ATOM}link[@rel='self']") is not None


JSON_TYPES: dict[str, type] = {
    **dict.fromkeys(("id", "url", "external_url", "title", "content_html", "summary", "image", "language"), str),
    **dict.fromkeys(("date_published", "date_modified"), str),
    **dict.fromkeys(("authors", "tags"), list),
}


def test_json_feed_keeps_to_version_1_1(article: Any, client: Client) -> None:
    publish_draft(reword(article))
    for base in FEEDS:
        feed = client.get(f"{base}feed.json").json()
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert isinstance(feed["title"], str)
        assert feed["feed_url"] == f"http://testserver{base}feed.json"
        assert is_whole(feed["home_page_url"])
        assert feed["items"]
        for item in feed["items"]:
            assert {"id", "content_html"} <= set(item)
            assert {key: type(value) for key, value in item.items()} == {key: JSON_TYPES[key] for key in item}
            assert all(author["name"] for author in item.get("authors", []))
        assert len({item["id"] for item in feed["items"]}) == len(feed["items"])


@pytest.mark.parametrize("name", ALL)
def test_a_site_without_texts_has_a_feed_that_does_not_change_with_the_clock(name: str, client: Client) -> None:
    assert entries(client, "/feeds/", name) == []
    response = client.get(f"/feeds/{name}")
    assert b"19:" not in response.content.replace(b"1970-01-01", b"")


# --- Any text whatever -------------------------------------------------------------------------------------------

anything = st.text(st.characters(codec="utf-8"), max_size=40)


@st.composite
def feeds(draw: st.DrawFn) -> Feed:
    title, text, person = draw(anything), draw(anything), draw(anything)
    item = Item(
        id="urn:uuid:00000000-0000-4000-8000-000000000000",
        url="http://testserver/articles/a/",
        title=title,
        summary=text,
        html=text,
        language="en",
        published=EPOCH,
        updated=EPOCH,
        authors=[Author(person)],
        categories=[text],
    )
    return Feed("tag:testserver,2026:feeds", title, text, "http://t/", "http://t/a", person, "en", [item], EPOCH)


@pytest.mark.once
@given(feeds())
def test_no_character_in_any_text_breaks_a_feed(feed: Feed) -> None:
    for name in ("atom.xml", "rss.xml"):
        assert len(list(fromstring(FORMATS[name][0](feed).encode()).iter())) > 10
    assert json.loads(FORMATS["feed.json"][0](feed))["items"][0]["id"] == feed.items[0].id


@pytest.mark.once
def test_control_characters_are_left_out_and_all_else_is_kept(client: Client) -> None:
    make_citation()
    publish_draft(make_article("Tick\x08 tock\ufffe & \U0001f9e0", intro="<p>A\x0b b [@guideline-a]</p>"))
    for name in ALL:
        (entry,) = entries(client, "/feeds/", name)
        assert entry["title"] == "Tick tock & \U0001f9e0"
        assert "A b [1]" in entry["html"]

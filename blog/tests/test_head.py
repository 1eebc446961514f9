"""The head of a page: which pages search engines may list, the card where it is shared, the colour of the paper."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.template import Context, Template
from django.test import Client
from django.utils import timezone

from config.tests.factories import (
    fresh,
    make_article,
    make_condition,
    make_page,
    publish_draft,
    reword,
    sign,
)
from publishing.models import Level, Publication, SiteSettings

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def head(client: Client, path: str) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == 200
    return BeautifulSoup(response.content.decode().partition("</head>")[0], "html.parser")


def contents(page: BeautifulSoup, name: str) -> list[str]:
    return [str(tag["content"]) for tag in page.select(f'meta[property="{name}"], meta[name="{name}"]')]


def strictness(value: str) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"strictness": value})


# --- What search engines may list --------------------------------------------------------------------------------


def robots(client: Client, path: str) -> str:
    found = contents(head(client, path), "robots")
    assert len(found) <= 1
    return found[0] if found else ""


@pytest.mark.parametrize(("value", "expected"), [("open", ""), ("labelled", "noindex,follow")])
def test_an_unreviewed_text_is_listed_only_where_the_site_is_open(value: str, expected: str, client: Client) -> None:
    strictness(value)
    article, condition = make_article(slug="pain"), make_condition(slug="disc")
    publish_draft(article)
    publish_draft(condition)
    assert [robots(client, path) for path in ("/articles/pain/", "/conditions/disc/")] == [expected, expected]
    sign(fresh(article))
    sign(fresh(condition))
    assert [robots(client, path) for path in ("/articles/pain/", "/conditions/disc/")] == ["", ""]
    publish_draft(reword(article), Level.MINOR)
    assert robots(client, "/articles/pain/") == ""
    Publication.objects.update(trust="overdue")
    assert robots(client, "/articles/pain/") == expected


def test_a_syndicated_text_is_never_listed_and_names_its_own_address_as_canonical(client: Client) -> None:
    strictness("open")
    article = make_article(slug="pain", origin_name="Example News", origin_url="https://news.example/1")
    publish_draft(article)
    sign(fresh(article))
    page = head(client, "/articles/pain/")
    assert contents(page, "robots") == ["noindex,follow"]
    assert [str(link["href"]) for link in page.select("link[rel=canonical]")] == ["http://testserver/articles/pain/"]


def test_the_record_of_editions_is_not_listed_and_lists_are(client: Client) -> None:
    strictness("open")
    article = make_article(slug="pain")
    article.publication.tags.add("spine")
    publish_draft(article)
    publish_draft(reword(article))
    publish_draft(make_page("About", slug="about"))
    for end in ("editions/", "editions/1/", "compare/"):
        assert robots(client, f"/articles/pain/{end}") == "noindex,follow", end
    for path in ("/", "/articles/", "/tags/", "/tags/spine/", "/people/ada-author/", "/conditions/", "/about/about/"):
        assert robots(client, path) == "", path


def test_a_page_of_a_list_is_its_own_and_nothing_else_in_the_query_is(client: Client) -> None:
    key = "20260101T000000.000000-1"
    page = head(client, f"/articles/?before={key}&utm_source=mail")
    assert [str(link["href"]) for link in page.select("link[rel=canonical]")] == [
        f"http://testserver/articles/?before={key}"
    ]
    assert contents(page, "og:url") == [f"http://testserver/articles/?before={key}"]


# --- The card ----------------------------------------------------------------------------------------------------


def test_an_articles_card_says_what_it_is_who_wrote_it_and_when(client: Client) -> None:
    article = make_article("Back pain & “legs”", slug="pain")
    article.publication.tags.add("spine", "nerves")
    edition = publish_draft(article)
    page = head(client, "/articles/pain/")
    assert contents(page, "og:type") == ["article"]
    assert contents(page, "og:title") == ["Back pain & “legs”"]
    assert contents(page, "og:description") == contents(page, "description") == [article.summary]
    assert contents(page, "og:site_name") == ["Bedside"]
    assert contents(page, "og:locale") == ["en"]
    assert contents(page, "twitter:card") == ["summary_large_image"]
    assert contents(page, "article:author") == ["http://testserver/people/ada-author/"]
    assert contents(page, "article:tag") == ["nerves", "spine"]
    assert [datetime.fromisoformat(text) for text in contents(page, "article:modified_time")] == [edition.published_at]
    assert contents(page, "og:image:alt") == ["Back pain & “legs”"]
    assert contents(page, "og:image")[0].startswith("http://testserver/share/")


def test_the_title_for_search_engines_is_that_of_the_card_and_of_pages_about_the_site_too(client: Client) -> None:
    publish_draft(make_page("About us", slug="about"))
    Publication.objects.update(seo_title="Who we are")
    page = head(client, "/about/about/")
    assert page.title
    assert page.title.get_text() == "Who we are · Bedside"
    assert contents(page, "og:title") == ["Who we are"]
    assert contents(page, "og:type") == ["website"]


def test_a_page_without_an_address_of_its_own_has_no_card(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "og:" not in response.content.decode().partition("</head>")[0]


def test_what_is_listed_is_a_website_and_a_person_a_profile(client: Client) -> None:
    publish_draft(make_article())
    assert contents(head(client, "/"), "og:type") == ["website"]
    assert contents(head(client, "/people/ada-author/"), "og:type") == ["profile"]


def test_the_frame_of_the_browser_has_the_colour_of_the_paper(client: Client) -> None:
    tokens = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
    paper = re.search(r"--paper: light-dark\((\S+), (\S+)\)", tokens)
    assert paper
    colours = {str(tag["media"]): str(tag["content"]) for tag in head(client, "/").select("meta[name=theme-color]")}
    assert colours == {
        "(prefers-color-scheme: light)": paper[1],
        "(prefers-color-scheme: dark)": paper[2],
    }


# --- Dates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "written"), [("en", "3 May 2026"), ("de", "3. Mai 2026")])
def test_a_date_is_written_as_the_language_of_the_page_writes_it(language: str, written: str, client: Client) -> None:
    article = make_article(slug="pain", language=language)
    publish_draft(article)
    day = datetime(2026, 5, 3, 12, tzinfo=timezone.get_current_timezone())
    Publication.objects.update(first_published=day)
    body = BeautifulSoup(client.get("/articles/pain/").content, "html.parser")
    byline: Any = body.select_one(".byline")
    assert written in byline.get_text(" ", strip=True)


# --- The tags ----------------------------------------------------------------------------------------------------


def test_what_is_remembered_is_written_where_it_stands_and_again_where_it_is_asked_for() -> None:
    source = '{% load head %}<title>{% remember as x %}{{ name }}{% endremember %}</title><meta content="{{ x }}">'
    rendered = Template(source).render(Context({"name": '<"&>'}))
    assert rendered == '<title>&lt;&quot;&amp;&gt;</title><meta content="&lt;&quot;&amp;&gt;">'


@pytest.mark.parametrize(
    ("meta", "expected"), [('<meta name="description" content="a &amp; b">', "a & b"), ("", ""), ("<meta>", "")]
)
def test_the_content_of_a_meta_element_is_its_words(meta: str, expected: str) -> None:
    assert Template("{% load head %}{{ meta|content_of|safe }}").render(Context({"meta": meta})) == expected


@pytest.mark.parametrize(("code", "expected"), [("en", "en"), ("pt-br", "pt_BR"), ("", "en")])
def test_open_graph_writes_languages_its_own_way(code: str, expected: str) -> None:
    assert Template("{% load head %}{{ code|og_locale }}").render(Context({"code": code})) == expected

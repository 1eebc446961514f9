"""The sitemap, robots.txt and llms.txt: true dates, only what may be indexed, and files that stay small."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.dateparse import parse_datetime

from blog import sitemaps
from blog.tests.test_lists import fill
from config.tests.factories import (
    fresh,
    make_article,
    make_condition,
    make_page,
    make_picture,
    publish_draft,
    reword,
    sign,
)
from publishing.models import Publication, SiteSettings, Trust
from publishing.pages import may_be_indexed

pytestmark = pytest.mark.django_db

NS = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "image": "http://www.google.com/schemas/sitemap-image/1.1"}
NS["xhtml"] = "http://www.w3.org/1999/xhtml"
Strictness = SiteSettings.Strictness


def open_site(**fields: Any) -> None:
    SiteSettings.objects.create(pk=1, **{"strictness": Strictness.OPEN} | fields)


def urls(client: Client, path: str) -> dict[str, Element]:
    response = client.get(path)
    assert response.status_code == 200
    root = fromstring(response.content)
    return {row.findtext("s:loc", "", NS): row for row in root}


def whole_map(client: Client) -> dict[str, Element]:
    """Every page of every file of the index. Each address comes once."""
    found: dict[str, Element] = {}
    for file in urls(client, "/sitemap.xml"):
        for address, row in urls(client, file.removeprefix("http://testserver")).items():
            assert address not in found
            found[address] = row
    return found


def test_every_live_page_is_in_it_once_and_each_can_be_opened(client: Client) -> None:
    open_site()
    condition = make_condition("Herniated disc")
    publish_draft(condition)
    draft = make_article("Back pain", conditions=[condition], picture=make_picture())
    draft.publication.tags.add("spine")
    publish_draft(fresh(draft))
    publish_draft(make_page("Editorial policy"))
    make_article("A draft")
    found = whole_map(client)
    own = ["/articles/back-pain/", "/conditions/herniated-disc/", "/about/editorial-policy/", "/tags/spine/"]
    own += ["/people/ada-author/", "/", "/articles/", "/conditions/", "/body/", "/body/back-and-spine/", "/tags/"]
    own += ["/people/", "/archive/", "/feeds/", "/api/"]
    months = [address for address in found if re.search(r"/archive/\d+/\d+/$", address)]
    assert set(found) == {f"http://testserver{path}" for path in own} | set(months)
    assert len(months) == 1
    for address in found:
        assert client.get(address.removeprefix("http://testserver")).status_code == 200, address
    image = found["http://testserver/articles/back-pain/"].findtext("image:image/image:loc", "", NS)
    assert image.startswith("http://testserver/media/pictures/")


def test_the_date_is_that_of_the_live_edition_and_the_indexs_that_of_the_newest(client: Client) -> None:
    open_site()
    draft = make_article("Back pain")
    publish_draft(draft)
    edition = publish_draft(reword(draft))
    row = whole_map(client)["http://testserver/articles/back-pain/"]
    expected = edition.published_at
    assert parse_datetime(row.findtext("s:lastmod", "", NS)) == expected
    for file, entry in urls(client, "/sitemap.xml").items():
        assert parse_datetime(entry.findtext("s:lastmod", "", NS)) == expected, file


@pytest.mark.parametrize("strictness", Strictness.values)
def test_the_database_and_the_page_agree_on_what_may_be_indexed(strictness: str, client: Client) -> None:
    site = SiteSettings.objects.create(pk=1, strictness=strictness)
    for kind in ("article", "condition", "page"):
        rows = fill(kind, 2 * len(Trust.values))
        for number, row in enumerate(rows):
            state = {"trust": Trust.values[number // 2], "syndicated": bool(number % 2)}
            Publication.objects.filter(pk=row.pk).update(**state)
    expected = {row.pk for row in Publication.objects.all() if may_be_indexed(row, site)}
    assert {row.pk for row in sitemaps.indexed(site)} == expected
    listed = {address for address in whole_map(client) if re.search(r"/(articles|conditions|about)/.", address)}
    shown = {f"http://testserver{row.get_absolute_url()}" for row in Publication.objects.filter(pk__in=expected)}
    assert listed == shown


def test_a_file_holds_a_range_of_keys_and_costs_the_same_with_ten_rows_and_a_hundred(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_site()
    costs = []
    for rows in (10, 90):
        fill("article", rows)
        monkeypatch.setattr(sitemaps, "KEYS_IN_A_FILE", 10**6)
        cost = []
        for path in ("/sitemap.xml", "/sitemap-articles-0.xml", "/sitemap-topics-0.xml", "/sitemap-people-0.xml"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            cost.append(len(queries))
        costs.append(cost)
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 12
    monkeypatch.setattr(sitemaps, "KEYS_IN_A_FILE", 7)
    files = [file for file in urls(client, "/sitemap.xml") if "articles" in file]
    sizes = [len(urls(client, file.removeprefix("http://testserver"))) for file in files]
    assert max(sizes) <= 7
    assert sum(sizes) == 100


def test_translations_name_each_other_where_both_may_be_found(client: Client) -> None:
    open_site()
    english, german, alone = fill("article", 3)
    Publication.objects.filter(pk=german.pk).update(language="de", translation_of=english.pk)
    found = whole_map(client)
    expected = {
        "en": f"http://testserver{english.get_absolute_url()}",
        "de": f"http://testserver{german.get_absolute_url()}",
    }
    for publication in (english, german):
        row = found[f"http://testserver{publication.get_absolute_url()}"]
        links = row.findall("xhtml:link[@rel='alternate']", NS)
        assert {link.get("hreflang"): link.get("href") for link in links} == expected
    assert found[f"http://testserver{alone.get_absolute_url()}"].find("xhtml:link", NS) is None
    Publication.objects.filter(pk=german.pk).update(syndicated=True)
    assert whole_map(client)[expected["en"]].find("xhtml:link", NS) is None


@pytest.mark.parametrize(
    "path", ["articles-1", "articles-999999999", f"articles-{'9' * 23}", "lists-1", "nothing-0", "articles-x", "-0"]
)
def test_a_file_that_is_not_in_the_index_is_not_found(path: str, client: Client) -> None:
    assert client.get(f"/sitemap-{path}.xml").status_code == 404


def test_an_empty_site_has_a_sitemap_of_its_lists(client: Client) -> None:
    assert list(urls(client, "/sitemap.xml")) == ["http://testserver/sitemap-lists-0.xml"]
    assert "http://testserver/" in whole_map(client)


def test_who_asks_again_is_told_when_nothing_has_changed(client: Client) -> None:
    open_site()
    publish_draft(make_article())
    for path in ("/sitemap.xml", "/sitemap-articles-0.xml", "/llms.txt"):
        etag = client.get(path).headers["ETag"]
        assert client.get(path, headers={"if-none-match": etag}).status_code == 304


def test_robots_txt_names_the_sitemap_and_closes_what_has_no_end(client: Client) -> None:
    lines = client.get("/robots.txt").content.decode().splitlines()
    assert "Sitemap: http://testserver/sitemap.xml" in lines
    assert {"Disallow: /admin/", "Disallow: /preview/", "Disallow: /search/", "Disallow: /report/"} <= set(lines)


def test_llms_txt_is_laid_out_as_llmstxt_org_says_and_every_link_answers(client: Client) -> None:
    open_site(name="Bed*side", tagline="Health you can trust")
    publish_draft(make_article("Back [pain]", slug="pain"))
    publish_draft(make_condition("Herniated disc"))
    publish_draft(make_page("Editorial policy"))
    response = client.get("/llms.txt")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = response.content.decode().splitlines()
    assert lines[0] == "# Bed\\*side"
    assert lines[2].startswith("> Health you can trust. ")
    headings = [line for line in lines if line.startswith("#")]
    assert headings == [lines[0], "## Articles", "## Conditions", "## About this site", "## Optional"]
    links = re.findall(r"^- \[.+?\]\((\S+)\): .+", response.content.decode(), re.M)
    assert links[0] == "http://testserver/articles/pain.md"
    assert "- [Back \\[pain\\]](http://testserver/articles/pain.md): " in response.content.decode()
    for link in links:
        assert client.get(link.removeprefix("http://testserver")).status_code == 200, link


def test_llms_txt_lists_what_search_engines_may_list_and_no_more_than_can_be_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    SiteSettings.objects.create(pk=1)
    reviewed = make_article("Reviewed")
    sign(reviewed)
    publish_draft(reviewed)
    publish_draft(make_article("Unreviewed"))
    text = client.get("/llms.txt").content.decode()
    assert "[Reviewed]" in text
    assert "[Unreviewed]" not in text
    SiteSettings.objects.update(strictness=Strictness.OPEN)
    monkeypatch.setattr(sitemaps, "LLMS_ARTICLES", 1)
    text = client.get("/llms.txt").content.decode()
    assert "[Unreviewed]" in text
    assert "[Reviewed]" not in text


# --- The renditions beside a page --------------------------------------------------------------------------------


def test_a_rendition_names_the_page_and_is_no_more_to_be_found_than_that(client: Client) -> None:
    SiteSettings.objects.create(pk=1)
    reviewed = make_article("Reviewed")
    sign(reviewed)
    publish_draft(reviewed)
    publish_draft(make_article("Unreviewed"))
    for slug, robots in (("reviewed", None), ("unreviewed", "noindex")):
        for last in (".md", ".json", "/trust.json"):
            response = client.get(f"/articles/{slug}{last}")
            assert response.headers["Link"] == f'<http://testserver/articles/{slug}/>; rel="canonical"'
            assert response.headers.get("X-Robots-Tag") == robots
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            again = client.get(f"/articles/{slug}{last}", headers={"if-none-match": response.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")

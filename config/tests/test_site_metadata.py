"""What every page of the demonstration says to other programs: true to its words, and to the vocabulary."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from config.tests.site import HOME, Markup, Site, Visit
from config.tests.vocabulary import Node, faults, graph_in, unseen

pytestmark = pytest.mark.once

# Views whose pages describe themselves. Forms, letters, the record of editions and what is found do not.
DESCRIBED = {
    *("blog:home", "blog:article-list", "blog:article-detail", "blog:page-detail", "blog:person-detail"),
    *("blog:tag-list", "blog:tag-detail", "blog:archive", "blog:archive-month", "blog:person-list"),
    *("conditions:condition-list", "conditions:condition-detail", "conditions:body-area-list", "conditions:body-area"),
}
NOT_DESCRIBED = ("edition", "editions", "compare")


@cache
def read(file: Path) -> str:
    return file.read_text()


def pages(site: Site) -> list[tuple[Visit, str]]:
    """Every page with its HTML."""
    return [(visit, read(site.folder / "pages" / visit.body)) for visit in site.pages()]


def described_pages(site: Site) -> list[tuple[Visit, str, list[Node]]]:
    """Those with a graph, and it."""
    return [(visit, text, graph) for visit, text in pages(site) if (graph := graph_in(text))]


def test_every_graph_is_in_the_vocabulary(site: Site) -> None:
    found = Counter(fault for _visit, _text, graph in described_pages(site) for fault in faults(graph))
    assert dict(found) == {}


def test_every_word_and_every_day_of_a_graph_stands_on_its_page(site: Site) -> None:
    found = {}
    for visit, text, graph in described_pages(site):
        if missing := unseen(graph, text, Markup(text).language):
            found[visit.url] = missing
    assert found == {}


def test_the_pages_that_should_describe_themselves_do_and_the_record_does_not(site: Site) -> None:
    described = {visit.view for visit, _text, _graph in described_pages(site)}
    assert described >= DESCRIBED
    assert [view for view in described if view.endswith(NOT_DESCRIBED)] == []


def test_sections_and_selectors_of_a_graph_are_on_its_page(site: Site) -> None:
    for visit, text, graph in described_pages(site):
        for node in graph:
            parts = [part["url"].partition("#") for part in node.get("hasPart", [])]
            assert {fragment for _page, _hash, fragment in parts} <= set(visit.ids), visit.url
            assert {page for page, _hash, _fragment in parts} <= {HOME + visit.url}, visit.url
            for selector in node.get("speakable", {}).get("cssSelector", []):
                assert BeautifulSoup(text, "html.parser").select(selector), (visit.url, selector)


def test_every_page_above_another_is_linked_from_it(site: Site) -> None:
    for visit, _text, graph in described_pages(site):
        for node in graph:
            if node["@type"] == "BreadcrumbList":
                *above, this = [item["item"]["@id"] for item in node["itemListElement"]]
                assert this == HOME + visit.url.partition("?")[0]
                assert set(above) <= {HOME + "/", *visit.links}, visit.url


def content(page: BeautifulSoup, selector: str) -> str:
    """The content of the one element that the selector finds in the head, '' for none."""
    found: list[Any] = page.select(f"head {selector}")
    assert len(found) <= 1, selector
    return str(found[0].get("content") or found[0].get("href")) if found else ""


def test_the_card_of_a_page_says_what_its_head_says(site: Site) -> None:
    for visit, text in pages(site):
        page = BeautifulSoup(text.partition("</head>")[0], "html.parser")
        canonical = content(page, "link[rel=canonical]")
        assert content(page, 'meta[property="og:url"]') == canonical, visit.url
        if not canonical:
            continue
        assert page.title
        title, _dot, _site = page.title.get_text().rpartition(" · ")
        assert content(page, 'meta[property="og:title"]') == title, visit.url
        assert content(page, 'meta[property="og:description"]') == content(page, "meta[name=description]"), visit.url
        assert content(page, 'meta[property="og:image"]').startswith(HOME), visit.url
        assert content(page, 'meta[property="og:image:alt"]'), visit.url
        for name in ("width", "height"):
            assert int(content(page, f'meta[property="og:image:{name}"]')) >= 315, visit.url


def test_every_page_that_describes_itself_has_a_description(site: Site) -> None:
    without = {
        visit.view
        for visit, text, _graph in described_pages(site)
        if not content(BeautifulSoup(text.partition("</head>")[0], "html.parser"), "meta[name=description]")
    }
    assert without <= {"blog:page-detail"}  # a page about the site may have no summary

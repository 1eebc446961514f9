"""Every link of the demonstration, from the home page on: it leads somewhere, straight, and to a page in order.

The walk (config/tests/site.py) is made under the guard, so that each of its pages is a leak test as well.
"""

from __future__ import annotations

from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from django.urls import get_resolver

from config.tests.site import FILES, HOME, MOST_PAGES, UNLINKED, Markup, Site, inside
from config.tests.test_visibility import TOKEN_PAGES, public_patterns

pytestmark = pytest.mark.once

# Addresses that somebody reaches by doing something, or that programs ask for without a link.
NOT_WALKED = {"newsletter:thanks", "report-thanks", "blog:robots", "blog:favicon", "blog:llms", "api-unknown"}
# Pages about the site are not reviewed, and those of the demonstration have one edition each.
NOT_WALKED |= {"blog:page-trust", "blog:page-compare"}


def test_every_link_leads_to_something_that_is_there_and_without_a_detour(site: Site) -> None:
    assert len(site.visits) < MOST_PAGES, "the walk was stopped: something makes addresses without end"
    bad = {
        f"{target} ({found.status}{' to ' + found.location if found.location else ''}) on {visit.url}"
        for visit in site.visits.values()
        for target in map(inside, visit.links)
        if target not in (None, visit.url) and (found := site.visits.get(target)) and found.status != 200
    }
    assert bad == set()


def test_every_address_answers_as_it_should_and_sets_no_cookie(site: Site) -> None:
    answers = {visit.url: visit.status for visit in site.visits.values() if visit.status != 200}
    assert answers == {"/nowhere/": 404, "/favicon.ico": 301}
    assert [visit.url for visit in site.visits.values() if visit.cookies] == []


def test_every_fragment_is_an_id_of_the_page_that_it_leads_to(site: Site) -> None:
    missing = {
        f"{link} on {visit.url}"
        for visit in site.visits.values()
        if visit.is_page
        for link in visit.links
        if (target := inside(link)) is not None
        and (fragment := unquote(urldefrag(link).fragment))
        and not fragment.startswith(":~:")
        and (found := site.visits.get(target))
        and found.is_page
        and fragment not in found.ids
    }
    assert missing == set()


def test_every_picture_style_font_and_script_is_there_and_from_here(site: Site) -> None:
    files = {link for visit in site.visits.values() for link in visit.files}
    assert {link for link in files if not link.startswith((f"{HOME}/", "data:"))} == set()
    missing = set()
    for link in files:
        path = unquote(urlsplit(link).path)
        if path.startswith(FILES):
            file = site.folder / path.removeprefix("/")
            if not (file.is_file() and file.stat().st_size):
                missing.add(link)
        elif link.startswith(HOME) and (found := site.visits.get(path)) and found.status != 200:  # made by a view
            missing.add(link)
    assert missing == set()


def test_every_public_address_is_linked_from_somewhere(site: Site) -> None:
    reached = {visit.view for visit in site.visits.values() if visit.url not in UNLINKED}
    known = {name for name in public_patterns(get_resolver()) if name.rpartition(":")[2] not in TOKEN_PAGES}
    assert {name for name in known - reached - NOT_WALKED if not name.startswith("api:")} == set()


def test_every_page_is_in_order(site: Site) -> None:
    """Elements that are closed, ids that are there once, fields with labels, headings without gaps."""
    assert {fault: visit.url for visit in site.visits.values() for fault in visit.faults} == {}


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ("<p id=a></p><p id=a></p>", "id a twice"),
        ("<div><p></div></p>", "</p> closes nothing; open are ['html']"),
        ("<div>", "<div> is never closed"),
        ("<div/>", "<div/> is not closed by its slash"),
        ("<label for=a>x</label>", "for names no id: a"),
        ("<input name=q>", "field q has no label"),
        ("<h3>x</h3>", "h3 after h1"),
        ("<h1>x</h1>", "2 h1"),
        ("<img src=x alt=''>", "<img src=x> lacks alt, width or height"),
        ("<p style='color:red'>", "<p> has style or script of its own, which the policy refuses"),
        ("<p id=a id=b>", "<p> has an attribute twice"),
    ],
)
def test_what_is_out_of_order_is_seen(markup: str, fault: str) -> None:
    assert fault in Markup(f"<html lang=en><h1>x</h1>{markup}</html>").faults
    assert Markup("<html lang=en><h1>x</h1><label>Name <input name=q></label></html>").faults == []

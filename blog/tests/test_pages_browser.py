"""The public pages in a real browser: accessible, narrow, without complaint, and from this site alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from blog.models import Announcement, ArticleWarningSign
from config.tests.factories import (
    make_article,
    make_citation,
    make_condition,
    make_page,
    make_picture,
    make_user,
    publish_draft,
    reword,
    sign,
)
from publishing.documents import Urgency
from publishing.models import Level
from publishing.services import withdraw

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATHS = [
    "/",
    "/articles/",
    "/articles/pain/",
    "/articles/pain/editions/",
    "/articles/pain/editions/1/",
    "/articles/pain/compare/",
    "/tags/",
    "/tags/spine/",
    "/conditions/",
    "/conditions/disc/",
    "/people/ada-author/",
    "/about/policy/",
    "/articles/nowhere/",
    "/articles/gone/",
]
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture
def site(live_server: LiveServer) -> str:
    """A small site with a page of each kind. Returns its address."""
    Announcement.objects.create(text="New here?", link="https://a.example/", link_text="Read on", advertisement=True)
    condition = make_condition(slug="disc", urgency=Urgency.EMERGENCY)
    publish_draft(condition)
    article = make_article(slug="pain", conditions=[condition], own_entries=3, tips=3, picture=make_picture())
    for urgency in (Urgency.URGENT, Urgency.SEE_A_DOCTOR):
        ArticleWarningSign.objects.create(article=article, text="It hurts", urgency=urgency)
    article.publication.tags.add("spine")
    sign(article)
    publish_draft(article)
    publish_draft(reword(article), level=Level.MINOR)
    publish_draft(make_page("Policy", slug="policy"))
    gone = make_article("Gone", slug="gone")
    publish_draft(gone)
    withdraw(publication=gone.publication, by=make_user(), reason="It was wrong.")
    return live_server.url


# Both widths and both schemes in every run, all four pairs in the long one.
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (1280, "light"),
        (390, "dark"),
        pytest.param(1280, "dark", marks=pytest.mark.long),
        pytest.param(390, "light", marks=pytest.mark.long),
    ],
)
def test_no_page_has_an_accessibility_fault_or_a_complaint_or_asks_anybody_else(
    site: str, browser: Browser, scheme: str, width: int
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of the two
    )
    page = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    missing: set[str] = set()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("response", lambda answer: missing.add(answer.url) if answer.status >= 400 else None)
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    for path in PATHS:
        page.goto(site + path)
        found = Axe().run(page, options=WCAG)
        assert found.response["violations"] == [], f"{path}: {found.generate_report()}"
    assert missing == {f"{site}/articles/nowhere/", f"{site}/articles/gone/"}
    # The browser notes the answers 404 and 410 itself.
    assert [line for line in complaints if "status of 4" not in line] == []
    assert {host for host in hosts if host} == {urlsplit(site).netloc}
    context.close()


def test_no_page_scrolls_sideways_at_320_pixels(site: str, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    for path in PATHS:
        page.goto(site + path)
        assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, 320)


def test_the_first_key_leads_past_the_head_of_the_page_to_its_text(site: str, page: Page) -> None:
    page.goto(f"{site}/articles/pain/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


# --- What script adds ----------------------------------------------------------------------------------------------


def test_a_source_shows_where_it_is_cited_the_table_sorts_and_the_contents_follow(page: Page, site: str) -> None:
    condition = make_condition("Ache", slug="ache", what_it_is="<p>It aches. [@one]</p>", urgency=Urgency.EMERGENCY)
    make_citation("one", title="A trial of rest", authors="Roe R")
    publish_draft(condition)
    publish_draft(make_article(slug="aches", conditions=[condition], own_entries=9))
    page.goto(f"{site}/articles/aches/")

    cite = page.locator("#ache ~ .prose a.cite")
    cite.focus()
    page.keyboard.press("Enter")
    note = page.locator(".note")
    expect(note).to_be_visible()
    expect(note).to_contain_text("Roe R. A trial of rest")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(cite).to_be_focused()

    first = page.locator(".glance tbody th").first
    before = first.inner_text()
    soon = page.get_by_role("button", name="How soon to act")
    soon.click()
    expect(page.get_by_role("columnheader", name="How soon to act")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(".glance tbody tr").first).to_contain_text("Emergency")
    soon.click()  # the other way round, but what says nothing stays last
    expect(page.get_by_role("columnheader", name="How soon to act")).to_have_attribute("aria-sort", "descending")
    expect(page.locator(".glance tbody tr").first).to_contain_text("Emergency")
    names = page.get_by_role("button", name="Condition", exact=True)
    names.click()
    names.click()
    expect(first).to_have_text("Own entry 9")
    assert before == "Ache"

    page.locator("#sources").scroll_into_view_if_needed()
    page.mouse.wheel(0, 4000)
    expect(page.locator(".contents [aria-current=location]")).to_have_count(1)


def test_the_links_to_copy_say_that_they_did(browser: Browser, site: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/articles/pain/")
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("status")).to_have_text("The link is copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith("/articles/pain/")
    page.locator("a.anchor").first.click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('#'))")
    context.close()


def test_without_script_a_source_is_a_link_and_no_button_is_dead(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/articles/pain/")
    expect(page.locator(".share button:visible, .glance button:visible")).to_have_count(0)
    expect(page.locator(".share noscript")).to_have_count(1)
    context.close()

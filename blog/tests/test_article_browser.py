"""The page of an article in a real browser: what script adds, what is there without it, and what comes on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from config.tests.factories import (
    make_article,
    make_citation,
    make_condition,
    make_picture,
    publish_draft,
    reword,
    sign,
)
from publishing.documents import Urgency
from publishing.models import Level

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def article(live_server: LiveServer) -> str:
    """The address of an article with five entries, of which the second is an emergency, in its second edition."""
    make_citation("one", title="A trial of rest", authors="Roe R")
    condition = make_condition("Ache", slug="ache", what_it_is="<p>It aches. [@one]</p>", urgency=Urgency.EMERGENCY)
    calm = make_condition("Calm", slug="calm")
    for row in (calm, condition):
        publish_draft(row)
    draft = make_article(slug="pain", conditions=[calm, condition], own_entries=3, picture=make_picture())
    sign(draft)
    publish_draft(draft)
    publish_draft(reword(draft), level=Level.MINOR)
    return f"{live_server.url}/articles/pain/"


def test_sources_show_where_they_are_cited_tables_sort_contents_follow_and_links_copy(
    browser: Browser, article: str
) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(article)
    cite = page.locator("#ache ~ .prose a.cite")
    cite.focus()
    page.keyboard.press("Enter")
    note = page.locator(".note")
    expect(note).to_contain_text("Roe R. A trial of rest")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(cite).to_be_focused()
    cite.click()
    note.get_by_role("link", name="Sources").click()
    expect(note).to_be_hidden()
    expect(page).to_have_url(article + str(cite.get_attribute("href")))

    soon = page.get_by_role("button", name="How soon to act")
    soon.click()
    expect(page.get_by_role("columnheader", name="How soon to act")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(".glance tbody tr").first).to_contain_text("Emergency")
    soon.click()
    expect(page.locator(".glance tbody tr").first).to_contain_text("See a doctor")

    page.locator("#ache").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('ache').scrollIntoView()")
    expect(page.locator(".contents [aria-current=location]")).to_have_text("2. Ache")
    # Always open beside the text: there is nothing to fold, and so nothing to stop at.
    expect(page.locator(".contents summary")).to_be_hidden()

    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("status")).to_have_text("The link is copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith("/articles/pain/")
    page.get_by_role("link", name="Link to Ache").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.endsWith('#ache'))")
    context.close()


def test_without_script_sources_and_contents_are_links_and_no_button_is_dead(browser: Browser, article: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(article)
    expect(page.locator(".share button, .glance button").locator("visible=true")).to_have_count(0)
    expect(page.locator(".share [rel=bookmark]")).to_be_visible()
    page.locator("#ache ~ .prose a.cite").click()
    expect(page.locator(".sources li:target")).to_contain_text("A trial of rest")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="2. Ache").click()
    expect(page).to_have_url(f"{article}#ache")
    context.close()


def test_an_emergency_is_in_the_first_screen_and_on_a_phone_the_contents_fold_and_the_table_sorts(
    page: Page, article: str
) -> None:
    for width, height in ((1280, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(article)
        number = page.get_by_role("link", name="112", exact=True).first
        expect(number).to_be_in_viewport(ratio=1)
        assert (number.bounding_box() or {"height": 0})["height"] >= 44

    page.get_by_role("button", name="How soon to act").click()
    expect(page.locator(".glance tbody tr").first).to_contain_text("Emergency")
    last = page.locator(".contents a").last
    expect(last).to_be_hidden()
    page.locator(".contents summary").click()
    last.click()
    expect(last).to_be_hidden()
    expect(page.locator("#sources")).to_be_in_viewport()


def test_paper_has_the_emergency_and_each_source_with_its_address_and_says_which_text_it_is(
    page: Page, article: str
) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(article)
    for part in (".care.is-emergency", ".trust", ".sources li", ".on-paper"):
        expect(page.locator(part).first).to_be_visible()
    furniture = ".contents, .share, .related, .anchor, .site-footer, .site-subscribe, .trust-links, .site-menu"
    expect(page.locator(furniture).locator("visible=true")).to_have_count(0)
    expect(page.locator(".on-paper")).to_contain_text("Edition 2 of")
    after = page.locator(".sources a[href^=http]").first.evaluate("link => getComputedStyle(link, '::after').content")
    assert "sources.example" in after or "attr(href)" in after
    ink = "part => [getComputedStyle(part).color, getComputedStyle(part.parentElement).backgroundColor]"
    assert page.locator(".care.is-emergency li").evaluate(ink) == ["rgb(0, 0, 0)", "rgba(0, 0, 0, 0)"]

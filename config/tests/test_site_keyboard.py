"""The site by keyboard alone: everything can be reached, seen, opened, closed and left again, in its order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from config.tests.site import ARTICLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.once]

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=address, reduced_motion="reduce")
    page = context.new_page()
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    yield page
    context.close()


def tab_to(page: Page, target: Locator, most: int = 150) -> None:
    """Press Tab until the target has the focus."""
    for _press in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached with the Tab key")


# What the focus is on, whether it can be seen there, and where in the document it stands.
FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 || style.boxShadow !== "none";
  const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
  const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 12), 1), innerHeight - 2);
  const top = document.elementFromPoint(x, y);
  const isSeen = top && (element.contains(top) || top.contains(element) || top.closest("label")?.contains(element));
  const order = [...document.querySelectorAll("*")].indexOf(element);
  return {order, seen: Boolean(inside && ring && isSeen), name: element.outerHTML.replace(/\\s+/g, " ").slice(0, 120)};
}"""


def walk(page: Page, most: int = 400) -> list[str]:
    """Tab through the whole page. Returns what had the focus and could not be seen, or came out of order."""
    faults: list[str] = []
    last = -1
    for _press in range(most):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:
            return faults
        if not focus["seen"]:
            faults.append(f"not seen: {focus['name']}")
        if focus["order"] <= last:
            return faults if focus["order"] == 0 or last < 0 else [*faults, f"out of order: {focus['name']}"]
        last = focus["order"]
    return [*faults, f"no end after {most} keys"]


@pytest.mark.parametrize("size", [DESK, pytest.param(PHONE, marks=pytest.mark.long)], ids=["desk", "phone"])
def test_the_focus_is_always_in_sight_and_in_order(reader: Page, site: Site, size: dict[str, int]) -> None:
    """The article, which has the most of everything: WCAG 2.4.3, 2.4.7, 2.4.11, 2.1.2."""
    reader.set_viewport_size(size)  # type: ignore[arg-type]
    reader.goto(ARTICLE)
    assert walk(reader) == []


@pytest.mark.long
def test_the_focus_is_always_in_sight_and_in_order_on_every_template(reader: Page, site: Site) -> None:
    for visit in site.one_of_each():
        reader.goto(visit.url)
        assert (visit.url, walk(reader)) == (visit.url, [])


def test_the_first_key_skips_to_the_text_and_the_next_ones_go_on_from_there(reader: Page) -> None:
    reader.goto(ARTICLE)
    reader.keyboard.press("Tab")
    expect(reader.get_by_role("link", name="Skip to the text")).to_be_focused()
    reader.keyboard.press("Enter")
    expect(reader.locator("main")).to_be_focused()
    reader.keyboard.press("Tab")
    assert reader.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_header_leads_everywhere_and_says_where_one_is(reader: Page) -> None:
    reader.goto("/")
    for name in ("Articles", "Conditions"):
        link = reader.get_by_role("navigation", name="Main").get_by_role("link", name=name)
        tab_to(reader, link)
        reader.keyboard.press("Enter")
        reader.wait_for_load_state()
        current = reader.get_by_role("navigation", name="Main").locator("[aria-current]")
        expect(current).to_contain_text(name)


def test_the_search_takes_words_and_answers_without_a_mouse(reader: Page) -> None:
    reader.goto("/")
    tab_to(reader, reader.get_by_role("searchbox").first)
    reader.keyboard.type("slipped disc")
    reader.keyboard.press("Enter")
    reader.wait_for_url("**/search/?**")
    answer = reader.locator("main").get_by_role("link", name="Herniated disc", exact=True).first
    tab_to(reader, answer)
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("heading", level=1)).to_have_text("Herniated disc")


@pytest.mark.parametrize(
    ("size", "opener", "inside"),
    [(DESK, "button[popovertarget=subscribe]:visible", "dialog"), (PHONE, ".menu-open", "#menu")],
    ids=["subscribe", "menu"],
)
def test_what_opens_takes_the_keyboard_closes_with_escape_and_gives_it_back(
    reader: Page, size: dict[str, int], opener: str, inside: str
) -> None:
    reader.set_viewport_size(size)  # type: ignore[arg-type]
    reader.goto("/articles/")
    button, sheet = reader.locator(opener).first, reader.locator(inside).first
    tab_to(reader, button)
    reader.keyboard.press("Enter")
    expect(sheet).to_be_visible()
    reader.keyboard.press("Tab")
    assert sheet.evaluate("sheet => sheet.contains(document.activeElement)")
    reader.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()
    reader.keyboard.press("Enter")
    tab_to(reader, sheet.get_by_role("button", name="Close"))
    reader.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()


def test_the_contents_lead_to_a_condition_and_what_follows_it(reader: Page) -> None:
    reader.set_viewport_size(PHONE)  # type: ignore[arg-type]
    reader.goto(ARTICLE)
    contents = reader.locator("nav.contents")
    summary = contents.locator("summary")
    if summary.is_visible():  # folded where there is no room
        tab_to(reader, summary)
        reader.keyboard.press("Enter")
    link = contents.get_by_role("link", name="Spinal stenosis")
    tab_to(reader, link)
    reader.keyboard.press("Enter")
    heading = reader.locator("#spinal-stenosis")
    expect(heading).to_be_in_viewport()
    reader.keyboard.press("Tab")
    box = reader.evaluate("document.activeElement.getBoundingClientRect().top + scrollY")
    assert box >= heading.evaluate("heading => heading.getBoundingClientRect().top + scrollY") - 60


def test_a_problem_is_reported_without_a_mouse(reader: Page) -> None:
    reader.goto(ARTICLE)
    reader.get_by_role("contentinfo").get_by_role("link", name="Report a problem").focus()
    reader.keyboard.press("Enter")
    reader.wait_for_url("**/report/**")
    tab_to(reader, reader.locator("main [type=radio]").first)
    reader.keyboard.press("Space")
    tab_to(reader, reader.locator("main textarea"))
    reader.keyboard.type("The third source is not there any more.")
    tab_to(reader, reader.locator("main").get_by_role("button").first)
    reader.keyboard.press("Enter")
    reader.wait_for_url("**/report/thanks/**")
    assert reader.context.cookies() == []

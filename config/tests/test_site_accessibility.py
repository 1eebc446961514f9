"""Every template of the site in Chromium: accessible in every mode, still for who asks for it, whole without script.

One page of each template in every run, every page in the long one; config/tests/accessibility.py says what is held.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from config.tests.accessibility import MODES, MORE_MODES, ZOOMED, faults, faults_of, look, watched
from config.tests.site import ARTICLE, Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.once]


def paths(visits: list[Visit]) -> dict[str, int]:
    return {visit.url: visit.status for visit in visits}


@pytest.mark.parametrize("third", range(3))  # side by side where there are processors
def test_no_template_has_a_fault_in_any_mode_nor_anything_to_complain_of(
    third: int, site: Site, browser: Browser, address: str
) -> None:
    assert faults_of(paths(site.one_of_each()[third::3]), browser, address, MODES) == {}


@pytest.mark.long
def test_no_page_has_a_fault_in_any_mode_nor_anything_to_complain_of(
    site: Site, browser: Browser, address: str
) -> None:
    assert faults_of(paths(site.pages()), browser, address, MODES + MORE_MODES) == {}


def test_a_fault_is_found(browser: Browser, address: str) -> None:
    """The proof of the proof: grey on grey, a button without a name, a target that is too small, a wide line."""
    seen = watched(browser)
    look(seen.page, ZOOMED)
    seen.page.goto(address + "/")
    seen.page.evaluate(
        """() => {
          const spoil = document.createElement("p");
          spoil.innerHTML = "<button></button><i>pale words</i><span>grey</span>";
          spoil.children[1].style.cssText = "color: #6a6a6a; background: #fff; display: block";
          spoil.lastChild.style.cssText = "color: #777; background: #888; display: block; width: 500px";
          document.querySelector("main").prepend(spoil);
          const image = new Image();
          image.src = "https://elsewhere.example/x.png";
          document.body.append(image);
        }"""
    )
    found = " ".join(faults(seen.page, ZOOMED, everything=True))
    for part in ("<span style", "<i style", "button-name:", "target of ", "scrolls sideways"):
        assert part in found, part
    assert any("CSP img-src" in line for line in seen.complaints)
    seen.page.context.close()


# --- Motion ----------------------------------------------------------------------------------------------------------

MOVES = """() => [...document.querySelectorAll("*")].flatMap(element =>
  ["", "::before", "::after", "::backdrop"].flatMap(part => {
    const style = getComputedStyle(element, part || null);
    const times = `${style.transitionDuration},${style.animationDuration}`.split(",");
    const moving = times.some(time => parseFloat(time) > 0);
    return moving || style.scrollBehavior === "smooth" ? [element.tagName + "." + element.className + part] : [];
  }))"""


def test_nothing_moves_for_who_asked_for_less_motion(site: Site, browser: Browser, address: str) -> None:
    page = browser.new_context(reduced_motion="reduce").new_page()
    moving: dict[str, str] = {}
    for visit in site.one_of_each():
        page.goto(address + visit.url)
        moving |= dict.fromkeys(page.evaluate(MOVES), visit.url)
    assert moving == {}
    page.context.close()


# --- Without script --------------------------------------------------------------------------------------------------


TEXTS = "main :is(p, li, td, dd, h2, h3):not(.share *)"


def test_the_article_says_the_same_without_script(browser: Browser, address: str) -> None:
    """Script adds controls, and takes no text away but the address to copy, for which it has a button."""
    texts = []
    for script in (True, False):
        page = browser.new_context(java_script_enabled=script, viewport={"width": 1280, "height": 1024}).new_page()
        page.goto(address + ARTICLE)
        texts.append(
            {
                " ".join(part.split())
                for part in page.locator("main :is(p, li, td, dd, h2, h3):not(.share *)").all_inner_texts()
            }
        )
        page.context.close()
    with_script, without = texts
    assert without - with_script == set()
    assert len(without) > 100

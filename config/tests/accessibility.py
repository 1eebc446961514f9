"""What is wrong with a page in Chromium: what axe finds, targets too small, lines too wide, what it complains of.

WCAG 2.2 AA, and AAA for contrast (1.4.6) and the size of targets (2.5.5), in light, dark, forced colours, at 320 pixels
and at 400 % zoom: 1280 by 1024 pixels at 400 % are 320 by 256, which is how the narrow mode is.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
ALL = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {"color-contrast-enhanced": {"enabled": True}},
    "resultTypes": ["violations"],
    "preload": False,
}
# What a page says is the same in every mode; how it looks is not. The first rule finds what is below AA (4.5:1), the
# second what is between that and AAA (7:1).
LOOKS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "color-contrast-enhanced", "link-in-text-block"]},
    "resultTypes": ["violations"],
    "preload": False,
}
AXE = Axe().axe_script


class Mode(NamedTuple):
    """A way in which somebody looks at a page."""

    name: str
    width: int = 1280
    height: int = 1024
    scheme: Literal["light", "dark"] = "light"
    forced: Literal["active", "none"] = "none"


LIGHT = Mode("light")
ZOOMED = Mode("400 %", 320, 256)
MODES = [LIGHT, Mode("dark", scheme="dark"), ZOOMED, Mode("forced colours", forced="active")]
MORE_MODES = [
    Mode("320 px, dark", 320, 800, "dark"),
    Mode("phone", 390, 844),
    Mode("forced dark colours", scheme="dark", forced="active"),
]

# Targets below 44 by 44 CSS pixels (2.5.5), but for links within a line of text and links whose place can also be
# reached by a target on the same page that is large enough. A link that covers its card is as large as the card.
SMALL = """() => {
  const targets = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const seen = [...document.querySelectorAll(targets)].filter(element =>
    element.type !== "hidden" && element.checkVisibility({checkVisibilityCSS: true, checkOpacity: true})
    && !element.closest("[aria-hidden=true], .trap"));
  const size = element => {
    const field = element.matches("input[type=checkbox], input[type=radio]") ? element.closest("label") : null;
    const box = (field ?? element).getBoundingClientRect();
    const cover = getComputedStyle(element, "::after");
    if (cover.content !== "none" && cover.position === "absolute")
      return [Math.max(box.width, parseFloat(cover.width)), Math.max(box.height, parseFloat(cover.height))];
    return box.bottom + scrollY <= 0 || box.right <= 0 ? [44, 44] : [box.width, box.height];
  };
  const isInLine = element => {
    if (getComputedStyle(element).display !== "inline") return false;
    let block = element.parentElement;
    while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
    return block.textContent.trim().length > element.textContent.trim().length;
  };
  const isLarge = element => size(element).every(side => side >= 43.5);
  const reached = new Set(seen.filter(element => element.href && isLarge(element)).map(element => element.href));
  return seen.filter(element => !isLarge(element) && !isInLine(element) && !reached.has(element.href)).map(element =>
    `${size(element).map(Math.round).join("x")} ${element.outerHTML.replace(/\\s+/g, " ").slice(0, 90)}`);
}"""


class Watched(NamedTuple):
    """A page, and what was noticed while it was used."""

    page: Page
    complaints: list[str]
    hosts: set[str]


def watched(browser: Browser) -> Watched:
    page = browser.new_context(reduced_motion="reduce").new_page()
    seen = Watched(page, [], set())
    page.add_init_script(AXE)
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', event => console.error('CSP', event.violatedDirective,"
        " event.blockedURI))"
    )
    page.on("pageerror", lambda error: seen.complaints.append(f"{page.url}: {error}"))
    page.on("console", lambda message: seen.complaints.append(f"{page.url}: {message.text}"))
    page.on("requestfailed", lambda request: seen.complaints.append(f"{page.url}: {request.url} {request.failure}"))
    page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))
    return seen


def look(page: Page, mode: Mode) -> None:
    page.set_viewport_size({"width": mode.width, "height": mode.height})
    page.emulate_media(color_scheme=mode.scheme, forced_colors=mode.forced, reduced_motion="reduce")


def faults(page: Page, mode: Mode, everything: bool) -> list[str]:
    """What is wrong with the page in this mode, each with its place."""
    found = page.evaluate("options => axe.run(options)", ALL if everything else LOOKS)["violations"]
    said = [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
    if mode.forced == "none":
        said += [f"target of {target}" for target in page.evaluate(SMALL)]
    if (width := page.evaluate("document.documentElement.scrollWidth")) > mode.width:
        said.append(f"scrolls sideways: {width} pixels")
    return said


def faults_of(pages: dict[str, int], browser: Browser, address: str, modes: list[Mode]) -> dict[str, list[str]]:
    """The faults of pages (their path and the status that they should have), by mode and fault: on which pages."""
    seen = watched(browser)
    found: dict[str, list[str]] = {}
    for path, status in pages.items():
        look(seen.page, LIGHT)
        response = seen.page.goto(address + path)
        if response is None or response.status != status:
            found.setdefault(f"not {status}", []).append(path)
        for mode in modes:
            look(seen.page, mode)
            for fault in faults(seen.page, mode, everything=mode is LIGHT):
                found.setdefault(f"{mode.name}: {fault}", []).append(path)
    # The browser notes the answers 404 and 410 itself.
    if complaints := [line for line in seen.complaints if "status of 4" not in line]:
        found["complaints"] = complaints
    if elsewhere := seen.hosts - {urlsplit(address).netloc, ""}:
        found["asked of others"] = sorted(elsewhere)
    if seen.page.context.cookies():
        found["cookies"] = [address]
    seen.page.context.close()
    return found

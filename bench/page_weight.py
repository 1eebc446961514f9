"""What the 16-condition article weighs, and whether it moves while it loads: .venv/bin/python bench/page_weight.py

Serves the demonstration as in production (config/tests/site.py: Brotli 11 for static files, 5 for pages) and opens the
article in Chromium with an empty cache. Prints bytes over the wire, headers included, and the layout shift with fonts
and pictures that arrive late.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config.tests.site import ARTICLE, built, served  # noqa: E402
from script.chromium import ARGUMENTS, NO_CHROMIUM, find_chromium  # noqa: E402

WATCH = """
window.shifts = [];
new PerformanceObserver(list => {
  const start = node => (node?.outerHTML ?? node?.parentElement?.outerHTML ?? "").slice(0, 120);
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput) window.shifts.push([entry.value, ...entry.sources.map(source => start(source.node))]);
}).observe({type: "layout-shift", buffered: true});
"""
LATE_MILLISECONDS = 150


def weigh(browser: Browser, url: str) -> tuple[Counter[str], set[str], int]:
    """Bytes over the wire by type of resource, the hosts asked, and how many cookies were set; scrolled to its end."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(url, wait_until="load")
    scroll(page)
    sizes: Counter[str] = Counter()
    for request in requests:
        size = request.sizes()
        sizes[request.resource_type] += size["responseBodySize"] + size["responseHeadersSize"]
    cookies = len(context.cookies())
    context.close()
    return sizes, hosts - {""}, cookies


def scroll(page: Page) -> None:
    """To the end, step by step, so that lazy pictures are asked for."""
    page.evaluate("""async () => {
      for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        scrollTo({top: y, behavior: "instant"});
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
      }
    }""")
    page.wait_for_load_state("networkidle")


def shifts(browser: Browser, url: str, width: int) -> list[list[object]]:
    """The layout shifts of a page whose fonts, scripts and pictures come after it was painted: value and elements."""
    context = browser.new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(WATCH)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.resource_type in ("image", "font", "script"):
            held.append(route)
        else:
            route.continue_()

    page.route("**/*", hold)
    page.goto(url, wait_until="commit")
    page.wait_for_selector("footer")
    while True:
        page.wait_for_timeout(LATE_MILLISECONDS)
        if not held:
            break
        while held:
            held.pop().continue_()
    page.unroute_all(behavior="wait")
    scroll(page)
    page.wait_for_timeout(LATE_MILLISECONDS)
    found: list[list[object]] = page.evaluate("window.shifts")
    context.close()
    return found


def main() -> None:
    chromium = find_chromium() or sys.exit(NO_CHROMIUM)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        built(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with served(Path(folder)) as address:
            sizes, hosts, cookies = weigh(browser, address + ARTICLE)
            for kind, size in sizes.most_common():
                print(f"{kind:12} {size:8,} bytes")
            print(f"{'no pictures':12} {sizes.total() - sizes['image']:8,} bytes")
            print(f"{len(hosts)} host, {cookies} cookies")
            for width in (390, 1280):
                moved = sum(float(str(value)) for value, *_elements in shifts(browser, address + ARTICLE, width))
                print(f"layout shift at {width} px: {moved:.4f}")
        browser.close()


if __name__ == "__main__":
    main()

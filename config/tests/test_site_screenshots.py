"""The pictures in docs/screenshots/: the demonstration's pages as a phone and a desktop show them, light and dark.

SCREENSHOTS=1 writes them (script/screenshots does so); without it, only that they can be taken is tested.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from blog.demonstration import PASSWORD
from config.tests.site import ARTICLE, ROOT, Site, served, with_admin

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.once]

OUT = ROOT / "docs" / "screenshots"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
PAGES = {
    "home": "/",
    "article": ARTICLE,
    "condition": "/conditions/herniated-disc/",
    "conditions": "/conditions/",
    "search": "/search/?q=slipped+disc",
}
WAYS: list[tuple[str, dict[str, Any], Literal["light", "dark"]]] = [
    ("", DESK, "light"),
    ("-dark", DESK, "dark"),
    ("-phone", PHONE, "light"),
    ("-phone-dark", PHONE, "dark"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return OUT if os.environ.get("SCREENSHOTS") else tmp_path


def shoot(page: Page, file: Path) -> None:
    """Take the picture when fonts and pictures are there; as few bytes as a palette can do it with."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, animations="disabled", caret="hide")
    with Image.open(file) as image:
        image.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            file, optimize=True
        )
    assert file.stat().st_size > 5_000


@pytest.mark.parametrize(("suffix", "device", "scheme"), WAYS, ids=[suffix or "-desk" for suffix, *_way in WAYS])
def test_readers_see(
    browser: Browser,
    address: str,
    folder: Path,
    suffix: str,
    device: dict[str, Any],
    scheme: Literal["light", "dark"],
) -> None:
    context = browser.new_context(**device, color_scheme=scheme, reduced_motion="reduce", base_url=address)
    page = context.new_page()
    for name, path in PAGES.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, path
        shoot(page, folder / f"{name}{suffix}.png")
    context.close()


def test_a_doctor_would_hand_out(browser: Browser, address: str, folder: Path) -> None:
    """The article as it is printed."""
    context = browser.new_context(viewport={"width": 794, "height": 1123}, base_url=address)  # A4 at 96 dpi
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(ARTICLE)
    shoot(page, folder / "article-print.png")
    context.close()


def test_editors_see(browser: Browser, site: Site, folder: Path) -> None:
    with served(with_admin(site.folder)) as address:
        context = browser.new_context(**DESK, reduced_motion="reduce", base_url=address)
        page = context.new_page()
        page.goto("/admin/login/?next=/admin/")
        page.fill("#id_username", "editor")
        page.fill("#id_password", PASSWORD)
        page.click("[type=submit]")
        shoot(page, folder / "desk.png")
        page.goto("/admin/blog/article/")
        page.click("#result_list tbody th a")
        page.wait_for_selector("html[data-ready]", state="attached")
        shoot(page, folder / "form.png")
        context.close()

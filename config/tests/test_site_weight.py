"""What the 16-condition article may cost a reader: bytes, requests, cookies, and text that jumps away."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from bench.page_weight import shifts, weigh
from config.tests.site import ARTICLE

pytestmark = [pytest.mark.browser, pytest.mark.once]

MOST_BYTES = 60 * 1024
MOST_SCRIPT = 8 * 1024


def test_the_article_weighs_no_more_than_it_may_and_comes_from_one_place_without_cookies(
    browser: Browser, address: str
) -> None:
    sizes, hosts, cookies = weigh(browser, address + ARTICLE)
    assert sizes["document"]
    assert sizes["stylesheet"]
    assert sizes["font"]
    assert sizes["script"] <= MOST_SCRIPT, sizes
    assert sizes.total() - sizes["image"] <= MOST_BYTES, sizes
    assert hosts == {urlsplit(address).netloc}
    assert cookies == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_while_fonts_scripts_and_pictures_arrive_late(browser: Browser, address: str, width: int) -> None:
    assert shifts(browser, address + ARTICLE, width) == []

"""Lighthouse at its mobile settings: nothing to gain in accessibility, best practices and SEO; performance is printed.

Performance is no claim of a test, for it depends on how busy the machine is; docs/budgets.md says what is held instead.
"""

from __future__ import annotations

import pytest

from bench.lighthouse import best, table
from config.tests.tools import Missing

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.once]


def test_lighthouse_finds_nothing_to_gain(address: str, chromium_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        found = best(address, chromium_path)
    except Missing as missing:
        pytest.skip(str(missing))
    with capsys.disabled():
        print(f"\n{table(found)}")  # noqa: T201  # its figures are asked for
    lost = {
        (path, name): score
        for path, (scores, _lost) in found.items()
        for name, score in scores.items()
        if name != "performance" and score < 100
    }
    assert lost == {}

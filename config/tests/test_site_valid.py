"""Every page of the demonstration is valid HTML, as the Nu checker knows it (vnu-jar from npm, where Java is found)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from config.tests.site import Site
from config.tests.tools import Missing, npm_package

pytestmark = [pytest.mark.long, pytest.mark.once]

VERSION = "26.9.27"


def messages(jar: Path, files: list[Path]) -> list[dict[str, str]]:
    """What the checker says of the files, warnings included."""
    command = ["java", "-Xss4m", "-jar", str(jar), "--format", "json", "--stdout", "--exit-zero-always"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=True, timeout=600)
    found: list[dict[str, str]] = json.loads(done.stdout)["messages"]
    return found


@pytest.fixture(scope="module")
def jar() -> Path:
    try:
        return npm_package("vnu-jar", VERSION, "java") / "build" / "dist" / "vnu.jar"
    except Missing as missing:
        pytest.skip(str(missing))


def test_every_page_is_valid(site: Site, jar: Path) -> None:
    urls = {str(site.folder / "pages" / visit.body): visit.url for visit in site.visits.values() if visit.body}
    found: dict[str, str] = {}
    for message in messages(jar, [Path(file) for file in urls]):
        said = f"{message['type']}: {message['message']} {message.get('extract', '')[:120]!r}"
        found.setdefault(said, urls[message["url"].removeprefix("file:")])
    assert found == {}


def test_a_fault_is_found(jar: Path, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><html lang=en><title>x</title><h1>x</h1><p><div>x</div></p></html>")
    assert any("p" in message["message"] for message in messages(jar, [page]))

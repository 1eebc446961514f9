"""What Lighthouse says of the site at its mobile settings: .venv/bin/python bench/lighthouse.py

Serves the demonstration as in production (config/tests/site.py) and prints, for the home page, a condition and a
reviewed article, the best of three runs: performance, accessibility, best practices and SEO, of 100. Needs Node (18 or
newer) and a Chromium; Lighthouse is fetched from npm into var/tools.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config.tests.site import ARTICLE, built, served  # noqa: E402
from config.tests.tools import Missing, npm_package  # noqa: E402
from script.chromium import ARGUMENTS, NO_CHROMIUM, find_chromium  # noqa: E402

VERSION = "12.8.2"
PAGES = ("/", "/conditions/herniated-disc/", ARTICLE)
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
RUNS = 3


def lighthouse(command: Path, chromium: str, url: str) -> tuple[dict[str, int], list[str]]:
    """The scores of one run, of 100, and the audits that cost something. Lighthouse's default settings are mobile."""
    flags = " ".join(["--headless=new", *ARGUMENTS])
    done = subprocess.run(
        [
            "node",
            str(command),
            url,
            "--output=json",
            "--quiet",
            f"--chrome-flags={flags}",
            "--no-enable-error-reporting",
        ],
        env=os.environ | {"CHROME_PATH": chromium},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    report = json.loads(done.stdout)
    scores = {name: round(100 * (report["categories"][name]["score"] or 0)) for name in CATEGORIES}
    weighty = {part["id"] for name in CATEGORIES for part in report["categories"][name]["auditRefs"] if part["weight"]}
    audits = report["audits"]
    lost = [f"{name} ({audits[name]['title']})" for name in sorted(weighty) if (audits[name]["score"] or 0) < 1]
    return scores, [line for line in lost if audits[line.split(" ")[0]]["scoreDisplayMode"] != "notApplicable"]


def best(address: str, chromium: str, runs: int = RUNS) -> dict[str, tuple[dict[str, int], list[str]]]:
    """For each page the best of some runs. Raises Missing where Lighthouse cannot be had."""
    command = npm_package("lighthouse", VERSION, "node") / "cli" / "index.js"
    return {
        path: max(
            (lighthouse(command, chromium, address + path) for _run in range(runs)),
            key=lambda run: sum(run[0].values()),
        )
        for path in PAGES
    }


def table(found: dict[str, tuple[dict[str, int], list[str]]]) -> str:
    rows = [f"{'':45}" + " ".join(f"{name:>14}" for name in CATEGORIES)]
    for path, (scores, lost) in found.items():
        rows.append(f"{path:45}" + " ".join(f"{scores[name]:14}" for name in CATEGORIES))
        rows += [f"    {line}" for line in lost]
    return "\n".join(rows)


def main() -> None:
    chromium = find_chromium() or sys.exit(NO_CHROMIUM)
    with tempfile.TemporaryDirectory() as folder:
        built(Path(folder))
        with served(Path(folder)) as address:
            try:
                print(table(best(address, chromium)))
            except Missing as missing:
                print(f"Not run: {missing}")


if __name__ == "__main__":
    main()

"""How long an editor waits until an article's form is ready to type in: .venv/bin/python bench/form_ready.py

Starts the demonstration in an empty folder on a free port, adds an article with N entries, 9 tips, 9 signs and 30
citations, and opens it in Chromium as an editor does. Prints milliseconds from the start of the navigation to the
moment when the introduction's editor takes a key; the first load, then the median of the later ones.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from script.chromium import ARGUMENTS, NO_CHROMIUM, find_chromium  # noqa: E402

SIZES = (16, 100)
LOADS = 6
MAKE = """
from blog.models import *
from conditions.models import Condition
from publishing.models import Citation, Publication
keys = list(Citation.objects.values_list("key", flat=True))
library = list(Condition.objects.all())
for size in {sizes}:
    address = Publication.objects.create(kind="article", slug=f"bench-{{size}}")
    article = Article.objects.create(publication=address, title=f"Bench {{size}}", summary="s", intro="<p>i</p>")
    for n in range(size):
        cited = " ".join(f"[@{{keys[(n * 2 + k) % len(keys)]}}]" for k in (0, 1))
        own = n % 2
        ArticleEntry.objects.create(article=article, position=n, condition=library[n % len(library)],
            text=f"<p>{{'Some words of its own. ' * 20}}{{cited}}</p>" if own else "",
            treatment=f"<p>{{'How it is treated. ' * 20}}</p>" if own else "")
    for n in range(9):
        PreventionTip.objects.create(article=article, position=n, name=f"Tip {{n}}", text="<p>Do this.</p>")
        ArticleWarningSign.objects.create(article=article, position=n, text=f"Sign {{n}}", urgency="urgent")
    print(article.pk)
"""


@contextmanager
def site() -> Iterator[tuple[str, list[str]]]:
    """The demonstration with the articles to be measured; gives its address and their keys."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"DEBUG": "1", "PORT": str(port), "VAR_DIR": folder, "ENV_FILE": ""}
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "prepare"], env=environment, check=True, capture_output=True)
        shell = [*manage, "shell", "-v0", "-c", MAKE.format(sizes=SIZES)]
        keys = subprocess.run(shell, env=environment, check=True, capture_output=True, text=True).stdout.split()
        server = subprocess.Popen(
            [*manage, "runserver", f"127.0.0.1:{port}", "--noreload"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            for _attempt in range(300):
                try:
                    urllib.request.urlopen(f"{address}/robots.txt", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield address, keys
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def ready(page: Page, url: str) -> float:
    """Milliseconds from navigation to the first key that the introduction's editor takes."""
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("html[data-ready]", state="attached")
    editor = ".prose-editor:has(#id_intro) .ProseMirror"
    page.locator(editor).click()
    page.keyboard.type("x")
    page.wait_for_function(
        "document.querySelector('.prose-editor:has(#id_intro) .ProseMirror').innerText.includes('x')"
    )
    return (time.perf_counter() - began) * 1000


def main() -> None:
    chromium = find_chromium() or sys.exit(NO_CHROMIUM)
    with site() as (address, keys), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for size, key in zip(SIZES, keys, strict=True):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.on("dialog", lambda dialog: dialog.accept())
            page.goto(f"{address}/admin/login/?next=/admin/")
            page.fill("#id_username", "editor")
            page.fill("#id_password", "bedside")
            page.click("[type=submit]")
            times = [ready(page, f"{address}/admin/blog/article/{key}/change/") for _load in range(LOADS)]
            later = statistics.median(times[1:])
            print(
                f"{size:4} entries: first load {times[0]:5.0f} ms, later loads {later:5.0f} ms (median of {LOADS - 1})"
            )
        browser.close()


if __name__ == "__main__":
    main()

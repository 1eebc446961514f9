"""The demonstration as one site: built once, crawled, and served as in production; the test_site_*.py look at it.

`build()` fills a folder (database, pictures in all sizes, collected static files) with production's settings and walks
every link from the home page, in a process of its own: no test's database is touched. `serve()` runs a server over such
a folder. What a web server adds in production, this one does: pictures, and Brotli for what is no static file.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit

ROOT = Path(__file__).resolve().parents[2]
HOME = "http://bedside.example"  # the address in the links of a built site; no request is ever made to it

# The article that the budgets are about.
ARTICLE = "/articles/back-pain-and-weak-legs/"
MOST_PAGES = 5_000
# Of addresses that differ only in the values of their query (a report about each page) so many stand for all, and but
# for the long run of those of one view that are no pages (feeds, JSON).
MOST_ALIKE = 12
FILES = ("/media/", "/static/")
# Addresses that no page links: somebody comes to them by a form, a mail, a guess or a browser's habit.
UNLINKED = ("/subscribe/thanks/", "/nowhere/", "/favicon.ico", "/robots.txt", "/llms.txt")
# Static files that only the admin uses: most of the time of collecting them all.
ADMIN_ONLY = ("admin", "admin-bedside", "django_prose_editor", "ninja", "js_asset", "django_tasks*")


# --- Walking ---------------------------------------------------------------------------------------------------------


class Markup(HTMLParser):
    """What a page's HTML links and names, and what is wrong with it that a tolerant browser would hide."""

    VOID = frozenset(
        {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
    )
    OPTIONAL = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "option"})
    LABELLED = frozenset({"input", "select", "textarea"})
    # In drawings, only what stands in the open is HTML.
    FOREIGN = frozenset({"svg", "math"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.files: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.references: list[tuple[str, str]] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.headings: list[int] = []
        self.stack: list[str] = []
        self.language = ""
        self.feed(text)
        self.close()
        self.conclude()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _value in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> has an attribute twice")
        self.take(tag, {name: value or "" for name, value in attrs}, set(names))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.take(tag, {name: value or "" for name, value in attrs}, {name for name, _value in attrs})
        if tag not in self.VOID and not self.FOREIGN & {tag, *self.stack}:
            self.faults.append(f"<{tag}/> is not closed by its slash")

    def handle_endtag(self, tag: str) -> None:
        while self.stack and self.stack[-1] != tag and self.stack[-1] in self.OPTIONAL:
            self.stack.pop()
        if not self.stack or self.stack[-1] != tag:
            self.faults.append(f"</{tag}> closes nothing; open are {self.stack[-3:]}")
        else:
            self.stack.pop()

    def take(self, tag: str, values: dict[str, str], names: set[str]) -> None:
        if tag == "html":
            self.language = values.get("lang", "")
        if "id" in names:
            self.ids.append(values["id"])
        if tag in ("a", "area") and "href" in names:
            self.links.append(values["href"])
        if tag == "link" and not {"preconnect", "dns-prefetch"} & set(values.get("rel", "").split()):
            is_page = {"canonical", "alternate", "next", "prev"} & set(values.get("rel", "").split())
            (self.links if is_page else self.files).append(values.get("href", ""))
        if tag == "form" and values.get("method", "get").lower() == "get":
            self.links.append(values.get("action", ""))
        if tag == "meta" and values.get("property") == "og:image":
            self.files.append(values.get("content", ""))
        if tag in ("img", "script", "source") and "src" in names:
            self.files.append(values["src"])
        self.files += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        if tag == "img" and not {"alt", "width", "height"} <= names:
            self.faults.append(f"<img src={values.get('src')}> lacks alt, width or height")
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))
        if "style" in names or any(name.startswith("on") for name in names):
            self.faults.append(f"<{tag}> has style or script of its own, which the policy refuses")
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget", "list", "form"):
            self.references += [(name, target) for target in values.get(name, "").split()]
        if tag == "label":
            self.labels.add(values.get("for", ""))
        if tag in self.LABELLED and values.get("type") not in ("hidden", "submit", "button"):
            self.fields.append(values | {"inside": "yes" if "label" in self.stack else ""})

    def conclude(self) -> None:
        """Faults that only the whole page shows."""
        self.faults += [f"<{tag}> is never closed" for tag in self.stack if tag not in self.OPTIONAL]
        self.faults += [f"id {name} twice" for name in sorted({name for name in self.ids if self.ids.count(name) > 1})]
        self.faults += [f"{name} names no id: {target}" for name, target in self.references if target not in self.ids]
        self.faults += [
            f"field {values.get('name')} has no label"
            for values in self.fields
            if not (values["inside"] or values.get("id") in self.labels or values.get("aria-label"))
            and "aria-labelledby" not in values
        ]
        if self.headings.count(1) != 1:
            self.faults.append(f"{self.headings.count(1)} h1")
        for before, after in zip(self.headings, self.headings[1:], strict=False):
            if after > before + 1:
                self.faults.append(f"h{after} after h{before}")
        if not self.language:
            self.faults.append("no lang")


@dataclass
class Visit:
    """What one address answered."""

    url: str
    status: int
    kind: str = ""
    """The media type."""
    template: str = ""
    """The template of the whole page."""
    view: str = ""
    location: str = ""
    """Where it redirects to."""
    links: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    body: str = ""
    """The name of the file with an HTML page's body, in `pages/`."""

    @property
    def is_page(self) -> bool:
        return self.kind == "text/html" and not self.location


def crawl(bodies: Path, *, whole: bool) -> list[Visit]:
    """Ask for every address that can be reached from the home page, under the guard. HTML bodies go to `bodies`.

    Unless it is to be whole, of what is no page some stand for all.
    """
    from config.tests.guard import GuardedClient

    client = GuardedClient(raise_request_exception=False)
    client.raise_request_exception = False
    waiting = deque(["/", *UNLINKED])
    visits: dict[str, Visit] = {}
    alike: Counter[tuple[str, tuple[str, ...]]] = Counter()
    other: Counter[str] = Counter()
    while waiting and len(visits) < MOST_PAGES:
        url = waiting.popleft()
        if url in visits:
            continue
        parts = urlsplit(url)
        form = parts.path, tuple(parse_qs(parts.query, keep_blank_values=True))
        alike[form] += 1
        view = view_of(url)
        if alike[form] > MOST_ALIKE or (other[view] >= MOST_ALIKE and not whole):
            continue
        visits[url] = visit = ask(client, url, bodies / f"{len(visits):04}.html")
        other[view] += visit.kind != "text/html"
        targets = [*visit.links, *visit.files, *([visit.location] if visit.location else [])]
        waiting += [inner for target in targets if (inner := inside(target)) is not None]
    return list(visits.values())


def inside(link: str) -> str | None:
    """The path and query of a link to a page of this site, without its fragment; None for all other links."""
    parts = urlsplit(urldefrag(link).url)
    if f"{parts.scheme}://{parts.netloc}" != HOME or parts.path.startswith(FILES):
        return None
    return parts._replace(scheme="", netloc="").geturl() or "/"


def view_of(url: str) -> str:
    """The name of the view that answers; "" where there is none."""
    from django.urls import Resolver404, resolve

    try:
        return resolve(unquote(urlsplit(url).path)).view_name
    except Resolver404:
        return ""


def ask(client: Any, url: str, file: Path) -> Visit:
    try:
        response = client.get(url)
    except AssertionError as leak:  # the guard's
        return Visit(url, 500, faults=[str(leak)])
    content = b"".join(response.streaming_content) if response.streaming else response.content
    visit = Visit(url, response.status_code, response.headers.get("Content-Type", "").partition(";")[0])
    visit.cookies = list(response.cookies)
    visit.template = next((part.name for part in response.templates if part.name), "")
    if response.status_code in (301, 302, 303, 307, 308):
        visit.location = urljoin(HOME + url, response.headers["Location"])
    visit.view = view_of(url)
    if visit.location or visit.kind.startswith("image/"):
        return visit
    text = content.decode()
    if visit.kind == "text/html":
        markup = Markup(text)
        visit.links = [urljoin(HOME + url, link) for link in markup.links]
        visit.files = [urljoin(HOME + url, link) for link in markup.files]
        visit.ids, visit.faults = markup.ids, markup.faults
        file.write_text(text)
        visit.body = file.name
    else:
        visit.links = addresses(text)
    visit.files += [link for link in visit.links if urlsplit(link).path.startswith(FILES)]
    return visit


def addresses(text: str) -> list[str]:
    """The site's own addresses in a feed, a sitemap, JSON or Markdown, wherever they stand."""
    found = re.findall(re.escape(HOME) + r"(?:/[^\s\"'<>()\[\]{}|\\`]*)?", text)
    return [link.replace("&amp;", "&").rstrip(".,;:*") for link in found]


# --- Building and serving --------------------------------------------------------------------------------------------


@dataclass
class Site:
    """A site that was built: its folder, and what the walk over it found."""

    folder: Path
    visits: dict[str, Visit]

    def pages(self) -> list[Visit]:
        """Every HTML page once: of pages that differ in their query only the first."""
        found: dict[str, Visit] = {}
        for visit in self.visits.values():
            if visit.is_page:
                found.setdefault(urlsplit(visit.url).path, visit)
        return list(found.values())

    def one_of_each(self) -> list[Visit]:
        """For every template its longest page."""
        best: dict[str, Visit] = {}
        for visit in self.visits.values():
            if visit.is_page:
                pages = best.get(visit.template, visit), visit
                best[visit.template] = max(pages, key=lambda page: (len(page.ids), len(page.links)))
        return list(best.values())


def environment(folder: Path, address: str) -> dict[str, str]:
    """Production's settings for a folder, with nothing of this machine in them."""
    outside = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return outside | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": "",
        "DEBUG": "0",
        "SECRET_KEY": "for tests only, and long enough for every check that counts characters",
        "NEWSLETTER_KEYS": "for tests only: the key of links in mail",
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
        "SITE_URL": address,
        "VAR_DIR": str(folder),
        "EMAIL_URL": "memory://",
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }


def run(task: str, folder: Path, address: str, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "config.tests.site", task]
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(folder, address),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def built(folder: Path, *, whole: bool = True) -> Site:
    """The site in the folder. Whoever comes first builds it; another process that asks meanwhile waits.

    Unless it is to be whole, only the pictures of ARTICLE are made in all sizes; the others are shown as they were
    uploaded, as they are while a worker is busy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    visits, log = folder / "visits.json", folder / "build.log"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not log.exists():
            run("build" if whole else "build-some", folder, HOME, log).wait()
    if not visits.exists():
        raise RuntimeError(f"The demonstration could not be built:\n{log.read_text()[-2000:]}")
    rows = json.loads(visits.read_text())
    return Site(folder, {row["url"]: Visit(**row) for row in rows})


def with_admin(folder: Path) -> Path:
    """The built folder, with what the admin's pages need as well: half a minute that other tests can do without."""
    if run("collect", folder, HOME, folder / "collect.log").wait():
        raise RuntimeError((folder / "collect.log").read_text()[-2000:])
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A server over a built folder, on a free port of this machine; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    log = folder / f"serve-{address.rpartition(':')[2]}.log"
    server = run("serve", folder, address, log)
    try:
        wait_for(f"{address}/robots.txt", server, log)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers. Raises RuntimeError where it ended or stays silent for a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} did not answer:\n{log.read_text()[-2000:]}")


def build(whole: bool = True) -> None:
    """Fill VAR_DIR: the demonstration, what the scheduler and the sender make of it, static files, and the walk."""
    from django.conf import settings
    from django.core.management import call_command
    from django.test.utils import override_settings, setup_test_environment

    from images.models import Picture
    from images.tasks import make_renditions
    from newsletter.sending import Sending
    from publishing.models import Publication

    nobody = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    with override_settings(DEMONSTRATION=True, TASKS=nobody):  # what the tasks would do is done below
        call_command("migrate", verbosity=0)
        call_command("demonstrate")
        Sending().run_once()
        for command in settings.SCHEDULE:
            if command != "sweep_pictures":
                call_command(command)
        live = Publication.objects.get(kind="article", slug=ARTICLE.split("/")[2]).live
        assert live is not None
        shown = live.document().canonical()
        for picture in Picture.objects.all():
            if whole or picture.content_hash in shown:
                make_renditions.call(picture.pk)
        call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=list(ADMIN_ONLY))
        setup_test_environment()
        bodies = settings.VAR_DIR / "pages"
        bodies.mkdir()
        rows = [asdict(visit) for visit in crawl(bodies, whole=whole)]
    (settings.VAR_DIR / "visits.json").write_text(json.dumps(rows))


def collect() -> None:
    """Add the static files of the admin to what was built."""
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False)


Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


def compressed(application: Application) -> Application:
    """The application with Brotli for texts, at the level that nginx's module has by default or lower."""
    import brotli

    def respond(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        kept: list[Any] = []
        answer = application(environ, lambda *arguments: kept.extend(arguments))
        try:
            body = b"".join(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        status, headers = kept[0], dict(kept[1])
        is_text = headers.get("Content-Type", "").startswith(("text/", "application/"))
        if "br" in environ.get("HTTP_ACCEPT_ENCODING", "") and is_text and "Content-Encoding" not in headers and body:
            body = brotli.compress(body, quality=5)
            headers |= {"Content-Encoding": "br", "Content-Length": str(len(body))}
        start(status, list(headers.items()))
        return [body]

    return respond


def serve() -> None:
    """Serve VAR_DIR at SITE_URL until the process that started this one is gone or says so."""
    from django.conf import settings
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from whitenoise import WhiteNoise

    from config.wsgi import application

    class Handler(WSGIRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    def end_with(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    pictures = WhiteNoise(application, root=settings.MEDIA_ROOT, prefix="media/", max_age=31_536_000)
    server = ThreadedWSGIServer(("127.0.0.1", urlsplit(settings.SITE_URL).port or 80), Handler)
    server.set_app(compressed(pictures))
    server.serve_forever()


if __name__ == "__main__":
    import django

    django.setup()
    {"build": build, "build-some": lambda: build(whole=False), "collect": collect, "serve": serve}[sys.argv[1]]()

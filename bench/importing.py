"""How fast archives are read: .venv/bin/python bench/importing.py [--megabytes 100] [--articles 200]

First ARTICLES articles of 700 words, the same in each format: how many are read in a second on one processor, and how
many read and understood (title, conditions, treatments, tips, warning signs). Then one export of WordPress of
MEGABYTES: the time for all of it and the most memory (the resident set, in MB, less that of the same process before),
beside what others do with the same file:

feedparser   parses it as the feed that it is: title, dates, links and the HTML of every item, cleaned; no structure
trafilatura  is given the HTML of each item in turn, cut out by lxml, and finds the text and its headings

Each line is a process of its own, the median of RUNS (3; the large file is read once), one after the other. A process
that would take more than LIMIT gigabytes (4) is stopped and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {"ENV_FILE": "", "DEBUG": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}

if TYPE_CHECKING:
    from blog.importing.blocks import SourceArticle

RUNS = int(os.environ.get("RUNS", "3"))
LIMIT = int(os.environ.get("LIMIT", "4"))
MB = 1_000_000
TEXT = """the pain often starts slowly and gets worse after long hours of sitting while muscles of lower back stay tight
doctors see it in people who lift heavy things or sleep badly most get well again within some weeks with rest
warmth gentle movement and patience others need physiotherapy or medicine for a time"""
WORDS = TEXT.split()


def article(number: int) -> list[tuple[str, str]]:
    """An article as pairs of an element and its text: six conditions, each with treatment, tips and signs."""
    chance = random.Random(number)

    def words(count: int) -> str:
        return " ".join(chance.choices(WORDS, k=count)).capitalize() + "."

    parts = [("h1", f"6 causes of back pain, part {number}"), ("p", words(60))]
    for count in range(1, 7):
        parts += [("h2", f"{count}. Condition {chance.choice(WORDS)} {count}"), ("p", words(50)), ("p", words(20))]
        parts += [("h3", "Treatment"), ("p", words(20))]
    parts.append(("h2", "How to prevent back pain"))
    parts += [("li", words(12)) for _tip in range(5)]
    parts.append(("h2", "When to see a doctor"))
    parts += [("li", f"You have fever or {words(8)}") for _sign in range(4)]
    return [*parts, ("h2", "Conclusion"), ("p", words(60))]


def html(parts: list[tuple[str, str]]) -> str:
    return "\n".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts)


def markdown(parts: list[tuple[str, str]]) -> str:
    before = {"h1": "# ", "h2": "## ", "h3": "### ", "li": "- ", "p": ""}
    return "\n\n".join(before[name] + text for name, text in parts)


def plain(parts: list[tuple[str, str]]) -> str:
    return "\n\n".join(("- " if name == "li" else "") + text for name, text in parts)


def item(number: int) -> str:
    """An item of an export of WordPress, with all that WordPress writes."""
    content = "\n\n".join(
        f"<!-- wp:p -->\n<{name}>{escape(text)}</{name}>\n<!-- /wp:p -->" for name, text in article(number)[1:]
    )
    fields = "".join(
        f"\t\t<wp:{name}><![CDATA[open]]></wp:{name}>\n" for name in ("comment_status", "ping_status", "x", "y")
    )
    extra = "".join(
        f"\t\t<wp:postmeta>\n\t\t\t<wp:meta_key><![CDATA[_key_{count}]]></wp:meta_key>\n"
        f"\t\t\t<wp:meta_value><![CDATA[value]]></wp:meta_value>\n\t\t</wp:postmeta>\n"
        for count in range(6)
    )
    return (
        f"\t<item>\n\t\t<title><![CDATA[6 causes of back pain, part {number}]]></title>\n"
        f"\t\t<link>https://old.example/{number}/</link>\n\t\t<pubDate>Wed, 01 May 2019 10:00:00 +0000</pubDate>\n"
        "\t\t<dc:creator><![CDATA[anna]]></dc:creator>\n"
        f'\t\t<guid isPermaLink="false">https://old.example/?p={number}</guid>\n'
        f"\t\t<description></description>\n\t\t<content:encoded><![CDATA[{content}]]></content:encoded>\n"
        f"\t\t<wp:post_id>{number}</wp:post_id>\n"
        "\t\t<wp:post_date_gmt><![CDATA[2019-05-01 10:00:00]]></wp:post_date_gmt>\n"
        f"{fields}\t\t<wp:post_type><![CDATA[post]]></wp:post_type>\n\t\t<wp:status><![CDATA[publish]]></wp:status>\n"
        f'\t\t<category domain="post_tag" nicename="back"><![CDATA[back]]></category>\n{extra}\t</item>\n'
    )


def picture(number: int) -> str:
    address = f"https://old.example/wp-content/uploads/2019/05/back-{number}.jpg"
    return (
        f"\t<item>\n\t\t<title>back-{number}</title>\n\t\t<guid>{address}</guid>\n\t\t<wp:post_id>9{number}</wp:post_id>\n"
        "\t\t<wp:post_type>attachment</wp:post_type>\n\t\t<excerpt:encoded><![CDATA[A back]]></excerpt:encoded>\n"
        f"\t\t<wp:attachment_url>{address}</wp:attachment_url>\n\t</item>\n"
    )


HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:wp="http://wordpress.org/export/1.2/"
\txmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Old Site</title><link>https://old.example</link><language>en</language>
"""


def write_formats(folder: Path, count: int) -> None:
    """Write the same articles in each format."""
    from blog.importing.tests.sources import docx, paragraph

    articles = [article(number) for number in range(count)]
    for name, ending, written in (("text", "txt", plain), ("HTML", "html", html), ("Markdown", "md", markdown)):
        (folder / name).mkdir()
        for number, parts in enumerate(articles):
            (folder / name / f"{number}.{ending}").write_text(written(parts), encoding="utf-8")
    styles = {"h1": "Title", "h2": "Ueberschrift1", "h3": "Heading2"}
    (folder / "Word").mkdir()
    for number, parts in enumerate(articles):
        body = "".join(paragraph(text, styles.get(name, "")) for name, text in parts)
        (folder / "Word" / f"{number}.docx").write_bytes(docx(body))
    with ZipFile(folder / "zip of HTML.zip", "w", ZIP_DEFLATED) as archive:
        for number, parts in enumerate(articles):
            archive.writestr(f"{number}.html", html(parts))
    (folder / "WordPress.xml").write_text(
        HEAD + "".join(map(item, range(count))) + "</channel></rss>", encoding="utf-8"
    )
    rss = "".join(
        f"<item><title>{escape(parts[0][1])}</title><link>https://e.example/{number}</link>"
        f"<description>{escape(html(parts))}</description></item>"
        for number, parts in enumerate(articles)
    )
    (folder / "RSS.xml").write_text(
        f'<rss version="2.0"><channel><title>F</title>{rss}</channel></rss>', encoding="utf-8"
    )
    atom = "".join(
        f"<entry><id>urn:{number}</id><title>{escape(parts[0][1])}</title>"
        f'<content type="html">{escape(html(parts))}</content></entry>'
        for number, parts in enumerate(articles)
    )
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>{atom}</feed>'
    (folder / "Atom.xml").write_text(feed, encoding="utf-8")
    items = [
        {"id": f"urn:{number}", "title": parts[0][1], "content_html": html(parts)}
        for number, parts in enumerate(articles)
    ]
    feed = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": items})
    (folder / "JSON Feed.json").write_text(feed, encoding="utf-8")


def write_large(path: Path, megabytes: int) -> None:
    """Write an export of WordPress, with a picture for every second post."""
    with path.open("w", encoding="utf-8") as file:
        size, number = file.write(HEAD), 0
        while size < megabytes * MB:
            number += 1
            size += file.write(item(number))
            size += file.write(picture(number)) if number % 2 else 0
        file.write("</channel></rss>\n")


# --- Work: each returns how many articles it had ---


def read(path: Path) -> int:
    return sum(1 for _article in _articles(path))


def understood(path: Path) -> int:
    from blog.importing.structure import understand

    count = 0
    for article in _articles(path):
        understand(article)
        count += 1
    return count


def with_feedparser(path: Path) -> int:
    import feedparser  # type: ignore[import-untyped]

    return len(feedparser.parse(str(path)).entries)


def with_trafilatura(path: Path) -> int:
    import trafilatura
    from lxml import etree

    count = 0
    for _event, element in etree.iterparse(str(path), tag="item", huge_tree=True):
        content = element.findtext("{http://purl.org/rss/1.0/modules/content/}encoded")
        if content and trafilatura.extract(f"<html><body><article>{content}</article></body></html>"):
            count += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return count


def _articles(path: Path) -> Iterator[SourceArticle]:
    from blog.importing.blocks import SourceArticle
    from blog.importing.readers import read_path

    return (item for item in read_path(path) if isinstance(item, SourceArticle))


WORK: dict[str, Callable[[Path], int]] = {
    "read": read,
    "read and understood": understood,
    "feedparser": with_feedparser,
    "trafilatura": with_trafilatura,
}


def work(name: str, path: Path) -> None:
    """Do one piece of work and say what it took. The modules it needs are loaded before."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.xml"
        small.write_text(HEAD + item(1) + "</channel></rss>", encoding="utf-8")
        WORK[name](small)
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT * 1024**3, LIMIT * 1024**3))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    count = WORK[name](path)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"count": count, "seconds": seconds, "before": before, "peak": peak}))


def measured(name: str, path: Path, runs: int) -> dict[str, float] | None:
    """The median of several processes; nothing if they ran out of memory."""
    results = []
    for _run in range(runs):
        child = subprocess.run(
            [sys.executable, __file__, "--work", name, str(path)], capture_output=True, text=True, check=False
        )
        if child.returncode:
            if "MemoryError" not in child.stderr and child.returncode > 0:
                sys.exit(child.stderr)
            return None
        results.append(json.loads(child.stdout))
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def main(megabytes: int, articles: int) -> None:
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_formats(folder, articles)
        say(f"{'articles per second':28}{'read':>12}{'and understood':>18}\n")
        for path in sorted(folder.iterdir()):
            rates = [measured(each, path, RUNS) for each in ("read", "read and understood")]
            cells = [f"{each['count'] / each['seconds']:.0f}" if each else "-" for each in rates]
            say(f"  {path.stem:26}{cells[0]:>12}{cells[1]:>18}\n")
            sys.stdout.flush()
        large = folder / "large.xml"
        write_large(large, megabytes)
        heading = f"WordPress, {large.stat().st_size / MB:.0f} MB"
        say(f"\n{heading:28}{'articles':>12}{'seconds':>12}{'per second':>12}{'MB more':>12}{'MB':>8}\n")
        for each in WORK:
            found = measured(each, large, 1)
            if not found:
                say(f"  {each:26}{'stopped: more than':>30} {LIMIT} GB\n")
                continue
            say(
                f"  {each:26}{found['count']:>12.0f}{found['seconds']:>12.1f}{found['count'] / found['seconds']:>12.0f}"
                f"{(found['peak'] - found['before']) * 1024 / MB:>12.0f}{found['peak'] * 1024 / MB:>8.0f}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--articles", type=int, default=200)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    import django

    django.setup()
    if options.work:
        work(options.work[0], Path(options.work[1]))
    else:
        main(options.megabytes, options.articles)

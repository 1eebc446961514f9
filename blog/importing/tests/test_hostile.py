"""No reader raises, fetches, or takes much time or memory, whatever the bytes: each gets articles, or a sentence."""

import json
import random
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .sources import atom, attachment, docx, drawing, paragraph, post, rss, wxr, zipped

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = Path(__file__).parent / "fixtures" / "archive"
MB = 1024 * 1024
DEEP = 200_000

FEED_ITEM = "<item><title>T</title><link>https://e.example/1</link><description>{}</description></item>"
ENTRY = '<entry><title>T</title><id>1</id><content type="xhtml">{}</content></entry>'


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a file."""

    articles: int
    problems: list[str]
    memory: int  # bytes that were needed so far, on top of those of the program


def read_in_a_child(folder: Path) -> dict[str, Said]:
    """Read the files of a folder in a process with 512 MB of address space and 30 seconds of a processor."""
    child = subprocess.run(
        [sys.executable, "-m", "blog.importing.tests.reading_child", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [json.loads(line) for line in child.stdout.splitlines()]
    assert child.returncode == 0, (child.stderr[-2000:], said[-1:])
    return {each["name"]: Said(each["articles"], each["problems"], each["memory"]) for each in said}


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def assert_sentences(said: dict[str, Said]) -> None:
    for name, each in said.items():
        assert each.articles or each.problems, name
        for problem in each.problems:
            assert problem[0].isupper(), (name, problem)
            assert problem.endswith((".", "?")), (name, problem)
            assert "Traceback" not in problem, (name, problem)
            assert "Error" not in problem, (name, problem)


def laughs(root: str) -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY l0 "lol">{entities}]>'


def bomb(gigabytes: int, *, says: int | None = None, name: bytes = b"bomb.txt") -> bytes:
    """A zip of one file of zeros, which says that it is as large as it is, or something else."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(b"\0" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b"\0" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = first + again * (gigabytes * 1024 - 1) + packer.flush()
    size = (gigabytes * 1024 * MB if says is None else says) & 0xFFFFFFFE
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, len(packed), size, len(name), 0)
    entry = struct.pack("<4sH", b"PK\x01\x02", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    start = b"PK\x03\x04" + fields + name + packed
    return start + entry + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(start), 0)


def nested_zip(levels: int) -> bytes:
    data = zipped({"note.txt": b"0" * MB})
    for _level in range(levels):
        data = zipped({f"{number}.zip": data for number in range(5)})
    return data


def hostile() -> dict[str, bytes | str]:
    """What is made to harm. Those that begin with "r" are refused as a whole."""
    declared = wxr(post(1, "&l9;"))
    return {
        "r-laughs.xml": laughs("rss") + declared.partition("?>")[2],
        "r-laughs.atom": laughs("feed") + atom(ENTRY.format("&l9;")).partition("?>")[2],
        "r-quadratic.xml": f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>' + rss(FEED_ITEM.format("&a;" * 50_000)),
        "r-file.xml": '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rss(FEED_ITEM.format("&x;")),
        "r-parameter.xml": '<!DOCTYPE rss [<!ENTITY % x SYSTEM "file:///etc/passwd">%x;]>' + rss(FEED_ITEM.format("x")),
        "r-inner-doctype.xml": rss('<!DOCTYPE x [<!ENTITY a "b">]>' + FEED_ITEM.format("&a;"), FEED_ITEM.format("x")),
        "item-doctype.xml": rss(FEED_ITEM.format('<!DOCTYPE x [<!ENTITY a "b">]>&a;'), FEED_ITEM.format("x")),
        "deep.html": "<div>" * DEEP + "<p>Text.</p>",
        "deep-inline.html": "<b>" * 20_000 + "Text.",
        "deep-list.md": "".join(f"{' ' * (2 * n)}- a\n" for n in range(700)) + ">" * 20_000 + " Text.",
        "deep-content.xml": wxr(post(1, "<div>" * DEEP + "<p>Text.</p>"), post(2)),
        "deep-item.xml": wxr("<item><title>T</title>" + "<x>" * DEEP + "</x>" * DEEP + "</item>", post(2)),
        "deep-open-item.xml": wxr("<item><title>T</title>" + "<x>" * DEEP + "</item>", post(2)),
        "deep-header.xml": rss(FEED_ITEM.format("Text."), head="<x>" * DEEP + "</x>" * DEEP),
        "deep.rss": rss(FEED_ITEM.format("&lt;div&gt;" * 20_000 + "Text."), FEED_ITEM.format("x")),
        "deep.atom": atom(ENTRY.format("<div>" * DEEP + "Text." + "</div>" * DEEP)),
        "r-deep.json": "[" * DEEP,
        "r-deep-object.json": '{"a":' * DEEP,
        "r-deep.docx": docx("<w:p>" * DEEP + "</w:p>" * DEEP),
        "r-laughs.docx": docx("", {"word/document.xml": laughs("x") + "<x>&l9;</x>"}),
        "r-laughs-styles.docx": docx(paragraph("Text."), {"word/styles.xml": laughs("x") + "<x>&l9;</x>"}),
        "r-bomb.docx": docx(paragraph("Text."), {"word/document.xml": b" " * (30 * MB)}),
        "bomb-picture.docx": docx(paragraph("Text.", runs=drawing("x")), {"word/media/image1.png": b"\0" * (40 * MB)}),
        "r-bomb.zip": bomb(3),
        "bomb-that-lies.zip": bomb(3, says=1000),
        "bomb-that-lies-by-half.zip": bomb(1, says=200 * MB),
        "nested.zip": nested_zip(4),
        "no-space.html": "<a" * 500_000,
        "open-comments.html": "<!--" * 500_000 + "<p>Text.</p>",
        "attributes.html": f"<p {' '.join(f'a{n}=1' for n in range(100_000))}>Text.</p>",
        "open-sections.xml": wxr(post(1, "<![CDATA[" * 500_000), post(2)),
        "open-items.xml": wxr("<item>" * 3000),
        "titles.xml": wxr("<item>" + "<title><![CDATA[" * 300_000 + "</item>", post(2)),
        "ampersands.xml": wxr("<item><title>" + "&a" * 100_000 + "</title></item>", post(2)),
        "namespaces.xml": rss(FEED_ITEM.format("x"), head="".join(f' xmlns:a{n}="u"' for n in range(50_000))),
        "prefixes.xml": wxr("<item>" + "".join(f"<p{n}:x>y</p{n}:x>" for n in range(5000)) + "</item>", post(2)),
        "categories.xml": wxr(post(1, more="".join(f"<category>{n}</category>" for n in range(30_000)))),
        "white-space.xml": wxr(post(1, " " * (5 * MB)), post(2, "\n" * MB + "<p>Text.</p>")),
        "one-line.txt": "word " * 100_000,
        "spaces.md": " " * MB + "# x",
        "brackets.md": "[" * 50_000 + "x",
        "stars.md": "*a " * 100_000,
        "nul.txt": "Some\0 text." * 100,
        "nul.html": "<p>Some\0 text.</p>" * 100,
        "no-text.bin": bytes(range(256)) * 512,
    }


def test_what_is_made_to_harm_is_refused_in_time_and_memory(tmp_path: Path) -> None:
    files = hostile()
    said = read_in_a_child(write(tmp_path, files))
    assert said.keys() == files.keys()
    assert_sentences(said)
    refused = {name for name, each in said.items() if not each.articles and len(each.problems) == 1}
    assert {name for name in said if name.startswith("r-")} <= refused
    assert max(each.memory for each in said.values()) < 100 * MB
    # What stands beside it is read.
    for name in ("deep-content.xml", "deep-item.xml", "deep-open-item.xml", "open-sections.xml", "titles.xml"):
        assert said[name].articles, name
    assert not [name for name in said if "passwd" in "".join(said[name].problems)]


def good() -> dict[str, bytes]:
    """One source of each format, as it should be."""
    names = ("61-schwindel.html", "62-muedigkeit.md", "84-touyun.txt", "66-dolor-de-cabeza.txt", "85-yaotong.html")
    content = f"<content>{'A sentence of some length. ' * 30}</content>"
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": n, "content_html": "<p>A text.</p>" * 50} for n in (1, 2)],
    }
    made: dict[str, bytes | str] = {
        "export.xml": wxr(
            post(1, "<p>fünf</p>"), attachment(9, "https://e.example/a.jpg"), post(2), post(3, type="page")
        ),
        "feed.rss": rss(*(FEED_ITEM.format(f"<![CDATA[<p>{'Text. ' * 100}</p>]]>") for _n in range(3))),
        "feed.atom": atom(f"<entry><title>T</title>{content}</entry>", f"<entry><title>U</title>{content}</entry>"),
        "feed.json": json.dumps(feed),
        "word.docx": docx(paragraph("Title", "Title") + paragraph("Text.", runs=drawing("A spine"))),
        "all.zip": zipped({"a.txt": "A text.", "b/c.html": '<p>Text.</p><img src="d.png">', "b/d.png": b"\x89PNG"}),
    }
    files = {name: content if isinstance(content, bytes) else content.encode() for name, content in made.items()}
    files |= {name: (ARCHIVE / name).read_bytes() for name in names}
    for name, encoding in (
        ("66-dolor-de-cabeza.txt", "utf-16"),
        ("61-schwindel.html", "utf-32"),
        ("export.xml", "utf-16"),
    ):
        files[f"{encoding}-{name}"] = files[name].decode().encode(encoding)
    files["cp1252-66-dolor.txt"] = files["66-dolor-de-cabeza.txt"].decode().encode("cp1252", "replace")
    files["mixed.txt"] = files["66-dolor-de-cabeza.txt"] + files["cp1252-66-dolor.txt"]
    return files


def test_files_that_are_cut_off(tmp_path: Path) -> None:
    files = {f"{part:02}-{name}": data[: len(data) * part // 20] for name, data in good().items() for part in range(20)}
    said = read_in_a_child(write(tmp_path, dict(files)))
    assert said.keys() == files.keys()
    assert_sentences(said)


TOKENS = [
    *(
        b"<",
        b">",
        b"&",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"-->",
        b"</item>",
        b"<item>",
        b"<!DOCTYPE x [",
        b"<?xml",
        b"\0",
    ),
    *(
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x80\x81",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"---\n",
        b"```",
        b"[",
        b"](",
        b"{",
        b'"',
    ),
    *(b"<table><tr><td>", b"<script>", b"</p></div>", b"xmlns:x=", b"\xed\xa0\x80", b"1. ", b"&#x0;", b"\r", b"\x0b"),
]


def mutated(chance: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(chance.choice(seeds))
    for _change in range(chance.choice((1, 1, 2, 5, 20))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((1, 2, 10, 200)))
        other = chance.choice(seeds)
        place = chance.randrange(len(other))
        changes = (
            b"",
            chance.randbytes(3),
            chance.choice(TOKENS) * chance.choice((1, 1, 3, 50)),
            bytes(data[start:end]) * 3,
            other[place : place + 300],
            bytes(byte ^ 1 << chance.randrange(8) for byte in data[start:end]),
        )
        data[start:end] = chance.choice(changes)
    return bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.1 else data)


def fuzzed(tmp_path: Path, seed: int, count: int) -> None:
    chance = random.Random(seed)
    seeds = list(good().values())
    files = {f"{number:03}": mutated(chance, seeds) for number in range(count)}
    said = read_in_a_child(write(tmp_path, dict(files)))
    assert said.keys() == files.keys()
    assert_sentences(said)


def test_what_is_changed_at_random(tmp_path: Path) -> None:
    fuzzed(tmp_path, 1, 100)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 22))
def test_much_more_that_is_changed_at_random(tmp_path: Path, seed: int) -> None:
    fuzzed(tmp_path, seed, 100)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Waits for connections that must not come."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_nothing_is_fetched(tmp_path: Path, listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    page = (
        f'<html><head><base href="{url}/"><link rel="stylesheet" href="{url}/a.css">'
        f'<link rel="canonical" href="{url}/c"><script src="{url}/a.js"></script></head>'
        f'<body><h1>T</h1><p>Text. <img src="{url}/a.png" srcset="{url}/b.png 2x">'
        f'<iframe src="{url}/f"></iframe><a href="{url}/l">l</a></p></body></html>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId2" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" TargetMode="External" '
        f'Target="{url}/x.png"/></Relationships>'
    )
    files: dict[str, bytes | str] = {
        "page.html": page,
        "note.md": f"![a]({url}/a.png)\n\nText [b]({url}/b).\n\n[c]: {url}/c",
        "doctype.xml": wxr(post(1, page)).replace("<rss", f'<!DOCTYPE rss SYSTEM "{url}/x.dtd"><rss'),
        "entity.xml": f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{url}/e">]>' + rss(FEED_ITEM.format("&x;")),
        "include.xml": rss(
            FEED_ITEM.format(f'Text. <xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{url}/i"/>'),
            head=f'<?xml-stylesheet href="{url}/s.xsl" type="text/xsl"?>',
        ),
        "attachment.xml": wxr(post(1, f'<img src="{url}/a.jpg">Text.'), attachment(9, f"{url}/a.jpg")),
        "feed.atom": atom(f'<entry><title>T</title><content src="{url}/c"/><summary>s</summary></entry>'),
        "external.docx": docx(
            paragraph("T", runs=drawing("x", "rId2", "link")), {"word/_rels/document.xml.rels": relations}
        ),
        "all.zip": zipped({"page.html": page}),
    }
    said = read_in_a_child(write(tmp_path, files))
    assert said.keys() == files.keys()
    assert sum(each.articles for each in said.values()) == len(files) - 1
    with pytest.raises(BlockingIOError):
        listener.accept()

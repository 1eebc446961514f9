"""What a source is, is told by what is in it; its name counts only where that says nothing."""

import json

import pytest

from blog.importing.blocks import UnreadableSource
from blog.importing.readers import FORMATS
from blog.importing.readers.sniffing import Format, sniff

from .sources import atom, docx, paragraph, post, rss, wxr, zipped

pytestmark = pytest.mark.once

PAGE = "<!-- saved --><!DOCTYPE html><html><head><title>T</title></head><body><p>Text.</p></body></html>"
MARKDOWN = "# Back pain\n\nSome **bold** text with [a link](https://e.example/).\n\n## Causes\n\n1. Strain\n"
NUMBERED = (
    "10 Causes of Back Pain\n\n1. Strain\nToo much lifting.\n\n#2 Stress\n* Rest * and sleep\n\n[1] A study, 2019.\n"
)

TOLD = [
    (NUMBERED, Format.TEXT),
    ("[gallery]\n\nBack pain is common.", Format.TEXT),
    ("Use x < y and y > z, or <me@e.example>.", Format.TEXT),
    ("--- \n\nA note --- with dashes.", Format.TEXT),
    ("A line with **bold** and nothing more.", Format.TEXT),
    (MARKDOWN, Format.MARKDOWN),
    ("---\ntitle: Back pain\n---\nText.", Format.MARKDOWN),
    ('+++\ntitle = "Back pain"\n+++\nText.', Format.MARKDOWN),
    (MARKDOWN + "<p>One</p><br><b>two</b>", Format.MARKDOWN),
    (PAGE, Format.HTML),
    ('<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><p>Text</p></html>', Format.HTML),
    ("<h2>Back pain</h2><p>Text.</p>", Format.HTML),
    ("Back pain<br>Text.<br><b>More</b>", Format.HTML),
    ("<article><p>Text.</p></article>", Format.HTML),
    (wxr(post(1)), Format.WXR),
    (rss(), Format.FEED),
    (atom(), Format.FEED),
    ('<rdf:RDF xmlns:rdf="x"><item/></rdf:RDF>', Format.FEED),
    ('<a:feed xmlns:a="http://www.w3.org/2005/Atom"></a:feed>', Format.FEED),
    (json.dumps({"version": "x"}), Format.JSON),
    ('[{"a": 1}]', Format.JSON),
]


@pytest.mark.parametrize(("text", "expected"), TOLD)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_formats_are_told_in_every_encoding(text: str, expected: Format, encoding: str) -> None:
    assert sniff(text.encode(encoding)) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Only words.", "a.md", Format.MARKDOWN),
        ("Only words.", "A.HTM", Format.HTML),
        ("Only words.", "a.txt", Format.TEXT),
        ("Only words.", "folder.md/a", Format.TEXT),
        (PAGE, "a.txt", Format.HTML),
        (PAGE, "a.md", Format.HTML),
        (MARKDOWN, "a.txt", Format.MARKDOWN),
        ("<p>One</p><p>Two</p>", "a.md", Format.MARKDOWN),
        (wxr(), "a.html", Format.WXR),
        ("{broken", "a.json", Format.JSON),
    ],
)
def test_the_name_counts_where_the_content_says_nothing(text: str, name: str, expected: Format) -> None:
    assert sniff(text.encode(), name) == expected


def test_zips_are_told_by_their_start() -> None:
    assert {sniff(zipped({})), sniff(zipped({"a": "b"})), sniff(docx(paragraph("Text.")), "a.txt")} == {Format.ZIP}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "nothing in the file"),
        (b"\0\0 \n", "nothing in the file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 90, "save it as .docx"),
        (b"%PDF-1.7\n", "PDF"),
        (b"{\\rtf1\\ansi Text}", "RTF"),
        (b"\x1f\x8b\x08\0", "packed"),
        (b"BZh91AY", "packed"),
        (b"7z\xbc\xaf\x27\x1c", "packed"),
        (b"a" * 257 + b"ustar\0", "packed"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"GIF89a", "picture"),
        (b"RIFF....WEBPVP8 ", "picture"),
        (b'<?xml version="1.0"?><svg xmlns="x"><path/></svg>', "picture"),
        (b"\x7fELF\2", "program"),
        (b"SQLite format 3\0", "database"),
        (b'<?xml version="1.0"?><catalog><book/></catalog>', "neither an export"),
    ],
)
def test_what_no_reader_reads_says_what_to_do(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableSource, match=message):
        sniff(data)


def test_the_formats_are_endings() -> None:
    assert all(ending.startswith(".") for ending in FORMATS)

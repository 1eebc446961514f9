"""Reads Word files, by way of mammoth and the reader of HTML; lines are paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from xml.parsers import expat
from zipfile import ZipFile

import mammoth
from django.utils.translation import gettext as _
from lxml import etree

from ..blocks import Block, Kind, Meta, Problem, Source, SourceArticle, UnreadableSource
from . import zips
from .html import html_blocks
from .items import plain
from .limits import MAX_DEPTH, MAX_PICTURE, MAX_WORD_ELEMENTS, MAX_WORD_TEXT
from .page import moment

_STYLES = """
p[style-name='Subtitle'] => p:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
p[style-name='Caption'] => p.caption:fresh
p[style-name='caption'] => p.caption:fresh
"""
# Where a title has a style of its own, the headings stand below it.
_BELOW_TITLE = "p[style-name='Title'] => h1:fresh\n" + "".join(
    f"p[style-name='{name} {level}'] => h{level + 1}:fresh\n"
    for name in ("heading", "Heading")
    for level in range(1, 6)
)
_TITLE = re.compile(rb"""<w:pStyle\s+w:val=["'](?:Title|Titel|Titre|Ttulo|Titolo)["']""")
_BACK = re.compile(r'\s*<a href="#(?:footnote|endnote)-ref-[^"<>]*">↑</a>')
_BLOCK_END = re.compile(r"(</(?:p|h[1-6]|li|tr)>(?!</(?:li|td|th)>)|(?=<[uo]l>))")
_CORE = "docProps/core.xml"
_READ = re.compile(r"\[Content_Types\]\.xml|(?:_rels|word)/.*\.(?:xml|rels)|docProps/core\.xml")


def read_docx(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read a Word file as one article: headings, lists, tables, pictures, notes, text boxes; no deleted text.

    Raises UnreadableSource if it is damaged, has no text, or more than an article could have.
    """
    archive = zips.opened(source.open)
    listing = zips.listed(archive)
    parts = sorted(name for name in listing.files if _READ.fullmatch(name))
    digest = sha256()
    elements = 0
    size = 0
    for name in parts:
        data = zips.unpack(archive, listing.files[name], MAX_WORD_TEXT)
        size += len(data)
        elements += _count_elements(data)
        if elements > MAX_WORD_ELEMENTS or size > 2 * MAX_WORD_TEXT:
            raise UnreadableSource(_("This Word file is too long for one article. Split it into its articles."))
        if name != _CORE:
            digest.update(data)
    blocks, _inner = html_blocks(_html(source, archive, _styles(archive)))
    if not blocks:
        raise UnreadableSource(_("There is no text in this Word file."))

    def open_file(address: str) -> bytes | None:
        info = listing.files.get(address)
        if not info:
            return source.open_file(address)
        try:
            return zips.unpack(archive, info, MAX_PICTURE)
        except UnreadableSource:
            return None

    yield SourceArticle(
        name=source.name,
        format="docx",
        identity=f"file:{source.name}",
        digest=digest.hexdigest(),
        blocks=tuple(blocks),
        meta=_meta(archive, blocks),
        open_file=open_file,
    )


def _count_elements(data: bytes) -> int:
    """Return how many elements a part has. Raises UnreadableSource for one that no program should open."""
    count = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count, depth
        count += 1
        depth += 1
        if depth > MAX_DEPTH or count > MAX_WORD_ELEMENTS:
            raise UnreadableSource(_("This Word file is nested too deeply, or too long, for an article."))

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*said: object) -> None:
        raise UnreadableSource(_("This Word file declares entities of its own (DOCTYPE), which none should."))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise UnreadableSource(_damaged()) from error
    return count


def _html(source: Source, archive: ZipFile, styles: str) -> str:
    @mammoth.images.img_element  # type: ignore[untyped-decorator]
    def picture(image: mammoth.documents.Image) -> dict[str, str]:
        try:
            with image.open() as file:
                return {"src": file.name}
        except (KeyError, ValueError):  # it is not in the file, or somewhere on the network
            return {"src": "missing"}

    with source.open() as file:
        try:
            html = mammoth.convert_to_html(
                file, style_map=styles, convert_image=picture, include_embedded_style_map=False
            ).value
        except Exception as error:  # whatever it stumbles over
            raise UnreadableSource(_damaged()) from error
    return _BLOCK_END.sub(r"\1\n", _BACK.sub("", html))


def _styles(archive: ZipFile) -> str:
    try:
        has_title = _TITLE.search(archive.read("word/document.xml"))
    except KeyError:
        has_title = None
    return _STYLES + (_BELOW_TITLE if has_title else "")


def _meta(archive: ZipFile, blocks: list[Block]) -> Meta:
    """Return what the file says of itself. Its title counts only if the text has none: it is seldom kept up."""
    try:
        root = etree.fromstring(archive.read(_CORE), etree.XMLParser(resolve_entities=False, no_network=True))
    except (KeyError, *zips.BROKEN, etree.XMLSyntaxError):
        return Meta()
    said = {etree.QName(child).localname: (child.text or "").strip() for child in root.iterchildren("*")}
    has_title = any(block.kind == Kind.HEADING and block.level == 1 for block in blocks)
    return Meta(
        title="" if has_title else plain(said.get("title", "")),
        summary=plain(said.get("description", "")),
        authors=tuple(filter(None, (name.strip() for name in said.get("creator", "").split(";")))),
        modified=moment(said.get("modified") or said.get("created", "")),
        tags=tuple(dict.fromkeys(filter(None, (tag.strip() for tag in re.split("[,;]", said.get("keywords", "")))))),
        language=said.get("language", ""),
    )


def _damaged() -> str:
    return _("This Word file is damaged. Open it in Word, and save it again.")

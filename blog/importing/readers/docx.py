"""Reads Word files, by way of mammoth and the reader of HTML; lines are paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
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
_PICTURES = "word/media/"
_PART = re.compile(r".*\.(?:xml|rels)", re.IGNORECASE)


def read_docx(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read a Word file as one article: headings, lists, tables, pictures, notes, text boxes; no deleted text.

    Raises UnreadableSource if it is damaged, has no text, or more than an article could have.
    """
    archive = zips.opened(source.open)
    listing = zips.listed(archive)
    for name, reason in listing.refused:
        if not name.startswith(_PICTURES):
            raise UnreadableSource(reason)
    parts = {
        name: zips.unpack(archive, info, MAX_WORD_TEXT)
        for name, info in sorted(listing.files.items())
        if _PART.fullmatch(name) and not name.startswith(_PICTURES)
    }
    elements = sum(map(_count_elements, parts.values()))
    if elements > MAX_WORD_ELEMENTS:
        raise UnreadableSource(_too_long())
    blocks, _inner = html_blocks(_html(parts, listing))
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
        digest=sha256(b"".join(data for name, data in parts.items() if name != _CORE)).hexdigest(),
        blocks=tuple(blocks),
        meta=_meta(parts.get(_CORE, b""), blocks),
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
            raise UnreadableSource(_too_long())

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


def _html(parts: dict[str, bytes], listing: zips.Listing) -> str:
    """Convert the parts that were checked, and nothing else: what a part names may be any file."""

    @mammoth.images.img_element  # type: ignore[untyped-decorator]
    def picture(image: mammoth.documents.Image) -> dict[str, str]:
        try:
            with image.open() as file:
                return {"src": file.name}
        except (KeyError, ValueError):  # it is not in the file, or somewhere on the network
            return {"src": "missing"}

    checked = BytesIO()
    with ZipFile(checked, "w") as archive:
        for name in listing.files:
            archive.writestr(name, parts.get(name, b""))
    has_title = _TITLE.search(parts.get("word/document.xml", b""))
    try:
        html = mammoth.convert_to_html(
            checked,
            style_map=_STYLES + (_BELOW_TITLE if has_title else ""),
            convert_image=picture,
            include_embedded_style_map=False,
        ).value
    except Exception as error:  # whatever it stumbles over
        raise UnreadableSource(_damaged()) from error
    return _BLOCK_END.sub(r"\1\n", _BACK.sub("", html))


def _meta(core: bytes, blocks: list[Block]) -> Meta:
    """Return what the file says of itself. Its title counts only if the text has none: it is seldom kept up."""
    try:
        root = etree.fromstring(core, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
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


def _too_long() -> str:
    return _("This Word file is too long, or nested too deeply, for one article. Split it into its articles.")


def _damaged() -> str:
    return _("This Word file is damaged. Open it in Word, and save it again.")

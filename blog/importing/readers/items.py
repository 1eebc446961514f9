"""Cuts a file of XML into its items as it streams, so that a broken one costs only itself, and parses each alone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from html import escape, unescape
from html.entities import html5
from typing import BinaryIO, Protocol
from urllib.parse import urljoin

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from lxml import etree

from ..blocks import Block, Problem, SourceArticle, UnreadableSource
from ..encoding import decode
from .limits import MAX_HEADER, MAX_ITEM, MB

_CHUNK = 64 * 1024
# Longer than any end tag and the white space that follows it, which may stand across two chunks.
_TAIL = 4096

_WIDE = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.:-]{1,40})""")
_ENTITIES = re.compile(r"<!DOCTYPE[^>\[]{0,2000}\[|<!ENTITY", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!DOCTYPE[^>]{0,2000}>", re.IGNORECASE)
_ROOT = re.compile(r"<(?:[\w.-]{1,60}:)?(?:rss|feed|RDF|channel)(\s[^<>]{0,20000})>")
_NAMESPACE = re.compile(r"""\s(xmlns(?::[\w.-]{1,60})?)\s*=\s*("[^"<]{0,300}"|'[^'<]{0,300}')""")
_LOST_TITLE = re.compile(r"<title[^>]{0,100}>\s{0,100}(?:<!\[CDATA\[)?([^<\]]{1,300})")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,500}>")
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d{1,7});|#[xX](?P<hex>[0-9a-fA-F]{1,6});|(?P<name>\w{1,31};))?")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_END_TAG = re.compile(r"</(?:[\w.-]+:)?(?:item|entry)\s*>\s*\Z")
_PREFIX = re.compile(r"(?:</?|\sxmlns:)([A-Za-z_][\w.-]{0,60})(?=[:=])")
# What the well-known prefixes stand for, where a file forgets to say it.
_PREFIXES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "excerpt": "http://wordpress.org/export/1.2/excerpt/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "wp": "http://wordpress.org/export/1.2/",
}
_NAMES = {uri: f"{prefix}:" for prefix, uri in _PREFIXES.items()} | {
    "http://www.w3.org/1999/xhtml": "xhtml:",
    "http://www.w3.org/2005/Atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://purl.org/rss/1.0/modules/slash/": "slash:",
}
_EXCERPT = re.compile(r"https?://wordpress\.org/export/[\d.]+/excerpt/")
_WORDPRESS = re.compile(r"https?://wordpress\.org/export/[\d.]+/")
# Fields whose text authors and plug-ins write, and break.
_WRITTEN = ("title", "description", "content:encoded", "excerpt:encoded", "content", "summary")


class Readable(Protocol):
    """What a source opens, or something that reads like it."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its element, with fields by their names; the line in the file on which it starts."""

    element: etree._Element
    line: int
    is_recovered: bool = False  # fields may stand in one another

    def all(self, name: str) -> list[etree._Element]:
        """Return the elements of a name such as "title" or "wp:post_id", whatever namespace URI the file uses."""
        within = self.element.iter("*") if self.is_recovered else self.element.iterchildren("*")
        return [child for child in within if name_of(child) == name]

    def text(self, *names: str) -> str:
        """Return the text of the first element of these names that has any, without white space around it."""
        for name in names:
            for child in self.all(name):
                if text := (child.text or "").strip() if self.is_recovered else text_of(child):
                    return text
        return ""

    def line_of(self, element: etree._Element) -> int:
        """Return the line in the file on which an element stands."""
        return self.line + int(getattr(element, "sourceline", None) or 1) - 1

    def digest(self, without: Iterable[str] = ()) -> str:
        """Return the SHA-256 of what the item says, in whatever notation, but for elements of some names."""
        left_out = frozenset(without)
        hashed = sha256()
        for child in self.element:
            if name_of(child) not in left_out:
                for part in child.iter("*"):
                    tail = part.tail if part is not child else ""
                    said = (name_of(part), sorted(part.attrib.items()), part.text or "", tail or "")
                    hashed.update(repr(said).encode(errors="surrogatepass"))
        return hashed.hexdigest()


@dataclass(frozen=True, slots=True)
class _Cut:
    data: bytes
    line: int
    fault: str = ""  # why it cannot be parsed
    is_closed: bool = True


class Items:
    """The items of a file of XML. ``header`` is what stands above the first: the channel, parsed as far as it goes.

    Takes the open file, its name for people, and the name of the element that an item is, such as "item"; with
    ``only``, items without these bytes are passed over in silence.
    Raises UnreadableSource for a file that declares entities.
    """

    def __init__(self, file: BinaryIO, name: str, element: str, *, only: bytes = b"") -> None:
        self.name = name
        self._only = only
        self._cutter = _Cutter(_in_utf_8(file), element.encode())
        head = self._cutter.header()
        declared = _DECLARED.match(head.lstrip(b"\xef\xbb\xbf \t\r\n"))
        encoding = declared[1].decode() if declared else ""
        # What was recoded says what it was before.
        self._encoding = "" if encoding.lower().startswith("utf") else encoding
        text = _clean(decode(head, self._encoding))
        if _ENTITIES.search(text):
            raise UnreadableSource(_("The file declares entities of its own (DOCTYPE), which no export needs."))
        said = dict(_NAMESPACE.findall(" ".join(_ROOT.findall(text))))
        spaces = {f"xmlns:{prefix}": f'"{uri}"' for prefix, uri in _PREFIXES.items()} | said
        self._opening = "<items" + "".join(f" {name}={uri}" for name, uri in spaces.items()) + ">"
        self.header = Item(_header(text), 1)

    def __iter__(self) -> Iterator[Item | Problem]:
        """Yield the items in order, and a Problem in place of, or in front of, one that is broken."""
        for cut in self._cutter.items():
            if self._only not in cut.data:
                continue
            text = _clean(decode(cut.data, self._encoding))
            if cut.fault:
                yield Problem(self._lost_name(text), cut.line, cut.fault)
                continue
            try:
                yield from self._parsed(text, cut)
            except etree.XMLSyntaxError:
                yield Problem(self._lost_name(text), cut.line, _("This item is broken and could not be read."))

    def _parsed(self, text: str, cut: _Cut) -> Iterator[Item | Problem]:
        if cut.is_closed and (found := self._strictly(text)) is not None:
            yield Item(found, cut.line)
            return
        mended = _mended(text)
        if not cut.is_closed and not _END_TAG.search(mended[-100:]):
            mended += f"</{mended[1:].split(None, 1)[0].partition('>')[0]}>"
        # A prefix that nothing declares is one of a plug-in, whose fields say nothing of the article.
        unknown = set(_PREFIX.findall(mended)) - set(_PREFIX.findall(self._opening))
        mended = re.sub(
            r"^<[^\s/>]+", lambda tag: tag[0] + "".join(f' xmlns:{each}="urn:{each}"' for each in unknown), mended
        )
        found = self._strictly(mended)
        is_whole = found is not None
        if is_whole:
            message = _("This item was not well-formed. It was mended; compare it with the original.")
        else:
            found = _first(_parse(self._opening + mended + "</items>", recover=True))
            message = _("This item was not well-formed and may have lost something. Compare it with the original.")
        if found is None or not len(found):
            yield Problem(self._lost_name(text), cut.line, _("This item is broken and could not be read."))
            return
        yield Problem(self._lost_name(text), cut.line, message, is_note=is_whole)
        yield Item(found, cut.line, is_recovered=not is_whole)

    def _strictly(self, text: str) -> etree._Element | None:
        try:
            return _first(_parse(self._opening + text + "</items>"))
        except etree.XMLSyntaxError:
            return None

    def _lost_name(self, text: str) -> str:
        title = _LOST_TITLE.search(text)
        return item_name(self.name, unescape(title[1]).strip() if title else "")


class Identities:
    """Sees to it that no two articles of a source are taken for one, whatever they say of themselves."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def distinct(self, article: SourceArticle, *more: str) -> SourceArticle:
        """Return the article; if its identity was there before, with what else can tell it from the other."""
        identity = article.identity
        count = 1
        for addition in (*filter(None, more), article.meta.title):
            if hash(identity) in self._seen:
                identity = f"{article.identity}#{addition}"
        while hash(identity) in self._seen:
            count += 1
            identity = f"{article.identity}#{count}"
        self._seen.add(hash(identity))
        return replace(article, identity=identity)


def item_name(file: str, title: str) -> str:
    """Return what an item is called in reports."""
    return " › ".join(filter(None, (file, Truncator(" ".join(title.split())).chars(100))))  # noqa: RUF001


def text_of(element: etree._Element) -> str:
    """Return the text in an element and in those within it."""
    return "".join(map(str, element.itertext())).strip()


def joined(base: str, address: str) -> str:
    """Return an address that is relative to another, whole; as it is if it makes no sense."""
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def with_whole_addresses(blocks: Iterable[Block], base: str) -> tuple[Block, ...]:
    """Return blocks whose pictures have whole addresses: a path on a site says nothing away from it."""
    return tuple(
        replace(block, picture=replace(block.picture, source=joined(base, block.picture.source)))
        if block.picture
        else block
        for block in blocks
    )


def plain(html: str) -> str:
    """Return a line of HTML, such as a title, as plain text."""
    return " ".join(unescape(_TAG.sub(" ", html)).split())


def name_of(element: etree._Element) -> str:
    """Return what an element is called, with the usual prefix of its namespace: "title", "dc:creator"."""
    return _short(str(element.tag))


@lru_cache(maxsize=1000)
def _short(tag: str) -> str:
    if not tag.startswith("{"):
        return tag  # a prefix that nothing declares stays in it
    uri, _brace, name = tag[1:].partition("}")
    return f"{_prefix(uri)}{name}"


def _prefix(uri: str) -> str:
    if _EXCERPT.fullmatch(uri):
        return "excerpt:"
    if _WORDPRESS.fullmatch(uri):
        return "wp:"
    # RSS 0.9, 1.0 and some of 2.0 have namespaces, each another.
    is_rss = ("rss" in uri.lower() and "modules" not in uri) or "rdf/simple" in uri
    return _NAMES.get(uri, "" if is_rss else f"{uri}:")


# --- Parsing ---


def _parse(text: str, *, recover: bool = False) -> etree._Element | None:
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    return etree.fromstring(text.encode(), parser)


def _first(root: etree._Element | None) -> etree._Element | None:
    return root[0] if root is not None and len(root) else None


def _header(text: str) -> etree._Element:
    """Return the element that holds what is said of the whole file."""
    root = _parse(_DOCTYPE.sub("", text.lstrip("\ufeff \t\r\n")), recover=True)
    if root is None:
        return etree.Element("channel")
    return next((child for child in root if name_of(child) == "channel"), root)


def _clean(text: str) -> str:
    return _NOT_XML.sub(" ", text)


def _mended(text: str) -> str:
    """Return an item with CDATA sections that end where their field ends, and with no stray "&"."""
    for name in _WRITTEN:
        text = _mended_field(text, name)
    return "".join(
        part if part.startswith("<![CDATA[") else _REFERENCE.sub(_mended_reference, part) for part in _CDATA.split(text)
    )


def _mended_field(text: str, name: str) -> str:
    parts: list[str] = []
    at = 0
    for start in re.finditer(rf"<{name}(?:\s[^<>]*)?>\s*(<!\[CDATA\[)", text):
        if start.start() < at:
            continue
        if (end := text.find(f"</{name}", start.end())) < 0:
            break
        inner = text[start.end() : end].rstrip().removesuffix("]]>").replace("<![CDATA[", "").replace("]]>", "")
        parts += [text[at : start.start(1)], escape(inner, quote=False)]
        at = end
    return "".join(parts) + text[at:]


def _mended_reference(found: re.Match[str]) -> str:
    if digits := found["decimal"] or found["hex"]:
        code = int(digits, 10 if found["decimal"] else 16)
        is_character = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
        return found[0] if is_character and code <= 0x10FFFF else " "
    name = found["name"]
    if name in ("amp;", "lt;", "gt;", "quot;", "apos;"):
        return found[0]
    return escape(html5[name]) if name in html5 else f"&amp;{found[0][1:]}"


# --- Cutting ---


class _Recoded:
    """Reads a file as UTF-8, of which the first bytes were taken already."""

    def __init__(self, start: bytes, file: BinaryIO, encoding: str) -> None:
        self._start = start
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace") if encoding else None

    def read(self, size: int = -1, /) -> bytes:
        while True:
            data, self._start = self._start or self._file.read(size), b""
            if not self._decoder:
                return data
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode(errors="replace")


def _in_utf_8(file: BinaryIO) -> Readable:
    start = file.read(4)
    return _Recoded(start, file, next((encoding for mark, encoding in _WIDE if start.startswith(mark)), ""))


class _Cutter:
    """Finds where items start and end. An end tag inside CDATA ends none, unless that CDATA was never closed."""

    def __init__(self, file: Readable, element: bytes) -> None:
        self._file = file
        self._data = b""
        self._line = 1
        self._lost = 0  # where a comment between items starts that never ends
        self._ended = False
        item = rb"(?:[\w.-]{1,60}:)?" + element
        whole = rb"(?:[\w.-]{1,60}:)?(?:channel|feed|rss)"
        self._outside = re.compile(rb"<!--|<!\[CDATA\[|<%b(?=[\s/>])" % item)
        self._inside = re.compile(rb"<!\[CDATA\[|<(?P<end>/)?%b(?=[\s/>])|</%b(?=[\s>])" % (item, whole))
        self._boundary = re.compile(rb"</%b\s{0,9}>\s{0,999}<(?:/%b|%b[\s>])" % (item, whole, item))

    def header(self) -> bytes:
        """Return what stands above the first item. Call it once, before items()."""
        parts: list[bytes] = []
        self._to_item(parts)
        return b"".join(parts)[:MAX_HEADER]

    def items(self) -> Iterator[_Cut]:
        """Yield the items. The file is at the start of one, or at its end."""
        while self._data:
            line = self._line
            yield self._item(line)
            self._to_item()
        if self._lost:
            yield _Cut(b"", self._lost, _("A comment starts here and never ends; nothing below it could be read."))

    def _more(self) -> bool:
        chunk = b"" if self._ended else self._file.read(max(_CHUNK, min(len(self._data), 2 * MB)))
        self._ended = not chunk
        self._data += chunk
        return bool(chunk)

    def _take(self, end: int) -> bytes:
        taken = self._data[:end]
        self._data = self._data[end:]
        self._line += taken.count(b"\n")
        return taken

    def _to_item(self, kept: list[bytes] | None = None) -> None:
        """Go to the start of the next item, or to the end of the file."""
        size = 0

        def drop(end: int) -> None:
            nonlocal size
            taken = self._take(end)
            if kept is not None and size < MAX_HEADER:
                kept.append(taken)
                size += len(taken)

        while True:
            found = self._outside.search(self._data)
            if not found:
                drop(len(self._data) if self._ended else max(0, len(self._data) - _TAIL))
                if not self._more() and not self._data:
                    return
                continue
            if found[0] not in (b"<!--", b"<![CDATA["):
                drop(found.start())
                return
            drop(found.start())
            start = self._line
            drop(len(found[0]))
            end = b"-->" if found[0] == b"<!--" else b"]]>"
            while (at := self._data.find(end)) < 0:
                drop(max(0, len(self._data) - len(end)))
                if not self._more():
                    drop(len(self._data))
                    self._lost = start
                    return
            drop(at + len(end))

    def _item(self, line: int) -> _Cut:
        at = 1
        while True:
            found = self._inside.search(self._data, at)
            if found and found[0].startswith(b"<![CDATA["):
                closed = self._cdata_end(found.end())
                if closed is None:
                    return self._skipped(line) if len(self._data) > MAX_ITEM else self._cut_off(line)
                if closed < 0:
                    return self._taken(-closed, line, is_closed=False)
                at = closed
            elif found and not found["end"]:
                return self._taken(found.start(), line, is_closed=False)
            elif found and (end := self._data.find(b">", found.end())) >= 0:
                return self._taken(end + 1, line)
            else:
                at = found.start() if found else max(at, len(self._data) - _TAIL)
                if len(self._data) > MAX_ITEM:
                    return self._skipped(line)
                if not self._more():
                    return self._cut_off(line)

    def _cdata_end(self, start: int) -> int | None:
        """Return where a CDATA section ends; as a negative number, where its item does if it was never closed.

        None if the file ends, or the item becomes too large, before either.
        """
        at = start
        while (end := self._data.find(b"]]>", at)) < 0:
            at = max(start, len(self._data) - 2)
            if len(self._data) > MAX_ITEM or not self._more():
                break
        stop = end if end >= 0 else len(self._data)
        boundary = self._boundary.search(self._data, start, stop)
        # In a section that somebody else closes, another one is opened.
        if boundary and (end < 0 or self._data.find(b"<![CDATA[", boundary.end(), stop) >= 0):
            return -(self._data.index(b">", boundary.start()) + 1)
        return end + 3 if end >= 0 else None

    def _taken(self, end: int, line: int, *, is_closed: bool = True) -> _Cut:
        data = self._take(end)
        return _too_large(data[:_TAIL], line) if end > MAX_ITEM else _Cut(data, line, is_closed=is_closed)

    def _cut_off(self, line: int) -> _Cut:
        return _Cut(self._take(len(self._data)), line, _("The file ends within this item. Was it copied whole?"))

    def _skipped(self, line: int) -> _Cut:
        """Go past an item that is too large, without keeping more of it than its start."""
        start = self._data[:_TAIL]
        while not (found := self._boundary.search(self._data)):
            self._take(max(0, len(self._data) - _TAIL))
            if not self._more():
                self._take(len(self._data))
                break
        if found:
            self._take(self._data.index(b">", found.start()) + 1)
        return _too_large(start, line)


def _too_large(start: bytes, line: int) -> _Cut:
    return _Cut(start, line, _("This item is larger than %(limit)d MB.") % {"limit": MAX_ITEM // MB})

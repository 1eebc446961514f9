"""Reads HTML: a saved page with its menus, advertisements and comments, or a fragment from a blog's database."""

# ruff: noqa: SIM905 -- lists of words are read as words
from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from ..blocks import Block, Kind, Mark, Meta, PictureRef, Problem, Source, SourceArticle, Style, UnreadableSource, Zone
from .attributes import (
    SHORTCODES_ALONE,
    TAB,
    is_dot,
    is_hidden,
    is_video,
    picture_source,
    said_by,
    whole_number,
    without_shortcodes,
)
from .markup import Start, Text, tokens
from .page import PageFacts
from .shaping import (
    SENTENCE_END,
    as_heading,
    collapsed,
    joined_blocks,
    lines_apart,
    recognised,
    tidy_marks,
    with_numbers_alone,
    with_title,
    without_lone_numbers,
)
from .text import MAX_BLOCKS, MAX_BYTES, decode, is_text
from .zones import Region, settle, zone_of

MAX_TAGS = 500_000
# Elements nested deeper say nothing more of the text in them; browsers do the same.
MAX_DEPTH = 500

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_VOID = frozenset(
    "area base br col embed hr img input link meta source track wbr basefont bgsound frame keygen".split()
)
_STYLES = {
    "b": Style.STRONG,
    "strong": Style.STRONG,
    "i": Style.EM,
    "em": Style.EM,
    "sub": Style.SUB,
    "sup": Style.SUP,
}
# Each stands on lines of its own.
_BLOCKS = frozenset(
    "address article aside blockquote button caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form header hgroup hr legend li main menu nav ol option optgroup p pre listing xmp search section select "
    "summary table tbody td textarea tfoot th thead tr ul body html".split()
) | frozenset(_HEADINGS)
# An end tag of one of the others does not reach out of these.
_SPECIAL = _BLOCKS - {"option", "optgroup", "legend", "body", "html"}
# Start tags that end an open paragraph.
_END_PARAGRAPH = _SPECIAL - {"td", "th", "tr", "tbody", "thead", "tfoot", "caption", "button", "select", "textarea"}
# No end tag reaches out of these.
_SCOPES = frozenset("button caption table td th".split())
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
# What is in them is never shown as text.
_UNSEEN = frozenset(
    "script style template svg iframe noembed noframes noscript audio video canvas datalist title rp".split()
)
# These say themselves where their text ends.
_NOT_BARE = frozenset((*_HEADINGS, "p", "li", "dt", "dd", "table", "figure", "summary", "pre", "button"))
_IGNORED = frozenset(("html", "body"))

_LINES = re.compile(r"(\n(?:\s*\n)?)")
_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE
)
_IS_PAGE = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_BOLD = re.compile(r"font-weight\s*:\s*(bold|[6-9]00)", re.IGNORECASE)
_NOT_BOLD = re.compile(r"font-weight\s*:\s*(normal|[1-5]00)", re.IGNORECASE)
_ITALIC = re.compile(r"font-style\s*:\s*italic", re.IGNORECASE)
_CAPTION = re.compile(r"(?:^|[\s_-])caption(?:$|[\s_-])", re.IGNORECASE)
_CREDIT = re.compile(r"(?:^|[\s_-])(?:credit|credits|attribution)(?:$|[\s_-])", re.IGNORECASE)
# A row of a table of data is no longer than this.
_ROW_LENGTH = 1500


@dataclass(slots=True)
class _Draft:
    block: Block
    region: Region
    zone: Zone = Zone.MAIN


@dataclass(slots=True)
class _Item:
    marker: str
    number: int | None
    draft: _Draft | None = None


@dataclass(slots=True)
class _List:
    is_numbered: bool
    next: int = 1
    step: int = 1
    items: list[_Item] = field(default_factory=list)


@dataclass(slots=True)
class _Row:
    cells: list[list[_Draft]] = field(default_factory=list)
    is_header: list[bool] = field(default_factory=list)
    is_layout: bool = False


@dataclass(slots=True)
class _Figure:
    pictures: list[_Draft] = field(default_factory=list)
    captions: list[_Draft] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Context:
    """What the open elements say of the text in them."""

    region: Region
    kind: Kind = Kind.PARAGRAPH
    level: int = 0
    depth: int = 0
    item: _Item | None = None
    list: _List | None = None
    row: _Row | None = None
    figure: _Figure | None = None
    is_caption: bool = False
    is_credit: bool = False
    is_pre: bool = False
    is_bare: bool = True  # not in a paragraph or anything else that says where it ends
    in_article: bool = False
    is_unseen: bool = False


@dataclass(slots=True)
class _Frame:
    name: str
    context: _Context
    keys: tuple[str, ...]
    styles: tuple[Style, ...] = ()
    formats: tuple[int, ...] = ()
    listens: str = ""


def read_html(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read an HTML file as one article. Raises UnreadableSource if it is too large, has no text, or is not HTML."""
    with source.open() as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadableSource(
            _("The source is larger than %(limit)d MB. Split it into its articles.")
            % {"limit": MAX_BYTES // 1024 // 1024}
        )
    declared = _CHARSET.search(data[:4096])
    html = decode(data, declared[1].decode("ascii") if declared else "")
    if not is_text(html):
        raise UnreadableSource(_("This is not an HTML file. Save the page as HTML first."))
    blocks, meta = html_blocks(html)
    if not blocks:
        raise UnreadableSource(_("There is no text in the source."))
    yield SourceArticle(
        name=source.name,
        format="html",
        identity=meta.url or f"file:{source.name}#{meta.title}",
        digest=sha256(data).hexdigest(),
        blocks=tuple(blocks),
        meta=meta,
        open_file=source.open_file,
    )


def html_blocks(html: str, *, first_line: int = 1, base: str = "") -> tuple[list[Block], Meta]:
    """Read HTML, a page or a fragment, into blocks and what it says of itself.

    Takes the line on which it starts in its source and the address that its links are relative to. Every word that a
    reader of the page could see, by opening what is closed too, is in exactly one block: in its text, its marker, or
    the credit of its picture. What never shows is left out: scripts, styles, templates, what stands in for them, the
    pixels that count readers. Hidden text is kept as a NOTICE unless it is a tab or the like, which is shown on a
    click. Shortcodes that enclose text are taken off it, those that stand alone are NAVIGATION. A number in an element
    of its own is the number of the heading it stands in or before; a short line all in bold is a heading of level 0;
    the paragraphs of a list item after its first have its depth.
    Raises UnreadableSource if there are too many tags or blocks.
    """
    page = _Page(html, first_line, base)
    return page.blocks, page.meta


class _Page:
    def __init__(self, html: str, first_line: int, base: str) -> None:
        self.facts = PageFacts(base)
        self.is_fragment = not _IS_PAGE.search(html)
        if self.is_fragment:
            html = without_shortcodes(html)
        self.regions = [Region(Zone.MAIN)]
        self.drafts: list[_Draft] = []
        self.stack = [_Frame("", _Context(self.regions[0]), ())]
        self.opened: defaultdict[str, list[int]] = defaultdict(list)  # places in the stack, by name and by group
        self.too_deep: Counter[str] = Counter()
        self.formats: dict[str, list[Style | None]] = {name: [] for name in _STYLES}
        self.active = dict.fromkeys(Style, 0)
        self.began = dict.fromkeys(Style, 0)
        self.href = self.link_says = ""
        self.listening: dict[str, list[str]] = {}
        self.last_picture: _Draft | None = None
        self.sources: set[str] = set()
        self.anchor = ""
        self._begin()
        for count, token in enumerate(tokens(html, first_line)):
            if count > MAX_TAGS:
                raise UnreadableSource(_("The source has more than %(limit)d tags.") % {"limit": MAX_TAGS})
            if isinstance(token, Text):
                self.text(token)
            elif isinstance(token, Start):
                self.start(token)
            else:
                self.end(token.name)
        self.close_from(1)
        self.flush()
        settle(self.regions)
        for draft in self.drafts:
            draft.block = replace(draft.block, zone=draft.zone or draft.region.place)
        self.blocks = without_lone_numbers(with_numbers_alone([draft.block for draft in self.drafts]))
        self.meta = self.facts.meta(self.blocks)
        self.blocks = [with_title(block, self.meta.title) for block in self.blocks]

    # The text of the block that is being read.

    def _begin(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.line = 1
        self.marks: list[Mark] = []
        self.breaks: list[tuple[int, int]] = []
        self.first_element_end = 0
        self.pictures: list[tuple[PictureRef, int]] = []

    @property
    def context(self) -> _Context:
        return self.stack[-1].context

    def text(self, token: Text) -> None:
        for said in self.listening.values():
            said.append(token.text)
        context = self.context
        if context.is_unseen:
            return
        if context.is_pre or (context.is_bare and self.is_fragment):
            line = token.line
            for at, written in enumerate(_LINES.split(token.text)):
                if at % 2 == 0:
                    self.add(written, line)
                elif written == "\n":
                    self.line_break(line)
                else:
                    self.flush()
                line += written.count("\n")
            return
        self.add(token.text, token.line)

    def add(self, text: str, line: int) -> None:
        piece = collapsed(text)
        if piece.startswith(" ") and (not self.length or self.parts[-1].endswith(" ")):
            piece = piece[1:]
        if not piece:
            return
        if not self.length or (self.breaks and self.breaks[-1][0] == self.length):
            line += text.count("\n", 0, len(text) - len(text.lstrip()))
            if self.breaks:
                self.breaks[-1] = (self.length, line)
            else:
                self.line = line
        self.parts.append(piece)
        self.length += len(piece)

    def line_break(self, line: int) -> None:
        if not self.length:
            return
        if self.breaks and self.breaks[-1][0] == self.length:
            self.flush()
            return
        self.add(" ", line)
        self.breaks.append((self.length, line))

    def flush(self) -> None:
        """End the block that is being read."""
        pictures = self.pictures
        if self.length:
            for style, count in self.active.items():
                if count:
                    self.marks.append(Mark(self.began[style], self.length, style))
                    self.began[style] = 0
            if self.href:
                self.marks.append(Mark(self.began[Style.LINK], self.length, Style.LINK, self.href))
                self.began[Style.LINK] = 0
            text = "".join(self.parts)
            marks, breaks, line, first = tidy_marks(text, self.marks), self.breaks, self.line, self.first_element_end
            anchor, self.anchor = self.anchor, ""
            self._begin()
            if text.strip():
                self.finish(Block(Kind.PARAGRAPH, text, line, marks=marks, anchor=anchor), breaks, first)
        for picture, line in pictures:
            self.emit_picture(picture, line)
        self.pictures = []

    def finish(self, block: Block, breaks: list[tuple[int, int]], first_element_end: int) -> None:
        """Make drafts of a block whose text was read."""
        context = self.context
        if context.is_caption or context.is_credit:
            self.caption(_Draft(block.cut(0, len(block.text)), context.region))
            return
        if context.kind == Kind.HEADING:
            self.emit(as_heading(block.cut(0, len(block.text)), context.level, first_element_end))
            return
        for part in lines_apart(block, breaks):
            self.emit(part)

    def emit(self, block: Block, zone: Zone = Zone.MAIN) -> None:
        context = self.context
        item = context.item if context.item and not context.item.draft else None
        if block.kind == Kind.PARAGRAPH:
            block = recognised(block, context.kind if item or context.kind == Kind.QUOTE else Kind.PARAGRAPH)
            if self.is_fragment and SHORTCODES_ALONE.fullmatch(block.text):
                zone = Zone.NAVIGATION
        block = replace(block, depth=max(context.depth, block.depth))
        draft = _Draft(block, context.region, zone)
        if item and block.kind != Kind.PICTURE:
            item.draft = draft
            if block.kind == Kind.QUOTE or block.kind == Kind.PARAGRAPH:
                block = replace(block, kind=Kind.ITEM)
            if not block.marker:
                block = replace(block, marker=item.marker, number=item.number)
            draft.block = block
        context.region.size += len(block.text)
        row = context.row
        target = row.cells[-1] if row and row.cells and not row.is_layout else self.drafts
        target.append(draft)
        self.last_picture = draft if block.picture else None
        if block.picture and context.figure:
            context.figure.pictures.append(draft)
        if len(self.drafts) > MAX_BLOCKS:
            raise UnreadableSource(
                _("The source has more than %(limit)d paragraphs. Split it into its articles.") % {"limit": MAX_BLOCKS}
            )

    # Pictures.

    def picture(self, attributes: dict[str, str], line: int) -> None:
        if is_dot(attributes):
            return
        alt = collapsed(attributes.get("alt", "")).strip()
        names = attributes.get("class", "")
        if "emoji" in names or "wp-smiley" in names:
            self.add(alt, line)
            return
        source = picture_source(attributes)
        if not source or (source in self.sources and (self.context.is_unseen or self.is_again(source))):
            return
        self.sources.add(source)
        picture = PictureRef(source, alt, collapsed(attributes.get("data-caption", "")).strip())
        if self.length:
            self.pictures.append((picture, line))
        else:
            self.emit_picture(picture, line)

    def is_again(self, source: str) -> bool:
        """Tell whether a picture was just there, for readers without scripts."""
        before = self.last_picture.block.picture if self.last_picture else None
        return bool(before and before.source == source)

    def emit_picture(self, picture: PictureRef, line: int) -> None:
        anchor, self.anchor = self.anchor, ""
        self.emit(Block(Kind.PICTURE, picture.caption or picture.alt, line, picture=picture, anchor=anchor))

    def caption(self, draft: _Draft) -> None:
        context = self.context
        if context.figure and not context.is_credit:
            context.figure.captions.append(draft)
        elif self.last_picture and (picture := self.last_picture.block.picture):
            if context.is_credit and not picture.credit:
                self.last_picture.block = replace(
                    self.last_picture.block, picture=replace(picture, credit=draft.block.text)
                )
            elif not context.is_credit and not picture.caption:
                _set_caption(self.last_picture, [draft])
            else:
                self.emit(draft.block)
        else:
            self.emit(draft.block)

    def close_figure(self, figure: _Figure) -> None:
        if len(figure.pictures) == 1 and figure.captions:
            _set_caption(figure.pictures[0], figure.captions)
        else:
            for caption in figure.captions:
                self.emit(caption.block)

    # Tags.

    def start(self, token: Start) -> None:
        name, attributes, line = token.name, token.attributes, token.line
        self.facts.see(name, attributes)
        if name in _IGNORED or name == "head":
            return
        if self.context.is_unseen:
            self.start_unseen(name, attributes, line)
            return
        if anchor := attributes.get("id") or (name == "a" and attributes.get("name")) or "":
            self.anchor = anchor if not self.length or not self.anchor else self.anchor
        if name == "a":
            self.end_link()
            if self.marks and self.marks[-1].end == self.length and self.marks[-1].style == Style.LINK:
                self.add(" ", line)  # a style sheet keeps them apart
            self.href = self.facts.absolute(attributes.get("href", ""))
            self.began[Style.LINK] = self.length
            self.link_says = said_by(name, attributes)
            self.listen(self.link_says, self.context)
        elif name in _STYLES:
            style = _STYLES[name]
            plain = style == Style.STRONG and _NOT_BOLD.search(attributes.get("style", ""))
            self.formats[name].append(None if plain else style)
            self.begin_style(None if plain else style)
        elif name == "br":
            self.line_break(line)
        elif name in ("img", "amp-img"):
            self.picture(attributes, line)
        elif name == "hr":
            self.flush()
        elif len(self.stack) > MAX_DEPTH and name not in _VOID | _UNSEEN:
            self.too_deep[name] += 1
            if name in _BLOCKS:
                self.flush()
        elif name not in _VOID:
            self.open(name, attributes, line)

    def start_unseen(self, name: str, attributes: dict[str, str], line: int) -> None:
        if name == "img" and self.opened["noscript"]:
            self.picture(attributes, line)
        elif self.opened["svg"] and name in _BLOCKS:
            # As in browsers: this ends a drawing that was left open.
            self.close_from(self.opened["svg"][0])
            self.open(name, attributes, line)
        elif len(self.stack) > MAX_DEPTH:
            self.too_deep[name] += 1
        elif name not in _VOID:
            self.push(_Frame(name, self.context, ()))

    def open(self, name: str, attributes: dict[str, str], line: int) -> None:
        if name in ("td", "th", "tr", "tbody", "thead", "tfoot") and not self.opened["table"]:
            name = "div"
        self.end_implied(name)
        if name in _BLOCKS or "-" in name:
            self.flush()
        if name in ("td", "th") and self.last("tr") < self.last("table"):
            self.push(_Frame("tr", replace(self.context, row=_Row()), ()))
        if name == "table" and (outer := self.context.row) and not outer.is_layout:
            # What holds another table is there for the layout.
            self.spread(outer)
        context = self.inside(name, attributes)
        frame = _Frame(name, context, (), listens=said_by(name, attributes))
        style = attributes.get("style", "")
        if style:
            is_bold, is_italic = _BOLD.search(style), _ITALIC.search(style)
            frame.styles = (*((Style.STRONG,) if is_bold else ()), *((Style.EM,) if is_italic else ()))
        if name in ("td", "th"):
            frame.formats = tuple(len(open_) for open_ in self.formats.values())
            if row := context.row:
                row.cells.append([])
                row.is_header.append(name == "th")
        for each in frame.styles:
            self.begin_style(each)
        self.listen(frame.listens, context)
        self.push(frame)
        if name == "iframe":
            self.video(attributes, line)

    def video(self, attributes: dict[str, str], line: int) -> None:
        address = self.facts.absolute(attributes.get("src", ""))
        if is_video(address):
            text = collapsed(attributes.get("title", "")).strip() or address
            self.flush()
            mark = Mark(0, len(text), Style.LINK, address)
            self.emit(Block(Kind.PARAGRAPH, text, line, marks=(mark,)))

    def end(self, name: str) -> None:
        if self.too_deep[name]:
            self.too_deep[name] -= 1
            if name in _BLOCKS:
                self.flush()
            return
        if self.context.is_unseen and name not in _UNSEEN and self.last(name) < self.last("unseen"):
            return
        if name == "a":
            self.end_link()
            self.hear(self.link_says)
            self.link_says = ""
        elif name in _STYLES:
            if self.formats[name]:
                self.end_style(self.formats[name].pop())
        elif name == "br":
            self.line_break(self.line)
        elif name in _HEADINGS:
            at = max(map(self.last, _HEADINGS))
            if at > self.last("scope"):
                self.close_from(at)
        else:
            at = self.last(name)
            if name in _UNSEEN:
                barrier = -1
            elif name in _SCOPES or name in ("tr", "tbody", "thead", "tfoot"):
                barrier = max(self.last("table"), self.last("unseen"))
            else:
                barrier = self.last("scope" if name in _SPECIAL else "special")
            if at >= max(barrier, 1):
                self.close_from(at)
            elif name == "p":
                self.flush()

    def end_implied(self, name: str) -> None:
        """End what a start tag ends."""
        if name in _END_PARAGRAPH and self.last("p") > self.last("scope"):
            self.close_from(self.last("p"))
        if name in _HEADINGS and self.stack[-1].name in _HEADINGS:
            self.close_from(len(self.stack) - 1)
        if name == "li" and self.last("li") > self.last("item-barrier"):
            self.close_from(self.last("li"))
        if name in ("dt", "dd") and (at := max(self.last("dt"), self.last("dd"))) > self.last("item-barrier"):
            self.close_from(at)
        if name in ("option", "optgroup") and self.stack[-1].name == "option":
            self.close_from(len(self.stack) - 1)
        if name == "button" and self.last("button") > 0:
            self.close_from(self.last("button"))
        within: tuple[str, ...] = ()
        if name in ("td", "th"):
            within = ("td", "th")
        elif name == "tr":
            within = ("td", "th", "tr")
        elif name in ("tbody", "thead", "tfoot"):
            within = ("td", "th", "tr", "tbody", "thead", "tfoot")
        table = self.last("table")
        above = [at for each in within if (at := self.last(each)) > table]
        if above:
            self.close_from(min(above))

    def inside(self, name: str, attributes: dict[str, str]) -> _Context:
        """Return what holds inside an element that starts."""
        outer = self.context
        if name in _UNSEEN:
            return replace(outer, is_unseen=True)
        if name not in _BLOCKS and "-" not in name:
            return outer
        says: dict[str, Any] = {}
        names = attributes.get("class", "")
        if name in _HEADINGS:
            says = {"kind": Kind.HEADING, "level": int(name[1])}
        elif name in ("summary", "dt") and outer.kind != Kind.HEADING:
            says = {"kind": Kind.HEADING, "level": 0}
        elif name in ("td", "th", "caption"):
            says = {"kind": Kind.PARAGRAPH, "item": None}
        elif name == "dd":
            says = {"kind": Kind.PARAGRAPH}
        elif name == "tr":
            says = {"row": _Row()}
        elif name == "table":
            says = {"row": None}
        elif name == "blockquote":
            says = {"kind": Kind.QUOTE}
        elif name in _LISTS:
            says = {"list": _list(name, attributes), "depth": outer.depth + 1}
        elif name == "li":
            says = {"kind": Kind.ITEM, "item": _item(outer.list, attributes), "depth": max(outer.depth, 1)}
        elif name == "figure":
            says = {"figure": _Figure()}
        elif name in ("pre", "listing", "xmp"):
            says = {"is_pre": True}
        if name == "figcaption" or _CAPTION.search(names):
            says["is_caption"] = True
        elif _CREDIT.search(names):
            says["is_credit"] = True
        if outer.is_bare and name in _NOT_BARE:
            says["is_bare"] = False
        if name in ("article", "main") or attributes.get("role") == "main":
            says |= {"in_article": True, "region": self.region(Zone.MAIN, outer, is_article=True)}
        elif name == "button" and (outer.kind == Kind.HEADING or "aria-expanded" in attributes or TAB.search(names)):
            says["kind"] = Kind.HEADING
        elif outer.kind != Kind.QUOTE and (zone := zone_of(name, attributes, in_article=outer.in_article)):
            if zone != Zone.FORM or not outer.region.zone:
                says["region"] = self.region(zone, outer)
        elif is_hidden(attributes):
            says["region"] = self.region(Zone.NOTICE, outer)
        return replace(outer, **says) if says else outer

    def region(self, zone: Zone, outer: _Context, *, is_article: bool = False) -> Region:
        self.regions.append(Region(zone, outer.region, is_article))
        return self.regions[-1]

    # The stack of open elements. What is asked of it takes the same time at any depth.

    def last(self, key: str) -> int:
        """Return the place in the stack of the innermost open element of a name or a group, -1 if there is none."""
        places = self.opened.get(key)
        return places[-1] if places else -1

    def push(self, frame: _Frame) -> None:
        name = frame.name
        keys = [name]
        if name in _UNSEEN:
            keys += ["unseen", "scope", "special"]
        if name in _SCOPES:
            keys.append("scope")
        if name in _SPECIAL:
            keys.append("special")
            if name not in ("address", "div", "p", "li", "dt", "dd"):
                keys.append("item-barrier")
        frame.keys = tuple(keys)
        for key in keys:
            self.opened[key].append(len(self.stack))
        self.stack.append(frame)

    def close_from(self, place: int) -> None:
        while len(self.stack) > place:
            self.close()

    def close(self) -> None:
        frame = self.stack[-1]
        name, context = frame.name, frame.context
        if (name in _BLOCKS or "-" in name) and not context.is_unseen:
            self.flush()
        elif self.length and not self.first_element_end:
            self.first_element_end = self.length
        for style in frame.styles:
            self.end_style(style)
        for format_, count in zip(self.formats.values(), frame.formats, strict=False):
            while len(format_) > count:
                self.end_style(format_.pop())
        self.hear(frame.listens)
        self.stack.pop()
        for key in frame.keys:
            self.opened[key].pop()
        if name == "tr" and context.row and not context.row.is_layout:
            self.close_row(context.row)
        elif name == "figure" and context.figure and not context.is_unseen:
            self.close_figure(context.figure)
        elif name in _LISTS and context.list and context.list.step < 0 and not context.is_unseen:
            _count_down(context.list)

    def close_row(self, row: _Row) -> None:
        if block := _joined_row(row):
            draft = next(draft for cell in row.cells for draft in cell)
            self.emit(block)
            context = self.context
            context.region.size -= len(block.text)  # counted with its cells
            if context.region is not draft.region:
                self.drafts[-1].region = draft.region
        else:
            self.spread(row)

    def spread(self, row: _Row) -> None:
        row.is_layout = True
        self.drafts += [draft for cell in row.cells for draft in cell]

    # Marks, and words that are listened to.

    def begin_style(self, style: Style | None) -> None:
        if style:
            if not self.active[style]:
                self.began[style] = self.length
            self.active[style] += 1

    def end_style(self, style: Style | None) -> None:
        if self.length and not self.first_element_end:
            self.first_element_end = self.length
        if style:
            self.active[style] -= 1
            if not self.active[style] and self.began[style] < self.length:
                self.marks.append(Mark(self.began[style], self.length, style))

    def end_link(self) -> None:
        if self.href and self.began[Style.LINK] < self.length:
            self.marks.append(Mark(self.began[Style.LINK], self.length, Style.LINK, self.href))
        self.href = ""

    def listen(self, to: str, context: _Context) -> None:
        if to and to not in self.listening and (to == "title" or to == "data" or not context.region.is_apart):
            self.listening[to] = []

    def hear(self, to: str) -> None:
        if to and (said := self.listening.pop(to, None)):
            self.facts.hear(to, "".join(said))


def _joined_row(row: _Row) -> Block | None:
    """Return the row of a table of data; None for one that arranges a page."""
    cells = [(blocks, is_header) for blocks, is_header in zip(row.cells, row.is_header, strict=True) if blocks]
    drafts = [draft.block for blocks, _is_header in cells for draft in blocks]
    if (
        len(cells) < 2
        or sum(len(block.text) for block in drafts) > _ROW_LENGTH
        or any(block.kind == Kind.PICTURE or block.level for block in drafts)
    ):
        return None
    joined: list[Block] = []
    for blocks, is_header in cells:
        parts = [draft.block for draft in blocks]
        between = [" " if SENTENCE_END.search(part.text[-5:]) else "; " for part in parts[:-1]]
        cell = joined_blocks(parts, between)
        if is_header:
            cell = replace(cell, marks=(*cell.marks, Mark(0, len(cell.text), Style.STRONG)))
        joined.append(cell)
    return replace(joined_blocks(joined, [" | "] * (len(joined) - 1)), kind=Kind.ROW)


def _set_caption(draft: _Draft, captions: list[_Draft]) -> None:
    caption = joined_blocks([caption.block for caption in captions], [" "] * (len(captions) - 1))
    if picture := draft.block.picture:
        draft.block = replace(
            draft.block, text=caption.text, marks=caption.marks, picture=replace(picture, caption=caption.text)
        )


def _list(name: str, attributes: dict[str, str]) -> _List:
    start = whole_number(attributes.get("start", ""))
    is_numbered = name == "ol"
    if is_numbered and "reversed" in attributes:
        return _List(is_numbered, start or 0, -1)
    return _List(is_numbered, 1 if start is None else start)


def _item(list_: _List | None, attributes: dict[str, str]) -> _Item:
    if not list_ or not list_.is_numbered:
        return _Item("•", None)
    value = whole_number(attributes.get("value", ""))
    number = list_.next if value is None else value
    list_.next = number + list_.step
    item = _Item(f"{number}.", number)
    list_.items.append(item)
    return item


def _count_down(list_: _List) -> None:
    """Number a list that counts down to one, now that its length is known."""
    if list_.items and list_.items[0].number == 0:
        for number, item in zip(range(len(list_.items), 0, -1), list_.items, strict=True):
            if item.draft and item.draft.block.marker == item.marker:
                item.draft.block = replace(item.draft.block, marker=f"{number}.", number=number)

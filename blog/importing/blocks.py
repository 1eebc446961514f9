"""The one shape that every reader makes of a source: articles, each a list of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO


class UnreadableSource(Exception):
    """The source cannot be read; the message is a sentence for the person who gave it."""


class Kind(StrEnum):
    """What a block is in its source, before anyone asks what it means."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"  # of a list, bulleted or numbered
    ROW = "row"  # of a table; the cells are joined with " | "
    QUOTE = "quote"
    PICTURE = "picture"


class Zone(StrEnum):
    """The part of a page that its markup says a block stands in. What is said may be wrong; the finder decides."""

    MAIN = ""
    HEADER = "header"
    NAVIGATION = "navigation"
    ASIDE = "aside"
    RELATED = "related"
    SHARING = "sharing"
    FORM = "form"
    ADVERTISEMENT = "advertisement"
    COMMENTS = "comments"
    NOTICE = "notice"  # cookies and the like
    FOOTER = "footer"


class Style(StrEnum):
    """What a mark does to the text it covers; the values are the HTML elements."""

    STRONG = "strong"
    EM = "em"
    SUB = "sub"
    SUP = "sup"
    LINK = "a"


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a block's text, from ``start`` up to ``end``, in bold, in italics, or with a link."""

    start: int
    end: int
    style: Style
    href: str = ""


@dataclass(frozen=True, slots=True)
class PictureRef:
    """A picture as a source names it: its address or path as written, and the words that came with it."""

    source: str
    alt: str = ""
    caption: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item, table row, quotation or picture of a source.

    ``text`` is plain text without the marker, on one line; ``marks`` say what of it is bold or a link.
    ``marker`` is the bullet or number as written ("•", "3.", "Cause 3:") and ``number`` what it says.
    ``level`` is the depth of a heading, 1 to 6, or 0 where the format has no headings and the reader went by the
    look of the line. ``depth`` is that of a list item, 1 for the outermost list, 0 where the format does not say;
    the paragraphs of an item after its first have its depth, and no marker.
    ``line`` is the line of the source on which the block starts, from 1.
    ``anchor`` is the ID by which links inside the source lead to it.
    The text of a picture is its caption, else its alternative text, else empty.
    """

    kind: Kind
    text: str
    line: int
    marker: str = ""
    number: int | None = None
    level: int = 0
    depth: int = 0
    marks: tuple[Mark, ...] = ()
    zone: Zone = Zone.MAIN
    anchor: str = ""
    picture: PictureRef | None = None

    @property
    def as_written(self) -> str:
        """The text with its marker, for people who look for it in the source."""
        return f"{self.marker} {self.text}".strip()

    @property
    def is_bold(self) -> bool:
        """Whether all of the text is bold."""
        return self.bold_start >= len(self.text.rstrip(" :.")) > 0

    @property
    def bold_start(self) -> int:
        """How many characters at the start are bold: where a run-in name ends."""
        return max((mark.end for mark in self.marks if mark.style == Style.STRONG and mark.start == 0), default=0)

    @property
    def linked(self) -> int:
        """How many characters are words of a link."""
        return sum(mark.end - mark.start for mark in self.marks if mark.style == Style.LINK)

    def cut(self, start: int, end: int) -> Block:
        """The part of the block from one character up to another, without white space at its ends."""
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        marks = tuple(
            replace(mark, start=max(mark.start, start) - start, end=min(mark.end, end) - start)
            for mark in self.marks
            if mark.start < end and mark.end > start
        )
        return replace(self, text=self.text[start:end], marks=marks)


@dataclass(frozen=True, slots=True)
class Meta:
    """What a source says of an article beside its text. Empty is what it does not say."""

    title: str = ""
    summary: str = ""
    authors: tuple[str, ...] = ()
    published: datetime | None = None  # aware
    modified: datetime | None = None  # aware
    tags: tuple[str, ...] = ()
    language: str = ""  # BCP 47
    url: str = ""  # the canonical address: of the old site, or of who published it first
    site: str = ""  # the name of the site that carried it
    paths: tuple[str, ...] = ()  # old addresses on that site, from the root: "/2019/05/back-pain/"
    status: str = ""  # as the source calls it: "publish", "draft"
    picture: PictureRef | None = None  # the lead picture


@dataclass(frozen=True, slots=True)
class SourceArticle:
    """One article of a source, as read.

    ``identity`` is what makes it the same article at another import (a GUID, an address, a path in the source);
    ``digest`` is the SHA-256 of its own bytes. ``name`` is for people: the file, and the item in it.
    ``open_file`` returns the bytes of a picture that came along, None for one that did not.
    ``document`` is the canonical text of an article of our own: it says everything that the blocks do, and exactly.
    """

    name: str
    format: str
    identity: str
    digest: str
    blocks: tuple[Block, ...]
    meta: Meta = field(default_factory=Meta)
    line: int = 1
    open_file: Callable[[str], bytes | None] = lambda source: None
    document: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """An item of a source that could not be read, or only in part: where, and a sentence that says why.

    ``is_note`` says that nothing went wrong: something was left out on purpose, or should be known.
    """

    name: str
    line: int
    message: str
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is given to a reader. ``name`` is its path as given, or inside the folder or archive."""

    name: str
    open: Callable[[], BinaryIO]
    size: int
    open_file: Callable[[str], bytes | None] = lambda source: None


Reader = Callable[[Source], Iterator[SourceArticle | Problem]]

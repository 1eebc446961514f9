"""Reads plain text: an article saved or pasted without any markup."""

# ruff: noqa: RUF001 -- dashes, quotes and wide marks are what is looked for here
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import groupby, pairwise

from django.utils.translation import gettext as _

from ..blocks import Block, Kind, Problem, Source, SourceArticle, UnreadableSource
from ..encoding import decode as decode
from ..markers import put_back_lone, take_marker

MAX_BYTES = 10 * 1024 * 1024
MAX_BLOCKS = 20_000
# With the blank ones, and those of paragraphs that were broken to a width.
MAX_LINES = 5 * MAX_BLOCKS
# Text has next to no control characters; pictures, archives and programs are a tenth of them.
MAX_CONTROL_SHARE = 0.05
# In columns, of which a Chinese character takes two.
HEADING_LENGTH = 100
# Lines of a text that was broken to a width are shorter than this, and not shorter than that.
WRAP_WIDTHS = range(40, 121)

# A line is looked at so far to tell its layout, and so near to its end to tell whether a sentence ends there.
_LAYOUT_LENGTH = 500
_ENDING_LENGTH = 20
_LINE_END = re.compile(r"\r\n|\r|\n")
_INNER_LINE_END = re.compile("[\v\f\x85\u2028\u2029]")
_SPACE = re.compile(r"\s+")
# C0, DEL, C1, soft hyphen, zero-width space, byte order mark, noncharacters.
DROPPED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b\ufeff\ufdd0-\ufdef"
    + "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_ENDS_SENTENCE = re.compile(r"[.!;,:…。！；，：]['\"”’)\]»」』）]*$")
_LABEL = re.compile(r"[\w'’]+(?:\s[\w'’]+){0,2}(?:\s?:\s|：)")
_RUN_IN = re.compile(r":\s|：|\s[–—]\s|[.!?]\s|[。！？]")
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]")
_UNDERLINE = re.compile(r"(?P<first>=){3,}|-{3,}|~{3,}")
_BARE_NUMBER = re.compile(r"\d{1,2}")
_BARE_MIN = 3
_MARKER_LENGTH = 25


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the source: its text without its marker, or its cells, and how it stands on the page."""

    text: str
    number: int
    width: int
    indent: int = 0
    marker: str = ""
    counted: int | None = None
    level: int = 0  # of a heading that is underlined
    cells: tuple[str, ...] = ()

    @property
    def stands_apart(self) -> bool:
        return bool(self.marker or self.level or len(self.cells) > 1 or not _says_something(self.text))


def read_text(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read a plain text file as one article. Raises UnreadableSource as ``text_blocks`` does."""
    with source.open() as file:
        data = file.read(MAX_BYTES + 1)
    yield SourceArticle(
        name=source.name,
        format="text",
        identity=f"file:{source.name}",
        digest=sha256(data).hexdigest(),
        blocks=tuple(text_blocks(data)),
        open_file=source.open_file,
    )


def text_blocks(data: bytes) -> list[Block]:
    """Read plain text into blocks.

    Takes the bytes of the source in any encoding that ``decode`` tells. Returns its blocks in order; every line with
    words on it is in one.
    Raises UnreadableSource if there is too much of it, nothing in it, or it is not text.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableSource(
            _("The source is larger than %(limit)d MB. Split it into its articles.")
            % {"limit": MAX_BYTES // 1024 // 1024}
        )
    text = decode(data)
    if not is_text(text):
        raise UnreadableSource(_("This is not a text file. Save the article as plain text first."))
    if sum(map(text.count, "\n\r\v\f\x85\u2028\u2029")) > MAX_LINES:
        raise _too_many()
    lines = _underlined(_numbered(list(_lines(text))))
    chunks = [list(chunk) for is_text, chunk in groupby(lines, key=lambda line: bool(line.text)) if is_text]
    is_wrapped = _is_wrapped(chunks)
    blocks: list[Block] = []
    indents: list[int] = []
    for chunk in chunks:
        follows_colon = bool(blocks) and blocks[-1].text.endswith((":", "："))
        blocks += _blocks(_unwrap(chunk) if is_wrapped else chunk, follows_colon, indents)
        if len(blocks) > MAX_BLOCKS:
            raise _too_many()
    if not blocks:
        raise UnreadableSource(_("There is no text in the source."))
    return [
        block if block is before else replace(block, kind=_kind(block.text))
        for before, block in zip(blocks, put_back_lone(blocks), strict=True)
    ]


def _too_many() -> UnreadableSource:
    return UnreadableSource(
        _("The source has more than %(limit)d paragraphs. Split it into its articles.") % {"limit": MAX_BLOCKS}
    )


def is_text(text: str) -> bool:
    """Tell whether what was decoded is text, not a picture, an archive or a program."""
    return len(text) - len(_CONTROL.sub("", text)) <= MAX_CONTROL_SHARE * len(text)


def _lines(text: str) -> Iterator[_Line]:
    for number, raw in enumerate(_LINE_END.split(text), 1):
        for part in _INNER_LINE_END.split(raw):
            cleaned = _clean(part)
            marker, counted, rest = take_marker(cleaned) if _says_something(cleaned) else ("", None, cleaned)
            expanded = part[:_LAYOUT_LENGTH].expandtabs().rstrip()
            cells = tuple(filter(None, map(_clean, part.split("\t", _LAYOUT_LENGTH))))
            indent = len(expanded) - len(expanded.lstrip())
            yield _Line(rest, number, _columns(expanded), indent, marker, counted, cells=() if marker else cells)


def _clean(line: str) -> str:
    return unicodedata.normalize("NFC", DROPPED.sub("", _SPACE.sub(" ", line)).strip())


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text))


def _columns(text: str) -> int:
    return len(text) + len(_WIDE.findall(text))


def _numbered(lines: list[_Line]) -> list[_Line]:
    """Give the number that stands alone on a line to the line below."""
    filled = [index for index, line in enumerate(lines) if line.text]
    bare: list[tuple[int, int]] = []
    for index, below in pairwise(filled):
        if lines[below].marker or len(lines[index].text) > _MARKER_LENGTH:
            continue
        _marker, counted, rest = take_marker(f"{lines[index].text} {lines[below].text}")
        if counted is not None and not lines[index].marker and rest == lines[below].text:
            _join(lines, index, below, counted)
        elif _BARE_NUMBER.fullmatch(lines[index].text):
            bare.append((index, below))
    # A number without any mark may be that of a page: it counts if all of them go 1, 2, 3 above headings.
    is_list = len(bare) >= _BARE_MIN and all(
        int(lines[index].text) == count and looks_like_heading(lines[below].text)
        for count, (index, below) in enumerate(bare, 1)
    )
    for index, below in bare if is_list else ():
        _join(lines, index, below, int(lines[index].text))
    return lines


def _join(lines: list[_Line], index: int, below: int, counted: int) -> None:
    lines[below] = replace(
        lines[below], marker=lines[index].text, counted=counted, number=lines[index].number, cells=()
    )
    lines[index] = replace(lines[index], text="", cells=())


def _underlined(lines: list[_Line]) -> list[_Line]:
    """Make headings of the lines that are underlined with a row of signs."""
    kept: list[_Line] = []
    for line in lines:
        underline = None if line.marker else _UNDERLINE.fullmatch(line.text)
        above = kept[-1] if kept else None
        if (
            underline
            and above
            and not above.level
            and _columns(above.text) <= HEADING_LENGTH
            and _says_something(above.text)
        ):
            kept[-1] = replace(above, level=1 if underline["first"] else 2)
        else:
            kept.append(line)
    return kept


def _is_wrapped(chunks: list[list[_Line]]) -> bool:
    """Tell whether the paragraphs were broken to a width: most lines then end in mid-sentence."""
    breaks = [
        bool(_ENDS_SENTENCE.search(line.text[-_ENDING_LENGTH:]))
        for chunk in chunks
        for line, after in pairwise(chunk)
        if line.width >= WRAP_WIDTHS.start and not (line.stands_apart and line.level) and not after.stands_apart
    ]
    return breaks.count(False) > breaks.count(True)


def _unwrap(lines: list[_Line]) -> list[_Line]:
    """Join the lines of a paragraph that was broken to a width.

    A line was broken if it could not have held the first word of the next one.
    """
    width = max(line.width for line in lines)
    if width not in WRAP_WIDTHS:
        return lines
    paragraphs: list[list[_Line]] = []
    for line in lines:
        before = paragraphs[-1][-1] if paragraphs else None
        if (
            before
            and before.width >= WRAP_WIDTHS.start
            and before.width + _first_word(line.text) > width
            and not before.level
            and not line.stands_apart
        ):
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
    return [replace(paragraph[0], text=_joined([line.text for line in paragraph])) for paragraph in paragraphs]


def _first_word(text: str) -> int:
    """Return the columns that a line needs for the first word of the text and the space before it."""
    return 3 if _WIDE.match(text) else 1 + len(text.split(" ", 1)[0])


def _joined(texts: list[str]) -> str:
    joined = texts[0]
    for text in texts[1:]:
        is_apart = not (_WIDE.match(text) and _WIDE.match(joined[-1]))
        joined += f" {text}" if is_apart else text
    return joined


def _blocks(lines: list[_Line], follows_colon: bool, indents: list[int]) -> list[Block]:
    columns = [len(line.cells) for line in lines]
    is_row = [
        count > 1 and count in columns[max(i - 1, 0) : i] + columns[i + 1 : i + 2] for i, count in enumerate(columns)
    ]
    blocks = [_row(line) if row else _block(line, indents) for line, row in zip(lines, is_row, strict=True)]
    short = [block.kind == Kind.HEADING and block.number is None and not block.level for block in blocks]
    if len(blocks) > 1 and all(short) and (follows_colon or len(blocks) > 2):
        # Short lines one under the other are a list without bullets; the first may head it.
        first = 0 if follows_colon else 1
        blocks[first:] = [Block(Kind.ITEM, block.text, block.line) for block in blocks[first:]]
    return blocks


def _row(line: _Line) -> Block:
    return Block(Kind.ROW, " | ".join(line.cells), line.number)


def _block(line: _Line, indents: list[int]) -> Block:
    """Make a block of a line; ``indents`` are those of the lists it may stand in, and are brought up to date."""
    if line.level:
        return Block(Kind.HEADING, line.text, line.number, line.marker, line.counted, line.level)
    if not line.marker:
        if not line.indent:
            indents.clear()
        return Block(_kind(line.text), line.text, line.number)
    if line.counted is not None and looks_like_heading(line.text, numbered=True):
        return Block(Kind.HEADING, line.text, line.number, line.marker, line.counted)
    while indents and indents[-1] > line.indent:
        indents.pop()
    if not indents or indents[-1] < line.indent:
        indents.append(line.indent)
    return Block(Kind.ITEM, line.text, line.number, line.marker, line.counted, depth=len(indents))


def _kind(text: str) -> Kind:
    return Kind.HEADING if looks_like_heading(text) else Kind.PARAGRAPH


def looks_like_heading(text: str, *, numbered: bool = False) -> bool:
    """Tell whether a text, without its number, could be a heading: short, starting like one, and no sentence."""
    if len(text) > HEADING_LENGTH or not _says_something(text) or text[0].islower():
        return False
    if numbered:
        text = text.rstrip(":：")
        if _RUN_IN.search(text):
            return False
    elif _LABEL.match(text):
        # "Treatment: rest and ice" is a short text, not a heading.
        return False
    elif text.isupper():
        text = text.rstrip(":：")
    return _columns(text) <= HEADING_LENGTH and not _ENDS_SENTENCE.search(text)

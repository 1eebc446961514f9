"""Reads plain text: an article saved or pasted without any markup."""

# ruff: noqa: RUF001 -- dashes, quotes and wide marks are what is looked for here
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby, pairwise

from django.utils.translation import gettext as _

from ..blocks import Block, Kind, Problem, Source, SourceArticle, UnreadableSource
from ..markers import take_marker

MAX_BYTES = 10 * 1024 * 1024
MAX_BLOCKS = 20_000
# Text has next to no control characters; pictures, archives and programs are a tenth of them.
MAX_CONTROL_SHARE = 0.05
HEADING_LENGTH = 100
# Lines of a text that was broken to a width are shorter than this, and not shorter than that.
WRAP_WIDTHS = range(40, 121)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32 first: its little-endian mark starts with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_SPACE = re.compile(r"\s+")
# C0, DEL, C1, soft hyphen, zero-width space, byte order mark, noncharacters.
DROPPED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b\ufeff\ufdd0-\ufdef"
    + "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_ENDS_SENTENCE = re.compile(r"[.!;,:…。！；，：]['\"”’)\]]*$")
_LABEL = re.compile(r"[\w'’]+(?:\s[\w'’]+){0,2}[:：]\s")
_RUN_IN = re.compile(r"[:：]\s|\s[–—]\s|[.!?]\s")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    number: int
    width: int

    @property
    def starts_item(self) -> bool:
        return bool(take_marker(self.text)[0])


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

    Takes the bytes of the source in UTF-8, UTF-16, UTF-32 or Windows-1252, or a mixture of the
    first and the last. Returns its blocks in order; every line with anything on it is in one.
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
    lines = [
        _Line(cleaned, number, len(raw.expandtabs().rstrip()))
        for number, raw in enumerate(_LINE_END.split(text), 1)
        for cleaned in [_clean(raw)]
    ]
    chunks = [list(chunk) for is_text, chunk in groupby(lines, key=lambda line: bool(line.text)) if is_text]
    is_wrapped = _is_wrapped(chunks)
    blocks: list[Block] = []
    for chunk in chunks:
        follows_colon = bool(blocks) and blocks[-1].text.endswith(":")
        blocks += _blocks(_unwrap(chunk) if is_wrapped else chunk, follows_colon)
        if len(blocks) > MAX_BLOCKS:
            raise UnreadableSource(
                _("The source has more than %(limit)d paragraphs. Split it into its articles.") % {"limit": MAX_BLOCKS}
            )
    if not blocks:
        raise UnreadableSource(_("There is no text in the source."))
    return blocks


def decode(data: bytes, declared: str = "") -> str:
    """Decode a text of unknown or wrongly declared encoding; bytes that make no sense become U+FFFD.

    Takes the bytes and the encoding that the source declares, if any. Raises nothing.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="windows-1252-or-mark")
    # UTF-16 without a mark: in most scripts every other byte of the spaces and line ends is NUL.
    sample = data[:4096]
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        nuls = sample[first::2].count(0)
        if nuls > len(sample) // 5 and nuls > 4 * sample[1 - first :: 2].count(0):
            return data.decode(encoding, errors="windows-1252-or-mark")
    return data.decode("utf-8", errors="windows-1252-or-mark")


def is_text(text: str) -> bool:
    """Tell whether what was decoded is text, not a picture, an archive or a program."""
    return len(_CONTROL.findall(text)) <= MAX_CONTROL_SHARE * len(text)


def _windows_1252_or_mark(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are not UTF-8 as Windows-1252, so that a mixture is readable too."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    one_byte_encoding = "cp1252" if error.encoding == "utf-8" else "ascii"
    return wrong.decode(one_byte_encoding, errors="replace"), error.end


codecs.register_error("windows-1252-or-mark", _windows_1252_or_mark)


def _clean(line: str) -> str:
    return DROPPED.sub("", _SPACE.sub(" ", line)).strip()


def _is_wrapped(chunks: list[list[_Line]]) -> bool:
    """Tell whether the paragraphs were broken to a width: most lines then end in mid-sentence."""
    breaks = [
        bool(_ENDS_SENTENCE.search(line.text))
        for chunk in chunks
        for line, after in pairwise(chunk)
        if line.width >= WRAP_WIDTHS.start and not after.starts_item
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
            and before.width + 1 + len(line.text.split(" ", 1)[0]) > width
            and not line.starts_item
        ):
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
    return [
        _Line(" ".join(line.text for line in paragraph), paragraph[0].number, paragraph[0].width)
        for paragraph in paragraphs
    ]


def _blocks(lines: list[_Line], follows_colon: bool) -> list[Block]:
    blocks = [_block(line) for line in lines]
    short = [block.kind == Kind.HEADING and block.number is None for block in blocks]
    if len(blocks) > 1 and all(short) and (follows_colon or len(blocks) > 2):
        # Short lines one under the other are a list without bullets; the first may head it.
        first = 0 if follows_colon else 1
        blocks[first:] = [Block(Kind.ITEM, block.text, block.line) for block in blocks[first:]]
    return blocks


def _block(line: _Line) -> Block:
    marker, number, text = take_marker(line.text)
    if marker:
        is_heading = number is not None and looks_like_heading(text, numbered=True)
        return Block(Kind.HEADING if is_heading else Kind.ITEM, text, line.number, marker, number)
    kind = Kind.HEADING if looks_like_heading(line.text) else Kind.PARAGRAPH
    return Block(kind, line.text, line.number)


def looks_like_heading(text: str, *, numbered: bool = False) -> bool:
    """Tell whether a text, without its number, could be a heading: short, starting like one, and no sentence."""
    if numbered:
        text = text.removesuffix(":")
        if _RUN_IN.search(text):
            return False
    elif _LABEL.match(text):
        # "Treatment: rest and ice" is a short text, not a heading.
        return False
    if len(text) > HEADING_LENGTH or _ENDS_SENTENCE.search(text):
        return False
    return any(map(str.isalnum, text)) and not text[0].islower()

"""Shapes the text of an element into blocks: numbers and markers, lines that are things of their own, cells."""

# ruff: noqa: RUF001 -- wide marks and quotes are what is looked for here
import re
import unicodedata
from bisect import bisect_right
from dataclasses import replace

from ..blocks import Block, Kind, Mark, Style, Zone
from ..markers import put_back_lone, take_marker
from .text import DROPPED, looks_like_heading

_SPACE = re.compile(r"\s+")
SENTENCE_END = re.compile(r"[.!?:;。！？：；]['\"”’)\]]*$")
_LABEL = re.compile(r"[^\W\d_a-z][\w'’]*(?:\s[\w'’]{1,30}){0,2}(?:\s?:(?=\s|$)|：)")
# A number in an element of its own, in front of the heading it counts.
_NUMBER_LENGTH = 20
_NUMBER_ALONE = re.compile(r"(?:[^\W\d_]{2,12}\s)?[#(]?\s?(\d{1,3})\s?[.):]?")


def collapsed(text: str) -> str:
    """Return text with white space as browsers show it, without the characters that show nothing, in NFC."""
    return unicodedata.normalize("NFC", _SPACE.sub(" ", DROPPED.sub("", _SPACE.sub(" ", text))))


def tidy_marks(text: str, marks: list[Mark]) -> tuple[Mark, ...]:
    """Take white space off the ends of marks, drop the empty, and join those of one style with only space between."""
    tidy: list[Mark] = []
    latest: dict[tuple[Style, str], int] = {}
    for mark in sorted(marks, key=lambda mark: mark.start):
        start, end = mark.start, mark.end
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start == end:
            continue
        at = latest.get((mark.style, mark.href))
        gap = text[tidy[at].end : start] if at is not None and tidy[at].end <= start else "no"
        # Two links to one address are two links.
        if at is not None and not (gap if mark.href else gap.strip()):
            tidy[at] = replace(tidy[at], end=end)
        else:
            latest[mark.style, mark.href] = len(tidy)
            tidy.append(replace(mark, start=start, end=end))
    return tuple(tidy)


def as_heading(block: Block, level: int, first_element_end: int) -> Block:
    """Make a heading, its number taken off: "1. Name", or a number in an element of its own."""
    block = replace(block, kind=Kind.HEADING, level=level)
    first = block.text[:first_element_end].strip()
    rest = block.cut(min(first_element_end, len(block.text)), len(block.text))
    if level != 1 and (number := _number_alone(first, rest.text)) is not None:
        return replace(rest, marker=first, number=number)
    return _without_marker(block)


def _number_alone(text: str, heading: str) -> int | None:
    """Return the number that a text before a heading gives it; None if it says anything else."""
    if not text or not heading:
        return None
    if alone := _NUMBER_ALONE.fullmatch(text):
        return int(alone[1])
    marker, number, rest = take_marker(f"{text} {heading}")
    return number if marker == text and rest == heading else None


def _without_marker(block: Block) -> Block:
    marker, number, rest = take_marker(block.text)
    if not marker:
        return block
    return replace(block.cut(len(block.text) - len(rest), len(block.text)), marker=marker.strip(), number=number)


def recognised(block: Block, kind: Kind) -> Block:
    """Tell an item and a heading from a paragraph, by its marker and by its look."""
    if kind == Kind.QUOTE:
        return replace(block, kind=kind)
    block = _without_marker(block)
    if kind == Kind.ITEM:
        return replace(block, kind=kind)
    if block.marker:
        is_heading = block.number is not None and looks_like_heading(block.text, numbered=True)
        return replace(block, kind=Kind.HEADING if is_heading else Kind.ITEM)
    if block.is_bold and looks_like_heading(block.text):
        return replace(block, kind=Kind.HEADING)
    return block


def lines_apart(block: Block, breaks: list[tuple[int, int]]) -> list[Block]:
    """Cut a paragraph at those of its line breaks that part what does not belong together."""
    lines = _cut(block, breaks)
    if len(lines) < 2:
        return lines
    if len(lines) > 2 and all(looks_like_heading(line.text) for line in lines):
        return lines
    starts = [breaks[at - 1] for at in range(1, len(lines)) if _is_apart(lines[at - 1], lines[at])]
    return _cut(block, starts)


def _is_apart(line: Block, after: Block) -> bool:
    _marker, number, name = take_marker(line.text)
    is_name = number is not None and looks_like_heading(name, numbered=True) and not after.text[0].islower()
    return bool(
        is_name
        or SENTENCE_END.search(line.text[-5:])
        or take_marker(after.text)[0]
        or line.is_bold != after.is_bold
        or _LABEL.match(after.text)
    )


def _cut(block: Block, starts: list[tuple[int, int]]) -> list[Block]:
    """Cut a block at places that each have a line number."""
    places = [(0, block.line), *starts]
    ends = [*(start for start, _line in starts), len(block.text)]
    marks: list[list[Mark]] = [[] for _place in places]
    for mark in block.marks:
        at = bisect_right(places, mark.start, key=lambda place: place[0]) - 1
        while at < len(places) and places[at][0] < mark.end:
            start = places[at][0]
            marks[at].append(replace(mark, start=max(mark.start - start, 0), end=min(mark.end, ends[at]) - start))
            at += 1
    parts: list[Block] = []
    for (start, line), end, of_part in zip(places, ends, marks, strict=True):
        part = replace(block, text=block.text[start:end], line=line, marks=tuple(of_part))
        part = part.cut(0, len(part.text))
        if part.text:
            parts.append(part if not parts else replace(part, anchor=""))
    return parts


def joined_blocks(blocks: list[Block], separators: list[str]) -> Block:
    """Join blocks into one, with their markers."""
    first, text, marks = blocks[0], "", []
    for block, separator in zip(blocks, ["", *separators], strict=True):
        text += separator
        offset = len(text) + len(block.as_written) - len(block.text)
        marks += [replace(mark, start=mark.start + offset, end=mark.end + offset) for mark in block.marks]
        text += block.as_written
    return Block(first.kind, text, first.line, marks=tuple(marks), anchor=first.anchor)


def with_numbers_alone(blocks: list[Block]) -> list[Block]:
    """Give a heading the number that stands in an element of its own before it."""
    kept: list[Block] = []
    for block in blocks:
        before = kept[-1] if kept else None
        if (
            before
            and block.kind == Kind.HEADING
            and block.level != 1
            and not block.marker
            and before.kind in (Kind.PARAGRAPH, Kind.HEADING)
            and not before.marker
            and before.zone == block.zone
            and len(before.text) < _NUMBER_LENGTH
            and (number := _number_alone(before.text, block.text)) is not None
        ):
            anchor = block.anchor or before.anchor
            kept[-1] = replace(block, line=before.line, marker=before.text, number=number, anchor=anchor)
        else:
            kept.append(block)
    return kept


def with_title(block: Block, title: str) -> Block:
    """Take the title out of the head of the page, where some themes put it."""
    is_title = block.level == 1 and block.zone == Zone.HEADER and block.text == title
    return replace(block, zone=Zone.MAIN) if is_title else block


def without_lone_numbers(blocks: list[Block]) -> list[Block]:
    """Give "Omega 3" back to the text that starts with it."""
    kept = []
    for before, block in zip(blocks, put_back_lone(blocks), strict=True):
        is_heading = block.level or (block.is_bold and looks_like_heading(block.text))
        if block is not before and not block.depth and not is_heading and block.kind in (Kind.ITEM, Kind.HEADING):
            block = replace(block, kind=Kind.PARAGRAPH)
        kept.append(block)
    return kept

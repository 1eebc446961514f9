"""Divides an article into headed parts, and the lists in them into their elements."""

# ruff: noqa: RUF001 -- dashes, quotes and wide marks are what is looked for here
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from .blocks import Block, Kind
from .furniture import key
from .language import Words
from .ledger import Ledger
from .result import Reason

_NAME_WORDS = 12
_LINE_LENGTH = 100
_LABEL_END = re.compile(r"\s*(?:[:：?]|\s[-–—](?=\s))\s*")
_SENTENCE_START = re.compile(r"(?<=[.!?])\s+")
_NAME_END = re.compile(r"\s*[:：]\s+|\s+[-–—]\s+|[.!?]\s+")
_LIST_MIN = 2


class About(Enum):
    """What a part is about, told from its heading."""

    OTHER = auto()
    CONDITIONS = auto()
    TIPS = auto()
    SIGNS = auto()
    CONCLUSION = auto()


@dataclass(slots=True)
class Part:
    """A heading, or none, and what stands under it up to the next."""

    heading: Block | None
    about: About = About.OTHER
    body: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Element:
    """One of a list: the block that opens it, and what follows up to the next."""

    head: Block
    body: list[Block] = field(default_factory=list)

    def name_and_rest(self) -> tuple[str, str]:
        """Return the name in the opening block, or "", and the text that runs on after it."""
        text = self.head.text
        if self.head.kind == Kind.HEADING:
            return text.rstrip(" :"), ""
        end = _NAME_END.search(text)
        if end and len(text[: end.start()].split()) <= _NAME_WORDS:
            return text[: end.start()], text[end.end() :]
        whole = text.rstrip(".!")
        return (whole, "") if len(whole.split()) <= _NAME_WORDS else ("", text)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an element, and whether it tells the treatment. The label is not in it."""

    source: Block
    block: Block | None
    is_treatment: bool


def verdict(text: str, words: Words) -> int:
    """Say what a line announces: 1 a list of conditions, -1 something else, 0 it does not say."""
    if words.within("list.never", text):
        return -1
    conditions, other = words.first("list.conditions", text), words.first("list.other", text)
    if conditions is None:
        return 0 if other is None else -1
    return 1 if other is None or conditions < other else -1


def about(text: str, words: Words) -> About:
    """Tell from a heading what its part is about."""
    opened = words.opens("heading.conclusion", text)
    if opened and (opened == len(text.rstrip(" .:?!")) or text[opened] in ":,–—"):
        return About.CONCLUSION
    if words.within("heading.signs", text):
        return About.SIGNS
    if words.within("heading.tips", text):
        return About.TIPS
    return About.CONDITIONS if verdict(text, words) > 0 else About.OTHER


def settle(blocks: Iterable[Block], words: Words) -> list[Block]:
    """Read again what only looked like a heading: the short text under a label such as "Treatment"."""
    settled = list(blocks)
    for index in range(1, len(settled)):
        block = settled[index]
        after = settled[index + 1] if index + 1 < len(settled) else None
        if (
            block.kind == Kind.HEADING
            and block.level == 0
            and block.number is None
            and is_label(settled[index - 1], words)
            and not is_label(block, words)
            and about(block.text, words) == About.OTHER
            and (after is None or after.kind == Kind.HEADING)
        ):
            settled[index] = replace(block, kind=Kind.PARAGRAPH)
    return settled


def leave_strays(content: list[Block], title: str, ledger: Ledger, words: Words) -> tuple[list[Block], list[str]]:
    """Leave out captions of lost pictures and tables of contents; return the rest, the captions.

    In plain text a caption is a line like a heading, but no text of its own follows, or it only
    says again what stands next to it.
    """
    last_with_text = {
        key(block.text): index
        for index, block in enumerate(content)
        if block.kind == Kind.HEADING and _has_text(content, index, words)
    }
    kept: list[Block] = []
    captions: list[str] = []
    above: Block | None = None
    in_contents = False
    for index, block in enumerate(content):
        empty = not _has_text(content, index, words)
        listed = last_with_text.get(key(block.text), -1) > index
        in_contents = listed and (empty or in_contents or block.kind == Kind.ITEM)
        if in_contents and block.kind != Kind.PARAGRAPH:
            ledger.leave(block, Reason.CONTENTS)
            continue
        below = content[index + 1] if index + 1 < len(content) else None
        if _is_caption(block, above, below if empty else None, title, words):
            ledger.leave(block, Reason.CAPTION)
            captions.append(block.text)
            continue
        if block.number is not None:
            above = block
        elif block.kind == Kind.HEADING:
            above = None
        kept.append(block)
    return kept, captions


def split_parts(content: list[Block], words: Words) -> list[Part]:
    """Divide the content below the title; the first part is the one without a heading."""
    is_sub = _sub_headings(content, words)
    parts = [Part(None)]
    for index, block in enumerate(content):
        if _heads_part(block, words) and not is_sub[index]:
            subject = about(block.text, words)
            if block.number is None or subject in (About.SIGNS, About.CONCLUSION):
                parts.append(Part(block, subject))
                continue
        elif _leads_into_signs(content, index, parts[-1], words):
            parts.append(Part(None, About.SIGNS))
        parts[-1].body.append(block)
    _split_closing(parts, words)
    return parts


def numbered_lists(body: list[Block]) -> list[list[Element]]:
    """Return the numbered lists of a part, each as its elements, in order.

    A list inside an element starts at 1 again while the outer one goes on below it.
    """
    positions: dict[tuple[int, Kind], list[int]] = defaultdict(list)
    for index, block in enumerate(body):
        if block.number is not None:
            positions[block.number, block.kind].append(index)

    def comes_later(number: int, kind: Kind, index: int) -> bool:
        found = positions.get((number, kind), [])
        return bisect_right(found, index) < len(found)

    lists: list[list[Element]] = []
    for index, block in enumerate(body):
        if block.number is None:
            if lists:
                lists[-1][-1].body.append(block)
            continue
        if not lists:
            lists.append([Element(block)])
            continue
        first, last = lists[-1][0].head, lists[-1][-1].head
        expected = (last.number or 0) + 1
        weaker = block.kind != first.kind
        if block.number == expected and not (weaker and comes_later(expected, first.kind, index)):
            lists[-1].append(Element(block))
        elif comes_later(expected, first.kind, index):
            lists[-1][-1].body.append(block)
        elif block.number == 1:
            lists.append([Element(block)])
        elif not weaker and 0 <= block.number - expected + 1 <= 2:
            # A number given twice, or one left out: a slip of the pen in the same list.
            lists[-1].append(Element(block))
        else:
            lists[-1][-1].body.append(block)
    return [elements for elements in lists if len(elements) >= _LIST_MIN]


def bulleted_list(body: list[Block]) -> list[Element]:
    """Return the bulleted items of a part as elements, with what follows each."""
    elements: list[Element] = []
    for block in body:
        if block.kind == Kind.ITEM:
            elements.append(Element(block))
        elif elements:
            elements[-1].body.append(block)
    return elements


def passages(blocks: list[Block], words: Words) -> list[Passage]:
    """Tell the treatment in an element's blocks from the rest, by its labels.

    What follows the label belongs to the treatment until another label ends it.
    """
    found: list[Passage] = []
    treating = False
    for block in blocks:
        line = block.text.rstrip(" :?")
        if block.kind == Kind.HEADING and words.fills("label.treatment", line):
            treating = True
            found.append(Passage(block, block if words.fills("label.treatment_of", line) else None, True))
            continue
        is_other_heading = block.kind == Kind.HEADING and words.fills("label.other", line)
        if is_other_heading or _after_label("label.other", block.text, words) is not None:
            treating = False
        before, after = _split_at_treatment(block.text, words)
        if after is None:
            found.append(Passage(block, block, treating))
            continue
        if before:
            found.append(Passage(block, _with_text(block, before), treating))
        treating = True
        found.append(Passage(block, _with_text(block, after) if after else None, True))
    return found


def has_treatment(blocks: list[Block], words: Words) -> bool:
    """Tell whether a treatment is told in the blocks."""
    return any(
        passage.is_treatment and passage.block and passage.block.kind != Kind.HEADING
        for passage in passages(blocks, words)
    )


def _with_text(block: Block, text: str) -> Block:
    if block.kind == Kind.ITEM:
        return replace(block, text=text)
    return Block(Kind.PARAGRAPH, text, block.line)


def _after_label(name: str, text: str, words: Words) -> str | None:
    """Return the text after a label and its colon, or None if it opens with none."""
    opened = words.opens(name, text)
    end = _LABEL_END.match(text, opened) if opened else None
    return text[end.end() :] if end else None


def _split_at_treatment(text: str, words: Words) -> tuple[str, str | None]:
    """Return what stands before and after the treatment's label; None if there is no label.

    A label that says whose treatment it is ("Treatment for children:") stays with what follows.
    """
    starts = [0, *(match.end() for match in _SENTENCE_START.finditer(text))]
    for start in starts:
        after = _after_label("label.treatment", text[start : start + 200], words)
        if after is not None:
            label_length = len(text[start : start + 200]) - len(after)
            if words.fills("label.treatment_of", text[start : start + label_length].rstrip(" :?：–—-")):
                label_length = 0
            return text[:start].strip(), text[start + label_length :].strip()
    return text, None


def _has_text(content: list[Block], index: int, words: Words) -> bool:
    below = content[index + 1] if index + 1 < len(content) else None
    if below is None:
        return False
    return below.kind != Kind.HEADING or is_label(content[index], words) or is_label(below, words)


def is_label(block: Block, words: Words) -> bool:
    """Tell whether a heading is the label of a passage, such as "Treatment" or "Symptoms"."""
    line = block.text.rstrip(" :?")
    return (
        block.kind == Kind.HEADING
        and block.number is None
        and (words.fills("label.treatment", line) or words.fills("label.other", line))
    )


def _is_caption(block: Block, above: Block | None, below: Block | None, title: str, words: Words) -> bool:
    """Tell whether a line repeats its numbered neighbour or the title, or cuts a list in two."""
    is_line = block.kind == Kind.HEADING and block.number is None and block.level == 0
    if not is_line or about(block.text, words) != About.OTHER or is_label(block, words):
        return False
    said = set(key(block.text).split())
    if above is not None and said <= set(key(above.text).split()):
        return True
    if below is None:
        return False
    if said <= set(key(title).split()):
        return True
    if below.number is None:
        return False
    goes_on = above is not None and below.number == (above.number or 0) + 1
    return goes_on or said <= set(key(below.text).split())


def _sub_headings(content: list[Block], words: Words) -> list[bool]:
    """Tell for each block whether it is a heading inside an entry: repeated, or in mid-list."""
    headings = [
        (index, block)
        for index, block in enumerate(content)
        if block.kind == Kind.HEADING and block.number is None and _has_text(content, index, words)
    ]
    repeats = Counter(_sub_key(block, words) for _, block in headings)
    result = [False] * len(content)
    for index, block in headings:
        is_other = about(block.text, words) in (About.OTHER, About.CONDITIONS)
        result[index] = repeats[_sub_key(block, words)] >= (2 if is_other else 3)
    next_numbered: Block | None = None
    below: list[Block | None] = []
    for block in reversed(content):
        below.append(next_numbered)
        if block.kind == Kind.HEADING and block.number is not None:
            next_numbered = block
    below.reverse()
    labels = sum(1 for block in content if _opens_treatment(block, words))
    above: Block | None = None
    is_treated = False
    for index, block in enumerate(content):
        is_label = _opens_treatment(block, words)
        if block.kind == Kind.HEADING and block.number is not None:
            above, is_treated = block, False
        elif block.kind == Kind.HEADING:
            after = below[index]
            in_list = above and after and after.number == (above.number or 0) + 1
            deeper = above is not None and (block.level == 0 or block.level > above.level)
            if in_list and deeper and about(block.text, words) == About.OTHER:
                result[index] = True
            elif is_label and deeper and labels > 1 and not is_treated:
                # The other entries tell their treatment too, so this one is the last entry's own.
                result[index] = True
            elif not result[index]:
                above = None
        is_treated = is_treated or is_label
    return result


def _opens_treatment(block: Block, words: Words) -> bool:
    if block.kind == Kind.HEADING:
        return block.number is None and words.fills("label.treatment", block.text.rstrip(" :?"))
    return _after_label("label.treatment", block.text[:_LINE_LENGTH], words) is not None


def _heads_part(block: Block, words: Words) -> bool:
    """Tell whether a block is a heading, or a line such as "Dizziness: when to see a doctor"."""
    if block.kind != Kind.PARAGRAPH:
        return block.kind == Kind.HEADING
    label, colon, _ = block.text.partition(":")
    return (
        bool(colon)
        and len(block.text) <= _LINE_LENGTH
        and block.text[-1] not in ".!:;,…"
        and not words.fills("label.other", label)
        and not words.fills("label.treatment", label)
        and about(block.text, words) in (About.TIPS, About.SIGNS, About.CONCLUSION)
    )


def _sub_key(block: Block, words: Words) -> str:
    line = block.text.rstrip(" :?")
    return "treatment" if words.fills("label.treatment", line) else key(line)


def _leads_into_signs(content: list[Block], index: int, part: Part, words: Words) -> bool:
    """Tell whether a sentence such as "See a doctor if you have:" opens a list of signs."""
    block = content[index]
    if part.about in (About.SIGNS, About.CONCLUSION) or block.kind != Kind.PARAGRAPH:
        return False
    if index + 1 == len(content) or content[index + 1].kind != Kind.ITEM:
        return False
    if not block.text.endswith(":") or not words.within("heading.signs", block.text):
        return False
    numbered = [before for before in part.body if before.number is not None]
    # Inside a numbered entry, or a list that goes on below, it speaks of that one only.
    if any(before.kind == Kind.HEADING for before in numbered):
        return False
    return not numbered or not _comes_below((numbered[-1].number or 0) + 1, content[index:])


def _comes_below(number: int, blocks: list[Block]) -> bool:
    for block in blocks:
        if block.kind == Kind.HEADING and block.number is None:
            return False
        if block.number == number:
            return True
    return False


def _split_closing(parts: list[Part], words: Words) -> None:
    """Give a conclusion that only says "In conclusion, …" a part of its own."""
    if any(part.about == About.CONCLUSION for part in parts):
        return
    body = parts[-1].body
    start = len(body)
    while start and body[start - 1].kind == Kind.PARAGRAPH:
        start -= 1
    for index in range(start, len(body)):
        if words.opens("heading.closing", body[index].text):
            parts.append(Part(None, About.CONCLUSION, body[index:]))
            del body[index:]
            return

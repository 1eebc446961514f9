"""Divides an article into headed parts, one inside the other, and finds the numbered lists in them."""

# ruff: noqa: RUF001 -- dashes, quotes and wide marks are what is looked for here
from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise, zip_longest

from .blocks import Block, Kind
from .language import Words
from .ledger import Ledger

LINE_LENGTH = 100
LABEL_END = re.compile(r"\s*(?:[:：?？|]+|\s[-–—](?=\s)|—)\s*")
LABEL_MARKS = " :?：？.–—-|"
# Headings with marks of their own go by their level; those known by their look are deeper, the numbered ones deepest.
_BY_LOOK, _NUMBERED_BY_LOOK = 70, 80
_LEAD_OF_LIST = 85
_HEADING_LENGTH = 160
_LEAD_LENGTH = 300
_LEAD_ENDS = (":", "：", "…", "...")


class About(Enum):
    """What a part is about, told from its heading."""

    OTHER = auto()
    CONDITIONS = auto()
    TIPS = auto()
    SIGNS = auto()
    CONCLUSION = auto()
    QUESTIONS = auto()
    REFERENCES = auto()


# Parts of the article as a whole, wherever their headings stand.
OF_THE_WHOLE = (About.TIPS, About.SIGNS, About.CONCLUSION, About.QUESTIONS, About.REFERENCES)


@dataclass(slots=True)
class Part:
    """A heading, or none for the article, what stands under it, and the parts inside it. Blocks go by their place."""

    head: int | None
    rank: int = 0
    about: About = About.OTHER
    body: list[int] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def all_parts(self) -> Iterator[Part]:
        """Yield the part and those inside it, in order."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting += reversed(part.parts)

    def below(self) -> list[int]:
        """Return all blocks under the heading, in order."""
        return [
            at
            for part in self.all_parts()
            for at in ([part.head] if part is not self else []) + part.body
            if at is not None
        ]


def key(text: str) -> str:
    """Return the words of a line alone, to compare lines that differ in case and marks."""
    return " ".join(re.findall(r"\w+", text[:400].casefold()))


def columns(text: str) -> int:
    """Return the width of a text in a terminal: a Chinese character says as much as two letters or three."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def word_count(text: str) -> float:
    """Count words; of Chinese, two and a half characters are one."""
    wide = sum(1 for letter in text if unicodedata.east_asian_width(letter) == "W")
    return len(text.split()) + wide / 2.5


@lru_cache(maxsize=5_000)
def verdict(text: str, words: Words) -> int:
    """Say what a line announces: 1 a list of conditions, -1 something else, 0 it does not say."""
    if words.within("list.never", text):
        return -1
    conditions, other = words.first("list.conditions", text), words.first("list.other", text)
    if conditions is None:
        return 0 if other is None else -1
    return 1 if other is None or conditions <= other else -1


def title_verdict(text: str, words: Words) -> int:
    """Say what a title announces, as ``verdict`` does, and by what titles alone say: "Why does my back hurt?"."""
    asked, other = words.first("list.asked", text), words.first("list.other", text)
    if asked is None or words.within("list.never", text) or (other is not None and other < asked):
        return verdict(text, words)
    return 1


@lru_cache(maxsize=5_000)
def about(text: str, words: Words) -> About:
    """Tell from a heading what its part is about."""
    opened = words.opens("heading.conclusion", text)
    if opened and (opened == len(text.rstrip(" .:?!：。")) or text[opened] in ":,–—：，"):
        return About.CONCLUSION
    if words.fills("heading.references", text.rstrip(" :.：")):
        return About.REFERENCES
    if words.within("heading.questions", text):
        return About.QUESTIONS
    if words.within("heading.signs", text):
        return About.SIGNS
    if words.within("heading.tips", text):
        return About.TIPS
    return About.CONDITIONS if verdict(text, words) > 0 else About.OTHER


def is_label(block: Block, words: Words) -> bool:
    """Tell whether a heading is the label of a passage, such as "Treatment" or "Symptoms"."""
    if block.kind != Kind.HEADING or block.number is not None or len(block.text) > LINE_LENGTH:
        return False
    return _is_label(block.text, words)


@lru_cache(maxsize=5_000)
def _is_label(text: str, words: Words) -> bool:
    line = text.rstrip(LABEL_MARKS)
    return words.fills("label.treatment", line) or words.fills("label.other", line)


def opens_treatment(block: Block, words: Words) -> bool:
    """Tell whether a block is the label of a treatment, or starts with one."""
    if block.kind == Kind.HEADING:
        return block.number is None and words.fills("label.treatment", block.text[:LINE_LENGTH].rstrip(LABEL_MARKS))
    return after_label("label.treatment", block.text[:LINE_LENGTH], words) is not None


def after_label(name: str, text: str, words: Words) -> int | None:
    """Return where the text after a label and its colon starts, or None if the text opens with none."""
    opened = words.opens(name, text)
    end = LABEL_END.match(text, opened) if opened else None
    if end:
        return end.end()
    return len(text) if opened and not text[opened:].strip(LABEL_MARKS) else None


def numbered_runs(blocks: Sequence[Block], places: Sequence[int]) -> list[list[int]]:
    """Return the numbered lists among some blocks, up or down, each as the places of its numbers.

    A list inside an element of another starts at 1 again while the outer one goes on below it; it is not returned.
    """
    later: dict[tuple[int | None, Kind], list[int]] = defaultdict(list)
    for at in places:
        later[blocks[at].number, blocks[at].kind].append(at)

    def comes_later(number: int, kind: Kind, at: int) -> bool:
        found = later.get((number, kind), [])
        return bisect_right(found, at) < len(found)

    runs: list[list[int]] = []
    for at in places:
        number, kind = blocks[at].number, blocks[at].kind
        if number is None:
            continue
        if not runs:
            runs.append([at])
            continue
        run = runs[-1]
        first, last = blocks[run[0]], blocks[run[-1]].number or 0
        second = blocks[run[1]].number if len(run) > 1 else number
        step = -1 if second == (first.number or 0) - 1 else 1
        expected = last + step
        is_weaker = kind != first.kind
        if number == expected and not (is_weaker and comes_later(expected, first.kind, at)):
            run.append(at)
        elif comes_later(expected, first.kind, at) and expected > 0:
            continue
        elif number == 1:
            runs.append([at])
        elif not is_weaker and 0 <= (number - expected) * step + 1 <= 2:
            # A number given twice, or one left out: a slip of the pen in the same list.
            run.append(at)
    return runs


def outline(ledger: Ledger, content: Sequence[int]) -> Part:
    """Divide the content below the title; what has no heading above it is the body of the whole."""
    blocks, words = ledger.blocks, ledger.words
    leads = {at for at, below in pairwise(content) if _leads_into_signs(blocks[at], blocks[below], words)}
    abouts = {
        at: About.SIGNS if at in leads else about(ledger.text(at), words)
        for at in content
        if at in leads or _heads_part(blocks[at], words)
    }
    inside = _inside(ledger, content, abouts)
    heads = [at for at in content if at in abouts and at not in inside]
    ranks = _ranks(ledger, content, heads, abouts)
    whole = Part(None)
    open_parts = [whole]
    for at in content:
        if at not in ranks:
            open_parts[-1].body.append(at)
            continue
        rank = ranks[at]
        while open_parts[-1].rank >= rank and len(open_parts) > 1:
            open_parts.pop()
        part = Part(at, rank, abouts[at])
        open_parts[-1].parts.append(part)
        open_parts.append(part)
    return whole


def _heads_part(block: Block, words: Words) -> bool:
    """Tell whether a block is a heading, or a line such as "Dizziness: when to see a doctor"."""
    if block.kind == Kind.HEADING:
        return len(block.text) <= _HEADING_LENGTH
    if block.kind != Kind.PARAGRAPH or len(block.text) > LINE_LENGTH:
        return False
    label, colon, _rest = block.text.partition(":")
    return (
        bool(colon)
        and block.text[-1] not in ".!:;,…"
        and not words.fills("label.other", label)
        and not words.fills("label.treatment", label)
        and about(block.text, words) in (About.TIPS, About.SIGNS, About.CONCLUSION)
    )


def _leads_into_signs(block: Block, below: Block, words: Words) -> bool:
    """Tell whether a sentence such as "See a doctor if you have:" opens a list of warning signs."""
    if block.kind != Kind.PARAGRAPH or below.kind != Kind.ITEM or len(block.text) > _LEAD_LENGTH:
        return False
    return block.text.endswith(_LEAD_ENDS) and words.within("heading.signs", block.text)


def _inside(ledger: Ledger, content: Sequence[int], abouts: dict[int, About]) -> set[int]:
    """Return the headings that open no part: repeated in every entry, in the middle of a list, or with no text."""
    blocks, words = ledger.blocks, ledger.words
    unnumbered = [at for at in abouts if blocks[at].number is None]
    keys = {at: _repeated_key(blocks[at], words) for at in unnumbered}
    repeats = Counter(keys.values())
    inside = {
        at for at in unnumbered if repeats[keys[at]] >= (2 if abouts[at] in (About.OTHER, About.CONDITIONS) else 3)
    }
    inside |= _inside_lists(ledger, content, abouts, inside) | _nested_numbers(blocks, abouts)
    return inside | _only_by_look(ledger, content, abouts)


def _repeated_key(block: Block, words: Words) -> str:
    line = block.text.rstrip(LABEL_MARKS)
    name = "treatment" if words.fills("label.treatment", line[:LINE_LENGTH]) else key(line)
    return f"{block.level} {name}"


def _only_by_look(ledger: Ledger, content: Sequence[int], abouts: dict[int, About]) -> set[int]:
    """Return the lines that look like headings and are none: the text of a label, and the items of a bare list."""
    blocks, words = ledger.blocks, ledger.words
    found: set[int] = set()
    for place, at in enumerate(content):
        block, below = blocks[at], content[place + 1] if place + 1 < len(content) else None
        by_look = at in abouts and block.level == 0
        is_empty = below is None or below in abouts
        if by_look and block.number is None and is_empty and abouts[at] == About.OTHER and place:
            above = blocks[content[place - 1]]
            if is_label(above, words) and not is_label(block, words):
                found.add(at)
    return found | _bare_lists(blocks, content, abouts)


def _bare_lists(blocks: Sequence[Block], content: Sequence[int], abouts: dict[int, About]) -> set[int]:
    """Return the numbered lines of lists that tell nothing of what they name."""
    found: set[int] = set()
    bare: list[int] = []
    told: set[int] = set()  # the numbers of headings that something stands under
    for at, below in zip_longest(content, content[1:]):
        number = blocks[at].number if at in abouts and blocks[at].level == 0 else None
        if number is None:
            continue
        is_told = below is not None and (below not in abouts or blocks[below].number is None)
        if not is_told or (bare and number - 1 not in told):
            bare.append(at)
        else:
            told.add(number)
        if is_told or below is None:
            if len(bare) > 1:
                found |= set(bare)
            else:
                told |= {blocks[one].number or 0 for one in bare}
            bare = []
    return found


def _inside_lists(ledger: Ledger, content: Sequence[int], abouts: dict[int, About], repeated: set[int]) -> set[int]:
    """Return the headings between two numbers of a list, and the label of a treatment in its last entry."""
    blocks, words = ledger.blocks, ledger.words
    heads = [at for at in content if at in abouts]
    next_number: dict[int, int | None] = {}
    below: int | None = None
    for at in reversed(heads):
        next_number[at] = below
        below = blocks[at].number if blocks[at].number is not None else below
    treatments = [at for at in content if opens_treatment(blocks[at], words)]
    found: set[int] = set()
    above: Block | None = None
    opened = 0
    for at in heads:
        block = blocks[at]
        if block.number is not None:
            above, opened = block, at
            continue
        deeper = above is not None and (block.level == 0 or block.level > above.level)
        is_treated = bisect_right(treatments, at - 1) > bisect_right(treatments, opened)
        if above and deeper and abouts[at] == About.OTHER and _goes_on(above.number, next_number[at]):
            found.add(at)
        elif deeper and len(treatments) > 1 and not is_treated and opens_treatment(block, words):
            # The other entries tell their treatment too, so this one is the last entry's own.
            found.add(at)
        elif at not in repeated:
            above = None
    return found


def _goes_on(number: int | None, after: int | None) -> bool:
    """Tell whether a list goes on with a number, up, or down to more than 1: there another list may start."""
    if number is None or after is None:
        return False
    return after == number + 1 or 1 < after == number - 1


def _nested_numbers(blocks: Sequence[Block], abouts: dict[int, About]) -> set[int]:
    """Return the numbered headings that belong to a list inside an element of another list."""
    nested: set[int] = set()
    scopes: dict[int, list[int]] = {}

    def close(level: int) -> None:
        for deeper in [one for one in scopes if one > level]:
            places = scopes.pop(deeper)
            runs = numbered_runs(blocks, places)
            nested.update(set(places) - {at for run in runs for at in run})

    for at in abouts:
        block = blocks[at]
        own = _rank(block)
        close(own)
        if block.number is not None:
            scopes.setdefault(own, []).append(at)
    close(-1)
    return nested


def _rank(block: Block) -> int:
    if block.kind == Kind.HEADING and block.level:
        return 10 * block.level
    if block.kind == Kind.PARAGRAPH and block.text.endswith(_LEAD_ENDS):
        return _LEAD_OF_LIST
    return _BY_LOOK if block.number is None else _NUMBERED_BY_LOOK


def _ranks(ledger: Ledger, content: Sequence[int], heads: list[int], abouts: dict[int, About]) -> dict[int, int]:
    """Return how deep each heading is: by its level, unless what stands around it says otherwise."""
    blocks = ledger.blocks
    ranks = {at: _rank(blocks[at]) for at in heads}
    _level_numbers(blocks, heads, ranks)
    follows = dict(pairwise(content))
    for at in heads:
        below = follows.get(at, -1)
        is_group = abouts[at] == About.CONDITIONS and blocks[at].number is None and below in ranks
        if is_group and ranks[below] == ranks[at] and abouts[below] == About.OTHER:
            ranks[at] -= 1
    _raise_parts_of_the_whole(heads, abouts, ranks, blocks)
    return ranks


def _level_numbers(blocks: Sequence[Block], heads: list[int], ranks: dict[int, int]) -> None:
    """Put a heading that goes on with the numbers of another level on that level: a slip of who wrote it."""
    later = {(blocks[at].number, ranks[at]): at for at in heads}
    last: dict[int, int] = {}
    for at in heads:
        number, rank = blocks[at].number, ranks[at]
        if number is None:
            continue
        if number != 1 and last.get(rank) != number - 1:
            for other, seen in last.items():
                if seen == number - 1 and later.get((number, other), -1) <= at:
                    ranks[at] = rank = other
                    break
        last[rank] = number


def _raise_parts_of_the_whole(
    heads: list[int], abouts: dict[int, About], ranks: dict[int, int], blocks: Sequence[Block]
) -> None:
    """Take a heading such as "Conclusion" out of the last entry, if that is where its level puts it."""
    # The last heading of each rank, within what is above it.
    following: dict[int, int] = {}
    has_later: dict[int, bool] = {}
    for at in reversed(heads):
        rank = ranks[at]
        has_later[at] = following.get(rank, -1) > 0
        for deeper in [one for one in following if one > rank]:
            del following[deeper]
        if abouts[at] not in OF_THE_WHOLE:
            following[rank] = at
    open_heads: list[int] = []
    for at in heads:
        while open_heads and ranks[open_heads[-1]] >= ranks[at]:
            open_heads.pop()
        while (
            open_heads
            and abouts[at] in OF_THE_WHOLE
            and abouts[open_heads[-1]] in (About.OTHER, About.CONDITIONS, About.TIPS, About.SIGNS)
            and abouts[open_heads[-1]] != abouts[at]
            and not has_later[open_heads[-1]]
            and ranks[open_heads[-1]] > 10
        ):
            ranks[at] = ranks[open_heads.pop()]
        open_heads.append(at)

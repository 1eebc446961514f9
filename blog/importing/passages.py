"""Tells the name of an entry from its text, and its treatment from the rest."""

# ruff: noqa: RUF001 -- dashes, quotes and wide marks are what is looked for here
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .blocks import Block, Kind
from .language import Words
from .ledger import LOOKED_AT, Ledger
from .parts import LABEL_MARKS, LINE_LENGTH, after_label, key, opens_treatment, word_count
from .result import Reason, Role, Sure

NAME_WORDS = 12
NAME_LENGTH = 120
# What ends a name that text runs on from.
_NAME_END = re.compile(
    r"\s*:\s+|\s*：\s*|\s+[-–—]+\s+|—|(?<=\w)-\s+(?=[A-Z])|[.!?](?=['\"”’)]?\s)['\"”’)]?\s+|[。！？]\s*"
)
_MARKS_AROUND = " \t\u00a0:：.。!！;；–—-|*"
_SENTENCE_START = re.compile(r"(?<=[.!?])['\"”’)]?\s+|(?<=[。！？；])\s*(?=\S)")
_MOST_SENTENCES = 60
# A label that an article has made up stands in so many of its elements.
_LABEL_MIN, _LABEL_SHARE, _LABEL_LENGTH = 3, 0.6, 40
_COLON = re.compile(r"(?<=\w)\s?[:：]\s*")
_CELL = " | "
_MAY_BE_LABEL = re.compile(r"[:：?？|–—-]|.{0,40}$")


class Stretch(NamedTuple):
    """A block from a character on, up to its end."""

    at: int
    start: int = 0


class Passage(NamedTuple):
    """A stretch that is told to be the treatment, its label, or neither."""

    at: int
    start: int
    role: Role | Reason
    sure: Sure = Sure.SURE


@dataclass(slots=True)
class Element:
    """One of a list: the block that opens it, where its name ends and its text starts, and the blocks that follow."""

    head: int
    name: str
    text_start: int
    body: list[int] = field(default_factory=list)
    cells: tuple[Passage, ...] = ()  # of a row of a table

    def stretches(self, blocks: tuple[Block, ...]) -> list[Stretch]:
        """Return what the element says besides its name."""
        runs_on = self.text_start < len(blocks[self.head].text)
        return [*([Stretch(self.head, self.text_start)] if runs_on else []), *map(Stretch, self.body)]


def split_name(block: Block) -> tuple[str, int]:
    """Return the name with which a block opens, "" if it has none, and where the text after it starts."""
    text = block.text
    if block.kind == Kind.HEADING:
        return text.strip(_MARKS_AROUND), len(text)
    if block.kind == Kind.ROW:
        cell, line, _rest = text.partition(_CELL)
        return cell.strip(_MARKS_AROUND), len(cell) + len(line)
    if (bold := _bold_name(block)) is not None:
        return bold
    end = _NAME_END.search(text, 0, NAME_LENGTH + 1)
    while end and _is_abbreviation(text[: end.start() + 1]):
        end = _NAME_END.search(text, end.end(), NAME_LENGTH + 1)
    if end and 0 < word_count(text[: end.start()]) <= NAME_WORDS:
        return text[: end.start()].strip(_MARKS_AROUND), end.end()
    whole = text[: NAME_LENGTH + 1].strip(_MARKS_AROUND)
    return (whole, len(text)) if len(text) <= NAME_LENGTH and word_count(whole) <= NAME_WORDS else ("", 0)


def _bold_name(block: Block) -> tuple[str, int] | None:
    """Return the name that a block opens with in bold, "Name" or "Name:" or "Name -", and where its text starts."""
    end = block.bold_start
    text = block.text
    if not 0 < end <= NAME_LENGTH or not any(map(str.isalnum, text[:end])):
        return None
    start = end
    while start < len(text) and text[start] in _MARKS_AROUND + ")":
        start += 1
    name = text[:end].strip(_MARKS_AROUND)
    # "Name (also known as …): text", "Name, which …": the name is what is bold, the text the rest.
    return (name, start) if word_count(name) <= NAME_WORDS else None


def _is_abbreviation(text: str) -> bool:
    """Tell whether a text ends in "vs." or "St.", and not in a sentence."""
    word = text.split()[-1] if text.split() else ""
    return word.endswith(".") and (len(word) <= 2 or word.lower() in ("vs.", "st.", "dr.", "no.", "e.g.", "i.e."))


def passages(ledger: Ledger, stretches: Iterable[Stretch]) -> list[Passage]:
    """Tell the treatment in an element from the rest, by its labels; where there is none, by its sentences.

    What follows a label belongs to the treatment until another label, or a heading as high, ends it.
    """
    stretches = list(stretches)
    found = _by_labels(ledger, stretches)
    if any(passage.role == Role.TREATMENT for passage in found):
        return found
    return [part for passage in found for part in _by_sentences(ledger, passage)]


def is_treated(ledger: Ledger, stretches: Iterable[Stretch]) -> bool:
    """Tell whether a treatment is told under a label."""
    return any(
        passage.role == Role.TREATMENT and ledger.blocks[passage.at].kind != Kind.HEADING
        for passage in _by_labels(ledger, stretches)
    )


def _by_labels(ledger: Ledger, stretches: Iterable[Stretch]) -> list[Passage]:
    blocks, words = ledger.blocks, ledger.words
    found: list[Passage] = []
    role = Role.ENTRY_TEXT
    level = 0  # of the heading that the treatment stands under
    for at, start in stretches:
        block = blocks[at]
        if block.kind == Kind.HEADING and start == 0 and block.number is None:
            if opens_treatment(block, words) or key(block.text) in ledger.labels:
                role, level = Role.TREATMENT, block.level
                says_more = words.fills("label.treatment_of", block.text[:LINE_LENGTH].rstrip(LABEL_MARKS))
                found.append(Passage(at, 0, Role.TREATMENT if says_more else Reason.LABEL))
                continue
            is_label = words.fills("label.other", block.text[:LINE_LENGTH].rstrip(LABEL_MARKS))
            if is_label or (level and block.level and block.level <= level):
                role = Role.ENTRY_TEXT
            found.append(Passage(at, 0, role))
            continue
        cut = _cut(ledger, at, start, role)
        found += [Passage(at, place, taken) for place, taken in cut if place < len(block.text) or start == place]
        role = Role.TREATMENT if cut[-1][1] == Role.TREATMENT else Role.ENTRY_TEXT
    return found


def _cut(ledger: Ledger, at: int, start: int, role: Role) -> list[tuple[int, Role | Reason]]:
    """Return where in a block, from a character on, labels begin, and the treatment and other text after them.

    A label that says whose treatment it is ("Treatment for children:") stays with what follows.
    """
    block, words = ledger.blocks[at], ledger.words
    text = block.text
    cut: dict[int, Role | Reason] = {start: role}
    if ledger.labels and (label := _label(ledger, at, start))[0] in ledger.labels:
        return _labelled(text, start, label[1], words)
    if bold := _bold_label(block, start, "label.treatment", words):
        return _labelled(text, start, bold, words)
    if _bold_label(block, start, "label.other", words):
        cut[start] = Role.ENTRY_TEXT
    for place in sentence_starts(text, start):
        part = text[place : place + 200]
        if not _MAY_BE_LABEL.search(part):
            continue
        if (after := after_label("label.treatment", part, words)) is not None:
            cut |= _labelled(text, place, place + after, words)
        elif after_label("label.other", part, words) is not None:
            cut[place] = Role.ENTRY_TEXT
    return sorted(cut.items())


def _labelled(text: str, label: int, after: int, words: Words) -> list[tuple[int, Role | Reason]]:
    if words.fills("label.treatment_of", text[label:after].rstrip(LABEL_MARKS)):
        return [(label, Role.TREATMENT)]
    return [(label, Reason.LABEL), (after, Role.TREATMENT)]


def learn_label(ledger: Ledger, elements: Sequence[Sequence[Stretch]]) -> None:
    """Learn how this article calls its treatments: the label that most elements have above words of treatment."""
    found: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for stretches in elements:
        labels: dict[str, bool] = {}
        for place, (at, start) in enumerate(stretches):
            name, after = _label(ledger, at, start)
            text = ledger.blocks[at].text[after : after + LOOKED_AT]
            if not text.strip() and place + 1 < len(stretches):
                text = ledger.text(stretches[place + 1].at)
            is_known = ledger.words.fills("label.other", name) or ledger.words.within("heading.signs", name)
            if name and not is_known:
                labels[name] = labels.get(name, False) or ledger.words.within("label.treatment_words", text)
        found.update(labels.keys())
        told.update(name for name, is_told in labels.items() if is_told)
    often = [name for name, count in found.items() if count >= max(_LABEL_MIN, _LABEL_SHARE * len(elements))]
    best = max(often, key=lambda name: told[name], default="")
    if told[best] * 2 >= max(found[best], 1):
        ledger.labels.add(best)


def _label(ledger: Ledger, at: int, start: int) -> tuple[str, int]:
    """Return the words of a line or of its start that look like a label, and where the text after them starts."""
    block = ledger.blocks[at]
    if block.kind == Kind.HEADING and start == 0:
        return (
            (key(block.text), len(block.text)) if block.number is None and len(block.text) <= _LABEL_LENGTH else ("", 0)
        )
    bold = block.bold_start if start == 0 else 0
    if 0 < bold <= _LABEL_LENGTH:
        while bold < len(block.text) and block.text[bold] in LABEL_MARKS:
            bold += 1
        return key(block.text[:bold]), bold
    colon = _COLON.search(block.text, start, start + _LABEL_LENGTH)
    if colon:
        return key(block.text[start : colon.start()]), colon.end()
    # "Treatment Rest and ice."
    end = start + ledger.words.opens("label.treatment", block.text[start : start + _LABEL_LENGTH])
    is_bare = end > start and block.text[end : end + 1] == " " and block.text[end + 1 : end + 2].isupper()
    return (key(block.text[start:end]), end + 1) if is_bare else ("", 0)


def _bold_label(block: Block, start: int, name: str, words: Words) -> int:
    """Return where the text after a bold label starts, 0 if the block does not open with one."""
    bold = block.bold_start
    if start or not 0 < bold <= LINE_LENGTH or not words.fills(name, block.text[:bold].strip(LABEL_MARKS)):
        return 0
    while bold < len(block.text) and block.text[bold] in LABEL_MARKS:
        bold += 1
    return bold


def sentence_starts(text: str, start: int = 0) -> list[int]:
    """Return where the sentences of a text start, of as many as are looked at."""
    starts = [start]
    for match in _SENTENCE_START.finditer(text, start, start + LOOKED_AT):
        starts.append(match.end())
        if len(starts) >= _MOST_SENTENCES:
            break
    return [place for place in starts if place < len(text)]


def _by_sentences(ledger: Ledger, passage: Passage) -> list[Passage]:
    """Cut a passage where a sentence starts to speak of the treatment: "It is treated with rest."."""
    block = ledger.blocks[passage.at]
    if block.kind == Kind.HEADING or passage.role != Role.ENTRY_TEXT:
        return [passage]
    for start in sentence_starts(block.text, passage.start):
        if ledger.words.opens("label.treatment_sentence", block.text[start : start + 200]):
            treatment = Passage(passage.at, start, Role.TREATMENT, Sure.LIKELY)
            return [treatment] if start == passage.start else [passage, treatment]
    return [passage]

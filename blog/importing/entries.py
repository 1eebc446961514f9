"""Finds the conditions of an article: lists whose elements are named and told, and announced or treated as such.

To invent a condition is the worst mistake. What is not clearly one stays a section, and that is said.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from django.utils.translation import gettext as _

from .blocks import Block, Kind
from .ledger import Ledger
from .parts import (
    LABEL_MARKS,
    OF_THE_WHOLE,
    About,
    Part,
    is_label,
    key,
    numbered_runs,
    opens_treatment,
    title_verdict,
    verdict,
    word_count,
)
from .passages import Element, Passage, is_treated, learn_label, split_name
from .result import Role, Sure

# An untreated entry is about health if it uses this many words of the list.
_HEALTH_WORDS = 2
# Names without numbers are conditions only if there are so many of them.
_UNNUMBERED_MIN = 3
_NAME_WORDS = 10
_LISTS = 20  # under one heading are looked at
_ELEMENTS = 100  # of a list are looked at, to tell what it is about
_RUN_IN_LENGTH = 30  # of the text that runs on from a name
_GROUP_TEXT = 400  # what a group heading says before its first item
_QUESTION_MARKS = "?？"  # noqa: RUF001
_NO_NAME_ENDS = "?？!！…"  # noqa: RUF001
_COUNT = re.compile(r"(?<![\w.,])\d{1,3}(?![\w%-]|[.,]\d)")


@dataclass(slots=True)
class Series:
    """A list of conditions: under which part it stands, in which parts or blocks, and how sure that is."""

    part: Part
    elements: list[Element]
    is_numbered: bool
    sure: Sure = Sure.SURE
    why: str = ""
    groups: list[Part] = field(default_factory=list)  # where the elements stand in groups of their own
    header: int | None = None  # the first row of a table


@dataclass(slots=True)
class _Judge:
    """What the article says of itself, by which its lists are judged."""

    ledger: Ledger
    title: str
    title_says: int
    is_about_one: bool
    counts: list[int]  # the numbers in the title
    refused: list[Series] = field(default_factory=list)
    treated: dict[int, bool] = field(default_factory=dict)  # what was found out of elements


def find_series(ledger: Ledger, whole: Part, title: str) -> tuple[list[Series], list[Series]]:
    """Return the lists of conditions in an article, and those that may be some but are not clear."""
    words = ledger.words
    counts = [number for number in _COUNT.finditer(title) if 2 <= int(number[0]) <= 99]
    # "What causes a cold, and 7 ways to end it" counts ways.
    says = next(filter(None, (title_verdict(title[number.start() :], words) for number in counts)), 0)
    says = says or title_verdict(title, words)
    names_more = not counts and words.within("list.other", title)
    judge = _Judge(
        ledger,
        title,
        says,
        # "Gout: causes, symptoms and treatment"
        is_about_one=(says <= 0 or names_more) and _has_labels(ledger, whole),
        counts=[int(number[0]) for number in counts],
    )
    found: list[Series] = []
    _search(judge, whole, found)
    return found, judge.refused


def _has_labels(ledger: Ledger, whole: Part) -> bool:
    """Tell whether the article has one part for the symptoms, one for the treatment, and so on."""
    return any(
        part.head is not None and part.about == About.OTHER and is_label(ledger.blocks[part.head], ledger.words)
        for part in whole.all_parts()
    )


def _search(judge: _Judge, whole: Part, found: list[Series]) -> None:
    waiting = [whole]
    while waiting:
        part = waiting.pop()
        if part.about in OF_THE_WHOLE:
            continue
        used: set[int] = set()
        for series in _candidates(judge, part):
            if _accepts(judge, series, found):
                found.append(series)
                heads = {element.head for element in series.elements}
                used = {id(group) for group in series.groups} | {id(p) for p in part.parts if p.head in heads}
                break
        waiting += [inner for inner in reversed(part.parts) if id(inner) not in used]


# --- What could be a list of conditions ---


def _candidates(judge: _Judge, part: Part) -> Iterator[Series]:
    """Yield the lists in a part, the clearest first."""
    headed = list(_numbered_parts(judge, part))
    yield from headed
    groups = _grouped(judge, part)
    unnumbered = _unnumbered_parts(judge, part)
    if groups and not (unnumbered and not _prefers_groups(judge, groups, unnumbered[0])):
        yield groups
    yield from unnumbered
    if not part.body:
        return
    blocks = judge.ledger.blocks
    for run in numbered_runs(blocks, part.body)[:_LISTS]:
        if len(run) > 1:
            yield Series(part, _elements(judge, part.body, run), is_numbered=True)
    if table := _table(judge, part):
        yield table
    for places in _openers(judge, part.body):
        yield Series(part, _elements(judge, part.body, places), is_numbered=False)


def _numbered_parts(judge: _Judge, part: Part) -> Iterator[Series]:
    blocks = judge.ledger.blocks
    by_head = {inner.head: inner for inner in part.parts if inner.head is not None}
    by_head = {at: inner for at, inner in by_head.items() if inner.about not in OF_THE_WHOLE}
    numbered = [at for at in by_head if blocks[at].number is not None]
    for run in numbered_runs(blocks, numbered):
        if len(run) > 1:
            yield Series(part, [_of_part(judge, by_head[at]) for at in run], is_numbered=True)


def _unnumbered_parts(judge: _Judge, part: Part) -> list[Series]:
    """Return the parts without numbers that could each be a condition: those with names, and a text of their own.

    Those of one level make a list; that of most comes first.
    """
    by_rank: dict[int, list[Element]] = defaultdict(list)
    for inner in part.parts:
        if _is_named(judge, inner) and inner.below():
            by_rank[inner.rank].append(_of_part(judge, inner))
    lists = [_without_outliers(judge, elements) for elements in by_rank.values()]
    lists.sort(key=len, reverse=True)
    return [Series(part, elements, is_numbered=False) for elements in lists if len(elements) > 1]


def _without_outliers(judge: _Judge, elements: list[Element]) -> list[Element]:
    """Drop parts before and after that tell no treatment, where nearly all do: they are something else."""
    treated = [_treats(judge, element) for element in elements]
    if sum(treated) >= 2 and sum(treated) >= 0.6 * len(treated):
        while not treated[0] and not _is_disease(judge, elements[0].name):
            del treated[0], elements[0]
        while not treated[-1] and not _is_disease(judge, elements[-1].name):
            del treated[-1], elements[-1]
    return elements


def _grouped(judge: _Judge, part: Part) -> Series | None:
    """Return what stands under two headings or more that only group it: "Muscle problems", "Joint problems"."""
    groups: list[Part] = []
    elements: list[Element] = []
    blocks = judge.ledger.blocks
    for inner in part.parts:
        if inner.about in OF_THE_WHOLE or inner.head is None or is_label(blocks[inner.head], judge.ledger.words):
            continue
        headed = [item for item in inner.parts if item.head is not None and item.below() and _is_item(judge, item)]
        items = [_of_part(judge, item) for item in headed] or _treated_items(judge, inner)
        if len(items) >= 2 or (items and groups):
            groups.append(inner)
            elements += items
    if len(groups) < 2:
        return None
    is_numbered = all(blocks[element.head].number is not None for element in elements)
    return Series(part, elements, is_numbered, groups=groups)


def _treated_items(judge: _Judge, part: Part) -> list[Element]:
    """Return the items of a list under a heading, if they tell a treatment each: then the heading only groups them."""
    for places in _openers(judge, part.body):
        items = _elements(judge, part.body, places)
        if all(_treats(judge, item) for item in items):
            return items
    return []


def _is_item(judge: _Judge, item: Part) -> bool:
    numbered = item.head is not None and judge.ledger.blocks[item.head].number is not None
    return (numbered and item.about not in OF_THE_WHOLE) or _is_named(judge, item)


def _prefers_groups(judge: _Judge, groups: Series, items: Series) -> bool:
    """Tell whether the headings two levels down are the conditions, and those above them only groups."""
    if len(groups.elements) in judge.counts or len(items.elements) in judge.counts:
        return len(groups.elements) in judge.counts
    blocks = judge.ledger.blocks
    heads = {element.head for element in groups.elements}
    with_little = [part for part in groups.groups if _length_above(blocks, part.body, heads) <= _GROUP_TEXT]
    return 2 * len(with_little) > len(items.elements) and len(groups.elements) >= 2 * len(groups.groups)


def _length_above(blocks: tuple[Block, ...], body: list[int], heads: set[int]) -> int:
    """Return how much text stands above the first of some items."""
    return sum(len(blocks[at].text) for at in takewhile(lambda at: at not in heads, body))


def _is_named(judge: _Judge, part: Part) -> bool:
    if part.head is None or part.about in OF_THE_WHOLE:
        return False
    block = judge.ledger.blocks[part.head]
    if block.number is not None or is_label(block, judge.ledger.words):
        return False
    if part.about == About.CONDITIONS and (part.parts or not part.body):
        return False
    return is_name(judge.ledger, block.text)


def is_name(ledger: Ledger, text: str) -> bool:
    """Tell whether a line without a number can be the name of a condition: no question, no advice, no other topic."""
    text = text.strip()
    if text[-1:] in _NO_NAME_ENDS or word_count(text) > _NAME_WORDS:
        return False
    line, words = text.rstrip(LABEL_MARKS), ledger.words
    if words.fills("name.no", line) or words.opens("name.no_start", line) or words.within("list.topic", line):
        return False
    if words.fills("label.other", line) or words.fills("label.treatment", line):
        return False
    return not words.within("list.other", line) or words.within("name.condition", line)


def _of_part(judge: _Judge, part: Part) -> Element:
    head = part.head or 0
    block = judge.ledger.blocks[head]
    body = part.below()
    name, start = split_name(block)
    if body and block.kind != Kind.HEADING:
        # "Migraine: more than a headache" above a paragraph of its own is a name as a whole.
        name, start = block.text, len(block.text)
    return Element(head, name, start, body)


def _elements(judge: _Judge, body: list[int], openers: list[int]) -> list[Element]:
    """Return the elements that blocks open, each with what follows it up to the next or the end of the list."""
    blocks = judge.ledger.blocks
    starts = [bisect_left(body, at) for at in openers]
    elements = []
    for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
        name, text_start = split_name(blocks[body[start]])
        following = body[start + 1 : end]
        block = blocks[body[start]]
        if text_start < len(block.text) and following and len(block.text) <= 120 and block.text[-1].isalnum():
            name, text_start = block.text, len(block.text)
        elements.append(Element(body[start], name, text_start, following))
    last = elements[-1]
    if len(elements) > 1 and not any(_goes_on(blocks, element) for element in elements[:-1]):
        last.body = _tight(blocks, last)
    return elements


def _goes_on(blocks: tuple[Block, ...], element: Element) -> bool:
    return any(blocks[at].depth == 0 and blocks[at].kind != Kind.PICTURE for at in element.body)


def _tight(blocks: tuple[Block, ...], element: Element) -> list[int]:
    """Return what belongs to the last of a list whose other elements are one block: what is nested in it."""
    head = blocks[element.head]
    inner: list[int] = []
    for at in element.body:
        block = blocks[at]
        if block.depth <= head.depth and (block.kind == Kind.ITEM or block.depth == 0 or not head.depth):
            break
        inner.append(at)
    return inner


def _openers(judge: _Judge, body: list[int]) -> Iterator[list[int]]:
    """Yield the blocks of a part that each open with a name: in bold, as an item, or run in."""
    blocks, ledger = judge.ledger.blocks, judge.ledger
    bold = [at for at in body if blocks[at].bold_start and blocks[at].kind in (Kind.PARAGRAPH, Kind.ITEM)]
    bold = [at for at in bold if _opens_with_name(ledger, at)]
    if len(bold) >= 2:
        yield bold
    depths = [blocks[at].depth for at in body if blocks[at].kind == Kind.ITEM]
    top = min(depths, default=0)
    items = [at for at in body if blocks[at].kind == Kind.ITEM and blocks[at].depth == top]
    if len(items) >= _UNNUMBERED_MIN and all(_opens_with_name(ledger, at) for at in items):
        yield items
    paragraphs = [at for at in body if blocks[at].kind == Kind.PARAGRAPH]
    paragraphs = [at for at in paragraphs if not opens_treatment(blocks[at], ledger.words)]
    run_in = [at for at in paragraphs if _runs_in(ledger, at)]
    if len(run_in) >= _UNNUMBERED_MIN:
        span = [at for at in paragraphs if run_in[0] <= at <= run_in[-1]]
        if len(run_in) >= 0.6 * len(span):
            yield run_in


def _opens_with_name(ledger: Ledger, at: int) -> bool:
    block, words = ledger.blocks[at], ledger.words
    name, _start = split_name(block)
    if not name or not is_name(ledger, name):
        return False
    return not words.fills("label.treatment", name) and not words.fills("label.other", name)


def _runs_in(ledger: Ledger, at: int) -> bool:
    block = ledger.blocks[at]
    name, start = split_name(block)
    return (
        0 < word_count(name) <= 6
        and name[0].isupper() | (word_count(name) != len(name.split()))
        and len(block.text) - start >= _RUN_IN_LENGTH
        and _opens_with_name(ledger, at)
    )


# --- Tables ---


def _table(judge: _Judge, part: Part) -> Series | None:
    """Return the rows of a table whose first line says that it lists conditions."""
    blocks, words = judge.ledger.blocks, judge.ledger.words
    rows = [at for at in part.body if blocks[at].kind == Kind.ROW]
    if len(rows) < 3:
        return None
    header = [cell.strip() for cell in blocks[rows[0]].text.split(" | ")]
    if not words.fills("list.column", header[0].strip(LABEL_MARKS)):
        return None
    elements = [_of_row(judge, at, header) for at in rows[1:]]
    last = max(element.head for element in elements)
    inside = [at for at in part.body if rows[0] < at < last and blocks[at].kind != Kind.ROW]
    if inside or not all(element.name for element in elements):
        return None
    return Series(part, elements, is_numbered=False, header=rows[0])


def _of_row(judge: _Judge, at: int, header: list[str]) -> Element:
    block, words = judge.ledger.blocks[at], judge.ledger.words
    name, start = split_name(block)
    cells: list[Passage] = []
    place = start
    for number, cell in enumerate(block.text.split(" | ")[1:], 1):
        heading = header[number] if number < len(header) else ""
        is_treatment = words.fills("label.treatment", heading.strip(LABEL_MARKS))
        cells.append(Passage(at, place, Role.TREATMENT if is_treatment else Role.ENTRY_TEXT))
        place += len(cell) + 3
    return Element(at, name, start, cells=tuple(cells))


# --- Is it one? ---


def _accepts(judge: _Judge, series: Series, found: list[Series]) -> bool:
    """Judge a list, and note how sure that is; one that nearly was a list of conditions is kept among the refused."""
    ledger, words = judge.ledger, judge.ledger.words
    above = _above(judge, series)
    if words.within("list.never", above) or words.within("list.never", judge.title):
        return False
    if not _are_named_and_told(judge, series) or not _is_about_health(judge, series):
        return False
    elements = series.elements
    says = judge.title_says if series.part.head is None else verdict(above, words)
    says = verdict(ledger.blocks[elements[0].head].marker, words) or says
    treated = sum(_treats(judge, element) for element in elements)
    is_treated_each = treated >= 2 and treated * 2 > len(elements)
    is_counted = len(elements) + sum(len(other.elements) for other in found) in judge.counts
    verdict_ = _weigh(judge, series, says, is_treated_each, is_counted, bool(found))
    if verdict_ is None:
        if says > 0 or judge.title_says > 0 or treated:
            judge.refused.append(series)
        return False
    series.sure, series.why = verdict_
    if treated * 2 < len(elements):
        learn_label(ledger, [element.stretches(ledger.blocks) for element in elements])
    return True


def _weigh(
    judge: _Judge, series: Series, says: int, is_treated_each: bool, is_counted: bool, is_more: bool
) -> tuple[Sure, str] | None:
    """Return how sure it is that a list is of conditions and what speaks for it, None if too little does."""
    title_says, elements = judge.title_says, series.elements
    announced = judge.title_says > 0 and is_counted
    if title_says < 0 or says < 0:
        # "How to treat 8 causes of …" is a list of conditions only if it tells their treatments.
        told = judge.ledger.words.within("list.conditions", _above(judge, series) + " " + judge.title)
        told = told and (is_treated_each or says > 0)
        return (Sure.LIKELY, _("each with a treatment")) if told and is_treated_each else _by_heading(judge, says, told)
    if series.is_numbered:
        if is_treated_each:
            return (Sure.SURE, _("numbered, most with a treatment"))
        if says > 0 and not judge.is_about_one:
            return (Sure.SURE, _("numbered, and announced as causes"))
        if announced:
            return (Sure.SURE, _("as many as the title says"))
        return _by_title(judge, series, says, is_more)
    names = [element.name for element in elements]
    diseases = sum(1 for name in names if _is_disease(judge, name))
    if is_treated_each and len(elements) >= _UNNUMBERED_MIN:
        return (Sure.SURE if says > 0 else Sure.LIKELY, _("most with a treatment"))
    if announced and len(elements) >= 2:
        return (Sure.SURE, _("as many as the title says"))
    if judge.is_about_one or (is_more and judge.counts and not is_treated_each):
        return None
    enough = len(elements) >= _UNNUMBERED_MIN or (len(elements) >= 2 and series.part.about == About.CONDITIONS)
    is_clear = diseases * 2 >= len(names)
    if series.part.head is None and not series.groups:
        enough = enough and diseases * 3 >= len(names)
    if says > 0 and enough and (is_clear or not _has_labels_beside(judge, series)):
        return (Sure.LIKELY if is_clear else Sure.UNSURE, _("under a heading that announces causes"))
    if by_title := _by_title(judge, series, says, is_more):
        return by_title
    kinds = judge.ledger.words.within("list.kinds", judge.title) or judge.ledger.words.within(
        "list.kinds", _above(judge, series)
    )
    if kinds and enough and diseases * 3 >= 2 * len(names):
        return (Sure.LIKELY, _("names of illnesses"))
    return None


def _by_title(judge: _Judge, series: Series, says: int, is_more: bool) -> tuple[Sure, str] | None:
    """Believe the title of a list under a heading that says nothing ("The usual suspects"), if it is the first."""
    silent = says == 0 and judge.title_says > 0 and not is_more and not judge.is_about_one
    if not silent or len(series.elements) < _UNNUMBERED_MIN or _has_labels_beside(judge, series):
        return None
    names = [element.name for element in series.elements]
    named = sum(is_name(judge.ledger, name) for name in names)
    diseases = sum(_is_disease(judge, name) for name in names)
    if named * 5 >= 4 * len(names) and diseases * 3 >= len(names):
        return (Sure.LIKELY, _("announced by the title"))
    return None


def _by_heading(judge: _Judge, says: int, told: bool) -> tuple[Sure, str] | None:
    """Believe a heading above a list where the title names something else before the causes: "Symptoms and causes"."""
    names_both = judge.ledger.words.within("list.conditions", judge.title)
    if says > 0 and told and names_both and not judge.is_about_one:
        return (Sure.UNSURE, _("under a heading that announces causes"))
    return None


def _has_labels_beside(judge: _Judge, series: Series) -> bool:
    """Tell whether parts for symptoms and treatment stand beside the list: then it may be about one condition."""
    labels = [
        part
        for part in series.part.parts
        if part.head is not None and is_label(judge.ledger.blocks[part.head], judge.ledger.words)
    ]
    return len(labels) >= 2


def _above(judge: _Judge, series: Series) -> str:
    head = series.part.head
    return judge.title if head is None else judge.ledger.text(head)


def _treats(judge: _Judge, element: Element) -> bool:
    if element.cells:
        return any(cell.role == Role.TREATMENT for cell in element.cells)
    if element.head not in judge.treated:
        judge.treated[element.head] = is_treated(judge.ledger, element.stretches(judge.ledger.blocks))
    return judge.treated[element.head]


def _are_named_and_told(judge: _Judge, series: Series) -> bool:
    names = [key(element.name) for element in series.elements]
    told = sum(1 for element in series.elements if element.cells or element.stretches(judge.ledger.blocks))
    asked = sum(1 for element in series.elements if judge.ledger.text(element.head).rstrip()[-1:] in _QUESTION_MARKS)
    return all(names) and asked * 2 <= len(names) and len(set(names)) == len(names) and told * 2 >= len(names)


def _is_about_health(judge: _Judge, series: Series) -> bool:
    """Tell whether half of the elements speak of the body or of illness, more than once or under a treatment."""
    ledger = judge.ledger

    def speaks_of_it(element: Element) -> bool:
        if _treats(judge, element) or _is_disease(judge, element.name):
            return True
        text = " ".join(ledger.text(at) for at in [element.head, *element.body[:20]])
        return ledger.words.count("list.health", text) >= _HEALTH_WORDS

    looked_at = series.elements[:_ELEMENTS]
    return sum(map(speaks_of_it, looked_at)) * 2 >= len(looked_at)


def _is_disease(judge: _Judge, name: str) -> bool:
    return judge.ledger.words.within("name.condition", name)

"""Writes blocks as the little HTML that drafts hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from itertools import groupby

from publishing.richtext import clean

from .blocks import Block, Kind, Style

# The outermost first.
_NESTING = (Style.LINK, Style.STRONG, Style.EM, Style.SUB, Style.SUP)
_SCHEMES = ("http://", "https://", "mailto:", "tel:")
_DEEPEST = 6


@dataclass(slots=True)
class _Item:
    block: Block
    inner: list[_Item | Block] = field(default_factory=list)


def to_html(blocks: Iterable[Block]) -> str:
    """Return paragraphs as ``<p>``, lists as ``<ul>`` and ``<ol>``, headings as ``<h3>`` and ``<h4>``.

    What was only taken as a heading by its look is a bold paragraph; the cells of a table's row are a list item. Links
    lead to addresses that are whole. Every word of every block is in it, and nothing that the sanitiser would change.
    """
    written = [block for block in blocks if block.text.strip()]
    top = min((block.level for block in written if block.level), default=0)
    parts: list[str] = []
    for form, group in groupby(written, key=_form):
        run = list(group)
        if form == "list":
            parts += _list(_items(run))
        elif form == "rows":
            parts.append(f"<ul>{''.join(f'<li>{_cells(block)}</li>' for block in run)}</ul>")
        elif form == "quote":
            parts.append(f"<blockquote>{''.join(map(_paragraph, run))}</blockquote>")
        else:
            parts += [_heading(block, top) if block.level else _paragraph(block) for block in run]
    return "".join(parts)


def _form(block: Block) -> str:
    if block.kind == Kind.ROW:
        return "rows"
    if block.kind == Kind.QUOTE:
        return "quote"
    if block.level or block.kind == Kind.PICTURE:
        return ""
    return "list" if block.kind == Kind.ITEM or block.number is not None or block.depth else ""


def _items(blocks: list[Block]) -> list[_Item | Block]:
    """Put each item into the one it is nested in, and its further paragraphs with it."""
    top: list[_Item | Block] = []
    open_items: list[tuple[int, _Item]] = []
    for block in blocks:
        depth = max(1, min(block.depth, _DEEPEST))
        is_item = block.kind == Kind.ITEM or block.number is not None
        while open_items and (open_items[-1][0] >= depth if is_item else open_items[-1][0] > depth):
            open_items.pop()
        around = open_items[-1][1].inner if open_items else top
        if is_item:
            item = _Item(block)
            around.append(item)
            open_items.append((depth, item))
        else:
            around.append(block)
    return top


def _list(items: list[_Item | Block]) -> Iterator[str]:
    for form, group in groupby(items, key=_list_form):
        run = list(group)
        nested = [item for item in run if isinstance(item, _Item)]
        if form == "ul" or (form == "ol" and _counts_from_one(nested)):
            yield f"<{form}>{''.join(map(_list_item, nested))}</{form}>"
            continue
        for each in run:
            yield _paragraph(each.block if isinstance(each, _Item) else each)
            yield from _list(each.inner) if isinstance(each, _Item) else ()


def _list_form(item: _Item | Block) -> str:
    if isinstance(item, Block):
        return "p"
    return "ul" if item.block.number is None else "ol"


def _counts_from_one(items: list[_Item]) -> bool:
    # A list that starts elsewhere keeps its numbers as text: a sanitiser may drop ``start``.
    return len(items) > 1 and [item.block.number for item in items] == list(range(1, len(items) + 1))


def _list_item(item: _Item) -> str:
    text = _marked(item.block)
    if any(isinstance(each, Block) for each in item.inner):
        text = f"<p>{text}</p>"
    return f"<li>{text}{''.join(_list(item.inner))}</li>"


def _heading(block: Block, top: int) -> str:
    name = "h3" if block.level == top else "h4"
    return f"<{name}>{_marker(block)}{_marked(block, bold=False)}</{name}>"


def _paragraph(block: Block) -> str:
    if block.kind == Kind.HEADING:
        return f"<p><strong>{_marker(block)}{_marked(block, bold=False)}</strong></p>"
    return f"<p>{_marker(block)}{_marked(block)}</p>"


def _marker(block: Block) -> str:
    return f"{_escaped(block.marker)} " if block.marker else ""


def _cells(block: Block) -> str:
    return _marker(block) + _marked(block).replace(" | ", " — ")


def _marked(block: Block, *, bold: bool = True) -> str:
    """Return the text with its marks, none of which is open across the end of another."""
    text = block.text
    marks = [
        mark
        for mark in block.marks
        if mark.start < mark.end
        and (bold or mark.style != Style.STRONG)
        and (mark.style != Style.LINK or _link(mark.href))
    ]
    changes: dict[int, list[tuple[bool, Style, str]]] = {0: [], len(text): []}
    for mark in marks:
        changes.setdefault(min(mark.start, len(text)), []).append((True, mark.style, mark.href))
        changes.setdefault(min(mark.end, len(text)), []).append((False, mark.style, mark.href))
    active: dict[Style, list[str]] = {style: [] for style in _NESTING}
    opened: list[tuple[Style, str]] = []
    parts: list[str] = []
    places = sorted(changes)
    for place, after in zip(places, [*places[1:], len(text)], strict=True):
        for begins, style, href in sorted(changes[place], key=lambda change: change[0]):
            if begins:
                active[style].append(href)
            elif href in active[style]:
                active[style].remove(href)
        wanted = [(style, active[style][-1]) for style in _NESTING if active[style]]
        same = 0
        while same < min(len(opened), len(wanted)) and opened[same] == wanted[same]:
            same += 1
        parts += [f"</{style}>" for style, _href in reversed(opened[same:])]
        if place < len(text):
            parts += [_start(style, href) for style, href in wanted[same:]]
            opened = wanted
            parts.append(_escaped(text[place:after]))
        else:
            parts += [f"</{style}>" for style, _href in reversed(opened[:same])]
    return "".join(parts)


def _start(style: Style, href: str) -> str:
    return _link(href) if style == Style.LINK else f"<{style}>"


@lru_cache(maxsize=1000)
def _link(href: str) -> str:
    """Return the start of a link to an address; empty if it is not whole, or the sanitiser would not have it."""
    start = f'<a href="{escape(href)}">'
    return (
        start if href.lower().startswith(_SCHEMES) and clean(f"<p>{start}x</a></p>") == f"<p>{start}x</a></p>" else ""
    )


def _escaped(text: str) -> str:
    return escape(text, quote=False).replace("\u00a0", "&nbsp;")

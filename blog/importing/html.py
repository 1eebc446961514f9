"""Writes blocks as the little HTML that drafts hold."""

from collections.abc import Iterable
from html import escape
from itertools import groupby

from .blocks import Block, Kind


def to_html(blocks: Iterable[Block]) -> str:
    """Return paragraphs as ``<p>``, lists as ``<ul>`` and ``<ol>``, headings in bold."""
    parts: list[str] = []
    for form, group in groupby(blocks, key=_form):
        run = list(group)
        if form == "ul" or (form == "ol" and _counts_from_one(run)):
            items = "".join(f"<li>{escape(block.text, quote=False)}</li>" for block in run)
            parts.append(f"<{form}>{items}</{form}>")
        else:
            parts += [_paragraph(block) for block in run]
    return "".join(parts)


def _form(block: Block) -> str:
    if block.number is not None:
        return "ol"
    return "ul" if block.kind == Kind.ITEM else "p"


def _counts_from_one(run: list[Block]) -> bool:
    # A list that starts elsewhere keeps its numbers as text: a sanitiser may drop ``start``.
    return len(run) > 1 and [block.number for block in run] == list(range(1, len(run) + 1))


def _paragraph(block: Block) -> str:
    text = escape(block.as_written, quote=False)
    return f"<p><strong>{text}</strong></p>" if block.kind == Kind.HEADING else f"<p>{text}</p>"

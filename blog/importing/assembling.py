"""Puts the pieces of an article together: what was found, and what an editor corrected, in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from .blocks import Block, Kind, SourceArticle
from .facts import date_in, names_in, origin_as_written, origin_of, reference_of, tags_in, with_address
from .html import to_html
from .language import Words, words_for
from .passages import NAME_LENGTH
from .result import (
    ArticleKind,
    Entry,
    Origin,
    Piece,
    PlacedPicture,
    Reason,
    Reference,
    Role,
    Section,
    Sign,
    Structure,
    Tip,
    Urgency,
)

_ACRONYM = re.compile(r"\w*[A-Z0-9]\w*[A-Z0-9]\w*")
_AROUND_NAME = " \t\u00a0:：–—-|.。;；"  # noqa: RUF001
_ENDS_PARTS = {
    Role.TITLE,
    Role.ENTRIES_HEADING,
    Role.TIPS_HEADING,
    Role.SIGNS_HEADING,
    Role.SECTION_HEADING,
    Role.CONCLUSION_HEADING,
    Role.REFERENCES_HEADING,
}
# Roles whose text is a list of blocks, and headings of which there is one.
_TEXTS = (Role.INTRO, Role.TIPS_INTRO, Role.SIGNS_INTRO, Role.NOTE, Role.CONCLUSION)
_NAMES = (Role.ENTRY, Role.TIP, Role.GROUP, Role.SECTION_HEADING)


@dataclass(slots=True)
class _Entry:
    heading: str
    group: str
    text: list[Block] = field(default_factory=list)
    treatment: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class _Texted:
    """A tip or a section while it grows."""

    name: str
    text: list[Block] = field(default_factory=list)


class _Assembling:
    """The structure while it grows, piece by piece."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.texts: dict[Role, list[Block]] = {role: [] for role in _TEXTS}
        self.headings: dict[Role, list[str]] = {role: [] for role in _ENDS_PARTS}
        self.entries: list[_Entry] = []
        self.tips: list[_Texted] = []
        self.signs: list[Sign] = []
        self.sections: list[_Texted] = []
        self.group = ""
        self.group_is_used = True
        self.section_is_open = False
        self.place = ""
        self.origin: Origin | None = None
        self.references: list[Reference] = []
        self.pictures: list[PlacedPicture] = []
        self.captions: list[str] = []
        self.authors: list[str] = []
        self.dates: list[str] = []
        self.tags: list[str] = []

    def add(self, role: Role, block: Block, urgency: Urgency | None) -> None:
        """Add a piece, as a block of its own, to what came before it."""
        if block.picture:
            self.pictures.append(PlacedPicture(block.picture, self.place))
            if role == Role.PICTURE:
                return
        if not block.text.strip():
            return
        if role not in (Role.SECTION, Role.PICTURE):
            self.section_is_open = False
        if role in _ENDS_PARTS:
            self.close_group()
            self.place = ""
        if role in self.texts:
            self.texts[role].append(block)
            self.place = "" if role != Role.INTRO else self.place
        elif role == Role.SECTION_HEADING:
            self.open_section(block.as_written)
        elif role in self.headings:
            self.headings[role].append(block.as_written if role == Role.TITLE else block.text)
        else:
            self.add_part(role, block, urgency)

    def add_part(self, role: Role, block: Block, urgency: Urgency | None) -> None:
        if role == Role.GROUP:
            self.close_group()
            self.group, self.group_is_used = block.text.strip(_AROUND_NAME) or block.text, False
        elif role == Role.ENTRY:
            self.group_is_used = True
            self.entries.append(_Entry(_name(block), self.group))
            self.place = f"entry:{len(self.entries)}"
        elif role in (Role.ENTRY_TEXT, Role.TREATMENT):
            self.add_to_entry(role, block)
        elif role in (Role.TIP, Role.TIP_TEXT):
            self.add_to_tips(role, block)
        elif role == Role.SIGN:
            self.place = ""
            self.signs.append(Sign(block.text, urgency or Urgency.SEE_A_DOCTOR))
        elif role == Role.SECTION:
            if not self.section_is_open:
                self.open_section("")
            self.sections[-1].text.append(block)
        else:
            self.add_fact(role, block)

    def add_to_entry(self, role: Role, block: Block) -> None:
        if not self.entries:
            self.texts[Role.INTRO].append(block)
        elif role == Role.TREATMENT:
            self.entries[-1].treatment.append(block)
        else:
            self.entries[-1].text.append(block)

    def add_to_tips(self, role: Role, block: Block) -> None:
        self.place = ""
        if role == Role.TIP:
            name = _name(block)
            is_text = len(name) > NAME_LENGTH
            self.tips.append(_Texted("" if is_text else name, [_as_paragraph(block)] if is_text else []))
        elif self.tips:
            self.tips[-1].text.append(block)
        else:
            self.texts[Role.TIPS_INTRO].append(block)

    def add_fact(self, role: Role, block: Block) -> None:
        if role == Role.ORIGIN:
            self.add_origin(block)
        elif role == Role.REFERENCE:
            self.references.append(reference_of(block))
        elif role == Role.PICTURE:
            self.captions.append(block.text)
        elif role == Role.AUTHOR:
            self.authors += names_in(block.text.rstrip(". "), self.words) or [block.text]
            self.dates.append(block.text)
        elif role == Role.DATE:
            self.dates.append(block.text)
        elif role == Role.TAGS:
            self.tags += tags_in(block.text, self.words)

    def add_origin(self, block: Block) -> None:
        found = origin_of(block, self.words) or origin_as_written(block)
        if self.origin is None:
            self.origin = found
        elif found.name not in self.origin.name:
            self.origin = replace(self.origin, name=f"{self.origin.name}; {found.name}")

    def open_section(self, heading: str) -> None:
        self.sections.append(_Texted(heading))
        self.section_is_open = True
        self.place = f"section:{len(self.sections)}"

    def close_group(self) -> None:
        """Keep a heading of a group that no condition stands under."""
        if not self.group_is_used:
            self.sections.append(_Texted(self.group))
        self.group, self.group_is_used = "", True

    def heading(self, role: Role) -> str:
        return " – ".join(dict.fromkeys(self.headings[role]))  # noqa: RUF001


def assemble(article: SourceArticle, pieces: Iterable[Piece], language: str) -> Structure:
    """Put the pieces of an article together.

    Takes pieces in any order of roles, as found or as corrected: each goes on with what stands before it, and every
    word of a piece that has a role is in the structure. What the source says beside the text (authors, dates, tags)
    is believed before what the text says. Raises nothing.
    """
    growing = _Assembling(words_for(language))
    captions = []
    previous: Piece | None = None
    for piece in pieces:
        block = article.blocks[piece.block]
        if piece.role is not None:
            growing.add(piece.role, _piece_as_block(block, piece, previous), piece.urgency)
        elif piece.reason == Reason.CAPTION:
            captions.append(block.text)
        previous = piece
    growing.close_group()
    growing.captions = captions + growing.captions
    return _with_meta(_structure(growing), article, growing)


def _piece_as_block(block: Block, piece: Piece, previous: Piece | None) -> Block:
    """Return the text of a piece as a block: of the kind of its own block, or a paragraph behind a name."""
    is_whole = piece.start == 0 and piece.end >= len(block.text)
    if is_whole:
        return block
    cut = block.cut(piece.start, piece.end)
    if piece.start == 0:
        return cut
    cut = replace(cut, picture=None)
    behind_label = previous is not None and previous.block == piece.block and previous.start == 0 and not previous.role
    if behind_label and block.kind == Kind.ITEM and block.number is None:
        return cut
    return replace(cut, kind=Kind.PARAGRAPH, marker="", number=None, level=0, depth=0)


def _as_paragraph(block: Block) -> Block:
    return replace(block, kind=Kind.PARAGRAPH, marker="", number=None, level=0, depth=0)


def _name(block: Block) -> str:
    return block.text.strip(_AROUND_NAME) or block.text


def _html(blocks: Sequence[Block]) -> str:
    """Return the blocks as HTML; a line that only looks like a heading is none if nothing stands under it."""
    written: list[Block] = []
    for place, block in enumerate(blocks):
        below = blocks[place + 1] if place + 1 < len(blocks) else None
        by_look = block.kind == Kind.HEADING and block.level == 0 and block.number is None
        if by_look and (below is None or (below.kind == Kind.HEADING and below.level == 0)):
            block = replace(block, kind=Kind.PARAGRAPH)
        written.append(block)
    return to_html(written)


def _structure(growing: _Assembling) -> Structure:
    texts = {role: _html(blocks) for role, blocks in growing.texts.items()}
    title = growing.heading(Role.TITLE)
    return Structure(
        kind=ArticleKind.CONDITIONS if growing.entries else ArticleKind.PLAIN,
        title=title,
        intro=texts[Role.INTRO],
        entries_heading=growing.heading(Role.ENTRIES_HEADING),
        entries=tuple(
            Entry(entry.heading, _html(entry.text), _html(entry.treatment), entry.group) for entry in growing.entries
        ),
        tips_heading=growing.heading(Role.TIPS_HEADING),
        tips_intro=texts[Role.TIPS_INTRO],
        tips=tuple(Tip(tip.name, _html(tip.text)) for tip in growing.tips),
        signs_heading=growing.heading(Role.SIGNS_HEADING),
        signs_intro=texts[Role.SIGNS_INTRO],
        signs=tuple(growing.signs),
        note=texts[Role.NOTE],
        sections=tuple(Section(section.name, _html(section.text)) for section in growing.sections),
        conclusion_heading=growing.heading(Role.CONCLUSION_HEADING),
        conclusion=texts[Role.CONCLUSION],
        origin=growing.origin,
        references_heading=growing.heading(Role.REFERENCES_HEADING),
        references=tuple(growing.references),
        picture_captions=tuple(growing.captions),
    )


def _with_meta(structure: Structure, article: SourceArticle, growing: _Assembling) -> Structure:
    meta = article.meta
    title = structure.title or meta.title
    lead = [PlacedPicture(meta.picture, "lead")] if meta.picture else []
    pictures = [*lead, *growing.pictures]
    if pictures and not lead and pictures[0].place == "":
        pictures[0] = replace(pictures[0], place="lead")
    by_source = {placed.picture.source: placed for placed in reversed(pictures)}
    dates = (date_in(text, growing.words) for text in growing.dates)
    return replace(
        structure,
        title=title,
        origin=with_address(structure.origin, meta.url) if structure.origin else None,
        topic=find_topic(title, growing.words) if structure.entries else "",
        pictures=tuple(reversed(by_source.values())),
        authors=meta.authors or tuple(dict.fromkeys(growing.authors)),
        published=meta.published or next(filter(None, dates), None),
        tags=tuple(dict.fromkeys([*meta.tags, *growing.tags])),
        url=meta.url,
        paths=meta.paths,
    )


def find_topic(title: str, words: Words) -> str:
    """Return what the conditions cause, as the title says: "back pain and leg weakness", or ""."""
    topic = words.after("list.topic", title)
    topic = words.before("list.topic_end", topic).strip(" .,")
    return " ".join(w if _ACRONYM.fullmatch(w) else w.lower() for w in topic.split())

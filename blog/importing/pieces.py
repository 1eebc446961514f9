"""Cuts the blocks of an article into pieces and tells what each of them is; takes an editor's corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from .blocks import Block, Kind, SourceArticle
from .entries import Series, find_series
from .furniture import leave_strays, set_aside, take_title
from .language import Words
from .ledger import Ledger, Remark
from .parts import OF_THE_WHOLE, About, Part, about, is_label, numbered_runs, outline
from .passages import NAME_LENGTH, Element, Passage, passages, split_name
from .result import Piece, Reason, Role, Sure, Urgency

LEAVE = "leave"


class CorrectedRole(TypedDict, total=False):
    """What an editor took a piece for: a role or "leave", and the urgency of a warning sign or ""."""

    role: str
    urgency: str


class Corrections(TypedDict, total=False):
    """What an editor corrected, as it is kept in JSON: ``{"cuts": {"4": [17]}, "roles": {"4.0": {"role": "entry"}}}``.

    ``cuts`` names blocks by their place in the article, from 0, and the characters at which they are cut instead of
    where the finder would; the pieces that this makes keep what was found for their first character. ``roles`` names
    pieces by their key, "<block>.<start>". What names no block or piece says nothing.
    """

    cuts: dict[str, list[int]]
    roles: dict[str, CorrectedRole]


def find_pieces(article: SourceArticle, language: str) -> tuple[tuple[Piece, ...], list[Remark]]:
    """Tell what every stretch of an article's blocks is.

    Takes the article and its language. Returns pieces that cover every block, in order, and remarks on what is
    unsure.
    """
    ledger = Ledger(article, language)
    content, origin = set_aside(ledger)
    title, content = take_title(ledger, content, origin)
    content = leave_strays(ledger, content, title)
    for at in content:
        if ledger.blocks[at].kind == Kind.PICTURE:
            ledger.take(at, Role.PICTURE)
    content = [at for at in content if not ledger.is_decided(at)]
    content, closing = _split_closing(ledger, content)
    whole = outline(ledger, content)
    found, refused = find_series(ledger, whole, title)
    finder = _Finder(ledger, found)
    finder.take_whole(whole)
    for at in closing:
        ledger.take(at, Role.CONCLUSION)
    finder.remark(whole, title, refused)
    return ledger.pieces(), ledger.remarks


def correct(pieces: Sequence[Piece], blocks: Sequence[Block], corrections: Mapping[str, Any]) -> tuple[Piece, ...]:
    """Return the pieces as an editor corrected them. What makes no sense is passed over."""
    cuts, roles = corrections.get("cuts") or {}, corrections.get("roles") or {}
    by_block: dict[int, list[Piece]] = {}
    for piece in pieces:
        by_block.setdefault(piece.block, []).append(piece)
    corrected: list[Piece] = []
    for at, found in by_block.items():
        length = len(blocks[at].text)
        given = cuts.get(str(at))
        if isinstance(given, list):
            starts = sorted({0, *(start for start in given if isinstance(start, int) and 0 < start < length)})
            found = [_cut_out(found, start, end) for start, end in zip(starts, [*starts[1:], length], strict=True)]
        corrected += [_as_corrected(piece, roles.get(piece.key)) for piece in found]
    return tuple(corrected)


def _cut_out(found: list[Piece], start: int, end: int) -> Piece:
    was = next((piece for piece in reversed(found) if piece.start <= start), found[0])
    return replace(was, start=start, end=end)


def _as_corrected(piece: Piece, said: Any) -> Piece:
    if not isinstance(said, dict):
        return piece
    sure, why = Sure.SURE, _("said by an editor")
    if said.get("role") == LEAVE:
        return replace(piece, role=None, urgency=None, reason=Reason.EDITOR, sure=sure, why=why)
    try:
        role = Role(said["role"])
    except (KeyError, ValueError, TypeError):
        return piece
    urgency = None
    if role == Role.SIGN:
        known = said.get("urgency") or piece.urgency
        urgency = Urgency(known) if known in Urgency.values else Urgency.SEE_A_DOCTOR
    return replace(piece, role=role, urgency=urgency, reason=None, sure=sure, why=why)


def propose_urgency(text: str, words: Words) -> Urgency:
    """Propose how urgent a warning sign is, from its wording; an editor confirms it."""
    if words.within("urgency.emergency", text):
        return Urgency.EMERGENCY
    return Urgency.URGENT if words.within("urgency.urgent", text) else Urgency.SEE_A_DOCTOR


def _split_closing(ledger: Ledger, content: list[int]) -> tuple[list[int], list[int]]:
    """Return the content without, and only, the last paragraphs that say "In conclusion, …" under no heading."""
    blocks, words = ledger.blocks, ledger.words
    heads = [at for at in content if blocks[at].kind == Kind.HEADING and len(blocks[at].text) <= NAME_LENGTH]
    if any(about(blocks[at].text, words) == About.CONCLUSION for at in heads):
        return content, []
    start = len(content)
    while start and blocks[content[start - 1]].kind == Kind.PARAGRAPH:
        start -= 1
    for place in range(start, len(content)):
        if words.opens("heading.closing", blocks[content[place]].text[:NAME_LENGTH]):
            return content[:place], content[place:]
    return content, []


class _Finder:
    """Takes the parts of an article for what they are, in order."""

    def __init__(self, ledger: Ledger, found: list[Series]) -> None:
        self.ledger, self.blocks, self.words = ledger, ledger.blocks, ledger.words
        self.found = found
        self.series = {id(series.part): series for series in found}
        self.groups = {id(group): series for series in found for group in series.groups}
        announcing = [series for series in found if series.part.about == About.CONDITIONS]
        self.is_grouped = len(announcing) > 1
        self.elements = {element.head: (element, series) for series in found for element in series.elements}
        self.with_entries = {*self.series, *self.groups}
        self.has = {About.TIPS: False, About.SIGNS: False, About.CONCLUSION: False}
        self.has_entries = self.has_tips = False
        self.sections: set[int] = set()

    def take_whole(self, whole: Part) -> None:
        self._mark_ancestors(whole)
        self.has_tips = any(part.about == About.TIPS for part in whole.all_parts())
        self._take_body(whole, Role.INTRO)
        self._take_parts(whole)

    def _mark_ancestors(self, whole: Part) -> None:
        for part in reversed(list(whole.all_parts())):
            if any(id(inner) in self.with_entries for inner in part.parts):
                self.with_entries.add(id(part))

    def _take_parts(self, part: Part) -> None:
        for inner in part.parts:
            if inner.head in self.elements:
                self._take_entry(*self.elements[inner.head])
            else:
                self._take_part(inner)

    def _take_part(self, part: Part) -> None:
        if id(part) in self.with_entries:
            self._take_head_above_entries(part)
            lead = Role.SECTION if self.has_entries or self._is_section(part) else Role.INTRO
            self._take_body(part, lead)
            self._take_parts(part)
        elif part.about in (About.SIGNS, About.TIPS) and self._take_list(part):
            return
        elif part.about == About.CONCLUSION and not self.has[About.CONCLUSION] and part.below():
            self.has[About.CONCLUSION] = True
            self._take(part.head, Role.CONCLUSION_HEADING)
            self._take_text(part, Role.CONCLUSION)
        elif part.about == About.REFERENCES and part.below():
            self._take(part.head, Role.REFERENCES_HEADING)
            for at in part.below():
                is_text = self.blocks[at].kind == Kind.HEADING
                self._take(at, Role.REFERENCES_HEADING if is_text and not self.blocks[at].linked else Role.REFERENCE)
        elif self._is_advice(part) and self._take_tips(part):
            return
        else:
            self._take(part.head, Role.SECTION_HEADING)
            self._take_text(part, Role.SECTION)

    def _is_advice(self, part: Part) -> bool:
        """Tell whether a list under "How to clear your head" is the tips of an article that has none by their name."""
        if part.head is None or not self.has_entries or self.has_tips or is_label(self.blocks[part.head], self.words):
            return False
        items = [at for at in part.below() if self.blocks[at].kind == Kind.ITEM]
        return len(items) > 1 and self.words.opens("heading.advice", self.ledger.text(part.head)) > 0

    def _take_list(self, part: Part) -> bool:
        """Take a part as warning signs or tips, if it holds a list; as tips only once, and beside conditions."""
        if part.about == About.SIGNS:
            return self._take_signs(part)
        return bool(self.found) and not self.has[About.TIPS] and self._take_tips(part)

    def _take(self, at: int | None, role: Role, sure: Sure = Sure.SURE, why: str = "") -> None:
        if at is not None:
            self.ledger.take(at, role, sure=sure, why=why)

    # --- Text ---

    def _take_body(self, part: Part, role: Role) -> None:
        """Take what stands directly under a heading: entries where it has them, else text with its warning signs."""
        series = self.series.get(id(part))
        series = self.groups.get(id(part), series)
        openers = [at for at in part.body if at in self.elements] if series else []
        if not series or not openers:
            self._take_lines(part.body, role)
            return
        first = part.body.index(openers[0])
        self._take_lines([at for at in part.body[:first] if at != series.header], role)
        if series.header is not None:
            self.ledger.leave(series.header, Reason.LABEL)
        in_entries = {openers[0]}
        for at in openers:
            element, _series = self.elements[at]
            in_entries |= {at, *element.body}
            self._take_entry(element, series)
        after = [at for at in part.body[first:] if at not in in_entries]
        self._take_lines(after, Role.SECTION)

    def _take_text(self, part: Part, role: Role) -> None:
        """Take all under a heading as its text, except for parts of the whole and numbered parts inside it."""
        self._take_lines(part.body, role)
        for inner in part.parts:
            is_apart = inner.about in (About.SIGNS, About.TIPS, About.REFERENCES, About.CONCLUSION)
            if is_apart or self._is_numbered(inner) or part.about == About.QUESTIONS:
                self._take_part(inner)
            else:
                self._take(inner.head, role)
                self._take_text(inner, role)

    def _is_numbered(self, part: Part) -> bool:
        return part.head is not None and self.blocks[part.head].number is not None

    def _take_lines(self, places: Sequence[int], role: Role) -> None:
        for at in places:
            self._take(at, role)

    # --- Entries ---

    def _take_head_above_entries(self, part: Part) -> None:
        if part.head is None:
            return
        series = self.series.get(id(part))
        if id(part) in self.groups or (series and part.about == About.CONDITIONS and self.is_grouped):
            self.ledger.take(part.head, Role.GROUP)
        elif part.about == About.CONDITIONS:
            self.ledger.take(part.head, Role.ENTRIES_HEADING)
        else:
            self.ledger.take(part.head, Role.SECTION_HEADING)

    def _is_section(self, part: Part) -> bool:
        return part.head is not None and part.about != About.CONDITIONS and id(part) not in self.groups

    def _take_entry(self, element: Element, series: Series) -> None:
        self.has_entries = True
        self.ledger.take(element.head, Role.ENTRY, sure=series.sure, why=series.why)
        stretches = element.stretches(self.blocks)
        found: Sequence[Passage] = element.cells or passages(self.ledger, stretches)
        for at, start, taken, sure in found:
            if isinstance(taken, Reason):
                self.ledger.leave(at, taken, start)
            else:
                self.ledger.take(at, taken, start, sure=sure)

    # --- Tips ---

    def _take_tips(self, part: Part) -> bool:
        elements, lead, after = self._tips_in(part)
        if not elements:
            return False
        self.has[About.TIPS] = self.has_tips = True
        self._take(part.head, Role.TIPS_HEADING)
        for at in lead:
            self._take(at, Role.TIPS_INTRO)
        for element in elements:
            self._take(element.head, Role.TIP)
            if 0 < element.text_start < len(self.blocks[element.head].text):
                self.ledger.take(element.head, Role.TIP_TEXT, element.text_start)
            for at in element.body:
                self._take(at, Role.TIP_TEXT)
        for at in after:
            self._take(at, Role.SECTION)
        last = elements[-1].body
        if last and not any(element.body for element in elements[:-1]):
            self.ledger.remark(
                last[0],
                _("Line %(line)d: what follows the last tip was added to it; it may concern them all.")
                % {"line": self.blocks[last[0]].line},
            )
        return True

    def _tips_in(self, part: Part) -> tuple[list[Element], list[int], list[int]]:
        """Return the tips of a part, what stands above them, and parts that are something else."""
        headed = [inner for inner in part.parts if inner.about not in OF_THE_WHOLE or inner.about == About.TIPS]
        if len(headed) > 1:
            elements = [self._tip(inner.head or 0, inner.below()) for inner in headed]
            others = [at for inner in part.parts if inner not in headed for at in [inner.head or 0, *inner.below()]]
            return elements, part.body, others
        body = part.below()
        openers = self._tip_openers(body)
        if not openers:
            return [], [], []
        places = {at: place for place, at in enumerate(body)}
        ends = [*(places[at] for at in openers[1:]), len(body)]
        elements = [self._tip(at, body[places[at] + 1 : end]) for at, end in zip(openers, ends, strict=True)]
        return elements, body[: places[openers[0]]], []

    def _tip_openers(self, body: list[int]) -> list[int]:
        runs = [run for run in numbered_runs(self.blocks, body) if len(run) > 1]
        if runs:
            return runs[0]
        items = [at for at in body if self.blocks[at].kind == Kind.ITEM]
        if items:
            depth = min(self.blocks[at].depth for at in items)
            return [at for at in items if self.blocks[at].depth == depth]
        bold = [at for at in body if 0 < self.blocks[at].bold_start < len(self.blocks[at].text)]
        return bold if len(bold) > 1 else []

    def _tip(self, head: int, body: list[int]) -> Element:
        name, start = split_name(self.blocks[head])
        if not name or len(name) > NAME_LENGTH:
            return Element(head, "", 0, body)
        return Element(head, name, start, body)

    # --- Warning signs ---

    def _take_signs(self, part: Part) -> bool:
        """Take a part as warning signs, if it holds a list whose items are single lines."""
        own = [inner for inner in part.parts if self._is_of_signs(inner)]
        lines = list(part.body)
        for inner in own:
            lines += [inner.head or 0, *inner.below()]
        if not self._is_flat_list(lines):
            return False
        urgency = Urgency.SEE_A_DOCTOR
        if part.head is not None and self.blocks[part.head].kind == Kind.PARAGRAPH and not part.parts:
            lines.insert(0, part.head)  # a sentence, which says how urgent they are
        elif part.head is not None:
            urgency = self._urgency_of_lead(part.head) or urgency
            if self.has[About.SIGNS]:
                self.ledger.leave(part.head, Reason.LEAD_IN)
            else:
                self._take(part.head, Role.SIGNS_HEADING)
        self._take_sign_lines(lines, urgency)
        for inner in part.parts:
            if inner not in own:
                self._take_part(inner)
        return True

    def _is_of_signs(self, part: Part) -> bool:
        if part.head is None or is_label(self.blocks[part.head], self.words):
            return False
        is_lead = part.about == About.SIGNS or self._urgency_of_lead(part.head) is not None
        return is_lead or (self._is_numbered(part) and not part.body)

    def _is_flat_list(self, lines: list[int]) -> bool:
        blocks = [self.blocks[at] for at in lines]
        items = [place for place, block in enumerate(blocks) if _is_sign(block)]
        if not items:
            return False
        return not any(
            blocks[place].kind == Kind.HEADING
            and place + 1 < len(blocks)
            and blocks[place + 1].kind == Kind.PARAGRAPH
            and place != items[-1]
            for place in items
        )

    def _take_sign_lines(self, lines: list[int], from_heading: Urgency) -> None:
        self.has[About.SIGNS] = True
        signs = [place for place, at in enumerate(lines) if _is_sign(self.blocks[at])]
        lists = 1 + sum(1 for one, other in pairwise(signs) if other - one > 1)
        floor = from_heading
        is_sign = set(signs)
        for place, at in enumerate(lines):
            if place in is_sign:
                urgency = _more_urgent(propose_urgency(self.ledger.text(at), self.words), floor)
                self.ledger.take(at, Role.SIGN, urgency=urgency, sure=Sure.LIKELY, why=_("urgency by its wording"))
            elif place > signs[-1]:
                self._take(at, Role.NOTE)
            else:
                lead = self._urgency_of_lead(at)
                # "See your doctor if" begins a list that is less urgent than the one above it.
                floor = lead or from_heading
                if lead and lists > 1 and place + 1 in is_sign:
                    # The lists become one, and this was true of a part of it.
                    self.ledger.leave(at, Reason.LEAD_IN)
                else:
                    self._take(at, Role.SIGNS_INTRO)

    def _urgency_of_lead(self, at: int) -> Urgency | None:
        """Return the urgency that a heading or sentence gives to all the signs below it, if any."""
        text, words = self.ledger.text(at), self.words
        to_doctor = words.within("urgency.doctor_lead", text)
        if words.within("urgency.emergency_lead", text):
            # "See a doctor or go to hospital if" does not say which of the two.
            return Urgency.URGENT if to_doctor else Urgency.EMERGENCY
        if words.within("urgency.urgent_lead", text):
            return Urgency.URGENT
        return Urgency.SEE_A_DOCTOR if to_doctor else None

    # --- Saying what is unsure ---

    def remark(self, whole: Part, title: str, refused: list[Series]) -> None:
        if not title:
            self.ledger.remark(-1, _("No title was found."))
        for part in whole.all_parts():
            if part.head is not None and part.body and self._is_unlisted(part):
                self.ledger.remark(
                    part.head,
                    _("Line %(line)d: “%(heading)s” was kept as a section.")
                    % {"line": self.blocks[part.head].line, "heading": self.blocks[part.head].text},
                )
        for part in whole.all_parts():
            self._remark_on_numbers(part)
        for series in refused:
            self._remark_on_refused(series)

    def _is_unlisted(self, part: Part) -> bool:
        """Tell whether a part about tips or signs was kept as a section all the same."""
        pieces = self.ledger.roles(part.head or 0)
        return part.about in (About.SIGNS, About.TIPS) and Role.SECTION_HEADING in pieces

    def _remark_on_numbers(self, part: Part) -> None:
        if part.about in (About.SIGNS, About.TIPS):
            return
        heads = [inner.head for inner in part.parts if inner.head is not None and self._is_numbered(inner)]
        kept = [at for at in heads if at not in self.elements and Role.SECTION_HEADING in self.ledger.roles(at)]
        if len(kept) > 1:
            self.ledger.remark(
                kept[0],
                _(
                    "Lines %(first)d to %(last)d: %(n)d numbered headings were kept as "
                    "sections, because it is not clear that they are conditions."
                )
                % {"first": self.blocks[kept[0]].line, "last": self.blocks[kept[-1]].line, "n": len(kept)},
            )

    def _remark_on_refused(self, series: Series) -> None:
        heads = [element.head for element in series.elements]
        if series.is_numbered or any(at in self.elements for at in heads):
            return
        self.ledger.remark(
            heads[0],
            _("Lines %(first)d to %(last)d: it is not clear that these are conditions, so they were kept as text.")
            % {"first": self.blocks[heads[0]].line, "last": self.blocks[heads[-1]].line},
        )


def _is_sign(block: Block) -> bool:
    return block.kind == Kind.ITEM or block.number is not None


def _more_urgent(one: Urgency, other: Urgency) -> Urgency:
    order = list(Urgency)
    return min(one, other, key=order.index)

"""What stands beside the original on the page where an import is corrected: a row for every piece, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from blog.importing.blocks import Block, Kind, Style
from blog.importing.correcting import LEAVE, OPENS, Correcting, choice_of, sentence_starts
from blog.importing.result import Piece, Reason, Role, Sure, Urgency

PAGE = 150  # rows
FOLDED = 4  # so many lines in a row that were left out are shown as one

# The choices for a piece in groups, in the order of an article; what is in none of them comes last.
GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (gettext_lazy("Beginning"), (Role.TITLE, Role.INTRO)),
    (
        gettext_lazy("Conditions"),
        (Role.ENTRY, Role.ENTRY_TEXT, Role.TREATMENT, Role.GROUP, Role.ENTRIES_HEADING),
    ),
    (gettext_lazy("Tips"), (Role.TIP, Role.TIP_TEXT, Role.TIPS_HEADING, Role.TIPS_INTRO)),
    (
        gettext_lazy("Warning signs"),
        (*(f"{Role.SIGN}:{urgency}" for urgency in Urgency), Role.SIGNS_HEADING, Role.SIGNS_INTRO, Role.NOTE),
    ),
    (gettext_lazy("Sections"), (Role.SECTION_HEADING, Role.SECTION)),
    (
        gettext_lazy("End"),
        (Role.CONCLUSION_HEADING, Role.CONCLUSION, Role.REFERENCES_HEADING, Role.REFERENCE),
    ),
)
_NAMES: dict[str, Promise] = {
    LEAVE: gettext_lazy("leave out"),
    Role.ENTRY: gettext_lazy("new condition"),
    Role.ENTRY_TEXT: gettext_lazy("text of the condition above"),
    Role.TREATMENT: gettext_lazy("treatment of the condition above"),
    Role.TIP: gettext_lazy("new tip"),
    Role.TIP_TEXT: gettext_lazy("text of the tip above"),
    Role.SECTION_HEADING: gettext_lazy("new section"),
    Role.SECTION: gettext_lazy("text of the section above"),
}
# The part of the article that a role belongs to: its colour.
_PARTS = {
    "entry": {Role.ENTRIES_HEADING, Role.GROUP, Role.ENTRY, Role.ENTRY_TEXT},
    "treatment": {Role.TREATMENT},
    "tip": {Role.TIPS_HEADING, Role.TIPS_INTRO, Role.TIP, Role.TIP_TEXT},
    "sign": {Role.SIGNS_HEADING, Role.SIGNS_INTRO, Role.SIGN, Role.NOTE},
    "section": {Role.SECTION_HEADING, Role.SECTION},
}
PART = {role: part for part, roles in _PARTS.items() for role in roles}


def choice_name(choice: str) -> str:
    """A choice as a person calls it."""
    if choice in _NAMES:
        return str(_NAMES[choice])
    role, _colon, urgency = choice.partition(":")
    if urgency:
        return _("warning sign: %s") % Urgency(urgency).label
    return str(Role(role).label)


def grouped_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every choice for a piece, in groups, as a select takes them."""
    known = {choice for _name, choices in GROUPS for choice in choices} | {Role.SIGN}
    others = [str(role) for role in Role if role not in known]
    groups = [*GROUPS, (gettext_lazy("Other"), (*others, LEAVE))]
    return [(str(name), [(str(choice), choice_name(choice)) for choice in choices]) for name, choices in groups]


class Options:
    """The options of the rows' selects, rendered once for each that can be selected."""

    def __init__(self) -> None:
        self._groups = grouped_choices()
        self._done: dict[str, SafeString] = {}

    def __call__(self, selected: str) -> SafeString:
        if selected not in self._done:
            self._done[selected] = format_html_join(
                "",
                '<optgroup label="{}">{}</optgroup>',
                ((name, self._of_group(choices, selected)) for name, choices in self._groups),
            )
        return self._done[selected]

    def _of_group(self, choices: list[tuple[str, str]], selected: str) -> SafeString:
        return format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((value, SafeString(" selected") if value == selected else "", name) for value, name in choices),
        )


@dataclass(frozen=True)
class Row:
    """A piece of the source, and what it was taken as."""

    number: int  # among all rows, from 1
    piece: Piece
    block: Block
    choice: str
    options: SafeString
    alike: int  # how many look like it and were taken as the same, itself included
    corrected: bool
    is_unsure: bool
    can_join: bool
    label: str  # "Treatment:", which the source writes before it
    count: int  # how many of its role there are up to here

    @property
    def key(self) -> str:
        return self.piece.key

    @property
    def text(self) -> str:
        return self.block.text[self.piece.start : self.piece.end]

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The text in stretches, each bold in the source or not."""
        start, end = self.piece.start, self.piece.end
        bold = [(mark.start, mark.end) for mark in self.block.marks if mark.style == Style.STRONG]
        ends = {start, end, *(min(max(at, start), end) for mark in bold for at in mark)}
        stops = sorted(ends)
        return [
            (self.block.text[a:b], any(first <= a and b <= last for first, last in bold)) for a, b in pairwise(stops)
        ]

    @property
    def is_first_of_block(self) -> bool:
        return self.piece.start == len(self.label)

    @property
    def before(self) -> str:
        """What stands before the text in the source: its number or bullet, its label."""
        if not self.is_first_of_block:
            return ""
        return f"{self.block.marker} {self.label}".strip()

    @property
    def look(self) -> str:
        """How it looks in the source."""
        if self.block.kind == Kind.HEADING:
            return f"heading level-{self.block.level}" if self.block.level else "heading"
        return str(self.block.kind)

    @property
    def part(self) -> str:
        return PART.get(self.piece.role, "other") if self.piece.role else "out"

    @property
    def name(self) -> str:
        """What it is, for those who may only look."""
        return choice_name(self.choice)

    @property
    def counted(self) -> str:
        """“Condition 3”."""
        words = {Role.ENTRY: _("Condition %d"), Role.TIP: _("Tip %d"), Role.SIGN: _("Warning sign %d")}
        return words[self.piece.role] % self.count if self.piece.role in words else ""

    @property
    def sure(self) -> str:
        """How sure the finder is."""
        return _("as you said") if self.corrected else str(Sure(self.piece.sure).label)

    @property
    def why(self) -> str:
        if self.piece.reason and not self.corrected:
            return str(Reason(self.piece.reason).label)
        return "" if self.corrected else self.piece.why

    @property
    def could_be_entry(self) -> bool:
        """Whether it is offered to make it a condition."""
        role = self.piece.role
        if role in (Role.ENTRY, Role.TITLE):
            return False
        opens = role in OPENS or role in (Role.GROUP, Role.ENTRIES_HEADING)
        return opens or self.block.kind == Kind.HEADING or self.block.is_bold

    @property
    def could_all_be_entries(self) -> bool:
        """Whether it is offered to make all that are like it conditions: not what was left out together."""
        return self.could_be_entry and self.piece.role is not None and self.alike > 1

    @property
    def is_entry(self) -> bool:
        return self.piece.role == Role.ENTRY

    @property
    def splits(self) -> list[tuple[int, str]]:
        """Where it can be split: the character in its block, and the words that come after."""
        text = self.text
        return [(self.piece.start + at, Truncator(text[at:]).chars(50)) for at in sentence_starts(text)]


@dataclass(frozen=True)
class Run:
    """Rows that stand together: what was taken, or many lines that were left out, folded into one."""

    rows: tuple[Row, ...]
    is_folded: bool

    @property
    def why(self) -> str:
        """The reasons for leaving them out, each once."""
        return ", ".join(dict.fromkeys(row.why for row in self.rows if row.why))


def rows_of(correcting: Correcting, first: int, last: int) -> list[Row]:
    """The rows from one up to another, counted from 0."""
    options = Options()
    counts: Counter[Role | None] = Counter()
    found = []
    for number, place in enumerate(correcting.rows[:last], start=1):
        piece = correcting.pieces[place]
        counts[piece.role] += 1
        if number <= first:
            continue
        choice = choice_of(piece)
        before = correcting.pieces[place - 1] if place else None
        found.append(
            Row(
                number=number,
                piece=piece,
                block=correcting.blocks[piece.block],
                choice=choice,
                options=options(choice),
                alike=correcting.alike(piece),
                corrected=correcting.is_corrected(piece),
                is_unsure=correcting.is_unsure(piece),
                can_join=correcting.can_join(piece),
                label=correcting.text(before) if before and correcting.is_label(before) else "",
                count=counts[piece.role],
            )
        )
    return found


def runs_of(rows: Iterable[Row]) -> Iterator[Run]:
    """Rows in runs, so that a menu of fifty lines takes the space of one."""
    for is_out, group in groupby(rows, lambda row: row.part == "out" and not row.is_unsure and not row.corrected):
        together = tuple(group)
        yield Run(together, is_out and len(together) >= FOLDED)


def page_of(number: int) -> int:
    """The page on which a row stands, both from 1."""
    return (number - 1) // PAGE + 1

"""The commands by which an editor corrects what was understood. Each of them changes the corrections and no more."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy

from django.utils.translation import gettext as _

from blog.importing.blocks import Block
from blog.importing.pieces import CorrectedRole, Corrections
from blog.importing.result import Piece, Reason, Role, Sure, Understood, Urgency
from publishing.services import Refused

LEAVE = "leave"
# What opens a part of the article, and what the text below it is then.
OPENS: dict[Role, Role] = {
    Role.TITLE: Role.INTRO,
    Role.ENTRY: Role.ENTRY_TEXT,
    Role.TIPS_HEADING: Role.TIPS_INTRO,
    Role.TIP: Role.TIP_TEXT,
    Role.SIGNS_HEADING: Role.SIGNS_INTRO,
    Role.SECTION_HEADING: Role.SECTION,
    Role.CONCLUSION_HEADING: Role.CONCLUSION,
    Role.REFERENCES_HEADING: Role.REFERENCE,
}
# Text that belongs to what stands above it.
TEXTS = {*OPENS.values(), Role.TREATMENT, Role.NOTE}
_SENTENCE_START = re.compile(r"(?:(?<=[.!?:;])|(?<=[.!?]['\"”’)])|(?<=\s[–—-]))\s+|(?<=[。！？：；])")  # noqa: RUF001
MOST_STARTS = 20


def choice_of(piece: Piece) -> str:
    """What a piece was taken as, in one word for a form: a role, "sign:urgent", or "leave"."""
    if piece.role is None:
        return LEAVE
    return f"{piece.role}:{piece.urgency or Urgency.SEE_A_DOCTOR}" if piece.role == Role.SIGN else str(piece.role)


def sentence_starts(text: str) -> list[int]:
    """Where a text can be split: the offsets at which a sentence, or what follows a colon or dash, begins."""
    starts = (match.end() for match in _SENTENCE_START.finditer(text))
    return [start for start in starts if 0 < start < len(text)][:MOST_STARTS]


class Correcting:
    """Corrections in the making, of what was understood with the `corrections` so far.

    Pieces are named by their key. Raises KeyError for a piece that is not there, ValueError for a choice that is
    none, Refused with a sentence for what makes no sense.
    """

    def __init__(self, understood: Understood, corrections: Corrections) -> None:
        self.blocks = understood.article.blocks
        self.pieces = understood.pieces
        self.places = {piece.key: place for place, piece in enumerate(self.pieces)}
        self._of_block: dict[int, list[Piece]] = defaultdict(list)
        for piece in self.pieces:
            self._of_block[piece.block].append(piece)
        # The places of the pieces that have a row: a label such as "Treatment:" stands with its text.
        self.rows = [place for place, piece in enumerate(self.pieces) if not self.is_label(piece)]
        self._looks = Counter(map(self._look, self.pieces))
        self._cuts: dict[str, list[int]] = deepcopy(corrections.get("cuts", {}))
        self._roles: dict[str, CorrectedRole] = deepcopy(corrections.get("roles", {}))

    @property
    def corrections(self) -> Corrections:
        """What is corrected by now, without what is empty."""
        found: Corrections = {}
        if self._cuts:
            found["cuts"] = self._cuts
        if self._roles:
            found["roles"] = self._roles
        return found

    def take(self, key: str, choice: str) -> None:
        """Take a piece as something else. The text below a heading goes with it."""
        place = self.places[key]
        role = self._set(self.pieces[place], choice)
        below = self._below(place)
        if role in OPENS:
            self._follow(below, OPENS[role], keeps_treatment=role == Role.ENTRY)
        elif self.pieces[place].role in OPENS:
            above = role if role in TEXTS else self._continued(place)
            self._follow(below, above, keeps_treatment=above == Role.ENTRY_TEXT)

    def take_alike(self, key: str, choice: str) -> int:
        """Take a piece and all others like it as something else. Returns how many there were."""
        look = self._look(self.pieces[self.places[key]])
        alike = [piece.key for piece in self.pieces if self._look(piece) == look]
        for each in alike:
            self.take(each, choice)
        return len(alike)

    def take_run(self, first: int, last: int, choice: str) -> None:
        """Take all pieces from one row up to another, counted from 1, as the same; each stays a piece of its own."""
        first, last = sorted((first, last))
        if first < 1 or last > len(self.rows):
            raise Refused(_("Give the numbers of two pieces, from 1 to %d.") % len(self.rows))
        for place in self.rows[first - 1 : last]:
            self._set(self.pieces[place], choice)

    def split(self, key: str, offset: int) -> None:
        """Split a piece at a character of its block. What comes after a name is its text."""
        piece = self.pieces[self.places[key]]
        if not piece.start < offset < piece.end:
            raise Refused(_("This piece cannot be split there."))
        self._keep_block(piece.block, {other.start for other in self._of_block[piece.block]} | {offset})
        choice = choice_of(piece)
        if piece.role in OPENS:
            choice = OPENS[piece.role]
        self._say(f"{piece.block}.{offset}", choice)

    def join(self, key: str) -> None:
        """Make a piece go on with what stands above it."""
        place = self.places[key]
        piece = self.pieces[place]
        if self._is_part(place):
            starts = {other.start for other in self._of_block[piece.block]} - {piece.start}
            self._keep_block(piece.block, starts)
            self._roles.pop(key, None)
            return
        if not self.can_join(piece):
            raise Refused(_("There is no text above that this piece could go on."))
        self.take(key, self._continued(place))

    def can_join(self, piece: Piece) -> bool:
        """Whether a piece can go on with what stands above it, and does not yet."""
        place = self.places[piece.key]
        if self._is_part(place):
            return True
        above = self._above(place)
        return (
            above is not None and (above.role in OPENS or above.role in TEXTS) and self._continued(place) != piece.role
        )

    def as_found(self, key: str) -> None:
        """Forget what an editor said of a piece, its block, and the text below it."""
        place = self.places[key]
        for piece in [self.pieces[place], *self._below(place)]:
            self._cuts.pop(str(piece.block), None)
            for other in self._of_block[piece.block]:
                self._roles.pop(other.key, None)

    def is_corrected(self, piece: Piece) -> bool:
        """Whether an editor said what the piece is, or where it ends."""
        return piece.key in self._roles or str(piece.block) in self._cuts

    def is_label(self, piece: Piece) -> bool:
        """Whether a piece is only what stands before a text and says what it is."""
        return piece.reason == Reason.LABEL and piece.start == 0 and piece.end < len(self.blocks[piece.block].text)

    def is_unsure(self, piece: Piece) -> bool:
        """Whether an editor should look at the piece, and has not."""
        return piece.sure == Sure.UNSURE and not self.is_corrected(piece)

    def text(self, piece: Piece) -> str:
        """The words of a piece, as they stand in the source."""
        return self.blocks[piece.block].text[piece.start : piece.end]

    def alike(self, piece: Piece) -> int:
        """How many pieces were taken as the same and look the same in the source; the piece itself is one."""
        return self._looks[self._look(piece)]

    # --- How ---

    def _look(self, piece: Piece) -> tuple[object, ...]:
        block: Block = self.blocks[piece.block]
        is_part = (piece.start > 0, piece.end < len(block.text))
        marker = re.sub(r"\w+", "1", block.marker)
        return choice_of(piece), block.kind, block.level, block.depth, marker, block.bold_start > 0, is_part

    def _is_part(self, place: int) -> bool:
        """Whether the piece at a place was cut from the one before it, and that one was taken."""
        return self.pieces[place].start > 0 and self.pieces[place - 1].role is not None

    def _set(self, piece: Piece, choice: str) -> Role | None:
        self._say(piece.key, choice)
        return Role(choice.partition(":")[0]) if choice != LEAVE else None

    def _say(self, key: str, choice: str) -> None:
        role, _colon, urgency = choice.partition(":")
        if role != LEAVE:
            Role(role)
        if urgency:
            Urgency(urgency)
        self._roles[key] = {"role": role, "urgency": urgency}

    def _below(self, place: int) -> list[Piece]:
        """The text that belongs to the piece at a place: what follows, up to anything that opens a part."""
        return list(self._texts_after(place))

    def _texts_after(self, place: int) -> Iterator[Piece]:
        for piece in self.pieces[place + 1 :]:
            if piece.role in TEXTS:
                yield piece
            elif piece.role not in (None, Role.PICTURE):
                return

    def _follow(self, below: list[Piece], role: Role, *, keeps_treatment: bool) -> None:
        for piece in below:
            if piece.role != role and not (keeps_treatment and piece.role == Role.TREATMENT):
                self._set(piece, role)

    def _above(self, place: int) -> Piece | None:
        before = (self.pieces[each] for each in range(place - 1, -1, -1))
        return next((piece for piece in before if piece.role not in (None, Role.PICTURE)), None)

    def _continued(self, place: int) -> Role:
        """What text is that goes on with what stands above a place."""
        above = self._above(place)
        if above is None or above.role is None:
            return Role.INTRO
        found = OPENS.get(above.role, above.role)
        return found if found in TEXTS else Role.SECTION

    def _keep_block(self, block: int, starts: set[int]) -> None:
        """Cut a block at these characters, and keep each of its pieces what it is."""
        for piece in self._of_block[block]:
            if piece.start in starts:
                self._say(piece.key, choice_of(piece))
            else:
                self._roles.pop(piece.key, None)
        self._cuts[str(block)] = sorted(starts - {0})

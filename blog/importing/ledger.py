"""Keeps account of what each stretch of an article's text was taken as, while the article is being understood."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

from .blocks import Block, Meta, SourceArticle
from .language import Words, words_for
from .result import Piece, Reason, Role, Sure, Urgency

# No expression is looked for in more than this much of a text.
LOOKED_AT = 2_000


class Remark(NamedTuple):
    """A sentence for the editor, and the block that it is about, -1 for the article as a whole."""

    at: int
    text: str


class Ledger:
    """An article, the words of its language, and what was decided on its blocks, which go by their place in it."""

    def __init__(self, article: SourceArticle, language: str) -> None:
        self.blocks: tuple[Block, ...] = article.blocks
        self.meta: Meta = article.meta
        self.words: Words = words_for(language)
        self.remarks: list[Remark] = []
        self.labels: set[str] = set()  # by which this article tells its treatments, beside those of the word lists
        self._pieces: dict[int, list[Piece]] = defaultdict(list)

    def take(
        self,
        at: int,
        role: Role,
        start: int = 0,
        *,
        urgency: Urgency | None = None,
        sure: Sure = Sure.SURE,
        why: str = "",
    ) -> None:
        """Record what the text of a block was taken as from a character on, up to where another piece starts."""
        self._pieces[at].append(Piece(at, start, 0, role=role, urgency=urgency, sure=sure, why=why))

    def leave(self, at: int, reason: Reason, start: int = 0, *, sure: Sure = Sure.SURE, why: str = "") -> None:
        """Record why the text of a block was left out from a character on."""
        self._pieces[at].append(Piece(at, start, 0, reason=reason, sure=sure, why=why))

    def is_decided(self, at: int) -> bool:
        """Tell whether anything was decided on a block."""
        return at in self._pieces

    def roles(self, at: int) -> set[Role | None]:
        """Return what the pieces of a block were taken as."""
        return {piece.role for piece in self._pieces.get(at, [])}

    def text(self, at: int) -> str:
        """Return as much of a block's text as is looked at."""
        return self.blocks[at].text[:LOOKED_AT]

    def remark(self, at: int, text: str) -> None:
        """Note a sentence for the editor on a block."""
        self.remarks.append(Remark(at, text))

    def pieces(self) -> tuple[Piece, ...]:
        """Return the pieces of every block in the order of the source, without a gap. Undecided text is a section."""
        return tuple(piece for at in range(len(self.blocks)) for piece in self._pieces_of(at))

    def _pieces_of(self, at: int) -> list[Piece]:
        length = len(self.blocks[at].text)
        if len(self._pieces[at]) == 1:
            return [replace(self._pieces[at][0], start=0, end=length)]
        starts = {max(0, min(piece.start, length - 1)): piece for piece in reversed(self._pieces[at])}
        found = [replace(piece, start=start) for start, piece in sorted(starts.items())]
        if not found:
            found = [Piece(at, 0, 0, role=Role.SECTION, sure=Sure.UNSURE)]
        found[0] = replace(found[0], start=0)
        ends = [*(piece.start for piece in found[1:]), length]
        return [replace(piece, end=end) for piece, end in zip(found, ends, strict=True)]

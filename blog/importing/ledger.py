"""Keeps account of every block while a structure is being found."""

from collections.abc import Iterable
from dataclasses import replace

from .blocks import Block
from .result import Outcome, Reason, Role


class Ledger:
    """What became of each block. A block is decided once; that none is forgotten is checked."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        # Copies, because two lines of a source may be equal and are told apart by identity.
        self.blocks = [replace(block) for block in blocks]
        self.remarks: list[str] = []
        self._outcomes: dict[int, Outcome] = {}

    def take(self, blocks: Iterable[Block], role: Role, place: int = 0) -> None:
        """Record what the blocks were taken as, and into which entry, tip, sign or section."""
        for block in blocks:
            self._decide(Outcome(block, role=role, place=place))

    def leave(self, block: Block, reason: Reason) -> None:
        """Record why the block was left out."""
        self._decide(Outcome(block, reason=reason))

    def outcomes(self) -> tuple[Outcome, ...]:
        """Return the outcome of every block in the order of the source."""
        return tuple(self._outcomes[id(block)] for block in self.blocks)

    def _decide(self, outcome: Outcome) -> None:
        if id(outcome.block) in self._outcomes:
            raise ValueError(f"Line {outcome.block.line} was decided before.")
        self._outcomes[id(outcome.block)] = outcome

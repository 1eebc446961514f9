"""The one shape that every reader makes of a source: a list of blocks."""

from dataclasses import dataclass
from enum import StrEnum


class UnreadableSource(Exception):
    """The source cannot be read; the message is a sentence for the person who gave it."""


class Kind(StrEnum):
    """What a block is in its source, before anyone asks what it means."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph or list item of a source.

    ``text`` is plain text without the marker; ``marker`` is the bullet or number as written
    ("•", "3.", "Cause 3:") and ``number`` what it says. ``level`` is the depth of a heading,
    or 0 where the format has no headings and the reader went by the look of the line.
    ``line`` is the line of the source on which the block starts, from 1.
    """

    kind: Kind
    text: str
    line: int
    marker: str = ""
    number: int | None = None
    level: int = 0

    @property
    def as_written(self) -> str:
        """The text with its marker, for people who look for it in the source."""
        return f"{self.marker} {self.text}".strip()

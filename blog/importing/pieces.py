"""Cuts the blocks of an article into pieces, and tells what each of them is."""

from __future__ import annotations

from typing import TypedDict


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

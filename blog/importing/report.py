"""What was understood, as text for people."""

from __future__ import annotations

from .result import Outcome, Report, Understood


def report_text(understood: Understood) -> str:
    """Return the report on an article: what was taken, what to check, and what was left out and why."""
    blocks = understood.article.blocks
    outcomes = tuple(Outcome(blocks[p.block], role=p.role, reason=p.reason) for p in understood.pieces)
    return str(Report(understood.structure, outcomes, understood.remarks))

"""How good the search is, by relevance.toml: the mean reciprocal rank, and the recall among the first ten."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from blog.search import search

JUDGED = Path(__file__).parent / "relevance.toml"
AT = 10


@dataclass(frozen=True)
class Judged:
    """A question, the pages that answer it, and what was found, as kind/slug."""

    query: str
    wanted: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def reciprocal_rank(self) -> float:
        return next((1 / rank for rank, page in enumerate(self.found, start=1) if page in self.wanted), 0.0)

    @property
    def recall(self) -> float:
        return len(set(self.wanted) & set(self.found)) / len(self.wanted)


def judge() -> dict[str, list[Judged]]:
    """Every question asked, by group."""
    groups = tomllib.loads(JUDGED.read_text())
    return {
        group: [Judged(query, tuple(wanted), first_pages(query)) for query, wanted in questions.items()]
        for group, questions in groups.items()
    }


def first_pages(query: str) -> tuple[str, ...]:
    results = search(query, limit=AT)
    hits = ([results.answer] if results.answer else []) + results.hits
    return tuple(f"{hit.kind}/{hit.url.rstrip('/').rpartition('/')[2]}" for hit in hits)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)

"""Scores what an import understood of a folder of articles against what is known of them.

The folder holds ``NN-name.(txt|md|html|xml|docx)`` with ``NN-name.expected.json`` beside it: ``title``, ``kind``
("conditions" or "plain"), ``conditions: [{name, has_treatment}]``, ``tips: [name]``, ``warning_signs_count``,
``has_conclusion``, ``origin_name``, ``origin_url``. What is left out, also ``has_treatment``, is not scored.
A key with ``_alt`` at its end holds another value that is accepted too, or a list of them (for a list of names: another
list).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blog.importing.blocks import Problem, SourceArticle, UnreadableSource
from blog.importing.readers import read_path
from blog.importing.result import ArticleKind, Structure
from blog.importing.structure import understand
from publishing.richtext import plain

EXPECTED = ".expected.json"
# Exact or not; the other measures are precision and recall.
EXACT = ("title", "kind", "warning_signs_count", "has_conclusion", "origin_name", "origin_url")
_MARKUP = re.compile(r"<[^>]*>|[*_`\\]|^\s*#+\s+")
_NUMBERING = re.compile(r"^\W*?(?:\d{1,3}\s*[.):\-–—]|#\s?\d{1,3}[.):]?|(?:no|nr)\.\s*\d{1,3}[.):]?)\s*", re.IGNORECASE)  # noqa: RUF001


@dataclass(slots=True)
class Counts:
    """How many of the expected were found, how many found were not expected, how many expected were missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 where there was nothing to find and nothing was found."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else 1.0

    def add(self, other: Counts) -> None:
        self.right, self.wrong, self.missed = (
            self.right + other.right,
            self.wrong + other.wrong,
            self.missed + other.missed,
        )


@dataclass(slots=True)
class Score:
    """The score of one article, or of several together. ``exact`` holds (right, scored) for each key of EXACT."""

    name: str
    conditions: Counts = field(default_factory=Counts)
    treatments: Counts = field(default_factory=Counts)
    tips: Counts = field(default_factory=Counts)
    exact: dict[str, tuple[int, int]] = field(default_factory=dict)
    invented: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        for name in ("conditions", "treatments", "tips"):
            getattr(self, name).add(getattr(other, name))
        for key, (right, scored) in other.exact.items():
            before = self.exact.get(key, (0, 0))
            self.exact[key] = (before[0] + right, before[1] + scored)
        self.invented += other.invented

    def as_json(self) -> dict[str, Any]:
        """The score as plain values: rates from 0 to 1, exact ones as [right, scored]."""
        rates = {
            name: {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
            for name in ("conditions", "treatments", "tips")
            for counts in [getattr(self, name)]
        }
        return {"name": self.name, **rates, "exact": self.exact, "invented": self.invented}


@dataclass(slots=True)
class Result:
    """The scores of a folder, their total, and a sentence for each file that could not be scored."""

    scores: list[Score]
    total: Score
    problems: list[str]


def score_folder(folder: Path) -> Result:
    """Read, understand and score every article of a folder. Needs no database.

    Raises NotADirectoryError. A file that cannot be read, or without what is expected of it, is a problem.
    """
    scores: list[Score] = []
    problems: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.name.endswith(EXPECTED) or path.name.startswith(".") or path.is_dir():
            continue
        try:
            scores.append(_score_file(path))
        except _Unscored as problem:
            problems.append(f"{path.name}: {problem}")
    total = Score("all")
    for score in scores:
        total.add(score)
    return Result(scores, total, problems)


def score_structure(name: str, found: Structure, expected: dict[str, Any]) -> Score:
    """Score one structure against what is expected of it."""
    score = Score(name)
    if "conditions" in expected:
        _score_conditions(score, found, expected)
    if "tips" in expected:
        names = [tip.name or plain(tip.text) for tip in found.tips]
        best = max((_names(names, wanted) for wanted in _lists(expected, "tips")), key=lambda pair: pair[0].f1)
        score.tips = best[0]
        score.differences += [f"tips: {difference}" for difference in best[1]]
    for key, value in _facts(found).items():
        accepted = _accepted(expected, key)
        if not accepted:
            continue
        right = any(_same(value, each) for each in accepted)
        score.exact[key] = (int(right), 1)
        if not right:
            score.differences.append(f"{key}: found {value!r}, expected {' or '.join(map(repr, accepted))}")
    return score


def normal(text: str) -> str:
    """A name without case, spacing, numbering and markup, to compare it with another."""
    text = _NUMBERING.sub("", _MARKUP.sub("", text).strip())
    return "".join(text.split()).strip(".:;,!?。：；！？").casefold()  # noqa: RUF001


class _Unscored(Exception):
    pass


def _score_file(path: Path) -> Score:
    beside = path.with_name(path.stem + EXPECTED)
    try:
        expected = json.loads(beside.read_text("utf-8"))
    except FileNotFoundError:
        raise _Unscored(f"there is no {beside.name} beside it.") from None
    except (OSError, ValueError) as error:
        raise _Unscored(f"{beside.name} cannot be read: {error}") from None
    if not isinstance(expected, dict):
        raise _Unscored(f"{beside.name} holds no object.")
    article = _article(path)
    try:
        return score_structure(path.name, understand(article).structure, expected)
    except (KeyError, TypeError, AttributeError) as error:
        raise _Unscored(f"{beside.name} is not as it should be: {error!r}") from None


def _article(path: Path) -> SourceArticle:
    """The article of a file; of several the one with the most text."""
    articles: list[SourceArticle] = []
    said: list[str] = []
    try:
        for item in read_path(path):
            if isinstance(item, Problem):
                said.append(item.message)
            else:
                articles.append(item)
    except UnreadableSource as error:
        said.append(str(error))
    if not articles:
        raise _Unscored(" ".join(said) or "there is no article in it.")
    return max(articles, key=lambda article: sum(len(block.text) for block in article.blocks))


def _score_conditions(score: Score, found: Structure, expected: dict[str, Any]) -> None:
    names = [entry.heading for entry in found.entries]
    wanted = max(_lists(expected, "conditions"), key=lambda rows: _names(names, [row["name"] for row in rows])[0].f1)
    score.conditions, differences = _names(names, [row["name"] for row in wanted])
    score.differences += [f"conditions: {difference}" for difference in differences]
    score.invented = len(names) if expected.get("kind") == ArticleKind.PLAIN else score.conditions.wrong
    unknown = {normal(row["name"]) for row in wanted if "has_treatment" not in row}
    treated = [normal(entry.heading) for entry in found.entries if entry.treatment]
    treated = [name for name in treated if name not in unknown]
    to_treat = [normal(row["name"]) for row in wanted if row.get("has_treatment")]
    score.treatments, differences = _names(treated, to_treat)
    score.differences += [f"treatments: {difference}" for difference in differences]


def _names(found: Iterable[str], expected: Iterable[str]) -> tuple[Counts, list[str]]:
    """Match names one to one."""
    left = [(normal(name), name) for name in expected]
    counts, differences = Counts(), []
    for name in found:
        match = next((pair for pair in left if pair[0] == normal(name)), None)
        if match:
            left.remove(match)
            counts.right += 1
        else:
            counts.wrong += 1
            differences.append(f"found {name!r}, which was not expected")
    counts.missed = len(left)
    return counts, differences + [f"missed {name!r}" for _key, name in left]


def _facts(found: Structure) -> dict[str, Any]:
    return {
        "title": found.title,
        "kind": found.kind.value,
        "warning_signs_count": len(found.signs),
        "has_conclusion": bool(found.conclusion),
        "origin_name": found.origin.name if found.origin else "",
        "origin_url": found.origin.url if found.origin else "",
    }


def _accepted(expected: dict[str, Any], key: str) -> list[Any]:
    """The values that are right for a key; none where it is not scored."""
    if key not in expected:
        return []
    more = expected.get(f"{key}_alt", [])
    return [expected[key], *(more if isinstance(more, list) else [more])]


def _lists(expected: dict[str, Any], key: str) -> Iterator[list[Any]]:
    """The lists that are right for a key: the one, and another or several others."""
    yield expected[key]
    more = expected.get(f"{key}_alt") or []
    if more and all(isinstance(each, list) for each in more):
        yield from more
    elif more:
        yield more


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, str):
        return normal(found).rstrip("/") == normal(str(expected or "")).rstrip("/")
    return bool(found == expected)

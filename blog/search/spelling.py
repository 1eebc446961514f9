"""The words that the site's texts have, kept in memory, and what a word that none of them has may have meant."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from blog.search.analysis import STOP, Term, alternatives, fold, stems, term, terms, words
from blog.search.models import SearchEntry, SearchWord

MIN_PREFIX = 3
_PART = re.compile(r"[,;:()]")
_OR = re.compile(r"\b(?:or|oder)\b")
# How medical words sound to those who have only heard them.
_SOUNDS = [
    (re.compile(sound), written)
    for sound, written in (
        (r"^(?:pn|kn|gn)", "n"), (r"^ps", "s"), (r"ph|pf|gh", "f"), (r"rh", "r"), (r"th", "t"), (r"[ao]e", "e"),
        (r"[yj]", "i"), (r"sc(?=[ei])|c(?=[ei])|z", "s"), (r"ch|ck|qu|[cq]", "k"), (r"x", "ks"), (r"w", "u"),
        (r"(.)\1+", r"\1"),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Sign:
    """A sign of an emergency, by the words that name it."""

    entry: int
    anchor: str
    text: str
    clauses: tuple[frozenset[str], ...]

    def named_by(self, asked: list[Term]) -> bool:
        """Whether the words name it: all of a clause, or more than half of one and nothing else."""
        for clause in self.clauses:
            named = [stem for stem in clause if any(stem in term.stems for term in asked)]
            only = all(any(stem in clause for stem in term.stems) for term in asked)
            if clause and (len(named) == len(clause) or (only and 2 * len(named) > len(clause))):
                return True
        return False


@dataclass
class Vocabulary:
    """Every word of the index with its number of entries, and the signs of emergencies."""

    entries: dict[str, int] = field(default_factory=dict)
    stems: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by language, and all under ""
    signs: list[Sign] = field(default_factory=list)

    @classmethod
    def read(cls) -> Vocabulary:
        found = cls()
        counted = SearchWord.objects.values_list("word", "language", "stem", "entries")
        for word, language, stem, entries in counted.iterator():
            found.entries[word] = found.entries.get(word, 0) + entries
            for each in (language, ""):
                found.stems[each].add(stem)
        rows = SearchEntry.objects.exclude(emergencies=[]).values_list("pk", "language", "emergencies")
        for pk, language, emergencies in rows:
            found.signs += [Sign(pk, anchor, text, _clauses(text, language)) for anchor, text in emergencies]
        return found

    @cached_property
    def in_order(self) -> list[str]:
        return sorted(self.stems[""])

    @cached_property
    def all_words(self) -> list[str]:
        return list(self.entries)

    @cached_property
    def sounds(self) -> dict[str, str]:
        return {word: sound(word) for word in self.entries}

    def known(self, word: str) -> Term | None:
        """The word by those of its stems that texts of that language have; None where no text has it.

        Words of one or two letters, and numbers, are not counted, and never corrected.
        """
        if len(word) < 3 or not word.isalpha():
            return term(word)
        here = [stem for language, stem in alternatives(word).items() if stem in self.stems[language]]
        return Term(word, tuple(dict.fromkeys(here))) if here else None

    def begins(self, prefix: str) -> bool:
        """Whether a word of the index begins so."""
        at = bisect_left(self.in_order, prefix)
        return at < len(self.in_order) and self.in_order[at].startswith(prefix)

    def nearest(self, word: str) -> list[str]:
        """What a word that is not there may have been meant to be: another word, two, or [] where nothing is near.

        Two letters that changed places are one mistake (optimal string alignment).
        """
        for at in range(3, len(word) - 2):
            if word[:at] in self.entries and word[at:] in self.entries:
                return [word[:at], word[at:]]
        allowed = 0 if len(word) < 4 else 1 if len(word) < 6 else 2 if len(word) < 9 else 3
        if not allowed:
            return []
        near = process.extract(word, self.all_words, scorer=OSA.distance, score_cutoff=allowed, limit=20)
        best = min(near, key=lambda hit: (hit[1], hit[0][0] != word[0], -self.entries[hit[0]], hit[0]), default=None)
        if best:
            return [best[0]]
        alike = process.extract(sound(word), self.sounds, scorer=OSA.distance, score_cutoff=allowed // 2, limit=20)
        heard = min(alike, key=lambda hit: (hit[1], -self.entries[hit[2]], hit[2]), default=None)
        return [heard[2]] if heard else []

    def understand(self, query: str) -> tuple[list[Term], str]:
        """The words of a question, corrected where unknown; and the corrected question, '' if it is the same.

        The last word may be the beginning of one: it may still be being typed.
        """
        typed = list(words(query))
        corrections: dict[str, list[str]] = {}
        found: list[Term] = []
        for asked in terms(query):
            start = fold(asked.word)
            if known := self.known(asked.word):
                found.append(known)
            elif asked.word == typed[-1] and len(start) >= MIN_PREFIX and self.begins(start):
                found.append(Term(asked.word, asked.stems, start))
            elif near := self.nearest(asked.word):
                corrections[asked.word] = near
                found += [self.known(word) or term(word) for word in near]
            else:
                found.append(asked)
        said = " ".join(word for each in typed for word in corrections.get(each, [each]))
        return found, said if corrections else ""

    def emergencies(self, asked: list[Term]) -> list[Sign]:
        return [sign for sign in self.signs if sign.named_by(asked)] if asked else []


def sound(word: str) -> str:
    """Roughly how a casefolded word sounds: "kifosis" and "kyphosis" are the same."""
    word = fold(word)
    for sounds, written in _SOUNDS:
        word = sounds.sub(written, word)
    return word


def _clauses(text: str, language: str) -> tuple[frozenset[str], ...]:
    """The words of each clause of a sign. Of "both legs are weak or numb" the first only: a lone "numb" says little."""
    found = []
    for part in _PART.split(text.casefold()):
        telling = [[word for word in words(clause) if word not in STOP] for clause in _OR.split(part)]
        found += [clause for clause in telling if len(clause) > 1 or len(telling) == 1]
    return tuple(frozenset(stem for word in clause for stem in stems(word, language)) for clause in found if clause)


_kept: tuple[Any, Vocabulary] = (None, Vocabulary())


def vocabulary() -> Vocabulary:
    """The words as they are now. They are read again only where something was indexed since."""
    global _kept
    latest = SearchEntry.objects.order_by("-pk").values_list("made", flat=True).first()
    if _kept[0] != latest:
        _kept = latest, Vocabulary.read() if latest else Vocabulary()
    return _kept[1]

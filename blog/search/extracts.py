"""Extracts: the place of a page that says most of what was asked, with the words of the question marked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from blog.search.analysis import WORD, Term, stem, straight

LONG = 34  # words of an extract
BEFORE = 7  # of them before the first that is marked

Segments = list[tuple[str, bool]]  # (text, whether it is marked); nothing is escaped yet


@dataclass(frozen=True)
class Extract:
    anchor: str
    heading: str
    segments: Segments


class _Word(NamedTuple):
    start: int
    end: int
    term: int  # which word of the question it is; -1 for none


def extract(parts: Sequence[Sequence[str]], terms: Sequence[Term], language: str) -> Extract:
    """The best part, cut to LONG words around what was asked; the beginning of the first where nothing of it is said.

    Takes [anchor, heading, text] of each part.
    """
    which = _Which(terms, language)
    best, best_said, best_words = None, 0.0, list[_Word]()
    for part in parts:
        found = _words(part[2], which)
        in_text = {word.term for word in found} - {-1}
        in_heading = {word.term for word in _words(part[1], which)} - {-1}
        said = len(in_text | in_heading) + len(in_text) / 10
        if said > best_said:
            best, best_said, best_words = part, said, found
    if best is None:
        anchor, heading, text = "", "", next((part[2] for part in parts if part[2]), "")
        return Extract(anchor, heading, _cut(text, _words(text, which)))
    return Extract(best[0], best[1], _cut(best[2], best_words))


def mark(text: str, terms: Sequence[Term], language: str) -> Segments:
    """A short text whole, with the words of the question marked."""
    return _segments(text, _words(text, _Which(terms, language)), 0, len(text))


class _Which(dict[str, int]):
    """Which word of the question a word of a text is, -1 for none; each is asked about once."""

    def __init__(self, terms: Sequence[Term], language: str) -> None:
        super().__init__()
        self.terms, self.language = terms, language

    def __missing__(self, word: str) -> int:
        found = stem(straight(unicodedata.normalize("NFKC", word).casefold()), self.language)
        self[word] = next((number for number, term in enumerate(self.terms) if term.matches(found)), -1)
        return self[word]


def _words(text: str, which: _Which) -> list[_Word]:
    return [_Word(*match.span(), which[match[0]]) for match in WORD.finditer(text)]


def _cut(text: str, words: list[_Word]) -> Segments:
    marked = [number for number, word in enumerate(words) if word.term >= 0]
    window = LONG - BEFORE
    said = {at: len({word.term for word in words[at : at + window]} - {-1}) for at in marked}
    begin = max(0, max(marked, key=lambda at: (said[at], -at), default=0) - BEFORE)
    begin = max(0, min(begin, len(words) - LONG))
    shown = words[begin : begin + LONG]
    if not shown:
        return []
    start = 0 if begin == 0 else shown[0].start
    end = len(text) if begin + LONG >= len(words) else shown[-1].end
    before = [("… ", False)] if start else []
    return before + _segments(text, shown, start, end) + ([(" …", False)] if end < len(text) else [])


def _segments(text: str, words: list[_Word], start: int, end: int) -> Segments:
    found: Segments = []
    for word in words:
        if word.term >= 0:
            found += [(text[start : word.start], False), (text[word.start : word.end], True)]
            start = word.end
    found.append((text[start:end], False))
    return [segment for segment in found if segment[0]]

"""Words as the index keeps them: the same for every database, so that both find the same.

A word is casefolded and stemmed by the language of its text (Snowball), then loses its accents. A question may be
in any of the site's languages, so each of its words stands for its stem in all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any

import snowballstemmer  # type: ignore[import-untyped]
from django.conf import settings

MAX_QUERY = 200  # characters that are looked at
MAX_TERMS = 12
LONGEST = 60  # characters of a word that are kept
JOINER = "·"  # between the stems of a whole name, which is one word of the index

APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
WORD = re.compile(rf"[^\W_]+(?:['{APOSTROPHE}][^\W_]+)*")
_STEMMERS = {"en": "english", "de": "german"}
_CANNOT = {"can't": "cannot", "cant": "cannot"}
_lock = Lock()  # a stemmer keeps the word it is at in itself

# Words that say nothing of what somebody looks for. They are left out of a question that has others.
STOP = frozenset(
    """
    a about against all also an and any are as at be been best but by can could did do does doing feel feels
    feeling for from get give had has have having he help helps her him his how i if in into is it its i'm i've
    me mean means more most my no not of on or our out s she should so some t than that the their them then
    there these they this those to too up us was we were what when where which while who why will with would you
    your aber als am an auch auf aus bei beim bin bis da das dass dein dem den der des die dir du ein eine einem
    einen einer eines er es für gegen habe haben hat hilft ich ihr im in ist ja kann man mein meine meinem
    meinen meiner mich mir mit nach nicht oder sein sich sie sind so tun und uns vom von vor wann warum was weil
    wenn wer werden wie wir wird wo zu zum zur über
    """.split()  # noqa: SIM905  # a list of so many strings is no easier to read
)


@dataclass(frozen=True)
class Term:
    """A word of a question: as it was typed, and the words of the index that it may be."""

    word: str
    stems: tuple[str, ...]
    prefix: str = ""  # also any word that begins so

    def matches(self, stem: str) -> bool:
        return stem in self.stems or bool(self.prefix and stem.startswith(self.prefix))


def words(text: str) -> Iterator[str]:
    """The words of a text, casefolded, in their order."""
    for match in WORD.finditer(unicodedata.normalize("NFKC", text).casefold()):
        yield straight(match[0])


def straight(word: str) -> str:
    """A word as the stemmers want it: with typewriter's apostrophes, and "cannot" however it is shortened."""
    word = word.replace(APOSTROPHE, "'")
    return _CANNOT.get(word, word)


def stems(text: str, language: str) -> list[str]:
    """The words of a text as the index keeps them."""
    return [stem(word, language) for word in words(text)]


@cache
def _stemmer(name: str) -> Any:
    return snowballstemmer.stemmer(name)


@lru_cache(maxsize=100_000)
def stem(word: str, language: str) -> str:
    """A casefolded word as the index keeps it: letters and digits only. Without a stemmer it only loses its accents."""
    word = word[:LONGEST]
    if name := _STEMMERS.get(language.partition("-")[0]):
        with _lock:
            word = _stemmer(name).stemWord(word)
    return fold(word)[:LONGEST]


def fold(word: str) -> str:
    """Without accents and apostrophes."""
    return "".join(char for char in unicodedata.normalize("NFKD", word).casefold() if char.isalnum())


@lru_cache(maxsize=10_000)
def alternatives(word: str) -> dict[str, str]:
    """What a word of a question may be in the index: its stem by language of the site, and itself under ''."""
    found = {code: stem(word, code) for code, _name in settings.LANGUAGES} | {"": fold(word)[:LONGEST]}
    return {code: each for code, each in found.items() if each}


def whole(text: str, language: str) -> str:
    """A name as one word of the index, so that whoever types just that name finds it first."""
    found = JOINER.join(stems(text, language))[: 3 * LONGEST]
    return f"{JOINER}{found}{JOINER}" if found else ""


def wholes(query: str) -> tuple[str, ...]:
    """What a question may be as a whole name, in each language of the site."""
    return tuple(dict.fromkeys(filter(None, (whole(query, code) for code, _name in settings.LANGUAGES))))


def terms(query: str) -> list[Term]:
    """The words of a question that count, each once."""
    typed = list(dict.fromkeys(words(query)))
    telling = [word for word in typed if word not in STOP] or typed
    return [term(word) for word in telling[:MAX_TERMS] if alternatives(word)]


def term(word: str) -> Term:
    """A word of a question, in whatever language it is."""
    return Term(word, tuple(dict.fromkeys(alternatives(word).values())))

"""The word lists of a language, data in ``words/`` compiled once, and which language a text is in."""

# ruff: noqa: RUF001 -- the curly apostrophe is one of the two that are read alike
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from .blocks import Block

DEFAULT_LANGUAGE = "en"
_FOLDER = Path(__file__).parent / "words"
# A guess needs so many words of a text, or characters of a script that writes no spaces; it reads no more than that.
_MIN_WORDS = 25
_MIN_CHARACTERS = 20
_SAMPLE = 20_000
# A third to a half of the words of any prose are function words; a text in another language has few that we know.
_MIN_SHARE = 0.25
_MIN_LEAD = 1.4
_NOT_IN_A_WORD = r"(?!(?<=\w)\w)"
_GROUP_NAME = re.compile(r"\(\?P<\w+>")
_WORD = re.compile(r"[^\W\d_]+")


class Words:
    """The expressions of one language, each list asked for by its place in the file.

    In an expression a space is any white space and a straight apostrophe is a curly one too. A list that the file
    does not have is empty.
    """

    def __init__(self, tables: dict[str, dict[str, Any]]) -> None:
        about = tables.get("language", {})
        self.common: frozenset[str] = frozenset(about.get("common", ()))
        self.characters = re.compile(about.get("characters", "(?!)"))
        self.others_characters = re.compile(about.get("others_characters", "(?!)"))
        self.capitals: bool = about.get("capitals", False)  # nouns are written with one
        self._has_spaces = about.get("spaces", True)
        self._same = str.maketrans(*about["same"]) if "same" in about else None
        self._expressions: dict[str, list[str]] = {
            f"{table}.{key}": expressions
            for table, lists in tables.items()
            if table != "language"
            for key, expressions in lists.items()
        }
        self._each: dict[str, tuple[re.Pattern[str], ...]] = {}
        self._any: dict[str, re.Pattern[str]] = {}

    @property
    def lists(self) -> dict[str, tuple[re.Pattern[str], ...]]:
        """The compiled expressions under the place of their list: "label.treatment"."""
        return {name: self._patterns(name) for name in self._expressions}

    def first(self, name: str, text: str) -> int | None:
        """Return where the earliest expression of the list stands in the text, or None."""
        match = self._search(name, text)
        return match.start() if match else None

    def within(self, name: str, text: str) -> bool:
        """Tell whether an expression of the list stands anywhere in the text."""
        return self._search(name, text) is not None

    def count(self, name: str, text: str) -> int:
        """Count the expressions of the list that stand in the text."""
        if not self.within(name, text):
            return 0
        text = self._folded(text)
        return sum(1 for pattern in self._patterns(name) if pattern.search(text))

    def fills(self, name: str, text: str) -> bool:
        """Tell whether the whole text is one expression of the list."""
        return self._pattern(name).fullmatch(self._folded(text.strip())) is not None

    def opens(self, name: str, text: str) -> int:
        """Return how many characters the longest expression takes at the start of the text."""
        text = self._folded(text)
        if not self._pattern(name).match(text):
            return 0
        return max(match.end() for pattern in self._patterns(name) if (match := pattern.match(text)))

    def groups(self, name: str, text: str) -> dict[str, str]:
        """Return the named parts of the first expression that the whole text is, else nothing."""
        folded = self._folded(text)
        for pattern in self._patterns(name):
            if match := pattern.fullmatch(folded):
                return {part: text[slice(*match.span(part))] for part in pattern.groupindex}
        return {}

    def after(self, name: str, text: str) -> str:
        """Return the text after the earliest expression of the list, "" if there is none."""
        match = self._search(name, text)
        return text[match.end() :].strip() if match else ""

    def before(self, name: str, text: str) -> str:
        """Return the text up to the earliest expression of the list."""
        return text[: self.first(name, text)].strip()

    def _search(self, name: str, text: str) -> re.Match[str] | None:
        return self._pattern(name).search(self._folded(text))

    def _patterns(self, name: str) -> tuple[re.Pattern[str], ...]:
        """Return the expressions of a list, each by itself. They are compiled when they are asked for."""
        if name not in self._each:
            expressions = self._expressions.get(name, ())
            self._each[name] = tuple(_compiled(name, expression, self._has_spaces) for expression in expressions)
        return self._each[name]

    def _pattern(self, name: str) -> re.Pattern[str]:
        """Return all expressions of a list as one: one search of the text is ten times faster than one for each."""
        if name not in self._any:
            expressions = self._expressions.get(name) or ["(?!)"]
            joined = "|".join(f"(?:{_GROUP_NAME.sub('(', expression)})" for expression in expressions)
            self._any[name] = _compiled(name, joined, self._has_spaces)
        return self._any[name]

    def _folded(self, text: str) -> str:
        # One character for one, so that places in the folded text are places in the text.
        return text.translate(self._same) if self._same else text


def _compiled(name: str, expression: str, has_spaces: bool) -> re.Pattern[str]:
    expression = expression.replace("['’]", "'").replace("'", "['’]").replace(" ", r"\s")
    # Whole words, except where the list says how something ends, which may be a comma, and where words are not apart.
    if has_spaces and not name.endswith("_end"):
        expression = rf"{_NOT_IN_A_WORD}[¿¡]?(?:{expression}){_NOT_IN_A_WORD}"
    return re.compile(expression, re.IGNORECASE)


@cache
def _load(language: str) -> Words:
    return Words(tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8")))


@cache
def known_languages() -> frozenset[str]:
    """Return the codes of the languages that have word lists."""
    return frozenset(file.stem for file in _FOLDER.glob("*.toml"))


def words_for(language: str) -> Words:
    """Return the words of a language code such as "en-gb"; English where there is no list."""
    primary = _primary(language)
    return _load(primary if primary in known_languages() else DEFAULT_LANGUAGE)


def guess_language(blocks: Iterable[Block], declared: str = "") -> str:
    """Return the code of the language that a text is in.

    Takes its blocks, and the language that the source declares, if any. The text itself is believed first, because
    many sites declare what their theme came with; where it does not tell, what is declared; then the site's own.
    """
    if declared and _primary(declared) not in known_languages():
        return declared
    said = _language_of(_sample(blocks))
    if not said or said == _primary(declared):
        return declared or said or settings.LANGUAGE_CODE
    return said


def _primary(language: str) -> str:
    return re.split("[-_]", language.strip().lower(), maxsplit=1)[0]


def _sample(blocks: Iterable[Block]) -> str:
    parts: list[str] = []
    length = 0
    for block in blocks:
        parts.append(block.text[:_SAMPLE])
        length += len(block.text)
        if length >= _SAMPLE:
            break
    return " ".join(parts)[:_SAMPLE].casefold()


def _language_of(text: str) -> str:
    """Return the language whose function words or characters a text is full of, "" if there is none."""
    languages = {code: _load(code) for code in sorted(known_languages())}
    letters = sum(map(len, _WORD.findall(text)))
    for code, words in languages.items():
        written = len(words.characters.findall(text))
        is_other = len(words.others_characters.findall(text)) > written / 10
        if written >= max(_MIN_CHARACTERS, letters / 3) and not is_other:
            return code
    tokens = Counter(_WORD.findall(text))
    if tokens.total() < _MIN_WORDS:
        return ""
    shares = sorted(
        ((sum(tokens[word] for word in words.common) / tokens.total(), code) for code, words in languages.items()),
        reverse=True,
    )
    (best, code), (second, _) = shares[:2]
    return code if best >= _MIN_SHARE and best >= _MIN_LEAD * second else ""

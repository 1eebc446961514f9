"""The word lists of a language: data in ``words/``, compiled once."""

import re
import tomllib
from functools import cache
from pathlib import Path

DEFAULT_LANGUAGE = "en"
_FOLDER = Path(__file__).parent / "words"


class Words:
    """The expressions of one language, each list asked for by its place in the file."""

    def __init__(self, tables: dict[str, dict[str, list[str]]]) -> None:
        self._lists = {
            f"{table}.{key}": [_compiled(key, expression) for expression in expressions]
            for table, lists in tables.items()
            for key, expressions in lists.items()
        }

    def first(self, name: str, text: str) -> int | None:
        """Return where the earliest expression of the list stands in the text, or None."""
        found = (pattern.search(text) for pattern in self._lists[name])
        return min((match.start() for match in found if match), default=None)

    def within(self, name: str, text: str) -> bool:
        """Tell whether an expression of the list stands anywhere in the text."""
        return any(pattern.search(text) for pattern in self._lists[name])

    def count(self, name: str, text: str) -> int:
        """Count the expressions of the list that stand in the text."""
        return sum(1 for pattern in self._lists[name] if pattern.search(text))

    def fills(self, name: str, text: str) -> bool:
        """Tell whether the whole text is one expression of the list."""
        return any(pattern.fullmatch(text) for pattern in self._lists[name])

    def opens(self, name: str, text: str) -> int:
        """Return how many characters the longest expression takes at the start of the text."""
        found = (pattern.match(text) for pattern in self._lists[name])
        return max((match.end() for match in found if match), default=0)

    def groups(self, name: str, text: str) -> dict[str, str]:
        """Return the named parts of the first expression that the whole text is, else nothing."""
        for pattern in self._lists[name]:
            if match := pattern.fullmatch(text):
                return match.groupdict()
        return {}

    def after(self, name: str, text: str) -> str:
        """Return the text after the earliest expression of the list, "" if there is none."""
        found = [match for pattern in self._lists[name] if (match := pattern.search(text))]
        return text[min(found, key=re.Match.start).end() :].strip() if found else ""

    def before(self, name: str, text: str) -> str:
        """Return the text up to the earliest expression of the list."""
        return text[: self.first(name, text)].strip()


def _compiled(key: str, expression: str) -> re.Pattern[str]:
    # Whole words, except where the list says how something ends: that may be a comma.
    if not key.endswith("_end"):
        expression = rf"(?<!\w)(?:{expression})(?!\w)"
    return re.compile(expression, re.IGNORECASE)


@cache
def _load(language: str) -> Words:
    return Words(tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8")))


def words_for(language: str) -> Words:
    """Return the words of a language code such as "en-gb"; English where there is no list."""
    known = {file.stem for file in _FOLDER.glob("*.toml")}
    primary = language.lower().partition("-")[0]
    return _load(primary if primary in known else DEFAULT_LANGUAGE)

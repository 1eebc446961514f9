"""Finds the condition of the library, or the person on the site, that an old article names. None rather than a
wrong one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from unicodedata import normalize

from conditions.models import Condition, lines
from publishing.models import Contributor

_ARTICLE = re.compile(r"^(?:(?:the|an?|der|die|das|eine?|el|los|las?|les?|os?|as|uma?|une?)\s+|l')")
_IN_PARENTHESES = re.compile(r"\s*\(([^()]*)\)\s*$")
_PLURALS = (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("s", ""))
_TITLES = frozenset(
    ("by", "dr", "med", "prof", "professor", "mr", "mrs", "ms", "md", "mph", "phd", "msc", "rn", "frcp")
)


class Library:
    """The conditions in one language by their names and other names."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._found: dict[str, set[int]] = defaultdict(set)
        rows = Condition.objects.filter(publication__language=language)
        for pk, name, synonyms in rows.values_list("pk", "name", "synonyms"):
            for each in (name, *lines(synonyms)):
                self._found[self._key(each)].add(pk)
        self._found.pop("", None)

    def find(self, name: str) -> int | None:
        """The key of the one condition that goes by this name; None for none, or where several do.

        Case, hyphens, an article before it and the plural (in English) make no difference. What stands in
        parentheses counts where it says the same: an abbreviation, or a name with the same last word.
        """
        outside = _IN_PARENTHESES.sub("", name)
        candidates = [name, outside]
        if (match := _IN_PARENTHESES.search(name)) and _says_the_same(match[1], outside):
            candidates.append(match[1])
        found = set().union(*(self._found.get(self._key(candidate), ()) for candidate in candidates))
        return found.pop() if len(found) == 1 else None

    def knows(self, name: str) -> bool:
        """Whether any condition goes by this name, be it that several do."""
        return self._key(name) in self._found

    def _key(self, name: str) -> str:
        key = " ".join(
            normalize("NFKC", name).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("-", " ").split()
        )
        key = _ARTICLE.sub("", key.replace("(s)", "s").strip(" .:;,"))
        if not self.language.startswith("en"):
            return key
        for ending, singular in _PLURALS:
            if key.endswith(ending):
                return key if key.endswith(("us", "is", "ss")) else key.removesuffix(ending) + singular
        return key


def _says_the_same(inside: str, outside: str) -> bool:
    words, others = inside.casefold().split(), outside.casefold().split()
    if not words or not others:
        return False
    return (len(words) == 1 and inside.isupper()) or (len(words) > 1 and words[-1] == others[-1])


def people(names: Iterable[str]) -> tuple[list[Contributor], list[str]]:
    """The contributors of these names, without regard to titles and credentials, and the names nobody has."""
    names = list(names)
    if not names:
        return [], []
    known: dict[str, list[Contributor]] = defaultdict(list)
    for person in Contributor.objects.all():
        known[_person(person.name)].append(person)
    found, unknown = {}, []
    for name in names:
        match known.get(_person(name), []):
            case [person]:
                found[person.pk] = person
            case _:
                unknown.append(name)
    return list(found.values()), unknown


def _person(name: str) -> str:
    words = re.split(r"[\s.]+", normalize("NFKC", name).casefold().partition(",")[0])
    return " ".join(word for word in words if word and word not in _TITLES)

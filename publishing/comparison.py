"""What differs between two documents, in words that an editor and a reader understand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from publishing.documents import Document, Value
from publishing.richtext import plain

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_HIDDEN = {"schema_number", "uuid", "id", "content_hash", "extension", "width", "height"}
_FIELDS: dict[str, str | Promise] = {
    "title": gettext_lazy("title"),
    "name": gettext_lazy("name"),
    "heading": gettext_lazy("heading"),
    "summary": gettext_lazy("summary"),
    "intro": gettext_lazy("introduction"),
    "text": gettext_lazy("text"),
    "treatment": gettext_lazy("treatment"),
    "what_it_is": gettext_lazy("what it is"),
    "signs": gettext_lazy("signs"),
    "complications": gettext_lazy("complications"),
    "urgency": gettext_lazy("urgency"),
    "entries": gettext_lazy("condition"),
    "sections": gettext_lazy("section"),
    "tips": gettext_lazy("prevention tip"),
    "warning_signs": gettext_lazy("warning sign"),
    "citations": gettext_lazy("source"),
    "authors": gettext_lazy("author"),
    "conclusion": gettext_lazy("conclusion"),
    "note": gettext_lazy("note"),
    "picture": gettext_lazy("picture"),
    "synonyms": gettext_lazy("other names"),
    "body_area": gettext_lazy("body area"),
    "origin": gettext_lazy("origin"),
    "funding": gettext_lazy("funding"),
    "conflicts": gettext_lazy("conflicts of interest"),
    "ai": gettext_lazy("use of AI"),
    "language": gettext_lazy("language"),
    "alt": gettext_lazy("alternative text"),
    "caption": gettext_lazy("caption"),
    "credit": gettext_lazy("credit"),
}


class Op(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True)
class Change:
    """One difference. `place` is the path as in a Finding; `label` says where in words."""

    op: Op
    place: str
    label: str
    old: str = ""
    new: str = ""

    @property
    def segments(self) -> list[tuple[str, str]]:
        return segments(self.old, self.new)


def compare(old: Document, new: Document) -> list[Change]:
    """Every difference from `old` to `new`, in the order of the new document; parts are matched by their ID."""
    return list(_compare_values(old, new, "", ""))


def segments(old: str, new: str) -> list[tuple[str, str]]:
    """A word by word comparison: ('same' | 'removed' | 'added', text) in reading order."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    found: list[tuple[str, str]] = []
    for op, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op == "equal":
            found.append(("same", "".join(before[i:j])))
            continue
        if j > i:
            found.append(("removed", "".join(before[i:j])))
        if m > k:
            found.append(("added", "".join(after[k:m])))
    return found


def _compare_values(old: Value, new: Value, place: str, label: str) -> Iterator[Change]:
    for name in type(new).model_fields:
        if name in _HIDDEN and not (name == "content_hash" and getattr(old, name) != getattr(new, name)):
            continue
        yield from _compare(
            getattr(old, name, None),
            getattr(new, name),
            f"{place}/{name}".strip("/"),
            _join(label, _field(name)),
        )


def _compare(old: Any, new: Any, place: str, label: str) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Value) and isinstance(new, Value):
        yield from _compare_values(old, new, place, label)
    elif isinstance(new, tuple) and any(isinstance(item, Value) for item in (*(old or ()), *new)):
        yield from _compare_parts(old or (), new, place, label)
    else:
        before, after = _words(old), _words(new)
        op = Op.CHANGED if before and after else Op.ADDED if after else Op.REMOVED
        yield Change(op, place, label, before, after)


def _compare_parts(old: tuple[Any, ...], new: tuple[Any, ...], place: str, label: str) -> Iterator[Change]:
    before = {_identity(part): part for part in old}
    after = {_identity(part): part for part in new}
    for identity, part in before.items():
        if identity not in after:
            yield Change(Op.REMOVED, f"{place}/{identity}", _numbered(label, old, part), _words(part), "")
    for identity, part in after.items():
        where, name = f"{place}/{identity}", _numbered(label, new, part)
        if identity not in before:
            yield Change(Op.ADDED, where, name, "", _words(part))
        else:
            yield from _compare(before[identity], part, where, name)
    kept_before = [identity for identity in before if identity in after]
    kept_after = [identity for identity in after if identity in before]
    if kept_before != kept_after:
        yield Change(
            Op.MOVED,
            place,
            _("order: %s") % label,
            "\n".join(_name(before[identity]) for identity in kept_before),
            "\n".join(_name(after[identity]) for identity in kept_after),
        )


def _identity(part: Any) -> str:
    for name in ("id", "key", "uuid"):
        if value := getattr(part, name, ""):
            return str(value)
    return str(part)


def _name(part: Any) -> str:
    for name in ("heading", "name", "title", "text"):
        if value := getattr(part, name, ""):
            return plain(str(value))[:80]
    return str(part)


def _numbered(label: str, parts: tuple[Any, ...], part: Any) -> str:
    return f"{label} {parts.index(part) + 1}, {_name(part)}"


def _field(name: str) -> str:
    return str(_FIELDS.get(name, name.replace("_", " ")))


def _join(label: str, field: str) -> str:
    return f"{label}: {field}" if label else field


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Value):
        return "\n".join(
            words
            for name in type(value).model_fields
            if name not in _HIDDEN and (words := _words(getattr(value, name)))
        )
    if isinstance(value, tuple):
        return "\n".join(_words(item) for item in value)
    if isinstance(value, TextChoices):
        return str(value.label)
    return plain(str(value), citations=True)

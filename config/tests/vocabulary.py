"""Structured data held against the vocabulary of schema.org, and against the words of its page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bs4 import BeautifulSoup
from django.utils import timezone, translation
from django.utils.formats import date_format
from schema_org import registry

Node = dict[str, Any]

_BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_URL = re.compile(r"https?://[^\s<>\"]+")
_MEMBER = "https://schema.org/"
_BLOCKS = [
    *("p", "li", "ul", "ol", "div", "dd", "dt", "blockquote", "br", "td", "th", "section"),
    *(f"h{level}" for level in range(1, 7)),
]


def graph_in(html: str | bytes) -> list[Node]:
    """The nodes of a page's structured data; none for a page without. Raises where it has two blocks of it."""
    blocks = _BLOCK.findall(html if isinstance(html, str) else html.decode())
    assert len(blocks) <= 1
    nodes: list[Node] = json.loads(blocks[0])["@graph"] if blocks else []
    return nodes


# --- Against the vocabulary --------------------------------------------------------------------------------------


def faults(nodes: list[Node]) -> list[str]:
    """What the vocabulary does not know: types, properties, properties of another type, values of another kind."""
    named = {node["@id"]: node for node in _all(nodes) if "@id" in node and "@type" in node}
    return [fault for node in _all(nodes) for fault in _faults_of(node, named)]


def _all(value: Any) -> Iterator[Node]:
    """Every node, those inside others too."""
    if isinstance(value, list):
        for item in value:
            yield from _all(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _all(item)


def _types(node: Node) -> list[str]:
    types = node.get("@type", [])
    return [types] if isinstance(types, str) else types


def _with_ancestors(types: list[str]) -> set[str]:
    return {*types, *(ancestor for type_ in types for ancestor in registry.ancestry(type_))}


def _faults_of(node: Node, named: dict[str, Node]) -> Iterator[str]:
    types = _types(node)
    yield from (f"no type {type_}" for type_ in types if type_ not in registry.CLASS_METADATA)
    if not types and set(node) != {"@id"}:
        yield f"no type at all: {node}"
    for name, value in node.items():
        if name.startswith("@"):
            continue
        known = registry.PROPERTY_BY_SCHEMA.get(name)
        if known is None:
            yield f"no property {name}"
            continue
        if known.superseded_by:
            yield f"{name} is superseded by {known.superseded_by}"
        if not _with_ancestors(types) & set(known.domains):
            yield f"{name} is no property of {'/'.join(types)}"
        for item in value if isinstance(value, list) else [value]:
            if not _fits(item, set(known.ranges), named):
                yield f"{'/'.join(types)}.{name} may not be {json.dumps(item)[:80]}"


def _fits(value: Any, ranges: set[str], named: dict[str, Node]) -> bool:
    if isinstance(value, dict):
        if "@type" not in value:
            value = named.get(value.get("@id", ""), {})
        return bool(_with_ancestors(_types(value)) & ranges)
    if isinstance(value, bool):
        return "Boolean" in ranges
    if isinstance(value, int):
        return bool({"Integer", "Number"} & ranges)
    return isinstance(value, str) and _text_fits(value, ranges)


def _text_fits(value: str, ranges: set[str]) -> bool:
    member = registry.ENUM_MEMBER_METADATA.get(value.removeprefix(_MEMBER)) if value.startswith(_MEMBER) else None
    if member:
        return bool({*member.types, *(a for type_ in member.types for a in registry.ancestry(type_))} & ranges)
    if {"Text", "CssSelectorType"} & ranges:
        return True
    patterns = {"URL": _URL, "Date": _DATE, "DateTime": _DATE_TIME}
    return any(pattern.fullmatch(value) for name, pattern in patterns.items() if name in ranges)


# --- Against the page --------------------------------------------------------------------------------------------

# What is no words: addresses, terms of the vocabulary, selectors, and the numbers of a source, which are in its links.
NOT_WORDS = {
    *("@id", "@type", "url", "sameAs", "item", "hasHealthAspect", "itemListOrder", "cssSelector", "inLanguage"),
    *("publishingPrinciples", "correctionsPolicy", "ownershipFundingInfo", "actionableFeedbackPolicy"),
    *("propertyID", "value"),
}
# Days, which the page writes as people do; of an expiry it may say the month alone, of a source the year.
DAYS = {"datePublished", "dateModified", "lastReviewed", "expires", "guidelineDate"}


def visible_words(html: str | bytes) -> str:
    """The text of a page's body, without the numbers of sources in it, as one line."""
    page = BeautifulSoup(html, "html.parser")
    for tag in page.select("a.cite, script, style, template, head"):
        tag.decompose()
    for tag in page.find_all(_BLOCKS):
        tag.insert(0, " ")
        tag.append(" ")
    return _line(page.get_text(""))


def unseen(nodes: list[Node], html: str | bytes, language: str) -> list[str]:
    """Words and days of the structured data that the page does not show."""
    visible = visible_words(html)
    lower = visible.casefold()
    found = []
    for name, value in _strings(nodes):
        if name in DAYS:
            with translation.override(language):
                seen = any(form in visible for form in _written(name, value))
        else:
            seen = _line(value).casefold() in lower  # "back pain" within a sentence, "Back pain" at its start
        if not seen:
            found.append(f"{name}: {value}")
    return found


def _line(text: str) -> str:
    return re.sub(r"\s+(?=[.,;:!?)])", "", " ".join(text.split()))


def _written(name: str, value: str) -> list[str]:
    if len(value) == 4:
        return [value]
    moment = datetime.fromisoformat(value)
    day = timezone.localdate(moment) if moment.tzinfo else moment.date()
    return [date_format(day), *([date_format(day, "YEAR_MONTH_FORMAT")] if name == "expires" else [])]


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _strings(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in NOT_WORDS or isinstance(item, dict | list):
                yield from _strings(item, key)
    elif isinstance(value, str) and name not in NOT_WORDS:
        yield name, value

"""Reads facts from lines of an article: who wrote it and when, where it was published first, what it refers to."""

# ruff: noqa: RUF001 -- dashes and quotes are what is looked for here
from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .blocks import Block, Style
from .language import Words
from .result import Origin, Reference

_URL = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"')\]]+")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]{1,190}[^\s\"<>.,;)\]]")
_PMID = re.compile(r"\b(?:PMID:?\s{0,3}|pubmed(?:\.ncbi\.nlm\.nih\.gov|/)/?)(\d{4,9})\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_MARKER = re.compile(r"[\[(]?(\d{1,3})[\])]?[.:)]?")
_NUMBERS = re.compile(r"\d{1,4}")
_ISO = re.compile(r"(?<!\d)(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[./](\d{1,2})[./](\d{4})(?!\d)")
_BETWEEN_NAMES = re.compile(r"\s*(?:[;&]|,(?!\s*(?:[A-Z]{2,5}|Ph\.?D|Jr|Sr)\b))\s*")
_AROUND_NAME = " \t\u00a0.,:;|·•–—-()"
_NAME_LENGTH = 80
_HOST_LENGTH = 4
_ORIGIN_LENGTH, _SENTENCES = 400, 3
_SENTENCE_END = re.compile(r"[.!?]\s+|[。！？]")


def origin_of(block: Block, words: Words) -> Origin | None:
    """Return who published the article first, as a line says it; None if it does not."""
    text = block.text.strip(" ()[]*_")
    first = _SENTENCE_END.search(text[:_ORIGIN_LENGTH])
    said = words.groups("origin.lines", text[: first.start()] if first else text)
    said = said or words.groups("origin.lines", text)
    if not said:
        # "Adapted with permission. This article first appeared on …"
        ends = [end.end() for end in _SENTENCE_END.finditer(text[:_ORIGIN_LENGTH])][:_SENTENCES]
        parts = [text[start:] for start in ends]
        said = next((found for part in parts if (found := words.groups("origin.lines", part))), {})
    origin = _origin(said, block, words) if said else None
    return origin if origin and origin.name and len(origin.name) <= _NAME_LENGTH else None


def _origin(said: dict[str, str], block: Block, words: Words) -> Origin:
    url = _URL.search(block.text)
    links = [mark.href for mark in block.marks if mark.style == Style.LINK and mark.href.startswith("http")]
    address = _address(url) or (links[-1] if links else "")
    name = words.before("origin.name_end", said["name"]) or address
    return Origin(name.strip(" .–—-"), address, (said.get("title") or "").strip(" “”\"'"))


def with_address(origin: Origin, address: str) -> Origin:
    """Return the origin with the canonical address of the page, if the line gave none and the host is its name."""
    squeezed = re.sub(r"\W", "", origin.name.casefold())
    try:
        host = re.sub(r"\W", "", (urlsplit(address).hostname or "").removeprefix("www.").rpartition(".")[0])
    except ValueError:
        return origin
    is_same = len(host) >= _HOST_LENGTH and (host in squeezed or squeezed in host)
    words = [word for word in re.findall(r"\w+", origin.name.casefold()) if len(word) >= _HOST_LENGTH]
    is_same = is_same or sum(word in host for word in words) * 2 > len(words)
    return replace(origin, url=address) if is_same and not origin.url else origin


def origin_as_written(block: Block) -> Origin:
    """Return the origin of a line that an editor says is one: all of it is the name."""
    url = _URL.search(block.text)
    return Origin(block.text.strip(), _address(url))


def _address(found: re.Match[str] | None) -> str:
    address = found[0].rstrip(".,;:") if found else ""
    return f"https://{address}" if address.startswith("www.") else address


def names_in(text: str, words: Words) -> list[str]:
    """Return the names of the authors in a line such as "By Jane Doe and John Roe, MD · 3 May 2020"."""
    said = words.groups("byline.author", text.strip()).get("name", "")
    if not said:
        return []
    said = words.before("byline.after_name", said)
    parts = [part for piece in _BETWEEN_NAMES.split(said) for part in _apart(piece, words)]
    return [name for part in parts if (name := part.strip(_AROUND_NAME)) and len(name) <= _NAME_LENGTH]


def _apart(text: str, words: Words) -> list[str]:
    """Divide "Jane Doe and John Roe"."""
    first = words.before("byline.and", text)
    return [first, *_apart(words.after("byline.and", text), words)] if first != text.strip() else [text]


def date_in(text: str, words: Words) -> datetime | None:
    """Return the first day that a line names, at midnight UTC; None if it names none."""
    text = text[:200]
    if found := _ISO.search(text):
        return _day(found[1], found[2], found[3])
    if found := _DAY_FIRST.search(text):
        return _day(found[3], found[2], found[1]) or _day(found[3], found[1], found[2])
    year = _YEAR.search(text)
    months = words.lists.get("byline.months", ())
    named = [(match.start(), month) for month, known in enumerate(months, 1) if (match := known.search(text))]
    if not year or not named:
        return None
    place, month = min(named)
    numbers = [number[0] for number in _NUMBERS.finditer(text) if int(number[0]) <= 31]
    near = min(numbers, key=lambda number: abs(text.find(number) - place), default="1")
    return _day(year[0], str(month), near)


def _day(year: str, month: str, day: str) -> datetime | None:
    try:
        return datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return None


def tags_in(text: str, words: Words) -> list[str]:
    """Return the tags of a line such as "Tags: back, pain"."""
    opened = words.opens("byline.tags", text)
    rest = text[opened:].lstrip(" :：") if opened else text
    return [tag for part in re.split(r"[,;|·•#、，]", rest) if (tag := part.strip(" .")) and len(tag) <= 100]


def reference_of(block: Block) -> Reference:
    """Return the source that a line refers to, with what it says of where to find it."""
    text = block.text
    links = [mark.href for mark in block.marks if mark.style == Style.LINK and mark.href.startswith("http")]
    looked_at = " ".join([text[:2000], *links[:5]])
    doi, pmid, years = _DOI.search(looked_at), _PMID.search(looked_at), _YEAR.findall(text[:2000])
    url = _URL.search(text[:2000])
    marker = _MARKER.fullmatch(block.marker.strip()) if block.marker else None
    return Reference(
        text=text,
        url=links[0] if links else _address(url),
        doi=doi[0] if doi else "",
        pmid=pmid[1] if pmid else "",
        year=int(years[0]) if years else None,
        marker=marker[1] if marker else (str(block.number) if block.number is not None else ""),
    )

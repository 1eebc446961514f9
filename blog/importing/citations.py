"""Turns the references of an old article into citations of the site, and their numbers in its texts into [@key]."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator, slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from blog.importing.result import Reference, Section, Structure
from publishing.models import Citation

TITLE_LENGTH = 300

_NUMBERS = r"\d{1,3}(?:\s?[,;\u2013-]\s?\d{1,3}){0,20}"
_OPENED, _CLOSED = r"(?:<(?:sup|a)\b[^<>]{0,500}>){0,3}", r"(?:</(?:sup|a)>){0,3}"
_IN_BRACKETS = re.compile(rf"({_OPENED})\[({_NUMBERS})\]({_CLOSED})")
_RAISED = re.compile(r"<sup\b[^<>]{0,500}>((?:[\d\s,;\u2013\[\]-]|</?a\b[^<>]{0,500}>){1,200})</sup>")
_ELEMENT = re.compile(r"<[^<>]*>")
_RANGE = re.compile(r"(\d+)\s?[\u2013-]\s?(\d+)")
_DOI = re.compile(r"10\.\d{4,9}/\S{1,190}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_is_url = URLValidator(schemes=["http", "https"])


def cite(structure: Structure) -> tuple[Structure, list[str]]:
    """Make, or find, the citation of each reference that has an address, and cite it where its number stands.

    A reference without an address, one that no text cites, and one too long for a title stay in a section of
    references, whole. Returns the structure with both, and remarks for the editor.
    """
    if not structure.references:
        return structure, []
    references = [(reference, _citation(reference)) for reference in structure.references]
    texts = _Texts({reference.marker: source.key for reference, source in references if source and reference.marker})
    structure = replace(
        structure,
        intro=texts.cited(structure.intro),
        entries=tuple(
            replace(entry, text=texts.cited(entry.text), treatment=texts.cited(entry.treatment))
            for entry in structure.entries
        ),
        sections=tuple(replace(section, text=texts.cited(section.text)) for section in structure.sections),
        tips_intro=texts.cited(structure.tips_intro),
        tips=tuple(replace(tip, text=texts.cited(tip.text)) for tip in structure.tips),
        signs_intro=texts.cited(structure.signs_intro),
        note=texts.cited(structure.note),
        conclusion=texts.cited(structure.conclusion),
    )
    listed = [
        (reference, source)
        for reference, source in references
        if source is None or source.key not in texts.used or len(reference.text) > TITLE_LENGTH
    ]
    if listed:
        structure = replace(structure, sections=(*structure.sections, _section(structure.references_heading, listed)))
    return structure, _remarks([source for _reference, source in references])


class _Texts:
    """Replaces the numbers of references in texts, and notes which were there."""

    def __init__(self, keys: dict[str, str]) -> None:
        self.keys = keys
        self.used: set[str] = set()

    def cited(self, html: str) -> str:
        if not self.keys or not html:
            return html
        return _IN_BRACKETS.sub(self._bracketed, _RAISED.sub(self._raised, html))

    def _raised(self, match: re.Match[str]) -> str:
        inside = _ELEMENT.sub("", match[1]).replace("][", ",").strip("[] ")
        return self._found(inside) or match[0]

    def _bracketed(self, match: re.Match[str]) -> str:
        opened, closed = _ELEMENT.findall(match[1]), _ELEMENT.findall(match[3])
        pairs = min(len(opened), len(closed))  # <sup><a>[1]</a></sup> goes, what else begins or ends here stays
        found = self._found(match[2])
        return "".join(opened[: len(opened) - pairs]) + found + "".join(closed[pairs:]) if found else match[0]

    def _found(self, numbers: str) -> str:
        """The keys in [@key] for "1, 3-5"; nothing where one of them is no reference with an address."""
        keys = [self.keys.get(number) for number in re.findall(r"\d+", _RANGE.sub(_spread, numbers))]
        if not keys or not all(keys):
            return ""
        self.used.update(filter(None, keys))
        return "".join(f"[@{key}]" for key in keys)


def _spread(match: re.Match[str]) -> str:
    """The numbers of a range, "3,4,5" for "3-5"."""
    first, last = int(match[1]), int(match[2])
    return ",".join(map(str, range(first, min(last, first + 50) + 1)))


def _citation(reference: Reference) -> Citation | None:
    """The citation of a reference: one that the site has by this DOI, PubMed ID or address, else a new one."""
    doi = reference.doi if _DOI.fullmatch(reference.doi) else ""
    pmid = reference.pmid if re.fullmatch(r"\d{1,12}", reference.pmid) else ""
    url = reference.url if is_web_address(reference.url) else ""
    if not (doi or pmid or url):
        return None
    same = Q()
    if doi:
        same |= Q(doi__iexact=doi)
    if pmid:
        same |= Q(pmid=pmid)
    if url:
        same |= Q(url__in=[url.rstrip("/"), f"{url.rstrip('/')}/"])
    if known := Citation.objects.filter(same).order_by("pk").first():
        return known
    year = reference.year if reference.year and 1800 <= reference.year <= 2200 else None
    return Citation.objects.create(
        key=_free_key(reference, year),
        kind=Citation.Kind.STUDY if doi or pmid else Citation.Kind.WEB,
        title=Truncator(reference.text or url or doi or pmid).chars(TITLE_LENGTH),
        year=year,
        url=url,
        doi=doi,
        pmid=pmid,
    )


def is_web_address(url: str) -> bool:
    """Whether a field for web addresses takes it."""
    try:
        _is_url(url)
    except ValidationError:
        return False
    return len(url) <= 500


def _free_key(reference: Reference, year: int | None) -> str:
    """A key that no citation has: first word and year as in "smith-2019", else the host of the address."""
    word = _WORD.search(reference.text)
    host = (urlsplit(reference.url).hostname or "").removeprefix("www.") if reference.url else ""
    base = slugify(f"{word[0]}-{year}" if word and year else host.replace(".", "-"))[:50].strip("-_").replace("_", "-")
    base = base or f"source-{reference.pmid or slugify(reference.doi)[:40]}".rstrip("-")
    taken = set(Citation.objects.filter(key__startswith=base).values_list("key", flat=True))
    key, number = base, 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key


def _section(heading: str, listed: list[tuple[Reference, Citation | None]]) -> Section:
    items = format_html_join(
        "",
        "<li>{}{}{}</li>",
        (
            (
                f"[{reference.marker}] " if reference.marker and source is None else "",
                reference.text or reference.url,
                f" [@{source.key}]" if source else "",
            )
            for reference, source in listed
        ),
    )
    return Section(heading=heading or _("References"), text=format_html("<ul>{}</ul>", items))


def _remarks(sources: list[Citation | None]) -> list[str]:
    made, without = len([source for source in sources if source]), sources.count(None)
    found = []
    if made:
        found.append(
            ngettext(
                "%(n)d reference is a source of the site now: check its kind, title and year.",
                "%(n)d references are sources of the site now: check their kind, title and year.",
                made,
            )
            % {"n": made}
        )
    if without:
        found.append(
            ngettext(
                "%(n)d reference has no address, so it stays in a section of its own.",
                "%(n)d references have no address, so they stay in a section of their own.",
                without,
            )
            % {"n": without}
        )
    return found

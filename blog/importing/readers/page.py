"""What a page says of its article beside the text: title, authors, dates, tags, addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..blocks import Block, Meta, PictureRef, Zone

_SPACE = re.compile(r"\s+")
_LENGTH = 500
_MANY = 50
# What stands between the title of an article and the name of its site.
_SITE = re.compile(r"\s+[-–—|·•»:]+\s+|\s*[|»]\s*")  # noqa: RUF001 -- dashes are meant
_BY = re.compile(r"(?:(?:written|posted|reviewed)\s+)?(?:by|von|por|par)\s*:?\s+", re.IGNORECASE)
_AFTER_NAME = re.compile(r"\s+[|·•–—-]\s+|\s+on\s+|[\n;]|\d")  # noqa: RUF001 -- dashes are meant
_NAME_WORD = re.compile(r"[^\W\d_a-zß-ÿ][\w.'’-]*,?|v[ao]n|d[aeiou]|del|della|dos|la|le|el|und|and|[y&]")  # noqa: RUF001
_ARTICLE = re.compile(r"Article|Posting|WebPage|Report|Recipe|HowTo|FAQPage")
_NODES = 20_000


class PageFacts:
    """Collects what the elements of a page say of it."""

    def __init__(self, base: str = "") -> None:
        self.base = base
        self.names: dict[str, list[str]] = {}
        self.links: dict[str, list[str]] = {}
        self.heard: dict[str, list[str]] = {}
        self.times: list[tuple[bool, str]] = []
        self.language = ""

    def absolute(self, address: str) -> str:
        """Return an address as a link can lead to it; empty if it cannot."""
        address = address.strip()
        try:
            whole = urljoin(self.base, address) if address and not address.startswith("#") else address
            scheme = urlsplit(whole).scheme.lower()
        except ValueError:
            return ""
        return whole if scheme in ("", "http", "https", "mailto", "tel", "ftp") else ""

    def see(self, name: str, attributes: dict[str, str]) -> None:
        """Take note of a start tag."""
        if name == "meta":
            key = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
            _note(self.names, key.strip().lower(), attributes.get("content", ""))
        elif name == "link":
            for relation in attributes.get("rel", "").lower().split():
                _note(self.links, relation, attributes.get("href", ""))
        elif name == "html":
            self.language = attributes.get("lang") or attributes.get("xml:lang") or ""
        elif name == "base" and "href" in attributes:
            self.base = self.absolute(attributes["href"]) or self.base
        elif name == "abbr" and "published" in attributes.get("class", "").split():
            self.times.append((True, attributes.get("title", "")))
        elif name == "time" and len(self.times) < _MANY:
            said = f"{attributes.get('class', '')} {attributes.get('itemprop', '')} {'pubdate' in attributes}".lower()
            self.times.append(("publish" in said or "true" in said, attributes.get("datetime", "")))

    def hear(self, what: str, text: str) -> None:
        """Take note of the text of an element that was listened to."""
        _note(self.heard, what, text, limit=2_000_000 if what == "data" else _LENGTH)

    def meta(self, blocks: Iterable[Block]) -> Meta:
        """Return what was found, the best of what is said twice. Nothing of any shape raises."""
        data = _Data(self.heard.get("data", []))
        names = self.names
        url = self._url(data)
        site = _first(names.get("og:site_name"), data.site, names.get("application-name"))
        headings = [block for block in blocks if block.level and block.zone in (Zone.MAIN, Zone.HEADER)]
        lead = _first(names.get("og:image:secure_url"), names.get("og:image"), names.get("twitter:image"), data.image)
        authors = data.authors or _people(names.get("author", [])) or _people(names.get("dc.creator", []))
        keywords = [
            word for words in names.get("keywords", []) + names.get("news_keywords", []) for word in words.split(",")
        ]
        published = (
            "article:published_time",
            "datepublished",
            "date",
            "dc.date",
            "dc.date.issued",
            "pubdate",
            "parsely-pub-date",
        )
        modified = ("article:modified_time", "og:updated_time", "datemodified", "last-modified")
        return Meta(
            title=_title(data.title, _first(names.get("og:title")), _first(self.heard.get("title")), headings, site),
            summary=_first(names.get("description"), names.get("og:description"), data.summary),
            authors=authors
            or _people(self.heard.get("author", []))
            or _people(filter(_is_name, self.heard.get("byline", []))),
            published=_moment([data.published, *_all(names, published), *self._times()]),
            modified=_moment([data.modified, *_all(names, modified)]),
            tags=_distinct([*names.get("article:tag", []), *data.tags, *self.heard.get("tag", [])] or keywords),
            language=_language(self.language or _first(names.get("og:locale"), names.get("content-language"))),
            url=url,
            site=site,
            paths=self._paths(url),
            picture=PictureRef(lead, _first(names.get("og:image:alt"))) if lead else None,
        )

    def _url(self, data: _Data) -> str:
        for url in (*self.links.get("canonical", []), *self.names.get("og:url", []), data.url):
            whole = self.absolute(url)
            if whole.startswith(("http://", "https://")):
                return whole
        return ""

    def _times(self) -> list[str]:
        return [said for _is_published, said in sorted(self.times, key=lambda each: not each[0])]

    def _paths(self, url: str) -> tuple[str, ...]:
        if not url:
            return ()
        addresses = [url, *(self.absolute(short) for short in self.links.get("shortlink", []))]
        return _distinct([path for each in addresses if (path := path_of(each, url)) not in ("", "/")])


def path_of(address: str, site: str) -> str:
    """Return the path of an address on the same site as another, with its query; empty if it is elsewhere."""
    try:
        parts, home = urlsplit(address), urlsplit(site)
    except ValueError:
        return ""
    if parts.hostname != home.hostname:
        return ""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def moment(value: object) -> datetime | None:
    """Return the moment that a value says, aware; one that names no zone is taken as UTC. None if it says none."""
    found: datetime | None = None
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, date):
            found = datetime.combine(value, time())
        elif isinstance(value, str) and value.strip()[:4].isdigit():
            found = datetime.fromisoformat(re.sub(r"\s*(?:UTC|GMT)$|\s+(?=[+-]\d)", "", value.strip()[:40]))
        elif isinstance(value, str) and value.strip():
            found = parsedate_to_datetime(value.strip()[:60])
        if found and found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        # A moment that has no like in UTC is none: at the ends of the calendar.
        return found.astimezone(UTC) and found if found else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


class _Data:
    """What JSON-LD says of an article, whatever its shape."""

    def __init__(self, scripts: list[str]) -> None:
        nodes = [node for script in scripts for node in _nodes(script)]
        by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
        articles = [node for node in nodes if _ARTICLE.search(_text(node.get("@type")))]
        articles.sort(key=lambda node: "headline" not in node and "author" not in node)

        def said(key: str) -> Any:
            return next((node[key] for node in articles if node.get(key)), "")

        def named(value: Any) -> list[str]:
            values = value if isinstance(value, list) else [value]
            resolved = [
                by_id.get(each.get("@id", ""), each)
                if isinstance(each, dict) and isinstance(each.get("@id", ""), str)
                else each
                for each in values[:_MANY]
            ]
            return [_text(each.get("name") if isinstance(each, dict) else each) for each in resolved]

        tags = said("keywords")
        image = said("image") or said("thumbnailUrl")
        while isinstance(image, list) and image:
            image = image[0]
        if isinstance(image, dict):
            image = by_id.get(_text(image.get("@id")), image)
            image = image.get("url") or image.get("contentUrl") or image.get("@id")
        self.title = _text(said("headline")) or _text(said("name"))
        self.summary = _text(said("description"))
        self.authors = _people(named(said("author")))
        self.published = _text(said("datePublished"))
        self.modified = _text(said("dateModified"))
        self.tags = [_text(tag) for tag in (tags if isinstance(tags, list) else _text(tags).split(","))]
        self.image = _text(image)
        self.site = next(iter(named(said("publisher"))), "")
        self.url = _text(said("url")) or _text(said("mainEntityOfPage"))


def _nodes(script: str) -> Iterator[dict[str, Any]]:
    try:
        waiting = [json.loads(script)]
    except (ValueError, RecursionError):
        return
    for _count in range(_NODES):
        if not waiting:
            return
        value = waiting.pop(0) if len(waiting) < _MANY else waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += [each for each in value.values() if isinstance(each, (dict, list))]
        elif isinstance(value, list):
            waiting += [each for each in value if isinstance(each, (dict, list))]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_text(each) for each in value[:5] if isinstance(each, str))
    if isinstance(value, dict):
        value = value.get("@id") or value.get("name") or value.get("@value") or ""
    return _clean(value) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    text = _SPACE.sub(" ", text[: 4 * _LENGTH]).strip()[:_LENGTH]
    return "".join(letter for letter in text if letter.isprintable())


def _note(notes: dict[str, list[str]], key: str, text: str, limit: int = _LENGTH) -> None:
    noted = notes.setdefault(key, []) if len(notes) < 20 * _MANY else notes.get(key, [])
    text = text.strip() if limit > _LENGTH else _clean(text)
    if text and len(text) <= limit and len(noted) < _MANY:
        noted.append(text)


def _first(*said: list[str] | str | None) -> str:
    for each in said:
        if each:
            return each if isinstance(each, str) else each[0]
    return ""


def _all(names: dict[str, list[str]], keys: Iterable[str]) -> list[str]:
    return [value for key in keys for value in names.get(key, [])]


def _moment(values: Iterable[str]) -> datetime | None:
    return next((found for value in values if (found := moment(value))), None)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for value in values if (each := value.strip())))


def _people(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of people as written, "by" and addresses left out."""
    found = []
    for name in names:
        name = _AFTER_NAME.split(_BY.sub("", name.strip(), count=1), maxsplit=1)[0].strip(" ,|")
        if name and len(name) <= 80 and "://" not in name and "@" not in name:
            found.append(name)
    return _distinct(found)


def _is_name(text: str) -> bool:
    """Tell whether the line of an author is a name, not a date or a sentence."""
    words = [word for name in _people([text]) for word in name.split()]
    return len(words) > 1 and all(map(_NAME_WORD.fullmatch, words))


def _title(data: str, shared: str, window: str, headings: list[Block], site: str) -> str:
    """Return the title of the article without the name of its site.

    A page says it up to four times, most often the same: the longest heading that starts or ends one of the others is
    right, if it is not the name of the site.
    """
    said = [title for title in (data, shared, window) if title]
    for title in said:
        plain = _plain(title)
        known = [
            block.text
            for block in headings
            if (own := _plain(block.as_written))
            and own != _plain(site)
            and (block.level == 1 or (block.level <= 3 and 2 * len(own) >= len(plain)))
            and (plain == own or plain.startswith(f"{own} ") or plain.endswith(f" {own}"))
        ]
        if known:
            return max(known, key=len)
    for title in said:
        for cut in reversed(list(_SITE.finditer(title))):
            rest = title[cut.end() :].strip()
            is_site = _plain(rest) == _plain(site) if site else title is window and 0 < len(rest) < cut.start()
            if is_site:
                return title[: cut.start()].strip()
        return title
    main = [block.text for block in headings if block.level == 1 and block.zone == Zone.MAIN]
    return main[0] if main else ""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _language(said: str) -> str:
    tag = said.strip().split(",")[0].split(".")[0].replace("_", "-")
    return tag if re.fullmatch(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8})*", tag) else ""

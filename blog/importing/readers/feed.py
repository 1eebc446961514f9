"""Reads feeds: RSS of every version and Atom item by item, and JSON Feed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html import escape
from typing import Any

from django.utils.translation import gettext as _
from lxml import etree

from ..blocks import Meta, PictureRef, Problem, Source, SourceArticle, UnreadableSource
from .html import html_blocks
from .items import Identities, Item, Items, item_name, joined, name_of, plain, text_of, with_whole_addresses
from .page import moment, path_of
from .sniffing import HEAD

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_ATOM = re.compile(rb"<(?:[\w.-]{1,60}:)?feed[\s>]|(?:<\0|\0<)\0{0,2}f\0{1,3}e\0{1,3}e\0{1,3}d")
# "mail@site.example (Name)"; an address alone is nobody's name.
_ADDRESS = re.compile(r"\s*[^\s()<>@]{1,100}@[^\s()<>]{1,100}\s*(?:\((?P<name>[^()]{1,200})\))?\s*")
# A whole article is longer than this; a summary may say that there is more.
_SUMMARY_LENGTH = 500
_MORE = re.compile(
    r"(?:…|\.\.\.|read (?:more|on)|continue reading|weiterlesen|leer más|ler mais|lire la suite|阅读更多)"
    r"[\s\]>»→.]{0,9}\Z",
    re.IGNORECASE,
)


def read_feed(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read the items of a feed of RSS or Atom. One that is broken costs only itself.

    An item that has only a summary is read, with a Problem that says so.
    Raises UnreadableSource if there is nothing to read in it.
    """
    with source.open() as file:
        is_atom = bool(_ATOM.search(file.read(HEAD)))
    with source.open() as file:
        items = Items(file, source.name, "entry" if is_atom else "item")
        reader = (_Atom if is_atom else _Rss)(source, items.header)
        is_empty = True
        for item in items:
            is_empty = False
            yield from [item] if isinstance(item, Problem) else reader.read(item)
        if is_empty:
            raise UnreadableSource(_("There are no articles in this feed."))


class _Feed:
    """What the kinds of feeds share: an item, as read, becomes an article."""

    def __init__(self, source: Source, site: str, language: str, home: str) -> None:
        self.source = source
        self.site = site
        self.home = home or site
        self.language = language
        self.identities = Identities()

    def article(
        self, meta: Meta, *, identity: str, digest: str, html: str, is_summary: bool, base: str, line: int, at: int
    ) -> Iterator[SourceArticle | Problem]:
        """Yield the article of an item that starts on a line and has its HTML ``at`` another, or why there is none."""
        name = item_name(self.source.name, meta.title)
        try:
            blocks, _inner = html_blocks(html, first_line=at, base=base)
        except UnreadableSource as error:
            yield Problem(name, line, str(error))
            return
        if not blocks:
            yield Problem(name, line, _("Left out: it has a title and no text."), is_note=True)
            return
        text = blocks[-1].text
        is_summary = is_summary and (
            sum(len(block.text) for block in blocks) < _SUMMARY_LENGTH or bool(_MORE.search(text[-100:]))
        )
        if is_summary:
            message = _("The feed has only a summary of this article. The whole text is on its own page.")
            yield Problem(name, line, message)
        identity = identity or meta.url or f"{meta.title} {meta.published}"
        if ":" not in identity:
            identity = f"{self.home}#{identity}"  # a number that other feeds may count with, too
        path = path_of(meta.url, meta.url)
        article = SourceArticle(
            name=name,
            format="feed",
            # A summary must not replace the whole text that came from somewhere else.
            identity=f"summary:{identity}" if is_summary else identity,
            digest=digest,
            blocks=with_whole_addresses(blocks, base),
            meta=replace(
                meta,
                site=self.site,
                language=meta.language or self.language,
                picture=meta.picture and replace(meta.picture, source=joined(base, meta.picture.source)),
                paths=(path,) if path.startswith("/") and path != "/" else (),
            ),
            line=line,
            open_file=self.source.open_file,
        )
        yield self.identities.distinct(article, meta.url)


class _Rss(_Feed):
    def __init__(self, source: Source, header: Item) -> None:
        root = header.element.getparent()
        said = (each.get(name, "") for each in (header.element, root) if each is not None for name in (_LANGUAGE,))
        super().__init__(
            source,
            plain(header.text("title")),
            header.text("language", "dc:language") or next(filter(None, said), ""),
            header.text("link"),
        )
        self.base = header.text("link")
        self.xml_base = next((each.get(_BASE, "") for each in (header.element, root) if each is not None), "")

    def read(self, item: Item) -> Iterator[SourceArticle | Problem]:
        """Yield the article that an item is, or why it is left out."""
        guid = item.text("guid")
        is_link = guid.startswith(("http://", "https://")) and all(
            each.get("isPermaLink", "true") != "false" for each in item.all("guid")
        )
        base = joined(self.xml_base, item.element.get(_BASE, ""))
        link = item.text("origLink", "link") or (guid if is_link else "") or item.element.get(f"{{{_RDF}}}about", "")
        link = joined(base or self.base, link) if link else ""
        whole = _longest(item, "content:encoded", "xhtml:body", "xhtml:div", "content")
        short = _longest(item, "description", "summary", "excerpt:encoded")
        content = whole if whole is not None else short
        summary = plain(text_of(short)) if whole is not None and short is not None else ""
        meta = Meta(
            title=plain(item.text("title", "dc:title")),
            summary="" if _MORE.search(summary[-100:]) else summary,
            authors=_names([*item.all("dc:creator"), *item.all("author"), *item.all("itunes:author")]),
            published=moment(item.text("pubDate")) or moment(item.text("dc:date", "dcterms:created", "published")),
            modified=moment(item.text("dcterms:modified", "updated")),
            tags=tuple(
                dict.fromkeys(
                    filter(None, (plain(text_of(each)) for each in (*item.all("category"), *item.all("dc:subject"))))
                )
            ),
            language=item.text("dc:language", "language") or item.element.get(_LANGUAGE, ""),
            url=link,
            picture=_picture(item),
        )
        yield from self.article(
            meta,
            identity=guid,
            digest=item.digest(without=("slash:comments",)),
            html=_inner(content) if content is not None else "",
            is_summary=whole is None,
            base=base or link,
            line=item.line,
            at=item.line_of(content) if content is not None else item.line,
        )


class _Atom(_Feed):
    def __init__(self, source: Source, header: Item) -> None:
        super().__init__(
            source, plain(_atom_text(header, "title")), header.element.get(_LANGUAGE, ""), header.text("id")
        )
        self.base = header.element.get(_BASE, "")
        self.authors = _people(header)

    def read(self, item: Item) -> Iterator[SourceArticle | Problem]:
        """Yield the article that an entry is, or why it is left out."""
        base = joined(self.base, item.element.get(_BASE, ""))
        links = [
            joined(joined(base, each.get(_BASE, "")), each.get("href", ""))
            for relation in ("alternate", "")
            for each in item.all("link")
            if each.get("rel", "") == relation and each.get("href")
        ]
        link = links[0] if links else ""
        contents = [each for each in item.all("content") if not each.get("src") and text_of(each)]
        summaries = item.all("summary")
        content = next(iter(contents or summaries), None)
        summary = plain(text_of(summaries[0])) if contents and summaries else ""
        meta = Meta(
            title=plain(_atom_text(item, "title")),
            summary="" if _MORE.search(summary[-100:]) else summary,
            authors=_people(item) or self.authors,
            published=moment(item.text("published", "issued", "created")) or moment(item.text("updated", "modified")),
            modified=moment(item.text("updated", "modified")),
            tags=tuple(
                dict.fromkeys(
                    filter(
                        None, (plain(each.get("label", "") or each.get("term", "")) for each in item.all("category"))
                    )
                )
            ),
            language=item.element.get(_LANGUAGE, ""),
            url=link,
            picture=_picture(item),
        )
        yield from self.article(
            meta,
            identity=item.text("id"),
            digest=item.digest(),
            html=_atom_html(content) if content is not None else "",
            is_summary=not contents,
            base=joined(base, content.get(_BASE, "") if content is not None else "") or link,
            line=item.line,
            at=item.line_of(content) if content is not None else item.line,
        )


def _longest(item: Item, *names: str) -> etree._Element | None:
    """Return the longest element of the first of these names under which there is any text."""
    for name in names:
        found = max(item.all(name), key=lambda each: len(text_of(each)), default=None)
        if found is not None and text_of(found):
            return found
    return None


def _inner(element: etree._Element) -> str:
    """Return the HTML that an element holds: as text, or as elements of its own."""
    if not len(element):
        return element.text or ""
    for each in element.iter("*"):
        each.tag = etree.QName(each).localname
    parts = [escape(element.text or ""), *(etree.tostring(each, encoding="unicode", method="html") for each in element)]
    return "".join(parts)


def _atom_html(element: etree._Element) -> str:
    kind = element.get("type", "text")
    if kind in ("text", "text/plain") and not len(element):
        return escape(element.text or "")
    return _inner(element)


def _atom_text(item: Item, name: str) -> str:
    return next((_atom_html(element) for element in item.all(name)), "")


def _names(elements: list[etree._Element]) -> tuple[str, ...]:
    found: list[str] = []
    for element in elements:
        name = plain(text_of(element))
        if address := _ADDRESS.fullmatch(name):
            name = (address["name"] or "").strip()
        if name:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _people(item: Item) -> tuple[str, ...]:
    names = [plain(Item(author, item.line).text("name")) for author in item.all("author")]
    return tuple(dict.fromkeys(filter(None, names))) or _names(item.all("dc:creator"))


def _picture(item: Item) -> PictureRef | None:
    """Return the picture that goes with an item as a whole."""
    for name, attribute in (
        ("media:content", "url"),
        ("enclosure", "url"),
        ("link", "href"),
        ("media:thumbnail", "url"),
    ):
        for element in item.element.iter("*"):
            if name_of(element) != name or not element.get(attribute):
                continue
            is_picture = element.get("type", "").startswith("image/") or element.get("medium") == "image"
            if name == "media:thumbnail" or (is_picture and element.get("rel", "enclosure") == "enclosure"):
                within = Item(element, item.line)
                return PictureRef(
                    element.get(attribute, ""),
                    alt=plain(within.text("media:title")),
                    caption=plain(within.text("media:description")),
                    credit=plain(within.text("media:credit")),
                )
    return None


# --- JSON Feed ---


def is_json_feed(data: object) -> bool:
    """Tell whether what a JSON file says is a JSON Feed."""
    return isinstance(data, dict) and str(data.get("version", "")).startswith("https://jsonfeed.org/version/")


def read_json_feed(source: Source, text: str, data: dict[str, Any]) -> Iterator[SourceArticle | Problem]:
    """Read a JSON Feed (1.0 and 1.1), given its text and what that says. An item that is wrong costs only itself."""
    items = data.get("items")
    if not isinstance(items, list) or not items:
        raise UnreadableSource(_("There are no articles in this feed."))
    feed = _Feed(source, _said(data, "title"), _said(data, "language"), _said(data, "home_page_url"))
    authors = _json_people(data)
    for count, item in enumerate(items, 1):
        if not isinstance(item, dict):
            message = _("Item %(count)d of this feed is no article.") % {"count": count}
            yield Problem(source.name, 1, message)
            continue
        identity = str(item.get("id", ""))
        place = text.find(json.dumps(identity, ensure_ascii=False)) if identity else -1
        line = text.count("\n", 0, max(place, 0)) + 1
        link = _said(item, "url") or _said(item, "external_url")
        html = _said(item, "content_html") or escape(_said(item, "content_text"))
        tags = item.get("tags")
        picture = _said(item, "image") or _said(item, "banner_image")
        meta = Meta(
            title=plain(escape(_said(item, "title"))),
            summary=_said(item, "summary"),
            authors=_json_people(item) or authors,
            published=moment(_said(item, "date_published")),
            modified=moment(_said(item, "date_modified")),
            tags=tuple(dict.fromkeys(tag for tag in tags if isinstance(tag, str) and tag))
            if isinstance(tags, list)
            else (),
            language=_said(item, "language"),
            url=link,
            picture=PictureRef(picture) if picture else None,
        )
        yield from feed.article(
            meta,
            identity=identity,
            digest=sha256(json.dumps(item, sort_keys=True).encode()).hexdigest(),
            html=html or escape(meta.summary),
            is_summary=not html,
            base=link or _said(data, "home_page_url"),
            line=line,
            at=line,
        )


def _said(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def _json_people(data: dict[str, Any]) -> tuple[str, ...]:
    people = data.get("authors") or [data.get("author")]
    return tuple(
        dict.fromkeys(
            filter(None, (_said(person, "name") for person in people if isinstance(person, dict)))
            if isinstance(people, list)
            else ()
        )
    )

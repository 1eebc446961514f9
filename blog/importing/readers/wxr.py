"""Reads an export of WordPress (WXR), item by item: one of a gigabyte takes no more memory than its pictures' names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from lxml import etree

from ..blocks import Block, Meta, PictureRef, Problem, Source, SourceArticle, UnreadableSource
from .html import html_blocks
from .items import Identities, Item, Items, item_name, joined, plain, text_of, with_whole_addresses
from .limits import MAX_NOTED
from .page import moment, path_of

# How WordPress calls what holds no articles: menus, layouts, styles, settings of plug-ins, old versions.
_NO_ARTICLE = re.compile(
    r"attachment|revision|nav_menu_item|custom_css|customize_changeset|oembed_cache|user_request|(?:wp|acf|et|elementor)[-_]"
    r".*|.*(?:form|popup|template|font|layout|menu|slider|shop_order|coupon|redirect).*"
)
_NOT_WANTED = {"trash", "auto-draft", "inherit"}
# The category of everything that has none, in the languages that WordPress is installed in.
_NO_CATEGORY = {
    *("uncategorized", "uncategorised", "allgemein", "unkategorisiert", "sin-categoria", "non-classe", "sem-categoria"),
    *("%e6%9c%aa%e5%88%86%e7%b1%bb", "%e6%9c%aa%e5%88%86%e9%a1%9e"),
}
_CANONICAL = ("_yoast_wpseo_canonical", "rank_math_canonical_url", "_aioseo_canonical_url")
_DESCRIPTION = ("_yoast_wpseo_metadesc", "rank_math_description", "_aioseo_description", "_genesis_description")
_SIZE = re.compile(r"-(?:\d{1,5}x\d{1,5}|scaled)(?=\.\w{2,5}$)")
_CAPTION_LENGTH = 1000


@dataclass(slots=True)
class _Library:
    """The pictures that an export lists, by their number and by their address without its size."""

    by_id: dict[str, str] = field(default_factory=dict)
    by_address: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    kept: int = 0

    def add(self, item: Item) -> None:
        address = item.text("wp:attachment_url") or item.text("guid")
        alt = _postmeta(item).get("_wp_attachment_image_alt", "")[:_CAPTION_LENGTH]
        caption = plain(item.text("excerpt:encoded"))[:_CAPTION_LENGTH]
        if address and self.kept < MAX_NOTED:
            key = _key(address)
            self.by_id[item.text("wp:post_id")] = key
            self.by_address[key] = (address, alt, caption)
            self.kept += 2 * len(address) + len(alt) + len(caption)

    def featured(self, number: str) -> PictureRef | None:
        """Return the picture of a number."""
        found = self.by_address.get(self.by_id.get(number, ""))
        return PictureRef(*found) if found else None

    def described(self, picture: PictureRef) -> PictureRef:
        """Return a picture of a text with the words that the export has for it, where the text has none."""
        found = self.by_address.get(_key(picture.source))
        if not found:
            return picture
        _address, alt, caption = found
        return PictureRef(picture.source, picture.alt or alt, picture.caption or caption, picture.credit)


def read_wxr(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read the posts and pages of an export of WordPress.

    The file is read twice: pictures are listed after the posts that show them. Comments, menus and what is in the
    trash are left out and counted. Raises UnreadableSource if there is nothing to read in it.
    """
    library = _library(source)
    with source.open() as file:
        items = Items(file, source.name, "item")
        reader = _Posts(source, items.header, library)
        is_empty = True
        for item in items:
            is_empty = False
            yield from [item] if isinstance(item, Problem) else reader.read(item)
        if is_empty:
            raise UnreadableSource(_("There are no articles in this export of WordPress."))
        yield from reader.notes()


def _library(source: Source) -> _Library:
    library = _Library()
    with source.open() as file:
        for item in Items(file, source.name, "item", only=b"attachment"):
            if isinstance(item, Item) and item.text("wp:post_type") == "attachment":
                library.add(item)
    return library


class _Posts:
    """Reads the items that are articles, and counts those that are not."""

    def __init__(self, source: Source, header: Item, library: _Library) -> None:
        self.source = source
        self.library = library
        self.site = plain(header.text("title"))
        self.base = header.text("wp:base_blog_url", "link")
        self.language = header.text("language")
        self.authors = dict(map(_author, header.all("wp:author")))
        self.identities = Identities()
        self.kinds: Counter[str] = Counter()
        self.comments = 0

    def read(self, item: Item) -> Iterator[SourceArticle | Problem]:
        """Yield the article that an item is, or why it is left out."""
        kind = item.text("wp:post_type") or "post"
        if _NO_ARTICLE.fullmatch(kind) and kind not in ("post", "page"):
            self.kinds[kind] += 1
            return
        title = plain(item.text("title"))
        name = item_name(self.source.name, title)
        status = item.text("wp:status")
        if status in _NOT_WANTED:
            message = _("Left out: it is in the trash, or was never saved (“%(status)s”).") % {"status": status}
            yield Problem(name, item.line, message, is_note=True)
            return
        self.comments += len(item.all("wp:comment"))
        try:
            article = self._article(item, name, title)
        except UnreadableSource as error:
            yield Problem(name, item.line, str(error))
            return
        if not article.blocks:
            yield Problem(name, item.line, _("Left out: it has a title and no text."), is_note=True)
            return
        if kind != "post":
            message = _("This is a “%(kind)s” of WordPress, not a post. It was read like one.") % {"kind": kind}
            yield Problem(name, item.line, message, is_note=True)
        if item.text("wp:post_password"):
            yield Problem(name, item.line, _("This was protected by a password."), is_note=True)
        yield article

    def notes(self) -> Iterator[Problem]:
        """Yield what was left out of the whole file."""
        for kind, count in sorted(self.kinds.items()):
            if kind != "attachment":
                message = ngettext(
                    "Left out: %(count)d item of the kind “%(kind)s”, which holds no article.",
                    "Left out: %(count)d items of the kind “%(kind)s”, which hold no articles.",
                    count,
                ) % {"count": count, "kind": kind}
                yield Problem(self.source.name, 1, message, is_note=True)
        if self.comments:
            message = ngettext(
                "Left out: %(count)d comment of readers.", "Left out: %(count)d comments of readers.", self.comments
            )
            yield Problem(self.source.name, 1, message % {"count": self.comments}, is_note=True)

    def _article(self, item: Item, name: str, title: str) -> SourceArticle:
        link = item.text("link")
        extra = _postmeta(item)
        blocks = [
            block
            for content in item.all("content:encoded")
            for block in html_blocks(text_of(content), first_line=item.line_of(content), base=link or self.base)[0]
        ]
        canonical = next((extra[key] for key in _CANONICAL if extra.get(key)), "")
        description = next((extra[key] for key in _DESCRIPTION if extra.get(key) and "%" not in extra[key]), "")
        published, modified = _dates(item)
        creator = item.text("dc:creator")
        meta = Meta(
            title=title,
            summary=plain(item.text("excerpt:encoded")) or plain(description),
            authors=tuple(filter(None, [self.authors.get(creator, creator)])),
            published=published,
            modified=modified,
            tags=_tags(item),
            language=_language(item) or self.language,
            url=joined(link, canonical),
            site=self.site,
            paths=_paths(item, link),
            status=item.text("wp:status"),
            picture=self.library.featured(extra.get("_thumbnail_id", "")),
        )
        article = SourceArticle(
            name=name,
            format="wxr",
            identity=item.text("guid") or link or f"{self.base}?p={item.text('wp:post_id') or title}",
            digest=item.digest(without=("wp:comment", "wp:ping_status", "wp:comment_status")),
            blocks=tuple(map(self._described, with_whole_addresses(blocks, link or self.base))),
            meta=meta,
            line=item.line,
            open_file=self.source.open_file,
        )
        return self.identities.distinct(article, link, item.text("wp:post_id"))

    def _described(self, block: Block) -> Block:
        if not block.picture or (picture := self.library.described(block.picture)) == block.picture:
            return block
        text = " ".join((picture.caption or picture.alt).split())
        return replace(block, picture=picture, text=text, marks=block.marks if text == block.text else ())


def _author(element: etree._Element) -> tuple[str, str]:
    """Return the name under which an author signs in, and the one that readers see."""
    said = Item(element, 1)
    whole = " ".join(filter(None, (said.text("wp:author_first_name"), said.text("wp:author_last_name"))))
    login = said.text("wp:author_login")
    return login, said.text("wp:author_display_name") or whole or login


def _postmeta(item: Item) -> dict[str, str]:
    rows = [Item(row, item.line) for row in item.all("wp:postmeta")]
    return {row.text("wp:meta_key"): row.text("wp:meta_value") for row in rows}


def _dates(item: Item) -> tuple[datetime | None, datetime | None]:
    """Return when a post was published and changed. Drafts have the year 0, which is none."""
    said = item.text("pubDate")
    published = moment(item.text("wp:post_date_gmt")) or (moment(said) if "-0001" not in said else None)
    if not published and (local := moment(item.text("wp:post_date"))):
        published = local.replace(tzinfo=timezone.get_default_timezone())
    return published, moment(item.text("wp:post_modified_gmt"))


def _tags(item: Item) -> tuple[str, ...]:
    """Return the tags, then the categories."""
    domains = ("post_tag", "tag", "category")
    named = [(element.get("domain", "category"), element) for element in item.all("category")]
    names = [
        plain(text_of(element))
        for domain in domains
        for said, element in named
        if said == domain and (element.get("nicename") or "").lower() not in _NO_CATEGORY
    ]
    return tuple(dict.fromkeys(filter(None, names)))


def _language(item: Item) -> str:
    """Return what the plug-ins for several languages say of one post."""
    return next((child.get("nicename", "") for child in item.all("category") if child.get("domain") == "language"), "")


def _paths(item: Item, link: str) -> tuple[str, ...]:
    """Return the addresses that led to a post: its own, those of its former names, and the one with its number."""
    guid = item.text("guid")
    paths = [path_of(link, link), path_of(guid, guid)]
    own = paths[0].partition("?")[0]
    for row in item.all("wp:postmeta"):
        said = Item(row, item.line)
        slug = said.text("wp:meta_value")
        if said.text("wp:meta_key") == "_wp_old_slug" and slug and own.strip("/"):
            parent = own.rstrip("/").rpartition("/")[0]
            paths.append(f"{parent}/{slug}/" if own.endswith("/") else f"{parent}/{slug}")
    return tuple(dict.fromkeys(path for path in paths if path.startswith("/") and path != "/"))


def _key(address: str) -> str:
    """Return what the addresses of a picture in all its sizes share."""
    try:
        return _SIZE.sub("", urlsplit(address).path)
    except ValueError:
        return address

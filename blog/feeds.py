"""Feeds: RSS 2.0, Atom (RFC 4287, paged by RFC 5005) and JSON Feed 1.1 of the same items.

An item is known by the UUID of its publication, so it stays the same when its address or title changes. It carries
the whole text, emergencies first, so that it can be read where it arrives. Syndicated texts are in, with their
origin: a feed says what the site publishes; search engines alone are asked to pass them over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid5

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, register_converter, reverse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, rfc3339_date
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from taggit.models import Tag

from blog.views import ARTICLE, CONDITION, live_tags, paged
from images.models import Picture
from publishing.documents import Document
from publishing.models import Contributor, Edition, FormerTag, Publication, Redaction, SiteSettings
from publishing.open_data import open_data
from publishing.pages import with_text
from publishing.templatetags.documents import web_address
from publishing.twins import text_html
from publishing.views import live_document, live_publication, public_page

LIMIT = 20  # corrections and withdrawals; other feeds are paged as lists are
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_PICTURE_WIDTH = 1200

# What XML 1.0 cannot hold, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# --- What is in a feed -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Author:
    name: str
    url: str = ""


@dataclass(frozen=True)
class Item:
    """One text, or one change of a text. Addresses are whole; `html` is safe and complete by itself."""

    id: str
    url: str
    title: str
    summary: str
    html: str
    language: str
    published: datetime
    updated: datetime
    authors: Sequence[Author] = ()
    categories: Sequence[str] = ()
    picture: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Feed:
    """`id` never changes, `page` is what the feed is about, `updated` is true of the data, not of the clock."""

    id: str
    title: str
    description: str
    page: str
    url: str
    publisher: str
    language: str
    items: Sequence[Item]
    updated: datetime
    next_url: str = ""
    first_url: str = ""


@dataclass
class _Shared:
    """What the items of a feed have in common, each read once."""

    site: SiteSettings
    pictures: dict[str, Picture] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)


def absolute(url: str) -> str:
    return urljoin(f"{settings.SITE_URL}/", url)


def picture_file(picture: Picture | None) -> str:
    """The whole address of a picture as JPEG, wide enough for a reader; the original until that is made."""
    if picture is None:
        return ""
    fitting = [url for url, width in picture.files("jpg") if width <= MAX_PICTURE_WIDTH]
    return absolute(fitting[-1] if fitting else picture.url)


def items_of(publications: Sequence[Publication], site: SiteSettings) -> list[Item]:
    """The items of live publications that came through with_text(), in a constant number of queries."""
    documents = [live_document(publication) for publication in publications]
    hashes = {value.content_hash for document in documents for _place, value in document.pictures()}
    people = {person.uuid for document in documents for person in document.authors}
    named = {mention.uuid for document in documents for mention in document.mentions()}
    shared = _Shared(
        site,
        {row.content_hash: row for row in Picture.objects.filter(content_hash__in=hashes)},
        {str(row.uuid): absolute(row.get_absolute_url()) for row in Contributor.objects.filter(uuid__in=people)},
        {str(row.uuid): row.get_absolute_url() for row in Publication.objects.live().filter(uuid__in=named)},
    )
    return [_item(row, document, shared) for row, document in zip(publications, documents, strict=True)]


def _item(publication: Publication, document: Document, shared: _Shared) -> Item:
    assert publication.live is not None
    assert publication.first_published is not None
    origin = getattr(document, "origin", None)
    return Item(
        id=publication.uuid.urn,
        url=absolute(publication.get_absolute_url()),
        title=publication.title,
        summary=publication.summary,
        html=content(publication, document, shared),
        language=document.language,
        published=publication.first_published,
        updated=publication.live.published_at,
        authors=[Author(person.name, shared.profiles.get(person.uuid, "")) for person in document.authors],
        categories=[tag.name for tag in publication.tags.all()],
        picture=picture_file(publication.picture),
        origin=web_address(origin.url) if origin else "",
    )


def content(publication: Publication, document: Document, shared: _Shared) -> str:
    """The document as HTML that stands by itself: no classes, no scripts, whole addresses, sources as [1]."""
    assert publication.live is not None
    return text_html(
        document,
        publication,
        publication.live,
        site=shared.site,
        pictures={key: picture_file(row) for key, row in shared.pictures.items()},
        condition_urls=shared.conditions,
        base=absolute(publication.get_absolute_url()),
    )


# --- The three formats -------------------------------------------------------------------------------------------


def legal(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)


def _legal_item(item: Item) -> Item:
    return replace(
        item,
        title=legal(item.title),
        summary=legal(item.summary),
        html=legal(item.html),
        authors=[replace(author, name=legal(author.name)) for author in item.authors],
        categories=[legal(name) for name in item.categories],
    )


class _Rss(Rss201rev2Feed):
    def rss_attributes(self) -> dict[str, str]:
        return super().rss_attributes() | {
            "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
            "xmlns:dc": "http://purl.org/dc/elements/1.1/",
            "xmlns:media": "http://search.yahoo.com/mrss/",
        }

    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated"]
        return updated

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        for rel, url in self.feed["links"]:
            handler.addQuickElement("atom:link", None, {"rel": rel, "href": url})

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        source: Item = item["source"]
        for author in source.authors:
            handler.addQuickElement("dc:creator", author.name)
        handler.addQuickElement("dc:language", source.language)
        if source.origin:
            handler.addQuickElement("dc:source", source.origin)
        handler.addQuickElement("atom:updated", rfc3339_date(source.updated))
        if source.picture:
            handler.addQuickElement("media:content", None, {"url": source.picture, "medium": "image"})
        handler.addQuickElement("content:encoded", source.html)


class _Atom(Atom1Feed):
    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated"]
        return updated

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        for rel, url in self.feed["links"]:
            handler.addQuickElement("link", None, {"rel": rel, "href": url})

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        return {"xml:lang": item["source"].language}

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item | {"description": None})
        source: Item = item["source"]
        for author in source.authors:
            handler.startElement("author", {})
            handler.addQuickElement("name", author.name)
            if author.url:
                handler.addQuickElement("uri", author.url)
            handler.endElement("author")
        if source.origin:
            handler.addQuickElement("link", None, {"rel": "via", "href": source.origin})
        if source.picture:
            handler.addQuickElement(
                "link", None, {"rel": "enclosure", "href": source.picture, "type": _media_type(source.picture)}
            )
        if source.summary:
            handler.addQuickElement("summary", source.summary)
        handler.addQuickElement("content", source.html, {"type": "html"})


def _media_type(url: str) -> str:
    extension = url.rpartition(".")[2].lower()
    return f"image/{'jpeg' if extension == 'jpg' else extension}"


def _xml(feed: Feed, kind: type[_Rss] | type[_Atom]) -> str:
    links = [("next", feed.next_url), ("first", feed.first_url)]
    writer = kind(
        title=legal(feed.title),
        link=feed.page,
        description=legal(feed.description),
        subtitle=legal(feed.description),
        language=feed.language,
        author_name=legal(feed.publisher),
        feed_url=feed.url,
        feed_guid=feed.id,
        updated=feed.updated,
        links=[(rel, url) for rel, url in links if url],
    )
    for item in map(_legal_item, feed.items):
        writer.add_item(
            title=item.title,
            link=item.url,
            description=escape(item.summary or item.title),
            pubdate=item.published,
            updateddate=item.updated,
            unique_id=item.id,
            unique_id_is_permalink=False,
            categories=item.categories,
            source=item,
        )
    return writer.writeString("utf-8")


def rss(feed: Feed) -> str:
    return _xml(feed, _Rss)


def atom(feed: Feed) -> str:
    return _xml(feed, _Atom)


def json_feed(feed: Feed) -> str:
    """https://www.jsonfeed.org/version/1.1/. What is empty is left out."""

    def entry(item: Item) -> dict[str, Any]:
        return {
            "id": item.id,
            "url": item.url,
            "external_url": item.origin,
            "title": item.title,
            "content_html": item.html,
            "summary": item.summary,
            "image": item.picture,
            "date_published": rfc3339_date(item.published),
            "date_modified": rfc3339_date(item.updated),
            "authors": [_filled({"name": author.name, "url": author.url}) for author in item.authors],
            "tags": list(item.categories),
            "language": item.language,
        }

    root = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.url,
        "next_url": feed.next_url,
        "description": feed.description,
        "language": feed.language,
        "authors": [{"name": feed.publisher, "url": absolute("/")}],
    }
    items = [_filled(entry(_legal_item(item))) for item in feed.items]
    return json.dumps(_filled(root) | {"items": items}, ensure_ascii=False)


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


FORMATS: dict[str, tuple[Callable[[Feed], str], str]] = {
    "atom.xml": (atom, "application/atom+xml; charset=utf-8"),
    "rss.xml": (rss, "application/rss+xml; charset=utf-8"),
    "feed.json": (json_feed, "application/feed+json; charset=utf-8"),
}


# --- The feeds there are -----------------------------------------------------------------------------------------


@require_safe
def feed_list(request: HttpRequest) -> HttpResponse:
    """What can be followed, and how."""
    conditions = Publication.objects.live().of_kind(CONDITION).order_by("title").only("kind", "slug", "title")
    context = {
        "tags": list(live_tags().order_by("name")),
        "conditions": list(conditions),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "blog/feeds/feed_list.html", context)


def site_feed(request: HttpRequest, name: str) -> HttpResponse:
    site = SiteSettings.load()
    return _paged(
        request,
        name,
        Publication.objects.of_kind(ARTICLE),
        site,
        key="",
        title=site.name,
        description=site.tagline or _("New and revised articles"),
        page=reverse("blog:home"),
    )


def tag_feed(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    if "\0" in slug:
        raise Http404
    tag = Tag.objects.filter(slug=slug).first()
    if tag is None:
        former = get_object_or_404(FormerTag.objects.select_related("tag"), slug=slug)
        return HttpResponsePermanentRedirect(reverse("blog:tag-feed", args=[former.tag.slug, name]))
    tagged = Publication.objects.filter(tags=tag)
    if not tagged.live().exists():
        raise Http404  # a tag of drafts only is nobody's business
    site = SiteSettings.load()
    return _paged(
        request,
        name,
        tagged,
        site,
        key=f"/tags/{tag.pk}",
        title=_("%(site)s: %(topic)s") % {"site": site.name, "topic": tag.name},
        description=_("New and revised texts on this topic: %(topic)s") % {"topic": tag.name},
        page=reverse("blog:tag-detail", args=[tag.slug]),
    )


def condition_feed(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    condition = live_publication(CONDITION, slug)
    site = SiteSettings.load()
    return _paged(
        request,
        name,
        Publication.objects.filter(mentions__condition=condition).distinct(),
        site,
        key=f"/conditions/{condition.uuid}",
        title=_("%(site)s: %(topic)s") % {"site": site.name, "topic": condition.title},
        description=_("New and revised articles that name this condition: %(topic)s") % {"topic": condition.title},
        page=condition.get_absolute_url(),
    )


def corrections_feed(request: HttpRequest, name: str) -> HttpResponse:
    """What changed in texts that were public already: new editions with their notes, and withdrawals with reasons."""
    site = SiteSettings.load()
    items = sorted([*_new_editions(), *_withdrawals()], key=lambda item: item.updated, reverse=True)[:LIMIT]
    return _answer(
        name,
        Feed(
            id=_feed_id("/corrections"),
            title=_("%s: corrections and changes") % site.name,
            description=_("What changed in texts that were already published, and what was withdrawn"),
            page=absolute(reverse("blog:feeds")),
            url=absolute(request.path),
            publisher=site.publisher or site.name,
            language=settings.LANGUAGE_CODE,
            items=items,
            updated=items[0].updated if items else EPOCH,
        ),
    )


def _new_editions() -> Iterable[Item]:
    editions = (
        Edition.objects.filter(number__gt=1, publication__live__isnull=False)
        .exclude(fingerprint__in=Redaction.objects.values("fingerprint"))
        .select_related("publication")
        .order_by("-published_at", "-pk")[:LIMIT]
    )
    for edition in editions:
        publication = edition.publication
        page = publication.get_absolute_url()
        note = edition.note or _("No note was left.")
        links = [
            (f"{page}compare/?from={edition.number - 1}&to={edition.number}", _("See what changed, word by word")),
            (page, _("Read the current edition")),
        ]
        yield Item(
            id=uuid5(publication.uuid, f"edition {edition.number}").urn,
            url=absolute(f"{page}editions/{edition.number}/"),
            title=_("%(title)s, edition %(number)d") % {"title": publication.title, "number": edition.number},
            summary=note,
            html=_change_html(note, links),
            language=settings.LANGUAGE_CODE,
            published=edition.published_at,
            updated=edition.published_at,
            categories=[edition.get_level_display()],
        )


def _withdrawals() -> Iterable[Item]:
    withdrawn = Publication.objects.filter(live=None, first_published__isnull=False, withdrawn_at__isnull=False)
    for publication in withdrawn.order_by("-withdrawn_at", "-pk")[:LIMIT]:
        assert publication.withdrawn_at is not None
        yield Item(
            id=uuid5(publication.uuid, f"withdrawn {publication.withdrawn_at.isoformat()}").urn,
            url=absolute(publication.get_absolute_url()),
            title=_("Withdrawn: %s") % publication.title,
            summary=publication.withdrawn_reason,
            html=_change_html(publication.withdrawn_reason, []),
            language=settings.LANGUAGE_CODE,
            published=publication.withdrawn_at,
            updated=publication.withdrawn_at,
        )


def _change_html(note: str, links: list[tuple[str, str]]) -> str:
    return render_to_string(
        "blog/feeds/change.html", {"note": note, "links": [(absolute(url), text) for url, text in links]}
    ).strip()


def _paged(
    request: HttpRequest,
    name: str,
    publications: Any,
    site: SiteSettings,
    *,
    key: str,
    title: str,
    description: str,
    page: str,
) -> HttpResponse:
    """A page of a feed of texts, newest first by their last major edition, as the lists are."""
    found, older = paged(request, with_text(publications).prefetch_related("tags"))
    items = items_of(found, site)
    url = absolute(request.path)
    before = request.GET.get("before", "")
    return _answer(
        name,
        Feed(
            id=_feed_id(key),
            title=title,
            description=description,
            page=absolute(page),
            url=f"{url}?before={before}" if before else url,
            publisher=site.publisher or site.name,
            language=settings.LANGUAGE_CODE,
            items=items,
            updated=max((item.updated for item in items), default=EPOCH),
            next_url=f"{url}?before={older}" if older else "",
            first_url=url if before else "",
        ),
    )


def _feed_id(key: str) -> str:
    """A tag URI (RFC 4151): the same whatever becomes of addresses and names."""
    return f"tag:{urlsplit(settings.SITE_URL).hostname},2026:feeds{key}"


def _answer(name: str, feed: Feed) -> HttpResponse:
    write, content_type = FORMATS[name]
    response = HttpResponse(write(feed), content_type=content_type)
    response.headers["X-Robots-Tag"] = "noindex"  # the pages themselves are to be found
    return response


class FeedName:
    """The last part of a feed's address: one of FORMATS."""

    regex = "|".join(map(re.escape, FORMATS))

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(FeedName, "feed")


def feed_urls() -> list[URLPattern]:
    """The addresses of all feeds, each ending in one of FORMATS."""

    def feed(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        return path(f"feeds/{route}<feed:name>", open_data(public_page(view)), name=name)

    return [
        path("feeds/", feed_list, name="feeds"),
        feed("", site_feed, "feed"),
        feed("corrections/", corrections_feed, "corrections-feed"),
        feed("tags/<str:slug>/", tag_feed, "tag-feed"),
        feed("conditions/<slug:slug>/", condition_feed, "condition-feed"),
    ]

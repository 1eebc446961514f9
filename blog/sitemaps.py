"""What search engines and other programs are told is there: the sitemap, and llms.txt.

A file of the sitemap holds the rows whose keys lie in one range, so that no file grows past its limit, a page never
moves to another file, and each costs a few queries however many texts there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, TruncMonth
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.feedgenerator import rfc3339_date
from django.views.decorators.http import require_safe
from taggit.models import Tag

from blog.feeds import absolute, legal, picture_file
from blog.views import ARTICLE, CONDITION, PAGE
from publishing.kinds import kinds
from publishing.models import BodyArea, Contributor, Publication, SiteSettings, Trust
from publishing.open_data import open_data

KEYS_IN_A_FILE = 25_000  # sitemaps.org allows 50,000 addresses, and 50 MB; pictures and translations need room
LLMS_ARTICLES, LLMS_CONDITIONS = 100, 300
LIVE = "live__published_at"


@dataclass(frozen=True)
class Url:
    """A page: its address, when what it shows last changed, its picture, and its (language, address) in others."""

    address: str
    changed: datetime | None
    picture: str = ""
    translations: tuple[tuple[str, str], ...] = ()


# --- What is in it -----------------------------------------------------------------------------------------------


def indexed(site: SiteSettings) -> QuerySet[Publication]:
    """The live publications for which publishing.pages.may_be_indexed() is true, in the database's terms."""
    found = Publication.objects.live().filter(syndicated=False)
    if site.strictness == SiteSettings.Strictness.OPEN:
        return found
    unsigned = [kind.name for kind in kinds.values() if not kind.document.SIGNED]
    return found.filter(Q(kind__in=unsigned) | Q(trust__in=(Trust.REVIEWED, Trust.MINOR_CHANGES)))


def _of_kind(kind: str) -> Callable[[SiteSettings], QuerySet[Any]]:
    return lambda site: indexed(site).filter(kind=kind)


def _tags(site: SiteSettings) -> QuerySet[Any]:
    found: QuerySet[Any] = Tag.objects.filter(tagged_publications__content_object__live__isnull=False)
    return found


def _people(site: SiteSettings) -> QuerySet[Any]:
    return Contributor.objects.filter(contributions__publication__live__isnull=False)


# The sections whose rows have keys: what is in each, and where the time of its last change is.
SECTIONS: dict[str, tuple[Callable[[SiteSettings], QuerySet[Any]], str]] = {
    "articles": (_of_kind(ARTICLE), LIVE),
    "conditions": (_of_kind(CONDITION), LIVE),
    "pages": (_of_kind(PAGE), LIVE),
    "topics": (_tags, f"tagged_publications__content_object__{LIVE}"),
    "people": (_people, f"contributions__publication__{LIVE}"),
}


def _rows(section: str, number: int, site: SiteSettings) -> Iterator[Url]:
    """The pages of one file of a section. Three queries at most."""
    find, changed = SECTIONS[section]
    within = find(site).filter(pk__gte=number * KEYS_IN_A_FILE, pk__lt=(number + 1) * KEYS_IN_A_FILE).order_by("pk")
    if section in ("topics", "people"):
        name = "blog:tag-detail" if section == "topics" else "blog:person-detail"
        for slug, when in within.annotate(changed=Max(changed)).values_list("slug", "changed"):
            yield Url(absolute(reverse(name, args=[slug])), when)
        return
    families = _families(find(site), within)
    for row in within.annotate(changed=F(changed)).select_related("picture").defer("summary", "other_names"):
        yield Url(
            absolute(row.get_absolute_url()),
            row.changed,
            picture_file(row.picture),
            tuple(families.get(row.translation_of_id or row.pk, ())),
        )


def _families(all_of_kind: QuerySet[Any], within: QuerySet[Any]) -> dict[int, list[tuple[str, str]]]:
    """The texts that are there in several languages, by the key of their original."""
    root = Coalesce("translation_of_id", "pk")
    translated = Q(translation_of__isnull=False) | Q(Exists(all_of_kind.filter(translation_of=OuterRef("pk"))))
    roots = within.order_by().filter(translated).annotate(root=root).values("root")
    members = all_of_kind.filter(translated).annotate(root=root).filter(root__in=roots).order_by("language", "pk")
    found: dict[int, list[tuple[str, str]]] = {}
    for row in members.only("kind", "slug", "language", "translation_of"):
        address = absolute(row.get_absolute_url())
        found.setdefault(row.translation_of_id or row.pk, []).append((row.language, address))
    return {key: rows for key, rows in found.items() if len(rows) > 1}


def _lists(site: SiteSettings) -> Iterator[Url]:
    """The pages that list others: those at fixed addresses, areas of the body, months."""
    live = Publication.objects.live().order_by()
    latest = dict(live.values_list("kind").annotate(Max(LIVE)))
    anything = max(latest.values(), default=None)
    for name, when in (
        ("blog:home", anything),
        ("blog:article-list", latest.get(ARTICLE)),
        ("conditions:condition-list", latest.get(CONDITION)),
        ("conditions:body-area-list", latest.get(CONDITION)),
        ("blog:tag-list", anything),
        ("blog:person-list", anything),
        ("blog:archive", latest.get(ARTICLE)),
        ("blog:feeds", None),
        ("api", None),
    ):
        yield Url(absolute(reverse(name)), when)
    areas = dict(live.filter(kind=CONDITION).exclude(body_area="").values_list("body_area").annotate(Max(LIVE)))
    for area in BodyArea.values:
        if area in areas:
            yield Url(absolute(reverse("conditions:body-area", args=[area])), areas[area])
    months = live.filter(kind=ARTICLE).annotate(month=TruncMonth("first_published"))
    for month, when in months.values_list("month").annotate(Max(LIVE)).order_by("-month"):
        yield Url(absolute(reverse("blog:archive-month", args=[month.year, month.month])), when)


# --- How it is said ----------------------------------------------------------------------------------------------


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """The index of all files. One query a section."""
    site = SiteSettings.load()
    files = [("lists", 0, max((url.changed for url in _lists(site) if url.changed), default=None))]
    for section, (find, changed) in SECTIONS.items():
        numbered = find(site).order_by().annotate(file=F("pk") / KEYS_IN_A_FILE)
        files += [
            (section, number, when)
            for number, when in numbered.values_list("file").annotate(Max(changed)).order_by("file")
        ]
    addressed = [
        (absolute(reverse("blog:sitemap-file", args=[section, number])), when) for section, number, when in files
    ]
    entries = "".join(f"<sitemap><loc>{url}</loc>{_lastmod(when)}</sitemap>\n" for url, when in addressed)
    return _xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</sitemapindex>\n')


@require_safe
def sitemap_file(request: HttpRequest, section: str, number: int) -> HttpResponse:
    """One file. Raises Http404 for one that is not in the index."""
    if section == "lists" and number == 0:
        urls = _lists(SiteSettings.load())
    elif section in SECTIONS and number < 10**9:
        urls = _rows(section, number, SiteSettings.load())
    else:
        raise Http404
    entries = "".join(map(_url, urls))
    if not entries:
        raise Http404
    return _xml(
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml" '
        f'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">\n{entries}</urlset>\n'
    )


def _url(url: Url) -> str:
    translations = "".join(
        f'<xhtml:link rel="alternate" hreflang={quoteattr(language)} href={quoteattr(address)}/>'
        for language, address in url.translations
    )
    image = f"<image:image><image:loc>{escape(url.picture)}</image:loc></image:image>" if url.picture else ""
    return f"<url><loc>{escape(url.address)}</loc>{_lastmod(url.changed)}{translations}{image}</url>\n"


def _lastmod(when: datetime | None) -> str:
    return f"<lastmod>{rfc3339_date(when)}</lastmod>" if when else ""


def _xml(body: str) -> HttpResponse:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return HttpResponse(text, content_type="application/xml; charset=utf-8")


@require_safe
def llms_txt(request: HttpRequest) -> HttpResponse:
    """A guide for language models (llmstxt.org): what is here, what of it is reviewed, and how to cite it.

    It lists what search engines may list too; the newest articles, up to a limit that a model can read.
    """
    site = SiteSettings.load()
    found = indexed(site)
    context = {
        "site": site,
        "articles": list(found.filter(kind=ARTICLE).listed()[:LLMS_ARTICLES]),  # type: ignore[attr-defined]
        "conditions": list(found.filter(kind=CONDITION).order_by("title", "pk")[:LLMS_CONDITIONS]),
        "pages": list(found.filter(kind=PAGE).order_by("title", "pk")),
        "site_url": settings.SITE_URL,
    }
    response = render(request, "blog/feeds/llms.txt", context, "text/plain; charset=utf-8")
    response.content = legal(response.content.decode()).encode()
    return response


def sitemap_urls() -> list[URLPattern]:
    """At the root, for a sitemap may only name what lies below it."""
    return [
        path("sitemap.xml", open_data(sitemap), name="sitemap"),
        path("sitemap-<slug:section>-<int:number>.xml", open_data(sitemap_file), name="sitemap-file"),
        path("llms.txt", open_data(llms_txt), name="llms"),
    ]

"""The page of the search, which takes whatever is typed, and its description for browsers (OpenSearch 1.1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from blog.search.engines import FOUND
from blog.search.finding import search, tidy
from blog.search.misses import count_miss
from publishing.models import BodyArea

PAGE_SIZE = 10
KINDS = {
    "condition": _("Conditions"),
    "article": _("Articles"),
    "person": _("People"),
    "page": _("About this site"),
}
KIND_NAMES = {"condition": _("Condition"), "article": _("Article"), "person": _("Person"), "page": _("About this site")}


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Results for `q`, with `kind`, `area`, `reviewed` and `page`. What none of them can be counts as not there."""
    get = request.GET
    filters: dict[str, Any] = {
        "kind": get.get("kind", "") if get.get("kind") in KINDS else "",
        "area": get.get("area", "") if get.get("area") in BodyArea.values else "",
        "reviewed": bool(get.get("reviewed")),
    }
    query = tidy(get.get("q", ""))
    number = page_number(get.get("page", ""))
    results = search(query, **filters, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    if query and results.missed and number == 1 and not any(filters.values()):
        count_miss(query)
    pages = -(-results.total // PAGE_SIZE)
    context = {
        "query": query,
        "results": results,
        "filters": filters,
        "filtered": any(filters.values()),
        "kinds": KINDS.items(),
        "kind_names": KIND_NAMES,
        "areas": BodyArea.choices,
        "most": FOUND,
        "page_number": number,
        "pages": pages,
        "previous": address(query, filters, number - 1) if 1 < number <= pages else "",
        "next": address(query, filters, number + 1) if number < pages else "",
        "unfiltered": address(query, {}, 1),
        "is_search": True,
    }
    return render(request, "blog/search.html", context)


@require_safe
def opensearch(request: HttpRequest) -> HttpResponse:
    """What lets a browser offer the site's search in its own field."""
    context = {"search_url": settings.SITE_URL + reverse("blog:search"), "site_url": settings.SITE_URL}
    return render(request, "blog/opensearch.xml", context, "application/opensearchdescription+xml; charset=utf-8")


def page_number(text: str) -> int:
    """A page that there can be; the first for anything else."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    return number if 1 <= number <= FOUND // PAGE_SIZE else 1


def address(query: str, filters: dict[str, Any], number: int) -> str:
    """The address of a page of results, with no more in it than it needs."""
    said = {"q": query} | {name: "1" if value is True else value for name, value in filters.items() if value}
    if number > 1:
        said["page"] = str(number)
    return f"{reverse('blog:search')}?{urlencode(said)}"

"""The public pages that every kind of document has: the document, its editions, their comparison, its twins.

`blog` and `conditions` subclass `DocumentPage` for what is their own, and route the others with their kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe
from django.views.generic import View

from publishing.comparison import compare
from publishing.documents import Document
from publishing.kinds import kinds
from publishing.models import Edition, FormerSlug, Publication, Redacted, Redaction
from publishing.open_data import rendition_of
from publishing.pages import page_context, trust_record, with_text

MARKDOWN = "text/markdown; charset=utf-8"


class Gone(Exception):
    """What was asked for was public once, and was taken away, with a reason and a time."""

    def __init__(self, title: str, reason: str, at: Any) -> None:
        super().__init__(title)
        self.title, self.reason, self.at = title, reason, at


class Moved(Exception):
    """The address is another one now."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


PageView = Callable[..., HttpResponseBase]


def public_page(view: PageView) -> PageView:
    """Answer 410 with the reason for what is gone, 301 for what has moved, and GET and HEAD only.

    What is gone is told in the form that was asked for: a page, JSON or Markdown.
    """

    @require_safe
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Moved as moved:
            match = request.resolver_match
            assert match is not None
            captured = match.captured_kwargs  # type: ignore[attr-defined]  # missing in the stubs
            url = reverse(match.view_name, kwargs={**captured, "slug": moved.slug})
            query = request.META.get("QUERY_STRING", "")
            return HttpResponsePermanentRedirect(f"{url}?{query}" if query else url)
        except Gone as gone:
            if request.path.endswith(".json"):
                body = {"title": gone.title, "reason": gone.reason, "gone_since": gone.at}
                return JsonResponse(body, status=410)
            context = {"title": gone.title, "reason": gone.reason, "at": gone.at}
            if request.path.endswith(".md"):
                return render(request, "publishing/markdown/410.md", context, MARKDOWN, status=410)
            return render(request, "410.html", context, status=410)

    return wrapped


def live_publication(kind: str, slug: str) -> Publication:
    """The live publication at an address, with its text as `canonical`.

    Raises Gone where it was withdrawn, Moved where the address has changed, Http404 for anything else: a draft is
    no more to be found than what never was.
    """
    publication = with_text(Publication.objects.of_kind(kind)).filter(slug=slug).first()
    if publication is None:
        former = FormerSlug.objects.filter(kind=kind, slug=slug).select_related("publication").first()
        if former is None or former.publication.first_published is None:
            raise Http404
        raise Moved(former.publication.slug)
    if publication.is_withdrawn:
        raise Gone(publication.title, publication.withdrawn_reason, publication.withdrawn_at)
    if not publication.is_live:
        raise Http404
    found: Publication = publication
    return found


def live_document(publication: Publication) -> Document:
    """The live document of a publication that live_publication() gave. Raises nothing a visitor could cause."""
    canonical: str = publication.canonical  # type: ignore[attr-defined]  # annotated by with_text()
    return kinds[publication.kind].document.read(canonical)


def edition_document(edition: Edition) -> Document:
    """The document of an edition. Raises Gone where it was redacted."""
    try:
        return edition.document()
    except Redacted as redacted:
        redaction = redacted.redaction
        title = str(edition)
        if redaction is None:
            raise Gone(title, "", None) from redacted
        raise Gone(title, redaction.reason, redaction.redacted_at) from redacted


class DocumentPage(View):
    """The page of a live document, in its own language."""

    kind: str = ""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        publication = live_publication(self.kind, slug)
        document = live_document(publication)
        with translation.override(document.language):
            context = page_context(document, publication) | self.more(publication, document)
            return render(request, kinds[self.kind].page_template, context)

    def more(self, publication: Publication, document: Document) -> dict[str, Any]:
        """What only this kind of page shows."""
        return {}


def edition_list(request: HttpRequest, slug: str, *, kind: str) -> HttpResponse:
    publication = live_publication(kind, slug)
    editions = list(publication.editions.all())
    for newer, older in pairwise(editions):
        newer.before = older  # type: ignore[attr-defined]  # for the template's link to the comparison
    context = {
        "publication": publication,
        "editions": editions,
        "redactions": _redactions(editions),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "publishing/edition_list.html", context)


def edition_detail(request: HttpRequest, slug: str, number: int, *, kind: str) -> HttpResponse:
    publication = live_publication(kind, slug)
    edition = get_object_or_404(publication.editions, number=number)
    document = edition_document(edition)
    with translation.override(document.language):
        context = page_context(document, publication, edition=edition)
        return render(request, kinds[kind].page_template, context)


def edition_compare(request: HttpRequest, slug: str, *, kind: str) -> HttpResponse:
    """Any two editions, word by word. Without numbers: the live one and the one before it."""
    publication = live_publication(kind, slug)
    assert publication.live is not None
    to = _number(request.GET.get("to"), publication.live.number)
    from_ = _number(request.GET.get("from"), max(1, to - 1))
    older = get_object_or_404(publication.editions, number=from_)
    newer = get_object_or_404(publication.editions, number=to)
    context = {
        "publication": publication,
        "older": older,
        "newer": newer,
        "editions": list(publication.editions.all()),
        "changes": compare(edition_document(older), edition_document(newer)),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "publishing/edition_compare.html", context)


def document_json(request: HttpRequest, slug: str, *, kind: str) -> HttpResponse:
    """Exactly the stored canonical bytes, so that anybody can check the fingerprint."""
    publication = live_publication(kind, slug)
    canonical: str = publication.canonical  # type: ignore[attr-defined]  # annotated by with_text()
    response = HttpResponse(canonical.encode(), content_type="application/json; charset=utf-8")
    return rendition_of(publication, response)


def document_markdown(request: HttpRequest, slug: str, *, kind: str) -> HttpResponse:
    publication = live_publication(kind, slug)
    document = live_document(publication)
    with translation.override(document.language):
        context = page_context(document, publication)
        return rendition_of(publication, render(request, f"publishing/markdown/{kind}.md", context, MARKDOWN))


def trust_json(request: HttpRequest, slug: str, *, kind: str) -> HttpResponse:
    publication = live_publication(kind, slug)
    return rendition_of(publication, JsonResponse(trust_record(publication)))


def _redactions(editions: list[Edition]) -> dict[str, Any]:
    rows = Redaction.objects.filter(fingerprint__in=[edition.fingerprint for edition in editions])
    return {row.fingerprint: row for row in rows}


def _number(text: str | None, default: int) -> int:
    """An edition number from the query string. Raises Http404 for anything that cannot be one."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Http404
    return int(text)

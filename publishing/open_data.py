"""How data for other programs is answered: feeds, sitemaps, the API, and the renditions beside a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.utils.cache import get_conditional_response, set_response_etag

from publishing.models import Publication, SiteSettings
from publishing.pages import may_be_indexed

NOT_FOUND = "There is nothing at this address.\n"

View = Callable[..., HttpResponseBase]


def open_data(view: View) -> View:
    """Let any web page read the answer, and any program ask cheaply whether it has changed.

    The ETag is the sum of the bytes, so it is right whatever changed them. A Last-Modified would not be: settings,
    tags and profiles are in the bytes, too, and a restored text is older than what it comes back into. Copies may be
    kept but must be asked about before they are used: a text that was withdrawn is nowhere shown from a cache.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase | None
        try:
            response = view(request, *args, **kwargs)
        except Http404:  # no program reads a page that says so
            response = HttpResponseNotFound(NOT_FOUND, content_type="text/plain; charset=utf-8")
        if isinstance(response, HttpResponse) and response.status_code == 200:
            set_response_etag(response)
            response = get_conditional_response(request, etag=response.headers["ETag"], response=response)
            assert response is not None
        response.headers["Cache-Control"] = "public, no-cache"  # also of what is gone or has moved: it may come back
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
        return response

    return wrapped


def rendition_of(publication: Publication, response: HttpResponse) -> HttpResponse:
    """The response, saying that the page is the original (RFC 6596), and that it is no more to be found than that."""
    response.headers["Link"] = f'<{settings.SITE_URL}{publication.get_absolute_url()}>; rel="canonical"'
    if not may_be_indexed(publication, SiteSettings.load()):
        response.headers["X-Robots-Tag"] = "noindex"
    return response

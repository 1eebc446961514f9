"""Old addresses, on the site that a text was brought from: written one way, and answered where nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from publishing.models import FormerPath, Publication
from publishing.services import Refused, raise_generation

LONGEST = 500  # characters


def path_key(address: str) -> str:
    """An address as FormerPath keeps it: path and query, without host, percent signs and a slash at the end.

    Takes a path from the root or a whole address, as links write it. Returns "" for what can be no old address:
    too long, with control characters, or the front page without a query.
    """
    if len(address) > LONGEST * 9:  # a character is at most nine when it is percent-encoded
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return _key(unquote(parts.path), unquote(parts.query))


def _key(path: str, query: str) -> str:
    path = path.rstrip("/")
    key = normalize("NFC", f"{path or '/'}?{query}" if query else path)
    return key if key.startswith("/") and len(key) <= LONGEST and key.isprintable() else ""


def is_of_this_site(key: str) -> bool:
    """Whether this site has pages of its own at such an address, be it that there is none at this one."""
    path, _question, query = key.partition("?")
    if path == "/":
        return not query
    if f"{path}/".startswith((settings.STATIC_URL, settings.MEDIA_URL)):
        return True
    return any(_resolves(found) for found in (path, f"{path}/"))


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


@transaction.atomic
def keep_path(*, address: str, publication: Publication) -> None:
    """Let an old address lead to a publication once that is public; again is harmless.

    Raises Refused for what is no address, one that belongs to this site, or one that leads to another text.
    """
    key = path_key(address)
    if not key:
        raise Refused(_("“%s” is no address that can be kept.") % address[:100])
    if key == path_key(publication.get_absolute_url()):
        return
    if is_of_this_site(key):
        raise Refused(_("The old address “%s” cannot lead here: pages of this site are at such addresses.") % key)
    kept, made = FormerPath.objects.get_or_create(path=key, defaults={"publication": publication})
    if kept.publication_id != publication.pk:
        raise Refused(
            _("The old address “%(path)s” already leads to “%(other)s”.") % {"path": key, "other": kept.publication}
        )
    if made and publication.first_published:
        raise_generation()


class FormerPaths:
    """Sends whoever follows an old link to where the text is now, if it is or was public.

    Looks only where the site has found nothing, and on the front page for a query (“/?p=12”). What was never public
    is answered as what never was.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/" and request.META.get("QUERY_STRING"):
            return self.moved(request) or self.get_response(request)
        response = self.get_response(request)
        return (self.moved(request) if response.status_code == 404 else None) or response

    def moved(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """The way to the text that had this address; the address with its query counts before the one without."""
        if request.method not in ("GET", "HEAD"):
            return None
        query = request.META.get("QUERY_STRING", "")
        if len(request.path_info) + len(query) > LONGEST * 9:
            return None
        path = _key(request.path_info, "")
        keys = [key for key in dict.fromkeys((_key(request.path_info, unquote(query)), path)) if key]
        if not keys:
            return None
        public = FormerPath.objects.filter(path__in=keys, publication__first_published__isnull=False)
        found = {kept.path: kept.publication for kept in public.select_related("publication")}
        for key in keys:
            if key in found:
                url = found[key].get_absolute_url()
                return HttpResponsePermanentRedirect(f"{url}?{query}" if query and key == path else url)
        return None

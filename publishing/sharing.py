"""What other sites show of a page when somebody shares it: a picture, its size, and its words.

A page with a picture shows the crop of it that was made for this. Any other has a card with its title, drawn when it
is asked for: nobody can have other words drawn, nothing has to be stored or swept, and it is never out of date.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from images import cards
from images.processing import SHAPES
from publishing.models import Publication, SiteSettings

NARROWEST = 600  # pixels; sites show anything smaller as a thumbnail
DAY = 24 * 60 * 60  # seconds


@dataclass(frozen=True)
class SharePicture:
    """An absolute address, the size in pixels, and what the picture shows."""

    url: str
    width: int
    height: int
    alt: str


def share_picture(publication: Publication | None) -> SharePicture:
    """The picture that stands for a page; the site's own for None.

    Needs no query besides `publication.picture`, which lists select.
    """
    row = publication.picture if publication else None
    if publication and row and row.has_crops:
        width, height = SHAPES["share"].sizes(row.width, row.height)[-1]
        if width >= NARROWEST:
            [(url, _width)] = row.files("jpg", "share")
            return SharePicture(_absolute(url), width, height, row.alt or publication.title)
    if publication and cards.can_draw(publication.title):
        return SharePicture(_absolute(_card_url(publication)), *cards.SIZE, publication.title)
    return SharePicture(_absolute(static("icons/share.jpg")), *cards.SIZE, _("A reading lamp"))


@require_safe
def share_card(request: HttpRequest, uuid: UUID, version: str) -> HttpResponse:
    """The card of a live publication. The address of an earlier title leads to that of today's."""
    publication = get_object_or_404(Publication.objects.live().only("uuid", "title"), uuid=uuid)
    if not cards.can_draw(publication.title):
        raise Http404
    if version != _version(publication.title):
        return HttpResponseRedirect(_card_url(publication))
    site = SiteSettings.load().name
    card = cache.get_or_set(
        f"share-card-{_version(publication.title, site)}",
        lambda: cards.share_card(publication.title, site),
        timeout=DAY,
    )
    return HttpResponse(card, content_type="image/jpeg", headers={"Cache-Control": f"public, max-age={DAY}"})


def _card_url(publication: Publication) -> str:
    return reverse("share-card", args=[publication.uuid, _version(publication.title)])


def _version(*words: str) -> str:
    """A short name for what a card says and how it looks: those who have seen another fetch this one."""
    return sha256("\0".join((str(cards.DESIGN), *words)).encode()).hexdigest()[:16]


def _absolute(url: str) -> str:
    return urljoin(f"{settings.SITE_URL}/", url)

"""Texts that are not public, shown as visitors would see them: never cached, never indexed, never referred from."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe

from publishing.documents import Document
from publishing.kinds import kinds
from publishing.models import Publication, Redacted, Snapshot
from publishing.pages import page_context

# Links may be followed, in this tab or a new one; fonts and pictures load as on the public page; nothing else.
SANDBOX = ["allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"]
LINK_SECONDS = 24 * 60 * 60
_signer = signing.TimestampSigner(salt="publishing.preview")


def render_preview(request: HttpRequest, document: Document, publication: Publication) -> HttpResponse:
    """The page of a text that is not public, with a banner that says so."""
    with translation.override(document.language):
        context = page_context(document, publication, preview=True)
        response = render(request, kinds[document.kind].page_template, context)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    # Words that nobody has approved yet are shown on the admin's origin: whatever slips through runs no script.
    response._csp_update = {"sandbox": SANDBOX}  # type: ignore[attr-defined]
    return response


def preview_link(snapshot: Snapshot) -> str:
    """The address under which somebody without an account may read a snapshot, for 24 hours.

    It is signed and names this one snapshot. It ends early where a newer link to the same text is made, or the
    text is redacted.
    """
    return settings.SITE_URL + reverse("shared-preview", args=[_signer.sign(str(snapshot.pk))])


@require_safe
def shared_preview(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a preview link. Any link that is not good any more is simply not found."""
    snapshot = _linked_snapshot(token)
    try:
        return render_preview(request, snapshot.document(), snapshot.publication)
    except Redacted:
        raise Http404 from None


def _linked_snapshot(token: str) -> Snapshot:
    try:
        pk = _signer.unsign(token, max_age=LINK_SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    links: Any = Snapshot.objects.filter(purpose=Snapshot.Purpose.LINK).select_related("publication")
    snapshot: Snapshot | None = links.filter(pk=pk).first()
    if snapshot is None or links.filter(publication=snapshot.publication, pk__gt=snapshot.pk).exists():
        raise Http404
    return snapshot

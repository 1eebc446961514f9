"""The frame around every public page: the site's settings, the announcement, the links in the footer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import JSONField, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from blog.models import Announcement
from publishing.models import Publication, SiteSettings


@dataclass(frozen=True)
class Chrome:
    site: SiteSettings
    announcement: dict[str, Any] | None
    pages: list[Publication]


def load_chrome() -> Chrome:
    """Two queries: the settings together with the announcement, and the pages about the site."""
    fields = JSONObject(text="text", link="link", link_text="link_text", advertisement="advertisement")
    showing = Announcement.objects.showing().order_by("-starts_at", "-pk").annotate(shown=fields).values("shown")[:1]
    site = SiteSettings.objects.annotate(announcement=Subquery(showing, output_field=JSONField())).filter(pk=1).first()
    pages = list(Publication.objects.live().of_kind("page").order_by("title").only("kind", "slug", "title"))
    if site is None:
        return Chrome(SiteSettings(pk=1), showing.values_list("shown", flat=True).first(), pages)
    return Chrome(site, site.announcement, pages)


def chrome(request: HttpRequest) -> dict[str, Any]:
    """The context processor. Nothing is read unless a template asks: the admin does not."""
    return {"chrome": SimpleLazyObject(load_chrome)}

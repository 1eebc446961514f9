"""The frame around every public page: the site's settings, the announcement, the ways through the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import JSONField, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from blog.models import Announcement
from conditions.views import CONDITION, first_letters
from publishing.models import Publication, SiteSettings

ABOUT = "about"  # the slug of the page that the header leads to


@dataclass(frozen=True)
class Chrome:
    site: SiteSettings
    announcement: dict[str, Any] | None
    pages: list[Publication]

    @property
    def about(self) -> Publication | None:
        return next((page for page in self.pages if page.slug == ABOUT), None)

    @property
    def letters(self) -> list[str]:
        """The letters that the list of conditions has. One query more, on pages that lost their way only."""
        return first_letters(Publication.objects.live().of_kind(CONDITION))


@dataclass(frozen=True)
class Way:
    """A link of the main navigation. `current` is the value of aria-current: 'page', 'true' below it, or ''."""

    name: str
    url: str
    current: str


def load_chrome() -> Chrome:
    """Two queries: the settings together with the announcement, and the pages about the site."""
    fields = JSONObject(text="text", link="link", link_text="link_text", advertisement="advertisement")
    showing = Announcement.objects.showing().order_by("-starts_at", "-pk").annotate(shown=fields).values("shown")[:1]
    site = SiteSettings.objects.annotate(announcement=Subquery(showing, output_field=JSONField())).filter(pk=1).first()
    pages = list(Publication.objects.live().of_kind("page").order_by("title").only("kind", "slug", "title"))
    if site is None:
        return Chrome(SiteSettings(pk=1), showing.values_list("shown", flat=True).first(), pages)
    return Chrome(site, site.announcement, pages)


def main_ways(path: str) -> list[Way]:
    """The main navigation, as it stands on the page at the path."""
    ways = [
        (_("Articles"), reverse("blog:article-list")),
        (_("Conditions A–Z"), reverse("conditions:condition-list")),  # noqa: RUF001
        (_("Body areas"), reverse("conditions:body-area-list")),
        (_("Topics"), reverse("blog:tag-list")),
    ]
    return [Way(name, url, _current(url, path)) for name, url in ways]


def _current(url: str, path: str) -> str:
    if url == path:
        return "page"
    return "true" if path.startswith(url) else ""


def chrome(request: HttpRequest) -> dict[str, Any]:
    """The context processor. Nothing is read unless a template asks: the admin does not."""
    return {
        "chrome": SimpleLazyObject(load_chrome),
        "main_ways": SimpleLazyObject(lambda: main_ways(request.path)),
    }

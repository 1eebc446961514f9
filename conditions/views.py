"""The public pages of the condition library."""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from publishing.crumbs import crumbs
from publishing.documents import Document
from publishing.models import BodyArea, Mention, Publication
from publishing.views import DocumentPage

CONDITION = "condition"
ARTICLES_OF_AN_AREA = 12
MOST_ARTICLES = 24  # on the page of a condition; the search has the rest


class Name(NamedTuple):
    """A line of the list from A to Z: a condition under its name, or under another one that leads to it."""

    text: str
    publication: Publication
    is_other: bool


class Area(NamedTuple):
    """An area of the body with how many conditions are about it."""

    slug: str
    name: str
    conditions: int


class ConditionPage(DocumentPage):
    def more(self, publication: Publication, document: Document) -> dict[str, Any]:
        """The articles that name it, and others of its area. The page knows both through their publications alone."""
        mentioned = Publication.objects.live().filter(mentions__condition=publication)
        nearby = Publication.objects.live().of_kind(CONDITION).filter(body_area=publication.body_area)
        newest = list(mentioned.select_related("picture").order_by("-listed_at", "-pk").distinct()[: MOST_ARTICLES + 1])
        return {
            "mentioned_in": newest[:MOST_ARTICLES],
            "is_mentioned_more": len(newest) > MOST_ARTICLES,
            "nearby": list(nearby.exclude(pk=publication.pk).exclude(body_area="").order_by("title", "pk")[:12]),
            "area_name": publication.get_body_area_display(),
        }


@require_safe
def condition_list(request: HttpRequest) -> HttpResponse:
    """A to Z by every name, so that "slipped disc" is found under S."""
    columns = ("kind", "slug", "language", "title", "other_names", "urgency")
    conditions = list(Publication.objects.live().of_kind(CONDITION).only(*columns))
    names = [Name(publication.title, publication, False) for publication in conditions]
    names += [Name(other, publication, True) for publication in conditions for other in publication.other_names]
    letters: dict[str, list[Name]] = {}
    for name in sorted(names, key=lambda name: (plain_letters(name.text), name.is_other, name.publication.pk)):
        letters.setdefault(letter_of(name.text), []).append(name)
    context = {
        "letters": sorted(letters.items()),
        "count": len(conditions),
        "crumbs": crumbs((_("Conditions A–Z"), request.path)),  # noqa: RUF001
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "conditions/condition_list.html", context)


@require_safe
def body_area_list(request: HttpRequest) -> HttpResponse:
    """The areas of the body about which something is live."""
    context = {
        "areas": live_areas(Publication.objects.live().of_kind(CONDITION)),
        "crumbs": crumbs((_("Areas of the body"), request.path)),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "conditions/body_area_list.html", context)


@require_safe
def body_area_detail(request: HttpRequest, area: str) -> HttpResponse:
    """The conditions of an area and the latest articles that name one. Raises Http404 for what is no area.

    An area without conditions is a page all the same: its address is fixed, and it says that nothing is there yet.
    """
    if area not in BodyArea.values:
        raise Http404
    conditions = Publication.objects.live().of_kind(CONDITION).filter(body_area=area)
    naming = Mention.objects.filter(publication=OuterRef("pk"), condition__in=conditions)
    name = str(BodyArea(area).label)
    context = {
        "area": area,
        "name": name,
        "conditions": list(conditions.order_by("title", "pk")),
        "articles": list(Publication.objects.listed().filter(Exists(naming))[:ARTICLES_OF_AN_AREA]),
        "crumbs": crumbs((_("Areas of the body"), reverse("conditions:body-area-list")), (name, request.path)),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "conditions/body_area_detail.html", context)


def live_areas(conditions: QuerySet[Publication]) -> list[Area]:
    """The areas in which there are conditions, in the order in which BodyArea declares them. One query."""
    counts = dict(conditions.exclude(body_area="").values_list("body_area").annotate(Count("pk")))
    return [Area(area.value, str(area.label), counts[area.value]) for area in BodyArea if area.value in counts]


def first_letters(conditions: QuerySet[Publication]) -> list[str]:
    """The letters under which there is a condition by its main name. One query."""
    first = conditions.order_by().annotate(first=Left("title", 1)).values_list("first", flat=True).distinct()
    return sorted({letter_of(text) for text in first})


def plain_letters(text: str) -> str:
    """Text as it is sorted: small letters without accents, so that "Ödem" stands between "obesity" and "oedema"."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def letter_of(text: str) -> str:
    """The letter a name is filed under: without accents, '#' for anything that is no letter."""
    first = plain_letters(text)[:1].upper()
    return first if first.isalpha() else "#"

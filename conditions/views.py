"""The public pages of the condition library."""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from publishing.documents import Document
from publishing.models import Publication
from publishing.views import DocumentPage

CONDITION = "condition"


class Name(NamedTuple):
    """A line of the list from A to Z: a condition under its name, or under another one that leads to it."""

    text: str
    publication: Publication
    is_other: bool


class ConditionPage(DocumentPage):
    def more(self, publication: Publication, document: Document) -> dict[str, Any]:
        """The articles that name it. The page knows them through their publications alone."""
        mentioned = Publication.objects.live().filter(mentions__condition=publication)
        return {"mentioned_in": list(mentioned.select_related("picture").order_by("-listed_at", "-pk").distinct())}


@require_safe
def condition_list(request: HttpRequest) -> HttpResponse:
    """A to Z by every name, so that "slipped disc" is found under S."""
    conditions = Publication.objects.live().of_kind(CONDITION).only("kind", "slug", "title", "other_names", "urgency")
    names = [Name(publication.title, publication, False) for publication in conditions]
    names += [Name(other, publication, True) for publication in conditions for other in publication.other_names]
    letters: dict[str, list[Name]] = {}
    for name in sorted(names, key=lambda name: name.text.casefold()):
        letters.setdefault(_letter(name.text), []).append(name)
    context = {"letters": sorted(letters.items()), "canonical_url": settings.SITE_URL + request.path}
    return render(request, "conditions/condition_list.html", context)


def _letter(text: str) -> str:
    """The letter a name is filed under: without accents, '#' for anything that is no letter."""
    first = unicodedata.normalize("NFD", text[:1]).upper()[:1]
    return first if first.isalpha() else "#"

"""The way from the start page to a page, for its visible trail and its structured data."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _


def crumbs(*trail: tuple[str, str]) -> list[tuple[str, str]]:
    """The way to a page as (name, path), from the start page to the page itself."""
    return [(_("Start page"), reverse("blog:home")), *trail]

"""A document as text that stands by itself: HTML without the site around it, and Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import nh3
from django.template.loader import render_to_string
from django.utils import translation

from publishing.documents import Document
from publishing.models import Edition, Publication, SiteSettings
from publishing.pages import page_context


def text_html(
    document: Document,
    publication: Publication,
    edition: Edition,
    *,
    site: SiteSettings,
    pictures: Mapping[str, str],
    condition_urls: Mapping[str, str],
    base: str = "",
) -> str:
    """The document as HTML without classes and scripts, sources as [1], warning signs first.

    Takes the address of each picture by its hash and of each condition's page by its UUID; what has none is not shown.
    Says of the review what the trust columns of the publication say. Addresses are made whole by `base`, or stay as
    they are without one.
    """
    signs: dict[str, list[Any]] = {}
    for sign in getattr(document, "warning_signs", ()):
        signs.setdefault(sign.urgency.name.lower(), []).append(sign)
    context = {
        "document": document,
        "publication": publication,
        "edition": edition,
        "chrome": SimpleNamespace(site=site),
        "signs": signs,
        "pictures": pictures,
        "condition_urls": condition_urls,
    }
    with translation.override(document.language):
        html = render_to_string(f"publishing/text/{document.kind}.html", context)
    return _cleaner(base).clean(html).strip()


@lru_cache(maxsize=128)
def _cleaner(base: str) -> nh3.Cleaner:
    """The last allow-list before the text leaves the site."""
    return nh3.Cleaner(
        tags={
            *("p", "h2", "h3", "h4", "ul", "ol", "li", "a", "strong", "em", "b", "i", "sub", "sup", "blockquote"),
            *("br", "figure", "figcaption", "img", "hr"),
        },
        attributes={"a": {"href"}, "img": {"src", "alt", "width", "height"}},
        url_schemes={"http", "https", "mailto", "tel"},
        url_relative=("rewrite_with_base", base) if base else "pass_through",
        link_rel=None,
    )


def markdown(document: Document, publication: Publication, edition: Edition, *, site: SiteSettings) -> str:
    """The document as Markdown, as its twin beside the page is."""
    with translation.override(document.language):
        context = page_context(document, publication, edition=edition) | {"chrome": SimpleNamespace(site=site)}
        return render_to_string(f"publishing/markdown/{document.kind}.md", context)

from __future__ import annotations

from typing import Any

from django import template

from newsletter import words
from newsletter.forms import SubscribeForm

register = template.Library()


@register.inclusion_tag("includes/subscribe.html")
def subscribe_form(place: str, language: str, form: SubscribeForm | None = None) -> dict[str, Any]:
    """The sign-up form. `place` keeps the IDs of several copies on a page apart.

    Depends on nothing but the language of the page, so that the page can be cached.
    """
    return {
        "place": place,
        "language": language,
        "words": words.words(language),
        "words_version": words.CURRENT,
        "form": form,
    }

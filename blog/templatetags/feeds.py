"""What the templates of feeds ask for."""

import re

from django import template
from django.utils.safestring import SafeString, mark_safe

from publishing.documents import Document
from publishing.richtext import render

register = template.Library()
_CITED = re.compile(r'<a class="cite"[^>]*>(\[\d+\])</a>')  # a class is nothing that an editor can write


@register.filter
def portable(html: str, document: Document) -> SafeString:
    """Rich text as it leaves the site: citations as [1], without links into a page that is not there."""
    return mark_safe(_CITED.sub(r"\1", render(html, document)))

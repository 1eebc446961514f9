"""What the head of a page says to other programs, and in which language a text of another language is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, to_locale

from publishing import jsonld
from publishing.models import Publication
from publishing.sharing import SharePicture, share_picture

register = template.Library()
_CONTENT = re.compile(r'content="([^"]*)"')


@register.filter
def other_language(code: str) -> SafeString:
    """The `lang` attribute of words in another language than the page's (WCAG 3.1.2); nothing where it is the same."""
    return format_html(' lang="{}"', code) if code and code != get_language() else SafeString("")


class RememberNode(template.Node):
    def __init__(self, nodes: template.NodeList, name: str) -> None:
        self.nodes, self.name = nodes, name

    def render(self, context: template.Context) -> SafeString:
        rendered = self.nodes.render(context)
        context[self.name] = rendered
        return rendered


@register.tag
def remember(parser: Any, token: Any) -> RememberNode:
    """`{% remember as name %}…{% endremember %}` writes what is inside and keeps it, to be written a second time."""
    _tag, _as, name = token.split_contents()
    nodes = parser.parse(("endremember",))
    parser.delete_first_token()
    return RememberNode(nodes, name)


@register.filter
def content_of(meta: str) -> str:
    """The content of a `<meta>` element; '' for anything else."""
    found = _CONTENT.search(str(meta))
    return unescape(found[1]) if found else ""


@register.simple_tag(takes_context=True)
def structured_data(context: template.Context) -> SafeString:
    """The page's JSON-LD: a block of data, which no browser runs and the site's policy lets pass."""
    values: Mapping[str, Any] = dict(context.flatten())  # type: ignore[arg-type]  # its keys are names
    nodes = jsonld.graph_of(values)
    # dump() has escaped what could end the element
    return mark_safe(f'<script type="application/ld+json">{jsonld.dump(nodes)}</script>' if nodes else "")


@register.simple_tag
def share_picture_of(publication: Publication | str | None) -> SharePicture:
    """The picture of a page where it is shared; the site's own for a page that shows no publication."""
    return share_picture(publication or None)  # type: ignore[arg-type]  # "" where the context has none


@register.filter
def og_locale(code: str) -> str:
    """A language code as Open Graph writes it: pt_BR."""
    return to_locale(code or get_language() or "en")


@register.filter
def absolute(path: str) -> str:
    return jsonld.absolute(path)

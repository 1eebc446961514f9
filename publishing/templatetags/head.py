"""What the head of a page says to other programs, and in which language a text of another language is."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

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

"""Reads JSON: a JSON Feed, or an article of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from django.utils.translation import gettext as _

from blog.documents import ArticleDocument
from publishing.documents import NewerSchema

from ..blocks import Meta, Problem, Source, SourceArticle, UnreadableSource
from ..encoding import decode
from .feed import is_json_feed, read_json_feed
from .html import html_blocks
from .limits import MAX_JSON, MB


def read_json(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read a JSON Feed, or an article as our own pages give it (/articles/….json).

    Raises UnreadableSource for any other JSON.
    """
    text, data = load_json(source)
    if is_json_feed(data):
        yield from read_json_feed(source, text, data)
    elif isinstance(data, dict) and data.get("kind") == "article" and "schema" in data:
        yield from _article(source, text)
    else:
        raise UnreadableSource(_("This is JSON, but neither a JSON Feed nor an article of this program."))


def load_json(source: Source) -> tuple[str, Any]:
    """Return the text of a source and what it says. Raises UnreadableSource if it is too large, or not JSON."""
    with source.open() as file:
        data = file.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise UnreadableSource(_("The source is larger than %(limit)d MB.") % {"limit": MAX_JSON // MB})
    text = decode(data)
    try:
        return text, json.loads(text)
    except json.JSONDecodeError as error:
        message = _("This is not whole JSON: it breaks off, or is wrong, in line %(line)d.") % {"line": error.lineno}
        raise UnreadableSource(message) from None
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        raise UnreadableSource(_("This JSON is nested too deeply, or has a number that is too long.")) from None


def _article(source: Source, text: str) -> Iterator[SourceArticle | Problem]:
    try:
        document = ArticleDocument.read(text)
    except NewerSchema:
        message = _("This article was written by a newer version of this program. Update this one first.")
        raise UnreadableSource(message) from None
    except (ValueError, KeyError, TypeError):
        raise UnreadableSource(_("This article of our own is not whole, or was changed.")) from None
    html = f"<h1>{escape(document.title)}</h1>" + "".join(text for _place, text in document.texts())
    yield SourceArticle(
        name=source.name,
        format="bedside",
        identity=f"bedside:{document.uuid}",
        digest=document.fingerprint(),
        blocks=tuple(html_blocks(html)[0]),
        meta=Meta(title=document.title, summary=document.summary, language=document.language),
        open_file=source.open_file,
        document=document.canonical(),
    )

"""Reads Markdown, with the front matter of Jekyll, Hugo, Ghost and Pandoc, by way of the reader of HTML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html import escape
from pathlib import PurePosixPath
from typing import Any

import yaml
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from ..blocks import Block, Meta, PictureRef, Problem, Source, SourceArticle, UnreadableSource
from .html import html_blocks
from .page import moment, path_of
from .text import MAX_BYTES, decode, is_text, text_blocks

# A long article has 50,000 characters.
MAX_LENGTH = 1_000_000
# The parser loses what is nested deeper, and takes a time that grows with the square of a paragraph; such a source is
# read as plain text.
MAX_NESTING = 60
MAX_PARAGRAPH = 30_000
_FRONT_LENGTH = 100_000
_FRONT = re.compile(
    r"""\A\s*?(?:---[ \t]*\n(?P<yaml>(?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)
      |\+\+\+[ \t]*\n(?P<toml>(?:.*\n)*?)\+\+\+[ \t]*(?:\n|\Z))""",
    re.VERBOSE,
)
_PANDOC = re.compile(r"\A%(?P<title>[^\n]*)\n(?:%(?P<author>[^\n]*)\n)?(?:%(?P<date>[^\n]*)(?:\n|\Z))?")
_PLAIN_LINE = re.compile(r"(?m)^([A-Za-z_]+)[ \t]*[:=][ \t]*(.*?)[ \t]*$")
_FRONT_LINE = re.compile(r"\s*$|\s+\S|[#-]|[\w-]{1,40}[ \t]*[:=]")
# Attributes in the manner of kramdown and Pandoc: no words of the text.
_ATTRIBUTES = re.compile(r"(?m)^[ \t]*\{:[^}\n]{0,200}\}[ \t]*$|(?<=\S)[ \t]+\{[#.:][^}\n]{0,200}\}[ \t]*$")
_FIGURE = re.compile(r"\{\{[<%]\s*figure\s([^\n>]{0,2000}?)/?\s*[>%]\}\}")
_BLANK_LINE = re.compile(r"\n\s*\n")
_DATED_NAME = re.compile(r"(\d{4}-\d\d-\d\d)-")

_parser = (
    MarkdownIt("commonmark", {"html": True, "maxNesting": MAX_NESTING})
    .enable(["table", "strikethrough"])
    .use(footnote_plugin)
    # Notes stay where they are written.
    .disable(["footnote_tail", "footnote_inline"])
)
_renderer = RendererHTML()


def read_markdown(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read a Markdown file as one article. Raises UnreadableSource if it is too large, has no text, or is not text.

    Front matter that is not YAML, TOML or JSON is read line by line, and said to be so. Dates without a zone are UTC.
    """
    with source.open() as file:
        data = file.read(MAX_BYTES + 1)
    text = decode(data)
    if len(data) > MAX_BYTES or len(text) > MAX_LENGTH:
        raise UnreadableSource(
            _("The source is larger than %(limit)d MB. Split it into its articles.")
            % {"limit": MAX_LENGTH // 1_000_000}
        )
    if not is_text(text):
        raise UnreadableSource(_("This is not a Markdown file. Save the article as Markdown first."))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    said, length, is_whole = _front_matter(text)
    blocks, inner = markdown_blocks(text[length:], first_line=1 + text.count("\n", 0, length))
    if not blocks:
        raise UnreadableSource(_("There is no text in the source."))
    if not is_whole:
        yield Problem(source.name, 1, _("The lines above the text are not all understood; check title, date and tags."))
    meta = _meta(said, inner)
    if not meta.published and (dated := _DATED_NAME.match(PurePosixPath(source.name).name)):
        meta = replace(meta, published=moment(dated[1]))
    yield SourceArticle(
        name=source.name,
        format="markdown",
        identity=meta.url or f"file:{source.name}",
        digest=sha256(data).hexdigest(),
        blocks=tuple(blocks),
        meta=meta,
        open_file=source.open_file,
    )


def markdown_blocks(text: str, *, first_line: int = 1) -> tuple[list[Block], Meta]:
    """Read Markdown without front matter into blocks, as ``html_blocks`` does.

    Footnotes are blocks where they are written, each with its mark, and an anchor to which the text links.
    """
    text = _FIGURE.sub(lambda found: _figure(found[1]), _ATTRIBUTES.sub("", text))
    if all(len(paragraph) <= MAX_PARAGRAPH for paragraph in _BLANK_LINE.split(text)):
        tokens = _parser.parse(text)
        if all(token.level < MAX_NESTING - 1 for token in tokens):
            return html_blocks(_html(tokens), first_line=first_line)
    return [replace(block, line=block.line + first_line - 1) for block in text_blocks(text.encode())], Meta()


def _html(tokens: list[Token]) -> str:
    """Render so that each block starts on the line on which it stands in the source."""
    parts: list[str] = []
    line = 0
    label = ""
    for index, token in enumerate(tokens):
        if token.type == "footnote_reference_open":
            label = str(token.meta.get("label", ""))
            part = f'<div id="fn-{escape(label)}">'
        elif token.type == "footnote_reference_close":
            part = "</div>"
        elif token.type == "inline":
            part = f"[{escape(label)}] " if label else ""
            label = ""
            part += _inline(token)
        elif token.type in ("html_block", "fence", "code_block"):
            part = _renderer.render([token], _parser.options, {})
        else:
            part = _renderer.renderToken(tokens, index, _parser.options, {}).replace("\n", "")
        start = token.map[0] + (token.type == "fence") if token.map else 0
        if start > line:
            parts.append("\n" * (start - line))
            line = start
        parts.append(part)
        line += part.count("\n")
    return "".join(parts)


def _inline(token: Token) -> str:
    for child in token.children or []:
        if child.type == "footnote_ref":
            label = escape(str(child.meta.get("label", "")))
            child.type, child.content = "html_inline", f'<sup><a href="#fn-{label}">[{label}]</a></sup>'
        elif child.type == "image" and child.attrs.get("title"):
            child.attrSet("data-caption", str(child.attrs["title"]))
    return _renderer.render([token], _parser.options, {})


def _figure(attributes: str) -> str:
    """Write the figure of a Hugo site as HTML."""
    said = dict(re.findall(r"""(\w+)="([^"]*)\"""", attributes))
    words = said.get("caption") or said.get("title") or ""
    picture = f'<img src="{escape(said.get("src", ""))}" alt="{escape(said.get("alt", ""))}">'
    return f"<figure>{picture}<figcaption>{escape(words)}</figcaption></figure>"


class _Loader(yaml.SafeLoader):
    """YAML without aliases, by which a small text says a huge one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError
        return super().compose_node(parent, index)


def _front_matter(text: str) -> tuple[dict[str, Any], int, bool]:
    """Return what stands above the text, how long that is, and whether it was understood."""
    start = text[:_FRONT_LENGTH]
    if found := _FRONT.match(start):
        written = found["yaml"] if found["yaml"] is not None else found["toml"]
        try:
            said = yaml.load(written, _Loader) if found["yaml"] is not None else tomllib.loads(written)
        except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError, OverflowError):
            said = None
        if isinstance(said, dict):
            return _lowered(said), found.end(), True
        if all(map(_FRONT_LINE.match, written.splitlines())):
            lines = {key: value.strip("\"'") for key, value in _PLAIN_LINE.findall(written)}
            return _lowered(lines), found.end(), False
        return {}, 0, True
    if start.lstrip().startswith("{"):
        skipped = len(start) - len(start.lstrip())
        try:
            said, end = json.JSONDecoder().raw_decode(start, skipped)
        except (ValueError, RecursionError):
            return {}, 0, True
        return (_lowered(said), end, True) if isinstance(said, dict) else ({}, 0, True)
    if found := _PANDOC.match(start):
        return {key: value.strip() for key, value in found.groupdict().items() if value}, found.end(), True
    return {}, 0, True


def _lowered(said: dict[Any, Any]) -> dict[str, Any]:
    return {str(key).lower().replace("-", "_"): value for key, value in said.items() if isinstance(key, str)}


def _meta(said: dict[str, Any], inner: Meta) -> Meta:
    """Return what the front matter says, under the keys that common site generators know."""

    def first(*keys: str) -> Any:
        return next((said[key] for key in keys if said.get(key) not in (None, "", [], {})), None)

    url = _word(first("canonical_url", "canonicalurl", "canonical", "original_url", "originalurl", "url", "link"))
    is_address = url.startswith(("http://", "https://"))
    old = [
        *_words(first("permalink")),
        *_words(said.get("aliases")),
        *_words(said.get("alias")),
        *_words(said.get("redirect_from")),
        *([] if is_address else _words(first("url", "path"))),
    ]
    old += [path_of(url, url)] if is_address else []
    old += [] if old else _words(said.get("slug"))
    status = _word(first("status"))
    if said.get("draft") is True or said.get("published") is False:
        status = "draft"
    return Meta(
        title=_word(first("title")) or inner.title,
        summary=_word(first("description", "summary", "excerpt", "abstract")),
        authors=tuple(_words(first("authors", "author", "by"))),
        published=moment(first("date", "publishdate", "published_at", "published", "pubdate", "created")),
        modified=moment(first("lastmod", "updated", "modified", "last_modified_at", "updated_at")),
        tags=tuple(
            dict.fromkeys([*_words(first("tags", "tag", "keywords")), *_words(first("categories", "category"))])
        ),
        language=_word(first("lang", "language", "locale")).replace("_", "-"),
        url=url if is_address else "",
        site=_word(first("site", "site_name")),
        paths=tuple(dict.fromkeys(path for each in old if (path := _path(each)))),
        status=status,
        picture=_picture(first("image", "cover", "featured_image", "feature_image", "thumbnail", "hero", "banner")),
    )


def _word(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or value.get("title") or ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return " ".join(str(value).split())[:1000]


def _words(value: Any) -> list[str]:
    """Return the words of a list, or of a text with commas, each once."""
    if isinstance(value, str):
        value = value.strip("[]").split(",") if "," in value or value.startswith("[") else [value]
    values = value if isinstance(value, list) else [value]
    return [word for each in values[:100] if (word := _word(each).strip(" \"'"))]


def _path(value: str) -> str:
    """Return an old address as a path from the root; empty for a pattern of one."""
    path = path_of(value, value) if value.startswith(("http://", "https://")) else f"/{value.lstrip('/')}"
    return "" if "/:" in path or path == "/" else path


def _picture(value: Any) -> PictureRef | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        source = next((_word(value[key]) for key in ("src", "url", "path", "image", "feature") if value.get(key)), "")
        return PictureRef(source, _word(value.get("alt")), _word(value.get("caption"))) if source else None
    return PictureRef(_word(value)) if _word(value) else None

"""Articles as they were read, kept in ImportedSource, so that an editor can correct what was understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from blog.importing.blocks import Block, Kind, Mark, Meta, PictureRef, SourceArticle, Style, Zone
from blog.models import ImportedSource

# PostgreSQL keeps neither; each is replaced by one character, so that marks stay where they are.
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
LONGEST_ADDRESS = 2000  # of a picture; a longer one is the picture itself ("data:") and is kept as its hash


def pack(article: SourceArticle) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The blocks and the rest of an article for the columns `blocks` and `meta`: JSON without what is empty."""
    blocks = [_packed(block) for block in article.blocks]
    meta = _packed(article.meta) | {"line": article.line}
    return blocks, meta | {"document": article.document} if article.document else meta


def unpack(blocks: list[dict[str, Any]], meta: Mapping[str, Any], **more: Any) -> SourceArticle:
    """The article that pack() was given; `more` are its name, format, identity, digest and open_file."""
    values = {**meta}
    line, document = values.pop("line", 1), values.pop("document", "")
    for name in ("published", "modified"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    for name in ("authors", "tags", "paths"):
        if name in values:
            values[name] = tuple(values[name])
    if "picture" in values:
        values["picture"] = PictureRef(**values["picture"])
    return SourceArticle(blocks=tuple(map(_block, blocks)), meta=Meta(**values), line=line, document=document, **more)


def kept(article: SourceArticle) -> SourceArticle:
    """An article as its columns would give it back: every text can be kept in any database."""
    pictures = (*(block.picture for block in article.blocks), article.meta.picture)
    addresses = {_address(picture.source): picture.source for picture in pictures if picture}

    def open_file(address: str) -> bytes | None:
        return article.open_file(addresses.get(address, address))

    return unpack(
        *pack(article),
        name=_keepable(article.name)[:255],
        format=article.format,
        identity=sha256(article.identity.encode(errors="surrogatepass")).hexdigest(),
        digest=article.digest,
        open_file=open_file,
    )


def article_of(source: ImportedSource) -> SourceArticle:
    """The article of a source as it was read, without the files that came along."""
    return unpack(
        source.blocks,
        source.meta,
        name=source.name,
        format=source.format,
        identity=source.identity,
        digest=source.digest,
    )


def _block(row: dict[str, Any]) -> Block:
    values = {**row, "kind": Kind(row["kind"])}
    if "zone" in row:
        values["zone"] = Zone(row["zone"])
    if "marks" in row:
        values["marks"] = tuple(Mark(start, end, Style(style), *href) for start, end, style, *href in row["marks"])
    if "picture" in row:
        values["picture"] = PictureRef(**row["picture"])
    return Block(**values)


def _packed(value: Any) -> Any:
    if isinstance(value, Mark):
        mark = [value.start, value.end, str(value.style)]
        return [*mark, _keepable(value.href)] if value.href else mark
    if isinstance(value, PictureRef):
        value = replace(value, source=_address(value.source))
    if is_dataclass(value):
        row = {field.name: getattr(value, field.name) for field in fields(value)}
        defaults = {field.name: field.default for field in fields(value)}
        return {name: _packed(each) for name, each in row.items() if each != defaults[name]}
    if isinstance(value, tuple):
        return [_packed(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _keepable(value) if isinstance(value, str) else value


def _address(source: str) -> str:
    if len(source) > LONGEST_ADDRESS:
        return f"data:{sha256(source.encode(errors='surrogatepass')).hexdigest()}"
    return _keepable(source)


def _keepable(text: str) -> str:
    return _UNKEEPABLE.sub("\N{REPLACEMENT CHARACTER}", str(text))

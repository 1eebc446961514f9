"""One module for each format that old articles come in, and the way to the right one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote_to_bytes

from django.utils.translation import gettext as _

from ..blocks import Problem, Reader, Source, SourceArticle, UnreadableSource
from .bundle import is_docx, is_export, read_folder, read_zip
from .docx import read_docx
from .feed import read_feed
from .html import read_html
from .limits import MAX_PICTURE
from .markdown import read_markdown
from .own import read_json
from .sniffing import HEAD, Format, sniff
from .text import read_text
from .wxr import read_wxr

__all__ = ["FORMATS", "is_export", "read", "read_bytes", "read_path"]

# The endings of the files that can be read, for those who ask for one.
FORMATS = (".txt", ".md", ".html", ".htm", ".xml", ".rss", ".atom", ".json", ".docx", ".zip")

_READERS: dict[Format, Reader] = {
    Format.TEXT: read_text,
    Format.HTML: read_html,
    Format.MARKDOWN: read_markdown,
    Format.WXR: read_wxr,
    Format.FEED: read_feed,
    Format.JSON: read_json,
    Format.DOCX: read_docx,
}
_DATA = re.compile(r"data:image/[\w.+-]{1,40}(?P<options>(?:;[\w=-]{1,40}){0,4}),", re.IGNORECASE)


def read(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read a file of any format that there is a reader for: told by its content, then by its name.

    Yields its articles in order, and a Problem for each item that could not be read or only in part. Nothing is
    fetched from the network. Pictures that the text itself holds ("data:") are among those that came along.
    Raises UnreadableSource, with a sentence for people, if nothing of it can be read.
    """
    with source.open() as file:
        head = file.read(HEAD)
    format = sniff(head, source.name)
    if format == Format.ZIP:
        if not is_docx(source):
            yield from read_zip(source, read)
            return
        format = Format.DOCX
    for item in _READERS[format](source):
        yield replace(item, open_file=_or_inside(item.open_file)) if isinstance(item, SourceArticle) else item


def read_path(path: Path) -> Iterator[SourceArticle | Problem]:
    """Read a file, a folder or a zip as ``read`` does; of folders and zips everything that is in them."""
    try:
        if path.is_dir():
            yield from read_folder(path, read)
        elif path.is_file():
            yield from read(Source(path.name, lambda: path.open("rb"), path.stat().st_size))
        else:
            raise UnreadableSource(_("There is no such file or folder."))
    except OSError as error:
        raise UnreadableSource(_("It cannot be opened (%s).") % error.strerror) from error


def read_bytes(data: bytes, name: str = "") -> Iterator[SourceArticle | Problem]:
    """Read what was uploaded or pasted as ``read`` does."""
    return read(Source(name, lambda: BytesIO(data), len(data)))


def _or_inside(open_file: Callable[[str], bytes | None]) -> Callable[[str], bytes | None]:
    """Take a picture out of its own address, or look for it among the files that came along."""

    def opened(address: str) -> bytes | None:
        if found := _DATA.match(address):
            data = address[found.end() :] if len(address) < 2 * MAX_PICTURE else ""
            return _unpacked(data, is_base64="base64" in found["options"].lower()) or None
        return open_file(address)

    return opened


def _unpacked(data: str, *, is_base64: bool) -> bytes:
    plain = unquote_to_bytes(data)
    try:
        return base64.b64decode(plain) if is_base64 else plain
    except binascii.Error:
        return b""

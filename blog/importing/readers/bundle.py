"""Reads folders and zips: every article in them, in order, with its pictures found by the names it gives them."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast
from unicodedata import normalize
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile, ZipInfo

from django.utils.translation import gettext as _

from ..blocks import PictureRef, Problem, Reader, Source, SourceArticle, UnreadableSource
from . import zips
from .limits import MAX_FILES, MAX_FOLDERS, MAX_PICTURE

EXPORT = "bedside.json"

_PICTURES = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|hei[cf]|tiff?|bmp|svg)")
# What stands beside articles and is none.
_OTHERS = re.compile(
    r"\.(?:css|less|scss|m?js|ts|vue|map|woff2?|ttf|otf|eot|ico|cur|exe|dll|so|mp[34]|m4[av]|mov|avi|webm|og[gv]|wav|swf"
    r"|php|py|rb|sh|bat|sql|db|lnk|url|webloc|ini|log|bak|csv|tsv|xlsx?|ods|pptx?|ya?ml|toml|lock|psd|ai|eps|pot?|mo)"
)
_PAGES = (".htm", ".html", ".xhtml")
_IGNORED = re.compile(r"(?:^|/)(?:\.[^/]*|__MACOSX|Thumbs\.db|desktop\.ini|~\$[^/]*)(?:/|$)", re.IGNORECASE)
_SIZE = re.compile(r"-(?:\d{1,5}x\d{1,5}|scaled)(?=\.\w{2,5}$)")
_NUMBERS = re.compile(r"(\d{1,18})")
_NAMED = 10  # files in a sentence


@dataclass(slots=True)
class _File:
    size: int
    open: Callable[[], BinaryIO]


@dataclass(slots=True)
class _Bundle:
    """The files of a folder or a zip by their paths in it, and which pictures were named by an article."""

    files: dict[str, _File]
    named: set[str] = field(default_factory=set)
    folded: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_name: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for path in self.files:
            self.folded[_folded(path)].append(path)
            if _PICTURES.fullmatch(_extension(path)):
                self.by_name[_folded(PurePosixPath(path).name)].append(path)

    def picture(self, folder: str, address: str) -> str:
        """Return the path of the picture that a file in a folder names by an address, "" if it is not here.

        Only the list of files is asked: no name leads anywhere else.
        """
        try:
            parts = urlsplit(address.strip().replace("\\", "/"))
        except ValueError:
            return ""
        path = parts.path
        if not path or "\0" in path or (parts.scheme and parts.scheme not in ("http", "https")):
            return ""
        if not parts.netloc:
            for written in (path, unquote(path)):
                if found := self._here(_joined("" if written.startswith("/") else folder, written)):
                    return found
            if ".." in PurePosixPath(path).parts:
                return ""
        return self._by_tail(unquote(path)) or self._by_tail(_SIZE.sub("", unquote(path)))

    def open_picture(self, folder: str, address: str) -> bytes | None:
        """Return the bytes of a picture; None if it is not here, too large or damaged."""
        path = self.picture(folder, address)
        if not path:
            return None
        self.named.add(path)
        try:
            with self.files[path].open() as file:
                data = file.read(MAX_PICTURE + 1)
        except (OSError, UnreadableSource):
            return None
        return data if 0 < len(data) <= MAX_PICTURE else None

    def _here(self, path: str) -> str:
        if path in self.files:
            return path
        alike = self.folded.get(_folded(path), []) if path else []
        return alike[0] if len(alike) == 1 else ""

    def _by_tail(self, path: str) -> str:
        """Return the one picture whose path ends as an address does, further than any other."""
        wanted = [part for part in _folded(path).split("/") if part]
        if not wanted:
            return ""
        ranked = sorted(
            ((shared, path) for path in self.by_name.get(wanted[-1], []) if (shared := _shared(wanted, path))),
            reverse=True,
        )
        is_alone = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] > ranked[1][0])
        return ranked[0][1] if is_alone else ""


def is_export(path: Path) -> bool:
    """Tell whether a folder or a zip is what export_site of this program writes."""
    try:
        if path.is_dir():
            return (path / EXPORT).is_file()
        if not path.is_file():
            return False
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
        names = zips.opened(lambda: path.open("rb")).namelist()
    except (OSError, UnreadableSource):
        return False
    return any(name == EXPORT or (name.endswith(f"/{EXPORT}") and name.count("/") == 1) for name in names)


def is_docx(source: Source) -> bool:
    """Tell whether a zip is a Word file. Raises UnreadableSource if it is that of another program."""
    archive = zips.opened(source.open)
    names = set(archive.namelist())
    if "word/document.xml" in names or ("[Content_Types].xml" in names and any(map(_is_word, names))):
        return True
    if "xl/workbook.xml" in names or "ppt/presentation.xml" in names:
        raise UnreadableSource(_("This is a table or a presentation, not a text. Save its text as .docx."))
    if "mimetype" in names:
        kind = zips.unpack(archive, archive.getinfo("mimetype"), 1000)
        if kind.startswith(b"application/vnd.oasis.opendocument"):
            raise UnreadableSource(_("This is a file of LibreOffice. Open it and save it as .docx."))
        if kind.startswith(b"application/epub"):
            raise UnreadableSource(_("This is an e-book. Save the articles in it as HTML or text first."))
    if "Index/Document.iwa" in names:
        raise UnreadableSource(_("This is a file of Pages. Open it and export it as .docx."))
    return False


def read_zip(source: Source, read: Reader) -> Iterator[SourceArticle | Problem]:
    """Read every article in a zip. Raises UnreadableSource if it is no zip, or one that was made to harm."""
    archive = zips.opened(source.open)
    listing = zips.listed(archive)
    name = str(PurePosixPath(source.name or "zip").with_suffix(""))
    for path, reason in listing.refused:
        yield Problem(f"{name}/{path}", 1, reason)
    files = {path: _File(info.file_size, _member(archive, info)) for path, info in listing.files.items()}
    yield from _read(files, name, read, is_zip=True)


def read_folder(path: Path, read: Reader) -> Iterator[SourceArticle | Problem]:
    """Read every article in a folder and the folders in it. Links are not followed. Raises UnreadableSource."""
    files: dict[str, _File] = {}
    refused: list[Problem] = []
    for name, entry in _entries(path):
        if not name:
            raise UnreadableSource(_("There are more than %(limit)d files in this folder.") % {"limit": MAX_FILES})
        if entry.is_file(follow_symlinks=False):
            files[name] = _File(entry.stat(follow_symlinks=False).st_size, _opener(entry.path))
        else:
            message = _("It is a link to another file, or no file, so it was not read.")
            refused.append(Problem(f"{path.name}/{name}", 1, message))
    yield from refused
    yield from _read(files, path.resolve().name, read, is_zip=False)


def _read(files: dict[str, _File], name: str, read: Reader, *, is_zip: bool) -> Iterator[SourceArticle | Problem]:
    if EXPORT in files:
        raise UnreadableSource(_("This is an export of a whole site. The command import_articles brings it back."))
    bundle = _Bundle({path: file for path, file in files.items() if not _IGNORED.search(path)})
    others: Counter[str] = Counter()
    is_empty = True
    for path in sorted(bundle.files, key=_in_natural_order):
        extension = _extension(path)
        if _PICTURES.fullmatch(extension):
            continue
        if _OTHERS.fullmatch(extension) or _is_of_saved_page(path, bundle.files):
            others[extension] += 1
            continue
        is_empty = False
        yield from _read_file(bundle, path, name, read, is_zip=is_zip)
    if is_empty:
        raise UnreadableSource(_("There is no file in it that could be an article."))
    if others:
        kinds = ", ".join(f"{count} {extension}" for extension, count in others.most_common())
        yield Problem(name, 1, _("Left out, as they are no articles: %(kinds)s.") % {"kinds": kinds}, is_note=True)
    yield from _left_over(bundle, name)


def _read_file(
    bundle: _Bundle, path: str, name: str, read: Reader, *, is_zip: bool
) -> Iterator[SourceArticle | Problem]:
    folder = path.rpartition("/")[0]
    file = bundle.files[path]

    def open_file(address: str) -> bytes | None:
        return bundle.open_picture(folder, address)

    full = f"{name}/{path}" if name else path
    try:
        source = Source(full, file.open, file.size, open_file)
        if is_zip and _is_zip(file):
            source = replace(source, open=_unpacked(file))
            if not is_docx(source):
                yield Problem(full, 1, _("This is a zip within the zip. Unpack it first."))
                return
        for item in read(source):
            if isinstance(item, SourceArticle):
                for picture in _pictures(item):
                    bundle.named.add(bundle.picture(folder, picture.source))
            yield item
    except UnreadableSource as error:
        yield Problem(full, 1, str(error))
    except OSError as error:
        yield Problem(full, 1, _("It cannot be opened (%s).") % error.strerror)


def _left_over(bundle: _Bundle, name: str) -> Iterator[Problem]:
    unnamed = [path for path in bundle.files if _PICTURES.fullmatch(_extension(path)) and path not in bundle.named]
    if not unnamed:
        return
    unnamed.sort(key=_in_natural_order)
    message = _("Pictures that no article shows (%(count)d): %(names)s.") % {
        "count": len(unnamed),
        "names": ", ".join(unnamed[:_NAMED]) + (" …" if len(unnamed) > _NAMED else ""),
    }
    yield Problem(name, 1, message, is_note=True)


def _pictures(article: SourceArticle) -> Iterator[PictureRef]:
    if article.meta.picture:
        yield article.meta.picture
    yield from (block.picture for block in article.blocks if block.picture)


# --- Files ---


def _member(archive: ZipFile, info: ZipInfo) -> Callable[[], BinaryIO]:
    return lambda: io.BufferedReader(zips.Member(archive, info), 64 * 1024)


def _is_zip(file: _File) -> bool:
    with file.open() as opened:
        return opened.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _unpacked(file: _File) -> Callable[[], BinaryIO]:
    """Return how to open a file in a zip so that one can go back and forth in it."""

    def opened() -> BinaryIO:
        whole = NamedTemporaryFile()  # noqa: SIM115 -- who opens it closes it
        with file.open() as packed:
            shutil.copyfileobj(packed, whole)
        whole.seek(0)
        return cast("BinaryIO", whole)

    return opened


def _opener(path: str) -> Callable[[], BinaryIO]:
    """Return how to open a file: not if it was made a link, or anything but a file, since it was listed."""

    def without_links(path: str, flags: int) -> int:
        number = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise UnreadableSource(_("It is a link to another file, or no file, so it was not read."))
        return number

    return lambda: open(path, "rb", opener=without_links)


def _entries(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield what is in a folder and the folders in it, by path; an empty path once there are too many."""
    waiting = [(str(root), "")]
    count = 0
    while waiting:
        folder, prefix = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                name = f"{prefix}{entry.name}"
                if _IGNORED.search(name):
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    yield ("" if count > MAX_FILES else name), entry
                elif prefix.count("/") < MAX_FOLDERS:
                    waiting.append((entry.path, f"{name}/"))


# --- Names ---


def _extension(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _is_word(name: str) -> bool:
    return name.startswith("word/") and name.endswith(".xml")


def _in_natural_order(path: str) -> list[tuple[int, int, str]]:
    """Sort "part 2" before "part 10"."""
    parts = _NUMBERS.split(path.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _is_of_saved_page(path: str, files: dict[str, _File]) -> bool:
    """Tell whether a file lies in the folder that a browser makes beside a page that it saves."""
    for parent in PurePosixPath(path).parents:
        stem, found, _rest = str(parent).rpartition("_")
        if found and any(f"{stem}{extension}" in files for extension in _PAGES):
            return True
    return False


def _folded(path: str) -> str:
    return normalize("NFC", path).casefold()


def _joined(folder: str, path: str) -> str:
    """Return a path relative to a folder, "" if it leads out of the bundle."""
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part == ".." and not parts:
            return ""
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _shared(wanted: list[str], path: str) -> int:
    """Return how many names from the end a path shares with another, 0 if a year or a month in it is another."""
    own = _folded(path).split("/")
    shared = 0
    while shared < min(len(own), len(wanted)) and own[-1 - shared] == wanted[-1 - shared]:
        shared += 1
    differs = own[-1 - shared] if shared < min(len(own), len(wanted)) else ""
    return 0 if differs.isdecimal() else shared

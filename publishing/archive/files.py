"""An export as files: written beside its place and put there whole, and read again only as it was written.

A folder and a zip hold the same. Nothing that is read is trusted: names, sizes and bytes are held against SHA256SUMS,
and that against bedside.json.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from django.utils.translation import gettext as _
from pydantic_core import from_json

from publishing.archive.records import FORMAT, VERSION, About

ABOUT = "bedside.json"
SUMS = "SHA256SUMS"

MAX_FILES = 1_000_000
MAX_TEXT = 64 * 1024 * 1024  # bytes of a list or a document
MAX_PICTURE = 128 * 1024 * 1024  # bytes; 24 million pixels without compression are fewer
MAX_EXPANSION = 300  # how many times its size a zip may unpack to, beyond what is small anyway
SMALL = 256 * 1024 * 1024

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
# What reading and unpacking raise for bytes that are not as they should be.
_UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error, LZMAError)

Put = Callable[[str, bytes], None]


class NoExport(Exception):
    """What was given is no export, or none that can be read, or no place for one; the message says why."""


class Damaged(Exception):
    """A file of an export is missing or is not as it was written; the message names it."""


# --- Writing ----------------------------------------------------------------------------------------------------


@contextmanager
def new_folder(target: Path) -> Iterator[Put]:
    """Give the function that writes a file by name and bytes. The folder is there when all is written, not before.

    An earlier export in its place is replaced. Raises NoExport where something else is there.
    """
    target = target.absolute()
    if target.exists() and not _is_free(target):
        raise NoExport(_("“%s” is not empty and is no earlier export, so nothing is written there.") % target)
    beside = _beside(target)
    beside.mkdir(parents=True)

    def put(name: str, content: bytes) -> None:
        path = beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    try:
        yield put
        before = beside.with_suffix(".before")
        if target.exists():
            target.rename(before)
        beside.rename(target)
        shutil.rmtree(before, ignore_errors=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def new_zip(target: Path) -> Iterator[Put]:
    """The same for a zip file; the same files give the same bytes."""
    target = target.absolute()
    if target.exists() and not (target.is_file() and is_export(target)):
        raise NoExport(_("“%s” is there already and is no earlier export, so it is not written over.") % target)
    beside = _beside(target)
    beside.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(beside, "w") as archive:

            def put(name: str, content: bytes) -> None:
                member = zipfile.ZipInfo(name)  # dated 1980, whenever it is written
                member.external_attr = 0o644 << 16
                packed = name.endswith((".jpg", ".png"))
                archive.writestr(member, content, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)

            yield put
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    """Where an export is written until it is whole. Its name says that it is not, should it be left behind."""
    return target.with_name(f".{target.name}.{os.getpid()}.unfinished")


def _is_free(target: Path) -> bool:
    return target.is_dir() and (not any(target.iterdir()) or is_export(target))


# --- Reading ----------------------------------------------------------------------------------------------------


class Files(Protocol):
    """Where the files of an export are. `open` raises KeyError for what is not there."""

    def open(self, name: str) -> IO[bytes]: ...


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def open(self, name: str) -> IO[bytes]:
        path = self.root / name
        try:
            if path.resolve(strict=True) != path or not stat.S_ISREG(path.stat().st_mode):
                raise Damaged(_("“%s” is a link or no file, so it is not read.") % name)
            return path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(name) from None


class _Zip:
    """A zip, with its files at the top or in one folder."""

    def __init__(self, path: Path) -> None:
        self.archive = zipfile.ZipFile(path)
        members = self.archive.infolist()
        size = sum(member.file_size for member in members)
        if len(members) > MAX_FILES or size > max(SMALL, MAX_EXPANSION * path.stat().st_size):
            raise NoExport(_("“%s” unpacks to far more than it holds, so it is not read.") % path.name)
        self.members = {member.filename: member for member in members if not member.is_dir()}
        if len(self.members) != sum(not member.is_dir() for member in members):
            raise NoExport(_("“%s” holds two files of one name, so it is not read.") % path.name)
        tops = [name for name in self.members if PurePosixPath(name).name == ABOUT and name.count("/") < 2]
        self.top = min(tops, key=len, default=ABOUT).removesuffix(ABOUT)

    def open(self, name: str) -> IO[bytes]:
        member = self.members[self.top + name]
        if stat.S_ISLNK(member.external_attr >> 16):
            raise Damaged(_("“%s” is a link or no file, so it is not read.") % name)
        return self.archive.open(member)


def is_export(path: Path) -> bool:
    """Whether a folder or a zip says that it is an export. Raises nothing."""
    try:
        with _files(path).open(ABOUT) as file:
            return f'"{FORMAT}"'.encode() in file.read(MAX_TEXT)
    except (KeyError, NoExport, Damaged, *_UNREADABLE):
        return False


def _files(path: Path) -> Files:
    return _Folder(path) if path.is_dir() else _Zip(path)


class Archive:
    """An export that can be read. `about` is what it says of itself, `sums` the hash of each file by its name."""

    def __init__(self, path: Path) -> None:
        """Raises NoExport with a sentence."""
        try:
            self._files = _files(path)
            with self._files.open(ABOUT) as file:
                about = file.read(MAX_TEXT)
        except KeyError:
            raise NoExport(_("“%s” is no export: it has no file %s.") % (path, ABOUT)) from None
        except (Damaged, *_UNREADABLE) as error:
            raise NoExport(_("“%s” cannot be read as an export.") % path) from error
        self.about = _read_about(about)
        try:
            sums = self._open_and_read(SUMS, MAX_TEXT * 4)
        except Damaged as error:
            raise NoExport(str(error)) from error
        if sha256(sums).hexdigest() != self.about.sums:
            raise NoExport(_("%s is not as it was written, so no file can be told to be whole.") % SUMS)
        self.sums = dict(_read_sums(sums))
        self.read_so_far: set[str] = set()

    def read(self, name: str) -> bytes:
        """The bytes of a file, as they were written. Raises Damaged with a sentence."""
        self.read_so_far.add(name)
        if name not in self.sums:
            raise Damaged(_("“%s” is missing in the export.") % name)
        content = self._open_and_read(name, MAX_PICTURE if name.startswith("pictures/") else MAX_TEXT)
        if sha256(content).hexdigest() != self.sums[name]:
            raise Damaged(_("“%s” is not as it was written: its SHA-256 is another.") % name)
        return content

    def damaged_files(self) -> Iterator[str]:
        """A sentence for each file that nobody has read so far and that is not as it was written."""
        for name in self.sums:
            if name not in self.read_so_far:
                try:
                    self.read(name)
                except Damaged as error:
                    yield str(error)

    def _open_and_read(self, name: str, limit: int) -> bytes:
        try:
            with self._files.open(name) as file:
                content = file.read(limit + 1)
        except KeyError:
            raise Damaged(_("“%s” is missing.") % name) from None
        except _UNREADABLE as error:
            raise Damaged(_("“%s” cannot be read.") % name) from error
        if len(content) > limit:
            raise Damaged(_("“%s” is larger than any file of an export.") % name)
        return content


def _read_about(content: bytes) -> About:
    try:
        data = from_json(content)
        if isinstance(data, dict) and isinstance(version := data.get("version"), int) and version > VERSION:
            raise NoExport(
                _("This export is of format %(theirs)s; this site reads up to format %(ours)d. Update the site first.")
                % {"theirs": str(version)[:20], "ours": VERSION}
            )
        return About.model_validate_json(content)
    except ValueError as error:
        raise NoExport(_("%s is not what an export says of itself.") % ABOUT) from error


def _read_sums(content: bytes) -> Iterator[tuple[str, str]]:
    lines = content.decode(errors="replace").splitlines()
    if len(lines) > MAX_FILES:
        raise NoExport(_("%s names more files than any export has.") % SUMS)
    for number, line in enumerate(lines, start=1):
        match = _SUM.fullmatch(line)
        if not match or not _NAME.fullmatch(match[2]) or ".." in match[2]:
            raise NoExport(_("Line %(line)d of %(file)s is no sum of a file.") % {"line": number, "file": SUMS})
        yield match[2], match[1]

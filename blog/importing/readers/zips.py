"""Opens zips that nobody vouches for: what they say of themselves is checked before anything is unpacked."""

from __future__ import annotations

import io
import re
import stat
import struct
import weakref
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from lzma import LZMAError
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from ..blocks import UnreadableSource
from .limits import MAX_DIRECTORY, MAX_FILES, MAX_FOLDERS, MAX_NAME, MAX_RATIO, MAX_UNPACKED, MB, RATIO_COUNTS_FROM

# What unpacking raises for bytes that are not as they should be: cut off, changed, encrypted, of a method of its own.
BROKEN = (
    BadZipFile,
    zlib.error,
    LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    struct.error,
    ValueError,
)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]|^/|^[A-Za-z]:|(?:^|/)\.\.(?:/|$)")
# Windows takes these for devices, with any ending.
_DEVICE = re.compile(r"(?:^|/)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.[^/]*)?(?:/|$)", re.IGNORECASE)
_END = b"PK\x05\x06"
_END_64 = b"PK\x06\x06"
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a zip by their safe names, and those that are refused: their names and why, in a sentence."""

    files: dict[str, ZipInfo] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)


def opened(open_file: Callable[[], BinaryIO]) -> ZipFile:
    """Open a zip; its file is closed when nobody holds it any more.

    Raises UnreadableSource if it is none, is cut off, or lists too many files to be looked at.
    """
    file = open_file()
    try:
        if _directory_size(file) > MAX_DIRECTORY:
            raise UnreadableSource(_too_many())
        archive = ZipFile(file)
    except BROKEN as error:
        file.close()
        raise UnreadableSource(_("This zip is damaged, or was not copied whole.")) from error
    except UnreadableSource:
        file.close()
        raise
    # Pictures are asked for after the articles were read, as long as somebody has one of them.
    weakref.finalize(archive, file.close)
    return archive


def listed(archive: ZipFile) -> Listing:
    """Return the files of a zip, checked. Raises UnreadableSource if it is a bomb as a whole."""
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        raise UnreadableSource(_too_many())
    _check_overlap(infos, archive.start_dir)
    unpacked = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if unpacked > MAX_UNPACKED or (unpacked > 20 * RATIO_COUNTS_FROM and unpacked > MAX_RATIO * packed):
        raise UnreadableSource(
            _("This zip would unpack to %(size)d MB, which is more than any archive of articles has.")
            % {"size": unpacked // MB}
        )
    found = Listing()
    for info in infos:
        name = safe_name(info.orig_filename)
        if reason := _refused(info, name, found.files):
            found.refused.append((info.orig_filename[:MAX_NAME], reason))
        elif name and not _is_folder(info):
            found.files[name] = info
    return found


def safe_name(name: str) -> str:
    """Return the path of a file with single forward slashes, "" if it could lead out of its folder or is no path."""
    name = name.replace("\\", "/")
    if _UNSAFE.search(name) or _DEVICE.search(name) or len(name) > MAX_NAME or name.count("/") > MAX_FOLDERS:
        return ""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def unpack(archive: ZipFile, info: ZipInfo, limit: int) -> bytes:
    """Return the bytes of a file in a zip. Raises UnreadableSource if they are more than a limit, or broken."""
    try:
        with archive.open(info) as file:
            data = file.read(limit + 1)
    except BROKEN as error:
        raise UnreadableSource(damaged()) from error
    if len(data) > limit:
        raise UnreadableSource(_("This file is larger than %(limit)d MB.") % {"limit": limit // MB})
    return data


class Member(io.RawIOBase):
    """A file in a zip, read as it is unpacked; its faults are UnreadableSource."""

    def __init__(self, archive: ZipFile, info: ZipInfo) -> None:
        try:
            self._file = archive.open(info)
        except BROKEN as error:
            raise UnreadableSource(damaged()) from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._file.read(len(buffer))
        except BROKEN as error:
            raise UnreadableSource(damaged()) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()


def damaged() -> str:
    """Return the sentence for a file that cannot be unpacked."""
    return _("This file is damaged in the zip, or packed in a way that cannot be read.")


def _too_many() -> str:
    return _("There are more than %(limit)d files in this zip. Split it.") % {"limit": MAX_FILES}


def _directory_size(file: BinaryIO) -> int:
    """Return the bytes of the list of files, which is read as a whole."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 0x10100))
    tail = file.read()
    file.seek(0)
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        return 0  # no zip: opening it says so
    (listed_size,) = struct.unpack_from("<I", tail, end + 12)
    if listed_size == 0xFFFFFFFF and (large := tail.rfind(_END_64)) >= 0 and len(tail) >= large + 48:
        (listed_size,) = struct.unpack_from("<Q", tail, large + 40)
    return int(listed_size)


def _check_overlap(infos: list[ZipInfo], end: int) -> None:
    """Refuse a zip that names the same packed bytes in several files."""
    in_order = sorted(infos, key=lambda info: info.header_offset)
    starts = [info.header_offset for info in in_order] + [end]
    for info, (start, after) in zip(in_order, pairwise(starts), strict=True):
        if start + _LOCAL_HEADER + info.compress_size > after:
            raise UnreadableSource(_("The files in this zip overlap: it was made to harm, or is damaged."))


def _is_folder(info: ZipInfo) -> bool:
    return info.orig_filename.endswith(("/", "\\"))


def _refused(info: ZipInfo, name: str, taken: dict[str, ZipInfo]) -> str:
    """Return why a file of a zip is not read, "" if it is."""
    if not name and not _is_folder(info):
        return _("Its name could lead out of the folder, so it was not read.")
    if stat.S_ISLNK(info.external_attr >> 16):
        return _("It is a link to another file, so it was not read.")
    if info.flag_bits & _ENCRYPTED:
        return _("It is protected by a password. Make the zip again without one.")
    if info.file_size > RATIO_COUNTS_FROM and info.file_size > MAX_RATIO * info.compress_size:
        return _("It would unpack to %(size)d MB from almost nothing, so it was not read.") % {
            "size": info.file_size // MB
        }
    if name in taken:
        return _("It is in the zip twice; the first was read.")
    return ""

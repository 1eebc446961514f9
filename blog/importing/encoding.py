"""Decodes the bytes of a source whose encoding is unknown, wrongly declared, or a mixture."""

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32 first: its little-endian mark starts with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Those that a source may declare, as the web reads their names: the old ones are parts of larger ones.
_DECLARED = re.compile(r"(?:windows|cp|iso|koi8|gb|big5|euc|shift|sjis|mac|tis)[\w:-]{0,20}", re.ASCII | re.IGNORECASE)
_LARGER = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "iso8859-1": "cp1252"}
_SAMPLE = 50_000
# In Chinese, Greek or Cyrillic most bytes are beyond ASCII, in German or French few.
_HIGH_SHARE = 0.4
_HIGH = re.compile(rb"[\x80-\xff]")
_EAST_ASIAN = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff00-\uffef]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")


def decode(data: bytes, declared: str = "") -> str:
    """Decode the bytes of a text. Raises nothing; bytes that make no sense become U+FFFD.

    Takes the bytes and the encoding that the source declares, if any. UTF-8, -16 and -32 are told by their bytes, with
    a mark or without. Other encodings are read as declared; without that, what is mostly ASCII is Windows-1252, alone
    or mixed with UTF-8, and the rest is guessed: GB 18030, Big5 and the Cyrillic ones are told well.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="windows-1252-or-mark")
    sample = data[:_SAMPLE]
    if encoding := _utf_16(sample):
        return data.decode(encoding, errors="windows-1252-or-mark")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    encoding = _declared(declared) or _guessed(sample)
    return data.decode(encoding, errors="replace" if encoding != "utf-8" else "windows-1252-or-mark")


def _utf_16(sample: bytes) -> str:
    """Return the order of UTF-16 without a mark, if every other byte of spaces and line ends is NUL, else ""."""
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        nuls = sample[first::2].count(0)
        if nuls > len(sample) // 5 and nuls > 4 * sample[1 - first :: 2].count(0):
            return encoding
    return ""


def _east_asian_utf_16(sample: bytes) -> str:
    """Return the order of UTF-16 in a script whose letters have no NUL: only line ends and digits have."""
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        if not sample[first::2].count(0) or sample[1 - first :: 2].count(0):
            continue
        text = sample[: len(sample) // 2 * 2].decode(encoding, errors="replace")
        if len(_EAST_ASIAN.findall(text)) > len(text) / 2 and not _CONTROL.search(text):
            return encoding
    return ""


def _declared(name: str) -> str:
    name = name.strip()
    if not _DECLARED.fullmatch(name):
        return ""
    try:
        name = codecs.lookup(name).name
    except LookupError:
        return ""
    return _LARGER.get(name, name)


def _guessed(sample: bytes) -> str:
    if encoding := _east_asian_utf_16(sample):
        return encoding
    letters = len(sample) - sum(map(sample.count, b" \n\r\t"))
    if len(_HIGH.findall(sample)) < _HIGH_SHARE * letters:
        return "utf-8"
    best = from_bytes(sample).best()
    return codecs.lookup(best.encoding).name if best else "utf-8"


def _windows_1252_or_mark(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are not UTF-8 as Windows-1252, so that a mixture is readable too."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    one_byte_encoding = "cp1252" if error.encoding == "utf-8" else "ascii"
    return wrong.decode(one_byte_encoding, errors="replace"), error.end


codecs.register_error("windows-1252-or-mark", _windows_1252_or_mark)

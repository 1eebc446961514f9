"""Tells the format of a source: by what is in it, and only then by its name."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..blocks import UnreadableSource
from ..encoding import decode

# What of a source is looked at. The declarations of a WordPress export stand within the first two kilobytes.
HEAD = 64 * 1024


class Format(StrEnum):
    """What a reader can read."""

    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"
    WXR = "wxr"
    FEED = "feed"
    JSON = "json"  # a JSON Feed, or an article of our own
    DOCX = "docx"
    ZIP = "zip"


_NO_READER: tuple[tuple[re.Pattern[bytes], str | Promise], ...] = tuple(
    (re.compile(signature, re.DOTALL), message)
    for signature, message in (
        (
            rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            _("This is a file of an old version of Word or Office. Open it and save it as .docx."),
        ),
        (rb"\s{0,9}%PDF-", _("This is a PDF, which keeps pages and no text in order. Copy its text and paste it.")),
        (rb"\{\\rtf", _("This is an RTF file. Open it in Word or LibreOffice and save it as .docx.")),
        (
            rb"\x1f\x8b|BZh\d|\xfd7zXZ\0|\x28\xb5\x2f\xfd|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|.{257}ustar",
            _("This is a packed file. Unpack it, and give the folder or the file in it; a zip can stay as it is."),
        ),
        (
            rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|II\*\0|MM\0\*|BM.{4}\0{4}|.{4}ftyp(?:avif|hei|mif1)",
            _("This is a picture, not an article."),
        ),
        (rb"MZ.{58}|\x7fELF", _("This is a program, not an article.")),
        (rb"SQLite format 3\0", _("This is a database. Export its articles first.")),
    )
)
_XML = re.compile(r"<\?xml\b|<(?:rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
# What may stand above the first element of an XML file.
_ABOVE = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_WXR = re.compile(r"""=\s*["']https?://wordpress\.org/export/""")
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_HTML_TAG = re.compile(
    r"</?(?:p|div|h[1-6]|ul|ol|li|br|hr|strong|b|em|i|a|span|img|table|tr|td|figure|section|article|blockquote)"
    r"""(?:\s+[\w:-]+\s*=\s*["'\w][^<>]*)?\s*/?>""",
    re.IGNORECASE,
)
_FRONT_MATTER = re.compile(r"(?:---|\+\+\+)[ \t]*\r?\n(?=[\s\S]{0,100}?^[\w-]+[ \t]*[:=])", re.MULTILINE)
_MARKDOWN = re.compile(
    r"^ {0,3}#{1,6}[ \t]+\S"  # a heading
    r"|\*\*[^\s*][^*\n]{0,200}\*\*|__[^\s_][^_\n]{0,200}__"  # bold
    r"|!?\[[^\]\n]{1,200}\]\((?:https?:|[./#\w-])[^)\s]{0,500}[^)\n]{0,100}\)",  # a link or a picture
    re.MULTILINE,
)
_MARKDOWN_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.MULTILINE)
# Of one sign alone a text may make use for other ends.
_ENOUGH = 3

_BY_NAME = {
    "md": Format.MARKDOWN,
    "markdown": Format.MARKDOWN,
    "mdown": Format.MARKDOWN,
    "mkd": Format.MARKDOWN,
    "htm": Format.HTML,
    "html": Format.HTML,
    "xhtml": Format.HTML,
}


def sniff(head: bytes, name: str = "") -> Format:
    """Return the format of a source.

    Takes its first `HEAD` bytes and its name, if it has one. What cannot be told otherwise is plain text.
    Raises UnreadableSource for what no reader reads, with a sentence that says what to do.
    """
    if not head.strip(b"\0\t\n\r ") and len(head) < HEAD:
        raise UnreadableSource(_("There is nothing in the file."))
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.ZIP
    for signature, message in _NO_READER:
        if signature.match(head):
            raise UnreadableSource(message)
    text = decode(head).lstrip("\ufeff \t\r\n\0")
    extension = PurePosixPath(name.replace("\\", "/")).suffix.lower().removeprefix(".")
    if extension == "json" or re.match(r"""\{\s*"|\[\s*\{""", text):
        return Format.JSON
    if _XML.match(text) or (extension == "xml" and text.startswith("<")):
        return _of_xml(text)
    root = _root(text)
    if root in ("rss", "feed", "RDF"):
        return _of_xml(text)
    if _PAGE.match(text) or root in ("html", "head", "body"):
        return Format.HTML
    return _of_text(text, extension)


def _of_xml(text: str) -> Format:
    root = _root(text)
    if root == "rss":
        return Format.WXR if _WXR.search(text) else Format.FEED
    if root in ("feed", "RDF"):
        return Format.FEED
    if root == "svg":
        raise UnreadableSource(_("This is a picture, not an article."))
    if root.lower() == "html" or _HTML_TAG.search(text):
        return Format.HTML
    raise UnreadableSource(_("This is XML, but neither an export of WordPress nor a feed."))


def _root(text: str) -> str:
    """Return the name of the first element, without a prefix, "" if something else comes first."""
    at = 0
    while above := _ABOVE.match(text, at):
        at = above.end()
    found = _ROOT.match(text, at)
    return found[1] if found else ""


def _of_text(text: str, extension: str) -> Format:
    named = _BY_NAME.get(extension)
    tags = len(_HTML_TAG.findall(text))
    if text.startswith("<") and tags >= _ENOUGH and named != Format.MARKDOWN:
        return Format.HTML
    signs = len(_MARKDOWN.findall(text))
    if named == Format.MARKDOWN or _FRONT_MATTER.match(text):
        return Format.MARKDOWN
    if named:
        return named
    if signs >= _ENOUGH and _MARKDOWN_HEADING.search(text):
        return Format.MARKDOWN
    return Format.HTML if tags >= _ENOUGH else Format.TEXT

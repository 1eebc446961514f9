"""Rich text: one allow-list for what editors type, what is imported, and again for what is shown."""

from __future__ import annotations

import re
from html import unescape

import nh3
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django_prose_editor.config import allowlist_from_extensions, expand_extensions
from django_prose_editor.fields import ProseEditorFormField

from publishing.documents import CITATION, Document

# The editor's buttons are this list, and so is the sanitiser's allow-list.
EXTENSIONS = {
    "Bold": True,
    "Italic": True,
    "Subscript": True,
    "Superscript": True,
    "BulletList": True,
    "OrderedList": True,
    "ListItem": True,
    "Blockquote": True,
    "Heading": {"levels": [3, 4]},
    "Link": {"enableTarget": False, "protocols": ["http", "https", "mailto", "tel"]},
    "HardBreak": True,
    "History": True,
}

_cleaner = nh3.Cleaner(**allowlist_from_extensions(expand_extensions(EXTENSIONS)))
_EMPTY = re.compile(r"^(\s|<p>|</p>|<br/?>|&nbsp;)*$")
_BLOCK_END = re.compile(r"</(p|li|h[1-6]|blockquote)>|<br/?>")
# The cleaner always writes attributes in double quotes and escapes "<" in text, so this finds whole tags, even
# where an attribute holds a ">".
_TAG = re.compile(r"""<(?:[^">]|"[^"]*")*>""")
_TAG_OR_CITATION = re.compile(f"{_TAG.pattern}|{CITATION.pattern}")


def clean(html: str) -> str:
    """HTML reduced to the allow-list; an editor's empty paragraph becomes the empty string."""
    cleaned = _cleaner.clean(html).strip()
    return "" if _EMPTY.match(cleaned) else cleaned


def plain(html: str, *, citations: bool = False) -> str:
    """The words of rich text, a line for each block; without citations, unless they are asked for as [@key]."""
    text = unescape(_TAG.sub("", _BLOCK_END.sub("\n", html if citations else CITATION.sub("", html))))
    return "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)


def render(html: str, document: Document) -> SafeString:
    """Rich text as a page shows it: cleaned again, citations turned into numbered links to the sources."""
    numbers = document.source_numbers()

    def link(match: re.Match[str]) -> str:
        number = numbers.get(match[1])
        if number is None:  # a tag, which stays as it is (a citation inside an address too), or an unknown key
            return match[0]
        return format_html(
            '<a class="cite" href="#source-{0}" aria-label="{1}">[{0}]</a>', number, _("Source %d") % number
        )

    return mark_safe(_TAG_OR_CITATION.sub(link, clean(html)))


class RichTextField(models.TextField):
    """Text of the allow-list, cleaned on every save, whichever way it came; a prose editor in forms."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = clean(getattr(model_instance, self.attname) or "")
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **kwargs):  # type: ignore[no-untyped-def]
        return super().formfield(
            **{"form_class": ProseEditorFormField, "extensions": EXTENSIONS, "sanitize": clean} | kwargs
        )

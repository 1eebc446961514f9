"""What templates of documents ask for."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from django import template
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdownify import MarkdownConverter

from images.models import Picture
from images.processing import SHAPES
from publishing.documents import Document, PictureValue
from publishing.models import Citation, Publication
from publishing.pages import may_be_indexed as pages_may_be_indexed
from publishing.richtext import clean, render

register = template.Library()
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|&])")
_ESCAPED_CITATION = re.compile(r"\\\[@([a-z0-9][a-z0-9-]*)\\\]")
_CITED = re.compile(r'<a class="cite"[^>]*>(\[\d+\])</a>')  # a class is nothing that an editor can write
_SAFE_IN_URL = ":/?#[]@!$&'*+,;=%~"


@register.filter
def rich(html: str, document: Document) -> SafeString:
    """Rich text as the page shows it, with numbered links to its sources that stay with the word before them."""
    return mark_safe(render(html, document).replace(' <a class="cite"', '\u202f<a class="cite"'))


@register.filter
def portable(html: str, document: Document) -> SafeString:
    """Rich text as it leaves the site: citations as [1], without links into a page that is not there."""
    return mark_safe(_CITED.sub(r"\1", render(html, document)))


@register.filter
def raised(html: str) -> SafeString:
    """Rich text whose headings stand right below the page's title, where no heading of a part is between them."""
    return mark_safe(re.sub(r"(</?h)([3-6])\b", lambda found: f"{found[1]}{int(found[2]) - 1}", html))


@register.filter
def cleaned(html: str) -> SafeString:
    """Rich text that is not of a document, through the allow-list once more."""
    return mark_safe(clean(html))


@register.simple_tag(takes_context=True)
def picture(context: Any, value: PictureValue, sizes: str, lazy: bool = True) -> SafeString:
    """A picture of a document, whole, as it was approved: what a drawing explains must not be cut off.

    `sizes` is the HTML attribute of that name.
    """
    row: Picture | None = context.get("pictures", {}).get(value.content_hash)
    if row is None:
        return SafeString("")
    return picture_markup(row, value.alt, sizes, lazy=lazy)


@register.simple_tag
def card_picture(row: Picture | None, sizes: str, lazy: bool = True, shape: str = "card") -> SafeString:
    """A picture beside a title that says the same: decorative there, and cropped around its focal point.

    `shape` is one of images.processing.SHAPES: 'card', 'lead' or 'square'.
    """
    return picture_markup(row, "", sizes, lazy=lazy, shape=shape) if row else SafeString("")


def picture_markup(row: Picture, alt: str, sizes: str, *, lazy: bool, shape: str = "") -> SafeString:
    """A picture in the best format the browser takes, at the width it needs, with its room reserved.

    Until the crop is made its room shows the whole picture, cut by css/pictures.css near the focal point; until the
    renditions are made, the original.
    """
    width, height = SHAPES[shape].sizes(row.width, row.height)[-1] if shape else (row.width, row.height)
    made = row.files("jpg", shape)
    sources = [
        format_html('<source type="image/{}" srcset="{}" sizes="{}">', kind, row.srcset(kind, shape), sizes)
        for kind in ("avif", "webp")
        if made
    ]
    image = format_html(
        '<img src="{}"{} width="{}" height="{}" alt="{}"{}{}>',
        made[-1][0] if made else row.url,
        format_html(' srcset="{}" sizes="{}"', row.srcset("jpg", shape), sizes) if made else "",
        width,
        height,
        alt,
        format_html(' class="{}"', _crop_classes(row, shape)) if shape else "",
        SafeString(' loading="lazy" decoding="async"') if lazy else SafeString(' fetchpriority="high"'),
    )
    return mark_safe("<picture>" + "".join(sources) + image + "</picture>")  # formatted above


def _crop_classes(row: Picture, shape: str) -> str:
    """The room of a shape and, until its crop is made, the edge that the focal point is near: no style is inline."""
    classes = ["crop", f"crop-{shape}"]
    if not row.has_crops:
        across, down = ("left", "", "right"), ("top", "", "bottom")
        edges = (across[min(row.focal_x // 334, 2)], down[min(row.focal_y // 334, 2)])
        classes += [f"crop-{edge}" for edge in edges if edge]
    return " ".join(classes)


@register.simple_tag(takes_context=True)
def may_be_indexed(context: Any) -> bool:
    """Whether search engines are invited to this very page: never to an older edition or a preview."""
    publication = context.get("publication")
    if publication is None:
        return True
    return bool(context.get("is_live")) and pages_may_be_indexed(publication, context["chrome"].site)


@register.filter
def with_phone(sentence: str, number: str) -> SafeString:
    """The sentence with a telephone number in it as a link that calls it (RFC 3966)."""
    link = format_html('<a href="tel:{}">{}</a>', re.sub(r"[^+\d]", "", number), number)
    words = conditional_escape(sentence)
    if not number:
        return words
    return mark_safe(re.sub(rf"(?<!\w){re.escape(escape(number))}(?!\w)", lambda _match: link, words))


@register.simple_tag(takes_context=True)
def emergency_heading(context: Any) -> str:
    """The one action of the emergency card (NHS care cards; check C22).

    It reads rightly before clauses ("you cannot pee") and nouns ("loss of bladder control"), and asks for nothing
    besides: a topic in it ("if you have back pain and") would tell readers without that complaint to wait.
    """
    document = context["document"]
    number = context["chrome"].site.emergency_number
    own: str = document.emergency_heading
    return own or _("Call %(number)s now if any of these applies") % {"number": number}


class _Markdown(MarkdownConverter):
    """Rich text as Markdown in which no character of the text is markup by accident, and no address ends early."""

    def convert_a(self, el: Any, text: str, parent_tags: Any) -> str:
        if href := el.get("href"):
            el["href"] = quote(href, safe=_SAFE_IN_URL)
        return str(super().convert_a(el, text, parent_tags))  # type: ignore[misc]  # missing in the stubs  # type: ignore[misc]  # missing in its types


@register.filter
def markdown(html: str, document: Document) -> SafeString:
    """Rich text as Markdown, with citations as [1]."""
    numbers = document.source_numbers()
    text = _Markdown(bullets="-", heading_style="ATX", escape_misc=True).convert(clean(html))
    cited = _ESCAPED_CITATION.sub(lambda m: f"\\[{numbers[m[1]]}\\]" if m[1] in numbers else m[0], text)
    return SafeString(re.sub(r"\n{3,}", "\n\n", cited).strip())


@register.filter
def indented(text: str) -> SafeString:
    """Markdown that goes on inside an item of a numbered list."""
    return SafeString("\n".join(f"   {line}" if line else "" for line in text.split("\n")))


@register.filter
def markdown_line(text: str) -> SafeString:
    """Plain text on one line of Markdown, with what would be markup escaped."""
    return SafeString(_SPECIAL.sub(r"\\\1", " ".join(str(text).split())))


@register.filter
def web_address(url: str) -> str:
    """An address that may be made a link, or '' for anything else: "javascript:" runs where it is clicked."""
    try:
        scheme = urlsplit(url.strip()).scheme
    except ValueError:
        return ""
    return quote(url.strip(), safe=f"{_SAFE_IN_URL}()") if scheme in ("http", "https") else ""


@register.filter
def doi_url(doi: str) -> str:
    return f"https://doi.org/{quote(doi, safe='/:;()')}"


@register.filter
def pubmed_url(pmid: str) -> str:
    return f"https://pubmed.ncbi.nlm.nih.gov/{quote(pmid)}/"


@register.filter
def twin(publication: Publication, extension: str) -> str:
    """The address of a rendition beside the page: 'json' or 'md'."""
    return f"{publication.get_absolute_url().removesuffix('/')}.{extension}"


@register.filter
def source_kind(kind: str) -> str:
    """A source's kind in words; a kind that this version no longer knows as it is."""
    return str(dict(Citation.Kind.choices).get(kind, kind))


@register.filter
def day(iso: str) -> str:
    """An ISO 8601 date of a document as people write it; anything else as it is."""
    try:
        parsed = parse_date(iso)
    except ValueError:
        parsed = None
    return date_format(parsed, "DATE_FORMAT") if parsed else iso


@register.filter
def ends_sentence(text: str) -> bool:
    return text.rstrip().endswith((".", "?", "!", "…"))


@register.filter
def full_stop(text: str) -> str:
    """The text with a full stop, unless it ends a sentence already ("et al.")."""
    return text if ends_sentence(text) else f"{text}."


@register.filter
def lookup(mapping: dict[str, Any], key: str) -> Any:
    return mapping.get(key)

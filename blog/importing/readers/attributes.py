"""Reads what the attributes of HTML elements, and the shortcodes of WordPress, say."""

import re
from urllib.parse import urlsplit

_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
TAB = re.compile(r"(?:^|[\s_-])(?:accordion|collapse|collapsible|faq|panel|tab|toggle)(?:$|[\s_-])", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"^data:|(?:^|/)(?:blank|spacer|placeholder|pixel|1x1|transparent)[\w-]*\.(?:gif|png|svg)$", re.I
)
_VIDEO = re.compile(
    r"(?:^|\.)(?:youtube(?:-nocookie)?\.com|youtu\.be|vimeo\.com|dailymotion\.com|wistia\.(?:com|net))$"
)
# A picture in its own address that is shorter shows nothing.
_DOT_LENGTH = 300
_BYLINE = re.compile(r"(?:^|[\s_-])(?:byline|author|author-name)(?:$|\s)", re.IGNORECASE)
_SHORTCODE = re.compile(r"\[(?P<end>/)?(?P<name>[a-z][\w-]{0,40})(?P<rest>(?:\s[^\[\]<>\n]{0,500})?)\]")
_SHORTCODE_TITLE = re.compile(r"""\s(?:title|heading)=["']([^"']+)["']""")
SHORTCODES_ALONE = re.compile(r"(?:\[/?[a-z][\w-]*(?:\s[\w-]+=[^\]]*)?\]\s*)+")


def whole_number(text: str) -> int | None:
    """Return the number that a text starts with; None if it does not."""
    found = re.match(r"\s*([+-]?[0-9]{1,6})", text)
    return int(found[1]) if found else None


def is_dot(attributes: dict[str, str]) -> bool:
    """Tell whether a picture is the pixel by which readers are counted."""
    sizes = [whole_number(attributes.get(side, "")) for side in ("width", "height")]
    return any(size is not None and size <= 1 for size in sizes)


def picture_source(attributes: dict[str, str]) -> str:
    """Return the address of a picture, of the largest size, also of one that a script was to load."""
    sets = [attributes.get(name, "") for name in ("data-srcset", "data-lazy-srcset", "srcset")]
    largest = max((each for written in sets for each in _sizes(written)), default=(0.0, ""))[1]
    names = ("data-src", "data-lazy-src", "data-original", "data-lazy", "src")
    sources = [attributes.get(name, "").strip() for name in names]
    real = [source for source in sources if source and not _PLACEHOLDER.search(source[:2000])]
    embedded = [source for source in sources if source.startswith("data:image/") and len(source) > _DOT_LENGTH]
    return next(iter([*real, *([largest] if largest else []), *embedded]), "")


def _sizes(written: str) -> list[tuple[float, str]]:
    found = []
    for candidate in re.split(r",\s+", written[:20_000]):
        source, _space, size = candidate.strip().partition(" ")
        if source and not source.startswith("data:"):
            number = re.match(r"[0-9.]{1,8}", size.strip())
            try:
                found.append((float(number[0]) if number else 0.0, source))
            except ValueError:
                found.append((0.0, source))
    return found


def is_hidden(attributes: dict[str, str]) -> bool:
    """Tell whether an element is hidden, and is none that a click shows."""
    if "hidden" not in attributes and not _HIDDEN.search(attributes.get("style", "")):
        return False
    return not (
        attributes.get("role") == "tabpanel"
        or "aria-labelledby" in attributes
        or TAB.search(attributes.get("class", ""))
        or attributes.get("hidden") == "until-found"
    )


def said_by(name: str, attributes: dict[str, str]) -> str:
    """Return what the text of an element says of the page."""
    if name == "title":
        return "title"
    if name == "script":
        return "data" if attributes.get("type", "").strip().lower() == "application/ld+json" else ""
    if name == "time":
        return "time"
    relations = attributes.get("rel", "").lower().split()
    if "tag" in relations:
        return "tag"
    if "author" in relations or attributes.get("itemprop") == "author":
        return "author"
    return "byline" if _BYLINE.search(attributes.get("class", "")) else ""


def is_video(address: str) -> bool:
    """Tell whether an address is that of a player of videos."""
    try:
        return bool(_VIDEO.search(urlsplit(address).hostname or ""))
    except ValueError:
        return False


def without_shortcodes(html: str) -> str:
    """Take off the shortcodes of WordPress that enclose text; captions and titles in them become elements."""
    enclosing = {found["name"] for found in _SHORTCODE.finditer(html) if found["end"]}
    if not enclosing:
        return html

    def element(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in enclosing:
            return found[0]
        if name in ("caption", "wp_caption"):
            return "</div>" if found["end"] else '<div class="wp-caption">'
        title = _SHORTCODE_TITLE.search(found["rest"])
        return f"<summary>{title[1]}</summary>" if title else ""

    return _SHORTCODE.sub(element, html)

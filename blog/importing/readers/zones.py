"""Tells from markup in which part of a page a block stands: the article, a menu, the comments."""

# ruff: noqa: SIM905 -- lists of words are read as words
from __future__ import annotations

import re
from dataclasses import dataclass

from ..blocks import Zone

_ELEMENTS = {
    "nav": Zone.NAVIGATION,
    "footer": Zone.FOOTER,
    "header": Zone.HEADER,
    "aside": Zone.ASIDE,
    "form": Zone.FORM,
    "search": Zone.FORM,
    "select": Zone.FORM,
    "textarea": Zone.FORM,
    "button": Zone.FORM,
    "dialog": Zone.NOTICE,
}
_ROLES = {
    "navigation": Zone.NAVIGATION,
    "menu": Zone.NAVIGATION,
    "menubar": Zone.NAVIGATION,
    "banner": Zone.HEADER,
    "contentinfo": Zone.FOOTER,
    "complementary": Zone.ASIDE,
    "search": Zone.FORM,
    "form": Zone.FORM,
    "dialog": Zone.NOTICE,
    "alertdialog": Zone.NOTICE,
}
# Whole words of the names that themes and plugins give their parts. The first that fits counts.
_WORDS = {
    Zone.COMMENTS: "comment comments commentlist respond disqus",
    Zone.RELATED: "related relatedposts yarpp outbrain taboola recommended-posts recommended-articles recommendations "
    "read-next more-posts more-from more-stories you-may-also-like trending popular-posts recent-posts latest-posts",
    Zone.SHARING: "share sharing sharedaddy shareaholic addtoany addthis social socials sociable follow-us",
    Zone.FORM: "newsletter subscribe subscription signup sign-up optin opt-in mc4wp mailchimp login searchform "
    "search-form wpcf7",
    Zone.NOTICE: "cookie cookies consent gdpr ccpa onetrust cky cmplz popup modal paywall",
    Zone.ADVERTISEMENT: "ad ads adv advert advertisement advertisements advertising adsense adsbygoogle adslot adunit "
    "dfp sponsor sponsored promo promos promotion affiliate",
    Zone.NAVIGATION: "nav navbar navigation menu submenu breadcrumb breadcrumbs pagination pager toc table-of-contents "
    "skip-link screen-reader-text sr-only visually-hidden sitemap tags tagcloud tag-links tag-list cat-links",
    Zone.ASIDE: "sidebar widget-area widgets author-box author-bio author-info author-card about-author "
    "about-the-author",
    Zone.FOOTER: "site-footer page-footer post-footer entry-footer article-footer colophon site-info copyright",
    Zone.HEADER: "site-header masthead site-branding site-title site-description topbar top-bar",
}
_PATTERNS = [(zone, re.compile(f"-(?:{'|'.join(words.split())})(?=-)")) for zone, words in _WORDS.items()]
# What is said beside those words. An ID or a label with other words was made from the text it heads: "social-anxiety"
# and "comments-on-treatment" are parts of an article.
_PLAIN = frozenset(
    "area article articles bar bars block bottom box button buttons col column container content entry footer form "
    "group header icons inner item items left links list main mobile module notice outer page panel post posts primary "
    "right root row sdk secondary section site sticky the this thread title top unit widget wp wrap wrapper".split()
).union(*(words.split() for words in _WORDS.values()))
# "has-sidebar", "no-comments", "tag-ads" and "category-social" say something of an article, not of a part of a page.
_SAYS_OTHERWISE = re.compile(
    "-(?:has|no|not|is|with|without|hide|tag|category|type|status|format|post-type|elementor-widget)-(?!list-|links-)"
)
# Of a whole page, not of an article in it.
_ENDS_OF_PAGE = re.compile(
    "-(?:site-|global-|main-)?(?P<zone>header|footer)(?:-(?:wrapper|wrap|container|inner|outer|area|bar|sections?))*-"
)
_WORD_END = re.compile(r"[^a-zA-Z0-9]+|(?<=[a-z])(?=[A-Z])")
# Longer names say nothing, and would take time.
_NAMES_LENGTH = 1000
# A page without an element for its article has it where most of its text is.
_MOST = 0.6


@dataclass(slots=True)
class Region:
    """An element that says what part of a page it is (``zone``), or that it holds an article."""

    zone: Zone
    parent: Region | None = None
    is_article: bool = False
    size: int = 0  # characters of text in it, but for those in a zone inside it
    place: Zone = Zone.MAIN  # where its blocks stand, once it is settled

    @property
    def is_apart(self) -> bool:
        """Whether this is a part of a page that has articles in it which are not the article."""
        return self.zone in (Zone.COMMENTS, Zone.RELATED, Zone.NAVIGATION)


def zone_of(name: str, attributes: dict[str, str], *, in_article: bool) -> Zone:
    """Return the part of a page that an element claims to be; MAIN is no claim."""
    zone = _ROLES.get(attributes.get("role", "").lower()) or _ELEMENTS.get(name, Zone.MAIN)
    if (zone == Zone.HEADER and in_article) or name in ("article", "main"):
        return Zone.MAIN
    if not zone:
        zone = _said(attributes.get("class", "")[:_NAMES_LENGTH].split(), strict=False, in_article=in_article)
    if not zone and name not in ("h1", "h2", "h3", "h4", "h5", "h6", "li", "p"):
        said = (attributes.get(key, "")[:_NAMES_LENGTH] for key in ("id", "aria-label"))
        zone = _said([name for name in said if name], strict=True, in_article=in_article)
    return zone


def _said(names: list[str], *, strict: bool, in_article: bool) -> Zone:
    for name in names:
        words = "-".join(["", *_WORD_END.split(name), ""]).lower()
        if _SAYS_OTHERWISE.match(words):
            continue
        if not in_article and (end := _ENDS_OF_PAGE.fullmatch(words)):
            return Zone(end["zone"])
        for zone, pattern in _PATTERNS:
            if found := pattern.search(words):
                others = f"{words[: found.start()]}{words[found.end() :]}".split("-")
                if not strict or all(word in _PLAIN or not word or word.isdigit() for word in others):
                    return zone
    return Zone.MAIN


def settle(regions: list[Region]) -> None:
    """Decide which claims hold, and set the place of each region.

    Takes the regions in the order they opened, the whole page first, with the sizes of their own text. What holds the
    article is no form and no advertisement, whatever it is called; nor is what holds most of a page with no element
    for its article, unless it is its comments.
    """
    whole = sum(region.size for region in regions)
    apart: set[int] = set()
    for region in regions:
        if region.is_apart or id(region.parent) in apart:
            apart.add(id(region))
    for region in reversed(regions):
        if region.parent and not region.zone:
            region.parent.size += region.size
    articles = [region for region in regions if region.is_article and id(region) not in apart]
    article = max(articles, key=lambda region: region.size, default=None)
    around: set[int] = set()
    inner = article if article and article.size else None
    while inner:
        around.add(id(inner))
        inner = inner.parent
    for region in regions:
        holds = id(region) in around or (not around and region.zone != Zone.COMMENTS and region.size > _MOST * whole)
        above = region.parent.place if region.parent else Zone.MAIN
        region.place = above if holds or not region.zone else region.zone

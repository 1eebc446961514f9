"""What the mails say: issues, from the editions that are live, and notices.

A preview and a page show an issue by the same function that the mail is made by, with links that are nobody's.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from html import escape, unescape
from itertools import accumulate
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import addresses, clock, notices
from newsletter.links import Purpose
from newsletter.messages import MailTemplate, Marks, Recipient, TooLarge, one_line
from newsletter.models import Delivery, Issue, IssueItem
from newsletter.words import known_language
from publishing.documents import Urgency
from publishing.models import Publication, SiteSettings, Trust
from publishing.richtext import clean, plain
from publishing.templatetags.documents import emergency_heading

__all__ = ["MailTemplate", "Recipient", "TooLarge", "issue_mail", "issue_parts", "notice_mail"]

# Columns of the text part.
WIDTH = 72
SUMMARY = 700
# The first articles have their summaries, up to so many bytes of mail; of the others a digest names the titles, so
# that it stays below what mail programs cut off.
IN_FULL = 64 * 1024

_LINK = re.compile(r'<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_HREF = re.compile(r'href="([^"]*)"')
# Neither HTML nor UTF-8 can hold them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Card:
    """An article as a mail shows it. `changed` is what a correction's note says, `signs` those of an emergency."""

    title: str
    summary: str
    url: str
    language: str
    trust: str
    minutes: int
    correction: bool
    changed: str
    emergency: str
    signs: tuple[str, ...]


# --- The mails -------------------------------------------------------------------------------------------------


def issue_mail(issue: Issue, items: Sequence[IssueItem], *, test: bool = False) -> MailTemplate:
    """The mail of an issue.

    Takes those of its items that this reader gets, as planning.current_items returns them. A test has no subscriber,
    so its links lead to the page where anybody can subscribe. Raises TooLarge.
    """
    site = SiteSettings.load()
    with translation.override(known_language(issue.language)):
        marks = Marks()
        links = _neutral_links() if test else _personal_links(marks)
        subject, text, html = _issue_parts(issue, items, site, links)
        headers = [*_list_headers(site), *_common_headers(site)]
        if test:
            subject = _("[Test] %(subject)s") % {"subject": subject}
        else:
            headers += _unsubscribe_headers(links)
        return _template(site, subject, text, html, headers, marks)


def issue_parts(issue: Issue, items: Sequence[IssueItem]) -> tuple[str, str, str]:
    """Subject, text and HTML of an issue as a preview shows them: the links that would be personal lead to the page
    where anybody can subscribe."""
    with translation.override(known_language(issue.language)):
        return _issue_parts(issue, items, SiteSettings.load(), _neutral_links())


def notice_mail(purpose: Delivery.Purpose, language: str) -> MailTemplate:
    """The mail of a notice. Raises KeyError for an issue or a test."""
    site = SiteSettings.load()
    language = known_language(language)
    with translation.override(language):
        notice = notices.notice(purpose, site=one_line(site.name, 80), language=language)
        marks = Marks()
        links = _personal_links(marks) if notice.to_subscriber else {}
        button = marks.url(notice.link) if notice.link not in links else links[notice.link]
        text, html = _render("notice", site, {"notice": notice, "button_url": button, "links": links})
        # RFC 3834: no answer to this mail is wanted from a machine.
        headers = [("Auto-Submitted", "auto-generated"), *_common_headers(site)]
        if purpose == Delivery.Purpose.ALREADY:
            headers += _unsubscribe_headers(links)
        return _template(site, notice.subject, text, html, headers, marks)


def _template(
    site: SiteSettings, subject: str, text: str, html: str, headers: list[tuple[str, str]], marks: Marks
) -> MailTemplate:
    return MailTemplate(
        subject=subject, text=text, html=html, sender=_sender(site), at=clock.now(), headers=headers, marks=marks
    )


# --- Headers ---------------------------------------------------------------------------------------------------


def _sender(site: SiteSettings) -> tuple[str, str]:
    """Name and address in From: the site's, or those that the settings of the server name."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    shown = one_line(site.sender_name, 80) or name or one_line(site.name, 80)
    return shown, _tidy(site.sender_address) or _tidy(address)


def _common_headers(site: SiteSettings) -> list[tuple[str, str]]:
    contact = _tidy(site.contact)
    reply = [("Reply-To", contact)] if contact else []
    return [*reply, ("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)]


def _list_headers(site: SiteSettings) -> list[tuple[str, str]]:
    """List-Id (RFC 2919), whom to ask and where older mail is (RFC 2369). "bulk" keeps answering machines quiet."""
    contact = _tidy(site.contact)
    people = [(name, f"<mailto:{contact}>") for name in ("List-Help", "List-Owner")] if contact else []
    return [
        ("List-Id", f"<newsletter.{settings.MAIL_DOMAIN}>"),
        ("List-Archive", f"<{_page('newsletter:archive')}>"),
        *people,
        ("Precedence", "bulk"),
    ]


def _unsubscribe_headers(links: dict[Purpose, str]) -> list[tuple[str, str]]:
    """The mail program's own button (RFC 8058), which posts to the address."""
    return [
        ("List-Unsubscribe", f"<{links[Purpose.UNSUBSCRIBE]}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]


def _tidy(address: str) -> str:
    """An address of the site's settings as headers can hold it; "" for none, and for one that cannot be written."""
    try:
        return addresses.tidy(address) if address else ""
    except ValidationError:
        return ""


# --- Links -----------------------------------------------------------------------------------------------------


def _personal_links(marks: Marks) -> dict[Purpose, str]:
    return {purpose: marks.url(purpose) for purpose in (Purpose.CHOICES, Purpose.UNSUBSCRIBE)}


def _neutral_links() -> dict[Purpose, str]:
    return dict.fromkeys((Purpose.CHOICES, Purpose.UNSUBSCRIBE), _page("newsletter:subscribe"))


def _page(name: str) -> str:
    return settings.SITE_URL + reverse(name)


# --- Contents --------------------------------------------------------------------------------------------------


def _issue_parts(
    issue: Issue, items: Sequence[IssueItem], site: SiteSettings, links: dict[Purpose, str]
) -> tuple[str, str, str]:
    cards = [_card(item, site, alone=len(items) == 1) for item in items]
    subject = one_line(_subject(issue, cards))
    full = _in_full(cards)
    context = {
        "kind": issue.kind,
        "alone": cards[0] if len(cards) == 1 and issue.kind != Issue.Kind.BY_HAND else None,
        "heading": _("New and corrected") if issue.kind == Issue.Kind.DIGEST else subject,
        "kicker": _kicker(issue),
        "opening": _absolute(issue.opening),
        "opening_text": _as_text(issue.opening),
        "cards": cards[:full],
        "titles": cards[full:],
        "reason": _reason(issue, site),
        "links": links,
    }
    return subject, *_render("issue", site, context)


def _subject(issue: Issue, cards: list[Card]) -> str:
    """The issue's subject. Who chose topics may get fewer articles, which a digest's subject then names."""
    if issue.kind != Issue.Kind.DIGEST or not cards:
        return issue.subject
    title, more = one_line(cards[0].title, 110), len(cards) - 1
    if not more:
        return title
    words = ngettext("%(title)s, and %(count)d more", "%(title)s, and %(count)d more", more)
    return words % {"title": title, "count": more}


def _kicker(issue: Issue) -> str:
    """What kind of mail it is, above its heading."""
    kickers = {
        Issue.Kind.ARTICLE: _("New article"),
        Issue.Kind.CORRECTION: _("Correction"),
        Issue.Kind.DIGEST: _("Once a week"),
        Issue.Kind.BY_HAND: _("Newsletter"),
    }
    return kickers[Issue.Kind(issue.kind)]


def _reason(issue: Issue, site: SiteSettings) -> str:
    """Why the reader gets this mail."""
    reasons = {
        Issue.Kind.ARTICLE: _("You get this mail because you asked %(site)s for every new article."),
        Issue.Kind.CORRECTION: _("You get this mail because you asked %(site)s to tell you of important corrections."),
        Issue.Kind.DIGEST: _("You get this mail because you asked %(site)s for a mail once a week."),
        Issue.Kind.BY_HAND: _("You get this mail because you subscribed to the newsletter of %(site)s."),
    }
    return reasons[Issue.Kind(issue.kind)] % {"site": one_line(site.name, 80)}


def _card(item: IssueItem, site: SiteSettings, *, alone: bool) -> Card:
    publication = item.publication
    heading, signs = _emergency(publication, site) if alone else ("", ())
    return Card(
        title=one_line(publication.title),
        summary=one_line(publication.summary, SUMMARY),
        url=settings.SITE_URL + publication.get_absolute_url(),
        language=publication.language,
        trust=_trust(publication),
        minutes=publication.reading_minutes if publication.words else 0,
        correction=item.correction,
        changed=one_line(item.edition.note, 500) if item.correction and item.edition else "",
        emergency=heading,
        signs=signs,
    )


def _in_full(cards: list[Card]) -> int:
    """How many of the articles, from the first, have their summaries. One always has."""
    sizes = accumulate(_size(card.title + card.summary + card.trust + card.changed + 2 * card.url) for card in cards)
    return max(1, sum(size <= IN_FULL for size in sizes))


def _size(text: str) -> int:
    """Bytes that a text takes in both parts together, in quoted-printable, with some 1,200 of markup around it."""
    return 1200 + 2 * sum(1 if letter.isascii() else 3 * len(letter.encode()) for letter in text)


def _trust(publication: Publication) -> str:
    """What the page says of its review, in one sentence."""
    person = one_line(publication.reviewer_name, 250)
    if publication.trust in (Trust.REVIEWED, Trust.MINOR_CHANGES) and person and publication.reviewed_on:
        named = {"name": person, "day": date_format(publication.reviewed_on, "DATE_FORMAT")}
        if publication.trust == Trust.REVIEWED:
            return _("%(name)s signed exactly this text on %(day)s.") % named
        return _("%(name)s signed this text on %(day)s. Since then only small things changed.") % named
    if publication.trust == Trust.OVERDUE and publication.trust_until:
        return _("The review was due again on %(day)s. It may be out of date.") % {
            "day": date_format(publication.trust_until, "DATE_FORMAT")
        }
    if publication.trust == Trust.NOT_REVIEWED:
        return _("No clinician has signed this text yet. Read it with care.")
    return str(publication.get_trust_display())


def _emergency(publication: Publication, site: SiteSettings) -> tuple[str, tuple[str, ...]]:
    """The heading of the emergency card and its signs, as on the page; ("", ()) where the article has none."""
    if publication.live is None:
        return "", ()
    document: Any = publication.live.document()
    signs = tuple(one_line(sign.text, 400) for sign in document.warning_signs if sign.urgency == Urgency.EMERGENCY)
    if not signs:
        return "", ()
    heading = emergency_heading({"document": document, "chrome": SimpleNamespace(site=site)})
    return one_line(heading), signs


def _absolute(html: str) -> SafeString:
    """Rich text for a mail: cleaned again, with links that lead somewhere from there too."""

    def whole(match: re.Match[str]) -> str:
        return f'href="{escape(urljoin(settings.SITE_URL + "/", unescape(match[1])))}"'

    return mark_safe(_HREF.sub(whole, clean(_CONTROL.sub("", html))))


def _as_text(html: str) -> str:
    """Rich text as plain text: paragraphs apart, items of a list together, the address of each link after it."""
    marked = _LINK.sub(r"\2 (\1)", _absolute(html)).replace("<li>", "<li>- ")
    lines = plain(marked.replace("<p>- ", "- ").replace("<li>- <p>", "<li>- "), citations=True).split("\n")
    text = ""
    for before, line in zip(["", *lines], lines, strict=False):
        together = before.startswith("- ") and line.startswith("- ")
        text += ("\n" if together else "\n\n" if text else "") + line
    return text


# --- Rendering -------------------------------------------------------------------------------------------------


def _render(name: str, site: SiteSettings, context: dict[str, Any]) -> tuple[str, str]:
    """The text and the HTML of a mail, in the language that is active."""
    context |= {
        "site_name": one_line(site.name, 80),
        "site_url": f"{settings.SITE_URL}/",
        "publisher": one_line(site.publisher, 120),
        "contact": _tidy(site.contact),
    }
    text = render_to_string(f"emails/{name}.txt", context)
    return _wrap(text), render_to_string(f"emails/{name}.html", context)


def _wrap(text: str) -> str:
    """A text in lines of WIDTH, with one empty line where the template left several. Addresses stay whole."""
    lines: list[str] = []
    for line in text.splitlines():
        words = line.strip()
        if words:
            indent = "  " if words.startswith("- ") else ""
            lines += textwrap.wrap(
                words, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            )
        elif lines and lines[-1]:
            lines.append("")
    return "\n".join(lines).strip() + "\n"

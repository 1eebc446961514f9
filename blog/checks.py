"""What an article or a page needs before it is published."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from blog.documents import ArticleDocument, PageDocument
from publishing.documents import Document, Urgency
from publishing.findings import Context, Finding, author_checks, block, common_checks, translation_checks, warn
from publishing.richtext import plain

# Words of an emergency that must not stand in prose alone (check C24). English, as the first language of the site.
EMERGENCY = re.compile(
    r"medical emergency|call (?:999|112|911|000)\b|emergency department"
    r"|(?:loss|lose|losing) (?:of |your )?(?:control (?:of|over) )?(?:your |the )?(?:bladder|bowels?)"
    r"|(?:cannot|can't|can\u2019t) control (?:your )?(?:bladder|bowels?)",
    re.IGNORECASE,
)


def article_checks(document: Document, context: Context) -> Iterator[Finding]:
    assert isinstance(document, ArticleDocument)
    if not document.summary:
        yield block("summary", _("There is no summary."), _("Say in two sentences what it is about."), "summary")
    if not document.intro:
        yield warn("intro", _("There is no introduction."), _("Begin with a short one."), "intro")
    yield from _entry_checks(document)
    yield from _library_checks(document, context)
    yield from _sign_checks(document)
    yield from _disclosure_checks(document)


def _entry_checks(document: ArticleDocument) -> Iterator[Finding]:
    if document.form == "conditions" and not document.entries:
        yield block(
            "entries",
            _("This kind of article lists conditions, and there is none."),
            _("Add a condition, or choose the plain kind."),
            "entries",
        )
    if document.form == "plain" and not document.sections and not document.intro:
        yield block("sections", _("The article has no text."), _("Write an introduction or a section."), "sections")
    for number, entry in enumerate(document.entries, start=1):
        name = entry.heading or _("condition %d") % number
        place = f"entries/{entry.id}"
        if not entry.heading:
            yield block("entry-heading", _("Condition %d has no heading.") % number, _("Write one."), place)
        if not entry.text:
            yield block(
                "entry-text",
                _("“%s” has no text of its own and there is no published library text to show.") % name,
                _("Write its text, or publish its condition and save this article again."),
                f"{place}/text",
            )
        if not entry.urgency:
            yield warn(
                "entry-urgency",
                _("“%s” does not say how soon to act.") % name,
                _("Choose it for the entry, or choose the condition that it is about."),
                f"{place}/urgency",
            )
        if not entry.treatment:
            yield warn(
                "entry-treatment",
                _("“%s” has no treatment.") % name,
                _("Say how it is treated, or why there is nothing to do."),
                f"{place}/treatment",
            )


def _library_checks(document: ArticleDocument, context: Context) -> Iterator[Finding]:
    for entry in document.entries:
        if not entry.condition or not entry.condition.edition:
            continue
        live = context.mentioned.get(entry.condition.uuid, 0)
        if not live:
            yield warn(
                "condition-withdrawn",
                _("“%s” is not live in the library any more; its text stays, without a link.") % entry.condition.name,
                _("Check whether this article may still show it."),
                f"entries/{entry.id}",
            )
        elif live > entry.condition.edition:
            yield warn(
                "condition-newer",
                _("“%(name)s” shows edition %(old)d of the library; edition %(new)d is live.")
                % {"name": entry.condition.name, "old": entry.condition.edition, "new": live},
                _("Compare the two, and show the newer one if it fits here."),
                f"entries/{entry.id}",
            )


def _sign_checks(document: ArticleDocument) -> Iterator[Finding]:
    if document.form == "conditions" and not document.warning_signs:
        yield block(
            "warning-signs",
            _("Nothing tells the reader when to get help."),
            _("Add warning signs, each with its urgency."),
            "warning_signs",
        )
    emergencies = " ".join(sign.text for sign in document.warning_signs if sign.urgency == Urgency.EMERGENCY)
    if not emergencies:
        for place, html in document.texts():
            if match := EMERGENCY.search(plain(html)):
                yield block(
                    "emergency-in-prose",
                    _("The text speaks of an emergency (“%s”), but no warning sign is one.") % match[0],
                    _("Add the sign with the urgency “Emergency”, so that readers see it first."),
                    place,
                )
                return
    for sign in document.warning_signs:
        if sign.urgency != Urgency.EMERGENCY and EMERGENCY.search(sign.text):
            yield block(
                "emergency-urgency",
                _("“%s” is an emergency, but is not marked as one.") % sign.text,
                _("Set its urgency to “Emergency”."),
                f"warning_signs/{sign.id}",
            )


def _disclosure_checks(document: ArticleDocument) -> Iterator[Finding]:
    if not document.funding:
        yield block("funding", _("Nothing says who paid for it."), _("Write who did, or “None”."), "funding")
    if not document.conflicts:
        yield block(
            "conflicts", _("Nothing says whether the authors have conflicts of interest."),
            _("Write them, or “None”."), "conflicts",
        )  # fmt: skip
    if document.origin and not document.origin.url:
        yield block(
            "origin", _("It was published elsewhere first, but there is no address."),
            _("Give the original web address."), "origin_url",
        )  # fmt: skip
    if document.origin and not document.origin.licence:
        yield warn(
            "origin-licence", _("Nothing says on what terms it is shown here."),
            _("Write the licence or the permission."), "origin_licence",
        )  # fmt: skip
    if not document.citations:
        yield warn(
            "source-missing", _("No source is cited."),
            _("Cite guidelines or reviews with the citation button, at best one for each condition."), "intro",
        )  # fmt: skip


def page_checks(document: Document, context: Context) -> Iterator[Finding]:
    assert isinstance(document, PageDocument)
    if not document.text:
        yield block("text", _("The page has no text."), _("Write it."), "text")


article_kind_checks = (common_checks, author_checks, translation_checks, article_checks)
page_kind_checks = (common_checks, page_checks)

"""What a condition needs before it is published."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from conditions.documents import ConditionDocument
from publishing.documents import Document
from publishing.findings import Context, Finding, author_checks, block, common_checks, warn


def condition_checks(document: Document, context: Context) -> Iterator[Finding]:
    assert isinstance(document, ConditionDocument)
    if not document.what_it_is:
        yield block("what-it-is", _("The page does not say what the condition is."), _("Write it."), "what_it_is")
    if not document.treatment:
        yield block("treatment", _("There is no treatment."), _("Say how it is treated."), "treatment")
    if not document.signs:
        yield warn("signs", _("There are no signs."), _("Say how a reader would notice it."), "signs")
    if not document.summary:
        yield warn("summary", _("There is no summary."), _("Say it in one sentence, for lists."), "summary")
    if not document.citations:
        yield warn(
            "source-missing",
            _("No source is cited."),
            _("Cite at least one guideline or review; articles that show this text need it too."),
            "treatment",
        )


checks = (common_checks, author_checks, condition_checks)

"""The sentences that the form's scripts say. They go into the page as data, so that gettext serves them too."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, str | Promise] = {
    # rows
    "moved": _("{name} is now number {number} of {count}."),
    "first": _("{name} is the first already."),
    "last": _("{name} is the last already."),
    "added": _("Row {number} was added."),
    "duplicated": _("{name} was duplicated as number {number}."),
    "removed": _("{name} will be removed when you save."),
    "kept": _("{name} stays."),
    "unnamed": _("Not named yet"),
    "remove": _("Remove"),
    "undo": _("Keep it"),
    "own_text": _("own text"),
    "library_text": _("library text"),
    "own_treatment": _("own treatment"),
    "needs_text": _("needs text"),
    "no_treatment": _("no treatment"),
    "no_text": _("no text yet"),
    "needs_heading": _("needs a heading"),
    # choosing
    "choose": _("Choose: {noun}"),
    "search": _("Search"),
    "close": _("Close"),
    "none": _("None chosen"),
    "nothing_found": _("Nothing found. Try fewer letters."),
    "found": _("{count} found"),
    "more": _("Show more"),
    "failed": _("The site did not answer. Try again."),
    "drop": _("Remove {name}"),
    "cite": _("Cite a source"),
    "cite_title": _("Choose the source to cite"),
    "new_citation": _("New citation…"),
    "formatting": _("Formatting"),
    "add_tag": _("Add the tag “{name}”"),
    "tags_hint": _("Enter or comma adds it."),
    "type_tag": _("Add a tag"),
    # the library's text
    "library_says": _("The library's text (edition {edition})"),
    "library_treatment_says": _("The library's treatment (edition {edition})"),
    "library_shown": _("Readers see it, because your own is blank."),
    "library_hidden": _("Readers see your own text above instead."),
    "library_none": _("This condition is not published, so the article needs its own text."),
    "library_adapt": _("Write own text from it"),
    "library_use": _("Use the library's text"),
    "library_back": _("Bring my text back"),
}

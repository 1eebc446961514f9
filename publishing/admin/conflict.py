"""Two people saved the same draft: what was saved meanwhile, beside what was typed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from publishing.comparison import segments
from publishing.forms import PartFormSet, VersionedForm
from publishing.richtext import clean, plain
from publishing.services import name_of
from publishing.widgets import PickMany, RichText

_OURS = {"opened_version", "position", "DELETE", "repin"}


@dataclass(frozen=True)
class Difference:
    """One field: what it says as it was saved meanwhile, and as it was typed here."""

    label: str
    anchor: str
    theirs: str
    yours: str

    @property
    def segments(self) -> list[tuple[str, str]]:
        return segments(self.theirs, self.yours)


class Conflict:
    """What the page says of a save that came second."""

    # What becomes of their text if it is saved over.
    after = gettext_lazy("“Save mine over it” keeps their text in the history.")

    def __init__(self, form: VersionedForm, formsets: list[Any]) -> None:
        row = type(form.instance)._default_manager.get(pk=form.instance.pk)
        self.version = row.version
        by, self.saved_at = self.last_save(row)
        self.saved_by = name_of(by) or _("Somebody")
        self.differences = [*_of_form(form, "")]
        for formset in formsets:
            self.differences += _of_parts(formset)

    def last_save(self, row: Any) -> tuple[Any, Any]:
        """Who saved the row last, and when."""
        return row.changed_by, row.changed_at


def take_up_rows(data: QueryDict, prefix: str, existing: set[str]) -> QueryDict:
    """The posted rows of a formset, with those that somebody deleted meanwhile as new rows.

    Django expects the rows that exist first and would refuse the whole form for one that is gone, and with it
    what was typed.
    """
    try:
        total, initial = int(str(data[f"{prefix}-TOTAL_FORMS"])), int(str(data[f"{prefix}-INITIAL_FORMS"]))
    except (KeyError, ValueError):
        return data
    here = [data.get(f"{prefix}-{index}-id", "") in existing for index in range(min(total, 2000))]
    if here == [index < initial for index in range(len(here))]:
        return data
    order = sorted(range(len(here)), key=lambda index: not here[index])
    place = {old: new for new, old in enumerate(order)}
    taken = data.copy()
    row = re.compile(rf"{re.escape(prefix)}-(\d+)-(.+)")
    found = [(match, data.getlist(key)) for key in data if (match := row.fullmatch(key))]
    for match, _values in found:
        del taken[match[0]]
    for match, values in found:
        if (old := int(match[1])) in place:
            kept = values if here[old] or match[2] != "id" else [""]
            taken.setlist(f"{prefix}-{place[old]}-{match[2]}", kept)
    taken[f"{prefix}-INITIAL_FORMS"] = str(sum(here))
    return taken


def _of_form(form: forms.ModelForm[Any], where: str) -> Iterator[Difference]:
    for name in form.changed_data:
        if name in _OURS:
            continue
        bound = form[name]
        theirs, yours = (
            _words(bound.field, form.get_initial_for_field(bound.field, name)),
            _words(bound.field, bound.value()),
        )
        if theirs != yours:
            label = f"{where}: {bound.label}" if where else str(bound.label)
            yield Difference(label, bound.auto_id, theirs, yours)


def _of_parts(formset: PartFormSet) -> Iterator[Difference]:
    noun = str(formset.model._meta.verbose_name)
    posted = set()
    for number, form in enumerate(formset.in_order(), start=1):
        if form.instance.pk:
            posted.add(form.instance.pk)
        where = _("%(noun)s %(number)d, %(name)s") % {
            "noun": noun.capitalize(),
            "number": number,
            "name": str(form.instance) or _("without a name"),
        }
        if formset.can_delete and form["DELETE"].value():
            yield Difference(where, f"{form.prefix}", str(form.instance), _("(removed)"))
        elif form.has_changed():
            yield from _of_form(form, where)
    for row in formset.get_queryset():
        if row.pk not in posted:
            where = _("%(noun)s, %(name)s") % {"noun": noun.capitalize(), "name": str(row)}
            yield Difference(where, f"{formset.prefix}-group", str(row), _("(not in your text)"))


def _words(field: forms.Field, value: Any) -> str:
    """A field's value as a person reads it."""
    if value in (None, ""):
        return ""
    if isinstance(field.widget, RichText):
        return plain(clean(str(value)))
    if isinstance(field.widget, PickMany):
        keys = [str(getattr(item, "pk", item)) for item in value]
        return "\n".join(sorted(str(row) for row in field.widget.chosen(keys)))
    if isinstance(field, forms.ModelChoiceField):
        row = field.queryset.filter(pk=value).first() if field.queryset is not None else None
        return str(row or value)
    if isinstance(field, forms.BooleanField):
        return _("yes") if value in (True, "on", "True", "1") else _("no")
    choices = dict(getattr(field, "choices", ()))
    return str(choices.get(value, value)).replace("\r\n", "\n").strip()

"""What the template of a draft's parts asks for."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def in_order(inline_admin_formset: Any) -> list[Any]:
    """The rows in the order in which they will be saved, without the blank one for new rows."""
    place = {id(form): index for index, form in enumerate(inline_admin_formset.formset.in_order())}
    rows = [row for row in inline_admin_formset if id(row.form) in place]
    return sorted(rows, key=lambda row: place[id(row.form)])


@register.filter
def blank_row(inline_admin_formset: Any) -> Any:
    """The row from which new ones are made; None where the person may not add any."""
    known = {id(form) for form in inline_admin_formset.formset.forms}
    return next((row for row in inline_admin_formset if id(row.form) not in known), None)

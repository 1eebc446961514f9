"""What the template of a draft's parts asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template

register = template.Library()


@dataclass(frozen=True)
class Rows:
    """The rows of a list of parts, and the one from which new ones are made (None: no new ones allowed)."""

    parts: list[Any]
    blank: Any


@register.filter
def rows(inline_admin_formset: Any) -> Rows:
    """The rows in the order in which they will be saved."""
    place = {id(form): index for index, form in enumerate(inline_admin_formset.formset.in_order())}
    found = list(inline_admin_formset)
    parts = [row for row in found if id(row.form) in place]
    blank = next((row for row in found if id(row.form) not in place), None)
    return Rows(sorted(parts, key=lambda row: place[id(row.form)]), blank)

"""What the newsletter puts on the start page of the admin: what a person must look at, and what is under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import template
from django.contrib.auth.models import User

from newsletter import issues
from newsletter.admin.progress import in_short, number
from newsletter.models import Alarm, Issue

register = template.Library()

UNDER_WAY = (Issue.State.WAITING, Issue.State.PREPARING, Issue.State.SENDING, Issue.State.PAUSED)
SHOWN = 8


@dataclass
class Desk:
    alarms: list[Alarm] = field(default_factory=list)
    under_way: list[tuple[Issue, str]] = field(default_factory=list)
    may_dismiss: bool = False


register.filter("grouped", number)  # a count with its thousands set apart


@register.simple_tag
def newsletter_desk(user: User) -> Desk:
    """The alarms and the issues that are under way, for those who may see them; in three queries at most."""
    if not user.has_perm("newsletter.view_issue"):
        return Desk()
    found: list[Any] = list(Issue.objects.filter(state__in=UNDER_WAY).order_by("-made_at")[:SHOWN])
    counts = issues.tallies(found)
    return Desk(
        list(Alarm.objects.all()),
        [(issue, in_short(issue, counts[issue.pk])) for issue in found],
        user.has_perm("newsletter.send_issue"),
    )

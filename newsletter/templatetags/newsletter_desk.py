"""What the newsletter puts on the start page of the admin: what a person must look at, and what is under way."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import User

from newsletter import issues
from newsletter.admin.progress import in_short, number
from newsletter.models import Alarm, Issue

register = template.Library()

UNDER_WAY = (Issue.State.WAITING, Issue.State.PREPARING, Issue.State.SENDING, Issue.State.PAUSED)
SHOWN = 8


register.filter("grouped", number)  # a count with its thousands set apart


@register.simple_tag
def newsletter_alarms(user: User) -> list[Alarm]:
    """What a person must look at, for those who may see issues."""
    return list(Alarm.objects.all()) if user.has_perm("newsletter.view_issue") else []


@register.simple_tag
def newsletter_under_way(user: User) -> list[tuple[Issue, str]]:
    """The issues that are under way and how far each is, for those who may see them; in two queries."""
    if not user.has_perm("newsletter.view_issue"):
        return []
    found = list(Issue.objects.filter(state__in=UNDER_WAY).order_by("-made_at")[:SHOWN])
    counts = issues.tallies(found)
    return [(issue, in_short(issue, counts[issue.pk])) for issue in found]

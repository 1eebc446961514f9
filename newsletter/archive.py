"""The public archive: digests and issues written by hand that were sent, made from what is live now.

A mail about a single article is not here: the article is.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from newsletter.models import Issue, IssueItem

PAGE_SIZE = 20


def archived() -> QuerySet[Issue]:
    """What the public may see of the newsletter: what somebody was sent, the newest first."""
    return Issue.objects.filter(
        kind__in=[Issue.Kind.DIGEST, Issue.Kind.BY_HAND],
        state__in=[Issue.State.SENDING, Issue.State.FINISHED],
        recipients__gt=0,
    ).order_by("-prepared_at", "-pk")


def _items() -> QuerySet[IssueItem]:
    """Items that were public once: the title of a draft is nobody's business."""
    public = IssueItem.objects.filter(publication__first_published__isnull=False)
    return public.select_related("publication__picture")


@require_safe
def issue_list(request: HttpRequest) -> HttpResponse:
    key = request.GET.get("before", "")
    issues = archived()
    if key:
        last = _issue_at(key)
        issues = issues.filter(Q(prepared_at__lt=last.prepared_at) | Q(prepared_at=last.prepared_at, pk__lt=last.pk))
    found = list(issues.prefetch_related(Prefetch("items", _items()))[: PAGE_SIZE + 1])
    context = {
        "issues": found[:PAGE_SIZE],
        "older": found[PAGE_SIZE - 1].uuid if len(found) > PAGE_SIZE else "",
        "first_page": not key,
        "canonical_url": settings.SITE_URL + request.path + (f"?before={last.uuid}" if key else ""),
    }
    return render(request, "newsletter/archive.html", context)


def _issue_at(key: str) -> Issue:
    """The issue that ended the page before: paging goes on below it. Raises Http404 for anything else."""
    try:
        return archived().get(uuid=key)
    except (ValidationError, Issue.DoesNotExist):
        raise Http404 from None


@require_safe
def issue_detail(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What an issue brought, in its own language. A text that was withdrawn since is only named."""
    issue = get_object_or_404(archived(), uuid=uuid)
    items = list(_items().filter(issue=issue))
    with translation.override(issue.language):
        context = {
            "issue": issue,
            "sections": [
                ("articles", _("Articles"), [item for item in items if not item.correction]),
                ("corrected", _("Corrected"), [item for item in items if item.correction]),
            ],
            "language": issue.language,
            "canonical_url": settings.SITE_URL + request.path,
        }
        return render(request, "newsletter/issue.html", context)

"""In which state a text is, in the words that every list of the admin uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Exists, F, Model, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from publishing.kinds import kinds
from publishing.models import Draft, Publication, Schedule, Snapshot

DraftT = TypeVar("DraftT", bound=Model)

OPEN_PLANS = (Schedule.State.PLANNED, Schedule.State.BLOCKED)

LABELS = {
    "draft": gettext_lazy("Draft"),
    "in-review": gettext_lazy("In review"),
    "scheduled": gettext_lazy("Scheduled"),
    "blocked": gettext_lazy("Blocked"),
    "live": gettext_lazy("Live"),
    "newer-draft": gettext_lazy("Live · newer draft"),
    "withdrawn": gettext_lazy("Withdrawn"),
}


@dataclass(frozen=True)
class State:
    """`name` is a key of LABELS, `label` the words to show, `date` since when (or for when it is scheduled)."""

    name: str
    label: str
    date: datetime | None


def publication_state(publication: Publication, draft: Draft | None = None) -> State:
    """The state of a publication and its draft.

    Without `draft` it is looked up. Constant in queries over a list that came through `with_state`.
    """
    if draft is None:
        draft = kinds[publication.kind].draft._default_manager.filter(publication=publication).first()
    plans = _open_plans(publication)
    for plan in plans:
        if plan.state == Schedule.State.BLOCKED:
            return State("blocked", _("Blocked"), plan.due_at)
    for plan in plans:
        label = _("Live · next edition scheduled") if publication.live else _("Scheduled")
        return State("scheduled", label, plan.due_at)
    if publication.live:
        if draft is not None and draft.fingerprint and draft.fingerprint != publication.live.fingerprint:
            return State("newer-draft", _("Live · newer draft"), draft.changed_at)
        return State("live", _("Live"), publication.live.published_at)
    if publication.is_withdrawn:
        return State("withdrawn", _("Withdrawn"), publication.withdrawn_at)
    changed = draft.changed_at if draft else None
    if draft is not None and _in_review(publication, draft):
        return State("in-review", _("In review"), changed)
    return State("draft", _("Draft"), changed)


def with_state(drafts: QuerySet[DraftT]) -> QuerySet[DraftT]:
    """Drafts with all that `publication_state` needs, in a constant number of queries."""
    plans = Prefetch(
        "publication__schedules", Schedule.objects.filter(state__in=OPEN_PLANS).order_by("due_at"), "open_plans"
    )
    found: Any = drafts.select_related("publication__live").prefetch_related(plans).annotate(in_review=_REVIEW_ASKED)
    return found  # type: ignore[no-any-return]


def in_state(drafts: QuerySet[DraftT], name: str) -> QuerySet[DraftT]:
    """The drafts whose state has this name, one of LABELS. Agrees with `publication_state`."""
    blocked = _plan(Schedule.State.BLOCKED)
    planned = _plan(Schedule.State.PLANNED)
    if name == "blocked":
        return drafts.filter(blocked)
    drafts = drafts.exclude(blocked)
    if name == "scheduled":
        return drafts.filter(planned)
    drafts = drafts.exclude(planned)
    same = Q(fingerprint="") | Q(fingerprint=F("publication__live__fingerprint"))
    never = Q(publication__first_published=None)
    match name:
        case "live":
            return drafts.filter(same, publication__live__isnull=False)
        case "newer-draft":
            return drafts.filter(publication__live__isnull=False).exclude(same)
        case "withdrawn":
            return drafts.filter(publication__live=None, publication__first_published__isnull=False)
        case "in-review":
            return drafts.filter(never, _REVIEW_ASKED)
        case _:
            return drafts.filter(never).exclude(_REVIEW_ASKED)


def _plan(state: str) -> Exists:
    return Exists(Schedule.objects.filter(publication=OuterRef("publication"), state=state))


_REVIEW_ASKED = Exists(
    Snapshot.objects.filter(
        publication=OuterRef("publication"), purpose=Snapshot.Purpose.REVIEW, fingerprint=OuterRef("fingerprint")
    )
)


def _open_plans(publication: Any) -> list[Schedule]:
    if not hasattr(publication, "open_plans"):
        publication.open_plans = list(publication.schedules.filter(state__in=OPEN_PLANS).order_by("due_at"))
    plans: list[Schedule] = publication.open_plans
    return plans


def _in_review(publication: Publication, draft: Draft) -> bool:
    asked = getattr(draft, "in_review", None)
    if asked is None:
        asked = publication.snapshots.filter(purpose=Snapshot.Purpose.REVIEW, fingerprint=draft.fingerprint).exists()
    return bool(asked)

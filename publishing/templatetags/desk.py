"""What the start page of the admin shows: what waits for somebody, and what happened lately."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from images.models import Picture
from publishing.kinds import kinds
from publishing.models import Draft, Edition, Mention, Publication, Redaction, Report, Schedule, SignOff, Snapshot
from publishing.states import publication_state, with_state

register = template.Library()

LATE = timedelta(minutes=2)
SOON = timedelta(days=60)
SHOWN = 8


@dataclass(frozen=True)
class Item:
    text: str
    url: str
    detail: str = ""


@dataclass
class Section:
    title: str
    items: list[Item] = field(default_factory=list)
    empty: str = ""
    urgent: bool = False


@register.simple_tag
def desk_buttons(user: User) -> list[Item]:
    """A button for each kind of text that this person may begin."""
    buttons = []
    for kind in sorted(kinds.values(), key=lambda kind: not kind.document.SIGNED):  # pages are rarely begun
        meta = kind.draft._meta
        if user.has_perm(f"{meta.app_label}.add_{meta.model_name}"):
            text = _("New %s") % kind.label
            buttons.append(Item(text, reverse(f"admin:{meta.app_label}_{meta.model_name}_add")))
    return buttons


@register.simple_tag
def desk_sections(user: User) -> list[Section]:
    """The sections of the start page; each costs a fixed number of queries."""
    if not any(user.has_perm(f"{k.draft._meta.app_label}.view_{k.draft._meta.model_name}") for k in kinds.values()):
        return []
    sections = [_stuck(), _to_review(user), _reports(user), _drafts(user), _scheduled(), _reviews_due()]
    sections += [_older_texts(), _published()]
    return [section for section in sections if section.items or section.empty]


def _stuck() -> Section:
    """Plans that are blocked, or late because nothing runs what is due; pictures that could not be made."""
    section = Section(_("Needs somebody"), urgent=True)
    blocked = Schedule.objects.filter(state=Schedule.State.BLOCKED)
    late = Schedule.objects.filter(state=Schedule.State.PLANNED, due_at__lt=timezone.now() - LATE)
    plans = [*blocked.select_related("publication"), *late.select_related("publication")]
    drafts = drafts_of(plan.publication for plan in plans)
    for plan in plans:
        reason = plan.reason or _("Its time has passed and no scheduler has run: start manage.py scheduler.")
        section.items.append(_item(drafts[plan.publication_id], reason))
    for picture in Picture.objects.given_up()[:SHOWN]:
        url = reverse("admin:images_picture_change", args=[picture.pk])
        section.items.append(Item(str(picture), url, _("Its smaller versions could not be made. Upload it again.")))
    return section


def _to_review(user: User) -> Section:
    """The newest text that each publication sent for review and nobody has signed yet."""
    newer = Snapshot.objects.filter(
        publication=OuterRef("publication"), purpose=Snapshot.Purpose.REVIEW, pk__gt=OuterRef("pk")
    )
    signed = SignOff.objects.filter(publication=OuterRef("publication"), fingerprint=OuterRef("fingerprint"))
    # What went live unreviewed still waits; another text that went live since takes its place.
    overtaken = Edition.objects.filter(
        ~Q(fingerprint=OuterRef("fingerprint")),
        publication=OuterRef("publication"),
        published_at__gt=OuterRef("taken_at"),
    )
    redacted = Redaction.objects.filter(fingerprint=OuterRef("fingerprint"))
    waiting = Snapshot.objects.filter(
        ~Exists(newer), ~Exists(signed), ~Exists(overtaken), ~Exists(redacted), purpose=Snapshot.Purpose.REVIEW
    ).select_related("publication")[:SHOWN]
    may_sign = user.has_perm("publishing.add_signoff")
    section = Section(_("For you to review") if may_sign else _("Waiting for review"))
    if may_sign:
        section.empty = _("Nothing waits for your signature.")
    drafts = drafts_of(snapshot.publication for snapshot in waiting)
    for snapshot in waiting:
        draft = drafts[snapshot.publication_id]
        url = reverse(f"admin:{draft._meta.app_label}_{draft._meta.model_name}_review", args=[draft.pk, snapshot.pk])
        detail = _("%(name)s, %(at)s") % {"name": snapshot.taken_by_name, "at": _time(snapshot.taken_at)}
        section.items.append(Item(str(draft), url, f"{detail}. {snapshot.note}".strip()))
    return section


def _reports(user: User) -> Section:
    """What readers reported and nobody has dealt with yet, the oldest first."""
    section = Section(_("Reports from readers"))
    if user.has_perm("publishing.view_report"):
        waiting = Report.objects.exclude(state=Report.State.DONE).select_related("publication")
        for report in waiting.order_by("sent_at", "pk")[:SHOWN]:
            page = report.publication.title if report.publication else report.path
            detail = f"{report.get_subject_display()} · {_time(report.sent_at)}"
            section.items.append(Item(page, reverse("admin:publishing_report_change", args=[report.pk]), detail))
    return section


def _drafts(user: User) -> Section:
    """What was changed lately and is not live as it stands; your own first."""
    section = Section(_("Drafts"), empty=_("There is no unpublished change."))
    found: list[Any] = []
    for kind in kinds.values():
        rows = with_state(kind.draft._default_manager.all())
        changed = rows.exclude(fingerprint=F("publication__live__fingerprint"), publication__live__isnull=False)
        found += changed.select_related("publication__live", "changed_by").order_by("-changed_at")[:SHOWN]
    found.sort(key=lambda draft: (draft.changed_by_id == user.pk, draft.changed_at), reverse=True)
    for draft in found[:SHOWN]:
        state = publication_state(draft.publication, draft)
        who = draft.changed_by.get_full_name() or draft.changed_by.get_username() if draft.changed_by else ""
        detail = " · ".join(part for part in (state.label, _time(draft.changed_at), who) if part)
        section.items.append(_item(draft, detail))
    return section


def _scheduled() -> Section:
    section = Section(_("Scheduled"))
    plans = Schedule.objects.filter(state=Schedule.State.PLANNED, due_at__gte=timezone.now() - LATE)
    shown = list(plans.select_related("publication")[:SHOWN])
    drafts = drafts_of(plan.publication for plan in shown)
    for plan in shown:
        section.items.append(_item(drafts[plan.publication_id], _time(plan.due_at)))
    return section


def _reviews_due() -> Section:
    """Live texts whose review has run out or does so within two months, the earliest first."""
    section = Section(_("Reviews due"))
    today = timezone.localdate()
    due = Publication.objects.live().filter(trust_until__lte=today + SOON).order_by("trust_until")
    shown = list(due[:SHOWN])
    drafts = drafts_of(shown)
    for publication in shown:
        assert publication.trust_until is not None
        day = date_format(publication.trust_until)
        detail = _("Overdue since %s") % day if publication.trust_until < today else _("Valid until %s") % day
        section.items.append(_item(drafts[publication.pk], detail))
    return section


def _older_texts() -> Section:
    """Live articles that show an older text of a condition than its last major edition (rule 4)."""
    section = Section(_("Articles that show an older library text"))
    shown = list(Mention.objects.outdated().select_related("publication", "condition__live", "edition")[:SHOWN])
    drafts = drafts_of(mention.publication for mention in shown)
    for mention in shown:
        live = mention.condition.live
        assert live is not None
        assert mention.edition is not None
        detail = _("%(name)s: shows edition %(old)d, edition %(new)d is live") % {
            "name": mention.condition.title,
            "old": mention.edition.number,
            "new": live.number,
        }
        section.items.append(_item(drafts[mention.publication_id], detail))
    return section


def _published() -> Section:
    section = Section(_("Published lately"), empty=_("Nothing has been published yet."))
    editions = list(Edition.objects.select_related("publication").order_by("-published_at", "-pk")[:SHOWN])
    drafts = drafts_of(edition.publication for edition in editions)
    for edition in editions:
        detail = " · ".join(
            part
            for part in (
                _("Edition %d") % edition.number,
                _time(edition.published_at),
                edition.published_by_name,
            )
            if part
        )
        section.items.append(_item(drafts[edition.publication_id], detail))
    return section


def drafts_of(publications: Iterable[Publication]) -> dict[int, Draft]:
    """The draft of each publication by the publication's key, in one query for each kind."""
    by_kind: dict[str, set[int]] = {}
    for publication in publications:
        by_kind.setdefault(publication.kind, set()).add(publication.pk)
    found: dict[int, Draft] = {}
    for name, ids in by_kind.items():
        for draft in kinds[name].draft._default_manager.filter(publication__in=ids):
            found[draft.publication_id] = draft
    return found


def _item(draft: Draft, detail: str) -> Item:
    url = reverse(f"admin:{draft._meta.app_label}_{draft._meta.model_name}_change", args=[draft.pk])
    return Item(str(draft), url, detail)


def _time(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "j M Y, H:i")

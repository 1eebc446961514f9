"""What can be done with a draft besides writing it: preview, review, publish, plan, withdraw, bring back, redact.

Every page checks its own permission, every change is a POST that calls one service, and what a service refuses
comes back as its sentence with everything that was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from csp.decorators import csp_replace
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from publishing.comparison import compare
from publishing.documents import Document
from publishing.findings import Finding
from publishing.kinds import kinds
from publishing.models import (
    Contributor,
    Draft,
    Edition,
    Level,
    Publication,
    Redacted,
    Redaction,
    Schedule,
    SignOff,
    SiteSettings,
    Snapshot,
    StoredDocument,
)
from publishing.preview import preview_link, render_preview
from publishing.services import (
    Refused,
    add_months,
    cancel_schedule,
    changes_since_live,
    draft_from,
    findings_for,
    minor_refused,
    publish,
    redact,
    restore,
    revoke,
    schedule,
    sign_off,
    take_snapshot,
    withdraw,
)
from publishing.states import publication_state

STATEMENT = gettext_lazy("I have read this text as it is shown here, and approve it for publication.")
PARTS = ("entries", "sections", "tips", "warning_signs")  # relations of drafts, and prefixes of their rows in the form
NOTE_HELP = gettext_lazy("One sentence for readers: what is different now, and why.")


class PublishForm(forms.Form):
    """Level and note of an edition, and when it goes live."""

    fingerprint = forms.CharField(widget=forms.HiddenInput)
    level = forms.ChoiceField(label=gettext_lazy("Kind of change"), choices=Level.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("What changed"), max_length=500, required=False, widget=forms.Textarea({"rows": 2})
    )
    due_at = forms.DateTimeField(
        label=gettext_lazy("Publish at"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": gettext_lazy("Write a date and a time.")},
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": gettext_lazy("Say why.")},
    )


class ReviewRequestForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Message to the reviewer"),
        max_length=300,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("What you would like to know. Only people with an account see it."),
    )


class SignForm(forms.Form):
    fingerprint = forms.CharField(widget=forms.HiddenInput)
    valid_until = forms.DateField(
        label=gettext_lazy("Review again by"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    agree = forms.BooleanField(
        label=STATEMENT, error_messages={"required": gettext_lazy("Tick this to sign, or go back.")}
    )


class WorkflowMixin:
    """The workflow's pages, and its bar above the form."""

    model: type[Draft]
    opts: Any
    admin_site: Any

    # --- Addresses ---

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, str, Callable[..., Any]]] = [
            ("<int:pk>/preview/", "preview", self.preview_view),
            ("<int:pk>/snapshots/<int:snapshot>/", "snapshot", self.snapshot_view),
            ("<int:pk>/publish/", "publish", self.publish_view),
            ("<int:pk>/plans/<int:plan>/cancel/", "cancel_plan", self.cancel_plan_view),
            ("<int:pk>/send-for-review/", "send_for_review", self.send_for_review_view),
            ("<int:pk>/review/<int:snapshot>/", "review", self.review_view),
            ("<int:pk>/sign-offs/<int:record>/revoke/", "revoke", self.revoke_view),
            ("<int:pk>/share/", "share", self.share_view),
            ("<int:pk>/withdraw/", "withdraw", self.withdraw_view),
            ("<int:pk>/restore/", "restore", self.restore_view),
            ("<int:pk>/record/", "record", self.record_view),
            ("<int:pk>/compare/", "compare", self.compare_view),
            ("<int:pk>/bring-back/<str:fingerprint>/", "bring_back", self.bring_back_view),
            ("<int:pk>/redact/<str:fingerprint>/", "redact", self.redact_view),
        ]
        urls = [path(route, self.admin_site.admin_view(view), name=self._name(name)) for route, name, view in pages]
        return [*urls, *super().get_urls()]  # type: ignore[misc]

    def _name(self, view: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"

    def workflow_url(self, view: str, draft: Draft, *args: Any) -> str:
        return reverse(f"admin:{self._name(view)}", args=[draft.pk, *args])

    # --- The bar ---

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        draft = context.get("original")
        if draft is not None:
            context["workflow"] = self.bar(request, draft)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def bar(self, request: HttpRequest, draft: Draft) -> dict[str, Any]:
        """The state of a draft and what this person may do with it: (label, address, emphasis)."""
        publication = draft.publication
        may_publish = request.user.has_perm("publishing.publish_publication")
        signed = kinds[publication.kind].document.SIGNED
        changed = publication.live is None or draft.fingerprint != publication.live.fingerprint
        links = [(_("Preview"), self.workflow_url("preview", draft), "")]
        if request.user.has_perm("publishing.add_snapshot"):
            if signed:  # also what is live as it stands: its review may be missing, overdue or taken back
                links.append((_("Send for review…"), self.workflow_url("send_for_review", draft), ""))
            links.append((_("Share…"), self.workflow_url("share", draft), ""))
        if may_publish and changed:
            links.append((_("Schedule…"), self.workflow_url("publish", draft) + "?later=1", ""))
            links.append((_("Publish…"), self.workflow_url("publish", draft), "main"))
        if may_publish and publication.is_live:
            links.append((_("Withdraw…"), self.workflow_url("withdraw", draft), ""))
        if may_publish and publication.is_withdrawn:
            links.append((_("Restore…"), self.workflow_url("restore", draft), ""))
        links.append((_("History"), self.workflow_url("record", draft), ""))
        if publication.is_live:
            links.append((_("View live"), publication.get_absolute_url(), "live"))
        return {
            "state": publication_state(publication, draft),
            "trust": publication.get_trust_display() if publication.is_live and signed else "",
            "links": links,
            "plans": publication.schedules.filter(state__in=[Schedule.State.PLANNED, Schedule.State.BLOCKED]),
            "reviews": self._open_reviews(draft),
            "may_publish": may_publish,
        }

    def _open_reviews(self, draft: Draft) -> list[tuple[Snapshot, str]]:
        newest = draft.publication.snapshots.filter(purpose=Snapshot.Purpose.REVIEW).first()
        if newest is None or draft.publication.sign_offs.filter(fingerprint=newest.fingerprint).exists():
            return []
        return [(newest, self.workflow_url("review", draft, newest.pk))]

    # --- What the pages share ---

    def _draft(self, request: HttpRequest, pk: int, permission: str = "") -> Any:
        """The draft. Raises Http404, or PermissionDenied where this person may not see it or lacks `permission`."""
        if not self.has_view_or_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if permission and not request.user.has_perm(permission):
            raise PermissionDenied
        draft = self.model._default_manager.filter(pk=pk).select_related("publication__live").first()
        if draft is None:
            raise Http404
        return draft

    def _page(self, request: HttpRequest, draft: Draft, template: str, title: str, **context: Any) -> TemplateResponse:
        context |= self.admin_site.each_context(request) | {
            "title": title,
            "draft": draft,
            "publication": draft.publication,
            "opts": self.opts,
            "original": draft,
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[draft.pk]),
            "state": publication_state(draft.publication, draft),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/workflow/{template}.html", context)

    def _done(self, request: HttpRequest, draft: Draft, message: str) -> HttpResponse:
        self.log_change(request, draft, message)  # type: ignore[attr-defined]  # who did it, and when
        messages.success(request, message)
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[draft.pk])
        )

    def _ours(self, draft: Draft, fingerprint: str) -> None:
        """Raises Http404 unless the text is one of this draft's own editions or snapshots."""
        publication = draft.publication
        if not (
            publication.editions.filter(fingerprint=fingerprint).exists()
            or publication.snapshots.filter(fingerprint=fingerprint).exists()
        ):
            raise Http404

    # --- Preview ---

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(request, pk)
        return render_preview(request, draft.build(), draft.publication)

    @method_decorator(xframe_options_sameorigin)
    @method_decorator(csp_replace({"frame-ancestors": ["'self'"]}))
    def snapshot_view(self, request: HttpRequest, pk: int, snapshot: int) -> HttpResponse:
        """A frozen text as visitors would see it. Our own review page may show it in a frame."""
        draft = self._draft(request, pk)
        found = get_object_or_404(draft.publication.snapshots, pk=snapshot)
        return render_preview(request, self._text(found.fingerprint), draft.publication)

    def _text_or_none(self, fingerprint: str) -> Document | None:
        stored = StoredDocument.objects.filter(pk=fingerprint).first()
        return stored.read() if stored else None

    def _text(self, fingerprint: str) -> Document:
        document = self._text_or_none(fingerprint)
        if document is None:
            raise Http404(_("This text was redacted."))
        return document

    def share_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.add_snapshot")
        link = ""
        if request.method == "POST":
            try:
                snapshot = self._snapshot(request, draft, draft.build(), Snapshot.Purpose.LINK)
                link = preview_link(snapshot)
            except Refused as refusal:
                messages.error(request, str(refusal))
        return self._page(request, draft, "share", _("Share a preview"), link=link)

    def _snapshot(
        self, request: HttpRequest, draft: Draft, document: Document, purpose: Snapshot.Purpose, note: str = ""
    ) -> Snapshot:
        return take_snapshot(
            publication=draft.publication, document=document, purpose=purpose, by=person(request), note=note
        )

    # --- Publish, now or later ---

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.publish_publication")
        publication, document = draft.publication, draft.build()
        only_major = minor_refused(document, publication)
        later = "later" in request.GET or "_later" in request.POST
        form = PublishForm(
            request.POST or None,
            initial={
                "fingerprint": document.fingerprint(),
                "level": Level.MAJOR if only_major else Level.MINOR,
                "due_at": timezone.localtime().replace(hour=8, minute=0) + timedelta(days=1),
            },
        )
        if request.method == "POST" and form.is_valid():
            if form.cleaned_data["fingerprint"] != document.fingerprint():
                form.add_error(
                    None, _("The draft has changed since this page was opened. Look at it once more, then confirm.")
                )
                data = request.POST.copy()
                data["fingerprint"] = document.fingerprint()
                form.data = data
            else:
                try:
                    return self._publish(request, draft, document, form, later=later)
                except Refused as refusal:
                    form.add_error(None, str(refusal))
        findings = findings_for(document, publication)
        return self._page(
            request,
            draft,
            "publish",
            _("Schedule") if later else _("Publish"),
            form=form,
            later=later,
            only_major=only_major,
            first=not publication.editions.exists(),
            unchanged=bool(publication.live and publication.live.fingerprint == document.fingerprint()),
            changes=changes_since_live(document, publication),
            comparable=publication.live is not None and self._text_or_none(publication.live.fingerprint) is not None,
            blocking=self._placed([finding for finding in findings if finding.blocks], draft),
            warnings=self._placed([finding for finding in findings if not finding.blocks], draft),
            plans=publication.schedules.filter(state__in=[Schedule.State.PLANNED, Schedule.State.BLOCKED]),
            zone=timezone.get_current_timezone_name(),
            preview=self.workflow_url("preview", draft),
            note_help=NOTE_HELP,
        )

    @transaction.atomic
    def _publish(
        self, request: HttpRequest, draft: Draft, document: Document, form: PublishForm, *, later: bool
    ) -> HttpResponse:
        data = form.cleaned_data
        level, by = Level(data["level"]), person(request)
        for plan in draft.publication.schedules.filter(state=Schedule.State.BLOCKED):
            cancel_schedule(plan=plan, by=by)  # this person has seen it on the page, and decides anew
        if not later:
            snapshot = self._snapshot(request, draft, document, Snapshot.Purpose.PUBLISH)
            edition = publish(snapshot=snapshot, by=by, level=level, note=data["note"])
            return self._done(request, draft, _("Edition %d is live.") % edition.number)
        due_at: datetime | None = data["due_at"]
        if due_at is None:
            raise Refused(_("Write the date and the time when it is to be published."))
        snapshot = self._snapshot(request, draft, document, Snapshot.Purpose.SCHEDULE)
        plan = schedule(snapshot=snapshot, by=by, due_at=due_at, level=level, note=data["note"])
        when = timezone.localtime(plan.due_at).strftime("%Y-%m-%d %H:%M")
        return self._done(
            request, draft, _("It will be published on %s. What you change from now on is not in it.") % when
        )

    def _placed(self, findings: Iterable[Finding], draft: Draft) -> list[tuple[Finding, str]]:
        """Each finding, and the address of the form at the field or the row that it is about."""
        form = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[draft.pk])
        rows = {
            name: [str(uuid) for uuid in getattr(draft, name).values_list("uuid", flat=True)]
            for name in PARTS
            if hasattr(draft, name)
        }
        placed = []
        for finding in findings:
            part, _slash, rest = finding.place.partition("/")
            row = rest.partition("/")[0]
            if row in rows.get(part, []):
                anchor = f"{part}-{rows[part].index(row)}"
            else:
                anchor = f"{part}-group" if part in rows else f"id_{part}"
            placed.append((finding, f"{form}#{anchor}" if part else form))
        return placed

    def cancel_plan_view(self, request: HttpRequest, pk: int, plan: int) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.publish_publication")
        found = get_object_or_404(draft.publication.schedules, pk=plan)
        return self._confirm(
            request,
            draft,
            _("Cancel the plan"),
            _("The text that was planned is kept in the history, and not published."),
            lambda: cancel_schedule(plan=found, by=person(request)),
            _("The plan is cancelled."),
        )

    # --- Review ---

    def send_for_review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.add_snapshot")
        form = ReviewRequestForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                self._snapshot(request, draft, draft.build(), Snapshot.Purpose.REVIEW, form.cleaned_data["note"])
                return self._done(request, draft, _("Sent for review. Reviewers see it on their start page."))
            except Refused as refusal:
                form.add_error(None, str(refusal))
        document = draft.build()
        return self._page(
            request,
            draft,
            "send_for_review",
            _("Send for review"),
            form=form,
            changes=changes_since_live(document, draft.publication),
            blocking=self._placed([f for f in findings_for(document, draft.publication) if f.blocks], draft),
            reviewers=Contributor.objects.filter(medical=True, user__isnull=False),
        )

    @method_decorator(csp_replace({"frame-src": ["'self'"]}))
    def review_view(self, request: HttpRequest, pk: int, snapshot: int) -> HttpResponse:
        draft = self._draft(request, pk)
        found = get_object_or_404(draft.publication.snapshots, pk=snapshot)
        document = self._text(found.fingerprint)
        reviewer = Contributor.objects.filter(user=person(request)).first()
        why_not = self._why_not_sign(request, reviewer, document)
        months = SiteSettings.load().review_months
        form = SignForm(
            request.POST or None,
            initial={"fingerprint": found.fingerprint, "valid_until": add_months(timezone.localdate(), months)},
        )
        if request.method == "POST":
            if why_not:
                raise PermissionDenied(why_not)
            if form.is_valid():
                try:
                    return self._sign(request, draft, found, reviewer, form)
                except Refused as refusal:
                    form.add_error(None, str(refusal))
        signed = list(draft.publication.sign_offs.filter(fingerprint=found.fingerprint, revocation=None))
        since, known = self._known_before(draft.publication, found.fingerprint)
        return self._page(
            request,
            draft,
            "review",
            _("Review"),
            form=form,
            snapshot=found,
            frame=self.workflow_url("snapshot", draft, found.pk),
            why_not=why_not,
            signed=signed,
            changes=compare(known, document) if known else [],
            since=since,
            is_draft=draft.fingerprint == found.fingerprint,
        )

    def _known_before(self, publication: Publication, fingerprint: str) -> tuple[str, Document | None]:
        """Another text that a reviewer signed last, or else the live one: what a review has to be compared with."""
        last = publication.sign_offs.filter(revocation=None).exclude(fingerprint=fingerprint).first()
        if last and (document := self._text_or_none(last.fingerprint)):
            return _("What changed since the text that %s signed") % last.reviewer_name, document
        live = publication.live
        if live and live.fingerprint != fingerprint and (document := self._text_or_none(live.fingerprint)):
            return _("What changed since the live edition"), document
        return "", None

    def _why_not_sign(self, request: HttpRequest, reviewer: Contributor | None, document: Document) -> str:
        """Why this person cannot sign this text; '' if they can."""
        if not request.user.has_perm("publishing.add_signoff"):
            return _("Only medical reviewers sign. You can read it here and see what changed.")
        if reviewer is None:
            return _("Your account is not linked to a contributor. An editor can do that under Contributors.")
        if not reviewer.may_sign_on(timezone.localdate()):
            return _("Your profile has no valid medical credentials. An editor can renew them under Contributors.")
        if str(reviewer.uuid) in {author.uuid for author in document.authors}:
            return _("You are an author of this text, so somebody else has to review it.")
        return ""

    def _sign(
        self, request: HttpRequest, draft: Draft, snapshot: Snapshot, reviewer: Contributor | None, form: SignForm
    ) -> HttpResponse:
        if form.cleaned_data["fingerprint"] != snapshot.fingerprint:
            raise Refused(_("This page showed another text. Open it again from the start page."))
        assert reviewer is not None  # _why_not_sign() said so
        sign_off(
            snapshot=snapshot,
            reviewer=reviewer,
            by=person(request),
            valid_until=form.cleaned_data["valid_until"],
            statement=str(STATEMENT),
        )
        return self._done(request, draft, _("Signed. It is on record that you approved exactly this text."))

    def revoke_view(self, request: HttpRequest, pk: int, record: int) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.add_revocation")
        found = get_object_or_404(draft.publication.sign_offs, pk=record)
        if found.signed_by_id != person(request).pk and not request.user.has_perm("publishing.publish_publication"):
            raise PermissionDenied
        return self._with_reason(
            request,
            draft,
            _("Take the review back"),
            _("It stays on record that %(name)s signed, and that it was taken back. Pages say so at once.")
            % {"name": found.reviewer_name},
            lambda reason: revoke(sign_off=found, by=person(request), reason=reason),
            _("The review is taken back."),
        )

    # --- Withdraw, restore, redact ---

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.publish_publication")
        mentions = Publication.objects.live().filter(mentions__condition=draft.publication).distinct()
        return self._with_reason(
            request,
            draft,
            _("Withdraw"),
            _("Visitors will see that it was withdrawn, when, and the reason. You can restore it later."),
            lambda reason: withdraw(publication=draft.publication, by=person(request), reason=reason),
            _("Withdrawn."),
            affected=list(mentions),
        )

    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.publish_publication")
        return self._confirm(
            request,
            draft,
            _("Restore"),
            _("Its last edition will be live again at its old address."),
            lambda: restore(publication=draft.publication, by=person(request)),
            _("It is live again."),
        )

    def redact_view(self, request: HttpRequest, pk: int, fingerprint: str) -> HttpResponse:
        draft = self._draft(request, pk, "publishing.redact_publication")
        self._ours(draft, fingerprint)
        form = ReasonForm(request.POST or None)
        report = None
        if request.method == "POST" and form.is_valid():
            try:
                report = redact(fingerprint=fingerprint, by=person(request), reason=form.cleaned_data["reason"])
            except Refused as refusal:
                form.add_error(None, str(refusal))
        return self._page(
            request,
            draft,
            "redact",
            _("Redact"),
            form=form,
            report=report,
            fingerprint=fingerprint,
            editions=Edition.objects.filter(fingerprint=fingerprint).select_related("publication"),
            still_in_draft=draft.build().fingerprint() == fingerprint,
        )

    # --- History ---

    def record_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(request, pk)
        publication = draft.publication
        editions = list(publication.editions.all())
        published = {edition.fingerprint for edition in editions}
        frozen = list(publication.snapshots.all())
        reading = {row.fingerprint: self.workflow_url("snapshot", draft, row.pk) for row in frozen}
        snapshots = [
            row for row in frozen if not (row.purpose == Snapshot.Purpose.PUBLISH and row.fingerprint in published)
        ]
        signed: dict[str, list[SignOff]] = {}
        for record in publication.sign_offs.select_related("revocation"):
            signed.setdefault(record.fingerprint, []).append(record)
        fingerprints = published | {row.fingerprint for row in snapshots}
        redacted = {row.fingerprint: row for row in Redaction.objects.filter(fingerprint__in=fingerprints)}
        timeline = [
            {
                "row": row,
                "is_edition": isinstance(row, Edition),
                "at": row.published_at if isinstance(row, Edition) else row.taken_at,
                "by": row.published_by_name if isinstance(row, Edition) else row.taken_by_name,
                "signed": signed.get(row.fingerprint, []),
                "redacted": redacted.get(row.fingerprint),
                "is_live": isinstance(row, Edition) and row.pk == publication.live_id,
                "is_draft": row.fingerprint == draft.fingerprint,
                "read": reading.get(row.fingerprint, ""),
            }
            for row in [*editions, *snapshots]
        ]
        timeline.sort(key=lambda event: event["at"], reverse=True)
        return self._page(
            request,
            draft,
            "record",
            _("History"),
            timeline=timeline,
            plans=publication.schedules.order_by("-planned_at"),
            may_change=self.has_change_permission(request, draft),  # type: ignore[attr-defined]
            may_redact=request.user.has_perm("publishing.redact_publication"),
            may_revoke=request.user.has_perm("publishing.add_revocation"),
        )

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Any two texts of a draft, by fingerprint; 'draft' is what it says now."""
        draft = self._draft(request, pk)
        texts, names = [], []
        for name in ("from", "to"):
            wanted = request.GET.get(name, "draft")
            if wanted == "draft":
                texts.append(draft.build())
                names.append(_("the draft as it is now"))
            else:
                self._ours(draft, wanted)
                texts.append(self._text(wanted))
                names.append(self._name_of(draft.publication, wanted))
        return self._page(request, draft, "compare", _("What changed"), changes=compare(*texts), names=names)

    def _name_of(self, publication: Publication, fingerprint: str) -> str:
        """A text as people call it: its edition, or else when it was frozen."""
        if edition := publication.editions.filter(fingerprint=fingerprint).first():
            return _("edition %d") % edition.number
        snapshot = publication.snapshots.filter(fingerprint=fingerprint).first()
        assert snapshot is not None  # _ours() said so
        at = date_format(timezone.localtime(snapshot.taken_at), "j F Y, H:i")
        return f"{snapshot.get_purpose_display()}, {at}"

    def bring_back_view(self, request: HttpRequest, pk: int, fingerprint: str) -> HttpResponse:
        draft = self._draft(request, pk)
        if not self.has_change_permission(request, draft):  # type: ignore[attr-defined]
            raise PermissionDenied
        self._ours(draft, fingerprint)
        document = self._text(fingerprint)
        return self._confirm(
            request,
            draft,
            _("Bring back into the draft"),
            _(
                "The draft will say what this text says. What it says now is kept in the history."
                " Visitors see no change."
            ),
            lambda: draft_from(document=document, draft=draft, by=person(request)),
            _("The older text is in the draft."),
            changes=compare(draft.build(), document),
        )

    # --- Pages that only confirm ---

    def _confirm(
        self,
        request: HttpRequest,
        draft: Draft,
        title: str,
        text: str,
        act: Callable[[], Any],
        done: str,
        form: ReasonForm | None = None,
        **more: Any,
    ) -> HttpResponse:
        """A page that says what will happen, and does it on POST."""
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                act()
                return self._done(request, draft, done)
            except (Refused, Redacted) as refusal:
                sentence = str(refusal) if isinstance(refusal, Refused) else _("This text was redacted.")
                if form:
                    form.add_error(None, sentence)
                else:
                    messages.error(request, sentence)
        return self._page(request, draft, "confirm", title, form=form, text=text, **more)

    def _with_reason(
        self,
        request: HttpRequest,
        draft: Draft,
        title: str,
        text: str,
        act: Callable[[str], Any],
        done: str,
        **more: Any,
    ) -> HttpResponse:
        """The same with a reason, which `act` takes."""
        form = ReasonForm(request.POST or None)
        return self._confirm(
            request, draft, title, text, lambda: act(form.cleaned_data["reason"]), done, form=form, **more
        )


def person(request: HttpRequest) -> User:
    """Who is logged in: the admin lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user

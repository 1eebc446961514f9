"""The base of every draft's admin: one form, its parts in rows, and saves that never lose anybody's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import django
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models
from django.db.models import Field, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from js_asset import Media
from taggit.models import Tag

from publishing.admin.conflict import Conflict, take_up_rows
from publishing.admin.words import WORDS
from publishing.admin.workflow import WorkflowMixin
from publishing.forms import DraftForm, PartForm, PartFormSet
from publishing.models import Citation, Draft
from publishing.richtext import RichTextField
from publishing.services import Refused, Stale, claim_version, delete_draft, keep_history, settle_draft
from publishing.states import LABELS, in_state, publication_state, with_state
from publishing.widgets import Pick, PickMany, RichText, TagsInput


@dataclass(frozen=True)
class ErrorLink:
    """One thing to correct: a sentence, and the field that it is about."""

    anchor: str
    where: str
    message: str


class Chooses:
    """Foreign keys named in `pick_fields` are chosen in a searchable dialog, with thumbnails."""

    pick_fields: ClassVar[tuple[str, ...]] = ()
    formfield_overrides: Any = {
        RichTextField: {"widget": RichText},
        models.URLField: {
            "assume_scheme": "https",
            "error_messages": {"invalid": gettext_lazy("Write a whole web address, such as https://www.example.org.")},
        },
    }
    admin_site: admin.AdminSite

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name not in self.pick_fields:
            return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        remote = db_field.related_model
        remote_admin = self.admin_site._registry.get(remote)  # type: ignore[arg-type]
        add_url = ""
        if remote_admin and remote_admin.has_add_permission(request):
            meta = remote._meta  # type: ignore[union-attr]
            add_url = reverse(f"admin:{meta.app_label}_{meta.model_name}_add")
        widget = PickMany if db_field.many_to_many else Pick
        return db_field.formfield(widget=widget(db_field, add_url=add_url))


class FormPage(Chooses):
    """The page of a form: its scripts under the site's policy, their words, and a link to each thing to correct."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> TemplateResponse:
        if django.VERSION < (6, 1):  # from there on Django gives the import map its nonce
            media = Media.from_media(context["media"])
            context["media"] = media.with_nonce(str(request.csp_nonce))  # type: ignore[attr-defined]
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        context |= {
            "words": WORDS,
            "rich_text": RichText.configuration(),
            "error_links": error_links(context["adminform"].form, formsets),
        }
        response: TemplateResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response


def error_links(form: Any, formsets: Any) -> list[ErrorLink]:
    """Everything that is wrong, in the order of the page."""
    found = [*_form_errors(form, "")]
    for formset in formsets:
        noun = capfirst(str(formset.model._meta.verbose_name))
        found += [ErrorLink(f"{formset.prefix}-group", noun, str(error)) for error in formset.non_form_errors()]
        for number, row in enumerate(formset.in_order() if hasattr(formset, "in_order") else formset.forms, start=1):
            found += _form_errors(row, f"{noun} {number}")
    return found


def _form_errors(form: Any, where: str) -> Iterator[ErrorLink]:
    if not form.is_bound:
        return
    for name, errors in form.errors.items():
        if name == NON_FIELD_ERRORS and getattr(form, "stale", False):
            continue  # the conflict above says more
        known = name in form.fields
        anchor = form[name].id_for_label or form[name].auto_id if known else form.prefix or "content-start"
        label = f"{where}, {form[name].label}" if known and where else form[name].label if known else where
        for error in errors:
            yield ErrorLink(anchor, str(label), str(error))


class PartInline(Chooses, admin.StackedInline):
    """The ordered parts of a draft, each one row that opens in place."""

    template = "admin/edit_inline/parts.html"
    form = PartForm
    formset = PartFormSet
    extra = 0
    title_fields: ClassVar[tuple[str, ...]] = ("name",)  # the first that is not blank names a closed row
    description: Any = ""
    add_label = gettext_lazy("Add another")

    @property
    def media(self) -> Media:
        return Media()  # parts.js comes with the widgets; Django's own script for inlines is not used

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*self.pick_fields)


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return in_state(queryset, self.value() or "") if self.value() in LABELS else queryset


class VersionedPage(FormPage):
    """The page of a form whose row has a version: a save that comes second shows both texts (I11)."""

    conflict = Conflict

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        form.overwrite = request.POST.get("_overwrite", "")
        return form

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)  # type: ignore[misc]
        if obj.pk and request.method == "POST":
            rows = inline.model._default_manager.filter(**{inline.get_formset(request, obj).fk.name: obj})
            kwargs["data"] = take_up_rows(kwargs["data"], prefix, {str(pk) for pk in rows.values_list("pk", flat=True)})
        return kwargs

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]
        except Stale:  # saved between our look at the version and our claim to it: look again, and say so
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> TemplateResponse:
        form = context["adminform"].form
        if getattr(form, "stale", False):
            formsets = [inline.formset for inline in context["inline_admin_formsets"]]
            context["conflict"] = self.conflict(form, formsets)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        for formset in formsets:
            formset.overwriting = getattr(form, "overwriting", False)
        super().save_related(request, form, formsets, change)  # type: ignore[misc]

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if "_overwrite" in request.POST:  # stay, to see what is saved now
            posted = request.POST.copy()
            posted["_continue"] = ""
            request.POST = posted  # type: ignore[assignment]
        response: HttpResponse = super().response_change(request, obj)  # type: ignore[misc]
        return response


class DraftAdmin(WorkflowMixin, VersionedPage, admin.ModelAdmin):
    """What Article, Condition and Page have in common."""

    form = DraftForm
    change_form_template = "admin/drafts/change_form.html"
    inlines_after = 0  # the parts stand below this fieldset, counted from 1
    library_url = ""  # the name of the view that says what the library says of a condition
    list_filter: ClassVar[Any] = [StateFilter]
    list_per_page = 50
    show_full_result_count = False
    save_on_top = False

    # --- Lists ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_state(super().get_queryset(request))

    @admin.display(description=gettext_lazy("state"))
    def state(self, draft: Draft) -> str:
        state = publication_state(draft.publication, draft)
        return format_html('<span class="state state-{}">{}</span>', state.name, state.label)

    @admin.display(description=gettext_lazy("since, or planned for"))
    def state_date(self, draft: Draft) -> Any:
        state = publication_state(draft.publication, draft)
        return state.date

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # one draft at a time, through the service that knows what is on record
        return actions

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        on_record = obj is not None and (obj.publication.first_published or obj.publication.snapshots.exists())
        return not on_record and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_draft(draft=obj)

    # --- The form ---

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_tags"
        return [path("tags/", self.admin_site.admin_view(self.tags_view), name=name), *super().get_urls()]

    def tags_view(self, request: HttpRequest) -> JsonResponse:
        """Names of tags that begin with, or else contain, what was typed."""
        if not self.has_view_or_change_permission(request):
            return JsonResponse({"error": "403 Forbidden"}, status=403)
        typed = request.GET.get("q", "").strip()[:100]
        found = list(Tag.objects.filter(name__icontains=typed).order_by("name").values_list("name", flat=True)[:50])
        found.sort(key=lambda name: not name.lower().startswith(typed.lower()))
        return JsonResponse({"names": found[:10]})

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        tags = f"admin:{self.opts.app_label}_{self.opts.model_name}_tags"
        if "tags" in form.base_fields:
            form.base_fields["tags"].widget = TagsInput(reverse(tags))
        form.user = request.user  # a DraftForm
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> TemplateResponse:
        citations = self.admin_site._registry[Citation]
        context |= {
            "inlines_after": self.inlines_after,
            "new_citation": reverse("admin:publishing_citation_add") if citations.has_add_permission(request) else "",
            "library_url": reverse(self.library_url, args=[0]) if self.library_url else "",
        }
        response: TemplateResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    # --- Saving ---

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.publication = form.make_publication()
            obj.changed_by, obj.changed_at = request.user, timezone.now()
            obj.save()
            return
        by = request.user
        assert isinstance(by, User)
        if form.overwriting:
            theirs = type(obj)._default_manager.get(pk=obj.pk)
            keep_history(draft=theirs, by=by, note=_("Before %s saved over it") % by)
        claim_version(draft=obj, opened_at=form.opened_at, by=by)
        obj.save()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.save_publication(form.instance)
        settle_draft(type(form.instance)._default_manager.get(pk=form.instance.pk))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refusal:
            self.message_user(request, str(refusal), level="error")
            return self._response_post_save(request, self.get_object(request, object_id))  # type: ignore[attr-defined,no-any-return]

"""The admin of what readers report: read it, look into it, write down what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from publishing.admin.drafts import FormPage
from publishing.models import Report
from publishing.templatetags.desk import drafts_of


@admin.register(Report)
class ReportAdmin(FormPage, admin.ModelAdmin):
    list_display = ["__str__", "subject", "state", "sent_at", "wants_answer", "done_by"]
    list_filter = ["state", "subject", "sent_at"]
    search_fields = ["text", "path", "outcome", "publication__title"]
    list_select_related = ["publication", "done_by"]
    date_hierarchy = "sent_at"
    fieldsets = [
        (None, {"fields": ["page", "draft", "subject", "text", "answer", "sent_at"]}),
        (_("What came of it"), {"fields": ["state", "outcome", "done_at", "done_by"]}),
    ]
    readonly_fields = ["page", "draft", "subject", "text", "answer", "sent_at", "done_at", "done_by"]

    @admin.display(description=_("page"))
    def page(self, obj: Report) -> str:
        name = obj.publication.title if obj.publication else obj.path
        edition = _("as it was in edition %d") % obj.edition if obj.edition else ""
        return format_html('<a href="{}">{}</a> {}', obj.path, name, edition)

    @admin.display(description=_("draft"))
    def draft(self, obj: Report) -> str:
        draft = drafts_of([obj.publication]).get(obj.publication.pk) if obj.publication else None
        if draft is None:
            return "-"
        meta = draft._meta
        return format_html(
            '<a href="{}">{}</a>', reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[draft.pk]), draft
        )

    @admin.display(description=_("answer to"))
    def answer(self, obj: Report) -> str:
        return (
            format_html('<a href="mailto:{0}">{0}</a>', obj.address) if obj.address else str(_("No address was left."))
        )

    @admin.display(description=_("wants an answer"), boolean=True)
    def wants_answer(self, obj: Report) -> bool:
        return bool(obj.address)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if "state" in form.changed_data:
            done = obj.state == Report.State.DONE
            obj.done_at, obj.done_by = (timezone.now(), request.user) if done else (None, None)
        super().save_model(request, obj, form, change)

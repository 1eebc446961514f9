"""The condition library in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from conditions.documents import ConditionDocument
from conditions.models import Condition, ConditionTip
from publishing.admin.drafts import DraftAdmin, PartInline
from publishing.models import Edition, Redacted
from publishing.richtext import clean


class ConditionTipInline(PartInline):
    model = ConditionTip
    fields = ["position", "name", "text"]
    verbose_name_plural = _("Prevention tips")
    add_label = _("Add a tip")


@admin.register(Condition)
class ConditionAdmin(DraftAdmin):
    list_display = ["name", "state", "state_date", "body_area", "urgency", "changed_by"]
    list_filter = [*DraftAdmin.list_filter, "body_area", "urgency"]
    list_select_related = ["changed_by"]
    search_fields = ["name", "synonyms", "icd10", "snomed", "publication__slug"]
    pick_fields = ("picture", "authors")
    inlines_after = 5
    inlines = [ConditionTipInline]
    fieldsets = [
        (
            _("What it is about"),
            {"fields": ["opened_version", "name", "synonyms", "slug", "summary", "body_area", "urgency", "language",
                        "tags", "picture"]},
        ),
        (_("What it is"), {"fields": ["what_it_is"]}),
        (_("Signs"), {"fields": ["signs"]}),
        (_("Treatment"), {"fields": ["treatment"]}),
        (_("Complications"), {"fields": ["complications"]}),
        (_("People"), {"fields": ["authors"]}),
        (_("Codes and search engines"), {"fields": ["icd10", "snomed", "seo_title"], "classes": ["collapse"]}),
    ]  # fmt: skip

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.library_view)
        return [path("<int:pk>/library/", view, name="conditions_condition_library"), *super().get_urls()]

    def library_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """The library's text that an entry shows: of the edition asked for, else of the live one."""
        if not self.has_view_permission(request):
            return JsonResponse({"error": "403 Forbidden"}, status=403)
        condition = Condition.objects.select_related("publication__live").filter(pk=pk).first()
        if condition is None:
            raise Http404
        number = request.GET.get("edition", "")
        shown: Edition | None = condition.publication.live
        if number.isdecimal():
            shown = condition.publication.editions.filter(number=number).first() or shown
        answer: dict[str, Any] = {"name": condition.name, "edition": 0, "text": "", "treatment": "", "picture": False}
        if shown:
            try:
                document = shown.document()
            except Redacted:
                return JsonResponse(answer)
            assert isinstance(document, ConditionDocument)
            answer |= {
                "edition": shown.number,
                "text": clean(document.what_it_is),
                "treatment": clean(document.treatment),
            }
        return JsonResponse(answer)

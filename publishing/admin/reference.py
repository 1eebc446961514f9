"""The admin of reference data: people, sources, the site's settings. What is saved here is live at once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from publishing.admin.drafts import FormPage
from publishing.forms import KnowsChosen
from publishing.models import Citation, Contributor, SiteSettings
from publishing.services import raise_generation


class ReferenceAdmin(FormPage, admin.ModelAdmin):
    """Reference data is public when saved, so saving tells the caches."""

    form = KnowsChosen

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        raise_generation()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        raise_generation()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        raise_generation()


@admin.register(Contributor)
class ContributorAdmin(ReferenceAdmin):
    list_display = ["name", "credentials", "job_title", "medical", "credentials_until"]
    list_filter = ["medical"]
    search_fields = ["name", "credentials", "job_title"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    pick_fields = ("photo",)
    fieldsets = [
        (None, {"fields": ["name", "slug", "job_title", "photo", "bio", "website"]}),
        (_("Qualification"), {"fields": ["credentials", "medical", "credentials_until"]}),
        (_("Log-in"), {"fields": ["user"]}),
    ]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":  # a list: a search needs the right to look through the accounts
            can_log_in = Q(is_staff=True, is_active=True) | Q(contributor__isnull=False)
            kwargs["queryset"] = User.objects.filter(can_log_in).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Citation)
class CitationAdmin(ReferenceAdmin):
    list_display = ["key", "title", "kind", "publisher", "year", "checked_on"]
    list_filter = ["kind", "year"]
    search_fields = ["key", "title", "authors", "publisher", "doi", "pmid"]
    ordering = ["key"]
    fieldsets = [
        (None, {"fields": ["key", "kind", "title", "authors", "publisher", "year"]}),
        (_("Where readers find it"), {"fields": ["url", "doi", "pmid", "checked_on"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key"] if obj else []  # texts cite it by its key

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.choices_view)
        return [path("choices/", view, name="publishing_citation_choices"), *super().get_urls()]

    def choices_view(self, request: HttpRequest) -> JsonResponse:
        """The sources that match what was typed, for the dialog that puts one at the cursor."""
        if not self.has_view_permission(request):
            return JsonResponse({"error": "403 Forbidden"}, status=403)
        typed = request.GET.get("term", "").strip()[:100]
        found, _duplicates = self.get_search_results(request, self.get_queryset(request), typed)
        if request.GET.get("id", "").isdecimal():  # one that was just made
            found = found.filter(pk=request.GET["id"])
        results = [
            {
                "id": row.key,
                "text": row.title,
                "detail": " · ".join(filter(None, [row.key, row.publisher, str(row.year or "")])),
            }
            for row in found[:30]
        ]
        return JsonResponse({"results": results})


@admin.register(SiteSettings)
class SiteSettingsAdmin(ReferenceAdmin):
    """One row: the list leads straight to it."""

    fieldsets = [
        (None, {"fields": ["name", "tagline", "publisher", "contact", "notice"]}),
        (_("Readers' country"), {"fields": ["country", "emergency_number"]}),
        (_("Reviews"), {"fields": ["strictness", "review_months"]}),
        (_("Mail"), {"fields": ["sender_name", "sender_address"]}),
    ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        row = SiteSettings.objects.filter(pk=1).exists()
        if row and self.has_view_permission(request):
            return HttpResponseRedirect(reverse("admin:publishing_sitesettings_change", args=[1]))
        if self.has_add_permission(request):
            return HttpResponseRedirect(reverse("admin:publishing_sitesettings_add"))
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not SiteSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

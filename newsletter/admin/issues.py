"""Issues in the admin: the list, and the form of one that is written by hand.

What can be done with an issue besides writing it is in `issue_pages.py`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter import issues
from newsletter.admin.issue_pages import IssuePages
from newsletter.admin.progress import in_short
from newsletter.models import Issue, IssueItem
from publishing.admin.conflict import Conflict
from publishing.admin.drafts import PartInline, VersionedPage
from publishing.forms import PartForm, PartFormSet, VersionedForm
from publishing.models import Publication
from publishing.services import Stale
from publishing.widgets import Pick

LANGUAGES = dict(settings.LANGUAGES)


# --- The form --------------------------------------------------------------------------------------------------


class IssueForm(VersionedForm):
    """The words of an issue. Lenient, as all drafts are: only sending asks for completeness."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        initial=settings.LANGUAGE_CODE,
        help_text=gettext_lazy("It goes to those who read the newsletter in this language."),
    )

    def clean_subject(self) -> str:
        return " ".join(str(self.cleaned_data["subject"]).split())

    def clean(self) -> dict[str, Any] | None:
        if self.instance.pk and not Issue.objects.filter(pk=self.instance.pk, state=Issue.State.DRAFT).exists():
            # Not the two texts beside each other: there is nothing left that could be saved over.
            said = _("This was not saved, because it was sent meanwhile. What you typed is still here, to be copied.")
            self.add_error(None, said)
            return self.cleaned_data
        return super().clean()


class ItemForm(PartForm):
    """An article of an issue: one that is live, or was when it was chosen (sending says so)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        live = Publication.objects.live().of_kind("article")
        chosen = Publication.objects.filter(pk=self.instance.publication_id)
        field = self.fields["publication"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = live | chosen
        field.error_messages["invalid_choice"] = _("This is no article that readers can see. Choose another.")

    def title(self) -> str:
        return str(self.instance.publication) if self.instance.publication_id else ""

    def badges(self) -> list[tuple[str, str]]:
        gone = self.instance.publication_id and not self.instance.publication.is_live
        return [("missing", _("not public any more"))] if gone else []


class ItemFormSet(PartFormSet):
    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            publication = form.cleaned_data.get("publication") if hasattr(form, "cleaned_data") else None
            if publication is None or form in self.deleted_forms or publication.language == self.instance.language:
                continue
            form.add_error(
                "publication",
                _("This article is in %(its)s, the issue in %(ours)s.")
                % {
                    "its": LANGUAGES.get(publication.language, publication.language),
                    "ours": LANGUAGES.get(self.instance.language, self.instance.language),
                },
            )


class ItemInline(PartInline):
    model = IssueItem
    form = ItemForm
    formset = ItemFormSet
    fields = ("position", "publication")
    verbose_name = gettext_lazy("article")
    verbose_name_plural = gettext_lazy("Articles")
    add_label = gettext_lazy("Add an article")
    title_fields = ("publication",)
    pick_fields = ("publication",)
    description = gettext_lazy("Each is shown with its title and its summary as they are live when it is sent.")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "publication":
            return db_field.formfield(widget=Pick(db_field, search_url=reverse("admin:newsletter_issue_articles")))
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class IssueConflict(Conflict):
    """Who saved an issue last is in the admin's log: the row itself does not say."""

    after = gettext_lazy("“Save mine over it” replaces theirs, which is kept nowhere else.")

    def last_save(self, row: Any) -> tuple[Any, Any]:
        of_issues = ContentType.objects.get_for_model(Issue)
        logged = LogEntry.objects.filter(content_type=of_issues, object_id=quote(row.pk)).select_related("user")
        last = logged.order_by("-action_time").first()
        return (last.user, last.action_time) if last else (row.made_by, row.made_at)


# --- The list --------------------------------------------------------------------------------------------------


class LanguageFilter(admin.SimpleListFilter):
    """By the names of the languages, as the form has them."""

    title = gettext_lazy("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LANGUAGES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Issue]) -> QuerySet[Issue]:
        return queryset.filter(language=self.value()) if self.value() else queryset


@admin.register(Issue)
class IssueAdmin(IssuePages, VersionedPage, admin.ModelAdmin):
    """Every mailing. Those made by rule are looked at here; those written by hand are also written here."""

    form = IssueForm
    conflict = IssueConflict
    change_form_template = "admin/newsletter/issue/change_form.html"
    change_list_template = "admin/newsletter/issue/change_list.html"
    inlines: ClassVar[Any] = [ItemInline]
    fieldsets = [
        (gettext_lazy("What it says"), {"fields": ["opened_version", "language", "subject", "opening"]}),
    ]
    list_display = ["name", "kind", "shown_language", "shown_state", "progress", "when"]
    list_display_links = ["name"]
    list_filter = ["state", "kind", LanguageFilter]
    search_fields = ["subject"]
    list_per_page = 50
    show_full_result_count = False
    actions = None  # one issue at a time, with a look at what it is

    @admin.display(description=gettext_lazy("subject"), ordering="subject")
    def name(self, issue: Issue) -> str:
        return str(issue)

    @admin.display(description=gettext_lazy("language"), ordering="language")
    def shown_language(self, issue: Issue) -> str:
        return str(LANGUAGES.get(issue.language, issue.language))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, issue: Issue) -> str:
        return format_html('<span class="state state-{}">{}</span>', issue.state, issue.get_state_display())

    @admin.display(description=gettext_lazy("settled"))
    def progress(self, issue: Any) -> str:
        return in_short(issue, issue.counts)

    @admin.display(description=gettext_lazy("when"), ordering="made_at")
    def when(self, issue: Issue) -> str:
        if issue.finished_at:
            return _("ended %s") % _time(issue.finished_at)
        if issue.prepared_at:
            return _("sent since %s") % _time(issue.prepared_at)
        if issue.starts_at:
            return _("starts %s") % _time(issue.starts_at)
        return _("made %s") % _time(issue.made_at)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found: Any = super().get_changelist_instance(request)
        found.result_list = list(found.result_list)
        counts = issues.tallies(found.result_list)  # in one query, whatever the number of rows
        for issue in found.result_list:
            issue.counts = counts[issue.pk]
        return found

    # --- Who may ---

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        written = obj is None or (obj.kind == Issue.Kind.BY_HAND and obj.state == Issue.State.DRAFT)
        return written and super().has_delete_permission(request, obj)

    # --- The form ---

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.articles_view)
        return [path("articles/", view, name="newsletter_issue_articles"), *super().get_urls()]

    def articles_view(self, request: HttpRequest) -> JsonResponse:
        """Live articles whose title holds what was typed, the newest first."""
        if not self.has_view_or_change_permission(request):
            return JsonResponse({"error": "403 Forbidden"}, status=403)
        found = Publication.objects.live().of_kind("article").order_by("-listed_at", "-pk")
        if request.GET.get("id", "").isdecimal():
            found = found.filter(pk=request.GET["id"])
        found = found.filter(title__icontains=request.GET.get("term", "").strip()[:100])
        results = [
            {
                "id": str(row.pk),
                "text": row.title,
                "detail": " · ".join(
                    [str(LANGUAGES.get(row.language, row.language)), row.get_trust_display(), _time(row.listed_at)]
                ),
            }
            for row in found[:30]
        ]
        return JsonResponse({"results": results})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Issue]:
        return super().get_queryset(request).select_related("made_by", "sent_by")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        issue = self.get_object(request, object_id)
        written = issue is None or (issue.kind == Issue.Kind.BY_HAND and issue.state == Issue.State.DRAFT)
        if not written and request.method != "POST" and self.has_view_or_change_permission(request, issue):
            return HttpResponseRedirect(self.page_url("progress", issue))  # it is not written any more, but watched
        return super().change_view(request, object_id, *args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if issue := context.get("original"):
            context["workflow"] = {"state": issue, "links": self.bar(request, issue, "change")}
        return super().render_change_form(request, context, *args, **kwargs)

    # --- Saving ---

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.key, obj.made_by = f"{Issue.Kind.BY_HAND}:{obj.uuid}", request.user
            obj.save()
            return
        ours = Issue.objects.filter(pk=obj.pk, state=Issue.State.DRAFT, version=form.opened_at)
        if not ours.update(version=F("version") + 1):
            raise Stale
        # Only what the form is about: a sender may be at the rest.
        obj.save(update_fields=["language", "subject", "opening"])

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        if not Issue.objects.select_for_update().filter(pk=obj.pk, state=Issue.State.DRAFT).exists():
            raise issues.Refused(_("It was sent meanwhile, so it stays on record."))
        obj.delete()

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except issues.Refused as refusal:
            self.message_user(request, str(refusal), level="error")
            return HttpResponseRedirect(reverse("admin:newsletter_issue_changelist"))


def _time(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "j M Y, H:i")

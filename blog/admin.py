"""Articles, pages, announcements and tags in the admin."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import taggit.admin  # registers its own admin of tags, which ours replaces
from django import forms
from django.contrib import admin
from django.contrib.admin.sites import site
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from taggit.models import Tag

from blog.importing.admin import ImportedSourceAdmin
from blog.models import (
    Announcement,
    Article,
    ArticleEntry,
    ArticleSection,
    ArticleWarningSign,
    Page,
    PreventionTip,
)
from blog.search.admin import SearchMissAdmin
from publishing.admin.drafts import DraftAdmin, PartInline
from publishing.admin.reference import ReferenceAdmin
from publishing.documents import Urgency
from publishing.forms import DraftForm, KnowsChosen, PartForm
from publishing.models import Publication
from publishing.services import merge_tags, rename_tag
from publishing.widgets import Pick


def urgency_badges(form: forms.ModelForm[Any]) -> list[tuple[str, str]]:
    """The badge of a row whose own urgency is set."""
    urgency = str(form["urgency"].value() or "")
    labels = dict(Urgency.choices)
    return [(f"urgency-{urgency}", str(labels[urgency]))] if urgency in labels else []


__all__ = ["ImportedSourceAdmin", "SearchMissAdmin"]  # registered where it is written


class EntryForm(PartForm):
    """An entry. `repin` is asked only where the library has a newer text than the entry shows."""

    repin = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newer = self.instance.newer_edition if self.instance.pk else None
        repin = self.fields["repin"]
        if newer is None:
            repin.widget, repin.disabled = forms.HiddenInput(), True
        else:
            repin.label = _now("Show edition %d of the library's text from now on") % newer.number
            repin.help_text = _now("Until you tick this and save, the article shows edition %d.") % (
                self.instance.pin.number
            )

    has_thumbnail = True

    def thumbnail(self) -> str:
        picture = self.instance.picture
        return picture.thumbnail_url if picture else ""

    def facts(self) -> dict[str, str]:
        pin = self._shown_edition()
        return {"library": "", "edition": str(pin.number) if pin else ""}

    def _shown_edition(self) -> Any:
        """The library's edition that the entry shows where it has no words of its own."""
        condition, pin = self.instance.condition, self.instance.pin
        if condition is None:
            return None
        return pin if pin and pin.publication_id == condition.publication_id else condition.publication.live

    def badges(self) -> list[tuple[str, str]]:
        found = []
        if newer := self.instance.newer_edition if self.instance.pk else None:
            found.append(("newer", _now("edition %d available") % newer.number))
        return found

    def live_badges(self) -> list[tuple[str, str]]:
        library = self._shown_edition() is not None
        found = urgency_badges(self)
        if not str(self.instance):
            found.append(("missing", _now("needs a heading")))
        if self.says("text"):
            found.append(("own", _now("own text")))
        else:
            found.append(("library", _now("library text")) if library else ("missing", _now("needs text")))
        if self.says("treatment"):
            found.append(("own", _now("own treatment")))
        elif not library:
            found.append(("missing", _now("no treatment")))
        return found

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data.get("repin"):
            self.instance.pin = self.instance.newer_edition
        return super().save(commit)


class EntryInline(PartInline):
    model = ArticleEntry
    form = EntryForm
    verbose_name_plural = _("Conditions")
    add_label = _("Add a condition")
    title_fields = ("heading", "condition")
    description = _("Each shows the library's text and treatment, unless you write its own.")
    pick_fields = ("condition", "picture")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": ["position", "condition", "heading", "group", "urgency", "repin", "text", "treatment",
                                   "picture"]})]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ArticleEntry]:
        rows: QuerySet[ArticleEntry] = super().get_queryset(request)
        return rows.select_related("condition__publication__live", "pin__publication", "picture")


class SectionInline(PartInline):
    model = ArticleSection
    fields = ["position", "heading", "text"]
    verbose_name_plural = _("Sections")
    add_label = _("Add a section")
    title_fields = ("heading",)
    description = _("Headed texts for whatever is no condition: what to expect, questions and answers.")


class TipInline(PartInline):
    model = PreventionTip
    fields = ["position", "name", "text"]
    verbose_name_plural = _("Prevention tips")
    add_label = _("Add a tip")


class WarningSignForm(PartForm):
    def live_badges(self) -> list[tuple[str, str]]:
        return urgency_badges(self)


class WarningSignInline(PartInline):
    model = ArticleWarningSign
    form = WarningSignForm
    fields = ["position", "text", "urgency"]
    verbose_name_plural = _("Warning signs")
    add_label = _("Add a warning sign")
    title_fields = ("text",)
    description = _("When to get help. Readers see emergencies first, above everything else.")


class ArticleForm(DraftForm):
    """An article, and since when it is public where it was so before it came here."""

    originally_published = forms.DateField(
        label=_("First published, before it came here"),
        required=False,
        widget=AdminDateWidget(),
        help_text=_("Readers, lists and feeds take it to be that old. Fixed once it was published here."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.publication:
            before = self.publication.originally_published
            self.initial = dict(self.initial) | {"originally_published": before and timezone.localdate(before)}
            self.fields["originally_published"].disabled = self.publication.first_published is not None

    def clean_originally_published(self) -> date | None:
        day: date | None = self.cleaned_data["originally_published"]
        if day and day > timezone.localdate():
            raise ValidationError(_now("This day is still to come."))
        return day

    def save_publication(self, draft: Any) -> None:
        super().save_publication(draft)
        if "originally_published" in self.changed_data:
            day = self.cleaned_data["originally_published"]
            at = timezone.make_aware(datetime.combine(day, time.min)) if day else None
            Publication.objects.filter(pk=draft.publication_id).update(originally_published=at)


@admin.register(Article)
class ArticleAdmin(DraftAdmin):
    form = ArticleForm
    list_display = ["title", "state", "state_date", "kind", "changed_at", "changed_by"]
    list_filter = [*DraftAdmin.list_filter, "kind"]
    list_select_related = ["changed_by"]
    search_fields = ["title", "summary", "topic", "publication__slug"]
    pick_fields = ("picture", "authors")
    inlines_after = 2
    library_url = "admin:conditions_condition_library"
    inlines = [EntryInline, SectionInline, TipInline, WarningSignInline]
    fieldsets = [
        (
            _("What it is about"),
            {"fields": ["opened_version", "kind", "title", "slug", "summary", "topic", "language", "tags", "picture"]},
        ),
        (_("Introduction"), {"fields": ["intro"]}),
        (_("Note and conclusion"), {"fields": ["note", "conclusion"]}),
        (_("People"), {"fields": ["authors"]}),
        (
            _("Origin and disclosures"),
            {"fields": ["funding", "conflicts", "ai", "origin_name", "origin_url", "origin_title", "origin_author",
                        "origin_published", "origin_licence", "originally_published", "translation_of"]},
        ),
        (
            _("Headings and lead-ins"),
            {"fields": ["entries_heading", "tips_heading", "tips_intro", "warning_signs_heading",
                        "warning_signs_intro", "emergency_heading", "conclusion_heading", "seo_title"],
             "classes": ["collapse"]},
        ),
    ]  # fmt: skip

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "translation_of":
            widget = Pick(db_field, search_url=reverse("admin:blog_article_originals"))
            return db_field.formfield(widget=widget)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.originals_view)
        return [path("originals/", view, name="blog_article_originals"), *super().get_urls()]

    def bar(self, request: HttpRequest, draft: Any) -> dict[str, Any]:
        """Beside what can be done: the account of the import, where the draft came from an old article."""
        return super().bar(request, draft) | {"imported": draft.imported_from.first()}

    def originals_view(self, request: HttpRequest) -> JsonResponse:
        """Articles of which this one may be a translation, by title."""
        if not self.has_view_permission(request):
            return JsonResponse({"error": "403 Forbidden"}, status=403)
        typed = request.GET.get("term", "").strip()[:100]
        originals = Article.objects.filter(translation_of=None)  # a translation of a translation is refused later
        found = originals.filter(title__icontains=typed).select_related("publication").order_by("title", "pk")
        results = [
            {"id": str(row.publication_id), "text": row.title, "detail": row.publication.language} for row in found[:30]
        ]
        return JsonResponse({"results": results})


class PageForm(DraftForm):
    tags = None  # type: ignore[assignment]  # pages about the site are not about topics


@admin.register(Page)
class PageAdmin(DraftAdmin):
    form = PageForm
    list_display = ["title", "state", "state_date", "in_footer", "changed_by"]
    list_select_related = ["changed_by"]
    search_fields = ["title", "summary", "publication__slug"]
    fieldsets = [
        (_("What it is about"), {"fields": ["opened_version", "title", "slug", "summary", "language", "in_footer"]}),
        (_("Text"), {"fields": ["text"]}),
        (_("Search engines"), {"fields": ["seo_title"], "classes": ["collapse"]}),
    ]


@admin.register(Announcement)
class AnnouncementAdmin(ReferenceAdmin):
    list_display = ["text", "starts_at", "ends_at", "advertisement"]
    list_filter = ["advertisement", "starts_at"]
    search_fields = ["text"]
    fieldsets = [
        (None, {"fields": ["text", "link", "link_text", "advertisement"]}),
        (_("When it shows"), {"fields": ["starts_at", "ends_at"]}),
    ]


class TagForm(KnowsChosen):
    class Meta:
        model = Tag
        fields = ["name"]


assert taggit.admin
site.unregister(Tag)


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    """Tags: renaming to a name that is taken merges the two, and old addresses lead on."""

    form = TagForm
    list_display = ["name", "slug", "uses"]
    search_fields = ["name"]
    ordering = ["name"]
    actions = ["merge"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        tags: QuerySet[Tag] = super().get_queryset(request).annotate(uses=Count("tagged_publications"))
        return tags

    @admin.display(description=_("used"), ordering="uses")
    def uses(self, tag: Any) -> int:
        count: int = tag.uses
        return count

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.save()
            return
        rename_tag(tag=Tag.objects.get(pk=obj.pk), name=form.cleaned_data["name"])

    @admin.action(description=_("Merge the chosen tags into the one used most"), permissions=["change"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Tag]) -> None:
        tags = list(queryset.order_by("-uses", "name"))
        into, *others = tags
        if not others:
            self.message_user(request, _now("Choose two tags or more."), level="warning")
            return
        merge_tags(tags=others, into=into)
        self.message_user(request, _now("They are one tag now: “%s”. Their old addresses lead there.") % into.name)

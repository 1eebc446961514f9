"""The forms of drafts and their parts. What is typed here is lenient: only publishing asks for completeness."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.forms.models import BaseInlineFormSet
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from taggit.utils import edit_string_for_tags, parse_tags

from publishing.models import Draft, FormerSlug, Part, Publication
from publishing.richtext import clean
from publishing.services import change_address, free_slug, raise_generation
from publishing.widgets import Pick, PickMany, RichText, TagsInput

_ADDRESS = RegexValidator(r"^[a-z0-9]+(?:-[a-z0-9]+)*$", gettext_lazy("Use small letters, digits and hyphens."))


class KnowsChosen(forms.ModelForm):
    """Gives its choosing inputs the objects that were loaded with the instance, so that they ask for none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        for name, field in self.fields.items():
            if isinstance(field.widget, Pick) and (row := getattr(self.instance, name, None)):
                field.widget.known = {str(row.pk): row}


class VersionedForm(KnowsChosen):
    """The form of a row with a version (I11).

    `opened_version` is the row's when the form was opened. Where somebody saved since, the form is not valid, unless
    `_overwrite` says that what they saved was shown and may be replaced.
    """

    opened_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    overwrite = ""  # set by the admin on the class it makes for a request: the version that may be replaced, as posted

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stale = False
        self.overwriting = False
        if self.instance.pk:
            self.initial = dict(self.initial) | {"opened_version": self.instance.version}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and self.is_bound:
            current = type(self.instance)._default_manager.values_list("version", flat=True).get(pk=self.instance.pk)
            opened = self.data.get(self.add_prefix("opened_version"))
            self.overwriting = self.overwrite == str(current)
            self.stale = str(opened) != str(current) and not self.overwriting
            self.opened_at = current if self.overwriting else int(str(opened)) if str(opened).isdecimal() else 0
            if self.stale:
                self.add_error(None, _("This was not saved, because somebody else saved it while you were writing."))
        return cleaned


class DraftForm(VersionedForm):
    """A draft, and the fields of its publication that editors set: address, language, tags."""

    slug = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=120,
        required=False,
        validators=[_ADDRESS],
        help_text=gettext_lazy("The last part of the web address. Left blank, it is made from the title."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        initial=settings.LANGUAGE_CODE,
        help_text=gettext_lazy("A translation is a text of its own. Fixed once it was published."),
    )
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        required=False,
        widget=TagsInput,
        help_text=gettext_lazy("What it is about, for readers who look for more of the kind. Put a comma after each."),
    )
    seo_title = forms.CharField(
        label=gettext_lazy("Title for search engines"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Only where the title itself is too long for a search result."),
    )

    user: User  # set by the admin on the class it makes for a request

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = _("This is empty: write it.")
        self.publication = self.instance.publication if self.instance.publication_id else None
        if self.publication is None:
            return
        self.initial = dict(self.initial) | {
            "slug": self.publication.slug,
            "language": self.publication.language,
            "seo_title": self.publication.seo_title,
        }
        language = self.publication.language
        if language not in dict(settings.LANGUAGES):  # what was imported keeps its own
            self.fields["language"].choices = [*settings.LANGUAGES, (language, language)]  # type: ignore[attr-defined]
        if "tags" in self.fields:
            self.initial["tags"] = edit_string_for_tags(self.publication.tags.all())
        for name, field in self.fields.items():
            if isinstance(field.widget, PickMany):
                field.widget.known = {str(row.pk): row for row in getattr(self.instance, name).all()}
        if self.publication.first_published:
            self._fix_address(self.user.has_perm("publishing.readdress_publication"))

    def _fix_address(self, may_readdress: bool) -> None:
        self.fields["language"].disabled = True
        if may_readdress:
            self.fields["slug"].help_text = _("Readers have this address: if it changes, the old one leads here.")
            return
        for name in ("slug", "tags", "seo_title"):
            if name in self.fields:
                self.fields[name].disabled = True
                self.fields[name].help_text = _("It was published, so only a Publisher may change this.")

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if not slug:
            return self.publication.slug if self.publication else ""
        kind = self.instance.KIND
        if Publication.objects.filter(kind=kind, slug=slug).exclude(pk=self.instance.publication_id).exists():
            raise ValidationError(_("Another page has this address. Choose a different one."))
        former = FormerSlug.objects.filter(kind=kind, slug=slug).exclude(publication=self.instance.publication_id)
        if former.exists():
            raise ValidationError(_("Another page had this address, and old links lead to it. Choose a different one."))
        return slug

    def clean_tags(self) -> list[str]:
        names: list[str] = parse_tags(self.cleaned_data["tags"])
        for name in names:
            if len(name) > 100:
                raise ValidationError(_("A tag has at most 100 characters. Put a comma between two tags."))
            if not slugify(name, allow_unicode=True):
                raise ValidationError(_("“%s” has no letter or digit, so it cannot be a tag.") % name)
        return names

    def make_publication(self) -> Publication:
        """The publication of a new draft."""
        kind = self.instance.KIND
        slug = self.cleaned_data["slug"] or free_slug(kind, str(self.instance))
        return Publication.objects.create(kind=kind, slug=slug, language=self.cleaned_data["language"])

    def save_publication(self, draft: Draft) -> None:
        """Write what the form says of the draft's publication."""
        publication = draft.publication
        values = self.cleaned_data
        if values["slug"] and values["slug"] != publication.slug:
            change_address(publication=publication, slug=values["slug"])
            publication.refresh_from_db(fields=["slug"])
        changed = [
            name
            for name in ("language", "seo_title")
            if not self.fields[name].disabled and getattr(publication, name) != values[name]
        ]
        for name in changed:
            setattr(publication, name, values[name])
        if changed:
            publication.save(update_fields=changed)
        tags_changed = "tags" in self.changed_data and not self.fields["tags"].disabled
        if tags_changed:
            publication.tags.set(values["tags"])
        if publication.first_published and (changed or tags_changed):
            raise_generation()


class PartForm(KnowsChosen):
    """A part of a draft. Its place alone does not make it a changed row: the formset writes places."""

    class Meta:
        widgets = {"position": forms.NumberInput(attrs={"class": "part-position"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].required = False
        self.fields["position"].label = _("Place in the list")
        for field in self.fields.values():
            field.error_messages["required"] = _("This is empty: write it, or remove the row.")

    @property
    def changed_data(self) -> list[str]:  # a cached property in Django
        if "_changed" not in self.__dict__:
            self.__dict__["_changed"] = [name for name in super().changed_data if name != "position"]
        changed: list[str] = self.__dict__["_changed"]
        return changed

    def clean_position(self) -> int:
        return self.cleaned_data["position"] or 0

    # What the closed row says of itself:

    has_thumbnail = False

    def title(self) -> str:
        return str(self.instance)

    def thumbnail(self) -> str:
        return ""

    def facts(self) -> dict[str, str]:
        """Data attributes of the row, for its scripts."""
        return {}

    def badges(self) -> list[tuple[str, str]]:
        """(class, words) of what only saving changes."""
        return []

    def live_badges(self) -> list[tuple[str, str]]:
        """(class, words) of what changes while an editor types; parts.js says the same of the row it sees."""
        if "text" in self.fields and isinstance(self.fields["text"].widget, RichText) and not self.says("text"):
            return [("missing", _("no text yet"))]
        return []

    def says(self, name: str) -> bool:
        """Whether the field holds any text."""
        return bool(clean(str(self[name].value() or "")))


class PartFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Ordered parts: shown and saved by position, then numbered 1 to n."""

    model: type[Any]
    overwriting = False

    def in_order(self) -> list[Any]:
        """The forms as an editor sees them: by place, those without one last."""
        indexed = list(enumerate(self.forms))
        return [form for index, form in sorted(indexed, key=lambda pair: (self._place(pair[1]), pair[0]))]

    def _place(self, form: Any) -> int:
        value = form["position"].value()
        try:
            return int(value) or 2**31
        except (TypeError, ValueError):
            return 2**31

    def save(self, commit: bool = True) -> Any:
        saved = super().save(commit=commit)
        if self.overwriting:
            self._delete_rows_not_posted()
        self._renumber()
        return saved

    def _delete_rows_not_posted(self) -> None:
        kept = [form.instance.pk for form in self.forms if form.instance.pk]
        for row in self.model._default_manager.filter(**{self.fk.name: self.instance}).exclude(pk__in=kept):
            row.delete()

    def _renumber(self) -> None:
        deleted = set(map(id, self.deleted_forms))
        rows = [form.instance for form in self.in_order() if form.instance.pk and id(form) not in deleted]
        stored = dict(self.model._default_manager.filter(pk__in=[row.pk for row in rows]).values_list("pk", "position"))
        moved: list[Part] = []
        for position, row in enumerate(rows, start=1):
            row.position = position
            if stored.get(row.pk) != position:
                moved.append(row)
        self.model._default_manager.bulk_update(moved, ["position"])

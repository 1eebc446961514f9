"""The inputs of the admin's forms that Django does not have. All scripts are modules, found by an import map."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Field, Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django_prose_editor.widgets import AdminProseEditorWidget, prose_editor_admin_media
from js_asset import ImportMap, Media, Script

from publishing.richtext import EXTENSIONS

MODULES = ("words", "dialog", "parts", "rich-text", "pick", "tags", "library")

# Named in the import map, so that a module finds another by its hashed name.
drafts_media = Media(
    importmap=ImportMap({f"bedside/{name}": f"admin-bedside/{name}.js" for name in MODULES}),
    js=[Script("admin-bedside/drafts.js", type="module")],
)

MENU = [
    {"group": group}
    for group in ("blockType -lists", "lists", "nodes -blockType -lists", "marks", "link", "history", "utility")
]


class RichText(AdminProseEditorWidget):
    """A textarea that becomes a prose editor when it is first seen, not when the page loads (rich-text.js)."""

    @property
    def media(self) -> Media:
        return prose_editor_admin_media + drafts_media

    @classmethod
    def configuration(cls) -> Any:
        """What createEditor() takes, for the whole page."""
        return cls(config={"extensions": EXTENSIONS}, preset="configurable").get_config()

    def get_config(self) -> Any:
        config = super().get_config()
        # Plain groups of buttons: the editor's own menu of headings cannot be reached by keyboard.
        config["extensions"] = config["extensions"] | {"Menu": {"groups": MENU}}
        return config

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        attributes = context["widget"]["attrs"]
        # What the editor can do is the same for all, and on the page once (`configuration`).
        del attributes[f"data-django-prose-editor-{self.preset}"]
        attributes["data-rich-text"] = ""
        return context


class _Choosing:
    """What choosing one and choosing several have in common: where to search, and where to make a new one."""

    def __init__(
        self,
        field: Field[Any, Any],
        *,
        add_url: str = "",
        search_url: str = "",
        attrs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(attrs)  # type: ignore[call-arg]  # the widget beside it takes them
        remote = field.related_model
        assert isinstance(remote, type)
        assert issubclass(remote, Model)
        self.field = field
        self.remote = remote
        self.add_url = add_url
        self.search_url = search_url
        self.known: dict[str, Model] = {}

    @property
    def media(self) -> Media:
        return drafts_media

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        # Django's form renderer does not look into the project's own templates.
        return render_to_string(template_name, context)

    def chosen(self, values: list[str]) -> list[Model]:
        """The objects of these primary keys, in their order; one query at most, none for what is known."""
        missing = [value for value in values if value not in self.known and value.isdecimal()]
        if missing:
            self.known |= {str(row.pk): row for row in self.remote._default_manager.filter(pk__in=missing)}
        return [self.known[value] for value in values if value in self.known]

    def search(self) -> dict[str, Any]:
        meta = self.field.model._meta
        where = {"app_label": meta.app_label, "model_name": meta.model_name, "field_name": self.field.name}
        return {
            "search_url": self.search_url or f"{reverse('admin:autocomplete')}?{urlencode(where)}",
            "add_url": self.add_url,
            "noun": self.remote._meta.verbose_name,
            "plural": self.remote._meta.verbose_name_plural,
            "pictures": hasattr(self.remote, "thumbnail_url"),
        }


class Pick(_Choosing, forms.TextInput):
    """One object, chosen in a searchable dialog, shown with its thumbnail where it has one."""

    template_name = "admin/widgets/pick.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        chosen = self.chosen([str(value)]) if value else []
        context["widget"] |= self.search() | {"chosen": chosen[0] if chosen else None}
        return context

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return f"{id_}_choose" if id_ else id_


class PickMany(_Choosing, forms.SelectMultiple):
    """Several objects, chosen one after the other in the same dialog."""

    template_name = "admin/widgets/pick_many.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = forms.Widget.get_context(self, name, value, attrs)
        context["widget"] |= self.search() | {"chosen": self.chosen([str(pk) for pk in value or []])}
        return context

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return f"{id_}_choose" if id_ else id_


class TagsInput(forms.TextInput):
    """Names with commas between them; with script, chips that complete from the tags there are."""

    def __init__(self, url: str = "", attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.url = url

    @property
    def media(self) -> Media:
        return drafts_media

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"] |= {"data-tags": self.url, "class": "vTextField", "autocomplete": "off"}
        return context

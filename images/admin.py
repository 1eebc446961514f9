"""Pictures in the admin: uploading, describing, finding."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from js_asset import Script

from images.forms import PictureForm, UploadForm
from images.models import Picture
from images.processing import SHAPES
from images.services import ask_for_renditions, keep_picture

SHAPE_NAMES = {"card": _("Card"), "lead": _("Front page"), "square": _("Portrait"), "share": _("Shared link")}
WORDS = ["alt", "decorative", "caption", "credit"]


@admin.register(Picture)
class PictureAdmin(admin.ModelAdmin):
    list_display = ["thumbnail", "__str__", "credit", "size", "uploaded_at"]
    list_display_links = ["thumbnail", "__str__"]
    list_filter = ["decorative", "uploaded_at"]
    search_fields = ["alt", "caption", "credit", "content_hash"]
    list_per_page = 40
    show_full_result_count = False
    readonly_fields = ["preview", "crops", "size"]

    class Media:
        css = {"all": ["admin-bedside/pictures.css"]}
        js = [Script("admin-bedside/focal-point.js", type="module")]

    @admin.display(description=_("picture"))
    def thumbnail(self, picture: Picture) -> str:
        return format_html('<img class="thumb" src="{}" alt="" loading="lazy">', picture.thumbnail_url)

    @admin.display(description=_("picture"))
    def preview(self, picture: Picture) -> str:
        return format_html(
            '<img class="preview" src="{}" alt="{}" width="{}" height="{}" data-focal-point>',
            picture.url, picture.alt, picture.width, picture.height,
        )  # fmt: skip

    @admin.display(description=_("how it is cropped"))
    def crops(self, picture: Picture) -> str:
        """The crops around the focal point as it is set in the form; the script says which part each shows."""
        whole = next((url for url, width in picture.files("webp") if width >= 480), picture.url)
        image = '<img src="{}" alt="" data-crop data-across="{}" data-down="{}">'
        crop = f"<figure>{image}<figcaption>{{}}</figcaption></figure>"
        shown = ((whole, SHAPES[shape].across, SHAPES[shape].down, name) for shape, name in SHAPE_NAMES.items())
        return format_html('<div class="crops">{}</div>', format_html_join("", crop, shown))

    @admin.display(description=_("size"))
    def size(self, picture: Picture) -> str:
        return f"{picture.width} × {picture.height}"  # noqa: RUF001 - the sign that a size is written with

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = UploadForm if obj is None else PictureForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        focal = ["focal_x", "focal_y"]
        title = _("What crops keep in view")
        if obj is None:
            return [(None, {"fields": ["file", *WORDS]}), (title, {"fields": focal})]
        return [(None, {"fields": ["preview", "crops", "size", *WORDS]}), (title, {"fields": focal})]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.save()
            ask_for_renditions(obj)
            return
        words = {name: form.cleaned_data[name] for name in PictureForm.Meta.fields}
        kept = keep_picture(form.cleaned, uploaded_by=request.user, **words)
        obj.pk = kept.pk
        obj.refresh_from_db()

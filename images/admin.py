"""Pictures in the admin: uploading, describing, finding."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from js_asset import Script

from images.forms import PictureForm, UploadForm
from images.models import Picture
from images.services import ask_for_renditions, keep_picture

WORDS = ["alt", "decorative", "caption", "credit"]


@admin.register(Picture)
class PictureAdmin(admin.ModelAdmin):
    list_display = ["thumbnail", "__str__", "credit", "size", "uploaded_at"]
    list_display_links = ["thumbnail", "__str__"]
    list_filter = ["decorative", "uploaded_at"]
    search_fields = ["alt", "caption", "credit", "content_hash"]
    list_per_page = 40
    show_full_result_count = False
    readonly_fields = ["preview", "size"]

    class Media:
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

    @admin.display(description=_("size"))
    def size(self, picture: Picture) -> str:
        return f"{picture.width} × {picture.height}"  # noqa: RUF001 - the sign that a size is written with

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = UploadForm if obj is None else PictureForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        focal = (_("What crops keep in view"), {"fields": ["focal_x", "focal_y"]})
        if obj is None:
            return [(None, {"fields": ["file", *WORDS]}), focal]
        return [(None, {"fields": ["preview", "size", *WORDS]}), focal]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.save()
            ask_for_renditions(obj)
            return
        words = {name: form.cleaned_data[name] for name in PictureForm.Meta.fields}
        kept = keep_picture(form.cleaned, uploaded_by=request.user, **words)
        obj.pk = kept.pk
        obj.refresh_from_db()

"""Uploading a picture, and describing one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from images.models import Picture
from images.processing import FORMATS, CleanPicture, UnusablePicture, clean_picture


class PictureForm(forms.ModelForm):
    """The words of a picture."""

    class Meta:
        model = Picture
        fields = ["alt", "decorative", "caption", "credit", "focal_x", "focal_y"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)


class UploadForm(PictureForm):
    """A new picture: the file becomes our own bytes while the form is checked, so that its errors are sentences."""

    file = forms.FileField(
        label=gettext_lazy("Picture file"),
        help_text=gettext_lazy("JPEG, PNG, WebP or AVIF, up to 15 MB. Places and camera data in it are removed."),
        widget=forms.FileInput(attrs={"accept": ",".join(f"image/{name.lower()}" for name in FORMATS)}),
        error_messages={"required": gettext_lazy("Choose a picture file.")},
    )
    cleaned: CleanPicture | None = None

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        try:
            self.cleaned = clean_picture(upload)
        except UnusablePicture as error:
            raise ValidationError(str(error)) from error
        known = Picture.objects.filter(content_hash=self.cleaned.content_hash).first()
        if known:
            raise ValidationError(
                _("This picture is here already: “%s”. Choose it from the list, or change its words there.") % known,
                code="known",
            )
        return upload

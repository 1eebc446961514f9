"""Uploading a picture, and describing one."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from images.files import store
from images.models import Picture
from images.processing import FORMATS, CleanPicture, UnusablePicture, clean_picture

logger = logging.getLogger(__name__)


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

    def full_clean(self) -> None:
        """Check the form and, where all is right, write the file: a full disk is a sentence too, not a lost form."""
        super().full_clean()
        if self.is_bound and not self.errors and self.cleaned:
            try:
                store(self.cleaned.name, self.cleaned.content)
            except OSError:
                logger.exception("A picture could not be written")
                self.add_error("file", _("The file could not be stored. Tell whoever runs the site, and try again."))

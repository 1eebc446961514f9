"""Pictures, addressed by content. A page finds a picture's files from its hash alone."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from images.processing import RECIPE, SHAPES, crop_tag, folder, rendition_widths

MAX_ATTEMPTS = 3
ASK_AGAIN_AFTER = timedelta(minutes=2)


class PictureQuerySet(models.QuerySet["Picture"]):
    def unfinished(self) -> PictureQuerySet:
        """Pictures without renditions, or whose crops were made from another focal point or by an older recipe."""
        made = Q(rendered_at__isnull=False, made_recipe=RECIPE, made_x=F("focal_x"), made_y=F("focal_y"))
        return self.exclude(made)

    def left_behind(self) -> PictureQuerySet:
        """Unfinished pictures whose files were asked for but never came: the worker died, or the task was lost."""
        return self.unfinished().filter(
            render_attempts__lt=MAX_ATTEMPTS, render_asked_at__lt=timezone.now() - ASK_AGAIN_AFTER
        )

    def given_up(self) -> PictureQuerySet:
        """Pictures that failed so often that nobody tries again."""
        return self.unfinished().filter(render_attempts__gte=MAX_ATTEMPTS)


class Picture(models.Model):
    content_hash = models.CharField(max_length=64, unique=True, editable=False)
    extension = models.CharField(max_length=4, editable=False)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    alt = models.CharField(
        _("alternative text"),
        max_length=250,
        blank=True,
        help_text=_("What the picture shows, for people who cannot see it. One sentence, under 125 characters."),
    )
    decorative = models.BooleanField(
        _("decorative"),
        default=False,
        help_text=_("Tick only if the page says the same without the picture."),
    )
    caption = models.CharField(_("caption"), max_length=300, blank=True)
    credit = models.CharField(_("credit"), max_length=200, blank=True, help_text=_("Who made it, and the licence."))
    focal_x = models.PositiveSmallIntegerField(
        _("focal point across"), default=500, validators=[MaxValueValidator(1000)],
        help_text=_("In thousandths from the left edge. Crops keep this point in view."),
    )  # fmt: skip
    focal_y = models.PositiveSmallIntegerField(
        _("focal point down"), default=500, validators=[MaxValueValidator(1000)],
        help_text=_("In thousandths from the top edge."),
    )  # fmt: skip
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    render_asked_at = models.DateTimeField(default=timezone.now, editable=False)
    render_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    rendered_at = models.DateTimeField(null=True, editable=False)
    # What the crops that pages show were made from. A moved focal point shows the old crops until the new are there.
    made_recipe = models.PositiveSmallIntegerField(null=True, editable=False)
    made_x = models.PositiveSmallIntegerField(null=True, editable=False)
    made_y = models.PositiveSmallIntegerField(null=True, editable=False)

    objects = PictureQuerySet.as_manager()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ["-uploaded_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(alt="") | Q(decorative=True),
                name="picture_has_alt_or_is_decorative",
                violation_error_message=_("Describe the picture in the alternative text, or mark it as decorative."),
            ),
            models.CheckConstraint(
                condition=Q(focal_x__lte=1000) & Q(focal_y__lte=1000), name="picture_focal_point_in_per_mille"
            ),
        ]

    def __str__(self) -> str:
        return self.alt or self.caption or str(_("decorative picture %s") % self.content_hash[:8])

    @property
    def folder(self) -> str:
        return folder(self.content_hash)

    @property
    def original_name(self) -> str:
        return f"{self.folder}/original.{self.extension}"

    @property
    def url(self) -> str:
        return default_storage.url(self.original_name)

    @property
    def thumbnail_url(self) -> str:
        """The smallest file there is: a rendition once made, the original until then."""
        return next((url for url, _width in self.files("webp")), self.url)

    @property
    def made_tag(self) -> str:
        """What the last crops were made from, as their names say it; empty until there are any."""
        if self.made_recipe is None or self.made_x is None or self.made_y is None:
            return ""
        return crop_tag(self.made_recipe, self.made_x, self.made_y)

    @property
    def has_crops(self) -> bool:
        """Whether there are crops in the shapes of today, be it around a focal point that was moved since."""
        return bool(self.rendered_at) and self.made_recipe == RECIPE

    def files(self, extension: str, shape: str = "") -> list[tuple[str, int]]:
        """The addresses and widths of one format ('avif', 'webp' or 'jpg'), narrow to wide; none until they are made.

        `shape` is a name of SHAPES; without one, or while that crop is not made, it is the whole picture.
        """
        if not self.rendered_at:
            return []
        if shape and self.has_crops:
            sizes = SHAPES[shape].sizes(self.width, self.height)
            names = [(f"{shape}-{width}-{self.made_tag}", width) for width, _height in sizes]
        else:
            names = [(str(width), width) for width in rendition_widths(self.width)]
        return [(default_storage.url(f"{self.folder}/{name}.{extension}"), width) for name, width in names]

    def srcset(self, extension: str, shape: str = "") -> str:
        """The HTML srcset of files()."""
        return ", ".join(f"{url} {width}w" for url, width in self.files(extension, shape))

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from images.files import store
from images.models import Picture
from images.processing import CleanPicture
from images.tasks import make_renditions


def keep_picture(clean: CleanPicture, **fields: Any) -> Picture:
    """Store re-encoded bytes and their row; returns the picture there already is where the bytes are known.

    The file is written before the row: a crash between them leaves a file that the next upload of the same
    picture uses, never a row without its file.
    """
    picture = Picture.objects.filter(content_hash=clean.content_hash).first()
    if picture:
        return picture
    picture = Picture(
        content_hash=clean.content_hash,
        extension=clean.extension,
        width=clean.width,
        height=clean.height,
        **fields,
    )
    store(picture.original_name, clean.content)
    picture.full_clean(validate_unique=False)
    try:
        with transaction.atomic():
            picture.save()
    except IntegrityError:  # somebody uploaded the same picture just now
        return Picture.objects.get(content_hash=clean.content_hash)
    make_renditions.enqueue(picture.pk)
    return picture


def ask_for_renditions(picture: Picture) -> None:
    """Ask for what a saved picture lacks, such as crops around a focal point that was moved."""
    asked = {"render_attempts": 0, "render_asked_at": timezone.now()}
    if Picture.objects.unfinished().filter(pk=picture.pk).update(**asked):
        make_renditions.enqueue(picture.pk)

"""Background work on pictures.

The queue may lose a task (its worker is killed, the machine stops). The truth is in the picture's own row:
`rendered_at` is empty until every file is there, `made_*` say what the crops were made from, and `manage.py
sweep_pictures`, which the scheduler runs, asks again for each row that was left behind.
"""

from django.core.files.storage import default_storage
from django.db.models import F
from django.utils import timezone
from django_tasks import task

from images.files import store
from images.models import MAX_ATTEMPTS, Picture
from images.processing import RECIPE, SHAPES, crop_tag, renditions


@task
def make_renditions(picture_id: int) -> None:
    """Make every rendition of a picture and say so in its row. Twice, or half-way and again, is harmless.

    The attempt is counted before the work, so that a picture which kills its worker is left alone after
    MAX_ATTEMPTS and shown on the desk. Pages go on showing what was made before until all is there.
    """
    waiting = Picture.objects.unfinished().filter(pk=picture_id, render_attempts__lt=MAX_ATTEMPTS)
    if not waiting.update(render_attempts=F("render_attempts") + 1, render_asked_at=timezone.now()):
        return
    picture = Picture.objects.get(pk=picture_id)
    focal_x, focal_y = picture.focal_x, picture.focal_y
    _remove_old_crops(picture)
    with default_storage.open(picture.original_name) as file:
        content = file.read()
    for name, rendition in renditions(content, focal_x=focal_x, focal_y=focal_y, whole=not picture.rendered_at):
        store(f"{picture.folder}/{name}", rendition)
    # Where the focal point was moved meanwhile, the task of that save, or a sweep, makes the crops that count.
    Picture.objects.filter(pk=picture_id, focal_x=focal_x, focal_y=focal_y).update(
        rendered_at=picture.rendered_at or timezone.now(),
        made_recipe=RECIPE,
        made_x=focal_x,
        made_y=focal_y,
        render_attempts=0,
    )


def _remove_old_crops(picture: Picture) -> None:
    """Delete the crops that are neither on pages now nor to be made: one generation stays for pages in caches."""
    keep = {picture.made_tag, crop_tag(RECIPE, picture.focal_x, picture.focal_y)}
    _folders, names = default_storage.listdir(picture.folder)
    for name in names:
        shape, _dash, rest = name.partition("-")
        tag = rest.rpartition(".")[0].partition("-")[2]
        if shape in SHAPES and tag not in keep:
            default_storage.delete(f"{picture.folder}/{name}")

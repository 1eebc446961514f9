"""Background work on pictures.

The queue may lose a task (its worker is killed, the machine stops). The truth is in the picture's own row:
`rendered_at` is empty until every file is there, and `manage.py sweep_pictures`, which the scheduler runs,
asks again for each row that was left behind.
"""

from django.core.files.storage import default_storage
from django.db.models import F
from django.utils import timezone
from django_tasks import task

from images.files import store
from images.models import MAX_ATTEMPTS, Picture
from images.processing import renditions


@task
def make_renditions(picture_id: int) -> None:
    """Make every rendition of a picture and say so in its row. Twice, or half-way and again, is harmless.

    The attempt is counted before the work, so that a picture which kills its worker is left alone after
    MAX_ATTEMPTS and shown on the desk.
    """
    waiting = Picture.objects.filter(pk=picture_id, rendered_at=None, render_attempts__lt=MAX_ATTEMPTS)
    if not waiting.update(render_attempts=F("render_attempts") + 1, render_asked_at=timezone.now()):
        return
    picture = Picture.objects.get(pk=picture_id)
    with default_storage.open(picture.original_name) as file:
        content = file.read()
    for name, rendition in renditions(content).items():
        store(f"{picture.folder}/{name}", rendition)
    Picture.objects.filter(pk=picture_id).update(rendered_at=timezone.now())

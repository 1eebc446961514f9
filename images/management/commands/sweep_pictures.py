from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from images.models import Picture
from images.tasks import make_renditions


class Command(BaseCommand):
    help = "Asks again for the renditions of pictures whose task was lost with its worker."

    def handle(self, *args: Any, **options: Any) -> None:
        for picture in Picture.objects.left_behind():
            Picture.objects.filter(pk=picture.pk).update(render_asked_at=timezone.now())
            make_renditions.enqueue(picture.pk)
            self.stdout.write(f"picture {picture.pk}: renditions asked for again")

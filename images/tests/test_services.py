"""Keeping a picture, its files, and its renditions: also when a worker dies."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from PIL import Image

from config.tests.factories import fresh, make_picture, picture_bytes
from images.files import store
from images.models import ASK_AGAIN_AFTER, MAX_ATTEMPTS, Picture
from images.processing import RECIPE, SHAPES, CleanPicture, clean_picture, crop_tag, rendition_widths
from images.services import keep_picture
from images.tasks import make_renditions

HANG = 60  # seconds; far more than a worker takes for one picture


def clean(colour: str = "teal", size: tuple[int, int] = (64, 48)) -> CleanPicture:
    return clean_picture(io.BytesIO(picture_bytes(colour, size)))


def rendition_names(picture: Picture) -> set[str]:
    """What pages may ask for: the whole picture and the crops around its focal point."""
    whole = {
        f"{width}.{extension}" for width in rendition_widths(picture.width) for extension in ("avif", "webp", "jpg")
    }
    return whole | {
        f"{shape.name}-{width}-{crop_tag(RECIPE, picture.focal_x, picture.focal_y)}.{extension}"
        for shape in SHAPES.values()
        for width, _height in shape.sizes(picture.width, picture.height)
        for extension in shape.extensions
    }


def files_of(picture: Picture) -> set[str]:
    return set(default_storage.listdir(picture.folder)[1])


# --- Keeping ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_kept_picture_has_its_file_its_row_and_its_renditions() -> None:
    picture = fresh(make_picture(size=(600, 300)))
    assert (picture.width, picture.height, picture.extension) == (600, 300, "png")
    assert files_of(picture) == {"original.png", *rendition_names(picture)}
    assert picture.rendered_at
    assert picture.url.endswith(f"{picture.content_hash}/original.png")
    assert picture.thumbnail_url.endswith("/480.webp")
    assert picture.srcset("avif").split(", ")[-1].endswith("/600.avif 600w")


@pytest.mark.django_db
def test_same_bytes_are_one_picture_with_its_first_words() -> None:
    first = keep_picture(clean(), alt="First")
    assert keep_picture(clean(), alt="Second") == first
    assert fresh(first).alt == "First"


@pytest.mark.django_db
def test_picture_needs_words_or_to_be_decorative() -> None:
    with pytest.raises(ValidationError, match="alternative text"):
        keep_picture(clean())
    keep_picture(clean(), decorative=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Picture.objects.update(decorative=False)


@pytest.mark.django_db(transaction=True)
def test_same_bytes_uploaded_at_once_are_one_picture() -> None:
    barrier, kept, upload = Barrier(3), [], clean("olive")

    def run() -> None:
        try:
            barrier.wait(HANG)
            kept.append(keep_picture(upload, alt="x").pk)
        finally:
            connection.close()

    threads = [Thread(target=run) for _each in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert kept == [Picture.objects.get().pk] * 3


@pytest.mark.django_db
def test_picture_without_renditions_shows_its_original() -> None:
    with patch("images.services.make_renditions"):
        picture = keep_picture(clean("plum"), alt="x")
    assert picture.thumbnail_url == picture.url
    assert picture.srcset("avif") == ""


def test_file_that_was_cut_off_is_written_again() -> None:
    store("pictures/test-cut-off", b"whole content"[:5])
    store("pictures/test-cut-off", b"whole content")
    store("pictures/test-cut-off", b"whole content")
    with default_storage.open("pictures/test-cut-off") as file:
        assert file.read() == b"whole content"


# --- Renditions ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_making_renditions_twice_is_harmless() -> None:
    picture = fresh(make_picture())
    make_renditions.call(picture.pk)
    assert fresh(picture).rendered_at == picture.rendered_at
    assert fresh(picture).render_attempts == 0
    make_renditions.call(picture.pk + 1)  # a picture that was deleted meanwhile


@pytest.mark.django_db
def test_sweep_asks_again_for_what_was_left_behind_and_for_nothing_else() -> None:
    long_ago = timezone.now() - ASK_AGAIN_AFTER - timedelta(seconds=1)
    with patch("images.services.make_renditions"):
        lost, waiting, hopeless = (keep_picture(clean(colour), alt=colour) for colour in ("red", "green", "blue"))
    done = make_picture("black")
    Picture.objects.filter(pk__in=[lost.pk, hopeless.pk, done.pk]).update(render_asked_at=long_ago)
    Picture.objects.filter(pk=hopeless.pk).update(render_attempts=MAX_ATTEMPTS)
    before = fresh(done).rendered_at
    output = io.StringIO()
    call_command("sweep_pictures", stdout=output)
    assert output.getvalue().splitlines() == [f"picture {lost.pk}: renditions asked for again"]
    assert fresh(lost).rendered_at
    assert files_of(lost) >= rendition_names(lost)
    assert fresh(waiting).rendered_at is None
    assert fresh(hopeless).rendered_at is None
    assert fresh(done).rendered_at == before


@pytest.mark.django_db
def test_picture_that_kills_its_worker_is_left_alone_after_three_attempts() -> None:
    with patch("images.services.make_renditions"):
        picture = keep_picture(clean("navy"), alt="x")
    with patch("images.tasks.renditions", side_effect=MemoryError):
        for attempt in range(1, MAX_ATTEMPTS + 1):
            with pytest.raises(MemoryError):
                make_renditions.call(picture.pk)
            assert fresh(picture).render_attempts == attempt
        make_renditions.call(picture.pk)  # does not even begin
    assert fresh(picture).render_attempts == MAX_ATTEMPTS
    Picture.objects.update(render_asked_at=timezone.now() - timedelta(days=1))
    assert not Picture.objects.left_behind().exists()


# --- A real worker that is killed --------------------------------------------------------------------------------


def database_url() -> str:
    """The test database, as DATABASE_URL names one."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


@contextmanager
def worker(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py db_worker` under the real settings, on the test database; killed at the end if it still runs."""
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database_url()}
    command = [sys.executable, "manage.py", "db_worker", "--no-reload", "--no-startup-delay", *options]
    with subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_renditions_of_a_killed_worker_are_made_after_a_sweep(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    noise = Image.effect_noise((1000, 800), 120)  # takes long enough to be interrupted
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=80)
    picture = keep_picture(clean_picture(io.BytesIO(out.getvalue())), alt="Noise")
    with worker() as process:
        wait_until(lambda: fresh(picture).render_attempts == 1)
        process.kill()
        process.wait(HANG)
    assert fresh(picture).rendered_at is None, "the worker was killed in the middle of its work"

    with worker("--batch") as process:
        assert process.wait(HANG) == 0
    assert fresh(picture).rendered_at is None, "the queue has lost the task"

    Picture.objects.update(render_asked_at=timezone.now() - ASK_AGAIN_AFTER - timedelta(seconds=1))
    call_command("sweep_pictures", stdout=io.StringIO())
    with worker("--batch") as process:
        assert process.wait(HANG) == 0
    picture = fresh(picture)
    assert picture.rendered_at
    assert files_of(picture) >= rendition_names(picture)

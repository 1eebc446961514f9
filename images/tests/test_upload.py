"""Uploading a picture in the admin."""

from __future__ import annotations

import io
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.tests.factories import make_picture, picture_bytes
from images.models import Picture
from images.processing import clean_picture

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ADD = "/admin/images/picture/add/"


def upload(client: Client, content: bytes, name: str = "back.png", **fields: Any) -> Any:
    data = {"file": SimpleUploadedFile(name, content), "focal_x": 500, "focal_y": 500, "alt": "A back"} | fields
    return client.post(ADD, data)


def test_upload_keeps_our_own_bytes_and_the_words(admin_client: Client) -> None:
    response = upload(admin_client, picture_bytes(format_="JPEG"), caption="Drawn by us", focal_x=250)
    assert response.status_code == 302
    picture = Picture.objects.get()
    assert (picture.alt, picture.caption, picture.focal_x) == ("A back", "Drawn by us", 250)
    assert picture.uploaded_by == User.objects.get()
    assert len(picture.content_hash) == 64


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "could not be read as a picture"),
        (picture_bytes(size=(8, 8)), "smaller than 16 pixels"),
        (b"", "empty"),
    ],
)
def test_unusable_file_is_refused_with_a_sentence(admin_client: Client, content: bytes, sentence: str) -> None:
    response = upload(admin_client, content)
    assert sentence in response.content.decode()
    assert not Picture.objects.exists()


def test_picture_needs_words_or_the_mark_that_it_is_decorative(admin_client: Client) -> None:
    response = upload(admin_client, picture_bytes(), alt="")
    assert "Describe the picture in the alternative text" in response.content.decode()
    assert not Picture.objects.exists()
    assert upload(admin_client, picture_bytes(), alt="", decorative="on").status_code == 302
    assert Picture.objects.get().decorative


def test_full_disk_is_a_sentence_and_leaves_neither_row_nor_file(admin_client: Client) -> None:
    full = OSError(28, "No space left on device")
    content = picture_bytes("orchid")
    with patch.object(default_storage, "save", side_effect=full):
        response = upload(admin_client, content, caption="Typed before")
    page = response.content.decode()
    assert "The file could not be stored" in page
    assert "Typed before" in page
    assert not Picture.objects.exists()
    assert upload(admin_client, content).status_code == 302
    assert Picture.objects.get().rendered_at


def test_file_is_not_kept_where_the_words_are_refused(admin_client: Client) -> None:
    clean = clean_picture(io.BytesIO(picture_bytes("salmon")))
    upload(admin_client, picture_bytes("salmon"), alt="")
    assert not default_storage.exists(clean.name)


def test_same_picture_again_is_refused_and_named(admin_client: Client) -> None:
    upload(admin_client, picture_bytes(), alt="The first time")
    response = upload(admin_client, picture_bytes(), alt="Once more")
    assert "The first time" in response.content.decode()
    assert Picture.objects.count() == 1


def test_words_of_a_picture_can_be_changed_but_not_its_bytes(admin_client: Client) -> None:
    picture = make_picture(alt="Before")
    url = reverse("admin:images_picture_change", args=[picture.pk])
    admin_client.post(url, {"alt": "After", "focal_x": 1, "focal_y": 2, "file": "x"})
    after = Picture.objects.get()
    assert (after.alt, after.focal_x, after.focal_y) == ("After", 1, 2)
    assert after.content_hash == picture.content_hash


def test_small_window_tells_the_form_behind_it_which_picture_was_made(admin_client: Client) -> None:
    response = upload(admin_client, picture_bytes(), _popup="1")
    assert f"&quot;value&quot;: &quot;{Picture.objects.get().pk}&quot;" in response.content.decode()


def test_choosing_a_picture_shows_its_thumbnail(admin_client: Client) -> None:
    picture = make_picture(alt="A spine from the side")
    picture.refresh_from_db()
    where = {"app_label": "blog", "model_name": "article", "field_name": "picture", "term": "spine"}
    [row] = admin_client.get(reverse("admin:autocomplete"), where).json()["results"]
    assert (row["text"], row["thumbnail"]) == (picture.alt, picture.thumbnail_url)


def test_picture_that_was_just_made_is_found_by_its_number(admin_client: Client) -> None:
    make_picture("red")
    picture = make_picture("blue", alt="The new one")
    where = {"app_label": "blog", "model_name": "article", "field_name": "picture", "id": str(picture.pk)}
    answer = admin_client.get(reverse("admin:autocomplete"), where).json()
    assert [row["text"] for row in answer["results"]] == ["The new one"]

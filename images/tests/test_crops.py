"""Crops around the focal point: the box, the files, and what happens when the point is moved."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from PIL import Image, ImageCms

from config.tests.factories import fresh, make_picture
from images.models import ASK_AGAIN_AFTER, MAX_ATTEMPTS, Picture
from images.processing import (
    MAX_SIDE,
    RECIPE,
    SHAPES,
    Shape,
    clean_picture,
    renditions,
)
from images.services import ask_for_renditions, keep_picture
from images.tasks import make_renditions
from publishing.templatetags.documents import card_picture

pytestmark = pytest.mark.once

SIDE = strategies.integers(16, MAX_SIDE)
FOCAL = strategies.integers(0, 1000)
shapes = strategies.sampled_from([*SHAPES.values(), Shape("tall", 1, 3, (100,))])
NEARLY = 1e-6


def encoded(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=format_, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


# --- The box -----------------------------------------------------------------------------------------------------


@pytest.mark.once
@given(shape=shapes, width=SIDE, height=SIDE, x=FOCAL, y=FOCAL)
@hypothesis_settings(deadline=None)
def test_box_is_the_largest_of_its_shape_and_has_the_focal_point_as_near_its_middle_as_can_be(
    shape: Shape, width: int, height: int, x: int, y: int
) -> None:
    left, top, right, bottom = shape.box(width, height, x, y)
    # inside the picture, for Pillow refuses a box that is a hair too wide
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    # of its shape, and no larger one has room
    assert (right - left) / (bottom - top) == pytest.approx(shape.across / shape.down)
    assert right - left == pytest.approx(width) or bottom - top == pytest.approx(height)
    # the focal point is in it, and off its middle only where an edge stops the box
    for focal, low, high, side in ((x, left, right, width), (y, top, bottom, height)):
        point, middle = side * focal / 1000, (low + high) / 2
        assert low - NEARLY <= point <= high + NEARLY
        assert point == pytest.approx(middle) or (low == 0 if point < middle else high == pytest.approx(side))


@pytest.mark.once
@pytest.mark.parametrize(
    ("size", "focal", "box"),
    [
        ((3000, 2000), (0, 0), (0, 0, 3000, 2000)),
        ((4000, 2000), (500, 500), (500, 0, 3500, 2000)),
        ((4000, 2000), (0, 500), (0, 0, 3000, 2000)),
        ((4000, 2000), (1000, 500), (1000, 0, 4000, 2000)),
        ((300, 900), (500, 700), (0, 530, 300, 730)),
    ],
)
def test_box_of_a_card(size: tuple[int, int], focal: tuple[int, int], box: tuple[float, ...]) -> None:
    assert SHAPES["card"].box(*size, *focal) == pytest.approx(box)


@pytest.mark.once
@given(shape=shapes, width=SIDE, height=SIDE)
@hypothesis_settings(deadline=None)
def test_crop_is_never_larger_than_the_picture(shape: Shape, width: int, height: int) -> None:
    sizes = shape.sizes(width, height)
    assert sizes == sorted(set(sizes))
    assert sizes[-1][0] <= shape.widths[-1]
    for wide, high in sizes:
        assert 1 <= wide <= width
        assert 1 <= high <= height
        assert abs(wide * Fraction(shape.down, shape.across) - high) <= 1


# --- The files ---------------------------------------------------------------------------------------------------


def target(size: tuple[int, int], at: tuple[int, int]) -> Image.Image:
    """A white picture with a red square at a place, in pixels."""
    image = Image.new("RGB", size, "white")
    image.paste("red", (at[0] - 20, at[1] - 20, at[0] + 20, at[1] + 20))
    return image


@pytest.mark.once
@pytest.mark.parametrize("format_", ["PNG", "JPEG"])
@pytest.mark.parametrize("at", [(20, 150), (980, 280)])
def test_focal_point_is_in_every_crop(at: tuple[int, int], format_: str) -> None:
    focal = {"focal_x": at[0], "focal_y": round(at[1] / 0.3)}
    made = dict(renditions(encoded(target((1000, 300), at), format_), **focal, whole=False))
    assert {name.partition("-")[0] for name in made} == set(SHAPES)
    for name, content in made.items():
        image = opened(content).convert("RGB")
        left, top, right, _bottom = SHAPES[name.partition("-")[0]].box(1000, 300, **focal)
        scale = image.width / (right - left)
        red, green, _blue = image.getpixel((int((at[0] - left) * scale), int((at[1] - top) * scale)))  # type: ignore[misc]
        assert red > 200 > 100 > green, name
        assert name.rpartition(".")[0].endswith(f"-{RECIPE}-{focal['focal_x']}-{focal['focal_y']}")


@pytest.mark.once
@pytest.mark.parametrize("size", [(16, 16), (16, 4000), (4000, 16), (17, 31), (1201, 631)])
def test_pictures_of_any_shape_have_crops_of_the_size_that_pages_say(size: tuple[int, int]) -> None:
    made = dict(renditions(encoded(Image.new("RGB", size, "teal"))))
    for shape in SHAPES.values():
        for width, height in shape.sizes(*size):
            for extension in shape.extensions:
                crop = opened(made.pop(f"{shape.name}-{width}-{RECIPE}-500-500.{extension}"))
                assert crop.size == (width, height)
    assert all("-" not in name for name in made), "only whole pictures are left"


@pytest.mark.once
def test_jpeg_is_read_no_larger_than_it_is_shown() -> None:
    with patch.object(Image.Image, "resize", autospec=True, side_effect=Image.Image.resize) as resize:
        next(renditions(encoded(Image.new("RGB", (3200, 2400)), "JPEG")))
    assert max(call.args[0].width for call in resize.call_args_list) == 1600


# --- What must not go along --------------------------------------------------------------------------------------


def photograph() -> bytes:
    """A JPEG as a telephone writes it: place and camera in EXIF, XMP, a profile, a comment, and a trailer."""
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0), 29: "SECRET-DAY"})
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a exif:GPSLatitude="SECRET-PLACE"/></x:xmpmeta>'
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = target((500, 400), (250, 200))
    data = encoded(pixels, "JPEG", exif=exif, xmp=xmp, icc_profile=profile, comment=b"SECRET-COMMENT")
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0cSECRET-NAMES"
    segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    return data[:2] + segment + data[2:] + b"SECRET-TRAILER"


def test_photograph_has_in_it_what_must_go() -> None:
    with Image.open(io.BytesIO(photograph())) as image:
        assert image.getexif().get_ifd(0x8825)[2]
        assert {"exif", "xmp", "icc_profile", "comment", "photoshop"} <= set(image.info)


@pytest.mark.django_db
def test_nothing_of_a_photograph_but_its_pixels_is_in_any_file_we_keep() -> None:
    picture = keep_picture(clean_picture(io.BytesIO(photograph())), alt="A square")
    _folders, names = default_storage.listdir(picture.folder)
    assert len(names) > 15
    for name in names:
        with default_storage.open(f"{picture.folder}/{name}") as file:
            content = file.read()
        image = opened(content)
        assert not dict(image.getexif()), name
        assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & set(image.info), name
        for trace in (b"SECRET", b"Exif\0", b"ns.adobe", b"adobe:ns", b"GPS", b"8BIM", b"ICC_PROFILE"):
            assert trace not in content, (name, trace)


# --- A focal point that is moved -----------------------------------------------------------------------------------


def crops_of(picture: Picture) -> set[str]:
    """The tags of the crops that are stored."""
    names = default_storage.listdir(picture.folder)[1]
    return {name.rpartition(".")[0].split("-", 2)[2] for name in names if "-" in name}


def move(picture: Picture, x: int, y: int) -> Picture:
    picture = fresh(picture)
    picture.focal_x, picture.focal_y = x, y
    picture.save()
    return picture


@pytest.mark.django_db
def test_moved_focal_point_makes_new_files_and_keeps_one_generation_of_the_old() -> None:
    picture = fresh(make_picture(size=(600, 600)))
    assert crops_of(picture) == {"1-500-500"}
    ask_for_renditions(move(picture, 100, 200))
    assert fresh(picture).srcset("avif", "card").endswith("/card-600-1-100-200.avif 600w")
    assert crops_of(picture) == {"1-500-500", "1-100-200"}
    ask_for_renditions(move(picture, 300, 400))
    assert crops_of(picture) == {"1-100-200", "1-300-400"}
    assert fresh(picture).made_tag == "1-300-400"
    assert fresh(picture).rendered_at == picture.rendered_at, "the whole pictures were not made again"


@pytest.mark.django_db
def test_pages_show_the_old_crops_until_the_new_are_there() -> None:
    picture = make_picture(size=(600, 600))
    with patch("images.services.make_renditions"):
        picture = move(picture, 0, 0)
        ask_for_renditions(picture)
    assert "-1-500-500.avif" in fresh(picture).srcset("avif", "card")
    assert "crop-left" not in card_picture(fresh(picture), "100vw")


@pytest.mark.django_db
def test_words_that_change_make_no_files() -> None:
    picture = fresh(make_picture())
    with patch("images.services.make_renditions") as task:
        ask_for_renditions(picture)
    assert not task.enqueue.called


@pytest.mark.django_db
def test_sweep_finds_crops_that_are_out_of_date_for_any_reason() -> None:
    moved, older, never, good = (make_picture(colour, size=(64, 48)) for colour in ("red", "green", "blue", "black"))
    Picture.objects.filter(pk=moved.pk).update(focal_x=1)
    Picture.objects.filter(pk=older.pk).update(made_recipe=RECIPE - 1)
    Picture.objects.filter(pk=never.pk).update(made_recipe=None, made_x=None, made_y=None)
    Picture.objects.update(render_asked_at=timezone.now() - ASK_AGAIN_AFTER - timedelta(seconds=1))
    assert set(Picture.objects.unfinished()) == {moved, older, never}
    output = io.StringIO()
    call_command("sweep_pictures", stdout=output)
    assert len(output.getvalue().splitlines()) == 3
    assert not Picture.objects.unfinished().exists()
    assert fresh(good).render_attempts == 0


@pytest.mark.django_db
def test_focal_point_that_moves_while_crops_are_made_is_not_overtaken() -> None:
    picture = fresh(make_picture())
    move(picture, 100, 100)

    def moved_meanwhile(*arguments: Any, **options: Any) -> Iterator[tuple[str, bytes]]:
        Picture.objects.update(focal_x=900)
        return renditions(*arguments, **options)

    with patch("images.tasks.renditions", moved_meanwhile):
        make_renditions.call(picture.pk)
    assert fresh(picture).made_tag == "1-500-500"
    make_renditions.call(picture.pk)
    assert fresh(picture).made_tag == "1-900-100"


@pytest.mark.django_db
def test_disk_that_is_full_in_the_middle_leaves_no_half_file_and_the_next_try_makes_all() -> None:
    with patch("images.services.make_renditions"):
        picture = make_picture("thistle", size=(610, 300))
    saved: list[str] = []
    save = default_storage.save

    def until_full(name: str, content: Any) -> str:
        if len(saved) < 5:
            saved.append(name)
            return save(name, content)
        default_storage.open(name, "wb").close()  # what is left of a file that did not fit
        raise OSError(28, "No space left on device")

    with patch.object(default_storage, "save", until_full), pytest.raises(OSError, match="No space"):
        make_renditions.call(picture.pk)
    picture = fresh(picture)
    assert (picture.rendered_at, picture.render_attempts) == (None, 1)
    assert picture.srcset("avif") == picture.srcset("avif", "card") == ""
    assert {f"{picture.folder}/{name}" for name in default_storage.listdir(picture.folder)[1]} == {
        *saved,
        picture.original_name,
    }
    make_renditions.call(picture.pk)
    assert fresh(picture).has_crops


@pytest.mark.django_db
def test_crops_that_cannot_be_made_are_given_up_and_asked_for_again_when_the_point_moves() -> None:
    picture = fresh(make_picture())
    picture = move(picture, 1, 1)
    with patch("images.tasks.renditions", side_effect=MemoryError):
        for _attempt in range(MAX_ATTEMPTS):
            with pytest.raises(MemoryError):
                make_renditions.call(picture.pk)
    assert list(Picture.objects.given_up()) == [picture]
    ask_for_renditions(move(picture, 2, 2))
    assert fresh(picture).made_tag == "1-2-2"
    assert not Picture.objects.given_up().exists()


# --- In pages ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("shape", "size"), [("card", (800, 533)), ("lead", (1000, 562)), ("square", (480, 480))])
def test_room_of_a_crop_is_the_same_before_and_after_it_is_made(shape: str, size: tuple[int, int]) -> None:
    picture = fresh(make_picture(size=(1000, 1000)))
    after = card_picture(picture, "20rem", shape=shape)
    picture.made_recipe = None
    between = card_picture(picture, "20rem", shape=shape)
    picture.rendered_at = None
    before = card_picture(picture, "20rem", shape=shape)
    room = f'width="{size[0]}" height="{size[1]}" alt="" class="crop crop-{shape}" loading="lazy" decoding="async">'
    assert all(room in markup for markup in (before, between, after))
    assert picture.url in before
    assert "<source" not in before
    assert "1000.avif 1000w" in between
    assert f"/{shape}-" in after
    assert [f'type="image/{kind}"' in after for kind in ("avif", "webp")] == [True, True]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("focal", "classes"),
    [((0, 1000), "crop-left crop-bottom"), ((1000, 0), "crop-right crop-top"), ((333, 334), "crop-left")],
)
def test_meanwhile_the_whole_picture_is_cut_near_its_focal_point(focal: tuple[int, int], classes: str) -> None:
    with patch("images.services.make_renditions"):
        picture = make_picture()
    picture.focal_x, picture.focal_y = focal
    assert f'class="crop crop-card {classes}"' in card_picture(picture, "20rem")


@pytest.mark.django_db
def test_picture_at_the_top_is_fetched_first_and_the_others_when_they_are_near() -> None:
    picture = fresh(make_picture())
    assert 'fetchpriority="high"' in card_picture(picture, "20rem", lazy=False)
    assert "loading" not in card_picture(picture, "20rem", lazy=False)
    assert 'loading="lazy" decoding="async"' in card_picture(picture, "20rem")


# --- In the admin ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_form_shows_the_crops_and_a_moved_point_makes_them_anew(admin_client: Client) -> None:
    picture = make_picture(size=(900, 900))
    url = reverse("admin:images_picture_change", args=[picture.pk])
    page = admin_client.get(url).content.decode()
    assert page.count("data-crop ") == len(SHAPES)
    admin_client.post(url, {"alt": "After", "focal_x": 10, "focal_y": 20})
    assert fresh(picture).made_tag == "1-10-20"

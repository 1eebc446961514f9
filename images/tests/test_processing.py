"""Foreign bytes in, our own bytes out."""

import io
import struct
import zlib
from hashlib import sha256
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageStat

from images.processing import (
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    UnusablePicture,
    clean_picture,
    rendition_widths,
    renditions,
)

pytestmark = pytest.mark.once


def saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=format_, **options)
    return out.getvalue()


def plain(size: tuple[int, int] = (64, 48), mode: str = "RGB", colour: Any = "teal") -> Image.Image:
    return Image.new(mode, size, colour)


def cleaned(data: bytes) -> Image.Image:
    """The picture that an upload becomes, opened again."""
    image = Image.open(io.BytesIO(clean_picture(io.BytesIO(data)).content))
    image.load()
    return image


def whole_of(content: bytes) -> dict[str, bytes]:
    """The renditions of the whole picture."""
    return {name: made for name, made in renditions(content) if "-" not in name}


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels at all."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


# --- What is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [(100_000, 100_000), (MAX_SIDE + 1, 16), (16, MAX_SIDE + 1), (6_000, MAX_PIXELS // 6_000 + 1)]
)
def test_bomb_is_refused_by_its_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: Any) -> None:
        raise AssertionError("a pixel was decoded")

    monkeypatch.setattr(Image.Image, "load", never)
    with pytest.raises(UnusablePicture, match="24 million pixels"):
        clean_picture(io.BytesIO(png_header(*size)))


def test_file_that_is_too_large_is_not_read_to_its_end() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert 0 <= size <= MAX_BYTES + 1
            return b"\xff" * size

    with pytest.raises(UnusablePicture, match="larger than 15 MB"):
        clean_picture(Endless())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        saved(plain(), "GIF"),
        saved(plain(), "BMP"),
        saved(plain(), "TIFF"),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.7",
        b"<!doctype html><script>alert(1)</script>",
        b"",
        saved(plain(), "JPEG")[:300],
        png_header(64, 48),
    ],
    ids=["gif", "bmp", "tiff", "svg", "pdf", "html", "empty", "cut off", "without pixels"],
)
def test_what_is_no_picture_of_the_four_kinds_is_refused_with_advice(data: bytes) -> None:
    with pytest.raises(UnusablePicture, match="Use a JPEG, PNG, WebP or AVIF file"):
        clean_picture(io.BytesIO(data))


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "AVIF"])
def test_moving_picture_is_refused(format_: str) -> None:
    frames = [plain(colour=colour) for colour in ("red", "green", "blue")]
    data = saved(frames[0], format_, save_all=True, append_images=frames[1:])
    with pytest.raises(UnusablePicture, match="moves"):
        clean_picture(io.BytesIO(data))


def test_tiny_picture_is_refused() -> None:
    with pytest.raises(UnusablePicture, match="smaller than 16"):
        clean_picture(io.BytesIO(saved(plain((15, 200)), "PNG")))


# --- What is taken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("format_", "extension"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "jpg"), ("AVIF", "jpg")])
def test_each_kind_is_encoded_again_under_its_own_hash(format_: str, extension: str) -> None:
    data = saved(plain(), format_)
    clean = clean_picture(io.BytesIO(data))
    assert (clean.extension, clean.width, clean.height) == (extension, 64, 48)
    assert clean.content_hash == sha256(clean.content).hexdigest()
    assert clean_picture(io.BytesIO(data)).content == clean.content
    assert clean.content != data or extension == "png"


def test_exif_and_gps_and_comments_are_gone() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    data = saved(plain(), "JPEG", exif=exif, comment=b"SECRETCOMMENT") + b"SECRETTRAILER"
    assert b"SECRETCAMERA" in data
    content = clean_picture(io.BytesIO(data)).content
    assert b"SECRET" not in content
    assert not cleaned(data).getexif()


def test_png_text_is_gone() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "SECRETNAME")
    assert b"SECRETNAME" not in clean_picture(io.BytesIO(saved(plain(), "PNG", pnginfo=info))).content


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (1, 1)), (6, (1, 0)), (8, (0, 1))])
def test_photograph_that_was_held_sideways_is_upright(orientation: int, corner: tuple[int, int]) -> None:
    image = plain((64, 32), colour="white")
    image.paste("black", (0, 0, 16, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = cleaned(saved(image, "PNG", exif=exif))
    assert upright.size == ((32, 64) if orientation in (6, 8) else (64, 32))
    x, y = (side * (length - 1) for side, length in zip(corner, upright.size, strict=True))
    assert upright.getpixel((x, y)) == (0, 0, 0)


def test_transparency_stays() -> None:
    image = plain(mode="RGBA", colour=(255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 32, 48))
    for format_ in ("PNG", "WEBP"):
        again = cleaned(saved(image, format_))
        assert again.mode == "RGBA"
        assert (again.getpixel((60, 20))[3], again.getpixel((10, 20))[3]) == (0, 255)  # type: ignore[index]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P"])
def test_pictures_of_few_colours_are_taken(mode: str) -> None:
    assert cleaned(saved(Image.new(mode, (64, 48)), "PNG")).mode in {"RGB", "RGBA", "P", "L"}


def test_print_colours_are_taken() -> None:
    assert cleaned(saved(Image.new("CMYK", (64, 48)), "JPEG")).mode == "RGB"


def test_sixteen_bits_of_grey_keep_their_shades() -> None:
    image = Image.new("I;16", (64, 64))
    image.putdata([value * 16 for value in range(64 * 64)])
    again = cleaned(saved(image, "PNG"))
    assert 120 < ImageStat.Stat(again.convert("L")).mean[0] < 135


def test_photograph_of_a_telephone_that_holds_two_pictures_is_taken() -> None:
    data = saved(plain(colour="red"), "MPO", save_all=True, append_images=[plain(colour="blue")])
    red, _green, blue = cleaned(data).convert("RGB").getpixel((20, 20))  # type: ignore[misc]
    assert red > 200 > blue


def test_colours_are_brought_to_srgb_and_the_profile_is_dropped() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    data = saved(plain(), "JPEG", icc_profile=profile.tobytes())  # one that does not fit is left aside
    assert "icc_profile" not in cleaned(data).info
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert "icc_profile" not in cleaned(saved(plain(), "PNG", icc_profile=srgb.tobytes())).info


# --- Renditions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "widths"),
    [
        (64, [64]),
        (480, [480]),
        (500, [480, 500]),
        (1600, [480, 800, 1200, 1600]),
        (4000, [480, 800, 1200, 1600]),
    ],
)
def test_renditions_are_never_wider_than_the_picture(width: int, widths: list[int]) -> None:
    assert rendition_widths(width) == widths


def test_every_width_comes_in_three_formats_with_its_shape() -> None:
    made = whole_of(saved(plain((600, 300)), "PNG"))
    assert set(made) == {f"{width}.{ext}" for width in (480, 600) for ext in ("avif", "webp", "jpg")}
    for name, content in made.items():
        width = int(name.partition(".")[0])
        with Image.open(io.BytesIO(content)) as image:
            assert image.size == (width, width // 2)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_png_has_renditions_in_every_format_on_white_where_there_is_no_alpha(mode: str) -> None:
    made = whole_of(saved(Image.new(mode, (64, 48), 0), "PNG"))
    with Image.open(io.BytesIO(made["64.jpg"])) as jpeg:
        assert jpeg.mode == "RGB"
        assert jpeg.getpixel((10, 10)) == (255, 255, 255)
    for extension in ("webp", "avif"):
        with Image.open(io.BytesIO(made[f"64.{extension}"])) as image:
            assert image.convert("RGBA").getpixel((10, 10))[3] == 0  # type: ignore[index]


def test_renditions_of_a_palette_with_transparency_are_transparent() -> None:
    image = Image.new("P", (64, 48), 0)
    made = whole_of(saved(image, "PNG", transparency=0))
    with Image.open(io.BytesIO(made["64.webp"])) as webp:
        assert webp.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_very_wide_picture_keeps_a_height() -> None:
    made = whole_of(saved(plain((3000, 16)), "PNG"))
    with Image.open(io.BytesIO(made["480.webp"])) as image:
        assert image.height >= 1

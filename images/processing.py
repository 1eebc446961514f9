"""Foreign picture bytes in, our own bytes out: nothing that was uploaded is ever served."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from typing import BinaryIO

from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps

MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 24_000_000
MAX_SIDE = 12_000
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
# What clean_picture() makes, and how such a file ends.
_OWN_EXTENSIONS = {"JPEG": "jpg", "PNG": "png"}
_OWN_ENDS = (b"\xff\xd9", b"IEND\xaeB`\x82")

WIDTHS = (480, 800, 1200, 1600)
RENDITION_FORMATS = {"avif": "AVIF", "webp": "WEBP", "jpg": "JPEG"}
_SAVE_OPTIONS = {
    "AVIF": {"quality": 62, "speed": 8},
    "WEBP": {"quality": 80, "method": 4},
    "JPEG": {"quality": 82, "progressive": True, "optimize": True},
}


class UnusablePicture(ValueError):
    """The upload is not a picture that we take; the message says why and what to do."""


@dataclass(frozen=True)
class CleanPicture:
    """A re-encoded picture: its bytes, their SHA-256 in hexadecimal, the extension, and its size in pixels."""

    content: bytes
    content_hash: str
    extension: str
    width: int
    height: int

    @property
    def name(self) -> str:
        """Where the bytes are stored."""
        return f"{folder(self.content_hash)}/original.{self.extension}"


def folder(content_hash: str) -> str:
    """Where a picture's files are stored."""
    return f"pictures/{content_hash[:2]}/{content_hash}"


def clean_picture(upload: BinaryIO) -> CleanPicture:
    """Re-encode an upload, upright, in sRGB, without EXIF, GPS, comments or trailing bytes.

    The header is judged before a pixel is decoded, so a decompression bomb costs nothing. Raises
    UnusablePicture with a sentence for the editor.
    """
    data = upload.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnusablePicture(
            _("This file is larger than %(limit)d MB. Save it smaller and upload it again.")
            % {"limit": MAX_BYTES // 1024 // 1024}
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as header:
                _refuse_by_header(header)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                image.load()
                return _encode(_upright_srgb(image), lossless=image.format == "PNG")
    except UnusablePicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusablePicture(_too_many_pixels()) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged bytes
        raise UnusablePicture(
            _("This file could not be read as a picture. Use a JPEG, PNG, WebP or AVIF file.")
        ) from error


def kept_picture(content: bytes) -> CleanPicture:
    """The bytes of a picture that clean_picture() made once, as they are, when they are one within the limits.

    For what comes back from an export: encoded again it would be another picture. Raises UnusablePicture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(_OWN_EXTENSIONS)) as image:
                _refuse_by_header(image)
                extension = _OWN_EXTENSIONS[image.format or ""]
                image.load()
                if not content.endswith(_OWN_ENDS):
                    raise UnusablePicture(_("This file holds more than a picture."))
                return CleanPicture(content, sha256(content).hexdigest(), extension, image.width, image.height)
    except UnusablePicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusablePicture(_too_many_pixels()) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged bytes
        raise UnusablePicture(_("This file could not be read as a picture that this site has made.")) from error


@dataclass(frozen=True)
class Shape:
    """A crop that pages ask for by name: its proportions, the widths in pixels it comes in, and its formats."""

    name: str
    across: int
    down: int
    widths: tuple[int, ...]
    extensions: tuple[str, ...] = tuple(RENDITION_FORMATS)

    def box(self, width: int, height: int, focal_x: int, focal_y: int) -> tuple[float, float, float, float]:
        """The largest box of these proportions in a picture: left, top, right and bottom in pixels.

        The focal point, in thousandths from the left and the top edge, is as near to the middle of the box as the
        picture's edges allow, and so never outside.
        """
        box_width = min(width, height * self.across / self.down)
        box_height = min(height, width * self.down / self.across)
        left = min(max(width * focal_x / 1000 - box_width / 2, 0), width - box_width)
        top = min(max(height * focal_y / 1000 - box_height / 2, 0), height - box_height)
        return left, top, min(left + box_width, width), min(top + box_height, height)

    def sizes(self, width: int, height: int) -> list[tuple[int, int]]:
        """The widths and heights in pixels made from a picture of that size, never larger than its box."""
        widest = max(1, int(min(width, height * self.across / self.down)))
        return [(wide, max(1, round(wide * self.down / self.across))) for wide in rendition_widths(widest, self.widths)]


# Articles show whole pictures: what a drawing explains must not be cut off. Crops are for what stands beside a title.
SHAPES = {
    shape.name: shape
    for shape in (
        Shape("card", 3, 2, (480, 800)),
        Shape("lead", 16, 9, (640, 1280)),
        Shape("square", 1, 1, (160, 320, 480)),
        Shape("share", 1200, 630, (1200,), ("jpg",)),
    )
}
RECIPE = 1  # raised when crops are to be made anew: their names hold it, and browsers keep what they have seen


def crop_tag(recipe: int, focal_x: int, focal_y: int) -> str:
    """What a crop was made from, as its name says it: other crops have other names."""
    return f"{recipe}-{focal_x}-{focal_y}"


def renditions(
    content: bytes, *, focal_x: int = 500, focal_y: int = 500, whole: bool = True
) -> Iterator[tuple[str, bytes]]:
    """The files that pages show, as (name, bytes), one after the other: no wider than the source, decoded once.

    The whole picture is '<width>.<extension>', a crop '<shape>-<width>-<crop_tag>.<extension>'. Without `whole`
    the crops only.
    """
    image, (width, height) = _decoded(content)
    if whole:
        yield from _encoded(image, None, _whole_sizes(width, height), "{}", tuple(RENDITION_FORMATS))
    tag = crop_tag(RECIPE, focal_x, focal_y)
    for shape in SHAPES.values():
        box = shape.box(image.width, image.height, focal_x, focal_y)
        yield from _encoded(image, box, shape.sizes(width, height), f"{shape.name}-{{}}-{tag}", shape.extensions)


def rendition_widths(source_width: int, widths: tuple[int, ...] = WIDTHS) -> list[int]:
    """The widths in pixels made for a source that wide: the standard ones below it, and its own up to the widest."""
    return sorted({*(width for width in widths if width < source_width), min(source_width, widths[-1])})


def _whole_sizes(width: int, height: int) -> list[tuple[int, int]]:
    return [(wide, max(1, round(height * wide / width))) for wide in rendition_widths(width)]


def _decoded(content: bytes) -> tuple[Image.Image, tuple[int, int]]:
    """The pixels and the size of the source; a JPEG at the smallest scale that every rendition can be made from."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as source:
        width, height = source.size
        scale = min(1, max(_scales(width, height)))
        source.draft("RGB", (ceil(width * scale), ceil(height * scale)))
        mode = "RGBA" if "A" in source.getbands() or "transparency" in source.info else "RGB"
        source.load()
        return source if source.mode == mode else source.convert(mode), (width, height)


def _scales(width: int, height: int) -> Iterator[float]:
    """How much of the source's resolution the whole picture and each crop needs at its widest."""
    yield WIDTHS[-1] / width
    for shape in SHAPES.values():
        left, _top, right, _bottom = shape.box(width, height, 500, 500)
        yield shape.sizes(width, height)[-1][0] / (right - left)


def _encoded(
    image: Image.Image,
    box: tuple[float, float, float, float] | None,
    sizes: list[tuple[int, int]],
    name: str,
    extensions: tuple[str, ...],
) -> Iterator[tuple[str, bytes]]:
    """Each size in each format, the smaller made from the larger."""
    for size in sorted(sizes, reverse=True):
        image, box = image.resize(size, Image.Resampling.LANCZOS, box=box), None
        for extension in extensions:
            format_ = RENDITION_FORMATS[extension]
            out = io.BytesIO()
            _flat(image, format_).save(out, format=format_, **_SAVE_OPTIONS[format_])
            yield f"{name.format(size[0])}.{extension}", out.getvalue()


def _refuse_by_header(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise UnusablePicture(_too_many_pixels())
    if min(image.size) < 16:
        raise UnusablePicture(_("This picture is smaller than 16 pixels. Use a larger one."))
    # MPO is what telephones call a photograph that brings a preview or a depth map; the first picture is the one.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise UnusablePicture(_("This picture moves. Save one frame of it as a JPEG or PNG."))


def _too_many_pixels() -> str:
    return _("This picture has more than %(millions)d million pixels. Make it smaller and upload it again.") % {
        "millions": MAX_PIXELS // 1_000_000
    }


def _upright_srgb(image: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I;16"):  # 16 bits of grey, as X-rays have: Pillow would cut them off, not scale them
        image = image.point(lambda grey: grey / 256).convert("L")
    profile = image.info.get("icc_profile")
    transparent = "A" in image.getbands() or "transparency" in image.info
    mode = "RGBA" if transparent else "RGB"
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode=mode if image.mode != "CMYK" else "RGB",
            )
        except (ImageCms.PyCMSError, OSError):  # a broken profile: take the numbers as they are
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == mode else image.convert(mode)


def _encode(image: Image.Image, *, lossless: bool) -> CleanPicture:
    image.info.clear()  # whatever Pillow would write along; a copy of the pixels would cost 96 MB of a large picture
    out = io.BytesIO()
    if lossless or image.mode == "RGBA":
        image.save(out, format="PNG", optimize=True)
        extension = "png"
    else:
        image.save(out, format="JPEG", quality=92, subsampling=0)
        extension = "jpg"
    content = out.getvalue()
    return CleanPicture(content, sha256(content).hexdigest(), extension, image.width, image.height)


def _flat(image: Image.Image, format_: str) -> Image.Image:
    if format_ != "JPEG" or image.mode == "RGB":
        return image
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper

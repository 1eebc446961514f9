"""Foreign picture bytes in, our own bytes out: nothing that was uploaded is ever served."""

import io
import warnings
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps

MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 24_000_000
MAX_SIDE = 12_000
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")

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


def renditions(content: bytes) -> dict[str, bytes]:
    """The pictures that pages show: '<width>.<extension>' to bytes, decoded once, never wider than the source."""
    made: dict[str, bytes] = {}
    with Image.open(io.BytesIO(content), formats=FORMATS) as source:
        image = source.convert("RGBA" if "A" in source.getbands() or "transparency" in source.info else "RGB")
    for width in sorted(rendition_widths(image.width), reverse=True):
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
        for extension, format_ in RENDITION_FORMATS.items():
            out = io.BytesIO()
            _flat(image, format_).save(out, format=format_, **_SAVE_OPTIONS[format_])
            made[f"{width}.{extension}"] = out.getvalue()
    return made


def rendition_widths(source_width: int) -> list[int]:
    """The widths in pixels made for a source that wide: the standard ones below it, and its own up to the widest."""
    return sorted({*(width for width in WIDTHS if width < source_width), min(source_width, WIDTHS[-1])})


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
    image = ImageOps.exif_transpose(image)
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
    return image.convert(mode)


def _encode(image: Image.Image, *, lossless: bool) -> CleanPicture:
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    out = io.BytesIO()
    if lossless or image.mode == "RGBA":
        bare.save(out, format="PNG", optimize=True)
        extension = "png"
    else:
        bare.save(out, format="JPEG", quality=92, subsampling=0)
        extension = "jpg"
    content = out.getvalue()
    return CleanPicture(content, sha256(content).hexdigest(), extension, image.width, image.height)


def _flat(image: Image.Image, format_: str) -> Image.Image:
    if format_ != "JPEG" or image.mode == "RGB":
        return image
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper

"""The picture that other sites show of a page that has none: its title, drawn as the site draws itself."""

from __future__ import annotations

import io
import unicodedata
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)  # what sites that show links ask for, in pixels
DESIGN = 1  # raised when the same words are to look otherwise

FONT = Path(__file__).parent / "fonts" / "source-serif-4-600.ttf"
# The colours of static/css/tokens.css by day.
PAPER, INK, TEAL, AMBER, GLOW = "#fbf9f4", "#1b2629", "#0b5450", "#f2b544", "#fff0d2"
MARGIN = 84
LINE = SIZE[0] - 2 * MARGIN
TITLE_TOP, TITLE_BOTTOM = 190, 560
TITLE_SIZES = range(92, 39, -4)
LEADING = 1.16
SMOOTH = 3  # shapes are drawn larger and scaled down: Pillow's own have hard edges
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "So", "Sk"}  # controls, marks without a letter, emoji


def can_draw(words: str) -> bool:
    """Whether the font has every letter of the words. Emoji do not count: a card leaves them out."""
    drawn = _drawable(words)
    return any(character.isalnum() for character in drawn) and all(_has_glyph(character) for character in drawn)


def share_card(title: str = "", site: str = "") -> bytes:
    """A JPEG of SIZE that says the title and the name of the site; without a title only the lamp.

    Words that can_draw() refuses are left out. A title that is too long ends in an ellipsis.
    """
    title, site = (_drawable(words) if can_draw(words) else "" for words in (title, site))
    image = _lit_page(lamp_alone=not title).copy()
    draw = ImageDraw.Draw(image)
    if title:
        draw.text((MARGIN + 84, 110), site, font=_font(44), fill=TEAL, anchor="lm")
        font, lines = _fitted(title)
        height = len(lines) * font.size * LEADING
        y = TITLE_TOP + (TITLE_BOTTOM - TITLE_TOP - height) / 2
        for line in lines:
            draw.text((MARGIN, y + font.size * LEADING / 2), line, font=font, fill=INK, anchor="lm")
            y += font.size * LEADING
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=86, subsampling=0, optimize=True)
    return out.getvalue()


@cache
def _lit_page(*, lamp_alone: bool) -> Image.Image:
    """The page in the light of the lamp, without words."""
    width, height = SIZE
    image = Image.new("RGB", (width * SMOOTH, height * SMOOTH), PAPER)
    draw = ImageDraw.Draw(image)
    if lamp_alone:
        _lamp(draw, width / 2 - 208, height / 2 - 208 - 12, 13)
    else:
        draw.polygon(_scaled([(820, 0), (1050, 0), (1390, height), (480, height)]), fill=GLOW)
        _lamp(draw, MARGIN - 6, 110 - 34, 2.125)
    draw.rectangle(_scaled([(0, height - 18), (width, height)]), fill=TEAL)
    return image.resize(SIZE, Image.Resampling.LANCZOS)


def _lamp(draw: ImageDraw.ImageDraw, left: float, top: float, unit: float) -> None:
    """The site's symbol, static/icons/favicon.svg, at a place; 32 units wide and high."""

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return _scaled([(left + x * unit, top + y * unit) for x, y in points])

    draw.polygon(at((3, 30), (9, 17), (23, 17), (29, 30)), fill=_between(AMBER, PAPER, 0.55))
    draw.polygon(at((11, 3), (21, 3), (26, 16), (6, 16)), fill=TEAL)
    for start, end in (((16, 16), (16, 26)), ((10.5, 29), (21.5, 29))):
        draw.line(at(start, end), fill=TEAL, width=round(2.4 * unit * SMOOTH))
        for x, y in (start, end):
            draw.ellipse(at((x - 1.2, y - 1.2), (x + 1.2, y + 1.2)), fill=TEAL)


def _scaled(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x * SMOOTH, y * SMOOTH) for x, y in points]


def _between(colour: str, ground: str, share: float) -> tuple[int, ...]:
    """A colour laid over another, `share` of it: 0 to 1."""
    pairs = ((int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5))
    return tuple(round(over * share + under * (1 - share)) for over, under in pairs)


def _drawable(words: str) -> str:
    """The words on one line, without what no font of text draws."""
    kept = "".join(
        character if character.isspace() or unicodedata.category(character) not in _UNSEEN else ""
        for character in unicodedata.normalize("NFC", words)
    )
    return " ".join(kept.split())


def _fitted(title: str) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """The largest font in which the title has room, and its lines."""
    for size in TITLE_SIZES:
        font = _font(size)
        room = int((TITLE_BOTTOM - TITLE_TOP) / (size * LEADING))
        lines = _wrapped(title, size)
        if len(lines) <= room:
            return font, lines
    return font, [*lines[: room - 1], f"{lines[room - 1][:-1].rstrip()}…"]


def _wrapped(text: str, size: int) -> list[str]:
    """The text in lines of the card's width; a word that is longer than a line is broken."""

    def width(part: str) -> float:
        return sum(_advance(character, size) for character in part)

    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer) <= LINE:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for character in word:
            if width(line + character) > LINE:
                lines.append(line)
                line = ""
            line += character
    return [*lines, line]


@cache
def _advance(character: str, size: int) -> float:
    """How far a character moves what follows it, in pixels: without kerning, which would only move it less."""
    return _font(size).getlength(character)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # Kerned, but not shaped: the font's scripts need no shaping.
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _has_glyph(character: str) -> bool:
    """Whether the font draws the character as itself, and not as the box that stands for what it lacks."""
    font = _font(32)
    return bytes(font.getmask(character)) != bytes(font.getmask("\U0010fffe"))

"""Recognises the bullet or number that a heading, a list item or a paragraph starts with."""

# ruff: noqa: RUF001 -- dashes are what is looked for here
import re

_BULLET = re.compile(r"(?P<marker>[•◦‣▪●○·\uf0b7✓✔➢]|[-–—*+](?=\s))\s*(?=\S)")
_NUMBER = re.compile(
    r"""(?P<marker>
        \(?(?P<plain>\d{1,3})(?:[.)\]:]|\s[-–—])   # 1.  1)  (1)  1:  1 –
      | \#\s?(?P<hash>\d{1,3})[.):]?               # #1
      | [^\W\d_]{2,12}\s\#?(?P<word>\d{1,3}):      # Cause 1:
    )\s+(?=\S)""",
    re.VERBOSE,
)


def take_marker(text: str) -> tuple[str, int | None, str]:
    """Return the marker that a text starts with, the number it says if it is one, and the text without it."""
    if bullet := _BULLET.match(text):
        return bullet["marker"], None, text[bullet.end() :]
    if numbered := _NUMBER.match(text):
        number = int(numbered["plain"] or numbered["hash"] or numbered["word"])
        return numbered["marker"], number, text[numbered.end() :]
    return "", None, text

"""Recognises the bullet or number that a heading, a list item or a paragraph starts with, in any of our languages."""

# ruff: noqa: RUF001, RUF003 -- bullets, dashes and full-width marks are what is looked for here
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from .blocks import Block

_MARKER_LENGTH = 60
_BULLET = re.compile(
    r"""(?P<marker>
        [•◦‣▪▫●○■□◆◇►▸▶➤➢➔❖★☆✓✔✅☑✗✘❌👉🔹🔸·\uf0a0-\uf0ff]\ufe0f?
      | (?:[-–—―*+»]|--)(?=\s)
      | [a-zA-Z]\)(?=\s)
    )\s*(?=\S)""",
    re.VERBOSE,
)
# What starts with a letter and has no number near is most of any text.
_MAYBE = re.compile(r"[^\w\s]|.\)|.{0,40}?[\d〇一二三四五六七八九十①-⒛❶-➓㈠-㈩]")
_HAN = "[〇一二三四五六七八九十]{1,3}"
# Behind a number stands a space; in Chinese, and in hasty typing, a name may follow at once.
_NAME = r"(?=[\u3400-\u9fff])|(?<=[.)])(?-i:(?=[^\W\d_a-zß-ÿ][^\W\d_]{2}))"
_NUMBER_WORD = r"(?:\#|№|n(?:[ro]|[uú]m|[uú]mero|uméro|ummer|umber)?(?:\.?[º°o]|\.|\b))"
_NUMBERS = tuple(
    re.compile(rf"(?P<marker>{expression})(?=\S)", re.VERBOSE | re.IGNORECASE)
    for expression in (
        # 1.  1)  1.)  1.-  1 :  1/  1.Name
        rf"(?P<number>\d{{1,3}})(?:\s?(?:\.?\)|[.\]])(?:\s?[-–—])?|\s?[:/](?=\s+\D))(?:\s+|{_NAME})",
        # 1 –  1 |
        r"(?P<number>\d{1,3})\s[-–—|]\s+(?=\D)",
        # (1)  [1]  （一）  【1】
        rf"[(（\[【［](?P<number>\d{{1,3}}|{_HAN})[)）\]】］][.:：、]?(?:\s+|(?=\D))",
        # 1、  １．  一、  第一，  其一：
        rf"(?:第|其)?(?P<number>\d{{1,3}}|{_HAN})[、．：]\s*(?=\D)",
        rf"(?P<number>{_HAN})\.\s*(?=\D)",
        rf"(?:第|其)(?P<number>\d{{1,2}}|{_HAN})[种種个個类類点點]?[，,：:、]\s*(?=\D)",
        # #1  # 1.  Nr. 1  N.º 1:  № 1
        r"\#\s?(?P<number>\d{1,3})[.):]?\s+",
        r"(?:№|(?:n\.?[º°]|n[ro]\.))\s?(?P<number>\d{1,3})\s?(?:[.):：]|[-–—](?=\s))?\s+(?=[^\W\d_])",
        # Cause 3:  Ursache Nr. 3 –  Causa N.º 3:  原因三：
        rf"(?P<word>[^\W\d_]{{2,20}})\s(?:{_NUMBER_WORD}\s?)?(?P<number>\d{{1,3}})(?:\s?[:：.)]|\s[-–—])\s+",
        rf"(?P<word>[\u3400-\u9fff]{{1,4}}?)(?P<number>\d{{1,2}}|{_HAN})[：:、．.]\s*(?=\D)",
        # 1º Name  1.ª Name  1er: Name
        r"(?P<number>\d{1,3})(?:\.?[ºª°]|er|ère|re)\)?(?:\.?\s?[-–—:]|\.)?\s+(?-i:(?=[^\W\d_a-zß-ÿ]))",
        r"(?P<number>\d{1,3})(?:e|ème)\s?[-–—:]\s+",
        # 01 Name
        r"(?P<number>0\d)\s+(?-i:(?=[^\W\d_a-zß-ÿ]))",
        # ①  ❶  ⑴  ㈠  1️⃣
        r"(?P<number>[①-⒛❶-❿➀-➓㈠-㈩]|\d(?=\ufe0f?\u20e3))\ufe0f?\u20e3?[.、]?\s*",
    )
)
# "1. Mai", "01 May 2020" and "1. FC Köln" start with an ordinal, not with the number of a list.
_ORDINAL = re.compile(
    r"""(?:januar|jänner|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember
      |fc|fsv|bundesliga|weltkrieg\w*|jahrhundert\w*|lebensjahr\w*|quartal\w*)(?!\w)
      |[^\W\d_]{3,10}\.?,?\s(?:19|20)\d\d(?!\d)""",
    re.VERBOSE | re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+?(?=\s?\W*\d|\s\w+\W*\s?\d|" + _HAN + r"\W*$)")
_DIGITS = {digit: value for value, digit in enumerate("〇一二三四五六七八九")}


def take_marker(text: str) -> tuple[str, int | None, str]:
    """Return the marker that a text starts with, the number it says if it is one, and the text without it."""
    start = text[:_MARKER_LENGTH]
    if not _MAYBE.match(start):
        return "", None, text
    if bullet := _BULLET.match(start):
        return bullet["marker"], None, text[bullet.end() :]
    for pattern in _NUMBERS:
        if (match := pattern.match(start)) and not _ORDINAL.match(start, match.end()):
            return match["marker"].rstrip(), _value(match["number"]), text[match.end() :]
    return "", None, text


def put_back_lone(blocks: Iterable[Block]) -> list[Block]:
    """Give their text back to blocks like "Omega 3: …", whose word is numbered nowhere else in the source."""
    blocks = list(blocks)
    words = [_word(block) for block in blocks]
    numbers: dict[str, set[int | None]] = defaultdict(set)
    for block, word in zip(blocks, words, strict=True):
        numbers[word].add(block.number)
    return [
        _whole(block) if word and len(numbers[word]) == 1 else block for block, word in zip(blocks, words, strict=True)
    ]


def _word(block: Block) -> str:
    if block.number is None or not (block.marker[:1].isalpha() and block.marker[0] not in "第其"):
        return ""
    word = _WORD.match(block.marker)
    return word[0].casefold() if word and word[0] not in _DIGITS else ""


def _whole(block: Block) -> Block:
    text = block.as_written
    moved = len(text) - len(block.text)
    marks = tuple(replace(mark, start=mark.start + moved, end=mark.end + moved) for mark in block.marks)
    return replace(block, text=text, marker="", number=None, marks=marks)


def _value(number: str) -> int:
    if number.isdecimal():
        return int(number)
    tens, ten, ones = number.rpartition("十")
    if ten:
        return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)
    if all(digit in _DIGITS for digit in number):
        return int("".join(str(_DIGITS[digit]) for digit in number))
    return int(unicodedata.numeric(number))

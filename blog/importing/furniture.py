"""Sets aside what belongs to the site that carried an article, and reads its origin line."""

# ruff: noqa: RUF001 -- dashes, quotes and wide marks are what is looked for here
import re
from itertools import accumulate

from .blocks import Block, Kind
from .language import Words
from .ledger import Ledger
from .result import Origin, Reason, Role

# Furniture stands alone on a short line; a sentence of an article is seldom both.
_LINE_LENGTH = 120
_ORIGIN_LENGTH = 400
# A title with a full stop is rare, and a paragraph this long is no line above a title.
_TITLE_LENGTH = 120
# An origin line ends the article if hardly anything follows it.
_TAIL_SHARE = 0.2
_NAME_LENGTH = 80
_URL = re.compile(r"https?://[^\s<>\"')\]]+")

_KINDS = (
    ("furniture.promotion", Reason.PROMOTION),
    ("furniture.sharing", Reason.SHARING),
    ("furniture.subscription", Reason.SUBSCRIPTION),
    ("furniture.navigation", Reason.NAVIGATION),
)


def key(text: str) -> str:
    """Return the words of a line alone, to compare lines that differ in case and marks."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def set_aside(ledger: Ledger, words: Words) -> tuple[list[Block], Origin | None]:
    """Leave out furniture and take the origin; return the content and the origin."""
    origin, origin_lines = _find_origin(ledger.blocks, words)
    end = _end_of_article(ledger.blocks, origin_lines)
    content: list[Block] = []
    for index, block in enumerate(ledger.blocks):
        if index in origin_lines:
            if index == origin_lines[0]:
                ledger.take([block], Role.ORIGIN)
            else:
                ledger.leave(block, Reason.ORIGIN_AGAIN)
        elif reason := _reason(block, words):
            ledger.leave(block, reason)
        elif index > end and block.kind == Kind.HEADING and block.number is None:
            ledger.leave(block, Reason.AFTER_END)
        else:
            content.append(block)
    return content, origin


def take_title(content: list[Block], origin: Origin | None, ledger: Ledger, words: Words) -> tuple[str, list[Block]]:
    """Take the title; return it and the content below it, without its repetitions."""
    at = _title_index(content, origin.title if origin else "")
    if at is None:
        return "", content
    title = content[at].text
    ledger.take([content[at]], Role.TITLE)
    for block in content[:at]:
        is_byline = words.fills("furniture.byline", block.text)
        ledger.leave(block, Reason.BYLINE if is_byline else Reason.BEFORE_TITLE)
    rest: list[Block] = []
    for block in content[at + 1 :]:
        if block.number is None and block.kind != Kind.ITEM and key(block.text) == key(title):
            # Origin may come first in the source, so the page's own title is a repetition too.
            ledger.leave(block, Reason.REPEATED_TITLE)
        elif not rest and words.fills("furniture.byline", block.text.rstrip(".")):
            ledger.leave(block, Reason.BYLINE)
        else:
            rest.append(block)
    return title, rest


def _reason(block: Block, words: Words) -> Reason | None:
    if not any(map(str.isalnum, block.text)):
        return Reason.MARK
    if block.kind == Kind.ITEM or block.number is not None or len(block.text) > _LINE_LENGTH:
        return None
    line = block.text.rstrip(".!:… ")
    return next((reason for name, reason in _KINDS if words.fills(name, line)), None)


def _find_origin(blocks: list[Block], words: Words) -> tuple[Origin | None, list[int]]:
    """Return the origin and the lines that name it, the one it is taken from first."""
    found: list[tuple[int, Origin]] = []
    for index, block in enumerate(blocks):
        if block.kind == Kind.ITEM or block.number is not None or len(block.text) > _ORIGIN_LENGTH:
            continue
        if said := words.groups("origin.lines", block.text.strip()):
            origin = _origin(said, block.text, words)
            if origin.name and len(origin.name) <= _NAME_LENGTH:
                found.append((index, origin))
    if not found:
        return None, []
    # The line with the title was written by the first publisher, others by those who copied it.
    found.sort(key=lambda pair: (not pair[1].title, pair[0]))
    first = found[0][1]
    url = first.url or next((other.url for _, other in found if other.url), "")
    return Origin(first.name, url, first.title), [index for index, _ in found]


def _origin(said: dict[str, str], line: str, words: Words) -> Origin:
    url = _URL.search(line)
    address = url[0].rstrip(".,;:") if url else ""
    name = words.before("origin.name_end", said["name"]) or address
    return Origin(name.strip(" .–—-"), address, (said.get("title") or "").strip(" “”\"'"))


def _end_of_article(blocks: list[Block], origin_lines: list[int]) -> int:
    """Return the index after which lines that are no sentences belong to the site."""
    lengths = list(accumulate(len(block.text) for block in blocks))
    ends = [i for i in sorted(origin_lines) if lengths[i] >= (1 - _TAIL_SHARE) * lengths[-1]]
    return ends[0] if ends else len(blocks)


def _title_index(content: list[Block], known_title: str) -> int | None:
    candidates: list[int] = []
    for index, block in enumerate(content):
        if block.number is not None or block.kind == Kind.ITEM:
            break
        if block.kind == Kind.PARAGRAPH and not _could_be_title(block):
            if len(block.text) > _LINE_LENGTH or not candidates:
                break
            continue
        candidates.append(index)
    keys = [key(block.text) for block in content if block.number is None]
    tests = (
        lambda block: key(block.text) == key(known_title),
        lambda block: block.level == 1,
        lambda block: keys.count(key(block.text)) > 1,
        lambda block: True,
    )
    return next((i for test in tests for i in candidates if test(content[i])), None)


def _could_be_title(block: Block) -> bool:
    return len(block.text) <= _TITLE_LENGTH and block.text[-1] not in ".:;,…"

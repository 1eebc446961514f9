"""Sets aside what belongs to the site that carried an article, and takes its title, byline, tags and origin."""

# ruff: noqa: RUF001 -- dashes, quotes and wide marks are what is looked for here
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate, groupby

from django.utils.translation import gettext as _

from .blocks import Block, Kind, Style, Zone
from .facts import date_in, names_in, origin_of
from .ledger import Ledger
from .parts import OF_THE_WHOLE, About, about, is_label, key, title_verdict, word_count
from .result import Origin, Reason, Role, Sure

# Furniture stands alone on a short line; a sentence of an article is seldom both.
_LINE_LENGTH = 120
_ORIGIN_LENGTH = 400
_DISCLAIMER_LENGTH = 900
# A title with a full stop is rare, and a paragraph this long is no line above a title.
_TITLE_LENGTH = 160
# An origin line ends the article if hardly anything follows it; comments and related posts if it is half over.
_TAIL_SHARE = 0.2
_ENDS_SHARE = 0.5
# Zones are believed unless they leave so little of the text, and so few characters.
_MAIN_SHARE = 0.2
_MAIN_LENGTH = 400
_MENU_LENGTH, _MENU_MIN, _LINKED_SHARE = 70, 3, 0.8
_BYLINES_WITHIN = 6
_TITLE_WORDS = 5  # no name of a site has so many
_BIO_LENGTH = 700
_SENTENCE_ENDS = ".!?。！？…:"

_ZONES = {
    Zone.HEADER: Reason.NAVIGATION,
    Zone.NAVIGATION: Reason.NAVIGATION,
    Zone.ASIDE: Reason.ASIDE,
    Zone.RELATED: Reason.RELATED,
    Zone.SHARING: Reason.SHARING,
    Zone.FORM: Reason.SUBSCRIPTION,
    Zone.ADVERTISEMENT: Reason.PROMOTION,
    Zone.COMMENTS: Reason.COMMENTS,
    Zone.NOTICE: Reason.NOTICE,
    Zone.FOOTER: Reason.NAVIGATION,
}
_LINES = (
    ("furniture.promotion", Reason.PROMOTION),
    ("furniture.sharing", Reason.SHARING),
    ("furniture.subscription", Reason.SUBSCRIPTION),
    ("furniture.comments", Reason.COMMENTS),
    ("furniture.related", Reason.RELATED),
    ("furniture.notice", Reason.NOTICE),
    ("furniture.navigation", Reason.NAVIGATION),
    ("furniture.reviewer", Reason.REVIEWER),
)


def set_aside(ledger: Ledger) -> tuple[list[int], Origin | None]:
    """Leave out furniture and take the origin; return the places of the content, and the origin."""
    blocks = ledger.blocks
    zones = _zones(ledger)
    origin, origin_lines = _take_origins(ledger)
    end = _end_of_article(blocks, origin_lines)
    lengths = list(accumulate(len(block.text) for block in blocks))
    tail: Reason | None = None
    content: list[int] = []
    for at, block in enumerate(blocks):
        if ledger.is_decided(at):
            continue
        reason = _ZONES.get(zones[at]) if zones[at] else _reason(ledger, at)
        if tail and not reason and _is_of_article(ledger, at, tail):
            tail = None
        if reason or tail:
            ledger.leave(at, reason or tail or Reason.NAVIGATION, sure=Sure.SURE if reason else Sure.LIKELY)
        elif at > end and block.kind == Kind.HEADING and block.number is None and not _heads_bio(ledger, at):
            ledger.leave(at, Reason.AFTER_END)
        else:
            content.append(at)
        is_late = reason == Reason.COMMENTS and lengths[at] >= _ENDS_SHARE * lengths[-1]
        if not zones[at] and (is_late or (reason == Reason.RELATED and _heads_related(ledger, at))):
            tail = reason
    return _without_menus(ledger, _without_bios(ledger, content)), origin


def _zones(ledger: Ledger) -> list[Zone]:
    """Return the zone of each block, main text where a zone cannot be believed."""
    blocks = ledger.blocks
    zones = [block.zone for block in blocks]
    lengths: Counter[Zone] = Counter()
    for block in blocks:
        lengths[block.zone] += len(block.text)
    main, most = lengths[Zone.MAIN], max(lengths, key=lambda zone: lengths[zone], default=Zone.MAIN)
    if most and main < _MAIN_SHARE * lengths.total() and lengths[most] >= _MAIN_LENGTH:
        ledger.remark(-1, _("Most of the page claims to be no part of the article; that was not believed."))
        zones = [Zone.MAIN if zone == most else zone for zone in zones]
    place = 0
    for zone, group in groupby(blocks, key=lambda block: block.zone):
        run = list(group)
        if zone in (Zone.ASIDE, Zone.FOOTER, Zone.NAVIGATION, Zone.NOTICE) and _is_told_beside(ledger, run):
            zones[place : place + len(run)] = [Zone.MAIN] * len(run)
        place += len(run)
    return zones


def _is_told_beside(ledger: Ledger, run: Sequence[Block]) -> bool:
    """Tell whether a box beside the article holds warning signs, references or the like, and no links elsewhere."""
    first = run[0]
    if first.kind == Kind.PICTURE or len(first.text) > _LINE_LENGTH or len(run) < 2:
        return False
    subject = about(first.text, ledger.words)
    if subject == About.REFERENCES:
        return True
    text = sum(len(block.text) for block in run)
    return subject in (About.SIGNS, About.TIPS, About.CONCLUSION) and sum(b.linked for b in run) < text / 2


def _reason(ledger: Ledger, at: int) -> Reason | None:
    """Return why a line of the main text is left out, judged by itself."""
    block, words = ledger.blocks[at], ledger.words
    if block.kind == Kind.PICTURE:
        return None
    if not any(map(str.isalnum, block.text)):
        return Reason.MARK
    if block.kind != Kind.ITEM and len(block.text) <= _DISCLAIMER_LENGTH and _is_disclaimer(ledger, at):
        return Reason.DISCLAIMER
    if block.number is not None or len(block.text) > _LINE_LENGTH:
        return None
    line = block.text.rstrip(".!:… 。！：")
    if block.kind == Kind.ITEM and not _is_linked(block):
        return Reason.SHARING if words.fills("furniture.sharing", line) else None
    if words.opens("furniture.related_lead", line) and (_is_linked(block, 0.5) or block.text[-1] not in "。.:"):
        return Reason.RELATED
    return next((reason for name, reason in _LINES if words.fills(name, line)), None)


def _is_disclaimer(ledger: Ledger, at: int) -> bool:
    text = ledger.text(at)
    return ledger.words.within("furniture.disclaimer", text) and about(text[:_LINE_LENGTH], ledger.words) != About.SIGNS


def _is_linked(block: Block, share: float = _LINKED_SHARE) -> bool:
    return block.linked >= share * len(block.text) > 0


def _heads_related(ledger: Ledger, at: int) -> bool:
    """Tell whether a line stands above other articles, and does not name one itself."""
    return ledger.words.fills("furniture.related", ledger.text(at).rstrip(".!:… 。！："))


def _is_of_article(ledger: Ledger, at: int, tail: Reason) -> bool:
    """Tell whether a block below the comments, or between related posts, goes on with the article."""
    block = ledger.blocks[at]
    subject = about(ledger.text(at), ledger.words) if len(block.text) <= _LINE_LENGTH else About.OTHER
    if block.kind == Kind.HEADING and (subject in OF_THE_WHOLE or block.number is not None):
        return True
    if tail == Reason.COMMENTS:
        return False
    if block.kind == Kind.HEADING:
        # A heading goes on with the article if its text does.
        below = ledger.blocks[at + 1] if at + 1 < len(ledger.blocks) else None
        if block.linked or below is None or below.kind == Kind.HEADING or _reason(ledger, at + 1):
            return False
        block = below
    return (len(block.text) > _LINE_LENGTH or block.text[-1:] in _SENTENCE_ENDS) and not _is_linked(block)


# --- Runs of links, and who wrote it ---


def _without_menus(ledger: Ledger, content: list[int]) -> list[int]:
    """Leave out runs of short lines that are nothing but links: menus, contents, other articles."""
    blocks, kept = ledger.blocks, []
    above: int | None = None
    for is_menu, group in groupby(content, key=lambda at: _is_menu_line(blocks[at])):
        run = list(group)
        refers = above is not None and about(ledger.text(above), ledger.words) == About.REFERENCES
        if not is_menu or len(run) < _MENU_MIN or refers:
            kept += run
        else:
            links = [mark.href for at in run for mark in blocks[at].marks if mark.style == Style.LINK]
            inner = all(link.startswith("#") for link in links)
            for at in run:
                ledger.leave(at, Reason.CONTENTS if inner else Reason.RELATED, sure=Sure.LIKELY)
        above = run[-1]
    return kept


def _is_menu_line(block: Block) -> bool:
    return block.kind in (Kind.ITEM, Kind.PARAGRAPH) and len(block.text) <= _MENU_LENGTH and _is_linked(block)


def _heads_bio(ledger: Ledger, at: int) -> bool:
    line = ledger.text(at).rstrip(" :.：")
    return len(line) <= _LINE_LENGTH and ledger.words.fills("furniture.about_author", line)


def _without_bios(ledger: Ledger, content: list[int]) -> list[int]:
    """Leave out what is told about the author, under a heading or at the end."""
    blocks, words, kept = ledger.blocks, ledger.words, []
    is_bio = False
    for place, at in enumerate(content):
        block = blocks[at]
        if _heads_bio(ledger, at):
            is_bio = True
        elif block.kind == Kind.HEADING or len(block.text) > _BIO_LENGTH:
            is_bio = False
        near_end = place >= 0.6 * len(content)
        named = any(name and name.split()[0] in block.text[:60] for name in ledger.meta.authors)
        named = named and near_end and len(block.text) <= _BIO_LENGTH
        if is_bio or (named and words.within("furniture.bio", block.text)):
            ledger.leave(at, Reason.ABOUT_AUTHOR, sure=Sure.LIKELY)
        else:
            kept.append(at)
    return kept


# --- The origin ---


def _take_origins(ledger: Ledger) -> tuple[Origin | None, list[int]]:
    """Take the line that says who published the article first; leave out others that do."""
    found: list[tuple[int, Origin]] = []
    for at, block in enumerate(ledger.blocks):
        is_line = block.kind != Kind.ITEM and block.number is None and len(block.text) <= _ORIGIN_LENGTH
        if is_line and block.zone not in (Zone.COMMENTS, Zone.RELATED) and (origin := origin_of(block, ledger.words)):
            found.append((at, origin))
    if not found:
        return None, []
    # The line with the title was written by the first publisher, others by those who copied it.
    found.sort(key=lambda pair: (not pair[1].title, pair[0]))
    first, *others = [at for at, _origin in found]
    ledger.take(first, Role.ORIGIN)
    for at in others:
        ledger.leave(at, Reason.ORIGIN_AGAIN)
    return found[0][1], [first, *others]


def _end_of_article(blocks: Sequence[Block], origin_lines: list[int]) -> int:
    """Return the place after which lines that are no sentences belong to the site."""
    lengths = list(accumulate(len(block.text) for block in blocks))
    ends = [at for at in sorted(origin_lines) if lengths[at] >= (1 - _TAIL_SHARE) * lengths[-1]]
    return ends[0] if ends else len(blocks)


# --- The title and what stands around it ---


def take_title(ledger: Ledger, content: list[int], origin: Origin | None) -> tuple[str, list[int]]:
    """Take the title; return it and the content below it, without its repetitions and its byline."""
    blocks = ledger.blocks
    at = _title_at(ledger, content, origin.title if origin else "")
    if at is None:
        return ledger.meta.title, _without_bylines(ledger, content)
    title = blocks[at].as_written if blocks[at].number is not None else blocks[at].text
    ledger.take(at, Role.TITLE)
    kept: list[int] = []
    for other in content:
        block = blocks[other]
        if other == at:
            continue
        if other < at and block.kind != Kind.PICTURE:
            _leave_before_title(ledger, other)
        elif block.number is None and block.kind != Kind.ITEM and key(block.text) == key(title) and key(title):
            # An origin may come first in the source, so the page's own title is a repetition too.
            ledger.leave(other, Reason.REPEATED_TITLE)
        else:
            kept.append(other)
    return title, _without_bylines(ledger, kept)


def _leave_before_title(ledger: Ledger, at: int) -> None:
    if not _take_byline(ledger, at):
        ledger.leave(at, Reason.BEFORE_TITLE)


def _without_bylines(ledger: Ledger, content: list[int]) -> list[int]:
    """Take who wrote the article and when, from the lines below the title and at the end, and its tags."""
    near = {*content[:_BYLINES_WITHIN], *content[-_BYLINES_WITHIN:]}
    kept: list[int] = []
    for at in content:
        block = ledger.blocks[at]
        is_line = block.kind not in (Kind.ITEM, Kind.PICTURE) and len(block.text) <= _LINE_LENGTH
        if at not in near or not is_line or not _take_byline(ledger, at):
            kept.append(at)
    return kept


def _take_byline(ledger: Ledger, at: int) -> bool:
    text, words = ledger.text(at), ledger.words
    line = text.rstrip(". ")
    if words.opens("byline.tags", text):
        ledger.take(at, Role.TAGS)
    elif names_in(line, words):
        ledger.take(at, Role.AUTHOR)
    elif not words.fills("furniture.byline", line):
        return False
    elif date_in(text, words):
        ledger.take(at, Role.DATE)
    else:
        ledger.leave(at, Reason.BYLINE)
    return True


def _title_at(ledger: Ledger, content: list[int], known_title: str) -> int | None:
    """Return the place of the title, None if the text does not say it."""
    blocks = ledger.blocks
    candidates = _title_candidates(ledger, content)
    said = key(ledger.meta.title)
    keys = Counter(key(blocks[at].text) for at in content if blocks[at].number is None)
    tests: list[Callable[[int], bool]] = [
        lambda at: bool(known_title) and key(blocks[at].text) == key(known_title),
        lambda at: bool(said) and key(blocks[at].as_written) == said,
        lambda at: blocks[at].level == 1 and _is_like(key(blocks[at].as_written), said),
        lambda at: bool(said) and _is_like(key(blocks[at].as_written), said),
        lambda at: blocks[at].level == 1,
    ]
    if not said:
        tests += [lambda at: keys[key(blocks[at].text)] > 1, _announces(ledger, content, candidates), lambda at: True]
    return next((at for test in tests for at in candidates if test(at)), None)


def _announces(ledger: Ledger, content: list[int], candidates: list[int]) -> Callable[[int], bool]:
    """Tell the title from the menu and the name of the site above it: it says what the text is about, or who wrote it.

    Only lines above the first sentence are asked, and a short one that is alone there is the title all the same.
    """
    blocks, words = ledger.blocks, ledger.words
    places = {at: place for place, at in enumerate(content)}
    sentences = (at for at in content if blocks[at].kind == Kind.PARAGRAPH and blocks[at].text[-1:] in _SENTENCE_ENDS)
    end = next(sentences, len(blocks))

    def says(at: int) -> bool:
        if at > end:
            return False
        place = places[at] + 1
        below = content[place] if place < len(content) else at
        is_signed = below != at and below < end and _is_byline(ledger, below)
        return is_signed or title_verdict(ledger.text(at), words) != 0 or word_count(blocks[at].text) >= _TITLE_WORDS

    return says if sum(at < end for at in candidates) > 1 else lambda at: False


def _is_byline(ledger: Ledger, at: int) -> bool:
    line = ledger.text(at).rstrip(". ")
    return len(line) <= _LINE_LENGTH and ledger.words.fills("furniture.byline", line)


def _is_like(text: str, said: str) -> bool:
    """Tell whether two titles say much the same: most of the words of the shorter one are in the other."""
    if not said:
        return True
    one, other = set(text.split()), set(said.split())
    if not one & other:
        return False
    return len(one & other) >= 0.6 * max(min(len(one), len(other)), 0.5 * max(len(one), len(other)))


def _title_candidates(ledger: Ledger, content: list[int]) -> list[int]:
    """Return the lines that could be the title: those above the first text, and any heading of the first level."""
    blocks = ledger.blocks
    found: list[int] = []
    is_above = True
    for at in content:
        block = blocks[at]
        if block.level == 1 and len(block.text) <= 2 * _TITLE_LENGTH:
            found.append(at)
        elif not is_above or block.kind == Kind.PICTURE:
            continue
        elif block.number is not None or block.kind == Kind.ITEM:
            is_above = block.number is None and not found
        elif block.kind == Kind.PARAGRAPH and not _could_be_title(block):
            is_above = len(block.text) <= _LINE_LENGTH and bool(found) and not is_label(block, ledger.words)
        elif block.number is None and (block.kind != Kind.PARAGRAPH or _could_be_title(block)):
            found.append(at)
    return found


def _could_be_title(block: Block) -> bool:
    return len(block.text) <= _TITLE_LENGTH and block.text[-1:] not in ".:;,…。：；，"


# --- Contents and captions ---


def leave_strays(ledger: Ledger, content: list[int], title: str) -> list[int]:
    """Leave out captions of lost pictures and tables of contents; return the rest.

    In plain text a caption is a line like a heading, but no text of its own follows, or it only
    says again what stands next to it.
    """
    blocks = ledger.blocks
    last_with_text = {
        key(blocks[at].text): place
        for place, at in enumerate(content)
        if blocks[at].kind == Kind.HEADING and _has_text(ledger, content, place)
    }
    kept: list[int] = []
    above: Block | None = None
    in_contents = False
    for place, at in enumerate(content):
        block = blocks[at]
        empty = not _has_text(ledger, content, place)
        listed = block.kind != Kind.PICTURE and last_with_text.get(key(block.text), -1) > place
        in_contents = listed and (empty or in_contents or block.kind == Kind.ITEM)
        if in_contents and (block.kind != Kind.PARAGRAPH or _is_linked(block)):
            ledger.leave(at, Reason.CONTENTS)
            continue
        below = blocks[content[place + 1]] if place + 1 < len(content) else None
        if _is_caption(ledger, at, above, below if empty else None, title):
            ledger.leave(at, Reason.CAPTION)
            continue
        if block.number is not None:
            above = block
        elif block.kind == Kind.HEADING:
            above = None
        kept.append(at)
    return kept


def _has_text(ledger: Ledger, content: list[int], place: int) -> bool:
    if place + 1 == len(content):
        return False
    block, below = ledger.blocks[content[place]], ledger.blocks[content[place + 1]]
    return below.kind != Kind.HEADING or is_label(block, ledger.words) or is_label(below, ledger.words)


def _is_caption(ledger: Ledger, at: int, above: Block | None, below: Block | None, title: str) -> bool:
    """Tell whether a line repeats its numbered neighbour or the title, or cuts a list in two."""
    block, words = ledger.blocks[at], ledger.words
    is_line = block.kind == Kind.HEADING and block.number is None and block.level == 0 and not block.is_bold
    if not is_line or about(ledger.text(at), words) != About.OTHER or is_label(block, words):
        return False
    said = set(key(block.text).split())
    if above is not None and said <= set(key(above.text).split()):
        return True
    if below is None:
        return False
    if said <= set(key(title).split()):
        return True
    if below.number is None:
        return False
    goes_on = above is not None and below.number == (above.number or 0) + 1
    return goes_on or said <= set(key(below.text).split())

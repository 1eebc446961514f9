"""Every block of a source is in the structure, or in the report with the reason it is not."""

# ruff: noqa: RUF001 -- the cross of a closed window is furniture

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, Mark, PictureRef, SourceArticle, Style, Zone
from blog.importing.pieces import LEAVE, Corrections
from blog.importing.readers.text import text_blocks
from blog.importing.result import ArticleKind, Piece, Reason, Role, Structure, Understood, Urgency
from blog.importing.structure import assemble, understand

pytestmark = pytest.mark.once

# Each line carries one word that no other line has, to be looked for in the structure.
LINES = [
    "{n} Common Causes of {word} Pain",
    "Facts and Myths about {word}",
    "{n}. {word} Disease",
    "{n}. {word}",
    "{n}. Sit straight: {word} helps.",
    "{n}. Peel the {word}.",
    "Cause {n}: {word} strain",
    "{word} hurts the nerve, and the pain is chronic.",
    "Treatment: rest and {word}.",
    "A disease of the nerve. Treatment: {word} and pain relief.",
    "Symptoms: pain and {word}.",
    "Treatment for {word}",
    "{word}",
    "How to Prevent {word}",
    "When to see a doctor about {word}",
    "Call 112 at once if {word} and you have:",
    "See your doctor if {word} and you have:",
    "• {word} with fever",
    "- {word}: more of it",
    "Conclusion: {word}",
    "In conclusion, {word} passes.",
    "Less common causes of {word}",
    "By {word}",
    "Price: {word}",
    "Buy {word} now >>",
    "Share this {word}",
    "Subscribe to {word}",
    "Originally published on {word}.",
    "The post {word} appeared first on Example.",
    "×",
    "Treatment",
    "Symptoms",
    "Conclusion",
    "How to prevent it",
    "When to see a doctor",
    "Common causes",
]


ARTICLE = [
    "3 Causes of Back Pain",
    "It hurts.",
    "1. First disease",
    "A chronic pain of the nerve.",
    "Treatment: rest.",
    "2. Second disease",
    "A chronic pain of the bone.",
    "Treatment: heat.",
    "3. Third disease",
    "A chronic pain of the joint.",
    "Treatment: sleep.",
    "How to Prevent Back Pain",
    "1. Sit well: it helps.",
    "2. Walk: it helps.",
    "When to see a doctor",
    "See a doctor if you have:",
    "• Fever",
    "• Chest pain",
    "These are serious.",
    "Conclusion",
    "Most of it passes.",
    "The post 3 Causes of Back Pain appeared first on Example.",
]


@st.composite
def disturbed_articles(draw: st.DrawFn) -> list[Block]:
    """A well-made article with lines strewn into it."""
    lines = list(ARTICLE)
    for index in range(draw(st.integers(1, 5))):
        line = draw(st.sampled_from(LINES)).format(n=draw(st.integers(1, 4)), word=f"Wort{index}x")
        lines.insert(draw(st.integers(0, len(lines))), line)
    return text_blocks("\n\n".join(lines).encode())


@st.composite
def sources(draw: st.DrawFn) -> list[Block]:
    """An article of any lines in any order, its numbers mostly rising."""
    chosen = draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=30))
    number = 0
    lines = []
    for index, line in enumerate(chosen):
        number = draw(st.sampled_from([number + 1, number + 1, number + 1, 1, number]))
        lines.append(line.format(n=max(number, 1), word=f"Wort{index}x"))
    gap = draw(st.sampled_from(["\n\n", "\n"]))
    return text_blocks(gap.join(lines).encode())


def article(blocks: list[Block]) -> SourceArticle:
    return SourceArticle("an article", "text", "an article", "", tuple(blocks))


def text_of(understood: Understood, piece: Piece) -> str:
    return understood.article.blocks[piece.block].text[piece.start : piece.end]


def marked_word(text: str) -> str:
    return next((word.strip(".,:") for word in text.split() if word.startswith("Wort")), "")


def words_of(structure: Structure) -> str:
    """All that is in the structure, without the markup, which may start and end in the middle of a word."""
    return re.sub(r"<[^<>]*>", "", repr(structure))


def check_pieces(understood: Understood) -> None:
    """The pieces cover every block, in order, without a gap, and each is either taken or left out."""
    covered: dict[int, int] = {}
    for piece in understood.pieces:
        assert piece.start == covered.get(piece.block, 0)
        assert piece.end > piece.start or not understood.article.blocks[piece.block].text
        assert bool(piece.role) != bool(piece.reason)
        assert (piece.urgency is not None) == (piece.role == Role.SIGN)
        covered[piece.block] = piece.end
    assert list(covered.items()) == [(at, len(block.text)) for at, block in enumerate(understood.article.blocks)]


@settings(max_examples=70, deadline=None)
@given(sources() | disturbed_articles())
def test_every_word_is_taken_once_or_left_out(blocks: list[Block]) -> None:
    understood = understand(article(blocks), language="en")
    check_pieces(understood)
    written = words_of(understood.structure)
    for piece in understood.pieces:
        word = marked_word(text_of(understood, piece))
        if word and piece.role:
            assert word in written, piece
        elif word and piece.reason not in (Reason.REPEATED_TITLE, Reason.ORIGIN_AGAIN, Reason.CAPTION):
            assert word not in written, piece


@settings(max_examples=60, deadline=None)
@given(sources() | disturbed_articles())
def test_an_article_has_entries_if_and_only_if_it_is_about_conditions(blocks: list[Block]) -> None:
    understood = understand(article(blocks), language="en")
    structure = understood.structure
    assert bool(structure.entries) == (structure.kind == ArticleKind.CONDITIONS)
    assert structure.entries or not structure.tips
    assert str(understood)


letters = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="<>&"), max_size=6)


@st.composite
def blocks_of_any_kind(draw: st.DrawFn) -> Block:
    """A block as no reader makes it, with a word that no other has where it is put into a list."""
    text = " ".join([*draw(st.lists(letters | st.sampled_from(["Treatment:", "Treatment", "a. B", "x: y"]))), "Wort"])
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    marks = (Mark(start, end, draw(st.sampled_from(Style)), "https://example.org/"),) if end > start else ()
    kind = draw(st.sampled_from(Kind))
    return Block(
        kind,
        text,
        draw(st.integers(1, 99)),
        marker=draw(st.sampled_from(["", "•", "1.", "Cause 3:"])),
        number=draw(st.none() | st.integers(0, 5)),
        level=draw(st.integers(0, 3)),
        depth=draw(st.integers(0, 2)),
        marks=marks,
        zone=draw(st.sampled_from([Zone.MAIN, Zone.MAIN, Zone.MAIN, *Zone])),
        picture=PictureRef("a.png", caption=text) if kind == Kind.PICTURE else None,
    )


def numbered_words(blocks: list[Block]) -> list[Block]:
    """The same blocks, the word of each its own."""
    found = []
    for at, block in enumerate(blocks):
        text = block.text.replace("Wort", f"Wort{at}x")
        picture = PictureRef(f"{at}.png", caption=text) if block.picture else None
        found.append(
            Block(**{name: getattr(block, name) for name in Block.__slots__} | {"text": text, "picture": picture})
        )
    return found


@settings(max_examples=70, deadline=None)
@given(st.lists(blocks_of_any_kind(), max_size=15).map(numbered_words))
def test_blocks_of_any_reader_are_all_accounted_for(blocks: list[Block]) -> None:
    understood = understand(article(blocks), language="en")
    check_pieces(understood)
    written = words_of(understood.structure)
    for piece in understood.pieces:
        if piece.role:
            assert marked_word(text_of(understood, piece)) in written


anything = st.recursive(
    st.none() | st.integers(-3, 30) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)


@st.composite
def corrections(draw: st.DrawFn) -> Corrections:
    """What an editor could say, and what they could not."""
    keys = st.builds("{}.{}".format, st.integers(0, 12), st.sampled_from([0, 0, 0, 3, 7]))
    said = st.fixed_dictionaries(
        {"role": st.sampled_from([*Role.values, LEAVE]), "urgency": st.sampled_from(["", *Urgency.values])}
    )
    cuts: dict[str, Any] = draw(st.dictionaries(st.integers(0, 12).map(str), st.lists(st.integers(-2, 40)) | anything))
    roles: dict[str, Any] = draw(st.dictionaries(keys, said | anything, max_size=12))
    found: Corrections = json.loads(json.dumps({"cuts": cuts, "roles": roles}))
    return found


@settings(max_examples=80, deadline=None)
@given(
    sources() | disturbed_articles() | st.lists(blocks_of_any_kind(), max_size=12).map(numbered_words), corrections()
)
def test_whatever_an_editor_says_nothing_is_lost(blocks: list[Block], said: Corrections) -> None:
    understood = understand(article(blocks), language="en", corrections=said)
    check_pieces(understood)
    assert understood.structure == assemble(understood.article, understood.pieces, "en")
    written = words_of(understood.structure)
    for piece in understood.pieces:
        if piece.role not in (None, Role.DATE, Role.TITLE):
            assert marked_word(text_of(understood, piece)) in written, piece
    assert str(understood)


def test_no_blocks_give_an_empty_plain_article() -> None:
    understood = understand(article([]), language="en")
    assert understood.structure == Structure(ArticleKind.PLAIN)
    assert understood.pieces == ()

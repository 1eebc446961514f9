"""Every block of a source is in the structure, or in the report with the reason it is not."""

# ruff: noqa: RUF001 -- the cross of a closed window is furniture

from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind
from blog.importing.result import ArticleKind, Reason, Structure
from blog.importing.structure import find_structure
from blog.importing.readers.text import text_blocks

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


def words_of(structure: Structure) -> str:
    captions = len(astuple(structure)) - 1
    parts = [part for index, part in enumerate(astuple(structure)) if index != captions]
    return repr(parts)


@settings(max_examples=150, deadline=None)
@given(sources() | disturbed_articles())
def test_every_word_is_taken_once_or_left_out(blocks: list[Block]) -> None:
    structure, report = find_structure(blocks)
    assert [(o.block.line, o.block.as_written) for o in report.outcomes] == [(b.line, b.as_written) for b in blocks]
    assert all(bool(outcome.role) != bool(outcome.reason) for outcome in report.outcomes)
    written = words_of(structure)
    for outcome in report.outcomes:
        word = next((w.strip(".,:") for w in outcome.block.text.split() if w.startswith("Wort")), None)
        if word is None:
            continue
        if outcome.role:
            assert written.count(word) >= 1, outcome
        elif outcome.reason not in (Reason.REPEATED_TITLE, Reason.ORIGIN_AGAIN):
            assert word not in written, outcome


@settings(max_examples=100, deadline=None)
@given(sources() | disturbed_articles())
def test_an_article_has_entries_if_and_only_if_it_is_about_conditions(blocks: list[Block]) -> None:
    structure, report = find_structure(blocks)
    assert bool(structure.entries) == (structure.kind == ArticleKind.CONDITIONS)
    assert structure.entries or not structure.tips
    assert str(report)


blocks_of_any_kind = st.builds(
    Block,
    kind=st.sampled_from(Kind),
    text=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40),
    line=st.integers(1, 99),
    number=st.none() | st.integers(0, 5),
    level=st.integers(0, 3),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(blocks_of_any_kind, max_size=15))
def test_blocks_of_any_reader_are_all_accounted_for(blocks: list[Block]) -> None:
    _, report = find_structure(blocks)
    assert len(report.taken) + len(report.left_out) == len(blocks)


def test_no_blocks_give_an_empty_plain_article() -> None:
    structure, report = find_structure([])
    assert structure == Structure(ArticleKind.PLAIN)
    assert report.outcomes == ()

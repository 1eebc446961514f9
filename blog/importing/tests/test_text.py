"""Plain text is read into blocks, whatever its encoding and layout."""

# ruff: noqa: RUF001 -- bullets, dashes and quotes are what is read here

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, UnreadableSource
from blog.importing.readers.text import MAX_BLOCKS, MAX_BYTES, text_blocks

pytestmark = pytest.mark.once


def texts(data: bytes) -> list[str]:
    return [block.text for block in text_blocks(data)]


def only(line: str) -> Block:
    (block,) = text_blocks(line.encode())
    return block


def test_blocks_say_on_which_line_they_start() -> None:
    blocks = text_blocks(b"Title\r\n\r\nA sentence.\rAnother one.\n\n\n- item\n")
    assert [(block.line, block.text) for block in blocks] == [
        (1, "Title"),
        (3, "A sentence."),
        (4, "Another one."),
        (7, "item"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_every_common_encoding_gives_the_same_words(encoding: str) -> None:
    source = "Ménière’s disease – vertigo\n\n• A café\n"
    assert texts(source.encode(encoding)) == ["Ménière’s disease – vertigo", "A café"]


def test_windows_1252_in_the_midst_of_utf_8_is_read_too() -> None:
    assert texts("naïve ".encode() + "naïve “x”".encode("cp1252")) == ["naïve naïve “x”"]


def test_control_characters_and_invisible_ones_are_dropped() -> None:
    line = "Rest\0 and\x07 wa\u00adter\u200b help\ufeff people who are tired and cannot sleep at night."
    assert only(line).text == "Rest and water help people who are tired and cannot sleep at night."


def test_runs_of_spaces_become_one() -> None:
    assert only("Treatment:\u00a0 \t rest.").text == "Treatment: rest."


@pytest.mark.parametrize("bullet", ["•", "-", "*", "–", "◦", "\uf0b7", "✓"])
def test_bullets_make_items(bullet: str) -> None:
    block = only(f"  {bullet} Fever")
    assert (block.kind, block.text, block.marker, block.number) == (Kind.ITEM, "Fever", bullet, None)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("3. Migraine", 3),
        ("3) Migraine", 3),
        ("(3) Migraine", 3),
        ("#3 Migraine", 3),
        ("3 – Migraine", 3),
    ],
)
def test_short_numbered_lines_are_numbered_headings(line: str, number: int) -> None:
    block = only(line)
    assert (block.kind, block.text, block.number) == (Kind.HEADING, "Migraine", number)
    assert block.as_written == line


@pytest.mark.parametrize(
    "line", ["16 Common Causes of Pain", "3.5 million people", "2024. A year", "-5 degrees outside"]
)
def test_a_number_that_counts_is_not_a_list_number(line: str) -> None:
    assert only(line).number is None
    assert only(line).text == line


@pytest.mark.parametrize("line", ["1. Sit straight: avoid slouching", "1. Drink water. It helps.", "1. Peel the root."])
def test_numbered_sentences_are_items(line: str) -> None:
    assert only(line).kind == Kind.ITEM


@pytest.mark.parametrize("line", ["When to see a doctor?", "Conclusion", "Über den Schwindel", "头痛的原因"])
def test_short_lines_without_a_full_stop_look_like_headings(line: str) -> None:
    assert only(line).kind == Kind.HEADING


@pytest.mark.parametrize("line", ["It helps.", "Treatment: rest", "and so on", "Rest helps " * 12, "Call if you have:"])
def test_sentences_labels_and_long_lines_are_paragraphs(line: str) -> None:
    assert only(line).kind == Kind.PARAGRAPH


def test_paragraphs_broken_to_a_width_are_joined() -> None:
    source = (
        b"Dizziness is a feeling that many people know, and it\n"
        b"passes in most of them. Some need help, because it is\n"
        b"a sign of something else.\n\n"
        b"- An item that is longer than one line of the text it\n"
        b"  stands in goes on below.\n"
        b"- Another\n"
    )
    assert texts(source) == [
        "Dizziness is a feeling that many people know, and it passes in most of them. "
        "Some need help, because it is a sign of something else.",
        "An item that is longer than one line of the text it stands in goes on below.",
        "Another",
    ]


def test_paragraphs_of_one_line_each_stay_apart_without_blank_lines() -> None:
    source = b"Migraine\nThrobbing pain on one side that lasts for hours or days.\nTreatment: rest in the dark.\n"
    assert texts(source) == [
        "Migraine",
        "Throbbing pain on one side that lasts for hours or days.",
        "Treatment: rest in the dark.",
    ]


def test_short_lines_under_a_colon_are_a_list_without_bullets() -> None:
    blocks = text_blocks(b"See a doctor if you have:\n\nA high fever\nA stiff neck\n")
    assert [block.kind for block in blocks] == [Kind.PARAGRAPH, Kind.ITEM, Kind.ITEM]


def test_too_large_a_source_is_refused_in_a_sentence() -> None:
    with pytest.raises(UnreadableSource, match="larger than 10 MB"):
        text_blocks(b"a" * (MAX_BYTES + 1))


def test_too_many_paragraphs_are_refused_in_a_sentence() -> None:
    with pytest.raises(UnreadableSource, match="more than"):
        text_blocks(b"A word.\n\n" * (MAX_BLOCKS + 1))


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_source_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSource, match="no text"):
        text_blocks(data)


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(UnreadableSource, match="not a text file"):
        text_blocks(b"PK\x03\x04" + bytes(range(256)) * 20)


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(str.encode)
    | st.text(max_size=99).map(lambda t: t.encode("utf-16", "replace"))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        blocks = text_blocks(data)
    except UnreadableSource:
        return
    assert blocks
    assert all(block.text.strip() for block in blocks)


phrases = st.lists(st.sampled_from(["rest", "helps", "A", "Knee:", "pain.", "why?"]), min_size=1, max_size=20).map(
    " ".join
)


@given(st.lists(st.tuples(st.sampled_from(["", "• ", "- ", "2. ", "7) ", "\n"]), phrases), min_size=1, max_size=20))
def test_every_word_of_the_source_is_in_a_block(lines: list[tuple[str, str]]) -> None:
    source = "\n".join(mark + phrase for mark, phrase in lines)
    assert " ".join(texts(source.encode())).split() == " ".join(phrase for _, phrase in lines).split()

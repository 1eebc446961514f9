"""Numbers and bullets are recognised as every language writes them, and nothing else is."""

# ruff: noqa: RUF001 -- dashes, quotes and full-width marks are what is recognised here

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, Mark, Style
from blog.importing.markers import put_back_lone, take_marker

pytestmark = pytest.mark.once

NUMBERED = [
    ("3. Migraine", 3),
    ("3) Migraine", 3),
    ("(3) Migraine", 3),
    ("[3] Smith, J.", 3),
    ("#3 Migraine", 3),
    ("3 – Migraine", 3),
    ("3 : Migraine", 3),
    ("3/ Migraine", 3),
    ("3.- Hernia", 3),
    ("3.) Gicht", 3),
    ("3.Herniated disc", 3),
    ("03 Migraine", 3),
    ("1. 24-hour flu", 1),
    ("Cause 3: Migraine", 3),
    ("Cause #12: Migraine", 12),
    ("Reason No. 3 – Gout", 3),
    ("Ursache Nr. 3: Gicht", 3),
    ("Nr. 3 Gicht", 3),
    ("Causa N.º 3: Gota", 3),
    ("Cause n° 3 : Goutte", 3),
    ("3º Hernia discal", 3),
    ("3.ª Anemia", 3),
    ("1er : Anémie", 1),
    ("3、颈椎病", 3),
    ("３．颈椎病", 3),
    ("3.颈椎病", 3),
    ("三、颈椎病", 3),
    ("十二、颈椎病", 12),
    ("二十、颈椎病", 20),
    ("（三）颈椎病", 3),
    ("(3)颈椎病", 3),
    ("【3】颈椎病", 3),
    ("③颈椎病", 3),
    ("第三，颈椎病", 3),
    ("第三种：颈椎病", 3),
    ("原因三：颈椎病", 3),
    ("病因3：颈椎病", 3),
    ("3️⃣ Migraine", 3),
]


@pytest.mark.parametrize(("text", "number"), NUMBERED)
def test_numbers_are_taken_off(text: str, number: int) -> None:
    marker, found, rest = take_marker(text)
    assert found == number
    assert text.startswith(marker)
    assert text.endswith(rest)
    assert rest[0] not in " .:、："


@pytest.mark.parametrize(
    "text", ["• Fever", "- Fever", "– Fever", "* Fever", "✅ Fever", "►Fever", "a) Fever", "» Fever"]
)
def test_bullets_are_taken_off(text: str) -> None:
    assert take_marker(text)[1:] == (None, "Fever")


@pytest.mark.parametrize(
    "text",
    [
        "1. Mai 2020",
        "10. September",
        "1. FC Köln",
        "01 May 2020",
        "1er mai",
        "1º de maio",
        "1ère fois",
        "1.5 mg",
        "1,5 mg",
        "1.2. Name",
        "2019 war das so",
        "2024. A year",
        "3 Tage",
        "3 days",
        "16 Common Causes",
        "24 – 48 hours",
        "5 - 10 minutes",
        "3:30 pm",
        "1/2 cup",
        "No 3 days",
        "100 % sicher",
        "B12: vitamin",
        "-5 degrees",
        "120 急救",
        "十二指肠溃疡",
        "三叉神经痛",
        "3、4天",
        "2.5倍",
        "第二天早上",
        "一些人",
        "",
        "3.",
    ],
)
def test_what_counts_or_dates_is_left_where_it_is(text: str) -> None:
    assert take_marker(text) == ("", None, text)


@given(st.text(max_size=200) | st.lists(st.sampled_from("1９二十第.、：)(°º #-–Ursache中 ")).map("".join))
def test_no_character_is_lost(text: str) -> None:
    marker, number, rest = take_marker(text)
    taken = text.removesuffix(rest) if rest else text
    assert taken.strip() == marker.strip() or taken.strip() == "" == marker
    assert number is None or marker


def items(*texts: str) -> list[Block]:
    blocks = []
    for line, text in enumerate(texts, 1):
        marker, number, rest = take_marker(text)
        blocks.append(Block(Kind.ITEM, rest, line, marker, number))
    return blocks


def test_a_word_that_is_numbered_once_is_no_list() -> None:
    (block,) = put_back_lone(items("Omega 3: in fish and nuts"))
    assert (block.text, block.marker, block.number) == ("Omega 3: in fish and nuts", "", None)


@pytest.mark.parametrize(
    "texts",
    [("Cause 1: Gout", "Cause 2: Gout"), ("原因一：痛风", "原因二：痛风"), ("Ursache Nr. 1: A", "Ursache Nr. 2: B")],
)
def test_a_word_that_is_numbered_on_is_a_list(texts: tuple[str, str]) -> None:
    assert [block.number for block in put_back_lone(items(*texts))] == [1, 2]


def test_marks_move_with_the_text_that_is_put_back() -> None:
    marked = Block(Kind.ITEM, "fish", 1, "Omega 3:", 3, marks=(Mark(0, 4, Style.STRONG),))
    (block,) = put_back_lone([marked])
    assert block.marks == (Mark(9, 13, Style.STRONG),)
    assert block.text[9:13] == "fish"

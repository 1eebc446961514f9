"""Plain text is read into blocks, whatever its encoding and layout."""

# ruff: noqa: RUF001 -- bullets, dashes and quotes are what is read here

from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, Source, SourceArticle, UnreadableSource
from blog.importing.encoding import decode
from blog.importing.readers.text import MAX_BLOCKS, MAX_BYTES, MAX_LINES, read_text, text_blocks

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


SIMPLIFIED = "头晕的常见原因\n\n很多人站起来的时候会觉得头晕，多数情况下并不严重。\n\n1、低血压\n"
TRADITIONAL = "頭暈的常見原因\n\n很多人站起來的時候會覺得頭暈，多數情況下並不嚴重。\n\n1、低血壓\n"


@pytest.mark.parametrize(
    ("source", "encoding"),
    [
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "gb18030"),
        (SIMPLIFIED, "utf-16-le"),
        (SIMPLIFIED, "utf-16-be"),
        (TRADITIONAL, "big5"),
        ("Zwölf Ursachen für Rückenschmerzen\n\nWärme hilft häufig, Kälte selten.\n", "latin-1"),
        ("Douze causes – l’été à l’œil nu\n\nÇa dépend.\n", "cp1252"),
        ("Десять причин головокружения\n\nМногие люди чувствуют его, когда встают с постели.\n", "cp1251"),
    ],
)
def test_the_encoding_is_told_from_the_bytes(source: str, encoding: str) -> None:
    assert decode(source.encode(encoding)) == source


def test_chinese_that_is_cut_off_in_mid_character_is_still_utf_8() -> None:
    assert decode(SIMPLIFIED.encode()[:-5]).startswith("头晕的常见原因\n\n很多人")


def test_a_line_of_another_encoding_in_chinese_is_read_too() -> None:
    source = SIMPLIFIED.encode() + "Café – naïve\n".encode("cp1252") + SIMPLIFIED.encode()
    assert decode(source) == SIMPLIFIED + "Café – naïve\n" + SIMPLIFIED


@pytest.mark.parametrize(
    ("declared", "text"),
    [("windows-1251", "Боль"), ("gb2312", "镕基，头晕"), ("Shift_JIS", "頭痛"), ("ISO-8859-1", "œil – l’été")],
)
def test_a_declared_encoding_is_used_as_the_web_reads_its_name(declared: str, text: str) -> None:
    real = {"gb2312": "gb18030", "ISO-8859-1": "cp1252"}.get(declared, declared)
    assert decode(text.encode(real), declared) == text


@pytest.mark.parametrize("declared", ["", "no-such", "hex", "utf-7", "rot13", "\0", "x" * 9999, "windows-1251"])
def test_utf_8_is_told_whatever_is_declared(declared: str) -> None:
    assert decode("Ménière – 头晕".encode(), declared) == "Ménière – 头晕"


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


def test_chinese_that_is_broken_to_a_width_is_joined_without_spaces() -> None:
    source = (
        "很多人站起来的时候会觉得头晕，多数情况下并不严重，但是如果它\n"
        "反复出现，就应该弄清楚它从哪里来，并且请医生检查血压、血糖和\n"
        "血红蛋白。\n"
    )
    assert texts(source.encode()) == [source.replace("\n", "")]


@pytest.mark.parametrize(
    "line", ["治疗：多喝水，慢慢起身。", "治疗：多喝水", "Traitement : du repos", "很多人都有过这样的经历。"]
)
def test_labels_and_sentences_of_other_languages_are_paragraphs(line: str) -> None:
    assert only(line).kind == Kind.PARAGRAPH


@pytest.mark.parametrize("line", ["CONCLUSION:", "PARA TERMINAR", "头晕的八个常见原因及治疗方法"])
def test_headings_of_other_languages_are_headings(line: str) -> None:
    assert only(line).kind == Kind.HEADING


def test_an_underlined_line_is_a_heading_with_a_level() -> None:
    blocks = text_blocks(b"Why does it hurt?\n=================\n\nCauses\n------\n1. Gout\n-------\nA text.\n")
    assert [(block.kind, block.level, block.as_written) for block in blocks] == [
        (Kind.HEADING, 1, "Why does it hurt?"),
        (Kind.HEADING, 2, "Causes"),
        (Kind.HEADING, 2, "1. Gout"),
        (Kind.PARAGRAPH, 0, "A text."),
    ]


@pytest.mark.parametrize("line", ["* * *", "-----", "=====", "~~~", "***"])
def test_a_line_of_signs_is_no_item_and_no_heading(line: str) -> None:
    (_, block, _) = text_blocks(f"A sentence.\n\n{line}\n\nAnother.".encode())
    assert (block.kind, block.text) == (Kind.PARAGRAPH, line)


def test_indented_bullets_are_deeper() -> None:
    blocks = text_blocks(b"- Rest\n  - in bed\n  - in a chair\n- Ice\n\nA sentence.\n\n    * Heat\n")
    assert [block.depth for block in blocks] == [1, 2, 2, 1, 0, 1]


def test_cells_between_tabs_are_rows() -> None:
    blocks = text_blocks(b"Cause\tTreatment\nGout\tRest and pain relief\n\n1.\tMigraine\n2.\tStroke\n\nA\tlone line.\n")
    assert [(block.kind, block.text) for block in blocks] == [
        (Kind.ROW, "Cause | Treatment"),
        (Kind.ROW, "Gout | Rest and pain relief"),
        (Kind.HEADING, "Migraine"),
        (Kind.HEADING, "Stroke"),
        (Kind.PARAGRAPH, "A lone line."),
    ]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
@pytest.mark.parametrize("numbers", ["1. 2. 3.", "1 2 3", "① ② ③", "一、 二、 三、"])
def test_a_number_on_its_own_line_belongs_to_the_line_below(gap: str, numbers: str) -> None:
    names = ["Migraine", "Stroke", "Gout"]
    source = "\n\n".join(f"{number}{gap}{name}" for number, name in zip(numbers.split(), names, strict=True))
    blocks = text_blocks(source.encode())
    assert [(block.kind, block.number, block.text) for block in blocks] == [
        (Kind.HEADING, number, name) for number, name in enumerate(names, 1)
    ]


def test_numbers_of_pages_are_no_list() -> None:
    source = b"The pain goes\n\n1\n\naway by itself.\n\n2\n\nRest helps most people a lot.\n\n3\n\nThe end"
    assert all(block.number is None for block in text_blocks(source))


def test_a_word_with_a_number_is_no_list_of_one() -> None:
    (block,) = text_blocks(b"Omega 3: in fish and nuts")
    assert (block.kind, block.text) == (Kind.PARAGRAPH, "Omega 3: in fish and nuts")


def test_a_file_is_one_article_that_is_the_same_at_another_import() -> None:
    data = "Über den Schwindel\n\nEr vergeht.\n".encode()
    (article,) = read_text(Source("archive/schwindel.txt", lambda: BytesIO(data), len(data)))
    assert isinstance(article, SourceArticle)
    assert (article.format, article.identity) == ("text", "file:archive/schwindel.txt")
    assert article.digest == sha256(data).hexdigest()
    assert [block.text for block in article.blocks] == ["Über den Schwindel", "Er vergeht."]


def test_too_large_a_source_is_refused_in_a_sentence() -> None:
    with pytest.raises(UnreadableSource, match="larger than 10 MB"):
        text_blocks(b"a" * (MAX_BYTES + 1))


def test_too_many_paragraphs_are_refused_in_a_sentence() -> None:
    with pytest.raises(UnreadableSource, match="more than"):
        text_blocks(b"A word.\n\n" * (MAX_BLOCKS + 1))


@pytest.mark.parametrize("end", ["\n", "\r", "\v", "\u2028"])
def test_too_many_lines_are_refused_before_they_are_read(end: str) -> None:
    with pytest.raises(UnreadableSource, match="more than"):
        text_blocks(b"A word." + end.encode() * (MAX_LINES + 1))


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

"""The commands of an editor: what each changes in the corrections, and how far it goes."""

from __future__ import annotations

import pytest

from blog.importing.blocks import Block, Kind, SourceArticle
from blog.importing.correcting import Correcting, choice_of, sentence_starts
from blog.importing.pieces import Corrections
from blog.importing.result import ArticleKind, Piece, Role, Structure, Sure, Understood, Urgency
from publishing.services import Refused

pytestmark = pytest.mark.once

LINES: list[tuple[str, Kind, Role | None]] = [
    ("Sore Feet", Kind.HEADING, Role.TITLE),
    ("Feet carry much.", Kind.PARAGRAPH, Role.INTRO),
    ("1. Bunions", Kind.HEADING, Role.ENTRY),
    ("A bump grows.", Kind.PARAGRAPH, Role.ENTRY_TEXT),
    ("Treatment: wide shoes.", Kind.PARAGRAPH, Role.TREATMENT),
    ("2. Corns", Kind.HEADING, Role.ENTRY),
    ("Share this", Kind.PARAGRAPH, None),
    ("Hard skin.", Kind.PARAGRAPH, Role.ENTRY_TEXT),
    ("What to Expect", Kind.HEADING, Role.SECTION_HEADING),
    ("Patience. It takes weeks.", Kind.PARAGRAPH, Role.SECTION),
    ("A foot that is cold", Kind.ITEM, Role.SIGN),
    ("A foot that is blue", Kind.ITEM, Role.SIGN),
]


def correcting(corrections: Corrections | None = None, cut: int = 0) -> Correcting:
    """The article of LINES, each line a block and a piece, but the tenth two where it is cut."""
    blocks, pieces = [], []
    for place, (text, kind, role) in enumerate(LINES):
        marker, _space, rest = text.partition(" ") if text[0].isdigit() else ("", "", text)
        blocks.append(Block(kind, rest, line=place + 1, marker=marker, level=2 if kind == Kind.HEADING else 0))
        urgency = Urgency.URGENT if role == Role.SIGN else None
        for start, end in [(0, cut), (cut, len(rest))] if cut and place == 9 else [(0, len(rest))]:
            pieces.append(Piece(place, start, end, role, urgency, sure=Sure.UNSURE))
    article = SourceArticle("feet.txt", "text", "feet", "digest", tuple(blocks))
    understood = Understood(article, "en", tuple(pieces), Structure(ArticleKind.CONDITIONS))
    return Correcting(understood, corrections or {})


def roles(correct: Correcting) -> dict[str, str]:
    """What was said, as "role" or "role:urgency"."""
    said = correct.corrections.get("roles", {})
    return {key: ":".join(filter(None, (role["role"], role["urgency"]))) for key, role in said.items()}


def test_the_text_below_a_heading_goes_with_it() -> None:
    correct = correcting()
    correct.take("2.0", "section-heading")
    assert roles(correct) == {"2.0": "section-heading", "3.0": "section", "4.0": "section"}


def test_a_section_becomes_a_condition_with_its_text() -> None:
    correct = correcting()
    correct.take("8.0", "entry")
    assert roles(correct) == {"8.0": "entry", "9.0": "entry-text"}


def test_what_was_left_out_below_a_heading_stays_out() -> None:
    correct = correcting()
    correct.take("5.0", "tip")
    assert roles(correct) == {"5.0": "tip", "7.0": "tip-text"}


def test_a_treatment_stays_one_where_its_heading_stays_a_condition() -> None:
    correct = correcting({"roles": {"2.0": {"role": "tip", "urgency": ""}}})
    correct.take("2.0", "entry")
    assert roles(correct) == {"2.0": "entry"}


def test_the_text_of_a_heading_that_is_left_out_goes_on_with_what_is_above() -> None:
    correct = correcting()
    correct.take("8.0", "leave")
    assert roles(correct) == {"8.0": "leave", "9.0": "entry-text"}


def test_a_text_is_changed_alone() -> None:
    correct = correcting()
    correct.take("3.0", "treatment")
    assert roles(correct) == {"3.0": "treatment"}


def test_an_urgency_comes_with_the_sign() -> None:
    correct = correcting()
    assert choice_of(correct.pieces[10]) == "sign:urgent"
    correct.take("10.0", "sign:emergency")
    assert roles(correct) == {"10.0": "sign:emergency"}


def test_all_that_look_alike_and_were_taken_as_the_same_change_together() -> None:
    correct = correcting()
    assert correct.alike(correct.pieces[2]) == 2
    assert correct.alike(correct.pieces[8]) == 1
    assert correct.take_alike("2.0", "section-heading") == 2
    assert roles(correct) == {
        "2.0": "section-heading", "3.0": "section", "4.0": "section", "5.0": "section-heading", "7.0": "section",
    }  # fmt: skip


def test_several_lines_become_warning_signs_from_either_end() -> None:
    correct = correcting()
    correct.take_run(8, 7, "sign:see-a-doctor")
    assert roles(correct) == {"6.0": "sign:see-a-doctor", "7.0": "sign:see-a-doctor"}


@pytest.mark.parametrize(("first", "last"), [(0, 2), (1, 13), (14, 15)])
def test_numbers_that_no_piece_has_are_refused_with_a_sentence(first: int, last: int) -> None:
    with pytest.raises(Refused, match="from 1 to 12"):
        correcting().take_run(first, last, "tip")


def test_a_text_is_split_and_both_parts_stay_what_it_was() -> None:
    correct = correcting()
    correct.split("9.0", 10)
    assert correct.corrections.get("cuts") == {"9": [10]}
    assert roles(correct) == {"9.0": "section", "9.10": "section"}


def test_what_follows_a_name_that_is_split_off_is_its_text() -> None:
    correct = correcting()
    correct.split("8.0", 5)
    assert roles(correct) == {"8.0": "section-heading", "8.5": "section"}


@pytest.mark.parametrize("offset", [0, 25, 26, 900])
def test_nothing_is_split_at_its_ends(offset: int) -> None:
    with pytest.raises(Refused):
        correcting().split("9.0", offset)


def test_a_heading_is_joined_with_the_text_above_and_takes_its_own_along() -> None:
    correct = correcting()
    correct.join("8.0")
    assert roles(correct) == {"8.0": "entry-text", "9.0": "entry-text"}


def test_parts_of_a_line_are_joined_again() -> None:
    correct = correcting()
    correct.split("9.0", 10)
    again = correcting(correct.corrections, cut=10)
    again.join("9.10")
    assert again.corrections.get("cuts") == {"9": []}
    assert roles(again) == {"9.0": "section"}


def test_the_first_line_and_a_second_warning_sign_cannot_be_joined() -> None:
    correct = correcting()
    assert not correct.can_join(correct.pieces[0])
    assert not correct.can_join(correct.pieces[11])
    with pytest.raises(Refused):
        correct.join("11.0")


def test_what_was_said_of_a_heading_and_its_text_is_forgotten_together() -> None:
    correct = correcting()
    correct.take("8.0", "entry")
    correct.take("0.0", "leave")
    correct.as_found("8.0")
    assert roles(correct) == {"0.0": "leave"}


def test_what_an_editor_said_is_not_unsure_any_more() -> None:
    correct = correcting()
    assert correct.is_unsure(correct.pieces[3])
    correct.take("3.0", "treatment")
    assert not correct.is_unsure(correct.pieces[3])


@pytest.mark.parametrize("choice", ["", "nonsense", "sign:tomorrow", "<script>"])
def test_a_choice_that_is_none_is_an_error(choice: str) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        correcting().take("3.0", choice)


def test_a_piece_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        correcting().take("99.0", "tip")


def test_the_corrections_that_were_given_stay_as_they_were() -> None:
    given: Corrections = {"roles": {"3.0": {"role": "tip", "urgency": ""}}}
    correcting(given).take("3.0", "treatment")
    assert given == {"roles": {"3.0": {"role": "tip", "urgency": ""}}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Gout: a swollen toe.", ["a swollen toe."]),
        ("Gout – a swollen toe. It hurts.", ["a swollen toe. It hurts.", "It hurts."]),  # noqa: RUF001
        ("“Rest.” It helps! Does it?", ["It helps! Does it?", "Does it?"]),
        ("足が痛い。休みましょう。", ["休みましょう。"]),
        ("No other sentence", []),
        ("", []),
    ],
)
def test_sentences_are_where_a_text_can_be_split(text: str, words: list[str]) -> None:
    assert [text[start:] for start in sentence_starts(text)] == words

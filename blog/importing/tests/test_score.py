"""The score of an import, on structures whose score can be worked out by hand."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from blog.importing.result import ArticleKind, Entry, Origin, Sign, Structure, Tip, Urgency
from blog.importing.score import normal, score_folder, score_structure

pytestmark = pytest.mark.once

FOUND = Structure(
    kind=ArticleKind.CONDITIONS,
    title="3 Causes of Sore Feet",
    entries=(
        Entry("Flat Feet", "<p>…</p>", "<p>Insoles.</p>"),
        Entry("Gout", "<p>…</p>"),
        Entry("Wet socks", "<p>…</p>", "<p>Dry ones.</p>"),
    ),
    tips=(Tip("Buy shoes in the evening"), Tip("", "<p>Walk barefoot.</p>")),
    signs=(Sign("You cannot walk.", Urgency.URGENT),),
    conclusion="<p>Feet heal.</p>",
    origin=Origin("Feet Daily", "https://feet.example/sore/"),
)
EXPECTED = {
    "title": "3 causes of sore feet",
    "kind": "conditions",
    "conditions": [
        {"name": "1. flat feet", "has_treatment": True},
        {"name": "**Gout**", "has_treatment": True},
        {"name": "Blisters", "has_treatment": False},
    ],
    "tips": ["Walk barefoot", "Rest"],
    "warning_signs_count": 2,
    "warning_signs_count_alt": 1,
    "has_conclusion": False,
    "origin_name": "Feet Daily",
    "origin_url": "https://feet.example/sore",
}


def test_names_are_compared_without_case_spacing_numbering_and_markup() -> None:
    for name in ("Flat feet", "1. Flat  Feet", "#2 flat feet", "**Flat feet**", "<b>Flat feet</b>:", "3\\. Flat feet"):
        assert normal(name) == "flatfeet", name
    assert normal("Type 2 diabetes") != normal("Type diabetes")
    assert normal("C. difficile") != normal("difficile")


def test_each_measure_is_what_a_hand_would_count() -> None:
    score = score_structure("feet", FOUND, EXPECTED)
    conditions, treatments, tips = score.conditions, score.treatments, score.tips
    assert (conditions.right, conditions.wrong, conditions.missed) == (2, 1, 1)
    assert (conditions.precision, conditions.recall, conditions.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (treatments.right, treatments.wrong, treatments.missed) == (1, 1, 1)
    assert (tips.right, tips.wrong, tips.missed) == (1, 1, 1)
    assert score.invented == 1
    assert score.exact == {
        "title": (1, 1), "kind": (1, 1), "warning_signs_count": (1, 1), "has_conclusion": (0, 1),
        "origin_name": (1, 1), "origin_url": (1, 1),
    }  # fmt: skip
    assert any("Wet socks" in line for line in score.differences)


def test_the_same_name_twice_counts_once() -> None:
    twice = Structure(ArticleKind.CONDITIONS, entries=(Entry("Gout"), Entry("Gout")))
    score = score_structure("gout", twice, {"conditions": [{"name": "Gout", "has_treatment": False}]})
    assert (score.conditions.right, score.conditions.wrong) == (1, 1)


def test_a_treatment_of_which_nothing_is_known_is_not_scored() -> None:
    score = score_structure("feet", FOUND, {"conditions": [{"name": "Flat feet"}, {"name": "Wet socks"}]})
    assert (score.treatments.right, score.treatments.wrong, score.treatments.missed) == (0, 0, 0)


def test_every_condition_of_a_plain_article_is_invented() -> None:
    score = score_structure("feet", FOUND, {"kind": "plain", "conditions": [], "conditions_alt": [{"name": "Gout"}]})
    assert score.invented == 3
    assert score.exact["kind"] == (0, 1)


def test_another_list_that_is_accepted_too_is_taken_where_it_fits_better() -> None:
    expected = {"tips": ["Rest"], "tips_alt": ["Buy shoes in the evening", "Walk barefoot."]}
    assert score_structure("feet", FOUND, expected).tips.f1 == 1
    assert score_structure("feet", FOUND, {"tips": ["Rest"], "tips_alt": [["A"], expected["tips_alt"]]}).tips.f1 == 1


def test_what_is_not_expected_is_not_scored() -> None:
    score = score_structure("feet", FOUND, {"title": "3 Causes of Sore Feet"})
    assert score.exact == {"title": (1, 1)}
    assert score.conditions.f1 == score.tips.f1 == 1


def test_a_folder_is_scored_and_what_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "01-feet.md").write_text("# Sore feet\n\nThey hurt after a long day of standing on them.\n")
    (tmp_path / "01-feet.expected.json").write_text(json.dumps({"title": "Sore Feet", "kind": "plain"}))
    (tmp_path / "02-alone.txt").write_text("Nobody knows what this is.")
    (tmp_path / "03-broken.txt").write_text("Text.")
    (tmp_path / "03-broken.expected.json").write_text("{")
    (tmp_path / "04-picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "04-picture.expected.json").write_text("{}")
    (tmp_path / "05-odd.txt").write_text("Sore feet\n\nThey hurt.")
    (tmp_path / "05-odd.expected.json").write_text(json.dumps({"conditions": [{"called": "Gout"}]}))
    result = score_folder(tmp_path)
    assert [score.name for score in result.scores] == ["01-feet.md"]
    assert [problem.partition(":")[0] for problem in result.problems] == [
        "02-alone.txt", "03-broken.txt", "04-picture.txt", "05-odd.txt",
    ]  # fmt: skip
    out, err = StringIO(), StringIO()
    call_command("score_import", tmp_path, "--failures", stdout=out, stderr=err)
    assert "1 articles, 0 invented conditions." in out.getvalue()
    assert err.getvalue().count("Not scored") == 4
    out = StringIO()
    call_command("score_import", tmp_path, "--json", stdout=out)
    assert json.loads(out.getvalue())["scores"]["01-feet.md"]["exact"] == {"title": [1, 1], "kind": [1, 1]}


def test_a_folder_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no folder"):
        call_command("score_import", tmp_path / "nowhere")

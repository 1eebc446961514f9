"""The structure of an article is found by its form and wording, and nothing is invented."""

# ruff: noqa: RUF001 -- the fixtures are typed as articles are, with curly quotes

from pathlib import Path

import pytest

from blog.importing.blocks import SourceArticle
from blog.importing.language import words_for
from blog.importing.readers.text import text_blocks
from blog.importing.result import ArticleKind, Origin, Piece, Reason, Role, Structure, Understood, Urgency
from blog.importing.structure import find_topic, propose_urgency
from blog.importing.structure import understand as understand_article

pytestmark = pytest.mark.once

FIXTURES = Path(__file__).parent / "fixtures"
NEGATIVES = sorted(path.name for path in FIXTURES.glob("negative-*.txt"))


def read(name: str) -> tuple[Structure, Understood]:
    return understand((FIXTURES / name).read_text("utf-8"))


def understand(source: str) -> tuple[Structure, Understood]:
    blocks = tuple(text_blocks(source.encode()))
    understood = understand_article(SourceArticle("", "text", "", "", blocks), language="en")
    return understood.structure, understood


def piece_of(understood: Understood, start: str) -> Piece:
    blocks = understood.article.blocks
    return next(piece for piece in understood.pieces if blocks[piece.block].as_written.startswith(start))


def left_out(understood: Understood) -> list[tuple[int, Reason]]:
    blocks = understood.article.blocks
    return [
        (blocks[piece.block].line, piece.reason)
        for piece in understood.pieces
        if piece.reason and piece.reason != Reason.LABEL
    ]


class TestSyndicatedArticle:
    """An article of the form our archive is full of, with the furniture of who copied it."""

    @pytest.fixture
    def structure(self) -> Structure:
        return read("dizziness.txt")[0]

    @pytest.fixture
    def report(self) -> Understood:
        return read("dizziness.txt")[1]

    def test_its_title_and_topic_are_told(self, structure: Structure) -> None:
        assert structure.kind == ArticleKind.CONDITIONS
        assert structure.title == "12 Common Causes of Dizziness and Unsteady Walking"
        assert structure.topic == "dizziness and unsteady walking"

    def test_the_intro_is_the_text_above_the_first_condition(self, structure: Structure) -> None:
        assert structure.intro.startswith("<p>Feeling dizzy or unsteady")
        assert structure.intro.endswith("usually helps.</p>")
        assert structure.intro.count("<p>") == 1

    def test_every_condition_is_an_entry_with_its_text(self, structure: Structure) -> None:
        assert [entry.heading for entry in structure.entries] == [
            "Benign Positional Vertigo",
            "Vestibular Neuritis",
            "Ménière’s Disease",
            "Low Blood Pressure on Standing",
            "Blocked or Infected Ears",
            "Anaemia",
            "Low Blood Sugar",
            "Migraine",
            "Anxiety and Panic",
            "Heart Rhythm Problems",
            "Parkinson’s Disease",
            "Stroke",
        ]
        assert all(entry.text.startswith("<p>") for entry in structure.entries)

    def test_a_text_of_two_paragraphs_keeps_both(self, structure: Structure) -> None:
        assert structure.entries[1].text == (
            "<p>The nerve of balance becomes inflamed, often after a cold.</p>"
            "<p>Strong vertigo with nausea lasts for days, and walking in a straight line is hard.</p>"
        )

    def test_paragraphs_after_the_label_belong_to_the_treatment(self, structure: Structure) -> None:
        paragraphs = [entry.treatment.count("<p>") for entry in structure.entries]
        assert paragraphs == [2, 2, 1, 1, 1, 2, 1, 2, 1, 1, 2, 1]
        assert structure.entries[0].treatment == (
            "<p>A clinician turns the head through a set of positions that bring the crystals back.</p>"
            "<p>If the spinning returns, the same turns can be learned and done at home.</p>"
        )

    def test_the_label_itself_is_in_no_text(self, structure: Structure) -> None:
        assert not any("Treatment:" in entry.text + entry.treatment for entry in structure.entries)

    def test_tips_have_names_and_texts(self, structure: Structure) -> None:
        assert structure.tips_heading == "How to Prevent Dizziness and Unsteady Walking"
        assert [tip.name for tip in structure.tips] == [
            "Get up slowly",
            "Drink enough",
            "Light your way",
            "Have your tablets checked",
            "Train your balance",
            "Wear firm shoes",
            "Limit alcohol",
        ]
        assert structure.tips[1].text == "<p>Take water with each meal, and more on hot days.</p>"

    def test_warning_signs_are_kept_in_full_with_a_proposed_urgency(self, structure: Structure) -> None:
        assert [(sign.text, sign.urgency) for sign in structure.signs] == [
            ("Dizziness that keeps coming back for more than two weeks.", Urgency.SEE_A_DOCTOR),
            ("Sudden weakness or numbness on one side of the body.", Urgency.EMERGENCY),
            ("Dizziness after a fall or a knock to the head.", Urgency.URGENT),
            ("Ringing in one ear that is new.", Urgency.SEE_A_DOCTOR),
            ("Dizziness together with chest pain or shortness of breath.", Urgency.EMERGENCY),
            ("Dizziness with a fever.", Urgency.URGENT),
        ]

    def test_what_stands_around_the_signs_is_kept(self, structure: Structure) -> None:
        assert structure.signs_heading == "When should you see a doctor?"
        assert structure.signs_intro == "<p>Make an appointment if any of these applies to you:</p>"
        assert structure.note.startswith("<p>Most of these have a treatable cause.")

    def test_the_conclusion_is_whole(self, structure: Structure) -> None:
        assert structure.conclusion_heading == "Conclusion"
        assert structure.conclusion.count("<p>") == 2
        assert structure.conclusion.endswith("most people walk steadily again.</p>")

    def test_the_origin_is_who_wrote_it_not_who_copied_it(self, structure: Structure) -> None:
        assert structure.origin == Origin(
            name="Steady Feet Journal", title="12 Common Causes of Dizziness and Unsteady Walking"
        )

    def test_nothing_is_left_over_for_sections(self, structure: Structure) -> None:
        assert structure.sections == ()

    def test_captions_of_lost_pictures_are_set_aside(self, structure: Structure) -> None:
        assert structure.picture_captions == ("Dizziness and Unsteady Walking", "Ear Problems")

    def test_the_furniture_is_left_out_for_its_reason(self, report: Understood) -> None:
        assert left_out(report) == [
            (1, Reason.PROMOTION),
            (7, Reason.CAPTION),
            (9, Reason.REPEATED_TITLE),
            (41, Reason.CAPTION),
            (136, Reason.ORIGIN_AGAIN),
            (138, Reason.SHARING),
            (140, Reason.AFTER_END),
            (142, Reason.MARK),
            (144, Reason.SUBSCRIPTION),
            (146, Reason.SUBSCRIPTION),
            (148, Reason.SUBSCRIPTION),
            (150, Reason.MARK),
        ]

    def test_the_report_tells_what_each_block_became(self, report: Understood) -> None:
        iron = piece_of(report, "When tablets are not tolerated")
        assert iron.role == Role.TREATMENT
        lamp = piece_of(report, "3. Light your way")
        assert lamp.role == Role.TIP

    def test_the_report_reads_as_text(self, report: Understood) -> None:
        text = str(report)
        assert "12 conditions (each with treatment), 7 tips, 6 warning signs" in text
        assert "(2 emergency, 2 urgent, 2 see a doctor)" in text
        assert "origin “Steady Feet Journal”" in text
        assert "line 41 “Ear Problems” — caption of a picture that is missing" in text


@pytest.mark.parametrize("name", NEGATIVES)
def test_no_condition_is_invented(name: str) -> None:
    structure, report = read(name)
    assert structure.kind == ArticleKind.PLAIN
    assert (structure.entries, structure.tips) == ((), ())
    assert structure.title
    assert structure.sections
    assert not {Role.ENTRY, Role.TREATMENT} & {piece.role for piece in report.pieces}


def test_there_is_a_negative_of_each_common_kind() -> None:
    assert len(NEGATIVES) == 5


def test_conditions_without_treatments_are_conditions() -> None:
    structure, report = read("tiredness-without-treatments.txt")
    assert [entry.heading for entry in structure.entries] == [
        "Underactive Thyroid",
        "Sleep Apnoea",
        "Coeliac Disease",
        "Depression",
        "Diabetes",
    ]
    assert all(entry.text and not entry.treatment for entry in structure.entries)
    assert structure.topic == "fatigue"
    assert structure.conclusion_heading == "The bottom line"
    assert "5 conditions (0 with treatment)" in str(report)


def test_numbered_headings_that_are_not_clearly_conditions_are_sections_and_it_is_said() -> None:
    structure, report = read("negative-steps.txt")
    assert [section.heading for section in structure.sections][:2] == [
        "1. Sit them upright",
        "2. Pinch the soft part of the nose",
    ]
    assert "4 numbered headings were kept as sections" in str(report)


def test_signs_of_two_urgencies_become_one_list_and_lose_only_their_lead_ins() -> None:
    structure, report = read("negative-steps.txt")
    assert [sign.urgency for sign in structure.signs] == [
        Urgency.EMERGENCY,
        Urgency.EMERGENCY,
        Urgency.SEE_A_DOCTOR,
    ]
    assert structure.signs_intro == ""
    assert piece_of(report, "Call 112 if:").reason == Reason.LEAD_IN
    assert structure.note == "<p>Nosebleeds in small children are seldom serious.</p>"


CAUSES = """Your Back Pain: 4 Possible Causes

By Jane Doe, MD

Common causes

Cause 1: Muscle strain - A strained muscle is the usual cause of pain. Treatment: rest and heat.

Cause 2: Herniated disc - A disc presses on a nerve. Treatment: physiotherapy. Surgery is rare.

Less common causes

Cause 3: Infection

Bacteria reach the spine and cause fever and pain.

How it's treated: antibiotics

1. by drip first
2. then tablets

Outlook: good if found early.

Cause 4: Tumour

A growth in the spine. Symptoms are pain at night.

Treatment options

Surgery, radiation therapy

Frequently asked questions

Can I run?

Yes, if it does not hurt.

Back pain: when to see a doctor

See your doctor if you have:

- fever
- pain at night

In conclusion, most back pain passes.

Originally published on Example Health (https://example.org/back), 12 May 2020.
"""


def test_groups_labels_and_run_in_names_are_understood() -> None:
    structure, _ = understand(CAUSES)
    assert [(entry.group, entry.heading) for entry in structure.entries] == [
        ("Common causes", "Muscle strain"),
        ("Common causes", "Herniated disc"),
        ("Less common causes", "Infection"),
        ("Less common causes", "Tumour"),
    ]
    assert structure.entries[0].text == "<p>A strained muscle is the usual cause of pain.</p>"
    assert structure.entries[0].treatment == "<p>rest and heat.</p>"
    assert structure.entries[2].treatment == "<p>antibiotics</p><ol><li>by drip first</li><li>then tablets</li></ol>"
    assert structure.entries[2].text.endswith("<p>Outlook: good if found early.</p>")
    assert structure.entries[3].treatment == "<p>Surgery, radiation therapy</p>"


def test_a_label_that_says_whose_treatment_it_is_is_kept() -> None:
    diseases = "\n\n".join(f"{n}. Disease {n}\n\nPain.\n\nTreatment for children: rest." for n in (1, 2))
    structure, _ = understand(f"2 Causes of Pain\n\n{diseases}")
    assert [entry.treatment for entry in structure.entries] == ["<p>Treatment for children: rest.</p>"] * 2


def test_what_is_neither_condition_nor_tip_nor_sign_is_a_section() -> None:
    structure, report = understand(CAUSES)
    assert [section.heading for section in structure.sections] == ["Frequently asked questions", "Can I run?"]
    assert piece_of(report, "By Jane Doe").role == Role.AUTHOR
    assert structure.authors == ("Jane Doe, MD",)


def test_a_conclusion_without_a_heading_and_an_origin_with_an_address_are_found() -> None:
    structure, _ = understand(CAUSES)
    assert structure.conclusion == "<p>In conclusion, most back pain passes.</p>"
    assert structure.origin == Origin("Example Health", "https://example.org/back")


def test_headings_that_each_entry_repeats_are_inside_it() -> None:
    structure, report = understand(
        "3 Causes of Leg Cramps\n\nIn this article\n\n1. Thirst\n2. Low Minerals\n3. Tired Muscles\n\n"
        "Cramps are common.\n\n"
        + "\n\n".join(
            f"{number}. {name}\n\nSymptoms\n\nCramps in the muscles at night.\n\nTreatment\n\n{treatment}"
            for number, name, treatment in [
                (1, "Thirst", "Water and salts."),
                (2, "Low Minerals", "1. Bananas\n2. Tablets"),
                (3, "Tired Muscles", "Stretching"),
            ]
        )
    )
    assert [entry.treatment for entry in structure.entries] == [
        "<p>Water and salts.</p>",
        "<ol><li>Bananas</li><li>Tablets</li></ol>",
        "<p>Stretching</p>",
    ]
    assert structure.entries[0].text == "<p><strong>Symptoms</strong></p><p>Cramps in the muscles at night.</p>"
    assert structure.intro == "<p>Cramps are common.</p>"
    contents = [report.article.blocks[p.block].text for p in report.pieces if p.reason == Reason.CONTENTS]
    assert contents == ["Thirst", "Low Minerals", "Tired Muscles"]


def test_headings_without_numbers_are_conditions_if_each_tells_its_treatment() -> None:
    kinds = {"Migraine": "triptans", "Tension headache": "rest", "Cluster headache": "oxygen"}
    parts = [f"{name}\n\nA kind of headache.\n\nTreatment: {treatment}" for name, treatment in kinds.items()]
    structure, _ = understand("Headaches of Three Kinds\n\nThey differ a lot.\n\n" + "\n\n".join(parts))
    assert [entry.heading for entry in structure.entries] == list(kinds)
    assert structure.entries[2].treatment == "<p>oxygen</p>"


def test_an_article_about_one_condition_stays_plain() -> None:
    structure, _ = understand(
        "Migraine: Causes, Symptoms and Treatment\n\nMigraine is a disease of the brain.\n\n"
        "Causes\n\nIt runs in families."
        "\n\nTreatment\n\nTablets help.\n\nPrevention\n\n1. Sleep well: it helps.\n2. Drink: water helps.\n"
    )
    assert structure.kind == ArticleKind.PLAIN
    assert [section.heading for section in structure.sections] == ["Causes", "Treatment", "Prevention"]


def test_the_causes_of_the_one_condition_of_an_article_are_no_entries() -> None:
    structure, _ = understand(
        "Sciatica\n\nIt is pain along a nerve.\n\nWhat are the causes?\n\n"
        "1. Disc disease. A disc presses on the nerve.\n"
        "2. Stenosis. The canal is narrow and pain follows.\n\nHow is it treated?\n\n1. Exercise\n2. Painkillers\n"
    )
    assert structure.kind == ArticleKind.PLAIN
    assert [section.heading for section in structure.sections] == ["What are the causes?", "How is it treated?"]


@pytest.mark.parametrize(
    "title",
    [
        "3 Foods That Cause Headaches",
        "3 Reasons to Stretch Your Back",
        "3 Symptoms of Heart Disease",
        "How to Treat Common Causes of Pain",
        "3 Causes of Rising Hospital Costs",
        "Facts about the Causes of Pain",
        "3 Exercises for Back Pain",
    ],
)
def test_a_title_that_announces_something_else_makes_no_conditions(title: str) -> None:
    entries = "\n\n".join(f"{n}. Number {n}\n\nIt eases chronic pain in the muscles and nerves." for n in (1, 2, 3))
    structure, _ = understand(f"{title}\n\nRead on.\n\n{entries}")
    assert structure.kind == ArticleKind.PLAIN


def test_a_list_below_another_heading_is_not_made_conditions_by_the_title() -> None:
    causes = "\n\n".join(f"{n}. Disease {n}\n\nA chronic disease with pain." for n in (1, 2))
    advice = "\n\n".join(f"{n}. Advice {n}\n\nIt eases chronic pain in the muscles." for n in (1, 2, 3))
    structure, _ = understand(f"2 Causes of Back Pain\n\n{causes}\n\nLiving well with it\n\n{advice}")
    assert [entry.heading for entry in structure.entries] == ["Disease 1", "Disease 2"]
    assert "3. Advice 3" in [section.heading for section in structure.sections]


def test_a_bare_list_of_names_is_no_list_of_entries() -> None:
    structure, _ = understand(
        "3 Causes of Back Pain\n\nThere are three.\n\n1. Chronic disc disease\n2. Bone pain\n3. Nerve infection"
    )
    assert structure.kind == ArticleKind.PLAIN
    assert structure.intro.endswith("<ol><li>Chronic disc disease</li><li>Bone pain</li><li>Nerve infection</li></ol>")


def test_a_numbered_list_in_the_last_entry_or_tip_belongs_to_it() -> None:
    structure, _ = understand(
        "2 Causes of Back Pain\n\n1. Disc disease\n\nIt hurts.\n\n2. Bone pain\n\nIt hurts.\n\nTreatment:\n\n"
        "1. Rest.\n2. Heat.\n\n"
        "How to Prevent Back Pain\n\n1. Move\n\nWalk daily.\n\n2. Lift well\n\nIn two steps:\n\n1. Bend.\n2. Lift."
    )
    assert structure.entries[1].treatment == "<ol><li>Rest.</li><li>Heat.</li></ol>"
    assert [tip.text for tip in structure.tips] == [
        "<p>Walk daily.</p>",
        "<p>In two steps:</p><ol><li>Bend.</li><li>Lift.</li></ol>",
    ]


def test_numbered_headings_below_a_list_of_signs_are_no_signs() -> None:
    structure, _ = understand(
        "On Knees\n\nKnees bend.\n\nAt home\n\nMove them.\n\nSee a doctor if you have:\n\n• fever\n\n"
        "1. Pain\n\nIt lasts.\n\n2. Numbness\n\nIt lasts."
    )
    assert [sign.text for sign in structure.signs] == ["fever"]
    assert structure.intro == "<p>Knees bend.</p>"
    assert [section.heading for section in structure.sections] == ["At home", "1. Pain", "2. Numbness"]


def test_a_text_above_a_later_group_is_not_moved_to_the_intro() -> None:
    structure, _ = understand(
        "Back Pain\n\nAn intro.\n\nCommon causes\n\nThese are frequent.\n\n"
        "1. Disc disease\n\nPain.\n\n2. Bone pain\n\nPain, chronic."
        "\n\nRare causes\n\nThese are not.\n\n3. Tumours\n\nPain, chronic.\n\n4. Infection\n\nPain and fever."
    )
    assert structure.intro == "<p>An intro.</p><p>These are frequent.</p>"
    assert [entry.group for entry in structure.entries] == ["Common causes"] * 2 + ["Rare causes"] * 2
    assert [section.text for section in structure.sections] == ["<p>These are not.</p>"]


def test_the_line_with_the_title_says_the_origin_wherever_it_stands() -> None:
    structure, _ = understand(
        "This post first appeared on Copies.\n\nA Title\n\nIt begins.\n\n"
        "The post A Title appeared first on Example Blog."
    )
    assert structure.origin == Origin("Example Blog", title="A Title")


def test_the_title_is_the_heading_that_the_page_repeats() -> None:
    structure, report = understand("Great Offers Today\n\nOn Knees\n\nKnees bend.\n\nOn Knees\n\nThey carry us.")
    assert structure.title == "On Knees"
    assert piece_of(report, "Great Offers Today").reason == Reason.BEFORE_TITLE


def test_a_numbered_conclusion_is_no_condition() -> None:
    causes = "\n\n".join(f"{n}. Disease {n}\n\nA chronic disease with pain." for n in (1, 2))
    structure, _ = understand(f"2 Causes of Back Pain\n\n{causes}\n\n3. Conclusion\n\nAsk your doctor.")
    assert len(structure.entries) == 2
    assert structure.conclusion == "<p>Ask your doctor.</p>"


def test_bulleted_tips_are_tips() -> None:
    causes = "\n\n".join(f"{n}. Disease {n}\n\nA chronic disease with pain." for n in (1, 2))
    structure, _ = understand(
        f"2 Causes of Back Pain\n\n{causes}\n\nPrevention\n\nDo this.\n\n• Move more\n• Rest: sleep well"
    )
    assert structure.tips_intro == "<p>Do this.</p>"
    assert [(tip.name, tip.text) for tip in structure.tips] == [("Move more", ""), ("Rest", "<p>sleep well</p>")]


def test_text_is_escaped() -> None:
    structure, _ = understand("A Title\n\nIf a < b & c > d, then <script>alert(1)</script> runs.")
    assert structure.intro == "<p>If a &lt; b &amp; c &gt; d, then &lt;script&gt;alert(1)&lt;/script&gt; runs.</p>"


def test_an_origin_above_the_article_does_not_end_it() -> None:
    structure, report = understand(
        "This post first appeared on Example Blog.\n\nA Title\n\nThe first sentence of it.\n\nA Heading\n\nMore of it."
    )
    assert structure.origin == Origin("Example Blog")
    assert structure.title == "A Title"
    assert [section.heading for section in structure.sections] == ["A Heading"]
    assert left_out(report) == []


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("16 Common Causes of Back Pain and Leg Weakness", "back pain and leg weakness"),
        ("12 Causes of Dizziness and How to Treat Them", "dizziness"),
        ("What Causes Knee Pain? 8 Answers", "knee pain"),
        ("9 Conditions That Cause Fatigue: a Guide", "fatigue"),
        ("7 Causes of ADHD Burnout", "ADHD burnout"),
        ("A Day at the Clinic", ""),
    ],
)
def test_the_topic_is_told_from_the_title(title: str, topic: str) -> None:
    assert find_topic(title, words_for("en")) == topic


@pytest.mark.parametrize(
    "sign",
    [
        "Loss of bladder or bowel control.",
        "You cannot control your bladder",
        "Pain with chest pain or shortness of breath.",
        "Difficulty in breathing",
        "Fainting or passing out",
        "Numbness around the groin or buttocks",
        "Sudden paralysis of a leg",
    ],
)
def test_signs_of_an_emergency_are_proposed_as_one(sign: str) -> None:
    assert propose_urgency(sign, words_for("en")) == Urgency.EMERGENCY


@pytest.mark.parametrize(
    "sign",
    [
        "Pain after a fall, injury or accident",
        "A fever",
        "A recent infection",
        "Weakness that gets worse",
        "Unexplained weight loss",
    ],
)
def test_urgent_signs_are_proposed_as_urgent(sign: str) -> None:
    assert propose_urgency(sign, words_for("en")) == Urgency.URGENT


@pytest.mark.parametrize("sign", ["Pain that disrupts your sleep", "Tingling in the toes", "It benefits nobody"])
def test_other_signs_are_a_reason_to_see_a_doctor(sign: str) -> None:
    assert propose_urgency(sign, words_for("en")) == Urgency.SEE_A_DOCTOR


def test_a_language_without_word_lists_is_read_with_the_english_ones() -> None:
    assert words_for("xx") is words_for("en-gb") is words_for("en")

"""The conventions of old articles, each told by its form: what is a condition, and what only looks like one."""

# ruff: noqa: RUF001 -- the articles are typed as articles are

from datetime import UTC, datetime

import pytest

from blog.importing.blocks import Block, Kind, Meta, PictureRef, SourceArticle, Zone
from blog.importing.pieces import Corrections
from blog.importing.readers.html import html_blocks
from blog.importing.readers.text import text_blocks
from blog.importing.result import (
    ArticleKind,
    Origin,
    PlacedPicture,
    Reason,
    Reference,
    Role,
    Structure,
    Sure,
    Understood,
    Urgency,
)
from blog.importing.structure import understand

pytestmark = pytest.mark.once


def of_blocks(blocks: list[Block], meta: Meta | None = None, corrections: Corrections | None = None) -> Understood:
    article = SourceArticle("a", "", "a", "", tuple(blocks), meta or Meta())
    return understand(article, corrections=corrections, language="en")


def of_html(source: str, corrections: Corrections | None = None) -> Understood:
    blocks, meta = html_blocks(source)
    return of_blocks(blocks, meta, corrections)


def of_text(source: str) -> Understood:
    return of_blocks(text_blocks(source.encode()))


def named(structure: Structure) -> list[tuple[str, bool]]:
    return [(entry.heading, bool(entry.treatment)) for entry in structure.entries]


def reasons(understood: Understood) -> dict[str, str | None]:
    blocks = understood.article.blocks
    return {blocks[piece.block].text[piece.start : piece.end].strip(): piece.reason for piece in understood.pieces}


TITLE = "<h1>3 Causes of Heel Pain</h1><p>Heels carry us.</p>"
TEXTS = {
    "Plantar fasciitis": ("The tissue under the foot is inflamed, and there is pain.", "Rest and insoles."),
    "Heel spur": ("A bone grows a point, with pain in the joint.", "Softer shoes."),
    "Stress fracture": ("A bone cracks under chronic strain and swells.", "A boot for six weeks."),
}
ALL = [(name, True) for name in TEXTS]


def written(form: str) -> str:
    return TITLE + "".join(
        form.format(n=n, back=4 - n, name=name, text=text, treatment=treatment)
        for n, (name, (text, treatment)) in enumerate(TEXTS.items(), 1)
    )


@pytest.mark.parametrize(
    "form",
    [
        "<h2>{n}. {name}</h2><p>{text}</p><p>Treatment: {treatment}</p>",
        "<h2>{n}) {name}</h2><p>{text}</p><h3>Treatment</h3><p>{treatment}</p>",
        "<h2>#{n} {name}</h2><p>{text}</p><h2>Treatment</h2><p>{treatment}</p>",
        "<h3>Cause {n}: {name}</h3><p>{text}</p><p><b>How it is treated:</b> {treatment}</p>",
        "<h3>Cause #{back}: {name}</h3><p>{text}</p><p><b>What helps</b> {treatment}</p>",
        "<h2>{back}. {name}</h2><p>{text} Treatment: {treatment}</p>",
        "<h2><span>{n}</span> {name}</h2><p>{text}</p><p>Treatment options</p><ul><li>{treatment}</li></ul>",
        "<h2>{name}</h2><p>{text}</p><p><b>The fix:</b> {treatment}</p>",
        "<p><b>{n}. {name}</b></p><p>{text}</p><p>What you can do: {treatment}</p>",
        "<p><b>{name}</b></p><p>{text}</p><p>Treatment: {treatment}</p>",
        "<p><b>{name}.</b> {text} <i>Treatment:</i> {treatment}</p>",
        "<p><b>{name}</b> – {text}</p><p>Treatment – {treatment}</p>",
        "<p>{n}. <b>{name}:</b> {text} Treatment: {treatment}</p>",
        "<p>{name}: {text}</p><p>Treatment: {treatment}</p>",
        "<ol><li><b>{name}</b> {text}<br><b>Treatment:</b> {treatment}</li></ol>",
        "<dl><dt>{name}</dt><dd>{text}</dd><dd>Treatment: {treatment}</dd></dl>",
        "<h2>{name}</h2><p>{text}</p><p>Treatment usually means this: {treatment}</p>",
        "<h2>{name}</h2><p>{text} Doctors usually recommend this: {treatment}</p>",
        "<h2>{name}</h2><p>{text}</p><p><b>Our clinic says:</b> Do rest. {treatment}</p>",
        "<h3>{back}. {name}</h3><p>{text}</p><h4>Our plan</h4><ul><li>rest, then ice</li><li>{treatment}</li></ul>",
    ],
)
def test_conditions_and_treatments_are_told_under_every_convention(form: str) -> None:
    structure = of_html(written(form)).structure
    assert named(structure) == ALL
    assert all(
        treatment in entry.treatment for entry, (_, treatment) in zip(structure.entries, TEXTS.values(), strict=True)
    )
    assert all(text in entry.text for entry, (text, _) in zip(structure.entries, TEXTS.values(), strict=True))
    assert structure.intro == "<p>Heels carry us.</p>"
    assert structure.sections == ()


def test_a_table_whose_header_says_so_lists_conditions() -> None:
    rows = "".join(f"<tr><td>{name}</td><td>{text}</td><td>{how}</td></tr>" for name, (text, how) in TEXTS.items())
    head = "<tr><th>Condition</th><th>How it feels</th><th>Treatment</th></tr>"
    assert named(of_html(f"{TITLE}<table>{head}{rows}</table>").structure) == ALL
    head = "<tr><th>Shoe</th><th>How it feels</th><th>Price</th></tr>"
    assert of_html(f"{TITLE}<table>{head}{rows}</table>").structure.kind == ArticleKind.PLAIN


GROUPS = [
    ("Common causes", "Plantar fasciitis"),
    ("Common causes", "Heel spur"),
    ("Less common causes", "Stress fracture"),
    ("Less common causes", "Gout"),
]


@pytest.mark.parametrize(
    "form",
    [
        "<h3>{name}</h3><p>{text}</p>",
        "<h3>{n}. {name}</h3><p>{text}</p>",
        "<p><b>{name}</b></p><p>{text}</p>",
        "<p><b>{name}.</b> {text}</p>",
        "<ul><li><b>{name}</b> – {text}</li></ul>",
    ],
)
def test_items_under_headings_that_group_them_keep_their_group(form: str) -> None:
    text = "It is painful, and the joint swells."
    parts = [form.format(n=n, name=name, text=text) for n, (_, name) in enumerate(GROUPS, 1)]
    groups = f"<h2>Common causes</h2>{parts[0]}{parts[1]}<h2>Less common causes</h2>{parts[2]}{parts[3]}"
    structure = of_html(f"<h1>What causes heel pain?</h1><p>It hurts.</p>{groups}<h2>Living with it</h2><p>Walk.</p>")
    assert [(entry.group, entry.heading) for entry in structure.structure.entries] == GROUPS
    assert [section.heading for section in structure.structure.sections] == ["Living with it"]


def test_the_title_announces_what_stands_under_a_heading_that_says_nothing() -> None:
    heading = "<h2>The usual suspects</h2>"
    title, rest = TITLE, written("<p><b>{n}. {name}.</b> {text}</p>").removeprefix(TITLE)
    structure = of_html(
        f"{title}{heading}{rest}<h2>How to prevent it</h2><ul><li>Stretch</li><li>Walk</li></ul>"
    ).structure
    assert [entry.heading for entry in structure.entries] == list(TEXTS)
    assert [tip.name for tip in structure.tips] == ["Stretch", "Walk"]
    title = "<h1>What my heel has taught me</h1>"
    assert of_html(title + heading + rest).structure.kind == ArticleKind.PLAIN


def test_headings_that_only_group_are_told_by_what_stands_below_them() -> None:
    parts = [f"<h3>{name}</h3><p>It is painful, and the joint swells.</p>" for _, name in GROUPS]
    structure = of_html(
        f"<h1>4 Causes of Heel Pain</h1><h2>Soft parts</h2>{parts[0]}{parts[1]}<h2>Bones</h2>{parts[2]}{parts[3]}"
    ).structure
    assert [(entry.group, entry.heading) for entry in structure.entries] == [
        ("Soft parts" if number < 2 else "Bones", name) for number, (_, name) in enumerate(GROUPS)
    ]


def told(*names: str, form: str = "<h2>{}</h2><p>Chronic pain of the joints and nerves follows.</p>") -> str:
    return "".join(form.format(name) for name in names)


@pytest.mark.parametrize(
    "source",
    [
        f"<h1>How I Beat Plantar Fasciitis</h1>{told('1. Rest', '2. Ice', '3. New shoes')}",
        f"<h1>The 3 Best Shoes for Heel Pain</h1>{told('CloudWalk 2', 'SoftStep', 'Heelio')}",
        f"<h1>7 Foods That Cause Gout</h1>{told('1. Liver', '2. Beer', '3. Sardines')}",
        f"<h1>3 Symptoms of Gout</h1>{told('1. Swelling', '2. Fever', '3. Pain')}",
        f"<h1>What causes gout, and 3 ways to stop it</h1>{told('1. Drink water', '2. Lose weight', '3. Rest')}",
        f"<h1>Myths about the causes of gout</h1>{told('1. Meat disease', '2. Cold feet', '3. Old age')}",
        f"<h1>5 stages of gout</h1>{told('1. Mild', '2. Severe', form='<h2>{}</h2><p>Pain. Treatment: rest.</p>')}",
        f"<h1>What causes gout? 3 questions</h1>{told('1. Is it painful?', '2. Who gets it?', '3. Is there a cure?')}",
        f"<h1>Gout: causes, symptoms and treatment</h1>{told('Symptoms')}<h2>Causes</h2>"
        f"{told('Genes', 'Beer', 'Obesity', form='<h3>{}</h3><p>The joints and kidneys hurt.</p>')}{told('Treatment')}",
        f"<h1>What causes gout?</h1>{told('Meat', 'Beer', 'Genes', 'Symptoms', 'Treatment', 'Diagnosis')}",
        f"<h1>Living with gout</h1>{told('At work', 'At home', 'On the road')}",
        f"<h1>What Causes Heel Pain?</h1>{told('What is the heel?', 'How does it hurt?', 'Why me?')}",
        f"<h1>What causes cold feet?</h1>{told('Thin socks', 'Poor circulation', 'Old boots')}",
        f"<h1>Nine doctors: my year with Lyme disease</h1>{told('June: a flu', 'August: my knees', 'October: pain')}",
        f"<h1>Study finds causes of rising asthma costs</h1>{told('Smog', 'Smoke', 'Pollen')}",
    ],
)
def test_what_only_looks_like_a_list_of_conditions_is_none(source: str) -> None:
    understood = of_html(source)
    assert understood.structure.kind == ArticleKind.PLAIN
    assert understood.structure.sections
    assert not {Role.ENTRY, Role.TREATMENT} & {piece.role for piece in understood.pieces}


def test_names_without_numbers_or_treatments_are_taken_with_doubt_and_it_is_said() -> None:
    items = told("Thin socks", "Poor circulation", "Old boots", form="<h3>{}</h3><p>The nerves and blood suffer.</p>")
    understood = of_html(f"<h1>Cold feet</h1><p>They are cold.</p><h2>Common causes of cold feet</h2>{items}")
    assert {piece.sure for piece in understood.pieces if piece.role == Role.ENTRY} == {Sure.UNSURE}
    assert "check that they are" in str(understood)


def test_parts_of_the_whole_article_end_the_last_condition_whatever_their_level() -> None:
    structure = of_html(
        f"{written('<h2>{n}. {name}</h2><p>{text}</p>')}<h3>How to prevent heel pain</h3><ul>"
        "<li><b>Stretch.</b> Daily.</li><li>Wear good shoes</li></ul>"
        "<h4>When to see a doctor</h4><ul><li>You have a fever</li></ul>"
        "<h3>FAQ</h3><h4>Can I run?</h4><p>Slowly.</p><h3>The bottom line</h3><p>It passes.</p>"
    ).structure
    assert [entry.text.count("<p>") for entry in structure.entries] == [1, 1, 1]
    assert [(tip.name, tip.text) for tip in structure.tips] == [("Stretch", "<p>Daily.</p>"), ("Wear good shoes", "")]
    assert [sign.urgency for sign in structure.signs] == [Urgency.URGENT]
    assert [section.heading for section in structure.sections][-1] == "Can I run?"
    assert structure.conclusion == "<p>It passes.</p>"


PAGE = """<html><body><nav><a href="/">Home</a></nav><main>
<h1>3 Causes of Heel Pain</h1>
<p>By Ann Lee, RN and Bo Chan · Updated May 3, 2020 · 4 min read</p>
<p>Medically reviewed by Dr. Sam Cole</p>
<p>Heels hurt<sup>1</sup>.</p><img src="heel.jpg" alt="A heel">
<ul><li><a href="#a">Plantar fasciitis</a></li><li><a href="#b">Heel spur</a></li><li><a href="#c">Gout</a></li></ul>
<h2 id="a">1. Plantar fasciitis</h2><p>Painful <b>tissue</b>. [2]</p><img src="foot.jpg" alt="A foot">
<p>Read more: <a href="/x">Shoes for you</a></p><p>Advertisement</p>
<h2 id="b">2. Heel spur</h2><p>A painful bone.</p><p>Check out our new insoles</p>
<h2 id="c">3. Gout</h2><p>A painful joint disease.</p>
<h2>References</h2><ol><li>Lee A. Heels. 2019. <a href="https://doi.org/10.1000/heel">link</a></li>
<li>PMID: 123456</li></ol>
<p>Tags: feet, pain</p>
<p>This article is for informational purposes only and does not replace medical advice.</p>
<p>This post was originally published on <a href="https://heels.example/3">Heel Weekly</a>.</p>
<h3>About the author</h3><p>Ann Lee is a nurse who lives in York.</p>
<h3>Related posts</h3><p><a href="/y">Toes</a></p>
<h3>2 Comments</h3><p>Bob says: mine hurt, too, for years and years.</p>
</main></body></html>"""


class TestPage:
    """A page with everything around its article, and no markup that says which is which."""

    @pytest.fixture
    def understood(self) -> Understood:
        return of_html(PAGE)

    def test_facts_are_read_from_lines(self, understood: Understood) -> None:
        structure = understood.structure
        assert structure.authors == ("Ann Lee, RN", "Bo Chan")
        assert structure.published == datetime(2020, 5, 3, tzinfo=UTC)
        assert structure.tags == ("feet", "pain")
        assert structure.origin == Origin("Heel Weekly", "https://heels.example/3")

    def test_references_know_their_marker_and_address(self, understood: Understood) -> None:
        first, second = understood.structure.references
        assert (first.doi, first.year, first.marker) == ("10.1000/heel", 2019, "1")
        assert second == Reference("PMID: 123456", pmid="123456", marker="2")
        assert "<sup>1</sup>" in understood.structure.intro
        assert "[2]" in understood.structure.entries[0].text

    def test_pictures_know_where_they_stand(self, understood: Understood) -> None:
        assert understood.structure.pictures == (
            PlacedPicture(PictureRef("heel.jpg", "A heel"), "lead"),
            PlacedPicture(PictureRef("foot.jpg", "A foot"), "entry:1"),
        )

    def test_bold_stays_bold(self, understood: Understood) -> None:
        assert "<strong>tissue</strong>" in understood.structure.entries[0].text

    def test_the_rest_is_left_out_each_for_its_reason(self, understood: Understood) -> None:
        why = reasons(understood)
        assert {text: why[text] for text in ("Heel spur", "Gout")} == {"Heel spur": None, "Gout": None}
        assert why["Medically reviewed by Dr. Sam Cole"] == Reason.REVIEWER
        assert why["Read more: Shoes for you"] == Reason.RELATED
        assert why["Check out our new insoles"] == Reason.RELATED
        assert why["Advertisement"] == Reason.PROMOTION
        assert why["Ann Lee is a nurse who lives in York."] == Reason.ABOUT_AUTHOR
        assert why["Toes"] == Reason.RELATED
        assert why["Bob says: mine hurt, too, for years and years."] == Reason.COMMENTS
        assert [r for t, r in why.items() if t.startswith("This article is for")] == [Reason.DISCLAIMER]
        assert [p.reason for p in understood.pieces].count(Reason.CONTENTS) == 3

    def test_the_report_says_it_all(self, understood: Understood) -> None:
        report = str(understood)
        assert "Authors: Ann Lee, RN, Bo Chan" in report
        assert "Published: 3 May 2020" in report
        assert "2 references, 2 pictures" in report


def test_related_posts_end_where_the_article_goes_on() -> None:
    structure = of_html(
        f"{TITLE}<h2>1. Gout</h2><p>A painful disease.</p><h3>You may also like</h3><p><a href='/a'>Toes</a></p>"
        "<p>Nails</p><h2>2. Heel spur</h2><p>A painful bone.</p>"
    ).structure
    assert [entry.heading for entry in structure.entries] == ["Gout", "Heel spur"]


def test_zones_are_not_believed_if_hardly_any_text_would_be_left() -> None:
    text = "A joint hurts for many reasons, and most of them are harmless. " * 4
    blocks = [Block(Kind.HEADING, "On joints", 1, level=1), Block(Kind.PARAGRAPH, "Hello.", 2)]
    blocks += [Block(Kind.PARAGRAPH, text, line, zone=Zone.ASIDE) for line in range(3, 9)]
    understood = of_blocks(blocks)
    assert understood.structure.intro.count("<p>") == 7
    assert "that was not believed" in str(understood)


def test_warning_signs_in_a_box_beside_the_article_are_kept() -> None:
    box = "<aside><h3>When to call a doctor</h3><ul><li>You faint</li><li>You have a fever</li></ul></aside>"
    structure = of_html(f"<html><body><main>{written('<h2>{n}. {name}</h2><p>{text}</p>')}{box}</main></body></html>")
    assert [sign.urgency for sign in structure.structure.signs] == [Urgency.EMERGENCY, Urgency.URGENT]


@pytest.mark.parametrize(
    ("meta", "first", "title", "role"),
    [
        (Meta(title="On knees"), Block(Kind.PARAGRAPH, "Knees bend, and that is good.", 1), "On knees", Role.INTRO),
        (Meta(title="On knees"), Block(Kind.HEADING, "A beginning", 1, level=2), "On knees", Role.SECTION_HEADING),
        (Meta(title="On knees | Joints"), Block(Kind.HEADING, "On knees", 1, level=2), "On knees", Role.TITLE),
        (Meta(title="Knees"), Block(Kind.HEADING, "All about knees", 1, level=1), "All about knees", Role.TITLE),
        (Meta(), Block(Kind.HEADING, "On knees", 1), "On knees", Role.TITLE),
    ],
)
def test_the_title_is_that_of_the_text_or_what_the_source_says(
    meta: Meta, first: Block, title: str, role: Role
) -> None:
    understood = of_blocks([first, Block(Kind.PARAGRAPH, "They carry us a long way every day.", 2)], meta)
    assert understood.structure.title == title
    assert understood.pieces[0].role == role


@pytest.mark.parametrize("headline", ["5 Causes of Cold Hands", "Cold Hands", "A Short Guide to Warmer Hands"])
def test_the_name_of_the_site_above_a_pasted_article_is_not_its_title(headline: str) -> None:
    understood = of_text(f"Menu\n\nThe Health Library\n\n{headline}\n\nBy Ann Lee, RN\n\nHands get cold in winter.")
    assert understood.structure.title == headline
    assert understood.structure.authors == ("Ann Lee, RN",)


@pytest.mark.parametrize(
    "line",
    [
        "Adapted with permission. This article first appeared on <a href='https://heels.example/3'>Heel Weekly</a>.",
        "This article first appeared on <a href='https://heels.example/3'>Heel Weekly</a>. Its pictures are theirs.",
    ],
)
def test_the_origin_is_told_in_one_of_several_sentences(line: str) -> None:
    assert of_html(f"{TITLE}<p>{line}</p>").structure.origin == Origin("Heel Weekly", "https://heels.example/3")


def test_a_menu_above_a_pasted_article_is_not_its_title() -> None:
    understood = of_text("Home\n\nTopics\n\n5 Causes of Cold Hands\n\nHands get cold.\n\n1. Gloves\n\nThey are thin.")
    assert understood.structure.title == "5 Causes of Cold Hands"


# --- Corrections ---


def test_an_editor_makes_a_section_a_condition_and_cuts_its_treatment_out() -> None:
    source = "<h1>Living with heels</h1><p>x</p><h2>Gout</h2><p>It hurts. Rest helps.</p>"
    found = of_html(source)
    assert found.structure.kind == ArticleKind.PLAIN
    understood = of_html(
        source,
        {
            "cuts": {"3": [10]},
            "roles": {
                "2.0": {"role": "entry"},
                "3.0": {"role": "entry-text"},
                "3.10": {"role": "treatment"},
            },
        },
    )
    entry = understood.structure.entries[0]
    assert (entry.heading, entry.text, entry.treatment) == ("Gout", "<p>It hurts.</p>", "<p>Rest helps.</p>")
    assert understood.structure.kind == ArticleKind.CONDITIONS


def test_an_editor_leaves_out_a_piece_and_sets_an_urgency() -> None:
    understood = of_html(
        "<h1>Heels</h1><p>Heels carry us.</p><h2>Red flags</h2><ul><li>A fever</li><li>Buy now</li></ul>",
        {"roles": {"3.0": {"role": "sign", "urgency": "emergency"}, "4.0": {"role": "leave"}}},
    )
    assert [(sign.text, sign.urgency) for sign in understood.structure.signs] == [("A fever", Urgency.EMERGENCY)]
    assert understood.pieces[-1].reason == Reason.EDITOR


def test_corrections_that_fit_nothing_say_nothing() -> None:
    source = written("<h2>{n}. {name}</h2><p>{text}</p>")
    odd: Corrections = {
        "cuts": {"99": [1], "x": [2], "1": [-5, 0, 9_999]},
        "roles": {"0.7": {"role": "entry"}, "1.0": {"role": "?"}},
    }
    assert of_html(source, odd) == of_html(source)


def test_a_remark_on_what_an_editor_has_corrected_is_gone() -> None:
    source = f"<h1>5 stages of arthritis</h1>{told('1. Mild', '2. Moderate')}"
    assert "numbered headings were kept" in str(of_html(source))
    assert "numbered headings were kept" not in str(
        of_html(source, {"roles": {"1.0": {"role": "entry", "urgency": ""}}})
    )

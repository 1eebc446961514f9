"""Markdown is read into blocks, with its front matter, on the lines of its source."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, Meta, PictureRef, Problem, Source, SourceArticle, UnreadableSource
from blog.importing.readers.markdown import MAX_LENGTH, markdown_blocks, read_markdown

pytestmark = pytest.mark.once


def blocks_of(text: str) -> list[Block]:
    return markdown_blocks(text)[0]


def only(text: str) -> Block:
    (block,) = blocks_of(text)
    return block


def items_of(data: bytes | str, name: str = "feet.md") -> list[SourceArticle | Problem]:
    data = data.encode() if isinstance(data, str) else data
    return list(read_markdown(Source(name, lambda: BytesIO(data), len(data))))


def read(data: bytes | str, name: str = "feet.md") -> SourceArticle:
    (article,) = items_of(data, name)
    assert isinstance(article, SourceArticle)
    return article


def meta_of(front: str) -> Meta:
    return read(f"---\n{front}\n---\n\nWords.\n").meta


@pytest.mark.parametrize(
    ("text", "level", "marker"),
    [
        ("## Gout", 2, ""),
        ("Gout\n----", 2, ""),
        ("### 3\\. Gout", 3, "3."),
        ("### 3. Gout", 3, "3."),
        ("### 3\\) Gout ###", 3, "3)"),
        ("## **3. Gout**", 2, "3."),
        ("**3. Gout**", 0, "3."),
        ("3\\. Gout", 0, "3."),
        ("## Gout {#gout .cause}", 2, ""),
        ("## Gout\n{: .cause}", 2, ""),
    ],
)
def test_headings_of_every_style(text: str, level: int, marker: str) -> None:
    block = only(text)
    assert (block.kind, block.text, block.level, block.marker) == (Kind.HEADING, "Gout", level, marker)


def test_items_keep_number_depth_and_paragraphs() -> None:
    text = "2. **Gout**\n\n   Pain in the toe.\n\n   - Treatment: rest\n\n3. **Corns**\n"
    assert [(block.kind.value, block.as_written, block.depth) for block in blocks_of(text)] == [
        ("item", "2. Gout", 1),
        ("paragraph", "Pain in the toe.", 1),
        ("item", "• Treatment: rest", 2),
        ("item", "3. Corns", 1),
    ]


def test_blocks_say_on_which_line_they_start() -> None:
    text = (
        "# One\n\nTwo goes\non.\n\n* three\n* four\n\n| a | b |\n|---|---|\n| five | c |\n\n```\nsix\n```\n\n"
        "<div>\nseven\n</div>\n\n> eight\n\nA hard break.  \nNine: x\n"
    )
    found = {block.text.split()[0]: block.line for block in markdown_blocks(text, first_line=101)[0]}
    assert found == {
        "One": 101, "Two": 103, "three": 106, "four": 107, "a": 109, "five": 111, "six": 114, "seven": 118,
        "eight": 121, "A": 123, "Nine:": 124,
    }  # fmt: skip


def test_links_by_reference_and_marks_are_read() -> None:
    block = only("It is *so* **bad**, [see][1].\n\n[1]: https://a.example/b\n")
    assert block.text == "It is so bad, see."
    assert [(mark.style.value, mark.href) for mark in block.marks] == [
        ("em", ""),
        ("strong", ""),
        ("a", "https://a.example/b"),
    ]


def test_a_picture_has_its_title_for_caption() -> None:
    assert only('![A foot](img/foot.jpg "My own foot")').picture == PictureRef("img/foot.jpg", "A foot", "My own foot")
    figure = '{{< figure src="/foot.jpg" alt="A foot" caption="My own foot" >}}'
    assert only(figure).picture == PictureRef("/foot.jpg", "A foot", "My own foot")


def test_footnotes_stay_where_they_are_written() -> None:
    text = "It helps.[^1] So does rest.[^lee]\n\n[^1]: Abara, 2020.\n\nAfter.\n\n[^lee]: Lee, 2021.\n\n    More.\n"
    assert [(block.as_written, block.anchor) for block in blocks_of(text)] == [
        ("It helps.[1] So does rest.[lee]", ""),
        ("[1] Abara, 2020.", "fn-1"),
        ("After.", ""),
        ("[lee] Lee, 2021.", "fn-lee"),
        ("More.", ""),
    ]
    assert [mark.href for mark in blocks_of(text)[0].marks if mark.href] == ["#fn-1", "#fn-lee"]


def test_html_in_markdown_is_read() -> None:
    assert [
        block.text for block in blocks_of("A <b>bold</b> word\n\n<details><summary>Why?</summary>\n\nSo.\n\n</details>")
    ] == [
        "A bold word",
        "Why?",
        "So.",
    ]


# Front matter


def test_front_matter_of_jekyll_and_hugo() -> None:
    meta = meta_of(
        'title: "Cold feet: causes"\ndate: 2019-05-01 10:00:00 +0200\nlastmod: 2020-01-02\nauthor: {name: Ann Lee}\n'
        "tags: [feet, cold]\ncategories: blood\naliases:\n  - /old/feet\n  - https://a.example/x/feet.html\n"
        "canonical_url: https://a.example/feet/\ndescription: Why.\nimage: {src: a.jpg, alt: A foot}\nlang: de_AT\n"
        "draft: true"
    )
    assert meta == Meta(
        title="Cold feet: causes",
        summary="Why.",
        authors=("Ann Lee",),
        published=datetime(2019, 5, 1, 8, tzinfo=UTC),
        modified=datetime(2020, 1, 2, tzinfo=UTC),
        tags=("feet", "cold", "blood"),
        language="de-AT",
        url="https://a.example/feet/",
        paths=("/old/feet", "/x/feet.html", "/feet/"),
        status="draft",
        picture=PictureRef("a.jpg", "A foot"),
    )


@pytest.mark.parametrize(
    "front",
    [
        '+++\ntitle = "Cold feet"\ndate = 2019-05-01\nauthors = ["Ann", "Bo"]\n+++\n',
        '{\n"title": "Cold feet", "date": "2019-05-01", "authors": ["Ann", "Bo"]\n}\n',
        "---\nTitle: Cold feet\nDate: 2019-05-01T00:00:00Z\nAuthors: Ann, Bo\n...\n",
        "% Cold feet\n% Ann, Bo\n% 2019-05-01\n",
    ],
)
def test_front_matter_in_every_notation(front: str) -> None:
    article = read(f"{front}\nWords.\n")
    assert (article.meta.title, article.meta.authors) == ("Cold feet", ("Ann", "Bo"))
    assert article.meta.published == datetime(2019, 5, 1, tzinfo=UTC)
    assert [(block.text, block.line) for block in article.blocks] == [("Words.", front.count("\n") + 2)]


def test_front_matter_that_is_no_yaml_is_read_line_by_line_and_said_so() -> None:
    problem, article = items_of("---\ntitle: Feet: cold ones\ntags: [a\ndate: 2019-05-01\n---\nWords.\n")
    assert isinstance(problem, Problem)
    assert isinstance(article, SourceArticle)
    assert article.meta.title == "Feet: cold ones"
    assert article.meta.published == datetime(2019, 5, 1, tzinfo=UTC)


def test_front_matter_does_not_say_a_thing_twice_by_an_alias() -> None:
    assert len(items_of("---\ntitle: Feet\na: &a [x]\nb: [*a, *a]\n---\nWords.\n")) == 2


def test_text_between_two_rules_is_no_front_matter() -> None:
    article = read("---\nWhat it is: a pain in\nthe toe of a man.\n---\n\nWords.\n")
    assert article.meta.title == ""
    assert "What it is: a pain in the toe of a man." in [block.text for block in article.blocks]


@pytest.mark.parametrize(
    "front",
    [
        "title: [[a]]\ntags: {a: 1}\ndate: [x]\nauthor: 5\nimage: true\naliases: {a: b}\npermalink: /:year/:title",
        "date: 9999-99-99\ntags: 2019-01-01",
        "? [a]\n: b",
        "a: &a [x]\nb: [*a, *a]",
        "title: !!python/object:os.system x",
        "[" * 500,
    ],
)
def test_front_matter_of_any_shape_loses_no_text(front: str) -> None:
    items = items_of(f"---\n{front}\n---\n\nWords.\n")
    assert isinstance(items[-1], SourceArticle)
    assert items[-1].blocks[-1].text == "Words."
    assert items[-1].meta.paths == ()


def test_the_name_of_a_file_may_say_the_date() -> None:
    assert read("Words.", "2019-05-01-feet.md").meta.published == datetime(2019, 5, 1, tzinfo=UTC)


def test_an_article_is_known_by_its_address_or_its_name() -> None:
    assert read("Words.").identity == "file:feet.md"
    assert read("---\ncanonical_url: https://a.example/feet/\n---\nWords.").identity == "https://a.example/feet/"


# Bad sources


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a " * (MAX_LENGTH // 2 + 1), "larger than 1 MB"),
        (b"", "no text"),
        (b"---\ntitle: x\n---\n", "no text"),
        (bytes(range(32)) * 20, "not a Markdown file"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableSource, match=message):
        read(data)


@pytest.mark.parametrize(
    "text",
    [
        "> " * 500 + "word",
        "".join(f"{'  ' * depth}- item\n" for depth in range(200)) + "\nword",
        "![" * 50_000 + " word",
        "**x** " * 20_000 + "word",
        "word " + "`a" * 5_000,
        "word\n\n" + "| a " * 5_000 + "\n" + "|-" * 5_000,
    ],
)
def test_hostile_markdown_is_read(text: str) -> None:
    assert any("word" in block.text for block in blocks_of(text))


def test_a_paragraph_of_endless_length_is_read_as_plain_text() -> None:
    assert only("**x** " * 10_000).text.startswith("**x** **x**")


phrases = st.lists(st.sampled_from(["rest", "helps", "*knee*", "**pain**", "`why`", "[a](b)"]), min_size=1, max_size=9)
starts = st.sampled_from(
    ["", "# ", "- ", "1. ", "> ", "    ", "  - ", "\n", "| ", "[^1]: ", "<div>", "---\n", "{: ", "![x]("]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(starts, phrases), max_size=20) | st.binary(max_size=200))
def test_any_source_is_read_or_refused(lines: list[tuple[str, list[str]]] | bytes) -> None:
    data = lines if isinstance(lines, bytes) else "\n".join(f"{a}{' '.join(b)}" for a, b in lines).encode()
    try:
        items = items_of(data)
    except UnreadableSource:
        return
    blocks = [block for item in items if isinstance(item, SourceArticle) for block in item.blocks]
    assert all(block.line >= 1 and (block.text.strip() == block.text) for block in blocks)

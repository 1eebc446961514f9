"""Blocks are written as the HTML of drafts: every word, in what the sanitiser lets through."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, Mark, PictureRef, Style
from blog.importing.html import to_html
from blog.importing.readers.html import html_blocks
from publishing.richtext import clean, plain

pytestmark = pytest.mark.once


def written(html: str) -> str:
    """What a draft has of the HTML of a source."""
    return to_html(html_blocks(html)[0])


@pytest.mark.parametrize(
    "html",
    [
        "<p>One &lt; two &amp; “three”</p><p>four</p>",
        "<h3>Signs</h3><p>One</p><h4>Rare</h4><p>two</p>",
        "<p><strong>Signs</strong></p><p>Fever is one of them.</p>",
        "<ul><li>One</li><li>two</li></ul>",
        "<ol><li>One</li><li>two</li></ol>",
        "<ul><li>One<ul><li>inner</li><li>more</li></ul></li><li>two</li></ul>",
        "<ol><li>One<ul><li>inner</li></ul></li><li>two</li></ol>",
        "<ul><li><p>One</p><p>goes on.</p></li><li>two</li></ul>",
        "<blockquote><p>One</p><p>two</p></blockquote>",
        "<p>H<sub>2</sub>O and m<sup>2</sup></p>",
        "<p>Is <strong>bold <em>and italic</em></strong><em> or</em> not.</p>",
        '<p>See <a href="https://a.example/b?c=1&amp;d=2">all <strong>of</strong> it</a>.</p>',
        '<p>Call <a href="tel:+43123">us</a> or <a href="mailto:a@b.example">write</a>.</p>',
    ],
)
def test_what_drafts_may_hold_comes_through_as_it_is(html: str) -> None:
    assert written(html) == html


@pytest.mark.parametrize(
    ("html", "draft"),
    [
        ("<h2>One</h2><p>a</p><h5>two</h5>", "<h3>One</h3><p>a</p><h4>two</h4>"),
        ("<h3>2. Gout</h3>", "<h3>2. Gout</h3>"),
        ("<p><b>2. Gout</b></p><p>It hurts.</p>", "<p><strong>2. Gout</strong></p><p>It hurts.</p>"),
        ("<ol start=4><li>One<li>two</ol>", "<p>4. One</p><p>5. two</p>"),
        ("<table><tr><th>Red<td>Heat</table>", "<ul><li><strong>Red</strong> — Heat</li></ul>"),
        ('<p><a href="/x">One</a> <a href="http://[">two</a> <a href="ftp://a.example">six</a>', "<p>One two six</p>"),
        ("<p>One <b>two <i>three</b> four</i></p>", "<p>One <strong>two <em>three</em></strong><em> four</em></p>"),
        ('<figure><img src="a.jpg"><figcaption>One</figcaption></figure>', "<p>One</p>"),
        ("<img src='a.jpg'>", ""),
    ],
)  # fmt: skip
def test_what_drafts_may_not_hold_is_written_in_another_way(html: str, draft: str) -> None:
    assert written(html) == draft


def test_a_space_that_does_not_break_is_written_as_the_sanitiser_writes_it() -> None:
    assert to_html([Block(Kind.PARAGRAPH, "5\u00a0mg", 1)]) == "<p>5&nbsp;mg</p>"


def test_marks_that_do_not_fit_the_text_do_no_harm() -> None:
    marks = (
        Mark(2, 99, Style.STRONG),
        Mark(3, 3, Style.EM),
        Mark(50, 60, Style.EM),
        Mark(0, 3, Style.LINK, "https://a:b"),
    )
    html = to_html([Block(Kind.PARAGRAPH, "words", 1, marks=marks)])
    assert html == "<p>wo<strong>rds</strong></p>"


texts = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=30).map(
    lambda text: " ".join(text.split()) or "x"
)
addresses = st.sampled_from(
    [
        "https://a.example/b",
        "http://a.example/?a=1&b=\"<'>",
        "javascript:x",
        "/a",
        "mailto:a@b.example",
        "https://a:b",
        "",
    ]
) | st.text(max_size=20).map(lambda text: f"https://{text}")
marks = st.builds(
    lambda start, length, style, href: Mark(start, start + length, style, href if style == Style.LINK else ""),
    st.integers(0, 30),
    st.integers(0, 12),
    st.sampled_from(Style),
    addresses,
)
blocks = st.builds(
    Block,
    kind=st.sampled_from(Kind),
    text=texts,
    line=st.just(1),
    marker=st.sampled_from(["", "•", "3.", "Cause 3:"]),
    number=st.none() | st.integers(0, 4),
    level=st.integers(0, 6),
    depth=st.integers(0, 9),
    marks=st.lists(marks, max_size=6).map(tuple),
    picture=st.none() | st.just(PictureRef("a.jpg")),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(blocks, max_size=12))
def test_every_word_is_written_and_the_sanitiser_changes_nothing(given_blocks: list[Block]) -> None:
    html = to_html(given_blocks)
    assert clean(html) == html
    words = " ".join(plain(html, citations=True).split())
    at = 0
    for block in given_blocks:
        text = block.text.replace(" | ", " — ") if block.kind == Kind.ROW else block.text
        at = words.index(text, at) + len(text)


@settings(max_examples=50, deadline=None)
@given(st.lists(blocks, max_size=8))
def test_marks_change_no_words(given_blocks: list[Block]) -> None:
    bare = [replace(block, marks=()) for block in given_blocks]
    without = re.compile(r"</?(?:a|strong|em|sub|sup)\b[^>]*>")
    assert without.sub("", to_html(given_blocks)) == without.sub("", to_html(bare))

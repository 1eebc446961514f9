"""Rich text: what is let in, and what a page shows of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing.documents import Document, Source
from publishing.kinds import kinds
from publishing.richtext import clean, plain, render

pytestmark = pytest.mark.once


def page(*keys: str) -> Document:
    model: Any = kinds["page"].document
    return model(  # type: ignore[no-any-return]
        kind="page",
        schema=1,
        uuid="u",
        language="en",
        title="t",
        citations=tuple(Source(key=key, kind="web", title=key) for key in keys),
    )


@pytest.mark.parametrize(
    "html",
    [
        "<p>a <strong>b</strong> <em>c</em> <sub>d</sub> <sup>e</sup><br>f</p>",
        "<ul><li>a</li></ul><ol><li>b</li></ol><blockquote><p>c</p></blockquote>",
        "<h3>a</h3><h4>b</h4>",
    ],
)
def test_what_the_editor_writes_stays(html: str) -> None:
    assert clean(html) == html


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        '<p onclick="alert(1)">a</p>',
        '<a href="javascript:alert(1)">a</a>',
        '<a href=" jAvAsCrIpT:alert(1)">a</a>',
        '<a href="data:text/html,<script>alert(1)</script>">a</a>',
        '<iframe src="https://a.example"></iframe>',
        '<p style="position:fixed">a</p>',
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><script>alert(1)</script></mtext></math>",
        "<h1>a</h1><h2>b</h2>",
        "<form action='//a.example'><input name=a></form>",
        "<p class='x' id='y'>a</p>",
        "<!-- <script>alert(1)</script> -->",
    ],
)
def test_nothing_else_does(html: str) -> None:
    cleaned = clean(html)
    for never in ("script", "alert", "onerror", "onclick", "style", "iframe", "<h1", "<h2", "form", "class", "<!--"):
        assert never not in cleaned


@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(html: str) -> None:
    assert clean(clean(html)) == clean(html)


@pytest.mark.parametrize("html", ["", "<p></p>", "<p> </p>", "<p><br></p>", "<p></p><p>&nbsp;</p>", " \n "])
def test_empty_paragraphs_are_no_text(html: str) -> None:
    assert clean(html) == ""


def test_plain_words_are_a_line_for_each_block_without_citations() -> None:
    html = "<h3>A &amp; B</h3><p>one <em>two</em> [@a-b]</p><ul><li>three</li><li>four &lt;5</li></ul>x<br>y"
    assert plain(html) == "A & B\none two\nthree\nfour <5\nx\ny"


def test_citation_becomes_a_numbered_link_to_its_source() -> None:
    html = str(render("<p>So it is [@b], [@a].</p>", page("a", "b")))
    assert '<a class="cite" href="#source-2" aria-label="Source 2">[2]</a>, ' in html
    assert 'href="#source-1"' in html


def test_unknown_citation_stays_to_be_seen() -> None:
    assert render("<p>[@nobody]</p>", page("a")) == "<p>[@nobody]</p>"


def test_citation_inside_an_address_is_left_alone() -> None:
    html = str(render('<p><a href="https://a.example/?q=[@a]">x</a></p>', page("a")))
    assert html.count("<a ") == 1
    assert "source-" not in html


def test_greater_sign_in_an_attribute_does_not_end_the_tag() -> None:
    html = clean('<p><a href="https://a.example/?a>b[@a]">x</a> [@a]</p>')
    assert str(render(html, page("a"))).count('class="cite"') == 1
    assert plain(html) == "x"


def test_page_shows_nothing_unsafe_even_if_it_was_stored_so() -> None:
    assert "script" not in render("<p>a<script>alert(1)</script></p>", page())

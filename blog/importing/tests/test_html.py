"""Saved pages and fragments of HTML are read into blocks, with marks, zones, lines and what the page says of itself."""

# ruff: noqa: RUF001 -- quotes and dashes as sites write them

import random
import re
from collections import Counter
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, Meta, Problem, Source, SourceArticle, Style, UnreadableSource, Zone
from blog.importing.readers import html as reader
from blog.importing.readers.html import html_blocks, read_html
from blog.importing.readers.text import MAX_BYTES

pytestmark = pytest.mark.once

PAGES = Path(__file__).parent / "fixtures" / "pages"


def blocks_of(html: str) -> list[Block]:
    return html_blocks(html)[0]


def texts(html: str) -> list[str]:
    return [block.text for block in blocks_of(html)]


def only(html: str) -> Block:
    (block,) = blocks_of(html)
    return block


def meta_of(head: str, body: str = "<p>Words.</p>") -> Meta:
    return html_blocks(f"<html><head>{head}</head><body>{body}</body></html>")[1]


def read(data: bytes, name: str = "page.html") -> SourceArticle:
    (article,) = read_html(Source(name, lambda: BytesIO(data), len(data)))
    assert not isinstance(article, Problem)
    return article


def page(name: str) -> SourceArticle:
    return read((PAGES / name).read_bytes(), name)


def main_of(article: SourceArticle) -> list[tuple[str, str]]:
    return [(block.kind.value, block.as_written) for block in article.blocks if block.zone == Zone.MAIN]


# Blocks


@pytest.mark.parametrize(
    ("html", "kind", "level"),
    [
        ("<h1>Words</h1>", Kind.HEADING, 1),
        ("<h6>Words</h6>", Kind.HEADING, 6),
        ("<p>Words</p>", Kind.PARAGRAPH, 0),
        ("<div>Words</div>", Kind.PARAGRAPH, 0),
        ("Words", Kind.PARAGRAPH, 0),
        ("<ul><li>Words</ul>", Kind.ITEM, 0),
        ("<blockquote><p>Words</p></blockquote>", Kind.QUOTE, 0),
        ("<details><summary>Words</summary></details>", Kind.HEADING, 0),
        ("<button aria-expanded=false>Words</button>", Kind.HEADING, 0),
        ("<dl><dt>Words</dl>", Kind.HEADING, 0),
        ("<dl><dd>Words</dl>", Kind.PARAGRAPH, 0),
        ("<p><b>Words</b></p>", Kind.HEADING, 0),
        ("<p><b>Words that are a sentence.</b></p>", Kind.PARAGRAPH, 0),
        ("<table><tr><td>Words</td></tr></table>", Kind.PARAGRAPH, 0),
    ],
)
def test_an_element_makes_a_block_of_its_kind(html: str, kind: Kind, level: int) -> None:
    block = only(html)
    assert (block.kind, block.level) == (kind, level)


def test_white_space_is_collapsed_as_browsers_do() -> None:
    assert only("<p>\n  A&nbsp; cup\n\tof <b> tea</b> </p>").text == "A cup of tea"


def test_blocks_say_on_which_line_they_start() -> None:
    html = "<!-- \n -->\n<p\nclass=x>\nOne</p><p>two<br>\nTreatment: three.<br>four</p>\n<ul>\n<li>five"
    assert [(block.line, block.text) for block in html_blocks(html, first_line=10)[0]] == [
        (14, "One"),
        (14, "two"),
        (15, "Treatment: three."),
        (15, "four"),
        (17, "five"),
    ]


def test_marks_cover_what_they_marked() -> None:
    block = only(
        '<p>It is <b>very <i>bad</i></b> <span style="font-weight: 700">indeed</span>, '
        '<a href="/x#y">see</a> H<sub>2</sub>O'
    )
    assert [(mark.style, block.text[mark.start : mark.end]) for mark in block.marks] == [
        (Style.STRONG, "very bad indeed"),
        (Style.EM, "bad"),
        (Style.LINK, "see"),
        (Style.SUB, "2"),
    ]


def test_bold_that_was_made_normal_is_not_bold() -> None:
    assert only('<b style="font-weight:normal" id="docs-internal-guid-1"><p>Words</p></b>').marks == ()


@pytest.mark.parametrize(
    ("href", "base", "found"),
    [
        ("/x", "https://a.example/b/c", "https://a.example/x"),
        ("https://b.example/", "", "https://b.example/"),
        ("#note", "https://a.example/b", "#note"),
        ("mailto:a@b.example", "", "mailto:a@b.example"),
        ("javascript:alert(1)", "https://a.example/", None),
        (" java\nscript:alert(1)", "", None),
        ("data:text/html,x", "", None),
        ("http://[", "https://a.example/", None),
    ],
)
def test_links_are_made_whole_or_dropped(href: str, base: str, found: str | None) -> None:
    (block,) = html_blocks(f'<p>a <a href="{href}">b</a></p>', base=base)[0]
    assert [mark.href for mark in block.marks] == ([found] if found else [])


def test_a_page_may_say_what_its_links_are_relative_to() -> None:
    assert only('<base href="https://a.example/b/"><p><a href="c">d</a></p>').marks[0].href == "https://a.example/b/c"


def test_an_id_is_the_anchor_of_the_next_block() -> None:
    assert [block.anchor for block in blocks_of('<h2 id="a">A</h2><a name="b"></a><p>B</p><p>C <i id="c">d</i>')] == [
        "a",
        "b",
        "c",
    ]


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>One<p>two<div>three</div>", ["One", "two", "three"]),
        ("<p>One</div></span></b> goes on</p>", ["One goes on"]),
        ("<ul><li>One<li>two<ul><li>in</ul>more<li>three</ul>", ["One", "two", "in", "more", "three"]),
        ("<dl><dt>One<dd>two<dt>three</dl>", ["One", "two", "three"]),
        ("<table><tr><td>One<td>two<tr><td>three<td>four</table>", ["One | two", "three | four"]),
        ("<table><td>One<td>two</table>", ["One | two"]),
        ("<table><tr><td><p>One</div><td>two</tr></table>", ["One | two"]),
        ("<h2>One<h3>two</h2>three", ["One", "two", "three"]),
        ("<svg><path><p>One</p></svg>", ["One"]),
        ("<p>One</p><!-- two <p>three</p>", ["One"]),
        ("<button>One<button>two", ["One", "two"]),
    ],
)
def test_elements_end_where_browsers_end_them(html: str, found: list[str]) -> None:
    assert texts(html) == found


def test_of_two_attributes_alike_the_first_counts() -> None:
    assert only('<p id="a" id="b">Words').anchor == "a"


def test_formatting_that_was_left_open_goes_on_to_the_end_of_its_cell() -> None:
    blocks = blocks_of("<p><i>One <b>two</p><p>three</b></i></p><table><tr><td><b>four<td>five</table><p>six</p>")
    assert [[(mark.style, block.text[mark.start : mark.end]) for mark in block.marks] for block in blocks] == [
        [(Style.EM, "One two"), (Style.STRONG, "two")],
        [(Style.STRONG, "three"), (Style.EM, "three")],
        [(Style.STRONG, "four")],
        [],
    ]


def test_what_is_nested_too_deeply_keeps_its_words_alone() -> None:
    blocks = blocks_of("<ul><li>" * 1000 + "word" + "</ul>" * 1000 + "<p>After</p>")
    assert [block.text for block in blocks] == ["word", "After"]
    assert blocks[0].depth <= 500


# Numbers


@pytest.mark.parametrize(
    ("html", "marker"),
    [
        ("<h2>3. Gout</h2>", "3."),
        ("<h3>Cause 3: Gout</h3><h3>Cause 4: Pain</h3>", "Cause 3:"),
        ("<p><strong>3) Gout</strong></p>", "3)"),
        ("<p><b>3.</b> <b>Gout</b></p>", "3."),
        ("<p>3. Gout</p>", "3."),
        ("<h2><span class='num'>3</span> Gout</h2>", "3"),
        ("<h2><span>3</span>Gout</h2>", "3"),
        ("<span class='num'>3</span><h2>Gout</h2>", "3"),
        ("<div>#3</div>\n<div><h3>Gout</h3></div>", "#3"),
        ("<div>3.</div><p><b>Gout</b></p>", "3."),
        ("<h2>3.<br>Gout</h2>", "3."),
        ("<ol start=3><li><h3>Gout</h3></ol>", "3."),
    ],
)
def test_a_heading_is_given_its_number(html: str, marker: str) -> None:
    block = blocks_of(html)[0]
    assert (block.kind, block.text, block.marker, block.number) == (Kind.HEADING, "Gout", marker, 3)


@pytest.mark.parametrize("html", ["<h1><span>16</span> Causes</h1>", "<h2>16 Causes</h2>", "<h2>Omega 3: Fish</h2>"])
def test_a_number_that_counts_something_is_text(html: str) -> None:
    assert only(html).number is None


@pytest.mark.parametrize(
    ("attributes", "numbers"),
    [("", [1, 2, 9, 10]), ("start=5", [5, 6, 9, 10]), ("reversed start=20", [20, 19, 9, 8])],
)
def test_items_of_a_list_are_numbered_as_browsers_do(attributes: str, numbers: list[int]) -> None:
    html = f"<ol {attributes}><li>a<li>b<li value=9>c<li>d</ol>"
    assert [block.number for block in blocks_of(html)] == numbers


def test_a_reversed_list_counts_down_to_one() -> None:
    assert [block.marker for block in blocks_of("<ol reversed><li>a<li>b<li>c</ol>")] == ["3.", "2.", "1."]


def test_items_know_their_depth_and_what_else_is_in_them() -> None:
    html = "<ul><li><p>One</p><p>more</p><ul><li>inner</ul><li><h4>Two</h4><p>text</ul><p>after"
    assert [(block.kind.value, block.depth, block.text) for block in blocks_of(html)] == [
        ("item", 1, "One"),
        ("paragraph", 1, "more"),
        ("item", 2, "inner"),
        ("heading", 1, "Two"),
        ("paragraph", 1, "text"),
        ("paragraph", 0, "after"),
    ]


# Line breaks


def test_two_line_breaks_part_paragraphs() -> None:
    assert texts("<p>one,<br><br>two<br>\n<br>\nthree</p>") == ["one,", "two", "three"]


@pytest.mark.parametrize(
    "lines",
    [
        ["1. First", "Its text", "2. Second", "Its text"],
        ["A sentence.", "Treatment: rest."],
        ["<b>Gout</b>", "a pain in the toe"],
        ["text of a cause", "<b>Treatment:</b> rest"],
        ["Fever", "Chills", "Pain"],
    ],
)
def test_a_line_break_parts_lines_that_are_things_of_their_own(lines: list[str]) -> None:
    plain = [re.sub(r"<[^>]+>", "", line) for line in lines]
    assert [block.as_written for block in blocks_of(f"<p>{'<br>'.join(lines)}</p>")] == plain


def test_a_line_break_within_a_sentence_is_a_space() -> None:
    assert only("<p>a sentence that<br>goes on</p>").text == "a sentence that goes on"
    assert only("<p><b>A long name<br>of something</b></p>").text == "A long name of something"


def test_preformatted_text_keeps_its_paragraphs() -> None:
    assert texts("<pre>One\nline goes on\n\n- a\n- b</pre>") == ["One line goes on", "a", "b"]


# Tables


def test_rows_of_data_are_joined() -> None:
    blocks = blocks_of("<table><tr><th>Sign<th>Cause</tr><tr><td>Red<td><p>Heat.</p><p>Or cold</p></table>")
    assert [(block.kind, block.text, block.is_bold) for block in blocks] == [
        (Kind.ROW, "Sign | Cause", False),
        (Kind.ROW, "Red | Heat. Or cold", False),
    ]
    assert blocks[0].marks[1].start == 7


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td><h2>One</h2><p>two</p></td><td>three</td></tr></table>",
        "<table><tr><td>One<table><tr><td>two</td></tr></table></td><td>three</td></tr></table>",
        "<td>One</td><td>two</td><td>three</td>",
    ],
)
def test_tables_that_arrange_a_page_are_no_rows(html: str) -> None:
    assert texts(html) == ["One", "two", "three"]


# Pictures


def test_a_figure_is_a_picture_with_its_caption() -> None:
    block = only('<figure><img src="a.jpg" alt="A foot"><figcaption>A <b>red</b> foot</figcaption></figure>')
    assert block.picture
    assert (block.kind, block.text, block.marks[0].start) == (Kind.PICTURE, "A red foot", 2)
    assert (block.picture.source, block.picture.alt, block.picture.caption) == ("a.jpg", "A foot", "A red foot")


@pytest.mark.parametrize(
    ("html", "source"),
    [
        ('<img src="a.jpg">', "a.jpg"),
        ('<img src="data:image/gif;base64,R0lG" data-src="a.jpg">', "a.jpg"),
        ('<img src="/blank.gif" data-lazy-src="a.jpg">', "a.jpg"),
        ('<img data-srcset="a-1.jpg 300w, a-2.jpg 1200w">', "a-2.jpg"),
        ('<noscript><img src="a.jpg"></noscript><img data-src="a.jpg">', "a.jpg"),
        ('<img data-src="a.jpg"><noscript><img src="a.jpg"></noscript>', "a.jpg"),
        ('<picture><source srcset="b.webp"><img src="a.jpg"></picture>', "a.jpg"),
    ],
)
def test_a_picture_is_found_however_it_is_loaded(html: str, source: str) -> None:
    block = only(html)
    assert block.picture
    assert block.picture.source == source


def test_a_picture_in_a_paragraph_stands_before_it_or_after_it() -> None:
    assert [block.kind.value for block in blocks_of('<p><img src="a.jpg"> One <img src="b.jpg"> two</p>')] == [
        "picture",
        "paragraph",
        "picture",
    ]


@pytest.mark.parametrize(
    "html", ['<img src="p" width=1 height="1">', '<img src="spacer.gif">', "<img>", "<svg>x</svg>"]
)
def test_a_picture_that_shows_nothing_is_dropped(html: str) -> None:
    assert blocks_of(html) == []


def test_an_emoji_is_text() -> None:
    assert only('<p>Well <img class="emoji" alt="🙂" src="x.svg"></p>').text == "Well 🙂"


def test_a_video_is_a_link() -> None:
    block = only('<iframe src="https://www.youtube.com/embed/a" title="Stretches"></iframe>')
    assert (block.text, block.marks[0].href) == ("Stretches", "https://www.youtube.com/embed/a")


# WordPress


def test_a_fragment_has_paragraphs_where_blank_lines_are() -> None:
    assert texts("One\nline.\n\n<b>Two</b> of\nthem\n\n<h2>Three</h2>\nfour") == [
        "One line.",
        "Two of them",
        "Three",
        "four",
    ]


def test_a_page_has_no_paragraphs_where_blank_lines_are() -> None:
    assert texts("<html><body><div>One\n\n<i>line</i>\n\ngoes on.</div>") == ["One line goes on."]


def test_shortcodes_that_enclose_text_are_taken_off_it() -> None:
    html = (
        '[row width="1"]Text[/row]\n\n[toggle title="Why?"]Because.[/toggle]\n\n[gallery ids="1,2"]\n\nSee [1] and [x].'
    )
    assert [(block.text, block.zone) for block in blocks_of(html)] == [
        ("Text", Zone.MAIN),
        ("Why?", Zone.MAIN),
        ("Because.", Zone.MAIN),
        ('[gallery ids="1,2"]', Zone.NAVIGATION),
        ("See [1] and [x].", Zone.MAIN),
    ]


def test_a_caption_shortcode_is_the_caption_of_its_picture() -> None:
    block = only('[caption id="a" width="300"]<img src="a.jpg" alt="x"> Some words[/caption]')
    assert block.picture
    assert (block.picture.caption, block.text) == ("Some words", "Some words")


# Zones


@pytest.mark.parametrize(
    ("element", "zone"),
    [
        ("nav", Zone.NAVIGATION),
        ("div role=navigation", Zone.NAVIGATION),
        ("footer", Zone.FOOTER),
        ("aside", Zone.ASIDE),
        ("form", Zone.FORM),
        ("header", Zone.HEADER),
        ("div class='post-share-buttons'", Zone.SHARING),
        ("div class='jp-relatedposts'", Zone.RELATED),
        ("div class='newsletterSignup'", Zone.FORM),
        ("div id='comments'", Zone.COMMENTS),
        ("div id='onetrust-consent-sdk'", Zone.NOTICE),
        ("section aria-label='Advertisement'", Zone.ADVERTISEMENT),
        ("div class='ad-slot'", Zone.ADVERTISEMENT),
        ("div hidden", Zone.NOTICE),
        ("div style='display: none'", Zone.NOTICE),
        # Words of themes that say nothing, and IDs that were made from a heading.
        ("div class='shared-decision'", Zone.MAIN),
        ("div class='download badge padded'", Zone.MAIN),
        ("div class='post has-sidebar no-comments tag-ads category-social'", Zone.MAIN),
        ("section id='social-anxiety'", Zone.MAIN),
        ("section id='comments-on-treatment'", Zone.MAIN),
        ("div class='elementor-widget elementor-widget-text-editor'", Zone.MAIN),
        ("div role=tabpanel hidden", Zone.MAIN),
        ("div class='accordion-panel' style='display:none'", Zone.MAIN),
    ],
)
def test_markup_says_in_which_part_of_a_page_a_block_stands(element: str, zone: Zone) -> None:
    html = f"<p>{'Some text of the page. ' * 9}</p><{element}><p>Words</p></{element.split()[0]}><p>After</p>"
    blocks = blocks_of(html)
    assert [(block.text, block.zone) for block in blocks[1:]] == [("Words", zone), ("After", Zone.MAIN)]


def test_the_head_of_an_article_belongs_to_it() -> None:
    html = "<header><p>Site</p></header><article><header><h1>Title</h1></header><p>Words</p></article>"
    assert [block.zone for block in blocks_of(html)] == [Zone.HEADER, Zone.MAIN, Zone.MAIN]


def test_what_holds_the_article_is_no_form() -> None:
    html = "<form id=aspnet class=newsletter><nav>Menu</nav><article><p>Words of it.</p></article></form>"
    assert [block.zone for block in blocks_of(html)] == [Zone.NAVIGATION, Zone.MAIN]


def test_what_holds_most_of_a_page_is_no_sidebar() -> None:
    html = f"<div class='sidebar-layout'><p>{'Words of it. ' * 20}</p></div><footer>Small print</footer>"
    assert [block.zone for block in blocks_of(html)] == [Zone.MAIN, Zone.FOOTER]


def test_comments_are_comments_even_if_there_are_many() -> None:
    html = f"<article><p>Words.</p></article><div id=comments><article>{'I think so. ' * 50}</article></div>"
    assert [block.zone for block in blocks_of(html)] == [Zone.MAIN, Zone.COMMENTS]


def test_comments_are_comments_on_a_page_without_an_article() -> None:
    html = f"<div><p>Words.</p></div><div id=comments>{'I think so. ' * 50}</div>"
    assert [block.zone for block in blocks_of(html)] == [Zone.MAIN, Zone.COMMENTS]


@pytest.mark.parametrize("element", ["div id=header-wrapper", "div class='site-footer'", "div class='footer section'"])
def test_the_ends_of_a_page_are_known_by_name(element: str) -> None:
    html = f"<{element}>Site</div><div class='entry-header'><p>{'Words of it. ' * 9}</p></div>"
    assert [bool(block.zone) for block in blocks_of(html)] == [True, False]


def test_what_is_never_shown_is_left_out() -> None:
    html = (
        "<title>a</title><script>b</script><style>c</style><template><p>d</p></template><noscript>e</noscript>"
        "<!-- f --><svg><text>g</text></svg><iframe>h</iframe><p>Words</p><video>i</video>"
    )
    assert texts(html) == ["Words"]


# What a page says of itself


def test_the_title_is_said_without_the_site() -> None:
    assert meta_of("<title>Cold feet - Some Clinic</title>", "<h1>Cold feet</h1>").title == "Cold feet"
    assert meta_of("<title>Cold feet and what they mean | Clinic</title>").title == "Cold feet and what they mean"
    site = '<meta property="og:site_name" content="The Clinic of the Long Name">'
    assert meta_of(f"<title>Feet – The Clinic of the Long Name</title>{site}").title == "Feet"
    assert meta_of(
        "<title>Some Clinic: Cold feet in bed</title>", "<h1>Some Clinic</h1><h3>Cold feet in bed</h3>"
    ).title == ("Cold feet in bed")
    assert meta_of("", "<h1>Cold feet</h1>").title == "Cold feet"


def test_structured_data_says_who_and_when() -> None:
    meta = meta_of(
        '<script type="application/ld+json">{"@graph": [{"@type": ["Article"], "headline": "Feet", "keywords": "a, b",'
        '"author": [{"@id": "#p"}, "Bo"], "datePublished": "2019-05-01T10:00:00+02:00", "image": [{"url": "i.jpg"}]},'
        '{"@id": "#p", "@type": "Person", "name": "Ann"}]}</script>'
    )
    assert (meta.title, meta.authors, meta.tags) == ("Feet", ("Ann", "Bo"), ("a", "b"))
    assert meta.published == datetime(2019, 5, 1, 8, tzinfo=UTC)
    assert meta.picture
    assert meta.picture.source == "i.jpg"


def test_elements_say_who_and_when_if_nothing_else_does() -> None:
    meta = meta_of("", '<p class="byline">By Ann Lee | May 2019</p><time datetime="2019-05-01">May</time><p>Words')
    assert (meta.authors, meta.published) == (("Ann Lee",), datetime(2019, 5, 1, tzinfo=UTC))


def test_addresses_and_language_are_read() -> None:
    meta = meta_of(
        '<link rel="canonical" href="https://a.example/2019/feet/?x=1"><link rel=shortlink href="https://a.example/?p=7">'
        '<meta property="og:locale" content="de_AT">'
    )
    assert meta.paths == ("/2019/feet/?x=1", "/?p=7")
    assert (meta.url, meta.language) == ("https://a.example/2019/feet/?x=1", "de-AT")


@pytest.mark.parametrize(
    "data",
    ["", "{", "[" * 100_000, "null", "[[]]", '{"@type": 5, "author": {"@id": []}}', '{"@type": {"@type": "Article"}}',
     '{"@type": "Article", "author": [[[]]], "image": [[[{}]]], "headline": {"a": 1}, "keywords": [1, null]}',
     '{"@type": "Article", "datePublished": "0001-01-01T00:00:00+14:00", "url": "http://["}'],
)  # fmt: skip
def test_structured_data_of_any_shape_is_read_or_ignored(data: str) -> None:
    assert meta_of(f'<script type="application/ld+json">{data}</script><title>Feet</title>').title == "Feet"


# Whole pages


def test_a_theme_of_wordpress() -> None:
    article = page("wordpress-classic.html")
    main = main_of(article)
    assert [text for kind, text in main if kind == "heading"] == [
        "6 Common Causes of Itchy Legs",
        "1. Dry skin",
        "2. Contact dermatitis",
        "3. Stasis dermatitis",
        "When to see a doctor",
    ]
    assert [text for kind, text in main if kind == "picture"] == ["A dry shin", "Weak veins above an ankle"]
    assert len(main) == 20  # with the link that skips to them, and the line of the author
    assert article.meta.authors == ("Maren Holt",)
    assert article.identity == "https://kitchentable.example/itchy-legs/"


def test_a_page_of_an_application() -> None:
    article = page("news-app.html")
    headings = [text for kind, text in main_of(article) if kind == "heading"]
    assert headings[1:6] == ["1 Essential tremor", "Treatment", "2 An overactive thyroid", "Treatment", "3 Coffee"]
    assert ("paragraph", "Seldom. That tremor is there at rest.") in main_of(article)
    assert Counter(block.zone for block in article.blocks)[Zone.NOTICE] == 2
    assert article.meta.title == "Why your hands tremble: 5 possible causes"


def test_an_old_page_of_blogger() -> None:
    article = page("blogger.html")
    assert [(block.kind.value, block.as_written) for block in article.blocks if block.number] == [
        ("heading", "1. A draught"),
        ("heading", "2. A bad pillow"),
        ("heading", "3. Sitting"),
        ("heading", "4. Meningitis"),
    ]
    assert ("paragraph", "Treatment: a warm scarf.") in main_of(article)
    assert article.meta.title == "Four reasons for a stiff neck"
    assert article.meta.published == datetime(2009, 11, 3, 18, 12, tzinfo=UTC)


def test_a_page_of_a_builder() -> None:
    article = page("squarespace.html")
    assert [block.text for block in article.blocks if block.picture] == ["The hip from the front"]
    assert [block.depth for block in article.blocks if block.kind == Kind.ITEM] == [1, 2, 2, 1, 1]
    assert article.meta.url == "https://www.lowfen-physio.example/blog/hip-click"


@pytest.mark.parametrize("name", sorted(path.name for path in PAGES.iterdir()))
def test_every_word_of_a_page_is_in_exactly_one_block(name: str) -> None:
    html = (PAGES / name).read_text()
    start, body = html[: html.index("<body")], html[html.index("<body") :]
    words = iter(f"w{number}q" for number in range(10**6))
    shown = re.compile(r"(?s)(<(script|template|noscript|iframe|style|textarea)\b.*?</\2>|<[^>]*>)|([^\W\d_]{3,})")
    numbered = start + shown.sub(lambda found: found[1] or next(words), body)
    expected = set(
        re.findall(
            r"w\d+q", re.sub(r"(?s)<(script|template|noscript|iframe)\b.*?</\1>|<[^>]*>", "", numbered[len(start) :])
        )
    )
    found: Counter[str] = Counter()
    for block in blocks_of(numbered):
        found.update(re.findall(r"w\d+q", f"{block.as_written} {block.picture.credit if block.picture else ''}"))
    assert expected
    assert found == Counter(expected)


# Bad sources


def test_a_page_in_another_encoding_is_read_as_it_says() -> None:
    html = '<html><head><meta charset="{}"></head><body><p>Ménière’s – café</p></body></html>'
    for encoding in ("windows-1252", "utf-8", "utf-16"):
        assert read(html.format(encoding).encode(encoding)).blocks[0].text == "Ménière’s – café"


def test_a_page_without_an_address_is_known_by_its_name_and_title() -> None:
    assert read(b"<title>Cold feet</title><p>Words</p>").identity == "file:page.html#Cold feet"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<p>" + b"a" * MAX_BYTES, "larger than 10 MB"),
        (b"<html><body><script>x</script>", "no text"),
        (bytes(range(32)) * 20, "not an HTML file"),
        (b"<p>word" * 22, "more than 20 paragraphs"),
        (b"<i></i>" * 26, "more than 50 tags"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    data: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_BLOCKS", 20)
    monkeypatch.setattr(reader, "MAX_TAGS", 50)
    with pytest.raises(UnreadableSource, match=message):
        read(data)


@pytest.mark.parametrize(
    "html",
    ["<div>" * 200_000 + "word", "<b>" * 20_000 + "word",
     "<table><tr><td>" * 10_000 + "word", "<ul><li>" * 10_000 + "word",
     "<" * 10**6 + " word", "<p>word" + "<!--" * 250_000, "<p>word<a b='" * 50_000, "<a " + "b=1 " * 100_000 + ">word",
     "<p>" + "<b>x</b><br>" * 5_000 + "word", "<table>" + "<b>" * 50_000 + "word", "<p>word</p>" + "[x" * 100_000],
)  # fmt: skip
def test_hostile_markup_is_read(html: str) -> None:
    assert any("word" in block.text for block in blocks_of(html))


seeds = [path.read_bytes() for path in sorted(PAGES.iterdir())]


@st.composite
def broken_pages(draw: st.DrawFn) -> bytes:
    """A page with stretches of it cut out, doubled, moved or overwritten."""
    data = bytearray(draw(st.sampled_from(seeds)))
    shuffle = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 30))):
        start = shuffle.randrange(len(data) + 1)
        end = min(len(data), start + shuffle.randrange(200))
        piece = bytes(data[start:end])
        at = shuffle.randrange(len(data) + 1)
        match shuffle.randrange(4):
            case 0:
                del data[start:end]
            case 1:
                data[at:at] = piece * shuffle.randrange(4)
            case 2:
                data[start:end] = shuffle.randbytes(end - start)
            case 3:
                data[at:at] = shuffle.choice(
                    [b"<", b"\0", b"</td>", b"<table>", b"<svg>", b"</p>", b"&#x110000;", b'"', b"<!--"]
                )
    return bytes(data)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300) | st.text(alphabet="<>/=\"' apbdivtr&;#![-", max_size=200).map(str.encode) | broken_pages()
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        article = read(data)
    except UnreadableSource:
        return
    for block in article.blocks:
        assert block.text.strip() == block.text
        assert block.text or block.picture
        assert block.line >= 1
        assert all(0 <= mark.start < mark.end <= len(block.text) for mark in block.marks)

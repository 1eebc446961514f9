"""Exports of WordPress are read item by item; a broken one costs only itself."""

from datetime import UTC, datetime

import pytest

from blog.importing.blocks import Kind, PictureRef, UnreadableSource
from blog.importing.readers import items

from .sources import WXR_END, WXR_HEAD, attachment, meta, only, post, read, texts, wxr

pytestmark = pytest.mark.once

PICTURE = "https://old.example/wp-content/uploads/2019/05/spine.jpg"


def test_what_a_post_says_of_itself() -> None:
    more = (
        '<category domain="category" nicename="uncategorized">Uncategorized</category>'
        '<category domain="category" nicename="backs"><![CDATA[Backs &amp; necks]]></category>'
        '<category domain="post_tag" nicename="pain">pain</category>'
        + meta("_wp_old_slug", "older-name")
        + meta("_thumbnail_id", "9")
        + meta("_yoast_wpseo_canonical", "https://first.example/back-pain")
    )
    text = wxr(
        post(1, more=more, title="Backs &#8217;n&#8217; necks", excerpt="<p>In short.</p>"), attachment(9, PICTURE)
    )
    (article,), _notes = read(text, "export.xml")
    said = article.meta
    assert (said.title, said.summary, said.authors) == ("Backs ’n’ necks", "In short.", ("Anna Berg",))  # noqa: RUF001
    assert said.published == datetime(2019, 5, 1, 10, tzinfo=UTC)
    assert said.tags == ("pain", "Backs & necks")
    assert said.url == "https://first.example/back-pain"
    assert (said.site, said.language, said.status) == ("Old Site", "en-US", "publish")
    assert said.paths == ("/2019/05/post-1/", "/?p=1", "/2019/05/older-name/")
    assert said.picture == PictureRef(PICTURE)
    assert (article.identity, article.format, article.line) == ("https://old.example/?p=1", "wxr", 15)


def test_blocks_have_the_lines_of_the_file() -> None:
    text = wxr(post(1), post(2, "<p>One.</p>\n\n<p>Two.</p>"))
    _first, second = read(text)[0]
    lines = text.splitlines()
    assert [(block.text, block.text in lines[block.line - 1]) for block in second.blocks] == [
        ("One.", True),
        ("Two.", True),
    ]


def test_pictures_have_the_words_of_the_library_that_follows_the_posts() -> None:
    small = PICTURE.replace(".jpg", "-300x200.jpg")
    content = f'<p>Text.</p><p><img src="{small}"></p><p><img src="{PICTURE}" alt="My own"></p>'
    article = only(wxr(post(1, content), attachment(9, PICTURE, alt="A spine", caption="The spine")))
    pictures = [block for block in article.blocks if block.kind == Kind.PICTURE]
    assert [(block.text, block.picture) for block in pictures] == [
        ("The spine", PictureRef(small, "A spine", "The spine")),
        ("The spine", PictureRef(PICTURE, "My own", "The spine")),
    ]


@pytest.mark.parametrize(
    ("gmt", "published", "expected"),
    [
        ("0000-00-00 00:00:00", "Wed, 01 May 2019 10:00:00 +0200", datetime(2019, 5, 1, 8, tzinfo=UTC)),
        ("0000-00-00 00:00:00", "Mon, 30 Nov -0001 00:00:00 +0000", None),
        ("2019-13-40 99:00:00", "", None),
        ("", "yesterday", None),
    ],
)
def test_dates_that_are_none(gmt: str, published: str, expected: datetime | None) -> None:
    text = wxr(post(1, gmt=gmt)).replace("Wed, 01 May 2019 10:00:00 +0000", published)
    assert only(text).meta.published == expected


def test_what_is_no_post_is_left_out_and_counted() -> None:
    comment = "<wp:comment><wp:comment_content>First!</wp:comment_content></wp:comment>"
    articles, problems = read(
        wxr(
            post(1, more=comment * 3),
            post(2, status="trash"),
            post(3, status="draft"),
            post(4, type="page"),
            post(5, type="nav_menu_item"),
            post(6, type="nav_menu_item"),
            post(7, content=""),
        ),
        "export.xml",
    )
    assert [(article.meta.title, article.meta.status) for article in articles] == [
        ("Post 1", "publish"),
        ("Post 3", "draft"),
        ("Post 4", "publish"),
    ]
    assert all(problem.is_note for problem in problems)
    said = {problem.name: problem.message for problem in problems if "Post" in problem.name}
    assert list(said) == [f"export.xml › Post {number}" for number in (2, 4, 7)]  # noqa: RUF001
    assert [problem.message for problem in problems if problem.name == "export.xml"] == [
        "Left out: 2 items of the kind “nav_menu_item”, which hold no articles.",
        "Left out: 3 comments of readers.",
    ]


def test_a_new_comment_does_not_change_a_post() -> None:
    comment = "<wp:comment><wp:comment_content>First!</wp:comment_content></wp:comment>"
    before, after = only(wxr(post(1))), read(wxr(post(1, more=comment)))[0][0]
    assert before.digest == after.digest != only(wxr(post(1, "<p>Other words.</p>"))).digest


def test_two_posts_of_one_guid_stay_two_articles() -> None:
    articles, _problems = read(wxr(post(1), post(1, "<p>Other.</p>"), post(1, "<p>Third.</p>")))
    assert len({article.identity for article in articles}) == 3
    again, _problems = read(wxr(post(1), post(1, "<p>Other.</p>"), post(1, "<p>Third.</p>")))
    assert [article.identity for article in articles] == [article.identity for article in again]


BROKEN = {
    "an ampersand": post(2, "<p>Words.</p>").replace("<![CDATA[Post 2]]>", "Post 2 & more&nbsp;&#1;"),
    "an open section": post(2, "<p>Words.</p>").replace("</p>]]>", "</p>"),
    "an open section at the end": post(2).replace("publish]]>", "publish"),
    "a section within": post(2, "<p>Words.</p> <![CDATA[ inner ]]> <p>after"),
    "an unknown prefix": post(2, more="<seo:score>3</seo:score>"),
    "no end": post(2).replace("</item>", ""),
    "an end of something else": post(2).replace("</wp:status>", "</wp:state>"),
    "no end of a field": post(2).replace("</guid>", ""),
    "an element in a title": post(2, more="<b><i>x</b></i>"),
    "an entity": post(2, more="<wp:x>&bomb;</wp:x>"),
}


@pytest.mark.parametrize("item", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("is_last", [False, True])
def test_a_broken_item_costs_only_itself(item: str, is_last: bool) -> None:
    after = [] if is_last else [post(3, "<p>Third.</p>")]
    articles, problems = read(wxr(post(1, "<p>First.</p>"), item, *after), "export.xml")
    (problem,) = problems
    assert (problem.line, problem.name.startswith("export.xml › Post 2")) == (28, True)  # noqa: RUF001
    assert "compare it with the original" in problem.message.lower()
    rest = [texts(article) for article in articles if not article.meta.title.startswith("Post 2")]
    assert rest == [["First."], *([] if is_last else [["Third."]])]
    mended = next(article for article in articles if article.meta.title.startswith("Post 2"))
    assert "Words" in mended.blocks[0].text


def test_nothing_is_lost_where_sections_are_nested() -> None:
    (_first, second), _problems = read(wxr(post(1), BROKEN["a section within"]))
    assert " ".join(texts(second)) == "Words. inner after"


def test_stray_ampersands_stay() -> None:
    (article,), _problems = read(wxr(BROKEN["an ampersand"]))
    assert article.meta.title == "Post 2 & more"


@pytest.mark.parametrize("control", ["\0", "\x0b", "\x1f", "\ufffe"])
def test_control_characters_are_not_in_the_way(control: str) -> None:
    assert texts(only(wxr(post(1, f"<p>One{control}two.</p>")))) == ["One two."]


def test_an_end_tag_in_a_section_ends_nothing() -> None:
    articles, problems = read(wxr(post(1, "<p>How a feed looks:</p>\n</item>\n<item> it does."), post(2)))
    assert not problems
    assert [texts(article)[-1] for article in articles] == ["it does.", "Words of a post."]


def test_a_file_that_is_cut_off_says_where() -> None:
    whole = wxr(post(1), post(2))
    articles, (problem,) = read(whole[: whole.index("</wp:post_date_gmt>", whole.index("Post 2"))])
    assert [article.meta.title for article in articles] == ["Post 1"]
    assert (problem.name, problem.line) == ("Post 2", 28)
    assert "ends within" in problem.message


def test_an_item_in_a_comment_is_none_and_an_open_comment_is_reported() -> None:
    articles, (problem,) = read(wxr(post(1), f"<!-- {post(2)} -->", post(3), "<!-- open", post(4)))
    assert [article.meta.title for article in articles] == ["Post 1", "Post 3"]
    assert "never ends" in problem.message


def test_an_item_that_is_too_large_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "MAX_ITEM", 100_000)
    large = post(2, "x " * 500_000)
    articles, problems = read(wxr(post(1), large, post(3), post(4, "y" * 101_000).replace("</item>", "")))
    assert [article.meta.title for article in articles] == ["Post 1", "Post 3"]
    assert [(problem.name, problem.line) for problem in problems] == [("Post 2", 28), ("Post 4", 54)]
    assert {problem.message for problem in problems} == {"This item is larger than 0 MB."}


def test_items_in_other_encodings_than_the_file() -> None:
    data = (WXR_HEAD + post(1, "fünf")).encode() + post(2, "fünf").encode("cp1252") + WXR_END.encode()
    articles, problems = read(data)
    assert [texts(article) for article in articles] == [["fünf"], ["fünf"]]
    assert not problems


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso-8859-1", "utf-8-sig"])
def test_files_in_other_encodings(encoding: str) -> None:
    text = wxr(post(1, "fünf")).replace('"UTF-8"', f'"{encoding}"')
    assert texts(only(text.encode(encoding))) == ["fünf"]


def test_a_file_that_declares_entities_is_refused() -> None:
    bomb = '<!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'
    with pytest.raises(UnreadableSource, match="DOCTYPE"):
        read(wxr(post(1, "&b;")).replace("<rss", f"{bomb}<rss"))


def test_an_export_without_articles_says_so() -> None:
    with pytest.raises(UnreadableSource, match="no articles"):
        read(wxr())

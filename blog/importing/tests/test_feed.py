"""Feeds of every kind are read item by item, and well-formed ones as feedparser reads them."""

import json
from datetime import UTC, datetime, timedelta, timezone

import feedparser  # type: ignore[import-untyped]
import pytest

from blog.importing.blocks import PictureRef, SourceArticle, UnreadableSource

from .sources import atom, only, read, rss, texts

pytestmark = pytest.mark.once

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
LONG = "A sentence about backs that is long enough to be told from a summary. " * 9
ITEM = f"""<item><title>Back pain &amp;amp; you</title><link>https://feed.example/back-pain</link>
<guid isPermaLink="false">tag:feed.example,2019:1</guid><pubDate>Wed, 01 May 2019 12:00:00 +0200</pubDate>
<dc:creator>Anna Berg</dc:creator><category>backs</category><category>pain</category>
<description>In short.</description>
<content:encoded><![CDATA[<p>{LONG}</p><p><img src="/spine.jpg" alt="A spine"></p>]]></content:encoded></item>"""
ENTRY = """<entry><title type="html">Back pain &amp;amp; you</title><link rel="self" href="https://feed.example/1.atom"/>
<link href="/back-pain"/><id>urn:1</id><published>2019-05-01T10:00:00Z</published>
<updated>2019-06-01T10:00:00Z</updated>
<category term="backs"/><summary>In short.</summary>{content}</entry>"""


def test_what_an_item_of_rss_says_of_itself() -> None:
    article = only(rss(ITEM, head="<language>en-GB</language>"), "feed.xml")
    said = article.meta
    assert (said.title, said.summary, said.authors) == ("Back pain & you", "In short.", ("Anna Berg",))
    assert said.published == datetime(2019, 5, 1, 10, tzinfo=UTC)
    assert (said.tags, said.language, said.site) == (("backs", "pain"), "en-GB", "Health News")
    assert (said.url, said.paths) == ("https://feed.example/back-pain", ("/back-pain",))
    assert (article.identity, article.format) == ("tag:feed.example,2019:1", "feed")
    assert article.name == "feed.xml › Back pain & you"  # noqa: RUF001
    assert article.blocks[-1].picture == PictureRef("https://feed.example/spine.jpg", "A spine")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"<content>One &lt; two. {LONG}</content>", f"One < two. {LONG.strip()}"),
        (f'<content type="html">&lt;p&gt;One &amp;amp; two. {LONG}&lt;/p&gt;</content>', f"One & two. {LONG.strip()}"),
        (
            f'<content type="xhtml"><div {XHTML}><p>One <b>two</b>. {LONG}</p></div></content>',
            f"One two. {LONG.strip()}",
        ),
        (
            f'<content type="xhtml"><x:div xmlns:x={XHTML[6:]}><x:p>Two. {LONG}</x:p></x:div></content>',
            f"Two. {LONG.strip()}",
        ),
    ],
)
def test_atom_has_three_kinds_of_text(content: str, expected: str) -> None:
    article = only(atom(ENTRY.format(content=content), attributes='xml:base="https://feed.example/" xml:lang="en"'))
    assert texts(article) == [expected]
    said = article.meta
    assert (said.title, said.summary, said.authors) == ("Back pain & you", "In short.", ("Bo Lund",))
    assert (said.published, said.modified) == (
        datetime(2019, 5, 1, 10, tzinfo=UTC),
        datetime(2019, 6, 1, 10, tzinfo=UTC),
    )
    assert (said.tags, said.language, said.url) == (("backs",), "en", "https://feed.example/back-pain")
    assert article.identity == "urn:1"


def test_bases_within_bases() -> None:
    content = f'<content type="html" xml:base="deep/">&lt;p&gt;{LONG}&lt;img src="a.png"&gt;&lt;/p&gt;</content>'
    article = only(atom(ENTRY.format(content=content), attributes='xml:base="https://feed.example/x/"'))
    assert article.blocks[-1].picture == PictureRef("https://feed.example/x/deep/a.png")


@pytest.mark.parametrize(
    "feed",
    [
        rss(ITEM.replace("<content:encoded>", "<x>").replace("</content:encoded>", "</x>")),
        rss(f"<item><title>T</title><link>https://e.example/</link><description>{LONG} […]</description></item>"),
        rss(f"<item><title>T</title><description>{LONG} &lt;a href='/'&gt;Read more »&lt;/a&gt;</description></item>"),
        atom(ENTRY.format(content="")),
        atom(ENTRY.format(content='<content src="https://feed.example/1"/>')),
    ],
)
def test_a_summary_is_said_to_be_one(feed: str) -> None:
    (article,), (problem,) = read(feed)
    assert "only a summary" in problem.message
    assert not problem.is_note
    # It is not taken for another version of the whole text.
    assert article.identity.startswith("summary:")


def test_a_whole_text_in_a_description_is_no_summary() -> None:
    article = only(rss(f"<item><title>T</title><description>&lt;p&gt;{LONG}&lt;/p&gt;</description></item>"))
    assert texts(article) == [LONG.strip()]


def test_rss_1_and_rss_0_9() -> None:
    one = (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://f.example">'
        '<title>R</title><items><rdf:Seq><rdf:li resource="https://f.example/1"/></rdf:Seq></items></channel>'
        f'<item rdf:about="https://f.example/1"><title>One</title><description>{LONG}</description>'
        "<dc:creator>Cy Tan</dc:creator><dc:date>2019-05-01</dc:date></item></rdf:RDF>"
    )
    article = only(one)
    assert (article.meta.title, article.meta.url, article.meta.site) == ("One", "https://f.example/1", "R")
    assert (article.meta.authors, article.meta.published) == (("Cy Tan",), datetime(2019, 5, 1, tzinfo=UTC))
    netscape = (
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
    )
    old = f'{netscape}<rss version="0.91"><channel><title>O</title><item><title>Old</title>'
    assert (
        only(f'<?xml version="1.0"?>{old}<description>{LONG}</description></item></channel></rss>').meta.title == "Old"
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('<enclosure url="/a.jpg" type="image/jpeg" length="1"/>', PictureRef("https://feed.example/a.jpg")),
        ('<enclosure url="/a.mp3" type="audio/mpeg" length="1"/>', None),
        (
            '<media:content xmlns:media="http://search.yahoo.com/mrss/" url="/a.jpg" medium="image">'
            "<media:description>A back</media:description><media:credit>Cy</media:credit></media:content>",
            PictureRef("https://feed.example/a.jpg", caption="A back", credit="Cy"),
        ),
        ('<media:thumbnail url="/t.jpg"/>', PictureRef("https://feed.example/t.jpg")),
    ],
)
def test_the_picture_of_an_item(more: str, expected: PictureRef | None) -> None:
    assert only(rss(ITEM.replace("</item>", f"{more}</item>"))).meta.picture == expected


@pytest.mark.parametrize(
    ("author", "expected"), [("a@b.example (Anna Berg)", ("Anna Berg",)), ("a@b.example", ()), ("Anna", ("Anna",))]
)
def test_an_address_is_no_name(author: str, expected: tuple[str, ...]) -> None:
    item = ITEM.replace("<dc:creator>Anna Berg</dc:creator>", f"<author>{author}</author>")
    assert only(rss(item)).meta.authors == expected


def test_a_broken_item_costs_only_itself() -> None:
    broken = ITEM.replace("tag:feed.example,2019:1", "2").replace("</title>", "")
    second = ITEM.replace("tag:feed.example,2019:1", "3")
    articles, (problem,) = read(rss(ITEM, broken, second))
    assert {"tag:feed.example,2019:1", "https://feed.example/#3"} <= {article.identity for article in articles}
    assert problem.line == 5


def test_an_entry_of_atom_that_is_broken_costs_only_itself() -> None:
    content = f"<content>{LONG}</content>"
    entries = [ENTRY.format(content=content).replace("urn:1", f"urn:{number}") for number in range(3)]
    entries[1] = entries[1].replace("<summary>", "<summary><p>")
    articles, problems = read(atom(*entries))
    assert [article.identity for article in articles] == ["urn:0", "urn:1", "urn:2"]
    assert len(problems) == 1


def test_json_feeds() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "language": "en",
        "home_page_url": "https://j.example/",
        "authors": [{"name": "Anna Berg"}],
        "items": [
            {
                "id": "1",
                "url": "https://j.example/1",
                "title": "Tom & you <3",
                "content_html": f"<p>{LONG}</p>",
                "tags": ["x", 5, "x"],
                "image": "/a.jpg",
                "date_published": "2019-05-01T12:00:00+02:00",
            },
            "no item",
            {"id": 2, "title": "Text", "content_text": "One < two.\n\nThree.", "authors": [{"name": "Bo"}]},
            {"id": "3", "summary": "Short."},
            {"id": "4", "title": "Empty"},
        ],
    }
    text = json.dumps(feed, indent=1, ensure_ascii=False)
    articles, problems = read(text)
    first, second, third = articles
    assert first.meta.title == "Tom & you <3"
    assert first.meta.published == datetime(2019, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert (first.meta.tags, first.meta.picture, first.meta.authors) == (
        ("x",),
        PictureRef("https://j.example/a.jpg"),
        ("Anna Berg",),
    )
    assert text.splitlines()[first.line - 1].strip() == '"id": "1",'
    assert first.identity == "https://j.example/#1"
    assert texts(second) == ["One < two.", "Three."]
    assert second.meta.authors == ("Bo",)
    assert third.identity.startswith("summary:")
    assert len(problems) == 3


@pytest.mark.parametrize("feed", [rss(), atom(), '{"version": "https://jsonfeed.org/version/1.1", "items": []}'])
def test_a_feed_without_articles_says_so(feed: str) -> None:
    with pytest.raises(UnreadableSource, match="no articles"):
        read(feed)


WELL_FORMED = [
    rss(
        ITEM,
        ITEM.replace("2019:1", "2019:2").replace("Wed, 01 May 2019 12:00:00 +0200", "Thu, 02 May 2019 08:00:00 GMT"),
    ),
    atom(
        ENTRY.format(content=f'<content type="html">&lt;p&gt;{LONG}&lt;/p&gt;</content>'),
        attributes='xml:base="https://feed.example/"',
    ),
    rss(f"<item><title>Plain</title><link>https://e.example/p</link><description>{LONG}</description></item>"),
]


@pytest.mark.parametrize("feed", WELL_FORMED)
def test_well_formed_feeds_are_read_as_feedparser_reads_them(feed: str) -> None:
    parsed = feedparser.parse(feed.encode())
    assert not parsed.bozo
    articles, _problems = read(feed)
    assert list(map(_said, articles)) == [_parsed(entry, parsed.feed) for entry in parsed.entries]


def _said(article: SourceArticle) -> dict[str, object]:
    meta = article.meta
    when = meta.published.astimezone(UTC).timetuple()[:6] if meta.published else None
    identity = article.identity if article.identity != meta.url else None
    return {
        "title": meta.title,
        "link": meta.url,
        "when": when,
        "tags": list(meta.tags),
        "id": identity,
        "text": texts(article)[0],
        "author": meta.authors[0] if meta.authors else None,
    }


def _parsed(entry: feedparser.FeedParserDict, feed: feedparser.FeedParserDict) -> dict[str, object]:
    html = entry.content[0].value if "content" in entry else entry.summary
    when = entry.get("published_parsed")
    return {
        "title": entry.title.replace("&amp;", "&"),
        "link": entry.link,
        "when": tuple(when[:6]) if when else None,
        "tags": [tag.term for tag in entry.get("tags", [])],
        "id": entry.get("id"),
        "text": html.partition("</p>")[0].removeprefix("<p>").strip(),
        "author": entry.get("author") or feed.get("author"),
    }

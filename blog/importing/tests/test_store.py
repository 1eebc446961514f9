"""What was read is kept, and comes back as it was."""

import json
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.importing.blocks import Block, Kind, Mark, Meta, PictureRef, SourceArticle, Style, Zone
from blog.importing.store import kept, pack, unpack

pytestmark = pytest.mark.once

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
texts = st.lists(text, max_size=3).map(tuple)
number = st.integers(0, 10**6)
when = st.none() | st.datetimes(timezones=st.just(UTC))
pictures = st.none() | st.builds(PictureRef, text, text, text, text)
marks = st.lists(st.builds(Mark, number, number, st.sampled_from(Style), text), max_size=3).map(tuple)
blocks = st.builds(
    Block, st.sampled_from(Kind), text, number, marker=text, number=st.none() | number, level=st.integers(0, 6),
    depth=number, marks=marks, zone=st.sampled_from(Zone), anchor=text, picture=pictures,
)  # fmt: skip
metas = st.builds(
    Meta, title=text, summary=text, authors=texts, published=when, modified=when, tags=texts, language=text, url=text,
    site=text, paths=texts, status=text, picture=pictures,
)  # fmt: skip
articles = st.builds(
    SourceArticle, st.just("a.html"), st.just("html"), text, text, st.lists(blocks, max_size=4).map(tuple), metas,
    st.integers(1, 10**6), document=text,
)  # fmt: skip


@settings(deadline=None)
@given(articles)
def test_what_is_kept_comes_back_exactly(article: SourceArticle) -> None:
    columns = json.loads(json.dumps(pack(article)))
    names = {name: getattr(article, name) for name in ("name", "format", "identity", "digest")}
    back = unpack(*columns, **names)
    assert back == article
    assert all(type(block.kind) is Kind and type(block.zone) is Zone for block in back.blocks)


def test_what_is_empty_takes_no_room() -> None:
    article = SourceArticle("a.txt", "text", "a", "b", (Block(Kind.PARAGRAPH, "Words.", 3),))
    assert pack(article) == ([{"kind": "paragraph", "text": "Words.", "line": 3}], {"line": 1})


def test_what_no_database_can_keep_is_replaced_and_marks_stay_in_place() -> None:
    mark = Mark(2, 4, Style.LINK, "http://x.example/\0")
    article = SourceArticle("a\ud800", "text", "a\ud800", "b", (Block(Kind.ITEM, "\0\udfffab", 1, marks=(mark,)),))
    read = kept(article)
    (block,) = read.blocks
    assert block.text[block.marks[0].start : block.marks[0].end] == "ab"
    assert "\0" not in json.dumps(pack(read)) + read.name
    json.dumps(pack(read), ensure_ascii=False).encode()


def test_a_picture_inside_its_own_address_is_not_kept_twice() -> None:
    inside = "data:image/png;base64," + "A" * 100_000
    block = Block(Kind.PICTURE, "", 1, picture=PictureRef(inside))
    read = kept(SourceArticle("a", "html", "a", "b", (block,), open_file=lambda source: source.encode()))
    (shown,) = read.blocks
    assert shown.picture
    assert len(shown.picture.source) < 100
    assert read.open_file(shown.picture.source) == inside.encode()
    assert read.open_file("another") == b"another"

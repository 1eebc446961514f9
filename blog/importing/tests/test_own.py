"""Articles of our own come back whole, from the JSON that their pages give."""

import json

import pytest

from blog.documents import ArticleDocument, Section
from blog.importing.blocks import UnreadableSource

from .sources import only, read, texts

pytestmark = pytest.mark.once

DOCUMENT = ArticleDocument(
    kind="article",
    schema=1,
    uuid="8b0c2f0e-3d52-4c55-9c39-6f1d1d0f0a01",
    language="en",
    form="plain",
    title="Backs & necks",
    summary="In short.",
    intro="<p>How they work.</p>",
    sections=(Section(id="s", heading="More", text="<p>Of the same.</p>"),),
)


def test_an_article_of_our_own_comes_with_its_document() -> None:
    article = only(DOCUMENT.canonical(), "backs.json")
    assert article.document == DOCUMENT.canonical()
    assert (article.format, article.identity) == ("bedside", f"bedside:{DOCUMENT.uuid}")
    assert (article.meta.title, article.meta.summary, article.meta.language) == ("Backs & necks", "In short.", "en")
    assert texts(article) == ["Backs & necks", "How they work.", "Of the same."]


def test_one_that_somebody_wrote_out_nicely_is_the_same() -> None:
    nice = json.dumps(json.loads(DOCUMENT.canonical()), indent=2)
    assert only(nice).document == DOCUMENT.canonical()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 99}, "newer version"),
        ({"title": 5}, "not whole"),
        ({"schema": "x"}, "not whole"),
        ({"uuid": None}, "not whole"),
        ({"kind": "condition"}, "neither a JSON Feed"),
    ],
)
def test_one_that_cannot_be_read_says_why(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UnreadableSource, match=message):
        read(json.dumps(json.loads(DOCUMENT.canonical()) | changes))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1', "in line 1"),
        ('{"a":\n1}}', "in line 2"),
        ('{"a": ' * 20_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "too long"),
        ("[{}]", "neither a JSON Feed"),
        ('{"a": 1}', "neither a JSON Feed"),
    ],
)
def test_other_json_says_so(text: str, message: str) -> None:
    with pytest.raises(UnreadableSource, match=message):
        read(text, "a.json")

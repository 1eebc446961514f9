"""What the documents of articles and pages say of themselves."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blog.documents import ArticleDocument, Entry, PageDocument, ShownCondition
from publishing.documents import Document, Origin, PictureValue, Source, Urgency, Value, WarningSign
from publishing.tests.strategies import golden, mutations

IDENTITY: dict[str, Any] = {"schema": 1, "uuid": "u", "language": "en"}
PICTURE = PictureValue(content_hash="a" * 64, extension="jpg", width=8, height=6, focal_x=500, focal_y=500)


def article(**fields: Any) -> ArticleDocument:
    return ArticleDocument(kind="article", form="conditions", title="Back pain", **IDENTITY | fields)


def texts_in(value: Value) -> list[str]:
    """Every rich text in a value, found by its mark rather than by name."""
    found = []
    for name in type(value).model_fields:
        part = getattr(value, name)
        for each in part if isinstance(part, tuple) else (part,):
            if isinstance(each, Value):
                found += texts_in(each)
            elif isinstance(each, str) and each.startswith("<p>"):
                found.append(each)
    return found


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=5)
@given(st.data())
def test_what_a_minor_edition_may_change_is_known_for_every_field(data: st.DataObject) -> None:
    """Whatever is not listed here is clinical, a new field too."""
    editorial = {
        "uuid", "language", "authors", "form", "title", "summary", "topic", "intro", "picture", "entries_heading",
        "sections", "tips_heading", "tips_intro", "tips", "warning_signs_heading", "note", "conclusion_heading",
        "conclusion", "origin", "funding", "conflicts", "ai", "translation_of", "schema_number",
    }  # fmt: skip
    editorial_in_entries = {"group", "heading", "text", "library_text", "library_treatment", "picture", "condition"}
    document = golden("article")
    for path, changed in mutations(document, data.draw):
        name, _, rest = path.partition(".")
        field = name.partition("[")[0]
        within = rest.partition(".")[0].partition("[")[0]
        free = field in editorial or (field == "entries" and within in editorial_in_entries)
        free = free or (field == "citations" and within == "checked")
        if not free and field == "entries" and not rest:
            continue  # other entries altogether; they may happen to be treated alike
        assert (changed.clinical() != document.clinical()) == (not free), path


def test_every_rich_text_is_read_for_citations() -> None:
    document = article(
        intro="<p>1</p>",
        entries=(Entry(id="e", heading="h", text="<p>2</p>", treatment="<p>3</p>"),),
        sections=({"id": "s", "heading": "h", "text": "<p>4</p>"},),
        tips_intro="<p>5</p>",
        tips=({"id": "t", "name": "n", "text": "<p>6</p>"},),
        warning_signs_intro="<p>7</p>",
        note="<p>8</p>",
        conclusion="<p>9</p>",
    )
    html = {name for name, field in ArticleDocument.model_fields.items() if field.annotation is str}
    assert {text for _place, text in document.texts()} == set(texts_in(document))
    assert html >= {"intro", "note", "conclusion"}
    places = [place for place, _text in document.texts()]
    assert len(places) == len(set(places))
    assert [text[3] for _place, text in document.texts()] == list("123456789")


def test_every_picture_is_named_with_its_place() -> None:
    document = article(
        picture=PICTURE, entries=(Entry(id="e1", heading="h"), Entry(id="e2", heading="h", picture=PICTURE))
    )
    assert [place for place, _picture in document.pictures()] == ["picture", "entries/e2/picture"]


def test_mentions_are_in_the_order_of_the_entries() -> None:
    shown = ShownCondition(uuid="b", edition=2, name="n", urgency=Urgency.URGENT)
    document = article(
        entries=(
            Entry(id="1", heading="h", condition=shown),
            Entry(id="2", heading="h"),
            Entry(id="3", heading="h", condition=shown.model_copy(update={"uuid": "a", "edition": 0})),
        )
    )
    assert [(mention.uuid, mention.edition) for mention in document.mentions()] == [("b", 2), ("a", 0)]


def test_columns_are_what_lists_need() -> None:
    columns = article(
        summary="In short", picture=PICTURE, intro="<p>three short words [@x]</p>", origin=Origin(name="Elsewhere")
    ).columns()
    assert (columns.title, columns.summary, columns.picture) == ("Back pain", "In short", "a" * 64)
    assert (columns.words, columns.syndicated) == (3, True)
    assert article().columns().picture == ""
    assert not article().columns().syndicated


def test_page_is_never_signed_and_has_nothing_clinical() -> None:
    page = PageDocument(kind="page", title="Policy", text="<p>one two</p>", **IDENTITY)
    assert not PageDocument.SIGNED
    assert page.clinical() == page.model_copy(update={"text": "<p>three</p>"}).clinical()
    assert page.columns().words == 2
    assert list(page.pictures()) == []
    assert page.mentions() == ()


@pytest.mark.parametrize(
    "change",
    [
        {"emergency_heading": "Wait"},
        {"warning_signs": ()},
        {"citations": ()},
        {"entries": ()},
        {"warning_signs_intro": "<p>No hurry.</p>"},
    ],
)
def test_warning_signs_treatments_and_sources_are_clinical(change: dict[str, Any]) -> None:
    document: Document = article(
        emergency_heading="Call 112",
        warning_signs=(WarningSign(id="w", text="Numbness", urgency=Urgency.EMERGENCY),),
        citations=(Source(key="k", kind="web", title="T"),),
        entries=(Entry(id="e", heading="h", treatment="<p>Rest.</p>"),),
    )
    assert document.model_copy(update=change).clinical() != document.clinical()

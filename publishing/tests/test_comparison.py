"""What differs between two documents, in words."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publishing.comparison import Change, Op, compare, segments
from publishing.documents import Document
from publishing.kinds import kinds
from publishing.tests.strategies import golden, mutations, of_model


def article(**changes: Any) -> Document:
    return golden("article").model_copy(update=changes)


def only(old: Document, new: Document) -> Change:
    changes = compare(old, new)
    assert len(changes) == 1, changes
    return changes[0]


def part(field: str, **changes: Any) -> Any:
    """The first part of a tuple of the golden article, changed."""
    return getattr(golden("article"), field)[0].model_copy(update=changes)


def test_same_documents_do_not_differ() -> None:
    assert compare(article(), article()) == []


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=10)
@given(st.data())
def test_no_change_that_a_reader_could_see_goes_unnoticed(data: st.DataObject) -> None:
    document = golden(data.draw(st.sampled_from(sorted(kinds))))
    unseen = {"uuid", "schema_number", "width", "height", "extension"}
    for path, changed in mutations(document, data.draw):
        if path.split(".")[-1] in unseen or path.endswith(" twice"):
            continue  # a picture's size and format follow its bytes; parts never have the same ID
        assert compare(document, changed), path


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
@given(st.data())
def test_any_two_documents_of_a_kind_can_be_compared(data: st.DataObject) -> None:
    model = kinds[data.draw(st.sampled_from(sorted(kinds)))].document
    for change in compare(data.draw(of_model(model)), data.draw(of_model(model))):
        assert change.label
        assert change.segments is not None


def test_changed_text_is_named_and_shown_in_plain_words() -> None:
    change = only(article(), article(intro="<p>It is <em>very</em> common [@nice-ng59].</p>"))
    assert (change.op, change.place, change.label) == (Op.CHANGED, "intro", "introduction")
    assert (change.old, change.new) == ("It is common [@nice-ng59].", "It is very common [@nice-ng59].")


def test_field_that_was_empty_is_added_and_the_other_way_round_removed() -> None:
    assert only(article(note=""), article()).op == Op.ADDED
    assert only(article(), article(note="")).op == Op.REMOVED
    assert only(article(origin=None), article()).op == Op.ADDED
    assert only(article(), article(picture=None)).op == Op.REMOVED


def test_part_is_found_again_by_its_id_and_told_by_number_and_name() -> None:
    change = only(article(), article(tips=(part("tips", name="Walk"),)))
    assert change.place == f"tips/{part('tips').id}/name"
    assert change.label == "prevention tip 1, Walk: name"
    assert (change.old, change.new) == ("Keep moving", "Walk")


def test_parts_are_added_and_removed() -> None:
    more = part("warning_signs", id="new", text="Fever")
    change = only(article(), article(warning_signs=(part("warning_signs"), more)))
    assert (change.op, change.place, change.label) == (Op.ADDED, "warning_signs/new", "warning sign 2, Fever")
    assert change.new == "Fever\nEmergency"
    assert only(article(warning_signs=(part("warning_signs"), more)), article()).op == Op.REMOVED


def test_new_order_is_one_change() -> None:
    first, second = part("tips"), part("tips", id="second", name="Walk")
    change = only(article(tips=(first, second)), article(tips=(second, first)))
    assert (change.op, change.label) == (Op.MOVED, "order: prevention tip")
    assert (change.old, change.new) == ("Keep moving\nWalk", "Walk\nKeep moving")


def test_new_picture_is_a_change_though_its_words_stay() -> None:
    picture = golden("article").picture.model_copy(update={"content_hash": "0" * 64})  # type: ignore[attr-defined]
    assert [change.place for change in compare(article(), article(picture=picture))] == ["picture/content_hash"]


def test_kind_of_a_source_is_compared() -> None:
    change = only(article(), article(citations=(part("citations", kind="web"),)))
    assert (change.old, change.new) == ("guideline", "web")


def test_comparison_is_word_by_word() -> None:
    assert segments("Rest for two days.", "Rest for a few days.") == [
        ("same", "Rest for "),
        ("removed", "two"),
        ("added", "a few"),
        ("same", " days."),
    ]


@given(st.text(max_size=40), st.text(max_size=40))
def test_comparison_loses_no_word_of_either_text(old: str, new: str) -> None:
    found = segments(old, new)
    assert "".join(text for kind, text in found if kind != "added") == old
    assert "".join(text for kind, text in found if kind != "removed") == new

"""What keeps a fingerprint true for ever."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from publishing.documents import Document, Urgency, Value, fingerprint, normal_text
from publishing.kinds import kinds
from publishing.tests.strategies import GOLDEN, golden, mutations, of_model, of_type

pytestmark = pytest.mark.once

KINDS = sorted(kinds)

any_document = st.sampled_from(KINDS).flatmap(lambda kind: of_model(kinds[kind].document))
unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=20)


def values_in(model: type[Value]) -> set[type[Value]]:
    """The type and every type of value that it holds, however deep."""
    found = {model}
    waiting: list[Any] = [field.annotation for field in model.model_fields.values()]
    while waiting:
        annotation = waiting.pop()
        waiting.extend(get_args(annotation))
        if isinstance(annotation, type) and issubclass(annotation, Value) and annotation not in found:
            found.add(annotation)
            waiting.extend(field.annotation for field in annotation.model_fields.values())
    return found


def filled(data: Any, fields: set[str], path: str = "") -> set[str]:
    """The paths of all fields in parsed JSON; the parts of a list share a path."""
    for name, value in data.items():
        fields.add(f"{path}{name}")
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                filled(part, fields, f"{path}{name}.")
    return fields


def paths_of(model: type[Value], path: str = "") -> set[str]:
    """The paths of all fields that documents of a type can have."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(f"{path}{field.alias or name}")
        annotations = [field.annotation, *get_args(field.annotation)]
        for annotation in annotations:
            if isinstance(annotation, type) and issubclass(annotation, Value):
                found |= paths_of(annotation, f"{path}{field.alias or name}.")
    return found


# --- Fingerprints ----------------------------------------------------------------------------------------------


@settings(unhurried, max_examples=12)
@given(st.data())
def test_any_single_change_to_a_document_changes_its_fingerprint(data: st.DataObject) -> None:
    document = data.draw(any_document)
    original = document.fingerprint()
    for path, changed in mutations(document, data.draw):
        assert changed.fingerprint() != original, f"a change of {path} is not seen"


@settings(unhurried, max_examples=80)
@given(any_document)
def test_document_survives_a_round_trip(document: Document) -> None:
    again = type(document).read(document.canonical())
    assert again == document
    assert again.fingerprint() == document.fingerprint() == fingerprint(document.canonical())


@settings(unhurried, max_examples=80)
@given(any_document)
def test_canonical_text_is_that_of_rfc_8785(document: Document) -> None:
    data = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert document.canonical().encode() == rfc8785.dumps(data)


@given(st.text(alphabet=st.characters(), max_size=30))
def test_text_is_normalised_once_and_for_all(text: str) -> None:
    normal = normal_text(text)
    assert normal_text(normal) == normal
    normal.encode()


def test_the_same_text_in_other_encodings_has_the_same_fingerprint() -> None:
    page: Any = kinds["page"].document
    fixed = {"kind": "page", "schema": 1, "uuid": "u", "language": "en"}
    composed = page(title="Café", text="a\nb", **fixed)
    assert page(title="Cafe\N{COMBINING ACUTE ACCENT}", text="a\r\nb", **fixed) == composed
    assert page(title="Caf\ud800é", text="a\rb", **fixed) == composed


# --- Types -----------------------------------------------------------------------------------------------------

every_field = [
    pytest.param(model, name, id=f"{model.__name__}.{name}")
    for model in sorted({m for k in KINDS for m in values_in(kinds[k].document)}, key=lambda m: m.__name__)
    for name in model.model_fields
]


@pytest.mark.parametrize(("model", "name"), every_field)
def test_documents_hold_text_truth_numbers_tuples_and_values_only(model: type[Value], name: str) -> None:
    of_type(model.model_fields[name].annotation)  # raises for a float, a dict, a date


@pytest.mark.parametrize(("model", "name"), every_field)
def test_every_default_is_empty(model: type[Value], name: str) -> None:
    field = model.model_fields[name]
    assert field.default_factory is None
    if not field.is_required():
        assert field.default in (None, False, "", (), 0), "a default that is not empty can never be changed"


@pytest.mark.parametrize("kind", KINDS)
def test_what_tells_documents_apart_is_always_written(kind: str) -> None:
    model = kinds[kind].document
    assert all(model.model_fields[name].is_required() for name in ("kind", "schema_number", "uuid", "language"))


def test_documents_cannot_be_changed() -> None:
    document = golden("page")
    with pytest.raises(ValidationError, match="frozen"):
        document.title = "Another"  # type: ignore[attr-defined]


# --- Golden files: documents of today, to be read and verified by every later version --------------------------


def golden_files(kind: str = "*") -> list[Path]:
    return sorted(GOLDEN.glob(f"{kind}-*.json"))


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_golden_document_is_read_and_has_its_fingerprint(path: Path) -> None:
    text = path.read_text()
    model = kinds[path.stem.split("-")[0]].document
    recorded = dict(line.split()[::-1] for line in (GOLDEN / "SHA256SUMS").read_text().splitlines())
    assert sha256(path.read_bytes()).hexdigest() == recorded[path.name] == fingerprint(text)
    document = model.read(text)
    if json.loads(text)["schema"] == model.SCHEMA:
        assert document.canonical() == text
    assert document.schema_number == model.SCHEMA


@pytest.mark.parametrize("kind", KINDS)
def test_golden_files_have_every_field_there_is(kind: str) -> None:
    """A new field needs another golden file (article-1b.json) that has it; the old ones stay as they are."""
    model = kinds[kind].document
    found: set[str] = set()
    for path in golden_files(kind):
        data = json.loads(path.read_text())
        if data["schema"] == model.SCHEMA:
            filled(data, found)
    assert found == paths_of(model)


# --- Types that have grown -------------------------------------------------------------------------------------


@unhurried
@given(any_document)
def test_fingerprint_of_today_is_verified_after_the_type_has_gained_a_field(document: Document) -> None:
    class Grown(type(document)):  # type: ignore[misc]
        reading_age: int = 0
        remarks: tuple[str, ...] = ()

    later = Grown.read(document.canonical())
    assert later.canonical() == document.canonical()
    assert later.fingerprint() == document.fingerprint()
    assert later.model_copy(update={"reading_age": 12}).fingerprint() != document.fingerprint()


class PageOfTomorrow(kinds["page"].document):  # type: ignore[misc]
    """The page after its schema was raised: `text` has become `body`, which is required."""

    SCHEMA: ClassVar[int] = 2
    body: str

    @classmethod
    def upgrade(cls, data: dict[str, Any]) -> dict[str, Any]:
        if data["schema"] == 1:
            data |= {"body": data.pop("text", ""), "schema": 2}
        return data


def test_older_schema_is_upgraded_on_reading_and_its_stored_bytes_stay() -> None:
    stored = golden("page").canonical()
    later = PageOfTomorrow.read(stored)
    assert later.body == golden("page").text  # type: ignore[attr-defined]
    assert later.schema_number == 2
    assert fingerprint(stored) == golden("page").fingerprint()
    assert PageOfTomorrow.read(later.canonical()) == later


def test_a_document_of_a_later_schema_is_refused_rather_than_misread() -> None:
    text = json.dumps({**json.loads(golden("page").canonical()), "schema": 2})
    with pytest.raises(ValueError, match="schema"):
        kinds["page"].document.read(text)


def test_an_unknown_field_is_refused() -> None:
    text = json.dumps({**json.loads(golden("page").canonical()), "remarks": "x"})
    with pytest.raises(ValidationError):
        kinds["page"].document.read(text)


# --- Citations -------------------------------------------------------------------------------------------------


def test_citations_are_found_in_reading_order_and_once() -> None:
    document = golden("article").model_copy(
        update={"intro": "<p>[@b] and [@a] and [@b]</p>", "note": "<p>[@a] [@c-1] [@Not] [@ d]</p>"}
    )
    keys = [key for key in document.cited_keys() if key in {"a", "b", "c-1", "Not", "d"}]
    assert keys == ["b", "a", "c-1"]


def test_sources_are_numbered_by_their_place() -> None:
    document = golden("article")
    assert document.source_numbers() == {
        source.key: number for number, source in enumerate(document.citations, start=1)
    }


def test_urgencies_are_in_the_order_in_which_pages_show_them() -> None:
    assert list(Urgency) == [Urgency.EMERGENCY, Urgency.URGENT, Urgency.SEE_A_DOCTOR]

"""What the checks are told, and in what order they answer."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from config.tests.factories import (
    fresh,
    make_article,
    make_condition,
    make_page,
    publish_draft,
    sign,
    snapshot_of,
)
from publishing.findings import Finding, Severity
from publishing.kinds import kinds
from publishing.models import Level, SiteSettings, StoredDocument
from publishing.services import findings_for, publish

pytestmark = pytest.mark.django_db


def ids(draft: Any) -> set[str]:
    return {finding.id for finding in findings_for(fresh(draft).build(), draft.publication)}


def strict() -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"strictness": SiteSettings.Strictness.STRICT})


def test_what_blocks_comes_first() -> None:
    draft = make_condition(summary="", treatment="")
    found = findings_for(draft.build(), draft.publication)
    assert [finding.blocks for finding in found] == sorted((finding.blocks for finding in found), reverse=True)
    assert found[0].blocks
    assert not found[-1].blocks


def test_finding_is_the_same_in_any_language() -> None:
    one = Finding("alt-long", Severity.WARN, "Too long.", "Shorten it.", "picture")
    assert one.identity == replace(one, sentence="Zu lang.", remedy="Kürzen.").identity == "alt-long:picture"


def test_review_is_asked_for_on_a_strict_site_only() -> None:
    draft = make_article()
    assert "review-missing" not in ids(draft)
    strict()
    assert "review-missing" in ids(draft)
    sign(draft)
    assert "review-missing" not in ids(draft)
    assert "review-missing" not in ids(make_page())


def test_unknown_citation_is_found_wherever_it_stands() -> None:
    draft = make_article()
    draft.tips.update(text="<p>[@nobody]</p>")
    draft.entries.update(treatment="<p>[@nobody]</p>")
    found = [f for f in findings_for(fresh(draft).build(), draft.publication) if f.id == "citation-unknown"]
    assert {finding.place.split("/")[0] for finding in found} == {"tips", "entries"}


def test_named_condition_that_is_live_gives_no_finding() -> None:
    condition = make_condition()
    publish_draft(condition)
    assert not {name for name in ids(make_article(conditions=[condition])) if name.startswith("condition-")}


@pytest.fixture
def raised_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of which a field has become required: what is stored is of an older schema now."""
    page = kinds["page"]

    class PageOfTomorrow(page.document):  # type: ignore[name-defined]
        SCHEMA: ClassVar[int] = 2
        SIGNED: ClassVar[bool] = True
        audience: str

        @classmethod
        def upgrade(cls, data: dict[str, Any]) -> dict[str, Any]:
            return data | {"schema": 2, "audience": "everybody"}

    monkeypatch.setitem(kinds, "page", replace(page, document=PageOfTomorrow))


def test_text_signed_before_its_schema_was_raised_is_still_reviewed(request: pytest.FixtureRequest) -> None:
    draft = make_page()
    sign(draft)
    snapshot = snapshot_of(draft)
    snapshot_text = draft.build().canonical()
    request.getfixturevalue("raised_schema")
    strict()
    document = snapshot.document()
    assert document.audience == "everybody"  # type: ignore[attr-defined]
    assert document.fingerprint() != snapshot.fingerprint, "a new dump is another text; the stored one was signed"
    edition = publish(snapshot=snapshot, by=None, level=Level.MAJOR, note="")
    assert edition.fingerprint == snapshot.fingerprint
    assert StoredDocument.objects.get(pk=edition.fingerprint).canonical == snapshot_text
    assert fresh(draft.publication).trust == "reviewed"

"""The condition library: the document of a condition, and its draft from a document."""

import pytest

from conditions.checks import checks
from conditions.models import Condition, lines
from config.tests.factories import (
    fresh,
    make_citation,
    make_condition,
    make_contributor,
    make_picture,
    publish_draft,
    snapshot_of,
)
from publishing.documents import Urgency
from publishing.findings import Context
from publishing.models import Citation, SiteSettings
from publishing.services import draft_from, findings_for

pytestmark = pytest.mark.django_db


def test_lines_are_items_without_blanks() -> None:
    assert lines("  Slipped   disc \r\n\n\tProlapsed disc\n") == ("Slipped disc", "Prolapsed disc")
    assert lines("") == ()


def test_document_says_all_that_the_draft_says() -> None:
    picture = make_picture()
    draft = make_condition(
        "Sciatica",
        synonyms="Nerve pain\nSciatic neuralgia",
        icd10="M54.3",
        snomed="23056005",
        urgency=Urgency.URGENT,
        picture=picture,
        complications="<p>Rarely weakness.</p>",
        tips=2,
    )
    document = draft.build()
    assert document.uuid == str(draft.publication.uuid)
    assert (document.kind, document.name, document.language) == ("condition", "Sciatica", "en")
    assert document.synonyms == ("Nerve pain", "Sciatic neuralgia")
    assert (document.icd10, document.snomed, document.urgency) == (("M54.3",), ("23056005",), Urgency.URGENT)
    assert document.picture
    assert (document.picture.content_hash, document.picture.alt) == (picture.content_hash, picture.alt)
    assert [tip.name for tip in document.tips] == ["Tip 1", "Tip 2"]
    assert [source.key for source in document.citations] == ["guideline-a"]
    assert [person.name for person in document.authors] == ["Ada Author"]
    assert document.columns().other_names == document.synonyms
    assert [place for place, _text in document.texts()][:4] == [
        "what_it_is", "signs", "treatment", "complications",
    ]  # fmt: skip


def test_empty_draft_builds_a_document_and_the_checks_say_what_is_missing() -> None:
    draft = make_condition(
        "",
        synonyms="",
        body_area="",
        summary="",
        what_it_is="",
        signs="",
        treatment="",
        tips=0,
        authors=False,
    )
    found = {finding.id: finding for finding in findings_for(draft.build(), draft.publication)}
    blocking = {name for name, finding in found.items() if finding.blocks}
    assert blocking == {"title", "author-missing", "what-it-is", "treatment"}
    assert set(found) - blocking == {"signs", "summary", "source-missing"}
    assert all(finding.sentence and finding.remedy and finding.place for finding in found.values())


def test_complete_condition_has_no_findings() -> None:
    draft = make_condition()
    context = Context(settings=SiteSettings(), today=draft.changed_at.date(), publication=draft.publication)
    assert [finding for check in checks for finding in check(draft.build(), context)] == []


def test_tips_are_in_the_order_of_their_positions() -> None:
    draft = make_condition(tips=3)
    draft.tips.filter(position=1).update(position=9)
    assert [tip.name for tip in fresh(draft).build().tips] == ["Tip 2", "Tip 3", "Tip 1"]


def test_sources_are_those_cited_in_reading_order() -> None:
    make_citation("b"), make_citation("a"), make_citation("unused")
    draft = make_condition(what_it_is="<p>[@b]</p>", signs="<p>[@a] [@b]</p>", treatment="<p>[@unknown]</p>")
    assert [source.key for source in draft.build().citations] == ["b", "a"]


def test_document_keeps_a_source_as_it_was_when_published() -> None:
    draft = make_condition()
    edition = publish_draft(draft)
    Citation.objects.update(title="Corrected title")
    assert edition.document().citations[0].title == "Title of guideline-a"
    assert fresh(draft).build().citations[0].title == "Corrected title"


def test_unsafe_html_never_reaches_a_document() -> None:
    draft = make_condition(treatment='<p onclick="x()">Rest<script>alert(1)</script> [@guideline-a]</p>')
    assert draft.build().treatment == "<p>Rest [@guideline-a]</p>"


def test_bringing_back_gives_the_very_same_text() -> None:
    draft = make_condition(
        picture=make_picture(), tips=3, icd10="M51.2\nM51.3", complications="<p>Few.</p>", urgency=Urgency.URGENT
    )
    document = snapshot_of(draft).document()
    draft.name, draft.synonyms, draft.icd10, draft.urgency = "Other", "", "", Urgency.SEE_A_DOCTOR
    draft.picture, draft.what_it_is, draft.signs, draft.treatment, draft.complications = None, "", "", "", ""
    draft.body_area = draft.summary = ""
    draft.save()
    draft.tips.update(name="Other")
    draft.tips.create(name="One too many", position=9)
    draft.authors.set([make_contributor("Somebody Else")])
    draft = fresh(draft)
    draft_from(document=document, draft=draft, by=None)
    assert fresh(draft).build() == document
    assert Condition.objects.get().fingerprint == document.fingerprint()

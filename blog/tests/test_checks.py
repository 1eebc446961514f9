"""What an article or a page needs before it is published."""

from datetime import date
from typing import Any

import pytest

from blog.checks import EMERGENCY, article_kind_checks, page_kind_checks
from blog.documents import ArticleDocument, Entry, PageDocument, Section, ShownCondition
from publishing.documents import Origin, Person, PictureValue, Source, Urgency, WarningSign
from publishing.findings import Context, Finding
from publishing.models import SiteSettings

PERSON = Person(uuid="p", name="Ada Author", credentials="MSc")
SIGN = WarningSign(id="w1", text="Numbness between the legs", urgency=Urgency.EMERGENCY)
COMPLETE: dict[str, Any] = {
    "kind": "article",
    "form": "conditions",
    "schema": 1,
    "uuid": "u",
    "language": "en",
    "title": "Back pain",
    "summary": "What causes it. What helps.",
    "intro": "<p>It is common [@k].</p>",
    "entries": (
        Entry(
            id="e1", heading="Herniated disc", text="<p>A disc.</p>", treatment="<p>Rest.</p>", urgency=Urgency.URGENT
        ),
    ),
    "warning_signs": (SIGN,),
    "citations": (Source(key="k", kind="web", title="T"),),
    "authors": (PERSON,),
    "funding": "None",
    "conflicts": "None",
}


def findings(mentioned: dict[str, int] | None = None, **fields: Any) -> dict[str, Finding]:
    document = ArticleDocument(**COMPLETE | fields)
    context = Context(settings=SiteSettings(), today=date(2026, 1, 1), mentioned=mentioned or {})
    return {finding.id: finding for check in article_kind_checks for finding in check(document, context)}


def test_complete_article_has_no_findings() -> None:
    assert findings() == {}


@pytest.mark.parametrize(
    ("fields", "id_", "place"),
    [
        ({"title": " "}, "title", "title"),
        ({"summary": ""}, "summary", "summary"),
        ({"entries": ()}, "entries", "entries"),
        (
            {"entries": (Entry(id="e1", heading="", text="<p>a</p>", treatment="<p>b</p>"),)},
            "entry-heading", "entries/e1",
        ),
        ({"entries": (Entry(id="e1", heading="h", treatment="<p>b</p>"),)}, "entry-text", "entries/e1/text"),
        ({"form": "plain", "intro": "", "citations": ()}, "sections", "sections"),
        ({"warning_signs": ()}, "warning-signs", "warning_signs"),
        ({"authors": ()}, "author-missing", "authors"),
        ({"funding": ""}, "funding", "funding"),
        ({"conflicts": ""}, "conflicts", "conflicts"),
        ({"origin": Origin(name="Elsewhere", licence="CC BY")}, "origin", "origin_url"),
        ({"intro": "<p>[@unknown]</p>"}, "citation-unknown", "intro"),
    ],
)  # fmt: skip
def test_what_is_missing_blocks_and_says_where_and_what_to_do(fields: dict[str, Any], id_: str, place: str) -> None:
    finding = findings(**fields)[id_]
    assert finding.blocks
    assert finding.place == place
    assert finding.sentence.endswith(".")
    assert finding.remedy.endswith(".")


@pytest.mark.parametrize(
    ("fields", "id_"),
    [
        ({"intro": ""}, "intro"),
        ({"citations": (), "intro": "<p>a</p>"}, "source-missing"),
        ({"entries": (Entry(id="e1", heading="h", text="<p>a</p>", urgency=Urgency.URGENT),)}, "entry-treatment"),
        ({"entries": (Entry(id="e1", heading="h", text="<p>a</p>", treatment="<p>b</p>"),)}, "entry-urgency"),
        ({"origin": Origin(name="Elsewhere", url="https://a.example/")}, "origin-licence"),
        ({"authors": (Person(uuid="p", name="No Title"),)}, "author-qualification"),
        (
            {"picture": PictureValue(
                content_hash="a", extension="jpg", width=1, height=1, focal_x=0, focal_y=0, alt="a" * 126
            )},
            "alt-long",
        ),
    ],
)  # fmt: skip
def test_what_could_be_better_only_warns(fields: dict[str, Any], id_: str) -> None:
    found = findings(**fields)
    assert set(found) == {id_}
    assert not found[id_].blocks


def test_plain_article_needs_neither_conditions_nor_warning_signs() -> None:
    sections = (Section(id="s", heading="h", text="<p>a</p>"),)
    assert findings(form="plain", entries=(), warning_signs=(), sections=sections) == {}


# --- Emergencies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "This is a medical emergency.",
        "Call 999 at once.",
        "Go to the emergency department.",
        "a loss of bladder control",
        "losing control of your bowels",
        "You cannot control your bladder.",
        "You can\u2019t control your bowel.",
        "loss of control over the bladder",
    ],
)
def test_emergency_that_stands_in_prose_alone_blocks(text: str) -> None:
    urgent = (SIGN.model_copy(update={"urgency": Urgency.URGENT}),)
    finding = findings(note=f"<p>{text}</p>", warning_signs=urgent)["emergency-in-prose"]
    assert finding.blocks
    assert finding.place == "note"
    assert "emergency-in-prose" not in findings(note=f"<p>{text}</p>"), "it is a warning sign as well"


def test_emergency_in_prose_is_found_across_tags_and_in_plain_articles() -> None:
    html = "<p>Loss of <strong>bladder</strong> control</p>"
    sections = (Section(id="s", heading="h", text=html),)
    found = findings(form="plain", entries=(), warning_signs=(), sections=sections)
    assert found["emergency-in-prose"].place == "sections/s"


def test_warning_sign_that_is_an_emergency_has_to_be_marked_as_one() -> None:
    sign = WarningSign(id="w2", text="Loss of bladder control", urgency=Urgency.SEE_A_DOCTOR)
    finding = findings(warning_signs=(SIGN, sign))["emergency-urgency"]
    assert finding.blocks
    assert finding.place == "warning_signs/w2"


@pytest.mark.parametrize("text", ["Call 9991 for sales", "bladder training", "an emerging view", "stress"])
def test_ordinary_words_are_no_emergency(text: str) -> None:
    assert not EMERGENCY.search(text)


# --- Library text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("live", "id_"), [(0, "condition-withdrawn"), (3, "condition-newer"), (2, None)])
def test_entry_is_told_of_a_newer_or_withdrawn_library_text(live: int, id_: str | None) -> None:
    condition = ShownCondition(uuid="c", edition=2, name="Disc", urgency=Urgency.URGENT)
    entry = Entry(
        id="e1", heading="h", text="<p>a</p>", treatment="<p>b</p>", urgency=Urgency.URGENT, condition=condition
    )
    found = findings(mentioned={"c": live}, entries=(entry,))
    assert set(found) == ({id_} if id_ else set())
    assert not any(finding.blocks for finding in found.values())


def test_findings_at_different_places_are_different() -> None:
    document = ArticleDocument(**COMPLETE | {"entries": (Entry(id="e1", heading="a"), Entry(id="e2", heading="b"))})
    context = Context(settings=SiteSettings(), today=date(2026, 1, 1))
    identities = [finding.identity for check in article_kind_checks for finding in check(document, context)]
    assert {"entry-text:entries/e1/text", "entry-text:entries/e2/text"} <= set(identities)
    assert len(identities) == len(set(identities))


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_page_needs_a_title_and_a_text_and_no_author() -> None:
    context = Context(settings=SiteSettings(), today=date(2026, 1, 1))
    page = PageDocument(kind="page", schema=1, uuid="u", language="en", title="")
    found = {finding.id: finding.blocks for check in page_kind_checks for finding in check(page, context)}
    assert found == {"title": True, "text": True}
    page = page.model_copy(update={"title": "Policy", "text": "<p>a</p>"})
    assert [finding for check in page_kind_checks for finding in check(page, context)] == []

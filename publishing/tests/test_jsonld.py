"""Structured data as such: it cannot end its element, it names nothing twice, and its tests can fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.tests.vocabulary import faults, unseen
from publishing.documents import Source
from publishing.jsonld import dump, merged, source_node, words

pytestmark = pytest.mark.once

HOSTILE = "</script><!--<script>alert(1)</script>&amp;\u2028\u2029"


def test_nothing_in_a_text_ends_the_element_it_stands_in_and_all_of_it_comes_back() -> None:
    text = dump([{"@id": "#x", "name": HOSTILE}])
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"@context": "https://schema.org", "@graph": [{"@id": "#x", "name": HOSTILE}]}


def test_a_condition_that_two_entries_are_about_is_described_once() -> None:
    assert merged([{"@id": "#a", "name": "first"}, {"@id": "#b"}, {"@id": "#a", "name": "second"}]) == [
        {"@id": "#a", "name": "first"},
        {"@id": "#b"},
    ]


def test_words_of_rich_text_have_no_numbers_of_sources_and_no_space_before_a_stop() -> None:
    html = "<p>It <strong>hurts</strong> [@a-b].</p><ul><li>One &amp; two</li><li>Three</li></ul>"
    assert words(html) == "It hurts. One & two Three"


@pytest.mark.parametrize("kind", ["guideline", "review", "trial", "study", "expert", "web", "of another time"])
def test_a_source_of_any_kind_is_a_work_that_can_be_cited(kind: str) -> None:
    source = Source(key="k", kind=kind, title="T", publisher="P", year=2020, url="https://a.example/", doi="10.1/x")
    work = {"@type": "WebPage", "@id": "#page", "citation": {"@id": "#s"}}
    assert faults([work, source_node(source, "#s")]) == []


# --- The tests' own tools ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "fault"),
    [
        ({"@type": "MedicalPage"}, "no type MedicalPage"),
        ({"name": "x"}, None),
        ({"@type": "Thing", "nickname": "x"}, "no property nickname"),
        ({"@type": "BlogPosting", "lastReviewed": "2026-01-01"}, "lastReviewed is no property of BlogPosting"),
        ({"@type": "WebPage", "lastReviewed": "1 May 2026"}, 'WebPage.lastReviewed may not be "1 May 2026"'),
        ({"@type": "WebPage", "lastReviewed": "2026-01-01T00:00:00+00:00"}, None),
        ({"@type": "MedicalWebPage", "aspect": "x"}, "aspect is superseded by mainContentOfPage"),
        (
            {"@type": "MedicalCondition", "primaryPrevention": {"@type": "LifestyleModification"}},
            'MedicalCondition.primaryPrevention may not be {"@type": "LifestyleModification"}',
        ),
        ({"@type": "MedicalSymptom", "cause": {"@id": "#b"}}, 'MedicalSymptom.cause may not be {"@id": "#b"}'),
        ({"@type": "MedicalSymptom", "cause": {"@type": ["MedicalCondition", "MedicalCause"]}}, ""),
        (
            {"@type": "HealthTopicContent", "hasHealthAspect": "https://schema.org/MedicalHelpUrgentHealthAspect"},
            None,
        ),
        ({"@type": "HealthTopicContent", "hasHealthAspect": "https://schema.org/CausesHealthAspect"}, ""),
        ({"@type": "CreativeWork", "citation": {"@type": "MedicalGuideline"}}, None),
        ({"@type": "WebPage", "isAccessibleForFree": "yes"}, None),
        ({"@type": "ItemList", "numberOfItems": "two"}, None),
    ],
)
def test_what_the_vocabulary_does_not_know_is_found(node: dict[str, Any], fault: str | None) -> None:
    """`fault` is '' where there is none, None where any will do."""
    found = faults([node])
    assert (found == []) if fault == "" else (found if fault is None else found == [fault])


def test_words_and_days_that_a_page_does_not_show_are_found() -> None:
    html = "<p>Back pain <a class='cite'>[1]</a>. Reviewed on 3 May 2026, again by May 2028.</p><script>Secret</script>"
    said = {"@type": "WebPage", "name": "back pain.", "lastReviewed": "2026-05-03", "expires": "2028-05-31"}
    assert unseen([said], html, "en") == []
    unsaid = {"name": "Secret", "lastReviewed": "2026-05-04", "expires": "2028-06-01", "url": "https://x.example/"}
    assert unseen([{"about": [unsaid]}], html, "en") == [
        "name: Secret",
        "lastReviewed: 2026-05-04",
        "expires: 2028-06-01",
    ]
    assert unseen([{"dateModified": "2026-05-03"}], html, "de") == ["dateModified: 2026-05-03"]

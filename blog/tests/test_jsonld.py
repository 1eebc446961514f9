"""What a page says of itself in schema.org's words, by the state that its text is in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from blog.models import Article
from config.tests.factories import (
    fresh,
    make_article,
    make_citation,
    make_condition,
    make_page,
    make_picture,
    make_user,
    publish_draft,
    reword,
    sign,
)
from config.tests.vocabulary import Node, faults, graph_in, unseen
from publishing.models import Level, Publication, SiteSettings
from publishing.preview import preview_link
from publishing.services import revoke, take_snapshot, withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.once]

REVIEW = {"reviewedBy", "lastReviewed", "expires"}


def graph(client: Client, path: str, language: str = "en") -> dict[str, Node]:
    """The nodes of a page by the ends of their names; they are right, and their words are on the page."""
    response = client.get(path)
    assert response.status_code == 200
    nodes = graph_in(response.content)
    assert faults(nodes) == []
    assert unseen(nodes, response.content, language) == []
    return {node["@id"].removeprefix("http://testserver"): node for node in nodes}


def page_of(client: Client, path: str) -> Node:
    return graph(client, path)[f"{path}#page"]


def live_article(**fields: Any) -> Article:
    article = make_article(slug="pain", **fields)
    publish_draft(article)
    made: Article = fresh(article)
    return made


def test_an_article_is_a_page_a_posting_and_the_conditions_that_it_names(client: Client) -> None:
    make_citation("trial-b", kind="trial", doi="10.1000/xyz123", publisher="The Journal", year=2019)
    disc = make_condition(slug="disc", synonyms="Slipped disc\nRuptured disc\nProlapse\nA fourth name")
    publish_draft(disc)
    article = make_article(
        slug="pain",
        conditions=[disc],
        picture=make_picture(),
        intro="<p>It is common [@trial-b].</p>",
    )
    article.publication.tags.add("spine")
    publish_draft(article)
    found = graph(client, "/articles/pain/")
    page, posting = found["/articles/pain/#page"], found["/articles/pain/#article"]
    assert (page["@type"], posting["@type"]) == ("MedicalWebPage", "BlogPosting")
    assert posting["mainEntityOfPage"] == {"@id": page["@id"]}
    assert page["about"] == [{"@id": "http://testserver/articles/pain/#symptom"}]
    assert page["mainEntity"] == {"@id": "http://testserver/articles/pain/#list"}
    listed = [item["item"]["@id"] for item in found["/articles/pain/#list"]["itemListElement"]]
    assert [id_.removeprefix("http://testserver") for id_ in listed] == [
        "/conditions/disc/#condition",
        "/articles/pain/#own-entry-1",
    ]
    condition = found["/conditions/disc/#condition"]
    assert condition["alternateName"] == ["Slipped disc", "Ruptured disc", "Prolapse"]
    assert condition["possibleTreatment"] == [
        {"@type": "MedicalTherapy", "description": "Treatment of herniated disc."}
    ]
    assert "code" not in condition  # which only the condition's own page shows
    symptom = found["/articles/pain/#symptom"]
    assert symptom["secondaryPrevention"] == [
        {"@type": "LifestyleModification", "name": "Tip 1", "description": "Move."}
    ]
    trial = found[posting["citation"][0]["@id"].removeprefix("http://testserver")]
    assert trial["@type"] == "MedicalScholarlyArticle"
    assert trial["identifier"] == [{"@type": "PropertyValue", "propertyID": "doi", "value": "10.1000/xyz123"}]
    assert trial["isPartOf"] == {"@type": "Periodical", "name": "The Journal"}
    aspects = {part["hasHealthAspect"].rpartition("/")[2].removesuffix("HealthAspect") for part in page["hasPart"]}
    assert aspects == {"Overview", "Causes", "Prevention", "SeeDoctor"}
    assert posting["wordCount"] == Publication.objects.get(slug="pain").words
    assert posting["author"] == [{"@id": "http://testserver/people/ada-author/#person"}]
    assert found["/people/ada-author/#person"]["hasCredential"]["name"] == "MSc"


def test_a_review_is_claimed_while_it_holds_and_no_longer(client: Client) -> None:
    article = live_article()
    assert not REVIEW & set(page_of(client, "/articles/pain/"))
    record = sign(article)
    page = page_of(client, "/articles/pain/")
    assert (page["lastReviewed"], page["expires"]) == (
        timezone.localdate().isoformat(),
        record.valid_until.isoformat(),
    )
    assert page["reviewedBy"] == {"@id": "http://testserver/people/rita-reviewer/#person"}
    publish_draft(reword(article), Level.MINOR)
    assert set(page_of(client, "/articles/pain/")) >= REVIEW  # minor changes since
    revoke(sign_off=record, by=make_user(), reason="Signed by mistake.")
    assert not REVIEW & set(page_of(client, "/articles/pain/"))


def test_an_overdue_review_is_none(client: Client) -> None:
    article = live_article()
    sign(article)
    publication = Publication.objects.get(slug="pain")
    Publication.objects.filter(pk=publication.pk).update(
        trust="overdue", trust_until=timezone.localdate() - timedelta(days=1)
    )
    found = graph(client, "/articles/pain/")
    assert not REVIEW & set(found["/articles/pain/#page"])
    assert "/people/rita-reviewer/#person" not in found


def test_a_new_major_edition_is_not_reviewed_and_says_what_it_corrects(client: Client) -> None:
    article = live_article()
    sign(article)
    assert "correction" not in graph(client, "/articles/pain/")["/articles/pain/#article"]
    publish_draft(reword(article), Level.MAJOR, "The dose was wrong.")
    found = graph(client, "/articles/pain/")
    assert not REVIEW & set(found["/articles/pain/#page"])
    posting = found["/articles/pain/#article"]
    assert posting["correction"]["text"] == "The dose was wrong."
    assert posting["dateModified"] >= posting["datePublished"]


def test_a_text_from_elsewhere_says_where_it_comes_from_and_stays_out_of_indexes(client: Client) -> None:
    live_article(
        origin_name="Example News",
        origin_url="https://news.example/1",
        origin_title="An old title",
        origin_author="O. Riginal",
        origin_published="2020-02-01",
    )
    posting = graph(client, "/articles/pain/")["/articles/pain/#article"]
    assert posting["creditText"] == "First published by Example News"
    assert posting["isBasedOn"] == {
        "@type": "Article",
        "url": "https://news.example/1",
        "headline": "An old title",
        "author": {"@type": "Person", "name": "O. Riginal"},
        "datePublished": "2020-02-01",
        "publisher": {"@type": "Organization", "name": "Example News"},
    }
    body = client.get("/articles/pain/").content.decode()
    assert '<meta name="robots" content="noindex,follow">' in body
    assert '<link rel="canonical" href="http://testserver/articles/pain/">' in body


def test_an_address_that_runs_script_is_not_passed_on(client: Client) -> None:
    live_article(origin_name="Example News", origin_url="javascript:alert(1)")
    based_on = graph(client, "/articles/pain/")["/articles/pain/#article"]["isBasedOn"]
    assert "url" not in based_on


def test_an_older_edition_a_preview_and_what_is_gone_say_nothing(client: Client) -> None:
    article = live_article()
    draft = reword(article)
    snapshot = take_snapshot(publication=draft.publication, document=draft.build(), purpose="link", by=make_user())  # type: ignore[arg-type]
    publish_draft(draft)
    previewed = Client().get(preview_link(snapshot).removeprefix("http://testserver"))
    assert previewed.status_code == 200
    assert graph_in(previewed.content) == []
    for path in ("editions/1/", "editions/2/", "editions/", "compare/"):
        assert graph_in(client.get(f"/articles/pain/{path}").content) == [], path
    withdraw(publication=article.publication, by=make_user(), reason="Out of date.")
    assert graph_in(client.get("/articles/pain/").content) == []


def test_a_topic_that_the_page_does_not_name_is_not_claimed(client: Client) -> None:
    live_article(topic="sciatica", tips_heading="What helps")
    found = graph(client, "/articles/pain/")
    assert "/articles/pain/#symptom" not in found
    assert found["/articles/pain/#page"]["about"] == [{"@id": "http://testserver/articles/pain/#own-entry-1"}]


def test_a_library_condition_that_is_not_live_is_described_by_the_article_alone(client: Client) -> None:
    condition = make_condition(slug="disc")
    publish_draft(condition)
    live_article(conditions=[condition], own_entries=0)
    withdraw(publication=condition.publication, by=make_user(), reason="Being rewritten.")
    found = graph(client, "/articles/pain/")
    assert "/conditions/disc/#condition" not in found
    assert found["/articles/pain/#herniated-disc"]["name"] == "Herniated disc"


def test_two_entries_about_one_condition_are_one_cause(client: Client) -> None:
    condition = make_condition(slug="disc")
    publish_draft(condition)
    live_article(conditions=[condition, condition], own_entries=0)
    found = graph(client, "/articles/pain/")
    assert found["/articles/pain/#symptom"]["cause"] == [{"@id": "http://testserver/conditions/disc/#condition"}]
    assert found["/articles/pain/#list"]["numberOfItems"] == 2


def test_a_condition_says_its_names_codes_signs_treatment_complications_and_what_one_can_do(client: Client) -> None:
    condition = make_condition(
        slug="disc", icd10="M51.2\nM51.1", snomed="76107001", complications="<p>Lasting numbness.</p>"
    )
    publish_draft(condition)
    sign(fresh(condition))
    found = graph(client, "/conditions/disc/")
    node = found["/conditions/disc/#condition"]
    assert [(code["codingSystem"], code["codeValue"]) for code in node["code"]] == [
        ("ICD-10", "M51.2"),
        ("ICD-10", "M51.1"),
        ("SNOMED CT", "76107001"),
    ]
    assert node["possibleComplication"] == "Lasting numbness."
    assert node["secondaryPrevention"][0]["name"] == "Tip 1"
    assert node["guideline"] == [{"@id": "http://testserver/conditions/disc/#source-1"}]
    assert set(found["/conditions/disc/#page"]) >= REVIEW
    assert found["/conditions/disc/#page"]["mainEntity"] == {"@id": node["@id"]}


def test_the_publisher_has_the_policies_whose_pages_are_live_and_a_way_to_answer(client: Client) -> None:
    live_article()
    SiteSettings.objects.update_or_create(pk=1, defaults={"publisher": "The Publishers"})
    assert set(graph(client, "/articles/pain/")["/#publisher"]) == {
        *("@type", "@id", "name", "url", "actionableFeedbackPolicy"),
    }
    for slug in ("corrections", "funding", "privacy"):
        publish_draft(make_page(slug.title(), slug=slug))
    publisher = graph(client, "/articles/pain/")["/#publisher"]
    assert publisher["correctionsPolicy"] == "http://testserver/about/corrections/"
    assert publisher["ownershipFundingInfo"] == "http://testserver/about/funding/"
    assert "publishingPrinciples" not in publisher
    withdraw(publication=Publication.objects.get(slug="funding"), by=make_user(), reason="Being rewritten.")
    assert "ownershipFundingInfo" not in graph(client, "/articles/pain/")["/#publisher"]


def test_translations_name_one_another(client: Client) -> None:
    article = live_article()
    publish_draft(make_article("Rücken", slug="ruecken", language="de", translation_of=article.publication))
    there = graph(client, "/articles/pain/")["/articles/pain/#article"]["workTranslation"]
    assert [(page["url"], page["inLanguage"]) for page in there] == [("http://testserver/articles/ruecken/", "de")]
    back = graph(client, "/articles/ruecken/", "de")["/articles/ruecken/#article"]["translationOfWork"]
    assert (back["url"], back["inLanguage"]) == ("http://testserver/articles/pain/", "en")


LISTS = ["/", "/articles/", "/tags/", "/people/", "/archive/", "/conditions/", "/body/"]
NEVER_EMPTY = ["/tags/spine/", "/people/ada-author/", "/body/back-and-spine/"]


@pytest.mark.parametrize("path", [*LISTS, *NEVER_EMPTY])
def test_lists_name_what_they_list_and_say_nothing_wrong_when_empty(path: str, client: Client) -> None:
    if path in LISTS:
        assert graph(client, path)
    article = make_article(slug="pain")
    article.publication.tags.add("spine")
    publish_draft(article)
    publish_draft(make_condition(slug="disc"))
    assert graph(client, path)


def test_the_graph_costs_no_query_of_its_own(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    condition = make_condition(slug="disc", picture=make_picture())
    publish_draft(condition)
    sign(live_article(conditions=[condition], picture=make_picture()))

    def cost() -> int:
        client.get("/articles/pain/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/articles/pain/")
        return len(queries)

    whole = cost()
    monkeypatch.setattr("publishing.jsonld.graph_of", lambda context: [])
    assert cost() == whole

"""The API: the same documents as the pages, bounded questions, and errors that say what is wrong."""

from __future__ import annotations

import json
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from blog.models import ArticleWarningSign
from blog.search.index import index_stale
from config.tests.factories import (
    fresh,
    make_article,
    make_condition,
    make_contributor,
    make_in_state,
    make_picture,
    make_reviewer,
    make_user,
    publish_draft,
    reword,
    sign,
)
from config.tests.guard import GuardedClient
from publishing.documents import Urgency
from publishing.services import change_address, redact, withdraw

pytestmark = pytest.mark.django_db

LISTS = ["articles", "conditions", "people", "tags"]


@pytest.fixture
def article() -> Any:
    disc = make_condition("Herniated disc")
    publish_draft(disc)
    origin: dict[str, Any] = {"origin_name": "The Original", "origin_url": "https://first.example/"}
    draft = make_article("Back pain", conditions=[disc], picture=make_picture(), signs=0, **origin)
    for urgency in reversed(Urgency):
        ArticleWarningSign.objects.create(article=draft, text=f"sign {urgency.value}", urgency=urgency)
    draft.publication.tags.add("spine")
    draft = fresh(draft)
    sign(draft, make_reviewer("Rita Reviewer"))
    publish_draft(draft)
    return fresh(draft)


# --- What it says ------------------------------------------------------------------------------------------------


def test_an_article_is_the_document_of_its_edition_with_what_the_page_says_of_it(article: Any, client: Client) -> None:
    said = client.get("/api/v1/articles/back-pain").json()
    publication = article.publication
    stored = json.loads(client.get("/articles/back-pain.json").content)
    filled = {key: value for key, value in said["document"].items() if key in stored}
    assert filled.keys() == stored.keys()
    assert filled["title"] == stored["title"]
    assert filled["intro"] == stored["intro"]
    assert filled["schema"] == stored["schema"]
    assert said["id"] == str(publication.uuid)
    assert said["url"] == "http://testserver/articles/back-pain/"
    assert said["review"]["state"] == "reviewed"
    assert said["review"]["reviewer"] == "Rita Reviewer, MD"
    assert said["live_edition"]["fingerprint"] == publication.live.fingerprint
    assert [row["urgency"] for row in said["warning_signs"]] == ["emergency", "urgent", "see-a-doctor"]
    assert said["emergency_action"] == "Call 112 now if any of these applies"
    assert said["html"].startswith("<h2>Call 112 now")
    assert said["origin"]["name"] == "The Original"
    assert (said["syndicated"], said["indexable"]) == (True, False)
    assert (said["conditions"], said["tags"]) == (["herniated-disc"], ["spine"])
    assert said["authors"][0]["name"] == "Ada Author"


def test_what_it_links_to_is_there(article: Any, client: Client) -> None:
    said = client.get("/api/v1/articles/back-pain").json()
    links = [said["url"], said["api_url"], said["markdown_url"], said["review"]["record_url"]]
    links += [said["live_edition"]["url"], client.get("/api/v1/people").json()["items"][0]["url"]]
    for link in links:
        assert client.get(link.removeprefix("http://testserver")).status_code == 200, link


def test_a_condition_says_how_soon_to_act_and_its_articles_are_found_by_it(article: Any, client: Client) -> None:
    said = client.get("/api/v1/conditions/herniated-disc").json()
    assert said["document"]["name"] == "Herniated disc"
    assert said["urgency"] in Urgency.values
    assert said["body_area"] == "back-and-spine"
    found = client.get("/api/v1/articles?condition=herniated-disc").json()["items"]
    assert [row["slug"] for row in found] == ["back-pain"]


def test_lists_are_narrowed(article: Any, client: Client) -> None:
    for query, slugs in (
        ("articles?tag=spine", ["back-pain"]),
        ("articles?tag=other", []),
        ("articles?author=ada-author", ["back-pain"]),
        ("articles?reviewer=rita-reviewer", ["back-pain"]),
        ("articles?author=rita-reviewer", []),
        ("articles?language=EN&tag=spine&condition=herniated-disc", ["back-pain"]),
        ("articles?language=de", []),
        ("conditions?area=back-and-spine", ["herniated-disc"]),
        ("conditions?area=mind", []),
        ("people", ["ada-author", "rita-reviewer"]),
        ("tags", ["spine"]),
        ("people?after=ada-author", ["rita-reviewer"]),
    ):
        assert (query, [row["slug"] for row in client.get(f"/api/v1/{query}").json()["items"]]) == (query, slugs)


def test_editions_stay_to_be_read_and_one_that_was_taken_away_says_why(client: Client) -> None:
    draft = make_in_state("live", slug="text")
    first = draft.publication.live
    publish_draft(reword(draft), note="Better words.")
    listed = client.get("/api/v1/articles/text/editions").json()["items"]
    assert [(row["number"], row["note"]) for row in listed] == [(2, "Better words."), (1, "What changed.")]
    one = client.get("/api/v1/articles/text/editions/1").json()
    assert (one["live"], "wording at first" in one["document"]["intro"]) == (False, True)
    redact(fingerprint=first.fingerprint, by=make_user(), reason="A court said so.")
    gone = client.get("/api/v1/articles/text/editions/1")
    assert gone.status_code == 410
    assert gone.json()["reason"] == "A court said so."


def test_what_was_withdrawn_says_so_and_what_has_moved_leads_there(article: Any, client: Client) -> None:
    change_address(publication=article.publication, slug="elsewhere")
    moved = client.get("/api/v1/articles/back-pain")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/api/v1/articles/elsewhere")
    withdraw(publication=fresh(article.publication), by=make_user(), reason="Out of date.")
    gone = client.get("/api/v1/articles/elsewhere")
    assert gone.status_code == 410
    assert {moved.headers["Cache-Control"], gone.headers["Cache-Control"]} == {"public, no-cache"}  # it may come back
    assert gone.headers["Content-Type"] == "application/problem+json"
    assert {key: gone.json()[key] for key in ("status", "title", "gone", "reason")} == {
        "status": 410,
        "title": "Gone",
        "gone": "Back pain",
        "reason": "Out of date.",
    }


def test_search_finds_what_the_page_of_the_search_finds(article: Any, client: Client) -> None:
    index_stale(everything=True)
    said = client.get("/api/v1/search?q=slipped+herniated+disc").json()
    assert "Herniated disc" in [row["title"] for row in said["items"]]
    assert said["total"] >= 1


# --- Paging ------------------------------------------------------------------------------------------------------


def test_paging_gives_everything_once(client: Client) -> None:
    for number in range(5):
        draft = make_article(f"Article {number}", authors=False)
        draft.authors.add(make_contributor(f"Person {number}"))
        draft.publication.tags.add(f"topic {number}")
        publish_draft(fresh(draft))
    draft = fresh(draft)
    for number in range(4):
        draft = reword(draft, f"words {number}")
        publish_draft(draft)
    keys = {"articles": "slug", "people": "slug", "tags": "slug", "articles/article-4/editions": "number"}
    for name, key in keys.items():
        seen: list[str] = []
        url: str | None = f"/api/v1/{name}?limit=2"
        while url:
            said = client.get(url.removeprefix("http://testserver")).json()
            assert len(said["items"]) <= 2
            seen += [row[key] for row in said["items"]]
            url = said["next"]
        assert (name, len(seen), len(set(seen))) == (name, 5, 5)


def test_a_list_costs_the_same_with_two_texts_and_with_ten(client: Client) -> None:
    costs = []
    for count in (2, 8):
        for number in range(count):
            draft = make_article(f"Text {number}", picture=make_picture())
            draft.publication.tags.add("spine", f"own {number}")
            publish_draft(draft)
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get("/api/v1/articles").json()["items"]) >= count
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 3


# --- How it answers ----------------------------------------------------------------------------------------------


def test_every_answer_may_be_read_from_any_page_and_asked_for_again(article: Any, client: Client) -> None:
    for path in (*LISTS, "articles/back-pain", "conditions/herniated-disc", "articles/back-pain/editions"):
        url = f"/api/v1/{path}"
        first = client.get(url)
        assert first.status_code == 200
        assert first.headers["Content-Type"] == "application/json; charset=utf-8"
        assert first.headers["Access-Control-Allow-Origin"] == "*"
        assert first.headers["Cache-Control"] == "public, no-cache"
        assert first.headers["X-Robots-Tag"] == "noindex"
        assert "Vary" not in first.headers
        assert not first.cookies
        again = client.get(url, headers={"if-none-match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        head = client.head(url)
        assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
        for method in ("post", "put", "patch", "delete"):
            refused = getattr(Client(enforce_csrf_checks=True), method)(url)
            assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
            assert refused.json()["status"] == 405


def test_the_text_itself_names_the_page_as_the_original(article: Any, client: Client) -> None:
    link = client.get("/api/v1/articles/back-pain").headers["Link"]
    assert link == '<http://testserver/articles/back-pain/>; rel="canonical"'


def test_what_is_not_there_is_a_problem(client: Client) -> None:
    of_articles = [f"v1/articles{rest}" for rest in ("/", "/nothing", "/a/editions", "/a/editions/1", "/a/nothing")]
    for path in ("nothing", "v1", "v1/", "v1/people/nothing", "v2/x", *of_articles):
        response = client.get(f"/api/{path}")
        assert (path, response.status_code) == (path, 404)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json() == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "There is nothing at this address.",
        }


HOSTILE = ["0", "-1", "101", "9" * 23, "9" * 5000, "1.5", "", "x", "²", "1_0", "%00", "NaN", "[]", "1e3", "٣"]


def test_a_limit_out_of_bounds_is_said_to_be(client: Client) -> None:
    make_in_state("live", slug="text")
    for name, value in product((*LISTS, "articles/text/editions", "search"), HOSTILE):
        response = client.get(f"/api/v1/{name}?q=a&limit={value}")
        if response.status_code == 200:  # "٣" is 3 to some
            assert len(response.json()["items"]) <= 100
            continue
        assert (name, response.status_code) == (name, 422)
        assert response.json()["errors"][0]["parameter"] == "limit"
        assert response.headers["Content-Type"] == "application/problem+json"


PARAMETERS = {
    "articles": ["limit", "cursor", "tag", "condition", "author", "reviewer", "language"],
    "conditions": ["limit", "cursor", "tag", "area", "author", "reviewer", "language"],
    "people": ["limit", "after"],
    "tags": ["limit", "after"],
    "articles/text/editions": ["limit", "before"],
    "search": ["q", "limit", "offset", "kind", "area", "reviewed"],
}
NASTY = [
    "\0",
    "\n",
    "\ud7ff",
    "a\0b",
    "9" * 23,
    str(2**63),
    f"20260101T000000.0-{2**63}",
    "00010101T000000.0-1",
    "' OR 1=1",
]
strings = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.integers().map(str))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_question_whatever_fails(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(PARAMETERS)))
    asked = {key: data.draw(strings) for key in PARAMETERS[name] if data.draw(st.booleans())}
    response = GuardedClient().get(f"/api/v1/{name}", asked)
    assert response.status_code in (200, 404, 422), response.content
    assert json.loads(response.content)


@settings(max_examples=30, deadline=None)
@given(strings, strings)
def test_no_address_whatever_fails(slug: str, number: str) -> None:
    slug, number = quote(slug, safe=""), quote(number, safe="")
    for path in (f"articles/{slug}", f"people/{slug}", f"articles/a/editions/{number}"):
        response = GuardedClient().get(f"/api/v1/{path}")
        assert response.status_code in (200, 404, 422), (path, response.content)
        assert response.json()


# --- Its description ---------------------------------------------------------------------------------------------


def description(client: Client) -> Any:
    return client.get("/api/openapi.json").json()


def test_the_description_is_valid_openapi_and_says_what_everything_is(client: Client) -> None:
    schema = description(client)
    validate(schema)
    assert schema["openapi"].startswith("3.1")
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) == 12
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert "security" not in operation
        assert all(parameter["description"] for parameter in operation["parameters"])
        for status, response in operation["responses"].items():
            expected = "application/json" if status == "200" else "application/problem+json"
            assert list(response["content"]) == [expected]


def test_every_address_of_the_description_answers(article: Any, client: Client) -> None:
    values = {"slug": {"articles": "back-pain", "conditions": "herniated-disc", "people": "ada-author"}, "number": "1"}
    for path in description(client)["paths"]:
        slugs: Any = values["slug"]
        filled = path.replace("{slug}", slugs.get(path.split("/")[3], "")).replace("{number}", "1")
        assert client.get(f"{filled}?q=disc").status_code == 200, filled


def test_the_page_for_people_names_every_operation_and_its_examples_answer(article: Any, client: Client) -> None:
    response = client.get("/api/")
    page = BeautifulSoup(response.content, "html.parser")
    ids = {str(heading["id"]) for heading in page.select("main h3[id]")}
    schema = description(client)
    assert ids == {operation["operationId"] for methods in schema["paths"].values() for operation in methods.values()}
    examples = [str(link["href"]) for link in page.select("main section a[href^='/api/v1/']")]
    assert len(examples) == 5
    for link in examples:
        assert client.get(link).status_code == 200, link

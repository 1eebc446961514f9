"""Links to the site that a text was brought from arrive, once the text is public."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from blog.feeds import items_of
from config.tests.factories import fresh, make_article, publish_draft
from publishing.former_paths import LONGEST, keep_path, path_key
from publishing.models import FormerPath, Generation, Level, Publication, SiteSettings
from publishing.pages import with_text
from publishing.services import Refused, delete_draft, restore, withdraw

pytestmark = pytest.mark.django_db

HERE = "/articles/back-pain/"


def moved(*addresses: str, live: bool = True) -> Any:
    draft = make_article(slug="back-pain")
    if live:
        publish_draft(draft)
    for address in addresses:
        keep_path(address=address, publication=draft.publication)
    return draft


# --- What is answered --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("/2015/03/back-pain/", "/2015/03/back-pain/"),
        ("/2015/03/back-pain/", "/2015/03/back-pain"),
        ("/2015/03/back-pain", "/2015/03/back-pain//"),
        ("https://old.example/2015/03/back-pain/", "/2015/03/back-pain/"),
        ("/back-pain.html", "/back-pain.html"),
        ("/r%C3%BCcken/", "/r%C3%BCcken"),
        ("/rücken/", "/r%C3%BCcken/"),
        ("/ru\u0308cken/", "/r%C3%BCcken/"),
        ("/100%25-sure/", "/100%25-sure/"),
        ("/?p=12", "/?p=12"),
        ("/index.php?id=7", "/index.php?id=7"),
    ],
)
def test_an_old_link_leads_to_the_page(client: Client, kept: str, asked: str) -> None:
    moved(kept)
    response = client.get(asked)
    assert (response.status_code, response.headers["Location"]) == (301, HERE)
    assert client.head(asked).status_code == 301
    assert client.get(response.headers["Location"]).status_code == 200


def test_what_a_link_brings_along_is_handed_on(client: Client) -> None:
    moved("/old/", "/index.php?id=7")
    assert client.get("/old/?utm_source=x").headers["Location"] == f"{HERE}?utm_source=x"
    assert client.get("/index.php?id=8").status_code == 404


@pytest.mark.parametrize("asked", ["/Old/", "/old/more/", "/ol", "/?p=13", "/?", "/old\u200b/"])
def test_another_address_is_not_this_one(client: Client, asked: str) -> None:
    moved("/old/", "/?p=12")
    assert client.get(asked).status_code in (200, 404)


def test_a_draft_is_no_more_to_be_found_than_what_never_was(client: Client) -> None:
    moved("/old/", "/?p=12", live=False)
    assert client.get("/old/").content == client.get("/elsewhere/").content.replace(b"/elsewhere/", b"/old/")
    assert client.get("/old/").status_code == 404
    assert client.get("/?p=12").status_code == 200


def test_a_withdrawn_text_says_so_at_its_old_address(client: Client) -> None:
    draft = moved("/old/")
    withdraw(publication=draft.publication, by=None, reason="It was wrong.")
    response = client.get("/old/", follow=True)
    assert response.status_code == 410
    assert "It was wrong." in response.text


def test_only_reading_follows_an_old_link(client: Client) -> None:
    moved("/old/")
    assert client.post("/old/").status_code == 404


def test_a_page_of_this_site_wins_and_a_slash_is_still_appended(client: Client) -> None:
    draft = moved()
    FormerPath.objects.create(path="/articles", publication=draft.publication)
    assert client.get("/articles/").status_code == 200
    assert client.get("/conditions").headers["Location"] == "/conditions/"


@pytest.mark.parametrize(
    "asked", ["/" + "x" * 10_000, "/a%00b", "/%ff%fe", "/%ED%A0%80", "/%2F/old", "/?" + "p" * 10_000]
)
def test_a_hostile_address_is_not_found(client: Client, asked: str) -> None:
    moved("/old/")
    response = client.get(asked)
    assert response.status_code in (200, 404)


def test_what_is_found_costs_no_query_more(client: Client) -> None:
    moved("/old/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
        client.get(HERE)
    assert not [query for query in queries if "formerpath" in query["sql"]]


# --- What is kept ------------------------------------------------------------------------------------------------


def test_keeping_an_address_again_changes_nothing() -> None:
    draft = moved("/old/")
    before = Generation.objects.get().number
    keep_path(address="/old", publication=draft.publication)
    assert FormerPath.objects.get().path == "/old"
    assert Generation.objects.get().number == before


def test_two_texts_cannot_have_had_one_address() -> None:
    moved("/old/")
    other = make_article("Neck pain")
    with pytest.raises(Refused, match="already leads to"):
        keep_path(address="/old/", publication=other.publication)
    assert FormerPath.objects.get().publication != other.publication


@pytest.mark.parametrize(
    "address", ["/articles/other/", "/admin/", "/admin/anything", "/tags", "/static/x.css", "/media/x.jpg", "/api/v1/x"]
)
def test_addresses_of_this_site_are_not_given_away(address: str) -> None:
    with pytest.raises(Refused, match="pages of this site"):
        moved(address)
    assert not FormerPath.objects.exists()


@pytest.mark.parametrize("address", ["", "/", "old", "/" + "x" * 600, "/a\0b", "/a%00b", "http://[", "/\ud800"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="no address"):
        moved(address)


def test_an_address_that_is_the_same_here_needs_no_redirect() -> None:
    moved(HERE)
    assert not FormerPath.objects.exists()


def test_a_deleted_draft_lets_go_of_its_old_addresses() -> None:
    draft = moved("/old/", live=False)
    delete_draft(draft=draft)
    assert not FormerPath.objects.exists()


@pytest.mark.once
def test_the_key_of_a_key_is_itself() -> None:
    longest = "/" + "ü" * (LONGEST - 1)
    assert path_key(longest) == longest
    assert path_key("/%C3%BC" * 9) == path_key(path_key("/%C3%BC" * 9)) == "/ü" * 9


# --- Dates -------------------------------------------------------------------------------------------------------


def test_what_was_published_before_it_came_here_is_as_old_as_it_was(client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=3650)
    new, old = make_article("New"), make_article("Old")
    Publication.objects.filter(pk=old.publication_id).update(originally_published=long_ago)
    publish_draft(new)
    publish_draft(fresh(old))
    publication = fresh(old.publication)
    assert publication.first_published == publication.listed_at == long_ago
    assert [row.title for row in Publication.objects.listed()] == ["New", "Old"]
    with_its_text = with_text(Publication.objects.all()).get(pk=publication.pk)
    assert items_of([with_its_text], SiteSettings.load())[0].published == long_ago
    assert f"{long_ago:%Y-%m-%d}" in client.get(publication.get_absolute_url()).text
    withdraw(publication=publication, by=None, reason="Wrong.")
    restore(publication=publication, by=None)
    assert fresh(publication).listed_at == long_ago


def test_a_new_text_of_an_old_article_is_new() -> None:
    draft = make_article()
    long_ago = timezone.now() - timedelta(days=3650)
    Publication.objects.filter(pk=draft.publication_id).update(originally_published=long_ago)
    publish_draft(fresh(draft))
    draft = fresh(draft)
    draft.title = "Back pain, rewritten"
    draft.save()
    second = publish_draft(draft, level=Level.MAJOR, note="Rewritten.")
    assert fresh(draft.publication).listed_at == second.published_at
    assert fresh(draft.publication).first_published == long_ago


def test_a_date_still_to_come_is_not_believed() -> None:
    draft = make_article()
    Publication.objects.filter(pk=draft.publication_id).update(originally_published=timezone.now() + timedelta(days=9))
    edition = publish_draft(fresh(draft))
    assert fresh(draft.publication).first_published == edition.published_at

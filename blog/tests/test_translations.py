"""Articles in more than one language: what their pages say of one another, and what stands in the way."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from blog.models import Article
from config.tests.factories import (
    fresh,
    make_article,
    make_user,
    publish_draft,
    reword,
)
from publishing.models import Level, Publication
from publishing.services import Blocked, Refused, delete_draft, findings_for, withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def soup(client: Client, path: str) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def pair(**fields: Any) -> tuple[Article, Article]:
    """A live article and its live translation into German."""
    original = make_article("Back pain", slug="back-pain")
    publish_draft(original)
    translation = make_article(
        "Rückenschmerzen",
        slug="rueckenschmerzen",
        language="de",
        translation_of=original.publication,
        topic="Rückenschmerzen",
        **fields,
    )
    publish_draft(translation)
    return fresh(original), fresh(translation)


def hreflang(page: BeautifulSoup) -> dict[str, str]:
    return {str(link["hreflang"]): str(link["href"]) for link in page.select('head link[rel="alternate"][hreflang]')}


def finding_ids(article: Article) -> list[str]:
    draft = fresh(article)
    found = findings_for(draft.build(), draft.publication)
    return [finding.id for finding in found if finding.id.startswith("translation")]


def test_both_pages_name_one_another_in_the_head_and_lead_to_one_another_in_the_readers_language(
    client: Client,
) -> None:
    pair()
    english, german = soup(client, "/articles/back-pain/"), soup(client, "/articles/rueckenschmerzen/")
    assert hreflang(english) == hreflang(german)
    addresses = {code: url.partition("/articles/")[2] for code, url in hreflang(english).items()}
    assert addresses == {"en": "back-pain/", "de": "rueckenschmerzen/", "x-default": "back-pain/"}
    there, back = english.select_one(".translations a"), german.select_one(".translations a")
    assert there
    assert back
    assert (there["href"], there["lang"], there["hreflang"]) == ("/articles/rueckenschmerzen/", "de", "de")
    assert "Deutsch" in there.text
    assert (back["href"], back["lang"], back.text) == ("/articles/back-pain/", "en", "Read in English")
    assert german.html
    assert german.html["lang"] == "de"


def test_only_what_is_live_is_named_and_a_page_without_translations_says_nothing(client: Client) -> None:
    original = make_article(slug="back-pain")
    publish_draft(original)
    make_article("Entwurf", slug="entwurf", language="de", translation_of=original.publication)  # never published
    page = soup(client, "/articles/back-pain/")
    assert (hreflang(page), page.select(".translations")) == ({}, [])


@pytest.mark.parametrize("which", ["back-pain", "rueckenschmerzen"])
def test_a_withdrawn_text_is_named_no_more(which: str, client: Client) -> None:
    pair()
    publication = Publication.objects.get(slug=which)
    withdraw(publication=publication, by=make_user(), reason="Out of date.")
    other = {"back-pain": "rueckenschmerzen", "rueckenschmerzen": "back-pain"}[which]
    page = soup(client, f"/articles/{other}/")
    assert (hreflang(page), page.select(".translations")) == ({}, [])


def test_three_languages_know_one_another_though_only_the_original_is_named(client: Client) -> None:
    original, _german = pair()
    french = make_article("Mal de dos", slug="mal-de-dos", language="fr", translation_of=original.publication)
    publish_draft(french)
    for slug in ("back-pain", "rueckenschmerzen", "mal-de-dos"):
        assert set(hreflang(soup(client, f"/articles/{slug}/"))) == {"en", "de", "fr", "x-default"}


def test_a_translation_older_than_its_original_says_so_until_it_has_a_major_edition_of_its_own(client: Client) -> None:
    original, translation = pair()

    def banner() -> list[str]:
        found = soup(client, "/articles/rueckenschmerzen/").select(".banner")
        return [str(tag["href"]) for tag in found for tag in tag.select("a")]

    assert banner() == []
    assert finding_ids(translation) == []
    publish_draft(reword(original, "a slip mended"), Level.MINOR)
    assert banner() == []  # a minor edition changes nothing that a translation has to follow
    publish_draft(reword(original, "new evidence"), Level.MAJOR)
    assert banner() == ["/articles/back-pain/"]
    assert finding_ids(translation) == ["translation-outdated"]
    assert soup(client, "/articles/back-pain/").select(".banner") == []  # the original is not out of date
    publish_draft(reword(translation, "ein Tippfehler"), Level.MINOR)
    assert banner() == ["/articles/back-pain/"]
    publish_draft(reword(translation, "neue Erkenntnisse"), Level.MAJOR)
    assert banner() == []
    assert finding_ids(translation) == []


def test_an_older_edition_and_a_preview_name_no_translations(client: Client) -> None:
    original, translation = pair()
    publish_draft(reword(original), Level.MAJOR)
    publish_draft(reword(translation), Level.MAJOR)
    for path in ("/articles/back-pain/editions/1/", "/articles/rueckenschmerzen/editions/1/"):
        page = soup(client, path)
        assert (hreflang(page), page.select(".translations")) == ({}, [])


def test_the_address_learns_of_its_original_only_by_publishing() -> None:
    original = make_article(slug="back-pain")
    publish_draft(original)
    other = make_article("Rücken", slug="ruecken", language="de")
    publish_draft(other)
    other.translation_of = original.publication
    other.save()
    assert fresh(other).publication.translation_of is None
    publish_draft(fresh(other))
    assert fresh(other).publication.translation_of == original.publication
    draft = fresh(other)
    draft.translation_of = None
    draft.save()
    publish_draft(fresh(draft))
    assert fresh(other).publication.translation_of is None


# --- What stands in the way --------------------------------------------------------------------------------------


def test_a_translation_is_in_another_language_than_its_original() -> None:
    original = make_article(slug="back-pain")
    publish_draft(original)
    same = make_article("Sore back", translation_of=original.publication)
    assert finding_ids(same) == ["translation-language"]
    with pytest.raises(Blocked):
        publish_draft(same)


def test_translations_form_no_chain_and_no_circle() -> None:
    original, translation = pair()
    third = make_article("Mal de dos", language="fr", translation_of=translation.publication)
    assert finding_ids(third) == ["translation-chain"]  # of a translation
    original.translation_of = translation.publication
    original.save()
    assert "translation-chain" in finding_ids(original)  # of what is made from it
    fourth = make_article("Dolor de espalda", language="es")
    publish_draft(fourth)
    original.translation_of = fourth.publication
    original.save()
    assert "translation-chain" in finding_ids(original)  # what others are made from
    translation.translation_of = translation.publication
    translation.save()
    assert finding_ids(translation) == ["translation-language", "translation-chain"]  # of itself


def test_an_original_has_one_translation_into_a_language() -> None:
    original, translation = pair()
    second = make_article("Kreuzschmerzen", language="de", translation_of=original.publication)
    assert finding_ids(second) == ["translation-twice"]
    withdraw(publication=translation.publication, by=make_user(), reason="Replaced.")
    assert finding_ids(second) == []


def test_an_editor_is_told_that_the_original_is_not_live() -> None:
    draft = make_article(slug="back-pain")
    translation = make_article("Rücken", language="de", translation_of=draft.publication)
    assert finding_ids(translation) == ["translation-original"]
    publish_draft(translation)  # a warning, no more


def test_an_original_that_a_live_translation_names_is_not_deleted() -> None:
    draft = make_article(slug="back-pain")
    publish_draft(make_article("Rücken", language="de", translation_of=draft.publication))
    Article.objects.update(translation_of=None)  # only the live text still names it
    with pytest.raises(Refused):
        delete_draft(draft=fresh(draft))


def test_translations_cost_a_page_one_query(client: Client) -> None:
    original, _translation = pair()
    for number, code in enumerate(["fr", "es", "it"]):
        publish_draft(make_article(f"Text {number}", language=code, translation_of=original.publication))
    client.get("/articles/back-pain/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/articles/back-pain/")
    asked = [query["sql"] for query in queries if '"publishing_publication"."translation_of_id" = ' in query["sql"]]
    assert len(asked) == 1


def test_a_scheduled_translation_is_compared_by_the_time_of_its_major_edition() -> None:
    original, translation = pair()
    now = timezone.now()
    Publication.objects.filter(pk=original.publication.pk).update(listed_at=now)
    Publication.objects.filter(pk=translation.publication.pk).update(listed_at=now - timedelta(days=1))
    assert finding_ids(translation) == ["translation-outdated"]
    Publication.objects.filter(pk=translation.publication.pk).update(listed_at=now + timedelta(days=1))
    assert finding_ids(translation) == []


# --- In the admin and in lists -----------------------------------------------------------------------------------


def test_the_pick_of_the_form_offers_originals_with_their_language_and_no_translation() -> None:
    pair()
    client = Client()
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    results = client.get("/admin/blog/article/originals/").json()["results"]
    assert [(row["text"], row["detail"]) for row in results] == [("Back pain", "en")]


def test_a_card_says_in_which_language_its_words_are_where_it_is_not_the_pages(client: Client) -> None:
    pair()
    page = soup(client, "/articles/")
    languages = {tag.get_text(strip=True): tag.get("lang") for tag in page.select(".card :is(h2, h3)")}
    assert languages == {"Back pain": None, "Rückenschmerzen": "de"}


def test_what_was_published_before_the_column_was_there_knows_its_original() -> None:
    original, translation = pair()
    Publication.objects.update(translation_of=None)
    import_module("publishing.migrations.0004_known_translations").name_originals(apps, None)
    assert fresh(translation).publication.translation_of == original.publication
    assert fresh(original).publication.translation_of is None

"""The condition's form in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conditions.models import Condition
from config.tests.factories import make_article, make_condition, publish_draft, reword
from publishing.models import Publication

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def change_url(condition: Condition) -> str:
    return reverse("admin:conditions_condition_change", args=[condition.pk])


def library_url(condition: Condition) -> str:
    return reverse("admin:conditions_condition_library", args=[condition.pk])


def blank(rows: str = "tips") -> dict[str, Any]:
    return {f"{rows}-TOTAL_FORMS": 0, f"{rows}-INITIAL_FORMS": 0, "language": "en", "urgency": "see-a-doctor"}


def test_new_condition_gets_an_address_from_its_name(admin_client: Client) -> None:
    admin_client.post(reverse("admin:conditions_condition_add"), blank() | {"name": "Herniated disc"})
    condition = Condition.objects.get()
    assert (condition.publication.kind, condition.publication.slug) == ("condition", "herniated-disc")
    assert condition.fingerprint


def test_tips_are_saved_in_order(admin_client: Client) -> None:
    rows = {"tips-TOTAL_FORMS": 2, "tips-0-name": "second", "tips-0-position": 2,
            "tips-1-name": "first", "tips-1-position": 1}  # fmt: skip
    admin_client.post(reverse("admin:conditions_condition_add"), blank() | {"name": "Herniated disc"} | rows)
    assert list(Condition.objects.get().tips.values_list("name", "position")) == [("first", 1), ("second", 2)]


def test_stale_save_of_a_condition_is_refused(admin_client: Client) -> None:
    condition = make_condition(tips=0)
    opened = blank() | {"name": "Mine", "opened_version": condition.version}
    admin_client.post(change_url(condition), opened | {"name": "Theirs"})
    response = admin_client.post(change_url(condition), opened)
    assert response.context["conflict"].saved_by == "admin"
    assert Condition.objects.get().name == "Theirs"


def test_library_says_the_words_of_the_edition_asked_for(admin_client: Client) -> None:
    condition = make_condition(what_it_is="<p>First words.</p>")
    publish_draft(condition)
    publish_draft(reword(condition, "newer"))
    assert "newer" in admin_client.get(library_url(condition)).json()["text"]
    assert admin_client.get(library_url(condition), {"edition": 1}).json()["text"] == "<p>First words.</p>"


def test_library_has_no_words_of_a_condition_that_was_never_published(admin_client: Client) -> None:
    answer = admin_client.get(library_url(make_condition())).json()
    assert (answer["edition"], answer["text"], answer["treatment"]) == (0, "", "")


def test_condition_that_an_article_names_cannot_be_deleted(admin_client: Client) -> None:
    condition = make_condition()
    make_article(conditions=[condition])
    admin_client.post(reverse("admin:conditions_condition_delete", args=[condition.pk]), {"post": "yes"})
    assert Condition.objects.exists()
    assert Publication.objects.filter(kind="condition").exists()


def test_choosing_a_condition_finds_it_by_another_name(admin_client: Client) -> None:
    make_condition("Herniated disc", synonyms="Slipped disc")
    make_condition("Spinal stenosis", synonyms="")
    where = {"app_label": "blog", "model_name": "articleentry", "field_name": "condition", "term": "slipped"}
    answer = admin_client.get(reverse("admin:autocomplete"), where).json()
    assert [row["text"] for row in answer["results"]] == ["Herniated disc"]

"""The pages of the condition library: one condition, and the list from A to Z."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from config.tests.factories import make_article, make_condition, publish_draft
from publishing.documents import Urgency

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def soup(response: Any) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def words(tag: Any) -> str:
    return " ".join(tag.get_text(" ").split())


@pytest.mark.parametrize(
    ("urgency", "said"),
    [
        (Urgency.EMERGENCY, "Emergency Call 112 now if you think that you or somebody near you has this."),
        (Urgency.URGENT, "Urgent Get medical help today if you think that you have this."),
        (Urgency.SEE_A_DOCTOR, "See a doctor See a doctor if you think that you have this."),
    ],
)
def test_a_condition_says_how_soon_to_act_before_anything_else(urgency: Urgency, said: str, client: Client) -> None:
    publish_draft(make_condition(slug="disc", urgency=urgency))
    page = soup(client.get("/conditions/disc/"))
    assert [words(card) for card in page.select(".care")] == [said]
    body = str(page)
    assert body.index('class="care') < body.index('class="contents"') < body.index("wording at first")


def test_a_condition_has_all_its_parts_and_the_articles_about_it(client: Client) -> None:
    condition = make_condition("Herniated disc", slug="disc", icd10="M51.2", complications="<p>Weak legs.</p>")
    publish_draft(condition)
    publish_draft(make_article("Back pain", conditions=[condition]))
    make_article("A draft about it", conditions=[condition])
    page = soup(client.get("/conditions/disc/"))
    headings = [heading.text for heading in page.select("main h2")]
    assert headings == [
        "What it is",
        "Signs",
        "Treatment",
        "Complications",
        "What you can do",
        "How far you can rely on this page",
        "Sources",
        "Share this page",
        "Articles about it",
    ]
    assert [link.text for link in page.select(".card h3 a")] == ["Back pain"]
    assert "Also called Slipped herniated disc." in words(page)
    assert "ICD-10: M51.2" in words(page)


def test_the_list_has_a_condition_under_every_name_and_every_letter_once(client: Client) -> None:
    publish_draft(make_condition("Herniated disc", slug="disc", synonyms="slipped disc\nÖdem"))
    publish_draft(make_condition("Scoliosis", slug="scoliosis", synonyms="3-curve spine"))
    make_condition("Secret", slug="secret", synonyms="hidden")
    page = soup(client.get("/conditions/"))
    letters = {words(part.h2): [words(row) for row in part.select("li")] for part in page.select(".letter")}
    assert letters == {
        "#": ["3-curve spine , see → Scoliosis"],
        "H": ["Herniated disc"],
        "O": ["Ödem , see → Herniated disc"],
        "S": ["Scoliosis", "Slipped disc , see → Herniated disc"],
    }
    assert [link.text for link in page.select(".letters a")] == ["#", "H", "O", "S"]


def test_a_condition_that_very_many_articles_name_shows_the_newest_and_leads_to_the_rest(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conditions.views.MOST_ARTICLES", 2)
    condition = make_condition("Disc", slug="disc")
    publish_draft(condition)
    for number in range(3):
        publish_draft(make_article(f"Article {number}", slug=f"article-{number}", conditions=[condition]))
    page = client.get("/conditions/disc/").content.decode()
    assert [f"/articles/article-{number}/" in page for number in range(3)] == [False, True, True]
    assert '/search/?q=Disc&amp;kind=article"' in page

"""The anchors of a page: each once, none that leads nowhere, and a way back from every source."""

import re
from collections import Counter
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client

from config.tests.factories import make_article, make_condition, make_entry, make_page, publish_draft
from publishing.kinds import kinds
from publishing.models import Draft
from publishing.pages import page_context

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def published(client: Client, draft: Draft) -> str:
    """The HTML of the page of a draft, once it is live."""
    publication = publish_draft(draft).publication
    return client.get(publication.get_absolute_url()).content.decode()


def anchors(html: str) -> list[str]:
    return re.findall(r'\bid="([^"]+)"', html)


@pytest.mark.parametrize("headings", [["Sources", "Sources", "Sources 2"], ["Emergency", "Section 1", "Source 1"]])
def test_entries_named_like_parts_of_the_page_get_anchors_of_their_own(client: Client, headings: list[str]) -> None:
    article = make_article(own_entries=0)
    for heading in headings:
        make_entry(article, heading=heading, text="<p>What it is [@guideline-a].</p>")
    counts = Counter(anchors(published(client, article)))
    assert [anchor for anchor, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("make", [make_article, make_condition, make_page])
def test_every_link_within_a_page_leads_somewhere(client: Client, make: Any) -> None:
    html = published(client, make())
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(anchors(html))


def test_a_source_leads_back_to_the_part_that_cites_it_first(client: Client) -> None:
    article = make_article(own_entries=0, intro="<p>No source here.</p>", conclusion="<p>Again [@guideline-a].</p>")
    make_entry(article, heading="Spinal stenosis", text="<p>First here [@guideline-a].</p>")
    assert 'class="back" href="#spinal-stenosis"' in published(client, article)


def test_a_source_of_a_condition_leads_back_to_its_part(client: Client) -> None:
    assert 'class="back" href="#treatment"' in published(client, make_condition())


def test_a_citation_is_not_parted_from_the_word_before_it(client: Client) -> None:
    assert '\u202f<a class="cite" href="#source-1"' in published(client, make_condition())


@pytest.mark.parametrize("kind", ["article", "condition", "page"])
def test_a_draft_without_any_text_can_be_previewed(kind: str) -> None:
    makers: dict[str, Any] = {
        "article": lambda: make_article(
            "Untold", own_entries=0, tips=0, signs=0, sections=0, authors=False, summary="", intro="", conclusion=""
        ),
        "condition": lambda: make_condition("Untold", tips=0, authors=False, what_it_is="", signs="", treatment=""),
        "page": lambda: make_page("Untold", summary="", text=""),
    }
    draft = makers[kind]()
    context = page_context(draft.build(), draft.publication, preview=True)
    html = render_to_string(kinds[kind].page_template, context)
    assert "Untold" in html
    assert "This text is not published." in html

"""The renditions beside a page: the signed bytes as JSON, the text as Markdown, the record of reviews."""

from __future__ import annotations

from hashlib import sha256

import pytest
from django.test import Client

from blog.models import ArticleWarningSign
from config.tests.factories import (
    MAKERS,
    make_article,
    make_condition,
    make_in_state,
    make_reviewer,
    publish_draft,
    sign,
)
from publishing.documents import Urgency
from publishing.models import Edition, StoredDocument

pytestmark = [pytest.mark.django_db, pytest.mark.once]

FOLDERS = {"article": "articles", "condition": "conditions", "page": "about"}


@pytest.mark.parametrize("kind", MAKERS)
def test_the_json_is_the_stored_bytes_and_their_sum_is_the_fingerprint(kind: str, client: Client) -> None:
    make_in_state("live with a newer draft", kind, slug="text")
    response = client.get(f"/{FOLDERS[kind]}/text.json")
    edition = Edition.objects.get()
    assert response.headers["Content-Type"].startswith("application/json")
    assert sha256(response.content).hexdigest() == edition.fingerprint
    assert response.content.decode() == StoredDocument.objects.get(pk=edition.fingerprint).canonical


def test_the_markdown_of_an_article_has_every_entry_treatment_tip_and_sign_in_order(client: Client) -> None:
    condition = make_condition("Herniated disc")
    publish_draft(condition)
    article = make_article("Back pain", slug="pain", conditions=[condition], own_entries=2, tips=2, signs=0)
    for urgency in Urgency:
        ArticleWarningSign.objects.create(article=article, text=f"sign {urgency.value}", urgency=urgency)
    article.tips.update(text="<p>Move.</p><p>Often.</p>")
    publish_draft(article)
    response = client.get("/articles/pain.md")
    assert response.headers["Content-Type"] == "text/markdown; charset=utf-8"
    text = response.content.decode()
    expected = [
        "# Back pain\n",
        "<http://testserver/articles/pain/>",
        "- sign emergency",
        "wording at first \\[1\\]",
        "### 1. Herniated disc",
        "Herniated disc: wording at first.",
        "Treatment of herniated disc \\[1\\].",
        "### 2. Own entry 1",
        "What it is.",
        "How it is treated \\[1\\].",
        "### 3. Own entry 2",
        "How it is treated \\[1\\].",
        "## Section 1",
        "1. **Tip 1**\n\n   Move.\n\n   Often.\n",  # indented: a paragraph beside it would begin the list anew
        "2. **Tip 2**",
        "- sign urgent",
        "- sign see-a-doctor",
        "Most people get better.",
        "## Sources",
        "1. Title of guideline-a. <https://sources.example/guideline-a>",
    ]
    place = -1
    for words in expected:
        assert words in text[place + 1 :], words
        place = text.index(words, place + 1)


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_has_markdown(kind: str, client: Client) -> None:
    draft = make_in_state("live", kind, slug="text")
    text = client.get(f"/{FOLDERS[kind]}/text.md").content.decode()
    assert text.startswith(f"# {draft}\n")
    assert "wording at first" in text


def test_what_looks_like_markup_in_the_text_is_escaped(client: Client) -> None:
    article = make_article("Pain *now*", slug="pain", intro="<p>1 &lt; 2, a_b_c, [x](y), &lt;b&gt; [@guideline-a]</p>")
    publish_draft(article)
    text = client.get("/articles/pain.md").content.decode()
    assert text.startswith("# Pain \\*now\\*\n")
    assert "1 \\< 2, a\\_b\\_c, \\[x\\](y), \\<b\\> \\[1\\]" in text


def test_the_record_of_reviews_names_the_edition_the_fingerprint_and_who_signed(client: Client) -> None:
    article = make_article("Back pain", slug="pain")
    record = sign(article, make_reviewer("Rita Reviewer"))
    edition = publish_draft(article)
    said = client.get("/articles/pain/trust.json").json()
    assert said["url"] == "http://testserver/articles/pain/"
    assert (said["title"], said["edition"], said["level"]) == ("Back pain", 1, "major")
    assert said["fingerprint"] == {"algorithm": "SHA-256", "value": edition.fingerprint}
    assert said["review"] == {
        "state": "reviewed",
        "reviewer": "Rita Reviewer, MD",
        "reviewed_on": record.signed_at.date().isoformat(),
        "valid_until": record.valid_until.isoformat(),
    }
    assert [(row["fingerprint"], row["reviewer"], row["revoked"]) for row in said["sign_offs"]] == [
        (edition.fingerprint, "Rita Reviewer, MD", None)
    ]


def test_a_sign_off_of_words_that_were_never_published_is_not_in_the_record(client: Client) -> None:
    article = make_article(slug="pain")
    publish_draft(article)
    article.intro = "<p>Other words.</p>"
    article.save()
    record = sign(article)
    assert record.fingerprint not in client.get("/articles/pain/trust.json").content.decode()

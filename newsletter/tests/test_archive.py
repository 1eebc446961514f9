"""The public archive: what was sent to somebody, and nothing else, with what is live of it now."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from blog.models import Article
from config.tests.factories import REASON, fresh, make_article, make_picture, make_user, publish_draft
from newsletter import archive, clock
from newsletter.models import Issue, IssueItem
from newsletter.tests.rows import make_issue
from publishing.models import SiteSettings
from publishing.services import redact, withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ARCHIVE = "/newsletter/"


def sent(*articles: Article, days_ago: int = 0, **fields: Any) -> Issue:
    """An issue that one person or more were sent."""
    at = clock.now() - timedelta(days=days_ago)
    values: dict[str, Any] = {"state": "finished", "prepared_at": at, "recipients": 1}
    issue = make_issue(**values | fields)
    for position, article in enumerate(articles, start=1):
        IssueItem.objects.create(issue=issue, publication=article.publication, position=position)
    return issue


def live_article(title: str = "Back pain", **fields: Any) -> Article:
    draft = make_article(title, **fields)
    publish_draft(draft)
    return fresh(draft)  # type: ignore[no-any-return]


def body(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def subjects(page: str) -> list[str]:
    """The subjects of a page of the list, in its order."""
    rows = page.split('<ol class="editions">')[1].split("</ol>")[0]
    return re.findall(r"<h2[^>]*><a[^>]*>([^<]*)</a>", rows)


# --- What is there -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Issue.Kind)
@pytest.mark.parametrize("state", Issue.State)
@pytest.mark.parametrize("recipients", [0, 3])
def test_only_digests_and_issues_by_hand_that_somebody_was_sent_can_be_reached(
    kind: str, state: str, recipients: int, client: Client
) -> None:
    issue = sent(live_article(), kind=kind, state=state, recipients=recipients, subject="The subject")
    reachable = kind in ("digest", "by-hand") and state in ("sending", "finished") and recipients > 0
    response = client.get(issue.get_absolute_url())
    assert response.status_code == (200 if reachable else 404)
    for text in (response.content.decode(), body(client, ARCHIVE)):
        assert ("The subject" in text) is reachable


def test_unknown_issue_is_not_found(client: Client) -> None:
    assert client.get(reverse("newsletter:issue", args=[uuid4()])).status_code == 404


def test_archive_without_issues_says_so(client: Client) -> None:
    assert "No issue has been sent yet." in body(client, ARCHIVE)


def test_every_page_links_to_the_archive(client: Client) -> None:
    assert f'<a href="{ARCHIVE}">' in body(client, "/")


# --- The list ----------------------------------------------------------------------------------------------------


def test_newest_issue_comes_first_with_its_date_and_articles(client: Client) -> None:
    sent(live_article("Knee"), live_article("Back"), subject="Older", days_ago=7)
    sent(subject="Newer")
    page = body(client, ARCHIVE)
    assert subjects(page) == ["Newer", "Older"]
    assert "Knee · Back" in page


def test_list_is_paged_by_key_and_shows_each_issue_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PAGE_SIZE", 2)
    at = clock.now()
    for number in range(5):  # two were prepared at the very same time
        sent(subject=f"Issue {number}", prepared_at=at - timedelta(days=number // 2))
    seen, url, pages = [], ARCHIVE, 0
    while url:
        page = body(client, url)
        seen += subjects(page)
        older = page.partition('rel="next" href="')[2].partition('"')[0]
        url, pages = ARCHIVE + older if older else "", pages + 1
        assert (url != "") is ("Older" in page)
    assert pages == 3
    assert seen == ["Issue 1", "Issue 0", "Issue 3", "Issue 2", "Issue 4"]


def test_only_the_first_page_of_the_list_invites_search_engines(client: Client) -> None:
    issue = sent()
    assert "noindex" not in body(client, ARCHIVE)
    page = body(client, f"{ARCHIVE}?before={issue.uuid}")
    assert '<meta name="robots" content="noindex,follow">' in page
    assert "There are no older issues." in page


@pytest.mark.parametrize("key", ["x", "\0", "0190e5a4-7c1e-4a53-9d0f-2f6a8e1b7c55", "1' OR 1=1"])
def test_made_up_key_is_not_found(key: str, client: Client) -> None:
    sent()
    assert client.get(ARCHIVE, {"before": key}).status_code == 404


def test_key_of_an_issue_that_is_not_in_the_archive_is_not_found(client: Client) -> None:
    draft = make_issue(state="draft")
    assert client.get(ARCHIVE, {"before": str(draft.uuid)}).status_code == 404


def test_canonical_address_keeps_no_stranger_s_parameters(client: Client) -> None:
    page = body(client, f"{ARCHIVE}?utm_source=elsewhere")
    assert f'<link rel="canonical" href="{settings.SITE_URL}{ARCHIVE}">' in page


def test_number_of_queries_does_not_depend_on_how_many_issues_and_articles_there_are(client: Client) -> None:
    SiteSettings.objects.create(pk=1)
    counts = []
    articles = [live_article(f"Article {number}") for number in range(10)]
    for issues in (1, 18):
        for _number in range(issues):
            issue = sent(*articles[: 1 if issues == 1 else 10])
        for url in (ARCHIVE, issue.get_absolute_url()):
            with CaptureQueriesContext(connection) as queries:
                body(client, url)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 4


# --- An issue ----------------------------------------------------------------------------------------------------


def test_issue_shows_subject_opening_and_its_articles_as_cards_in_their_order(client: Client) -> None:
    knee = live_article("Knee", picture=make_picture())
    issue = sent(live_article("Back"), knee, subject="For your back", opening="<p>Read <strong>this</strong>.</p>")
    page = body(client, issue.get_absolute_url())
    assert "<h1>For your back</h1>" in page
    assert "<p>Read <strong>this</strong>.</p>" in page
    assert page.index(">Back</a>") < page.index(">Knee</a>")
    assert f'<a href="{knee.publication.get_absolute_url()}">Knee</a>' in page
    assert "<picture>" in page
    assert f'<link rel="canonical" href="{settings.SITE_URL}{issue.get_absolute_url()}">' in page


def test_corrections_stand_apart_from_what_was_new(client: Client) -> None:
    issue = sent(live_article("Back"), live_article("Knee"))
    assert "Corrected" not in body(client, issue.get_absolute_url())
    issue.items.filter(publication__title="Back").update(correction=True)
    page = body(client, issue.get_absolute_url())
    assert (
        page.index(">Articles</h2>") < page.index(">Knee</a>") < page.index(">Corrected</h2>") < page.index(">Back</a>")
    )


def test_opening_goes_through_the_allow_list_again(client: Client) -> None:
    issue = sent()
    Issue.objects.filter(pk=issue.pk).update(
        opening='<p onclick="x()">Read<script>alert(1)</script> <a href="javascript:x()">it</a></p>'
    )
    page = body(client, issue.get_absolute_url())
    assert "<p>Read <a" in page
    assert not any(word in page for word in ("onclick", "alert", "javascript:"))


def test_subject_is_text_and_no_markup(client: Client) -> None:
    issue = sent(subject="<b>Bold</b> & more")
    for url in (ARCHIVE, issue.get_absolute_url()):
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; more" in body(client, url)


def test_withdrawn_article_is_named_as_withdrawn_without_its_words(client: Client) -> None:
    article = live_article(summary="Words that were taken back.")
    withdraw(publication=article.publication, by=make_user(), reason=REASON)
    page = body(client, sent(article, live_article("Stays")).get_absolute_url())
    assert "This article was withdrawn." in page
    assert "Back pain" in page
    assert "Words that were taken back." not in page
    assert "Stays" in page


def test_redacted_article_is_named_as_withdrawn_without_its_words(client: Client) -> None:
    article = live_article(summary="Words that were taken away.")
    assert article.publication.live
    redact(fingerprint=article.publication.live.fingerprint, by=make_user(), reason=REASON)
    page = body(client, sent(article).get_absolute_url())
    assert "This article was withdrawn." in page
    assert "Words that were taken away." not in page


def test_article_that_was_never_public_is_not_named(client: Client) -> None:
    draft = make_article("A secret draft", slug="secret-draft")
    issue = sent(draft)
    for url in (ARCHIVE, issue.get_absolute_url()):
        page = body(client, url).lower()
        assert not any(word in page for word in ("a secret draft", "secret-draft"))


def test_issue_is_in_its_own_language(client: Client) -> None:
    issue = sent(subject="Neues vom Rücken", language="de")
    page = body(client, issue.get_absolute_url())
    assert '<html lang="de">' in page
    with translation.override("de"):
        assert translation.gettext("Newsletter") in page
    assert '<h2 lang="de">' in body(client, ARCHIVE)


def test_archive_is_for_reading(client: Client) -> None:
    issue = sent()
    for url in (ARCHIVE, issue.get_absolute_url()):
        assert client.post(url).status_code == 405
        assert client.head(url).status_code == 200

"""The article's form in the admin: what it saves, what it refuses, and that it never loses what was typed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from blog.models import Article, ArticleEntry, ArticleSection
from config.tests.factories import (
    make_article,
    make_citation,
    make_condition,
    make_contributor,
    make_entry,
    make_picture,
    publish_draft,
    reword,
)
from publishing.models import FormerSlug, Publication, Snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ADD = "/admin/blog/article/add/"


def change_url(article: Article) -> str:
    return reverse("admin:blog_article_change", args=[article.pk])


def posted(response: Any, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the form in this response, with some fields changed."""
    data: dict[str, Any] = {}
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False:
                continue
            if isinstance(value, list):
                value = [getattr(item, "pk", item) for item in value]
            data[bound.html_name] = value if not hasattr(value, "isoformat") else value.isoformat()
    return {name: value for name, value in (data | changes).items() if value is not None}


def add_row(data: dict[str, Any], prefix: str, **fields: Any) -> dict[str, Any]:
    """The posted data with one more row at the end of a list of parts."""
    number = int(data[f"{prefix}-TOTAL_FORMS"])
    row = {f"{prefix}-{number}-{name}": value for name, value in fields.items()}
    return data | row | {f"{prefix}-TOTAL_FORMS": number + 1}


def save(client: Client, article: Article, **changes: Any) -> Any:
    """Open the form, change some fields, save."""
    return client.post(change_url(article), posted(client.get(change_url(article)), **changes))


# --- A new article ---------------------------------------------------------------------------------------------


def test_new_article_gets_an_address_from_its_title(admin_client: Client) -> None:
    response = admin_client.post(ADD, posted(admin_client.get(ADD), title="Why does my back hurt?"))
    assert response.status_code == 302
    article = Article.objects.get()
    assert article.publication.slug == "why-does-my-back-hurt"
    assert article.publication.kind == "article"
    assert article.changed_by == User.objects.get()
    assert article.fingerprint == article.build().fingerprint()


def test_typed_address_tags_and_language_are_the_publications(admin_client: Client) -> None:
    data = posted(admin_client.get(ADD), title="Back", slug="my-back", tags='back pain, "sitting, long"', language="de")
    admin_client.post(ADD, data)
    publication = Publication.objects.get()
    assert (publication.slug, publication.language) == ("my-back", "de")
    assert set(publication.tags.names()) == {"back pain", "sitting, long"}


def test_rows_are_saved_in_the_order_of_their_places(admin_client: Client) -> None:
    data = posted(admin_client.get(ADD), title="Back")
    for place, heading in ((3, "third"), (1, "first"), (2, "second")):
        data = add_row(data, "entries", heading=heading, position=place)
    admin_client.post(ADD, data)
    assert list(ArticleEntry.objects.values_list("heading", "position")) == [("first", 1), ("second", 2), ("third", 3)]


def test_blank_row_that_was_only_added_is_not_saved(admin_client: Client) -> None:
    admin_client.post(ADD, add_row(posted(admin_client.get(ADD), title="Back"), "entries", position=1))
    assert Article.objects.count() == 1
    assert not ArticleEntry.objects.exists()


def test_title_is_the_only_thing_a_draft_must_have(admin_client: Client) -> None:
    response = admin_client.post(ADD, posted(admin_client.get(ADD)))
    assert response.status_code == 200
    assert [link.anchor for link in response.context["error_links"]] == ["id_title"]
    assert "write it" in response.context["error_links"][0].message


@pytest.mark.parametrize("slug", ["Has Space", "under_score", "-begins", "ÄÖÜ"])
def test_address_with_other_letters_is_refused(admin_client: Client, slug: str) -> None:
    response = admin_client.post(ADD, posted(admin_client.get(ADD), title="Back", slug=slug))
    assert "small letters, digits and hyphens" in response.content.decode()
    assert not Article.objects.exists()


def test_address_of_another_article_is_refused(admin_client: Client) -> None:
    make_article(slug="taken")
    response = admin_client.post(ADD, posted(admin_client.get(ADD), title="Back", slug="taken"))
    assert "Another page has this address" in response.content.decode()


def test_address_that_another_article_had_is_refused(admin_client: Client) -> None:
    other = make_article(slug="new-place")
    FormerSlug.objects.create(kind="article", slug="old-place", publication=other.publication)
    response = admin_client.post(ADD, posted(admin_client.get(ADD), title="Back", slug="old-place"))
    assert "old links lead to it" in response.content.decode()


# --- Saving a draft --------------------------------------------------------------------------------------------


def test_save_raises_the_version_and_notes_the_new_words(admin_client: Client) -> None:
    article = make_article()
    assert save(admin_client, article, intro="<p>New words.</p>").status_code == 302
    saved = Article.objects.get()
    assert saved.version == article.version + 1
    assert saved.fingerprint == saved.build().fingerprint() != article.fingerprint


def test_moving_a_row_renumbers_all_of_them(admin_client: Client) -> None:
    article = make_article(own_entries=3)
    save(admin_client, article, **{"entries-2-position": "0", "entries-0-position": "9"})
    order = list(article.entries.values_list("heading", "position"))
    assert order == [("Own entry 2", 1), ("Own entry 1", 2), ("Own entry 3", 3)]


def test_row_without_a_place_goes_last(admin_client: Client) -> None:
    article = make_article(own_entries=2)
    save(admin_client, article, **{"entries-0-position": None})
    assert list(article.entries.values_list("heading", flat=True)) == ["Own entry 2", "Own entry 1"]


def test_removed_row_is_gone_and_the_others_close_up(admin_client: Client) -> None:
    article = make_article(own_entries=3)
    save(admin_client, article, **{"entries-0-DELETE": "on"})
    assert list(article.entries.values_list("heading", "position")) == [("Own entry 2", 1), ("Own entry 3", 2)]


def test_part_keeps_its_identity_when_it_is_rewritten(admin_client: Client) -> None:
    article = make_article()
    before = article.entries.get().uuid
    save(admin_client, article, **{"entries-0-heading": "Renamed"})
    assert (article.entries.get().uuid, article.entries.get().heading) == (before, "Renamed")


def test_rich_text_is_cleaned_by_the_allow_list(admin_client: Client) -> None:
    article = make_article()
    save(admin_client, article, intro='<p onclick="x()">Safe</p><script>alert(1)</script><h1>Big</h1>')
    assert "script" not in Article.objects.get().intro
    assert "onclick" not in Article.objects.get().intro


def test_validation_error_keeps_order_added_rows_and_words(admin_client: Client) -> None:
    article = make_article(own_entries=2, sections=0)
    changes = {"title": "", "entries-1-position": "1", "entries-0-position": "2", "intro": "<p>Kept words.</p>"}
    data = posted(admin_client.get(change_url(article)), **changes)
    data = add_row(data, "sections", heading="", text="<p>A text without a heading.</p>", position=1)
    response = admin_client.post(change_url(article), data)
    page = response.content.decode()
    assert response.status_code == 200
    assert page.index("Own entry 2") < page.index("Own entry 1")
    assert "Kept words." in page
    assert "A text without a heading." in page
    assert {link.anchor for link in response.context["error_links"]} == {"id_title", "id_sections-0-heading"}


def test_row_with_an_error_is_open(admin_client: Client) -> None:
    article = make_article(sections=2)
    response = save(admin_client, article, **{"sections-1-heading": ""})
    page = response.content.decode()
    rows = page[page.index('id="sections-group"') : page.index('id="tips-group"')]
    assert rows.count("<details open>") == 1


def test_hundred_entries_and_thirty_citations_are_saved(admin_client: Client) -> None:
    keys = [make_citation(f"source-{number}").key for number in range(30)]
    article = make_article(own_entries=0)
    data = posted(admin_client.get(change_url(article)))
    for number in range(100):
        data = add_row(
            data,
            "entries",
            heading=f"Entry {number}",
            text=f"<p>Text [@{keys[number % 30]}].</p>",
            treatment="<p>Treatment.</p>",
            position=number + 1,
        )
    assert admin_client.post(change_url(article), data).status_code == 302
    document = Article.objects.get().build()
    assert [entry.heading for entry in document.entries] == [f"Entry {number}" for number in range(100)]
    assert len(document.citations) == 31  # and that of the introduction


def test_opening_the_form_costs_the_same_with_ten_entries_as_with_sixty(admin_client: Client) -> None:
    conditions = [make_condition(f"Condition {number}") for number in range(3)]
    for condition in conditions:
        publish_draft(condition)

    def queries(entries: int) -> int:
        article = make_article(f"Article with {entries}", own_entries=0, tips=entries, signs=entries)
        picture = make_picture()
        for number in range(entries):
            make_entry(article, condition=conditions[number % 3], position=number + 1, picture=picture)
        with CaptureQueriesContext(
            connection,
        ) as counted:
            assert admin_client.get(change_url(article)).status_code == 200
        return len(counted)

    assert queries(10) == queries(60) <= 30


# --- What is live ----------------------------------------------------------------------------------------------


def test_once_live_a_writer_cannot_change_address_and_tags(client: Client) -> None:
    article = make_article(slug="back-pain")
    article.publication.tags.add("spine")
    publish_draft(article)
    writer = User.objects.create_user("writer", is_staff=True)
    names = ["change_article", "view_article"]
    names += [f"{do}_{model}" for do in ("add", "change", "delete", "view")
              for model in ("articleentry", "articlesection", "preventiontip", "articlewarningsign")]  # fmt: skip
    writer.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(writer)
    response = save(client, article, slug="elsewhere", tags="other", title="New title")
    assert response.status_code == 302
    publication = Publication.objects.get(kind="article")
    assert publication.slug == "back-pain"
    assert list(publication.tags.names()) == ["spine"]
    assert Article.objects.get().title == "New title"


def test_publisher_changes_a_live_address_and_the_old_one_leads_on(admin_client: Client) -> None:
    article = make_article(slug="back-pain")
    publish_draft(article)
    save(admin_client, article, slug="aching-back")
    publication = Publication.objects.get(kind="article")
    assert publication.slug == "aching-back"
    assert publication.former_slugs.get().slug == "back-pain"


def test_what_was_published_cannot_be_deleted_in_the_admin(admin_client: Client) -> None:
    article = make_article()
    publish_draft(article)
    assert (
        admin_client.post(reverse("admin:blog_article_delete", args=[article.pk]), {"post": "yes"}).status_code == 403
    )
    assert Article.objects.exists()


def test_deleting_a_draft_takes_its_address_along(admin_client: Client) -> None:
    article = make_article()
    admin_client.post(reverse("admin:blog_article_delete", args=[article.pk]), {"post": "yes"})
    assert not Article.objects.exists()
    assert not Publication.objects.filter(kind="article").exists()


# --- Entries and the library -----------------------------------------------------------------------------------


def test_choosing_a_condition_pins_its_live_edition(admin_client: Client) -> None:
    condition = make_condition()
    edition = publish_draft(condition)
    article = make_article(own_entries=0)
    data = add_row(posted(admin_client.get(change_url(article))), "entries", condition=condition.pk, position=1)
    admin_client.post(change_url(article), data)
    assert article.entries.get().pin == edition


def test_newer_library_text_is_offered_and_taken_only_when_ticked(admin_client: Client) -> None:
    condition = make_condition()
    first = publish_draft(condition)
    article = make_article(conditions=[condition], own_entries=0)
    second = publish_draft(reword(condition))
    page = admin_client.get(change_url(article)).content.decode()
    assert "edition 2 available" in page
    save(admin_client, article, title="Another title")
    assert article.entries.get().pin == first
    save(admin_client, article, **{"entries-0-repin": "on"})
    assert article.entries.get().pin == second
    assert "edition 2 available" not in admin_client.get(change_url(article)).content.decode()


def test_closed_row_says_whose_text_it_shows_and_what_is_missing(admin_client: Client) -> None:
    condition = make_condition("Sciatica")
    publish_draft(condition)
    unpublished = make_condition("Lumbago")
    article = make_article(conditions=[condition, unpublished], own_entries=1)
    response = admin_client.get(change_url(article))
    rows = [form.live_badges() for form in response.context["inline_admin_formsets"][0].formset.in_order()]
    assert [[kind for kind, _label in badges] for badges in rows] == [
        ["library"],
        ["missing", "missing"],
        ["own", "own"],
    ]


# --- Two people, one draft -------------------------------------------------------------------------------------


def test_stale_save_is_refused_with_both_texts_side_by_side(admin_client: Client) -> None:
    article = make_article()
    mine = posted(admin_client.get(change_url(article)), intro="<p>Mine.</p>", summary="My summary.")
    save(admin_client, article, intro="<p>Theirs.</p>")
    response = admin_client.post(change_url(article), mine)
    assert response.status_code == 200
    assert "Theirs." in Article.objects.get().intro
    conflict = response.context["conflict"]
    assert conflict.saved_by == "admin"
    assert [(d.theirs, d.yours) for d in conflict.differences if d.anchor == "id_intro"] == [("Theirs.", "Mine.")]
    assert "My summary." in response.content.decode()


def test_my_text_saved_over_theirs_keeps_theirs_in_the_history(admin_client: Client) -> None:
    article = make_article()
    mine = posted(admin_client.get(change_url(article)), intro="<p>Mine.</p>")
    save(admin_client, article, intro="<p>Theirs.</p>")
    theirs = Article.objects.get().fingerprint
    page = admin_client.post(change_url(article), mine)
    response = admin_client.post(change_url(article), mine | {"_overwrite": str(page.context["conflict"].version)})
    assert response.status_code == 302
    assert "Mine." in Article.objects.get().intro
    assert Snapshot.objects.get(purpose="history").fingerprint == theirs


def test_third_save_between_showing_and_overwriting_is_shown_again(admin_client: Client) -> None:
    article = make_article()
    mine = posted(admin_client.get(change_url(article)), intro="<p>Mine.</p>")
    save(admin_client, article, intro="<p>Theirs.</p>")
    shown = admin_client.post(change_url(article), mine).context["conflict"].version
    save(admin_client, article, intro="<p>A third.</p>")
    response = admin_client.post(change_url(article), mine | {"_overwrite": str(shown)})
    assert response.status_code == 200
    assert "A third." in Article.objects.get().intro


def test_row_that_they_removed_is_kept_when_mine_is_saved(admin_client: Client) -> None:
    article = make_article(own_entries=2)
    mine = posted(admin_client.get(change_url(article)), **{"entries-0-heading": "Mine, rewritten"})
    save(admin_client, article, **{"entries-0-DELETE": "on"})
    shown = admin_client.post(change_url(article), mine)
    assert "Mine, rewritten" in shown.content.decode()
    admin_client.post(change_url(article), posted(shown, _overwrite=str(shown.context["conflict"].version)))
    assert list(article.entries.values_list("heading", flat=True)) == ["Mine, rewritten", "Own entry 2"]


def test_row_that_they_added_is_named_and_goes_when_mine_is_saved(admin_client: Client) -> None:
    article = make_article(own_entries=1)
    opened = admin_client.get(change_url(article))
    theirs = add_row(posted(opened), "entries", heading="Theirs", position=2)
    admin_client.post(change_url(article), theirs)
    mine = posted(opened, title="My title")
    conflict = admin_client.post(change_url(article), mine).context["conflict"]
    assert any("Theirs" in difference.label for difference in conflict.differences)
    admin_client.post(change_url(article), mine | {"_overwrite": str(conflict.version)})
    assert list(article.entries.values_list("heading", flat=True)) == ["Own entry 1"]


def test_save_without_a_version_is_refused(admin_client: Client) -> None:
    article = make_article()
    assert save(admin_client, article, opened_version=None, title="Blind").status_code == 200
    assert Article.objects.get().title != "Blind"


# --- Nothing typed is lost -------------------------------------------------------------------------------------


def test_save_after_the_session_ended_is_kept_and_carried_on(client: Client) -> None:
    User.objects.create_superuser("ada", password="right")
    article = make_article()
    client.login(username="ada", password="right")
    data = posted(client.get(change_url(article)), title="Typed for an hour", authors=[make_contributor().pk])
    client.logout()
    kept = client.post(change_url(article), data)
    assert kept.status_code == 401
    assert "Typed for an hour" in kept.content.decode()
    again = dict(kept.context["fields"]) | {"_kept_username": "ada", "_kept_password": "wrong"}
    refused = client.post(change_url(article), again)
    assert refused.status_code == 401
    assert "Typed for an hour" in refused.content.decode()
    assert "wrong" not in refused.content.decode()
    saved = client.post(change_url(article), again | {"_kept_password": "right"})
    assert saved.status_code == 302
    assert Article.objects.get().title == "Typed for an hour"


def test_kept_page_carries_every_value_of_a_field(client: Client) -> None:
    fields = client.post(ADD, {"title": 'A "quoted" <title>', "authors": ["1", "2"]}).context["fields"]
    assert fields == [("title", 'A "quoted" <title>'), ("authors", "1"), ("authors", "2")]


def test_account_without_rights_is_told_so_and_nothing_is_lost(client: Client) -> None:
    User.objects.create_user("reader", password="right")
    data = {"title": "Kept", "_kept_username": "reader", "_kept_password": "right"}
    response = client.post(ADD, data)
    assert response.status_code == 401
    assert ("title", "Kept") in response.context["fields"]
    assert not Article.objects.exists()


def test_token_that_a_second_log_in_changed_holds_the_save_for_a_second_look() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ada"))
    headers = {"Sec-Fetch-Site": "same-origin"}
    response = client.post(ADD, {"title": "Kept"}, headers=headers)
    assert response.status_code == 403
    assert ("title", "Kept") in response.context["fields"]
    page = response.content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    data = posted_add(client) | {"title": "Kept", "csrfmiddlewaretoken": token}
    assert client.post(ADD, data, headers=headers).status_code == 302
    assert Article.objects.get().title == "Kept"


def posted_add(client: Client) -> dict[str, Any]:
    return posted(client.get(ADD))


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
def test_forged_save_from_elsewhere_gets_the_plain_refusal(headers: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ada"))
    response = client.post(ADD, {"title": "Forged words"}, headers=headers)
    assert response.status_code == 403
    assert "Forged words" not in response.content.decode()


def test_failure_of_the_site_gives_the_form_back(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("publishing.admin.drafts.settle_draft", fail)
    admin_client.raise_request_exception = False
    response = admin_client.post(ADD, posted(admin_client.get(ADD), title="Kept"))
    assert response.status_code == 500
    assert ("title", "Kept") in response.context["fields"]
    assert not Article.objects.exists()


# --- What the page asks of the browser -------------------------------------------------------------------------


def test_form_works_under_the_sites_policy(admin_client: Client) -> None:
    response = admin_client.get(ADD)
    policy = response.headers["Content-Security-Policy"]
    page = response.content.decode()
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert "unsafe" not in policy
    assert f'<script type="importmap" nonce="{nonce}"' in page or f'nonce="{nonce}" type="importmap"' in page
    assert " style=" not in page
    assert " onclick=" not in page


def test_completing_a_tag_offers_those_that_begin_so_first(admin_client: Client) -> None:
    make_article().publication.tags.set(["lower back", "back pain", "neck"])
    answer = admin_client.get(reverse("admin:blog_article_tags"), {"q": "back"}).json()
    assert answer["names"] == ["back pain", "lower back"]


def test_source_is_found_by_words_of_its_title(admin_client: Client) -> None:
    make_citation("nice-ng59", title="Low back pain and sciatica")
    make_citation("other", title="Something else")
    answer = admin_client.get(reverse("admin:publishing_citation_choices"), {"term": "sciatica"}).json()
    assert [(row["id"], row["text"]) for row in answer["results"]] == [("nice-ng59", "Low back pain and sciatica")]


@pytest.mark.parametrize(
    "address",
    ["/admin/blog/article/tags/", "/admin/publishing/citation/choices/", "/admin/blog/article/originals/",
     "/admin/conditions/condition/1/library/"],
)  # fmt: skip
def test_helpers_of_the_form_answer_only_those_who_may_see_it(client: Client, address: str) -> None:
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(address).status_code == 403


def test_list_says_the_state_at_a_constant_cost(admin_client: Client) -> None:
    for number in range(3):
        make_article(f"Draft {number}")
    url = reverse("admin:blog_article_changelist")
    with CaptureQueriesContext(connection) as few:
        admin_client.get(url)
    for number in range(6):
        publish_draft(make_article(f"Live {number}"))
    reword(Article.objects.get(title="Live 1"))
    with CaptureQueriesContext(connection) as many:
        page = admin_client.get(url).content.decode()
    assert len(many) == len(few)
    assert page.count('class="state state-draft"') == 3
    assert page.count('class="state state-live"') == 5
    assert page.count('class="state state-newer-draft"') == 1


def test_sections_need_a_heading_only_where_they_say_something(admin_client: Client) -> None:
    article = make_article(sections=0)
    data = add_row(posted(admin_client.get(change_url(article))), "sections", heading="", text="", position=1)
    assert admin_client.post(change_url(article), data).status_code == 302
    assert not ArticleSection.objects.exists()


def test_a_text_in_a_language_that_the_site_does_not_have_keeps_it(admin_client: Client) -> None:
    article = make_article(language="pt")
    page = admin_client.get(change_url(article))
    assert admin_client.post(change_url(article), posted(page, title="Dor nas costas")).status_code == 302
    article = Article.objects.get()
    assert (article.title, article.publication.language) == ("Dor nas costas", "pt")


def test_the_day_of_an_old_article_is_corrected_until_it_is_published(admin_client: Client) -> None:
    article = make_article()
    long_ago = datetime(2015, 3, 14, 9, 26, tzinfo=UTC)
    Publication.objects.update(originally_published=long_ago)

    def save(**changes: Any) -> Any:
        page = admin_client.get(change_url(article))
        return admin_client.post(change_url(article), posted(page, **changes))

    assert save(title="Another").status_code == 302
    assert Publication.objects.get().originally_published == long_ago, "the time of day stays"
    assert "still to come" in save(originally_published="2999-01-01").text
    save(originally_published="2014-02-01")
    assert timezone.localdate(Publication.objects.get().originally_published) == date(2014, 2, 1)
    publish_draft(Article.objects.get())
    save(originally_published="2016-02-01", title="A third")
    assert timezone.localdate(Publication.objects.get().originally_published) == date(2014, 2, 1)
    assert Article.objects.get().title == "A third"

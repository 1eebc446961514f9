"""What editors do with a draft in the admin, page by page, as the roles that may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from blog.models import Article
from config.tests.factories import (
    FIRST_WORDS,
    NEW_WORDS,
    fresh,
    make_article,
    make_condition,
    make_contributor,
    make_in_state,
    make_page,
    make_reviewer,
    publish_draft,
    reword,
    schedule_draft,
    sign,
    snapshot_of,
)
from publishing.admin.workflow import STATEMENT
from publishing.models import Edition, Level, Redaction, Schedule, SignOff, Snapshot
from publishing.preview import preview_link
from publishing.reports import page_of
from publishing.services import redact

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def url(draft: Any, view: str, *args: Any) -> str:
    return reverse(f"admin:{draft._meta.app_label}_{draft._meta.model_name}_{view}", args=[draft.pk, *args])


def user_in(role: str, name: str = "") -> User:
    user = User.objects.create_user(name or role.lower().replace(" ", "-"), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def log_in(client: Client, role: str, name: str = "") -> User:
    user = user_in(role, name)
    client.force_login(user)
    return user


@pytest.fixture
def publisher(client: Client) -> Client:
    log_in(client, "Publisher")
    return client


def confirm(client: Client, draft: Any, **more: Any) -> Any:
    data = {"fingerprint": draft.build().fingerprint(), "level": "major", "note": "Why it changed."} | more
    return client.post(url(draft, "publish"), data, follow=True)


# --- Preview ---


def test_preview_shows_the_saved_draft_and_is_never_kept_by_anybody(publisher: Client) -> None:
    draft = make_in_state("live with a newer draft")
    response = publisher.get(url(draft, "preview"))
    assert NEW_WORDS in response.text
    assert "not published" in response.text
    assert "private, no-store" in response.headers["Cache-Control"]
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert "sandbox allow-same-origin" in response.headers["Content-Security-Policy"]
    assert "allow-scripts" not in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_preview_of_an_empty_draft_works(publisher: Client) -> None:
    draft = make_article("Empty", own_entries=0, tips=0, signs=0, sections=0, authors=False, intro="", summary="")
    assert publisher.get(url(draft, "preview")).status_code == 200


# --- Publish ---


def test_publishing_makes_an_edition_of_what_was_shown(publisher: Client) -> None:
    draft = make_article()
    page = publisher.get(url(draft, "publish"))
    assert "First edition" in page.text
    response = confirm(publisher, draft)
    assert "Edition 1 is live" in response.text
    edition = Edition.objects.get()
    assert edition.fingerprint == draft.build().fingerprint()
    assert edition.published_by_name == "publisher"


def test_the_page_shows_word_by_word_what_changes_for_readers(publisher: Client) -> None:
    draft = make_in_state("live with a newer draft")
    page = publisher.get(url(draft, "publish")).text
    assert "wording <del>at</del><ins>since</ins>" in page
    assert "<ins>changed</ins>" in page


def test_a_draft_that_changed_meanwhile_is_shown_again_instead_of_published(publisher: Client) -> None:
    draft = make_article()
    seen = draft.build().fingerprint()
    draft = reword(draft)
    response = publisher.post(url(draft, "publish"), {"fingerprint": seen, "level": "major", "note": "My note"})
    assert "has changed since this page was opened" in response.text
    assert not Edition.objects.exists()
    assert draft.build().fingerprint() in response.text  # so that confirming now publishes what is shown now


def test_blocking_findings_are_listed_with_a_link_and_nothing_is_published(publisher: Client) -> None:
    draft = make_article(funding="")
    page = publisher.get(url(draft, "publish"))
    assert "Nothing says who paid for it." in page.text
    assert f"{url(draft, 'change')}#id_funding" in page.text
    response = confirm(publisher, draft)
    assert "cannot be published yet" in response.text
    assert not Edition.objects.exists()
    assert not Snapshot.objects.exists()  # what is refused leaves nothing behind


def test_a_finding_about_a_row_leads_to_that_row(publisher: Client) -> None:
    draft = make_article(own_entries=3)
    entry = draft.entries.all()[2]
    entry.heading = ""
    entry.save()
    page = publisher.get(url(draft, "publish"))
    assert f"{url(draft, 'change')}#entries-2" in page.text
    assert 'id="entries-2"' in publisher.get(url(draft, "change")).text


def test_publishing_settles_a_plan_that_was_blocked(publisher: Client) -> None:
    draft = make_in_state("scheduled")
    Schedule.objects.update(state="blocked", reason="Something changed.")
    assert "Publishing clears it" in publisher.get(url(draft, "publish")).text
    confirm(publisher, draft)
    plan = Schedule.objects.get()
    assert plan.state == Schedule.State.CANCELLED
    assert plan.reason == "Something changed."


def test_a_refused_publication_leaves_a_blocked_plan_as_it_was(publisher: Client) -> None:
    draft = make_in_state("scheduled")
    Schedule.objects.update(state="blocked", reason="Something changed.")
    draft.funding = ""
    draft.save()
    confirm(publisher, fresh(draft))
    assert Schedule.objects.get().state == Schedule.State.BLOCKED


def test_what_was_withdrawn_is_published_again_as_a_major_edition(publisher: Client) -> None:
    draft = make_in_state("withdrawn")
    page = publisher.get(url(draft, "publish")).text
    assert "all of it becomes public again" in page
    assert "nothing is live that it could correct" in page
    confirm(publisher, draft)
    assert fresh(draft).publication.live.number == 2


def test_a_refused_publication_keeps_the_note_that_was_typed(publisher: Client) -> None:
    draft = make_in_state("live with a newer draft")
    draft.funding = ""
    draft.save()
    response = confirm(publisher, fresh(draft), note="A note that took long to write")
    assert "A note that took long to write" in response.text


def test_a_minor_edition_is_offered_only_where_nothing_clinical_changed(publisher: Client) -> None:
    draft = make_in_state("live with a newer draft")
    assert 'value="minor" checked' in publisher.get(url(draft, "publish")).text
    sign_row = draft.warning_signs.get()
    sign_row.text = "Another sign"
    sign_row.save()
    draft = fresh(draft)
    page = publisher.get(url(draft, "publish")).text
    assert 'value="minor" disabled' in page
    response = confirm(publisher, draft, level="minor")
    assert "needs a new review" in response.text
    assert Edition.objects.count() == 1


def test_a_minor_edition_keeps_the_review_and_says_so(publisher: Client) -> None:
    draft = make_article()
    sign(draft)
    publish_draft(draft)
    confirm(publisher, reword(draft), level="minor", note="A comma.")
    draft = fresh(draft)
    assert draft.publication.live.level == Level.MINOR
    assert draft.publication.trust == "minor-changes"


def test_what_is_live_already_cannot_be_published_again(publisher: Client) -> None:
    draft = make_in_state("live")
    assert "There is nothing to publish" in publisher.get(url(draft, "publish")).text
    confirm(publisher, draft)
    assert Edition.objects.count() == 1


# --- Schedule ---


def test_scheduling_freezes_the_text_and_cancelling_ends_the_plan(publisher: Client) -> None:
    draft = make_article()
    due = timezone.localtime() + timedelta(days=2)
    response = confirm(publisher, draft, _later="1", due_at=due.strftime("%Y-%m-%dT%H:%M"))
    plan = Schedule.objects.get()
    assert plan.state == Schedule.State.PLANNED
    assert plan.snapshot.fingerprint == draft.build().fingerprint()
    assert "Will be published on" in response.text
    publisher.post(url(draft, "cancel_plan", plan.pk))
    plan.refresh_from_db()
    assert plan.state == Schedule.State.CANCELLED


@pytest.mark.parametrize("due_at", ["", "2020-01-01T08:00", "tomorrow"])
def test_a_time_that_cannot_be_is_refused_with_a_sentence(publisher: Client, due_at: str) -> None:
    response = confirm(publisher, make_article(), _later="1", due_at=due_at)
    assert any(text in response.text for text in ("Choose a time in the future", "Write the date", "Write a date"))
    assert not Schedule.objects.exists()
    assert not Snapshot.objects.exists()


# --- Review ---


def review(client: Client, draft: Any, snapshot: Snapshot, **more: Any) -> Any:
    until = timezone.localdate() + timedelta(days=365)
    data = {"fingerprint": snapshot.fingerprint, "valid_until": until.isoformat(), "agree": "on"} | more
    return client.post(url(draft, "review", snapshot.pk), data, follow=True)


@pytest.fixture
def reviewing(client: Client) -> Client:
    make_reviewer(user=log_in(client, "Medical reviewer"))
    return client


def test_a_writer_sends_a_draft_for_review_with_a_question(client: Client) -> None:
    log_in(client, "Writer")
    draft = make_article()
    client.post(url(draft, "send_for_review"), {"note": "Is the dose right?"})
    snapshot = Snapshot.objects.get(purpose=Snapshot.Purpose.REVIEW)
    assert snapshot.fingerprint == draft.build().fingerprint()
    assert snapshot.note == "Is the dose right?"


def test_a_reviewer_signs_exactly_the_text_on_the_page(reviewing: Client) -> None:
    draft = make_article()
    snapshot = snapshot_of(draft)
    reword(draft)  # the draft goes on; what is signed is the frozen text
    page = reviewing.get(url(draft, "review", snapshot.pk))
    assert str(STATEMENT) in page.text
    shown = reviewing.get(url(draft, "snapshot", snapshot.pk))
    assert FIRST_WORDS in shown.text
    assert NEW_WORDS not in shown.text
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    review(reviewing, draft, snapshot)
    record = SignOff.objects.get()
    assert record.fingerprint == snapshot.fingerprint
    assert record.statement == str(STATEMENT)


def test_signing_needs_the_tick(reviewing: Client) -> None:
    draft = make_article()
    review(reviewing, draft, snapshot_of(draft), agree="")
    assert not SignOff.objects.exists()


def test_signing_another_text_than_the_page_showed_is_refused(reviewing: Client) -> None:
    draft = make_article()
    review(reviewing, draft, snapshot_of(draft), fingerprint="0" * 64)
    assert not SignOff.objects.exists()


def test_a_review_can_be_renewed_for_what_is_live_as_it_stands(reviewing: Client) -> None:
    draft = make_in_state("live")
    log_in(writing := Client(), "Writer")
    assert url(draft, "send_for_review") in writing.get(url(draft, "change")).text
    writing.post(url(draft, "send_for_review"), {"note": ""})
    review(reviewing, draft, Snapshot.objects.get(purpose=Snapshot.Purpose.REVIEW))
    assert fresh(draft).publication.trust == "reviewed"


def test_a_page_about_the_site_is_not_sent_for_review(client: Client) -> None:
    log_in(client, "Editor")
    page = make_page()
    assert url(page, "send_for_review") not in client.get(url(page, "change")).text


def test_a_reviewer_sees_what_changed_since_the_text_that_was_signed_last(reviewing: Client) -> None:
    draft = make_article()
    sign(draft, make_reviewer("Other Reviewer"))
    publish_draft(draft)
    draft = reword(draft, "wording in between")
    publish_draft(draft)
    draft = reword(draft)
    page = reviewing.get(url(draft, "review", snapshot_of(draft).pk)).text
    assert "since the text that Other Reviewer, MD signed" in page
    assert "wording <del>at</del>" in page


@pytest.mark.parametrize("role", ["Writer", "Editor", "Publisher"])
def test_other_roles_read_a_review_but_do_not_sign(client: Client, role: str) -> None:
    make_reviewer(user=log_in(client, role))  # even with credentials: it is the role that signs
    draft = make_article()
    snapshot = snapshot_of(draft)
    assert "Only medical reviewers sign" in client.get(url(draft, "review", snapshot.pk)).text
    assert review(client, draft, snapshot).status_code == 403
    assert not SignOff.objects.exists()


def test_an_author_is_told_that_somebody_else_has_to_review(client: Client) -> None:
    reviewer = make_reviewer(user=log_in(client, "Medical reviewer"))
    draft = make_article(authors=False)
    draft.authors.add(reviewer)
    draft = fresh(draft)
    snapshot = snapshot_of(draft)
    assert "You are an author of this text" in client.get(url(draft, "review", snapshot.pk)).text
    assert review(client, draft, snapshot).status_code == 403


def test_a_reviewer_without_a_profile_is_told_what_to_do(client: Client) -> None:
    log_in(client, "Medical reviewer")
    draft = make_article()
    page = client.get(url(draft, "review", snapshot_of(draft).pk)).text
    assert "not linked to a contributor" in page


def test_a_review_can_be_taken_back_by_who_signed_and_stays_on_record(reviewing: Client) -> None:
    draft = make_article()
    snapshot = snapshot_of(draft)
    review(reviewing, draft, snapshot)
    record = SignOff.objects.get()
    reviewing.post(url(draft, "revoke", record.pk), {"reason": "I overlooked a dose."})
    assert record.revocation.reason == "I overlooked a dose."
    assert "I overlooked a dose." in reviewing.get(url(draft, "record")).text


def test_a_reviewer_does_not_take_back_what_another_signed(reviewing: Client) -> None:
    draft = make_article()
    record = sign(draft, make_reviewer("Other Reviewer"))
    assert reviewing.post(url(draft, "revoke", record.pk), {"reason": "No."}).status_code == 403
    assert not hasattr(SignOff.objects.get(), "revocation")


# --- Withdraw, restore, redact ---


def test_withdrawing_needs_a_reason_and_restoring_brings_it_back(publisher: Client) -> None:
    draft = make_in_state("live")
    publisher.post(url(draft, "withdraw"), {"reason": " "})
    assert fresh(draft).publication.is_live
    publisher.post(url(draft, "withdraw"), {"reason": "A dose was wrong."})
    assert fresh(draft).publication.withdrawn_reason == "A dose was wrong."
    publisher.post(url(draft, "restore"))
    assert fresh(draft).publication.is_live


def test_withdrawing_a_condition_names_the_articles_that_lose_their_link(publisher: Client) -> None:
    condition = make_condition()
    publish_draft(condition)
    publish_draft(make_article("Sciatica", conditions=[condition]))
    assert "Sciatica" in publisher.get(url(condition, "withdraw")).text


def test_redacting_lists_the_copies_and_the_draft_that_still_says_it(publisher: Client) -> None:
    condition = make_condition()
    edition = publish_draft(condition)
    publish_draft(make_article("Sciatica", conditions=[condition]))
    response = publisher.post(url(condition, "redact", edition.fingerprint), {"reason": "A court has ordered it."})
    assert "Sciatica, edition 1" in response.text
    assert "The draft still says the same" in response.text
    assert Redaction.objects.get().redacted_by_name == "publisher"


def test_only_texts_of_this_draft_can_be_redacted_or_brought_back(publisher: Client) -> None:
    mine, other = make_in_state("live"), make_in_state("live", title="Another")
    foreign = other.publication.live.fingerprint
    assert publisher.post(url(mine, "redact", foreign), {"reason": "x"}).status_code == 404
    assert publisher.post(url(mine, "bring_back", foreign)).status_code == 404
    assert publisher.get(url(mine, "compare"), {"from": foreign}).status_code == 404


# --- History ---


def test_an_older_text_comes_back_into_the_draft_and_readers_see_no_change(client: Client) -> None:
    log_in(client, "Editor")
    draft = make_in_state("superseded")
    live = draft.publication.live
    first = draft.publication.editions.get(number=1)
    client.post(url(draft, "bring_back", first.fingerprint))
    draft = Article.objects.get()
    assert FIRST_WORDS in draft.intro
    assert draft.publication.live == live
    assert "Before an older text was brought back" in client.get(url(draft, "record")).text


def test_history_opens_the_words_of_an_edition_that_is_not_public_any_more(client: Client) -> None:
    log_in(client, "Writer")
    draft = make_in_state("withdrawn")
    snapshot = draft.publication.snapshots.get()
    assert url(draft, "snapshot", snapshot.pk) in client.get(url(draft, "record")).text
    assert FIRST_WORDS in client.get(url(draft, "snapshot", snapshot.pk)).text


def test_who_withdrew_and_restored_is_on_record(publisher: Client) -> None:
    draft = make_in_state("live")
    publisher.post(url(draft, "withdraw"), {"reason": "A dose was wrong."})
    publisher.post(url(draft, "restore"))
    log = publisher.get(url(draft, "history")).text
    assert "Withdrawn." in log
    assert "It is live again." in log


def test_history_compares_any_two_texts(client: Client) -> None:
    log_in(client, "Writer")
    draft = make_in_state("superseded")
    first = draft.publication.editions.get(number=1)
    page = client.get(url(draft, "compare"), {"from": first.fingerprint, "to": "draft"}).text
    assert "<ins>" in page


def test_history_costs_the_same_queries_however_long(client: Client, django_assert_max_num_queries: Any) -> None:
    log_in(client, "Writer")
    draft = make_in_state("live")
    for number in range(12):
        draft = reword(draft, f"wording {number}")
        snapshot_of(draft)
        publish_draft(draft)
    with django_assert_max_num_queries(20):
        client.get(url(draft, "record"))


# --- Preview links ---


def test_a_shared_link_shows_the_frozen_draft_to_somebody_without_an_account(client: Client) -> None:
    log_in(client, "Writer")
    draft = make_article()
    page = client.post(url(draft, "share")).text
    snapshot = Snapshot.objects.get(purpose=Snapshot.Purpose.LINK)
    assert f"{settings.SITE_URL}/preview/{snapshot.pk}:" in page
    response = Client().get(path_of(snapshot))
    assert FIRST_WORDS in response.text
    assert "private, no-store" in response.headers["Cache-Control"]


def path_of(snapshot: Snapshot) -> str:
    return "/preview/" + preview_link(snapshot).partition("/preview/")[2]


def test_a_newer_link_ends_the_older_one() -> None:
    draft = make_article()
    old = path_of(snapshot_of(draft, Snapshot.Purpose.LINK))
    assert Client().get(old).status_code == 200
    new = path_of(snapshot_of(draft, Snapshot.Purpose.LINK))
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200


def test_a_link_ends_after_a_day_and_cannot_be_made_up(time_machine: Any) -> None:
    time_machine.move_to("2026-03-01 12:00:00+00:00")
    path = path_of(snapshot_of(make_article(), Snapshot.Purpose.LINK))
    time_machine.move_to("2026-03-02 11:59:00+00:00")
    assert Client().get(path).status_code == 200
    time_machine.move_to("2026-03-02 12:01:00+00:00")
    assert Client().get(path).status_code == 404
    assert Client().get("/preview/1:abc:def/").status_code == 404


def test_a_link_is_not_handed_on_in_a_report() -> None:
    path = path_of(snapshot_of(make_article(), Snapshot.Purpose.LINK))
    assert "/report/?about=" not in Client().get(path).text
    assert page_of(path) == ("", None)


def test_a_link_opens_no_snapshot_of_another_purpose() -> None:
    snapshot = snapshot_of(make_article(), Snapshot.Purpose.REVIEW)
    assert Client().get(path_of(snapshot)).status_code == 404


# --- The bar and the start page ---


def test_the_bar_offers_what_this_person_may_do_in_this_state(client: Client) -> None:
    log_in(client, "Writer")
    draft = make_in_state("live with a newer draft")
    page = client.get(url(draft, "change")).text
    assert "Send for review" in page
    assert "Publish…" not in page
    assert "Withdraw…" not in page
    log_in(client, "Publisher")
    page = client.get(url(draft, "change")).text
    assert all(label in page for label in ("Publish…", "Schedule…", "Withdraw…", "View live", "History"))


def test_the_start_page_shows_what_waits(client: Client) -> None:
    make_reviewer(user=log_in(client, "Medical reviewer"))
    snapshot_of(make_article("To be signed"))
    late = schedule_draft(make_article("Late plan"))
    Schedule.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    blocked = schedule_draft(make_article("Blocked plan"))
    Schedule.objects.filter(pk=blocked.pk).update(state="blocked", reason="Something changed.")
    overdue = make_article("Review running out")
    sign(overdue, make_reviewer("Third Reviewer"), valid_until=timezone.localdate() + timedelta(days=30))
    publish_draft(overdue)
    page = client.get(reverse("admin:index")).text
    assert "For you to review" in page
    for words in ("To be signed", "no scheduler has run", "Something changed.", "Valid until"):
        assert words in page


def test_the_start_page_names_articles_that_show_an_older_library_text(client: Client) -> None:
    log_in(client, "Editor")
    condition = make_condition()
    publish_draft(condition)
    publish_draft(make_article("Sciatica", conditions=[condition]))
    publish_draft(reword(condition), Level.MINOR)
    assert "shows edition 1" not in client.get(reverse("admin:index")).text
    publish_draft(reword(condition, "wording of a third kind"), Level.MAJOR)
    assert "shows edition 1, edition 3 is live" in client.get(reverse("admin:index")).text


def test_what_was_signed_or_overtaken_waits_no_longer(client: Client) -> None:
    make_reviewer(user=log_in(client, "Medical reviewer"))
    signed = make_article("Signed already")
    sign(signed, make_reviewer("Third Reviewer"))
    overtaken = make_article("Published already")
    snapshot_of(overtaken)
    publish_draft(reword(overtaken))
    redacted = make_article("Redacted already")
    redact(fingerprint=snapshot_of(redacted).fingerprint, by=None, reason="A court has ordered it.")
    assert "Nothing waits for your signature." in client.get(reverse("admin:index")).text


def test_what_went_live_unreviewed_still_waits_for_a_signature(client: Client) -> None:
    make_reviewer(user=log_in(client, "Medical reviewer"))
    draft = make_article("Live without a review")
    snapshot = snapshot_of(draft)
    publish_draft(draft)
    assert url(draft, "review", snapshot.pk) in client.get(reverse("admin:index")).text


def test_somebody_without_a_role_learns_whom_to_ask(client: Client) -> None:
    client.force_login(User.objects.create_user("new", is_staff=True))
    assert "has no role yet" in client.get(reverse("admin:index")).text


def test_the_start_page_costs_the_same_with_many_rows(client: Client) -> None:
    log_in(client, "Publisher")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("admin:index"))
        return len(captured)

    make_contributor()
    for number in range(2):
        snapshot_of(make_article(f"Waiting {number}"))
        publish_draft(make_article(f"Live {number}"))
    few = queries()
    for number in range(2, 9):
        snapshot_of(make_article(f"Waiting {number}"))
        publish_draft(make_article(f"Live {number}"))
    assert queries() == few

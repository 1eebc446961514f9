"""What is mailed and when: new articles and corrections become issues by rule, and are looked at again at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries, Settings
from taggit.models import Tag

from blog.models import Article, ImportedSource
from config.tests.factories import (
    REASON,
    fresh,
    make_article,
    make_condition,
    make_page,
    make_user,
    publish_draft,
    reword,
    sign,
)
from newsletter import clock, issues
from newsletter.models import Issue, IssueItem
from newsletter.planning import DELAY, current_items, mailable, plan_issues, tag_slugs, wanted
from newsletter.tests.rows import make_issue
from publishing.archive.restore import restore as restore_export
from publishing.models import Contributor, Level, Publication, SignOff, SiteSettings
from publishing.services import merge_tags, redact, refresh_due_trust, rename_tag, restore, revoke, withdraw
from publishing.tests.archives import exported, passing_site
from publishing.tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db

DAY = 24 * 60 * 60


def live_article(title: str = "Back pain", *, reviewed: bool = True, **fields: Any) -> Article:
    """An article that went live just now, reviewed unless told otherwise."""
    draft = make_article(title, **fields)
    if reviewed:
        sign(draft)
    publish_draft(draft)
    return fresh(draft)  # type: ignore[no-any-return]


def correct(draft: Article, words: str = "corrected", *, reviewed: bool = True) -> Article:
    """Its next major edition."""
    draft = reword(draft, words)
    if reviewed:
        sign(draft)
    publish_draft(draft)
    return fresh(draft)  # type: ignore[no-any-return]


def take_away(draft: Article) -> None:
    withdraw(publication=draft.publication, by=make_user(), reason=REASON)


def set_strictness(value: str) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"strictness": value})


def start(issue: Issue) -> Issue:
    """Let its delay be over, and take down who gets it."""
    Issue.objects.filter(pk=issue.pk).update(starts_at=clock.now() - timedelta(minutes=1))
    issues.begin_due()
    while issues.prepare(issue):
        pass
    issue.refresh_from_db()
    return issue


def age(draft: Article, days: int) -> None:
    """Let its first publication be so long ago."""
    at = clock.now() - timedelta(days=days)
    Publication.objects.filter(pk=draft.publication_id).update(first_published=at)


def kinds() -> list[str]:
    return sorted(Issue.objects.values_list("kind", flat=True))


# --- New articles ------------------------------------------------------------------------------------------------


def test_new_article_becomes_a_waiting_issue_in_its_language() -> None:
    article = live_article("Rückenschmerzen", language="de")
    [issue] = plan_issues()
    assert (issue.kind, issue.state, issue.language) == ("article", "waiting", "de")
    assert issue.key == f"article:{article.publication.uuid}"
    assert issue.subject == "Rückenschmerzen"
    [item] = issue.items.all()
    assert (item.publication, item.edition, item.correction) == (
        article.publication,
        article.publication.live,
        False,
    )


def test_an_issue_starts_after_the_delay_and_not_before() -> None:
    live_article()
    before = clock.now()
    [issue] = plan_issues()
    assert issue.starts_at is not None
    assert before + DELAY <= issue.starts_at <= clock.now() + DELAY
    assert issues.begin_due() == 0


def test_planning_again_makes_nothing_new() -> None:
    live_article()
    assert len(plan_issues()) == 1
    assert plan_issues() == []
    assert Issue.objects.count() == 1


def test_the_command_names_the_issues_it_made(capsys: pytest.CaptureFixture[str]) -> None:
    article = live_article()
    call_command("plan_issues")
    call_command("plan_issues")
    assert capsys.readouterr().out == f"article:{article.publication.uuid}\n"


def test_the_scheduler_plans_after_it_has_published(settings: Settings) -> None:
    assert settings.SCHEDULE.index("publish_due") < settings.SCHEDULE.index("plan_issues")


@pytest.mark.parametrize("make", [make_condition, make_page])
def test_only_articles_are_mailed(make: Callable[[], Any]) -> None:
    draft = make()
    if make is make_condition:
        sign(draft)
    publish_draft(draft)
    set_strictness("open")
    assert plan_issues() == []


def test_drafts_are_not_mailed() -> None:
    sign(make_article())
    assert plan_issues() == []


def test_what_an_import_brought_is_never_mailed_by_rule() -> None:
    article = live_article()
    ImportedSource.objects.create(digest="0" * 64, name="old.html", article=article, report="")
    assert plan_issues() == []
    correct(article)
    assert plan_issues() == []


def test_an_editor_may_choose_an_imported_article_for_an_issue_by_hand() -> None:
    article = live_article()
    ImportedSource.objects.create(digest="0" * 64, name="old.html", article=article, report="")
    assert list(mailable(Publication.objects.all())) == [article.publication]


def test_syndicated_article_is_mailed() -> None:
    live_article(origin_name="Another clinic", origin_url="https://clinic.example/back", origin_licence="CC BY 4.0")
    assert Publication.objects.get(kind="article").syndicated
    assert len(plan_issues()) == 1


@pytest.mark.parametrize(("strictness", "mailed"), [("labelled", 0), ("open", 1)])
def test_unreviewed_article_is_mailed_on_an_open_site_only(strictness: str, mailed: int) -> None:
    set_strictness(strictness)
    live_article(reviewed=False)
    assert len(plan_issues()) == mailed


@pytest.mark.parametrize("strictness", ["strict", "labelled", "open"])
def test_reviewed_article_is_mailed_on_every_site(strictness: str) -> None:
    set_strictness(strictness)
    live_article()
    assert len(plan_issues()) == 1


def test_article_with_minor_changes_since_its_review_is_mailed() -> None:
    article = live_article()
    publish_draft(reword(article), Level.MINOR)
    assert fresh(article.publication).trust == "minor-changes"
    [issue] = plan_issues()
    assert issue.items.get().edition.number == 2  # type: ignore[union-attr]


def test_article_whose_review_comes_later_is_mailed_then() -> None:
    article = live_article(reviewed=False)
    assert plan_issues() == []
    sign(article)
    assert [issue.kind for issue in plan_issues()] == ["article"]


@pytest.mark.parametrize(("days", "mailed"), [(29, 1), (31, 0)])
def test_an_article_is_new_for_thirty_days(days: int, mailed: int) -> None:
    age(live_article(), days)
    assert len(plan_issues()) == mailed


def test_the_thirty_days_are_counted_by_the_newsletters_clock(settings: Settings) -> None:
    live_article()
    settings.CLOCK_OFFSET_SECONDS = 31 * DAY
    assert plan_issues() == []


# --- While it waits ----------------------------------------------------------------------------------------------


def test_article_withdrawn_while_its_issue_waits_is_not_mailed_and_new_again_when_restored() -> None:
    article = live_article()
    plan_issues()
    take_away(article)
    assert plan_issues() == []
    assert not Issue.objects.exists()
    restore(publication=article.publication, by=make_user())
    assert [issue.kind for issue in plan_issues()] == ["article"]


def test_article_whose_review_is_taken_back_while_its_issue_waits_is_not_mailed() -> None:
    live_article()
    plan_issues()
    revoke(sign_off=SignOff.objects.get(), by=make_user(), reason="A mistake.")
    plan_issues()
    assert not Issue.objects.exists()


def test_newer_edition_goes_out_in_the_issue_that_waits() -> None:
    article = live_article()
    [issue] = plan_issues()
    article.title = "Lower back pain"
    article.save()
    correct(article)
    assert plan_issues() == []
    issue.refresh_from_db()
    assert issue.subject == "Lower back pain"
    assert issue.items.get().edition.number == 2  # type: ignore[union-attr]
    start(issue)
    assert plan_issues() == []


def test_an_issue_that_has_started_is_left_as_it_is() -> None:
    article = live_article()
    [issue] = plan_issues()
    start(issue)
    take_away(article)
    assert plan_issues() == []
    assert issue.items.count() == 1
    restore(publication=article.publication, by=make_user())
    assert plan_issues() == []


def test_issue_that_an_editor_took_back_does_not_come_again() -> None:
    live_article()
    [issue] = plan_issues()
    issues.take_back(issue=issue)
    assert plan_issues() == []


def test_issue_written_by_hand_is_never_touched() -> None:
    issue = make_issue(state="waiting")
    plan_issues()
    issue.refresh_from_db()
    assert (issue.subject, issue.state) == ("News about backs", "waiting")


# --- Corrections -------------------------------------------------------------------------------------------------


def test_major_edition_after_the_article_was_mailed_is_a_correction() -> None:
    article = live_article()
    start(plan_issues()[0])
    article = correct(article)
    [issue] = plan_issues()
    edition = article.publication.live
    assert edition is not None
    assert (issue.kind, issue.key, issue.language) == ("correction", f"correction:{edition.pk}", "en")
    assert issue.subject == "Corrected: Back pain"
    [item] = issue.items.all()
    assert (item.edition, item.correction) == (edition, True)
    assert plan_issues() == []


def test_minor_edition_is_no_correction() -> None:
    article = live_article()
    start(plan_issues()[0])
    publish_draft(reword(article), Level.MINOR)
    assert plan_issues() == []


def test_a_minor_edition_does_not_hide_the_correction_before_it() -> None:
    article = live_article()
    start(plan_issues()[0])
    article = correct(article)
    publish_draft(reword(article, "spelling"), Level.MINOR)
    [issue] = plan_issues()
    assert issue.items.get().edition.number == 2  # type: ignore[union-attr]
    assert len(current_items(issue)) == 1


def test_old_article_that_was_never_mailed_is_corrected_by_mail() -> None:
    article = live_article()
    age(article, 400)
    assert plan_issues() == []
    correct(article)
    assert [issue.kind for issue in plan_issues()] == ["correction"]


def test_article_that_readers_were_not_told_of_yet_is_new_and_no_correction() -> None:
    article = live_article(reviewed=False)
    assert plan_issues() == []
    correct(article)
    assert [issue.kind for issue in plan_issues()] == ["article"]
    assert plan_issues() == []


def test_correction_waits_for_its_review() -> None:
    article = live_article()
    start(plan_issues()[0])
    article = correct(article, reviewed=False)
    assert plan_issues() == []
    sign(article)
    assert [issue.kind for issue in plan_issues()] == ["correction"]


def test_correction_is_news_for_thirty_days(settings: Settings) -> None:
    article = live_article()
    start(plan_issues()[0])
    correct(article)
    settings.CLOCK_OFFSET_SECONDS = 31 * DAY
    assert plan_issues() == []


def test_of_two_corrections_that_nobody_has_seen_only_the_newer_is_mailed() -> None:
    article = live_article()
    start(plan_issues()[0])
    article = correct(article, "once")
    [first] = plan_issues()
    article = correct(article, "twice")
    [second] = plan_issues()
    assert not Issue.objects.filter(pk=first.pk).exists()
    assert second.items.get().edition.number == 3  # type: ignore[union-attr]
    assert kinds() == ["article", "correction"]


def test_correction_after_a_correction_that_has_started_is_another_one() -> None:
    article = live_article()
    start(plan_issues()[0])
    article = correct(article, "once")
    first = start(plan_issues()[0])
    correct(article, "twice")
    assert [issue.kind for issue in plan_issues()] == ["correction"]
    assert current_items(first) == []  # who has not had it gets the newer one


def test_article_is_corrected_although_an_editor_took_its_first_issue_back() -> None:
    article = live_article()
    issues.take_back(issue=plan_issues()[0])
    correct(article)
    assert [issue.kind for issue in plan_issues()] == ["correction"]


# --- Several planners --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_three_planners_at_once_make_each_issue_once() -> None:
    old = live_article("Old")
    age(old, 400)
    correct(old)
    for number in range(4):
        live_article(f"Article {number}")
    results = at_once(plan_issues, plan_issues, plan_issues)
    assert [error for error in results if isinstance(error, Exception)] == []
    assert sum(len(made) for made in results) == 5
    assert kinds() == ["article"] * 4 + ["correction"]
    assert IssueItem.objects.count() == 5


# --- What may be mailed now --------------------------------------------------------------------------------------


def issue_of(*articles: Article, **fields: Any) -> Issue:
    issue = make_issue(**fields)
    for position, article in enumerate(articles, start=1):
        IssueItem.objects.create(
            issue=issue, publication=article.publication, edition=article.publication.live, position=position
        )
    return issue


def titles(items: list[IssueItem]) -> list[str]:
    return [item.publication.title for item in items]


def test_items_come_in_their_order() -> None:
    issue = issue_of(*(live_article(title) for title in ("Back", "Ankle", "Knee")))
    IssueItem.objects.filter(publication__title="Knee").update(position=0)
    assert titles(current_items(issue)) == ["Knee", "Back", "Ankle"]


def test_withdrawn_redacted_and_overdue_articles_are_taken_out_at_the_last_moment() -> None:
    stays, withdrawn, redacted, overdue = (live_article(title) for title in ("Stays", "Withdrawn", "Redacted", "Due"))
    issue = issue_of(stays, withdrawn, redacted, overdue)
    assert len(current_items(issue)) == 4
    take_away(withdrawn)
    assert redacted.publication.live
    redact(fingerprint=redacted.publication.live.fingerprint, by=make_user(), reason=REASON)
    Publication.objects.filter(pk=overdue.publication_id).update(trust_until=date(2020, 1, 1), trust="overdue")
    refresh_due_trust()
    assert titles(current_items(issue)) == ["Stays"]


def test_unreviewed_item_follows_the_sites_strictness() -> None:
    issue = issue_of(live_article(reviewed=False))
    assert current_items(issue) == []
    set_strictness("open")
    assert len(current_items(issue)) == 1


@pytest.mark.parametrize("number", [1, 12])
def test_items_and_what_their_cards_show_cost_two_queries(
    number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issue = issue_of(*(live_article(f"Article {count}") for count in range(number)))
    with django_assert_num_queries(2):
        for item in current_items(issue):
            assert item.publication.live
            assert item.edition
            assert not item.publication.picture


# --- Topics ------------------------------------------------------------------------------------------------------


def test_a_topic_is_found_by_the_tags_it_was_renamed_and_merged_from() -> None:
    article = live_article()
    article.publication.tags.add("lumbago", "spine")
    rename_tag(tag=Tag.objects.get(slug="lumbago"), name="Back pain")
    merge_tags(tags=[Tag.objects.get(slug="spine")], into=Tag.objects.get(slug="back-pain"))
    assert tag_slugs(article.publication) == {"back-pain", "lumbago", "spine"}
    assert tag_slugs(live_article("No tags").publication) == set()


def test_who_chose_topics_gets_the_items_that_have_one() -> None:
    articles = [live_article(title) for title in ("Back", "Knee", "Untagged")]
    articles[0].publication.tags.add("spine")
    articles[1].publication.tags.add("joints", "sport")
    items = current_items(issue_of(*articles))
    assert titles(wanted(items, {"sport", "spine"})) == ["Back", "Knee"]
    assert titles(wanted(items, {"joints"})) == ["Knee"]
    assert wanted(items, {"heart"}) == []
    assert wanted(items, set()) == []


def test_tags_are_read_once_for_all_readers(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    articles = [live_article(f"Article {count}") for count in range(5)]
    for article in articles:
        article.publication.tags.add("spine")
    items = current_items(issue_of(*articles))
    with django_assert_num_queries(1):
        for _reader in range(3):
            assert len(wanted(items, {"spine"})) == 5


def test_titles_of_any_length_make_a_subject_of_one_line() -> None:
    title = "Very long words about the lower back " * 5
    article = live_article(title.strip()[:200], topic="backs")
    start(plan_issues()[0])
    correct(article)
    for issue in Issue.objects.all():
        assert len(issue.subject) <= 150
        assert issue.subject.isprintable()


# --- What was restored ------------------------------------------------------------------------------------------


@pytest.fixture
def restored_article(tmp_path: Path) -> Article:
    """An article that went live on another site yesterday, with a correction, and came here with its export."""
    with passing_site():
        draft = correct(live_article("Back pain"))
        publish_draft(reword(draft, "as a matter of course"))
        exported(tmp_path / "export")
    assert restore_export(tmp_path / "export").problems == []
    Contributor.objects.filter(medical=True).update(user=make_user("reviewer"))  # whose account did not come along
    return Article.objects.get()


@pytest.mark.parametrize("strictness", SiteSettings.Strictness.values)
def test_nothing_that_was_restored_is_news(restored_article: Article, strictness: str) -> None:
    set_strictness(strictness)
    assert restored_article.publication.live is not None
    assert plan_issues() == []


def test_what_is_published_here_after_a_restore_is_news(restored_article: Article) -> None:
    correct(restored_article, "corrected here")
    another = live_article("Neck pain")
    issues = {issue.kind: issue.items.get().publication for issue in plan_issues()}
    assert issues == {Issue.Kind.CORRECTION: restored_article.publication, Issue.Kind.ARTICLE: another.publication}

"""The weekly digest: what is in it, and that everybody gets exactly one a week, whatever the clocks, the planners and
a `kill -9` do (reliability.md, R16)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db.models import Count
from pytest_django import Settings

from blog.models import Article
from config.tests.factories import fresh, make_user
from newsletter import clock, issues
from newsletter.models import Delivery, Issue, IssueItem
from newsletter.planning import DELAY, digest_due, plan_issues
from newsletter.tests.processes import HANG, database_url
from newsletter.tests.rows import make_subscribers
from newsletter.tests.test_planning import correct, live_article, start, take_away
from publishing.models import Publication
from publishing.services import restore
from publishing.tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


def at(settings: Settings, moment: datetime) -> None:
    """Let it be this time, for the newsletter."""
    settings.CLOCK_OFFSET_SECONDS = 0.0
    settings.CLOCK_OFFSET_SECONDS = (moment - clock.now()).total_seconds()


def publish_at(moment: datetime, title: str = "Back pain", **fields: Any) -> Article:
    """A reviewed article that was first published then."""
    article = live_article(title, **fields)
    Publication.objects.filter(pk=article.publication_id).update(first_published=moment)
    return article


def weekly_readers(number: int = 1, *, confirmed_at: datetime = MONDAY - timedelta(days=3), **more: str) -> None:
    make_subscribers(number, frequency="weekly", confirmed_at=confirmed_at, **more)


def digests() -> list[Issue]:
    """The digests that were or will be sent, in the order of their time."""
    return list(Issue.objects.filter(kind="digest").exclude(state="cancelled").order_by("starts_at"))


def titles(issue: Issue) -> list[str]:
    return [item.publication.title for item in issue.items.all()]


# --- When it is due ----------------------------------------------------------------------------------------------

# Mondays at 08:00 before and after the clocks change, in UTC, from the published tables of each zone. Samoa went to
# the other side of the date line at the end of 2011: its Friday, 30 December, was left out.
DUE = [
    ("Europe/Vienna", "2026-03-23T07:00", "2026-03-30T06:00"),
    ("Europe/Vienna", "2026-10-19T06:00", "2026-10-26T07:00"),
    ("America/New_York", "2026-03-02T13:00", "2026-03-09T12:00"),
    ("America/New_York", "2026-10-26T12:00", "2026-11-02T13:00"),
    ("Australia/Lord_Howe", "2026-03-29T21:00", "2026-04-05T21:30"),
    ("Australia/Lord_Howe", "2026-09-27T21:30", "2026-10-04T21:00"),
    ("Pacific/Apia", "2011-12-26T18:00", "2012-01-01T18:00"),
    ("Pacific/Apia", "2020-09-20T19:00", "2020-09-27T18:00"),
    ("Pacific/Apia", "2021-03-28T18:00", "2021-04-04T19:00"),
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone", "before", "after"), DUE)
def test_digest_is_due_on_mondays_at_eight_on_the_sites_clocks(
    zone: str, before: str, after: str, settings: Settings
) -> None:
    settings.TIME_ZONE = zone
    second = timedelta(seconds=1)
    assert digest_due(utc(before)) == utc(before)
    assert digest_due(utc(after) - second) == utc(before)
    assert digest_due(utc(after)) == utc(after)
    assert digest_due(utc(after) + WEEK - second) == utc(after)


def test_weeks_are_numbered_as_iso_8601_does_also_around_the_new_year(settings: Settings) -> None:
    weekly_readers(confirmed_at=utc("2026-01-01T00:00"))
    for day in ("2026-12-28T09:00", "2027-01-04T09:00"):
        at(settings, utc(day))
        publish_at(utc(day) - timedelta(days=1), f"Of {day}")
        plan_issues()
    assert [issue.key for issue in digests()] == ["digest:en:2026-W53", "digest:en:2027-W01"]


def test_digest_is_planned_ahead_and_leaves_at_eight(settings: Settings) -> None:
    weekly_readers()
    publish_at(MONDAY - timedelta(days=2))
    at(settings, MONDAY - DELAY - timedelta(minutes=1))
    plan_issues()
    assert digests() == []
    at(settings, MONDAY - DELAY + timedelta(minutes=1))
    plan_issues()
    [issue] = digests()
    assert issue.starts_at is not None
    assert MONDAY <= issue.starts_at < MONDAY + timedelta(minutes=2)
    assert (issue.key, issue.state, issue.language) == ("digest:en:2026-W10", "waiting", "en")


# --- What is in it -----------------------------------------------------------------------------------------------


def plan_at(settings: Settings, moment: datetime) -> Issue | None:
    """The digest that is planned then, already started; None where there is none."""
    at(settings, moment)
    made = [issue for issue in plan_issues() if issue.kind == "digest"]
    for issue in Issue.objects.filter(state="waiting"):
        start(issue)
    return made[0] if made else None


def test_digest_has_what_is_new_the_newest_first(settings: Settings) -> None:
    weekly_readers()
    publish_at(MONDAY - timedelta(days=3), "Knee")
    publish_at(MONDAY - timedelta(days=1), "Back")
    publish_at(MONDAY - timedelta(days=31), "Too old")
    publish_at(MONDAY - timedelta(days=2), "Auf Deutsch", language="de")
    issue = plan_at(settings, MONDAY)
    assert issue is not None
    assert titles(issue) == ["Back", "Knee"]
    assert issue.subject == "Back, and 1 more"


def test_digest_has_nothing_that_an_earlier_one_had(settings: Settings) -> None:
    weekly_readers()
    publish_at(MONDAY - timedelta(days=2), "First")
    plan_at(settings, MONDAY)
    publish_at(MONDAY + timedelta(days=1), "Second")
    issue = plan_at(settings, MONDAY + WEEK)
    assert issue is not None
    assert titles(issue) == ["Second"]


def test_review_that_comes_later_brings_an_article_into_a_later_digest(settings: Settings) -> None:
    weekly_readers()
    article = publish_at(MONDAY - timedelta(days=2))
    Publication.objects.filter(pk=article.publication_id).update(trust="not-reviewed")
    assert plan_at(settings, MONDAY) is None
    Publication.objects.filter(pk=article.publication_id).update(trust="reviewed")
    issue = plan_at(settings, MONDAY + WEEK)
    assert issue is not None
    assert titles(issue) == ["Back pain"]


def test_week_without_news_has_no_digest_and_says_so(settings: Settings) -> None:
    weekly_readers()
    assert plan_at(settings, MONDAY) is None
    # What comes on Tuesday is for next Monday.
    publish_at(MONDAY + timedelta(days=1))
    assert plan_at(settings, MONDAY + timedelta(days=1)) is None
    [record] = Issue.objects.filter(kind="digest")
    assert (record.state, record.reason, record.items.count()) == ("cancelled", "Nothing was new.", 0)
    assert plan_at(settings, MONDAY + WEEK) is not None


def test_language_without_weekly_readers_has_no_digest(settings: Settings) -> None:
    make_subscribers(1, prefix="every", confirmed_at=MONDAY - WEEK)
    make_subscribers(1, prefix="asked", frequency="weekly", status="pending", confirmed_at=None)
    weekly_readers(language="de")
    publish_at(MONDAY - timedelta(days=2))
    assert plan_at(settings, MONDAY) is None


def test_what_was_published_after_a_digest_was_due_waits_for_the_next_one(settings: Settings) -> None:
    """Also where no digest was planned for that week: on a new site, or after an outage."""
    weekly_readers()
    publish_at(MONDAY + timedelta(days=2))
    assert plan_at(settings, MONDAY + timedelta(days=3)) is None
    digest = plan_at(settings, MONDAY + WEEK)
    assert digest is not None
    assert len(titles(digest)) == 1


def test_first_weekly_reader_waits_for_the_next_monday(settings: Settings) -> None:
    publish_at(MONDAY - timedelta(days=2))
    weekly_readers(confirmed_at=MONDAY + timedelta(days=2))
    assert plan_at(settings, MONDAY + timedelta(days=2, hours=1)) is None
    assert plan_at(settings, MONDAY + WEEK) is not None


def test_article_that_is_withdrawn_before_eight_is_in_no_digest_and_in_a_later_one_when_restored(
    settings: Settings,
) -> None:
    weekly_readers()
    publish_at(MONDAY - timedelta(days=2), "Stays")
    article = publish_at(MONDAY - timedelta(days=1), "Goes")
    at(settings, MONDAY - timedelta(minutes=5))
    plan_issues()
    take_away(article)
    plan_issues()
    [issue] = digests()
    assert titles(issue) == ["Stays"]
    assert issue.subject == "Stays"
    start(issue)
    restore(publication=article.publication, by=make_user())
    later = plan_at(settings, MONDAY + WEEK)
    assert later is not None
    assert titles(later) == ["Goes"]


def test_digest_of_which_nothing_is_left_before_eight_is_a_week_without_news(settings: Settings) -> None:
    weekly_readers()
    article = publish_at(MONDAY - timedelta(days=1))
    at(settings, MONDAY - timedelta(minutes=5))
    plan_issues()
    assert len(digests()) == 1
    take_away(article)
    plan_issues()
    plan_issues()
    assert digests() == []
    assert Issue.objects.get(kind="digest").reason == "Nothing was new."


def test_what_a_digest_had_that_was_taken_back_is_in_the_next(settings: Settings) -> None:
    weekly_readers()
    publish_at(MONDAY - timedelta(days=1))
    at(settings, MONDAY - timedelta(minutes=5))
    plan_issues()
    issues.take_back(issue=digests()[0])
    assert plan_at(settings, MONDAY + timedelta(days=1)) is None
    issue = plan_at(settings, MONDAY + WEEK)
    assert issue is not None
    assert titles(issue) == ["Back pain"]


# --- Corrections. Editions keep the real time of their publication, so these weeks are this one and the next.


@pytest.fixture
def next_monday() -> datetime:
    """The next Monday at eight on which an edition of today is not news of the future."""
    return digest_due(clock.now()) + WEEK


def test_article_that_was_in_a_digest_comes_again_when_it_is_corrected(
    settings: Settings, next_monday: datetime
) -> None:
    weekly_readers()
    article = live_article()
    plan_at(settings, next_monday)
    correct(article)
    issue = plan_at(settings, next_monday + WEEK)
    assert issue is not None
    [item] = issue.items.all()
    assert (item.correction, item.edition) == (True, fresh(article.publication).live)
    assert plan_at(settings, next_monday + 2 * WEEK) is None


def test_article_that_is_corrected_before_its_first_digest_is_new_in_it(
    settings: Settings, next_monday: datetime
) -> None:
    weekly_readers()
    article = correct(live_article())
    issue = plan_at(settings, next_monday)
    assert issue is not None
    [item] = issue.items.all()
    assert (item.correction, item.edition) == (False, article.publication.live)
    assert plan_at(settings, next_monday + WEEK) is None


def test_correction_of_an_old_article_is_in_the_digest(settings: Settings, next_monday: datetime) -> None:
    weekly_readers()
    article = live_article()
    Publication.objects.update(first_published=clock.now() - timedelta(days=400))
    correct(article)
    issue = plan_at(settings, next_monday)
    assert issue is not None
    assert [item.correction for item in issue.items.all()] == [True]


# --- Exactly one a week (R16) ------------------------------------------------------------------------------------


def take_down_readers() -> None:
    """What a sender does when it looks: start what is due, and freeze who gets it."""
    issues.begin_due()
    for issue in Issue.objects.filter(state="preparing"):
        while issues.prepare(issue, chunk=2):
            pass


# One change of clocks for each zone in every run (of Samoa the missing Friday), the others in the long one.
WALKS = [
    pytest.param(*due, marks=[] if due[0] not in {earlier[0] for earlier in DUE[:number]} else pytest.mark.long)
    for number, due in enumerate(DUE)
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("zone", "before", "after"), WALKS)
def test_three_planners_make_one_digest_for_everybody_in_the_weeks_when_clocks_change(
    zone: str, before: str, after: str, settings: Settings
) -> None:
    settings.TIME_ZONE = zone
    mondays = [utc(before) - WEEK, utc(before), utc(after), utc(after) + WEEK]
    weekly_readers(5, confirmed_at=mondays[0] - timedelta(days=3))
    for monday in mondays:
        publish_at(monday - timedelta(days=1), f"Before {monday.date()}")
        for minutes in (-90, -5, 30, 4 * 24 * 60):
            at(settings, monday + timedelta(minutes=minutes))
            results = at_once(plan_issues, plan_issues, plan_issues)
            assert [error for error in results if isinstance(error, Exception)] == []
            take_down_readers()
    made = digests()
    assert len({issue.key for issue in made}) == len(mondays)
    for issue, monday in zip(made, mondays, strict=True):
        assert titles(issue) == [f"Before {monday.date()}"]
        assert issue.starts_at is not None
        assert monday <= issue.starts_at <= monday + timedelta(minutes=6)
    got = Delivery.objects.filter(issue__kind="digest").order_by().values_list("subscriber", "issue")
    assert len(got) == len(set(got)) == 5 * len(mondays)


@pytest.mark.parametrize("weeks", [1, 3])
def test_after_an_outage_only_the_newest_week_is_made_up_for_with_everything_since(
    weeks: int, settings: Settings
) -> None:
    weekly_readers(2)
    publish_at(MONDAY - timedelta(days=1), "Before")
    plan_at(settings, MONDAY)
    for week in range(weeks):
        publish_at(MONDAY + week * WEEK + timedelta(days=2), f"Week {week}")
    back = MONDAY + weeks * WEEK + timedelta(days=3)
    issue = plan_at(settings, back)
    assert issue is not None
    assert titles(issue) == [f"Week {week}" for week in reversed(range(weeks))]
    assert len(digests()) == 2
    take_down_readers()
    per_person = Delivery.objects.filter(issue__kind="digest").order_by().values("subscriber").annotate(n=Count("pk"))
    assert [row["n"] for row in per_person] == [2, 2]
    # And the week after is a week like any other.
    publish_at(back + timedelta(days=1), "Next")
    assert plan_at(settings, MONDAY + (weeks + 1) * WEEK) is not None


# Runs the command, and dies by the one signal that no program can catch: after so many rows of issues were written,
# after their items were, or right after the database has taken a commit that wrote an issue.
DYING = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from newsletter import planning
from newsletter.models import Issue, IssueItem

moment, count = sys.argv[1], int(sys.argv[2])

def dies_after(work):
    def wrapped(*args, **kwargs):
        global count
        result = work(*args, **kwargs)
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapped

if moment == "issue":
    Issue.save = dies_after(Issue.save)
elif moment == "items":
    IssueItem.objects.bulk_create = dies_after(IssueItem.objects.bulk_create)
elif moment == "commit":
    connection.ensure_connection()
    connection._commit = dies_after(connection._commit)
call_command("plan_issues")
"""


def planner(settings: Settings, moment: str = "never", count: int = 1) -> subprocess.Popen[bytes]:
    """`manage.py plan_issues` as a process of its own on the test's database, at the test's time."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
        "DATABASE_URL": database_url(),
        "TIME_ZONE": settings.TIME_ZONE,
        "TEST_CLOCK_OFFSET_SECONDS": str(settings.CLOCK_OFFSET_SECONDS),
    }
    command = [sys.executable, "-c", DYING, moment, str(count)]
    return subprocess.Popen(command, cwd=Path(django_settings.BASE_DIR), env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.django_db(transaction=True)
def test_planners_that_are_killed_anywhere_leave_one_whole_digest_in_the_end(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Vienna"
    monday = utc("2026-03-30T06:00")
    weekly_readers(3, confirmed_at=monday - WEEK)
    for number in range(3):
        publish_at(monday - timedelta(days=1, hours=number), f"Article {number}")
    at(settings, monday)

    # Where it dies, and how many issues are there afterwards: each with its items, or not at all.
    deaths = [("issue", 1, 0), ("items", 1, 0), ("commit", 1, 1), ("issue", 2, 2), ("items", 2, 3), ("issue", 1, 3)]
    for moment, count, there in deaths:
        assert planner(settings, moment, count).wait(HANG) == -signal.SIGKILL, (moment, count)
        assert [issue.items.count() for issue in Issue.objects.all()] == [1] * there
    # The three that wait are looked at before the digest is made.
    assert planner(settings, "commit", 4).wait(HANG) == -signal.SIGKILL
    assert sorted(issue.items.count() for issue in Issue.objects.all()) == [1, 1, 1, 3]

    at_the_same_time = [planner(settings) for _ in range(3)]
    assert [process.wait(HANG) for process in at_the_same_time] == [0, 0, 0]
    assert Issue.objects.filter(kind="article").count() == 3
    [digest] = digests()
    assert digest.key == "digest:en:2026-W14"
    assert titles(digest) == ["Article 0", "Article 1", "Article 2"]
    assert IssueItem.objects.count() == 6

    at(settings, monday + timedelta(hours=1))
    take_down_readers()
    assert Delivery.objects.filter(issue=digest).values("subscriber").distinct().count() == 3
    assert Delivery.objects.filter(issue=digest).count() == 3

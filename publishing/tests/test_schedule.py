"""Planned editions: published once when due, or blocked with a reason."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from config.tests.factories import (
    FIRST_WORDS,
    REASON,
    fresh,
    make_article,
    make_condition,
    make_page,
    make_user,
    publish_draft,
    reword,
    schedule_draft,
    sign,
    snapshot_of,
)
from publishing.findings import Finding, warn
from publishing.kinds import kinds
from publishing.models import Edition, Generation, Level, Schedule, SiteSettings, Snapshot
from publishing.services import (
    Blocked,
    Refused,
    cancel_schedule,
    publish_due,
    redact,
    restore,
    schedule,
    withdraw,
)

pytestmark = pytest.mark.django_db
State = Schedule.State


def run_later(days: int = 2) -> list[Schedule]:
    """The due run, so many days from now."""
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
        return publish_due()


# --- Planning --------------------------------------------------------------------------------------------------


def test_planned_text_is_not_public_before_its_time() -> None:
    draft = make_article()
    plan = schedule_draft(draft)
    assert publish_due() == []
    assert fresh(plan).state == State.PLANNED
    assert not Edition.objects.exists()
    assert not fresh(draft.publication).is_live


def test_time_has_to_be_in_the_future() -> None:
    with pytest.raises(Refused, match="future"):
        schedule_draft(make_article(), timezone.now())


def test_planning_refuses_what_publishing_would_refuse() -> None:
    with pytest.raises(Blocked):
        schedule_draft(make_article("No funding", funding=""))
    draft = make_article()
    with pytest.raises(Refused, match="first edition"):
        schedule_draft(draft, level=Level.MINOR)
    publish_draft(draft)
    with pytest.raises(Refused, match="exactly this text is live"):
        schedule_draft(draft)
    with pytest.raises(Refused, match="note"):
        schedule_draft(reword(draft), note="")
    assert not Schedule.objects.exists()


def test_newer_plan_takes_the_place_of_the_older_one() -> None:
    draft = make_article()
    first = schedule_draft(draft)
    second = schedule_draft(reword(draft))
    assert (fresh(first).state, fresh(second).state) == (State.CANCELLED, State.PLANNED)
    assert "newer plan" in fresh(first).reason


def test_plans_of_two_pages_do_not_touch_each_other() -> None:
    first, second = schedule_draft(make_article("One")), schedule_draft(make_article("Two"))
    assert {plan.pk for plan in run_later()} == {first.pk, second.pk}


def test_the_same_snapshot_can_be_planned_again() -> None:
    draft = make_article()
    snapshot = snapshot_of(draft, Snapshot.Purpose.SCHEDULE)
    due = timezone.now() + timedelta(days=1)
    arguments: dict[str, Any] = {"by": make_user(), "due_at": due, "level": Level.MAJOR, "note": ""}
    cancel_schedule(plan=schedule(snapshot=snapshot, **arguments), by=make_user())
    again = schedule(snapshot=snapshot, **arguments)
    assert again.snapshot.fingerprint == snapshot.fingerprint
    assert [plan.state for plan in run_later()] == [State.DONE]


# --- When it is due --------------------------------------------------------------------------------------------


def test_due_text_goes_live_with_its_level_and_note_by_who_planned_it() -> None:
    draft = make_article()
    publish_draft(draft)
    plan = schedule_draft(reword(draft), level=Level.MINOR, note="A comma.")
    assert [ended.pk for ended in run_later()] == [plan.pk]
    edition = fresh(draft.publication).live
    assert (edition.number, edition.level, edition.note) == (2, Level.MINOR, "A comma.")
    assert (edition.published_by, edition.fingerprint) == (make_user(), plan.snapshot.fingerprint)
    assert (fresh(plan).state, fresh(plan).reason) == (State.DONE, "")


def test_what_goes_live_is_what_was_planned_not_the_draft() -> None:
    draft = make_article()
    schedule_draft(draft)
    reword(draft)
    run_later()
    assert FIRST_WORDS in fresh(draft.publication).live.document().canonical()


def test_running_twice_is_harmless() -> None:
    draft = make_article()
    schedule_draft(draft)
    assert len(run_later()) == 1
    generation = Generation.objects.get().number
    assert run_later() == []
    assert Generation.objects.get().number == generation
    assert Edition.objects.count() == 1


def test_late_run_publishes_what_fell_due_long_ago() -> None:
    schedule_draft(make_article())
    assert [plan.state for plan in run_later(days=40)] == [State.DONE]


def test_one_blocked_plan_does_not_hold_up_the_others() -> None:
    draft, other = make_article("One"), make_article("Two")
    blocked = schedule_draft(draft)
    publish_draft(reword(draft))
    schedule_draft(other, timezone.now() + timedelta(days=1, hours=1))
    run_later()
    assert fresh(blocked).state == State.BLOCKED
    assert fresh(other.publication).is_live


def test_plan_that_cannot_be_read_is_logged_and_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = schedule_draft(make_page()), schedule_draft(make_article())
    monkeypatch.delitem(kinds, "page")
    assert [plan.pk for plan in run_later()] == [other.pk]
    assert fresh(broken).state == State.PLANNED
    assert f"Plan {broken.pk} could not be published" in caplog.text


# --- What blocks -----------------------------------------------------------------------------------------------


def assert_blocked(plan: Schedule, reason: str) -> None:
    editions = Edition.objects.count()
    run_later()
    plan = fresh(plan)
    assert plan.state == State.BLOCKED
    assert reason in plan.reason
    assert Edition.objects.count() == editions


def test_newer_live_edition_blocks() -> None:
    draft = make_article()
    publish_draft(draft)
    plan = schedule_draft(reword(draft))
    publish_draft(reword(draft, "still others"))
    assert_blocked(plan, "Another edition went live")


def test_first_edition_published_meanwhile_blocks() -> None:
    draft = make_article()
    plan = schedule_draft(draft)
    publish_draft(reword(draft))
    assert_blocked(plan, "Another edition went live")


def test_withdrawal_blocks_at_once_and_for_good() -> None:
    draft = make_article()
    publish_draft(draft)
    plan = schedule_draft(reword(draft))
    withdraw(publication=draft.publication, by=make_user(), reason="It is wrong.")
    assert fresh(plan).state == State.BLOCKED
    restore(publication=draft.publication, by=make_user())
    assert_blocked(plan, "withdrawn")


def test_redaction_of_the_planned_text_blocks() -> None:
    draft = make_article()
    plan = schedule_draft(draft)
    redact(fingerprint=plan.snapshot.fingerprint, by=make_user(), reason=REASON)
    assert fresh(plan).state == State.BLOCKED, "the desk says so at once"
    assert_blocked(plan, "redacted")


def test_redaction_of_the_live_text_blocks() -> None:
    draft = make_article()
    live = publish_draft(draft)
    plan = schedule_draft(reword(draft))
    redact(fingerprint=live.fingerprint, by=make_user(), reason=REASON)
    assert_blocked(plan, "withdrawn")


def test_stricter_site_blocks_what_was_not_reviewed() -> None:
    plan = schedule_draft(make_article())
    SiteSettings.objects.create(pk=1, strictness=SiteSettings.Strictness.STRICT)
    assert_blocked(plan, "No valid review")


def test_review_that_ends_before_the_day_blocks_on_a_strict_site() -> None:
    SiteSettings.objects.create(pk=1, strictness=SiteSettings.Strictness.STRICT)
    draft = make_article()
    sign(draft, valid_until=timezone.localdate() + timedelta(days=1))
    assert_blocked(schedule_draft(draft, timezone.now() + timedelta(days=2)), "No valid review")


def test_new_edition_of_a_named_condition_blocks_until_somebody_has_looked() -> None:
    condition = make_condition()
    publish_draft(condition)
    plan = schedule_draft(make_article(conditions=[condition]))
    publish_draft(reword(condition))
    assert_blocked(plan, "edition 2 is live")


@pytest.fixture
def new_check() -> Iterator[None]:
    """A check that the site did not have when the plan was made."""
    before = kinds["article"]

    def check(document: Any, context: Any) -> Iterator[Finding]:
        yield warn("brand-new", "This is new.", "Look at it.", "title")

    kinds["article"] = replace(before, checks=(*before.checks, check))
    yield
    kinds["article"] = before


@pytest.mark.usefixtures("new_check")
def test_finding_known_when_planned_does_not_block() -> None:
    plan = schedule_draft(make_article())
    run_later()
    assert fresh(plan).state == State.DONE


def test_new_finding_blocks_even_if_it_only_warns(request: pytest.FixtureRequest) -> None:
    plan = schedule_draft(make_article())
    request.getfixturevalue("new_check")
    assert_blocked(plan, "This is new.")


def test_blocked_plan_says_so_in_words_that_fit() -> None:
    draft = make_article()
    plan = schedule_draft(draft)
    SiteSettings.objects.create(pk=1, strictness=SiteSettings.Strictness.STRICT)
    before = kinds["article"]
    try:
        kinds["article"] = replace(
            before, checks=(*before.checks, lambda d, c: [warn("x", "word " * 300, "", "title")])
        )
        run_later()
    finally:
        kinds["article"] = before
    assert 0 < len(fresh(plan).reason) <= 500


# --- Cancelling ------------------------------------------------------------------------------------------------


def test_cancelled_plan_is_not_published() -> None:
    plan = schedule_draft(make_article())
    cancel_schedule(plan=plan, by=make_user())
    assert run_later() == []
    assert fresh(plan).state == State.CANCELLED
    assert "editor" in fresh(plan).reason


def test_blocked_plan_is_put_away_with_its_reason_kept() -> None:
    draft = make_article()
    plan = schedule_draft(draft)
    publish_draft(reword(draft))
    run_later()
    reason = fresh(plan).reason
    cancel_schedule(plan=plan, by=make_user())
    assert (fresh(plan).state, fresh(plan).reason) == (State.CANCELLED, reason)


def test_ended_plan_cannot_be_cancelled() -> None:
    plan = schedule_draft(make_article())
    run_later()
    with pytest.raises(Refused, match="ended"):
        cancel_schedule(plan=plan, by=make_user())
    assert fresh(plan).state == State.DONE

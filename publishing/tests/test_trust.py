"""Sign-offs, their revocation, and what a page says of its review."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from config.tests.factories import (
    fresh,
    make_article,
    make_contributor,
    make_reviewer,
    make_user,
    publish_draft,
    reword,
    sign,
    snapshot_of,
)
from publishing.models import Contribution, Level, Publication, SignOff, Trust
from publishing.services import Refused, add_months, refresh_due_trust, revoke, sign_off

pytestmark = pytest.mark.django_db


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def trust(draft: object) -> str:
    return str(fresh(draft.publication).trust)  # type: ignore[attr-defined]


# --- Who may sign ----------------------------------------------------------------------------------------------


def test_signing_records_who_which_words_when_and_until_when() -> None:
    draft = make_article()
    record = sign(draft, valid_until=in_days(100))
    assert record.fingerprint == draft.fingerprint
    assert (record.reviewer, record.reviewer_name) == (make_reviewer(), "Rita Reviewer, MD")
    assert record.signed_by == make_reviewer().user
    assert record.valid_until == in_days(100)


def test_author_of_a_text_cannot_sign_it() -> None:
    draft = make_article()
    reviewer = make_reviewer()
    draft.authors.add(reviewer)
    with pytest.raises(Refused, match="author"):
        sign(fresh(draft))


def test_author_of_the_words_cannot_sign_even_if_the_draft_no_longer_names_them() -> None:
    draft = make_article()
    reviewer = make_reviewer()
    draft.authors.add(reviewer)
    snapshot = snapshot_of(draft)
    draft.authors.remove(reviewer)
    assert reviewer.user
    with pytest.raises(Refused, match="author"):
        sign_off(snapshot=snapshot, reviewer=reviewer, by=reviewer.user, valid_until=in_days(9), statement="ok")


def test_nobody_signs_for_somebody_else() -> None:
    snapshot, reviewer = snapshot_of(make_article()), make_reviewer()
    with pytest.raises(Refused, match="Only Rita Reviewer"):
        sign_off(snapshot=snapshot, reviewer=reviewer, by=make_user(), valid_until=in_days(9), statement="ok")


def test_reviewer_without_an_account_cannot_sign() -> None:
    snapshot, reviewer = snapshot_of(make_article()), make_reviewer(user=None)
    with pytest.raises(Refused, match="Only"):
        sign_off(snapshot=snapshot, reviewer=reviewer, by=make_user(), valid_until=in_days(9), statement="ok")


def test_only_the_medically_qualified_sign() -> None:
    with pytest.raises(Refused, match="credentials"):
        sign(make_article(), make_contributor("Lay Person", user=make_user("lay")))


@pytest.mark.parametrize(("days", "may"), [(-1, False), (0, True), (1, True)])
def test_credentials_hold_until_their_last_day(days: int, may: bool) -> None:
    reviewer = make_reviewer(credentials_until=in_days(days))
    if may:
        sign(make_article(), reviewer)
    else:
        with pytest.raises(Refused, match="credentials"):
            sign(make_article(), reviewer)


@pytest.mark.parametrize(("months", "days", "may"), [(0, 0, False), (0, 1, True), (36, 0, True), (36, 1, False)])
def test_review_holds_for_three_years_at_most(months: int, days: int, may: bool) -> None:
    until = add_months(timezone.localdate(), months) + timedelta(days=days)
    if may:
        assert sign(make_article(), valid_until=until).valid_until == until
    else:
        with pytest.raises(Refused, match="three years"):
            sign(make_article(), valid_until=until)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 11, 30), 36, date(2029, 11, 30)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_are_counted_to_the_last_day_of_a_short_one(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


# --- Taking back -----------------------------------------------------------------------------------------------


def test_revoked_review_no_longer_counts_and_stays_on_record() -> None:
    draft = make_article()
    record = sign(draft)
    publish_draft(draft)
    assert trust(draft) == Trust.REVIEWED
    revoke(sign_off=record, by=make_user(), reason="I had read another text.")
    assert trust(draft) == Trust.NOT_REVIEWED
    assert SignOff.objects.get() == record
    assert not Contribution.objects.filter(role=Contribution.Role.REVIEWER).exists()


def test_review_is_taken_back_once_and_with_a_reason() -> None:
    record = sign(make_article())
    with pytest.raises(Refused, match="why"):
        revoke(sign_off=record, by=make_user(), reason=" ")
    revoke(sign_off=record, by=make_user(), reason="x")
    with pytest.raises(Refused, match="before"):
        revoke(sign_off=record, by=make_user(), reason="x")


def test_another_review_takes_the_place_of_a_revoked_one() -> None:
    draft = make_article()
    record = sign(draft)
    sign(draft, make_reviewer("Second Reviewer"))
    publish_draft(draft)
    revoke(sign_off=record, by=make_user(), reason="x")
    publication = fresh(draft.publication)
    assert (publication.trust, publication.reviewer_name) == (Trust.REVIEWED, "Second Reviewer, MD")


# --- What a page says ------------------------------------------------------------------------------------------


def test_unsigned_text_is_not_reviewed() -> None:
    draft = make_article()
    publish_draft(draft)
    assert trust(draft) == Trust.NOT_REVIEWED


@pytest.mark.parametrize("signed_first", [True, False])
def test_signed_text_is_reviewed_whether_signed_before_or_after(signed_first: bool) -> None:
    draft = make_article()
    if signed_first:
        sign(draft)
    publish_draft(draft)
    if not signed_first:
        sign(draft)
    publication = fresh(draft.publication)
    assert publication.trust == Trust.REVIEWED
    assert publication.reviewer == make_reviewer()
    assert publication.reviewed_on == timezone.localdate()
    assert publication.trust_until == in_days(365)
    assert Contribution.objects.get(role=Contribution.Role.REVIEWER).contributor == make_reviewer()


def test_review_of_a_newer_draft_says_nothing_of_what_is_live() -> None:
    draft = make_article()
    publish_draft(draft)
    sign(reword(draft))
    assert trust(draft) == Trust.NOT_REVIEWED


def test_minor_edition_keeps_the_review_and_says_so() -> None:
    draft = make_article()
    sign(draft)
    publish_draft(draft)
    for words in ("one comma", "another comma"):
        publish_draft(reword(draft, words), Level.MINOR)
        assert trust(draft) == Trust.MINOR_CHANGES


def test_major_edition_ends_the_review() -> None:
    draft = make_article()
    sign(draft)
    publish_draft(draft)
    publish_draft(reword(draft), Level.MAJOR)
    assert trust(draft) == Trust.NOT_REVIEWED
    publish_draft(reword(draft, "a comma"), Level.MINOR)
    assert trust(draft) == Trust.NOT_REVIEWED


def test_signed_minor_edition_is_reviewed_itself() -> None:
    draft = make_article()
    sign(draft)
    publish_draft(draft)
    draft = reword(draft)
    sign(draft)
    publish_draft(draft, Level.MINOR)
    assert trust(draft) == Trust.REVIEWED


def test_review_falls_due_after_its_last_day() -> None:
    draft = make_article()
    until = in_days(10)
    sign(draft, valid_until=until)
    publish_draft(draft)
    other = make_article("Signed for longer")
    sign(other)
    publish_draft(other)
    with time_machine.travel(until, tick=False):
        assert refresh_due_trust() == 0
    with time_machine.travel(until + timedelta(days=1), tick=False):
        assert refresh_due_trust() == 1
        assert refresh_due_trust() == 0
    publication = fresh(draft.publication)
    assert (publication.trust, publication.trust_until) == (Trust.OVERDUE, until)
    assert trust(other) == Trust.REVIEWED


def test_review_still_holds_on_its_last_day() -> None:
    draft = make_article()
    until = in_days(10)
    sign(draft, valid_until=until)
    with time_machine.travel(until, tick=False):
        publish_draft(draft)
        assert trust(draft) == Trust.REVIEWED
    other = make_article("Published a day late")
    sign(other, valid_until=until)
    with time_machine.travel(until + timedelta(days=1), tick=False):
        publish_draft(other)
        assert trust(other) == Trust.OVERDUE


def test_overdue_review_of_minor_changes_is_overdue() -> None:
    draft = make_article()
    sign(draft, valid_until=in_days(10))
    publish_draft(draft)
    publish_draft(reword(draft), Level.MINOR)
    with time_machine.travel(timezone.now() + timedelta(days=11), tick=False):
        refresh_due_trust()
    assert trust(draft) == Trust.OVERDUE


def test_a_review_that_holds_counts_more_than_an_expired_one_of_the_very_words() -> None:
    draft = make_article()
    sign(draft, valid_until=in_days(300))
    publish_draft(draft)
    draft = reword(draft)
    sign(draft, make_reviewer("Second Reviewer"), valid_until=in_days(10))
    publish_draft(draft, Level.MINOR)
    with time_machine.travel(timezone.now() + timedelta(days=11), tick=False):
        refresh_due_trust()
    publication = fresh(draft.publication)
    assert (publication.trust, publication.reviewer) == (Trust.MINOR_CHANGES, make_reviewer())


def test_overdue_review_is_renewed_by_signing_again() -> None:
    draft = make_article()
    sign(draft, valid_until=in_days(1))
    publish_draft(draft)
    with time_machine.travel(timezone.now() + timedelta(days=5), tick=False):
        refresh_due_trust()
        assert trust(draft) == Trust.OVERDUE
        sign(draft)
        assert trust(draft) == Trust.REVIEWED
    assert Contribution.objects.filter(role=Contribution.Role.REVIEWER).count() == 1


def test_reviews_of_other_pages_do_not_count() -> None:
    draft, other = make_article(), make_article("Another")
    sign(other)
    publish_draft(draft)
    assert trust(draft) == Trust.NOT_REVIEWED
    assert not Publication.objects.filter(trust=Trust.REVIEWED).exists()

"""publish(), withdraw() and restore(): what becomes live, and what stands in the way."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from config.tests.factories import (
    FIRST_WORDS,
    NEW_WORDS,
    fresh,
    make_article,
    make_citation,
    make_condition,
    make_contributor,
    make_page,
    make_picture,
    make_user,
    publish_draft,
    reword,
    sign,
    snapshot_of,
)
from publishing.documents import Urgency
from publishing.models import (
    Citation,
    Contribution,
    Edition,
    Generation,
    Level,
    Mention,
    Publication,
    SiteSettings,
    Trust,
)
from publishing.services import Blocked, MinorRefused, Refused, publish, restore, withdraw

pytestmark = pytest.mark.django_db


def generation() -> int:
    row = Generation.objects.first()
    return row.number if row else 0


# --- Publishing ------------------------------------------------------------------------------------------------


def test_first_edition_is_live_numbered_one_and_major() -> None:
    draft = make_article()
    edition = publish_draft(draft, note="")
    publication = fresh(draft.publication)
    assert (edition.number, edition.level, edition.note) == (1, Level.MAJOR, "")
    assert publication.live == edition
    assert publication.first_published == publication.listed_at == edition.published_at
    assert (publication.title, publication.summary) == (draft.title, draft.summary)
    assert publication.words > 5


def test_edition_records_who_published_it_by_name() -> None:
    person = User.objects.create_user("pat", first_name="Pat", last_name="Publisher")
    snapshot = snapshot_of(make_page())
    edition = publish(snapshot=snapshot, by=person, level=Level.MAJOR, note="")
    assert (edition.published_by, edition.published_by_name) == (person, "Pat Publisher")


def test_the_same_text_is_not_published_twice_in_a_row() -> None:
    draft = make_article()
    publish_draft(draft)
    with pytest.raises(Refused, match="exactly this text is live"):
        publish_draft(draft)
    assert draft.publication.editions.count() == 1


def test_an_older_text_can_be_published_again() -> None:
    draft = make_article()
    first = publish_draft(draft)
    publish_draft(reword(draft))
    again = publish_draft(reword(draft, FIRST_WORDS + " [@guideline-a]"))
    assert again.fingerprint == first.fingerprint
    assert again.number == 3


def test_later_edition_needs_a_note() -> None:
    draft = make_article()
    publish_draft(draft)
    draft = reword(draft)
    with pytest.raises(Refused, match="note"):
        publish_draft(draft, note="  ")
    assert publish_draft(draft, note=" Clearer now. ").note == "Clearer now."


def test_blocking_findings_stand_in_the_way_and_are_told() -> None:
    draft = make_article(funding="", summary="")
    with pytest.raises(Blocked) as raised:
        publish_draft(draft)
    assert {finding.id for finding in raised.value.findings} == {"funding", "summary"}
    assert not Edition.objects.exists()
    assert not fresh(draft.publication).is_live


def test_warnings_do_not_stand_in_the_way() -> None:
    publish_draft(make_condition(summary="", signs=""))


def test_strict_site_publishes_only_what_was_reviewed() -> None:
    SiteSettings.objects.create(pk=1, strictness=SiteSettings.Strictness.STRICT)
    draft = make_article()
    with pytest.raises(Blocked, match="No valid review"):
        publish_draft(draft)
    sign(draft)
    publish_draft(draft)
    publish_draft(make_page())  # nobody signs a policy


def test_listing_date_is_that_of_the_last_major_edition() -> None:
    draft = make_article()
    first = publish_draft(draft)
    publish_draft(reword(draft), Level.MINOR)
    assert fresh(draft.publication).listed_at == first.published_at
    third = publish_draft(reword(draft, "still others"), Level.MAJOR)
    assert fresh(draft.publication).listed_at == third.published_at
    assert fresh(draft.publication).first_published == first.published_at


def test_columns_follow_what_is_live() -> None:
    picture = make_picture()
    draft = make_condition(picture=picture, synonyms="Slipped disc\n\n Bulging   disc ", urgency=Urgency.URGENT)
    publish_draft(draft)
    publication = fresh(draft.publication)
    assert publication.picture == picture
    assert publication.other_names == ["Slipped disc", "Bulging disc"]
    assert (publication.body_area, publication.urgency) == ("back-and-spine", "urgent")
    draft.name, draft.picture, draft.synonyms = "Another name", None, ""
    draft.save()
    assert fresh(draft.publication).title == "Herniated disc"
    publish_draft(draft)
    publication = fresh(draft.publication)
    assert (publication.title, publication.picture, publication.other_names) == ("Another name", None, [])


def test_syndicated_article_is_marked_so() -> None:
    draft = make_article(origin_name="Elsewhere", origin_url="https://origin.example/a")
    publish_draft(draft)
    assert fresh(draft.publication).syndicated


def test_mentions_are_those_of_what_is_live_in_its_order() -> None:
    one, two = make_condition("One"), make_condition("Two")
    first = publish_draft(one)
    draft = make_article(conditions=[one, two])
    draft.entries.filter(condition=two).update(text="<p>Own words.</p>", position=0)
    publish_draft(draft)
    assert list(Mention.objects.values_list("condition", "edition", "position")) == [
        (two.publication_id, None, 1),
        (one.publication_id, first.pk, 2),
    ]
    draft.entries.filter(condition=two).delete()
    assert Mention.objects.count() == 2, "a draft changes nothing for readers"
    publish_draft(fresh(draft))
    assert Mention.objects.get().condition == one.publication


def test_contributions_are_those_of_what_is_live() -> None:
    draft = make_article()
    publish_draft(draft)
    other = make_contributor("Otto Other")
    draft.authors.set([other])
    assert Contribution.objects.get().contributor == make_contributor()
    publish_draft(fresh(draft))
    assert Contribution.objects.get().contributor == other


# --- Minor editions (rule 3) -----------------------------------------------------------------------------------


def test_minor_edition_may_change_a_comma() -> None:
    draft = make_article()
    publish_draft(draft)
    assert publish_draft(reword(draft), Level.MINOR).number == 2


def change_article_sign_text(draft: Any) -> None:
    draft.warning_signs.update(text="Another sign")


def change_article_sign_urgency(draft: Any) -> None:
    draft.warning_signs.update(urgency=Urgency.URGENT)


def add_article_sign(draft: Any) -> None:
    draft.warning_signs.create(text="One more", position=9)


def remove_article_sign(draft: Any) -> None:
    draft.warning_signs.first().delete()


def change_article_treatment(draft: Any) -> None:
    draft.entries.update(treatment="<p>Do something else [@guideline-a].</p>")


def change_article_entry_urgency(draft: Any) -> None:
    draft.entries.update(urgency=Urgency.SEE_A_DOCTOR)


def remove_article_entry(draft: Any) -> None:
    draft.entries.first().delete()


def cite_another_source(draft: Any) -> None:
    make_citation("another")
    draft.intro += "<p>[@another]</p>"
    draft.save()


def change_emergency_heading(draft: Any) -> None:
    draft.emergency_heading = "Wait and see"
    draft.save()


def change_a_source(draft: Any) -> None:
    make_citation().__class__.objects.update(title="Another title")


def change_condition_treatment(draft: Any) -> None:
    draft.treatment = "<p>Rest in bed [@guideline-a].</p>"
    draft.save()


def change_condition_signs(draft: Any) -> None:
    draft.signs = "<p>None at all.</p>"
    draft.save()


def change_condition_urgency(draft: Any) -> None:
    draft.urgency = Urgency.EMERGENCY
    draft.save()


@pytest.mark.parametrize(
    ("maker", "change"),
    [
        (make_article, change_article_sign_text),
        (make_article, change_article_sign_urgency),
        (make_article, add_article_sign),
        (make_article, remove_article_sign),
        (make_article, change_article_treatment),
        (make_article, change_article_entry_urgency),
        (make_article, remove_article_entry),
        (make_article, cite_another_source),
        (make_article, change_emergency_heading),
        (make_article, change_a_source),
        (make_condition, change_condition_treatment),
        (make_condition, change_condition_signs),
        (make_condition, change_condition_urgency),
    ],
)
def test_minor_edition_may_not_touch_what_is_clinical(maker: Any, change: Any) -> None:
    draft = maker(**({"own_entries": 2, "signs": 2} if maker is make_article else {}))
    publish_draft(draft)
    change(draft)
    draft = fresh(draft)
    with pytest.raises(MinorRefused) as raised:
        publish_draft(draft, Level.MINOR)
    assert raised.value.changes, "the editor is shown what makes it major"
    assert publish_draft(draft, Level.MAJOR).number == 2


def test_moving_a_pin_to_another_treatment_is_a_major_change() -> None:
    condition = make_condition()
    publish_draft(condition)
    draft = make_article(conditions=[condition])
    publish_draft(draft)
    change_condition_treatment(condition)
    entry = draft.entries.get(condition=condition)
    entry.pin = publish_draft(fresh(condition))
    entry.save()
    with pytest.raises(MinorRefused):
        publish_draft(fresh(draft), Level.MINOR)


# --- Withdrawing and restoring ---------------------------------------------------------------------------------


def test_withdrawn_text_is_no_longer_live_and_says_why() -> None:
    draft = make_article()
    publish_draft(draft)
    withdraw(publication=draft.publication, by=make_user(), reason=" It is wrong. ")
    publication = fresh(draft.publication)
    assert publication.is_withdrawn
    assert not Publication.objects.live().exists()
    assert (publication.withdrawn_reason, publication.withdrawn_by) == ("It is wrong.", make_user())
    assert publication.withdrawn_at
    assert publication.editions.count() == 1


def test_withdrawing_needs_a_reason_and_something_live() -> None:
    draft = make_article()
    with pytest.raises(Refused, match="not live"):
        withdraw(publication=draft.publication, by=make_user(), reason="x")
    publish_draft(draft)
    with pytest.raises(Refused, match="Say why"):
        withdraw(publication=draft.publication, by=make_user(), reason=" ")
    assert fresh(draft.publication).is_live


def test_restoring_makes_the_last_edition_live_again_without_a_new_one() -> None:
    draft = make_article()
    sign(draft)
    publish_draft(draft)
    last = publish_draft(reword(draft), Level.MINOR)
    before = Publication.objects.values().get()
    withdraw(publication=draft.publication, by=make_user(), reason="For a day.")
    assert restore(publication=fresh(draft.publication), by=make_user()) == last
    after = Publication.objects.values().get()
    assert after == before
    assert draft.publication.editions.count() == 2
    assert set(Contribution.objects.values_list("role", flat=True)) == {"author", "reviewer"}


def test_restoring_needs_a_withdrawn_text() -> None:
    draft = make_article()
    with pytest.raises(Refused, match="never published"):
        restore(publication=draft.publication, by=make_user())
    publish_draft(draft)
    with pytest.raises(Refused, match="live already"):
        restore(publication=draft.publication, by=make_user())


def test_withdrawn_text_is_corrected_by_a_new_major_edition() -> None:
    draft = make_article()
    publish_draft(draft)
    withdraw(publication=draft.publication, by=make_user(), reason="It is wrong.")
    draft = reword(draft)
    with pytest.raises(MinorRefused):
        publish_draft(draft, Level.MINOR)
    assert publish_draft(draft).number == 2
    publication = fresh(draft.publication)
    assert publication.is_live
    assert (publication.withdrawn_reason, publication.withdrawn_at, publication.withdrawn_by) == ("", None, None)
    assert NEW_WORDS in publication.live.document().canonical()


def test_what_the_page_says_of_its_review_goes_with_what_is_live() -> None:
    draft = make_article()
    sign(draft)
    publish_draft(draft)
    withdraw(publication=draft.publication, by=make_user(), reason="x")
    publication = fresh(draft.publication)
    assert (publication.trust, publication.reviewer, publication.trust_until) == (Trust.NOT_REVIEWED, None, None)
    assert not Contribution.objects.filter(role=Contribution.Role.REVIEWER).exists()


# --- What caches are told --------------------------------------------------------------------------------------


def test_generation_rises_whenever_the_public_sees_something_else() -> None:
    draft = make_article()
    seen = [generation()]

    def rises() -> None:
        seen.append(generation())
        assert seen[-1] > seen[-2]

    publish_draft(draft)
    rises()
    sign(draft)
    rises()
    withdraw(publication=draft.publication, by=make_user(), reason="x")
    rises()
    restore(publication=draft.publication, by=make_user())
    rises()


def test_generation_stays_where_the_public_sees_the_same() -> None:
    draft = make_article()
    publish_draft(draft)
    before = generation()
    snapshot_of(reword(draft))
    with pytest.raises(Refused):
        publish_draft(draft, note="")
    assert generation() == before


def test_strict_site_takes_a_minor_edition_of_what_is_reviewed_but_no_major_one() -> None:
    SiteSettings.objects.create(pk=1, strictness="strict")
    draft = make_article()
    sign(draft)
    publish_draft(draft)
    draft = reword(draft)
    with pytest.raises(Blocked):
        publish_draft(draft, Level.MAJOR)
    publish_draft(draft, Level.MINOR)
    assert fresh(draft).publication.trust == Trust.MINOR_CHANGES


def test_minor_first_edition_is_refused_with_a_sentence_of_its_own() -> None:
    with pytest.raises(Refused, match="first edition is a major one"):
        publish_draft(make_article(), Level.MINOR)


def test_the_day_a_source_was_checked_needs_no_new_review() -> None:
    draft = make_article()
    publish_draft(draft)
    Citation.objects.update(checked_on=timezone.localdate())
    assert publish_draft(fresh(draft), Level.MINOR).number == 2

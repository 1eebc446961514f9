"""Articles and pages as drafts: their documents, library text and its pins, and bringing texts back."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from blog.models import Announcement, Article, ArticleEntry
from config.tests.factories import (
    REASON,
    fresh,
    make_article,
    make_citation,
    make_condition,
    make_contributor,
    make_entry,
    make_page,
    make_picture,
    make_user,
    publish_draft,
    reword,
    snapshot_of,
)
from publishing.documents import Urgency
from publishing.models import Citation, Edition
from publishing.services import Blocked, draft_from, withdraw

pytestmark = pytest.mark.django_db


def first_entry(draft: Any) -> Any:
    """The first entry of the document that the draft would become."""
    return fresh(draft).build().entries[0]


def library_of(condition: Any) -> tuple[str, str]:
    return condition.what_it_is, condition.treatment


# --- Library text ----------------------------------------------------------------------------------------------


def test_entry_without_own_words_shows_the_pinned_library_text() -> None:
    condition = make_condition(urgency=Urgency.URGENT)
    publish_draft(condition)
    entry = first_entry(make_article(conditions=[condition]))
    assert (entry.text, entry.treatment) == library_of(condition)
    assert (entry.library_text, entry.library_treatment) == (True, True)
    assert entry.heading == condition.name
    shown = entry.condition
    assert (shown.uuid, shown.edition, shown.name) == (str(condition.publication.uuid), 1, condition.name)
    assert (shown.synonyms, shown.urgency) == (("Slipped herniated disc",), Urgency.URGENT)


@pytest.mark.parametrize(("own_text", "own_treatment"), [(True, False), (False, True), (True, True)])
def test_text_and_treatment_fall_back_separately(own_text: bool, own_treatment: bool) -> None:
    condition = make_condition()
    publish_draft(condition)
    draft = make_article(own_entries=0)
    make_entry(
        draft,
        condition=condition,
        text="<p>Own text.</p>" if own_text else "",
        treatment="<p>Own treatment.</p>" if own_treatment else "",
    )
    entry = first_entry(draft)
    assert entry.text == ("<p>Own text.</p>" if own_text else condition.what_it_is)
    assert entry.treatment == ("<p>Own treatment.</p>" if own_treatment else condition.treatment)
    assert (entry.library_text, entry.library_treatment) == (not own_text, not own_treatment)


def test_own_heading_and_group_win_over_the_name() -> None:
    condition = make_condition()
    publish_draft(condition)
    draft = make_article(own_entries=0)
    make_entry(draft, condition=condition, heading="A slipped disc", group="Spine")
    entry = first_entry(draft)
    assert (entry.heading, entry.group, entry.condition.name) == ("A slipped disc", "Spine", condition.name)


def test_entry_says_itself_how_soon_to_act_or_takes_it_from_its_condition() -> None:
    condition = make_condition(urgency=Urgency.URGENT)
    publish_draft(condition)
    draft = make_article(conditions=[condition], own_entries=1)
    assert [entry.urgency for entry in draft.build().entries] == [Urgency.URGENT, None]
    draft.entries.update(urgency=Urgency.EMERGENCY)
    assert [entry.urgency for entry in fresh(draft).build().entries] == [Urgency.EMERGENCY] * 2


def test_entry_of_an_unpublished_condition_needs_words_of_its_own() -> None:
    condition = make_condition()
    draft = make_article(conditions=[condition], own_entries=0)
    assert first_entry(draft).text == ""
    assert first_entry(draft).condition.edition == 0
    with pytest.raises(Blocked, match="no text of its own"):
        publish_draft(draft)
    draft.entries.update(text="<p>Own words.</p>")
    publish_draft(draft)
    mention = draft.publication.mentions.get()
    assert (mention.condition, mention.edition) == (condition.publication, None)


def test_unpublished_library_words_never_reach_a_document() -> None:
    condition = make_condition()
    publish_draft(condition)
    draft = make_article(conditions=[condition])
    reword(condition, "a secret of the draft")
    assert "a secret of the draft" not in fresh(draft).build().canonical()


def test_entry_of_a_withdrawn_condition_keeps_its_pinned_text() -> None:
    condition = make_condition()
    publish_draft(condition)
    draft = make_article(conditions=[condition])
    before = fresh(draft).build()
    withdraw(publication=condition.publication, by=make_user(), reason=REASON)
    for entry in draft.entries.all():
        entry.save()
    assert fresh(draft).build() == before
    publish_draft(draft)


def test_withdrawn_condition_gives_nothing_to_a_new_entry() -> None:
    condition = make_condition()
    publish_draft(condition)
    withdraw(publication=condition.publication, by=make_user(), reason=REASON)
    entry = first_entry(make_article(conditions=[condition]))
    assert (entry.text, entry.condition.edition) == ("", 0)


def test_new_library_edition_changes_nothing_until_the_pin_is_moved() -> None:
    condition = make_condition()
    first = publish_draft(condition)
    draft = make_article(conditions=[condition])
    published = publish_draft(draft)
    second = publish_draft(reword(condition))
    entry = draft.entries.select_related("condition__publication").get(condition=condition)
    entry.save()
    assert (entry.pin, entry.newer_edition) == (first, second)
    assert fresh(draft).build().fingerprint() == published.fingerprint
    entry.pin = second
    entry.save()
    assert fresh(entry).newer_edition is None
    changed = first_entry(draft)
    assert (changed.text, changed.condition.edition) == (fresh(condition).what_it_is, 2)


def test_another_condition_brings_another_pin() -> None:
    one, two, unpublished = make_condition("One"), make_condition("Two"), make_condition("Three")
    publish_draft(one)
    second = publish_draft(two)
    draft = make_article(conditions=[one], own_entries=0)
    entry = draft.entries.get()
    entry.condition = fresh(two)
    entry.save()
    assert fresh(entry).pin == second
    entry.condition = fresh(unpublished)
    entry.save()
    assert fresh(entry).pin is None
    entry.condition = None
    entry.save()
    assert first_entry(draft).condition is None


def test_pinned_edition_and_named_condition_are_protected() -> None:
    condition = make_condition()
    edition = publish_draft(condition)
    make_article(conditions=[condition])
    with pytest.raises(ProtectedError):
        condition.delete()
    with pytest.raises(ProtectedError):
        Edition.objects.filter(pk=edition.pk).delete()


def test_library_text_brings_its_sources_even_if_the_site_lost_them() -> None:
    make_citation("library-source")
    condition = make_condition(treatment="<p>Rest [@library-source].</p>")
    publish_draft(condition)
    Citation.objects.filter(key="library-source").delete()
    draft = make_article(conditions=[condition])
    assert [source.key for source in draft.build().citations] == ["guideline-a", "library-source"]
    publish_draft(draft)


def test_source_that_the_site_corrected_is_taken_from_the_site() -> None:
    condition = make_condition()
    publish_draft(condition)
    Citation.objects.update(title="Corrected title")
    draft = make_article(conditions=[condition], own_entries=0)
    assert [source.title for source in draft.build().citations] == ["Corrected title"]


def test_entry_shows_its_own_picture_else_that_of_the_library_text() -> None:
    of_library, own = make_picture("teal"), make_picture("gold")
    condition = make_condition(picture=of_library)
    publish_draft(condition)
    draft = make_article(conditions=[condition], own_entries=0)
    assert first_entry(draft).picture.content_hash == of_library.content_hash
    draft.entries.update(picture=own)
    assert first_entry(draft).picture.content_hash == own.content_hash
    draft.entries.update(picture=None, text="<p>Own words.</p>")
    assert first_entry(draft).picture is None


def test_library_texts_cost_the_same_queries_for_few_entries_as_for_many(
    django_assert_max_num_queries: Any,
) -> None:
    conditions = [make_condition(f"Condition {number}") for number in range(12)]
    for condition in conditions:
        publish_draft(condition)
    draft = make_article(conditions=conditions, own_entries=0)
    draft = Article.objects.select_related("publication").get(pk=draft.pk)
    with django_assert_max_num_queries(8):
        assert len(draft.build().entries) == 12


# --- The document ----------------------------------------------------------------------------------------------


def test_parts_are_in_the_order_of_their_positions_then_of_their_making() -> None:
    draft = make_article(own_entries=3, tips=3, signs=3, sections=3)
    for parts in (draft.entries, draft.tips, draft.warning_signs, draft.sections):
        parts.filter(position__gt=1).update(position=0)
    document = fresh(draft).build()
    assert [entry.heading for entry in document.entries] == ["Own entry 2", "Own entry 3", "Own entry 1"]
    assert [tip.name for tip in document.tips] == ["Tip 2", "Tip 3", "Tip 1"]
    assert [sign.text[-1] for sign in document.warning_signs] == ["2", "3", "1"]
    assert [section.heading[-1] for section in document.sections] == ["2", "3", "1"]


def test_empty_draft_builds_a_document() -> None:
    draft = make_article("", own_entries=0, tips=0, signs=0, sections=0, authors=False, summary="", intro="")
    assert draft.build().title == ""


def test_headings_have_good_defaults() -> None:
    document = make_article().build()
    assert document.entries_heading == "1 condition"
    assert document.tips_heading == "How to prevent back pain"
    assert document.warning_signs_heading == "When to see a doctor"
    assert document.conclusion_heading == "Conclusion"
    assert make_article("Two", own_entries=2).build().entries_heading == "2 conditions"


def test_headings_can_be_overridden() -> None:
    document = make_article(
        entries_heading="16 causes",
        tips_heading="Look after it",
        warning_signs_heading="Get help",
        conclusion_heading="In short",
        topic="",
    ).build()
    assert document.entries_heading == "16 causes"
    assert document.tips_heading == "Look after it"
    assert document.warning_signs_heading == "Get help"
    assert document.conclusion_heading == "In short"
    assert make_article("Another", topic="").build().tips_heading == "Prevention"


def test_document_keeps_the_names_of_people_as_they_were() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    person = make_contributor()
    person.name, person.credentials = "Ada Married", "PhD"
    person.save()
    recorded = edition.document().authors[0]
    assert (recorded.uuid, recorded.name, recorded.credentials) == (str(person.uuid), "Ada Author", "MSc")


def test_origin_is_there_once_it_is_named() -> None:
    assert make_article().build().origin is None
    origin = make_article(
        "Syndicated",
        origin_name="Another site",
        origin_url="https://origin.example/a",
        origin_published=date(2025, 12, 1),
        origin_licence="CC BY 4.0",
    ).build().origin  # fmt: skip
    assert origin
    assert (origin.name, origin.published, origin.licence) == ("Another site", "2025-12-01", "CC BY 4.0")


# --- Bringing a text back ----------------------------------------------------------------------------------------


def rich_article() -> Article:
    """An article that uses every field and every kind of entry."""
    one, two, unpublished = (
        make_condition("One", picture=make_picture("teal")),
        make_condition("Two"),
        make_condition("Three"),
    )
    publish_draft(one)
    publish_draft(two)
    publish_draft(reword(two))
    original = make_article("Original")
    draft = make_article(
        conditions=[one, two],
        own_entries=2,
        tips=3,
        signs=3,
        sections=2,
        picture=make_picture("gold"),
        entries_heading="All the causes",
        emergency_heading="Call now if",
        warning_signs_intro="<p>Do not wait.</p>",
        tips_intro="<p>Habits help.</p>",
        note="<p>A note.</p>",
        ai="None",
        origin_name="Another site",
        origin_url="https://origin.example/a",
        origin_title="Their title",
        origin_author="Their author",
        origin_published=date(2025, 12, 1),
        origin_licence="CC BY 4.0",
        translation_of=original.publication,
    )
    make_entry(draft, condition=unpublished, text="<p>Own.</p>", treatment="<p>Own.</p>", group="Others")
    make_entry(draft, condition=one, heading="Own heading", treatment="<p>Own treatment.</p>", urgency=Urgency.URGENT)
    make_entry(draft, condition=two, text="<p>Own text.</p>", picture=make_picture("navy"))
    draft.authors.add(make_contributor("Second Author"))
    made: Article = fresh(draft)
    return made


def empty(draft: Article) -> Article:
    for parts in (draft.entries, draft.sections, draft.tips, draft.warning_signs):
        parts.all().delete()
    Article.objects.filter(pk=draft.pk).update(
        title="Other", summary="", topic="", intro="", picture=None, entries_heading="", emergency_heading="",
        note="", conclusion="", origin_name="", origin_url="", origin_published=None, funding="", conflicts="",
        ai="", translation_of=None, kind="plain", tips_intro="", warning_signs_intro="",
    )  # fmt: skip
    draft.authors.clear()
    emptied: Article = fresh(draft)
    return emptied


def test_bringing_back_gives_the_very_same_text() -> None:
    draft = rich_article()
    document = snapshot_of(draft).document()
    draft = empty(draft)
    assert draft.build() != document
    draft_from(document=document, draft=draft, by=None)
    assert fresh(draft).build() == document
    assert Article.objects.get(pk=draft.pk).fingerprint == document.fingerprint()


def test_bringing_back_keeps_the_pins_of_then() -> None:
    condition = make_condition(picture=make_picture(), urgency=Urgency.URGENT)
    first = publish_draft(condition)
    draft = make_article(conditions=[condition], own_entries=0)
    document = snapshot_of(draft).document()
    condition.name = "Renamed meanwhile"
    condition.save()
    publish_draft(condition)
    draft = empty(draft)
    draft_from(document=document, draft=draft, by=None)
    entry = ArticleEntry.objects.get(article=draft)
    assert (entry.pin, entry.text, entry.treatment, entry.heading) == (first, "", "", "")
    assert (entry.picture, entry.urgency) == (None, ""), "they stay the library's"
    assert fresh(draft).build() == document


def test_bringing_back_keeps_a_heading_that_became_the_name_of_its_condition() -> None:
    condition = make_condition("Slipped disc")
    publish_draft(condition)
    draft = make_article(own_entries=0)
    make_entry(draft, condition=condition, heading="Herniated disc")
    document = snapshot_of(draft).document()
    condition.name = "Herniated disc"
    condition.save()
    draft = empty(draft)
    draft_from(document=document, draft=draft, by=None)
    assert fresh(draft).build().entries[0].heading == "Herniated disc"


def test_bringing_back_does_not_pin_what_was_unpublished_then() -> None:
    condition = make_condition()
    draft = make_article(own_entries=0)
    make_entry(draft, condition=condition, text="<p>Own.</p>", treatment="<p>Own.</p>")
    document = snapshot_of(draft).document()
    publish_draft(condition)
    draft = fresh(draft)
    draft_from(document=document, draft=draft, by=None)
    assert fresh(draft).build() == document


def test_bringing_back_keeps_default_headings_following_the_topic() -> None:
    draft = make_article(topic="back pain")
    document = snapshot_of(draft).document()
    draft_from(document=document, draft=draft, by=None)
    draft = fresh(draft)
    assert (draft.tips_heading, draft.entries_heading) == ("", "")
    draft.topic = "neck pain"
    draft.save()
    assert fresh(draft).build().tips_heading == "How to prevent neck pain"


def test_page_is_brought_back() -> None:
    make_citation()
    draft = make_page(text="<p>We cite [@guideline-a].</p>")
    document = snapshot_of(draft).document()
    draft.title, draft.summary = "Other", ""
    draft = reword(draft)
    draft_from(document=document, draft=draft, by=None)
    assert fresh(draft).build() == document
    assert [source.key for source in document.citations] == ["guideline-a"]


# --- Announcements -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "ends", "shows"),
    [(-1, None, True), (-2, -1, False), (-1, 1, True), (1, None, False), (1, 2, False)],
)
def test_announcement_shows_from_its_start_to_its_end(starts: int, ends: int | None, shows: bool) -> None:
    now = timezone.now()
    Announcement.objects.create(
        text="Read this",
        starts_at=now + timedelta(hours=starts),
        ends_at=None if ends is None else now + timedelta(hours=ends),
    )
    assert Announcement.objects.showing().exists() == shows


@pytest.mark.parametrize("fields", [{"ends_at": timezone.now() - timedelta(days=1)}, {"link": "https://a.example/"}])
def test_announcement_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Announcement.objects.create(text="Read this", **fields)

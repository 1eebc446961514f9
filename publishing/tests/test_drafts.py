"""Saving, bringing back and deleting drafts, and keeping their texts."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from blog.models import Article
from config.tests.factories import (
    FIRST_WORDS,
    NEW_WORDS,
    fresh,
    make_article,
    make_condition,
    make_picture,
    make_user,
    publish_draft,
    reword,
    snapshot_of,
)
from publishing.models import Publication, Snapshot, StoredDocument
from publishing.services import (
    Refused,
    Stale,
    claim_version,
    delete_draft,
    draft_from,
    free_slug,
    settle_draft,
    store_document,
    take_snapshot,
)

pytestmark = pytest.mark.django_db


# --- Two people save ---------------------------------------------------------------------------------------------


def test_save_takes_the_next_version_and_says_who() -> None:
    draft = make_article()
    claim_version(draft=draft, opened_at=1, by=make_user("first"))
    assert (draft.version, draft.changed_by) == (2, make_user("first"))
    assert (fresh(draft).version, fresh(draft).changed_by) == (2, make_user("first"))


def test_of_two_saves_from_one_version_the_second_is_refused() -> None:
    draft, same = make_article(), None
    same = fresh(draft)
    claim_version(draft=draft, opened_at=1, by=make_user("first"))
    with pytest.raises(Stale):
        claim_version(draft=same, opened_at=1, by=make_user("second"))
    assert (fresh(draft).version, fresh(draft).changed_by) == (2, make_user("first"))
    claim_version(draft=same, opened_at=2, by=make_user("second"))


def test_settled_draft_knows_whether_it_says_what_is_live() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    assert fresh(draft).fingerprint == edition.fingerprint
    draft = reword(draft)
    assert Article.objects.get().fingerprint == draft.build().fingerprint() != edition.fingerprint


# --- Bringing an older text back -----------------------------------------------------------------------------------


def test_bringing_back_keeps_what_the_draft_said_as_history() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    draft = reword(draft)
    draft_from(document=edition.document(), draft=draft, by=make_user())
    history = Snapshot.objects.get(purpose=Snapshot.Purpose.HISTORY)
    assert NEW_WORDS in history.document().canonical()
    assert FIRST_WORDS in fresh(draft).intro
    draft = fresh(draft)
    assert (draft.fingerprint, draft.version) == (edition.fingerprint, 2)
    draft_from(document=history.document(), draft=draft, by=make_user())
    assert NEW_WORDS in fresh(draft).intro


def test_bringing_back_never_overwrites_a_save_it_has_not_seen() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    seen = fresh(draft)
    other = fresh(draft)
    claim_version(draft=other, opened_at=1, by=make_user("second"))
    reword(other)
    with pytest.raises(Stale):
        draft_from(document=edition.document(), draft=seen, by=make_user())
    assert NEW_WORDS in fresh(draft).intro
    assert fresh(draft).version == 2


# --- Deleting ------------------------------------------------------------------------------------------------------


def test_draft_that_was_never_frozen_is_deleted_with_its_address() -> None:
    draft = make_article(tips=2, signs=2)
    delete_draft(draft=draft)
    assert not Article.objects.exists()
    assert not Publication.objects.exists()


def test_draft_that_is_on_record_is_kept() -> None:
    draft = make_article()
    snapshot_of(draft)
    with pytest.raises(Refused, match="stays on record"):
        delete_draft(draft=draft)
    published = make_article("Published")
    publish_draft(published)
    with pytest.raises(Refused, match="stays on record"):
        delete_draft(draft=published)
    assert Article.objects.count() == 2


def test_condition_that_an_article_names_is_kept() -> None:
    condition = make_condition()
    make_article(conditions=[condition])
    with pytest.raises(Refused, match="Articles still name this"):
        delete_draft(draft=condition)
    assert fresh(condition).tips.exists()


# --- Stored documents ----------------------------------------------------------------------------------------------


def test_same_words_are_stored_once() -> None:
    document = make_article().build()
    assert store_document(document) == store_document(document)
    stored = StoredDocument.objects.get()
    assert (stored.pk, stored.canonical, stored.kind) == (
        document.fingerprint(),
        document.canonical(),
        "article",
    )
    assert stored.read() == document


def test_snapshots_of_the_same_words_share_them() -> None:
    draft = make_article()
    first, second = snapshot_of(draft), snapshot_of(draft)
    assert first.pk != second.pk
    assert first.fingerprint == second.fingerprint
    assert StoredDocument.objects.count() == 1


def test_snapshot_records_who_took_it_and_cuts_a_long_note() -> None:
    draft = make_article()
    snapshot = take_snapshot(
        publication=draft.publication,
        document=draft.build(),
        purpose=Snapshot.Purpose.LINK,
        by=make_user("writer", first_name="Wim", last_name="Writer"),
        note="n" * 400,
    )
    assert (snapshot.taken_by_name, len(snapshot.note)) == ("Wim Writer", 300)
    assert take_snapshot(
        publication=draft.publication, document=draft.build(), purpose=Snapshot.Purpose.LINK, by=None
    ).pk


def test_pictures_of_a_stored_document_cannot_be_deleted() -> None:
    lead, of_entry = make_picture("teal"), make_picture("gold")
    draft = make_article(picture=lead)
    draft.entries.update(picture=of_entry)
    snapshot_of(draft)
    draft = fresh(draft)
    draft.picture = None
    draft.save()
    draft.entries.update(picture=None)
    for picture in (lead, of_entry):
        with pytest.raises(ProtectedError):
            picture.delete()
    assert {row.picture for row in StoredDocument.objects.get().storedpicture_set.all()} == {lead, of_entry}


# --- Addresses for new drafts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "slug"),
    [("Back Pain: 16 causes", "back-pain-16-causes"), ("???", "article"), ("x" * 300, "x" * 110)],
)
def test_address_is_made_from_the_title(text: str, slug: str) -> None:
    assert free_slug("article", text) == slug


def test_address_that_is_or_was_taken_gets_a_number() -> None:
    make_article("Back pain")
    publication = make_article("Back pain").publication
    assert publication.slug == "back-pain-2"
    publication.former_slugs.create(kind="article", slug="back-pain-3")
    assert free_slug("article", "Back pain") == "back-pain-4"
    assert free_slug("condition", "Back pain") == "back-pain"


def test_two_publications_of_a_kind_never_share_an_address() -> None:
    make_article(slug="taken")
    make_condition(slug="taken")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_article(slug="taken")


def test_settling_is_what_makes_lists_know_and_changes_no_version() -> None:
    draft = make_article()
    Article.objects.update(fingerprint="")
    document = settle_draft(draft)
    assert Article.objects.get().fingerprint == document.fingerprint()
    assert Article.objects.get().version == 1

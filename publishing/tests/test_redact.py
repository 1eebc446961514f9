"""redact(): a text goes for good, and its reason stays."""

import pytest

from config.tests.factories import (
    REASON,
    fresh,
    make_article,
    make_condition,
    make_entry,
    make_picture,
    make_user,
    publish_draft,
    reword,
    sign,
    snapshot_of,
)
from images.models import Picture
from publishing.models import Edition, Generation, Level, Redacted, Redaction, Snapshot, StoredDocument
from publishing.services import Refused, draft_from, publish, redact, restore, sign_off, store_document

pytestmark = pytest.mark.django_db


def test_text_is_gone_and_its_rows_say_why() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    report = redact(fingerprint=edition.fingerprint, by=make_user(), reason=f" {REASON} ")
    assert not StoredDocument.objects.filter(pk=edition.fingerprint).exists()
    with pytest.raises(Redacted) as raised:
        fresh(edition).document()
    assert raised.value.redaction == report.redaction == Redaction.objects.get()
    assert (report.redaction.reason, report.redaction.redacted_by_name) == (REASON, "editor")
    assert Edition.objects.filter(pk=edition.pk).exists()


def test_live_text_is_withdrawn_with_the_reason() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    before = Generation.objects.get().number
    report = redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)
    publication = fresh(draft.publication)
    assert report.withdrawn == [publication]
    assert (publication.is_withdrawn, publication.withdrawn_reason) == (True, REASON)
    assert (publication.title, publication.summary, publication.other_names) == (draft.title, "", [])
    assert Generation.objects.get().number > before


def test_other_editions_stay_live_and_readable() -> None:
    draft = make_article()
    first = publish_draft(draft)
    second = publish_draft(reword(draft))
    report = redact(fingerprint=first.fingerprint, by=make_user(), reason=REASON)
    publication = fresh(draft.publication)
    assert report.withdrawn == []
    assert publication.live == second
    assert publication.summary
    assert publication.live.document().fingerprint() == second.fingerprint


def test_every_edition_of_the_same_words_is_redacted() -> None:
    draft = make_article()
    first = publish_draft(draft)
    words = draft.intro
    publish_draft(reword(draft))
    draft = fresh(draft)
    draft.intro = words
    draft.save()
    third = publish_draft(draft)
    assert first.fingerprint == third.fingerprint
    redact(fingerprint=first.fingerprint, by=make_user(), reason=REASON)
    for edition in (first, third):
        with pytest.raises(Redacted):
            fresh(edition).document()
    assert fresh(draft.publication).is_withdrawn


def test_same_words_cannot_be_kept_again() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)
    with pytest.raises(Refused, match="redacted"):
        snapshot_of(draft)
    with pytest.raises(Refused, match="redacted"):
        store_document(draft.build())
    snapshot_of(reword(draft))


def test_redacted_snapshot_can_neither_be_signed_nor_published() -> None:
    draft = make_article()
    snapshot = snapshot_of(draft)
    record = sign(draft)
    assert record.signed_by is not None
    redact(fingerprint=snapshot.fingerprint, by=make_user(), reason=REASON)
    with pytest.raises(Redacted):
        publish(snapshot=snapshot, by=make_user(), level=Level.MAJOR, note="n")
    with pytest.raises(Redacted):
        sign_off(
            snapshot=snapshot,
            reviewer=record.reviewer,
            by=record.signed_by,
            valid_until=record.valid_until,
            statement="ok",
        )
    assert record.__class__.objects.filter(pk=record.pk).exists(), "who signed stays on record"


def test_redacted_text_cannot_be_made_live_again() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)
    with pytest.raises(Redacted):
        restore(publication=fresh(draft.publication), by=make_user())
    assert fresh(draft.publication).is_withdrawn


def test_an_older_text_can_be_brought_back_although_the_draft_holds_redacted_words() -> None:
    draft = make_article()
    first = publish_draft(draft)
    draft = reword(draft)
    second = publish_draft(draft)
    redact(fingerprint=second.fingerprint, by=make_user(), reason=REASON)
    draft = fresh(draft)
    draft_from(document=first.document(), draft=draft, by=make_user())
    assert fresh(draft).fingerprint == first.fingerprint
    assert not Snapshot.objects.filter(purpose=Snapshot.Purpose.HISTORY).exists()
    assert publish_draft(fresh(draft)).number == 3


def test_redacting_needs_a_reason_and_a_text() -> None:
    edition = publish_draft(make_article())
    with pytest.raises(Refused, match="Say why"):
        redact(fingerprint=edition.fingerprint, by=make_user(), reason=" ")
    with pytest.raises(Refused, match="no such text"):
        redact(fingerprint="0" * 64, by=make_user(), reason=REASON)
    redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)
    with pytest.raises(Refused, match="no such text"):
        redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)
    assert Redaction.objects.count() == 1


def test_articles_that_copied_the_library_text_are_listed_and_stay_live() -> None:
    condition, other = make_condition("One"), make_condition("Two")
    first = publish_draft(condition)
    publish_draft(other)
    copying, not_copying = make_article("Copies", conditions=[condition]), make_article("No", conditions=[other])
    edition = publish_draft(copying)
    publish_draft(not_copying)
    waiting = snapshot_of(reword(copying))
    publish_draft(reword(condition))
    newer = make_article("Shows the newer one", conditions=[condition])
    publish_draft(newer)
    report = redact(fingerprint=first.fingerprint, by=make_user(), reason=REASON)
    editions = {copy for copy in report.copies if isinstance(copy, Edition)}
    snapshots = {copy for copy in report.copies if isinstance(copy, Snapshot)}
    assert editions == {edition}
    assert {snapshot.pk for snapshot in snapshots} >= {waiting.pk}
    assert {snapshot.publication for snapshot in snapshots} == {copying.publication}
    assert fresh(copying.publication).is_live


def test_entry_of_a_redacted_library_text_needs_other_words() -> None:
    condition = make_condition()
    edition = publish_draft(condition)
    draft = make_article(conditions=[condition])
    redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)
    entry = fresh(draft).build().entries[0]
    assert (entry.text, entry.treatment, entry.library_text, entry.library_treatment) == ("", "", False, False)


def test_picture_of_a_redacted_text_is_protected_no_longer() -> None:
    picture = make_picture()
    draft = make_article(picture=picture)
    edition = publish_draft(draft)
    assert picture.stored_in.exists()
    redact(fingerprint=edition.fingerprint, by=make_user(), reason=REASON)
    assert not fresh(picture).stored_in.exists()
    draft = fresh(draft)
    draft.picture = None
    draft.save()
    picture.delete()
    assert not Picture.objects.exists()


def test_entry_pinned_to_a_redacted_edition_can_pin_another() -> None:
    condition = make_condition()
    first = publish_draft(condition)
    draft = make_article()
    entry = make_entry(draft, condition=condition)
    redact(fingerprint=first.fingerprint, by=make_user(), reason=REASON)
    second = publish_draft(reword(condition))
    entry = fresh(entry)
    entry.pin = second
    entry.save()
    assert fresh(draft).build().entries[-1].library_text

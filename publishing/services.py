"""Every write over several rows that changes what is on record or what the public sees.

All are atomic and keyword-only, lock the publication they are about, and end by raising the generation, which
tells caches that something public may have changed.

`at` says when something was done that is only now brought in, with the record of another site for example; left
out, it is done now.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from taggit.models import Tag

from images.models import Picture
from publishing.comparison import Change, compare
from publishing.documents import Document, fingerprint
from publishing.findings import Context, Finding
from publishing.kinds import kinds
from publishing.models import (
    Citation,
    Contribution,
    Contributor,
    Draft,
    Edition,
    Fingerprinted,
    FormerSlug,
    FormerTag,
    Generation,
    Level,
    Mention,
    Publication,
    Redacted,
    Redaction,
    Revocation,
    Schedule,
    SignOff,
    SiteSettings,
    Snapshot,
    StoredDocument,
    StoredPicture,
    TaggedPublication,
    Trust,
)
from publishing.signals import public_changed

log = logging.getLogger(__name__)

REVIEW_COLUMNS = ("trust", "trust_until", "reviewed_on", "reviewer", "reviewer_name")


class Refused(Exception):
    """The service did nothing; the message is a sentence for the person who asked."""


class Blocked(Refused):
    """Blocking findings stand in the way of publication."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(_("This cannot be published yet: %s") % " ".join(f.sentence for f in findings))
        self.findings = findings


class MinorRefused(Refused):
    """A minor edition may not touch warning signs, treatments or citations."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__(
            _("This changes warning signs, treatments or sources, so it is a major edition and needs a new review.")
        )
        self.changes = changes


class Stale(Refused):
    """Somebody else saved in the meantime."""


# --- Drafts ----------------------------------------------------------------------------------------------------


def free_slug(kind: str, text: str) -> str:
    """An address made from the text that no publication of the kind has or had."""
    base = slugify(text)[:110] or kind
    slug, number = base, 2
    while (
        Publication.objects.filter(kind=kind, slug=slug).exists()
        or FormerSlug.objects.filter(kind=kind, slug=slug).exists()
    ):
        slug, number = f"{base}-{number}", number + 1
    return slug


@transaction.atomic
def claim_version(*, draft: Draft, opened_at: int, by: User | None) -> None:
    """Take the next version of a draft for a save that began at version `opened_at`.

    Compare-and-set, so of two saves from the same version one wins. Raises Stale for the other; what the winner
    had replaced stays as it is.
    """
    taken = type(draft)._default_manager.filter(pk=draft.pk, version=opened_at)
    if not taken.update(version=F("version") + 1, changed_at=timezone.now(), changed_by=by):
        raise Stale(_("Somebody else saved this while you were writing."))
    draft.refresh_from_db(fields=["version", "changed_at", "changed_by"])


def settle_draft(draft: Draft) -> Document:
    """Note what the draft says now, after its last row was saved, so that lists can tell it from what is live."""
    document = draft.build()
    draft.fingerprint = document.fingerprint()
    type(draft)._default_manager.filter(pk=draft.pk).update(fingerprint=draft.fingerprint)
    return document


@transaction.atomic
def draft_from(*, document: Document, draft: Draft, by: User | None) -> None:
    """Bring an older text back into the draft. What the draft said is kept as a snapshot first.

    Raises Stale where somebody saved the draft since it was read.
    """
    claim_version(draft=draft, opened_at=draft.version, by=by)
    # A draft that still holds redacted words cannot be kept, and going back is the way to be rid of them.
    with suppress(Refused):
        keep_history(draft=draft, by=by, note=_("Before an older text was brought back"))
    draft.load(document)
    settle_draft(draft)


def keep_history(*, draft: Draft, by: User | None, note: str) -> Snapshot:
    return take_snapshot(
        publication=draft.publication,
        document=draft.build(),
        purpose=Snapshot.Purpose.HISTORY,
        by=by,
        note=note,
    )


@transaction.atomic
def delete_draft(*, draft: Draft) -> None:
    """Delete a draft that was never public, with its address. Raises Refused for any other, or one that is in use."""
    publication = _lock(draft.publication)
    if publication.first_published or publication.snapshots.exists():
        raise Refused(_("This was published or sent for review before, so it stays on record. Withdraw it instead."))
    try:
        with transaction.atomic():
            draft.delete()
            publication.delete()
    except ProtectedError as error:
        raise Refused(_("Articles still name this. Take it out of them first.")) from error


# --- Snapshots and sign-offs -----------------------------------------------------------------------------------


@transaction.atomic
def store_document(document: Document) -> StoredDocument:
    """Keep the canonical text of a document; the same words are kept once. Raises Refused for redacted words."""
    return store_canonical(document.canonical(), document)


@transaction.atomic
def store_canonical(canonical: str, document: Document, *, at: datetime | None = None) -> StoredDocument:
    """Keep a canonical text as it is, and the pictures of the document that was read from it.

    Raises Refused for redacted words.
    """
    key = fingerprint(canonical)
    stored = StoredDocument.objects.filter(pk=key).first()
    if stored:
        return stored
    if Redaction.objects.filter(fingerprint=key).exists():
        raise Refused(_("Exactly this text was redacted, so it cannot be kept again. Change it first."))
    try:
        with transaction.atomic():
            stored = StoredDocument.objects.create(
                fingerprint=key, kind=document.kind, canonical=canonical, stored_at=at or timezone.now()
            )
    except IntegrityError:  # somebody stored the same words just now
        return StoredDocument.objects.get(pk=key)
    hashes = {picture.content_hash for _place, picture in document.pictures()}
    StoredPicture.objects.bulk_create(
        StoredPicture(document=stored, picture=picture) for picture in Picture.objects.filter(content_hash__in=hashes)
    )
    return stored


@transaction.atomic
def take_snapshot(
    *,
    publication: Publication,
    document: Document,
    purpose: Snapshot.Purpose,
    by: User | None,
    note: str = "",
    at: datetime | None = None,
) -> Snapshot:
    """Freeze a text without making it public."""
    return Snapshot.objects.create(
        publication=publication,
        fingerprint=store_document(document).pk,
        purpose=purpose,
        note=note[:300],
        taken_at=at or timezone.now(),
        taken_by=by,
        taken_by_name=name_of(by),
    )


@transaction.atomic
def sign_off(
    *,
    snapshot: Snapshot,
    reviewer: Contributor,
    by: User,
    valid_until: date,
    statement: str,
    at: datetime | None = None,
) -> SignOff:
    """Record that a clinician approved exactly the words of a snapshot.

    Raises Refused where the reviewer is not medically qualified on that day, is an author of the text (check C03),
    is not the person who is logged in, or `valid_until` is not within the three years after it (check C05).
    """
    today = timezone.localdate(at)
    document = snapshot.document()
    if reviewer.user_id != by.pk:
        raise Refused(_("Only %s can sign for %s.") % (reviewer.name, reviewer.name))
    if not reviewer.may_sign_on(today):
        raise Refused(_("%s has no valid medical credentials on record, so cannot sign.") % reviewer.name)
    if str(reviewer.uuid) in {author.uuid for author in document.authors}:
        raise Refused(_("%s is an author of this text. Somebody else has to review it.") % reviewer.name)
    if not today < valid_until <= add_months(today, 36):
        raise Refused(_("A review holds until a day within the next three years."))
    publication = _lock(snapshot.publication)
    record = SignOff.objects.create(
        fingerprint=snapshot.fingerprint,
        publication=publication,
        reviewer=reviewer,
        reviewer_name=str(reviewer),
        statement=statement,
        signed_at=at or timezone.now(),
        signed_by=by,
        valid_until=valid_until,
    )
    refresh_trust(publication)
    return record


@transaction.atomic
def revoke(*, sign_off: SignOff, by: User, reason: str) -> Revocation:
    """Take a sign-off back; it stays on record. Raises Refused without a reason or the second time."""
    if not reason.strip():
        raise Refused(_("Say why the review is taken back."))
    publication = _lock(sign_off.publication)
    if Revocation.objects.filter(sign_off=sign_off).exists():
        raise Refused(_("This review was taken back before."))
    record = Revocation.objects.create(sign_off=sign_off, reason=reason, revoked_by=by, revoked_by_name=name_of(by))
    refresh_trust(publication)
    return record


def valid_sign_offs(publication: Publication, fingerprints: Iterable[str]) -> list[SignOff]:
    """Sign-offs of these texts that nobody took back, the newest first; an expired one is among them."""
    return list(
        SignOff.objects.filter(
            publication=publication, fingerprint__in=list(fingerprints), revocation=None
        ).select_related("reviewer")
    )


@dataclass(frozen=True)
class Review:
    """What may be said of the review of an edition; the fields are the trust columns of a publication."""

    trust: Trust = Trust.NOT_REVIEWED
    trust_until: date | None = None
    reviewed_on: date | None = None
    reviewer: Contributor | None = None
    reviewer_name: str = ""


def review_of(publication: Publication, edition: Edition) -> Review:
    """What the page of an edition may say of its review today (rule 3).

    A sign-off covers its text and the minor editions after it, up to the next major one.
    """
    major = publication.editions.filter(level=Level.MAJOR, number__lte=edition.number).order_by("-number").first()
    covered = publication.editions.filter(number__gte=major.number if major else 1, number__lte=edition.number)
    signed = valid_sign_offs(publication, {edition.fingerprint, *covered.values_list("fingerprint", flat=True)})
    if not signed:
        return Review()
    today = timezone.localdate()
    best = max(
        signed,
        key=lambda record: (record.valid_until >= today, record.fingerprint == edition.fingerprint, record.signed_at),
    )
    trust = Trust.REVIEWED if best.fingerprint == edition.fingerprint else Trust.MINOR_CHANGES
    return Review(
        trust=trust if best.valid_until >= today else Trust.OVERDUE,
        trust_until=best.valid_until,
        reviewed_on=timezone.localdate(best.signed_at),
        reviewer=best.reviewer,
        reviewer_name=best.reviewer_name,
    )


def refresh_trust(publication: Publication) -> None:
    """Write what the page may say of its review, and raise the generation if that has changed."""
    if write_trust(publication):
        raise_generation()


def write_trust(publication: Publication) -> bool:
    """Write what the page may say of its review: the only writer of the trust columns. Whether they have changed."""
    before = _trust_columns(publication)
    review = review_of(publication, publication.live) if publication.live else Review()
    for column in REVIEW_COLUMNS:
        setattr(publication, column, getattr(review, column))
    if _trust_columns(publication) == before:
        return False
    publication.save(update_fields=REVIEW_COLUMNS)
    Contribution.objects.filter(publication=publication, role=Contribution.Role.REVIEWER).delete()
    if publication.reviewer:
        Contribution.objects.create(
            publication=publication, contributor=publication.reviewer, role=Contribution.Role.REVIEWER
        )
    return True


def refresh_due_trust() -> int:
    """Turn reviews whose last day has passed into overdue ones. Returns how many pages changed. Twice is harmless."""
    due = Publication.objects.live().filter(
        trust__in=[Trust.REVIEWED, Trust.MINOR_CHANGES], trust_until__lt=timezone.localdate()
    )
    count = 0
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            refresh_trust(_lock_pk(pk))
        count += 1
    return count


# --- Publishing ------------------------------------------------------------------------------------------------


def findings_for(
    document: Document, publication: Publication, *, fingerprint: str = "", level: Level | None = None
) -> list[Finding]:
    """What the checks say of a text at this address today; blocking ones first.

    `fingerprint` is the stored one where the document was read from a stored text: it is what was signed, and a
    new dump has another once the schema was raised. `level` is that of the edition it is to be, where that is
    known: a minor edition is covered by the review of what is live (rule 3).
    """
    mentioned = {mention.uuid: 0 for mention in document.mentions()}
    if mentioned:
        live = Publication.objects.live().filter(uuid__in=mentioned)
        mentioned |= {str(uuid): number for uuid, number in live.values_list("uuid", "live__number")}
    today = timezone.localdate()
    original = original_of(document.columns().translation_of)
    key = fingerprint or document.fingerprint()
    context = Context(
        settings=SiteSettings.load(),
        today=today,
        publication=publication,
        reviewed=any(record.valid_until >= today for record in valid_sign_offs(publication, [key]))
        or (level != Level.MAJOR and _review_covers_minor(document, publication, today)),
        mentioned=mentioned,
        original=original,
        other_translation=original is not None and _has_other_translation(original, publication),
    )
    found = [finding for check in kinds[document.kind].checks for finding in check(document, context)]
    return sorted(found, key=lambda finding: not finding.blocks)


def original_of(uuid: str) -> Publication | None:
    """The publication that a document names as its original; None where it names none, or one that is not there."""
    return Publication.objects.filter(uuid=uuid).first() if uuid else None


def _has_other_translation(original: Publication, publication: Publication) -> bool:
    """Whether the original has a live translation into the publication's language already."""
    others = original.translations.live().filter(language=publication.language).exclude(pk=publication.pk)
    return bool(others.exists())


def _review_covers_minor(document: Document, publication: Publication, today: date) -> bool:
    """Whether the review of what is live would cover this text as a minor edition."""
    until = publication.trust_until
    return until is not None and until >= today and not minor_refused(document, publication)


def changes_since_live(document: Document, publication: Publication) -> list[Change]:
    """What publishing this text would change for readers; empty for a first edition or a redacted one."""
    if publication.live is None:
        return []
    try:
        return compare(publication.live.document(), document)
    except Redacted:
        return []


def minor_refused(document: Document, publication: Publication) -> bool:
    """Whether this text may only be a major edition of what is live."""
    if publication.live is None:
        return True
    try:
        return bool(publication.live.document().clinical() != document.clinical())
    except Redacted:
        return True


@transaction.atomic
def publish(*, snapshot: Snapshot, by: User | None, level: Level, note: str, at: datetime | None = None) -> Edition:
    """Make a snapshot the live edition of its publication.

    Raises Blocked with the findings, MinorRefused, Redacted, or Refused where exactly this text is live, or `at` is
    not between the edition before and now.
    """
    publication = _lock(snapshot.publication)
    document = snapshot.document()
    last = publication.editions.order_by("-number").first()
    if at and (at > timezone.now() or (last and at < last.published_at)):
        raise Refused(_("An edition is published after the one before it, and not in the future."))
    _check_fit(snapshot, document, publication, level, note)
    edition = Edition.objects.create(
        publication=publication,
        fingerprint=snapshot.fingerprint,
        number=last.number + 1 if last else 1,
        level=level,
        note=note.strip(),
        published_at=at or timezone.now(),
        published_by=by,
        published_by_name=name_of(by),
    )
    _go_live(publication, edition, document)
    return edition


def _check_fit(
    snapshot: Snapshot, document: Document, publication: Publication, level: Level, note: str
) -> list[Finding]:
    """The findings of a text that may be published at this level with this note. Raises as publish() does."""
    if publication.live is not None and publication.live.fingerprint == snapshot.fingerprint:
        raise Refused(_("Nothing has changed: exactly this text is live."))
    if level == Level.MINOR and not publication.editions.exists():
        raise Refused(_("The first edition is a major one."))
    findings = findings_for(document, publication, fingerprint=snapshot.fingerprint, level=level)
    if blocking := [finding for finding in findings if finding.blocks]:
        raise Blocked(blocking)
    if publication.editions.exists() and not note.strip():
        raise Refused(_("Write a note that tells readers what changed."))
    if level == Level.MINOR and minor_refused(document, publication):
        raise MinorRefused(changes_since_live(document, publication))
    return findings


@transaction.atomic
def withdraw(*, publication: Publication, by: User | None, reason: str) -> None:
    """Take what is live off the site; its address says so, with the reason. Raises Refused if it is not live."""
    publication = _lock(publication)
    if publication.live is None:
        raise Refused(_("This is not live."))
    if not reason.strip():
        raise Refused(_("Say why it is withdrawn. Readers see this sentence."))
    publication.live = None
    publication.withdrawn_at, publication.withdrawn_by = timezone.now(), by
    publication.withdrawn_reason = reason.strip()
    publication.save(update_fields=["live", "withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    refresh_trust(publication)
    _block_plans(publication, _("The text was withdrawn after this was planned."))
    raise_generation()


@transaction.atomic
def restore(*, publication: Publication, by: User | None) -> Edition:
    """Make the last edition of a withdrawn publication live again. Raises Refused if it is live, or Redacted."""
    publication = _lock(publication)
    if publication.live is not None:
        raise Refused(_("This is live already."))
    edition = publication.editions.order_by("-number").first()
    if edition is None:
        raise Refused(_("This was never published."))
    document = edition.document()
    publication.withdrawn_at, publication.withdrawn_by, publication.withdrawn_reason = None, None, ""
    _go_live(publication, edition, document)
    return edition


def _go_live(publication: Publication, edition: Edition, document: Document) -> None:
    publication.live = edition
    before = publication.originally_published or edition.published_at
    publication.first_published = publication.first_published or min(before, edition.published_at)
    if edition.level == Level.MAJOR or publication.listed_at is None:
        # A first edition is as new as its text: what was published long ago on another site is no news.
        publication.listed_at = publication.first_published if edition.number == 1 else edition.published_at
    publication.withdrawn_at, publication.withdrawn_by, publication.withdrawn_reason = None, None, ""
    show_document(publication, document)
    refresh_trust(publication)
    raise_generation()


def show_document(publication: Publication, document: Document) -> None:
    """Copy what lists need of a document to its publication, and make the rows of whom and what it names. Saves."""
    columns = document.columns()
    publication.title = columns.title
    publication.summary = columns.summary
    publication.picture = Picture.objects.filter(content_hash=columns.picture).first() if columns.picture else None
    publication.body_area, publication.urgency = columns.body_area, columns.urgency
    publication.other_names, publication.words = list(columns.other_names), columns.words
    publication.syndicated = columns.syndicated
    publication.translation_of = original_of(columns.translation_of)
    publication.save()
    Mention.objects.filter(publication=publication).delete()
    conditions = {
        str(condition.uuid): condition
        for condition in Publication.objects.filter(uuid__in=[mention.uuid for mention in document.mentions()])
    }
    pinned = {
        (record.publication_id, record.number): record
        for record in Edition.objects.filter(publication__in=[condition.pk for condition in conditions.values()])
    }
    Mention.objects.bulk_create(
        Mention(
            publication=publication,
            condition=conditions[mention.uuid],
            edition=pinned.get((conditions[mention.uuid].pk, mention.edition)),
            position=position,
        )
        for position, mention in enumerate(document.mentions(), start=1)
        if mention.uuid in conditions
    )
    Contribution.objects.filter(publication=publication, role=Contribution.Role.AUTHOR).delete()
    people = Contributor.objects.filter(uuid__in=[person.uuid for person in document.authors])
    Contribution.objects.bulk_create(
        Contribution(publication=publication, contributor=person, role=Contribution.Role.AUTHOR) for person in people
    )


# --- Scheduling ------------------------------------------------------------------------------------------------


@transaction.atomic
def schedule(*, snapshot: Snapshot, by: User | None, due_at: datetime, level: Level, note: str) -> Schedule:
    """Plan that a snapshot becomes an edition. Checks now what publish() will check again when it is due.

    An earlier plan of the same publication is cancelled. Raises as publish() does, or Refused for a time past.
    """
    publication = _lock(snapshot.publication)
    if due_at <= timezone.now():
        raise Refused(_("Choose a time in the future."))
    document = snapshot.document()
    findings = _check_fit(snapshot, document, publication, level, note)
    for plan in publication.schedules.filter(state=Schedule.State.PLANNED):
        _end_plan(plan, Schedule.State.CANCELLED, _("Replaced by a newer plan."))
    if Schedule.objects.filter(snapshot=snapshot).exists():  # a plan that was blocked or cancelled keeps its own
        snapshot = Snapshot.objects.create(
            publication=publication,
            fingerprint=snapshot.fingerprint,
            purpose=Snapshot.Purpose.SCHEDULE,
            taken_by=by,
            taken_by_name=name_of(by),
        )
    return Schedule.objects.create(
        snapshot=snapshot,
        publication=publication,
        due_at=due_at,
        level=level,
        note=note.strip(),
        planned_by=by,
        planned_by_name=name_of(by),
        live_when_planned=publication.live,
        findings_when_planned=sorted({finding.identity for finding in findings}),
    )


@transaction.atomic
def cancel_schedule(*, plan: Schedule, by: User | None) -> None:
    """Raises Refused where the plan is no longer open."""
    _lock(plan.publication)
    plan.refresh_from_db()
    if plan.state == Schedule.State.PLANNED:
        _end_plan(plan, Schedule.State.CANCELLED, _("Cancelled by %s.") % (name_of(by) or _("the system")))
    elif plan.state == Schedule.State.BLOCKED:
        _end_plan(plan, Schedule.State.CANCELLED, plan.reason)
    else:
        raise Refused(_("This plan has ended already."))


def publish_due() -> list[Schedule]:
    """Publish, or block with a reason, every plan whose time has come. Returns the plans that ended.

    Each in a transaction of its own, after a look at its state under the lock: twice at once, or killed half-way
    and run again, publishes once.
    """
    ended = []
    due = Schedule.objects.filter(state=Schedule.State.PLANNED, due_at__lte=timezone.now())
    for pk in due.order_by("due_at", "pk").values_list("pk", flat=True):
        try:
            plan = _publish_plan(pk)
        except Exception:  # it stays planned and late, which the desk shows; the others must not wait for it
            log.exception("Plan %s could not be published", pk)
            continue
        if plan:
            ended.append(plan)
    return ended


@transaction.atomic
def _publish_plan(pk: int) -> Schedule | None:
    plan = Schedule.objects.select_related("snapshot", "planned_by").get(pk=pk)
    publication = _lock(plan.publication)
    plan = Schedule.objects.select_related("snapshot", "planned_by").get(pk=pk)
    if plan.state != Schedule.State.PLANNED:
        return None
    if reason := _what_changed_since(plan, publication):
        return _end_plan(plan, Schedule.State.BLOCKED, reason)
    try:
        with transaction.atomic():
            publish(snapshot=plan.snapshot, by=plan.planned_by, level=Level(plan.level), note=plan.note)
    except Refused as refusal:
        return _end_plan(plan, Schedule.State.BLOCKED, str(refusal))
    return _end_plan(plan, Schedule.State.DONE, "")


def _what_changed_since(plan: Schedule, publication: Publication) -> str:
    if publication.live_id != plan.live_when_planned_id:
        return _("Another edition went live, or the text was withdrawn, after this was planned.")
    try:
        document = plan.snapshot.document()
    except Redacted:
        return _("The text was redacted after this was planned.")
    fingerprint, level = plan.snapshot.fingerprint, Level(plan.level)
    findings = findings_for(document, publication, fingerprint=fingerprint, level=level)
    new = [finding for finding in findings if finding.identity not in set(plan.findings_when_planned)]
    if new:
        return _("Since this was planned, the checks found: %s") % " ".join(finding.sentence for finding in new)
    return ""


def _block_plans(publication: Publication, reason: str) -> None:
    for plan in publication.schedules.filter(state=Schedule.State.PLANNED):
        _end_plan(plan, Schedule.State.BLOCKED, reason)


def _end_plan(plan: Schedule, state: Schedule.State, reason: str) -> Schedule:
    plan.state, plan.reason = state, reason[:500]
    plan.save(update_fields=["state", "reason"])
    return plan


# --- Redaction -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RedactionReport:
    """What a redaction did, and where copies of the text are left for a person to judge."""

    redaction: Redaction
    withdrawn: list[Publication]
    copies: list[Fingerprinted]  # editions and snapshots that copied the text as library text


@transaction.atomic
def redact(*, fingerprint: str, by: User | None, reason: str) -> RedactionReport:
    """Delete a stored text for good and leave the reason in its place.

    Its editions answer 410 with the reason, live ones are withdrawn, and every edition and snapshot that pinned
    it as library text is listed. Raises Refused without a reason or for an unknown text.
    """
    stored = StoredDocument.objects.filter(pk=fingerprint).first()
    if stored is None:
        raise Refused(_("There is no such text, or it was redacted before."))
    if not reason.strip():
        raise Refused(_("Say why. Readers who follow old links see this sentence."))
    # Whoever publishes this text just now is waited for, or will find it gone.
    holders = {
        *Snapshot.objects.filter(fingerprint=fingerprint).values_list("publication", flat=True),
        *Edition.objects.filter(fingerprint=fingerprint).values_list("publication", flat=True),
    }
    list(Publication.objects.select_for_update().filter(pk__in=holders).order_by("pk"))
    copies = _copies(fingerprint)
    redaction = Redaction.objects.create(
        fingerprint=fingerprint, reason=reason.strip(), redacted_by=by, redacted_by_name=name_of(by)
    )
    showing = list(Publication.objects.filter(live__fingerprint=fingerprint))
    for publication in showing:
        withdraw(publication=publication, by=by, reason=reason)
    ids = Edition.objects.filter(fingerprint=fingerprint).values("publication")
    for publication in Publication.objects.filter(pk__in=ids, live=None):
        publication.summary, publication.other_names, publication.picture = "", [], None
        publication.save(update_fields=["summary", "other_names", "picture"])
    for plan in Schedule.objects.filter(snapshot__fingerprint=fingerprint, state=Schedule.State.PLANNED):
        _end_plan(plan, Schedule.State.BLOCKED, _("The text was redacted after this was planned."))
    stored.delete()
    raise_generation()
    return RedactionReport(redaction, showing, copies)


def _copies(fingerprint: str) -> list[Fingerprinted]:
    """Editions and snapshots of other publications that show an edition with this fingerprint as library text."""
    holding: set[str] = set()
    for edition in Edition.objects.filter(fingerprint=fingerprint).select_related("publication"):
        uuid = str(edition.publication.uuid)
        for stored in StoredDocument.objects.filter(canonical__contains=uuid).exclude(pk=fingerprint):
            if any((m.uuid, m.edition) == (uuid, edition.number) for m in stored.read().mentions()):
                holding.add(stored.pk)
    return [
        *Edition.objects.filter(fingerprint__in=holding).select_related("publication"),
        *Snapshot.objects.filter(fingerprint__in=holding).select_related("publication"),
    ]


# --- Addresses and tags ----------------------------------------------------------------------------------------


@transaction.atomic
def change_address(*, publication: Publication, slug: str) -> None:
    """Give a publication another address; the old one redirects if it was ever public.

    Raises Refused where another publication has or had the address.
    """
    publication = _lock(publication)
    if slug == publication.slug:
        return
    if Publication.objects.filter(kind=publication.kind, slug=slug).exists():
        raise Refused(_("Another page has this address. Choose a different one."))
    former = FormerSlug.objects.filter(kind=publication.kind, slug=slug)
    if former.exclude(publication=publication).exists():
        raise Refused(_("Another page had this address, and old links lead there. Choose a different one."))
    former.delete()
    if publication.first_published:
        FormerSlug.objects.create(kind=publication.kind, slug=publication.slug, publication=publication)
    Publication.objects.filter(pk=publication.pk).update(slug=slug)
    raise_generation()


@transaction.atomic
def rename_tag(*, tag: Tag, name: str) -> Tag:
    """Rename a tag; its old address leads to the new one. A name that is taken merges the two."""
    name = " ".join(name.split())
    if not name:
        raise Refused(_("Write a name for the tag."))
    other = Tag.objects.filter(name__iexact=name).exclude(pk=tag.pk).first()
    if other:
        return merge_tags(tags=[tag], into=other)
    old = tag.slug
    tag.name = name
    tag.slug = tag.slugify(name)
    if not tag.slug:
        raise Refused(_("Write a name with letters or digits, from which its address is made."))
    if tag.slug != old and Tag.objects.filter(slug=tag.slug).exclude(pk=tag.pk).exists():
        raise Refused(_("Another tag has this address. Choose a different name."))
    FormerTag.objects.filter(slug=tag.slug).delete()
    tag.save()
    if tag.slug != old:
        FormerTag.objects.update_or_create(slug=old, defaults={"tag": tag})
    raise_generation()
    return tag


@transaction.atomic
def merge_tags(*, tags: Iterable[Tag], into: Tag) -> Tag:
    """Move everything tagged with `tags` to `into`; the old tags' addresses lead there."""
    for tag in tags:
        if tag.pk == into.pk:
            continue
        have = TaggedPublication.objects.filter(tag=into).values("content_object")
        TaggedPublication.objects.filter(tag=tag).exclude(content_object__in=have).update(tag=into)
        TaggedPublication.objects.filter(tag=tag).delete()
        FormerTag.objects.filter(tag=tag).update(tag=into)
        FormerTag.objects.update_or_create(slug=tag.slug, defaults={"tag": into})
        tag.delete()
    raise_generation()
    return into


# --- What the services share -----------------------------------------------------------------------------------


def sources_for(keys: Iterable[str], brought: Iterable[Any] = ()) -> tuple[Any, ...]:
    """The sources of citation keys, in their order; `brought` are those that pinned library text carries.

    A key that the site has is taken from the site; unknown keys are left out, and a check finds them.
    """
    keys = list(keys)
    known = {source.key: source for source in brought}
    known |= {row.key: row.value() for row in Citation.objects.filter(key__in=keys)}
    return tuple(known[key] for key in keys if key in known)


def name_of(user: AbstractBaseUser | None) -> str:
    """A person's name as the record keeps it."""
    if user is None:
        return ""
    return (user.get_full_name() if isinstance(user, User) else "") or user.get_username()


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def raise_generation(*, quietly: bool = False) -> None:
    """Say that what the public sees may have changed.

    `quietly` for one of many changes: caches let go of what they have, but nobody is told; whoever makes the changes
    says it once at the end.
    """
    Generation.objects.get_or_create(pk=1)
    Generation.objects.filter(pk=1).update(number=F("number") + 1)
    if not quietly:
        transaction.on_commit(lambda: public_changed.send_robust(sender=Generation), robust=True)


def _lock(publication: Publication) -> Publication:
    return _lock_pk(publication.pk)


def _lock_pk(pk: int) -> Publication:
    """The publication as it is now, and nobody else's until the transaction ends (on SQLite the whole database).

    Without a join: PostgreSQL reads a row again that it waited for, but not the rows that were joined to it, and
    an edition that went live meanwhile would look like none.
    """
    return Publication.objects.select_for_update().get(pk=pk)


def _trust_columns(publication: Publication) -> tuple[Any, ...]:
    return (
        publication.trust,
        publication.trust_until,
        publication.reviewed_on,
        publication.reviewer_id,
        publication.reviewer_name,
    )

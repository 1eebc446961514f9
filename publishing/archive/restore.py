"""An export comes back: the same editions with the same fingerprints, from the bytes that were stored.

Each publication comes with all that belongs to it in a transaction of its own, what it names before it. So a restore
that was killed is run again and goes on where it was, and a second one changes nothing. What is here already is never
written over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from taggit.models import Tag

from images.models import Picture
from images.processing import UnusablePicture, kept_picture
from images.services import keep_picture
from publishing.archive.files import Archive, Damaged
from publishing.archive.records import (
    LANGUAGE,
    CitationRecord,
    EditionRecord,
    PersonRecord,
    PictureRecord,
    PublicationRecord,
    SignOffRecord,
    SiteRecord,
    TagRecord,
    read_list,
)
from publishing.documents import Document, NewerSchema
from publishing.former_paths import is_of_this_site
from publishing.kinds import kinds
from publishing.models import (
    Citation,
    Contribution,
    Contributor,
    Edition,
    FormerPath,
    FormerSlug,
    FormerTag,
    Mention,
    Publication,
    Redaction,
    Revocation,
    SignOff,
    SiteSettings,
    TaggedPublication,
)
from publishing.services import (
    Refused,
    free_slug,
    original_of,
    raise_generation,
    show_document,
    store_canonical,
    write_trust,
)

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # how many publications and pictures are done, of how many


@dataclass
class RestoreReport:
    """What a restore did. `problems` are what of the export is not here now, `remarks` what is here otherwise."""

    restored: int = 0
    unchanged: int = 0
    pictures: int = 0
    others: int = 0  # people, sources, tags, settings
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        texts = ngettext("%(count)d text restored", "%(count)d texts restored", self.restored)
        same = ngettext("%(count)d was here already", "%(count)d were here already", self.unchanged)
        new = ngettext("%(count)d new picture", "%(count)d new pictures", self.pictures)
        counted = ((texts, self.restored), (same, self.unchanged), (new, self.pictures))
        first = ", ".join(words % {"count": count} for words, count in counted) + "."
        return "\n".join([first, *self.problems, *self.remarks])


def restore(path: Path, *, by: User | None = None, progress: Progress | None = None) -> RestoreReport:
    """Bring an export (a folder or a zip) into this site.

    Sends no mail. Raises NoExport with a sentence where it is none, or of a later format; whatever else is wrong is in
    the report, and the rest is restored.
    """
    return _Restoring(Archive(path), by, progress or (lambda done, total: None)).run()


@dataclass(frozen=True)
class _Text:
    canonical: str
    document: Document


@dataclass(frozen=True)
class _Plan:
    """A publication that is to come, and the UUIDs of those that it names."""

    file: str
    uuid: str
    names: frozenset[str]


@dataclass
class _Restoring:
    archive: Archive
    by: User | None
    progress: Progress
    report: RestoreReport = field(default_factory=RestoreReport)
    tags: dict[str, Tag] = field(default_factory=dict)  # by the slug in the export

    def run(self) -> RestoreReport:
        plans = list(_what_is_named_first({plan.uuid: plan for plan in self.plans()}))
        pictures = self.records("pictures.json")
        total = len(plans) + len(pictures)
        self.progress(0, total)
        self.site()
        for done, picture in enumerate(pictures, start=1):
            self.attempt(f"pictures/{picture.content_hash}.{picture.extension}", self.picture, picture)
            self.progress(done, total)
        lists: tuple[tuple[str, Callable[[Any], None]], ...] = (
            ("people.json", self.person),
            ("citations.json", self.citation),
            ("tags.json", self.tag),
        )
        for file, one in lists:
            for record in self.records(file):
                self.attempt(file, one, record)
        for done, plan in enumerate(plans, start=len(pictures) + 1):
            self.attempt(plan.file, self.publication, plan)
            self.progress(done, total)
        self.report.problems += self.archive.damaged_files()
        if self.report.restored or self.report.others or self.report.pictures:
            with transaction.atomic():
                raise_generation()
        return self.report

    def attempt(self, file: str, one: Callable[[Any], None], record: Any) -> None:
        """Restore one thing, all or nothing; what stands in the way is in the report."""
        remarks = len(self.report.remarks)
        try:
            try:
                with transaction.atomic():
                    one(record)
            except IntegrityError:  # somebody restored or made the same just now: look again
                del self.report.remarks[remarks:]
                with transaction.atomic():
                    one(record)
            return
        except Damaged as damaged:
            problem = str(damaged)
        except (Refused, UnusablePicture) as refused:
            problem = f"{file}: {refused}"
        except ValidationError as error:
            problem = f"{file}: {' '.join(error.messages)}"
        except (ValueError, DatabaseError) as error:  # what a hostile export can bring, no form and no site could
            log.warning("%s of an export cannot be kept", file, exc_info=error)
            problem = _("%s: this holds something that cannot be kept here.") % file
        del self.report.remarks[remarks:]
        self.report.problems.append(problem)
        here = set(Tag.objects.values_list("pk", flat=True))  # those that were made meanwhile are gone with the rest
        self.tags = {slug: tag for slug, tag in self.tags.items() if tag.pk in here}

    def records(self, file: str) -> list[Any]:
        """The records of a list; none, and a problem, where it cannot be read."""
        try:
            return read_list(file, self.archive.read(file))
        except Damaged as damaged:
            self.report.problems.append(str(damaged))
        except ValueError:
            self.report.problems.append(_not_of_its_form(file))
        return []

    # --- Reference data -----------------------------------------------------------------------------------------

    def site(self) -> None:
        """The settings, into a site that has none of its own yet."""
        file = "site.json"
        try:
            record = SiteRecord.model_validate_json(self.archive.read(file))
        except Damaged as damaged:
            self.report.problems.append(str(damaged))
        except ValueError:
            self.report.problems.append(_not_of_its_form(file))
        else:
            self.attempt(file, self.settings, record)

    def settings(self, record: SiteRecord) -> None:
        values = record.model_dump()
        here, default = ({name: getattr(row, name) for name in values} for row in (SiteSettings.load(), SiteSettings()))
        if here == default != values:
            _checked(SiteSettings(pk=1, **values)).save()
            self.report.others += 1

    def picture(self, record: PictureRecord) -> None:
        if Picture.objects.filter(content_hash=record.content_hash).exists():
            return
        clean = kept_picture(self.archive.read(_picture_file(record)))
        if (clean.content_hash, clean.extension) != (record.content_hash, record.extension):
            raise Refused(_("These are the bytes of another picture."))
        words = record.model_dump(exclude={"content_hash", "extension", "width", "height"})
        keep_picture(clean, **words, uploaded_by=self.by)
        self.report.pictures += 1

    def person(self, record: PersonRecord) -> None:
        if Contributor.objects.filter(uuid=record.uuid).exists():
            return
        slug, number = record.slug, 2
        while Contributor.objects.filter(slug=slug).exists():
            slug, number = f"{record.slug[:45]}-{number}", number + 1
        if slug != record.slug:
            self.remark(
                _("Another person has the address “%(old)s”, so %(name)s is at “%(new)s”."),
                old=record.slug, name=record.name, new=slug,
            )  # fmt: skip
        photo = Picture.objects.filter(content_hash=record.photo).first() if record.photo else None
        fields = record.model_dump(exclude={"photo", "slug"})
        _checked(Contributor(**fields, slug=slug, photo=photo)).save()
        self.report.others += 1

    def citation(self, record: CitationRecord) -> None:
        here = Citation.objects.filter(key=record.key).first()
        if here is None:
            _checked(Citation(**record.model_dump())).save()
            self.report.others += 1
        elif any(getattr(here, name) != value for name, value in record.model_dump(exclude={"checked_on"}).items()):
            self.remark(_("Another source has the key “%(key)s” here. It stays as it is."), key=record.key)

    def tag(self, record: TagRecord) -> None:
        here = Tag.objects.filter(slug=record.slug).first() or Tag.objects.filter(name__iexact=record.name).first()
        if here is None:
            here = _checked(Tag(slug=record.slug, name=record.name))
            here.save()
            self.report.others += 1
        self.tags[record.slug] = here
        for slug in record.former:
            if not (Tag.objects.filter(slug=slug).exists() or FormerTag.objects.filter(slug=slug).exists()):
                _checked(FormerTag(slug=slug, tag=here)).save()

    def remark(self, sentence: str, **values: Any) -> None:
        self.report.remarks.append(sentence % values)

    # --- Publications -------------------------------------------------------------------------------------------

    def plans(self) -> Iterator[_Plan]:
        """The publications that can be read, each with what its text names."""
        for file in sorted(self.archive.sums):
            if not file.endswith("/publication.json"):
                continue
            try:
                record = self.publication_record(file)
                shown = _shown(record)
                document = self.text(file, record, shown).document if shown else None
                names = {mention.uuid for mention in document.mentions()} if document else set()
                original = document.columns().translation_of if document else ""
                yield _Plan(file, str(record.uuid), frozenset(names | {original}))
            except Damaged as damaged:
                self.report.problems.append(str(damaged))
            except Refused as refused:
                self.report.problems.append(f"{file}: {refused}")

    def publication_record(self, file: str) -> PublicationRecord:
        """Raises Damaged or Refused."""
        try:
            record = PublicationRecord.model_validate_json(self.archive.read(file))
        except ValueError as error:
            raise Damaged(_not_of_its_form(file)) from error
        if record.kind not in kinds:
            raise Refused(_("This site knows no texts of the kind “%s”.") % record.kind[:20])
        return record

    def text(self, file: str, record: PublicationRecord, edition: EditionRecord) -> _Text:
        """The stored text of an edition. Raises Damaged where it is not the one that was published."""
        name = f"{file.removesuffix('publication.json')}edition-{edition.number}.json"
        content = self.archive.read(name)
        if sha256(content).hexdigest() != edition.fingerprint:
            raise Damaged(_("“%s” is not the text that was published: its fingerprint is another.") % name)
        kind = kinds[record.kind]
        try:
            canonical = content.decode()
            document = kind.document.read(canonical)
        except NewerSchema as error:
            raise Damaged(
                _("“%s” was written by a later version of this program. Update this site first.") % name
            ) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Damaged(_not_of_its_form(name)) from error
        if document.uuid != str(record.uuid):
            raise Damaged(_("“%s” is the text of another publication.") % name)
        if not LANGUAGE.fullmatch(document.language):
            raise Damaged(_not_of_its_form(name))
        return _Text(canonical, document)

    def publication(self, plan: _Plan) -> None:
        """Restore a publication with its editions and all that belongs to them."""
        record = self.publication_record(plan.file)
        if here := Publication.objects.filter(uuid=record.uuid).first():
            self.compare(record, here)
            return
        redacted = {redaction.fingerprint for redaction in record.redactions}
        texts = {
            edition.number: self.text(plan.file, record, edition)
            for edition in record.editions
            if edition.fingerprint not in redacted
        }
        _refuse_what_cannot_be(record, texts)
        publication = self.new_publication(record)
        editions = self.new_editions(record, publication, texts)
        self.new_sign_offs(record, publication)
        self.new_addresses(record, publication)
        shown = _shown(record)
        document = texts[shown.number].document if shown else None
        publication.live = editions[record.live] if record.live else None
        if document:
            show_document(publication, document)
            self.say_what_is_missing(publication, document)
        write_trust(publication)
        _new_draft(publication, document, shown, self.by)
        raise_generation(quietly=True)
        self.report.restored += 1

    def compare(self, record: PublicationRecord, here: Publication) -> None:
        """Say how what is here differs from the export; it stays as it is."""
        there = [(edition.number, edition.fingerprint) for edition in record.editions]
        ours = list(here.editions.order_by("number").values_list("number", "fingerprint"))
        if ours == there:
            if here.live and here.restored_at:
                self.link_anew(here, here.live)
        else:
            if ours == there[: len(ours)]:
                sentence = _("“%(title)s” has %(theirs)d editions in the export and %(ours)d here. It stays as it is.")
            elif there == ours[: len(there)]:
                sentence = _("“%(title)s” has newer editions here than in the export. It stays as it is.")
            else:
                sentence = _("“%(title)s” has other editions here than in the export. It stays as it is.")
            self.remark(sentence, title=here.title or here.slug, theirs=len(there), ours=len(ours))
        for redaction in record.redactions:
            if not Redaction.objects.filter(fingerprint=redaction.fingerprint).exists():
                self.remark(
                    _("A text of “%(title)s” was redacted on the site of the export, and is still here: %(reason)s"),
                    title=here.title or here.slug, reason=redaction.reason,
                )  # fmt: skip
        self.report.unchanged += 1

    def link_anew(self, here: Publication, live: Edition) -> None:
        """Link what a text names and what is here by now: an export may have been damaged when it came, and mended."""
        document = live.document()
        mentions, authors = document.mentions(), [person.uuid for person in document.authors]
        conditions = set(Publication.objects.filter(uuid__in=[m.uuid for m in mentions]).values_list("uuid", flat=True))
        could = (
            sum(UUID(mention.uuid) in conditions for mention in mentions),
            Contributor.objects.filter(uuid__in=authors).count(),
            original_of(document.columns().translation_of),
        )
        by = Contribution.objects.filter(publication=here, role=Contribution.Role.AUTHOR)
        if could == (Mention.objects.filter(publication=here).count(), by.count(), here.translation_of):
            return
        show_document(here, document)
        draft = kinds[here.kind].draft._default_manager.filter(publication=here).first()
        if draft and draft.version == 1:  # nobody has worked on it
            draft.load(document)
        raise_generation(quietly=True)
        self.report.others += 1
        self.remark(_("“%(title)s” is linked to what it names and what was missing before."), title=here.title)

    def new_publication(self, record: PublicationRecord) -> Publication:
        slug = record.slug
        if _is_taken(record.kind, slug):
            slug = free_slug(record.kind, slug)
            self.remark(
                _("Another text has or had the address “%(old)s”, so “%(title)s” is at “%(new)s”."),
                old=record.slug, title=record.title, new=slug,
            )  # fmt: skip
        publication = Publication(
            uuid=record.uuid,
            kind=record.kind,
            slug=slug,
            language=record.language,
            title=record.title,
            seo_title=record.seo_title,
            first_published=record.first_published,
            listed_at=record.listed_at,
            withdrawn_at=record.withdrawn.withdrawn_at if record.withdrawn else None,
            withdrawn_reason=record.withdrawn.reason if record.withdrawn else "",
            restored_at=timezone.now(),
        )
        _checked(publication).save()
        return publication

    def new_editions(
        self, record: PublicationRecord, publication: Publication, texts: Mapping[int, _Text]
    ) -> dict[int, Edition]:
        published = {edition.number: edition.published_at for edition in record.editions}
        for number, text in texts.items():
            store_canonical(text.canonical, text.document, at=published[number])
        here = set(
            Redaction.objects.filter(fingerprint__in=[r.fingerprint for r in record.redactions]).values_list(
                "fingerprint", flat=True
            )
        )
        _made(
            Redaction(
                fingerprint=redaction.fingerprint,
                reason=redaction.reason,
                redacted_at=redaction.redacted_at,
                redacted_by_name=redaction.redacted_by,
            )
            for redaction in record.redactions
            if redaction.fingerprint not in here
        )
        editions = _made(
            Edition(
                publication=publication,
                fingerprint=edition.fingerprint,
                number=edition.number,
                level=edition.level,
                note=edition.note,
                published_at=edition.published_at,
                published_by_name=edition.published_by,
            )
            for edition in record.editions
        )
        return {edition.number: edition for edition in editions}

    def new_sign_offs(self, record: PublicationRecord, publication: Publication) -> None:
        """The sign-offs as they are on record. No account here has signed them, so none is named."""
        for signed in record.sign_offs:
            reviewer = self.reviewer(signed)
            (sign_off,) = _made(
                [
                    SignOff(
                        fingerprint=signed.fingerprint,
                        publication=publication,
                        reviewer=reviewer,
                        reviewer_name=signed.reviewer_name,
                        statement=signed.statement,
                        signed_at=signed.signed_at,
                        valid_until=signed.valid_until,
                    )
                ]
            )
            if revoked := signed.revocation:
                _made(
                    [
                        Revocation(
                            sign_off=sign_off,
                            reason=revoked.reason,
                            revoked_at=revoked.revoked_at,
                            revoked_by_name=revoked.revoked_by,
                        )
                    ]
                )

    def reviewer(self, signed: SignOffRecord) -> Contributor:
        reviewer = Contributor.objects.filter(uuid=signed.reviewer).first()
        if reviewer is None:
            raise Refused(_("It was signed by %s, who is not among the people here.") % signed.reviewer_name)
        return reviewer

    def new_addresses(self, record: PublicationRecord, publication: Publication) -> None:
        """Old addresses and tags, but for those that lead elsewhere here."""
        for slug in record.former_slugs:
            if _is_taken(record.kind, slug):
                self.remark(
                    _("The old address “%(slug)s” of “%(title)s” leads to another text here."),
                    slug=slug, title=record.title,
                )  # fmt: skip
            else:
                _made([FormerSlug(kind=record.kind, slug=slug, publication=publication)])
        for path in record.former_paths:
            if is_of_this_site(path) or FormerPath.objects.filter(path=path).exists():
                self.remark(
                    _("The old address “%(slug)s” of “%(title)s” leads elsewhere here."),
                    slug=path, title=record.title,
                )  # fmt: skip
            else:
                _made([FormerPath(path=path, publication=publication)])
        for slug in record.tags:
            if slug not in self.tags:  # the list of them is damaged
                self.tag(TagRecord(slug=slug, name=slug.replace("-", " "), former=()))
        tags = {self.tags[slug].pk: self.tags[slug] for slug in record.tags}
        _made(TaggedPublication(tag=tag, content_object=publication) for tag in tags.values())

    def say_what_is_missing(self, publication: Publication, document: Document) -> None:
        """Whom and what the text names that did not come along. Its words are whole without them."""
        mentions = {mention.uuid for mention in document.mentions()}
        linked = set(Mention.objects.filter(publication=publication).values_list("condition__uuid", flat=True))
        missing = len(mentions - {str(uuid) for uuid in linked})
        if missing:
            self.remark(
                ngettext(
                    "“%(title)s” names a condition that is not here: it keeps its words, without a link.",
                    "“%(title)s” names %(count)d conditions that are not here: it keeps its words, without links.",
                    missing,
                ),
                title=publication.title, count=missing,
            )  # fmt: skip
        columns = document.columns()
        if columns.translation_of and publication.translation_of is None:
            self.remark(_("The original of “%(title)s”, a translation, is not here."), title=publication.title)


# --- What is checked before anything is written -----------------------------------------------------------------


def _refuse_what_cannot_be(record: PublicationRecord, texts: Mapping[int, _Text]) -> None:
    """Raises Refused for a record that no site could have made, or whose pictures are not here."""
    numbers = [edition.number for edition in record.editions]
    if not numbers or numbers != list(range(1, len(numbers) + 1)) or record.editions[0].level != "major":
        raise Refused(_("Its editions are not numbered from 1 on, beginning with a major one."))
    dates = [edition.published_at for edition in record.editions]
    listed = max(dates[-1], record.listed_at)
    if dates != sorted(dates) or record.first_published > dates[-1] or listed > timezone.now():
        raise Refused(_("Its editions are not in the order of their dates, or lie in the future."))
    if record.live is not None and (record.live not in texts or record.withdrawn):
        raise Refused(_("The edition that is said to be live is not there."))
    published = {edition.fingerprint for edition in record.editions}
    others = [*(signed.fingerprint for signed in record.sign_offs), *(gone.fingerprint for gone in record.redactions)]
    if not published.issuperset(others):
        raise Refused(_("A sign-off or a redaction is of a text that is not among its editions."))
    hashes = {value.content_hash for text in texts.values() for _place, value in text.document.pictures()}
    missing = hashes.difference(Picture.objects.filter(content_hash__in=hashes).values_list("content_hash", flat=True))
    if missing:
        raise Refused(_("It shows a picture that could not be restored: %s") % min(missing))


def _shown(record: PublicationRecord) -> EditionRecord | None:
    """The edition that its address shows or, withdrawn, showed last; None where that was redacted."""
    redacted = {redaction.fingerprint for redaction in record.redactions}
    if record.live is not None:
        return next((edition for edition in record.editions if edition.number == record.live), None)
    last = record.editions[-1] if record.editions else None
    return last if last and last.fingerprint not in redacted else None


def _what_is_named_first(plans: Mapping[str, _Plan]) -> Iterator[_Plan]:
    """The plans so that each comes after those that it names; a circle begins somewhere."""
    seen: set[str] = set()
    done: set[str] = set()
    for first in plans:
        waiting = [first]
        while waiting:
            plan = plans[waiting[-1]]
            if plan.uuid not in seen:
                seen.add(plan.uuid)
                waiting += sorted(name for name in plan.names if name in plans and name not in seen)
                continue
            waiting.pop()
            if plan.uuid not in done:
                done.add(plan.uuid)
                yield plan


def _checked(row: Any) -> Any:
    """The row, whose fields hold what they may. Raises ValidationError with the sentences of a form."""
    row.clean_fields(exclude={field.name for field in row._meta.fields if field.is_relation})
    return row


def _made(rows: Iterable[Any]) -> list[Any]:
    """Checked rows of one model, saved in their order."""
    made = [_checked(row) for row in rows]
    return type(made[0])._default_manager.bulk_create(made) if made else []


def _is_taken(kind: str, slug: str) -> bool:
    places: tuple[type[models.Model], ...] = (Publication, FormerSlug)
    return any(place._default_manager.filter(kind=kind, slug=slug).exists() for place in places)


def _new_draft(
    publication: Publication, document: Document | None, edition: EditionRecord | None, by: User | None
) -> None:
    """The draft from which editors go on: what is or was live last. Of a redacted text only the title is left."""
    draft = kinds[publication.kind].draft(publication=publication, changed_by=by)
    if document is None or edition is None:
        setattr(draft, "title" if hasattr(draft, "title") else "name", publication.title)
        draft.save()
    else:
        draft.fingerprint, draft.changed_at = edition.fingerprint, edition.published_at
        draft.load(document)


def _picture_file(record: PictureRecord) -> str:
    return f"pictures/{record.content_hash}.{record.extension}"


def _not_of_its_form(name: str) -> str:
    return _("“%s” does not hold what its JSON Schema says.") % name

"""Everything that was ever public, and what the public reads of it, as files.

Not in it: accounts, drafts, snapshots, plans, imports, reports from readers, and whatever of sources, people, pictures
and tags only drafts know. A redacted text is gone, and the redaction is in its place.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from taggit.models import Tag

from images.models import Picture
from publishing.archive.files import ABOUT, SUMS, NoExport, Put, new_folder, new_zip
from publishing.archive.records import (
    FORMAT,
    VERSION,
    About,
    CitationRecord,
    EditionRecord,
    PersonRecord,
    PictureRecord,
    PublicationRecord,
    RedactionRecord,
    RevocationRecord,
    SignOffRecord,
    SiteRecord,
    TagRecord,
    WithdrawalRecord,
    lines,
    schemas,
)
from publishing.documents import Document
from publishing.kinds import kinds
from publishing.models import (
    Citation,
    Contributor,
    Edition,
    FormerTag,
    Publication,
    Redaction,
    SignOff,
    SiteSettings,
    StoredDocument,
)
from publishing.services import REVIEW_COLUMNS, review_of
from publishing.twins import markdown, text_html

Progress = Callable[[int, int], None]  # how many publications and pictures are done, of how many

README = """# An export of a Bedside site

- `articles/`, `conditions/`, `pages/`: a folder for each text that was ever public. `publication.json` says when each
  edition was published and who signed it; `edition-N.json` are the exact bytes that were signed (their SHA-256 is the
  fingerprint), and `edition-N.html` and `edition-N.md` the same to read.
- `pictures/` with `pictures.json`, `people.json`, `citations.json`, `tags.json`, `site.json`: what the texts name.
- `redirects.csv`: old addresses, and where each leads.
- `schema/`: the JSON Schema of every file.
- `SHA256SUMS`: `sha256sum -c SHA256SUMS` tells whether a file was changed; `bedside.json` holds its own sum.

`manage.py import_articles FOLDER` brings all of it back into an empty site.
"""


def export_site(target: Path, *, as_zip: bool = False, progress: Progress | None = None) -> dict[str, int]:
    """Write the export to a folder, or to a zip file; return how many of each there are.

    What is there afterwards is whole, or what was there before. Raises NoExport where something else is at the target,
    or the file of a picture is lost.
    """
    with (new_zip if as_zip else new_folder)(target) as put, _one_moment():
        return _Exporting(put, progress or (lambda done, total: None)).run()


@contextmanager
def _one_moment() -> Iterator[None]:
    """Let every query see the same moment, and nobody wait for it."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":  # atomic() would take the right to write
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


@dataclass
class _Exporting:
    """The files so far, and what the texts in them name. Only that of the reference data is exported."""

    put: Put
    progress: Progress
    sums: dict[str, str] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)
    tags: set[int] = field(default_factory=set)
    redirects: list[tuple[str, str]] = field(default_factory=list)
    editions: int = 0

    def run(self) -> dict[str, int]:
        self.site = SiteSettings.load()
        self.moment = timezone.now()
        self.write("README.md", README)
        for name, schema in schemas():
            self.write(f"schema/{name}", schema)
        public = Publication.objects.filter(first_published__isnull=False).order_by("kind", "slug")
        total = public.count()
        self.publications = 0
        for publication in public.select_related("live").iterator(chunk_size=100):
            self.publication(publication)
            self.publications += 1
            self.progress(self.publications, total)
        people = self.write_people()
        counts = {
            "publications": self.publications,
            "editions": self.editions,
            "people": people,
            "citations": self.write_citations(),
            "tags": self.write_tags(),
            "pictures": self.write_pictures(),
        }
        self.write("site.json", self.site_record().to_json(indent=2) + "\n")
        self.write("redirects.csv", _csv(sorted(self.redirects)))
        sums = "".join(f"{self.sums[name]}  {name}\n" for name in sorted(self.sums))
        self.put(SUMS, sums.encode())
        about = About(
            format=FORMAT,
            version=VERSION,
            made=self.moment,
            name=self.site.name,
            url=settings.SITE_URL,
            counts=counts,
            sums=sha256(sums.encode()).hexdigest(),
        )
        self.put(ABOUT, (about.to_json(indent=2) + "\n").encode())
        return counts

    def write(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.sums[name] = sha256(data).hexdigest()
        self.put(name, data)

    # --- A text and its editions --------------------------------------------------------------------------------

    def publication(self, publication: Publication) -> None:
        folder = f"{publication.kind}s/{publication.slug}"
        editions = list(publication.editions.order_by("number"))
        record = self.publication_record(publication, editions)
        self.write(f"{folder}/publication.json", record.to_json(indent=2) + "\n")
        stored = StoredDocument.objects.in_bulk([edition.fingerprint for edition in editions])
        for edition in editions:
            self.editions += 1
            if text := stored.get(edition.fingerprint):
                name = f"{folder}/edition-{edition.number}"
                self.write(f"{name}.json", text.canonical)
                document = text.read()
                self.note(document)
                shown = copy(publication)
                review = review_of(publication, edition)
                for column in REVIEW_COLUMNS:
                    setattr(shown, column, getattr(review, column))
                self.write(f"{name}.md", markdown(document, shown, edition, site=self.site))
                self.write(f"{name}.html", self.page(document, shown, edition))
        address = publication.get_absolute_url()
        self.redirects += [(_address(publication.kind, slug), address) for slug in record.former_slugs]
        self.redirects += [(path, address) for path in record.former_paths]

    def publication_record(self, publication: Publication, editions: Sequence[Edition]) -> PublicationRecord:
        fingerprints = {edition.fingerprint for edition in editions}
        # Words that were signed but never published stay where they are.
        signed = publication.sign_offs.filter(fingerprint__in=fingerprints).select_related("reviewer", "revocation")
        tags = sorted(publication.tags.all(), key=lambda tag: tag.slug)
        self.tags |= {tag.pk for tag in tags}
        withdrawn = publication.withdrawn_at and WithdrawalRecord(
            withdrawn_at=publication.withdrawn_at, reason=publication.withdrawn_reason
        )
        assert publication.first_published is not None
        assert publication.listed_at is not None
        return PublicationRecord(
            uuid=publication.uuid,
            kind=publication.kind,
            slug=publication.slug,
            language=publication.language,
            title=publication.title,
            seo_title=publication.seo_title,
            tags=tuple(tag.slug for tag in tags),
            first_published=publication.first_published,
            listed_at=publication.listed_at,
            live=publication.live.number if publication.live else None,
            withdrawn=withdrawn or None,
            former_slugs=tuple(sorted(publication.former_slugs.values_list("slug", flat=True))),
            former_paths=tuple(sorted(publication.former_paths.values_list("path", flat=True))),
            editions=tuple(
                EditionRecord(
                    number=edition.number,
                    level=edition.level,  # type: ignore[arg-type]  # one of Level
                    note=edition.note,
                    published_at=edition.published_at,
                    published_by=edition.published_by_name,
                    fingerprint=edition.fingerprint,
                )
                for edition in editions
            ),
            sign_offs=tuple(self.sign_off_record(sign_off) for sign_off in signed.order_by("signed_at", "pk")),
            redactions=tuple(
                RedactionRecord(
                    fingerprint=redaction.fingerprint,
                    reason=redaction.reason,
                    redacted_at=redaction.redacted_at,
                    redacted_by=redaction.redacted_by_name,
                )
                for redaction in Redaction.objects.filter(fingerprint__in=fingerprints).order_by("redacted_at", "pk")
            ),
        )

    def sign_off_record(self, sign_off: SignOff) -> SignOffRecord:
        self.people.add(str(sign_off.reviewer.uuid))
        revocation = getattr(sign_off, "revocation", None)
        return SignOffRecord(
            fingerprint=sign_off.fingerprint,
            reviewer=sign_off.reviewer.uuid,
            reviewer_name=sign_off.reviewer_name,
            statement=sign_off.statement,
            signed_at=sign_off.signed_at,
            valid_until=sign_off.valid_until,
            revocation=revocation
            and RevocationRecord(
                reason=revocation.reason, revoked_at=revocation.revoked_at, revoked_by=revocation.revoked_by_name
            ),
        )

    def note(self, document: Document) -> None:
        self.people |= {person.uuid for person in document.authors}
        self.sources |= {source.key for source in document.citations}
        self.pictures |= {value.content_hash for _place, value in document.pictures()}

    def page(self, document: Document, publication: Publication, edition: Edition) -> str:
        """The document as a page that needs nothing but the pictures of this export."""
        named = Publication.objects.live().filter(uuid__in=[mention.uuid for mention in document.mentions()])
        text = text_html(
            document,
            publication,
            edition,
            site=self.site,
            pictures={v.content_hash: f"../../{_picture_name(v)}" for _place, v in document.pictures()},
            condition_urls={
                str(row.uuid): f"../../{row.kind}s/{row.slug}/edition-{row.live.number}.html"
                for row in named.select_related("live")
                if row.live
            },
        )
        context = {
            "document": document,
            "columns": document.columns(),
            "edition": edition,
            "is_live": edition.pk == publication.live_id,
            "text": text,
            "canonical_url": settings.SITE_URL + publication.get_absolute_url(),
        }
        with translation.override(document.language):
            return render_to_string("publishing/archive/edition.html", context)

    # --- What the texts name ------------------------------------------------------------------------------------

    def write_people(self) -> int:
        people = [
            PersonRecord(
                uuid=person.uuid,
                name=person.name,
                slug=person.slug,
                job_title=person.job_title,
                credentials=person.credentials,
                medical=person.medical,
                credentials_until=person.credentials_until,
                bio=person.bio,
                photo=person.photo.content_hash if person.photo else None,
                website=person.website,
            )
            for person in Contributor.objects.select_related("photo")
            if str(person.uuid) in self.people
        ]
        people.sort(key=lambda person: person.slug)  # here: databases sort text each in its own way
        self.pictures |= {person.photo for person in people if person.photo}
        self.write("people.json", lines(people))
        return len(people)

    def write_citations(self) -> int:
        names = list(CitationRecord.model_fields)
        rows = [row for row in Citation.objects.values(*names) if row["key"] in self.sources]
        citations = [CitationRecord(**row) for row in sorted(rows, key=lambda row: row["key"])]
        self.write("citations.json", lines(citations))
        return len(citations)

    def write_tags(self) -> int:
        former: dict[int, list[str]] = {pk: [] for pk in self.tags}
        for pk, slug in FormerTag.objects.values_list("tag", "slug"):
            former.get(pk, []).append(slug)
        tags = []
        for tag in sorted(Tag.objects.all(), key=lambda tag: tag.slug):
            if tag.pk in former:
                tags.append(TagRecord(slug=tag.slug, name=tag.name, former=tuple(sorted(former[tag.pk]))))
                to = reverse("blog:tag-detail", args=[tag.slug])
                self.redirects += [(reverse("blog:tag-detail", args=[slug]), to) for slug in former[tag.pk]]
        self.write("tags.json", lines(tags))
        return len(tags)

    def write_pictures(self) -> int:
        names = list(PictureRecord.model_fields)
        pictures = []
        for picture in Picture.objects.order_by("content_hash").iterator():
            if picture.content_hash not in self.pictures:
                continue
            record = PictureRecord(**{name: getattr(picture, name) for name in names})
            self.write(_picture_name(record), _content(picture))
            pictures.append(record)
            self.progress(self.publications + len(pictures), self.publications + len(self.pictures))
        self.write("pictures.json", lines(pictures))
        return len(pictures)

    def site_record(self) -> SiteRecord:
        return SiteRecord(**{name: getattr(self.site, name) for name in SiteRecord.model_fields})


def _content(picture: Picture) -> bytes:
    """The bytes of a picture. Raises NoExport where they are lost: an export without them would not come back."""
    try:
        with default_storage.open(picture.original_name) as file:
            content: bytes = file.read()
    except OSError:
        content = b""
    if sha256(content).hexdigest() != picture.content_hash:
        raise NoExport(
            _("The file of the picture “%(picture)s” (%(file)s) is lost or damaged. Bring it back from a backup first.")
            % {"picture": picture, "file": picture.original_name}
        )
    return content


def _picture_name(picture: object) -> str:
    return f"pictures/{picture.content_hash}.{picture.extension}"  # type: ignore[attr-defined]


def _address(kind: str, slug: str) -> str:
    return reverse(kinds[kind].url_name, args=[slug])


def _csv(rows: Sequence[tuple[str, str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("from", "to"), *rows])
    return out.getvalue()

"""The JSON files of an export, as types: what is written, what is read again, and the JSON Schema of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from publishing.documents import Number
from publishing.kinds import kinds

FORMAT: Final = "bedside-export"
VERSION = 1
DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"

LANGUAGE = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # BCP 47, as far as sites use it


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character, which no database keeps")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # SHA-256
Slug = Annotated[str, Field(pattern="^[-a-zA-Z0-9_]+$")]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def to_json(self, *, indent: int | None = None) -> str:
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=indent)


# --- What a publication is --------------------------------------------------------------------------------------


class EditionRecord(Record):
    """Its text is edition-<number>.json, unless that was redacted."""

    number: Number
    level: Literal["major", "minor"]
    note: Text
    published_at: AwareDatetime
    published_by: Text
    fingerprint: Hash


class RevocationRecord(Record):
    reason: Text
    revoked_at: AwareDatetime
    revoked_by: Text


class SignOffRecord(Record):
    fingerprint: Hash
    reviewer: UUID
    reviewer_name: Text
    statement: Text
    signed_at: AwareDatetime
    valid_until: date
    revocation: RevocationRecord | None


class RedactionRecord(Record):
    fingerprint: Hash
    reason: Text
    redacted_at: AwareDatetime
    redacted_by: Text


class WithdrawalRecord(Record):
    withdrawn_at: AwareDatetime
    reason: Text


class PublicationRecord(Record):
    """`live` is the number of the edition that is live; without one the publication is withdrawn, and says why."""

    uuid: UUID
    kind: str
    slug: Slug
    language: Annotated[str, Field(pattern=f"^{LANGUAGE.pattern}$")]
    title: Text
    seo_title: Text
    tags: tuple[Text, ...]  # slugs
    first_published: AwareDatetime
    listed_at: AwareDatetime
    live: Number | None
    withdrawn: WithdrawalRecord | None
    former_slugs: tuple[Slug, ...]
    former_paths: tuple[Text, ...]
    editions: tuple[EditionRecord, ...]
    sign_offs: tuple[SignOffRecord, ...]
    redactions: tuple[RedactionRecord, ...]


# --- Reference data ---------------------------------------------------------------------------------------------


class PictureRecord(Record):
    """The file is pictures/<content_hash>.<extension>."""

    content_hash: Hash
    extension: Literal["jpg", "png"]
    width: Number
    height: Number
    alt: Text
    decorative: bool
    caption: Text
    credit: Text
    focal_x: Number
    focal_y: Number


class PersonRecord(Record):
    uuid: UUID
    name: Text
    slug: Slug
    job_title: Text
    credentials: Text
    medical: bool
    credentials_until: date | None
    bio: Text
    photo: Hash | None
    website: Text


class CitationRecord(Record):
    key: Text
    kind: Text
    title: Text
    authors: Text
    publisher: Text
    year: Number | None
    url: Text
    doi: Text
    pmid: Text
    checked_on: date | None


class TagRecord(Record):
    """`former` are the slugs it had before it was renamed, or of tags that were merged into it."""

    slug: Text
    name: Text
    former: tuple[Text, ...]


class SiteRecord(Record):
    name: Text
    tagline: Text
    publisher: Text
    contact: Text
    country: Text
    emergency_number: Text
    sender_name: Text
    sender_address: Text
    strictness: Text
    review_months: Number
    notice: Text


# --- The whole --------------------------------------------------------------------------------------------------


class About(Record):
    """bedside.json: what the folder is. `sums` is the SHA-256 of SHA256SUMS, which holds that of every other file."""

    format: Literal["bedside-export"]
    version: Number
    made: AwareDatetime
    name: Text
    url: Text
    counts: dict[str, int]
    sums: Hash


LISTS: dict[str, type[Record]] = {
    "pictures.json": PictureRecord,
    "people.json": PersonRecord,
    "citations.json": CitationRecord,
    "tags.json": TagRecord,
}


def lines(records: Iterable[Record]) -> str:
    """A JSON array with a record on each line, so that two exports can be compared by eye."""
    return "[\n" + ",\n".join(record.to_json() for record in records) + "\n]\n"


def read_list(name: str, content: bytes) -> list[Any]:
    """The records of one of LISTS. Raises ValueError for anything else."""
    return _listed(LISTS[name]).validate_json(content)


def schemas() -> Iterator[tuple[str, str]]:
    """Yield (file name, JSON Schema 2020-12) of every kind of document and of every file that describes them."""
    for name, kind in sorted(kinds.items()):
        schema = kind.document.model_json_schema(by_alias=True)
        yield f"{name}-document.schema.json", _whole(schema, f"{name}-document:{kind.document.SCHEMA}")
    one: dict[str, type[Record]] = {"bedside": About, "publication": PublicationRecord, "site": SiteRecord}
    for name, record in one.items():
        yield f"{name}.schema.json", _whole(record.model_json_schema(), f"{name}:{VERSION}")
    for file, listed in LISTS.items():
        name = file.removesuffix(".json")
        yield f"{name}.schema.json", _whole(_listed(listed).json_schema(), f"{name}:{VERSION}")


def _listed(record: type[Record]) -> TypeAdapter[list[Any]]:
    return TypeAdapter(list[record])  # type: ignore[valid-type]


def _whole(schema: dict[str, Any], identity: str) -> str:
    whole = {"$schema": DRAFT_2020_12, "$id": f"urn:bedside:{identity}"} | schema
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"

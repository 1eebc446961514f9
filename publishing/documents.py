"""Documents: the frozen, typed values that a clinician vouches for, and their canonical bytes.

The rules that keep fingerprints true for ever:

* A document holds text, true or false, small integers, tuples and other values: no floats, no dicts.
* Text is NFC. Dates are ISO 8601 text. A position is in thousandths.
* A new field has an empty default (None, False, "", ()), which never changes: empty fields are not written, so
  the bytes of every older document stay what they were.
* A removed, renamed or re-meant field raises the type's `SCHEMA` and gets a step in `upgrade`, on reading only.
* The canonical text is what is stored and what is hashed. Verifying hashes the stored text, never a new dump.

For such values the canonical text equals RFC 8785 (JSON Canonicalization Scheme); a test compares them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Self

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

CITATION = re.compile(r"\[@([a-z0-9][a-z0-9-]*)\]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def normal_text(text: str) -> str:
    """Unicode text in NFC, with Unix line ends and without lone surrogates, which UTF-8 cannot write."""
    return unicodedata.normalize("NFC", _SURROGATES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


Text = Annotated[str, AfterValidator(normal_text)]
Html = Text  # rich text of the allow-list in publishing.richtext, with [@key] where a source is cited
Number = Annotated[int, Field(ge=0, lt=2**31)]


class Urgency(TextChoices):
    """How soon a reader must act, most urgent first. The order of the members is the order on every page."""

    EMERGENCY = "emergency", _("Emergency")
    URGENT = "urgent", _("Urgent")
    SEE_A_DOCTOR = "see-a-doctor", _("See a doctor")


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PictureValue(Value):
    """A picture as approved: its bytes (by SHA-256) and its words. `alt` is empty only for a decorative one."""

    content_hash: str
    extension: str
    width: Number
    height: Number
    focal_x: Number
    focal_y: Number
    alt: Text = ""
    caption: Text = ""
    credit: Text = ""


class Source(Value):
    """A source of evidence, cited in rich text as [@key]. Its number is its place in the document's tuple."""

    key: str
    kind: str
    title: Text
    authors: Text = ""
    publisher: Text = ""
    year: Number = 0
    url: str = ""
    doi: str = ""
    pmid: str = ""
    checked: str = ""


class Person(Value):
    uuid: str
    name: Text
    credentials: Text = ""
    medical: bool = False


class Tip(Value):
    id: str
    name: Text
    text: Html = ""


class WarningSign(Value):
    id: str
    text: Text
    urgency: Urgency


class Origin(Value):
    """Who published a syndicated text first. `published` is an ISO 8601 date."""

    name: Text
    url: str = ""
    title: Text = ""
    author: Text = ""
    published: str = ""
    licence: Text = ""


class Columns(Value):
    """What lists and addresses need of a live document, copied to its publication when it goes live."""

    title: Text
    summary: Text = ""
    picture: str = ""
    body_area: str = ""
    urgency: str = ""
    other_names: tuple[Text, ...] = ()
    words: Number = 0
    syndicated: bool = False
    translation_of: str = ""  # UUID of the publication that holds the original


class Mention(Value):
    """This document shows edition `edition` of the condition with this UUID. Edition 0: named, but no text shown."""

    uuid: str
    edition: Number


class NewerSchema(ValueError):
    """A document was written by a later version of the program than this one."""


class Document(Value, ABC):
    """The base of every kind of document. `kind`, `schema` and `uuid` have no default, so they are always written."""

    SCHEMA: ClassVar[int] = 1
    SIGNED: ClassVar[bool] = True  # a clinician signs this kind of text; a policy page needs no signature

    kind: str
    schema_number: Number = Field(alias="schema")
    uuid: str
    language: str
    citations: tuple[Source, ...] = ()
    authors: tuple[Person, ...] = ()

    # What a kind of document must be able to say of itself:

    @abstractmethod
    def columns(self) -> Columns:
        """What lists and addresses need of it once it is live."""

    @abstractmethod
    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield (place, rich text) in reading order; citations are numbered in this order."""

    @abstractmethod
    def pictures(self) -> Iterator[tuple[str, PictureValue]]:
        """Yield (place, picture) in reading order."""

    @abstractmethod
    def clinical(self) -> Any:
        """What a minor edition may not change (warning signs, treatments, citations), as a comparable value."""

    def mentions(self) -> tuple[Mention, ...]:
        return ()

    @classmethod
    def upgrade(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Bring the data of an older schema to `SCHEMA`. Used on reading only; stored bytes stay."""
        return data

    # And what all of them share:

    def canonical(self) -> str:
        """The canonical text: sorted keys, no spaces, empty fields left out."""
        return json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )

    def fingerprint(self) -> str:
        return fingerprint(self.canonical())

    @classmethod
    def read(cls, canonical: str) -> Self:
        """The document of a canonical text of this kind, upgraded where its schema is older.

        Raises ValueError (pydantic's ValidationError is one) where the text is not of this kind; NewerSchema, which
        is one, too, where it is of a later schema than this version of the program knows.
        """
        data = json.loads(canonical)
        if data["schema"] > cls.SCHEMA:
            raise NewerSchema(f"schema {data['schema']} is newer than {cls.SCHEMA}, the newest that can be read")
        if data["schema"] < cls.SCHEMA:
            canonical = json.dumps(cls.upgrade(data))
        return cls.model_validate_json(canonical)

    def cited_keys(self) -> list[str]:
        """Citation keys in the order of their first mention."""
        return list(dict.fromkeys(key for _place, html in self.texts() for key in self.keys_in(html)))

    @staticmethod
    def keys_in(html: str) -> list[str]:
        """The citation keys in one text, each once."""
        return list(dict.fromkeys(CITATION.findall(html)))

    def evidence(self) -> tuple[Source, ...]:
        """The sources without the day when somebody last opened them, which says nothing of the evidence."""
        return tuple(source.model_copy(update={"checked": ""}) for source in self.citations)

    def source_numbers(self) -> dict[str, int]:
        return {source.key: number for number, source in enumerate(self.citations, start=1)}


def fingerprint(canonical: str) -> str:
    """The SHA-256 of a canonical text in UTF-8, in hexadecimal (64 characters)."""
    return sha256(canonical.encode()).hexdigest()

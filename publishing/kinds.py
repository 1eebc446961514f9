"""The kinds of document there are. Each app registers its own in AppConfig.ready()."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise

from publishing.documents import Document

if TYPE_CHECKING:
    from publishing.findings import Context, Finding
    from publishing.jsonld import Builder
    from publishing.models import Draft

    Check = Callable[[Document, Context], Iterable[Finding]]


@dataclass(frozen=True)
class Kind:
    """What the publishing room must know of a kind of document that another room owns."""

    name: str
    label: str | Promise
    document: type[Document]
    draft: type[Draft]
    url_name: str  # takes the slug
    page_template: str  # takes the context of publishing.pages.document_context
    checks: tuple[Check, ...] = ()
    json_ld: Builder | None = None  # what its page says to other programs


kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    kinds[kind.name] = kind

"""Which live texts are translations of one another, and whether one is older than its original (check C45)."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.utils.translation import get_language_info

from publishing.models import Publication


@dataclass(frozen=True)
class Translation:
    """The same text in another language. `own_name` is that language's own name for itself."""

    publication: Publication

    @property
    def language(self) -> str:
        return self.publication.language

    @property
    def own_name(self) -> str:
        return language_name(self.language, "name_local")

    @property
    def url(self) -> str:
        return settings.SITE_URL + self.publication.get_absolute_url()


@dataclass(frozen=True)
class Family:
    """A live text, the others of which it is a translation or that are translations of it, and their original."""

    publication: Publication
    others: tuple[Translation, ...]

    @property
    def members(self) -> tuple[Translation, ...]:
        """All of them for hreflang, this one first; none where there is no other."""
        return (Translation(self.publication), *self.others) if self.others else ()

    @property
    def original(self) -> Translation | None:
        """The text that the others were made from, where it is live: this one, or another."""
        root = self.publication.translation_of_id or self.publication.pk
        return next((member for member in self.members if member.publication.pk == root), None)

    @property
    def newer_original(self) -> Translation | None:
        """The original, where it was changed after this translation was made."""
        original = self.original
        if original and self.publication.is_outdated_translation_of(original.publication):
            return original
        return None

    @property
    def original_language(self) -> str:
        """The name of the original's language, in the language that is active."""
        return language_name(self.original.language, "name_translated") if self.original else ""


def family(publication: Publication) -> Family:
    """The live translations of a live publication, in one query."""
    root = publication.translation_of_id or publication.pk
    others = (
        Publication.objects.live()
        .filter(Q(pk=root) | Q(translation_of=root))
        .exclude(pk=publication.pk)
        .only("kind", "slug", "language", "title", "listed_at", "translation_of")
        .order_by("language", "pk")
    )
    return Family(publication, tuple(Translation(other) for other in others))


def language_name(code: str, name: str) -> str:
    """A language's name (`name_local`, `name_translated`); the code of one that Django does not know."""
    try:
        return str(get_language_info(code)[name])
    except KeyError:
        return code

"""The rows of the search: what is indexed, the words there are, and what readers looked for in vain."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from publishing.models import Contributor, Edition, Publication


class SearchEntry(models.Model):
    """What the index knows of a publication or a person. It is made anew with each indexing, under a new number.

    The words themselves are in the engine (blog.search.engines), under the same number. `parts` are for extracts:
    [anchor on the page, heading, text].
    """

    publication = models.OneToOneField(Publication, models.CASCADE, null=True, related_name="+")
    edition = models.ForeignKey(Edition, models.CASCADE, null=True, related_name="+")
    person = models.OneToOneField(Contributor, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=20)
    language = models.CharField(max_length=12)
    made = models.UUIDField(default=uuid.uuid4)  # tells this indexing from every other
    version = models.CharField(max_length=64)  # of what was indexed; another one is stale
    parts = models.JSONField(default=list)
    emergencies = models.JSONField(default=list)  # [anchor, sign]
    words = models.TextField(blank=True)  # each once, as counted in SearchWord

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(publication__isnull=False, edition__isnull=False, person=None)
                | models.Q(publication=None, edition=None, person__isnull=False),
                name="search_entry_is_a_publication_or_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.publication_id or self.person_id}"


class SearchWord(models.Model):
    """A word as it stands in public texts, and in how many of them: what a misspelt word is compared with."""

    word = models.CharField(max_length=60)
    language = models.CharField(max_length=12)
    stem = models.CharField(max_length=60)
    entries = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word", "language"], name="search_word_once_a_language")]

    def __str__(self) -> str:
        return self.word


class SearchMiss(models.Model):
    """How often a question found no page with all its words on a day. Nothing is kept of who asked."""

    term = models.CharField(_("looked for"), max_length=80)
    day = models.DateField(_("last day"))
    count = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("search that found nothing")
        verbose_name_plural = _("searches that found nothing")
        constraints = [models.UniqueConstraint(fields=["term", "day"], name="search_miss_once_a_day")]
        indexes = [models.Index(fields=["day"], name="search_miss_day")]

    def __str__(self) -> str:
        return self.term

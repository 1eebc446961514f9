"""The condition library: each condition once, with a page of its own, shown by every article that names it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from conditions.documents import ConditionDocument
from images.models import Picture
from publishing.documents import Tip, Urgency
from publishing.models import BodyArea, Contributor, Draft, Part, picture_value
from publishing.richtext import RichTextField
from publishing.services import sources_for


def lines(text: str) -> tuple[str, ...]:
    """The lines of a field in which each line is an item."""
    return tuple(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)


class Condition(Draft):
    KIND: ClassVar[str] = "condition"

    name = models.CharField(_("name"), max_length=200, help_text=_("The plain name that most readers would use."))
    synonyms = models.TextField(
        _("other names"), blank=True, help_text=_("One on each line: medical names, lay names, old names.")
    )
    body_area = models.CharField(_("body area"), max_length=30, choices=BodyArea, blank=True)
    urgency = models.CharField(
        _("urgency"), max_length=15, choices=Urgency, default=Urgency.SEE_A_DOCTOR,
        help_text=_("How soon somebody who may have it has to get help."),
    )  # fmt: skip
    icd10 = models.TextField(_("ICD-10 codes"), blank=True, help_text=_("One on each line, for example M51.2."))
    snomed = models.TextField(_("SNOMED CT codes"), blank=True, help_text=_("One on each line."))
    summary = models.CharField(_("summary"), max_length=200, blank=True, help_text=_("One sentence, for lists."))
    picture = models.ForeignKey(Picture, models.PROTECT, null=True, blank=True, verbose_name=_("picture"))
    what_it_is = RichTextField(_("what it is"), blank=True)
    signs = RichTextField(_("signs"), blank=True)
    treatment = RichTextField(_("treatment"), blank=True)
    complications = RichTextField(_("complications"), blank=True)
    authors = models.ManyToManyField(Contributor, blank=True, related_name="+", verbose_name=_("authors"))

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def build(self) -> ConditionDocument:
        document = ConditionDocument(
            kind="condition",
            schema=ConditionDocument.SCHEMA,
            uuid=str(self.publication.uuid),
            language=self.publication.language,
            authors=tuple(person.value() for person in self.authors.order_by("name", "pk")),
            name=self.name,
            synonyms=lines(self.synonyms),
            icd10=lines(self.icd10),
            snomed=lines(self.snomed),
            body_area=self.body_area,
            urgency=Urgency(self.urgency),
            summary=self.summary,
            picture=picture_value(self.picture),
            what_it_is=self.what_it_is,
            signs=self.signs,
            treatment=self.treatment,
            complications=self.complications,
            tips=tuple(Tip(id=str(tip.uuid), name=tip.name, text=tip.text) for tip in self.tips.all()),
        )
        return document.model_copy(update={"citations": sources_for(document.cited_keys())})

    def load(self, document: Any) -> None:
        self.name, self.synonyms = document.name, "\n".join(document.synonyms)
        self.icd10, self.snomed = "\n".join(document.icd10), "\n".join(document.snomed)
        self.body_area, self.urgency, self.summary = document.body_area, document.urgency, document.summary
        self.picture = (
            Picture.objects.filter(content_hash=document.picture.content_hash).first() if document.picture else None
        )
        self.what_it_is, self.signs = document.what_it_is, document.signs
        self.treatment, self.complications = document.treatment, document.complications
        self.save()
        self.authors.set(Contributor.objects.filter(uuid__in=[person.uuid for person in document.authors]))
        self.tips.all().delete()
        ConditionTip.objects.bulk_create(
            ConditionTip(condition=self, uuid=tip.id, position=position, name=tip.name, text=tip.text)
            for position, tip in enumerate(document.tips, start=1)
        )


class ConditionTip(Part):
    condition = models.ForeignKey(Condition, models.CASCADE, related_name="tips")
    name = models.CharField(_("in a few words"), max_length=200)
    text = RichTextField(_("text"), blank=True)

    class Meta(Part.Meta):
        verbose_name = _("prevention tip")
        verbose_name_plural = _("prevention tips")

    def __str__(self) -> str:
        return self.name

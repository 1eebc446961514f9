"""Structured data of conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conditions.documents import ConditionDocument
from publishing import jsonld
from publishing.jsonld import Node, known, ref

A_TO_Z = gettext_lazy("Conditions A–Z")  # noqa: RUF001


def condition_graph(context: Mapping[str, Any]) -> list[Node]:
    """The page, the condition, its sources, who wrote and who reviewed it."""
    document, publication = context["document"], context["publication"]
    assert isinstance(document, ConditionDocument)
    url = context["canonical_url"]
    sources = jsonld.citations(context)
    authors = jsonld.author_nodes(context)
    reviewer = jsonld.reviewer_node(publication)
    picture = jsonld.picture(context, document.picture)
    library = (str(A_TO_Z), reverse("conditions:condition-list"))
    way = jsonld.breadcrumb(context, library, (document.name, publication.get_absolute_url()))
    page = known(
        jsonld.page_node("MedicalWebPage", context, name=document.name, description=document.summary)
        | jsonld.dates(context)
        | jsonld.review(publication, reviewer)
        | jsonld.correction(context)
        | jsonld.translations(context)
        | {
            "medicalAudience": {"@type": "Patient"},
            "mainEntity": ref(f"{url}#condition"),
            "about": ref(f"{url}#condition"),
            "author": [ref(node["@id"]) for node in authors],
            "citation": [ref(node["@id"]) for node in sources],
            "primaryImageOfPage": picture,
            "breadcrumb": ref(way["@id"]) if way else None,
            "hasPart": list(_sections(context, document)),
        }
    )
    optional = [node for node in (way, reviewer) if node]
    condition = condition_node(document, url, sources)
    return [page, condition, *optional, *sources, *authors, *jsonld.site_nodes(context)]


def condition_node(document: ConditionDocument, url: str, sources: list[Node]) -> Node:
    codes = [("ICD-10", code) for code in document.icd10] + [("SNOMED CT", code) for code in document.snomed]
    return known(
        {
            "@type": jsonld.CONDITION,
            "@id": f"{url}#condition",
            "url": url,
            "name": document.name,
            "alternateName": list(document.synonyms),
            "description": document.summary,
            "code": [{"@type": "MedicalCode", "codingSystem": system, "codeValue": code} for system, code in codes],
            "signOrSymptom": [{"@type": "MedicalSignOrSymptom", "description": jsonld.words(document.signs)}]
            if document.signs
            else [],
            "possibleTreatment": jsonld.therapy(document.treatment),
            "possibleComplication": jsonld.words(document.complications),
            "secondaryPrevention": jsonld.tips(document.tips),
            "guideline": [ref(node["@id"]) for node in sources if "MedicalGuideline" in node["@type"]],
        }
    )


def _sections(context: Mapping[str, Any], document: ConditionDocument) -> Iterator[Node]:
    parts = (
        (document.what_it_is, "what-it-is", "Overview", _("What it is")),
        (document.signs, "signs", "Symptoms", _("Signs")),
        (document.treatment, "treatment", "Treatments", _("Treatment")),
        (document.complications, "complications", "RisksOrComplications", _("Complications")),
        (document.tips, "prevention", "Prevention", _("What you can do")),
    )
    for content, anchor, aspect, headline in parts:
        if content:
            yield jsonld.section(context, anchor, aspect, headline)


def list_graph(context: Mapping[str, Any]) -> list[Node]:
    """The library from A to Z, each condition once, under its own name."""
    names = [name for _letter, names in context["letters"] for name in names]
    return jsonld.collection(context, jsonld.titles(name.publication for name in names if not name.is_other))


def area_list_graph(context: Mapping[str, Any]) -> list[Node]:
    links = [(area.name, reverse("conditions:body-area", args=[area.slug])) for area in context["areas"]]
    return jsonld.collection(context, links)


def area_graph(context: Mapping[str, Any]) -> list[Node]:
    return jsonld.collection(context, jsonld.titles(context["conditions"]))


PAGES = {
    "conditions:condition-list": list_graph,
    "conditions:body-area-list": area_list_graph,
    "conditions:body-area": area_graph,
}

"""Structured data of articles, of pages about the site, of people, and of lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from blog.documents import ArticleDocument, PageDocument
from publishing import jsonld
from publishing.documents import Origin, Urgency
from publishing.jsonld import Node, known, ref
from publishing.pages import EntryView
from publishing.templatetags.documents import web_address

SHOWN_SYNONYMS = 3  # of each entry, in the article's page


def article_graph(context: Mapping[str, Any]) -> list[Node]:
    """The medical page and the article on it: reviews are of pages, headlines and authors of articles."""
    document, publication = context["document"], context["publication"]
    assert isinstance(document, ArticleDocument)
    url, tags = context["canonical_url"], context["tags"]
    sources = jsonld.citations(context)
    authors = jsonld.author_nodes(context)
    reviewer = jsonld.reviewer_node(publication)
    conditions = [_condition(context, view) for view in context["entries"]]
    topic = _topic(document, url, conditions)
    found = _list(document, url, context["entries"], conditions)
    about = [topic] if topic else conditions
    page = known(
        jsonld.page_node("MedicalWebPage", context, name=document.title, description=document.summary)
        | jsonld.dates(context)
        | jsonld.review(publication, reviewer)
        | {
            "medicalAudience": {"@type": "Patient"},
            "about": [ref(id_) for id_ in dict.fromkeys(node["@id"] for node in about)],
            "mainEntity": ref((found or {"@id": f"{url}#article"})["@id"]),
            "primaryImageOfPage": jsonld.picture(context, document.picture),
            "hasPart": list(_sections(context, document)),
            "speakable": _speakable(document),
        }
    )
    nodes = [page, _posting(context, document, sources, authors)]
    above = (capfirst(tags[0].name), _tag_path(tags[0])) if tags else (_("Articles"), reverse("blog:article-list"))
    way = jsonld.breadcrumb(context, above, (document.title, publication.get_absolute_url()))
    if way:
        page["breadcrumb"] = ref(way["@id"])
    optional = [node for node in (way, found, topic, reviewer) if node]
    return [*nodes, *optional, *conditions, *sources, *authors, *jsonld.site_nodes(context)]


def _posting(context: Mapping[str, Any], document: ArticleDocument, sources: list[Node], authors: list[Node]) -> Node:
    url, lead = context["canonical_url"], jsonld.picture(context, document.picture)
    return known(
        {
            "@type": "BlogPosting",
            "@id": f"{url}#article",
            "url": url,
            "mainEntityOfPage": ref(f"{url}#page"),
            "headline": document.title,
            "description": document.summary,
            "image": lead,
            **jsonld.dates(context),
            "author": [ref(node["@id"]) for node in authors],
            "publisher": ref(jsonld.publisher_id()),
            "inLanguage": document.language,
            "isAccessibleForFree": True,
            "keywords": [tag.name for tag in context["tags"]],
            "wordCount": context["publication"].words,
            "citation": [ref(node["@id"]) for node in sources],
            **jsonld.correction(context),
            **jsonld.translations(context),
            **_origin(document.origin),
        }
    )


def _origin(origin: Origin | None) -> Node:
    """Where a syndicated text comes from. No canonical address elsewhere: the page asks not to be indexed instead."""
    if origin is None:
        return {}
    name = origin.name or origin.url
    author = {"@type": "Person", "name": origin.author} if origin.author else None
    return {
        "creditText": _("First published by %(name)s") % {"name": name},
        "isBasedOn": known(
            {
                "@type": "Article",
                "url": web_address(origin.url),
                "headline": origin.title,
                "author": author,
                "datePublished": origin.published,
                "publisher": {"@type": "Organization", "name": name},
            }
        ),
    }


def _condition(context: Mapping[str, Any], view: EntryView) -> Node:
    """What an entry is about: the library's condition by its own address, or one that only this page describes."""
    entry, url = view.entry, jsonld.absolute(view.condition_url) if view.condition_url else ""
    synonyms = entry.condition.synonyms[:SHOWN_SYNONYMS] if entry.condition else ()
    return known(
        {
            "@type": jsonld.CONDITION,
            "@id": f"{url}#condition" if url else f"{context['canonical_url']}#{view.anchor}",
            "url": url or f"{context['canonical_url']}#{view.anchor}",
            "name": entry.condition.name if url else entry.heading,
            "alternateName": list(synonyms),
            "description": jsonld.words(entry.text),
            "possibleTreatment": jsonld.therapy(entry.treatment),
        }
    )


def _list(document: ArticleDocument, url: str, views: list[EntryView], conditions: list[Node]) -> Node | None:
    """The numbered conditions. Their order is none of rank."""
    if not views:
        return None
    return {
        "@type": "ItemList",
        "@id": f"{url}#list",
        "name": document.entries_heading,
        "itemListOrder": "https://schema.org/ItemListUnordered",
        "numberOfItems": len(views),
        "itemListElement": [
            {"@type": "ListItem", "position": view.number, "name": view.entry.heading, "item": ref(condition["@id"])}
            for view, condition in zip(views, conditions, strict=True)
        ],
    }


def _topic(document: ArticleDocument, url: str, conditions: list[Node]) -> Node | None:
    """The complaint that the conditions cause, where the page calls it by that name."""
    said = " ".join([document.title, document.summary, document.tips_heading if document.tips else ""])
    if not (conditions and document.topic and document.topic.casefold() in said.casefold()):
        return None
    return known(
        {
            "@type": "MedicalSymptom",
            "@id": f"{url}#symptom",
            "name": document.topic,
            "cause": [ref(id_) for id_ in dict.fromkeys(node["@id"] for node in conditions)],
            "secondaryPrevention": jsonld.tips(document.tips),
        }
    )


def _has_emergency(document: ArticleDocument) -> bool:
    return any(sign.urgency == Urgency.EMERGENCY for sign in document.warning_signs)


def _sections(context: Mapping[str, Any], document: ArticleDocument) -> Iterator[Node]:
    if document.intro:
        yield jsonld.section(context, "introduction", "Overview")
    if _has_emergency(document):
        yield jsonld.section(context, "emergency", "SeeDoctor")
    if document.entries:
        yield jsonld.section(context, "conditions", "Causes", document.entries_heading)
    if document.tips:
        yield jsonld.section(context, "prevention", "Prevention", document.tips_heading)
    if document.warning_signs:
        yield jsonld.section(context, "see-a-doctor", "SeeDoctor", document.warning_signs_heading)


def _speakable(document: ArticleDocument) -> Node | None:
    """What is to be read aloud first: the emergency card."""
    if not _has_emergency(document):
        return None
    return {"@type": "SpeakableSpecification", "cssSelector": ["[aria-labelledby=emergency]"]}


def page_graph(context: Mapping[str, Any]) -> list[Node]:
    """A page about the site. Its line below the text shows the day of its edition, and no other."""
    document = context["document"]
    assert isinstance(document, PageDocument)
    type_ = "AboutPage" if context["publication"].slug == "about" else "WebPage"
    sources = jsonld.citations(context)
    page = known(
        jsonld.page_node(type_, context, name=document.title, description=document.summary)
        | {"dateModified": jsonld.dates(context)["dateModified"]}
        | jsonld.translations(context)
        | {"citation": [ref(node["@id"]) for node in sources]}
    )
    return [page, *sources, *jsonld.site_nodes(context)]


def person_graph(context: Mapping[str, Any]) -> list[Node]:
    """The profile of somebody who writes or reviews."""
    person, url = context["person"], context["canonical_url"]
    credential = jsonld.credential(person.credentials)
    if credential and person.medical and person.credentials_until:
        credential["expires"] = person.credentials_until.isoformat()
    website = web_address(person.website)
    node = known(
        {
            "@type": "Person",
            "@id": f"{url}#person",
            "url": url,
            "name": person.name,
            "honorificSuffix": person.credentials,
            "jobTitle": person.job_title,
            "description": jsonld.words(person.bio),
            "hasCredential": credential,
            "sameAs": website,
        }
    )
    page = jsonld.page_node("ProfilePage", context, name=person.name) | {"mainEntity": ref(node["@id"])}
    way = jsonld.breadcrumb(context)
    if way:
        page["breadcrumb"] = ref(way["@id"])
    return [page, node, *([way] if way else []), *jsonld.site_nodes(context)]


def home_graph(context: Mapping[str, Any]) -> list[Node]:
    """The site, and its newest articles. No SearchAction: search engines show no box for it any more."""
    lead = [context["lead"]] if context["lead"] else []
    return jsonld.collection(context, jsonld.titles([*lead, *context["articles"]]), context["chrome"].site.name)


def article_list_graph(context: Mapping[str, Any]) -> list[Node]:
    """A list of articles: all of them, those on a topic, or those of a month."""
    return jsonld.collection(context, jsonld.titles(context["articles"]))


def tag_list_graph(context: Mapping[str, Any]) -> list[Node]:
    return jsonld.collection(context, [(capfirst(tag.name), _tag_path(tag)) for tag in context["tags"]])


def person_list_graph(context: Mapping[str, Any]) -> list[Node]:
    return jsonld.collection(context, [(person.name, person.get_absolute_url()) for person in context["people"]])


def archive_graph(context: Mapping[str, Any]) -> list[Node]:
    months = [row["month"] for _year, rows in context["years"] for row in rows]
    named = [(date_format(month, "YEAR_MONTH_FORMAT"), (month.year, month.month)) for month in months]
    return jsonld.collection(context, [(name, reverse("blog:archive-month", args=at)) for name, at in named])


def _tag_path(tag: Any) -> str:
    return reverse("blog:tag-detail", args=[tag.slug])


PAGES = {
    "blog:home": home_graph,
    "blog:article-list": article_list_graph,
    "blog:tag-list": tag_list_graph,
    "blog:tag-detail": article_list_graph,
    "blog:archive": archive_graph,
    "blog:archive-month": article_list_graph,
    "blog:person-list": person_list_graph,
    "blog:person-detail": person_graph,
}

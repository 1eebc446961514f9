"""What a page says of itself in the vocabulary of schema.org, as JSON-LD.

Everything in it stands on the page too, in the same words: tests hold the two together, and hold the graph against
the vocabulary. Each builder takes the context of a template and gives nodes of one graph, which name one another by
`@id`. A node is there only where the page says what is in it; a review only while it holds (rule 3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse
from django.utils import timezone

from publishing.documents import Document, Person, PictureValue, Source, Tip
from publishing.models import Contributor, Edition, Publication, Trust
from publishing.richtext import plain

Node = dict[str, Any]
Builder = Callable[[Mapping[str, Any]], list[Node]]

# Inside a <script>, "<" could end it or open a comment; the two separators were no part of strings in old scripts.
_ESCAPES = {ord(character): f"\\u{ord(character):04X}" for character in "<>&\u2028\u2029"}
_SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?)])")

# The pages about the site by their slug, and what each is to the publisher.
POLICIES = {
    "editorial-policy": "publishingPrinciples",
    "corrections": "correctionsPolicy",
    "funding": "ownershipFundingInfo",
}
SOURCE_TYPES: dict[str, str | list[str]] = {
    "guideline": ["MedicalGuideline", "CreativeWork"],  # a guideline alone is no work that could be cited
    "review": "MedicalScholarlyArticle",
    "trial": "MedicalScholarlyArticle",
    "study": "MedicalScholarlyArticle",
    "web": "WebPage",
}
CONDITION = ["MedicalCondition", "MedicalCause"]  # `cause` takes a MedicalCause only

_pages: dict[str, Builder] = {}


def register_page(view_name: str, builder: Builder) -> None:
    """Give the pages of a view, which show no document, their structured data."""
    _pages[view_name] = builder


def graph_of(context: Mapping[str, Any]) -> list[Node]:
    """The nodes of the page that has this context; none for a preview, an older edition, or a page of no builder."""
    from publishing.kinds import kinds

    request = context.get("request")
    if request is None or "canonical_url" not in context:  # a page of an error has none
        return []
    if "document" in context:
        is_page = context["is_live"] and context["canonical_url"] == absolute(request.path)
        builder = kinds[context["document"].kind].json_ld if is_page else None
    else:
        match = request.resolver_match
        builder = _pages.get(match.view_name) if match else None
    return merged(builder(context)) if builder else []


def merged(nodes: Iterable[Node]) -> list[Node]:
    """The nodes, each once: the first that says what something is."""
    found: dict[str, Node] = {}
    for node in nodes:
        found.setdefault(node["@id"], node)
    return list(found.values())


def dump(nodes: list[Node]) -> str:
    """The graph as JSON that is safe inside a `<script>`."""
    graph = {"@context": "https://schema.org", "@graph": nodes}
    return json.dumps(graph, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder).translate(_ESCAPES)


def words(html: str) -> str:
    """The words of rich text on one line, without the numbers of its sources."""
    return _SPACE_BEFORE_STOP.sub("", " ".join(plain(html).split()))


def absolute(path: str) -> str:
    return settings.SITE_URL + path


def ref(id_: str) -> Node:
    return {"@id": id_}


def known(node: Node) -> Node:
    """The node without what is empty."""
    return {key: value for key, value in node.items() if value not in ("", None, [], {}, ())}


# --- The site and its people -------------------------------------------------------------------------------------


def site_id() -> str:
    return absolute("/#site")


def publisher_id() -> str:
    return absolute("/#publisher")


def site_nodes(context: Mapping[str, Any]) -> list[Node]:
    """The site and who publishes it, with the policies whose pages are live."""
    chrome = context["chrome"]
    policies = {
        POLICIES[page.slug]: absolute(page.get_absolute_url()) for page in chrome.pages if page.slug in POLICIES
    }
    return [
        {
            "@type": "WebSite",
            "@id": site_id(),
            "url": absolute("/"),
            "name": chrome.site.name,
            "publisher": ref(publisher_id()),
        },
        {
            "@type": "Organization",
            "@id": publisher_id(),
            "name": chrome.site.publisher or chrome.site.name,
            "url": absolute("/"),
            **policies,
            "actionableFeedbackPolicy": absolute(reverse("report")),
        },
    ]


def credential(text: str) -> Node | None:
    return {"@type": "EducationalOccupationalCredential", "name": text} if text else None


def author_node(context: Mapping[str, Any], number: int, person: Person, path: str) -> Node:
    """Somebody who wrote the document, named as it names them; `path` is of their profile, '' without one."""
    url = absolute(path) if path else ""
    return known(
        {
            "@type": "Person",
            "@id": f"{url}#person" if url else f"{context['canonical_url']}#author-{number}",
            "name": person.name,
            "honorificSuffix": person.credentials,
            "hasCredential": credential(person.credentials),
            "url": url,
        }
    )


def author_nodes(context: Mapping[str, Any]) -> list[Node]:
    links = enumerate(context["authors"], start=1)
    return [author_node(context, number, link.person, link.url) for number, link in links]


def reviewer_node(publication: Publication) -> Node | None:
    """The clinician who signed the text, while that holds; by the name that the page shows, which has credentials."""
    reviewer: Contributor | None = publication.reviewer
    if reviewer is None or publication.trust not in (Trust.REVIEWED, Trust.MINOR_CHANGES):
        return None
    name, _comma, credentials = publication.reviewer_name.partition(", ")
    url = absolute(reviewer.get_absolute_url())
    return known(
        {
            "@type": "Person",
            "@id": f"{url}#person",
            "name": name,
            "honorificSuffix": credentials,
            "hasCredential": credential(credentials),
            "url": url,
        }
    )


# --- A document --------------------------------------------------------------------------------------------------


def edition_of(context: Mapping[str, Any]) -> Edition:
    edition: Edition = context["edition"]
    return edition


def moment(at: datetime) -> str:
    """A time in the site's zone, whose day is the one that pages show."""
    return timezone.localtime(at).isoformat(timespec="seconds")


def dates(context: Mapping[str, Any]) -> Node:
    """When the text was first published, and when last changed: the days that the line under its title shows."""
    publication: Publication = context["publication"]
    assert publication.first_published is not None
    return {
        "datePublished": moment(publication.first_published),
        "dateModified": moment(edition_of(context).published_at),
    }


def review(publication: Publication, reviewer: Node | None) -> Node:
    """Who reviewed the page and when next; nothing where no review holds."""
    if reviewer is None or publication.reviewed_on is None or publication.trust_until is None:
        return {}
    return {
        "reviewedBy": ref(reviewer["@id"]),
        "lastReviewed": publication.reviewed_on.isoformat(),
        "expires": publication.trust_until.isoformat(),
    }


def page_node(type_: str, context: Mapping[str, Any], *, name: str, description: str = "") -> Node:
    """The page itself, as part of the site."""
    url = context["canonical_url"]
    document: Document | None = context.get("document")
    return known(
        {
            "@type": type_,
            "@id": f"{url}#page",
            "url": url,
            "name": name,
            "description": description,
            "inLanguage": document.language if document else "",
            "isPartOf": ref(site_id()),
            "publisher": ref(publisher_id()),
            "isAccessibleForFree": True,
        }
    )


def translations(context: Mapping[str, Any]) -> Node:
    """The pages of the same text in other languages."""
    family = context["translations"]
    pages = [
        {"@type": "WebPage", "@id": f"{other.url}#page", "url": other.url, "inLanguage": other.language}
        for other in family.others
    ]
    if family.publication.translation_of_id is None:
        return known({"workTranslation": pages})
    original = family.original
    return {"translationOfWork": next(page for page in pages if page["url"] == original.url)} if original else {}


def section(context: Mapping[str, Any], anchor: str, aspect: str, headline: str = "") -> Node:
    """A part of the page that answers one question on health. NHS has an aspect for emergencies; schema.org none."""
    url = f"{context['canonical_url']}#{anchor}"
    return known(
        {
            "@type": "HealthTopicContent",
            "@id": url,
            "url": url,
            "hasHealthAspect": f"https://schema.org/{aspect}HealthAspect",
            "headline": headline,
        }
    )


def citations(context: Mapping[str, Any]) -> list[Node]:
    numbered = enumerate(context["document"].citations, start=1)
    return [source_node(source, f"{context['canonical_url']}#source-{number}") for number, source in numbered]


def source_node(source: Source, id_: str) -> Node:
    """A source of evidence with its lasting numbers."""
    type_ = SOURCE_TYPES.get(source.kind, "CreativeWork")
    year = str(source.year) if source.year else ""
    publisher = known({"@type": "Organization", "name": source.publisher}) if source.publisher else None
    journal = known({"@type": "Periodical", "name": source.publisher}) if source.publisher else None
    is_paper = type_ == "MedicalScholarlyArticle"
    numbers = (("doi", source.doi), ("pmid", source.pmid))
    return known(
        {
            "@type": type_,
            "@id": id_,
            "name": source.title,
            "url": source.url,
            "datePublished": year,
            "guidelineDate": year if "MedicalGuideline" in type_ else "",
            "isPartOf": journal if is_paper else None,
            "publisher": None if is_paper else publisher,
            "identifier": [
                {"@type": "PropertyValue", "propertyID": name, "value": value} for name, value in numbers if value
            ],
        }
    )


def picture(context: Mapping[str, Any], value: PictureValue | None) -> Node | None:
    """A picture of the document in its largest form, with the words that stand below it."""
    row = context["pictures"].get(value.content_hash) if value else None
    if row is None or value is None:
        return None
    return known(
        {
            "@type": "ImageObject",
            "url": _whole(row.url),
            "caption": value.caption,
            "creditText": value.credit,
        }
    )


def _whole(url: str) -> str:
    """The address of a file, which may be on another host."""
    return url if "://" in url else absolute(url)


def tips(values: Iterable[Tip]) -> list[Node]:
    """What somebody can do. `primaryPrevention` takes therapies only, so these go under `secondaryPrevention`."""
    return [
        known({"@type": "LifestyleModification", "name": tip.name, "description": words(tip.text)}) for tip in values
    ]


def therapy(html: str) -> list[Node]:
    """How something is treated, in the words of the page."""
    return [{"@type": "MedicalTherapy", "description": words(html)}] if html else []


def correction(context: Mapping[str, Any]) -> Node:
    """What the live edition changed, in the words of its note."""
    edition = edition_of(context)
    if edition.number == 1 or not edition.note:
        return {}
    day = moment(edition.published_at)
    return {"correction": {"@type": "CorrectionComment", "datePublished": day, "text": edition.note}}


# --- Lists -------------------------------------------------------------------------------------------------------


def breadcrumb(context: Mapping[str, Any], *trail: tuple[str, str]) -> Node | None:
    """The way to a page, (name, path) of each step, the page itself last; None where there is nothing above it.

    The trail that the page shows, where its context has one as `crumbs`; else the one given.
    """
    steps = context.get("crumbs") or trail
    if len(steps) < 2:
        return None
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": {"@type": "WebPage", "@id": absolute(path)}}
        for position, (name, path) in enumerate(steps, start=1)
    ]
    return {"@type": "BreadcrumbList", "@id": f"{context['canonical_url']}#breadcrumb", "itemListElement": items}


def list_node(url: str, links: Iterable[tuple[str, str]]) -> Node | None:
    """The links of a list, (name, path), in their order; None where there is none."""
    items = [
        {"@type": "ListItem", "position": position, "name": name, "url": absolute(path)}
        for position, (name, path) in enumerate(links, start=1)
    ]
    if not items:
        return None
    return {"@type": "ItemList", "@id": f"{url}#list", "numberOfItems": len(items), "itemListElement": items}


def collection(context: Mapping[str, Any], links: Iterable[tuple[str, str]], name: str = "") -> list[Node]:
    """A page that lists others; its name is the last of its trail, unless told."""
    page = page_node("CollectionPage", context, name=name or context["crumbs"][-1][0])
    found, way = list_node(context["canonical_url"], links), breadcrumb(context)
    if found:
        page["mainEntity"] = ref(found["@id"])
    if way:
        page["breadcrumb"] = ref(way["@id"])
    return [page, *(node for node in (found, way) if node), *site_nodes(context)]


def titles(publications: Iterable[Publication]) -> list[tuple[str, str]]:
    return [(publication.title, publication.get_absolute_url()) for publication in publications]

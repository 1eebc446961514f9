"""The read-only API: what the pages show, as data. Made of the same documents, and guarded by the same rules.

Django Ninja checks what comes in, writes what goes out, and describes both as OpenAPI 3.1. Every error is a problem of
RFC 9457. Lists are paged by key with a capped limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from http import HTTPStatus
from types import SimpleNamespace
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, URLResolver, path, re_path, reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Path, Query, Schema
from ninja.errors import ValidationError
from pydantic import Field
from taggit.models import Tag

from blog.documents import ArticleDocument
from blog.feeds import absolute, items_of, picture_file
from blog.search import search
from blog.views import ARTICLE, CONDITION, live_people, live_tags, page_after
from conditions.documents import ConditionDocument
from publishing.documents import Document, Origin, PictureValue, Urgency
from publishing.models import BodyArea, Contribution, Edition, Level, Publication, SiteSettings, Trust
from publishing.open_data import open_data, rendition_of
from publishing.pages import may_be_indexed
from publishing.richtext import clean
from publishing.templatetags.documents import emergency_heading, twin, web_address
from publishing.views import Gone, Moved, edition_document, live_document, live_publication

_CODE = re.compile("`([^`]+)`")
MOST = 100  # items that one answer may hold
PROBLEM = "application/problem+json"
DESCRIPTION = """\
Articles, the library of conditions, who wrote and reviewed them, and every edition they ever had. It takes questions
only (GET and HEAD), needs no key, sets no cookie, and may be asked from any web page.

A text comes as the very document that its edition stores (`document`) and as HTML to show (`html`). Rich text holds
`[@key]` where a source is cited; the number of a source is its place in `document.citations`. Show the warning signs
first, by their urgency, and say what the review says: `review.state` is `reviewed` only while a clinician's
signature covers these words. Where `origin` is set, the text belongs to somebody else: name them, and keep to
`origin.licence`.

Ask again with `If-None-Match` and the ETag of the last answer: 304 means that nothing has changed. Text that was
withdrawn answers 410 with the reason; take it down. An address that has changed answers 301. Errors are problems as
RFC 9457 describes them.
"""


# --- What comes out ----------------------------------------------------------------------------------------------


class Problem(Schema):
    """What went wrong (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: the status says what kind of problem it is.")
    title: str = Field(description="The HTTP status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What went wrong, in a sentence.", examples=["There is nothing at this address."])


class BadParameter(Schema):
    parameter: str = Field(examples=["limit"])
    detail: str = Field(examples=["Input should be less than or equal to 100"])


class Invalid(Problem):
    """The question cannot be understood."""

    errors: list[BadParameter]


class Withdrawn(Problem):
    """It was public once, and was taken away."""

    gone: str = Field(description="The title of what is gone.", examples=["Back pain"])
    reason: str = Field(examples=["It was withdrawn for revision."])
    gone_since: datetime | None


class Review(Schema):
    """What a page may say of its medical review."""

    state: Trust = Field(
        description="reviewed: a clinician signed exactly these words. minor-changes: since then only small things "
        "changed. overdue: the review should have been renewed. not-reviewed: nobody has signed them."
    )
    reviewer: str | None = Field(None, description="Name and credentials as signed.", examples=["Rita Reviewer, MD"])
    reviewed_on: date | None = None
    valid_until: date | None = Field(None, description="When the review falls due again.")
    record_url: str = Field(description="The public record of all signatures.")


class EditionSummary(Schema):
    number: int = Field(examples=[3])
    level: Level = Field(description="A minor edition leaves warning signs, treatments and sources as they were.")
    note: str = Field(description="What changed, in the editors' words.")
    published: datetime
    fingerprint: str = Field(description="The SHA-256 of the stored text: what a signature covers.")
    url: str = Field(description="The page of this edition.")


class Picture(Schema):
    url: str
    width: int = Field(description="Of the original, in pixels.")
    height: int
    alt: str = ""


class TextSummary(Schema):
    """A live text, without its words."""

    id: str = Field(description="A UUID that never changes, whatever becomes of address and title.")
    kind: Literal["article", "condition"]
    slug: str = Field(examples=["back-pain"])
    title: str
    summary: str
    language: str = Field(examples=["en"])
    url: str = Field(description="The page for people: link to it.")
    api_url: str = Field(description="The whole text in this API.")
    markdown_url: str = Field(description="The text as Markdown.")
    published: datetime = Field(description="When it was first published.")
    updated: datetime = Field(description="When the live edition was published.")
    edition: int = Field(description="The number of the live edition.")
    review: Review
    urgency: Urgency | None = Field(None, description="How soon to act: of a condition as a whole.")
    body_area: BodyArea | None = None
    other_names: list[str] = Field(description="What a condition is also called.")
    words: int
    syndicated: bool = Field(description="Somebody else published it first.")
    indexable: bool = Field(description="Whether this site invites search engines to list it.")
    picture: str | None = Field(None, description="The address of the lead picture.")


class Sign(Schema):
    """A warning sign, and how soon a reader who has it must act."""

    text: str
    urgency: Urgency


class Author(Schema):
    id: str
    name: str
    credentials: str
    medical: bool = Field(description="Medically qualified.")


class TextDetail(TextSummary):
    tags: list[str] = Field(description="Slugs of its topics.")
    authors: list[Author]
    live_edition: EditionSummary
    html: str = Field(description="The text to be shown: emergencies first, sources as [1], addresses whole.")
    origin: Origin | None = Field(None, description="Who published it first, and on what terms it is shown.")
    picture_value: PictureValue | None = Field(None, description="The lead picture with its words and credit.")


class ArticleDetail(TextDetail):
    """A whole article."""

    warning_signs: list[Sign] = Field(description="Most urgent first. Show emergencies above everything.")
    emergency_action: str | None = Field(None, description="The one thing to do, above the signs of an emergency.")
    conditions: list[str] = Field(description="Slugs of the live conditions that it names, in their order.")
    document: ArticleDocument


class ConditionDetail(TextDetail):
    """A whole condition."""

    document: ConditionDocument


class EditionDetail(EditionSummary):
    """A text as it was published. It may be out of date: the live text is at `text_url`."""

    title: str
    live: bool
    text_url: str
    document: ArticleDocument | ConditionDocument = Field(discriminator="kind")


class PersonSummary(Schema):
    id: str
    slug: str
    name: str
    credentials: str
    job_title: str
    medical: bool = Field(description="Medically qualified, so that they can sign a review.")
    url: str
    website: str | None = None
    written: int = Field(description="How many live texts they wrote.")
    reviewed: int = Field(description="How many live texts they reviewed.")


class PersonDetail(PersonSummary):
    bio: str = Field(description="HTML.")


class TagSummary(Schema):
    slug: str
    name: str
    url: str
    count: int = Field(description="How many live texts carry it.")


class SearchHit(Schema):
    kind: Literal["article", "condition", "page", "person"]
    title: str
    language: str
    url: str
    extract: str = Field(description="Where the text says it.")
    extract_url: str = Field(description="The address of that very part of the page.")


class EmergencyHit(Schema):
    """A sign of an emergency that the question names. Show it before all else."""

    text: str
    url: str


class TextPage(Schema):
    items: list[TextSummary]
    next: str | None = Field(None, description="The address of the next page; none after the last.")


class EditionPage(Schema):
    items: list[EditionSummary]
    next: str | None = None


class PersonPage(Schema):
    items: list[PersonSummary]
    next: str | None = None


class TagPage(Schema):
    items: list[TagSummary]
    next: str | None = None


class SearchPage(Schema):
    emergencies: list[EmergencyHit]
    items: list[SearchHit]
    total: int = Field(description="How many were found, counted up to a limit.")
    corrected: str | None = Field(None, description="What was looked for instead, where a word was misspelt.")
    next: str | None = None


# --- What goes in ------------------------------------------------------------------------------------------------

NAME = r"^[^\x00-\x1f/]+$"
Limit = Annotated[int, Query(ge=1, le=MOST, description=f"How many items, at most {MOST}.", examples=[20])]
Cursor = Annotated[str, Query(max_length=60, pattern=r"^[0-9T.-]*$", description="Where the next page begins.")]
After = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$", description="Where the next page begins.")]
Before = Annotated[int, Query(ge=1, lt=2**31, description="Only editions with a smaller number.")]
TagSlug = Annotated[str | None, Query(max_length=100, pattern=NAME, description="Only with this topic.")]
SLUG: dict[str, Any] = {"max_length": 120, "pattern": r"^[-a-zA-Z0-9_]+$"}
ConditionSlug = Annotated[str | None, Query(**SLUG, description="Only what names this condition.")]
AuthorSlug = Annotated[str | None, Query(**SLUG, description="Only what this person wrote.")]
ReviewerSlug = Annotated[str | None, Query(**SLUG, description="Only what this person reviewed.")]
Language = Annotated[
    str | None, Query(max_length=12, pattern=r"^[A-Za-z-]+$", description="Only in this language, such as de.")
]
Area = Annotated[BodyArea | None, Query(description="Only of this part of the body.")]
Number = Annotated[int, Path(ge=1, lt=2**31, description="The number of the edition.", examples=[1])]
TextSlug = Annotated[
    str, Path(max_length=120, description="The last part of the page's address.", examples=["back-pain"])
]
Question = Annotated[str, Query(max_length=1000, description="Words, however misspelt.", examples=["slipped disc"])]
Offset = Annotated[int, Query(ge=0, le=1000, description="How many to pass over.")]
Kind = Annotated[Literal["article", "condition", "page", "person"] | None, Query(description="Only of this kind.")]


class Api(NinjaAPI):
    """Its description keeps to OpenAPI where Ninja's does not: errors have their own media type, a parameter one
    example (there, `examples` are no list), and statuses are text."""

    schema: Any = None

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        """The description, made once: no request changes it, and it costs more than any page."""
        if self.schema is None:
            self.schema = self.make_openapi_schema(**kwargs)
        return self.schema

    def make_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for parameter in operation["parameters"]:
                    if examples := parameter.pop("examples", None):
                        parameter["example"] = examples[0]
                for status, response in operation["responses"].items():
                    if status >= HTTPStatus.BAD_REQUEST:
                        response["content"] = {PROBLEM: response["content"].pop("application/json")}
                operation["responses"] = {str(status): said for status, said in operation["responses"].items()}
        return schema


api = Api(
    title="Bedside",
    version="1",
    description=DESCRIPTION,
    docs_url=None,
    openapi_url="openapi.json",
    urls_namespace="api",
    openapi_extra={
        "tags": [
            {"name": "Texts", "description": "Articles and conditions that are live, and all their editions."},
            {"name": "People and topics", "description": "Who wrote and reviewed them, and what they are about."},
            {"name": "Search", "description": "By lay and medical names."},
        ]
    },
)

NOT_FOUND: dict[int, Any] = {404: Problem}
UNCLEAR: dict[int, Any] = {422: Invalid}
GONE: dict[int, Any] = {410: Withdrawn}


# --- Texts -------------------------------------------------------------------------------------------------------


def _summary(publication: Publication, site: SiteSettings) -> dict[str, Any]:
    assert publication.live is not None
    page = publication.get_absolute_url()
    return {
        "id": str(publication.uuid),
        "kind": publication.kind,
        "slug": publication.slug,
        "title": publication.title,
        "summary": publication.summary,
        "language": publication.language,
        "url": absolute(page),
        "api_url": absolute(reverse(f"api:{publication.kind}", args=[publication.slug])),
        "markdown_url": absolute(twin(publication, "md")),
        "published": publication.first_published,
        "updated": publication.live.published_at,
        "edition": publication.live.number,
        "review": {
            "state": Trust(publication.trust),
            "reviewer": publication.reviewer_name or None,
            "reviewed_on": publication.reviewed_on,
            "valid_until": publication.trust_until,
            "record_url": absolute(f"{page}trust.json"),
        },
        "urgency": Urgency(publication.urgency) if publication.urgency else None,
        "body_area": BodyArea(publication.body_area) if publication.body_area in BodyArea.values else None,
        "other_names": publication.other_names,
        "words": publication.words,
        "syndicated": publication.syndicated,
        "indexable": may_be_indexed(publication, site),
        "picture": picture_file(publication.picture) or None,
    }


def _list(request: HttpRequest, publications: Any, cursor: str, limit: int) -> dict[str, Any]:
    site = SiteSettings.load()
    found, older = page_after(publications, cursor, limit)
    return {"items": [_summary(row, site) for row in found], "next": _next(request, "cursor", older)}


def _next(request: HttpRequest, name: str, key: Any) -> str | None:
    """The address asked for, at the next page."""
    if not key:
        return None
    query = request.GET.copy()
    query[name] = str(key)
    return absolute(f"{request.path}?{query.urlencode()}")


def _detail(publication: Publication) -> dict[str, Any]:
    site = SiteSettings.load()
    document = live_document(publication)
    [item] = items_of([publication], site)
    assert publication.live is not None
    return _summary(publication, site) | {
        "tags": list(publication.tags.order_by("name").values_list("slug", flat=True)),
        "authors": [
            {"id": person.uuid, "name": person.name, "credentials": person.credentials, "medical": person.medical}
            for person in document.authors
        ],
        "live_edition": _edition(publication.live, publication),
        "html": item.html,
        "origin": getattr(document, "origin", None),
        "picture_value": getattr(document, "picture", None),
        "document": document,
    }


def _edition(edition: Edition, publication: Publication) -> dict[str, Any]:
    return {
        "number": edition.number,
        "level": Level(edition.level),
        "note": edition.note,
        "published": edition.published_at,
        "fingerprint": edition.fingerprint,
        "url": absolute(f"{publication.get_absolute_url()}editions/{edition.number}/"),
    }


@api.get(
    "v1/articles",
    response={200: TextPage, **NOT_FOUND, **UNCLEAR},
    operation_id="listArticles",
    url_name="articles",
    tags=["Texts"],
    summary="Articles, newest first",
)
def list_articles(
    request: HttpRequest,
    limit: Limit = 20,
    cursor: Cursor = "",
    tag: TagSlug = None,
    condition: ConditionSlug = None,
    author: AuthorSlug = None,
    reviewer: ReviewerSlug = None,
    language: Language = None,
) -> Any:
    """Live articles by the time of their last major edition. Each filter takes a slug; together they narrow."""
    found = _filtered(ARTICLE, tag, author, reviewer, language)
    if condition:
        found = found.filter(mentions__condition__kind=CONDITION, mentions__condition__slug=condition)
    return _list(request, found.distinct(), cursor, limit)


@api.get(
    "v1/conditions",
    response={200: TextPage, **NOT_FOUND, **UNCLEAR},
    operation_id="listConditions",
    url_name="conditions",
    tags=["Texts"],
    summary="Conditions, newest first",
)
def list_conditions(
    request: HttpRequest,
    limit: Limit = 20,
    cursor: Cursor = "",
    tag: TagSlug = None,
    area: Area = None,
    author: AuthorSlug = None,
    reviewer: ReviewerSlug = None,
    language: Language = None,
) -> Any:
    """Live conditions of the library by the time of their last major edition."""
    found = _filtered(CONDITION, tag, author, reviewer, language)
    return _list(request, found.filter(body_area=area) if area else found, cursor, limit)


def _filtered(kind: str, tag: str | None, author: str | None, reviewer: str | None, language: str | None) -> Any:
    found = Publication.objects.of_kind(kind)
    if tag:
        found = found.filter(pk__in=Publication.objects.filter(tags__slug=tag).values("pk"))
    for slug, role in ((author, Contribution.Role.AUTHOR), (reviewer, Contribution.Role.REVIEWER)):
        if slug:
            theirs = Contribution.objects.filter(contributor__slug=slug, role=role)
            found = found.filter(pk__in=theirs.values("publication"))
    return found.filter(language__iexact=language) if language else found


@api.get(
    "v1/articles/{slug:slug}",
    response={200: ArticleDetail, **NOT_FOUND, **GONE, **UNCLEAR},
    by_alias=True,
    operation_id="getArticle",
    url_name="article",
    tags=["Texts"],
    summary="One article, whole",
)
def get_article(request: HttpRequest, response: HttpResponse, slug: TextSlug) -> Any:
    """The live edition: its words, warning signs by urgency, sources, authors and review."""
    publication = live_publication(ARTICLE, slug)
    detail = _detail(publication)
    document: ArticleDocument = detail["document"]
    order = list(Urgency)
    signs = sorted(document.warning_signs, key=lambda sign: order.index(sign.urgency))
    named = publication.mentions.filter(condition__live__isnull=False).order_by("position")
    rendition_of(publication, response)
    return detail | {
        "warning_signs": [{"text": sign.text, "urgency": sign.urgency} for sign in signs],
        "emergency_action": _action(document) if any(sign.urgency == Urgency.EMERGENCY for sign in signs) else None,
        "conditions": list(named.values_list("condition__slug", flat=True)),
    }


def _action(document: Document) -> str:
    with translation.override(document.language):
        return str(emergency_heading({"document": document, "chrome": SimpleNamespace(site=SiteSettings.load())}))


@api.get(
    "v1/conditions/{slug:slug}",
    response={200: ConditionDetail, **NOT_FOUND, **GONE, **UNCLEAR},
    by_alias=True,
    operation_id="getCondition",
    url_name="condition",
    tags=["Texts"],
    summary="One condition, whole",
)
def get_condition(request: HttpRequest, response: HttpResponse, slug: TextSlug) -> Any:
    """The live edition. Articles that name it: `listArticles` with `condition`."""
    publication = live_publication(CONDITION, slug)
    rendition_of(publication, response)
    return _detail(publication)


def _editions(request: HttpRequest, kind: str, slug: str, limit: int, before: int) -> dict[str, Any]:
    publication = live_publication(kind, slug)
    found = list(publication.editions.filter(number__lt=before)[: limit + 1])
    more = found[limit - 1].number if len(found) > limit else None
    rows = [_edition(edition, publication) for edition in found[:limit]]
    return {"items": rows, "next": _next(request, "before", more)}


def _one_edition(kind: str, slug: str, number: int) -> dict[str, Any]:
    publication = live_publication(kind, slug)
    edition = get_object_or_404(publication.editions, number=number)
    document = edition_document(edition)
    return _edition(edition, publication) | {
        "title": document.columns().title,
        "live": edition.pk == publication.live_id,
        "text_url": absolute(reverse(f"api:{kind}", args=[publication.slug])),
        "document": document,
    }


EDITIONS: dict[str, Any] = {"response": {200: EditionPage, **NOT_FOUND, **GONE, **UNCLEAR}, "tags": ["Texts"]}
EDITION: dict[str, Any] = {
    "response": {200: EditionDetail, **NOT_FOUND, **GONE, **UNCLEAR},
    "by_alias": True,
    "tags": ["Texts"],
}


@api.get(
    "v1/articles/{slug:slug}/editions",
    operation_id="listArticleEditions",
    url_name="article-editions",
    summary="Every edition of an article, newest first",
    **EDITIONS,
)
def list_article_editions(request: HttpRequest, slug: TextSlug, limit: Limit = 20, before: Before = 2**31 - 1) -> Any:
    """What was published when, at which level, and what changed."""
    return _editions(request, ARTICLE, slug, limit, before)


@api.get(
    "v1/articles/{slug:slug}/editions/{int:number}",
    operation_id="getArticleEdition",
    url_name="article-edition",
    summary="One edition of an article",
    **EDITION,
)
def get_article_edition(request: HttpRequest, slug: TextSlug, number: Number) -> Any:
    """The words as they were published. 410 where a text was taken away for good."""
    return _one_edition(ARTICLE, slug, number)


@api.get(
    "v1/conditions/{slug:slug}/editions",
    operation_id="listConditionEditions",
    url_name="condition-editions",
    summary="Every edition of a condition, newest first",
    **EDITIONS,
)
def list_condition_editions(request: HttpRequest, slug: TextSlug, limit: Limit = 20, before: Before = 2**31 - 1) -> Any:
    """What was published when, at which level, and what changed."""
    return _editions(request, CONDITION, slug, limit, before)


@api.get(
    "v1/conditions/{slug:slug}/editions/{int:number}",
    operation_id="getConditionEdition",
    url_name="condition-edition",
    summary="One edition of a condition",
    **EDITION,
)
def get_condition_edition(request: HttpRequest, slug: TextSlug, number: Number) -> Any:
    """The words as they were published. 410 where a text was taken away for good."""
    return _one_edition(CONDITION, slug, number)


# --- People, topics, search --------------------------------------------------------------------------------------


def _person(person: Any) -> dict[str, Any]:
    return {
        "id": str(person.uuid),
        "slug": person.slug,
        "name": person.name,
        "credentials": person.credentials,
        "job_title": person.job_title,
        "medical": person.medical,
        "url": absolute(person.get_absolute_url()),
        "website": web_address(person.website) or None,
        "written": person.written,
        "reviewed": person.reviewed,
    }


@api.get(
    "v1/people",
    response={200: PersonPage, **UNCLEAR},
    operation_id="listPeople",
    url_name="people",
    tags=["People and topics"],
    summary="Authors and reviewers, by slug",
)
def list_people(request: HttpRequest, limit: Limit = 20, after: After = "") -> Any:
    """Everybody who wrote or reviewed what is live."""
    found = list(live_people().filter(slug__gt=after).order_by("slug")[: limit + 1])
    more = found[limit - 1].slug if len(found) > limit else None
    return {"items": [_person(row) for row in found[:limit]], "next": _next(request, "after", more)}


@api.get(
    "v1/people/{slug:slug}",
    response={200: PersonDetail, **NOT_FOUND, **UNCLEAR},
    operation_id="getPerson",
    url_name="person",
    tags=["People and topics"],
    summary="One author or reviewer",
)
def get_person(request: HttpRequest, slug: TextSlug) -> Any:
    """Their profile. Their texts: `listArticles` and `listConditions` with `author` or `reviewer`."""
    person = get_object_or_404(live_people(), slug=slug)
    return _person(person) | {"bio": clean(person.bio)}


@api.get(
    "v1/tags",
    response={200: TagPage, **UNCLEAR},
    operation_id="listTags",
    url_name="tags",
    tags=["People and topics"],
    summary="Topics, by slug",
)
def list_tags(request: HttpRequest, limit: Limit = 20, after: After = "") -> Any:
    """Topics of what is live. Their texts: `listArticles` and `listConditions` with `tag`."""
    found = list(live_tags().filter(slug__gt=after).order_by("slug")[: limit + 1])
    more = found[limit - 1].slug if len(found) > limit else None
    return {
        "items": [
            {"slug": tag.slug, "name": tag.name, "count": tag.count, "url": absolute(_tag_page(tag))}
            for tag in found[:limit]
        ],
        "next": _next(request, "after", more),
    }


def _tag_page(tag: Tag) -> str:
    return reverse("blog:tag-detail", args=[tag.slug])


@api.get(
    "v1/search",
    response={200: SearchPage, **UNCLEAR},
    operation_id="search",
    url_name="search",
    tags=["Search"],
    summary="Search in all that is live",
)
def search_texts(
    request: HttpRequest,
    q: Question,
    limit: Limit = 10,
    offset: Offset = 0,
    kind: Kind = None,
    area: Area = None,
    reviewed: Annotated[bool, Query(description="Only what a clinician has reviewed.")] = False,
) -> Any:
    """Best first. Finds lay and medical names, and mends misspellings."""
    found = search(q, kind=kind or "", area=area or "", reviewed=reviewed, limit=limit, offset=offset)
    hits = [found.answer, *found.hits] if found.answer else found.hits
    more = offset + limit if offset + limit < min(found.total, 1000) else None
    return {
        "emergencies": [{"text": row.text, "url": absolute(row.url)} for row in found.emergencies],
        "items": [
            {
                "kind": hit.kind,
                "title": hit.title,
                "language": hit.language,
                "url": absolute(hit.url),
                "extract": "".join(text for text, _marked in hit.extract.segments),
                "extract_url": absolute(hit.part_url or hit.url),
            }
            for hit in hits
        ],
        "total": found.total,
        "corrected": found.corrected or None,
        "next": _next(request, "offset", more),
    }


# --- Errors ------------------------------------------------------------------------------------------------------


def problem(status: int, detail: str, **more: Any) -> JsonResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JsonResponse(body | more, status=status, content_type=PROBLEM)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(404, "There is nothing at this address.")


@api.exception_handler(Gone)
def _gone(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(410, "This was taken off the site.", gone=error.title, reason=error.reason, gone_since=error.at)


@api.exception_handler(Moved)
def _moved(request: HttpRequest, error: Any) -> HttpResponse:
    match = request.resolver_match
    assert match is not None
    kwargs = {**match.captured_kwargs, "slug": error.slug}  # type: ignore[attr-defined]  # missing in the stubs
    return HttpResponsePermanentRedirect(reverse(match.view_name, kwargs=kwargs))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    errors = [{"parameter": str(row["loc"][-1]), "detail": str(row["msg"])} for row in error.errors]
    return problem(422, "A parameter has a value that it cannot have.", errors=errors)


# --- Addresses ---------------------------------------------------------------------------------------------------


def _answered(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view of Ninja's, which also answers HEAD, and refuses other methods as a problem."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        method = request.method
        if method not in ("GET", "HEAD"):
            refused = problem(405, "Only GET and HEAD are answered here: nothing can be changed.")
            refused.headers["Allow"] = "GET, HEAD"
            return refused
        request.method = "GET"  # the server leaves out the body
        try:
            response = view(request, *args, **kwargs)
        finally:
            request.method = method
        response.headers.setdefault("X-Robots-Tag", "noindex")
        return response

    return open_data(wrapped)


def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    return problem(404, "There is nothing at this address.")


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """The API described for people, from its own description for programs."""
    schema = api.get_openapi_schema()
    operations = [
        operation | {"path": address, "example": _example(address, operation)}
        for address, methods in schema["paths"].items()
        for operation in methods.values()
    ]
    groups = [
        (group["name"], group["description"], [row for row in operations if group["name"] in row["tags"]])
        for group in schema["tags"]
    ]
    context = {
        "groups": groups,
        "paragraphs": [mark_safe(_CODE.sub(r"<code>\1</code>", escape(text))) for text in DESCRIPTION.split("\n\n")],
        "most": MOST,
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "blog/api.html", context)


def _example(address: str, operation: dict[str, Any]) -> str:
    """An address that can be tried at once; none where it needs to be known what there is."""
    if "{" in address:
        return ""
    needed = [row["name"] for row in operation["parameters"] if row["required"]]
    return f"{address}?q=slipped+disc" if needed else f"{address}?limit=2"


def api_urls() -> list[URLPattern | URLResolver]:
    patterns, app, namespace = api.urls
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)
        pattern.callback = _answered(pattern.callback)
    return [
        path("api/", documentation, name="api"),
        path("api/", (patterns, app, namespace)),
        # Unlike <path:rest>, with line ends in it.
        re_path(r"^api/(?P<rest>[\s\S]+)\Z", _answered(unknown), name="api-unknown"),
    ]

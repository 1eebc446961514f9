"""The public pages of articles, tags, people, and about the site."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Subquery
from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from taggit.models import Tag

from conditions.views import first_letters, live_areas
from publishing.crumbs import crumbs
from publishing.documents import Document, Urgency
from publishing.models import Contribution, Contributor, FormerTag, Publication
from publishing.views import DocumentPage

PAGE_SIZE = 20
ARTICLE, CONDITION, PAGE = "article", "condition", "page"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The front page. Eight queries with the frame's two, whatever is on the site."""
    articles = list(Publication.objects.of_kind(ARTICLE).listed()[:7])
    conditions = Publication.objects.live().of_kind(CONDITION)
    context = {
        "lead": articles[0] if articles else None,
        "articles": articles[1:],
        "emergencies": list(conditions.filter(urgency=Urgency.EMERGENCY).order_by("title")[:8]),
        "letters": first_letters(conditions),
        "conditions": list(conditions.order_by("-listed_at", "-pk")[:12]),
        "areas": live_areas(conditions),
        "tags": list(live_tags().order_by("-count", "name")[:20]),
        "changed": list(changed()[:4]),
        "crumbs": crumbs(),
        "canonical_url": f"{settings.SITE_URL}/",
    }
    return render(request, "blog/home.html", context)


@require_safe
def article_list(request: HttpRequest) -> HttpResponse:
    articles, older = paged(request, Publication.objects.of_kind(ARTICLE))
    context = {
        "articles": articles,
        "older": older,
        "first_page": "before" not in request.GET,
        "crumbs": crumbs((_("Articles"), request.path)),
        "canonical_url": paged_url(request),
    }
    return render(request, "blog/article_list.html", context)


class ArticlePage(DocumentPage):
    def more(self, publication: Publication, document: Document) -> dict[str, Any]:
        return {"related": related_articles(publication), "neighbours": neighbours(publication)}


def neighbours(publication: Publication) -> dict[str, Publication]:
    """The next `older` and `newer` article in the language of this one, as the lists are sorted. One query."""
    at, pk = publication.listed_at, publication.pk
    articles = Publication.objects.of_kind(ARTICLE).live().filter(language=publication.language)
    older = articles.filter(Q(listed_at__lt=at) | Q(listed_at=at, pk__lt=pk)).order_by("-listed_at", "-pk")
    newer = articles.filter(Q(listed_at__gt=at) | Q(listed_at=at, pk__gt=pk)).order_by("listed_at", "pk")
    both = articles.filter(Q(pk=Subquery(older.values("pk")[:1])) | Q(pk=Subquery(newer.values("pk")[:1])))
    rows = both.only("kind", "slug", "title", "listed_at")
    return {"older" if (row.listed_at, row.pk) < (at, pk) else "newer": row for row in rows}


def related_articles(publication: Publication, limit: int = 3) -> list[Publication]:
    """Articles in this language that share conditions or tags with this one, those with the most in common first."""
    conditions = publication.mentions.values("condition")
    tags = publication.tagged.values("tag")
    shared_conditions = Count("mentions", filter=Q(mentions__condition__in=conditions), distinct=True)
    shared_tags = Count("tagged", filter=Q(tagged__tag__in=tags), distinct=True)
    return list(
        Publication.objects.of_kind(ARTICLE)
        .live()
        .filter(language=publication.language)
        .exclude(pk=publication.pk)
        .filter(Q(mentions__condition__in=conditions) | Q(tagged__tag__in=tags))
        .annotate(shared=shared_conditions + shared_tags)
        .select_related("picture")
        .order_by("-shared", "-listed_at", "-pk")[:limit]
    )


@require_safe
def tag_list(request: HttpRequest) -> HttpResponse:
    context = {
        "tags": list(live_tags().order_by("name")),
        "crumbs": crumbs((_("Topics"), request.path)),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "blog/tag_list.html", context)


@require_safe
def tag_detail(request: HttpRequest, slug: str) -> HttpResponse:
    if "\0" in slug:
        raise Http404  # no tag has it, and PostgreSQL refuses to look for it
    tag = Tag.objects.filter(slug=slug).first()
    if tag is None:
        former = get_object_or_404(FormerTag.objects.select_related("tag"), slug=slug)
        return redirect("blog:tag-detail", slug=former.tag.slug, permanent=True)
    articles, older = paged(request, Publication.objects.filter(tags=tag))
    if not articles and "before" not in request.GET:
        raise Http404  # a tag of drafts only is nobody's business
    context = {
        "tag": tag,
        "articles": articles,
        "older": older,
        "first_page": "before" not in request.GET,
        "crumbs": crumbs((_("Topics"), reverse("blog:tag-list")), (capfirst(tag.name), request.path)),
        "canonical_url": paged_url(request),
    }
    return render(request, "blog/tag_detail.html", context)


@require_safe
def person_list(request: HttpRequest) -> HttpResponse:
    """Everybody who wrote or reviewed what is live, with how much of each."""
    context = {
        "people": list(live_people().order_by("name", "pk")),
        "crumbs": crumbs((_("People"), request.path)),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "blog/person_list.html", context)


@require_safe
def person_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The profile of somebody who wrote or reviewed what is live."""
    person = get_object_or_404(Contributor.objects.select_related("photo"), slug=slug)
    contributions = list(
        Contribution.objects.filter(contributor=person, publication__live__isnull=False)
        .select_related("publication")
        .order_by("-publication__listed_at", "-publication__pk")
    )
    if not contributions:
        raise Http404
    context = {
        "person": person,
        "written": [row.publication for row in contributions if row.role == Contribution.Role.AUTHOR],
        "reviewed": [row.publication for row in contributions if row.role == Contribution.Role.REVIEWER],
        "credentials_hold": person.credentials_until is None or person.credentials_until >= timezone.localdate(),
        "crumbs": crumbs((_("People"), reverse("blog:person-list")), (person.name, request.path)),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "blog/person_detail.html", context)


@require_safe
def archive(request: HttpRequest) -> HttpResponse:
    """The months in which articles were first published, by year, with how many."""
    articles = Publication.objects.live().of_kind(ARTICLE)
    months = articles.annotate(month=TruncMonth("first_published")).values("month").annotate(count=Count("pk"))
    years = groupby(months.order_by("-month"), key=lambda row: row["month"].year)
    context = {
        "years": [(year, list(rows)) for year, rows in years],
        "crumbs": crumbs((_("Archive"), request.path)),
        "canonical_url": settings.SITE_URL + request.path,
    }
    return render(request, "blog/archive.html", context)


@require_safe
def archive_month(request: HttpRequest, year: int, month: int) -> HttpResponse:
    """The articles first published in a month. Raises Http404 where there is none."""
    # The first and the last year of the calendar begin or end outside of it in other time zones.
    if not (1 < year < 9999 and 1 <= month <= 12):
        raise Http404
    start = datetime(year, month, 1, tzinfo=timezone.get_current_timezone())
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=start.tzinfo)
    within = Publication.objects.of_kind(ARTICLE).filter(first_published__gte=start, first_published__lt=end)
    articles, older = paged(request, within)
    if not articles and "before" not in request.GET:
        raise Http404
    name = date_format(start, "YEAR_MONTH_FORMAT")
    context = {
        "month": name,
        "articles": articles,
        "older": older,
        "first_page": "before" not in request.GET,
        "crumbs": crumbs((_("Archive"), reverse("blog:archive")), (name, request.path)),
        "canonical_url": paged_url(request),
    }
    return render(request, "blog/archive_month.html", context)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Closed are the desk, signed links, and addresses without end."""
    closed = ["/admin/", "/preview/", reverse("blog:search"), reverse("report")]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    lines += [f"Sitemap: {settings.SITE_URL}{reverse('blog:sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponsePermanentRedirect:
    """Browsers ask for it by this name, whatever the page says."""
    return HttpResponsePermanentRedirect(f"{settings.STATIC_URL}icons/favicon.svg")


def live_tags() -> Any:
    """Tags of what is live, with how many publications carry each as `count`."""
    live = Q(tagged_publications__content_object__live__isnull=False)
    return Tag.objects.annotate(count=Count("tagged_publications", filter=live)).filter(count__gt=0)


def live_people() -> Any:
    """Contributors to what is live, with how much they wrote and reviewed as `written` and `reviewed`."""
    live = Q(contributions__publication__live__isnull=False)
    author, reviewer = (Q(contributions__role=role) for role in Contribution.Role.values)
    people = Contributor.objects.select_related("photo").filter(live).distinct()
    written, reviewed = Count("contributions", filter=live & author), Count("contributions", filter=live & reviewer)
    return people.annotate(written=written, reviewed=reviewed)


def changed() -> Any:
    """What was corrected or brought up to date, and says how: the last change first."""
    later = Publication.objects.live().filter(live__number__gt=1).exclude(live__note="")
    return later.select_related("live").order_by("-live__published_at", "-pk")


def paged(request: HttpRequest, publications: Any) -> tuple[list[Publication], str]:
    """A page of a list, newest first, and the key of the next page ('' for the last).

    By key, not by number: a page costs the same however deep it is, and a new article moves nothing.
    """
    return page_after(publications, request.GET.get("before", ""), PAGE_SIZE)


def page_after(publications: Any, key: str, size: int) -> tuple[list[Publication], str]:
    """The `size` publications after a key, and the key of what follows them. Raises Http404 for what is no key."""
    listed = publications.listed()
    if key:
        at, pk = _key(key)
        listed = listed.filter(Q(listed_at__lt=at) | Q(listed_at=at, pk__lt=pk))
    found = list(listed[: size + 1])
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    assert last.listed_at is not None
    return found[:size], f"{last.listed_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{last.pk}"


def paged_url(request: HttpRequest) -> str:
    """The address of a page of a list, without anything that strangers may add to it."""
    key = request.GET.get("before", "")
    return settings.SITE_URL + request.path + (f"?before={key}" if key else "")


def _key(text: str) -> tuple[datetime, int]:
    """The time and number of a paging key. Raises Http404 for anything else."""
    at, _dash, pk = text.partition("-")
    if not (pk.isascii() and pk.isdigit()):
        raise Http404
    try:
        when = datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        number = int(pk)
    except ValueError:
        raise Http404 from None
    if not 0 < number < 2**63:
        raise Http404
    return when, number

"""What is mailed, made from editions by rule.

Nobody calls the newsletter: every pass of the scheduler looks at what is live, and what has no issue yet gets one,
under a key that only one planner can take. So it may run twice, late, or be killed half-way: what is undone is found
by the next pass, and what is done is not done again.

A *new article* is mailed once, when trust first allows it, within 30 days of its first publication. A *correction* is
each major edition after the first, within 30 days, unless a newer one came before it went out, or its readers were
never told of the article and will be told of it as new. A *digest* holds what is new and corrected that no digest in
its language had; where nothing is, a cancelled issue says so. What an import brought is never mailed by rule, nor is
what was restored from an export: of that, what is published here afterwards is. An editor may choose either for an
issue written by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from blog.models import ImportedSource
from newsletter import clock
from newsletter.models import Issue, IssueItem, Subscriber
from publishing.models import Edition, Level, Publication, PublicationQuerySet, SiteSettings, TaggedPublication, Trust

# How long after its publication an article or a correction is still news.
NEWS_FOR = timedelta(days=30)
# An issue waits this long before it starts: a text that is withdrawn meanwhile is not mailed, a newer edition goes
# out in the same mail, and an editor can take the issue back. Long enough to read one's own article once more.
DELAY = timedelta(minutes=10)
# Mondays, in the site's time zone.
DIGEST_AT = time(8)

T = TypeVar("T")


def plan_issues() -> list[Issue]:
    """Make the issues that are due, and let those that have not started follow the site; return the new ones."""
    now = clock.now()
    _follow_the_site()
    return [*_plan_articles(now), *_plan_corrections(now), *_plan_digests(now)]


# --- What may be mailed ----------------------------------------------------------------------------------------


def mailable(publications: PublicationQuerySet) -> PublicationQuerySet:
    """Those that are live articles and whose review allows it now: unreviewed ones only where the site is open.

    A syndicated article is as good as any other: only search engines are kept from it. Reads the site's settings.
    """
    articles = publications.live().of_kind("article")
    if SiteSettings.load().strictness == SiteSettings.Strictness.OPEN:
        return articles
    return articles.filter(trust__in=[Trust.REVIEWED, Trust.MINOR_CHANGES])


def current_items(issue: Issue) -> list[IssueItem]:
    """The items of an issue that may be mailed now, in their order, each with what its card shows.

    Asked again whenever mails are made: what was withdrawn, redacted or is under review again is not among them, nor
    a correction that a newer major edition has overtaken, which is a correction of its own. Two queries.
    """
    may = mailable(Publication.objects.all())
    items = issue.items.filter(publication__in=may).exclude(
        Q(correction=True) & Exists(_newer_major("edition__number"))
    )
    return list(items.select_related("edition", "publication__live", "publication__picture"))


def _newer_major(number: str) -> QuerySet[Edition]:
    """Major editions of the outer row's publication after the one whose number is in that column."""
    return Edition.objects.filter(publication=OuterRef("publication"), level=Level.MAJOR, number__gt=OuterRef(number))


def tag_slugs(publication: Publication) -> set[str]:
    """The slugs of its tags, and those that these had before they were renamed or merged."""
    return _slugs([publication.pk])[publication.pk]


def wanted(items: list[IssueItem], topics: set[str]) -> list[IssueItem]:
    """The items for somebody who chose topics (slugs of tags, also former ones). None for no topics.

    The tags of all items are read in one query, the first time that it is asked.
    """
    if any(not hasattr(item, "topics") for item in items):
        slugs = _slugs([item.publication_id for item in items])
        for item in items:
            item.topics = slugs[item.publication_id]  # type: ignore[attr-defined]  # kept for the next reader
    return [item for item in items if topics & item.topics]  # type: ignore[attr-defined]


def _slugs(publications: list[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {pk: set() for pk in publications}
    rows = TaggedPublication.objects.filter(content_object__in=publications)
    for pk, slug, former in rows.values_list("content_object", "tag__slug", "tag__former_slugs__slug"):
        found[pk] |= {slug, former} - {None}
    return found


# --- What is new -----------------------------------------------------------------------------------------------


def _by_rule() -> PublicationQuerySet:
    imported = ImportedSource.objects.filter(article__publication=OuterRef("pk"))
    return mailable(Publication.objects.all()).exclude(Exists(imported))


def _new_articles(now: datetime) -> PublicationQuerySet:
    """Articles that are news and may be mailed, whether or not they were."""
    news = _by_rule().filter(first_published__gt=now - NEWS_FOR, restored_at=None)
    return news.select_related("live").order_by("first_published", "pk")


def _corrections(now: datetime) -> QuerySet[Edition]:
    """Last major editions, but no first ones, that are news and may be mailed, whether or not they were."""
    return (
        Edition.objects.filter(level=Level.MAJOR, number__gt=1, published_at__gt=now - NEWS_FOR)
        .filter(Q(publication__restored_at=None) | Q(published_at__gt=F("publication__restored_at")))
        .filter(publication__in=_by_rule())
        .exclude(Exists(_newer_major("number")))
        .select_related("publication")
        .order_by("published_at", "pk")
    )


def _plan_articles(now: datetime) -> list[Issue]:
    missing = _without_issue({f"article:{article.uuid}": article for article in _new_articles(now)})
    return _made(
        _make(
            key=key,
            kind=Issue.Kind.ARTICLE,
            language=article.language,
            items=[IssueItem(publication=article, edition=article.live)],
            starts_at=now + DELAY,
        )
        for key, article in missing.items()
    )


def _plan_corrections(now: datetime) -> list[Issue]:
    missing = _without_issue({f"correction:{edition.pk}": edition for edition in _corrections(now)})
    told = {
        item.publication_id: item
        for item in IssueItem.objects.filter(
            issue__kind=Issue.Kind.ARTICLE, publication__in=[edition.publication_id for edition in missing.values()]
        ).select_related("issue", "edition")
    }
    return _made(
        _make(
            key=key,
            kind=Issue.Kind.CORRECTION,
            language=edition.publication.language,
            items=[IssueItem(publication=edition.publication, edition=edition, correction=True)],
            starts_at=now + DELAY,
        )
        for key, edition in missing.items()
        if _corrects_what_readers_have(edition, told.get(edition.publication_id), now)
    )


def _corrects_what_readers_have(edition: Edition, told: IssueItem | None, now: datetime) -> bool:
    """Whether readers may have an older text than this edition. Takes the item that told them of the article."""
    if told is None:
        return _is_old(edition.publication, now)
    if told.issue.frozen_at is None and told.issue.state != Issue.State.CANCELLED:
        return False  # it has not started, and will show this edition
    return told.edition is None or edition.number > told.edition.number


def _is_old(publication: Publication, now: datetime) -> bool:
    """Whether an article can no longer be a new one."""
    first = publication.first_published
    return publication.restored_at is not None or (first is not None and first <= now - NEWS_FOR)


# --- The digest ------------------------------------------------------------------------------------------------


def digest_due(now: datetime) -> datetime:
    """When the newest digest is or was due: the last Monday, 08:00 in the site's time zone, in UTC.

    Computed from the calendar, so that neither a clock change nor an outage moves the next one. Of several that were
    missed only the newest is made up for, with everything since.
    """
    zone = ZoneInfo(settings.TIME_ZONE)
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    due = datetime.combine(monday, DIGEST_AT, zone).astimezone(UTC)
    if due > now:
        due = datetime.combine(monday - timedelta(days=7), DIGEST_AT, zone).astimezone(UTC)
    return due


def _plan_digests(now: datetime) -> list[Issue]:
    # Planned ahead by the delay, so that it leaves at eight and can be taken back until then.
    due = digest_due(now + DELAY)
    year, week, _day = due.astimezone(ZoneInfo(settings.TIME_ZONE)).isocalendar()
    languages = {f"digest:{code}:{year}-W{week:02}": code for code, _name in settings.LANGUAGES}
    return _made(
        _make(
            key=key,
            kind=Issue.Kind.DIGEST,
            language=language,
            items=_digest_items(language, now, due),
            starts_at=max(due, now + DELAY),
        )
        for key, language in _without_issue(languages).items()
        if _somebody_waits(language, due)
    )


def _somebody_waits(language: str, due: datetime) -> bool:
    """Whether a digest in this language has readers. Who came after it was due waits for the next one."""
    readers = Subscriber.objects.filter(
        status=Subscriber.Status.CONFIRMED,
        frequency=Subscriber.Frequency.WEEKLY,
        language=language,
        confirmed_at__lte=due,
    )
    return readers.exists()


def _digest_items(language: str, now: datetime, due: datetime) -> list[IssueItem]:
    """What was new or corrected when a digest was due and was in none of this language, the newest first."""
    articles = list(_new_articles(now).filter(language=language, first_published__lte=due))
    editions = list(_corrections(now).filter(publication__language=language, published_at__lte=due))
    had = _in_digests(language, {*(row.pk for row in articles), *(row.publication_id for row in editions)})
    dated = [
        (article.first_published, IssueItem(publication=article, edition=article.live))
        for article in articles
        if article.pk not in had
    ] + [
        (edition.published_at, IssueItem(publication=edition.publication, edition=edition, correction=True))
        for edition in editions
        if edition.number > had.get(edition.publication_id, 0)
        and (edition.publication_id in had or _is_old(edition.publication, now))
    ]
    return [item for _at, item in sorted(dated, key=lambda pair: (pair[0], pair[1].publication_id), reverse=True)]


def _in_digests(language: str, publications: set[int]) -> dict[int, int]:
    """The newest edition of each of these that a digest had. One that was taken back before it started had none."""
    items = IssueItem.objects.filter(
        issue__kind=Issue.Kind.DIGEST, issue__language=language, publication__in=publications
    ).exclude(issue__state=Issue.State.CANCELLED, issue__frozen_at=None)
    return dict(items.order_by().values_list("publication").annotate(Max("edition__number")))


# --- Issues ----------------------------------------------------------------------------------------------------


def _without_issue(by_key: dict[str, T]) -> dict[str, T]:
    """Those for whose key there is no issue yet."""
    taken = set(Issue.objects.filter(key__in=list(by_key)).values_list("key", flat=True))
    return {key: value for key, value in by_key.items() if key not in taken}


def _make(*, key: str, kind: Issue.Kind, language: str, items: list[IssueItem], starts_at: datetime) -> Issue | None:
    """A waiting issue with its items, all or nothing; None where another planner was first.

    Without items it is a cancelled one: the record that its period was looked at, or what is published on Tuesday
    would be in a digest of Monday.
    """
    issue = Issue(key=key, kind=kind, language=language, starts_at=starts_at, state=Issue.State.WAITING)
    issue.subject = _subject(issue, items)
    if not items:
        issue.state, issue.finished_at = Issue.State.CANCELLED, clock.now()
        issue.reason = _("Nothing was new.")
    try:
        with transaction.atomic():
            issue.save(force_insert=True)
            for position, item in enumerate(items, start=1):
                item.issue, item.position = issue, position
            IssueItem.objects.bulk_create(items)
    except IntegrityError:
        if not Issue.objects.filter(key=key).exists():
            raise
        return None
    return issue


def _made(issues: Iterable[Issue | None]) -> list[Issue]:
    return [issue for issue in issues if issue is not None and issue.state == Issue.State.WAITING]


def _subject(issue: Issue, items: list[IssueItem]) -> str:
    """The subject in the issue's language: the title of what is in it, or of the first."""
    with translation.override(issue.language):
        if not items:
            return _("What is new")
        title = Truncator(" ".join(items[0].publication.title.split())).chars(110)
        if issue.kind == Issue.Kind.CORRECTION:
            return _("Corrected: %(title)s") % {"title": title}
        if more := len(items) - 1:
            words = ngettext("%(title)s, and %(count)d more", "%(title)s, and %(count)d more", more)
            return words % {"title": title, "count": more}
        return title


def _follow_the_site() -> None:
    """Bring the issues that wait up to what is live now; one of which nothing is left is gone.

    Its key is free again: what is restored, or reviewed again, is as new as before.
    """
    waiting = Issue.objects.filter(state=Issue.State.WAITING).exclude(kind=Issue.Kind.BY_HAND)
    for pk in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            issue = waiting.select_for_update().filter(pk=pk).first()
            if issue is None:
                continue  # it has started
            items = current_items(issue)
            if not items:
                issue.delete()
                continue
            issue.items.exclude(pk__in=[item.pk for item in items]).delete()
            for item in items:
                if not item.correction and item.edition_id != item.publication.live_id:
                    IssueItem.objects.filter(pk=item.pk).update(edition=item.publication.live)
            if (subject := _subject(issue, items)) != issue.subject:
                issue.subject = subject
                issue.save(update_fields=["subject"])

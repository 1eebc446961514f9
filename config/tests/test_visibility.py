"""What the public sees, and does not see, of a text in every state: each public address, each state, each visitor.

The addresses are those of the URL resolver, so that one without a row here fails by its name. Every request runs
under the guard (config/tests/guard.py), so that a row is also the proof that no draft and no snapshot was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, include, path, reverse
from django.utils import timezone

from blog.models import Article
from config.tests.factories import FIRST_WORDS, NEW_WORDS, REASON, STATES, make_in_state, make_user
from config.tests.guard import CLOSED_PATHS, TOKEN_PATHS, Guard, GuardedClient, Leak
from newsletter import clock
from newsletter.models import Issue, IssueItem
from publishing.models import Draft, Snapshot

# What a page reads and shows is the same on every database; what each answers to odd keys, the tests of lists say.
pytestmark = pytest.mark.once

TITLE = "Quivering knee"
TAG = "tremor"
WORDS = {TITLE, TAG, FIRST_WORDS, NEW_WORDS, REASON}  # a body holds those of its row, and none of the others

ROLES = ["Writer", "Editor", "Medical reviewer", "Publisher", "superuser"]
NAMES = {"article": "title", "condition": "name", "page": "title"}
FIRST_LIVE = ("live", "live with a newer draft")
LIVE = (*FIRST_LIVE, "superseded")
GONE = ("withdrawn", "redacted")

Expected = tuple[int, set[str]]


# --- The table ---------------------------------------------------------------------------------------------------


def text(state: str) -> Expected:
    """The live words; of what is gone only title and reason; of all else nothing."""
    if state in GONE:
        return 410, {TITLE, REASON}
    return (200, {TITLE, NEW_WORDS if state == "superseded" else FIRST_WORDS}) if state in LIVE else (404, set())


def record(state: str) -> Expected:
    """What is said about the live text, without its words."""
    return (200, {TITLE}) if state in LIVE else text(state)


def first_edition(state: str) -> Expected:
    return (200, {TITLE, FIRST_WORDS}) if state in LIVE else text(state)


def second_edition(state: str) -> Expected:
    return (404, set()) if state in FIRST_LIVE else text(state)


def comparison(state: str) -> Expected:
    return (200, {TITLE, "<ins>changed</ins>"}) if state == "superseded" else record(state)


def listing(kind: str, words: set[str]) -> Callable[[str, str], Expected]:
    """A list that is there in any state, and names a text of the kind ("" for any) while it is live."""
    return lambda of_kind, state: (200, words if state in LIVE and kind in ("", of_kind) else set())


def only_with_a_live_text(kinds: tuple[str, ...], words: set[str]) -> Callable[[str, str], Expected]:
    """A page that nobody finds until a text of one of the kinds is live."""
    return lambda kind, state: (200, words) if state in LIVE and kind in kinds else (404, set())


def always(status: int) -> Callable[[str, str], Expected]:
    return lambda kind, state: (status, set())


@dataclass(frozen=True)
class Row:
    """One public address: what it takes, and what is expected of it for a kind of text in a state."""

    name: str
    kwargs: dict[str, Any]
    expected: Callable[[str, str], Expected]
    is_html: bool = True
    kind: str = ""  # below a document of this kind

    def url(self) -> str:
        return reverse(self.name, kwargs=self.kwargs)


SLUG = {"slug": "the-text"}
THIS_MONTH = {"year": timezone.localdate().year, "month": timezone.localdate().month}
ISSUE = {"uuid": "11111111-2222-4333-8444-555555555555"}  # of the newsletter; the article is in it


def of_document(kind: str, name: str, expected: Callable[[str], Expected], is_html: bool = True, **more: Any) -> Row:
    room = "conditions" if kind == "condition" else "blog"
    return Row(f"{room}:{kind}-{name}", SLUG | more, lambda _kind, state: expected(state), is_html, kind)


def of_documents(kind: str) -> Iterator[Row]:
    def page(expected: Callable[[str], Expected]) -> Callable[[str], Expected]:
        """The pages of articles and conditions name their tags; the page of a policy has none."""

        def with_tags(state: str) -> Expected:
            status, words = expected(state)
            return status, words | ({TAG} if kind != "page" and status == 200 else set())

        return with_tags

    yield of_document(kind, "detail", page(text))
    yield of_document(kind, "editions", record)
    yield of_document(kind, "edition", page(first_edition), number=1)
    yield of_document(kind, "edition", page(second_edition), number=2)
    yield of_document(kind, "compare", comparison)
    yield of_document(kind, "trust", record, is_html=False)
    yield of_document(kind, "json", text, is_html=False)
    yield of_document(kind, "markdown", text, is_html=False)


def feed(
    name: str, expected: Callable[[str, str], Expected], kind: str = "", last: str = "atom.xml", **more: Any
) -> Row:
    """A feed. One format stands for all: they are written from the same items (blog/tests/test_feeds.py)."""
    return Row(name, {"name": last} | more, expected, is_html=False, kind=kind)


def api_rows() -> Iterator[Row]:
    """The API, which says of a text what its pages say."""

    def row(name: str, kwargs: dict[str, Any], expected: Callable[[str, str], Expected], kind: str = "") -> Row:
        return Row(name, kwargs, expected, is_html=False, kind=kind)

    yield Row("api", {}, always(200))
    yield Row("api:api-root", {}, always(200))
    yield row("api:openapi-json", {}, always(200))
    yield row("api-unknown", {"rest": "x"}, always(404))
    yield row("api:articles", {}, listing("article", {TITLE}))
    yield row("api:conditions", {}, listing("condition", {TITLE}))
    yield row("api:people", {}, always(200))
    yield row("api:person", {"slug": "ada-author"}, only_with_a_live_text(("article", "condition"), set()))
    yield row("api:tags", {}, listing("", {TAG}))
    yield row("api:search", {}, always(422))
    for kind in ("article", "condition"):
        yield row(f"api:{kind}", SLUG, lambda _kind, state: (text(state)[0], text(state)[1] | tagged(state)), kind)
        yield row(f"api:{kind}-editions", SLUG, lambda _kind, state: without_title(record(state)), kind)
        yield row(f"api:{kind}-edition", SLUG | {"number": 1}, lambda _kind, state: first_edition(state), kind)
        yield row(f"api:{kind}-edition", SLUG | {"number": 2}, lambda _kind, state: second_edition(state), kind)


def tagged(state: str) -> set[str]:
    return {TAG} if state in LIVE else set()


def without_title(expected: Expected) -> Expected:
    status, words = expected
    return status, words if status == 410 else set()


ROWS = [
    Row("blog:home", {}, lambda kind, state: (200, on_home(kind, state))),
    Row("blog:article-list", {}, listing("article", {TITLE})),
    Row("blog:tag-list", {}, listing("", {TAG})),
    Row("blog:tag-detail", {"slug": TAG}, only_with_a_live_text(("article", "condition", "page"), {TITLE, TAG})),
    Row("blog:person-detail", {"slug": "ada-author"}, only_with_a_live_text(("article", "condition"), {TITLE})),
    Row("blog:person-list", {}, listing("", set())),
    Row("blog:archive", {}, listing("", set())),
    Row("blog:archive-month", THIS_MONTH, only_with_a_live_text(("article",), {TITLE})),
    Row("conditions:condition-list", {}, listing("condition", {TITLE})),
    Row("conditions:body-area-list", {}, listing("", set())),
    Row("conditions:body-area", {"area": "back-and-spine"}, listing("condition", {TITLE})),
    Row("newsletter:archive", {}, lambda kind, state: in_newsletter(kind, state)),
    Row("newsletter:issue", ISSUE, lambda kind, state: in_newsletter(kind, state), kind="article"),
    Row("blog:search", {}, always(200)),  # what it finds: blog/tests/test_search.py
    Row("blog:opensearch", {}, always(200), is_html=False),
    Row("report", {}, always(200)),
    Row("report-thanks", {}, always(200)),
    # A text of nobody's; publishing/tests/test_sharing.py holds the card of one in every state.
    Row("share-card", ISSUE | {"version": "0"}, always(404)),
    Row("newsletter:subscribe", {}, always(200)),
    Row("newsletter:thanks", {}, always(200)),
    Row("blog:feeds", {}, lambda kind, state: (200, on_feeds(kind, state))),
    feed("blog:feed", lambda kind, state: in_feed(kind, state)),
    feed("blog:tag-feed", lambda kind, state: in_tag_feed(kind, state), last="rss.xml", slug=TAG),
    feed("blog:condition-feed", lambda kind, state: about_condition(state), "condition", **SLUG),
    feed("blog:corrections-feed", lambda kind, state: in_corrections(state), last="feed.json"),
    # Nothing here is reviewed, and so not listed for search engines, but for pages about the site.
    Row("blog:sitemap", {}, always(200), is_html=False),
    Row("blog:sitemap-file", {"section": "lists", "number": 0}, always(200), is_html=False),
    Row("blog:sitemap-file", {"section": "articles", "number": 0}, always(404), is_html=False),
    Row("blog:sitemap-file", {"section": "pages", "number": 0}, only_with_a_live_text(("page",), set()), is_html=False),
    Row("blog:llms", {}, listing("page", {TITLE}), is_html=False),
    *api_rows(),
    Row("blog:robots", {}, always(200), is_html=False),
    Row("blog:favicon", {}, always(301), is_html=False),
    *of_documents("article"),
    *of_documents("condition"),
    *of_documents("page"),
]

# Token pages show a snapshot, or a subscriber, to whoever holds a signed link, so they are not under the guard.
TOKEN_PAGES = {
    name: {"token": "not-a-token"}
    for name in ("shared-preview", "confirm", "choices", "unsubscribe", "export", "erase")
}
# These take a form from anybody; newsletter/tests/test_sign_up_abuse.py says what that may do.
FORMS = {"newsletter:subscribe", "report"}


def on_home(kind: str, state: str) -> set[str]:
    if state not in LIVE:
        return set()
    return {TAG} if kind == "page" else {TITLE, TAG}


def on_feeds(kind: str, state: str) -> set[str]:
    """Live tags and conditions by name."""
    if state not in LIVE:
        return set()
    return {TITLE, TAG} if kind == "condition" else {TAG}


def in_feed(kind: str, state: str) -> Expected:
    """Live articles, whole."""
    return 200, text(state)[1] | {TAG} if kind == "article" and state in LIVE else set()


def in_tag_feed(kind: str, state: str) -> Expected:
    """Live texts of any kind with the tag, which nobody finds without one."""
    return (200, text(state)[1] | {TAG}) if state in LIVE else (404, set())


def about_condition(state: str) -> Expected:
    """The articles that name a condition: none here."""
    return (200, {TITLE}) if state in LIVE else text(state)


def in_corrections(state: str) -> Expected:
    """The notes of later editions, and why a text was withdrawn; no text."""
    if state in GONE:
        return 200, {TITLE, REASON}
    return 200, {TITLE} if state == "superseded" else set()


def in_newsletter(kind: str, state: str) -> Expected:
    """Titles of what is or was public, as they were mailed."""
    return 200, {TITLE} if kind == "article" and state in (*LIVE, *GONE) else set()


def rows_of(kind: str) -> list[Row]:
    """The rows that can have to do with a text of the kind: lists and the like, and the addresses below it."""
    return [row for row in ROWS if row.kind in ("", kind)]


def public_patterns(resolver: URLResolver, prefix: str = "/", namespace: str = "") -> Iterator[str]:
    """The names of all addresses that are not the admin's or a developer's; the route of one without a name."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith(("/admin/", "/mail/", "/media/")):
            continue
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from public_patterns(pattern, route, inner)
        else:
            assert isinstance(pattern, URLPattern)
            yield namespace + pattern.name if pattern.name else route


def token_pages() -> list[str]:
    return [name for name in public_patterns(get_resolver()) if name.rpartition(":")[2] in TOKEN_PAGES]


def without_row(resolver: URLResolver) -> list[str]:
    known = {row.name for row in ROWS}
    return [
        name for name in public_patterns(resolver) if name not in known and name.rpartition(":")[2] not in TOKEN_PAGES
    ]


# --- The rows ----------------------------------------------------------------------------------------------------


def clients(roles: list[str]) -> dict[str, GuardedClient]:
    """A client for each of the roles, logged in."""
    found: dict[str, GuardedClient] = {}
    for role in roles:
        user = make_user(f"a-{role.lower().replace(' ', '-')}", is_staff=True, is_superuser=role == "superuser")
        if role != "superuser":
            user.groups.add(Group.objects.get_or_create(name=role)[0])
        found[role] = GuardedClient()
        found[role].force_login(user)
    return found


def make_text(kind: str, state: str) -> Draft:
    draft: Draft = make_in_state(state, kind, **{NAMES[kind]: TITLE, "slug": "the-text"})
    draft.publication.tags.add(TAG)
    if kind == "article":
        make_issue(draft)
    return draft


def make_issue(draft: Draft) -> None:
    """An issue of the newsletter with the text, in the archive."""
    now = clock.now()
    issue = Issue.objects.create(**ISSUE, key="by-hand", state="finished", prepared_at=now, recipients=1)
    IssueItem.objects.create(issue=issue, publication=draft.publication)


def test_every_public_address_has_a_row_and_every_row_an_address() -> None:
    assert without_row(get_resolver()) == []
    assert {row.name for row in ROWS} <= set(public_patterns(get_resolver()))


def test_an_address_without_a_row_is_found_by_its_name_and_one_without_a_name_by_its_route() -> None:
    extra = ([path("secret/", HttpResponse, name="leak"), path("more/", HttpResponse)], "spare")
    urls: Any = SimpleNamespace(urlpatterns=[path("new/", include(extra)), path("admin/new/", HttpResponse)])
    resolver = URLResolver(get_resolver().pattern, urls)  # stands for a module
    assert without_row(resolver) == ["spare:leak", "/new/more/"]


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", NAMES)
def test_every_visitor_sees_of_a_text_what_its_state_allows_and_nothing_else(
    kind: str, state: str, client: Client
) -> None:
    """The superuser, who may see everything, stands for all who are logged in; one state is seen by each role."""
    make_text(kind, state)
    others = clients(ROLES if (kind, state) == ("article", "live with a newer draft") else ["superuser"])
    for row in rows_of(kind):
        url = row.url()
        status, words = row.expected(kind, state)
        if kind == "page" and state in LIVE and row.is_html:
            words = words | {TITLE}  # in every page's footer
        response = client.get(url)
        body = response.content.decode()
        assert (url, response.status_code) == (url, status)
        assert (url, {word for word in WORDS | words if word in body}) == (url, words)
        assert (url, dict(response.cookies)) == (url, {})
        assert "cookie" not in response.headers.get("Vary", "").lower(), url
        assert "csrf" not in body.lower(), url
        for role, other in others.items():
            seen = other.get(url)
            assert (role, url, seen.status_code) == (role, url, status)
            assert seen.content == response.content, (role, url)
            assert dict(seen.headers) == dict(response.headers), (role, url)
            assert sorted(set(seen.cookies) - {"sessionid"}) == [], (role, url)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", NAMES)
def test_a_text_is_not_to_be_found_at_the_addresses_of_another_kind(kind: str, client: Client) -> None:
    make_text(kind, "superseded")
    for row in ROWS:
        if row.kind not in ("", kind):
            assert (row.url(), client.get(row.url()).status_code) == (row.url(), 404)


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
def test_a_made_up_token_shows_nothing_in_any_state(state: str) -> None:
    make_text("article", state)
    for name in token_pages():
        response = Client().get(reverse(name, kwargs=TOKEN_PAGES[name.rpartition(":")[2]]))
        assert (name, response.status_code) == (name, 404)
        assert not any(word in response.content.decode() for word in WORDS - {TITLE})


@pytest.mark.django_db
@pytest.mark.parametrize("kind", NAMES)
def test_no_public_address_takes_anything_but_a_question(kind: str) -> None:
    make_text(kind, "superseded")
    rows_before = {model: model._default_manager.count() for model in apps.get_models()}
    for csrf in (False, True):
        client = Client(enforce_csrf_checks=csrf)
        for row in ROWS:
            for method in ("put", "patch", "delete") if row.name in FORMS else ("post", "put", "patch", "delete"):
                with CaptureQueriesContext(connection) as queries:
                    response = getattr(client, method)(row.url(), {"from": 1} if method == "post" else None)
                assert (method, row.url(), response.status_code in (403, 404, 405)) == (method, row.url(), True)
                written = [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]
                assert written == []
    assert {model: model._default_manager.count() for model in apps.get_models()} == rows_before


# --- The guard itself --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_guard_sees_a_page_that_reads_a_draft() -> None:
    with connection.execute_wrapper(Guard("/")), pytest.raises(Leak, match="blog_article"):
        Article.objects.count()


@pytest.mark.django_db
def test_the_guard_sees_a_page_that_opens_a_text_which_was_never_published() -> None:
    make_text("article", "in snapshot")
    snapshot = Snapshot.objects.get()
    guard = Guard("/")
    with connection.execute_wrapper(guard):
        snapshot.document()
    with pytest.raises(Leak, match=snapshot.fingerprint):
        guard.check()


@pytest.mark.django_db
def test_the_guard_sees_a_page_that_writes() -> None:
    user = make_user()
    with connection.execute_wrapper(Guard("/")), pytest.raises(Leak):
        User.objects.filter(pk=user.pk).update(first_name="x")


def test_only_what_is_not_public_is_outside_the_guard() -> None:
    assert set(CLOSED_PATHS) - set(TOKEN_PATHS) == {"/admin/", "/mail/", "/media/"}
    addresses = {reverse(name, kwargs=TOKEN_PAGES[name.rpartition(":")[2]]) for name in token_pages()}
    assert {address.removesuffix("not-a-token/") for address in addresses} == set(TOKEN_PATHS)

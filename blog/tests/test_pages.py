"""The page of an article: what it says, in which order, at what cost, and that no text in it can do harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from blog.documents import ArticleDocument, Entry, Section, ShownCondition
from blog.models import Announcement, ArticleWarningSign
from config.tests.factories import (
    make_article,
    make_citation,
    make_condition,
    make_entry,
    make_in_state,
    make_page,
    make_picture,
    make_publication,
    make_reviewer,
    make_user,
    publish_draft,
    reword,
    sign,
)
from publishing.documents import Origin, Person, PictureValue, Source, Tip, Urgency, WarningSign
from publishing.models import Level, Publication, SiteSettings, Trust
from publishing.pages import page_context
from publishing.services import change_address, take_snapshot, withdraw
from publishing.templatetags.documents import with_phone

pytestmark = [pytest.mark.django_db, pytest.mark.once]

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7|add:7 }}"
HOSTILE_HTML = f"<p>{HOSTILE}</p><p>&lt;script&gt;alert(3)&lt;/script&gt; <a href='javascript:alert(4)'>x</a></p>"
SCRIPT_OF_A_TEXT = 'script:not([src^="/static/"]):not([type="application/ld+json"])'  # the site's file, a block of data
JAVASCRIPT = "javascript:alert(5)"


def soup(response: Any) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def words(tag: Any) -> str:
    return " ".join(tag.get_text(" ").split())


def queries_of(client: Client, path: str) -> int:
    """Queries of one request, once whatever is loaded only once has been."""
    SiteSettings.objects.get_or_create(pk=1)
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


# --- What it costs -----------------------------------------------------------------------------------------------


def test_an_article_costs_the_same_few_queries_with_ten_entries_and_a_hundred_and_with_library_text(
    client: Client,
) -> None:
    picture = make_picture()
    conditions = [make_condition(f"Complaint {number}", picture=picture) for number in range(5)]
    for condition in conditions:
        publish_draft(condition)
    costs = []
    for number, (entries, library) in enumerate([(10, []), (100, []), (5, conditions)]):
        article = make_article(f"Article {number}", slug=f"article-{number}", own_entries=entries, conditions=library)
        article.entries.update(picture=picture)
        article.publication.tags.add("spine", "nerves")
        publish_draft(article)
        costs.append(queries_of(client, f"/articles/article-{number}/"))
    assert max(costs) <= 10  # one of them asks for translations, one for the articles before and after
    assert costs[0] == costs[1]


@pytest.mark.parametrize("mentions", [1, 12])
def test_a_conditions_page_costs_at_most_nine_queries_however_many_articles_name_it(
    mentions: int, client: Client
) -> None:
    condition = make_condition(slug="disc")
    publish_draft(condition)
    for number in range(mentions):
        publish_draft(make_article(f"Article {number}", conditions=[condition]))
    assert queries_of(client, "/conditions/disc/") <= 9


# --- Order and words ---------------------------------------------------------------------------------------------


def test_emergencies_stand_above_contents_and_introduction_and_every_urgency_is_named_in_words(client: Client) -> None:
    article = make_article(slug="pain", signs=0)
    for urgency in (Urgency.SEE_A_DOCTOR, Urgency.URGENT, Urgency.EMERGENCY):  # the most urgent last
        ArticleWarningSign.objects.create(article=article, text=f"sign that is {urgency.value}", urgency=urgency)
    SiteSettings.objects.create(pk=1, emergency_number="999")
    publish_draft(article)
    page = soup(client.get("/articles/pain/"))
    body = str(page)
    places = [
        body.index('class="care is-emergency"'),
        body.index('class="contents"'),
        body.index("wording at first", body.index('class="contents"')),
        body.index('class="care is-urgent"'),
        body.index('class="care is-see-a-doctor"'),
    ]
    assert places == sorted(places)
    cards = [words(card) for card in page.select(".care")]
    assert cards == [
        "Emergency Call 999 now if any of these applies sign that is emergency",
        "Urgent Get medical help today if any of these applies sign that is urgent",
        "Not urgent See a doctor if any of these applies sign that is see-a-doctor",
    ]


def test_a_citation_is_a_numbered_link_to_its_source_which_names_and_links_it(client: Client) -> None:
    publish_draft(make_article(slug="pain"))
    page = soup(client.get("/articles/pain/"))
    cite = page.select_one("a.cite")
    assert cite is not None
    assert (cite["href"], cite.text, cite["aria-label"]) == ("#source-1", "[1]", "Source 1")
    source = page.select_one("#source-1 a")
    assert source is not None
    assert (source["href"], source.text) == ("https://sources.example/guideline-a", "Title of guideline-a")


def test_every_link_within_the_page_leads_to_something_that_is_there_once(client: Client) -> None:
    article = make_article(slug="pain", own_entries=2, tips=2)
    make_entry(article, heading="Own entry 1", text="<p>Twice.</p>", treatment="<p>So.</p>")
    publish_draft(article)
    page = soup(client.get("/articles/pain/"))
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {str(link["href"])[1:] for link in page.select('a[href^="#"]')} <= set(ids)


def test_a_conditions_text_stays_when_it_is_withdrawn_and_its_link_goes(client: Client) -> None:
    condition = make_condition("Herniated disc", slug="disc")
    publish_draft(condition)
    publish_draft(make_article(slug="pain", conditions=[condition]))
    assert soup(client.get("/articles/pain/")).select('a[href="/conditions/disc/"]')
    withdraw(publication=condition.publication, by=make_user(), reason="Wrong.")
    page = soup(client.get("/articles/pain/"))
    assert "Herniated disc: wording at first" in words(page)
    assert not page.select('a[href="/conditions/disc/"]')


def test_a_condition_that_was_never_published_is_named_without_a_link(client: Client) -> None:
    condition = make_condition("Herniated disc", slug="disc")
    article = make_article(slug="pain")
    make_entry(article, condition=condition, heading="A disc", text="<p>Own.</p>", treatment="<p>Own.</p>")
    publish_draft(article)
    page = soup(client.get("/articles/pain/"))
    assert "A disc" in words(page)
    assert not page.select('a[href="/conditions/disc/"]')


# --- What it says of its review ----------------------------------------------------------------------------------


def test_the_page_says_in_a_sentence_which_of_the_four_states_its_review_is_in(client: Client) -> None:
    def said() -> str:
        return words(soup(client.get("/articles/pain/")).select_one(".trust"))

    article = make_article(slug="pain")
    publish_draft(article)
    assert "No clinician has signed this text yet." in said()
    sign(article, make_reviewer("Rita Reviewer"))
    assert "Rita Reviewer, MD signed exactly this text on" in said()
    publish_draft(reword(article), level=Level.MINOR)
    assert "Since then only small things changed" in said()
    article.publication.refresh_from_db()
    Publication.objects.update(trust=Trust.OVERDUE, trust_until=timezone.localdate() - timedelta(days=1))
    assert "but the review was due again on" in said()


@pytest.mark.parametrize("strictness", SiteSettings.Strictness.values)
@pytest.mark.parametrize("trust", Trust.values)
@pytest.mark.parametrize("syndicated", [False, True])
def test_search_engines_are_asked_to_leave_out_what_is_unreviewed_or_syndicated(
    strictness: str, trust: str, syndicated: bool, client: Client
) -> None:
    publish_draft(make_article(slug="pain"))
    SiteSettings.objects.create(pk=1, strictness=strictness)
    Publication.objects.update(
        trust=trust, trust_until=timezone.localdate(), reviewed_on=timezone.localdate(), syndicated=syndicated
    )
    invited = not syndicated and (strictness == "open" or trust in ("reviewed", "minor-changes"))
    robots = soup(client.get("/articles/pain/")).select('meta[name="robots"]')
    assert [meta["content"] for meta in robots] == ([] if invited else ["noindex,follow"])
    edition = soup(client.get("/articles/pain/editions/1/"))
    assert bool(edition.select('meta[name="robots"]')) is not invited


def test_an_older_edition_says_so_is_not_indexed_and_names_the_current_one_as_its_address(client: Client) -> None:
    make_in_state("superseded", "article", slug="pain")
    page = soup(client.get("/articles/pain/editions/1/"))
    assert "This is edition 1, published on" in words(page.select_one(".banner"))
    assert page.select_one('meta[name="robots"]')["content"] == "noindex,follow"  # type: ignore[index]
    assert page.select_one('link[rel="canonical"]')["href"] == "http://testserver/articles/pain/"  # type: ignore[index]


@pytest.mark.parametrize("path", ["/", "/articles/", "/articles/pain/", "/articles/pain/editions/"])
def test_the_canonical_address_is_the_sites_whatever_host_was_asked_for(path: str, client: Client) -> None:
    publish_draft(make_article(slug="pain"))
    page = soup(client.get(path, headers={"host": "localhost"}))
    assert [link["href"] for link in page.select('link[rel="canonical"]')] == [settings.SITE_URL + path]
    assert "localhost" not in str(page)


# --- The frame ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paid", "label"), [(True, "Advertisement"), (False, "Announcement")])
def test_an_announcement_is_labelled_for_what_it_is_and_shown_only_in_its_time(
    paid: bool, label: str, client: Client
) -> None:
    now = timezone.now()
    times = {
        "Over": (now - timedelta(days=2), now - timedelta(days=1)),
        "Current": (now - timedelta(days=1), now + timedelta(days=1)),
        "Coming": (now + timedelta(days=1), None),
    }
    for text, (start, end) in times.items():
        Announcement.objects.create(text=text, advertisement=paid, starts_at=start, ends_at=end)
    page = soup(client.get("/"))
    assert [words(line) for line in page.select(".announcement")] == [f"{label} Current"]


def test_attribution_is_made_from_the_fields_and_shares_need_no_script(client: Client) -> None:
    publish_draft(
        make_article(
            slug="pain",
            origin_name="Example News",
            origin_url="https://news.example/1",
            origin_title="An old title",
            origin_author="O. Riginal",
            origin_licence="Shown by permission.",
        )
    )
    page = soup(client.get("/articles/pain/"))
    assert words(page.select_one(".origin")) == (
        "First published by Example News as “An old title”, written by O. Riginal. Shown by permission."
    )
    assert page.select('.origin a[href="https://news.example/1"]')
    assert [str(link["href"]).partition(":")[0] for link in page.select(".share p > a")] == [
        *("mailto", "sms", "/report/?about=/articles/pain/", "http")
    ]
    assert not page.select(f"{SCRIPT_OF_A_TEXT}, [onclick], .share form, iframe")


def test_a_picture_has_its_room_reserved_and_its_alternative_text(client: Client) -> None:
    publish_draft(make_article(slug="pain", picture=make_picture(alt="A knee, seen from the side", size=(64, 48))))
    image = soup(client.get("/articles/pain/")).select_one("figure img")
    assert image is not None
    assert (image["alt"], image["width"], image["height"]) == ("A knee, seen from the side", "64", "48")


# --- Addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end", ["/", ".json", ".md", "/trust.json", "/editions/", "/editions/1/", "/compare/?from=1&to=1"]
)
def test_an_old_address_leads_to_the_new_one_with_all_that_stands_below_it(end: str, client: Client) -> None:
    article = make_article(slug="old")
    publish_draft(article)
    change_address(publication=article.publication, slug="new")
    response = client.get(f"/articles/old{end}")
    assert (response.status_code, response.headers["Location"]) == (301, f"/articles/new{end}")


@pytest.mark.parametrize("end", ["/", "/editions/", "/editions/1/", "/compare/", ".md", ".json", "/trust.json"])
def test_what_was_withdrawn_answers_410_with_its_title_and_reason_in_the_form_asked_for(
    end: str, client: Client
) -> None:
    make_in_state("withdrawn", "article", title="Pain (acute)", slug="pain")
    response = client.get(f"/articles/pain{end}")
    assert response.status_code == 410
    assert "A court has ordered it." in response.content.decode()
    form = {"md": "text/markdown", "json": "application/json"}.get(end.rpartition(".")[2], "text/html")
    assert response.headers["Content-Type"].startswith(form)


@pytest.mark.parametrize(
    "query", ["from=0", "from=99", "to=-1", "from=²", "to=1e3", "from=%00", f"to={'9' * 5000}", "from=x"]
)
def test_a_comparison_with_hostile_numbers_is_not_found(query: str, client: Client) -> None:
    make_in_state("superseded", "article", slug="pain")
    assert client.get(f"/articles/pain/compare/?{query}").status_code == 404
    assert client.get("/articles/pain/editions/99999999999999999999/").status_code == 404


def test_a_page_that_is_not_there_says_so_and_leads_on(client: Client) -> None:
    response = client.get("/articles/nowhere/")
    assert response.status_code == 404
    assert b"There is no page here" in response.content


def test_the_page_for_a_fault_needs_no_database() -> None:
    with connection.execute_wrapper(lambda *args: pytest.fail("the database was asked")):
        html = render_to_string("500.html")
        from operations.kept import server_error

        response = server_error(RequestFactory().get("/articles/"))
    assert "Something went wrong on our side" in html
    assert response.status_code == 500


# --- Hostile text ------------------------------------------------------------------------------------------------


def hostile_article(publication: Publication) -> ArticleDocument:
    """Every text of it is an attack, none of which the editor's form would have let through."""
    picture = make_picture()
    shown = PictureValue(
        content_hash=picture.content_hash,
        extension=picture.extension,
        width=64,
        height=48,
        focal_x=500,
        focal_y=500,
        alt=HOSTILE,
        caption=HOSTILE,
        credit=HOSTILE,
    )
    cited = f"{HOSTILE_HTML}<p>[@bad]</p>"
    return ArticleDocument(
        kind="article",
        schema=1,
        uuid=str(publication.uuid),
        language="en",
        form="conditions",
        citations=(
            Source(key="bad", kind=HOSTILE, title=HOSTILE, authors=HOSTILE, publisher=HOSTILE, url=JAVASCRIPT),
            Source(key="doi", kind="web", title=HOSTILE, doi=HOSTILE, checked=HOSTILE),
            Source(key="pmid", kind="web", title=HOSTILE, pmid=HOSTILE),
            Source(key="url", kind="web", title=HOSTILE, url=f"https://e.example/{HOSTILE}\n"),
        ),
        authors=(Person(uuid="00000000-0000-4000-8000-000000000000", name=HOSTILE, credentials=HOSTILE),),
        title=HOSTILE,
        summary=HOSTILE,
        topic=HOSTILE,
        intro=cited,
        picture=shown,
        entries_heading=HOSTILE,
        entries=tuple(
            Entry(
                id=f"e{number}",
                group=HOSTILE,
                heading=HOSTILE,
                text=cited,
                treatment=cited,
                urgency=Urgency.URGENT,
                picture=shown,
                condition=ShownCondition(
                    uuid="00000000-0000-4000-8000-000000000001",
                    edition=1,
                    name=HOSTILE,
                    synonyms=(HOSTILE,),
                    urgency=Urgency.URGENT,
                ),
            )
            for number in range(3)
        ),
        sections=(Section(id="s", heading=HOSTILE, text=cited),),
        tips_heading=HOSTILE,
        tips_intro=cited,
        tips=(Tip(id="t", name=HOSTILE, text=cited),),
        warning_signs_heading=HOSTILE,
        warning_signs_intro=cited,
        emergency_heading=HOSTILE,
        warning_signs=tuple(WarningSign(id=urgency, text=HOSTILE, urgency=urgency) for urgency in Urgency),
        note=cited,
        conclusion_heading=HOSTILE,
        conclusion=cited,
        origin=Origin(name=HOSTILE, url=JAVASCRIPT, title=HOSTILE, author=HOSTILE, published=HOSTILE, licence=HOSTILE),
        funding=HOSTILE,
        conflicts=HOSTILE,
        ai=HOSTILE,
    )


def test_hostile_text_in_every_field_comes_out_as_text(client: Client) -> None:
    from publishing.models import Edition, Snapshot

    article = make_article(slug="pain")
    document = hostile_article(article.publication)
    snapshot = take_snapshot(
        publication=article.publication, document=document, purpose=Snapshot.Purpose.PUBLISH, by=None
    )
    edition = Edition.objects.create(
        publication=article.publication, fingerprint=snapshot.fingerprint, number=1, level=Level.MAJOR, note=HOSTILE
    )
    now = timezone.now()
    Publication.objects.update(
        live=edition,
        first_published=now,
        listed_at=now,
        title=HOSTILE[:200],
        summary=HOSTILE,
        seo_title=HOSTILE[:120],
        reviewer_name=HOSTILE,
        other_names=[HOSTILE],
    )
    Announcement.objects.create(text=HOSTILE[:160], link=JAVASCRIPT, link_text=HOSTILE[:80])
    SiteSettings.objects.create(pk=1, name=HOSTILE[:80], tagline=HOSTILE, publisher=HOSTILE, notice=HOSTILE)
    article.publication.tags.add(HOSTILE[:90])
    below = ["", "editions/", "editions/1/", "compare/"]
    for path in ["/", "/articles/", "/tags/", *(f"/articles/pain/{end}" for end in below)]:
        page = soup(client.get(path))
        assert not page.select(f"{SCRIPT_OF_A_TEXT}, [onerror]"), path
        addresses = [str(tag.get("href") or tag.get("src")) for tag in page.select("[href], [src]")]
        assert [address for address in addresses if "javascript:" in address.lower()] == [], path
        assert "{{ 7|add:7 }}" in str(page), path  # the text itself is shown
    markdown = client.get("/articles/pain.md").content.decode()
    assert "alert(1)" in markdown
    unescaped = markdown.replace("\\<", "").replace("\\[", "").lower()
    assert "<script" not in unescaped
    assert "<img" not in unescaped
    assert "<javascript:" not in unescaped
    assert "](javascript:" not in unescaped


# --- Previews ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["article", "condition", "page"])
def test_a_draft_in_which_nothing_is_written_can_be_looked_at(kind: str) -> None:
    from blog.models import Article, Page
    from conditions.models import Condition
    from publishing.kinds import kinds

    model: Any = {"article": Article, "condition": Condition, "page": Page}[kind]
    draft = model.objects.create(publication=make_publication(kind, "Nothing"))
    context = page_context(draft.build(), draft.publication, preview=True)
    html = render_to_string(kinds[kind].page_template, context, RequestFactory().get("/"))
    assert "This text is not published." in html


def test_pages_about_the_site_are_linked_from_every_page_while_they_are_live(client: Client) -> None:
    page = make_page("Corrections", slug="corrections")
    make_citation()
    assert not soup(client.get("/")).select('a[href="/about/corrections/"]')
    publish_draft(page)
    assert soup(client.get("/tags/")).select('footer a[href="/about/corrections/"]')


# --- Before and after ----------------------------------------------------------------------------------------------


def test_an_article_leads_to_the_ones_before_and_after_it_in_its_language(client: Client) -> None:
    for number, language in enumerate(["en", "en", "de", "en"]):
        edition = publish_draft(make_article(f"Article {number}", slug=f"article-{number}", language=language))
        listed = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number // 2)  # two at the same moment
        Publication.objects.filter(pk=edition.publication_id).update(listed_at=listed)
    around = {
        number: {
            link["rel"][0]: link["href"]
            for link in soup(client.get(f"/articles/article-{number}/")).select(".neighbours a")
        }
        for number in range(4)
    }
    assert around == {
        0: {"next": "/articles/article-1/"},
        1: {"prev": "/articles/article-0/", "next": "/articles/article-3/"},
        2: {},
        3: {"prev": "/articles/article-1/"},
    }


def test_a_condition_leads_to_others_of_its_area(client: Client) -> None:
    for name, area in [("Disc", "back-and-spine"), ("Stenosis", "back-and-spine"), ("Rash", "skin"), ("Gout", "")]:
        publish_draft(make_condition(name, slug=name.lower(), body_area=area))
    page = soup(client.get("/conditions/disc/"))
    assert [link["href"] for link in page.select("#nearby + ul a")] == ["/conditions/stenosis/"]
    assert page.select('.kicker a[href="/body/back-and-spine/"]')
    assert not soup(client.get("/conditions/gout/")).select("#nearby")


@pytest.mark.parametrize(
    ("sentence", "number", "expected"),
    [
        ("Call 112 now", "112", 'Call <a href="tel:112">112</a> now'),
        ("Call 000 or 1120", "112", "Call 000 or 1120"),
        ("Ring +43 (1) 40 400", "+43 (1) 40 400", 'Ring <a href="tel:+43140400">+43 (1) 40 400</a>'),
        ("Call <b>112</b>", "112", 'Call &lt;b&gt;<a href="tel:112">112</a>&lt;/b&gt;'),
        ("Call for help", "", "Call for help"),
    ],
)
def test_the_number_to_call_can_be_called(sentence: str, number: str, expected: str) -> None:
    assert with_phone(sentence, number) == expected


# --- What changed lately -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "days", "said"),
    [(Level.MAJOR, 0, True), (Level.MAJOR, 29, True), (Level.MAJOR, 31, False), (Level.MINOR, 0, False)],
)
def test_a_major_change_is_told_near_the_top_for_thirty_days(level: Level, days: int, said: bool) -> None:
    article = make_article(slug="pain")
    publish_draft(article)
    edition = publish_draft(reword(article), level=level, note="Rest does not help.")
    edition.published_at = timezone.now() - timedelta(days=days)
    publication = Publication.objects.get(pk=article.publication_id)
    document = edition.document()
    context = page_context(document, publication, edition=edition)
    html = render_to_string("blog/article_detail.html", context, RequestFactory().get("/articles/pain/"))
    assert [words(note).endswith("Rest does not help. See what changed") for note in notes_of_change(html)] == (
        [True] if said else []
    )


def test_a_first_edition_and_an_older_one_changed_nothing(client: Client) -> None:
    article = make_article(slug="pain")
    publish_draft(article)
    assert not notes_of_change(client.get("/articles/pain/").content.decode())
    publish_draft(reword(article))
    publish_draft(reword(article, "third wording"))
    assert notes_of_change(client.get("/articles/pain/").content.decode())
    assert not notes_of_change(client.get("/articles/pain/editions/2/").content.decode())


def notes_of_change(html: str) -> Any:
    return BeautifulSoup(html, "html.parser").select(".changed-lately")


def test_an_entry_says_how_soon_to_act_only_where_it_presses(client: Client) -> None:
    article = make_article(slug="pain", own_entries=0)
    for urgency in Urgency:
        condition = make_condition(urgency.value, urgency=urgency)
        publish_draft(condition)
        make_entry(article, condition=condition)
    publish_draft(article)
    page = soup(client.get("/articles/pain/"))
    assert [words(pill) for pill in page.select(".entry .aka .urgency")] == ["Emergency", "Urgent"]


def test_articles_to_read_next_are_those_with_most_in_common(client: Client) -> None:
    disc, stenosis = make_condition("Disc"), make_condition("Stenosis")
    for condition in (disc, stenosis):
        publish_draft(condition)
    shared: list[tuple[str, list[Any], list[str]]] = [
        ("Nothing", [], []),
        ("One tag", [], ["spine"]),
        ("Both conditions", [disc, stenosis], []),
        ("All", [disc, stenosis], ["spine"]),
        ("One condition and the tag", [disc], ["spine"]),
    ]
    for title, conditions, tags in shared:
        article = make_article(title, conditions=conditions)
        article.publication.tags.add(*tags)
        publish_draft(article)
    article = make_article("Pain", slug="pain", conditions=[disc, stenosis])
    article.publication.tags.add("spine")
    publish_draft(article)
    titles = [words(card) for card in soup(client.get("/articles/pain/")).select("#related ~ .cards h3")]
    assert titles == ["All", "One condition and the tag", "Both conditions"]

"""The form as a weapon, the form as a spy-hole, and machines that open every link (S1 to S4, S7, R13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client

from config.tests.factories import make_article, publish_draft
from newsletter import addresses, clock, deliveries, issues, subscribing
from newsletter.links import Purpose
from newsletter.models import Alarm, Consent, Delivery, Issue, IssueItem, SignUp, Subscriber
from newsletter.tests.mailbox import deliver, link, text_of, urls
from newsletter.tests.processes import seeded
from newsletter.tests.rows import make_issue, make_subscribers
from newsletter.tests.test_sign_up_pages import everything, form, path, soup
from newsletter.words import CURRENT
from publishing.models import Publication, SiteSettings

pytestmark = pytest.mark.django_db

Status = Subscriber.Status
ADVERT = "CHEAP-PILLS"
DAY = 24 * 60 * 60


# --- S1: a flood -------------------------------------------------------------------------------------------------


def victim(number: int) -> str:
    """One mailbox, written in many ways."""
    name = "the.victim" if number % 3 else "THE.Victim"
    tag = f"+{number}" if number % 2 else ""
    dotted = name if number % 5 else name.replace(".", "")
    return f"{dotted}{tag}@{'gmail.com' if number % 7 else 'googlemail.com'}"


def flood(posts: int, victims: int, budget: int, settings: Any) -> None:
    """50 networks post as fast as they can: a tenth at one victim, the rest at many, some with an advert."""
    settings.SIGN_UP_BUDGET = budget
    random = seeded()
    client = Client()
    for count in range(posts):
        bot = count % 50
        address = victim(count) if random.random() < 0.1 else f"v{random.randrange(victims)}@example.org"
        sent = form(address=address, name=ADVERT, subject=ADVERT, website=ADVERT if random.random() < 0.3 else "")
        if random.random() < 0.05:
            sent["words_version"] = sent["language"] = ADVERT
        response = client.post("/subscribe/", sent, REMOTE_ADDR=f"10.0.{bot}.{random.randrange(1, 255)}")
        assert response.status_code in (303, 422)
        if count == posts // 2:
            somebody = client.post("/subscribe/", form(address="somebody@example.net"), REMOTE_ADDR="203.0.113.5")
            assert somebody["Location"] == "/subscribe/thanks/"
        if count % 100 == 99:
            subscribing.process_sign_ups()
    while subscribing.process_sign_ups():
        pass
    check_flood(budget)


def check_flood(budget: int) -> None:
    rows = Delivery.objects.values_list("address", flat=True)
    mailboxes = Counter(addresses.canonical(address) for address in rows)
    assert max(mailboxes.values()) == 1
    assert len(rows) <= budget
    assert mailboxes["somebody@example.net"] == 1
    assert Alarm.objects.filter(key="sign-ups").exists()
    assert SignUp.objects.exists()  # held, not lost
    for row in everything()["Consent"] + everything()["Subscriber"] + everything()["Delivery"]:
        assert ADVERT not in str(row)
    for message in deliver():
        assert ADVERT not in message.as_string()
        assert ADVERT not in text_of(message)


def test_a_flood_from_fifty_networks_mails_each_mailbox_once_and_a_person_gets_through(settings: Any) -> None:
    flood(posts=400, victims=200, budget=100, settings=settings)


@pytest.mark.long
def test_a_flood_of_ten_thousand_is_held_too(settings: Any) -> None:
    flood(posts=10_000, victims=5_000, budget=300, settings=settings)


def test_the_mail_to_a_stranger_holds_nothing_that_was_typed_but_the_address(client: Client) -> None:
    client.post("/subscribe/", form(address="plain@example.org", name=ADVERT, website=ADVERT))
    client.post("/subscribe/", form(address=f"{ADVERT}@example.org"), REMOTE_ADDR="10.1.1.1")
    for message in deliver():
        assert ADVERT not in message["Subject"]
        assert ADVERT.lower() not in text_of(message).lower().replace(f"{ADVERT.lower()}@example.org", "")


# --- S2: who is subscribed? --------------------------------------------------------------------------------------

KNOWN: dict[str, dict[str, Any]] = {
    "pending@example.org": {"status": Status.PENDING, "confirmed_at": None},
    "confirmed@example.org": {},
    "left@example.org": {"status": Status.UNSUBSCRIBED},
    "bounced@example.org": {"status": Status.BOUNCED},
    "complained@example.org": {"status": Status.COMPLAINED},
    "erased@example.org": {},
}
CAPPED, UNKNOWN = "capped@example.org", "nobody@example.org"


def people_of_every_kind() -> list[str]:
    now = clock.now()
    for address, more in KNOWN.items():
        values: dict[str, Any] = {"status": Status.CONFIRMED, "confirmed_at": now} | more
        left_at = None if values["status"] in (Status.PENDING, Status.CONFIRMED) else now
        Subscriber.objects.create(address=address, address_hmac=addresses.digest(address), left_at=left_at, **values)
    subscribing.erase(Subscriber.objects.get(address="erased@example.org"))
    subscribing.sign_up(address=CAPPED, language="en", words_version=CURRENT, network="")
    subscribing.process_sign_ups()
    return [*KNOWN, CAPPED, UNKNOWN]


def test_the_answer_and_the_work_are_the_same_for_every_address() -> None:
    """S2: byte for byte, and the same statements in the same number; bench/sign_up_time.py measures the time."""
    answers, works = set(), set()
    for number, address in enumerate(people_of_every_kind()):
        statements: list[str] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any, kept: list[str] = statements) -> Any:
            kept.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            response = Client().post("/subscribe/", form(address=address), REMOTE_ADDR=f"10.2.{number}.1")
        page = Client().get(response["Location"])
        answers.add(
            (response.status_code, response.content, str(response.headers), str(response.cookies), page.content)
        )
        works.add(tuple(statements))
    assert len(answers) == 1
    assert len(works) == 1


def test_what_is_said_is_said_by_mail_and_only_to_the_mailbox(settings: Any) -> None:
    for number, address in enumerate(people_of_every_kind()):
        Delivery.objects.filter(address=address).update(state=Delivery.State.SENT)
        Client().post("/subscribe/", form(address=address), REMOTE_ADDR=f"10.2.{number}.1")
    subscribing.process_sign_ups()
    sent = dict(Delivery.objects.filter(state=Delivery.State.QUEUED).values_list("address", "purpose"))
    assert sent == {
        "pending@example.org": "confirm",
        "confirmed@example.org": "already",
        "left@example.org": "confirm",
        "erased@example.org": "confirm",
        UNKNOWN: "confirm",
    }


def test_too_many_from_one_network_look_like_one_from_it(client: Client) -> None:
    answers = set()
    for count in range(subscribing.NETWORK_AN_HOUR + 5):
        response = client.post("/subscribe/", form(address=f"a{count}@example.org"))
        answers.add((response.status_code, response.content, str(response.headers)))
    assert len(answers) == 1
    assert SignUp.objects.count() == subscribing.NETWORK_AN_HOUR


# --- S3: machines that open links --------------------------------------------------------------------------------


def add_to(issue: Issue, publication: Publication, *, correction: bool = False) -> None:
    IssueItem.objects.create(issue=issue, publication=publication, edition=publication.live, correction=correction)


def a_mail_of_every_kind() -> dict[str, Any]:
    """One person's mails of each kind, as the sender made them, by kind."""
    SiteSettings.objects.create(pk=1, name="The Lamp", publisher="The Lamp Trust", contact="desk@testserver.example")
    [person] = make_subscribers(1)
    article = make_article("Back pain")
    publish_draft(article)
    SiteSettings.objects.update(strictness=SiteSettings.Strictness.OPEN)
    issue = make_issue()
    for kind in (Issue.Kind.ARTICLE, Issue.Kind.CORRECTION):
        other = make_issue(kind=kind)
        IssueItem.objects.create(
            issue=other,
            publication=article.publication,
            edition=article.publication.live,
            correction=kind == "correction",
        )
    IssueItem.objects.create(issue=issue, publication=article.publication, edition=article.publication.live)
    for purpose in Delivery.Purpose:
        if purpose == Delivery.Purpose.TEST:
            deliveries.queue_test(issue, person.address)
        elif purpose != Delivery.Purpose.ISSUE:
            deliveries.queue_notice(person, purpose)
    mails = deliver()
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.SENT}
    names = Delivery.objects.order_by("settled_at", "pk").values_list("purpose", "issue__kind")
    return {f"{purpose}:{kind or ''}": message for (purpose, kind), message in zip(names, mails, strict=True)}


def our_links(mails: dict[str, Any]) -> Iterator[str]:
    for message in mails.values():
        for url in urls(message):
            if url.startswith("http://testserver"):
                yield url.removeprefix("http://testserver") or "/"


def test_a_scanner_that_opens_every_link_of_every_mail_changes_nothing_and_the_person_can_still_act() -> None:
    mails = a_mail_of_every_kind()
    assert len(mails) == len(Delivery.Purpose) - 1 + 3
    found = set(our_links(mails))
    for purpose in Purpose:
        assert any(f"/newsletter/{purpose}/" in url for url in found), purpose
    before = everything()
    scanner = Client(HTTP_USER_AGENT="Scanner")
    for _time in range(3):
        for url in sorted(found):
            for method in ("GET", "HEAD", "OPTIONS"):
                response = scanner.generic(method, url)
                assert (url, response.status_code) in [(url, 200), (url, 405)]
                assert not response.cookies
                for address in soup(response).select("a[href^='/newsletter/'][href*='.']"):
                    scanner.generic(method, str(address["href"]))
    assert everything() == before
    [confirm] = [message for name, message in mails.items() if name == "confirm:"]
    [article] = [message for name, message in mails.items() if name == "issue:article"]
    person = Subscriber.objects.get()
    assert Client().post(link(article, "unsubscribe"), {"List-Unsubscribe": "One-Click"}).status_code == 200
    person.refresh_from_db()
    assert person.status == Status.UNSUBSCRIBED
    Client().post("/subscribe/", form(address=person.address))
    subscribing.process_sign_ups()
    assert "You are subscribed" in Client().post(link(confirm, "confirm")).content.decode()
    person.refresh_from_db()
    assert person.status == Status.CONFIRMED


def test_the_address_that_a_mail_program_posts_to_is_that_of_the_page_and_redirects_nowhere() -> None:
    """RFC 8058 for every kind of mail that goes to many."""
    for name, message in a_mail_of_every_kind().items():
        if not name.startswith("issue:"):
            continue
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        [address] = [part.strip(" <>") for part in message["List-Unsubscribe"].split(",") if "http" in part]
        for _time in range(10):
            response = Client(enforce_csrf_checks=True).post(address, {"List-Unsubscribe": "One-Click"})
            assert response.status_code == 200
    assert Consent.objects.filter(event="unsubscribed").count() == 1


# --- S4: the form of a cached page, and other sites --------------------------------------------------------------


def cached_form(place: str) -> dict[str, str]:
    """What the form holds on a page that was made for another visitor."""
    page = BeautifulSoup(Client(REMOTE_ADDR="198.51.100.200").get(place).content, "html.parser")
    [found] = page.select("dialog form[method=post]")
    return {str(field["name"]): str(field.get("value", "")) for field in found.select("input")}


OURS = {
    "a browser of today": {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "http://testserver"},
    "a page that sends no referrer": {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "null"},
    "an older browser": {"HTTP_ORIGIN": "http://testserver"},
    "one that says nothing": {},
}
OTHERS = {
    "another site": {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "https://evil.example"},
    "a sister of our domain": {"HTTP_SEC_FETCH_SITE": "same-site", "HTTP_ORIGIN": "http://other.testserver"},
    "another site that hides its name": {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "null"},
    "another site, cross-site only": {"HTTP_SEC_FETCH_SITE": "cross-site"},
    "an older browser on another site": {"HTTP_ORIGIN": "https://evil.example"},
    "an older browser that hides the name": {"HTTP_ORIGIN": "null"},
    "another scheme": {"HTTP_ORIGIN": "https://testserver"},
    "another port": {"HTTP_ORIGIN": "http://testserver:8080"},
}


@pytest.mark.parametrize("who", OURS)
def test_the_form_of_a_page_that_was_cached_for_another_visitor_works(who: str) -> None:
    visitor = Client(enforce_csrf_checks=True)
    response = visitor.post("/subscribe/", cached_form("/articles/") | {"address": "ada@example.org"}, **OURS[who])  # type: ignore[arg-type]
    assert response.status_code == 303
    assert not response.cookies
    assert SignUp.objects.get().address == "ada@example.org"


@pytest.mark.parametrize("who", OTHERS)
def test_another_site_cannot_post_the_form(who: str) -> None:
    visitor = Client(enforce_csrf_checks=True)
    response = visitor.post("/subscribe/", form(), **OTHERS[who])  # type: ignore[arg-type]
    assert response.status_code == 403
    assert not response.cookies
    assert "another site" in response.content.decode()
    assert not SignUp.objects.exists()


# --- S7: whose site is it? ---------------------------------------------------------------------------------------

HOSTILE = {
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_SERVER": "evil.example",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_PORT": "666",
    "HTTP_X_FORWARDED_FOR": "203.0.113.66",
    "HTTP_X_FORWARDED_PREFIX": "/evil",
    "HTTP_X_ORIGINAL_URL": "/evil",
    "HTTP_FORWARDED": "host=evil.example;proto=https",
    "HTTP_REFERER": "https://evil.example/",
    "SCRIPT_NAME": "",
}


# Those that the site answers to, also with another port, and those that it does not.
HOSTS = ["testserver", "localhost", "127.0.0.1", "testserver:666", "evil.example", "testserver@evil.example"]


@pytest.mark.parametrize("host", HOSTS)
def test_no_header_of_a_request_gets_into_a_mail(host: str, settings: Any) -> None:
    client = Client(HTTP_HOST=host, **HOSTILE)  # type: ignore[arg-type]
    [person] = make_subscribers(1)
    client.post("/subscribe/", form(address="new@example.org"))
    client.post("/subscribe/", form(address=person.address), REMOTE_ADDR="10.9.9.9")
    for action in ("export", "erase", "weekly", "pause-1"):
        client.post(path(Purpose.CHOICES, person), {"action": action})
    if host in settings.ALLOWED_HOSTS or host == "testserver:666":
        assert Delivery.objects.count() == 2
    Client().post("/subscribe/", form(address="control@example.org"), REMOTE_ADDR="10.8.8.8")
    mails = deliver()
    assert mails
    for message in mails:
        assert "evil" not in message.as_string().lower()
        for url in urls(message):
            assert url.startswith(f"{settings.SITE_URL}/"), url
            assert urlsplit(url).netloc == "testserver"


# --- R13: leaving while mail goes out ----------------------------------------------------------------------------


def test_nobody_who_left_or_was_erased_is_claimed_for_afterwards(settings: Any) -> None:
    """R13 at the level of the services: whose leaving is committed gets no further mail, and the sum still holds."""
    random = seeded()
    people = make_subscribers(60)
    issue = make_issue()
    issues.begin_due()
    while issues.prepare(issue, chunk=7):
        pass
    gone = random.sample(people, 30)
    for person in gone[:20]:
        subscribing.unsubscribe(person)
    for person in gone[20:25]:
        subscribing.erase(person)
    for person in gone[25:]:
        subscribing.stop(subscriber=person, status=Status.BOUNCED, method=Consent.Method.MAIL)
    received = {message["To"] for message in deliver()}
    assert received == {person.address for person in people if person not in gone}
    issue.refresh_from_db()
    counts = issues.tally(issue)
    assert sum(counts.values()) == issue.recipients == 60
    assert (counts["sent"], counts["suppressed"]) == (30, 30)

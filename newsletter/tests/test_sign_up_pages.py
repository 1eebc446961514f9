"""The pages of the newsletter: what they say, what a press of their buttons does, and that looking does nothing."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.test import Client
from taggit.models import Tag

from config.tests.factories import make_article, publish_draft
from newsletter import addresses, clock, links, subscribing
from newsletter.links import Purpose
from newsletter.logs import WithoutTokens
from newsletter.models import Consent, Delivery, SignUp, Subscriber, Topic
from newsletter.tests.rows import make_subscribers
from newsletter.words import CURRENT, words
from publishing.models import SiteSettings
from publishing.services import rename_tag

pytestmark = [pytest.mark.django_db, pytest.mark.once]

Status = Subscriber.Status
ADDRESS = "ada@example.org"
PAGES = list(Purpose)


def soup(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def text(response: Any) -> str:
    main = soup(response).select_one("main")
    assert main
    return " ".join(main.get_text(" ").split())


def reader(**more: Any) -> Subscriber:
    [person] = make_subscribers(1, prefix="ada", **more)
    return person


def path(purpose: Purpose, person: Subscriber) -> str:
    address = links.url(purpose, links.token(purpose, person.uuid))
    return address.removeprefix("http://testserver")


def fresh(person: Subscriber) -> Subscriber:
    return Subscriber.objects.get(pk=person.pk)


def form(**more: str) -> dict[str, str]:
    return {"address": ADDRESS, "language": "en", "words_version": CURRENT, "website": ""} | more


def everything() -> dict[str, list[Any]]:
    """All rows of the newsletter."""
    return {
        model.__name__: list(model._default_manager.values())
        for model in apps.get_app_config("newsletter").get_models()
    }


# --- The form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/", "/articles/", "/articles/back/", "/newsletter/", "/subscribe/"])
def test_every_page_has_the_form_and_it_asks_for_an_address_only(place: str, client: Client) -> None:
    publish_draft(make_article(slug="back"))
    forms = soup(client.get(place)).select("form[method=post]")
    assert len(forms) == (1 if place == "/subscribe/" else 2)
    for found in forms:
        assert found["action"] == "/subscribe/"
        shown = [
            field
            for field in found.select("input")
            if field.get("type") != "hidden" and not field.find_parent(class_="trap")
        ]
        assert [field["name"] for field in shown] == ["address"]
        assert words("en") in found.get_text()
        assert found.select_one(f"label[for={shown[0]['id']}]")
        assert found.select_one(f"#{shown[0]['aria-describedby']}")
    ids = [tag["id"] for tag in soup(client.get(place)).select("[id]")]
    assert len(ids) == len(set(ids))


def test_the_form_is_the_same_for_every_visitor_and_sets_no_cookie(client: Client) -> None:
    first, second = client.get("/"), Client(REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="another").get("/")
    assert first.content == second.content
    assert not first.cookies
    assert "Cookie" not in first.headers.get("Vary", "")


def test_the_dialog_needs_no_script_and_where_it_is_not_known_a_link_leads_to_the_page(client: Client) -> None:
    page = soup(client.get("/"))
    [button] = page.select("header button[popovertarget=subscribe]")
    assert page.select_one(f"dialog#{button['popovertarget']}[popover] form[action='/subscribe/'][method=post]")
    assert page.select_one("dialog button[popovertargetaction=hide]")
    assert page.select_one("header a[href='/subscribe/?language=en']")


@pytest.mark.parametrize("place", ["/subscribe/", "/subscribe/thanks/"])
def test_a_page_without_the_dialog_has_no_button_for_it(place: str, client: Client) -> None:
    assert not soup(client.get(place)).select("[popovertarget=subscribe]")


def test_a_page_in_german_has_the_form_in_german_and_leads_to_german_pages(client: Client) -> None:
    publish_draft(make_article(slug="ruecken", language="de"))
    page = soup(client.get("/articles/ruecken/"))
    for found in page.select("form[method=post]"):
        assert found["lang"] == "de"
        assert words("de") in found.get_text()
        sent = {str(field["name"]): str(field.get("value", "")) for field in found.select("input")}
    response = client.post("/subscribe/", sent | {"address": ADDRESS})
    assert response["Location"] == "/subscribe/thanks/?language=de"
    assert soup(client.get(response["Location"])).html["lang"] == "de"  # type: ignore[index]
    assert SignUp.objects.get().language == "de"


def test_a_language_that_the_site_does_not_have_is_its_own(client: Client) -> None:
    for language in ("xx", "<b>", "", "../"):
        assert (
            client.get("/subscribe/thanks/", {"language": language}).content == client.get("/subscribe/thanks/").content
        )
        assert client.get("/subscribe/", {"language": language}).content == client.get("/subscribe/").content
        client.post("/subscribe/", form(language=language))
    assert set(SignUp.objects.values_list("language", flat=True)) == {"en"}


def test_a_valid_form_is_taken_down_and_leads_to_the_thanks(client: Client) -> None:
    response = client.post("/subscribe/", form(address=" Ada@EXAMPLE.org "), REMOTE_ADDR="192.0.2.77")
    assert (response.status_code, response["Location"]) == (303, "/subscribe/thanks/")
    assert not response.cookies
    row = SignUp.objects.get()
    assert (row.address, row.network, row.suspicious) == (ADDRESS, "192.0.2.0/24", False)
    assert (row.words_version, row.language) == (CURRENT, "en")
    assert "mailbox" in text(client.get("/subscribe/thanks/"))
    assert not Subscriber.objects.exists()  # the sender decides


def test_an_address_in_other_letters_is_taken(client: Client) -> None:
    client.post("/subscribe/", form(address="jörg@bücher.example"))
    assert not SignUp.objects.exists()  # Django's own rule: no other letters before the @
    client.post("/subscribe/", form(address="joerg@bücher.example"))
    assert SignUp.objects.get().address == "joerg@xn--bcher-kva.example"


BAD = [
    "",
    " ",
    "ada",
    "ada@",
    "@example.org",
    "ada@@example.org",
    "a b@example.org",
    "ada@example.org\r\nBcc: x@example.org",
    "ada@example.org, eve@example.org",
    "ada@example.org\x00",
    "a" * 250 + "@example.org",
    '"><script>@example.org',
    "root@localhost",
    "root@[10.0.0.1]",
    "root@[IPv6:::1]",
]


@pytest.mark.parametrize("typed", BAD)
def test_what_is_no_address_comes_back_as_typed_with_a_sentence(typed: str, client: Client) -> None:
    response = client.post("/subscribe/", form(address=typed))
    assert response.status_code == 422
    page = soup(response)
    [field] = page.select("main input[name=address]")
    assert field["value"].replace("\r\n", "\n") == typed.replace("\r\n", "\n")  # type: ignore[union-attr]
    assert field["aria-invalid"] == "true"
    described = str(field["aria-describedby"]).split()
    sentence = page.select_one(f"#{described[0]}")
    assert sentence
    assert sentence.get_text().strip().endswith(".")
    assert page.select_one(".form-errors[role=alert] a")["href"] == f"#{field['id']}"  # type: ignore[index]
    assert page.title
    assert page.title.get_text().startswith("Error")
    assert not SignUp.objects.exists()


def test_a_form_that_says_nothing_is_no_error_of_ours(client: Client) -> None:
    assert client.post("/subscribe/", {}).status_code == 422
    assert client.post("/subscribe/", b"\xff\x00", content_type="text/plain").status_code == 422


def test_words_that_were_never_shown_are_agreed_to_by_nobody(client: Client) -> None:
    response = client.post("/subscribe/", form(words_version="1999"))
    assert response.status_code == 422
    assert "out of date" in text(response)
    assert soup(response).select_one("main input[name=words_version]")["value"] == CURRENT  # type: ignore[index]
    assert not SignUp.objects.exists()


def test_the_field_that_people_do_not_see_is_a_weak_sign_and_the_answer_the_same(client: Client) -> None:
    robot = client.post("/subscribe/", form(website="https://spam.example"))
    person = client.post("/subscribe/", form())
    assert (robot.status_code, robot.content, robot.headers) == (person.status_code, person.content, person.headers)
    assert list(SignUp.objects.order_by("pk").values_list("suspicious", flat=True)) == [True, False]


def test_behind_a_proxy_the_last_hop_counts_and_otherwise_no_header_does(settings: Any, client: Client) -> None:
    forged: Any = {"HTTP_X_FORWARDED_FOR": "203.0.113.1, 198.51.100.7", "REMOTE_ADDR": "192.0.2.1"}
    client.post("/subscribe/", form(), **forged)
    settings.BEHIND_PROXY = True
    client.post("/subscribe/", form(), **forged)
    client.post("/subscribe/", form(), REMOTE_ADDR="2001:db8:1:2ff::1")
    found = SignUp.objects.order_by("pk").values_list("network", flat=True)
    assert list(found) == ["192.0.2.0/24", "198.51.100.0/24", "2001:db8:1:200::/56"]


# --- Links that are none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_none_of_ours_is_a_calm_page(purpose: Purpose, method: str, client: Client) -> None:
    response = getattr(client, method)(f"/newsletter/{purpose}/nonsense/")
    assert response.status_code == 404
    assert "Nothing was changed" in text(response)
    private(response)


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.EXPORT, Purpose.ERASE])
def test_a_link_whose_time_is_over_says_what_to_do(
    purpose: Purpose, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = reader()
    address = path(purpose, person)
    monkeypatch.setitem(links.LIFETIMES, purpose, timedelta(seconds=-1))
    for response in (client.get(address), client.post(address)):
        assert response.status_code == 410
        assert "expired" in text(response)
        private(response)
    assert fresh(person)
    if purpose == Purpose.CONFIRM:
        assert soup(response).select_one("main a[href='/subscribe/']")


def test_a_link_to_somebody_who_is_gone_looks_like_one_that_never_was(client: Client) -> None:
    person = reader()
    addresses_ = {purpose: path(purpose, person) for purpose in PAGES}
    person.delete()
    for purpose in (Purpose.CONFIRM, Purpose.CHOICES, Purpose.EXPORT):
        gone, nonsense = client.get(addresses_[purpose]), client.get(f"/newsletter/{purpose}/nonsense/")
        assert (gone.status_code, gone.content) == (nonsense.status_code, nonsense.content)


def private(response: Any) -> None:
    """Nobody keeps it, lists it or passes its address on."""
    kept = response["Cache-Control"]
    assert "no-store" in kept
    assert "private" in kept
    assert response["Referrer-Policy"] == "same-origin"
    assert "noindex" in response["X-Robots-Tag"]
    assert not response.cookies


@pytest.mark.parametrize("purpose", PAGES)
def test_a_page_behind_a_link_is_private_and_loads_nothing_from_elsewhere(purpose: Purpose, client: Client) -> None:
    response = client.get(path(purpose, reader()))
    assert response.status_code == 200
    private(response)
    page = soup(response)
    assert page.select_one('meta[name=robots][content*="noindex"]')
    assert not page.select("script:not([src]), link[rel=canonical]")
    for tag in page.select("[src], link[href], form[action]"):
        assert str(tag.get("src") or tag.get("href") or tag.get("action")).startswith("/")


@pytest.mark.parametrize("purpose", PAGES)
def test_looking_at_a_page_behind_a_link_changes_nothing(purpose: Purpose) -> None:
    """S3, for each link; the whole walk is in test_sign_up_abuse.py."""
    address = path(purpose, reader())
    before = everything()
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
        response = Client().generic(method, address)
        assert response.status_code == (200 if method in ("GET", "HEAD") else 405)
    assert everything() == before


def test_a_page_is_in_the_language_of_its_person(client: Client) -> None:
    person = reader(language="de")
    for purpose in PAGES:
        assert soup(client.get(path(purpose, person))).html["lang"] == "de"  # type: ignore[index]


# --- Confirming --------------------------------------------------------------------------------------------------


def test_a_press_of_the_button_confirms_and_ten_are_one(client: Client) -> None:
    subscribing.sign_up(address=ADDRESS, language="en", words_version=CURRENT, network="")
    subscribing.process_sign_ups()
    person = Subscriber.objects.get()
    address = path(Purpose.CONFIRM, person)
    assert soup(client.get(address)).select_one("main form[method=post] button")
    for _time in range(10):
        response = client.post(address, REMOTE_ADDR="198.51.100.4")
        assert response.status_code == 200
        assert "You are subscribed" in text(response)
        private(response)
    assert fresh(person).status == Status.CONFIRMED
    consent = Consent.objects.get(event="confirmed")
    assert (consent.method, consent.network) == ("link", "198.51.100.0/24")


def test_who_is_subscribed_already_sees_that_behind_the_link(client: Client) -> None:
    assert "You are subscribed" in text(client.get(path(Purpose.CONFIRM, reader())))


def test_a_link_from_before_leaving_says_how_to_come_back(client: Client) -> None:
    person = reader()
    subscribing.unsubscribe(person)
    response = client.post(path(Purpose.CONFIRM, person))
    assert response.status_code == 410
    assert soup(response).select_one("main a[href='/subscribe/']")
    assert fresh(person).status == Status.UNSUBSCRIBED


# --- Leaving -----------------------------------------------------------------------------------------------------


def test_the_page_for_leaving_has_one_button_and_two_ways_to_get_less(client: Client) -> None:
    person = reader()
    page = soup(client.get(path(Purpose.UNSUBSCRIBE, person)))
    buttons = page.select("main button")
    assert [button.get_text() for button in buttons] == [
        "Unsubscribe", "One mail a week instead", "Pause for 1 month", "Pause for 3 months"
    ]  # fmt: skip
    [leave, less] = page.select("main form")
    assert not leave.get("action")
    response = client.post(str(less["action"]), {"action": "weekly"}, follow=True)
    assert "one mail a week" in text(response)
    assert (fresh(person).frequency, fresh(person).status) == ("weekly", Status.CONFIRMED)


def test_one_click_by_a_mail_program_needs_no_cookie_no_origin_and_no_second_look() -> None:
    """RFC 8058: 200 to a bare POST, without a redirect; ten times is once; also from another site."""
    person = reader()
    strict = Client(enforce_csrf_checks=True)
    for count in range(10):
        more: Any = {"HTTP_ORIGIN": "https://mail.example", "HTTP_SEC_FETCH_SITE": "cross-site"} if count % 2 else {}
        response = strict.post(path(Purpose.UNSUBSCRIBE, person), {"List-Unsubscribe": "One-Click"}, **more)
        assert response.status_code == 200
        assert not response.cookies
    assert fresh(person).status == Status.UNSUBSCRIBED
    assert list(Consent.objects.values_list("event", "method")) == [("unsubscribed", "one-click")]


def test_one_click_is_understood_in_both_forms_that_a_mail_program_may_send() -> None:
    for content_type, body in (
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=x",
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
        ),
    ):
        [person] = make_subscribers(1, prefix=content_type[:3])
        assert Client().post(path(Purpose.UNSUBSCRIBE, person), body, content_type=content_type).status_code == 200
        assert fresh(person).status == Status.UNSUBSCRIBED
        assert Consent.objects.last().method == "one-click"  # type: ignore[union-attr]


def test_a_press_on_the_page_is_told_from_one_click_on_record(client: Client) -> None:
    person = reader()
    response = client.post(path(Purpose.UNSUBSCRIBE, person))
    assert "You are unsubscribed" in text(response)
    assert Consent.objects.get().method == "link"


def test_leaving_works_for_who_has_been_erased(client: Client) -> None:
    person = reader()
    address = path(Purpose.UNSUBSCRIBE, person)
    subscribing.erase(person)
    for response in (
        client.post(address, {"List-Unsubscribe": "One-Click"}),
        client.post(address),
        client.get(address),
    ):
        assert response.status_code == 200
        assert "You are unsubscribed" in text(response)
        private(response)


# --- Choosing ----------------------------------------------------------------------------------------------------


def tagged(title: str, *tags: str) -> None:
    article = make_article(title)
    publish_draft(article)
    article.publication.tags.add(*tags)


def test_topics_are_off_and_offered_with_the_reason(client: Client) -> None:
    tagged("Back pain", "backs", "sleep")
    make_article("A draft").publication.tags.add("hidden")
    response = client.get(path(Purpose.CHOICES, reader()))
    page = soup(response)
    assert page.select_one("input[name=scope][value=all]").has_attr("checked")  # type: ignore[union-attr]
    topics = page.select("input[name=topics]")
    assert [topic["value"] for topic in topics] == ["backs", "sleep"]
    assert not [topic for topic in topics if topic.has_attr("checked")]
    assert "says something about their health" in text(response)


def test_a_choice_is_saved_shown_and_turned_off_again(client: Client) -> None:
    tagged("Back pain", "backs", "sleep")
    person = reader()
    address = path(Purpose.CHOICES, person)
    chosen = {"action": "save", "frequency": "weekly", "scope": "some", "topics": ["sleep"]}
    response = client.post(address, chosen, follow=True)
    assert response.redirect_chain == [(f"{address}?done=saved", 303)]
    assert "Saved." in text(response)
    checked = {(field["name"], field["value"]) for field in soup(response).select("main input[checked]")}
    assert checked == {("frequency", "weekly"), ("scope", "some"), ("topics", "sleep")}
    client.post(address, {"action": "save", "frequency": "weekly", "scope": "all", "topics": ["sleep"]})
    assert not Topic.objects.exists()


def test_topics_without_one_are_asked_about_and_nothing_is_lost(client: Client) -> None:
    tagged("Back pain", "backs")
    person = reader()
    response = client.post(path(Purpose.CHOICES, person), {"action": "save", "frequency": "weekly", "scope": "some"})
    assert response.status_code == 422
    page = soup(response)
    assert "Choose at least one topic" in page.select_one("#topics-error").get_text()  # type: ignore[union-attr]
    assert page.select_one(".form-errors[role=alert] a")["href"] == "#topics"  # type: ignore[index]
    assert page.select_one("input[value=weekly]").has_attr("checked")  # type: ignore[union-attr]
    assert fresh(person).frequency == "every"


def test_choices_that_were_not_offered_change_nothing(client: Client) -> None:
    person = reader()
    before = everything()
    for posted in (
        {"action": "save", "frequency": "hourly", "scope": "all"},
        {"action": "save", "frequency": "weekly", "scope": "some", "topics": ["made-up"]},
        {"action": "save", "frequency": "weekly"},
        {"action": "pause-99"},
        {"action": "confirm"},
        {},
    ):
        assert client.post(path(Purpose.CHOICES, person), posted).status_code in (200, 422)
    assert everything() == before


def test_a_topic_that_was_renamed_or_has_no_article_just_now_stays_chosen(client: Client) -> None:
    tagged("Back pain", "backs")
    person = reader(has_topics=True)
    Topic.objects.bulk_create([Topic(subscriber=person, slug=slug) for slug in ("backs", "quiet")])
    rename_tag(tag=Tag.objects.get(slug="backs"), name="The back")
    address = path(Purpose.CHOICES, person)
    shown = [str(field["value"]) for field in soup(client.get(address)).select("input[name=topics][checked]")]
    assert sorted(shown) == ["quiet", "the-back"]
    client.post(address, {"action": "save", "frequency": "every", "scope": "some", "topics": shown})
    assert sorted(Topic.objects.values_list("slug", flat=True)) == ["quiet", "the-back"]


def test_a_pause_begins_and_ends_by_a_button(client: Client) -> None:
    person = reader()
    address = path(Purpose.CHOICES, person)
    page = client.post(address, {"action": "pause-1"}, follow=True)
    until = fresh(person).paused_until
    assert until == clock.now().date() + timedelta(days=30)
    assert f"before {until.day} " in text(page)
    assert client.post(address, {"action": "pause-3"}).status_code == 303
    assert fresh(person).paused_until == clock.now().date() + timedelta(days=91)
    assert "You get mail again" in text(client.post(address, {"action": "resume"}, follow=True))
    assert fresh(person).paused_until is None


@pytest.mark.parametrize("purpose", ["export", "erase"])
def test_what_a_forwarded_mail_must_not_do_is_mailed_as_a_link(purpose: str, client: Client) -> None:
    person = reader()
    address = path(Purpose.CHOICES, person)
    answers = [text(client.post(address, {"action": purpose}, follow=True)) for _time in range(5)]
    assert ["24 hours" in answer.partition("Your data")[0] for answer in answers] == [True] * 3 + [False] * 2
    assert list(Delivery.objects.values_list("purpose", "address")) == [(purpose, person.address)] * 3
    assert fresh(person)


@pytest.mark.parametrize("status", [Status.PENDING, Status.UNSUBSCRIBED, Status.BOUNCED, Status.COMPLAINED])
def test_who_gets_no_mail_has_nothing_to_choose_but_their_data(status: str, client: Client) -> None:
    SiteSettings.objects.create(pk=1, contact="desk@site.example")
    left_at = None if status == Status.PENDING else clock.now()
    page = soup(client.get(path(Purpose.CHOICES, reader(status=status, confirmed_at=None, left_at=left_at))))
    assert [button["value"] for button in page.select("main button")] == ["export", "erase"]


# --- Their data --------------------------------------------------------------------------------------------------


def test_data_come_as_a_file_at_the_press_of_a_button(client: Client) -> None:
    person = reader()
    response = client.post(path(Purpose.EXPORT, person))
    assert response.headers["Content-Type"] == "application/json"
    assert response["Content-Disposition"].startswith("attachment")
    private(response)
    assert json.loads(response.content)["subscriber"]["address"] == person.address
    assert Consent.objects.get().event == "exported"


def test_erasing_is_done_at_the_press_of_a_button_and_ten_are_one(client: Client) -> None:
    person = reader()
    address = path(Purpose.ERASE, person)
    assert "cannot be undone" in text(client.get(address))
    for _time in range(10):
        response = client.post(address)
        assert response.status_code == 200
        assert "You are erased" in text(response)
        private(response)
    assert not Subscriber.objects.exists()
    assert list(Consent.objects.values_list("event", flat=True)) == ["erased"]
    assert Consent.objects.get().address_hmac == addresses.digest(person.address)


# --- Logs --------------------------------------------------------------------------------------------------------


def test_no_line_of_the_log_holds_a_token(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    """L1: also where Django itself logs the address of a page that it could not show."""
    assert "without_tokens" in settings.LOGGING["handlers"]["stderr"]["filters"]
    person = reader()
    subscribing.unsubscribe(person)
    caplog.handler.addFilter(WithoutTokens())
    with caplog.at_level(logging.DEBUG):
        for purpose in PAGES:
            Client().generic("PUT", path(purpose, person))
            Client().get(path(purpose, person) + "more/")
        Client().post(path(Purpose.CONFIRM, person))
        Client().post("/subscribe/", form())
    assert "/newsletter/confirm/…" in caplog.text
    for purpose in PAGES:
        assert links.token(purpose, person.uuid)[:22] not in caplog.text
    assert "@example.org" not in caplog.text

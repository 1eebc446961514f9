"""Subscribers in the admin: what an editor sees of a person, and what an editor may do for them."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from newsletter import addresses, clock, importing, subscribing
from newsletter.models import Bounce, Consent, Delivery, Subscriber, SubscriberFile, Suppression, Topic
from newsletter.tests.rows import make_issue, make_subscribers

pytestmark = [pytest.mark.django_db, pytest.mark.once]

REASON = "By phone, 3 May"
CONSENT = "Sign-up form of the old site"


@pytest.fixture
def paula() -> User:
    user = User.objects.create_user("paula", is_staff=True)
    names = ["view_subscriber", "change_subscriber", "import_subscriber", "export_subscriber"]
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="newsletter", codename__in=names))
    return user


@pytest.fixture
def desk(paula: User) -> Client:
    client = Client()
    client.force_login(paula)
    return client


@pytest.fixture
def ann() -> Subscriber:
    (person,) = make_subscribers(1, prefix="ann")
    record(person, "confirmed")
    return person


def record(person: Subscriber, event: str, **more: Any) -> Consent:
    return Consent.objects.create(
        **{"address_hmac": person.address_hmac, "event": event, "method": "form", "at": clock.now()} | more
    )


def address_of(view: str, *args: Any) -> str:
    return reverse(f"admin:newsletter_subscriber_{view}", args=args)


def page(client: Client, view: str, *args: Any) -> str:
    response = client.get(address_of(view, *args))
    assert response.status_code == 200
    return response.content.decode()


def stop(person: Subscriber, status: str = "bounced") -> None:
    subscribing.stop(subscriber=person, status=status, method=Consent.Method.MAIL, detail="550 5.1.1 No such user")


def logged() -> list[tuple[str, str]]:
    return list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message"))


# --- The list and its search -----------------------------------------------------------------------------------


def test_the_list_says_who_they_are_and_how_the_list_grew(desk: Client, ann: Subscriber) -> None:
    html = page(desk, "changelist")
    for said in ("ann1@example.org", "Confirmed", "Every article", "English", '<svg viewBox="0 0 380'):
        assert said in html


def test_the_list_asks_as_much_for_a_hundred_people_as_for_ten(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    for number in (10, 100):
        make_subscribers(number, prefix=f"n{number}-")
        with django_assert_max_num_queries(14):
            page(desk, "changelist")


def find(client: Client, typed: str) -> Any:
    return client.post(address_of("find"), {"q": typed})


@pytest.mark.parametrize("typed", ["ann1@example.org", "  ANN1@Example.ORG "])
def test_a_whole_address_leads_to_the_person(desk: Client, ann: Subscriber, typed: str) -> None:
    assert find(desk, typed)["Location"] == address_of("change", ann.pk)


def test_the_beginning_of_an_address_leads_to_those_who_have_it(desk: Client, ann: Subscriber) -> None:
    make_subscribers(1, prefix="joann")
    response = desk.get(find(desk, "Ann")["Location"])
    assert [row.address for row in response.context["cl"].queryset] == ["ann1@example.org"]


def test_who_was_erased_is_found_by_the_address_and_said_when_and_why(desk: Client, ann: Subscriber) -> None:
    stop(ann)
    subscribing.erase(ann)
    html = desk.get(find(desk, "ann1@example.org")["Location"]).content.decode()
    assert "Erased; the address did not work" in html
    assert "ann1@example.org" not in html


def test_who_was_erased_is_found_under_an_older_key_too(settings: Any, desk: Client, ann: Subscriber) -> None:
    subscribing.erase(ann)
    settings.NEWSLETTER_KEYS = ["a newer key", *settings.NEWSLETTER_KEYS]
    assert find(desk, "ann1@example.org")["Location"] == address_of("erased", ann.address_hmac)


def test_a_whole_address_never_enters_an_address_of_ours(desk: Client) -> None:
    response = find(desk, "nobody@example.org")
    assert response["Location"] == address_of("changelist")
    assert "nobody with this address" in desk.get(response["Location"]).content.decode()


def test_nobody_is_added_deleted_or_edited_by_hand(desk: Client, ann: Subscriber) -> None:
    assert desk.get(address_of("add")).status_code == 403
    assert desk.post(address_of("delete", ann.pk), {"post": "yes"}).status_code == 403
    desk.post(address_of("change", ann.pk), {"status": "unsubscribed", "address": "other@example.org", "_save": "1"})
    ann.refresh_from_db()
    assert (ann.status, ann.address) == ("confirmed", "ann1@example.org")


# --- A person's page -------------------------------------------------------------------------------------------


def test_the_record_of_consent_shows_the_words_their_version_the_network_and_who(
    desk: Client, paula: User, ann: Subscriber
) -> None:
    record(ann, "asked", words="I agree to <b>mail</b>.", words_version="2026-11", network="203.0.113.0/24")
    record(ann, "changed", method="admin", by=paula, detail="Once a week")
    html = page(desk, "change", ann.pk)
    for said in (
        "I agree to &lt;b&gt;mail&lt;/b&gt;.",
        "words of version 2026-11",
        "from the network 203.0.113.0/24",
        "An editor: paula",
        "Once a week",
    ):
        assert said in html


def test_the_record_is_the_persons_own_and_newest_first(desk: Client, ann: Subscriber) -> None:
    (other,) = make_subscribers(1, prefix="other")
    record(other, "asked", detail="Somebody else")
    record(ann, "unsubscribed", at=clock.now() + timedelta(days=1))
    response = desk.get(address_of("change", ann.pk))
    assert [row.event for row in response.context["records"]] == ["unsubscribed", "confirmed"]


def test_the_record_holds_what_was_written_under_an_older_key(settings: Any, desk: Client, ann: Subscriber) -> None:
    settings.NEWSLETTER_KEYS = ["a newer key", *settings.NEWSLETTER_KEYS]
    Subscriber.objects.update(address_hmac=addresses.digest(ann.address))
    assert len(desk.get(address_of("change", ann.pk)).context["records"]) == 1


def test_topics_are_counted_and_not_named(desk: Client, ann: Subscriber) -> None:
    Subscriber.objects.update(has_topics=True)
    Topic.objects.create(subscriber=ann, slug="depression")
    html = page(desk, "change", ann.pk)
    assert "Only about 1 topic" in html
    assert "depression" not in html


def test_mails_are_shown_with_the_answer_and_what_came_back_fifty_a_page(desk: Client, ann: Subscriber) -> None:
    issue = make_issue("finished", prepared_at=clock.now())
    sent = Delivery.objects.create(
        issue=issue, subscriber=ann, state="sent", due_at=clock.now(), smtp_code=250, reply="2.0.0 Ok: queued as 4F2"
    )
    Bounce.objects.create(delivery=sent, subscriber=ann, kind="soft", status="4.2.2", detail="Mailbox full")
    html = page(desk, "change", ann.pk)
    for said in ("News about backs", "250 2.0.0 Ok: queued as 4F2", "Mailbox full", "4.2.2"):
        assert said in html
    Delivery.objects.bulk_create(
        Delivery(subscriber=ann, purpose="already", state="sent", due_at=clock.now()) for _number in range(60)
    )
    response = desk.get(address_of("change", ann.pk))
    assert len(response.context["mails"]) == 50
    older = desk.get(address_of("change", ann.pk), {"before": response.context["older"]})
    shown = {mail.pk for mail in response.context["mails"]} | {mail.pk for mail in older.context["mails"]}
    assert shown == set(Delivery.objects.values_list("pk", flat=True))
    assert older.context["older"] is None


@pytest.mark.parametrize("before", ["", "x", "-1", "²", "9" * 40])
def test_a_page_of_mails_that_nobody_linked_to_is_no_error(desk: Client, ann: Subscriber, before: str) -> None:
    assert desk.get(address_of("change", ann.pk), {"before": before}).status_code == 200


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("pending", ["unsubscribe", "data", "erase"]),
        ("confirmed", ["unsubscribe", "data", "erase"]),
        ("unsubscribed", ["data", "erase"]),
        ("bounced", ["lift", "data", "erase"]),
        ("complained", ["lift", "data", "erase"]),
    ],
)
def test_only_what_makes_sense_is_offered(desk: Client, ann: Subscriber, status: str, offered: list[str]) -> None:
    left = None if status in {"pending", "confirmed"} else clock.now()
    Subscriber.objects.update(status=status, left_at=left)
    links = desk.get(address_of("change", ann.pk)).context["links"]
    assert [url for _label, url in links] == [address_of(name, ann.pk) for name in offered]


def test_who_may_only_look_is_offered_nothing(desk: Client, paula: User, ann: Subscriber) -> None:
    paula.user_permissions.set(Permission.objects.filter(codename="view_subscriber"))
    assert desk.get(address_of("change", ann.pk)).context["links"] == []


# --- What is done for them -------------------------------------------------------------------------------------


def test_who_asks_by_phone_is_unsubscribed_and_it_is_on_record_by_whom(
    desk: Client, paula: User, ann: Subscriber
) -> None:
    url = address_of("unsubscribe", ann.pk)
    assert "They get no more mail" in desk.get(url).content.decode()
    assert desk.post(url, {"reason": REASON})["Location"] == address_of("change", ann.pk)
    ann.refresh_from_db()
    assert ann.status == "unsubscribed"
    last = Consent.objects.latest("pk")
    assert (last.event, last.method, last.by, last.detail) == ("unsubscribed", "admin", paula, REASON)
    assert logged() == [(f"Subscriber {ann.pk}", "Unsubscribed.")]


@pytest.mark.parametrize("view", ["unsubscribe", "lift", "erase"])
def test_nothing_is_done_without_a_reason(desk: Client, ann: Subscriber, view: str) -> None:
    if view == "lift":
        stop(ann)
    before = Consent.objects.count()
    response = desk.post(address_of(view, ann.pk), {"reason": " ", "address": ann.address})
    assert "Say why." in response.content.decode()
    assert Consent.objects.count() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("status", ["bounced", "complained"])
def test_a_person_lifts_a_stop_with_a_reason(desk: Client, paula: User, ann: Subscriber, status: str) -> None:
    stop(ann, status)
    desk.post(address_of("lift", ann.pk), {"reason": REASON})
    ann.refresh_from_db()
    assert ann.status == "confirmed"
    last = Consent.objects.latest("pk")
    assert (last.event, last.by, last.detail) == ("lifted", paula, REASON)


def test_lifting_a_stop_starts_no_mail_to_who_had_unsubscribed(desk: Client, ann: Subscriber) -> None:
    subscribing.unsubscribe(ann)
    stop(ann)
    desk.post(address_of("lift", ann.pk), {"reason": REASON})
    ann.refresh_from_db()
    assert ann.status == "unsubscribed"


def test_erasing_takes_the_typed_address_and_leaves_it_nowhere(desk: Client, ann: Subscriber) -> None:
    desk.post(address_of("unsubscribe", ann.pk), {"reason": REASON})
    url = address_of("erase", ann.pk)
    assert (
        "This is another address." in desk.post(url, {"address": "ann@example.org", "reason": REASON}).content.decode()
    )
    assert Subscriber.objects.exists()
    assert desk.post(url, {"address": " Ann1@example.org", "reason": REASON})["Location"] == address_of("changelist")
    assert not Subscriber.objects.exists()
    assert Suppression.objects.get().reason == "erased"
    assert Consent.objects.latest("pk").event == "erased"
    kept = [list(model._default_manager.values()) for model in (LogEntry, Consent, Suppression, Delivery)]
    assert "ann1" not in str(kept)


def test_doing_it_twice_says_that_nothing_was_left_to_do(desk: Client, ann: Subscriber) -> None:
    for _time in range(2):
        desk.post(address_of("unsubscribe", ann.pk), {"reason": REASON})
    assert len(logged()) == 1
    assert "done meanwhile" in page(desk, "change", ann.pk)


def test_their_data_is_a_file_and_taking_it_is_on_record(desk: Client, paula: User, ann: Subscriber) -> None:
    page(desk, "data", ann.pk)
    assert Consent.objects.count() == 1
    response = desk.post(address_of("data", ann.pk))
    assert response["Content-Disposition"] == f'attachment; filename="subscriber-{ann.pk}.json"'
    assert "no-store" in response["Cache-Control"]
    assert json.loads(response.content)["subscriber"]["address"] == ann.address
    last = Consent.objects.latest("pk")
    assert (last.event, last.method, last.by) == ("exported", "admin", paula)
    assert logged() == [(f"Subscriber {ann.pk}", "Took out all data about them.")]


def test_the_stop_of_an_erased_address_is_lifted_by_typing_it(desk: Client, paula: User, ann: Subscriber) -> None:
    stop(ann)
    subscribing.erase(ann)
    url = address_of("erased", ann.address_hmac)
    assert "This is another address." in desk.post(url, {"address": "x@y.example", "reason": REASON}).content.decode()
    assert Suppression.objects.get().reason == "bounced"
    desk.post(url, {"address": "ann1@example.org", "reason": REASON})
    assert Suppression.objects.get().reason == "erased"
    last = Consent.objects.latest("pk")
    assert (last.event, last.by, last.detail) == ("lifted", paula, REASON)
    assert not Subscriber.objects.exists()
    assert desk.post(url, {"address": "ann1@example.org", "reason": REASON}).status_code == 403


# --- Import ----------------------------------------------------------------------------------------------------


def choose(client: Client, text: str | bytes, consent: str = CONSENT) -> Any:
    data = text.encode() if isinstance(text, str) else text
    file = SimpleUploadedFile("people.csv", data, "text/csv")
    return client.post(address_of("import"), {"file": file, "consent": consent})


def test_the_form_is_opened_without_a_reproach(desk: Client, ann: Subscriber) -> None:
    pages = [page(desk, view) for view in ("import", "export")]
    pages += [page(desk, view, ann.pk) for view in ("unsubscribe", "lift", "erase")]
    assert not [html for html in pages if 'class="error"' in html or "workflow-errors" in html]


def test_an_import_is_looked_at_first_and_then_done(desk: Client, paula: User, ann: Subscriber) -> None:
    text = "address,confirmed_at\nann1@example.org,2024-05-01\nben@example.org,2024-05-01\ncleo,\n"
    step = choose(desk, text)["Location"]
    html = desk.get(step).content.decode()
    assert "Import 1 person" in html
    assert "Line 4: This is not a mail address." in html
    assert Subscriber.objects.count() == 1
    desk.post(step)
    assert Subscriber.objects.get(address="ben@example.org").status == "confirmed"
    last = Consent.objects.latest("pk")
    assert (last.event, last.words, last.by) == ("imported", CONSENT, paula)
    assert logged() == [("Subscribers", f"1 person was imported. {CONSENT}")]
    assert not SubscriberFile.objects.exists()
    assert not Delivery.objects.exists()


def test_an_import_that_was_interrupted_goes_on_from_the_same_page(desk: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(importing, "CHUNK", 1)
    step = choose(desk, "address,confirmed_at\nann@example.org,2024-05-01\nben@example.org,2024-05-01\n")["Location"]
    add = importing._add
    monkeypatch.setattr(
        importing, "_add", lambda rows, **more: 1 / 0 if "ben" in rows[0].address else add(rows, **more)
    )
    with pytest.raises(ZeroDivisionError):
        desk.post(step)
    monkeypatch.setattr(importing, "_add", add)
    assert "Import 1 person" in desk.get(step).content.decode()
    desk.post(step)
    assert Subscriber.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "consent", "sentence"),
    [
        (b"", CONSENT, "The file is empty."),
        (b"\xff\xfea\x00", CONSENT, "Line 1 is not written in UTF-8"),
        (b"address\n" * 700_000, CONSENT, "larger than 5 MB"),
        (b"address\n", "", "Say where their consent comes from."),
        (b"address\n", "yes", "Say it in a sentence."),
    ],
    ids=["empty", "UTF-16", "large", "no consent", "no sentence"],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(
    desk: Client, data: bytes, consent: str, sentence: str
) -> None:
    assert sentence in choose(desk, data, consent).content.decode()
    assert not SubscriberFile.objects.exists()


def test_a_file_without_an_address_leads_back_to_the_form_with_a_sentence(desk: Client) -> None:
    response = desk.get(choose(desk, "name\nAnn\n")["Location"])
    assert response["Location"] == address_of("import")
    assert "one of them must be “address”" in page(desk, "import")


def test_a_file_is_for_whoever_chose_it_and_for_an_hour(desk: Client, paula: User) -> None:
    other = User.objects.create_superuser("other")
    text = "address,confirmed_at\nann@example.org,2024-05-01\n"
    theirs = SubscriberFile.objects.create(text=text, consent=CONSENT, by=other)
    late = SubscriberFile.objects.create(text=text, consent=CONSENT, by=paula, at=clock.now() - timedelta(minutes=61))
    for file, status in ((theirs, 403), (late, 302)):
        for send in (desk.get, desk.post):
            assert send(address_of("import_file", file.pk)).status_code == status
    assert not Subscriber.objects.exists()
    choose(desk, text)
    assert not SubscriberFile.objects.filter(pk=late.pk).exists()


# --- Export ----------------------------------------------------------------------------------------------------


def test_an_export_has_the_chosen_people_and_is_on_record(desk: Client, ann: Subscriber) -> None:
    make_subscribers(1, prefix="waiting", status="pending", confirmed_at=None)
    page(desk, "export")
    assert not LogEntry.objects.exists()
    response = desk.post(address_of("export"), {"status": ["pending"]})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="subscribers-')
    assert "no-store" in response["Cache-Control"]
    lines = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert [row["address"] for row in csv.DictReader(lines.splitlines())] == ["waiting1@example.org"]
    assert logged() == [("Subscribers", "Exported subscribers: pending")]


def test_an_export_of_nobody_in_particular_is_asked_about(desk: Client) -> None:
    assert "Choose at least one." in desk.post(address_of("export")).content.decode()

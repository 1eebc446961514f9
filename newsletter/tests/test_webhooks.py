"""What a mail provider reports is believed when it is signed, about a mail of ours, and new (S6)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import types
from importlib import import_module
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from newsletter import clock, identity
from newsletter.models import Alarm, Bounce, Consent, Delivery, Subscriber
from newsletter.tests.rows import make_subscribers
from newsletter.webhooks import patterns

pytestmark = [pytest.mark.django_db, pytest.mark.once]

HARD, SOFT, COMPLAINT = Bounce.Kind.HARD, Bounce.Kind.SOFT, Bounce.Kind.COMPLAINT
State, Status = Delivery.State, Subscriber.Status

SECRET = "provider:a long password that only the provider knows"
SIGNING_KEY = "key-of-the-tests"


@pytest.fixture(autouse=True)
def provider(settings: Settings) -> None:
    """The addresses of two providers, as config.urls has the one that is named."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
    urls = types.ModuleType("urls_of_the_test")
    found = [*patterns("postmark"), *patterns("mailgun"), *patterns("brevo")]
    rest = import_module(settings.ROOT_URLCONF).urlpatterns
    urls.__dict__["urlpatterns"] = [*rest, path("newsletter/webhooks/", include(found))]
    settings.ROOT_URLCONF = urls


@pytest.fixture
def delivery() -> Delivery:
    return sent(make_subscribers(1)[0])


def sent(person: Subscriber, state: str = State.SENT) -> Delivery:
    at = clock.now()
    return Delivery.objects.create(
        subscriber=person, address=person.address, purpose="already", state=state, due_at=at, settled_at=at
    )


def post(name: str, body: Any, secret: str = SECRET) -> int:
    headers = {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    return (
        Client(raise_request_exception=False)
        .post(f"/newsletter/webhooks/{name}/tracking/", body, content_type="application/json", headers=headers)
        .status_code
    )


def postmark(delivery: int, record: str = "Bounce", *, token: str = "", **more: Any) -> dict[str, Any]:
    """As Postmark reports; our token is in the metadata (header X-PM-Metadata-delivery)."""
    return {
        "RecordType": record,
        "ID": 4323372036854775807,
        "Type": {"Bounce": "HardBounce", "SpamComplaint": "SpamComplaint"}.get(record, ""),
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"delivery": token or identity.token(delivery)},
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": "reader1@example.org",
        "BouncedAt": "2026-10-05T16:33:54.9070259Z",
    } | more


def mailgun(delivery: int, event: str = "failed", *, token: str = "t", key: str = SIGNING_KEY, **more: Any) -> Any:
    """As Mailgun reports; our Message-ID is among the headers."""
    signature = hmac.new(key.encode(), f"1790000000{token}".encode(), hashlib.sha256).hexdigest()
    data = {
        "event": event,
        "severity": "permanent",
        "timestamp": 1790000000.5,
        "message": {"headers": {"message-id": identity.message_id(delivery).strip("<>")}},
        "delivery-status": {"code": 550, "message": "5.1.1 The account does not exist", "description": ""},
        "recipient": "reader1@example.org",
    }
    return {"signature": {"timestamp": "1790000000", "token": token, "signature": signature}, "event-data": data | more}


def status_of(text: str) -> dict[str, Any]:
    return {"delivery-status": {"code": 550, "message": text}}


def status() -> str:
    return Subscriber.objects.values_list("status", flat=True).get()


# --- What is believed -------------------------------------------------------------------------------------------


def test_a_bounce_that_postmark_reports_stops_mail(delivery: Delivery) -> None:
    assert post("postmark", postmark(delivery.pk)) == 200
    assert status() == Status.BOUNCED
    assert Consent.objects.get().method == Consent.Method.WEBHOOK
    assert Bounce.objects.get().status == "5.1.1"


def test_a_bounce_that_mailgun_signed_stops_mail(delivery: Delivery) -> None:
    assert post("mailgun", mailgun(delivery.pk)) == 200
    assert status() == Status.BOUNCED


def test_a_complaint_stops_mail(delivery: Delivery) -> None:
    assert post("postmark", postmark(delivery.pk, "SpamComplaint")) == 200
    assert status() == Status.COMPLAINED


@pytest.mark.parametrize("secret", ["", "provider:guessed", SECRET.upper(), "provider"])
def test_a_report_without_the_secret_is_refused(secret: str, delivery: Delivery) -> None:
    for name, body in (("postmark", postmark(delivery.pk)), ("mailgun", mailgun(delivery.pk))):
        assert post(name, body, secret) == 400
    assert status() == Status.CONFIRMED
    assert not Bounce.objects.exists()


def test_a_report_with_a_forged_signature_is_refused(delivery: Delivery) -> None:
    assert post("mailgun", mailgun(delivery.pk, key="another key")) == 400
    body = mailgun(delivery.pk)
    body["signature"]["token"] = "changed"
    assert post("mailgun", body) == 400
    assert not Bounce.objects.exists()


def test_a_report_that_comes_again_changes_nothing(delivery: Delivery) -> None:
    body = mailgun(delivery.pk, severity="permanent", **status_of("5.2.2 mailbox full"))
    for _number in range(10):
        assert post("mailgun", body) == 200
    assert Bounce.objects.get().kind == SOFT
    assert status() == Status.CONFIRMED


@pytest.mark.parametrize("token", ["1-abcdefghijklmnop", "foreign", identity.token(9_999_999), "x" * 10_000])
def test_a_report_about_mail_that_is_not_ours_changes_nothing(token: str, delivery: Delivery) -> None:
    assert post("postmark", postmark(delivery.pk, token=token)) == 200
    assert status() == Status.CONFIRMED
    assert not Bounce.objects.exists()


def test_what_a_readers_server_writes_names_no_delivery(delivery: Delivery) -> None:
    """It knows the tokens of its own readers, and would name those of others where free text counted."""
    said = f"smtp;550 5.1.1 {identity.message_id(delivery.pk)} no such user"
    assert post("postmark", postmark(delivery.pk, token="none", Details=said, Description=said)) == 200
    assert not Bounce.objects.exists()


def test_a_report_about_mail_that_was_not_handed_over_changes_nothing() -> None:
    queued = sent(make_subscribers(1)[0], State.QUEUED)
    assert post("postmark", postmark(queued.pk)) == 200
    assert status() == Status.CONFIRMED


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_nothing_but_a_post_counts(method: str, delivery: Delivery) -> None:
    client = Client(headers={"authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()})
    getattr(client, method)("/newsletter/webhooks/postmark/tracking/", content_type="application/json")
    assert not Bounce.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "{", '{"RecordType": "Bounce"}', "[" * 100_000])
def test_a_body_that_is_none_changes_nothing(body: str, delivery: Delivery) -> None:
    assert post("postmark", body) in (200, 400, 500)
    assert status() == Status.CONFIRMED


# --- What the kinds of report mean ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"Type": "HardBounce"}, HARD),
        ({"Type": "HardBounce", "Details": "Unknown user"}, HARD),
        ({"Type": "SoftBounce", "Details": "Undeliverable"}, SOFT),
        ({"Type": "SoftBounce", "Details": "smtp;452 4.2.2 over quota"}, SOFT),
        ({"Type": "HardBounce", "Details": "smtp;550 5.7.26 unauthenticated"}, None),
        ({"Type": "Transient"}, None),
        ({"Type": "BadEmailAddress"}, HARD),
        ({"Type": "Blocked"}, None),
        ({"Type": "AutoResponder"}, None),
        ({"Type": "SpamNotification"}, COMPLAINT),
        ({"RecordType": "Open"}, None),
        ({"RecordType": "Click"}, None),
        ({"RecordType": "Delivery"}, None),
        ({"RecordType": "SomethingNew"}, None),
    ],
)
def test_a_report_of_postmark_means(more: dict[str, str], kind: Any, delivery: Delivery) -> None:
    assert post("postmark", postmark(delivery.pk, **more)) == 200
    assert list(Bounce.objects.values_list("kind", flat=True)) == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"event": "failed", "severity": "temporary"}, None),
        ({"event": "complained"}, COMPLAINT),
        ({"event": "delivered"}, None),
        ({"event": "failed", "delivery-status": {"code": 605, "message": ""}}, HARD),
        ({"event": "rejected", "reject": {"reason": "Sandbox"}}, None),
    ],
)
def test_a_report_of_mailgun_means(more: dict[str, Any], kind: Any, delivery: Delivery) -> None:
    assert post("mailgun", mailgun(delivery.pk, **more)) == 200
    assert list(Bounce.objects.values_list("kind", flat=True)) == ([kind] if kind else [])


def test_brevo_gives_our_message_id_back(delivery: Delivery) -> None:
    body = {"event": "hard_bounce", "email": "a@example.org", "message-id": identity.message_id(delivery.pk)}
    assert post("brevo", body | {"ts_epoch": 1604933619000, "reason": "gone"}) == 200
    assert status() == Status.BOUNCED


def test_amazon_lists_our_headers(delivery: Delivery) -> None:
    headers = [{"name": "Subject", "value": "News"}, {"name": "Message-Id", "value": identity.message_id(delivery.pk)}]
    event = AnymailTrackingEvent(
        event_type="bounced",
        message_id="010f0179b4d2-their-own",
        description="Permanent: General",
        esp_event={"eventType": "Bounce", "mail": {"headers": headers}},
    )
    tracking.send(sender=None, event=event, esp_name="Amazon SES")
    assert status() == Status.BOUNCED


def test_a_refusal_by_policy_is_told_to_the_desk(delivery: Delivery) -> None:
    post("postmark", postmark(delivery.pk, Details="smtp;550 5.7.26 unauthenticated"))
    assert "5.7.26" in Alarm.objects.get(key="policy").sentence


@pytest.mark.parametrize(("state", "then"), [(State.UNKNOWN, State.SENT), (State.FAILED, State.FAILED)])
def test_what_arrived_is_unknown_no_more(state: str, then: str) -> None:
    row = sent(make_subscribers(1)[0], state)
    assert post("postmark", postmark(row.pk, "Delivery")) == 200
    row.refresh_from_db()
    assert row.state == then


def test_an_unknown_provider_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"mailgun, .*postmark"):
        patterns("pigeon")


def test_nothing_but_reports_is_taken_from_a_provider() -> None:
    client = Client(headers={"authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()})
    assert client.post("/newsletter/webhooks/postmark/inbound/", {}, content_type="application/json").status_code == 404


# --- Ten thousand (S6) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_of_many_reports_only_our_own_signed_first_ones_count(number: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    people = make_subscribers(100)
    rows = [sent(person) for person in people for _number in range(7)]
    expected: dict[tuple[int, str], None] = {}
    for count in range(number):
        row = chance.choice(rows)
        hard = chance.random() < 0.05
        forged = chance.random() < 0.3
        text = "5.1.1 gone" if hard else "5.2.2 full"
        body = mailgun(row.pk, token=str(count), **status_of(text))
        match chance.randrange(3) if forged else -1:
            case 0:
                body["signature"]["signature"] = "0" * 64
            case 1:
                body["event-data"]["message"]["headers"]["message-id"] = f"{row.pk}-aaaaaaaaaaaaaaaa@example.org"
            case 2:
                assert post("mailgun", body, "provider:guessed") == 400
                continue
            case _:
                expected[row.pk, HARD if hard else SOFT] = None
        assert post("mailgun", body) in (200, 400)
    found = set(Bounce.objects.values_list("delivery", "kind"))
    assert found == {(pk, str(kind)) for pk, kind in expected}
    of_row = {row.pk: row.subscriber_id for row in rows}
    stopped = {of_row[pk] for pk, kind in expected if kind == HARD}
    soft = [of_row[pk] for pk, kind in expected if kind == SOFT]
    stopped |= {person.pk for person in people if soft.count(person.pk) > 5}
    assert set(Subscriber.objects.filter(status=Status.BOUNCED).values_list("pk", flat=True)) == stopped

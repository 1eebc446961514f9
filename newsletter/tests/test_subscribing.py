"""Who gets mail: what a sign-up leads to, what each choice changes and leaves on record, and what is forgotten."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from config.tests.factories import make_user
from newsletter import addresses, clock, deliveries, issues, limits, subscribing
from newsletter.models import (
    Alarm,
    Allowance,
    Bounce,
    Consent,
    Delivery,
    Issue,
    Sender,
    SignUp,
    Subscriber,
    Suppression,
    Topic,
)
from newsletter.tests.rows import make_issue, make_subscribers
from newsletter.words import CURRENT, words
from publishing.tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db

Status, Purpose, State, Event = Subscriber.Status, Delivery.Purpose, Delivery.State, Consent.Event
ADDRESS = "ada@example.org"
HOUR, DAY = 60 * 60, 24 * 60 * 60


def ask(address: str = ADDRESS, *, network: str = "192.0.2.0/24", process: bool = True, **more: Any) -> None:
    """The form, and the sender's look at it."""
    values = {"language": "en", "words_version": CURRENT} | more
    subscribing.sign_up(address=addresses.tidy(address), network=network, **values)
    if process:
        subscribing.process_sign_ups()


def later(settings: Any, seconds: float) -> None:
    settings.CLOCK_OFFSET_SECONDS += seconds


def person(address: str = ADDRESS) -> Subscriber:
    return Subscriber.objects.get(address=address)


def mails(address: str = ADDRESS) -> list[str]:
    return list(Delivery.objects.filter(address=address).order_by("pk").values_list("purpose", flat=True))


def events(address: str = ADDRESS) -> list[str]:
    return list(Consent.objects.filter(address_hmac=addresses.digest(address)).values_list("event", flat=True))


def confirmed(address: str = ADDRESS) -> Subscriber:
    ask(address)
    assert subscribing.confirm(person(address))
    Delivery.objects.all().delete()
    return person(address)


# --- Asking ------------------------------------------------------------------------------------------------------


def test_an_unknown_address_is_asked_to_confirm_and_what_it_agreed_to_is_on_record() -> None:
    ask(language="de", network="198.51.100.0/24")
    assert (person().status, person().language, person().confirmed_at) == (Status.PENDING, "de", None)
    assert mails() == [Purpose.CONFIRM]
    consent = Consent.objects.get()
    assert (consent.event, consent.method, consent.network) == (Event.ASKED, "form", "198.51.100.0/24")
    assert (consent.words, consent.words_version, consent.language) == (words("de"), CURRENT, "de")
    assert "Adresse" in consent.words
    assert not SignUp.objects.exists()


def test_the_time_on_record_is_that_of_the_form_and_not_that_of_the_sender(settings: Any) -> None:
    ask(process=False)
    pressed = SignUp.objects.get().at
    later(settings, 600)
    subscribing.process_sign_ups()
    assert Consent.objects.get().at == pressed


def test_an_address_is_one_person_however_it_is_typed(settings: Any) -> None:
    ask("Ada@Example.ORG")
    later(settings, DAY + 1)
    ask(" ada@example.org ")
    assert Subscriber.objects.count() == 1
    assert mails() == [Purpose.CONFIRM] * 2


def test_who_is_subscribed_is_told_so_and_nothing_about_them_changes(settings: Any) -> None:
    confirmed()
    later(settings, DAY + 1)
    before = Subscriber.objects.values().get()
    ask(language="de")
    assert mails() == [Purpose.ALREADY]
    assert Subscriber.objects.values().get() == before
    assert events() == [Event.ASKED, Event.CONFIRMED]


def test_who_left_is_asked_to_confirm_and_gets_nothing_before(settings: Any) -> None:
    subscribing.unsubscribe(confirmed())
    later(settings, DAY + 1)
    ask()
    assert (person().status, mails()) == (Status.UNSUBSCRIBED, [Purpose.CONFIRM])
    assert subscribing.confirm(person())
    assert (person().status, person().left_at) == (Status.CONFIRMED, None)


def test_an_old_link_does_not_undo_leaving_unless_they_asked_again(settings: Any) -> None:
    subscribing.unsubscribe(confirmed())
    later(settings, 60)
    assert not subscribing.confirm(person())
    assert person().status == Status.UNSUBSCRIBED


@pytest.mark.parametrize("status", [Status.BOUNCED, Status.COMPLAINED])
def test_an_address_that_was_stopped_is_not_written_to_nor_started_by_a_link(status: str, settings: Any) -> None:
    subscribing.stop(subscriber=confirmed(), status=status, method=Consent.Method.MAIL)
    later(settings, DAY + 1)
    ask()
    assert mails() == []
    assert not subscribing.confirm(person())
    assert person().status == status
    assert not SignUp.objects.exists()


@pytest.mark.parametrize("status", [Status.BOUNCED, Status.COMPLAINED])
def test_a_stop_outlives_an_erasure(status: str, settings: Any) -> None:
    subscribing.stop(subscriber=confirmed(), status=status, method=Consent.Method.MAIL)
    subscribing.erase(person())
    later(settings, DAY + 1)
    ask()
    assert mails() == []
    assert not Subscriber.objects.exists()
    assert subscribing.lift_suppression(address=ADDRESS, by=make_user(), reason="They called.")
    assert not subscribing.lift_suppression(address=ADDRESS, by=make_user())
    ask()
    assert mails() == [Purpose.CONFIRM]
    assert Suppression.objects.get().reason == "erased"
    assert events()[-2:] == [Event.LIFTED, Event.ASKED]


# --- Caps --------------------------------------------------------------------------------------------------------


def test_a_mailbox_gets_one_mail_a_day_and_three_in_all_until_it_answers(settings: Any) -> None:
    for _day in range(6):
        for _time in range(3):
            ask("victim@example.org")
        later(settings, DAY + 1)
    assert mails("victim@example.org") == [Purpose.CONFIRM] * 3
    assert subscribing.confirm(person("victim@example.org"))
    ask("victim@example.org")
    assert mails("victim@example.org")[3:] == [Purpose.ALREADY]


def test_tags_and_dots_and_capitals_lead_to_the_same_mailbox() -> None:
    for address in ("v.ictim@gmail.com", "victim+1@gmail.com", "VICTIM@googlemail.com", "vic.tim+x@gmail.com"):
        ask(address)
    assert Delivery.objects.count() == 1


def test_a_network_is_taken_only_so_many_forms_from_in_an_hour_and_a_day(settings: Any) -> None:
    def send(number: int) -> int:
        return sum(
            subscribing.sign_up(
                address=f"a{count}@example.org", language="en", words_version=CURRENT, network="192.0.2.0/24"
            )
            for count in range(number)
        )

    assert send(30) == subscribing.NETWORK_AN_HOUR
    later(settings, HOUR + 1)
    assert send(30) == subscribing.NETWORK_AN_HOUR
    for _hour in range(5):
        later(settings, HOUR + 1)
        send(30)
    assert SignUp.objects.count() <= subscribing.NETWORK_A_DAY
    later(settings, DAY)
    assert send(1) == 1


def test_what_is_over_the_budget_of_an_hour_waits_for_the_next_and_somebody_is_told(settings: Any) -> None:
    settings.SIGN_UP_BUDGET = 4
    for count in range(7):
        ask(f"a{count}@example.org", network=f"10.0.{count}.0/24", process=False)
    assert subscribing.process_sign_ups() == 4
    assert subscribing.process_sign_ups() == 0
    assert (Delivery.objects.count(), SignUp.objects.count()) == (4, 3)
    assert "3" in Alarm.objects.get(key="sign-ups").sentence
    later(settings, HOUR + 1)
    assert subscribing.process_sign_ups() == 3
    assert (Delivery.objects.count(), SignUp.objects.count()) == (7, 0)


def test_what_is_held_uses_up_no_cap_of_its_mailbox(settings: Any) -> None:
    settings.SIGN_UP_BUDGET = 1
    ask("first@example.org")
    ask("held@example.org", network="10.0.0.0/24")
    assert not Allowance.objects.filter(key__contains=addresses.digest("held@example.org")).exists()


def test_many_forms_of_one_network_leave_half_the_budget_to_others(settings: Any) -> None:
    settings.SIGN_UP_BUDGET = 10
    for count in range(15):
        ask(f"a{count}@example.org")
    assert Delivery.objects.count() == 5
    ask("somebody@example.net", network="203.0.113.0/24")
    assert mails("somebody@example.net") == [Purpose.CONFIRM]


def test_what_a_robot_seems_to_have_filled_in_gets_a_tenth_of_the_budget(settings: Any) -> None:
    settings.SIGN_UP_BUDGET = 30
    for count in range(9):
        ask(f"a{count}@example.org", network=f"10.0.{count}.0/24", suspicious=True)
    assert Delivery.objects.count() == 3
    assert SignUp.objects.count() == 6


def test_a_sign_up_that_cannot_be_answered_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    ask("broken@example.org", words_version="never", process=False)
    with caplog.at_level(logging.ERROR):
        ask()
    assert mails() == [Purpose.CONFIRM]
    assert "broken@" not in caplog.text
    assert SignUp.objects.get().due_at > clock.now()


def test_a_cap_counts_to_its_limit_begins_anew_and_forgets(settings: Any) -> None:
    def take() -> bool:
        return limits.take("a key", 2, timedelta(minutes=1))

    assert [take(), take(), take(), take()] == [True, True, False, False]
    assert Allowance.objects.get().used == 2
    later(settings, 61)
    assert [take(), take(), take()] == [True, True, False]
    limits.forget("a key")
    assert take()
    assert not limits.take("another", 0, timedelta(minutes=1))


# --- Confirming and leaving --------------------------------------------------------------------------------------


def test_confirming_twice_is_once() -> None:
    ask()
    assert subscribing.confirm(person(), network="192.0.2.0/24")
    first = Subscriber.objects.values().get()
    assert subscribing.confirm(person())
    assert Subscriber.objects.values().get() == first
    assert events() == [Event.ASKED, Event.CONFIRMED]
    consent = Consent.objects.get(event=Event.CONFIRMED)
    assert (consent.method, consent.network) == ("link", "192.0.2.0/24")


def test_a_reminder_that_waits_is_not_sent_to_who_has_confirmed() -> None:
    ask()
    subscribing.confirm(person())
    assert Delivery.objects.get().state == State.SUPPRESSED


def test_nobody_confirms_for_somebody_who_is_not_there() -> None:
    [gone] = make_subscribers(1)
    uuid = gone.uuid
    gone.delete()
    assert not subscribing.confirm(uuid)
    assert not subscribing.unsubscribe(uuid)
    assert not subscribing.erase(uuid)
    assert not subscribing.change(uuid, frequency="weekly")
    assert not subscribing.pause(uuid, until=None)
    assert not Consent.objects.exists()


def test_leaving_ten_times_is_on_record_once() -> None:
    reader = confirmed()
    changed = [subscribing.unsubscribe(reader, method=Consent.Method.ONE_CLICK) for _time in range(10)]
    assert changed == [True] + [False] * 9
    assert person().status == Status.UNSUBSCRIBED
    assert events() == [Event.ASKED, Event.CONFIRMED, Event.UNSUBSCRIBED]
    assert Consent.objects.last().method == "one-click"  # type: ignore[union-attr]


def test_no_bulk_mail_is_claimed_for_who_has_left() -> None:
    people = make_subscribers(3)
    subscribing.unsubscribe(people[0])
    subscribing.pause(people[1], until=(clock.now() + timedelta(days=30)).date())
    assert list(Subscriber.objects.deliverable(clock.now())) == [people[2]]


# --- Choosing ----------------------------------------------------------------------------------------------------


def test_a_choice_is_on_record_without_the_topics_themselves() -> None:
    reader = confirmed()
    assert subscribing.change(reader, frequency="weekly", has_topics=True, topics=["hiv", "back-pain"])
    assert (person().frequency, person().has_topics) == ("weekly", True)
    assert sorted(Topic.objects.values_list("slug", flat=True)) == ["back-pain", "hiv"]
    consent = Consent.objects.get(event=Event.CHANGED)
    assert "hiv" not in consent.detail
    assert "2" in consent.detail
    assert not subscribing.change(reader, frequency="weekly", has_topics=True, topics=["back-pain", "hiv"])


def test_what_is_not_named_stays_and_topics_are_forgotten_when_they_are_turned_off() -> None:
    reader = confirmed()
    subscribing.change(reader, has_topics=True, topics=["hiv"])
    subscribing.change(reader, frequency="weekly")
    assert list(Topic.objects.values_list("slug", flat=True)) == ["hiv"]
    subscribing.change(reader, has_topics=False)
    assert not Topic.objects.exists()
    assert person().frequency == "weekly"


def test_a_pause_begins_ends_and_is_on_record() -> None:
    reader = confirmed()
    day = (clock.now() + timedelta(days=30)).date()
    assert subscribing.pause(reader, until=day)
    assert not subscribing.pause(reader, until=day)
    assert subscribing.pause(reader, until=None)
    assert person().paused_until is None
    assert events()[2:] == [Event.CHANGED, Event.CHANGED]


def test_a_link_that_could_do_harm_is_mailed_three_times_a_day(settings: Any) -> None:
    reader = confirmed()
    sent = [subscribing.send_link(reader, Purpose.ERASE) for _time in range(5)]
    assert sent == [True] * 3 + [False] * 2
    assert subscribing.send_link(reader, Purpose.EXPORT)
    later(settings, DAY + 1)
    assert subscribing.send_link(reader, Purpose.ERASE)
    assert mails() == ["erase"] * 3 + ["export", "erase"]


# --- Stops and lifting them --------------------------------------------------------------------------------------


def test_a_complaint_weighs_more_than_a_bounce_and_neither_is_repeated() -> None:
    reader = confirmed()
    stops = [Status.BOUNCED, Status.BOUNCED, Status.COMPLAINED, Status.BOUNCED]
    changed = [subscribing.stop(subscriber=reader, status=status, method=Consent.Method.MAIL) for status in stops]
    assert changed == [True, False, True, False]
    assert person().status == Status.COMPLAINED
    with pytest.raises(ValueError, match="unsubscribed"):
        subscribing.stop(subscriber=reader, status=Status.UNSUBSCRIBED, method=Consent.Method.MAIL)


def test_what_a_relay_says_of_an_address_is_not_kept_with_the_consent() -> None:
    detail = f"550 5.1.1 <{ADDRESS}>: no such user"
    subscribing.stop(subscriber=confirmed(), status=Status.BOUNCED, method=Consent.Method.MAIL, detail=detail)
    assert "@" not in Consent.objects.get(event=Event.BOUNCED).detail
    assert "5.1.1" in Consent.objects.get(event=Event.BOUNCED).detail


def test_lifting_a_stop_brings_back_what_the_person_had_last_wished() -> None:
    editor = make_user()
    reader = confirmed("reader@example.org")
    leaver = confirmed("leaver@example.org")
    late_leaver = confirmed("late@example.org")
    ask("pending@example.org")
    subscribing.unsubscribe(leaver)
    for someone in Subscriber.objects.all():
        subscribing.stop(subscriber=someone, status=Status.BOUNCED, method=Consent.Method.MAIL)
    assert subscribing.unsubscribe(late_leaver)
    assert not subscribing.unsubscribe(late_leaver)
    assert person("late@example.org").status == Status.BOUNCED
    lifted = {
        someone.address.partition("@")[0]: subscribing.lift(subscriber=someone, by=editor, reason="They wrote.")
        for someone in Subscriber.objects.all()
    }
    assert lifted == {
        "reader": Status.CONFIRMED,
        "leaver": Status.UNSUBSCRIBED,
        "late": Status.UNSUBSCRIBED,
        "pending": Status.PENDING,
    }
    assert subscribing.lift(subscriber=reader, by=editor) is None
    assert {row.by for row in Consent.objects.filter(event=Event.LIFTED)} == {editor}


def test_who_was_imported_as_bounced_is_not_reminded_when_that_is_lifted(settings: Any) -> None:
    [person] = make_subscribers(1, status=Status.BOUNCED, left_at=clock.now(), confirmed_at=None)
    assert subscribing.lift(subscriber=person, by=make_user()) == Status.PENDING
    later(settings, 4 * DAY)
    tidy()
    assert not Delivery.objects.exists()


# --- Erasing and taking out --------------------------------------------------------------------------------------


def test_who_is_erased_leaves_an_hmac_and_what_was_sent_still_counts() -> None:
    reader = confirmed()
    subscribing.change(reader, has_topics=True, topics=["hiv"])
    sent = Delivery.objects.create(
        subscriber=reader,
        address=ADDRESS,
        purpose=Purpose.CONFIRM,
        state=State.SENT,
        due_at=clock.now(),
        reply=f"250 2.0.0 Queued for <{ADDRESS.upper()}>",
    )
    Bounce.objects.create(delivery=sent, subscriber=reader, kind="soft", detail=f"{ADDRESS}: mailbox full")
    waiting = deliveries.queue_notice(reader, Purpose.ALREADY)
    ask(process=False)
    assert subscribing.erase(reader)
    assert not Subscriber.objects.exists()
    assert not Topic.objects.exists()
    assert not SignUp.objects.exists()
    sent.refresh_from_db()
    waiting.refresh_from_db()
    assert (sent.state, sent.address, sent.reply, sent.subscriber) == (State.SENT, "", "", None)
    assert (waiting.state, waiting.address) == (State.SUPPRESSED, "")
    assert Bounce.objects.get().detail == ""
    assert Suppression.objects.get().address_hmac == addresses.digest(ADDRESS)
    assert events()[-1] == Event.ERASED
    assert not [row for row in Consent.objects.values() if ADDRESS in str(row)]


def test_who_was_erased_is_subscribed_again_by_confirming_and_nothing_else(settings: Any) -> None:
    reader = confirmed()
    subscribing.erase(reader)
    assert not subscribing.confirm(reader.uuid)
    later(settings, DAY + 1)
    ask()
    assert person().status == Status.PENDING
    assert Suppression.objects.exists()
    assert subscribing.confirm(person())
    assert not Suppression.objects.exists()
    assert person().uuid != reader.uuid


def test_who_is_erased_while_the_recipients_are_taken_down_is_counted_and_not_written_to() -> None:
    people = make_subscribers(4)
    issue = make_issue()
    issues.begin_due()
    issues.prepare(issue, chunk=2)
    for reader in (people[0], people[3]):
        subscribing.erase(reader)
    while issues.prepare(issue):
        pass
    issue.refresh_from_db()
    assert issue.recipients == 4
    gone = issue.deliveries.filter(subscriber=None)
    assert list(gone.values_list("state", "address")) == [(State.SUPPRESSED, "")] * 2


def test_a_change_of_keys_loses_no_suppression_and_no_record(settings: Any) -> None:
    reader = confirmed()
    subscribing.stop(subscriber=reader, status=Status.COMPLAINED, method=Consent.Method.MAIL)
    old = list(settings.NEWSLETTER_KEYS)
    settings.NEWSLETTER_KEYS = ["a new key", *old]
    assert len(subscribing.export(reader)["consents"]) == 4
    subscribing.erase(reader)
    settings.NEWSLETTER_KEYS = ["a newer key", *settings.NEWSLETTER_KEYS]
    ask()
    assert not Subscriber.objects.exists()


def test_an_export_holds_everything_and_is_on_record() -> None:
    reader = confirmed()
    subscribing.change(reader, has_topics=True, topics=["hiv"])
    sent = deliveries.queue_notice(reader, Purpose.ALREADY)
    Bounce.objects.create(delivery=sent, subscriber=reader, kind="soft", status="4.2.2", detail="full")
    data = subscribing.export(reader)
    assert data["subscriber"]["address"] == ADDRESS
    assert data["subscriber"]["uuid"] == str(reader.uuid)
    assert data["topics"] == ["hiv"]
    assert [row["event"] for row in data["consents"]] == ["asked", "confirmed", "changed", "exported"]
    assert data["consents"][0]["words"] == words("en")
    assert [row["purpose"] for row in data["mails"]] == ["already"]
    assert [row["status"] for row in data["returned"]] == ["4.2.2"]


def test_an_export_leaves_out_no_column_of_the_person_but_its_number() -> None:
    reader = confirmed()
    names = {field.attname for field in Subscriber._meta.concrete_fields}
    assert names - set(subscribing.export(reader)["subscriber"]) == {"id"}


# --- At the same moment ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_cap_holds_when_many_come_at_once() -> None:
    works = [partial(limits.take, "a key", 5, timedelta(hours=1))] * 12
    assert sorted(map(bool, at_once(*works))) == [False] * 7 + [True] * 5


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_answer_each_sign_up_once() -> None:
    for count in range(12):
        ask(f"a{count % 8}@example.org", network=f"10.0.{count}.0/24", process=False)
    results = at_once(*[subscribing.process_sign_ups] * 3)
    assert [result for result in results if isinstance(result, Exception)] == []
    subscribing.process_sign_ups()
    assert not SignUp.objects.exists()
    assert Counter(Delivery.objects.values_list("address", flat=True)) == {f"a{n}@example.org": 1 for n in range(8)}


@pytest.mark.django_db(transaction=True)
def test_asking_confirming_and_erasing_at_once_end_in_one_state_and_stand_in_no_ones_way() -> None:
    for count in range(6):
        address = f"a{count}@example.org"
        ask(address, network=f"10.0.{count}.0/24")
        ask(address, network=f"10.1.{count}.0/24", process=False)
        uuid = person(address).uuid
        works: list[Callable[[], Any]] = [subscribing.process_sign_ups]
        works += [partial(subscribing.confirm, uuid), partial(subscribing.erase, uuid)]
        results = at_once(*works, *works)
        assert [result for result in results if isinstance(result, Exception)] == []
        assert not Subscriber.objects.filter(uuid=uuid).exists()
        assert events(address).count(Event.ERASED) == 1


# --- What time does ----------------------------------------------------------------------------------------------


def tidy() -> None:
    call_command("tidy_newsletter")


def test_who_does_not_confirm_is_reminded_once_after_three_days(settings: Any) -> None:
    ask()
    confirmed("reader@example.org")
    later(settings, 3 * DAY - 60)
    tidy()
    assert mails() == []  # confirmed() empties the table
    later(settings, 120)
    tidy()
    tidy()
    later(settings, 5 * DAY)
    tidy()
    assert mails() == [Purpose.REMIND]
    assert mails("reader@example.org") == []


def test_who_never_confirms_is_forgotten_after_thirty_days_with_the_record(settings: Any) -> None:
    ask()
    sent = Delivery.objects.get()
    later(settings, 30 * DAY - 60)
    tidy()
    assert person()
    later(settings, 120)
    tidy()
    assert not Subscriber.objects.exists()
    assert not Consent.objects.exists()
    sent.refresh_from_db()
    assert sent.address == ""


def test_asking_again_begins_the_thirty_days_anew(settings: Any) -> None:
    ask()
    later(settings, 29 * DAY)
    ask()
    later(settings, 2 * DAY)
    tidy()
    assert person()


def test_of_one_who_had_confirmed_before_the_record_stays(settings: Any) -> None:
    subscribing.erase(confirmed())
    later(settings, DAY + 1)
    ask()
    later(settings, 31 * DAY)
    tidy()
    assert not Subscriber.objects.exists()
    assert Suppression.objects.exists()
    assert events() == [Event.ASKED, Event.CONFIRMED, Event.ERASED, Event.ASKED]
    with pytest.raises(IntegrityError, match="record"):
        Consent.objects.filter(event=Event.ASKED).delete()


def test_addresses_are_taken_out_of_what_was_settled_ninety_days_ago(settings: Any) -> None:
    [reader] = make_subscribers(1)
    old, waiting = deliveries.queue_notice(reader, Purpose.CONFIRM), deliveries.queue_notice(reader, Purpose.ALREADY)
    Delivery.objects.filter(pk=old.pk).update(
        state=State.FAILED, settled_at=clock.now(), smtp_code=550, reply=f"5.1.1 <{reader.address}> unknown"
    )
    Bounce.objects.create(delivery=old, subscriber=reader, kind="hard", status="5.1.1", detail=reader.address)
    later(settings, 89 * DAY)
    tidy()
    assert Delivery.objects.get(pk=old.pk).address == reader.address
    later(settings, 2 * DAY)
    tidy()
    assert Delivery.objects.values_list("address", "reply", "smtp_code").get(pk=old.pk) == ("", "", 550)
    assert Delivery.objects.get(pk=waiting.pk).address == reader.address
    assert Bounce.objects.values_list("detail", "status").get() == ("", "5.1.1")


def test_caps_that_are_over_and_senders_that_ended_long_ago_are_forgotten(settings: Any) -> None:
    limits.take("short", 1, timedelta(minutes=1))
    limits.take("long", 1, timedelta(days=30))
    now = clock.now()
    for pid, ended_at in ((1, now), (2, None)):
        Sender.objects.create(host="here", pid=pid, started_at=now, leased_until=now, ended_at=ended_at)
    later(settings, 8 * DAY)
    tidy()
    keys = set(Allowance.objects.values_list("key", flat=True))
    assert "long" in keys
    assert "short" not in keys
    assert [sender.pid for sender in Sender.objects.all()] == [2]
    assert Issue.objects.count() == 0

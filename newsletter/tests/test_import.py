"""Importing subscribers: who is added, and that nothing else happens (reliability.md, U9)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from newsletter import addresses, clock, exporting, importing
from newsletter.importing import Outcome, Unreadable
from newsletter.models import Consent, Delivery, SignUp, Subscriber, SubscriberFile, Suppression
from newsletter.tests.rows import make_subscribers

CONSENT = "Sign-up form of the old site"
STATUSES = ("pending", "confirmed", "unsubscribed", "bounced", "complained")


def counts(text: str) -> dict[str, int]:
    """What the dry run says of a file."""
    return {outcome.value: count for outcome, count in importing.look(text).counts.items()}


def bring(text: str) -> dict[str, int]:
    report = importing.bring_in(text, consent=CONSENT, by=None)
    return {outcome.value: count for outcome, count in report.counts.items()}


def reasons(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in importing.look(text).samples.get(Outcome.INVALID, [])]


def everything() -> list[Any]:
    """All that an import could touch."""
    return [
        list(model._default_manager.order_by("pk").values())
        for model in (Subscriber, Consent, Suppression, Delivery, SignUp)
    ]


def one_of_each_status() -> None:
    for status in STATUSES:
        left = clock.now() if status in STATUSES[2:] else None
        make_subscribers(1, prefix=status, status=status, left_at=left)


def erase(address: str, reason: str = "erased") -> None:
    Suppression.objects.create(address_hmac=addresses.digest(address), reason=reason)


# --- What a file may look like ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "data",
    [
        b"address,confirmed_at\nann@example.org,2024-05-01\n",
        b"\xef\xbb\xbfaddress,confirmed_at\r\nann@example.org,2024-05-01\r\n",
        b"address;confirmed_at\nann@example.org;2024-05-01",
        b'"Confirmed at";"E-Mail"\r"2024-05-01 00:00";" Ann@Example.org "\r',
        b'\nEmail,confirmed-at,Company\n\nann@example.org,2024-05-01T02:00:00+02:00,"Small, old\nand good"\n\n',
    ],
    ids=["commas", "byte order mark", "semicolons", "other names", "a field of two lines"],
)
def test_the_usual_forms_of_a_file_are_understood(data: bytes) -> None:
    importing.bring_in(importing.decode(data), consent=CONSENT, by=None)
    ann = Subscriber.objects.get()
    assert (ann.address, ann.status) == ("ann@example.org", "confirmed")
    assert ann.confirmed_at == datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"address\nann@example.org\nm\xfcller@example.org\n", "Line 3 is not written in UTF-8"),
        ("address\nann@example.org\n".encode("utf-16"), "not written in UTF-8"),
        (b"address\n\x00\x01\n", "not a text file"),
    ],
)
def test_what_is_no_text_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        importing.decode(data)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must name the columns"),
        ("ann@example.org\nben@example.org\n", "must name the columns"),
        ("address,status,status\n", "Two columns have the same name: status"),
        ('address\nann@example.org\n"ben@example.org\ncleo@example.org\n', "from line 3 on"),
        ("address\n" + "a" * 3000 + "\n", "Line 2 is longer"),
        ("address\n" + "ann@example.org\n" * 4, "more than 3 lines"),
    ],
)
def test_what_cannot_be_used_at_all_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        importing.look(text, most=3)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("not an address,2024-05-01,,,", "not a mail address"),
        ("ann@example.org,yesterday,,,", "is no date"),
        ("ann@example.org,01.05.2024,,,", "is no date"),
        ("ann@example.org,1899-12-30,,,", "year 1899"),
        ("ann@example.org,9999-12-31T23:59:59,,,", "year 9999"),
        ("ann@example.org,2024-05-01,tlh,,", "no language “tlh”"),
        ("ann@example.org,2024-05-01,,hourly,", "“hourly” is no frequency"),
        ("ann@example.org,2024-05-01,,,subscribed", "“subscribed” is no status"),
        ("ann@example.org,,,,confirmed", "confirmed_at is empty"),
        ("ann@example.org,2024-05-01,,", "4 columns where the first line has 5"),
    ],
)
def test_a_bad_line_is_left_out_and_named_by_its_number_with_the_reason(line: str, sentence: str) -> None:
    text = f"address,confirmed_at,language,frequency,status\nben@example.org,2024-05-01,,,\n{line}\n"
    ((number, reason),) = reasons(text)
    assert number == 3
    assert sentence in reason
    assert counts(text) == {"add": 1, "invalid": 1}


@pytest.mark.django_db
def test_a_confirmation_in_the_future_is_refused() -> None:
    tomorrow = clock.now() + timedelta(days=1)
    ((_line, reason),) = reasons(f"address,confirmed_at\nann@example.org,{tomorrow.isoformat()}\n")
    assert reason == "confirmed_at is in the future."


@pytest.mark.django_db
def test_columns_that_say_nothing_here_are_named() -> None:
    assert importing.look("address,company,name,signed_up_at\n").unread == ["company", "name"]


@pytest.mark.django_db
def test_a_variety_of_a_language_is_that_language_and_none_is_the_sites() -> None:
    bring("address,confirmed_at,language\nann@example.org,2024-05-01,de-AT\nben@example.org,2024-05-01,\n")
    assert dict(Subscriber.objects.values_list("address", "language")) == {
        "ann@example.org": "de",
        "ben@example.org": "en",
    }


# --- Who is added ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_confirmed_elsewhere_is_a_subscriber_with_the_day_and_the_choices_of_the_file() -> None:
    text = (
        "address,confirmed_at,language,frequency,paused_until\n"
        "ann@example.org,2024-05-01T10:30:00+00:00,de,weekly,2031-01-01\n"
    )
    assert counts(text) == bring(text) == {"add": 1}
    ann = Subscriber.objects.get()
    assert ann.confirmed_at == datetime(2024, 5, 1, 10, 30, tzinfo=UTC)
    assert (ann.status, ann.language, ann.frequency) == ("confirmed", "de", "weekly")
    assert ann.paused_until == date(2031, 1, 1)
    assert ann.address_hmac == addresses.digest("ann@example.org")
    assert ann.left_at is None


@pytest.mark.django_db
def test_the_record_says_whose_import_it_was_and_where_the_consent_comes_from() -> None:
    by = User.objects.create_user("paula")
    importing.bring_in("address,confirmed_at\nann@example.org,2024-05-01\n", consent=CONSENT, by=by)
    record = Consent.objects.get()
    assert record.address_hmac == addresses.digest("ann@example.org")
    assert (record.event, record.method, record.words, record.by) == ("imported", "import", CONSENT, by)
    assert record.detail == "Confirmed elsewhere on 2024-05-01"


@pytest.mark.django_db
def test_who_never_confirmed_is_left_out() -> None:
    text = "address,confirmed_at,status\nann@example.org,,\nben@example.org,2024-05-01,pending\n"
    assert counts(text) == bring(text) == {"unconfirmed": 2}
    assert not Subscriber.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("status", STATUSES[2:])
def test_who_left_elsewhere_is_added_as_somebody_who_gets_no_mail(status: str) -> None:
    text = f"address,status,confirmed_at,left_at\nann@example.org,{status},2024-05-01,2025-06-01\n"
    assert counts(text) == bring(text) == {"add-stopped": 1}
    ann = Subscriber.objects.get()
    assert ann.status == status
    assert ann.left_at == datetime(2025, 6, 1, tzinfo=UTC)
    record = Consent.objects.get()
    assert (record.event, record.method) == (status, "import")


@pytest.mark.django_db
@pytest.mark.parametrize("lines", [["confirmed", "unsubscribed"], ["unsubscribed", "confirmed"]])
def test_of_two_lines_about_a_person_the_stricter_counts_wherever_it_stands(lines: list[str]) -> None:
    text = "address,status,confirmed_at\n" + "".join(f"ann@example.org,{line},2024-05-01\n" for line in lines)
    assert counts(text) == bring(text) == {"add-stopped": 1, "twice": 1}
    assert Subscriber.objects.get().status == "unsubscribed"


@pytest.mark.django_db
def test_who_has_a_line_that_cannot_be_read_is_not_added_because_of_another() -> None:
    text = "address,status,confirmed_at\nann@example.org,confirmed,2024-05-01\nANN@example.org,opted out,2024-05-01\n"
    assert counts(text) == bring(text) == {"invalid": 2}
    assert not Subscriber.objects.exists()


# --- What an import never does ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("status", STATUSES)
def test_nobody_who_is_here_is_changed_whatever_the_file_says(status: str) -> None:
    one_of_each_status()
    before = everything()
    text = "address,status,confirmed_at,language,frequency\n" + "".join(
        f"{prefix}1@example.org,{status},2024-05-01,de,weekly\n" for prefix in STATUSES
    )
    expected = {"there": 1, "differs": 1, "left": 3} if status in STATUSES[2:] else {"there": 2, "left": 3}
    assert counts(text) == bring(text) == expected
    assert everything() == before


@pytest.mark.django_db
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("reason", ["erased", "bounced", "complained"])
def test_who_was_erased_does_not_come_back_in_any_way(settings: Any, reason: str, status: str) -> None:
    erase("ann@example.org", reason)
    settings.NEWSLETTER_KEYS = ["a newer key", *settings.NEWSLETTER_KEYS]
    before = everything()
    text = f"address,status,confirmed_at\n ANN@Example.org,{status},2024-05-01\n"
    assert counts(text) == bring(text) == {"suppressed": 1}
    assert everything() == before


@pytest.mark.django_db
def test_five_thousand_people_are_imported_without_a_mail_and_without_a_raised_status() -> None:
    """U9. The site knows one in five of them, in all states; the file claims that all have confirmed."""
    known = 0
    for status in STATUSES:
        left = clock.now() if status in STATUSES[2:] else None
        known += len(make_subscribers(200, prefix=status, status=status, left_at=left))
    before = dict(Subscriber.objects.values_list("address", "status"))
    for number in range(100):
        erase(f"erased{number}@example.org")
    people = [*before, *(f"erased{n}@example.org" for n in range(100)), *(f"new{n}@example.org" for n in range(3900))]
    text = "address,confirmed_at\n" + "".join(f"{address},2024-05-01\n" for address in people)

    assert counts(text) == bring(text) == {"add": 3900, "there": 400, "left": 600, "suppressed": 100}

    assert not Delivery.objects.exists()
    assert not SignUp.objects.exists()
    assert dict(Subscriber.objects.filter(address__in=before).values_list("address", "status")) == before
    assert Subscriber.objects.filter(address__startswith="erased").count() == 0
    assert Subscriber.objects.count() == known + 3900
    assert Consent.objects.count() == 3900


@pytest.mark.django_db
def test_importing_twice_changes_nothing_the_second_time() -> None:
    text = "address,status,confirmed_at\nann@example.org,,2024-05-01\nben@example.org,unsubscribed,\n"
    bring(text)
    before = everything()
    assert counts(text) == bring(text) == {"there": 1, "left": 1}
    assert everything() == before


@pytest.mark.django_db
def test_a_dry_run_changes_nothing() -> None:
    before = everything()
    assert counts("address,confirmed_at\nann@example.org,2024-05-01\n") == {"add": 1}
    assert everything() == before


@pytest.mark.django_db
def test_an_import_that_was_cut_short_goes_on_when_it_is_begun_again(monkeypatch: Any) -> None:
    text = "address,confirmed_at\n" + "".join(f"new{n}@example.org,2024-05-01\n" for n in range(25))
    monkeypatch.setattr(importing, "CHUNK", 10)
    add, calls = importing._add, []

    def dies_the_second_time(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            add(*args, **kwargs)  # written, and not committed
            raise KeyboardInterrupt
        return add(*args, **kwargs)

    monkeypatch.setattr(importing, "_add", dies_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        bring(text)
    assert Subscriber.objects.count() == Consent.objects.count() == 10
    assert bring(text) == {"there": 10, "add": 15}
    assert Subscriber.objects.count() == Consent.objects.count() == 25


@pytest.mark.django_db
def test_who_signs_up_in_the_same_moment_keeps_their_own_row(monkeypatch: Any) -> None:
    judge = importing.judge

    def and_somebody_comes(rows: Any) -> Any:
        outcomes = judge(rows)
        make_subscribers(1, prefix="ann", status="pending", confirmed_at=None)
        return outcomes

    monkeypatch.setattr(importing, "judge", and_somebody_comes)
    assert bring("address,confirmed_at\nann1@example.org,2024-05-01\nben@example.org,2024-05-01\n") == {
        "add": 1,
        "there": 1,
    }
    assert Subscriber.objects.get(address="ann1@example.org").status == "pending"
    assert [record.address_hmac for record in Consent.objects.all()] == [addresses.digest("ben@example.org")]


@pytest.mark.django_db
def test_the_questions_asked_do_not_grow_with_the_people(django_assert_max_num_queries: Any) -> None:
    text = "address,confirmed_at\n" + "".join(f"new{n}@example.org,2024-05-01\n" for n in range(400))
    with django_assert_max_num_queries(32):  # SQLite takes some 80 rows in one INSERT
        bring(text)


# --- With what is exported -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_export_is_imported_again_as_it_was_with_nothing_raised() -> None:
    one_of_each_status()
    make_subscribers(1, prefix="=1+1", frequency="weekly", language="de", paused_until=date(2031, 1, 1))
    make_subscribers(1, prefix="'quoted")
    columns = ("address", "status", "frequency", "language", "confirmed_at", "left_at", "paused_until")

    def rows() -> list[Any]:
        people = Subscriber.objects.exclude(status="pending").order_by("address").values_list(*columns)
        return [tuple(_to_the_second(value) for value in person) for person in people]

    before, text = rows(), "".join(exporting.lines())
    Subscriber.objects.all().delete()
    assert bring(text) == {"add": 3, "add-stopped": 3, "unconfirmed": 1}
    assert rows() == before


def _to_the_second(value: Any) -> Any:
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


# --- The command, and the files in between ---------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("address,confirmed_at\nann@example.org,2024-05-01\nben,2024-05-01\n")
    return path


def run(*args: Any) -> str:
    out = StringIO()
    call_command("import_subscribers", *args, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_imports_and_says_what_it_did(file: Path) -> None:
    User.objects.create_user("paula")
    said = run(file, "--consent", CONSENT, "--by", "paula")
    assert "1  Added as subscribers" in said
    assert "line 3: This is not a mail address." in said
    assert Consent.objects.get().by == User.objects.get()


@pytest.mark.django_db
def test_the_dry_run_of_the_command_says_the_same_and_changes_nothing(file: Path) -> None:
    said = run(file, "--consent", CONSENT, "--dry-run")
    assert "1  Added as subscribers" in said
    assert "nothing was changed" in said
    assert not Subscriber.objects.exists()


@pytest.mark.django_db
def test_the_command_refuses_what_it_cannot_use(file: Path, tmp_path: Path) -> None:
    for args in (
        [file, "--consent", "  "],
        [file, "--consent", CONSENT, "--by", "nobody"],
        [tmp_path / "missing.csv", "--consent", CONSENT],
        [tmp_path, "--consent", CONSENT],
    ):
        with pytest.raises(CommandError):
            run(*args)


@pytest.mark.django_db
def test_a_file_that_was_not_imported_is_forgotten_after_an_hour() -> None:
    by = User.objects.create_user("paula")
    for minutes in (59, 61):
        SubscriberFile.objects.create(text="x", consent=CONSENT, by=by, at=clock.now() - timedelta(minutes=minutes))
    assert importing.forget_files() == 1
    assert SubscriberFile.objects.get().at > clock.now() - timedelta(minutes=60)

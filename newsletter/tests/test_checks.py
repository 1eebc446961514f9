"""Settings under which mail would not arrive or do harm are named, each with a remedy."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connection
from pytest_django import Settings

from newsletter.checks import organisation
from publishing.models import SiteSettings

pytestmark = pytest.mark.once

KEY = "a key of the newsletter that is as long as it should be"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture(autouse=True)
def good(settings: Settings) -> None:
    """A site whose mail arrives."""
    for name, value in {
        "DEBUG": False,
        "SITE_URL": "https://www.example.org",
        "NEWSLETTER_KEYS": [KEY],
        "EMAIL_BACKEND": SMTP,
        "RELAY_IS_NAMED": True,
        "EMAIL_HOST": "mail.example.net",
        "EMAIL_USE_TLS": True,
        "EMAIL_USE_SSL": False,
        "MAIL_DOMAIN": "news.example.org",
        "BOUNCE_ADDRESS": "bounces@news.example.org",
        "MAIL_RATE": 0,
        "SIGN_UP_BUDGET": 300,
        "SENDER_LEASE_SECONDS": 120,
    }.items():
        setattr(settings, name, value)


def found(**options: Any) -> list[CheckMessage]:
    messages = run_checks(include_deployment_checks=True, **options)
    return [message for message in messages if str(message.id).startswith("newsletter.")]


def test_good_settings_have_nothing_to_be_said_about() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"NEWSLETTER_KEYS": []}, "E001"),
        ({"SECRET_KEY": KEY}, "E002"),
        ({"NEWSLETTER_KEYS": [KEY, "short"]}, "E003"),
        ({"MAIL_RATE": -1}, "E004"),
        ({"SENDER_LEASE_SECONDS": 0}, "E005"),
        ({"SIGN_UP_BUDGET": 0}, "E005"),
        ({"BOUNCE_ADDRESS": "bounces"}, "E006"),
        ({"BOUNCE_ADDRESS": "bounces@"}, "E006"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "W001"),
        ({"RELAY_IS_NAMED": False, "EMAIL_HOST": "localhost", "EMAIL_USE_TLS": False}, "W002"),
        ({"EMAIL_USE_TLS": False}, "W003"),
        ({"EMAIL_USE_TLS": False, "EMAIL_HOST": "192.0.2.1"}, "W003"),
        ({"SITE_URL": "http://www.example.org"}, "W004"),
        ({"BOUNCE_ADDRESS": "bounces@example.net"}, "W005"),
        ({"SITE_URL": "https://backs.example"}, "W006"),
    ],
)
def test_a_bad_setting_is_named_with_a_remedy(changes: dict[str, Any], expected: str, settings: Settings) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    [message] = found()
    assert message.id == f"newsletter.{expected}"
    assert message.hint
    assert message.is_serious() == expected.startswith("E")


@pytest.mark.parametrize(
    "changes",
    [
        {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        {"EMAIL_USE_TLS": False, "EMAIL_HOST": "localhost"},
        {"EMAIL_USE_TLS": False, "EMAIL_HOST": "127.0.0.1"},
        {"EMAIL_USE_TLS": False, "EMAIL_HOST": "::1"},
        {"BOUNCE_ADDRESS": "bounces@bounce.example.org", "MAIL_DOMAIN": "example.org"},
        {"NEWSLETTER_KEYS": [KEY, KEY + "2"]},
    ],
)
def test_what_is_right_is_left_alone(changes: dict[str, Any], settings: Settings) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == []


def test_nothing_is_said_on_a_developers_machine(settings: Settings) -> None:
    settings.DEBUG = True
    settings.NEWSLETTER_KEYS, settings.MAIL_RATE, settings.RELAY_IS_NAMED = [], -1, False
    settings.SITE_URL, settings.BOUNCE_ADDRESS = "http://127.0.0.1:8000", "nobody"
    assert found() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("letter@news.example.org", []),
        ("", []),
        ("letter@example.com", ["newsletter.W005", "newsletter.W006"]),
    ],
)
def test_the_sender_that_editors_set_is_looked_at(address: str, expected: list[str]) -> None:
    SiteSettings.objects.create(pk=1, sender_address=address)
    assert [message.id for message in found(databases=["default"])] == expected
    assert found() == [], "no database is asked where none is named"


@pytest.mark.django_db
def test_a_database_without_tables_is_looked_at_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_: [])
    assert found(databases=["default"]) == []


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("www.example.org", "example.org"),
        ("a.b.example.org", "example.org"),
        ("Example.ORG.", "example.org"),
        ("news.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
        ("news.example.de", "example.de"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_an_organisation_is_known_by_its_domain(domain: str, expected: str) -> None:
    assert organisation(domain) == expected

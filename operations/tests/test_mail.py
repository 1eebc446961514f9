"""The pages of caught mail: what the file backend wrote, readable, and only in development."""

import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import Resolver404, include, path, resolve
from pytest_django import Settings

from operations.mail import caught_mail

urlpatterns = [path("mail/", include("operations.mail_urls")), path("", include("config.urls"))]


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """An empty folder where mail is caught, with the pages that show it routed as in development."""
    folder = tmp_path / "mail"
    settings.MAIL_DIR = folder
    settings.ROOT_URLCONF = __name__
    return folder


def send(folder: Path, *subjects: str) -> None:
    """Send one message a subject over one connection, as a newsletter does."""
    connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(folder))
    messages = []
    for subject in subjects:
        message = EmailMultiAlternatives(
            subject,
            f"Grüße, please confirm: {subject} https://example.org/c/1",
            "a@example.org",
            ["b@example.org"],
        )
        message.attach_alternative(f"<p>Please <b>confirm</b>: {subject}</p>", "text/html")
        messages.append(message)
    connection.send_messages(messages)


def test_no_mail_is_an_empty_list_and_not_an_error(folder: Path, client: Client) -> None:
    assert caught_mail(folder) == []
    assert "No mail yet." in client.get("/mail/").content.decode()


def test_mail_is_listed_newest_first(folder: Path, client: Client) -> None:
    send(folder, "First of two", "Second of two")
    page = client.get("/mail/").content.decode()
    assert 0 < page.index("Second of two") < page.index("First of two")


def test_a_message_shows_its_headers_text_and_parts(folder: Path, client: Client) -> None:
    send(folder, "Your subscription")
    page = client.get(f"/mail/{caught_mail(folder)[0].key}/").content.decode()
    assert "b@example.org" in page
    assert "Grüße, please confirm: Your subscription" in page
    assert '<a href="https://example.org/c/1"' in page
    assert "text/plain, text/html" in page


def test_the_raw_message_is_what_was_caught(folder: Path, client: Client) -> None:
    send(folder, "Your subscription")
    response = client.get(f"/mail/{caught_mail(folder)[0].key}/raw/")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert b"multipart/alternative" in response.content
    assert b"<p>Please <b>confirm</b>" in response.content


def test_a_link_of_a_message_can_be_followed_although_the_message_breaks_it(folder: Path, client: Client) -> None:
    folder.mkdir()
    broken = b"Subject: Hello\nContent-Transfer-Encoding: quoted-printable\n\nhttps://example.org/confirm/=\nabc/\n"
    (folder / "20260101.log").write_bytes(broken)
    page = client.get(f"/mail/{caught_mail(folder)[0].key}/").content.decode()
    assert 'href="https://example.org/confirm/abc/"' in page


def test_a_message_is_shown_as_designed_where_nothing_runs_and_nothing_is_fetched(folder: Path, client: Client) -> None:
    send(folder, "Your subscription")
    page = f"/mail/{caught_mail(folder)[0].key}/"
    assert f'href="{page}html/"' in client.get(page).content.decode()
    response = client.get(f"{page}html/")
    assert response.content.decode().strip() == "<p>Please <b>confirm</b>: Your subscription</p>"
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; ")
    assert "script" not in policy
    assert re.search("sandbox(?! [^;]*allow-(scripts|same-origin|forms|top-navigation))", policy)
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_message_of_text_only_has_no_design(folder: Path, client: Client) -> None:
    connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(folder))
    connection.send_messages([EmailMessage("Plain", "Only words.", "a@example.org", ["b@example.org"])])
    page = f"/mail/{caught_mail(folder)[0].key}/"
    assert "Only words." in client.get(page).content.decode()
    assert "html/" not in client.get(page).content.decode()
    assert client.get(f"{page}html/").status_code == 404


def test_markup_in_a_message_is_shown_and_not_run(folder: Path, client: Client) -> None:
    send(folder, "<script>alert(1)</script>")
    for url in ("/mail/", f"/mail/{caught_mail(folder)[0].key}/"):
        assert "<script>" not in client.get(url).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["nothing-0", "..%2Fsecret-key", "secret-key"])
def test_a_key_that_names_no_message_is_not_found(folder: Path, client: Client, key: str) -> None:
    send(folder, "Here")
    (folder.parent / "secret-key").write_text("hidden")
    assert client.get(f"/mail/{key}/").status_code == 404


def test_mail_has_no_pages_in_production() -> None:
    assert django_settings.DEBUG is False
    with pytest.raises(Resolver404):
        resolve("/mail/", urlconf="config.urls")

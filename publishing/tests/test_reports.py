"""“Report a problem”: what a reader writes reaches the editors, whoever they are, and nothing is lost on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from config.tests.factories import make_article, make_user, publish_draft
from publishing import reports
from publishing.models import Report

pytestmark = pytest.mark.django_db

SAME_SITE = {"HTTP_SEC_FETCH_SITE": "same-origin"}


def send(client: Client, about: str = "/", **data: str) -> Any:
    said = {"about": about, "subject": "wrong", "text": "The dose is wrong.", "address": "", "website": ""} | data
    return client.post("/report/", said, **SAME_SITE)  # type: ignore[arg-type]


@pytest.fixture
def path() -> str:
    edition = publish_draft(make_article("Sore knee"))
    return edition.publication.get_absolute_url()


def test_a_report_keeps_the_page_its_edition_and_the_words(client: Client, path: str) -> None:
    response = send(client, path, address="reader@example.org")
    assert (response.status_code, response["Location"]) == (303, f"/report/thanks/?about={path}")
    report = Report.objects.get()
    assert (report.path, report.edition, report.text) == (path, 1, "The dose is wrong.")
    assert report.publication is not None
    assert report.publication.title == "Sore knee"
    assert (report.address, report.network, report.state) == ("reader@example.org", "127.0.0.0/24", "new")


def test_the_form_and_the_thanks_name_the_page_and_set_no_cookie(client: Client, path: str) -> None:
    for address in ("/report/", "/report/thanks/"):
        response = client.get(address, {"about": path})
        assert "Sore knee" in response.content.decode()
        assert not response.cookies


@pytest.mark.parametrize("suffix", ["editions/1/", "editions/", "compare/"])
def test_other_pages_of_a_text_are_about_the_text(client: Client, path: str, suffix: str) -> None:
    send(client, path + suffix)
    report = Report.objects.get()
    assert report.publication is not None
    assert report.path == path + suffix


@pytest.mark.parametrize(
    "about",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/no/such/page/", "/a\0b/", "", "/\r\n/"],
)
def test_what_is_no_page_of_ours_is_not_linked(client: Client, about: str) -> None:
    assert "evil" not in client.get("/report/", {"about": about}).content.decode()
    assert send(client, about)["Location"] == "/report/thanks/"
    assert Report.objects.get().path == "/"


@given(about=st.text(max_size=600))
def test_no_text_in_the_address_is_an_error(about: str) -> None:
    path, publication = reports.page_of(about)
    assert publication is None
    assert path == "" or path.startswith("/")


def test_a_draft_is_not_named(client: Client) -> None:
    draft = make_article("Secret knee")
    assert (
        "Secret knee" not in client.get("/report/", {"about": f"/articles/{draft.publication.slug}/"}).content.decode()
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"text": "  "}, "Write what the problem is."),
        ({"text": "x" * 4001}, "keep to 4,000 characters"),
        ({"subject": ""}, "Choose what it is about."),
        ({"subject": "gossip"}, "Select a valid choice"),
        ({"address": "nobody"}, "It looks like name@example.org"),
    ],
)
def test_what_is_not_valid_comes_back_whole(client: Client, path: str, data: dict[str, str], sentence: str) -> None:
    said = {"text": "Line 3 is wrong.", "address": "reader@example.org"} | data
    response = send(client, path, **said)
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert said["text"].strip() in page
    assert said["address"] in page
    assert f'value="{path}"' in page
    assert not Report.objects.exists()


def test_characters_that_no_database_takes_are_no_error(client: Client) -> None:
    assert send(client, text="a\0b").status_code == 422
    send(client, text="a\r\nb")
    assert Report.objects.get().text == "a\nb"


def test_a_robot_is_thanked_and_forgotten(client: Client, path: str) -> None:
    assert send(client, path, website="https://spam.example").status_code == 303
    assert not Report.objects.exists()


def test_another_site_cannot_post() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/report/", {"text": "x", "subject": "other"}, HTTP_SEC_FETCH_SITE="cross-site")
    assert response.status_code == 403
    assert not Report.objects.exists()


def test_a_flood_of_one_network_ends_and_loses_nobodys_words(client: Client, path: str) -> None:
    for _number in range(reports.NETWORK_AN_HOUR):
        assert send(client, path).status_code == 303
    response = send(client, path, text="The eleventh.")
    assert response.status_code == 429
    assert "The eleventh." in response.content.decode()
    assert client.post("/report/", {"about": path, "subject": "wrong", "text": "Elsewhere."},
                       REMOTE_ADDR="203.0.113.9", **SAME_SITE).status_code == 303  # type: ignore[arg-type]  # fmt: skip
    assert Report.objects.count() == reports.NETWORK_AN_HOUR + 1


def test_the_page_of_a_german_text_is_asked_about_in_german(client: Client) -> None:
    draft = make_article("Knie", language="de")
    path = publish_draft(draft).publication.get_absolute_url()
    assert '<html lang="de">' in client.get("/report/", {"about": path}).content.decode()


def test_what_names_people_is_forgotten_in_time() -> None:
    now = timezone.now()
    old = {"subject": "wrong", "text": "x", "path": "/", "address": "a@example.org", "network": "192.0.2.0/24"}
    fresh = Report.objects.create(**old)
    waiting = Report.objects.create(**old, sent_at=now - timedelta(days=200))
    done = Report.objects.create(
        **old, sent_at=now - timedelta(days=200), state=Report.State.DONE, done_at=now - timedelta(days=91)
    )
    reports.tidy()
    for row in (fresh, waiting, done):
        row.refresh_from_db()
    assert (fresh.address, fresh.network) == ("a@example.org", "192.0.2.0/24")
    assert (waiting.address, waiting.network) == ("a@example.org", "")  # somebody still owes an answer
    assert (done.address, done.network, done.text) == ("", "", "x")


def test_an_editor_finds_it_on_the_desk_and_closes_it(client: Client, path: str) -> None:
    send(client, path)
    report = Report.objects.get()
    editor = make_user("edda")
    editor.is_staff = True
    editor.save()
    editor.groups.add(Group.objects.get(name="Editor"))
    client.force_login(editor)
    url = f"/admin/publishing/report/{report.pk}/change/"
    assert url in client.get("/admin/").content.decode()
    page = client.get(url).content.decode()
    assert "The dose is wrong." in page
    assert f'href="{path}"' in page
    client.post(url, {"state": "done", "outcome": "Corrected in edition 2."})
    report.refresh_from_db()
    assert (report.state, report.outcome, report.done_by) == ("done", "Corrected in edition 2.", editor)
    assert report.done_at is not None
    client.get(url)  # which shows the message about the save
    assert url not in client.get("/admin/").content.decode()
    client.post(url, {"state": "new", "outcome": ""})
    assert Report.objects.filter(done_at=None, done_by=None).exists()

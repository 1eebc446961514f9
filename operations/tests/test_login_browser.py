"""Logging in to the admin in a real browser, under the policy that allows nothing inline."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_an_editor_logs_in_and_the_browser_has_nothing_to_complain_of(page: Page, live_server: LiveServer) -> None:
    User.objects.create_superuser("editor", password="correct horse battery")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.text} {message.location['url']}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("Bedside")
    # A browser asks for this address by itself; whether there is an icon is another test's question.
    assert [complaint for complaint in complaints if not complaint.endswith("/favicon.ico")] == []

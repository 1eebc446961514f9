"""The pages of an issue in a real browser: figures that move, a countdown, a mail in a frame."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from newsletter import clock, issues
from newsletter.models import Delivery, Issue, raise_alarm
from newsletter.tests.rows import make_subscribers
from newsletter.tests.test_admin_issues import fresh, make_draft, make_live, make_sending, url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

State = Delivery.State
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


def log_in(page: Page, server: LiveServer) -> None:
    """Put the session of an administrator into the browser."""
    user = User.objects.create_superuser("root", "root@news.example")
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])


@pytest.fixture
def admin(page: Page, live_server: LiveServer) -> Iterator[Page]:
    """A page of an administrator; afterwards its console must have had nothing to complain of."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # What axe does to a page has no address.
        if message.type in {"error", "warning"} and message.location["url"]:
            complaints.append(f"{message.location['url']}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page, live_server)
    yield page
    assert complaints == []


def test_the_figures_move_without_a_reload_until_the_state_changes(admin: Page, live_server: LiveServer) -> None:
    issue = make_sending({State.QUEUED: 2, State.SENT: 1})
    admin.goto(live_server.url + url("progress", issue))
    admin.evaluate("window.stayed = true")
    issue.deliveries.filter(pk=issue.deliveries.filter(state=State.QUEUED)[0].pk).update(state=State.FAILED)
    expect(admin.locator("[data-line=failed] [data-figure]")).to_have_text("1", timeout=10_000)
    expect(admin.locator("#sentence")).to_have_text("2 of 3 are settled.")
    expect(admin.get_by_role("progressbar")).to_have_attribute("value", "66")
    expect(admin.locator("[data-line=failed]").get_by_role("link")).to_be_visible()
    assert admin.evaluate("window.stayed") is True
    issues.pause(issue=issue, reason="Paused by root.")
    expect(admin.get_by_role("button", name="Go on")).to_be_visible(timeout=10_000)


def test_from_the_typed_number_to_the_click_that_takes_it_back(admin: Page, live_server: LiveServer) -> None:
    make_subscribers(2)
    issue = make_draft(make_live())
    admin.goto(live_server.url + url("change", issue))
    admin.get_by_role("link", name="Send…").click()
    admin.get_by_label("How many people get it?").fill("2")
    admin.get_by_role("button", name="Send", exact=True).click()
    seconds = admin.locator("[data-seconds]")
    first = int(seconds.inner_text())
    expect(seconds).not_to_have_text(str(first), timeout=10_000)
    assert int(seconds.inner_text()) < first
    admin.get_by_role("button", name="Take it back").click()
    expect(admin.get_by_text("Taken back. Nothing was sent.")).to_be_visible()
    assert fresh(issue).state == Issue.State.DRAFT


def test_articles_are_chosen_in_a_dialog_and_the_opening_is_typed(admin: Page, live_server: LiveServer) -> None:
    article = make_live("Sore knees")
    admin.goto(live_server.url + reverse("admin:newsletter_issue_add"))
    admin.wait_for_selector("html[data-ready]", state="attached")
    admin.get_by_label("Subject").fill("A letter")
    admin.locator(".ProseMirror").click()
    admin.keyboard.type("Dear reader")
    admin.get_by_role("button", name="Add an article").click()
    admin.locator("[data-part] [data-choose]").click()
    admin.get_by_role("searchbox").fill("knees")
    admin.get_by_role("button", name="Sore knees").click()
    expect(admin.locator("[data-row-name]").first).to_have_text("Sore knees")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_role("heading", name="A letter", exact=True)).to_be_visible()
    issue = Issue.objects.get()
    assert "Dear reader" in issue.opening
    assert [item.publication for item in issue.items.all()] == [article]


def test_the_mail_is_shown_dark_in_a_light_browser(admin: Page, live_server: LiveServer) -> None:
    admin.emulate_media(color_scheme="light")
    issue = make_draft(make_live("Sore knees"))
    shades = {}
    for scheme in ("light", "dark"):
        admin.goto(live_server.url + url("preview", issue) + f"?scheme={scheme}")
        frame = admin.frame_locator("iframe")
        expect(frame.get_by_text("Sore knees").first).to_be_visible()
        shades[scheme] = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert shades["light"] != shades["dark"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), pytest.param(1280, "light", marks=pytest.mark.long)])
def test_no_page_of_an_issue_has_a_fault_that_axe_finds(
    admin: Page, live_server: LiveServer, width: int, scheme: str
) -> None:
    make_subscribers(2)
    raise_alarm("budget", "Too many sign-ups.")
    draft = make_draft(make_live())
    waiting = make_draft()
    Issue.objects.filter(pk=waiting.pk).update(state=Issue.State.WAITING, starts_at=clock.now() + timedelta(minutes=1))
    sending = make_sending(dict.fromkeys(State, 1))
    admin.set_viewport_size({"width": width, "height": 900})
    admin.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    pages = [
        reverse("admin:newsletter_issue_changelist"),
        reverse("admin:index"),
        *(url(view, draft) for view in ("change", "preview", "test", "send")),
        url("progress", waiting),
        url("progress", sending),
        url("cancel", sending),
        *(url("deliveries", sending, state) for state in ("failed", "unknown", "suppressed")),
    ]
    for path in pages:
        admin.goto(live_server.url + path)
        found = Axe().run(admin, context={"exclude": [[".prose-menubar"]]}, options=WCAG)  # its buttons that are off
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        assert admin.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the screen"


def test_without_script_the_page_has_its_figures_and_its_buttons(browser: Browser, live_server: LiveServer) -> None:
    issue = make_sending({State.QUEUED: 2, State.SENT: 1})
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server)
    page.goto(live_server.url + url("progress", issue))
    expect(page.locator("#sentence")).to_have_text("1 of 3 are settled.")
    issue.deliveries.filter(state=State.QUEUED).update(state=State.SENT)
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#sentence")).to_have_text("3 of 3 are settled.")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    context.close()

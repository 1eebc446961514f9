"""From the form to one-click unsubscribe in a real browser without script, with a real sender and SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from config.tests.factories import make_article, publish_draft, sign
from newsletter import links, planning
from newsletter.models import Delivery, Issue, Subscriber
from newsletter.tests.mailbox import link, parsed
from newsletter.tests.processes import running_kitchen, wait_until
from newsletter.tests.rows import make_subscribers
from newsletter.tests.sink import Sink, running_sink

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "ada@example.org"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def visitor(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A browser that runs no script and keeps no cookie."""
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    yield context.new_page()
    assert context.cookies() == []
    context.close()


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    """An SMTP server, and a sender that runs until the test is over."""
    with (
        running_sink(tmp_path / "sink.log", keep=tmp_path / "mails") as server,
        running_kitchen(server.port) as kitchen,
    ):
        child = kitchen.start()
        yield server
        kitchen.end(child)


def mail_number(sink: Sink, number: int) -> EmailMessage:
    """The mail of that number in Ada's mailbox, as soon as it has come."""
    wait_until(lambda: sink.copies()[ADDRESS] >= number, f"mail {number}")
    [*_, message] = [mail for mail in map(parsed, sink.messages()) if mail["To"] == ADDRESS][:number]
    return message


def on(server: LiveServer, url: str) -> str:
    """A link of a mail, at the server that this test runs."""
    return url.replace("http://testserver", server.url)


def test_from_the_form_to_one_click_without_script(visitor: Page, live_server: LiveServer, sink: Sink) -> None:
    # Any page; the dialog opens by its button.
    visitor.goto("/articles/")
    visitor.get_by_role("button", name="Subscribe").first.click()
    dialog = visitor.get_by_role("dialog", name="New articles by mail")
    expect(dialog.get_by_label("Your mail address")).to_be_focused()
    dialog.get_by_label("Your mail address").fill("Ada@Example.org")
    dialog.get_by_role("button", name="Subscribe").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("look in your mailbox")

    # The mail, the button behind its link.
    visitor.goto(on(live_server, link(mail_number(sink, 1), "confirm")))
    assert Subscriber.objects.get().status == "pending"
    visitor.get_by_role("button", name="Yes, send me mail").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("You are subscribed")

    # Only one topic.
    article = make_article("Back pain", slug="back-pain")
    sign(article)
    publish_draft(article)
    article.publication.tags.add("backs")
    visitor.get_by_role("link", name="Choose what you get").click()
    visitor.get_by_label("Only the topics that I choose").check()
    visitor.get_by_label("Backs").check()
    visitor.get_by_role("button", name="Save").click()
    expect(visitor.get_by_role("status")).to_have_text("Saved.")

    # A new article.
    [issue] = planning.plan_issues()
    Issue.objects.filter(pk=issue.pk).update(starts_at=issue.made_at)
    message = mail_number(sink, 2)
    assert message["Subject"] == "Back pain"
    visitor.goto(on(live_server, link(message, "unsubscribe")))
    expect(visitor.get_by_role("button", name="Unsubscribe", exact=True)).to_be_visible()
    assert Subscriber.objects.get().status == "confirmed"

    # The mail program's own button.
    [one_click] = [part.strip(" <>") for part in message["List-Unsubscribe"].split(",") if "http" in part]
    answer = visitor.request.post(on(live_server, one_click), form={"List-Unsubscribe": "One-Click"}, max_redirects=0)
    assert answer.status == 200
    assert Subscriber.objects.get().status == "unsubscribed"
    visitor.reload()
    visitor.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert sink.copies() == {ADDRESS: 2}


def test_from_the_choices_to_the_erasure_without_script(visitor: Page, live_server: LiveServer, sink: Sink) -> None:
    [person] = make_subscribers(1)
    Subscriber.objects.filter(pk=person.pk).update(address=ADDRESS)
    choices = on(live_server, links.url(links.Purpose.CHOICES, links.token(links.Purpose.CHOICES, person.uuid)))
    visitor.goto(choices)
    visitor.get_by_role("button", name="Send me a link to my data").click()
    expect(visitor.get_by_role("status")).to_contain_text("24 hours")
    visitor.goto(on(live_server, link(mail_number(sink, 1), "export")))
    with visitor.expect_download() as download:
        visitor.get_by_role("button", name="Download").click()
    assert ADDRESS in download.value.path().read_text()

    visitor.goto(choices)
    visitor.get_by_role("button", name="Send me a link to erase me").click()
    visitor.goto(on(live_server, link(mail_number(sink, 2), "erase")))
    visitor.get_by_role("button", name="Erase me for good").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("You are erased")
    assert not Subscriber.objects.exists()
    assert not Delivery.objects.exclude(address="").exists()


def pages(person: Subscriber) -> dict[str, str]:
    token = {purpose: links.url(purpose, links.token(purpose, person.uuid)) for purpose in links.Purpose}
    return {"form": "/subscribe/", "thanks": "/subscribe/thanks/", "bad": "/newsletter/confirm/x/"} | {
        purpose.value: url.removeprefix("http://testserver") for purpose, url in token.items()
    }


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), pytest.param(1280, "light", marks=pytest.mark.long)])
def test_every_page_is_accessible_and_fits(width: int, scheme: str, browser: Browser, live_server: LiveServer) -> None:
    """WCAG 2.2 AA by axe, no scrolling to the side at 320 px (1.4.10), and targets of 24 px (2.5.8)."""
    [person] = make_subscribers(1)
    article = make_article("Back pain", slug="back-pain")
    publish_draft(article)
    article.publication.tags.add("backs", "sleep")
    context = browser.new_context(base_url=live_server.url, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    for name, path in pages(person).items():
        page.goto(path)
        check(page, name)
    page.goto("/newsletter/")
    page.locator(".subscribe-open button").click()
    check(page, "dialog")
    page.goto("/subscribe/")
    page.get_by_label("Your mail address").fill("ada@nowhere")
    page.locator("main").get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("alert")).to_contain_text("name@example.org")
    check(page, "error")
    page.goto(pages(person)["choices"])
    page.get_by_label("Only the topics that I choose").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "choices with an error")
    context.close()


def check(page: Page, name: str) -> None:
    found = Axe().run(page, options=WCAG).response["violations"]
    assert (name, [(rule["id"], rule["nodes"][0]["html"]) for rule in found]) == (name, [])
    assert (name, page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0) == (name, True)
    for target in page.locator("main button:visible, main input:visible").all():
        box = target.bounding_box()
        if box and not target.locator("xpath=ancestor::*[contains(@class, 'trap')]").count():
            assert (name, min(box["width"], box["height"]) >= 24) == (name, True)


def test_the_dialog_takes_and_gives_back_the_keyboard(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + "/articles/")
    assert page.evaluate("document.activeElement === document.body")
    opener = page.locator(".subscribe-open button")
    opener.focus()
    page.keyboard.press("Enter")
    field = page.get_by_role("dialog").get_by_label("Your mail address")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(field).to_be_hidden()


def test_a_browser_without_popovers_gets_the_link(page: Page, live_server: LiveServer) -> None:
    """Its stylesheet has no rule for them: what it does not understand, it skips."""

    def without(route: Route) -> None:
        css = Path(str(finders.find(route.request.url.partition("/static/")[2]))).read_text("utf-8")
        route.fulfill(content_type="text/css", body=css.replace(":popover-open", ":no-such-thing"))

    page.route("**/*.css", without)
    page.goto(live_server.url + "/articles/")
    expect(page.locator(".subscribe-open button")).to_be_hidden()
    page.get_by_role("link", name="Subscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New articles by mail")

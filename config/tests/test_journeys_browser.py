"""Two days in the life of an article, in a real browser: typed whole with everything going wrong, and by keyboard."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect

from blog import demonstration
from blog.models import Article
from config.tests.factories import make_citation, make_contributor
from publishing.models import Edition, Level, SiteSettings
from publishing.richtext import plain

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a password for tests"


@pytest.fixture(autouse=True)
def database_in_browser_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright keeps an event loop in this thread, which Django takes for an asynchronous caller."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def publisher() -> User:
    user = User.objects.create_user("pat", password=PASSWORD, is_staff=True, first_name="Pat", last_name="Publisher")
    user.groups.add(Group.objects.get(name="Publisher"))
    make_contributor("Mara Lindqvist")
    return user


def the_article() -> dict[str, Any]:
    """The demonstration's article on back pain, as somebody would type it: every entry with words of its own."""
    folder = demonstration.HERE
    library = {row["key"]: row for row in tomllib.loads((folder / "conditions.toml").read_text())["condition"]}
    article: dict[str, Any] = tomllib.loads((folder / "articles.toml").read_text())["article"][0]
    for entry in article["entry"]:
        condition = library.get(entry["condition"], {})
        entry["text"] = plain(entry["text"] or condition["what_it_is"])
        entry["treatment"] = plain(entry["treatment"] or condition["treatment"])
    return article


def write(page: Page, textarea: str, words: str) -> None:
    """Put words into a rich text as typing does; each line is a paragraph."""
    editor = page.locator(f".prose-editor:has(#{textarea}) .ProseMirror")
    editor.click()
    for number, line in enumerate(words.split("\n")):
        if number:
            page.keyboard.press("Enter")
        page.keyboard.insert_text(line)


def add_row(page: Page, group: str, number: int) -> None:
    page.click(f"#{group}-group [data-add]")
    expect(page.locator(f"#{group}-{number} .part-body")).to_be_visible()


def save(page: Page) -> None:
    with page.expect_navigation():  # what the page shows now may be what the last save showed
        page.click("input[name=_continue]")
    page.wait_for_selector(".messagelist .success, .error-summary, .conflict, .kept")


def test_sixteen_entries_are_typed_and_nothing_is_lost_on_the_way(
    page: Page, live_server: Any, publisher: User
) -> None:
    article = the_article()
    page.goto(live_server.url + reverse("admin:index"))
    page.fill("#id_username", "pat")
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    page.get_by_role("link", name="New article").click()
    page.wait_for_selector("html[data-ready]", state="attached")
    type_everything(page, article)

    # An error in entry 12: everything is still there, in its order, and one press leads to it.
    long = "A heading that is far too long " * 8
    page.locator("#id_entries-11-heading").evaluate("field => field.removeAttribute('maxlength')")
    page.fill("#id_entries-11-heading", long)
    save(page)
    page.locator(".error-summary a").click()
    expect(page.locator("#id_entries-11-heading")).to_be_focused()
    assert [*typed(page, "heading")[:11], *typed(page, "heading")[12:]] == [
        entry["heading"] for number, entry in enumerate(article["entry"]) if number != 11
    ]
    page.fill("#id_entries-11-heading", article["entry"][11]["heading"])

    # The session has ended meanwhile: logging in carries on with the same save.
    page.context.clear_cookies(name="sessionid")
    save(page)
    page.fill("#id_kept_username", "pat")
    page.fill("#id_kept_password", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_selector(".messagelist .success")
    draft = Article.objects.get()
    assert_whole(draft, article)

    # A second tab that was opened before is stale: it is refused, and the first tab's text stands.
    page.wait_for_selector("html[data-ready]", state="attached")
    stale = page.context.new_page()
    stale.goto(page.url)
    stale.wait_for_selector("html[data-ready]", state="attached")
    page.fill("#id_summary", article["summary"] + " Checked twice.")
    save(page)
    stale.fill("#id_summary", "From the stale tab.")
    save(stale)
    expect(stale.locator(".conflict")).to_contain_text("Checked twice.")
    expect(stale.locator("#id_summary")).to_have_value("From the stale tab.")
    draft.refresh_from_db()
    assert draft.summary.endswith("Checked twice.")
    assert_whole(draft, article)

    # And it is published as it stands.
    page.get_by_role("link", name="Publish…").click()
    page.get_by_role("button", name="Publish now").click()
    page.wait_for_selector(".messagelist .success")
    visitor = page.context.browser.new_page()  # type: ignore[union-attr]
    visitor.goto(live_server.url + reverse("blog:article-detail", args=[draft.publication.slug]))
    expect(visitor.locator(".entry")).to_have_count(16)
    expect(visitor.locator("h1")).to_have_text(article["title"])
    visitor.close()


def type_everything(page: Page, article: dict[str, Any]) -> None:
    for field in ("title", "summary", "topic"):
        page.fill(f"#id_{field}", article[field])
    write(page, "id_intro", plain(article["intro"]))
    for number, entry in enumerate(article["entry"]):
        add_row(page, "entries", number)
        page.fill(f"#id_entries-{number}-heading", entry["heading"])
        write(page, f"id_entries-{number}-text", entry["text"])
        write(page, f"id_entries-{number}-treatment", entry["treatment"])
    for number, tip in enumerate(article["tip"]):
        add_row(page, "tips", number)
        page.fill(f"#id_tips-{number}-name", tip["name"])
        write(page, f"id_tips-{number}-text", plain(tip["text"]))
    for number, sign in enumerate(article["sign"]):
        add_row(page, "warning_signs", number)
        page.fill(f"#id_warning_signs-{number}-text", sign["text"])
        page.select_option(f"#id_warning_signs-{number}-urgency", sign["urgency"])
    write(page, "id_conclusion", plain(article["conclusion"]))
    page.click("#id_authors_choose")
    page.locator("dialog .results button", has_text="Mara").click()
    page.keyboard.press("Escape")
    page.fill("#id_funding", "None")
    page.fill("#id_conflicts", "None")


def typed(page: Page, field: str) -> list[str]:
    return [page.locator(f"#id_entries-{number}-{field}").input_value() for number in range(16)]


def assert_whole(draft: Article, article: dict[str, Any]) -> None:
    """Every word that was typed is in the draft, in the order in which it was typed."""
    document = draft.build()
    assert [entry.heading for entry in document.entries] == [entry["heading"] for entry in article["entry"]]
    for name in ("text", "treatment"):
        saved = [plain(getattr(entry, name)) for entry in document.entries]
        assert saved == [entry[name] for entry in article["entry"]]
    assert [(tip.name, plain(tip.text)) for tip in document.tips] == [
        (tip["name"], plain(tip["text"])) for tip in article["tip"]
    ]
    assert [(sign.text, sign.urgency.value) for sign in document.warning_signs] == [
        (sign["text"], sign["urgency"]) for sign in article["sign"]
    ]
    assert plain(document.intro) == plain(article["intro"])
    assert plain(document.conclusion) == plain(article["conclusion"])


# --- By keyboard alone ---


def tab_to(page: Page, target: Locator, most: int = 250) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    for _press in range(most):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached with the Tab key")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def fill(page: Page, target: Locator, words: str) -> None:
    tab_to(page, target)
    page.keyboard.type(words)


def editor_of(page: Page, textarea: str) -> Locator:
    return page.locator(f".prose-editor:has(#{textarea}) .ProseMirror")


def test_an_article_is_written_published_and_corrected_without_a_mouse(
    page: Page, live_server: Any, publisher: User, browser: Browser
) -> None:
    SiteSettings.objects.create(pk=1, strictness=SiteSettings.Strictness.OPEN)
    make_citation()
    page.goto(live_server.url + reverse("admin:index"))
    fill(page, page.locator("#id_username"), "pat")
    fill(page, page.locator("#id_password"), PASSWORD)
    page.keyboard.press("Enter")
    press(page, page.get_by_role("link", name="New article"))
    page.wait_for_selector("html[data-ready]", state="attached")
    write_by_keyboard(page)
    with page.expect_navigation():
        press(page, page.locator("input[name=_continue]"))
    page.wait_for_selector(".messagelist .success")
    draft = Article.objects.get()
    assert list(draft.entries.values_list("heading", flat=True)) == ["Second", "First"]  # reordered

    press(page, page.get_by_role("link", name="Preview", exact=True))
    expect(page.locator(".banner")).to_contain_text("not published")
    page.go_back()  # Alt and Left in a browser with a window; headless ones do not take it
    page.wait_for_selector("html[data-ready]", state="attached")
    publish_by_keyboard(page, "Publish…", note="")

    visitor = browser.new_page()
    address = live_server.url + reverse("blog:article-detail", args=[draft.publication.slug])
    visitor.goto(address)
    expect(visitor.locator(".document")).to_contain_text("Keep moving your neck")

    # A comma is missing: a minor edition, with a note that everybody can read.
    page.bring_to_front()
    page.wait_for_selector("html[data-ready]", state="attached")
    for _screen in range(2):
        page.keyboard.press("PageDown")  # an editor starts when it is first seen
    expect(editor_of(page, "id_intro")).to_be_visible()
    tab_to(page, editor_of(page, "id_intro"))
    page.keyboard.press("Control+End")
    page.keyboard.type(", as a rule")
    with page.expect_navigation():
        press(page, page.locator("input[name=_continue]"))
    page.wait_for_selector(".messagelist .success")
    publish_by_keyboard(page, "Publish…", note="A clause at the end of the introduction.")
    assert Edition.objects.get(number=2).level == Level.MINOR
    visitor.goto(f"{address}editions/")
    expect(visitor.locator(".editions")).to_contain_text("A clause at the end of the introduction.")
    press(visitor, visitor.get_by_role("link", name="Compare with edition 1"))
    expect(visitor.locator(".changes ins")).to_contain_text("as a rule")
    visitor.close()


def write_by_keyboard(page: Page) -> None:
    fill(page, page.locator("#id_title"), "A stiff neck")
    fill(page, page.locator("#id_summary"), "Why necks get stiff, and what helps.")
    fill(page, editor_of(page, "id_intro"), "Keep moving your neck")
    for number, heading in enumerate(("First", "Second")):
        press(page, page.locator("#entries-group [data-add]"))
        fill(page, page.locator(f"#id_entries-{number}-heading"), heading)
        fill(page, editor_of(page, f"id_entries-{number}-text"), f"What it is, {heading.lower()}.")
        fill(page, editor_of(page, f"id_entries-{number}-treatment"), "Warmth.")
    press(page, page.locator("#entries-1 [data-up]"))
    press(page, page.locator("#warning_signs-group [data-add]"))
    fill(page, page.locator("#id_warning_signs-0-text"), "you have a fever")
    press(page, page.locator("#id_authors_choose"))
    page.keyboard.type("Mara")
    expect(page.locator("dialog .results button")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    fill(page, page.locator("#id_funding"), "None")
    fill(page, page.locator("#id_conflicts"), "None")


def publish_by_keyboard(page: Page, link: str, note: str) -> None:
    press(page, page.get_by_role("link", name=link))
    if note:
        fill(page, page.locator("#id_note"), note)
    with page.expect_navigation():
        press(page, page.get_by_role("button", name="Publish now"))
    page.wait_for_selector(".messagelist .success")

"""The article's form in a real browser: rows, editors, choosing, and that nothing typed is lost."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import ConsoleMessage, Dialog, Page, expect

from blog.models import Article
from config.tests.factories import (
    make_article,
    make_citation,
    make_condition,
    make_contributor,
    make_entry,
    make_picture,
    publish_draft,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a password for tests"


@pytest.fixture(autouse=True)
def database_in_browser_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright keeps an event loop in this thread, which Django takes for an asynchronous caller."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


class Browser:
    """A page of somebody who is logged in, and what its console complained of."""

    def __init__(self, page: Page, server: Any) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def log_in(self) -> None:
        User.objects.create_superuser("ada", password=PASSWORD)
        self.page.goto(self.server.url + reverse("admin:login"))
        self.page.fill("#id_username", "ada")
        self.page.fill("#id_password", PASSWORD)
        self.page.click("input[type=submit]")

    def open(self, article: Article, page: Page | None = None) -> Page:
        page = page or self.page
        page.goto(self.server.url + reverse("admin:blog_article_change", args=[article.pk]))
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    def save(self, page: Page | None = None) -> None:
        page = page or self.page
        with page.expect_navigation():  # what the page shows now may be what the last save showed
            page.click("input[name=_continue]")
        page.wait_for_selector(".messagelist .success, .error-summary, .conflict, .kept")

    def names(self, group: str = "entries") -> list[str]:
        return self.page.locator(f"#{group}-group [data-part] [data-row-name]").all_inner_texts()


@pytest.fixture
def browser_of_editor(page: Page, live_server: Any) -> Browser:
    browser = Browser(page, live_server)
    browser.log_in()
    return browser


def open_row(page: Page, row: str) -> None:
    page.locator(f"#{row} summary").click()
    expect(page.locator(f"#{row} .part-body")).to_be_visible()


def write(page: Page, textarea: str, words: str) -> None:
    """Type into the editor of a text, as a person does."""
    editor = page.locator(f".prose-editor:has(#{textarea}) .ProseMirror")
    editor.click()
    page.keyboard.type(words)


def test_row_is_moved_by_keyboard_keeps_the_focus_and_is_announced(browser_of_editor: Browser) -> None:
    article = make_article(own_entries=3)
    page = browser_of_editor.open(article)
    up = page.locator("#entries-2 [data-up]")
    up.focus()
    page.keyboard.press("Enter")
    expect(up).to_be_focused()
    page.keyboard.press("Space")
    expect(up).to_be_focused()
    assert browser_of_editor.names() == ["Own entry 3", "Own entry 1", "Own entry 2"]
    expect(page.locator("[data-announce]")).to_have_text("Own entry 3 is now number 1 of 3.")
    browser_of_editor.save()
    assert list(article.entries.values_list("heading", flat=True)) == ["Own entry 3", "Own entry 1", "Own entry 2"]


def test_row_is_moved_by_dragging_its_handle(browser_of_editor: Browser) -> None:
    article = make_article(own_entries=3)
    page = browser_of_editor.open(article)
    target = page.locator("#entries-0 summary")
    page.locator("#entries-2 [data-handle]").drag_to(target, target_position={"x": 40, "y": 3})
    assert browser_of_editor.names() == ["Own entry 3", "Own entry 1", "Own entry 2"]
    browser_of_editor.save()
    assert article.entries.first().heading == "Own entry 3"  # type: ignore[union-attr]


def test_new_rows_are_typed_duplicated_moved_and_saved(browser_of_editor: Browser) -> None:
    article = make_article(own_entries=0, sections=0)
    page = browser_of_editor.open(article)
    page.click("#sections-group [data-add]")
    page.fill("#id_sections-0-heading", "What to expect")
    write(page, "id_sections-0-text", "Most people get better.")
    page.locator("#sections-0 [data-duplicate]").click()
    open_row(page, "sections-1")
    page.fill("#id_sections-1-heading", "Copied")
    page.locator("#sections-1 [data-up]").click()
    browser_of_editor.save()
    assert list(article.sections.values_list("heading", "text")) == [
        ("Copied", "<p>Most people get better.</p>"),
        ("What to expect", "<p>Most people get better.</p>"),
    ]


def test_removed_row_can_be_kept_again_before_saving(browser_of_editor: Browser) -> None:
    article = make_article(own_entries=2)
    page = browser_of_editor.open(article)
    for row in ("entries-0", "entries-1", "entries-1"):
        page.locator(f"#{row} [data-remove]").click()
    expect(page.locator("#entries-group [data-count]")).to_have_text("1")
    browser_of_editor.save()
    assert list(article.entries.values_list("heading", flat=True)) == ["Own entry 2"]


def test_editors_start_only_where_somebody_looks(browser_of_editor: Browser) -> None:
    article = make_article(own_entries=16, tips=9)
    page = browser_of_editor.open(article)
    assert page.locator("#entries-group .ProseMirror").count() == 0
    open_row(page, "entries-3")
    expect(page.locator("#entries-3 .ProseMirror")).to_have_count(2)
    assert page.locator("#entries-group .ProseMirror").count() == 2


def test_every_editor_has_the_name_of_its_field(browser_of_editor: Browser) -> None:
    page = browser_of_editor.open(make_article())
    open_row(page, "entries-0")
    expect(page.locator("#entries-0").get_by_role("textbox", name="Own treatment")).to_be_visible()
    expect(page.locator("#entries-0").get_by_role("toolbar")).to_have_count(2)


def test_citation_is_put_where_the_cursor_is(browser_of_editor: Browser) -> None:
    make_citation("nice-ng59", title="Low back pain and sciatica")
    article = make_article(intro="")
    page = browser_of_editor.open(article)
    write(page, "id_intro", "Known. And more.")
    for _step in range(len(". And more.")):
        page.keyboard.press("ArrowLeft")
    page.locator(".prose-editor:has(#id_intro) .cite").click()
    page.keyboard.type("sciatica")
    expect(page.locator("dialog .results button")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.type("!")
    browser_of_editor.save()
    assert Article.objects.get().intro == "<p>Known[@nice-ng59]!. And more.</p>"


def test_library_text_is_shown_adapted_and_taken_back(browser_of_editor: Browser) -> None:
    condition = make_condition("Sciatica", what_it_is="<p>The library's words.</p>")
    publish_draft(condition)
    article = make_article(own_entries=0)
    page = browser_of_editor.open(article)
    page.click("#entries-group [data-add]")
    page.click("#id_entries-0-condition_choose")
    page.keyboard.type("scia")
    expect(page.locator("dialog .results button")).to_have_count(1)
    page.keyboard.press("Enter")
    panel = page.locator("#entries-0 .field-text [data-library-panel]")
    expect(panel).to_contain_text("The library's words.")
    expect(page.locator("#entries-0 [data-row-name]")).to_have_text("Sciatica")
    expect(page.locator("#entries-0 [data-badges]")).to_have_text("library text")
    panel.get_by_role("button", name="Write own text from it").click()
    expect(page.locator("#entries-0 [data-badges]")).to_have_text("own text")
    panel.get_by_role("button", name="Use the library's text").click()
    expect(page.locator("#entries-0 [data-badges]")).to_have_text("library text")
    browser_of_editor.save()
    entry = article.entries.get()
    assert (entry.condition, entry.text, entry.pin.number) == (condition, "", 1)  # type: ignore[union-attr]


def test_picture_is_chosen_by_what_it_shows(browser_of_editor: Browser) -> None:
    picture = make_picture(alt="A spine from the side")
    article = make_article()
    page = browser_of_editor.open(article)
    page.click("#id_picture_choose")
    page.locator("dialog .results button", has_text="A spine").click()
    expect(page.locator(".field-picture [data-picked] img").first).to_be_visible()
    browser_of_editor.save()
    assert Article.objects.get().picture == picture


def test_new_citation_is_made_in_a_small_window_and_cited(browser_of_editor: Browser) -> None:
    article = make_article(intro="")
    page = browser_of_editor.open(article)
    page.locator(".prose-editor:has(#id_intro) .cite").click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="New citation…").click()
    popup = opened.value
    popup.fill("#id_key", "new-source")
    popup.select_option("#id_kind", "web")
    popup.fill("#id_title", "A new source")
    popup.fill("#id_url", "https://sources.example/new")
    popup.click("input[name=_save]")
    expect(page.locator(".prose-editor:has(#id_intro) .ProseMirror")).to_contain_text("[@new-source]")
    browser_of_editor.save()
    assert "[@new-source]" in Article.objects.get().intro


def test_tags_are_completed_and_added_by_keyboard(browser_of_editor: Browser) -> None:
    other = make_article("Other")
    other.publication.tags.add("back pain")
    article = make_article("Mine")
    page = browser_of_editor.open(article)
    page.locator("#id_tags_new").focus()
    page.keyboard.type("bac")
    expect(page.locator("#id_tags_options [role=option]")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("brand new,")
    browser_of_editor.save()
    assert set(article.publication.tags.names()) == {"back pain", "brand new"}


def test_error_in_a_closed_row_is_one_press_away_and_nothing_is_lost(browser_of_editor: Browser) -> None:
    article = make_article(own_entries=2, sections=2)
    page = browser_of_editor.open(article)
    page.locator("#entries-1 [data-up]").click()
    open_row(page, "sections-1")
    page.fill("#id_sections-1-heading", "")
    page.locator("#sections-1 summary").click()
    write(page, "id_intro", "Typed just now. ")
    browser_of_editor.save()
    assert browser_of_editor.names() == ["Own entry 2", "Own entry 1"]
    page.locator(".error-summary a").click()
    expect(page.locator("#id_sections-1-heading")).to_be_focused()
    page.keyboard.type("A heading")
    browser_of_editor.save()
    assert "Typed just now." in Article.objects.get().intro
    assert article.sections.last().heading == "A heading"  # type: ignore[union-attr]


def test_stale_second_tab_shows_both_texts_and_saves_the_one_chosen(browser_of_editor: Browser) -> None:
    article = make_article()
    page = browser_of_editor.open(article)
    second = browser_of_editor.open(article, page.context.new_page())
    second.fill("#id_summary", "From the second tab.")
    browser_of_editor.save(second)
    page.fill("#id_summary", "From the first tab.")
    browser_of_editor.save()
    expect(page.locator(".conflict")).to_contain_text("second")
    assert Article.objects.get().summary == "From the second tab."
    with page.expect_navigation():
        page.click("button[name=_overwrite]")
    page.wait_for_selector(".messagelist .success")
    assert Article.objects.get().summary == "From the first tab."


def test_ended_session_asks_for_a_log_in_and_saves_what_was_typed(browser_of_editor: Browser) -> None:
    article = make_article()
    page = browser_of_editor.open(article)
    write(page, "id_intro", "Typed for an hour. ")
    page.context.clear_cookies(name="sessionid")
    browser_of_editor.save()
    page.fill("#id_kept_username", "ada")
    page.fill("#id_kept_password", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_selector(".messagelist .success")
    assert "Typed for an hour." in Article.objects.get().intro


def test_log_in_in_another_tab_holds_the_save_until_it_is_meant(browser_of_editor: Browser) -> None:
    article = make_article()
    page = browser_of_editor.open(article)
    page.fill("#id_summary", "Typed before.")
    page.context.clear_cookies(name="csrftoken")
    second = page.context.new_page()
    second.goto(browser_of_editor.server.url + reverse("admin:login"))
    browser_of_editor.save()
    page.get_by_role("button", name="Save now").click()
    page.wait_for_selector(".messagelist .success")
    assert Article.objects.get().summary == "Typed before."


def test_form_stays_where_it_is_when_the_site_does_not_answer(browser_of_editor: Browser) -> None:
    article = make_article()
    page = browser_of_editor.open(article)
    page.fill("#id_summary", "Typed in a tunnel.")
    page.context.set_offline(True)
    page.click("input[name=_continue]")
    expect(page.locator("[data-unsent]")).to_be_visible()
    expect(page.locator("#id_summary")).to_have_value("Typed in a tunnel.")
    page.context.set_offline(False)
    browser_of_editor.save()
    assert Article.objects.get().summary == "Typed in a tunnel."


@pytest.mark.parametrize("typed", [True, False])
def test_leaving_is_questioned_only_where_something_was_typed(browser_of_editor: Browser, typed: bool) -> None:
    page = browser_of_editor.open(make_article())
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.locator("#id_summary").click()
    if typed:
        page.keyboard.type("A change.")
    page.goto(browser_of_editor.server.url + reverse("admin:index"))
    assert asked == (["beforeunload"] if typed else [])


def test_sixteen_rows_fit_on_a_screen_and_nothing_is_refused_by_the_policy(browser_of_editor: Browser) -> None:
    condition = make_condition()
    publish_draft(condition)
    article = make_article(own_entries=0, tips=9, signs=9)
    picture = make_picture()
    for _number in range(16):
        make_entry(article, condition=condition, picture=picture)
    article.authors.add(make_contributor())
    page = browser_of_editor.open(article)
    page.set_viewport_size({"width": 1280, "height": 900})
    heights = page.locator("#entries-group [data-part]").evaluate_all(
        "rows => rows.map(row => row.getBoundingClientRect().height)"
    )
    assert len(heights) == 16
    assert max(heights) <= 44
    open_row(page, "entries-5")
    write(page, "id_entries-5-text", "Own words.")
    page.locator("#entries-5 .prose-menubar button").first.click()
    browser_of_editor.save()
    assert browser_of_editor.complaints == []

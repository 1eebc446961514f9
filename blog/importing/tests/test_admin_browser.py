"""From the clipboard to the draft in a real browser, with script and without, and with a source that means harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from blog.models import Article, ImportedSource

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}
# What the editor thinks: the third is no condition, the fifth is part of the fourth, a sentence of the first is advice.
TEXT = """5 Causes of a Stiff Neck

A stiff neck is common and rarely dangerous. It usually goes away within a week.

1. Sleeping Badly

A pillow that is too high bends the neck all night. A flatter pillow is the remedy.

Treatment: Patience for some days.

2. Muscle Strain

Muscles tire after hours at a screen.

Treatment: Warmth and gentle movement.

3. Long Drives

The head hardly moves for hours.

Treatment: A stop every hour.

4. Worn Joints

The joints of the neck age.

5. Worn Discs

They creak, and turning hurts.

Treatment: Exercises that a physiotherapist shows.

Conclusion

Keep moving.
"""


@pytest.fixture
def open_as_editor(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Opens a page of an administrator; afterwards no console may have had anything to complain of."""
    user = User.objects.create_superuser("ada", "ada@bedside.example")
    client = Client()
    client.force_login(user)
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # What axe does to a page has no address.
        if message.type in {"error", "warning"} and message.location["url"]:
            complaints.append(f"{message.location['url']}: {message.text}")

    def opened(address: str, **options: object) -> Page:
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        contexts.append(context)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def row(page: Page, words: str) -> Locator:
    """The piece that holds these words."""
    return page.locator(".piece").filter(has=page.locator(".piece-text", has_text=words))


def role(page: Page, words: str) -> Locator:
    return row(page, words).locator("select[name^=role-]")


def accessible(page: Page) -> list[str]:
    """What axe finds, on a desk by day and on a phone by night."""
    found = []
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate("document.getAnimations().forEach(animation => animation.finish())")  # colours that fade
        found += [
            f"{width} {scheme} {rule['id']}: {node['html'][:150]}"
            for rule in Axe().run(page, options=WCAG).response["violations"]
            for node in rule["nodes"]
        ]
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{width} scrolls sideways: {wide}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    return found


def test_from_the_clipboard_to_the_draft(open_as_editor: Callable[..., Page]) -> None:
    page = open_as_editor(reverse("admin:index"))
    page.get_by_role("link", name="Bring old articles").click()
    assert accessible(page) == []
    page.get_by_label("Paste an article").fill(TEXT)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("5 Causes of a Stiff Neck")
    expect(role(page, "Long Drives")).to_have_value("entry")
    assert accessible(page) == []
    page.evaluate("window.stayed = true")

    # One that is no condition: the text below goes along, the page stays where it is, and so does the focus.
    role(page, "Long Drives").select_option("section-heading")
    expect(role(page, "The head hardly")).to_have_value("section")
    expect(role(page, "Long Drives")).to_be_focused()
    expect(page.locator("[data-said]")).to_have_text("Taken.")
    # Split where the text is clicked.
    text = row(page, "A pillow that is too high").locator(".piece-text")
    text.evaluate(
        """element => {
          const node = element.firstChild;
          getSelection().setBaseAndExtent(node, node.data.indexOf("flatter"), node, node.data.indexOf("flatter"));
          element.dispatchEvent(new MouseEvent("click", {bubbles: true}));
        }"""
    )
    page.get_by_role("button", name="Split before “flatter pillow").click()
    expect(row(page, "bends the neck")).not_to_contain_text("flatter")
    role(page, "flatter pillow").select_option("treatment")
    expect(role(page, "flatter pillow")).to_have_value("treatment")
    # Two that are one.
    row(page, "Worn Discs").get_by_role("button", name="Join with the one above").click()
    expect(role(page, "Worn Discs")).to_have_value("entry-text")  # the choice before it was still on its way
    assert role(page, "flatter pillow").input_value() == "treatment"
    expect(row(page, "Worn Joints").get_by_text("Condition 3")).to_be_visible()
    expect(page.locator(".outline-entries > li")).to_have_count(3)
    assert page.evaluate("window.stayed") is True

    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("This is the draft.")).to_be_visible()
    expect(page.locator("#id_title")).to_have_value("5 Causes of a Stiff Neck")
    entries = Article.objects.get().entries.all()
    assert [entry.heading for entry in entries] == ["Sleeping Badly", "Muscle Strain", "Worn Joints"]
    assert "flatter pillow" in entries[0].treatment
    assert "Worn Discs" in entries[2].text
    page.locator(".workflow-bar summary").click()
    page.get_by_role("link", name="See it beside the original").click()
    expect(page.get_by_role("button", name="Make the draft again")).to_be_visible()
    page.goto(reverse("admin:blog_importedsource_changelist"))
    assert page.get_by_role("link", name="5 Causes of a Stiff Neck").is_visible()


def test_the_same_without_script(open_as_editor: Callable[..., Page]) -> None:
    page = open_as_editor(reverse("admin:blog_importedsource_add"), java_script_enabled=False)
    page.get_by_label("Paste an article").fill(TEXT)
    page.get_by_role("button", name="Read it").click()
    role(page, "Long Drives").select_option("section-heading")
    page.get_by_role("button", name="Update").click()
    expect(role(page, "The head hardly")).to_have_value("section")
    pillow = row(page, "A pillow that is too high")
    pillow.get_by_text("Split", exact=True).click()
    pillow.get_by_label("A new piece begins with").select_option(label="A flatter pillow is the remedy.")
    pillow.get_by_role("button", name="Split here").click()
    role(page, "A flatter pillow").select_option("treatment")
    row(page, "Worn Discs").get_by_role("button", name="Join with the one above").click()
    expect(role(page, "A flatter pillow")).to_have_value("treatment")
    page.get_by_label("From number").locator("xpath=ancestor::details").locator("summary").click()
    page.get_by_label("From number").fill("1")
    page.get_by_role("button", name="Make the draft").click()
    entries = Article.objects.get().entries.all()
    assert [entry.heading for entry in entries] == ["Sleeping Badly", "Muscle Strain", "Worn Joints"]
    assert "flatter pillow" in entries[0].treatment
    assert "Worn Discs" in entries[2].text


def test_a_paste_keeps_its_formatting_until_the_words_are_changed(open_as_editor: Callable[..., Page]) -> None:
    page = open_as_editor(reverse("admin:blog_importedsource_add"))
    paste = """element => {
      const data = new DataTransfer();
      data.setData("text/html", "<h1>Warm Feet</h1><h2>Socks</h2><p>Wool is best.</p>");
      data.setData("text/plain", "Warm Feet Socks Wool is best.");
      element.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
      element.value = "Warm Feet Socks Wool is best.";
      element.dispatchEvent(new InputEvent("input", {bubbles: true}));
    }"""
    box = page.get_by_label("Paste an article")
    box.evaluate(paste)
    expect(page.get_by_text("of what you pasted are read too")).to_be_visible()
    box.press_sequentially("!")
    expect(page.get_by_text("You changed the words")).to_be_visible()
    box.select_text()
    box.evaluate(paste)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Warm Feet")
    expect(role(page, "Socks")).to_have_value("section-heading")


VECTORS = (
    "<script>window.harmed=1</script>",
    "<img src=x onerror=window.harmed=1>",
    "\"'><svg onload=window.harmed=1>",
    "</textarea></select></title><iframe srcdoc='<script>parent.harmed=1</script>'>",
    "javascript:window.harmed=1",
    "{% now 'Y' %}{{ 7|add:7 }}<!--",
)


def test_nothing_of_a_hostile_source_is_carried_out(open_as_editor: Callable[..., Page]) -> None:
    page = open_as_editor(reverse("admin:blog_importedsource_add"))
    said = [vector.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;") for vector in VECTORS]
    raw = "".join(f"<h2>{vector}</h2><p>{vector}</p>" for vector in VECTORS)
    whole = "".join(f'<h2>1. {text}</h2><p><b>{text}</b> <a href="{text}">{text}</a></p>'
                    f'<p><img src="{text}" alt="{text}"></p>' for text in said)  # fmt: skip
    files = [
        {"name": f"{VECTORS[1]}.html", "mimeType": "text/html", "buffer": f"<h1>{said[0]}</h1>{whole}".encode()},
        {"name": "raw.html", "mimeType": "text/html", "buffer": raw.encode()},
        {"name": f"{VECTORS[2]}.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n"},
    ]
    page.get_by_label("Choose files").set_input_files(files)  # type: ignore[arg-type]
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="Could not be read, or only in part")).to_be_visible()
    assert accessible(page) == []
    for source in ImportedSource.objects.all():
        page.goto(reverse("admin:blog_importedsource_change", args=[source.pk]))
        page.locator("select[name^=role-]").first.select_option("tip")
        expect(page.locator("[data-said]")).to_have_text("Taken.")
        assert page.evaluate("window.harmed") is None
        page.get_by_role("button", name="Make the draft").click()
        page.wait_for_selector("html[data-ready]", state="attached")
        assert page.evaluate("window.harmed") is None
    page.goto(reverse("admin:blog_importedsource_changelist"))
    assert page.evaluate("window.harmed") is None
    assert page.locator("#result_list :is(script, img[src=x], svg, iframe)").count() == 0

"""The frame of every page: its ways, its colours, its weight, and the pages of errors."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import brotli
import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.db import OperationalError, connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import translation
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from blog.context import main_ways
from config.styleguide import EDGES, TEXT, colours, contrast, styleguide
from config.tests.factories import make_condition, make_in_state, make_page, publish_draft
from publishing.models import Trust

pytestmark = pytest.mark.once

CSS = {path.name: path.read_text() for path in sorted((settings.BASE_DIR / "static/css").glob("*.css"))}
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DRAWINGS = sorted((settings.BASE_DIR / "templates/includes/drawings").glob("*.svg"))


# --- Colours -----------------------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("theme", [0, 1])
def test_text_has_a_contrast_of_seven_and_what_one_operates_of_three(theme: int) -> None:
    tokens = colours(theme)
    for least, pairs in ((7, TEXT), (3, EDGES)):
        for above, belows in pairs.items():
            for below in belows:
                assert (above, below, contrast(tokens[above], tokens[below]) >= least) == (above, below, True)


@pytest.mark.once
def test_every_colour_of_text_in_the_stylesheets_is_one_whose_contrast_is_held() -> None:
    used = {name for css in CSS.values() for name in re.findall(r"[^-]\bcolor: var\(--([a-z-]+)\)", css)}
    assert used <= set(TEXT)


@pytest.mark.once
def test_every_variable_is_defined_and_every_token_used() -> None:
    css = COMMENT.sub("", "".join(CSS.values()))
    defined = set(re.findall(r"(--[a-z0-9-]+):", css))
    used = set(re.findall(r"var\((--[a-z0-9-]+)", css))
    assert used - defined == set()
    assert defined - used == set()


@pytest.mark.once
@pytest.mark.parametrize("name", [name for name in CSS if name not in ("tokens.css", "print.css")])
def test_no_colour_is_written_anywhere_but_in_the_tokens(name: str) -> None:
    """Paper is white and ink is black: print.css may say so."""
    css = COMMENT.sub("", CSS[name])
    literal = (
        r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|light-dark)\(|:[^;{]*(?<!-)\b(?:white|black|red|gr[ae]y)\b"
    )
    assert re.findall(literal, css) == []


@pytest.mark.once
def test_the_stylesheets_of_a_page_are_light() -> None:
    names = re.findall(r'/css/([a-z-]+\.css)"', render_to_string("includes/_styles.html"))
    assert "styleguide.css" not in names
    assert len(names) >= 8
    assert sum(len(brotli.compress(CSS[name].encode())) for name in names) < 12 * 1024


@pytest.mark.once
def test_every_class_of_a_drawing_has_a_colour_and_no_drawing_is_heavy() -> None:
    css = "".join(CSS.values())
    for path in DRAWINGS:
        text = path.read_text()
        assert len(text) < 1500, path.name
        assert 'aria-hidden="true"' in text
        assert "style=" not in text
        assert re.search(r'fill="|stroke="', text) is None, path.name
        for name in re.findall(r'class="(d-[a-z-]+)"', text):
            assert re.search(rf"\.{name}\b", css), (path.name, name)


@pytest.mark.django_db
def test_the_styleguide_shows_every_part_twice_and_is_on_no_public_site(rf: RequestFactory, client: Client) -> None:
    page = BeautifulSoup(styleguide(rf.get("/styleguide/")).content, "html.parser")
    for part in (
        ".trust-badge.is-overdue",
        ".care.is-emergency",
        ".glance tbody tr",
        ".form-errors",
        ".tips",
        ".trust",
    ):
        light, dark = page.select(f".is-light {part}"), page.select(f".is-dark {part}")
        assert (part, len(light)) == (part, len(dark))
        assert light, part
    assert len(page.select(".is-dark .trust-badge")) >= len(Trust)
    ids = [tag["id"] for tag in page.select("[id]")]
    assert sorted(name for name, times in Counter(ids).items() if times > 1) == []
    named = {str(link["href"])[1:] for link in page.select('main .sg a[href^="#"], main article a[href^="#"]')}
    assert named <= set(ids)
    assert client.get("/styleguide/").status_code == 404  # DEBUG is off here


# --- The ways through the site -----------------------------------------------------------------------------------


@pytest.mark.once
def test_the_header_says_where_one_is() -> None:
    def current(path: str) -> dict[str, str]:
        return {way.url: way.current for way in main_ways(path) if way.current}

    assert current("/conditions/") == {"/conditions/": "page"}
    assert current("/conditions/stroke/") == {"/conditions/": "true"}
    assert current("/") == current("/conditionsx/") == {}


@pytest.mark.django_db
def test_the_frame_leads_everywhere_and_takes_a_report_about_this_very_page(client: Client) -> None:
    publish_draft(make_page("About us", slug="about"))
    page = BeautifulSoup(client.get("/articles/").content, "html.parser")
    links = {str(link["href"]) for link in page.select("header a, footer a")}
    assert {"/report/?about=/articles/", "/about/about/", "/people/", "/archive/", "/body/", "/newsletter/"} <= links
    assert {path: client.get(path).status_code for path in links if path.startswith("/")} == dict.fromkeys(links, 200)
    assert [link["href"] for link in page.select("header [aria-current=page]")] == ["/articles/"]


@pytest.mark.django_db
def test_only_the_strings_of_the_frame_depend_on_the_language(client: Client) -> None:
    english = client.get("/people/").content
    with translation.override("de"):
        assert client.get("/people/").content == client.get("/people/").content
    assert client.get("/people/").content == english


# --- Errors ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_page_that_is_not_there_offers_search_and_the_letters_that_there_are(client: Client) -> None:
    publish_draft(make_condition("Stroke", slug="stroke"))
    response = client.get("/nothing/")
    page = BeautifulSoup(response.content, "html.parser")
    assert response.status_code == 404
    assert page.select_one("main form[role=search] input[name=q]")
    assert [link["href"] for link in page.select("main .letters a")] == ["/conditions/#letter-S"]
    assert page.select_one("meta[name=robots]")["content"] == "noindex"  # type: ignore[index]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/articles/nothing/", "/tags/nothing/", "/body/nothing/", "/people/nobody/"])
def test_every_list_and_document_has_a_page_for_what_it_has_not(path: str, client: Client) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "There is no page here" in response.content.decode()


@pytest.mark.django_db
def test_what_was_withdrawn_says_why_and_offers_search(client: Client) -> None:
    make_in_state("withdrawn", slug="gone")
    response = client.get("/articles/gone/")
    assert response.status_code == 410
    assert BeautifulSoup(response.content, "html.parser").select_one("main form[role=search]")


def failing(*_args: Any) -> Any:
    raise OperationalError("the database is down")


@pytest.fixture
def nothing_collected(tmp_path: Path, settings: Any) -> None:
    """Production's way with static files, on a machine where collectstatic never ran."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_collected")
@pytest.mark.parametrize("path", ["/", "/articles/x/", "/conditions/"])
def test_a_failure_has_a_page_without_a_database_and_without_collected_files(path: str) -> None:
    client = Client(raise_request_exception=False)
    with connection.execute_wrapper(failing):
        response = client.get(path)
    assert response.status_code == 500
    said = " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())
    assert "It is not your fault." in said
    assert "call your emergency number" in said


@pytest.mark.usefixtures("nothing_collected")
def test_a_forged_form_has_a_page_without_a_database_and_without_collected_files() -> None:
    """Without the mark of a test that may ask the database, asking it is an error."""
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
    assert response.status_code == 403
    assert "<h1>Not sent</h1>" in response.content.decode()


@pytest.mark.once
@pytest.mark.parametrize("template", ["500.html", "403_csrf.html"])
def test_the_plain_pages_name_files_that_there_are_and_no_inline_style(template: str) -> None:
    html = render_to_string(template)
    files = re.findall(r'(?:href|src)="/static/([^"]+)"', html)
    assert len(files) >= 4
    assert [name for name in files if not (settings.BASE_DIR / "static" / name).is_file()] == []
    assert "style=" not in html
    assert "<script" not in html


# --- In a browser ------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_on_a_phone_the_header_is_one_line_and_its_menu_opens_without_script(
    browser: Any, live_server: LiveServer
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700})
    page: Page = context.new_page()
    page.goto(live_server.url + "/articles/")
    header = page.locator(".site-header").bounding_box()
    assert header is not None
    assert header["height"] <= 72
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Topics")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu and search").press("Enter")
    expect(link).to_be_visible()
    expect(page.get_by_role("search")).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 700})
    expect(link).to_be_visible()
    expect(page.get_by_role("button", name="Menu and search")).to_be_hidden()
    context.close()

"""Old articles in the admin: brought, looked at, corrected command by command, made into drafts."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from blog.importing import bringing
from blog.importing.result import Sure, Understood
from blog.importing.store import article_of
from blog.importing.structure import understand
from blog.models import Article, ImportedSource, ImportRun
from conditions.models import Condition
from config.tests.factories import picture_bytes

pytestmark = pytest.mark.django_db

ADD = "admin:blog_importedsource_add"
LIST = "admin:blog_importedsource_changelist"

TEXT = """Why Do My Hands Tingle?

Tingling hands are common. Most causes are harmless.

1. Carpal Tunnel Syndrome

A nerve is squeezed at the wrist. The thumb goes numb at night.

Treatment: A splint at night helps most people.

2. Lack of Vitamin B12

Nerves need this vitamin.

Treatment: Tablets or injections fill the stores again.

3. Cold Fingers

Vessels close in the cold.

Treatment: Gloves, and no smoking.

Conclusion

Most tingling goes away.
"""
PAGE = "<h1>Sleep Well</h1><p>Rest matters.</p><h2>Your bedroom</h2><p>Keep it dark.</p>"


@pytest.fixture
def editor(client: Client) -> Client:
    return logged_in(client, "Editor")


def logged_in(client: Client, role: str) -> Client:
    user = User.objects.create_user(role.lower(), password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return client


def bring(client: Client, *files: SimpleUploadedFile, **data: Any) -> Any:
    return client.post(reverse(ADD), {"chosen": list(files), **data}, follow=True)


def file(name: str, content: str | bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def zipped(**files: str | bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return data.getvalue()


def brought(client: Client, text: str = TEXT) -> ImportedSource:
    bring(client, text=text)
    return ImportedSource.objects.get()


def change(source: ImportedSource) -> str:
    return reverse("admin:blog_importedsource_change", args=[source.pk])


def do(client: Client, source: ImportedSource, command: str = "update", **data: Any) -> Any:
    return client.post(change(source), {"digest": source.digest, "do": command, **data}, follow=True)


def key_of(source: ImportedSource, words: str) -> str:
    """The key of the piece that begins so."""
    understood = now(source)
    blocks = understood.article.blocks
    (key, *_others) = [
        piece.key for piece in understood.pieces if blocks[piece.block].text[piece.start :].lstrip().startswith(words)
    ]
    return str(key)


def now(source: ImportedSource) -> Any:
    """What is understood with the corrections so far."""
    source.refresh_from_db()
    return understand(article_of(source), corrections=source.corrections, language=source.language)


def names(source: ImportedSource) -> list[str]:
    return [entry.heading for entry in now(source).structure.entries]


def uploads() -> list[Path]:
    return [path for path in (Path(settings.VAR_DIR) / "uploads").glob("*/*") if path.is_file()]


# --- Bringing --------------------------------------------------------------------------------------------------


def test_a_pasted_text_leads_to_its_own_page_and_waits(editor: Client) -> None:
    response = bring(editor, text=TEXT)
    source = ImportedSource.objects.get()
    assert response.redirect_chain == [(change(source), 302)]
    assert source.title == "Why Do My Hands Tingle?"
    assert source.conditions == 3
    assert not Article.objects.exists()
    assert uploads() == []


def test_what_a_browser_has_put_on_the_clipboard_keeps_its_headings(editor: Client) -> None:
    bring(editor, text="Sleep Well Rest matters. Your bedroom Keep it dark.", html=PAGE)
    structure = now(ImportedSource.objects.get()).structure
    assert structure.title == "Sleep Well"
    assert [section.heading for section in structure.sections] == ["Your bedroom"]


def test_html_that_is_pasted_as_text_is_read_as_html(editor: Client) -> None:
    assert now(brought(editor, PAGE)).structure.title == "Sleep Well"


def test_the_same_text_again_is_the_same_import(editor: Client) -> None:
    bring(editor, text=TEXT)
    response = bring(editor, text=TEXT)
    assert ImportedSource.objects.count() == 1
    assert response.redirect_chain[-1][0] == change(ImportedSource.objects.get())


def test_two_files_of_one_name_are_two_articles(editor: Client) -> None:
    bring(editor, file("article.txt", TEXT))
    bring(editor, file("article.txt", TEXT.replace("Hands", "Feet")))
    bring(editor, file("article.txt", TEXT))
    assert sorted(ImportedSource.objects.values_list("title", flat=True)) == [
        "Why Do My Feet Tingle?",
        "Why Do My Hands Tingle?",
    ]


def test_what_cannot_be_read_is_said_and_the_typed_text_is_kept(editor: Client) -> None:
    response = bring(editor, file("scan.pdf", b"%PDF-1.7\n"))
    assert response.status_code == 200
    assert "scan.pdf: " in response.content.decode()
    response = editor.post(reverse(ADD), {"text": "x" * (bringing.MOST_BYTES // 15), "language": "en"})
    assert "x" * 1000 in response.content.decode()
    assert "Save it as a file" in response.content.decode()
    assert not ImportedSource.objects.exists()
    assert not ImportRun.objects.exists()
    assert uploads() == []


@pytest.mark.parametrize("data", [{}, {"text": "  \n "}, {"html": PAGE}])
def test_nothing_at_all_is_answered_with_a_sentence(editor: Client, data: dict[str, str]) -> None:
    response = bring(editor, **data)
    assert "Paste an article, or choose a file." in response.content.decode()


def test_more_than_may_be_brought_at_once_is_refused(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing, "MOST_BYTES", 30)
    monkeypatch.setattr(bringing, "MOST_FILES", 2)
    assert "larger than 30" in bring(editor, file("a.txt", TEXT)).content.decode()
    three = [file(f"{number}.txt", "Title") for number in range(3)]
    assert "more than 2 files" in bring(editor, *three).content.decode()
    assert not ImportRun.objects.exists()


def test_many_lead_to_an_account_that_names_what_could_not_be_read(editor: Client) -> None:
    response = bring(editor, file("hands.txt", TEXT), file("sleep.html", PAGE), file("scan.pdf", b"%PDF-1.7\n"))
    page = response.content.decode()
    assert "2 articles were read." in page
    assert "<strong>scan.pdf</strong>" in page
    assert "Why Do My Hands Tingle?" in page
    assert ImportedSource.objects.filter(run=ImportRun.objects.get()).count() == 2
    assert uploads() == []


def test_a_picture_beside_a_page_comes_along(editor: Client) -> None:
    page = '<h1>Sleep Well</h1><p>Rest matters to everybody.</p><p><img src="files/bed%20room.png" alt="A bed"></p>'
    bring(editor, file("sleep.html", page), file("bed room.png", picture_bytes("olive")), file("x.png", b"unasked"))
    source = ImportedSource.objects.get()
    assert len(source.pictures["files/bed%20room.png"]) == 64
    assert [problem["name"] for problem in ImportRun.objects.get().problems] == ["x.png"]


def test_drafts_are_made_right_away_where_that_was_asked_for(editor: Client) -> None:
    bring(editor, text=TEXT, make="on")
    assert Article.objects.get().imported_from.get().title == "Why Do My Hands Tingle?"


def test_what_is_large_is_read_in_the_background(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing, "BYTES_AT_ONCE", 10)
    asked: list[Any] = []
    monkeypatch.setattr(bringing, "_go_on_later", SimpleNamespace(enqueue=asked.append))
    response = bring(editor, file("hands.txt", TEXT))
    run = ImportRun.objects.get()
    assert asked == [str(run.pk)]
    assert "Being read: 0 articles so far." in response.content.decode()
    assert "data-refresh" in response.content.decode()
    assert [path.stat().st_mode & 0o077 for path in (Path(settings.VAR_DIR) / "uploads").glob(str(run.pk))] == [0]
    bringing.go_on(run)
    assert run.counts == {"waiting": 1}
    assert uploads() == []


def test_what_has_many_articles_goes_on_in_the_background(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing, "ARTICLES_AT_ONCE", 2)
    files = {f"{number}_txt": TEXT.replace("Hands", f"Hands {number}") for number in range(4)}
    bring(editor, file("all.zip", zipped(**files)))
    run = ImportRun.objects.get()
    assert run.counts == {"waiting": 4}
    assert run.finished_at
    assert uploads() == []


def test_a_run_that_stopped_goes_on_and_counts_nothing_twice(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing, "ARTICLES_AT_ONCE", 1)
    monkeypatch.setattr(bringing, "_go_on_later", SimpleNamespace(enqueue=lambda run_id: None))
    bring(editor, file("hands.txt", TEXT), file("sleep.html", PAGE), make="on")
    run = ImportRun.objects.get()
    url = reverse("admin:blog_importedsource_run", args=[run.pk])
    assert "Go on" not in editor.get(url).content.decode()
    ImportRun.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    assert "The reading stopped after 1 article." in editor.get(url).content.decode()
    monkeypatch.undo()
    editor.post(url)
    run.refresh_from_db()
    assert run.finished_at
    assert run.counts == {"new": 2}
    assert Article.objects.count() == 2


def test_files_with_which_nobody_went_on_are_deleted(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing, "BYTES_AT_ONCE", 0)
    monkeypatch.setattr(bringing, "_go_on_later", SimpleNamespace(enqueue=lambda run_id: None))
    bring(editor, file("hands.txt", TEXT))
    assert len(uploads()) == 1
    ImportRun.objects.update(seen_at=timezone.now() - timedelta(days=30))
    monkeypatch.undo()
    bring(editor, text=PAGE)
    assert uploads() == []
    assert all(ImportRun.objects.values_list("finished_at", flat=True))


# --- Correcting ------------------------------------------------------------------------------------------------


def test_the_original_stands_beside_what_was_understood(editor: Client) -> None:
    source = brought(editor)
    page = editor.get(change(source)).content.decode()
    # A label stands with its text.
    assert page.count('class="piece ') == sum(piece.reason != "label" for piece in now(source).pieces) == 13
    assert '<span class="piece-marker" data-marker>Treatment: </span>A splint' in page
    assert "Condition 3" in page
    assert "line 5" in page
    key = key_of(source, "Cold Fingers")
    assert re.search(rf'name="role-{re.escape(key)}".*?<option value="entry" selected>', page, re.DOTALL)


def test_what_is_unsure_is_led_to_until_an_editor_says_what_it_is(
    editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = brought(editor)
    key = key_of(source, "Cold Fingers")

    def doubt(*args: Any, **kwargs: Any) -> Understood:
        found = understand(*args, **kwargs)
        pieces = [
            replace(piece, sure=Sure.UNSURE, why="odd one") if piece.key == key else piece for piece in found.pieces
        ]
        return replace(found, pieces=tuple(pieces))

    monkeypatch.setattr("blog.importing.admin.understand", doubt)
    page = editor.get(change(source)).content.decode()
    assert f'<a href="?page=1#piece-{key}">9: Cold Fingers</a>' in page
    assert "1 thing to check" in page
    assert re.search(
        rf'is-unsure" id="piece-{re.escape(key)}".*?unsure: please check</span> · odd one', page, re.DOTALL
    )
    assert f'value="take:{key}:entry">That is right</button>' in page
    do(editor, source, f"take:{key}:entry")
    assert names(source)[-1] == "Cold Fingers"
    page = editor.get(change(source)).content.decode()
    assert "thing to check" not in page
    assert "as you said" in page


def test_one_heading_is_no_condition_and_takes_its_text_along(editor: Client) -> None:
    source = brought(editor)
    do(editor, source, f"take:{key_of(source, 'Cold Fingers')}:section-heading")
    structure = now(source).structure
    assert names(source) == ["Carpal Tunnel Syndrome", "Lack of Vitamin B12"]
    (section,) = structure.sections
    assert section.heading.endswith("Cold Fingers")
    assert "Vessels close" in section.text
    assert "Gloves" in section.text
    assert "Gloves" not in structure.entries[-1].treatment
    assert source.conditions == 2


def test_none_like_it_is_and_all_like_it_are(editor: Client) -> None:
    source = brought(editor)
    do(editor, source, f"alike:{key_of(source, 'Cold Fingers')}:section-heading")
    assert names(source) == []
    assert len(now(source).structure.sections) == 3
    do(editor, source, f"alike:{key_of(source, 'Cold Fingers')}:entry")
    assert names(source) == ["Carpal Tunnel Syndrome", "Lack of Vitamin B12", "Cold Fingers"]


def test_a_text_is_split_at_a_sentence_and_joined_again(editor: Client) -> None:
    source = brought(editor)
    key = key_of(source, "A nerve is squeezed")
    page = editor.get(change(source)).content.decode()
    offset = re.search(rf'id="split-{re.escape(key)}"><option value="(\d+)">The thumb goes', page)
    assert offset
    do(editor, source, f"split:{key}", **{f"split-{key}": offset[1]})
    second = key_of(source, "The thumb goes")
    do(editor, source, f"take:{second}:treatment")
    assert "thumb" in now(source).structure.entries[0].treatment
    assert "thumb" not in now(source).structure.entries[0].text
    do(editor, source, f"join:{second}")
    assert "thumb" in now(source).structure.entries[0].text


def test_a_heading_is_joined_with_the_text_above(editor: Client) -> None:
    source = brought(editor)
    do(editor, source, f"join:{key_of(source, 'Cold Fingers')}")
    last = now(source).structure.entries[-1]
    assert last.heading == "Lack of Vitamin B12"
    assert "Vessels close" in last.text + last.treatment


def test_several_lines_become_warning_signs(editor: Client) -> None:
    source = brought(editor)
    page = editor.get(change(source)).content.decode()
    assert re.search(r'<span class="piece-number">10</span>.*?Vessels close', page, re.DOTALL)
    do(editor, source, "run", first=10, last=11, choice="sign:urgent")
    signs = now(source).structure.signs
    assert [sign.urgency for sign in signs] == ["urgent", "urgent"]
    assert [sign.text[:7] for sign in signs] == ["Vessels", "Gloves,"]
    response = do(editor, source, "run", first="0", last="90000", choice="sign:urgent")
    assert "Give the numbers of two pieces" in response.content.decode()


def test_the_selects_alone_are_enough(editor: Client) -> None:
    source = brought(editor)
    page = editor.get(change(source)).content.decode()
    rows = dict(re.findall(r'name="was-([\d.]+)" value="([^"]+)"', page))
    sent = {f"was-{key}": choice for key, choice in rows.items()} | {f"role-{key}": rows[key] for key in rows}
    do(editor, source, **sent)
    source.refresh_from_db()
    assert source.corrections == {}  # nothing was changed, so nothing is written
    sent[f"role-{key_of(source, 'Most tingling')}"] = "leave"
    do(editor, source, **sent)
    assert not now(source).structure.conclusion
    assert list(source.corrections["roles"]) == [key_of(source, "Most tingling")]


def test_what_was_chosen_is_not_lost_when_another_button_is_pressed(editor: Client) -> None:
    source = brought(editor)
    key, other = key_of(source, "Vessels close"), key_of(source, "Cold Fingers")
    do(editor, source, f"take:{other}:tip", **{f"was-{key}": "entry-text", f"role-{key}": "leave"})
    structure = now(source).structure
    assert [tip.name for tip in structure.tips] == ["Cold Fingers"]
    assert "Vessels" not in structure.tips[0].text


def test_one_piece_or_all_are_as_they_were_found(editor: Client) -> None:
    source = brought(editor)
    found = now(source).structure
    key = key_of(source, "Cold Fingers")
    do(editor, source, f"take:{key}:section-heading")
    do(editor, source, f"found:{key}")
    assert now(source).structure == found
    do(editor, source, f"take:{key}:leave")
    do(editor, source, "forget")
    assert now(source).structure == found
    assert source.corrections == {}


def test_another_language_is_chosen(editor: Client) -> None:
    source = brought(editor)
    do(editor, source, language="de")
    source.refresh_from_db()
    assert source.language == "de"
    do(editor, source, language="xx")
    source.refresh_from_db()
    assert source.language == "de"


@pytest.mark.parametrize(
    "command", ["take:99.0:tip", "take:2.0:nonsense", "split:2.0:x", "split:2.0:99999", "join:x", "run", "what", ""]
)
def test_a_command_that_makes_no_sense_changes_nothing(editor: Client, command: str) -> None:
    source = brought(editor)
    assert do(editor, source, command).status_code == 200
    source.refresh_from_db()
    assert source.corrections == {}


def test_corrections_of_a_text_that_was_brought_anew_are_refused(editor: Client) -> None:
    source = brought(editor)
    response = editor.post(change(source), {"digest": "older", "do": "take:2.0:tip"}, follow=True)
    assert "The source was brought anew" in response.content.decode()
    source.refresh_from_db()
    assert source.corrections == {}


def test_a_long_article_is_shown_in_pages_with_few_fields(editor: Client) -> None:
    text = "100 Causes of Tired Eyes\n\n" + "\n\n".join(
        f"{number}. Cause Number {number}\n\nIt is number {number}. It tires.\n\nTreatment: Rest {number} times."
        for number in range(1, 101)
    )
    source = brought(editor, text)
    assert source.conditions == 100
    page = editor.get(change(source)).content.decode()
    assert page.count("name=") < 1000
    assert len(page) < 1_500_000
    assert "Condition 1<" in page
    assert "Condition 100<" in editor.get(change(source) + "?page=2").content.decode()
    for query in ("?page=999", "?page=x", "?page=-1"):
        assert editor.get(change(source) + query).status_code == 200
    response = do(editor, source, f"take:{key_of(source, 'Cause Number 100')}:leave", page="2")
    assert response.redirect_chain[0][0].startswith(f"{change(source)}?page=2#piece-")


def test_a_menu_of_many_lines_is_folded(editor: Client) -> None:
    page = "<nav><ul>" + "".join(f'<li><a href="/{n}">Topic {n}</a></li>' for n in range(30)) + f"</ul></nav>{PAGE}"
    page += "<p>Sleep comes to those who keep their hours, in a room that is dark, cool and quiet.</p>" * 20
    assert "30 lines left out" in editor.get(change(brought(editor, page))).content.decode()


# --- The draft -------------------------------------------------------------------------------------------------


def test_the_draft_is_made_with_the_corrections_and_once_more_until_somebody_works_on_it(editor: Client) -> None:
    source = brought(editor)
    response = do(editor, source, "make", **{"was-x": "a", "role-x": "b"})
    article = Article.objects.get()
    assert response.redirect_chain == [(reverse("admin:blog_article_change", args=[article.pk]), 302)]
    assert article.entries.count() == 3
    assert change(source) in response.content.decode()
    do(editor, source, f"take:{key_of(source, 'Cold Fingers')}:leave")
    assert "Make the draft again" in editor.get(change(source)).content.decode()
    do(editor, source, "make")
    assert [entry.heading for entry in article.entries.all()] == ["Carpal Tunnel Syndrome", "Lack of Vitamin B12"]
    Article.objects.update(version=article.version + 5)
    response = do(editor, source, "make")
    assert "it is not made again" in response.content.decode()
    assert "Open the draft" in response.content.decode()
    assert 'value="make"' not in response.content.decode()


def test_a_condition_is_proposed_to_the_library_only_when_asked_for(editor: Client) -> None:
    source = brought(editor)
    do(editor, source, "make")
    assert not Condition.objects.exists()
    entry = Article.objects.get().entries.get(heading="Cold Fingers")
    assert f"propose:{entry.pk}" in editor.get(change(source)).content.decode()
    do(editor, source, f"propose:{entry.pk}")
    assert [str(condition) for condition in Condition.objects.all()] == ["Cold Fingers"]
    do(editor, source, f"propose:{entry.pk}")
    assert Condition.objects.count() == 1


# --- The list --------------------------------------------------------------------------------------------------


def test_the_list_says_what_was_found_and_in_which_state_it_is(editor: Client) -> None:
    bring(editor, file("hands.txt", TEXT), file("sleep.html", PAGE))
    first, second = ImportedSource.objects.order_by("title")
    do(editor, second, "make")
    page = editor.get(reverse(LIST)).content.decode()
    assert "Numbered conditions" in page
    assert "waits for you" in page
    assert "draft made" in page
    found = editor.get(reverse(LIST), {"state": "waiting"}).content.decode()
    assert "Sleep Well" in found
    assert "Tingle" not in found
    for query in (
        {"state": "x"},
        {"kind": "plain"},
        {"unsure": "no"},
        {"q": "sleep"},
        {"run__id__exact": str(first.run_id)},
    ):
        assert "Sleep Well" in editor.get(reverse(LIST), query).content.decode()
    Article.objects.all().delete()
    assert "draft deleted" in editor.get(reverse(LIST)).content.decode()


def test_the_list_costs_the_same_however_long_it_is(
    editor: Client, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(editor, *[file(f"{n}.txt", TEXT.replace("Hands", f"Hands {n}")) for n in range(12)], make="on")
    with django_assert_max_num_queries(14):
        editor.get(reverse(LIST))


def test_drafts_are_made_of_what_is_chosen(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(editor, file("hands.txt", TEXT), file("sleep.html", PAGE))
    ids = list(ImportedSource.objects.values_list("pk", flat=True))
    chosen = {"action": "make_drafts", "_selected_action": ids}
    assert "2 drafts were made." in editor.post(reverse(LIST), chosen, follow=True).content.decode()
    assert Article.objects.count() == 2
    Article.objects.all().delete()
    monkeypatch.setattr("blog.importing.admin.MAKE_AT_ONCE", 1)
    assert "in the background" in editor.post(reverse(LIST), chosen, follow=True).content.decode()
    assert Article.objects.count() == 2


# --- Who, and what of theirs is hostile ------------------------------------------------------------------------


def test_a_reviewer_looks_and_changes_nothing(client: Client, editor: Client) -> None:
    source = brought(editor)
    reviewer = logged_in(Client(), "Medical reviewer")
    page = reviewer.get(change(source)).content.decode()
    assert "new condition" in page
    assert "role-" not in page
    assert 'name="do"' not in page
    assert reviewer.get(reverse(ADD)).status_code == 403
    assert reviewer.post(change(source), {"digest": source.digest, "do": "make"}).status_code == 403


def test_a_writer_brings_and_makes_drafts(client: Client) -> None:
    writer = logged_in(client, "Writer")
    do(writer, brought(writer), "make")
    assert Article.objects.get().entries.count() == 3


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7|add:7 }}"


def test_nothing_of_a_source_is_markup_here(editor: Client) -> None:
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    html = (
        f'<h1>{escaped}</h1><p>{escaped} <b>{escaped}</b></p><img src="{escaped}" alt="{escaped}"><p>By {escaped}</p>'
    )
    name = HOSTILE.replace("/", "_")
    response = bring(editor, file(f"{name}.html", html), file(f"{name}.pdf", b"%PDF-1.7\n"))
    source = ImportedSource.objects.get()
    pages = [response, editor.get(change(source)), editor.get(reverse(LIST)), do(editor, source, "make")]
    for page in pages:
        text = page.content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "14" not in re.findall(r"onerror=alert\(1\)&gt;(\S*)", text)


def test_names_of_files_lead_nowhere(editor: Client) -> None:
    before = set(Path(settings.VAR_DIR).rglob("*"))
    for name in (
        "../../escaped.txt",
        "/etc/escaped.txt",
        "..\\escaped.txt",
        "CON",
        "a" * 250 + ".txt",
        "\u202etxt.exe",
    ):
        bring(editor, file(name, TEXT.replace("Hands", str(len(name)))))
    assert not [path for path in set(Path(settings.VAR_DIR).rglob("*")) - before if "escaped" in path.name]
    assert ImportedSource.objects.count() == 6

"""The command that makes drafts of old articles. What is understood of them, and how, has tests of its own."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from blog.importing.blocks import SourceArticle
from blog.importing.drafts import Outcome, bring_in
from blog.management.commands import import_articles
from blog.models import Article, ImportedSource
from config.tests.factories import make_article, picture_bytes, publish_draft
from newsletter.tests.processes import database_url
from publishing.models import Edition, FormerPath, Generation, Publication
from publishing.services import findings_for

FIXTURES = Path(__file__).parent.parent / "importing/tests/fixtures"
FETCH = "blog.management.commands.import_articles.fetch"
DIZZINESS = FIXTURES / "dizziness.txt"

pytestmark = pytest.mark.django_db


def run(*arguments: str | Path, **options: Any) -> str:
    out = io.StringIO()
    call_command("import_articles", *map(str, arguments), stdout=out, stderr=out, **options)
    return out.getvalue()


def wordpress(posts: int, first: int = 1) -> str:
    """An export of a blog, each post with a date, an address and two conditions of its own."""
    items = "".join(
        f"""<item><title>Post {number}: why the elbow hurts</title><link>https://old.example/{number}/elbow/</link>
        <guid isPermaLink="false">https://old.example/?p={number}</guid><dc:creator>ada</dc:creator>
        <content:encoded><![CDATA[<p>There are many causes of pain number {number}.</p><h2>1. Tennis elbow</h2>
        <p>A strained tendon.</p><p>Treatment: rest.</p><h2>2. Bursitis</h2><p>A swollen bursa.</p>
        <p>Treatment: ice.</p><h2>3. Gout</h2><p>Crystals in a joint.</p><p>Treatment: tablets.</p>]]></content:encoded>
        <wp:post_id>{number}</wp:post_id><wp:post_date_gmt>2015-03-{number % 28 + 1:02} 08:00:00</wp:post_date_gmt>
        <wp:post_type>post</wp:post_type><wp:status>publish</wp:status>
        <category domain="post_tag" nicename="elbow"><![CDATA[Elbow]]></category></item>"""
        for number in range(first, first + posts)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
        <rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
        <channel><title>The old site</title><link>https://old.example</link><language>en</language>
        <wp:wxr_version>1.2</wp:wxr_version>{items}</channel></rss>"""


# --- What it makes -----------------------------------------------------------------------------------------------


def test_an_old_article_becomes_a_draft_with_all_its_parts() -> None:
    run(DIZZINESS)
    article = Article.objects.get()
    document = article.build()
    assert document.form == "conditions"
    assert len(document.entries) == 12
    assert all(entry.text and entry.treatment for entry in document.entries)
    assert document.tips
    assert {sign.urgency.value for sign in document.warning_signs} >= {"emergency", "see-a-doctor"}
    assert document.conclusion
    assert document.origin is not None
    assert article.version == 2  # settled, as after a save in the form


def test_nothing_goes_public_and_the_checks_say_what_the_editor_still_has_to_do() -> None:
    run(DIZZINESS)
    article = Article.objects.get()
    assert not Edition.objects.exists()
    assert not Publication.objects.live().exists()
    missing = {finding.id for finding in findings_for(article.build(), article.publication) if finding.blocks}
    assert {"author-missing", "summary", "funding"} <= missing


def test_a_folder_twice_is_a_folder_once(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.json"))
    first = run(tmp_path)
    before = {article.pk: (article.version, article.fingerprint) for article in Article.objects.all()}
    second = run(tmp_path)
    assert len(before) >= 30
    assert f"{len(before)} new" in first
    assert f"{len(before)} unchanged" in second
    assert "new" not in second.splitlines()[-1]
    assert {article.pk: (article.version, article.fingerprint) for article in Article.objects.all()} == before


def test_the_pictures_of_a_folder_come_along(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img/back.png").write_bytes(picture_bytes("red", (300, 200)))
    (tmp_path / "a.html").write_text(
        "<h1>Back pain</h1><img src='img/back.png' alt='A sore back'><p>It hurts, but it passes in a few weeks.</p>"
    )
    run(tmp_path)
    picture = Article.objects.get().picture
    assert picture
    assert picture.alt == "A sore back"


@pytest.mark.parametrize("posts", [100, pytest.param(5_000, marks=pytest.mark.long)])
def test_an_archive_comes_in_silently_with_its_dates_and_addresses(tmp_path: Path, posts: int) -> None:
    export = tmp_path / "export.xml"
    export.write_text(wordpress(posts))
    assert f"{posts} new" in run(export)
    assert Article.objects.count() == posts
    assert FormerPath.objects.filter(path__startswith="/?p=").count() == posts
    assert FormerPath.objects.filter(path__endswith="/elbow").count() == posts
    days = set(Publication.objects.values_list("originally_published__date", flat=True))
    assert len(days) == 28
    assert {day.year for day in days} == {2015}
    assert mail.outbox == []
    assert not DBTaskResult.objects.exists()
    assert not Generation.objects.exists()
    assert f"{posts} unchanged" in run(export)


# --- What it says ------------------------------------------------------------------------------------------------


def test_it_says_a_line_for_each_article_and_the_account_when_asked(tmp_path: Path) -> None:
    printed = run(DIZZINESS, report=tmp_path / "report.txt")
    source = ImportedSource.objects.get()
    line = f"new: dizziness.txt “{source.article}” {reverse('admin:blog_article_change', args=[source.article_id])}"
    assert printed.splitlines() == [line, "1 new"]
    assert "Took: " in source.report
    assert "Left out:" in source.report
    assert (tmp_path / "report.txt").read_text() == f"{line}\n{source.report}\n\n"
    ImportedSource.objects.all().delete()
    assert source.report in run(DIZZINESS, verbosity=2)
    assert run(DIZZINESS, verbosity=0) == ""


def test_nothing_is_written_by_a_dry_run() -> None:
    assert "Took: " in run(DIZZINESS, dry_run=True, verbosity=2)
    assert not ImportedSource.objects.exists()
    assert not Article.objects.exists()


@pytest.mark.parametrize("missing", ["nowhere.txt", "bro\0ken", "x" * 5000])
def test_what_cannot_be_read_is_named_and_the_rest_imported(tmp_path: Path, missing: str) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 thing could not be read") as raised:
        call_command("import_articles", missing, str(DIZZINESS), stdout=out, stderr=out)
    assert raised.value.returncode == 1
    assert out.getvalue().startswith(missing)
    assert Article.objects.count() == 1


def test_bytes_that_are_no_text_are_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"\x00\x01\x02\xff" * 100)
    with pytest.raises(CommandError, match="1 thing"):
        run(broken, DIZZINESS)
    assert Article.objects.count() == 1


def test_one_article_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails_once(article: SourceArticle, **options: Any) -> Any:
        if "a.txt" in article.name:
            raise RuntimeError("a bug")
        return bring_in(article, **options)

    monkeypatch.setattr(import_articles, "bring_in", fails_once)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"Article {name}\n\nIt has a text of its own.\n")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_articles", str(tmp_path), stdout=out, stderr=out)
    assert "RuntimeError" in out.getvalue()
    assert "Traceback" not in out.getvalue()
    assert Article.objects.count() == 1


def test_who_stops_it_goes_on_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"Article {name}\n\nIt has a text of its own.\n")
    brought: list[Outcome] = []

    def stopped(article: SourceArticle, **options: Any) -> Any:
        if brought:
            raise KeyboardInterrupt
        brought.append(bring_in(article, **options))
        return brought[0]

    with monkeypatch.context() as patch:
        patch.setattr(import_articles, "bring_in", stopped)
        with pytest.raises(CommandError, match="goes on from there") as raised:
            run(tmp_path)
    assert raised.value.returncode == 130
    assert Article.objects.count() == 1
    assert run(tmp_path).endswith("1 new, 1 unchanged\n")


def test_the_editor_reads_the_report_above_the_form(admin_client: Client) -> None:
    run(DIZZINESS)
    page = admin_client.get(reverse("admin:blog_article_change", args=[Article.objects.get().pk]))
    assert "Imported from dizziness.txt" in page.text
    assert "Left out:" in page.text


# --- The network -------------------------------------------------------------------------------------------------


def test_nothing_is_fetched_unless_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(FETCH, lambda *args, **kwargs: pytest.fail("fetched"))
    (tmp_path / "a.html").write_text("<h1>Back</h1><img src='http://x.example/a.png'><p>It hurts for a while.</p>")
    run(tmp_path)
    with pytest.raises(CommandError, match="1 thing"):
        run("https://www.example.org/back-pain/")
    assert Article.objects.count() == 1


def test_pictures_are_fetched_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def fetch(url: str) -> Any:
        asked.append(url)
        return type("Fetched", (), {"content": picture_bytes("red", (300, 200)), "url": url})

    monkeypatch.setattr(FETCH, fetch)
    (tmp_path / "a.html").write_text("<h1>Back</h1><img src='http://x.example/a.png'><p>It hurts for a while.</p>")
    run(tmp_path, "--fetch")
    assert asked == ["http://x.example/a.png"]
    assert Article.objects.get().picture


# --- An export of a site -----------------------------------------------------------------------------------------


def test_what_export_site_wrote_is_restored_and_becomes_no_draft_again(tmp_path: Path) -> None:
    publish_draft(make_article())
    call_command("export_site", str(tmp_path / "site"), stdout=io.StringIO())
    before = Edition.objects.count()
    assert "restored: " in run(tmp_path / "site")
    assert (Edition.objects.count(), Article.objects.count()) == (before, 1)
    assert not ImportedSource.objects.exists()


# --- Killed ------------------------------------------------------------------------------------------------------

DYING = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from blog.importing import drafts
moment, count, *arguments = sys.argv[1:]
calls = 0

def dies_after(function):
    def dying(*args, **kwargs):
        global calls
        result = function(*args, **kwargs)
        calls += 1
        if calls == int(count):
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return dying

if moment == "written":
    drafts.write_draft = dies_after(drafts.write_draft)
elif moment == "committed":
    connection.ensure_connection()
    connection._commit = dies_after(connection._commit)
call_command("import_articles", *arguments)
"""


def start(moment: str, count: int, *arguments: Path) -> subprocess.Popen[bytes]:
    """The command as a process of its own on the test's database, which kills itself after so many such moments."""
    command = [sys.executable, "-c", DYING, moment, str(count), *map(str, arguments)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings_test", "DATABASE_URL": database_url()}
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL)


def content() -> list[Any]:
    """What all drafts say and where they are, but not the UUIDs that each was given."""
    return sorted(
        (
            article.publication.slug,
            re.sub(r'"(?:uu)?id":"[0-9a-f-]{36}"', "", article.build().canonical()),
            article.fingerprint == article.build().fingerprint(),
            sorted(article.publication.tags.names()),
            sorted(article.publication.former_paths.values_list("path", flat=True)),
            json.dumps(article.imported_from.values_list("identity", "digest", "blocks", "report").get()),
        )
        for article in Article.objects.select_related("publication")
    )


def uninterrupted(export: Path) -> list[Any]:
    """What an import that nobody kills comes to; nothing of it is left."""
    run(export)
    found = content()
    ImportedSource.objects.all().delete()
    Article.objects.all().delete()
    Publication.objects.all().delete()
    return found


@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    export = tmp_path / "export.xml"
    export.write_text(wordpress(9))
    expected = uninterrupted(export)
    for moment, count in (("written", 3), ("committed", 4), ("written", 1)):
        process = start(moment, count, export)
        assert process.wait(60) == -signal.SIGKILL
    assert 0 < Article.objects.count() < 9
    run(export)
    assert content() == expected


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_fifty_times_comes_to_the_same(tmp_path: Path) -> None:
    export = tmp_path / "export.xml"
    export.write_text(wordpress(400))
    expected = uninterrupted(export)
    chance = random.Random(os.environ.get("TEST_SEED", "5"))
    for _kill in range(50):
        before = ImportedSource.objects.count()
        process = start("never", 0, export)
        until = time.monotonic() + 60
        while ImportedSource.objects.count() == before < 400 and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.wait()
    run(export)
    assert Article.objects.count() == 400
    assert content() == expected

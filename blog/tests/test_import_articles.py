"""The command that makes drafts of old articles. What the structure finder finds has tests of its own."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from blog.importing.drafts import HEADING_LENGTH, import_text
from blog.models import Article
from config.tests.factories import make_condition
from publishing.documents import CITATION
from publishing.models import Edition, Publication
from publishing.richtext import plain
from publishing.services import findings_for

FIXTURES = Path(__file__).parent.parent / "importing/tests/fixtures"
DIZZINESS = FIXTURES / "dizziness.txt"

pytestmark = pytest.mark.django_db


def run(*paths: Path) -> str:
    out = StringIO()
    call_command("import_articles", *map(str, paths), stdout=out, stderr=out)
    return out.getvalue()


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


def test_the_report_says_what_was_taken_and_what_was_left_and_stays_with_the_draft() -> None:
    printed = run(DIZZINESS)
    report = Article.objects.get().imported_from.get().report
    assert "Took: " in report
    assert "Left out:" in report
    assert report in printed


def test_importing_the_same_bytes_again_changes_nothing() -> None:
    run(DIZZINESS)
    before = Article.objects.get().fingerprint
    assert "Imported before" in run(DIZZINESS)
    assert Article.objects.get().fingerprint == before


def test_an_unreadable_file_is_named_and_the_others_are_imported(tmp_path: Path) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"\x00\x01\x02\xff" * 100)
    with pytest.raises(CommandError, match="1 of 2"):
        run(broken, DIZZINESS)
    assert Article.objects.count() == 1


def test_a_heading_that_does_not_fit_is_kept_whole_in_the_text() -> None:
    long = "A condition with a name " + "that goes on " * 30
    text = f"4 causes of cold hands\n\nIt has many causes.\n\n1. {long}\n\nIt is a disease. Treatment: warmth.\n\n"
    text += "".join(f"{n}. Disease {n}\n\nA condition.\n\nTreatment: warmth.\n\n" for n in (2, 3, 4))
    article = import_text(text.encode(), name="x.txt").source.article
    everything = " ".join(plain(html) for _place, html in article.build().texts())
    everything += " ".join(entry.heading for entry in article.build().entries)
    assert " ".join(long.split()) in " ".join(everything.split())
    assert all(len(entry.heading) <= HEADING_LENGTH for entry in article.entries.all())


def test_a_known_condition_is_linked_and_keeps_the_words_of_the_article() -> None:
    condition = make_condition("Low blood pressure")
    source = DIZZINESS.read_text()
    heading = next(line for line in source.splitlines() if line.startswith("1. "))
    article = import_text(source.replace(heading, "1. Low Blood Pressure").encode(), name="x.txt").source.article
    entry = article.entries.order_by("position")[0]
    assert entry.condition == condition
    assert entry.text
    assert not CITATION.findall(entry.text)


def test_the_editor_reads_the_report_above_the_form(admin_client: Client) -> None:
    run(DIZZINESS)
    page = admin_client.get(reverse("admin:blog_article_change", args=[Article.objects.get().pk]))
    assert "Imported from dizziness.txt" in page.text
    assert "Left out:" in page.text

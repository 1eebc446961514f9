"""What was published leaves as plain files and comes back the same; nothing private leaves, nothing half comes back."""

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
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import jsonschema
import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Max
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from pytest_django import Settings

from config.tests.factories import (
    FIRST_WORDS,
    fresh,
    make_article,
    make_citation,
    make_condition,
    make_contributor,
    make_picture,
    make_user,
    picture_bytes,
    publish_draft,
    reword,
    schedule_draft,
    sign,
    snapshot_of,
)
from newsletter.tests.processes import environment
from publishing.archive import export
from publishing.archive.export import export_site
from publishing.archive.files import ABOUT, SUMS, NoExport, is_export
from publishing.archive.restore import RestoreReport, restore
from publishing.documents import Document, fingerprint
from publishing.kinds import kinds
from publishing.models import (
    Contributor,
    Edition,
    FormerTag,
    Generation,
    Mention,
    Publication,
    Report,
    SignOff,
    SiteSettings,
    Snapshot,
    StoredDocument,
    Trust,
)
from publishing.services import publish, redact, take_snapshot
from publishing.states import publication_state
from publishing.tests.archives import exported, forge, make_site, passing_site, record, tree, without
from publishing.tests.strategies import of_model
from publishing.tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db

ARTICLE, CONDITION = "articles/pain-in-the-leg", "conditions/sciatica"


@pytest.fixture(scope="module")
def original(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a site with one of everything, and no row of it left."""
    folder = tmp_path_factory.mktemp("archive")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=folder / "media"), passing_site():
        make_site()
        return exported(folder / "export")


@pytest.fixture
def folder(original: Path, tmp_path: Path, settings: Settings) -> Path:
    """That export, to be tampered with, and a site without files."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return Path(shutil.copytree(original, tmp_path / "export"))


def restored(folder: Path) -> RestoreReport:
    report = restore(folder)
    assert report.problems == []
    return report


def publication(slug: str) -> Publication:
    return Publication.objects.get(slug=slug)


# --- There and back ---------------------------------------------------------------------------------------------


def test_a_restored_site_exports_the_same_bytes_again(folder: Path, tmp_path: Path) -> None:
    report = restored(folder)
    assert (report.restored, report.unchanged, report.pictures, report.remarks) == (7, 0, 3, [])
    assert tree(exported(tmp_path / "again")) == tree(folder)


def test_editions_come_back_with_their_bytes_dates_and_signatures(folder: Path) -> None:
    restored(folder)
    said = record(folder, f"{ARTICLE}/publication.json")
    article = publication("pain-in-the-leg")
    assert str(article.uuid) == said["uuid"]
    assert [edition.number for edition in article.editions.order_by("number")] == [1, 2]
    for edition in article.editions.all():
        stored = StoredDocument.objects.get(pk=edition.fingerprint)
        assert stored.canonical.encode() == (folder / f"{ARTICLE}/edition-{edition.number}.json").read_bytes()
        assert fingerprint(stored.canonical) == edition.fingerprint
        assert edition.published_at.isoformat().startswith(said["editions"][edition.number - 1]["published_at"][:-1])
    assert article.live is not None
    assert article.live.number == 2
    assert (article.trust, article.reviewer_name) == (Trust.MINOR_CHANGES, "Rita Reviewer, MD")
    assert (article.title, article.seo_title) == ("Leg pain", "Leg pain, explained")
    assert sorted(article.tags.slugs()) == ["pain", "the-leg"]
    assert sorted(FormerTag.objects.values_list("slug", "tag__slug")) == [("aches", "pain"), ("legs", "the-leg")]
    assert [kept.path for kept in article.former_paths.all()] == ["/2015/03/leg-pain.html?p=12"]
    assert publication("schmerzen-im-bein").translation_of == article
    taken_back = SignOff.objects.get(publication=publication("backache"))
    assert (taken_back.signed_by, taken_back.reviewer_name) == (None, "Rita Reviewer, MD")
    assert (taken_back.revocation.revoked_by, taken_back.revocation.revoked_by_name) == (None, "Carl Chief")
    assert publication("backache").trust == Trust.NOT_REVIEWED


def test_an_article_still_shows_the_edition_of_a_condition_that_it_pinned(folder: Path) -> None:
    restored(folder)
    mention = Mention.objects.get(publication=publication("pain-in-the-leg"))
    assert mention.edition is not None
    assert (mention.condition.slug, mention.edition.number) == ("sciatica", 1)
    assert mention.condition.live is not None
    assert mention.condition.live.number == 2
    entry = kinds["article"].draft._default_manager.get(publication__slug="pain-in-the-leg").entries.first()  # type: ignore[attr-defined]
    assert (entry.pin, entry.text) == (mention.edition, "")


def test_pages_of_a_restored_site_answer_as_before(folder: Path, client: Client) -> None:
    restored(folder)
    assert "a small change" in client.get("/articles/pain-in-the-leg/").content.decode()
    assert client.get("/articles/pain-in-the-leg.json").content == (folder / f"{ARTICLE}/edition-2.json").read_bytes()
    for old in ("/articles/leg-pain/", "/2015/03/leg-pain.html?p=12"):
        assert client.get(old).headers["Location"] == "/articles/pain-in-the-leg/"
    assert client.get("/about/imprint/").status_code == 410
    assert client.get("/articles/elbow-pain/").status_code == 410
    assert client.get("/articles/neck-pain/").status_code == 200
    assert client.get("/articles/neck-pain/editions/1/").status_code == 410


def test_editors_go_on_where_the_live_text_is(folder: Path) -> None:
    restored(folder)
    drafts = {slug: _draft_of(publication(slug)) for slug in ("pain-in-the-leg", "sciatica", "schmerzen-im-bein")}
    for draft in drafts.values():
        assert publication_state(draft.publication).name == "live"
        assert draft.build() == draft.publication.live.document()
    assert publication_state(publication("imprint")).name == "withdrawn"
    assert str(_draft_of(publication("elbow-pain"))) == "Elbow pain"
    after = publish_draft(reword(drafts["pain-in-the-leg"]))
    assert after.number == 3


def _draft_of(publication: Publication) -> Any:
    return kinds[publication.kind].draft._default_manager.get(publication=publication)


def test_a_second_restore_writes_nothing(folder: Path) -> None:
    restored(folder)
    generation = Generation.objects.get().number
    with CaptureQueriesContext(connection) as queries:
        report = restored(folder)
    assert (report.restored, report.unchanged, report.pictures, report.others) == (0, 7, 0, 0)
    wrote = [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert wrote == []
    assert Generation.objects.get().number == generation


def test_nobody_is_mailed_and_search_is_told_once(
    folder: Path, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr("publishing.services.public_changed.send_robust", lambda **_: told.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        restored(folder)
    assert (len(told), len(mail.outbox)) == (1, 0)
    assert Publication.objects.filter(restored_at=None).count() == 0


@pytest.mark.once
def test_the_settings_come_into_a_site_that_has_none_of_its_own(folder: Path) -> None:
    with passing_site():
        restored(folder)
        assert SiteSettings.load().name == "A site"
    SiteSettings.objects.create(pk=1, name="Ours")
    restored(folder)
    assert SiteSettings.load().name == "Ours"


@pytest.mark.once
def test_a_zip_holds_the_same_and_is_the_same_each_time(tmp_path: Path) -> None:
    make_site()
    export_site(tmp_path / "one.zip", as_zip=True)
    exported(tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    assert tree(tmp_path / "unpacked") == tree(tmp_path / "folder")
    assert all(member.date_time == (1980, 1, 1, 0, 0, 0) for member in archive.infolist())


@pytest.mark.once
@pytest.mark.parametrize("top", ["", "my export/"])
def test_a_zip_comes_back_too_in_a_folder_of_its_own_or_not(folder: Path, tmp_path: Path, top: str) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in tree(folder):
            archive.write(folder / name, f"{top}{name}")
    assert is_export(tmp_path / "export.zip")
    assert restored(tmp_path / "export.zip").restored == 7
    assert tree(exported(tmp_path / "again")) == tree(folder)


@pytest.mark.once
def test_a_redirect_leads_from_every_old_address(folder: Path) -> None:
    assert (folder / "redirects.csv").read_text().splitlines() == [
        "from,to",
        "/2015/03/leg-pain.html?p=12,/articles/pain-in-the-leg/",
        "/articles/leg-pain/,/articles/pain-in-the-leg/",
        "/tags/aches/,/tags/pain/",
        "/tags/legs/,/tags/the-leg/",
    ]


@pytest.mark.once
def test_every_file_is_of_its_schema(folder: Path) -> None:
    kinds_of = {"articles": "article", "conditions": "condition", "pages": "page"}
    checked = set()
    for name, content in tree(folder).items():
        if not name.endswith(".json") or name.startswith("schema/"):
            continue
        place, file = name.split("/")[0], name.split("/")[-1].removesuffix(".json")
        schema = f"{kinds_of[place]}-document" if file.startswith("edition-") else file
        rules = record(folder, f"schema/{schema}.schema.json")
        assert rules["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        data = json.loads((folder / name).read_text()) if name == ABOUT else json.loads(content)
        jsonschema.Draft202012Validator.check_schema(rules)
        jsonschema.Draft202012Validator(rules).validate(data)
        checked.add(schema)
    assert checked == {path.name.removesuffix(".schema.json") for path in (folder / "schema").iterdir()}


@pytest.mark.once
def test_the_page_of_an_edition_needs_nothing_but_the_export(folder: Path) -> None:
    page = (folder / f"{ARTICLE}/edition-1.html").read_text()
    files = re.findall(r'(?:src|href)="(\.\.[^"]+)"', page)
    assert len(files) == 3  # its picture, that of the condition, and the condition's page
    assert all((folder / ARTICLE / file).is_file() for file in files)
    assert "This is edition 1" in page
    assert "<script" not in page
    assert "Medically reviewed: Rita Reviewer, MD" in page  # of this edition, not of the live one
    assert "minor changes since" in (folder / f"{ARTICLE}/edition-2.html").read_text()


# --- Nothing private leaves --------------------------------------------------------------------------------------


def test_no_word_leaves_that_the_public_may_not_read(tmp_path: Path) -> None:
    make_site()
    make_citation("secret-source", title="Secretive findings")
    live = make_article("Hip pain")
    live.publication.tags.set(["Hips"])
    publish_draft(live)
    live = fresh(live)
    live.title, live.intro = "Secretive new title", "<p>Secretive words [@secret-source]</p>"
    live.save()
    snapshot_of(fresh(live))
    schedule_draft(fresh(live))
    hidden = make_article("Secretive article", picture=make_picture("magenta", "Secretive picture"))
    hidden.publication.tags.set(["Secretive topic"])
    hidden.authors.set([make_contributor("Secretive Person")])
    signed = sign(hidden)
    make_user("secretive", email="secretive@site.example", last_name="Secretive")
    Report.objects.create(path="/", subject="other", text="Secretive letter", address="secretive@reader.example")
    gone = publish_draft(make_condition("Gout", what_it_is="<p>Secretive patient data.</p>"))
    redact(fingerprint=gone.fingerprint, by=make_user(), reason="A patient asked for it.")
    files = tree(exported(tmp_path / "export"))
    everything = b"\n".join([*(name.encode() for name in files), *files.values()])
    for word in (b"ecretive", signed.fingerprint.encode(), b"secret-source", b"password"):
        assert word not in everything, word
    assert b"A patient asked for it." in everything
    assert b"Hip pain" in everything


# --- Where it is written -----------------------------------------------------------------------------------------


@pytest.mark.once
def test_an_export_is_written_only_where_nothing_is_lost(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("Years of work.")
    for target, as_zip in ((mine, False), (mine / "thesis.txt", False), (mine / "thesis.txt", True)):
        with pytest.raises(NoExport, match="no earlier export"):
            export_site(target, as_zip=as_zip)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    with pytest.raises(CommandError, match="no earlier export"):
        call_command("export_site", mine)


@pytest.mark.once
def test_a_later_export_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "new" / "folder"):
        publish_draft(make_article(f"For {target.name}"))
        exported(target)
        earlier = tree(target)
        publish_draft(make_article(f"Later for {target.name}"))
        assert set(tree(exported(target))) > set(earlier)
        assert [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.once
@pytest.mark.parametrize("as_zip", [False, True])
def test_an_export_that_is_interrupted_leaves_what_was_there(
    tmp_path: Path, as_zip: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_draft(make_article())
    target = tmp_path / "export"
    export_site(target, as_zip=as_zip)
    before = target.read_bytes() if as_zip else tree(target)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export._Exporting, "write_tags", interrupted)
    for place in (target, tmp_path / "another"):
        with pytest.raises(KeyboardInterrupt):
            export_site(place, as_zip=as_zip)
    assert (target.read_bytes() if as_zip else tree(target)) == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.once
def test_an_export_without_a_picture_is_refused(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    picture = make_picture()
    publish_draft(make_article(picture=picture))
    (tmp_path / "media" / picture.original_name).write_bytes(b"rotten")
    with pytest.raises(NoExport, match="lost or damaged"):
        exported(tmp_path / "export")
    assert not (tmp_path / "export").exists()


# --- Into a site that has something ------------------------------------------------------------------------------


@pytest.mark.once
def test_an_address_that_is_taken_stays_with_whom_it_is(folder: Path) -> None:
    publish_draft(make_article("Another", slug="pain-in-the-leg"))
    publish_draft(make_article("A third", slug="leg-pain"))
    report = restored(folder)
    article = Publication.objects.get(uuid=record(folder, f"{ARTICLE}/publication.json")["uuid"])
    assert article.slug == "pain-in-the-leg-2"
    assert list(article.former_slugs.all()) == []
    assert sorted(Contributor.objects.filter(name="Ada Author").values_list("slug", flat=True)) == [
        "ada-author", "ada-author-2"
    ]  # fmt: skip
    for words in ("so “Leg pain” is at “pain-in-the-leg-2”", "old address “leg-pain”", "Ada Author is at"):
        assert sum(words in remark for remark in report.remarks) == 1, words


@pytest.mark.once
def test_other_editions_here_are_told_of_and_left_alone(folder: Path) -> None:
    restored(folder)
    publish_draft(reword(_draft_of(publication("pain-in-the-leg"))))
    (remark,) = restored(folder).remarks
    assert "“Leg pain” has newer editions here" in remark
    said = record(folder, f"{CONDITION}/publication.json")
    text = (folder / f"{CONDITION}/edition-2.json").read_bytes()
    more = said["editions"][1] | {"number": 3}
    forge(
        folder,
        {
            f"{CONDITION}/publication.json": json.dumps(
                said | {"editions": [*said["editions"], more], "live": 3}
            ).encode(),
            f"{CONDITION}/edition-3.json": text,
        },
    )
    assert "“Sciatica” has 3 editions in the export and 2 here" in str(restored(folder))
    assert publication("sciatica").editions.count() == 2


@pytest.mark.once
def test_a_redaction_that_came_later_is_told_of(folder: Path) -> None:
    restored(folder)
    said = record(folder, f"{CONDITION}/publication.json")
    first = said["editions"][0]["fingerprint"]
    order = {"fingerprint": first, "reason": "By order.", "redacted_at": "2026-01-01T00:00:00Z", "redacted_by": ""}
    forge(
        folder,
        {
            f"{CONDITION}/publication.json": json.dumps(said | {"redactions": [order]}).encode(),
            **{f"{CONDITION}/edition-1.{extension}": None for extension in ("json", "md", "html")},
        },
    )
    assert "was redacted on the site of the export, and is still here: By order." in str(restored(folder))
    assert StoredDocument.objects.filter(pk=first).exists()


@pytest.mark.once
def test_another_source_under_the_same_key_stays(folder: Path) -> None:
    make_citation(title="Something else")
    assert "Another source has the key “guideline-a” here" in str(restored(folder))


# --- Damage ------------------------------------------------------------------------------------------------------


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


damages = pytest.mark.parametrize("damage", [_flipped, Path.unlink], ids=["changed", "missing"])

TEXTS = {
    f"{ARTICLE}/publication.json": "pain-in-the-leg",
    f"{CONDITION}/edition-1.json": "sciatica",  # an older one
    "pages/imprint/edition-1.json": "imprint",
}
BESIDES = (
    *(f"{ARTICLE}/edition-2.html", f"{ARTICLE}/edition-1.md", "redirects.csv", "README.md"),
    *("schema/site.schema.json", "site.json", "citations.json", "tags.json"),
)


@pytest.mark.once
@damages
def test_a_damaged_text_is_named_and_costs_itself(folder: Path, damage: Callable[[Path], None]) -> None:
    slugs = {path.parent.name for path in folder.glob("*/*/publication.json")}
    for name in TEXTS:
        damage(folder / name)
    report = restore(folder)
    assert sorted(name for name in TEXTS for problem in report.problems if name in problem) == sorted(TEXTS)
    assert len(report.problems) == len(TEXTS)
    assert slugs - set(Publication.objects.values_list("slug", flat=True)) == set(TEXTS.values())
    assert Edition.objects.values("publication").distinct().count() == report.restored == len(slugs) - len(TEXTS)


@pytest.mark.once
@damages
def test_a_damaged_file_that_no_text_needs_is_named_and_costs_no_text(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    for name in BESIDES:
        damage(folder / name)
    report = restore(folder)
    assert sorted(name for name in BESIDES for problem in report.problems if name in problem) == sorted(BESIDES)
    assert (len(report.problems), report.restored) == (len(BESIDES), 7)


@pytest.mark.once
def test_what_is_lost_with_a_condition_is_its_link_and_not_its_words(folder: Path) -> None:
    _flipped(folder / f"{CONDITION}/edition-2.json")
    report = restore(folder)
    assert "“Leg pain” names a condition that is not here: it keeps its words" in str(report)
    entry = _draft_of(publication("pain-in-the-leg")).entries.first()
    assert (entry.condition, entry.heading) == (None, "Sciatica")
    assert FIRST_WORDS in entry.text


@pytest.mark.once
def test_what_is_lost_with_a_picture_or_a_person_is_said(folder: Path) -> None:
    (shown,) = [row for row in record(folder, "pictures.json") if row["alt"] == "A leg"]
    name = f"pictures/{shown['content_hash']}.png"
    people = [row for row in record(folder, "people.json") if row["name"] != "Rita Reviewer"]
    forge(folder, {"people.json": json.dumps(people).encode(), name: picture_bytes("black")})
    report = str(restore(folder))
    assert f"{name}: These are the bytes of another picture." in report
    assert f"{ARTICLE}/publication.json: It shows a picture that could not be restored" in report
    assert f"{CONDITION}/publication.json: It was signed by Rita Reviewer, MD" in report
    assert publication("neck-pain").live is not None


@pytest.mark.once
def test_a_damaged_list_of_files_is_no_list(folder: Path) -> None:
    _flipped(folder / SUMS)
    with pytest.raises(NoExport, match=SUMS):
        restore(folder)
    assert not Publication.objects.exists()


@pytest.mark.once
def test_what_was_repaired_is_restored_by_running_again(folder: Path) -> None:
    whole = (folder / f"{ARTICLE}/edition-1.json").read_bytes()
    _flipped(folder / f"{ARTICLE}/edition-1.json")
    restore(folder)
    (folder / f"{ARTICLE}/edition-1.json").write_bytes(whole)
    report = restored(folder)
    assert (report.restored, report.unchanged) == (1, 6)
    assert "“Schmerzen im Bein” is linked" in str(report)  # to its original
    assert publication("schmerzen-im-bein").translation_of == publication("pain-in-the-leg")


@pytest.mark.once
def test_what_was_mended_is_linked_to_what_it_names(folder: Path, tmp_path: Path) -> None:
    broken = (f"{CONDITION}/edition-2.json", "people.json", "tags.json")
    files = tree(folder)
    said = record(folder, f"{ARTICLE}/publication.json")
    forge(folder, {f"{ARTICLE}/publication.json": json.dumps(said | {"sign_offs": []}).encode()})
    for name in broken:
        _flipped(folder / name)
    report = restore(folder)
    article = publication("pain-in-the-leg")
    assert (article.mentions.count(), article.contributions.count()) == (0, 0)
    assert sorted(article.tags.slugs()) == ["pain", "the-leg"]
    for name in broken:
        (folder / name).write_bytes(files[name])
    report = restored(folder)
    assert "“Leg pain” is linked to what it names" in str(report)
    assert (article.mentions.count(), article.contributions.count()) == (1, 1)
    draft = _draft_of(publication("pain-in-the-leg"))
    assert draft.build() == draft.publication.live.document()
    assert publication_state(draft.publication).name == "live"
    assert restored(folder).others == 0


@pytest.mark.django_db(transaction=True)
def test_an_export_sees_one_moment_and_holds_nobody_up(tmp_path: Path) -> None:
    publish_draft(make_article("Before"))

    def write(done: int, total: int) -> None:
        if not Publication.objects.filter(slug="meanwhile").exists() and not wrote:
            wrote.extend(at_once(lambda: publish_draft(make_article("Meanwhile", slug="meanwhile")).number))

    wrote: list[Any] = []
    export_site(tmp_path / "export", progress=write)
    assert wrote == [1]
    assert [path.name for path in (tmp_path / "export/articles").iterdir()] == ["before"]
    exported(tmp_path / "export")
    assert (tmp_path / "export/articles/meanwhile/edition-1.json").exists()


# --- Bad intent --------------------------------------------------------------------------------------------------


def changed_record(**values: Any) -> Callable[[Path], dict[str, bytes]]:
    """Tamper with the record of the article."""

    def change(folder: Path) -> dict[str, bytes]:
        said = record(folder, f"{ARTICLE}/publication.json")
        wanted = {name: value(said) if callable(value) else value for name, value in values.items()}
        return {f"{ARTICLE}/publication.json": json.dumps(said | wanted).encode()}

    return change


def other_text(content: bytes | Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], dict[str, bytes]]:
    """Put another text in the place of the article's first edition, with the right fingerprint."""

    def change(folder: Path) -> dict[str, bytes]:
        said = record(folder, f"{ARTICLE}/publication.json")
        text = content
        if callable(text):
            document = json.loads((folder / f"{ARTICLE}/edition-1.json").read_text())
            text = json.dumps(text(document)).encode()
        said["editions"][0]["fingerprint"] = sha256(text).hexdigest()
        said["sign_offs"] = []
        return {f"{ARTICLE}/publication.json": json.dumps(said).encode(), f"{ARTICLE}/edition-1.json": text}

    return change


def later(said: dict[str, Any]) -> list[Any]:
    date = (timezone.now() + timedelta(days=3)).isoformat()
    return [said["editions"][0], said["editions"][1] | {"published_at": date}]


HOSTILE: dict[str, tuple[Callable[[Path], dict[str, bytes]], str]] = {
    "a gap in the numbers": (
        changed_record(editions=lambda said: [said["editions"][1]], sign_offs=[]),
        "not numbered from 1",
    ),
    "an edition twice": (
        changed_record(editions=lambda said: [said["editions"][0]] * 2, live=1),
        "not numbered from 1",
    ),
    "an edition of the future": (changed_record(editions=later), "lie in the future"),
    "a live edition that is not there": (changed_record(live=7), "said to be live is not there"),
    "a sign-off of another text": (
        changed_record(sign_offs=lambda said: [said["sign_offs"][0] | {"fingerprint": "0" * 64}]),
        "not among its editions",
    ),
    "a kind that is unknown": (changed_record(kind="recipe"), "no texts of the kind “recipe”"),
    "a slug that leads elsewhere": (changed_record(slug="../../admin"), "JSON Schema"),
    "a field too many": (changed_record(is_superuser=True), "JSON Schema"),
    "a NUL": (changed_record(title="A\0B"), "JSON Schema"),
    "a date without a zone": (changed_record(first_published="2020-01-01T00:00:00"), "JSON Schema"),
    "a title too long": (changed_record(seo_title="x" * 200), "at most 120 characters"),
    "a bomb for a parser": (
        lambda folder: {f"{ARTICLE}/publication.json": b"[" * 200_000},
        "JSON Schema",
    ),
    "a text that is a bomb": (other_text(b"[" * 200_000), "JSON Schema"),
    "a text that is a number": (other_text(b"1" * 10_000), "JSON Schema"),
    "a text that is no UTF-8": (other_text(b'{"kind":"\xff"}'), "JSON Schema"),
    "a text of another kind": (other_text(lambda text: text | {"kind": "page"}), "JSON Schema"),
    "a text of another publication": (
        other_text(lambda text: text | {"uuid": "00000000-0000-0000-0000-000000000000"}),
        "another publication",
    ),
    "a text of tomorrow's program": (other_text(lambda text: text | {"schema": 99}), "later version"),
    "a language that is a path": (other_text(lambda text: text | {"language": "../../etc"}), "JSON Schema"),
}


@pytest.mark.once
@pytest.mark.parametrize("tamper", HOSTILE)
def test_a_record_that_no_site_could_have_made_is_refused_alone(folder: Path, tamper: str) -> None:
    change, sentence = HOSTILE[tamper]
    without(folder, keep=ARTICLE)
    forge(folder, change(folder))
    report = restore(folder)
    (problem,) = report.problems
    assert sentence in problem
    assert ARTICLE in problem
    assert not Publication.objects.exists()
    assert not StoredDocument.objects.exists()
    assert Contributor.objects.exists()


def test_a_live_text_with_impossible_values_is_refused_whole(folder: Path) -> None:
    """What only shows itself when the draft is made leaves nothing half."""
    live = json.loads((folder / f"{ARTICLE}/edition-2.json").read_text())
    live["origin"] = {"name": "Elsewhere", "published": "the day before yesterday"}
    text = json.dumps(live).encode()
    said = record(folder, f"{ARTICLE}/publication.json")
    said["editions"][1]["fingerprint"] = sha256(text).hexdigest()
    forge(
        folder,
        {f"{ARTICLE}/edition-2.json": text, f"{ARTICLE}/publication.json": json.dumps(said).encode()},
    )
    report = restore(folder)
    assert f"{ARTICLE}/publication.json: this holds something that cannot be kept here." in report.problems
    assert not Publication.objects.filter(slug="pain-in-the-leg").exists()
    assert not StoredDocument.objects.filter(pk=said["editions"][1]["fingerprint"]).exists()


def smuggled() -> Iterator[tuple[str, bytes]]:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield "an SVG", svg
    yield "a page", b"<!doctype html><script>alert(1)</script>"
    yield "a picture with a page behind it", picture_bytes() + b"<script>alert(1)</script>"
    yield "a GIF", picture_bytes(format_="GIF")
    yield "a JPEG that says it is a PNG", picture_bytes(format_="JPEG")
    yield "half a picture", picture_bytes(size=(300, 300))[:-400]
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    yield "a bomb", bomb.getvalue()


@pytest.mark.once
@pytest.mark.parametrize(("content", "what"), [pytest.param(c, w, id=w) for w, c in smuggled()])
def test_nothing_comes_in_as_a_picture_that_is_none(folder: Path, tmp_path: Path, content: bytes, what: str) -> None:
    without(folder, keep="none of them")
    rows = record(folder, "pictures.json")
    portrait = next(row for row in rows if row["alt"] == "A portrait")
    portrait["content_hash"] = sha256(content).hexdigest()
    name = f"pictures/{portrait['content_hash']}.png"
    forge(folder, {"pictures.json": json.dumps(rows).encode(), name: content})
    report = restore(folder)
    (problem,) = report.problems
    assert problem.startswith(f"{name}: ")
    assert not (tmp_path / "media" / f"pictures/{portrait['content_hash'][:2]}/{portrait['content_hash']}").exists()
    assert Contributor.objects.get(name="Ada Author").photo is None


@pytest.mark.once
@pytest.mark.parametrize("name", ["../outside.json", "/etc/passwd", "a/../../b", "a\\b", "..", "a//b", "C:x", ""])
def test_names_that_lead_out_of_the_export_are_refused(original: Path, tmp_path: Path, name: str) -> None:
    sums = f"{'0' * 64}  {name}\n"
    (tmp_path / SUMS).write_text(sums)
    about = record(original, ABOUT) | {"sums": sha256(sums.encode()).hexdigest()}
    (tmp_path / ABOUT).write_text(json.dumps(about))
    with pytest.raises(NoExport, match=r"Line 1 of SHA256SUMS"):
        restore(tmp_path)


@pytest.mark.once
def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    shutil.copytree(folder / CONDITION, secret)
    shutil.rmtree(folder / CONDITION)
    (folder / CONDITION).symlink_to(secret)
    site = (folder / "site.json").read_bytes()
    (tmp_path / "site.json").write_bytes(site)
    (folder / "site.json").unlink()
    (folder / "site.json").symlink_to(tmp_path / "site.json")
    os.remove(folder / "tags.json")
    os.mkfifo(folder / "tags.json")
    report = restore(folder)
    assert sum("is a link or no file" in problem for problem in report.problems) >= 3
    assert not SiteSettings.objects.exists()
    assert not Publication.objects.filter(slug="sciatica").exists()


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ABOUT, '{"format": "bedside-export"}')
        with archive.open("big", "w", force_zip64=True) as big:
            for _ in range(20):
                big.write(bytes(1024 * 1024))


def _twice(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")


@pytest.mark.once
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_bomb, "unpacks to far more"),
        (_twice, "two files of one name"),
        (lambda path: path.write_bytes(b"PK\x03\x04 and so on"), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: None, "cannot be read"),
        (lambda path: path.mkdir(), "has no file bedside.json"),
        (lambda path: (path.mkdir(), (path / ABOUT).write_bytes(b"[" * 100_000)), "not what an export says"),
        (lambda path: (path.mkdir(), (path / ABOUT).write_text("[]")), "not what an export says"),
        (lambda path: (path.mkdir(), (path / ABOUT).write_text('{"version": 2, "new": 1}')), "Update the site first"),
    ],
)
def test_what_is_no_export_is_told_in_a_sentence(
    tmp_path: Path, make: Callable[[Path], None], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.archive.files.SMALL", 1024 * 1024)
    make(tmp_path / "given.zip")
    with pytest.raises(NoExport, match=sentence):
        restore(tmp_path / "given.zip")


def _mutated(content: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of them changed, left out, or repeated."""
    found = bytearray(content)
    for _time in range(chance.randint(1, 8)):
        at = chance.randrange(len(found))
        match chance.randrange(4):
            case 0:
                found[at] = chance.randrange(256)
            case 1:
                del found[at : at + chance.randrange(200)]
            case 2:
                found[at:at] = found[at : at + chance.randrange(200)]
            case _:
                found[at : at + 4] = chance.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"PK\1\2", b"null"])
    return bytes(found)


@pytest.mark.once
@pytest.mark.parametrize("times", [12, pytest.param(400, marks=pytest.mark.long)])
def test_no_bytes_whatever_raise_more_than_a_sentence(folder: Path, tmp_path: Path, times: int) -> None:
    """A zip that was changed anywhere, and records and texts that were changed by somebody who made the sums right."""
    chance = random.Random(times)
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in tree(folder):
            archive.write(folder / name, name)
    whole, files = packed.read_bytes(), tree(folder)
    names = [name for name in files if name.endswith((".json", ".png")) and not name.startswith("schema/")]
    names = [name for name in names if name != ABOUT]
    for _time in range(times):
        packed.write_bytes(_mutated(whole, chance))
        changed = chance.choice(names)
        forge(folder, {changed: _mutated(files[changed], chance)})
        for path in (packed, folder):
            with passing_site(), suppress(NoExport):
                restore(path)
        forge(folder, {changed: files[changed]})


# --- Killed half-way ----------------------------------------------------------------------------------------------

DYING = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from django.conf import settings
settings.MEDIA_ROOT = sys.argv[4]
from publishing.archive import restore as module
place, after = sys.argv[2], int(sys.argv[3])
real, calls = getattr(module, place), []

def dying(*args, **kwargs):
    calls.append(1)
    if len(calls) == after:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)

setattr(module, place, dying)
module.restore(Path(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_two_restores_at_once_are_one(folder: Path, tmp_path: Path) -> None:
    reports = at_once(lambda: restore(folder), lambda: restore(folder))
    assert [report.problems for report in reports] == [[], []]
    assert sum(report.restored for report in reports) == 7
    assert tree(exported(tmp_path / "again")) == tree(folder)


@pytest.mark.django_db(transaction=True)
def test_a_restore_that_is_killed_goes_on_where_it_was(folder: Path, tmp_path: Path, settings: Settings) -> None:
    """Between pictures, in the middle of a text, and in the middle of the last."""
    counts = []
    for place, after in (("kept_picture", 2), ("write_trust", 3), ("_new_draft", 4)):
        command = [sys.executable, "-c", DYING, str(folder), place, str(after), str(settings.MEDIA_ROOT)]
        ended = subprocess.run(command, cwd=django_settings.BASE_DIR, env=environment(1), capture_output=True)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        counts.append(Publication.objects.count())
        drafts = sum(kind.draft._default_manager.count() for kind in kinds.values())
        assert drafts == Publication.objects.count() == Publication.objects.filter(editions__number=1).count()
    assert counts == [0, 2, 5]
    report = restored(folder)
    assert (report.restored, report.unchanged) == (2, 5)
    assert tree(exported(tmp_path / "again")) == tree(folder)


# --- Whatever is published ----------------------------------------------------------------------------------------


def possible(value: Any, key: str = "") -> Any:
    """A drawn value as a site could have it: identities, dates and languages that are some, and no NUL."""
    if isinstance(value, dict):
        return {name: None if name == "picture" else possible(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [possible(inner, key) for inner in value]
    if not isinstance(value, str):
        return value
    if key in ("uuid", "id") or (key == "translation_of" and value):
        return str(uuid5(NAMESPACE_URL, value))
    if key == "language":
        return "de" if len(value) % 2 else "en"
    if key == "published":
        return "2019-05-01" if value else ""
    return value.replace("\0", "")


def documents(kind: str) -> st.SearchStrategy[Document]:
    def made(document: Any) -> Document:
        data = possible(document.model_dump(mode="json", by_alias=True))
        return kinds[kind].document.model_validate_json(json.dumps(data))

    return of_model(kinds[kind].document).map(made)


def put_on_record(document: Document, number: int) -> None:
    """Publish a document past the checks, which know what a text should say; here it is about what it may hold."""
    publication, _made = Publication.objects.get_or_create(
        uuid=UUID(document.uuid), defaults={"kind": document.kind, "slug": f"text-{number}", "language": "en"}
    )
    last = publication.editions.aggregate(last=Max("number"))["last"] or 0
    snapshot = take_snapshot(publication=publication, document=document, purpose=Snapshot.Purpose.PUBLISH, by=None)
    publish(snapshot=snapshot, by=None, level="major", note=f"Edition {last + 1}.")  # type: ignore[arg-type]


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(texts=st.lists(st.one_of([documents(kind) for kind in ("article", "condition", "page")]), max_size=4))
def test_export_and_restore_are_each_others_inverse(
    texts: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.services.findings_for", lambda *_, **__: [])
    kinds_by_uuid = {text.uuid: text.kind for text in reversed(texts)}
    unique = {text.fingerprint(): text for text in texts if kinds_by_uuid[text.uuid] == text.kind}
    with passing_site():
        for number, text in enumerate(unique.values()):
            put_on_record(text, number)
        before = tree(exported(tmp_path / "before"))
    with passing_site():
        report = restored(tmp_path / "before")
        assert report.restored == len({text.uuid for text in unique.values()})
        after = tree(exported(tmp_path / "after"))
    assert after == before
    assert sum(name.endswith(".json") and "/edition-" in name for name in before) == len(unique)

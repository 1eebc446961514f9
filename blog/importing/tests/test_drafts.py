"""From what was understood to a draft, again and again."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from blog.importing import drafts, writing
from blog.importing.blocks import Block, Kind, Meta, PictureRef, SourceArticle
from blog.importing.drafts import Outcome, State, bring_in, propose_condition, remake
from blog.importing.result import (
    ArticleKind,
    Entry,
    Origin,
    PlacedPicture,
    Reference,
    Section,
    Sign,
    Structure,
    Tip,
    Understood,
)
from blog.importing.result import Urgency as Proposed
from blog.importing.writing import MOST_TAGS
from blog.models import Article, ImportedSource
from conditions.models import Condition
from config.tests.factories import (
    fresh,
    make_article,
    make_condition,
    make_contributor,
    make_user,
    picture_bytes,
    publish_draft,
    snapshot_of,
)
from images.models import Picture
from newsletter.planning import _by_rule
from publishing.models import Citation, Edition, FormerPath, Generation, Publication
from publishing.richtext import plain
from publishing.services import Refused, claim_version, delete_draft

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2015, 3, 14, 9, 26, tzinfo=UTC)


def source(title: str = "Back pain", words: str = "It hurts.", *, key: str = "a", **more: Any) -> SourceArticle:
    blocks = (Block(Kind.HEADING, title, 1, level=1), Block(Kind.PARAGRAPH, words, 3))
    digest = sha256(f"{title}{words}".encode(errors="replace")).hexdigest()
    return SourceArticle(f"{key}.html", "html", key, digest, blocks, **more)


def structure_of(article: SourceArticle, **more: Any) -> Structure:
    """What the finder would make of source(), with whatever a test adds."""
    title, *words = article.blocks
    meta = article.meta
    found = Structure(kind=ArticleKind.PLAIN, title=title.text, intro="".join(f"<p>{word.text}</p>" for word in words))
    facts = {name: getattr(meta, name) for name in ("authors", "published", "tags", "url", "paths")}
    pictures = (PlacedPicture(meta.picture, "lead"),) if meta.picture else ()
    return replace(found, **{"pictures": pictures, **facts, **more})


@pytest.fixture(autouse=True)
def understanding(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the finder finds beside title and intro, so that these tests are about what comes after it."""
    found: dict[str, Any] = {}

    def understand(article: SourceArticle, *, corrections: Any = None, language: str = "") -> Understood:
        structure = structure_of(article, **found | (corrections or {}))
        return Understood(article, language or article.meta.language or "en", (), structure, ())

    monkeypatch.setattr(drafts, "understand", understand)
    monkeypatch.setattr(drafts, "report_text", lambda understood: "\n".join(["Took: all.", *understood.remarks]))
    return found


def draft_of(outcome: Outcome) -> Article:
    assert outcome.source.article
    return Article.objects.get(pk=outcome.source.article.pk)


def remarks(outcome: Outcome) -> str:
    return ImportedSource.objects.get(pk=outcome.source.pk).report


# --- Again and again ---------------------------------------------------------------------------------------------


def test_an_article_becomes_a_draft_that_nobody_but_editors_sees() -> None:
    outcome = bring_in(source(), by=make_user())
    article = draft_of(outcome)
    assert (outcome.state, article.title, article.intro) == (State.NEW, "Back pain", "<p>It hurts.</p>")
    assert (article.version, article.publication.slug) == (2, "back-pain")
    assert article.fingerprint == article.build().fingerprint()
    assert outcome.source.imported_by == make_user()
    assert not Edition.objects.exists()
    assert not Publication.objects.live().exists()
    assert not Generation.objects.exists()
    assert mail.outbox == []


def test_the_same_again_writes_nothing() -> None:
    bring_in(source())
    before = fresh(Article.objects.get())
    with CaptureQueriesContext(connection) as queries:
        assert bring_in(source()).state == State.UNCHANGED
    assert [query["sql"][:6] for query in queries] == ["SELECT"]
    assert fresh(before).changed_at == before.changed_at


def test_a_changed_source_updates_the_draft_in_place(understanding: dict[str, Any]) -> None:
    understanding["entries"] = (Entry("Sciatica", "<p>A nerve.</p>"), Entry("Strain", "<p>A muscle.</p>"))
    understanding["tips"] = (Tip("Move", "<p>Walk.</p>"),)
    before = draft_of(bring_in(source()))
    understanding["entries"] = (Entry("Strain", "<p>A muscle, again.</p>"),)
    outcome = bring_in(source("Lower back pain", "It still hurts."))
    after = draft_of(outcome)
    assert outcome.state == State.UPDATED
    assert (after.pk, after.publication.slug, after.title) == (before.pk, "back-pain", "Lower back pain")
    assert [(entry.heading, entry.text) for entry in after.entries.all()] == [("Strain", "<p>A muscle, again.</p>")]
    assert after.tips.count() == 1
    assert after.fingerprint == after.build().fingerprint() != before.fingerprint
    assert bring_in(source("Lower back pain", "It still hurts.")).state == State.UNCHANGED
    assert bring_in(source()).state == State.UPDATED  # and back


def edit(article: Article) -> None:
    claim_version(draft=article, opened_at=article.version, by=make_user())
    Article.objects.filter(pk=article.pk).update(title="By the editor")


@pytest.mark.parametrize("touch", [edit, snapshot_of, lambda article: remade(article)])
def test_what_an_editor_has_touched_is_left_alone_and_the_newer_source_waits(touch: Any) -> None:
    article = draft_of(bring_in(source()))
    touch(article)
    before = fresh(article)
    outcome = bring_in(source(words="Quite new."))
    assert outcome.state == State.EDITED
    after = fresh(article)
    assert (after.title, after.intro, after.version) == (before.title, before.intro, before.version)
    kept = ImportedSource.objects.get()
    assert kept.newer_since is not None
    assert "Quite new." in str(kept.blocks)
    assert bring_in(source(words="Quite new.")).state == State.UNCHANGED


def remade(article: Article) -> None:
    kept = article.imported_from.get()
    remake(source=kept, corrections={"conclusion": "<p>As corrected.</p>"}, by=make_user())  # type: ignore[arg-type,typeddict-item,typeddict-unknown-key,unused-ignore]


def test_a_deleted_draft_is_not_made_again() -> None:
    delete_draft(draft=draft_of(bring_in(source())))
    assert bring_in(source()).state == State.DELETED
    assert bring_in(source(words="Quite new.")).state == State.DELETED
    assert not Article.objects.exists()
    assert not Publication.objects.exists()


def test_an_article_may_wait_for_an_editor() -> None:
    outcome = bring_in(source(), make=False)
    assert outcome.state == State.WAITING
    assert not Article.objects.exists()
    assert bring_in(source()).state == State.WAITING  # somebody is at it
    assert bring_in(source(words="Quite new.")).state == State.WAITING
    assert "Quite new." in str(ImportedSource.objects.get().blocks)


def test_an_editor_who_saves_in_the_same_moment_keeps_what_they_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    article = draft_of(bring_in(source()))
    write = writing.write_draft

    def after_a_save(*args: Any, **kwargs: Any) -> Any:
        edit(fresh(article))
        return write(*args, **kwargs)

    monkeypatch.setattr(drafts, "write_draft", after_a_save)
    assert bring_in(source(words="Quite new.")).state == State.EDITED
    assert ImportedSource.objects.get().newer_since


def test_what_fails_halfway_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blog.importing.writing.settle_draft", lambda draft: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring_in(source())
    assert not ImportedSource.objects.exists()
    assert not Publication.objects.exists()


# --- An editor corrects ------------------------------------------------------------------------------------------


def test_an_editor_has_the_draft_made_as_corrected() -> None:
    kept = bring_in(source(), make=False).source
    outcome = remake(source=kept, corrections={"title": "Corrected"}, by=make_user())  # type: ignore[arg-type,typeddict-item,typeddict-unknown-key,unused-ignore]
    assert (outcome.state, draft_of(outcome).title) == (State.NEW, "Corrected")
    again = remake(source=kept, corrections={"title": "Better"}, by=make_user())  # type: ignore[arg-type,typeddict-item,typeddict-unknown-key,unused-ignore]
    assert (again.state, draft_of(again).title) == (State.UPDATED, "Better")
    assert ImportedSource.objects.get().corrections == {"title": "Better"}
    assert Article.objects.count() == 1


def test_corrections_are_kept_without_a_draft() -> None:
    kept = bring_in(source(), make=False).source
    outcome = remake(source=kept, corrections={"title": "Corrected"}, by=make_user(), make=False)  # type: ignore[arg-type,typeddict-item,typeddict-unknown-key,unused-ignore]
    assert outcome.state == State.WAITING
    assert ImportedSource.objects.get().corrections == {"title": "Corrected"}
    assert not Article.objects.exists()


def test_a_draft_that_somebody_has_worked_on_is_not_made_again() -> None:
    outcome = bring_in(source())
    edit(draft_of(outcome))
    with pytest.raises(Refused, match="worked on the draft"):
        remake(source=outcome.source, corrections={"title": "Corrected"}, by=make_user())  # type: ignore[arg-type,typeddict-item,typeddict-unknown-key,unused-ignore]
    assert draft_of(outcome).title == "By the editor"
    assert ImportedSource.objects.get().corrections == {}


def test_a_draft_that_was_deleted_is_made_again_when_an_editor_asks() -> None:
    outcome = bring_in(source())
    delete_draft(draft=draft_of(outcome))
    assert remake(source=outcome.source, corrections={}, by=make_user()).state == State.NEW
    assert Article.objects.count() == 1


# --- Every field -------------------------------------------------------------------------------------------------


def test_every_part_has_its_place(understanding: dict[str, Any]) -> None:
    understanding |= {
        "kind": ArticleKind.CONDITIONS,
        "topic": "back pain",
        "entries_heading": "Three causes",
        "entries": (Entry("Strain", "<p>A muscle.</p>", "<p>Rest.</p>", "Common"), Entry("Gout")),
        "tips_heading": "Prevent it",
        "tips_intro": "<p>Try:</p>",
        "tips": (Tip("Move", "<p>Walk.</p>"), Tip("Sleep")),
        "signs_heading": "When to call",
        "signs_intro": "<p>If:</p>",
        "signs": (Sign("Chest pain", Proposed.EMERGENCY), Sign("Fever", Proposed.URGENT)),
        "note": "<p>Call.</p>",
        "sections": (Section("Questions", "<p>Answers.</p>"),),
        "conclusion_heading": "In short",
        "conclusion": "<p>It passes.</p>",
    }
    document = draft_of(bring_in(source(meta=Meta(summary="Why it hurts.")))).build()
    assert document.form == "conditions"
    assert (document.topic, document.summary) == ("back pain", "Why it hurts.")
    assert (document.entries_heading, document.tips_heading) == ("Three causes", "Prevent it")
    assert (document.warning_signs_heading, document.conclusion_heading) == ("When to call", "In short")
    assert [(e.heading, e.text, e.treatment, e.group) for e in document.entries] == [
        ("Strain", "<p>A muscle.</p>", "<p>Rest.</p>", "Common"),
        ("Gout", "", "", ""),
    ]
    assert [(tip.name, tip.text) for tip in document.tips] == [("Move", "<p>Walk.</p>"), ("Sleep", "")]
    assert [(s.text, s.urgency.value) for s in document.warning_signs] == [
        ("Chest pain", "emergency"),
        ("Fever", "urgent"),
    ]
    assert [(section.heading, section.text) for section in document.sections] == [("Questions", "<p>Answers.</p>")]
    texts = (document.tips_intro, document.warning_signs_intro, document.note, document.conclusion)
    assert texts == ("<p>Try:</p>", "<p>If:</p>", "<p>Call.</p>", "<p>It passes.</p>")


def test_nothing_is_cut_without_being_kept_whole(understanding: dict[str, Any]) -> None:
    def long(name: str) -> str:
        return f"{name} " + "so long " * 60 + f"end of {name}"

    understanding |= {
        "entries_heading": long("list"),
        "entries": (Entry(long("entry"), "<p>x</p>", group=long("group")),),
        "tips_heading": long("tips"),
        "tips": (Tip(long("tip")),),
        "signs_heading": long("signs"),
        "sections": (Section(long("section")),),
        "conclusion_heading": long("conclusion"),
        "signs": (Sign(long("sign") * 3, Proposed.URGENT),),
        "origin": Origin(long("origin"), "https://x.example/" + "x" * 600, long("original")),
        "authors": (long("author"),),
        "tags": (long("tag"), "good"),
        "references": (Reference(long("reference"), url="https://y.example/"),),
    }
    article = draft_of(outcome := bring_in(source(long("title"), meta=Meta(summary=long("summary")))))
    document = article.build()
    everything = " ".join(plain(html) for _place, html in document.texts()) + " ".join(
        [*(sign.text for sign in document.warning_signs), remarks(outcome)]
    )
    everything = " ".join(everything.split())
    for name in ("list", "entry", "group", "tips", "tip", "signs", "section", "conclusion", "sign", "origin",
                 "original", "author", "tag", "reference", "title", "summary"):  # fmt: skip
        assert f"end of {name}" in everything, name
    assert "x" * 600 in everything
    assert all(len(entry.heading) <= 200 for entry in article.entries.all())
    article.full_clean(exclude=["publication"])
    for row in (*article.entries.all(), *article.sections.all(), *article.tips.all()):
        row.full_clean()


def test_what_postgresql_cannot_keep_is_replaced() -> None:
    outcome = bring_in(source("Back\0pain", "It\ud800hurts."))
    assert draft_of(outcome).title == "Back\N{REPLACEMENT CHARACTER}pain"


def test_the_language_is_that_of_the_text(understanding: dict[str, Any]) -> None:
    assert draft_of(bring_in(source(meta=Meta(language="de")))).publication.language == "de"
    outcome = bring_in(source(key="b", meta=Meta(language="pt")))
    assert draft_of(outcome).publication.language == "pt"
    assert "a language (pt) that this site does not have" in remarks(outcome)


def test_tags_are_those_of_the_site_where_it_has_them() -> None:
    bring_in(source(meta=Meta(tags=("Back pain", "Nerves"))))
    outcome = bring_in(source(key="b", meta=Meta(tags=("back  PAIN", "!?", *(f"t{n}" for n in range(30))))))
    names = set(draft_of(outcome).publication.tags.names())
    assert "Back pain" in names
    assert "back PAIN" not in names
    assert len(names) == MOST_TAGS
    assert "These tags were not taken: !?, t19" in remarks(outcome)


def test_authors_are_found_by_their_names() -> None:
    ada = make_contributor("Ada Author", credentials="MSc")
    outcome = bring_in(source(meta=Meta(authors=("Dr. Ada Author, MD", "Nobody Known"))))
    assert list(draft_of(outcome).authors.all()) == [ada]
    assert "No contributor of this site is called: Nobody Known." in remarks(outcome)


def test_two_people_of_one_name_are_not_mixed_up() -> None:
    make_contributor("Ada Author", slug="ada-1")
    make_contributor("Dr. Ada Author", slug="ada-2")
    assert not draft_of(bring_in(source(meta=Meta(authors=("Ada Author",))))).authors.exists()


# --- The library -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "herniated disc", "Herniated Discs", "The herniated disc", "Herniated disc(s)", "Herniated-disc",
        "Herniated disc (slipped disc)", "Slipped herniated disc", "Slipped disc (herniated disc)", "Herniated disc:",
    ],
)  # fmt: skip
def test_a_known_condition_is_linked_and_the_entry_keeps_its_words(name: str, understanding: dict[str, Any]) -> None:
    condition = make_condition("Herniated disc")
    publish_draft(condition)
    understanding["entries"] = (Entry(name, "<p>Own words.</p>"),)
    entry = draft_of(bring_in(source())).entries.get()
    assert entry.condition == condition
    assert entry.pin == fresh(condition.publication).live
    assert (entry.heading, entry.text) == (name, "<p>Own words.</p>")


@pytest.mark.parametrize(
    "name",
    [
        "Herniated disc or infections", "Herniated disc and sciatica", "Disc", "Herniated", "Injury (herniated disc)",
        "Cervical herniated disc", "Herniated disc surgery", "", "()",
    ],
)  # fmt: skip
def test_none_rather_than_the_wrong_condition(name: str, understanding: dict[str, Any]) -> None:
    make_condition("Herniated disc")
    understanding["entries"] = (Entry(name, "<p>Own words.</p>"),)
    assert draft_of(bring_in(source())).entries.get().condition is None


def test_a_name_that_two_conditions_have_is_none_of_theirs(understanding: dict[str, Any]) -> None:
    for name in ("Sprain", "Strain"):
        make_condition(name, synonyms="Pulled muscle")
    understanding["entries"] = (Entry("Pulled muscles", "<p>Own.</p>"),)
    assert draft_of(bring_in(source())).entries.get().condition is None


def test_the_library_of_another_language_is_not_looked_at(understanding: dict[str, Any]) -> None:
    english, german = make_condition("Migraine"), make_condition("Migraine", slug="migraine-de")
    Publication.objects.filter(pk=german.publication_id).update(language="de")
    understanding["entries"] = (Entry("Migraine", "<p>Own.</p>"),)
    assert draft_of(bring_in(source(), language="de")).entries.get().condition == german
    assert draft_of(bring_in(source(key="b"))).entries.get().condition == english


def test_an_entry_proposes_a_library_entry_when_asked(understanding: dict[str, Any]) -> None:
    understanding["entries"] = (Entry("Sacral ache", "<p>What it is.</p>", "<p>Rest.</p>"),)
    article = draft_of(bring_in(source()))
    before = article.fingerprint
    assert not Condition.objects.exists()
    condition = propose_condition(entry=article.entries.get(), by=make_user())
    assert (condition.name, condition.what_it_is, condition.treatment) == (
        "Sacral ache", "<p>What it is.</p>", "<p>Rest.</p>",
    )  # fmt: skip
    assert not condition.publication.is_live
    entry = article.entries.get()
    assert (entry.condition, entry.text, entry.treatment) == (condition, "<p>What it is.</p>", "<p>Rest.</p>")
    after = fresh(article)
    assert after.fingerprint == after.build().fingerprint() != before
    with pytest.raises(Refused, match="already"):
        propose_condition(entry=entry, by=make_user())


def test_what_the_library_has_is_not_proposed_again(understanding: dict[str, Any]) -> None:
    understanding["entries"] = (Entry("Sciatica", "<p>A nerve.</p>"), Entry("", "<p>No name.</p>"))
    article = draft_of(bring_in(source()))
    make_condition("Sciatica")
    known, nameless = article.entries.all()
    with pytest.raises(Refused, match="choose it"):
        propose_condition(entry=known, by=make_user())
    with pytest.raises(Refused, match="name"):
        propose_condition(entry=nameless, by=make_user())
    assert Condition.objects.count() == 1


# --- Pictures ----------------------------------------------------------------------------------------------------

FILES = {
    "lead.jpg": picture_bytes("red", format_="JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "a.png": picture_bytes("green"),
    "b.webp": picture_bytes("blue", format_="WEBP"),
    "c.png": picture_bytes("yellow"),
    "broken.jpg": b"\xff\xd8\xff no picture",
}


def placed(name: str, place: str, **words: str) -> PlacedPicture:
    return PlacedPicture(PictureRef(name, **words), place)


def test_pictures_come_along_to_their_places(understanding: dict[str, Any]) -> None:
    understanding |= {
        "entries": (Entry("One", "<p>x</p>"), Entry("Two", "<p>x</p>")),
        "pictures": (
            placed("lead.jpg", "lead", alt="A back", caption="It hurts.", credit="Somebody"),
            placed("gone.png", "entry:2"),
            placed("a.png", "entry:2", caption="A nerve"),
            placed("b.webp", "entry:2", alt="Another"),
            placed("c.png", "section:1"),
            placed("broken.jpg", ""),
        ),
    }
    article = draft_of(outcome := bring_in(source(open_file=FILES.get)))
    lead, (one, two) = article.picture, article.entries.all()
    assert lead
    assert (lead.alt, lead.caption, lead.credit) == ("A back", "It hurts.", "Somebody")
    assert one.picture is None
    assert two.picture
    assert two.picture.alt == "A nerve"
    assert Picture.objects.count() == 4
    report = remarks(outcome)
    assert "The picture “gone.png” did not come along." in report
    assert "The picture “broken.jpg” could not be taken." in report
    assert "they are among the site's pictures: b.webp, c.png" in report
    assert "Describe the picture “c.png”" in report
    with CaptureQueriesContext(connection) as queries:
        assert bring_in(source(open_file=FILES.get)).state == State.UNCHANGED
    assert not [query for query in queries if not query["sql"].startswith("SELECT")]


def test_a_picture_that_comes_later_is_taken_then() -> None:
    meta = Meta(picture=PictureRef("lead.jpg", alt="A back"))
    assert draft_of(bring_in(source(meta=meta))).picture is None
    assert bring_in(source(meta=meta)).state == State.UNCHANGED
    outcome = bring_in(source(meta=meta, open_file=FILES.get))
    assert outcome.state == State.UPDATED
    assert draft_of(outcome).picture
    # and stays when the files do not come along again
    assert bring_in(source(meta=meta)).state == State.UNCHANGED
    assert draft_of(bring_in(source(words="New.", meta=meta))).picture


def test_pictures_are_there_when_an_editor_makes_the_draft_later() -> None:
    meta = Meta(picture=PictureRef("lead.jpg", alt="A back"))
    kept = bring_in(source(meta=meta, open_file=FILES.get), make=False).source
    assert draft_of(remake(source=kept, corrections={}, by=make_user())).picture


# --- Sources -----------------------------------------------------------------------------------------------------


def test_references_become_citations_where_their_numbers_stand(understanding: dict[str, Any]) -> None:
    known = Citation.objects.create(key="known", kind="study", title="Known", doi="10.1000/ABC")
    understanding |= {
        "intro": "<p>One [1]. Two<sup>2</sup>. Both [1, 2]. All <sup>[1-3]</sup>. <a href='#r1'>[1]</a> [9] [x]</p>",
        "entries": (Entry("Strain", "<p>Text [2].</p>", "<p>Rest <sup><a href='#2'>2</a></sup>.</p>"),),
        "references": (
            Reference("Smith J. Back pain. 2019.", doi="10.1000/abc", marker="1"),
            Reference("Jones K. Rest or not.", url="https://www.example.org/rest", year=2020, marker="2"),
            Reference("A book without an address.", marker="3"),
            Reference("Nobody cites this.", pmid="12345", marker="4"),
        ),
    }
    article = draft_of(outcome := bring_in(source()))
    assert (
        "One [@known]. Two[@jones-2020]. Both [@known][@jones-2020]. All <sup>[1-3]</sup>. [@known] [9] [x]"
        in article.intro
    )
    entry = article.entries.get()
    assert (entry.text, entry.treatment) == ("<p>Text [@jones-2020].</p>", "<p>Rest [@jones-2020].</p>")
    section = article.sections.get()
    pmid = Citation.objects.get(pmid="12345")
    assert section.heading == "References"
    assert section.text == (
        f"<ul><li>[3] A book without an address.</li><li>Nobody cites this. [@{pmid.key}]</li></ul>"
    )
    assert {row.key for row in article.build().citations} == {known.key, "jones-2020", pmid.key}
    assert Citation.objects.get(key="jones-2020").title == "Jones K. Rest or not."
    assert "3 references are sources of the site now" in remarks(outcome)
    assert "1 reference has no address" in remarks(outcome)
    bring_in(source(words="Changed."))
    assert Citation.objects.count() == 3


def test_keys_of_citations_are_free_and_valid(understanding: dict[str, Any]) -> None:
    texts = ["Smith. A. 2019", "Smith. B. 2019", "", "日本 2019", "A_b c"]
    understanding["references"] = tuple(
        Reference(text, url=f"https://x-y.example/{number}", year=2019 if "2019" in text else None)
        for number, text in enumerate(texts)
    )
    draft_of(bring_in(source()))
    assert Citation.objects.count() == 5
    for row in Citation.objects.all():
        row.full_clean()
    assert {"smith-2019", "smith-2019-2"} <= set(Citation.objects.values_list("key", flat=True))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "not an address", "https://x.example/" + "x" * 500, "http://["])
def test_an_address_that_is_none_makes_no_citation(url: str, understanding: dict[str, Any]) -> None:
    understanding["references"] = (Reference("A reference.", url=url, doi="no", pmid="no", marker="1"),)
    understanding["origin"] = Origin("Elsewhere", url)
    article = draft_of(bring_in(source()))
    assert not Citation.objects.exists()
    assert "A reference." in article.sections.get().text
    assert article.origin_url == ""


# --- Where it was before -----------------------------------------------------------------------------------------


def test_an_article_of_our_own_keeps_its_date_and_its_address() -> None:
    meta = Meta(published=LONG_AGO, url="https://old.example/2015/back/", paths=("/2015/back/", "/?p=3"))
    article = draft_of(bring_in(source(meta=meta)))
    assert article.publication.originally_published == LONG_AGO
    assert set(FormerPath.objects.values_list("path", flat=True)) == {"/2015/back", "/?p=3"}
    assert (article.origin_name, article.origin_published) == ("", None)


def test_a_syndicated_article_names_who_published_it_first_and_when(understanding: dict[str, Any]) -> None:
    understanding["origin"] = Origin("The Spine", "https://spine.example/back/", "Backs that ache")
    meta = Meta(published=LONG_AGO, url="https://www.spine.example/back/", paths=("/back/",), authors=("A. Writer",))
    article = draft_of(outcome := bring_in(source(meta=meta)))
    assert (article.origin_name, article.origin_url) == ("The Spine", "https://spine.example/back/")
    assert (article.origin_title, article.origin_author) == ("Backs that ache", "A. Writer")
    assert article.origin_published == date(2015, 3, 14)
    assert article.publication.originally_published is None
    assert not FormerPath.objects.exists()
    assert "contributor" not in remarks(outcome)


def test_what_our_old_site_took_over_keeps_our_address_and_date(understanding: dict[str, Any]) -> None:
    understanding["origin"] = Origin("The Spine", "https://spine.example/back/")
    meta = Meta(published=LONG_AGO, url="https://old.example/back/", paths=("/back/",))
    article = draft_of(bring_in(source(meta=meta)))
    assert article.publication.originally_published == LONG_AGO
    assert article.origin_published is None
    assert FormerPath.objects.get().path == "/back"


@pytest.mark.parametrize(
    "meta",
    [
        Meta(published=LONG_AGO, status="draft"),
        Meta(published=LONG_AGO, status="private"),
        Meta(published=datetime(2999, 1, 1, tzinfo=UTC)),
        Meta(),
    ],
)
def test_what_was_never_public_has_no_date(meta: Meta) -> None:
    article = draft_of(bring_in(source(meta=meta)))
    assert article.publication.originally_published is None


def test_an_address_that_is_taken_is_remarked_on(understanding: dict[str, Any]) -> None:
    first = draft_of(bring_in(source(meta=Meta(paths=("/old/",)))))
    outcome = bring_in(source(key="b", meta=Meta(paths=("/old/", "/tags/x/", "/newer/"))))
    assert FormerPath.objects.get(path="/old").publication == first.publication
    assert FormerPath.objects.get(path="/newer").publication == draft_of(outcome).publication
    assert "already leads to" in remarks(outcome)
    assert "“/tags/x”" in remarks(outcome)


def test_an_address_that_this_site_would_give_too_is_kept() -> None:
    outcome = bring_in(source(meta=Meta(paths=("/articles/my-back/",))))
    assert draft_of(outcome).publication.slug == "my-back"
    assert not FormerPath.objects.exists()
    other = bring_in(source(key="b", meta=Meta(paths=("/articles/my-back/",))))
    assert draft_of(other).publication.slug == "back-pain"


def test_a_title_without_latin_letters_takes_the_address_from_the_old_one() -> None:
    outcome = bring_in(source("背痛", meta=Meta(paths=("/2015/bei-tong/",))))
    assert draft_of(outcome).publication.slug == "bei-tong"


def test_what_was_imported_is_no_news_in_the_newsletter() -> None:
    article = draft_of(bring_in(source()))
    assert not _by_rule().filter(pk=article.publication_id).exists()


# --- An article of our own ---------------------------------------------------------------------------------------


def test_an_article_of_our_own_comes_back_as_it_was() -> None:
    publish_draft(make_condition("Herniated disc"))
    original = make_article("Back pain", conditions=list(Condition.objects.all()))
    document = original.build()
    Citation.objects.all().delete()
    outcome = bring_in(source(document=document.canonical()))
    copy = draft_of(outcome)
    assert copy.publication != original.publication
    assert copy.build() == document.model_copy(update={"uuid": str(copy.publication.uuid)})
    assert draft_of(remake(source=outcome.source, corrections={}, by=None)).build() == copy.build()


@pytest.mark.parametrize(
    "text", ["[]", "{}", "no JSON", '{"schema": 99}', '{"schema": "x"}', '{"schema": 1, "kind": "page"}']
)
def test_what_is_no_article_of_our_own_is_understood_like_any_other(text: str) -> None:
    assert draft_of(bring_in(source(document=text))).intro == "<p>It hurts.</p>"


# --- Two at once -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_once_one_makes_the_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_read = threading.Barrier(2, timeout=20)
    write, states, errors = drafts._write, [], []

    def wait_and_write(*args: Any, **kwargs: Any) -> Outcome:
        both_have_read.wait()
        return write(*args, **kwargs)

    def run() -> None:
        try:
            states.append(bring_in(source()).state)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    waits = iter([wait_and_write, wait_and_write])
    monkeypatch.setattr(drafts, "_write", lambda *args, **kwargs: next(waits, write)(*args, **kwargs))
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(states) == [State.NEW, State.UNCHANGED]
    assert Article.objects.count() == Publication.objects.count() == ImportedSource.objects.count() == 1

"""What happened earlier can be put on record with its own date; the demonstration's year is made that way."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from blog import demonstration
from config.tests.factories import fresh, make_article, make_contributor, make_user, publish_draft, reword, snapshot_of
from publishing.documents import CITATION
from publishing.models import BodyArea, Edition, Level, Mention, Publication, Snapshot, Trust
from publishing.richtext import plain
from publishing.services import Refused, add_months, findings_for, publish, sign_off, take_snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_an_edition_a_snapshot_and_a_review_keep_the_day_they_are_from() -> None:
    long_ago = timezone.now() - timedelta(days=400)
    draft = make_article()
    user = make_user("clinician")
    reviewer = make_contributor("Cleo Clinician", medical=True, credentials="MD", user=user)
    snapshot = take_snapshot(
        publication=draft.publication, document=draft.build(), purpose=Snapshot.Purpose.REVIEW, by=user, at=long_ago
    )
    record = sign_off(
        snapshot=snapshot,
        reviewer=reviewer,
        by=user,
        valid_until=add_months(timezone.localdate(long_ago), 12),
        statement="Read.",
        at=long_ago,
    )
    edition = publish(snapshot=snapshot, by=user, level=Level.MAJOR, note="", at=long_ago)
    publication = fresh(draft.publication)
    assert snapshot.taken_at == record.signed_at == edition.published_at == long_ago
    assert publication.first_published == publication.listed_at == long_ago
    assert publication.trust == Trust.OVERDUE


def test_an_edition_is_neither_from_the_future_nor_older_than_the_one_before() -> None:
    draft = make_article()
    publish_draft(draft)
    snapshot = snapshot_of(reword(draft))
    now = timezone.now()
    for at in (now + timedelta(hours=1), now - timedelta(days=1)):
        with pytest.raises(Refused, match="after the one before"):
            publish(snapshot=snapshot, by=None, level=Level.MAJOR, note="Later.", at=at)
    assert draft.publication.editions.count() == 1


# --- What the demonstration says --------------------------------------------------------------------------------


def texts(row: Any) -> Iterator[str]:
    """Every text in a row of a file, however deep."""
    if isinstance(row, str):
        yield row
    elif isinstance(row, dict):
        for name, value in row.items():
            yield from texts(value) if name not in NOT_WORDS else ()
    elif isinstance(row, list):
        for value in row:
            yield from texts(value)


NOT_WORDS = {"key", "slug", "condition", "picture", "urgency", "user", "file", "origin", "language"}


def test_the_files_name_only_what_there_is() -> None:
    rows = {name: demonstration.read(name) for name in ("articles", "conditions", "citations", "pictures", "people")}
    known = {name: {row["key"] for row in rows[name]} for name in rows}
    cited = [key for name in ("articles", "conditions") for text in texts(rows[name]) for key in CITATION.findall(text)]
    assert set(cited) == known["citations"]
    shown = [row["picture"] for row in [*rows["articles"], *rows["conditions"]]]
    entries = [entry for article in rows["articles"] for entry in article["entry"]]
    shown += [entry["picture"] for entry in entries]
    assert set(shown) - {""} == known["pictures"]
    assert {entry["condition"] for entry in entries} - {""} <= known["conditions"]
    for row in [*rows["articles"], *rows["conditions"]]:
        people = {*row.get("authors", []), row.get("reviewer", "ada-okafor")}
        assert people <= known["people"]
        assert row.get("reviewer", "ada-okafor") not in row.get("authors", [])
        parts = {part.get("name", part.get("text")) for part in [*row.get("tip", []), *row.get("sign", [])]}
        for edition in row.get("edition", []):
            assert set(edition.get("lacks", [])) <= parts
    folder = demonstration.HERE / "pictures"
    assert {row["file"] for row in rows["pictures"]} == {path.name for path in folder.glob("*.png")}
    assert all(len(row["alt"]) <= 125 for row in rows["pictures"])


def test_every_condition_is_linked_from_an_article() -> None:
    articles = demonstration.read("articles")
    words = " ".join(text for article in articles for text in texts(article))
    shown = {entry["condition"] for article in articles for entry in article["entry"]}
    for row in demonstration.read("conditions"):
        assert row["key"] in shown or f'href="/conditions/{row["key"]}/"' in words, row["key"]


@pytest.mark.parametrize("name", ["articles", "conditions", "pages"])
def test_sentences_are_short_and_numbers_are_not_bare_percentages(name: str) -> None:
    for text in texts(demonstration.read(name)):
        words = plain(text)
        assert not re.search(r"\d ?%(?! zoom)", words), words
        for sentence in re.split(r"(?<=[.!?:;])\s+|\n", words):
            assert len(sentence.split()) <= 24, sentence
        for paragraph in re.findall(r"<p>(.*?)</p>", text, re.DOTALL):
            assert len(re.findall(r"[.!?](?=\s|$)", plain(paragraph))) <= 4, paragraph


def test_it_is_a_site_that_has_been_lived_in(settings: Any) -> None:
    settings.DEMONSTRATION = True
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}  # renditions take long
    demonstration.load()
    live = Publication.objects.live()
    showing = Edition.objects.filter(live_publication__isnull=False).select_related("publication")
    found = {edition: findings_for(edition.document(), edition.publication) for edition in showing}
    assert [finding.id for findings in found.values() for finding in findings] == ["translation-outdated"]
    articles = live.of_kind("article")
    assert set(articles.values_list("trust", flat=True)) == set(Trust.values)
    assert {article.language for article in articles} == {"en", "de"}
    assert articles.filter(syndicated=True, trust=Trust.NOT_REVIEWED).count() == 1
    months = {f"{day:%Y-%m}" for day in articles.values_list("listed_at", flat=True)}
    assert len(months) == articles.count() == 7
    assert {edition.level for edition in Edition.objects.filter(number__gt=1)} == {Level.MAJOR, Level.MINOR}
    assert set(live.of_kind("condition").values_list("body_area", flat=True)) == set(BodyArea.values)
    for mention in Mention.objects.select_related("edition", "publication"):
        assert mention.edition is not None
        assert mention.edition.published_at < mention.publication.first_published  # type: ignore[operator]

"""Addresses and tags may change; old links arrive."""

from typing import Any

import pytest
from taggit.models import Tag

from config.tests.factories import fresh, make_article, make_condition, publish_draft
from publishing.models import FormerSlug, FormerTag, Generation, TaggedPublication
from publishing.services import Refused, change_address, merge_tags, raise_generation, rename_tag

pytestmark = pytest.mark.django_db


def generation() -> int:
    raise_generation()
    return Generation.objects.get().number


def make_tag(name: str, *publications: Any) -> Tag:
    for publication in publications:
        publication.tags.add(name)
    return Tag.objects.get_or_create(name=name)[0]


def tags_of(draft: Any) -> set[str]:
    return set(fresh(draft).publication.tags.names())


# --- Addresses -------------------------------------------------------------------------------------------------


def test_old_address_of_what_was_public_leads_to_the_new_one() -> None:
    draft = make_article(slug="old")
    publish_draft(draft)
    before = generation()
    change_address(publication=draft.publication, slug="new")
    assert fresh(draft.publication).slug == "new"
    former = FormerSlug.objects.get()
    assert (former.kind, former.slug, former.publication) == ("article", "old", draft.publication)
    assert Generation.objects.get().number > before


def test_old_address_of_what_was_never_public_is_forgotten() -> None:
    draft = make_article(slug="old")
    change_address(publication=draft.publication, slug="new")
    assert not FormerSlug.objects.exists()


def test_going_back_to_an_old_address_leaves_no_circle() -> None:
    draft = make_article(slug="old")
    publish_draft(draft)
    for slug in ("new", "old"):
        change_address(publication=draft.publication, slug=slug)
    assert FormerSlug.objects.get().slug == "new"


def test_address_that_another_page_has_is_refused() -> None:
    draft = make_article()
    make_article(slug="taken")
    with pytest.raises(Refused, match="Another page"):
        change_address(publication=draft.publication, slug="taken")


def test_address_that_another_page_had_is_refused_for_old_links_lead_there() -> None:
    other = make_article(slug="was-taken")
    publish_draft(other)
    change_address(publication=other.publication, slug="moved")
    draft = make_article()
    with pytest.raises(Refused, match="old links"):
        change_address(publication=draft.publication, slug="was-taken")
    assert FormerSlug.objects.get().publication == other.publication


def test_kinds_do_not_get_in_each_others_way() -> None:
    make_condition(slug="sciatica")
    draft = make_article(slug="old")
    change_address(publication=draft.publication, slug="sciatica")
    assert fresh(draft.publication).slug == "sciatica"


def test_same_address_changes_nothing() -> None:
    draft = make_article(slug="same")
    publish_draft(draft)
    before = generation()
    change_address(publication=draft.publication, slug="same")
    assert not FormerSlug.objects.exists()
    assert Generation.objects.get().number == before


# --- Tags ------------------------------------------------------------------------------------------------------


def test_old_address_of_a_renamed_tag_leads_to_it() -> None:
    draft = make_article()
    tag = make_tag("Back", draft.publication)
    before = generation()
    assert rename_tag(tag=tag, name="  Back   pain ") == tag
    assert tags_of(draft) == {"Back pain"}
    assert (fresh(tag).slug, FormerTag.objects.get().slug) == ("back-pain", "back")
    assert Generation.objects.get().number > before


def test_renaming_back_leaves_no_circle() -> None:
    tag = make_tag("Back")
    rename_tag(tag=tag, name="Spine")
    rename_tag(tag=tag, name="Back")
    assert fresh(tag).slug == "back"
    assert [(former.slug, former.tag) for former in FormerTag.objects.all()] == [("spine", tag)]


def test_changing_only_capitals_keeps_the_address() -> None:
    tag = make_tag("back pain")
    rename_tag(tag=tag, name="Back Pain")
    assert (fresh(tag).name, fresh(tag).slug) == ("Back Pain", "back-pain")
    assert not FormerTag.objects.exists()


def test_renaming_to_a_name_that_is_taken_merges() -> None:
    one, two = make_article("One"), make_article("Two")
    tag, other = make_tag("Back", one.publication, two.publication), make_tag("Spine", two.publication)
    assert rename_tag(tag=tag, name="spine") == other
    assert tags_of(one) == tags_of(two) == {"Spine"}
    assert not Tag.objects.filter(name="Back").exists()


@pytest.mark.parametrize("name", ["", "   ", "!?"])
def test_tag_needs_a_name_that_makes_an_address(name: str) -> None:
    tag = make_tag("Back")
    with pytest.raises(Refused, match="Write a name"):
        rename_tag(tag=tag, name=name)
    assert fresh(tag).name == "Back"


def test_name_whose_address_is_taken_is_refused() -> None:
    make_tag("Back-pain")
    tag = make_tag("Spine")
    with pytest.raises(Refused, match="address"):
        rename_tag(tag=tag, name="Back pain")


def test_merging_tags_moves_every_page_once_and_keeps_all_addresses() -> None:
    one, two = make_article("One"), make_article("Two")
    into = make_tag("Back pain", two.publication)
    first = make_tag("Back", one.publication, two.publication)
    second = make_tag("Lumbar", one.publication)
    rename_tag(tag=second, name="Lumbago")
    before = generation()
    assert merge_tags(tags=[first, second, into], into=into) == into
    assert tags_of(one) == tags_of(two) == {"Back pain"}
    assert TaggedPublication.objects.count() == 2
    assert {former.slug: former.tag for former in FormerTag.objects.all()} == {
        "back": into,
        "lumbar": into,
        "lumbago": into,
    }
    assert list(Tag.objects.all()) == [into]
    assert Generation.objects.get().number > before


def test_tags_change_no_text() -> None:
    draft = make_article()
    edition = publish_draft(draft)
    make_tag("Back", draft.publication)
    assert fresh(draft).fingerprint == edition.fingerprint

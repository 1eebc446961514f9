"""The makers of test rows make what they say."""

import pytest

from config.tests.factories import FIRST_WORDS, MAKERS, NEW_WORDS, STATES, make_in_state
from publishing.models import Schedule


@pytest.mark.django_db
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("state", STATES)
def test_every_kind_can_be_brought_into_every_state(state: str, kind: str) -> None:
    publication = make_in_state(state, kind).publication
    assert publication.is_live == (state in {"live", "live with a newer draft", "superseded"})
    assert publication.is_withdrawn == (state in {"withdrawn", "redacted"})
    assert publication.editions.count() == {
        "draft": 0, "in snapshot": 0, "scheduled": 0, "superseded": 2,
    }.get(state, 1)  # fmt: skip
    assert publication.schedules.filter(state=Schedule.State.PLANNED).exists() == (state == "scheduled")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", MAKERS)
def test_the_words_tell_what_is_live_from_what_is_not(kind: str) -> None:
    draft = make_in_state("live with a newer draft", kind)
    live = draft.publication.live.document().canonical()
    assert FIRST_WORDS in live
    assert NEW_WORDS not in live
    assert NEW_WORDS in draft.build().canonical()
    live = make_in_state("superseded", kind, slug="another").publication.live.document().canonical()
    assert NEW_WORDS in live
    assert FIRST_WORDS not in live

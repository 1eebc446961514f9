"""The drawn card: any title at all, and the right answer about what cannot be drawn."""

import io

import pytest
from django.conf import settings
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from PIL import Image, ImageChops, ImageStat

from images import cards

pytestmark = pytest.mark.once

LONGEST = "Numbness in your leg while sitting: what it is, why it comes, what is behind it and what you can do " * 2


def drawn(title: str, site: str = "Bedside") -> Image.Image:
    image = Image.open(io.BytesIO(cards.share_card(title, site)))
    image.load()
    return image


@pytest.mark.parametrize(
    ("words", "can"),
    [
        ("Rückenschmerzen", True),
        ("Đau lưng", True),
        ("Боль в спине", True),
        ("Πόνος ≥ 38 °C", True),
        ("Pain 🤕", True),
        ("16", True),
        ("כאב גב", False),
        ("背痛", False),
        ("ألم", False),
        ("Pain 痛", False),
        ("🤕", False),
        ("…", False),
        ("", False),
    ],
)
def test_what_the_font_lacks_is_known(words: str, can: bool) -> None:
    assert cards.can_draw(words) is can


@given(title=strategies.text(max_size=200), site=strategies.text(max_size=80))
@hypothesis_settings(max_examples=25, deadline=None)
def test_no_words_make_it_fail(title: str, site: str) -> None:
    assert drawn(title, site).size == cards.SIZE


@pytest.mark.parametrize("title", ["x", LONGEST[:200], "e" * 200, "iI" * 100, "a b " * 50, "1\n\t2"])
def test_title_stays_within_its_margins(title: str) -> None:
    font, lines = cards._fitted(cards._drawable(title))
    assert all(font.getlength(line) <= cards.LINE for line in lines)
    assert len(lines) * font.size * cards.LEADING <= cards.TITLE_BOTTOM - cards.TITLE_TOP
    assert "".join(lines).replace(" ", "") == "".join(title.split()).replace(" ", "")


def test_title_without_end_ends_in_an_ellipsis() -> None:
    _font, lines = cards._fitted("W" * 2000)
    assert lines[-1].endswith("W…")


def test_two_titles_are_two_pictures_and_a_site_has_its_name_on_it() -> None:
    assert cards.share_card("Back pain", "Bedside") == cards.share_card("Back pain", "Bedside")
    assert len({cards.share_card(*words) for words in (("A", "S"), ("B", "S"), ("A", "T"), ("", ""))}) == 4


def test_the_sites_own_picture_is_the_lamp_as_the_cards_draw_it() -> None:
    """static/icons/share.jpg is what share_card() gives; after a change of the design it is written anew."""
    with Image.open(settings.BASE_DIR / "static/icons/share.jpg") as kept:
        assert kept.size == cards.SIZE
        difference = ImageStat.Stat(ImageChops.difference(kept, drawn("", "")))
    assert max(difference.mean) < 1

"""The language of a source is told from its text."""

import json
import re
from pathlib import Path

import pytest
from pytest_django import Settings

from blog.importing.blocks import Block, Kind
from blog.importing.encoding import decode
from blog.importing.language import DEFAULT_LANGUAGE, guess_language, words_for

pytestmark = pytest.mark.once

ARCHIVE = Path(__file__).parent / "fixtures" / "archive"
LABELLED = {
    path: said["language"]
    for path in sorted(ARCHIVE.glob("*.expected.json"))
    if "language" in (said := json.loads(path.read_text("utf-8")))
}
GERMAN = "Der Schmerz in den Beinen ist meist harmlos und geht nach einer Woche von selbst weg, wenn man sich bewegt. "
ITALIAN = "Il dolore alle gambe è spesso innocuo e passa da solo dopo una settimana se ci si muove regolarmente. "
DUTCH = "De pijn in de benen is meestal onschuldig en gaat na een week vanzelf weg als je in beweging blijft. "
POLISH = "Ból nóg to zwykle nic groźnego i mija po tygodniu, a do lekarza idziemy, gdy nie mija, bo to już coś innego. "
CATALAN = (
    "El dolor a les cames sovint és inofensiu i passa tot sol, però quan no passa cal que el metge visiti la persona. "
)
JAPANESE = "足の痛みはたいてい無害で、体を動かしていれば一週間ほどで自然に消えます。"


def blocks(text: str) -> list[Block]:
    return [Block(Kind.PARAGRAPH, text, 1)]


@pytest.mark.parametrize("path", LABELLED, ids=lambda path: path.name.partition(".")[0])
def test_articles_are_read_in_their_language(path: Path) -> None:
    (source,) = [file for file in ARCHIVE.glob(path.name.replace("expected.json", "*")) if file != path]
    text = re.sub("<[^>]*>", "", decode(source.read_bytes()))
    assert guess_language(blocks(text)) == LABELLED[path]


def test_clear_text_is_believed_before_what_a_theme_declares() -> None:
    assert guess_language(blocks(GERMAN * 3), "en-US") == "de"


def test_what_is_declared_says_more_than_the_text_about_its_country() -> None:
    assert guess_language(blocks(GERMAN * 3), "de-CH") == "de-CH"


def test_short_text_is_in_the_declared_language_else_in_the_sites(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "fr"
    assert guess_language(blocks("Fieber"), "es") == "es"
    assert guess_language(blocks("Fieber")) == "fr"
    assert guess_language([]) == "fr"


@pytest.mark.parametrize("text", [ITALIAN * 3, DUTCH * 3, POLISH * 3, JAPANESE * 3, "12 34 56 " * 50])
def test_a_language_without_word_lists_is_not_taken_for_another(text: str, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "xx"
    assert guess_language(blocks(text)) == "xx"
    assert guess_language(blocks(text), "it") == "it"


def test_a_declared_language_without_word_lists_is_believed() -> None:
    assert guess_language(blocks(CATALAN * 3), "ca") == "ca"


def test_the_words_of_an_unknown_language_are_english() -> None:
    assert words_for("it") is words_for("") is words_for(DEFAULT_LANGUAGE)
    assert words_for("pt_BR") is words_for("PT-pt") is words_for("pt")

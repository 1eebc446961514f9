"""The interface speaks English and German: no text without a translation, and none that lost its placeholders."""

from __future__ import annotations

import re
import shutil
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings

pytestmark = pytest.mark.once

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+[^>]*>")


@pytest.fixture(scope="module")
def messages() -> Any:
    """script/messages, which has no .py to be imported by."""
    loader = SourceFileLoader("messages", str(ROOT / "script" / "messages"))
    spec = spec_from_loader("messages", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(ROOT / "locale" / language / "LC_MESSAGES" / "django.po"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    entries = catalogue(language)
    assert len(entries) > 1000
    assert [entry.msgid for entry in entries if not entry.translated()] == []
    for entry in entries:
        for source, translation in [(entry.msgid, entry.msgstr)] if not entry.msgid_plural else [
            (entry.msgid_plural, entry.msgstr_plural[1])
        ]:  # fmt: skip
            assert sorted(PLACEHOLDER.findall(source)) == sorted(PLACEHOLDER.findall(translation)), source


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_runs_is_what_is_written(language: str) -> None:
    """The compiled catalogue is in the repository, because not every machine has gettext."""
    compiled = polib.mofile(str(ROOT / "locale" / language / "LC_MESSAGES" / "django.mo"))
    written = {(entry.msgid, entry.msgstr, str(entry.msgstr_plural)) for entry in catalogue(language)}
    assert {(entry.msgid, entry.msgstr, str(entry.msgstr_plural)) for entry in compiled} == written


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed here")
def test_the_catalogues_hold_every_text_of_the_sources(messages: Any, tmp_path: Path) -> None:
    """What somebody added without running script/messages."""
    for room in ("blog", "conditions", "config", "images", "newsletter", "operations", "publishing", "templates"):
        ignore = shutil.ignore_patterns("tests", "__pycache__", "demonstration", "*.mo")
        shutil.copytree(ROOT / room, tmp_path / room, ignore=ignore)
    messages.extract(tmp_path)
    for language in LANGUAGES:
        found = {entry.msgid for entry in polib.pofile(str(messages.catalogue(language, tmp_path)))}
        known = {entry.msgid for entry in catalogue(language)}
        assert found - known == set(), "Run script/messages and translate what it lists."
        assert known - found == set(), "Run script/messages: these texts are gone."

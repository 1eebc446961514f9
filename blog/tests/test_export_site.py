"""The demonstration leaves as files and comes back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from blog import demonstration
from publishing.archive.restore import restore
from publishing.models import Publication
from publishing.tests.archives import passing_site, tree

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def test_the_demonstration_comes_back_the_same(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DEMONSTRATION = True
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}  # no renditions
    with passing_site():
        demonstration.load()
        count = Publication.objects.count()
        call_command("export_site", tmp_path / "before")
    settings.MEDIA_ROOT = tmp_path / "media"
    report = restore(tmp_path / "before")
    assert (report.restored, report.problems, report.remarks) == (count, [], [])
    call_command("export_site", tmp_path / "after")
    assert tree(tmp_path / "after") == tree(tmp_path / "before")
    assert f"{count} publications" in capsys.readouterr().out

"""What the demonstration has no page of, in a real browser: a text that was withdrawn.

All other templates: config/tests/test_site_accessibility.py.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from config.tests.accessibility import MODES, faults_of
from config.tests.factories import make_article, make_user, publish_draft
from publishing.services import withdraw


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_withdrawn_text_has_no_accessibility_fault_and_nothing_to_complain_of(
    live_server: LiveServer, browser: Browser
) -> None:
    gone = make_article("Gone", slug="gone")
    publish_draft(gone)
    withdraw(publication=gone.publication, by=make_user(), reason="It was wrong.")
    assert faults_of({"/articles/gone/": 410}, browser, live_server.url, MODES) == {}

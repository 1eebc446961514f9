"""The demonstration: whoever starts it finds mail to open and a newsletter to try."""

from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command

from newsletter.models import Issue, Subscriber
from newsletter.sending import Sending

pytestmark = pytest.mark.once


@pytest.mark.django_db
def test_the_first_start_has_readers_mail_to_open_and_a_draft(settings: Any) -> None:
    settings.DEMONSTRATION = True
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}  # renditions take long
    call_command("demonstrate", "--if-empty", stdout=StringIO())
    assert Subscriber.objects.filter(status="confirmed").count() == 18
    Sending().run_once()
    readers = Subscriber.objects.filter(status="confirmed").exclude(frequency="corrections").count()
    assert len(mail.outbox) == readers == 15
    assert Issue.objects.get(state=Issue.State.FINISHED).recipients == readers
    assert Issue.objects.filter(state=Issue.State.DRAFT).count() == 1
    call_command("demonstrate", "--if-empty", stdout=StringIO())
    assert Issue.objects.count() == 2

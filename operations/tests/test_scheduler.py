"""The scheduler: what a pass does when commands work, fail or end their process, and how the loop ends."""

import logging
import os
import signal
import threading

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from operations.management.commands import scheduler

# Between two commands the scheduler looks whether its database connection still lives.
pytestmark = pytest.mark.django_db


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[str]:
    """The names of the commands that ran; "broken" raises and "quits" ends its process."""
    names: list[str] = []

    def record(name: str) -> None:
        names.append(name)
        if name == "broken":
            raise ValueError("row 7 cannot be read")
        if name == "quits":
            raise SystemExit(3)

    monkeypatch.setattr(scheduler, "call_command", record)
    settings.SCHEDULE = ["first", "second"]
    return names


def test_one_pass_runs_every_command_in_order(ran: list[str]) -> None:
    call_command("scheduler", "--once")
    assert ran == ["first", "second"]


@pytest.mark.parametrize("name", ["broken", "quits"])
def test_a_failing_command_does_not_stop_the_ones_after_it(name: str, ran: list[str], settings: Settings) -> None:
    settings.SCHEDULE = ["first", name, "second"]
    with pytest.raises(CommandError, match=name):
        call_command("scheduler", "--once")
    assert ran == ["first", name, "second"]


def test_a_failure_is_logged_with_its_traceback(
    ran: list[str], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SCHEDULE = ["broken"]
    with caplog.at_level(logging.ERROR), pytest.raises(CommandError):
        call_command("scheduler", "--once")
    assert "Scheduled command failed: broken" in caplog.text
    assert "row 7 cannot be read" in caplog.text


def test_a_command_that_does_not_exist_is_reported_and_not_skipped(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SCHEDULE = ["no_such_command"]
    with pytest.raises(CommandError, match="no_such_command"):
        call_command("scheduler", "--once")
    assert "no_such_command" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_loop_finishes_its_pass_and_ends_on_a_signal(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    finished: list[str] = []

    def signalled(name: str) -> None:
        os.kill(os.getpid(), number)
        finished.append(name)

    monkeypatch.setattr(scheduler, "call_command", signalled)
    settings.SCHEDULE = ["first", "second"]
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    # A loop that did not end would hang the run; this one is ended by force after a minute.
    guard = threading.Timer(60, os._exit, [1])
    guard.start()
    try:
        call_command("scheduler", "--interval", "3600")
    finally:
        guard.cancel()
        for each, handler in before.items():
            signal.signal(each, handler)
    assert finished == ["first", "second"]

"""What the tests of all apps share: a flush that triggers allow, no network, the browser, the client."""

import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test import Client

from script.chromium import ARGUMENTS, NO_CHROMIUM, find_chromium

if TYPE_CHECKING:
    from django.db.backends.base.operations import BaseDatabaseOperations

# --- Flushing a database whose rows are immutable ---------------------------------------------------

DatabaseOperations = DatabaseWrapper.ops_class
execute_sql_flush = DatabaseOperations.execute_sql_flush


def flush_without_triggers(self: "BaseDatabaseOperations", sql_list: Sequence[str]) -> None:
    """Flush, with the triggers set aside that refuse to delete an edition.

    A transactional test empties the tables when it ends. PostgreSQL truncates, which row triggers allow;
    SQLite deletes, which they refuse. Only the tests do this: in production `flush` stays refused.
    """
    with self.connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers: list[tuple[str, str]] = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {self.quote_name(name)}")
        try:
            execute_sql_flush(self, sql_list)
        finally:
            for _name, sql in triggers:
                cursor.execute(sql)


# Patched when this file is imported, so that every database the tests make has it.
DatabaseOperations.execute_sql_flush = flush_without_triggers  # type: ignore[method-assign,assignment]


# --- No network ---------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """Refuse every connection to another machine: what a test claims must hold without one."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(("127.", "::1", "localhost")):
            raise RuntimeError(f"A test tried to reach {address[0]}.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


# --- The browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the system's Chromium; the test is skipped where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip(NO_CHROMIUM)
    return path


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium_path: str) -> dict[str, Any]:
    """Let pytest-playwright's `page` drive the system's Chromium, and nothing phone home meanwhile."""
    return browser_type_launch_args | {
        "executable_path": chromium_path,
        "args": ARGUMENTS,
    }


# --- The client ----------------------------------------------------------------------------------


@pytest.fixture
def client() -> Client:
    """A client under which every public test is a leak test."""
    from config.tests.guard import GuardedClient

    return GuardedClient()

"""The tests reach this machine only."""

import socket

import pytest


def test_another_machine_cannot_be_reached() -> None:
    # An address of RFC 5737, which belongs to nobody.
    with socket.socket() as caller, pytest.raises(RuntimeError, match=r"tried to reach 192\.0\.2\.1"):
        caller.connect(("192.0.2.1", 80))


def test_this_machine_can_be_reached() -> None:
    with socket.socket() as server, socket.socket() as caller:
        server.bind(("127.0.0.1", 0))
        server.listen()
        caller.connect(server.getsockname())

"""A deadline for bodies: a request that does not arrive is given up, and nothing else is touched."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.serving import Tutor
from tutor.web import stalled
from tutor.web.stalled import Deadline, silent

PATIENCE = 20
HEAD = b"POST /open HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\n"
pytestmark = pytest.mark.skipif(stalled.TCP_INFO is None, reason="this system tells nothing")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection: the reader's end and the server's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as reader,
        listening.accept()[0] as server,
    ):
        reader.settimeout(PATIENCE)
        server.settimeout(PATIENCE)
        yield reader, server


def until(line: socket.socket, seconds: float, *, idle: bool = False) -> None:
    """Wait until it has been silent for so long."""
    last = time.monotonic() + PATIENCE
    while silent(line, idle=idle) < seconds:
        assert time.monotonic() < last
        time.sleep(0.005)


def test_a_request_that_waits_for_its_answer_is_told_from_one_that_has_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    reader, server = pair
    reader.sendall(b"question")
    server.recv(100)
    until(server, 0.05)
    server.sendall(b"answer")
    reader.recv(100)
    until(server, 0.05, idle=True)
    assert silent(server, idle=False) == 0, "it is idle now"
    reader.sendall(b"another")
    server.recv(100)
    until(server, 0.1)


def test_only_what_is_overdue_is_closed(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled, "LOOK", 0.02)
    reader, server = pair
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as idle,
        listening.accept()[0] as answered,
    ):
        idle.sendall(b"question")
        answered.recv(100)
        until(answered, 0.02)
        answered.sendall(b"answer")
        reader.sendall(b"half a ")
        assert server.recv(100)
        with Deadline(0.2).expected():
            assert server.recv(100) == b"", "its end"
        answered.sendall(b"more")
        assert idle.recv(100).startswith(b"answer")


def test_half_a_request_behind_a_whole_one_is_closed_too(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled, "LOOK", 0.02)
    reader, server = pair
    reader.sendall(b"whole, and half a ")
    server.recv(100)
    until(server, 0.02)
    server.sendall(b"answer")
    with Deadline(0.2).expected():
        assert server.recv(100) == b"", "its end"


def test_a_body_in_time_and_the_thread_that_looks_both_come_to_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stalled, "LOOK", 0.01)
    deadline, before = Deadline(60), threading.active_count()
    for _ in range(3):
        with deadline.expected():
            assert threading.active_count() == before + 1
    last = time.monotonic() + PATIENCE
    while threading.active_count() > before:
        assert time.monotonic() < last
        time.sleep(0.01)


def test_half_a_form_is_given_up_while_an_idle_reader_keeps_the_connection(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'lessons.sqlite'}"
    with (
        Tutor(DATABASE_URL=store, LONG_WORKERS="0", LIMIT_BODY_SECONDS="3") as tutor,
        closing(http.client.HTTPConnection("127.0.0.1", tutor.port, timeout=PATIENCE)) as idle,
        socket.create_connection(("127.0.0.1", tutor.port), timeout=PATIENCE) as silent,
        socket.create_connection(("127.0.0.1", tutor.port), timeout=PATIENCE) as dripping,
    ):
        idle.request("GET", "/healthz")
        assert idle.getresponse().read() == b"ok\n"
        silent.sendall(HEAD + b"half")
        dripping.sendall(HEAD.replace(b"9", b"99999"))
        ended = threading.Event()

        def drip() -> None:
            try:
                while not ended.wait(0.1):
                    dripping.sendall(b"x")
            except OSError:
                ended.set()

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert b" 200 " not in silent.recv(1000)
            assert ended.wait(PATIENCE), "however slowly it drips"
        finally:
            ended.set()
            thread.join()
        idle.request("GET", "/healthz")
        assert idle.getresponse().read() == b"ok\n"

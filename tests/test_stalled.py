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
from tutor.web import lines, stalled
from tutor.web.lines import Line
from tutor.web.stalled import PACE, Deadline, close

PATIENCE = 20
HEAD = b"POST /open HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\n"
pytestmark = pytest.mark.skipif(lines.TCP_INFO is None, reason="this system tells nothing")


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


def reached(line: socket.socket, seconds: float) -> None:
    """Wait until nothing was sent on it for so long."""
    last = time.monotonic() + PATIENCE
    while not (told := Line(0, line).told()).unanswered or told.sent < seconds:
        assert time.monotonic() < last
        time.sleep(0.01)


def until_received(line: socket.socket) -> None:
    """Wait for something to be there."""
    last = time.monotonic() + PATIENCE
    while not line.recv(1, socket.MSG_PEEK):
        assert time.monotonic() < last


def fill(line: socket.socket) -> None:
    """Send as much as can wait."""
    try:
        while True:
            line.send(bytes(1 << 20))
    except BlockingIOError:
        return


def test_a_request_that_waits_for_its_answer_is_told_from_one_that_has_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    reader, server = pair
    reader.sendall(b"question")
    server.recv(100)
    reached(server, 0.05)
    server.sendall(b"answer")
    reader.recv(100)
    time.sleep(0.05)
    assert not Line(0, server).told().unanswered, "it is idle now"


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
        reached(answered, 0.02)
        answered.sendall(b"answer")
        reader.sendall(b"half a ")
        assert server.recv(100)
        with Deadline(0.2).expected():
            assert server.recv(100) == b"", "its end"
        answered.sendall(b"more")
        assert idle.recv(100).startswith(b"answer")


def test_who_asks_after_a_minute_of_reading_has_not_waited_for_a_minute(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    reader, server = pair
    reached(server, 0.1)
    reader.sendall(b"question")
    server.recv(100)
    seen = close(0.05, {})
    assert len(seen) == 1, "it waits from now on"
    server.sendall(b"answer")
    assert reader.recv(100) == b"answer"


def test_the_time_begins_again_with_each_answer(pair: tuple[socket.socket, socket.socket]) -> None:
    reader, server = pair
    reader.sendall(b"one")
    server.recv(100)
    first = close(9, {})
    reached(server, 0.1)
    again = close(9, first)
    assert again == first
    server.sendall(b"answer")
    while Line(0, server).told().sent < 0.05:
        pass
    reader.sendall(b"two")
    until_received(server)
    (slow,) = close(0.02, again).values()
    assert slow.since > next(iter(first.values())).since
    server.sendall(b"answer")
    assert reader.recv(100)


def test_who_takes_an_answer_too_slowly_is_told_from_who_takes_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    reader, server = pair
    server.setblocking(False)
    fill(server)
    first = close(9, {})
    assert len(first) == 1
    while len(reader.recv(1 << 20)) < 8 * PACE:
        pass
    fill(server)
    (number,) = first
    last = time.monotonic() + PATIENCE
    while close(1, first)[number] == first[number]:
        assert time.monotonic() < last, "it takes enough in a second"
    now = close(9, {})
    with pytest.raises(BrokenPipeError):  # noqa: PT012  (sooner or later)
        while time.monotonic() < last:
            now = close(0.05, now)
            fill(server)


def test_half_a_request_behind_a_whole_one_is_closed_too(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled, "LOOK", 0.02)
    reader, server = pair
    reader.sendall(b"whole, and half a ")
    server.recv(100)
    reached(server, 0.02)
    server.sendall(b"answer")
    with Deadline(0.2).expected():
        assert server.recv(100) == b"", "its end"


def test_a_body_in_time_and_the_thread_that_looks_both_come_to_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stalled, "LOOK", 0.01)
    deadline, before = Deadline(60), {*threading.enumerate()}  # others may end meanwhile
    for _ in range(3):
        with deadline.expected():
            assert len({*threading.enumerate()} - before) == 1
    last = time.monotonic() + PATIENCE
    while {*threading.enumerate()} - before:
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

"""Answers piece by piece: who does not take them is given up, and what breaks off is not taken for
a whole one.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Tutor
from tutor.web import lines
from tutor.web.streams import Streams, framed

PATIENCE = 20
pytestmark = pytest.mark.skipif(lines.TCP_INFO is None, reason="this system tells nothing")
ENVIRON: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
LARGE = """\
format: 1
title: A large network
network:
  inputs: 440
  layers:
    - {units: 440, activation: sigmoid, init: {scheme: xavier, seed: 1}}
    - {units: 1, activation: sigmoid, init: {scheme: xavier, seed: 2}}
  loss: {name: squared_error}
data:
  inputs: [[ONES]]
  targets: [[1]]
training: {learning_rate: 0.1}
""".replace("ONES", ", ".join(["1"] * 440))


def chunk(piece: bytes) -> bytes:
    """A piece as the server sends it."""
    return b"%X\r\n%b\r\n" % (len(piece), piece)


def broken(_environ: Any, start: Any) -> Iterator[bytes]:
    """A stream of which only the beginning comes."""
    start("200 OK", [])

    def pieces() -> Iterator[bytes]:
        yield b"one"
        yield b"and another"
        raise EOFError("the process is gone")

    return pieces()


@pytest.mark.parametrize("behind", [0, 1, 2])
def test_the_connection_of_what_broke_off_is_closed_and_no_other(behind: int) -> None:
    """`behind` pieces still wait with the server when the next is asked for."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname(), timeout=PATIENCE) as reader,
        listening.accept()[0] as ours,
        socket.create_connection(listening.getsockname(), timeout=PATIENCE) as other,
        listening.accept()[0] as others,
    ):
        others.sendall(b"something")
        ours.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        waiting: list[bytes] = []
        for piece in Streams(broken, PATIENCE)(ENVIRON, lambda *_: lambda _: None):
            waiting.append(chunk(piece))
            if b"broke off" in piece:
                ours.sendall(b"".join(waiting))
                waiting.clear()
            while len(waiting) > behind:
                ours.sendall(waiting.pop(0))
        with pytest.raises(BrokenPipeError):
            ours.sendall(b"0\r\n\r\n")
        others.sendall(b" more")
        assert other.recv(100).startswith(b"something")
        with reader.makefile("rb") as taken:
            assert b"another" in taken.read()


def test_what_fails_before_its_first_piece_fails_as_ever() -> None:
    def failing(_environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [])
        yield from iter(range(-1))  # type: ignore[misc]
        raise EOFError

    with pytest.raises(EOFError):
        list(Streams(failing, 1)(ENVIRON, lambda *_: lambda _: None))


def test_an_answer_of_known_length_is_handed_on_as_it_is() -> None:
    pieces = [b"whole"]

    def page(_environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "5")])
        return pieces

    assert Streams(page, 1)(ENVIRON, lambda *_: lambda _: None) is pieces


@pytest.mark.parametrize("size", [1, 15, 16, 255, 256, 65_536])
def test_the_length_of_a_piece_as_it_is_sent(size: int) -> None:
    assert framed(size) == len(chunk(bytes(size)))


def begun(tutor: Tutor, path: str) -> socket.socket:
    """A download of which little was read."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(PATIENCE)
    line.connect(("127.0.0.1", tutor.port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())
    assert line.recv(12) == b"HTTP/1.1 200"
    return line


def until_there(tutor: Tutor) -> None:
    """Until there is a place for a download."""
    last = time.monotonic() + PATIENCE
    while tutor.get("/lessons/xor/export/csv")[0] != 200:
        assert time.monotonic() < last


def test_a_slow_reader_loses_the_place_and_half_a_file_is_no_file(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'lessons.sqlite'}"
    with Tutor(
        DATABASE_URL=store,
        LONG_WORKERS="1",
        LIMIT_BODY_SECONDS="1",
        LIMIT_FILES_AT_ONCE="1",
        LIMIT_WAIT_SECONDS="1",
    ) as tutor:
        saved = tutor.post("/open", {"text": LARGE, "do": "save"})[1]["Location"]
        path = f"{saved}/export/csv"
        until_there(tutor)
        with closing(begun(tutor, path)):
            until_there(tutor)
            reading = http.client.HTTPConnection("127.0.0.1", tutor.port, timeout=PATIENCE)
            with closing(reading):
                reading.request("GET", path)
                answer = reading.getresponse()
                assert answer.read(100)
                (process,) = tutor.long_workers()
                os.kill(process, signal.SIGKILL)
                with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                    answer.read()

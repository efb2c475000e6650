"""The log has one line for each request, and nobody can write into it."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tutor.web.request_log import LONGEST, RequestLog


def ask(
    application: Any, path: str = "/", query: str = "", method: str = "GET"
) -> tuple[list[str], Iterable[bytes]]:
    lines: list[str] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    pieces = RequestLog(application, lines.append)(environ, lambda *_: lambda _: None)
    return lines, pieces


def page(_: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"he", b"llo"]


def stream(_: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"one"
    yield b"two"


def test_a_page_comes_in_one_piece_and_makes_one_line() -> None:
    lines, pieces = ask(page, "/lessons/003/steps/4", "grain=number")
    assert pieces == [b"hello"]
    (line,) = lines
    assert line.startswith("GET /lessons/003/steps/4?grain=number 200 ")
    assert line.endswith("ms 5B")


def test_a_stream_stays_a_stream_and_is_logged_when_it_ends() -> None:
    lines, pieces = ask(stream)
    reading = iter(pieces)
    assert next(reading) == b"one"
    assert lines == []
    assert list(reading) == [b"two"]
    assert lines[0].endswith("6B")


def test_a_stream_that_the_reader_leaves_is_logged_too() -> None:
    lines, pieces = ask(stream)
    reading = iter(pieces)
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert lines[0].endswith("3B")


def test_an_application_that_fails_is_logged_as_500_and_the_error_goes_on() -> None:
    lines: list[str] = []

    def fail(_: Any, __: Any) -> list[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        RequestLog(fail, lines.append)(
            {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: lambda _: None
        )
    assert lines[0].startswith("GET / 500 ")


@pytest.mark.parametrize(
    "nasty",
    [
        "/a\nGET /forged 200",
        "/\x1b[31mred",
        "/é".encode().decode("latin-1"),
        "/ a b",
        "/" + "x" * 9000,
    ],
)
def test_what_a_reader_sends_stays_within_its_line(nasty: str) -> None:
    for lines, _ in (ask(page, nasty), ask(page, "/", nasty), ask(page, "/", "", nasty)):
        (line,) = lines
        assert line.isascii()
        assert line.isprintable()
        assert len(line.split(" ")) == 5
        assert len(line) < 3 * LONGEST + 100

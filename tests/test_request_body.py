"""Bodies are read before the work begins: up to the limit, dropped where they are larger, and never
at others' cost.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.visiting import tutor
from tutor.web import request_body
from tutor.web.request_body import BROKEN_OFF, BUSY, DROPPED, REFUSED, WholeBodies

MOST = 100


class Line(io.RawIOBase):
    """A body on its way, and how much of it was read."""

    def __init__(
        self, content: bytes = b"", size: int | None = None, ready: threading.Event | None = None
    ) -> None:
        self.content, self.left, self.ready = content, len(content) if size is None else size, ready
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        if self.ready is not None:
            assert self.ready.wait(10)
        piece = (
            self.content[self.taken : self.taken + size]
            if self.content
            else b"x" * min(size, self.left - self.taken)
        )
        self.taken += len(piece)
        return piece


def seen(line: Line, whole: Callable[..., Any] = WholeBodies, **environ: Any) -> dict[str, Any]:
    """What the application gets of a request."""
    found: dict[str, Any] = {}

    def application(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        found.update(environ, body=environ["wsgi.input"].read(MOST * 10))
        return [b"done"]

    answer = whole(application, MOST, 1, 60)(
        {"wsgi.input": line, "REQUEST_METHOD": "POST", **environ}, lambda *_: None
    )
    assert list(answer) == [b"done"]
    return found


@pytest.mark.parametrize(
    "head",
    [
        {"CONTENT_LENGTH": "5"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_TRANSFER_ENCODING": "Chunked"},
    ],
)
def test_a_body_is_there_as_a_whole_when_the_work_begins(head: dict[str, str]) -> None:
    line = Line(b"hello")
    found = seen(line, **head)
    assert (found["body"], found["CONTENT_LENGTH"], line.taken) == (b"hello", "5", 5)
    assert "HTTP_TRANSFER_ENCODING" not in found
    assert REFUSED not in found


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "0"},
        {"CONTENT_LENGTH": "²"},
        {"CONTENT_LENGTH": "-1"},
    ],
)
def test_a_request_without_a_body_is_handed_over_as_it_is(head: dict[str, str]) -> None:
    line = Line(b"hello")
    found = seen(line, **head)
    assert found["wsgi.input"] is line


@pytest.mark.parametrize("size", [MOST + 1, 10 * MOST, 1_000_000])
def test_of_a_body_that_is_too_large_one_byte_more_is_kept_and_the_rest_dropped(size: int) -> None:
    line = Line(size=size)
    found = seen(line, CONTENT_LENGTH=str(size))
    assert (len(found["body"]), found["CONTENT_LENGTH"], line.taken) == (
        MOST + 1,
        str(MOST + 1),
        size,
    )


def test_a_body_that_is_far_too_large_is_not_read_at_all() -> None:
    line = Line(size=DROPPED + 1)
    found = seen(line, CONTENT_LENGTH=str(DROPPED + 1))
    assert found["CONTENT_LENGTH"] == str(DROPPED + 1)
    assert found["wsgi.input"] is line


def test_a_body_without_an_end_is_left_after_a_while() -> None:
    line = Line(size=10**12)
    found = seen(line, HTTP_TRANSFER_ENCODING="chunked")
    assert found["CONTENT_LENGTH"] == str(MOST + 1)
    assert DROPPED < line.taken <= DROPPED + 2 * request_body.PIECE


def test_a_half_sent_body_keeps_neither_threads_nor_others_without_a_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_body, "PATIENCE", 0.05)
    ready, answered = threading.Event(), []
    whole = WholeBodies(
        lambda environ, _: [answered.append(environ.get(REFUSED)) or b""], MOST, 1, 60
    )  # type: ignore[func-returns-value]
    slow = threading.Thread(
        target=whole,
        args=({"wsgi.input": Line(b"hello", ready=ready), "CONTENT_LENGTH": "5"}, lambda *_: None),
    )
    slow.start()
    try:
        whole({"wsgi.input": Line()}, lambda *_: None)
        whole({"wsgi.input": Line(b"other"), "CONTENT_LENGTH": "5"}, lambda *_: None)
        assert answered == [None, BUSY]
    finally:
        ready.set()
        slow.join(10)
    assert answered == [None, BUSY, None]


def test_only_some_forms_wait_for_the_others_and_the_rest_hold_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_body, "PATIENCE", 60)
    monkeypatch.setattr(request_body, "LINE", 1)
    ready, refused = threading.Event(), threading.Event()
    answered: list[int | None] = []

    def application(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        answered.append(environ.get(REFUSED))
        if REFUSED in environ:
            refused.set()
        return [b"done"]

    whole: Any = WholeBodies(application, MOST, 1, 60)

    def send() -> None:
        whole({"wsgi.input": Line(b"x", ready=ready), "CONTENT_LENGTH": "1"}, None)

    forms = [threading.Thread(target=send) for _ in range(3)]
    for form in forms:
        form.start()
    try:
        assert refused.wait(10), "at once, though the others wait for long"
        assert answered == [BUSY]
    finally:
        ready.set()
        for form in forms:
            form.join(10)
    assert answered == [BUSY, None, None]
    whole({"wsgi.input": Line(b"other"), "CONTENT_LENGTH": "5"}, lambda *_: None)
    assert answered[-1] is None


def test_a_refusal_is_a_page_of_ours() -> None:
    answer = (
        tutor().test_client().post("/open", data={"text": "x"}, environ_overrides={REFUSED: BUSY})
    )
    assert answer.status_code == BUSY
    assert "try again" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_body_that_breaks_off_frees_its_place() -> None:
    class Broken(Line):
        def read(self, size: int = -1) -> bytes:
            raise OSError("the line is gone")

    whole = WholeBodies(lambda *_: [b""], MOST, 1, 60)
    for _ in range(3):
        with pytest.raises(OSError, match="the line is gone"):
            whole({"wsgi.input": Broken(), "CONTENT_LENGTH": "5"}, lambda *_: None)


def test_what_has_broken_off_is_refused_and_not_taken_for_a_whole_form() -> None:
    assert REFUSED not in seen(Line(b"hello"), CONTENT_LENGTH="5")
    assert seen(Line(b"hel"), CONTENT_LENGTH="5")[REFUSED] == BROKEN_OFF
    assert seen(Line(size=MOST), CONTENT_LENGTH=str(MOST + 9))[REFUSED] == BROKEN_OFF
    assert REFUSED not in seen(Line(size=MOST + 9), CONTENT_LENGTH=str(MOST + 9))

"""One line in the log for each request: method, path, status, milliseconds, bytes.

    GET /lessons/003/steps/4?grain=number 200 3.1ms 8124B

It wraps any WSGI application and knows nothing of Flask. Nothing of the reader is logged: no
address, no header, no form.
"""

import sys
from collections.abc import Callable, Generator, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST = 2_000  # letters of an address that are logged
WHOLE = 1_000_000  # bytes up to which an answer of known length is handed over in one piece


def to_stdout(line: str) -> None:
    """Write a line at once, so that lines of two workers do not mix."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class RequestLog:
    """The application, and after each of its answers a line."""

    def __init__(
        self, application: "WSGIApplication", write: Callable[[str], None] = to_stdout
    ) -> None:
        self.application = application
        self.write = write

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer as the application does; a short answer is one piece, a stream stays a stream."""
        answer = Answer(environ, self.write)
        try:
            pieces = self.application(environ, answer.starting(start_response))
        except BaseException:
            answer.log("500", 0)
            raise
        return [b"".join(answer.counted(pieces))] if answer.short else answer.counted(pieces)


class Answer:
    """What is known about one answer while it is made."""

    def __init__(self, environ: "WSGIEnvironment", write: Callable[[str], None]) -> None:
        self.began = perf_counter()
        self.request = f"{line_safe(environ['REQUEST_METHOD'])} {address(environ)}"
        self.write = write
        self.status = "500"
        self.short = False

    def starting(self, start_response: "StartResponse") -> "StartResponse":
        """`start_response`, which also notes the status and whether the length is known."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            self.status = status.split(" ", 1)[0]
            lengths = [value for name, value in headers if name.lower() == "content-length"]
            self.short = bool(lengths) and int(lengths[0]) <= WHOLE
            return start_response(status, headers, *rest)

        return start

    def counted(self, pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
        """The same pieces; after the last one comes the line in the log."""
        size = 0
        try:
            for piece in pieces:
                size += len(piece)
                yield piece
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
            self.log(self.status, size)

    def log(self, status: str, size: int) -> None:
        """Write the line."""
        self.write(f"{self.request} {status} {(perf_counter() - self.began) * 1000:.1f}ms {size}B")


def address(environ: "WSGIEnvironment") -> str:
    """Path and query as they stand in the address bar, so that no line break of a reader's making
    reaches the log.
    """
    path = quote(as_bytes(environ.get("PATH_INFO", "")), safe="/:@!$&'()*+,;=~")
    query = environ.get("QUERY_STRING", "")
    return line_safe(path + ("?" + query if query else ""))


def line_safe(text: str) -> str:
    """Only what prints in one line and is ASCII; the rest percent-encoded."""
    return quote(as_bytes(text[:LONGEST]), safe="".join(map(chr, range(0x21, 0x7F))))


def as_bytes(text: str) -> bytes:
    """The bytes that a WSGI server has put into a text, one a letter."""
    return text.encode("latin-1", "replace")

"""The body of a request, read before the tutor starts to work on it, so that a slow upload keeps
nobody waiting.

A request is handed over as soon as its head is there; its body is read in the thread that answers.
With as many threads as there is work for, a few half-sent forms would stop the tutor. So threads
are many, for they cost nothing while they wait, and a request asks for a place (see
`tutor.web.places`) when all of it is there. Threads are left for those without a body, however many
forms stay half-sent; other forms are then told to come back (503).

    up to the limit     read here
    somewhat more       read and dropped, so that a browser is still there when the page of 413
                        comes
    far more            not read at all: 413 at once

It wraps any WSGI application; a refusal is left to the application too, which finds its status in
the environment. A body that does not arrive in time is given up by closing its connection
(`tutor.web.stalled`): granian holds the whole worker up when an answer is sent while its body is
being read. What has broken off is refused, also where it would pass for a whole form.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from tutor import number
from tutor.web.stalled import Deadline

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed.wsgi import InputStream

REFUSED: Final = "tutor.refused"
"""Where the environment has the status of a refusal."""
REASON: Final = "tutor.reason"
"""And where it has the reason, in words, if there is more to say than the status does."""
PATIENCE: Final = 1.0
"""Seconds that a form waits for one of the others to arrive."""
LINE: Final = 32
"""Forms that may wait so, each in a thread."""
PIECE: Final = 64 * 1024
DROPPED: Final = 16 * 1024 * 1024
"""Bytes of a body that are still taken from the line: more than a photograph, picked by mistake."""
BUSY: Final = 503
BROKEN_OFF: Final = 400


class WholeBodies:
    """The application with requests whose bodies are there as a whole. `waiting` bodies may be on
    their way at once, each for so many `seconds`; `most` bytes of each are kept.
    """

    def __init__(
        self, application: WSGIApplication, most: int, waiting: int, seconds: float
    ) -> None:
        self.application, self.most = application, most
        self.deadline = Deadline(seconds)
        self.waiting = threading.Semaphore(waiting)
        self.line = threading.Semaphore(LINE)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer once the body is there."""
        if has_body(environ):
            self.take(environ)
        return self.application(environ, start_response)

    def take(self, environ: WSGIEnvironment) -> None:
        """Put the body into the environment in place of the line; or the status of the refusal."""
        if length(environ) > DROPPED:
            return
        if not self._may_come():
            environ[REFUSED] = BUSY
            return
        try:
            with self.deadline.expected():
                kept = read(environ["wsgi.input"], self.most)
        finally:
            self.waiting.release()
        if len(kept) < min(length(environ), self.most + 1):
            environ[REFUSED] = BROKEN_OFF
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(kept), str(len(kept))
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def _may_come(self) -> bool:
        """Whether there is a way for a body, after some waiting where not too many wait already."""
        if self.waiting.acquire(blocking=False):
            return True
        if not self.line.acquire(blocking=False):
            return False
        try:
            return self.waiting.acquire(timeout=PATIENCE)
        finally:
            self.line.release()


def read(source: InputStream, most: int) -> bytes:
    """All of a body; one byte more than allowed of one that is too large, so that it shows."""
    kept, size = bytearray(), 0
    while size <= DROPPED and (piece := source.read(PIECE)):
        size += len(piece)
        kept += piece[: most + 1 - len(kept)]
    return bytes(kept)


def has_body(environ: WSGIEnvironment) -> bool:
    """Whether a body follows the head: it has a length, or comes in chunks."""
    return length(environ) > 0 or "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()


def length(environ: WSGIEnvironment) -> int:
    """The length that the head tells; 0 where it tells none."""
    told = environ.get("CONTENT_LENGTH") or ""
    return number.whole(told, 0, number.MOST_WHOLE) or 0

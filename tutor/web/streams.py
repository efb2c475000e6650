"""Answers without a known length, piece by piece to readers who may be slow, and which may break
off.

    Streams(application, 30)        the application; a reader who takes nothing for so many seconds
                                    is given up

A place for a download is kept until the last piece is taken, so a few readers of a byte a second
would keep all others from theirs.

Where such an answer breaks off, because the process that made it is gone for instance, the server
would end it as if it were whole: browsers would keep half a file, and caches give it to others. So
its connection is closed instead. Which one that is the server does not say; it is the one that
takes a last piece of a length that nobody could guess. Where the reader is so slow that earlier
pieces still wait, it is tried again.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wsgi import ClosingIterator

from tutor.web.lines import TCP_INFO, connections
from tutor.web.places import close
from tutor.web.stalled import Deadline

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

UNDER_WAY: Final = 8
"""Pieces that the server may not have sent yet when the next is asked for."""
LENGTHS: Final = 30_000
"""So many lengths may the last piece have, and it is at least so long."""
LOOK: Final = 0.01
"""Seconds between two looks for the connection."""
TRIES: Final = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds to look for it, after each last piece."""
BROKEN_OFF: Final = b"\n\nThis file broke off here. Please download it again.\n"
log = logging.getLogger(__name__)


class Streams:
    """The application, whose streams are taken in time and end only when they are whole."""

    def __init__(self, application: WSGIApplication, seconds: float) -> None:
        self.application, self.deadline = application, Deadline(seconds, idle=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does."""
        lengths: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            lengths[:] = [value for name, value in headers if name.lower() == "content-length"]
            return start_response(status, headers, *rest)

        pieces = self.application(environ, start)
        return pieces if lengths else ClosingIterator(self.each(pieces), [close(pieces)])

    def each(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces; where they break off, another last one and the connection’s end."""
        sizes = deque[int](maxlen=UNDER_WAY)
        try:
            for piece in pieces:
                sizes.append(framed(len(piece)))
                with self.deadline.expected():
                    yield piece
        except Exception as error:
            log.warning("an answer broke off", exc_info=error)
            if not sizes or TCP_INFO is None:
                raise
        else:
            return
        for seconds in TRIES:
            before = written()
            last = BROKEN_OFF.rjust(LENGTHS + secrets.randbelow(LENGTHS), b"\n")
            sizes.append(framed(len(last)))
            with self.deadline.expected():
                yield last
            if ended(before, set(accumulate(reversed(sizes))), seconds):
                return


def ended(before: dict[int, int], lengths: set[int], seconds: float) -> bool:
    """Close the connection on which one of these lengths was written since then, as soon as there
    is one; False where there was none in so many seconds.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for line in connections():
            with suppress(OSError):
                if line.written() - before.get(line.number, 0) in lengths:
                    line.end()
                    return True
        time.sleep(LOOK)
    return False


def written() -> dict[int, int]:
    """How many bytes were put on each connection so far."""
    found = {}
    for line in connections():
        with suppress(OSError):
            found[line.number] = line.written()
    return found


def framed(size: int) -> int:
    """The bytes of a piece as it is sent: its length in hexadecimal digits and the ends of two
    lines come with it.
    """
    return size + len(f"{size:x}") + 4

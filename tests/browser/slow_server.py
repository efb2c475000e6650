"""A server that delays its fragments: `slow_server(delays)` serves the tutor in threads of this
process.

Pages and static files come at once; every answer to htmx waits for the next of the delays, so that
a later answer may overtake an earlier one. The delays repeat when they are used up.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from app import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass
class Delayed:
    """The tutor behind delays, with a count of the fragments that are still on their way."""

    inner: "WSGIApplication"
    delays: Iterator[float]
    pending: int = 0
    answered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if "HTTP_HX_REQUEST" not in environ and "HTTP_HX_HISTORY_RESTORE_REQUEST" not in environ:
            return self.inner(environ, start_response)
        with self.lock:
            delay = next(self.delays)
            self.pending += 1
        try:
            time.sleep(delay)
            return self.inner(environ, start_response)
        finally:
            with self.lock:
                self.pending -= 1
                self.answered += 1


@dataclass(frozen=True)
class SlowServer:
    """Where it is, and what is still on its way."""

    url: str
    delayed: Delayed


@contextmanager
def slow_server(delays: Iterable[float]) -> Iterator[SlowServer]:
    """Serve the tutor with these delays, in seconds, one after the other."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    delayed = Delayed(create_app(), cycle(delays))
    server = make_server("127.0.0.1", 0, delayed, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield SlowServer(f"http://127.0.0.1:{server.server_port}", delayed)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

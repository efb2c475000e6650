"""Files, training and later iterations in processes of their own, at the lowest priority.

A worker that walks through steps and makes a large file at the same time lets both take turns at
one interpreter, and at one core: a click then waits for the file. So what can be long is made by
another process, which the system lets work only while no worker has anything to do.

    worker          LongWork(app, addresses): sends such a request on, and hands the answer on piece
                    by piece as it comes
    main process    with LongWorkers(count) as addresses: starts them, and again where one ends
    they themselves python -m tutor.web.long_work ADDRESS: the same application, asked through a
                    socket of the file system that only this user can open

All requests about one lesson go to the same process, which has its checkpoints, and lessons share
the processes out among them. A connection is one request: the environment, then status and headers,
then pieces, an empty one at the end. Who closes it early ends the work at its next piece. Without
`LongWorkers`, under another server for instance, a worker does everything itself.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutor.web.places import RETRY, kind
from tutor.web.request_body import BUSY, REASON, REFUSED

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Head = tuple[str, list[tuple[str, str]]]

LONG: Final = {"files", "runs", "trainings"}
"""The kinds of places that are not in the workers."""
SENT: Final = {"REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "wsgi.url_scheme"}
"""What is sent of the environment, beside the headers and the name of the server."""
METHODS: Final = {"GET", "HEAD"}
ADDRESSES: Final = "TUTOR_LONG_WORK"
"""In the environment of the workers: the addresses, with a colon between."""
PATIENCE: Final = 60.0
"""Seconds for an answer to begin; the process itself refuses much earlier."""
NICENESS: Final = 19
AGAIN: Final = 0.5
"""Seconds before a process that has ended is started again."""
LOOK: Final = 1.0
"""Seconds between two looks whether the main process is still there."""
BACKLOG: Final = 512
ABSENT: Final = (
    "The part of the tutor that makes files and trains is just being started again. Please try "
    f"again in {RETRY} seconds."
)


# ---- in a worker ----


class LongWork:
    """The application, with what can be long done elsewhere."""

    def __init__(self, application: WSGIApplication, addresses: Sequence[str]) -> None:
        self.application, self.addresses = application, addresses

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer here, or hand on what another process answers; 503 where it is not there."""
        if (
            kind(environ) not in LONG
            or environ["REQUEST_METHOD"] not in METHODS
            or REFUSED in environ
        ):
            return self.application(environ, start_response)
        try:
            connection = Client(self._responsible(environ), family="AF_UNIX")
        except OSError:
            return self._absent(environ, start_response)
        try:
            status, headers = _asked(connection, environ)
        except (OSError, EOFError):
            connection.close()
            return self._absent(environ, start_response)
        start_response(status, headers)
        return Pieces(connection)

    def _responsible(self, environ: WSGIEnvironment) -> str:
        """The address for this lesson: always the same one."""
        lesson = environ["PATH_INFO"].split("/", 3)[2:3]
        return self.addresses[zlib.crc32(repr(lesson).encode()) % len(self.addresses)]

    def _absent(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[REFUSED], environ[REASON] = BUSY, ABSENT
        return self.application(environ, start_response)


class Pieces:
    """The pieces of an answer, as they come. EOFError where the process ends before the answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._connection.recv_bytes():
            yield piece

    def close(self) -> None:
        """Want no more of them."""
        self._connection.close()


def _asked(connection: Connection, environ: WSGIEnvironment) -> Head:
    """Send a request; what the answer begins with. EOFError where there is none."""
    connection.send(
        {
            name: value
            for name, value in environ.items()
            if name in SENT or name.startswith(("HTTP_", "SERVER_"))
        }
    )
    if not connection.poll(PATIENCE):
        raise EOFError
    head: Head = connection.recv()
    return head


# ---- in the main process ----


class LongWorkers:
    """So many processes, started on entering and stopped on leaving; one that ends is started
    again. They also end when this process does, however that happens.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._folder = tempfile.TemporaryDirectory(prefix="backprop-tutor-")
        self._stopped = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for number in range(self._count):
            address = str(Path(self._folder.name, str(number)))
            self._running[address] = _started(address)
            threading.Thread(target=self._keep, args=(address,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for process in self._running.values():
            process.kill()  # nothing of it is worth keeping
            process.wait()
        self._folder.cleanup()

    @property
    def addresses(self) -> str:
        """For the environment of the workers."""
        return ":".join(self._running)

    def _keep(self, address: str) -> None:
        while True:
            self._running[address].wait()
            if self._stopped.wait(AGAIN):
                return
            self._running[address] = _started(address)


def _started(address: str) -> subprocess.Popen[bytes]:
    """A process at this address."""
    return subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, "-m", "tutor.web.long_work", address],
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )


# ---- the process itself ----


def serve(address: str, application: WSGIApplication) -> None:
    """Answer at this address, each request in a thread, until the process ends."""
    with contextlib.suppress(FileNotFoundError):
        Path(address).unlink()  # of one before us
    with Listener(address, family="AF_UNIX", backlog=BACKLOG) as listener:
        while True:
            threading.Thread(
                target=_answer, args=(listener.accept(), application), daemon=True
            ).start()


def _answer(connection: Connection, application: WSGIApplication) -> None:
    """One request. Whoever does not want the rest has closed the connection."""
    with connection, contextlib.suppress(OSError, EOFError):
        environ = _environment(connection.recv())
        head: list[Head] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[..., Any]:
            head[:] = [(status, headers)]
            return lambda _: None

        pieces = application(environ, start)
        try:
            connection.send(head[0])
            for piece in filter(None, pieces):
                connection.send_bytes(piece)
            connection.send_bytes(b"")
        finally:
            getattr(pieces, "close", lambda: None)()


def _environment(sent: dict[str, str]) -> WSGIEnvironment:
    """What the application expects, from what was sent."""
    return {
        **sent,
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def end_with_the_main_process() -> None:
    """End this process soon after the main process is gone, which cannot say so where it is killed.
    Who goes on alone would answer beside the next one, with the lessons of yesterday.
    """
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(0)

    threading.Thread(target=look, daemon=True).start()


def main(address: str) -> None:
    """Serve at this address, behind everything else that the machine has to do."""
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which ends us
    end_with_the_main_process()
    server = importlib.import_module("tutor.web.server")
    serve(address, server.placed())


if __name__ == "__main__":
    main(sys.argv[1])

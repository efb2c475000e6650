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

One that is frozen answers nobody, and those who wait for it hold threads of the workers. So only so
many may be on their way to it, and they are told to come back before the others' threads are used
up.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tutor import limits
from tutor.web.application import placed
from tutor.web.places import PATIENT, RETRY, close, kind
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
PATIENCE: Final = PATIENT * limits.WAIT_SECONDS + 15.0
"""Seconds for an answer to begin, and for its next piece; the process itself refuses earlier."""
STARTING: Final = float(limits.WAIT_SECONDS)
"""Seconds for a process that is just being started to be there."""
TO_ONE: Final = 64
"""Requests of a worker that may be on their way to one process."""
TO_ALL: Final = 128
"""The same to all of them: half of the worker's threads."""
NICENESS: Final = 19
AGAIN: Final = 0.5
"""Seconds before a process that has ended is started again; twice as many each time that it ends
soon.
"""
SOON: Final = 30.0
"""Seconds: one that ends earlier may do so again and again."""
SELDOM: Final = 60.0
"""At most so many seconds before it is started again."""
LOOK: Final = 1.0
"""Seconds between two looks whether the main process is still there."""
PAUSE: Final = 0.05
"""Seconds between two looks whether a process that is being started is there."""
BACKLOG: Final = 4096
ABSENT: Final = (
    "The part of the tutor that makes files and trains is just being started again. Please try "
    f"again in {RETRY} seconds."
)
FULL: Final = (
    "The tutor is making files and training for as many readers as it can at once. Please try "
    f"again in {RETRY} seconds."
)
log = logging.getLogger(__name__)


# ---- in a worker ----


class LongWork:
    """The application, with what can be long done elsewhere."""

    def __init__(self, application: WSGIApplication, addresses: Sequence[str]) -> None:
        self.application = application
        self._ways = [(address, threading.Semaphore(TO_ONE)) for address in addresses]
        self._all = threading.Semaphore(TO_ALL)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer here, or hand on what another process answers; 503 where it is not there, or where
        too many wait for it.
        """
        if (
            kind(environ) not in LONG
            or environ["REQUEST_METHOD"] not in METHODS
            or REFUSED in environ
        ):
            return self.application(environ, start_response)
        address, way = self._responsible(environ)
        with ExitStack() as held:
            for semaphore in (way, self._all):
                if not semaphore.acquire(blocking=False):
                    return self._refused(environ, start_response, FULL)
                held.callback(semaphore.release)
            try:
                connection = held.enter_context(_connected(address))
                status, headers = _asked(connection, environ)
            except (OSError, EOFError):
                held.close()
                return self._refused(environ, start_response, ABSENT)
            start_response(status, headers)
            return Pieces(connection, held.pop_all())

    def _responsible(self, environ: WSGIEnvironment) -> tuple[str, threading.Semaphore]:
        """The process for this lesson, always the same one: its address, and who may go there."""
        lesson = environ["PATH_INFO"].split("/", 3)[2:3]
        return self._ways[zlib.crc32(repr(lesson).encode()) % len(self._ways)]

    def _refused(
        self, environ: WSGIEnvironment, start_response: StartResponse, reason: str
    ) -> Iterable[bytes]:
        environ[REFUSED], environ[REASON] = BUSY, reason
        return self.application(environ, start_response)


class Pieces:
    """The pieces of an answer, as they come. EOFError where the process ends before the answer, or
    says nothing any more. `held` is what to give back at the end.
    """

    def __init__(self, connection: Connection, held: ExitStack) -> None:
        self._connection, self._held = connection, held

    def __iter__(self) -> Iterator[bytes]:
        while piece := _waited_for(self._connection).recv_bytes():
            yield piece

    def close(self) -> None:
        """Want no more of them."""
        self._held.close()


def _connected(address: str) -> Connection:
    """The way to a process; one that is just being started is waited for. OSError where it does not
    come.
    """
    until = time.monotonic() + STARTING
    while True:
        try:
            return Client(address, family="AF_UNIX")
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)


def _asked(connection: Connection, environ: WSGIEnvironment) -> Head:
    """Send a request; what the answer begins with. EOFError where there is none."""
    connection.send(
        {
            name: value
            for name, value in environ.items()
            if name in SENT or name.startswith(("HTTP_", "SERVER_"))
        }
    )
    head: Head = _waited_for(connection).recv()
    return head


def _waited_for(connection: Connection) -> Connection:
    """The same connection, with something to read. EOFError where it takes too long."""
    if not connection.poll(PATIENCE):
        raise EOFError("the process for long work says nothing")
    return connection


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
        """Start it again whenever it ends: one that cannot start does not keep the machine busy,
        nor fill the log.
        """
        pause = AGAIN
        while True:
            began = time.monotonic()
            status = self._running[address].wait()
            lived = time.monotonic() - began
            pause = AGAIN if lived > SOON else min(2 * pause, SELDOM)
            if self._stopped.wait(pause):
                return
            log.warning("a process for long work ended (%d); another one is started", status)
            with contextlib.suppress(OSError):  # too many processes; the old one has ended still
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
        if connection.poll():  # its end: after a request comes nothing else
            return
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
            close(pieces)()


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
    serve(address, placed())


if __name__ == "__main__":
    main(sys.argv[1])

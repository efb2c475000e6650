"""Start the tutor's own server: granian with a few worker processes. `make run` and `python -m
tutor.serve` end here.

    environment and command line -> address -> two processes, each with the app -> one line in the
    log for each request

and as many that do for them what can be long (`tutor.web.long_work`).

Decided against Flask's development server (one process, not made for a class) and against gunicorn
(a few half-sent requests hold all its threads). Granian reads the head of a request before Python
sees it; `tutor.web.request_body` reads the rest before the tutor starts to work on it, so slow
clients hold nothing that others need.
"""

import argparse
import logging
import os
import resource
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from tutor import limits, number
from tutor.catalogue import shelf
from tutor.errors import SettingError, StoreError
from tutor.store import saving
from tutor.web.application import STORE_WAS_THERE, placed, warm
from tutor.web.forwarding import trusted_proxies
from tutor.web.long_work import (
    ADDRESSES,
    LongWork,
    LongWorkers,
    end_with_the_main_process,
)
from tutor.web.request_body import WholeBodies
from tutor.web.request_log import RequestLog
from tutor.web.streams import Streams

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

HOME = Path(__file__).parents[2]
log = logging.getLogger(__name__)
# of each worker, so that those who wait for a place or for the rest of an upload stand in nobody's
# way
THREADS = 256
BODIES = 64  # uploads on their way to a worker
CONNECTIONS = 4096  # that each worker keeps open, most of them idle; tests/benchmarks tries 1,500


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. The status is 1 where the address cannot be had, 2 where a setting makes
    no sense.
    """
    wanted = read(arguments)
    try:
        limits.check()
        trusted_proxies(os.environ)
        saved = saving.from_environment(os.environ, HOME)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        port = free(wanted.host, wanted.port)
    except OSError as error:
        print(refusal(wanted.host, wanted.port, error), file=sys.stderr)
        return 1
    print(greeting(wanted.host, port), flush=True)
    for line in (*broken(*shelf.configured()), *prepared(saved)):
        print(line, file=sys.stderr, flush=True)
    allow_open_files(CONNECTIONS * 2)
    long_workers = wanted.workers if wanted.long_workers is None else wanted.long_workers
    with LongWorkers(long_workers) as started:
        os.environ[ADDRESSES] = started.addresses
        server(wanted.host, port, wanted.workers).serve()
    return 0


def read(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Host, port and workers: from the command line, else from HOST, PORT, WORKERS and
    LONG_WORKERS, else 127.0.0.1:8000 and two, with as many for what can be long.
    """
    parser = argparse.ArgumentParser(prog="python -m tutor.serve", description="Start the tutor.")
    parser.add_argument(
        "--host",
        default=os.environ.get("HOST") or "127.0.0.1",
        help="0.0.0.0 lets other computers connect",
    )
    parser.add_argument(
        "--port",
        default=os.environ.get("PORT") or "8000",
        type=port_number,
        help="0 takes any free one",
    )
    parser.add_argument(
        "--workers", default=os.environ.get("WORKERS") or "2", type=worker_count, help="processes"
    )
    parser.add_argument(
        "--long-workers",
        default=os.environ.get("LONG_WORKERS") or None,
        type=long_worker_count,
        help="further processes, for downloads and training; 0: the others do it",
    )
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    """0 to 65535."""
    return whole_number(text, 0, 65_535, "a port")


def worker_count(text: str) -> int:
    """1 to 64."""
    return whole_number(text, 1, 64, "a number of workers")


def long_worker_count(text: str) -> int:
    """0 to 64."""
    return whole_number(text, 0, 64, "a number of long workers")


def whole_number(text: str, least: int, most: int, what: str) -> int:
    """Read a whole number within its bounds."""
    value = number.whole(text, least, most)
    if value is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}: {least} to {most}")
    return value


def free(host: str, port: int) -> int:
    """The port, once it is known that nobody listens there; for 0 one that the system picks.
    OSError otherwise.

    Asked first, because granian's workers share their port and would share it with a server that is
    already there.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen()
        found: int = probe.getsockname()[1]
        return found


def refusal(host: str, port: int, error: OSError) -> str:
    """Why the server did not start, and what helps."""
    another = (
        "host: make run HOST=127.0.0.1"
        if isinstance(error, socket.gaierror)
        else f"port: make run PORT={port % 65_535 + 1}"
    )
    return f"The tutor cannot listen on {host}:{port} ({error.strerror}). Try another {another}"


def greeting(host: str, port: int) -> str:
    """Where to find the tutor."""
    shown = f"[{host}]" if ":" in host else host
    return f"The tutor is at http://{shown}:{port}/ (stop it with Ctrl-C)"


def broken(*folders: Path) -> list[str]:
    """A line for each problem of each file on the shelf that cannot be shown."""
    return [str(problem) for file in shelf.open_shelf(folders).broken for problem in file.problems]


def prepared(saved: saving.Saving) -> list[str]:
    """Make the store of saved lessons where there is none, and tell the workers that it is there:
    one that starts later must not take a file that was deleted meanwhile for one that nobody has
    made yet. A line where it cannot be used; the tutor starts all the same.
    """
    os.environ.pop(STORE_WAS_THERE, None)
    store = saved.store
    if store is None:
        return []
    try:
        if saved.allowed and (new := store.make()):
            log.warning("the store of saved lessons: %s is new and empty", new)
        found = store.trouble()
    except StoreError as error:
        found = str(error)
    if store.was_there:
        os.environ[STORE_WAS_THERE] = "yes"
    store.close()  # each worker opens its own
    return [found] if found else []


def allow_open_files(wanted: int) -> None:
    """Raise the limit of open files, which is often 1,024, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def server(host: str, port: int, workers: int) -> MPServer:
    """The server, not started yet."""
    return MPServer(
        "tutor.web.server:logged",
        factory=True,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=THREADS,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        log_level=LogLevels.error,  # a warning would be about the many threads, which are meant
        working_dir=HOME,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    )


def logged() -> "WSGIApplication":
    """The application of a worker, with a log of its requests. It reads a full shelf before the
    first reader asks.
    """
    end_with_the_main_process()
    application: WSGIApplication = placed()
    threading.Thread(target=warm, daemon=True).start()
    if addresses := os.environ.get(ADDRESSES):
        application = LongWork(application, addresses.split(":"))
    seconds = limits.BODY_SECONDS
    whole = WholeBodies(application, limits.REQUEST_BYTES, BODIES, seconds)
    return RequestLog(Streams(whole, seconds))

"""A deadline for the body of a request, for each connection by itself.

    stalled = Deadline(30)
    with stalled.expected():        while a thread waits for the rest of a body
        …

A thread that waits for a body cannot be called back, and the server does not say which connection
it waits for. The system does: a connection on which something has come since something was last
sent is one whose request has not been answered. Where bodies are overdue, connections are closed
that have been so for all that time; whoever waits for one of them then finds its end. One that is
idle, or takes its answer slowly, is left alone: there the last that happened is that we sent.
Requests that are worked on take far less time.

Half a request may hide behind a whole one that came with it and was answered. Where a body is still
overdue after twice the time, connections are closed on which nothing has been sent for so long,
idle ones too, which browsers and proxies expect.

It needs `TCP_INFO`, which Linux has; elsewhere nothing has a deadline.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

TCP_INFO: Final = getattr(socket, "TCP_INFO", None)
FIELDS: Final = struct.Struct("@44xI4xI100xI")
"""In Linux’ tcp_info: milliseconds since data was last sent, and since it was last received; how
many segments of data were sent.
"""
LOOK: Final = 1.0
"""Seconds between two looks, while bodies are expected."""


class Deadline:
    """Closes connections whose requests take longer than so many seconds to arrive. Threads may
    share it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._expected: dict[int, float] = {}
        self._lock = threading.Lock()
        self._looking = False

    @contextmanager
    def expected(self) -> Iterator[None]:
        """While this thread waits for a body."""
        me = threading.get_ident()
        with self._lock:
            self._expected[me] = time.monotonic()
            if TCP_INFO is not None and not self._looking:
                self._looking = True
                threading.Thread(target=self._look, daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                del self._expected[me]

    def _look(self) -> None:
        """Look after those who wait, until nobody does."""
        while True:
            time.sleep(LOOK)
            with self._lock:
                if not self._expected:
                    self._looking = False
                    return
                oldest = min(self._expected.values())
            overdue = time.monotonic() - oldest
            if overdue > self.seconds:
                close(self.seconds, idle=overdue > 2 * self.seconds)


def close(seconds: float, *, idle: bool) -> None:
    """Close the connections of readers whose requests have no answer after so long; with `idle`
    also those to whom nothing was sent for so long.
    """
    with ExitStack() as stack:
        lines = [stack.enter_context(line) for line in _sockets()]
        ports = {line.getsockname()[1] for line in lines if _listens(line)}
        for line in lines:
            with suppress(OSError):
                # those that we have opened, to a database for instance, have another port
                if line.getsockname()[1] in ports and silent(line, idle=idle) > seconds:
                    line.shutdown(socket.SHUT_RDWR)


def _sockets() -> Iterator[socket.socket]:
    """The TCP sockets of this process, to be closed by who takes them; the originals stay open."""
    for entry in sorted(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            if entry.is_socket():
                line = socket.socket(fileno=os.dup(int(entry.name)))
                if line.family in {socket.AF_INET, socket.AF_INET6}:
                    yield line
                else:
                    line.close()


def _listens(line: socket.socket) -> bool:
    return bool(line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def silent(line: socket.socket, *, idle: bool) -> float:
    """For how many seconds nothing has been sent on a TCP connection; 0 for one that only listens,
    and, unless `idle` ones count, where nothing has come since then.
    """
    if TCP_INFO is None or _listens(line):
        return 0.0
    told = line.getsockopt(socket.IPPROTO_TCP, TCP_INFO, FIELDS.size)
    if len(told) < FIELDS.size:
        return 0.0  # an old system
    sent, received, segments = FIELDS.unpack(told)
    return float(sent / 1000) if idle or received < sent or not segments else 0.0

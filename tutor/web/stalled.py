"""A deadline for who sends a request, or takes an answer, for each connection by itself.

    stalled = Deadline(30)
    with stalled.expected():        while a thread waits for a reader: for the rest of a body, or
        …                           until a piece of an answer is taken

A thread that waits for a reader cannot be called back, and the server does not say which connection
it waits for. The system does (`tutor.web.lines`). One on which something has come since something
was last sent is one whose request has not been answered; and one on which something waits to be
sent has a reader who takes it slowly. Where somebody is overdue, all connections are looked at, and
those are closed that were so for all that time; whoever waits for one of them then finds its end.

The time of a connection begins when it is first seen so, not with its last answer: who clicks after
a minute of reading has waited for a moment. Requests that are worked on take far less than a
deadline.

Half a request may hide behind a whole one that came with it and was answered. Where a body is still
overdue after twice the time, connections are closed on which nothing has happened for so long, idle
ones too, which browsers and proxies expect.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from tutor.web.lines import TCP_INFO, Told, connections

LOOK: Final = 1.0
"""Seconds between two looks, while readers are expected."""
PACE: Final = 1024
"""Bytes a second that a reader takes at least."""
GRAIN: Final = 0.02
"""Seconds by which the system’s times may be off."""


class Deadline:
    """Closes connections whose readers take longer than so many seconds to send a request, or to
    take the next part of an answer. Threads may share it. Requests may hide among `idle` ones,
    readers of answers may not.
    """

    def __init__(self, seconds: float, *, idle: bool = True) -> None:
        self.seconds, self._idle = seconds, idle
        self._expected: dict[object, float] = {}
        self._lock = threading.Lock()
        self._looking = False

    @contextmanager
    def expected(self) -> Iterator[None]:
        """While somebody waits for a reader."""
        me = object()
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
        seen: dict[int, Slow] = {}
        while True:
            time.sleep(LOOK)
            with self._lock:
                if not self._expected:
                    self._looking = False
                    return
                waited = time.monotonic() - min(self._expected.values())
            seen = close(self.seconds, seen) if waited > LOOK else {}
            if self._idle and waited > 2 * self.seconds:
                close_idle(self.seconds)


@dataclass(frozen=True, slots=True)
class Slow:
    """A connection that is waited for."""

    since: float
    taken: int
    """Bytes that the reader had taken then."""

    def still(self, told: Told, now: float, enough: float) -> bool:
        """Whether it has been so ever since: nothing was answered, and too little taken."""
        answered = told.unanswered and told.sent < now - self.since - GRAIN
        return not answered and told.taken - self.taken < enough


def close(seconds: float, seen: dict[int, Slow]) -> dict[int, Slow]:
    """Close the connections that were waited for all that time; those that still are, for the next
    look, which gets them as `seen`.
    """
    now, found = time.monotonic(), {}
    for line in connections():
        with suppress(OSError):
            told = line.told()
            if not (told.unanswered or told.unsent):
                continue
            slow = seen.get(line.number)
            if slow is None or not slow.still(told, now, PACE * seconds):
                slow = Slow(now, told.taken)
            found[line.number] = slow
            if now - slow.since > seconds:
                line.end()
    return found


def close_idle(seconds: float) -> None:
    """Close the connections on which nothing has happened for so long."""
    for line in connections():
        with suppress(OSError):
            if line.told().silent > seconds:
                line.end()

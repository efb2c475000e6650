"""Who measures time must not be disturbed: workers of one run take turns where a test asks for it.

    timed(act, limit)       a fixture: the least time of the processor that a call took, in seconds

While a test runs it shares a lock with the tests of the other workers. A test that misses a limit
asks for the lock alone and measures again: then no other worker is in the middle of a test. The
gate keeps newcomers from overtaking who waits.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TRIES, MORE_TRIES = 3, 10
Timed = Callable[[Callable[[], object], float], float]


class Turns:
    """The two locks of a run."""

    def __init__(self, folder: Path) -> None:
        self._gate, self._hall = ((folder / name).open("a") for name in ("gate", "hall"))

    def enter(self, kind: int) -> None:
        """Come in beside others (LOCK_SH) or alone (LOCK_EX)."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._hall, kind)
        fcntl.flock(self._gate, fcntl.LOCK_UN)

    def leave(self) -> None:
        fcntl.flock(self._hall, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For a test that has come in: the others are outside meanwhile."""
        self.leave()  # or two that want to be alone wait for each other
        self.enter(fcntl.LOCK_EX)
        try:
            yield
        finally:
            self.leave()
            self.enter(fcntl.LOCK_SH)

    def close(self) -> None:
        self._gate.close()
        self._hall.close()


@pytest.fixture(scope="session")
def turns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turns]:
    """The locks that the workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    found = Turns(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _in_turn(turns: Turns) -> Iterator[None]:
    turns.enter(fcntl.LOCK_SH)
    yield
    turns.leave()


@pytest.fixture
def timed(turns: Turns) -> Timed:
    """Measure a call until it keeps the limit: a few times, then more often with no test beside it."""

    def least(act: Callable[[], object], limit: float) -> float:
        found = shortest(act, limit, TRIES)
        if found < limit:
            return found
        with turns.alone():
            return shortest(act, limit, MORE_TRIES)

    return least


def shortest(act: Callable[[], object], limit: float, tries: int) -> float:
    """The least time of so many calls, or of fewer where one keeps the limit."""
    least = float("inf")
    for _ in range(tries):
        began = time.process_time()
        act()
        least = min(least, time.process_time() - began)
        if least < limit:
            break
    return least

"""Which lessons were opened on which day, noted in memory and written together.

    visits = Visits(write)              write({lesson: day}) is called from a thread of its own
    visits.note(lesson, day)            costs nothing
    visits.write_now()                  before pruning, and at the end of the process

What is lost in a crash are the visits of some seconds; lessons are pruned after days.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import Final

from tutor.errors import StoreError

PAUSE: Final = 5.0
"""Seconds from a visit to the transaction that writes it with all others."""
MOST: Final = 10_000
"""Lessons that are noted at once; visits of further ones are dropped."""
log = logging.getLogger(__name__)


class Visits:
    """The visits that are not written yet."""

    def __init__(self, write: Callable[[dict[str, int]], None], pause: float = PAUSE) -> None:
        self._write = write
        self._pause = pause
        self._lock = threading.Lock()
        self._days: dict[str, int] = {}
        self._timer: threading.Timer | None = None
        # not atexit: that is not called in the processes that serve
        Finalize(None, _write_last, args=(weakref.ref(self),), exitpriority=0)

    def note(self, lesson: str, day: int) -> None:
        """Note a visit; it is written soon."""
        with self._lock:
            if lesson in self._days or len(self._days) < MOST:
                self._days[lesson] = max(day, self._days.get(lesson, day))
            # a copy of the process has the timer, but not its thread
            if self._timer is None or not self._timer.is_alive():
                self._timer = threading.Timer(self._pause, self.write_now)
                self._timer.daemon = True
                self._timer.start()

    def write_now(self) -> None:
        """Write all that was noted. Where that fails, it is tried again after the next visit."""
        with self._lock:
            days, self._days, self._timer = self._days, {}, None
        if not days:
            return
        try:
            self._write(days)
        except StoreError:
            log.warning("that %s lessons were opened could not be noted", len(days))
            with self._lock:
                self._days = days | self._days


def _write_last(visits: weakref.ref[Visits]) -> None:
    known = visits()
    if known is not None:
        known.write_now()

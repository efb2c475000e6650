"""Saved lessons as scenarios: read from the store once and kept, so that their pages are as quick
as those of the shelf.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from tutor.errors import StoreError
from tutor.scenario import reader
from tutor.scenario.problem import ScenarioError
from tutor.scenario.reader import AnyScenario

KEPT: Final = 256
ROOM: Final = 4 * 2**20
"""Letters of all texts whose lessons are kept; each letter comes to some six bytes of a lesson."""
DAY: Final = 24 * 3600
_ID = re.compile(r"saved-[a-z2-7]{20}", re.ASCII)
log = logging.getLogger(__name__)


def is_saved(lesson: str) -> bool:
    """Whether this is the id of a saved lesson."""
    return _ID.fullmatch(lesson) is not None


class SavedLessons:
    """The last lessons that were asked for. The same id gives the same object, as what is
    remembered of a lesson hangs on that.

    `find` gives the text of an id; it is asked again on each new day, so that the store knows what
    is still in use.
    """

    def __init__(
        self, find: Callable[[str], str | None], clock: Callable[[], float] = time.time
    ) -> None:
        self._find = find
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, AnyScenario | None, int]] = OrderedDict()

    def find(self, lesson: str) -> AnyScenario | None:
        """The scenario of an id. Raises StoreError where it is not known yet and the store cannot
        be reached.
        """
        if not is_saved(lesson):
            return None
        today = int(self._clock() // DAY)
        known = self._kept.get(lesson)
        if known is not None and known[0] == today:
            with self._lock:
                if lesson in self._kept:
                    self._kept.move_to_end(lesson)
            return known[1]
        try:
            text = self._find(lesson)
        except StoreError:
            if known is None:
                raise
            return known[1]
        return self._keep(lesson, today, text)

    def clear(self) -> None:
        """Forget every lesson; the store is asked for the next one (for measuring)."""
        with self._lock:
            self._kept.clear()

    def _keep(self, lesson: str, today: int, text: str | None) -> AnyScenario | None:
        """Remember a lesson; one that is not there is forgotten: it may be saved at any time."""
        with self._lock:
            known = self._kept.pop(lesson, None)
            if text is None:
                return None
            found = known[1] if known is not None else opened(lesson, text)
            self._kept[lesson] = (today, found, len(text))
            while len(self._kept) > KEPT or sum(size for *_, size in self._kept.values()) > ROOM:
                self._kept.popitem(last=False)
            return found


def opened(lesson: str, text: str) -> AnyScenario | None:
    """The scenario of a saved text; None where limits have been lowered since, so that it is not
    read any more.
    """
    try:
        return reader.parse(text, lesson)
    except ScenarioError as error:
        log.warning("the saved lesson %s is not shown any more: %s", lesson, error.problems[0])
        return None

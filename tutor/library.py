"""The library: the lessons of a folder, opened and kept ready while they are looked at.

Lessons, contexts and finished steps are pure functions of a scenario and a view, so they are remembered; a scenario
file that changes gives a new Scenario object, and what was remembered of the old one is never asked for again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tutor.context import Context
from tutor.errors import TutorError
from tutor.lesson import Lesson, open_lesson
from tutor.saved_lessons import SavedLessons
from tutor.scenario import Scenario
from tutor.shelf import Shelf, WatchedFolder
from tutor.view import View

LESSONS, CONTEXTS, STEPS = 16, 64, 2048
PLAIN = View()


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """A scenario as a key: equal only to itself, so that looking it up does not compare thousands of weights."""

    scenario: Scenario

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept) and self.scenario is other.scenario

    def __hash__(self) -> int:
        return id(self.scenario)


class Library:
    """All lessons of a folder, and those that readers saved.

    `render` turns a context and a step into the text of that step; `saved` gives the text of a saved lesson's id.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        render: Callable[[Context, int, tuple[str, ...]], str],
        saved: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._folder = WatchedFolder(folder)
        self._saved = SavedLessons(saved)
        self._render = render
        self._lesson = lru_cache(LESSONS)(lambda key, iteration, loss: open_lesson(key.scenario, iteration, loss or None))
        self._context = lru_cache(CONTEXTS)(lambda key, view: Context(self.lesson(key.scenario, view), view))
        self._step = lru_cache(STEPS)(lambda key, view, n: self._render(self._context(key, view), n, ()))

    @property
    def shelf(self) -> Shelf:
        """The lessons as the folder has them now."""
        return self._folder.shelf()

    def find(self, lesson: str) -> Scenario | None:
        """The scenario of a lesson's id, from the folder or else from the store. Raises StoreError where that cannot be reached."""
        return self.shelf.find(lesson) or self._saved.find(lesson)

    def lesson(self, scenario: Scenario, view: View = PLAIN) -> Lesson:
        """A lesson at the iteration and under the loss of a view."""
        found: Lesson = self._lesson(Kept(scenario), view.iteration, view.loss)
        return found

    def context(self, scenario: Scenario, view: View) -> Context:
        """A lesson under a view."""
        found: Context = self._context(Kept(scenario), view)
        return found

    def step(self, scenario: Scenario, view: View, n: int, notices: tuple[str, ...] = ()) -> str:
        """The text of one step; one with notices is about a single address and is not kept."""
        if notices:
            return self._render(self.context(scenario, view), n, notices)
        text: str = self._step(Kept(scenario), view, n)
        return text

    def steps(self) -> dict[str, int]:
        """How many steps each lesson has, number by number."""
        return {s.id: self._length(s) for s in self.shelf.lessons}

    def _length(self, scenario: Scenario) -> int:
        """The steps of a lesson; 0 where it cannot be opened, so that one lesson never hides the others."""
        try:
            return len(self.lesson(scenario).walk("number"))
        except TutorError:
            return 0

    def clear(self) -> None:
        """Forget everything that was remembered (for measuring)."""
        for kept in (self._lesson, self._context, self._step):
            kept.cache_clear()

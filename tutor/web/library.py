"""The library: the lessons of the shelf, opened and kept ready while they are looked at.

Lessons, contexts and finished steps are pure functions of a scenario and a view, so they are
remembered; a scenario file that changes gives a new Scenario object, and what was remembered of the
old one is never asked for again. The numbers that a reader changed are part of the view: always ask
with the scenario of the file and the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Generic, TypeVar

from tutor.catalogue.shelf import AnyPath, Shelf, WatchedShelf
from tutor.errors import LessonError
from tutor.lesson import changes
from tutor.lesson.changes import Changes
from tutor.lesson.walk import Length, Lesson, length, open_lesson
from tutor.pages.context import Context
from tutor.pages.view import View
from tutor.scenario.reader import Scenario
from tutor.store.saved_lessons import SavedLessons

LESSONS, CONTEXTS, STEPS, LENGTHS = 16, 64, 2048, 4096
HEAVY, FEW = 200_000, 4
"""Of lessons with more numbers (parameters, and units times samples) only a few are kept open; each
takes 10 MB and more.
"""
PLAIN = View()
Text = TypeVar("Text")


@dataclass(frozen=True, eq=False, slots=True)
class ByIdentity:
    """A scenario as a key: equal only to itself, so that looking it up does not compare thousands
    of weights.
    """

    scenario: Scenario

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and self.scenario is other.scenario

    def __hash__(self) -> int:
        return id(self.scenario)

    @property
    def heavy(self) -> bool:
        """Whether its lesson takes much memory."""
        sizes = self.scenario.network.sizes
        return (
            sum(a * b for a, b in pairwise(sizes)) + sum(sizes) * len(self.scenario.inputs) > HEAVY
        )


class Remembered:
    """What a function gave for the last keys: `most` of them, and a few of heavy ones."""

    def __init__(self, make: Callable[..., Any], most: int) -> None:
        self._light, self._heavy = lru_cache(most)(make), lru_cache(FEW)(make)
        self.cache_info = self._light.cache_info

    def __call__(self, key: ByIdentity, *rest: object) -> Any:
        return (self._heavy if key.heavy else self._light)(key, *rest)

    def cache_clear(self) -> None:
        """Forget them all."""
        self._light.cache_clear()
        self._heavy.cache_clear()


class Library(Generic[Text]):
    """All lessons of some folders, and those that readers saved.

    `render` turns a context and a step into the text of that step, of whatever type; `saved` gives
    the text of a saved lesson's id.
    """

    def __init__(
        self,
        folders: Iterable[AnyPath],
        render: Callable[[Context, int, tuple[str, ...]], Text],
        saved: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._watched = WatchedShelf(folders)
        self._saved = SavedLessons(saved)
        self._render = render
        self._changed = Remembered(lambda key, made: changes.apply(key.scenario, made), LESSONS)
        self._lesson = Remembered(self._open, LESSONS)
        self._context = Remembered(lambda key, view: self._looked_at(key.scenario, view), CONTEXTS)
        self._step = lru_cache(STEPS)(
            lambda key, view, n: self._render(self._context(key, view), n, ())
        )
        self._length = lru_cache(LENGTHS)(lambda key: length(key.scenario))

    @property
    def shelf(self) -> Shelf:
        """The lessons as the folders have them now."""
        return self._watched.shelf()

    def find(self, lesson: str) -> Scenario | None:
        """The scenario of a lesson's id, from the shelf or else from the store. Raises StoreError
        where that cannot be reached.
        """
        return self.shelf.find(lesson) or self._saved.find(lesson)

    def lesson(self, scenario: Scenario, view: View = PLAIN) -> Lesson:
        """A lesson at the iteration of a view, with the view's changes made."""
        found: Lesson = self._lesson(
            ByIdentity(scenario), view.iteration, view.changes, view.input_gradients
        )
        return found

    def _open(self, key: ByIdentity, iteration: int, made: Changes, inputs: bool | None) -> Lesson:
        return open_lesson(
            self._changed(key, made), iteration, changes.listed(key.scenario, made), inputs
        )

    def _looked_at(self, scenario: Scenario, view: View) -> Context:
        """A lesson under a view; where numbers were changed, beside the original, unless that stops
        before this iteration.
        """
        original = None
        if view.changes:
            with suppress(LessonError):
                original = self.lesson(scenario, replace(view, changes=()))
        return Context(self.lesson(scenario, view), view, source=scenario, original=original)

    def context(self, scenario: Scenario, view: View) -> Context:
        """A lesson under a view."""
        found: Context = self._context(ByIdentity(scenario), view)
        return found

    def step(self, scenario: Scenario, view: View, n: int, notices: tuple[str, ...] = ()) -> Text:
        """The text of one step; one with notices is about a single address and is not kept."""
        if notices:
            return self._render(self.context(scenario, view), n, notices)
        text: Text = self._step(ByIdentity(scenario), view, n)
        return text

    def steps(self) -> dict[str, Length | None]:
        """How many steps each lesson has, number by number; None where it cannot be computed."""
        return {s.id: self._length(ByIdentity(s)) for s in self.shelf.lessons}

    def clear(self) -> None:
        """Forget everything that was remembered (for measuring)."""
        for kept in (self._changed, self._lesson, self._context, self._step, self._length):
            kept.cache_clear()
        self._saved.clear()

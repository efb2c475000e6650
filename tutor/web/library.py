"""The library: the lessons of the shelf, opened and kept ready while they are looked at.

Lessons, contexts and finished steps are pure functions of a scenario and a view, so they are kept,
by the scenario's content and as many as fit into so many bytes; what was kept of a file that has
changed is never asked for again. The numbers that a reader changed are part of the view: always ask
with the scenario of the file and the view.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sized
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from tutor.catalogue.shelf import AnyPath, Shelf, WatchedShelf
from tutor.errors import LessonError
from tutor.lesson.changes import Changes
from tutor.lesson.opening import length
from tutor.lesson.running import Running
from tutor.lesson.walk import AnyLesson, Length
from tutor.memo import Kept
from tutor.pages.context import AnyContext, Context
from tutor.pages.faces import face
from tutor.pages.view import View
from tutor.scenario.reader import AnyScenario, Scenario
from tutor.store.saved_lessons import SavedLessons

MEGABYTE = 2**20
LESSONS, CONTEXTS, STEPS = 32 * MEGABYTE, 64 * MEGABYTE, 48 * MEGABYTE
TRAININGS = 128 * MEGABYTE
"""What a worker keeps of each."""
LENGTHS = 4096
OPEN, EACH = MEGABYTE, 100
"""About what an open lesson takes, and each of its numbers."""
LOOKED_AT = 2 * MEGABYTE
"""About what is made of a lesson under a view while it is walked through."""
PLAIN = View()
Text = TypeVar("Text", bound=Sized)


class ByContent:
    """A scenario as a key: equal to one that was read from the same text under the same id, so that
    nothing compares thousands of weights, and a lesson that is read again is known. The key does
    not hold the scenario, for thousands of keys would hold one each, unless nothing but itself
    tells it from others.
    """

    __slots__ = ("_content", "_itself")

    def __init__(self, scenario: AnyScenario) -> None:
        self._content = scenario.id, scenario.mark or id(scenario)
        self._itself = None if scenario.mark else scenario

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByContent) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)


def weight(scenario: AnyScenario) -> int:
    """About how many bytes an open lesson takes."""
    return OPEN + EACH * scenario.weight


class Library(Generic[Text]):
    """All lessons of some folders, and those that readers saved.

    `render` turns a context and a step into the text of that step, of whatever type; `saved` gives
    the text of a saved lesson's id; `only` leaves out all lessons but some.
    """

    def __init__(
        self,
        folders: Iterable[AnyPath],
        render: Callable[[AnyContext, int, tuple[str, ...]], Text],
        saved: Callable[[str], str | None] = lambda _: None,
        only: Container[str] | None = None,
    ) -> None:
        self._watched = WatchedShelf(folders, only=only)
        self._saved = SavedLessons(saved)
        self._render = render
        self._changed = Kept(LESSONS, weight)
        self._running = Kept(TRAININGS, lambda running: running.size)
        self._lesson = Kept(LESSONS, lambda lesson: weight(lesson.scenario))
        self._context = Kept(CONTEXTS, lambda context: LOOKED_AT + weight(context.source))
        self._step = Kept(STEPS, len)
        self._length = Kept(LENGTHS, lambda _: 1)

    @property
    def shelf(self) -> Shelf:
        """The lessons as the folders have them now."""
        return self._watched.shelf()

    def find(self, lesson: str) -> AnyScenario | None:
        """The scenario of a lesson's id, from the shelf or else from the store. Raises StoreError
        where that cannot be reached.
        """
        return self.shelf.find(lesson) or self._saved.find(lesson)

    def lesson(self, scenario: AnyScenario, view: View = PLAIN) -> AnyLesson:
        """A lesson at the iteration of a view, with the view's changes made."""
        chosen = view.iteration, view.changes, view.input_gradients, view.scaling, view.paper
        key = ByContent(scenario), *chosen
        found: AnyLesson = self._lesson.once(key, lambda: self._open(scenario, view))
        return found

    def _open(self, scenario: AnyScenario, view: View) -> AnyLesson:
        made, known = self._with_changes(scenario, view.changes), None
        if view.iteration > 1 and isinstance(scenario, Scenario):
            known = self.running(scenario, view.changes).ready(view.iteration)
        return face(scenario).lesson(scenario, made, view, known)

    def _with_changes(self, scenario: AnyScenario, made: Changes) -> AnyScenario:
        key = ByContent(scenario), made
        found: AnyScenario = self._changed.once(key, lambda: face(scenario).changed(scenario, made))
        return found

    def running(self, scenario: Scenario, made: Changes = ()) -> Running:
        """The training of a lesson with changes, as far as it was run."""
        key = ByContent(scenario), made
        found: Running = self._running.once(key, lambda: self._begun(scenario, made))
        return found

    def _begun(self, scenario: Scenario, made: Changes) -> Running:
        changed = self._with_changes(scenario, made)
        assert isinstance(changed, Scenario)
        return Running(changed)

    def _looked_at(self, scenario: AnyScenario, view: View) -> AnyContext:
        """A lesson under a view; where numbers were changed, beside the original, unless that stops
        before this iteration.
        """
        original = None
        if view.changes:
            with suppress(LessonError):
                original = self.lesson(scenario, replace(view, changes=()))
        return face(scenario).context(self.lesson(scenario, view), view, scenario, original)

    def context(self, scenario: AnyScenario, view: View) -> AnyContext:
        """A lesson under a view."""
        found: AnyContext = self._context.once(
            (ByContent(scenario), view), lambda: self._looked_at(scenario, view)
        )
        return found

    def network(self, scenario: Scenario, view: View) -> Context:
        """A network lesson under a view."""
        found = self.context(scenario, view)
        assert isinstance(found, Context)
        return found

    def step(
        self, scenario: AnyScenario, view: View, n: int, notices: tuple[str, ...] = ()
    ) -> Text:
        """The text of one step; one with notices is about a single address and is not kept."""
        if notices:
            return self._render(self.context(scenario, view), n, notices)
        text: Text = self._step.once(
            (ByContent(scenario), view, n),
            lambda: self._render(self.context(scenario, view), n, ()),
        )
        return text

    def steps(self) -> dict[str, Length | None]:
        """How many steps each lesson has, number by number; None where it cannot be computed."""
        return {
            s.id: self._length.once(ByContent(s), partial(length, s)) for s in self.shelf.lessons
        }

    def clear(self) -> None:
        """Forget everything that was remembered, to measure, or to make room."""
        for kept in (
            self._changed, self._running, self._lesson, self._context, self._step, self._length,
        ):  # fmt: skip
            kept.clear()
        self._saved.clear()

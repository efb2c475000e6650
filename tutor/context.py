"""A lesson under a view: its walk, its notation, what the slides say. Made once, used by every page of the lesson."""

from __future__ import annotations

from tutor.errors import LessonError
from tutor.formula import Chalk
from tutor.lesson import Lesson
from tutor.notation import Alphabet, Notation, notation
from tutor.quantity import Quantity
from tutor.scenario import Scenario
from tutor.slides import slides
from tutor.view import View
from tutor.writer import Hidden


class Context:
    """A lesson under a view: notation, alphabet, slides; made once for all its steps."""

    def __init__(self, lesson: Lesson, view: View, hidden: Hidden | None = None) -> None:
        self.lesson, self.view, self.hidden = lesson, view, hidden
        self.trace = lesson.trace
        self.notation = notation_for(lesson.scenario, view)
        self.decimals = lesson.scenario.display.decimals if view.decimals is None else view.decimals
        self.alphabet = Alphabet.of(self.notation, self.trace.network, self.trace.samples)
        self.chalk = Chalk(self.trace, self.alphabet, self.decimals, hidden)
        self.slides = slides(lesson)
        self.walk = lesson.walk(view.grain)

    def step_of(self, q: Quantity) -> int:
        """The step of this walk that makes q, 0 where it is given, -1 where the walk does not get there."""
        try:
            return self.walk.step_of(q)
        except LessonError:
            return -1

    @property
    def variant(self) -> str:
        """What differs from the lesson as the lecture has it: another iteration, another loss; else ""."""
        parts = []
        if self.lesson.iteration > 1:
            parts.append(f"iteration {self.lesson.iteration}, so the numbers are no longer those of the slides")
        if self.lesson.loss_name != self.lesson.scenario.loss.name:
            parts.append(f"{self.trace.network.loss.title} in place of the lecture’s own loss")
        return "; ".join(parts)

    def address(self, n: int) -> str:
        """The address of a step, from anywhere."""
        return self.view.address(self.lesson.scenario.id, n)


def notation_for(scenario: Scenario, view: View) -> Notation:
    """The notation of a view: the lesson's own with its overrides, or another preset as it is."""
    if view.notation:
        return notation(view.notation)
    return notation(scenario.notation.preset, scenario.notation.overrides)

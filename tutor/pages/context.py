"""A lesson under a view: its walk, its notation, what the slides say. Made once, used by every page
of the lesson.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson.formula import FormulaWriter
from tutor.lesson.slides import Numbers
from tutor.lesson.walk import GRAINS, NEVER, AnyLesson, AnyStep, Lesson, Step, Walk
from tutor.memo import Memo
from tutor.notation.conventions import Alphabet, Notation, notation
from tutor.notation.mathml import Line
from tutor.notation.writer import Hidden
from tutor.number import MAX_DECIMALS, counted, is_exact
from tutor.pages.view import View
from tutor.scenario.reader import AnyScenario, Scenario


class AnyContext:
    """A lesson of any sort under a view, made once for all its steps.

    `source` is the scenario before the reader's changes; `original` is the lesson without them, at
    the same iteration, and None where nothing is changed or the original does not get that far.
    """

    def __init__(
        self,
        lesson: AnyLesson,
        view: View,
        trace: Numbers,
        alphabet: Alphabet,
        hidden: Hidden | None,
    ) -> None:
        self.lesson, self.view, self.hidden, self.trace = lesson, view, hidden, trace
        self.decimals = self._shown_decimals
        self.alphabet = alphabet
        self.line = Line(alphabet, self.decimals)
        self.walk = lesson.walk(view.grain)
        self.facts = Memo()
        self.memo = Memo()
        """What several steps have in common, such as the rows of a table that they do not touch."""

    @property
    def source(self) -> AnyScenario:
        """The scenario before the reader's changes."""
        raise NotImplementedError

    @property
    def old(self) -> Numbers | None:
        """The numbers of the lesson without the reader's changes, where there are any, and they
        are about the same samples.
        """
        raise NotImplementedError

    @cached_property
    def _queries(self) -> dict[str, str]:
        """What stands behind the number of a step in its address, for each grain."""
        queries = {grain: replace(self.view, grain=grain).query() for grain in GRAINS}
        return {grain: f"?{query}" if query else "" for grain, query in queries.items()}

    @cached_property
    def home(self) -> str:
        """The address of the lesson's first page, never in a frame."""
        return replace(self.view, embedded=False).address(self.lesson.scenario.id)

    def href(self, n: int, grain: str = "") -> str:
        """The address of step n, relative to any step of the lesson; in another grain if named."""
        return f"{n}{self._queries[grain or self.view.grain]}"

    def step(self, n: int) -> AnyStep:
        """Step n of this walk. Raises LessonError where there is none."""
        return self.walk.step(n)

    def step_of(self, q: Quantity) -> int:
        """The step of this walk that makes q, 0 where it is given, -1 where the walk does not get
        there.
        """
        n = self.fact(q)[0]
        return -1 if n == NEVER else n

    def fact(self, q: Quantity) -> tuple[int, float | None]:
        """(the step that makes q, its value); no value where there is none or a reader is to find
        it.
        """
        found: tuple[int, float | None] | None = self.facts.get(q)
        if found is None:
            found = self.facts[q] = self.walk.place(q), self._value(q)
        return found

    def _value(self, q: Quantity) -> float | None:
        if self.hidden is not None and self.hidden(q):
            return None
        try:
            return self.trace.value(q)
        except (KeyError, IndexError):
            return None

    @property
    def _shown_decimals(self) -> int:
        """On paper each number is shown as it is carried on."""
        if self.trace.paper:
            return MAX_DECIMALS
        own = self.lesson.scenario.display.decimals
        return own if self.view.decimals is None else self.view.decimals

    @property
    def variant(self) -> str:
        """That this is another iteration than the lecture's own, or as on paper; else ""."""
        return "; ".join(filter(None, (self._later, self._on_paper)))

    @property
    def _later(self) -> str:
        if self.lesson.iteration == 1:
            return ""
        slides = ", so the numbers are no longer those on the slides"
        return f"iteration {self.lesson.iteration}{slides if self.lesson.scenario.printed else ''}"

    @property
    def _on_paper(self) -> str:
        if not self.trace.paper:
            return ""
        places = counted(self.trace.paper, "decimal")
        return f"as on paper, every number rounded to {places} and carried on"

    def sign(self, exact: float, written: float) -> str:
        """Between a formula and its result, which may be rounded on paper or as it is shown."""
        close = math.isclose(exact, written, rel_tol=1e-12, abs_tol=1e-15)
        return "=" if close and is_exact(written, self.decimals) else "≈"

    def was(self, q: Quantity) -> float | None:
        """What the original has for a quantity that differs from it; None where it is the same,
        there is none, or it is about other samples.
        """
        if self.old is None:
            return None
        try:
            old, new = self.old.value(q), self.trace.value(q)
        except (KeyError, IndexError):
            return None
        return None if old == new or (math.isnan(old) and math.isnan(new)) else old

    def address(self, n: int | str) -> str:
        """The address of a step, from anywhere."""
        return self.view.address(self.lesson.scenario.id, n)


class Context(AnyContext):
    """A network lesson under a view: notation, alphabet, slides; made once for all its steps."""

    lesson: Lesson
    trace: Trace
    walk: Walk

    def __init__(
        self,
        lesson: Lesson,
        view: View,
        hidden: Hidden | None = None,
        *,
        source: Scenario | None = None,
        original: Lesson | None = None,
    ) -> None:
        self.notation = notation_for(lesson.scenario, view)
        alphabet = Alphabet.of(self.notation, lesson.trace.network, lesson.trace.samples)
        super().__init__(lesson, view, lesson.trace, alphabet, hidden)
        self._source, self.original = source or lesson.scenario, original
        self.formulas = FormulaWriter(self.trace, self.alphabet, self.decimals, hidden)
        self.slides = lesson.slides
        self.drawn, self.labels = Memo(), Memo()
        """The parts of diagrams, and the numbers in them, that several steps have in common."""

    @property
    def source(self) -> Scenario:
        return self._source

    @property
    def old(self) -> Trace | None:
        if self.original is None or self.original.batch != self.lesson.batch:
            return None
        return self.original.trace

    @cached_property
    def said(self) -> dict[int, list[Quantity]]:
        """What the lecture speaks of, by step, in the order of the walk number by number."""
        found: dict[int, list[Quantity]] = {}
        for q in sorted(self.slides, key=self.lesson.walk("number").place):
            found.setdefault(self.step_of(q), []).append(q)
        return found

    def step(self, n: int) -> Step:
        """Step n of this walk. Raises LessonError where there is none."""
        return self.walk.step(n)

    @property
    def batch(self) -> str:
        """Which samples of the data set the iteration uses; "" where they are all, in order."""
        return "" if self.lesson.batch is None else f"{self.lesson.batch}."


def notation_for(scenario: Scenario, view: View) -> Notation:
    """The notation of a view: the lesson's own with its overrides, or another preset as it is."""
    if view.notation:
        return notation(view.notation)
    return notation(scenario.notation.preset, scenario.notation.overrides)

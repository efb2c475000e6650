"""A formula under a view: its walk, its names. Made once, used by every page of the lesson."""

from __future__ import annotations

from functools import cached_property

from tutor.draw.graph_layout import MOST_DRAWN, GraphLayout, laid_out
from tutor.engine.graph import Graph
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.quantity import Quantity
from tutor.lesson.graph_formula import GraphFormulaWriter
from tutor.lesson.graph_lesson import GraphLesson, GraphStep, GraphWalk
from tutor.notation.node_names import alphabet
from tutor.notation.writer import Hidden
from tutor.pages.context import AnyContext
from tutor.pages.graph_view import GraphView
from tutor.scenario.reader import GraphScenario


class GraphContext(AnyContext):
    """A formula under a view, made once for all its steps."""

    lesson: GraphLesson
    view: GraphView
    trace: GraphTrace
    walk: GraphWalk

    def __init__(
        self,
        lesson: GraphLesson,
        view: GraphView,
        hidden: Hidden | None = None,
        *,
        source: GraphScenario | None = None,
        original: GraphLesson | None = None,
    ) -> None:
        super().__init__(lesson, view, lesson.trace, alphabet(view.notation), hidden)
        self._source, self.original = source or lesson.scenario, original
        self.formulas = GraphFormulaWriter(self.trace, self.alphabet, self.decimals, hidden)

    @property
    def source(self) -> GraphScenario:
        return self._source

    @property
    def old(self) -> GraphTrace | None:
        return None if self.original is None else self.original.trace

    @property
    def graph(self) -> Graph:
        """The graph of the formula."""
        return self.trace.graph

    def step(self, n: int) -> GraphStep:
        """Step n of this walk. Raises LessonError where there is none."""
        return self.walk.step(n)

    @cached_property
    def said(self) -> dict[int, list[Quantity]]:
        """What the lecture speaks of, by step."""
        found: dict[int, list[Quantity]] = {}
        for q in sorted(self.lesson.slides, key=self.lesson.walk("number").place):
            found.setdefault(self.step_of(q) or 1, []).append(q)  # a value at the first step
        return found

    def layout(self, focus: tuple[str, ...]) -> GraphLayout:
        """Where the nodes stand: of a large graph those round some of them."""
        whole = len(self.graph.nodes) <= MOST_DRAWN
        key = "layout", () if whole else focus
        found: GraphLayout = self.memo.once(key, lambda: laid_out(self.graph, focus))
        return found

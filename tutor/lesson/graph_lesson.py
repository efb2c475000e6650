"""Computation graphs as lessons: the walk forward and backward, in three grains.

`number` takes one number a step, `layer` one node, `pass` the whole way forward or backward.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from math import prod

import numpy as np

from tutor.engine.graph import GraphNode, quantity
from tutor.engine.graph_paper import on_paper
from tutor.engine.graph_trace import GraphTrace, walked
from tutor.engine.kinds import BACKWARD, FORWARD
from tutor.engine.operation import place_in
from tutor.engine.order import EarlyEnd
from tutor.engine.quantity import Quantity
from tutor.errors import LessonError
from tutor.lesson.changes import AnyChange
from tutor.lesson.slides import Slide, slides
from tutor.lesson.walk import AnyLesson, AnyStep, AnyWalk
from tutor.number import counted
from tutor.scenario.graph_file import graph_of
from tutor.scenario.reader import GraphScenario

Computed = tuple[str, GraphNode]
"""The kind of an array that is computed, and the node that it belongs to."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphStep(AnyStep):
    """One step of the walk through a graph."""

    walk: GraphWalk
    made: tuple[Computed, ...]
    """What the step makes; one number of it where the walk goes number by number."""

    @property
    def arrays(self) -> tuple[Hashable, ...]:
        by_number = self.walk.grain == "number"
        return () if by_number else tuple(kind for kind, _ in self.made)


class GraphWalk(AnyWalk):
    """The steps of a graph in one grain. It ends at the first number that is not finite."""

    def __init__(self, trace: GraphTrace) -> None:
        super().__init__()
        self.trace = trace
        computed, stop = trace.computed, trace.stop
        end = len(computed)
        if stop:
            end = next(n for n, (kind, _) in enumerate(computed, 1) if kind == stop.quantity.kind)
        self.computed = computed[:end]
        self.rank = {kind: n for n, (kind, _) in enumerate(self.computed)}

    def step(self, n: int) -> GraphStep:
        """Step n. Raises LessonError where there is none."""
        self.refuse(n)
        return GraphStep(self, n, self.phase(n), self.anchor(n), self.made(n))

    def made(self, n: int) -> tuple[Computed, ...]:
        """What step n makes."""
        raise NotImplementedError

    def phase(self, n: int) -> str:
        return quantity(self.made(n)[0][0]).of.phase

    def anchor(self, n: int) -> Quantity:
        kind, node = self.made(n)[0]
        return next(node.entries(kind))

    def _rank(self, q: Quantity) -> int:
        """Which array a number is in, from 0."""
        try:
            return self.rank[q.kind]
        except KeyError:
            raise LessonError(f"{q} is not a step of this lesson") from None

    def first_of(self, phase: str) -> int | None:
        """The first step of a phase, or None where the walk does not get there."""
        found = (kind for kind, _ in self.computed if quantity(kind).of.phase == phase)
        kind = next(found, None)
        return None if kind is None else self.step_of(quantity(kind, (1, 1)[: self._axes(kind)]))

    def _axes(self, kind: str) -> int:
        return len(self.computed[self.rank[kind]][1].shape)

    @property
    def stop(self) -> EarlyEnd | None:
        return self.trace.stop


class GraphNumberWalk(GraphWalk):
    """One number a step."""

    grain = "number"

    @cached_property
    def _starts(self) -> list[int]:
        """Before each array, how many numbers were computed; at the end, all."""
        return list(accumulate((node.size for _, node in self.computed), initial=0))

    @cached_property
    def _length(self) -> int:
        stop = self.trace.stop
        return self._starts[-1] if stop is None else self._step_of(stop.quantity)

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _owners(self) -> list[int]:
        return [n for n, (_, node) in enumerate(self.computed) for _ in range(node.size)]

    def made(self, n: int) -> tuple[Computed, ...]:
        return (self.computed[self._owners[n - 1]],)

    def anchor(self, n: int) -> Quantity:
        owner = self._owners[n - 1]
        kind, node = self.computed[owner]
        return quantity(kind, place_in(node.shape, n - self._starts[owner]))

    def _step_of(self, q: Quantity) -> int:
        rank = self._rank(q)
        shape, offset = self.computed[rank][1].shape, 0
        for axis, index in enumerate((q.i, q.j)[: len(shape)]):
            offset += (index - 1) * prod(shape[axis + 1 :])
        return self._starts[rank] + offset + 1


class GraphNodeWalk(GraphWalk):
    """One node a step."""

    grain = "layer"

    def __len__(self) -> int:
        return len(self.computed)

    def made(self, n: int) -> tuple[Computed, ...]:
        return (self.computed[n - 1],)

    def _step_of(self, q: Quantity) -> int:
        return self._rank(q) + 1


class GraphPassWalk(GraphWalk):
    """One way a step: forward, backward."""

    grain = "pass"

    @cached_property
    def _passes(self) -> tuple[tuple[Computed, ...], ...]:
        ways = (FORWARD, BACKWARD)
        found = (tuple(c for c in self.computed if quantity(c[0]).of.phase == way) for way in ways)
        return tuple(way for way in found if way)

    def __len__(self) -> int:
        return len(self._passes)

    def made(self, n: int) -> tuple[Computed, ...]:
        return self._passes[n - 1]

    def _step_of(self, q: Quantity) -> int:
        self._rank(q)
        return 1 if q.of.phase == FORWARD else 2


_WALKS: dict[str, type[GraphWalk]] = {
    walk.grain: walk for walk in (GraphNumberWalk, GraphNodeWalk, GraphPassWalk)
}


@dataclass(frozen=True, eq=False)
class GraphLesson(AnyLesson):
    """A formula with its values, ready to be walked through."""

    scenario: GraphScenario
    trace: GraphTrace
    changes: tuple[AnyChange, ...] = ()
    iteration: int = 1

    @cached_property
    def walks(self) -> Mapping[str, GraphWalk]:
        """The walk in each grain."""
        return {grain: walk(self.trace) for grain, walk in _WALKS.items()}

    def walk(self, grain: str) -> GraphWalk:
        """The walk in one grain. Raises LessonError where there is no such grain."""
        found = super().walk(grain)
        assert isinstance(found, GraphWalk)
        return found

    def read(self, name: str) -> Quantity:
        """The number of this name. Raises QuantityError."""
        return self.trace.graph.parse(name)

    def on_paper(self, decimals: int) -> GraphLesson:
        """The same with every number rounded to so many decimals and carried on. Given numbers are
        copied as the lesson shows them.
        """
        given = self.scenario.display.decimals
        return replace(self, trace=on_paper(self.exact, decimals, given))

    @property
    def exact(self) -> GraphTrace:
        return self.trace.exact or self.trace

    @property
    def shape(self) -> str:
        return f"graph of {counted(len(self.trace.graph.nodes), 'node')}"

    @cached_property
    def slides(self) -> dict[Quantity, Slide]:
        """What the lecture says, by the quantity at whose step it is shown."""
        fit = not self.changes
        return slides(self.scenario, self.exact, notes_fit=fit, numbers_fit=fit, read=self.read)


def open_graph(scenario: GraphScenario, changes: tuple[AnyChange, ...] = ()) -> GraphLesson:
    """Compute a graph lesson; `changes` have been made in the scenario already."""
    values = {
        name: np.array(value, dtype=np.float64) for name, value in scenario.graph.values.items()
    }
    return GraphLesson(scenario, walked(graph_of(scenario.graph), values), changes)

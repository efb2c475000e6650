"""Values of a formula moved a little, and its result measured.

    GraphNudger(trace)                  the result with one number in place of another

Only the nodes that depend on a number are computed again, forward alone. Where all of them are
single numbers they are computed for many values of it at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tutor import budget
from tutor.engine.graph import GraphNode, quantity
from tutor.engine.graph_trace import GraphTrace, forward_again, place
from tutor.engine.nudge import Nudger
from tutor.engine.operations import Elementwise
from tutor.engine.program import Name
from tutor.engine.quantity import Quantity

NODE_WORK, POINT_WORK = 5_000, 10
"""What a node costs each time that it is computed, and for one more value along with others."""


class GraphNudger(Nudger):
    """The result of a formula with one number moved."""

    def __init__(self, trace: GraphTrace) -> None:
        self.trace, self.graph = trace, trace.graph
        self._later: dict[str, tuple[GraphNode, ...]] = {}

    @property
    def here(self) -> float:
        return float(self.trace[self.graph.result.kind])

    def value(self, q: Quantity) -> float:
        return self.trace.value(q)

    def gradient(self, q: Quantity) -> float:
        return self.trace.value(self.gradient_of(q))

    def gradient_of(self, q: Quantity) -> Quantity:
        """The derivative of the result with respect to a value."""
        return q._replace(kind=self.graph.derivative(self.graph.nodes[q.kind]).kind)

    @property
    def stopped(self) -> bool:
        return self.trace.stop is not None

    def can(self, q: Quantity) -> bool:
        known = q.given and q.kind in self.graph.needed
        return known and not self.stopped and bool(np.isfinite(self.gradient(q)))

    def arrays(self) -> Iterator[tuple[Name, tuple[int, ...]]]:
        """The values that the formula is differentiated with respect to."""
        for node in self.graph.values:
            if self.graph.derivative(node).kind in self.trace:
                yield (node.kind, 0), node.shape

    def at(self, name: Name, place: tuple[int, ...]) -> Quantity:
        return quantity(name[0], place)

    def results(self, q: Quantity, values: Sequence[float]) -> list[float]:
        result, later = self.graph.result.kind, self.later(q)
        if self._single(q):
            moved = forward_again(self.trace, {q.kind: np.array(values)}, later, len(values))
            return [float(found) for found in moved[result]]
        found = []
        for value in values:
            budget.check()
            found.append(float(self._moved(q, value)[result]))
        return found

    def _moved(self, q: Quantity, value: float) -> GraphTrace:
        array = np.array(self.trace[q.kind])
        array[place(q)] = value
        return forward_again(self.trace, {q.kind: array}, self.later(q))

    def later(self, q: Quantity) -> tuple[GraphNode, ...]:
        """The nodes that depend on a number, in the order of evaluation."""
        if q.kind not in self._later:
            reached, found = {q.kind}, []
            for node in self.graph.inner:
                if not reached.isdisjoint(node.inputs):
                    reached.add(node.kind)
                    found.append(node)
            self._later[q.kind] = tuple(found)
        return self._later[q.kind]

    def _single(self, q: Quantity) -> bool:
        """Whether a number, and all that depends on it, are single and computed one by one."""
        return not self.graph.nodes[q.kind].shape and all(
            isinstance(node.operation, Elementwise) and not any(node.made.shapes)
            for node in self.later(q)
        )

    def work(self, q: Quantity) -> int:
        nodes = self.later(q)
        each = POINT_WORK if self._single(q) else NODE_WORK
        return each * len(nodes) + sum(node.size for node in nodes)

    @property
    def most_work(self) -> int:
        nodes = self.graph.inner
        return 2 * (NODE_WORK * len(nodes) + sum(node.size for node in nodes))

    # ---- in words ----

    def kink(self, q: Quantity) -> str:
        for node in self.later(q):
            if text := self.trace.corner(node):
                return f"in {node.name}, {text}"
        return ""

    def trouble(self, q: Quantity, value: float) -> str:
        moved = self._moved(q, value)
        for node in self.later(q):
            if not np.isfinite(moved[node.kind]).all():
                found = moved.trouble(quantity(node.kind))
                return f"in {node.name}, {found[1]}" if found else f"{node.name} grows too large"
        return ""

"""As on paper for formulas: every number of a graph rounded and carried on like that.

    paper = on_paper(trace, 4, given=4)     a trace in which every number is a rounded one
    paper.exact                             the one at full precision
    operands(graph)                         about how many numbers all its formulas use

How a number is rounded, `tutor.engine.paper` decides. Each is what its own tree gives of the
rounded numbers before it; a local derivative is a part of that tree and not rounded by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np

from tutor.engine.graph import Graph, Use
from tutor.engine.graph_trace import Array, GraphTrace, place
from tutor.engine.paper import by_hand
from tutor.engine.tree import ArrayRef, Leaf, Value, evaluate


@dataclass(frozen=True, eq=False)
class PaperGraphTrace(GraphTrace):
    """A graph of rounded numbers."""

    def holds(self, leaf: Leaf) -> bool:
        """On paper a number is no longer what its tree gives."""
        return False

    def noted(self, value: Value) -> Value:
        """A number with a name is rounded like any other that is written down."""
        return np.float64(self.written(float(value)))

    def written(self, value: float) -> float:
        """A number as it is written down here."""
        return by_hand(value, self.paper)


@np.errstate(all="ignore")
def on_paper(trace: GraphTrace, decimals: int, given: int) -> PaperGraphTrace:
    """The same graph with every number rounded to so many decimals; given numbers are copied with
    `given` of them.
    """
    graph, arrays = trace.graph, {kind: np.array(array) for kind, array in trace.arrays.items()}
    for node in graph.values:
        arrays[node.kind][...] = _copied(trace[node.kind], given)
    paper = PaperGraphTrace(arrays, graph=graph, paper=decimals, exact=trace)
    for kind, node in trace.computed:
        for q in node.entries(kind):
            value = paper.written(float(evaluate(graph.tree(q), paper)))
            arrays[kind][place(q)] = value + 0.0  # no minus zero
    for array in arrays.values():
        array.setflags(write=False)
    return paper


def _copied(array: Array, given: int) -> Array:
    """Given numbers as the lesson shows them."""
    flat = [by_hand(float(value), given) for value in array.ravel()]
    return np.array(flat, dtype=np.float64).reshape(array.shape)


@lru_cache(maxsize=64)  # as many as there are graphs
def operands(graph: Graph) -> int:
    """About how many numbers all formulas of a graph use, without making one of them: each node
    reads what its derivatives come back to.
    """
    used = [
        Use(node, k)
        for node in graph.inner
        for k, leaf in enumerate(node.made.arguments)
        if isinstance(leaf, ArrayRef)
    ]
    back = [use for node in graph.backward for use in graph.parts(node)]
    return sum(map(_pairs, (*used, *back)))


def _pairs(use: Use) -> int:
    """How many numbers of a node depend on each of one input, taken from the first of them."""
    call = use.by.made
    shape = call.shapes[use.k]
    first = (1,) * len(shape)
    return prod(shape) * sum(1 for _ in call.operation.routes(use.k, call, first))

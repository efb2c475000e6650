"""How much work the derivatives of a graph are, counted three ways: path by path, by forward
accumulation, by reverse accumulation.

    totals(graph) -> Totals

Counted are multiplications by a local derivative, and additions where parts come together. Nothing
is listed, neither paths nor pairs of numbers: the counts are whole numbers of any size, made node
by node from what each number depends on (`tutor.engine.reach`).

    path by path    along each path from an input to the result, one product for each of its edges
    forward         for each input once through all that depends on it
    reverse         once through the whole graph, for all inputs together
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from tutor import budget
from tutor.engine.graph import Graph, GraphNode
from tutor.engine.operations import Elementwise
from tutor.engine.reach import Reach
from tutor.engine.tree import ArrayRef

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Work:
    """How many multiplications by a local derivative, and how many additions."""

    products: int
    sums: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The work of all derivatives."""

    paths: int
    """How many there are, from all inputs together."""
    by_paths: Work
    forward: Work
    reverse: Work
    carried: tuple[int, ...]
    """How many pairs of numbers forward accumulation goes along for the first input, for the first
    two together and so on.
    """


def totals(graph: Graph, columns: int = 1) -> Totals:
    """Count the work of a graph; `columns` are the inputs whose pairs are counted one by one."""
    count = _Count(graph, columns)
    for node in graph.inner:
        if node.kind in graph.needed:
            count.go_through(node)
    return count.totals()


_amount = np.frompyfunc(int.bit_count, 1, 1)
_lowest = np.frompyfunc(lambda bits: (bits & -bits).bit_length() - 1, 1, 1)


class _Count:
    """Goes through a graph from the inputs up. By the kind of each node, one for each number of it:
    `on`, a bit for each input that it depends on; `paths`, how many lead to it, and `edges`, how
    many edges those have together; `taken`, how often it is used.
    """

    def __init__(self, graph: Graph, columns: int) -> None:
        self.graph = graph
        self.on, self.paths, self.edges = dict[str, Array](), dict[str, Array](), dict[str, Array]()
        self.taken = dict[str, Array]()
        self.products = self.parts = 0
        self.by_column = [0] * (columns + 1)
        """Pairs of numbers by the first column that goes along them; the last are of no column."""
        n = 0
        for node in filter(None, map(graph.by_name.get, graph.differentiate)):
            self.on[node.kind] = _whole([1 << bit for bit in range(n, n + node.size)])
            self.paths[node.kind] = _whole([1] * node.size)
            self.edges[node.kind] = _whole([0] * node.size)
            n += node.size

    def go_through(self, node: GraphNode) -> None:
        """Count what goes into a node."""
        on, paths, edges = (_whole([0] * node.size) for _ in range(3))
        for kind, reach, times in _inputs(self.graph, node):
            budget.check()
            below, takers = self.on[kind], times * reach.takers
            on |= reach.either(below)
            paths += times * reach.total(self.paths[kind])
            edges += times * reach.total(self.edges[kind] + self.paths[kind])
            self.taken[kind] = self.taken.get(kind, 0) + takers
            self.products += (takers * _amount(below)).sum()
            self._sort(below, takers)
        self.on[node.kind], self.paths[node.kind], self.edges[node.kind] = on, paths, edges
        self.parts += _amount(on).sum()

    def _sort(self, below: Array, takers: Array) -> None:
        none = len(self.by_column) - 1
        for column, many in zip(_lowest(below), takers, strict=True):
            self.by_column[column if 0 <= column < none else none] += many

    def totals(self) -> Totals:
        """The counts behind the last node. Where k parts come together there are k − 1 sums."""
        result = self.graph.result.kind
        (on,), (paths,), (edges,) = self.on[result], self.paths[result], self.edges[result]
        pairs, used = sum(self.by_column), sum((own > 0).sum() for own in self.taken.values())
        return Totals(
            paths,
            Work(edges, paths - on.bit_count()),
            Work(self.products, self.products - self.parts),
            Work(pairs, pairs - int(used)),
            tuple(accumulate(self.by_column[:-1])),
        )


def _whole(numbers: list[int]) -> Array:
    return np.array(numbers, dtype=object)


def _inputs(graph: Graph, node: GraphNode) -> Iterator[tuple[str, Reach, int]]:
    """The inputs of a node that have derivatives: the kind, what of it goes where, how often."""
    call = node.made
    leaves = [leaf for leaf in call.arguments if isinstance(leaf, ArrayRef)]
    many = Counter(leaves) if isinstance(call.operation, Elementwise) else None
    for k, leaf in enumerate(call.arguments):
        if isinstance(leaf, ArrayRef) and leaf.kind in graph.needed:
            times = 1 if many is None else many.pop(leaf, 0)
            if times:
                yield leaf.kind, call.operation.reach(k, call), times

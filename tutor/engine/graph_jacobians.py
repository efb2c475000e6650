"""The Jacobian of one node of a computation graph with respect to one of its inputs, from the local
derivatives of their entries: a row for each entry of the node, a column for each entry of the input
(numerator layout), those of a matrix row by row.

    uses_of(node)                       each input of a node that is no constant
    LocalJacobian(trace, use).entry(i, j), .tree(i, j)      one number, and its tree
    LocalJacobian(trace, use).passed_on                     row of derivatives times the Jacobian

Entries are computed when they are asked for: of a large one nobody could hold the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tutor.engine.graph import GraphNode, Use
from tutor.engine.graph_trace import Array, Arrays, GraphTrace
from tutor.engine.operation import Place, place_in
from tutor.engine.operations import Elementwise
from tutor.engine.tree import ZERO, ArrayRef, Node, evaluate


def place_at(node: GraphNode, n: int) -> Place:
    """Where the n-th entry of a node stands, row by row."""
    return place_in(node.shape, n)


def uses_of(node: GraphNode) -> tuple[Use, ...]:
    """The inputs of an inner node, constants left out."""
    found = enumerate(node.made.arguments)
    return tuple(Use(node, k) for k, leaf in found if isinstance(leaf, ArrayRef))


def has_matrix(node: GraphNode) -> bool:
    """Whether an inner node is an array or made of one: its Jacobians are more than one number."""
    return bool(node.shape or any(node.made.shapes))


@dataclass(frozen=True, eq=False)
class LocalJacobian:
    """∂node/∂input."""

    trace: GraphTrace
    use: Use
    _columns: dict[int, Mapping[Place, Node]] = field(default_factory=dict)

    @property
    def node(self) -> GraphNode:
        """What is differentiated."""
        return self.use.by

    @property
    def below(self) -> GraphNode:
        """With respect to what."""
        leaf = self.node.made.arguments[self.use.k]
        assert isinstance(leaf, ArrayRef)
        return self.trace.graph.nodes[leaf.kind]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.node.size, self.below.size

    @property
    def diagonal(self) -> bool:
        """Whether each entry depends on the entry at the same place alone."""
        node = self.node
        return isinstance(node.operation, Elementwise) and node.shape == self.below.shape != ()

    def tree(self, i: int, j: int) -> Node:
        """The local derivative of entry i with respect to entry j, both from 1."""
        place = place_at(self.node, i)
        local = self._column(j).get(place)
        return ZERO if local is None else self.trace.graph.at(local, place)

    def _column(self, j: int) -> Mapping[Place, Node]:
        if j not in self._columns:
            call, at = self.node.made, place_at(self.below, j)
            self._columns[j] = dict(call.operation.routes(self.use.k, call, at))
        return self._columns[j]

    def entry(self, i: int, j: int) -> float:
        """The number of that tree."""
        return float(evaluate(self.tree(i, j), self.trace))

    def array(self) -> Array:
        """All of it."""
        rows, columns = self.shape
        return np.array(
            [[self.entry(i, j) for j in range(1, columns + 1)] for i in range(1, rows + 1)]
        )

    @cached_property
    def passed_on(self) -> Array:
        """What comes back to the node times the Jacobian, as backpropagation has it: of the shape
        of the input. Where the input is used elsewhere, other parts are added to it.
        """
        tree = self.trace.graph.pulled(self.use)
        with np.errstate(all="ignore"):
            value = tree.value(Arrays(self.trace.arrays))
        return np.asarray(np.broadcast_to(value, self.below.shape))

"""Every number of a computation graph: its values forward, its derivatives backward, computed once.

    walked(graph, values) -> GraphTrace

A trace is a mapping from the kind of a node, or of a derivative, to its array, and the environment
in which the trees of its derivations are evaluated. Numbers that are not finite are let through
quietly; `stop` is the first one in the order of the walk, with the reason.

Beside it: forward accumulation, which goes once through the graph for each input (`tangents`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tutor import budget, number
from tutor.engine.graph import Graph, GraphNode, quantity
from tutor.engine.operation import Route, Trouble, places
from tutor.engine.order import OVERFLOW, UNDEFINED, EarlyEnd
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef, Environment, Leaf, Value, evaluate

Array = np.ndarray


def place(q: Quantity) -> tuple[int, ...]:
    """Where a number stands in its array, from 0."""
    return tuple(index - 1 for index in (q.i, q.j) if index)


@dataclass(frozen=True, eq=False)
class Arrays:
    """An environment in which arrays have their own shape."""

    arrays: Mapping[str, Array]
    span: slice | None = None

    def number(self, q: Quantity) -> Value:
        """The number of a leaf."""
        return np.float64(self.arrays[q.kind][place(q)])

    def matrix(self, leaf: ArrayRef) -> Value:
        """A whole array."""
        array = self.arrays[leaf.kind]
        return array if array.ndim else np.float64(array)

    def share(self) -> Value:
        """There is no batch."""
        return np.float64(1.0)

    def bound(self, span: slice) -> Environment:
        """No index runs: each term of a long sum is a tree of its own."""
        return self

    def holds(self, leaf: Leaf) -> bool:
        """Every number is what its tree gives."""
        return True

    def seen(self, value: Value) -> Value:
        """A constant as it is."""
        return value

    def noted(self, value: Value) -> Value:
        """A number with a name as it is."""
        return value


@dataclass(frozen=True, eq=False)
class GraphTrace(Arrays):
    """All arrays of a graph by kind."""

    graph: Graph = field(kw_only=True)
    paper: int = field(default=0, kw_only=True)
    """To how many decimals every number is rounded, as on paper; 0 where none is."""
    exact: GraphTrace | None = field(default=None, kw_only=True)
    """The same at full precision, where every number is rounded."""

    def __contains__(self, kind: str) -> bool:
        return kind in self.arrays

    def __getitem__(self, kind: str) -> Array:
        return self.arrays[kind]

    def matrix(self, leaf: ArrayRef) -> Value:
        """A whole array in two dimensions, as formulas show it: a list is a column."""
        array = self.arrays.get(leaf.kind)
        if array is None:
            tree, shape = self.graph.local_tree(leaf.kind)
            array = np.broadcast_to(evaluate(tree, Arrays(self.arrays)), shape)
        return array if array.ndim == 2 else array.reshape(-1, 1)

    def value(self, q: Quantity) -> float:
        """Look up one number. Raises KeyError where this graph does not have it."""
        array, at = self.arrays.get(q.kind), place(q)
        if array is None or len(at) != array.ndim or any(map(int.__ge__, at, array.shape)):
            raise KeyError(f"{q} is not part of this graph")
        return float(array[at])

    def written(self, value: float) -> float:
        """A number as it is carried on: as it is, but on paper."""
        return value

    # ---- the order of the walk ----

    @cached_property
    def computed(self) -> tuple[tuple[str, GraphNode], ...]:
        """What is computed, array by array: the kind, and the node that it belongs to."""
        forward = [(node.kind, node) for node in self.graph.inner]
        backward = [(self.graph.derivative(node).kind, node) for node in self.graph.backward]
        return (*forward, *backward)

    @cached_property
    def stop(self) -> EarlyEnd | None:
        """The first number that is not finite."""
        for kind, node in self.computed:
            if not np.isfinite(self.arrays[kind]).all():
                q = next(q for q in node.entries(kind) if not np.isfinite(self.value(q)))
                return EarlyEnd(q, UNDEFINED if np.isnan(self.value(q)) else OVERFLOW)
        return None

    def trouble(self, q: Quantity) -> tuple[GraphNode, str] | None:
        """Which operation has no number there, and what it says; None where one only grew too
        large.
        """
        backward = bool(q.of.by)
        node = self.graph.nodes[q.of.by or q.kind]
        nodes = [use.by for use in self.graph.parts(node)] if backward else [node]
        for found in nodes:
            for trouble in found.operation.steep if backward else found.operation.troubles:
                if text := self._told(trouble, found):
                    return found, text
        return None

    def corner(self, node: GraphNode) -> str:
        """Where the curve of an inner node has a corner at exactly its inputs, which it is; else
        "".
        """
        corners = node.operation.corners
        return next(filter(None, (self._told(found, node) for found in corners)), "")

    def _told(self, trouble: Trouble, node: GraphNode) -> str:
        """What there is to say of the first numbers that are in trouble; "" where none are."""
        env = Arrays(self.arrays)
        with np.errstate(all="ignore"):
            given = [argument.value(env) for argument in node.made.arguments]
            places = np.argwhere(trouble.where(*given))
        if not len(places):
            return ""
        first = tuple(places[0])
        shape = np.broadcast_shapes(*(np.shape(one) for one in given))
        numbers = (float(np.broadcast_to(one, shape)[first]) for one in given)
        return trouble.text.format(
            *(number.short(one).replace("-", number.MINUS) for one in numbers)
        )


@np.errstate(all="ignore")
def walked(graph: Graph, values: Mapping[str, Array]) -> GraphTrace:
    """Compute a graph over its values by name: arrays of the shapes that it was made for."""
    arrays: dict[str, Array] = {
        node.kind: _frozen(values[node.name], node) for node in graph.values
    }
    env = Arrays(arrays)
    for node in graph.inner:
        arrays[node.kind] = _frozen(graph.forward_tree(node).value(env), node)
    for node in graph.backward:
        arrays[graph.derivative(node).kind] = _frozen(graph.backward_tree(node).value(env), node)
    return GraphTrace(arrays, graph=graph)


@np.errstate(all="ignore")
def forward_again(
    trace: GraphTrace, changed: Mapping[str, Array], later: Iterable[GraphNode], many: int = 0
) -> GraphTrace:
    """The forward pass with other arrays in place of some: the nodes `later`, which depend on them,
    are computed again. With `many`, single numbers stand for so many values each.
    """
    arrays = {**trace.arrays, **changed}
    env = Arrays(arrays)
    for node in later:
        arrays[node.kind] = _frozen(trace.graph.forward_tree(node).value(env), node, many)
    return GraphTrace(arrays, graph=trace.graph)


def _frozen(value: Value, node: GraphNode, many: int = 0) -> Array:
    array = np.array(np.broadcast_to(value, (many,) if many else node.shape), dtype=np.float64)
    array += 0.0  # no minus zero
    array.setflags(write=False)
    return array


# ---- Forward accumulation ----


def tangents(trace: GraphTrace, of: Quantity) -> dict[Quantity, float]:
    """The derivative of every number that depends on `of` with respect to it, by going once through
    the graph; of itself it is 1.
    """
    return tangents_of(trace, (of,))[0]


def tangents_of(trace: GraphTrace, numbers: Sequence[Quantity]) -> list[dict[Quantity, float]]:
    """The same for several numbers, with each local derivative computed once."""
    graph, found = trace.graph, [{of: 1.0} for of in numbers]
    for node in graph.inner if numbers else ():
        if node.kind in graph.needed:
            for below, routes in _taken(graph, node):
                known = [column for column in found if below in column]
                for at, local in routes if known else ():
                    budget.check()
                    q, slope = quantity(node.kind, at), float(evaluate(graph.at(local, at), trace))
                    for column in known:
                        column[q] = column.get(q, 0.0) + slope * column[below]
    return found


def _taken(graph: Graph, node: GraphNode) -> Iterator[tuple[Quantity, Iterator[Route]]]:
    """Each number that a node takes, and where it goes."""
    call = node.made
    for k, leaf in enumerate(call.arguments):
        if isinstance(leaf, ArrayRef) and leaf.kind in graph.needed:
            for at in places(call.shapes[k]):
                yield quantity(leaf.kind, at), call.operation.routes(k, call, at)

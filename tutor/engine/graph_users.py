"""Which numbers of a graph are computed with a number, and what leads to it.

    users(trace, q)        -> Users for each node, and each derivative, whose formula has q in it
    operands_of(trace, q)  -> the numbers in the formula of q
    leading_to(trace, q)   -> the numbers of the same way that q is computed from, step by step

Only the nodes beside one can use it. Of an array that is computed entry by entry one entry is
looked at: another one uses q just as it does, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from tutor import budget
from tutor.engine.graph import GraphNode, place_of, quantity
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.leading import leading
from tutor.engine.operations import AddedUp, Elementwise
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef, Elided, Node, Ref, leaves, walk


@dataclass(frozen=True, slots=True)
class GraphUsers:
    """The numbers of one node, or of the derivative with respect to it, that use a number."""

    kind: str
    node: GraphNode
    some: tuple[Quantity, ...] | None
    """Those that do; None where all do."""

    @property
    def count(self) -> int:
        """How many there are."""
        return self.node.size if self.some is None else len(self.some)

    def first(self, most: int) -> tuple[Quantity, ...]:
        """The first of them."""
        all_ = self.node.entries(self.kind) if self.some is None else self.some
        return tuple(islice(all_, most))


def users(trace: GraphTrace, q: Quantity) -> Iterator[GraphUsers]:
    """Who is computed with q, in the order of the walk."""
    shape = _owner(trace, q).shape
    for kind, node in _near(trace, q):
        entries: Iterable[Quantity] = node.entries(kind)
        if _by_entry(trace, kind, node):
            same = bool(shape) and shape == node.shape
            one = quantity(kind, place_of(q)) if same else next(node.entries(kind))
            if node.shape and not same:
                if _uses(trace, one, q):
                    yield GraphUsers(kind, node, None)
                continue
            entries = (one,)
        found = tuple(user for user in entries if _uses(trace, user, q))
        if found:
            yield GraphUsers(kind, node, found)


def _by_entry(trace: GraphTrace, kind: str, node: GraphNode) -> bool:
    """Whether each entry is computed from the same entry of other arrays and from single numbers,
    or from a sum over all.
    """
    backward = bool(quantity(kind).of.by)
    nodes = [use.by for use in trace.graph.parts(node)] if backward else [node]
    return all(isinstance(found.operation, Elementwise | AddedUp) for found in nodes)


def _owner(trace: GraphTrace, q: Quantity) -> GraphNode:
    """The node that a number, or the derivative with respect to it, belongs to."""
    return trace.graph.nodes[q.of.by or q.kind]


def _near(trace: GraphTrace, q: Quantity) -> list[tuple[str, GraphNode]]:
    """The arrays whose formula may have q in it: a value stands in the nodes that use it, and in
    the local derivatives of those nodes and of its own; a derivative goes on to the inputs.
    """
    graph, node = trace.graph, _owner(trace, q)
    using = [] if q.of.by else [use.by for use in graph.uses.get(node.kind, ())]
    forward = {user.kind: user for user in using}
    backward = {
        graph.derivative(graph.nodes[kind]).kind: graph.nodes[kind]
        for user in (node, *using)
        for kind in user.inputs
        if user.kind in graph.needed and kind in graph.needed
    }
    named = {kind for kind, below in backward.items() if _names(graph.backward_tree(below), q)}
    found = forward | {kind: backward[kind] for kind in named}
    return [(kind, found[kind]) for kind, _ in trace.computed if kind in found]


def _names(tree: Node, q: Quantity) -> bool:
    """Whether the formula of an array has the array of q: if not, none of its entries has q."""
    return any(isinstance(part, ArrayRef) and part.kind == q.kind for part in walk(tree))


def _uses(trace: GraphTrace, user: Quantity, q: Quantity) -> bool:
    """Whether the formula of one number has another, in the middle of a long sum too. Raises
    OverBudgetError where many were looked through.
    """
    budget.check()
    waiting = [trace.graph.tree(user)]
    while waiting:
        for part in walk(waiting.pop(), trace):
            if isinstance(part, Ref) and part.quantity == q:
                return True
            if isinstance(part, Elided):
                waiting.append(part.body)
    return False


def operands_of(trace: GraphTrace, q: Quantity) -> tuple[Quantity, ...]:
    """The numbers that the formula of q names, in reading order; none where it is given."""
    if q.given:
        return ()
    return tuple(ref.quantity for ref in leaves(trace.graph.tree(q), trace))


def leading_to(trace: GraphTrace, q: Quantity) -> frozenset[Quantity]:
    """The numbers of its own way, forward or backward, that q is computed from, and what those are
    computed from, with the values that enter there.
    """
    return leading(q, lambda user: operands_of(trace, user), {q.of.phase})

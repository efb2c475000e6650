"""The health of the gradient in a formula: nodes that let too little of it through or make too much
of it, and how large it is on its way from the result back to the values.

    findings(trace)  -> NodeFinding for everything that makes a derivative vanish or explode
    sizes(trace)     -> NodeSize for each node with a derivative, from the result back

Its limits are those of networks (`tutor.engine.health`) where both have the same. What is found is
true of these values; with others it may be otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tutor.engine.graph import GraphNode, Use, quantity
from tutor.engine.graph_trace import Array, Arrays, GraphTrace
from tutor.engine.health import DEAD, FADES, GROWS, SATURATED, SATURATES, VANISHED, can_die
from tutor.engine.operation import place_in
from tutor.engine.operations import OPERATIONS, Elementwise
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef, evaluate

CORNER, ZEROED, STEEP = "corner", "zeroed", "steep"
STEEPEST = 100.0
"""A local derivative above this is steep: a small change of one input throws the node far. So is
the derivative with respect to a value.
"""
PRODUCT = OPERATIONS["*"]


@dataclass(frozen=True, slots=True)
class NodeFinding:
    """Something that makes a derivative vanish or explode, or leaves a choice, and the number that
    shows it.
    """

    what: str
    """saturated, dead, corner, zeroed, steep, vanishing or exploding"""
    node: GraphNode
    """Where it happens."""
    below: GraphNode
    """Whose derivative it is about: an input of the node, or the node itself."""
    entries: int
    """How many of its entries it is true of."""
    number: float
    """The local derivative, or the derivative of the result, with the largest part in it."""
    shown_by: Quantity
    """The derivative at whose step it can be seen."""


@dataclass(frozen=True, slots=True)
class NodeSize:
    """How large the derivative with respect to a node is."""

    node: GraphNode
    back: int
    """How many nodes it is from the result, on the longest way."""
    local: float | None
    """The largest size of a local derivative on the way back to it; None at the result, and where
    an operation has a whole matrix of them.
    """
    size: float
    """The largest size of a derivative of its entries."""


def sizes(trace: GraphTrace) -> tuple[NodeSize, ...]:
    """From the result back, in the order of the backward pass."""
    graph, back, found = trace.graph, dict[str, int](), list[NodeSize]()
    for node in graph.backward:
        parts = graph.parts(node)
        back[node.kind] = max((back[use.by.kind] + 1 for use in parts), default=0)
        locals_ = [local_derivative(trace, use) for use in parts]
        known = [_largest(local) for local in locals_ if local is not None]
        found.append(
            NodeSize(
                node, back[node.kind], max(known) if known and len(known) == len(parts) else None,
                _largest(trace[graph.derivative(node).kind]),
            )
        )  # fmt: skip
    return tuple(found)


def _largest(array: Array) -> float:
    return float(np.abs(array).max())


def local_derivative(trace: GraphTrace, use: Use) -> Array | None:
    """The local derivatives of a node entry by entry, with respect to one input; None where they
    are no single numbers.
    """
    operation, call = use.by.operation, use.by.made
    if not isinstance(operation, Elementwise):
        return None
    with np.errstate(all="ignore"):
        found = evaluate(operation.local(use.k, call), Arrays(trace.arrays))
    return np.broadcast_to(found, call.shape)


def findings(trace: GraphTrace) -> tuple[NodeFinding, ...]:
    """What is wrong with the gradient, from the result back; nothing where it is healthy, and
    nothing where the walk ends early, which says so itself.
    """
    if trace.stop is not None:
        return ()
    told: dict[tuple[str, str, str], NodeFinding] = {}
    for node in trace.graph.backward:
        for found in tuple(_locally(trace, node)) or _travel(trace, node):
            # both inputs of a node may have the same to say, but not of a product
            below = found.below.kind if found.what == ZEROED else ""
            key = found.what, found.node.kind, below
            if key not in told or abs(found.number) > abs(told[key].number):
                told[key] = found
    return tuple(told.values())


def _locally(trace: GraphTrace, node: GraphNode) -> Iterator[NodeFinding]:
    """What the operations that use a node do to the derivative that comes back to it."""
    back = trace.graph.derivative(node).kind
    for use in trace.graph.parts(node):
        local = local_derivative(trace, use)
        if local is None:
            continue
        size = np.abs(local)
        for what, at in _judged(trace, use, size):
            if at.any():
                worst = int(np.where(at, size, -1.0).argmax())
                place = place_in(use.by.shape, worst + 1) if node.shape else ()
                yield NodeFinding(
                    what, use.by, node, int(at.sum()), float(local.ravel()[worst]),
                    quantity(back, place),
                )  # fmt: skip


def _judged(trace: GraphTrace, use: Use, size: Array) -> Iterator[tuple[str, Array]]:
    """What may be wrong with local derivatives of these sizes, and where it is."""
    operation, call = use.by.operation, use.by.made
    assert isinstance(operation, Elementwise)
    rule = operation.rule
    if rule is not None and can_die(rule):
        yield DEAD, np.full(size.shape, not size.any())
        return
    if trace.corner(use.by):
        yield CORNER, np.full(size.shape, True)
    if rule is not None and rule.bound and not rule.at_kink:
        yield SATURATES, size < SATURATED * rule.bound
    # a constant factor is meant, and so are some zeros in a list
    if operation is PRODUCT and isinstance(call.arguments[1 - use.k], ArrayRef):
        yield ZEROED, np.full(size.shape, size.max() < VANISHED and _hardly_any(trace, use))
    yield STEEP, size > STEEPEST


def _hardly_any(trace: GraphTrace, use: Use) -> bool:
    """Whether an input of a node gets hardly any derivative, by no other way either."""
    leaf = use.by.made.arguments[use.k]
    assert isinstance(leaf, ArrayRef)
    below = trace.graph.nodes[leaf.kind]
    return _largest(trace[trace.graph.derivative(below).kind]) < VANISHED


def _travel(trace: GraphTrace, node: GraphNode) -> Iterator[NodeFinding]:
    """A value whose derivative is far smaller or larger than that of the result, which is 1. What
    is 0 was stopped by one node on the way, and may be meant: the smaller input of max gets none.
    """
    back = trace.graph.derivative(node).kind
    size = np.abs(trace[back])
    largest = float(size.max())
    what = FADES if 0 < largest < VANISHED else GROWS if largest > STEEPEST else ""
    if node.given and what:
        first = int(size.argmax())
        q = quantity(back, place_in(node.shape, first + 1))
        yield NodeFinding(what, node, node, node.size, float(trace[back].ravel()[first]), q)

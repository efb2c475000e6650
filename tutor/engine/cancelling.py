"""Both routes to the error signal of an output: through the full Jacobian, and output minus target.

    steps(trace, parse("dL/dz[2][1]")) -> the algebra that leads from the one to the other

Each step is a tree of its own; all of them come to the same number. That is so for a cross-entropy
behind the activation that belongs to it, a sigmoid or a softmax.
"""

from __future__ import annotations

from dataclasses import dataclass

from tutor.engine.derivation import derive
from tutor.engine.entry import LONGEST, long_sum
from tutor.engine.program import shared
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import (
    ONE,
    Difference,
    Negative,
    Node,
    Product,
    Quotient,
    Ref,
    Sum,
)


@dataclass(frozen=True, slots=True)
class CancelStep:
    """A step of the algebra: what is done, in words, and the formula after it."""

    why: str
    tree: Node


def cancels(trace: Trace) -> bool:
    """Whether loss and output activation belong together."""
    return trace.fused_layer > 0 and not trace.blocked


def steps(trace: Trace, q: Quantity) -> tuple[CancelStep, ...]:
    """From the chain rule to output minus target, for the error signal q of an output.

    Of a softmax over many classes only the first and the last step. Raises KeyError where the two
    do not cancel, or the long way is beyond float64.
    """
    found = derive(trace, q)
    if not cancels(trace) or q.layer != trace.fused_layer or found.shortcut is None:
        raise KeyError(f"{q} has one route only")
    first = CancelStep("The chain rule, through every output that depends on it.", found.tree)
    inner = _of_softmax if trace.network.layers[-1].activation.full_jacobian else _of_sigmoid
    between = (
        CancelStep(step.why, shared(trace.program.plan, step.tree)) for step in inner(trace, q)
    )
    return first, *between, CancelStep("What is left: output minus target.", found.shortcut)


def _of_sigmoid(trace: Trace, q: Quantity) -> tuple[CancelStep, ...]:
    a, y = Ref(q._replace(kind="a")), Ref(q._replace(kind="y", layer=0))
    not_a, not_y = Difference(ONE, a), Difference(ONE, y)
    loss = Sum((Negative(Quotient(y, a)), Quotient(not_y, not_a)))
    return (
        CancelStep(
            "Put in both derivatives: that of the loss and that of the sigmoid.",
            Product((loss, a, not_a)),
        ),
        CancelStep(
            "Multiply out: in each term a denominator cancels.",
            Sum((Negative(Product((y, not_a))), Product((not_y, a)))),
        ),
        CancelStep(
            "Open the parentheses: the product of target and output stands there twice, with "
            "opposite signs.",
            Sum((Negative(y), Product((y, a)), a, Negative(Product((y, a))))),
        ),
    )


def _of_softmax(trace: Trace, q: Quantity) -> tuple[CancelStep, ...]:
    count = trace.network.sizes[q.layer]
    if count > LONGEST:  # of a longer sum the middle is left out, and with it the output itself
        return ()
    own, target = Ref(q._replace(kind="a")), Ref(q._replace(kind="y", layer=0))

    def a(i: int) -> Ref:
        return Ref(q._replace(kind="a", i=i))

    def y(i: int) -> Ref:
        return Ref(q._replace(kind="y", layer=0, i=i))

    def slope(i: int) -> Node:
        if i == q.i:
            return Product((own, Difference(ONE, own)))
        return Negative(Product((a(i), own)))

    def left(i: int) -> Node:
        if i == q.i:
            return Negative(Product((y(i), Difference(ONE, own))))
        return Product((y(i), own))

    others = long_sum(count, y)
    return (
        CancelStep(
            "Put in both derivatives: −y/p of the loss, p(1 − p) or −p·p of the softmax.",
            long_sum(count, lambda i: _signed(y(i), a(i), slope(i))),
        ),
        CancelStep("In each term the output in the denominator cancels.", long_sum(count, left)),
        CancelStep(
            "Take the output out of all terms: it is multiplied by the sum of the targets.",
            Difference(Product((own, others)), target),
        ),
    )


def _factors(node: Node) -> tuple[Node, ...]:
    return node.terms if isinstance(node, Product) else (node,)


def _signed(y: Node, a: Node, slope: Node) -> Node:
    """−y/a times a slope; two minus signs make a plus."""
    if isinstance(slope, Negative):
        return Product((Quotient(y, a), slope.of))
    return Negative(Product((Quotient(y, a), *_factors(slope))))

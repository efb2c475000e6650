"""How close two computations of one number must be: relative to the absolute terms that they add up."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutor.expression import (
    Difference,
    Elided,
    Negative,
    Node,
    Partial,
    Product,
    Quotient,
    Ref,
    Sum,
    Weighted,
    evaluate,
)
from tutor.quantity import Quantity
from tutor.trace import Trace

TINY = 1e-300
"""Below this float64 itself has few digits left."""


def size(tree: Node) -> float:
    """What a tree would come to if nothing in it cancelled: every sum over absolute terms."""
    match tree:
        case Sum():
            return sum(size(term) for term in tree.terms)
        case Product() | Weighted():
            return float(np.prod([size(term) for term in tree.terms]))
        case Difference():
            return size(tree.left) + size(tree.right)
        case Quotient():
            bottom = abs(float(evaluate(tree.right)))
            return size(tree.left) / bottom if bottom else 0.0
        case Negative() | Partial():
            return size(tree.of)
        case Ref() | Elided():
            return abs(float(evaluate(tree)))
        case _:
            return abs(float(evaluate(tree)))


def agree(found: Any, expected: Any, scale: Any = 0.0, tolerance: float = 1e-12) -> bool:
    """Whether two numbers (or arrays) differ by at most `tolerance` of the larger of them and `scale`."""
    with np.errstate(over="ignore"):
        allowed = tolerance * np.maximum(np.maximum(np.abs(found), np.abs(expected)), scale) + TINY
        return bool((np.abs(np.subtract(found, expected)) <= allowed).all())


def ordered(trace: Trace) -> list[Quantity]:
    """The quantities of a trace's walk before its stop, at most about 300 of them, spread evenly."""
    from tutor.order import NumberOrder

    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    end = order.rank(trace.stop.quantity) if trace.stop else len(order)
    return [order[k] for k in range(0, end, 1 + end // 300)]

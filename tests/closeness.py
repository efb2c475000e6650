"""How close two computations of one number must be: relative to the absolute terms that they add
up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import (
    Difference,
    Environment,
    Negative,
    Node,
    Partial,
    Product,
    Quotient,
    Sum,
    Weighted,
    evaluate,
)

TINY = 1e-300
"""Below this float64 itself has few digits left."""


def size(tree: Node, env: Environment) -> float:
    """What a tree would come to if nothing in it cancelled: every sum over absolute terms."""
    match tree:
        case Sum():
            return sum(size(term, env) for term in tree.terms)
        case Product() | Weighted():
            return float(np.prod([size(term, env) for term in tree.terms]))
        case Difference():
            return size(tree.left, env) + size(tree.right, env)
        case Quotient():
            bottom = abs(float(evaluate(tree.right, env)))
            return size(tree.left, env) / bottom if bottom else 0.0
        case Negative() | Partial():
            return size(tree.of, env)
        case _:
            return abs(float(evaluate(tree, env)))


def agree(found: Any, expected: Any, scale: Any = 0.0, tolerance: float = 1e-12) -> bool:
    """Whether two numbers (or arrays) differ by at most `tolerance` of the larger of them and
    `scale`.
    """
    with np.errstate(over="ignore"):
        allowed = tolerance * np.maximum(np.maximum(np.abs(found), np.abs(expected)), scale) + TINY
        return bool((np.abs(np.subtract(found, expected)) <= allowed).all())


def ordered(trace: Trace) -> list[Quantity]:
    """The quantities of a trace's walk before its stop, at most about 300 of them, spread evenly."""
    from tutor.engine.order import NumberOrder

    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    end = order.rank(trace.stop.quantity) if trace.stop else len(order)
    return [order[k] for k in range(0, end, 1 + end // 300)]

"""The whole chain: a gradient written out as the sum over every path from the loss, each local derivative a factor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as combinations
from math import prod

import numpy as np

from tutor.derivation import ref
from tutor.expression import Node, Number, Partial, Product, Sum
from tutor.quantity import Quantity
from tutor.trace import Trace

MOST_PATHS = 8


def chain(trace: Trace, q: Quantity) -> Node | None:
    """A weight's or bias's gradient as the sum over every path from the loss, factor by factor.

    None where `has_chain` says so. Paths that start at an output on which the loss does not depend (its dL/da is
    exactly 0) are left out.
    """
    if not has_chain(trace, q):
        return None
    paths = tuple(_paths(trace, q))
    return Sum(paths) if len(paths) > 1 else paths[0]


def has_chain(trace: Trace, q: Quantity) -> bool:
    """Whether writing out the whole chain of q is possible and says more than the step itself.

    It is not for sums over samples, for gradients with more than MOST_PATHS paths, behind a softmax inside the
    network, and where an output is saturated.
    """
    if q.kind not in {"dL/dw", "dL/db"} or (trace.samples > 1 and not q.sample):
        return False
    network, outputs = trace.network, trace.network.sizes[-1]
    if any(layer.activation.couples for layer in network.layers[q.layer - 1 : -1]):
        return False
    grads = trace.array("dL/da", network.depth)[max(q.sample, 1) - 1]
    if not np.isfinite(grads).all():
        return False
    heads = int(np.count_nonzero(grads)) if _couples(trace) else 1
    inner = prod(network.sizes[q.layer + 1 : -1], start=1)
    paths = heads * inner * (outputs if q.layer < network.depth or not _couples(trace) else 1)
    if not _couples(trace) and q.layer == network.depth:
        return bool(grads[q.i - 1])
    return 0 < paths <= MOST_PATHS and bool(np.count_nonzero(grads))


def _couples(trace: Trace) -> bool:
    return trace.network.layers[-1].activation.couples


def _paths(trace: Trace, q: Quantity) -> Iterator[Product]:
    depth, s = trace.network.depth, q.sample
    routes = combinations(*(range(1, n + 1) for n in trace.network.sizes[q.layer + 1 :]))
    for route in routes:
        units = (q.i, *route)
        for head in _heads(trace, units[-1], s):
            factors: list[Node] = list(head)
            for layer in range(depth, q.layer, -1):
                upper, lower = units[layer - q.layer], units[layer - 1 - q.layer]
                z, a = Quantity("z", layer, upper, 0, s), Quantity("a", layer - 1, lower, 0, s)
                factors.append(Partial(ref(trace, "w", layer, upper, lower), z, a))
                factors.append(ref(trace, "da/dz", layer - 1, lower, 0, s))
            below: Node = ref(trace, "a", q.layer - 1, q.j, 0, s) if q.j else Number(1.0)
            parameter = Quantity("w" if q.j else "b", q.layer, q.i, q.j)
            factors.append(Partial(below, Quantity("z", q.layer, q.i, 0, s), parameter))
            yield Product(tuple(factors))


def _heads(trace: Trace, unit: int, sample: int) -> Iterator[tuple[Node, ...]]:
    """∂L/∂a · ∂a/∂z at the output: one way per output that depends on this pre-activation."""
    depth = trace.network.depth
    outputs = range(1, trace.network.sizes[-1] + 1) if _couples(trace) else (unit,)
    for c in outputs:
        grad = ref(trace, "dL/da", depth, c, 0, sample)
        if grad.number != 0.0:
            yield grad, ref(trace, "da/dz", depth, c, unit if _couples(trace) else 0, sample)

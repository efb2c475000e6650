"""The whole chain: a gradient written out as the sum over every path from the loss, each local
derivative a factor.

The paths are the derivations put into each other: each product that begins with a derivative of the
loss goes on with every product of that derivative, until the derivative by an output is reached.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tutor.engine.derivation import derive
from tutor.engine.program import by
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import ArrayRef, Node, Product, Ref, Sum

MOST_PATHS = 8


def chain(trace: Trace, q: Quantity) -> Node | None:
    """A weight's or bias's gradient as the sum over every path from the loss, factor by factor.

    None where `has_chain` says so. Paths that start at an output on which the loss does not depend
    (its derivative is exactly 0) are left out.
    """
    if not has_chain(trace, q):
        return None
    paths = tuple(Product(factors) for factors in _paths(trace, q))
    return Sum(paths) if len(paths) > 1 else paths[0]


def has_chain(trace: Trace, q: Quantity) -> bool:
    """Whether writing out the whole chain of q is possible and says more than the step itself.

    It is not for sums over samples, for gradients with more than MOST_PATHS paths, behind a softmax
    inside the network, and where an output is saturated.
    """
    if q.of.role != "gradient" or (trace.samples > 1 and not q.sample):
        return False
    network = trace.network
    if any(layer.activation.full_jacobian for layer in network.layers[q.layer - 1 : -1]):
        return False
    grads = trace.array(*_output(trace))[max(q.sample, 1) - 1]
    if not np.isfinite(grads).all() or not grads.any():
        return False
    if q.layer == network.depth and not network.layers[-1].activation.full_jacobian:
        return bool(grads[q.i - 1])
    heads = int(np.count_nonzero(grads)) if network.layers[-1].activation.full_jacobian else 1
    return heads * _count(trace, q.layer) <= MOST_PATHS


def _output(trace: Trace) -> tuple[str, int]:
    """The derivative by what the network answers, where every path begins."""
    found = by(ArrayRef(*trace.network.passed(trace.network.depth)))
    return found.kind, found.layer


def _count(trace: Trace, layer: int) -> int:
    """How many paths lead from the outputs' pre-activations to one unit of a layer."""
    network = trace.network
    found = {network.depth: 1}
    for number in range(network.depth - 1, layer - 1, -1):
        found[number] = network.sizes[number + 1] * found[number + 1]
        added = (
            n for n, part in enumerate(network.layers, 1) if part.skip and n - part.skip == number
        )
        found[number] += sum(found[n] for n in added)
    return found[layer]


def _paths(trace: Trace, q: Quantity) -> Iterator[tuple[Node, ...]]:
    """For each path its factors, from the loss on."""
    if (q.kind, q.layer) == _output(trace):
        if trace.value(q) != 0.0:
            yield (Ref(q),)
        return
    if (
        q.of.by == "z"
        and q.layer == trace.network.depth
        and trace.network.layers[-1].activation.full_jacobian
    ):
        for c in range(1, trace.network.sizes[-1] + 1):
            for head in _paths(trace, Quantity(*_output(trace), c, 0, q.sample)):
                yield (*head, Ref(Quantity("da/dz", q.layer, c, q.i, q.sample)))
        return
    tree = derive(trace, q).tree
    for term in tree.terms if type(tree) is Sum else (tree,):
        assert isinstance(term, Product)
        up, *rest = term.terms
        assert isinstance(up, Ref)
        for head in _paths(trace, up.quantity):
            yield (*head, *rest)

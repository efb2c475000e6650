"""Cross-entropies whose outputs are rounded to 0 or 1: how the engine has their loss all the same,
from the pre-activations, and whether an output as it is shown has a logarithm at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tutor.engine.entry import LONGEST, entry, long_sum, named
from tutor.engine.kinds import marked
from tutor.engine.losses import INVERSE, INVERSE_NOT, A, Y, Z, with_leaves
from tutor.engine.program import output_leaves
from tutor.engine.quantity import K, Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import (
    ONE,
    Difference,
    Environment,
    Exp,
    Log,
    Negative,
    Node,
    Ref,
    Stable,
    Sum,
    Weighted,
    renamed,
    walk,
)

CALCULATOR = 1e-10
"""With an output smaller than this, 1 − it is 1 on a pocket calculator, and its logarithm 0."""


def stable_loss(trace: Trace, q: Quantity) -> Node | None:
    """A cross-entropy as the engine computes it, from the pre-activations; outputs that do not
    count are left out.
    """
    tree = stable_term(trace, q.of.mark)
    if tree is None:
        return None
    sample, full_jacobian = max(q.sample, 1), trace.network.layers[-1].activation.full_jacobian
    z = output_leaves(trace.program.plan)[2].kind
    counting = [i for i, y in enumerate(trace.y[sample - 1], 1) if y or not full_jacobian]
    if len(counting) > LONGEST:
        counting = list(range(1, trace.y.shape[1] + 1))

    def term(n: int) -> Node:
        i = n if n == K else counting[n - 1]
        one = Ref(named(marked(z, q.of.mark), trace.network.depth, sample, i, trace))
        inverse = _softmax_inverse(trace, one) if full_jacobian else Sum((ONE, Exp(Negative(one))))
        return with_inverse(entry(tree, sample, i, trace), inverse, Sum((ONE, Exp(one))))

    return long_sum(len(counting), term) if counting else None


def stable_term(trace: Trace, mark: str) -> Node | None:
    """What one output adds to a cross-entropy, from its pre-activation; 1/a and 1/(1 − a) are left
    as names.
    """
    found = trace.network.loss.stable_term
    return (
        None
        if found is None
        else with_leaves(
            found, {**outputs(trace, mark), INVERSE: _INVERSE, INVERSE_NOT: _INVERSE_NOT}
        )
    )


_INVERSE, _INVERSE_NOT = Ref(Quantity("1/a")), Ref(Quantity("1/(1-a)"))


def with_inverse(tree: Node, inverse: Node, inverse_not: Node) -> Node:
    """With what stands for 1/a and 1/(1 − a)."""
    return renamed(
        tree,
        lambda node: (
            {_INVERSE: inverse, _INVERSE_NOT: inverse_not}.get(node)
            if isinstance(node, Ref)
            else None
        ),
    )


def _softmax_inverse(trace: Trace, z: Ref) -> Node:
    """1 over a softmax: Σ e^(zₖ − zᵢ)."""
    return long_sum(trace.y.shape[1], lambda k: Exp(Difference(Ref(z.quantity._replace(i=k)), z)))


def outputs(trace: Trace, mark: str) -> dict[Node, Node]:
    """The leaves of a loss: outputs, targets, pre-activations; `mark` is + after the update."""
    found = output_leaves(trace.program.plan)
    return dict(
        zip((A, Y, Z), (replace(leaf, kind=marked(leaf.kind, mark)) for leaf in found), strict=True)
    )


def loses_digits(tree: Node, env: Environment, decimals: int) -> bool:
    """Whether some logarithm in a loss cannot be had from its output as it is shown, which reads 0
    or 1, or from 1 − it.
    """
    weighted = [
        node
        for node in walk(tree)
        if isinstance(node, Weighted) and isinstance(node.terms[1], Stable)
    ]
    if not weighted:
        return False
    with np.errstate(all="ignore"):
        return any(
            bool(np.any((node.value(env) != 0) & _reads_as_edge(node.terms[1], env, decimals)))
            for node in weighted
        )


def _reads_as_edge(logarithm: Node, env: Environment, decimals: int) -> Any:
    """For an output a, or 1 − a, whether the shown digits are those of 0 or 1; `number.plain` has
    two digits at least.
    """
    inside = (
        logarithm.shown.of
        if isinstance(logarithm, Stable) and isinstance(logarithm.shown, Log)
        else logarithm
    )
    a = (inside.right if isinstance(inside, Difference) else inside).value(env)
    edge = (a == 0) | (np.round(a, max(decimals, 2)) == 1)
    return edge | (a < CALCULATOR) if isinstance(inside, Difference) else edge

"""Derivations: for one quantity of a trace, the expression tree that computes it.

    derive(trace, quantity) -> Derivation

Trees are made only for the step that is looked at, and long sums keep their first and last terms and the total
of what lies between, so a step of a wide layer costs no more than one of a narrow layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tutor.expression import (
    Call,
    Difference,
    Elided,
    Exp,
    Log,
    Negative,
    Node,
    Number,
    Partial,
    Product,
    Quotient,
    Ref,
    Sum,
    Weighted,
    walk,
)
from tutor.losses import Output
from tutor.quantity import Quantity
from tutor.trace import Trace

LONGEST = 8
"""A sum with more terms than this is elided in the middle."""
HEAD, TAIL = 3, 1
LARGE_EXPONENT = 700.0
CALCULATOR = 1e-10
"""With an output smaller than this, 1 − it is 1 on a pocket calculator, and its logarithm 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Derivation:
    """How one quantity (or matrix) is computed: `tree` in full, `name` as a named function, `shortcut` as another way.

    `stable` is what the engine does for the loss of an output that is rounded to 0 or 1.
    """

    tree: Node
    name: Node | None = None
    shortcut: Node | None = None
    stable: Node | None = None
    beyond: bool = False
    """The number itself is beyond float64; backward goes on by the shortcut."""


def ref(trace: Trace, kind: str, layer: int = 0, i: int = 0, j: int = 0, sample: int = 0) -> Ref:
    """A leaf with its number. Layer 0's activations are the inputs."""
    if kind in {"a", "a+"} and layer == 0:
        kind = "x"
    kind = trace.learned(kind, layer)
    quantity = Quantity(kind, layer, i, j, sample if trace.samples > 1 else 0)
    return Ref(quantity, trace.value(quantity))


def derive(trace: Trace, q: Quantity) -> Derivation:
    """The tree of one quantity. Raises KeyError where the trace does not have it."""
    return _RULES[q.kind](trace, q)


def long_sum(count: int, term: Callable[[int], Node], between: Callable[[slice], float]) -> Node:
    """term(1) + … + term(count); the middle of a long sum becomes its total, `between` of its slice (from 0)."""
    if count <= LONGEST:
        return Sum(tuple(term(n) for n in range(1, count + 1))) if count > 1 else term(1)
    head = tuple(term(n) for n in range(1, HEAD + 1))
    tail = tuple(term(n) for n in range(count - TAIL + 1, count + 1))
    with np.errstate(all="ignore"):
        middle = Elided(count - HEAD - TAIL, float(between(slice(HEAD, count - TAIL))))
    return Sum((*head, middle, *tail))


def _row(q: Quantity) -> int:
    return max(q.sample, 1) - 1


def scaled(trace: Trace, tree: Node) -> Node:
    """The 1/M of a mean over M samples in front."""
    return tree if trace.scale == 1.0 else Product((Number(trace.scale, f"1/{trace.samples}"), tree))


def _pre_activation(trace: Trace, q: Quantity) -> Derivation:
    mark = q.kind[1:]
    weights, below = trace.array("w" + mark, q.layer)[q.i - 1], trace.array("a" + mark if q.layer > 1 else "x", q.layer - 1)
    tree = long_sum(
        len(weights),
        lambda j: Product((ref(trace, "w" + mark, q.layer, q.i, j), ref(trace, "a" + mark, q.layer - 1, j, 0, q.sample))),
        lambda s: float(weights[s] @ below[_row(q), s]),
    )
    if trace.network.layer(q.layer).biases is not None:
        terms = tree.children if isinstance(tree, Sum) else (tree,)
        tree = Sum((*terms, ref(trace, "b" + mark, q.layer, q.i)))
    return Derivation(tree)


def _activation(trace: Trace, q: Quantity) -> Derivation:
    mark = q.kind[1:]
    rule = trace.network.layer(q.layer).activation
    z = ref(trace, "z" + mark, q.layer, q.i, 0, q.sample)
    if not rule.couples:
        named = rule.name in {"tanh", "sign", "identity"}
        return Derivation(rule.formula(z), None if named else Call(z, rule.symbol, rule.f))
    return Derivation(_softmax(trace, q, mark))


def _softmax(trace: Trace, q: Quantity, mark: str) -> Node:
    """e^zᵢ / Σ e^zₖ; where an e^z would overflow, or lose its digits near 0, every z is shifted by the largest."""
    row = trace.array("z" + mark, q.layer)[_row(q)]
    top = int(np.argmax(row))
    shift = float(row[top]) if np.abs(row).max() > LARGE_EXPONENT else 0.0

    def power(k: int) -> Node:
        z: Node = ref(trace, "z" + mark, q.layer, k, 0, q.sample)
        return Exp(Difference(z, ref(trace, "z" + mark, q.layer, top + 1, 0, q.sample)) if shift else z)

    return Quotient(power(q.i), long_sum(len(row), power, lambda s: float(np.exp(row[s] - shift).sum())))


def _loss(trace: Trace, q: Quantity) -> Derivation:
    """The loss of a sample by itself; that of a batch of several is the mean or sum of theirs."""
    if trace.samples > 1 and not q.sample:
        losses = trace.sample_losses(q.kind)
        total = long_sum(len(losses), lambda s: ref(trace, q.kind, sample=s), lambda part: float(losses[part].sum()))
        return Derivation(scaled(trace, total))
    rule, mark, units = trace.network.loss, q.kind[4:], trace.network.sizes[-1]

    def term(i: int) -> Node:
        return rule.term(output(trace, i, q.sample, mark))

    total = long_sum(units, term, lambda s: sum(float(term(i + 1).value()) for i in range(units)[s]))
    return Derivation(rule.sum_of_terms(total), stable=_stable_loss(trace, q))


def _stable_loss(trace: Trace, q: Quantity) -> Node | None:
    """A cross-entropy as the engine computes it, from the pre-activations; outputs that do not count are left out."""
    rule, mark, depth = trace.network.loss.stable_term, q.kind[4:], trace.network.depth
    if rule is None:
        return None
    couples = trace.network.layer(depth).activation.couples
    counting = [i for i, y in enumerate(trace.y[_row(q)], 1) if y or not couples]

    def term(n: int) -> Node:
        i = counting[n - 1]
        found = output(trace, i, q.sample, mark)
        z = ref(trace, "z" + mark, depth, i, 0, q.sample)
        inverse = _softmax_inverse(trace, q, z, mark) if couples else Sum((Number(1.0), Exp(Negative(z))))
        return rule(replace(found, inverse=inverse, inverse_not=Sum((Number(1.0), Exp(z)))))

    return long_sum(len(counting), term, lambda s: sum(float(term(n + 1).value()) for n in range(len(counting))[s])) if counting else None


def loses_digits(tree: Node, decimals: int) -> bool:
    """Whether some logarithm in a loss cannot be had from its output as it is shown, which reads 0 or 1, or from 1 − it."""
    logs = ((node.value(), node.terms[1].of) for node in walk(tree) if isinstance(node, Weighted) and isinstance(node.terms[1], Log))
    return any(bool(np.any((value != 0) & _reads_as_edge(inside, decimals))) for value, inside in logs)


def _reads_as_edge(inside: Node, decimals: int) -> Any:
    """For an output a, or 1 − a, whether the shown digits are those of 0 or 1; `number.plain` has two digits at least."""
    a = inside.right.value() if isinstance(inside, Difference) else inside.value()
    edge = (a == 0) | (np.round(a, max(decimals, 2)) == 1)
    return edge | (a < CALCULATOR) if isinstance(inside, Difference) else edge


def _softmax_inverse(trace: Trace, q: Quantity, z: Ref, mark: str) -> Node:
    """1 over a softmax: Σ e^(zₖ − zᵢ)."""
    depth, row = trace.network.depth, trace.array("z" + mark, trace.network.depth)[_row(q)]
    return long_sum(
        len(row),
        lambda k: Exp(Difference(ref(trace, "z" + mark, depth, k, 0, q.sample), z)),
        lambda s: float(np.exp(row[s] - z.number).sum()),
    )


def output(trace: Trace, i: int, sample: int, mark: str = "") -> Output:
    """Output unit i of a sample as the leaves of a loss."""
    logs, nots = trace.log_output_new if mark else trace.log_output
    row = max(sample, 1) - 1
    return Output(
        ref(trace, "a" + mark, trace.network.depth, i, 0, sample),
        ref(trace, "y", 0, i, 0, sample),
        float(logs[row, i - 1]),
        0.0 if nots is None else float(nots[row, i - 1]),
    )


def _by_activation(trace: Trace, q: Quantity) -> Derivation:
    """dL/da: from the loss at the output, else over every unit of the layer above."""
    if q.layer == trace.network.depth:
        tree = scaled(trace, trace.network.loss.gradient_formula(output(trace, q.i, q.sample)))
        return Derivation(tree, beyond=trace.beyond(q))
    above = q.layer + 1
    weights, deltas = trace.array("w", above)[:, q.i - 1], trace.array("dL/dz", above)[_row(q)]

    def term(k: int) -> Node:
        z = Quantity("z", above, k, 0, q.sample)
        step = Partial(ref(trace, "w", above, k, q.i), z, Quantity("a", q.layer, q.i, 0, q.sample))
        return Product((ref(trace, "dL/dz", above, k, 0, q.sample), step))

    return Derivation(long_sum(len(weights), term, lambda s: float(weights[s] @ deltas[s])))


def _slope(trace: Trace, q: Quantity) -> Derivation:
    """da/dz: the derivative of the activation, or one entry of the softmax Jacobian."""
    rule = trace.network.layer(q.layer).activation
    a = ref(trace, "a", q.layer, q.i, 0, q.sample)
    if rule.derivative_formula is not None:
        return Derivation(rule.derivative_formula(ref(trace, "z", q.layer, q.i, 0, q.sample), a))
    if not rule.couples:
        raise KeyError(f"{rule.name} has no derivative")
    if q.i == q.j:
        return Derivation(Product((a, Difference(Number(1.0), a))))
    return Derivation(Negative(Product((a, ref(trace, "a", q.layer, q.j, 0, q.sample)))))


def _error_signal(trace: Trace, q: Quantity) -> Derivation:
    """dL/dz: through the activation, and where loss and output fit together, the shortcut a − y."""
    rule = trace.network.layer(q.layer).activation
    shortcut = _shortcut(trace, q) if q.layer == trace.fused_layer else None
    if shortcut and trace.goes_around(q):
        return Derivation(shortcut)
    if not rule.couples:
        grad = ref(trace, "dL/da", q.layer, q.i, 0, q.sample)
        return Derivation(Product((grad, ref(trace, "da/dz", q.layer, q.i, 0, q.sample))), shortcut=shortcut)
    grads, jacobian = trace.array("dL/da", q.layer)[_row(q)], trace.jacobian(q.layer, _row(q))

    def term(k: int) -> Node:
        grad = ref(trace, "dL/da", q.layer, k, 0, q.sample)
        return Product((grad, ref(trace, "da/dz", q.layer, k, q.i, q.sample)))

    tree = long_sum(len(grads), term, lambda s: float(grads[s] @ jacobian[s, q.i - 1]))
    return Derivation(tree, shortcut=shortcut)


def _shortcut(trace: Trace, q: Quantity) -> Node:
    a: Node = ref(trace, "a", q.layer, q.i, 0, q.sample)
    total = float(trace.y[_row(q)].sum())
    if trace.network.layer(q.layer).activation.couples and total != 1.0:
        a = Product((a, Number(total)))
    return scaled(trace, Difference(a, ref(trace, "y", 0, q.i, 0, q.sample)))


def _gradient(trace: Trace, q: Quantity) -> Derivation:
    """dL/dw and dL/db: of one sample, or the sum over the samples."""
    if trace.samples > 1 and not q.sample:
        deltas = trace.array("dL/dz", q.layer)[:, q.i - 1]
        below = trace.a[q.layer - 1][:, q.j - 1] if q.j else np.ones_like(deltas)
        return Derivation(
            long_sum(
                trace.samples,
                lambda s: ref(trace, q.kind, q.layer, q.i, q.j, s),
                lambda part: float(deltas[part] @ below[part]),
            )
        )
    below_ref: Node = ref(trace, "a", q.layer - 1, q.j, 0, q.sample) if q.j else Number(1.0)
    parameter = Quantity("w" if q.j else "b", q.layer, q.i, q.j)
    step = Partial(below_ref, Quantity("z", q.layer, q.i, 0, q.sample), parameter)
    return Derivation(Product((ref(trace, "dL/dz", q.layer, q.i, 0, q.sample), step)))


def _update(trace: Trace, q: Quantity) -> Derivation:
    old, grad = ("w", "dL/dw") if q.kind == "w+" else ("b", "dL/db")
    step = Product((ref(trace, "eta"), ref(trace, grad, q.layer, q.i, q.j)))
    return Derivation(Difference(ref(trace, old, q.layer, q.i, q.j), step))


def _drop(trace: Trace, q: Quantity) -> Derivation:
    return Derivation(Difference(ref(trace, "loss"), ref(trace, "loss+")))


def _share(trace: Trace, q: Quantity) -> Derivation:
    return Derivation(Quotient(Difference(ref(trace, "loss"), ref(trace, "loss+")), ref(trace, "loss")))


_RULES: dict[str, Callable[[Trace, Quantity], Derivation]] = {
    "z": _pre_activation, "z+": _pre_activation, "a": _activation, "a+": _activation, "loss": _loss, "loss+": _loss,
    "dL/da": _by_activation, "da/dz": _slope, "dL/dz": _error_signal, "dL/dw": _gradient, "dL/db": _gradient,
    "w+": _update, "b+": _update, "loss-loss+": _drop, "(loss-loss+)/loss": _share,
}  # fmt: skip

"""Derivations: for one quantity, or one whole matrix, of a trace the tree that computes it.

    derive(trace, quantity) -> Derivation
    derive_stage(trace, stage) -> Derivation

The tree of a matrix is the program's own; that of a number is made from it, entry by entry, only
for the step that is looked at. What a lecture writes differently stands here: the chain rule where
the program takes a shortcut, a softmax as its sum of powers, local derivatives by their names. Long
sums keep their first and last terms, so a step of a wide layer costs no more than one of a narrow
layer. Matrices are in the engine's orientation: data has one row per sample, weights one row per
unit, biases are one row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tutor.engine.entry import entry, long_sum
from tutor.engine.kinds import KINDS, marked
from tutor.engine.losses import Y, Z
from tutor.engine.network import Array
from tutor.engine.order import Stage
from tutor.engine.program import shared
from tutor.engine.quantity import K, Quantity
from tutor.engine.stable_loss import outputs, stable_loss, stable_term, with_inverse
from tutor.engine.trace import Trace
from tutor.engine.tree import (
    ONE,
    Apply,
    ArrayRef,
    Diagonal,
    Difference,
    Elided,
    ElidedLargest,
    ElidedSmallest,
    Exp,
    LargestOf,
    LargestOver,
    Many,
    MatrixProduct,
    Negative,
    Node,
    Number,
    Partial,
    Product,
    Quotient,
    Ref,
    SmallestOf,
    SmallestOver,
    Square,
    Sum,
    SumOver,
    Transpose,
    put,
    rewrite,
)

LARGE_EXPONENT = 700.0


@dataclass(frozen=True, slots=True, eq=False)
class Derivation:
    """How one quantity (or matrix) is computed: `tree` in full, `name` as a named function,
    `shortcut` as another way.

    `stable` is what the engine does for the loss of an output that is rounded to 0 or 1.
    """

    tree: Node
    name: Node | None = None
    shortcut: Node | None = None
    stable: Node | None = None
    out_of_range: bool = False
    """The number itself is beyond float64; backward goes on by the shortcut."""


def derive(trace: Trace, q: Quantity) -> Derivation:
    """The tree of one quantity. Raises KeyError where the trace does not have it."""
    trace.value(q)  # a number that there is none of has no derivation either
    return _RULES.get(q.of.base, _plain)(trace, q)


def _entry(trace: Trace, tree: Node, q: Quantity) -> Node:
    """The entry of a matrix tree that stands at the place of q."""
    row, column = (q.i, q.j) if q.of.weights else (max(q.sample, 1), q.i)
    return entry(tree, row, column, trace)


def _plain(trace: Trace, q: Quantity) -> Derivation:
    """What the program says."""
    return Derivation(_entry(trace, trace.program.by_name[q.kind, q.layer].tree, q))


def ref(trace: Trace, kind: str, layer: int = 0, i: int = 0, j: int = 0, sample: int = 0) -> Ref:
    """A leaf; the activations of layer 0 are the inputs."""
    return Ref(Quantity(trace.named(kind, layer), layer, i, j, sample if trace.samples > 1 else 0))


# ---- scaling ----


@dataclass(frozen=True, slots=True)
class _TrainingSamples:
    """The sizes of a trace, where all training samples take the place of the batch."""

    trace: Trace

    @property
    def samples(self) -> int:
        scale = self.trace.program.plan.scale
        return scale.samples if scale else 0

    def columns(self, leaf: ArrayRef) -> int:
        return self.trace.columns(leaf)

    def rows(self, leaf: ArrayRef) -> int:
        return self.trace.rows(leaf)


SHORT, OF_SQUARES = (4, 2, 1), (2, 1, 0)
"""Of more terms than the first number so many are written out at the beginning and at the end:
samples are many, and a mean or a root cannot be broken into lines. Squares of differences are long.
"""
_LISTS: dict[type[Node], tuple[type[Many], type[Elided]]] = {
    SumOver: (Sum, Elided),
    SmallestOver: (SmallestOf, ElidedSmallest),
    LargestOver: (LargestOf, ElidedLargest),
}


def _statistic(trace: Trace, q: Quantity) -> Derivation:
    """A number of all training samples: something of them one by one."""
    sizes = _TrainingSamples(trace)
    count = sizes.samples

    def sample_by_sample(node: Node) -> Node | None:
        if not isinstance(node, SumOver | LargestOver):
            return None
        many, middle = _LISTS[type(node)]
        most, head, tail = OF_SQUARES if isinstance(node.of, Square) else SHORT

        def terms(first: int, last: int) -> tuple[Node, ...]:
            return tuple(entry(node.of, s, q.i, sizes) for s in range(first, last + 1))

        if count <= most:
            return many(terms(1, count))
        left_out = middle(head + 1, count - tail, entry(node.of, K, q.i, sizes))
        return many((*terms(1, head), left_out, *terms(count - tail + 1, count)))

    tree = rewrite(trace.program.by_name[q.kind, q.layer].tree, sample_by_sample)
    return Derivation(entry(tree, 0, q.i, sizes))


# ---- forward and loss ----


def _activation(trace: Trace, q: Quantity) -> Derivation:
    rule = trace.network.layer(q.layer).activation
    z = q._replace(kind=marked("z", q.of.mark))
    if rule.full_jacobian:
        return Derivation(softmax_of(z, trace.array(z.kind, z.layer)[max(z.sample, 1) - 1]))
    written = rule.formula(Ref(z))
    applied = Apply(Ref(z), rule.function)
    if rule.function.formula is None:
        return Derivation(applied)
    return Derivation(written, None if written == Ref(z) else applied)


def softmax_of(z: Quantity, row: Array) -> Node:
    """e^zᵢ / Σ e^zₖ, where `row` has every z of the layer (units,), so that z is one of them.

    Where an e^z would overflow, or lose its digits near 0, every z is shifted by the largest.
    """
    largest = Ref(z._replace(i=int(np.argmax(row)) + 1))
    shift = np.abs(row).max() > LARGE_EXPONENT

    def power(k: int) -> Node:
        other = Ref(z._replace(i=k))
        return Exp(Difference(other, largest) if shift else other)

    return Quotient(power(z.i), long_sum(len(row), power))


def _loss(trace: Trace, q: Quantity) -> Derivation:
    """The loss of a sample by itself; that of a batch of several is the mean or sum of theirs."""
    if q.of.base == "loss" and trace.network.rule.penalty and not q.sample:
        return _plain(trace, q)
    of_data = Quantity(marked("loss", q.of.mark), sample=q.sample)
    if trace.samples > 1 and not q.sample:
        total = long_sum(trace.samples, lambda s: Ref(of_data._replace(sample=s)))
        return Derivation(shared(trace.program.plan, total))
    each = trace.program.by_name[f"{of_data.kind}@", 0].tree
    return Derivation(
        written_out(entry(each, max(q.sample, 1), 0, trace)), stable=stable_loss(trace, of_data)
    )


def written_out(tree: Node) -> Node:
    """A loss with the formulas of its functions written out; whole matrices keep the names."""

    def rule(node: Node) -> Node | None:
        formula = node.function.formula if isinstance(node, Apply) else None
        return None if formula is None or not isinstance(node, Apply) else put(formula, node.of)

    return rewrite(tree, rule)


# ---- backward ----


def _by_activation(trace: Trace, q: Quantity) -> Derivation:
    """dL/da and dL/dr: from the loss at the output, else over all that uses the activation."""
    tree = written_out(_entry(trace, trace.program.by_name[q.kind, q.layer].tree, q))
    return Derivation(_chained(tree, q), out_of_range=trace.out_of_range(q))


def _chained(tree: Node, q: Quantity) -> Node:
    """The chain rule: behind each derivative by X the rest is the local derivative ∂X/∂Y, where q
    is the derivative by Y.
    """
    below = q._replace(kind=q.of.by, sample=q.sample if KINDS[q.of.by].per_sample else 0)
    if q.layer == 0:
        below = below._replace(kind="x")

    def step(term: Node) -> Node:
        if isinstance(term, Elided):
            return replace(term, body=step(term.body))
        up, *rest = term.terms if type(term) is Product else (term,)
        if not isinstance(up, Ref) or not up.quantity.of.derivative:
            return term
        local = rest[0] if rest else ONE
        return Product((up, Partial(local, up.quantity._replace(kind=up.quantity.of.by), below)))

    return Sum(tuple(map(step, tree.terms))) if type(tree) is Sum else step(tree)


def _slope(trace: Trace, q: Quantity) -> Derivation:
    """da/dz: the derivative of the activation, or one entry of the softmax Jacobian."""
    rule = trace.network.layer(q.layer).activation
    z, a = q._replace(kind="z", j=0), q._replace(kind="a", j=0)
    if rule.slope is not None:
        return Derivation(rule.derivative_formula(Ref(z), Ref(a)))
    if not rule.full_jacobian:
        raise KeyError(f"{rule.name} has no derivative")
    if q.i == q.j:
        return Derivation(Product((Ref(a), Difference(ONE, Ref(a)))))
    return Derivation(Negative(Product((Ref(a), Ref(a._replace(i=q.j))))))


def _error_signal(trace: Trace, q: Quantity) -> Derivation:
    """dL/dz: through the activation, and where loss and output fit together, the shortcut a − y."""
    found = trace.program.by_name[q.kind, q.layer]
    shortcut = (
        None
        if found.long is None
        else _entry(trace, shorter(trace, found.tree, [max(q.sample, 1) - 1]), q)
    )
    if shortcut and trace.goes_around(q):
        return Derivation(shortcut)
    if not trace.network.layer(q.layer).activation.full_jacobian:
        return Derivation(_entry(trace, found.long or found.tree, q), shortcut=shortcut)
    grad, slope = q._replace(kind="dL/da"), q._replace(kind="da/dz", j=q.i)
    tree = long_sum(
        trace.network.sizes[q.layer],
        lambda k: Product((Ref(grad._replace(i=k)), Ref(slope._replace(i=k)))),
    )
    return Derivation(tree, shortcut=shortcut)


def shorter(trace: Trace, tree: Node, rows: Any = slice(None)) -> Node:
    """Output minus target; where the targets of a softmax do not add up to 1, times their sum."""
    totals = trace.y[rows].sum(axis=1)
    total = SumOver(Y, "outputs", 1)

    def rule(node: Node) -> Node | None:
        if isinstance(node, Product) and total in node.terms:
            return (
                node.terms[0]
                if (totals == 1.0).all()
                else Product((node.terms[0], Number(float(totals[0]))))
            )
        return None

    return rewrite(tree, rule) if len(totals) == 1 or (totals == 1.0).all() else tree


def _gradient(trace: Trace, q: Quantity) -> Derivation:
    """dL/dw and dL/db: of one sample, or the sum over the samples."""
    if trace.samples > 1 and not q.sample:
        return Derivation(long_sum(trace.samples, lambda s: Ref(q._replace(sample=s))))
    tree = trace.program.by_name[q.kind, q.layer].tree
    sample = max(q.sample, 1)
    if isinstance(tree, MatrixProduct):
        signal, below = tree.terms  # of the sum over the samples the term of this one
        return Derivation(
            _chained(
                Product(
                    (
                        entry(signal, q.i, sample, trace),
                        entry(below, sample, q.j, trace),
                    )
                ),
                q,
            )
        )
    assert isinstance(tree, SumOver)
    return Derivation(_chained(entry(tree.of, sample, q.i, trace), q))


def _share(trace: Trace, q: Quantity) -> Derivation:
    return Derivation(
        Quotient(Difference(ref(trace, "loss"), ref(trace, "loss+")), ref(trace, "loss"))
    )


def _whole(trace: Trace, q: Quantity) -> Derivation:
    """A number that is an array of its own."""
    tree = trace.program.by_name[q.kind, 0].tree
    return Derivation(
        rewrite(tree, lambda node: Ref(Quantity(node.kind)) if isinstance(node, ArrayRef) else None)
    )


_RULES: dict[str, Callable[[Trace, Quantity], Derivation]] = {
    "mean": _statistic, "sd": _statistic, "min": _statistic, "max": _statistic,
    "a": _activation, "loss": _loss, "data_loss": _loss,
    "dL/da": _by_activation, "dL/dr": _by_activation, "dL/dd": _by_activation,
    "da/dz": _slope, "dL/dz": _error_signal,
    "dL/dw": _gradient, "dL/db": _gradient,
    "loss-loss+": _whole, "(loss-loss+)/loss": _share,
}  # fmt: skip
"""Kinds whose formula a lecture writes differently than the program computes it, those of the
updated network with them.
"""


# ---- whole matrices ----


def derive_stage(trace: Trace, stage: Stage) -> Derivation:
    """The tree of one stage. Raises KeyError where the trace does not have it."""
    if stage.single:
        return derive(trace, Quantity(stage.kind, stage.layer))
    result(trace, stage)
    return _STAGES.get(KINDS[stage.kind].base, _plain_stage)(trace, stage)


def result(trace: Trace, stage: Stage) -> ArrayRef:
    """What a stage computes, as a leaf. For a softmax's da/dz: the Jacobian of the first sample."""
    jacobian = (
        KINDS[stage.kind].role == "slope"
        and trace.network.layer(stage.layer).activation.full_jacobian
    )
    leaf = ArrayRef(stage.kind, stage.layer, 1 if jacobian and trace.samples > 1 else 0)
    trace.matrix(leaf)
    return leaf


def leaf(trace: Trace, kind: str, layer: int) -> ArrayRef:
    """All of a kind in a layer as a leaf; layer 0's activations are the inputs."""
    found = ArrayRef(trace.named(kind, layer), layer)
    trace.matrix(found)
    return found


def _plain_stage(trace: Trace, stage: Stage) -> Derivation:
    def number(node: Node) -> Node | None:
        single = isinstance(node, ArrayRef) and not KINDS[node.kind].axes
        return (
            Ref(Quantity(node.kind, node.layer)) if single and isinstance(node, ArrayRef) else None
        )

    return Derivation(rewrite(trace.program.by_name[stage.kind, stage.layer].tree, number))


def _sample_losses(trace: Trace, stage: Stage) -> Derivation:
    tree = rewrite(
        trace.program.by_name[f"{stage.kind}@", 0].tree,
        lambda node: _in_two_dimensions(trace, node),
    )
    found = stable_term(trace, KINDS[stage.kind].mark)
    if found is None or trace.network.layers[-1].activation.full_jacobian:
        return Derivation(tree)  # that of a softmax is written for one sample only
    z = outputs(trace, KINDS[stage.kind].mark)[Z]
    stable = with_inverse(found, Sum((ONE, Exp(Negative(z)))), Sum((ONE, Exp(z))))
    return Derivation(
        tree, stable=stable if trace.y.shape[1] == 1 else SumOver(stable, "outputs", 1)
    )


def _in_two_dimensions(trace: Trace, node: Node) -> Node | None:
    """The sum over the outputs as a column; over one output there is nothing to add up."""
    if not isinstance(node, SumOver):
        return None
    return node.of if trace.y.shape[1] == 1 else replace(node, keep=True)


def _outputs_stage(trace: Trace, stage: Stage) -> Derivation:
    found = _plain_stage(trace, stage)
    last = 0 < stage.layer == trace.fused_layer
    return replace(
        found, out_of_range=last and not np.isfinite(trace.array(stage.kind, stage.layer)).all()
    )


def _slope_stage(trace: Trace, stage: Stage) -> Derivation:
    rule = trace.network.layer(stage.layer).activation
    if rule.full_jacobian:
        row = ArrayRef("a", stage.layer, 1 if trace.samples > 1 else 0)
        return Derivation(Difference(Diagonal(row), MatrixProduct((Transpose(row), row))))
    if rule.flat:
        raise KeyError(f"{rule.name} has no derivative")
    return _plain_stage(trace, stage)


def _signal_stage(trace: Trace, stage: Stage) -> Derivation:
    found = trace.program.by_name[stage.kind, stage.layer]
    shortcut = None if found.long is None else shorter(trace, found.tree)
    grads = ArrayRef("dL/da", stage.layer)
    if shortcut and not np.isfinite(trace.matrix(grads)).all():
        return Derivation(shortcut)
    full_jacobian = trace.network.layer(stage.layer).activation.full_jacobian
    if full_jacobian and trace.samples == 1:
        return Derivation(MatrixProduct((grads, ArrayRef("da/dz", stage.layer))), shortcut=shortcut)
    return Derivation(found.long or found.tree, shortcut=shortcut)


def _statistic_stage(trace: Trace, stage: Stage) -> Derivation:
    """As one row of numbers."""

    def in_two_dimensions(node: Node) -> Node | None:
        return replace(node, keep=True) if isinstance(node, SumOver | LargestOver) else None

    tree = trace.program.by_name[stage.kind, stage.layer].tree
    return Derivation(rewrite(tree, in_two_dimensions))


def _biases_stage(trace: Trace, stage: Stage) -> Derivation:
    tree = trace.program.by_name[stage.kind, stage.layer].tree
    assert isinstance(tree, SumOver)
    return Derivation(replace(tree, keep=True) if trace.samples > 1 else tree.of)


_STAGES: dict[str, Callable[[Trace, Stage], Derivation]] = {
    "loss": _sample_losses,
    "mean": _statistic_stage, "sd": _statistic_stage,
    "min": _statistic_stage, "max": _statistic_stage,
    "dL/da": _outputs_stage, "da/dz": _slope_stage, "dL/dz": _signal_stage, "dL/db": _biases_stage,
}  # fmt: skip

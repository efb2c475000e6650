"""Derivations by matrices: for one stage of the walk, the tree that computes all of it for the whole batch.

Trees are in the engine's orientation: data has one row per sample, weights one row per unit, biases are one row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tutor.derivation import Derivation, derive, ref, scaled
from tutor.expression import (
    ArrayRef,
    Call,
    Diagonal,
    Difference,
    Exp,
    Hadamard,
    MatrixProduct,
    Negative,
    Node,
    Number,
    Product,
    Sum,
    SumOver,
    Transpose,
)
from tutor.losses import Output
from tutor.order import Stage
from tutor.quantity import Quantity
from tutor.trace import Trace

_SMOOTH = {"sigmoid", "tanh"}


def derive_stage(trace: Trace, stage: Stage) -> Derivation:
    """The tree of one stage. Raises KeyError where the trace does not have it."""
    if not stage.layer and not stage.per_sample:
        return derive(trace, Quantity(stage.kind))
    return _RULES[stage.kind](trace, stage)


def leaf(trace: Trace, kind: str, layer: int) -> ArrayRef:
    """All of a kind in a layer as a leaf; layer 0's activations are the inputs."""
    if kind in {"a", "a+"} and layer == 0:
        kind = "x"
    kind = trace.learned(kind, layer)
    array = trace.array(kind, layer)
    return ArrayRef(kind, layer, array[None, :] if array.ndim == 1 else array)


def result(trace: Trace, stage: Stage) -> ArrayRef:
    """What a stage computes, as a leaf. For a softmax's da/dz: the Jacobian of the first sample."""
    if stage.per_sample:
        return ArrayRef(stage.kind, 0, trace.sample_losses(stage.kind)[:, None])
    if stage.kind == "da/dz" and trace.network.layer(stage.layer).activation.couples:
        return _jacobian(trace, stage.layer)
    return leaf(trace, stage.kind, stage.layer)


def _jacobian(trace: Trace, layer: int) -> ArrayRef:
    return ArrayRef("da/dz", layer, trace.jacobian(layer, 0), 1 if trace.samples > 1 else 0)


def _pre_activation(trace: Trace, stage: Stage) -> Derivation:
    mark = stage.kind[1:]
    weights = leaf(trace, "w" + mark, stage.layer)
    tree: Node = MatrixProduct((leaf(trace, "a" + mark, stage.layer - 1), Transpose(weights)))
    if trace.network.layer(stage.layer).biases is not None:
        tree = Sum((tree, leaf(trace, "b" + mark, stage.layer)))
    return Derivation(tree)


def _activation(trace: Trace, stage: Stage) -> Derivation:
    rule = trace.network.layer(stage.layer).activation
    return Derivation(Call(leaf(trace, "z" + stage.kind[1:], stage.layer), rule.symbol, rule.f))


def _sample_losses(trace: Trace, stage: Stage) -> Derivation:
    rule = trace.network.loss
    terms = rule.term(_outputs(trace, stage.kind[4:]))
    return Derivation(rule.sum_of_terms(_over_outputs(trace, terms)), stable=_stable_losses(trace, stage.kind[4:]))


def _over_outputs(trace: Trace, terms: Node) -> Node:
    return terms if trace.network.sizes[-1] == 1 else SumOver(terms, "outputs", 1)


def _stable_losses(trace: Trace, mark: str) -> Node | None:
    """The same from the pre-activations. That of a softmax is written for one sample only (`derivation`)."""
    rule, depth = trace.network.loss.stable_term, trace.network.depth
    if rule is None or trace.network.layer(depth).activation.couples:
        return None
    z, one = leaf(trace, "z" + mark, depth), Number(1.0)
    found = replace(_outputs(trace, mark), inverse=Sum((one, Exp(Negative(z)))), inverse_not=Sum((one, Exp(z))))
    return _over_outputs(trace, rule(found))


def _outputs(trace: Trace, mark: str = "") -> Output:
    logs, nots = trace.log_output_new if mark else trace.log_output
    a, y = leaf(trace, "a" + mark, trace.network.depth), leaf(trace, "y", 0)
    arrays: Any = (logs, nots)  # the same formulas serve numbers and matrices
    return Output(a, y, *arrays)


def _by_activation(trace: Trace, stage: Stage) -> Derivation:
    if stage.layer == trace.network.depth:
        tree = scaled(trace, trace.network.loss.gradient_formula(_outputs(trace)))
        return Derivation(tree, beyond=not np.isfinite(trace.array("dL/da", stage.layer)).all())
    above = stage.layer + 1
    return Derivation(MatrixProduct((leaf(trace, "dL/dz", above), leaf(trace, "w", above))))


def _slope(trace: Trace, stage: Stage) -> Derivation:
    rule = trace.network.layer(stage.layer).activation
    z, a = leaf(trace, "z", stage.layer), leaf(trace, "a", stage.layer)
    if rule.couples:
        row = ArrayRef("a", stage.layer, a.array[:1], 1 if trace.samples > 1 else 0)
        return Derivation(Difference(Diagonal(row), MatrixProduct((Transpose(row), row))))
    if rule.derivative is None:
        raise KeyError(f"{rule.name} has no derivative")
    if rule.name in _SMOOTH and rule.derivative_formula is not None:
        return Derivation(rule.derivative_formula(z, a))
    derivative = rule.derivative
    return Derivation(Call(z, rule.symbol + "′", lambda values: derivative(values, a.array)))


def _error_signal(trace: Trace, stage: Stage) -> Derivation:
    rule = trace.network.layer(stage.layer).activation
    shortcut = _shortcut(trace, stage) if stage.layer == trace.fused_layer else None
    grads = leaf(trace, "dL/da", stage.layer)
    if shortcut and not np.isfinite(grads.array).all():
        return Derivation(shortcut)
    if not rule.couples:
        return Derivation(Hadamard((grads, leaf(trace, "da/dz", stage.layer))), shortcut=shortcut)
    if trace.samples == 1:
        return Derivation(MatrixProduct((grads, _jacobian(trace, stage.layer))), shortcut=shortcut)
    a = leaf(trace, "a", stage.layer)
    return Derivation(Hadamard((a, Difference(grads, SumOver(Hadamard((grads, a)), "outputs", 1)))), shortcut=shortcut)


def _shortcut(trace: Trace, stage: Stage) -> Node:
    a: Node = leaf(trace, "a", stage.layer)
    totals = trace.y.sum(axis=1, keepdims=True)
    if trace.network.layer(stage.layer).activation.couples and (totals != 1.0).any():
        a = Hadamard((a, SumOver(leaf(trace, "y", 0), "outputs", 1)))
    return scaled(trace, Difference(a, leaf(trace, "y", 0)))


def _weight_gradient(trace: Trace, stage: Stage) -> Derivation:
    deltas = leaf(trace, "dL/dz", stage.layer)
    return Derivation(MatrixProduct((Transpose(deltas), leaf(trace, "a", stage.layer - 1))))


def _bias_gradient(trace: Trace, stage: Stage) -> Derivation:
    deltas = leaf(trace, "dL/dz", stage.layer)
    return Derivation(SumOver(deltas, "samples", 0) if trace.samples > 1 else deltas)


def _update(trace: Trace, stage: Stage) -> Derivation:
    kind = stage.kind[0]
    step = Product((ref(trace, "eta"), leaf(trace, f"dL/d{kind}", stage.layer)))
    return Derivation(Difference(leaf(trace, kind, stage.layer), step))


_RULES: dict[str, Callable[[Trace, Stage], Derivation]] = {
    "z": _pre_activation, "z+": _pre_activation, "a": _activation, "a+": _activation, "loss": _sample_losses,
    "loss+": _sample_losses, "dL/da": _by_activation, "da/dz": _slope, "dL/dz": _error_signal,
    "dL/dw": _weight_gradient, "dL/db": _bias_gradient, "w+": _update, "b+": _update,
}  # fmt: skip

"""Losses: each rule stands beside its derivative and the formulas that show both.

All rules are for outputs `a` and targets `y` of shape (M, n): M samples, n outputs. `per_sample` gives (M,), the
loss of each sample before the mean or sum over samples; `gradient` gives its derivative by each output.

Cross-entropy needs the logarithm of a probability. The engine takes it from the pre-activations (`log_output`),
where nothing is lost when the probability is close to 0 or 1; its gradient by the pre-activation is `shortcut`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tutor.errors import NetworkError
from tutor.expression import Difference, Log, Negative, Node, Number, Product, Quotient, Square, Sum, Weighted

Array = np.ndarray
ONE = Number(1.0)


@dataclass(frozen=True, slots=True)
class Output:
    """One output of one sample as leaves of a formula: activation, target, log a and log(1 − a)."""

    a: Node
    y: Node
    log_a: float = 0.0
    log_not_a: float = 0.0
    inverse: Node | None = None
    """1/a, written with the pre-activations, where a cross-entropy needs it."""
    inverse_not: Node | None = None
    """1/(1 − a), the same."""


@dataclass(frozen=True, eq=False)
class Loss:
    """One loss function with everything the tutor knows about it."""

    name: str
    title: str
    per_sample: Callable[[Array, Array, Array], Array]
    """(a, y, z) of shape (M, n) each -> (M,); z are the pre-activations of the output layer."""
    gradient: Callable[[Array, Array], Array]
    term: Callable[[Output], Node]
    """What one output adds to the loss of its sample."""
    gradient_formula: Callable[[Output], Node]
    sum_of_terms: Callable[[Node], Node]
    """From the sum over outputs to the loss of the sample (a sign or a factor in front)."""
    about: str
    """What it measures, for one output."""
    about_several: str
    """The same for several outputs."""
    fused_with: str = ""
    """The output activation with which dL/dz is simply a − y."""
    stable_term: Callable[[Output], Node] | None = None
    """What one output adds, with log(1/a) in place of −log a: where a is rounded to 0 or 1, 1/a still has its digits."""


def log_sigmoid(z: Array) -> Array:
    """log σ(z), exact in both tails."""
    return np.asarray(-np.logaddexp(0.0, -z))


def log_softmax(z: Array) -> Array:
    """log softmax(z) along the last axis, exact in both tails."""
    shifted = z - z.max(axis=-1, keepdims=True)
    top = shifted == 0
    # The largest class adds exactly e⁰ = 1; log1p of the others keeps their digits however small they are.
    others = np.where(top, 0.0, np.exp(shifted)).sum(axis=-1, keepdims=True) + (top.sum(axis=-1, keepdims=True) - 1.0)
    return np.asarray(shifted - np.log1p(others))


def _ratio(top: Array, bottom: Array) -> Array:
    """top / bottom, and 0 where the top is 0: a class with target 0 takes no part."""
    return np.asarray(np.divide(top, bottom, out=np.zeros_like(bottom), where=top != 0))


def _squared(a: Array, y: Array, z: Array) -> Array:
    d = a - y
    return np.asarray((d * d).sum(axis=1))


def _binary(a: Array, y: Array, z: Array) -> Array:
    return np.asarray(-(y * log_sigmoid(z) + (1.0 - y) * log_sigmoid(-z)).sum(axis=1))


def _binary_formula(o: Output) -> Node:
    return Sum(
        (
            Weighted((o.y, Log(o.a, np.float64(o.log_a)))),
            Weighted((Difference(ONE, o.y), Log(Difference(ONE, o.a), np.float64(o.log_not_a)))),
        )
    )


def _log_of_inverse(inverse: Node | None, log: float) -> Node:
    assert inverse is not None
    return Log(inverse, -np.float64(log))


def _binary_stable(o: Output) -> Node:
    return Sum(
        (
            Weighted((o.y, _log_of_inverse(o.inverse, o.log_a))),
            Weighted((Difference(ONE, o.y), _log_of_inverse(o.inverse_not, o.log_not_a))),
        )
    )


def _binary_gradient_formula(o: Output) -> Node:
    return Sum((Negative(Quotient(o.y, o.a)), Quotient(Difference(ONE, o.y), Difference(ONE, o.a))))


def _categorical(a: Array, y: Array, z: Array) -> Array:
    return np.asarray(-np.where(y == 0, 0.0, y * log_softmax(z)).sum(axis=1))


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "squared_error", "squared error", _squared, lambda a, y: 2.0 * (a - y),
            lambda o: Square(Difference(o.a, o.y)),
            lambda o: Product((Number(2.0), Difference(o.a, o.y))),
            lambda total: total,
            "It is the square of the difference between output and target.",
            "It adds up the squares of the differences between outputs and targets.",
        ),
        Loss(
            "half_squared_error", "half squared error", lambda a, y, z: 0.5 * _squared(a, y, z), lambda a, y: a - y,
            lambda o: Square(Difference(o.a, o.y)),
            lambda o: Difference(o.a, o.y),
            lambda total: Product((Number(0.5, "1/2"), total)),
            "It is half the square of the difference between output and target: the ½ is there to cancel the 2 of the derivative.",
            "It is half the sum of the squared differences between outputs and targets: the ½ is there to cancel the 2 of the derivative.",
        ),
        Loss(
            "binary_cross_entropy", "binary cross-entropy", _binary,
            lambda a, y: _ratio(1.0 - y, 1.0 - a) - _ratio(y, a),
            _binary_formula, _binary_gradient_formula, Negative,
            "It is the surprise, −log of the probability that the network gave to the right answer.",
            "It adds up the surprise over the outputs: −log of the probability that each of them gave to the right answer.",
            "sigmoid", _binary_stable,
        ),
        Loss(
            "cross_entropy", "cross-entropy", _categorical, lambda a, y: -_ratio(y, a),
            lambda o: Weighted((o.y, Log(o.a, np.float64(o.log_a)))),
            lambda o: Negative(Quotient(o.y, o.a)), Negative,
            "It is the surprise, −log of the probability that the network gave to the right class.",
            "It is the surprise, −log of the probability that the network gave to the right class.", "softmax",
            lambda o: Weighted((o.y, _log_of_inverse(o.inverse, o.log_a))),
        ),
    )
}  # fmt: skip

NAMES: Sequence[str] = tuple(LOSSES)


def loss(name: str) -> Loss:
    """Look up a loss. Raises NetworkError where the name is unknown."""
    if name not in LOSSES:
        raise NetworkError(f"no loss is called {name!r}; the tutor knows {', '.join(NAMES)}")
    return LOSSES[name]

"""Activation functions: each rule stands beside its derivative and beside the formulas that show both.

`f(z)` and `derivative(z, a)` work on float64 arrays of any shape, element by element. `formula(z)` and
`derivative_formula(z, a)` build the trees for one number. Softmax couples the units of a layer and has a
Jacobian in place of one derivative. Step and sign are flat: their derivative is 0 wherever it exists, so nothing
can be learned through them and the backward pass stops there.

At a kink we take the derivative from the left (ReLU′(0) = 0), as PyTorch does; `tests/test_activations.py`
states each choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tutor import number
from tutor.errors import NetworkError
from tutor.expression import (
    Call,
    Cases,
    Difference,
    Exp,
    ExpMinusOne,
    Negative,
    Node,
    Number,
    Product,
    Quotient,
    Square,
    Sum,
)

Array = np.ndarray
ONE = Number(1.0)
ZERO = Number(0.0)


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation function with everything the tutor knows about it."""

    name: str
    symbol: str
    f: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array] | None
    formula: Callable[[Node], Node]
    derivative_formula: Callable[[Node, Node], Node] | None
    bound: float | None
    """The largest value of the derivative's size, where there is one."""
    about: str
    as_output: str = ""
    """What that is good for at the output."""
    at_kink: str = ""
    couples: bool = False
    """Softmax: each activation depends on every pre-activation of its layer."""
    parameters: dict[str, float] = field(default_factory=dict)

    @property
    def differentiable(self) -> bool:
        """Whether the backward pass can go through."""
        return self.couples or self.derivative is not None


def logistic(z: Array) -> Array:
    """σ(z) = 1/(1 + e^−z). Where e^−z overflows the quotient is 0, which is right to float64's last digit."""
    quotient: Array = 1.0 / (1.0 + np.exp(-z))
    return quotient


def softmax(z: Array) -> Array:
    """e^z over its sum, along the last axis; z is shifted by its largest entry so that nothing overflows."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def softmax_jacobian(a: Array) -> Array:
    """∂aᵢ/∂zₖ = aᵢ(δᵢₖ − aₖ) for the activations `a` (n,) of one sample: an (n, n) matrix, row i, column k."""
    return np.asarray(a[:, None] * (np.eye(len(a)) - a))


def _cases(z: Node, above: Node, otherwise: Node, at_zero: bool = False) -> Node:
    """`above` where z > 0 (z ≥ 0 if `at_zero`), else `otherwise`."""
    at = z.value()
    chosen = 0 if at > 0 or (at_zero and at == 0) else 1
    condition, rest = ("≥ 0", "< 0") if at_zero else ("> 0", "≤ 0")
    return Cases(((above, condition), (otherwise, rest)), z, chosen)


def _identity() -> Activation:
    return Activation(
        "identity", "id", lambda z: z, lambda z, a: np.ones_like(z),
        lambda z: z, lambda z, a: ONE, 1.0,
        "It passes the pre-activation on unchanged.", "As an output, it may be any number.",
    )  # fmt: skip


def _sigmoid() -> Activation:
    return Activation(
        "sigmoid", "σ", logistic, lambda z, a: a * (1.0 - a),
        lambda z: Quotient(ONE, Sum((ONE, Exp(Negative(z))))),
        lambda z, a: Product((a, Difference(ONE, a))), 0.25,
        "It squeezes any number into the range from 0 to 1.", "As an output, it can be read as a probability.",
    )  # fmt: skip


def _tanh() -> Activation:
    return Activation(
        "tanh", "tanh", np.tanh, lambda z, a: 1.0 - a * a,
        lambda z: Call(z, "tanh", np.tanh),
        lambda z, a: Difference(ONE, Square(a)), 1.0,
        "It squeezes any number into the range from −1 to 1 and keeps the sign.",
    )  # fmt: skip


def _relu() -> Activation:
    return Activation(
        "relu", "ReLU", lambda z: np.maximum(z, 0.0), lambda z, a: (z > 0).astype(np.float64),
        lambda z: _cases(z, z, ZERO), lambda z, a: _cases(z, ONE, ZERO), 1.0,
        "It keeps what is positive and replaces the rest by 0.",
        at_kink="At 0 the curve has a corner; we take the derivative there to be 0.",
    )  # fmt: skip


def _leaky_relu(slope: float = 0.01) -> Activation:
    s = Number(slope)
    return Activation(
        "leaky_relu", "LeakyReLU", lambda z: np.where(z > 0, z, slope * z),
        lambda z, a: np.where(z > 0, 1.0, slope),
        lambda z: _cases(z, z, Product((s, z))), lambda z, a: _cases(z, ONE, s), max(1.0, abs(slope)),
        f"It keeps what is positive and multiplies the rest by {number.shown(slope)}" + (", so no unit goes silent." if slope else "."),
        at_kink="At 0 the curve has a corner; we take the derivative there to be the slope of the negative side.",
        parameters={"slope": slope},
    )  # fmt: skip


def _elu(alpha: float = 1.0) -> Activation:
    s = Number(alpha)
    return Activation(
        "elu", "ELU", lambda z: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0))),
        lambda z, a: np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0.0))),
        lambda z: _cases(z, z, Product((s, ExpMinusOne(z)))),
        lambda z, a: _cases(z, ONE, Product((s, Exp(z)))), max(1.0, abs(alpha)),
        f"It keeps what is positive and bends the rest, which comes ever closer to {number.shown(-alpha)}.",
        at_kink=f"At 0 we take the derivative of the negative side, {number.shown(alpha)}.",
        parameters={"alpha": alpha},
    )  # fmt: skip


def _softmax() -> Activation:
    return Activation(
        "softmax", "softmax", softmax, None, lambda z: z, None, None,
        "It turns the pre-activations of a layer into probabilities that add up to 1.", couples=True,
    )  # fmt: skip


def _step() -> Activation:
    return Activation(
        "step", "step", lambda z: (z >= 0).astype(np.float64), None,
        lambda z: _cases(z, ONE, ZERO, at_zero=True), None, 0.0,
        "It decides: 1 where the pre-activation reaches 0, else 0.",
        at_kink="At 0 it jumps; we count 0 as reached.",
    )  # fmt: skip


def _sign() -> Activation:
    return Activation(
        "sign", "sgn", np.sign, None, lambda z: Call(z, "sgn", np.sign), None, 0.0,
        "It keeps only the side: 1 for positive, −1 for negative, 0 at 0.",
        at_kink="At 0 it jumps; its value there is 0.",
    )  # fmt: skip


_MAKERS: dict[str, Callable[..., Activation]] = {
    "identity": _identity, "sigmoid": _sigmoid, "tanh": _tanh, "relu": _relu, "leaky_relu": _leaky_relu,
    "elu": _elu, "softmax": _softmax, "step": _step, "sign": _sign,
}  # fmt: skip

NAMES = tuple(_MAKERS)


def activation(name: str, **parameters: float) -> Activation:
    """Look up an activation function; `slope` belongs to leaky_relu and `alpha` to elu.

    Raises NetworkError where the name is unknown or a parameter does not belong to it.
    """
    if name not in _MAKERS:
        raise NetworkError(f"no activation is called {name!r}; the tutor knows {', '.join(NAMES)}")
    try:
        return _MAKERS[name](**parameters)
    except TypeError:
        raise NetworkError(f"{name} takes no parameter {', '.join(sorted(parameters))}") from None

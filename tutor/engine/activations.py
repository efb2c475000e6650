"""Activation functions: each with its formula, the formula of its derivative, and words.

The formula is all that there is: what the engine computes, what a page shows and what a script says
are made of it. `ARGUMENT` stands for the pre-activation z; the derivative may use the activation
itself, `OUTPUT`. Softmax couples the units of a layer and has a Jacobian in place of one
derivative. Step and sign are flat: their derivative is 0 wherever it exists, so nothing can be
learned through them and the backward pass stops there.

At a kink we take the derivative from the left (ReLU′(0) = 0), as PyTorch does;
`tests/test_activations.py` states each choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from tutor import number
from tutor.engine.parameters import ALPHA, SLOPE
from tutor.engine.tree import (
    ARGUMENT,
    ONE,
    ZERO,
    Apply,
    ArrayRef,
    Cases,
    Difference,
    Exp,
    ExpMinusOne,
    Function,
    Largest,
    LargestOver,
    Log,
    Negative,
    Node,
    Number,
    Numbers,
    Product,
    Quotient,
    Smallest,
    Square,
    Stable,
    Sum,
    SumOver,
    put,
    renamed,
    walk,
)
from tutor.errors import NetworkError

Array = np.ndarray

OUTPUT = ArrayRef("a")
"""The activation itself, in the formula of its derivative."""


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation function with everything the tutor knows about it."""

    function: Function
    slope: Node | None
    """The formula of its derivative, in ARGUMENT and OUTPUT; None where there is none, or many."""
    bound: float | None
    """The largest value of the derivative's size, where there is one."""
    about: str
    """What it does."""
    title: str
    """Its name as a heading."""
    span: str
    """Where its values lie."""
    use: str = ""
    """What it is used for."""
    gradient: str = ""
    """What happens to a gradient on its way through."""
    as_output: str = ""
    """What it is good for at the output."""
    at_kink: str = ""
    """What is chosen where its curve has a corner or a jump."""
    note: str = ""
    """A word about its parameter."""
    small: str = ""
    """What to say where the derivative is too small for float64, if that is not for one of two
    `edges`.
    """
    values: tuple[float, ...] = ()
    """Values of its parameter that lectures use."""
    edges: tuple[float, ...] = ()
    """The values that it comes ever closer to and never reaches."""
    also: Node | None = None
    """The same function written another way, as lectures do."""

    @property
    def name(self) -> str:
        """Its name in files and addresses."""
        return self.function.name

    @property
    def symbol(self) -> str:
        """Its name in formulas."""
        return self.function.symbol

    @property
    def parameters(self) -> dict[str, float]:
        """The numbers that belong to it, such as the slope of a leaky ReLU."""
        return dict(self.function.parameters)

    @property
    def full_jacobian(self) -> bool:
        """Whether each activation depends on every pre-activation of its layer: a softmax."""
        return self.function.by_row

    @property
    def differentiable(self) -> bool:
        """Whether the backward pass can go through."""
        return self.full_jacobian or self.slope is not None

    @property
    def saturates(self) -> bool:
        """Whether it has an edge on both sides, so that it is flat far from 0."""
        return len(self.edges) == 2

    @property
    def straight(self) -> bool:
        """Whether it is made of straight pieces and curves without an edge on both sides, so that
        slopes repeat.
        """
        return self.differentiable and not self.saturates

    @property
    def flat(self) -> bool:
        """Whether there is no derivative to go back through."""
        return not self.differentiable

    def f(self, z: Array) -> Array:
        """The activations of pre-activations of any shape; softmax goes along the last axis."""
        return np.asarray(
            self.function(z)
            if z.ndim > 1 or not self.full_jacobian
            else self.function(z[None, :])[0]
        )

    def derivative(self, z: Array, a: Array) -> Array:
        """The derivative at pre-activations `z` with activations `a`, element by element."""
        assert self.slope is not None
        given = {(leaf.kind, leaf.layer): array for leaf, array in ((ARGUMENT, z), (OUTPUT, a))}
        slope: Array = self.slope.value(Numbers({}, given)) * np.ones_like(z)
        return slope

    def formula(self, z: Node) -> Node:
        """The formula written out, with this argument."""
        return z if self.function.formula is None else put(self.function.formula, z)

    def derivative_formula(self, z: Node, a: Node) -> Node:
        """The formula of the derivative, with this argument and this activation."""
        assert self.slope is not None
        return renamed(
            self.slope,
            lambda node: {ARGUMENT: z, OUTPUT: a}.get(node) if isinstance(node, ArrayRef) else None,
        )

    @cached_property
    def slope_function(self) -> Function | None:
        """The derivative as a function of z with a name, where its formula does not say how whole
        matrices are computed.
        """
        pieces = self.slope is not None and any(
            isinstance(node, Cases) for node in walk(self.slope)
        )
        if self.slope is None or not (pieces or isinstance(self.slope, Number)):
            return None
        everywhere = self.slope == ONE
        return Function(
            self.name + "_slope", self.symbol + "′", self.slope,
            primitive=np.ones_like if everywhere else None,
            library="ones_like" if everywhere else "", inline=True,
        )  # fmt: skip


def _identity() -> Activation:
    return Activation(
        Function("identity", "id", ARGUMENT), ONE, 1.0,
        about="It passes the pre-activation on unchanged.",
        as_output="As an output, it may be any number.",
        title="Identity", span="any number", use="Regression networks end with it.",
        gradient="Gradients pass through unchanged. "
        "But layers with only this between them amount to a single linear layer.",
    )  # fmt: skip


def _sigmoid() -> Activation:
    power = Exp(ARGUMENT)
    return Activation(
        Function(
            "sigmoid", "σ", Quotient(ONE, Sum((ONE, Exp(Negative(ARGUMENT))))), torch="sigmoid"
        ),
        Product((OUTPUT, Difference(ONE, OUTPUT))), 0.25, edges=(0.0, 1.0),
        also=Quotient(power, Sum((ONE, power))),
        about="It squeezes any number into the range from 0 to 1.",
        as_output="As an output, it can be read as a probability.",
        title="Sigmoid", span="0 to 1", use="It suits the answer to a yes-or-no question.",
        gradient="It multiplies a gradient by at most 0.25, and by almost nothing far from 0. "
        "Unless the weights make up for it, gradients vanish.",
    )  # fmt: skip


def _tanh() -> Activation:
    power, inverse = Exp(ARGUMENT), Exp(Negative(ARGUMENT))
    return Activation(
        Function("tanh", "tanh", primitive=np.tanh, library="tanh", torch="tanh"),
        Difference(ONE, Square(OUTPUT)), 1.0,
        edges=(-1.0, 1.0), also=Quotient(Difference(power, inverse), Sum((power, inverse))),
        about="It squeezes any number into the range from −1 to 1 and keeps the sign.",
        title="Tanh", span="−1 to 1", use="It suits hidden layers.",
        gradient="Near 0 gradients pass almost unchanged; far from 0 they vanish, "
        "as with the sigmoid.",
    )  # fmt: skip


def _above_zero(then: Node, otherwise: Node, sign: str = ">") -> Cases:
    return Cases(ARGUMENT, sign, 0.0, then, otherwise)


def _relu() -> Activation:
    return Activation(
        # The larger of z and 0 keeps what is not a number; a case distinction would make 0 of it.
        Function(
            "relu", "ReLU", _above_zero(ARGUMENT, ZERO),
            exact=Largest(ARGUMENT, ZERO), torch="relu",
        ),
        _above_zero(ONE, ZERO), 1.0,
        about="It keeps what is positive and replaces the rest by 0.",
        at_kink="At 0 the curve has a corner; we take the derivative there to be 0.",
        title="ReLU", span="0 and up", use="It is a common choice for hidden layers.",
        gradient="Where z is positive a gradient passes unchanged, else it stops. "
        "A unit whose z is negative for every sample does not learn.",
    )  # fmt: skip


def _leaky_relu(slope: float = SLOPE.default) -> Activation:
    s = Number(slope)
    return Activation(
        Function(
            "leaky_relu", "LeakyReLU", _above_zero(ARGUMENT, Product((s, ARGUMENT))),
            parameters={"slope": slope},
        ),
        _above_zero(ONE, s), max(1.0, abs(slope)),
        about=f"It keeps what is positive and multiplies the rest by {number.shown(slope)}"
        + (", so no unit goes silent." if slope else "."),
        at_kink="At 0 the curve has a corner; "
        "we take the derivative there to be the slope of the negative side.",
        title="Leaky ReLU", span="any number",
        gradient="Where z is negative the slope still lets a part of the gradient through, "
        "so the unit can recover.",
        note="Lectures write this slope differently: a for any slope, or 0.01, or 0.1. "
        "All are leaky ReLU; set the one you work with.",
        values=(0.01, 0.1),
    )  # fmt: skip


def _elu(alpha: float = ALPHA.default) -> Activation:
    # e^z of a large z would overflow, although nobody asks for it
    s, below = Number(alpha), Smallest(ARGUMENT, ZERO)
    return Activation(
        Function(
            "elu", "ELU", _above_zero(ARGUMENT, Product((s, ExpMinusOne(ARGUMENT)))),
            exact=_above_zero(ARGUMENT, Product((s, ExpMinusOne(below)))),
            parameters={"alpha": alpha},
        ),
        _above_zero(ONE, Product((s, Exp(ARGUMENT)))), max(1.0, abs(alpha)), edges=(-alpha,),
        about="It keeps what is positive and bends the rest, "
        f"which comes ever closer to {number.shown(-alpha)}.",
        at_kink=f"At 0 we take the derivative of the negative side, {number.shown(alpha)}.",
        title="ELU", span="above −α",
        gradient="On the negative side the derivative fades: "
        "a little below 0 a unit still learns, far below hardly.",
        note="With α = 1 the derivatives of both sides meet at 0; "
        "with any other α there is a corner.",
        small="α times e^z is too small for float64 here and counts as 0, "
        "so the derivative comes out as exactly 0.",
    )  # fmt: skip


def _log_of_one_and_power(z: Array) -> Array:
    # NumPy warns of what is not a number here, and nowhere else
    with np.errstate(invalid="ignore"):
        return np.asarray(np.logaddexp(0.0, z))


SOFTPLUS = Function("softplus", "softplus", primitive=_log_of_one_and_power, library="logaddexp")
"""log(1 + e^z), exact in both tails."""


def _softplus() -> Activation:
    # e^z of a large z would overflow: computed as log(e^0 + e^z)
    written = Log(Sum((ONE, Exp(ARGUMENT))))
    return Activation(
        replace(SOFTPLUS, formula=Stable(written, Apply(ARGUMENT, SOFTPLUS))),
        Apply(ARGUMENT, _sigmoid().function), 1.0, edges=(0.0,),
        about="It bends smoothly from 0 to z: a ReLU without the corner.",
        title="Softplus", span="above 0", use="It suits outputs that must be positive.",
        gradient="Its derivative is the sigmoid: far to the right a gradient passes unchanged, "
        "far to the left it fades.",
        small="e^z is too small for float64 here and counts as 0, "
        "so the derivative comes out as exactly 0.",
    )  # fmt: skip


def _softmax() -> Activation:
    shifted = Exp(Difference(ARGUMENT, LargestOver(ARGUMENT)))  # so that no e^z overflows
    return Activation(
        Function(
            "softmax", "softmax", Quotient(Exp(ARGUMENT), SumOver(Exp(ARGUMENT), "outputs", 1)),
            exact=Quotient(shifted, SumOver(shifted, "outputs", 1)), by_row=True, torch="softmax",
        ),
        None, None, edges=(0.0, 1.0),
        about="It turns the pre-activations of a layer into probabilities that add up to 1.",
        title="Softmax", span="0 to 1",
        use="Networks that choose one of several classes end with it.",
        gradient="Each probability depends on every logit, "
        "so there is a table of derivatives in place of one: the Jacobian. "
        "Each of its columns adds up to 0: when a logit rises, "
        "what one probability gains the others lose.",
    )  # fmt: skip


def _step() -> Activation:
    return Activation(
        Function("step", "step", _above_zero(ONE, ZERO, "≥")), None, 0.0,
        about="It decides: 1 where the pre-activation reaches 0, else 0.",
        at_kink="At 0 it jumps; we count 0 as reached.",
        title="Step", span="0 or 1", use="The perceptron decides with it.",
    )  # fmt: skip


def _sign() -> Activation:
    return Activation(
        Function("sign", "sgn", primitive=np.sign, library="sign", torch="sign"), None, 0.0,
        about="It keeps only the side: 1 for positive, −1 for negative, 0 at 0.",
        at_kink="At 0 it jumps; its value there is 0.",
        title="Sign", span="−1, 0 or 1", use="Linear classifiers read their answer from it.",
    )  # fmt: skip


_MAKERS: dict[str, Callable[..., Activation]] = {
    "identity": _identity, "sigmoid": _sigmoid, "tanh": _tanh,
    "relu": _relu, "leaky_relu": _leaky_relu, "elu": _elu, "softmax": _softmax,
    "softplus": _softplus, "step": _step, "sign": _sign,
}  # fmt: skip

NAMES = tuple(_MAKERS)


def activation(name: str, **parameters: float) -> Activation:
    """Look up an activation function; `PARAMETERS` says which has which parameter.

    Raises NetworkError where the name is unknown or a parameter does not belong to it.
    """
    if name not in _MAKERS:
        raise NetworkError(f"no activation is called {name!r}; the tutor knows {', '.join(NAMES)}")
    try:
        # no minus zero
        return _made(name, tuple(sorted((key, value + 0.0) for key, value in parameters.items())))
    except TypeError:
        raise NetworkError(f"{name} takes no parameter {', '.join(sorted(parameters))}") from None


@lru_cache(maxsize=1024)
def _made(name: str, parameters: tuple[tuple[str, float], ...]) -> Activation:
    """Each function once, so that networks with the same functions compute the same program."""
    return _MAKERS[name](**dict(parameters))


def softmax(z: Array) -> Array:
    """e^z over its sum, along the last axis of z (M, n); z is shifted by its largest entry so that
    nothing overflows.
    """
    return activation("softmax").f(z)


def softmax_jacobian(a: Array) -> Array:
    """∂aᵢ/∂zₖ = aᵢ(δᵢₖ − aₖ) for the activations `a` (n,) of one sample: an (n, n) matrix, row i,
    column k.
    """
    return np.asarray(a[:, None] * (np.eye(len(a)) - a))

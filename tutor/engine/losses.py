"""Losses: each with the formula of what one output adds, its derivative, and words.

The formulas are written in three leaves: `A` an output, `Y` its target, `Z` its pre-activation. For
whole arrays of shape (M, n), M samples and n outputs, they are what the engine computes; for one
output they are what a step shows.

Cross-entropy needs the logarithm of a probability. Computed from the pre-activations nothing is
lost when the probability is close to 0 or 1: the trees are written as log(a) and computed as log
σ(z) or log softmax(z).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tutor.engine.activations import SOFTPLUS, activation
from tutor.engine.tree import (
    ARGUMENT,
    ONE,
    ZERO,
    Apply,
    ArrayRef,
    Cases,
    Difference,
    Exp,
    Function,
    LargestOver,
    Log,
    Negative,
    Node,
    Number,
    Product,
    Quotient,
    Size,
    Square,
    Stable,
    Sum,
    SumOver,
    Weighted,
    renamed,
)
from tutor.errors import NetworkError

Array = np.ndarray

A, Y, Z = ArrayRef("a"), ArrayRef("y"), ArrayRef("z")
INVERSE, INVERSE_NOT = ArrayRef("1/a"), ArrayRef("1/(1-a)")
"""1/a and 1/(1 − a), where they are written with the pre-activations."""

LOG1P = Function("log1p", "log1p", primitive=np.log1p, library="log1p")

LOG_SIGMOID = Function(
    "log_sigmoid", "log σ", Negative(Apply(Negative(ARGUMENT), SOFTPLUS)), helper=True,
    torch="nn.functional.logsigmoid",
)  # fmt: skip
"""log σ(z), exact in both tails."""

_SHIFTED = Difference(ARGUMENT, LargestOver(ARGUMENT))
# The largest class adds exactly e⁰ = 1; log1p of the others keeps their digits however small they
# are.
_OTHERS = Sum((
    SumOver(Cases(_SHIFTED, "=", 0.0, ZERO, Exp(_SHIFTED)), "outputs", 1),
    Difference(SumOver(Cases(_SHIFTED, "=", 0.0, ONE, ZERO), "outputs", 1), ONE),
))  # fmt: skip
LOG_SOFTMAX = Function(
    "log_softmax", "log softmax", Difference(_SHIFTED, Apply(_OTHERS, LOG1P)), by_row=True,
    helper=True, torch="log_softmax",
)  # fmt: skip
"""log softmax(z) along the rows, exact in both tails."""


@dataclass(frozen=True, eq=False)
class Loss:
    """One loss function with everything the tutor knows about it."""

    name: str
    title: str
    term: Node
    """What one output adds to the loss of its sample, in A, Y, Z."""
    gradient: Node
    """The derivative of the loss of a sample with respect to one output."""
    of_sample: Callable[[Node], Node]
    """From the sum over outputs to the loss of the sample (a sign or a factor in front)."""
    about: str
    """What it measures, for one output."""
    about_several: str
    """The same for several outputs."""
    fused_with: str = ""
    """The output activation with which dL/dz is simply a − y."""
    stable_term: Node | None = None
    """What one output adds, with log(1/a) in place of −log a: where a is rounded to 0 or 1, 1/a
    still has its digits.
    """


def with_leaves(tree: Node, leaves: dict[Node, Node]) -> Node:
    """A formula of a loss with the leaves of a lesson in place of A, Y, Z."""
    return renamed(tree, lambda node: leaves.get(node) if isinstance(node, ArrayRef) else None)


def _same(total: Node) -> Node:
    return total


def _half(total: Node) -> Node:
    return Product((Number(0.5, "1/2"), total))


_SMALL = Size(ARGUMENT)
HUBER = Function(
    "huber", "huber",
    Cases(
        _SMALL, "≤", 1.0,
        Product((Number(0.5, "1/2"), Square(ARGUMENT))), Difference(_SMALL, Number(0.5, "1/2")),
    ),
    helper=True,
)  # fmt: skip
HUBER_SLOPE = Function(
    "huber_slope", "huber′",
    Cases(_SMALL, "≤", 1.0, ARGUMENT, Apply(ARGUMENT, activation("sign").function)), helper=True,
)  # fmt: skip

_MARGIN = Product((Y, A))
"""Above 0 where the sign of the output is that of the target."""
PERCEPTRON = Function(
    "perceptron", "perceptron", Cases(ARGUMENT, ">", 0.0, ZERO, Negative(ARGUMENT)), helper=True,
)  # fmt: skip
PERCEPTRON_SLOPE = Function(
    "perceptron_slope", "perceptron′", Cases(ARGUMENT, ">", 0.0, ZERO, Number(-1.0)), helper=True,
)  # fmt: skip

_NOT_A, _NOT_Y = Difference(ONE, A), Difference(ONE, Y)
_LOG_A = Stable(Log(A), Apply(Z, LOG_SIGMOID), A)
_LOG_NOT_A = Stable(Log(_NOT_A), Apply(Negative(Z), LOG_SIGMOID), A)
_LOG_P = Stable(Log(A), Apply(Z, LOG_SOFTMAX), A)


def _log_of_inverse(inverse: ArrayRef, log: Node) -> Node:
    return Stable(Log(inverse), Negative(log), Z)


_HUBER = (
    "A difference of up to 1 counts as half its square, a larger one as its size minus ½, so "
    "outliers count less."
)
_ON_ITS_SIDE = (
    "An output on the side of its target, −1 or 1, costs nothing; one on the other side costs its "
    "distance from 0."
)
_SURPRISE = (
    "The loss is the surprise: −log of the probability that the network assigned to the right "
    "class."
)

LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "squared_error", "squared error", Square(Difference(A, Y)),
            Product((Number(2.0), Difference(A, Y))), _same,
            "The loss is the square of the difference between output and target.",
            "The loss adds up the squared differences between outputs and targets.",
        ),
        Loss(
            "half_squared_error", "half squared error", Square(Difference(A, Y)),
            Difference(A, Y), _half,
            "The loss is half the square of the difference between output and target: "
            "the ½ cancels the 2 of the derivative.",
            "The loss is half the sum of the squared differences between outputs and targets: "
            "the ½ cancels the 2 of the derivative.",
        ),
        Loss(
            "huber", "Huber loss", Apply(Difference(A, Y), HUBER),
            Apply(Difference(A, Y), HUBER_SLOPE), _same, _HUBER, _HUBER,
        ),
        Loss(
            "perceptron", "perceptron loss", Apply(_MARGIN, PERCEPTRON),
            Product((Y, Apply(_MARGIN, PERCEPTRON_SLOPE))), _same, _ON_ITS_SIDE, _ON_ITS_SIDE,
        ),
        Loss(
            "binary_cross_entropy", "binary cross-entropy",
            Sum((Weighted((Y, _LOG_A)), Weighted((_NOT_Y, _LOG_NOT_A)))),
            Sum((Negative(Quotient(Y, A)), Quotient(_NOT_Y, _NOT_A))), Negative,
            "The loss is the surprise: −log of the probability that the network assigned to "
            "the right answer.",
            "The loss adds up the surprise of each output: −log of the probability that it "
            "assigned to the right answer.",
            "sigmoid",
            Sum((
                Weighted((Y, _log_of_inverse(INVERSE, _LOG_A.exact))),
                Weighted((_NOT_Y, _log_of_inverse(INVERSE_NOT, _LOG_NOT_A.exact))),
            )),
        ),
        Loss(
            "cross_entropy", "cross-entropy", Weighted((Y, _LOG_P)), Negative(Quotient(Y, A)),
            Negative, _SURPRISE, _SURPRISE, "softmax",
            Weighted((Y, _log_of_inverse(INVERSE, _LOG_P.exact))),
        ),
    )
}  # fmt: skip

NAMES: Sequence[str] = tuple(LOSSES)


def loss(name: str) -> Loss:
    """Look up a loss. Raises NetworkError where the name is unknown."""
    if name not in LOSSES:
        raise NetworkError(f"there is no loss called {name!r}; there are {', '.join(NAMES)}")
    return LOSSES[name]

"""What the activation page says about each function, beside what the engine knows, and about float64 at the edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tutor import number
from tutor.activations import Activation
from tutor.curves import WINDOW, position


@dataclass(frozen=True)
class Prose:
    """The words for one function."""

    title: str
    span: str
    """Where its values lie."""
    gradient: str
    """What happens to a gradient on its way through."""
    use: str = ""
    """What it is used for."""


PROSE: dict[str, Prose] = {
    "identity": Prose(
        "Identity", "any number", "Gradients pass it unchanged. But layers with only this between them come to one linear layer.",
        "Regression networks end with it.",
    ),
    "sigmoid": Prose(
        "Sigmoid", "0 to 1",
        "It multiplies a gradient by at most 0.25, and by almost nothing far from 0. Unless the weights make up for it, gradients vanish.",
        "It suits the answer to a yes-or-no question.",
    ),
    "tanh": Prose(
        "Tanh", "−1 to 1", "Near 0 gradients pass almost unchanged; far from 0 they vanish, as with the sigmoid.",
        "It suits hidden layers.",
    ),
    "relu": Prose(
        "ReLU", "0 and up",
        "Where z is positive a gradient passes unchanged, else it stops. A unit whose z is negative for every sample does not learn.",
        "It is a common choice for hidden layers.",
    ),
    "leaky_relu": Prose(
        "Leaky ReLU", "any number", "Where z is negative the slope still lets a part of the gradient through, so the unit can recover.",
    ),
    "elu": Prose(
        "ELU", "above −α", "On the negative side the derivative fades: a little below 0 a unit still learns, far below hardly.",
    ),
    "step": Prose("Step", "0 or 1", "", "The perceptron decides with it."),
    "sign": Prose("Sign", "−1, 0 or 1", "", "Linear classifiers read their answer from it."),
}  # fmt: skip

SOFTMAX_USE = "Networks that choose one of several classes end with it."
SOFTMAX_GRADIENT = (
    "Each probability depends on every logit, so there is a table of derivatives in place of one: the Jacobian. "
    "Each of its columns adds up to 0: when a logit rises, what one probability gains the others lose."
)
LEAKY_NOTE = "Lectures write this slope differently: a for any slope, or 0.01, or 0.1. All are leaky ReLU; set the one you work with."
ELU_NOTE = "With α = 1 the derivatives of both sides meet at 0; with any other α there is a corner."


def steepest(rule: Activation) -> str:
    """How large the derivative gets."""
    if not rule.differentiable:
        return "0"
    return "always 1" if rule.name == "identity" else f"at most {number.shown(rule.bound or 0.0)}"


def flat(z: float) -> str:
    """What the derivative of a flat function is at z, to be read after its symbol."""
    return "does not exist at z = 0, where the function jumps" if z == 0 else "is 0, as it is everywhere but at the jump"


def outside(z: float) -> str:
    """Says that z is outside the window of the drawings; blank where it is inside."""
    where = position(z)
    return "" if where == "inside" else f"z = {number.shown(z)} is to the {where} of what the drawings show, which is ±{WINDOW:g}."


def remark(rule: Activation, a: float, slope: float) -> str:
    """What float64 does to an S-shaped function, or to the tail of ELU, far from 0; blank elsewhere."""
    if rule.name == "elu" and slope == 0:
        return "α times e^z is too small for float64 here and counts as 0, so the derivative comes out as exactly 0."
    if rule.name not in {"sigmoid", "tanh"}:
        return ""
    if slope == 0:
        return f"float64 has no room for the difference between a and {number.shown(a)} here, so the derivative comes out as exactly 0."
    if number.plain(abs(a)) == "1.0000":
        return f"a is shown rounded: its size falls short of 1 by {number.shown(1.0 - abs(a))}, too little for four decimals."
    return ""


def certain(a: np.ndarray) -> str:
    """A word where float64 makes a probability of the softmax exactly 0 or 1."""
    if not np.any((a == 0.0) | (a == 1.0)):
        return ""
    return "A probability of exactly 0 or 1 is float64's rounding; softmax itself comes close but never gets there."

"""What the activation page says about float64 at the edges of each function, beside what the engine
knows.
"""

from __future__ import annotations

import numpy as np

from tutor import number
from tutor.draw.curves import WINDOW, position
from tutor.engine.activations import Activation
from tutor.engine.tree import ONE


def steepest(rule: Activation) -> str:
    """How large the derivative gets."""
    if not rule.differentiable:
        return "0"
    return "always 1" if rule.slope == ONE else f"at most {number.shown(rule.bound or 0.0)}"


def flat(z: float) -> str:
    """What the derivative of a flat function is at z, to be read after its symbol."""
    return (
        "does not exist at z = 0, where the function jumps"
        if z == 0
        else "is 0, as it is everywhere except at the jump"
    )


def outside(z: float) -> str:
    """Says that z is outside the window of the drawings; blank where it is inside."""
    where, shown = position(z), number.shown(z)
    if where == "inside":
        return ""
    return f"z = {shown} lies to the {where} of the graphs, which show −{WINDOW:g} to {WINDOW:g}."


def remark(rule: Activation, a: float, slope: float) -> str:
    """What float64 does to an S-shaped function, or to the tail of ELU, far from 0; blank
    elsewhere.
    """
    if not rule.saturates:
        return rule.small if slope == 0 else ""
    if slope == 0:
        return (
            f"Here a is too close to {number.shown(a)} for float64 to tell the two apart, "
            "so the derivative comes out as exactly 0."
        )
    if number.plain(abs(a)) == "1.0000":
        return (
            f"a is rounded here: its size is {number.shown(1.0 - abs(a))} short of 1, "
            "which four decimals cannot show."
        )
    return ""


def certain(a: np.ndarray) -> str:
    """A word where float64 makes a probability of the softmax exactly 0 or 1."""
    if not np.any((a == 0.0) | (a == 1.0)):
        return ""
    return (
        "A probability of exactly 0 or 1 is float64's rounding; "
        "softmax itself comes close but never reaches it."
    )

"""What a reader with a calculator gets: how many digits the numbers of a formula need so that,
typed in as they are shown, they give the result that is shown.

    enough(tree, value, env, decimals) -> Digits

Mostly the lecture's decimals do. Where rounding costs more than that, the numbers of this one
formula get more, as few as it takes. Every face of a step (page, worked solution, LaTeX,
transcript) asks here, so that all show the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from tutor import number
from tutor.engine.stable_loss import loses_digits
from tutor.engine.tree import ArrayRef, Environment, Node, Rounded, Value, evaluate, walk
from tutor.lesson.slides import Numbers
from tutor.notation.mathml import SHOWN_COLUMNS, SHOWN_ROWS

MORE = "more decimals, so that they give the result"
UNROUNDED = "with unrounded values"
ONE_BY_ONE = "as rounded number by number"
MOST_MORE = 14
"""With so many more digits nothing is left of a float64 that could be shown."""


@dataclass(frozen=True, slots=True)
class Digits:
    """How the numbers of a formula are shown."""

    more: int = 0
    """How many more digits than the lecture's they have."""
    give: bool = True
    """Whether a calculator gives the result with these."""
    otherwise: str = UNROUNDED
    """What is said of a result that it does not give."""

    @property
    def numbers(self) -> str:
        """What has to be said of the numbers, or ""."""
        return MORE if self.more else ""

    @property
    def result(self) -> str:
        """What has to be said of the result, or ""."""
        return "" if self.give else self.otherwise


def enough(tree: Node, value: Value, env: Environment, decimals: int) -> Digits:
    """The fewest digits with which the numbers of a tree give what is shown of its value.

    Where none do, because the outputs have lost theirs on the way, they stay the lecture's. A
    matrix whose middle is left out cannot be typed at all.
    """
    if not _typable(tree, value, env):
        return Digits()
    for more in range(MOST_MORE + 1):
        if _gives(tree, value, env, decimals, more):
            # so many digits that a pocket calculator takes an output for 1 are of no use
            lost = more > 0 and loses_digits(tree, env, decimals + more)
            return Digits(0, False) if lost else Digits(more)
    return Digits(0, False)


def carried(tree: Node, value: Value, trace: Numbers) -> Digits:
    """The digits on paper, where every number is shown as it is carried on: a result is that of the
    shown numbers, rounded. Only a whole matrix may differ from its numbers taken one by one.
    """
    typed = np.broadcast_to(evaluate(tree, trace), np.shape(value))
    pairs = zip(np.ravel(typed), np.ravel(value), strict=True)
    alike = (trace.written(float(a)) == float(b) or not np.isfinite(b) for a, b in pairs)
    return Digits(0, all(alike), ONE_BY_ONE)


def _typable(tree: Node, value: Value, env: Environment) -> bool:
    """Whether all numbers are shown."""
    if isinstance(value, float):
        return True
    arrays = (env.matrix(node) for node in walk(tree) if isinstance(node, ArrayRef))
    shapes = (np.shape(array) for array in (*arrays, np.atleast_2d(value)))
    return all(rows <= SHOWN_ROWS and columns <= SHOWN_COLUMNS for rows, columns in shapes)


def _gives(tree: Node, value: Value, env: Environment, decimals: int, more: int) -> bool:
    """Whether a calculator gives what is shown of the value, from numbers with so many more
    digits.
    """
    shown = Rounded(env, partial(number.rounded, decimals=decimals, more=more))
    typed = evaluate(tree, shown)
    if isinstance(value, float):
        return number.gives(float(typed), value, decimals)
    pairs = zip(np.ravel(np.broadcast_to(typed, np.shape(value))), np.ravel(value), strict=True)
    return all(number.gives(float(a), float(b), decimals) for a, b in pairs)

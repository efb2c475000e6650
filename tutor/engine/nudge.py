"""Gradients measured: a number that a lesson starts from is moved a little to both sides, and the
result tells: the loss of a network, the value of a formula.

    nudger                              the result with one number in place of another; there is one
                                        for networks and one for formulas, in modules of their own
        .result(q, value)               the result where q is `value`
        .central(q, h) -> Difference    (f(q + h) − f(q − h)) / 2h beside backpropagation's gradient
    check(nudger, most) -> Check        all of them, or an even selection, and the worst error
    by_steps(nudger, q, steps)          the same number moved by one h after the other

Nothing here knows of backpropagation, which is why it can check it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, prod

import numpy as np

from tutor import budget
from tutor.engine.operation import place_in
from tutor.engine.program import Name
from tutor.engine.quantity import Quantity

EPSILON = float(np.finfo(np.float64).eps)
STEP = 1e-5
"""How far a number is moved where nobody says: about the third root of the rounding error, where
what the curve bends and what float64 rounds matter about the same.
"""
AGREES = 1e-6
"""Relative errors up to this are what central differences with this step leave."""
NOISE = 16.0
"""So many times the rounding error of the two results, a difference says nothing."""
BENT = 10 * AGREES
"""How far a slope to one side may be off because the curve is no straight line."""
CLOSER, LOOKS = 100, 3
"""By so much smaller a step is the next look, where the curve bends sharply within the last one;
and how many looks there are.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A number moved by h to both sides."""

    quantity: Quantity
    value: float
    h: float
    below: float
    """The result at value − h."""
    here: float
    """The result as it is."""
    above: float
    gradient: float
    """What backpropagation says."""
    kinked: bool = False
    """Whether what it goes through has a corner at exactly this value."""

    @property
    def slope(self) -> float:
        """The central difference."""
        return (self.above - self.below) / (2 * self.h)

    @property
    def one_sided(self) -> float:
        """The difference to the right alone."""
        return (self.above - self.here) / self.h

    @property
    def from_left(self) -> float:
        """The difference to the left alone."""
        return (self.here - self.below) / self.h

    @property
    def undefined(self) -> bool:
        """Whether there is no result on one side."""
        return not (isfinite(self.below) and isfinite(self.above))

    @property
    def one_sided_error(self) -> float:
        """The relative error of that."""
        return relative(self.one_sided, self.gradient)

    @property
    def noise(self) -> float:
        """How far rounding alone may put the slope off."""
        return NOISE * EPSILON * max(abs(self.above), abs(self.below)) / self.h

    @property
    def error(self) -> float:
        """The relative error: the difference as a share of the larger of the two."""
        return relative(self.slope, self.gradient)

    @property
    def tiny(self) -> bool:
        """Whether the gradient is so small that rounding hides it."""
        return max(abs(self.gradient), abs(self.slope)) * AGREES <= self.noise

    @property
    def flat(self) -> bool:
        """Whether nothing changes on either side and the gradient is 0, as where relu is off."""
        return self.below == self.here == self.above and self.gradient == 0

    @property
    def corner(self) -> bool:
        """Whether the curve has a corner here: two slopes, one to the left and one to the right,
        and backpropagation takes one of them or one between.
        """
        low, high = sorted((self.from_left, self.one_sided))
        slack = max(self.noise, BENT * max(abs(low), abs(high)))
        between = low - slack <= self.gradient <= high + slack
        apart = not self.undefined and high - low > self.noise
        return (self.kinked or not self.agrees) and apart and between

    @property
    def agrees(self) -> bool:
        """Whether both are the same as far as it can be told."""
        return not self.undefined and abs(self.slope - self.gradient) <= max(
            AGREES * max(abs(self.slope), abs(self.gradient)), self.noise
        )

    @property
    def differs(self) -> bool:
        """Whether both could be told, and are not the same."""
        return not (self.agrees or self.corner or self.undefined)


def relative(one: float, other: float) -> float:
    """|one − other| as a share of the larger of the two; 0 where both are 0, and 1 where one of
    them is beyond float64.
    """
    largest = max(abs(one), abs(other))
    if not isfinite(largest):
        return 1.0
    return abs(one - other) / largest if largest else 0.0


class Nudger:
    """The result of a lesson with one number moved. Subclasses say how it is computed."""

    @property
    def here(self) -> float:
        """The result as it is."""
        raise NotImplementedError

    def value(self, q: Quantity) -> float:
        """The number as it is."""
        raise NotImplementedError

    def gradient(self, q: Quantity) -> float:
        """The derivative of the result with respect to it. Raises KeyError where there is none."""
        raise NotImplementedError

    def results(self, q: Quantity, values: Sequence[float]) -> list[float]:
        """The result at each of these values of q."""
        raise NotImplementedError

    @property
    def stopped(self) -> bool:
        """Whether the walk ends early, so that not every gradient is there."""
        raise NotImplementedError

    def can(self, q: Quantity) -> bool:
        """Whether q is a number that the lesson starts from and has a gradient."""
        raise NotImplementedError

    def arrays(self) -> Iterator[tuple[Name, tuple[int, ...]]]:
        """The arrays with gradients to be checked: their names and shapes."""
        raise NotImplementedError

    def at(self, name: Name, place: tuple[int, ...]) -> Quantity:
        """The number at a place of such an array, from 1."""
        raise NotImplementedError

    def work(self, q: Quantity) -> int:
        """What one more result costs, as `tutor.limits.WORK` counts."""
        raise NotImplementedError

    @property
    def most_work(self) -> int:
        """What one difference costs at most."""
        raise NotImplementedError

    def kink(self, q: Quantity) -> str:
        """Which operation on the way from q to the result has a corner at exactly these values;
        "" where that is not known or there is none.
        """
        return ""

    def trouble(self, q: Quantity, value: float) -> str:
        """Why there is no result where q has this value; "" where that is not known."""
        return ""

    def result(self, q: Quantity, value: float) -> float:
        """The result where q has this value."""
        (found,) = self.results(q, (value,))
        return found

    def central(self, q: Quantity, h: float = STEP) -> Difference:
        """q moved by h to both sides. Raises KeyError where there is no gradient to compare."""
        (found,) = by_steps(self, q, (h,))
        return found


def by_steps(nudger: Nudger, q: Quantity, steps: Sequence[float]) -> tuple[Difference, ...]:
    """The same number moved by one step after the other."""
    value, gradient, kinked = nudger.value(q), nudger.gradient(q), has_corner(nudger, q)
    found = nudger.results(q, [value + way * h for h in steps for way in (-1, 1)])
    return tuple(
        Difference(q, value, h, below, nudger.here, above, gradient, kinked)
        for h, below, above in zip(steps, found[::2], found[1::2], strict=True)
    )


def has_corner(nudger: Nudger, q: Quantity) -> bool:
    """Whether the result has a corner at exactly this value of q: an operation on the way has one,
    and the slopes to the left and right stay apart as h shrinks.
    """
    if not nudger.kink(q):
        return False
    value = nudger.value(q)
    found = nudger.results(q, [value + h for size in (CLOSER * STEP, STEP) for h in (-size, size)])
    wide, close = (
        abs(above + below - 2 * nudger.here) / size
        for size, below, above in zip((CLOSER * STEP, STEP), found[::2], found[1::2], strict=True)
    )
    return close > max(wide / 2, NOISE * EPSILON * abs(nudger.here) / STEP)


# ---- all of them ----


@dataclass(frozen=True, slots=True)
class ArrayCheck:
    """The gradients of one array, or an even selection of them."""

    name: Name
    checked: tuple[Difference, ...]
    of: int
    """How many there are."""

    @property
    def worst(self) -> Difference | None:
        """The largest relative error among those that can be measured."""
        found = [one for one in self.checked if not (one.tiny or one.corner or one.undefined)]
        return max(found, key=lambda one: one.error, default=None)

    @property
    def tiny(self) -> int:
        """How many gradients are too small to be measured."""
        return sum(one.tiny and one.agrees and not (one.corner or one.flat) for one in self.checked)

    @property
    def flat(self) -> int:
        """How many are 0, where nothing changes either."""
        return sum(one.flat for one in self.checked)

    @property
    def corners(self) -> int:
        """How many stand at a corner of the curve."""
        return sum(one.corner and (one.kinked or not one.tiny) for one in self.checked)

    @property
    def undefined(self) -> int:
        """How many have no result on one side."""
        return sum(one.undefined for one in self.checked)

    @property
    def differ(self) -> tuple[Difference, ...]:
        """Those that backpropagation has otherwise."""
        return tuple(one for one in self.checked if one.differs)


@dataclass(frozen=True, slots=True)
class Check:
    """The whole lesson."""

    h: float
    arrays: tuple[ArrayCheck, ...]

    @property
    def checked(self) -> int:
        """How many were moved."""
        return sum(len(one.checked) for one in self.arrays)

    @property
    def of(self) -> int:
        """How many there are."""
        return sum(one.of for one in self.arrays)

    @property
    def worst(self) -> Difference | None:
        """The largest relative error of all."""
        found = [one.worst for one in self.arrays if one.worst is not None]
        return max(found, key=lambda one: one.error, default=None)

    @property
    def differ(self) -> tuple[Difference, ...]:
        """Those of all arrays that backpropagation has otherwise."""
        return tuple(found for one in self.arrays for found in one.differ)


def check(nudger: Nudger, most: int, h: float = STEP) -> Check:
    """Every gradient against its central difference; of more than `most` an even selection of each
    array, and of so many arrays one in several.
    """
    arrays = [(name, shape, prod(shape)) for name, shape in nudger.arrays()]
    total = sum(size for _, _, size in arrays)
    every = -(-len(arrays) // most)
    done, found = 0, []
    for n, (name, shape, size) in enumerate(arrays):
        share = size if total <= most else max(2, most * size // total)
        share = 0 if n % every else share
        places = np.unique(np.linspace(0, size - 1, min(share, size)).astype(int))
        differences = []
        for place in places.tolist():
            budget.foresee(done, min(total, most))
            at = place_in(shape, place + 1)
            differences.append(_looked_at(nudger, nudger.at(name, at), h))
            done += 1
        found.append(ArrayCheck(name, tuple(differences), size))
    return Check(h, tuple(found))


def _looked_at(nudger: Nudger, q: Quantity, h: float) -> Difference:
    """The difference; with a smaller step where a corner of the curve lies within the first."""
    first = found = nudger.central(q, h)
    for look in range(1, LOOKS):
        if found.agrees or (found.corner and (look > 1 or found.kinked)):
            return found
        found = nudger.central(q, h / CLOSER**look)
    return found if found.agrees or found.corner else first

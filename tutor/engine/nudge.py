"""Gradients measured: a parameter or an input is moved a little to both sides, and the loss tells.

    Nudger(trace)                       the loss with one number in place of another
        .loss(q, value)                 the loss on the data where q is `value`
        .central(q, h) -> Difference    (L(q + h) − L(q − h)) / 2h beside backpropagation's gradient
    checkable(trace)                    every quantity that has a gradient to be checked, in arrays
    check(trace, most) -> Check         all of them, or an even selection, and the worst error

It is the loss on the data that is measured, for that is what the gradients belong to; a penalty has
a derivative of its own. Whatever is dropped stays dropped. The forward pass alone is used: nothing
here knows of backpropagation, which is why it can check it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tutor import budget
from tutor.engine.kinds import GRADIENT
from tutor.engine.lean import loss_function
from tutor.engine.network import Array
from tutor.engine.program import Name
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace

EPSILON = float(np.finfo(np.float64).eps)
STEP = 1e-5
"""How far a number is moved where nobody says: about the third root of the rounding error, where
what the curve bends and what float64 rounds matter about the same.
"""
AGREES = 1e-6
"""Relative errors up to this are what central differences with this step leave."""
NOISE = 16.0
"""So many times the rounding error of the two losses, a difference says nothing."""
BENT = 10 * AGREES
"""How far a slope to one side may be off because the loss is no straight line."""
CLOSER, LOOKS = 100, 3
"""By so much smaller a step is the next look, where the loss bends sharply within the last one; and
how many looks there are.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A number moved by h to both sides."""

    quantity: Quantity
    value: float
    h: float
    below: float
    """The loss at value − h."""
    here: float
    """The loss as it is."""
    above: float
    gradient: float
    """What backpropagation says."""

    @property
    def slope(self) -> float:
        """The central difference."""
        return (self.above - self.below) / (2 * self.h)

    @property
    def one_sided(self) -> float:
        """The difference to the right alone."""
        return (self.above - self.here) / self.h

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
    def corner(self) -> bool:
        """Whether the loss has a corner here: two slopes, one to the left and one to the right, and
        backpropagation takes one of them or one between.
        """
        left = (self.here - self.below) / self.h
        low, high = sorted((left, self.one_sided))
        slack = max(self.noise, BENT * max(abs(low), abs(high)))
        between = low - slack <= self.gradient <= high + slack
        return not self.agrees and high - low > self.noise and between

    @property
    def agrees(self) -> bool:
        """Whether both are the same as far as it can be told."""
        return not abs(self.slope - self.gradient) > max(
            AGREES * max(abs(self.slope), abs(self.gradient)), self.noise
        )


def relative(one: float, other: float) -> float:
    """|one − other| as a share of the larger of the two; 0 where both are 0."""
    largest = max(abs(one), abs(other))
    return abs(one - other) / largest if largest else 0.0


class Nudger:
    """The loss of a lesson with one number moved."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        program = trace.network.program(trace.samples)  # from the inputs as they are, scaled or not
        self._compute = loss_function(program.plan)
        knobs = [np.asarray(trace.knobs[name]) for name in program.knobs]
        first = 2 + len(knobs)
        self._places = {name: n for n, name in enumerate(program.given, first)}
        arrays = [trace.arrays.get(name) for name in program.given]
        self._arguments = [np.asarray(trace.eta), trace.scale, *knobs, *arrays]
        self.here = self._loss(self._arguments)

    def _loss(self, arguments: Sequence[object]) -> float:
        with np.errstate(all="ignore"):
            (found,) = self._compute(*arguments)
        return float(found)

    def loss(self, q: Quantity, value: float) -> float:
        """The loss where q has this value."""
        arguments, place = list(self._arguments), self._places[q.kind, q.layer]
        array = np.array(self.trace.arrays[q.kind, q.layer])
        array[index(q)] = value
        arguments[place] = array
        return self._loss(arguments)

    def losses(self, q: Quantity, values: Sequence[float]) -> list[float]:
        """The loss at each of these values."""
        found = []
        for value in values:
            budget.check()
            found.append(self.loss(q, value))
        return found

    def central(self, q: Quantity, h: float = STEP) -> Difference:
        """q moved by h to both sides. Raises KeyError where there is no gradient to compare."""
        value = self.trace.value(q)
        return Difference(
            q, value, h, self.loss(q, value - h), self.here, self.loss(q, value + h),
            self.trace.value(gradient_of(q)),
        )  # fmt: skip


def index(q: Quantity) -> tuple[int, ...]:
    """Where a quantity is in its array."""
    if q.of.per_sample:
        return max(q.sample, 1) - 1, q.i - 1
    return (q.i - 1, q.j - 1) if q.of.weights else (q.i - 1,)


def gradient_of(q: Quantity) -> Quantity:
    """The derivative of the loss with respect to a parameter or an input."""
    return q._replace(kind=GRADIENT["a" if q.of.role == "data" else q.kind])


def can_nudge(trace: Trace, q: Quantity) -> bool:
    """Whether q is a parameter or an input with a gradient."""
    if q.of.again or not (q.of.role == "parameter" or q.kind == "x"):
        return False
    try:
        return bool(np.isfinite(trace.value(gradient_of(q)))) and trace.stop is None
    except KeyError:
        return False


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
        found = [one for one in self.checked if not (one.tiny or one.corner)]
        return max(found, key=lambda one: one.error, default=None)

    @property
    def tiny(self) -> int:
        """How many gradients are too small to be measured."""
        return sum(one.tiny and one.agrees for one in self.checked)

    @property
    def corners(self) -> int:
        """How many stand at a corner of the loss."""
        return sum(one.corner and not one.tiny for one in self.checked)

    @property
    def differ(self) -> tuple[Difference, ...]:
        """Those that backpropagation has otherwise."""
        return tuple(one for one in self.checked if not (one.agrees or one.corner))


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


def checkable(trace: Trace) -> Iterator[tuple[Name, Array]]:
    """Kind, layer and array of all parameters that learn, from the first layer on, and of the
    inputs.
    """
    for layer in range(1, trace.network.depth + 1):
        for kind in ("w", "b"):
            if (GRADIENT[kind], layer) in trace:
                yield (kind, layer), trace.arrays[kind, layer]
    if (GRADIENT["a"], 0) in trace:
        yield ("x", 0), trace.x


def check(trace: Trace, most: int, h: float = STEP) -> Check:
    """Every gradient against its central difference; of more than `most` an even selection of each
    array.
    """
    nudger, arrays = Nudger(trace), list(checkable(trace))
    total = sum(array.size for _, array in arrays)
    done, found = 0, []
    for (kind, layer), array in arrays:
        share = array.size if total <= most else max(2, most * array.size // total)
        places = np.unique(np.linspace(0, array.size - 1, min(share, array.size)).astype(int))
        differences = []
        for place in places.tolist():
            budget.foresee(done, min(total, most))
            differences.append(_looked_at(nudger, _at(kind, layer, array, place, trace.samples), h))
            done += 1
        found.append(ArrayCheck((kind, layer), tuple(differences), array.size))
    return Check(h, tuple(found))


def _looked_at(nudger: Nudger, q: Quantity, h: float) -> Difference:
    """The difference; with a smaller step where a corner of the loss lies within the first."""
    first = found = nudger.central(q, h)
    for look in range(1, LOOKS):
        if found.agrees or (found.corner and look > 1):
            return found
        found = nudger.central(q, h / CLOSER**look)
    return found if found.agrees or found.corner else first


def _at(kind: str, layer: int, array: Array, place: int, samples: int) -> Quantity:
    """The quantity at a place of an array that is read row by row."""
    rows = np.unravel_index(place, array.shape)
    if kind == "x":
        return Quantity(kind, 0, int(rows[1]) + 1, 0, int(rows[0]) + 1 if samples > 1 else 0)
    return Quantity(kind, layer, *(int(at) + 1 for at in rows))


def by_steps(trace: Trace, q: Quantity, steps: Sequence[float]) -> tuple[Difference, ...]:
    """The same number moved by one step after the other."""
    nudger, found = Nudger(trace), []
    for h in steps:
        budget.check()
        found.append(nudger.central(q, h))
    return tuple(found)

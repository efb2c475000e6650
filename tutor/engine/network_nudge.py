"""Numbers of a network moved a little, and the loss measured.

    NetworkNudger(trace)                the loss with one number in place of another
    gradient_of(q)                      the name of the gradient of a parameter or an input

It is the loss on the data that is measured, for that is what the gradients belong to; a penalty has
a derivative of its own. Whatever is dropped stays dropped. The forward pass alone is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from tutor import budget
from tutor.engine.kinds import GRADIENT
from tutor.engine.lean import loss_function
from tutor.engine.network import Array
from tutor.engine.nudge import Nudger
from tutor.engine.program import Name, Program
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace


class NetworkNudger(Nudger):
    """The loss of a network with one number moved."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @cached_property
    def _program(self) -> Program:
        """From the inputs as they are, scaled or not."""
        return self.trace.network.program(self.trace.samples)

    @cached_property
    def _compute(self) -> Callable[..., tuple[Array, ...]]:
        return loss_function(self._program.plan)

    @cached_property
    def _arguments(self) -> list[object]:
        trace, program = self.trace, self._program
        knobs = [np.asarray(trace.knobs[name]) for name in program.knobs]
        arrays = [trace.arrays.get(name) for name in program.given]
        return [np.asarray(trace.eta), trace.scale, *knobs, *arrays]

    @property
    def here(self) -> float:
        return self._here

    @cached_property
    def _here(self) -> float:
        return self._loss(self._arguments)

    def _place(self, q: Quantity) -> int:
        """Which of the arguments has q."""
        first = 2 + len(self._program.knobs)
        return first + self._program.given.index((q.kind, q.layer))

    def _loss(self, arguments: Sequence[object]) -> float:
        (found,) = self._compute(*arguments)
        return float(found)

    def value(self, q: Quantity) -> float:
        return self.trace.value(q)

    def gradient(self, q: Quantity) -> float:
        return self.trace.value(gradient_of(q))

    def results(self, q: Quantity, values: Sequence[float]) -> list[float]:
        arguments, place, found = list(self._arguments), self._place(q), []
        for value in values:
            budget.check()
            array = np.array(self.trace.arrays[q.kind, q.layer])
            array[index(q)] = value
            arguments[place] = array
            found.append(self._loss(arguments))
        return found

    @property
    def stopped(self) -> bool:
        return self.trace.stop is not None

    def can(self, q: Quantity) -> bool:
        if q.of.again or not (q.of.role == "parameter" or q.kind == "x"):
            return False
        try:
            return bool(np.isfinite(self.gradient(q))) and not self.stopped
        except KeyError:
            return False

    def arrays(self) -> Iterator[tuple[Name, tuple[int, ...]]]:
        """Those of all parameters that learn, from the first layer on, and of the inputs."""
        trace = self.trace
        for layer in range(1, trace.network.depth + 1):
            for kind in ("w", "b"):
                if (GRADIENT[kind], layer) in trace:
                    yield (kind, layer), trace.arrays[kind, layer].shape
        if (GRADIENT["a"], 0) in trace:
            yield ("x", 0), trace.x.shape

    def at(self, name: Name, place: tuple[int, ...]) -> Quantity:
        kind, layer = name
        if kind == "x":
            return Quantity(kind, 0, place[1], 0, place[0] if self.trace.samples > 1 else 0)
        return Quantity(kind, layer, *place)

    def work(self, q: Quantity) -> int:
        return self.trace.network.parameters * self.trace.samples

    @property
    def most_work(self) -> int:
        return 2 * self.trace.network.parameters * self.trace.samples


def index(q: Quantity) -> tuple[int, ...]:
    """Where a quantity is in its array."""
    if q.of.per_sample:
        return max(q.sample, 1) - 1, q.i - 1
    return (q.i - 1, q.j - 1) if q.of.weights else (q.i - 1,)


def gradient_of(q: Quantity) -> Quantity:
    """The derivative of the loss with respect to a parameter or an input."""
    return q._replace(kind=GRADIENT["a" if q.of.role == "data" else q.kind])


def moved_for(gradient: Quantity) -> Quantity | None:
    """The parameter or input that a derivative of the loss is taken with respect to; None where it
    is a number in between.
    """
    if not gradient.of.derivative:
        return None
    q = gradient._replace(kind=gradient.of.by if gradient.layer else "x")
    q = q._replace(sample=0) if q.of.parameter else q
    return q if q.given else None

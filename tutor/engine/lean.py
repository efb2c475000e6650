"""Many iterations in a row, without what only a trace keeps: the same numbers bit for bit, about as
fast as a loop of NumPy written by hand.

    lean = Lean.of(training, state)    None where iterations need more than parameters and samples
    lean.step()                        the next iteration; False where numbers grow so large that
                                       each has to be looked at, and then nothing has happened
    lean.loss, lean.outputs, lean.norms(), lean.state()

It computes the definitions of the program that losses, outputs, gradients and updates are made of,
compiled to one function. What it leaves out are the verification pass, the derivative with respect
to the inputs, and the look at every number: as long as parameters and inputs are within a bound,
none can leave the range of float64. Tests compare it with a walk through the same iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isfinite, sqrt
from typing import Any

import numpy as np

from tutor.engine import code
from tutor.engine.dialects import Engine, python_name
from tutor.engine.kinds import AFTER, GRADIENT
from tutor.engine.network import Array, with_parameters
from tutor.engine.program import Definition, Name, Plan, Program, made_of
from tutor.engine.training import State, Training
from tutor.engine.tree import ratio

RANGE = 240.0
"""Powers of ten within which products along all layers stay."""
PLAIN = frozenset({"x", "y", "w", "b"})
"""What iterations may be computed from here."""


class Lean:
    """Where such a run is: the parameters, and what the last iteration made."""

    def __init__(self, training: Training, state: State, program: Program) -> None:
        x, y = training.x, training.y
        self._start, self.iteration = state, state.iteration
        network = state.network
        given: dict[Name, Array | None] = {("x", 0): x, ("y", 0): y}
        for number, layer in enumerate(network.layers, 1):
            given["w", number], given["b", number] = layer.weights, layer.biases
        self._names = program.given
        self._at = [n for n, name in enumerate(program.given) if name[0] in AFTER]
        self._arguments: list[Any] = [given[name] for name in program.given]
        self._before = self._arguments
        self._fixed = np.asarray(training.eta), network.scale(len(x))
        output = network.passed(network.depth)
        learned = tuple(program.given[n] for n in self._at)
        self._compute = _compiled(program.plan, output, learned)
        self._depth = network.depth
        self._bound = 10.0 ** (2 * RANGE / (network.depth + 1))
        self.loss, self.outputs = 0.0, y
        self._gradients: tuple[Array, ...] = ()

    @classmethod
    def of(cls, training: Training, state: State) -> Lean | None:
        """A run from a state on; None where that is not enough."""
        network = state.network
        x, y = training.batch(state)
        program = network.program(len(x))
        bound = 10.0 ** (RANGE / (network.depth + 1))
        fits = (
            x is training.x
            and y is training.y
            and not program.blocked
            and not getattr(program, "knobs", ())
            and all(kind in PLAIN for kind, _ in program.given)
            and all(p.train_weights and p.train_biases for p in network.layers)
            and float(np.abs(x).max()) < bound
        )
        return cls(training, state, program) if fits and not state.slots else None

    def step(self) -> bool:
        """Compute the next iteration. False, and nothing has happened, where its numbers come near
        the end of the range.
        """
        found = self._compute(*self._fixed, *self._arguments)
        loss, count = found[0], len(self._at)
        after = found[2 : 2 + count]
        if not isfinite(loss) or not all(np.vdot(new, new) < self._bound for new in after):
            return False
        self._before, self._arguments = self._arguments, list(self._arguments)
        for place, new in zip(self._at, after, strict=True):
            self._arguments[place] = new
        self.loss, self.outputs, self._gradients = float(loss), found[1], found[2 + count :]
        self.iteration += 1
        return True

    def norms(self) -> tuple[float, ...]:
        """The norm of the last iteration's gradient, layer by layer."""
        squares = [0.0] * self._depth
        for place, gradient in zip(self._at, self._gradients, strict=True):
            squares[self._names[place][1] - 1] += float(np.vdot(gradient, gradient))
        return tuple(map(sqrt, squares))

    def start(self) -> Callable[[], State]:
        """How to make the state that the last iteration started from."""
        arguments, iteration = self._before, self.iteration - 1
        return lambda: self._state(arguments, iteration)

    def state(self) -> State:
        """What the next iteration starts from."""
        return self._state(self._arguments, self.iteration)

    def _state(self, arguments: list[Any], iteration: int) -> State:
        network = self._start.network
        known = dict(zip(self._names, arguments, strict=True))
        layers = list(enumerate(network.layers, 1))
        weights = tuple(known["w", n] for n, _ in layers)
        biases = tuple(known.get(("b", n), layer.biases) for n, layer in layers)
        return State(with_parameters(network, weights, biases), iteration)


@lru_cache(maxsize=64)
def _compiled(plan: Plan, output: Name, learned: tuple[Name, ...]) -> Callable[..., Any]:
    """(eta, scale, *given) -> loss, outputs, new parameters, gradients"""
    program = Program.of(plan)
    after = [(AFTER[kind], layer) for kind, layer in learned]
    gradients = [(GRADIENT[kind], layer) for kind, layer in learned]
    wanted = [("loss", 0), output, *after, *gradients]
    dialect = Engine()
    made = ((python_name(*found.name), found.tree) for found in _needed(program, wanted))
    body = code.program_lines(made, dialect)
    answer = code.answered(python_name(*name) for name in wanted)
    arguments = ["eta", "scale", *(python_name(*name) for name in program.given)]
    function = code.defined("iteration", arguments, [*body, answer])
    scope = {name: np.asarray(value) for name, value in dialect.constants.items()}
    return code.compiled("iteration", [function], {"np": np, "ratio": ratio, **scope})


def _needed(program: Program, wanted: list[Name]) -> list[Definition]:
    """The definitions that something is made of, in their order."""
    needed, found = set(wanted), []
    for definition in reversed(program.definitions):
        if definition.name in needed:
            needed |= set(made_of(definition.tree))
            found.append(definition)
    return found[::-1]

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

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from math import isfinite, sqrt
from typing import Any

import numpy as np

from tutor.engine import code
from tutor.engine.dialects import Engine, python_name
from tutor.engine.kinds import AFTER, GRADIENT, KINDS
from tutor.engine.network import Array, Network, with_parameters, without_dropout
from tutor.engine.program import Name, Plan, Program, data_loss
from tutor.engine.trace import Progress, mask, prepared
from tutor.engine.training import State, Training
from tutor.engine.tree import ratio

RANGE = 240.0
"""Powers of ten within which products along all layers stay."""
HUGE = 1e300
"""Squares that an optimizer or a clipping adds up stay below this."""


class Lean:
    """Where such a run is: the parameters, and what the last iteration made."""

    def __init__(self, training: Training, state: State, program: Program) -> None:
        self._start, network = state, state.network
        x, self._next_y = training.batch(state)
        _, arguments = prepared(network, x, self._next_y, training.eta, state.progress)
        self._training, self.y = training, self._next_y
        self._before = self._now = (arguments, state.iteration)
        first = len(arguments) - len(program.given)
        places = list(enumerate(program.given, first))
        self._names = dict(places)
        self._at = [n for n, (kind, _) in places if kind in AFTER]
        self._slots = [n for n, (kind, _) in places if KINDS[kind].earlier]
        self._masks = [(n, layer) for n, (kind, layer) in places if KINDS[kind].role == "mask"]
        self._counter = [n for n, knob in enumerate(program.knobs, 2) if knob == "t"]
        output = network.passed(network.depth)
        learned, slots = (tuple(self._names[n] for n in at) for at in (self._at, self._slots))
        self._compute = _compiled(program.plan, output, learned, slots)
        self._depth, self._clips = network.depth, bool(network.rule.clip)
        self._bound = 10.0 ** (2 * RANGE / (network.depth + 1))
        self._data = [place for name in ("x", "y") for place, one in places if one == (name, 0)]
        self.loss, self.outputs = 0.0, self.y
        self._gradients: tuple[Array, ...] = ()

    @classmethod
    def of(cls, training: Training, state: State) -> Lean | None:
        """A run from a state on; None where that is not enough."""
        network = state.network
        batches = training.batches
        program = network.program(batches.each)
        bound = 10.0 ** (RANGE / (network.depth + 1))
        fits = (
            batches.samples % batches.each == 0  # otherwise the last one of an epoch is smaller
            and not program.blocked
            and all(p.train_weights and p.train_biases for p in network.layers)
            and float(np.abs(training.x).max()) < bound
        )
        return cls(training, state, program) if fits else None

    def step(self) -> bool:
        """Compute the next iteration. False, and nothing has happened, where its numbers come near
        the end of the range.
        """
        before, iteration = self._now
        found = self._compute(*before)
        loss, count = found[0], len(self._at)
        after, gradients = found[2 : 2 + count], found[2 + count : 2 + 2 * count]
        slots = found[2 + 2 * count :]
        if not isfinite(loss) or not all(np.vdot(new, new) < self._bound for new in after):
            return False
        if not all(
            np.vdot(new, new) < HUGE for new in (*slots, *(gradients if self._clips else ()))
        ):
            return False
        arguments = list(before)
        for place, new in zip((*self._at, *self._slots), (*after, *slots), strict=True):
            arguments[place] = new
        self.loss, self.outputs, self._gradients = float(loss), found[1], gradients
        self.y = self._next_y
        self._draw(arguments, iteration + 1)
        self._before, self._now = self._now, (arguments, iteration + 1)
        return True

    def _draw(self, arguments: list[Any], iteration: int) -> None:
        """What is another one in each iteration: its batch, its number, which units are dropped."""
        if not self._training.batches.full:
            x, self._next_y = self._training.batch(replace(self._start, iteration=iteration))
            for place, array in zip(self._data, (x, self._next_y), strict=True):
                arguments[place] = array
        for place in self._counter:
            arguments[place] = np.asarray(float(iteration))
        if not self._masks:
            return
        network, progress = self._start.network, Progress(iteration, seed=self._start.seed)
        for place, layer in self._masks:
            shape, share = arguments[place].shape, network.layer(layer).dropout
            arguments[place] = mask(share, shape, progress, layer)

    @property
    def iteration(self) -> int:
        """Which iteration comes next."""
        return self._now[1]

    def norms(self) -> tuple[float, ...]:
        """The norm of the last iteration's gradient, layer by layer."""
        squares = [0.0] * self._depth
        for place, gradient in zip(self._at, self._gradients, strict=True):
            squares[self._names[place][1] - 1] += float(np.vdot(gradient, gradient))
        return tuple(map(sqrt, squares))

    def start(self) -> Callable[[], State]:
        """How to make the state that the last iteration started from."""
        arguments, iteration = self._before
        return lambda: self._state(arguments, iteration)

    def state(self) -> State:
        """What the next iteration starts from."""
        return self._state(*self._now)

    def _state(self, arguments: list[Any], iteration: int) -> State:
        network = self._start.network
        known = {name: arguments[place] for place, name in self._names.items()}
        layers = list(enumerate(network.layers, 1))
        weights = tuple(known["w", n] for n, _ in layers)
        biases = tuple(known.get(("b", n), layer.biases) for n, layer in layers)
        slots = {self._names[place]: arguments[place] for place in self._slots}
        return replace(
            self._start,
            network=with_parameters(network, weights, biases),
            iteration=iteration,
            slots=slots,
        )


@lru_cache(maxsize=64)
def _compiled(
    plan: Plan, output: Name, learned: tuple[Name, ...], slots: tuple[Name, ...]
) -> Callable[..., Any]:
    """(eta, scale, *knobs, *given) -> loss, outputs, new parameters, gradients, new slots"""
    program = Program.of(plan)
    after = [(AFTER[kind], layer) for kind, layer in learned]
    gradients = [(GRADIENT[kind], layer) for kind, layer in learned]
    memory = [(KINDS[kind].now, layer) for kind, layer in slots]
    wanted = [("loss", 0), output, *after, *gradients, *memory]
    return _function(program, wanted)


def _function(program: Program, wanted: list[Name]) -> Callable[..., Any]:
    """A function of what a program is a function of, which gives some of its arrays."""
    dialect = Engine()
    made = ((python_name(*found.name), found.tree) for found in program.needed(wanted))
    body = code.program_lines(made, dialect)
    answer = code.answered(python_name(*name) for name in wanted)
    given = (*((knob, 0) for knob in program.knobs), *program.given)
    arguments = ["eta", "scale", *(python_name(*name) for name in given)]
    function = code.defined("iteration", arguments, [*body, answer])
    scope = {name: np.asarray(value) for name, value in dialect.constants.items()}
    return code.compiled("iteration", [function], {"np": np, "ratio": ratio, **scope})


# ---- the loss alone ----


def losses_of(network: Network, x: Array, y: Array) -> Callable[[Mapping[Name, Array]], float]:
    """The loss of a network on a set of samples, with other arrays in place of some of its own; the
    penalty left aside, and nothing dropped.
    """
    program, arguments = prepared(without_dropout(network), x, y, 0.0, Progress())
    first = len(arguments) - len(program.given)
    places = {name: n for n, name in enumerate(program.given, first)}
    compute = loss_function(program.plan)

    def loss(changed: Mapping[Name, Array]) -> float:
        taken = list(arguments)
        for name, array in changed.items():
            taken[places[name]] = array
        (found,) = compute(*taken)
        return float(found)

    return loss


def loss_and_outputs(network: Network, x: Array, y: Array) -> tuple[float, Array]:
    """The loss of a network on a set of samples, as `losses_of` has it, and what it answers."""
    used = without_dropout(network)
    program, arguments = prepared(used, x, y, 0.0, Progress())
    loss, found = loss_function(program.plan, used.passed(used.depth))(*arguments)
    return float(loss), found


@lru_cache(maxsize=64)
def loss_function(plan: Plan, *more: Name) -> Callable[..., Any]:
    """(eta, scale, *knobs, *given) -> (loss on the data, and more); what is beyond float64 is let
    through quietly, as in a trace.
    """
    program = Program.of(plan)
    compute: Callable[..., Any] = _function(program, [data_loss(program), *more])
    return np.errstate(all="ignore")(compute)

"""A training run: what one wants to know of each of many iterations, recorded on the way.

    run = Run(training)
    run.record(1000)            go on up to iteration 1000, or to the first number that is none
    run.losses                  the loss of each iteration
    run.points                  of some iterations, at most so many: gradient norms, accuracy
    run.look(40)                the same of any iteration that is recorded
    run.parameters(40)          the network that iteration 40 starts from
    looked(1000)                which iterations of a run of 1000 are looked at

A run can go on at any time from where it is, in pieces of any length, and its numbers are those of
stepping through, bit for bit. A short run has a point for each iteration; a long one leaves out
every second of them as often as it takes, but never the first and the last.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Generic, TypeVar

import numpy as np

from tutor import budget
from tutor.engine.kinds import FORWARD, LOSS
from tutor.engine.lean import Lean, loss_and_outputs, losses_of
from tutor.engine.network import Array, Network, with_parameters, without_dropout
from tutor.engine.quantity import Quantity
from tutor.engine.trace import EarlyEnd, Trace
from tutor.engine.trace import run as traced
from tutor.engine.training import State, Training

MOST_POINTS = 400
BYTES_OF_STATES = 8 * 2**20
"""So much of a run's networks is kept."""
LIGHT = 100_000
"""Parameters times samples up to which an iteration is so short that the clock is looked at only
now and then.
"""
PIECE = 16
"""Iterations between two looks at whether to go on."""
Item = TypeVar("Item")
Sets = Mapping[str, tuple[Array, Array]]


def always() -> bool:
    """Go on without an end."""
    return True


def looked(last: int, most: int = MOST_POINTS) -> list[int]:
    """The iterations that are looked at of a run that ends with iteration `last`: the first, every
    so many from there, at most `most` of them, and the last.
    """
    every = 1
    while -(-last // every) > most:
        every *= 2
    return sorted({*range(1, last + 1, every), last})


class Thinned(Generic[Item]):
    """Something of every so many iterations, from the first on; when it is full, every second is
    left out. `spare` are those of a run that has gone a little further than its end.
    """

    def __init__(self, most: int, spare: int = 0) -> None:
        self.most, self.spare, self.every = max(2, most), spare, 1
        self.kept: dict[int, Item] = {}

    def wants(self, iteration: int) -> bool:
        """Whether this iteration is one of them."""
        return (iteration - 1) % self.every == 0

    def add(self, iteration: int, item: Item) -> None:
        """Keep what belongs to an iteration."""
        self.kept[iteration] = item
        if len(self.kept) > self.most + self.spare:
            self.every *= 2
            self.kept = {n: kept for n, kept in self.kept.items() if self.wants(n)}


@dataclass(frozen=True, slots=True)
class Measured:
    """How a network does on samples that it does not learn from; nothing is dropped."""

    loss: float
    """The penalty left aside."""
    accuracy: float | None
    """None where targets are no classes."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is recorded of an iteration beside its loss."""

    norms: tuple[float, ...]
    """The norm of the gradient of each layer, weights and biases together."""
    accuracy: float | None
    """The share of the samples that are classified right, before the update."""
    others: tuple[Measured, ...]
    """How it does on each of the other sets."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why no iteration follows: the iteration that cannot be finished, and its first bad number."""

    iteration: int
    why: EarlyEnd
    trace: Trace


@dataclass(frozen=True, slots=True)
class Goal:
    """When a run has reached what it is for; None where that does not matter."""

    loss_below: float | None = None
    change_below: float | None = None
    accuracy: float | None = None
    own: bool = False
    """Or where the training stops by itself."""

    def __bool__(self) -> bool:
        return self != Goal()

    @property
    def set(self) -> bool:
        """Whether there is more than the training's own stop."""
        return (self.loss_below, self.change_below, self.accuracy) != (None, None, None)


class Run:
    """What is recorded of a training. Not for several threads at once."""

    def __init__(
        self,
        training: Training,
        classified: Callable[[Array, Array], float] | None = None,
        others: Sets | None = None,
    ) -> None:
        """`classified` is the accuracy of outputs (M, K) for targets (M, K), where targets are
        classes.
        """
        self.training, self.classified, self.others = training, classified, dict(others or {})
        self.losses = array("d")
        self.accuracies = array("d")
        self.points: Thinned[Point] = Thinned(MOST_POINTS, PIECE)
        self.ending: Ending | None = None
        self._next = self._last = training.at(1)
        self._lean = Lean.of(training, self._next)
        parameters = self._next.network.parameters
        size = 8 * max(1, parameters) + 4096
        most = min(MOST_POINTS, BYTES_OF_STATES // size)
        self.states: Thinned[Callable[[], State]] = Thinned(most, min(PIECE, most // PIECE))
        """What some iterations start from; made when it is asked for."""
        self._patience = 1 if len(training.x) * parameters > LIGHT else 8

    @property
    def length(self) -> int:
        """How many iterations are recorded."""
        return len(self.losses)

    @property
    def quick(self) -> bool:
        """Whether it goes on without traces."""
        return self._lean is not None

    def epochs(self, values: Sequence[float]) -> tuple[list[int], list[float]]:
        """The last iteration of each epoch, and the mean over its iterations of values that there
        is one of for each iteration from the first; nothing where each iteration is an epoch.
        """
        each = self.training.batches.per_epoch
        means = self._means(values).tolist() if each > 1 else []
        return [n * each for n in range(1, len(means) + 1)], means

    @np.errstate(all="ignore")
    def _means(self, values: Sequence[float]) -> Array:
        """The mean over each whole epoch of values that begin with one."""
        each = self.training.batches.per_epoch
        whole = len(values) // each
        epochs = np.array(values[: whole * each]).reshape(whole, each)
        return np.asarray(epochs.mean(axis=1))

    @property
    def depth(self) -> int:
        """How many layers the network has."""
        return self._next.network.depth

    @np.errstate(all="ignore")
    def record(
        self, last: int, go_on: Callable[[], bool] = always, goal: Goal | None = None
    ) -> None:
        """Go on up to iteration `last`, as long as `go_on` says so; less far where a goal is
        reached or the run ends.
        """
        since = 1
        while self.length < last and self.ending is None:
            if goal and self.reached(goal, since) is not None:
                return
            since = max(1, self.length)
            piece = min(PIECE, last - self.length)
            for n in range(piece):
                if self.length and n % self._patience == 0 and not go_on():
                    return
                if not self._recorded():
                    return

    def _recorded(self) -> bool:
        """Record the next iteration. Whether another one follows."""
        if self._lean is not None:
            if self._lean.step():
                self._take_lean(self._lean)
                return True
            self._next, self._last, self._lean = *self._recent(), None
        state = self._next
        trace, after = self.training.step(state)
        if self._taken(state, trace):
            self._next, self._last = after, state
            self.training.keep(after)
            return True
        return False

    def _take_lean(self, lean: Lean) -> None:
        n = lean.iteration - 1
        self.losses.append(lean.loss)
        if self.classified is not None:
            self.accuracies.append(self.classified(lean.outputs, lean.y))
        if self.states.wants(n):
            self.states.add(n, lean.start())
        if self.points.wants(n):
            others = self.measured(lean.start()().network) if self.others else ()
            self.points.add(n, Point(lean.norms(), self._accuracy(n), others))
        if self.training.keeps(lean.iteration):
            self.training.keep(lean.state())

    def measured(self, network: Network) -> tuple[Measured, ...]:
        """How a network does on each of the other sets."""
        return tuple(measured(network, x, y, self.classified) for x, y in self.others.values())

    def _accuracy(self, iteration: int) -> float | None:
        return self.accuracies[iteration - 1] if self.classified is not None else None

    def _taken(self, state: State, trace: Trace) -> bool:
        """Record an iteration. Whether another one follows."""
        n, stop = state.iteration, trace.stop
        if stop is not None and trace.stop_phase in {FORWARD, LOSS} and n > 1:
            # the iteration before could not be verified, so it is the one that is not finished
            before, _ = self.training.step(self.training.at(n - 1))
            self.ending = Ending(n - 1, before.stop or stop, before)
            return False
        if isfinite(trace.loss):
            self.losses.append(trace.loss)
            if self.classified is not None:
                self.accuracies.append(self.classified(trace.outputs, trace.y))
            if self.states.wants(n):
                self.states.add(n, lambda: state)
            if self.points.wants(n):
                self.points.add(n, self._point(state, trace))
        if stop is not None:
            self.ending = Ending(n, stop, trace)
        return stop is None

    def _point(self, state: State, trace: Trace) -> Point:
        return Point(
            tuple(norm(trace, layer) for layer in range(1, self.depth + 1)),
            self._accuracy(state.iteration),
            self.measured(state.network),
        )

    @np.errstate(all="ignore")
    def look(self, iteration: int) -> Point:
        """What is known of a recorded iteration beside its loss, also where it is not kept."""
        known = self.points.kept.get(iteration)
        if known is not None:
            return known
        state = self.state(iteration)
        trace, _ = self.training.step(state)
        return self._point(state, trace)

    @np.errstate(all="ignore")
    def reached(self, goal: Goal, since: int = 1) -> int | None:
        """The first recorded iteration, from `since` on, that meets a goal. Losses of different
        batches cannot be compared, so only the last iteration of an epoch does, by the means over
        the epoch.
        """
        each = self.training.batches.per_epoch
        first = -(-since // each) - 1
        start = max(0, first - 1)
        losses = self._means(self.losses[start * each :])
        met = np.zeros(len(losses), dtype=bool)
        if goal.loss_below is not None:
            met |= losses < goal.loss_below
        if goal.change_below is not None:
            met[1:] |= np.abs(np.diff(losses)) < goal.change_below
        if goal.accuracy is not None and self.classified is not None:
            met |= self._means(self.accuracies[start * each :]) >= goal.accuracy
        if goal.own:
            met |= self._stops(start)
        met[: first - start] = False
        return (start + int(met.argmax()) + 1) * each if met.any() else None

    def _stops(self, start: int) -> Array:
        """With which recorded epochs, from `start` on counted from 0, the training stops by
        itself.
        """
        batches, stop = self.training.batches, self.training.stop
        each = batches.per_epoch
        ends = range((start + 1) * each, self.length + 1, each)
        return np.array(
            [stop.reached(self.losses[max(0, n - 2 * each) : n], batches) for n in ends], dtype=bool
        )

    def state(self, iteration: int) -> State:
        """What a recorded iteration starts from, or the one after the last."""
        for known in self._recent():
            if iteration == known.iteration:
                return known
        kept = dict(self.states.kept)
        state = kept[max(n for n in kept if n <= iteration)]()
        while state.iteration < iteration:
            budget.check()
            state = self.training.advance(state)
        return state

    def _recent(self) -> tuple[State, State]:
        """What the next iteration starts from, and what the last one started from."""
        lean = self._lean
        return (lean.state(), lean.start()()) if lean is not None else (self._next, self._last)

    def parameters(self, iteration: int) -> Network:
        """The network that an iteration starts from."""
        return self.state(iteration).network


def norm(trace: Trace, layer: int) -> float:
    """The Euclidean norm of the gradient of a layer's weights and biases; 0 if all are frozen."""
    parts = (trace.get((kind, layer)) for kind in ("dL/dw", "dL/db"))
    return sqrt(sum(float(np.vdot(part, part)) for part in parts if part is not None))


@np.errstate(all="ignore")
def outputs(network: Network, x: Array, like: Array) -> Array:
    """What a network answers to inputs x (M, N); `like` are targets of its training."""
    return loss_and_outputs(network, x, np.zeros((len(x), like.shape[1])))[1]


@np.errstate(all="ignore")
def passed_to_output(network: Network, x: Array, like: Array) -> Array:
    """What the layer before the output passes on for inputs x (M, N): (M, units)."""
    targets = np.zeros((len(x), like.shape[1]))
    return traced(without_dropout(network), x, targets, 0.0).passed(network.depth - 1)


@np.errstate(all="ignore")
def activations(network: Network, x: Array, like: Array) -> tuple[Array, ...]:
    """What every layer makes of inputs x (M, N), layer by layer: (M, units)."""
    targets = np.zeros((len(x), like.shape[1]))
    trace = traced(without_dropout(network), x, targets, 0.0)
    return tuple(trace["a", number] for number in range(1, network.depth + 1))


@dataclass(frozen=True, slots=True)
class LayerSizes:
    """How large the numbers of a layer are over a set of samples."""

    spread: float
    """The standard deviation of its activations."""
    signal: float
    """The Euclidean norm of its error signals, all samples together."""
    gradient: float | None
    """The same of the gradients of its weights and biases; None if all are frozen."""


@np.errstate(all="ignore")
def layer_sizes(network: Network, x: Array, y: Array) -> tuple[LayerSizes, ...]:
    """The sizes of every layer, from the first to the output; nothing is dropped, and a penalty is
    left aside. Empty where one of the numbers is not finite, or where no error comes back.
    """
    trace = traced(without_dropout(network), x, y, 0.0)
    if not trace.finite or trace.blocked:
        return ()
    found = []
    for number, layer in enumerate(network.layers, 1):
        signals = trace["dL/dz", number]
        learns = layer.train_weights or layer.learns_biases
        found.append(
            LayerSizes(
                float(trace["a", number].std()),
                sqrt(float(np.vdot(signals, signals))),
                norm(trace, number) if learns else None,
            )
        )
    return tuple(found)


def losses_of_first(network: Network, x: Array, y: Array) -> tuple[float, ...]:
    """The loss with none, one, two … of the units before the output layer, up to all of them; the
    weights of the others into the output layer count as 0.
    """
    loss, weights = losses_of(network, x, y), network.layers[-1].weights
    units = np.arange(weights.shape[1])
    return tuple(
        loss({("w", network.depth): np.where(units < n, weights, 0.0)})
        for n in range(len(units) + 1)
    )


def loss_on(network: Network, x: Array, y: Array) -> float:
    """The loss of a network on a set of samples, the penalty left aside."""
    return losses_of(network, x, y)({})


def measured(
    network: Network, x: Array, y: Array, classified: Callable[[Array, Array], float] | None
) -> Measured:
    """How a network does on a set of samples; `classified` is the accuracy, as a run has it."""
    if classified is None:
        return Measured(loss_on(network, x, y), None)
    loss, found = loss_and_outputs(network, x, y)
    return Measured(loss, classified(found, y))


# ---- which targets are classes ----


def accuracy_of(network: Network, y: Array) -> Callable[[Array, Array], float] | None:
    """How to count right answers, where the targets of several samples are classes; else None.

    The largest output of a softmax; a sigmoid above ½; the sign of an output for targets −1 and 1.
    """
    if len(y) < 2:
        return None
    rule = network.layers[-1].activation
    values = set(np.unique(y).tolist())
    if rule.full_jacobian:
        return largest_output if values <= {0.0, 1.0} and bool((y.sum(axis=1) == 1).all()) else None
    if values <= {0.0, 1.0} and (rule.name in {"sigmoid", "step"} or network.loss.fused_with):
        return above_half
    if values <= {-1.0, 1.0} and rule.name in {"tanh", "sign", "identity"}:
        return same_signs
    return None


def largest_output(found: Array, y: Array) -> float:
    """Right where the largest output is that of the target 1."""
    return float(np.mean(found.argmax(axis=1) == y.argmax(axis=1)))


def above_half(found: Array, y: Array) -> float:
    """Right where every output is on the side of ½ that its target is on."""
    right = (found > 0.5) == (y > 0.5)
    return np.count_nonzero(right if right.shape[1] == 1 else right.all(axis=1)) / len(y)


def same_signs(found: Array, y: Array) -> float:
    """Right where every output has the sign of its target."""
    right = (found > 0.0) == (y > 0.0)
    return np.count_nonzero(right if right.shape[1] == 1 else right.all(axis=1)) / len(y)


# ---- single parameters, and the loss over two of them ----


def parameter_names(network: Network) -> Iterator[Quantity]:
    """All weights and biases that learn, layer by layer."""
    for number, layer in enumerate(network.layers, 1):
        units, inputs = layer.weights.shape
        if layer.train_weights:
            for i in range(1, units + 1):
                yield from (Quantity("w", number, i, j) for j in range(1, inputs + 1))
        if layer.learns_biases:
            yield from (Quantity("b", number, i) for i in range(1, units + 1))


def learning(network: Network) -> int:
    """How many parameters learn."""
    return sum(
        layer.weights.size * layer.train_weights + layer.units * layer.learns_biases
        for layer in network.layers
    )


@np.errstate(all="ignore")
def movers(before: Network, after: Network, most: int) -> list[Quantity]:
    """The parameters that differ most between two networks, in the order of their names."""
    found: list[tuple[float, int, Quantity]] = []
    for number, (old, new) in enumerate(zip(before.layers, after.layers, strict=True), 1):
        for kind, a, b in (("w", old.weights, new.weights), ("b", old.biases, new.biases)):
            if a is None or b is None:
                continue
            way = np.nan_to_num(np.abs(b - a), nan=0.0, posinf=0.0)
            for at in np.argsort(-way, axis=None, kind="stable")[:most]:
                i, *j = (int(n) + 1 for n in np.unravel_index(at, way.shape))
                learns = old.train_weights if j else old.learns_biases
                if learns:
                    q = Quantity(kind, number, i, *j)
                    found.append((-float(way.flat[at]), len(found), q))
    largest = {q for _, _, q in sorted(found)[:most]}
    return sorted(largest, key=lambda q: (q.layer, q.kind == "b", q.i, q.j))


def value(network: Network, q: Quantity) -> float:
    """A weight or a bias of a network."""
    layer = network.layer(q.layer)
    if q.j:
        return float(layer.weights[q.i - 1, q.j - 1])
    return 0.0 if layer.biases is None else float(layer.biases[q.i - 1])


def with_values(network: Network, chosen: Mapping[Quantity, float]) -> Network:
    """The same network with other values of some weights and biases."""
    weights = [layer.weights for layer in network.layers]
    biases = [layer.biases for layer in network.layers]
    for q, number in chosen.items():
        if q.j:
            weights[q.layer - 1] = weights[q.layer - 1].copy()
            weights[q.layer - 1][q.i - 1, q.j - 1] = number
        elif (known := biases[q.layer - 1]) is not None:
            changed = known.copy()
            changed[q.i - 1] = number
            biases[q.layer - 1] = changed
    return with_parameters(network, tuple(weights), tuple(biases))


def surface(
    network: Network,
    x: Array,
    y: Array,
    chosen: tuple[Quantity, Quantity],
    across: Array,
    up: Array,
) -> Array:
    """The loss, (len(up), len(across)), where two parameters have other values and all the others
    stay as they are.
    """
    loss, (first, second) = losses_of(network, x, y), chosen
    arrays = {
        (q.kind, q.layer): np.array(layer.weights if q.j else layer.biases)
        for q in chosen
        for layer in (network.layer(q.layer),)
    }

    def at(a: float, b: float) -> float:
        budget.give_way()
        for q, number in ((first, a), (second, b)):
            arrays[q.kind, q.layer][(q.i - 1, q.j - 1) if q.j else q.i - 1] = number
        return loss(arrays)

    return np.array([[at(a, b) for a in across.tolist()] for b in up.tolist()])

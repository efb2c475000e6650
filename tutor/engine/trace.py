"""The trace: every number of one training iteration, computed once, kept, and never written to
again.

    run(network, x, y, eta) -> Trace
    advance(network, x, y, eta) -> Network      the update without verification, the same numbers
                                                bit for bit

A trace is a mapping from (kind, layer) to an array: `trace["z", 1]` has shape (M, units of layer
1), `trace["dL/dw", 2]` that of the weights. What was not computed is not there: behind a step or
sign function there is no backward pass. It is also the environment in which the trees of its
derivations are evaluated.

Non-finite numbers are let through here, quietly, and located afterwards: `trace.stop` is the first
bad quantity in the order of the walk, with the reason. One exception is not a stop: where an output
saturates, dL/da of a cross-entropy may be beyond float64 although dL/dz = a − y is not; backward
goes on by that shortcut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from tutor.engine.activations import softmax_jacobian
from tutor.engine.kinds import AFTER, KINDS
from tutor.engine.network import Network, frozen, with_parameters
from tutor.engine.order import FLAT, OVERFLOW, UNDEFINED, EarlyEnd, NumberOrder, first_bad
from tutor.engine.program import Name, Program
from tutor.engine.quantity import K, Quantity
from tutor.engine.tree import ArrayRef, Environment, Leaf, Value
from tutor.errors import NetworkError
from tutor.memo import Memo

__all__ = [
    "FLAT",
    "OVERFLOW",
    "UNDEFINED",
    "EarlyEnd",
    "Progress",
    "Trace",
    "advance",
    "prepared",
    "remembered",
    "run",
    "updated",
]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Trace(Mapping[Name, Array]):
    """All arrays of one iteration by kind and layer; `value` looks up one number by its name."""

    network: Network
    eta: float
    program: Program
    arrays: dict[Name, Array]
    finite: bool
    """Whether every number of the walk is finite, dL/da of a fused output layer left aside."""
    knobs: Mapping[str, float] = field(default_factory=dict)
    """The numbers of its rule by kind, and which iteration it is."""
    span: slice | None = None
    paper: int = 0
    """To how many decimals every number is rounded, as on paper; 0 where none is."""
    exact: Trace | None = None
    """The same at full precision, where every number is rounded."""
    _numbers: Memo = field(init=False, repr=False, default_factory=Memo)
    """Those that were looked up: a step asks for each of its numbers several times."""

    # ---- a mapping ----

    def __getitem__(self, name: Name) -> Array:
        try:
            return self.arrays[name]
        except KeyError:
            raise KeyError(f"{name[0]}[{name[1]}] is not part of this trace") from None

    def __iter__(self) -> Iterator[Name]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def array(self, kind: str, layer: int = 0) -> Array:
        """All of one kind in a layer: data (M, units), parameters (units, inputs) or (units,)."""
        return self["x" if kind in _ACTIVATIONS and not layer else kind, layer]

    @property
    def samples(self) -> int:
        """How many there are in the batch, M."""
        return len(self.x)

    @property
    def statistics(self) -> tuple[str, ...]:
        """The kinds of numbers that its inputs are scaled with; none where they are given."""
        scale = self.program.plan.scale
        return scale.statistics if scale else ()

    @property
    def scale(self) -> float:
        """The factor of each sample's loss in that of the batch: 1/M for a mean."""
        return self.network.scale(self.samples)

    def rows(self, leaf: ArrayRef) -> int:
        """How many rows an array has; that of a bias has one entry for each unit."""
        return len(self.array(leaf.kind, leaf.layer))

    def columns(self, leaf: ArrayRef) -> int:
        """How many columns, in two dimensions."""
        return int(self.array(leaf.kind, leaf.layer).shape[-1])

    @property
    def x(self) -> Array:
        """The inputs, (M, N)."""
        return self.arrays["x", 0]

    @property
    def y(self) -> Array:
        """The targets, (M, K)."""
        return self.arrays["y", 0]

    @property
    def outputs(self) -> Array:
        """What the network answers, (M, K)."""
        return self.arrays[self.network.passed(self.network.depth)]

    @property
    def loss(self) -> float:
        """The loss of the batch."""
        return float(self.arrays["loss", 0])

    @property
    def loss_new(self) -> float:
        """The loss after the update; not a number where there is none."""
        return float(self.arrays.get(("loss+", 0), np.nan))

    @property
    def blocked(self) -> int:
        """The layer whose activation has no derivative, or 0."""
        return self.program.blocked

    def written(self, value: float) -> float:
        """A number as it is carried on: as it is, but on paper."""
        return value

    def passed(self, layer: int, mark: str = "") -> Array:
        """What a layer passes on, before or (mark +) after the update: its activations, or what a
        skip makes of them.
        """
        return self[self.network.passed(layer, mark)]

    def sample_losses(self, kind: str) -> Array:
        """The loss of each sample by itself, for `loss` or `loss+`, shape (M,)."""
        return self[f"{kind}@", 0]

    # ---- one number ----

    def value(self, q: Quantity) -> float:
        """Look up one number. Raises KeyError where this trace does not have it."""
        found: float | None = self._numbers.get(q)
        if found is None:
            try:
                with np.errstate(all="ignore"):
                    found = self._numbers[q] = float(self._value(q))
            except IndexError:
                raise KeyError(f"{q} is not part of this trace") from None
        return found

    def _value(self, q: Quantity) -> Value:
        found = KINDS[q.kind]
        if found.role == "slope" and q.j:
            return self._jacobian_entry(q)
        if not found.axes:
            return self._scalar(q)
        if found.shared and q.sample:
            return self._share(q)
        array = self.array(q.kind, q.layer)
        row, i, j = self._at(max(q.sample, 1) if q.sample != K else K), self._at(q.i), self._at(q.j)
        if found.per_sample:
            return array[row, i]
        return array[i, j] if found.weights else array[i]

    def _at(self, index: int) -> Any:
        """A place from 0; the span where the index runs."""
        return self.span if index == K else index - 1

    def _scalar(self, q: Quantity) -> Value:
        if q.kind == "eta":
            return self.eta
        if q.of.role == "knob" and not q.layer:
            return np.float64(self.knobs[q.kind])
        if q.sample:
            return self.sample_losses(q.kind)[self._at(q.sample)]
        if q.kind == "(loss-loss+)/loss":
            drop = self["loss-loss+", 0]
            return drop / self.loss if self.loss else drop * np.inf if drop else 0.0
        return self[q.kind, q.layer]

    def _share(self, q: Quantity) -> Value:
        """The share of one sample in a gradient."""
        delta = self["dL/dz", q.layer][self._at(q.sample), self._at(q.i)]
        return delta * self.passed(q.layer - 1)[self._at(q.sample), self._at(q.j)] if q.j else delta

    def _jacobian_entry(self, q: Quantity) -> Value:
        if not self.network.layer(q.layer).activation.full_jacobian:
            raise KeyError(f"{q} is not part of this trace")
        a = self["a", q.layer][max(q.sample, 1) - 1]
        i, k = (np.arange(len(a))[self._at(index)] for index in (q.i, q.j))
        return a[i] * ((i == k) - a[k])

    def jacobian(self, layer: int, row: int) -> Array:
        """The softmax Jacobian ∂a/∂z (n, n) of one sample (row counts from 0), made on demand."""
        return softmax_jacobian(self["a", layer][row])

    # ---- an environment for trees ----

    def number(self, q: Quantity) -> Value:
        """The number of a leaf; an array of them where its index runs."""
        return np.float64(self.value(q)) if self.span is None else self._value(q)

    def matrix(self, leaf: ArrayRef) -> Value:
        """All of a kind in a layer, in two dimensions; that of a softmax's slopes is the Jacobian
        of one sample.
        """
        if (
            KINDS[leaf.kind].role == "slope"
            and self.network.layer(leaf.layer).activation.full_jacobian
        ):
            return self.jacobian(leaf.layer, max(leaf.sample, 1) - 1)
        array = (
            self.sample_losses(leaf.kind)[:, None]
            if not KINDS[leaf.kind].axes
            else self.array(leaf.kind, leaf.layer)
        )
        array = array[None, :] if array.ndim == 1 else array
        return array[leaf.sample - 1 : leaf.sample] if leaf.sample else array

    def share(self) -> Value:
        """The 1/M of a mean."""
        return np.float64(self.scale)

    def bound(self, span: slice) -> Environment:
        """The same numbers, where a running index goes over a span."""
        return replace(self, span=span)

    def holds(self, leaf: Leaf) -> bool:
        """Every number of a trace is what its tree gives."""
        return True

    def seen(self, value: Value) -> Value:
        """A constant as it is."""
        return value

    def noted(self, value: Value) -> Value:
        """A number with a name as it is."""
        return value

    # ---- where it ends early ----

    @property
    def stop(self) -> EarlyEnd | None:
        """The first quantity in walking order that is not a finite number or has no derivative."""
        return None if self.finite and not self.blocked else self._early_end

    @cached_property
    def _early_end(self) -> EarlyEnd | None:
        with np.errstate(all="ignore"):
            order = NumberOrder.of(self.network, self.samples, self.blocked)
            return first_bad(order, self._bad, self._value_or_none)

    @property
    def stop_phase(self) -> str:
        """The phase of the quantity that the walk stops at, or ""."""
        return "" if self.stop is None else self.stop.quantity.of.phase

    def _bad(self, kind: str, layer: int, samples: int) -> Array:
        """For each sample (one entry where `samples` is 0): a number of this kind cannot be had."""
        whole, found = np.zeros(max(samples, 1), dtype=bool), KINDS[kind]
        if found.role == "slope" and layer == self.blocked:
            return whole | True
        if (kind == "dL/da" and layer == self.fused_layer) or (
            found.role == "slope" and (kind, layer) not in self
        ):
            # stepped around, or entries of a Jacobian, which are products of finite numbers
            return whole
        if not found.axes:
            losses = self.sample_losses(kind) if samples else self._scalar(Quantity(kind, layer))
            return np.asarray(whole | ~np.isfinite(losses))
        if found.shared and samples:
            largest = np.abs(self["dL/dz", layer]).max(axis=1)
            below = np.abs(self.passed(layer - 1)).max(axis=1) if found.weights else 1.0
            return np.asarray(~np.isfinite(largest * below))
        finite = np.isfinite(self.array(kind, layer))
        return np.asarray(~finite.all(axis=1)) if found.per_sample else whole | (not finite.all())

    def _value_or_none(self, q: Quantity) -> float | None:
        """The value, 0 for what is beyond float64 but stepped around, None at an activation without
        derivative.
        """
        if q.of.role == "slope" and q.layer == self.blocked:
            return None
        return 0.0 if self.out_of_range(q) else self.value(q)

    @property
    def fused_layer(self) -> int:
        """The output layer's number where loss and activation have the shortcut a − y, else 0."""
        return self.network.depth if self.network.loss.fused_with else 0

    def out_of_range(self, q: Quantity) -> bool:
        """Whether q is the dL/da of a saturated output: beyond float64, and stepped around by the
        shortcut.
        """
        return (
            q.kind == "dL/da" and 0 < q.layer == self.fused_layer and not np.isfinite(self.value(q))
        )

    def goes_around(self, q: Quantity) -> bool:
        """Whether the error signal q has the shortcut alone, because a dL/da of its sample is
        beyond float64.
        """
        return (
            q.layer == self.fused_layer
            and not np.isfinite(self["dL/da", q.layer][max(q.sample, 1) - 1]).all()
        )

    def named(self, kind: str, layer: int) -> str:
        """The kind that a number goes by: layer 0's activations are `x`, and what is frozen is
        still `w`, not `w+`.
        """
        if not layer and kind in _ACTIVATIONS:
            return "x"
        found = KINDS[kind]
        return (
            kind
            if not (found.again and found.parameter) or (kind, layer) in self.program.by_name
            else found.before
        )


_ACTIVATIONS = frozenset({"a", AFTER["a"]})
"""Kinds that in layer 0 are the inputs."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training is: which iteration comes (from 1), what the optimizer remembers of those
    before it (nothing is 0), and the seed of what is dropped.
    """

    iteration: int = 1
    slots: Mapping[Name, Array] = field(default_factory=dict)
    seed: int = 0


START = Progress()


@np.errstate(all="ignore")
def run(network: Network, x: Array, y: Array, eta: float, progress: Progress = START) -> Trace:
    """Compute one iteration for inputs x (M, N) and targets y (M, K) with learning rate eta.

    Raises NetworkError where x or y do not fit the network: they would broadcast to numbers nobody
    meant.
    """
    program, arguments = prepared(network, frozen(x), frozen(y), eta, progress)
    arrays, finite = program.run(*arguments)
    knobs = {**network.rule.numbers, "t": float(progress.iteration)} if program.knobs else {}
    return Trace(network, eta, program, arrays, finite, knobs)


@np.errstate(all="ignore")
def advance(
    network: Network, x: Array, y: Array, eta: float, progress: Progress = START
) -> tuple[Network, Mapping[Name, Array]] | None:
    """The network after one update and what the optimizer remembers, without a trace and without
    the verification pass.

    None where some number on the way is none, or behind an activation without a derivative.
    """
    program, arguments = prepared(network, frozen(x), frozen(y), eta, progress)
    if program.blocked:
        return None
    arrays, finite = program.advance(*arguments)
    return (_with(network, arrays), remembered(network, arrays)) if finite else None


def remembered(network: Network, arrays: Mapping[Name, Array]) -> dict[Name, Array]:
    """What the next iteration takes over from the arrays of one."""
    return {
        (earlier, layer): arrays[now, layer]
        for parameter in ("w", "b")
        for earlier in network.rule.remembered(parameter)
        for now in (KINDS[earlier].now,)
        for layer in range(1, network.depth + 1)
        if (now, layer) in arrays
    }


def updated(trace: Trace) -> Network:
    """The network after the update, ready for the next iteration."""
    return _with(trace.network, trace.arrays)


def _with(network: Network, arrays: Mapping[Name, Array]) -> Network:
    layers = list(enumerate(network.layers, 1))
    weights = tuple(arrays.get(("w+", n), layer.weights) for n, layer in layers)
    return with_parameters(
        network, weights, tuple(arrays.get(("b+", n), layer.biases) for n, layer in layers)
    )


def prepared(
    network: Network, x: Array, y: Array, eta: float, progress: Progress
) -> tuple[Program, list[Any]]:
    """The program of a network, and what it is a function of: learning rate, factor of the mean,
    knobs, given arrays.
    """
    inputs, outputs = (len(x), network.sizes[0]), (len(x), network.sizes[-1])
    if not len(x) or x.shape != inputs or y.shape != outputs:
        raise NetworkError(
            f"a {network.shape} network does not take inputs of shape {x.shape} "
            f"with targets of shape {y.shape}"
        )
    given: dict[Name, Array | None] = {("x", 0): x, ("y", 0): y}
    for number, layer in enumerate(network.layers, 1):
        given["w", number], given["b", number] = layer.weights, layer.biases
        if layer.dropout:
            given["mask", number] = mask(layer.dropout, (len(x), layer.units), progress, number)
    for number, value in enumerate(network.rule.by_layer, 1):
        given["l2", number] = np.asarray(value)
    program = network.program(len(x))
    knobs = {**network.rule.numbers, "t": float(progress.iteration)}
    for name in program.given:
        if KINDS[name[0]].earlier:
            given[name] = progress.slots.get(name, _zeros(given, name))
    # As an array, eta need not be made one for each product
    numbers = (np.asarray(knobs[name]) for name in program.knobs)
    fixed = (np.asarray(eta), network.scale(len(x)), *numbers)
    return program, [*fixed, *map(given.get, program.given)]


def _zeros(given: Mapping[Name, Array | None], name: Name) -> Array:
    parameter = given[name[0][-1], name[1]]
    assert parameter is not None
    return frozen(np.zeros(parameter.shape))


def mask(dropout: float, shape: tuple[int, int], progress: Progress, layer: int) -> Array:
    """What activations are multiplied by: 0 where they are dropped, else 1 over the share that is
    kept, so that their sum stays about the same. The same for the same seed, iteration and layer.
    """
    random = np.random.default_rng([progress.seed, progress.iteration, layer])
    return frozen((random.random(shape) >= dropout) / (1.0 - dropout))

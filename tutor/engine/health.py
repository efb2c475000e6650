"""The health of the gradient: units that let none through, layers where it fades or grows too far.

    flow(trace)       -> LayerFlow for each layer, from the output down, as far as the trace has it
    findings(trace)   -> Finding for everything that would keep the network from learning

The one place that decides. Its limits have names here; a page only puts them into words. What is
found is true of this batch: with others a unit that is dead now may wake up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tutor.engine.activations import Activation
from tutor.engine.kinds import GRADIENT, SLOPE
from tutor.engine.network import Array
from tutor.engine.order import passed_back
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace

SIGNAL = GRADIENT["z"]

SATURATED = 0.05
"""A unit whose slope is below this share of the largest that its function has, for every sample of
the batch, is saturated: a sigmoid beyond about ±4.4, a tanh beyond about ±2.2. Functions with a
corner are not asked: their small slopes are meant.
"""
DEAD_BATCH = 4
"""With at least so many samples, a ReLU that is off for all of them is dead for this batch. With
fewer that is usual, unless the whole layer is off.
"""
VANISHED = 0.01
"""A layer whose largest error signal is below this share of the output layer's gets hardly any of
the gradient.
"""
EXPLODED = 10.0
"""A layer whose largest error signal is more than so many times the output layer's."""

SATURATES, DEAD, FADES, GROWS = "saturated", "dead", "vanishing", "exploding"


# ---- the size of the gradient in each layer ----


@dataclass(frozen=True, slots=True)
class LayerFlow:
    """One layer's part in the backward pass. None where it was not computed."""

    layer: int
    largest_slope: float | None
    """The largest size of da/dz in this layer."""
    bound: float | None
    """What that can be at most for this activation function."""
    size: float | None
    """The largest size of an error signal dL/dz of the layer."""
    factor: float | None
    """That size divided by the size in the layer above: below 1 the gradient fades, above 1 it
    grows.
    """
    weights: float | None = None
    """The part of the factor that the weights above have (with a skip connection: and that one)."""
    slope: float | None = None
    """The part of the factor that the slopes of the activation function have."""
    gradient: float | None = None
    """The root mean square of the gradients of its weights; None where they do not learn."""


def flow(trace: Trace) -> tuple[LayerFlow, ...]:
    """From the output layer down."""
    found: list[LayerFlow] = []
    above: float | None = None
    for layer in range(trace.network.depth, 0, -1):
        part = trace.network.layer(layer)
        signal, passed, slope = (
            _largest(trace, kind, layer) for kind in (SIGNAL, passed_back(part)[0], SLOPE)
        )
        inside = layer < trace.network.depth
        gradient = trace.get((GRADIENT["w"], layer))
        found.append(
            LayerFlow(
                layer, slope, part.activation.bound, signal, _over(signal, above),
                _over(passed, above), _over(signal, passed) if inside else None,
                None if gradient is None else _root_mean_square(gradient),
            )
        )  # fmt: skip
        above = signal
    return tuple(found)


def _largest(trace: Trace, kind: str, layer: int) -> float | None:
    array = trace.get((kind, layer))
    return None if array is None else float(np.abs(array).max())


def _root_mean_square(array: Array) -> float:
    """Of numbers whose squares may be beyond float64."""
    largest = float(np.abs(array).max())
    if not largest or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.mean((array / largest) ** 2)))


def _over(size: float | None, other: float | None) -> float | None:
    return size / other if size is not None and other else None


# ---- what is wrong with it ----


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that keeps a layer from learning, and the number that shows it."""

    what: str
    """saturated, dead, vanishing or exploding"""
    layer: int
    units: tuple[int, ...]
    """Of a finding about units those, else none."""
    of: int
    """How many units the layer has."""
    number: float
    """The largest slope of those units, or how many times the output layer's error signal this
    layer's is.
    """
    shown_by: Quantity
    """The number at which it can be seen: a slope, or the layer's largest error signal."""


def findings(trace: Trace) -> tuple[Finding, ...]:
    """What is wrong with the gradient, from the output down; nothing where it is healthy, and
    nothing where the walk ends early, which says so itself.
    """
    if trace.stop is not None:
        return ()
    return tuple(
        found
        for layer in range(trace.network.depth, 0, -1)
        for found in (*_units(trace, layer), *_travel(trace, layer))
    )


def _units(trace: Trace, layer: int) -> Iterator[Finding]:
    """Units of a layer that let no gradient through."""
    slopes = trace.get((SLOPE, layer))
    # at the output a cross-entropy goes around the slope
    if slopes is None or layer == trace.fused_layer:
        return
    rule, largest = trace.network.layer(layer).activation, np.abs(slopes).max(axis=0)
    dead = np.flatnonzero(largest == 0.0) if can_die(rule) else np.array([], dtype=int)
    if dead.size and (trace.samples >= DEAD_BATCH or dead.size == largest.size):
        yield _of_units(trace, DEAD, layer, dead, largest)
    if rule.bound and not rule.at_kink:
        flat = np.flatnonzero(largest < SATURATED * rule.bound)
        if flat.size:
            yield _of_units(trace, SATURATES, layer, flat, largest)


def can_die(rule: Activation) -> bool:
    """Whether the function is flat on one side, as a ReLU is."""
    z = np.array([-1.0, 1.0])
    if rule.full_jacobian:
        return False
    below, above = rule.derivative(z, rule.f(z)).tolist()
    return bool(below == 0.0 != above)


def _of_units(trace: Trace, what: str, layer: int, units: Array, largest: Array) -> Finding:
    first = int(units[0])
    sample = trace.samples if trace.samples > 1 else 0
    return Finding(
        what, layer, tuple(int(unit) + 1 for unit in units), largest.size,
        float(largest[units].max()), Quantity(SLOPE, layer, first + 1, 0, sample),
    )  # fmt: skip


def _travel(trace: Trace, layer: int) -> Iterator[Finding]:
    """A layer that gets too little or too much of the gradient."""
    here, top = trace.get((SIGNAL, layer)), _largest(trace, SIGNAL, trace.network.depth)
    if here is None or not top or layer == trace.network.depth:
        return
    sizes = np.abs(here)
    times = float(sizes.max()) / top
    what = FADES if times < VANISHED else GROWS if times > EXPLODED else ""
    if what:
        row, unit = np.unravel_index(int(sizes.argmax()), sizes.shape)
        sample = int(row) + 1 if trace.samples > 1 else 0
        q = Quantity(SIGNAL, layer, int(unit) + 1, 0, sample)
        yield Finding(what, layer, (), sizes.shape[1], times, q)

"""How the gradient travels: how large the error signals of each layer are, from the loss back, and
by which factor they shrink or grow from layer to layer.

flow(trace)                 -> LayerFlow for each layer, as far as the trace has it
flow_chart(context, step)   -> FlowChart, what the page shows of it at a step
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, floor, log10

import numpy as np

from tutor import number
from tutor.engine.kinds import BACKWARD, GRADIENT, SLOPE
from tutor.engine.order import passed_back
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson.titles import capital, heading, place
from tutor.lesson.walk import Step
from tutor.pages.context import Context

_SIGNAL = GRADIENT["z"]
FEW_DECIMALS = 4
"""Factors are there to be compared: more decimals would only make the table wide."""
DECADES = 2
"""Sizes that span so many powers of ten are drawn on a logarithmic scale."""


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


def flow(trace: Trace) -> tuple[LayerFlow, ...]:
    """From the output layer down."""
    found: list[LayerFlow] = []
    above: float | None = None
    for layer in range(trace.network.depth, 0, -1):
        part = trace.network.layer(layer)
        signal, passed, slope = (
            _largest(trace, kind, layer) for kind in (_SIGNAL, passed_back(part)[0], SLOPE)
        )
        inside = layer < trace.network.depth
        found.append(
            LayerFlow(
                layer, slope, part.activation.bound, signal, _over(signal, above),
                _over(passed, above), _over(signal, passed) if inside else None,
            )
        )  # fmt: skip
        above = signal
    return tuple(found)


def _largest(trace: Trace, kind: str, layer: int) -> float | None:
    array = trace.get((kind, layer))
    return None if array is None else float(np.abs(array).max())


def _over(size: float | None, other: float | None) -> float | None:
    return size / other if size is not None and other else None


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One layer of the chart; texts are "" where nothing is computed yet, or nothing is to say."""

    layer: str
    size: str
    bar: float | None
    """The length of the bar in percent of the scale."""
    factor: str
    weights: str
    slope: str


@dataclass(frozen=True, slots=True)
class FlowChart:
    """The sizes of a pass as bars, from the loss back."""

    signal: str
    """What is measured, such as ∂L/∂z."""
    rows: tuple[FlowRow, ...]
    scale: str
    """What the bars mean, in words."""
    lines: tuple[float, ...]
    """Where the powers of ten are on a logarithmic scale, in percent."""
    short: str
    """What has become of the gradient so far, in a few words."""
    about: str
    """Why it shrinks or grows."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From a size to the length of its bar: from 0, or from a power of ten to another."""

    low: float
    high: float
    logarithmic: bool

    def __call__(self, size: float) -> float:
        if not self.logarithmic:
            return 100 * size / self.high if self.high else 0.0
        return 100 * (log10(size) - self.low) / (self.high - self.low) if size else 0.0

    def words(self, decimals: int) -> str:
        """What its bars mean."""
        if self.logarithmic:
            return f"logarithmic scale from {_power(self.low)} to {_power(self.high)}"
        return f"scale from 0 to {number.shown(self.high, decimals)}"

    @property
    def lines(self) -> tuple[float, ...]:
        """The powers of ten between the ends; of very many none."""
        span = round(self.high - self.low) if self.logarithmic else 0
        return tuple(round(100 * n / span, 1) for n in range(1, span)) if span <= 20 else ()


def scale(sizes: Iterable[float]) -> Scale:
    """The scale for these sizes; the same at every step, so that no bar changes its length."""
    found = [size for size in sizes if size]
    if not found or max(found) / min(found) < 10**DECADES:
        return Scale(0, max(found, default=0.0), logarithmic=False)
    low = log10(min(found))
    return Scale(ceil(low) - 1 if low == ceil(low) else floor(low), ceil(log10(max(found))), True)


def flow_chart(context: Context, step: Step) -> FlowChart | None:
    """The chart at a step of the backward pass; None where there is one layer, so no way to go.
    Number by number it stands at the error signals.
    """
    by_number = context.view.grain == "number"
    if step.phase != BACKWARD or (by_number and step.anchor.kind != _SIGNAL):
        return None
    parts: tuple[LayerFlow, ...] = context.memo.once("flow", partial(flow, context.trace))
    if len(parts) < 2:
        return None
    bars = scale(part.size for part in parts if part.size is not None)
    done = [part for part in parts if part.size is not None and _reached(context, step, part.layer)]
    show = partial(number.shown, decimals=context.decimals)
    return FlowChart(
        heading(_SIGNAL).replace("L", context.notation.loss),
        tuple(_row(context, part, bars if part in done else None) for part in parts),
        bars.words(context.decimals),
        bars.lines,
        " → ".join(show(part.size) for part in (done[0], done[-1]) if part.size is not None)
        if len(done) > 1
        else "",
        _about(context, parts, done),
    )


def _reached(context: Context, step: Step, layer: int) -> bool:
    """Whether all error signals of a layer are computed: the last of them is."""
    samples = context.trace.samples
    units = context.trace.network.sizes[layer]
    return step.known(Quantity(_SIGNAL, layer, units, 0, samples if samples > 1 else 0))


def _row(context: Context, part: LayerFlow, bars: Scale | None) -> FlowRow:
    def shown(value: float | None, most: int = context.decimals) -> str:
        return "" if value is None or bars is None else number.shown(value, most)

    few = min(context.decimals, FEW_DECIMALS)

    return FlowRow(
        _name(context, part.layer),
        shown(part.size),
        round(bars(part.size), 1) if bars and part.size is not None else None,
        *(shown(factor, few) for factor in (part.factor, part.weights, part.slope)),
    )  # fmt: skip


def _name(context: Context, layer: int) -> str:
    return capital(place(context.trace.network, layer).removeprefix("the "))


def _power(exponent: float) -> str:
    return number.shown(10.0**exponent, 6) if -6 <= exponent <= 6 else f"1e{exponent:g}"


def _about(context: Context, parts: Sequence[LayerFlow], done: Sequence[LayerFlow]) -> str:
    """One or two sentences: where the factors come from, and what they have done."""
    first = (
        "On the way back the error signal is multiplied by the weights between two layers, then by "
        "the slope of the activation function."
    )
    if len(done) < len(parts):
        return f"{first} The backward pass has not reached the empty layers yet."
    start, end = done[0].size, done[-1].size
    if not start or not end or start == end:
        return first
    verb, ratio = ("grows", end / start) if end > start else ("shrinks", start / end)
    where = place(context.trace.network, done[-1].layer)
    times = number.shown(ratio, 1)
    said = f"{first} In total it {verb} by a factor of {times} on its way to {where}"
    bounds = {part.bound for part in parts[1:]}
    bound = bounds.pop() if len(bounds) == 1 else None
    small = verb == "shrinks" and bound is not None and bound < 1
    return f"{said}: here no slope can be larger than {bound:g}." if small else f"{said}."

"""How the gradient travels: how large the error signals of each layer are, from the loss back, and
by which factor they shrink or grow from layer to layer; and what is wrong with it.

    flow_chart(context, step)      -> FlowChart, what the page shows of it at a step
    health_at(context, step)       -> what is wrong where the step is
    health(context)                -> what is wrong in the whole lesson, worst first of each sort
    layer_health(context)          -> all of it, layer by layer

What counts as wrong, `tutor.engine.health` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, floor, isfinite, log10

from tutor import number
from tutor.draw import charts
from tutor.draw.charts import Chart, Key, Series
from tutor.engine.health import SIGNAL, Finding, LayerFlow, findings, flow
from tutor.engine.kinds import BACKWARD
from tutor.engine.quantity import Quantity
from tutor.lesson.health_words import HEALTHY, SCALE, sentence
from tutor.lesson.health_words import heading as wrong
from tutor.lesson.titles import capital, heading, place
from tutor.lesson.walk import Step
from tutor.notation.markup import Markup
from tutor.pages.cells import TextTable
from tutor.pages.context import Context

FEW_DECIMALS = 4
"""Factors are there to be compared: more decimals would only make the table wide."""
SIZES = (
    "Layer", "Largest slope", "most there is", "Largest error signal", "factor",
    "Gradient of the weights",
)  # fmt: skip
DECADES = 2
"""Sizes that span so many powers of ten are drawn on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One layer or node of the chart; texts are "" where nothing is computed yet, or nothing is to
    say.
    """

    name: Markup | str
    size: str
    bar: float | None
    """The length of the bar in percent of the scale."""
    factors: tuple[str, ...]
    """What the size above it was multiplied by, and the parts of that."""


@dataclass(frozen=True, slots=True)
class FlowChart:
    """The sizes of a pass as bars, from the loss back."""

    caption: str
    of: str
    """What a row is."""
    signal: str
    """What is measured, such as |∂L/∂z|."""
    heads: tuple[str, ...]
    """What the factors are called."""
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
        if not isfinite(size):
            return 100.0
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
    found = [size for size in sizes if size and isfinite(size)]
    if not found or max(found) / min(found) < 10**DECADES:
        return Scale(0, max(found, default=0.0), logarithmic=False)
    low = log10(min(found))
    return Scale(ceil(low) - 1 if low == ceil(low) else floor(low), ceil(log10(max(found))), True)


def flow_chart(context: Context, step: Step) -> FlowChart | None:
    """The chart at a step of the backward pass; None where there is one layer, so no way to go.
    Number by number it stands at the error signals.
    """
    by_number = context.view.grain == "number"
    if step.phase != BACKWARD or (by_number and step.anchor.kind != SIGNAL):
        return None
    parts: tuple[LayerFlow, ...] = context.memo.once("flow", partial(flow, context.trace))
    if len(parts) < 2:
        return None
    bars = scale(part.size for part in parts if part.size is not None)
    done = [part for part in parts if part.size is not None and _reached(context, step, part.layer)]
    show = partial(number.shown, decimals=context.decimals)
    return FlowChart(
        "Largest error signal of each layer, from the loss back",
        "Layer",
        f"|{heading(SIGNAL).replace('L', context.notation.loss)}|",
        ("factor", "= weights", "× slope"),
        tuple(_row(context, part, bars if part in done else None) for part in parts),
        bars.words(context.decimals),
        bars.lines,
        " → ".join(show(part.size) for part in (done[0], done[-1]) if part.size is not None)
        if len(done) > 1
        else "",
        _about(context, parts, done),
    )


@dataclass(frozen=True, slots=True)
class HealthNote:
    """Something that is wrong with the gradient."""

    heading: str
    text: str
    href: str
    """The step where it can be seen."""
    step: int


def health_at(context: Context, step: Step) -> tuple[HealthNote, ...]:
    """What is wrong with the gradient where the step is: at a slope, at the last error signal of a
    layer, or in the whole backward pass.
    """
    if step.phase != BACKWARD:
        return ()
    return tuple(_note(context, found) for found in _found(context) if _seen_at(step, found))


def _found(context: Context) -> tuple[Finding, ...]:
    found: tuple[Finding, ...] = context.memo.once("health", lambda: findings(context.trace))
    return found


def _seen_at(step: Step, found: Finding) -> bool:
    """Whether a step is the one at which something can be seen."""
    if len(step.stages) > 1:
        return True
    q, shown = step.anchor, found.shown_by
    if (q.kind, q.layer) != (shown.kind, shown.layer):
        return False
    if step.stages:
        return True
    if q.sample != (step.walk.trace.samples if q.sample else 0):
        return False
    return q.i in found.units if found.units else q.i == found.of


def _note(context: Context, found: Finding) -> HealthNote:
    place_of = context.step_of(found.shown_by)
    return HealthNote(
        wrong(found), sentence(context.trace, found), context.address(place_of), place_of
    )


def health(context: Context) -> tuple[HealthNote, ...]:
    """What is wrong in the whole lesson: of each sort the worst."""
    worst: dict[str, Finding] = {}
    for found in _found(context):
        worst[found.what] = found  # the layers below get what those above have left
    return tuple(_note(context, found) for found in worst.values())


@dataclass(frozen=True, slots=True)
class Health:
    """How large the gradient is in each layer, or at each node, and what is wrong with it."""

    chart: Markup | str
    """The sizes as lines, on a logarithmic scale; "" where there is nothing to compare."""
    legend: tuple[Key, ...]
    sizes: TextTable
    notes: tuple[HealthNote, ...]
    healthy: str
    """What is said where nothing is wrong."""
    limits: str
    """How it is decided what is wrong."""


def layer_health(context: Context) -> Health:
    """The health of the gradient of a lesson."""

    def shown(value: float | None) -> str:
        return "–" if value is None else number.shown(value, context.decimals)

    return Health(
        _size_chart(context),
        (
            Key("line-6", "largest error signal"),
            Key("line-2", "gradient of the weights, root mean square"),
        ),
        TextTable(
            "The size of the gradient in each layer, from the loss back", SIZES,
            tuple(
                (
                    _name(context, part.layer), shown(part.largest_slope), shown(part.bound),
                    shown(part.size), shown(part.factor), shown(part.gradient),
                )
                for part in flow(context.trace)
            ),
        ),
        health(context),
        HEALTHY,
        SCALE,
    )  # fmt: skip


def _size_chart(context: Context) -> Markup | str:
    """The largest error signal and the size of the weights' gradient in each layer; "" where there
    is one layer, or no backward pass.
    """
    parts = [part for part in flow(context.trace)[::-1] if part.size]
    if len(parts) < 2:
        return ""
    layers = [float(part.layer) for part in parts]
    gradients = [part for part in parts if part.gradient]
    return charts.draw(
        Chart(
            "sizes",
            "The size of the gradient in each layer",
            (
                Series("largest error signal", layers, [part.size or 0.0 for part in parts], 6),
                Series(
                    "gradient of the weights, root mean square",
                    [float(part.layer) for part in gradients],
                    [part.gradient or 0.0 for part in gradients],
                    2,
                ),
            ),
            "layer",
            "size",
            (layers[0], layers[-1]),
            logarithmic=True,
            whole=True,
        )
    )


def _reached(context: Context, step: Step, layer: int) -> bool:
    """Whether all error signals of a layer are computed: the last of them is."""
    samples = context.trace.samples
    units = context.trace.network.sizes[layer]
    return step.known(Quantity(SIGNAL, layer, units, 0, samples if samples > 1 else 0))


def _row(context: Context, part: LayerFlow, bars: Scale | None) -> FlowRow:
    def shown(value: float | None, most: int = context.decimals) -> str:
        return "" if value is None or bars is None else number.shown(value, most)

    few = min(context.decimals, FEW_DECIMALS)

    return FlowRow(
        _name(context, part.layer),
        shown(part.size),
        round(bars(part.size), 1) if bars and part.size is not None else None,
        tuple(shown(factor, few) for factor in (part.factor, part.weights, part.slope)),
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
    said = f"{first} {in_total(start, end, place(context.trace.network, done[-1].layer))}"
    bounds = {part.bound for part in parts[1:]}
    bound = bounds.pop() if len(bounds) == 1 else None
    small = end < start and bound is not None and bound < 1
    return f"{said}: here no slope can be larger than {bound:g}." if small else f"{said}."


def in_total(start: float, end: float, where: str) -> str:
    """What has become of a size on its way; a sentence without its full stop."""
    verb, ratio = ("grows", end / start) if end > start else ("shrinks", start / end)
    return f"In total it {verb} by a factor of {number.shown(ratio, 1)} on its way to {where}"

"""The check of all gradients of a lesson: backpropagation beside central differences.

    check_page(context, query, notices) -> CheckPage

A table for the arrays of the network with the worst error of each, and for one number the error
against h: too large an h misses how the loss bends, too small an h leaves only rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10

from tutor import limits, number
from tutor.draw import charts
from tutor.draw.charts import Chart, Key, Series
from tutor.engine.health import LayerFlow, flow
from tutor.engine.nudge import (
    AGREES,
    STEP,
    ArrayCheck,
    Check,
    Difference,
    by_steps,
    can_nudge,
    check,
)
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.lesson.given import named
from tutor.lesson.health_words import SCALE
from tutor.lesson.titles import capital, inside, place
from tutor.notation.markup import Markup
from tutor.number import counted
from tutor.pages.context import Context
from tutor.pages.gradient_flow import HealthNote, health, size_chart
from tutor.pages.network_answers import find
from tutor.pages.outline import Link
from tutor.pages.quantity_query import UnknownQuantity
from tutor.pages.what_if import Changed, changed

OF = "of"
NAMES = frozenset({OF})
"""What the address has beside the view: the number whose error is drawn against h."""
SHARE = 12
"""All checks together may cost this part of the work of a request."""
MOST, FEWEST = 500, 24
"""How many gradients are checked at most, and however large the network is."""
EXPONENTS = tuple(-n / 2 for n in range(2, 28))
"""The h of the plot: powers of ten from 0.1 down, two a decade."""
MOST_DIFFER = 12


@dataclass(frozen=True, slots=True)
class ArrayRow:
    """The gradients of one array."""

    symbol: Markup | str
    what: str
    checked: str
    """`6`, or `40 of 100,352`."""
    error: str
    """The worst relative error, or why there is none."""
    at: Link | None
    """The number that has it."""
    remark: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One h of the plot."""

    h: str
    slope: str
    error: str
    one_sided: str


@dataclass(frozen=True, slots=True)
class LayerRow:
    """How large the gradient is in a layer."""

    layer: str
    slope: str
    bound: str
    size: str
    factor: str
    gradient: str


@dataclass(frozen=True, slots=True)
class CheckPage:
    """Whether backpropagation computes the gradient of this lesson, and how one can tell."""

    title: str
    home: str
    verdict: str
    agrees: bool
    counted: str
    """How many of how many gradients were checked."""
    h: str
    rows: tuple[ArrayRow, ...]
    differ: tuple[Link, ...]
    """The numbers where the two differ."""
    about: str
    """The number that is drawn, in words."""
    symbol: Markup | str
    one: Link | None
    chart: Markup | str
    legend: tuple[Key, ...]
    best: str
    """Where the error is smallest, and why it grows on both sides."""
    steps: tuple[StepRow, ...]
    action: str
    hidden: tuple[tuple[str, str], ...]
    typed: str
    problem: str
    notices: tuple[str, ...]
    variant: str
    changed: Changed | None
    sizes: Markup | str
    """The size of the gradient in each layer, as lines; "" where there is one layer."""
    sizes_legend: tuple[Key, ...]
    layers: tuple[LayerRow, ...]
    health: tuple[HealthNote, ...]
    limits: str
    """How it is decided what is wrong."""
    stop: str
    """Why there is nothing to check, or ""."""


def most_checked(context: Context) -> int:
    """How many gradients a request may check."""
    work = context.trace.network.parameters * context.trace.samples
    return max(FEWEST, min(MOST, limits.WORK // SHARE // max(2 * work, 1)))


def check_page(
    context: Context,
    query: Mapping[str, str],
    hidden: tuple[tuple[str, str], ...],
    notices: tuple[str, ...] = (),
) -> CheckPage:
    """The page; the number whose error is drawn is that of the address, else the one with the
    largest gradient.
    """
    trace, view, lesson = context.trace, context.view, context.source.id
    found = Check(STEP, ()) if trace.stop is not None else check(trace, most_checked(context), STEP)
    typed, problem = query.get(OF, "").strip(), ""
    q = _largest(found)
    if typed:
        try:
            asked = find(context, typed)
        except UnknownQuantity as error:
            problem = error.description or ""
        else:
            q = asked if can_nudge(trace, asked) else q
            problem = "" if q == asked else "Choose a weight, a bias or an input."
    tried = by_steps(trace, q, [10.0**n for n in EXPONENTS]) if q is not None else ()
    return CheckPage(
        title=context.lesson.scenario.title,
        home=context.home,
        verdict=_verdict(found, trace.stop is not None),
        agrees=not found.differ,
        counted=_counted(found),
        h=f"{STEP:g}",
        rows=tuple(_row(context, one) for one in found.arrays),
        differ=tuple(_link(context, one.quantity) for one in found.differ[:MOST_DIFFER]),
        about="" if q is None else named(trace, q),
        symbol="" if q is None else context.line.quantity(q),
        one=None if q is None else _link(context, q),
        chart=_chart(tried) if tried else "",
        legend=(Key("line-1", "central difference"), Key("line-2", "one-sided difference")),
        best=_best(tried) if tried else "",
        steps=tuple(map(_step, tried)),
        action=view.check(lesson).partition("?")[0],
        hidden=hidden,
        typed=typed[:40],
        problem=problem,
        notices=notices,
        variant=context.variant,
        changed=changed(context, None),
        sizes=size_chart(context),
        sizes_legend=(
            Key("line-6", "largest error signal"),
            Key("line-2", "gradient of the weights, root mean square"),
        ),
        layers=tuple(_layer(context, part) for part in flow(trace)),
        health=health(context),
        limits=SCALE,
        stop="" if trace.stop is None else "The walk ends early, so not every gradient is there.",
    )


def _layer(context: Context, part: LayerFlow) -> LayerRow:
    def shown(value: float | None) -> str:
        return "–" if value is None else number.shown(value, context.decimals)

    return LayerRow(
        capital(place(context.trace.network, part.layer).removeprefix("the ")),
        shown(part.largest_slope), shown(part.bound), shown(part.size), shown(part.factor),
        shown(part.gradient),
    )  # fmt: skip


def _largest(found: Check) -> Quantity | None:
    """The number with the largest gradient of those that were checked."""
    every = [one for array in found.arrays for one in array.checked if not one.corner]
    largest = max(every, key=lambda one: abs(one.gradient), default=None)
    return None if largest is None else largest.quantity


def _link(context: Context, q: Quantity) -> Link:
    return Link(str(q), context.view.quantity(context.source.id, str(q)))


def _error(value: float) -> str:
    return f"{value:.1e}".replace("-", number.MINUS) if value else "0"


def _verdict(found: Check, stopped: bool) -> str:
    """What the check says."""
    if stopped:
        return "There is nothing to check."
    if found.differ:
        count = counted(len(found.differ), "gradient")
        return f"{count} of backpropagation differ from what is measured."
    worst = found.worst
    if worst is None:
        return "No gradient differs, but none is large enough to be measured."
    return (
        f"Backpropagation agrees with what is measured. The worst relative error is "
        f"{_error(worst.error)}, at {worst.quantity}; up to {_error(AGREES)} is what such a "
        "difference leaves."
    )


def _counted(found: Check) -> str:
    if found.checked == found.of:
        return f"All {found.of:,} gradients were checked."
    return (
        f"{found.checked:,} of {found.of:,} gradients were checked, an even selection of each "
        "array: each one takes two forward passes."
    )


def _row(context: Context, one: ArrayCheck) -> ArrayRow:
    kind, layer = one.name
    of, worst = one.checked[0].quantity.of, one.worst
    what = inside([Stage(of.phase, kind, layer)]) if layer else "inputs"
    where = f" of {place(context.trace.network, layer)}" if layer else ""
    count = len(one.checked)
    remarks = [f"{one.tiny:,} too small to be measured"] if one.tiny else []
    remarks += [f"{one.corners:,} at a corner of the loss"] if one.corners else []
    remarks += [f"{len(one.differ):,} differ"] if one.differ else []
    return ArrayRow(
        context.line.matrix(kind, layer),
        capital(f"{what}{where}"),
        f"{count:,}" if count == one.of else f"{count:,} of {one.of:,}",
        "–" if worst is None else _error(worst.error),
        None if worst is None else _link(context, worst.quantity),
        ", ".join(remarks),
    )


def _step(one: Difference) -> StepRow:
    return StepRow(
        _error(one.h),
        number.shown(one.slope, 10),
        _error(one.error),
        _error(one.one_sided_error),
    )


def _chart(tried: tuple[Difference, ...]) -> Markup:
    xs = [log10(one.h) for one in tried]
    return charts.draw(
        Chart(
            "error",
            "The relative error against h",
            (
                Series("central difference", xs, [one.error for one in tried], 1),
                Series("one-sided difference", xs, [one.one_sided_error for one in tried], 2),
            ),
            "power of ten of h",
            "relative error",
            (min(xs), max(xs)),
        )
    )


def _best(tried: tuple[Difference, ...]) -> str:
    best = min(tried, key=lambda one: one.error)
    return (
        f"The error is smallest at h = {_error(best.h)}. To the right it falls with the square of "
        "h (one-sided: with h), because a smaller step misses less of how the loss bends: that is "
        "truncation. To the left it grows as h shrinks, because the two losses agree in more and "
        "more of their 16 digits and their difference keeps the rest: that is rounding."
    )

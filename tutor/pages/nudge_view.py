"""Nudge it: the loss as a function of one parameter or input, and its gradient as a tangent.

    nudge_view(context, q, asked) -> NudgeView | None     None for what has no gradient of its own

What the tangent and the differences say is measured by moving the number, not derived.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import numpy as np

from tutor import limits, number
from tutor.draw import charts
from tutor.draw.charts import Chart, Series
from tutor.engine.nudge import STEP, Difference, Nudger
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson.changeable import written
from tutor.lesson.changes import edited
from tutor.lesson.given import changeable_name
from tutor.notation.markup import Markup
from tutor.pages.context import Context
from tutor.pages.quantity_query import Asked

POINTS = 41
FEWEST = 9
"""So many points a curve has, and at least."""
SHARE = 20
"""A curve may cost this part of the work of a request."""
DIGITS = 10
"""Losses that differ by little are told with so many decimals."""
STEPS = (1e-1, 1e-2, 1e-3, 1e-4, STEP, 1e-6, 1e-8, 1e-10, 1e-12)
"""The h to choose from."""
NOTCHES = 40
"""Into so many steps the window of the slider is divided."""


@dataclass(frozen=True, slots=True)
class NudgeView:
    """One number moved, and what the loss does."""

    chart: Markup | str
    """"" where the network is too large for a curve."""
    rows: tuple[tuple[str, str], ...]
    """What is measured and derived, and its number."""
    verdict: str
    agrees: bool
    steps: tuple[tuple[str, str, bool], ...]
    """The h to choose from: (value, text, chosen)."""
    low: str
    high: str
    step: str
    at: str
    """The slider's ends, its step, and where it stands."""
    moved: str
    """What the loss is there, and what the tangent says; "" where it has not been moved."""
    less: str
    more: str
    """The page with the number changed by a step of the chart; "" where it cannot be changed."""
    by: str
    """By how much."""
    action: str
    hidden: tuple[tuple[str, str], ...]
    check: str
    """The check of all gradients."""


def nudge_view(context: Context, q: Quantity, asked: Asked) -> NudgeView:
    """What the loss does where q, which can be nudged, is moved."""
    trace = context.trace
    nudger, view, lesson = Nudger(trace), context.view, context.source.id
    found = nudger.central(q, asked.h or STEP)
    low, high = _window(found.value)
    step = (high - low) / NOTCHES
    at = found.value if asked.at is None else min(max(asked.at, low), high)
    address = view.quantity(lesson, str(q), asked.step, map(str, asked.via))
    return NudgeView(
        chart=_chart(nudger, found, at, context),
        rows=_rows(found),
        verdict=_verdict(found),
        agrees=found.agrees,
        steps=tuple((f"{h:g}", f"{h:g}", h == found.h) for h in sorted({*STEPS, found.h})[::-1]),
        low=_plain(low),
        high=_plain(high),
        step=_plain(step),
        at=_plain(at),
        moved="" if asked.at is None else _moved(nudger, found, at),
        less=_changed(context, q, found.value - 2 * step, asked),
        more=_changed(context, q, found.value + 2 * step, asked),
        by=number.shown(2 * step, 6),
        action=address.partition("?")[0],
        hidden=tuple(parse_qsl(address.partition("?")[2])),
        check=view.check(lesson),
    )


def _window(value: float) -> tuple[float, float]:
    """From where to where the curve goes: as far as the number is large, and 1 at least."""
    reach = max(1.0, abs(value))
    return value - reach, value + reach


def _plain(value: float) -> str:
    """A number as a field of a form has it."""
    return number.short(float(f"{value:.10g}") + 0.0)


def _rows(found: Difference) -> tuple[tuple[str, str], ...]:
    def shown(value: float) -> str:
        return number.shown(value, DIGITS)

    return (
        ("loss with h less", shown(found.below)),
        ("loss with h more", shown(found.above)),
        ("central difference: their difference ÷ 2h", shown(found.slope)),
        ("gradient by backpropagation", shown(found.gradient)),
        ("relative error", f"{found.error:.2g}".replace("-", number.MINUS)),
    )


def _verdict(found: Difference) -> str:
    """What the comparison says."""
    if found.h > STEP and not found.agrees:
        return "The curve bends within h, so the two differ. A smaller h brings them together."
    if found.corner:
        return (
            "The loss has a corner within h of this value: the slopes to its left and right "
            "differ, and backpropagation takes one of them."
        )
    if found.tiny and found.agrees:
        return (
            "The gradient is so small that rounding hides it: float64 cannot tell the two losses "
            "apart well enough. A larger h may."
        )
    if found.agrees:
        return "Both ways agree as far as this h can tell."
    return "The two differ: with so small an h the rounding of the losses is all that is left."


def _moved(nudger: Nudger, found: Difference, at: float) -> str:
    there = nudger.loss(found.quantity, at)
    straight = found.here + found.gradient * (at - found.value)
    return (
        f"At {number.shown(at, 6)} the loss is {number.shown(there, 6)}; "
        f"the tangent says {number.shown(straight, 6)}."
    )


def _changed(context: Context, q: Quantity, value: float, asked: Asked) -> str:
    """The same page in the lesson with another value."""
    name = changeable_name(q, context.lesson)
    if not name or (q.of.role == "data" and context.source.data.scale is not None):
        return ""
    text = written(float(f"{value:.10g}") + 0.0)
    after, problems = edited(context.view.changes, {name: text}, context.source)
    if problems:
        return ""
    return replace(context.view, changes=after).quantity(context.source.id, str(q), asked.step)


def points(trace: Trace) -> int:
    """How many points of a curve a request may compute."""
    work = trace.network.parameters * trace.samples
    return min(POINTS, limits.WORK // SHARE // max(work, 1))


def _chart(nudger: Nudger, found: Difference, at: float, context: Context) -> Markup | str:
    count = points(nudger.trace)
    if count < FEWEST:
        return ""
    q, value, here = found.quantity, found.value, found.here
    low, high = _window(value)
    xs = np.linspace(low, high, count).tolist()
    ys = nudger.losses(q, xs)
    seen = [y for y in ys if np.isfinite(y)]
    bottom, top = min(seen, default=here), max(seen, default=here)
    room = 0.1 * (top - bottom) or 1.0
    ends = [_clipped(found, x, bottom - room, top + room) for x in (low, high)]
    marks = [Series("today", (value,), (here,), 1)]
    if at != value:
        marks.append(Series("moved", (at,), (nudger.loss(q, at),), 6))
    slope = number.shown(found.gradient, 6)
    name = str(q)
    return charts.draw(
        Chart(
            "nudge",
            f"The loss as a function of {name}",
            (
                Series("loss", xs, ys, 1),
                Series("tangent", [x for x, _ in ends], [y for _, y in ends], 2),
            ),
            name,
            context.notation.loss,
            (low, high),
            samples=tuple(marks),
            linear=True,
            words=(
                f"The loss for {name} from {number.shown(low)} to {number.shown(high)}: "
                f"lowest {number.shown(bottom, 6)}, highest {number.shown(top, 6)}. Today’s value "
                f"is {number.shown(value, 6)}, with the loss {number.shown(here, 6)}; the dashed "
                f"tangent there has the slope {slope}, which is the gradient."
            ),
        )
    )


def _clipped(found: Difference, x: float, bottom: float, top: float) -> tuple[float, float]:
    """The end of the tangent toward x, where it leaves the chart."""
    slope, x0, y0 = found.gradient, found.value, found.here
    y = y0 + slope * (x - x0)
    if bottom <= y <= top or not slope:
        return x, y
    edge = top if y > top else bottom
    return x0 + (edge - y0) / slope, edge

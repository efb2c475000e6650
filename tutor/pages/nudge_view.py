"""Nudge it: the result as a function of one number, and its gradient as a tangent.

    nudge_view(context, moved, q, asked) -> NudgeView

What the tangent and the differences say is measured by moving the number, not derived. What is
measured, and what it is called, is a `Moved`: the loss of a network, the value of a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

import numpy as np

from tutor import limits, number
from tutor.draw import charts
from tutor.draw.charts import Chart, Series
from tutor.engine.nudge import STEP, Difference, Nudger
from tutor.engine.quantity import Quantity
from tutor.lesson.changeable import written
from tutor.lesson.changes import Changes
from tutor.lesson.titles import capital
from tutor.notation.markup import Markup
from tutor.pages.context import AnyContext
from tutor.pages.quantity_query import Asked

POINTS = 41
FEWEST = 9
"""So many points a curve has, and at least."""
SHARE = 20
"""A curve may cost this part of the work of a request."""
DIGITS = 10
"""Slopes are told with so many decimals."""
STEPS = (1e-1, 1e-2, 1e-3, 1e-4, STEP, 1e-6, 1e-8, 1e-10, 1e-12)
"""The h to choose from."""
NOTCHES = 40
"""Into so many steps the window of the slider is divided."""
FAR = 10
"""A curve is cut where it is so many times as far from its middle as most of it."""
HUGE = 1e300
"""A curve is not drawn beyond this, for the ends of its scale would be beyond float64."""
ROUNDED = "Numbers rounded as on paper cannot be nudged; in full precision they can."
Run = tuple[list[float], list[float]]
"""A piece of a curve: x and y of its points."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What is measured where a number of a lesson is moved."""

    nudger: Nudger
    result: str
    """What the result is called: loss, f."""
    the: str
    """The same in a sentence: the loss, the result f."""
    results: str
    """Several of them: losses, values of f."""
    letter: str
    """What the axis of the chart says."""
    whole: str
    """What may be too large for a curve: network, formula."""
    choices: str
    """What can be moved: a weight, a bias or an input."""
    array: str
    """What the numbers belong to: an array, a value of the formula."""
    changed: Callable[[Quantity, str], Changes | None]
    """The changes of the reader with another text for a number; None where it cannot be changed."""


@dataclass(frozen=True, slots=True)
class NudgeView:
    """One number moved, and what the result does."""

    chart: Markup | str
    """"" where there is too much to compute for a curve."""
    no_chart: str
    """Why there is none."""
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
    """What the result is there, and what the tangent says; "" where it has not been moved."""
    less: str
    more: str
    """The page with the number changed by a step of the chart; "" where it cannot be changed."""
    by: str
    """By how much."""
    action: str
    hidden: tuple[tuple[str, str], ...]
    size_field: str
    at_field: str
    """What the form calls h and the place."""
    check: str
    """The check of all gradients."""


def nudge_view(context: AnyContext, moved: Moved, q: Quantity, asked: Asked) -> NudgeView:
    """What the result does where q, which can be nudged, is moved."""
    nudger, view, lesson = moved.nudger, context.view, context.source.id
    found = nudger.central(q, asked.h or STEP)
    low, high = _window(found.value)
    step = (high - low) / NOTCHES
    at = found.value if asked.at is None else min(max(asked.at, low), high)
    address = view.quantity(lesson, str(q), asked.step, map(str, asked.via))

    def changed(value: float) -> str:
        """The same page in the lesson with another value."""
        after = moved.changed(q, written(float(f"{value:.10g}") + 0.0))
        there = view if after is None else view.with_changes(after, context.source)
        return "" if after is None else there.quantity(lesson, str(q), asked.step)

    return NudgeView(
        chart=_chart(moved, found, at),
        no_chart=f"The {moved.whole} is too large for a curve; the two {moved.results} are below.",
        rows=_rows(moved, found),
        verdict=_verdict(moved, found),
        agrees=found.agrees or found.corner,
        steps=tuple((f"{h:g}", f"{h:g}", h == found.h) for h in sorted({*STEPS, found.h})[::-1]),
        low=_plain(low),
        high=_plain(high),
        step=_plain(step),
        at=_plain(at),
        moved="" if asked.at is None else _moved(moved, found, at),
        less=changed(found.value - 2 * step),
        more=changed(found.value + 2 * step),
        by=number.shown(2 * step, 6),
        action=address.partition("?")[0],
        hidden=tuple(parse_qsl(address.partition("?")[2])),
        size_field=view.asked.size,
        at_field=view.asked.at,
        check=view.check(lesson),
    )


def _window(value: float) -> tuple[float, float]:
    """From where to where the curve goes: as far as the number is large, and 1 at least."""
    reach = max(1.0, min(abs(value), HUGE))
    return value - reach, value + reach


def _plain(value: float) -> str:
    """A number as a field of a form has it."""
    return number.short(float(f"{value:.10g}") + 0.0)


def _shown(value: float) -> str:
    return number.shown(value, DIGITS) if np.isfinite(value) else "no value"


def _whole(value: float) -> str:
    if not np.isfinite(value):
        return "no value"
    return number.short(value + 0.0).replace("-", number.MINUS)


def _rows(moved: Moved, found: Difference) -> tuple[tuple[str, str], ...]:
    """The results have every digit: where they are close only the last ones differ."""
    here = ((f"{moved.result} as it is", _whole(found.here)),)
    sides = (
        ("slope to the left", _shown(found.from_left)),
        ("slope to the right", _shown(found.one_sided)),
    )
    return (
        (f"{moved.result} with h less", _whole(found.below)),
        *(here if found.corner else ()),
        (f"{moved.result} with h more", _whole(found.above)),
        *(sides if found.corner else ()),
        ("central difference: their difference ÷ 2h", _shown(found.slope)),
        ("gradient by backpropagation", _shown(found.gradient)),
        (
            "relative error",
            "–" if found.undefined else f"{found.error:.2g}".replace("-", number.MINUS),
        ),
    )


def _verdict(moved: Moved, found: Difference) -> str:
    """What the comparison says."""
    nudger, q = moved.nudger, found.quantity
    if found.undefined:
        sides = ((found.value - found.h, found.below), (found.value + found.h, found.above))
        at = next(x for x, y in sides if not np.isfinite(y))
        return f"{_no_value(moved, q, at)} So there is no central difference with this h."
    if found.corner and found.kinked:
        return (
            f"{capital(moved.the)} has a corner at exactly this value: {nudger.kink(q)}. The "
            f"slopes to its left and right differ; backpropagation takes {_shown(found.gradient)}."
        )
    if found.h > STEP and not found.agrees:
        return "The curve bends within h, so the two differ. A smaller h brings them together."
    if found.corner:
        return (
            f"{capital(moved.the)} has a corner within h of this value: the slopes to its "
            "left and right differ, and backpropagation takes one of them."
        )
    if found.flat:
        return f"Both ways give 0: moved by this h, {moved.the} stays the same in every digit."
    if found.tiny and found.agrees:
        return (
            "The gradient is so small that rounding hides it: float64 cannot tell the two "
            f"{moved.results} apart well enough. A larger h may."
        )
    if found.agrees:
        return "Both ways agree as far as this h can tell."
    return (
        f"The two differ: with so small an h the rounding of the {moved.results} is all that is "
        "left."
    )


def _no_value(moved: Moved, q: Quantity, at: float) -> str:
    """That there is no result where q has this value, and why."""
    why = moved.nudger.trouble(q, at)
    return f"At {_shown(at)} {moved.the} has no value{f': {why}' if why else ''}."


def _moved(moved: Moved, found: Difference, at: float) -> str:
    there = moved.nudger.result(found.quantity, at)
    straight = found.here + found.gradient * (at - found.value)
    tangent = f"the tangent says {number.shown(straight, 6)}."
    if not np.isfinite(there):
        return f"{_no_value(moved, found.quantity, at)} There {tangent}"
    return f"At {number.shown(at, 6)} {moved.the} is {number.shown(there, 6)}; {tangent}"


def points(nudger: Nudger, q: Quantity) -> int:
    """How many points of a curve a request may compute."""
    return min(POINTS, limits.WORK // SHARE // max(nudger.work(q), 1))


def _chart(moved: Moved, found: Difference, at: float) -> Markup | str:
    nudger, q, value, here = moved.nudger, found.quantity, found.value, found.here
    count = points(nudger, q)
    if count < FEWEST or max(abs(value), abs(here)) > HUGE:
        return ""
    low, high = _window(value)
    xs = np.linspace(low, high, count).tolist()
    ys = nudger.results(q, xs)
    lowest, highest = _seen(ys, here)
    runs = list(_runs(xs, ys, lowest, highest))
    bottom = min(min(y) for _, y in runs) if runs else here
    top = max(max(y) for _, y in runs) if runs else here
    room = 0.1 * (top - bottom) or 1.0
    ends = [_clipped(found, x, bottom - room, top + room) for x in (low, high)]
    marks = [Series("today", (value,), (here,), 1)]
    there = nudger.result(q, at)
    if at != value and lowest <= there <= highest:
        marks.append(Series("moved", (at,), (there,), 6))
    slope, name = number.shown(found.gradient, 6), str(q)
    title = f"{capital(moved.the)} as a function of {name}"
    return charts.draw(
        Chart(
            "nudge",
            title,
            (
                *(Series(moved.result, x, y, 1) for x, y in runs),
                Series("tangent", [x for x, _ in ends], [y for _, y in ends], 2),
            ),
            name,
            moved.letter,
            (low, high),
            samples=tuple(marks),
            linear=True,
            words=(
                f"{capital(moved.the)} for {name} from {number.shown(low)} to "
                f"{number.shown(high)}: lowest {number.shown(bottom, 6)}, highest "
                f"{number.shown(top, 6)}.{_left_out(xs, ys, lowest, highest)} Today’s value is "
                f"{number.shown(value, 6)}, with {moved.the} {number.shown(here, 6)}; the dashed "
                f"tangent there has the slope {slope}, which is the gradient."
            ),
        )
    )


def _seen(ys: list[float], here: float) -> tuple[float, float]:
    """From where to where a curve is drawn: all of it, unless a few points are so far away that
    nothing would be left of the rest.
    """
    finite = [y for y in ys if np.isfinite(y)] or [here]
    first, middle, last = np.quantile(finite, (0.1, 0.5, 0.9)).tolist()
    reach = FAR * (last - first)
    if not reach:
        lowest, highest = min(*finite, here), max(*finite, here)
    else:
        lowest, highest = min(middle - reach, here), max(middle + reach, here)
    return max(lowest, -HUGE), min(highest, HUGE)


def _runs(xs: list[float], ys: list[float], lowest: float, highest: float) -> Iterator[Run]:
    """The pieces of a curve between the places where it has no value or is cut."""
    run: Run = ([], [])
    for x, y in zip(xs, ys, strict=True):
        if lowest <= y <= highest:
            run[0].append(x)
            run[1].append(y)
        elif run[0]:
            yield run
            run = ([], [])
    if run[0]:
        yield run


def _left_out(xs: list[float], ys: list[float], lowest: float, highest: float) -> str:
    """Where the curve is not drawn, in words; "" where all of it is."""
    none = [x for x, y in zip(xs, ys, strict=True) if not np.isfinite(y)]
    cut = [x for x, y in zip(xs, ys, strict=True) if np.isfinite(y) and not lowest <= y <= highest]
    said = ""
    if none:
        said += f" It has no value {_between(none)}."
    if cut:
        said += f" It is too far away to be drawn {_between(cut)}."
    return said


def _between(xs: list[float]) -> str:
    if len(xs) == 1:
        return f"at {number.shown(xs[0])}"
    return f"at {len(xs)} points from {number.shown(xs[0])} to {number.shown(xs[-1])}"


def _clipped(found: Difference, x: float, bottom: float, top: float) -> tuple[float, float]:
    """The end of the tangent toward x, where it leaves the chart."""
    slope, x0, y0 = found.gradient, found.value, found.here
    y = y0 + slope * (x - x0)
    if bottom <= y <= top or not slope:
        return x, y
    edge = top if y > top else bottom
    return x0 + (edge - y0) / slope, edge

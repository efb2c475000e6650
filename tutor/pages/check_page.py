"""The check of all gradients of a lesson: backpropagation beside central differences.

    check_page(answers, find, query, hidden, notices) -> CheckPage

A table for the arrays of a network, or the values of a formula, with the worst error of each, and
for one number the error against h: too large an h misses how the curve bends, too small an h leaves
only rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import log10

from tutor import limits, number
from tutor.draw import charts
from tutor.draw.charts import Chart, Key, Series
from tutor.engine.nudge import AGREES, STEP, ArrayCheck, Check, Difference, Nudger, by_steps, check
from tutor.engine.quantity import Quantity
from tutor.notation.markup import Markup
from tutor.number import counted
from tutor.pages.context import AnyContext
from tutor.pages.gradient_flow import Health
from tutor.pages.outline import Link
from tutor.pages.quantity_page import Answers
from tutor.pages.quantity_query import UnknownQuantity
from tutor.pages.what_if import Changed

SHARE = 12
"""All checks together may cost this part of the work of a request."""
MOST, FEWEST = 500, 24
"""How many gradients are checked at most, and however large the network is."""
EXPONENTS = tuple(-n / 2 for n in range(2, 28))
"""The h of the plot: powers of ten from 0.1 down, two a decade."""
MOST_DIFFER = 12
CENTRAL, ONE_SIDED = "central difference", "one-sided difference"
BOTH = "central and one-sided difference, which are the same here"
EXACT = 1e-9
"""A relative error with h = 0.1 below which nothing of the curve was missed."""


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
class CheckPage:
    """Whether backpropagation computes the gradient of this lesson, and how one can tell."""

    results: str
    """What is computed twice: losses, values of f."""
    array: str
    """What a row is: an array of a network, a value of a formula."""
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
    field: str
    """What the form calls the number."""
    typed: str
    problem: str
    notices: tuple[str, ...]
    variant: str
    changed: Changed | None
    health: Health | None
    """The health of the gradient, layer by layer, where there are layers."""
    stop: str
    """Why there is nothing to check, or ""."""


def most_checked(nudger: Nudger) -> int:
    """How many gradients a request may check."""
    return max(FEWEST, min(MOST, limits.WORK // SHARE // max(nudger.most_work, 1)))


def check_page(
    answers: Answers,
    find: Callable[[AnyContext, str], Quantity],
    query: Mapping[str, str],
    hidden: tuple[tuple[str, str], ...],
    notices: tuple[str, ...] = (),
) -> CheckPage:
    """The page; the number whose error is drawn is that of the address, else the one with the
    largest gradient.
    """
    context, moved = answers.context, answers.moved
    nudger, view, lesson = moved.nudger, context.view, context.source.id
    stopped = nudger.stopped
    found = Check(STEP, ()) if stopped else check(nudger, most_checked(nudger), STEP)
    typed, problem = query.get(view.asked.of, "").strip(), ""
    q = _largest(found)
    if typed:
        try:
            asked = find(context, typed)
        except UnknownQuantity as error:
            problem = error.description or ""
        else:
            q = asked if nudger.can(asked) else q
            problem = "" if q == asked else f"Choose {moved.choices}."
    tried = () if q is None else by_steps(nudger, q, [10.0**n for n in EXPONENTS])
    tried = tuple(one for one in tried if not one.undefined)
    return CheckPage(
        results=moved.results,
        array=moved.array,
        title=context.lesson.scenario.title,
        home=context.home,
        verdict=_verdict(found, stopped),
        agrees=not found.differ,
        counted=_counted(found),
        h=f"{STEP:g}",
        rows=tuple(_row(answers, one) for one in found.arrays),
        differ=tuple(_link(context, one.quantity) for one in found.differ[:MOST_DIFFER]),
        about="" if q is None else answers.title(q),
        symbol="" if q is None else context.line.quantity(q),
        one=None if q is None else _link(context, q),
        chart=_chart(tried) if tried else "",
        legend=tuple(Key(f"line-{line.style}", line.name) for line in _lines(tried)),
        best=_best(tried, moved.results) if tried else "",
        steps=tuple(map(_step, tried)),
        action=view.check(lesson).partition("?")[0],
        hidden=hidden,
        field=view.asked.of,
        typed=typed[:40],
        problem=problem,
        notices=notices,
        variant=context.variant,
        changed=answers.changed(),
        health=answers.health(),
        stop="The walk ends early, so not every gradient is there." if stopped else "",
    )


def _largest(found: Check) -> Quantity | None:
    """The number with the largest gradient of those that were checked."""
    every = [one for array in found.arrays for one in array.checked if not one.corner]
    largest = max(every, key=lambda one: abs(one.gradient), default=None)
    return None if largest is None else largest.quantity


def _link(context: AnyContext, q: Quantity) -> Link:
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
    if found.of == 1:
        return "The only gradient was checked."
    if found.checked == found.of:
        return f"All {found.of:,} gradients were checked."
    return (
        f"{found.checked:,} of {found.of:,} gradients were checked, an even selection of each "
        "array: each one takes two forward passes."
    )


def _row(answers: Answers, one: ArrayCheck) -> ArrayRow:
    context, worst, count = answers.context, one.worst, len(one.checked)
    remarks = [f"{one.tiny:,} too small to be measured"] if one.tiny else []
    remarks += [f"{one.flat:,} where both ways give 0"] if one.flat else []
    remarks += [f"{one.corners:,} at a corner of {answers.moved.the}"] if one.corners else []
    remarks += [f"{one.undefined:,} with no value on one side"] if one.undefined else []
    remarks += [f"{len(one.differ):,} differ"] if one.differ else []
    return ArrayRow(
        *answers.array(one.name),
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


def _lines(tried: tuple[Difference, ...]) -> tuple[Series, ...]:
    """The errors of both sorts of difference, as one line where they are the same for every h."""
    xs = [log10(one.h) for one in tried]
    central = Series(CENTRAL, xs, [one.error for one in tried], 1)
    if _are_same(tried):
        return (replace(central, name=BOTH),)
    return central, Series(ONE_SIDED, xs, [one.one_sided_error for one in tried], 2)


def _are_same(tried: tuple[Difference, ...]) -> bool:
    """Whether both sorts of difference have the same error for every h, as the table shows it."""
    return all(_error(one.error) == _error(one.one_sided_error) for one in tried)


def _chart(tried: tuple[Difference, ...]) -> Markup:
    xs = [log10(one.h) for one in tried]
    return charts.draw(
        Chart(
            "error",
            "The relative error against h",
            _lines(tried),
            "power of ten of h",
            "relative error",
            (min(xs), max(xs)),
        )
    )


def _best(tried: tuple[Difference, ...], results: str) -> str:
    best, widest = min(tried, key=lambda one: one.error), max(tried, key=lambda one: one.h)
    if widest.kinked:
        return "The curve has a corner at this value, so no h brings the two together."
    if not any(one.error for one in tried):
        return "With each of these h both are the same."
    if widest.error < EXACT:
        exact = "a central difference is exact for straight lines and parabolas"
        if _are_same(tried):
            exact = (
                "the curve is straight here, and for a straight line both sorts of difference are "
                "exact and have the same error"
            )
        return (
            f"Here even a large h leaves no error but rounding, because {exact}. To the left the "
            f"error grows as h shrinks: the two {results} agree in more and more of their 16 "
            "digits, and their difference keeps "
            "the rest."
        )
    return (
        f"The error is smallest at h = {_error(best.h)}. To the right it falls with the square of "
        "h (one-sided: with h), because a smaller step misses less of how the curve bends: that is "
        f"truncation. To the left it grows as h shrinks, because the two {results} agree in more "
        "and more of their 16 digits and their difference keeps the rest: that is rounding."
    )

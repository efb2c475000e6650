"""A lesson as on paper beside the same at full precision: where the two drift apart, and how far.

paper_page(context, changed) -> PaperPage     of a context whose numbers are rounded
drift_line(context, step) -> str              the same for one step, in a sentence
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tutor import number
from tutor.engine.paper import digits_kept
from tutor.engine.quantity import Quantity
from tutor.lesson.by_hand import Drift, drift, drifts
from tutor.lesson.explain import PHASE_TITLES
from tutor.lesson.walk import AnyStep
from tutor.notation.markup import Markup
from tutor.pages.cells import TextTable
from tutor.pages.context import AnyContext
from tutor.pages.outline import Link
from tutor.pages.what_if import Changed

DIGITS = (2, 3, 4, 5, 6)
MOST_ROWS = 200
"""Of more numbers only those are listed that are furthest off."""
ABOUT = (
    "By hand one rounds every result and goes on with the rounded number. Each line below has a "
    "number as it comes out that way and at full precision. Where the last digits differ even from "
    "those of the full number rounded once, what was rounded before has come through."
)


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One number both ways."""

    step: str
    href: str
    symbol: Markup
    paper: str
    exact: str
    apart: str
    relative: str
    carried: bool
    """Whether rounding before this number has changed its last digits."""


@dataclass(frozen=True, slots=True)
class PaperPage:
    """How far a lesson as on paper drifts from full precision."""

    title: str
    home: Link
    digits: tuple[Link, ...]
    about: str
    summary: str
    first: str
    """Where rounding comes through for the first time, or ""."""
    phases: TextTable
    caption: str
    rows: tuple[DriftRow, ...]
    start: Link
    changed: Changed | None
    notices: tuple[str, ...]
    variant: str


def paper_page(
    context: AnyContext, changed: Changed | None = None, notices: tuple[str, ...] = ()
) -> PaperPage:
    """The comparison for a lesson whose numbers are rounded, with what of it a reader changed."""
    lesson, view = context.lesson, context.view
    id_, paper = lesson.scenario.id, lesson.trace.paper
    found = list(drifts(lesson))
    carried = [one for one in found if one.carried]
    listed = found
    caption = "Every number, in the order of the walk"
    if len(found) > MOST_ROWS:
        listed = sorted(found, key=lambda one: -one.relative)[:MOST_ROWS]
        caption = f"The {MOST_ROWS} numbers that are furthest off, the worst first"
    places = number.counted(paper, "decimal")
    return PaperPage(
        f"As on paper: {lesson.scenario.title}",
        Link(lesson.scenario.title, context.home),
        tuple(
            Link(number.counted(d, "decimal"), view.on_paper(id_, d), d == paper)
            for d in sorted({*DIGITS, paper})
        ),
        f"{ABOUT} {_rule(paper, places)}",
        _summary(found, len(carried), places),
        _first(context, carried),
        _phases(context, found),
        caption,
        tuple(_row(context, one) for one in listed),
        Link(f"Walk through the lesson with {places}", context.address(1)),
        changed,
        notices,
        context.variant,
    )


def _rule(paper: int, places: str) -> str:
    """How a number is rounded, as `by_hand` does it."""
    digits = number.counted(digits_kept(paper), "significant digit")
    return (
        f"A 5 rounds up. A small number keeps {digits}, even where that takes more than {places}."
    )


def _summary(found: list[Drift], carried: int, places: str) -> str:
    if not found:
        return "The walk ends at its first number, so there is nothing to compare."
    count = number.counted(len(found), "number")
    worst = max((one.relative for one in found if np.isfinite(one.relative)), default=0.0)
    return (
        f"{count}, each rounded to {places} and carried on. Of {carried:,} the last digits differ "
        f"from those of the full number. The largest relative difference is {_percent(worst)}."
    )


def _first(context: AnyContext, carried: list[Drift]) -> str:
    if not carried:
        return ""
    n = context.lesson.walk("number").place(carried[0].quantity)
    return f"Rounding first comes through at step {n}."


def _phases(context: AnyContext, found: Iterable[Drift]) -> TextTable:
    """How far the numbers of each phase are off."""
    rows, walk = [], context.lesson.walk("number")
    for phase, group in groupby(found, key=lambda one: walk.phase(walk.place(one.quantity))):
        those = list(group)
        worst = max((one.relative for one in those if np.isfinite(one.relative)), default=0.0)
        rows.append(
            (
                PHASE_TITLES[phase],
                f"{len(those):,}",
                f"{sum(one.carried for one in those):,}",
                _size(max(abs(one.apart) for one in those)),
                _percent(worst),
            )
        )
    columns = ("Phase", "Numbers", "Last digits differ", "Largest difference", "Relative")
    return TextTable("How far each phase is off", columns, tuple(rows))


def _row(context: AnyContext, one: Drift) -> DriftRow:
    n = context.lesson.walk("number").place(one.quantity)
    decimals = context.trace.paper + 3
    return DriftRow(
        f"step {n}",
        context.address(n),
        context.line.quantity(one.quantity),
        number.shown(one.paper, context.decimals),
        number.shown(one.exact, decimals),
        _size(one.apart),
        _percent(one.relative),
        one.carried,
    )


def _size(apart: float) -> str:
    """A difference, to two digits."""
    return number.shown(float(f"{apart:.2g}"), 10)


def _percent(share: float) -> str:
    """A relative difference, as a percentage."""
    if not np.isfinite(share):
        return "the number itself is 0"
    return f"{number.shown(float(f'{100 * share:.2g}'), 6)}%"


# ---- at a step ----


def drift_line(context: AnyContext, step: AnyStep) -> str:
    """How far what a step makes is from full precision; "" where nothing is rounded."""
    lesson = context.lesson
    if not lesson.trace.paper:
        return ""
    if not step.arrays:
        return _one(context, step.anchor)
    apart, share = 0.0, 0.0
    for name in step.arrays:
        if name in lesson.trace and name in lesson.exact:
            paper, exact = np.asarray(lesson.trace[name]), np.asarray(lesson.exact[name])
            with np.errstate(all="ignore"):
                gap = np.abs(paper - exact)
                shares = np.where(gap > 0, gap / np.abs(exact), 0.0)
            apart, share = max(apart, _most(gap)), max(share, _most(shares))
    if not apart:
        return "On paper these numbers are the same as at full precision."
    return (
        f"On paper: the numbers of this step are at most {_size(apart)} away from full "
        f"precision, or {_percent(share)} of a number."
    )


def _most(sizes: np.ndarray) -> float:
    """The largest of those that are numbers."""
    return float(sizes.max(initial=0.0, where=np.isfinite(sizes)))


def _one(context: AnyContext, q: Quantity) -> str:
    try:
        found = drift(context.lesson, q)
    except KeyError:
        return ""
    if not found.apart:
        return "On paper this number is the same as at full precision."
    exact = number.apart(found.exact, found.paper, context.trace.paper + 3)
    return (
        f"At full precision this number is {exact or number.exact(found.exact)}; on paper it is "
        f"{_size(abs(found.apart))} away, or {_percent(found.relative)}."
    )

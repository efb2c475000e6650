"""All paths of the chain rule from one number to the loss: each with its product, its route in the
diagram, and their sum beside what backpropagation computes.

    paths_page(context, name, chosen) -> PathsPage
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tutor import limits, number
from tutor.draw.diagram import Scene, drawing
from tutor.draw.routes import Route, with_routes
from tutor.engine import other_names
from tutor.engine.kinds import BACKWARD, GRADIENT, KINDS
from tutor.engine.paths import Cut, Path, Paths, paths
from tutor.engine.quantity import Quantity, parse
from tutor.engine.tree import Ref, evaluate, leaves
from tutor.engine.work import Work, work
from tutor.errors import LessonError, TutorError
from tutor.lesson.changeable import sizes
from tutor.lesson.explain import explain
from tutor.lesson.formula import FormulaLine
from tutor.lesson.titles import capital, place
from tutor.lesson.walk import NEVER, Step
from tutor.notation.markup import Markup
from tutor.notation.writer import NUMBERS
from tutor.pages.cells import GAP, TextTable, some
from tutor.pages.context import Context
from tutor.pages.number_links import AskBase, NumberLink, ask_base, number_link, number_links
from tutor.pages.outline import Link, numbered
from tutor.pages.what_if import Changed, changed
from tutor.scenario import names

FIRST = "w[1][1,1]"
"""A number of which every lesson has one."""
ABOUT = (
    "Every path from this number to the loss gives a product of local derivatives, one factor for "
    "each step of the computation. The derivative is the sum of these products."
)
AROUND = (
    "The output is so close to 0 or 1 that its own derivative is beyond float64, so the paths "
    "begin at the error signal, as the backward pass does."
)
COUNTED = (
    "Counted are multiplications by a local derivative for one sample, for the derivatives of the "
    "loss with respect to all weights and biases that learn, through all outputs. A bias and a "
    "skip connection add no factor; an activation always counts, even the identity with its 1."
)
WHY_NOT = (
    "Two paths that meet at a unit have the same way from there to the loss. Path by path that way "
    "is multiplied out again each time; backpropagation goes along it once and keeps the result, "
    "the error signal of the unit. Forward accumulation also goes along every edge only once, but "
    "has to start again for each weight and bias."
)
MOST_LINKS = 150
"""Factors that are listed path by path; more would make the page heavy."""
SUM_DIGITS = 8
"""At most so many more digits until a sum of shown numbers gives what is shown of the whole."""
LAST_DIGITS = 1e-10
"""Up to this share of the derivative two ways to compute it differ by the rounding of float64."""


@dataclass(frozen=True, slots=True)
class PathRow:
    """One path: its link, where it leads, its product and what that comes to."""

    n: int
    style: int
    """Which colour and dash its route has."""
    href: str
    chosen: bool
    stops: tuple[Markup, ...]
    lines: tuple[FormulaLine, ...]
    value: Markup
    factors: tuple[NumberLink, ...]
    """What the product is made of, to be asked about; empty where all paths have one list."""


@dataclass(frozen=True, slots=True)
class PathsPage:
    """How the loss depends on one number, path by path."""

    title: str
    whole: NumberLink
    """The derivative itself."""
    ask: AskBase
    about: str
    around: str
    """That the paths begin behind the outputs, or ""."""
    count: str
    """How many paths there are, how many of them are listed, which are left out."""
    diagram: Markup
    rows: tuple[PathRow, ...]
    factors: tuple[NumberLink, ...]
    """The factors of all products, each once, where the products have many."""
    one: bool
    """Whether one path is chosen."""
    all_href: str
    total: tuple[FormulaLine, ...]
    """The sum over the listed paths, where these are all, and the derivative."""
    difference: str
    """How far the sum is from backpropagation's derivative, in words."""
    cuts: TextTable | None
    work: TextTable | None
    """Nothing where there is no gradient to count."""
    counted: str
    why_not: str
    samples: tuple[Link, ...]
    form: str
    """Where the name of another number is sent."""
    name: str
    """The number that the paths lead from."""
    back: Link
    home: Link
    changed: Changed | None
    notices: tuple[str, ...]
    variant: str


def has_paths(step: Step) -> bool:
    """Whether a step makes a gradient for one sample, which can be written out along its paths."""
    q, alone = step.anchor, step.walk.trace.samples == 1
    single = step.walk.grain == "number" and (alone or q.sample > 0)
    return single and q.of.role == "gradient" and q.of.derivative


def derivative(context: Context, name: str) -> Quantity:
    """The derivative of the loss that the name of a number, or of a derivative, asks for; of
    several samples the first where it names none. Raises QuantityError or LessonError.
    """
    q = parse(name)
    if not q.of.derivative:
        kind = GRADIENT.get("a" if q.kind == "x" else q.kind)
        if kind is None or q.of.again:
            raise LessonError(
                f"no path leads from {q} to the loss; try a weight, a bias, an input or a unit"
            )
        q = q._replace(kind=kind)
    trace = context.trace
    if trace.samples > 1 and not q.sample:
        q = q._replace(sample=1)
    try:
        trace.value(q)
    except KeyError:
        raise LessonError(f"this lesson has no {q}") from None
    if q.sample > trace.samples:
        raise LessonError(f"this lesson has samples 1 to {trace.samples}")
    whole = q._replace(sample=0) if trace.samples == 1 or q.of.parameter else q
    if refused := names.refusal(
        str(whole), replace(sizes(context.lesson.scenario), samples=trace.samples)
    ):
        raise LessonError(refused)
    return q


def named_otherwise(context: Context, name: str) -> str:
    """Our name of a number with paths that is written otherwise: w1[1,2]; "" where there is none,
    or where it is ours already.
    """
    for ours in (name, other_names.in_network(name, context.trace.network.depth)):
        try:
            derivative(context, ours)
        except TutorError:
            continue
        return "" if ours == name else ours
    return ""


def paths_page(
    context: Context,
    q: Quantity,
    asked: int = 0,
    notices: tuple[str, ...] = (),
    here: str = "",
) -> PathsPage:
    """The paths of a derivative for one sample; `asked` is the number of the one to look at, 0 for
    all. `here`: the address of the page, where it has another than by its name.
    """
    trace, view, lesson = context.trace, context.view, context.lesson.scenario.id
    here = here or view.paths(lesson, str(q))
    found = paths(trace, q)
    listed = found.first(limits.PATHS_LISTED)
    if asked > len(listed):
        notices = (*notices, f"There is no path {asked} here; these are 1 to {len(listed)}.")
        asked = 0
    products = tuple(float(evaluate(path.tree, trace)) for path in listed)
    values = tuple(map(trace.written, products))
    factors, together = _factors(context, listed)
    rows = tuple(
        _row(context, here, n, path, product, factors[n - 1], chosen=n == asked)
        for n, (path, product) in enumerate(zip(listed, products, strict=True), 1)
    )
    step = context.lesson.walk("number").place(q)
    total = _total(context, found, values)
    return PathsPage(
        f"{explain(trace, q).title}: the whole chain, path by path",
        number_link(context, q),
        ask_base(context),
        ABOUT,
        AROUND if trace.goes_around(_signal(found)) else "",
        _count(found, len(listed)),
        _diagram(context, found, listed, asked),
        rows,
        together,
        asked > 0,
        here,
        total,
        _difference(context, found, values),
        _cuts(context, found),
        _work(context),
        COUNTED,
        WHY_NOT,
        _samples(context, q),
        view.paths(lesson),
        str(found.start),
        _back(context, step),
        Link(context.lesson.scenario.title, context.home),
        changed(context, min(max(step, 1), len(context.lesson.walk("number")))),
        notices,
        context.variant,
    )


def _signal(found: Paths) -> Quantity:
    return Quantity(GRADIENT["z"], found.trace.network.depth, 1, 0, found.q.sample)


def _back(context: Context, step: int) -> Link:
    if 0 < step < NEVER:
        address = replace(context.view, grain="number").address(context.lesson.scenario.id, step)
        return Link(f"Back to step {step}", address)
    return Link("Back to the lesson", context.home)


def _samples(context: Context, q: Quantity) -> tuple[Link, ...]:
    """The same derivative for each sample of a small batch."""
    lesson = context.lesson.scenario.id
    return numbered(
        context.trace.samples,
        q.sample,
        lambda s: context.view.paths(lesson, str(q._replace(sample=s))),
    )


def _count(found: Paths, listed: int) -> str:
    """How many paths there are, in words."""
    some_left = found.left_out
    if not found.count:
        said = "No path leads from here to an output on which the loss depends"
    elif found.count == 1:
        said = "There is 1 path"
    else:
        said = f"There are {found.count:,} paths"
    said += f"; the first {listed:,} are listed" if listed < found.count else ""
    if not some_left:
        return f"{said}."
    more = "1 more begins" if some_left == 1 else f"{some_left:,} more begin"
    count = "is" if some_left == 1 else "are"
    return f"{said}. {more} at an output whose derivative is exactly 0 and {count} left out."


def _row(
    context: Context,
    here: str,
    n: int,
    path: Path,
    product: float,
    factors: tuple[NumberLink, ...],
    *,
    chosen: bool,
) -> PathRow:
    value = context.trace.written(product)
    return PathRow(
        n,
        Route(n, path.stops, "").style,
        f"{here}{'&' if '?' in here else '?'}path={n}#path-{n}",
        chosen,
        tuple(context.line.quantity(stop) for stop in path.stops),
        context.formulas.product(path.tree),
        context.line.value(value, context.sign(product, value)),
        factors,
    )


def _factors(
    context: Context, listed: tuple[Path, ...]
) -> tuple[list[tuple[NumberLink, ...]], tuple[NumberLink, ...]]:
    """The links of each path; of many long paths, which share most of them, those of all in one."""
    each = [number_links(context, [path.tree]) for path in listed]
    if sum(map(len, each)) <= MOST_LINKS:
        return each, ()
    return [()] * len(each), number_links(context, [path.tree for path in listed])


def _total(context: Context, found: Paths, values: tuple[float, ...]) -> tuple[FormulaLine, ...]:
    """The sum written out where all paths are listed, and the derivative."""
    value = found.trace.value(found.q)
    if context.trace.paper and 0 < len(values) == found.count:
        typed = float(np.sum(values))
        value = context.trace.written(typed)
        shown = context.line.value(value, context.sign(typed, value))
    else:
        sign = "=" if number.is_exact(value, context.decimals) else "≈"
        shown = context.line.on(found.trace).tree(Ref(found.q), NUMBERS, sign)
    result = FormulaLine("result", shown)
    if len(values) < found.count or len(values) < 2:
        return (result,)
    decimals = context.decimals
    more = next((m for m in range(SUM_DIGITS) if _adds_up(values, value, decimals, m)), 0)
    return FormulaLine("numbers", context.line.total(values, "=", more)), result


def _adds_up(values: tuple[float, ...], value: float, decimals: int, more: int) -> bool:
    typed = sum(number.rounded(v, decimals, more) for v in values)
    return number.gives(typed, value, decimals)


def _difference(context: Context, found: Paths, values: tuple[float, ...]) -> str:
    """How far the paths, added up, are from the derivative of the backward pass."""
    value = found.trace.value(found.q)
    if len(values) < found.count:
        return (
            "Backpropagation computes this number without listing a path: "
            "below are the same paths, added up where they pass each layer."
        )
    total = context.trace.written(float(np.sum(values)))
    apart = abs(total - value)
    if apart and context.trace.paper:
        shown, off = (
            number.shown(context.trace.written(one), context.decimals) for one in (value, apart)
        )
        return (
            f"On paper backpropagation gives {shown}: it rounds other numbers on its way than "
            f"the paths do. The difference is {off}."
        )
    if apart == 0.0:
        return "Backpropagation computes the same number: the difference is 0."
    return (
        "Backpropagation computes the same number, up to the last digits of float64: "
        f"the difference is {number.shown(apart, context.decimals)}."
    )


# ---- the picture ----


def _diagram(context: Context, found: Paths, listed: tuple[Path, ...], asked: int) -> Markup:
    trace, q = found.trace, found.q
    used = (
        frozenset(leaf.quantity for leaf in leaves(listed[asked - 1].tree))
        if asked
        else frozenset()
    )
    place = context.lesson.walk("number").place

    def value(one: Quantity) -> float | None:
        known = KINDS[one.kind].again or KINDS[one.kind].ruled
        return None if known or place(one) == NEVER else context.fact(one)[1]

    drawn = drawing(
        Scene(
            trace.network, context.alphabet, context.decimals, value, used, frozenset({q}),
            BACKWARD, q.sample, f"The paths from {found.start} to the loss",
        )
    )  # fmt: skip
    routes = [Route(n, path.stops, f"Path {n}", n == asked) for n, path in enumerate(listed, 1)]
    return with_routes(drawn, trace.network, routes).svg


# ---- the tables ----


def _cuts(context: Context, found: Paths) -> TextTable | None:
    """The same derivative, added up where the paths pass each layer."""
    cuts = [cut for cut in found.cuts() if sum(cut.counts) + cut.count_aside > 0]
    if not cuts:
        return None
    skips = any(cut.count_aside for cut in cuts)
    aside = ("Paths round it", "What they add up to") if skips else ()
    columns = ("Layer", "Paths through its units", "What they add up to", *aside)
    rows = tuple(_cut_row(context, cut, skips=skips) for cut in cuts)
    caption = "The same paths, added up where they pass each layer"
    return TextTable(caption, (*columns, "All together"), rows)


def _cut_row(context: Context, cut: Cut, *, skips: bool) -> tuple[str, ...]:
    network, decimals = context.trace.network, context.decimals
    shown = some(len(cut.counts), (), 4)
    counts = ", ".join("…" if i == GAP else f"{cut.counts[i - 1]:,}" for i in shown)

    def said(value: float) -> str:
        return number.shown(context.trace.written(value), decimals)

    sums = ", ".join("…" if i == GAP else said(float(cut.shares[i - 1])) for i in shown)
    aside = (f"{cut.count_aside:,}", said(cut.aside)) if skips else ()
    where = capital(place(network, cut.layer))
    return where, counts, sums, *aside, said(cut.total)


def _work(context: Context) -> TextTable | None:
    """The multiplications for the whole gradient, counted three ways; None where a step or sign
    function ends it.
    """
    if context.trace.blocked:
        return None
    found: Work = work(context.trace.network)
    many = found.parameters
    passes = "1 pass" if many == 1 else f"{many:,} passes"
    rows = (
        ("Path by path", number.counted(found.paths, "path"), found.by_paths),
        ("Forward accumulation", passes, found.forward),
        ("Backpropagation", "1 pass", found.reverse),
    )
    return TextTable(
        "Multiplications for the only derivative of this network"
        if many == 1
        else f"Multiplications for all {many:,} derivatives of this network",
        ("Way", "What is gone through", "Multiplications"),
        tuple((name, what, f"{count:,}") for name, what, count in rows),
    )

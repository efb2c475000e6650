"""Both routes to the error signals of the outputs, side by side: through the full Jacobian, and
output minus target; and the algebra that leads from the one to the other.

    both_routes_page(context, sample, unit) -> BothRoutesPage
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tutor import number
from tutor.engine.cancelling import cancels, steps
from tutor.engine.derivation import derive
from tutor.engine.kinds import GRADIENT
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Node, evaluate
from tutor.errors import LessonError
from tutor.lesson.formula import FormulaLine
from tutor.notation.markup import Markup, trusted
from tutor.notation.writer import SYMBOLS
from tutor.pages.cells import GAP, TextTable, some
from tutor.pages.context import Context
from tutor.pages.number_links import AskBase, NumberLink, ask_base, number_link, number_links
from tutor.pages.outline import Link, numbered
from tutor.pages.what_if import Changed, changed

ABOUT = {
    True: (
        "A softmax with cross-entropy has two routes to the same error signals. One goes through "
        "the full Jacobian of the softmax and adds the contributions of all outputs; the other is "
        "output minus target."
    ),
    False: (
        "A sigmoid with binary cross-entropy has two routes to the same error signals. One goes "
        "through the derivative of the loss and the slope of the sigmoid; the other is output "
        "minus target."
    ),
}
WHY = (
    "The long way divides by the output and multiplies by it again. Where an output is close to 0 "
    "or 1 that costs digits, and at last it cannot be computed at all; output minus target loses "
    "nothing, so that is what a program computes."
)


@dataclass(frozen=True, slots=True)
class AlgebraLine:
    """A step of the algebra, in symbols and in numbers, with what it comes to."""

    why: str
    symbols: Markup
    numbers: FormulaLine
    value: Markup
    numbers_of: tuple[NumberLink, ...]
    """What its numbers are, to be asked about."""


@dataclass(frozen=True, slots=True)
class BothRoutesPage:
    """The two routes, and how the one becomes the other."""

    title: str
    home: Link
    back: Link
    about: str
    routes: TextTable
    difference: str
    numbers: tuple[NumberLink, ...]
    """What the routes of all outputs are made of."""
    ask: AskBase
    unit: NumberLink
    units: tuple[Link, ...]
    lines: tuple[AlgebraLine, ...]
    left_out: str
    """That some steps are not written out, or ""."""
    why: str
    samples: tuple[Link, ...]
    jacobians: str
    """The matrix calculus of the output layer."""
    changed: Changed | None
    notices: tuple[str, ...]
    variant: str


def both_routes_page(
    context: Context, sample: int = 1, unit: int = 1, notices: tuple[str, ...] = ()
) -> BothRoutesPage:
    """The page of one sample, with the algebra of one output. Raises LessonError where there is one
    route only.
    """
    trace, view, id_ = context.trace, context.view, context.lesson.scenario.id
    if not cancels(trace):
        raise LessonError(
            "only a sigmoid with binary cross-entropy and a softmax with cross-entropy have both "
            "routes"
        )
    layer, count = trace.network.depth, trace.samples
    q = Quantity(GRADIENT["z"], layer, unit, 0, sample if count > 1 else 0)
    if trace.goes_around(q):
        raise LessonError(
            "an output is so close to 0 or 1 that the long way is beyond float64; output minus "
            "target is the only route here"
        )
    full = trace.network.layers[-1].activation.full_jacobian
    units = trace.network.sizes[layer]
    found, routes = steps(trace, q), _both(context, q, units)
    step = context.lesson.walk("number").place(q)
    return BothRoutesPage(
        "Both routes to the error signal",
        Link(context.lesson.scenario.title, context.home),
        Link(f"Step {step}", view.address(id_, step, grain="number", present=False)),
        ABOUT[full],
        _table(context, routes),
        _difference(context, routes),
        number_links(context, [tree for _, *trees in routes for tree in trees]),
        ask_base(context),
        number_link(context, q),
        numbered(units, unit, lambda k: view.both_routes(id_, sample, k)),
        tuple(
            AlgebraLine(
                one.why,
                context.line.tree(one.tree, SYMBOLS, "="),
                context.formulas.numbers(one.tree),
                _result(context, one.tree),
                number_links(context, [one.tree]),
            )
            for one in found
        ),
        "The steps between are left out: the sums are too long." if len(found) == 2 else "",
        WHY,
        tuple(
            link
            for link in numbered(count, sample, lambda s: view.both_routes(id_, s, unit))
            if not trace.goes_around(q._replace(sample=int(link.text)))
        ),
        view.jacobians(id_, layer, f"sample={sample}" if sample > 1 else ""),
        changed(context, None),
        notices,
        context.variant,
    )


def _both(context: Context, q: Quantity, units: int) -> list[tuple[Quantity, Node, Node]]:
    """Each output's error signal by the long way and by the short one."""
    rows = []
    for k in some(units, (q.i,)):
        if k == GAP:
            continue
        found = derive(context.trace, q._replace(i=k))
        assert found.shortcut is not None
        rows.append((q._replace(i=k), found.tree, found.shortcut))
    return rows


def _table(context: Context, routes: list[tuple[Quantity, Node, Node]]) -> TextTable:
    """The two routes of every output, side by side. On paper each has a result of its own."""
    paper, rows = context.trace.paper, []
    for one, *trees in routes:
        long, short = (trusted(context.formulas.numbers(tree, "").math) for tree in trees)
        each = [number.shown(_written(context, tree), context.decimals) for tree in trees]
        both = number.shown(context.trace.value(one), context.decimals)
        shown = (long, each[0], short, each[1]) if paper else (long, short, both)
        rows.append((context.line.quantity(one), *shown))
    each_own = ("Through the Jacobian", "Result", "Output minus target", "Its result")
    together = ("Through the Jacobian", "Output minus target", "Both")
    columns = ("Error signal", *(each_own if paper else together))
    return TextTable("The two routes, with their numbers", columns, tuple(rows))


def _written(context: Context, tree: Node) -> float:
    """What a route comes to; on paper, rounded as everything is."""
    return context.trace.written(float(evaluate(tree, context.trace)))


def _result(context: Context, tree: Node) -> Markup:
    exact, written = float(evaluate(tree, context.trace)), _written(context, tree)
    return context.line.value(written, context.sign(exact, written))


def _difference(context: Context, routes: list[tuple[Quantity, Node, Node]]) -> str:
    values = [[_written(context, tree) for tree in trees] for _, *trees in routes]
    apart = max(abs(long - short) for long, short in values)
    scale = max(abs(long) for long, _ in values)
    if apart == 0:
        return "The difference between the two is 0."
    if context.trace.paper:
        shown = number.shown(context.trace.written(apart), context.decimals)
        return (
            f"On paper the two come apart by {shown}: the long way is made of more rounded numbers."
        )
    same = apart <= 1e-9 * max(scale, np.finfo(float).tiny)
    said = "up to the last digits of float64: they are" if same else "not quite: they are"
    return f"The two are equal, {said} {number.shown(apart, context.decimals)} apart."

"""How large the derivative is on its way through a formula, from the result back to its values, and
what is wrong with it: node by node, as `tutor.pages.gradient_flow` has it layer by layer.

    flow_chart(context, step) -> FlowChart, what the page shows of it at a step
    health_at(context, step)  -> what is wrong where the step is
    health(context)           -> what is wrong in the whole formula, of each sort the worst
    node_health(context)      -> all of it, node by node; None where the walk ends early

What counts as wrong, `tutor.engine.graph_health` decides.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from math import inf, isfinite, log10

from tutor import number
from tutor.draw import charts
from tutor.draw.charts import Chart, Key, Series
from tutor.engine.graph import GraphNode, quantity
from tutor.engine.graph_health import NodeFinding, NodeSize, findings, sizes
from tutor.engine.kinds import BACKWARD
from tutor.lesson.graph_health_words import HEALTHY, SCALE, heading, sentence
from tutor.lesson.graph_lesson import GraphStep
from tutor.lesson.titles import capital
from tutor.notation.markup import Markup
from tutor.number import counted
from tutor.pages.cells import TextTable
from tutor.pages.gradient_flow import (
    FlowChart,
    FlowRow,
    Health,
    HealthNote,
    Scale,
    in_total,
    scale,
)
from tutor.pages.graph_context import GraphContext

MOST_NOTES = 12
"""Of more places where something is wrong these many are told."""
MOST_AT_STEP = 3
MOST_BARS = 24
"""Of a formula with more derivatives no bars are drawn."""
FEWEST_BACK = 3
"""So many steps back the longest way leads at least."""
MOST_ROWS = 40
"""Of more nodes those with the smallest derivatives are listed."""
COLUMNS = (
    "Node", "What it is", "Steps back", "Size of the local derivative",
    "Size of the derivative of {result}",
)  # fmt: skip


def flow_chart(context: GraphContext, step: GraphStep) -> FlowChart | None:
    """The bars at a step of the backward pass; None where there is hardly a way to go, or too many
    nodes are on it.
    """
    if step.phase != BACKWARD or len(context.graph.backward) > MOST_BARS:
        return None
    found = _sizes(context)
    if max(one.back for one in found) < FEWEST_BACK:
        return None
    listed = sorted(found, key=lambda one: one.back)
    done = [one for one in listed if _reached(context, step, one.node)]
    bars, result = scale(one.size for one in found), context.graph.result.name
    return FlowChart(
        f"Largest derivative at each node, from {result} back",
        "Node",
        f"|d{result}/d…|",
        ("local derivative",),
        tuple(_bar(context, one, bars if one in done else None) for one in listed),
        bars.words(context.decimals),
        bars.lines,
        " → ".join(_shown(context, one.size) for one in (done[0], done[-1]))
        if len(done) > 1
        else "",
        _about(done, len(done) < len(found)),
    )


def _sizes(context: GraphContext) -> tuple[NodeSize, ...]:
    found: tuple[NodeSize, ...] = context.memo.once("sizes", lambda: sizes(context.trace))
    return found


def _reached(context: GraphContext, step: GraphStep, node: GraphNode) -> bool:
    """Whether all derivatives of a node are computed: the last of them is."""
    return step.known(quantity(context.graph.derivative(node).kind, node.shape))


def _bar(context: GraphContext, one: NodeSize, bars: Scale | None) -> FlowRow:
    name = _symbol(context, one.node)
    if bars is None:
        return FlowRow(name, "", None, ("",))
    local = "" if one.local is None else _shown(context, one.local)
    return FlowRow(name, _shown(context, one.size), round(bars(one.size), 1), (local,))


def _shown(context: GraphContext, size: float) -> str:
    return number.shown(context.trace.written(size), context.decimals)


def _about(done: list[NodeSize], more: bool) -> str:
    """Where the factors come from, and what they have done."""
    first = (
        "On the way back the derivative is multiplied by one local derivative at each node; where "
        "several ways come together, the contributions are added."
    )
    if more:
        return f"{first} The backward pass has not reached the empty rows yet."
    start, end = done[0].size, done[-1].size
    if not start or not end or start == end or not isfinite(end):
        return first
    return f"{first} {in_total(start, end, done[-1].node.name)}."


def health_at(context: GraphContext, step: GraphStep) -> tuple[HealthNote, ...]:
    """What is wrong with the derivative where the step is."""
    here = [one for one in _found(context) if context.step_of(one.shown_by) == step.n]
    return _notes(context, here, MOST_AT_STEP)


def health(context: GraphContext) -> tuple[HealthNote, ...]:
    """What is wrong in the whole formula: of each sort the worst."""
    worst: dict[str, NodeFinding] = {}
    for found in _found(context):
        known = worst.get(found.what)
        if known is None or _far(found.number) > _far(known.number):
            worst[found.what] = found
    return _notes(context, list(worst.values()), MOST_NOTES)


def _far(size: float) -> float:
    """How many powers of ten a number is from 1."""
    return abs(log10(abs(size))) if size else inf


def _found(context: GraphContext) -> tuple[NodeFinding, ...]:
    found: tuple[NodeFinding, ...] = context.memo.once("health", lambda: findings(context.trace))
    return found


def _notes(context: GraphContext, found: list[NodeFinding], most: int) -> tuple[HealthNote, ...]:
    """The first of what was found; the last one says how many more there are."""
    more = len(found) - most
    rest = f" There {'is' if more == 1 else 'are'} {counted(more, 'more such place')}."
    notes = []
    for n, one in enumerate(found[:most], 1):
        place = context.step_of(one.shown_by)
        text = sentence(context.trace, one) + (rest if n == most and more > 0 else "")
        notes.append(HealthNote(heading(one), text, context.address(place), place))
    return tuple(notes)


def node_health(context: GraphContext) -> Health | None:
    """The health of the gradient of a formula; None where the walk does not come to its end."""
    if context.trace.stop is not None:
        return None
    found = _sizes(context)
    return Health(
        _chart(context, found),
        (
            Key("line-6", "largest derivative"),
            Key("line-2", "smallest derivative that is not 0"),
        ),
        _table(context, found),
        _notes(context, list(_found(context)), MOST_NOTES),
        HEALTHY,
        SCALE,
    )


def _chart(context: GraphContext, found: tuple[NodeSize, ...]) -> Markup | str:
    """The largest and the smallest derivative so many nodes from the result; "" where there is one
    distance.
    """
    at: dict[int, list[float]] = defaultdict(list)
    for one in found:
        if one.size:
            at[one.back].append(one.size)
    if len(at) < 2:
        return ""
    backs = sorted(at)
    xs = [float(back) for back in backs]
    return charts.draw(
        Chart(
            "sizes",
            f"The size of the derivative of {context.graph.result.name} from the result back",
            (
                Series("largest derivative", xs, [max(at[back]) for back in backs], 6),
                Series(
                    "smallest derivative that is not 0", xs, [min(at[back]) for back in backs], 2
                ),
            ),
            "steps back from the result",
            "size",
            (xs[0], xs[-1]),
            logarithmic=True,
            whole=True,
        )
    )


def _table(context: GraphContext, found: tuple[NodeSize, ...]) -> TextTable:
    result = context.graph.result.name
    caption = f"The size of the derivative at each node, from {result} back"
    listed = sorted(found, key=lambda one: one.back)
    if len(found) > MOST_ROWS:
        listed = sorted(found, key=lambda one: one.size)[:MOST_ROWS]
        caption = f"The {MOST_ROWS} nodes of {len(found):,} with the smallest derivatives"
    shown = partial(_shown, context)
    return TextTable(
        caption,
        tuple(column.format(result=result) for column in COLUMNS),
        tuple(
            (
                _symbol(context, one.node), _what(one.node), f"{one.back:,}",
                "–" if one.local is None else shown(one.local), shown(one.size),
            )
            for one in listed
        ),
    )  # fmt: skip


def _symbol(context: GraphContext, node: GraphNode) -> Markup:
    line = context.line
    return line.matrix(node.kind, 0) if node.shape else line.quantity(quantity(node.kind))


def _what(node: GraphNode) -> str:
    return "Given value" if node.given else capital(node.operation.title)

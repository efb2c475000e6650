"""Forward and reverse accumulation of a formula side by side: the same derivatives, by other ways,
with the work of both, and of going path by path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tutor import number
from tutor.engine.graph import quantity
from tutor.engine.graph_trace import tangents_of
from tutor.engine.graph_work import Totals, Work, totals
from tutor.engine.quantity import Quantity
from tutor.number import counted
from tutor.pages.cells import Cell, Row, Table
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_step import CSS, graph_changed
from tutor.pages.what_if import Changed

MOST_INPUTS = 8
"""Columns of the table of forward accumulation: inputs that are gone through."""
MOST_NODES = 40
MOST_CARRIED = 100_000
"""Along so many pairs of numbers that depend on each other directly the derivatives with respect to
the first inputs are carried; that takes about half a second.
"""
NOT_REACHED = Cell("–", "gap")


@dataclass(frozen=True, slots=True)
class AccumulationPage:
    """Both ways, and how much work they are beside going path by path."""

    title: str
    home: str
    forward: Table
    reverse: Table
    work: tuple[tuple[str, str, str, str], ...]
    """(way, paths or rounds through the graph, multiplications, additions)"""
    result: str
    no_columns: str
    """Why the table of forward accumulation is not there, or ""."""
    left_out: str
    """What the tables leave out, or ""."""
    notices: tuple[str, ...]
    changed: Changed | None
    variant: str = ""
    css: str = CSS


def accumulation_page(context: GraphContext, notices: tuple[str, ...] = ()) -> AccumulationPage:
    """The page."""
    graph = context.graph
    inputs = [
        q for name in graph.differentiate if (node := graph.by_name.get(name))
        for q in node.entries()
    ]  # fmt: skip
    numbers = [q for node in graph.inner if node.kind in graph.needed for q in node.entries()]
    shown = numbers if len(numbers) <= MOST_NODES else numbers[-MOST_NODES:]
    counts = totals(graph, min(MOST_INPUTS, len(inputs)))
    columns = inputs[: sum(pairs <= MOST_CARRIED for pairs in counts.carried)]
    return AccumulationPage(
        context.lesson.scenario.title, context.home,
        _forward(context, columns, shown), _reverse(context, inputs, shown),
        (
            _row("path by path", _paths(counts.paths), counts.by_paths),
            _row("forward", counted(len(inputs), "round"), counts.forward),
            _row("reverse", "1 round", counts.reverse),
        ),
        _result(graph.result.name, len(inputs), counts),
        _no_columns(len(inputs), len(columns), counts),
        _left_out(len(inputs), len(columns), len(numbers), counts), notices,
        graph_changed(context, None),
    )  # fmt: skip


def _paths(many: int) -> str:
    return "1 path" if many == 1 else f"{number.whole_shown(many)} paths"


def _row(way: str, through: str, work: Work) -> tuple[str, str, str, str]:
    return way, through, number.whole_shown(work.products), number.whole_shown(work.sums)


def _result(name: str, inputs: int, counts: Totals) -> str:
    """What the counts say."""
    forward, reverse = counts.forward.products, counts.reverse.products
    rounds = f"Forward goes through the graph once for each of the {inputs:,} inputs"
    if inputs == 1:
        said = (
            f"With one input both ways are the same work. Reverse would pay off with more inputs, "
            f"since one round gives the derivatives of {name} with respect to all of them."
        )
    elif forward == reverse:
        said = f"{rounds}, reverse once for all: here both take the same number of multiplications."
    else:
        times = _times(forward, reverse)
        said = (
            f"{rounds}, reverse once for all: here forward takes {times} as many multiplications."
        )
    if counts.by_paths.products <= forward:
        return said
    return (
        f"{said} Path by path would take {_times(counts.by_paths.products, reverse)} as many as "
        "reverse, since what paths share is multiplied again for each of them."
    )


def _times(many: int, few: int) -> str:
    """How many times as much: three digits, or a whole number."""
    large = many >= 1_000 * few
    return f"{number.whole_shown(many // few) if large else format(many / few, '.3g')} times"


def _no_columns(inputs: int, columns: int, counts: Totals) -> str:
    """Why the table of forward accumulation is not there, or ""."""
    if columns:
        return ""
    each = f"a column for each of {inputs:,} inputs; the first" if inputs > 1 else "one column; it"
    return (
        f"This table would have {each} multiplies by {counts.carried[0]:,} local derivatives, and "
        f"the limit here is {MOST_CARRIED:,}. The table below has the derivatives with respect to "
        "all inputs."
    )


def _left_out(inputs: int, columns: int, nodes: int, counts: Totals) -> str:
    said = []
    if columns and inputs > columns:
        said.append(f"{counted(inputs - columns, 'more input')}")
    if nodes > MOST_NODES:
        said.append(f"{counted(nodes - MOST_NODES, 'number')} further from the result")
    if not said:
        return ""
    left_out = f"Not in the tables: {' and '.join(said)}."
    if not 0 < columns < len(counts.carried):
        return left_out
    return (
        f"{left_out} With one more input the first table would multiply by "
        f"{counts.carried[columns]:,} local derivatives; the limit here is {MOST_CARRIED:,}."
    )


def _forward(context: GraphContext, inputs: list[Quantity], shown: list[Quantity]) -> Table:
    """A column for each input: the derivatives of all nodes with respect to it."""
    known = tangents_of(context.trace, inputs)
    rows = tuple(
        Row(
            context.line.quantity(q),
            tuple(_cell(context, column.get(q)) for column in known),
        )
        for q in shown
    )
    columns = tuple(context.line.quantity(q) for q in inputs)
    return Table("Forward: the derivative of each node with respect to", columns, rows)


def _reverse(context: GraphContext, inputs: list[Quantity], shown: list[Quantity]) -> Table:
    """One column: the derivative of the result with respect to all nodes."""
    rows = tuple(_reversed(context, [*reversed(shown), *inputs[:MOST_NODES]]))
    name = context.line.quantity(quantity(context.graph.result.kind))
    return Table("Reverse: with respect to each node, the derivative of", (name,), rows)


def _reversed(context: GraphContext, numbers: list[Quantity]) -> Iterator[Row]:
    for q in numbers:
        node = context.graph.nodes[q.kind]
        back = q._replace(kind=context.graph.derivative(node).kind)
        value = context.trace.value(back)
        cell = Cell(number.shown(value, context.decimals), "", str(back))
        yield Row(context.line.quantity(q), (cell,))


def _cell(context: GraphContext, value: float | None) -> Cell:
    """A tangent; a node that does not depend on the input has none."""
    return NOT_REACHED if value is None else Cell(number.shown(value, context.decimals))

"""Forward and reverse accumulation of a formula side by side: the same derivatives, by other ways,
with the work of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tutor import number
from tutor.engine.graph import quantity
from tutor.engine.graph_trace import Totals, Work, tangents_of, totals
from tutor.engine.quantity import Quantity
from tutor.number import counted
from tutor.pages.cells import Cell, Row, Table
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_step import CSS, graph_changed
from tutor.pages.what_if import Changed

MOST_INPUTS = 8
"""Columns of the table of forward accumulation: inputs that are gone through."""
MOST_NODES = 40
MOST_COUNTED, MOST_CARRIED = 400_000, 100_000
"""Pairs of numbers that depend on each other directly: so many are counted, and along so many the
derivatives with respect to a few inputs are carried; each takes about half a second.
"""
NOT_REACHED = Cell("–", "gap")


@dataclass(frozen=True, slots=True)
class AccumulationPage:
    """Both ways, and how much work they are."""

    title: str
    home: str
    forward: Table
    reverse: Table
    work: tuple[tuple[str, str, str, str], ...]
    """(way, rounds through the graph, multiplications, additions)"""
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
    counts = totals(graph, MOST_COUNTED)
    columns = inputs[:MOST_INPUTS] if counts and counts.pairs <= MOST_CARRIED else []
    return AccumulationPage(
        context.lesson.scenario.title, context.home,
        _forward(context, columns, shown), _reverse(context, inputs, shown),
        (
            ("forward", counted(len(inputs), "round"), *_words(counts and counts.forward)),
            ("reverse", "1 round", *_words(counts and counts.reverse)),
        ),
        _result(graph.result.name, len(inputs), counts), _no_columns(len(inputs), counts),
        _left_out(len(inputs), len(columns), len(numbers)), notices, graph_changed(context, None),
    )  # fmt: skip


def _words(work: Work | None) -> tuple[str, str]:
    return (f"{work.products:,}", f"{work.sums:,}") if work else ("–", "–")


def _result(name: str, inputs: int, counts: Totals | None) -> str:
    """What the two counts say."""
    if inputs == 1:
        return (
            f"With one input both ways are the same work. Reverse would pay off with more inputs, "
            f"since one round gives the derivatives of {name} with respect to all of them."
        )
    if counts is None:
        return (
            f"Forward goes through the graph once for each of the {inputs:,} inputs, reverse once "
            f"for all. In this graph more than {MOST_COUNTED:,} pairs of numbers depend on each "
            "other directly, too many to count the multiplications here."
        )
    forward, reverse = counts.forward, counts.reverse
    rounds = f"Forward goes through the graph once for each of the {inputs:,} inputs"
    if forward.products == reverse.products:
        return f"{rounds}, reverse once for all: here both take the same number of multiplications."
    times = forward.products / reverse.products if reverse.products else 1.0
    return (
        f"{rounds}, reverse once for all: "
        f"here forward takes {times:.3g} times as many multiplications."
    )


def _no_columns(inputs: int, counts: Totals | None) -> str:
    """Why the table of forward accumulation is not there, or ""."""
    if counts is not None and counts.pairs <= MOST_CARRIED:
        return ""
    pairs = f"{counts.pairs:,}" if counts else f"more than {MOST_COUNTED:,}"
    each = f"a column for each of {inputs:,} inputs" if inputs > 1 else "one column"
    return (
        f"This table would have {each}, and each column multiplies by up to {pairs} local "
        f"derivatives. It is left out where there are more than {MOST_CARRIED:,} of them; the "
        "table below has the derivatives with respect to all inputs."
    )


def _left_out(inputs: int, columns: int, nodes: int) -> str:
    said = []
    if columns and inputs > columns:
        said.append(f"{counted(inputs - columns, 'more input')}")
    if nodes > MOST_NODES:
        said.append(f"{counted(nodes - MOST_NODES, 'number')} further from the result")
    return f"Not in the tables: {' and '.join(said)}." if said else ""


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

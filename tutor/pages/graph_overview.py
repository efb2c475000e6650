"""The first page of a formula: what it is, its values, and where to begin."""

from __future__ import annotations

from collections.abc import Iterator

from tutor import number
from tutor.draw.graph import draw_graph
from tutor.engine.graph import GraphNode, quantity
from tutor.lesson.slides import tally
from tutor.lesson.titles import enumerated
from tutor.pages.cells import Cell, Row, Table
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_flow import health
from tutor.pages.graph_jacobians_page import first_address, nodes_with
from tutor.pages.graph_step import CSS, PICTURE, graph_changed, scene_at
from tutor.pages.outline import Link
from tutor.pages.overview import (
    ANY_NUMBER,
    CHECK,
    MEASURED,
    WHERE_FROM,
    LessonPage,
    made_from,
    on_paper,
)
from tutor.pages.what_if import above_description
from tutor.scenario.reader import AnyScenario
from tutor.store.saved_lessons import is_saved

MOST_SHOWN = 12
"""Characters of a formula and rows of a value are cut behind so many, in tens."""
LONGEST = 400
GRAINS = {"number": "Number by number", "layer": "Node by node", "pass": "Forward and backward"}


def graph_page(
    context: GraphContext, notices: tuple[str, ...] = (), origin: AnyScenario | None = None
) -> LessonPage:
    """The first page of a graph lesson."""
    lesson, view = context.lesson, context.view
    scenario = lesson.scenario
    slips = [entry for entry in scenario.printed if entry.slip]
    left_open = [entry for entry in scenario.printed if entry.left_open]
    printed = len(scenario.printed)
    walks = tuple(
        (title, view.address(scenario.id, 1, grain=g), number.counted(len(lesson.walk(g)), "step"))
        for g, title in GRAINS.items()
    )
    own = Link("Walk through a formula of your own", "/formula")
    both = Link("Forward and reverse accumulation, side by side", view.accumulation(scenario.id))
    return LessonPage(
        scenario.id, scenario.title, scenario.source, scenario.about, scenario.learn,
        lesson.shape, facts(context), draw_graph(scene_at(context, 0)), tuple(given(context)),
        view.address(scenario.id, 1), walks, "", number.counted(printed, "number"),
        tally(printed - len(slips) - len(left_open), len(left_open), len(slips)), "",
        view.export(scenario.id), view.share(scenario.id), view.edit(scenario.id),
        is_saved(scenario.id), made_from(scenario, origin), notices, context.variant,
        above_description(graph_changed(context, None)), PICTURE, "another formula, other values",
        (own,) if context.walk.stop else (both, own), CSS, tuple(closer(context)), health(context),
    )  # fmt: skip


def closer(context: GraphContext) -> Iterator[tuple[str, str, str]]:
    """The pages that look closer at its numbers."""
    view, lesson = context.view, context.source.id
    yield ANY_NUMBER, view.quantity(lesson), WHERE_FROM
    if not context.walk.stop:
        if nodes_with(context.graph):
            yield "Jacobians", first_address(context), "of each node that has arrays, as matrices"
        yield CHECK, view.check(lesson), MEASURED
    yield from on_paper(context)


def facts(context: GraphContext) -> tuple[tuple[str, str], ...]:
    """What kind of lesson it is: (name, value)."""
    spec, graph = context.lesson.scenario.graph, context.graph
    names = list(graph.differentiate)
    shown = enumerated([*names[:MOST_SHOWN], *(["…"] if len(names) > MOST_SHOWN else [])])
    parts = (
        (name, text if len(text) <= LONGEST else f"{text[:LONGEST]} …")
        for name, text in ((spec.result, spec.expression), *spec.names.items())
    )
    return (
        *((f"{name} =", text) for name, text in parts),
        ("With respect to", shown),
        ("Nodes", f"{len(graph.inner):,}, and {number.counted(len(graph.values), 'value')}"),
    )


def given(context: GraphContext) -> Iterator[Table]:
    """The values that the formula starts from."""
    for node in context.graph.values[:MOST_SHOWN]:
        yield value_table(context, node)


def value_table(context: GraphContext, node: GraphNode) -> Table:
    """One value as a small matrix; a list is a column."""
    shape = (*node.shape, 1, 1)[:2] if node.shape else (1, 1)
    rows, columns = (min(n, MOST_SHOWN) for n in shape)

    def cell(i: int, j: int) -> Cell:
        q = quantity(node.kind, (i, j)[: len(node.shape)])
        return Cell(number.shown(context.trace.value(q), context.decimals), "", str(q))

    found = tuple(
        Row("", tuple(cell(i, j) for j in range(1, columns + 1))) for i in range(1, rows + 1)
    )
    symbol = (
        context.line.matrix(node.kind, 0)
        if node.shape
        else context.line.quantity(quantity(node.kind))
    )
    return Table("", (), found, symbol, f"{shape[0]}×{shape[1]}" if node.shape else "")

"""The page of one step of a formula: what it says, its picture, the table of its nodes.

graph_body(context, n)        -> StepBody       for pages and exports
graph_step_page(context, n)   -> StepPage
"""

from __future__ import annotations

from dataclasses import fields, replace

from tutor import number
from tutor.draw.graph import GraphScene, draw_graph
from tutor.draw.graph_layout import Wire
from tutor.engine.graph import GraphNode, quantity
from tutor.engine.graph_jacobians import has_matrix
from tutor.engine.kinds import BACKWARD
from tutor.engine.quantity import Quantity
from tutor.engine.tree import evaluate, leaves
from tutor.lesson import graph_words
from tutor.lesson.explain import BRIEF, Explanation
from tutor.lesson.formula import Formula
from tutor.lesson.graph_changes import ValueChange
from tutor.lesson.graph_formula import GraphFormulaWriter
from tutor.lesson.graph_lesson import GraphStep
from tutor.pages.cells import Cell, Row, Table, gap, number_cell
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_flow import flow_chart, health_at
from tutor.pages.outline import Link, grains, timeline
from tutor.pages.paper_page import drift_line
from tutor.pages.step_body import FormulaPart, StepBody, slide_view
from tutor.pages.step_page import MOST_SLIDE_NUMBERS, StepPage
from tutor.pages.tables import StepTables
from tutor.pages.what_if import Changed, numbers_apart, told

MOST_FORMULAS = 24
"""Of a way through more nodes the first and the last formulas are shown."""
LAST_FORMULAS = 6
MOST_TABLE = 40
"""Rows of the table of nodes; of a longer one those near the step, the first and the last."""
ENDS = 5
MOST_CLOSER = 2
"""Links to the Jacobians of a step."""
MOST_FOLDED = 6
"""Rows for which there is room below the picture."""
NOT_THERE = Cell("–", "gap")
GRAINS = {
    "number": ("Number", "by number"),
    "layer": ("Node", "by node"),
    "pass": ("Pass", "by pass"),
}
FOUR_COLUMNS = 24
"""So many rows of the table of nodes have room below the picture in four columns."""
CSS = " of-graph"
MANY_ROWS = " many-rows"
PICTURE = "Diagram of the computation graph"


def graph_body(
    context: GraphContext,
    n: int,
    formulas: GraphFormulaWriter | None = None,
    most_printed: int | None = None,
) -> StepBody:
    """What step n says. Raises LessonError where there is no such step."""
    step, writer = context.step(n), formulas or context.formulas
    made, explanation, left_out = _content(context, step, writer)
    places = context.said.get(n, ()) if step.walk.grain != "pass" else ()
    said = [context.lesson.slides[q] for q in places]
    stop = step.walk.stop if step.last else None
    return StepBody(
        step=step,
        title=explanation.title,
        why=explanation.why,
        reason=explanation.reason,
        term=explanation.term,
        parts=(FormulaPart(made),),
        brief=left_out,
        stop=graph_words.explain_stop(context.trace, stop) if stop else "",
        remark=None,
        slide=slide_view(said, writer.line, context.decimals, most_printed, context.graph.parse),
        notes=tuple(note for slide in said for note in slide.notes),
    )


def _content(
    context: GraphContext, step: GraphStep, writer: GraphFormulaWriter
) -> tuple[tuple[Formula, ...], Explanation, str]:
    """The formulas, the words, and what the formulas leave out."""
    trace, q = context.trace, step.anchor
    if step.walk.grain == "number":
        return (writer.number(q),), graph_words.explain(trace, q), ""
    if step.walk.grain == "layer":
        said = graph_words.explain(trace, q)
        kind = quantity(step.made[0][0])
        if step.made[0][1].shape:
            said = replace(said, title=graph_words.title(trace, kind))
        return (writer.whole(step.made[0]),), said, ""
    made, count = step.made, len(step.made)
    brief = f"{BRIEF.partition(';')[0].replace('matrix', 'node')}."
    if count > MOST_FORMULAS:
        made = (*made[: MOST_FORMULAS - LAST_FORMULAS], *made[-LAST_FORMULAS:])
        brief = (
            f"{brief} Of {count:,} nodes the first {MOST_FORMULAS - LAST_FORMULAS} and the last "
            f"{LAST_FORMULAS} stand here; the walk node by node has them all."
        )
    return (
        tuple(writer.whole(part, brief=True) for part in made),
        graph_words.explain_pass(step.phase),
        brief,
    )


_SAID = tuple(field.name for field in fields(StepBody))


def graph_step_page(context: GraphContext, n: int, notices: tuple[str, ...] = ()) -> StepPage:
    """The page of step n. Raises LessonError where the walk has no such step."""
    view, scenario = context.view, context.lesson.scenario
    body = graph_body(context, n, most_printed=MOST_SLIDE_NUMBERS)
    step, total = context.step(n), len(context.walk)
    table = nodes_table(context, n, body.uses, body.makes)
    return StepPage(
        **{name: getattr(body, name) for name in _SAID},
        lesson=scenario.id,
        lesson_title=scenario.title,
        home=context.home,
        total=total,
        ask=view.quantity(scenario.id, step=n),
        chain_href="",
        diagram=draw_graph(scene(context, step, body)),
        tables=StepTables((table,)),
        matrices=(),
        ruler="",
        rows=_rows(context),
        flow=flow_chart(context, step),
        phases=timeline(step, context.href),
        grains=grains(context, step, GRAINS),
        samples=(),
        batch="",
        first=context.href(1) if n > 1 else "",
        back=context.href(n - 1) if n > 1 else "" if view.embedded else context.home,
        next=context.href(n + 1) if n < total else "",
        last=context.href(total) if n < total else "",
        notices=notices,
        variant=context.variant,
        changed=graph_changed(context, n),
        was=_was(context, step.anchor) if view.grain != "pass" else "",
        after=_after(context) if step.last else (),
        closing=_closing(context) if step.last and not context.walk.stop else None,
        closing_note="",
        outside=replace(view, embedded=False).address(scenario.id, n) if view.embedded else "",
        drawn=PICTURE,
        css=CSS + MANY_ROWS * (_touched_rows(body) > FOUR_COLUMNS),
        closer=_closer(context, step),
        health=health_at(context, step),
        drift=drift_line(context, step),
        drift_href=view.on_paper(scenario.id),
    )


def _closer(context: GraphContext, step: GraphStep) -> tuple[Link, ...]:
    """On the way back, the Jacobians of the nodes that the derivative comes back through."""
    node, view = step.made[-1][1], replace(context.view, embedded=False)
    if step.phase != BACKWARD or view.grain == "pass":
        return ()
    through = dict.fromkeys(use.by for use in context.graph.parts(node) if has_matrix(use.by))
    return tuple(
        Link(f"Jacobians of {found.name}", view.jacobians(context.source.id, found.name))
        for found in list(through)[:MOST_CLOSER]
    )


def _was(context: GraphContext, q: Quantity) -> str:
    """What the original has for a number, where it differs."""
    old = context.was(q)
    return "" if old is None else number.apart(old, context.trace.value(q), context.decimals)


def _rows(context: GraphContext) -> int:
    """For how many rows of a table a step has room: what a node is made of, and itself."""
    if context.view.grain == "pass":
        return MOST_FOLDED
    found: int = context.memo.once("rows", lambda: max(_widest(context) + 1, 3))
    return min(found, MOST_FOLDED)


def _touched_rows(body: StepBody) -> int:
    """How many rows of the table of nodes have something that a step uses or makes."""
    return len({(q.of.by or q.kind, q.i, q.j) for q in body.uses | body.makes})


def _widest(context: GraphContext) -> int:
    """How many numbers a node is made of at most, as far as that matters."""
    graph, most = context.graph, 0
    for node in graph.inner:
        if context.view.grain == "layer":
            own = sum(graph.nodes[kind].size for kind in node.inputs) + node.size - 1
        else:
            tree = graph.entry(node, (1,) * len(node.shape))
            own = len(leaves(tree))
        most = max(most, own)
        if most >= MOST_FOLDED:
            break
    return most


# ---- the picture ----


def scene(context: GraphContext, step: GraphStep, body: StepBody) -> GraphScene:
    """The picture of a step."""
    focus = tuple(kind for _, node in step.made[-1:] for kind in (node.kind, *node.inputs))
    return scene_at(context, step.n, focus, body.uses, body.makes, step.phase, body.title)


def scene_at(
    context: GraphContext,
    n: int,
    focus: tuple[str, ...] = (),
    uses: frozenset[Quantity] = frozenset(),
    makes: frozenset[Quantity] = frozenset(),
    phase: str = "",
    caption: str = "",
) -> GraphScene:
    """The picture with what is known at step n; with 0 only what is given."""

    def value(q: Quantity) -> float | None:
        made, known = context.fact(q)
        return known if made <= n else None

    def local(wire: Wire) -> float | None:
        return _local(context, wire, n)

    return GraphScene(
        context.graph, context.layout(focus), context.alphabet, context.decimals,
        value, local, uses, makes, phase, caption, _marked(context),
    )  # fmt: skip


def _local(context: GraphContext, wire: Wire, n: int) -> float | None:
    """The local derivative along an edge between single numbers, where backward has come there."""
    graph = context.graph
    node, below = graph.nodes[wire.target], graph.nodes[wire.source]
    if node.shape or below.shape or below.kind not in graph.needed:
        return None
    back = quantity(graph.derivative(below).kind)
    if context.fact(back)[0] > n or context.hidden is not None:
        return None
    _, tree = next(node.operation.routes(wire.k, node.made, ()))
    return context.trace.written(float(evaluate(graph.at(tree, ()), context.trace)))


def _marked(context: GraphContext) -> dict[Quantity, str]:
    """The changed values with what they were."""
    return {
        change.quantity: number.apart(float(change.old), float(change.new), context.decimals)
        for change in context.lesson.changes
        if isinstance(change, ValueChange)
    }


# ---- the table of nodes ----


def nodes_table(
    context: GraphContext,
    n: int,
    uses: frozenset[Quantity],
    makes: frozenset[Quantity],
    most: int = MOST_TABLE,
) -> Table:
    """Every number of every node with its derivative; of more than `most` those near the step."""
    rows = [(q, node) for node in _in_order(context) for q in node.entries()]
    touched = uses | makes
    if len(touched) > MOST_FOLDED:  # what is made stands where there is room for it
        rows.sort(key=lambda row: makes.isdisjoint({row[0], _back(context, row[1], row[0])}))
    shown = list(range(len(rows)))
    if len(rows) > most:
        own = {
            at
            for at, (q, node) in enumerate(rows)
            if q in touched or _back(context, node, q) in touched
        }
        ends = {*range(ENDS), *range(len(rows) - ENDS, len(rows))}
        shown = sorted(own | ends)[: 2 * MOST_TABLE]
    found: list[Row] = []
    before = -1
    for at in shown:
        if at != before + 1:
            found.append(gap(2))
        before = at
        q, node = rows[at]
        back = _back(context, node, q)
        cells = (
            number_cell(context, n, q, uses, makes),
            NOT_THERE if back is None else number_cell(context, n, back, uses, makes),
        )
        found.append(Row(context.line.quantity(q), cells))
    return Table("Nodes", ("value", "derivative"), tuple(found))


def _in_order(context: GraphContext) -> tuple[GraphNode, ...]:
    return tuple(context.graph.nodes.values())


def _back(context: GraphContext, node: GraphNode, q: Quantity) -> Quantity | None:
    """The derivative with respect to a number, where there is one."""
    if node.kind not in context.graph.needed:
        return None
    return q._replace(kind=context.graph.derivative(node).kind)


# ---- what was changed, and what comes after ----


def graph_changed(context: GraphContext, n: int | None) -> Changed | None:
    """What is changed, or None."""
    view, line, lesson = context.view, context.line, context.source.id
    rows = (
        (
            line.quantity(change.quantity), *numbers_apart(change),
            tuple(pair for pair in view.changes if pair[0] != change.name),
        )
        for change in context.lesson.changes if isinstance(change, ValueChange)
    )  # fmt: skip
    return told(context.source, rows, lambda rest: replace(view, changes=rest).address(lesson, n))


def _closing(context: GraphContext) -> Table:
    """The gradient: the derivative with respect to every value."""
    graph = context.graph
    rows: list[Row] = []
    for name in graph.differentiate[:MOST_TABLE]:
        node = graph.by_name[name]
        for q in list(node.entries())[:MOST_TABLE]:
            back = _back(context, node, q)
            if back is None or len(rows) >= MOST_TABLE:
                continue
            cells = tuple(
                Cell(number.shown(context.trace.value(one), context.decimals), "", str(one))
                for one in (q, back)
            )
            rows.append(Row(context.line.quantity(q), cells))
    return Table("The gradient", ("value", "derivative"), tuple(rows))


def _after(context: GraphContext) -> tuple[Link, ...]:
    """What one may do at the end of a lesson."""
    view, id_ = context.view, context.lesson.scenario.id
    links = []
    if not view.embedded and not context.walk.stop:
        links.append(Link("Compare forward and reverse accumulation", view.accumulation(id_)))
    for grain, text in (
        ("layer", "Walk the same formula node by node"),
        ("pass", "See the whole way forward and backward"),
    ):
        if grain != view.grain:
            links.append(Link(text, view.address(id_, 1, grain=grain)))
    if view.embedded:
        return tuple(links)
    links.append(Link("Walk through a formula of your own", "/formula"))
    return (*links, Link("All lectures and lessons", "/"))

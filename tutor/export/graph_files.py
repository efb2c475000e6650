"""A formula as data and as documents: JSON and CSV of every number, the worked solution as HTML, a
worksheet and its key, LaTeX.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import isfinite

from tutor import budget
from tutor.draw.graph import draw_graph, graph_drawing
from tutor.draw.parts import Drawing
from tutor.engine.kinds import BACKWARD, FORWARD
from tutor.engine.quantity import Quantity
from tutor.export import latex_document
from tutor.export.data import text_cell
from tutor.export.worked import (
    MOST_STEPS,
    AnyPaper,
    Head,
    Sheet,
    document,
    place_of,
    refuse_endless,
)
from tutor.lesson.changes import told
from tutor.lesson.explain import PHASE_TITLES
from tutor.lesson.graph_formula import GraphFormulaWriter
from tutor.lesson.graph_lesson import GraphLesson
from tutor.lesson.graph_words import PASSES, explain_stop
from tutor.notation.latex import LatexLines, digits
from tutor.notation.latex_text import escaped
from tutor.number import counted
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_overview import facts, given
from tutor.pages.graph_panels import graph_outline
from tutor.pages.graph_step import CSS, PICTURE, graph_body, nodes_table, scene, scene_at
from tutor.pages.graph_view import GraphView
from tutor.pages.outline import Chapter
from tutor.pages.step_body import StepBody
from tutor.pages.tables import StepTables
from tutor.scenario import dump

COLUMNS = ("quantity", "node", "i", "j", "value")
_LATEX_GRAINS = {"number": "number by number", "layer": "node by node", "pass": "each way in short"}


# ---- data ----


def numbers(lesson: GraphLesson) -> Iterator[tuple[Quantity, float]]:
    """Every number: the values, then what is computed, in the order of the walk."""
    trace = lesson.trace
    for node in trace.graph.values:
        yield from ((q, trace.value(q)) for q in node.entries())
    for kind, node in lesson.walk("number").computed:
        for q in node.entries(kind):
            if lesson.stop is not None and q == lesson.stop.quantity:
                return
            yield q, trace.value(q)


def graph_json(lesson: GraphLesson) -> Iterator[str]:
    """One JSON object, as `python -m tutor trace` prints it."""
    found: dict[str, object] = {
        "scenario": lesson.scenario.id,
        "quantities": {str(q): value for q, value in numbers(lesson)},
    }
    if lesson.changes:
        found["changed"] = {
            c.name: {"old": float(c.old), "new": float(c.new)} for c in lesson.changes
        }
    if lesson.stop:
        found["stopped"] = {
            "at": str(lesson.stop.quantity), "why": explain_stop(lesson.trace, lesson.stop)
        }  # fmt: skip
    yield json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def graph_csv(lesson: GraphLesson) -> Iterator[str]:
    """The header and a row for each number."""
    yield ",".join(COLUMNS) + "\n"
    for q, value in numbers(lesson):
        if isfinite(value):
            name = str(q)
            node = name.partition("[")[0]
            yield f"{text_cell(name)},{node},{q.i or ''},{q.j or ''},{value!r}\n"


# ---- the worked solution ----


def graph_worked(lesson: GraphLesson, view: GraphView, sheet: Sheet) -> Iterator[str]:
    """The whole walk as one HTML file in chunks; with blanks a worksheet, with answers its key.
    Raises LessonError before the first chunk where it cannot be made.
    """
    return document(GraphPaper.of(lesson, view, sheet))


@dataclass(frozen=True, slots=True)
class GraphPaper(AnyPaper):
    """A formula under a view as a sheet."""

    context: GraphContext
    opened = GraphContext
    writer = GraphFormulaWriter
    drawn = PICTURE
    drawn_after = frozenset({FORWARD, BACKWARD})
    css = CSS

    @property
    def source(self) -> str:
        return dump.write(self.context.lesson.scenario)

    @property
    def notation(self) -> str:
        return _notation(self.context)

    @property
    def content(self) -> tuple[object, ...]:
        context, sheet = self.context, self.sheet
        return self.content_hash, context.view.query(), sheet.blanks, sheet.phases

    def head(self) -> Head:
        context, scenario = self.context, self.context.lesson.scenario
        return Head(
            scenario.title, self.sheet.title, scenario.source, scenario.about, self.made_from,
            self.mark, draw_graph(scene_at(context, 0)), tuple(given(context)), facts(context),
            self.chapters, self.anchor, self.drawn,
        )  # fmt: skip

    def outline(self) -> Iterable[Chapter]:
        return graph_outline(self.context, 1, place_of)

    def about(self, phase: str) -> str:
        return PASSES[phase]

    def body(self, n: int, formulas: GraphFormulaWriter) -> StepBody:
        body = graph_body(self.context, n, formulas)
        body = body if self.sheet.interactive else replace(body, reason="")
        return body if self.hidden is None else replace(body, slide=None, notes=())

    def picture(self, body: StepBody) -> Drawing:
        return graph_drawing(scene(self.context, self.context.step(body.n), body))

    def picture_after(self, phase: str, last: int) -> Drawing:
        caption = f"The graph after the phase: {PHASE_TITLES[phase].lower()}"
        return graph_drawing(scene_at(self.context, last, phase=phase, caption=caption))

    def tables(self, last: int) -> StepTables:
        nothing = frozenset[Quantity]()
        return StepTables((nodes_table(self.context, last, nothing, nothing, MOST_STEPS),))


# ---- LaTeX ----


def graph_latex(context: GraphContext, phases: tuple[str, ...]) -> Iterator[str]:
    """The walk as a LaTeX file in chunks."""
    refuse_endless(context.walk)
    return budget.foreseen(_latex(context, phases), len(context.walk) + 3)


def _latex(context: GraphContext, phases: tuple[str, ...]) -> Iterator[str]:
    lines = LatexLines(context.alphabet, context.decimals, context.hidden, context.trace)
    writer = GraphFormulaWriter(
        context.trace, context.alphabet, context.decimals, context.hidden, lines
    )
    yield latex_document.opening(context.lesson.scenario, _source(context))
    yield "\n\\section*{What is given}\n\\begin{tabular}{@{}ll@{}}\n"
    for name, value in facts(context):
        yield f"{escaped(name)} & {escaped(value)} \\\\\n"
    yield "\\end{tabular}\\par\\medskip\n{\\raggedright\n"
    for node in context.graph.values:
        for q in node.entries():
            value = digits(context.trace.value(q), context.decimals)
            yield f"${lines.quantity(q)} = {value}$\\hspace{{2em}}\n"
    yield "\\par}\n"
    for phase, first, last in context.walk.phases():
        if phase in phases:
            yield f"\n\\section*{{{PHASE_TITLES[phase]}}}\n\\about{{{escaped(PASSES[phase])}}}\n"
            for n in range(first, last + 1):
                numbered = context.walk.grain != "pass"
                yield latex_document.step_text(graph_body(context, n, writer), numbered=numbered)
    yield "\n\\end{document}\n"


def _notation(context: GraphContext) -> str:
    """The notation, where it is not the one that every formula has."""
    return f"notation {context.view.notation}" if context.view.notation else ""


def _source(context: GraphContext) -> str:
    """What the document was made from, in one line."""
    parts = (
        f"Made from the lesson {context.lesson.scenario.id}", _LATEX_GRAINS[context.walk.grain],
        _notation(context), counted(context.decimals, "decimal"),
    )  # fmt: skip
    said = f"{', '.join(filter(None, parts))}. {told(context.lesson.changes)}"
    return escaped(said.strip())

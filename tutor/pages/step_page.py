"""The page of one step: everything its template shows, computed beforehand, from that step alone.

    step_page(context, n) -> StepPage

Templates loop and place, they decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise

from tutor import number
from tutor.draw.diagram import NetworkDrawing, Scene, drawing
from tutor.draw.scene import When
from tutor.engine.kinds import BACKWARD
from tutor.engine.quantity import Quantity
from tutor.lesson.walk import Step, furthest
from tutor.notation.markup import Markup
from tutor.pages.alignment import AlignedRow, aligned
from tutor.pages.cells import Table, TableMaker
from tutor.pages.context import Context
from tutor.pages.glossary import address
from tutor.pages.gradient_flow import FlowChart, HealthNote, flow_chart, health_at
from tutor.pages.outline import GrainLink, Link, PhaseLink, grains, samples, timeline
from tutor.pages.paper_page import drift_line
from tutor.pages.paths_page import has_paths
from tutor.pages.step_body import StepBody, step_body
from tutor.pages.tables import MOST_OF_A_PHASE, StepTables, closing, tables
from tutor.pages.what_if import Changed, changed, marked

MOST_SLIDE_NUMBERS = 5
"""Of more numbers of the slides at one step, the rest is said to be elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPage(StepBody):
    """What a step says, with everything that stands around it on the page."""

    lesson: str
    lesson_title: str
    home: str
    total: int
    ask: str
    """Where one may ask about the numbers of the step."""
    chain_href: str
    """The page that writes a gradient out along every path, where there is one."""
    diagram: Markup
    tables: StepTables
    matrices: tuple[AlignedRow, ...]
    """The rows of matrices of the tables, under the columns of the diagram."""
    ruler: str
    """The size of the diagram, from which the rows know where its columns are."""
    rows: int
    """For how many rows of a table there is room below the diagram: the same at every step of
    a grain, so that the diagram keeps its place.
    """
    health: tuple[HealthNote, ...] = ()
    """What is wrong with the gradient here."""
    flow: FlowChart | None
    """How large the gradient is in each layer, in the backward pass."""
    phases: tuple[PhaseLink, ...]
    grains: tuple[GrainLink, ...]
    samples: tuple[Link, ...]
    batch: str
    """Which samples of the data set the iteration uses; "" where they are all, in their order."""
    first: str
    back: str
    next: str
    last: str
    notices: tuple[str, ...]
    variant: str
    """That this is not the lecture's own iteration."""
    changed: Changed | None
    """What the reader changed, with the links that take it back."""
    was: str
    """The number that this step makes with the lesson's own numbers, where that is another one."""
    after: tuple[Link, ...]
    """At the last step: what one may do next."""
    closing: Table | None
    """At the last step: what the iteration changed."""
    closing_note: str
    """What that table leaves out, or ""."""
    drawn: str = "Diagram of the network"
    """What the picture is called."""
    closer: tuple[Link, ...] = ()
    """Pages that look closer at the derivatives of this step."""
    drift: str = ""
    """As on paper: how far what this step makes is from full precision; else ""."""
    drift_href: str = ""
    """The page that compares all numbers of the lesson."""
    css: str = ""
    """A class for the whole step, where its lesson is no network."""
    outside: str
    """In a frame on another site: the address of this step in the tutor, to be opened in a new tab.
    "" on the tutor's own pages.
    """

    @property
    def glossary(self) -> str:
        """The address of the term in the glossary; "" in a frame, which shows only steps."""
        return address(self.term[0]) if self.term and not self.outside else ""

    @property
    def grain(self) -> str:
        return self.step.walk.grain

    @property
    def symbol(self) -> Markup | str:
        """What the step makes, where that is one thing."""
        formulas = self.formulas
        return formulas[0].left if len(formulas) == 1 else ""

    @property
    def document(self) -> str:
        """The title of the document."""
        return f"{self.where}: {self.title} · {self.lesson_title} · Backprop Tutor"

    @property
    def where(self) -> str:
        return f"Step {self.n} of {self.total}"

    @property
    def spoken(self) -> str:
        """What the live region says."""
        return f"{self.where}: {self.title}"


def step_page(context: Context, n: int, notices: tuple[str, ...] = ()) -> StepPage:
    """The page of step n. Raises LessonError where the walk has no such step."""
    view, scenario = context.view, context.lesson.scenario
    body = step_body(context, n, most_printed=MOST_SLIDE_NUMBERS)
    step = context.step(n)
    maker = TableMaker(context, step, body.uses, body.makes)
    total, number_by_number = step.total, view.grain == "number"
    drawn, shown = drawing(scene(maker, body.title)), tables(maker)
    end = closing(maker) if step.last else None
    return StepPage(
        **{name: getattr(body, name) for name in _SAID},
        lesson=scenario.id,
        lesson_title=scenario.title,
        home=context.home,
        total=total,
        ask=view.quantity(scenario.id, step=n),
        chain_href=_apart(context, f"{n}/chain") if has_paths(step) else "",
        diagram=drawn.svg,
        tables=shown,
        matrices=_aligned(shown, drawn, context.trace.network.depth),
        ruler=drawn.box,
        rows=_rows(context),
        health=health_at(context, step),
        flow=flow_chart(context, step),
        phases=timeline(step, context.href),
        grains=grains(context, step),
        samples=samples(step, context.href),
        batch=context.batch,
        first=context.href(1) if n > 1 else "",
        back=context.href(n - 1) if n > 1 else "" if view.embedded else context.home,
        next=context.href(n + 1) if n < total else "",
        last=context.href(total) if n < total else "",
        notices=notices,
        variant=context.variant,
        changed=changed(context, n),
        was=_was(context, step.anchor) if number_by_number else "",
        closer=_closer(context, step),
        drift=drift_line(context, step),
        drift_href=view.on_paper(scenario.id),
        after=_after(context) if step.last else (),
        closing=end,
        closing_note=_closing_note(context) if end else "",
        outside=_apart(context, n) if view.embedded else "",
    )


def _aligned(shown: StepTables, drawn: NetworkDrawing, depth: int) -> tuple[AlignedRow, ...]:
    return aligned(shown.by_matrix, drawn.layout, depth) if shown.by_matrix else ()


MOST_ROWS = 6
"""With more rows than this below it the diagram would be too small; a longer table then stands in
columns, or scrolls.
"""
MOST_SAMPLES = 7
"""The same where the rows are samples: theirs are higher, and a network of one layer is low."""


def _rows(context: Context) -> int:
    """How many rows of a table a step may touch: those of all samples, a unit and the layer that it
    is made from, two whole layers, or the weights of a layer. Matrices stand in one row of the
    page, in the backward pass in two; the rows of a matrix are lower.
    """
    trace, grain = context.trace, context.view.grain
    sizes = trace.network.sizes
    if context.notation.names == "letters":
        tall = max(*sizes, trace.samples)
        return min(max(2 * tall - 2, 4), MOST_ROWS)
    if trace.network.depth == 1 and trace.samples > 1:
        return min(max(trace.samples, *sizes), MOST_SAMPLES)
    if grain == "number":
        return min(max(max(sizes) + 1, 3), MOST_ROWS)
    weights = (above * below for below, above in pairwise(sizes))
    return min(max(max(sizes) + max(sizes[1:]), *weights, 3), MOST_ROWS)


_SAID = tuple(field.name for field in fields(StepBody))


def _closer(context: Context, step: Step) -> tuple[Link, ...]:
    """The matrix calculus of the layer and its graph, at its derivatives; both routes, at the error
    signals of the outputs.
    """
    q, view, id_ = step.anchor, replace(context.view, embedded=False), context.lesson.scenario.id
    if step.phase != BACKWARD or not q.layer or view.grain == "pass" or context.trace.blocked:
        return ()
    asked = f"sample={q.sample}" if q.sample > 1 else ""
    links = [Link("Matrix calculus", view.jacobians(id_, q.layer, asked))]
    if q.of.by == "z" and q.layer == context.trace.fused_layer and q.of.derivative:
        routes = view.both_routes(id_, max(q.sample, 1), max(q.i, 1))
        links.insert(0, Link("Both routes", routes))
    graph = view.layer_graph(id_, (q.layer,), max(q.sample, 1))
    return (*links, Link("Computation graph", graph))


def _apart(context: Context, place: int | str) -> str:
    """An address in the lesson that is never in a frame."""
    return replace(context.view, embedded=False).address(context.lesson.scenario.id, place)


def _was(context: Context, q: Quantity) -> str:
    """What the original has for a quantity, where it differs."""
    old = context.was(q)
    return "" if old is None else number.apart(old, context.trace.value(q), context.decimals)


def scene(maker: TableMaker, caption: str) -> Scene:
    """The picture of the network at a step: what is known there, used and made."""
    context, step, n, fact = maker.context, maker.step, maker.step.n, maker.context.fact

    def value(q: Quantity) -> float | None:
        made, number = fact(q)
        return number if made <= n else None

    return Scene(
        context.trace.network, context.alphabet, context.decimals, value,
        maker.uses, maker.makes, step.phase, step.sample, caption, marked(context),
        When(step.n, step.walk.place, context.drawn, context.labels),
    )  # fmt: skip


def _closing_note(context: Context) -> str:
    """Why not all parameters are there, where they are too many."""
    count = context.trace.network.parameters
    if count <= MOST_OF_A_PHASE:
        return ""
    return f"The network has {count:,} weights and biases, too many for one table."


def _after(context: Context) -> tuple[Link, ...]:
    """What one may do at the end of a lesson."""
    lesson, view = context.lesson, context.view
    id_ = lesson.scenario.id
    links = []
    if not lesson.trace.stop and lesson.iteration < furthest(lesson.scenario):
        text = f"Go on with the new weights: iteration {lesson.iteration + 1}"
        links.append(Link(text, view.address(id_, 1, iteration=lesson.iteration + 1)))
        if not view.embedded:
            links.append(Link("Train on over many iterations", view.training(id_)))
    for grain, text in (
        ("layer", "Walk the same lesson in matrices"),
        ("number", "Walk the same lesson number by number"),
    ):
        if grain != view.grain:
            links.append(Link(text, view.address(id_, 1, grain=grain)))
    if view.embedded:
        return tuple(links)
    if lesson.scenario.printed:
        links.append(Link("Compare every number with the slides", f"/lessons/{id_}/slides"))
    return (*links, Link("All lectures and lessons", "/"))

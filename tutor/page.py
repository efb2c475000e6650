"""The page of one step: everything its template shows, computed beforehand, from that step alone.

    step_page(context, n)   -> StepPage      one step of a walk
    chain_page(context, n)  -> ChainPage     a gradient written out along every path

Templates loop and place, they decide nothing. The other pages are `gallery`, `overview` and `comparison`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tutor import number
from tutor.context import Context
from tutor.desk import Desk
from tutor.diagram import Scene, draw
from tutor.errors import LessonError
from tutor.explain import BEYOND, CHAIN, PHASE_TITLES, Explanation, explain, explain_phase, explain_stage, explain_stop
from tutor.flow import flow
from tutor.formula import Formula
from tutor.lesson import LayerWalk, PassWalk, furthest
from tutor.markup import Markup
from tutor.outline import Link, PhaseLink, grains, samples, timeline
from tutor.quantity import Quantity
from tutor.slides import SlideNumber
from tutor.tables import Tables, tables

MOST_SLIDE_NUMBERS = 7


@dataclass(frozen=True, slots=True)
class OperandRow:
    """Where a number of the formula comes from."""

    symbol: Markup
    text: str
    role: str
    name: str
    source: str
    href: str


@dataclass(frozen=True, slots=True)
class SlideView:
    """What the lecture says at this step."""

    numbers: tuple[SlideNumber, ...]
    more: int
    notes: tuple[str, ...]
    closed_forms: tuple[tuple[str, str, str, bool], ...]
    """(formula, where, what it comes to, whether the engine agrees)"""


@dataclass(frozen=True, slots=True)
class FlowRow:
    """How large the gradient is in one layer."""

    layer: int
    slope: str
    bound: str
    size: str
    factor: str


@dataclass(frozen=True, slots=True)
class StepPage:
    """One step. `formulas` has one entry, or several for a whole phase."""

    lesson: str
    lesson_title: str
    course: str
    home: str
    n: int
    total: int
    grain: str
    phase: str
    title: str
    why: str
    term: tuple[str, str] | None
    formulas: tuple[Formula, ...]
    operands: tuple[OperandRow, ...]
    stop: str
    beyond: str
    slide: SlideView | None
    chain_href: str
    """The page that writes the whole chain out, where there is one."""
    diagram: Markup
    tables: Tables
    flow: tuple[FlowRow, ...]
    phases: tuple[PhaseLink, ...]
    grains: tuple[Link, ...]
    samples: tuple[Link, ...]
    first: str
    back: str
    next: str
    last: str
    notices: tuple[str, ...]
    variant: str
    """What differs from the lesson as the lecture has it: another iteration, another loss."""
    after: tuple[Link, ...]
    """At the last step: what one may do next."""
    present: bool
    spoken: str
    """What the live region says."""

    @property
    def where(self) -> str:
        return f"Step {self.n} of {self.total}"


def step_page(context: Context, n: int, notices: tuple[str, ...] = ()) -> StepPage:
    """The page of step n. Raises LessonError where the walk has no such step."""
    walk, view, lesson = context.walk, context.view, context.lesson
    if not 1 <= n <= len(walk):
        raise LessonError(f"this lesson has the steps 1 to {len(walk)}, there is no step {n}")
    formulas, explanation, places = _content(context, n)
    uses = frozenset[Quantity]().union(*(f.uses for f in formulas))
    makes = frozenset[Quantity]().union(*(f.makes for f in formulas))
    stop = walk.stop if walk.stop and n == len(walk) else None
    desk = Desk(walk, n, context.alphabet, context.decimals, uses, makes)
    phase = walk.phase(n)
    title = explanation.title
    home = view.address(lesson.scenario.id)
    return StepPage(
        lesson=lesson.scenario.id,
        lesson_title=lesson.scenario.title,
        course=lesson.scenario.course,
        home=home,
        n=n,
        total=len(walk),
        grain=view.grain,
        phase=PHASE_TITLES[phase],
        title=title,
        why=explanation.why,
        term=explanation.term,
        formulas=formulas,
        operands=_operands(context, formulas, n),
        stop=explain_stop(context.trace, stop) if stop else "",
        beyond=BEYOND if any(f.beyond for f in formulas) else "",
        slide=_slide(context, places),
        chain_href=f"{n}/chain" + (f"?{view.query()}" if view.query() else "") if any(f.has_chain for f in formulas) else "",
        diagram=draw(_scene(context, desk, phase, title)),
        tables=tables(desk),
        flow=_flow(context, desk) if phase == "backward" and view.grain != "number" else (),
        phases=timeline(walk, n, view.step),
        grains=grains(lesson, view.grain, n, view),
        samples=samples(walk, n, view.step),
        first=view.step(1) if n > 1 else "",
        back=view.step(n - 1) if n > 1 else home,
        next=view.step(n + 1) if n < len(walk) else "",
        last=view.step(len(walk)) if n < len(walk) else "",
        notices=notices,
        variant=context.variant,
        after=_after(context) if n == len(walk) else (),
        present=view.present,
        spoken=f"Step {n} of {len(walk)}: {title}",
    )


@dataclass(frozen=True, slots=True)
class ChainPage:
    """A gradient written out as a sum over all paths from the loss."""

    title: str
    why: str
    formula: Formula
    n: int
    back: str


def chain_page(context: Context, n: int) -> ChainPage | None:
    """The whole chain of the gradient that step n makes, or None where there is none to write out."""
    q = context.walk.anchor(n)
    formula = context.chalk.chain(q) if context.walk.grain == "number" else None
    if formula is None:
        return None
    return ChainPage(explain(context.trace, q).title, CHAIN, formula, n, context.address(n))


def _content(context: Context, n: int) -> tuple[tuple[Formula, ...], Explanation, tuple[Quantity, ...]]:
    """The formulas, the words, and the quantities at which the lecture may have something to say."""
    walk = context.walk
    if isinstance(walk, PassWalk):
        made = context.chalk.phase(walk.stages(n))
        return made, explain_phase(walk.phase(n)), ()
    if isinstance(walk, LayerWalk):
        stage = walk.stages[n - 1]
        places = tuple(q for q in context.slides if context.step_of(q) == n)
        return (context.chalk.stage(stage),), explain_stage(context.trace, stage), places
    q = walk.anchor(n)
    extra = (Quantity("(loss-loss+)/loss"),) if q.kind == "loss-loss+" else ()
    return tuple(context.chalk.number(name) for name in (q, *extra)), explain(context.trace, q), (q, *extra)


def _operands(context: Context, formulas: tuple[Formula, ...], n: int) -> tuple[OperandRow, ...]:
    return tuple(
        OperandRow(o.symbol, o.text, o.role, str(o.quantity), *_source(context, o.quantity, n))
        for o in formulas[0].operands
    )


def _source(context: Context, q: Quantity, n: int) -> tuple[str, str]:
    """(where a number comes from, the address of that step)."""
    if q.given:
        after = context.lesson.iteration > 1 and q.kind in {"w", "b"}
        return (f"after iteration {context.lesson.iteration - 1}" if after else "given"), ""
    made = context.step_of(q)
    return (f"step {made}", context.view.step(made)) if 0 < made < n else ("", "")


def _slide(context: Context, places: tuple[Quantity, ...]) -> SlideView | None:
    found = [context.slides[q] for q in places if q in context.slides]
    if not found:
        return None
    entries = [entry for slide in found for entry in slide.numbers]
    entries.sort(key=lambda entry: entry.agrees)
    forms = tuple(
        (form.text, form.where, number.shown(form.value, context.decimals), form.agrees)
        for slide in found for form in slide.closed_forms[:MOST_SLIDE_NUMBERS]
    )  # fmt: skip
    notes = tuple(note for slide in found for note in slide.notes)
    return SlideView(tuple(entries[:MOST_SLIDE_NUMBERS]), max(0, len(entries) - MOST_SLIDE_NUMBERS), notes, forms)


def _scene(context: Context, desk: Desk, phase: str, caption: str) -> Scene:
    def value(q: Quantity) -> float | None:
        if not (q.given or desk.walk.known(q, desk.n)):
            return None
        try:
            return context.trace.value(q)
        except (KeyError, IndexError):
            return None

    return Scene(
        context.trace.network, context.alphabet, context.decimals, value, desk.uses, desk.makes, phase, desk.sample, caption
    )


def _flow(context: Context, desk: Desk) -> tuple[FlowRow, ...]:
    d = context.decimals
    rows = []
    for part in flow(context.trace):
        done = desk.walk.known(_delta(context, part.layer), desk.n)
        show = partial(_or_blank, done=done, decimals=d)
        bound = "" if part.bound is None else f"{part.bound:g}"
        rows.append(FlowRow(part.layer, show(part.largest_slope), bound, show(part.size), show(part.factor)))
    return tuple(rows)


def _delta(context: Context, layer: int) -> Quantity:
    return Quantity("dL/dz", layer, 1, 0, 1 if context.trace.samples > 1 else 0)


def _or_blank(value: float | None, *, done: bool, decimals: int) -> str:
    return number.shown(value, decimals) if done and value is not None else ""


def _after(context: Context) -> tuple[Link, ...]:
    """What one may do at the end of a lesson."""
    lesson, view = context.lesson, context.view
    id_ = lesson.scenario.id
    links = []
    if not lesson.trace.stop and lesson.iteration < furthest(lesson.scenario):
        text = f"Go on with the new weights: iteration {lesson.iteration + 1}"
        links.append(Link(text, view.address(id_, 1, iteration=lesson.iteration + 1)))
    for grain, text in (("layer", "Walk the same lesson in matrices"), ("number", "Walk the same lesson number by number")):
        if grain != view.grain:
            links.append(Link(text, view.address(id_, 1, grain=grain)))
    if lesson.scenario.printed:
        links.append(Link("Compare every number with the slides", f"/lessons/{id_}/slides"))
    return (*links, Link("All lectures and lessons", "/"))

"""The page of one step: everything its template shows, computed beforehand, from that step alone.

    step_page(context, n)   -> StepPage      one step of a walk
    chain_page(context, n)  -> ChainPage     a gradient written out along every path

Templates loop and place, they decide nothing. The other pages are `gallery`, `overview` and `comparison`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial

from tutor import number
from tutor.changes import told
from tutor.context import Context
from tutor.desk import Desk
from tutor.diagram import Scene, draw
from tutor.explain import CHAIN, explain
from tutor.flow import flow
from tutor.formula import Formula
from tutor.lesson import furthest
from tutor.markup import Markup
from tutor.outline import Link, PhaseLink, grains, samples, timeline
from tutor.quantity import Quantity
from tutor.step import SlideView, StepBody, step_body
from tutor.tables import Tables, tables
from tutor.what_if import Changed, changed, marked

MOST_SLIDE_NUMBERS = 5
"""Of more numbers of the slides at one step, the rest is said to be elsewhere."""


@dataclass(frozen=True, slots=True)
class OperandRow:
    """Where a number of the formula comes from."""

    symbol: str
    text: str
    name: str
    source: str
    href: str
    was: str = ""
    """What the original has there, where it is another number."""


@dataclass(frozen=True, slots=True)
class FlowRow:
    """How large the gradient is in one layer."""

    layer: int
    slope: str
    bound: str
    size: str
    factor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPage(StepBody):
    """What a step says, with everything that stands around it on the page."""

    lesson: str
    lesson_title: str
    home: str
    total: int
    operands: tuple[OperandRow, ...]
    more_operands: str
    """Which operands are not listed, in words, or ""."""
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
    """That this is not the lecture's own iteration."""
    changed: Changed | None
    """What the reader changed, with the links that take it back."""
    was: str
    """The number that this step makes with the lesson's own numbers, where that is another one."""
    after: tuple[Link, ...]
    """At the last step: what one may do next."""
    outside: str
    """In a frame on another site: the address of this step in the tutor, to be opened in a new tab. "" on the tutor's own pages."""

    @property
    def where(self) -> str:
        return f"Step {self.n} of {self.total}"

    @property
    def spoken(self) -> str:
        """What the live region says."""
        return f"{self.where}: {self.title}"


def step_page(context: Context, n: int, notices: tuple[str, ...] = ()) -> StepPage:
    """The page of step n. Raises LessonError where the walk has no such step."""
    walk, view, scenario = context.walk, context.view, context.lesson.scenario
    body = step_body(context, n)
    desk = Desk(walk, n, context.alphabet, context.decimals, body.uses, body.makes, was=context.was)
    phase, total = walk.phase(n), len(walk)
    outside = replace(view, embedded=False)
    home = outside.address(scenario.id)
    return StepPage(
        **{field.name: getattr(body, field.name) for field in fields(body) if field.name != "slide"},
        slide=_first_numbers(body.slide),
        lesson=scenario.id,
        lesson_title=scenario.title,
        home=home,
        total=total,
        operands=_operands(context, body.formulas, n),
        more_operands=_more_operands(body.formulas[0]),
        chain_href=outside.address(scenario.id, f"{n}/chain") if any(f.has_chain for f in body.formulas) else "",
        diagram=draw(scene(context, desk, phase, body.title)),
        tables=tables(desk),
        flow=_flow(context, desk) if phase == "backward" and view.grain != "number" else (),
        phases=timeline(walk, n, view.step),
        grains=grains(context.lesson, view.grain, n, view),
        samples=samples(walk, n, view.step),
        first=view.step(1) if n > 1 else "",
        back=view.step(n - 1) if n > 1 else "" if view.embedded else home,
        next=view.step(n + 1) if n < total else "",
        last=view.step(total) if n < total else "",
        notices=notices,
        variant=context.variant,
        changed=changed(context, n),
        was=_was(context, walk.anchor(n)) if view.grain == "number" else "",
        after=_after(context) if n == total else (),
        outside=outside.address(scenario.id, n) if view.embedded else "",
    )


@dataclass(frozen=True, slots=True)
class ChainPage:
    """A gradient written out as a sum over all paths from the loss."""

    title: str
    why: str
    formula: Formula
    n: int
    back: str
    changed: str
    """What a reader changed, as a sentence."""
    notices: tuple[str, ...]


def chain_page(context: Context, n: int, notices: tuple[str, ...] = ()) -> ChainPage | None:
    """The whole chain of the gradient that step n makes, or None where there is none to write out."""
    q = context.walk.anchor(n)
    formula = context.chalk.chain(q) if context.walk.grain == "number" else None
    if formula is None:
        return None
    return ChainPage(explain(context.trace, q).title, CHAIN, formula, n, context.address(n), told(context.lesson.changes), notices)


def _operands(context: Context, formulas: tuple[Formula, ...], n: int) -> tuple[OperandRow, ...]:
    return tuple(
        OperandRow(o.symbol, o.text, str(o.quantity), *_source(context, o.quantity, n), _was(context, o.quantity, o.text))
        for o in formulas[0].operands
    )


def _more_operands(formula: Formula) -> str:
    """What the list of operands leaves out."""
    more, given = formula.more_operands, formula.given_operands
    parts = [f"and {more} more"] if more else []
    parts += [f"and {given} given number{'s' * (given > 1)}"] if given else []
    return " ".join(parts)


def _first_numbers(slide: SlideView | None) -> SlideView | None:
    """The first few numbers of the slides, those that differ before the others; how many more there are."""
    if slide is None:
        return None
    more = max(0, len(slide.numbers) - MOST_SLIDE_NUMBERS)
    return replace(slide, numbers=slide.numbers[:MOST_SLIDE_NUMBERS], symbols=slide.symbols[:MOST_SLIDE_NUMBERS], more=more)


def _was(context: Context, q: Quantity, text: str = "") -> str:
    """What the original has for a quantity, where it differs; nothing beside a shape such as 3×2."""
    old = None if "×" in text else context.was(q)
    return "" if old is None else number.apart(old, context.trace.value(q), context.decimals)


def _source(context: Context, q: Quantity, n: int) -> tuple[str, str]:
    """(where a number comes from, the address of that step)."""
    if q.given:
        after = context.lesson.iteration > 1 and q.kind in {"w", "b"}
        return (f"after iteration {context.lesson.iteration - 1}" if after else "given"), ""
    made = context.step_of(q)
    return (f"step {made}", context.view.step(made)) if 0 < made < n else ("", "")


def scene(context: Context, desk: Desk, phase: str, caption: str) -> Scene:
    """The picture of the network at a step: what is known there, used and made."""

    def value(q: Quantity) -> float | None:
        hidden = context.hidden is not None and context.hidden(q)
        if hidden or not (q.given or desk.walk.known(q, desk.n)):
            return None
        try:
            return context.trace.value(q)
        except (KeyError, IndexError):
            return None

    return Scene(
        context.trace.network, context.alphabet, context.decimals, value, desk.uses, desk.makes, phase, desk.sample, caption,
        marked(context),
    )  # fmt: skip



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
    if view.embedded:
        return tuple(links)
    if lesson.scenario.printed:
        links.append(Link("Compare every number with the slides", f"/lessons/{id_}/slides"))
    return (*links, Link("All lectures and lessons", "/"))

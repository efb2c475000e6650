"""Pages: everything a template shows, computed beforehand. Templates loop and place, they decide nothing.

    step_page(lesson, view, n)  -> StepPage      one step of a walk
    lesson_page(lesson, view)   -> LessonPage    what a lesson is about and what it starts from
    slides_page(lesson, view)   -> SlidesPage    every number that the slides print, beside ours
    gallery_page(shelf)         -> GalleryPage   all lectures with their lessons

A step's page is built from that step alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from tutor import number
from tutor.diagram import Scene, draw, thumbnail
from tutor.errors import LessonError
from tutor.explain import BEYOND, CHAIN, PHASE_TITLES, Explanation, explain, explain_phase, explain_stage, explain_stop
from tutor.flow import flow
from tutor.formula import Chalk, Formula
from tutor.lesson import MAX_ITERATION, LayerWalk, Lesson, PassWalk, Walk
from tutor.markup import Markup
from tutor.mathml import Line
from tutor.notation import PRESETS, Alphabet, Notation, notation
from tutor.outline import Chapter, Link, PhaseLink, grains, outline, samples, timeline
from tutor.problem import Problem
from tutor.quantity import Quantity
from tutor.scenario import Scenario
from tutor.shelf import Shelf
from tutor.slides import SlideNumber, slides
from tutor.tables import Desk, Table, Tables, bias_row, data_matrix, tables, weight_matrix
from tutor.view import SWITCHABLE, View

MOST_SLIDE_NUMBERS = 7
LOSS_TITLES = {"squared_error": "squared error, as the loss is written", "half_squared_error": "half squared error, without the 2"}


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
class Choices:
    """The settings of the form, with what is chosen."""

    notations: tuple[tuple[str, str, bool], ...]
    decimals: tuple[tuple[str, str, bool], ...]
    losses: tuple[tuple[str, str, bool], ...]
    hidden: tuple[tuple[str, str], ...]
    """What the form has to carry along."""


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


@dataclass(frozen=True, slots=True)
class Panels:
    """What stands beside all steps of a lesson under one view: the outline and the settings."""

    chapters: tuple[Chapter, ...]
    choices: Choices
    present: bool
    toggle_present: str
    """A query: it leads to the step that is shown."""


class Context:
    """A lesson under a view: notation, alphabet, slides; made once for all its steps."""

    def __init__(self, lesson: Lesson, view: View) -> None:
        self.lesson, self.view = lesson, view
        self.trace = lesson.trace
        self.notation = notation_for(lesson.scenario, view)
        self.decimals = lesson.scenario.display.decimals if view.decimals is None else view.decimals
        self.alphabet = Alphabet.of(self.notation, self.trace.network, self.trace.samples)
        self.chalk = Chalk(self.trace, self.alphabet, self.decimals)
        self.slides = slides(lesson)
        self.walk = lesson.walk(view.grain)

    def address(self, n: int) -> str:
        """The address of a step, from anywhere."""
        return self.view.address(self.lesson.scenario.id, n)


def notation_for(scenario: Scenario, view: View) -> Notation:
    """The notation of a view: the lesson's own with its overrides, or another preset as it is."""
    if view.notation:
        return notation(view.notation)
    return notation(scenario.notation.preset, scenario.notation.overrides)


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
        variant=_variant(context),
        after=_after(context) if n == len(walk) else (),
        present=view.present,
        spoken=f"Step {n} of {len(walk)}: {title}",
    )


def panels(context: Context, n: int) -> Panels:
    """The outline and the settings; only the mark of the current place depends on n, and the page's script moves it."""
    view = context.view
    toggle = replace(view, present=not view.present).query()
    return Panels(outline(context.walk, n, view.step), _choices(context), view.present, f"?{toggle}")


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
        places = tuple(q for q in context.slides if _step(walk, q) == n)
        return (context.chalk.stage(stage),), explain_stage(context.trace, stage), places
    q = walk.anchor(n)
    extra = (Quantity("(loss-loss+)/loss"),) if q.kind == "loss-loss+" else ()
    return tuple(context.chalk.number(name) for name in (q, *extra)), explain(context.trace, q), (q, *extra)


def _step(walk: Walk, q: Quantity) -> int:
    try:
        return walk.step_of(q)
    except LessonError:
        return -1


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
    made = _step(context.walk, q)
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


def _choices(context: Context) -> Choices:
    scenario, view = context.lesson.scenario, context.view
    own = scenario.notation.preset
    chosen = view.notation or own
    names = tuple((p.preset, p.title + (" (the lecture’s own)" if p.preset == own else ""), p.preset == chosen) for p in PRESETS.values())
    decimals = tuple((str(d), f"{d} decimals", d == context.decimals) for d in sorted({2, 3, 4, 5, 6, 8, 10, context.decimals}))
    losses = tuple((key, LOSS_TITLES[key], key == context.lesson.loss_name) for key in SWITCHABLE) if context.lesson.loss_name in SWITCHABLE else ()
    hidden = [("grain", view.grain)] if view.grain != "number" else []
    hidden += [("iteration", str(view.iteration))] if view.iteration != 1 else []
    hidden += [("present", "yes")] if view.present else []
    return Choices(names, decimals, losses, tuple(hidden))


def _variant(context: Context) -> str:
    parts = []
    if context.lesson.iteration > 1:
        parts.append(f"iteration {context.lesson.iteration}, so the numbers are no longer those of the slides")
    if context.lesson.loss_name != context.lesson.scenario.loss.name:
        parts.append(f"{context.trace.network.loss.title} in place of the lecture’s own loss")
    return "; ".join(parts)


def _after(context: Context) -> tuple[Link, ...]:
    """What one may do at the end of a lesson."""
    lesson, view = context.lesson, context.view
    id_ = lesson.scenario.id
    links = []
    most = MAX_ITERATION if lesson.scenario.training.iterations == 1 else min(MAX_ITERATION, lesson.scenario.training.iterations)
    if not lesson.trace.stop and lesson.iteration < most:
        text = f"Go on with the new weights: iteration {lesson.iteration + 1}"
        links.append(Link(text, view.address(id_, 1, iteration=lesson.iteration + 1)))
    for grain, text in (("layer", "Walk the same lesson in matrices"), ("number", "Walk the same lesson number by number")):
        if grain != view.grain:
            links.append(Link(text, view.address(id_, 1, grain=grain)))
    if lesson.scenario.printed:
        links.append(Link("Compare every number with the slides", f"/lessons/{id_}/slides"))
    return (*links, Link("All lectures and lessons", "/"))


# ---- a lesson's first page ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LessonPage:
    """What a lesson is about, what it starts from, and where to begin."""

    id: str
    title: str
    course: str
    about: str
    learn: tuple[str, ...]
    shape: str
    facts: tuple[tuple[str, str], ...]
    diagram: Markup
    given: tuple[Table, ...]
    start: str
    grains: tuple[tuple[str, str, int], ...]
    """(title, address of the first step, number of steps)"""
    slides: str
    printed: int
    slips: int
    notices: tuple[str, ...]
    variant: str


def lesson_page(context: Context, notices: tuple[str, ...] = ()) -> LessonPage:
    """The first page of a lesson."""
    lesson, view = context.lesson, context.view
    scenario, network = lesson.scenario, context.trace.network
    steps = {"number": "Number by number", "layer": "Layer by layer", "pass": "Phase by phase"}
    scene = Scene(network, context.alphabet, context.decimals, partial(_given_only, context), frozenset(), frozenset(), "",
                  1 if context.trace.samples > 1 else 0, f"The network {network.shape} with its given weights")  # fmt: skip
    return LessonPage(
        scenario.id, scenario.title, scenario.course, scenario.about, scenario.learn, network.shape, _facts(context),
        draw(scene), tuple(_given(context)), view.address(scenario.id, 1),
        tuple((title, view.address(scenario.id, 1, grain=g), len(lesson.walk(g))) for g, title in steps.items()),
        f"/lessons/{scenario.id}/slides" if scenario.printed else "", len(scenario.printed),
        sum(1 for entry in scenario.printed if entry.slip), notices, _variant(context),
    )  # fmt: skip


def _given_only(context: Context, q: Quantity) -> float | None:
    return context.trace.value(q) if q.given else None


def _facts(context: Context) -> tuple[tuple[str, str], ...]:
    network, training = context.trace.network, context.lesson.scenario.training
    rules = [layer.activation.name.replace("_", " ") for layer in network.layers]
    over = f", {network.reduction} over samples" if context.trace.samples > 1 else ""
    return (
        ("Network", network.shape),
        ("Activations", ", ".join(rule for rule, _ in groupby(rules)) if len(set(rules)) > 1 else rules[0]),
        ("Loss", network.loss.title + over),
        ("Samples", str(context.trace.samples)),
        ("Weights and biases", f"{network.parameters:,}"),
        ("Learning rate", number.shown(training.learning_rate, 6)),
    )


def _given(context: Context) -> Iterable[Table]:
    """The numbers that the lesson starts from: a strip of matrices, whatever the notation."""
    walk = context.lesson.walk("number")
    desk = Desk(walk, 1, context.alphabet, context.decimals, frozenset(), frozenset())
    yield data_matrix(desk, "Inputs", "x", 0)
    for layer in range(1, context.trace.network.depth + 1):
        yield weight_matrix(desk, f"Weights of layer {layer}", "w", layer)
        if context.trace.network.layer(layer).biases is not None:
            yield bias_row(desk, f"Biases of layer {layer}", "b", layer)
    yield data_matrix(desk, "Targets", "y", 0)


# ---- the slides of a lesson --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlideRow:
    """A printed number beside ours, with the step that explains it."""

    symbol: Markup | str
    printed: str
    computed: str
    agrees: bool
    where: str
    slip: str
    n: int
    href: str


@dataclass(frozen=True, slots=True)
class SlidesPage:
    """Every number that the slides print."""

    id: str
    title: str
    home: str
    rows: tuple[SlideRow, ...]
    slips: int


def slides_page(context: Context) -> SlidesPage:
    """The comparison of a lesson with its slides, in the order of the walk."""
    line = Line(context.alphabet, context.decimals)
    rows = [
        _slide_row(context, line, q, entry) for q, slide in context.slides.items() for entry in slide.numbers
    ]
    rows.sort(key=lambda row: row.n)
    scenario = context.lesson.scenario
    return SlidesPage(scenario.id, scenario.title, f"/lessons/{scenario.id}", tuple(rows), sum(not row.agrees for row in rows))


def _slide_row(context: Context, line: Line, q: Quantity, entry: SlideNumber) -> SlideRow:
    plain = "{" not in entry.quantity
    n = max(_step(context.lesson.walk("number"), q), 0)
    value = number.percent(entry.computed, 4) if entry.percent else number.shown(entry.computed, 6)
    return SlideRow(
        line.quantity(q) if plain else entry.quantity.replace("{", "").replace("}", ""),
        entry.printed, value, entry.agrees, entry.where, entry.slip, n, f"/lessons/{context.lesson.scenario.id}/steps/{max(n, 1)}",
    )  # fmt: skip


# ---- the gallery -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    """One lesson in the gallery."""

    id: str
    title: str
    learn: tuple[str, ...]
    shape: str
    kind: str
    steps: int
    href: str
    picture: Markup


@dataclass(frozen=True, slots=True)
class Lecture:
    """A course with its lessons."""

    course: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """All lectures; scenario files that cannot be shown, with their problems."""

    lectures: tuple[Lecture, ...]
    broken: tuple[tuple[str, tuple[Problem, ...]], ...]


def gallery_page(shelf: Shelf, steps: dict[str, int]) -> GalleryPage:
    """The first page. `steps` tells how many steps each lesson has."""
    courses = groupby(shelf.lessons, key=lambda scenario: scenario.course)
    lectures = tuple(Lecture(course or "More lessons", tuple(_card(s, steps.get(s.id, 0)) for s in group)) for course, group in courses)
    return GalleryPage(lectures, tuple((b.name, b.problems) for b in shelf.broken))


def _card(scenario: Scenario, steps: int) -> Card:
    sizes = scenario.network.sizes
    rules = dict.fromkeys(layer.activation.replace("_", " ") for layer in scenario.network.layers)
    samples_ = len(scenario.inputs)
    kind = ", ".join(rules) + (f", {samples_} samples" if samples_ > 1 else "")
    shape = "-".join(map(str, sizes))
    return Card(scenario.id, scenario.title, scenario.learn, shape, kind, steps, f"/lessons/{scenario.id}",
                thumbnail(sizes, f"Network {shape}"))  # fmt: skip

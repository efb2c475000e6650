"""A lesson's first page: what it is about, what it starts from, and where to begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from tutor import number
from tutor.draw.diagram import Scene, draw
from tutor.engine.cancelling import cancels
from tutor.engine.kinds import KINDS
from tutor.engine.optimizers import SCHEDULES, Knob
from tutor.engine.quantity import Quantity
from tutor.lesson.by_hand import FEWEST, MOST
from tutor.lesson.opening import no_paper
from tutor.lesson.slides import tally
from tutor.notation.markup import Markup
from tutor.pages.cells import Table, TableMaker
from tutor.pages.context import AnyContext, Context
from tutor.pages.data_facts import before_scaling, data_facts
from tutor.pages.gradient_flow import HealthNote, health
from tutor.pages.outline import Link
from tutor.pages.paths_page import FIRST
from tutor.pages.tables import matrix_table
from tutor.pages.what_if import Changed, above_description, changed, marked
from tutor.scenario.reader import AnyScenario
from tutor.store.saved_lessons import is_saved


@dataclass(frozen=True, slots=True)
class LessonPage:
    """What a lesson is about, what it starts from, and where to begin."""

    id: str
    title: str
    source: str
    """The course and the lecture."""
    about: str
    learn: tuple[str, ...]
    shape: str
    facts: tuple[tuple[str, str], ...]
    diagram: Markup
    given: tuple[Table, ...]
    start: str
    grains: tuple[tuple[str, str, str], ...]
    """(title, address of the first step, number of steps in words)"""
    slides: str
    printed: str
    """How many numbers the slides print, in words, and how many of them are in each state."""
    tally: str
    training: str
    """The address of the training; "" where nothing can be trained."""
    export: str
    share: str
    edit: str
    """The address of the builder, filled with a copy of this lesson."""
    saved: bool
    """Whether a reader saved it; it cannot be changed then."""
    origin: Link | None
    """The lesson that this one was made from; without an address where that is gone."""
    notices: tuple[str, ...]
    variant: str
    changed: Changed | None
    drawn: str = "Diagram of the network"
    """What the picture is called."""
    editable: str = "other numbers, layers, samples"
    """What one can change in a copy."""
    more: tuple[Link, ...] = ()
    """Other pages of the lesson."""
    css: str = ""
    """A class for the page, where its lesson is no network."""
    closer: tuple[tuple[str, str, str], ...] = ()
    """(title, address, what it shows) of the pages that look closer at the derivatives."""
    health: tuple[HealthNote, ...] = ()
    """What is wrong with the gradient."""


ANY_NUMBER, WHERE_FROM = "Any number", "where it comes from, down to what is given"
CHECK, MEASURED = "Check the gradient", "measured beside backpropagation"


def lesson_page(
    context: Context, notices: tuple[str, ...] = (), origin: AnyScenario | None = None
) -> LessonPage:
    """The first page of a lesson. `origin` is the lesson that it was made from, where that is still
    there.
    """
    lesson, view = context.lesson, context.view
    scenario, network = lesson.scenario, context.trace.network
    slips = [entry for entry in scenario.printed if entry.slip]
    left_open = [entry for entry in scenario.printed if entry.left_open]
    steps = {"number": "Number by number", "layer": "Layer by layer", "pass": "Phase by phase"}
    view, whole = view.from_raw(context.source), lesson.from_raw
    walks = tuple(
        (title, view.address(scenario.id, 1, grain=g), number.counted(len(whole.walk(g)), "step"))
        for g, title in steps.items()
    )
    return LessonPage(
        scenario.id, scenario.title, scenario.source, scenario.about, scenario.learn,
        network.shape, facts(context), draw(beginning(context)), tuple(given(context)),
        view.address(scenario.id, 1), walks,
        f"/lessons/{scenario.id}/slides" if scenario.printed else "",
        number.counted(len(scenario.printed), "number"),
        tally(len(scenario.printed) - len(slips) - len(left_open), len(left_open), len(slips)),
        "" if context.trace.stop else view.training(scenario.id),
        view.export(scenario.id), view.share(scenario.id), view.edit(scenario.id),
        is_saved(scenario.id), made_from(scenario, origin), notices, context.variant,
        above_description(changed(context, None)), closer=tuple(closer(context)),
        health=health(context),
    )  # fmt: skip


def closer(context: Context) -> Iterator[tuple[str, str, str]]:
    """The pages that look closer at how one number depends on another."""
    view, lesson = context.view, context.lesson.scenario.id
    yield ANY_NUMBER, view.quantity(lesson), WHERE_FROM
    if not context.trace.blocked:
        yield "All paths", view.paths(lesson, FIRST), "a gradient path by path, in the diagram"
        depth = context.trace.network.depth
        yield "Matrix calculus", view.jacobians(lesson, depth), "the Jacobians of each layer"
    graph = context.view.from_raw(context.source).layer_graph(lesson)
    yield "Computation graph", graph, "the whole network at once, layer by layer"
    if cancels(context.trace):
        yield "Both routes", view.both_routes(lesson), "the full Jacobian, and output minus target"
    if not context.trace.stop:
        yield CHECK, view.check(lesson), MEASURED
    yield from on_paper(context)


def on_paper(context: AnyContext) -> Iterator[tuple[str, str, str]]:
    """The lesson as on paper, where it is not too long for that."""
    scenario = context.lesson.scenario
    if not no_paper(scenario):
        paper = context.view.paper or min(max(scenario.display.decimals, FEWEST), MOST)
        address = context.view.on_paper(context.source.id, paper)
        yield "As on paper", address, "every number rounded and carried on"


def made_from(scenario: AnyScenario, origin: AnyScenario | None) -> Link | None:
    """Where a lesson comes from, where its file says so."""
    if not scenario.origin:
        return None
    return (
        Link(origin.title, f"/lessons/{origin.id}")
        if origin
        else Link("a lesson that no longer exists", "")
    )


def beginning(context: Context) -> Scene:
    """The network with the numbers that the lesson starts from."""
    network, samples = context.trace.network, context.trace.samples
    nothing: frozenset[Quantity] = frozenset()
    caption = f"The network {network.shape} with its given weights"
    known = partial(given_only, context)
    sample, was = 1 if samples > 1 else 0, marked(context)
    return Scene(
        network,
        context.alphabet,
        context.decimals,
        known,
        nothing,
        nothing,
        "",
        sample,
        caption,
        was,
    )


def given_only(context: Context, q: Quantity) -> float | None:
    """The value of what is given; None for what is computed."""
    return context.trace.value(q) if context.walk.starts_from(q) else None


def facts(context: Context) -> tuple[tuple[str, str], ...]:
    """What kind of lesson it is: (name, value)."""
    network, training = context.trace.network, context.lesson.scenario.training
    rules = [layer.activation.name.replace("_", " ") for layer in network.layers]
    over = f", {network.reduction} over samples" if context.trace.samples > 1 else ""
    skips = [_skip(n, layer.skip) for n, layer in enumerate(network.layers, 1) if layer.skip]
    heading = "Skip connections" if len(skips) > 1 else "Skip connection"
    return (
        ("Network", network.shape),
        (
            "Activations",
            ", ".join(rule for rule, _ in groupby(rules)) if len(set(rules)) > 1 else rules[0],
        ),
        *(((heading, "; ".join(skips)),) if skips else ()),
        ("Loss", network.loss.title + over),
        ("Samples", str(context.lesson.scenario.data.samples)),
        *data_facts(context.lesson.scenario),
        ("Weights and biases", f"{network.parameters:,}"),
        ("Learning rate", number.shown(training.learning_rate, 6)),
        *learning(context),
    )


def learning(context: Context) -> Iterator[tuple[str, str]]:
    """How it learns, where that is not plain gradient descent: optimizer, schedule, penalty,
    clipping and dropout with their numbers.
    """
    rule = context.trace.network.rule
    shown = {name: number.short(value) for name, value in rule.numbers.items()}
    if rule.optimizer != "sgd":
        yield "Optimizer", rule.how.title + _letters(rule.how.knobs, shown)
    if rule.schedule:
        yield "Schedule", SCHEDULES[rule.schedule].short.format(**shown)
    if rule.by_layer:
        each = enumerate(map(number.short, rule.by_layer), 1)
        told = ", ".join(f"{value} in layer {n}" for n, value in each)
        yield "Penalty", f"{PENALISED_EACH[rule.penalty]}, λ = {told}"
    elif rule.penalty:
        yield "Penalty", PENALISED[rule.penalty].format(**shown)
    if rule.clip:
        yield "Clipping", CLIPPED[rule.clip].format(**shown)
    layers = enumerate(context.trace.network.layers, 1)
    dropped = [f"{100 * layer.dropout:.4g}% of layer {n}" for n, layer in layers if layer.dropout]
    if dropped:
        yield "Dropout", ", ".join(dropped)


PENALISED: Final = {
    "squared": "½ λ‖W‖² over all weights, λ = {l2}",
    "norm": "λ‖W‖ over all weights, λ = {l2}",
}
PENALISED_EACH: Final = {
    "squared": "½ λ‖W‖² of each layer, added up",
    "norm": "λ‖W‖ of each layer, added up",
}
CLIPPED: Final = {
    "norm": "gradient scaled down to length {clip} where it is longer",
    "value": "each number of the gradient at least −{clip} and at most {clip}",
}


def _letters(knobs: Iterable[Knob], shown: Mapping[str, str]) -> str:
    """The numbers with their letters: `: β₁ = 0.9, ε = 1e-08`."""
    told = ", ".join(f"{_letter(knob)} = {shown[knob.name]}" for knob in knobs)
    return f": {told}" if told else ""


def _letter(knob: Knob) -> str:
    letter = KINDS[knob.name].letter.replace("_", "").translate(LOWERED)
    return f"weight decay {letter}" if knob.name == "weight_decay" else letter


LOWERED: Final = str.maketrans("12", "₁₂")


def _skip(layer: int, skip: int) -> str:
    return f"from {f'layer {layer - skip}' if layer > skip else 'the inputs'} to layer {layer}"


def given(context: Context) -> Iterator[Table]:
    """The numbers that the lesson starts from: a row of matrices, whatever the notation."""
    maker = TableMaker(context, context.lesson.walk("number").step(1))
    if context.lesson.scenario.data.scale is not None:
        yield before_scaling(maker)
    if not context.trace.statistics:
        yield matrix_table(maker, "Inputs", "x", 0)
    for layer in range(1, context.trace.network.depth + 1):
        yield matrix_table(maker, f"Weights of layer {layer}", "w", layer)
        if context.trace.network.layer(layer).biases is not None:
            yield matrix_table(maker, f"Biases of layer {layer}", "b", layer)
    yield matrix_table(maker, "Targets", "y", 0)

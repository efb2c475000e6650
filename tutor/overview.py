"""A lesson's first page: what it is about, what it starts from, and where to begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from tutor import number
from tutor.context import Context
from tutor.desk import Desk, Table
from tutor.diagram import Scene, draw
from tutor.markup import Markup
from tutor.quantity import Quantity
from tutor.strips import bias_row, data_matrix, weight_matrix


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
        sum(1 for entry in scenario.printed if entry.slip), notices, context.variant,
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


def _given(context: Context) -> Iterator[Table]:
    """The numbers that the lesson starts from: a strip of matrices, whatever the notation."""
    walk = context.lesson.walk("number")
    desk = Desk(walk, 1, context.alphabet, context.decimals, frozenset(), frozenset())
    yield data_matrix(desk, "Inputs", "x", 0)
    for layer in range(1, context.trace.network.depth + 1):
        yield weight_matrix(desk, f"Weights of layer {layer}", "w", layer)
        if context.trace.network.layer(layer).biases is not None:
            yield bias_row(desk, f"Biases of layer {layer}", "b", layer)
    yield data_matrix(desk, "Targets", "y", 0)

"""What stands above the lessons on the first page: where to start, and one neuron that learns.

The neuron is the first lesson of the shelf that is one, with the numbers that the engine has; where
no lesson is one, there is no picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tutor.catalogue.shelf import Shelf
from tutor.draw.neuron import neuron
from tutor.engine.kinds import BACKWARD, FORWARD, LOSS, UPDATE, VERIFY
from tutor.engine.quantity import Quantity
from tutor.notation.markup import Markup
from tutor.pages.context import Context
from tutor.scenario.model import FORWARD_ONLY
from tutor.scenario.reader import AnyScenario, Scenario

SHOWN = (
    (FORWARD, "Forward", Quantity("z", 1, 1)),
    (LOSS, "Loss", Quantity("loss")),
    (BACKWARD, "Backward", Quantity("dL/dw", 1, 1, 1)),
    (UPDATE, "Update", Quantity("w+", 1, 1, 1)),
    (VERIFY, "Better?", Quantity("loss+")),
)
"""One number of each phase."""


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """A phase and one number of it, with its formula."""

    key: str
    name: str
    formula: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeuronPicture:
    """One neuron that computes forward and back: its drawing, and one number of each phase."""

    drawing: Markup
    phases: tuple[PhaseLine, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Where a newcomer starts: the first step of the first lesson."""

    href: str
    text: str


def start(shelf: Shelf) -> Start | None:
    """The first step of the first lesson that is shown; None where there is none."""
    first = next(_listed(shelf), None)
    if first is None:
        return None
    if not isinstance(first, Scenario):
        return Start(f"/lessons/{first.id}/steps/1", "Start with the first lesson")
    network = first.network
    one_weight = network.sizes == (1, 1) and network.layers[0].biases is None
    text = "Start with one weight" if one_weight else "Start with the first lesson"
    return Start(f"/lessons/{first.id}/steps/1", text)


def neuron_lesson(shelf: Shelf) -> Scenario | None:
    """The first lesson that is shown and is one neuron that learns: two inputs, a bias, one
    sample.
    """
    networks = (lesson for lesson in _listed(shelf) if isinstance(lesson, Scenario))
    return next((lesson for lesson in networks if _is_neuron(lesson)), None)


def _is_neuron(lesson: Scenario) -> bool:
    network, layer = lesson.network, lesson.network.layers[-1]
    return (
        network.sizes == (2, 1)
        and len(lesson.inputs) == 1
        and layer.biases is not None
        and layer.activation not in FORWARD_ONLY
        and network.learns(1) == (True, True)
    )


def _listed(shelf: Shelf) -> Iterator[AnyScenario]:
    """The lessons in the order of the page, without hidden ones."""
    return (lesson for course in shelf.courses for lesson in course.lessons)


def neuron_picture(context: Context) -> NeuronPicture | None:
    """The picture of such a lesson; None where its numbers leave the range of floating point."""
    if context.trace.stop is not None:
        return None
    found: NeuronPicture = context.memo.once("neuron picture", lambda: _drawn(context))
    return found


def _drawn(context: Context) -> NeuronPicture:
    title = "One neuron: numbers go forward to the loss, gradients go back to the weights"
    return NeuronPicture(
        neuron(context.trace, context.alphabet, context.decimals, title),
        tuple(PhaseLine(key, name, _formula(context, q)) for key, name, q in SHOWN),
    )


def _formula(context: Context, q: Quantity) -> tuple[str, ...]:
    """The symbol of a number, the numbers that it is made of, and the number."""
    made = context.formulas.number(q)
    lines = {line.label: line.math for line in made.lines}
    return made.left, lines["numbers"], lines["result"]

"""What a draft gives, beside the form: its problems, its diagram, and the first steps where it
is sound.

    preview(draft)   -> Preview

A network that would take long to compute is not computed here, and that is said. Of a draft with
problems the diagram shows the shape and every number that can be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np

from tutor.builder.checked import Draft, checked, generator_of
from tutor.builder.data_picture import picture_of
from tutor.builder.draft import LayerDraft
from tutor.builder.draft_data import field_of
from tutor.builder.edit import fitted
from tutor.builder.fields import TOP, label
from tutor.draw.diagram import Scene, draw
from tutor.engine.activations import NAMES, activation
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.quantity import Quantity
from tutor.errors import NumberError, TutorError
from tutor.lesson import validation
from tutor.lesson.dataset import DataError, all_alike
from tutor.lesson.formula import FormulaLine
from tutor.lesson.walk import Lesson, open_lesson
from tutor.limits import PARAMETERS
from tutor.notation.conventions import Alphabet, notation
from tutor.notation.markup import Markup
from tutor.number import counted, read, whole
from tutor.pages.context import Context
from tutor.pages.overview import beginning
from tutor.pages.step_body import step_body
from tutor.pages.training_pictures import Picture
from tutor.pages.view import View
from tutor.scenario.problem import Path
from tutor.scenario.reader import Scenario

STEPS: Final = 4
MOST_WORK: Final = 2_000_000
"""Weights times samples; more is not computed while one types."""
MOST_UNITS: Final = 400
"""The picture of a draft with problems is not drawn for more units."""
MOST_LISTED: Final = 30
NO_FIELD: Final = {
    "printed": "the numbers that the slides print",
    "notes": "the notes at steps",
    "checks": "the closed forms to compare",
}
DOUBTS: Final = "rest"
"""The field of printed numbers and closed forms that no longer hold."""

_BIASES = re.compile(r"b\[([0-9]{1,4})\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListedProblem:
    """A problem with the way to its field."""

    href: str
    label: str
    message: str


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One of the first steps: its title and its formula, from the numbers on."""

    title: str
    left: str
    lines: tuple[FormulaLine, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What stands beside the form."""

    state: str
    """One line: valid, or how many problems there are."""
    sound: bool
    problems: tuple[ListedProblem, ...]
    more_problems: int
    notes: tuple[str, ...]
    diagram: Markup | str
    picture: Picture | None
    """The samples that a generator makes, where they can be drawn."""
    steps: tuple[FirstStep, ...]
    more: str
    """How many steps follow those shown, in words, or ""."""
    offer: tuple[str, str]
    """(action, text) of a button that helps with the problems; empty texts where there is none."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A draft after all checks: its scenario where it is sound, its problems by field, its lesson
    where it was computed.
    """

    draft: Draft
    scenario: Scenario | None
    problems: dict[str, str]
    lesson: Lesson | None
    doubted: tuple[str, ...] = ()
    """Parts that came with the lesson and no longer hold."""


def examined(draft: Draft, thorough: bool = False) -> Examined:
    """The checks of `draft`, and those of `tutor validate` too where it is quickly computed, or
    with `thorough`.
    """
    scenario, problems = checked(draft)
    if scenario is None or (heavy(scenario) and not thorough):
        return Examined(draft, scenario, problems, None)
    try:
        lesson = open_lesson(scenario)
    except DataError as error:
        return Examined(draft, None, {field_of(draft, error.path): str(error)}, None)
    except TutorError as error:
        return Examined(draft, None, {TOP: str(error)}, None)
    doubts = list(validation.disagreeing(lesson))
    parts = tuple(
        part for part in ("printed", "checks") if any(path[0] == part for path, _ in doubts)
    )
    # what is doubted cannot always be computed
    bare = replace(lesson, scenario=replace(scenario, printed=(), notes=(), checks=()))
    return Examined(
        draft,
        None if doubts else scenario,
        {DOUBTS: _doubted(doubts)} if doubts else {},
        bare,
        parts,
    )


def _doubted(doubts: list[tuple[Path, str]]) -> str:
    """What is to be said of printed numbers and closed forms that no longer hold."""
    path, message = doubts[0]
    count = (
        f"{len(doubts)} of its numbers no longer hold"
        if len(doubts) > 1
        else "one of its numbers no longer holds"
    )
    example = f"{path[0]}, entry {int(path[1]) + 1}: {message.removesuffix(validation.MENDING)}"
    return f"{count} ({example}). Drop them, or change the numbers back"


def heavy(scenario: Scenario) -> bool:
    """Whether computing it takes too long to be done while one types."""
    return (
        scenario.data.samples
        * sum(into * (below + 1) for below, into in pairwise(scenario.network.sizes))
        > MOST_WORK
    )


def preview(found: Examined, extra: tuple[str, ...] = ()) -> Preview:
    """What stands beside the form of this draft."""
    count = len(found.problems)
    listed = tuple(
        ListedProblem(f"#{anchor(found.draft, name)}", label(name), said)
        for name, said in found.problems.items()
    )
    steps, more = first_steps(found.lesson) if found.lesson else ((), "")
    return Preview(
        _state(found), found.scenario is not None, listed[:MOST_LISTED],
        max(0, count - MOST_LISTED), (*extra, *_notes(found)),
        _diagram(found), picture_of(generator_of(found.draft)), steps, more, _offer(found),
    )  # fmt: skip


def _offer(found: Examined) -> tuple[str, str]:
    said = found.problems.get(DOUBTS, "")
    parts = found.doubted or tuple(part for part in NO_FIELD if said.startswith(f"{part},"))
    return (
        (f"drop:{'+'.join(parts)}", f"Drop {' and '.join(NO_FIELD[part] for part in parts)}")
        if parts
        else ("", "")
    )


def _state(found: Examined) -> str:
    if found.problems:
        return f"{counted(len(found.problems), 'problem')} to fix"
    if found.lesson is None:
        return "The form is valid"
    steps = counted(len(found.lesson.walk("number")), "step")
    return f"Valid {found.lesson.trace.network.shape} network, {steps}"


def _notes(found: Examined) -> tuple[str, ...]:
    if found.scenario and found.lesson is None:
        return ("It is too large to compute while you type; save it to see its steps.",)
    alike = found.lesson and all_alike(found.lesson.scenario)
    if alike:
        return (f"{alike}, so there is nothing to tell apart.",)
    if found.lesson and found.lesson.trace.stop:
        return (
            (
                f"This lesson ends early, at {found.lesson.trace.stop.quantity}; "
                "its last step says why."
            ),
        )
    return ()


def anchor(draft: Draft, name: str) -> str:
    """The id of a field, or of the table that it belongs to."""
    match = _BIASES.fullmatch(name)
    if match and 1 <= int(match[1]) <= len(draft.layers):
        layer = draft.layers[int(match[1]) - 1]
        return (
            name
            if layer.bias.text is not None or layer.weights.text is not None
            else f"w[{match[1]}]"
        )
    return name or "build"


# ---- the first steps ----


def first_steps(lesson: Lesson) -> tuple[tuple[FirstStep, ...], str]:
    """The first steps, and how many follow, in words or ""."""
    context = Context(lesson, View())
    total = len(context.walk)
    steps = []
    for n in range(1, min(STEPS, total) + 1):
        body = step_body(context, n)
        formula = body.formulas[0]
        steps.append(
            FirstStep(
                body.title,
                formula.left,
                tuple(line for line in formula.lines if line.label in {"numbers", "result"}),
            )
        )
    more = total - len(steps)
    return tuple(steps), counted(more, "more step") if more else ""


# ---- the picture ----


def _diagram(found: Examined) -> Markup | str:
    if found.lesson:
        return draw(beginning(Context(found.lesson, View())))
    draft = fitted(found.draft).draft
    network = sketched(draft)
    return "" if network is None else draw(_scene(draft, network))


def sketched(draft: Draft) -> Network | None:
    """The shape of a draft as a network of zeros, as far as it is known; None where there is
    nothing to draw.
    """
    widths = draft.widths
    size = sum(into * (below + 1) for below, into in pairwise(widths))
    if len(widths) < 2 or sum(widths) > MOST_UNITS or size > PARAMETERS:
        return None
    layers: list[Layer] = []
    for (columns, rows), layer in zip(pairwise(widths), draft.layers, strict=True):
        rule = activation(layer["activation"] if layer["activation"] in NAMES else "identity")
        biases = frozen(np.zeros(rows)) if layer.has_biases else None
        layers.append(
            Layer(
                frozen(np.zeros((rows, columns))),
                biases,
                rule,
                True,
                True,
                _skip(layer, len(layers) + 1, widths),
            )
        )
    return Network(tuple(layers), loss("squared_error"), "mean")


def _skip(layer: LayerDraft, number: int, widths: tuple[int, ...]) -> int:
    """How far the skip connection of a layer goes back, where it can; else 0."""
    back = whole(layer["skip"].strip(), 1, number) or 0
    return back if back and widths[number] == widths[number - back] else 0


def _scene(draft: Draft, network: Network) -> Scene:
    alphabet, many = alphabet_of(draft, network.sizes), draft.size > 1
    nothing: frozenset[Quantity] = frozenset()
    known = partial(typed, draft)
    return Scene(
        network,
        alphabet,
        4,
        known,
        nothing,
        nothing,
        "",
        1 if many else 0,
        "The network so far",
    )


def alphabet_of(draft: Draft, sizes: tuple[int, ...]) -> Alphabet:
    """The letters of the draft's notation; those of the first one where it is not known."""
    try:
        chosen = notation(draft["notation"])
    except TutorError:
        chosen = notation("brackets")
    return Alphabet(chosen, sizes, draft.size)


def typed(draft: Draft, q: Quantity) -> float | None:
    """A given number of a draft, None where it cannot be read."""
    row = max(q.sample, 1) - 1
    try:
        match q.kind:
            case "x" | "y" if draft.made:
                return None
            case "x":
                return read(draft.x.cells[row][q.i - 1])
            case "y":
                return read(draft.y.cells[row][q.i - 1])
            case "w" if draft.layers[q.layer - 1].given:
                return read(draft.layers[q.layer - 1].weights.cells[q.i - 1][q.j - 1])
            case "b":
                return read(draft.layers[q.layer - 1].bias.cells[0][q.i - 1])
    except (IndexError, NumberError):
        return None
    return None

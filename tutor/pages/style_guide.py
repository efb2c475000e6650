"""The tutor's own design on one page: type, room, corners, lines, colours with their contrast, and
every part of the pages once.

The parts are drawn from a small network by the templates of the pages, and the figures are read
from the style sheets, so that the page shows what is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tutor.lesson.formula import Formula
from tutor.lesson.walk import Lesson, open_lesson
from tutor.notation.markup import Markup
from tutor.pages.cells import Table
from tutor.pages.context import Context
from tutor.pages.step_page import StepPage, step_page
from tutor.pages.view import View
from tutor.scenario.reader import Scenario, parse

SHEETS = Path(__file__).parents[2] / "static"
LESSON = """\
format: 1
title: A small network
network:
  inputs: 2
  layers:
    - {units: 2, activation: tanh, weights: [[0.5, -0.5], [1, 0.5]], biases: [0, 0.1]}
    - {units: 1, activation: sigmoid, weights: [[1, -1]], biases: [0]}
  loss: {name: binary_cross_entropy}
data: {inputs: [[1, 2]], targets: [[1]]}
training: {learning_rate: 0.5}
"""
"""The network of the examples."""
AT = "dL/dw[2][1,1]"
"""The number at which it is shown: formula, tables and diagram have something to mark."""

INKS = {
    "ink": "text", "quiet": "text of less weight", "accent": "links, buttons, focus",
    "good": "agrees", "bad": "differs, problem", "a": "activations and inputs",
    "z": "pre-activations", "w": "weights", "b": "biases", "y": "targets",
    "g": "gradients and error signals", "d": "slopes", "l": "loss", "e": "learning rate",
}  # fmt: skip
"""The colours of text, and what each is for."""
GROUNDS = {
    "paper": "the page", "soft": "formulas, folds", "makes": "what a step makes",
    "uses": "what a step uses", "note": "notices, slides",
}  # fmt: skip
"""The colours of grounds, and what each is for."""
TYPE = {
    "type-1": "remarks inside formulas and small tables", "type-2": "facts, labels of phases",
    "type-3": "tables, tools, fields", "type-4": "running text, heading inside a part",
    "type-5": "heading of a part", "type-6": "title of a step", "type-7": "heading of a page",
    "type-8": "title on a projector",
}  # fmt: skip
"""The sizes of type, and what each is for."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A size of type, of room, of a target, a corner or a line."""

    name: str
    size: str
    use: str = ""


@dataclass(frozen=True, slots=True)
class Shade:
    """A colour in one scheme; of a colour of text its contrast with the page, and with the ground
    from which it stands out least.
    """

    colour: str
    on_page: str = ""
    least: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """A colour by what it is for, in light and in dark."""

    name: str
    use: str
    light: Shade
    dark: Shade


@dataclass(frozen=True, slots=True)
class StyleGuide:
    """Everything that the page shows."""

    type: tuple[Measure, ...]
    spaces: tuple[Measure, ...]
    targets: tuple[Measure, ...]
    corners: tuple[Measure, ...]
    lines: tuple[Measure, ...]
    inks: tuple[Role, ...]
    grounds: tuple[Role, ...]
    formula: Formula
    table: Table
    heading: str
    matrices: tuple[Table, ...]
    diagram: Markup


def page() -> StyleGuide:
    """The page."""
    sheet = (SHEETS / "tokens.css").read_text(encoding="utf-8")
    light, dark = schemes(sheet)
    shown, in_matrices = _example("brackets"), _example("letters")
    heading, matrices = in_matrices.tables.by_matrix[0]
    return StyleGuide(
        tuple(Measure(name, size, TYPE[name]) for name, size in measures(sheet, r"type-\d")),
        tuple(Measure(*found) for found in measures(sheet, r"space-\d")),
        tuple(Measure(*found) for found in measures(sheet, r"target-\d")),
        tuple(Measure(*found) for found in measures(sheet, r"radius-\d")),
        tuple(Measure(*found) for found in measures(sheet, "thin|thick|bar")),
        tuple(Role(n, use, _ink(n, light), _ink(n, dark)) for n, use in INKS.items()),
        tuple(Role(n, use, Shade(light[n]), Shade(dark[n])) for n, use in GROUNDS.items()),
        shown.formulas[0],
        shown.tables.by_row[-1],
        heading,
        matrices,
        shown.diagram,
    )


def measures(sheet: str, names: str) -> list[tuple[str, str]]:
    """The sizes in the style sheet whose names match, in its order, each with its name."""
    return re.findall(rf"--({names}): ([\d.]+(?:rem|px));", sheet)


@cache
def _lesson() -> Lesson:
    scenario = parse(LESSON, "style.yaml")
    assert isinstance(scenario, Scenario)
    return open_lesson(scenario)


@cache
def _example(notation: str) -> StepPage:
    context = Context(_lesson(), View(notation=notation))
    (n,) = (n for n in range(1, len(context.walk) + 1) if str(context.walk.anchor(n)) == AT)
    return step_page(context, n)


# ---- colours ----

Scheme = dict[str, str]


def schemes(sheet: str) -> tuple[Scheme, Scheme]:
    """The colours of the style sheet by name, in light and in dark."""
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{([^}]*--ink:[^}]*)\}", sheet)
    )
    return light, {**light, **dark}


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2 defines it: from 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _ink(name: str, scheme: Scheme) -> Shade:
    figures = {ground: contrast(scheme[name], scheme[ground]) for ground in GROUNDS}
    least = min(figures, key=figures.__getitem__)
    return Shade(scheme[name], f"{figures['paper']:.1f}", f"{figures[least]:.1f} on {least}")

"""The page on which a formula is typed and walked at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from tutor import number
from tutor.draw.graph import draw_graph
from tutor.engine.operations import FUNCTIONS
from tutor.lesson.graph_words import explain_stop
from tutor.notation.markup import Markup
from tutor.pages.cells import Table
from tutor.pages.formula_view import PLAIN, FormulaProblem, FormulaView, Pairs, Typed
from tutor.pages.gradient_flow import Health
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_flow import node_health
from tutor.pages.graph_overview import GRAINS, closer
from tutor.pages.graph_step import CSS, PICTURE, nodes_table, scene_at
from tutor.pages.outline import Link
from tutor.pages.view import joined
from tutor.scenario import dump

EXAMPLES: Final = (
    ("(x + y)·z", "f = (x + y)*z\nx = -2\ny = 5\nz = -4"),
    ("A sigmoid neuron", "f = sigmoid(w*x + b)\nw = 2\nx = -1\nb = 3"),
    ("One factor twice", "f = x*sin(x) + exp(-x)\nx = 0.5"),
    ("The error of a neuron", "L = (y - a)**2\na = tanh(w*x + b)\nw = 0.5\nx = 2\nb = -1\ny = 1"),
    ("A list of numbers", "f = sum((a*x - y)**2)/3\na = 2\nx = [1, 2, 3]\ny = [1, 5, 6]"),
)  # fmt: skip
"""(name, lines)."""


@dataclass(frozen=True, slots=True)
class Walked:
    """A formula that was walked: its picture, its numbers, where one can go."""

    diagram: Markup
    drawn: str
    value: str
    """Its result in words: `f = −12`."""
    stop: str
    """Why it ends early, or ""."""
    table: Table
    ways: tuple[tuple[str, str, str], ...]
    """(title, address of the first step, how many steps)"""
    more: tuple[Link, ...]
    file: str
    """The formula as a lesson's file."""
    health: Health | None


@dataclass(frozen=True, slots=True)
class FormulaPage:
    """The form with what was typed, and what became of it."""

    text: str
    chosen: Pairs
    """How one looks at it, for the form to carry along."""
    problems: tuple[FormulaProblem, ...]
    notices: tuple[str, ...]
    walked: Walked | None
    examples: tuple[Link, ...]
    functions: str
    css: str = CSS


def formula_page(
    found: Typed, context: GraphContext | None, chosen: Pairs = (), notices: tuple[str, ...] = ()
) -> FormulaPage:
    """The page; with a context where the formula was walked. `chosen` is how one looks at it."""
    links = tuple(
        Link(title, joined("/formula", urlencode({"text": text}, safe=PLAIN), urlencode(chosen)))
        for title, text in EXAMPLES
    )
    variant = context.variant if context else ""
    said = (f"You are looking at a variant: {variant}.",) if variant else ()
    return FormulaPage(
        found.text, chosen, found.problems, (*found.notices, *said, *notices),
        None if context is None else _walked(context), links, ", ".join(FUNCTIONS),
    )  # fmt: skip


def _walked(context: GraphContext) -> Walked:
    view, graph, stop = context.view, context.graph, context.lesson.stop
    assert isinstance(view, FormulaView)
    last = len(context.walk)
    value = number.shown(context.trace.value(graph.parse(graph.result.name)), context.decimals)
    id_ = context.source.id
    more = [] if stop else [Link("Forward and reverse accumulation, side by side",
                                 view.accumulation(id_))]  # fmt: skip
    more += [Link(title, href) for title, href, _ in closer(context)]
    more += [
        Link("Share: a link, a QR code, a frame", view.share(id_)),
        Link("Export: worked solution, worksheet, code, data", view.export(id_)),
    ]
    return Walked(
        draw_graph(scene_at(context, last)), PICTURE,
        "" if stop else f"{graph.result.name} = {value}",
        explain_stop(context.trace, stop) if stop else "",
        nodes_table(context, last, frozenset(), frozenset()),
        tuple(
            (title, view.address(id_, 1, grain=grain),
             number.counted(len(context.lesson.walk(grain)), "step"))
            for grain, title in GRAINS.items()
        ),
        tuple(more), dump.write(context.source), node_health(context),
    )  # fmt: skip

"""How many steps a lesson has, number by number, for lists of many lessons.

    length(scenario) -> Length(79)              small enough to be computed: exact, also where the walk ends early
    length(scenario) -> Length(119_231, False)  large: counted from its shape, so it is the most that there can be

A large lesson whose numbers overflow has fewer steps than its shape says; that is why such a count is not called exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tutor.build import build
from tutor.engine.order import NumberOrder
from tutor.errors import TutorError
from tutor.lesson import open_lesson
from tutor.number import counted
from tutor.scenario import Scenario
from tutor.scenario_model import FORWARD_ONLY

EASY = 100_000
"""Parameters times samples that are computed without asking; about a millisecond."""


@dataclass(frozen=True, slots=True)
class Length:
    """A number of steps; where it is not exact there may be fewer."""

    steps: int
    exact: bool = True

    def __str__(self) -> str:
        steps = counted(self.steps, "step")
        return steps if self.exact else f"at most {steps}"


def length(scenario: Scenario) -> Length | None:
    """The steps of a lesson; None where it cannot be computed, so that one lesson never hides the others."""
    try:
        return Length(len(open_lesson(scenario).walk("number"))) if _easy(scenario) else Length(_by_shape(scenario), exact=False)
    except TutorError:
        return None


def _easy(scenario: Scenario) -> bool:
    return len(scenario.inputs) * sum(below * into + into for below, into in pairwise(scenario.network.sizes)) <= EASY


def _by_shape(scenario: Scenario) -> int:
    """The whole walk; it ends at the last layer without a derivative, at its first slope."""
    flat = max((n for n, layer in enumerate(scenario.network.layers, 1) if layer.activation in FORWARD_ONLY), default=0)
    order = NumberOrder.of(build(scenario).network, len(scenario.inputs), flat, scenario.display.input_gradients)
    if not flat:
        return len(order)
    backward = next(n for n, section in enumerate(order.sections) if section.phase == "backward")
    section = order.sections[backward]
    return order.starts[backward] + section.round - section.blocks[-1].size + 1

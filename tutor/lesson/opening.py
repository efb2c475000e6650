"""Any scenario as a lesson, whatever it is made of: the one place that tells them apart.

opened(scenario, …) -> AnyLesson
length(scenario)    -> Length(79), or None where it cannot be computed
no_paper(scenario)  -> why it is not computed as on paper, or ""
"""

from __future__ import annotations

from functools import singledispatch

from tutor import limits
from tutor.engine.graph_paper import operands
from tutor.errors import LessonError
from tutor.lesson import walk
from tutor.lesson.graph_lesson import open_graph
from tutor.lesson.walk import AnyLesson, Length, by_shape, open_lesson
from tutor.scenario.graph_file import graph_of
from tutor.scenario.reader import AnyScenario, GraphScenario, Scenario


@singledispatch
def opened(
    scenario: AnyScenario,
    iteration: int = 1,
    input_gradients: bool | None = None,
    scaling: bool = True,
) -> AnyLesson:
    """Compute a lesson; `scaling` as in `open_lesson`. Raises LessonError where it does not get to
    that iteration.
    """
    raise TypeError(type(scenario))


@opened.register
def _(
    scenario: Scenario,
    iteration: int = 1,
    input_gradients: bool | None = None,
    scaling: bool = True,
) -> AnyLesson:
    return open_lesson(scenario, iteration, input_gradients=input_gradients, scaling=scaling)


@opened.register
def _(
    scenario: GraphScenario,
    iteration: int = 1,
    input_gradients: bool | None = None,
    scaling: bool = True,
) -> AnyLesson:
    if iteration != 1:
        raise LessonError("a formula is walked once; it has no iterations")
    return open_graph(scenario)


@singledispatch
def length(scenario: AnyScenario) -> Length | None:
    """How many steps a lesson has, number by number."""
    raise TypeError(type(scenario))


@length.register
def _(scenario: Scenario) -> Length | None:
    return walk.length(scenario)


@length.register
def _(scenario: GraphScenario) -> Length | None:
    return Length(len(open_graph(scenario).walk("number")))


PAPER = "paper"
"""What an address calls the decimals to round to; a value of a formula may be called so too."""


@singledispatch
def no_paper(scenario: AnyScenario) -> str:
    """Why a lesson is not computed as on paper; "" where it is."""
    raise TypeError(type(scenario))


@no_paper.register
def _(scenario: Scenario) -> str:
    count = by_shape(scenario)
    if count <= limits.PAPER_NUMBERS:
        return ""
    return (
        f"as on paper a lesson has at most {limits.PAPER_NUMBERS:,} numbers, and this one has "
        f"{count:,}"
    )


@no_paper.register
def _(scenario: GraphScenario) -> str:
    if PAPER in scenario.graph.values:
        return f"“{PAPER}” in the address is a value of this formula, which can have another name"
    count = operands(graph_of(scenario.graph))
    if count <= limits.PAPER_NUMBERS:
        return ""
    return (
        f"as on paper the steps of a formula read at most {limits.PAPER_NUMBERS:,} numbers, and "
        f"those of this one read {count:,}"
    )

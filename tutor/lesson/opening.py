"""Any scenario as a lesson, whatever it is made of: the one place that tells them apart.

opened(scenario, …) -> AnyLesson
length(scenario)    -> Length(79), or None where it cannot be computed
"""

from __future__ import annotations

from functools import singledispatch

from tutor.errors import LessonError
from tutor.lesson import walk
from tutor.lesson.graph_lesson import open_graph
from tutor.lesson.walk import AnyLesson, Length, open_lesson
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

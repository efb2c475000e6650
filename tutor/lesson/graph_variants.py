"""Versions of a formula for worksheets: the same formula with new friendly values, from a seed.

    graph_variant(scenario, seed, number)   -> GraphScenario       version `number` (from 1)
    graph_variants(scenario, count, seed)   -> GraphScenario, ...  versions 1 to count

As with networks (`tutor.lesson.variants`) the same lesson, seed and number give the same values for
ever. A number keeps its sign and 0 stays 0, so that what is under a root or a logarithm stays
there; whole numbers stay whole and others are tenths. A value of nothing but 0 and 1 is a class, a
mask or a target, and a single number beside arrays that nothing is differentiated with respect to
is a setting, such as a dimension: they stay as they are, unless nothing else is there. Values that
end the walk early, hide a factor or stop a derivative where the original does not are drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import copysign
from typing import Final

import numpy as np

from tutor.engine.graph import quantity
from tutor.engine.graph_health import STEEP, findings
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.health import GROWS
from tutor.lesson.graph_lesson import open_graph
from tutor.lesson.redraw import Pool, Stream, whole
from tutor.lesson.variants import Numbers, Redrawing, ends_elsewhere, refuse, version, versions
from tutor.scenario.graph_file import Value
from tutor.scenario.reader import GraphScenario

SMALLEST: Final = 1.2345e-4
LARGEST: Final = 1.2345e4
"""Between these sizes a number can be worked with by hand; the original may have others."""
HIGH: Final = {STEEP, GROWS}
"""What is high is no fault: LARGEST says what is too large."""
CHOICE: Final = 9
"""How many sizes there are at the least, of whole numbers or of tenths."""


def graph_variant(
    scenario: GraphScenario, seed: int, number: int, most: int | None = None
) -> GraphScenario:
    """Version `number` of a formula. Raises VariantError, also where no fit values are found."""
    refuse(number, seed)
    return version(GraphRedrawing(scenario), seed, number, most)


def graph_variants(
    scenario: GraphScenario, count: int, seed: int, most: int | None = None
) -> tuple[GraphScenario, ...]:
    """Versions 1 to `count`, all different from each other and from the original. Raises
    VariantError.
    """
    refuse(count, seed)
    return versions(GraphRedrawing(scenario), count, seed, most)


class GraphRedrawing(Redrawing[GraphScenario]):
    """The values of a formula."""

    def __init__(self, scenario: GraphScenario) -> None:
        self.scenario = scenario
        self.trace = open_graph(scenario).trace
        self.yardstick = {what for what, _ in _weak(self.trace)}
        values = {name: flat(value) for name, value in scenario.graph.values.items()}
        kept = {name for name, found in values.items() if set(found) <= {0.0, 1.0}}
        if not {*map(len, values.values())} <= {1}:
            kept |= {
                name for name in _single(scenario) if name not in self.trace.graph.differentiate
            }
        self.names = {*values} - kept or {*values}
        self.free = self.size = sum(len(values[name]) for name in self.names)
        graph = scenario.graph
        shapes = [[name, len(found)] for name, found in values.items()]
        self.structure = ["graph", graph.expression, sorted(graph.names.items()), shapes]

    def drawn(self, stream: Stream) -> GraphScenario:
        values = {
            name: _redrawn(value, stream) if name in self.names else value
            for name, value in self.scenario.graph.values.items()
        }
        graph = self.scenario.graph.model_copy(update={"values": values})
        return replace(self.scenario, graph=graph)

    def numbers(self, scenario: GraphScenario) -> Numbers:
        return tuple(scenario.graph.values.items())

    def fault(self, scenario: GraphScenario) -> str:
        trace = open_graph(scenario).trace
        before, after = self.trace.stop, trace.stop
        if (before and before.quantity) != (after and after.quantity):
            return ends_elsewhere(after)
        if self._alike(scenario):
            return "two values are alike, which hides a mistake"
        with np.errstate(all="ignore"):
            return next((said for what, said in _weak(trace) if what not in self.yardstick), "")

    def _alike(self, scenario: GraphScenario) -> bool:
        """Whether single values are of one size that are not in the original."""
        before, after = (
            {abs(number) for number in _single(found).values()}
            for found in (self.scenario, scenario)
        )
        return len(after) < len(before)


def _single(scenario: GraphScenario) -> dict[str, float]:
    """The values that are single numbers."""
    values = scenario.graph.values.items()
    return {name: value for name, value in values if isinstance(value, float)}


def _weak(trace: GraphTrace) -> Iterator[tuple[str, str]]:
    """What leaves too little or too much to compute: the same word for the same thing in another
    version, and what is said of it.
    """
    graph = trace.graph
    if trace.stop is not None:
        return
    kinds = [graph.result.kind]
    kinds += [graph.derivative(graph.by_name[name]).kind for name in graph.differentiate]
    for kind in kinds:
        name, sizes = str(quantity(kind)), np.abs(trace[kind])
        if not sizes.min() > SMALLEST:
            yield f"small {name}", f"{name} is 0, or too small to work with"
        if not sizes.max() < LARGEST:
            yield f"large {name}", f"{name} is too large to work with"
    for found in findings(trace):
        if found.what in HIGH:
            continue
        yield f"{found.what} {found.node.name}", f"{found.node.name} is {found.what}"


def flat(value: Value) -> tuple[float, ...]:
    """The numbers of a value in reading order."""
    return (value,) if isinstance(value, float) else tuple(n for part in value for n in flat(part))


def _redrawn(value: Value, stream: Stream) -> Value:
    """Other numbers in the shape of a value."""
    before = flat(value)
    pool = Pool.like(before, CHOICE, whole([before]))
    drawn = pool.numbers(pool.draw(stream, len(before)))
    left = (copysign(new, old) if old else 0.0 for new, old in zip(drawn, before, strict=True))

    def shaped(part: Value) -> Value:
        return next(left) if isinstance(part, float) else tuple(map(shaped, part))  # type: ignore[return-value]

    return shaped(value)

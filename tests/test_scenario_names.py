"""The names that a scenario file may use are those that the engine computes: one rule in two
places, held together here.
"""

from __future__ import annotations

from itertools import product

import pytest

from tutor.engine.kinds import KINDS
from tutor.engine.order import NumberOrder
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace, run
from tutor.lesson.setup import build
from tutor.scenario import names as scenario_names
from tutor.scenario import reader
from tutor.scenario.names import Sizes

HEAD = "format: 1\ntitle: A\nnetwork:\n  inputs: 2\n  layers:\n"
SOFTMAX = "    - {units: 2, activation: softmax, weights: [[1, 2, 3], [3, 2, 1]], biases: none}\n"
HIDDEN = (
    "    - {units: 3, activation: tanh, weights: [[1, 2], [3, 4], [5, 6]], biases: [1, 2, 3]}\n"
)
STEP = HIDDEN.replace("tanh", "step")
FROZEN = HIDDEN.replace("}", ", trainable: {weights: false}}")
TAIL = "  loss: {name: squared_error}\ntraining: {learning_rate: 0.1}\n"
ONE, TWO = (
    "data: {inputs: [[1, 2]], targets: [[1, 0]]}\n",
    "data: {inputs: [[1, 2], [2, 1]], targets: [[1, 0], [0, 1]]}\n",
)

FILES = {
    "one sample": HEAD + HIDDEN + SOFTMAX + TAIL + ONE,
    "two samples": HEAD + HIDDEN + SOFTMAX + TAIL + TWO,
    "frozen weights": HEAD + FROZEN + SOFTMAX + TAIL + TWO,
    "a step below": HEAD + STEP + SOFTMAX + TAIL + TWO,
    "a step above": HEAD + HIDDEN + SOFTMAX.replace("softmax", "sign") + TAIL + ONE,
}


def traced(name: str) -> tuple[Sizes, Trace]:
    found = reader.parse(FILES[name], "x.yaml")
    network, problem = found.network, build(found)
    learns = tuple(network.learns(number) for number in range(1, len(network.layers) + 1))
    sizes = Sizes(network.inputs, network.layers, learns, len(found.inputs))
    return sizes, run(problem.network, problem.x, problem.y, problem.eta)


def all_names() -> list[str]:
    """Every name of a small network, and some beyond it."""
    names = []
    for kind, found in KINDS.items():
        count, may_name_sample = found.indices, found.names_samples
        layers = range(1, 4) if found.layered else [0]
        seconds = range(1, 5) if count == 2 else range(4) if kind == "da/dz" else [0]
        for layer, i, j, sample in product(
            layers, range(1, 5) if count else [0], seconds, range(4) if may_name_sample else [0]
        ):
            names.append(str(Quantity(kind, layer, i, j, sample)))
    return names


@pytest.mark.parametrize("name", FILES)
def test_every_step_of_the_walk_may_be_named(name: str) -> None:
    sizes, trace = traced(name)
    for step in NumberOrder.of(trace.network, trace.samples, trace.blocked):
        assert not scenario_names.refusal(str(step), sizes, step=True)


@pytest.mark.parametrize("name", FILES)
def test_every_name_that_is_taken_has_a_number(name: str) -> None:
    sizes, trace = traced(name)
    taken = [text for text in all_names() if not scenario_names.refusal(text, sizes)]
    assert len(taken) > 30
    for text in taken:
        assert isinstance(trace.value(parse(text)), float)


@pytest.mark.parametrize("name", FILES)
def test_every_name_that_is_refused_comes_with_a_reason_and_itself(name: str) -> None:
    sizes, _ = traced(name)
    for text in all_names():
        refusal = scenario_names.refusal(text, sizes)
        assert not refusal or refusal.startswith(f"there is no {text} here: ")

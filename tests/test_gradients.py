"""Every gradient against central differences: of every scenario, and of random networks.

The oracle knows nothing of backward: it runs the network forward with one number moved a little,
four times, and takes the five-point slope. Points where a moved number would cross a corner of an
activation are left out on purpose; what we take for the derivative there is stated in
test_activations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tests.rules import per_sample
from tests.strategies import problems
from tutor.engine.activations import activation
from tutor.engine.kinds import GRADIENT
from tutor.engine.losses import LOSSES, loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace, run
from tutor.lesson.setup import Setup, build
from tutor.scenario.reader import load

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
STEP = 2e-4
SHORT_STEP = STEP / 8
"""For a second look: where a loss bends sharply, what the five points leave out is more than the
tolerance, and it falls with the fourth power of the step.
"""
TOLERANCE = 1e-7
MOST = 40
"""How many gradients of one kind and layer are checked in a random network."""


class Moved:
    """The network of a problem, run forward with one quantity moved by some amount."""

    def __init__(self, problem: Setup) -> None:
        self.problem = problem

    def loss(self, q: Quantity, amount: float) -> tuple[float, list[np.ndarray]]:
        """The loss, and on which side of its corner each unit was."""
        network, x = self.problem.network, self.problem.x
        passed = [self._at(x, (max(q.sample, 1) - 1, q.i - 1), amount) if q.kind == "x" else x]
        sides = []
        for number, layer in enumerate(network.layers, 1):
            mine = q.layer == number
            weights = (
                self._at(layer.weights, (q.i - 1, q.j - 1), amount)
                if mine and q.kind == "w"
                else layer.weights
            )
            z = passed[-1] @ weights.T
            if layer.biases is not None:
                z = z + (
                    self._at(layer.biases, (q.i - 1,), amount)
                    if mine and q.kind == "b"
                    else layer.biases
                )
            place = (max(q.sample, 1) - 1, q.i - 1)
            z = self._at(z, place, amount) if mine and q.kind == "z" else z
            a = layer.activation.f(z)
            a = self._at(a, place, amount) if mine and q.kind == "a" else a
            r = a + passed[number - layer.skip] if layer.skip else a
            passed.append(self._at(r, place, amount) if mine and q.kind == "r" else r)
            if layer.activation.at_kink:
                sides.append(z > 0)
        rule, y, a = network.loss, self.problem.y, passed[-1]
        # A moved output activation has no pre-activation of its own: the cross-entropies take the
        # textbook form there.
        shares = (
            textbook(rule.name, a, y)
            if q.kind == "a" and q.layer == network.depth
            else per_sample(rule, a, y, z)
        )
        return float(shares.sum() * network.scale(len(y))), sides

    @staticmethod
    def _at(array: np.ndarray, place: tuple[int, ...], amount: float) -> np.ndarray:
        moved = array.copy()
        moved[place] += amount
        return moved

    def slope(self, q: Quantity, h: float = STEP) -> float | None:
        """The five-point slope of the loss along q, or None where a corner lies between the points."""
        runs = [self.loss(q, n * h) for n in (-2, -1, 1, 2)]
        if any(
            (one != other).any()
            for _, sides in runs[1:]
            for one, other in zip(runs[0][1], sides, strict=True)
        ):
            return None
        low2, low, high, high2 = (value for value, _ in runs)
        return (8 * (high - low) - (high2 - low2)) / (12 * h)


def textbook(name: str, a: np.ndarray, y: np.ndarray) -> np.ndarray:
    if name == "binary_cross_entropy":
        return -(y * np.log(a) + (1 - y) * np.log1p(-a)).sum(axis=1)
    if name == "cross_entropy":
        return -(y * np.log(a)).sum(axis=1)
    return per_sample(LOSSES[name], a, y, a)


def gradients(trace: Trace) -> Iterator[tuple[Quantity, float]]:
    """What is moved, and the engine's derivative of the loss by it."""
    for number in range(trace.network.depth + 1):
        for kind in "wbzar":
            found = trace.get((GRADIENT[kind], number))
            if found is None:
                continue
            places = list(np.ndindex(found.shape))
            for place in places[:: 1 + len(places) // MOST]:
                first, *rest = (n + 1 for n in place)
                if kind in "zar":
                    yield (
                        Quantity(kind if number else "x", number, rest[0], 0, first),
                        float(found[place]),
                    )
                else:
                    yield Quantity(kind, number, first, rest[0] if rest else 0), float(found[place])


def close(found: float, slope: float, size: float) -> bool:
    """Written so that a NaN is not close to anything."""
    return abs(found - slope) <= TOLERANCE * max(1.0, abs(found), size)


def checked(problem: Setup, trace: Trace) -> tuple[int, list[str]]:
    """How many gradients were compared, and those that are wrong."""
    oracle, count, wrong = Moved(problem), 0, []
    for q, found in gradients(trace):
        output = q.kind == "a" and q.layer == trace.network.depth
        if output and problem.network.loss.fused_with:
            a = trace.value(q)
            if not 0.01 < a < 0.99:
                continue  # the slope of the logarithm changes too fast for this step there
        slope = oracle.slope(q)
        if slope is None:
            continue
        count += 1
        if not close(found, slope, abs(trace.loss)):
            slope = oracle.slope(q, SHORT_STEP)
        if slope is None or not close(found, slope, abs(trace.loss)):
            wrong.append(f"dL/d{q}: {found!r}, by differences {slope!r}")
    return count, wrong


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_gradient_of_every_scenario_agrees_with_central_differences(path: Path) -> None:
    problem = build(load(path))
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    if trace.blocked:
        assert not any(kind == "dL/dz" for kind, _ in trace)
        return
    count, wrong = checked(problem, trace)
    assert count >= sum(
        layer.train_weights * layer.weights.size for layer in problem.network.layers
    )
    assert not wrong


@given(problems(depth=4))
@settings(max_examples=60)
def test_the_gradients_of_random_networks_agree_with_central_differences(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    for number, layer in enumerate(problem.network.layers, 1):
        if layer.activation.at_kink:  # at a corner there is no slope to compare with
            assume((np.abs(trace.array("z", number)) > 1e-3).all())
    count, wrong = checked(problem, trace)
    assert count > 0
    assert not wrong


@given(problems(depth=4, skipping=True, wide=False))
@settings(max_examples=60)
def test_the_gradients_of_networks_with_skip_connections_agree_with_central_differences(
    problem: Setup,
) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    for number, layer in enumerate(problem.network.layers, 1):
        if layer.activation.at_kink:
            assume((np.abs(trace.array("z", number)) > 1e-3).all())
    assert {q.kind for q, _ in gradients(trace)} >= {
        "x",
        *("r" for layer in problem.network.layers if layer.skip),
    }
    count, wrong = checked(problem, trace)
    assert count > 0
    assert not wrong


def with_error(trace: Trace, name: str, layer: int) -> Trace:
    """The same trace with one gradient off by one in a thousand."""
    bent = trace[name, layer].copy()
    place = np.unravel_index(np.abs(bent).argmax(), bent.shape)
    bent[place] *= 1.001
    return replace(trace, arrays={**trace.arrays, (name, layer): bent})


@pytest.mark.parametrize("name", ["dL/dw", "dL/db", "dL/dz", "dL/da"])
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_the_check_catches_an_error_of_one_in_a_thousand(name: str, layer: int) -> None:
    problem = build(load(next(path for path in SCENARIOS if path.stem == "1-2-3-1-sigmoid")))
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    assert checked(problem, trace)[1] == []
    assert len(checked(problem, with_error(trace, name, layer))[1]) == 1


def test_the_check_does_not_take_a_nan_for_right() -> None:
    assert not close(float("nan"), 0.5, 1.0)
    assert not close(0.5, float("nan"), 1.0)


def test_the_check_leaves_a_corner_out_and_only_that() -> None:
    layers = (Layer(frozen([[1.0], [1.0]]), frozen([0.0, 1.0]), activation("relu")),)
    problem = Setup(
        Network(layers, loss("squared_error"), "mean"), frozen([[0.0]]), frozen([[1.0, 3.0]]), 0.1
    )
    oracle = Moved(problem)
    assert oracle.slope(Quantity("z", 1, 1)) is None
    assert oracle.slope(Quantity("z", 1, 2)) == pytest.approx(-4.0)

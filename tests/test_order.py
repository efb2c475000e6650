"""The order of the walk: ranks by arithmetic, everything once, sources before results."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import DIFFERENTIABLE, FLAT, problems
from tutor.engine.activations import activation
from tutor.engine.kinds import PHASES
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network
from tutor.engine.order import NumberOrder, stages
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace, run
from tutor.errors import LessonError
from tutor.lesson.setup import Setup


def network_of(*sizes: int, last: str = "softmax", under: str = "cross_entropy") -> Network:
    names = ["sigmoid"] * (len(sizes) - 2) + [last]
    pairs = zip(sizes[1:], sizes[:-1], names, strict=True)
    made = (
        Layer(np.zeros((units, inputs)), np.zeros(units), activation(name))
        for units, inputs, name in pairs
    )
    return Network(tuple(made), loss(under), "mean")


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def order_of(trace: Trace) -> NumberOrder:
    return NumberOrder.of(trace.network, trace.samples, trace.blocked)


def expected(trace: Trace) -> set[Quantity]:
    """Every quantity of a network, written down by loops and without any order."""
    net, found = trace.network, set()
    samples = range(1, trace.samples + 1) if trace.samples > 1 else (0,)
    batch = {0, *samples}
    for n, layer in enumerate(net.layers, 1):
        reached = not trace.blocked or n > trace.blocked
        for i in range(1, layer.units + 1):
            for s in samples:
                found |= {Quantity("z", n, i, 0, s), Quantity("a", n, i, 0, s)}
                if not trace.blocked:
                    found |= {Quantity("z+", n, i, 0, s), Quantity("a+", n, i, 0, s)}
                if reached or n == trace.blocked:
                    found.add(Quantity("dL/da", n, i, 0, s))
                    inner = range(1, layer.units + 1) if layer.activation.full_jacobian else (0,)
                    found |= {Quantity("da/dz", n, i, k, s) for k in inner}
                if reached:
                    found.add(Quantity("dL/dz", n, i, 0, s))
            sampled = samples if trace.blocked else batch
            inputs = range(1, layer.inputs + 1)
            if reached and layer.learns_biases:
                found |= {Quantity("dL/db", n, i, 0, s) for s in sampled}
            if reached and layer.train_weights:
                found |= {Quantity("dL/dw", n, i, j, s) for s in sampled for j in inputs}
            if not trace.blocked and layer.learns_biases:
                found.add(Quantity("b+", n, i))
            if not trace.blocked and layer.train_weights:
                found |= {Quantity("w+", n, i, j) for j in inputs}
    found |= {Quantity("loss", sample=s) for s in batch}
    if not trace.blocked:
        found |= {Quantity("loss+", sample=s) for s in batch} | {Quantity("loss-loss+")}
    return found


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), wide=False))
def test_every_quantity_of_the_network_comes_exactly_once(problem: Setup) -> None:
    trace = traced(problem)
    listed = list(order_of(trace))
    assert len(listed) == len(set(listed))
    assert set(listed) == expected(trace)


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), wide=False))
def test_the_rank_of_the_kth_quantity_is_k(problem: Setup) -> None:
    order = order_of(traced(problem))
    for k in range(len(order)):
        assert order.rank(order[k]) == k


@given(problems(wide=False))
@settings(max_examples=50)
def test_the_phases_come_in_their_order(problem: Setup) -> None:
    order = order_of(traced(problem))
    numbers = [PHASES.index(order.phase(k)) for k in range(len(order))]
    assert numbers == sorted(numbers)


def test_a_large_network_is_open_at_any_step_without_listing_the_others() -> None:
    order = NumberOrder.of(network_of(784, 128, 64, 10), samples=60)
    parameters = 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10
    per_sample = 2 * (128 + 64 + 10) + 3 * (128 + 64) + (10 + 100 + 10) + parameters
    assert len(order) == 60 * (per_sample + 2 * (128 + 64 + 10) + 2) + 2 * parameters + 3
    for k in (0, 1, len(order) // 3, len(order) // 2, len(order) - 2, len(order) - 1):
        assert order.rank(order[k]) == k
    assert order.rank(parse("dL/dw[1][128,784]@60")) > order.rank(parse("dL/dw[1][128,784]@59"))
    assert order[0] == parse("z[1][1]@1")
    assert order[len(order) - 1] == parse("loss-loss+")


@given(st.integers(0, 10**7))
@settings(max_examples=50)
def test_any_step_of_a_large_network_has_its_rank(k: int) -> None:
    order = NumberOrder.of(network_of(784, 128, 64, 10), samples=60)
    k %= len(order)
    assert order.rank(order[k]) == k


ONE_SAMPLE = (
    "z[1][1] a[1][1] z[2][1] z[2][2] a[2][1] a[2][2] loss dL/da[2][1] dL/da[2][2] da/dz[2][1,1] da/dz[2][1,2] "
    "da/dz[2][2,1] da/dz[2][2,2] dL/dz[2][1] dL/dz[2][2] dL/db[2][1] dL/dw[2][1,1] dL/db[2][2] dL/dw[2][2,1] "
    "dL/da[1][1] da/dz[1][1] dL/dz[1][1] dL/db[1][1] dL/dw[1][1,1] b+[2][1] w+[2][1,1] b+[2][2] w+[2][2,1] b+[1][1] "
    "w+[1][1,1] z+[1][1] a+[1][1] z+[2][1] z+[2][2] a+[2][1] a+[2][2] loss+ loss-loss+"
)
TWO_SAMPLES = (
    "z[1][1]@1 a[1][1]@1 z[1][1]@2 a[1][1]@2 loss@1 loss@2 loss dL/da[1][1]@1 da/dz[1][1]@1 dL/dz[1][1]@1 dL/db[1][1]@1 "
    "dL/dw[1][1,1]@1 dL/da[1][1]@2 da/dz[1][1]@2 dL/dz[1][1]@2 dL/db[1][1]@2 dL/dw[1][1,1]@2 dL/db[1][1] dL/dw[1][1,1] "
    "b+[1][1] w+[1][1,1] z+[1][1]@1 a+[1][1]@1 z+[1][1]@2 a+[1][1]@2 loss+@1 loss+@2 loss+ loss-loss+"
)


def test_the_hand_worked_order_of_one_sample() -> None:
    order = NumberOrder.of(network_of(1, 1, 2), samples=1)
    assert " ".join(map(str, order)) == ONE_SAMPLE


def test_several_samples_go_one_after_the_other_and_are_added_up_in_steps_of_their_own() -> None:
    order = NumberOrder.of(network_of(1, 1, last="sigmoid", under="squared_error"), samples=2)
    assert " ".join(map(str, order)) == TWO_SAMPLES


@pytest.mark.parametrize(
    "name",
    [
        "x[1]", "w[1][1,1]", "eta", "z[3][1]", "z[1][2]", "z[1][9]", "z[1][1]@1", "loss@1", "da/dz[2][1]", "da/dz[1][1,1]",
        "da/dz[2][1,3]", "dL/dw[1][1,2]", "dL/dw[1][2,1]", "w+[2][3,1]", "b+[1][2]", "(loss-loss+)/loss",
    ],
)  # fmt: skip
def test_what_the_walk_does_not_compute_has_no_rank(name: str) -> None:
    order = NumberOrder.of(network_of(1, 1, 2), samples=1)
    with pytest.raises(LessonError, match="not a step of this lesson"):
        order.rank(parse(name))


def test_a_sample_past_the_last_has_no_rank() -> None:
    order = NumberOrder.of(network_of(1, 1, 2), samples=2)
    assert order.rank(parse("z[1][1]@2")) > 0
    for name in ("z[1][1]@3", "z[1][1]", "loss@3"):
        with pytest.raises(LessonError):
            order.rank(parse(name))


@pytest.mark.parametrize("k", [-1, 38, 10**9])
def test_a_position_past_either_end_is_an_index_error(k: int) -> None:
    order = NumberOrder.of(network_of(1, 1, 2), samples=1)
    assert len(order) == 38
    with pytest.raises(IndexError):
        order[k]


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), wide=False))
def test_numbers_and_stages_name_the_same_quantities(problem: Setup) -> None:
    trace = traced(problem)
    found = stages(trace.network, trace.samples, trace.blocked)
    places = {(stage.kind, stage.layer, stage.per_sample) for stage in found}
    assert len(places) == len(found)
    assert {
        (q.kind, q.layer, q.kind.startswith("loss") and q.sample > 0) for q in order_of(trace)
    } == places


@given(problems(wide=False))
@settings(max_examples=50)
def test_stages_and_numbers_are_in_the_same_phases(problem: Setup) -> None:
    trace = traced(problem)
    phases = {
        (stage.kind, stage.layer): stage.phase for stage in stages(trace.network, trace.samples)
    }
    order = order_of(trace)
    for k in range(len(order)):
        q = order[k]
        assert order.phase(k) == phases[q.kind, q.layer]


def test_a_network_that_learns_nothing_has_no_update_phase() -> None:
    layer = Layer(
        np.ones((1, 1)), np.ones(1), activation("sigmoid"), train_weights=False, train_biases=False
    )
    net = Network((layer,), loss("squared_error"), "mean")
    order = NumberOrder.of(net, samples=1)
    assert {order.phase(k) for k in range(len(order))} == {"forward", "loss", "backward", "verify"}
    assert "update" not in {stage.phase for stage in stages(net, 1)}

"""Every number between a gradient and an update is what its tree gives, in all combinations of
optimizer, schedule, penalty, clipping and dropout; derivatives are those of central differences,
and an iteration opens without the run before it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tutor.engine.activations import activation
from tutor.engine.derivation import derive, derive_stage, result
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, with_parameters
from tutor.engine.optimizers import CLIPS, OPTIMIZERS, PENALTIES, SCHEDULES, rule
from tutor.engine.order import NumberOrder, stages
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Progress, run
from tutor.engine.training import Training
from tutor.engine.tree import evaluate
from tutor.errors import NetworkError

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.normal(size=(4, 2)), (RANDOM.random((4, 1)) > 0.5) * 1.0
COMBINATIONS = list(product(OPTIMIZERS, ["", *SCHEDULES], ["", *PENALTIES], ["", *CLIPS]))


def network(
    optimizer: str = "sgd",
    schedule: str = "",
    penalty: str = "",
    clip: str = "",
    dropout: float = 0.0,
    each: tuple[float, ...] = (),
) -> Network:
    first = Layer(
        np.array([[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]),
        np.array([0.1, 0.2, 0.3]),
        activation("tanh"),
        dropout=dropout,
    )
    last = Layer(np.array([[0.1, 0.2, -0.3]]), np.array([0.1]), activation("sigmoid"))
    numbers = {"clip": 0.05} if clip else {}
    by = rule(
        optimizer, schedule=schedule, penalty=penalty, clip=clip, numbers=numbers, by_layer=each
    )
    return Network((first, last), loss("binary_cross_entropy"), "mean", by)


@pytest.mark.parametrize("samples", [1, 4])
def test_every_tree_gives_the_number_of_the_engine(samples: int) -> None:
    for n, combination in enumerate(COMBINATIONS[::8]):
        net = network(*combination, dropout=0.3 * (n % 2))
        trees_agree(net, samples, str(combination))


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_every_tree_gives_the_number_of_a_penalty_for_each_layer(
    penalty: str, samples: int
) -> None:
    trees_agree(network("adam", "step", penalty, "norm", each=(0.3, 0.0)), samples, penalty)
    trees_agree(network(penalty=penalty, each=(0.1, 0.2)), samples, penalty)


def trees_agree(net: Network, samples: int, combination: str) -> None:
    """Each number and each matrix of iteration 3 is what its tree gives."""
    trace = Training(net, X[:samples], Y[:samples], 0.1).trace(3)
    order = NumberOrder.of(net, samples)
    for k, q in enumerate(order):
        assert order.rank(q) == k
        found = evaluate(derive(trace, q).tree, trace)
        np.testing.assert_allclose(
            found, trace.value(q), rtol=1e-11, atol=1e-14, err_msg=f"{combination} {q}"
        )
    for stage in stages(net, samples):
        found = evaluate(derive_stage(trace, stage).tree, trace)
        single = Quantity(stage.kind, stage.layer)
        wanted = trace.value(single) if stage.single else result(trace, stage).value(trace)
        np.testing.assert_allclose(
            found, wanted, rtol=1e-11, atol=1e-14, err_msg=f"{combination} {stage}"
        )


@pytest.mark.parametrize("combination", COMBINATIONS[:: len(COMBINATIONS) // 20])
def test_an_iteration_opens_without_the_run_before_it(
    combination: tuple[str, str, str, str],
) -> None:
    net = network(*combination, dropout=0.2)
    straight = Training(net, X, Y, 0.1)
    state = straight.at(1)
    for _ in range(69):
        _, state = straight.step(state)
    one, other = straight.trace(70), Training(net, X, Y, 0.1).trace(70)
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].tobytes() == other[name].tobytes(), name
    for layer, same in zip(state.network.layers, one.network.layers, strict=True):
        assert layer.weights.tobytes() == same.weights.tobytes()


@pytest.mark.parametrize("each", [(), (0.7, 0.2)])
@pytest.mark.parametrize("penalty", ["", *PENALTIES])
def test_gradient_and_penalty_are_what_central_differences_find(
    penalty: str, each: tuple[float, ...]
) -> None:
    net, progress, h = network(penalty=penalty, dropout=0.4), Progress(5), 1e-6
    if penalty and each:
        net = network(penalty=penalty, dropout=0.4, each=each)
    trace = run(net, X, Y, 0.1, progress)
    assert (trace["mask", 1] == 0).any()
    assert trace.loss == pytest.approx(
        trace.value(Quantity("data_loss")) + trace.value(Quantity("penalty"))
        if penalty
        else trace.loss
    )
    for number, i, j in ((1, 0, 1), (1, 2, 0), (2, 0, 2)):
        losses = []
        for step in (h, -h):
            weights = [layer.weights.copy() for layer in net.layers]
            weights[number - 1][i, j] += step
            moved = with_parameters(
                net, tuple(weights), tuple(layer.biases for layer in net.layers)
            )
            losses.append(run(moved, X, Y, 0.1, progress).loss)
        found = trace["g.w" if penalty else "dL/dw", number][i, j]
        assert found == pytest.approx((losses[0] - losses[1]) / (2 * h), rel=1e-6, abs=1e-9)


def test_nothing_is_dropped_when_the_updated_network_is_verified() -> None:
    trace = run(network(dropout=0.4), X, Y, 0.1)
    z = trace["a+", 1] @ trace["w+", 2].T + trace["b+", 2]
    np.testing.assert_allclose(trace["z+", 2], z, rtol=1e-14)
    assert ("d+", 1) not in trace


def test_outputs_are_not_dropped_and_not_everything_either() -> None:
    net = network()
    with pytest.raises(NetworkError, match="hidden layers"):
        replace(net, layers=(net.layers[0], replace(net.layers[1], dropout=0.2)))
    with pytest.raises(NetworkError, match="below 1"):
        replace(net.layers[0], dropout=1.0)


def test_the_dropped_units_are_others_in_another_iteration_and_the_same_in_the_same() -> None:
    net = network(dropout=0.5)
    masks = [run(net, X, Y, 0.1, Progress(t))["mask", 1] for t in (1, 2, 1)]
    assert masks[0].tobytes() == masks[2].tobytes() != masks[1].tobytes()
    assert set(np.unique(masks)) <= {0.0, 2.0}

"""The trace: shapes, known values, what is frozen, and where it stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.strategies import extreme_problems, problems
from tutor.engine.activations import activation
from tutor.engine.losses import NAMES, loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.optimizers import UpdateRule, rule
from tutor.engine.order import NumberOrder
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import FLAT, OVERFLOW, UNDEFINED, Trace, run, updated
from tutor.engine.training import Training, UnfinishedError
from tutor.errors import NetworkError
from tutor.lesson.setup import Setup, build
from tutor.scenario.reader import load

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def of_scenario(name: str) -> Trace:
    return traced(build(load(SCENARIOS / f"{name}.yaml")))


def network_of(
    *layers: tuple[Any, Any, str], under: str = "half_squared_error", reduction: str = "mean"
) -> Network:
    made = (
        Layer(frozen(w), None if b is None else frozen(b), activation(name))
        for w, b, name in layers
    )
    return Network(tuple(made), loss(under), reduction)


def arrays(trace: Trace) -> list[np.ndarray]:
    return [array for array in trace.values() if np.ndim(array)]


# Known values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("z[1][1]", 0.3), ("z[1][2]", 0.4), ("a[1][1]", 0.5744), ("a[1][2]", 0.5987), ("a[3][1]", 0.7739),
        ("loss", 0.2563), ("dL/dz[3][1]", -0.2261), ("a+[3][1]", 0.7823),
    ],
)  # fmt: skip
def test_the_1_2_3_1_network_has_the_values_of_the_deck(name: str, value: float) -> None:
    assert of_scenario("1-2-3-1-sigmoid").value(parse(name)) == pytest.approx(value, abs=5e-5)


def test_the_1_2_3_1_network_agrees_with_a_calculation_by_hand() -> None:
    def sigma(z: float) -> float:
        return 1 / (1 + np.exp(-z))

    trace = of_scenario("1-2-3-1-sigmoid")
    a1 = [sigma(0.1 * 2 + 0.1), sigma(0.1 * 2 + 0.2)]
    w2, b2, w3 = [[0.2, 0.1], [0.3, 0.2], [0.1, 0.3]], [0.3, 0.1, 0.2], [0.4, 0.2, 0.6]
    a2 = [sigma(w[0] * a1[0] + w[1] * a1[1] + b) for w, b in zip(w2, b2, strict=True)]
    out = sigma(sum(w * a for w, a in zip(w3, a2, strict=True)) + 0.5)
    delta3 = out - 1
    delta2 = [delta3 * w * a * (1 - a) for w, a in zip(w3, a2, strict=True)]
    delta1 = [
        sum(d * w[j] for d, w in zip(delta2, w2, strict=True)) * a1[j] * (1 - a1[j]) for j in (0, 1)
    ]
    expected = {
        "a[3][1]": out, "loss": -np.log(out), "dL/da[3][1]": -1 / out, "dL/dz[3][1]": delta3, "dL/dw[3][1,2]": delta3 * a2[1],
        "dL/dz[2][3]": delta2[2], "dL/dw[2][3,1]": delta2[2] * a1[0], "dL/db[2][1]": delta2[0], "dL/dz[1][2]": delta1[1],
        "dL/dw[1][1,1]": delta1[0] * 2, "w+[2][3,1]": 0.1 - 0.1 * delta2[2] * a1[0], "b+[3][1]": 0.5 - 0.1 * delta3,
    }  # fmt: skip
    for name, value in expected.items():
        assert trace.value(parse(name)) == pytest.approx(value, rel=1e-14), name


def test_the_3_2_3_network_agrees_with_a_calculation_by_hand() -> None:
    trace = of_scenario("3-2-3-softmax")
    x = np.array([0.35, 0.2, 0.5])
    v = np.array([[0.4963, 0.0885, 0.3074], [0.7682, 0.1320, 0.6341]])
    w = np.array([[0.4901, 0.6323], [0.8964, 0.3489], [0.4556, 0.4017]])
    h = 1 / (1 + np.exp(-(v @ x)))
    p = np.exp(w @ h) / np.exp(w @ h).sum()
    delta = p - [1, 0, 0]
    below = (w.T @ delta) * h * (1 - h)
    assert trace["a", 1] == pytest.approx(h[None, :], rel=1e-14)
    assert trace["a", 2] == pytest.approx(p[None, :], rel=1e-14)
    assert trace.loss == pytest.approx(-np.log(p[0]), rel=1e-14)
    assert trace["dL/dw", 2] == pytest.approx(np.outer(delta, h), rel=1e-13)
    assert trace["dL/dw", 1] == pytest.approx(np.outer(below, x), rel=1e-12)
    assert trace["w+", 1] == pytest.approx(v - 0.5 * np.outer(below, x), rel=1e-14)


# Shapes and freezing


@given(problems())
def test_shapes_are_those_of_the_contract(problem: Setup) -> None:
    trace, net, m = traced(problem), problem.network, len(problem.x)
    assert trace.samples == m
    assert trace.sample_losses("loss").shape == (m,)
    for number in range(1, net.depth + 1):
        units, inputs, layer = net.sizes[number], net.sizes[number - 1], net.layer(number)
        for kind in ("z", "a", "dL/da", "dL/dz", "z+", "a+"):
            assert trace.array(kind, number).shape == (m, units)
        if not layer.activation.full_jacobian:
            assert trace.array("da/dz", number).shape == (m, units)
        assert (("dL/dw", number) in trace) == layer.train_weights
        assert (("dL/db", number) in trace) == layer.learns_biases
        if layer.train_weights:
            assert (
                trace.array("dL/dw", number).shape
                == trace.array("w+", number).shape
                == (units, inputs)
            )
        if layer.learns_biases:
            assert trace.array("dL/db", number).shape == trace.array("b+", number).shape == (units,)
    assert trace.loss == pytest.approx(
        trace.sample_losses("loss").mean()
        if net.reduction == "mean"
        else trace.sample_losses("loss").sum()
    )


@given(problems(depth=3))
@settings(max_examples=30)
def test_no_array_of_a_trace_can_be_written_to(problem: Setup) -> None:
    trace = traced(problem)
    for array in [*arrays(trace), trace.x, trace.y]:
        assert not array.flags.writeable


def test_the_callers_arrays_stay_writeable_and_apart() -> None:
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    trace = run(network_of(([[2.0]], None, "identity")), x, y, 0.1)
    x[0, 0], y[0, 0] = 5.0, 5.0
    assert trace.x.tolist() == [[1.0]]
    assert trace.y.tolist() == [[0.0]]


def test_frozen_parameters_have_no_gradient_and_do_not_move() -> None:
    net = network_of(([[1.0]], [0.5], "sigmoid"), ([[2.0]], [0.1], "identity"))
    layers = (replace(net.layer(1), train_weights=False), replace(net.layer(2), train_biases=False))
    trace = run(Network(layers, net.loss, "mean"), frozen([[1.0]]), frozen([[0.0]]), 0.1)
    assert trace.get(("dL/dw", 1)) is None is trace.get(("dL/db", 2))
    assert trace["w+", 1] is trace["w", 1]
    assert trace["b+", 2] is trace["b", 2]
    assert trace.value(parse("b+[1][1]")) != 0.5
    assert trace.value(parse("w+[2][1,1]")) != 2.0


def test_a_gradient_passes_through_a_layer_that_is_frozen_altogether() -> None:
    net = network_of(([[1.0]], None, "sigmoid"), ([[2.0]], None, "identity"))
    layers = (net.layer(1), replace(net.layer(2), train_weights=False))
    trace = run(Network(layers, net.loss, "mean"), frozen([[1.0]]), frozen([[0.0]]), 0.1)
    assert trace.value(parse("dL/dw[1][1,1]")) != 0.0


def test_a_layer_without_biases_adds_none() -> None:
    trace = run(network_of(([[2.0]], None, "identity")), frozen([[3.0]]), frozen([[0.0]]), 0.1)
    assert trace.value(parse("z[1][1]")) == 6.0
    assert trace.get(("b", 1)) is None is trace.get(("dL/db", 1))


# Batches


def test_a_mean_is_the_sum_divided_by_the_samples() -> None:
    x, y = frozen([[1.0], [2.0], [4.0]]), frozen([[0.0], [1.0], [0.5]])
    mean = run(network_of(([[0.5]], [0.1], "tanh")), x, y, 0.1)
    total = run(network_of(([[0.5]], [0.1], "tanh"), reduction="sum"), x, y, 0.1)
    assert mean.loss == pytest.approx(total.loss / 3, rel=1e-15)
    for name in (
        "dL/dw[1][1,1]",
        "dL/db[1][1]",
        "dL/da[1][1]@2",
        "dL/dz[1][1]@2",
        "dL/dw[1][1,1]@2",
    ):
        assert mean.value(parse(name)) == pytest.approx(total.value(parse(name)) / 3, rel=1e-15)
    for name in ("a[1][1]@2", "loss@3"):
        assert mean.value(parse(name)) == total.value(parse(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_of_a_sample_is_its_own_and_the_loss_of_the_batch_is_their_mean_or_sum(
    name: str, reduction: str
) -> None:
    output = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}.get(name, "tanh")
    net = network_of(([[0.5], [-0.25]], [0.1, 0.2], output), under=name, reduction=reduction)
    x, y = frozen([[1.0], [2.0], [4.0]]), frozen([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    trace = run(net, x, y, 0.1)
    for mark, weights in (("", net), ("+", updated(trace))):
        alone = [run(weights, x[s : s + 1], y[s : s + 1], 0.1).loss for s in range(3)]
        assert [trace.value(parse(f"loss{mark}@{s}")) for s in (1, 2, 3)] == pytest.approx(
            alone, rel=1e-14
        )
        assert trace.value(parse(f"loss{mark}")) == pytest.approx(
            sum(alone) / (3 if reduction == "mean" else 1), rel=1e-14
        )


@given(problems(samples=4, wide=False))
def test_the_shares_of_the_samples_add_up_to_the_gradient(problem: Setup) -> None:
    trace = traced(problem)
    for number, layer in enumerate(problem.network.layers, 1):
        if layer.train_weights:
            for i, j in ((1, 1), (layer.units, layer.inputs)):
                shares = [
                    trace.value(Quantity("dL/dw", number, i, j, s))
                    for s in range(1, trace.samples + 1)
                ]
                whole = trace.value(Quantity("dL/dw", number, i, j))
                assert abs(sum(shares) - whole) <= 1e-14 * sum(map(abs, shares))


@given(problems(samples=3, wide=False, freezing=False))
def test_a_sample_computes_the_same_alone_as_in_the_batch(problem: Setup) -> None:
    net = Network(problem.network.layers, problem.network.loss, "sum")
    trace = run(net, problem.x, problem.y, 0.1)
    for s in range(trace.samples):
        alone = run(net, problem.x[s : s + 1], problem.y[s : s + 1], 0.1)
        assert alone.loss == pytest.approx(trace.sample_losses("loss")[s], rel=1e-12, abs=1e-14)
        assert alone.array("dL/dz", 1)[0] == pytest.approx(
            trace.array("dL/dz", 1)[s], rel=1e-9, abs=1e-13
        )


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((2, 3)), np.zeros((2, 1))),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (np.zeros((2, 2)), np.zeros((1, 1))),
        (np.zeros((2, 2)), np.zeros(2)),
        (np.zeros(2), np.zeros((1, 1))),
        (np.zeros((0, 2)), np.zeros((0, 1))),
    ],
    ids=lambda array: str(array.shape),
)
def test_data_that_does_not_fit_is_refused_and_never_broadcast(
    x: np.ndarray, y: np.ndarray
) -> None:
    with pytest.raises(NetworkError, match="2-1"):
        run(network_of(([[1.0, 1.0]], None, "identity")), x, y, 0.1)


def test_the_updated_network_is_where_the_next_iteration_starts() -> None:
    net = network_of(([[0.5]], [0.1], "tanh"), ([[1.5]], None, "identity"))
    first = run(net, frozen([[1.0]]), frozen([[0.0]]), 0.1)
    second = run(updated(first), first.x, first.y, 0.1)
    assert second.loss == first.loss_new < first.loss


@pytest.mark.parametrize(
    "name",
    [
        "z[3][1]",
        "z[1][2]",
        "x[2]",
        "y[2]",
        "w[1][1,2]",
        "z[1][1]@2",
        "loss@2",
        "da/dz[1][1,1]",
        "b[1][1]",
    ],
)
def test_a_name_that_the_trace_does_not_have_is_a_key_error(name: str) -> None:
    trace = run(network_of(([[1.0]], None, "identity")), frozen([[1.0]]), frozen([[0.0]]), 0.1)
    with pytest.raises(KeyError):
        trace.value(parse(name))


# Saturation


@pytest.mark.parametrize(
    ("z", "y", "delta"),
    [(800.0, 0.0, 1.0), (-800.0, 1.0, -1.0), (800.0, 1.0, 0.0), (40.0, 0.25, 0.75)],
)
def test_a_saturated_sigmoid_still_has_its_error_signal_and_loss(
    z: float, y: float, delta: float
) -> None:
    trace = run(
        network_of(([[z]], None, "sigmoid"), under="binary_cross_entropy"),
        frozen([[1.0]]),
        frozen([[y]]),
        0.1,
    )
    assert trace.value(parse("dL/dz[1][1]")) == pytest.approx(delta, abs=1e-15)
    assert trace.loss == pytest.approx((1 - y) * z if z > 0 else -y * z, rel=1e-15)
    assert trace.stop is None
    assert trace.out_of_range(parse("dL/da[1][1]")) == (delta != 0)


def test_a_saturated_softmax_still_has_its_error_signal_and_loss() -> None:
    net = network_of(([[800.0], [-800.0]], None, "softmax"), under="cross_entropy")
    trace = run(net, frozen([[1.0]]), frozen([[0.0, 1.0]]), 0.1)
    assert trace.loss == 1600.0
    assert trace.array("dL/dz", 1).tolist() == [[1.0, -1.0]]
    assert trace.out_of_range(parse("dL/da[1][2]"))
    assert trace.stop is None


# Where it stops


def test_a_healthy_trace_does_not_stop() -> None:
    assert of_scenario("1-2-3-1-sigmoid").stop is None


@pytest.mark.parametrize("name", ["step", "sign"])
def test_a_flat_activation_stops_the_walk_at_its_derivative(name: str) -> None:
    net = network_of(
        ([[1.0]], None, "identity"), ([[1.0], [1.0]], None, name), ([[1.0, 2.0]], None, "identity")
    )
    trace = run(net, frozen([[1.0]]), frozen([[0.0]]), 0.1)
    assert trace.blocked == 2
    assert trace.stop is not None
    assert (str(trace.stop.quantity), trace.stop.why) == ("da/dz[2][1]", FLAT)
    assert ("dL/dw", 3) in trace
    assert trace.get(("dL/dz", 2)) is None is trace.get(("loss+@", 0))
    assert ("dL/da", 2) in trace


@pytest.mark.parametrize(
    ("layers", "x", "y", "eta", "name", "why"),
    [
        ([([[1e308, 1e308]], None, "identity")], [[1.0, 1.0]], [[0.0]], 0.1, "z[1][1]", OVERFLOW),
        (
            [([[1e200], [1.0]], None, "identity"), ([[1.0, 1e308]], [1e308], "relu")],
            [[1e108]],
            [[0.0]],
            0.1,
            "z[2][1]",
            OVERFLOW,
        ),
        ([([[1e200]], None, "identity")], [[1.0]], [[0.0]], 0.1, "loss", OVERFLOW),
        ([([[1e-160]], None, "identity")], [[1e308]], [[0.0]], 0.1, "dL/dw[1][1,1]", OVERFLOW),
        ([([[0.0]], None, "identity")], [[1e150]], [[1e150]], 1e300, "w+[1][1,1]", OVERFLOW),
        ([([[1e150]], None, "identity")], [[1.0]], [[0.0]], 1e10, "loss+", OVERFLOW),
        (
            [([[1e308], [1e308]], None, "identity"), ([[10.0, -10.0]], None, "identity")],
            [[1.0]],
            [[0.0]],
            0.1,
            "z[2][1]",
            None,
        ),
    ],
)
def test_the_first_bad_number_is_named_with_the_reason(
    layers: list[Any], x: Any, y: Any, eta: float, name: str, why: str | None
) -> None:
    trace = run(network_of(*layers), frozen(x), frozen(y), eta)
    assert trace.stop is not None
    assert str(trace.stop.quantity) == name
    assert trace.stop.why == (why or trace.stop.why)
    assert trace.stop.why in {OVERFLOW, UNDEFINED}


@pytest.mark.parametrize(
    ("by", "x", "name"),
    [
        (rule("sgd", clip="norm"), 1e50, "gnorm"),
        (rule("sgd", clip="value"), 1e160, "dL/dw[1][1,1]"),
        *((rule(name), 1e50, "v.w[1][1,1]") for name in ("adagrad", "rmsprop", "adam")),
    ],
)
def test_an_update_hides_no_number_out_of_range(by: UpdateRule, x: float, name: str) -> None:
    net = replace(network_of(([[0.0]], None, "identity")), rule=by)
    trace = run(net, frozen([[x]]), frozen([[1e150]]), 1e-300)
    assert np.isfinite(trace["w+", 1]).all()
    assert trace.stop is not None
    assert (str(trace.stop.quantity), trace.stop.why) == (name, OVERFLOW)
    with pytest.raises(UnfinishedError, match="iteration 1"):
        Training(net, frozen([[x]]), frozen([[1e150]]), 1e-300).at(3)


def test_of_several_samples_the_first_bad_one_in_the_walk_is_named() -> None:
    trace = run(
        network_of(([[1e200]], None, "identity")),
        frozen([[1.0], [1e200], [1e300]]),
        frozen([[0.0]] * 3),
        0.1,
    )
    assert trace.stop is not None
    assert str(trace.stop.quantity) == "z[1][1]@2"


def test_numbers_whose_sum_overflows_are_no_reason_to_stop() -> None:
    net = network_of(
        ([[1e160], [1e160]], None, "identity"),
        ([[1e-200, 1e-200]], None, "identity"),
        under="squared_error",
    )
    target = run(net, frozen([[1e148]]), frozen([[0.0]]), 0.1).array("a", 2)
    big = run(net, frozen([[1e148]]), target, 0.1)
    assert big.array("a", 1).tolist() == [[1e308, 1e308]]
    assert big.finite
    assert big.stop is None


@given(extreme_problems())
def test_the_stop_is_the_first_bad_number_of_the_walk_however_extreme(problem: Setup) -> None:
    trace = traced(problem)
    expected = None
    for q in NumberOrder.of(trace.network, trace.samples, trace.blocked):
        flat = q.kind == "da/dz" and q.layer == trace.blocked
        if flat or not (trace.out_of_range(q) or np.isfinite(trace.value(q))):
            expected = q
            break
    assert (trace.stop.quantity if trace.stop else None) == expected
    if trace.stop and trace.stop.why != FLAT:
        assert (trace.stop.why == UNDEFINED) == bool(np.isnan(trace.value(trace.stop.quantity)))


@given(extreme_problems())
def test_up_to_the_stop_every_number_can_be_looked_up(problem: Setup) -> None:
    trace = traced(problem)
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    end = order.rank(trace.stop.quantity) if trace.stop else len(order)
    for k in range(end):
        assert np.isfinite(trace.value(order[k])) or trace.out_of_range(order[k])


def test_inputs_of_zero_give_weights_no_gradient_but_biases_one() -> None:
    trace = run(
        network_of(([[1.0, 2.0]], [0.5], "sigmoid")), frozen([[0.0, 0.0]]), frozen([[1.0]]), 0.1
    )
    assert trace.array("dL/dw", 1).tolist() == [[0.0, 0.0]]
    assert trace.value(parse("dL/db[1][1]")) != 0.0


def test_thirty_two_sigmoid_layers_run_and_their_first_gradient_is_tiny_but_there() -> None:
    trace = run(
        network_of(*[([[1.0]], [0.0], "sigmoid")] * 32), frozen([[1.0]]), frozen([[0.0]]), 0.1
    )
    assert 0 < abs(trace.value(parse("dL/dw[1][1,1]"))) < 0.25**31
    assert trace.stop is None

"""PyTorch as an independent oracle: losses on logits, and gradients by its own automatic
differentiation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.strategies import KINKED, SMOOTH, extreme_problems, problems
from tutor.engine.activations import activation
from tutor.engine.losses import LOSSES, loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.trace import Trace, run
from tutor.lesson.setup import Setup

torch: Any = pytest.importorskip(
    "torch", reason="PyTorch, the oracle of these tests, is not installed; see `make oracle`"
)
F: Any = torch.nn.functional

TOLERANCE = 1e-12


def activated(layer: Layer, z: Any) -> Any:
    rule = layer.activation
    return {
        "identity": z.clone,
        "sigmoid": z.sigmoid,
        "tanh": z.tanh,
        "relu": z.relu,
        "leaky_relu": lambda: F.leaky_relu(z, rule.parameters["slope"]),
        "elu": lambda: F.elu(z, rule.parameters["alpha"]),
        "softmax": lambda: F.softmax(z, dim=1),
        "step": (z >= 0).double,
        "sign": z.sign,
    }[rule.name]()


def loss_of(name: str, a: Any, z: Any, y: Any) -> Any:
    """The sum over samples, from logits where there is a cross-entropy."""
    match name:
        case "squared_error":
            return F.mse_loss(a, y, reduction="sum")
        case "half_squared_error":
            return 0.5 * F.mse_loss(a, y, reduction="sum")
        case "huber":
            return F.huber_loss(a, y, reduction="sum")
        case "perceptron":
            return (-y * a).clamp(min=0).sum()
        case "binary_cross_entropy":
            return F.binary_cross_entropy_with_logits(z, y, reduction="sum")
        case _:
            return F.cross_entropy(z, y, reduction="sum")


class Oracle:
    """One iteration by PyTorch, in float64."""

    def __init__(self, problem: Setup) -> None:
        net = problem.network
        self.w = [torch.tensor(layer.weights.copy(), requires_grad=True) for layer in net.layers]
        self.b = [
            None if p.biases is None else torch.tensor(p.biases.copy(), requires_grad=True)
            for p in net.layers
        ]
        self.z: list[Any] = []
        self.a: list[Any] = []
        self.x, y = (
            torch.tensor(problem.x.copy(), requires_grad=True),
            torch.tensor(problem.y.copy()),
        )
        self.passed: list[Any] = [self.x]
        for layer, w, b in zip(net.layers, self.w, self.b, strict=True):
            z = F.linear(self.passed[-1], w, b)
            z.retain_grad()
            a = activated(layer, z)
            r = a + self.passed[-layer.skip] if layer.skip else a
            for kept in (a, r):
                if kept.requires_grad:
                    kept.retain_grad()
            self.passed.append(r)
            self.z.append(z)
            self.a.append(a)
        total = loss_of(net.loss.name, r, z, y)
        self.loss = total / len(y) if net.reduction == "mean" else total

    def backward(self) -> Oracle:
        self.loss.backward()
        return self

    def finite(self) -> bool:
        forward = [*self.z, *self.a, self.loss]
        grads = [
            t.grad
            for t in (*self.w, *self.b, *self.z, *self.a[:-1])
            if t is not None and t.grad is not None
        ]
        return all(bool(torch.isfinite(t).all()) for t in (*forward, *grads))


def same(found: Any, tensor: Any, scale: float) -> bool:
    """Within 1e-12 of the larger of the numbers and of what was added up to get them."""
    expected = tensor.detach().numpy()
    allowed = TOLERANCE * np.maximum(np.maximum(np.abs(found), np.abs(expected)), scale)
    return bool((np.abs(found - expected) <= allowed).all())


def largest(array: Any) -> float:
    return float(np.abs(array).max())


def forward_size(problem: Setup, trace: Trace, number: int) -> float:
    """What the sums of z in a layer come to without cancelling."""
    layer = problem.network.layer(number)
    bias = 0.0 if layer.biases is None else np.abs(layer.biases)
    return largest(np.abs(trace.passed(number - 1)) @ np.abs(layer.weights).T + bias)


def backward_sizes(problem: Setup, trace: Trace, number: int) -> tuple[float, float]:
    """The same for dL/da and dL/dz of a layer."""
    net, a = problem.network, np.abs(trace.array("a", number))
    if number == net.depth:
        over_a = 2.0 * trace.scale * (np.abs(trace.outputs) + np.abs(trace.y))
    else:
        over_a = np.abs(trace.array("dL/dz", number + 1)) @ np.abs(net.layer(number + 1).weights)
    for above, layer in enumerate(net.layers, 1):
        if layer.skip and above - layer.skip == number:
            over_a = over_a + np.abs(trace["dL/dr", above])
    if not number:
        return largest(over_a), 0.0
    if net.layer(number).activation.full_jacobian:
        over_z = a * (over_a + (over_a * a).sum(axis=1, keepdims=True))
    else:
        over_z = over_a * np.abs(trace.array("da/dz", number))
    if number == trace.fused_layer:
        over_z = over_a + trace.scale * a * np.abs(trace.y).sum(axis=1, keepdims=True)
    return largest(over_a), largest(over_z)


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def assert_same(problem: Setup) -> None:
    trace, oracle = traced(problem), Oracle(problem).backward()
    logits = forward_size(problem, trace, trace.network.depth)
    assert same(
        trace.loss,
        oracle.loss,
        trace.scale * (1 + logits) * float(np.abs(trace.y).sum()) + trace.loss,
    )
    for number, layer in enumerate(problem.network.layers, 1):
        n = number - 1
        forward = forward_size(problem, trace, number)
        over_a, over_z = backward_sizes(problem, trace, number)
        below = np.abs(trace.passed(n)).sum(axis=0).max()
        assert same(trace["z", number], oracle.z[n], forward)
        assert same(trace["a", number], oracle.a[n], forward)
        assert same(trace["dL/dz", number], oracle.z[n].grad, over_z)
        if layer.train_weights:
            assert same(trace["dL/dw", number], oracle.w[n].grad, over_z * below)
        if layer.learns_biases:
            assert same(trace["dL/db", number], oracle.b[n].grad, over_z * len(trace.x))
        if number < problem.network.depth or not problem.network.loss.fused_with:
            assert same(trace["dL/da", number], oracle.a[n].grad, over_a)
        if layer.skip:
            parts = np.abs(trace["a", number]) + np.abs(trace.passed(number - layer.skip))
            assert same(trace["r", number], oracle.passed[number], largest(parts))
            assert same(trace["dL/dr", number], oracle.passed[number].grad, over_a)
    assert same(trace["dL/da", 0], oracle.x.grad, backward_sizes(problem, trace, 0)[0])


def test_the_comparison_catches_an_error_of_one_in_ten_thousand_million() -> None:
    layers = (Layer(frozen([[0.5, -0.3]]), frozen([0.1]), activation("tanh")),)
    problem = Setup(
        Network(layers, loss("squared_error"), "mean"), frozen([[1.0, 2.0]]), frozen([[0.3]]), 0.1
    )
    trace, oracle = traced(problem), Oracle(problem).backward()
    scale = backward_sizes(problem, trace, 1)[1]
    assert same(trace["dL/dz", 1], oracle.z[0].grad, scale)
    assert not same(trace.array("dL/dz", 1) * (1 + 1e-10), oracle.z[0].grad, scale)
    assert not same(np.full((1, 1), np.nan), oracle.z[0].grad, scale)


@given(problems())
def test_random_networks_agree_with_pytorch(problem: Setup) -> None:
    assert_same(problem)


@given(problems(skipping=True, depth=6))
def test_networks_with_skip_connections_agree_with_pytorch(problem: Setup) -> None:
    assert_same(problem)


@given(problems(depth=16, units=3, wide=False, samples=2, scales=(0.5, 1.5)))
@settings(max_examples=30)
def test_deep_networks_agree_with_pytorch(problem: Setup) -> None:
    assert_same(problem)


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED, "softmax"])
@pytest.mark.parametrize("under", LOSSES)
def test_every_activation_and_loss_agrees_with_pytorch(name: str, under: str) -> None:
    random = np.random.default_rng(7)
    output = loss(under).fused_with or name
    layers = (
        Layer(
            frozen(random.standard_normal((4, 3))),
            frozen(random.standard_normal(4)),
            activation(name),
        ),
        Layer(
            frozen(random.standard_normal((3, 4))),
            frozen(random.standard_normal(3)),
            activation(output),
        ),
    )
    for reduction in ("mean", "sum"):
        net = Network(layers, loss(under), reduction)
        y = np.eye(3)[random.integers(0, 3, 5)]
        assert_same(Setup(net, frozen(random.standard_normal((5, 3))), frozen(y), 0.1))


@pytest.mark.parametrize("name", [*KINKED])
def test_at_a_kink_we_choose_as_pytorch_does(name: str) -> None:
    net = Network((Layer(frozen([[0.0]]), None, activation(name)),), loss("squared_error"), "mean")
    problem = Setup(net, frozen([[1.0]]), frozen([[1.0]]), 0.1)
    assert traced(problem).array("dL/dz", 1)[0, 0] == Oracle(problem).backward().z[0].grad[0, 0]


@pytest.mark.parametrize("z", [36.0, 37.0, 100.0, 745.0, 800.0, 1e10, 1e300, 1e308])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_saturated_sigmoids_agree_with_bce_on_logits(z: float, sign: float, y: float) -> None:
    net = Network(
        (Layer(frozen([[sign * z]]), None, activation("sigmoid")),),
        loss("binary_cross_entropy"),
        "mean",
    )
    problem = Setup(net, frozen([[1.0]]), frozen([[y]]), 0.1)
    trace, oracle = traced(problem), Oracle(problem).backward()
    # PyTorch adds the tail log(1 + e^−|z|) to 1 and loses it below 1e-16; ours keeps it, see
    # test_losses.
    assert same(trace.loss, oracle.loss, 1.0)
    assert same(trace["dL/dz", 1], oracle.z[0].grad, 1.0)


@pytest.mark.parametrize(
    "row",
    [[800.0, 0.0], [1e10, -1e10, 0.0], [1e300, 1e300], [-745.0, 0.0, 745.0], [1e307, -1e307, 5.0]],
)
def test_saturated_softmaxes_agree_with_cross_entropy_on_logits(row: list[float]) -> None:
    net = Network(
        (Layer(frozen(np.array(row)[:, None]), None, activation("softmax")),),
        loss("cross_entropy"),
        "mean",
    )
    for y in np.eye(len(row)):
        problem = Setup(net, frozen([[1.0]]), frozen([y]), 0.1)
        trace, oracle = traced(problem), Oracle(problem).backward()
        assert same(trace.loss, oracle.loss, 1.0)
        assert same(trace["dL/dz", 1], oracle.z[0].grad, 1.0)


@given(extreme_problems(hidden=(*SMOOTH, *KINKED, "softmax")))
@settings(max_examples=300)
def test_at_the_edges_of_float64_we_agree_where_both_are_finite_and_stop_where_pytorch_is_not(
    problem: Setup,
) -> None:
    trace, oracle = traced(problem), Oracle(problem).backward()
    kinds, outputs = (
        {"z", "dL/dz", "dL/dw", "dL/db", "dL/da"},
        {("dL/da", 0), ("dL/da", trace.network.depth)},
    )
    arrays = [array for name, array in trace.items() if name[0] in kinds and name not in outputs]
    ours = all(np.isfinite(array).all() for array in arrays) and np.isfinite(trace.loss)
    if ours and oracle.finite():
        with np.errstate(all="ignore"):
            size = forward_size(problem, trace, 1)
        if np.isfinite(size):
            assert same(trace["z", 1], oracle.z[0], size)
    if not ours:
        assert trace.stop is not None
        assert not oracle.finite()

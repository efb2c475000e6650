"""Each loss beside its derivative and its formulas."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules import Arrays, gradient, per_sample
from tutor.engine.activations import activation, softmax
from tutor.engine.entry import entry
from tutor.engine.losses import LOG_SIGMOID, LOG_SOFTMAX, LOSSES, NAMES, Loss, loss
from tutor.engine.tree import Number, evaluate
from tutor.errors import NetworkError

logistic = activation("sigmoid").f
getcontext().prec = 300
RULES = list(LOSSES.values())


def outputs_of(rule: Loss, z: Any) -> Any:
    return {"sigmoid": logistic, "softmax": softmax, "": lambda values: values}[rule.fused_with](z)


def exact_log_softmax(row: list[float], i: int) -> float:
    """To three hundred digits, as an oracle."""
    total = sum((Decimal(z) - Decimal(row[i])).exp() for z in row)
    return float(-total.ln())


@given(st.floats(-250, 250))
def test_log_sigmoid_is_exact_in_both_tails(z: float) -> None:
    expected = float(-(1 + (-Decimal(z)).exp()).ln())
    assert float(LOG_SIGMOID(np.array(z))) == pytest.approx(expected, rel=1e-15, abs=1e-300)


@given(st.lists(st.floats(-120, 120), min_size=1, max_size=4))
def test_log_softmax_is_exact_in_both_tails(row: list[float]) -> None:
    found = LOG_SOFTMAX(np.array([row]))[0]
    for i in range(len(row)):
        assert found[i] == pytest.approx(exact_log_softmax(row, i), rel=1e-13, abs=1e-300)


def test_the_loss_of_a_very_sure_and_right_softmax_is_small_but_not_zero() -> None:
    z, y = np.array([[40.0, 0.0]]), np.array([[1.0, 0.0]])
    assert per_sample(loss("cross_entropy"), softmax(z), y, z)[0] == pytest.approx(
        math.exp(-40), rel=1e-12
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@given(
    st.lists(st.tuples(st.floats(-6, 6), st.floats(0, 1)), min_size=1, max_size=4),
)
def test_the_gradient_by_each_output_agrees_with_central_differences(
    rule: Loss, cells: list[tuple[float, float]]
) -> None:
    z = np.array([[cell[0] for cell in cells]])
    y = np.array([[cell[1] for cell in cells]])
    a = outputs_of(rule, z)
    slopes = gradient(rule, a, y)[0]
    for i in range(len(cells)):
        p, target = float(a[0, i]), float(y[0, i])
        if rule.name == "huber" and abs(abs(p - target) - 1) < 1e-3:
            continue  # where the two pieces meet the second derivative jumps
        if rule.name == "perceptron" and abs(p * target) < 1e-2:
            continue  # and here the first
        value = {  # one output's part of the loss, in its textbook form
            "squared_error": lambda p, t=target: (p - t) ** 2,
            "half_squared_error": lambda p, t=target: 0.5 * (p - t) ** 2,
            "huber": lambda p, t=target: (
                0.5 * (p - t) ** 2 if abs(p - t) <= 1 else abs(p - t) - 0.5
            ),
            "perceptron": lambda p, t=target: max(0.0, -p * t),
            "binary_cross_entropy": lambda p, t=target: (
                -(t * math.log(p) + (1 - t) * math.log1p(-p))
            ),
            "cross_entropy": lambda p, t=target: -t * math.log(p),
        }[rule.name]
        h = 1e-3 * min(p, 1 - p) if rule.fused_with and p < 1 else 1e-4
        slope = (
            (8 * (value(p + h) - value(p - h)) - (value(p + 2 * h) - value(p - 2 * h))) / (12 * h)
            if p < 1
            else slopes[i]
        )
        assert abs(slopes[i] - slope) <= 1e-8 * max(1.0, abs(slopes[i]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@given(
    st.lists(
        st.tuples(st.floats(-30, 30), st.sampled_from([0.0, 1.0, 0.3, 2.5])), min_size=1, max_size=5
    )
)
def test_formulas_say_what_the_arrays_compute(rule: Loss, cells: list[tuple[float, float]]) -> None:
    z = np.array([[cell[0] for cell in cells]])
    y = np.array([[cell[1] for cell in cells]])
    a = outputs_of(rule, z)
    env = Arrays({"a": a, "y": y, "z": z})
    terms = [float(evaluate(entry(rule.term, 1, i + 1, env), env)) for i in range(len(cells))]
    total = float(evaluate(rule.of_sample(Number(sum(terms), "sum")), env))
    expected = float(by_arrays(rule.name, a, y, z))
    assert abs(total - expected) <= 1e-14 * max(sum(map(abs, terms)), abs(expected))
    assert abs(float(per_sample(rule, a, y, z)[0]) - expected) <= 1e-14 * max(
        sum(map(abs, terms)), abs(expected)
    )
    with np.errstate(all="ignore"):
        slopes = gradient(rule, a, y)[0]
        by_hand = gradient_by_arrays(rule.name, a, y)[0]
    for i, slope in enumerate(slopes):
        assert evaluate(entry(rule.gradient, 1, i + 1, env), env) == slope == by_hand[i]


def by_arrays(name: str, a: Any, y: Any, z: Any) -> Any:
    """The loss of one sample in plain NumPy."""
    if name == "binary_cross_entropy":
        return (y * np.logaddexp(0.0, -z) + (1.0 - y) * np.logaddexp(0.0, z)).sum()
    if name == "cross_entropy":
        return -sum(target * exact_log_softmax(z[0].tolist(), i) for i, target in enumerate(y[0]))
    if name == "huber":
        return np.where(abs(a - y) <= 1, 0.5 * (a - y) ** 2, abs(a - y) - 0.5).sum()
    if name == "perceptron":
        return np.maximum(0.0, -(a * y)).sum()
    return ((a - y) ** 2).sum() * (0.5 if name == "half_squared_error" else 1.0)


def gradient_by_arrays(name: str, a: Any, y: Any) -> Any:
    """The derivative by each output in plain NumPy; a target of 0 takes no part."""
    if name == "binary_cross_entropy":
        return np.where(y == 1, 0.0, (1.0 - y) / (1.0 - a)) - np.where(y == 0, 0.0, y / a)
    if name == "cross_entropy":
        return -np.where(y == 0, 0.0, y / a)
    if name == "huber":
        return np.clip(a - y, -1.0, 1.0)
    if name == "perceptron":
        return np.where(a * y > 0, 0.0, -y)
    return (a - y) * (1.0 if name == "half_squared_error" else 2.0)


def test_the_textbook_values() -> None:
    a, y, z = np.array([[0.5, 2.0]]), np.array([[1.0, 0.0]]), np.zeros((1, 2))
    assert per_sample(loss("squared_error"), a, y, z)[0] == 4.25
    assert per_sample(loss("half_squared_error"), a, y, z)[0] == 2.125
    assert per_sample(loss("binary_cross_entropy"), logistic(z), y, z)[0] == pytest.approx(
        2 * math.log(2)
    )
    assert per_sample(loss("cross_entropy"), softmax(z), y, z)[0] == pytest.approx(math.log(2))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_sample_has_its_own_loss(rule: Loss) -> None:
    z = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])
    y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    a = outputs_of(rule, z)
    together = per_sample(rule, a, y, z)
    assert together.shape == (3,)
    alone = [per_sample(rule, a[n : n + 1], y[n : n + 1], z[n : n + 1])[0] for n in range(3)]
    assert together.tolist() == pytest.approx(alone, rel=1e-15)


def test_a_class_with_target_zero_takes_no_part_even_where_its_logarithm_is_infinite() -> None:
    z, y = np.array([[1e308, -1e308]]), np.array([[1.0, 0.0]])
    with np.errstate(all="ignore"):
        assert LOG_SOFTMAX(z)[0, 1] == -np.inf
        assert per_sample(loss("cross_entropy"), softmax(z), y, z)[0] == 0.0
        assert gradient(loss("cross_entropy"), softmax(z), y).tolist() == [[-1.0, 0.0]]


def test_binary_cross_entropy_is_finite_wherever_the_pre_activation_is() -> None:
    z = np.array([[1e308], [-1e308], [800.0], [-800.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    with np.errstate(over="ignore"):
        assert per_sample(loss("binary_cross_entropy"), logistic(z), y, z).tolist() == [
            1e308,
            1e308,
            0.0,
            0.0,
        ]


def test_only_the_cross_entropies_have_a_shortcut() -> None:
    assert {rule.name: rule.fused_with for rule in RULES if rule.fused_with} == {
        "binary_cross_entropy": "sigmoid",
        "cross_entropy": "softmax",
    }


def test_an_unknown_loss_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(NetworkError, match="half_squared_error"):
        loss("hinge")
    assert set(NAMES) == set(LOSSES)

"""Each activation beside its derivative, its bound and its choice at the kink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.builder.fields import FIELDS
from tutor.engine.activations import (
    NAMES,
    Activation,
    activation,
    softmax,
    softmax_jacobian,
)
from tutor.engine.parameters import PARAMETERS, Parameter
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Apply, Number, Numbers, Ref, evaluate
from tutor.errors import NetworkError
from tutor.lesson import changeable
from tutor.scenario.model import LayerSpec

SMOOTH = [
    activation("identity"),
    activation("sigmoid"),
    activation("tanh"),
    activation("elu"),
    activation("softplus"),
]
KINKED = [
    activation("relu"), activation("leaky_relu"), activation("leaky_relu", slope=0.1), activation("leaky_relu", slope=-0.5),
    activation("elu", alpha=0.5), activation("elu", alpha=2.0), activation("elu", alpha=-1.0),
]  # fmt: skip
ELEMENTWISE = [*SMOOTH, *KINKED]
FLAT = [activation("step"), activation("sign")]
EDGES = np.array(
    [
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        1e-310,
        36.8,
        -37.0,
        709.0,
        710.0,
        -745.0,
        -746.0,
        1e154,
        -1e154,
        1.7e308,
        -1.7e308,
    ]
)


def name(rule: Activation) -> str:
    return rule.name + "".join(f" {key} {value}" for key, value in rule.parameters.items())


def derivative(rule: Activation, z: Any) -> Any:
    return rule.derivative(z, rule.f(z))


def test_the_tests_here_cover_every_activation() -> None:
    assert {rule.name for rule in (*ELEMENTWISE, *FLAT)} | {"softmax"} == set(NAMES)


@pytest.mark.parametrize("rule", ELEMENTWISE, ids=name)
@given(z=st.floats(-20, 20))
def test_derivative_agrees_with_central_differences(rule: Activation, z: float) -> None:
    if abs(z) < 1e-2 and rule.at_kink:
        z += 0.1  # both sides of the kink have their own derivative; see the tests on kinks
    h, at = 1e-3, np.array([z])
    slope = (8 * (rule.f(at + h) - rule.f(at - h)) - (rule.f(at + 2 * h) - rule.f(at - 2 * h))) / (
        12 * h
    )
    assert abs(derivative(rule, at) - slope)[0] <= 1e-9 * max(1.0, abs(z))


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        (activation("relu"), 0.0),
        (activation("leaky_relu"), 0.01),
        (activation("leaky_relu", slope=0.1), 0.1),
        (activation("elu"), 1.0),
        (activation("elu", alpha=0.5), 0.5),
    ],
    ids=lambda value: name(value) if isinstance(value, Activation) else "",
)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_at_the_kink_we_take_the_derivative_from_the_left(
    rule: Activation, chosen: float, zero: float
) -> None:
    assert derivative(rule, np.array([zero]))[0] == chosen
    assert rule.at_kink or rule.parameters.get("alpha") == 1.0


def test_the_step_counts_zero_as_reached_and_the_sign_of_zero_is_zero() -> None:
    z = np.array([-1e-300, -0.0, 0.0, 1e-300])
    assert activation("step").f(z).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert activation("sign").f(z).tolist() == [-1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("rule", FLAT, ids=name)
def test_a_flat_activation_has_no_derivative_to_learn_by(rule: Activation) -> None:
    assert not rule.differentiable
    assert rule.flat
    assert rule.slope is None is rule.slope_function


@pytest.mark.parametrize("rule", ELEMENTWISE, ids=name)
@given(z=st.floats(-800, 800))
def test_the_derivative_keeps_to_its_bound(rule: Activation, z: float) -> None:
    assert rule.bound is not None
    with np.errstate(over="ignore"):
        assert abs(derivative(rule, np.array([z]))[0]) <= rule.bound


@pytest.mark.parametrize(
    ("rule", "at", "largest"),
    [
        pytest.param(activation("sigmoid"), 0.0, 0.25, id="sigmoid"),
        pytest.param(activation("tanh"), 0.0, 1.0, id="tanh"),
    ],
)
def test_the_bound_is_reached(rule: Activation, at: float, largest: float) -> None:
    assert rule.bound == largest == derivative(rule, np.array([at]))[0]


@pytest.mark.parametrize("rule", [*ELEMENTWISE, *FLAT], ids=name)
def test_values_and_derivatives_at_the_edges_of_float64_are_finite(rule: Activation) -> None:
    # e^−z may overflow inside 1/(1 + e^−z), which is then rightly 0
    with np.errstate(over="ignore"):
        assert np.isfinite(rule.f(EDGES)).all()
        if rule.slope is not None:
            assert np.isfinite(derivative(rule, EDGES)).all()


@pytest.mark.parametrize(
    "rule", [*ELEMENTWISE, activation("sign"), activation("softmax")], ids=name
)
def test_what_is_not_a_number_is_not_made_into_one(rule: Activation) -> None:
    assert np.isnan(rule.f(np.array([[np.nan, np.nan]]))).all()


@pytest.mark.parametrize("rule", [*ELEMENTWISE, *FLAT], ids=name)
@given(z=st.one_of(st.floats(-30, 30), st.sampled_from(EDGES.tolist())))
def test_formulas_say_what_the_arrays_compute(rule: Activation, z: float) -> None:
    with np.errstate(over="ignore"):
        a = float(rule.f(np.array([z]))[0])
    leaf_z, leaf_a = Ref(Quantity("z", 1, 1)), Ref(Quantity("a", 1, 1))
    env = Numbers({leaf_z.quantity: z, leaf_a.quantity: a})
    written = (
        Apply(leaf_z, rule.function) if rule.function.formula is None else rule.formula(leaf_z)
    )
    assert evaluate(written, env) == pytest.approx(a, rel=1e-14, abs=1e-300)
    with np.errstate(over="ignore"):
        assert a == pytest.approx(by_hand(rule, z), rel=1e-14, abs=1e-300)
    if rule.slope is not None:
        with np.errstate(over="ignore"):
            slope = float(rule.derivative(np.array([z]), np.array([a]))[0])
        assert evaluate(rule.derivative_formula(leaf_z, leaf_a), env) == pytest.approx(
            slope, rel=1e-14, abs=1e-300
        )


def by_hand(rule: Activation, z: float) -> float:
    """The activation in plain NumPy, without the engine's trees."""
    slope, alpha = rule.parameters.get("slope", 0.01), rule.parameters.get("alpha", 1.0)
    return float({
        "identity": z, "sigmoid": 1 / (1 + np.exp(-z)), "tanh": np.tanh(z), "relu": max(z, 0.0), "leaky_relu": z if z > 0 else slope * z,
        "elu": z if z > 0 else alpha * np.expm1(min(z, 0.0)), "step": float(z >= 0), "sign": np.sign(z),
        "softplus": max(z, 0.0) + np.log1p(np.exp(-abs(z))),
    }[rule.name])  # fmt: skip


@given(st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=6))
def test_softmax_is_a_distribution_for_any_finite_numbers(row: list[float]) -> None:
    # the distance between two numbers may be beyond float64; e to it is 0
    with np.errstate(over="ignore"):
        a = softmax(np.array([row]))
    assert (a >= 0).all()
    assert a.sum() == pytest.approx(1.0, rel=1e-14)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=5))
def test_the_jacobian_of_softmax_agrees_with_central_differences(row: list[float]) -> None:
    z, h = np.array(row), 1e-3
    jacobian = softmax_jacobian(softmax(z))
    for k, step in enumerate(h * np.eye(len(z))):
        slope = (
            8 * (softmax(z + step) - softmax(z - step))
            - (softmax(z + 2 * step) - softmax(z - 2 * step))
        ) / (12 * h)
        assert np.abs(jacobian[:, k] - slope).max() <= 1e-10


def test_softmax_works_row_by_row() -> None:
    z = np.array([[0.0, 0.0], [0.0, np.log(3.0)]])
    assert softmax(z) == pytest.approx(np.array([[0.5, 0.5], [0.25, 0.75]]))


def test_an_unknown_activation_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(NetworkError, match="leaky_relu"):
        activation("swish")


@pytest.mark.parametrize(
    ("rule", "parameters"),
    [("relu", {"slope": 0.1}), ("leaky_relu", {"alpha": 1.0}), ("elu", {"slope": 1.0})],
)
def test_a_parameter_of_another_activation_is_refused(
    rule: str, parameters: dict[str, float]
) -> None:
    with pytest.raises(NetworkError, match=next(iter(parameters))):
        activation(rule, **parameters)


def test_the_parameters_reach_the_formula() -> None:
    tree = activation("leaky_relu", slope=0.1).formula(Number(-2.0))
    assert evaluate(tree, Numbers({})) == pytest.approx(-0.2)


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=PARAMETERS)
def test_a_parameter_is_in_files_form_and_addresses_by_its_entry_alone(
    parameter: Parameter,
) -> None:
    assert activation(parameter.owner).parameters == {parameter.name: parameter.default}
    assert parameter.name in LayerSpec.model_fields
    assert FIELDS[parameter.name].only == (parameter.owner,)
    assert parameter.name in changeable.KINDS
    assert bool(parameter.refusal(0.0)) == parameter.positive

"""How the gradient travels: sizes and factors from layer to layer, by hand and against the lessons."""

from __future__ import annotations

import numpy as np
import pytest

from tests.visiting import NAMES, context, steps
from tutor import number
from tutor.pages.step_page import LayerFlow, flow
from tutor.pages.view import View


@pytest.mark.parametrize("name", [name for name in NAMES if name != "perceptron-step"])
def test_the_factors_multiply_to_the_size_in_the_first_layer(name: str) -> None:
    trace = context(name).trace
    found = flow(trace)
    assert [part.layer for part in found] == list(range(trace.network.depth, 0, -1))
    assert found[0].factor is None
    product = found[0].size
    for part in found[1:]:
        assert product is not None
        assert part.factor is not None
        product *= part.factor
        assert part.size == pytest.approx(product, rel=1e-12)
    for part in found:
        assert part.size == pytest.approx(
            float(np.sqrt((trace.array("dL/dz", part.layer) ** 2).sum())), rel=1e-14
        )


def test_a_sigmoid_layer_keeps_its_bound_and_the_gradient_vanishes() -> None:
    found = flow(context("vanishing-gradient").trace)
    hidden = found[1:]
    assert all(
        part.bound == 0.25 and part.largest_slope is not None and part.largest_slope <= 0.25
        for part in hidden
    )
    assert all(part.factor is not None and part.factor < 1 for part in hidden)


def test_relu_with_large_weights_makes_the_gradient_explode() -> None:
    assert all(
        part.factor is not None and part.factor > 1
        for part in flow(context("exploding-gradient").trace)[1:]
    )


def test_behind_a_flat_activation_nothing_travels() -> None:
    assert flow(context("perceptron-step").trace) == (
        LayerFlow(1, None, flow(context("perceptron-step").trace)[0].bound, None, None),
    )


@pytest.mark.parametrize("name", ["vanishing-gradient", "exploding-gradient"])
@pytest.mark.parametrize("grain", ["layer", "pass"])
def test_the_table_shows_a_layer_once_its_error_signals_are_there(name: str, grain: str) -> None:
    opened = context(name, View(grain=grain))
    seen = set()
    for n, shown in steps(name, View(grain=grain)):
        assert bool(shown.flow) == (opened.walk.phase(n) == "backward")
        for row, part in zip(shown.flow, flow(opened.trace), strict=False):
            done = bool(row.size)
            seen.add(done)
            assert row.layer == part.layer
            if done:
                assert part.size is not None
                assert row.size == number.shown(part.size, opened.decimals)
                assert row.factor == (
                    "" if part.factor is None else number.shown(part.factor, opened.decimals)
                )
            else:
                assert row.factor == ""
    assert True in seen

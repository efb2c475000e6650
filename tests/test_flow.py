"""How the gradient travels: sizes and factors from layer to layer, by hand and against the lessons."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.htmltree import read
from tests.visiting import NAMES, context, get, steps
from tutor import number
from tutor.engine.health import LayerFlow, flow
from tutor.engine.quantity import Quantity
from tutor.lesson.walk import GRAINS
from tutor.pages.gradient_flow import scale
from tutor.pages.step_page import step_page
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
        assert part.size == np.abs(trace.array("dL/dz", part.layer)).max()


@pytest.mark.parametrize("name", ["vanishing-gradient", "exploding-gradient", "3-2-3-softmax"])
def test_a_factor_is_what_the_weights_and_the_slopes_make_of_it(name: str) -> None:
    trace = context(name).trace
    for above, part in pairwise(flow(trace)):
        assert part.weights is not None
        assert part.slope is not None
        assert part.factor == pytest.approx(part.weights * part.slope, rel=1e-14)
        assert part.slope <= (part.largest_slope or 0) * (1 + 1e-15)
        passed = np.abs(
            trace.array("dL/dz", above.layer) @ trace.network.layer(above.layer).weights
        )
        assert part.weights == pytest.approx(passed.max() / (above.size or 0), rel=1e-12)


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
@pytest.mark.parametrize("grain", GRAINS)
def test_the_chart_shows_a_layer_once_its_error_signals_are_there(name: str, grain: str) -> None:
    opened = context(name, View(grain=grain))
    few = min(opened.decimals, 4)
    seen = set()
    for n, shown in steps(name, View(grain=grain)):
        at_signals = grain != "number" or shown.step.anchor.kind == "dL/dz"
        assert (shown.flow is not None) == (opened.walk.phase(n) == "backward" and at_signals)
        if shown.flow is None:
            continue
        parts = flow(opened.trace)
        assert [row.name for row in shown.flow.rows] == [
            "Output layer",
            *(f"Hidden layer {layer}" for layer in range(opened.trace.network.depth - 1, 0, -1)),
        ]
        for row, part in zip(shown.flow.rows, parts, strict=True):
            units = opened.trace.network.sizes[part.layer]
            done = opened.walk.known(Quantity("dL/dz", part.layer, units), n)
            seen.add(done)
            assert (row.bar is not None) == done == bool(row.size)
            if done:
                assert part.size is not None
                assert row.size == number.shown(part.size, opened.decimals)
                assert row.factors == tuple(
                    "" if factor is None else number.shown(factor, few)
                    for factor in (part.factor, part.weights, part.slope)
                )
            else:
                assert row.factors == ("", "", "")
        left = any(row.bar is None for row in shown.flow.rows)
        assert ("has not reached the empty layers yet" in shown.flow.about) == left
    assert True in seen


def test_a_chart_says_what_has_become_of_the_gradient() -> None:
    said = {}
    for name in ("vanishing-gradient", "exploding-gradient"):
        opened = context(name, View(grain="pass"))
        chart = step_page(opened, 3).flow
        assert chart is not None
        said[name] = (chart.short, chart.scale, chart.about.split(". ")[1])
    assert said == {
        "vanishing-gradient": (
            "0.146778 → 0.001272",
            "logarithmic scale from 0.001 to 1",
            (
                "In total it shrinks by a factor of 115.4 on its way to hidden layer 1: here no slope "
                "can be larger than 0.25."
            ),
        ),
        "exploding-gradient": (
            "2 → 54",
            "scale from 0 to 54",
            "In total it grows by a factor of 27 on its way to hidden layer 1.",
        ),
    }


def test_a_network_of_one_layer_has_no_chart() -> None:
    assert all(shown.flow is None for _, shown in steps("linear-regression", View(grain="layer")))


def test_sizes_far_apart_are_drawn_by_powers_of_ten() -> None:
    near, far = scale([1, 20, 0]), scale([0.002, 0.5, 0])
    assert (near(5), near(20), near(0), near.lines) == (25, 100, 0, ())
    assert far(0.01) == pytest.approx(100 / 3)
    assert far(1) == 100
    assert far(0) == 0
    assert far.lines == (33.3, 66.7)
    assert scale([0.01, 1])(0.01) > 0
    assert scale([])(0) == 0
    tiny = scale([1e-300, 1e300])
    assert 0 < tiny(1e-300) < tiny(1) < tiny(1e300) <= 100
    assert tiny.lines == ()


def test_a_screen_reader_reads_the_chart_as_a_table() -> None:
    page = read(get("/lessons/vanishing-gradient/steps/18").text).root
    chart = page.one("table", cls="flow")
    rows = [row for row in chart.all("tr") if row.elements[0].attributes.get("scope") == "row"]
    assert [row.elements[0].text for row in rows] == [
        "Output layer",
        *(f"Hidden layer {layer}" for layer in (3, 2, 1)),
    ]
    assert [cell.text for cell in chart.all("td", cls="todo")] == ["not yet"] * 15
    assert all(bar.attributes["aria-hidden"] == "true" for bar in chart.all("svg"))

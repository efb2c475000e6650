"""Numbers moved a little: what is measured agrees with backpropagation, and would tell where it did
not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import isfinite, prod
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.visiting import NAMES, context, fragment, page
from tutor.engine.network_nudge import NetworkNudger, gradient_of
from tutor.engine.nudge import STEP, Difference, check, relative
from tutor.engine.quantity import parse
from tutor.engine.trace import Trace
from tutor.lesson.walk import open_lesson
from tutor.scenario.reader import Scenario, load

FILES = sorted((Path(__file__).parents[1] / "scenarios").rglob("*.yaml"))
ONE = "1-2-3-1-sigmoid"


def traces() -> list[tuple[str, Trace]]:
    """The first iteration of every network that is walked to its end."""
    scenarios = [(path.stem, load(path)) for path in FILES]
    opened = [(name, open_lesson(s).trace) for name, s in scenarios if isinstance(s, Scenario)]
    return [(name, trace) for name, trace in opened if trace.stop is None]


def test_in_every_lesson_the_gradients_are_those_that_are_measured() -> None:
    found = traces()
    assert len(found) > 20
    for name, trace in found:
        whole = check(NetworkNudger(trace), most=200)
        assert whole.differ == (), name
        assert whole.worst is None or whole.worst.error < 1e-3, name


def test_the_loss_that_is_moved_is_the_loss_of_the_lesson() -> None:
    for name, trace in traces():
        data = trace.arrays.get(("data_loss", 0), trace.arrays["loss", 0])
        assert NetworkNudger(trace).here == pytest.approx(float(data), rel=1e-14), name


@pytest.mark.parametrize("off", [1.001, 0.5, -1.0])
def test_a_wrong_gradient_is_told_apart(off: float) -> None:
    nudger = NetworkNudger(context(ONE).trace)
    for name in ("w[2][1,1]", "b[1][2]", "x[1]"):
        right = nudger.central(parse(name))
        assert right.agrees
        assert right.error < 1e-6
        wrong = replace(right, gradient=off * right.gradient)
        assert not wrong.agrees
        assert not wrong.corner
        assert wrong.error > 5e-4


def test_an_error_falls_with_the_square_of_h_until_rounding_takes_over() -> None:
    nudger, q = NetworkNudger(context(ONE).trace), parse("w[3][1,2]")
    errors = {h: nudger.central(q, h).error for h in (1e-1, 1e-2, 1e-3, 1e-11)}
    assert errors[1e-1] / errors[1e-2] == pytest.approx(100, rel=0.2)
    assert errors[1e-2] / errors[1e-3] == pytest.approx(100, rel=0.2)
    assert errors[1e-11] > errors[1e-3]


def test_at_a_corner_two_slopes_are_told_and_no_error() -> None:
    at = Difference(parse("w[1][1,1]"), 0.0, STEP, 1.0, 1.0, 1.0 + STEP, 0.0)
    assert at.slope == pytest.approx(0.5)
    assert at.corner
    assert not at.agrees
    assert not replace(at, gradient=1.5).corner


def test_at_a_corner_that_is_known_two_slopes_are_told_even_where_their_mean_agrees() -> None:
    at = Difference(parse("w[1][1,1]"), 0.0, STEP, 1.0, 1.0, 1.0 + STEP, 0.5)
    assert at.agrees
    assert not at.corner
    assert replace(at, kinked=True).corner


def test_where_there_is_no_result_on_one_side_nothing_agrees_and_nothing_differs() -> None:
    at = Difference(parse("w[1][1,1]"), 0.0, STEP, float("nan"), 1.0, 1.0 + STEP, 1.0)
    assert at.undefined
    assert not any((at.agrees, at.corner, at.tiny, at.differs))


def test_of_many_gradients_an_even_selection_of_every_array_is_checked() -> None:
    nudger = NetworkNudger(context("3-4-2-regression").trace)
    whole, part = check(nudger, most=1000), check(nudger, most=12)
    assert whole.checked == whole.of == sum(prod(shape) for _, shape in nudger.arrays())
    assert part.of == whole.of
    assert 12 <= part.checked < whole.checked
    assert [one.name for one in part.arrays] == [one.name for one in whole.arrays]
    assert all(len(one.checked) >= 2 for one in part.arrays if one.of > 1)


def test_parameters_and_inputs_can_be_nudged_and_nothing_else() -> None:
    nudger = NetworkNudger(context(ONE).trace)
    for name in ("w[1][1,1]", "b[2][3]", "x[1]"):
        assert nudger.can(parse(name))
        nudger.trace.value(gradient_of(parse(name)))
    for name in ("z[1][1]", "y[1]", "w+[1][1,1]", "loss", "eta", "dL/dw[1][1,1]"):
        assert not nudger.can(parse(name))
    assert not NetworkNudger(context("perceptron-step").trace).can(parse("w[1][1,1]"))


# ---- on the page ----


def nudged(name: str, q: str, query: str = "") -> str:
    return fragment(f"/lessons/{name}/quantities/{quote(q)}{query}").text


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_a_weight_has_its_curve_and_both_slopes(name: str) -> None:
    trace = context(name).trace
    if trace.stop is not None:
        assert "Nudge it" not in nudged(name, "w[1][1,1]")
        return
    text = nudged(name, "w[1][1,1]")
    found = NetworkNudger(trace).central(parse("w[1][1,1]"))
    assert "Both ways agree" in text
    rows = dict(re.findall(r'<th scope="row">([a-z][^<]*)</th><td>([^<]*)</td>', text))
    slope = rows["central difference: their difference ÷ 2h"].replace("−", "-")
    assert float(slope) == pytest.approx(found.slope, rel=1e-6)


def test_h_and_the_place_come_from_the_address() -> None:
    root = page(f"/lessons/{ONE}/quantities/w[2][1,1]?h=0.1&at=0.5").root
    form = root.one("form", cls="ask-form")
    slider = form.one("input", id="nudge-at")
    assert slider.attributes["value"] == "0.5"
    chosen = [o.text for o in form.one("select").all("option") if "selected" in o.attributes]
    assert chosen == ["0.1"]
    nudger = NetworkNudger(context(ONE).trace)
    there = nudger.result(parse("w[2][1,1]"), 0.5)
    assert f"{there:.6f}".rstrip("0") in root.one("section", cls="nudge").text


@pytest.mark.parametrize("query", ["?h=0", "?h=-1", "?h=7", "?h=x", "?at=nan", "?at=1e999"])
def test_a_nudge_that_makes_no_sense_is_ignored_with_a_word(query: str) -> None:
    root = page(f"/lessons/{ONE}/quantities/w[2][1,1]{query}").root
    assert "ignored" in root.one("p", cls="notice").text
    assert "Both ways agree" in root.text


def test_numbers_rounded_as_on_paper_are_not_nudged_but_checked_in_full_precision() -> None:
    text = nudged(ONE, "w[1][1,1]", "?paper=3")
    assert "cannot be nudged" in text
    assert '<svg class="chart"' not in text
    assert "Backpropagation agrees" in page(f"/lessons/{ONE}/check?paper=3").root.text


def test_nothing_is_nudged_before_its_gradient_is_known() -> None:
    step = context(ONE).walk.step_of(parse("dL/dw[2][1,1]"))
    before, then = (nudged(ONE, "w[2][1,1]", f"?step={n}") for n in (step - 1, step))
    assert '<svg class="chart"' not in before
    assert f"Once step {step} is done" in before
    assert '<svg class="chart"' in then


def test_a_slope_beyond_float64_is_all_wrong() -> None:
    assert relative(float("inf"), 1.0) == relative(float("-inf"), float("inf")) == 1.0
    assert relative(1.0, 2.0) == 0.5


@pytest.mark.parametrize(
    ("lesson", "name", "value"),
    [
        ("layer-norm", "x[1]", "99999999999999999999"),
        ("vanishing-product", "w4", "1e308"),
        ("init-xavier", "b[4][1]", "-1e308"),
        ("sum-times", "x", "1e-320"),
    ],
)
def test_a_number_of_any_size_can_be_looked_at(lesson: str, name: str, value: str) -> None:
    root = page(f"/lessons/{lesson}/quantities/{name}?{name}={value}").root
    (nudge,) = root.all("section", cls="nudge")
    slider = nudge.one("input", id="nudge-at").attributes
    assert all(isfinite(float(slider[end])) for end in ("min", "max", "step", "value"))
    for chart in nudge.all("svg"):
        drawn = " ".join(" ".join(map(str, e.attributes.values())) for e in chart.all())
        assert not re.search(r"\b(nan|inf)\b", drawn)

"""The health of the gradient: what is wrong is pointed out where it happens, and a healthy lesson
gets no warning.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.visiting import context, get, page
from tutor.engine.health import (
    DEAD,
    DEAD_BATCH,
    EXPLODED,
    FADES,
    GROWS,
    SATURATED,
    SATURATES,
    VANISHED,
    findings,
    flow,
)
from tutor.engine.trace import Trace
from tutor.lesson.health_words import SCALE, heading, sentence
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View
from tutor.scenario.reader import parse

HEALTHY = (
    "1-2-3-1-sigmoid",
    "3-2-3-softmax",
    "3-4-2-regression",
    "linear-regression",
    "one-neuron",
)


def network(
    activation: str, weights: list[list[float]], samples: int, loss: str = "squared_error"
) -> Trace:
    """Two layers over some samples of one input; the second passes its input on."""
    rows = [[0.1 * n] for n in range(1, samples + 1)]
    units = len(weights)
    text = f"""\
format: 1
title: Health
network:
  inputs: 1
  layers:
    - {{units: {units}, activation: {activation}, weights: {weights}, biases: none}}
    - {{units: 1, activation: identity, weights: [{[0.5] * units}], biases: none}}
  loss: {{name: {loss}}}
data: {{inputs: {rows}, targets: {[[1.0]] * samples}}}
training: {{learning_rate: 0.1}}
"""
    return open_lesson(parse(text, "health.yaml")).trace


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_lesson_gets_no_warning(name: str) -> None:
    assert findings(context(name).trace) == ()
    assert not list(page(f"/lessons/{name}").root.all("p", cls="health"))
    assert "Nothing stands out" in page(f"/lessons/{name}/check").root.text


def test_a_unit_is_saturated_where_its_slope_is_small_for_every_sample() -> None:
    (found,) = findings(network("sigmoid", [[0.5], [200.0]], 3))
    assert (found.what, found.layer, found.units, found.of) == (SATURATES, 1, (2,), 2)
    assert 0 < found.number < SATURATED * 0.25
    trace = network("sigmoid", [[0.5], [-200.0]], 1)
    assert "Unit 2 of the hidden layer is so far out" in sentence(trace, findings(trace)[0])
    assert findings(network("sigmoid", [[0.5], [9.0]], 3)) == ()
    assert findings(network("tanh", [[100.0]], 2))[0].what == SATURATES


def test_a_relu_is_dead_only_where_enough_samples_say_so_or_the_whole_layer_is_off() -> None:
    weights = [[1.0], [-1.0]]
    assert findings(network("relu", weights, DEAD_BATCH - 1)) == ()
    (found,) = findings(network("relu", weights, DEAD_BATCH))
    assert (found.what, found.units, found.number) == (DEAD, (2,), 0.0)
    whole = findings(network("relu", [[-1.0], [-2.0]], 1))
    assert [one.what for one in whole] == [DEAD, FADES]
    leaky = findings(network("leaky_relu", [[-1.0], [-2.0]], 5))
    assert [one.what for one in leaky] == [FADES], "its slope of 0.01 is meant, and small"


def test_a_sigmoid_at_the_output_of_a_cross_entropy_is_not_saturated() -> None:
    opened = context("1-2-3-1-sigmoid", View(changes=(("b[3][1]", "30"),)))
    assert not [one for one in findings(opened.trace) if one.layer == 3]


@pytest.mark.parametrize(
    ("name", "what", "limit"),
    [("vanishing-gradient", FADES, VANISHED), ("exploding-gradient", GROWS, EXPLODED)],
)
def test_fading_and_growing_are_measured_against_the_output(
    name: str, what: str, limit: float
) -> None:
    trace = context(name).trace
    found = [one for one in findings(trace) if one.what == what]
    assert found
    sizes = {part.layer: part.size for part in flow(trace)}
    top = sizes[trace.network.depth]
    assert top
    for one in found:
        size = sizes[one.layer]
        assert size is not None
        assert one.number == pytest.approx(size / top)
        assert (one.number < limit) == (what == FADES)
        assert abs(trace.value(one.shown_by)) == size


def test_where_no_gradient_arrives_it_is_told() -> None:
    trace = open_lesson(parse(ZEROS, "zeros.yaml")).trace
    (found,) = findings(trace)
    assert (found.what, found.number) == (FADES, 0.0)
    assert "No gradient arrives at the hidden layer" in sentence(trace, found)


ZEROS = """\
format: 1
title: Zeros
network:
  inputs: 1
  layers:
    - {units: 2, activation: tanh, weights: [[0], [0]], biases: none}
    - {units: 1, activation: identity, weights: [[0, 0]], biases: none}
  loss: {name: squared_error}
data: {inputs: [[1]], targets: [[1]]}
training: {learning_rate: 0.1}
"""


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_it_is_pointed_out_at_the_step_that_shows_it_and_on_the_first_page(grain: str) -> None:
    name = "vanishing-gradient"
    opened = context(name, View(grain=grain))
    (found,) = findings(opened.trace)
    last = found.shown_by._replace(i=found.of)
    seen = opened.walk.step_of(last)
    for n in range(1, len(opened.walk) + 1):
        notes = list(page(f"/lessons/{name}/steps/{n}?grain={grain}").root.all("p", cls="health"))
        assert len(notes) == (n == seen), n
    (note,) = page(f"/lessons/{name}").root.all("p", cls="health")
    assert heading(found) in note.text
    assert sentence(opened.trace, found) in note.text
    assert "0.00867" in note.text


def test_the_page_says_how_it_is_decided_and_draws_the_sizes() -> None:
    root = page("/lessons/vanishing-gradient/check").root
    assert SCALE in root.text
    drawn = [svg.attributes.get("aria-label") for svg in root.all("svg", cls="chart")]
    charts = [name for name in drawn if name]
    assert charts == ["The relative error against h", "The size of the gradient in each layer"]
    trace = context("vanishing-gradient").trace
    for part in flow(trace):
        gradients = trace.array("dL/dw", part.layer)
        assert part.gradient == pytest.approx(float(np.sqrt((gradients**2).mean())))


# ---- the check of all gradients ----


def test_the_check_says_that_both_agree_and_how_many_were_checked() -> None:
    text = page("/lessons/1-2-3-1-sigmoid/check").root.text
    assert "Backpropagation agrees with what is measured" in text
    assert "All 18 gradients were checked" in text


def test_another_number_is_drawn_and_an_unknown_one_is_refused() -> None:
    root = page("/lessons/1-2-3-1-sigmoid/check?of=w[1][1,1]").root
    assert "w[1][1,1]" in root.text
    for name in ("w[9][1,1]", "zz", "loss"):
        answer = get(f"/lessons/1-2-3-1-sigmoid/check?of={name}")
        assert answer.status_code == 404
        assert 'aria-invalid="true"' in answer.text


def test_a_lesson_that_ends_early_has_nothing_to_check() -> None:
    root = page("/lessons/perceptron-step/check").root
    assert "There is nothing to check" in root.text
    assert not list(root.all("svg", cls="chart"))

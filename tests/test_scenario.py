"""The scenario loader: what a sound file gives, and every refusal with its line and its words."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from tutor import number
from tutor.engine import activations, losses
from tutor.errors import TutorError
from tutor.notation import conventions
from tutor.scenario import dump, model, reader
from tutor.scenario.problem import MAX_PROBLEMS
from tutor.scenario.reader import Printed, Scenario, ScenarioError

GOOD = """\
format: 1
title: Two layers
network:
  inputs: 2
  layers:
    - {units: 3, activation: tanh, weights: [[1, 2], [3, 4], [5, 6]], biases: [0.1, 0.2, 0.3]}
    - units: 2
      activation: softmax
      weights: [[1, 2, 3], [4, 5, 6]]
      biases: none
  loss: {name: cross_entropy}
data:
  inputs: [[1, 2], [3, 4]]
  targets: [[1, 0], [0.25, 0.75]]
training: {learning_rate: 0.1}
"""

LONG_KEYS = "preset, layer_mark, weight_index, bias, vectors, sample_mark, names, hidden, output, loss, learning_rate, update, times, weights, factors"


def parse(text: str) -> Scenario:
    return reader.parse(text, "scenarios/x.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    assert isinstance(caught.value, TutorError)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem).removeprefix("scenarios/x.yaml") for problem in caught.value.problems]


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_a_small_file_gives_a_scenario_with_everything_else_at_its_default() -> None:
    found = parse(GOOD)
    assert (found.id, found.where, found.title, found.course, found.about) == (
        "x",
        "scenarios/x.yaml",
        "Two layers",
        "",
        "",
    )
    assert found.network.sizes == (2, 3, 2)
    assert found.network.layers[0].weights == ((1, 2), (3, 4), (5, 6))
    assert found.network.layers[0].biases == (0.1, 0.2, 0.3)
    assert found.network.layers[1].biases is None
    assert (found.loss.name, found.loss.reduction) == ("cross_entropy", "mean")
    assert found.inputs == ((1, 2), (3, 4))
    assert found.targets == ((1, 0), (0.25, 0.75))
    assert (
        found.training.optimizer.name,
        found.training.learning_rate,
        found.training.batch,
        found.training.iterations,
    ) == ("sgd", 0.1, "full", 1)
    assert (found.notation.preset, found.notation.overrides, found.display.decimals) == (
        "brackets",
        {},
        4,
    )
    assert (found.lecture, found.learn, found.printed, found.notes, found.checks) == (
        None,
        (),
        (),
        (),
        (),
    )


def test_whole_numbers_become_floats_where_floats_are_wanted() -> None:
    found = parse(GOOD)
    assert {type(w) for row in found.network.layers[1].weights or () for w in row} == {float}
    assert {type(x) for row in (*found.inputs, *found.targets) for x in row} == {float}


def test_a_file_with_everything_is_read() -> None:
    found = parse(
        GOOD + "course: A course\nabout: >-\n  Some\n  words.\nlecture: {deck: '003', order: 2}\nlearn: [one, two]\n"
        "notation: {preset: letters, output: p, learning_rate: η}\ndisplay: {decimals: 12}\n"
        "printed:\n"
        "  - {quantity: 'a[2][1]@1', value: '0.5', where: page 1}\n"
        "  - {expression: '1 - {loss}', at: loss, value: '−12.5%', where: page 2, slip: it should be 13}\n"
        "notes: [{at: 'dL/dw[2][2,3]', text: 'It says <b>so</b>.'}]\n"
        "checks: [{quantity: 'z[1][3]@2', equals: '5*{x[1]@2} + 6*{x[2]@2} + {b[1][3]}', text: 5x + 6y + b}]\n"
    )  # fmt: skip
    assert (found.course, found.about, found.learn) == ("A course", "Some words.", ("one", "two"))
    assert found.lecture is not None
    assert (found.lecture.deck, found.lecture.order) == ("003", 2)
    assert found.notation.overrides == {"output": "p", "learning_rate": "η"}
    assert [(p.quantity, p.expression, p.at, p.slip) for p in found.printed] == [
        ("a[2][1]@1", None, None, None), (None, "1 - {loss}", "loss", "it should be 13"),
    ]  # fmt: skip
    assert found.notes[0].text == "It says <b>so</b>."
    assert found.checks[0].quantity == "z[1][3]@2"


def test_a_number_has_a_slip_or_is_left_open_and_not_both() -> None:
    entry = "printed: [{quantity: loss, value: '0.5', where: page 1, left_open: Not updated.%s}]\n"
    assert [(p.slip, p.left_open) for p in parse(GOOD + entry % "").printed] == [
        (None, "Not updated.")
    ]
    assert problems(GOOD + entry % ", slip: Wrong.") == [
        ":16: printed[0].left_open: expected either a slip or left_open: where the lecture leaves a number open, it made no mistake"
    ]


def test_a_note_is_the_tutors_own_where_an_older_file_does_not_say_what_it_is_about() -> None:
    text = "notes: [{at: loss, text: a}, {at: loss, text: b, about_slides: true}]\n"
    assert [note.about_slides for note in parse(GOOD + text).notes] == [False, True]


def test_a_scenario_cannot_be_changed() -> None:
    found = parse(GOOD)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.title = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        found.network.layers[0].units = 7  # type: ignore[misc]
    found.notation.overrides["bias"] = "b"
    assert found.notation.overrides == {}


def test_made_weights_come_with_biases_of_zero_unless_the_file_says_otherwise() -> None:
    first = (
        "{units: 3, activation: tanh, weights: [[1, 2], [3, 4], [5, 6]], biases: [0.1, 0.2, 0.3]}"
    )
    made = "{units: 3, activation: tanh, init: {scheme: xavier, seed: 3}"
    for tail, biases in (
        ("}", (0, 0, 0)),
        (", biases: none}", None),
        (", biases: [1, 2, 3]}", (1, 2, 3)),
    ):
        layer = parse(changed(first, made + tail)).network.layers[0]
        assert layer.weights is None
        assert layer.init is not None
        assert (layer.init.scheme, layer.init.scale, layer.init.seed) == ("xavier", 1.0, 3)
        assert layer.biases == biases


def test_a_layer_has_the_last_word_on_what_learns() -> None:
    text = changed("  loss:", "  trainable: {weights: false}\n  loss:")
    text = changed(
        "      biases: none",
        "      biases: none\n      trainable: {weights: true, biases: false}",
        text,
    )
    network = parse(text).network
    assert (network.learns(1), network.learns(2)) == ((False, True), (True, False))


def test_slope_and_alpha_go_to_their_activations() -> None:
    assert parse(changed("activation: tanh", "activation: leaky_relu, slope: 0.1")).network.layers[
        0
    ].parameters == {"slope": 0.1}
    assert parse(changed("activation: tanh", "activation: elu, alpha: 2")).network.layers[
        0
    ].parameters == {"alpha": 2.0}
    assert parse(GOOD).network.layers[0].parameters == {}


def test_right_to_left_and_joined_characters_are_kept() -> None:
    assert (
        parse(changed("Two layers", "שלום 👩\u200d🔬 <script>")).title == "שלום 👩\u200d🔬 <script>"
    )


def test_the_file_knows_the_same_names_as_the_engine_and_the_notation() -> None:
    assert set(model.ACTIVATIONS) == set(activations.NAMES)
    assert set(get_args(model.LossName)) == set(losses.NAMES)
    fields = model.NotationSpec.model_fields
    assert set(get_args(fields["preset"].annotation)) == set(conventions.PRESETS)
    choices = {
        name: get_args(get_args(field.annotation)[0])
        for name, field in fields.items()
        if name != "preset"
    }
    assert choices == conventions.CHOICES


FIRST = "{units: 3, activation: tanh, weights: [[1, 2], [3, 4], [5, 6]], biases: [0.1, 0.2, 0.3]}"

KNOWN = "Known here: identity, sigmoid, tanh, relu, leaky_relu, elu, softmax, softplus, step, sign"

REFUSED = [
    # The file and its keys
    ("format: 1", "format: 2", [":1: format: expected 1, the only format that this version reads, got the number 2"]),
    ("format: 1", "format: true", [":1: format: expected 1, the only format that this version reads, got true"]),
    ("format: 1", "format: one", [":1: format: expected 1, the only format that this version reads, got the word 'one'"]),
    ("format: 1\n", "", [":1: format: is missing; a scenario starts with format: 1"]),
    ("title: Two layers", "titel: Two layers",
     [":1: title: is missing; give the lesson a name", ":2: titel: is not a key of the format; did you mean title?"]),
    ("title: Two layers", "title: 3", [":2: title: expected a text, got the number 3; put it in quotes"]),
    ("title: Two layers", "title: [a]", [":2: title: expected a text, got a list of 1"]),
    ("title: Two layers", "title: '  '", [":2: title: expected a text, got one with nothing to read"]),
    ("title: Two layers", 'title: "\u200b\u200d"', [":2: title: expected a text, got one with nothing to read"]),
    ("title: Two layers", "title: " + "x" * 201, [":2: title: expected at most 200 characters, got 201"]),
    ("title: Two layers", "title: a\nabout: " + "x" * 2001, [":3: about: expected at most 2,000 characters, got 2,001"]),
    ("title: Two layers", "title: a\nlearn: [a, b, c, d, e]", [":3: learn: expected at most 4 entries, got 5"]),
    ("title: Two layers", "title: a\nlecture: {deck: 3}", [":3: lecture.deck: expected a text, got the number 3; put it in quotes"]),
    ("title: Two layers", "title: a\nnotation: {preset: bracket}", [":3: notation.preset: 'bracket' is not known; did you mean brackets? Known here: brackets, letters, parentheses, left_superscripts"]),
    ("title: Two layers", "title: a\nnotation: {colour: red}",
     [f":3: notation.colour: is not a key of the format; known here: {LONG_KEYS}"]),
    ("title: Two layers", "title: a\nnotation: {times: x}", [":3: notation.times: 'x' is not known; known here: ×, ·"]),
    ("title: Two layers", "title: a\ndisplay: {decimals: 13}", [":3: display.decimals: expected a whole number from 0 to 12, got 13"]),
    ("title: Two layers", "title: a\ndisplay: {decimals: 1.5}", [":3: display.decimals: expected a whole number, got the number 1.5"]),
    ("title: Two layers", "title: a\ndisplay: 4", [":3: display: expected a mapping of keys to values, got the number 4"]),
    # Layers
    ("inputs: 2\n", "inputs: 0\n", [":4: network.inputs: expected a whole number from 1 to 1,024, got 0"]),
    ("inputs: 2\n", "inputs: 1.5\n", [":4: network.inputs: expected a whole number, got the number 1.5"]),
    ("units: 2", "units: 1000000", [":7: network.layers[1].units: expected a whole number from 1 to 1,024, got 1000000"]),
    ("units: 2", "units: true", [":7: network.layers[1].units: expected a whole number, got true"]),
    ("units: 2", 'units: "2"', [":7: network.layers[1].units: expected a whole number, got the word '2'"]),
    ("activation: tanh", "activation: tan", [":6: network.layers[0].activation: 'tan' is not known; did you mean tanh? " + KNOWN]),
    ("activation: tanh", "activation: swish", [(":6: network.layers[0].activation: 'swish' is not known; known here: "
     "identity, sigmoid, tanh, relu, leaky_relu, elu, softmax, softplus, step, sign")]),
    ("activation: tanh", "activation: 3", [(":6: network.layers[0].activation: expected identity, sigmoid, tanh, relu, leaky_relu, elu, "
     "softmax, softplus, step or sign, got the number 3")]),
    ("activation: tanh", "activation: tanh, slope: 0.1", [":6: network.layers[0].slope: belongs to leaky_relu, but the activation here is tanh"]),
    ("activation: tanh", "activation: tanh, alpha: 1", [":6: network.layers[0].alpha: belongs to elu, but the activation here is tanh"]),
    ("activation: tanh", "activation: elu, alpha: 0", [":6: network.layers[0].alpha: expected a number above 0, got 0"]),
    (FIRST, "{}", [
        ":6: network.layers[0].units: is missing", ":6: network.layers[0].activation: is missing",
        ":6: network.layers[0].biases: is missing; give one number per unit, or the word none",
        ":6: network.layers[0].weights: is missing; give one row per unit, or init",
    ]),
    (FIRST, "word", [":6: network.layers[0]: expected a mapping of keys to values, got the word 'word'"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[1, 2], [3, 4]]", [":6: network.layers[0].weights: expected 3 rows of 2, got 2 rows of 2"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[1, 2, 3], [4, 5, 6]]",
     [":6: network.layers[0].weights: expected 3 rows of 2, got 2 rows of 3"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[1, 2], [3], [5, 6]]", [":6: network.layers[0].weights[1]: expected 2 numbers, got 1"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[1, 2], [3]]",
     [":6: network.layers[0].weights: expected 3 rows of 2, got 2 rows of different lengths"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: []", [":6: network.layers[0].weights: expected 3 rows of 2, got 0 rows"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[], [], []]", [":6: network.layers[0].weights: expected 3 rows of 2, got 3 rows of 0"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [1, 2, 3]", [
        f":6: network.layers[0].weights[{n}]: expected a list, got the number {n + 1}" for n in range(3)]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[1, 2], [3, '4'], [5, true]]", [
        ":6: network.layers[0].weights[1][1]: expected a number, got the word '4'",
        ":6: network.layers[0].weights[2][1]: expected a number, got true"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[1, 2], [3, 4], [5, nan]]",
     [":6: network.layers[0].weights[2][1]: expected a number, got the word 'nan'"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [['0,5', 2], [3, 4], [5, 6]]",
     [":6: network.layers[0].weights[0][0]: expected a number, got the word '0,5'; write a decimal point, not a comma"]),
    ("weights: [[1, 2], [3, 4], [5, 6]], biases: [0.1, 0.2, 0.3]", "biases: none",
     [":6: network.layers[0].weights: is missing; give one row per unit, or init"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "weights: [[1, 2], [3, 4], [5, 6]], init: {scheme: he}",
     [":6: network.layers[0].init: there are both weights and init; keep one of them"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "init: {scheme: glorot}",
     [":6: network.layers[0].init.scheme: 'glorot' is not known; did you mean xavier? Known here: uniform, normal, xavier, he, constant, identity"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "init: {scheme: he, seed: -1}",
     [":6: network.layers[0].init.seed: expected a whole number from 0 to 4,294,967,295, got -1"]),
    ("weights: [[1, 2], [3, 4], [5, 6]]", "init: {scheme: normal, scale: -2}",
     [":6: network.layers[0].init.scale: expected 0 or more, got -2"]),
    ("biases: [0.1, 0.2, 0.3]", "biases: [0.1]", [":6: network.layers[0].biases: expected 3 numbers, got 1"]),
    ("biases: [0.1, 0.2, 0.3]", "biases: no",
     [":6: network.layers[0].biases: expected a list of numbers, or the word none, got the word 'no'"]),
    (", biases: [0.1, 0.2, 0.3]", "", [":6: network.layers[0].biases: is missing; give one number per unit, or the word none"]),
    ("biases: [0.1, 0.2, 0.3]", "biases: none, dropout: 1",
     [":6: network.layers[0].dropout: expected a number of at least 0 and below 1, got 1; it is the share that is dropped"]),
    ("biases: [0.1, 0.2, 0.3]", "biases: none, trainable: {weights: 1}",
     [":6: network.layers[0].trainable.weights: expected true or false, got the number 1"]),
    # Loss, data and training
    ("{name: cross_entropy}", "{name: squared_eror}", [(":11: network.loss.name: 'squared_eror' is not known; did you mean squared_error? "
     "Known here: squared_error, half_squared_error, huber, perceptron, binary_cross_entropy, cross_entropy")]),
    ("{name: cross_entropy}", "{name: squared_error, reduction: none}", [":11: network.loss.reduction: 'none' is not known; known here: sum, mean"]),
    ("{name: cross_entropy}", "mse", [":11: network.loss: expected a mapping of keys to values, got the word 'mse'"]),
    ("activation: softmax", "activation: sigmoid",
     [":11: network.loss.name: cross_entropy needs a softmax in the last layer, got sigmoid"]),
    ("inputs: [[1, 2], [3, 4]]", "inputs: [[1, 2]]", [":14: data.targets: expected 1 row, one per row of data.inputs, got 2 rows"]),
    ("inputs: [[1, 2], [3, 4]]", "inputs: [[1, 2], [3]]", [":13: data.inputs[1]: expected 2 numbers as in network.inputs, got 1"]),
    ("inputs: [[1, 2], [3, 4]]", "inputs: []", [":13: data.inputs: is empty; there must be at least one"]),
    ("inputs: [[1, 2], [3, 4]]", "inputs: 3", [":13: data.inputs: expected a list, got the number 3"]),
    ("targets: [[1, 0], [0.25, 0.75]]", "targets: [[1], [1, 0]]", [":14: data.targets[0]: expected 2 numbers as in the units of the last layer, got 1"]),
    ("targets: [[1, 0], [0.25, 0.75]]", "targets: [[1, 0], [0.2, 0.7]]",
     [":14: data.targets[1]: cross_entropy needs targets that sum to 1; these sum to 0.9"]),
    ("targets: [[1, 0], [0.25, 0.75]]", "targets: [[1, 0], [-1, 2]]", [
        ":14: data.targets[1][0]: cross_entropy needs targets from 0 to 1, got -1",
        ":14: data.targets[1][1]: cross_entropy needs targets from 0 to 1, got 2"]),
    ("  targets: [[1, 0], [0.25, 0.75]]\n", "",
     [":12: data.targets: is missing; give one row per sample; without targets there is no loss to learn from"]),
    ("  inputs: [[1, 2], [3, 4]]\n  targets: [[1, 0], [0.25, 0.75]]\n", "  generator: {name: circle}\n", [
        ":13: data.generator.samples: is missing; say how many samples to make"]),
    ("  inputs: [[1, 2], [3, 4]]\n  targets: [[1, 0], [0.25, 0.75]]\n", "  generator: {name: circle, samples: 9}\n", [
        ":13: data.generator.name: circle makes 1 target per sample here, but the last layer has 2 units",
        ":13: data.generator.labels: cross_entropy needs labels: one_hot, whose targets sum to 1"]),
    ("learning_rate: 0.1", "learning_rate: 0", [":15: training.learning_rate: expected a number above 0, got 0"]),
    ("learning_rate: 0.1", "learning_rate: -1e-3", [":15: training.learning_rate: expected a number above 0, got -0.001"]),
    ("learning_rate: 0.1", "learning_rate: .inf", [":15: training.learning_rate: .inf cannot be computed with; give a finite number"]),
    ("training: {learning_rate: 0.1}\n", "", [":1: training: is missing"]),
    ("{learning_rate: 0.1}", "{}", [":15: training.learning_rate: is missing; give a number above 0"]),
    ("learning_rate: 0.1", "learning_rate: 0.1, optimizer: lion", [":15: training.optimizer: 'lion' is not known; known here: sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw"]),
    ("learning_rate: 0.1", "learning_rate: 0.1, batch: offline", [":15: training.batch: 'offline' is not known; known here: full, online, or a number of samples"]),
    ("learning_rate: 0.1", "learning_rate: 0.1, batch: 8", [":15: training.batch: is 8, more than the 2 samples of this lesson; the limit is 2, which is full"]),
    ("learning_rate: 0.1", "learning_rate: 0.1, batch: {}", [":15: training.batch: expected full, online or a whole number of samples, got a mapping of keys to values"]),
    ("learning_rate: 0.1", "learning_rate: 0.1, l2: 0.01", [":15: training.l2: expected a mapping of keys to values, got the number 0.01; write it like {weight: 0.01}"]),
    ("learning_rate: 0.1", "learning_rate: 0.1, iterations: 0", [":15: training.iterations: expected a whole number from 1 to 1,000, got 0"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), REFUSED)
def test_what_does_not_fit_is_refused_with_its_line(
    old: str, new: str, expected: list[str]
) -> None:
    assert problems(changed(old, new)) == expected


BELOW_1 = "expected a number of at least 0 and below 1, got"
ANY_NAME = "expected the name of an optimizer, or a mapping with its name and numbers, got"
TRAININGS = [
    ("optimizer: Adam", ["optimizer: 'Adam' is not known; did you mean adam? Known here: sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw"]),
    ("optimizer: {name: adm}", ["optimizer.name: 'adm' is not known; did you mean adam? Known here: sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw"]),
    ("optimizer: 3", [f"optimizer: {ANY_NAME} the number 3"]),
    ("optimizer: true", [f"optimizer: {ANY_NAME} true"]),
    ("optimizer: [adam]", [f"optimizer: {ANY_NAME} a list of 1"]),
    ("optimizer: {}", ["optimizer.name: is missing"]),
    ("optimizer: {name: [adam]}", ["optimizer.name: expected sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw, got a list of 1"]),
    ("optimizer: {name: adam, beta1: 1}", [f"optimizer.beta1: {BELOW_1} 1"]),
    ("optimizer: {name: adam, beta1: 4/3, beta2: -1e-3, epsilon: 0}",
     [f"optimizer.beta1: {BELOW_1} 1.3333333333333333", f"optimizer.beta2: {BELOW_1} -0.001", "optimizer.epsilon: expected a number above 0, got 0"]),
    ("optimizer: {name: adam, beta1: true, beta2: x}", ["optimizer.beta1: expected a number, got true", "optimizer.beta2: expected a number, got the word 'x'"]),
    ("optimizer: {name: adam, beta_1: 0.9}", ["optimizer.beta_1: is not a key of the format; did you mean beta1?"]),
    ("optimizer: {name: adam, momentum: 0.9}", ["optimizer.momentum: belongs to momentum or nesterov, but the optimizer here is adam"]),
    ("optimizer: {name: sgd, epsilon: 2}", ["optimizer.epsilon: belongs to adagrad, rmsprop, adam or adamw, but the optimizer here is sgd"]),
    ("optimizer: {name: momentum, momentum: 1}", [f"optimizer.momentum: {BELOW_1} 1"]),
    ("optimizer: {name: rmsprop, alpha: -1}", [f"optimizer.alpha: {BELOW_1} -1"]),
    ("optimizer: {name: adamw, weight_decay: -1}", ["optimizer.weight_decay: expected a number of at least 0, got -1"]),
    ("schedule: linear", ["schedule: 'linear' is not known; known here: constant, step, exponential, cosine, inverse_time"]),
    ("schedule: {every: 3}", ["schedule.name: is missing"]),
    ("schedule: {name: step, every: 0, factor: 0}", ["schedule.every: expected a number of at least 1, got 0", "schedule.factor: expected a number above 0, got 0"]),
    ("schedule: {name: cosine, factor: 2}", ["schedule.factor: belongs to step or exponential, but the schedule here is cosine"]),
    ("schedule: {name: constant, decay: 2}", ["schedule.decay: belongs to inverse_time, but the schedule here is constant"]),
    ("l2: {}", ["l2.weight: is missing; give a number above 0"]),
    ("l2: {weight: 0}", ["l2.weight: expected a number above 0, got 0"]),
    ("l2: {weight: -0.1, form: l1}", ["l2.weight: expected a number above 0, got -0.1", "l2.form: 'l1' is not known; known here: squared, norm"]),
    ("clip: 1", ["clip: expected a mapping of keys to values, got the number 1; write it like {norm: 1}"]),
    ("clip: {}", ["clip: expected either norm or value, with a number above 0"]),
    ("clip: {norm: 0}", ["clip.norm: expected a number above 0, got 0"]),
    ("clip: {norm: 1, value: 2}", ["clip: expected either norm or value, with a number above 0"]),
    ("clip: {nrom: 1}", ["clip.nrom: is not a key of the format; did you mean norm?"]),
    ("weight_decay: 0.1", ["weight_decay: is not a key of the format; did you mean l2?"]),
    ("clip_norm: 1", ["clip_norm: is not a key of the format; did you mean clip?"]),
    ("optimizer: {name: adam, beta1: 2}, schedule: stairs, l2: {weight: 0}, clip: {norm: 0}",
     ["schedule: 'stairs' is not known; known here: constant, step, exponential, cosine, inverse_time", "l2.weight: expected a number above 0, got 0",
      "clip.norm: expected a number above 0, got 0", f"optimizer.beta1: {BELOW_1} 2"]),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "expected"), TRAININGS, ids=lambda value: str(value)[:40])
def test_what_a_training_cannot_have_is_said_once_and_at_its_place(
    setting: str, expected: list[str]
) -> None:
    text = changed("learning_rate: 0.1", f"learning_rate: 0.1, {setting}")
    assert problems(text) == [f":15: training.{message}" for message in expected]


def test_a_problem_of_a_training_stands_at_its_own_line() -> None:
    spread = "training:\n  learning_rate: 0.1\n  optimizer:\n    name: adam\n    beta1: 2\n  clip:\n    norm: 0\n"
    assert problems(changed("training: {learning_rate: 0.1}\n", spread)) == [
        f":19: training.optimizer.beta1: {BELOW_1} 2",
        ":21: training.clip.norm: expected a number above 0, got 0",
    ]


DROPOUTS = [
    ("1", f"{BELOW_1} 1; it is the share that is dropped"), ("20", f"{BELOW_1} 20; it is the share that is dropped"),
    ("-0.5", f"{BELOW_1} -0.5; it is the share that is dropped"), ("true", "expected a number, got true"),
    ("half", "expected a number, got the word 'half'"), ("[0.5]", "expected a number, got a list of 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), DROPOUTS)
def test_a_share_that_cannot_be_dropped_is_refused(text: str, expected: str) -> None:
    broken = changed("[0.1, 0.2, 0.3]}", f"[0.1, 0.2, 0.3], dropout: {text}}}")
    assert problems(broken) == [f":6: network.layers[0].dropout: {expected}"]


def test_outputs_are_not_dropped_whatever_else_is_wrong() -> None:
    broken = changed("biases: none", "biases: none\n      dropout: 0.5")
    said = (
        ":11: network.layers[1].dropout: dropout is for hidden layers; the outputs are the answer"
    )
    assert problems(broken) == [said]
    assert said in problems(changed("{name: cross_entropy}", "{}", broken))
    assert parse(changed("dropout: 0.5", "dropout: 0", broken)).network.layers[1].dropout == 0


def test_what_does_not_learn_in_the_whole_network_has_no_gradient() -> None:
    frozen = changed(
        "{name: cross_entropy}", "{name: cross_entropy}\n  trainable: {weights: false}"
    )
    (said, *_) = problems(f"{frozen}checks: [{{quantity: 'dL/dw[1][1,1]', equals: '1'}}]\n")
    assert said.endswith("there is no dL/dw[1][1,1] here: the weights of layer 1 do not learn")


def test_names_are_left_alone_where_it_is_not_clear_how_a_network_learns() -> None:
    checks = "checks: [{quantity: 'v.w[1][1,1]', equals: '1'}]\n"
    wrong = changed("learning_rate: 0.1", "learning_rate: 0.1, optimizer: adm")
    assert len(problems(f"{wrong}{checks}")) == 1
    (said, _) = problems(
        f"{GOOD}checks: [{{quantity: 'v.w[1][1,1]', equals: '{{v.w[1][1,1]}}'}}]\n"
    )
    assert "its training does not have" in said


SOUND = [
    ("optimizer: {name: sgd}", ""), ("optimizer: {name: adam}", "optimizer: adam"), ("schedule: {name: cosine}", "schedule: cosine"),
    ("schedule: constant", ""), ("optimizer: {beta1: 4/5, name: adam}", "optimizer: {name: adam, beta1: 0.8}"),
    ("l2: {form: squared, weight: 0.5}", "l2: {weight: 0.5}"), ("l2: {weight: 2.0, form: norm}", "l2: {weight: 2, form: norm}"),
    ("clip: {value: 5e-1}", "clip: {value: 0.5}"), ("schedule: {name: step, every: 10.0}", "schedule: {name: step, every: 10}"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "canonical"), SOUND)
def test_a_training_is_written_in_one_way(setting: str, canonical: str) -> None:
    found = parse(changed("learning_rate: 0.1", f"{setting}, learning_rate: 0.1"))
    written = dump.write(found)
    assert written.count("learning_rate") == 1
    (line,) = (line for line in written.splitlines() if line.startswith("training:"))
    start = f"{canonical}, " if canonical else ""
    assert line == f"training: {{{start}learning_rate: 0.1}}"
    assert parse(written).training == found.training


NAMES = [
    ("printed: [{quantity: 'z[3][1]@1', value: '1', where: a}]", "printed[0].quantity: there is no z[3][1]@1 here: the network has 2 layers"),
    ("printed: [{quantity: 'z[2][3]@1', value: '1', where: a}]", "printed[0].quantity: there is no z[2][3]@1 here: layer 2 has 2 units"),
    ("printed: [{quantity: 'x[3]@1', value: '1', where: a}]", "printed[0].quantity: there is no x[3]@1 here: there are 2 inputs"),
    ("printed: [{quantity: 'y[3]@1', value: '1', where: a}]", "printed[0].quantity: there is no y[3]@1 here: layer 2 has 2 units"),
    ("printed: [{quantity: 'w[2][1,4]', value: '1', where: a}]", "printed[0].quantity: there is no w[2][1,4] here: layer 2 has 3 inputs"),
    ("printed: [{quantity: 'w[1][1,3]', value: '1', where: a}]", "printed[0].quantity: there is no w[1][1,3] here: layer 1 has 2 inputs"),
    ("printed: [{quantity: 'a[1][1]', value: '1', where: a}]",
     "printed[0].quantity: there is no a[1][1] here: there are 2 samples; say which one, such as a[1][1]@1"),
    ("printed: [{quantity: 'loss@3', value: '1', where: a}]", "printed[0].quantity: there is no loss@3 here: there are 2 samples"),
    ("printed: [{quantity: 'b[2][1]', value: '1', where: a}]", "printed[0].quantity: there is no b[2][1] here: layer 2 has no biases"),
    ("printed: [{quantity: 'da/dz[2][1]@1', value: '1', where: a}]",
     "printed[0].quantity: there is no da/dz[2][1]@1 here: each output of a softmax depends on every pre-activation; write da/dz[2][1,1]"),
    ("printed: [{quantity: 'da/dz[2][1,3]@1', value: '1', where: a}]", "printed[0].quantity: there is no da/dz[2][1,3]@1 here: layer 2 has 2 units"),
    ("printed: [{quantity: 'da/dz[1][1,2]@1', value: '1', where: a}]",
     "printed[0].quantity: there is no da/dz[1][1,2]@1 here: the units of a tanh layer do not depend on one another; write da/dz[1][1]"),
    ("printed: [{quantity: q, value: '1', where: a}]",
     "printed[0].quantity: 'q' is not the name of a quantity; names look like z[1][2], w[2][1,3] or loss"),
    ("printed: [{value: '1', where: a}]", "printed[0]: expected either a quantity or an expression"),
    ("printed: [{quantity: loss, expression: '{loss}', at: loss, value: '1', where: a}]",
     "printed[0]: expected either a quantity or an expression"),
    ("printed: [{expression: '{loss}', value: '1', where: a}]",
     "printed[0].at: is missing; name the quantity at whose step the expression is shown"),
    ("printed: [{expression: '{loss', at: loss, value: '1', where: a}]",
     "printed[0].expression: at character 1: '{' cannot be used here; use numbers, + - * / ^, parentheses and {names}"),
    ("printed: [{expression: '{loss} * {z[9][1]}', at: loss, value: '1', where: a}]",
     "printed[0].expression: there is no z[9][1] here: the network has 2 layers"),
    ("printed: [{quantity: loss, value: 0.77, where: a}]", "printed[0].value: expected a text, got the number 0.77; put it in quotes"),
    ("printed: [{quantity: loss, value: '0.77x', where: a}]",
     "printed[0].value: expected a number as the slide prints it, such as \"0.7739\", \"-1.29\" or \"34.5%\", got '0.77x'"),
    ("printed: [{quantity: loss, value: '0.77'}]", "printed[0].where: is missing; say where the slide prints it"),
    ("printed: [{quantity: loss, value: '0.77', where: a, at: 'z[9][1]'}]", "printed[0].at: there is no z[9][1] here: the network has 2 layers"),
    ("notes: [{at: 'z[1][1]@7', text: a}]", "notes[0].at: there is no z[1][1]@7 here: there are 2 samples"),
    ("notes: [{at: loss, text: " + "x" * 1001 + "}]", "notes[0].text: expected at most 1,000 characters, got 1,001"),
    ("checks: [{quantity: 'z[9][1]', equals: '1'}]", "checks[0].quantity: there is no z[9][1] here: the network has 2 layers"),
    ("checks: [{quantity: loss, equals: '1 +'}]", "checks[0].equals: at character 4: the expression ends where a number should come"),
]  # fmt: skip


@pytest.mark.parametrize(("addition", "message"), NAMES)
def test_a_name_that_this_network_does_not_have_is_refused(addition: str, message: str) -> None:
    assert problems(GOOD + addition) == [f":16: {message}"]


def test_with_one_sample_names_leave_it_out() -> None:
    text = changed("inputs: [[1, 2], [3, 4]]", "inputs: [[1, 2]]")
    text = changed("targets: [[1, 0], [0.25, 0.75]]", "targets: [[1, 0]]", text)
    parse(text + "notes: [{at: 'z[1][1]', text: a}]")
    assert problems(text + "notes: [{at: 'z[1][1]@1', text: a}]") == [
        ":16: notes[0].at: there is no z[1][1]@1 here: there is one sample, so leave out @1"
    ]


def test_what_does_not_learn_has_no_gradient_to_print() -> None:
    text = changed("biases: none", "biases: none\n      trainable: {weights: false}")
    assert problems(text + "notes: [{at: 'dL/dw[2][1,1]', text: a}]") == [
        ":17: notes[0].at: there is no dL/dw[2][1,1] here: the weights of layer 2 do not learn"
    ]


STEP = changed(
    "{name: cross_entropy}",
    "{name: squared_error}",
    changed("activation: tanh", "activation: step"),
)


@pytest.mark.parametrize(
    "name",
    [
        "da/dz[1][1]@1",
        "dL/dz[1][1]@1",
        "dL/dw[1][1,1]",
        "dL/db[1][1]",
        "w+[2][1,1]",
        "a+[2][1]@1",
        "loss+",
        "loss-loss+",
    ],
)
def test_behind_a_step_function_there_are_no_numbers(name: str) -> None:
    assert problems(STEP + f"printed: [{{quantity: '{name}', value: '1', where: a}}]") == [
        f":16: printed[0].quantity: there is no {name} here: the step function of layer 1 has no derivative to learn from, so the backward pass stops there"
    ]


def test_up_to_a_step_function_there_are_and_a_note_can_stand_where_it_stops() -> None:
    for name in ("a[1][1]@1", "dL/da[1][1]@1", "dL/dz[2][1]@1", "dL/dw[2][1,1]", "loss"):
        parse(STEP + f"printed: [{{quantity: '{name}', value: '1', where: a}}]")
    parse(STEP + "notes: [{at: 'da/dz[1][1]@1', text: Here it stops.}]")


def test_a_softmax_of_one_unit_is_refused_and_sigmoid_proposed() -> None:
    text = changed(
        "units: 2",
        "units: 1",
        changed(
            "[[1, 2, 3], [4, 5, 6]]", "[[1, 2, 3]]", changed("[[1, 0], [0.25, 0.75]]", "[[1], [1]]")
        ),
    )
    assert problems(text) == [
        ":8: network.layers[1].activation: a softmax of one unit is always 1; use sigmoid, or give it two units or more"
    ]


def test_binary_cross_entropy_needs_outputs_and_targets_between_0_and_1() -> None:
    text = changed(
        "{name: cross_entropy}",
        "{name: binary_cross_entropy}",
        changed("activation: softmax", "activation: tanh"),
    )
    assert problems(changed("[0.25, 0.75]", "[0.25, 2]", text)) == [
        ":11: network.loss.name: binary_cross_entropy needs a sigmoid in the last layer, got tanh",
        ":14: data.targets[1][1]: binary_cross_entropy needs targets from 0 to 1, got 2",
    ]
    sigmoid = changed(
        "{name: cross_entropy}",
        "{name: binary_cross_entropy}",
        changed("activation: softmax", "activation: sigmoid"),
    )
    assert parse(changed("[0.25, 0.75]", "[1, 1]", sigmoid)).targets == ((1, 0), (1, 1))


def test_targets_that_miss_1_by_a_rounding_are_taken() -> None:
    text = GOOD.replace("[0.25, 0.75]", "[0.1, 0.9000000000000001]")
    assert parse(text).targets[1] == (0.1, 0.9000000000000001)


def test_of_many_unknown_keys_all_that_are_shown_say_what_was_meant() -> None:
    *first, last = problems(GOOD + "".join(f"titl{n}: 1\n" for n in range(200)))
    assert len(first) == MAX_PROBLEMS - 1
    assert all(problem.endswith("did you mean title?") for problem in first)
    assert "151 more problems" in last


def test_problems_of_different_parts_come_at_once() -> None:
    text = changed("title: Two", "titel: Two").replace(
        "[[1, 2], [3, 4], [5, 6]]", "[[1, 2], [x, 4], [5, 6]]"
    )
    text = text.replace("[[1, 2, 3], [4, 5, 6]]", "[[1, 2, 3]]").replace(
        "[0.25, 0.75]", "[0.25, 0.25]"
    )
    assert problems(text) == [
        ":1: title: is missing; give the lesson a name",
        ":2: titel: is not a key of the format; did you mean title?",
        ":6: network.layers[0].weights[1][0]: expected a number, got the word 'x'",
        ":9: network.layers[1].weights: expected 2 rows of 3, got 1 row of 3",
        ":14: data.targets[1]: cross_entropy needs targets that sum to 1; these sum to 0.5",
    ]


def test_no_layers_are_too_few_and_33_too_many() -> None:
    layer = "    - {units: 1, activation: relu, weights: [[1]], biases: none}\n"
    head, tail = (
        "format: 1\ntitle: a\nnetwork:\n  inputs: 1\n",
        "  loss: {name: squared_error}\ndata: {inputs: [[1]], targets: [[1]]}\ntraining: {learning_rate: 1}\n",
    )
    assert problems(f"{head}  layers: []\n{tail}") == [
        ":5: network.layers: is empty; there must be at least one"
    ]
    assert parse(f"{head}  layers:\n{layer * 32}{tail}").network.sizes == (1,) * 33
    assert problems(f"{head}  layers:\n{layer * 33}{tail}") == [
        ":5: network.layers: expected at most 32 entries, got 33"
    ]


def test_too_many_parameters_are_counted() -> None:
    text = GOOD.replace(FIRST, "{units: 1024, activation: relu, init: {scheme: he}}").replace(
        "units: 2\n", "units: 1000\n"
    )
    text = (
        text.replace("weights: [[1, 2, 3], [4, 5, 6]]", "init: {scheme: he}")
        .replace("softmax", "relu")
        .replace("cross_entropy", "squared_error")
    )
    found = problems(text)
    assert (
        found[0]
        == ":5: network.layers: the network has 1,028,072 weights and biases; the limit is 200,000"
    )


def test_too_many_samples_are_counted() -> None:
    rows = "[" + ", ".join(["[1, 0]"] * 1001) + "]"
    text = GOOD.replace("[[1, 2], [3, 4]]\n", rows + "\n").replace("[[1, 0], [0.25, 0.75]]", rows)
    assert problems(text) == [
        ":13: data.inputs: expected at most 1,000 entries, got 1,001",
        ":14: data.targets: expected at most 1,000 entries, got 1,001",
    ]


@pytest.mark.parametrize("text", ["word", "3", "[1, 2]", "- a", "true"])
def test_a_file_without_keys_is_refused(text: str) -> None:
    assert problems(text) == [":1: expected keys with values, such as format: 1"]


@pytest.mark.parametrize(
    ("value", "number", "decimals", "percent"),
    [
        ("0.7739", 0.7739, 4, False),
        ("-1.29", -1.29, 2, False),
        ("\N{MINUS SIGN}1.2921", -1.2921, 4, False),
        ("34.5%", 34.5, 1, True),
        ("3", 3, 0, False),
    ],
)
def test_a_printed_number_is_read_with_its_digits(
    value: str, number: float, decimals: int, percent: bool
) -> None:
    printed = Printed(quantity="loss", value=value, where="a")
    assert (printed.number, printed.decimals, printed.percent) == (number, decimals, percent)


@pytest.mark.parametrize(
    ("value", "computed", "agrees"),
    [
        ("0.7739", 0.77390, True), ("0.7739", 0.77395, True), ("0.7739", 0.773951, False), ("0.7740", 0.77390, False),
        ("34.5%", 0.34549, True), ("34.5%", 0.34551, False), ("-1.29", -1.2949, True), ("0.125", 0.1255, True), ("1", float("nan"), False),
    ],
)  # fmt: skip
def test_a_computed_number_agrees_when_it_rounds_to_the_printed_one(
    value: str, computed: float, agrees: bool
) -> None:
    assert Printed(quantity="loss", value=value, where="a").agrees(computed) is agrees


def test_a_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "two-layers.yaml"
    path.write_text(GOOD, encoding="utf-8")
    found = reader.load(path)
    assert (found.id, found.where) == ("two-layers", str(path))
    assert reader.load(path, "scenarios/two-layers.yaml").where == "scenarios/two-layers.yaml"


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "folder.yaml", tmp_path / "pipe.yaml"
    folder.mkdir()
    os.mkfifo(pipe)
    (tmp_path / "large.yaml").write_bytes(b"#" * 100_000_000)
    (tmp_path / "image.yaml").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    for name, message in [
        ("folder.yaml", "f: cannot be read: it is a folder"),
        ("pipe.yaml", "f: is not a file"),
        ("none.yaml", "f: cannot be read: there is no such file"),
        ("bad\0name.yaml", "f: cannot be read: its name is not valid"),
        ("\ud800.yaml", "f: cannot be read: its name is not valid"),
        ("large.yaml", "f: is larger than 64 KB, the limit for a scenario file"),
        ("image.yaml", "f:1: is not UTF-8 text (byte 0x89)"),
    ]:
        with pytest.raises(ScenarioError) as caught:
            reader.load(f"{tmp_path}/{name}", "f")
        assert str(caught.value) == message
    with pytest.raises(ScenarioError):
        reader.load(f"{tmp_path}/\ud800.yaml")


def test_an_id_is_a_stem_that_can_stand_in_an_address() -> None:
    assert reader.scenario_id("1-2-3-1.yaml") == "1-2-3-1"
    assert reader.scenario_id("a.json") == "a"
    for name in (
        "A.yaml",
        "a b.yaml",
        "-a.yaml",
        ".yaml",
        "a.txt",
        "a",
        "a.b.yaml",
        "é.yaml",
        "a_b.yaml",
        "a" * 81 + ".yaml",
    ):
        assert reader.scenario_id(name) is None


def test_reading_a_scenario_does_not_load_numpy() -> None:
    code = "import sys, tutor.catalogue.shelf; sys.exit('numpy' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[1]
        ).returncode
        == 0
    )


FILES = sorted(Path(__file__).parents[1].joinpath("scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scenario_of_the_project_is_sound(path: Path) -> None:
    assert reader.load(path).id == path.stem


# ---- fractions ----


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("learning_rate: 0.1", "learning_rate: 1/3", lambda found: found.training.learning_rate),
        (
            "[[1, 2], [3, 4], [5, 6]]",
            "[[1/3, 2], [3, 4], [5, 6]]",
            lambda found: found.network.layers[0].weights[0][0],
        ),
        ("[0.1, 0.2, 0.3]", "[0.1, 0.2, 1 / 3]", lambda found: found.network.layers[0].biases[2]),
        (
            "inputs: [[1, 2], [3, 4]]",
            'inputs: [["1/3", 2], [3, 4]]',
            lambda found: found.inputs[0][0],
        ),
        ("[[1, 0], [0.25, 0.75]]", "[[1/3, 2/3], [0.25, 0.75]]", lambda found: found.targets[0][0]),
        (
            "weights: [[1, 2, 3], [4, 5, 6]]",
            "init: {scheme: he, scale: 1/3}",
            lambda found: found.network.layers[1].init.scale,
        ),
        (
            "activation: tanh",
            "activation: leaky_relu, slope: 1/3",
            lambda found: found.network.layers[0].slope,
        ),
        (
            "activation: tanh",
            "activation: elu, alpha: +1/3",
            lambda found: found.network.layers[0].alpha,
        ),
    ],
)
def test_a_fraction_is_a_number_wherever_the_form_takes_one(
    old: str, new: str, value: Callable[[Scenario], float]
) -> None:
    found = parse(changed(old, new))
    assert value(found) == number.read("1/3") == 1 / 3
    assert "0.3333333333333333" in dump.write(found)
    assert dataclasses.replace(parse(dump.write(found)), where="") == dataclasses.replace(
        found, where=""
    )


def test_a_fraction_has_the_same_address_as_its_number() -> None:
    ids = {
        dump.content_id(dump.write(parse(changed("learning_rate: 0.1", f"learning_rate: {text}"))))
        for text in ("1/4", "0.25", "2/8", "25e-2")
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "learning_rate: 0.1",
            "learning_rate: 1/0",
            ":15: training.learning_rate: expected a number, got the word '1/0'; '1/0' divides by zero",
        ),
        (
            "learning_rate: 0.1",
            "learning_rate: -1/3",
            ":15: training.learning_rate: expected a number above 0, got -0.3333333333333333",
        ),
        (
            "learning_rate: 0.1",
            "learning_rate: 1/2/3",
            ":15: training.learning_rate: expected a number, got the word '1/2/3'",
        ),
        (
            "learning_rate: 0.1",
            "learning_rate: 0.5/2",
            ":15: training.learning_rate: expected a number, got the word '0.5/2'",
        ),
        (
            "[[1, 0], [0.25, 0.75]]",
            "[[1/3, 1/3], [0.25, 0.75]]",
            ":14: data.targets[0]: cross_entropy needs targets that sum to 1; these sum to 0.666667",
        ),
        (
            "[[1, 0], [0.25, 0.75]]",
            "[[4/3, -1/3], [0.25, 0.75]]",
            ":14: data.targets[0][0]: cross_entropy needs targets from 0 to 1, got 1.3333333333333333",
        ),
        (
            "units: 3",
            "units: 6/2",
            ":6: network.layers[0].units: expected a whole number, got the word '6/2'",
        ),
        (
            "learning_rate: 0.1",
            "learning_rate: 0.1, iterations: 4/2",
            ":15: training.iterations: expected a whole number, got the word '4/2'",
        ),
    ],
)
def test_a_fraction_has_to_be_one_and_to_fit_its_place(old: str, new: str, expected: str) -> None:
    assert expected in problems(changed(old, new))


def test_a_fraction_in_a_text_stays_as_it_is_written() -> None:
    found = parse(
        changed(
            "title: Two layers", "title: 1/3\nnotes: [{at: loss, text: 2/3}]\nlecture: {deck: 1/2}"
        )
    )
    assert (found.title, found.notes[0].text, found.lecture and found.lecture.deck) == (
        "1/3",
        "2/3",
        "1/2",
    )

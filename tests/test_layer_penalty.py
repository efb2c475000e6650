"""A penalty with a λ for each layer, as some slides print it: in files, words, names, exports, what
if and the form. `test_optimizers` and `test_update_steps` have its numbers, `knobs` its scripts.
"""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from tutor.builder import checked
from tutor.engine.quantity import Quantity, parse
from tutor.errors import QuantityError
from tutor.export.data import as_csv, as_json
from tutor.lesson.changes import apply, edited, read
from tutor.lesson.walk import GRAINS, open_lesson
from tutor.pages.context import Context
from tutor.pages.overview import learning
from tutor.pages.step_page import step_page
from tutor.pages.view import View
from tutor.scenario import dump, reader
from tutor.scenario.problem import ScenarioError

TEXT = """
format: 1
title: Two layers, two penalties
network:
  inputs: 2
  layers:
    - {units: 2, activation: tanh, weights: [[3, 4], [0, 0]], biases: [0, 0.1]}
    - {units: 1, activation: sigmoid, weights: [[0.6, -0.8]], biases: [0]}
  loss: {name: binary_cross_entropy}
data: {inputs: [[1, 2], [2, 1]], targets: [[0], [1]]}
training: {learning_rate: 0.1, l2: {weight: [0.01, 0.1], form: FORM}, iterations: 3}
"""
FORMS = {"squared": 0.5 * (0.01 * 25 + 0.1 * 1), "norm": 0.01 * 5 + 0.1 * 1}
"""The penalty of each form, by hand."""


def scenario(form: str = "norm", weight: str = "[0.01, 0.1]") -> reader.Scenario:
    text = TEXT.replace("FORM", form).replace("[0.01, 0.1]", weight)
    return reader.parse(text, "two.yaml")


@pytest.mark.parametrize("form", FORMS)
def test_each_layer_adds_what_its_own_weight_says(form: str) -> None:
    trace = open_lesson(scenario(form)).trace
    assert trace.value(Quantity("penalty")) == pytest.approx(FORMS[form], rel=1e-14)
    over = 5 if form == "norm" else 1
    np.testing.assert_allclose(trace["dR/dw", 1], 0.01 * trace["w", 1] / over, rtol=1e-14)
    np.testing.assert_allclose(trace["dR/dw", 2], 0.1 * trace["w", 2], rtol=1e-14)
    assert [trace.value(Quantity("l2", layer)) for layer in (1, 2)] == [0.01, 0.1]


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        ("[0.01]", "expected one number for all layers or 2 numbers, one for each layer; got 1 number"),
        ("[1, 2, 3]", "one for each layer; got 3 numbers"),
        ("[0.01, -1]", "expected a number of at least 0 for layer 2, got the number -1"),
        ("[0.01, big]", "expected a number of at least 0 for layer 2, got the word 'big'"),
        ("[0, 0]", "expected a number above 0 for one layer at least"),
        ("0", "expected a number above 0, got 0"),
        ("big", "expected a number, got the word 'big'"),
        ("{a: 1}", "expected a number, got a mapping"),
    ],
)  # fmt: skip
def test_weights_that_make_no_penalty_are_refused_with_their_line(weight: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(weight=weight)
    assert [problem.line for problem in caught.value.problems] == [11]
    assert words in str(caught.value)


def test_a_layer_may_be_left_without() -> None:
    trace = open_lesson(scenario(weight="[0, 1/2]")).trace
    assert not trace["dR/dw", 1].any()
    assert trace.value(Quantity("penalty")) == 0.5


def test_names_have_a_layer_where_there_is_a_number_for_each() -> None:
    for name in ("l2[2]", "wnorm[1]", "wnorm+[2]", "l2", "wnorm"):
        assert str(parse(name)) == name
    for name in ("gnorm[1]", "clip[1]", "wnorm[1][2]", "l2[0]"):
        with pytest.raises(QuantityError):
            parse(name)
    note = "\nnotes: [{at: 'NAME', text: x}]\n"
    text = TEXT.replace("FORM", "norm")
    assert reader.parse(text + note.replace("NAME", "wnorm[1]"), "two.yaml").notes
    with pytest.raises(
        ScenarioError, match=r"each layer has its own penalty here, such as wnorm\[1\]"
    ):
        reader.parse(text + note.replace("NAME", "wnorm"), "two.yaml")
    one = text.replace("[0.01, 0.1]", "0.1")
    with pytest.raises(ScenarioError, match="the penalty here is one for all layers"):
        reader.parse(one + note.replace("NAME", "wnorm[1]"), "two.yaml")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("grain", GRAINS)
def test_every_step_has_its_page(form: str, grain: str) -> None:
    lesson = open_lesson(scenario(form))
    context = Context(lesson, View(grain=grain))
    titles = [step_page(context, n).title for n in range(1, len(context.walk) + 1)]
    assert ("Length of the weights of the output layer" in titles) == (
        form == "norm" and grain != "pass"
    )
    facts = dict(learning(context))
    assert facts["Penalty"].endswith("of each layer, added up, λ = 0.01 in layer 1, 0.1 in layer 2")


def test_data_files_name_the_layer() -> None:
    lesson = open_lesson(scenario())
    found = {row["quantity"]: row for row in csv.DictReader(io.StringIO("".join(as_csv(lesson))))}
    assert (found["wnorm[1]"]["layer"], float(found["wnorm[1]"]["value"])) == ("1", 5.0)
    assert json.loads("".join(as_json(lesson)))["quantities"]["wnorm[1]"] == 5.0


def test_readers_change_the_weight_of_one_layer() -> None:
    lesson = scenario()
    wanted, notices = read({"l2[2]": "0.25"}, lesson)
    assert notices == ()
    assert apply(lesson, wanted).training == scenario(weight="[0.01, 0.25]").training
    for name, text, words in (
        ("l2", "1", "each layer has its own penalty here: l2[1] to l2[2]"),
        ("l2[1]", "-1", "expected a number of at least 0, got -1"),
        ("l2[3]", "1", "there is no layer 3 here"),
    ):
        assert words in edited((), {name: text}, lesson)[1][name]
    one = edited((), {"l2[1]": "1"}, scenario(weight="0.1"))[1]["l2[1]"]
    assert "the penalty here is one for all layers" in one
    assert "belongs to the penalty of the lesson" in read({"penalty": "none", "l2[1]": "1"}, lesson)[1][0]  # fmt: skip


def test_the_form_has_the_weights_in_one_field() -> None:
    lesson = scenario()
    draft = checked.of_scenario(lesson)
    assert draft["l2"] == "0.01  0.1"
    found, problems = checked.checked(draft)
    assert problems == {}
    assert found is not None
    assert dump.write(found) == dump.write(lesson)
    for text, weight in (("0.2; 0.3", (0.2, 0.3)), ("0,2 0,3", (0.2, 0.3)), ("0,5", 0.5)):
        made, _ = checked.checked(draft.with_texts(l2=text))
        assert made is not None
        assert made.training.l2 is not None
        assert made.training.l2.weight == weight
    for text, words in (
        ("0.1 0.2 0.3", "got 3 numbers"),
        ("0.1 -1", "for layer 2"),
        ("0.1 x", "'x'"),
    ):
        assert words in checked.checked(draft.with_texts(l2=text))[1]["l2"]

"""Drafts: every lesson can be taken into the form and back, and everything wrong is said beside its
field.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from tests.visiting import NAMES, scenario
from tutor.builder import checked, fields
from tutor.builder.checked import Draft
from tutor.builder.draft_data import data, field_of
from tutor.builder.edit import edited
from tutor.builder.fields import EMPTY, GIVEN, PARTS, PLAIN, FormField
from tutor.builder.preview import examined, preview
from tutor.scenario import dump
from tutor.scenario import reader as scenarios
from tutor.scenario.model import Data, LayerSpec, ScenarioFile, Training
from tutor.scenario.reader import Scenario

RICH = """
format: 1
title: Everything at once
course: A course
about: |-
  Two lines
  of text.
lecture: {deck: "7", order: 3}
learn: [One thing., Another.]
origin: 3-2-3-softmax
network:
  inputs: 2
  layers:
    - {units: 3, activation: leaky_relu, slope: 0.1, init: {scheme: he, scale: 0.5, seed: 7}, trainable: {weights: false}}
    - {units: 2, activation: elu, alpha: 0.5, weights: [[1, 2, 3], [1e-7, -0.5, 0.3333333333333333]], biases: none}
    - {units: 2, activation: softmax, weights: [[1, 0], [0, 1]], biases: [0.1, 0], trainable: {weights: true, biases: false}}
  trainable: {biases: false}
  loss: {name: cross_entropy, reduction: sum}
data: {inputs: [[1, 2], [0, -1]], targets: [[1, 0], [0.25, 0.75]]}
training: {learning_rate: 0.05, iterations: 20}
notation: {preset: letters, loss: J, times: "·"}
display: {decimals: 6}
notes: [{at: loss, text: "A word: about the loss"}]
checks: [{quantity: "x[1]@1", equals: "1"}]
"""


def back(given: Draft) -> Draft:
    """A draft after its way through a form."""
    return checked.of_form(MultiDict(checked.fields(given)))


def named(found: Scenario, like: Scenario) -> Scenario:
    return replace(found, id=like.id, where=like.where)


def problems(form: dict[str, str], **changes: str) -> dict[str, str]:
    """What is wrong with a form after some changes; None takes a field away."""
    return checked.checked(checked.of_form(MultiDict({**form, **changes})))[1]


@pytest.fixture
def form() -> dict[str, str]:
    return dict(checked.fields(checked.blank()))


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_comes_back_from_the_form_as_it_was(name: str) -> None:
    original = scenario(name)
    found, wrong = checked.checked(back(checked.of_scenario(original)))
    assert not wrong
    assert found is not None
    assert named(found, original) == original
    assert dump.write(found) == dump.write(original)


ROOT = Path(__file__).parents[1]
TRAINED = sorted((ROOT / "scenarios" / "training").glob("*.yaml"))
EXAMPLES = [
    path
    for path in sorted((ROOT / "docs" / "examples").glob("*.yaml")) + TRAINED
    if isinstance(scenarios.load(path), scenarios.Scenario)  # the form makes networks
]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_comes_back_from_the_form_as_it_was(path: Path) -> None:
    original = scenarios.load(path)
    found, wrong = checked.checked(back(checked.of_scenario(original)))
    assert not wrong
    assert found is not None
    assert replace(named(found, original), origin=original.origin) == original
    assert dump.write(found) == dump.write(original)


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_nothing_of_how_a_training_lesson_is_trained_is_without_a_field(path: Path) -> None:
    kept = checked.of_scenario(scenarios.load(path))["rest"]
    assert not {"data", "training"} & (json.loads(kept) if kept else {}).keys()


def test_what_has_no_field_comes_back_too() -> None:
    original = scenarios.parse(RICH, "rich.yaml")
    found, wrong = checked.checked(back(checked.of_scenario(original)))
    assert not wrong
    assert found is not None
    assert named(found, original) == original


def test_the_first_draft_is_a_sound_lesson() -> None:
    found, wrong = checked.checked(back(checked.blank()))
    assert not wrong
    assert found is not None
    assert found.network.sizes == (2, 2, 1)


LEARNING = """
training:
  learning_rate: 0.05
  iterations: 20
  optimizer: {name: adamw, beta1: 0.8, weight_decay: 0}
  schedule: {name: step, every: 3, factor: 0.3333333333333333}
  l2: {weight: 0.5, form: norm}
  clip: {value: 0.25}
"""


def test_how_a_lesson_learns_comes_back_number_by_number() -> None:
    text = RICH.replace("training: {learning_rate: 0.05, iterations: 20}\n", LEARNING[1:])
    original = scenarios.parse(
        text.replace("biases: none", "biases: none, dropout: 0.2"), "rich.yaml"
    )
    draft = checked.of_scenario(original)
    shown = {"schedule": "step", "every": "3", "optimizer": "adamw", "beta1": "0.8", "beta2": "", "weight_decay": "0",
             "penalty": "norm", "l2": "0.5", "clipping": "value", "clip": "0.25", "rho": ""}  # fmt: skip
    assert {name: draft[name] for name in shown} == shown
    assert [layer["dropout"] for layer in draft.layers] == ["", "0.2", ""]
    assert "optimizer" not in draft["rest"]
    found, wrong = checked.checked(back(draft))
    assert not wrong
    assert found is not None
    assert named(found, original) == original
    assert dump.write(found) == dump.write(original)


TRAININGS = [
    ({"optimizer": "adam", "beta1": "0,8"}, {"optimizer": {"name": "adam", "beta1": 0.8}}),
    ({"optimizer": "rmsprop", "rho": "1/2"}, {"optimizer": {"name": "rmsprop", "alpha": 0.5}}),
    ({"optimizer": "momentum", "momentum": " "}, {"optimizer": {"name": "momentum"}}),
    ({"schedule": "cosine", "minimum": "0"}, {"schedule": {"name": "cosine", "minimum": 0}}),
    ({"penalty": "squared", "l2": "0.1"}, {"l2": {"weight": 0.1}}),
    ({"penalty": "norm", "l2": "0.1"}, {"l2": {"weight": 0.1, "form": "norm"}}),
    ({"clipping": "norm", "clip": "2"}, {"clip": {"norm": 2}}),
    ({"clipping": "none", "penalty": "none", "schedule": "constant", "optimizer": "sgd"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "training"), TRAININGS)
def test_what_is_chosen_is_what_the_lesson_learns_with(
    form: dict[str, str], changes: dict[str, str], training: dict[str, Any]
) -> None:
    found, wrong = checked.checked(checked.of_form(MultiDict({**form, **changes})))
    assert not wrong
    assert found is not None
    assert found.training.model_dump(exclude_defaults=True) == {"learning_rate": 0.5, **training}


DATA = [
    ({}, {"inputs": ((1, 0.5),), "targets": ((1,),)}),
    ({"generator": "circle"}, {"generator": {"name": "circle", "samples": 100}}),
    ({"generator": "blobs", "made_samples": "9", "data_seed": "4", "noise": "0,2", "classes": "2"},
     {"generator": {"name": "blobs", "samples": 9, "seed": 4, "noise": 0.2}}),
    ({"generator": "moons", "noise": "0"}, {"generator": {"name": "moons", "samples": 100, "noise": 0}}),
    ({"generator": "xor", "made_samples": "4", "loss": "squared_error", "labels": "minus_one_one"},
     {"generator": {"name": "xor", "samples": 4, "labels": "minus_one_one"}}),
    ({"generator": "circle", "train": "0.6", "validation": "1/5", "test": "0.2", "split_seed": "3"},
     {"generator": {"name": "circle", "samples": 100},
      "split": {"train": 0.6, "validation": 0.2, "test": 0.2, "seed": 3}}),
    ({"generator": "circle", "train": "0.75", "validation": "0.25"},
     {"generator": {"name": "circle", "samples": 100}, "split": {"train": 0.75, "validation": 0.25}}),
    ({"generator": "circle", "scaling": "min_max"},
     {"generator": {"name": "circle", "samples": 100}, "scale": "min_max"}),
]  # fmt: skip
LONG = [
    ({"batch": "online", "shuffle": "0"}, {"batch": "online", "shuffle": {"seed": 0}}),
    ({"batch": "mini_batch", "batch_size": "5", "shuffle": "7"}, {"batch": 5, "shuffle": {"seed": 7}}),
    ({"iterations": "1000", "loss_below": "1e-3"}, {"iterations": 1000, "stop": {"loss_below": 0.001}}),
    ({"change_below": "0.1"}, {"stop": {"change_below": 0.1}}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "data"), DATA)
def test_what_is_said_of_the_data_is_what_the_lesson_has(
    form: dict[str, str], changes: dict[str, str], data: dict[str, Any]
) -> None:
    found, wrong = checked.checked(checked.of_form(MultiDict({**form, **changes})))
    assert not wrong
    assert found is not None
    assert found.data == Data.model_validate(data)
    assert (
        checked.of_scenario(found).texts.items()
        >= {
            name: fields.FIELDS[name].kind.write(fields.FIELDS[name].kind.read(text))
            for name, text in changes.items()
            if name not in {"labels", "classes", "loss"}
        }.items()
    )


@pytest.mark.parametrize(("changes", "training"), LONG)
def test_how_long_and_with_which_samples_it_trains_is_what_was_typed(
    form: dict[str, str], changes: dict[str, str], training: dict[str, Any]
) -> None:
    made = {**form, "generator": "circle", **changes}
    found, wrong = checked.checked(checked.of_form(MultiDict(made)))
    assert not wrong
    assert found is not None
    assert found.training == Training.model_validate({"learning_rate": 0.5, **training})
    again = dict(checked.fields(checked.of_scenario(found)))
    assert {name: again[name] for name in changes if name != "loss_below"} == {
        name: text for name, text in changes.items() if name != "loss_below"
    }


def test_what_was_typed_waits_while_a_generator_makes_the_samples(form: dict[str, str]) -> None:
    typed = {**form, "x[1]": "0.25", "y[1]": "oops"}
    made = checked.of_form(MultiDict({**typed, "generator": "circle"}))
    assert checked.checked(made)[1] == {}
    there = {**checked.fields(edited(made, "check").draft), "generator": GIVEN}
    assert there == dict(checked.fields(checked.of_form(MultiDict(typed))))
    assert set(problems(there)) == {"y[1]"}


def test_nothing_of_a_generator_counts_while_the_samples_are_typed(form: dict[str, str]) -> None:
    waiting = {"made_samples": "many", "data_seed": "-1", "noise": "loud", "labels": "x", "classes": "y"}  # fmt: skip
    assert problems(form, **waiting) == {}
    assert set(problems(form, generator="blobs", **waiting)) == set(waiting)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"generator": "circles"}, "generator", "did you mean circle?"),
        ({"generator": ""}, "generator", "is not known"),
        ({"generator": "sine", "loss": "squared_error"}, "generator", "sine makes 1 input per"),
        ({"generator": "circle", "made_samples": "0"}, "made_samples", "from 1 to 1,000, got “0”"),
        ({"generator": "circle", "made_samples": ""}, "made_samples", "got nothing"),
        ({"generator": "circle", "made_samples": "1"}, "made_samples", "2 classes need at least 2"),
        ({"generator": "circle", "data_seed": "x"}, "data_seed", "expected a whole number from 0"),
        ({"generator": "circle", "noise": "-1"}, "noise", "0 or more, got -1"),
        ({"generator": "circle", "classes": "3"}, "classes", "belongs to blobs"),
        ({"generator": "blobs", "classes": "11"}, "classes", "from 2 to 10, got “11”"),
        ({"generator": "blobs", "classes": "3"}, "labels", "3 classes need labels: one_hot"),
        ({"generator": "circle", "labels": "minus_one_one"}, "labels", "targets from 0 to 1"),
        (
            {
                "generator": "ramp",
                "inputs": "1",
                "labels": "one_hot",
                "loss": "squared_error",
                "fill[1]": "he",
            },
            "labels",
            "belongs to classes, but ramp makes a curve",
        ),
        ({"generator": "circle", "train": "0.6"}, "train", "must add up to 1; these add up to 0.6"),
        ({"generator": "circle", "validation": "0.2"}, "train", "is missing; give the share"),
        ({"generator": "circle", "split_seed": "4"}, "train", "is missing; give the share"),
        ({"generator": "circle", "train": "most"}, "train", "is not a number"),
        ({"generator": "circle", "train": "1.2", "validation": "-0.2"}, "validation", "or more"),
        ({"train": "0.5", "test": "0.5"}, "train", "of 1 sample leaves none for this part"),
        ({"scaling": "log"}, "scaling", "'log' is not known"),
        ({"batch": "half"}, "batch", "known here: full, online, mini_batch"),
        ({"batch": "mini_batch"}, "batch_size", "is empty; enter a whole number"),
        ({"batch": "mini_batch", "batch_size": "0"}, "batch_size", "from 1 to 1,000, got “0”"),
        ({"batch": "mini_batch", "batch_size": "2"}, "batch_size", "the limit is 1, which is full"),
        ({"batch_size": "2"}, "batch_size", "belongs to a mini-batch, but the batch here is full"),
        ({"shuffle": "yes"}, "shuffle", "expected a whole number from 0"),
        ({"iterations": "10000000"}, "iterations", "from 1 to 1,000, got “10000000”"),
        ({"iterations": ""}, "iterations", "got nothing"),
        ({"loss_below": "0"}, "loss_below", "above 0, got 0"),
        ({"change_below": "small"}, "change_below", "is not a number"),
    ],
)
def test_a_problem_of_data_and_batches_stands_beside_its_field(
    form: dict[str, str], changes: dict[str, str], field: str, words: str
) -> None:
    found = problems(form, **changes)
    assert set(found) == {field}
    assert words in found[field]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"generator": "circle", "made_samples": "2", "data_seed": "6"}, "generator", "of one class"),
        ({"generator": "xor", "made_samples": "4", "train": "0.5", "test": "0.5", "split_seed": "4"},
         "train", "of one class"),
        ({"scaling": "standardize"}, "scaling", "input 1 is 1, input 2 is 0.5 in the only sample"),
    ],
)  # fmt: skip
def test_what_only_the_made_data_show_stands_beside_its_field_too(
    form: dict[str, str], changes: dict[str, str], field: str, words: str
) -> None:
    found = examined(checked.of_form(MultiDict({**form, **changes}))).problems
    assert set(found) == {field}
    assert words in found[field]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"optimizer": "Adam"}, "optimizer", "did you mean adam?"),
        ({"optimizer": "adam", "beta1": "1"}, "beta1", "at least 0 and below 1, got 1"),
        ({"optimizer": "adam", "beta2": "x"}, "beta2", "is not a number"),
        ({"optimizer": "rmsprop", "rho": "-1"}, "rho", "at least 0 and below 1, got -1"),
        ({"beta1": "0.8"}, "beta1", "belongs to adam or adamw, but the optimizer here is sgd"),
        ({"schedule": "stairs"}, "schedule", "is not known"),
        ({"schedule": "step", "every": "0"}, "every", "at least 1, got 0"),
        ({"factor": "0.5"}, "factor", "but the schedule here is constant"),
        ({"penalty": "squared"}, "l2", EMPTY),
        ({"penalty": "norm", "l2": "0"}, "l2", "above 0, got 0"),
        ({"l2": "0.1"}, "l2", "belongs to squared or norm, but the penalty here is none"),
        ({"penalty": "l1", "l2": "0.1"}, "penalty", "'l1' is not known"),
        ({"clipping": "norm"}, "clip", EMPTY),
        ({"clipping": "value", "clip": "-1"}, "clip", "above 0, got -1"),
        ({"clip": "1"}, "clip", "belongs to norm or value, but the clipping here is none"),
        ({"clipping": "<b>"}, "clipping", "'<b>' is not known; known here: none, norm, value"),
        ({"dropout[1]": "1"}, "dropout[1]", "below 1, got 1; it is the share that is dropped"),
        ({"dropout[1]": "half"}, "dropout[1]", "is not a number"),
        ({"dropout[2]": "0.5"}, "dropout[2]", "dropout is for hidden layers"),
    ],
)
def test_a_problem_of_how_it_learns_stands_beside_its_field(
    form: dict[str, str], changes: dict[str, str], field: str, words: str
) -> None:
    found = problems(form, **changes)
    assert set(found) == {field}
    assert words in found[field]


def test_samples_of_one_class_are_told_beside_the_form(form: dict[str, str]) -> None:
    two = {"samples": "2", "x[1]@1": "1", "x[2]@1": "2", "x[1]@2": "3", "x[2]@2": "4",
           "y[1]@1": "1"}  # fmt: skip
    rest = {name: text for name, text in form.items() if not name.startswith(("x[", "y["))}
    for target, notes in (("1", 1), ("0", 0)):
        draft = checked.of_form(MultiDict({**rest, **two, "y[1]@2": target}))
        found = preview(examined(draft))
        assert found.sound
        said = "All 2 training samples are of one class, with targets 1, so there is nothing"
        assert len([note for note in found.notes if note.startswith(said)]) == notes


def test_a_form_is_kept_to_the_letter(form: dict[str, str]) -> None:
    odd = {
        **form,
        "title": "  <b>\u202e\u200b ",
        "w[1][1,1]": "abc",
        "units[1]": "many",
        "x[1]": " 1/3 ",
        "about": "a\r\nb",
    }
    assert dict(checked.fields(checked.of_form(MultiDict(odd)))) == odd


@pytest.mark.parametrize(
    ("text", "value"),
    [("1/3", 1 / 3), ("1e-3", 0.001), ("0,5", 0.5), ("\N{MINUS SIGN}2", -2.0), (" 3 ", 3.0)],
)
def test_numbers_are_read_as_people_write_them(
    form: dict[str, str], text: str, value: float
) -> None:
    found, wrong = checked.checked(checked.of_form(MultiDict({**form, "w[1][2,1]": text})))
    assert not wrong
    assert found is not None
    assert found.network.layers[0].weights is not None
    assert found.network.layers[0].weights[1][0] == value


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        (
            {"w[1][1,2]": "abc"},
            "w[1][1,2]",
            "'abc' is not a number; write it like 0.25, -1e-3 or 1/3",
        ),
        ({"w[1][1,2]": ""}, "w[1][1,2]", EMPTY),
        ({"b[2][1]": "nan"}, "b[2][1]", "'nan' is not a number"),
        ({"x[1]": "inf"}, "x[1]", "'inf' is not a number"),
        ({"y[1]": "1e999"}, "y[1]", "too large"),
        ({"x[2]": "1/0"}, "x[2]", "divides by zero"),
        ({"learning_rate": "0"}, "learning_rate", "expected a number above 0"),
        ({"learning_rate": "fast"}, "learning_rate", "not a number"),
        (
            {"units[1]": "1000000"},
            "units[1]",
            "expected a whole number from 1 to 1,024, got “1000000”",
        ),
        ({"units[1]": "0"}, "units[1]", "expected a whole number from 1 to 1,024"),
        ({"units[1]": "2.5"}, "units[1]", "got “2.5”"),
        ({"inputs": "-1"}, "inputs", "expected a whole number from 1 to 1,024"),
        ({"decimals": "99"}, "decimals", "expected a whole number from 0 to 12"),
        ({"units[1]": "3"}, "w[1]", "expected 3 rows of 2, got 2 rows of 2"),
        ({"activation[2]": "softmax"}, "activation[2]", "a softmax of one unit is always 1"),
        ({"activation[2]": "magic"}, "activation[2]", "'magic' is not known"),
        (
            {"activation[2]": "tanh"},
            "loss",
            "needs a sigmoid in the last layer, got tanh",
        ),
        ({"y[1]": "2"}, "y[1]", "needs targets from 0 to 1, got 2"),
        ({"loss": "cross_entropy"}, "loss", "needs a softmax in the last layer"),
        ({"loss": "hinge"}, "loss", "'hinge' is not known"),
        ({"optimizer": "lion"}, "optimizer", "'lion' is not known; known here: sgd, momentum"),
        ({"notation": "runes"}, "notation", "'runes' is not known"),
        ({"title": "   "}, "title", "nothing to read"),
        ({"title": "x" * 300}, "title", "expected at most 200 characters"),
        ({"title": "a\u202eb"}, "title", "has the character U+202E"),
        ({"about": "a\0b"}, "about", "has the character U+0000"),
        ({"course": "\ufeff"}, "course", "has the character U+FEFF"),
        ({"learn": "a\nb\nc\nd\ne"}, "learn", "expected at most 4 entries, got 5"),
        ({"slope[1]": "0.1"}, "slope[1]", "belongs to leaky_relu, but the activation here is tanh"),
        ({"slope[1]": "steep"}, "slope[1]", "not a number"),
        ({"activation[1]": "elu", "alpha[1]": "-1"}, "alpha[1]", "expected a number above 0"),
        ({"fill[1]": "normal", "scale[1]": "-1"}, "scale[1]", "expected 0 or more"),
        ({"fill[1]": "normal", "scale[1]": "wide"}, "scale[1]", "not a number"),
        ({"fill[1]": "normal", "seed[1]": "-1"}, "seed[1]", "expected a whole number from 0"),
        ({"skip[1]": "far"}, "skip[1]", "expected a whole number from 0"),
        ({"skip[1]": "2"}, "skip[1]", "skip can be 1, not 2"),
        ({"input_gradients": "maybe"}, "input_gradients", "true or false"),
        ({"rest": "{"}, "rest", "cannot be read"),
        ({"rest": "notes: [{at: 'z[9][1]', text: x}]"}, "rest", "there is no z[9][1] here"),
        ({"rest": "what: 1"}, "", "not a key of the format"),
        ({"origin": "a b"}, "origin", ""),
    ],
)
def test_a_problem_stands_beside_its_field(
    form: dict[str, str], changes: dict[str, str], field: str, words: str
) -> None:
    found = problems(form, **changes)
    assert field in found or not words, found
    assert words in found.get(field, "")


def test_all_problems_are_said_at_once(form: dict[str, str]) -> None:
    wrong = {
        "w[1][1,1]": "a",
        "w[2][1,2]": "b",
        "x[1]": "c",
        "learning_rate": "d",
        "units[2]": "e",
        "title": "\u202e",
    }
    wrong["activation[1]"] = "f"
    assert set(wrong) <= set(problems(form, **wrong))


def test_targets_that_do_not_sum_to_one_are_found(form: dict[str, str]) -> None:
    two = {
        "units[2]": "2",
        "w[2][2,1]": "1",
        "w[2][2,2]": "1",
        "b[2][2]": "0",
        "activation[2]": "softmax",
        "loss": "cross_entropy",
    }
    found = problems(form, **two, **{"y[1]": "0.5", "y[2]": "0.2"})
    assert found == {"y[1]": "cross_entropy needs targets that sum to 1; these sum to 0.7"}


def test_no_layers_are_no_network(form: dict[str, str]) -> None:
    left = {name: text for name, text in form.items() if "[" not in name or name[0] in "xy"}
    assert problems({**left, "layers": "0"})["layers"] == "is empty; there must be at least one"


@pytest.mark.parametrize(
    "name",
    [
        "title",
        "learning_rate",
        "w[1][1,1]",
        "b[1][2]",
        "x[1]",
        "y[1]",
        "units[1]",
        "inputs",
        "b[2][1]",
    ],
)
def test_a_missing_field_is_a_problem_and_never_an_error(form: dict[str, str], name: str) -> None:
    del form[name]
    assert problems(form)


def test_a_field_that_comes_twice_is_said(form: dict[str, str]) -> None:
    twice = MultiDict(form)
    twice.add("w[1][1,1]", "5")
    assert "more than once" in checked.checked(checked.of_form(twice))[1]["w[1][1,1]"]


def test_what_is_dropped_is_gone() -> None:
    given = checked.of_scenario(scenario("1-2-3-1-sigmoid"))
    form = MultiDict(checked.fields(given))
    form.setlist("drop", ["printed", "notes"])
    found, wrong = checked.checked(checked.of_form(form))
    assert not wrong
    assert found is not None
    assert (found.printed, found.notes) == ((), ())
    assert found.lecture == scenario("1-2-3-1-sigmoid").lecture


def test_a_layer_of_made_weights_stays_made() -> None:
    found = checked.of_scenario(scenarios.parse(RICH, "rich.yaml"))
    assert (found.layers[0]["fill"], found.layers[0]["scale"], found.layers[0]["seed"]) == (
        "he",
        "0.5",
        "7",
    )
    assert found.layers[0].weights.cells == ()
    assert "init" in data(found)["network"]["layers"][0]


def test_long_tables_are_texts_with_a_row_per_line() -> None:
    rows = "\n".join(" ".join(["0.5"] * 25) for _ in range(10))
    form = {"units[1]": "10", "inputs": "25", "w[1]": rows, "b[1]": " ".join(["0"] * 10), "activation[1]": "tanh", "layers": "1",
            "rows": " ".join(["1"] * 35), "title": "Long", "learning_rate": "1", "loss": "squared_error"}  # fmt: skip
    found, wrong = checked.checked(checked.of_form(MultiDict(form)))
    assert not wrong
    assert found is not None
    assert found.network.sizes == (25, 10)
    said = problems(form, **{"w[1]": rows.replace("0.5", "x", 1)})
    assert said == {
        "w[1]": "row 1, number 1: 'x' is not a number; write it like 0.25, -1e-3 or 1/3"
    }
    assert (
        "expected 10 rows of 25, got 9 rows of 25"
        in problems(form, **{"w[1]": rows.split("\n", 1)[1]})["w[1]"]
    )
    assert "rows" in problems(form, rows="1 2 3")


STRANGE = (
    '{"a": 1, "a": 2}',
    '{"a": NaN}',
    '{"network": 1}',
    "[1]",
    '{"a": null}',
    "{" * 3_000,
    '{"a":' * 3_000,
    "1",
)


@pytest.mark.parametrize("text", STRANGE)
def test_what_is_kept_is_read_as_strictly_as_a_file(form: dict[str, str], text: str) -> None:
    assert problems(form, rest=text)


def test_forged_places_make_no_table_of_a_million_cells() -> None:
    found = checked.of_form(
        MultiDict(
            {"w[1][9999,9999]": "1", "w[33][1,1]": "1", "x[9999]@9999": "1", "b[1][9999]": "1"}
        )
    )
    assert (
        sum(
            grid.rows * grid.columns
            for layer in found.layers
            for grid in (layer.weights, layer.bias)
        )
        <= 4_000
    )
    assert len(found.layers) <= 32


def test_every_path_has_a_field_or_the_top() -> None:
    given = checked.of_scenario(scenarios.parse(RICH, "rich.yaml"))
    paths: list[tuple[Any, ...]] = [
        ("title",), ("network", "layers", 1, "weights", 0, 1), ("network", "layers", 1, "weights"),
        ("network", "layers", 0, "init", "seed"), ("data", "inputs", 1, 0), ("data", "targets"), ("printed", 0, "value"), ("strange",),
        ("network", "layers", 9), ("network", "layers", 1),
        ("data", "inputs", 99, 99), ("network", "layers", 2, "biases", 1), ("network", "layers", 0, "trainable"),
    ]  # fmt: skip
    assert [field_of(given, path) for path in paths] == [
        "title", "w[2][1,2]", "w[2]", "seed[1]", "x[1]@2", "rows", "rest", "", "", "activation[2]", "rows", "b[3][2]", "",
    ]  # fmt: skip


KNOWN = [
    "1",
    "0",
    "-3",
    "1e5",
    "1/7",
    "0,5",
    "softmax",
    "cross_entropy",
    "none",
    "he",
    "\0",
    "[[1]]",
]
TEXTS = st.one_of(st.text(max_size=12), st.sampled_from(KNOWN))
FIELDS = st.one_of(
    st.sampled_from([*PLAIN, "layers", "samples", "rows", "drop", "do"]),
    st.builds("{}[{}]".format, st.sampled_from([*PARTS, "w", "b", "paste"]), st.integers(0, 40)),
    st.builds("w[{}][{},{}]".format, *[st.integers(0, 300)] * 3),
    st.builds(
        "{}[{}]@{}".format, st.sampled_from("xyb"), st.integers(0, 300), st.integers(0, 1200)
    ),
    st.text(max_size=10),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(FIELDS, TEXTS), max_size=25), st.booleans())
def test_any_form_gives_a_scenario_or_reasons(
    pairs: list[tuple[str, str]], beginning: bool
) -> None:
    base = list(checked.fields(checked.blank()).items()) if beginning else []
    found, wrong = checked.checked(checked.of_form(MultiDict(dict([*base, *pairs]))))
    assert (found is None) == bool(wrong)
    if found is not None:
        again = scenarios.parse(dump.write(found), "again")
        assert named(again, found) == found


STANDING = [field for field in fields.FIELDS.values() if field.path]


@pytest.mark.parametrize("field", STANDING, ids=[field.name for field in STANDING])
def test_every_field_stands_for_a_key_of_the_format_and_finds_its_problems(
    field: FormField,
) -> None:
    model: Any = LayerSpec if field.of_layer else ScenarioFile
    for key in field.path:
        annotation = model.model_fields[key].annotation
        model = next(
            (part for part in (annotation, *get_args(annotation)) if hasattr(part, "model_fields")),
            None,
        )
    path = ("network", "layers", 0, *field.path) if field.of_layer else field.path
    found = field_of(checked.blank(), path)
    other = {"layers": "layers", "x": "rows", "y": "rows", "trainable": ""}
    assert found == other.get(field.name, f"{field.name}[1]" if field.of_layer else field.name)

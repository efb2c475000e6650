"""Data sets: generators, splits and scaling; what a reader changes in them; what no lesson can be
made of.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import create_app
from tests.htmltree import read
from tutor.builder.checked import checked, of_scenario
from tutor.engine import generators
from tutor.engine.scaling import constant
from tutor.lesson import changes
from tutor.lesson.dataset import DataError, dataset
from tutor.lesson.setup import build
from tutor.lesson.validation import check_text
from tutor.lesson.variants import VariantError, variant, variants
from tutor.lesson.walk import open_lesson
from tutor.scenario import dump, model
from tutor.scenario.model import Generator, Split
from tutor.scenario.problem import ScenarioError
from tutor.scenario.reader import Scenario, parse

HEAD = """\
format: 1
title: Eight samples
network:
  inputs: 2
  layers:
    - {units: 2, activation: tanh, init: {scheme: xavier, seed: 3}}
    - {units: 1, activation: sigmoid, init: {scheme: xavier, seed: 4}}
  loss: {name: binary_cross_entropy}
"""
ROWS = """\
  inputs: [[1, 10], [2, 20], [3, 5], [4, 8], [5, 1], [6, 9], [7, 20], [8, 2]]
  targets: [[1], [0], [1], [0], [1], [0], [1], [0]]
"""
MADE = "  generator: {name: moons, samples: 40, seed: 5}\n"
SPLIT = "  split: {train: 0.75, test: 0.25}\n"


def lesson(data: str = ROWS, training: str = "") -> Scenario:
    return parse(f"{HEAD}data:\n{data}training: {{learning_rate: 0.5{training}}}\n", "eight.yaml")


def problems(data: str, training: str = "") -> list[str]:
    try:
        check_text(f"{HEAD}data:\n{data}training: {{learning_rate: 0.5{training}}}\n", "eight.yaml")
    except ScenarioError as error:
        return [str(problem).removeprefix("eight.yaml:") for problem in error.problems]
    return []


# ---- generators ----


def test_the_file_knows_the_generators_of_the_engine() -> None:
    assert {*generators.CLASSES, *generators.CURVES} == set(
        model.Generator.model_json_schema()["properties"]["name"]["enum"]
    )
    assert set(generators.CURVES) == model.CURVES


@given(
    st.sampled_from([*generators.CLASSES, *generators.CURVES]),
    st.integers(10, 60), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_same_seed_makes_the_same_data_of_the_right_shape(
    name: Any, samples: int, seed: int
) -> None:
    made = Generator(name=name, samples=samples, seed=seed)
    if name in generators.CURVES:
        x, y = generators.curve(name, samples, seed, made.usual_noise)
        again = generators.curve(name, samples, seed, made.usual_noise)
        assert y.shape == (samples,)
    else:
        x, y = generators.points(name, samples, seed, made.usual_noise)
        again = generators.points(name, samples, seed, made.usual_noise)
        assert set(y.tolist()) <= {0, 1}
    assert x.shape == (samples, made.inputs)
    assert np.array_equal(x, again[0])
    assert np.array_equal(y, again[1])


def test_the_circle_is_that_of_the_lecture() -> None:
    x, inside = generators.points("circle", 200, 3, 0.0)
    assert np.array_equal(x, np.random.default_rng(3).standard_normal((200, 2)))
    assert np.array_equal(inside, (x[:, 0] ** 2 + x[:, 1] ** 2 < 1).astype(int))


def test_exclusive_or_has_the_four_corners_and_a_ramp_its_two_bends() -> None:
    x, y = generators.points("xor", 4, 0, 0.0)
    assert x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert y.tolist() == [0, 1, 1, 0]
    at, ramp = generators.curve("ramp", 5, 0, 0.0)
    assert at[:, 0].tolist() == [-2, -1, 0, 1, 2]
    assert ramp.tolist() == [0, 0, 0.5, 1, 1]


def test_targets_of_classes_are_written_in_three_ways() -> None:
    classes = np.array([0, 1, 2])
    assert generators.targets(classes, "one_hot", 3).tolist() == np.eye(3).tolist()
    assert generators.targets(classes[:2], "zero_one", 2).tolist() == [[0], [1]]
    assert generators.targets(classes[:2], "minus_one_one", 2).tolist() == [[-1], [1]]


# ---- splits and scaling ----


@given(st.integers(3, 200), st.integers(0, 100), st.integers(1, 8), st.integers(0, 100))
def test_a_split_takes_every_sample_once_and_depends_on_its_seed_alone(
    samples: int, seed: int, tenths: int, other: int
) -> None:
    made = Generator(name="sine", samples=samples)
    split = Split(train=1 - tenths / 10, validation=tenths / 20, test=tenths / 20, seed=seed)
    one = lesson(MADE)
    data = one.data.model_copy(update={"generator": made, "split": split})
    found = dataset(replace(one, data=data))
    parts = (found.training, found.validation, found.test)
    assert sorted(row for part in parts for row in part.tolist()) == list(range(samples))
    assert tuple(map(len, parts)) == split.counts(samples)
    assert all((np.diff(part) > 0).all() for part in parts)
    changed = made.model_copy(update={"seed": other})
    same = dataset(replace(one, data=data.model_copy(update={"generator": changed})))
    assert np.array_equal(same.training, found.training)


def test_scaling_knows_the_training_samples_alone() -> None:
    found = dataset(lesson(ROWS + SPLIT + "  scale: standardize\n"))
    x, _ = found.part("training")
    assert np.allclose(x.mean(axis=0), 0)
    assert np.allclose(x.std(axis=0), 1)
    assert found.scaling is not None
    back = found.x * found.scaling.divided + found.scaling.subtracted
    assert np.allclose(back, found.raw)
    assert not np.allclose(found.raw.mean(axis=0), found.scaling.subtracted)
    low = dataset(lesson(ROWS + SPLIT + "  scale: min_max\n")).part("training")[0]
    assert (low.min(axis=0).tolist(), low.max(axis=0).tolist()) == ([0, 0], [1, 1])


def test_a_column_that_never_changes_is_told() -> None:
    # the mean of three times 0.1 is not 0.1, so the standard deviation is not exactly 0
    assert constant(np.array([[0.1, 2.0], [0.1, 3.0], [0.1, 3.0]])) == (1,)


def test_plain_rows_are_used_as_they_are() -> None:
    found, setup = dataset(lesson()), build(lesson())
    assert np.array_equal(setup.x, found.raw)
    assert found.x is found.raw
    assert open_lesson(lesson()).batch is None


# ---- what no lesson can be made of ----


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ROWS.replace("10]", "1]").replace("20]", "1]").replace("5]", "1]").replace("8]", "1]")
         .replace("9]", "1]").replace("8, 2]", "8, 1]") + "  scale: standardize\n",
         ("12: data.scale: input 2 is 1 in all 8 samples, so the standard deviation is 0 and nothing "
         "can be divided by it; leave out scale, or what never changes")),
        (ROWS.replace("[0], [1], [0], [1], [0], [1], [0]", "[1], [1], [1], [1], [1], [1], [0]") + SPLIT,
         ("12: data.split: all 6 training samples are of one class; give the training part a larger "
         "share, or the split another seed")),
        ("  generator: {name: circle, samples: 2, seed: 6}\n",
         ("10: data.generator: all 2 samples are of one class, with targets 0; make more samples, or "
         "give another seed")),
        ("  generator: {name: circle, samples: 90, noise: 1e308}\n",
         ("10: data.generator.noise: noise of 1e+308 makes numbers too large for float64; give a "
         "smaller one")),
        (ROWS.replace("10]", "1e200]") + "  scale: standardize\n",
         ("12: data.scale: input 2 has numbers too large to be scaled in float64; leave out scale, "
         "or give smaller numbers")),
    ],
    ids=["constant", "one class in training", "one class", "loud", "too large to scale"],
)  # fmt: skip
def test_data_that_show_only_when_computed_are_refused_with_their_line(
    data: str, message: str
) -> None:
    assert problems(data) == [message]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = problems(
        "  generator: {name: circel, samples: 0, seed: -1, noise: -2}\n"
        "  split: {train: 0.6, validation: 0.6}\n  scale: big\n",
        ", batch: 0, shuffle: {seed: -1}, stop: {}",
    )
    assert found == [
        (
            "10: data.generator.name: 'circel' is not known; did you mean circle? "
            "Known here: circle, blobs, xor, moons, sine, ramp"
        ),
        "10: data.generator.samples: expected a whole number from 1 to 1,000, got 0",
        "10: data.generator.seed: expected a whole number from 0 to 4,294,967,295, got -1",
        "10: data.generator.noise: expected 0 or more, got -2",
        "11: data.split: train, validation and test must add up to 1; these add up to 1.2",
        "12: data.scale: 'big' is not known; known here: standardize, min_max",
        "13: training.batch: expected a whole number from 1 to 1,000, got 0",
        "13: training.shuffle.seed: expected a whole number from 0 to 4,294,967,295, got -1",
        "13: training.stop: is empty; give loss_below or change_below, or leave it out",
    ]


@pytest.mark.parametrize(
    ("data", "training", "message"),
    [
        (MADE + ROWS, "", "10: data.generator: there are both inputs and targets and a generator; keep the one or the other"),
        (ROWS, ", batch: 9", "12: training.batch: is 9, more than the 8 samples of this lesson; the limit is 8, which is full"),
        (ROWS + SPLIT, ", batch: 7", "13: training.batch: is 7, more than the 6 training samples of this lesson; the limit is 6, which is full"),
        (ROWS + "  split: {train: 0.98, test: 0.02}\n", "", "12: data.split.test: 0.02 of 8 samples leaves none for this part; give it a larger share or the data set more samples"),
        ("  generator: {name: sine, samples: 9, labels: one_hot}\n", "", "10: data.generator.labels: belongs to classes, but sine makes a curve"),
        ("  generator: {name: moons, samples: 9, classes: 3}\n", "", "10: data.generator.classes: belongs to blobs, but the generator here is moons"),
        ("  generator: {name: moons, samples: 1}\n", "", "10: data.generator.samples: 2 classes need at least 2 samples, got 1"),
        ("  generator: {name: moons, samples: 9, labels: minus_one_one}\n", "",
         "10: data.generator.labels: binary_cross_entropy needs targets from 0 to 1, not -1; use zero_one"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_refused_with_its_line(
    data: str, training: str, message: str
) -> None:
    assert message in problems(data, training)


# ---- changes ----


def test_a_change_counts_in_the_data_set_at_every_iteration() -> None:
    source = lesson(ROWS, ", batch: 3, shuffle: {seed: 1}")
    found, notices = changes.read({"x[1]@7": "-5", "y[1]@8": "1"}, source)
    assert notices == ()
    changed = changes.apply(source, found)
    assert changed.inputs[6] == (-5, 20)
    for iteration in range(1, 4):
        opened = open_lesson(changed, iteration, changes.listed(source, found))
        assert opened.batch is not None
        at = opened.in_trace(opened.changes[0].part.quantity)
        assert (at is not None) == (7 in opened.batch.samples)
        if at is not None:
            assert opened.trace.value(at) == -5


def test_a_change_writes_generated_data_out() -> None:
    source = lesson(MADE)
    found, _ = changes.read({"x[1]@3": "2"}, source)
    changed = changes.apply(source, found)
    assert changed.data.generator is None
    assert changed.inputs[2][0] == 2
    assert [list(row) for row in changed.inputs[:2]] == dataset(source).raw[:2].tolist()
    assert changes.read({"x[1]@41": "2"}, source)[1] != ()


def test_a_loss_that_does_not_fit_generated_targets_is_refused() -> None:
    source = parse(
        HEAD.replace("binary_cross_entropy", "squared_error")
        + "data:\n  generator: {name: moons, samples: 8, labels: minus_one_one}\n"
        + "training: {learning_rate: 1}\n",
        "moons.yaml",
    )
    found, notices = changes.read({"loss": "binary_cross_entropy"}, source)
    assert found == ()
    assert "needs targets from 0 to 1" in notices[0]


# ---- files, forms and worksheets ----


@pytest.mark.parametrize("data", [ROWS, MADE, ROWS + SPLIT, MADE + SPLIT + "  scale: min_max\n"])
@pytest.mark.parametrize("training", ["", ", batch: online", ", batch: 2, shuffle: {seed: 0}",
                                      ", shuffle: {seed: 4}, stop: {change_below: 1e-6}"])  # fmt: skip
def test_a_lesson_is_written_back_with_its_generator(data: str, training: str) -> None:
    source = lesson(data, training)
    again = parse(dump.write(source), "eight.yaml")
    assert (again.data, again.training) == (source.data, source.training)
    assert dump.write(again) == dump.write(source)


def test_the_form_keeps_what_it_has_no_field_for() -> None:
    source = lesson(ROWS + SPLIT + "  scale: min_max\n", ", batch: 2, shuffle: {seed: 0}")
    found, wrong = checked(of_scenario(source))
    assert wrong == {}
    assert found is not None
    assert (found.data, found.training) == (source.data, source.training)


@pytest.mark.parametrize(
    ("data", "training"),
    [(MADE, ""), (ROWS + SPLIT, ""), (ROWS + "  scale: min_max\n", ""), (ROWS, ", batch: 2")],
)
def test_versions_with_new_numbers_are_for_rows_as_they_are(data: str, training: str) -> None:
    for draw in (lambda s: variant(s, 1, 1), lambda s: variants(s, 2, 1)):
        with pytest.raises(VariantError, match="use all samples as they are written down"):
            draw(lesson(data, training))


def test_a_page_of_data_that_cannot_be_used_says_why(tmp_path: Any) -> None:
    text = HEAD + "data:\n  generator: {name: circle, samples: 2, seed: 6}\n"
    (tmp_path / "alone.yaml").write_text(text + "training: {learning_rate: 1}\n", encoding="utf-8")
    answer = create_app(tmp_path).test_client().get("/lessons/alone/steps/1")
    assert answer.status_code == 404
    assert "all 2 samples are of one class" in read(answer.text).root.named
    with pytest.raises(DataError):
        open_lesson(parse(text + "training: {learning_rate: 1}\n", "alone.yaml"))


def test_a_scaled_input_is_shown_before_and_after(tmp_path: Any) -> None:
    text = f"{HEAD}data:\n{ROWS}{SPLIT}  scale: standardize\ntraining: {{learning_rate: 1, batch: 2}}\n"
    (tmp_path / "scaled.yaml").write_text(text, encoding="utf-8")
    client = create_app(tmp_path).test_client()
    first = client.get("/lessons/scaled").text
    data = dataset(parse(text, "scaled.yaml"))
    assert "Inputs before scaling" in first
    assert f"mean and standard deviation of the {len(data.training)} training samples" in first
    step = read(client.get("/lessons/scaled/steps/1?iteration=2").text)
    row = data.raw[open_lesson(parse(text, "scaled.yaml"), 2).batch.samples[0] - 1]  # type: ignore[union-attr]
    for place, value in enumerate(row, 1):
        asked = client.get(f"/lessons/scaled/quantities/x[{place}]@1?iteration=2").text
        assert f"Before scaling it was {value:g}." in asked
    form = [
        field.attributes["name"] for field in step.root.all("input") if "name" in field.attributes
    ]
    assert f"x[1]@{open_lesson(parse(text, 'scaled.yaml'), 2).batch.samples[1]}" in form  # type: ignore[union-attr]

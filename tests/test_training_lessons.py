"""The lessons of scenarios/training: each is valid, opens at any iteration, and does what its text
says. Two goldens each, as for the other lessons: the numbers of the first iteration, and the words
of its steps.

A lesson of more than 300 steps has its words in matrices, and the numbers of its first three
samples. To renew them, and then to read what has changed:

    RENEW_GOLDENS=1 .venv/bin/python -m pytest tests/test_training_lessons.py
    git diff tests/goldens_training
"""

from __future__ import annotations

import io
import json
import math
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.golden import Goldens, numbers, spoken
from tests.visiting import context, get, page, texts
from tutor.engine.trace import Trace, run
from tutor.engine.training import Training, UnfinishedError
from tutor.errors import LessonError
from tutor.export import data
from tutor.export.numpy_script import numpy_script
from tutor.lesson import validation
from tutor.lesson.dataset import Dataset, dataset
from tutor.lesson.setup import training
from tutor.lesson.walk import GRAINS, furthest, open_lesson
from tutor.pages.view import View
from tutor.scenario import dump
from tutor.scenario.reader import Scenario, load, parse

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "scenarios" / "training").glob("*.yaml"))
NAMES = [path.stem for path in FILES]
GOLDENS = Goldens("goldens_training", "test_training_lessons.py")
LONG = 300
"""Steps from which a lesson's goldens are in matrices."""


@cache
def scenario(name: str) -> Scenario:
    return load(ROOT / "scenarios" / "training" / f"{name}.yaml")


@cache
def trained(name: str) -> Training:
    return training(scenario(name))


@cache
def samples(name: str) -> Dataset:
    return dataset(scenario(name))


def over(name: str, iteration: int, part: str = "training") -> Trace:
    """What the network of an iteration makes of a part of the data."""
    return run(trained(name).at(iteration).network, *samples(name).part(part), 0.1)


def accuracy(name: str, iteration: int) -> float:
    trace = over(name, iteration)
    return float(((trace.outputs > 0.5) == (trace.y > 0.5)).mean())


# ---- each is valid and opens ----


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lesson_is_valid_says_what_to_see_and_is_written_back_as_it_is(path: Path) -> None:
    lesson = validation.check(str(path))
    assert lesson.scenario.about
    assert lesson.scenario.learn
    text = dump.write(lesson.scenario)
    again = parse(text, path.name)
    assert (again.data, again.training, again.network) == (
        lesson.scenario.data, lesson.scenario.training, lesson.scenario.network,
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_opens_at_any_iteration_as_the_straight_run_has_it(name: str) -> None:
    straight = trained(name)
    for iteration in (1, 2, 7, 50, 100, min(1_000, furthest(scenario(name)))):
        try:
            want = straight.trace(iteration)
        except UnfinishedError:
            with pytest.raises(LessonError):
                open_lesson(scenario(name), iteration)
            continue
        found = open_lesson(scenario(name), iteration).trace
        assert all(np.array_equal(found[key], want[key], equal_nan=True) for key in want)


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", NAMES)
def test_every_page_of_a_lesson_is_there(name: str, grain: str) -> None:
    page(f"/lessons/{name}")
    steps = len(context(name, View(grain=grain)).walk)
    for n in sorted({1, 2, steps // 3, steps // 2, 2 * steps // 3, steps}):
        if n:
            page(f"/lessons/{name}/steps/{n}?grain={grain}")
            page(f"/lessons/{name}/steps/{n}?grain={grain}&iteration=3")


@pytest.mark.parametrize("name", NAMES)
def test_the_script_of_a_later_iteration_agrees_with_the_lesson(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lesson = open_lesson(scenario(name), 3)
    text = numpy_script(lesson)
    assert ("This iteration’s batch" in text) == (lesson.batch is not None)
    exec(compile(text, "script", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own script
    assert re.search(r"all [0-9,]+ numbers agree", capsys.readouterr().out)


def test_the_course_lists_every_lesson_once() -> None:
    cards = page("/").root.all("li", cls="card")
    listed = [card.attributes["data-lesson"] for card in cards]
    assert {*NAMES} <= {*listed}
    assert len(listed) == len(set(listed))


# ---- they do what their texts say ----


def test_in_the_narrow_valley_one_weight_zigzags_and_the_other_crawls() -> None:
    steep, flat = np.array(
        [trained("narrow-valley").at(t).network.layers[0].weights[0] for t in range(1, 102)]
    ).T
    assert np.allclose(steep - 1, -2 * (-0.875) ** np.arange(101))
    assert np.allclose(flat - 1, -2 * 0.98125 ** np.arange(101))
    assert round(float(flat[-1]), 2) == 0.70
    assert abs(steep[-1] - 1) < 5e-6


def test_a_rate_that_is_too_large_doubles_the_error_until_the_numbers_end() -> None:
    run_ = trained("rate-too-large")
    assert [float(run_.at(t).network.layers[0].weights[0, 0]) for t in (1, 2, 3, 4)] == [
        1,
        7,
        -5,
        19,
    ]
    assert [run_.trace(t).loss for t in (1, 2, 3)] == [8, 32, 128]
    with pytest.raises(UnfinishedError) as error:
        run_.at(600)
    assert error.value.iteration == 510


def test_single_samples_get_as_far_in_as_many_updates_as_the_whole_batch() -> None:
    found = {
        name: [round(over(name, t).loss, 2) for t in (1, 121, 600)]
        for name in ("stochastic-descent", "batch-descent")
    }
    assert found == {
        "stochastic-descent": [1.10, 0.68, 0.06],
        "batch-descent": [1.10, 0.71, 0.07],
    }
    losses = [trained("batch-descent").trace(t).loss for t in range(1, 101)]
    assert losses == sorted(losses, reverse=True)
    single = [over("stochastic-descent", t).loss for t in range(1, 101)]
    assert single != sorted(single, reverse=True)
    numbers = [open_lesson(scenario("stochastic-descent"), t).batch for t in range(1, 7)]
    assert sorted(batch.samples for batch in numbers if batch) == [(n,) for n in range(1, 7)]


def test_exclusive_or_is_learned_after_a_plateau_or_not_at_all() -> None:
    assert [round(over("xor", t).loss, 2) for t in (50, 100, 200)] == [0.69, 0.48, 0.04]
    assert accuracy("xor", 200) == 1
    text = (ROOT / "scenarios" / "training" / "xor.yaml").read_text(encoding="utf-8")
    other = parse(text.replace("seed: 4", "seed: 5").replace("seed: 14", "seed: 15"), "xor.yaml")
    assert training(other).trace(1_000).loss == pytest.approx(math.log(2) / 2, abs=5e-3)


def test_the_summed_circle_kills_units_and_the_averaged_one_does_not() -> None:
    dead = {
        name: int((over(name, 1_000).array("a", 1) == 0).all(axis=0).sum())
        for name in ("circle-summed", "circle-averaged")
    }
    assert dead == {"circle-summed": 6, "circle-averaged": 0}
    assert accuracy("circle-summed", 1_000) == pytest.approx(0.755, abs=0.02)
    assert accuracy("circle-averaged", 100) == pytest.approx(0.96, abs=0.01)
    assert accuracy("circle-averaged", 500) == 1
    averaged = [trained("circle-averaged").trace(t).loss for t in (1, 100, 1_000)]
    assert [round(loss, 2) for loss in averaged] == [0.90, 0.25, 0.04]
    summed = [trained("circle-summed").trace(t).loss / 200 for t in (1, 10)]
    assert [round(loss, 2) for loss in summed] == [0.69, 1.16]


def test_the_shape_slip_of_the_circle_program_is_as_the_lesson_says() -> None:
    data_ = samples("circle-summed")
    trace = trained("circle-summed").trace(1)
    flat = data_.y[:, 0]
    assert flat.shape == (200,)
    difference = trace.outputs - flat
    assert difference.shape == (200, 200)
    with pytest.raises(ValueError, match="not aligned"):
        np.dot(difference, trace.network.layers[1].weights)
    right = trace.outputs - flat.reshape(-1, 1)
    assert np.allclose(right, trace["dL/dz", 2])


def test_a_line_underfits_and_four_units_overfit() -> None:
    parts = ("training", "validation", "test")
    line = [round(over("underfitting", 1_000, part).loss, 2) for part in parts]
    assert line == [0.19, 0.43, 0.28]
    bent = {t: [over("overfitting", t, part).loss for part in parts] for t in (1, 200, 1_000)}
    assert [round(bent[t][0], 3) for t in bent] == [0.886, 0.078, 0.046]
    assert [round(bent[t][1], 2) for t in (200, 1_000)] == [0.18, 0.37]
    assert [round(bent[t][2], 2) for t in (200, 1_000)] == [0.06, 0.28]
    validation_ = [over("overfitting", t, "validation").loss for t in range(1, 1_001, 20)]
    assert 150 <= 1 + 20 * int(np.argmin(validation_)) <= 250


# ---- goldens ----


def long(name: str) -> bool:
    return len(context(name).walk) > LONG


def words(name: str) -> str:
    view = View(grain="layer") if long(name) else View()
    return "\n\n".join(spoken(text) for _, text in texts(name, view)) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    found = {
        quantity: number
        for quantity, number in numbers(name).items()
        if not long(name) or int(quantity.partition("@")[2] or 0) <= 3
    }
    GOLDENS.check_numbers(name, found)


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    found = words(name)
    assert found == GOLDENS.text(f"{name}.words.txt", found), GOLDENS.renew


def test_every_golden_belongs_to_a_lesson() -> None:
    GOLDENS.check_names(NAMES)


# ---- batches and data on pages ----


def test_a_step_says_which_samples_its_iteration_uses() -> None:
    found = [
        page(f"/lessons/stochastic-descent/steps/1?iteration={t}").root.one("p", cls="batch").named
        for t in (1, 7)
    ]
    of = [open_lesson(scenario("stochastic-descent"), t).batch for t in (1, 7)]
    assert found == [f"{batch}." for batch in of]
    assert re.fullmatch(r"This iteration’s batch: sample [1-6] of 6 \(epoch 1\)\.", found[0])
    assert found[1].endswith("(epoch 2).")
    assert not list(page("/lessons/batch-descent/steps/1").root.all("p", cls="batch"))


def test_a_later_iteration_has_its_own_samples_in_the_json() -> None:
    out = io.StringIO()
    lesson = open_lesson(scenario("stochastic-descent"), 9)
    data.write(lesson, out)
    found = json.loads(out.getvalue())
    assert lesson.batch is not None
    assert found["batch"] == {"samples": list(lesson.batch.samples), "epoch": 2}
    row = scenario("stochastic-descent").inputs[lesson.batch.samples[0] - 1]
    assert [found["quantities"][f"x[{i}]"] for i in (1, 2, 3)] == list(row)


def test_a_first_page_says_where_its_data_come_from() -> None:
    facts = page("/lessons/overfitting").root.one("dl", cls="facts").named
    assert "24 samples made by the generator sine with seed 0, noise 0.3" in facts
    assert "12 for training, 6 for validation, 6 for test; drawn by a shuffle with seed 0" in facts
    assert get("/lessons/overfitting/scenario.yaml").text == dump.write(scenario("overfitting"))


# ---- what else one can turn ----


def losses(name: str, *iterations: int) -> list[float]:
    return [round(trained(name).trace(t).loss, 4) for t in iterations]


def weights_of(name: str, iteration: int) -> list[np.ndarray]:
    return [layer.weights for layer in trained(name).at(iteration).network.layers]


def test_momentum_gets_through_the_valley() -> None:
    found = [float(weights_of("valley-momentum", t)[0][0, 1]) for t in (11, 51)]
    assert [round(weight, 2) for weight in found] == [0.03, 1.01]
    assert round(float(weights_of("narrow-valley", 51)[0][0, 1]), 2) == 0.22


def test_adams_first_step_is_the_learning_rate_and_it_goes_past_the_target() -> None:
    first = trained("adam-by-hand").trace(1)
    assert first["dL/dw", 1][0, 0] == -8
    assert -first["step.w", 1][0, 0] == pytest.approx(0.1, abs=1e-9)
    assert round(float(weights_of("adam-by-hand", 20)[0][0, 0]), 2) == 1.77


def test_one_scaling_decides_whether_the_life_style_network_learns() -> None:
    assert losses("lifestyle-unscaled", 1, 300) == [0.6399, 0.6932]
    raw = trained("lifestyle-unscaled").trace(1)
    assert round(float(raw["z", 1].max()), 1) == 89.8
    assert raw["da/dz", 1][2, 0] == 0
    assert losses("lifestyle-scaled", 1, 100, 300) == [0.6603, 0.0584, 0.0157]
    inputs = trained("lifestyle-scaled").x
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(inputs.std(axis=0), 1, rtol=1e-12)


def test_from_zeros_nothing_is_learned() -> None:
    assert losses("lifestyle-zeros", 1, 300) == [0.6931, 0.6931]
    assert all((weights == 0).all() for weights in weights_of("lifestyle-zeros", 300))


def test_a_penalty_keeps_the_weights_short_and_costs_something_on_the_data() -> None:
    def length(name: str) -> float:
        return round(math.sqrt(sum(float((w**2).sum()) for w in weights_of(name, 301))), 2)

    assert (length("lifestyle-penalty"), length("lifestyle-scaled")) == (5.12, 7.47)
    last = trained("lifestyle-penalty").trace(300)
    assert round(float(last["data_loss", 0]), 4) == 0.0766


def test_dropout_makes_the_loss_jump_while_verification_falls() -> None:
    assert losses("lifestyle-dropout", 1, 2) == [0.6192, 0.7431]
    after = [round(trained("lifestyle-dropout").trace(t).loss_new, 4) for t in (1, 10, 300)]
    assert after == [0.6507, 0.5987, 0.1010]


def test_stairs_bring_the_loss_down_and_keep_it_there() -> None:
    assert losses("lifestyle-schedule", 1, 50, 300) == [0.6603, 0.0089, 0.0043]
    rates = [float(trained("lifestyle-schedule").trace(t)["lr", 0]) for t in (50, 51, 300)]
    assert rates == [5, 2.5, 5 * 0.5**5]


def test_clipping_saves_the_update_that_explodes() -> None:
    first = trained("exploding-clipped").trace(1)
    assert first["gnorm", 0] == 270
    assert losses("exploding-clipped", 1, 2, 3, 10, 20)[:3] == [2.5, 0.5321, 0.0139]
    assert set(losses("exploding-clipped", *range(2, 21))) == {0.5321, 0.0139}
    plain = load(ROOT / "scenarios" / "exploding-gradient.yaml")
    assert round(training(plain).trace(1).loss_new, 2) == 13172.54


# ---- a line, a curve, many layers ----


def lines(name: str, *iterations: int) -> list[list[float]]:
    layers = (trained(name).at(t).network.layers[0] for t in iterations)
    return [[*p.weights[0], *(() if p.biases is None else p.biases)] for p in layers]


def test_the_perceptron_rule_finds_a_line_where_there_is_one() -> None:
    found = lines("perceptron-separable", *range(1, 61))
    changed = [t for t, (one, other) in enumerate(pairwise(found), 1) if one != other]
    assert changed == [1, 6, 10]
    assert found[-1] == [3, 2, -1]
    assert right("perceptron-separable", 10) == 5
    assert right("perceptron-separable", 11) == 6


def right(name: str, iteration: int) -> int:
    """How many points are on their side."""
    trace = over(name, iteration)
    return int((trace.outputs * trace.y > 0).sum())


def test_the_perceptron_rule_goes_round_in_circles_where_there_is_none() -> None:
    found = lines("perceptron-inseparable", *range(18, 61))
    assert found[:31] == found[12:]
    assert len({tuple(line) for line in found}) == 4
    assert {right("perceptron-inseparable", t) for t in range(18, 61)} == {4, 5}


def test_three_bent_lines_are_nearly_a_sine_and_training_makes_them_better() -> None:
    first, last = trained("relu-towers").trace(1), trained("relu-towers").trace(1_000)
    assert (round(first.loss, 4), round(last.loss, 5)) == (0.0039, 0.00066)
    x, y = first.x[:, 0], first.y[:, 0]
    errors = {}
    for pieces in (1, 6):
        knots = np.linspace(0, 3, pieces + 1)
        errors[pieces] = float(((np.interp(x, knots, np.sin(knots)) - y) ** 2).mean())
    assert (round(errors[1], 2), round(errors[6], 5)) == (0.40, 0.00023)


def test_skip_connections_let_seven_layers_learn() -> None:
    assert losses("deep-plain", 1, 500) == [0.6931, 0.6931]
    assert losses("deep-residual", 1, 50, 500) == [0.6932, 0.0126, 0.0004]
    first = {
        name: [float(abs(trained(name).trace(1)["dL/dz", n]).max()) for n in (1, 7)]
        for name in ("deep-plain", "deep-residual")
    }
    assert [round(v, 5) for v in first["deep-plain"]] == [0.00063, 0.1251]
    assert round(first["deep-residual"][0], 4) == 0.0045

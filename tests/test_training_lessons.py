"""The lessons of scenarios/training: each is valid, opens at any iteration, and does what its text
says. Two goldens each, as for the other lessons: the numbers of the first iteration, and the words
of its steps.

A lesson of more than 300 steps has its words in matrices (of more than 200 parameters, pass by
pass), and the numbers of its first three samples. To renew them, and then to read what has changed:

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
from tests.htmltree import Element
from tests.visiting import context, get, page, texts
from tutor import number
from tutor.engine.run import Goal, LayerSizes, Run, layer_sizes, losses_of_first
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
LONG, MANY = 300, 200
"""Steps from which a lesson's goldens are in matrices, and parameters from which their words are
those of whole passes.
"""


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
    many = trained(name).network.parameters > MANY
    view = View(grain="pass" if many else "layer") if long(name) else View()
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


def test_a_later_iteration_speaks_of_slides_only_where_they_print_numbers() -> None:
    notice = page("/lessons/xor/steps/1?iteration=2").root.one("p", cls="notice")
    assert notice.named == "You are looking at a variant: iteration 2."
    notice = page("/lessons/1-2-3-1-sigmoid/steps/1?iteration=2").root.one("p", cls="notice")
    assert notice.named.endswith("iteration 2, so the numbers are no longer those on the slides.")


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


def test_from_random_weights_both_hidden_units_learn() -> None:
    name = "lifestyle-initialisation"
    assert (scenario(name).data, scenario(name).training) == (
        scenario("lifestyle-zeros").data, scenario("lifestyle-zeros").training,
    )  # fmt: skip
    hidden, zero = sizes(name)[0], sizes("lifestyle-zeros")[0]
    assert (round(hidden.spread, 4), round(hidden.gradient or 0, 4)) == (0.1939, 0.0567)
    assert (zero.spread, zero.gradient) == (0, 0)
    first, second = trained(name).trace(1)["dL/dw", 1]
    assert not np.allclose(first, second)
    assert losses(name, 1, 100, 300) == [0.6483, 0.0744, 0.0172]
    assert accuracy(name, 301) == 1


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


def test_a_limit_on_each_gradient_lets_unscaled_inputs_be_learned() -> None:
    first = trained("lifestyle-clipped").trace(1)
    every = np.concatenate([first[kind, n].ravel() for kind in ("dL/dw", "dL/db") for n in (1, 2)])
    assert round(float(np.linalg.norm(every)), 2) == 5.65
    sport = first["dL/dw", 1][:, 0]
    assert float(sport @ sport) > 0.98 * float(every @ every)
    assert np.abs(first["g.w", 1]).max() == 0.1
    cut = first["g.w", 1] != first["dL/dw", 1]
    assert cut[:, 0].all()
    assert not cut[:, 2].any()
    assert losses("lifestyle-clipped", 1, 300) == [0.6761, 0.0749]
    text = (ROOT / "scenarios" / "training" / "lifestyle-clipped.yaml").read_text(encoding="utf-8")
    free = training(parse(text.replace(", clip: {value: 0.1}", ""), "free.yaml"))
    assert round(free.trace(300).loss, 4) == 0.5827
    falls = [trained("lifestyle-clipped").trace(n).loss for n in range(1, 20)]
    assert falls != sorted(falls, reverse=True)


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


def first_units(name: str, iteration: int = 1) -> list[float]:
    """The loss with none, one, two … of the units before the output."""
    run_ = trained(name)
    return list(losses_of_first(run_.at(iteration).network, run_.x, run_.y))


def test_one_tower_is_0_outside_of_its_piece_and_training_widens_its_foot() -> None:
    first = trained("relu-tower").trace(1)
    assert first.outputs[:, 0].tolist() == [0, 0, 0, 0.5, 1, 0.5, 0, 0, 0]
    assert (first.loss, trained("relu-tower").trace(1_000).loss) == (
        pytest.approx(0.0066, abs=5e-5), pytest.approx(0.00013, abs=5e-6),
    )  # fmt: skip
    (layer, _) = trained("relu-tower").at(1_001).network.layers
    assert layer.biases is not None
    bends = -layer.biases / layer.weights[:, 0]
    assert [round(float(bend), 2) for bend in bends] == [-0.16, 1.04, 2.12]


def test_towers_half_as_wide_leave_a_sixteenth_of_the_error() -> None:
    found = first_units("relu-tower-sum")
    assert [round(found[n], 6) for n in (0, 1, 3, 7)] == [0.501953, 0.031365, 0.001953, 0.000115]
    assert found == sorted(found, reverse=True)
    inside = np.array([found[n] for n in (0, 1, 3, 7)])
    assert np.all(np.abs(inside[:-1] / inside[1:] - 16) < 1.1)
    first = trained("relu-tower-sum").trace(1)
    assert np.array_equal(first.outputs[::2], first.y[::2]), "it meets the curve at each bend"
    assert [one.max() for one in first["a", 2].T] == [1] * 7
    assert round(trained("relu-tower-sum").trace(1_000).loss, 6) == 0.000058


def test_three_bent_lines_are_nearly_a_sine_and_training_makes_them_better() -> None:
    first, last = trained("relu-towers").trace(1), trained("relu-towers").trace(1_000)
    assert (round(first.loss, 4), round(last.loss, 5)) == (0.0039, 0.00066)
    one, two, three = first_units("relu-towers")[1:]
    assert (round(one, 2), round(two, 3), three) == (1.07, 0.093, first.loss)


def test_the_linear_model_converges_to_the_rule_behind_its_data() -> None:
    name = "linear-until-converged"
    assert stops(name) == 472
    assert [round(trained(name).trace(n).loss, 5) for n in (1, 10, 472)] == [2.75, 0.0176, 0.00014]
    (layer,) = trained(name).at(473).network.layers
    assert layer.biases is not None
    assert [round(float(v), 4) for v in (*layer.weights[0], layer.biases[0])] == [
        2.0237, 1.0237, 0.9157,
    ]  # fmt: skip
    run_ = trained(name)
    best = np.linalg.lstsq(np.column_stack([run_.x, np.ones(4)]), run_.y[:, 0], rcond=None)[0]
    assert np.allclose(best, [2, 1, 1])


def test_the_sigmoid_model_becomes_slow_before_it_arrives() -> None:
    name = "sigmoid-until-converged"
    assert stops(name) == 348
    found = [round(trained(name).trace(n).loss, 4) for n in (1, 10, 100, 348)]
    assert found == [0.1679, 0.0657, 0.0114, 0.0034]
    lengths = [
        float(abs(trained(name).at(n).network.layers[0].weights).max()) for n in (349, 2_000)
    ]
    assert round(lengths[0], 2) == 2.47
    assert round(lengths[1], 2) == 3.42, "they still grow"
    assert accuracy(name, 349) == 1


@pytest.mark.parametrize("name", ["linear-until-converged", "sigmoid-until-converged"])
def test_a_model_of_engr_3321_is_trained_with_the_numbers_of_its_lesson(name: str) -> None:
    before = "linear-regression" if name.startswith("linear") else "linear-sigmoid"
    one = load(ROOT / "scenarios" / f"{before}.yaml")
    more = scenario(name)
    assert (one.network, one.data, one.notation) == (more.network, more.data, more.notation)
    assert one.training.learning_rate == more.training.learning_rate


@pytest.mark.parametrize("name", ["linear-until-converged", "sigmoid-until-converged"])
def test_half_the_gradient_as_on_the_slides_is_half_the_learning_rate(name: str) -> None:
    run_ = trained(name)
    x = np.column_stack([run_.x, np.ones(4)])
    (layer,) = run_.network.layers
    w = np.append(layer.weights[0], layer.biases)
    for _ in range(50):
        answer = x @ w
        slope = 1.0
        if name.startswith("sigmoid"):
            answer = 1 / (1 + np.exp(-answer))
            slope = answer * (1 - answer)
        error = (answer - run_.y[:, 0]) * slope
        w = w - 2 * run_.eta * error @ x / 4  # the slides: (1/M)(ŷ − y)ᵀ X
    (layer,) = run_.at(51).network.layers
    assert np.allclose(w, [*layer.weights[0], *(layer.biases if layer.biases is not None else ())])


def stops(name: str) -> int | None:
    """In which iteration a lesson stops by itself."""
    found = Run(trained(name))
    found.record(scenario(name).training.iterations, goal=Goal(own=True))
    return found.reached(Goal(own=True))


# ---- how a deep network starts ----


def sizes(name: str) -> tuple[LayerSizes, ...]:
    run_ = trained(name)
    return layer_sizes(run_.network, run_.x, run_.y)


def test_weights_that_are_too_small_shrink_everything() -> None:
    found = sizes("init-small")
    spreads = [one.spread for one in found[:-1]]
    assert all(b < 0.3 * a for a, b in pairwise(spreads))
    assert [f"{spreads[n]:.4g}" for n in (0, -1)] == ["0.03879", "8.134e-06"]
    signals = [one.signal for one in found]
    assert all(a < 0.4 * b for a, b in pairwise(signals))
    assert [f"{signals[n]:.4g}" for n in (0, -1)] == ["6.394e-06", "0.1118"]
    assert losses("init-small", 1, 300) == [0.6931, 0.6931]
    assert np.allclose(over("init-small", 1).outputs, 0.5, atol=1e-5)


def test_weights_that_are_too_large_make_everything_explode() -> None:
    found = sizes("init-large")
    spreads, signals = [one.spread for one in found[:-1]], [one.signal for one in found]
    assert all(b > 1.6 * a for a, b in pairwise(spreads))
    assert [f"{spreads[n]:.4g}" for n in (0, -1)] == ["0.5819", "92.66"]
    assert all(a > 1.6 * b for a, b in pairwise(signals))
    assert [f"{signals[n]:.4g}" for n in (0, -1)] == ["144.3", "0.1675"]
    good = [one.gradient or 0 for one in sizes("init-he")]
    assert all((one.gradient or 0) > 100 * ok for one, ok in zip(found, good, strict=True))
    assert [round(trained("init-large").trace(n).loss) for n in (1, 2)] == [208, 4265]
    fourth = trained("init-large").trace(4)
    assert [n for n in range(1, 7) if not fourth["a", n].any()] == [3, 5, 6]
    assert np.ptp(fourth.outputs) == 0
    assert losses("init-large", 300) == [0.6931]


@pytest.mark.parametrize(
    ("name", "first", "last", "lowest", "highest", "fall"),
    [
        ("init-xavier", 0.3094, 0.2779, 0.0738, 0.2902, [0.6786, 0.2683]),
        ("init-he", 0.3879, 0.5218, 0.3975, 1.0616, [0.9991, 0.1587]),
    ],
)
def test_weights_of_the_right_size_keep_the_numbers_of_all_layers(
    name: str, first: float, last: float, lowest: float, highest: float, fall: list[float]
) -> None:
    found = sizes(name)
    spreads, gradients = [one.spread for one in found[:-1]], [one.gradient or 0 for one in found]
    assert (round(spreads[0], 4), round(spreads[-1], 4)) == (first, last)
    assert max(spreads) < 1.8 * min(spreads)
    assert (round(min(gradients), 4), round(max(gradients), 4)) == (lowest, highest)
    assert losses(name, 1, 300) == fall


def test_relus_need_more_than_xaviers_scheme() -> None:
    text = (ROOT / "scenarios" / "training" / "init-xavier.yaml").read_text(encoding="utf-8")
    run_ = training(parse(text.replace("activation: tanh", "activation: relu"), "relu.yaml"))
    spreads = [one.spread for one in layer_sizes(run_.network, run_.x, run_.y)[:-1]]
    assert (round(spreads[0], 4), round(spreads[-1], 4)) == (0.1940, 0.0461)
    assert right_share("init-he", 300) == 19


def right_share(name: str, iteration: int) -> int:
    """How many samples are classified right."""
    return round(accuracy(name, iteration) * len(trained(name).x))


def test_the_four_starts_differ_by_the_size_of_the_same_random_numbers() -> None:
    small, large, xavier, he = (
        [layer.weights for layer in trained(f"init-{name}").network.layers]
        for name in ("small", "large", "xavier", "he")
    )
    for a, b, c, d in zip(small, large, xavier, he, strict=True):
        units, inputs = a.shape
        assert np.allclose(b, 15 * a)
        assert np.allclose(c, 10 * a * math.sqrt(2 / (inputs + units)))
        assert np.allclose(d, 10 * a * math.sqrt(2 / inputs))


def at_its_end(address: str) -> Element:
    """The page of a training that has come to its end: one that is slow goes on with each look."""
    root = page(address).root
    while any(root.all("progress")):
        root = page(address).root
    return root


@pytest.mark.parametrize(
    "name",
    [
        "init-small", "init-large", "init-xavier", "init-he",
        "lifestyle-initialisation", "lifestyle-zeros",
    ],
)  # fmt: skip
def test_the_sizes_of_the_layers_are_on_the_page_before_training(name: str) -> None:
    root = at_its_end(f"/lessons/{name}/training?at=0")
    table = root.one("table", id="layers-table")
    rows = [[cell.named for cell in row.all("td")] for row in table.one("tbody").all("tr")]
    assert rows == [
        [number.shown(size, 4) for size in (one.spread, one.signal, one.gradient or 0)]
        for one in sizes(name)
    ]


@pytest.mark.parametrize("iteration", [0, 1_000])
@pytest.mark.parametrize("name", ["relu-tower", "relu-tower-sum", "relu-towers"])
def test_the_error_with_the_first_units_is_on_the_page(name: str, iteration: int) -> None:
    root = at_its_end(f"/lessons/{name}/training?at={iteration}")
    table = root.one("table", id="units-table")
    found = [cell.named for cell in table.one("tbody").all("td")]
    assert found == [number.shown(loss, 6) for loss in first_units(name, iteration + 1)]
    heads = [head.named for head in table.one("tbody").all("th")]
    assert heads == [f"{n}" for n in range(len(found))]
    assert "What each unit adds" in [head.named for head in root.all("h2")]


def test_skip_connections_let_seven_layers_learn() -> None:
    assert losses("deep-plain", 1, 500) == [0.6931, 0.6931]
    assert losses("deep-residual", 1, 50, 500) == [0.6932, 0.0126, 0.0004]
    first = {
        name: [float(abs(trained(name).trace(1)["dL/dz", n]).max()) for n in (1, 7)]
        for name in ("deep-plain", "deep-residual")
    }
    assert [round(v, 5) for v in first["deep-plain"]] == [0.00063, 0.1251]
    assert round(first["deep-residual"][0], 4) == 0.0045

"""Lessons: three walks over one trace, and the way from one to the other."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.strategies import DIFFERENTIABLE, FLAT, extreme_problems, problems
from tutor.engine.activations import activation
from tutor.engine.kinds import PHASES, phases_of
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace, run
from tutor.errors import LessonError
from tutor.lesson.changes import apply, listed
from tutor.lesson.setup import Setup
from tutor.lesson.walk import (
    GRAINS,
    MAX_ITERATION,
    LayerWalk,
    Lesson,
    NumberWalk,
    PassWalk,
    Walk,
    open_lesson,
)
from tutor.scenario.reader import Scenario, load

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))


def scenario(name: str) -> Scenario:
    return load(next(path for path in SCENARIOS if path.stem == name))


def lesson_of(problem: Setup) -> Lesson:
    """A lesson over any network: only the trace matters for the walks."""
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    return Lesson(scenario("1-2-3-1-sigmoid"), trace, 1)


def assert_walks(lesson: Lesson) -> None:
    for grain in GRAINS:
        walk = lesson.walk(grain)
        assert len(walk) > 0
        numbers = [PHASES.index(walk.phase(n)) for n in range(1, len(walk) + 1)]
        assert numbers == sorted(numbers)
        covered = [n for _, first, last in walk.phases() for n in range(first, last + 1)]
        assert covered == list(range(1, len(walk) + 1))
        for phase, first, last in walk.phases():
            assert {walk.phase(n) for n in range(first, last + 1)} == {phase}
            assert walk.first_of(phase) == first
        for n in range(1, len(walk) + 1):
            assert walk.step_of(walk.anchor(n)) == n


def assert_same_places(lesson: Lesson) -> None:
    for grain in GRAINS:
        for other in GRAINS:
            places = [
                lesson.same_place(lesson.walk(grain).step(n), other)
                for n in range(1, len(lesson.walk(grain)) + 1)
            ]
            assert all(1 <= place <= len(lesson.walk(other)) for place in places)
            # to a finer grain and back is the same step
            if GRAINS.index(other) <= GRAINS.index(grain):
                assert [
                    lesson.same_place(lesson.walk(other).step(place), grain) for place in places
                ] == list(range(1, len(places) + 1))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_walks_of_every_scenario_are_sound(path: Path) -> None:
    lesson = open_lesson(load(path))
    assert_walks(lesson)
    assert_same_places(lesson)


@given(
    problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), wide=False, depth=3)
)
@settings(max_examples=40)
def test_the_walks_of_a_random_network_are_sound(problem: Setup) -> None:
    lesson = lesson_of(problem)
    assert_walks(lesson)
    assert_same_places(lesson)


@given(extreme_problems())
def test_a_walk_that_ends_early_is_sound_up_to_its_end_and_ends_at_the_stop(problem: Setup) -> None:
    lesson = lesson_of(problem)
    assert_walks(lesson)
    for grain in GRAINS:
        for other in GRAINS:
            assert (
                1
                <= lesson.same_place(lesson.walk(grain).step(len(lesson.walk(grain))), other)
                <= len(lesson.walk(other))
            )
    stop = lesson.trace.stop
    if stop:
        numbers, layers = lesson.walk("number"), lesson.walk("layer")
        assert isinstance(layers, LayerWalk)
        assert numbers.anchor(len(numbers)) == stop.quantity
        last = layers.stages[-1]
        if lesson.trace.samples == 1:
            assert (last.kind, last.layer) == (stop.quantity.kind, stop.quantity.layer)


def test_the_grains_are_the_three_of_the_contract() -> None:
    lesson = open_lesson(scenario("1-2-3-1-sigmoid"))
    assert GRAINS == ("number", "layer", "pass")
    assert [type(lesson.walk(grain)) for grain in GRAINS] == [NumberWalk, LayerWalk, PassWalk]
    assert lesson.walk("number") is lesson.walk("number")
    with pytest.raises(LessonError, match="number, layer, pass"):
        lesson.walk("epoch")


def test_a_full_walk_has_all_five_phases() -> None:
    lesson = open_lesson(scenario("1-2-3-1-sigmoid"))
    for grain in GRAINS:
        assert tuple(phase for phase, _, _ in lesson.walk(grain).phases()) == phases_of(
            scaled=False
        )
    assert len(lesson.walk("pass")) == 5


def test_the_walk_by_number_of_one_sample_makes_one_number_a_step() -> None:
    walk = open_lesson(scenario("1-2-3-1-sigmoid")).walk("number")
    assert (
        len({walk.anchor(n) for n in range(1, len(walk) + 1)})
        == len(walk)
        == 12 + 1 + 18 + 17 + 17 + 12 + 2
    )


def test_what_is_given_is_known_from_the_start_and_the_rest_from_its_step_on() -> None:
    for grain in GRAINS:
        walk = open_lesson(scenario("1-2-3-1-sigmoid")).walk(grain)
        assert walk.step_of(parse("w[1][1,1]")) == walk.step_of(parse("eta")) == 0
        assert walk.known(parse("x[1]"), 0)
        q = parse("dL/dz[2][1]")
        n = walk.step_of(q)
        assert [walk.known(q, m) for m in (n - 1, n, n + 1)] == [False, True, True]


def test_the_share_by_which_the_loss_fell_is_shown_with_the_difference() -> None:
    for grain in GRAINS:
        walk = open_lesson(scenario("1-2-3-1-sigmoid")).walk(grain)
        assert (
            walk.step_of(parse("(loss-loss+)/loss"))
            == walk.step_of(parse("loss-loss+"))
            == len(walk)
        )


@pytest.mark.parametrize(
    "name", ["z[1][3]", "z[9][1]", "z[1][1]@2", "da/dz[1][1,2]", "dL/dw[1][1,1]@1"]
)
def test_what_the_network_does_not_have_is_never_known(name: str) -> None:
    walk = open_lesson(scenario("1-2-3-1-sigmoid")).walk("number")
    assert not walk.known(parse(name), len(walk))
    with pytest.raises(LessonError):
        walk.step_of(parse(name))


def test_a_flat_activation_ends_the_walk_at_its_derivative() -> None:
    lesson = open_lesson(scenario("perceptron-step"))
    numbers, layers = lesson.walk("number"), lesson.walk("layer")
    assert numbers.stop is not None
    assert numbers.stop.why == "flat"
    assert numbers.anchor(len(numbers)) == parse("da/dz[1][1]") == layers.anchor(len(layers))
    assert [phase for phase, _, _ in numbers.phases()] == ["forward", "loss", "backward"]
    assert not numbers.known(parse("w+[1][1,1]"), len(numbers))


def overflowing() -> Lesson:
    layers = (
        Layer(frozen([[1e200], [1.0]]), None, activation("identity")),
        Layer(frozen([[1.0, 1.0]]), None, activation("identity")),
    )
    network = Network(layers, loss("squared_error"), "mean")
    return lesson_of(Setup(network, frozen([[1.0]]), frozen([[0.0]]), 0.1))


def test_a_walk_that_overflows_ends_where_it_does() -> None:
    lesson = overflowing()
    for grain in ("number", "layer"):
        walk = lesson.walk(grain)
        assert walk.anchor(len(walk)) == Quantity("loss")
        with pytest.raises(LessonError):
            walk.step_of(parse("dL/da[2][1]"))
        assert not walk.known(parse("dL/da[2][1]"), len(walk))
    assert [phase for phase, _, _ in lesson.walk("pass").phases()] == ["forward", "loss"]


def test_a_place_behind_the_end_of_the_other_walk_is_its_last_step() -> None:
    lesson = overflowing()
    assert lesson.same_place(
        lesson.walk("number").step(len(lesson.walk("number"))), "layer"
    ) == len(lesson.walk("layer"))


def test_the_passes_sum_up_all_the_stages_once() -> None:
    for path in SCENARIOS:
        lesson = open_lesson(load(path))
        passes, layers = lesson.walk("pass"), lesson.walk("layer")
        assert isinstance(passes, PassWalk)
        assert isinstance(layers, LayerWalk)
        assert (
            tuple(stage for n in range(1, len(passes) + 1) for stage in passes.stages(n))
            == layers.stages
        )


def test_each_iteration_starts_where_the_one_before_it_ended() -> None:
    lessons = [open_lesson(scenario("linear-regression"), n) for n in (1, 2, 3)]
    for before, after in pairwise(lessons):
        assert after.trace.loss == before.trace.loss_new
        assert after.trace.value(parse("w[1][1,1]")) == before.trace.value(parse("w+[1][1,1]"))
    assert [lesson.original for lesson in lessons] == [True, False, False]


@pytest.mark.parametrize("iteration", [0, -1, MAX_ITERATION + 1])
def test_an_iteration_past_either_end_is_refused(iteration: int) -> None:
    with pytest.raises(LessonError, match="from 1 to"):
        open_lesson(scenario("linear-regression"), iteration)


def test_there_is_no_iteration_after_one_that_cannot_be_finished() -> None:
    with pytest.raises(LessonError, match="iteration 1 cannot be finished"):
        open_lesson(scenario("perceptron-step"), 2)


def test_another_loss_is_another_lesson_and_not_the_lectures_own() -> None:
    own, changed = scenario("linear-regression"), (("loss", "half_squared_error"),)
    full, half = open_lesson(own), open_lesson(apply(own, changed), 1, listed(own, changed))
    assert full.original
    assert not half.original
    assert half.trace.loss == pytest.approx(full.trace.loss / 2, rel=1e-15)


def test_a_large_network_opens_at_its_last_step_as_at_its_first() -> None:
    random = np.random.default_rng(0)
    sizes = (784, 128, 64, 10)
    names = ("relu", "relu", "softmax")
    layers = tuple(
        Layer(
            frozen(random.normal(0, 0.05, (units, inputs))),
            frozen(np.zeros(units)),
            activation(name),
        )
        for units, inputs, name in zip(sizes[1:], sizes, names, strict=False)
    )
    network = Network(layers, loss("cross_entropy"), "mean")
    trace: Trace = run(
        network,
        frozen(random.uniform(0, 1, (60, 784))),
        frozen(np.eye(10)[random.integers(0, 10, 60)]),
        0.1,
    )
    walk: Walk = NumberWalk(trace)
    assert len(walk) > 6_000_000
    for n in (1, len(walk) // 2, len(walk)):
        assert walk.step_of(walk.anchor(n)) == n
        assert np.isfinite(trace.value(walk.anchor(n)))

"""Scripts of a whole training run end with the weights of the tutor, with NumPy alone and with
PyTorch alone.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.knobs import KNOBS, counts, lesson, outcomes
from tests.oracle import needs_torch
from tutor import budget
from tutor.engine.run import Run, looked, outputs
from tutor.export.numpy_random import Random
from tutor.export.registry import ExportOrder, make
from tutor.export.run_curves import ranges
from tutor.export.run_script import numpy_run, torch_run
from tutor.export.scripted_run import run_of
from tutor.lesson.running import Running
from tutor.lesson.walk import Lesson, open_lesson
from tutor.pages.training_charts import weight_lines
from tutor.pages.training_pictures import GRID, LINE_OF, has_picture, margins, reach
from tutor.pages.training_query import Asked
from tutor.pages.training_runs import Trained
from tutor.pages.view import View
from tutor.scenario.reader import Scenario, load, parse

ROOT = Path(__file__).parents[1]
ALL = {
    path.stem: path
    for path in (ROOT / "scenarios").rglob("*.yaml")
    if isinstance(load(path), Scenario)  # formulas are not trained
}
SEED = st.integers(0, 2**32 - 1)
DIVERGES = """
format: 1
title: Too large
network:
  inputs: 1
  layers: [{units: 1, activation: identity, weights: [[1]], biases: none}]
  loss: {name: squared_error}
data: {inputs: [[1]], targets: [[0]]}
training: {learning_rate: 1.0e+60, iterations: 50}
"""


def weights(knobs: str) -> int:
    """How many numbers a run compares: all that learns, and the last loss."""
    return lesson(knobs).trace.network.parameters + 1


# ---- random numbers ----


@given(st.lists(SEED, min_size=2, max_size=3), st.integers(1, 300))
@settings(max_examples=50)
def test_plain_python_draws_what_numpy_draws(seeds: list[int], count: int) -> None:
    plain, real = Random(*seeds), np.random.default_rng(seeds)
    assert [plain.random() for _ in range(20)] == real.random(20).tolist()
    plain, real = Random(*seeds), np.random.default_rng(seeds)
    assert plain.permutation(count) == real.permutation(count).tolist()


# ---- runs ----


def test_a_numpy_run_ends_with_the_same_weights_with_every_knob(tmp_path: Path) -> None:
    scripts = {str(n): numpy_run(lesson(k, 1, 200)) for n, k in enumerate(KNOBS)}
    found = counts(outcomes(scripts, tmp_path))
    assert found == {str(n): weights(knobs) for n, knobs in enumerate(KNOBS)}


@needs_torch
def test_a_run_of_torch_optim_ends_with_the_same_weights_with_every_knob(tmp_path: Path) -> None:
    scripts = {str(n): torch_run(lesson(k, 1, 30)) for n, k in enumerate(KNOBS)}
    long = "optimizer: adamw, schedule: exponential"
    scripts["long"] = torch_run(lesson(long, 1, 200))
    for name in ("stochastic-descent", "lifestyle-dropout"):
        scripts[name] = torch_run(open_lesson(load(ALL[name])))
    found = counts(outcomes(scripts, tmp_path))
    assert found.pop("long") == weights(long)
    assert found.pop("stochastic-descent") == 13
    assert found.pop("lifestyle-dropout") == 12
    assert found == {str(n): weights(knobs) for n, knobs in enumerate(KNOBS)}


def test_the_runs_of_all_lessons_agree(tmp_path: Path) -> None:
    lessons = {name: open_lesson(load(path)) for name, path in ALL.items()}
    scripts = {name: numpy_run(of) for name, of in lessons.items() if run_of(of).iterations}
    assert len(lessons) - len(scripts) == 1  # the perceptron with its step function
    assert min(counts(outcomes(scripts, tmp_path)).values()) > 1


def test_a_run_that_stops_by_itself_stops_there_in_the_script(tmp_path: Path) -> None:
    of = lesson("optimizer: momentum, stop: {loss_below: 0.3}", 1, 300)
    run = run_of(of)
    assert 1 < run.iterations < 300
    assert run.loss < 0.3
    script = numpy_run(of)
    assert f"# The run stops by itself after iteration {run.iterations}.\n" in script
    assert min(counts(outcomes({"stops": script}, tmp_path)).values()) > 1
    further = run.iterations + 3
    later = lesson("optimizer: momentum, stop: {loss_below: 0.3}", further, 300)
    assert run_of(later).iterations == further


@pytest.mark.parametrize("knobs", KNOBS)
def test_every_iteration_is_a_function_of_the_trees_that_the_tutor_computes(knobs: str) -> None:
    script = numpy_run(lesson(knobs))
    (function,) = (
        node
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.FunctionDef) and node.name == "iteration"
    )
    assert [argument.arg for argument in function.args.args] == ["t", "x", "y", "state"]
    assert max(map(len, script.splitlines())) <= 130
    assert "import torch" not in script
    assert "numpy" not in re.sub(r'"""[^"]*"""', "", torch_run(lesson(knobs)))


CURVES = ("stochastic-descent", "lifestyle-penalty", "perceptron-inseparable", "exploding-clipped")


def ran(script: str) -> dict[str, Any]:
    """The names of a script when it has run."""
    names: dict[str, Any] = {}
    exec(compile(script, "run.py", "exec"), names)  # noqa: S102  (made here, of a lesson of ours)
    return names


@pytest.mark.parametrize("make_run", [numpy_run, pytest.param(torch_run, marks=needs_torch)])
@pytest.mark.parametrize("name", CURVES)
def test_a_run_draws_the_curves_of_the_tutor(
    name: str, make_run: Callable[[Lesson], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    scenario = load(ALL[name])
    names, run = ran(make_run(open_lesson(scenario))), Running(scenario).run
    run.record(scenario.training.iterations)
    assert_the_curves(names, run)


def assert_the_curves(names: dict[str, Any], run: Run) -> None:
    """The names of a script that has run hold the curves of the tutor, and no others."""
    curves = dict(names["curves"])
    same(curves.pop("loss"), run.losses)
    if run.classified is not None:
        same(curves.pop("accuracy"), run.accuracies)
    points = {n: run.look(n) for n in looked(run.length)}
    for layer in range(1, run.depth + 1):
        norms = curves.pop(f"gradient of layer {layer}")
        same([norms[n - 1] for n in points], [point.norms[layer - 1] for point in points.values()])
    assert not curves
    assert list(names["looked"]) == list(points)
    assert_the_weights(names, run)
    assert_the_picture(names, run)
    if not run.others:
        assert "looks" not in names
        return
    looks = {name: [look[name] for look in names["looks"]] for name in names["looks"][0]}
    for k, name in enumerate(run.others):
        same(looks.pop(f"loss on the {name} set"), [p.others[k].loss for p in points.values()])
        if run.classified is not None:
            shares = [p.others[k].accuracy for p in points.values()]
            assert looks.pop(f"accuracy on the {name} set") == shares
    assert not looks


def assert_the_weights(names: dict[str, Any], run: Run) -> None:
    """The weights over time are those of the page."""
    running = Running.__new__(Running)
    running.training, running.run, running.most = run.training, run, run.length
    one = Trained.of(running, "", None, 1, Asked("", View(), run.length, run.length))
    lines = weight_lines(one)
    assert lines
    assert list(names["moments"]) == [n for n, _ in one.networks()]
    assert list(names["weights"][0]) == [str(q) for q, _ in lines]
    for q, line in lines:
        same([found[str(q)] for found in names["weights"]], [y for _, y in line])


def assert_the_picture(names: dict[str, Any], run: Run) -> None:
    """What the network makes of its inputs in the end, at the places of the page's picture."""
    end, x, y = run.parameters(run.length + 1), run.training.x, run.training.y
    if not has_picture(end):
        assert "across" not in names
        return
    ends = reach(x, run.others)
    places = [np.linspace(*each, LINE_OF if len(ends) == 1 else GRID) for each in ends]
    for found, own in zip((names[k] for k in ("across", "up") if k in names), places, strict=True):
        same(found.tolist(), own.tolist())
    grid = np.stack([part.ravel() for part in np.meshgrid(*places)], axis=1)
    own = outputs(end, grid, y)
    same(names["answers"].tolist(), own.tolist())
    assert ("fields" in names) == (len(ends) == 2 and run.classified is not None)
    if "fields" in names:
        guessed = margins(run, own).argmax(axis=1).reshape(GRID, GRID)
        assert names["guessed"].tolist() == guessed.tolist()
        right = int((margins(run, outputs(end, x, y)).argmax(1) == margins(run, y).argmax(1)).sum())
        assert int((names["ahead"](names["answered"]).argmax(1) == names["right"]).sum()) == right


# ---- sets that nothing is learned from ----


SETS = (
    "split: true",
    "split: true, scale: standardize, dropout: 0.4, optimizer: adam",
    "split: true, scale: min_max, l2: {weight: 0.3}, batch: 5, shuffle: {seed: 4}",
    "split: true, l2: {weight: [0.3, 0, 0.1], form: norm}, dropout: 0.25, optimizer: momentum",
    "split: true, reduction: sum, skip: 1, dropout: 0.3, clip: {norm: 0.1}, batch: 4",
)
SOFTMAX = """
format: 1
title: Classes
network:
  inputs: 2
  layers:
    - {units: 3, activation: relu, init: {scheme: he, seed: 2}}
    - {units: 3, activation: softmax, init: {scheme: xavier, seed: 3}}
  loss: {name: cross_entropy}
data:
  generator: {name: blobs, samples: 30, classes: 3, labels: one_hot}
  split: {train: 0.6, validation: 0.4}
training: {learning_rate: 0.1, iterations: 30}
"""


def with_sets(name: str) -> Lesson:
    """One of `SETS`, a lesson of ours, or one with classes."""
    if name == "softmax":
        return open_lesson(parse(SOFTMAX.lstrip(), "softmax.yaml"))
    return open_lesson(load(ALL[name])) if name in ALL else lesson(name, 1, 30)


@pytest.mark.parametrize("make_run", [numpy_run, pytest.param(torch_run, marks=needs_torch)])
@pytest.mark.parametrize("name", ["overfitting", "underfitting", "softmax", *SETS])
def test_a_run_draws_the_losses_of_the_sets_that_nothing_is_learned_from(
    name: str,
    make_run: Callable[[Lesson], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    of = with_sets(name)
    names, run = ran(make_run(of)), Running(of.scenario).run
    run.record(of.scenario.training.iterations)
    assert_the_curves(names, run)
    last = run.look(run.length)
    learned = of.trace.network.parameters
    classes = 2 if run.classified else 1
    printed = capsys.readouterr().out
    assert f"all {learned + 1 + classes * len(run.others)} numbers agree" in printed
    for k, set_ in enumerate(run.others):
        own = f"{last.others[k].loss:.12g}"
        assert f"loss on the {set_} set: {own}, the tutor has {own}\n" in printed


@given(
    st.sampled_from([knobs for knobs in KNOBS if "one" not in knobs]),
    st.sampled_from(["", ", scale: standardize", ", scale: min_max"]),
    st.integers(1, 12),
)
@settings(max_examples=25, deadline=None)
def test_a_run_with_any_knobs_looks_at_its_sets_as_the_tutor_does(
    knobs: str, scale: str, iterations: int
) -> None:
    of = lesson(f"{knobs}{scale}, split: true", 1, iterations)
    run = Running(of.scenario).run
    run.record(iterations)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        assert_the_curves(ran(numpy_run(of)), run)


def test_a_wrong_target_of_a_test_sample_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    script = numpy_run(lesson("split: true, dropout: 0.4", 1, 20))
    ran(script)
    first = script.index("[1.0]", script.index("y_test = np.array(["))
    with pytest.raises(AssertionError, match="loss on the test set"):
        ran(f"{script[:first]}[0.0]{script[first + len('[1.0]') :]}")


@pytest.mark.parametrize(("iterations", "every"), [(1, 1), (400, 1), (401, 2), (802, 4), (1000, 4)])
def test_a_long_run_looks_where_the_page_has_points_and_at_its_last_iteration(
    iterations: int, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    of = lesson("split: true", 1, iterations)
    names, run = ran(numpy_run(of)), Running(of.scenario).run
    run.record(iterations)
    assert list(names["looked"]) == sorted({*range(1, iterations + 1, every), iterations})
    assert_the_curves(names, run)


def same(found: Sequence[float], own: Sequence[float]) -> None:
    """A curve is that of the tutor, to 9 digits."""
    np.testing.assert_allclose(found, own, rtol=1e-9, atol=1e-12)


class Plots:
    """What a script draws, in place of Matplotlib."""

    def __init__(self) -> None:
        self.lines: list[list[tuple[str, int]]] = []
        self.named: list[str] = []
        self.seen = False

    def subplots(self, count: int, **options: bool) -> tuple[None, list[list[Any]]]:
        assert options == {"sharex": True, "squeeze": False}
        self.lines = [[] for _ in range(count)]
        return None, [[Axes(self, lines)] for lines in self.lines]

    def show(self) -> None:
        self.seen = True


class Axes:
    """One of the plots."""

    def __init__(self, plots: Plots, lines: list[tuple[str, int]]) -> None:
        self.plots, self.lines = plots, lines
        self.drawn: list[Any] = []

    def plot(self, x: Sequence[int], y: Sequence[float], label: str, **_: float) -> None:
        assert len(x) == len(y)
        self.lines.append((label, len(y)))
        self.drawn.append(SimpleNamespace(get_ydata=lambda: y))

    def get_lines(self) -> list[Any]:
        return self.drawn

    def set_ylim(self, low: float, high: float) -> None:
        assert (low, high) == (-0.03, 1.03)

    def set_yscale(self, name: str) -> None:
        assert name == "log"
        values = [y for line in self.drawn for y in line.get_ydata()]
        assert max(values) >= 100 * min(values) > 0

    def set_ylabel(self, name: str) -> None:
        self.plots.named.append(name)

    def set_xlabel(self, name: str) -> None:
        assert name == "iteration"

    def legend(self) -> None:
        assert self.lines


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("xor", [["loss"], ["accuracy"], ["gradient of layer 1", "gradient of layer 2"]]),
        (
            "stochastic-descent",
            [
                ["loss", "mean of each epoch"],
                ["accuracy", "mean of each epoch"],
                ["gradient of layer 1", "gradient of layer 2"],
            ],
        ),
        ("one-weight", [["loss"], ["gradient of layer 1"]]),
        (
            "overfitting",
            [
                ["loss", "loss on the validation set", "loss on the test set"],
                ["gradient of layer 1", "gradient of layer 2"],
            ],
        ),
        (
            "split: true",
            [
                ["loss", "loss on the validation set", "loss on the test set"],
                ["accuracy", "accuracy on the validation set", "accuracy on the test set"],
                [f"gradient of layer {n}" for n in (1, 2, 3)],
            ],
        ),
    ],
)
def test_a_script_with_matplotlib_draws_every_curve(
    name: str, lines: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plots = Plots()
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace(pyplot=plots))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", plots)
    of = with_sets(name)
    ran(re.split(r"# ---- [^#]+ at the end ----", numpy_run(of))[0])
    *found, weights = plots.lines
    assert [[label for label, _ in line] for line in found] == lines
    assert all(re.fullmatch(r"[wb]\[\d\]\[\d+(,\d+)?\]", label) for label, _ in weights)
    assert len(weights) == min(6, run_of(of).first.network.parameters)
    assert plots.named[-1] == "value"
    assert plots.named[:-1] == ["loss", "accuracy", "gradient"][:: 1 if len(lines) == 3 else 2]
    assert plots.seen


def test_the_curves_of_batches_have_the_mean_of_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    of = lesson("batch: 2, optimizer: adam", 1, 20)
    names, run = ran(numpy_run(of)), Running(of.scenario).run
    run.record(20)
    ends, means = names["per_epoch"](names["curves"]["loss"])
    assert list(ends) == run.epochs(run.losses)[0]
    same(means, run.epochs(run.losses)[1])


@given(st.lists(st.integers(0, 60), unique=True, max_size=40))
def test_numbers_written_as_ranges_are_the_numbers(numbers: list[int]) -> None:
    assert ast.literal_eval(f"[{ranges([])[1:-1]}]") == []
    found = eval(ranges(sorted(numbers)), {"range": range})  # noqa: S307  (made here)
    assert found == sorted(numbers)


def test_a_wrong_rule_is_found(tmp_path: Path) -> None:
    script = numpy_run(lesson("optimizer: momentum", 1, 30))
    wrong = script.replace("m_W1 = mu * m_before_W1 + dL_dW1", "m_W1 = m_before_W1 + dL_dW1")
    assert wrong != script
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        outcomes({"wrong": wrong}, tmp_path)


def test_a_run_goes_to_the_iteration_that_is_open_or_as_far_as_the_file_says() -> None:
    assert run_of(lesson("clip: {norm: 0.1}", 1, 30)).iterations == 30
    assert run_of(lesson("clip: {norm: 0.1}", 42, 30)).iterations == 42
    assert "iterations = 42\n" in numpy_run(lesson("clip: {norm: 0.1}", 42, 30))
    made = make(lesson("optimizer: adam", 5), "torch-run", View(), ExportOrder())
    assert made.name == "knobs-i5-torchrun.py"
    assert "iterations = 100\n" in "".join(made.chunks)


def test_a_run_that_cannot_be_finished_ends_before_and_says_why(tmp_path: Path) -> None:
    of = open_lesson(parse(DIVERGES.lstrip(), "diverges.yaml"))
    run = run_of(of)
    assert 1 <= run.iterations < 50
    assert run.reason.startswith(f"Iteration {run.iterations + 1} cannot be finished. The walk")
    script = numpy_run(of)
    assert f"# Iteration {run.iterations + 1} cannot be finished." in script
    assert counts(outcomes({"diverges": script}, tmp_path)) == {"diverges": 2}


def test_where_nothing_can_be_trained_the_script_says_why() -> None:
    of = open_lesson(load(ALL["perceptron-step"]))
    for write in (numpy_run, torch_run):
        script = write(of)
        assert "# Iteration 1 cannot be finished. The backward pass ends here." in script
        assert "def iteration" not in script
        compile(script, "script.py", "exec")


def test_a_run_that_takes_too_long_is_refused_as_any_other_file() -> None:
    allowed = budget.Budget(0.0, "This file")
    with allowed.running(), pytest.raises(budget.OverBudgetError, match="This file takes more"):
        numpy_run(lesson("optimizer: adam", 1, 100))

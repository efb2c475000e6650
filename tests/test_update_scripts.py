"""Scripts of lessons with optimizers, schedules, penalties, clipping and dropout: NumPy and PyTorch
find every number of an iteration, the first and a later one.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.knobs import KNOBS, counts, lesson, outcomes
from tests.oracle import needs_torch
from tutor.export.notebook import notebook
from tutor.export.numpy_script import numpy_script
from tutor.export.torch_script import torch_script
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario.reader import parse


def scripts(write: Callable[[Lesson], str], iterations: Sequence[int]) -> dict[str, str]:
    return {
        f"{n} {t}": write(lesson(knobs, t)) for n, knobs in enumerate(KNOBS) for t in iterations
    }


def test_the_numpy_script_finds_every_number_with_every_knob(tmp_path: Path) -> None:
    found = counts(outcomes(scripts(numpy_script, (1, 5)), tmp_path))
    assert len(found) == 2 * len(KNOBS)
    for n, knobs in enumerate(KNOBS):
        of = lesson(knobs, 5)
        if of.trace.samples == 1:
            assert found[f"{n} 5"] == len(of.walk("number"))
        else:
            assert found[f"{n} 5"] >= len(of.walk("layer"))


@needs_torch
def test_the_optimizers_of_pytorch_find_the_same_numbers(tmp_path: Path) -> None:
    found = counts(outcomes(scripts(torch_script, (1, 5)), tmp_path))
    assert len(found) == 2 * len(KNOBS)
    assert min(found.values()) > 30


@pytest.mark.parametrize("knobs", KNOBS)
def test_every_knob_is_given_under_its_name_and_every_update_is_shown(knobs: str) -> None:
    of = lesson(knobs, 5)
    script = numpy_script(of)
    names = {
        target.id
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert of.trace.network.rule.numbers.keys() <= names
    shown = set(re.findall(r'^show\("(\w+)"', script, re.MULTILINE))
    checked = set(re.findall(r'check\("(\w+)"', script))
    assert shown == checked
    assert len(shown) == len(of.walk("layer"))
    assert max(map(len, script.splitlines())) <= 130


@pytest.mark.parametrize("knobs", KNOBS)
def test_a_notebook_has_cells_of_different_names_with_every_knob(knobs: str) -> None:
    cells = {
        cell["id"]: "".join(cell["source"]) for cell in json.loads(notebook(lesson(knobs)))["cells"]
    }
    assert len(cells) == len(json.loads(notebook(lesson(knobs)))["cells"])
    assert all(text.count("$$") in {0, 2} for text in cells.values())


def test_a_notebook_tells_the_update_and_the_loss_in_formulas() -> None:
    book = json.loads(
        notebook(lesson("optimizer: adamw, schedule: exponential, l2: {weight: 0.1}"))
    )
    told = {cell["id"]: "".join(cell["source"]) for cell in book["cells"]}
    assert (
        r"\qquad L_{data} = \frac{1}{M} \sum_m L^{(m)} \qquad L = L_{data} + R$$"
        in told["about-loss"]
    )
    update = told["about-update"]
    assert r"\eta_t &= \eta \cdot {\gamma}^{t - 1} \\" in update
    assert r"m &= \beta_1 \cdot m^{\text{old}} + (1 - \beta_1) \cdot g \\" in update
    assert r"\hat{v} &= \frac{v}{1 - {\beta_2}^{t}} \\" in update
    assert r"w^{\text{new}} &= w - " in update
    plain = json.loads(notebook(lesson("optimizer: sgd")))
    assert any("W^{\\mathrm{new}} = W" in "".join(cell["source"]) for cell in plain["cells"])


def test_where_all_weights_are_0_the_norm_has_no_derivative_and_nothing_is_divided(
    tmp_path: Path,
) -> None:
    text = """
format: 1
title: Nothing yet
network:
  inputs: 1
  layers: [{units: 1, activation: identity, weights: [[0]], biases: [0]}]
  loss: {name: squared_error}
data: {inputs: [[0]], targets: [[0]]}
training: {learning_rate: 0.1, l2: {weight: 0.3, form: norm}, clip: {norm: 1}, optimizer: adam}
"""
    of = open_lesson(parse(text.lstrip(), "zero.yaml"))
    found = outcomes({"numpy": numpy_script(of)}, tmp_path)
    assert counts(found) == {"numpy": len(of.walk("number"))}


def test_where_nothing_learns_there_is_no_gradient_to_clip(tmp_path: Path) -> None:
    text = """
format: 1
title: Frozen
network:
  inputs: 1
  layers: [{units: 1, activation: tanh, weights: [[1]], biases: [0]}]
  loss: {name: squared_error}
  trainable: {weights: false, biases: false}
data: {inputs: [[1]], targets: [[0]]}
training: {learning_rate: 0.1, clip: {norm: 1}, schedule: exponential, l2: {weight: 0.1}}
"""
    of = open_lesson(parse(text.lstrip(), "frozen.yaml"))
    found = outcomes({"numpy": numpy_script(of)}, tmp_path)
    assert counts(found) == {"numpy": len(of.walk("number"))}

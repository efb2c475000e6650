"""A network with any optimizer, schedule, penalty, clipping and dropout, and scripts of it run in
one process.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tutor.engine.optimizers import OPTIMIZERS, SCHEDULES
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario.reader import parse

TEXT = """
format: 1
title: Knobs
network:
  inputs: 2
  layers:
    - units: 3
      activation: tanh
      weights: [[0.5, -0.25], [0.3, 0.8], [-0.6, 0.1]]
      biases: [0.1, 0, -0.2]
      dropout: {dropout}
    - {{units: 2, activation: relu, weights: {weights}, biases: none, skip: {skip}}}
    - {{units: 1, activation: sigmoid, weights: [[0.7, -0.4]], biases: [0.05]}}
  loss: {{name: binary_cross_entropy, reduction: {reduction}}}
data: {{{data}}}
training: {{learning_rate: 0.1, iterations: {iterations}{more}}}
"""
SEVERAL = "inputs: [[1, 2], [0.5, -1], [-1, 0.3]], targets: [[1], [0], [1]]"
ONE = "inputs: [[1, 2]], targets: [[1]]"
SPLIT = (
    "generator: {name: moons, samples: 30, seed: 5}, "
    "split: {train: 0.5, validation: 0.3, test: 0.2, seed: 3}"
)
RUN = """
import contextlib, io, json, sys
for name, script in json.load(sys.stdin).items():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(script, name, "exec"), {"__name__": "__main__"})
    (last,) = (line for line in said.getvalue().splitlines() if line.startswith("all "))
    print(f"{name}: {last}")
"""
KNOBS = (
    *(f"optimizer: {name}" for name in OPTIMIZERS),
    "optimizer: {name: adam, beta1: 0.5, beta2: 0.75, epsilon: 0.01}",
    "optimizer: {name: adamw, weight_decay: 0.5}",
    "schedule: {name: step, every: 3}",
    *(f"schedule: {name}" for name in SCHEDULES if name != "step"),
    "l2: {weight: 0.3}",
    "l2: {weight: 0.3, form: norm}",
    "l2: {weight: [0.3, 0, 0.1]}",
    "l2: {weight: [0.3, 0.2, 0.1], form: norm}",
    "clip: {norm: 0.1}",
    "clip: {norm: 1000}",
    "clip: {value: 0.05}",
    "dropout: 0.5",
    "optimizer: momentum, schedule: exponential",
    "optimizer: nesterov, l2: {weight: 0.1}, clip: {value: 0.1}",
    "optimizer: adagrad, l2: {weight: 0.2, form: norm}, dropout: 0.25",
    "optimizer: rmsprop, clip: {norm: 0.05}, schedule: cosine",
    "optimizer: adam, l2: {weight: 0.1, form: norm}, clip: {norm: 0.1}, schedule: step, dropout: 0.5",
    "optimizer: adamw, clip: {value: 0.1}, schedule: {name: inverse_time, decay: 0.5}, one: true",
    "l2: {weight: 0.1}, one: true",
    "optimizer: adam, l2: {weight: [0, 0.2, 0.1], form: norm}, clip: {norm: 0.1}, batch: 2",
    "batch: 2, optimizer: adam",
    "batch: 2, shuffle: {seed: 4}, optimizer: momentum, dropout: 0.25",
    "batch: online, shuffle: {seed: 0}, clip: {norm: 0.2}",
    "shuffle: {seed: 3}, l2: {weight: 0.1}",
    "optimizer: adam, l2: {weight: 0.1}, dropout: 0.3, reduction: sum, skip: 1",
)


@cache
def lesson(knobs: str, iteration: int = 1, iterations: int = 100) -> Lesson:
    """A network with knobs; `dropout`, `skip` and `reduction` are those of the network, `one`,
    `split` and `scale` those of its data.
    """
    own = dict(re.findall(r"(dropout|skip|reduction|one|split|scale): ([\w.]+)", knobs))
    more = re.sub(r"(?:^|, )(?:dropout|skip|reduction|one|split|scale): [\w.]+", "", knobs)
    data = ONE if "one" in own else SPLIT if "split" in own else SEVERAL
    data += f", scale: {own['scale']}" if "scale" in own else ""
    skip = own.get("skip", "0")
    text = TEXT.format(
        dropout=own.get("dropout", "0"),
        skip=0,
        reduction=own.get("reduction", "mean"),
        weights="[[0.4, 0.1, -0.3], [0.2, -0.5, 0.6]]",
        data=data,
        iterations=iterations,
        more=f", {more.removeprefix(', ')}" if more else "",
    )
    if skip != "0":
        text = text.replace("units: 2, activation: relu", "units: 3, activation: relu").replace(
            "skip: 0", f"skip: {skip}"
        )
        text = text.replace("0.6]], biases: none", "0.6], [1, 1, 0]], biases: none")
        text = text.replace("[[0.7, -0.4]]", "[[0.7, -0.4, 0.2]]")
    return open_lesson(parse(text.strip() + "\n", "knobs.yaml"), iteration)


def outcomes(scripts: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """What each script says of its checks, all in one process where every warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-I", "-c", RUN],
        input=json.dumps(scripts),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def counts(found: dict[str, str]) -> dict[str, int]:
    """How many numbers each script has compared."""
    return {
        name: int(re.fullmatch(r"all (\d+) numbers agree", said)[1])  # type: ignore[index]
        for name, said in found.items()
    }

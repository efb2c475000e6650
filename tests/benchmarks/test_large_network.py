"""The first, the middle and the last step of a 784-128-64-10 network with 60 samples, number by
number and layer by layer.

A step's text is rendered anew each time, in a process of its own, whose largest memory is what the
table says. The network is larger than a scenario file may be, so the lesson is made in Python. Aim:
all steps within 2 times of each other, and less than 300 MB.
"""

import dataclasses
import json
import resource
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks import table

UNITS = (("relu", 128), ("relu", 64), ("softmax", 10))
INPUTS, SAMPLES = 784, 60
ROUNDS = 15


def lesson() -> Any:
    """The lesson: made weights, random pixels, one class after the other."""
    from tutor.lesson.walk import open_lesson
    from tutor.scenario.model import Data
    from tutor.scenario.reader import parse

    layers = "".join(
        f"    - {{units: {n}, activation: {f}, init: {{scheme: he, seed: {n}}}}}\n"
        for f, n in UNITS
    )
    text = (
        f"format: 1\ntitle: Digits\nnetwork:\n  inputs: {INPUTS}\n  layers:\n{layers}  loss: {{name: cross_entropy}}\n"
        f"data:\n  inputs: [[{', '.join('1' * INPUTS)}]]\n  targets: [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]\ntraining: {{learning_rate: 0.1}}\n"
    )
    pixels = np.random.default_rng(0).random((SAMPLES, INPUTS))
    classes = np.eye(10)[np.arange(SAMPLES) % 10]
    rows = (tuple(map(tuple, values.tolist())) for values in (pixels, classes))
    scenario = dataclasses.replace(
        parse(text, "digits.yaml"), data=Data(**dict(zip(("inputs", "targets"), rows, strict=True)))
    )
    return open_lesson(scenario)


def measure() -> dict[str, Any]:
    """Seconds of each step, in turns, and the memory afterwards."""
    import app
    from tutor.pages.step_page import Context
    from tutor.pages.view import View
    from tutor.web import site

    begin = time.perf_counter()
    opened = lesson()
    found: dict[str, Any] = {"open": time.perf_counter() - begin, "steps": {}}
    contexts = {grain: Context(opened, View(grain=grain)) for grain in ("number", "layer")}
    places = {
        (g, n): taken(opened.walk(g))[n] for g, n in product(contexts, ("first", "middle", "last"))
    }
    seconds: dict[str, list[float]] = {f"{g} {n}": [] for g, n in places}
    with (made := app.create_app()).test_request_context("/"):
        render_step = site.step_renderer(made.jinja_env)
        for _ in range(ROUNDS):
            for (grain, name), n in places.items():
                begin = time.perf_counter()
                text = render_step(contexts[grain], n, ()).fragment
                seconds[f"{grain} {name}"].append(time.perf_counter() - begin)
                found["steps"][f"{grain} {name}"] = {
                    "n": n,
                    "of": len(opened.walk(grain)),
                    "bytes": len(text.encode()),
                }
    for name, taken_seconds in seconds.items():
        found["steps"][name]["seconds"] = median(taken_seconds[1:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**found, "megabytes": peak / (1024 * 1024 if sys.platform == "darwin" else 1024)}


def taken(walk: Any) -> dict[str, int]:
    return {"first": 1, "middle": len(walk) // 2, "last": len(walk)}


def test_a_large_network(root: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.test_large_network"]
    found = json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)
    steps = found["steps"]
    fastest = {
        g: min(v["seconds"] for k, v in steps.items() if k.startswith(g))
        for g in ("number", "layer")
    }
    rows = [
        (f"{name} step", f"{v['n']:,} of {v['of']:,}", table.milli(v["seconds"]),
         f"{v['seconds'] / fastest[name.split()[0]]:.2f}", size(v["bytes"]))
        for name, v in steps.items()
    ]  # fmt: skip
    table.show(
        f"784-128-64-10 with {SAMPLES} samples", ("step", "which", "median", "× the fastest of its grain", "size"), rows,
        f"Opening the lesson, once: {table.milli(found['open'])}. Largest memory of the process: {found['megabytes']:.0f} MB (aim: 300).",
    )  # fmt: skip


def size(count: int) -> str:
    return f"{count / 1024:.1f} KB"


if __name__ == "__main__":
    print(json.dumps(measure()))

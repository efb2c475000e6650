"""A step with one weight, input and the learning rate changed, against the same step of the preset.
Bar: 1.5 times.

Warm (seen before), new (the lesson is open, this step was never rendered) and cold (everything
forgotten: the changed lesson is computed, and the original beside it, for the old numbers). Both
are measured in turns, through the whole of Flask.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import median

from flask import Flask

from tests.benchmarks import table
from tests.benchmarks.test_fragment import request
from tests.test_changes import LARGE

BAR = 1.5
RARE = 7
EVERY = 5
"""Every fifth step is measured."""
STATES = ("warm", "new", "cold")
SMALL = "w[1][1,1]=0.35&learning_rate=0.25"
Step = Callable[[], bytes]


def state(app: Flask, how: str, step: Step, other: Step) -> float:
    """Seconds for one answer, after what the state asks for."""
    if how != "warm":
        app.extensions["tutor"].library.clear()
    if how == "new":
        other()
    return table.timed(step, 5 if how == "warm" else 1)


def compared(app: Flask, path: str, n: int, total: int, how: str) -> tuple[float, float]:
    """(preset, changed) in seconds, the fastest of rounds in turns, so that what else the machine
    does counts little.
    """
    found: tuple[list[float], list[float]] = [], []
    pairs = [
        tuple(request(app, f"{path}/{k}?{changes}") for k in (n, n % total + 1))
        for changes in ("", SMALL)
    ]
    for pair in pairs:
        pair[0]()
    for _ in range(RARE):
        for seconds, (step, other) in zip(found, pairs, strict=True):
            seconds.append(state(app, how, step, other))
    return min(found[0]), min(found[1])


def test_a_changed_step_against_the_same_step_of_the_preset(tmp_path: Path) -> None:
    from app import create_app

    app = create_app()
    library = app.extensions["tutor"].library
    totals = {
        scenario.id: len(library.lesson(scenario).walk("number"))
        for scenario in library.shelf.lessons
    }
    steps = [
        (f"/lessons/{lesson}/steps", n, total)
        for lesson, total in totals.items()
        for n in range(1, total + 1, EVERY)
    ]
    rows = [row(f"presets, {how}", [compared(app, *step, how) for step in steps]) for how in STATES]
    (tmp_path / "large.yaml").write_text(LARGE, encoding="utf-8")
    large = create_app(tmp_path)
    rows += [
        row(
            f"784-128-64-10, {how}",
            [compared(large, "/lessons/large/steps", 100_000, 100_001, how)],
        )
        for how in STATES
    ]
    table.show(
        "What if: a step with two numbers changed against the same step of the preset",
        ("", "preset", "changed", "× preset, median", "× preset, worst", "bar"), rows,
    )  # fmt: skip


def row(name: str, cases: list[tuple[float, float]]) -> tuple[str, ...]:
    """One line of the table."""
    ratios = [changed / preset for preset, changed in cases]
    preset, changed = (median(case[k] for case in cases) for k in (0, 1))
    return (
        name,
        table.milli(preset),
        table.milli(changed),
        f"{median(ratios):.2f}",
        f"{max(ratios):.2f}",
        f"{BAR}",
    )

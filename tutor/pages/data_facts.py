"""What a lesson's first page says of its data: where they come from, how they are split, taken in
batches and scaled.

    data_facts(scenario)       (name, value) pairs, none for a lesson that uses its rows as they are
    unscaled(context, q)       an input as the file has it
    before_scaling(maker)      the inputs as the file has them, in the shape of those beside it
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.lesson.dataset import Dataset, dataset
from tutor.number import counted
from tutor.pages.cells import GAP, Cell, Row, Table, TableMaker
from tutor.pages.context import Context
from tutor.pages.tables import sides
from tutor.scenario.reader import Scenario

MOST_INPUTS = 6
"""Inputs whose scaling is written out."""
DIGITS = 4


def data_facts(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Where the data come from, and what becomes of them before the network sees them."""
    data, training = scenario.data, scenario.training
    if data.generator is not None:
        made = data.generator
        yield (
            "Data",
            f"{counted(made.samples, 'sample')} made by the generator {made.name} with seed "
            f"{made.seed}" + (f", noise {made.usual_noise:g}" if made.usual_noise else ""),
        )
    if data.split is not None:
        parts = zip(
            ("training", "validation", "test"), data.split.counts(data.samples), strict=True
        )
        counts = ", ".join(f"{count:,} for {name}" for name, count in parts if count)
        yield "Split", f"{counts}; drawn by a shuffle with seed {data.split.seed}"
    if scenario.in_batches:
        order = (
            f"shuffled in each epoch (seed {training.shuffle.seed})"
            if training.shuffle
            else "in the order of the data set"
        )
        whole = scenario.batch == data.training_samples
        each = (
            f"all {scenario.batch:,} training samples"
            if whole
            else (counted(scenario.batch, "sample"))
        )
        yield "Batch", f"{each}, {order}"
    if data.scale is not None:
        yield "Scaling", "; ".join(_scaled(dataset(scenario)))


def _scaled(data: Dataset) -> Iterator[str]:
    """The formula of each input with its numbers."""
    scaling = data.scaling
    if scaling is None:
        return
    many = len(scaling.divided) > 1
    rows = zip(scaling.subtracted.tolist(), scaling.divided.tolist(), strict=True)
    for n, (low, by) in enumerate(rows, 1):
        if n > MOST_INPUTS:
            yield f"and {len(scaling.divided) - MOST_INPUTS} more in the same way"
            break
        sign, size = ("−", low) if low >= 0 else ("+", -low)
        rule = f"(x {sign} {number.shown(size, DIGITS)}) / {number.shown(by, DIGITS)}"
        yield f"input {n}: {rule}" if many else rule
    of = "training samples" if len(data.training) < data.samples else "samples"
    what = "mean and standard deviation" if scaling.name == "standardize" else "minimum and range"
    yield f"{what} of the {len(data.training):,} {of}"


def unscaled(context: Context, q: Quantity) -> str:
    """An input as the file has it, where it was scaled; else ""."""
    lesson = context.lesson
    if q.kind != "x" or q.j != 0 or lesson.scenario.data.scale is None:
        return ""
    sample = max(q.sample, 1)
    row = (lesson.batch.number(sample) if lesson.batch else sample) - 1
    return number.shown(float(dataset(lesson.scenario).raw[row, q.i - 1]), context.decimals)


def before_scaling(maker: TableMaker) -> Table:
    """The inputs of this iteration's samples before they were scaled."""
    lesson = maker.context.lesson
    raw = dataset(lesson.scenario).raw
    rows = np.array(lesson.batch.samples) - 1 if lesson.batch else np.arange(len(raw))
    here = raw[rows]
    down, across = sides(maker, "x", 0)

    def cell(row: int, column: int) -> Cell:
        if GAP in (row, column):
            return Cell("⋯" if row != GAP else "⋮", "gap")
        at = {down.index: row, across.index: column}
        value = float(here[max(at.get("sample", 1), 1) - 1, at.get("i", 1) - 1])
        return Cell(number.shown(value, maker.context.decimals))

    drawn = tuple(
        Row("", tuple(cell(row, column) for column in across.drawn)) for row in down.drawn
    )
    return Table("Inputs before scaling", (), drawn, "", f"{down.count}×{across.count}")

"""All numbers of an iteration as data: JSON by contract name, or CSV with a row for each quantity.

    as_json(lesson) -> pieces of text     what `python -m tutor trace` prints
    as_csv(lesson)  -> pieces of text     quantity,kind,layer,i,j,sample,value[,data_sample]

Both come in pieces, block by block, so that a large network needs little memory. Numbers are the
shortest text that reads back as the same float64. CSV has no place for the reason where a walk ends
early; its rows then end there too. Where an iteration uses a batch, `data_sample` says which sample
of the data set a row is about; `sample` counts within the batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import chain
from math import isfinite
from typing import TextIO

import numpy as np

from tutor import budget
from tutor.engine.kinds import KINDS, UPDATE, VERIFY
from tutor.engine.network import Array
from tutor.engine.order import Block, NumberOrder, Section
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson.dataset import dataset
from tutor.lesson.walk import Lesson

COLUMNS = ("quantity", "kind", "layer", "i", "j", "sample", "value")
DATA_SAMPLE = "data_sample"
"""One column more, the last, where an iteration uses a batch: the number in the data set of the
sample that a row is about. Files without batches stay as they are, and no line is a comment, which
readers of CSV would stumble over.
"""
RUNS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run as a formula by spreadsheets."""
ROWS = 500
"""As many rows in a piece, but for the last of a group; so short that nobody waits for a piece."""


def as_json(lesson: Lesson) -> Iterator[str]:
    """The JSON object of an iteration, in pieces."""
    return chunks(lesson, [])


def as_csv(lesson: Lesson) -> Iterator[str]:
    """The header and a row for each quantity, in pieces of many lines each."""
    batch = lesson.batch
    header = ",".join((*COLUMNS, DATA_SAMPLE) if batch else COLUMNS) + "\n"
    for names, values in pieces(lesson.trace):
        base, at, sample = names[0].partition("@")
        last = ""
        if batch:
            kind = KINDS[base.partition("[")[0]]
            whole = not sample and not kind.per_sample
            number = partial(_of_training, lesson) if kind.role == "source" else batch.number
            last = "," if whole else f",{number(int(sample or 1))}"
        end = len(at + sample)
        rows = zip(names, values.tolist(), strict=True)
        yield header + "".join(
            f"{_head(name[: len(name) - end], at + sample)},{sample},{value!r}{last}\n"
            for name, value in rows
            if isfinite(value)
        )
        header = ""


def _of_training(lesson: Lesson, sample: int) -> int:
    """The number in the data set of a training sample."""
    return int(dataset(lesson.scenario).training[sample - 1]) + 1


def _head(base: str, sample: str) -> str:
    """The cells of a quantity before its sample, which its name ends with.

    Read from the name's own brackets: `quantity.parse` checks what needs no check here, and takes
    most of the time of a large file.
    """
    kind, *brackets = base.replace("]", "").split("[")
    of = KINDS[kind]
    layer = brackets.pop(0) if of.layered or (of.by_layer and brackets) else ""
    i, _, j = brackets[0].partition(",") if brackets else ("", "", "")
    name = f'"{base}{sample}"' if j else base + sample
    return f"{name},{_KIND_CELLS[kind]},{layer},{i},{j}"


def text_cell(text: str) -> str:
    """A text as a cell that a spreadsheet shows and does not run, in quotes where it needs them."""
    safe = "'" + text if text.startswith(RUNS) else text
    return '"' + safe.replace('"', '""') + '"' if any(c in safe for c in ',"\r\n') else safe


_KIND_CELLS = {name: text_cell(name) for name in KINDS}


# ---- One iteration as one JSON object: every quantity under its contract name ----
# {"scenario": "1-2-3-1-sigmoid", "iteration": 1, "quantities": {"x[1]": 2.0, …, "z[1][1]": 0.3, …}}
#
# Given numbers come first, then the computed ones in the order of the walk. Numbers are the
# shortest text that reads back as the same float64. JSON has no infinity: where the walk stops
# early, what lies behind is left out and `stopped` says where and why; single numbers beyond
# float64 are left out and named in `beyond`. Where a reader changed the lesson, `changed` has the
# old and the new value of each change. Where an iteration uses a batch, `batch` has the numbers in
# the data set of its samples, in their order, and the epoch.
#
# Written block by block, a layer of a sample at a time, so that a large network needs neither long
# nor much memory.


NamedNumbers = tuple[list[str], Array]
"""Names, and the numbers that go with them, one each."""


def write(lesson: Lesson, out: TextIO) -> list[str]:
    """Write the JSON text of a lesson's iteration; returns the names of single numbers that had to
    be left out.
    """
    out_of_range: list[str] = []
    out.writelines(chunks(lesson, out_of_range))
    return out_of_range


def chunks(lesson: Lesson, out_of_range: list[str]) -> Iterator[str]:
    """The same text in pieces; `out_of_range` is given the names of numbers that are left out."""
    before = (
        f'{{"scenario": {json.dumps(lesson.scenario.id)}, "iteration": {lesson.iteration}, '
        f'"quantities": {{'
    )
    for names, values in pieces(lesson.trace):
        finite = np.isfinite(values)
        out_of_range.extend(
            []
            if finite.all()
            else [name for name, sound in zip(names, finite, strict=True) if not sound]
        )
        found = {
            name: value
            for name, value in zip(names, values.tolist(), strict=True)
            if isfinite(value)
        }
        if found:
            yield before + json.dumps(found, allow_nan=False)[1:-1]
            before = ", "
    yield before.removesuffix(", ") + "}" + _ending(lesson, out_of_range) + "}\n"


def _ending(lesson: Lesson, out_of_range: list[str]) -> str:
    found: dict[str, object] = {"beyond": out_of_range} if out_of_range else {}
    if lesson.batch:
        found["batch"] = {"samples": lesson.batch.samples, "epoch": lesson.batch.epoch}
    if lesson.changes:
        found["changed"] = {
            change.name: {"old": change.old, "new": change.new} for change in lesson.changes
        }
    if stop := lesson.trace.stop:
        found["stopped"] = {"quantity": str(stop.quantity), "why": stop.why}
    return f", {json.dumps(found)[1:-1]}" if found else ""


def pieces(trace: Trace) -> Iterator[NamedNumbers]:
    """The same as `groups`, in short pieces. Raises OverBudgetError where there is no end of it."""
    done, of = 0, sum(array.size for array in trace.values())
    for names, values in groups(trace):
        for start in range(0, len(names), ROWS):
            budget.foresee(min(done, of), of)
            yield names[start : start + ROWS], values[start : start + ROWS]
            done += ROWS


def groups(trace: Trace) -> Iterator[NamedNumbers]:
    """Every quantity of a trace, in groups: what is given, then the walk to its end or stop."""
    yield from _given(trace)
    order = NumberOrder.of(
        trace.network, trace.samples, trace.blocked, inputs=True, statistics=trace.statistics
    )
    left = order.rank(trace.stop.quantity) if trace.stop else len(order)
    updated = False
    for section in order.sections:
        if section.phase == VERIFY and left and not updated:
            yield from _frozen(trace)
            updated = True
        yield from _section(trace, section, left)
        left -= min(left, section.size)


def _given(trace: Trace) -> Iterator[NamedNumbers]:
    first = "raw" if trace.statistics else "x"
    for row in range(trace.samples):
        for kind, array in ((first, trace[first, 0]), ("y", trace.y)):
            yield _marked(_units(kind, 0, array.shape[1]), trace, row), array[row]
    for row, values in enumerate(trace.get(("train", 0), ()), 1):
        yield [f"{name}@{row}" for name in _units("train", 0, len(values))], values
    for kind, layer in trace:
        of = KINDS[kind.removesuffix("@")]
        if layer and of.given and of.contract and of.parameter:
            yield _parameter(trace, kind, layer)
        elif layer and of.given and of.per_sample:
            units = _units(kind, layer, trace.network.sizes[layer])
            for row in range(trace.samples):
                yield _marked(units, trace, row), trace[kind, layer][row]


def _frozen(trace: Trace) -> Iterator[NamedNumbers]:
    """Parameters that the update leaves as they are."""
    for kind, layer in trace:
        if layer and KINDS[kind].phase == UPDATE and (kind, layer) not in trace.program.by_name:
            yield _parameter(trace, kind, layer)


def _parameter(trace: Trace, kind: str, layer: int) -> NamedNumbers:
    """All of a kind of parameters in a layer."""
    array = trace[kind, layer]
    units, *inputs = array.shape
    names = _weights(kind, layer, units, *inputs) if inputs else _units(kind, layer, units)
    return names, array.ravel()


def _section(trace: Trace, section: Section, left: int) -> Iterator[NamedNumbers]:
    """The first `left` quantities of a section of the walk, block by block."""
    names = [_names(block) for block in section.blocks]
    for row in range(max(section.samples, 1)):
        for block, known in zip(section.blocks, names, strict=True):
            if left <= 0:
                return
            if block.inputs or KINDS[block.kinds[0]].contract:
                marked = _marked(known, trace, row) if section.samples else known
                yield marked[:left], _values(trace, block, row if section.samples else None)[:left]
            left -= block.size


def _marked(names: list[str], trace: Trace, row: int) -> list[str]:
    """The names with the sample behind them, where there are several."""
    return [f"{name}@{row + 1}" for name in names] if trace.samples > 1 else names


def _weights(kind: str, layer: int, units: int, inputs: int) -> list[str]:
    columns = range(1, inputs + 1)
    return [f"{kind}[{layer}][{i},{j}]" for i in range(1, units + 1) for j in columns]


def _units(kind: str, layer: int, units: int) -> list[str]:
    stem = f"{kind}[{layer}]" if KINDS[kind].layered else kind
    return [f"{stem}[{i}]" for i in range(1, units + 1)]


def _names(block: Block) -> list[str]:
    """The names of a block in its order, written directly: `tests/test_cli.py` compares them with
    the walk's own.
    """
    n, rows = block.layer, range(1, block.units + 1)
    if block.pairs:
        return _weights(block.kinds[0], n, block.units, block.units)
    if block.inputs:
        bias, weight = block.kinds
        columns = range(1, block.inputs + 1) if weight else ()
        heads = ([f"{bias}[{n}][{i}]"] if bias else [] for i in rows)
        return [
            name
            for i, head in zip(rows, heads, strict=True)
            for name in (*head, *(f"{weight}[{n}][{i},{j}]" for j in columns))
        ]
    if not KINDS[block.kinds[0]].axes:
        return [str(Quantity(kind, n)) for kind in block.kinds]
    if block.by_unit:
        of_kinds = (_units(kind, n, block.units) for kind in block.kinds)
        return list(chain.from_iterable(zip(*of_kinds, strict=True)))
    return [name for kind in block.kinds for name in _units(kind, n, block.units)]


def _values(trace: Trace, block: Block, row: int | None) -> Array:
    """The numbers of a block for one sample (its row), or for the batch."""
    at = row or 0
    if block.pairs:
        return trace.jacobian(block.layer, at).ravel()
    if block.inputs:
        return _parameters(trace, block, row).ravel()
    if not KINDS[block.kinds[0]].axes:
        sample = 0 if row is None else row + 1
        return np.array(
            [trace.value(Quantity(kind, block.layer, sample=sample)) for kind in block.kinds]
        )
    whole = [(KINDS[kind], trace.array(kind, block.layer)) for kind in block.kinds]
    arrays = [array[at] if of.per_sample else array for of, array in whole]
    return np.stack(arrays, axis=1 if block.by_unit else 0).ravel()


def _parameters(trace: Trace, block: Block, row: int | None) -> Array:
    """(units, 1 + inputs): the bias of each unit and its weights; for one sample its share of the
    gradient.
    """
    bias, weight = block.kinds
    if row is None:
        parts = [trace.array(bias, block.layer)[:, None]] if bias else []
        return np.hstack([*parts, trace.array(weight, block.layer)] if weight else parts)
    delta, below = trace.array("dL/dz", block.layer)[row], trace.passed(block.layer - 1)[row]
    parts = [delta[:, None]] if bias else []
    with np.errstate(all="ignore"):
        return np.hstack([*parts, np.outer(delta, below)] if weight else parts)

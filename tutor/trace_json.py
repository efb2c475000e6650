"""One iteration as one JSON object: every quantity under its contract name.

    {"scenario": "1-2-3-1-sigmoid", "iteration": 1, "quantities": {"x[1]": 2.0, …, "z[1][1]": 0.3, …}}

Given numbers come first, then the computed ones in the order of the walk. Numbers are the shortest text that reads
back as the same float64. JSON has no infinity: where the walk stops early, what lies behind is left out and
`stopped` says where and why; single numbers beyond float64 are left out and named in `beyond`. Where a reader changed
the lesson, `changed` has the old and the new value of each change.

Written block by block, a layer of a sample at a time, so that a large network needs neither long nor much memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import TextIO

import numpy as np

from tutor.engine.kinds import KINDS, UPDATE, VERIFY
from tutor.engine.network import Array
from tutor.engine.order import Block, NumberOrder, Section
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson import Lesson

Group = tuple[list[str], Array]
"""Names, and the numbers that go with them, one each."""

def write(lesson: Lesson, out: TextIO) -> list[str]:
    """Write the JSON text of a lesson's iteration; returns the names of single numbers that had to be left out."""
    beyond: list[str] = []
    out.writelines(chunks(lesson, beyond))
    return beyond


def chunks(lesson: Lesson, beyond: list[str]) -> Iterator[str]:
    """The same text in pieces; `beyond` is given the names of numbers that are left out."""
    comma = ""
    yield (f'{{"scenario": {json.dumps(lesson.scenario.id)}, "iteration": {lesson.iteration}, "quantities": {{')
    for names, values in groups(lesson.trace):
        finite = np.isfinite(values)
        beyond.extend([] if finite.all() else [name for name, sound in zip(names, finite, strict=True) if not sound])
        found = {name: value for name, value in zip(names, values.tolist(), strict=True) if isfinite(value)}
        if found:
            yield comma + json.dumps(found, allow_nan=False)[1:-1]
            comma = ", "
    yield "}" + _ending(lesson, beyond) + "}\n"


def _ending(lesson: Lesson, beyond: list[str]) -> str:
    found: dict[str, object] = {"beyond": beyond} if beyond else {}
    if lesson.changes:
        found["changed"] = {change.name: {"old": change.old, "new": change.new} for change in lesson.changes}
    if stop := lesson.trace.stop:
        found["stopped"] = {"quantity": str(stop.quantity), "why": stop.why}
    return f", {json.dumps(found)[1:-1]}" if found else ""


def groups(trace: Trace) -> Iterator[Group]:
    """Every quantity of a trace, in groups: what is given, then the walk up to its end or its stop."""
    yield from _given(trace)
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked, inputs=True)
    left = order.rank(trace.stop.quantity) if trace.stop else len(order)
    updated = False
    for section in order.sections:
        if section.phase == VERIFY and left and not updated:
            yield from _frozen(trace)
            updated = True
        yield from _section(trace, section, left)
        left -= min(left, section.size)


def _given(trace: Trace) -> Iterator[Group]:
    for row in range(trace.samples):
        for kind, array in (("x", trace.x), ("y", trace.y)):
            yield _marked([f"{kind}[{i}]" for i in range(1, array.shape[1] + 1)], trace, row), array[row]
    for kind, layer in trace:
        if layer and KINDS[kind].given:
            yield _parameter(trace, kind, layer)


def _frozen(trace: Trace) -> Iterator[Group]:
    """Parameters that the update leaves as they are."""
    for kind, layer in trace:
        if layer and KINDS[kind].phase == UPDATE and (kind, layer) not in trace.program.by_name:
            yield _parameter(trace, kind, layer)


def _parameter(trace: Trace, kind: str, layer: int) -> Group:
    """All of a kind of parameters in a layer."""
    array = trace[kind, layer]
    units, *inputs = array.shape
    names = _weights(kind, layer, units, *inputs) if inputs else _units(kind, layer, units)
    return names, array.ravel()


def _section(trace: Trace, section: Section, left: int) -> Iterator[Group]:
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
    return [f"{kind}[{layer}][{i}]" for i in range(1, units + 1)]


def _names(block: Block) -> list[str]:
    """The names of a block in its order, written directly: `tests/test_cli.py` compares them with the walk's own."""
    n, rows = block.layer, range(1, block.units + 1)
    if block.pairs:
        return _weights(block.kinds[0], n, block.units, block.units)
    if block.inputs:
        bias, weight = block.kinds
        columns = range(1, block.inputs + 1) if weight else ()
        heads = ([f"{bias}[{n}][{i}]"] if bias else [] for i in rows)
        return [name for i, head in zip(rows, heads, strict=True) for name in (*head, *(f"{weight}[{n}][{i},{j}]" for j in columns))]
    if not KINDS[block.kinds[0]].axes:
        return list(block.kinds)
    if block.by_unit:
        return [f"{kind}[{n}][{i}]" for i in rows for kind in block.kinds]
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
        return np.array([trace.value(Quantity(kind, sample=sample)) for kind in block.kinds])
    arrays = [trace.array(kind, block.layer)[at] for kind in block.kinds]
    return np.stack(arrays, axis=1 if block.by_unit else 0).ravel()


def _parameters(trace: Trace, block: Block, row: int | None) -> Array:
    """(units, 1 + inputs): the bias of each unit and its weights; for one sample its share of the gradient."""
    bias, weight = block.kinds
    if row is None:
        parts = [trace.array(bias, block.layer)[:, None]] if bias else []
        return np.hstack([*parts, trace.array(weight, block.layer)] if weight else parts)
    delta, below = trace.array("dL/dz", block.layer)[row], trace.passed(block.layer - 1)[row]
    parts = [delta[:, None]] if bias else []
    with np.errstate(all="ignore"):
        return np.hstack([*parts, np.outer(delta, below)] if weight else parts)

"""Ledgers: tables with one row per unit, parameter or sample. A step shows the one that it fills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from tutor.desk import GAP, Cell, Desk, Entry, Row, Table, gap, some
from tutor.engine.kinds import AFTER, GRADIENT, KINDS, LOSS, VERIFY
from tutor.engine.network import Layer
from tutor.engine.quantity import Quantity
from tutor.explain import heading

MOST_COLUMNS = 10
MOST_PARAMETERS = 6
"""A network with more parameters than this shows those of one layer at a time."""
MOST_OF_A_PHASE = 60
"""The same where a step is a whole phase. On paper there is no such bound."""

_UNITS: dict[str, tuple[str, ...]] = {
    "forward": ("z", "a", "r"), "loss": ("z", "a", "r"),
    "backward": ("a", "dL/dr", "dL/da", "da/dz", "dL/dz"),
    "verify": ("z", "z+", "a", "a+", "r", "r+"),
}  # fmt: skip
"""The columns of a phase's units; those of a skip connection only where there is one."""
_LOSSES = {"loss": (("loss", "value"),), "verify": (("loss", "before"), ("loss+", "after"))}
_BY_INPUT = "dL/da"
_OF_INPUTS = {"a": "x", _BY_INPUT: _BY_INPUT}
"""What stands in the row of an input."""
_PARAMETERS: dict[str, Mapping[str, str]] = {"value": {}, "gradient": GRADIENT, "new value": AFTER}
"""The columns of parameters, and which kind they have for w or b."""


def ledgers(desk: Desk) -> Iterator[Table]:
    """The tables of a step: units (or samples), the loss, the parameters, as the phase needs them."""
    phase = desk.step.phase
    many = desk.trace.samples > 1
    at_gradients = desk.whole or desk.anchor.of.role == "gradient" or desk.step.walk.grain == "pass"
    skips = any(layer.skip for layer in desk.network.layers)
    kinds = tuple(kind for kind in _UNITS.get(phase, ()) if skips or not KINDS[kind].residual)
    by_sample = kinds and many and desk.network.depth == 1
    if by_sample and len(_layout(desk, phase, kinds, narrow=True)) <= MOST_COLUMNS:
        yield _samples(desk, phase, kinds)
    elif kinds and (desk.whole or not (at_gradients and desk.step.walk.grain != "pass" and desk.network.parameters > MOST_PARAMETERS)):
        yield _units(desk, phase, kinds)
    if phase == LOSS or (phase == VERIFY and desk.step.known(Quantity("loss+"))):
        yield from _losses(desk, phase)
    if phase == "update" or (phase == "backward" and at_gradients):
        yield from _parameters(desk, phase)


def _units(desk: Desk, phase: str, kinds: tuple[str, ...]) -> Table:
    """One row per unit: the whole network where it is small, else the layer of the step."""
    n, small = desk.network, desk.whole or sum(desk.network.sizes[1:]) <= 12
    layers: Sequence[int] = range(1, n.depth + 1) if small else [desk.layer]
    rows: list[Row] = []
    for layer in reversed(layers) if phase == "backward" else layers:
        rows.extend(_unit_rows(desk, kinds, layer))
    if phase == "backward" and desk.step.walk.inputs and layers[0] == 1:
        rows.extend(_unit_rows(desk, kinds, 0))
    of_sample = f", sample {desk.sample}" if desk.sample else ""
    scope = "" if small else f", layer {layers[0]}"
    titles = {"forward": "Units", "loss": "Units", "backward": "Going back", "verify": "Before and after"}
    return Table(titles[phase] + scope + of_sample, tuple(_heading(desk, kind) for kind in kinds), tuple(rows))


def _unit_rows(desk: Desk, kinds: tuple[str, ...], layer: int) -> Iterator[Row]:
    """The units of a layer; those of layer 0 are the inputs."""
    for i in some(desk.network.sizes[layer], (desk.anchor.i,)):
        if i == GAP:
            yield gap(len(kinds))
            continue
        key = ("unit", kinds, layer, i, desk.sample)
        row = partial(Row, _unit_name(desk.network.depth, layer, i))
        yield desk.shared(key, partial(_unit_entries, desk, kinds, layer, i), row)


def _unit_entries(desk: Desk, kinds: tuple[str, ...], layer: int, i: int) -> Iterator[Entry]:
    """The row of a unit; for a softmax's slope the diagonal entry of the Jacobian stands for the unit."""
    part = desk.network.layer(layer) if layer else None
    for of in map(KINDS.__getitem__, kinds):
        if part is None:
            name = _OF_INPUTS.get(of.name)
            yield Quantity(name, 0, i, 0, desk.sample) if name else _NONE
        elif of.residual and not part.skip:
            yield _NONE
        else:
            j = i if of.role == "slope" and part.activation.couples else 0
            yield Quantity(of.name, layer, i, j, desk.sample)


_NONE = Cell("–", "gap")
"""Where there is no such number."""


def _unit_name(depth: int, layer: int, i: int) -> str:
    if not layer:
        return f"input {i}"
    return f"layer {layer}, unit {i}" if depth > 1 else f"unit {i}"


def _heading(desk: Desk, kind: str) -> str:
    """A column's heading in the plain letters of the notation."""
    loss = desk.context.notation.loss
    return heading(kind).replace("L", loss)


def _samples(desk: Desk, phase: str, kinds: tuple[str, ...]) -> Table:
    """One row per sample: inputs, what the layer makes of them, target and loss, as in a data table."""
    layout = _layout(desk, phase, kinds)
    rows: list[Row] = []
    for s in some(desk.trace.samples, (desk.sample,)):
        if s == GAP:
            rows.append(gap(len(layout)))
            continue
        names = partial(_sample_entries, layout, s)
        rows.append(desk.shared(("sample", tuple(layout), s), names, partial(Row, f"sample {s}")))
    # The loss of a sample is not that of the batch, so its column does not have the same symbol.
    line = desk.line
    symbols = tuple(line.quantity(q) if q.of.axes else line.matrix(q.kind, 0) for q in layout)
    return Table("Samples", symbols, tuple(rows))


def _layout(desk: Desk, phase: str, kinds: tuple[str, ...], *, narrow: bool = False) -> list[Quantity]:
    """The columns of the samples; `narrow`: without the targets and the loss."""
    ins, outs = (range(1, size + 1) for size in desk.network.sizes)
    inputs = [Quantity("x", 0, j) for j in ins]
    made = [Quantity(kind, 1, i) for kind in kinds for i in outs]
    shown = phase == "backward" and desk.step.walk.inputs
    by_inputs = [Quantity(_BY_INPUT, 0, j) for j in ins] if shown else []
    if narrow:
        return [*inputs, *made, *by_inputs]
    targets = [Quantity("y", 0, i) for i in outs]
    if phase == "backward":
        return [*inputs, *made[:1], *targets, *made[1:], *by_inputs]
    return [*inputs, *made, *targets, *([Quantity("loss")] if phase == LOSS else [])]


def _sample_entries(layout: list[Quantity], s: int) -> Iterator[Entry]:
    return (replace(q, sample=s) for q in layout)


def _losses(desk: Desk, phase: str) -> Iterator[Table]:
    columns = _LOSSES[phase]
    cells = tuple(desk.cell(Quantity(kind)) for kind, _ in columns)
    row = Row("whole batch" if desk.trace.samples > 1 else "loss", cells)
    yield Table("Loss", tuple(head for _, head in columns), (row,))


def _parameters(desk: Desk, phase: str) -> Iterator[Table]:
    """Weights and biases with their gradients; the layer of the step where there are many."""
    network = desk.network
    count = network.parameters
    layer = desk.layer
    most = MOST_OF_A_PHASE if desk.step.walk.grain == "pass" else MOST_PARAMETERS
    layers = range(network.depth, 0, -1) if desk.whole or count <= most else (layer,)
    columns = tuple(_PARAMETERS)[: 2 if phase == "backward" else 3]
    share = desk.sample if phase == "backward" and desk.anchor.sample and not desk.whole else 0
    rows: list[Row] = []
    for number_ in layers:
        rows.extend(_parameter_rows(desk, number_, columns, share))
    title = "Weights and biases" + ("" if len(layers) > 1 else f", layer {layer}" if network.depth > 1 else "")
    title += f", shares of sample {share}" if share else ""
    if rows:
        yield Table(title, columns, tuple(rows))


def _parameter_rows(desk: Desk, layer: int, columns: tuple[str, ...], share: int) -> Iterator[Row]:
    part = desk.network.layer(layer)
    names = [
        (i, j)
        for i in some(part.units, (desk.anchor.i,), 6)
        for j in ((GAP,) if i == GAP else [0] * (part.biases is not None) + some(part.inputs, (desk.anchor.j,), 6))
    ]
    last_gap = False
    for i, j in names:
        if GAP in (i, j):
            if not last_gap:
                yield gap(len(columns))
            last_gap = True
            continue
        last_gap = False
        key = ("parameter", columns, layer, i, j, share)
        yield desk.shared(key, partial(_parameter_entries, part, columns, *key[2:]), partial(_parameter_row, desk, layer, i, j))


def _parameter_entries(part: Layer, columns: tuple[str, ...], layer: int, i: int, j: int, share: int) -> Iterator[Entry]:
    """A parameter, its gradient, its new value; what does not learn has its value alone."""
    letter = "w" if j else "b"
    learned = part.train_weights if j else part.learns_biases
    for column in columns:
        kind = KINDS[_PARAMETERS[column].get(letter, letter)]
        if learned or kind.given:
            yield Quantity(kind.name, layer, i, j, share if kind.derivative else 0)
        else:
            yield Cell("fixed", "gap")


def _parameter_row(desk: Desk, layer: int, i: int, j: int, cells: tuple[Cell, ...]) -> Row:
    return Row(desk.line.quantity(Quantity("w" if j else "b", layer, i, j)), cells)

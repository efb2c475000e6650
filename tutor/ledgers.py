"""Ledgers: tables with one row per unit, parameter or sample. A step shows the one that it fills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tutor.desk import GAP, Cell, Desk, Entry, Row, Table, gap, some
from tutor.network import Layer
from tutor.quantity import Quantity

MOST_COLUMNS = 10
MOST_PARAMETERS = 6
"""A network with more parameters than this shows those of one layer at a time."""
MOST_OF_A_PHASE = 60
"""The same where a step is a whole phase. On paper there is no such bound."""


def ledgers(desk: Desk) -> Iterator[Table]:
    """The tables of a step: units (or samples), the loss, the parameters, as the phase needs them."""
    phase = desk.step.phase
    many = desk.trace.samples > 1
    at_gradients = desk.whole or desk.anchor.kind in {"dL/dw", "dL/db"} or desk.step.walk.grain == "pass"
    kinds = {
        "forward": ("z", "a"), "loss": ("z", "a"), "backward": ("a", "dL/da", "da/dz", "dL/dz"), "update": (),
        "verify": ("z", "z+", "a", "a+"),
    }[phase]  # fmt: skip
    if kinds and many and desk.network.depth == 1 and desk.network.sizes[1] * len(kinds) + desk.network.sizes[0] <= MOST_COLUMNS:
        yield _samples(desk, phase, kinds)
    elif kinds and (desk.whole or not (at_gradients and desk.step.walk.grain != "pass" and desk.network.parameters > MOST_PARAMETERS)):
        yield _units(desk, phase, kinds)
    if phase == "loss" or (phase == "verify" and desk.step.known(Quantity("loss+"))):
        yield from _losses(desk, phase)
    if phase == "update" or (phase == "backward" and at_gradients):
        yield from _parameters(desk, phase)


def _units(desk: Desk, phase: str, kinds: tuple[str, ...]) -> Table:
    """One row per unit: the whole network where it is small, else the layer of the step."""
    n, small = desk.network, desk.whole or sum(desk.network.sizes[1:]) <= 12
    layers: Sequence[int] = range(1, n.depth + 1) if small else [desk.anchor.layer or n.depth]
    rows: list[Row] = []
    for layer in reversed(layers) if phase == "backward" else layers:
        couples = n.layer(layer).activation.couples
        for i in some(n.sizes[layer], (desk.anchor.i,)):
            if i == GAP:
                rows.append(gap(len(kinds)))
                continue
            names = partial(_unit_entries, desk, kinds, layer, i, couples=couples)
            rows.append(desk.shared(("unit", kinds, layer, i, desk.sample), names, partial(Row, _unit_name(n.depth, layer, i))))
    of_sample = f", sample {desk.sample}" if desk.sample else ""
    scope = "" if small else f", layer {layers[0]}"
    titles = {"forward": "Units", "loss": "Units", "backward": "Going back", "verify": "Before and after"}
    return Table(titles[phase] + scope + of_sample, tuple(_heading(desk, kind) for kind in kinds), tuple(rows))


def _unit_entries(desk: Desk, kinds: tuple[str, ...], layer: int, i: int, *, couples: bool) -> Iterator[Entry]:
    """The row of a unit; of a softmax's slopes it has the diagonal entry of the Jacobian."""
    for kind in kinds:
        yield Quantity(kind, layer, i, i if couples and kind == "da/dz" else 0, desk.sample)


def _unit_name(depth: int, layer: int, i: int) -> str:
    return f"layer {layer}, unit {i}" if depth > 1 else f"unit {i}"


_HEADINGS = {
    "z": "z", "a": "a", "dL/da": "∂L/∂a", "da/dz": "∂a/∂z", "dL/dz": "∂L/∂z", "z+": "new z", "a+": "new a",
    "dL/dw": "gradient", "w": "value", "w+": "new value",
}  # fmt: skip


def _heading(desk: Desk, kind: str) -> str:
    """A column's heading in the plain letters of the notation."""
    loss = desk.context.notation.loss
    return _HEADINGS[kind].replace("L", loss)


def _samples(desk: Desk, phase: str, kinds: tuple[str, ...]) -> Table:
    """One row per sample: inputs, what the layer makes of them, target and loss, as in a data table."""
    n = desk.network
    inputs = [("x", j) for j in range(1, n.sizes[0] + 1)]
    made = [(kind, i) for kind in kinds for i in range(1, n.sizes[1] + 1)]
    targets = [("y", i) for i in range(1, n.sizes[1] + 1)]
    end = [("loss", 0)] if phase == "loss" else []
    layout = [*inputs, *made, *targets, *end] if phase != "backward" else [*inputs, *made[:1], *targets, *made[1:]]
    rows: list[Row] = []
    for s in some(desk.trace.samples, (desk.sample,)):
        if s == GAP:
            rows.append(gap(len(layout)))
            continue
        names = partial(_sample_entries, layout, s)
        rows.append(desk.shared(("sample", tuple(layout), s), names, partial(Row, f"sample {s}")))
    # The loss of a sample is not that of the batch, so its column does not have the same symbol.
    symbols = tuple(desk.line.matrix(kind, 0) if kind == "loss" else desk.line.quantity(_of_sample(kind, i, 0)) for kind, i in layout)
    return Table("Samples", symbols, tuple(rows))


def _sample_entries(layout: list[tuple[str, int]], s: int) -> Iterator[Entry]:
    return (_of_sample(kind, i, s) for kind, i in layout)


def _of_sample(kind: str, i: int, s: int) -> Quantity:
    return Quantity(kind, 0 if kind in {"x", "y", "loss"} else 1, i, 0, s)


def _losses(desk: Desk, phase: str) -> Iterator[Table]:
    kinds = ("loss",) if phase == "loss" else ("loss", "loss+")
    row = Row("whole batch" if desk.trace.samples > 1 else "loss", tuple(desk.cell(Quantity(kind)) for kind in kinds))
    yield Table("Loss", tuple("before" if k == "loss" and len(kinds) > 1 else "after" if k == "loss+" else "value" for k in kinds), (row,))


def _parameters(desk: Desk, phase: str) -> Iterator[Table]:
    """Weights and biases with their gradients; the layer of the step where there are many."""
    network = desk.network
    count = network.parameters
    layer = desk.anchor.layer or network.depth
    most = MOST_OF_A_PHASE if desk.step.walk.grain == "pass" else MOST_PARAMETERS
    layers = range(network.depth, 0, -1) if desk.whole or count <= most else (layer,)
    columns = ("w", "dL/dw") if phase == "backward" else ("w", "dL/dw", "w+")
    share = desk.sample if phase == "backward" and desk.anchor.sample and not desk.whole else 0
    rows: list[Row] = []
    for number_ in layers:
        rows.extend(_parameter_rows(desk, number_, columns, share))
    title = "Weights and biases" + ("" if len(layers) > 1 else f", layer {layer}" if network.depth > 1 else "")
    title += f", shares of sample {share}" if share else ""
    if rows:
        yield Table(title, tuple(_heading(desk, c) for c in columns), tuple(rows))


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
    kinds = {"w": letter, "dL/dw": f"dL/d{letter}", "w+": f"{letter}+"}
    for column in columns:
        if learned or column == "w":
            yield Quantity(kinds[column], layer, i, j, share if column == "dL/dw" else 0)
        else:
            yield Cell("fixed", "gap")


def _parameter_row(desk: Desk, layer: int, i: int, j: int, cells: tuple[Cell, ...]) -> Row:
    return Row(desk.line.quantity(Quantity("w" if j else "b", layer, i, j)), cells)

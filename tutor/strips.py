"""Strips: rows of small matrices with their shapes, as decks with a letter for each table have them.

Inputs X | Weights V | Linear Q | Hidden H | Weights W | Logits Z | Probs P | Labels Y
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tutor import number
from tutor.desk import GAP, Cell, Desk, Row, Table, some
from tutor.quantity import Quantity


def strips(desk: Desk) -> Iterator[tuple[str, tuple[Table, ...]]]:
    """(heading, matrices) of each strip that the phase needs."""
    phase = desk.walk.phase(desk.n)
    if phase == "update":
        yield "Update", tuple(_updates(desk))
        return
    if phase != "verify":
        yield "Forward", tuple(_strip(desk, ""))
    if phase == "backward":
        yield "Gradients", tuple(_gradients(desk))
    if phase == "verify":
        yield "After the update", tuple(_strip(desk, "+"))


def _updates(desk: Desk) -> Iterator[Table]:
    """Old, gradient and new, side by side, from the output layer down."""
    for layer in reversed(_focus(desk)):
        part = desk.network.layer(layer)
        if part.train_weights:
            yield weight_matrix(desk, "Weights", "w", layer)
            yield weight_matrix(desk, "", "dL/dw", layer)
            yield weight_matrix(desk, "New", "w+", layer)
        if part.learns_biases:
            yield bias_row(desk, "Biases", "b", layer)
            yield bias_row(desk, "", "dL/db", layer)
            yield bias_row(desk, "New", "b+", layer)


def _strip(desk: Desk, mark: str) -> Iterator[Table]:
    """Inputs, then weights, linear and activation of each layer, then the labels."""
    network = desk.network
    focus = _focus(desk)
    yield data_matrix(desk, "Inputs", "x", 0)
    for layer in focus:
        yield weight_matrix(desk, "Weights", "w" + mark, layer)
        if network.layer(layer).biases is not None:
            yield bias_row(desk, "Biases", "b" + mark, layer)
        last = layer == network.depth
        soft = network.layer(layer).activation.couples
        yield data_matrix(desk, "Logits" if last and soft else "Linear", "z" + mark, layer)
        yield data_matrix(desk, "Probs" if last and soft else "Output" if last else "Hidden", "a" + mark, layer)
    yield data_matrix(desk, "Labels", "y", 0)


def _gradients(desk: Desk) -> Iterator[Table]:
    for layer in reversed(_focus(desk)):
        if not desk.whole and desk.anchor.layer not in {0, layer} and desk.walk.grain != "pass":
            continue
        yield data_matrix(desk, "", "dL/da", layer)
        yield data_matrix(desk, "", "dL/dz", layer)
        part = desk.network.layer(layer)
        if part.train_weights:
            yield weight_matrix(desk, "", "dL/dw", layer)
        if part.learns_biases:
            yield bias_row(desk, "", "dL/db", layer)


def _focus(desk: Desk) -> list[int]:
    """All layers of a shallow network; of a deep one the layer of the step and the one before it."""
    depth = desk.network.depth
    if depth <= 3:
        return list(range(1, depth + 1))
    layer = desk.anchor.layer or depth
    return [n for n in (layer - 1, layer) if n]


def data_matrix(desk: Desk, title: str, kind: str, layer: int) -> Table:
    """A data matrix: one sample stands as a column, as on the slides; several samples as rows."""
    units = desk.network.sizes[0 if kind == "x" else desk.network.depth if kind == "y" else layer]
    shape = f"{desk.trace.samples}×{units}"
    if desk.trace.samples == 1:
        rows = _matrix_rows(_fixed(desk), some(units, (desk.anchor.i,), 6), [0], lambda i, s: desk.cell(Quantity(kind, layer, i, 0, 0)))
    else:
        samples, columns = some(desk.trace.samples, (desk.sample,), 6), some(units, (desk.anchor.i,), 6)
        rows = _matrix_rows(_fixed(desk), samples, columns, lambda s, i: desk.cell(Quantity(kind, layer, i, 0, s)))
    return Table(title, (), rows, desk.alphabet.plain(kind, layer), shape)


def weight_matrix(desk: Desk, title: str, kind: str, layer: int) -> Table:
    """A matrix of parameters (or their gradients) the way the notation writes it."""
    part = desk.network.layer(layer)
    units, inputs = some(part.units, (desk.anchor.i,), 6), some(part.inputs, (desk.anchor.j,), 6)
    if desk.alphabet.notation.weights_turned:
        rows = _matrix_rows(_fixed(desk), inputs, units, lambda j, i: desk.cell(Quantity(kind, layer, i, j)))
        shape = f"{part.inputs}×{part.units}"
    else:
        rows = _matrix_rows(_fixed(desk), units, inputs, lambda i, j: desk.cell(Quantity(kind, layer, i, j)))
        shape = f"{part.units}×{part.inputs}"
    return Table(title, (), rows, desk.alphabet.plain(kind, layer), shape)


def bias_row(desk: Desk, title: str, kind: str, layer: int) -> Table:
    """The biases of a layer (or their gradients) as one row."""
    units = desk.network.sizes[layer]
    rows = _matrix_rows(_fixed(desk), [0], some(units, (desk.anchor.i,), 6), lambda _, i: desk.cell(Quantity(kind, layer, i)))
    return Table(title, (), rows, desk.alphabet.plain(kind, layer), f"1×{units}")


def _fixed(desk: Desk) -> int:
    """How many decimals the numbers of a matrix are filled up to: decks with a letter for each table print them all."""
    return desk.decimals if desk.alphabet.notation.names == "letters" else 0


def _matrix_rows(decimals: int, rows: list[int], columns: list[int], cell: Callable[[int, int], Cell]) -> tuple[Row, ...]:
    cells = [[Cell("⋯" if r != GAP else "⋮", "gap") if GAP in (r, c) else cell(r, c) for c in columns] for r in rows]
    places = max(_places(c.text) for row in cells for c in row)
    if places and decimals:
        places = decimals
    return tuple(Row("", tuple(replace(c, text=_padded(c.text, places)) for c in row)) for row in cells)


def _places(text: str) -> int:
    """Digits behind the point; 0 for powers of ten and for what is no number."""
    _, _, fraction = text.partition(".")
    return len(fraction) if fraction.isdigit() else 0


def _padded(text: str, places: int) -> str:
    """The number with zeros behind it, so that the points of a matrix stand under each other."""
    if not places or not text.lstrip(number.MINUS).replace(".", "", 1).isdigit():
        return text
    return text + ("" if "." in text else ".") + "0" * (places - _places(text))

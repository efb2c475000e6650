"""Strips: rows of small matrices with their shapes, as lectures with a letter for each table have them.

Inputs X | Weights V | Linear Q | Hidden H | Weights W | Logits Z | Probs P | Labels Y
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from tutor import number
from tutor.desk import FEW, GAP, Cell, Desk, Entry, Row, Table, some
from tutor.engine.kinds import AFTER, GRADIENT, KINDS, marked
from tutor.engine.network import Layer, Network
from tutor.engine.order import passed_back
from tutor.engine.quantity import Quantity
from tutor.orientation import flipped

_DIGIT_ROOM, _POINT_ROOM = "\N{FIGURE SPACE}", "\N{PUNCTUATION SPACE}"


def strips(desk: Desk) -> Iterator[tuple[str, tuple[Table, ...]]]:
    """(heading, matrices) of each strip that the phase needs."""
    phase, of = desk.step.phase, _scope(desk)
    if phase == "update":
        yield "Update" + of, tuple(_updates(desk))
        return
    if phase != "verify":
        yield "Forward" + of, tuple(_strip(desk, ""))
    if phase == "backward":
        yield "Gradients" + of, tuple(_gradients(desk))
    if phase == "verify":
        yield "After the update" + of, tuple(_strip(desk, "+"))


def _updates(desk: Desk) -> Iterator[Table]:
    """Old, gradient and new, side by side, from the output layer down."""
    for layer in reversed(_focus(desk)):
        for title, kind in _learned(desk.network.layer(layer)):
            yield matrix(desk, title, kind, layer)
            yield matrix(desk, "", GRADIENT[kind], layer)
            yield matrix(desk, "New", AFTER[kind], layer)


def _learned(layer: Layer) -> Iterator[tuple[str, str]]:
    """(title, kind) of what a layer learns."""
    if layer.train_weights:
        yield "Weights", "w"
    if layer.learns_biases:
        yield "Biases", "b"


def _strip(desk: Desk, mark: str) -> Iterator[Table]:
    """Inputs, then weights, linear and activation of each layer, then the labels."""
    network = desk.network
    focus = _focus(desk)
    yield matrix(desk, "Inputs", "x", 0)
    for layer in focus:
        for title, kind in _forward(network, layer):
            yield matrix(desk, title, marked(kind, mark), layer)
    yield matrix(desk, "Labels", "y", 0)


def _forward(network: Network, layer: int) -> Iterator[tuple[str, str]]:
    """(title, kind) of what a layer has and makes on the way forward; behind a skip connection r too."""
    part, last = network.layer(layer), layer == network.depth
    soft = last and part.activation.couples and not part.skip
    yield "Weights", "w"
    if part.biases is not None:
        yield "Biases", "b"
    yield "Logits" if soft else "Linear", _LINEAR
    yield "Activation" if part.skip else "Probs" if soft else "Output" if last else "Hidden", _ACTIVATION
    if part.skip:
        yield "Output with skip" if last else "With skip", "r"


_LINEAR, _ACTIVATION = "z", "a"


def _gradients(desk: Desk) -> Iterator[Table]:
    """From the output layer down; at the end by the inputs, where they are steps."""
    network, focus, walk = desk.network, _focus(desk), desk.step.walk
    every = desk.whole or not desk.anchor.layer or walk.grain == "pass"
    for layer in reversed(focus):
        if not every and layer != desk.anchor.layer:
            continue
        part = network.layer(layer)
        below = (_LINEAR, *(kind for _, kind in _learned(part)))
        for kind in (*passed_back(part), *(GRADIENT[name] for name in below)):
            yield matrix(desk, "", kind, layer)
    if walk.inputs and 1 in focus and (every or desk.anchor.layer == 1):
        yield matrix(desk, "", GRADIENT[_ACTIVATION], 0)


def _scope(desk: Desk) -> str:
    """Which layers these are, where they are not all."""
    layers, depth = _focus(desk), desk.network.depth
    if len(layers) == depth:
        return ""
    return f", layer{'s' * (len(layers) > 1)} {' and '.join(map(str, layers))} of {depth}"


def _focus(desk: Desk) -> list[int]:
    """All layers of a shallow network, and on paper; of a deep one the layer of the step and the one before it."""
    depth = desk.network.depth
    if depth <= 3 or desk.whole:
        return list(range(1, depth + 1))
    return [n for n in (desk.layer - 1, desk.layer) if n]


@dataclass(frozen=True, slots=True)
class Axis:
    """A side of a matrix: which index of its quantities runs along it, from where to where, and what of it is drawn."""

    index: str
    count: int
    drawn: list[int]


def matrix(desk: Desk, title: str, kind: str, layer: int) -> Table:
    """A matrix as the notation writes it: drawn rows, shape and symbol all come from the same two sides."""
    focus = () if desk.small else (desk.anchor.i, desk.anchor.j, desk.sample)  # what decides which rows are left out
    return desk.shared(
        ("matrix", title, kind, layer, *focus), partial(_entries, desk, kind, layer), partial(_matrix, desk, title, kind, layer)
    )


def _entries(desk: Desk, kind: str, layer: int) -> Iterator[Entry]:
    """The places of a matrix, row by row."""
    down, across = _sides(desk, kind, layer)
    for row in down.drawn:
        for column in across.drawn:
            if GAP in (row, column):
                yield Cell("⋯" if row != GAP else "⋮", "gap")
            else:
                at = {down.index: row, across.index: column}
                yield Quantity(kind, layer, at.get("i", 0), at.get("j", 0), at.get("sample", 0))


def _matrix(desk: Desk, title: str, kind: str, layer: int, cells: tuple[Cell, ...]) -> Table:
    down, across = _sides(desk, kind, layer)
    rows = _matrix_rows(cells, len(across.drawn))
    return Table(title, (), rows, desk.line.matrix(kind, layer), f"{down.count}×{across.count}")


def _sides(desk: Desk, kind: str, layer: int) -> tuple[Axis, Axis]:
    """(down, across) as the notation has them."""
    down, across = _sides_here(desk, kind, layer)
    return (across, down) if flipped(kind, desk.context.notation) else (down, across)


def _sides_here(desk: Desk, kind: str, layer: int) -> tuple[Axis, Axis]:
    """The sides in the engine's orientation: a row per sample, or a row per unit for weights; biases are one row."""
    sizes, of = desk.network.sizes, KINDS[kind]
    units = _axis("i", sizes[desk.network.depth if kind == "y" else layer], desk.anchor.i)
    if of.weights:
        return units, _axis("j", sizes[layer - 1], desk.anchor.j)
    if of.biases:
        return Axis("j", 1, [0]), units
    samples = desk.trace.samples
    return _axis("sample", samples, desk.sample) if samples > 1 else Axis("sample", 1, [0]), units


def _axis(index: str, count: int, focus: int) -> Axis:
    return Axis(index, count, some(count, (focus,), FEW))


def _matrix_rows(cells: tuple[Cell, ...], columns: int) -> tuple[Row, ...]:
    places = max(_places(c.text) for c in cells)
    aligned = [_aligned_cell(c, places) for c in cells] if places else cells
    return tuple(Row("", tuple(aligned[k : k + columns])) for k in range(0, len(cells), columns))


def _aligned_cell(cell: Cell, places: int) -> Cell:
    text = _aligned(cell.text, places)
    return cell if text == cell.text else Cell(text, cell.state, cell.name, cell.was)


def _places(text: str) -> int:
    """Digits behind the point; 0 for powers of ten and for what is no number."""
    _, _, fraction = text.partition(".")
    return len(fraction) if fraction.isdigit() else 0


def _aligned(text: str, places: int) -> str:
    """The number with the room of the digits that it lacks behind it, so that the points of a matrix stand under each other.

    Room, not zeros: 0.132 is 0.132 in a formula, in the diagram and here.
    """
    if not places or not text.lstrip(number.MINUS).replace(".", "", 1).isdigit():
        return text
    return text + _POINT_ROOM * ("." not in text) + _DIGIT_ROOM * (places - _places(text))

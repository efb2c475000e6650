"""The tables beside a step, in the shape of the lecture's slides. They fill up as the walk goes on.

Two styles. A *strip* is a row of small matrices with their shapes (Inputs X, Weights V, Linear Q, …), as decks with
a letter for each table have it. A *ledger* has one row per unit, parameter or sample. Every cell knows its quantity;
a cell that is not computed yet is empty and says so, never 0. Large layers show their first rows, the last, and the
one that the step is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tutor import number
from tutor.lesson import Walk
from tutor.markup import Markup
from tutor.mathml import Line, role
from tutor.notation import Alphabet
from tutor.quantity import Quantity

MOST_ROWS = 8
MOST_COLUMNS = 10
MOST_PARAMETERS = 6
GAP = -1


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table. `state` is "" (known), `todo`, `uses`, `makes`, or `gap` (rows left out)."""

    text: str
    state: str = ""
    role: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its header."""

    header: Markup | str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption and headers for its columns; without columns it is one matrix of a strip."""

    caption: str
    columns: tuple[Markup | str, ...]
    rows: tuple[Row, ...]
    symbol: Markup | str = ""
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of one step."""

    ledgers: tuple[Table, ...] = ()
    strips: tuple[tuple[str, tuple[Table, ...]], ...] = ()
    """(heading, matrices side by side)"""


class Desk:
    """What a table needs to know about the step: what is computed, used and made, and how numbers are written."""

    def __init__(
        self, walk: Walk, n: int, alphabet: Alphabet, decimals: int, uses: frozenset[Quantity], makes: frozenset[Quantity]
    ) -> None:
        self.walk, self.n = walk, n
        self.trace, self.network = walk.trace, walk.trace.network
        self.alphabet, self.decimals = alphabet, decimals
        self.uses, self.makes = uses, makes
        self.line = Line(alphabet, decimals)
        self.anchor = walk.anchor(n)
        self.sample = self.anchor.sample or (1 if self.trace.samples > 1 else 0)

    def cell(self, q: Quantity) -> Cell:
        """The cell of one quantity."""
        if q.given or self.walk.known(q, self.n):
            state = "makes" if q in self.makes else "uses" if q in self.uses else ""
            try:
                text = number.shown(self.trace.value(q), self.decimals)
            except KeyError:
                return Cell("", "todo", role(q.kind), str(q))
            return Cell(text, state, role(q.kind), str(q))
        return Cell("", "todo", role(q.kind), str(q))

    def reached(self, phase: str) -> bool:
        """Whether the walk has come to this phase."""
        first = self.walk.first_of(phase)
        return first is not None and first <= self.n


def tables(desk: Desk) -> Tables:
    """The tables for a step, in the style of its notation."""
    if desk.alphabet.notation.names == "letters":
        return Tables(strips=tuple(_strips(desk)))
    return Tables(ledgers=tuple(_ledgers(desk)))


def some(count: int, focus: Iterable[int] = (), most: int = MOST_ROWS) -> list[int]:
    """The rows that are shown of `count` (from 1): the first, the last, and those in focus; GAP marks what is left out."""
    if count <= most:
        return list(range(1, count + 1))
    wanted = sorted({*range(1, most - 2), count, *(f for f in focus if 1 <= f <= count)})[: most + 2]
    found: list[int] = []
    for row in wanted:
        if found and row != found[-1] + 1:
            found.append(GAP)
        found.append(row)
    return found


def _gap(columns: int, header: str = "⋮") -> Row:
    return Row(header, tuple(Cell("⋮", "gap") for _ in range(columns)))


# ---- ledgers -----------------------------------------------------------------------------------------------------


def _ledgers(desk: Desk) -> Iterator[Table]:
    phase = desk.walk.phase(desk.n)
    many = desk.trace.samples > 1
    kinds = {
        "forward": ("z", "a"), "loss": ("z", "a"), "backward": ("a", "dL/da", "da/dz", "dL/dz"), "update": (),
        "verify": ("a", "z+", "a+"),
    }[phase]  # fmt: skip
    if kinds and many and desk.network.depth == 1 and desk.network.sizes[1] * len(kinds) + desk.network.sizes[0] <= MOST_COLUMNS:
        yield _samples(desk, phase, kinds)
    elif kinds and not (phase == "backward" and desk.anchor.kind in {"dL/dw", "dL/db"} and desk.network.parameters > MOST_PARAMETERS):
        yield _units(desk, phase, kinds)
    if phase == "loss" or (phase == "verify" and desk.walk.known(Quantity("loss+"), desk.n)):
        yield from _losses(desk, phase)
    if phase == "update" or (phase == "backward" and desk.anchor.kind in {"dL/dw", "dL/db"}) or (desk.walk.grain == "pass" and phase == "backward"):
        yield from _parameters(desk, phase)


def _units(desk: Desk, phase: str, kinds: tuple[str, ...]) -> Table:
    """One row per unit: the whole network where it is small, else the layer of the step."""
    n, small = desk.network, sum(desk.network.sizes[1:]) <= 12
    layers: Sequence[int] = range(1, n.depth + 1) if small else [desk.anchor.layer or n.depth]
    rows: list[Row] = []
    for layer in reversed(layers) if phase == "backward" else layers:
        couples = n.layer(layer).activation.couples
        for i in some(n.sizes[layer], (desk.anchor.i,)):
            if i == GAP:
                rows.append(_gap(len(kinds)))
                continue
            cells = tuple(_unit_cell(desk, kind, layer, i, couples) for kind in kinds)
            rows.append(Row(_unit_name(n.depth, layer, i), cells))
    of_sample = f", sample {desk.sample}" if desk.sample else ""
    scope = "" if small else f", layer {layers[0]}"
    titles = {"forward": "Units", "loss": "Units", "backward": "Going back", "verify": "Before and after"}
    return Table(titles[phase] + scope + of_sample, tuple(_heading(desk, kind) for kind in kinds), tuple(rows))


def _unit_cell(desk: Desk, kind: str, layer: int, i: int, couples: bool) -> Cell:
    """One cell; for a softmax's slope the diagonal entry of the Jacobian stands for the unit."""
    j = i if couples and kind == "da/dz" else 0
    return desk.cell(Quantity(kind, layer, i, j, desk.sample))


def _unit_name(depth: int, layer: int, i: int) -> str:
    return f"layer {layer}, unit {i}" if depth > 1 else f"unit {i}"


_HEADINGS = {
    "z": "z", "a": "a", "dL/da": "∂L/∂a", "da/dz": "∂a/∂z", "dL/dz": "∂L/∂z", "z+": "new z", "a+": "new a",
    "dL/dw": "gradient", "w": "value", "w+": "new value",
}  # fmt: skip


def _heading(desk: Desk, kind: str) -> str:
    """A column's heading in the plain letters of the notation."""
    loss = desk.alphabet.notation.loss
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
            rows.append(_gap(len(layout)))
            continue
        rows.append(Row(f"sample {s}", tuple(desk.cell(_of_sample(kind, i, s)) for kind, i in layout)))
    symbols = tuple(desk.line.quantity(_of_sample(kind, i, 0)) for kind, i in layout)
    return Table("Samples", symbols, tuple(rows))


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
    layers = range(network.depth, 0, -1) if count <= MOST_PARAMETERS else (layer,)
    columns = ("w", "dL/dw") if phase == "backward" else ("w", "dL/dw", "w+")
    share = desk.sample if phase == "backward" and desk.anchor.sample else 0
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
                yield _gap(len(columns))
            last_gap = True
            continue
        last_gap = False
        letter = "w" if j else "b"
        kinds = {"w": letter, "dL/dw": f"dL/d{letter}", "w+": f"{letter}+"}
        learned = part.train_weights if j else part.learns_biases
        cells = tuple(
            desk.cell(Quantity(kinds[c], layer, i, j, share if c == "dL/dw" else 0)) if learned or c == "w"
            else Cell("fixed", "gap", role(letter)) for c in columns
        )  # fmt: skip
        yield Row(desk.line.quantity(Quantity(letter, layer, i, j)), cells)


# ---- strips ------------------------------------------------------------------------------------------------------


def _strips(desk: Desk) -> Iterator[tuple[str, tuple[Table, ...]]]:
    phase = desk.walk.phase(desk.n)
    if phase != "verify":
        yield "Forward", tuple(_strip(desk, ""))
    if phase in {"backward", "update"}:
        yield "Gradients", tuple(_gradients(desk))
    if phase in {"update", "verify"}:
        yield "After the update", tuple(_strip(desk, "+"))


def _strip(desk: Desk, mark: str) -> Iterator[Table]:
    """Inputs, then weights, linear and activation of each layer, then the labels."""
    network = desk.network
    focus = _focus(desk)
    yield data_matrix(desk, "Inputs", "x", 0)
    for layer in focus:
        yield weight_matrix(desk, "Weights", "w" + mark, layer)
        if network.layer(layer).biases is not None:
            yield bias_row(desk, "Biases", "b" + mark, layer)
        if mark == "+" and not desk.reached("verify"):
            continue
        last = layer == network.depth
        soft = network.layer(layer).activation.couples
        yield data_matrix(desk, "Logits" if last and soft else "Linear", "z" + mark, layer)
        yield data_matrix(desk, "Probs" if last and soft else "Output" if last else "Hidden", "a" + mark, layer)
    yield data_matrix(desk, "Labels", "y", 0)


def _gradients(desk: Desk) -> Iterator[Table]:
    for layer in reversed(_focus(desk)):
        if desk.walk.phase(desk.n) == "backward" and desk.anchor.layer not in {0, layer} and desk.walk.grain != "pass":
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
        rows = _matrix_rows(desk.decimals, some(units, (desk.anchor.i,), 6), [0], lambda i, s: desk.cell(Quantity(kind, layer, i, 0, 0)))
    else:
        samples, columns = some(desk.trace.samples, (desk.sample,), 6), some(units, (desk.anchor.i,), 6)
        rows = _matrix_rows(desk.decimals, samples, columns, lambda s, i: desk.cell(Quantity(kind, layer, i, 0, s)))
    return Table(title, (), rows, desk.alphabet.plain(kind, layer), shape)


def weight_matrix(desk: Desk, title: str, kind: str, layer: int) -> Table:
    """A matrix of parameters (or their gradients) the way the notation writes it."""
    part = desk.network.layer(layer)
    units, inputs = some(part.units, (desk.anchor.i,), 6), some(part.inputs, (desk.anchor.j,), 6)
    if desk.alphabet.notation.weights_turned:
        rows = _matrix_rows(desk.decimals, inputs, units, lambda j, i: desk.cell(Quantity(kind, layer, i, j)))
        shape = f"{part.inputs}×{part.units}"
    else:
        rows = _matrix_rows(desk.decimals, units, inputs, lambda i, j: desk.cell(Quantity(kind, layer, i, j)))
        shape = f"{part.units}×{part.inputs}"
    return Table(title, (), rows, desk.alphabet.plain(kind, layer), shape)


def bias_row(desk: Desk, title: str, kind: str, layer: int) -> Table:
    """The biases of a layer (or their gradients) as one row."""
    units = desk.network.sizes[layer]
    rows = _matrix_rows(desk.decimals, [0], some(units, (desk.anchor.i,), 6), lambda _, i: desk.cell(Quantity(kind, layer, i)))
    return Table(title, (), rows, desk.alphabet.plain(kind, layer), f"1×{units}")


def _matrix_rows(decimals: int, rows: list[int], columns: list[int], cell: Callable[[int, int], Cell]) -> tuple[Row, ...]:
    cells = [[Cell("⋯" if r != GAP else "⋮", "gap") if GAP in (r, c) else cell(r, c) for c in columns] for r in rows]
    places = decimals if any(_places(c.text) for row in cells for c in row) else 0
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

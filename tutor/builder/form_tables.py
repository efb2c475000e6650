"""The tables of the form: a field for each number, headers both ways, a name for each field.

layer_table(draft, n, …)   the weights of a layer, a row per unit, its biases in the last column
sample_table(draft, …)     a row per sample, inputs and then targets
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tutor.builder.draft import Draft
from tutor.builder.draft_data import place_in_samples
from tutor.builder.fields import cell
from tutor.engine.quantity import Quantity
from tutor.notation.markup import Markup
from tutor.notation.mathml import Line


@dataclass(frozen=True, slots=True)
class CellField:
    """One number: its field, its text, and what screen readers call it. `row` and `col` count from
    0 within the table.
    """

    name: str
    text: str
    label: str
    row: int
    col: int
    problem: str
    kind: str
    """weight, bias, input or target: the colour of the number."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with its header; `remove` is what its button does, "" without one."""

    header: Markup | str
    cells: tuple[CellField, ...]
    remove: str = ""


@dataclass(frozen=True, slots=True)
class NumberTable:
    """A table of fields; without rows there is nothing to show."""

    id: str
    caption: str
    symbol: Markup | str
    """The lecture's own symbol for the numbers, or ""."""
    columns: tuple[Markup | str, ...]
    rows: tuple[TableRow, ...]
    problem: str
    removable: bool = False


def layer_table(draft: Draft, n: int, line: Line, problems: Mapping[str, str]) -> NumberTable:
    """The weights and biases of layer n, as far as each has a field of its own."""
    layer = draft.layers[n - 1]
    weights = layer.weights.cells if layer.weights.text is None else ()
    bias = (
        layer.bias.cells[0]
        if layer.has_biases and layer.bias.text is None and layer.bias.cells
        else ()
    )
    rows = []
    for i in range(1, max(len(weights), len(bias)) + 1):
        names = [
            (f"w[{n}][{i},{j}]", text, "weight")
            for j, text in enumerate(weights[i - 1] if i <= len(weights) else (), 1)
        ]
        names += [(f"b[{n}][{i}]", bias[i - 1], "bias")] if i <= len(bias) else []
        rows.append(TableRow(f"unit {i}", _fields(names, i - 1, problems)))
    columns = [_source(line, draft, n, j) for j in range(1, len(weights[0]) + 1)] if weights else []
    what = "Weights and biases" if weights and bias else "Biases" if bias else "Weights"
    heads = (*columns, *(["bias"] if bias else []))
    # a forged form may have shorter ones
    full = tuple(row for row in rows if len(row.cells) == len(heads))
    kinds = [kind for kind, grid in (("w", layer.weights), ("b", layer.bias)) if grid.text is None]
    # a long text beside it has the name that is left
    name = f"{kinds[0] if kinds else 'table'}[{n}]"
    symbol = line.matrix("w", n) if weights else ""
    return NumberTable(name, f"{what} of layer {n}", symbol, heads, full, problems.get(name, ""))


def _source(line: Line, draft: Draft, n: int, j: int) -> Markup | str:
    """Where a column of weights comes from: x₂, or what a unit below passes on."""
    if j > draft.widths[n - 1]:
        return f"{'input' if n == 1 else 'unit'} {j}"
    sample = 1 if line.alphabet.samples > 1 else 0
    if sample:
        return f"{'input' if n == 1 else 'unit'} {j}"
    if n == 1:
        return line.quantity(Quantity("x", 0, j))
    sums = draft.layers[n - 2]["skip"].strip() not in {"", "0"}
    return line.quantity(Quantity("r" if sums else "a", n - 1, j))


def sample_table(draft: Draft, line: Line, problems: Mapping[str, str]) -> NumberTable:
    """All samples with a field for each number; none where they are one text."""
    if draft.rows is not None:
        return NumberTable("rows", "Samples", "", (), (), "")
    place, height = place_in_samples(draft), max(draft.x.rows, draft.y.rows)
    inputs, outputs = draft.x.columns, draft.y.columns
    rows = []
    for s in range(1, height + 1):
        names = [
            (f"{kind}{place.format(r=s, c=c)}", _at(grid.cells, s, c), word)
            for kind, grid, word in (("x", draft.x, "input"), ("y", draft.y, "target"))
            for c in range(1, grid.columns + 1)
        ]
        rows.append(
            TableRow(
                f"sample {s}",
                _fields(names, s - 1, problems),
                f"remove-sample:{s}" if height > 1 else "",
            )
        )
    columns = (
        *(_datum(line, "x", j) for j in range(1, inputs + 1)),
        *(_datum(line, "y", i) for i in range(1, outputs + 1)),
    )
    return NumberTable(
        "rows",
        "Samples: inputs, then targets",
        "",
        columns,
        tuple(rows),
        problems.get("rows", ""),
        height > 1,
    )


def _datum(line: Line, kind: str, i: int) -> Markup | str:
    if line.alphabet.samples > 1:
        return f"{'input' if kind == 'x' else 'target'} {i}"
    return line.quantity(Quantity(kind, 0, i))


def _at(cells: tuple[tuple[str, ...], ...], s: int, c: int) -> str:
    return cells[s - 1][c - 1] if s <= len(cells) and c <= len(cells[s - 1]) else ""


def _fields(
    names: list[tuple[str, str, str]], row: int, problems: Mapping[str, str]
) -> tuple[CellField, ...]:
    return tuple(
        CellField(name, text, cell(name), row, col, problems.get(name, ""), kind)
        for col, (name, text, kind) in enumerate(names)
    )

"""A draft: a lesson that is being written, every text exactly as it was typed, right or wrong.

    of_form(form)   -> Draft                what a browser sent; nothing is refused here
    fields(draft)   -> {field: text}        the fields that a form of this draft has

Frozen like everything; `tutor.builder.edit` makes a new draft of an old one. Names of fields are
those of the form: `units[2]`, `w[2][1,3]`, `x[1]@2` (`@s` is left out where there is one sample).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Protocol

from tutor import limits
from tutor.builder.fields import GIVEN, PARTS, PLAIN, SCHEMES, default
from tutor.builder.grid import MOST_CELLS, Grid, lines
from tutor.number import whole

MOST_FIELDS: Final = 1_000
"""With more numbers in tables of their own a form is no pleasure; the further ones are texts."""
EMPTY: Final = Grid()
DROPPABLE: Final = ("printed", "notes", "checks")
"""Parts of `rest` that speak of numbers, and may no longer hold when those change."""
WIDEST_TABLE: Final = 4 * MOST_CELLS
"""No form of ours has a table of more cells than this; a forged one gets no larger either."""


@dataclass(frozen=True, slots=True)
class LayerDraft:
    """One layer as it was typed. `parts` has the texts of PARTS; `weights` has a row per unit,
    `bias` is one row.
    """

    parts: Mapping[str, str]
    weights: Grid = EMPTY
    bias: Grid = EMPTY

    def __getitem__(self, name: str) -> str:
        return self.parts.get(name, default(name))

    def with_parts(self, **changes: str) -> LayerDraft:
        """The layer with some texts changed."""
        return replace(self, parts=MappingProxyType({**self.parts, **changes}))

    @property
    def given(self) -> bool:
        """Whether the weights are written down, not made by a scheme."""
        return self["fill"] not in SCHEMES

    @property
    def has_biases(self) -> bool:
        return self["biases"] != "none"


@dataclass(frozen=True, slots=True)
class Draft:
    """A lesson that is being written."""

    texts: Mapping[str, str]
    layers: tuple[LayerDraft, ...] = ()
    x: Grid = EMPTY
    y: Grid = EMPTY
    rows: str | None = None
    """The samples as one text, a row per line, inputs and then targets; None where each number has
    a field.
    """
    drop: frozenset[str] = frozenset()
    """What of `rest` is to be left out."""
    pastes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What stands in the fields to paste into: by layer, "data" for the samples."""
    repeated: tuple[str, ...] = ()
    """Fields that came more than once."""
    samples: str = ""
    """The number of samples as it was typed; "" stands for as many as there are."""

    def __getitem__(self, name: str) -> str:
        return self.texts.get(name, default(name))

    def with_texts(self, **changes: str) -> Draft:
        """The draft with some texts changed."""
        return replace(self, texts=MappingProxyType({**self.texts, **changes}))

    def with_layer(self, number: int, layer: LayerDraft) -> Draft:
        """The draft with layer `number` (from 1) replaced."""
        return replace(self, layers=(*self.layers[: number - 1], layer, *self.layers[number:]))

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs and the units of every layer; where a text is no such number, what its table has,
        at least 1.
        """
        inputs = count(self["inputs"]) or self.x.columns or 1
        return (
            inputs,
            *(
                count(layer["units"]) or layer.weights.rows or layer.bias.columns or 1
                for layer in self.layers
            ),
        )

    @property
    def made(self) -> bool:
        """Whether a generator makes the samples; what is typed waits in its table."""
        return self["generator"].strip() != GIVEN

    @property
    def size(self) -> int:
        """How many samples there are to be, typed or made."""
        return (count(self["made_samples"], limits.SAMPLES) or 1) if self.made else self.height

    @property
    def height(self) -> int:
        """How many typed samples there are to be; a text with a row per line says so itself."""
        if self.rows is not None:
            return self.x.rows
        return count(self.samples, limits.SAMPLES) or max(self.x.rows, self.y.rows) or 1

    @property
    def output(self) -> str:
        """The activation of the last layer."""
        return self.layers[-1]["activation"] if self.layers else ""


def compact(layers: Iterable[LayerDraft]) -> tuple[LayerDraft, ...]:
    """The layers, those behind the first MOST_FIELDS numbers with their tables as text."""
    found, left = [], MOST_FIELDS
    for layer in layers:
        left -= sum(
            grid.rows * grid.columns for grid in (layer.weights, layer.bias) if grid.text is None
        )
        found.append(
            layer
            if left >= 0
            else replace(layer, weights=_long(layer.weights), bias=_long(layer.bias))
        )
    return tuple(found)


def _long(grid: Grid) -> Grid:
    return grid.as_text() if grid.cells else grid


def count(text: str, most: int = limits.UNITS) -> int:
    """A whole number from 1 to `most`, else 0."""
    return whole(text.strip(), 1, most) or 0


def frozen_texts(texts: Mapping[str, Any]) -> Mapping[str, str]:
    """Texts that nobody can change."""
    return MappingProxyType({name: str(text) for name, text in texts.items()})


# ---- as fields of a form ----

_INDEX = r"([1-9][0-9]{0,3})"
_CELL = re.compile(rf"w\[{_INDEX}\]\[{_INDEX},{_INDEX}\]", re.ASCII)
_BIAS = re.compile(rf"b\[{_INDEX}\]\[{_INDEX}\]", re.ASCII)
_SAMPLE = re.compile(rf"([xy])\[{_INDEX}\](?:@{_INDEX})?", re.ASCII)
_PART = re.compile(rf"({'|'.join(PARTS)}|w|b)\[{_INDEX}\]", re.ASCII)
_PASTE = re.compile(rf"paste\[({_INDEX}|data)\]", re.ASCII)

Place = tuple[int, int]


class Form(Protocol):
    """What is needed of a form (werkzeug's MultiDict is one)."""

    def keys(self) -> Iterable[str]: ...

    def getlist(self, key: str) -> Sequence[str]: ...


class _Sorted:
    """The fields of a form by the part that they belong to."""

    def __init__(self, form: Form) -> None:
        self.plain: dict[str, str] = {}
        self.parts: dict[int, dict[str, str]] = defaultdict(dict)
        self.cells: dict[tuple[str, int], dict[Place, str]] = defaultdict(dict)
        self.pastes: dict[str, str] = {}
        self.repeated: list[str] = []
        for name in form.keys():  # noqa: SIM118 - a MultiDict, not a dict
            values = form.getlist(name)
            self._put(name, values[0] if values else "")
            if len(values) > 1 and name not in {"do", "drop"}:
                self.repeated.append(name[:60])

    def _put(self, name: str, text: str) -> None:
        if match := _CELL.fullmatch(name):
            self.cells["w", int(match[1])][int(match[2]), int(match[3])] = text
        elif match := _BIAS.fullmatch(name):
            self.cells["b", int(match[1])][1, int(match[2])] = text
        elif match := _SAMPLE.fullmatch(name):
            self.cells[match[1], 0][int(match[3] or 1), int(match[2])] = text
        elif (match := _PART.fullmatch(name)) and int(match[2]) <= limits.LAYERS:
            self.parts[int(match[2])][match[1]] = text
        elif match := _PASTE.fullmatch(name):
            self.pastes[match[1]] = text
        elif name in {*PLAIN, "layers", "samples", "rows"}:
            self.plain[name] = text

    def grid(self, kind: str, layer: int) -> Grid:
        """The cells of one table; a place that came without a field is empty."""
        found = {
            place: text
            for place, text in self.cells.get((kind, layer), {}).items()
            if place[0] <= limits.SAMPLES
        }
        rows, columns = max((r for r, _ in found), default=0), max((c for _, c in found), default=0)
        if rows * columns > WIDEST_TABLE:
            rows, columns = min(rows, MOST_CELLS), min(columns, 4)
        return Grid(
            tuple(
                tuple(found.get((r, c), "") for c in range(1, columns + 1))
                for r in range(1, rows + 1)
            )
        )


def of_form(form: Form) -> Draft:
    """The draft that a form holds."""
    found = _Sorted(form)
    named = (n for _, n in found.cells if n <= limits.LAYERS)
    depth = max(
        [count(found.plain.get("layers", ""), limits.LAYERS), *found.parts, *named], default=0
    )
    texts = {name: text for name, text in found.plain.items() if name in PLAIN}
    x, y, rows = found.grid("x", 0), found.grid("y", 0), found.plain.get("rows")
    if rows is not None:
        x, y = split_rows(rows, count(texts.get("inputs", "")))
    return Draft(
        MappingProxyType(texts), tuple(_layer(found, n) for n in range(1, depth + 1)), x, y, rows,
        frozenset(form.getlist("drop")) & {*DROPPABLE, "rest"},
        MappingProxyType(found.pastes), tuple(found.repeated), found.plain.get("samples", ""),
    )  # fmt: skip


def _layer(found: _Sorted, number: int) -> LayerDraft:
    parts = dict(found.parts.get(number, {}))
    grids = []
    for kind in "wb":
        text = parts.pop(kind, None)
        grids.append(found.grid(kind, number) if text is None else Grid.of_text(text))
    return LayerDraft(MappingProxyType(parts), *grids)


def split_rows(text: str, inputs: int) -> tuple[Grid, Grid]:
    """The samples of a text, a row per line: as many inputs as the network has, then targets."""
    cells = lines(text)
    return Grid(tuple(row[:inputs] for row in cells)), Grid(tuple(row[inputs:] for row in cells))


def fields(draft: Draft) -> Mapping[str, str]:
    """Every field of the form of a draft, but for the buttons and what is pasted."""
    found = {name: draft[name] for name in PLAIN} | {
        "layers": str(len(draft.layers)),
        "samples": draft.samples,
    }
    for n, layer in enumerate(draft.layers, 1):
        found |= {f"{name}[{n}]": layer[name] for name in PARTS}
        found |= _table(f"w[{n}]", layer.weights, "[{r},{c}]") | _table(
            f"b[{n}]", layer.bias, "[{c}]"
        )
    if draft.rows is not None:
        return {**found, "rows": draft.rows}
    at = "@{r}" if max(draft.x.rows, draft.y.rows) > 1 else ""
    return {
        **found,
        **_table("x", replaced(draft.x), "[{c}]" + at),
        **_table("y", replaced(draft.y), "[{c}]" + at),
    }


def replaced(grid: Grid) -> Grid:
    """The same cells, each with a field of its own."""
    return Grid(grid.cells)


def _table(name: str, grid: Grid, place: str) -> dict[str, str]:
    if grid.text is not None:
        return {name: grid.text}
    return {
        name + place.format(r=r, c=c): text
        for r, row in enumerate(grid.cells, 1)
        for c, text in enumerate(row, 1)
    }

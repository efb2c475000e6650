"""A draft as fields of a form, and back. Whatever a browser sends becomes a draft: nothing is refused here.

    of_form(form)   -> Draft                what was typed, field by field
    fields(draft)   -> {field: text}        the fields that a form of this draft has
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from tutor import limits
from tutor.draft_grid import MOST_CELLS, Grid, lines
from tutor.draft_model import DROPPABLE, PARTS, PLAIN, Draft, LayerDraft, count

WIDEST_TABLE = 4 * MOST_CELLS
"""No form of ours has a table of more cells than this; a forged one gets no larger either."""
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
        found = {place: text for place, text in self.cells.get((kind, layer), {}).items() if place[0] <= limits.SAMPLES}
        rows, columns = max((r for r, _ in found), default=0), max((c for _, c in found), default=0)
        if rows * columns > WIDEST_TABLE:
            rows, columns = min(rows, MOST_CELLS), min(columns, 4)
        return Grid(tuple(tuple(found.get((r, c), "") for c in range(1, columns + 1)) for r in range(1, rows + 1)))


def of_form(form: Form) -> Draft:
    """The draft that a form holds."""
    found = _Sorted(form)
    named = (n for _, n in found.cells if n <= limits.LAYERS)
    depth = max([count(found.plain.get("layers", ""), limits.LAYERS), *found.parts, *named], default=0)
    texts = {name: text for name, text in found.plain.items() if name in PLAIN}
    x, y, rows = found.grid("x", 0), found.grid("y", 0), found.plain.get("rows")
    if rows is not None:
        x, y = split_rows(rows, count(texts.get("inputs", "")))
    return Draft(
        MappingProxyType(texts), tuple(_layer(found, n) for n in range(1, depth + 1)), x, y, rows,
        frozenset(form.getlist("drop")) & {*DROPPABLE, "rest"}, MappingProxyType(found.pastes), tuple(found.repeated),
        found.plain.get("samples", ""),
    )  # fmt: skip


def _layer(found: _Sorted, number: int) -> LayerDraft:
    parts = dict(found.parts.get(number, {}))
    grids = []
    for kind in "wb":
        text = parts.pop(kind, None)
        grids.append(found.grid(kind, number) if text is None else Grid.of_text(text))
    return LayerDraft(MappingProxyType(parts), *grids)


def split_rows(text: str, inputs: int) -> tuple[Grid, Grid]:
    """The samples of a text with a row per line: as many inputs as the network has, the rest are targets."""
    cells = lines(text)
    return Grid(tuple(row[:inputs] for row in cells)), Grid(tuple(row[inputs:] for row in cells))


def fields(draft: Draft) -> Mapping[str, str]:
    """Every field of the form of a draft, but for the buttons and what is pasted."""
    found = {name: draft[name] for name in PLAIN} | {"layers": str(len(draft.layers)), "samples": draft.samples}
    for n, layer in enumerate(draft.layers, 1):
        found |= {f"{name}[{n}]": layer[name] for name in PARTS}
        found |= _table(f"w[{n}]", layer.weights, "[{r},{c}]") | _table(f"b[{n}]", layer.bias, "[{c}]")
    if draft.rows is not None:
        return {**found, "rows": draft.rows}
    at = "@{r}" if max(draft.x.rows, draft.y.rows) > 1 else ""
    return {**found, **_table("x", replaced(draft.x), "[{c}]" + at), **_table("y", replaced(draft.y), "[{c}]" + at)}


def replaced(grid: Grid) -> Grid:
    """The same cells, each with a field of its own."""
    return Grid(grid.cells)


def _table(name: str, grid: Grid, place: str) -> dict[str, str]:
    if grid.text is not None:
        return {name: grid.text}
    return {
        name + place.format(r=r, c=c): text for r, row in enumerate(grid.cells, 1) for c, text in enumerate(row, 1)
    }

"""Where the parts of a network diagram stand. Plain arithmetic over layer sizes; knows no values
and draws nothing.

A unit is a card with a place for each of its numbers: z and a side by side, under each the
derivative of the loss with respect to it, and da/dz below; behind a skip connection the sum r has a
place of its own at the right. In front of each card stands the list of its bias and weights, with
their gradients; each edge ends at the line of its weight, so no number lies on another edge. Units
are SVG user units; at the diagram's natural width one of them is one CSS pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from math import hypot

MOST_UNITS, MOST_COLUMNS, MOST_TARGETS = 6, 5, 4
"""A layer with more units, a network with more columns, a list of more targets is elided."""
MOST_LISTED = 4
"""Up to so many inputs and units of all layers every weight stands in a list."""
HEADER, FOOTER, MARGIN = 34, 38, 5
LOSS_GAP, LOSS_HALF, LOSS_HEIGHT, TARGET_PITCH = 50, 30, 26, 28
LOSS_ABOVE, LOSS_BELOW = 64, 62
"""What the losses take up above and below their middle: both of them with their names, and what the
loss fell by.
"""
LINE, STACKED = 17, 27
"""The height of a line of a list; of one with the gradient below its weight."""
NAME, GAP = 18, 10
"""The height of the names above a card; the room between one card and the names of the next."""
LONG = 4
"""Numbers with more decimals than this get more room."""
DEEP = 4
"""From so many layers on gradients stand below their weights, so that the diagram stays narrow."""
FLOW, DEEP_FLOW = 46, 36
"""How far it is from a card to the next list: the room for the edges; less in a deep network."""
SAG, LANE = 26, 8
"""How deep a skip connection between neighbours hangs; how far apart those round others lie."""

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Column:
    """What is shown of one list of units: (unit, y) pairs, and (how many are left out, y) where
    some are. y is the middle of a card.
    """

    layer: int
    x: int
    """The left edge of the cards."""
    spots: tuple[tuple[int, float], ...]
    breaks: tuple[tuple[int, float], ...]
    cells: int = 1
    """How many numbers stand side by side in a card."""
    entrance: int = 0
    """The left edge of the lists of weights."""


@dataclass(frozen=True, slots=True)
class Skip:
    """The way of a skip connection from a unit to the one that adds its value."""

    source: int
    target: int
    """Layers; 0 is the input."""
    unit: int
    path: str
    """From the source to the target, as the `d` of an SVG path."""
    ends: tuple[tuple[Place, Place], tuple[Place, Place]]
    """Where it starts and where it ends, each with a place from which an arrow's head points there.
    """


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of everything in a diagram."""

    width: int
    height: int
    cell: int
    """The width of a number's place in a card."""
    row: int
    """The height of a card's row."""
    stacked: bool
    """Whether gradients stand below their weights, or beside them."""
    columns: tuple[Column, ...]
    targets: Column
    loss: Place
    skips: tuple[Skip, ...] = ()

    def __hash__(self) -> int:  # asked for at every step, so not over the place of each unit
        return hash((self.width, self.height, self.row, len(self.columns)))

    def gaps(self) -> tuple[tuple[Column, Column], ...]:
        """Neighbouring columns, also where layers between them are left out."""
        return tuple(pairwise(self.columns))

    @property
    def tight(self) -> bool:
        """Whether the type is smaller, since a layer has many units."""
        return self.row < ROW

    @property
    def listed(self) -> bool:
        """Whether every weight stands in a list, or only those that a step is about."""
        return not self.tight

    @property
    def beside(self) -> int:
        """How far the middle of a gradient is from where its line begins."""
        return 3 * self.cell // 2 - 8

    @property
    def middle(self) -> float:
        return HEADER + (self.height - HEADER - FOOTER) / 2

    def top(self, y: float) -> float:
        """The upper edge of a card whose middle is y."""
        return y - ROWS * self.row / 2

    def right(self, column: Column) -> int:
        """The right edge of a column's cards."""
        return column.x + column.cells * self.cell

    def centre(self, column: Column) -> int:
        """The middle of a column's cards."""
        return (column.x + self.right(column)) // 2

    def bottom(self, column: Column, y: float) -> float:
        """The lower edge of a card; that of an input is one row high."""
        return self.top(y) + (ROWS if column.layer else 1) * self.row

    def place(self, column: Column, y: float, row: int, cell: float) -> Place:
        """The middle of a number's baseline in a card, by row and cell from 0."""
        return column.x + (cell + 0.5) * self.cell, self.top(y) + (row + 0.5) * self.row + 5

    def leaves(self, column: Column, y: float, row: int = 0) -> Place:
        """Where edges leave a card: at its right, beside a row."""
        return self.right(column), self.top(y) + (row + 0.5) * self.row

    def line(self, column: Column, y: float, n: int, count: int) -> Place:
        """Where line n of a list of so many lines begins: there its edge ends."""
        return column.entrance, y + (n - (count - 1) / 2) * (STACKED if self.stacked else LINE)


ROWS, ROW, TIGHT_ROW = 3, 18, 14
"""The rows of a card and their height; less where a layer has many units."""


def cell(decimals: int, *, tight: bool = False) -> int:
    """The width of a number's place: for so many decimals and a sign, six at most."""
    return (56 if decimals <= LONG else 64) - 6 * tight


@lru_cache(maxsize=512)
def arrange(
    sizes: tuple[int, ...],
    units: frozenset[tuple[int, int]] = frozenset(),
    decimals: int = LONG,
    skips: tuple[tuple[int, int], ...] = (),
) -> Layout:
    """Lay a network out; `units` are (layer, unit) pairs that must be seen where something is left
    out.

    `skips`: from which layer to which the skip connections go.
    """
    if (
        units
        and len(sizes) <= MOST_COLUMNS
        and max(sizes) <= MOST_UNITS
        and sizes[-1] <= MOST_TARGETS
    ):
        return arrange(sizes, decimals=decimals, skips=skips)
    layers = chosen_layers(len(sizes), {layer for layer, _ in units})
    tight = max(sizes) > MOST_LISTED
    wide = cell(decimals, tight=tight)
    stacked = len(layers) > DEEP
    row = TIGHT_ROW if tight else ROW
    lines = 0 if tight else 1 + max(sizes[:-1])
    pitch = max(ROWS * row + NAME, lines * (STACKED if stacked else LINE)) + (
        GAP // 2 if tight else GAP
    )
    pitch += SAG if skips else 0
    shown = [
        chosen_units(sizes[layer], {unit for at, unit in units if at == layer}) for layer in layers
    ]
    targets = chosen_units(
        sizes[-1], {unit for at, unit in units if at == len(sizes) - 1}, most=MOST_TARGETS
    )
    needed = LOSS_ABOVE + LOSS_BELOW + TARGET_PITCH * length(targets)
    tall = max(pitch * max(map(length, shown)), needed)
    middle = HEADER + tall / 2
    columns: list[Column] = []
    x = MARGIN
    for layer, rows in zip(layers, shown, strict=True):
        entrance = x + (DEEP_FLOW if stacked else FLOW)
        if layer:
            x = entrance + (wide if stacked else 2 * wide - 6)
        top = middle - pitch * length(rows) / 2 + (NAME - (SAG if skips else 0)) / 2
        cells = 1 if not layer else 3 if any(target == layer for _, target in skips) else 2
        columns.append(replace(column(layer, x, rows, pitch, top), cells=cells, entrance=entrance))
        x += cells * wide
    loss = x + LOSS_GAP, min(middle, HEADER + tall - needed + LOSS_ABOVE)
    listed = column(len(sizes), loss[0], targets, TARGET_PITCH, loss[1] + LOSS_HEIGHT + 30)
    layout = Layout(
        loss[0] + LOSS_HALF + MARGIN, round(HEADER + tall + FOOTER), wide, row,
        stacked, tuple(columns), listed, loss,
    )  # fmt: skip
    return _with_skips(layout, skips) if skips else layout


def _with_skips(layout: Layout, skips: tuple[tuple[int, int], ...]) -> Layout:
    """The same with the skip connections, and room below for those that go round columns."""
    place = {column.layer: n for n, column in enumerate(layout.columns)}
    ways: list[Skip] = []
    floors: list[tuple[int, int, int]] = []
    """(first column, last column, lowest lane) of those that go round."""
    for first, last in ((place[a], place[b]) for a, b in skips if a in place and b in place):
        left, right = layout.columns[first], layout.columns[last]
        pairs = same_units(left, right)
        if last == first + 1:
            ways += [_hanging(layout, left, right, *pair) for pair in pairs]
            continue
        lane = max((deep for start, end, deep in floors if start < last and first < end), default=0)
        floors.append((first, last, lane + len(pairs)))
        for n, pair in enumerate(pairs):
            ways.append(_around(layout, left, right, *pair, len(pairs) - n - 1, lane + n))
    deepest = max((deep for *_, deep in floors), default=0)
    height = layout.height + LANE * deepest + (6 if deepest else 0)
    return replace(layout, height=height, skips=tuple(ways))


def _hanging(layout: Layout, left: Column, right: Column, unit: int, y1: float, y2: float) -> Skip:
    """The way to the next column: a bow below the list, up to the place of the sum."""
    start = layout.right(left) - 3, layout.bottom(left, y1)
    end = layout.right(right) - layout.cell / 2, layout.bottom(right, y2)
    low = max(y1, y2) + ROWS * layout.row / 2 + SAG - 8
    path = f"M{_at(start)}Q{start[0]:.1f} {low:.1f} {start[0] + 20:.1f} {low:.1f}"
    path += f"H{end[0] - 20:.1f}Q{end[0]:.1f} {low:.1f} {_at(end)}"
    return Skip(
        left.layer, right.layer, unit, path, ((start, (start[0], low)), (end, (end[0], low)))
    )


def _around(
    layout: Layout,
    left: Column,
    right: Column,
    unit: int,
    y1: float,
    y2: float,
    below: int,
    lane: int,
) -> Skip:
    """The way round other columns: down beside the source, along below all, up beside the target.

    The upper units, which have some `below` them, turn later and run higher up, so that ways from
    the same column do not cross.
    """
    start = layout.leaves(left, y1, 2 if left.layer else 0)
    end = layout.leaves(right, y2, 2)
    out = 5 + (LANE - 3) * below
    x1, x2 = start[0] + out, end[0] + out
    floor = layout.height - FOOTER + LANE * lane + 4
    path = (
        f"M{_at(start)}Q{x1} {start[1]:.1f} {x1} {start[1] + 8:.1f}"
        f"V{floor - 12}Q{x1} {floor} {x1 + 12} {floor}H{x2 - 12}Q{x2} {floor} {x2} {floor - 12}"
        f"V{end[1] + 8:.1f}Q{x2} {end[1]:.1f} {_at(end)}"
    )
    ends = (start, (x1, start[1])), (end, (x2, end[1]))
    return Skip(left.layer, right.layer, unit, path, ends)


def _at(place: Place) -> str:
    return f"{place[0]:.1f} {place[1]:.1f}"


def same_units(source: Column, target: Column) -> list[tuple[int, float, float]]:
    """The units that are seen in both columns: (unit, y in the one, y in the other)."""
    places = dict(source.spots)
    return [(unit, places[unit], y) for unit, y in target.spots if unit in places]


def chosen_layers(count: int, wanted: set[int], most: int = MOST_COLUMNS) -> list[int]:
    """Which layers have a column: all, or the first, the last, those wanted, and what else there is
    room for.
    """
    if count <= most:
        return list(range(count))
    kept = {0, count - 1} | (wanted if len(wanted | {0, count - 1}) <= most else set())
    for layer in [x for near in range(1, count) for x in (near, count - 1 - near)]:
        if len(kept) < most:
            kept.add(layer)
    return sorted(kept)


def chosen_units(count: int, wanted: set[int], most: int = MOST_UNITS) -> list[int]:
    """Which units are shown, from 1; −n stands for n that are left out."""
    if count <= most:
        return list(range(1, count + 1))
    kept = sorted({1, 2, count, *sorted(wanted)[:3]} | ({3} if most > MOST_TARGETS else set()))
    rows: list[int] = []
    for unit, before in zip(kept, [0, *kept], strict=False):
        rows += [before + 1 - unit] if unit - before > 1 else []
        rows.append(unit)
    return rows


def length(rows: list[int]) -> float:
    """The length of a column in pitches; a gap takes two thirds of one."""
    return sum(1 if row > 0 else 2 / 3 for row in rows)


def column(layer: int, x: int, rows: list[int], pitch: float, top: float) -> Column:
    """Stack rows from `top` downwards."""
    spots: list[tuple[int, float]] = []
    breaks: list[tuple[int, float]] = []
    for row in rows:
        height = pitch if row > 0 else pitch * 2 / 3
        (spots if row > 0 else breaks).append((abs(row), round(top + height / 2, 1)))
        top += height
    return Column(layer, x, tuple(spots), tuple(breaks))


def trimmed(
    start: Place, end: Place, before: float, after: float
) -> tuple[float, float, float, float]:
    """The line from `start` to `end` without its first and last bit: (x1, y1, x2, y2)."""
    (x1, y1), (x2, y2) = start, end
    long = hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / long, (y2 - y1) / long
    return x1 + dx * before, y1 + dy * before, x2 - dx * after, y2 - dy * after

"""Where the parts of a network diagram stand. Plain arithmetic over layer sizes; knows no values
and draws nothing.

A unit is a card with a place for each of its numbers. Flat: z, then a in the upper row, and below
them ∂L/∂z, ∂a/∂z, ∂L/∂a; behind a softmax the derivatives ∂a/∂z take a row of the matrix that they
form. Tall, where a network is deep: z and a, the derivatives with respect to them, ∂a/∂z in a row
of its own. Behind a skip connection the sum r has a place at the right. In front of each card
stands the list of its bias and weights, with their gradients; each edge ends at the line of its
weight, so no number lies on another edge.

Of these shapes a network gets the one in which its type is largest beside a formula. Where that
would still be too small to read, its layers are gathered: those that a step is about are open, of
the others one sees what they pass on. Units are SVG user units; at the diagram's natural width one
of them is one CSS pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, product
from math import hypot

MOST_UNITS, MOST_COLUMNS, MOST_TARGETS = 8, 7, 4
"""A layer with more units, a network with more columns, a list of more targets is elided."""
FEW_COLUMNS = 5
"""How many columns a network has that is elided."""
MOST_CLASSES = 5
"""Up to so many units of a softmax the derivatives between them are all shown."""
STAGE = 838, 300
"""The room beside a formula on a laptop, in CSS pixels."""
READABLE = 11.0
"""Below this size of type, in CSS pixels, the layers of a network are gathered."""
FEW_OPEN = 2
"""So many layers are open in any case, where a step is about no more; one more for each skip
connection that may bring another one in.
"""
HEADER, FOOTER, MARGIN = 22, 24, 5
LOSS_GAP, LOSS_HALF, LOSS_HEIGHT, TARGET_PITCH = 36, 30, 26, 28
LOSS_ABOVE, LOSS_BELOW = 82, 62
"""What the losses take up above and below their middle: both of them with their names, and what the
loss fell by.
"""
LINE, STACKED, TIGHT_STACKED = 16, 35, 27
"""The height of a line of a list; of one with the gradient below its weight, in both sizes of type.
"""
NAME, GAP = 18, 8
"""The height of the names above a card; the room between one card and the names of the next."""
LONG = 4
"""Numbers with more decimals than this get more room."""
FLOW, NARROW_FLOW = 36, 28
"""How far it is from a card to the next list, the room for the edges; less in a deep network, and
to a layer that is not open.
"""
TYPE, TIGHT_TYPE = 14, 12
"""The size of the type; smaller where layers are gathered."""
ROW, TIGHT_ROW = 18, 14
"""The height of a card's row."""
ROWS_OF_FLAT = 2
"""How many rows a card has, unless the slopes have a row of their own."""
INPUT_NAME = 30
"""The room for the name of an input beside it, where layers are gathered."""
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
    rows: int = 2
    """How many rows a card has, with the one below an input or the one with a name."""
    slopes: int = 0
    """How many derivatives ∂a/∂z stand between z and a; 0 where they have a row of their own."""
    named: bool = False
    """Whether a card has one number only, under its name."""

    def cell(self, n: int) -> int:
        """The cell of z, a, d or r, which count from 0."""
        return n + self.slopes * (n > 0)

    @property
    def open(self) -> bool:
        """Whether a card has a place for every number of its unit."""
        return self.cells > 1

    @property
    def first(self) -> int:
        """The row of its values."""
        return int(self.named)


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
        """Whether layers are gathered, with smaller type and names inside the cards."""
        return self.row < ROW

    @property
    def type(self) -> int:
        """The size of the type."""
        return TIGHT_TYPE if self.tight else TYPE

    @property
    def listed(self) -> bool:
        """Whether every weight stands in a list, or only those that a step is about."""
        return not self.tight

    @property
    def line_height(self) -> int:
        """The height of a line of a list."""
        return (TIGHT_STACKED if self.tight else STACKED) if self.stacked else LINE

    @property
    def beside(self) -> int:
        """How far the middle of a gradient is from where its line begins."""
        return 3 * self.cell // 2 - 4

    @property
    def middle(self) -> float:
        return HEADER + (self.height - HEADER - FOOTER) / 2

    def top(self, column: Column, y: float) -> float:
        """The upper edge of a card whose middle is y."""
        return y - column.rows * self.row / 2

    def right(self, column: Column) -> int:
        """The right edge of a column's cards."""
        return column.x + column.cells * self.cell

    def centre(self, column: Column) -> int:
        """The middle of a column's cards."""
        return (column.x + self.right(column)) // 2

    def outline(self, column: Column, y: float) -> tuple[float, float]:
        """The upper and the lower edge of what is drawn of a card: of an input its first row, of a
        layer that is not open the row below its name.
        """
        top = self.top(column, y) + column.first * self.row
        return top, top + (column.rows if column.open else 1) * self.row

    def bottom(self, column: Column, y: float) -> float:
        """The lower edge of a card."""
        return self.outline(column, y)[1]

    def place(self, column: Column, y: float, row: int, cell: float) -> Place:
        """The middle of a number's baseline in a card, by row and cell from 0."""
        down = (column.first + row + 0.5) * self.row + self.type / 2 - 2
        return column.x + (cell + 0.5) * self.cell, self.top(column, y) + down

    def leaves(self, column: Column, y: float, row: int = 0) -> Place:
        """Where edges leave a card: at its right, beside a row."""
        row = column.first if column.named else row
        return self.right(column), self.top(column, y) + (row + 0.5) * self.row

    def enters(self, column: Column, y: float) -> Place:
        """Where edges reach a card without a list."""
        return column.x, y + column.first * self.row / 2

    def line(self, column: Column, y: float, n: int, count: int) -> Place:
        """Where line n of a list of so many lines begins: there its edge ends."""
        high = self.line_height
        half = (count - 1) / 2 * high
        lowest, highest = self.height - FOOTER - half - high / 2, HEADER + half + high / 2
        return column.entrance, max(highest, min(y, lowest)) + n * high - half


def cell(decimals: int, *, tight: bool = False) -> int:
    """The width of a number's place: for so many decimals and a sign, six at most."""
    return (54 if decimals <= LONG else 62) - 6 * tight


@lru_cache(maxsize=512)
def arrange(
    sizes: tuple[int, ...],
    units: frozenset[tuple[int, int]] = frozenset(),
    decimals: int = LONG,
    skips: tuple[tuple[int, int], ...] = (),
    matrices: frozenset[int] = frozenset(),
    layers: frozenset[int] = frozenset(),
    dropped: frozenset[int] = frozenset(),
) -> Layout:
    """Lay a network out; `units` are (layer, unit) pairs that must be seen where something is left
    out, `layers` those that are open where layers are gathered.

    `skips`: from which layer to which the skip connections go. `matrices`: the layers in which each
    activation depends on every pre-activation. `dropped`: those with dropout.
    """
    whole = len(sizes) <= MOST_COLUMNS and max(sizes) <= MOST_UNITS and sizes[-1] <= MOST_TARGETS
    if whole and units:
        return arrange(sizes, frozenset(), decimals, skips, matrices, layers, dropped)
    if whole and layers:
        layout = arrange(sizes, units, decimals, skips, matrices, dropped=dropped)
        if layout.listed:
            return layout
    whole = whole or max(sizes) <= MOST_UNITS
    network = _Network(sizes, units, decimals, skips, matrices, dropped)
    if whole and len(sizes) <= FEW_COLUMNS:
        shapes = product((True,) if matrices else (True, False), (False, True))
        layouts = [network.laid_out(flat=flat, stacked=stacked) for flat, stacked in shapes]
        best = max(layouts, key=_type_on_stage)
        if _type_on_stage(best) >= READABLE:
            return best
    return _gathered(network, layers)


def _gathered(network: _Network, layers: frozenset[int]) -> Layout:
    """Those layers open, the others gathered. Of a whole phase, which is about all of them, so many
    of the last ones as can be read.
    """
    layout = network.laid_out(flat=True, stacked=True, gathered=layers)
    if len(layers) <= FEW_OPEN + len(network.skips):
        return layout
    while len(layers) > 1 and _type_on_stage(layout) < READABLE:
        layers -= {min(layers)}
        layout = network.laid_out(flat=True, stacked=True, gathered=layers)
    return layout


def _type_on_stage(layout: Layout) -> float:
    """How large the type is beside a formula, in CSS pixels."""
    return layout.type * min(STAGE[0] / layout.width, STAGE[1] / layout.height)


@dataclass(frozen=True, slots=True)
class _Network:
    """What there is to lay out."""

    sizes: tuple[int, ...]
    units: frozenset[tuple[int, int]]
    decimals: int
    skips: tuple[tuple[int, int], ...]
    matrices: frozenset[int]
    dropped: frozenset[int]

    def laid_out(
        self, *, flat: bool, stacked: bool, gathered: frozenset[int] | None = None
    ) -> Layout:
        """In one of the shapes. `gathered`: the layers that are open where not all of them are."""
        sizes, tight = self.sizes, gathered is not None
        wide, row = cell(self.decimals, tight=tight), TIGHT_ROW if tight else ROW
        shown = self._shown_layers(gathered or frozenset())
        listed = gathered is None or len(gathered) <= MOST_OPEN
        columns: list[Column] = []
        x, pitches = MARGIN + INPUT_NAME * tight, {}
        for layer, _ in shown:
            is_open = layer > 0 and (gathered is None or layer in gathered)
            form = self._form(layer, flat=flat, is_open=is_open, tight=tight)
            entrance = x + (NARROW_FLOW if stacked or not is_open else FLOW)
            if layer:
                x = entrance + is_open * listed * (wide + 4 if stacked else 2 * wide - 4)
            lines = 0 if tight or not layer else 1 + sizes[layer - 1]
            pitches[layer] = self._pitch(form, row, lines * (STACKED if stacked else LINE))
            columns.append(replace(form, x=x, entrance=entrance))
            x += form.cells * wide
        targets = chosen_units(sizes[-1], self._wanted(len(sizes) - 1), most=MOST_TARGETS)
        needed = LOSS_ABOVE + LOSS_BELOW + TARGET_PITCH * length(targets)
        tall = max(needed, *(pitches[layer] * length(rows) for layer, rows in shown))
        middle = HEADER + tall / 2
        shift = ((0 if tight else NAME) - (SAG if self.skips else 0)) / 2
        for n, (layer, rows) in enumerate(shown):
            top = middle - pitches[layer] * length(rows) / 2 + shift
            placed = column(layer, 0, rows, pitches[layer], top)
            columns[n] = replace(columns[n], spots=placed.spots, breaks=placed.breaks)
        loss = x + LOSS_GAP, min(middle, HEADER + tall - needed + LOSS_ABOVE)
        layout = Layout(
            loss[0] + LOSS_HALF + MARGIN, round(HEADER + tall + FOOTER), wide, row, stacked,
            tuple(columns),
            column(len(sizes), loss[0], targets, TARGET_PITCH, loss[1] + LOSS_HEIGHT + 30), loss,
        )  # fmt: skip
        return _with_skips(layout, self.skips) if self.skips else layout

    def _wanted(self, layer: int) -> set[int]:
        return {unit for at, unit in self.units if at == layer}

    def _shown_layers(self, gathered: frozenset[int]) -> list[tuple[int, list[int]]]:
        """The layers that have a column, each with its rows."""
        count = len(self.sizes)
        most = MOST_COLUMNS if count <= MOST_COLUMNS else FEW_COLUMNS
        layers = chosen_layers(count, {layer for layer, _ in self.units} | gathered, most)
        return [(layer, chosen_units(self.sizes[layer], self._wanted(layer))) for layer in layers]

    def _form(self, layer: int, *, flat: bool, is_open: bool, tight: bool) -> Column:
        """A column without its place."""
        if not is_open:
            return Column(layer, 0, (), (), named=tight and layer > 0)
        more = any(target == layer for _, target in self.skips) + (layer in self.dropped)
        size = self.sizes[layer]
        matrix = layer in self.matrices and size <= MOST_CLASSES
        slopes = size if matrix else int(flat)
        return Column(layer, 0, (), (), 2 + slopes + more, rows=2 if slopes else 3, slopes=slopes)

    def _pitch(self, form: Column, row: int, listed: int) -> float:
        """How far it is from one card to the next."""
        tight = row < ROW
        high = form.rows * row + (0 if tight else NAME)
        return max(high, listed) + (GAP - 3 * tight) + (SAG if self.skips else 0)


MOST_OPEN = 3
"""Of more open layers the weights are not listed."""


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
    low = max(start[1], end[1]) + SAG - 8
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
    start = layout.leaves(left, y1, left.rows - 1 if left.open else 0)
    end = layout.leaves(right, y2, right.rows - 1 if right.open else 0)
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


def chosen_layers(count: int, wanted: set[int], most: int = FEW_COLUMNS) -> list[int]:
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

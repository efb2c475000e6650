"""Where the parts of a network diagram stand. Plain arithmetic over layer sizes; knows no values
and draws nothing.

Every column has a strip as wide as its circles, which holds the circle and all that is written
above and below it. The numbers on edges stay between the strips, so the two can never meet. Units
are SVG user units; at the diagram's natural width one of them is one CSS pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from math import hypot, sqrt

MOST_UNITS, MOST_COLUMNS, MOST_TARGETS = 8, 6, 4
"""A layer with more units, a network with more columns, a list of more targets is elided."""
HEADER, FOOTER, MARGIN = 38, 24, 30
LOSS_GAP, LOSS_HALF, LOSS_HEIGHT, TARGET_PITCH = 92, 30, 26, 28
LOSS_ABOVE, LOSS_BELOW = 64, 62
"""What the losses take up above and below their middle: both of them with their names, and what the
loss fell by.
"""
LINE = 15
"""The height of one line of text on an edge."""
LONG = 4
"""Numbers with more decimals than this get more room."""
RISE, TIGHT_RISE = 10, 9
"""Half the height of the band for a in a unit with a skip connection; z and r are domes."""
RETURN, TIGHT_RETURN = 38, 15
"""The height of dL/dr below such a unit: its name and its number, or the number alone."""
SAG, LANE = 50, 8
"""How deep a skip connection between neighbours hangs; how far apart those round others lie."""
STEPS, LONG_STEPS = {4: 154, 5: 126, 6: 108}, {4: 172, 5: 138, 6: 116}
"""From column to column, where there are so many."""

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Column:
    """What is shown of one list of units: (unit, y) pairs, and (how many are left out, y) where
    some are.
    """

    layer: int
    x: int
    spots: tuple[tuple[int, float], ...]
    breaks: tuple[tuple[int, float], ...]


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
    radius: int
    strip: int
    """Half the width of the strip that belongs to the units of a column."""
    roomy: bool
    """Whether there is room above and below a unit for all that belongs to it."""
    columns: tuple[Column, ...]
    targets: Column
    loss: Place
    rise: int = 0
    """By how much the ends of a unit with a skip connection are away from its middle."""
    below: int = 0
    """The room between such a unit and its bias, for the derivative by what it passes on."""
    tall: frozenset[int] = frozenset()
    """The layers of such units."""
    skips: tuple[Skip, ...] = ()

    def lift(self, layer: int) -> int:
        """How much higher than half a circle the upper half of a unit is, and the lower one."""
        return self.rise if layer in self.tall else 0

    def reach(self, layer: int, middle: Place, other: Place) -> float:
        """How far it is from the middle of a unit to its edge, towards another place."""
        lift = self.lift(layer)
        if not lift:
            return self.radius
        across, up = abs(other[0] - middle[0]), abs(other[1] - middle[1])
        long = hypot(across, up)
        if self.radius * up <= lift * across:
            return self.radius * long / across
        return (lift * up + sqrt((self.radius * long) ** 2 - (lift * across) ** 2)) / long

    def __hash__(self) -> int:  # asked for at every step, so not over the place of each unit
        return hash((self.width, self.height, self.radius, len(self.columns)))

    def gaps(self) -> tuple[tuple[Column, Column], ...]:
        """Neighbouring columns, also where layers between them are left out."""
        return tuple(pairwise(self.columns))

    @property
    def middle(self) -> float:
        return HEADER + (self.height - HEADER - FOOTER) / 2


def strip(decimals: int) -> int:
    """Half the width of a column's strip: as wide as a number of so many decimals with its sign,
    six at most.
    """
    return 28 if decimals <= LONG else 32


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
    roomy = max(sizes) <= 4
    half, more = strip(decimals), 2 * (strip(decimals) - strip(LONG))
    radius, pitch = (half, 130 + more) if roomy else (half - 3, 90 + more)
    rise, below = ((RISE, RETURN) if roomy else (TIGHT_RISE, TIGHT_RETURN)) if skips else (0, 0)
    pitch += 2 * rise + below + (4 if skips and roomy else 0)
    step = (STEPS if decimals <= LONG else LONG_STEPS)[max(len(layers), 4)]
    shown = [
        chosen_units(sizes[layer], {unit for at, unit in units if at == layer}) for layer in layers
    ]
    tall = max(pitch * length(rows) for rows in shown)
    targets = chosen_units(
        sizes[-1], {unit for at, unit in units if at == len(sizes) - 1}, most=MOST_TARGETS
    )
    needed = LOSS_ABOVE + LOSS_BELOW + TARGET_PITCH * length(targets)
    tall = max(tall, needed)
    middle = HEADER + tall / 2
    top = middle - below // 3
    columns = tuple(
        column(layer, MARGIN + more // 2 + n * step, rows, pitch, top - pitch * length(rows) / 2)
        for n, (layer, rows) in enumerate(zip(layers, shown, strict=True))
    )
    x = columns[-1].x + LOSS_GAP
    y = min(middle, HEADER + tall - needed + LOSS_ABOVE)
    listed = column(len(sizes), x, targets, TARGET_PITCH, y + LOSS_HEIGHT + 30)
    layout = Layout(
        x + LOSS_HALF + 6, round(HEADER + tall + FOOTER), radius, half, roomy, columns, listed, (x, y),
        rise, below, frozenset(target for _, target in skips),
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


def same_units(source: Column, target: Column) -> list[tuple[int, float, float]]:
    """The units that are seen in both columns: (unit, y in the one, y in the other)."""
    places = dict(source.spots)
    return [(unit, places[unit], y) for unit, y in target.spots if unit in places]


def _hanging(layout: Layout, left: Column, right: Column, unit: int, y1: float, y2: float) -> Skip:
    """The way to the next column: a bow below the straight edge."""
    start = _rim(layout, left, y1, 1, 0.8)
    end = _rim(layout, right, y2, -1, 0.5)
    control = ((start[0] + end[0]) / 2, max(start[1], end[1]) + SAG - layout.radius)
    path = f"M{_at(start)}Q{_at(control)} {_at(end)}"
    return Skip(left.layer, right.layer, unit, path, ((start, control), (end, control)))


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
    start, end = _rim(layout, left, y1, 1, 0.6), _rim(layout, right, y2, -1, 0.4)
    out = 7 + (LANE - 2) * below
    x1, x2 = left.x + layout.strip + out, right.x - layout.strip - out
    floor = layout.height - FOOTER + LANE * lane + 4
    path = (
        f"M{_at(start)}Q{x1} {start[1]:.1f} {x1} {start[1] + 14:.1f}"
        f"V{floor - 12}Q{x1} {floor} {x1 + 12} {floor}H{x2 - 12}Q{x2} {floor} {x2} {floor - 12}"
        f"V{end[1] + 14:.1f}Q{x2} {end[1]:.1f} {_at(end)}"
    )
    ends = (start, (x1, start[1])), (end, (x2, end[1]))
    return Skip(left.layer, right.layer, unit, path, ends)


def _at(place: Place) -> str:
    return f"{place[0]:.1f} {place[1]:.1f}"


def _rim(layout: Layout, column: Column, y: float, side: int, down: float) -> Place:
    """A place on the lower edge of a unit, right (1) or left (-1) of its middle.

    `down`: how far down its dome, as a share of the radius.
    """
    x = column.x + side * layout.radius * sqrt(1 - down * down)
    return x, y + layout.lift(column.layer) + layout.radius * down


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


@lru_cache(maxsize=4096)
def crossing(
    edges: tuple[tuple[float, float], ...], lines: tuple[int, ...], low: float
) -> float | None:
    """The share t of the way at which all edges (y1, y2) can carry labels without meeting; None
    where there is none.

    Labels stand one above the other at the same t, each `lines` high; `low` and 1 − `low` bound t.
    Of the shares that leave enough room the one nearest the middle wins.
    """
    free = [t for n in range(26) for t in (0.5 - n / 50, 0.5 + n / 50) if low <= t <= 1 - low]
    return next((t for t in free if _apart(edges, lines, t)), None)


def _apart(edges: Sequence[tuple[float, float]], lines: Sequence[int], t: float) -> bool:
    places = sorted((y1 + t * (y2 - y1), high) for (y1, y2), high in zip(edges, lines, strict=True))
    return all(
        below - above >= LINE * (high + low) / 2 for (above, high), (below, low) in pairwise(places)
    )

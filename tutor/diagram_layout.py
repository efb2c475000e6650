"""Where the parts of a network diagram stand. Plain arithmetic over layer sizes; knows no values and draws nothing.

Every column has a strip as wide as its circles, which holds the circle and all that is written above and below
it. The numbers on edges stay between the strips, so the two can never meet. Units are SVG user units; at the
diagram's natural width one of them is one CSS pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import hypot

MOST_UNITS, MOST_COLUMNS, MOST_TARGETS = 8, 6, 4
"""A layer with more units, a network with more columns, a list of more targets is elided."""
HEADER, FOOTER, MARGIN = 38, 24, 30
LOSS_GAP, LOSS_HALF, LOSS_HEIGHT, TARGET_PITCH = 92, 30, 26, 28
LOSS_ABOVE, LOSS_BELOW = 64, 62
"""What the losses take up above and below their middle: both of them with their names, and what the loss fell by."""
LINE = 15
"""The height of one line of text on an edge."""
LONG = 4
"""Numbers with more decimals than this get more room."""
STEPS, LONG_STEPS = {4: 154, 5: 126, 6: 108}, {4: 172, 5: 138, 6: 116}
"""From column to column, where there are so many."""

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Column:
    """What is shown of one list of units: (unit, y) pairs, and (how many are left out, y) where some are."""

    layer: int
    x: int
    spots: tuple[tuple[int, float], ...]
    breaks: tuple[tuple[int, float], ...]


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

    def __hash__(self) -> int:  # asked for at every step, so not over the place of each unit
        return hash((self.width, self.height, self.radius, len(self.columns)))

    def gaps(self) -> tuple[tuple[Column, Column], ...]:
        """Neighbouring columns, also where layers between them are left out."""
        return tuple(pairwise(self.columns))

    @property
    def middle(self) -> float:
        return HEADER + (self.height - HEADER - FOOTER) / 2


def strip(decimals: int) -> int:
    """Half the width of a column's strip: as wide as a number of so many decimals with its sign, six at most."""
    return 28 if decimals <= LONG else 32


@lru_cache(maxsize=512)
def arrange(sizes: tuple[int, ...], units: frozenset[tuple[int, int]] = frozenset(), decimals: int = LONG) -> Layout:
    """Lay a network out; `units` are (layer, unit) pairs that must be seen where something is left out."""
    if units and len(sizes) <= MOST_COLUMNS and max(sizes) <= MOST_UNITS and sizes[-1] <= MOST_TARGETS:
        return arrange(sizes, decimals=decimals)
    layers = chosen_layers(len(sizes), {layer for layer, _ in units})
    roomy = max(sizes) <= 4
    half, more = strip(decimals), 2 * (strip(decimals) - strip(LONG))
    radius, pitch = (half, 130 + more) if roomy else (half - 3, 90 + more)
    step = (STEPS if decimals <= LONG else LONG_STEPS)[max(len(layers), 4)]
    shown = [chosen_units(sizes[layer], {unit for at, unit in units if at == layer}) for layer in layers]
    tall = max(pitch * length(rows) for rows in shown)
    targets = chosen_units(sizes[-1], {unit for at, unit in units if at == len(sizes) - 1}, most=MOST_TARGETS)
    needed = LOSS_ABOVE + LOSS_BELOW + TARGET_PITCH * length(targets)
    tall = max(tall, needed)
    middle = HEADER + tall / 2
    columns = tuple(
        column(layer, MARGIN + more // 2 + n * step, rows, pitch, middle - pitch * length(rows) / 2)
        for n, (layer, rows) in enumerate(zip(layers, shown, strict=True))
    )
    x = columns[-1].x + LOSS_GAP
    y = min(middle, HEADER + tall - needed + LOSS_ABOVE)
    below = column(len(sizes), x, targets, TARGET_PITCH, y + LOSS_HEIGHT + 30)
    return Layout(x + LOSS_HALF + 6, round(HEADER + tall + FOOTER), radius, half, roomy, columns, below, (x, y))


def chosen_layers(count: int, wanted: set[int], most: int = MOST_COLUMNS) -> list[int]:
    """Which layers have a column: all, or the first, the last, those wanted, and what else there is room for."""
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


def trimmed(start: Place, end: Place, before: float, after: float) -> tuple[float, float, float, float]:
    """The line from `start` to `end` without its first and last bit: (x1, y1, x2, y2)."""
    (x1, y1), (x2, y2) = start, end
    long = hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / long, (y2 - y1) / long
    return x1 + dx * before, y1 + dy * before, x2 - dx * after, y2 - dy * after


@lru_cache(maxsize=4096)
def crossing(edges: tuple[tuple[float, float], ...], lines: tuple[int, ...], low: float) -> float | None:
    """The share t of the way at which all edges (y1, y2) can carry labels without meeting; None where there is none.

    Labels stand one above the other at the same t, each `lines` high; `low` and 1 − `low` bound t. Of the shares
    that leave enough room the one nearest the middle wins.
    """
    free = [t for n in range(26) for t in (0.5 - n / 50, 0.5 + n / 50) if low <= t <= 1 - low]
    return next((t for t in free if _apart(edges, lines, t)), None)


def _apart(edges: Sequence[tuple[float, float]], lines: Sequence[int], t: float) -> bool:
    places = sorted((y1 + t * (y2 - y1), high) for (y1, y2), high in zip(edges, lines, strict=True))
    return all(below - above >= LINE * (high + low) / 2 for (above, high), (below, low) in pairwise(places))

"""Where the labels on the edges of a graph stand: on their edges, and on nothing else.

    labelled(layout, sizes, taken) -> (layout, places)

Of the places along its edge each label takes the one that is nearest to the middle, away from
nodes, numbers and other labels, and from other edges where that can be. The label with the least
choice comes first. Columns between which there is no room for all go further apart.
A label for which there is no room even then has no place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tutor.draw.graph_layout import GraphLayout, Wire

STEPS = 24
"""Each piece of an edge has so many places."""
WIDER, MOST_WIDER = 40, 10
"""By how much columns go apart, and how many times."""
CLEAR = 3.0
"""So far labels are from nodes and from each other at least."""
UP, DOWN = 11.0, 4.0
"""How far a label reaches above and below its baseline."""
ON_EDGE = 3.0
"""A baseline is so far above its edge."""
CROSSED = 0.25
"""An edge behind a label counts as much as so much of a piece."""
SQUARE = 32


class Rect(NamedTuple):
    """A part of the picture in which something stands."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Rect) -> bool:
        """Whether two parts have anything in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def has(self, x: float, y: float) -> bool:
        """Whether a point is in it."""
        return self.left < x < self.right and self.top < y < self.bottom


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A place that a label can take."""

    point: Point
    rect: Rect
    cost: float


def labelled(
    layout: GraphLayout, wide: Mapping[Wire, float], taken: Mapping[str, Sequence[Rect]]
) -> tuple[GraphLayout, dict[Wire, Point]]:
    """The layout, as wide as the labels need, and the middle of the baseline of each. `wide` says
    how wide labels are; `taken` what belongs to each node, measured from its middle.
    """
    keys = {(wire.target, wire.k): wide[wire] for wire in layout.wires if wide.get(wire)}
    found = _places(layout, keys, taken)
    for _ in range(MOST_WIDER):
        left = (wire for wire in layout.wires if (wire.target, wire.k) in keys)
        narrow = {wire.points[-2][0] for wire in left if wire not in found}
        if not narrow:
            break
        layout = layout.widened(narrow, WIDER)
        found = _places(layout, keys, taken)
    return layout, found


def _places(
    layout: GraphLayout, wide: Mapping[tuple[str, int], float], taken: Mapping[str, Sequence[Rect]]
) -> dict[Wire, Point]:
    fixed = [
        Rect(x + r.left - CLEAR, y + r.top - CLEAR, x + r.right + CLEAR, y + r.bottom + CLEAR)
        for key, (x, y) in layout.spots.items()
        for r in taken[key]
    ]
    ends = {wire: layout.ends(wire, by_height=True, level=layout.half) for wire in layout.wires}
    curves = {wire: list(curve(points)) for wire, points in ends.items()}
    cells = _Cells(fixed, curves.values())
    choices = {
        wire: _choices(curves[wire], wide[wire.target, wire.k], cells)
        for wire in layout.wires
        if (wire.target, wire.k) in wide
    }
    found: dict[Wire, Point] = {}
    while choices:
        wire = min(choices, key=lambda one: len(choices[one]))
        own = choices.pop(wire)
        if not own:
            continue
        best = min(own, key=lambda choice: choice.cost)
        found[wire] = best.point
        for other, left in choices.items():
            if other.points[-1][0] >= best.rect.left and other.points[0][0] <= best.rect.right:
                choices[other] = [choice for choice in left if not choice.rect.meets(best.rect)]
    return found


def _choices(points: Sequence[Point], wide: float, cells: _Cells) -> list[_Choice]:
    """The places of a label that are free, with what speaks against each."""
    middle = (len(points) - 1) / 2
    found = []
    for n, (x, y) in enumerate(points[1:-1], 1):
        rect = rect_of(x, y - ON_EDGE, wide)
        if not cells.taken(rect):
            cost = abs(n - middle) / STEPS + CROSSED * (cells.edges(rect) - 1)
            found.append(_Choice((x, y - ON_EDGE), rect, cost))
    return found


class _Cells:
    """What stands where, by small squares of the picture."""

    def __init__(self, fixed: Iterable[Rect], curves: Iterable[Sequence[Point]]) -> None:
        self._rects: dict[tuple[int, int], list[Rect]] = {}
        self._points: dict[tuple[int, int], list[tuple[int, Point]]] = {}
        for rect in fixed:
            for cell in _squares(rect):
                self._rects.setdefault(cell, []).append(rect)
        for n, points in enumerate(curves):
            for x, y in points:
                cell = (int(x // SQUARE), int(y // SQUARE))
                self._points.setdefault(cell, []).append((n, (x, y)))

    def taken(self, rect: Rect) -> bool:
        """Whether something else stands there."""
        near = (other for cell in _squares(rect) for other in self._rects.get(cell, ()))
        return any(rect.meets(other) for other in near)

    def edges(self, rect: Rect) -> int:
        """How many edges pass there."""
        near = (one for cell in _squares(rect) for one in self._points.get(cell, ()))
        return len({n for n, point in near if rect.has(*point)})


def _squares(rect: Rect) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = (int(place // SQUARE) for place in rect)
    return itertools.product(range(left, right + 1), range(top, bottom + 1))


def rect_of(x: float, y: float, wide: float) -> Rect:
    """What a label covers whose baseline has its middle at (x, y)."""
    half = wide / 2 + CLEAR
    return Rect(x - half, y - UP, x + half, y + DOWN)


def curve(points: Sequence[Point]) -> Iterator[Point]:
    """Places along an edge as `through` bends it, from its start to its end."""
    yield points[0]
    for (x, y), (x2, y2) in itertools.pairwise(points):
        for n in range(1, STEPS + 1):
            t = n / STEPS
            yield (x + (x2 - x) * (1.5 * t * (1 - t) + t**3), y + (y2 - y) * t * t * (3 - 2 * t))

"""The computation graph of a network as SVG: arrays as boxes, with their numbers.

    draw_boxes(boxes, title, about) -> one <svg>

A box has its value above it and the derivative of the loss below it, as a small matrix or as words
where it is too large for that. An edge points forward and has its local derivative on it. Boxes and
local derivatives can be links; a list on the same page has them too, so that the Tab key passes
these by. What stands in the boxes, the page decides; `tutor.draw.graph_layout` says where.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tutor.draw.graph import FOOT, arrow_head, through
from tutor.draw.graph_layout import HALF_HIGH, ROW, GraphLayout, Pitch, Vertex, Wire, arranged
from tutor.draw.marks import SIZE_NAMES, SIZES, width
from tutor.notation.markup import Markup, attribute, trusted

HALF = 34
"""Half the width of a box."""
GAP = 26
"""The room between what stands above two boxes side by side."""
LEAST = 150
"""Columns are apart at least so much: an edge needs room for what stands on it."""
EM, LINE, BETWEEN = 14, 14, 8
"""The size of the type, and the distances of rows and columns of numbers."""
LEGEND = "above a node its value, below it the derivative of the loss, on an edge the local one"
HALFWAY, FIRST, LAST = 0.5, 0.3, 0.7
"""Where the local derivative stands on the last piece of its edge; where a node has several edges
that fan out, one at another place than the next.
"""
MOST_LETTERS = 8
"""A longer local derivative has room in the middle alone."""

_TAG = re.compile("<[^>]*>")

Grid = tuple[tuple[str, ...], ...]
"""Rows of numbers as text."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands above or below a box: the numbers of a matrix, or lines of words about it."""

    rows: Grid
    size: int = 0
    """Which of the sizes of type."""
    fenced: bool = False
    """Whether brackets stand round them."""

    @property
    def column(self) -> float:
        """How wide a column is."""
        widest = max(width(text) for row in self.rows for text in row)
        return widest * EM * SIZES[self.size]

    @property
    def wide(self) -> float:
        """How wide all of it is."""
        columns = len(self.rows[0])
        return columns * self.column + (columns - 1) * BETWEEN + 12 * self.fenced


NOTHING = Figures(())


@dataclass(frozen=True, slots=True)
class Joint:
    """An edge into a box: from which other, and the local derivative on it, as SVG text."""

    source: str
    label: str = ""
    href: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A node."""

    name: str
    """What stands in it, as SVG text."""
    role: str
    """The class of its colour."""
    given: bool
    said: str
    """What it is, for who points at it."""
    href: str
    above: Figures
    below: Figures
    joints: tuple[Joint, ...]


def draw_boxes(boxes: Mapping[str, Box], title: str, about: str) -> Markup:
    """The picture. `boxes` by key, each behind those that it is made of."""
    layout = _laid_out(boxes)
    high = layout.height + FOOT
    head = (
        f'<svg class="net graph layers" viewBox="0 0 {layout.width} {high}" width="{layout.width}" '
        f'height="{high}" role="group" aria-label="{attribute(title)}">'
        f"<title>{attribute(title)}</title><desc>{attribute(about)}</desc>"
    )
    points = {wire: layout.ends(wire, by_height=True) for wire in layout.wires}
    parts = [
        *(f'<path class="wires" d="{through(way)}{arrow_head(way[-1], -1)}"/>'
          for way in points.values()),
        *(_label(boxes[wire.target].joints[wire.k], _on(points[wire], share))
          for wire, share in _shares(layout, boxes).items()),
        *(part for key, box in boxes.items() for part in _box(box, layout.spots[key])),
        f'<text class="s" x="6" y="{high - 8}">{LEGEND if layout.width > 620 else ""}</text>',
    ]  # fmt: skip
    return trusted(f"{head}{''.join(parts)}</svg>")


def _laid_out(boxes: Mapping[str, Box]) -> GraphLayout:
    numbers = [side for box in boxes.values() for side in (box.above, box.below) if side.rows]
    widest = max((side.wide for side in numbers), default=0.0)
    pitch = Pitch(max(LEAST, round(widest) + GAP), HALF, max(HALF, round(widest / 2)) + 8)
    return arranged({key: _vertex(box) for key, box in boxes.items()}, pitch)


def _vertex(box: Box) -> Vertex:
    up, down = (ROW / 2 + LINE * max(len(side.rows) - 1, 0) for side in (box.above, box.below))
    joints = tuple((k, joint.source) for k, joint in enumerate(box.joints))
    return Vertex(joints, box.given, up + 4 * box.above.fenced, down + 4 * box.below.fenced)


def _shares(layout: GraphLayout, boxes: Mapping[str, Box]) -> dict[Wire, float]:
    """How far along the last piece of each edge its local derivative stands."""
    fans = Counter(wire.source for wire in layout.wires)
    found = {}
    for wire in layout.wires:
        others = [other.k for other in layout.into[wire.target] if fans[other.source] > 1]
        along = others.index(wire.k) / max(len(others) - 1, 1) if wire.k in others else HALFWAY
        letters = len(_TAG.sub("", boxes[wire.target].joints[wire.k].label))
        fits = wire.k in others and letters <= MOST_LETTERS
        found[wire] = FIRST + (LAST - FIRST) * along if fits else HALFWAY
    return found


def _on(points: Sequence[tuple[float, float]], t: float) -> tuple[float, float]:
    """A place on the last piece of an edge, as `through` bends it."""
    (x, y), (x2, y2) = points[-2], points[-1]
    return x + (x2 - x) * (1.5 * t * (1 - t) + t**3), y + (y2 - y) * t * t * (3 - 2 * t) - 3


def _label(joint: Joint, place: tuple[float, float]) -> str:
    if not joint.label:
        return ""
    x, y = place
    text = f'<text class="d small" x="{x:.0f}" y="{y:.0f}">{joint.label}</text>'
    return _linked(text, joint.href, joint.said)


def _linked(inside: str, href: str, said: str) -> str:
    title = f"<title>{attribute(said)}</title>" if said else ""
    if not href:
        return f"<g>{title}{inside}</g>" if title else inside
    return (
        f'<a href="{attribute(href)}" aria-label="{attribute(said)}" tabindex="-1">'
        f"{title}{inside}</a>"
    )


def _box(box: Box, spot: tuple[float, float]) -> Iterator[str]:
    x, y = spot
    at = f'x="{x - HALF:.0f}" y="{y - HALF_HIGH}" width="{2 * HALF}" height="{2 * HALF_HIGH}"'
    rect = f'<rect class="{box.role}{" round" * box.given}" {at}/>'
    name = f'<text class="n {box.role}" x="{x:.0f}" y="{y + 5:.0f}">{box.name}</text>'
    yield _linked(rect + name, box.href, box.said)
    rows = len(box.above.rows)
    yield from _figures(box.above, box.role, x, y - HALF_HIGH - 6 - LINE * (rows - 1))
    yield from _figures(box.below, "g", x, y + HALF_HIGH + 17)


def _figures(side: Figures, role: str, x: float, y: float) -> Iterator[str]:
    """Rows of numbers; the first baseline is at y."""
    if not side.rows:
        return
    css = " ".join(filter(None, (role, SIZE_NAMES[side.size])))
    step = side.column + BETWEEN
    for r, row in enumerate(side.rows):
        left = x - step * (len(row) - 1) / 2
        for c, text in enumerate(row):
            place = f'x="{left + step * c:.0f}" y="{y + LINE * r:.0f}"'
            yield f'<text class="{css}" {place}>{text}</text>'
    if side.fenced:
        half, top, low = side.wide / 2, y - 12, y + LINE * (len(side.rows) - 1) + 4
        fence = "".join(
            f"M{x + way * (half - 4):.0f} {top:.0f}H{x + way * half:.0f}V{low:.0f}"
            f"H{x + way * (half - 4):.0f}"
            for way in (-1, 1)
        )
        yield f'<path class="rules" d="{fence}"/>'

"""The computation graph of a network as SVG: arrays as boxes, with their numbers.

    draw_boxes(boxes, title, about) -> one <svg>

A box has its value above it and the derivative of the loss below it, as a small matrix or as words
where it is too large for that. An edge points forward and has its local derivative on it. Boxes and
local derivatives can be links; a list on the same page has them too, so that the Tab key passes
these by. What stands in the boxes, the page decides; `tutor.draw.graph_layout` says where,
and `tutor.draw.graph_labels` where the local derivatives stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tutor.draw.graph import FOOT, arrow_head, through
from tutor.draw.graph_labels import Rect, labelled
from tutor.draw.graph_layout import HALF_HIGH, ROW, GraphLayout, Pitch, Vertex, arranged
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
LETTER, MARK = 9.5, 6.0
"""How wide a letter of a label is at most, and a character of an index or a mark."""

_TAG, _MARKS = re.compile("<[^>]*>"), re.compile("<tspan[^>]*>([^<]*)")
_OF_NUMBERS = "−.e∞"

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
    row: str = ""
    """Boxes of one row stand in their order where they can."""


def draw_boxes(boxes: Mapping[str, Box], title: str, about: str) -> Markup:
    """The picture. `boxes` by key, each behind those that it is made of."""
    layout = _laid_out(boxes)
    layout, places = labelled(
        layout,
        {wire: _extent(boxes[wire.target].joints[wire.k].label) for wire in layout.wires},
        {key: _taken(box) for key, box in boxes.items()},
    )
    high = layout.height + FOOT
    head = (
        f'<svg class="net graph layers" viewBox="0 0 {layout.width} {high}" width="{layout.width}" '
        f'height="{high}" role="group" aria-label="{attribute(title)}">'
        f"<title>{attribute(title)}</title><desc>{attribute(about)}</desc>"
    )
    points = {wire: layout.ends(wire, by_height=True, level=layout.half) for wire in layout.wires}
    parts = [
        *(f'<path class="wires" d="{through(way)}{arrow_head(way[-1], -1)}"/>'
          for way in points.values()),
        *(_label(boxes[wire.target].joints[wire.k], place) for wire, place in places.items()),
        *(part for key, box in boxes.items() for part in _box(box, layout.spots[key])),
        f'<text class="s" x="6" y="{high - 8}">{LEGEND if layout.width > 620 else ""}</text>',
    ]  # fmt: skip
    return trusted(f"{head}{''.join(parts)}</svg>")


def _laid_out(boxes: Mapping[str, Box]) -> GraphLayout:
    pitch = Pitch(LEAST, HALF, HALF + 8)
    vertices = {key: _vertex(box) for key, box in boxes.items()}
    ways = [arranged(vertices, pitch, apart=apart) for apart in (False, True)]
    return min(ways, key=lambda layout: layout.crossings)


def _vertex(box: Box) -> Vertex:
    up, down = (ROW / 2 + LINE * max(len(side.rows) - 1, 0) for side in (box.above, box.below))
    joints = tuple((k, joint.source) for k, joint in enumerate(box.joints))
    beside = max((side.wide / 2 for side in (box.above, box.below) if side.rows), default=0.0)
    return Vertex(
        joints, box.given, up + 4 * box.above.fenced, down + 4 * box.below.fenced,
        beside + GAP / 2, box.row,
    )  # fmt: skip


def _taken(box: Box) -> list[Rect]:
    """What belongs to a node, measured from its middle."""
    above, below = len(box.above.rows), len(box.below.rows)
    found = [Rect(-HALF, -HALF_HIGH, HALF, HALF_HIGH)]
    if above:
        half = box.above.wide / 2
        found.append(Rect(-half, -HALF_HIGH - 18 - LINE * (above - 1), half, -HALF_HIGH))
    if below:
        half = box.below.wide / 2
        found.append(Rect(-half, HALF_HIGH, half, HALF_HIGH + 21 + LINE * (below - 1)))
    return found


def _extent(label: str) -> float:
    """How wide a label is at most: a number, or a symbol with its marks."""
    text = _TAG.sub("", label)
    if text == label and all(c.isdigit() or c in _OF_NUMBERS for c in text):
        return width(text) * EM * SIZES[1]
    marks = "".join(_MARKS.findall(label))
    return (len(text) - len(marks)) * LETTER + len(marks) * MARK


def _label(joint: Joint, place: tuple[float, float]) -> str:
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

"""Rows of matrices under the columns of the diagram, as on the slide of a lecture that names them.

aligned(rows, layout, depth)   -> AlignedRow for each row, all of them with the same slots

A slot is a share of the diagram's width around the middle of one of its columns, as wide as what it
has to show; where neighbours need more than lies between them, they move apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from tutor.draw.layout import Layout
from tutor.pages.cells import Cell, Table, keyed
from tutor.pages.tables import FORWARD_ROW

STEP = 2
"""The sheet of styles has widths in steps of so many percent, w2 to w100."""
WIDTH, MOST = 100, 170
"""What the diagram takes up, in digits, and the widest row that stands whole below it on a small
screen.
"""
_NAME, _COMPUTED = 13, 7
"""What the name of a matrix takes up, and at least a number that is computed, with its sign."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands below one column of the diagram; nothing between two of them."""

    css: str
    matrices: tuple[Table, ...] = ()
    heading: str = ""
    """That of the row, where one of several has no matrix in its first slot."""
    stacked: str = ""
    """The class with which its matrices stand one below the other on a small screen, or ""."""


@dataclass(frozen=True, slots=True)
class AlignedRow:
    """A row of matrices."""

    heading: str
    slots: tuple[Slot, ...]
    folded: bool = False
    """Whether a matrix that the step leaves alone gives its room to the others, and only its name
    stays; where there is room for all of them every matrix keeps its place.
    """

    @property
    def key(self) -> str:
        """Its id in a page: a row of other matrices is another row."""
        count = sum(len(slot.matrices) for slot in self.slots)
        return f"{keyed(self.heading)}-{count}"

    @property
    def inset(self) -> bool:
        """Whether the heading stands in the row itself."""
        return any(slot.heading for slot in self.slots)

    @property
    def names_itself(self) -> bool:
        """Whether the names of its matrices say what the row is, so that nobody needs to see it
        written above them.
        """
        return self.heading == FORWARD_ROW


def aligned(
    rows: Iterable[tuple[str, tuple[Table, ...]]], layout: Layout, depth: int
) -> tuple[AlignedRow, ...]:
    """The rows, each matrix in the slot of its column: 0 for the inputs, odd ones for weights."""
    found = [
        (heading, {at: tuple(own) for at, own in groupby(matrices, attrgetter("place"))})
        for heading, matrices in rows
    ]
    places = sorted({0, 2 * depth + 1}.union(*(by_place for _, by_place in found)))
    widths = [[_width(row.get(at, ())) for at in places] for _, row in found]
    needs = [max(*widest, _NAME) for widest in zip(*widths, strict=True)]
    folded = max(map(sum, widths)) > MOST
    edges = slot_edges(centres(layout, depth, places), needs)
    return tuple(
        AlignedRow(
            heading, tuple(_slots(heading * (len(found) > 1), places, edges, by_place)), folded
        )
        for heading, by_place in found
    )


def centres(layout: Layout, depth: int, places: Sequence[int]) -> list[float]:
    """Where the columns of these places have their middles, as fractions of the diagram's width;
    of a layer that is not drawn, between those that are.
    """
    drawn: dict[int, float] = {2 * depth + 1: layout.loss[0]}
    for column in layout.columns:
        drawn[2 * column.layer] = layout.centre(column)
        if column.layer:
            drawn[2 * column.layer - 1] = column.entrance + layout.cell / 2
    known = sorted(drawn)
    middles = np.interp(places, known, [drawn[at] for at in known])
    return [float(middle) / layout.width for middle in middles]


def slot_edges(middles: Sequence[float], needs: Sequence[float]) -> list[tuple[int, int]]:
    """(left, right) of slots around these middles in percent, none over another. Where two would
    be, the second moves to the right, and all move back that would be outside.
    """
    room = max(WIDTH, sum(needs))
    lefts, ends = [0.0] * len(middles), [1.0] * len(middles)
    end = 0.0
    for n, (middle, need) in enumerate(zip(middles, needs, strict=True)):
        lefts[n] = max(end, middle - need / room / 2)
        end = lefts[n] + need / room
    end = 1.0
    for n in reversed(range(len(middles))):
        ends[n] = end = min(end, lefts[n] + needs[n] / room)
        lefts[n] = end = min(lefts[n], end - needs[n] / room)
    return [(_percent(left), _percent(end)) for left, end in zip(lefts, ends, strict=True)]


def _percent(fraction: float) -> int:
    return STEP * round(100 * fraction / STEP)


def _slots(
    heading: str,
    places: Sequence[int],
    edges: Sequence[tuple[int, int]],
    matrices: dict[int, tuple[Table, ...]],
) -> Iterator[Slot]:
    before = 0
    for at, (left, right) in zip(places, edges, strict=True):
        if left > before:
            yield Slot(f"w{left - before}")
        own = matrices.get(at, ())
        yield Slot(f"slot w{right - left}", own, "" if at or own else heading, _stacked(own))
        before = right


def _stacked(matrices: Sequence[Table]) -> str:
    """Matrices of one row stand one below the other on a small screen: two in one column, more in
    two. Of three the second, a slope, may have more rows.
    """
    taller = [n for n, matrix in enumerate(matrices) if len(matrix.rows) > 1]
    if len(matrices) < 2 or (taller and (taller != [1] or len(matrices) != 3)):
        return ""
    return "stack beside" if len(matrices) > 2 else "stack"


def _width(matrices: Sequence[Table]) -> int:
    """How wide a slot is on a small screen."""
    digits, stacked = [_digits(matrix) for matrix in matrices], _stacked(matrices)
    if stacked == "stack":
        return max(digits)
    return max(digits[0::2]) + max(digits[1::2]) if stacked else sum(digits)


def _digits(matrix: Table) -> int:
    """How wide a matrix is, its name included."""
    rows = matrix.rows
    widest = (max(map(_letters, (row.cells[n] for row in rows))) for n in range(len(rows[0].cells)))
    return max(_NAME, sum(max(width, 4) + 1 for width in widest))


def _letters(cell: Cell) -> int:
    """As long as its text; what is computed has the same room before and after."""
    given = not cell.name or cell.name.startswith(("x[", "y[", "w[", "b["))
    return len(cell.text) if given else max(len(cell.text), _COMPUTED)

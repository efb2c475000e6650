"""Matrices on the pages of Jacobians: in either layout, their entries askable, several of them in
an equation.

    Layout(context, turned).matrix(symbol, rows, columns, entry) -> Table
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.lesson.titles import capital
from tutor.notation.markup import Markup
from tutor.pages.cells import GAP, Cell, Row, Table, some
from tutor.pages.context import AnyContext
from tutor.pages.outline import Link
from tutor.pages.view import Ignored, choice

NUMERATOR, DENOMINATOR = "numerator", "denominator"
LAYOUTS: Final = {
    NUMERATOR: (
        "Numerator layout: a Jacobian has a row for each number on top of the fraction and a "
        "column for each below. The derivatives of {end} are rows, and the chain rule reads "
        "from left to right, from {end} down."
    ),
    DENOMINATOR: (
        "Denominator layout: everything is turned. A Jacobian has a row for each number below the "
        "fraction line and a column for each on top. The derivatives of {end} are columns, and "
        "the chain rule reads from right to left."
    ),
}
"""What an address may ask for, with what it means; `end` is what everything is differentiated."""
SAME: Final = "Both layouts have the same numbers; only rows and columns change places."
MOST_COLUMNS = 8

Entry = Callable[[int, int], tuple[float, Quantity | None]]
"""A number of a matrix by row and column, from 1, with its name where it has one."""
Marked = frozenset[tuple[int, int]]
NOTHING: Marked = frozenset()


@dataclass(frozen=True, slots=True)
class Piece:
    """A matrix of an equation with the sign in front of it, or ""."""

    sign: str
    matrix: Table


@dataclass(frozen=True, slots=True)
class Section:
    """An equation of matrices, with what it says."""

    heading: str
    why: str
    pieces: tuple[Piece, ...]


class Layout:
    """Makes the matrices of one page; `turned` is denominator layout."""

    def __init__(self, context: AnyContext, *, turned: bool) -> None:
        self.context, self.turned = context, turned

    def matrix(
        self,
        symbol: Markup | str,
        rows: int,
        columns: int,
        entry: Entry,
        lit: Marked = NOTHING,
        *,
        fixed: bool = False,
    ) -> Table:
        """A matrix in the layout that is asked for, or (`fixed`) as it is in either."""
        turned = self.turned and not fixed
        down, across = (columns, rows) if turned else (rows, columns)
        shown = some(across, (), MOST_COLUMNS)
        lines = tuple(
            Row("", self.cells(r, shown, entry, lit, turned=turned))
            for r in some(down, (), MOST_COLUMNS)
        )
        return Table("", (), lines, symbol, f"{down}×{across}")

    def cells(
        self, r: int, columns: Iterable[int], entry: Entry, lit: Marked = NOTHING, *, turned: bool
    ) -> tuple[Cell, ...]:
        """A row of a matrix as it is laid out, at some of its columns."""

        def cell(c: int) -> Cell:
            if GAP in (r, c):
                return Cell("⋱" if r == c else "⋮" if r == GAP else "⋯", "gap")
            i, j = (c, r) if turned else (r, c)
            return self.cell(*entry(i, j), "makes" if (i, j) in lit else "")

        return tuple(map(cell, columns))

    def cell(self, value: float, q: Quantity | None, state: str = "") -> Cell:
        """A number; one with a name can be asked."""
        context = self.context
        text = number.shown(value, context.decimals)
        if q is None:
            return Cell(text, state)
        ask = context.view.quantity(context.source.id, str(q))
        return Cell(text, state, str(q), ask=ask, said=context.line.said(q))

    def product(self, *factors: Table) -> tuple[Piece, ...]:
        """Factors with the sign between them, in the order of the layout."""
        first, *rest = factors[::-1] if self.turned else factors
        return Piece("", first), *(Piece("·", factor) for factor in rest)


def layouts(current: str, address: Callable[[str], str]) -> tuple[Link, ...]:
    """The links from one layout to the other."""
    return tuple(
        Link(capital(f"{name} layout"), address(name), name == current) for name in LAYOUTS
    )


def explained(layout: str, end: str) -> str:
    """What a layout means; `end` is what everything is differentiated."""
    return f"{LAYOUTS[layout].format(end=end)} {SAME}"


def layout_asked(query: Mapping[str, str], key: str, ignored: list[Ignored]) -> str:
    """The layout that a query asks for."""
    return choice(query, key, tuple(LAYOUTS), NUMERATOR, ignored)

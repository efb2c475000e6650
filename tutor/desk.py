"""The desk: what the tables of a step share. Cells, rows and tables; what is computed, used and made at the step.

Every cell knows its quantity; a cell that is not computed yet is empty and says so, never 0. Of large layers the
first rows are shown, the last, and the one that the step is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tutor import number
from tutor.lesson import Walk
from tutor.markup import Markup
from tutor.mathml import Line
from tutor.notation import Alphabet
from tutor.quantity import Quantity
from tutor.writer import Hidden

MOST_ROWS = 8
GAP = -1


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table. `state` is "" (known), `todo`, `blank`, `answer`, `uses`, `makes`, or `gap` (rows left out)."""

    text: str
    state: str = ""
    name: str = ""
    was: str = ""
    """What the original has here, where a reader's changes made it another number."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its header."""

    header: Markup | str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption and headers for its columns; without columns it is one matrix of a strip."""

    caption: str
    columns: tuple[Markup | str, ...]
    rows: tuple[Row, ...]
    symbol: Markup | str = ""
    shape: str = ""


class Desk:
    """What a table needs to know about the step: what is computed, used and made, and how numbers are written."""

    def __init__(
        self,
        walk: Walk,
        n: int,
        alphabet: Alphabet,
        decimals: int,
        uses: frozenset[Quantity] = frozenset(),
        makes: frozenset[Quantity] = frozenset(),
        *,
        whole: bool = False,
        hidden: Hidden | None = None,
        answers: Hidden | None = None,
        was: Callable[[Quantity], float | None] | None = None,
    ) -> None:
        self.whole, self.hidden, self.answers = whole, hidden, answers
        """`whole`: all tables of the phase, not only the one that the step fills. `hidden`: cells left blank; `answers`: cells
        that the worksheet of an answer key leaves blank."""
        self.was = was
        """What the original has for a quantity that differs from it."""
        self.walk, self.n = walk, n
        self.trace, self.network = walk.trace, walk.trace.network
        self.alphabet, self.decimals = alphabet, decimals
        self.uses, self.makes = uses, makes
        self.line = Line(alphabet, decimals)
        self.anchor = walk.anchor(n)
        self.sample = self.anchor.sample or (1 if self.trace.samples > 1 else 0)

    def cell(self, q: Quantity) -> Cell:
        """The cell of one quantity."""
        if self.hidden is not None and self.hidden(q):
            return Cell("", "blank", str(q))
        if q.given or self.walk.known(q, self.n):
            answer = self.answers is not None and self.answers(q)
            state = "makes" if q in self.makes else "uses" if q in self.uses else "answer" if answer else ""
            try:
                value = self.trace.value(q)
            except KeyError:
                return Cell("", "todo", str(q))
            old = self.was(q) if self.was else None
            was = "" if old is None else number.apart(old, value, self.decimals)
            return Cell(number.shown(value, self.decimals), state, str(q), was)
        return Cell("", "todo", str(q))


def some(count: int, focus: Iterable[int] = (), most: int = MOST_ROWS) -> list[int]:
    """The rows that are shown of `count` (from 1): the first, the last, and those in focus; GAP marks what is left out."""
    if count <= most:
        return list(range(1, count + 1))
    wanted = sorted({*range(1, most - 2), count, *(f for f in focus if 1 <= f <= count)})[: most + 2]
    found: list[int] = []
    for row in wanted:
        if found and row != found[-1] + 1:
            found.append(GAP)
        found.append(row)
    return found


def gap(columns: int) -> Row:
    """The row that stands for the rows left out."""
    return Row("⋮", tuple(Cell("⋮", "gap") for _ in range(columns)))

"""What the tables of a step share. Cells, rows and tables; what is computed, used and made at the
step.

Every cell knows its quantity; a cell that is not computed yet is empty and says so, never 0. Of
large layers the first rows are shown, the last, and the one that the step is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.lesson.walk import Step
from tutor.notation.markup import Markup, attribute, trusted
from tutor.notation.writer import Hidden
from tutor.pages.context import AnyContext, Context

MOST_ROWS, FEW = 8, 6
"""How many rows are shown of a table, and how many rows and columns of a matrix."""
GAP = -1


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table. `state` is "" (known), `todo`, `blank`, `answer`, `uses`, `makes`, or
    `gap` (rows left out).
    """

    text: str
    state: str = ""
    name: str = ""
    was: str = ""
    """What the original has here, where a reader's changes made it another number."""
    ask: str = ""
    """Where the number can be asked, on a page that does not answer by itself."""
    said: str = ""
    """How the number is called when that link is read out."""

    @property
    def html(self) -> str:
        """The cell as a page has it."""
        if self.state == "todo":
            return '<td class="todo">not yet</td>'
        if self.state in {"blank", "gap"}:
            return f'<td class="{self.state}">{self.text}</td>'
        css = f' class="{self.state}"' if self.state else ""
        text = f"<strong>{self.text}</strong>" if self.state == "makes" else self.text
        if self.ask:
            label = f"{attribute(self.said)}: {self.text}"
            text = f'<a href="{attribute(self.ask)}" aria-label="{label}">{text}</a>'
        was = f' <del><span class="quiet">was </span>{self.was}</del>' if self.was else ""
        named = f' data-q="{self.name}"' if self.name else ""
        return f"<td{css}{named}>{text}{was}</td>"


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its header."""

    header: Markup | str
    cells: tuple[Cell, ...]
    html: str = field(init=False, compare=False, repr=False)
    """The row as a page has it: written once, since most rows are the same at many steps."""

    def __post_init__(self) -> None:
        header = f'<tr><th scope="row">{attribute(self.header)}</th>' if self.header else "<tr>"
        object.__setattr__(
            self, "html", f"{header}{''.join([cell.html for cell in self.cells])}</tr>"
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption and headers for its columns; without columns it is one matrix of a row
    of them.
    """

    caption: str
    columns: tuple[Markup | str, ...]
    rows: tuple[Row, ...]
    symbol: Markup | str = ""
    shape: str = ""
    place: int = 0
    """Of a matrix: where it stands among the columns of the diagram."""
    html: Markup = field(init=False, compare=False, repr=False)
    """The rows as a page has them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "html", trusted("".join([row.html for row in self.rows])))

    @property
    def key(self) -> str:
        """Its id in a page: a table of other units or with other columns is another table, which
        does not turn into this one.
        """
        return f"{keyed(self.caption)}-{len(self.columns)}"


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of plain texts or symbols, with headers both ways: the first of each row is its
    header.
    """

    caption: str
    columns: tuple[Markup | str, ...]
    rows: tuple[tuple[Markup | str, ...], ...]


def keyed(caption: str) -> str:
    """A caption as an id: `Going back, hidden layer 2` is `table-going-back-hidden-layer-2`."""
    return f"table-{'-'.join(re.findall('[a-z0-9]+', caption.lower()))}"


Entry = Quantity | Cell
"""One place of a table: a quantity, or a cell that is the same at every step."""
T = TypeVar("T", Row, Table)


@dataclass(frozen=True, slots=True)
class Shared:
    """A part of a table, with the first and the last step that makes one of its quantities."""

    entries: tuple[Entry, ...]
    members: frozenset[Quantity]
    first: int
    last: int


def number_cell(
    context: AnyContext,
    n: int,
    q: Quantity,
    uses: frozenset[Quantity],
    makes: frozenset[Quantity],
    otherwise: str = "",
) -> Cell:
    """The cell of one quantity at step n; `otherwise` is its state where the step leaves it
    alone.
    """
    if context.hidden is not None and context.hidden(q):
        return Cell("", "blank", str(q))
    made, value = context.fact(q)
    if value is None or made > n:
        return Cell("", "todo", str(q))
    state = "makes" if q in makes else "uses" if q in uses else otherwise
    old = context.was(q)
    was = "" if old is None else number.apart(old, value, context.decimals)
    return Cell(number.shown(value, context.decimals), state, str(q), was)


class TableMaker:
    """What a table needs to know about the step: what is computed, used and made, and how numbers
    are written.
    """

    def __init__(
        self,
        context: Context,
        step: Step,
        uses: frozenset[Quantity] = frozenset(),
        makes: frozenset[Quantity] = frozenset(),
        *,
        whole: bool = False,
        answers: Hidden | None = None,
    ) -> None:
        self.whole, self.hidden, self.answers = whole, context.hidden, answers
        """`whole`: all tables of the phase, not only the one that the step fills. `answers`: cells
        that the worksheet of an answer key leaves blank.
        """
        self.context, self.step = context, step
        self.trace, self.network = context.trace, context.trace.network
        self.uses, self.makes, self.touched = uses, makes, uses | makes
        self.line = context.line
        self.anchor, self.sample = step.anchor, step.sample
        self.layer = self.anchor.layer or (1 if self.anchor.of.axes else self.network.depth)
        """The layer that the step is about: the first for a derivative by an input, the last for
        the loss.
        """
        self.small = context.trace.samples <= FEW and max(self.network.sizes) <= FEW
        """Whether nothing is left out of any matrix."""

    def cell(self, entry: Entry) -> Cell:
        """The cell of one quantity."""
        if isinstance(entry, Cell):
            return entry
        answer = self.answers is not None and self.answers(entry)
        return number_cell(
            self.context, self.step.n, entry, self.uses, self.makes, "answer" if answer else ""
        )

    def shared(
        self,
        key: Hashable,
        entries: Callable[[], Iterable[Entry]],
        build: Callable[[tuple[Cell, ...]], T],
    ) -> T:
        """A row or table, made once for all steps that know all of it, or none, and do not touch
        it.
        """
        memo, step = self.context.memo, self.step
        part = memo.get(key)
        if part is None:
            part = memo[key] = _shared(tuple(entries()), step)
        full = part.last <= step.n
        bare = self.hidden is None and self.answers is None and (full or part.first > step.n)
        if not bare or not part.members.isdisjoint(self.touched):
            return build(tuple(map(self.cell, part.entries)))
        found: T | None = memo.get((key, full))
        if found is None:
            found = memo[key, full] = build(tuple(map(self.cell, part.entries)))
        return found


def _shared(entries: tuple[Entry, ...], step: Step) -> Shared:
    members = frozenset(entry for entry in entries if isinstance(entry, Quantity))
    steps = [step.walk.place(q) for q in members] or [0]
    return Shared(entries, members, min(steps), max(steps))


def some(count: int, focus: Iterable[int] = (), most: int = MOST_ROWS) -> list[int]:
    """The rows that are shown of `count` (from 1): the first, the last, and those in focus; GAP
    marks what is left out.
    """
    if count <= most:
        return list(range(1, count + 1))
    wanted = sorted({*range(1, most - 2), count, *(f for f in focus if 1 <= f <= count)})[
        : most + 2
    ]
    found: list[int] = []
    for row in wanted:
        if found and row != found[-1] + 1:
            found.append(GAP)
        found.append(row)
    return found


def gap(columns: int) -> Row:
    """The row that stands for the rows left out."""
    return Row("⋮", tuple(Cell("⋮", "gap") for _ in range(columns)))

"""Tables of numbers as they are typed: cells, or for a long table one text with a row per line.

    Grid.of_rows(rows)        cells from texts; short rows are filled with empty cells
    Grid.of_text(text)        lines as they are typed or pasted; the text itself is kept
    pasted(text, columns)     what a spreadsheet's text holds, with what has to be said about it

A grid never judges a number: `tutor.builder.draft_data` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tutor import number
from tutor.errors import NumberError
from tutor.number import counted

Cells: TypeAlias = tuple[tuple[str, ...], ...]

MOST_CELLS = 200
"""A table with more numbers than this is one text with a row per line."""
MOST_READ = 20_000
"""Numbers that are taken out of one text; one with more has no cells, and that is said."""

TOO_MANY = (
    f"has more than {MOST_READ:,} numbers, which is the limit; give fewer, or let a rule make them"
)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as it was typed. `text` is None where it has a field for each cell, else the text
    with a row per line.
    """

    cells: Cells = ()
    text: str | None = None

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[str]]) -> Grid:
        """A table of texts, rows of one length; a long one becomes lines."""
        width = max(map(len, rows), default=0)
        cells = tuple((*row, *[""] * (width - len(row))) for row in rows)
        if len(cells) * width <= MOST_CELLS:
            return cls(cells)
        return cls(cells).as_text()

    @classmethod
    def of_text(cls, text: str) -> Grid:
        """A text with a row per line, kept as it is."""
        return cls(lines(text), text)

    @property
    def rows(self) -> int:
        return len(self.cells)

    @property
    def columns(self) -> int:
        return max(map(len, self.cells), default=0)

    def as_text(self) -> Grid:
        """The same table as lines."""
        return (
            self
            if self.text is not None
            else Grid(self.cells, "\n".join("  ".join(row) for row in self.cells))
        )

    @property
    def overlong(self) -> bool:
        """Whether its text holds more numbers than are read."""
        return bool(self.text and self.text.strip() and not self.cells)

    @property
    def even(self) -> bool:
        """Whether all rows have one length."""
        return len({len(row) for row in self.cells}) == 1

    def fits(self, rows: int, columns: int) -> bool:
        """Whether this is a full table of that size."""
        return self.rows == rows and all(len(row) == columns for row in self.cells)

    def resized(self, rows: int, columns: int, new: Callable[[int, int], str]) -> Grid:
        """The same table in another size: what is there is kept, `new(row, column)` (from 0) fills
        what is not.
        """
        if self.fits(rows, columns) and (self.text is None or rows * columns > MOST_CELLS):
            return self
        return Grid.of_rows([[self._at(r, c, new) for c in range(columns)] for r in range(rows)])

    def _at(self, r: int, c: int, new: Callable[[int, int], str]) -> str:
        return self.cells[r][c] if r < self.rows and c < len(self.cells[r]) else new(r, c)


def lines(text: str) -> Cells:
    """The cells of a text with a row per line; empty lines do not count."""
    shown = [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
    sign = _separator([line for line in shown if line])
    found = tuple(tuple(_split(line, sign)) for line in shown if line)
    return found if sum(map(len, found)) <= MOST_READ else ()


def _separator(rows: list[str]) -> str:
    """What stands between the numbers: tab, semicolon, comma, or spaces. A comma is decimal beside
    any of the others.

    Lines of `0,5` alone are single numbers with a decimal comma only where no line says otherwise
    by a second comma or a point.
    """
    if any("\t" in row for row in rows):
        return "\t"
    if any(";" in row for row in rows):
        return ";"
    spaced = [row for row in rows if re.search(r"[^,\s]\s+[^,\s]", row)]
    if any("," in row for row in rows) and not spaced:
        return ","
    return ", " if any(re.search(r",\s", row) for row in rows) else " "


def _split(line: str, sign: str) -> list[str]:
    if sign == " ":
        return line.split()
    if sign == ", ":
        return [part.strip() for part in re.split(r",\s+|\s+", line) if part.strip()]
    return [part.strip().strip('"').strip() for part in line.split(sign)]


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was found in a pasted text. With a problem there is no table to take."""

    cells: Cells = ()
    said: str = ""
    problem: str = ""


def pasted(text: str, columns: int, *, bias: bool = False) -> Pasted:
    """The numbers of a pasted text, `columns` in each row, or with `bias` one more. A first line of
    words is left out and said so.

    Takes what Ctrl+V in a table takes (static/build.js): rows of a spreadsheet, or of a matrix as
    YAML and Python write it.
    """
    cells = lines(_without_brackets(text))
    said = ""
    if len(cells) > 1 and _words(cells[0]) and not _words(cells[1]):
        first = _short(" ".join(cells[0]))
        said = f"The first line, “{first}”, has no numbers, so it was skipped. "
        cells = cells[1:]
    if not cells and text.strip():
        return Pasted(problem=TOO_MANY)
    if not cells:
        return Pasted(
            problem="nothing was pasted; paste one row per line, with commas, semicolons, "
            "tabs or spaces between the numbers"
        )
    if (
        columns == 1
        and all(map(_DECIMAL_COMMA.fullmatch, map(",".join, cells)))
        and not re.search(r",\s", text)
    ):
        cells = tuple((f"{a},{b}",) for a, b in cells)  # one number a line
    width = columns + (bias and len(cells[0]) == columns + 1)
    ragged = [(n, len(row)) for n, row in enumerate(cells, 1) if len(row) != width]
    if ragged:
        n, found = ragged[0]
        more = (
            f", and {counted(len(ragged) - 1, 'other row')} {'does' if len(ragged) == 2 else 'do'} "
            "not fit"
            if len(ragged) > 1
            else ""
        )
        wanted = counted(columns, "number") + (
            f" or, with the bias, {columns + 1:,}" if bias else ""
        )
        return Pasted(
            problem=f"expected {wanted} in each row, got {found:,} in row {n}{more}; "
            "nothing was changed"
        )
    last = "; the last number of each is its bias" if width > columns else ""
    return Pasted(cells, f"{said}Pasted {counted(len(cells), 'row')} of {width:,}{last}.")


_DECIMAL_COMMA = re.compile(rf"[+{number.MINUS}-]?[0-9]+,[0-9]+", re.ASCII)


def _without_brackets(text: str) -> str:
    """A matrix in brackets as lines."""
    rows = re.findall(r"\[([^\[\]]*)\]", text)
    return "\n".join(" ".join(row.split()) for row in rows) if rows else text


def _words(row: tuple[str, ...]) -> bool:
    """Whether nothing in this row is a number, though something is there."""
    return any(row) and not any(readable(cell) for cell in row)


def readable(text: str) -> bool:
    """Whether a cell is a number."""
    try:
        number.read(text)
    except NumberError:
        return False
    return True


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text[:41])
    return shown if len(shown) <= 40 else shown[:39] + "…"

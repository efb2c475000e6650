r"""How formulas stand on the page: how wide a piece of LaTeX will be, and where a long line is broken.

Widths are estimates in points for Computer Modern at 11 points, a little on the wide side; `aligned` breaks lines
by them between pieces (of which `tutor.latex` gives one per line of text) and asks LaTeX itself, by `\fit`, to
shrink a single piece that no line can hold. `tests/test_latex.py` reads LaTeX's log for lines that are too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LINE = 472.0
"""The width of a line: A4 less the margins that `tutor.latex_document` sets, with a little to spare."""
ROOM = LINE - 70.0
"""What is left of it for the right-hand side of a formula."""
_DIGIT, _LETTER, _SCRIPT = 5.5, 7.2, 0.75

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+|[^\s]", re.DOTALL)
_WIDTHS = {
    "+": 13.5, "-": 13.5, r"\times": 13.5, r"\odot": 13.5, r"\cdot": 8.0, "=": 14.6, r"\approx": 14.6, ":": 3.1, ".": 3.1,
    ",": 5.0, "(": 4.4, ")": 4.4, "[": 3.2, "]": 3.2, "<": 14.6, ">": 14.6, r"\le": 14.6, r"\ge": 14.6, r"\quad": 11.0,
    r"\,": 1.9, r"\%": 9.2, r"\sum": 19.0, r"\log": 16.0, r"\tanh": 26.0, r"\infty": 11.0, r"\cdots": 15.0, r"\vdots": 4.0,
    r"\ddots": 15.0, r"\left": 5.0, r"\right": 5.0, r"\Bigl": 5.0, r"\Bigr": 5.0, "&": 0.0, "'": 3.0, r"\Delta": 9.2,
}  # fmt: skip
_TEXTS = {r"\text", r"\operatorname"}
_QUICK = 5.5
"""No piece is wider than this many points for each character of its source."""


def fits(tex: str, room: float) -> bool:
    """Whether a piece is surely no wider than `room`."""
    return len(tex) * _QUICK <= room or width(tex) <= room


def width(tex: str) -> float:
    """About how wide a formula will be, in points."""
    return _Meter(_TOKEN.findall(re.sub(r"\\(?:text|operatorname)\{([^{}]*)\}", _as_digits, tex))).run()


def _as_digits(text: re.Match[str]) -> str:
    """Text inside a formula, as so many digits: about as wide."""
    return "{" + "0" * (len(text[1]) + 1) + "}"


class _Meter:
    """Adds up widths, piece by piece."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.place = 0

    def run(self, until: frozenset[str] = frozenset()) -> float:
        total = 0.0
        while self.place < len(self.tokens) and self.tokens[self.place] not in until:
            if self.tokens[self.place] in "^_":
                total += self._scripts()
            else:
                total += self._atom()
        return total

    def _scripts(self) -> float:
        """Marks above and below stand over each other."""
        widest = 0.0
        while self.place < len(self.tokens) and self.tokens[self.place] in "^_":
            self.place += 1
            widest = max(widest, _SCRIPT * self._atom())
        return widest + 0.6

    def _atom(self) -> float:
        piece = self.tokens[self.place]
        self.place += 1
        if piece == "{":
            inside = self.run(frozenset("}"))
            self.place += 1
            return inside
        if piece == r"\frac":
            return max(self._atom(), self._atom()) + 3.0
        if piece == r"\underset":
            below = _SCRIPT * self._atom()
            return max(below, self._atom()) + 2.0
        if piece == r"\underbrace":
            return self._braced()
        if piece == r"\begin":
            return self._table()
        if piece[0].isdigit():
            return _DIGIT * len(piece)
        return _WIDTHS.get(piece, 0.0 if piece in _NO_WIDTH else _LETTER)

    def _braced(self) -> float:
        inside = self._atom()
        return max(inside, self._scripts())

    def _table(self) -> float:
        self._atom()  # the name of the environment
        columns: list[float] = []
        column = 0
        while self.place < len(self.tokens):
            cell = self.run(frozenset({"&", r"\\", r"\end"}))
            columns[column:] = [max(cell, *columns[column : column + 1]) if columns[column:] else cell, *columns[column + 1 :]]
            end = self.tokens[self.place]
            self.place += 1
            column = column + 1 if end == "&" else 0
            if end == r"\end":
                self._atom()
                break
        return sum(columns) + 11.0 * len(columns) + 12.0


_NO_WIDTH = {r"\mathbf", r"\mathcal", r"\boldsymbol", r"\hat", r"\displaystyle", r"\mathrm", r"\!"}


def aligned(formulas: Iterable[tuple[str, Iterable[str]]]) -> str:
    """An `align*` of formulas: (left-hand side, lines), each line its sign and pieces, one piece per line of text."""
    rows = [r" \\[6pt]" + "\n" + part if n else part for n, part in enumerate(_formula(left, lines) for left, lines in formulas)]
    return "\\begin{align*}\n" + "".join(rows) + "\n\\end{align*}\n"


def _formula(left: str, lines: Iterable[str]) -> str:
    room = LINE - width(left) - 16.0
    rows = [row for line in dict.fromkeys(lines) for row in _broken(line, room)]
    if not rows:
        return left
    tall = any("matrix}" in row for row in rows)
    ends = [r" \\" if tall and n < len(rows) - 2 else r" \\*" for n in range(len(rows) - 1)]  # a result is not left alone on a page
    return f"{left} " + "".join(f"{row}{end}\n" for row, end in zip(rows, ends, strict=False)) + rows[-1]


def _broken(line: str, room: float) -> list[str]:
    """One line as rows behind the sign of alignment; those after the first stand behind the relation sign."""
    sign, _, body = line.partition(" ")
    first, *others = body.split("\n")
    rows, taken = [first], width(first) if others else 0.0
    for piece in others:
        wide = width(piece)
        if taken + wide <= room:
            rows[-1] += " " + piece
            taken += wide
        else:
            rows.append(piece)
            taken = wide
    lead = [f"&{sign} ", *[rf"&\phantom{{{{}}{sign}{{}}}} {{}} "] * (len(rows) - 1)]
    return [mark + _fitted(row, room) for mark, row in zip(lead, rows, strict=True)]


def _fitted(row: str, room: float) -> str:
    return row if fits(row, room) else f"\\fit{{{room:.0f}pt}}{{{row}}}"

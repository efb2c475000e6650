"""Formulas as LaTeX, straight from the tree: the dialect of the exported document.

Only amsmath's commands are used. A line comes as pieces, one per line of text, between which
`tutor.notation.latex` may break it: a LaTeX source does not mind the difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.engine.tree import (
    ArrayRef,
    Cases,
    Difference,
    Environment,
    MatrixProduct,
    Negative,
    Node,
    Partial,
    Product,
    Square,
    Sum,
    SumOver,
    Weighted,
)
from tutor.notation.conventions import Alphabet, Symbol
from tutor.notation.latex_text import GREEK, escaped
from tutor.notation.mathml import SHOWN_COLUMNS, member, shown_rows
from tutor.notation.writer import (
    ANYTHING,
    ATOM,
    FACTOR,
    NOTHING,
    NUMBERS,
    RULE,
    TERM,
    Hidden,
    Writer,
)

SIGNS = {
    "+": "+",
    "−": "-",
    "·": r"\cdot",
    "×": r"\times",
    "⊙": r"\odot",
    "=": "=",
    "≈": r"\approx",
    ":=": ":=",
    "": "",
}
_FUNCTIONS = {
    "σ": r"\sigma", "log": r"\log", "tanh": r"\tanh",
    "cos": r"\cos", "sin": r"\sin", "min": r"\min", "max": r"\max",
}  # fmt: skip
_LETTERS = {
    "ℒ": r"\mathcal{L}", "⊤": r"\top", "‖g‖": r"\lVert g \rVert", "‖W‖": r"\lVert W \rVert",
}  # fmt: skip
_DERIVED = {"∂": r"\partial", "d": r"\mathrm{d}"}
_TALL = (r"\frac", "matrix}", "cases}")
LEAST_COLUMNS = 3


class Latex(Writer):
    """The dialect: each method returns LaTeX for math mode."""

    glue = " "

    def constant(self, value: float, text: str) -> str:
        if text == "π":
            return r"\pi"
        if "/" in text:
            top, bottom = text.split("/")
            return f"\\frac{{{top}}}{{{bottom}}}"
        return text or digits(value, self.decimals, self.more)

    def amount(self, value: float, quantity: Quantity | None) -> str:
        return digits(value, self.decimals, self.more)

    def blank(self, quantity: Quantity) -> str:
        return r"\boxed{\phantom{00.0000}}"

    def letter(self, symbol: Symbol, kind: str) -> str:
        letter = symbol.letter
        change = r"\Delta " if letter.startswith("Δ") and len(letter) > 1 else ""
        base = change + _base(letter[1:] if change else letter, symbol.bold)
        if symbol.hat:
            base = f"\\hat{{{base}}}"
        if symbol.bar:
            base = f"\\{'bar' if len(letter) == 1 else 'overline'}{{{base}}}"
        before = f"{{}}^{{{symbol.before}}}" if symbol.before else ""
        sub = (
            f"_{{{symbol.sub}}}" if len(symbol.sub) > 1 else f"_{symbol.sub}" if symbol.sub else ""
        )
        sup = r"\,".join(f"\\text{{{part}}}" if part.isalpha() else part for part in symbol.sup)
        return f"{before}{base}{sub}^{{{sup}}}" if sup else f"{before}{base}{sub}"

    def derivative(self, top: str, bottom: str, kind: str) -> str:
        sign = _DERIVED[self.alphabet.sign(kind)]
        return f"\\frac{{{sign} {top}}}{{{sign} {bottom}}}"

    def matrix(self, leaf: ArrayRef) -> str:
        """The matrix with as many columns as fit on a line, without the middle of a large one."""
        text, array = "", self.array(leaf)
        for most in range(SHOWN_COLUMNS, LEAST_COLUMNS - 1, -1):
            rows = [
                [self._entry(leaf, array, r, c) for c in shown_rows(array.shape[1], most)]
                for r in shown_rows(array.shape[0])
            ]
            text = (
                r"\begin{bmatrix} "
                + r" \\ ".join(" & ".join(row) for row in rows)
                + r" \end{bmatrix}"
            )
            if fits(text, ROOM - 50.0):
                break
        return text

    def _entry(self, leaf: ArrayRef, array: Any, r: int, c: int) -> str:
        if r < 0 or c < 0:
            return r"\ddots" if r < 0 and c < 0 else r"\vdots" if r < 0 else r"\cdots"
        if self.hidden is not None and self.hidden(member(leaf)):
            return self.blank(member(leaf))
        return digits(float(array[r, c]), self.decimals, self.more)

    def shaped(self, x: str, rows: int, columns: int) -> str:
        return f"\\underset{{({rows} \\times {columns})}}{{{x}}}"

    def fraction(self, top: str, bottom: str) -> str:
        return f"\\frac{{{top}}}{{{bottom}}}"

    def parenthesised(self, x: str) -> str:
        return f"\\left( {x} \\right)" if any(mark in x for mark in _TALL) else f"({x})"

    def joined(self, parts: list[str], sign: str) -> str:
        return f" {SIGNS[sign]} ".join(parts).lstrip()

    def minus(self, x: str) -> str:
        return f"-{x}"

    def power(self, base: str, exponent: str) -> str:
        if len(base) == 1 or (base.startswith("(") and base.endswith(")")):
            return f"{base}^{{{exponent}}}"
        # TeX takes the braces off a letter that is alone in them with its hat
        lead = "{}" if base.startswith(r"\hat") else ""
        return f"{{{lead}{base}}}^{{{exponent}}}"

    def function(self, name: str, x: str) -> str:
        plain = name.removesuffix("′")
        known = _FUNCTIONS.get(plain) or f"\\operatorname{{{escaped(plain)}}}"
        return f"{known}{chr(39) * (plain != name)}{'' if x.startswith(('(', chr(92))) else ' '}{x}"

    def cases(self, rows: list[tuple[str, str, str]]) -> str:
        body = r" \\ ".join(
            f"{formula} & \\text{{if }} {on} {_condition(condition)}"
            for formula, on, condition in rows
        )
        return f"\\begin{{cases}} {body} \\end{{cases}}"

    def since(self, x: str, on: str, condition: str) -> str:
        return f"{x} \\quad \\text{{since }} {on} {_condition(condition)}"

    def between(self, count: int, total: float) -> str:
        if self.mode != NUMBERS or self.hidden is not None:
            return r"\cdots"
        shown = digits(total, self.decimals, self.more)
        return f"\\underbrace{{{shown}}}_{{\\text{{{count} more terms}}}}"

    def root(self, x: str) -> str:
        return f"\\sqrt{{{x}}}"

    def floor(self, x: str) -> str:
        return f"\\left\\lfloor {x} \\right\\rfloor"

    def length(self, x: str) -> str:
        return f"\\left\\lVert {x} \\right\\rVert"

    def listed(self, parts: list[str]) -> str:
        return ", ".join(parts)

    def bars(self, x: str) -> str:
        return f"\\left| {x} \\right|"

    def extreme_over(self, name: str, what: str, x: str) -> str:
        return f"{_FUNCTIONS[name]}_{{\\text{{{what}}}}} {x}"

    def over(self, what: str, x: str) -> str:
        return f"\\sum_{{\\text{{{what}}}}} {x}"

    # Where a long formula may be broken.

    def broken(self, node: Node) -> list[str]:
        """The node in one piece if a line can hold it, else in as many as it takes."""
        decides = isinstance(node, Cases) and self.mode == NUMBERS
        return self.pieces(node) if decides else self._apart(node, ANYTHING, first=True)

    def _apart(self, node: Node, need: int, first: bool) -> list[str]:
        whole = self.write(node, need, first)
        if fits(whole, ROOM):
            return [whole]
        if isinstance(node, Partial) and self.mode != RULE:
            return self._apart(node.of, need, first)
        parts = self._parts(node, first)
        if len(parts) > 1 and self._loose(node, need, first):
            parts[0], parts[-1] = rf"\Bigl( {parts[0]}", rf"{parts[-1]} \Bigr)"
        return parts if len(parts) > 1 else [whole]

    def _parts(self, node: Node, first: bool) -> list[str]:
        """The parts of a sum, a difference, a product or a negative, each taken apart in turn where
        it is too wide.
        """
        match node:
            case Sum():
                head, *rest = node.terms
                return [
                    *self._apart(head, ANYTHING, first),
                    *(part for term in rest for part in self._further(term)),
                ]
            case Difference():
                need = TERM + isinstance(node.right, Sum | Difference)
                return [*self._apart(node.left, TERM, first), *self._behind("−", node.right, need)]
            case Negative():
                return self._behind("−", node.of, TERM if isinstance(node.of, Product) else FACTOR)
            case Product() | MatrixProduct() | Weighted():
                sign = self._sign_of(node)
                head, *rest = node.terms
                return [
                    *self._apart(head, FACTOR, first),
                    *(part for term in rest for part in self._behind(sign, term, FACTOR)),
                ]
            case Square():
                *inside, last = self._apart(node.of, ATOM, first=True)
                return [*inside, f"{last}^{{2}}"] if inside else []
            case SumOver():
                start, *more = self._apart(node.of, FACTOR, first=True)
                return [self.over(node.what, start), *more]
            case _:
                return []

    def _further(self, term: Node) -> list[str]:
        return (
            self._behind("−", term.of, FACTOR)
            if isinstance(term, Negative)
            else self._behind("+", term, TERM)
        )

    def _behind(self, sign: str, node: Node, need: int) -> list[str]:
        start, *rest = self._apart(node, need, first=False)
        return [f"{SIGNS[sign]} {start}", *rest]


def _condition(condition: str) -> str:
    """What a case distinction asks, such as "≤ 0"."""
    return condition.replace("≤", r"\le").replace("≥", r"\ge").replace("−", "-")


def _base(letter: str, bold: bool) -> str:
    if letter in _LETTERS:
        return _LETTERS[letter]
    if letter in GREEK:
        return f"\\boldsymbol{{{GREEK[letter]}}}" if bold else GREEK[letter]
    if len(letter) > 1 and letter.isascii() and letter.isalpha():
        return f"\\mathrm{{{letter}}}"
    plain = letter if letter.isascii() and letter.isalpha() else f"\\text{{{escaped(letter)}}}"
    return f"\\mathbf{{{plain}}}" if bold else plain


def digits(value: float, decimals: int, more: int = 0) -> str:
    r"""A number as `tutor.number` shows it: -0.25, 2.64 \cdot 10^{-7}."""
    text = number.plain(value, decimals, more)
    if text in {"inf", "-inf", "nan"}:
        return text.replace("inf", r"\infty").replace("nan", r"\text{not a number}")
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa} \\cdot 10^{{{exponent}}}" if exponent else mantissa


class LatexLines:
    """Builds the lines of a formula for `tutor.lesson.formula.FormulaWriter`: pieces of LaTeX, one
    per line of text.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        decimals: int,
        hidden: Hidden | None = None,
        env: Environment = NOTHING,
    ) -> None:
        self.alphabet, self.decimals, self.hidden, self.env = alphabet, decimals, hidden, env

    def _writer(self, mode: str = "symbols") -> Latex:
        return Latex(self.alphabet, self.decimals, mode, self.hidden, self.env)

    def tree(self, node: Node, mode: str, sign: str = "", more: int = 0) -> str:
        """One tree in one mode behind a relation sign, in pieces for line breaks; with so many
        more digits of its numbers.
        """
        pieces = "\n".join(self._writer(mode).finer(more).broken(node))
        return f"{SIGNS[sign]} {pieces}" if sign else pieces

    def quantity(self, q: Quantity) -> str:
        """The symbol of one quantity."""
        return self._writer().name(q)

    def matrix(self, kind: str, layer: int, sample: int = 0) -> str:
        """The symbol of a whole matrix."""
        return self._writer().matrix_name(kind, layer, sample)

    def percent(self, share: float, decimals: int) -> str:
        """A share of one as a percentage."""
        return f"\\approx {digits(100 * share, decimals)}\\,\\%"


# ---- How formulas stand on the page ----
#
# How wide a piece of LaTeX will be, and where a long line is broken. Widths are estimates in points
# for Computer Modern at 11 points, a little on the wide side; `aligned` breaks lines by them
# between pieces (of which `tutor.notation.latex` gives one per line of text) and asks LaTeX itself,
# by `\fit`, to shrink a single piece that no line can hold. `tests/test_latex.py` reads LaTeX's log
# for lines that are too long.


LINE = 472.0
"""The width of a line: A4 less the margins that `tutor.export.latex_document` sets, with a little
to spare.
"""
ROOM = LINE - 70.0
"""What is left of it for the right-hand side of a formula."""
_DIGIT, _LETTER, _SCRIPT = 5.5, 7.2, 0.75

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+|[^\s]", re.DOTALL)
_WIDTHS = {
    "+": 13.5, "-": 13.5, r"\times": 13.5, r"\odot": 13.5, r"\cdot": 8.0,
    "=": 14.6, r"\approx": 14.6, "<": 14.6, ">": 14.6, r"\le": 14.6, r"\ge": 14.6,
    ":": 3.1, ".": 3.1, ",": 5.0, "(": 4.4, ")": 4.4, "[": 3.2, "]": 3.2, "&": 0.0, "'": 3.0,
    r"\,": 1.9, r"\quad": 11.0, r"\%": 9.2, r"\Delta": 9.2,
    r"\sum": 19.0, r"\log": 16.0, r"\tanh": 26.0, r"\infty": 11.0,
    r"\cdots": 15.0, r"\vdots": 4.0, r"\ddots": 15.0,
    r"\left": 5.0, r"\right": 5.0, r"\Bigl": 5.0, r"\Bigr": 5.0,
}  # fmt: skip
_QUICK = 5.5
"""No piece is wider than this many points for each character of its source."""


def fits(tex: str, room: float) -> bool:
    """Whether a piece is surely no wider than `room`."""
    return len(tex) * _QUICK <= room or tex_width(tex) <= room


def tex_width(tex: str) -> float:
    """About how wide a formula will be, in points."""
    return _Meter(
        _TOKEN.findall(re.sub(r"\\(?:text|operatorname)\{([^{}]*)\}", _as_digits, tex))
    ).run()


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
            columns[column:] = [
                max(cell, *columns[column : column + 1]) if columns[column:] else cell,
                *columns[column + 1 :],
            ]
            end = self.tokens[self.place]
            self.place += 1
            column = column + 1 if end == "&" else 0
            if end == r"\end":
                self._atom()
                break
        return sum(columns) + 11.0 * len(columns) + 12.0


_NO_WIDTH = {r"\mathbf", r"\mathcal", r"\boldsymbol", r"\hat", r"\displaystyle", r"\mathrm", r"\!"}


def aligned(formulas: Iterable[tuple[str, Iterable[str]]]) -> str:
    """An `align*` of formulas: (left-hand side, lines), each line its sign and pieces, one piece
    per line of text.
    """
    rows = [
        r" \\[6pt]" + "\n" + part if n else part
        for n, part in enumerate(_formula(left, lines) for left, lines in formulas)
    ]
    return "\\begin{align*}\n" + "".join(rows) + "\n\\end{align*}\n"


def _formula(left: str, lines: Iterable[str]) -> str:
    room = LINE - tex_width(left) - 16.0
    rows = [row for line in dict.fromkeys(lines) for row in _broken(line, room)]
    if not rows:
        return left
    tall = any("matrix}" in row for row in rows)
    # a result is not left alone on a page
    ends = [r" \\" if tall and n < len(rows) - 2 else r" \\*" for n in range(len(rows) - 1)]
    return (
        f"{left} "
        + "".join(f"{row}{end}\n" for row, end in zip(rows, ends, strict=False))
        + rows[-1]
    )


def _broken(line: str, room: float) -> list[str]:
    """One line as rows behind the sign of alignment; later ones stand behind the relation sign."""
    sign, _, body = line.partition(" ")
    first, *others = body.split("\n")
    rows, taken = [first], tex_width(first) if others else 0.0
    for piece in others:
        wide = tex_width(piece)
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

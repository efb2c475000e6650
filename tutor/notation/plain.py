"""Formulas as one line of plain text, for the command line: `w_21^[2]·a_1^[1] + w_02^[2]`.

Fractions are written with / and parentheses, powers with ^, a matrix as [a b; c d] with the middle
of a large one left out, a sample on the left of a letter as a raised number.
"""

from __future__ import annotations

from typing import Any

from tutor import number
from tutor.engine.kinds import kind_of
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef, Division, Node, Partial, Quotient, Ref
from tutor.notation.conventions import Symbol
from tutor.notation.mathml import shown_rows
from tutor.notation.writer import FACTOR, NUMBERS, RULE, TERM, Writer

_RAISED = str.maketrans("0123456789()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾")
_TIGHT = {"·"}
"""Signs without a space around them."""
MOST_ROWS = MOST_COLUMNS = 6


class PlainText(Writer):
    """The dialect: each method returns text on one line."""

    def constant(self, value: float, text: str) -> str:
        return f"({text})" if "/" in text else text or number.shown(value, self.decimals, self.more)

    def amount(self, value: float, quantity: Quantity | None) -> str:
        return number.shown(value, self.decimals, self.more)

    def letter(self, symbol: Symbol, kind: str) -> str:
        letter = (
            {"y": "ŷ"}.get(symbol.letter, symbol.letter + "\N{COMBINING CIRCUMFLEX ACCENT}")
            if symbol.hat
            else symbol.letter
        )
        if symbol.bar:
            letter = "".join(f"{sign}\N{COMBINING MACRON}" for sign in letter)
        sub = f"_{{{symbol.sub}}}" if "," in symbol.sub else f"_{symbol.sub}" if symbol.sub else ""
        sup = (
            f"^{{{' '.join(symbol.sup)}}}"
            if len(symbol.sup) > 1
            else "".join(f"^{mark}" for mark in symbol.sup)
        )
        return f"{symbol.before.translate(_RAISED)}{letter}{sub}{sup}"

    def derivative(self, top: str, bottom: str, kind: str) -> str:
        sign = self.alphabet.sign(kind)
        return f"{sign}{top}/{sign}{bottom}"

    def matrix(self, leaf: ArrayRef) -> str:
        array = self.array(leaf)
        return "[" + "; ".join(self._row(array, r) for r in shown_rows(len(array), MOST_ROWS)) + "]"

    def _row(self, array: Any, r: int) -> str:
        if r < 0:
            return "…"
        cells = shown_rows(array.shape[1], MOST_COLUMNS)
        return " ".join(
            "…" if c < 0 else number.shown(float(array[r, c]), self.decimals, self.more)
            for c in cells
        )

    def shaped(self, x: str, rows: int, columns: int) -> str:
        return x

    def fraction(self, top: str, bottom: str) -> str:
        return f"{_closed(top)}/{_closed(bottom)}"

    def parenthesised(self, x: str) -> str:
        return f"({x})"

    def joined(self, parts: list[str], sign: str) -> str:
        return (sign if sign in _TIGHT else f" {sign} ").join(parts)

    def minus(self, x: str) -> str:
        return f"{number.MINUS}{x}"

    def power(self, base: str, exponent: str) -> str:
        raised = {"2": "²", "⊤": "ᵀ"}.get(exponent)
        if raised is None:
            return f"{base}^({exponent})"
        return f"{base}{raised}" if "^" not in base or _enclosed(base) else f"({base}){raised}"

    def function(self, name: str, x: str) -> str:
        return f"{name}{x}" if x.startswith("(") else f"{name} {x}"

    def cases(self, rows: list[tuple[str, str, str]]) -> str:
        return (
            "{"
            + "; ".join(f"{formula} if {on} {condition}" for formula, on, condition in rows)
            + "}"
        )

    def since(self, x: str, on: str, condition: str) -> str:
        return f"{x} (since {on} {condition})"

    def between(self, count: int, total: float) -> str:
        return (
            "…"
            if self.mode != NUMBERS
            else f"({number.shown(total, self.decimals, self.more)} for {count} more terms)"
        )

    def root(self, x: str) -> str:
        return f"√({x})"

    def floor(self, x: str) -> str:
        return f"⌊{x}⌋"

    def length(self, x: str) -> str:
        return f"‖{x}‖"

    def listed(self, parts: list[str]) -> str:
        return ", ".join(parts)

    def bars(self, x: str) -> str:
        return f"|{x}|"

    def extreme_over(self, name: str, what: str, x: str) -> str:
        return f"{name}_{what} {x}"

    def over(self, what: str, x: str) -> str:
        return f"Σ_{what} {x}"

    def line(self, node: Node) -> str:
        """A whole tree."""
        return "".join(self.pieces(node))

    def _binding(self, node: Node) -> int:
        """A fraction on one line needs parentheses where one with a bar does not."""
        binding = super()._binding(node)
        if isinstance(node, Quotient | Division):
            return TERM
        if (
            isinstance(node, Ref | ArrayRef)
            and self.mode != NUMBERS
            and kind_of(node_kind(node)).by
        ):
            return min(binding, FACTOR)
        return min(binding, FACTOR) if isinstance(node, Partial) and self.mode == RULE else binding


def node_kind(node: Ref | ArrayRef) -> str:
    """The kind of quantity that a leaf stands for."""
    return node.quantity.kind if isinstance(node, Ref) else node.kind


def _closed(x: str) -> str:
    """A part of a fraction: in parentheses unless it is one piece."""
    one_piece = _enclosed(x) or not any(sign in x for sign in " ·×/+⊙" + number.MINUS)
    return x if one_piece else f"({x})"


def _enclosed(x: str) -> bool:
    """Whether the first parenthesis closes at the very end."""
    depth = 0
    for place, character in enumerate(x):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place == len(x) - 1 and x.startswith("(")
    return False

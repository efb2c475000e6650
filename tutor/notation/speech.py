"""Formulas as spoken words, for screen readers and for the command line."""

from __future__ import annotations

from functools import lru_cache

from tutor import number
from tutor.engine.kinds import kind_of
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef
from tutor.notation.conventions import Symbol
from tutor.notation.writer import NUMBERS, Writer

_SIGNS = {"+": "plus", "−": "minus", "·": "times", "×": "times", "⊙": "element-wise times"}
_LETTERS = {
    "β": "beta", "γ": "gamma", "ε": "epsilon", "λ": "lambda", "μ": "mu", "ρ": "rho",
    "‖g‖": "length of g", "‖W‖": "length of W", "η": "eta", "α": "alpha", "σ": "sigma", "ℒ": "L",
    "⊤": "transposed", "ŷ": "y hat",
    "sd": "standard deviation", "min": "minimum", "max": "maximum",
}  # fmt: skip
"""How the letters of a number are read that are not their own name."""
_FUNCTIONS = {
    "σ": "sigmoid", "cos": "cosine", "sin": "sine", "max": "the larger", "min": "the smaller",
}  # fmt: skip
_EXTREMES = {"min": "the smallest", "max": "the largest"}


class Words(Writer):
    """The dialect: each method returns words. Nested parts are in parentheses."""

    glue = " "
    adjoints = False
    """A bar is read out as what it means."""

    def constant(self, value: float, text: str) -> str:
        return text.replace("/", " over ") or spoken(value, self.decimals, self.more)

    def amount(self, value: float, quantity: Quantity | None) -> str:
        return spoken(value, self.decimals, self.more)

    def blank(self, quantity: Quantity) -> str:
        return "blank"

    def letter(self, symbol: Symbol, kind: str) -> str:
        plain = symbol.letter.removeprefix("Δ")
        letter = _LETTERS.get(plain, plain)
        words = ["change of"] * symbol.letter.startswith("Δ") + [letter] + ["hat"] * symbol.hat
        index = symbol.sub.replace(",", " ") if "," in symbol.sub else " ".join(symbol.sub)
        return " ".join(
            word
            for word in (*words, index if len(symbol.sub) < 4 else symbol.sub, *symbol.said)
            if word
        )

    def derivative(self, top: str, bottom: str, kind: str) -> str:
        return f"{kind_of(kind).said} of {top} with respect to {bottom}"

    def matrix(self, leaf: ArrayRef) -> str:
        array = self.array(leaf)
        rows, columns = array.shape
        if self.hidden is not None or array.size > 12:
            return f"a {rows} by {columns} matrix"
        body = "; ".join(
            ", ".join(spoken(float(v), self.decimals, self.more) for v in row) for row in array
        )
        return f"the {rows} by {columns} matrix {body}"

    def shaped(self, x: str, rows: int, columns: int) -> str:
        return f"{x}, {rows} by {columns}"

    def fraction(self, top: str, bottom: str) -> str:
        simple = " " not in top + bottom
        return (
            f"{top} over {bottom}"
            if simple
            else f"the fraction {top} over {bottom}, end of fraction"
        )

    def parenthesised(self, x: str) -> str:
        return f"({x})" if " " in x or x.startswith("minus") else x

    def joined(self, parts: list[str], sign: str) -> str:
        return f" {_SIGNS[sign]} ".join(parts).strip()

    def minus(self, x: str) -> str:
        return f"minus {x}"

    def power(self, base: str, exponent: str) -> str:
        if exponent in {"2", "transposed"}:
            return f"{base} {'squared' if exponent == '2' else exponent}"
        return f"{base} to the power of {exponent}"

    def function(self, name: str, x: str) -> str:
        plain = name.removesuffix("′")
        return f"{_FUNCTIONS.get(plain, plain)}{' prime' * (plain != name)} of {x}"

    def cases(self, rows: list[tuple[str, str, str]]) -> str:
        return "; ".join(
            f"{formula} if {on} {_condition(condition)}" for formula, on, condition in rows
        )

    def since(self, x: str, on: str, condition: str) -> str:
        return f"{x}, since {on} {_condition(condition)}"

    def between(self, count: int, total: float) -> str:
        if self.mode != NUMBERS or self.hidden is not None:
            return "and so on"
        return f"{spoken(total, self.decimals, self.more)} for {count} more terms"

    def root(self, x: str) -> str:
        return f"the square root of ({x})" if " " in x else f"the square root of {x}"

    def floor(self, x: str) -> str:
        return f"({x}) rounded down"

    def length(self, x: str) -> str:
        return f"the length of {x}"

    def listed(self, parts: list[str]) -> str:
        return " and ".join(parts)

    def bars(self, x: str) -> str:
        return f"the size of ({x})" if " " in x else f"the size of {x}"

    def extreme(self, name: str, parts: list[str]) -> str:
        return f"{_EXTREMES[name]} of {', '.join(parts[:-1])} and {parts[-1]}"

    def extreme_over(self, name: str, what: str, x: str) -> str:
        return f"{_EXTREMES[name]} over {what} of {x}"

    def over(self, what: str, x: str) -> str:
        return f"the sum over {what} of {x}"


_CONDITIONS = {
    ">": "is above {}",
    "≤": "is {} or less",
    "≥": "is {} or more",
    "<": "is below {}",
    "=": "is {}",
}


def _condition(condition: str) -> str:
    """What a case distinction asks, such as "> 0"."""
    sign, limit = condition.split(" ")
    return _CONDITIONS[sign].format(limit.replace("−", "minus "))


@lru_cache(number.MOST_SHOWN)
def spoken(value: float, decimals: int, more: int = 0) -> str:
    """A number as it is read out: with the word minus, which every screen reader says."""
    text = number.plain(value, decimals, more)
    mantissa, _, exponent = text.partition("e")
    words = f"minus {mantissa[1:]}" if mantissa.startswith("-") else mantissa
    if exponent:
        words += f" times 10 to the {exponent.replace('-', 'minus ')}"
    return {"inf": "infinity", "minus inf": "minus infinity", "nan": "not a number"}.get(
        words, words
    )

"""Small arithmetic over the quantities of a lesson: `8 * (16 * {x[1]} - {y[1]})`.

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = "-" signed | power
    power   = operand (("^" | "**") signed)?            to the right: 2^3^2 is 2^9, and -2^2 is -4
    operand = number | "{" name "}" | "(" sum ")"

Nothing else is read: no functions, no variables. Length, depth and exponents are limited; nothing is ever given
to Python to evaluate. What stands in braces is looked up by whoever calls, who also decides what names there are.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tutor import limits
from tutor.errors import TutorError


class BadArithmeticError(TutorError, ValueError):
    """An expression that cannot be read, or that has no value; the text says where or why."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number as it was written."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A quantity in braces; `text` is what stands between them."""

    text: str


@dataclass(frozen=True, slots=True)
class Negative:
    """The opposite of a term."""

    of: Term


@dataclass(frozen=True, slots=True)
class Operation:
    """Two terms and one of + - * / ^ between them."""

    sign: str
    left: Term
    right: Term


Term: TypeAlias = Constant | Name | Negative | Operation

_PLAIN: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)"
    r"|\{(?P<name>[^{}]*)\}|(?P<sign>\*\*|[-+*/^()])|(?P<end>$))",
    re.ASCII,
)


def evaluate(expression: str, value_of: Callable[[str], float]) -> float:
    """The value of an expression, in float64. Raises BadArithmeticError; what `value_of` raises passes through."""
    value = _value(parse(expression), value_of)
    if not math.isfinite(value):
        raise BadArithmeticError(f"the result is {value}, which is no number to compare with")
    return value


def names(expression: str) -> tuple[str, ...]:
    """What stands in braces, each once, in the order of first use. Raises BadArithmeticError."""
    return tuple(dict.fromkeys(_names(parse(expression))))


def parse(expression: str) -> Term:
    """Read an expression. Raises BadArithmeticError with the position, counted from 1."""
    if len(expression) > limits.EXPRESSION:
        raise BadArithmeticError(f"the expression has {len(expression):,} characters, the limit is {limits.EXPRESSION}")
    reader = _Reader(expression)
    term = reader.sum()
    if reader.kind != "end":
        raise reader.error("an operator is missing" if reader.starts_operand else "nothing was opened here")
    return term


class _Reader:
    """The text and how far it has been read: `kind`, `text` and `at` belong to the token that comes next."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.end = self.depth = 0
        self.advance()

    def advance(self) -> str:
        """Step to the next token; the text of the one that was passed."""
        passed = getattr(self, "text", "")
        match = _TOKEN.match(self.expression, self.end)
        if match is None:
            self.at = self.end + len(self.expression[self.end :]) - len(self.expression[self.end :].lstrip())
            raise self.error("is not part of this arithmetic; it has numbers, + - * / ^, parentheses and {names}", quote=True)
        self.kind = str(match.lastgroup)
        self.text = str(match[self.kind])
        self.at, self.end = match.start(self.kind) - (self.kind == "name"), match.end()
        return passed

    @property
    def starts_operand(self) -> bool:
        return self.kind in {"number", "name"} or self.text == "("

    def error(self, message: str, *, quote: bool = False) -> BadArithmeticError:
        found = f"{self.expression[self.at]!r} " if quote else ""
        return BadArithmeticError(f"at character {self.at + 1}: {found}{message}")

    def deeper(self, read: Callable[[], Term]) -> Term:
        self.depth += 1
        if self.depth > limits.EXPRESSION_DEPTH:
            raise self.error(f"more than {limits.EXPRESSION_DEPTH} parentheses, signs and powers inside one another")
        term = read()
        self.depth -= 1
        return term

    def chain(self, read: Callable[[], Term], signs: str) -> Term:
        term = read()
        while self.kind == "sign" and self.text in signs.split():
            sign = self.advance()
            term = Operation(sign, term, read())
        return term

    def sum(self) -> Term:
        return self.chain(self.product, "+ -")

    def product(self) -> Term:
        return self.chain(self.signed, "* /")

    def signed(self) -> Term:
        if self.kind == "sign" and self.text == "-":
            self.advance()
            return Negative(self.deeper(self.signed))
        return self.power()

    def power(self) -> Term:
        base = self.operand()
        if self.kind == "sign" and self.text in {"^", "**"}:
            self.advance()
            return Operation("^", base, self.deeper(self.signed))
        return base

    def operand(self) -> Term:
        if self.kind == "number":
            return self._constant()
        if self.kind == "name":
            if not self.text.strip():
                raise self.error("the braces are empty; they hold the name of a quantity")
            return Name(self.advance().strip())
        if self.kind == "sign" and self.text == "(":
            return self._parenthesis()
        raise self.error("the expression ends where a number should come" if self.kind == "end" else "a number should come here")

    def _constant(self) -> Constant:
        if not math.isfinite(float(self.text)):
            raise self.error("the number is too large")
        text = self.advance()
        return Constant(float(text), text)

    def _parenthesis(self) -> Term:
        self.advance()
        inner = self.deeper(self.sum)
        if self.text != ")":
            wanted = "a closing parenthesis"
            raise self.error(f"{wanted} is missing" if self.kind == "end" else f"{wanted} or an operator should come here")
        self.advance()
        return inner


def _names(term: Term) -> Iterator[str]:
    if isinstance(term, Name):
        yield term.text
    elif isinstance(term, Negative):
        yield from _names(term.of)
    elif isinstance(term, Operation):
        yield from _names(term.left)
        yield from _names(term.right)


def _value(term: Term, value_of: Callable[[str], float]) -> float:
    if isinstance(term, Constant):
        return term.value
    if isinstance(term, Name):
        return float(value_of(term.text))
    if isinstance(term, Negative):
        return -_value(term.of, value_of)
    return _combined(term.sign, _value(term.left, value_of), _value(term.right, value_of))


def _combined(sign: str, left: float, right: float) -> float:
    if sign == "/" and right == 0:
        raise BadArithmeticError("divides by zero")
    if sign == "^":
        return _power(left, right)
    return _PLAIN[sign](left, right)


def _power(base: float, exponent: float) -> float:
    if not abs(exponent) <= limits.EXPONENT:
        raise BadArithmeticError(f"the exponent {exponent:g} is outside -{limits.EXPONENT} to {limits.EXPONENT}")
    if base == 0 and exponent < 0:
        raise BadArithmeticError("divides by zero (0 to a negative power)")
    if base < 0 and not exponent.is_integer():
        raise BadArithmeticError(f"{base:g} to the power {exponent:g} is not a real number")
    try:
        return float(base**exponent)
    except OverflowError:
        raise BadArithmeticError(f"{base:g} to the power {exponent:g} is too large") from None

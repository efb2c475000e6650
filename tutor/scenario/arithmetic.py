"""Small arithmetic over the quantities of a lesson: `8 * (16 * {x[1]} - {y[1]})`.

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = "-" signed | power
    power   = operand (("^" | "**") signed)?            to the right: 2^3^2 is 2^9, and -2^2 is -4
    operand = number | "{" name "}" | "(" sum ")"

Nothing else is read: no functions, no variables. Length, depth and exponents are limited; nothing
is ever given to Python to evaluate. What is read is a tree of the engine; its leaves are the
quantities in braces:

    parse(expression) -> tree
    evaluate(tree, environment) -> float      with the reason where it has no value
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from tutor import limits
from tutor.engine import quantity
from tutor.engine.quantity import Quantity
from tutor.engine.tree import (
    Difference,
    Environment,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    leaves,
)
from tutor.engine.tree import evaluate as computed
from tutor.errors import QuantityError, TutorError


class BadArithmeticError(TutorError, ValueError):
    """An expression that cannot be read, or that has no value; the text says where or why."""


_SIGNS: dict[str, Callable[[Node, Node], Node]] = {
    "+": lambda left, right: Sum((left, right)), "-": Difference,
    "*": lambda left, right: Product((left, right)), "/": Quotient,
}  # fmt: skip

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)"
    r"|\{(?P<name>[^{}]*)\}|(?P<sign>\*\*|[-+*/^()])|(?P<end>$))",
    re.ASCII,
)


def evaluate(tree: Node, env: Environment) -> float:
    """The value of an expression, in float64. Raises BadArithmeticError, and `env`'s own errors."""
    value = _value(tree, env)
    if not math.isfinite(value):
        raise BadArithmeticError(f"the result is {value}, which cannot be compared with a number")
    return value


ReadName = Callable[[str], Quantity]


def parse(expression: str, read: ReadName = quantity.parse) -> Node:
    """Read an expression, its names by `read`. Raises BadArithmeticError with the position from 1,
    or QuantityError.
    """
    if len(expression) > limits.EXPRESSION:
        raise BadArithmeticError(
            f"the expression has {len(expression):,} characters; the limit is {limits.EXPRESSION}"
        )
    reader = _Reader(expression, read)
    tree = reader.sum()
    if reader.kind != "end":
        raise reader.error(
            "an operator is missing"
            if reader.starts_operand
            else "there is no opening parenthesis for it"
        )
    if reader.unknown:
        raise reader.unknown
    return tree


def quantities(expression: str) -> tuple[Quantity, ...]:
    """The quantities of an expression, each once, by first use. Raises what `parse` raises."""
    return tuple(leaf.quantity for leaf in leaves(parse(expression)))


class _Reader:
    """The text and how far it has been read: `kind`, `text` and `at` belong to the token that comes
    next.
    """

    def __init__(self, expression: str, read: ReadName) -> None:
        self.expression, self.read = expression, read
        self.unknown: QuantityError | None = None
        """Of the names that are none the first; what cannot be read comes before it."""
        self.end = self.depth = 0
        self.advance()

    def advance(self) -> str:
        """Step to the next token; the text of the one that was passed."""
        passed = getattr(self, "text", "")
        match = _TOKEN.match(self.expression, self.end)
        if match is None:
            self.at = (
                self.end
                + len(self.expression[self.end :])
                - len(self.expression[self.end :].lstrip())
            )
            raise self.error(
                "cannot be used here; use numbers, + - * / ^, parentheses and {names}",
                quote=True,
            )
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

    def deeper(self, read: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > limits.EXPRESSION_DEPTH:
            raise self.error(
                f"more than {limits.EXPRESSION_DEPTH} parentheses, "
                "signs and powers inside each other"
            )
        tree = read()
        self.depth -= 1
        return tree

    def chain(self, read: Callable[[], Node], signs: str) -> Node:
        tree = read()
        while self.kind == "sign" and self.text in signs.split():
            sign = self.advance()
            tree = _SIGNS[sign](tree, read())
        return tree

    def sum(self) -> Node:
        return self.chain(self.product, "+ -")

    def product(self) -> Node:
        return self.chain(self.signed, "* /")

    def signed(self) -> Node:
        if self.kind == "sign" and self.text == "-":
            self.advance()
            return Negative(self.deeper(self.signed))
        return self.power()

    def power(self) -> Node:
        base = self.operand()
        if self.kind == "sign" and self.text in {"^", "**"}:
            self.advance()
            return Power(base, self.deeper(self.signed))
        return base

    def operand(self) -> Node:
        if self.kind == "number":
            return self._constant()
        if self.kind == "name":
            if not self.text.strip():
                raise self.error("the braces are empty; they hold the name of a quantity")
            return self._name()
        if self.kind == "sign" and self.text == "(":
            return self._parenthesis()
        raise self.error(
            "the expression ends where a number should come"
            if self.kind == "end"
            else "a number should come here"
        )

    def _name(self) -> Node:
        try:
            return Ref(self.read(self.advance().strip()))
        except QuantityError as error:
            self.unknown = self.unknown or error
            return Number(math.nan)

    def _constant(self) -> Node:
        if not math.isfinite(float(self.text)):
            raise self.error("the number is too large")
        return Number(float(self.advance()))

    def _parenthesis(self) -> Node:
        self.advance()
        inner = self.deeper(self.sum)
        if self.text != ")":
            wanted = "a closing parenthesis"
            raise self.error(
                f"{wanted} is missing"
                if self.kind == "end"
                else f"{wanted} or an operator should come here"
            )
        self.advance()
        return inner


def _value(tree: Node, env: Environment) -> float:
    """From the leaves up, with a word at what would else be infinite, or a warning."""
    if not tree.children:
        return float(tree.value(env))
    parts = [_value(child, env) for child in tree.children]
    if isinstance(tree, Quotient) and parts[1] == 0:
        raise BadArithmeticError("divides by zero")
    if isinstance(tree, Power):
        return _power(*parts)
    return float(computed(tree.rebuild(tuple(map(Number, parts))), env))


def _power(base: float, exponent: float) -> float:
    if not abs(exponent) <= limits.EXPONENT:
        raise BadArithmeticError(
            f"the exponent {exponent:g} is outside -{limits.EXPONENT} to {limits.EXPONENT}"
        )
    if base == 0 and exponent < 0:
        raise BadArithmeticError("divides by zero (0 to a negative power)")
    if base < 0 and not exponent.is_integer():
        raise BadArithmeticError(f"{base:g} to the power {exponent:g} is not a real number")
    try:
        return float(base**exponent)
    except OverflowError:
        raise BadArithmeticError(f"{base:g} to the power {exponent:g} is too large") from None

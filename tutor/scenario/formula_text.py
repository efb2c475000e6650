"""Formulas of computation graphs as one types them: `(y - sigmoid(w0 + w1*x))**2`.

    parse(text) -> Parsed       the expression and the names in it, or every problem with its place

    sum     = product (("+" | "-") product)*         a + b + c is one sum of three
    product = signed (("*" | "/" | "@") signed)*
    signed  = "-" signed | power
    power   = operand (("^" | "**") signed)?         to the right: 2^3^2 is 2^9, and -2^2 is -4
    operand = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

×, · and ÷ are read as * and /; t(a) is transpose(a), and matmul(a, b) is a @ b. What is made of
constants alone is one constant. Nothing is ever given to Python to evaluate; what is read is an
expression of `tutor.engine.graph`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tutor import limits, suggestion
from tutor.engine.graph import Applied, Constant, Expression, Name
from tutor.engine.operations import FUNCTIONS, OPERATIONS
from tutor.errors import TutorError
from tutor.number import counted

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
LONGEST_NAME: Final = 24
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*|σ)|(?P<sign>\*\*|[-+*/@^(),×·÷−])|(?P<end>$))"
)
_SIGNS: Final = {"×": "*", "·": "*", "÷": "/", "−": "-", "^": "**", "σ": "sigmoid"}
_SHORT: Final = {"t": "transpose", "matmul": "@"}
"""What may be called by another name; by itself it can be the name of a value."""
_INNER: Final = re.compile(r"n[0-9]+", re.ASCII)


class FormulaTextError(TutorError, ValueError):
    """A formula that cannot be read; the text says at which character, and what would be right."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A formula as it was read. `names` are the names in it, each with its first place from 1."""

    expression: Expression
    names: dict[str, int]
    problems: tuple[str, ...]
    """What is wrong in it although it could be read: unknown functions, inputs too few or many."""


@lru_cache(maxsize=16)  # a formula is read several times for one answer
def parse(text: str) -> Parsed:
    """Read a formula. Raises FormulaTextError where it cannot be read to its end."""
    if len(text) > limits.GRAPH_EXPRESSION:
        raise FormulaTextError(
            f"the formula has {len(text):,} characters; the limit is {limits.GRAPH_EXPRESSION:,}"
        )
    reader = _Reader(text)
    expression = reader.sum()
    if reader.kind != "end":
        raise reader.misplaced()
    return Parsed(expression, reader.names, tuple(reader.problems))


def operations(expression: Expression) -> int:
    """How many nodes an expression has."""
    found, waiting = 0, [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Applied):
            found += 1
            waiting += part.arguments
    return found


def unfit_name(name: str) -> str:
    """Why a value or a node cannot be called so, or ""."""
    if not NAME.fullmatch(name):
        return "a name is a letter, then letters, digits and _, such as x1 or w_out"
    if len(name) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters; this one has {len(name)}"
    if name.lower() in {"true", "false", "null"}:
        return f"{name} is a word of the file format; choose another name"
    if name in OPERATIONS:
        return f"{name} is a function; choose another name"
    if _INNER.fullmatch(name):
        return "n1, n2 … are the inner nodes without a name; choose another name"
    if name in RESERVED:
        return f"{name} is a setting in the address of a lesson; choose another name"
    return ""


RESERVED: Final = frozenset({
    "grain", "notation", "decimals", "iteration", "input_gradients", "present", "kind", "phases",
    "blanks", "seed", "version", "versions", "do", "step", "expression", "names", "differentiate",
    "result", "name", "value", "from", "show",
})  # fmt: skip
"""What stands in addresses already, beside changed values."""


class _Reader:
    """The text and how far it has been read: `kind`, `text` and `at` belong to the token that comes
    next.
    """

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.names: dict[str, int] = {}
        self.problems: list[str] = []
        self.end = self.depth = 0
        self.text = ""
        self.advance()

    def advance(self) -> str:
        """Step to the next token; the text of the one that was passed."""
        passed = self.text
        match = _TOKEN.match(self.formula, self.end)
        if match is None:
            rest = self.formula[self.end :]
            self.at = self.end + len(rest) - len(rest.lstrip())
            raise self.error(
                f"{self.formula[self.at]!r} cannot be used here; a formula has names, numbers, "
                f"+ - * / ** @, parentheses and {', '.join(FUNCTIONS)}"
            )
        self.kind = str(match.lastgroup)
        self.at, self.end = match.start(self.kind), match.end()
        self.text = _SIGNS.get(match[self.kind], match[self.kind])
        return passed

    def error(self, message: str) -> FormulaTextError:
        return FormulaTextError(f"at character {self.at + 1}: {message}")

    def misplaced(self) -> FormulaTextError:
        """What is wrong with a token behind a whole formula."""
        if self.text == ")":
            return self.error("there is no opening parenthesis for this one")
        if self.text == ",":
            return self.error(
                "a comma separates the inputs of a function; write a decimal point in a number, 0.5"
            )
        before = self.formula[: self.at].rstrip()
        near = f"{before[-8:]}*{self.text}" if before else self.text
        return self.error(f"an operator is missing; to multiply, write {near}")

    def deeper(self, read: Callable[[], Expression]) -> Expression:
        self.depth += 1
        if self.depth > limits.GRAPH_DEPTH:
            raise self.error(
                f"more than {limits.GRAPH_DEPTH} parentheses, functions, signs and powers "
                "inside each other; give an inner part a name"
            )
        found = read()
        self.depth -= 1
        return found

    def sum(self) -> Expression:
        first = self.product()
        terms = [first]
        while self.kind == "sign" and self.text in "+-":
            sign = self.advance()
            term = self.product()
            if sign == "+":
                terms.append(term)
            else:
                terms = [_applied("-", (_added(terms), term))]
        return _added(terms)

    def product(self) -> Expression:
        found = self.signed()
        while self.kind == "sign" and self.text in {"*", "/", "@"}:
            sign = self.advance()
            found = _applied(sign, (found, self.signed()))
        return found

    def signed(self) -> Expression:
        if self.kind == "sign" and self.text == "-":
            self.advance()
            return _applied("neg", (self.deeper(self.signed),))
        return self.power()

    def power(self) -> Expression:
        base = self.operand()
        if self.kind == "sign" and self.text == "**":
            self.advance()
            return _applied("**", (base, self.deeper(self.signed)))
        return base

    def operand(self) -> Expression:
        if self.kind == "number":
            return self._constant()
        if self.kind == "name":
            return self._named()
        if self.text == "(":
            self.advance()
            inner = self.deeper(self.sum)
            self._close()
            return inner
        if self.kind == "end":
            raise self.error("the formula ends where a name or a number should come")
        raise self.error(f"a name, a number or ( should come here, not {self.text}")

    def _constant(self) -> Expression:
        if not math.isfinite(float(self.text)):
            raise self.error("the number is too large; numbers go up to about 1.8e308")
        return Constant(float(self.advance()))

    def _named(self) -> Expression:
        place = self.at + 1
        name = self.advance()
        if self.text == "(" and self.kind == "sign":
            return self._call(name, place)
        if name in FUNCTIONS:
            raise FormulaTextError(
                f"at character {place}: {name} is a function and needs its input in parentheses, "
                f"such as {name}({_example(name)})"
            )
        self.names.setdefault(name, place)
        return Name(name)

    def _call(self, name: str, place: int) -> Expression:
        self.advance()
        name = _SHORT.get(name, name)
        arguments = [self.deeper(self.sum)]
        while self.text == "," and self.kind == "sign":
            self.advance()
            arguments.append(self.deeper(self.sum))
        self._close()
        problem = _misfit(name, len(arguments))
        if problem:
            self.problems.append(f"at character {place}: {problem}")
            return arguments[0]
        return Applied(name, tuple(arguments))

    def _close(self) -> None:
        if self.text == ")":
            self.advance()
            return
        if self.kind == "end":
            raise self.error("a closing parenthesis is missing")
        raise self.misplaced()


def _example(name: str) -> str:
    """What the inputs of a function look like."""
    return _EXAMPLES.get(name, "a, b" if OPERATIONS[name].least == 2 else "x")


_EXAMPLES: Final = {"conv1d": "x, k", "conv2d": "x, k", "maxpool": "x, 2", "embed": "E, 1"}


def _misfit(name: str, count: int) -> str:
    """Why a function cannot be called so, or ""."""
    if name not in FUNCTIONS and name not in _SHORT.values():
        close = suggestion.meant(name, FUNCTIONS)
        meant = f"did you mean {close}?" if close else f"there are {', '.join(FUNCTIONS)}"
        return f"there is no function called {name[:LONGEST_NAME]}; {meant}"
    operation = OPERATIONS[name]
    if operation.least <= count <= operation.most:
        return ""
    takes = counted(operation.most, "input")
    if operation.least < operation.most:
        takes = f"{operation.least} to {takes}"
    return f"{name} takes {takes}, but here it has {count}"


def _added(terms: list[Expression]) -> Expression:
    return _applied("+", tuple(terms)) if len(terms) > 1 else terms[0]


def _applied(sign: str, arguments: tuple[Expression, ...]) -> Expression:
    """An operation over expressions; over constants alone it is a constant, where it has a
    value.
    """
    numbers = [part.value for part in arguments if isinstance(part, Constant)]
    if len(numbers) < len(arguments):
        return Applied(sign, arguments)
    try:
        value = _CONSTANTS[sign](numbers)
    except (KeyError, ArithmeticError, ValueError):
        return Applied(sign, arguments)
    # a negative number to a broken power is a complex one in Python
    real = type(value) is float and math.isfinite(value)
    return Constant(value) if real else Applied(sign, arguments)


_CONSTANTS: Final[dict[str, Callable[[list[float]], float]]] = {
    "+": math.fsum,
    "-": lambda n: n[0] - n[1],
    "*": lambda n: n[0] * n[1],
    "/": lambda n: n[0] / n[1],
    "**": lambda n: n[0] ** n[1],
    "neg": lambda n: -n[0],
}

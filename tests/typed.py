"""A reader with a calculator: what a line of MathML comes to, by the digits that stand in it.

    typed(math) -> its number or matrix; None where it cannot be typed (a middle that is left out)
    gives(numbers, result, decimals) -> whether one line comes to what the other shows

Knows nothing of trees, nor of how numbers are rounded: it reads what the page shows.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.htmltree import Element, read

Array = np.ndarray
_LITERAL = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?")
_SIGNS = {"+": "+", "−": "-", "×": "*", "⊙": "*", "·": "@", "(": "(", ")": ")", "=": "", "≈": ""}


class _UntypableError(Exception):
    pass


class _Typed:
    """A number or a matrix on the calculator: × is by entry, · of two matrices their product."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value, dtype=np.float64)

    def __add__(self, other: _Typed) -> _Typed:
        return _Typed(self.value + other.value)

    def __sub__(self, other: _Typed) -> _Typed:
        return _Typed(self.value - other.value)

    def __neg__(self) -> _Typed:
        return _Typed(-self.value)

    def __mul__(self, other: _Typed) -> _Typed:
        # what is taken 0 times takes no part
        left, right = np.broadcast_arrays(self.value, other.value)
        return _Typed(np.where(left == 0, 0.0, left * right))

    def __matmul__(self, other: _Typed) -> _Typed:
        if self.value.ndim and other.value.ndim:
            return _Typed(self.value @ other.value)
        return self * other

    def __truediv__(self, other: _Typed) -> _Typed:
        top, bottom = np.broadcast_arrays(self.value, other.value)
        return _Typed(np.where(top == 0, 0.0, top / bottom))

    def __pow__(self, other: _Typed) -> _Typed:
        return _Typed(self.value**other.value)


_KEYS: dict[str, Any] = {
    "log": np.log, "tanh": np.tanh, "exp": np.exp, "abs": np.abs,
    "diag": lambda x: np.diag(x.ravel()), "transposed": np.transpose,
}  # fmt: skip


def _key(name: str) -> Any:
    return lambda typed: _Typed(_KEYS[name](typed.value))


_NAMES = {name: _key(name) for name in _KEYS} | {"T": _Typed}


def typed(math: str) -> Array | None:
    """What a line comes to; None where it cannot be typed."""
    try:
        text = "".join(_text(element) for element in read(math).root.elements)
    except _UntypableError:
        return None
    text = text.partition("since")[0]
    with np.errstate(all="ignore"):
        found: Array = eval(text, dict(_NAMES)).value  # noqa: S307 - our own text
    return found


def gives(numbers: str, result: str, decimals: int) -> bool | None:
    """Whether a line of numbers comes to what the result shows; None where one cannot be typed."""
    by_hand, wanted = typed(numbers), typed(result)
    if by_hand is None or wanted is None:
        return None
    shown = "".join(_text(element) for element in read(result).root.elements)
    literals = [literal for literal in _LITERAL.findall(shown) if literal]
    entries, by_hand = np.ravel(wanted), np.ravel(np.broadcast_to(by_hand, wanted.shape))
    assert len(literals) == len(entries)
    # of a matrix with few decimals one cannot tell a rounded 0.1 from an exact one
    rounded = "≈" in result or (wanted.ndim > 0 and decimals <= 2)
    return all(
        abs(a - b) <= _half(literal, 0 if rounded else decimals) * (1 + 1e-6)
        for a, b, literal in zip(by_hand, entries, literals, strict=True)
    )


def _half(literal: str, decimals: int) -> float:
    """Half of the last digit; nothing, but for float64, of a number that has fewer than it might."""
    mantissa, _, exponent = literal.partition("e")
    digits = len(mantissa.partition(".")[2])
    if not exponent and digits < decimals:
        return max(1e-9 * abs(float(literal)), 1e-14)
    return 0.5 * 10.0 ** (int(exponent or 0) - digits)


def _text(element: Element) -> str:
    parts = element.elements
    match element.tag:
        case "mn":
            if not _LITERAL.fullmatch(element.text):
                raise _UntypableError
            return f"T({element.text})"
        case "mo":
            if element.text not in _SIGNS:
                raise _UntypableError
            return _SIGNS[element.text]
        case "mi":
            if element.text not in {"log", "tanh", "diag"}:
                raise _UntypableError
            return element.text
        case "mtext" if element.text.startswith("since"):
            return "since"
        case "mspace":
            return ""
        case "mfrac":
            return f"(({_text(parts[0])})/({_text(parts[1])}))"
        case "msup":
            return _power(*parts)
        case "munder" if parts[0].tag == "munder" and parts[0].elements[1].text == "⏟":
            return f"({_text(parts[0].elements[0])})"
        case "math" | "mrow":
            return _row(parts)
    raise _UntypableError


def _power(base: Element, exponent: Element) -> str:
    if base.text == "e":
        return f"exp({_text(exponent)})"
    if exponent.text == "⊤":
        return f"transposed({_text(base)})"
    return f"({_text(base)})**({_text(exponent)})"


def _row(parts: list[Element]) -> str:
    if len(parts) > 1 and parts[0].text == parts[-1].text == "|":
        return f"abs({_row(parts[1:-1])})"
    if len(parts) == 3 and parts[1].tag == "mtable" and parts[0].text == "[":
        rows = (
            ",".join(f"({_row(cell.elements)}).value" for cell in row.elements)
            for row in parts[1].elements
        )
        return "T([" + ",".join(f"[{row}]" for row in rows) + "])"
    text, rest = "", list(parts)
    while rest:
        part = rest.pop(0)
        if part.text == "·" and rest and rest[0].tag == "msup" and rest[0].text.startswith("10"):
            exponent = rest.pop(0).elements[1].text.replace("−", "-")
            text = f"{text.removesuffix(')')}e{exponent})"
        else:
            text += _text(part)
    return text

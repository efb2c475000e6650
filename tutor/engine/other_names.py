"""Names of numbers as students and lectures write them, brought to ours.

    in_network("dL/dx[1]", depth) -> "dL/da[0][1]"      w1[1,2] -> w[1][1,2], yhat[1] -> a[3][1]
    in_graph("∂f/∂v(2)")          -> "df/dv[2]"      df/dx -> dL/dx where the result is L

Whether a lesson has such a number is another question; "" where a name says nothing to us.
"""

from __future__ import annotations

import re
from collections.abc import Container

from tutor.engine.kinds import GRADIENT, KINDS

_NAME = re.compile(
    r"(?:[dδ∂](?:L|J|ℒ|loss)/[dδ∂])?(?P<letter>[^\W\d_]+(?:_?hat)?|ŷ)(?P<places>[\d\[\](),_]*)"
    r"(?:@(?P<sample>[1-9]\d{0,6}))?",
    re.IGNORECASE,
)
_OUTPUT = {"yhat", "y_hat", "ŷ"}
_SIGNAL = {"delta", "δ"}
_LOSS = {"l", "j", "loss", "cost"}


def in_network(name: str, depth: int) -> str:
    """The name in our writing, in a network of so many layers."""
    text = re.sub(r"\s+", "", name)
    found = _NAME.fullmatch(text)
    if found is None:
        return ""
    letter, numbers = found["letter"].lower(), re.findall(r"\d{1,7}", found["places"])
    derivative = "/" in text
    if letter in _LOSS and not derivative and not numbers:
        return "loss"
    if letter in _OUTPUT:
        letter, numbers = "a", [str(depth), *numbers]
    if letter in _SIGNAL and not derivative:
        letter, derivative = "z", True
    if derivative and letter == "x":
        letter, numbers = "a", ["0", *numbers]
    kind = GRADIENT.get(letter) if derivative else letter
    return "" if kind not in KINDS else _put(kind, numbers, depth, found["sample"])


def _put(kind: str, numbers: list[str], depth: int, sample: str | None) -> str:
    """A kind with its layer and its indices; the only layer of a network need not be written."""
    of = KINDS[kind]
    if of.layered and depth == 1 and len(numbers) == of.indices:
        numbers = ["1", *numbers]
    layer, indices = (numbers[:1], numbers[1:]) if of.layered else ([], numbers)
    if len(layer) != of.layered or len(indices) != of.indices:
        return ""
    groups = [*layer, *([",".join(indices)] if indices else [])]
    return kind + "".join(f"[{group}]" for group in groups) + (f"@{sample}" if sample else "")


def in_graph(name: str, result: str = "", others: Container[str] = ()) -> str:
    """The name in our writing, in a formula with this result. Where nothing is called f or L, df/dx
    and dL/dx are the derivative of the result, whatever that is called.
    """
    text = re.sub(r"\s+", "", name).replace("∂", "d").translate({ord("("): "[", ord(")"): "]"})
    top = re.match(r"d([fL])/d", text)
    if result and top and top[1] not in others:
        text = f"d{result}/d{text[top.end() :]}"
    return re.sub(r"\[(\d+)\]\[(\d+)\]", r"[\1,\2]", text)

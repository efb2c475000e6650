"""What a node of a computation graph can compute: each operation in one place.

    OPERATIONS["sigmoid"], OPERATIONS["*"] -> Operation

An operation has its tree over whole arrays, how a derivative comes back through it (`pull`, over
whole arrays; `routes`, entry by entry), the shape that it makes or why it cannot, where its numbers
cannot be had, and its words. A new operation is one entry of the table; what is not computed entry
by entry is a subclass of `Operation`, most of them in `array_operations`.

Operations that work entry by entry take arrays of one shape, and single numbers beside them.

At a corner we choose what PyTorch does: ReLU and |x| have the derivative 0 at 0, and where both
inputs of max or min are equal each gets half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tutor.engine.activations import Activation, activation
from tutor.engine.array_operations import ARRAY_OPERATIONS
from tutor.engine.operation import (
    Arguments,
    Call,
    Operation,
    Place,
    Route,
    Shape,
    ShapeError,
    Trouble,
    places,
    shape_words,
)
from tutor.engine.reach import Reach, each, every
from tutor.engine.tree import (
    ONE,
    ZERO,
    Apply,
    Cases,
    Cos,
    Difference,
    Division,
    Exp,
    Largest,
    Log,
    Negative,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Sin,
    Size,
    Smallest,
    Sqrt,
    Square,
    Sum,
    Total,
)

HALF = Number(0.5, "1/2")


_PLAIN: dict[Node, str] = {
    ONE: "On the diagonal stands 1: the Jacobian is the identity matrix I.",
    Number(-1.0): "On the diagonal stands −1: the Jacobian is −I.",
}
"""What a diagonal is that has the same number in every place."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Elementwise(Operation):
    """An operation that computes each entry of its output from the same entry of its inputs."""

    forward: Callable[..., Node]
    """The tree, of its arguments."""
    slopes: Callable[[Arguments, Node, int], Node]
    """Its local derivative with respect to argument k, in the arguments and in what it makes."""
    formula: Callable[..., Node] | None = None
    """The tree with a function's formula written out."""
    rule: Activation | None = None
    """The activation function of networks that it is."""
    calmer: str = ""
    """What would make a large local derivative smaller."""

    def shape(self, shapes: Sequence[Shape]) -> Shape:
        found = list(dict.fromkeys(shape for shape in shapes if shape))
        if len(found) > 1:
            given = " and ".join(map(shape_words, found))
            raise ShapeError(
                f"{self.name} works entry by entry, so its inputs need one shape "
                f"(single numbers go with any); here it has {given}"
            )
        return found[0] if found else ()

    def tree(self, call: Call) -> Node:
        return self.forward(*call.arguments)

    def written(self, call: Call) -> Node:
        return (self.formula or self.forward)(*call.arguments)

    def local(self, k: int, call: Call) -> Node:
        """The local derivative, entry by entry."""
        return self.slopes(call.arguments, call.out, k)

    def pull(self, k: int, call: Call, g: Node) -> Node:
        local = self.local(k, call)
        term = g if local == ONE else Product((g, local))
        return Total(term) if call.shape and not call.shapes[k] else term

    def routes(self, k: int, call: Call, at: Place) -> Iterator[Route]:
        local = self.local(k, call)
        reached = [at] if call.shapes[k] else places(call.shape)
        return ((place, local) for place in reached)

    def reach(self, k: int, call: Call) -> Reach:
        if call.shapes[k]:
            return Reach((prod(call.shape), 1), each(prod(call.shape)))
        return Reach((1, 1), every(1, times=prod(call.shape)))

    def pattern(self, k: int, call: Call) -> str:
        if not call.shape:
            return "Both are single numbers, so the Jacobian is one number, the local derivative."
        if not call.shapes[k]:
            return (
                "A single number has a part in every entry, so the Jacobian is one line of "
                "numbers: the derivative of each entry with respect to it."
            )
        own = _PLAIN.get(self.local(k, call), "")
        beside = (
            "Each entry depends on the entry at the same place and on no other, so everything "
            "beside the diagonal is 0."
        )
        return f"{beside} {own or 'The Jacobian is a diagonal matrix.'}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AddedUp(Operation):
    """All entries of an array added up, or their mean."""

    mean: bool = False

    def shape(self, shapes: Sequence[Shape]) -> Shape:
        return ()

    def _share(self, shape: Shape) -> Number:
        count = prod(shape)
        return Number(1 / count, f"1/{count}") if count > 1 else ONE

    def tree(self, call: Call) -> Node:
        total = Total(call.arguments[0])
        return Product((self._share(call.shapes[0]), total)) if self.mean else total

    def pull(self, k: int, call: Call, g: Node) -> Node:
        shape = call.shapes[k]
        factors: list[Node] = [self._share(shape)] if self.mean else []
        factors += [Ones(shape)] if shape else []
        return Product((g, *factors)) if factors else g

    def routes(self, k: int, call: Call, at: Place) -> Iterator[Route]:
        yield (), self._share(call.shapes[k]) if self.mean else ONE

    def reach(self, k: int, call: Call) -> Reach:
        return Reach((prod(call.shapes[k]), 1), every(prod(call.shapes[k])))

    def pattern(self, k: int, call: Call) -> str:
        share = f"1/{prod(call.shapes[k])}" if self.mean else "1"
        return (
            f"All entries go into one number, so the Jacobian is one line of numbers: {share} for "
            "each entry."
        )


# ---- Local derivatives ----


def _of_product(arguments: Arguments, out: Node, k: int) -> Node:
    return arguments[1 - k]


def _of_quotient(arguments: Arguments, out: Node, k: int) -> Node:
    top, bottom = arguments
    return Negative(Division(top, Square(bottom))) if k else Division(ONE, bottom)


def _of_power(arguments: Arguments, out: Node, k: int) -> Node:
    base, exponent = arguments
    if k:
        return Product((out, Log(base)))
    if not isinstance(exponent, Number):
        return Product((exponent, Power(base, Difference(exponent, ONE))))
    n = exponent.number
    if n in {0.0, 1.0}:
        return Number(n)
    return Product((exponent, base if n == 2.0 else Power(base, Number(n - 1.0))))


def _switch(sign: float) -> Callable[[Arguments, Node, int], Node]:
    """The derivative of the larger (sign 1) or the smaller (−1) of two: all, nothing or half."""

    def slope(arguments: Arguments, out: Node, k: int) -> Node:
        ahead = Difference(arguments[k], arguments[1 - k])
        then, otherwise = (ONE, ZERO) if sign > 0 else (ZERO, ONE)
        return Cases(ahead, ">", 0.0, then, Cases(ahead, "<", 0.0, otherwise, HALF))

    return slope


_AT_ZERO = Trouble(lambda a: a == 0, "the input is 0")
_EQUAL = Trouble(lambda a, b: a == b, "both inputs are equal")


def _activation(name: str, back: str, corners: tuple[Trouble, ...] = ()) -> Operation:
    """An activation function of networks as an operation."""
    rule = activation(name)
    return Elementwise(
        name, rule.title.lower() if rule.title != "ReLU" else rule.title, rule.about, back,
        corners=corners,
        forward=lambda z: Apply(z, rule.function),
        formula=None if rule.function.formula is None else rule.formula,
        slopes=lambda given, out, k: rule.derivative_formula(given[0], out),
        rule=rule,
    )  # fmt: skip


def _sign(z: Node) -> Node:
    return Apply(z, activation("sign").function)


_ZERO_BELOW = Trouble(lambda a, b: (b == 0) & (a == a), "the denominator is 0")  # noqa: PLR0124

_LIST: tuple[Operation, ...] = (
    Elementwise(
        "+", "sum", "It adds its inputs.",
        "A sum passes the derivative on unchanged to each of its inputs.",
        2, 1_000,
        forward=lambda *terms: Sum(terms), slopes=lambda given, out, k: ONE,
    ),
    Elementwise(
        "-", "difference", "It subtracts the second input from the first.",
        "A difference passes the derivative on: unchanged to the first input, "
        "with the opposite sign to the second.",
        2, 2,
        forward=Difference, slopes=lambda given, out, k: Number(-1.0) if k else ONE,
    ),
    Elementwise(
        "*", "product", "It multiplies its inputs.",
        "A product passes back the derivative times the other input: "
        "a large factor makes its partner’s derivative large.",
        2, 2,
        forward=lambda a, b: Product((a, b)), slopes=_of_product, calmer="a smaller factor",
    ),
    Elementwise(
        "/", "quotient", "It divides the first input by the second.",
        "A quotient a/b has the local derivatives 1/b and −a/b².",
        2, 2, (_ZERO_BELOW,),
        forward=Division, slopes=_of_quotient, calmer="a larger denominator",
    ),
    Elementwise(
        "**", "power", "It raises the first input to the power of the second.",
        "A power xⁿ has the local derivative n·xⁿ⁻¹ with respect to its base, "
        "and xⁿ·log x with respect to its exponent.",
        2, 2,
        (
            Trouble(lambda a, b: (a == 0) & (b < 0), "0 to the power of {1} divides by 0"),
            Trouble(
                lambda a, b: (a < 0) & (b != np.floor(b)),
                "the negative number {0} has no real power with the exponent {1}",
            ),
        ),
        (
            Trouble(lambda a, b: a < 0, "the derivative with respect to the exponent needs the "
                    "logarithm of the base, and that is negative"),
            Trouble(lambda a, b: a == 0, "the derivative is not finite where the base is 0"),
        ),
        forward=Power, slopes=_of_power,
        calmer="a smaller base, or a smaller exponent,",
    ),
    Elementwise(
        "neg", "opposite", "It changes the sign of its input.",
        "It changes the sign of the derivative too.",
        forward=Negative, slopes=lambda given, out, k: Number(-1.0),
    ),
    Elementwise(
        "copy", "same value", "It has the value of its input.",
        "It passes the derivative on unchanged.",
        forward=lambda a: a, slopes=lambda given, out, k: ONE,
    ),
    Elementwise(
        "exp", "exponential function", "It raises e to the power of its input.",
        "The exponential function is its own derivative.",
        forward=Exp, slopes=lambda given, out, k: out, calmer="a smaller input",
    ),
    Elementwise(
        "log", "natural logarithm", "It takes the natural logarithm of its input.",
        "A logarithm has the local derivative 1/x: small inputs make it large.",
        troubles=(
            Trouble(lambda a: a == 0, "0 has no logarithm"),
            Trouble(
                lambda a: a < 0,
                "the logarithm of a negative number, {0}, is not a real number",
            ),
        ),
        forward=Log, slopes=lambda given, out, k: Division(ONE, given[0]),
        calmer="an input further from 0",
    ),
    Elementwise(
        "sqrt", "square root", "It takes the square root of its input.",
        "A square root has the local derivative 1/(2√x): it grows without limit towards 0.",
        troubles=(
            Trouble(
                lambda a: a < 0,
                "the square root of a negative number, {0}, is not a real number",
            ),
        ),
        steep=(Trouble(lambda a: a == 0, "the square root has no finite derivative at 0"),),
        forward=Sqrt, slopes=lambda given, out, k: Division(ONE, Product((Number(2.0), out))),
        calmer="an input further from 0",
    ),
    _activation(
        "sigmoid",
        "A sigmoid multiplies what comes back by s(1 − s), which is at most 0.25.",
    ),
    _activation(
        "tanh", "Tanh multiplies what comes back by 1 − t², which is at most 1.",
    ),
    _activation(
        "relu", "ReLU is a gate: a positive input lets the derivative through, others stop it.",
        (_AT_ZERO,),
    ),
    _activation(
        "softplus", "Softplus multiplies what comes back by the sigmoid of its input.",
    ),
    Elementwise(
        "max", "larger of two", "It takes the larger of its two inputs.",
        "Max is a switch: the larger input gets the whole derivative, the smaller one gets 0. "
        "If both are equal, each gets half.",
        2, 2,
        corners=(_EQUAL,), forward=Largest, slopes=_switch(1.0),
    ),
    Elementwise(
        "min", "smaller of two", "It takes the smaller of its two inputs.",
        "Min is a switch: the smaller input gets the whole derivative, the larger one gets 0. "
        "If both are equal, each gets half.",
        2, 2,
        corners=(_EQUAL,), forward=Smallest, slopes=_switch(-1.0),
    ),
    Elementwise(
        "abs", "absolute value", "It drops the sign of its input.",
        "The absolute value passes the derivative on with the sign of its input; at 0 it is 0.",
        corners=(_AT_ZERO,), forward=Size, slopes=lambda given, out, k: _sign(given[0]),
    ),
    Elementwise(
        "sin", "sine", "It takes the sine of its input, in radians.",
        "The derivative of the sine is the cosine.",
        forward=Sin, slopes=lambda given, out, k: Cos(given[0]),
    ),
    Elementwise(
        "cos", "cosine", "It takes the cosine of its input, in radians.",
        "The derivative of the cosine is minus the sine.",
        forward=Cos, slopes=lambda given, out, k: Negative(Sin(given[0])),
    ),
    AddedUp(
        "sum", "sum of all entries", "It adds up all entries of its input.",
        "Each entry counts once in the sum, so each gets the same derivative.",
    ),
    AddedUp(
        "mean", "mean of all entries", "It takes the mean of all entries of its input.",
        "Each of n entries gets 1/n of the derivative.",
        mean=True,
    ),
    *ARRAY_OPERATIONS,
)  # fmt: skip

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _LIST}
FUNCTIONS: tuple[str, ...] = tuple(
    name for name in OPERATIONS if name.isidentifier() and name not in {"neg", "copy"}
)
"""What may be called by name in a formula."""

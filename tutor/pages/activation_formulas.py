"""The formulas of the activation page, and its part about softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tutor import number
from tutor.draw.curves import Curve, draw
from tutor.engine.activations import activation, softmax, softmax_jacobian
from tutor.engine.derivation import softmax_of
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Difference, Negative, Node, Number, Numbers, Product, Ref, leaves
from tutor.lesson.calculator import Digits, enough
from tutor.notation.conventions import Alphabet, notation
from tutor.notation.markup import Markup, trusted
from tutor.notation.mathml import Line
from tutor.notation.writer import NUMBERS, SYMBOLS
from tutor.pages import activation_prose

# ---- A formula of the activation page in three lines: symbols, the reader's numbers put in, what
# comes out ----


DECIMALS = 4
_LONG = 22
"""A line of more characters than this may be wider than a phone."""


@dataclass(frozen=True, eq=False)
class CardFormula:
    """One number of the page and how it comes about."""

    name: Markup
    """What is computed: a, or ∂a/∂z."""
    symbols: Markup
    """= the rule in symbols, first by its name where it has one."""
    numbers: Markup
    """= the rule with the numbers in place of the letters; blank where the rule is a number
    already.
    """
    result: Markup
    """= the result, or ≈ where it is rounded."""
    note: str
    """What has to be said of the result where the numbers above it do not give it, or ""."""
    digits_note: str
    """What has to be said of the numbers where they have more decimals than the page, or ""."""
    value: float
    """The result as the engine computed it."""
    wide: bool
    """Whether the line with the numbers may be wider than a phone, and so must scroll by keyboard.
    """


def line(units: int) -> Line:
    """The notation of this page, z and a, for a layer of so many units; one unit needs no index."""
    return Line(Alphabet(notation("left_superscripts", {"output": "a"}), (units, units)), DECIMALS)


def formula(
    write: Line,
    q: Quantity,
    tree: Node,
    value: float,
    known: Mapping[Quantity, float],
    named: Node | None = None,
) -> CardFormula:
    """The formula of `q`: its tree, the engine's `value`, what is known, and the function by its
    name where it has one.
    """
    env = Numbers(known)
    write = write.on(env)
    with np.errstate(all="ignore"):  # the branch of a choice that is not taken may overflow
        symbols = write.tree(tree, SYMBOLS, "=")
        digits, numbers = Digits(), trusted("")
        if not isinstance(tree, Ref | Number):
            digits = enough(tree, value, env, DECIMALS)
            rounded = sign(*(known[leaf.quantity] for leaf in leaves(tree)), more=digits.more)
            numbers = write.tree(tree, NUMBERS, rounded, digits.more)
    if named is not None:
        symbols = trusted(f"{write.tree(named, SYMBOLS, '=')} {symbols}")
    wide = len(numbers.striptags()) > _LONG
    return CardFormula(
        write.quantity(q), symbols, numbers, write.value(value, sign(value)), digits.result,
        digits.numbers, value, wide,
    )  # fmt: skip


def sign(*values: float, more: int = 0) -> str:
    """= where every number is shown to its last digit, ≈ where one is rounded."""
    # float, not number.read: the largest numbers, rounded up, are beyond float64
    # (test_every_number_shown_is_the_engines)
    return "=" if all(number.is_exact(value, DECIMALS, more) for value in values) else "≈"


# ---- Softmax on the activation page: three logits, their probabilities, and the Jacobian as a
# table ----


Array = np.ndarray
Logits = tuple[float, float, float]
_UNITS = (1, 2, 3)
_Z = tuple(Quantity("z", 1, k) for k in _UNITS)
_A = tuple(Quantity("a", 1, k) for k in _UNITS)
_OWN, _CROSS = Quantity("da/dz", 1, 1, 1), Quantity("da/dz", 1, 1, 2)
_LINE = line(len(_UNITS))


@dataclass(frozen=True, eq=False)
class SoftmaxRow:
    """One row of a table."""

    name: Markup
    """The header of the row: a symbol."""
    cells: tuple[str, ...]
    """Its numbers as text."""


@dataclass(frozen=True, eq=False)
class Softmax:
    """Softmax, which works on three pre-activations at once."""

    about: str
    """What it does and what it is used for."""
    curve: Markup
    """The first probability and its derivative while z₁ moves."""
    formulas: tuple[CardFormula, ...]
    """a₁, ∂a₁/∂z₁ on the diagonal of the Jacobian, and ∂a₁/∂z₂ beside it."""
    probabilities: tuple[SoftmaxRow, ...]
    """For each unit its logit and its probability."""
    columns: tuple[Markup, ...]
    """The headers of the Jacobian's columns: z₁ to z₃."""
    jacobian: tuple[SoftmaxRow, ...]
    """Row i, column k: ∂aᵢ/∂zₖ."""
    values: tuple[tuple[float, ...], ...]
    """The Jacobian as the engine computed it."""
    gradient: str
    """What happens to a gradient on its way through."""
    remark: str
    """What is noteworthy about float64 at these logits; mostly blank."""


def softmax_part(logits: Logits) -> Softmax:
    """All that the page shows of the softmax of these logits."""
    with np.errstate(all="ignore"):
        a = softmax(np.array(logits))
        jacobian = softmax_jacobian(a)
    rule = activation("softmax")
    names = tuple(map(_LINE.quantity, _A))
    outputs, rows = zip(names, logits, a, strict=True), zip(names, jacobian, strict=True)
    return Softmax(
        about=f"{rule.about} {rule.use}",
        curve=draw(_curve(logits)), formulas=_formulas(logits, a, jacobian),
        probabilities=tuple(SoftmaxRow(name, _texts(z, p)) for name, z, p in outputs),
        columns=tuple(map(_LINE.quantity, _Z)),
        jacobian=tuple(SoftmaxRow(name, _texts(*row)) for name, row in rows),
        values=tuple(tuple(row) for row in jacobian.tolist()),
        gradient=rule.gradient, remark=activation_prose.certain(a),
    )  # fmt: skip


def _texts(*values: float) -> tuple[str, ...]:
    return tuple(number.shown(value, DECIMALS) for value in values)


def _formulas(logits: Logits, a: Array, jacobian: Array) -> tuple[CardFormula, ...]:
    first, second = map(Ref, _A[:2])
    known = {**dict(zip(_Z, logits, strict=True)), **dict(zip(_A, map(float, a), strict=True))}
    own, cross = (
        Product((first, Difference(Number(1.0), first))),
        Negative(Product((first, second))),
    )
    return (
        formula(_LINE, first.quantity, softmax_of(_Z[0], np.array(logits)), float(a[0]), known),
        formula(_LINE, _OWN, own, float(jacobian[0, 0]), known),
        formula(_LINE, _CROSS, cross, float(jacobian[0, 1]), known),
    )


def _curve(logits: Logits) -> Curve:
    first, slope = along_first(logits)
    return Curve(
        "softmax",
        "Softmax: the first probability and its derivative",
        first,
        slope,
        logits[0],
        ("a₁", "∂a₁/∂z₁"),
        "z₁",
    )


def along_first(logits: Logits) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """a₁ and ∂a₁/∂z₁ as functions of z₁ (an array of values), the other two logits as they are."""

    def first(z: Array) -> Array:
        rows = np.stack([z, np.full_like(z, logits[1]), np.full_like(z, logits[2])], axis=-1)
        return np.asarray(softmax(rows)[:, 0])

    def slope(z: Array) -> Array:
        a = first(z)
        return np.asarray(a * (1.0 - a))

    return first, slope

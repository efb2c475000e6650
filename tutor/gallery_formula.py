"""A formula of the activation page in three lines: symbols, the reader's numbers put in, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Node, Number, Numbers, Ref, leaves
from tutor.formula import UNROUNDED, unrounded
from tutor.markup import Markup, trusted
from tutor.mathml import Line
from tutor.notation import Alphabet, notation
from tutor.writer import NUMBERS, SYMBOLS

DECIMALS = 4
_LONG = 22
"""A line of more characters than this may be wider than a phone."""


@dataclass(frozen=True, eq=False)
class Formula:
    """One number of the page and how it comes about."""

    name: Markup
    """What is computed: a, or ∂a/∂z."""
    symbols: Markup
    """= the rule in symbols, first by its name where it has one."""
    numbers: Markup
    """= the rule with the numbers in place of the letters; blank where the rule is a number already."""
    result: Markup
    """= the result, or ≈ where it is rounded."""
    note: str
    """What has to be said of the result where the numbers above it do not give it, or ""."""
    value: float
    """The result as the engine computed it."""
    wide: bool
    """Whether the line with the numbers may be wider than a phone, and so must scroll by keyboard."""


def line(units: int) -> Line:
    """The notation of this page, z and a, for a layer of so many units; one unit needs no index."""
    return Line(Alphabet(notation("left_superscripts", {"output": "a"}), (units, units)), DECIMALS)


def formula(write: Line, q: Quantity, tree: Node, value: float, known: Mapping[Quantity, float], named: Node | None = None) -> Formula:
    """The formula of `q`: its tree, the engine's `value`, what is known, and the function by its name where it has one."""
    env = Numbers(known)
    write = write.on(env)
    with np.errstate(all="ignore"):  # the branch of a choice that is not taken may overflow
        symbols = write.tree(tree, SYMBOLS, "=")
        rounded = sign(*(known[leaf.quantity] for leaf in leaves(tree)))
        numbers = trusted("") if isinstance(tree, Ref | Number) else write.tree(tree, NUMBERS, rounded)
    if named is not None:
        symbols = trusted(f"{write.tree(named, SYMBOLS, '=')} {symbols}")
    wide = len(numbers.striptags()) > _LONG
    note = UNROUNDED if numbers and unrounded(tree, value, env, DECIMALS) else ""
    return Formula(write.quantity(q), symbols, numbers, write.value(value, sign(value)), note, value, wide)


def sign(*values: float) -> str:
    """= where every number is shown to its last digit, ≈ where one is rounded."""
    # float, not number.read: the largest numbers, rounded up, are beyond float64 (test_every_number_shown_is_the_engines)
    return "=" if all(number.is_exact(value, DECIMALS) for value in values) else "≈"

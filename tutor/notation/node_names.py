"""How the nodes of a computation graph are written: x1 as x with a 1 below, alpha as α.

A graph has its names from its formula. What lectures write differently are the derivatives of the
result: df/dx, ∂f/∂x, or x̄, the adjoint of x. Local derivatives are written with ∂ in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tutor.engine.kinds import kind_of, node_name
from tutor.engine.quantity import Quantity
from tutor.notation.conventions import Alphabet, Symbol, notation

GREEK: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Derivatives:
    """How the derivatives of the result are written."""

    title: str
    sign: str = "d"
    bars: bool = False
    """As a bar above what they are with respect to, in place of a fraction."""


TOTAL: Final = "d"
"""The way to write derivatives where none is chosen."""
DERIVATIVES: Final = {
    TOTAL: Derivatives("Derivatives as df/dx"),
    "partial": Derivatives("Derivatives as ∂f/∂x", sign="∂"),
    "bar": Derivatives("Derivatives as x̄ (adjoints)", bars=True),
}
"""The notations of a formula, as addresses call them."""


@dataclass(frozen=True, slots=True)
class NodeAlphabet(Alphabet):
    """The symbol of every node."""

    derivatives: Derivatives = DERIVATIVES[TOTAL]

    def sign(self, kind: str) -> str:
        """That of the notation for derivatives of the result; local ones have ∂."""
        found = kind_of(kind).sign
        return self.derivatives.sign if found == "d" else found

    def barred(self, kind: str) -> bool:
        """Whether it is a derivative of the result, and those have bars."""
        return self.derivatives.bars and kind_of(kind).sign == "d"

    def symbol(self, q: Quantity) -> Symbol:
        """A name as letter and index; the place of an entry is the index where the name has none of
        its own.
        """
        letter, below = _taken_apart(node_name(q.kind))
        places = ",".join(str(index) for index in (q.i, q.j) if index)
        if not (below and places):
            return Symbol(letter, below or places)
        return Symbol(letter, below, (f"({places})",), said=(f"entry {places.replace(',', ' ')}",))

    def matrix(self, kind: str, layer: int, sample: int = 0) -> Symbol:
        """All of an array, or one row of it: bold."""
        letter, below = _taken_apart(node_name(kind))
        row = ((f"({sample})",), (f"row {sample}",)) if sample else ((), ())
        return Symbol(letter, below, row[0], bold=len(letter) == 1, said=row[1])


def _taken_apart(name: str) -> tuple[str, str]:
    """A name as letter and what stands below it."""
    stem, line, rest = name.partition("_")
    if line and rest:
        return GREEK.get(stem, stem), rest.replace("_", ",")
    stem = stem.rstrip("0123456789")
    return GREEK.get(stem, stem), name.rstrip("_")[len(stem) :]


def alphabet(chosen: str = "") -> NodeAlphabet:
    """The names of a graph in one of its notations; what has been written in them is its own."""
    return NodeAlphabet(notation("brackets"), (), derivatives=DERIVATIVES[chosen or TOTAL])

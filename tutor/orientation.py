"""Turn a tree the way a lecture writes it: rows or columns, bias first or last, weight before input or behind.

The engine has one orientation: data has one row per sample, weights one row per unit. A lecture with column
vectors writes Z = W·A + b where the engine computes Z = A·Wᵀ + b; transposing the whole tree and taking each
leaf the lecture's way round gives the lecture's formula, and its value stays the engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tutor.expression import (
    ArrayRef,
    Call,
    MatrixProduct,
    Node,
    One,
    Pair,
    Product,
    Ref,
    Sum,
    SumOver,
    Transpose,
    Value,
    Weighted,
)
from tutor.notation import Notation

_PARAMETERS = {"w", "w+", "dL/dw"}


def flipped(kind: str, notation: Notation) -> bool:
    """Whether this lecture writes the matrices of a kind the other way round than the engine."""
    return notation.weights_turned if kind in _PARAMETERS else notation.vectors == "columns"


def turned(leaf: ArrayRef, notation: Notation) -> ArrayRef:
    """A matrix the way the lecture writes it."""
    return replace(leaf, array=leaf.array.T, flipped=True) if flipped(leaf.kind, notation) else leaf


def oriented(tree: Node, notation: Notation, transpose: bool) -> Node:
    """The tree in the lecture's orientation; its value is the engine's, transposed if `transpose`."""
    match tree:
        case ArrayRef():
            shown = turned(tree, notation)
            return shown if shown.flipped == transpose else Transpose(shown)
        case Transpose():
            return oriented(tree.of, notation, not transpose)
        case MatrixProduct() if transpose:
            return MatrixProduct(tuple(oriented(term, notation, True) for term in reversed(tree.terms)))
        case SumOver():
            axis = 1 - tree.axis if transpose else tree.axis
            return replace(tree, of=oriented(tree.of, notation, transpose), axis=axis)
        case Call() if transpose:
            return replace(tree, of=oriented(tree.of, notation, True), function=_along_columns(tree.function))
        case One():
            return replace(tree, of=oriented(tree.of, notation, transpose), **_turned_logs(tree, transpose))
        case Pair():
            left, right = oriented(tree.left, notation, transpose), oriented(tree.right, notation, transpose)
            return replace(tree, left=left, right=right)
        case Sum() | Product() | Weighted() | MatrixProduct():
            return replace(tree, terms=tuple(oriented(term, notation, transpose) for term in tree.terms))
        case _:
            return tree


def _along_columns(function: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """A function of rows (a softmax adds along them) for the transposed matrix."""
    return lambda values: function(values.T).T


def _turned_logs(tree: One, transpose: bool) -> dict[str, object]:
    """A logarithm carries the engine's matrix of values: turn that as well."""
    number = getattr(tree, "number", None)
    return {"number": number.T} if number is not None and transpose else {}


def arranged(tree: Node, notation: Notation) -> Node:
    """A pre-activation's sum with its bias and its factors in the lecture's order."""
    if not isinstance(tree, Sum | Product):
        return tree
    if isinstance(tree, Product):
        return _factors(tree, notation)
    terms = tuple(_factors(term, notation) if isinstance(term, Product) else term for term in tree.terms)
    if notation.bias == "w0" and _is(terms[-1], {"b", "b+"}):
        terms = (terms[-1], *terms[:-1])
    return Sum(terms)


def _factors(tree: Product, notation: Notation) -> Product:
    """w·a, or x·w where the lecture writes the input first."""
    first, *rest = tree.terms
    if notation.input_first and len(rest) == 1 and _is(first, {"w", "w+"}) and isinstance(rest[0], Ref):
        return Product((rest[0], first))
    return tree


def _is(node: Node, kinds: set[str]) -> bool:
    return isinstance(node, Ref) and node.quantity.kind in kinds



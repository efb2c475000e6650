"""Turn a tree the way a lecture writes it: rows or columns, bias first or last, weight before input or behind.

The engine has one orientation: data has one row per sample, weights one row per unit. A lecture with column
vectors writes Z = W·A + b where the engine computes Z = A·Wᵀ + b; transposing the whole tree and taking each
leaf the lecture's way round gives the lecture's formula, and its value stays the engine's.
"""

from __future__ import annotations

from dataclasses import replace

from tutor.engine.kinds import BIAS, KINDS, WEIGHT
from tutor.engine.tree import Apply, ArrayRef, MatrixProduct, Node, Product, Ref, Stable, Sum, SumOver, Transpose
from tutor.notation import Notation


def flipped(kind: str, notation: Notation) -> bool:
    """Whether this lecture writes the matrices of a kind the other way round than the engine."""
    return notation.weights_turned if KINDS[kind].weights else notation.vectors == "columns"


def left_side(kind: str, notation: Notation) -> tuple[str, str]:
    """The kind left of the equals sign, and that sign.

    A lecture that assigns (w := w − …) has the old one there.
    """
    of = KINDS[kind]
    if of.again and of.parameter and notation.update == "assign":
        return of.before, ":="
    return kind, "="


def turned(leaf: ArrayRef, notation: Notation) -> ArrayRef:
    """A matrix the way the lecture writes it."""
    return replace(leaf, flipped=flipped(leaf.kind, notation))


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
        case Apply():
            return replace(tree, of=oriented(tree.of, notation, transpose), turned=transpose)
        case Stable():
            return replace(tree, shown=oriented(tree.shown, notation, transpose), exact=oriented(tree.exact, notation, transpose))
        case _:
            return tree.rebuild(tuple(oriented(child, notation, transpose) for child in tree.children))


def arranged(tree: Node, notation: Notation) -> Node:
    """A pre-activation's sum with its bias and its factors in the lecture's order."""
    if not isinstance(tree, Sum | Product):
        return tree
    if isinstance(tree, Product):
        return _factors(tree, notation)
    terms = tuple(_factors(term, notation) if isinstance(term, Product) else term for term in tree.terms)
    if notation.bias == "w0" and _role(terms[-1]) == BIAS:
        terms = (terms[-1], *terms[:-1])
    return Sum(terms)


def _factors(tree: Product, notation: Notation) -> Product:
    """w·a, or x·w where the lecture writes the input first."""
    first, *rest = tree.terms
    if notation.input_first and len(rest) == 1 and _role(first) == WEIGHT and isinstance(rest[0], Ref):
        return Product((rest[0], first))
    return tree


def _role(node: Node) -> tuple[str, ...]:
    """The axes of a parameter, which tell weights from biases; nothing for other nodes."""
    return node.quantity.of.axes if isinstance(node, Ref) and node.quantity.of.role == "parameter" else ()

"""From the tree of an array to the tree of one of its entries.

    entry(tree, row, column, sizes) -> Node

Indices are pushed down to the leaves, and what an array sums up in one stroke is written out as a
sum. Rows and columns count from 1; either may be the running index `K` in the elided middle of a
sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tutor.engine.kinds import KINDS
from tutor.engine.quantity import K, Quantity
from tutor.engine.tree import (
    Apply,
    ArrayRef,
    Elided,
    ElidedSquares,
    ElidedTerms,
    MatrixProduct,
    Node,
    Number,
    Pick,
    Product,
    Ref,
    Share,
    Square,
    Squares,
    Stable,
    Sum,
    SumOver,
    Transpose,
)

LONGEST = 8
"""A sum with more terms than this is elided in the middle."""
HEAD, TAIL = 3, 1

_FIRST = {"error": 0, "parameter": 1}
"""Of two factors in a sum the error signal comes first, then the parameter, then the rest: by role
of the kind.
"""


class Sizes(Protocol):
    """What has to be known of the arrays."""

    @property
    def samples(self) -> int:
        """The number of samples."""

    def columns(self, leaf: ArrayRef) -> int:
        """How many columns an array has in two dimensions."""

    def rows(self, leaf: ArrayRef) -> int:
        """How many rows."""


def long_sum(count: int, term: Callable[[int], Node], middle: Node | None = None) -> Node:
    """term(1) + … + term(count); the middle of a long sum is elided, as `middle` where that is no
    term with a running index.
    """
    if count <= LONGEST:
        return Sum(tuple(term(n) for n in range(1, count + 1))) if count > 1 else term(1)
    head = tuple(term(n) for n in range(1, HEAD + 1))
    tail = tuple(term(n) for n in range(count - TAIL + 1, count + 1))
    return Sum((*head, middle or Elided(HEAD + 1, count - TAIL, term(K)), *tail))


def long_terms(terms: tuple[Node, ...]) -> Node:
    """The sum of some terms; the middle of a long one is elided."""
    if len(terms) <= LONGEST:
        return Sum(terms) if len(terms) > 1 else terms[0]
    middle = ElidedTerms(HEAD + 1, len(terms) - TAIL, Sum(terms))
    return Sum((*terms[:HEAD], middle, *terms[-TAIL:]))


def added(*terms: Node) -> Node:
    """A sum of terms, sums among them opened; one term is itself."""
    flat = tuple(part for term in terms for part in (term.terms if type(term) is Sum else (term,)))
    return flat[0] if len(flat) == 1 else Sum(flat)


def named(kind: str, layer: int, row: int, column: int, sizes: Sizes) -> Quantity:
    """The quantity in this row and column of an array."""
    found = KINDS[kind]
    if not found.axes:
        return Quantity(kind, layer)
    if found.weights:
        return Quantity(kind, layer, row, column)
    if found.biases or found.feature:
        return Quantity(kind, layer, column)
    return Quantity(kind, layer, column, 0, row if sizes.samples > 1 else 0)


def entry(tree: Node, row: int, column: int, sizes: Sizes) -> Node:
    """The tree of one entry."""

    def at(node: Node, row: int = row, column: int = column) -> Node:
        return entry(node, row, column, sizes)

    match tree:
        case Number() | Share() | Ref():
            return tree
        case ArrayRef():
            return Ref(named(tree.kind, tree.layer, row, column, sizes))
        case Transpose():
            return at(tree.of, column, row)
        case MatrixProduct():
            left, right = tree.terms
            return long_sum(
                _columns(left, sizes), lambda k: _product(at(left, row, k), at(right, k, column))
            )
        case Squares():
            return _all_squares(tree, sizes)
        case SumOver(axis=1):
            return long_sum(_columns(tree.of, sizes), lambda k: at(tree.of, row, k))
        case SumOver():
            return long_sum(sizes.samples, lambda s: at(tree.of, s, column))
        case Apply() if tree.function.by_row:
            return Pick(_row(tree, row if sizes.samples > 1 else 0), column)
        case Stable():
            leaf = None if tree.leaf is None else at(tree.leaf)
            assert leaf is None or isinstance(leaf, Ref)
            return Stable(at(tree.shown), at(tree.exact), leaf)
        case Sum():
            return added(*map(at, tree.terms))
        case Product():
            return Product(tuple(map(at, tree.terms)))
        case _:
            return tree.rebuild(tuple(map(at, tree.children)))


def _all_squares(tree: Squares, sizes: Sizes) -> Node:
    """The square of every entry of every array, in their order; the middle of many is elided."""
    shapes = [
        (term, sizes.rows(leaf) if KINDS[leaf.kind].weights else 1, sizes.columns(leaf))
        for term in tree.terms
        for leaf in (_array_of(term),)
    ]

    def square(n: int) -> Node:
        for term, rows, columns in shapes:
            if n <= rows * columns:
                row, column = divmod(n - 1, columns)
                return Square(entry(term, row + 1, column + 1, sizes))
            n -= rows * columns
        raise IndexError(n)

    count = sum(rows * columns for _, rows, columns in shapes)
    return long_sum(count, square, ElidedSquares(HEAD + 1, count - TAIL, tree))


def _array_of(tree: Node) -> ArrayRef:
    """The first array of a tree, which has its shape."""
    return tree if isinstance(tree, ArrayRef) else _array_of(tree.children[0])


def _row(tree: Apply, sample: int) -> Node:
    """The same for one sample alone."""
    assert isinstance(tree.of, ArrayRef)
    return Apply(ArrayRef(tree.of.kind, tree.of.layer, sample), tree.function)


def _product(left: Node, right: Node) -> Node:
    return Product(tuple(sorted((left, right), key=_rank)))


def _rank(node: Node) -> int:
    return _FIRST.get(KINDS[node.quantity.kind].role, 2) if isinstance(node, Ref) else 2


def _columns(tree: Node, sizes: Sizes) -> int:
    if isinstance(tree, ArrayRef):
        return sizes.columns(tree)
    if isinstance(tree, Transpose):
        assert isinstance(tree.of, ArrayRef)
        return sizes.rows(tree.of)
    return max(_columns(child, sizes) for child in tree.children if not isinstance(child, Number))

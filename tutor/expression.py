"""Expression trees: how one number, or one matrix, of a lesson is computed.

A tree is closed: its leaves carry the numbers they stand for, so it can be drawn, spoken and evaluated without
the network at hand. `evaluate(tree)` must equal what the engine computed; that invariant is what makes the text
a student reads the computation that took place.

Scalars are float64, matrices are float64 arrays in the engine's orientation (one row per sample, one row of
weights per unit). Which way round a lecture writes them is the notation's business (`tutor.orientation`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from tutor.quantity import Quantity

Value: TypeAlias = Any  # np.float64 or an array of them


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a tree."""

    @property
    def children(self) -> tuple[Node, ...]:
        return ()

    def value(self) -> Value:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Number(Node):
    """A constant of the formula itself, such as the 1 in 1 − a. `text` shows it as a word or fraction."""

    number: float
    text: str = ""

    def value(self) -> Value:
        return np.float64(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Ref(Node):
    """One number of the lesson, by name."""

    quantity: Quantity
    number: float

    def value(self) -> Value:
        return np.float64(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayRef(Node):
    """A whole matrix of the lesson: all of `kind` in `layer`, rows are samples (or units, for parameters).

    `flipped` says that the lecture writes it the other way round; `array` is then already turned.
    """

    kind: str
    layer: int
    array: np.ndarray
    sample: int = 0
    flipped: bool = False

    def value(self) -> Value:
        return self.array


@dataclass(frozen=True, slots=True, eq=False)
class Elided(Node):
    """The middle of a long sum: how many terms are left out, and what they come to."""

    count: int
    total: float

    def value(self) -> Value:
        return np.float64(self.total)


@dataclass(frozen=True, slots=True, eq=False)
class Many(Node):
    """A node over several arguments."""

    terms: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.terms


class Sum(Many):
    """terms[0] + terms[1] + …"""

    def value(self) -> Value:
        total = self.terms[0].value()
        for term in self.terms[1:]:
            total = total + term.value()
        return total


class Product(Many):
    """terms[0] · terms[1] · …, number by number."""

    def value(self) -> Value:
        result = self.terms[0].value()
        for term in self.terms[1:]:
            result = result * term.value()
        return result


class Hadamard(Product):
    """The element-wise product ⊙ of two matrices of one shape."""


class MatrixProduct(Many):
    """The matrix product of its terms."""

    def value(self) -> Value:
        result = self.terms[0].value()
        for term in self.terms[1:]:
            result = result @ term.value()
        return result


class Weighted(Many):
    """weight · term, and 0 where the weight is 0: in −Σ y log p the classes with y = 0 take no part."""

    def value(self) -> Value:
        weight, term = (t.value() for t in self.terms)
        if np.ndim(weight):
            return np.where(weight == 0, 0.0, weight * term)
        return weight * term if weight else np.float64(0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Pair(Node):
    """A node over two arguments."""

    left: Node
    right: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


class Difference(Pair):
    """left − right"""

    def value(self) -> Value:
        return self.left.value() - self.right.value()


class Quotient(Pair):
    """left / right, written as a fraction; 0 where the top is exactly 0."""

    def value(self) -> Value:
        top = self.left.value()
        if np.ndim(top):
            bottom = self.right.value()
            return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=top != 0)
        return top / self.right.value() if top else np.float64(0.0)


class Power(Pair):
    """left to the power of right"""

    def value(self) -> Value:
        return self.left.value() ** self.right.value()


@dataclass(frozen=True, slots=True, eq=False)
class One(Node):
    """A node over one argument."""

    of: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.of,)


class Negative(One):
    """−of"""

    def value(self) -> Value:
        return -self.of.value()


class Exp(One):
    """e to the power of `of`"""

    def value(self) -> Value:
        return np.exp(self.of.value())


class ExpMinusOne(One):
    """e^of − 1, computed without cancellation near 0"""

    def value(self) -> Value:
        return np.expm1(self.of.value())


class Transpose(One):
    """The transposed matrix."""

    def value(self) -> Value:
        return self.of.value().T


class Diagonal(One):
    """The diagonal matrix with this row (or column) of numbers on its diagonal."""

    def value(self) -> Value:
        return np.diag(self.of.value().ravel())


@dataclass(frozen=True, slots=True, eq=False)
class SumOver(One):
    """The sum over all samples, or over all units of a layer: along `axis` of the matrix, which is kept."""

    what: str
    axis: int

    def value(self) -> Value:
        return self.of.value().sum(axis=self.axis, keepdims=True)


class Square(One):
    """of²"""

    def value(self) -> Value:
        number = self.of.value()
        return number * number


@dataclass(frozen=True, slots=True, eq=False)
class Log(One):
    """The natural logarithm of a probability, of 1 − it, or of 1 over one of these.

    The engine keeps these logarithms as computed from the pre-activations, where no digits are lost when a
    probability is close to 0 or 1; `number` is that value. `tests/test_derivation.py` compares it with log(of).
    """

    number: Value

    def value(self) -> Value:
        return self.number


@dataclass(frozen=True, slots=True, eq=False)
class Call(One):
    """A named function of one argument, such as tanh(z) or σ(z)."""

    name: str
    function: Callable[[Value], Value]

    def value(self) -> Value:
        return self.function(self.of.value())


@dataclass(frozen=True, slots=True, eq=False)
class Cases(Node):
    """A choice: `branches` are (formula, condition as text); `chosen` is the one these numbers take."""

    branches: tuple[tuple[Node, str], ...]
    on: Node
    chosen: int

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.branches[self.chosen][0], self.on)

    def value(self) -> Value:
        return self.branches[self.chosen][0].value()


@dataclass(frozen=True, slots=True, eq=False)
class Partial(One):
    """A local derivative ∂top/∂bottom in a chain; `of` is what it comes to."""

    top: Quantity
    bottom: Quantity

    def value(self) -> Value:
        return self.of.value()


def evaluate(tree: Node) -> Value:
    """Compute a tree from its leaves. Overflow gives inf and 0/0 gives nan, quietly: the lesson explains them."""
    with np.errstate(all="ignore"):
        return tree.value()


def rounded(tree: Node, digits: Callable[[float], float]) -> Node:
    """The tree with the digits that are shown of each number in its place, as one types it into a calculator."""

    def again(*nodes: Node) -> tuple[Node, ...]:
        return tuple(rounded(node, digits) for node in nodes)

    match tree:
        case Ref() | Number(text=""):
            return replace(tree, number=digits(tree.number))
        case ArrayRef():
            return replace(tree, array=np.array([[digits(float(entry)) for entry in row] for row in tree.array]))
        case Elided():
            return replace(tree, total=digits(tree.total))
        case Log():  # its own value is more exact than the logarithm of what is shown
            return Call(again(tree.of)[0], "log", np.log)
        case Cases():
            (on,), formulas = again(tree.on), again(*(formula for formula, _ in tree.branches))
            conditions = (condition for _, condition in tree.branches)
            return replace(tree, branches=tuple(zip(formulas, conditions, strict=True)), on=on)
        case Many():
            return replace(tree, terms=again(*tree.terms))
        case Pair():
            left, right = again(tree.left, tree.right)
            return replace(tree, left=left, right=right)
        case One():
            return replace(tree, of=again(tree.of)[0])
        case _:
            return tree


def walk(tree: Node) -> Iterator[Node]:
    """Every node, depth first, left to right."""
    yield tree
    for child in tree.children:
        yield from walk(child)


def leaves(tree: Node) -> tuple[Ref, ...]:
    """The numbers of the lesson that a tree uses, each once, in reading order."""
    found: dict[Quantity, Ref] = {}
    for node in walk(tree):
        if isinstance(node, Ref):
            found.setdefault(node.quantity, node)
    return tuple(found.values())


def has_partials(tree: Node) -> bool:
    """Whether the tree names a local derivative, so that its rule differs from its symbols."""
    return any(isinstance(node, Partial) for node in walk(tree))

"""What an operation of a computation graph has to say of itself.

    Operation           one operation: shape, trees, how a derivative comes back, words
    Call                an operation applied to something
    ShapeError          arrays that it cannot be applied to

Arrays have any shape up to two dimensions, a single number has the shape (). Entries count from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from tutor.engine.quantity import Quantity
from tutor.engine.reach import Reach
from tutor.engine.tree import ArrayRef, Node, Ref, Value
from tutor.errors import NetworkError

Shape: TypeAlias = tuple[int, ...]
Place: TypeAlias = tuple[int, ...]
"""The indices of an entry, from 1; () for a single number."""
Arguments: TypeAlias = tuple[Node, ...]
"""What an operation is applied to: arrays by name, and constants."""


class ShapeError(NetworkError):
    """Arrays that an operation cannot be applied to; the text says which shapes it was given."""


@dataclass(frozen=True, slots=True)
class Call:
    """An operation applied: to what, and what it makes."""

    operation: Operation
    arguments: Arguments
    shapes: tuple[Shape, ...]
    """Those of the arguments; that of a constant is ()."""
    out: ArrayRef
    shape: Shape


Route: TypeAlias = tuple[Place, Node]
"""An entry of what an operation makes, and its derivative with respect to an entry that it takes:
a tree over arrays whose entry at that same place is meant.
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Where an operation has no number: which values those are, and what to say."""

    where: Callable[..., Value]
    text: str
    """With {0} and {1} in place of its inputs."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation. Subclasses say how whole arrays go forward and back."""

    name: str
    """Its sign or its name in formulas."""
    title: str
    """What it is called: sum, sigmoid."""
    about: str
    """What it does, as a sentence."""
    back: str
    """What it does to a derivative on its way back, as a sentence."""
    least: int = 1
    """How many inputs it takes at least."""
    most: int = 1
    troubles: tuple[Trouble, ...] = ()
    """Where its value is no number, with the reason."""
    steep: tuple[Trouble, ...] = ()
    """Where its derivative is none."""
    corners: tuple[Trouble, ...] = ()
    """Where its curve has a corner: two slopes, and the derivative is one that we choose."""

    def shape(self, shapes: Sequence[Shape]) -> Shape:
        """The shape of what it makes. Raises ShapeError where these do not fit."""
        raise NotImplementedError

    def shape_of(self, arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
        """The same where it depends on the constants among the arguments: a stride, an index."""
        return self.shape(shapes)

    def tree(self, call: Call) -> Node:
        """What it computes, over whole arrays."""
        raise NotImplementedError

    def written(self, call: Call) -> Node:
        """The same with the formula of a named function written out."""
        return self.tree(call)

    def pull(self, k: int, call: Call, g: Node) -> Node:
        """What `g`, the derivative of the result with respect to its output, adds to that with
        respect to its input `k`: an array of that input's shape.
        """
        raise NotImplementedError

    def routes(self, k: int, call: Call, at: Place) -> Iterator[Route]:
        """Each entry of its output that depends on the entry `at` of input `k`, with the local
        derivative.
        """
        raise NotImplementedError

    def reach(self, k: int, call: Call) -> Reach:
        """The same without the derivatives, for all entries of input `k` at once."""
        raise NotImplementedError

    def collected(self, k: int, call: Call, g: ArrayRef, at: Place) -> Node | None:
        """The sum over these routes, each times what came back to its entry in `g`, in a shorter
        form, where it has one.
        """
        return None

    def entry(self, call: Call, at: Place) -> Node | None:
        """The tree of one entry of its output, where pushing indices down does not give it."""
        return None

    def pattern(self, k: int, call: Call) -> str:
        """What its Jacobian with respect to input `k` looks like, as sentences."""
        raise NotImplementedError


def shape_words(shape: Shape) -> str:
    """A shape as one says it."""
    if not shape:
        return "a single number"
    return f"a list of {shape[0]}" if len(shape) == 1 else "×".join(map(str, shape))


def places(shape: Shape) -> Iterator[Place]:
    """Every entry of an array, in order."""
    return product(*(range(1, n + 1) for n in shape))


def place_in(shape: Shape, n: int) -> Place:
    """The n-th of them, from 1."""
    return tuple(int(index) + 1 for index in np.unravel_index(n - 1, shape)) if shape else ()


def at(argument: Node, place: Place) -> Node:
    """One entry of an argument; a constant is itself."""
    if isinstance(argument, ArrayRef):
        return Ref(Quantity(argument.kind, 0, *place))
    return argument

"""Operations of computation graphs that look at a whole array: matrix products, softmax,
convolution, max pooling, rows of a table, layer normalisation.

Their sizes and places, such as a stride or the number of a row, are constants of the formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from tutor.engine import array_functions as functions
from tutor.engine.entry import long_terms
from tutor.engine.operation import (
    Arguments,
    Call,
    Operation,
    Place,
    Route,
    Shape,
    ShapeError,
    at,
    places,
    shape_words,
)
from tutor.engine.reach import Reach, Spans, each, every
from tutor.engine.tree import (
    ONE,
    ZERO,
    ArrayFunction,
    ArrayRef,
    Called,
    Difference,
    Division,
    Exp,
    LargestOf,
    MatrixProduct,
    Named,
    Negative,
    Node,
    Number,
    OuterProduct,
    Product,
    Sqrt,
    Square,
    Stable,
    Sum,
    SumOver,
    Total,
    Transpose,
    Wins,
)
from tutor.number import counted

MOST_ROWS = 50
"""So many rows of a table can be taken at once."""
EPSILON = Number(1e-5, "0.00001")
"""What layer normalisation adds to the variance."""


def _whole(argument: Node, what: str, least: int, example: str) -> int:
    """A constant of the formula that has to be a whole number."""
    found = argument.number if isinstance(argument, Number) else None
    if found is None or found != int(found) or found < least:
        given = "a value" if found is None else f"{found:g}".replace("-", "−")
        raise ShapeError(
            f"{what} is a whole number from {least} written in the formula, such as {example}; "
            f"here it is {given}"
        )
    return int(found)


def _constants(call: Call, first: int) -> tuple[int, ...]:
    """The constants of a call, from this argument on."""
    return tuple(int(n.number) for n in call.arguments[first:] if isinstance(n, Number))


# ---- Matrix product, transpose ----


@dataclass(frozen=True, slots=True, eq=False)
class Matmul(Operation):
    """Rows by columns; a list is a column on the right and a row on the left."""

    def shape(self, shapes: Sequence[Shape]) -> Shape:
        left, right = shapes
        if not (left and right):
            raise ShapeError(
                f"@ needs two arrays, but here it has {shape_words(left)} and "
                f"{shape_words(right)}; to multiply by a number, write *"
            )
        if left[-1] != right[0]:
            wide = "entries" if len(left) == 1 else "columns"
            high = "entries" if len(right) == 1 else "rows"
            raise ShapeError(
                f"@ multiplies rows by columns, so the first input needs as many {wide} as the "
                f"second has {high}; here they are {shape_words(left)} and {shape_words(right)}, "
                f"with {left[-1]} {wide} and {right[0]} {high}"
            )
        return (*left[:-1], *right[1:])

    def tree(self, call: Call) -> Node:
        a, b = call.arguments
        if len(call.shapes[0]) == 1 and len(call.shapes[1]) == 2:
            return MatrixProduct((Transpose(b), a))
        return MatrixProduct((a, b))

    def pull(self, k: int, call: Call, g: Node) -> Node:
        a, b = call.arguments
        match tuple(map(len, call.shapes)):
            case (1, 1):
                return Product((g, call.arguments[1 - k]))
            case (2, 1):
                return MatrixProduct((Transpose(a), g)) if k else OuterProduct(g, b)
            case (1, 2):
                return OuterProduct(a, g) if k else MatrixProduct((b, g))
        return MatrixProduct((Transpose(a), g)) if k else MatrixProduct((g, Transpose(b)))

    def entry(self, call: Call, at_: Place) -> Node:
        (a, b), (left, right) = call.arguments, call.shapes
        row, column = at_[: len(left) - 1], at_[len(left) - 1 :]
        return long_terms(
            tuple(Product((at(a, (*row, n)), at(b, (n, *column)))) for n in range(1, right[0] + 1))
        )

    def routes(self, k: int, call: Call, at_: Place) -> Iterator[Route]:
        (a, b), (left, right) = call.arguments, call.shapes
        if k == 0:
            for column in places(right[1:]):
                yield (*at_[:-1], *column), at(b, (at_[-1], *column))
        else:
            for row in places(left[:-1]):
                yield (*row, *at_[1:]), at(a, (*row, at_[0]))

    def reach(self, k: int, call: Call) -> Reach:
        left, right = call.shapes
        rows, inner, columns = prod(left[:-1]), right[0], prod(right[1:])
        if k == 0:
            return Reach((rows, inner), each(rows), every(inner, times=columns))
        return Reach((inner, columns), every(inner, times=rows), each(columns))

    def pattern(self, k: int, call: Call) -> str:
        match tuple(map(len, call.shapes)):
            case (1, 1):
                return "The product is one number, and its Jacobian is simply the other list."
            case (2, 1) if k:
                return (
                    "Each entry is a row of the matrix times the list, so the Jacobian with "
                    "respect to the list is the matrix itself; in denominator layout it is turned."
                )
            case (1, 2) if not k:
                return (
                    "Each entry is the list times a column of the matrix, so the Jacobian with "
                    "respect to the list is the matrix, turned; in denominator layout as it is."
                )
        line, own = ("column", "column of it") if k else ("row", "row of it")
        return (
            f"An entry of the product uses one {own} only: there stand the numbers of the other "
            f"input, everywhere else 0. The same numbers come again for each {line}."
        )


@dataclass(frozen=True, slots=True, eq=False)
class Transposed(Operation):
    """Rows become columns."""

    def shape(self, shapes: Sequence[Shape]) -> Shape:
        (given,) = shapes
        if len(given) != 2:
            raise ShapeError(
                f"transpose swaps rows and columns, such as those of [[1, 2], [3, 4]]; "
                f"here it has {shape_words(given)}"
            )
        return given[::-1]

    def tree(self, call: Call) -> Node:
        return Transpose(call.arguments[0])

    def pull(self, k: int, call: Call, g: Node) -> Node:
        return Transpose(g)

    def entry(self, call: Call, at_: Place) -> Node:
        return at(call.arguments[0], at_[::-1])

    def routes(self, k: int, call: Call, at_: Place) -> Iterator[Route]:
        yield at_[::-1], ONE

    def reach(self, k: int, call: Call) -> Reach:
        rows, columns = call.shape
        return Reach((columns, rows), each(rows), each(columns), turned=True)

    def pattern(self, k: int, call: Call) -> str:
        return "Each entry moves to another place: one 1 in each row and in each column."


# ---- What is computed along the last axis ----


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ByRow(Operation):
    """An operation whose entries depend on all entries of the same list, or of the same row; its
    trees have every pair of them.
    """

    longest: int
    full: str
    """What stands in its Jacobian, behind a colon."""

    def shape(self, shapes: Sequence[Shape]) -> Shape:
        (given,) = shapes
        if not given:
            raise ShapeError(f"{self.name} needs a list or rows of numbers, not a single number")
        if given[-1] > self.longest:
            raise ShapeError(
                f"{self.name} takes at most {self.longest} numbers in a row, so that each of its "
                f"formulas can be written out; here it has {given[-1]:,}"
            )
        return given

    def row(self, call: Call, at_: Place) -> list[Node]:
        """The entries that one entry depends on."""
        return [at(call.arguments[0], place) for place in self._row_places(call, at_)]

    def _row_places(self, call: Call, at_: Place) -> list[Place]:
        return [(*at_[:-1], n) for n in range(1, call.shape[-1] + 1)]

    def routes(self, k: int, call: Call, at_: Place) -> Iterator[Route]:
        for place in self._row_places(call, at_):
            yield place, self.local(call, place, at_)

    def local(self, call: Call, place: Place, at_: Place) -> Node:
        """The derivative of the entry at `place` with respect to that at `at_`."""
        raise NotImplementedError

    def reach(self, k: int, call: Call) -> Reach:
        rows, columns = prod(call.shape[:-1]), call.shape[-1]
        return Reach((rows, columns), each(rows), every(columns, times=columns))

    def pattern(self, k: int, call: Call) -> str:
        if len(call.shape) == 1:
            return f"Each entry depends on all of them, so the Jacobian is full: {self.full}"
        return (
            "Each entry depends on all entries of its row and on no other row: a full block for "
            f"each row, 0 elsewhere. In a block: {self.full}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Softmax(ByRow):
    """exp(x) over its sum."""

    def tree(self, call: Call) -> Node:
        return Called(call.arguments, functions.SOFTMAX, (), call.shapes)

    def pull(self, k: int, call: Call, g: Node) -> Node:
        both = Product((g, call.out))
        mean = Total(both) if len(call.shape) == 1 else SumOver(both, "row", 1)
        return Product((call.out, Difference(g, mean)))

    def entry(self, call: Call, at_: Place) -> Node:
        row = self.row(call, at_)
        largest = _largest(row)
        exact = [Exp(Difference(one, largest)) for one in row]
        shown = [Exp(one) for one in row]
        n = at_[-1] - 1
        return Stable(
            Division(shown[n], long_terms(tuple(shown))), Division(exact[n], Sum(tuple(exact)))
        )

    def local(self, call: Call, place: Place, at_: Place) -> Node:
        p = at(call.out, place)
        if place == at_:
            return Product((p, Difference(ONE, p)))
        return Negative(Product((p, at(call.out, at_))))


@dataclass(frozen=True, slots=True, eq=False)
class LayerNorm(ByRow):
    """(x − mean) over the standard deviation."""

    def tree(self, call: Call) -> Node:
        return Called(call.arguments, functions.LAYERNORM, (), call.shapes)

    def pull(self, k: int, call: Call, g: Node) -> Node:
        shapes = (call.shape, call.shape, call.shape)
        return Called((g, call.arguments[0], call.out), functions.LAYERNORM_BACK, (), shapes)

    def entry(self, call: Call, at_: Place) -> Node:
        own, x = at(call.arguments[0], at_), self._row_of(call.arguments[0], at_)
        return Division(
            Difference(own, _named_mean(self.row(call, at_), x)), self._spread(call, at_)
        )

    def _spread(self, call: Call, at_: Place) -> Node:
        row, x = self.row(call, at_), self._row_of(call.arguments[0], at_)
        off = [Square(Difference(one, _named_mean(row, x))) for one in row]
        return Named(Sqrt(Sum((_mean(off), EPSILON))), "spread", (x,))

    def local(self, call: Call, place: Place, at_: Place) -> Node:
        count = float(call.shape[-1])
        own = ONE if place == at_ else ZERO
        both = Product((at(call.out, place), at(call.out, at_)))
        share = Division(Sum((ONE, both)), Number(count))
        return Division(Difference(own, share), self._spread(call, at_))

    def collected(self, k: int, call: Call, g: ArrayRef, at_: Place) -> Node:
        places_ = self._row_places(call, at_)
        back = [at(g, place) for place in places_]
        along = [
            Product((one, at(call.out, place))) for one, place in zip(back, places_, strict=True)
        ]
        of_g, of_z = (self._row_of(array, at_) for array in (g, call.out))
        taken = (
            _named_mean(back, of_g),
            Product((at(call.out, at_), _named_mean(along, of_g, of_z))),
        )
        return Division(Sum((at(g, at_), *map(Negative, taken))), self._spread(call, at_))

    def _row_of(self, array: Node, at_: Place) -> ArrayRef:
        """The list, or the row of an array, that an entry stands in."""
        assert isinstance(array, ArrayRef)
        return replace(array, sample=at_[0]) if len(at_) > 1 else array


def _named_mean(terms: Sequence[Node], *over: ArrayRef) -> Node:
    """The mean of some numbers under its own name."""
    return Named(_mean(terms), "mean", over)


def _mean(terms: Sequence[Node]) -> Node:
    return Division(long_terms(tuple(terms)), Number(float(len(terms))))


def _largest(terms: Sequence[Node]) -> Node:
    """The largest of some numbers."""
    return LargestOf(tuple(terms)) if len(terms) > 1 else terms[0]


# ---- Windows ----


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one size that step over an array, which may have a border of zeros around it."""

    shape: Shape
    size: Shape
    stride: int
    padding: int = 0

    @property
    def made(self) -> Shape:
        """How many there are, along each axis."""
        return tuple(
            (n + 2 * self.padding - w) // self.stride + 1
            for n, w in zip(self.shape, self.size, strict=True)
        )

    def cells(self, window: Place) -> Iterator[tuple[Place, Place]]:
        """The cells of a window that lie in the array: (place in the window, place in the
        array).
        """
        for inside in places(self.size):
            cell = tuple(
                (o - 1) * self.stride + n - self.padding
                for o, n in zip(window, inside, strict=True)
            )
            if all(1 <= c <= n for c, n in zip(cell, self.shape, strict=True)):
                yield inside, cell

    @property
    def spans(self) -> tuple[Spans, ...]:
        """Along each axis, for each window the cells of the array that it lies on."""
        return tuple(
            tuple((max(start, 0), min(start + w, n)) for start in self._starts(count))
            for n, w, count in zip(self.shape, self.size, self.made, strict=True)
        )

    @property
    def inside(self) -> tuple[Spans, ...]:
        """The same as places in the window, counted from 0: those that do not lie in the border."""
        return tuple(
            tuple((max(-start, 0), min(n - start, w)) for start in self._starts(count))
            for n, w, count in zip(self.shape, self.size, self.made, strict=True)
        )

    def _starts(self, count: int) -> Iterator[int]:
        return (o * self.stride - self.padding for o in range(count))

    @staticmethod
    def reach(spans: tuple[Spans, ...], shape: Shape) -> Reach:
        """What windows take of an array of one or two axes."""
        rows, columns = (*shape, 1)[:2]
        down, across = (*spans, each(1))[:2]
        return Reach((rows, columns), down, across)

    def over(self, cell: Place) -> Iterator[tuple[Place, Place]]:
        """The windows that a cell lies in: (the window, the cell's place in it)."""
        axes = (
            [
                (before // self.stride + 1, n)
                for n in range(w, 0, -1)
                for before in (c + self.padding - n,)
                if before % self.stride == 0 and 0 <= before // self.stride < count
            ]
            for c, w, count in zip(cell, self.size, self.made, strict=True)
        )
        for found in product(*axes):
            yield tuple(o for o, _ in found), tuple(n for _, n in found)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Convolution(Operation):
    """A kernel that steps over an array; the kernel is not flipped."""

    axes: int
    function: ArrayFunction

    def shape_of(self, arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
        x, kernel = shapes[:2]
        if len(x) != self.axes or len(kernel) != self.axes:
            what = "two lists" if self.axes == 1 else "rows of numbers and a kernel of rows"
            raise ShapeError(
                f"{self.name} takes {what}, but here it has {shape_words(x)} and "
                f"{shape_words(kernel)}"
            )
        example = f"{self.name}(x, k, 2, 1)"
        stride = _whole(arguments[2], "the stride", 1, example) if len(arguments) > 2 else 1
        padding = _whole(arguments[3], "the padding", 0, example) if len(arguments) > 3 else 0
        if padding >= min(kernel):
            raise ShapeError(
                f"the padding must be smaller than the kernel, so that no window lies in it "
                f"entirely; here it is {padding} with a kernel of {_by(kernel)}"
            )
        if any(n + 2 * padding < w for n, w in zip(x, kernel, strict=True)):
            padded = f" with {padding} of padding" if padding else ""
            raise ShapeError(
                f"the kernel is larger than its input: {_by(kernel)} over {_by(x)}{padded}"
            )
        return Windows(x, kernel, stride, padding).made

    def _settings(self, call: Call) -> tuple[int, int]:
        stride, padding = (*_constants(call, 2), *(1, 0)[len(call.arguments) - 2 :])
        return stride, padding

    def _windows(self, call: Call) -> Windows:
        return Windows(call.shapes[0], call.shapes[1], *self._settings(call))

    def tree(self, call: Call) -> Node:
        return Called(call.arguments[:2], self.function, self._settings(call), call.shapes[:2])

    def pull(self, k: int, call: Call, g: Node) -> Node:
        function = functions.CONV_TO_KERNEL if k else functions.CONV_TO_INPUT
        settings = (*self._settings(call), *call.shapes[k])
        other = call.arguments[1 - k]
        return Called((g, other), function, settings, (call.shape, call.shapes[1 - k]))

    def entry(self, call: Call, at_: Place) -> Node:
        x, kernel = call.arguments[:2]
        return long_terms(
            tuple(
                Product((at(kernel, inside), at(x, cell)))
                for inside, cell in self._windows(call).cells(at_)
            )
        )

    def routes(self, k: int, call: Call, at_: Place) -> Iterator[Route]:
        windows, (x, kernel) = self._windows(call), call.arguments[:2]
        if k == 0:
            for window, inside in windows.over(at_):
                yield window, at(kernel, inside)
            return
        for window in places(call.shape):
            cell = tuple(
                (o - 1) * windows.stride + n - windows.padding
                for o, n in zip(window, at_, strict=True)
            )
            if all(1 <= c <= n for c, n in zip(cell, windows.shape, strict=True)):
                yield window, at(x, cell)

    def reach(self, k: int, call: Call) -> Reach:
        windows = self._windows(call)
        return windows.reach(windows.inside if k else windows.spans, call.shapes[k])

    def pattern(self, k: int, call: Call) -> str:
        if k:
            return (
                "For each window it holds the numbers that the kernel lies on there; where that is "
                "padding, 0."
            )
        return (
            "For each window it holds the kernel, moved on by the stride, and 0 where the window "
            "does not reach. Such a matrix is banded, and each band has the same numbers."
        )


@dataclass(frozen=True, slots=True, eq=False)
class MaxPool(Operation):
    """The largest number of each window; of equal ones the first wins."""

    def shape_of(self, arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
        x = shapes[0]
        if not x:
            raise ShapeError("maxpool needs a list or rows of numbers, not a single number")
        size = _whole(arguments[1], "the size of the window", 1, "maxpool(x, 2)")
        stride = size
        if len(arguments) > 2:
            stride = _whole(arguments[2], "the stride", 1, "maxpool(x, 2, 1)")
        if size > min(x):
            raise ShapeError(
                f"the window is larger than its input: {_by((size,) * len(x))} over {_by(x)}"
            )
        return Windows(x, (size,) * len(x), stride).made

    def _settings(self, call: Call) -> tuple[int, int]:
        size, *stride = _constants(call, 1)
        return size, stride[0] if stride else size

    def _windows(self, call: Call) -> Windows:
        size, stride = self._settings(call)
        return Windows(call.shapes[0], (size,) * len(call.shape), stride)

    def tree(self, call: Call) -> Node:
        return Called(call.arguments[:1], functions.MAXPOOL, self._settings(call), call.shapes[:1])

    def pull(self, k: int, call: Call, g: Node) -> Node:
        shapes = (call.shape, call.shapes[0])
        return Called((g, call.arguments[0]), functions.MAXPOOL_BACK, self._settings(call), shapes)

    def entry(self, call: Call, at_: Place) -> Node:
        x = call.arguments[0]
        return _largest([at(x, cell) for _, cell in self._windows(call).cells(at_)])

    def routes(self, k: int, call: Call, at_: Place) -> Iterator[Route]:
        windows, x = self._windows(call), call.arguments[0]
        for window, _ in windows.over(at_):
            cells = [cell for _, cell in windows.cells(window)]
            yield window, Wins(tuple(at(x, cell) for cell in cells), cells.index(at_) + 1)

    def reach(self, k: int, call: Call) -> Reach:
        windows = self._windows(call)
        return windows.reach(windows.spans, call.shapes[k])

    def pattern(self, k: int, call: Call) -> str:
        return "For each window it has a single 1, at the largest number, and 0 elsewhere."


def _by(shape: Shape) -> str:
    return "×".join(map(str, shape))


# ---- Rows of a table ----


@dataclass(frozen=True, slots=True, eq=False)
class Embedding(Operation):
    """Rows of a table by their numbers."""

    def shape_of(self, arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
        table = shapes[0]
        if len(table) != 2:
            raise ShapeError(
                f"embed takes rows out of a table, such as [[1, 2], [3, 4]]; "
                f"here it has {shape_words(table)}"
            )
        for argument in arguments[1:]:
            row = _whole(argument, "the number of a row", 1, "embed(E, 2)")
            if row > table[0]:
                raise ShapeError(
                    f"embed asks for row {row}, but the table has {counted(table[0], 'row')}"
                )
        return table[1:] if len(arguments) == 2 else (len(arguments) - 1, table[1])

    def tree(self, call: Call) -> Node:
        return Called(call.arguments[:1], functions.EMBED, _constants(call, 1), call.shapes[:1])

    def pull(self, k: int, call: Call, g: Node) -> Node:
        settings = (call.shapes[0][0], *_constants(call, 1))
        return Called((g,), functions.EMBED_BACK, settings, (call.shape,))

    def entry(self, call: Call, at_: Place) -> Node:
        rows = _constants(call, 1)
        return at(call.arguments[0], (rows[at_[0] - 1 if len(at_) > 1 else 0], at_[-1]))

    def routes(self, k: int, call: Call, at_: Place) -> Iterator[Route]:
        row, column = at_
        for n, found in enumerate(_constants(call, 1), 1):
            if found == row:
                yield (n, column)[2 - len(call.shape) :], ONE

    def reach(self, k: int, call: Call) -> Reach:
        rows, columns = call.shapes[0]
        taken = tuple((int(n) - 1, int(n)) for n in _constants(call, 1))
        return Reach((rows, columns), taken, each(columns))

    def pattern(self, k: int, call: Call) -> str:
        return (
            "For each number that was copied it has a single 1, at the place in the table that it "
            "came from, and 0 elsewhere. Rows of the table that were not taken have only 0."
        )


ARRAY_OPERATIONS: tuple[Operation, ...] = (
    Matmul(
        "@", "matrix product",
        "It multiplies each row of its first input by each column of the second and adds up.",
        "A matrix product passes the derivative back times the other input, transposed.",
        2, 2,
    ),
    Transposed(
        "transpose", "transpose", "It swaps the rows and columns of its input.",
        "A transpose swaps rows and columns of the derivative back.",
    ),
    Softmax(
        "softmax", "softmax",
        "It turns each row of numbers into positive shares that add up to 1: exp(x) over its sum.",
        "Each number gets a part from every share of its row: pᵢ(1 − pᵢ) from its own, −pᵢpⱼ from "
        "the others. Each share depends on every number of its row, through the sum below it.",
        longest=100,
        full="pᵢ(1 − pᵢ) on the diagonal, −pᵢpⱼ beside it. Those of one share add up to 0.",
    ),
    Convolution(
        "conv1d", "convolution",
        "It lays the kernel on each window of its input and adds up the products. Deep learning "
        "calls this a convolution; strictly it is a cross-correlation, as the kernel is not "
        "flipped.",
        "Each window hands its derivative back: to its cells times the kernel, "
        "to the kernel times its cells. What lies in several windows adds up its parts.",
        2, 4, axes=1, function=functions.CONV1D,
    ),
    Convolution(
        "conv2d", "convolution in two dimensions",
        "It lays the kernel on each window of its input and adds up the products. Deep learning "
        "calls this a convolution; strictly it is a cross-correlation, as the kernel is not "
        "flipped.",
        "Each window hands its derivative back: to its cells times the kernel, "
        "to the kernel times its cells. What lies in several windows adds up its parts.",
        2, 4, axes=2, function=functions.CONV2D,
    ),
    MaxPool(
        "maxpool", "max pooling", "It keeps the largest number of each window.",
        "The largest number of a window gets its whole derivative: wins(…) is 1 for it and 0 for "
        "the others. Of equal ones the first wins.",
        2, 3,
    ),
    Embedding(
        "embed", "embedding", "It takes rows out of a table by their numbers.",
        "The rows that were taken get the derivative; the other rows of the table get 0.",
        2, 1 + MOST_ROWS,
    ),
    LayerNorm(
        "layernorm", "layer normalisation",
        "It shifts each row of numbers to mean 0 and scales it to variance 1; 0.00001 is added to "
        "the variance, so that it never divides by 0.",
        "The parts that would shift or scale the whole row are taken out; the rest is divided by "
        "the spread. Shifting or scaling a row changes nothing in its normalised numbers.",
        longest=32,
        full="an entry counts in its own place, in the mean and in the variance. Those of "
        "one result add up to 0, since a shift of all inputs changes nothing.",
    ),
)  # fmt: skip
"""Each operation once."""

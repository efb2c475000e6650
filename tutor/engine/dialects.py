"""Dialects of Python: how a tree is written as an expression, for the engine, for scripts, for
PyTorch.

A dialect says what a function is called in its library. Everything is put together as a syntax tree
of Python (`ast`), never as text, so that parentheses are Python's business and no text of a lesson
can become code.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from copy import copy
from functools import reduce
from math import copysign
from typing import Self

from tutor.engine.kinds import KINDS
from tutor.engine.tree import (
    ARGUMENT,
    ONE,
    ZERO,
    Apply,
    ArrayRef,
    Called,
    Cases,
    Cos,
    Difference,
    Division,
    Exp,
    ExpMinusOne,
    Floor,
    Function,
    Jacobians,
    Largest,
    LargestOver,
    Leaf,
    Log,
    MatrixProduct,
    Negative,
    Node,
    Number,
    One,
    Ones,
    OuterProduct,
    Partial,
    Power,
    Product,
    Quotient,
    Ref,
    Share,
    Sin,
    Size,
    Smallest,
    SmallestOver,
    Sqrt,
    Square,
    Squares,
    Stable,
    Sum,
    SumOver,
    Through,
    Total,
    Transpose,
    Weighted,
    put,
)


def python_name(kind: str, layer: int = 0) -> str:
    """The name of an array in Python: z1, a1_new, dL_dW2, losses, drop."""
    found = KINDS[kind.removesuffix("@")]
    if found.name in _OWN_NAMES:
        return _OWN_NAMES[found.name]
    stem, new = found.name.removesuffix("+").translate(_IN_STEMS), "_new" if found.again else ""
    stem = stem[:-1] + "W" if found.weights else stem
    stem += "_" if layer and stem[-1:].isdigit() else ""
    many = "es" if kind.endswith("@") else ""
    return f"{stem}{many}{layer if layer or found.derivative else ''}{new}"


_OWN_NAMES = {"loss-loss+": "drop", "min": "x_min", "max": "x_max"}
"""Names that Python would read as something else."""
_IN_STEMS = str.maketrans({"/": "_", ".": "_", "-": "_before"})


class Python:
    """NumPy, as the engine computes: exact forms, nothing left out."""

    module = "np"
    axis, keep, largest, smallest = "axis", "keepdims", "max", "min"

    def __init__(self) -> None:
        self.names: dict[Node, str] = {}
        """Names for trees that are at hand already."""
        self.functions: dict[Function, str] = {}
        """What the functions of the script are called; two leaky ReLUs with different slopes have
        two names.
        """

    def having(self, names: dict[Node, str]) -> Self:
        """The same dialect, where some trees are at hand by a name."""
        other = copy(self)
        other.names = names
        return other

    # ---- what a dialect says ----

    def name(self, leaf: Leaf) -> str:
        """What an array or number is called."""
        found = leaf.quantity if isinstance(leaf, Ref) else leaf
        return "z" if leaf == ARGUMENT else python_name(found.kind, found.layer)

    def has(self, function: Function) -> bool:
        """Whether a function needs no definition: its library has it, or it is its argument."""
        return function.primitive is not None or function.formula == ARGUMENT

    def called(self, function: Function) -> str:
        """What a function that is defined in the script is called."""
        if function not in self.functions:
            same = sum(other.name == function.name for other in self.functions)
            self.functions[function] = f"{function.name}_{same + 1}" if same else function.name
        return self.functions[function]

    def chosen(self, node: Stable) -> Node:
        """Which form of a tree is computed."""
        return node.exact

    def shared(self, whole: ast.expr) -> ast.expr:
        """A number of the batch's mean from that of one sample."""
        return ast.BinOp(variable("scale"), ast.Mult(), whole)

    def inlines(self, function: Function) -> bool:
        """Whether a function is written out where it is used."""
        return function.inline

    def simpler(self, node: Node) -> Node | None:
        """What a node is written as where that is shorter: scripts keep the formula's own form."""
        return None

    def ratio(self, top: ast.expr, bottom: ast.expr) -> ast.expr:
        """A quotient whose top may be 0."""
        return ast.Call(variable("ratio"), [top, bottom], [])

    def library(self, function: str, *arguments: ast.expr) -> ast.expr:
        """A function of the library."""
        return ast.Call(attribute(variable(self.module), function), list(arguments), [])

    def number(self, value: float) -> ast.expr:
        """A constant."""
        whole = value.is_integer() and abs(value) < 1e15
        constant = ast.Constant(int(abs(value)) if whole else abs(value))
        return ast.UnaryOp(ast.USub(), constant) if copysign(1.0, value) < 0 else constant

    # ---- the traversal ----

    def write(self, node: Node) -> ast.expr:  # noqa: PLR0912
        """A tree as an expression."""
        if node in self.names:
            return variable(self.names[node])
        match node:
            case Number():
                return self.number(node.number)
            case Ref() | ArrayRef():
                return variable(self.name(node))
            case Sum():
                return self._sum(node.terms)
            case Product() | Weighted() if any(isinstance(term, Share) for term in node.terms):
                return self.shared(
                    self._chain([t for t in node.terms if not isinstance(t, Share)], ast.Mult())
                )
            case Product() | Weighted():
                return self._chain(node.terms, ast.Mult())
            case MatrixProduct():
                return self._chain(node.terms, ast.MatMult())
            case OuterProduct():
                return self.library("outer", self.write(node.left), self.write(node.right))
            case Called():
                settings = map(ast.Constant, node.settings)
                name = variable(node.function.compute.__name__)
                return call(name, *map(self.write, node.terms), *settings)
            case Difference():
                return ast.BinOp(self.write(node.left), ast.Sub(), self.write(node.right))
            case Division():
                return ast.BinOp(self.write(node.left), ast.Div(), self.write(node.right))
            case Total():
                return self.library("sum", self.write(node.of))
            case Ones():
                return self.library("ones", sequence(*map(ast.Constant, node.shape)))
            case Quotient() if isinstance(node.left, Number | Exp):
                return ast.BinOp(self.write(node.left), ast.Div(), self.write(node.right))
            case Quotient():
                return self.ratio(self.write(node.left), self.write(node.right))
            case Power():
                return ast.BinOp(self.write(node.left), ast.Pow(), self.write(node.right))
            case Square():
                return ast.BinOp(self.write(node.of), ast.Pow(), ast.Constant(2))
            case Squares():
                return self._squares(node.terms)
            case Largest() | Smallest():
                return self._bounded(node)
            case Transpose():
                return attribute(self.write(node.of), "T")
            case SumOver():
                return self._reduced(node.of, "sum", node.axis, node.keep)
            case SmallestOver():
                return self._reduced(node.of, self.smallest, node.axis, node.keep)
            case LargestOver():
                return self._reduced(node.of, self.largest, node.axis, node.keep)
            case Cases():
                return self.library(
                    "where",
                    self._condition(node),
                    self._float(node.then),
                    self._float(node.otherwise),
                )
            case Stable():
                return self.write(self.chosen(node))
            case Partial():
                return self.write(node.of)
            case Apply():
                return self._applied(node)
            case Jacobians():
                return self._jacobians(self.write(node.of))
            case Through():
                return self.library(
                    "einsum",
                    ast.Constant("mi,mik->mk"),
                    self.write(node.left),
                    self.write(node.right),
                )
            case _:
                return self._one(node)

    def _one(self, node: Node) -> ast.expr:
        assert isinstance(node, One)
        if isinstance(node, Negative):
            return ast.UnaryOp(ast.USub(), self.write(node.of))
        return self.library(_LIBRARY[type(node)], self.write(node.of))

    def _sum(self, terms: Sequence[Node]) -> ast.expr:
        total = self.write(terms[0])
        for term in terms[1:]:
            minus = isinstance(term, Negative)
            total = ast.BinOp(
                total,
                ast.Sub() if minus else ast.Add(),
                self.write(term.of if isinstance(term, Negative) else term),
            )
        return total

    def _chain(self, terms: Sequence[Node], operator: ast.operator) -> ast.expr:
        result = self.write(terms[0])
        for term in terms[1:]:
            result = ast.BinOp(result, operator, self.write(term))
        return result

    def _reduced(self, of: Node, how: str, axis: int, keep: bool) -> ast.expr:
        keywords = [ast.keyword(self.axis, ast.Constant(axis))] + [
            ast.keyword(self.keep, ast.Constant(True))
        ] * keep
        return ast.Call(attribute(self.write(of), how), [], keywords)

    def _squares(self, terms: Sequence[Node]) -> ast.expr:
        total: ast.expr | None = None
        for term in terms:
            found = ast.Call(attribute(self.write(Square(term)), "sum"), [], [])
            total = found if total is None else ast.BinOp(total, ast.Add(), found)
        assert total is not None
        return total

    def _condition(self, node: Cases) -> ast.expr:
        return ast.Compare(self.write(node.on), [_COMPARE[node.sign]], [self.number(node.limit)])

    def _float(self, node: Node) -> ast.expr:
        """A branch of a case distinction; of whole numbers alone NumPy would make integers."""
        return (
            ast.Constant(node.number)
            if isinstance(node, Number) and node.number >= 0
            else self.write(node)
        )

    def _bounded(self, node: Largest | Smallest) -> ast.expr:
        which = "maximum" if isinstance(node, Largest) else "minimum"
        return self.library(which, self.write(node.left), self.write(node.right))

    def _applied(self, node: Apply) -> ast.expr:
        function, argument = node.function, self.write(node.of)
        if function.formula == ARGUMENT:
            return argument
        if function.primitive is not None:
            return self._primitive(function, argument)
        if self.inlines(function):
            return self.write(put(function.computed, node.of))
        return ast.Call(variable(self.called(function)), [argument], [])

    def _primitive(self, function: Function, argument: ast.expr) -> ast.expr:
        return self.library(
            function.library,
            *([ast.Constant(0)] if function.library == "logaddexp" else []),
            argument,
        )

    def _jacobians(self, a: ast.expr) -> ast.expr:
        every, none = ast.Slice(), ast.Constant(None)
        columns = _subscript(a, sequence(every, every, none))
        rows = _subscript(a, sequence(every, none, every))
        size = _subscript(attribute(a, "shape"), ast.Constant(1))
        return ast.BinOp(columns, ast.Mult(), ast.BinOp(self.library("eye", size), ast.Sub(), rows))


_LIBRARY = {
    Sqrt: "sqrt",
    Floor: "floor",
    Cos: "cos",
    Sin: "sin",
    Exp: "exp",
    ExpMinusOne: "expm1",
    Log: "log",
    Size: "abs",
}
_COMPARE: dict[str, ast.cmpop] = {
    ">": ast.Gt(),
    "≥": ast.GtE(),
    "<": ast.Lt(),
    "≤": ast.LtE(),
    "=": ast.Eq(),
}


_IN_NAMES = str.maketrans(".+-", "_pm")


class Engine(Python):
    """The same numbers bit for bit, in the forms of NumPy that take the least time on small arrays.

    Constants are arrays, which NumPy need not convert; a reduction is that of the ufunc, which the
    method of an array calls in the end; ones and zeros are a condition in float64.
    """

    def __init__(self) -> None:
        super().__init__()
        self.constants: dict[str, float] = {}
        """The constants of a program by name; whoever runs it has an array for each."""

    def number(self, value: float) -> ast.expr:
        sign = "minus_" * (copysign(1.0, value) < 0)
        name = f"{sign}{abs(value)!r}".translate(_IN_NAMES)
        self.constants[f"number_{name}"] = value
        return variable(f"number_{name}")

    def _float(self, node: Node) -> ast.expr:
        return self.write(node)

    def has(self, function: Function) -> bool:
        return function.primitive is not None

    def inlines(self, function: Function) -> bool:
        return function.primitive is None

    def simpler(self, node: Node) -> Node | None:
        match node:
            case Negative(Negative(of)):
                return of
            case Cases(on, "=", 0.0, then, Exp(power) as e) if then == ZERO and power == on:
                # e⁰ is exactly 1, and to subtract takes half the time of a choice
                return Difference(e, Cases(on, "=", 0.0, ONE, ZERO))
        return None

    def write(self, node: Node) -> ast.expr:
        ones = isinstance(node, Cases) and (node.then, node.otherwise) == (ONE, ZERO)
        if not ones or node in self.names:
            return super().write(node)
        assert isinstance(node, Cases)
        return ast.Call(attribute(self._condition(node), "astype"), [variable("float")], [])

    def _reduced(self, of: Node, how: str, axis: int, keep: bool) -> ast.expr:
        ufunc = {"sum": "add", "max": "maximum", "min": "minimum"}[how]
        callee = attribute(attribute(variable(self.module), ufunc), "reduce")
        keywords = [ast.keyword(self.keep, ast.Constant(True))] * keep
        return ast.Call(callee, [self.write(of), ast.Constant(axis)], keywords)

    def _primitive(self, function: Function, argument: ast.expr) -> ast.expr:
        zero = [self.number(0.0)] if function.library == "logaddexp" else []
        return self.library(function.library, *zero, argument)


class Textbook(Python):
    """NumPy as one reads it in a textbook: a division is a division, and a mean divides by M."""

    def __init__(self, safe: bool = True) -> None:
        super().__init__()
        self.safe = safe
        """Whether logarithms are taken from the pre-activations: an output is close to 0 or 1."""

    def chosen(self, node: Stable) -> Node:
        return node.exact if self.safe else node.shown

    def inlines(self, function: Function) -> bool:
        return function.inline or function.helper

    def shared(self, whole: ast.expr) -> ast.expr:
        return ast.BinOp(whole, ast.Div(), variable("M"))

    def ratio(self, top: ast.expr, bottom: ast.expr) -> ast.expr:
        return ast.BinOp(top, ast.Div(), bottom)


class Torch(Textbook):
    """PyTorch; what it has a function for is that function."""

    module = "torch"
    axis, keep, largest, smallest = "dim", "keepdim", "amax", "amin"

    def _applied(self, node: Apply) -> ast.expr:
        if not node.function.torch:
            return super()._applied(node)
        along = [ast.keyword(self.axis, ast.Constant(1))] * node.function.by_row
        callee = reduce(attribute, node.function.torch.split("."), variable(self.module))
        return ast.Call(callee, [self.write(node.of)], along)

    def has(self, function: Function) -> bool:
        return bool(function.torch) or super().has(function)

    def _bounded(self, node: Largest | Smallest) -> ast.expr:
        """The larger or smaller of a tensor and a number; `minimum` halves the gradient where they
        are equal.
        """
        bound = ast.keyword("min" if isinstance(node, Largest) else "max", self.write(node.right))
        return ast.Call(attribute(variable(self.module), "clamp"), [self.write(node.left)], [bound])

    def _primitive(self, function: Function, argument: ast.expr) -> ast.expr:
        zero = [self.library("zeros_like", argument)] if function.library == "logaddexp" else []
        return self.library(function.library, *zero, argument)


def variable(text: str) -> ast.expr:
    """text"""
    return ast.Name(text, ast.Load())


def attribute(of: ast.expr, name: str) -> ast.expr:
    """of.name"""
    return ast.Attribute(of, name, ast.Load())


def call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    """function(a, b, …)"""
    return ast.Call(function, list(arguments), [])


def _subscript(of: ast.expr, at: ast.expr) -> ast.expr:
    return ast.Subscript(of, at, ast.Load())


def sequence(*parts: ast.expr) -> ast.expr:
    """(a, b, …)"""
    return ast.Tuple(list(parts), ast.Load())

"""From trees to Python: the program that the engine runs, and the scripts that people take away,
are the same trees.

A dialect says what a function is called in its library. Everything is put together as a syntax tree
of Python (`ast`), never as text, so that parentheses are Python's business and no text of a lesson
can become code.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import reduce
from math import copysign
from typing import Any, Self

from tutor.engine.kinds import KINDS
from tutor.engine.tree import (
    ARGUMENT,
    ONE,
    ZERO,
    Apply,
    ArrayRef,
    Cases,
    Difference,
    Exp,
    ExpMinusOne,
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
    Partial,
    Power,
    Product,
    Quotient,
    Ref,
    Share,
    Size,
    Smallest,
    Square,
    Stable,
    Sum,
    SumOver,
    Through,
    Transpose,
    Weighted,
    put,
    rewrite,
    walk,
)

Statement = ast.stmt


def python_name(kind: str, layer: int = 0) -> str:
    """The name of an array in Python: z1, a1_new, dL_dW2, losses, drop."""
    found = KINDS[kind.removesuffix("@")]
    if found.name == DROP:
        return "drop"
    stem, new = found.name.removesuffix("+").replace("/", "_"), "_new" if found.again else ""
    stem = stem[:-1] + "W" if found.weights else stem
    many = "es" if kind.endswith("@") else ""
    return f"{stem}{many}{layer if layer or found.derivative else ''}{new}"


DROP = "loss-loss+"


class Python:
    """NumPy, as the engine computes: exact forms, nothing left out."""

    module = "np"
    axis, keep, largest = "axis", "keepdims", "max"

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
        return ast.BinOp(_name("scale"), ast.Mult(), whole)

    def inlines(self, function: Function) -> bool:
        """Whether a function is written out where it is used."""
        return function.inline

    def simpler(self, node: Node) -> Node | None:
        """What a node is written as where that is shorter: scripts keep the formula's own form."""
        return None

    def ratio(self, top: ast.expr, bottom: ast.expr) -> ast.expr:
        """A quotient whose top may be 0."""
        return ast.Call(_name("ratio"), [top, bottom], [])

    def library(self, function: str, *arguments: ast.expr) -> ast.expr:
        """A function of the library."""
        return ast.Call(_attribute(_name(self.module), function), list(arguments), [])

    def number(self, value: float) -> ast.expr:
        """A constant."""
        whole = value.is_integer() and abs(value) < 1e15
        constant = ast.Constant(int(abs(value)) if whole else abs(value))
        return ast.UnaryOp(ast.USub(), constant) if copysign(1.0, value) < 0 else constant

    # ---- the traversal ----

    def write(self, node: Node) -> ast.expr:  # noqa: PLR0912
        """A tree as an expression."""
        if node in self.names:
            return _name(self.names[node])
        match node:
            case Number():
                return self.number(node.number)
            case Ref() | ArrayRef():
                return _name(self.name(node))
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
            case Difference():
                return ast.BinOp(self.write(node.left), ast.Sub(), self.write(node.right))
            case Quotient() if isinstance(node.left, Number | Exp):
                return ast.BinOp(self.write(node.left), ast.Div(), self.write(node.right))
            case Quotient():
                return self.ratio(self.write(node.left), self.write(node.right))
            case Power():
                return ast.BinOp(self.write(node.left), ast.Pow(), self.write(node.right))
            case Square():
                return ast.BinOp(self.write(node.of), ast.Pow(), ast.Constant(2))
            case Largest() | Smallest():
                return self._bounded(node)
            case Transpose():
                return _attribute(self.write(node.of), "T")
            case SumOver():
                return self._reduced(node.of, "sum", node.axis, node.keep)
            case LargestOver():
                return self._reduced(node.of, self.largest, node.axis, True)
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
        return ast.Call(_attribute(self.write(of), how), [], keywords)

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
        return ast.Call(_name(self.called(function)), [argument], [])

    def _primitive(self, function: Function, argument: ast.expr) -> ast.expr:
        return self.library(
            function.library,
            *([ast.Constant(0)] if function.library == "logaddexp" else []),
            argument,
        )

    def _jacobians(self, a: ast.expr) -> ast.expr:
        every, none = ast.Slice(), ast.Constant(None)
        columns = _subscript(a, _tuple(every, every, none))
        rows = _subscript(a, _tuple(every, none, every))
        size = _subscript(_attribute(a, "shape"), ast.Constant(1))
        return ast.BinOp(columns, ast.Mult(), ast.BinOp(self.library("eye", size), ast.Sub(), rows))


_LIBRARY = {Exp: "exp", ExpMinusOne: "expm1", Log: "log", Size: "abs"}
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
        return _name(f"number_{name}")

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
        return ast.Call(_attribute(self._condition(node), "astype"), [_name("float")], [])

    def _reduced(self, of: Node, how: str, axis: int, keep: bool) -> ast.expr:
        ufunc = {"sum": "add", "max": "maximum"}[how]
        callee = _attribute(_attribute(_name(self.module), ufunc), "reduce")
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
        return ast.BinOp(whole, ast.Div(), _name("M"))

    def ratio(self, top: ast.expr, bottom: ast.expr) -> ast.expr:
        return ast.BinOp(top, ast.Div(), bottom)


class Torch(Textbook):
    """PyTorch; what it has a function for is that function."""

    module = "torch"
    axis, keep, largest = "dim", "keepdim", "amax"

    def _applied(self, node: Apply) -> ast.expr:
        if not node.function.torch:
            return super()._applied(node)
        along = [ast.keyword(self.axis, ast.Constant(1))] * node.function.by_row
        callee = reduce(_attribute, node.function.torch.split("."), _name(self.module))
        return ast.Call(callee, [self.write(node.of)], along)

    def has(self, function: Function) -> bool:
        return bool(function.torch) or super().has(function)

    def _bounded(self, node: Largest | Smallest) -> ast.expr:
        """The larger or smaller of a tensor and a number; `minimum` halves the gradient where they
        are equal.
        """
        bound = ast.keyword("min" if isinstance(node, Largest) else "max", self.write(node.right))
        return ast.Call(_attribute(_name(self.module), "clamp"), [self.write(node.left)], [bound])

    def _primitive(self, function: Function, argument: ast.expr) -> ast.expr:
        zero = [self.library("zeros_like", argument)] if function.library == "logaddexp" else []
        return self.library(function.library, *zero, argument)


def _name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def _attribute(of: ast.expr, name: str) -> ast.expr:
    return ast.Attribute(of, name, ast.Load())


def _call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    return ast.Call(function, list(arguments), [])


def _subscript(of: ast.expr, at: ast.expr) -> ast.expr:
    return ast.Subscript(of, at, ast.Load())


def _tuple(*parts: ast.expr) -> ast.expr:
    return ast.Tuple(list(parts), ast.Load())


# ---- functions and statements ----


def answered(names: Iterable[str]) -> Statement:
    """return a, b, …"""
    return ast.Return(_tuple(*map(_name, names)))


def answered_with_check(
    found: Mapping[Any, str], rows: Sequence[str], arrays: Sequence[str], numbers: Sequence[str]
) -> Statement:
    """return {key: a, …}, whether all of these are finite (the `rows` fit side by side)"""

    def finite(array: ast.expr) -> ast.expr:
        return _call(_attribute(_call(_attribute(_name("np"), "isfinite"), array), "all"))

    side_by_side = _call(
        _attribute(_name("np"), "concatenate"), _tuple(*map(_name, rows)), ast.Constant(1)
    )
    checks = [finite(side_by_side), *(finite(_name(array)) for array in arrays)]
    checks += [_call(_name("isfinite"), _name(number)) for number in numbers]
    mapping = ast.Dict([ast.Constant(key) for key in found], [*map(_name, found.values())])
    return ast.Return(_tuple(mapping, ast.BoolOp(ast.And(), checks)))


def frozen(name: str) -> Statement:
    """name.setflags(False): nobody can write to it."""
    return ast.Expr(_call(_attribute(_name(name), "setflags"), ast.Constant(False)))


def assigned(name: str, value: ast.expr) -> Statement:
    """name = value"""
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)


def functions(trees: Iterable[Node], dialect: Python) -> Iterator[tuple[Function, Node]]:
    """The functions that trees apply and a library does not have, each once and before its first
    use, with their trees.
    """
    done: dict[Function, Node] = {}

    def need(tree: Node) -> None:
        for node in walk(tree):
            if isinstance(node, Stable):
                need(dialect.chosen(node))
            if (
                isinstance(node, Apply)
                and not dialect.has(node.function)
                and node.function not in done
            ):
                need(node.function.computed)
                if not dialect.inlines(node.function):
                    done[node.function] = node.function.computed

    for tree in trees:
        need(tree)
    return iter(done.items())


def function_lines(tree: Node, dialect: Python) -> list[Statement]:
    """The body of a function: what is needed more than once has a name, then what it returns."""
    tree = as_computed(tree, dialect)
    names: dict[Node, str] = {}
    lines: list[Statement] = []
    for node in _repeated(tree):
        name = _INITIAL.get(type(node), "part")
        name = f"{name}{len(names) + 1}" if name in names.values() else name
        lines.append(assigned(name, dialect.having(names).write(node)))
        names = {**names, node: name}
    return [*lines, ast.Return(dialect.having(names).write(tree))]


def program_lines(wanted: Iterable[tuple[str, Node]], dialect: Python) -> Iterator[Statement]:
    """name = tree for each; what is needed more than once, by whichever, is computed once."""
    computed = [(name, as_computed(tree, dialect)) for name, tree in wanted]
    shared = _repeated(*(tree for _, tree in computed))
    names: dict[Node, str] = {}
    dialect = dialect.having(names)
    for name, tree in computed:
        inside = set(walk(tree))
        for node in shared:
            if node in inside and node not in names and node != tree:
                part = f"part{len(names)}"
                yield assigned(part, dialect.write(node))
                names[node] = part
        yield assigned(name, dialect.write(tree))
        names[tree] = name


def as_computed(tree: Node, dialect: Python) -> Node:
    """The tree that a dialect computes: with its form of what is stable, and its inline functions
    in place.
    """

    def rule(node: Node) -> Node | None:
        if isinstance(node, Stable):
            return as_computed(dialect.chosen(node), dialect)
        if (
            isinstance(node, Apply)
            and not dialect.has(node.function)
            and dialect.inlines(node.function)
        ):
            return as_computed(put(node.function.computed, node.of), dialect)
        return dialect.simpler(node)

    return rewrite(tree, rule)


_INITIAL: dict[type, str] = {Exp: "e", Difference: "shifted"}


def _repeated(*trees: Node) -> list[Node]:
    """What stands in trees more than once, inner ones first; not what is there only as a part of
    something repeated.
    """
    counts: Counter[Node] = Counter()

    def count(node: Node) -> None:
        if node.children:
            counts[node] += 1
        if counts[node] < 2:
            for child in node.children:
                count(child)

    for tree in trees:
        count(tree)
    found = [node for node, times in counts.items() if times > 1]
    return sorted(found, key=lambda node: sum(1 for _ in walk(node)))


def defined(
    name: str, arguments: Sequence[str], body: Sequence[Statement], about: str = ""
) -> Statement:
    """A function."""
    text: list[Statement] = [ast.Expr(ast.Constant(about))] if about else []
    parameters = ast.arguments(
        [], [ast.arg(argument) for argument in arguments], None, [], [], None, []
    )
    return ast.FunctionDef(name, parameters, [*text, *body], [], lineno=0)


def source(*statements: Statement | ast.expr) -> str:
    """The text of statements."""
    return "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in statements)


def compiled(
    name: str, statements: Sequence[Statement], scope: dict[str, Any]
) -> Callable[..., Any]:
    """Run statements that define a function, and give the function."""
    module = ast.fix_missing_locations(ast.Module(list(statements), []))
    # Made of our own trees: no text of a lesson is in it
    exec(compile(module, "<program>", "exec"), scope)  # noqa: S102
    function: Callable[..., Any] = scope[name]
    return function

"""Expression trees: how one number, or one matrix, of a lesson is computed.

A tree is open: its leaves are names, and the numbers come from the environment in which it is
evaluated. So the same tree serves the lesson's own numbers, numbers as they are rounded on a page,
and numbers that somebody got wrong. In the environment of the trace `evaluate(tree, trace)` equals
what the engine computed; that invariant is what makes the text a student reads the computation that
took place.

Trees are values: they compare by structure, give their `children`, and `rebuild` makes the same
node over others.

Scalars are float64, matrices are float64 arrays in the engine's orientation (one row per sample,
one row of weights per unit). Which way round a lecture writes them is the notation's business
(`tutor.notation.conventions`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from tutor.engine.quantity import K, Quantity

Value: TypeAlias = Any  # np.float64 or an array of them


class Environment(Protocol):
    """Where a tree gets its numbers from."""

    @property
    def span(self) -> slice | None:
        """What the running index goes over, where one runs."""

    def number(self, q: Quantity) -> Value:
        """The number of a name; an array of them where an index runs (`K`, within `bound`)."""

    def matrix(self, leaf: ArrayRef) -> Value:
        """All of a kind in a layer, in two dimensions, in the engine's orientation."""

    def share(self) -> Value:
        """The factor of each sample's loss in that of the batch: 1/M for a mean."""

    def bound(self, span: slice) -> Environment:
        """The same environment, where the running index goes over `span` (from 0)."""

    def holds(self, leaf: Leaf) -> bool:
        """Whether a number is what its own tree gives, so that a stable form may stand for it."""

    def seen(self, value: Value) -> Value:
        """A number of the formula itself, or the total of what is left out, as readers have it."""

    def noted(self, value: Value) -> Value:
        """A number that has a name of its own in a formula, as readers note it down."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a tree."""

    @property
    def children(self) -> tuple[Node, ...]:
        return ()

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        """The same node over other children, in their order."""
        return self

    def value(self, env: Environment) -> Value:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A constant of the formula, such as the 1 in 1 − a. `text` shows it as word or fraction."""

    number: float
    text: str = ""

    def value(self, env: Environment) -> Value:
        return np.float64(self.number) if self.text else env.seen(np.float64(self.number))


@dataclass(frozen=True, slots=True)
class Share(Node):
    """The 1/M of a mean over M samples."""

    def value(self, env: Environment) -> Value:
        return env.share()


@dataclass(frozen=True, slots=True)
class Ref(Node):
    """One number of the lesson, by name."""

    quantity: Quantity

    def value(self, env: Environment) -> Value:
        return env.number(self.quantity)


@dataclass(frozen=True, slots=True)
class ArrayRef(Node):
    """A whole matrix of the lesson: all of `kind` in `layer`, rows are samples (or units, for
    parameters).

    `sample` takes the row of one sample only. `flipped` says that the lecture writes the matrix the
    other way round.
    """

    kind: str
    layer: int = 0
    sample: int = 0
    flipped: bool = False

    def value(self, env: Environment) -> Value:
        array = env.matrix(self)
        return array.T if self.flipped else array


Leaf: TypeAlias = Ref | ArrayRef


@dataclass(frozen=True, slots=True)
class Elided(Node):
    """The middle of a long sum: its terms are `body`, with the running index from `first` to `last`
    (from 1).
    """

    first: int
    last: int
    body: Node

    @property
    def count(self) -> int:
        """How many terms are left out."""
        return self.last - self.first + 1

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.body,)

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        return replace(self, body=children[0])

    def value(self, env: Environment) -> Value:
        terms = self.body.value(env.bound(slice(self.first - 1, self.last)))
        return env.seen(np.float64(np.sum(terms)) if np.ndim(terms) else terms * self.count)


@dataclass(frozen=True, slots=True)
class Many(Node):
    """A node over several arguments."""

    terms: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.terms

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        return replace(self, terms=children)


class Sum(Many):
    """terms[0] + terms[1] + …"""

    def value(self, env: Environment) -> Value:
        total = self.terms[0].value(env)
        for term in self.terms[1:]:
            total = total + term.value(env)
        return total


class Product(Many):
    """terms[0] · terms[1] · …, number by number."""

    def value(self, env: Environment) -> Value:
        result = self.terms[0].value(env)
        for term in self.terms[1:]:
            result = result * term.value(env)
        return result


class Hadamard(Product):
    """The element-wise product ⊙ of two matrices of one shape."""


class MatrixProduct(Many):
    """The matrix product of its terms."""

    def value(self, env: Environment) -> Value:
        result = self.terms[0].value(env)
        for term in self.terms[1:]:
            result = result @ term.value(env)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class ArrayFunction:
    """A function of whole arrays that is no formula of single entries, such as a convolution."""

    symbol: str
    """Its name in formulas."""
    compute: Callable[..., Value]
    """Over arrays, then whole numbers. Scripts have its text, under its own name."""
    torch: str = ""
    """The same in PyTorch, as text; what only goes back has none."""


@dataclass(frozen=True, slots=True)
class Called(Many):
    """Such a function of some arrays."""

    function: ArrayFunction
    settings: tuple[int, ...]
    """The whole numbers behind the arrays."""
    shapes: tuple[tuple[int, ...], ...]
    """Those of the arrays, where a list is a list."""
    columns: bool = False
    """Whether a list is made as a column, as formulas show it."""

    def value(self, env: Environment) -> Value:
        given = (
            np.reshape(term.value(env), shape)
            for term, shape in zip(self.terms, self.shapes, strict=True)
        )
        found = self.function.compute(*given, *self.settings)
        return found.reshape(-1, 1) if self.columns and found.ndim == 1 else found


class Weighted(Many):
    """weight · term, and 0 where the weight is 0: in −Σ y log p classes with y = 0 do not count."""

    def value(self, env: Environment) -> Value:
        weight, term = (t.value(env) for t in self.terms)
        if np.ndim(weight):
            return np.where(weight == 0, 0.0, weight * term)
        return weight * term if weight else np.float64(0.0)


@dataclass(frozen=True, slots=True)
class Pair(Node):
    """A node over two arguments."""

    left: Node
    right: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        return replace(self, left=children[0], right=children[1])


class OuterProduct(Pair):
    """left · right⊤ of two lists: each entry of the one times each entry of the other."""

    def value(self, env: Environment) -> Value:
        return np.outer(self.left.value(env), self.right.value(env))


class Difference(Pair):
    """left − right"""

    def value(self, env: Environment) -> Value:
        return self.left.value(env) - self.right.value(env)


class Quotient(Pair):
    """left / right, written as a fraction; 0 where the top is exactly 0."""

    def value(self, env: Environment) -> Value:
        top = self.left.value(env)
        return ratio(top, self.right.value(env)) if np.ndim(top) or top else np.float64(0.0)


def ratio(top: Value, bottom: Value) -> Value:
    """top / bottom, and 0 where the top is exactly 0: a class with target 0 takes no part."""
    if not top.ndim:
        return top / bottom
    # Alike in every program; finding a common shape takes longer than the division
    alike = top.shape == bottom.shape
    shape = top.shape if alike else np.broadcast_shapes(top.shape, bottom.shape)
    return np.divide(top, bottom, np.zeros(shape), where=top.astype(bool))


class Division(Pair):
    """left / right, written as a fraction; 0/0 is not a number."""

    def value(self, env: Environment) -> Value:
        return self.left.value(env) / self.right.value(env)


class Power(Pair):
    """left to the power of right"""

    def value(self, env: Environment) -> Value:
        return self.left.value(env) ** self.right.value(env)


class Largest(Pair):
    """The larger of two numbers; not a number where one of them is none."""

    def value(self, env: Environment) -> Value:
        return np.maximum(self.left.value(env), self.right.value(env))


class Smallest(Pair):
    """The smaller of two numbers."""

    def value(self, env: Environment) -> Value:
        return np.minimum(self.left.value(env), self.right.value(env))


@dataclass(frozen=True, slots=True)
class One(Node):
    """A node over one argument."""

    of: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.of,)

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        return replace(self, of=children[0])


class Negative(One):
    """−of"""

    def value(self, env: Environment) -> Value:
        return -self.of.value(env)


class Square(One):
    """of²"""

    def value(self, env: Environment) -> Value:
        number = self.of.value(env)
        return number * number


class Sqrt(One):
    """The square root."""

    def value(self, env: Environment) -> Value:
        return np.sqrt(self.of.value(env))


class Floor(One):
    """The largest whole number that is not above `of`."""

    def value(self, env: Environment) -> Value:
        return np.floor(self.of.value(env))


class Cos(One):
    """The cosine."""

    def value(self, env: Environment) -> Value:
        return np.cos(self.of.value(env))


class Sin(One):
    """The sine."""

    def value(self, env: Environment) -> Value:
        return np.sin(self.of.value(env))


class Exp(One):
    """e to the power of `of`"""

    def value(self, env: Environment) -> Value:
        return np.exp(self.of.value(env))


class ExpMinusOne(One):
    """e^of − 1, computed without cancellation near 0"""

    def value(self, env: Environment) -> Value:
        return np.expm1(self.of.value(env))


class Log(One):
    """The natural logarithm."""

    def value(self, env: Environment) -> Value:
        return np.log(self.of.value(env))


class Size(One):
    """The absolute value |of|."""

    def value(self, env: Environment) -> Value:
        return np.abs(self.of.value(env))


class Transpose(One):
    """The transposed matrix."""

    def value(self, env: Environment) -> Value:
        return self.of.value(env).T


class Diagonal(One):
    """The diagonal matrix with this row (or column) of numbers on its diagonal."""

    def value(self, env: Environment) -> Value:
        return np.diag(self.of.value(env).ravel())


class Jacobians(One):
    """The matrices ∂aᵢ/∂zₖ = aᵢ(δᵢₖ − aₖ) of softmax outputs `of` (M, n), per sample: (M, n, n)."""

    def value(self, env: Environment) -> Value:
        a = self.of.value(env)
        return a[:, :, None] * (np.eye(a.shape[1]) - a[:, None, :])


class Through(Pair):
    """Rows `left` (M, n), each multiplied by its own matrix of `right` (M, n, n): (M, n)."""

    def value(self, env: Environment) -> Value:
        return np.einsum("mi,mik->mk", self.left.value(env), self.right.value(env))


@dataclass(frozen=True, slots=True)
class SumOver(One):
    """The sum over all samples, or over all units of a layer: along `axis` of the matrix, which is
    kept or dropped.
    """

    what: str
    axis: int
    keep: bool = True

    def value(self, env: Environment) -> Value:
        return self.of.value(env).sum(axis=self.axis, keepdims=self.keep)


class Squares(Many):
    """The sum of the squares of all entries of some arrays."""

    def value(self, env: Environment) -> Value:
        total = np.float64(0.0)
        for term in self.terms:
            array = term.value(env)
            total = total + (array * array).sum()
        return total


class ElidedSquares(Elided):
    """The middle of such a sum, written out: from the entry `first` to `last` of all arrays."""

    def value(self, env: Environment) -> Value:
        inner = env.bound(slice(None))
        found = np.concatenate([np.ravel(term.value(inner)) for term in self.body.children])
        part = found[self.first - 1 : self.last]
        return env.seen(np.float64((part * part).sum()))


class ElidedTerms(Elided):
    """The middle of a long sum whose terms are all different: of those of `body`, the ones from
    `first` to `last`.
    """

    def value(self, env: Environment) -> Value:
        inner = env.bound(slice(None))
        terms = [term.value(inner) for term in self.body.children[self.first - 1 : self.last]]
        return env.seen(np.float64(np.sum(terms)))


class Total(One):
    """The sum of all entries of an array."""

    def value(self, env: Environment) -> Value:
        return np.float64(np.sum(self.of.value(env)))


@dataclass(frozen=True, slots=True)
class Ones(Node):
    """An array of ones: what a sum multiplies a derivative by on its way to each entry."""

    shape: tuple[int, ...]

    def value(self, env: Environment) -> Value:
        return np.ones(self.shape)


@dataclass(frozen=True, slots=True)
class LargestOver(One):
    """The largest number of each row, or along another axis, which is kept or dropped."""

    axis: int = 1
    keep: bool = True

    def value(self, env: Environment) -> Value:
        return self.of.value(env).max(axis=self.axis, keepdims=self.keep)


class SmallestOver(LargestOver):
    """The smallest number along an axis."""

    def value(self, env: Environment) -> Value:
        return self.of.value(env).min(axis=self.axis, keepdims=self.keep)


class LargestOf(Many):
    """The largest of several numbers."""

    def value(self, env: Environment) -> Value:
        return np.max([term.value(env) for term in self.terms])


@dataclass(frozen=True, slots=True)
class Wins(Many):
    """1 where number `n` (from 1) is the largest of all, else 0; of equal ones the first wins."""

    n: int

    def value(self, env: Environment) -> Value:
        return np.float64(np.argmax([term.value(env) for term in self.terms]) == self.n - 1)


class SmallestOf(Many):
    """The smallest of several numbers."""

    def value(self, env: Environment) -> Value:
        return np.min([term.value(env) for term in self.terms])


class ElidedLargest(Elided):
    """The middle of a long list of numbers of which the largest is wanted: the largest of them."""

    def value(self, env: Environment) -> Value:
        terms = self.body.value(env.bound(slice(self.first - 1, self.last)))
        return env.seen(np.float64(np.max(terms)))


class ElidedSmallest(Elided):
    """The same for the smallest."""

    def value(self, env: Environment) -> Value:
        terms = self.body.value(env.bound(slice(self.first - 1, self.last)))
        return env.seen(np.float64(np.min(terms)))


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A named function: its formula in `ARGUMENT`, and its name in formulas and in code.

    `exact` is the formula as it is computed, where the one that is shown would lose digits or
    overflow on the way. Without a formula, `primitive` is a function of NumPy, and `library` its
    name there. `torch` is its name in PyTorch, where that has one: then its own gradient is used,
    which is exact in the tails as well.
    """

    name: str
    symbol: str
    formula: Node | None = None
    exact: Node | None = None
    primitive: Callable[[Value], Value] | None = None
    library: str = ""
    torch: str = ""
    by_row: bool = False
    """Whether a number depends on its whole row (softmax)."""
    inline: bool = False
    """Whether code writes the formula out where it is used."""
    helper: bool = False
    """Whether a script that is made to be read does so."""
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, values: Value) -> Value:
        """The function of numbers."""
        if self.primitive is not None:
            return self.primitive(values)
        return self.computed.value(Numbers({}, {(ARGUMENT.kind, ARGUMENT.layer): values}))

    @property
    def computed(self) -> Node:
        """The formula as it is computed."""
        tree = self.exact if self.exact is not None else self.formula
        assert tree is not None
        return tree


ARGUMENT = ArrayRef("z")
"""The argument in the formula of a function. It has no layer, which no number of a lesson lacks."""


@dataclass(frozen=True, slots=True)
class Apply(One):
    """A function of one argument, such as tanh(z) or σ(z). `turned`: of a matrix that is written
    the other way round.
    """

    function: Function
    turned: bool = False

    @property
    def name(self) -> str:
        """The symbol of the function."""
        return self.function.symbol

    def value(self, env: Environment) -> Value:
        values = self.of.value(env)
        return self.function(values.T).T if self.turned else self.function(values)


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """`then` where `on` compares with `limit` as `sign` says, else `otherwise`. Which one it is,
    the numbers say.
    """

    on: Node
    sign: str
    limit: float
    then: Node
    otherwise: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.then, self.otherwise, self.on)

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        then, otherwise, on = children
        return replace(self, then=then, otherwise=otherwise, on=on)

    def holds(self, env: Environment) -> Value:
        """Whether the condition is met."""
        return COMPARISONS[self.sign](self.on.value(env), self.limit)

    def chosen(self, env: Environment) -> int:
        """Which of the `branches` these numbers take."""
        return 0 if self.holds(env) else 1

    @property
    def branches(self) -> tuple[tuple[Node, str], tuple[Node, str]]:
        """Each formula with its condition, as in "> 0"."""
        limit = f"{self.limit:g}".replace("-", "−")
        opposite = OPPOSITE[self.sign]
        return (self.then, f"{self.sign} {limit}"), (self.otherwise, f"{opposite} {limit}")

    def value(self, env: Environment) -> Value:
        holds = self.holds(env)
        if np.ndim(holds):
            return np.where(holds, self.then.value(env), self.otherwise.value(env))
        return (self.then if holds else self.otherwise).value(env)


COMPARISONS: dict[str, Callable[[Value, float], Value]] = {
    ">": lambda a, b: a > b, "≥": lambda a, b: a >= b,
    "<": lambda a, b: a < b, "≤": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
}  # fmt: skip
OPPOSITE = {">": "≤", "≥": "<", "<": "≥", "≤": ">", "=": "≠"}


@dataclass(frozen=True, slots=True)
class Stable(Node):
    """Written as `shown`, computed as `exact`, as long as `leaf` is in the environment what it is
    in the lesson.

    log(a) of an output is computed from its pre-activation, where no digits are lost when a is
    close to 0 or 1. Without a `leaf` both are made of the same leaves, and the exact form is always
    computed.
    """

    shown: Node
    exact: Node
    leaf: Leaf | None = None

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.shown,)

    def rebuild(self, children: tuple[Node, ...]) -> Node:
        """Over anything else than what the exact form stands for, only what is shown is left."""
        return self if children[0] == self.shown else children[0]

    def value(self, env: Environment) -> Value:
        return (self.exact if self.leaf is None or env.holds(self.leaf) else self.shown).value(env)


@dataclass(frozen=True, slots=True)
class Pick(One):
    """One entry of a single row, by its place `i` from 1, if it has no formula of its own."""

    i: int

    def value(self, env: Environment) -> Value:
        row = self.of.value(env)[0]
        return row[env.span] if self.i == K else row[self.i - 1]


@dataclass(frozen=True, slots=True)
class Partial(One):
    """A local derivative ∂top/∂bottom in a chain; `of` is what it comes to."""

    top: Quantity
    bottom: Quantity
    kind: str = "da/dz"

    def value(self, env: Environment) -> Value:
        return self.of.value(env)


@dataclass(frozen=True, slots=True)
class Named(One):
    """A number that has a name in a formula, such as mean(x), and a formula of its own: `word` over
    the entries of `over`, multiplied one by one where it is several arrays. `of` is how it is
    computed.
    """

    word: str
    over: tuple[ArrayRef, ...]

    def value(self, env: Environment) -> Value:
        return env.noted(self.of.value(env.bound(slice(None))))


@dataclass(frozen=True, slots=True)
class Collected(One):
    """A sum by the chain rule, `rule`, in a shorter form, `of`: by name the one, in symbols and
    numbers the other.
    """

    rule: Node

    def value(self, env: Environment) -> Value:
        return self.of.value(env)


ONE = Number(1.0)
ZERO = Number(0.0)


def evaluate(tree: Node, env: Environment) -> Value:
    """Compute a tree. Overflow gives inf and 0/0 gives nan, quietly: the lesson explains them."""
    with np.errstate(all="ignore"):
        return tree.value(env)


def walk(tree: Node, env: Environment | None = None) -> Iterator[Node]:
    """Every node, depth first, left to right; of what is left out in the middle of a sum only that
    it is left out.

    Of a case distinction only the branch that the numbers take, where an environment says which.
    """
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Cases) and env is not None:
            waiting += (node.on, node.branches[node.chosen(env)][0])
        elif not isinstance(node, Elided):
            waiting += reversed(node.children)


def leaves(tree: Node, env: Environment | None = None) -> tuple[Ref, ...]:
    """The numbers of the lesson that a tree uses, each once, in reading order; see `walk` for what
    `env` decides.
    """
    return tuple(dict.fromkeys(node for node in walk(tree, env) if isinstance(node, Ref)))


Rule = Callable[[Node], "Node | None"]
"""Says what takes the place of a node; None where it stays."""


def rewrite(tree: Node, rule: Rule) -> Node:
    """From the leaves up: where `rule` gives a node, it takes the place of the old one."""
    return _remade(tree, tuple(rewrite(child, rule) for child in tree.children), rule)


def renamed(tree: Node, rule: Rule) -> Node:
    """`rewrite`, what is computed in place of what is shown included."""
    if not isinstance(tree, Stable):
        return _remade(tree, tuple(renamed(child, rule) for child in tree.children), rule)
    leaf = None if tree.leaf is None else renamed(tree.leaf, rule)
    assert leaf is None or isinstance(leaf, Ref | ArrayRef)
    return Stable(renamed(tree.shown, rule), renamed(tree.exact, rule), leaf)


def _remade(tree: Node, children: tuple[Node, ...], rule: Rule) -> Node:
    """A node over other children, and what a rule makes of that; one whose children are the same
    stays itself.
    """
    same = all(new is old for new, old in zip(children, tree.children, strict=True))
    tree = tree if same else tree.rebuild(children)
    found = rule(tree)
    return tree if found is None else found


def put(tree: Node, argument: Node) -> Node:
    """The formula of a function with this argument."""
    return renamed(tree, lambda node: argument if node == ARGUMENT else None)


def has_partials(tree: Node) -> bool:
    """Whether the tree names a local derivative, so that its rule differs from its symbols."""
    return any(isinstance(node, Partial | Collected) for node in walk(tree))


@dataclass(frozen=True, slots=True)
class Numbers:
    """An environment of a few numbers by name, for formulas that stand by themselves, and of whole
    arrays.
    """

    known: Mapping[Quantity, float]
    arrays: Mapping[tuple[str, int], Value] = field(default_factory=dict)
    scale: float | None = None
    span: slice | None = None

    def number(self, q: Quantity) -> Value:
        return np.float64(self.known[q])

    def matrix(self, leaf: ArrayRef) -> Value:
        return self.arrays[leaf.kind, leaf.layer]

    def share(self) -> Value:
        if self.scale is None:
            raise KeyError("the number of samples")
        return np.float64(self.scale)

    def bound(self, span: slice) -> Environment:
        raise KeyError("a running index")

    def holds(self, leaf: Leaf) -> bool:
        return False

    def seen(self, value: Value) -> Value:
        return value

    def noted(self, value: Value) -> Value:
        return value


@dataclass(frozen=True, slots=True)
class Rounded:
    """An environment of the digits that are shown, as one types them into a calculator."""

    env: Environment
    digits: Callable[[float], float]

    @property
    def span(self) -> slice | None:
        return self.env.span

    def number(self, q: Quantity) -> Value:
        return self.seen(self.env.number(q))

    def matrix(self, leaf: ArrayRef) -> Value:
        return self.seen(self.env.matrix(leaf))

    def share(self) -> Value:
        return self.env.share()

    def bound(self, span: slice) -> Environment:
        return self.env.bound(span)  # of what is left out only the total is shown

    def holds(self, leaf: Leaf) -> bool:
        return False

    def seen(self, value: Value) -> Value:
        if isinstance(value, float) or not np.ndim(value):
            return np.float64(self.digits(float(value)))
        flat = [self.digits(float(entry)) for entry in np.ravel(value)]
        return np.array(flat, dtype=np.float64).reshape(np.shape(value))

    def noted(self, value: Value) -> Value:
        return self.seen(value)

"""Write a tree: one traversal for every dialect (MathML, spoken words, later LaTeX).

A `Writer` walks the tree and decides where parentheses go and what stands for a leaf; a dialect
says how a fraction, a power or a matrix is put down. Three modes: `rule` names local derivatives
(∂z/∂w), `symbols` shows what they come to, `numbers` substitutes the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar, Self

from tutor.engine.kinds import kind_of
from tutor.engine.quantity import Quantity
from tutor.engine.tree import (
    Apply,
    ArrayRef,
    Called,
    Cases,
    Collected,
    Cos,
    Diagonal,
    Difference,
    Division,
    Elided,
    ElidedLargest,
    ElidedSmallest,
    ElidedSquares,
    ElidedTerms,
    Environment,
    Exp,
    ExpMinusOne,
    Floor,
    Hadamard,
    Largest,
    LargestOf,
    LargestOver,
    Log,
    Many,
    MatrixProduct,
    Named,
    Negative,
    Node,
    Number,
    Numbers,
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
    SmallestOf,
    SmallestOver,
    Sqrt,
    Square,
    Squares,
    Stable,
    Sum,
    SumOver,
    Total,
    Transpose,
    Weighted,
    Wins,
    evaluate,
    leaves,
    walk,
)
from tutor.notation.conventions import Alphabet, Symbol

Hidden = Callable[[Quantity], bool]

MODES = RULE, SYMBOLS, NUMBERS = "rule", "symbols", "numbers"

# How tightly a piece of a formula binds: what is looser than its surroundings gets parentheses.
ANYTHING, TERM, FACTOR, ATOM = range(4)


NOTHING: Environment = Numbers({})
"""An environment for formulas without numbers."""


class Writer:
    """A dialect's traversal. Subclasses say how each construct is put down."""

    glue = ""
    """What stands between the terms of a sum, each of which brings its own sign."""
    adjoints = True
    """Whether a derivative may be written as a bar above a symbol."""

    def __init__(
        self,
        alphabet: Alphabet,
        decimals: int,
        mode: str = SYMBOLS,
        hidden: Hidden | None = None,
        env: Environment = NOTHING,
    ) -> None:
        self.alphabet = alphabet
        self.env = env
        """Where the numbers come from."""
        self.decimals = decimals
        self.more = 0
        """How many more digits than that numbers have: see `finer`."""
        self.mode = mode
        self.hidden = hidden
        """On a worksheet: which numbers are left for the reader to fill in."""

    def finer(self, more: int) -> Self:
        """The same writer, with so many more digits of every number."""
        if more == self.more:
            return self
        other = copy(self)
        other.more = more
        return other

    # What a dialect must say. `x`, `top` and so on are already written.
    def constant(self, number: float, text: str) -> str:
        raise NotImplementedError

    def amount(self, value: float, quantity: Quantity | None) -> str:
        raise NotImplementedError

    def noted(self, value: float, operands: tuple[Quantity, ...]) -> str:
        """A number with a name, made of these."""
        return self.amount(value, None)

    def blank(self, quantity: Quantity) -> str:
        raise NotImplementedError

    def letter(self, symbol: Symbol, kind: str) -> str:
        raise NotImplementedError

    def derivative(self, top: str, bottom: str, kind: str) -> str:
        raise NotImplementedError

    def matrix(self, leaf: ArrayRef) -> str:
        raise NotImplementedError

    def shaped(self, x: str, rows: int, columns: int) -> str:
        raise NotImplementedError

    def fraction(self, top: str, bottom: str) -> str:
        raise NotImplementedError

    def parenthesised(self, x: str) -> str:
        raise NotImplementedError

    def joined(self, parts: list[str], sign: str) -> str:
        raise NotImplementedError

    def minus(self, x: str) -> str:
        raise NotImplementedError

    def power(self, base: str, exponent: str) -> str:
        raise NotImplementedError

    def function(self, name: str, x: str) -> str:
        raise NotImplementedError

    def cases(self, rows: list[tuple[str, str, str]]) -> str:
        raise NotImplementedError

    def since(self, x: str, on: str, condition: str) -> str:
        raise NotImplementedError

    def between(self, count: int, total: float) -> str:
        raise NotImplementedError

    def over(self, what: str, x: str) -> str:
        raise NotImplementedError

    def extreme(self, name: str, parts: list[str]) -> str:
        """The `max` or `min` of several."""
        return self.function(name, self.parenthesised(self.listed(parts)))

    def extreme_over(self, name: str, what: str, x: str) -> str:
        """The same of a whole matrix, over its samples."""
        raise NotImplementedError

    def bars(self, x: str) -> str:
        raise NotImplementedError

    def root(self, x: str) -> str:
        raise NotImplementedError

    def floor(self, x: str) -> str:
        raise NotImplementedError

    def length(self, x: str) -> str:
        raise NotImplementedError

    def listed(self, parts: list[str]) -> str:
        raise NotImplementedError

    def array(self, leaf: ArrayRef) -> Any:
        """The numbers of a matrix, the way round that it is written."""
        return leaf.value(self.env)

    # The traversal.
    def write(self, node: Node, need: int = ANYTHING, first: bool = True) -> str:
        """One node, parenthesised if it binds looser than `need`. `first`: nothing left of it."""
        kind = type(node)
        text = (
            self._WRITE[kind](self, node, first)
            if kind in _CHAINS
            else self._WRITE[kind](self, node)
        )
        return self.parenthesised(text) if need and self._loose(node, need, first) else text

    def _loose(self, node: Node, need: int, first: bool) -> bool:
        """Whether the node needs parentheses where it stands."""
        return self._binding(node) < need and not (
            first and need < ATOM and self._negative_number(node)
        )

    def pieces(self, node: Node) -> list[str]:
        """The node as pieces between which a line may break: the terms of a sum, the factors of a
        long product.
        """
        if isinstance(node, Partial) and self.mode != RULE:
            return self.pieces(node.of)
        if isinstance(node, Collected):
            return self.pieces(self._side(node))
        if isinstance(node, Cases) and self.mode == NUMBERS:
            return [self._decided(node)]
        if isinstance(node, Sum):
            head, *rest = node.terms
            return [self.write(head), *(self._continued(term) for term in rest)]
        if type(node) is Ref:
            return [self.write(node)]
        if isinstance(node, Product) and len(node.terms) > 2 and not isinstance(node, Hadamard):
            first, *others = (self.write(t, FACTOR, n == 0) for n, t in enumerate(node.terms))
            return [first, *(self.joined(["", other], self._times) for other in others)]
        if self.mode == NUMBERS and isinstance(node, Difference | Product | MatrixProduct):
            return self._matrix_pieces(node) if _is_matrix(node) else [self.write(node)]
        return [self.write(node)]

    def _matrix_pieces(self, node: Difference | Product | MatrixProduct) -> list[str]:
        """The same of a formula with the entries of matrices, which are wide; a number in front
        stays with the matrix that it multiplies.
        """
        if isinstance(node, Difference):
            taken = self.write(node.right, FACTOR - 1 + _is_sum(node.right), False)
            return [*self.pieces(node.left), self.joined(["", taken], "−")]
        first, *others = (self.write(t, FACTOR, n == 0) for n, t in enumerate(node.terms))
        sign = self._sign_of(node)
        if not _is_matrix(node.terms[0]):
            first, others = self.joined([first, others[0]], sign), others[1:]
        return [first, *(self.joined(["", other], sign) for other in others)]

    def name(self, q: Quantity) -> str:
        """The symbol of a quantity, derivatives as fractions; the share of a sample in a mean has
        its 1/M in front.
        """
        written, key = self.alphabet.written, (type(self), q)
        found: str | None = written.get(key)
        if found is None:
            found = written[key] = self._name(q)
        return found

    def _name(self, q: Quantity) -> str:
        top, bottom = self._derived(q)
        if not (top and bottom):
            return self.symbol(q)
        if self.adjoints and self.alphabet.barred(q.kind):
            return self.letter(replace(self.alphabet.symbol(bottom), bar=True), q.kind)
        whole = self.derivative(self._bare(top), self._bare(bottom), q.kind)
        if not self._has_factor(q):
            return whole
        return self.joined([self._share(), whole], "·")

    def _derived(self, q: Quantity) -> tuple[Quantity | None, Quantity | None]:
        """`derivative_of`; where the loss has a penalty, that of the loss on the data."""
        top, bottom = derivative_of(q)
        return (DATA_LOSS if self.alphabet.penalised and top == LOSS else top), bottom

    def _share(self, node: Share | None = None) -> str:
        samples = self.alphabet.samples
        return self.constant(1.0 / samples, f"1/{samples}")

    def _has_factor(self, q: Quantity) -> bool:
        """Whether q is written as a product: a sample's share of a gradient is 1/M times the
        derivative of its own loss.
        """
        return q.of.role == "gradient" and q.sample > 0 and self.alphabet.mean

    def _bare(self, q: Quantity) -> str:
        """A symbol inside a derivative: the fraction as a whole has a role, its parts have none."""
        written, key = self.alphabet.written, (type(self), q, "bare")
        found: str | None = written.get(key)
        if found is None:
            found = written[key] = self.letter(self.alphabet.symbol(q), "")
        return found

    def symbol(self, q: Quantity) -> str:
        if q.kind in _RATIOS:
            return self.fraction(*(self.symbol(Quantity(kind)) for kind in _RATIOS[q.kind]))
        return self.letter(self.alphabet.symbol(q), q.kind)

    def matrix_name(self, kind: str, layer: int, sample: int = 0) -> str:
        """The symbol of a whole matrix, derivatives as fractions."""
        written, key = self.alphabet.written, (type(self), kind, layer, sample)
        found: str | None = written.get(key)
        if found is None:
            found = written[key] = self._matrix_name(kind, layer, sample)
        return found

    def _matrix_name(self, kind: str, layer: int, sample: int) -> str:
        top, bottom = self._derived(Quantity(kind, layer))
        if not (top and bottom):
            return self.letter(self.alphabet.matrix(kind, layer, sample), kind)
        if self.adjoints and self.alphabet.barred(kind):
            symbol = self.alphabet.matrix(bottom.kind, bottom.layer, sample)
            return self.letter(replace(symbol, bar=True), kind)
        numerator = self._whole(top, sample) if top.of.axes else self._bare(top)
        return self.derivative(numerator, self._whole(bottom, sample), kind)

    def _whole(self, q: Quantity, sample: int) -> str:
        return self.letter(self.alphabet.matrix(q.kind, q.layer, sample), "")

    @property
    def _times(self) -> str:
        return self.alphabet.notation.times if self.mode == NUMBERS else "·"

    def _binding(self, node: Node) -> int:
        match node:
            case Ref() if self.mode == NUMBERS:
                return ANYTHING if self._negative_number(node) else ATOM
            case Ref():
                return TERM if self._has_factor(node.quantity) else ATOM
            case Number() | Elided() | Named():
                return ANYTHING if self._negative_number(node) else ATOM
            case Partial() if self.mode != RULE:
                return self._binding(node.of)
            case Stable():
                return self._binding(node.shown)
            case Collected():
                return self._binding(self._side(node))
            case Cases():
                return TERM if self.mode == SYMBOLS else self._binding(self._chosen(node)[0])
            case _:
                return _BINDING.get(type(node), ATOM)

    def _negative_number(self, node: Node) -> bool:
        if isinstance(node, Number):
            return bool(node.number < 0)
        if self.mode != NUMBERS or not isinstance(node, Ref | Elided | Named):
            return False
        if not isinstance(node, Ref):
            return bool(evaluate(node, self.env) < 0)
        if self.hidden is not None and self.hidden(node.quantity):
            return False
        return bool(self.env.number(node.quantity) < 0)

    def _continued(self, term: Node) -> str:
        """A further term of a sum, with its sign in front."""
        if isinstance(term, Negative):
            need = TERM if isinstance(term.of, Product) else FACTOR
            return self.joined(["", self.write(term.of, need, first=False)], "−")
        return self.joined(["", self.write(term, TERM, first=False)], "+")

    def _ref(self, node: Ref) -> str:
        if self.mode != NUMBERS:
            return self.name(node.quantity)
        hidden = self.hidden is not None and self.hidden(node.quantity)
        return (
            self.blank(node.quantity)
            if hidden
            else self.amount(float(self.env.number(node.quantity)), node.quantity)
        )

    def _array(self, node: ArrayRef) -> str:
        if self.mode == NUMBERS:
            return self.matrix(node)
        return self.shaped(
            self.matrix_name(node.kind, node.layer, node.sample), *self.array(node).shape
        )

    def _number(self, node: Number) -> str:
        return self.constant(node.number, node.text)

    def _elided(self, node: Elided) -> str:
        return self.between(
            node.count, float(evaluate(node, self.env)) if self.mode == NUMBERS else 0.0
        )

    def _sum(self, node: Sum) -> str:
        return self.glue.join(self.pieces(node))

    def _factors(self, node: Many, first: bool = True) -> str:
        return self.joined(
            [self.write(t, FACTOR, first and n == 0) for n, t in enumerate(node.terms)],
            self._sign_of(node),
        )

    def _sign_of(self, node: Many) -> str:
        """What stands between the factors of a product."""
        if isinstance(node, MatrixProduct):
            return "·"
        # most factors are plain numbers
        inner = [term for term in node.terms if type(term) is not Ref]
        return "⊙" if len(inner) > 1 and sum(map(_is_matrix, inner)) > 1 else self._times

    def _difference(self, node: Difference) -> str:
        return self.joined(
            [
                self.write(node.left, TERM),
                self.write(node.right, FACTOR - 1 + _is_sum(node.right), False),
            ],
            "−",
        )

    def _negative(self, node: Negative) -> str:
        return self.minus(
            self.write(
                node.of,
                TERM if isinstance(node.of, Quotient | Division | Product) else FACTOR,
                first=False,
            )
        )

    def _quotient(self, node: Quotient | Division) -> str:
        return self.fraction(self.write(node.left), self.write(node.right))

    def _exp(self, node: Exp) -> str:
        return self.power(self.letter(Symbol("e"), ""), self.write(node.of))

    def _exp_minus_one(self, node: ExpMinusOne) -> str:
        return self.joined([self._exp(Exp(node.of)), self.constant(1.0, "")], "−")

    def _square(self, node: Square) -> str:
        return self.power(self.write(node.of, ATOM), self.constant(2.0, ""))

    def _sqrt(self, node: Sqrt) -> str:
        return self.root(self.write(node.of))

    def _floor(self, node: Floor) -> str:
        return self.floor(self.write(node.of))

    def _cos(self, node: Cos) -> str:
        return self.function("cos", self.parenthesised(self.write(node.of)))

    def _sin(self, node: Sin) -> str:
        return self.function("sin", self.parenthesised(self.write(node.of)))

    def _bounded(self, node: Smallest | Largest) -> str:
        inside = self.listed([self.write(node.left), self.write(node.right)])
        return self.function(
            "min" if isinstance(node, Smallest) else "max", self.parenthesised(inside)
        )

    def _squares(self, node: Squares) -> str:
        return self.glue.join(
            self.joined([""] * (n > 0) + [self.power(self.length(self.write(term)), two)], "+")
            for two in (self.constant(2.0, ""),)
            for n, term in enumerate(node.terms)
        )

    def _power(self, node: Power) -> str:
        return self.power(self.write(node.left, ATOM), self.write(node.right))

    def _transpose(self, node: Transpose) -> str:
        leaf = node.of
        if isinstance(leaf, ArrayRef) and self.mode != NUMBERS:
            name = self.matrix_name(leaf.kind, leaf.layer, leaf.sample)
            name = self.parenthesised(name) if kind_of(leaf.kind).by else name
            turned = self.power(name, self.letter(Symbol("⊤"), ""))
            return self.shaped(turned, *self.array(leaf).shape[::-1])
        return self.power(self.write(node.of, ATOM), self.letter(Symbol("⊤"), ""))

    def _log(self, node: Log) -> str:
        simple = isinstance(node.of, Ref | ArrayRef)
        inside = self.write(node.of)
        return self.function(
            "log", inside if simple and self.mode != NUMBERS else self.parenthesised(inside)
        )

    def _stable(self, node: Stable) -> str:
        return self.write(node.shown)

    def _call(self, node: Apply) -> str:
        return self.function(node.name, self.parenthesised(self.write(node.of)))

    def _diagonal(self, node: Diagonal) -> str:
        return self.function("diag", self.parenthesised(self.write(node.of)))

    def _total(self, node: Total) -> str:
        return self.over("entries", self.write(node.of, FACTOR))

    def _outer(self, node: OuterProduct) -> str:
        return self.write(MatrixProduct((node.left, Transpose(node.right))))

    def _called(self, node: Called) -> str:
        settings = [self.constant(float(setting), "") for setting in node.settings]
        inside = self.listed([*map(self.write, node.terms), *settings])
        return self.function(node.function.symbol, self.parenthesised(inside))

    def _wins(self, node: Wins) -> str:
        if self.mode == NUMBERS:
            return self.constant(float(evaluate(node, self.env)), "")
        own = self.write(node.terms[node.n - 1])
        return self.function("wins", self.parenthesised(own))

    def _ones(self, node: Ones) -> str:
        rows, columns = node.shape if len(node.shape) == 2 else (*node.shape, 1)
        return self.shaped(self.letter(Symbol("1", bold=True), ""), rows, columns)

    def _sum_over(self, node: SumOver) -> str:
        return self.over(node.what, self.write(node.of, FACTOR))

    def _extreme(self, node: Many) -> str:
        name = "min" if isinstance(node, SmallestOf) else "max"
        return self.extreme(name, [self.write(term) for term in node.terms])

    def _extreme_over(self, node: LargestOver) -> str:
        name = "min" if isinstance(node, SmallestOver) else "max"
        return self.extreme_over(name, "samples", self.write(node.of, FACTOR))

    def _cases(self, node: Cases) -> str:
        if self.mode == NUMBERS:
            return self.write(self._chosen(node)[0])
        on = self.write(node.on)
        return self.cases(
            [(self.write(formula), on, condition) for formula, condition in _branches(node)]
        )

    def _decided(self, node: Cases) -> str:
        """The branch that the numbers take, and why; inside a longer formula there is room for the
        branch alone.
        """
        branches = _branches(node)
        formula, condition = branches[_taken(node, self.env)]
        return self.since(self.write(formula), self.write(node.on), condition)

    def _size(self, node: Size) -> str:
        return self.bars(self.write(node.of))

    def _chosen(self, node: Cases) -> tuple[Node, str]:
        """The branch that the numbers take, with its condition; without numbers the first."""
        return node.branches[node.chosen(self.env) if self.mode == NUMBERS else 0]

    def _partial(self, node: Partial) -> str:
        if self.mode == RULE:
            return self.derivative(self._bare(node.top), self._bare(node.bottom), node.kind)
        return self.write(node.of)

    def _named(self, node: Named) -> str:
        """The name; its number, unless a reader is to fill in one that leads to it."""
        if self.mode == NUMBERS:
            operands = tuple(ref.quantity for ref in leaves(node.of))
            if self.hidden is not None and any(map(self.hidden, operands)):
                return self.blank(operands[0])
            return self.noted(float(evaluate(node, self.env)), operands)
        arrays = [self.matrix_name(leaf.kind, leaf.layer, leaf.sample) for leaf in node.over]
        return self.function(node.word, self.parenthesised(self.joined(arrays, "⊙")))

    def _side(self, node: Collected) -> Node:
        """Which form of a sum by the chain rule is written."""
        return node.rule if self.mode == RULE else node.of

    def _collected(self, node: Collected) -> str:
        return self.write(self._side(node))

    _WRITE: ClassVar[dict[type, Any]] = {
        Ref: _ref, ArrayRef: _array, Number: _number, Elided: _elided,
        Sum: _sum, Difference: _difference, Negative: _negative,
        Product: _factors, Hadamard: _factors, Weighted: _factors, MatrixProduct: _factors,
        Quotient: _quotient, Division: _quotient, Exp: _exp, ExpMinusOne: _exp_minus_one,
        Square: _square, Log: _log,
        Transpose: _transpose, Diagonal: _diagonal, SumOver: _sum_over, Power: _power,
        Apply: _call, Cases: _cases, Stable: _stable, Partial: _partial, Share: _share,
        Size: _size, Sqrt: _sqrt, Floor: _floor, Cos: _cos, Smallest: _bounded, Largest: _bounded,
        Squares: _squares, ElidedSquares: _elided, ElidedTerms: _elided,
        Sin: _sin, Total: _total, Ones: _ones, LargestOf: _extreme, SmallestOf: _extreme,
        LargestOver: _extreme_over, SmallestOver: _extreme_over,
        ElidedLargest: _elided, ElidedSmallest: _elided, OuterProduct: _outer, Called: _called,
        Wins: _wins, Named: _named, Collected: _collected,
    }  # fmt: skip


_BINDING: dict[type, int] = {
    **dict.fromkeys((Sum, Difference, ExpMinusOne, Negative), ANYTHING),
    **dict.fromkeys((Product, Hadamard, Weighted, MatrixProduct, OuterProduct), TERM),
    **dict.fromkeys((SumOver, LargestOver, SmallestOver, Total, Log), FACTOR),
}
"""How tightly each kind of node binds, where that does not depend on what is in it."""
_CHAINS = frozenset({Product, Hadamard, Weighted, MatrixProduct})
"""What is written as factors, of which the first may stand behind nothing."""


def _branches(node: Cases) -> tuple[tuple[Node, str], ...]:
    """Each formula with its condition. Of a case inside the other case there are three: above,
    below, and what is left.
    """
    (then, condition), (otherwise, opposite) = node.branches
    if not _splits(node):
        return ((then, condition), (otherwise, opposite))
    assert isinstance(otherwise, Cases)
    (inner, inner_condition), (rest, _) = otherwise.branches
    limit = condition.partition(" ")[2]
    return ((then, condition), (inner, inner_condition), (rest, f"= {limit}"))


def _splits(node: Cases) -> bool:
    """Whether what is not above is divided again, into below and equal."""
    other = node.otherwise
    same = isinstance(other, Cases) and (other.on, other.limit) == (node.on, node.limit)
    return same and isinstance(other, Cases) and {node.sign, other.sign} == {">", "<"}


def _taken(node: Cases, env: Environment) -> int:
    """Which of these branches the numbers take."""
    first = node.chosen(env)
    if not (first and _splits(node)):
        return first
    assert isinstance(node.otherwise, Cases)
    return 1 + node.otherwise.chosen(env)


def _is_sum(node: Node) -> bool:
    return isinstance(node, Sum | Difference)


def _is_matrix(node: Node) -> bool:
    return any(isinstance(part, ArrayRef) for part in walk(node))


LOSS, DATA_LOSS = Quantity("loss"), Quantity("data_loss")
_RATIOS = {"(loss-loss+)/loss": ("loss-loss+", "loss")}
"""Kinds that are written as one number over another."""


def derivative_of(q: Quantity) -> tuple[Quantity | None, Quantity | None]:
    """What is derived by what: in dL/dw@s the loss of sample s by w; da/dz[l][i,k] is a of i by z
    of k.

    The activations of layer 0 are the inputs.
    """
    of = q.of
    if not of.by:
        return None, None
    if kind_of(of.top).axes:
        top = Quantity(of.top, q.layer, q.i, 0, q.sample)
        return top, Quantity(of.by, q.layer, q.j or q.i, 0, q.sample)
    if of.per_sample:
        return LOSS, Quantity(of.by if q.layer else "x", q.layer, q.i, 0, q.sample)
    return Quantity(of.top, sample=q.sample), Quantity(of.by, q.layer, q.i, q.j)

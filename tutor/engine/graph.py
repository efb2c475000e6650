"""Computation graphs: a formula as nodes, each computed by one operation, forward and backward.

    Graph.of(formula, shapes) -> Graph

A formula is an expression over named values, and expressions with names of their own; each
operation in it becomes a node. Inner nodes without a name are n1, n2 … in the order of evaluation.
Backward goes from the result against that order; where a value is used more than once its parts are
added. Only what the result depends on, and what depends on something to differentiate, has a
derivative.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from math import prod
from typing import TypeAlias

from tutor import suggestion
from tutor.engine.entry import long_terms
from tutor.engine.kinds import LOCAL, NODE, VALUE, derivative_kind, local_kind
from tutor.engine.operation import (
    Call,
    Operation,
    Place,
    Shape,
    ShapeError,
    places,
    shape_words,
)
from tutor.engine.operations import OPERATIONS, Elementwise
from tutor.engine.quantity import Quantity
from tutor.engine.tree import (
    ONE,
    ZERO,
    ArrayRef,
    Called,
    Cases,
    Collected,
    Negative,
    Node,
    Number,
    Ones,
    Partial,
    Product,
    Ref,
    Sum,
    Total,
    rewrite,
)
from tutor.errors import NetworkError, QuantityError

# ---- What a formula is, read from a text or made by a program ----


@dataclass(frozen=True, slots=True)
class Constant:
    """A number of the formula."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A value, or an expression with a name of its own."""

    name: str


@dataclass(frozen=True, slots=True)
class Applied:
    """An operation over expressions."""

    operation: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = Constant | Name | Applied


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula to be differentiated. `names` are the expressions that have names of their own."""

    expression: Expression
    names: Mapping[str, Expression] = field(default_factory=dict)
    differentiate: tuple[str, ...] | None = None
    """With respect to which values; None for all that the result depends on."""
    result: str = "f"


class GraphError(NetworkError):
    """A formula that makes no graph; `key` names the part of it: "expression" or a name."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


# ---- The graph ----


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A value that the formula starts from, or a node that it computes."""

    name: str
    shape: Shape
    call: Call | None = None

    @property
    def given(self) -> bool:
        """Whether the formula starts from it."""
        return self.call is None

    @property
    def made(self) -> Call:
        """How an inner node is made."""
        assert self.call is not None, f"{self.name} is given"
        return self.call

    @property
    def operation(self) -> Operation:
        """What an inner node does."""
        return self.made.operation

    @property
    def kind(self) -> str:
        """The kind of its quantities."""
        return f"{VALUE if self.given else NODE}:{self.name}"

    @property
    def leaf(self) -> ArrayRef:
        """All of it, in trees."""
        return ArrayRef(self.kind)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The kinds of the nodes that it is made of, as often as they stand in it."""
        found = self.call.arguments if self.call else ()
        return tuple(leaf.kind for leaf in found if isinstance(leaf, ArrayRef))

    def entries(self, kind: str = "") -> Iterator[Quantity]:
        """Each of its numbers, or of another kind with its shape."""
        return (quantity(kind or self.kind, at) for at in places(self.shape))

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a node is used: by which node, as which of its inputs."""

    by: GraphNode
    k: int


def quantity(kind: str, at: Place = ()) -> Quantity:
    """The name of an entry."""
    return Quantity(kind, 0, *at)


def place_of(q: Quantity) -> Place:
    """Where a number stands in its array, from 1."""
    return tuple(index for index in (q.i, q.j) if index)


_INDEX = re.compile(r"(?P<stem>[^\[\]]+)(?:\[(?P<places>[1-9][0-9]{0,5}(?:,[1-9][0-9]{0,5})?)\])?")


def _taken_apart(name: str) -> tuple[str, Place]:
    """A name and its indices; what is no name is a name that nothing has."""
    found = _INDEX.fullmatch(name)
    if found is None:
        return name, ()
    return found["stem"], tuple(
        map(int, (found["places"] or "").split(",") if found["places"] else ())
    )


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes of a formula: values in the order in which they are first used, then inner nodes in
    the order of evaluation; the last one is the result.
    """

    values: tuple[GraphNode, ...]
    inner: tuple[GraphNode, ...]
    differentiate: tuple[str, ...]
    """The names of the values with respect to which it is differentiated."""

    @classmethod
    def of(cls, formula: Formula, shapes: Mapping[str, Shape]) -> Graph:
        """The graph of a formula over values of these shapes. Raises GraphError."""
        return _Builder(formula, shapes).graph()

    @property
    def result(self) -> GraphNode:
        """The node that everything is differentiated."""
        return self.inner[-1]

    @cached_property
    def nodes(self) -> dict[str, GraphNode]:
        """Every node by its kind."""
        return {node.kind: node for node in (*self.values, *self.inner)}

    @cached_property
    def by_name(self) -> dict[str, GraphNode]:
        """Every node by its name."""
        return {node.name: node for node in (*self.values, *self.inner)}

    def parse(self, name: str) -> Quantity:
        """The number of this name: `w0`, `n1`, `v[2]`, `df/dw0`. Raises QuantityError."""
        stem, indices = _taken_apart(name)
        wanted = stem.removeprefix(f"d{self.result.name}/d")
        node = self.by_name.get(wanted)
        if node is None:
            known = suggestion.meant(wanted, self.by_name)
            meant = f"did you mean {known}?" if known else f"there are {self._listed()}"
            raise QuantityError(f"there is no {name[:60]} in this graph; {meant}")
        kind = node.kind if wanted == stem else self.derivative(node).kind
        if wanted != stem and node.kind not in self.needed:
            raise QuantityError(f"nothing is differentiated with respect to {wanted} here")
        if len(indices) != len(node.shape) or any(map(int.__gt__, indices, node.shape)):
            example = quantity(kind, node.shape)
            raise QuantityError(
                f"{wanted} is {shape_words(node.shape)}; its last number is {example}"
                if node.shape
                else f"{wanted} is a single number, so it has no index"
            )
        return quantity(kind, indices)

    def _listed(self) -> str:
        names = list(self.by_name)
        return ", ".join(names[:12]) + (" …" if len(names) > 12 else "")

    @cached_property
    def uses(self) -> Mapping[str, tuple[Use, ...]]:
        """Where each node is used, in the order of evaluation."""
        found: dict[str, list[Use]] = defaultdict(list)
        for node in self.inner:
            for k, leaf in enumerate(node.made.arguments):
                if isinstance(leaf, ArrayRef):
                    found[leaf.kind].append(Use(node, k))
        return {kind: tuple(uses) for kind, uses in found.items()}

    @cached_property
    def needed(self) -> frozenset[str]:
        """The kinds of the nodes that have a derivative: what depends on something to
        differentiate.
        """
        found = {f"{VALUE}:{name}" for name in self.differentiate}
        for node in self.inner:
            if not found.isdisjoint(node.inputs):
                found.add(node.kind)
        return frozenset(found)

    @cached_property
    def backward(self) -> tuple[GraphNode, ...]:
        """The nodes whose derivatives are computed, in that order: against the order of evaluation,
        a value as soon as all that use it have theirs.
        """
        waiting = {kind: len(uses) for kind, uses in self.uses.items()}
        found: list[GraphNode] = []
        for node in reversed(self.inner):
            if node.kind not in self.needed:
                continue
            found.append(node)
            for kind in node.inputs:
                waiting[kind] -= 1
                other = self.nodes[kind]
                if not waiting[kind] and other.given and kind in self.needed:
                    found.append(other)
        return tuple(found)

    def derivative(self, node: GraphNode) -> ArrayRef:
        """The derivative of the result with respect to a node, in trees."""
        return ArrayRef(derivative_kind(self.result.name, node.kind))

    def parts(self, node: GraphNode) -> tuple[Use, ...]:
        """The uses through which the derivative comes back to a node, the last one first."""
        return tuple(
            use for use in reversed(self.uses.get(node.kind, ())) if use.by.kind in self.needed
        )

    # ---- trees over whole arrays ----

    def forward_tree(self, node: GraphNode) -> Node:
        """How an inner node is computed."""
        return node.operation.tree(node.made)

    def backward_tree(self, node: GraphNode) -> Node:
        """How the derivative with respect to a node is computed."""
        if node is self.result:
            return ONE
        terms = tuple(self.pulled(use) for use in self.parts(node))
        return Sum(terms) if len(terms) > 1 else terms[0]

    def pulled(self, use: Use) -> Node:
        """What one use adds to the derivative with respect to the node that is used."""
        return use.by.operation.pull(use.k, use.by.made, self.derivative(use.by))

    def shown_tree(self, node: GraphNode) -> Node:
        """The same as formulas show it: where a local derivative differs from entry to entry, its
        name stands in its place.
        """
        if node is self.result:
            return ONE
        terms = []
        for use in self.parts(node):
            named = ArrayRef(local_kind(use.by.name, use.k, node.kind))
            terms.append(
                rewrite(
                    self.pulled(use),
                    lambda part, named=named: named if isinstance(part, Cases) else None,  # type: ignore[misc]
                )
            )
        return Sum(tuple(terms)) if len(terms) > 1 else terms[0]

    def local_tree(self, kind: str) -> tuple[Node, Shape]:
        """What such a name stands for, and its shape."""
        _, name, k, *_ = kind.split(":")
        node = self.by_name[name]
        assert isinstance(node.operation, Elementwise)
        return node.operation.local(int(k), node.made), node.shape

    # ---- trees of single entries ----

    def tree(self, q: Quantity) -> Node:
        """How one number is computed, with the formulas of functions written out."""
        if q.of.by:
            return self.derivative_entry(self.nodes[q.of.by], place_of(q))
        return self.entry(self.nodes[q.kind], place_of(q), written=True)

    def entry(self, node: GraphNode, at: Place, *, written: bool = False) -> Node:
        """How one entry of an inner node is computed; `written` has formulas of functions."""
        own = node.operation.entry(node.made, at)
        if own is not None:
            return own
        tree = node.operation.written if written else node.operation.tree
        return self.at(tree(node.made), at)

    def derivative_entry(self, node: GraphNode, at: Place) -> Node:
        """The derivative with respect to one entry by the chain rule: over all that use it, what
        came back times the local derivative; 0 where nothing uses it.
        """
        if node is self.result:
            return ONE
        terms: list[Node] = []
        for use in self.parts(node):
            found, back = tuple(self._terms(use, node, at)), self.derivative(use.by)
            short = use.by.operation.collected(use.k, use.by.made, back, at)
            terms += found if short is None else (Collected(short, long_terms(found)),)
        return long_terms(tuple(terms)) if terms else ZERO

    def _terms(self, use: Use, node: GraphNode, at: Place) -> Iterator[Node]:
        """What one use adds to it, a term for each of its numbers that depend on this entry."""
        below, kind = quantity(node.kind, at), local_kind(use.by.name, use.k, node.kind)
        for place, local in use.by.operation.routes(use.k, use.by.made, at):
            up = Ref(quantity(self.derivative(use.by).kind, place))
            tree = self.at(local, place)
            yield Product((up, Partial(tree, quantity(use.by.kind, place), below, kind)))

    def at(self, tree: Node, at: Place) -> Node:
        """The tree of one entry of an array's tree."""
        match tree:
            case Number():
                return tree
            case Ones():
                return ONE
            case ArrayRef():
                return Ref(quantity(tree.kind, at if self.shape(tree) else ()))
            case Total():
                found = (self.at(tree.of, place) for place in places(self.shape(tree.of)))
                return long_terms(tuple(found))
            case _:
                return tree.rebuild(tuple(self.at(child, at) for child in tree.children))

    def shape(self, tree: Node) -> Shape:
        """The shape of what a tree comes to."""
        if isinstance(tree, ArrayRef):
            kind = tree.kind
            return self.nodes[kind if kind in self.nodes else kind.split(":", 2)[2]].shape
        if isinstance(tree, Ones):
            return tree.shape
        if isinstance(tree, Total):
            return ()
        return max((self.shape(child) for child in tree.children), key=len, default=())


@dataclass(frozen=True, slots=True)
class _Make:
    """What is left to do when the arguments of an operation have been read."""

    operation: Operation
    arguments: int
    name: str
    key: str
    named: bool = False


class _Builder:
    """Goes through a formula and makes its nodes. It works from a list of things to do, so that a
    long formula may be as deep as it is long.
    """

    def __init__(self, formula: Formula, shapes: Mapping[str, Shape]) -> None:
        self.formula, self.shapes = formula, shapes
        self.values: dict[str, GraphNode] = {}
        self.inner: dict[str, GraphNode] = {}
        self.named: dict[str, Node] = {}
        self.open: list[str] = []
        """The names that are being read: one that comes again goes round in a circle."""
        self.numbers = count(1)
        self.todo: list[tuple[Expression, str] | _Make] = []
        self.read: list[Node] = []

    def graph(self) -> Graph:
        formula = self.formula
        self._begin(formula.expression, formula.result, "expression")
        while self.todo:
            task = self.todo.pop()
            if isinstance(task, _Make):
                self._make(task)
            else:
                self._read(*task)
        inner = tuple(self.inner.values())
        if inner[-1].shape:
            raise GraphError(
                "expression",
                f"the result {formula.result} is {shape_words(inner[-1].shape)}, but only a "
                "single number can be differentiated; add its entries up with sum(…)",
            )
        wanted = formula.differentiate
        return Graph(
            tuple(self.values.values()), inner, tuple(self.values) if wanted is None else wanted
        )

    def _begin(self, expression: Expression, name: str, key: str, *, named: bool = False) -> None:
        """A node with a name; what is no operation is a node all the same."""
        whole = expression if isinstance(expression, Applied) else Applied("copy", (expression,))
        self._apply(whole, name, key, named=named)

    def _apply(self, applied: Applied, name: str, key: str, *, named: bool = False) -> None:
        operation = OPERATIONS[applied.operation]
        self.todo.append(_Make(operation, len(applied.arguments), name, key, named))
        self.todo += [(argument, key) for argument in reversed(applied.arguments)]

    def _read(self, expression: Expression, key: str) -> None:
        match expression:
            case Constant():
                self.read.append(Number(expression.value))
            case Applied():
                self._apply(expression, "", key)
            case Name(name) if name in self.named:
                self.read.append(self.named[name])
            case Name(name) if name in self.shapes:
                node = self.values.setdefault(name, GraphNode(name, self.shapes[name]))
                self.read.append(node.leaf)
            case Name(name):
                if name in self.open:
                    circle = " → ".join([*self.open[self.open.index(name) :], name])
                    raise GraphError(key, f"the names go round in a circle: {circle}")
                self.open.append(name)
                self._begin(self.formula.names[name], name, name, named=True)

    def _make(self, task: _Make) -> None:
        arguments = tuple(self.read[-task.arguments :])
        del self.read[-task.arguments :]
        shapes = tuple(map(self._shape, arguments))
        try:
            shape = task.operation.shape_of(arguments, shapes)
        except ShapeError as error:
            raise GraphError(task.key, str(error)) from None
        name = task.name or f"n{next(self.numbers)}"
        leaf = ArrayRef(f"{NODE}:{name}")
        call = Call(task.operation, arguments, shapes, leaf, shape)
        self.inner[name] = GraphNode(name, shape, call)
        self.read.append(leaf)
        if task.named:
            self.named[name] = leaf
            self.open.pop()

    def _shape(self, argument: Node) -> Shape:
        if not isinstance(argument, ArrayRef):
            return ()
        family, _, name = argument.kind.partition(":")
        return self.shapes[name] if family == VALUE else self.inner[name].shape


def as_shown(tree: Node, graph: Graph) -> Node:
    """The tree of an array as formulas have it: single numbers by name, a list as a column."""
    match tree:
        case ArrayRef() if tree.kind.startswith(LOCAL):
            return tree
        case ArrayRef():
            return tree if graph.shape(tree) else Ref(quantity(tree.kind))
        case Ones():
            return replace(tree, shape=(*tree.shape, 1)[:2])
        case Called():
            terms = tuple(as_shown(term, graph) for term in tree.terms)
            return replace(tree, terms=terms, columns=True)
        case Product() if tree.terms[-1] == Number(-1.0) and len(tree.terms) == 2:
            return Negative(as_shown(tree.terms[0], graph))
        case _:
            return tree.rebuild(tuple(as_shown(child, graph) for child in tree.children))

"""The computation graph of a network, made of its program: every array up to the loss is a node, so
that a layer is a few of them; the units of an open layer are nodes of their own.

    layer_graph(trace, opened) -> LayerGraph

A node is a block of an array: all of it, one unit, or the units that are left. An edge leads to it
from each block that it is computed from, with its local derivative. With several samples the graph
is that of one of them; the loss is that of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np

from tutor.engine.kinds import FORWARD, GIVEN, GRADIENT, KINDS, LOSS, SCALE, SLOPE, Kind
from tutor.engine.program import Definition, loss_gradient, output_leaves
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Array, Trace
from tutor.engine.tree import (
    Apply,
    ArrayRef,
    Hadamard,
    MatrixProduct,
    Node,
    Product,
    Ref,
    Sum,
    SumOver,
    Transpose,
    evaluate,
    walk,
)

MOST_UNITS, FIRST_UNITS = 6, 4
"""Of an open layer with more units than this the first few stand singly, the others together."""
MOST_WEIGHTS = 24
"""With more weights than this into the units that stand singly, those of a unit stand together."""
MOST_OPENED = 100
"""So many nodes may the open layers add; the layers behind that stay closed."""
UP_TO = (GIVEN, SCALE, FORWARD, LOSS)
"""The phases that the graph shows."""

SAME, DIAGONAL, SLOPES, FULL, ROWS, OUTER, FACTOR, OF_LOSS, OTHER = (
    "same", "diagonal", "slopes", "full", "rows", "outer", "factor", "loss", "other",
)  # fmt: skip
"""What a local derivative is: 1 at the same place; another array or the slopes of a function on the
diagonal; a full Jacobian; the weights; what the weights are multiplied by; a number; that of a
sample's loss with respect to the outputs; a derivative without a shorter form.
"""
BY_PLACE = frozenset({SAME, DIAGONAL, SLOPES, OUTER})
"""Where a unit depends on what belongs to the same unit alone."""
Span: TypeAlias = tuple[int, int]
"""The first and the last index, from 1; (0, 0) where there is none."""
NOT_SPLIT: Span = (0, 0)


class Block(NamedTuple):
    """A node: an array, or the part of it that belongs to some units and inputs."""

    kind: str
    layer: int = 0
    units: Span = NOT_SPLIT
    inputs: Span = NOT_SPLIT

    @property
    def of(self) -> Kind:
        """What is to be known of its kind; the losses of the samples are losses too."""
        return KINDS[self.kind.rstrip("@")]

    @property
    def each(self) -> bool:
        """Whether it is the loss of the sample by itself."""
        return self.kind.endswith("@")

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return _length(self.units) * _length(self.inputs)

    @property
    def single(self) -> bool:
        """Whether it is one number."""
        return self.size == 1 and self.of.role != "source"

    def quantity(self, sample: int = 0) -> Quantity:
        """Its first number; `sample` is left out where the number belongs to all of them."""
        own = sample if self.each or self.of.per_sample else 0
        return Quantity(self.kind.rstrip("@"), self.layer, self.units[0], self.inputs[0], own)


@dataclass(frozen=True, slots=True)
class Local:
    """The derivative of an array with respect to one that it is computed from."""

    form: str
    tree: Node | None = None
    """What stands on the diagonal, what the weights are multiplied by, the factor, or the
    derivative of a sample's loss.
    """


@dataclass(frozen=True, slots=True)
class Edge:
    """From a block to one that is computed from it."""

    source: Block
    target: Block
    local: Local

    def entry(self, sample: int) -> Quantity | None:
        """The number that is the local derivative, where it is a number of the lesson: between
        single numbers.
        """
        source, target, form = self.source, self.target, self.local.form
        if not (source.single and target.single):
            return None
        if form in {SLOPES, FULL}:
            column = source.units[0] if form == FULL else 0
            return Quantity(SLOPE, target.layer, target.units[0], column, sample)
        if form == DIAGONAL and isinstance(self.local.tree, ArrayRef):
            return Block(self.local.tree.kind, target.layer, target.units).quantity(sample)
        if form == ROWS and isinstance(self.local.tree, ArrayRef):
            of = Block(self.local.tree.kind, target.layer, target.units, source.units)
            return of.quantity(sample)
        if form == OUTER and isinstance(self.local.tree, ArrayRef):
            leaf = self.local.tree
            return Block(leaf.kind, leaf.layer, source.inputs).quantity(sample)
        return None


@dataclass(frozen=True)
class LayerGraph:
    """Every node with the edges into it, each behind those that it is computed from."""

    trace: Trace
    nodes: dict[Block, tuple[Edge, ...]]
    opened: tuple[int, ...]
    """The layers whose units stand singly."""
    closed: tuple[int, ...]
    """Those that were to be opened, and for which there is no room."""

    @cached_property
    def uses(self) -> Mapping[Block, tuple[Edge, ...]]:
        """The edges out of every node."""
        found: dict[Block, list[Edge]] = {block: [] for block in self.nodes}
        for edges in self.nodes.values():
            for edge in edges:
                found[edge.source].append(edge)
        return {block: tuple(edges) for block, edges in found.items()}

    def numbers(self, block: Block, sample: int) -> Array:
        """The numbers of a block for a sample, in two dimensions, as the engine has them."""
        if not block.of.axes:
            return np.full((1, 1), self.trace.value(block.quantity(sample)))
        array = self.trace.array(block.kind, block.layer)
        return _part(array, block.of, block, sample)

    def derivative(self, block: Block, sample: int) -> Array | None:
        """The derivative of the loss with respect to it; None where backward does not compute
        that. Of a weight or a bias it is that of all samples together.
        """
        kind = GRADIENT.get("a" if block.of.of_inputs and _is_input(block) else block.kind)
        if block.of.phase == LOSS:
            known = self._of_losses.get(block)
            return None if known is None else np.full((1, 1), known)
        if kind is None or (kind, block.layer) not in self.trace:
            return None
        return _part(self.trace.array(kind, block.layer), KINDS[kind], block, sample)

    @cached_property
    def _of_losses(self) -> dict[Block, float]:
        """The derivative of the loss with respect to what it is added up from: the products of
        the factors on the way.
        """
        whole = next(reversed(self.nodes))
        found = {whole: 1.0}
        for target in reversed(self.nodes):
            for edge in self.nodes[target]:
                if target not in found or edge.source.of.phase != LOSS:
                    continue
                factor = self.number(edge)
                if factor is not None:
                    found[edge.source] = found.get(edge.source, 0.0) + found[target] * factor
        return found

    def number(self, edge: Edge, sample: int = 1) -> float | None:
        """The number that a local derivative is, where it is none that the lesson names: 1, a
        factor, or the derivative of a sample's loss with respect to one output.
        """
        form, tree = edge.local.form, edge.local.tree
        if form == SAME:
            return 1.0
        if tree is None or form not in {FACTOR, OF_LOSS}:
            return None
        value = np.asarray(evaluate(tree, self.trace))
        if form == FACTOR:
            return float(value.reshape(()))
        unit = edge.source.units[0]
        return float(value[sample - 1, unit - 1]) if edge.source.single else None


def _is_input(block: Block) -> bool:
    """Whether these are the inputs as the first layer takes them."""
    return block.of.role == "data" and not block.of.letter


def _part(array: Array, of: Kind, block: Block, sample: int) -> Array:
    """The part of an array that a block stands for."""
    if of.role == "source":
        return array
    if of.per_sample:
        array = array[sample - 1 : sample]
    first, last = block.units
    if of.weights:
        return array[first - 1 : last, block.inputs[0] - 1 : block.inputs[1]]
    row: Array = np.atleast_2d(array)[:, first - 1 : last]
    return row


def _length(span: Span) -> int:
    return span[1] - span[0] + 1 if span != NOT_SPLIT else 1


# ---- the nodes ----


def layer_graph(trace: Trace, opened: Sequence[int] = ()) -> LayerGraph:
    """The graph of a network's iteration, with the units of some layers singly."""
    room = MOST_OPENED
    shown: list[int] = []
    for layer in dict.fromkeys(opened):
        needs = _nodes_of(trace, layer)
        if needs <= room:
            shown.append(layer)
            room -= needs
    closed = tuple(layer for layer in dict.fromkeys(opened) if layer not in shown)
    maker = _Maker(trace, frozenset(shown))
    return LayerGraph(trace, maker.nodes(), tuple(sorted(shown)), closed)


def _nodes_of(trace: Trace, layer: int) -> int:
    """How many nodes an open layer has."""
    arrays = [ArrayRef(*name) for name in trace if name[1] == layer]
    shown = [leaf for leaf in arrays if not leaf.kind.endswith("@")]
    maker = _Maker(trace, frozenset({layer}))
    kinds = [leaf for leaf in shown if KINDS[leaf.kind].phase in UP_TO]
    return sum(len(maker.blocks(leaf)) for leaf in kinds)


class _Maker:
    """Splits arrays into blocks and finds the edges between them."""

    def __init__(self, trace: Trace, opened: frozenset[int]) -> None:
        self.trace, self.opened = trace, opened
        self.sizes = trace.network.sizes

    def nodes(self) -> dict[Block, tuple[Edge, ...]]:
        """Every node with the edges into it."""
        made = {found.name: found for found in _definitions(self.trace)}
        found: dict[Block, tuple[Edge, ...]] = {}
        for definition in made.values():
            sources = tuple(_leaves(definition.tree))
            for leaf in sources:
                if (leaf.kind, leaf.layer) not in made:
                    found.update(dict.fromkeys(self.blocks(leaf), ()))
            for block in self.blocks(definition.leaf):
                found[block] = tuple(self._edges(block, definition, sources))
        return found

    def _edges(
        self, target: Block, definition: Definition, sources: Sequence[ArrayRef]
    ) -> Iterator[Edge]:
        for leaf in sources:
            local = self._local(definition, leaf)
            for source in self.blocks(leaf):
                if local.form not in BY_PLACE or _meet(source.units, target.units):
                    yield Edge(source, target, local)

    def _local(self, definition: Definition, leaf: ArrayRef) -> Local:
        """The local derivative of what is computed."""
        plan = self.trace.program.plan
        if Block(*definition.name).of.phase == LOSS and leaf == output_leaves(plan)[0]:
            return Local(OF_LOSS, loss_gradient(plan))
        return local_derivative(definition.tree, leaf)

    def blocks(self, leaf: ArrayRef) -> tuple[Block, ...]:
        """The nodes of an array."""
        of = KINDS[leaf.kind.rstrip("@")]
        if not of.axes:
            return (Block(leaf.kind, leaf.layer),)
        shape = self.trace.array(leaf.kind, leaf.layer).shape
        units = shape[0] if of.weights else shape[-1]
        if not (of.layered and leaf.layer in self.opened):
            inputs = (1, shape[1]) if of.weights else NOT_SPLIT
            return (Block(leaf.kind, leaf.layer, (1, units), inputs),)
        found = []
        for span in _singly(units):
            columns = self._columns(leaf.layer, span) if of.weights else [NOT_SPLIT]
            found += [Block(leaf.kind, leaf.layer, span, inputs) for inputs in columns]
        return tuple(found)

    def _columns(self, layer: int, units: Span) -> list[Span]:
        """The weights into a unit one by one, where there is room for all, else together."""
        inputs = self.sizes[layer - 1]
        singles = sum(_length(span) == 1 for span in _singly(self.sizes[layer]))
        if _length(units) > 1 or singles * inputs > MOST_WEIGHTS:
            return [(1, inputs)]
        return [(j, j) for j in range(1, inputs + 1)]


def _definitions(trace: Trace) -> Iterator[Definition]:
    """What is computed up to the loss. Of one sample alone its loss is that of the batch."""
    found = [d for d in trace.program.definitions if Block(*d.name).of.phase in UP_TO]
    found = [d for d in found if not d.leaf.kind.endswith("+@")]
    alone = {d.leaf: d for d in found if d.leaf.kind.endswith("@")} if trace.samples == 1 else {}
    for definition in found:
        own = next((leaf for leaf in alone if leaf in set(_leaves(definition.tree))), None)
        if definition.leaf not in alone:
            yield definition if own is None else replace(alone[own], leaf=definition.leaf)


def _leaves(tree: Node) -> Iterator[ArrayRef]:
    """What is written in a tree, numbers of the rule too, each once."""
    found = dict.fromkeys(
        ArrayRef(node.quantity.kind, node.quantity.layer) if isinstance(node, Ref) else node
        for node in walk(tree)
        if isinstance(node, ArrayRef | Ref)
    )
    yield from found


def _singly(units: int) -> list[Span]:
    """The units of an open layer: each, or of many the first few and all others together."""
    if units <= MOST_UNITS:
        return [(i, i) for i in range(1, units + 1)]
    return [*((i, i) for i in range(1, FIRST_UNITS + 1)), (FIRST_UNITS + 1, units)]


def _meet(one: Span, other: Span) -> bool:
    """Whether units belong together; what belongs to no unit belongs to all."""
    return NOT_SPLIT in {one, other} or (one[0] <= other[1] and other[0] <= one[1])


# ---- local derivatives ----


def local_derivative(tree: Node, leaf: ArrayRef) -> Local:
    """The derivative of what a tree computes with respect to one of its arrays."""
    match tree:
        case ArrayRef() if tree == leaf:
            return Local(SAME)
        case Sum():
            having = [term for term in tree.terms if leaf in set(_leaves(term))]
            return local_derivative(having[0], leaf) if len(having) == 1 else Local(OTHER)
        case Hadamard(terms=(one, other)) if leaf in {one, other}:
            return Local(DIAGONAL, other if leaf == one else one)
        case Apply(of=inner) if inner == leaf:
            return Local(FULL if tree.function.by_row else SLOPES, tree)
        case MatrixProduct(terms=(one, Transpose(of=other))) if leaf == one:
            return Local(ROWS, other)
        case MatrixProduct(terms=(one, Transpose(of=other))) if leaf == other:
            return Local(OUTER, one)
        case SumOver(of=inner) if inner == leaf:
            return Local(SAME)
        case Product():
            return _factor(tree, leaf)
        case _:
            return Local(OTHER)


def _factor(tree: Product, leaf: ArrayRef) -> Local:
    """The other factors, where one is the array, or its sum, and they are numbers without it."""
    having = [term for term in tree.terms if leaf in set(_leaves(term))]
    rest = tuple(term for term in tree.terms if term not in having)
    if len(having) != 1 or local_derivative(having[0], leaf).form != SAME:
        return Local(OTHER)
    return Local(FACTOR, rest[0] if len(rest) == 1 else Product(rest))

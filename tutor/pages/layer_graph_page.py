"""The computation graph of a network, collapsed by layer: a picture, and the same in two tables.

layer_graph_page(context, asked) -> LayerGraphPage
graph_asked(context, query)      what an address asks for, and what in it makes no sense
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tutor import number
from tutor.draw.layer_graph import NOTHING, Box, Figures, Joint, draw_boxes
from tutor.draw.marks import Room, fitted, symbol
from tutor.engine.kinds import KINDS, Kind
from tutor.engine.layer_graph import (
    DIAGONAL,
    FACTOR,
    FULL,
    OF_LOSS,
    OTHER,
    OUTER,
    ROWS,
    SAME,
    SLOPES,
    Block,
    Edge,
    Local,
    layer_graph,
)
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Array
from tutor.engine.tree import Apply, ArrayRef
from tutor.lesson.given import named
from tutor.lesson.titles import capital, every, function, place, stage_title
from tutor.lesson.walk import NEVER
from tutor.notation.conventions import Symbol, flipped
from tutor.notation.markup import Markup
from tutor.notation.mathml import role
from tutor.pages.context import Context
from tutor.pages.outline import Link, numbered
from tutor.pages.view import ALL_LAYERS, IGNORED, Ignored, short, whole
from tutor.pages.what_if import Changed, changed

MOST_SIDE, MOST_NUMBERS = 4, 12
"""A matrix with at most so many rows and columns, and numbers, is written out."""
ROOM, SMALL_ROOM = Room(5.4, 2), Room(3.7, 2)
"""The room for a number alone, and for one of several."""
MOST_OPEN_CHARACTERS = 200
ABOUT = (
    "Every array from the inputs to the loss is a node, so that a layer is a few of them. The "
    "forward pass goes along the arrows, the backward pass against them: it multiplies the "
    "derivative below a node by what stands on an edge, for the node where the edge begins. Where "
    "several edges begin at a node, it adds what comes back along them."
)
LENGTHS = (
    "A node with too many numbers shows its shape and its length ‖·‖, the root of the sum of all "
    "squares."
)
PENALISED = (
    "The derivatives of weights and biases are those of the loss on the data. What the penalty "
    "adds to those of the weights is added in the update."
)
IDENTITY = Symbol("I")
WEIGHTS_TOGETHER = "the weights into a unit share a node"
SHORT = 4
"""A function with a name of at most so many letters has it on the edge."""


@dataclass(frozen=True, slots=True)
class GraphAsked:
    """What is asked for: the layers whose units stand singly, and a sample."""

    opened: tuple[int, ...] = ()
    sample: int = 1


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node in words."""

    key: str
    symbol: Markup
    href: str
    """Its own page, where it is a number."""
    title: str
    shape: str
    made_from: tuple[Markup, ...]
    used_by: tuple[Markup, ...]
    value: str
    derivative: str
    step: str
    step_href: str


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """An edge in words."""

    source: Markup
    target: Markup
    local: Markup | str
    words: str
    href: str


@dataclass(frozen=True, slots=True)
class LayerGraphPage:
    """The computation graph of a network."""

    title: str
    home: Link
    about: tuple[str, ...]
    layers: tuple[Link, ...]
    """Each opens its layer, or closes it where it is open."""
    samples: tuple[Link, ...]
    diagram: Markup
    nodes: tuple[NodeRow, ...]
    edges: tuple[EdgeRow, ...]
    changed: Changed | None
    notices: tuple[str, ...]
    variant: str


class _Maker:
    """Makes the nodes and edges of one page."""

    def __init__(self, context: Context, asked: GraphAsked) -> None:
        self.context, self.trace, self.asked = context, context.trace, asked
        self.network = context.trace.network
        self.sample = asked.sample if context.trace.samples > 1 else 0
        self.graph = layer_graph(context.trace, asked.opened)
        self.keys = {block: f"node-{n}" for n, block in enumerate(self.graph.nodes, 1)}
        self.layers = context.lesson.walk("layer")
        self.walk = context.lesson.walk("number")
        self.stopped = context.trace.stop is not None
        self._values = {block: self._value(block) for block in self.graph.nodes}
        self._derivatives = {block: self._derivative(block) for block in self.graph.nodes}

    # ---- numbers ----

    def value(self, block: Block) -> Array | None:
        """The numbers of a node, as the lecture turns them; None behind the end of the walk."""
        return self._values[block]

    def derivative(self, block: Block) -> Array | None:
        """The derivative of the loss with respect to a node, where there is one."""
        return self._derivatives[block]

    def _value(self, block: Block) -> Array | None:
        q = block.quantity(self.sample)
        if self.stopped and not self.walk.starts_from(q) and self.walk.place(q) == NEVER:
            return None
        return self.turned(block.of, self.graph.numbers(block, self.asked.sample))

    def _derivative(self, block: Block) -> Array | None:
        found = self.graph.derivative(block, self.asked.sample)
        if found is None or (self.stopped and not self.trace.blocked):
            return None
        return self.turned(block.of, found)

    def turned(self, of: Kind, array: Array) -> Array:
        """A matrix the way the lecture writes it."""
        return array.T if of.axes and flipped(of.name, self.context.notation) else array

    def text(self, array: Array | None) -> str:
        """Numbers in words: rows behind semicolons."""
        if array is None:
            return "–"
        decimals = self.context.decimals
        if not written_out(array):
            return f"length {number.shown(float(np.linalg.norm(array)), decimals)}"
        rows = (", ".join(number.shown(float(v), decimals) for v in row) for row in array)
        return "; ".join(rows)

    def figures(self, array: Array | None) -> Figures:
        """The same as the picture has them."""
        if array is None:
            return NOTHING
        decimals = self.context.decimals
        if not written_out(array):
            text, _, _ = fitted(float(np.linalg.norm(array)), decimals, ROOM)
            return Figures(((f"[{shape(array)}]",), (f"‖·‖ {text}",)), 1)
        if array.size == 1:
            text, _, size = fitted(float(array.flat[0]), decimals, ROOM)
            return Figures(((text,),), size)
        rows = tuple(tuple(fitted(float(v), decimals, SMALL_ROOM)[0] for v in row) for row in array)
        return Figures(rows, 2, fenced=True)

    # ---- names ----

    def symbol(self, block: Block) -> Symbol:
        """The symbol of a node; that of a part of a matrix says which part it is."""
        alphabet = self.context.alphabet
        if block.single:
            return alphabet.symbol(block.quantity(self.sample))
        of_sample = self.sample if block.of.per_sample and block.of.role != "source" else 0
        matrix = alphabet.matrix(block.kind, block.layer, of_sample)
        if block.units == self.all_units(block):
            return matrix
        return self.part(block.kind, matrix, self._range(block.units))

    def part(self, kind: str, matrix: Symbol, rows: str = "", columns: str = "") -> Symbol:
        """Some rows or columns of a matrix."""
        if not KINDS[kind].weights:
            return replace(matrix, sub=f"{matrix.sub}{',' if matrix.sub else ''}{rows}")
        turned = flipped(kind, self.context.notation)
        down, across = (columns, rows) if turned else (rows, columns)
        return replace(matrix, sub=f"{down or '·'},{across or '·'}")

    def all_units(self, block: Block) -> tuple[int, int]:
        """The span of the whole array."""
        array = self.trace.array(block.kind, block.layer)
        return 1, array.shape[0] if block.of.weights else array.shape[-1]

    def written(self, block: Block) -> Markup:
        """The symbol of a node as a formula."""
        return self.context.line.letter(self.symbol(block), block.of.name)

    def title(self, block: Block) -> str:
        """What a node is."""
        of = block.of
        if block.single:
            return named(self.trace, block.quantity(self.sample))
        if (of.given and of.role == "parameter") or not of.given:
            text = stage_title(self.trace, Stage(of.phase, of.name, block.layer))
        else:
            noun, space, rest = of.words.partition(" ")
            text = f"{capital(noun)}s{space}{rest}"
            if of.role == "mask":
                text = f"{capital(of.words)} of {place(self.network, block.layer)}"
        return f"{text}{self._of_units(block)}"

    def _of_units(self, block: Block) -> str:
        first, last = block.units
        if not block.of.axes or (first, last) == self.all_units(block):
            return ""
        return f", unit {first}" if first == last else f", units {first} to {last}"

    # ---- places ----

    def page(self, block: Block) -> str:
        """The page of a node that is one number."""
        if not block.single or self.value(block) is None:
            return ""
        name = str(block.quantity(self.sample))
        return self.context.view.bare.quantity(self.context.source.id, name)

    def step(self, block: Block) -> tuple[str, str]:
        """The step that makes a node, and its address."""
        q = block.quantity(self.sample)
        walk = self.walk if block.single else self.layers
        n = walk.place(q)
        if walk.starts_from(q) or n == 0:
            return "given", ""
        if n == NEVER:
            return "–", ""
        view = replace(self.context.view.bare, grain=walk.grain)
        return f"step {n}", view.address(self.context.source.id, n)

    def jacobian(self, edge: Edge) -> str:
        """The page with the Jacobian of an edge."""
        if self.trace.blocked or edge.local.form not in {SLOPES, FULL, ROWS, OUTER}:
            return ""
        asked = [f"sample={self.sample}"] if self.sample > 1 else []
        unit, column = edge.source.units[0], edge.source.inputs[0]
        if edge.local.form == OUTER and edge.source.single and (unit, column) != (1, 1):
            asked.append(f"mark={unit},{column}")
        view, id_ = self.context.view, self.context.source.id
        return view.jacobians(id_, edge.target.layer, "&".join(asked))

    # ---- edges ----

    def local(self, edge: Edge) -> tuple[str, Markup | str]:
        """The local derivative in the picture and in the table; nothing where the loss is not
        differentiated along the edge.
        """
        if self.derivative(edge.source) is None or self.derivative(edge.target) is None:
            return "", "–"
        form = edge.local.form
        value = self._number(edge)
        if value is not None:
            text = fitted(value, self.context.decimals, SMALL_ROOM)[0]
            return text, number.shown(value, self.context.decimals)
        if form == SAME or (form == SLOPES and self._identity(edge.local)):
            if 1 in {edge.source.size, edge.target.size}:
                return "1", "1"
            return symbol(IDENTITY), self.context.line.letter(IDENTITY)
        found = self._of_matrix(edge)
        if found is not None:
            matrix, kind, mark = found
            return f"{symbol(matrix)}{mark}", self._marked(matrix, kind, mark)
        return self._fraction(edge)

    def _number(self, edge: Edge) -> float | None:
        """The local derivative where it is one number other than 1."""
        q = edge.entry(self.sample)
        if q is not None and self._there(q):
            return self.trace.value(q)
        return None if edge.local.form == SAME else self.graph.number(edge, self.asked.sample)

    def _there(self, q: Quantity) -> bool:
        try:
            self.trace.value(q)
        except KeyError:
            return False
        return True

    def _identity(self, local: Local) -> bool:
        return isinstance(local.tree, Apply) and local.tree.function.name == "identity"

    def _of_matrix(self, edge: Edge) -> tuple[Symbol, str, str] | None:
        """The matrix that a local derivative is, its kind, and the ᵀ behind it."""
        leaf, form = edge.local.tree, edge.local.form
        if not isinstance(leaf, ArrayRef) or form not in {ROWS, OUTER, DIAGONAL}:
            return None
        notation = self.context.notation
        turned = flipped(leaf.kind, notation)
        if form == ROWS:
            whole = Block(leaf.kind, leaf.layer, edge.target.units, edge.source.units)
            return self._weights(whole), leaf.kind, "ᵀ" * turned
        array = self.trace.array(leaf.kind, leaf.layer)
        whole = Block(leaf.kind, leaf.layer, (1, array.shape[-1]))
        turned = turned != flipped(edge.source.kind, notation)
        mark = "ᵀ" if form == OUTER and turned and not whole.single else ""
        return self.symbol(whole), leaf.kind, mark

    def _weights(self, block: Block) -> Symbol:
        """The weights into some units from some others: a matrix, or rows or columns of it."""
        matrix = self.context.alphabet.matrix(block.kind, block.layer)
        array = self.trace.array(block.kind, block.layer)
        rows, columns = (
            "" if span == (1, n) else self._range(span)
            for span, n in zip((block.units, block.inputs), array.shape, strict=True)
        )
        return self.part(block.kind, matrix, rows, columns) if rows or columns else matrix

    def _range(self, span: tuple[int, int]) -> str:
        first, last = span
        return str(first) if first == last else f"{first}…{last}"

    def _marked(self, matrix: Symbol, kind: str, mark: str) -> Markup:
        sup = (*matrix.sup, "T") if mark else matrix.sup
        said = (*matrix.said, "transposed") if mark else matrix.said
        return self.context.line.letter(replace(matrix, sup=sup, said=said), kind)

    def _fraction(self, edge: Edge) -> tuple[str, Markup | str]:
        """∂target/∂source; of a function with a short name σ′(z)."""
        target, source = edge.target, edge.source
        line = self.context.line
        drawn = f"∂{symbol(self.symbol(target))}/∂{symbol(self.symbol(source))}"
        tree = edge.local.tree
        if edge.local.form == SLOPES and isinstance(tree, Apply) and len(tree.name) <= SHORT:
            drawn = f"{tree.name}′({symbol(self.symbol(source))})"
        return drawn, line.ratio(self.symbol(target), self.symbol(source))

    def words(self, edge: Edge) -> str:
        """The local derivative in words."""
        if self.derivative(edge.source) is None or self.derivative(edge.target) is None:
            return "the backward pass does not go along it"
        form, single = edge.local.form, 1 in {edge.source.size, edge.target.size}
        if form in {SLOPES, FULL}:
            name = function(self.network.layer(edge.target.layer).activation)
            if form == FULL:
                return f"an entry of the {name} Jacobian" if single else f"the {name} Jacobian"
            return f"the slope of the {name}" if single else f"the slopes of the {name}, diagonal"
        one = edge.source.size == 1
        return {
            SAME: "passed on unchanged" if single else "passed on unchanged, the identity",
            DIAGONAL: "what it is multiplied by" + ("" if single else ", diagonal"),
            ROWS: "the weight" if one and edge.target.size == 1 else "the weights",
            OUTER: f"what the weight{'' if one else 's'} {'is' if one else 'are'} multiplied by",
            FACTOR: "what it is multiplied by",
            OF_LOSS: f"the derivative{'' if one else 's'} of the loss formula",
            OTHER: "the derivative of its formula",
        }[form]

    # ---- the whole ----

    def boxes(self) -> dict[str, Box]:
        """The nodes as the picture has them."""
        return {self.keys[block]: self._box(block) for block in self.graph.nodes}

    def _box(self, block: Block) -> Box:
        edges = self.graph.nodes[block]
        href = self.page(block) or self.step(block)[1] or f"#{self.keys[block]}"
        return Box(
            symbol(self.symbol(block)), role(block.of.name), not edges, self.title(block), href,
            self.figures(self.value(block)), self.figures(self.derivative(block)),
            tuple(self._joint(edge) for edge in spread(edges)), f"{block.kind}{block.layer}",
        )  # fmt: skip

    def _joint(self, edge: Edge) -> Joint:
        drawn, _ = self.local(edge)
        symbols = self.symbol(edge.target), self.symbol(edge.source)
        said = f"Local {self.context.line.spoken_ratio(*symbols)}: {self.words(edge)}"
        return Joint(self.keys[edge.source], drawn, self.jacobian(edge) if drawn else "", said)

    def node(self, block: Block) -> NodeRow:
        """A node in words."""
        graph, value = self.graph, self.graph.numbers(block, self.asked.sample)
        step, step_href = self.step(block)
        of = self.turned(block.of, value)
        return NodeRow(
            self.keys[block], self.written(block), self.page(block), self.title(block),
            "a number" if of.size == 1 else shape(of),
            tuple(self.written(edge.source) for edge in graph.nodes[block]),
            tuple(self.written(edge.target) for edge in graph.uses[block]),
            self.text(self.value(block)), self.text(self.derivative(block)), step, step_href,
        )  # fmt: skip

    def edge(self, edge: Edge) -> EdgeRow:
        """An edge in words."""
        _, local = self.local(edge)
        href = self.jacobian(edge) if local != "–" else ""
        return EdgeRow(
            self.written(edge.source), self.written(edge.target), local, self.words(edge), href
        )

    def about(self) -> Iterator[str]:
        """What one has to know to read the picture."""
        yield ABOUT
        trace = self.trace
        if trace.samples > 1:
            whole_loss = "mean" if self.network.reduction == "mean" else "sum"
            yield (
                f"It is drawn for sample {self.asked.sample}. The loss is the {whole_loss} over "
                f"{every(trace.samples, 'sample')}, and the derivatives of weights and biases are "
                "those of all samples together."
            )
        if any(not written_out(self.graph.numbers(b, self.asked.sample)) for b in self.keys):
            yield LENGTHS
        if self.network.rule.penalty:
            yield PENALISED
        yield from map(self._of_layer, self.graph.opened)
        if trace.stop is not None:
            yield f"The walk ends at {trace.stop.quantity}; what comes behind it is left open."

    def _of_layer(self, layer: int) -> str:
        """Which units of an open layer have nodes of their own."""
        blocks = [b for b in self.graph.nodes if b.layer == layer]
        together = [b for b in blocks if b.units[1] > b.units[0]]
        rows = any(b.of.weights and not b.single and b.units[0] == b.units[1] for b in blocks)
        where, units = place(self.network, layer), self.network.sizes[layer]
        if not together:
            more = f"; {WEIGHTS_TOGETHER}" if rows else ""
            which = "The unit" if units == 1 else f"Each of the {units} units"
            return f"{which} of {where} has nodes of its own{more}."
        first = together[0].units[0] - 1
        more = f", and {WEIGHTS_TOGETHER}" if rows else ""
        return (
            f"Of the {units:,} units of {where} the first {first} have nodes of their own; the "
            f"other {units - first:,} share theirs{more}."
        )

    def notices(self) -> Iterator[str]:
        """Which layers were to be opened in vain."""
        for layer in self.graph.closed:
            yield (
                f"The picture would be too large with {place(self.network, layer)} open as well, "
                "so it stays closed. Close another layer first."
            )

    def layer_links(self) -> Iterator[Link]:
        opened, every_layer = self.graph.opened, range(1, self.network.depth + 1)
        for layer in every_layer:
            now = layer in opened
            after = tuple(sorted(set(opened) ^ {layer}))
            word = "Close" if now else "Open"
            yield Link(f"{word} {place(self.network, layer)}", self._with_open(after), now)
        if len(every_layer) - len(opened) > 1 and not self.graph.closed:
            yield Link("Open all layers", self._with_open(every_layer))
        if len(opened) > 1:
            yield Link("Close all layers", self._with_open(()))

    def _with_open(self, layers: Sequence[int]) -> str:
        """The address of the graph with some layers open."""
        return f"{self._address(layers, self.asked.sample)}#layers"

    def _address(self, layers: Sequence[int], sample: int) -> str:
        depth = self.network.depth
        opened = (ALL_LAYERS,) if len(layers) == depth > 1 else layers
        return self.context.view.layer_graph(self.context.source.id, opened, sample)

    def sample_links(self) -> tuple[Link, ...]:
        """The same graph for another sample."""
        return numbered(
            self.trace.samples, self.asked.sample, lambda s: self._address(self.asked.opened, s)
        )


def spread(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """The edges into a node from above to below: what a layer takes from the one before between its
    weights and biases, so that layers stand in a row.
    """
    own = [edge for edge in edges if edge.source.of.parameter]
    others = [edge for edge in edges if not edge.source.of.parameter]
    middle = (len(own) + 1) // 2
    return (*own[:middle], *others, *own[middle:])


def written_out(array: Array) -> bool:
    """Whether there is room for all numbers of a matrix."""
    return max(array.shape) <= MOST_SIDE and array.size <= MOST_NUMBERS


def shape(array: Array) -> str:
    """Rows and columns."""
    return f"{array.shape[0]:,}×{array.shape[1]:,}"


def layer_graph_page(
    context: Context, asked: GraphAsked, notices: tuple[str, ...] = ()
) -> LayerGraphPage:
    """The page of a network's graph."""
    maker = _Maker(context, asked)
    graph = maker.graph
    title = f"Computation graph of the {context.trace.network.shape} network"
    about = tuple(maker.about())
    edges = [edge for into in graph.nodes.values() for edge in into]
    return LayerGraphPage(
        title, Link(context.lesson.scenario.title, context.home), about,
        tuple(maker.layer_links()), maker.sample_links(),
        draw_boxes(maker.boxes(), title, ABOUT),
        tuple(map(maker.node, graph.nodes)), tuple(map(maker.edge, edges)),
        changed(context, None), (*notices, *maker.notices()), context.variant,
    )  # fmt: skip


def graph_asked(
    context: Context, query: Mapping[str, str]
) -> tuple[GraphAsked, tuple[Ignored, ...]]:
    """What an address asks for, and what in it makes no sense."""
    ignored: list[Ignored] = []
    depth = context.trace.network.depth
    sample = whole(query, "sample", 1, context.trace.samples, 1, ignored) or 1
    opened: list[int] = []
    parts = query.get("open", "")[:MOST_OPEN_CHARACTERS].split(",")
    for text in filter(None, map(str.strip, parts)):
        layer = number.whole(text, 1, depth)
        if text == ALL_LAYERS:
            opened += range(1, depth + 1)
        elif layer is not None:
            opened.append(layer)
        else:
            layers = "has only layer 1" if depth == 1 else f"has layers 1 to {depth}"
            what = f"There is no layer “{short(text)}” to open; this lesson {layers}"
            ignored.append(Ignored(what, IGNORED))
    return GraphAsked(tuple(dict.fromkeys(opened)), sample), tuple(ignored)

"""The Jacobians of one node of a formula, with shapes and numbers, in either layout; and the row of
derivatives that comes back times each of them.

    graph_jacobians_page(context, name, layout) -> GraphJacobiansPage
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tutor import suggestion
from tutor.engine.graph import Graph, GraphNode, Use, quantity
from tutor.engine.graph_jacobians import LocalJacobian, has_matrix, place_at, uses_of
from tutor.engine.kinds import local_kind
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Partial, Product, Ref
from tutor.errors import LessonError
from tutor.lesson.graph_words import explain_stop
from tutor.notation.conventions import Symbol
from tutor.notation.markup import Markup
from tutor.notation.writer import NUMBERS, RULE, SYMBOLS
from tutor.number import counted
from tutor.pages.cells import GAP, Row, Table, TextTable, some
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_step import CSS, graph_changed
from tutor.pages.matrices import (
    DENOMINATOR,
    MOST_COLUMNS,
    NUMERATOR,
    Layout,
    Piece,
    Section,
    explained,
    layouts,
)
from tutor.pages.outline import Link
from tutor.pages.what_if import Changed
from tutor.scenario.problem import quotable

MOST_NODES = 24
"""Links to other nodes."""
MOST_INPUTS = 6
"""Inputs of one node whose Jacobians are shown; a sum may have hundreds."""
MOST_ENTRIES = 12
"""Entries of a diagonal that are written out."""
NO_ARRAYS = (
    "this formula has single numbers only, so each Jacobian is one local derivative; they stand on "
    "the edges of its graph"
)


@dataclass(frozen=True, slots=True)
class JacobianPart:
    """The Jacobian of the node with respect to one input."""

    heading: str
    symbol: Markup
    why: str
    sizes: str
    """Its rows and columns in words, and what of them is shown."""
    jacobian: Table
    back: Section | None
    """What comes back times the Jacobian."""
    left_out: str
    """Why nothing comes back, or ""."""
    opened: TextTable | None
    """Of a diagonal: entry by entry."""
    opened_why: str


@dataclass(frozen=True, slots=True)
class GraphJacobiansPage:
    """All Jacobians of a node."""

    title: str
    home: Link
    nodes: tuple[Link, ...]
    layouts: tuple[Link, ...]
    about: str
    parts: tuple[JacobianPart, ...]
    more: str
    """How many inputs are left out, or ""."""
    step: Link | None
    """The step that makes the node."""
    notices: tuple[str, ...]
    changed: Changed | None
    variant: str
    css: str = CSS


def nodes_with(graph: Graph) -> tuple[GraphNode, ...]:
    """The nodes that have matrices to look at."""
    return tuple(filter(has_matrix, graph.inner))


def first_address(context: GraphContext) -> str:
    """The address of the node that one begins with. Raises LessonError where none has a Jacobian to
    look at.
    """
    return context.view.jacobians(context.source.id, _listed(context)[0].name)


def _listed(context: GraphContext) -> tuple[GraphNode, ...]:
    """The nodes that have Jacobians. Raises LessonError where there are none, or the walk does not
    come to its end.
    """
    stop, found = context.lesson.stop, nodes_with(context.graph)
    if stop:
        raise LessonError(explain_stop(context.trace, stop).removesuffix("."))
    if not found:
        raise LessonError(NO_ARRAYS)
    return found


def node_asked(graph: Graph, name: str) -> GraphNode:
    """The node of this name. Raises LessonError where nothing computed is called so."""
    node = graph.by_name.get(name)
    if node is not None and not node.given:
        return node
    known = [one.name for one in nodes_with(graph)]
    listed = ", ".join([*known[:MOST_NODES], *(["…"] if len(known) > MOST_NODES else [])])
    if node is not None:
        what = (
            f"the value {name} is given, not computed, so it has no Jacobian; those that have are"
        )
        raise LessonError(f"{what} {listed}")
    close = suggestion.meant(name, known)
    advice = f"did you mean {close}?" if close else f"those with Jacobians are {listed}"
    raise LessonError(f"there is no node “{quotable(name, 30)}” in this graph; {advice}")


def graph_jacobians_page(
    context: GraphContext, name: str, layout: str, notices: tuple[str, ...] = ()
) -> GraphJacobiansPage:
    """The page of a node by its name. Raises LessonError where there is no such page."""
    found = _listed(context)
    node = node_asked(context.graph, name)
    uses = uses_of(node)
    left_out = len(uses) - MOST_INPUTS
    n = context.step_of(next(node.entries()))

    def address(name: str, layout: str) -> str:
        asked = f"{context.view.asked.layout}={layout}" if layout != NUMERATOR else ""
        return context.view.jacobians(context.source.id, name, asked)

    return GraphJacobiansPage(
        f"Jacobians of {node.name}: {node.operation.title}",
        Link(context.lesson.scenario.title, context.home),
        tuple(
            Link(one.name, address(one.name, layout), one is node) for one in _near(found, node)
        ),
        layouts(layout, lambda other: address(node.name, other)),
        explained(layout, f"the result {context.graph.result.name}"),
        tuple(_Part(context, use, turned=layout == DENOMINATOR).part for use in uses[:MOST_INPUTS]),
        f"and {counted(left_out, 'more input')}" if left_out > 0 else "",
        Link(f"Step {n}", context.address(n)) if n > 0 else None,
        notices, graph_changed(context, None), context.variant,
    )  # fmt: skip


def _near(found: tuple[GraphNode, ...], node: GraphNode) -> Iterator[GraphNode]:
    """The nodes that are linked: all of them, or those around this one."""
    here = found.index(node) if node in found else 0
    start = max(0, min(here - MOST_NODES // 2, len(found) - MOST_NODES))
    yield from found[start : start + MOST_NODES]


class _Part(Layout):
    """Makes the words and tables of one Jacobian."""

    context: GraphContext

    def __init__(self, context: GraphContext, use: Use, *, turned: bool) -> None:
        super().__init__(context, turned=turned)
        self.graph, self.line, self.use = context.graph, context.line, use
        self.found = LocalJacobian(context.trace, use)
        self.node, self.below = self.found.node, self.found.below
        self.rows, self.columns = self.found.shape

    @property
    def part(self) -> JacobianPart:
        """All of it."""
        node, below = self.node, self.below
        differentiated = below.kind in self.graph.needed
        diagonal = differentiated and self.found.diagonal
        why = f"{node.name} {node.operation.about.removeprefix('It ')}"
        return JacobianPart(
            f"{node.name} with respect to {below.name}{self._which}",
            self.symbol,
            f"{why} {node.operation.pattern(self.use.k, node.made)}",
            self._sizes,
            self._with_headers,
            self._back if differentiated else None,
            "" if differentiated else self._not_back,
            *((self._opened, self._opened_why) if diagonal else (None, "")),
        )

    @property
    def _which(self) -> str:
        """Which of its inputs, where the same one comes twice."""
        leaves = [use.by.made.arguments[use.k] for use in uses_of(self.node)]
        twice = leaves.count(self.below.leaf) > 1
        return f", as input {self.use.k + 1}" if twice else ""

    @cached_property
    def symbol(self) -> Markup:
        """∂node/∂input"""
        return self.line.ratio(self._symbol(self.node), self._symbol(self.below))

    def _symbol(self, node: GraphNode) -> Symbol:
        alphabet = self.context.alphabet
        if node.shape:
            return alphabet.matrix(node.kind, 0)
        return alphabet.symbol(quantity(node.kind))

    @property
    def _sizes(self) -> str:
        """`3 rows, one for each entry of c, and 5 columns, one for each entry of x`."""
        ends = [(self.rows, self.node), (self.columns, self.below)]
        (down, top), (across, beside) = ends[::-1] if self.turned else ends
        said = (
            f"It has {counted(down, 'row')}, one for each entry of {top.name}, and "
            f"{counted(across, 'column')}, one for each entry of {beside.name}."
        )
        flat = list(dict.fromkeys(node.name for _, node in ends if len(node.shape) == 2))
        if flat:
            said += f" The entries of {' and '.join(flat)} are taken row by row."
        if max(self.rows, self.columns) > MOST_COLUMNS:
            said += " It is large, so the first rows and columns and the last are shown."
        return said

    def _entry(self, i: int, j: int) -> tuple[float, Quantity | None]:
        """A number of the Jacobian; where it is a number of the graph, its name."""
        tree = self.found.tree(i, j)
        return self.found.entry(i, j), tree.quantity if isinstance(tree, Ref) else None

    @property
    def _with_headers(self) -> Table:
        """The Jacobian with a header for each row and each column."""
        top, beside = (self.below, self.node)[:: -1 if self.turned else 1]
        down, across = (self.rows, self.columns)[:: -1 if self.turned else 1]
        columns = some(across, (), MOST_COLUMNS)
        rows = tuple(
            Row(
                "⋮" if r == GAP else self._name(beside, r),
                self.cells(r, columns, self._entry, turned=self.turned),
            )
            for r in some(down, (), MOST_COLUMNS)
        )
        named = tuple("⋯" if c == GAP else self._name(top, c) for c in columns)
        caption = f"Derivatives of {self.node.name} with respect to {self.below.name}"
        return Table(caption, named, rows, self.symbol, f"{down}×{across}")

    def _name(self, node: GraphNode, n: int) -> Markup:
        return self.line.quantity(quantity(node.kind, place_at(node, n)))

    # ---- what comes back, times the Jacobian ----

    @property
    def _back(self) -> Section:
        name, below = self.graph.result.name, self.below.name
        alone = len(self.graph.parts(self.below)) == 1
        why = (
            f"What comes back to {self.node.name}, times the Jacobian, is passed on to {below}: "
            "a vector-Jacobian product. Backpropagation computes it without ever storing the "
            "Jacobian."
        )
        if not alone:
            uses = len(self.graph.parts(self.below))
            why += (
                f" {below} is used {counted(uses, 'time')}; this is one of the parts that are "
                f"added to d{name}/d{below}."
            )
        pieces = (
            *self.product(self._row_of(self.node), self._plain),
            Piece(self._sign, self._row_of(self.below) if alone else self._one_part),
        )
        return Section(f"Back to {below}", why, pieces)

    @property
    def _sign(self) -> str:
        """On paper the row of the input is rounded."""
        array = self.found.passed_on.ravel().tolist()
        return "=" if array == [self._passed(n) for n in range(1, self.columns + 1)] else "≈"

    def _passed(self, n: int) -> float:
        """What is passed on to entry n, as it is carried on."""
        return self.context.trace.written(float(self.found.passed_on.ravel()[n - 1]))

    @property
    def _plain(self) -> Table:
        return self.matrix(self.symbol, self.rows, self.columns, self._entry)

    def _row_of(self, node: GraphNode) -> Table:
        """The derivatives of the result with respect to a node, as a row."""
        kind = self.graph.derivative(node).kind

        def entry(_: int, n: int) -> tuple[float, Quantity | None]:
            q = quantity(kind, place_at(node, n))
            return self.context.trace.value(q), q

        symbol = self.line.matrix(kind, 0) if node.shape else self.line.quantity(quantity(kind))
        return self.matrix(symbol, 1, node.size, entry)

    @property
    def _one_part(self) -> Table:
        return self.matrix("", 1, self.columns, lambda _, n: (self._passed(n), None))

    @property
    def _not_back(self) -> str:
        return (
            f"This lesson does not differentiate with respect to {self.below.name}, so nothing is "
            "passed on to it."
        )

    @property
    def _opened(self) -> TextTable:
        """A diagonal entry by entry: what comes back, times the entry."""
        rows = tuple(
            ("⋮",) * 5 if n == GAP else (self._name(self.below, n), *self._lines(n))
            for n in some(self.columns, (), MOST_ENTRIES)
        )
        columns = ("Passed on to", "Chain rule", "Symbols", "Numbers", "Result")
        caption = f"Back to {self.below.name} without a matrix, entry by entry"
        return TextTable(caption, columns, rows)

    @property
    def _opened_why(self) -> str:
        n = self.columns
        if n == 1:
            return ""
        return (
            f"All products with what is beside the diagonal are 0, so {n:,} products do what the "
            f"matrix would take {n * n:,} for. Nobody builds the matrix: what comes back is "
            "multiplied by the diagonal element by element, which is written ⊙."
        )

    def _lines(self, n: int) -> tuple[Markup, ...]:
        """What comes back to entry n, times what stands on the diagonal: rule, symbols, numbers,
        result.
        """
        context, place = self.context, place_at(self.below, n)
        top, bottom = (quantity(node.kind, place) for node in (self.node, self.below))
        kind = local_kind(self.node.name, self.use.k, self.below.kind)
        came = Ref(quantity(self.graph.derivative(self.node).kind, place))
        tree = Product((came, Partial(self.found.tree(n, n), top, bottom, kind)))
        value = self._passed(n)
        line = self.line.on(context.trace)
        more = context.formulas.digits(tree, value).more
        sign = context.formulas.equals(value, tree)
        return (
            line.tree(tree, RULE),
            line.tree(tree, SYMBOLS, "="),
            line.tree(tree, NUMBERS, "=", more),
            line.value(value, sign),
        )

"""The formulas of a computation graph: of one number, of a whole node, of many nodes in short."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.engine.graph import GraphNode, as_shown, place_of, quantity
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.kinds import LOCAL
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef, Named, Node, Number, Ref, evaluate, leaves, walk
from tutor.lesson.formula import Formula, FormulaLine, Lines, LineWriter
from tutor.lesson.graph_lesson import Computed
from tutor.notation.conventions import Alphabet
from tutor.notation.mathml import Line
from tutor.notation.writer import NUMBERS, SYMBOLS, Hidden

MOST_MARKED = 64
"""So many numbers of an array are marked where a step uses or makes all of it."""


class GraphFormulaWriter(LineWriter):
    """Writes the formulas of one graph; as MathML where no other `lines` are given."""

    def __init__(
        self,
        trace: GraphTrace,
        alphabet: Alphabet,
        decimals: int,
        hidden: Hidden | None = None,
        lines: Lines | None = None,
    ) -> None:
        super().__init__(trace, decimals, lines or Line(alphabet, decimals, hidden, env=trace))
        self.trace, self.graph = trace, trace.graph

    def number(self, q: Quantity) -> Formula:
        """The formula of one number."""
        tree, name = self.trees(q)
        value = self.trace.value(q)
        digits = self.digits(tree, value)
        named = (
            () if name is None else (FormulaLine("in short", self.line.tree(name, SYMBOLS, "=")),)
        )
        lines = self._lines(tree, "=", q, value, digits)
        return Formula(
            self.line.quantity(q),
            lines[-1:] if isinstance(tree, Number) else (*named, *lines),
            uses=frozenset(ref.quantity for ref in leaves(tree, self.trace)),
            makes=frozenset({q}),
            names=tuple(self._names(tree)),
        )

    def _names(self, tree: Node) -> Iterator[Formula]:
        """What has a name of its own in a tree, in reading order."""
        for named in dict.fromkeys(part for part in walk(tree) if isinstance(part, Named)):
            value = float(evaluate(named, self.trace))
            digits = self.digits(named.of, value)
            numbers = self.line.tree(named.of, NUMBERS, "=", digits.more)
            written = self.line.tree(named, NUMBERS, self.equals(value, named.of))
            yield Formula(
                self.line.tree(named, SYMBOLS),
                (
                    FormulaLine("symbols", self.line.tree(named.of, SYMBOLS, "=")),
                    FormulaLine("numbers", numbers, self._of_numbers(digits, named.of)),
                    FormulaLine("value", written),
                ),
            )

    def trees(self, q: Quantity) -> tuple[Node, Node | None]:
        """The tree of one number, and the same with a function's name where it has one."""
        tree = self.graph.tree(q)
        if q.of.by:
            return tree, None
        named = self.graph.entry(self.graph.nodes[q.kind], place_of(q))
        return tree, None if tree == named else named

    def whole(self, computed: Computed, *, brief: bool = False) -> Formula:
        """The formula of a whole node, or of the derivative with respect to it; `brief`: with its
        symbols and its result alone.
        """
        kind, node = computed
        if not node.shape:
            formula = self.number(quantity(kind))
            return self._shortened(formula) if brief else formula
        tree, made = self.whole_tree(computed), ArrayRef(kind)
        digits = self.digits(tree, made.value(self.trace))
        arrays = dict.fromkeys(leaf for leaf in walk(tree) if isinstance(leaf, Ref | ArrayRef))
        return Formula(
            self.line.matrix(kind, 0),
            tuple(self._matrix_lines(tree, made, "=", digits, brief=brief)),
            uses=frozenset(q for leaf in arrays for q in self._members(leaf)),
            makes=frozenset(self._members(made)),
        )

    def whole_tree(self, computed: Computed) -> Node:
        """The tree of a whole array, as formulas have it."""
        kind, node = computed
        of = quantity(kind).of
        tree = self.graph.shown_tree(node) if of.by else self.graph.forward_tree(node)
        return as_shown(tree, self.graph)

    def _members(self, leaf: Ref | ArrayRef) -> Iterator[Quantity]:
        """The numbers of an array that can be marked."""
        if isinstance(leaf, Ref):
            yield leaf.quantity
            return
        if leaf.kind.startswith(LOCAL):
            return
        node: GraphNode = self.graph.nodes[quantity(leaf.kind).of.by or leaf.kind]
        for n, q in enumerate(node.entries(leaf.kind)):
            if n < MOST_MARKED:
                yield q

    def _shortened(self, formula: Formula) -> Formula:
        kept = tuple(line for line in formula.lines if line.label in {"symbols", "result"})
        return Formula(formula.left, kept, uses=formula.uses, makes=formula.makes)

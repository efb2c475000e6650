"""The formula of a step: its lines (rule, symbols, numbers, result), and other ways to the same
number.

Whoever types the shown numbers into a calculator gets the shown result: where the lecture's
decimals are too few for that, the line with the numbers has more, and says so
(`tutor.lesson.calculator`).

One `Formula` for every grain. What it shows is the derivation's tree and the trace's number,
nothing else. How it is put down is the business of `Lines`: MathML for pages
(`tutor.notation.mathml`), LaTeX for the export (`tutor.notation.latex`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np

from tutor import number
from tutor.engine.derivation import Derivation, derive, derive_stage, result
from tutor.engine.kinds import KINDS
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import (
    ArrayRef,
    Node,
    Ref,
    Value,
    evaluate,
    has_partials,
    leaves,
    walk,
)
from tutor.lesson.calculator import Digits, carried, enough
from tutor.lesson.explain import ROUNDED, Remark, remark
from tutor.lesson.slides import Numbers
from tutor.notation.conventions import Alphabet, arranged, flipped, left_side, oriented, turned
from tutor.notation.mathml import Line, member
from tutor.notation.writer import NUMBERS, RULE, SYMBOLS, Hidden

HIGHLIGHTED_UNITS = 8
NO_MORE = Digits()
"""The lecture's decimals, and nothing to say of them."""


class Lines(Protocol):
    """Puts trees and symbols down in one dialect. MathML's are Markup, so templates take them as
    they are.
    """

    @property
    def hidden(self) -> Hidden | None: ...

    def tree(self, node: Node, mode: str, sign: str = "", more: int = 0) -> str:
        """One tree in one mode behind a relation sign; with so many more digits of its numbers."""

    def quantity(self, q: Quantity) -> str:
        """The symbol of one quantity."""

    def matrix(self, kind: str, layer: int, sample: int = 0) -> str:
        """The symbol of a whole matrix."""

    def percent(self, share: float, decimals: int) -> str:
        """A share of one as a percentage."""


@dataclass(frozen=True, slots=True)
class FormulaLine:
    """One line: what it is (for the margin and for screen readers) and the formula."""

    label: str
    math: str
    note: str = ""
    """What has to be said of the numbers or of the result, or ""."""

    @property
    def css(self) -> str:
        """The label as a class."""
        return self.label.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Formula:
    """Everything a step shows of its formula."""

    left: str
    lines: tuple[FormulaLine, ...]
    shortcut: tuple[FormulaLine, ...] = ()
    """Another way that arrives at the same number."""
    uses: frozenset[Quantity] = frozenset()
    makes: frozenset[Quantity] = frozenset()
    remark: Remark | None = None
    """Why the numbers shown do not give the result."""
    stable: tuple[FormulaLine, ...] = ()
    """How it is computed instead."""
    names: tuple[Formula, ...] = ()
    """The numbers that have names of their own in it, such as a mean."""


class LineWriter:
    """Writes the lines of formulas, whatever they are of."""

    def __init__(self, env: Numbers, decimals: int, lines: Lines) -> None:
        self.env, self.decimals, self.line = env, decimals, lines

    def digits(self, tree: Node, value: Value) -> Digits:
        """How many digits the numbers of a tree need to give a value."""
        if self.env.paper:
            return carried(tree, value, self.env)
        return enough(tree, value, self.env, self.decimals)

    def _lines(
        self, tree: Node, sign: str, q: Quantity, value: float, digits: Digits
    ) -> tuple[FormulaLine, ...]:
        """One number: rule where there is one, symbols, numbers, result."""
        lines = (
            [FormulaLine("chain rule", self.line.tree(tree, RULE, sign))]
            if has_partials(tree)
            else []
        )
        lines.append(FormulaLine("symbols", self.line.tree(tree, SYMBOLS, "=" if lines else sign)))
        numbers = self.line.tree(tree, NUMBERS, "=", digits.more)
        lines.append(FormulaLine("numbers", numbers, self._of_numbers(digits, tree)))
        written = self.line.tree(Ref(q), NUMBERS, self.equals(value, tree))
        return (*lines, FormulaLine("result", written, self._of_result(digits, q)))

    def _of_numbers(self, digits: Digits, tree: Node) -> str:
        """What the numbers have to say of themselves; nothing where some are left open."""
        hidden = self.line.hidden
        left_open = hidden is not None and any(
            hidden(node.quantity if isinstance(node, Ref) else member(node))
            for node in walk(tree, self.env)
            if isinstance(node, Ref | ArrayRef)
        )
        return "" if left_open else digits.numbers

    def _of_result(self, digits: Digits, q: Quantity) -> str:
        """What a result has to say of the numbers above it; nothing where it is left open."""
        left_open = self.line.hidden is not None and self.line.hidden(q)
        return "" if left_open else digits.result

    def equals(self, value: float, tree: Node) -> str:
        """= where the shown digits are the whole number, ≈ where they are rounded; on paper, where
        the formula gives just that number.
        """
        if self.env.paper:
            return "=" if np.isclose(evaluate(tree, self.env), value, 1e-12, 0.0) else "≈"
        return "=" if number.is_exact(value, self.decimals) else "≈"

    def _matrix_lines(
        self, tree: Node, made: ArrayRef, sign: str, digits: Digits, *, brief: bool
    ) -> Iterator[FormulaLine]:
        yield FormulaLine("symbols", self.line.tree(tree, SYMBOLS, sign))
        if not brief:
            numbers = self.line.tree(tree, NUMBERS, "=", digits.more)
            yield FormulaLine("numbers", numbers, self._of_numbers(digits, tree))
        written = self.line.tree(made, NUMBERS, "=")
        note = "" if brief else self._of_result(digits, member(made))
        yield FormulaLine("result", written, note)


class FormulaWriter(LineWriter):
    """Writes formulas for one trace in one notation; as MathML where no other `lines` are given."""

    def __init__(
        self,
        trace: Trace,
        alphabet: Alphabet,
        decimals: int,
        hidden: Hidden | None = None,
        lines: Lines | None = None,
    ) -> None:
        super().__init__(trace, decimals, lines or Line(alphabet, decimals, hidden, env=trace))
        self.trace, self.alphabet = trace, alphabet
        self.notation = alphabet.notation

    # ---- one number ----

    def number(self, q: Quantity) -> Formula:
        """The formula of one quantity; where it has no tree (flat activation), only its symbol."""
        try:
            found = derive(self.trace, q)
        except KeyError:
            return Formula(self.line.quantity(q), (), makes=frozenset({q}))
        tree = arranged(found.tree, self.notation)
        left, sign = self._left(q)
        value = self.trace.value(q)
        digits = self.digits(tree, value)
        said = remark(self.trace, found, self.decimals + digits.more)
        stable = found.stable if said is ROUNDED else None
        trees = (tree,) if stable is None else (tree, stable)
        refs = tuple(dict.fromkeys(ref for used in trees for ref in leaves(used, self.trace)))
        return Formula(
            left,
            (
                *self._named(found, sign),
                *self._lines(tree, sign if found.name is None else "=", q, value, digits),
                *self._percent(q),
            ),
            shortcut=self._shortcut(found, q),
            uses=frozenset(ref.quantity for ref in refs if ref.quantity.of.contract),
            makes=frozenset({q}),
            remark=said,
            stable=() if stable is None else self._way(stable, q),
        )

    def _left(self, q: Quantity) -> tuple[str, str]:
        """The left-hand side and the sign behind it."""
        kind, sign = left_side(q.kind, self.notation)
        return self.line.quantity(q if kind == q.kind else q._replace(kind=kind)), sign

    def _named(self, found: Derivation, sign: str) -> tuple[FormulaLine, ...]:
        return (
            ()
            if found.name is None
            else (FormulaLine("in short", self.line.tree(found.name, SYMBOLS, sign)),)
        )

    def _way(self, tree: Node, q: Quantity) -> tuple[FormulaLine, ...]:
        """Another tree that comes to the same number."""
        value = self.trace.value(q)
        return self._lines(tree, "=", q, value, self.digits(tree, value))

    def _percent(self, q: Quantity) -> tuple[FormulaLine, ...]:
        """A share of one, once more as a percentage."""
        if q.kind != "(loss-loss+)/loss" or (self.line.hidden is not None and self.line.hidden(q)):
            return ()
        return (
            FormulaLine(
                "percent", self.line.percent(self.trace.value(q), max(2, self.decimals - 2))
            ),
        )

    def _shortcut(self, found: Derivation, q: Quantity) -> tuple[FormulaLine, ...]:
        if found.shortcut is None or not self._leads_here(found.shortcut, self.trace.value(q)):
            return ()
        return self._way(found.shortcut, q)

    def _leads_here(self, shortcut: Node, value: Value) -> bool:
        """Whether a shortcut gives the same number; on paper, rounding may part the two ways."""
        return not self.trace.paper or carried(shortcut, value, self.trace).give

    def product(self, tree: Node) -> tuple[FormulaLine, ...]:
        """The lines of a product of local derivatives that has no name of its own; what it comes
        to is left to the reader of its value.
        """
        rule = FormulaLine("chain rule", self.line.tree(tree, RULE))
        symbols = FormulaLine("symbols", self.line.tree(tree, SYMBOLS, "="))
        return rule, symbols, self.numbers(tree)

    def numbers(self, tree: Node, sign: str = "=") -> FormulaLine:
        """The numbers of a formula that has no name of its own, with the digits that it takes."""
        digits = self.digits(tree, evaluate(tree, self.trace))
        written = self.line.tree(tree, NUMBERS, sign, digits.more)
        return FormulaLine("numbers", written, self._of_numbers(digits, tree))

    # ---- one matrix ----

    def stage(self, stage: Stage, *, brief: bool = False) -> Formula:
        """The formula of one matrix, in the lecture's orientation; `brief`: with its symbols and
        its result alone.
        """
        if stage.single:
            return self.number(Quantity(stage.kind, stage.layer))
        try:
            found, result_ = derive_stage(self.trace, stage), result(self.trace, stage)
        except KeyError:
            return Formula(self.line.matrix(stage.kind, stage.layer), ())
        turn, made = flipped(result_.kind, self.notation), turned(result_, self.notation)
        tree = oriented(found.tree, self.notation, turn)
        digits = NO_MORE
        if not brief or KINDS[stage.kind].role == "loss":
            digits = self.digits(tree, made.value(self.trace))
        said = remark(self.trace, found, self.decimals + digits.more)
        stable = found.stable if said is ROUNDED else None
        arrays = _arrays(tree)
        kind, sign = left_side(stage.kind, self.notation)
        shortcut = found.shortcut
        if shortcut is not None and not self._leads_here(shortcut, self.trace.matrix(result_)):
            shortcut = None

        def way(other: Node | None) -> tuple[FormulaLine, ...]:
            if other is None:
                return ()
            written = oriented(other, self.notation, turn)
            own = NO_MORE if brief else self.digits(written, made.value(self.trace))
            return tuple(self._matrix_lines(written, made, "=", own, brief=brief))

        return Formula(
            self.line.matrix(kind, stage.layer, made.sample),
            tuple(self._matrix_lines(tree, made, sign, digits, brief=brief)),
            shortcut=() if brief else way(shortcut),
            uses=frozenset(q for leaf in arrays for q in _members(leaf, self.trace)),
            makes=frozenset(_members(made, self.trace)),
            remark=said,
            stable=way(stable),
        )

    # ---- a whole phase ----

    def brief(self, stage: Stage) -> Formula:
        """The formula of one matrix in short: without its numbers, and so without a word on them;
        those of the loss are few.
        """
        if not stage.single:
            return self.stage(stage, brief=True)
        formula, kept = self.stage(stage), {"symbols", "numbers", "result"}
        lines, stable = (
            tuple(line for line in way if line.label in kept)
            for way in (formula.lines, formula.stable)
        )
        return Formula(
            formula.left,
            lines,
            uses=formula.uses,
            makes=formula.makes,
            remark=formula.remark,
            stable=stable,
        )


def _arrays(tree: Node) -> tuple[ArrayRef, ...]:
    found: dict[tuple[str, int], ArrayRef] = {}
    for node in walk(tree):
        if isinstance(node, ArrayRef):
            found.setdefault((node.kind, node.layer), node)
    return tuple(found.values())


def _members(leaf: ArrayRef, trace: Trace) -> Iterator[Quantity]:
    """The quantities of a matrix that can be highlighted: of a large layer the first units and the
    last.
    """
    rows, columns = trace.matrix(leaf).shape
    kind = KINDS[leaf.kind]
    if kind.weights:
        for i in _some(rows):
            yield from (Quantity(leaf.kind, leaf.layer, i, j) for j in _some(columns))
    elif kind.biases or kind.feature:
        yield from (Quantity(leaf.kind, leaf.layer, i) for i in _some(columns))
    elif not kind.axes:
        yield from (Quantity(leaf.kind, sample=s) for s in _some(rows))
    elif kind.role == "slope" and trace.network.layer(leaf.layer).activation.full_jacobian:
        sample = leaf.sample
        yield from (
            Quantity(leaf.kind, leaf.layer, i, k, sample)
            for i in _some(rows)
            for k in _some(columns)
        )
    else:
        samples = _some(rows) if trace.samples > 1 else (0,)
        chosen = (leaf.sample,) if leaf.sample else samples
        yield from (
            Quantity(leaf.kind, leaf.layer, i, 0, s) for s in chosen for i in _some(columns)
        )


def _some(count: int) -> tuple[int, ...]:
    head = tuple(islice(range(1, count + 1), HIGHLIGHTED_UNITS))
    return head if count <= HIGHLIGHTED_UNITS else (*head, count)

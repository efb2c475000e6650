"""The arrays of a script as formulas: the program's own trees, where a reader expects the long way
that way.

    formula(trace, stage) -> tree        what a script computes for a stage
    loss_function(trace, dialect)        the loss of the samples as a function
    Guarded(safe)                        NumPy where the length of all weights may be 0

The cross-entropies are written as in a textbook, from the outputs, unless an output comes so close
to 0 or 1 that its logarithm would lose digits; then they are written from the pre-activations.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from tutor.engine import code
from tutor.engine.activations import OUTPUT
from tutor.engine.derivation import shorter
from tutor.engine.dialects import Python, Textbook
from tutor.engine.kinds import KINDS, SLOPE
from tutor.engine.losses import A, Z
from tutor.engine.optimizers import LENGTH
from tutor.engine.order import Stage
from tutor.engine.program import by
from tutor.engine.trace import Trace
from tutor.engine.tree import ArrayRef, Function, Jacobians, Node, Quotient, SumOver, Through

EDGE = 0.01
"""Outputs closer than this to 0 or 1 are close."""


class Guarded(Textbook):
    """NumPy as one reads it, where the length of all weights may be 0: 0 / 0 is 0 there."""

    def write(self, node: Node) -> ast.expr:
        over = node.right if isinstance(node, Quotient) and node not in self.names else None
        if (
            not isinstance(node, Quotient)
            or not isinstance(over, ArrayRef)
            or over.kind != LENGTH.kind
        ):
            return super().write(node)
        return Python.ratio(self, self.write(node.left), self.write(node.right))


RATIO = (
    "def ratio(top, bottom):",
    '    """top / bottom, and 0 where the top is exactly 0."""',
    "    return np.divide(top, bottom, np.zeros_like(top), where=top != 0)",
)
"""What it needs."""


def formula(trace: Trace, stage: Stage, large: bool = False) -> Node:
    """The tree of a stage for whole arrays; `large`: whether Jacobians are too large to be made."""
    kind, a = KINDS[stage.kind], replace(OUTPUT, layer=stage.layer)
    full_jacobian = bool(stage.layer) and trace.network.layer(stage.layer).activation.full_jacobian
    if full_jacobian and kind.role == "slope":
        return Jacobians(a)
    found = trace.program.by_name[stage.kind + "@" * stage.per_sample, stage.layer]
    if found.long is not None:
        return shorter(trace, found.tree)
    if full_jacobian and kind.by == "z" and not large:
        return Through(by(a), ArrayRef(SLOPE, stage.layer))
    return found.tree


def safe(trace: Trace) -> bool:
    """Whether the loss has to be written with the pre-activations."""
    if not trace.fused_layer:
        return False
    full_jacobian = trace.network.layer(trace.fused_layer).activation.full_jacobian
    for mark in ("",) if trace.blocked else ("", "+"):
        a = trace.passed(trace.fused_layer, mark)
        close = ~((a >= EDGE) & (a <= 1 - EDGE))
        if ((close & (trace.y != 0)) | ~(a > 0) if full_jacobian else close).any():
            return True
    return False


def loss_argument(trace: Trace, from_z: bool) -> ArrayRef:
    """What the loss is a function of, beside the targets: the outputs, or their pre-activations."""
    kind, layer = trace.network.passed(trace.network.depth)
    return ArrayRef("z" if from_z else kind, layer)


def loss_function(trace: Trace, dialect: Python, from_z: bool) -> code.Statement:
    """The loss of each sample as a function of outputs (or pre-activations) and targets."""
    rule = trace.network.loss
    about = (
        "The loss of each sample, from the pre-activations: "
        "log(a) loses digits where a is close to 0 or 1."
        if from_z
        else "The loss of each sample: the outputs of its row, added up."
    )
    body = code.function_lines(
        rule.of_sample(SumOver(rule.term, "outputs", 1, keep=False)), dialect
    )
    return code.defined(rule.name, [dialect.name(Z if from_z else A), "y"], body, about)


def activation_functions(trees: Iterable[Node], dialect: Python) -> list[code.Statement]:
    """The functions that formulas apply, each once."""
    return [
        code.defined(
            dialect.called(function), ["z"], code.function_lines(tree, dialect), _about(function)
        )
        for function, tree in code.functions(trees, dialect)
    ]


def _about(function: Function) -> str:
    if not function.by_row:
        return ""
    return (
        "e^z over the sum of its row. "
        "Subtracting the largest z first changes nothing, but no e^z overflows."
    )

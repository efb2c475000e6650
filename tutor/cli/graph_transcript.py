"""A formula's walk as plain text: each step in symbols, in numbers and as a result.

Step 4 of 12 · backward · df/dq
  Derivative with respect to q
  df/dq = df/dn1·∂n1/∂q
        = …
"""

from __future__ import annotations

from collections.abc import Iterator

from tutor.engine.quantity import Quantity
from tutor.engine.tree import Node
from tutor.lesson import graph_words
from tutor.lesson.formula import Formula
from tutor.lesson.graph_formula import GraphFormulaWriter
from tutor.lesson.graph_lesson import GraphLesson, GraphStep
from tutor.notation.node_names import NodeAlphabet, alphabet
from tutor.notation.plain import PlainText
from tutor.notation.writer import MODES, SYMBOLS, Hidden

INDENT = "  "


class PlainLines:
    """Formulas as plain text."""

    hidden: Hidden | None = None

    def __init__(self, lesson: GraphLesson, names: NodeAlphabet, decimals: int) -> None:
        self.writers = {mode: PlainText(names, decimals, mode, env=lesson.trace) for mode in MODES}

    def tree(self, node: Node, mode: str, sign: str = "", more: int = 0) -> str:
        """One tree behind a relation sign."""
        text = self.writers[mode].finer(more).line(node)
        return f"{sign} {text}" if sign else text

    def quantity(self, q: Quantity) -> str:
        """The symbol of one quantity."""
        return self.writers[SYMBOLS].name(q)

    def matrix(self, kind: str, layer: int, sample: int = 0) -> str:
        """The symbol of a whole array."""
        return self.writers[SYMBOLS].matrix_name(kind, layer, sample)

    def percent(self, share: float, decimals: int) -> str:
        """A share of one as a percentage."""
        return f"≈ {100 * share:.{decimals}f} %"


def graph_paragraphs(
    lesson: GraphLesson, grain: str, notation: str, decimals: int
) -> Iterator[str]:
    """The steps of a formula in one grain, one text of several lines each."""
    walk, names = lesson.walk(grain), alphabet(notation)
    writer = GraphFormulaWriter(
        lesson.trace, names, decimals, lines=PlainLines(lesson, names, decimals)
    )
    for n in range(1, len(walk) + 1):
        step = walk.step(n)
        last = walk.stop if step.last else None
        end = [graph_words.explain_stop(lesson.trace, last)] if last else []
        title, lines = _step(lesson, writer, step)
        head = f"Step {n} of {len(walk)} · {step.phase}" + (f" · {title}" if title else "")
        yield "\n".join([head, *(INDENT + line for line in (*lines, *end))]) + "\n"


def _step(
    lesson: GraphLesson, writer: GraphFormulaWriter, step: GraphStep
) -> tuple[str, list[str]]:
    """What a step makes, by its name, and its lines."""
    q = step.anchor
    if step.walk.grain == "pass":
        lines = [line for made in step.made for line in _lines(writer.whole(made, brief=True))]
        return "", [graph_words.explain_pass(step.phase).title, *lines]
    if step.walk.grain == "layer" and step.made[0][1].shape:
        kind = Quantity(step.made[0][0])
        title = graph_words.title(lesson.trace, kind)
        return str(kind), [title, *_lines(writer.whole(step.made[0]))]
    formula = writer.number(q)
    names = [line for named in formula.names for line in _lines(named)]
    return str(q), [graph_words.title(lesson.trace, q), *_lines(formula), *names]


def _lines(formula: Formula) -> Iterator[str]:
    """left = a, and each further line with its sign below the first; what has to be said of the
    numbers in a line of its own.
    """
    left = formula.left
    texts = list(dict.fromkeys(line.math for line in formula.lines))
    for n, text in enumerate(texts):
        yield f"{left if n == 0 else ' ' * len(left)} {text}"
    for note in dict.fromkeys(line.note for line in formula.lines if line.note):
        yield f"{' ' * len(left)}   ({note})"

"""A lesson as a Jupyter notebook: the NumPy script in cells, with the story of each pass between
them.

    notebook(lesson) -> str      JSON, nbformat 4.5

Run from top to bottom it does what the script does. Cells have names for ids, so the same lesson
gives the same file. Texts of a scenario stand in Markdown cells only, with every character that
Markdown, HTML or LaTeX would act on made harmless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tutor.engine.derivation import written_out
from tutor.engine.kinds import FORWARD, LOSS, SCALE, UPDATE
from tutor.engine.losses import A, Y, Z, with_leaves
from tutor.engine.optimizers import SCHEDULED, update
from tutor.engine.program import by
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import ArrayRef, Node, Ref, SumOver, renamed
from tutor.export.numpy_script import ScriptPart, parts
from tutor.export.source_text import printable
from tutor.lesson.changes import told
from tutor.lesson.explain import PHASE_ABOUT, PHASE_TITLES
from tutor.lesson.walk import Lesson
from tutor.notation.conventions import PRESETS, Alphabet, Symbol
from tutor.notation.latex import Latex

NotebookCell = dict[str, Any]

FORMULAS = {
    "forward": r"$$z = a_{\mathrm{in}} W^\top + b \qquad a = f(z)$$",
    "backward": r"$$\frac{\partial L}{\partial W} = "
    r"\left(\frac{\partial L}{\partial z}\right)^{\!\top} a_{\mathrm{in}} \qquad "
    r"\frac{\partial L}{\partial b} = \sum_{\mathrm{rows}} \frac{\partial L}{\partial z} \qquad "
    r"\frac{\partial L}{\partial a_{\mathrm{in}}} = \frac{\partial L}{\partial z}\, W$$",
    "update": r"$$W^{\mathrm{new}} = W - \eta\, \frac{\partial L}{\partial W} \qquad "
    r"b^{\mathrm{new}} = b - \eta\, \frac{\partial L}{\partial b}$$",
}
"""The update is that of plain gradient descent."""
SKIP = (
    " A layer with a skip connection adds what an earlier layer passes on, "
    "and passes on the sum `r`."
)
HEADS = {
    "setup": "## Setup\n\nNumPy, and two small functions: one shows an array, "
    "the other compares it with the lesson's own numbers.",
    "rules": "## The rules\n\nThe activation and loss functions of this network, "
    "for whole arrays at once.",
    "given": "## What is given\n\nLayer 1 comes right after the inputs. Rows are samples; "
    "`W1` has one row per unit of layer 1 and one column per input.",
    "check": "## Check\n\nEvery array is compared with the lesson's own numbers.",
}

_ACTIVE = re.compile(r"([\\`*_\[\]{}()#+\-=!|~$^])")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(lesson: Lesson) -> str:
    """The whole notebook as JSON text."""
    return as_json(cells(lesson))


def as_json(found: Iterable[NotebookCell]) -> str:
    """Cells as the text of a notebook."""
    book = {"cells": list(found), "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def cells(lesson: Lesson) -> Iterator[NotebookCell]:
    """The cells in their order."""
    yield title_cell(lesson)
    phase = ""
    for part in parts(lesson):
        if part.id in HEADS:
            yield markdown_cell(f"about-{part.id}", HEADS[part.id])
        if part.phase and part.phase != phase:
            phase = part.phase
            yield markdown_cell(f"about-{phase}", _about(lesson, phase))
        yield _stop(part) if part.id == "stop" else _code(part)


def escaped_markdown(text: str) -> str:
    """A text in one line in which Markdown, HTML and LaTeX find nothing to act on."""
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ACTIVE.sub(_harmless, safe)


def _harmless(match: re.Match[str]) -> str:
    """A dollar as its number: some viewers look for formulas before they look for backslashes."""
    sign = match[1]
    return f"&#{ord(sign)};" if sign in "$\\" else "\\" + sign


def title_cell(lesson: Lesson) -> NotebookCell:
    """What a notebook is about."""
    return markdown_cell("title", _title(lesson))


def _title(lesson: Lesson) -> str:
    scenario = lesson.scenario
    number = f" (iteration {lesson.iteration})" if lesson.iteration > 1 else ""
    texts = (scenario.source, scenario.about, told(lesson.changes))
    lines = [
        f"# {escaped_markdown(scenario.title)}{number}",
        *(escaped_markdown(text) for text in texts if text),
    ]
    shape = lesson.trace.network.shape
    lines.append(
        f"Lesson {escaped_markdown(scenario.id)}, a {shape} network. "
        "You need NumPy; run the cells from top to bottom."
    )
    return "\n\n".join(lines)


def _about(lesson: Lesson, phase: str) -> str:
    text = f"## {PHASE_TITLES[phase]}\n\n{PHASE_ABOUT[phase]}"
    if phase == FORWARD and any(layer.skip for layer in lesson.trace.network.layers):
        text += SKIP
    plain = lesson.trace.network.rule.plain
    formula = (
        _loss(lesson)
        if phase == LOSS
        else _scale(lesson.trace)
        if phase == SCALE
        else _update(lesson.trace)
        if phase == UPDATE and not plain
        else FORMULAS.get(phase, "")
    )
    return f"{text}\n\n{formula}" if formula else text


class _OfOneOutput(Latex):
    """LaTeX of the formula of a loss: an output is a_i and its target y_i, as in the script."""

    def name(self, q: Quantity) -> str:
        return f"{q.kind}_i"

    def over(self, what: str, x: str) -> str:
        return rf"\sum_i {x}"


def _loss(lesson: Lesson) -> str:
    trace = lesson.trace
    loss = trace.network.loss
    term = with_leaves(loss.term, {leaf: Ref(Quantity(leaf.kind)) for leaf in (A, Y, Z)})
    alphabet = Alphabet.of(PRESETS["brackets"], trace.network, trace.samples)
    rule = _OfOneOutput(alphabet, 0).write(loss.of_sample(SumOver(written_out(term), "outputs", 1)))
    whole, sum_of_both = "L", ""
    if trace.network.rule.penalty:
        loss_and_penalty = _OfOneWeight(alphabet, 0).write(
            _entry(trace.program.by_name["loss", 0].tree)
        )
        whole, sum_of_both = r"L_{data}", rf" \qquad L = {loss_and_penalty}"
    if trace.samples == 1:
        return f"$${whole} = {rule}{sum_of_both}$$"
    mean = r"\frac{1}{M} " if trace.scale != 1.0 else ""
    return rf"$$L^{{(m)}} = {rule} \qquad {whole} = {mean}\sum_m L^{{(m)}}{sum_of_both}$$"


class _OfOneInput(Latex):
    """LaTeX of the formulas of the scaling, for one input as for all."""

    def name(self, q: Quantity) -> str:
        return q.kind if len(q.kind) == 1 else rf"\mathrm{{{q.kind}}}"

    def over(self, what: str, x: str) -> str:
        return rf"\sum_m {x}"


def _scale(trace: Trace) -> str:
    """What an input is scaled with, and what becomes of it, line by line."""
    plan = trace.program.plan.scale
    writer = _OfOneInput(Alphabet.of(PRESETS["brackets"], trace.network, trace.samples), 0)
    lines = (
        f"{writer.write(_entry(leaf))} &= {writer.write(_entry(tree))}"
        for leaf, tree in (plan.trees() if plan else ())
    )
    return _in_lines(lines)


def _in_lines(lines: Iterable[str]) -> str:
    return "$$\\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}$$"


class _OfOneWeight(Latex):
    """LaTeX of the formulas of an update, for one weight as for all: without its place."""

    def letter(self, symbol: Symbol, kind: str) -> str:
        return super().letter(replace(symbol, sub=symbol.sub.replace(NO_PLACE, "")), kind)


NO_PLACE = "00"


def _update(trace: Trace) -> str:
    """What the optimizer makes of the gradient of a weight, line by line."""
    alphabet = Alphabet.of(
        replace(PRESETS["brackets"], layer_mark="none"), trace.network, trace.samples
    )
    writer, rule = _OfOneWeight(alphabet, 0), trace.network.rule
    weight = ArrayRef("w", 1)
    found: list[tuple[ArrayRef, Node]] = list(update(rule, weight, by(weight)))
    if rule.schedule:
        found.insert(0, (SCHEDULED, trace.program.by_name[SCHEDULED.kind, 0].tree))
    lines = (
        f"{writer.write(_entry(leaf))} &= {writer.write(_entry(tree))}" for leaf, tree in found
    )
    return _in_lines(lines)


def _entry(tree: Node) -> Node:
    """A tree over arrays, as it is for any of their numbers."""
    return renamed(
        tree, lambda node: Ref(Quantity(node.kind)) if isinstance(node, ArrayRef) else None
    )


def _stop(part: ScriptPart) -> NotebookCell:
    return markdown_cell(
        "stop", " ".join(escaped_markdown(line.removeprefix("# ")) for line in part.lines)
    )


def markdown_cell(name: str, text: str) -> NotebookCell:
    """A cell of text."""
    return {
        "cell_type": "markdown",
        "id": name,
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }


def _code(part: ScriptPart) -> NotebookCell:
    return code_cell(part.id, part.lines)


def code_cell(name: str, lines: Sequence[str]) -> NotebookCell:
    """A cell of Python."""
    source = "\n".join(lines).splitlines(keepends=True)
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": source,
    }

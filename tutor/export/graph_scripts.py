"""A formula as a script: NumPy node by node, forward and backward; PyTorch with autograd; a
notebook of the NumPy script.

The lines are the trees of the graph, as the engine computes them, in the dialects of
`tutor.engine.dialects`. At the end every number is compared with the lesson's own.
"""

from __future__ import annotations

import ast
import inspect
import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.engine import array_functions, code
from tutor.engine.dialects import Textbook, Torch, attribute, variable
from tutor.engine.graph import quantity
from tutor.engine.kinds import node_name
from tutor.engine.tree import ArrayFunction, Called, Largest, Leaf, Node, Ref, Smallest, walk
from tutor.export.notebook import as_json, code_cell, escaped_markdown, markdown_cell
from tutor.export.source_text import array, comment
from tutor.lesson.changes import told
from tutor.lesson.explain import PHASE_TITLES
from tutor.lesson.graph_lesson import Computed, GraphLesson
from tutor.lesson.graph_words import PASSES, explain_stop

TAKEN = frozenset({*keyword.kwlist, *keyword.softkwlist, "np", "torch", "ratio", "check", "print",
                   "abs", "float", "numbers", *array_functions.NAMES})  # fmt: skip
"""What a variable of a script cannot be called."""


def python_name(kind: str) -> str:
    """The variable of a node, or of the derivative with respect to one: df_dx."""
    name = node_name(kind).replace("/", "_")
    return f"{name}_" if name in TAKEN or name.startswith("__") else name


LONG = 50
"""A sum of more terms is written with Python’s own sum, which is no deeper for being longer."""


def _long_sum(terms: Sequence[ast.expr]) -> ast.expr:
    """sum([a, b, …])"""
    return ast.Call(variable("sum"), [ast.List(list(terms), ast.Load())], [])


class Nodes(Textbook):
    """The names of the nodes."""

    def _sum(self, terms: Sequence[Node]) -> ast.expr:
        return super()._sum(terms) if len(terms) <= LONG else _long_sum([*map(self.write, terms)])

    def name(self, leaf: Leaf) -> str:
        """The variable of a node; the argument of a function is z."""
        kind = leaf.quantity.kind if isinstance(leaf, Ref) else leaf.kind
        return python_name(kind) if ":" in kind else "z"


class NodeNumPy(Nodes):
    """NumPy."""

    def defined(self, function: ArrayFunction) -> str:
        """The text of a function of whole arrays: the one that the engine runs."""
        return inspect.getsource(function.compute)


class NodeTorch(Nodes, Torch):
    """PyTorch; every constant is a tensor."""

    def defined(self, function: ArrayFunction) -> str:
        """The text of a function of whole arrays."""
        return function.torch

    def library(self, function: str, *arguments: ast.expr) -> ast.expr:
        return super().library(function, *map(_tensor, arguments))

    def _bounded(self, node: Largest | Smallest) -> ast.expr:
        which = "maximum" if isinstance(node, Largest) else "minimum"
        return self.library(which, self.write(node.left), self.write(node.right))


def _tensor(argument: ast.expr) -> ast.expr:
    """A number as a tensor."""
    plain = argument.operand if isinstance(argument, ast.UnaryOp) else argument
    if not isinstance(plain, ast.Constant):
        return argument
    kind = ast.keyword("dtype", attribute(variable("torch"), "float64"))
    return ast.Call(attribute(variable("torch"), "tensor"), [argument], [kind])


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a script that belong together."""

    id: str
    heading: str
    lines: tuple[str, ...]


def graph_numpy(lesson: GraphLesson) -> str:
    """The NumPy script."""
    return _script(_header(lesson, "NumPy"), _numpy(lesson))


def _script(header: Sequence[str], parts: Iterator[Part]) -> str:
    text = list(header)
    for part in parts:
        text += ["", "", *comment(part.heading), *part.lines]
    return "\n".join(text) + "\n"


def _header(lesson: GraphLesson, needs: str) -> list[str]:
    """The comments at the top: what the file is, the lesson's title, course and text."""
    scenario = lesson.scenario
    texts = (scenario.title, scenario.source, scenario.about, told(lesson.changes))
    return [
        f"# A formula node by node, in {needs}",
        "#",
        *(line for text in texts if text for line in comment(text)),
        "#",
        *comment(
            f"Lesson {scenario.id}, a {lesson.shape}. {_example(lesson)} "
            f"To run it, you need Python and {needs}."
        ),
    ]


def _example(lesson: GraphLesson) -> str:
    """How to read the names."""
    graph = lesson.trace.graph
    first, result = graph.backward[-1].name, graph.result.name
    return f"d{result}_d{first} is the derivative of {result} with respect to {first}."


def _numpy(lesson: GraphLesson) -> Iterator[Part]:
    graph, dialect = lesson.trace.graph, NodeNumPy()
    computed = lesson.walk("layer").computed
    yield Part("setup", "NumPy", ("import numpy as np",))
    functions = tuple(_functions([_tree(lesson, c) for c in computed], dialect))
    if functions:
        yield Part("rules", "The functions of this formula", functions)
    yield Part("given", "The values", tuple(
        f"{python_name(node.kind)} = np.{'array' if node.shape else 'float64'}"
        f"({array(lesson.trace[node.kind])})"
        for node in graph.values
    ))  # fmt: skip
    for phase in ("forward", "backward"):
        own = [c for c in computed if quantity(c[0]).of.phase == phase]
        if own:
            lines = (line for c in own for line in _assigned(lesson, c, dialect))
            yield Part(phase, f"{PHASE_TITLES[phase]}. {PASSES[phase]}", tuple(lines))
    if lesson.stop:
        yield Part("stop", explain_stop(lesson.trace, lesson.stop), ())
        return
    yield Part("check", "Every number, compared with the lesson's own", tuple(_check(lesson)))


def _tree(lesson: GraphLesson, computed: Computed) -> Node:
    kind, node = computed
    graph = lesson.trace.graph
    return graph.backward_tree(node) if quantity(kind).of.by else graph.forward_tree(node)


def _functions(trees: Sequence[Node], dialect: NodeNumPy | NodeTorch) -> Iterator[str]:
    called = (node.function for tree in trees for node in walk(tree) if isinstance(node, Called))
    for text in dict.fromkeys(map(dialect.defined, called)):
        yield from text.strip().split("\n")
    for function, tree in code.functions(trees, dialect):
        body = code.function_lines(tree, dialect)
        yield from code.source(code.defined(dialect.called(function), ["z"], body)).split("\n")


def _assigned(lesson: GraphLesson, computed: Computed, dialect: Textbook) -> Iterator[str]:
    """The line of a node, and what it shows."""
    tree = code.as_computed(_tree(lesson, computed), dialect)
    name = python_name(computed[0])
    yield code.source(code.assigned(name, dialect.write(tree)))
    yield f'print("{node_name(computed[0])} =", {name})'


def _check(lesson: GraphLesson) -> Iterator[str]:
    yield "lesson = {"
    for kind, _ in lesson.walk("layer").computed:
        yield f'    "{node_name(kind)}": ({python_name(kind)}, {array(lesson.trace[kind])}),'
    yield "}"
    yield "for name, (here, there) in lesson.items():"
    yield "    assert np.allclose(here, there, rtol=1e-9, atol=1e-12), (name, here, there)"
    yield 'print(f"all {len(lesson)} arrays agree")'


# ---- PyTorch ----


def graph_torch(lesson: GraphLesson) -> str:
    """The PyTorch script: forward as written, backward by autograd."""
    return _script(_header(lesson, "PyTorch"), _torch(lesson))


def _torch(lesson: GraphLesson) -> Iterator[Part]:
    graph, dialect = lesson.trace.graph, NodeTorch()
    yield Part("setup", "PyTorch", ("import torch",))
    wanted = {f"given:{name}" for name in graph.differentiate}
    yield Part("given", "The values; those with requires_grad are differentiated", tuple(
        f"{python_name(node.kind)} = torch.tensor({array(lesson.trace[node.kind])}, "
        f"dtype=torch.float64{', requires_grad=True' if node.kind in wanted else ''})"
        for node in graph.values
    ))  # fmt: skip
    forward = [c for c in lesson.walk("layer").computed if not quantity(c[0]).of.by]
    functions = tuple(_functions([_tree(lesson, c) for c in forward], dialect))
    if functions:
        yield Part("rules", "The functions of this formula", functions)
    lines = (line for c in forward for line in _assigned(lesson, c, dialect))
    yield Part("forward", "Forward", tuple(lines))
    if lesson.stop:
        yield Part("stop", explain_stop(lesson.trace, lesson.stop), ())
        return
    result = python_name(graph.result.kind)
    yield Part("backward", "Backward: autograd goes the same way", (f"{result}.backward()",))
    yield Part("check", "The gradient, compared with the lesson's own", tuple(_gradients(lesson)))


def _gradients(lesson: GraphLesson) -> Iterator[str]:
    graph = lesson.trace.graph
    yield "lesson = {"
    for name in graph.differentiate:
        node = graph.by_name.get(name)
        if node is not None:
            there = array(lesson.trace[graph.derivative(node).kind])
            yield f'    "{name}": ({python_name(node.kind)}.grad, {there}),'
    yield "}"
    yield "for name, (here, there) in lesson.items():"
    yield f'    print("d{graph.result.name}/d" + name, "=", here)'
    yield "    expected = torch.tensor(there, dtype=torch.float64)"
    yield "    assert torch.allclose(here, expected, rtol=1e-9, atol=1e-12), (name, here, there)"
    yield 'print(f"all {len(lesson)} gradients agree")'


# ---- the notebook ----


TO_RUN = "You need NumPy; run the cells from top to bottom."


def graph_notebook(lesson: GraphLesson) -> str:
    """The NumPy script in cells, as JSON text."""
    scenario = lesson.scenario
    texts = (scenario.source, scenario.about, told(lesson.changes))
    title = "\n\n".join(
        [
            f"# {escaped_markdown(scenario.title)}",
            *(escaped_markdown(text) for text in texts if text),
            f"Lesson {escaped_markdown(scenario.id)}, a {lesson.shape}. {TO_RUN}",
        ]
    )
    cells = [markdown_cell("title", title)]
    for part in _numpy(lesson):
        cells.append(markdown_cell(f"about-{part.id}", f"## {escaped_markdown(part.heading)}"))
        cells += [code_cell(part.id, part.lines)] if part.lines else []
    return as_json(cells)

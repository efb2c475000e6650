"""Random formulas, and PyTorch as their oracle."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np

from tutor.engine.graph import Applied, Constant, Expression, Formula, Graph, Name, quantity
from tutor.engine.graph_work import Totals, Work
from tutor.engine.operation import Shape, places
from tutor.engine.operations import OPERATIONS
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef

ONE = ("neg", "exp", "sigmoid", "tanh", "relu", "softplus", "abs", "sin", "cos")
TWO = ("-", "*", "max", "min")
SHAPES: tuple[Shape, ...] = ((), (), (3,), (2, 2))


@cache
def in_torch_each() -> dict[str, Callable[..., Any]]:
    """What each operation is in PyTorch."""
    import torch

    found: dict[str, Callable[..., Any]] = {
        "+": lambda *terms: sum(terms[1:], terms[0]),
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "**": lambda a, b: a**b,
        "neg": lambda a: -a,
        "copy": lambda a: a,
        "exp": torch.exp,
        "log": torch.log,
        "sqrt": torch.sqrt,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "softplus": torch.nn.functional.softplus,
        "max": torch.maximum,
        "min": torch.minimum,
        "abs": torch.abs,
        "sin": torch.sin,
        "cos": torch.cos,
        "sum": torch.sum,
        "mean": torch.mean,
        "@": torch.matmul,
        "transpose": torch.t,
        "softmax": lambda a: torch.softmax(a, -1),
        "conv1d": lambda x, k, stride=1, padding=0: torch.nn.functional.conv1d(
            x[None, None], k[None, None], stride=int(stride), padding=int(padding))[0, 0],
        "conv2d": lambda x, k, stride=1, padding=0: torch.nn.functional.conv2d(
            x[None, None], k[None, None], stride=int(stride), padding=int(padding))[0, 0],
        "maxpool": lambda x, size, stride=None: (
            torch.nn.functional.max_pool1d if x.dim() == 1 else torch.nn.functional.max_pool2d
        )(x[None, None], int(size), int(stride if stride is not None else size))[0, 0],
        "embed": lambda table, *rows: torch.nn.functional.embedding(
            torch.tensor([int(row) - 1 for row in rows]) if len(rows) > 1
            else torch.tensor(int(rows[0]) - 1), table),
        "layernorm": lambda a: torch.nn.functional.layer_norm(a, a.shape[-1:], eps=1e-5),
    }  # fmt: skip
    assert found.keys() == OPERATIONS.keys()
    return found


class Maker:
    """Makes a formula of one seed: some values, expressions over them, one number in the end."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        shape = self.random.choice(SHAPES[1:])
        self.shapes: dict[str, Shape] = {f"x{n}": self.random.choice([(), shape]) for n in range(4)}
        draw = np.random.default_rng(seed)
        self.values = {name: draw.uniform(-1.5, 1.5, size) for name, size in self.shapes.items()}
        self.names: dict[str, Expression] = {}

    def formula(self) -> Formula:
        for n in range(self.random.randint(1, 4)):
            self.names[f"h{n}"] = self.expression(2)
        parts = [self.expression(3), *(Name(name) for name in self.names)]
        return Formula(Applied("sum", (Applied("+", tuple(parts)),)), dict(self.names))

    def expression(self, depth: int) -> Expression:
        if not depth or self.random.random() < 0.1:
            return Name(self.random.choice([*self.shapes, *self.names]))
        kind = self.random.random()
        if kind < 0.35:
            return Applied(self.random.choice(ONE), (self.expression(depth - 1),))
        if kind < 0.65:
            sides = self.expression(depth - 1), self.expression(depth - 1)
            return Applied(self.random.choice(TWO), sides)
        if kind < 0.75:
            count = self.random.randint(2, 4)
            return Applied("+", tuple(self.expression(depth - 1) for _ in range(count)))
        inner = self.expression(depth - 1)
        positive = Applied("+", (Applied("*", (inner, inner)), Constant(0.5)))
        return self.random.choice([
            Applied("log", (positive,)),
            Applied("sqrt", (positive,)),
            Applied("/", (self.expression(depth - 1), positive)),
            Applied("**", (positive, Name("x0"))),
            Applied("**", (inner, Constant(float(self.random.randint(2, 3))))),
            Applied("**", (positive, Constant(-1.5))),
            Applied("mean", (inner,)),
        ])  # fmt: skip


def in_torch(formula: Formula, values: Mapping[str, np.ndarray]) -> tuple[Any, dict[str, Any]]:
    """The result, and every value as a tensor that has its gradient after `backward`."""
    import torch

    known = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in values.items()
    }
    operations, done = in_torch_each(), dict[str, Any]()

    def at(part: Expression) -> Any:
        match part:
            case Constant(value):
                return torch.tensor(value, dtype=torch.float64)
            case Name(name) if name in known:
                return known[name]
            case Name(name):
                if name not in done:
                    done[name] = at(formula.names[name])
                return done[name]
            case Applied(operation, arguments):
                return operations[operation](*map(at, arguments))

    return at(formula.expression), known


def pairs(graph: Graph) -> list[tuple[Quantity, Quantity]]:
    """All numbers that depend on each other directly, in the order of the forward pass."""
    return [
        (quantity(node.kind, reached), quantity(leaf.kind, at))
        for node in graph.inner if node.kind in graph.needed
        for k, leaf in enumerate(node.made.arguments)
        if isinstance(leaf, ArrayRef) and leaf.kind in graph.needed
        for at in places(node.made.shapes[k])
        for reached, _ in node.operation.routes(k, node.made, at)
    ]  # fmt: skip


def inputs(graph: Graph) -> list[Quantity]:
    """All numbers to differentiate with respect to."""
    nodes = filter(None, map(graph.by_name.get, graph.differentiate))
    return [q for node in nodes for q in node.entries()]


def reverse_work(graph: Graph) -> Work:
    """The work of the backward pass, for all derivatives together, counted pair by pair."""
    return _work(Counter(below for _, below in pairs(graph)))


def forward_work(graph: Graph) -> dict[Quantity, Work]:
    """The work of forward accumulation for each number to differentiate with respect to: the same,
    but only over what depends on it.
    """
    return {of: _work(parts) for of, parts in _rounds(graph).items()}


def totals_by_pairs(graph: Graph) -> Totals:
    """The work of all derivatives, counted pair by pair."""
    rounds, paths = _rounds(graph), Counter(inputs(graph))
    edges: Counter[Quantity] = Counter()
    for q, below in pairs(graph):
        paths[q] += paths[below]
        edges[q] += edges[below] + paths[below]
    (result,) = graph.result.entries()
    works = [_work(parts) for parts in rounds.values()]
    return Totals(
        paths[result],
        Work(edges[result], paths[result] - sum(result in parts for parts in rounds.values())),
        Work(sum(work.products for work in works), sum(work.sums for work in works)),
        reverse_work(graph),
        tuple(accumulate(_new_pairs(graph, rounds))),
    )


def _rounds(graph: Graph) -> dict[Quantity, Counter[Quantity]]:
    """For each input how many parts each number has that depends on it."""
    found, known = dict[Quantity, Counter[Quantity]](), pairs(graph)
    for of in inputs(graph):
        parts = found[of] = Counter[Quantity]()
        for q, below in known:
            if below == of or below in parts:
                parts[q] += 1
    return found


def _new_pairs(graph: Graph, rounds: Mapping[Quantity, Counter[Quantity]]) -> Iterator[int]:
    """For each input how many pairs depend on it and on none before it."""
    left = pairs(graph)
    for of, parts in rounds.items():
        mine = {of, *parts}
        yield sum(below in mine for _, below in left)
        left = [pair for pair in left if pair[1] not in mine]


def _work(parts: Counter[Quantity]) -> Work:
    return Work(parts.total(), sum(count - 1 for count in parts.values()))

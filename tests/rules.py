"""The rules of losses as functions of arrays: their trees, evaluated with the arrays as leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tutor.engine.losses import Loss
from tutor.engine.quantity import K, Quantity
from tutor.engine.tree import ArrayRef, Leaf, SumOver, Value, evaluate


@dataclass(frozen=True)
class Arrays:
    """An environment of arrays by the names of the leaves: a, y and z of shape (M, n). It knows
    their sizes as well.
    """

    known: dict[str, Any]
    exact: bool = True
    """Whether a stable form may stand for what is written."""
    span: slice | None = None

    def number(self, q: Quantity) -> Value:
        return self.known[q.kind][max(q.sample, 1) - 1, self.span if q.i == K else q.i - 1]

    def matrix(self, leaf: ArrayRef) -> Value:
        return self.known[leaf.kind]

    @property
    def samples(self) -> int:
        return len(next(iter(self.known.values())))

    def columns(self, leaf: ArrayRef) -> int:
        return int(self.known[leaf.kind].shape[1])

    def rows(self, leaf: ArrayRef) -> int:
        return len(self.known[leaf.kind])

    def share(self) -> Value:
        raise KeyError("share")

    def bound(self, span: slice) -> Arrays:
        return replace(self, span=span)

    def holds(self, leaf: Leaf) -> bool:
        return self.exact

    def seen(self, value: Value) -> Value:
        return value

    def noted(self, value: Value) -> Value:
        return value


def per_sample(rule: Loss, a: Any, y: Any, z: Any) -> Any:
    """The loss of each sample: (M, n) each -> (M,)."""
    return evaluate(
        rule.of_sample(SumOver(rule.term, "outputs", 1, keep=False)),
        Arrays({"a": a, "y": y, "z": z}),
    )


def gradient(rule: Loss, a: Any, y: Any) -> Any:
    """The derivative by each output, before the share of a mean: (M, n)."""
    return np.asarray(evaluate(rule.gradient, Arrays({"a": a, "y": y})))

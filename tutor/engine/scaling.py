"""Scaling of inputs: each column by itself, fitted on the training samples alone.

    scaling = Scaling.fitted("standardize", training inputs)
    scaling(x)                            the same columns scaled
    from_raw(trace, scaling, raw, train)  the trace with the steps that scale its inputs

The trees are in `scales`; here they get their numbers. Validation and test samples are scaled with
the numbers of the training samples, so they may lie outside of 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tutor.engine.network import Array, frozen
from tutor.engine.program import Name, Program
from tutor.engine.scales import RAW, SCALES, TRAIN, ScalePlan
from tutor.engine.trace import Trace
from tutor.engine.tree import Node, Numbers, evaluate
from tutor.errors import NetworkError


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """How each input is scaled. `statistics` has the numbers of the training samples by the names
    of their arrays, each (N,).
    """

    name: str
    samples: int
    statistics: dict[Name, Array]

    @classmethod
    def fitted(cls, name: str, x: Array) -> Scaling:
        """The scaling whose numbers come from these samples, x (M, N)."""
        found: dict[Name, Array] = {("raw", 0): x}
        for leaf, tree in SCALES[name].statistics(RAW, len(x)):
            found[leaf.kind, 0] = frozen(evaluate(tree, Numbers({}, found)))
        del found["raw", 0]
        return cls(name, len(x), found)

    @property
    def subtracted(self) -> Array:
        """What is taken away, (N,)."""
        return self._value(SCALES[self.name].subtracted)

    @property
    def divided(self) -> Array:
        """What the rest is divided by, (N,)."""
        return self._value(SCALES[self.name].divided)

    def __call__(self, x: Array) -> Array:
        """Samples x (M, N), scaled."""
        found = {**self.statistics, ("raw", 0): x}
        return frozen(evaluate(SCALES[self.name].scaled, Numbers({}, found)))

    def _value(self, tree: Node) -> Array:
        return frozen(evaluate(tree, Numbers({}, self.statistics)))


def constant(x: Array) -> tuple[int, ...]:
    """The columns of x (M, N), from 1, that cannot be scaled, because all their numbers are the
    same. Their mean may be rounded, so that their standard deviation need not be exactly 0.
    """
    return tuple((np.flatnonzero(~(x.max(axis=0) > x.min(axis=0))) + 1).tolist())


def from_raw(trace: Trace, scaling: Scaling, raw: Array, train: Array) -> Trace:
    """The same trace, from the inputs `raw` (M, N) before they were scaled; `train` are those of
    all training samples. Raises NetworkError where its inputs are not `raw`, scaled.
    """
    if not np.array_equal(scaling(raw), trace.x, equal_nan=True):
        raise NetworkError("the inputs of this trace are not these, scaled")
    whole = np.array_equal(raw, train)
    plan = ScalePlan(scaling.name, scaling.samples, RAW if whole else TRAIN)
    given = {("raw", 0): frozen(raw)} | ({} if whole else {("train", 0): frozen(train)})
    return replace(
        trace,
        program=Program.of(replace(trace.program.plan, scale=plan)),
        arrays={**given, **scaling.statistics, **trace.arrays},
    )

"""All paths of the chain rule: how the loss depends on one number, path by path.

    found = paths(trace, parse("dL/dw[1][1,1]"))
    found.count               how many there are, by counting
    found.first(16)           the first of them, each with its factors
    found.cuts()              the same derivative added up layer by layer

Each path is a product of local derivatives, one for each step of the computation, from the loss
down to the number; the sum over all of them is the derivative that backpropagation computes. There
may be more paths than anybody can list, so they are counted with whole numbers of any size, and
listed only as far as asked for.

Where an output is saturated and its derivative beyond float64, the paths begin at the error signal,
as the backward pass does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import numpy as np

from tutor.engine.kinds import GRADIENT, KINDS, SLOPE
from tutor.engine.program import Name, Operation, by
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Array, Trace
from tutor.engine.tree import (
    ONE,
    Apply,
    ArrayRef,
    Hadamard,
    Node,
    Partial,
    Product,
    Ref,
)

Counts: TypeAlias = Mapping[Name, Sequence[int]]
"""How many paths there are at each unit, by the name of the array."""
Use: TypeAlias = tuple[Quantity, Node]
"""What is made of a number, and its derivative with respect to that number."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path. `stops` lead up from the number to the last one before the loss; `factors` come
    down from the loss.
    """

    stops: tuple[Quantity, ...]
    factors: tuple[Node, ...]

    @property
    def tree(self) -> Node:
        """Its product."""
        return Product(self.factors) if len(self.factors) > 1 else self.factors[0]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """All paths where they pass the pre-activations of a layer: those through each unit together,
    and those that a skip connection leads round the layer.
    """

    layer: int
    counts: tuple[int, ...]
    """How many lead through each unit."""
    shares: Array
    """What those through each unit add up to, shape (units,)."""
    count_aside: int
    aside: float

    @property
    def total(self) -> float:
        """The derivative again."""
        return float(self.shares.sum()) + self.aside


def bottom(q: Quantity) -> Quantity:
    """What a derivative of the loss is taken with respect to: w[1][1,1] for dL/dw[1][1,1]."""
    kind = q.of.by if q.layer else "x"
    return q._replace(kind=kind, sample=q.sample if KINDS[kind].per_sample else 0)


def paths(trace: Trace, q: Quantity) -> Paths:
    """The paths of a derivative of the loss, for one sample.

    Raises KeyError where the trace has no such derivative, or where q is one summed over samples.
    """
    trace.value(q)
    if not q.of.derivative or (trace.samples > 1 and not q.sample):
        raise KeyError(f"{q} is no derivative for one sample")
    return Paths(trace, q)


@dataclass(frozen=True, eq=False)
class Paths:
    """The paths from one number to the loss, for one sample."""

    trace: Trace
    q: Quantity
    """The derivative that they add up to."""

    @property
    def start(self) -> Quantity:
        """The number that they lead from."""
        return bottom(self.q)

    @cached_property
    def count(self) -> int:
        """How many paths there are."""
        return self._at(self.above, self.start)

    @cached_property
    def left_out(self) -> int:
        """How many paths begin at an output whose derivative is exactly 0; they are not counted."""
        ones = [1] * len(self._heads)
        return self._at(self._counted_down(ones), self.start) - self.count

    def first(self, most: int) -> tuple[Path, ...]:
        """The first paths, at most so many."""
        return tuple(islice(self._from(self.start), most))

    def cuts(self) -> tuple[Cut, ...]:
        """The derivative added up at each layer that every path from the number passes."""
        layers = range(max(self.start.layer + self._starts_above, 1), self.trace.network.depth + 1)
        return tuple(map(self._cut, layers))

    # ---- the graph ----

    @cached_property
    def _users(self) -> dict[ArrayRef, list[Operation]]:
        """The operations that use each array."""
        found: dict[ArrayRef, list[Operation]] = {}
        for step in self.trace.program.operations:
            for leaf in step.inputs:
                found.setdefault(leaf, []).append(step)
        return found

    @cached_property
    def _top(self) -> ArrayRef:
        """The array where the paths end: the outputs, or their pre-activations where the backward
        pass goes around the outputs.
        """
        signal = Quantity(GRADIENT["z"], self.trace.network.depth, 1, 0, self.q.sample)
        if self.trace.goes_around(signal):
            return ArrayRef("z", self.trace.network.depth)
        return ArrayRef(*self.trace.network.passed(self.trace.network.depth))

    @cached_property
    def _heads(self) -> list[int]:
        """1 for each number of that array on which the loss depends, else 0."""
        found = by(self._top)
        return [int(g != 0.0) for g in self.trace.array(found.kind, found.layer)[self._row]]

    @property
    def _row(self) -> int:
        return max(self.q.sample, 1) - 1

    @property
    def _starts_above(self) -> bool:
        """Whether the number is passed on by its layer, so that its paths begin in the next."""
        return KINDS[self.start.kind].per_sample and self.start.kind != "z"

    def _uses(self, q: Quantity) -> Iterator[Use]:
        """What is made of a number, each with the local derivative."""
        for step in self._users.get(ArrayRef(q.kind, q.layer), ()):
            yield from _local(self.trace, step, q, self.q.sample)

    def _from(self, q: Quantity) -> Iterator[Path]:
        """Every path from a number up, as long as it leads anywhere."""
        if (q.kind, q.layer) == (self._top.kind, self._top.layer):
            if self._heads[q.i - 1]:
                found = by(self._top)
                yield Path((q,), (Ref(q._replace(kind=found.kind)),))
            return
        for upper, local in self._uses(q):
            if self._at(self.above, upper):
                for path in self._from(upper):
                    yield Path((q, *path.stops), (*path.factors, local))

    # ---- how many ----

    def _at(self, counts: Counts, q: Quantity) -> int:
        """How many there are at a number; at a weight or bias those of its unit."""
        name = (q.kind, q.layer) if KINDS[q.kind].per_sample else ("z", q.layer)
        return counts[name][q.i - 1] if name in counts else 0

    @cached_property
    def above(self) -> Counts:
        """How many paths lead from each unit to the loss."""
        return self._counted_down(self._heads)

    def _counted_down(self, heads: Sequence[int]) -> Counts:
        found: dict[Name, Sequence[int]] = {(self._top.kind, self._top.layer): heads}
        for step in reversed(self.trace.program.operations):
            here = found.get((step.out.kind, step.out.layer))
            for leaf in step.inputs if here else ():
                if here and KINDS[leaf.kind].per_sample:
                    carried = _carried(step, here, self._size(leaf))
                    found[leaf.kind, leaf.layer] = _sum(found.get((leaf.kind, leaf.layer)), carried)
        return found

    @cached_property
    def below(self) -> Counts:
        """How many paths lead from the number to each unit."""
        start = self.start
        own = (start.kind, start.layer) if KINDS[start.kind].per_sample else ("z", start.layer)
        units = self._size(ArrayRef(*own))
        found: dict[Name, Sequence[int]] = {own: [int(i == start.i) for i in range(1, units + 1)]}
        for step in self.trace.program.operations:
            name = step.out.kind, step.out.layer
            for leaf in step.inputs:
                here = found.get((leaf.kind, leaf.layer))
                if here and name != own:
                    found[name] = _sum(found.get(name), _carried(step, here, self._size(step.out)))
        return found

    def _size(self, leaf: ArrayRef) -> int:
        return self.trace.network.sizes[leaf.layer]

    # ---- layer by layer ----

    @np.errstate(all="ignore")
    def _cut(self, layer: int) -> Cut:
        trace, row, counts = self.trace, self._row, self.below.get(("z", layer))
        above = self.above.get(("z", layer), [0] * trace.network.sizes[layer])
        below = counts or [0] * len(above)
        change = self._changes.get(("z", layer), np.zeros(len(above)))
        shares = trace.array(GRADIENT["z"], layer)[row] * change
        round_it = [(s, t) for s, t in trace.network.skips if s < layer <= t]
        aside, count = 0.0, 0
        for source, target in round_it:
            passed, added = trace.network.passed(source), ("r", target)
            if passed in self._changes:
                grads = trace.array(GRADIENT["r"], target)[row]
                aside += float((grads * self._changes[passed]).sum())
                pairs = zip(self.below[passed], self.above[added], strict=True)
                count += sum(a * b for a, b in pairs)
        through = tuple(a * b for a, b in zip(below, above, strict=True))
        return Cut(layer, through, shares, count, aside)

    @cached_property
    def _changes(self) -> dict[Name, Array]:
        """How fast each number changes when the one below changes: forward accumulation."""
        return changes(self.trace, self.start, self._row)


def changes(trace: Trace, q: Quantity, row: int) -> dict[Name, Array]:
    """The derivatives of every array of one sample (`row`, from 0) with respect to the number q:
    forward accumulation, one pass for one number. Arrays that do not depend on it are left out.
    """
    with np.errstate(all="ignore"):
        found: dict[Name, Array] = {}
        if KINDS[q.kind].per_sample:
            found[q.kind, q.layer] = _only(q.i, trace.network.sizes[q.layer])
        for step in trace.program.operations:
            name = step.out.kind, step.out.layer
            parts = [_pushed(trace, step, leaf, q, row, found) for leaf in step.inputs]
            known = [part for part in parts if part is not None]
            if known and name not in found:
                found[name] = sum(known[1:], known[0])
        return found


def _pushed(
    trace: Trace, step: Operation, leaf: ArrayRef, q: Quantity, row: int, found: dict[Name, Array]
) -> Array | None:
    """What the change of an input adds to that of an operation's output."""
    if (leaf.kind, leaf.layer) == (q.kind, q.layer) and not KINDS[q.kind].per_sample:
        below = trace.passed(q.layer - 1)[row, q.j - 1] if q.j else 1.0
        return _only(q.i, trace.network.sizes[q.layer]) * below
    change = found.get((leaf.kind, leaf.layer))
    if change is None:
        return None
    if isinstance(step.tree, Apply):
        if step.tree.function.by_row:
            return np.asarray(trace.jacobian(step.out.layer, row) @ change)
        return np.asarray(trace.array(SLOPE, step.out.layer)[row] * change)
    if step.product:
        return np.asarray(trace.array("w", step.out.layer) @ change)
    if isinstance(step.tree, Hadamard):
        return np.asarray(trace.array("mask", step.out.layer)[row] * change)
    return change


def _only(i: int, units: int) -> Array:
    """A row of 0 with a 1 at i."""
    return np.asarray(np.arange(1, units + 1) == i, dtype=np.float64)


def _carried(step: Operation, counts: Sequence[int], size: int) -> Sequence[int]:
    """The counts of one side of an operation, from those of the other."""
    return [sum(counts)] * size if step.mixes else counts


def _sum(counts: Sequence[int] | None, more: Sequence[int]) -> Sequence[int]:
    return more if counts is None else [a + b for a, b in zip(counts, more, strict=True)]


def _local(trace: Trace, step: Operation, q: Quantity, sample: int) -> Iterator[Use]:
    """The entries of an operation's output that are made of q, with their derivatives."""
    out, leaf = step.out, ArrayRef(q.kind, q.layer)
    upper = Quantity(out.kind, out.layer, q.i, 0, sample)
    if isinstance(step.tree, Apply):
        slope = upper._replace(kind=SLOPE)
        if not step.tree.function.by_row:
            yield upper, Ref(slope)
            return
        for c in range(1, trace.network.sizes[out.layer] + 1):
            yield upper._replace(i=c), Ref(slope._replace(i=c, j=q.i))
    elif KINDS[leaf.kind].weights:
        below, layer = trace.network.passed(out.layer - 1)
        yield upper, Partial(Ref(Quantity(below, layer, q.j, 0, sample)), upper, q)
    elif step.product and KINDS[leaf.kind].per_sample:
        for i in range(1, trace.network.sizes[out.layer] + 1):
            into = upper._replace(i=i)
            yield into, Partial(Ref(Quantity("w", out.layer, i, q.i)), into, q)
    elif isinstance(step.tree, Hadamard):
        yield upper, Partial(Ref(upper._replace(kind="mask")), upper, q)
    else:
        yield upper, Partial(ONE, upper, q)

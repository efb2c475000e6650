"""Which numbers are computed with a number, and the numbers of a pass that lead to it.

    users(trace, q)        -> Users for each kind and layer of numbers whose formula has q in it
    operands_of(trace, q)  -> the numbers in the formula of q
    leading_to(trace, q)   -> the numbers of the same pass that q is computed from, step by step

Both ask the derivations themselves. Of a long sum a formula tells the middle by a running index,
so a number with thousands of users costs no more than one with a few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

from tutor.engine.derivation import derive
from tutor.engine.kinds import FORWARD, KINDS, LOSS, SLOPE
from tutor.engine.leading import leading
from tutor.engine.program import Definition, made_of
from tutor.engine.quantity import K, Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import ArrayRef, Elided, ElidedSquares, Node, Ref, leaves, walk

Span = range | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Users:
    """The numbers of one kind and layer that use a number."""

    kind: str
    layer: int
    spans: tuple[tuple[Span, Span, Span], ...]
    """Where they stand: every choice of an i, a j and a sample, in one of several ways. (0,) is an
    index that the kind does not have.
    """

    @property
    def count(self) -> int:
        """How many there are."""
        if len(self.spans) > 1:
            return len(self.first(None))
        i, j, sample = self.spans[0]
        return len(i) * len(j) * len(sample)

    def first(self, most: int | None) -> tuple[Quantity, ...]:
        """The first of them, or all."""
        return tuple(islice(dict.fromkeys(self._all()), most))

    def _all(self) -> Iterator[Quantity]:
        for i, j, sample in self.spans:
            for s, at, from_ in product(sample, i, j):
                yield Quantity(self.kind, self.layer, at, from_, s)


def users(trace: Trace, q: Quantity) -> tuple[Users, ...]:
    """Who is computed with q, in the order of the program."""
    found = []
    for kind, layer in dict.fromkeys(_readers(trace, q)):
        of = KINDS[kind]
        ways = (False, True) if of.shared else (of.per_sample,)
        several = trace.samples > 1
        spans = [
            span
            for sampled in ways
            if several or sampled == ways[0]
            for span in _spans(trace, q, kind, layer, sampled=sampled and several)
        ]
        if spans:
            found.append(Users(kind, layer, tuple(spans)))
    return tuple(found)


def _readers(trace: Trace, q: Quantity) -> Iterator[tuple[str, int]]:
    """Kind and layer of the arrays whose tree has that of q in it."""
    names = {(q.kind, q.layer), (f"{q.kind}@", q.layer)}
    by_row = q.layer > 0 and trace.network.layer(q.layer).activation.full_jacobian
    for definition in trace.program.definitions:
        kind, layer = definition.name[0].removesuffix("@"), definition.name[1]
        if by_row and layer == q.layer and kind == "dL/dz":
            yield SLOPE, layer  # the entries of the Jacobian of a softmax are made on demand
            yield kind, layer
        if _reads(definition, names, q.kind) or (q.of.shared and q.sample and kind == q.kind):
            yield kind, layer
    if KINDS[q.kind].role == "loss":
        yield "(loss-loss+)/loss", 0


def _reads(definition: Definition, names: set[tuple[str, int]], kind: str) -> bool:
    trees = [tree for tree in (definition.tree, definition.long) if tree is not None]
    return any(
        not names.isdisjoint(made_of(tree))
        or any(isinstance(node, Ref) and node.quantity.kind == kind for node in walk(tree))
        for tree in trees
    )


def _spans(
    trace: Trace, q: Quantity, kind: str, layer: int, *, sampled: bool
) -> Iterator[tuple[Span, Span, Span]]:
    """Where in an array the users of q are. An index is one of those of q, or any: so q's own and
    one other tell of all.
    """
    of, sizes = KINDS[kind], trace.network.sizes
    units = sizes[layer]
    jacobian = of.role == "slope" and trace.network.layer(layer).activation.full_jacobian
    counts = (
        units if of.axes else 0,
        sizes[layer - 1] if of.weights else units if jacobian else 0,
        trace.samples if sampled else 0,
    )
    probes = [_probes(count, q) for count in counts]
    found = [
        (_span(i, counts[0]), _span(j, counts[1]), _span(s, counts[2]))
        for i, j, s in product(*probes)
        if _uses(trace, Quantity(kind, layer, i[0], j[0], s[0]), q)
    ]
    for span in found:
        if not any(span != other and _within(span, other) for other in found):
            yield span


def _span(probe: tuple[int, bool], count: int) -> Span:
    """What a probe stands for."""
    at, free = probe
    return range(1, count + 1) if free else (at,)


def _probes(count: int, q: Quantity) -> list[tuple[int, bool]]:
    """The indices to look at, each with whether it stands for any; 0 where there is none."""
    if not count:
        return [(0, False)]
    own = {at for at in (q.i, q.j, q.sample) if 0 < at <= count}
    other = next((at for at in range(1, count + 1) if at not in own), None)
    return [*((at, False) for at in sorted(own)), *([(other, True)] if other else [])]


def _within(span: tuple[Span, ...], other: tuple[Span, ...]) -> bool:
    # each is a single index or a whole range, so its ends tell
    pairs = zip(span, other, strict=True)
    return all(one[0] in wide and one[-1] in wide for one, wide in pairs)


def _uses(trace: Trace, user: Quantity, q: Quantity) -> bool:
    try:
        found = derive(trace, user)
    except KeyError:
        return False
    return any(_mentions(node, q) for node in walk(found.tree, trace))


def _mentions(node: Node, q: Quantity) -> bool:
    """Whether a node of a formula is q, or stands for it in the middle of a sum."""
    if isinstance(node, Ref):
        return node.quantity == q
    if isinstance(node, ElidedSquares):
        arrays = (leaf for leaf in walk(node.body) if isinstance(leaf, ArrayRef))
        return any((leaf.kind, leaf.layer) == (q.kind, q.layer) for leaf in arrays)
    return isinstance(node, Elided) and any(
        _runs_over(leaf.quantity, q, node) for leaf in leaves(node.body)
    )


def _runs_over(running: Quantity, q: Quantity, middle: Elided) -> bool:
    """Whether a number with a running index is q at some place of the middle."""
    if (running.kind, running.layer) != (q.kind, q.layer):
        return False
    pairs = list(zip(running[2:], q[2:], strict=True))
    places = {mine for other, mine in pairs if other == K}
    fixed = all(other in {K, mine} for other, mine in pairs)
    return fixed and (
        not places or (len(places) == 1 and middle.first <= min(places) <= middle.last)
    )


# ---- the way that leads to a number ----


def leading_to(trace: Trace, q: Quantity, sample: int = 0) -> frozenset[Quantity]:
    """The numbers of its own pass that q is computed from, and what those are computed from, with
    the numbers of other passes that enter there. Of several samples those of one.
    """
    passes = {q.of.phase, FORWARD} if q.of.phase == LOSS else {q.of.phase}

    def operands(user: Quantity) -> Iterator[Quantity]:
        for leaf in operands_of(trace, user):
            if not (leaf.sample and sample and leaf.sample != sample):
                yield leaf

    return leading(q, operands, passes)


def operands_of(trace: Trace, q: Quantity) -> tuple[Quantity, ...]:
    """The numbers that the formula of q names, in reading order; none where it has no formula."""
    try:
        return tuple(ref.quantity for ref in leaves(derive(trace, q).tree, trace))
    except KeyError:
        return ()

"""As on paper: the same iteration with every number rounded to a few digits and carried on like
that, as one does by hand.

    paper = on_paper(trace, 4, given=4)     a trace in which every number is a rounded one
    paper.exact                             the one at full precision
    by_hand(0.0026406, 4)                   0.00264

Each number is what its own tree gives of the rounded numbers before it, rounded again: nothing is
computed in another way, only with other numbers. Given numbers are copied as the lesson shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from math import floor, isfinite, log10
from typing import Any

import numpy as np

from tutor.engine.derivation import derive
from tutor.engine.kinds import KINDS
from tutor.engine.order import NumberOrder
from tutor.engine.program import Name
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Array, Trace
from tutor.engine.tree import Leaf, Value, evaluate

LARGE = 1e12
"""From here on a number has no decimals to round."""


def by_hand(value: float, decimals: int, *, cut: bool = False) -> float:
    """A number as one writes it down: with so many decimals, and small ones with one significant
    digit less than that, so that they do not lose all of theirs. A 5 rounds up; `cut`: what is
    behind is left away.
    """
    if value == 0 or not isfinite(value) or abs(value) >= LARGE:
        return value
    leading = floor(log10(abs(value)))
    places = max(decimals, digits_kept(decimals) - 1 - leading)
    near = Decimal(f"{value:.15g}")  # 0.43705 is a 5 at the end, whatever its last bits say
    step = Decimal(1).scaleb(-places)
    return float(near.quantize(step, ROUND_DOWN if cut else ROUND_HALF_UP))


def digits_kept(decimals: int) -> int:
    """How many significant digits a small number has at least beside others with so many
    decimals.
    """
    return max(decimals - 1, 1)


@dataclass(frozen=True, eq=False)
class PaperTrace(Trace):
    """A trace of rounded numbers. `shares` are those of the samples in each gradient, `jacobians`
    the derivatives of softmaxes: on paper they are numbers of their own.
    """

    cut: bool = False
    shares: dict[Name, Array] = field(default_factory=dict)
    jacobians: dict[int, Array] = field(default_factory=dict)

    def value(self, q: Quantity) -> float:
        try:
            return float(self._value(q))
        except IndexError:
            raise KeyError(f"{q} is not part of this trace") from None

    def holds(self, leaf: Leaf) -> bool:
        """On paper a logarithm is that of the rounded output."""
        return False

    def jacobian(self, layer: int, row: int) -> Array:
        if layer not in self.jacobians:
            return super().jacobian(layer, row)
        return np.asarray(self.jacobians[layer][row])

    def written(self, value: float) -> float:
        """A number as it is written down here."""
        return by_hand(value, self.paper, cut=self.cut)

    def _share(self, q: Quantity) -> Value:
        array = self.shares.get((q.kind, q.layer))
        if array is None:
            return super()._share(q)
        row = array[self._at(q.sample), self._at(q.i)]
        return row[..., self._at(q.j)] if q.j else row

    def _jacobian_entry(self, q: Quantity) -> Value:
        if q.layer not in self.jacobians:
            return super()._jacobian_entry(q)
        return self.jacobians[q.layer][max(q.sample, 1) - 1][self._at(q.i), self._at(q.j)]

    def _scalar(self, q: Quantity) -> Value:
        value = super()._scalar(q)
        known = q.sample or (q.kind, 0) in self.arrays or q.of.given
        return value if known else np.float64(self.written(float(value)))


def on_paper(trace: Trace, decimals: int, given: int, *, cut: bool = False) -> PaperTrace:
    """The same iteration with every number rounded to so many decimals; given numbers are copied
    with `given` of them.
    """
    with np.errstate(all="ignore"):
        arrays = {name: _copied(name, array, given) for name, array in trace.arrays.items()}
        paper = PaperTrace(
            trace.network, trace.eta, trace.program, arrays, True, trace.knobs,
            paper=decimals, exact=trace, cut=cut,
        )  # fmt: skip
        finite = True
        order = NumberOrder.of(
            trace.network, trace.samples, trace.blocked, inputs=True, statistics=trace.statistics
        )
        for q in order:
            if q.of.role == "slope" and q.layer == trace.blocked:
                continue
            value = paper.written(float(evaluate(derive(paper, q).tree, paper)))
            finite = finite and (isfinite(value) or _stepped_around(paper, q))
            _write(paper, q, value)
        for array in (*arrays.values(), *paper.shares.values(), *paper.jacobians.values()):
            if isinstance(array, np.ndarray):
                array.setflags(write=False)
        return replace(paper, finite=finite)


def _stepped_around(paper: PaperTrace, q: Quantity) -> bool:
    return q.of.by == "a" and 0 < q.layer == paper.fused_layer


def _copied(name: Name, array: Any, given: int) -> Any:
    """An array to write to: of what is given, with the numbers as the lesson shows them."""
    found = np.array(array, dtype=np.float64)
    kind = KINDS[name[0].removesuffix("@")]
    if kind.earlier or kind.role in {"parameter", "data", "source"}:
        flat = [by_hand(float(value), given) for value in found.ravel()]
        found = np.array(flat, dtype=np.float64).reshape(found.shape)
    return found


def _write(paper: PaperTrace, q: Quantity, value: float) -> None:
    """Put a number in its place."""
    of, row, i, j = q.of, max(q.sample, 1) - 1, q.i - 1, q.j - 1
    if of.role == "slope" and q.j:
        units = paper.network.sizes[q.layer]
        new = np.zeros((paper.samples, units, units))
        paper.jacobians.setdefault(q.layer, new)[row, i, j] = value
    elif not of.axes and q.sample:
        paper.arrays[f"{q.kind}@", 0][row] = value
    elif not of.axes:
        paper.arrays[q.kind, 0][...] = value
    elif of.shared and q.sample:
        shape = paper.array(q.kind, q.layer).shape
        new = np.zeros((paper.samples, *shape))
        paper.shares.setdefault((q.kind, q.layer), new)[(row, i, j) if q.j else (row, i)] = value
    elif of.per_sample:
        paper.array(q.kind, q.layer)[row, i] = value
    else:
        paper.array(q.kind, q.layer)[(i, j) if of.weights else i] = value

"""Which entries of an input each entry of an operation's output depends on, in few numbers: however
many pairs of them there are, along each axis they are neighbours.

    Reach(shape, rows, columns)     entry (a, b) of the output depends on the rows from rows[a][0]
                                    up to rows[a][1] of the input, and on the columns of columns[b]
    either(values), total(values)   for each entry of the output: what it depends on, joined bit by
                                    bit or added up
    takers                          how many entries of the output depend on each of the input

Arrays hold whole numbers of any size, those of a matrix row by row in one list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Array = np.ndarray
Spans: TypeAlias = tuple[tuple[int, int], ...]
"""For each index of the output: from which index of the input, counted from 0, up to which."""


def each(n: int) -> Spans:
    """Every index depends on the same one."""
    return tuple((at, at + 1) for at in range(n))


def every(n: int, times: int = 1) -> Spans:
    """So many indices depend on all n."""
    return ((0, n),) * times


@dataclass(frozen=True, slots=True)
class Reach:
    """The entries that those of an output depend on."""

    shape: tuple[int, int]
    """Of the input, as rows and columns; `rows` and `columns` are those of the output."""
    rows: Spans
    columns: Spans = ((0, 1),)
    turned: bool = False
    """Whether rows and columns of the input change places first."""

    @property
    def alike(self) -> bool:
        """Whether each entry depends on the one at the same place alone."""
        return not self.turned and (self.rows, self.columns) == tuple(map(each, self.shape))

    def either(self, values: Array) -> Array:
        """What each entry depends on, joined bit by bit."""
        return self._both(values, _either)

    def total(self, values: Array) -> Array:
        """What each entry depends on, added up."""
        return self._both(values, _total)

    def _both(self, values: Array, along: Callable[[Array, Spans], Array]) -> Array:
        if self.alike:
            return values
        seen = values.reshape(self.shape)
        down = along(seen.T if self.turned else seen, self.rows)
        return along(down.T, self.columns).T.ravel()

    @property
    def takers(self) -> Array:
        """How many entries of the output depend on each of the input."""
        rows, columns = self.shape[::-1] if self.turned else self.shape
        found = np.outer(_taken(self.rows, rows), _taken(self.columns, columns))
        return (found.T if self.turned else found).ravel()


def _either(values: Array, spans: Spans) -> Array:
    """Row by row the bits of the rows of a span: of two that overlap, as long as a power of two."""
    levels, n = [values], len(values)
    while (step := 1 << len(levels) - 1) * 2 <= n:
        levels.append(levels[-1][:-step] | levels[-1][step:])
    found = np.empty((len(spans), values.shape[1]), dtype=object)
    for row, (start, end) in enumerate(spans):
        k = (end - start).bit_length() - 1
        found[row] = levels[k][start] | levels[k][end - (1 << k)]
    return found


def _total(values: Array, spans: Spans) -> Array:
    until = np.concatenate([np.zeros((1, values.shape[1]), dtype=object), values]).cumsum(axis=0)
    starts, ends = zip(*spans, strict=True)
    return np.asarray(until[list(ends)] - until[list(starts)])


def _taken(spans: Spans, n: int) -> Array:
    """Of each of n indices, how many spans it lies in."""
    ends = np.zeros(n + 1, dtype=int)
    for start, end in spans:
        ends[start] += 1
        ends[end] -= 1
    return ends.cumsum()[:-1].astype(object)

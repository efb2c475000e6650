"""Friendly numbers: choices of tenths and whole numbers from a stream that never changes.

All choices are made in whole units (tenths or ones) and divided at the end, so 0.3 is the 0.3 that a file would hold.
`tutor.redraw` makes the numbers of a lesson of them.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add

from tutor.scenario import Rows

LARGEST = 1_000
"""Numbers of the original that are larger than this are not taken as a measure."""
RETRIES = 50


class Stream:
    """Choices that depend on the text of the key alone: on no platform, no process, no version of Python."""

    def __init__(self, key: str) -> None:
        seed = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")
        self._random = random.Random(seed).random  # noqa: S311  (numbers for exercises, not for secrets)

    def below(self, n: int) -> int:
        """A whole number from 0 to n − 1."""
        return int(self._random() * n)

    def distinct(self, items: Sequence[int], count: int) -> list[int]:
        """`count` of the items, none twice, in random order."""
        left = list(items)
        for k in range(count):
            other = k + self.below(len(left) - k)
            left[k], left[other] = left[other], left[k]
        return left[:count]

    def signed(self, number: int) -> int:
        """The number or its negative."""
        return number if self.below(2) else -number


@dataclass(frozen=True, slots=True)
class Pool:
    """The numbers ±1/parts … ±largest/parts."""

    largest: int
    parts: int

    @classmethod
    def like(cls, numbers: Sequence[float], least: int, whole: bool) -> Pool:
        """As large as these numbers; whole numbers or tenths. `least` is how many sizes there are at the least."""
        parts = 1 if whole else 10
        size = min(max(map(abs, numbers), default=0.0), LARGEST)
        return cls(max(least, math.floor(size * parts + 1e-6)), parts)

    def draw(self, stream: Stream, count: int) -> list[int]:
        """Different in size if there are enough, else each size once or with both signs, else any."""
        sizes = range(1, self.largest + 1)
        if count > 2 * self.largest:
            return [stream.signed(1 + stream.below(self.largest)) for _ in range(count)]
        first = [stream.signed(size) for size in stream.distinct(sizes, min(count, self.largest))]
        if count <= self.largest:
            return first
        return stream.distinct([*first, *(-unit for unit in stream.distinct(first, count - self.largest))], count)

    def numbers(self, units: Sequence[int]) -> tuple[float, ...]:
        """Units as numbers: tenths are divided by 10."""
        return tuple(unit / self.parts for unit in units)

    def matrix(self, stream: Stream, rows: int, columns: int) -> Rows:
        """A full matrix; its rows and columns differ where there are enough numbers for it."""
        if rows * columns <= 2 * self.largest:
            units = self.draw(stream, rows * columns)
            return tuple(self.numbers(units[r * columns : (r + 1) * columns]) for r in range(rows))
        longer = different(lambda: self.numbers(self.draw(stream, min(rows, columns))), max(rows, columns))
        return longer if rows >= columns else tuple(zip(*longer, strict=True))


def different(draw: Callable[[], tuple[float, ...]], count: int) -> Rows:
    """`count` draws, none like another as far as some tries can do it."""
    found: dict[tuple[float, ...], None] = {}
    spare = count * RETRIES
    while len(found) < count and spare:
        found[draw()] = None
        spare -= 1
    return (*found, *(draw() for _ in range(count - len(found))))


def whole(rows: Sequence[Sequence[float]]) -> bool:
    """Whether all numbers are whole."""
    return all(float(number).is_integer() for row in rows for number in row)


def distribution(stream: Stream, count: int) -> tuple[float, ...]:
    """Positive friendly numbers that sum to exactly 1, added one by one and without rounding; different ones if possible."""
    if count == 1:
        return (1.0,)
    parts = next(parts for parts in (10, 20, 100, 1_000, 10_000) if count * (count + 1) // 2 <= parts or parts == 10_000)
    best: tuple[float, ...] = ()
    for _ in range(4 * RETRIES):
        cuts = [0, *sorted(stream.distinct(range(1, parts), count - 1)), parts]
        units = [after - before for before, after in pairwise(cuts)]
        row = tuple(unit / parts for unit in units)
        sound = reduce(add, row) == 1.0 == math.fsum(row)  # not sum(), which adds in another way since Python 3.12
        if sound and len(set(units)) == count:
            return row
        best = row if sound or not best else best
    return best

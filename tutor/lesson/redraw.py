"""Draw a lesson's numbers anew: the same structure, other friendly numbers.

    redrawn(scenario, trace, stream) -> Scenario

Weights and biases have one decimal and are never 0; inputs are whole numbers where the original's
are, else they have one decimal; targets stay of their kind. Whether the result is fit for a
worksheet is `tutor.lesson.variants`'s to say.

What is kept: weights made by `init`; zeros beside a diagonal, whose numbers are replaced alike (one
α in all layers stays one α in all layers, above 1 where it was above 1); how many ReLU units of a
layer are off, as far as turning the signs of their weights can do it; columns of inputs that are
all positive; the class of a single sample.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np

from tutor.engine.network import Array
from tutor.engine.trace import Trace
from tutor.scenario.reader import LayerSpec, Rows, Scenario


def redrawn(scenario: Scenario, trace: Trace, stream: Stream) -> Scenario:
    """The scenario with other numbers; `trace` is the original's first iteration. Texts are left as
    they are.
    """
    inputs = _inputs(scenario.inputs, stream)
    layers, outputs = _Layers(scenario, trace, stream).drawn(np.array(inputs))
    targets = _Targets(scenario, trace, stream).drawn(outputs)
    network = scenario.network.model_copy(update={"layers": layers})
    data = scenario.data.model_copy(update={"inputs": inputs, "targets": targets})
    return replace(scenario, network=network, data=data)


def _inputs(rows: Rows, stream: Stream) -> Rows:
    """Not 0, different within a sample where there are enough; what was positive in all samples
    stays positive.
    """
    ones = whole(rows)
    pool = Pool.like([number for row in rows for number in row], 4 if ones else 9, ones)
    positive = [all(number > 0 for number in column) for column in zip(*rows, strict=True)]

    def row() -> tuple[float, ...]:
        units = pool.draw(stream, len(positive))
        return pool.numbers(
            [abs(unit) if plus else unit for unit, plus in zip(units, positive, strict=True)]
        )

    return different(row, len(rows))


def diagonal(weights: Rows | None) -> bool:
    """Whether a given matrix is diagonal: two rows or more, zeros only beside the diagonal."""
    if weights is None or len(weights) < 2 or len(weights) != len(weights[0]):
        return False
    return all(
        (number != 0) == (r == c) for r, row in enumerate(weights) for c, number in enumerate(row)
    )


@dataclass
class _Layers:
    """Draws layer by layer from the first to the last, with the activations at hand to set ReLU
    units on or off.
    """

    scenario: Scenario
    trace: Trace
    stream: Stream
    factors: dict[float, float] = field(default_factory=dict)
    """Numbers of diagonals: the original's, and what stands for them now."""

    def drawn(self, a: Array) -> tuple[tuple[LayerSpec, ...], Array]:
        """The layers, and the outputs (M, units) that they give for the inputs `a` (M, inputs)."""
        rules = self.trace.network
        layers, passed = [], [a]
        for number, old in enumerate(self.scenario.network.layers, 1):
            made = None if old.init is None else rules.layer(number).weights
            weights = np.array(self._weights(old)) if made is None else made
            biases = self._biases(old)
            with np.errstate(all="ignore"):
                z = a @ weights.T + (0.0 if biases is None else biases)
                if old.activation == "relu" and made is None and not diagonal(old.weights):
                    turn = self._turns(number, z)
                    weights, z = weights * turn[:, None], z * turn
                    biases = None if biases is None else biases * turn
                a = rules.layer(number).activation.f(z)
                a = a + passed[number - old.skip] if old.skip else a
            passed.append(a)
            layers.append(
                old.model_copy(
                    update={
                        "weights": None if made is not None else _rows(weights),
                        "biases": _row(biases),
                    }
                )
            )
        return tuple(layers), a

    def _weights(self, old: LayerSpec) -> Rows:
        rows = old.weights or ()
        if diagonal(rows):
            return tuple(
                tuple(self._factor(number) if number else 0.0 for number in row) for row in rows
            )
        numbers = [number for row in rows for number in row]
        ones = whole(rows) and max(map(abs, numbers)) > 9
        return Pool.like(numbers, 9, ones).matrix(self.stream, len(rows), len(rows[0]))

    def _factor(self, old: float) -> float:
        """What stands for a number of a diagonal: of the same sign, on the same side of 1, the same
        for the same.
        """
        if old not in self.factors:
            parts = 1 if old.is_integer() and abs(old) > 1 else 10
            one, size = parts, round(min(abs(old), LARGEST) * parts)
            choice = range(one + 1, max(size, one + 1) + 2) if abs(old) > 1 else range(2, one)
            free = [
                unit / parts
                for unit in choice
                if math.copysign(unit / parts, old) not in self.factors.values()
            ]
            number = free[self.stream.below(len(free))] if free else abs(old)
            self.factors[old] = math.copysign(number, old)
        return self.factors[old]

    def _biases(self, old: LayerSpec) -> Array | None:
        if old.biases is None:
            return None
        if old.init is not None and not any(old.biases):
            return np.array(old.biases)
        pool = Pool.like(old.biases, 9, whole([old.biases]) and max(map(abs, old.biases)) > 9)
        return np.array(pool.numbers(pool.draw(self.stream, old.units)))

    def _turns(self, number: int, z: Array) -> Array:
        """+1 or −1 for each unit (units,): which signs to turn so that as many are on as in the
        original, or all if none is.

        A sum so close to 0 that platforms could disagree about its sign makes the whole draw unfit
        afterwards.
        """
        before = (self.trace.array("z", number) > 0).mean(axis=0) >= 0.5
        before |= not before.any()
        wanted = self.stream.distinct([int(on) for on in before], len(before))
        now = (z > 0).mean(axis=0)
        return np.where((np.array(wanted) == 1) == (now >= 0.5), 1.0, -1.0)


def _row(numbers: Array | None) -> tuple[float, ...] | None:
    return None if numbers is None else tuple(float(number) for number in numbers)


def _rows(matrix: Array) -> Rows:
    return tuple(tuple(float(number) for number in row) for row in matrix)


@dataclass(frozen=True)
class _Targets:
    """Draws targets of the original's kind."""

    scenario: Scenario
    trace: Trace
    stream: Stream

    def drawn(self, outputs: Array) -> Rows:
        """One row per sample for outputs (M, units)."""
        kind, rows = kind_of_targets(self.scenario), self.scenario.targets
        if kind == "classes":
            return self._classes(rows)
        if kind in {"0 or 1", "-1 or 1"}:
            return self._two(rows, 0.0 if kind == "0 or 1" else -1.0)
        if kind == "shares":
            pool = Pool(9, 10)
            return tuple(pool.numbers([1 + self.stream.below(9) for _ in row]) for row in rows)
        return self._near(rows, outputs)

    def _classes(self, rows: Rows) -> Rows:
        """One-hot rows and distributions; a single sample keeps its class, for the lesson may speak
        of it.
        """
        hot = [row.index(1.0) if 1.0 in row else -1 for row in rows]
        new = [at if at < 0 or len(rows) == 1 else self.stream.below(len(rows[0])) for at in hot]
        if len(set(hot)) > 1 and len(set(new)) == 1:
            new[-1] = (new[-1] + 1) % len(rows[0])
        return tuple(
            tuple(float(k == at) for k in range(len(row)))
            if at >= 0
            else distribution(self.stream, len(row))
            for at, row in zip(new, rows, strict=True)
        )

    def _two(self, rows: Rows, low: float) -> Rows:
        """One of two numbers in each cell; both of them where the original has both."""
        width = len(rows[0])
        cells = [self.stream.below(2) for _ in range(width * len(rows))]
        if len({number for row in rows for number in row}) > 1 and len(set(cells)) == 1:
            at = self.stream.below(len(cells))
            cells[at] = 1 - cells[at]
        return tuple(
            tuple(1.0 if cell else low for cell in cells[k : k + width])
            for k in range(0, len(cells), width)
        )

    def _near(self, rows: Rows, outputs: Array) -> Rows:
        """Numbers some steps away from the outputs, about as far as the original's targets are."""
        parts = 1 if whole(rows) else 10
        with np.errstate(all="ignore"):
            error = float(np.abs(self.trace.outputs - self.trace.y).max())
        far = min(
            max(3 if parts == 1 else 5, math.ceil(min(error, LARGEST) * parts - 1e-6)), LARGEST
        )

        def near(output: float) -> float:
            steps = self.stream.below(2 * far + 1) - far
            # Halves are rounded up whatever the last bit says, so that every platform finds the
            # same target.
            return (
                (math.floor(output * parts + 0.5 + 1e-6) + steps) / parts
                if math.isfinite(output)
                else 1.0
            )

        return tuple(tuple(near(float(output)) for output in row) for row in outputs)


def kind_of_targets(scenario: Scenario) -> str:
    """What the targets are: `classes` (one-hot or a distribution), `0 or 1`, `-1 or 1`, `shares` of
    1, or `numbers`.
    """
    output, cells = (
        scenario.network.layers[-1].activation,
        {number for row in scenario.targets for number in row},
    )
    if output == "softmax" and all(
        min(row) >= 0 and abs(math.fsum(row) - 1) <= 1e-9 for row in scenario.targets
    ):
        return "classes"
    if output in {"sigmoid", "step", "sign", "tanh", "softmax"}:
        if cells <= {0.0, 1.0}:
            return "0 or 1"
        if cells <= {-1.0, 1.0}:
            return "-1 or 1"
    if output == "sigmoid" and min(cells) >= 0 and max(cells) <= 1:
        return "shares"
    return "numbers"


# ---- Friendly numbers: choices of tenths and whole numbers from a stream that never changes ----
# All choices are made in whole units (tenths or ones) and divided at the end, so 0.3 is the 0.3
# that a file would hold. `tutor.lesson.redraw` makes the numbers of a lesson of them.


LARGEST = 1_000
"""Numbers of the original that are larger than this are not taken as a measure."""
RETRIES = 50


class Stream:
    """Choices that depend on the key alone: on no platform, process or version of Python."""

    def __init__(self, key: str) -> None:
        seed = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")
        # Numbers for exercises, not for secrets
        self._random = random.Random(seed).random  # noqa: S311

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
        """As large as these numbers; whole numbers or tenths. `least` is how many sizes there are
        at the least.
        """
        parts = 1 if whole else 10
        size = min(max(map(abs, numbers), default=0.0), LARGEST)
        return cls(max(least, math.floor(size * parts + 1e-6)), parts)

    def draw(self, stream: Stream, count: int) -> list[int]:
        """Different in size if there are enough, else each size once or with both signs, or any."""
        sizes = range(1, self.largest + 1)
        if count > 2 * self.largest:
            return [stream.signed(1 + stream.below(self.largest)) for _ in range(count)]
        first = [stream.signed(size) for size in stream.distinct(sizes, min(count, self.largest))]
        if count <= self.largest:
            return first
        return stream.distinct(
            [*first, *(-unit for unit in stream.distinct(first, count - self.largest))], count
        )

    def numbers(self, units: Sequence[int]) -> tuple[float, ...]:
        """Units as numbers: tenths are divided by 10."""
        return tuple(unit / self.parts for unit in units)

    def matrix(self, stream: Stream, rows: int, columns: int) -> Rows:
        """A full matrix; its rows and columns differ where there are enough numbers for it."""
        if rows * columns <= 2 * self.largest:
            units = self.draw(stream, rows * columns)
            return tuple(self.numbers(units[r * columns : (r + 1) * columns]) for r in range(rows))
        longer = different(
            lambda: self.numbers(self.draw(stream, min(rows, columns))), max(rows, columns)
        )
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
    """Positive friendly numbers that sum to exactly 1, added one by one and without rounding;
    different ones if possible.
    """
    if count == 1:
        return (1.0,)
    parts = next(
        parts
        for parts in (10, 20, 100, 1_000, 10_000)
        if count * (count + 1) // 2 <= parts or parts == 10_000
    )
    best: tuple[float, ...] = ()
    for _ in range(4 * RETRIES):
        cuts = [0, *sorted(stream.distinct(range(1, parts), count - 1)), parts]
        units = [after - before for before, after in pairwise(cuts)]
        row = tuple(unit / parts for unit in units)
        # not sum(), which adds in another way since Python 3.12
        sound = reduce(add, row) == 1.0 == math.fsum(row)
        if sound and len(set(units)) == count:
            return row
        best = row if sound or not best else best
    return best

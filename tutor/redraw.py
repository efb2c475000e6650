"""Draw a lesson's numbers anew: the same structure, other friendly numbers.

    redrawn(scenario, trace, stream) -> Scenario

Weights and biases have one decimal and are never 0; inputs are whole numbers where the original's are, else they have
one decimal; targets stay of their kind. Whether the result is fit for a worksheet is `tutor.degenerate`'s to say.

What is kept: weights made by `init`; zeros beside a diagonal, whose numbers are replaced alike (one α in all layers
stays one α in all layers, above 1 where it was above 1); how many ReLU units of a layer are off, as far as turning the
signs of their weights can do it; columns of inputs that are all positive; the class of a single sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from tutor.build import build
from tutor.engine.network import Array
from tutor.engine.trace import Trace
from tutor.friendly import LARGEST, Pool, Stream, different, distribution, whole
from tutor.scenario import Layer, Rows, Scenario


def redrawn(scenario: Scenario, trace: Trace, stream: Stream) -> Scenario:
    """The scenario with other numbers; `trace` is the original's first iteration. Texts are left as they are."""
    inputs = _inputs(scenario.inputs, stream)
    layers, outputs = _Layers(scenario, trace, stream).drawn(np.array(inputs))
    targets = _Targets(scenario, trace, stream).drawn(outputs)
    network = scenario.network.model_copy(update={"layers": layers})
    data = scenario.data.model_copy(update={"inputs": inputs, "targets": targets})
    return replace(scenario, network=network, data=data)


def _inputs(rows: Rows, stream: Stream) -> Rows:
    """Not 0, different within a sample where there are enough; what was positive in all samples stays positive."""
    ones = whole(rows)
    pool = Pool.like([number for row in rows for number in row], 4 if ones else 9, ones)
    positive = [all(number > 0 for number in column) for column in zip(*rows, strict=True)]

    def row() -> tuple[float, ...]:
        units = pool.draw(stream, len(positive))
        return pool.numbers([abs(unit) if plus else unit for unit, plus in zip(units, positive, strict=True)])

    return different(row, len(rows))


def diagonal(weights: Rows | None) -> bool:
    """Whether a given matrix is square, of two rows or more, with zeros beside a diagonal without zeros."""
    if weights is None or len(weights) < 2 or len(weights) != len(weights[0]):
        return False
    return all((number != 0) == (r == c) for r, row in enumerate(weights) for c, number in enumerate(row))


@dataclass
class _Layers:
    """Draws layer by layer from the first to the last, with the activations at hand to set ReLU units on or off."""

    scenario: Scenario
    trace: Trace
    stream: Stream
    factors: dict[float, float] = field(default_factory=dict)
    """Numbers of diagonals: the original's, and what stands for them now."""

    def drawn(self, a: Array) -> tuple[tuple[Layer, ...], Array]:
        """The layers, and the outputs (M, units) that they give for the inputs `a` (M, inputs)."""
        rules = build(self.scenario).network
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
            layers.append(old.model_copy(update={"weights": None if made is not None else _rows(weights), "biases": _row(biases)}))
        return tuple(layers), a

    def _weights(self, old: Layer) -> Rows:
        rows = old.weights or ()
        if diagonal(rows):
            return tuple(tuple(self._factor(number) if number else 0.0 for number in row) for row in rows)
        numbers = [number for row in rows for number in row]
        ones = whole(rows) and max(map(abs, numbers)) > 9
        return Pool.like(numbers, 9, ones).matrix(self.stream, len(rows), len(rows[0]))

    def _factor(self, old: float) -> float:
        """What stands for a number of a diagonal: of the same sign, on the same side of 1, the same for the same."""
        if old not in self.factors:
            parts = 1 if old.is_integer() and abs(old) > 1 else 10
            one, size = parts, round(min(abs(old), LARGEST) * parts)
            choice = range(one + 1, max(size, one + 1) + 2) if abs(old) > 1 else range(2, one)
            free = [unit / parts for unit in choice if math.copysign(unit / parts, old) not in self.factors.values()]
            number = free[self.stream.below(len(free))] if free else abs(old)
            self.factors[old] = math.copysign(number, old)
        return self.factors[old]

    def _biases(self, old: Layer) -> Array | None:
        if old.biases is None:
            return None
        if old.init is not None and not any(old.biases):
            return np.array(old.biases)
        pool = Pool.like(old.biases, 9, whole([old.biases]) and max(map(abs, old.biases)) > 9)
        return np.array(pool.numbers(pool.draw(self.stream, old.units)))

    def _turns(self, number: int, z: Array) -> Array:
        """+1 or −1 for each unit (units,): which signs to turn so that as many are on as in the original, or all if none is.

        A sum so close to 0 that platforms could disagree about its sign makes the whole draw unfit afterwards.
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
        """One-hot rows and distributions; a single sample keeps its class, for the lesson may speak of it."""
        hot = [row.index(1.0) if 1.0 in row else -1 for row in rows]
        new = [at if at < 0 or len(rows) == 1 else self.stream.below(len(rows[0])) for at in hot]
        if len(set(hot)) > 1 and len(set(new)) == 1:
            new[-1] = (new[-1] + 1) % len(rows[0])
        return tuple(
            tuple(float(k == at) for k in range(len(row))) if at >= 0 else distribution(self.stream, len(row))
            for at, row in zip(new, rows, strict=True)
        )

    def _two(self, rows: Rows, low: float) -> Rows:
        """One of two numbers in each cell; both of them where the original has both."""
        width = len(rows[0])
        cells = [self.stream.below(2) for _ in range(width * len(rows))]
        if len({number for row in rows for number in row}) > 1 and len(set(cells)) == 1:
            at = self.stream.below(len(cells))
            cells[at] = 1 - cells[at]
        return tuple(tuple(1.0 if cell else low for cell in cells[k : k + width]) for k in range(0, len(cells), width))

    def _near(self, rows: Rows, outputs: Array) -> Rows:
        """Numbers some steps away from the outputs, about as far as the original's are from its own."""
        parts = 1 if whole(rows) else 10
        with np.errstate(all="ignore"):
            error = float(np.abs(self.trace.outputs - self.trace.y).max())
        far = min(max(3 if parts == 1 else 5, math.ceil(min(error, LARGEST) * parts - 1e-6)), LARGEST)

        def near(output: float) -> float:
            steps = self.stream.below(2 * far + 1) - far
            # Halves are rounded up whatever the last bit says, so that every platform finds the same target.
            return (math.floor(output * parts + 0.5 + 1e-6) + steps) / parts if math.isfinite(output) else 1.0

        return tuple(tuple(near(float(output)) for output in row) for row in outputs)


def kind_of_targets(scenario: Scenario) -> str:
    """What the targets are: `classes` (one-hot or a distribution), `0 or 1`, `-1 or 1`, `shares` of 1, or `numbers`."""
    output, cells = scenario.network.layers[-1].activation, {number for row in scenario.targets for number in row}
    if output == "softmax" and all(min(row) >= 0 and abs(math.fsum(row) - 1) <= 1e-9 for row in scenario.targets):
        return "classes"
    if output in {"sigmoid", "step", "sign", "tanh", "softmax"}:
        if cells <= {0.0, 1.0}:
            return "0 or 1"
        if cells <= {-1.0, 1.0}:
            return "-1 or 1"
    if output == "sigmoid" and min(cells) >= 0 and max(cells) <= 1:
        return "shares"
    return "numbers"

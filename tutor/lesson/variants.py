"""Variants of a lesson for worksheets: the same structure with new friendly numbers, from a seed.

    variant(scenario, seed, number)  -> Scenario        version `number` (from 1)
    variants(scenario, count, seed)  -> Scenario, ...   versions 1 to count, all different
                                                        (with `most`, refused where more numbers
                                                        would have to be drawn)

The same (scenario, seed, number) gives the same numbers for ever, on every platform:
`tests/test_variants.py` pins two of them. Version n is the first of up to 200 draws that is fit for
a worksheet and is neither the original nor an earlier version; `tutor.lesson.redraw` says how
numbers are drawn and what is kept, `tutor.lesson.variants` what is unfit.

Printed numbers, checks and notes are dropped, for they speak of the original's numbers; `about` is
dropped where it has a digit in it. Learning rate, notation, display and all other texts stay; the
title says which version it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Generic, TypeAlias, TypeVar

import numpy as np

from tutor import budget, limits
from tutor.engine.activations import Activation
from tutor.engine.kinds import KINDS, SLOPE, UPDATE, Kind
from tutor.engine.network import Array
from tutor.engine.order import EarlyEnd
from tutor.engine.trace import Trace, run
from tutor.errors import TutorError
from tutor.lesson.redraw import Stream, diagonal, kind_of_targets, redrawn
from tutor.lesson.setup import build
from tutor.scenario.reader import GraphScenario, Scenario

DRAWS: Final = 200
MOST: Final = 1_000
"""Versions of one seed."""
FEW: Final = 10
"""Numbers that are drawn freely, below which two versions of a lesson can be the same by chance.
With more of them the versions before one need not be drawn.
"""
LARGEST_SEED: Final = 2**32 - 1

Numbers: TypeAlias = tuple[object, ...]
S = TypeVar("S", Scenario, GraphScenario)


class VariantError(TutorError, ValueError):
    """A variant that cannot be had: no such version or seed, or a lesson whose structure leaves no
    fit numbers.
    """


class Redrawing(Generic[S]):
    """How the numbers of one sort of lesson are drawn anew, and what makes them unfit."""

    scenario: S
    structure: list[object]
    """What the lesson is without its numbers and texts, so that a corrected word leaves every sheet
    as it was.
    """
    size: int
    """How many numbers one draw makes."""
    free: int
    """How many numbers are drawn, each for itself."""

    def drawn(self, stream: Stream) -> S:
        """The lesson with other numbers."""
        raise NotImplementedError

    def numbers(self, scenario: S) -> Numbers:
        """All numbers that a variant has of its own."""
        raise NotImplementedError

    def fault(self, scenario: S) -> str:
        """What makes the numbers of a variant unfit, in words; "" where they are fit."""
        raise NotImplementedError


def variant(scenario: Scenario, seed: int, number: int, most: int | None = None) -> Scenario:
    """Version `number` of a lesson. Raises VariantError, also where no fit numbers are found."""
    refuse(number, seed)
    return version(NetworkRedrawing(scenario), seed, number, most)


def version(own: Redrawing[S], seed: int, number: int, most: int | None) -> S:
    """Version `number`, which there may be, of any sort of lesson."""
    first = 1 if own.free < FEW else number
    return next(islice(_versions(own, seed, most, first), number - first, None))


def variants(
    scenario: Scenario, count: int, seed: int, most: int | None = None
) -> tuple[Scenario, ...]:
    """Versions 1 to `count` of a lesson, all different from each other and from the original.
    Raises VariantError.

    `most` is how many numbers may be drawn for all of them together, in vain or not.
    """
    refuse(count, seed)
    return versions(NetworkRedrawing(scenario), count, seed, most)


def versions(own: Redrawing[S], count: int, seed: int, most: int | None) -> tuple[S, ...]:
    """Versions 1 to `count`, which there may be, of any sort of lesson."""
    return tuple(islice(_versions(own, seed, most), count))


def refuse(number: int, seed: int) -> None:
    """Raise VariantError where there is no such version, or no such seed."""
    if not 1 <= number <= MOST:
        raise VariantError(f"versions count from 1 to {MOST:,}; there is no version {number}")
    if not 0 <= seed <= LARGEST_SEED:
        raise VariantError(f"a seed is a whole number from 0 to {LARGEST_SEED:,}, got {seed}")


def _refuse_data(scenario: Scenario) -> None:
    """Raise VariantError where an iteration does not use all samples as the file has them."""
    data = scenario.data
    reasons = [
        (data.generator is not None, "its data are made by a generator"),
        (data.split is not None, "its data are split"),
        (data.scale is not None, "its inputs are scaled"),
        (scenario.in_batches, "an iteration uses a batch of its samples"),
    ]
    for there, reason in reasons:
        if there:
            raise VariantError(
                "versions with new numbers are drawn for lessons that use all samples as they are "
                f"written down; here {reason}"
            )


class NetworkRedrawing(Redrawing[Scenario]):
    """The numbers of a network and of its samples. Raises VariantError where an iteration does not
    use all samples as they are written down.
    """

    def __init__(self, scenario: Scenario) -> None:
        _refuse_data(scenario)
        self.scenario, self.trace = scenario, _trace(scenario)
        self.yardstick = Yardstick.of(scenario, self.trace)
        self.structure = _structure(scenario)
        self.size, self.free = _size(scenario), _free(scenario)

    def drawn(self, stream: Stream) -> Scenario:
        return redrawn(self.scenario, self.trace, stream)

    def numbers(self, scenario: Scenario) -> Numbers:
        layers = tuple((layer.weights, layer.biases) for layer in scenario.network.layers)
        return layers, scenario.inputs, scenario.targets

    def fault(self, scenario: Scenario) -> str:
        return self.yardstick.fault(_trace(scenario))


def _versions(own: Redrawing[S], seed: int, most: int | None, first: int = 1) -> Iterator[S]:
    """The versions from `first` on; one depends on those before it only in that it is none of
    them.
    """
    scenario, structure = own.scenario, own.structure
    seen, drawn, size = {own.numbers(scenario)}, 0, own.size
    # a small lesson is drawn with the same numbers again and again
    faults: dict[Numbers, str] = {}
    for number in range(first, MOST + 1):
        reasons: Counter[str] = Counter()
        for draw in range(1, DRAWS + 1):
            budget.check()
            drawn += size
            if most is not None and drawn > most:
                raise VariantError(_too_many(number, most))
            found = own.drawn(Stream(json.dumps([structure, seed, number, draw])))
            numbers = own.numbers(found)
            if numbers not in seen and numbers not in faults:
                faults[numbers] = own.fault(found)
            reason = "the numbers were already used" if numbers in seen else faults[numbers]
            if not reason:
                break
            reasons[reason] += 1
        else:
            often = reasons.most_common(1)[0]
            raise VariantError(
                f"no numbers for version {number} of {scenario.title!r} "
                f"were found in {DRAWS} draws from seed {seed}; "
                f"most often ({often[1]} times): {often[0]}"
            )
        seen.add(numbers)
        yield _named(found, number)


def _trace(scenario: Scenario) -> Trace:
    problem = build(scenario)
    return run(problem.network, problem.x, problem.y, problem.eta)


def _named(scenario: S, number: int) -> S:
    """The scenario as version `number`, without what speaks of the original's numbers."""
    mark = f" (version {number})"
    about = "" if any(c.isdigit() for c in scenario.about) else scenario.about
    title = scenario.title[: limits.TITLE - len(mark)] + mark
    return replace(scenario, title=title, about=about, printed=(), notes=(), checks=())


def _size(scenario: Scenario) -> int:
    given = sum(
        len(rows) * len(rows[0]) for layer in scenario.network.layers if (rows := layer.weights)
    )
    biases = sum(len(layer.biases or ()) for layer in scenario.network.layers)
    return (
        given + biases + len(scenario.inputs) * (len(scenario.inputs[0]) + len(scenario.targets[0]))
    )


def _free(scenario: Scenario) -> int:
    free = len(scenario.inputs) * len(scenario.inputs[0])
    for layer in scenario.network.layers:
        own = layer.init is None and not diagonal(layer.weights)
        free += len(layer.biases or ()) + (
            sum(map(len, layer.weights)) if own and layer.weights else 0
        )
    return free


def ends_elsewhere(stop: EarlyEnd | None) -> str:
    """What is said of a version that does not end where the original does."""
    if stop:
        return f"{stop.quantity} could not be computed"
    return "nothing stops the walk as it does in the original"


def _too_many(number: int, most: int) -> str:
    return (
        f"finding numbers for version {number} takes more than the {most:,} numbers "
        "that may be drawn for one download; take a smaller version or another seed, "
        "or use python -m tutor export on your own computer, which has no limit"
    )


def _structure(scenario: Scenario) -> list[object]:
    network = scenario.network
    layers = [
        [layer.units, layer.activation, layer.biases is not None, layer.init is not None]
        for layer in network.layers
    ]
    return [
        network.inputs,
        layers,
        network.loss.name,
        network.loss.reduction,
        len(scenario.inputs),
        kind_of_targets(scenario),
    ]


# ---- What makes the numbers of a worksheet unfit, measured by the original lesson ----
#
#     Yardstick.of(scenario, trace).fault(trace of the variant) -> str, "" where there is none
#
# Unfit is what hides a mistake or leaves nothing to compute: a gradient or error signal of 0, a
# unit that is off, a sum at the kink, a saturated unit, a symmetric matrix (it hides a transpose),
# equal rows, two results of a kind and layer that look the same, an input of 1 alone, a loss that
# does not move as it does in the original.
#
# What the original's structure forces is no fault. Behind a step or sign nothing goes back, so
# there are no gradients to check. A diagonal matrix is symmetric on purpose. Where `init` makes
# weights all alike (constant, identity), equal results, sums of 0 and gradients of 0 are the
# lesson. A deep lesson whose own gradients are smaller than 1e-4 may have small ones.
#
# No limit here is a number that friendly numbers can hit exactly, so rounding, which differs from
# platform to platform, decides nothing.


SMALLEST_GRADIENT = 1e-4
SATURATED = 6.000_012_345
ZERO = 1.2345e-6
NEAREST_TARGET = 0.049_876_5
GRADIENTS = tuple(kind.name for kind in KINDS.values() if kind.derivative and kind.parameter)
BY_HAND = 24
"""Cells of a ReLU layer up to which each is looked at; larger layers are judged by their units."""
MANY = 200
"""Gradients of a layer up to which none may be too small."""
FRIENDLY = 18
"""How many parameters of a layer can all be different: ±0.1 to ±0.9."""


@dataclass(frozen=True)
class Yardstick:
    """What the original allows. Arrays and counts are by layer, entry 0 is unused."""

    scenario: Scenario
    trace: Trace
    alike: bool
    """Whether `init` made weights that are all alike."""
    kind: str

    @classmethod
    def of(cls, scenario: Scenario, trace: Trace) -> Yardstick:
        """The yardstick of an original."""
        schemes = {layer.init.scheme for layer in scenario.network.layers if layer.init is not None}
        return cls(
            scenario, trace, bool(schemes & {"constant", "identity"}), kind_of_targets(scenario)
        )

    def fault(self, trace: Trace) -> str:
        """The first thing that makes these numbers unfit, in words; "" where they are fit."""
        with np.errstate(all="ignore"):
            return next(self._faults(trace), "")

    def _faults(self, trace: Trace) -> Iterator[str]:
        yield from self._course(trace)
        yield from self._sums(trace)
        yield from self._units_off(trace)
        yield from self._weights(trace)
        if not trace.blocked:
            yield from self._gradients(trace)
        if not self.alike:
            yield from self._twins(trace)

    def _course(self, trace: Trace) -> Iterator[str]:
        """The walk ends where the original's ends, the loss moves as it does there, inputs and
        targets leave work to do.
        """
        before, after = self.trace.stop, trace.stop
        if (before and before.why) != (after and after.why):
            yield ends_elsewhere(after)
        elif trace.blocked:
            if (trace.loss > ZERO) != (self.trace.loss > ZERO):
                yield "the answer is not wrong" if self.trace.loss > ZERO else "the answer is wrong"
        elif not after and _direction(self.trace) not in {0, _direction(trace)}:
            yield (
                "the loss does not fall"
                if _direction(self.trace) > 0
                else "the loss does not rise as it does in the original"
            )
        if _ones(trace) and not _ones(self.trace):
            yield "all inputs of a sample are 1, which hides a factor"
        if (
            self.kind in {"numbers", "shares"}
            and (np.abs(trace.outputs - trace.y) < NEAREST_TARGET).any()
        ):
            yield "a target is already met"
        if self.kind == "numbers" and (self.trace.y > 0).all() and not (trace.y > 0).all():
            yield "a target is not above 0 as they are in the original"

    def _sums(self, trace: Trace) -> Iterator[str]:
        """No z at 0, where the kinks are and nothing is left to compute, and none saturated."""
        for number, layer in enumerate(trace.network.layers, 1):
            z = trace.array("z", number)
            if not self.alike and not (np.abs(z) > ZERO).all():
                yield f"a sum in layer {number} is 0"
            if layer.activation.saturates:
                was = _spread(layer.activation, self.trace.array("z", number))
                if not _spread(layer.activation, z) <= max(SATURATED, was):
                    yield f"layer {number} is saturated"

    def _units_off(self, trace: Trace) -> Iterator[str]:
        """ReLU units: at most as many off as in the original, and some if there are some."""
        for number, layer in enumerate(self.scenario.network.layers, 1):
            if layer.activation != "relu" or layer.init is not None:
                continue
            was, now = (t.array("z", number) <= 0 for t in (self.trace, trace))
            units = int(now.all(axis=0).sum()), int(was.all(axis=0).sum())
            cells = (int(now.sum()), int(was.sum())) if now.size <= BY_HAND else (0, 0)
            if units[0] > units[1] or cells[0] > cells[1]:
                yield f"too many units of layer {number} are off"
            if 0 < cells[1] < was.size and not cells[0]:
                yield f"no unit of layer {number} is off"

    def _weights(self, trace: Trace) -> Iterator[str]:
        for number, layer in enumerate(self.scenario.network.layers, 1):
            w = trace.array("w", number)
            if layer.init is not None or diagonal(layer.weights):
                continue
            if w.size <= FRIENDLY and len(np.unique(w)) < w.size:
                yield f"two weights of layer {number} are equal"
            if len(w) > 1 and w.shape[0] == w.shape[1] and (np.abs(w) == np.abs(w.T)).all():
                yield f"the weights of layer {number} are symmetric"
            if w.shape[1] > 1 and len(np.unique(w, axis=0)) < len(w):
                yield f"two rows of weights of layer {number} are equal"
            if w.shape[0] > 1 and len(np.unique(w, axis=1).T) < w.shape[1]:
                yield f"two columns of weights of layer {number} are equal"

    def _gradients(self, trace: Trace) -> Iterator[str]:
        """No gradient of 0, or small, except where units that are off have none."""
        alive = _alive(trace)
        for number in range(trace.network.depth, 0, -1):
            delta = np.abs(trace.array("dL/dz", number))
            if not self.alike and (delta[alive[number]] <= 1e-12 * delta.max()).any():
                yield f"an error signal in layer {number} is 0"
            for kind in GRADIENTS:
                if not _smallest(trace, kind, number, alive) >= self._least(kind, number):
                    yield f"a gradient {kind} of layer {number} is 0 or very small"

    def _least(self, kind: str, number: int) -> float:
        """How small a gradient may be: 1e-4, or less where the original's own are smaller."""
        own = _smallest(self.trace, kind, number, _alive(self.trace))
        if self.alike:
            return 0.0
        return 0.098_765 * own if 0 < own < SMALLEST_GRADIENT else SMALLEST_GRADIENT

    def _twins(self, trace: Trace) -> Iterator[str]:
        """Two results of a kind and layer with the same shown digits, where there are digits enough
        to tell them apart.
        """
        decimals = self.scenario.display.decimals
        for name, values in _results(trace):
            if 64 * values.size**2 <= 10**decimals and _same(values.ravel(), decimals):
                yield f"two results of {name} look the same"


def _ones(trace: Trace) -> bool:
    """Whether all inputs of a sample are 1 in size: gradients by weights are those by the bias."""
    return bool((np.abs(trace.x) == 1).all(axis=1).any())


def _direction(trace: Trace) -> int:
    """1 where the loss falls, -1 where it rises, 0 where it stays."""
    change, least = trace.loss - trace.loss_new, 1.2345e-9 * abs(trace.loss)
    return int(change > least) - int(change < -least)


def _spread(rule: Activation, z: Array) -> float:
    """How far pre-activations (M, units) are from the steep place: their size, for softmax their
    differences.
    """
    return float(np.ptp(z, axis=1).max() if rule.full_jacobian else np.abs(z).max())


def _alive(trace: Trace) -> list[Array]:
    """Which units of which samples hand an error signal on, by layer (M, units): ReLU units that
    are on, up to the loss.
    """
    depth = trace.network.depth
    alive: list[Array] = [np.empty(0)] * (depth + 1)
    reached = [np.full(trace.passed(number).shape, number == depth) for number in range(depth + 1)]
    for number in range(depth, 0, -1):
        slopes = trace.get((SLOPE, number))  # behind a softmax every unit hands something on
        alive[number] = reached[number] if slopes is None else reached[number] & (slopes != 0)
        reached[number - 1] |= (alive[number].astype(float) @ (trace["w", number] != 0)) > 0
        if skip := trace.network.layer(number).skip:
            reached[number - skip] |= reached[number]
    return alive


def _smallest(trace: Trace, kind: str, number: int, alive: list[Array]) -> float:
    """The size of the smallest gradient of a kind and layer, those left aside that are 0 by the
    structure alone.

    Infinity where there is none. Of very many gradients some are small by chance; there the largest
    counts.
    """
    grad = trace.get((kind, number))
    if grad is None:
        return float("inf")
    on = alive[number].astype(float)
    live = on.T @ (trace.passed(number - 1) != 0) > 0 if KINDS[kind].weights else on.sum(axis=0) > 0
    sizes = np.abs(grad[live])
    return (
        float("inf")
        if not len(sizes)
        else float(sizes.min() if len(sizes) <= MANY else sizes.max())
    )


def _results(trace: Trace) -> Iterator[tuple[str, Array]]:
    """Everything that is computed, by kind and layer; slopes of straight pieces repeat and are left
    out.

    A step or sign has so few answers that results repeat from there on.
    """
    made = trace.program.by_name
    for number, layer in enumerate(trace.network.layers, 1):
        if not layer.activation.differentiable:
            yield f"z in layer {number}", trace.array("z", number)
            return
        for kind in KINDS.values():
            values = trace.get((kind.name, number)) if (kind.name, number) in made else None
            if values is None or (layer.activation.straight and _repeats(kind)):
                continue
            if kind.phase != UPDATE or values.size <= FRIENDLY:
                yield f"{kind.name} in layer {number}", values
    # What each sample adds to the loss is closer together than their losses, and a seed keeps the
    # numbers it has given.
    for (name, _), losses in trace.items():
        if name.endswith("@"):
            yield name.removesuffix("@"), trace.scale * losses


def _repeats(kind: Kind) -> bool:
    """Whether numbers repeat where an activation is made of straight pieces: slopes do, and a is a
    part of z.
    """
    return kind.role == "slope" or kind.base == "a"


def _same(values: Array, decimals: int) -> bool:
    """Whether two numbers that are not 0 are closer than what is shown (see tutor.number)."""
    found = np.sort(values[(np.abs(values) > 0) & np.isfinite(values)])
    if len(found) < 2:
        return False
    exponents = np.floor(np.log10(np.abs(found) / 0.987_65))
    steps = np.where(
        (exponents >= 1 - decimals) & (exponents < 7),
        -float(decimals),
        exponents - max(1, min(decimals, 4) - 1),
    )
    digit = 10.0**steps
    return bool((np.diff(found) < 1.123_456_7 * np.maximum(digit[1:], digit[:-1])).any())

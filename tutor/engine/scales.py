"""How inputs are scaled, as trees: what is taken of the training samples, and what becomes of an
input.

    standardize   x = (raw − mean) / sd            mean 0 and standard deviation 1
    min_max       x = (raw − min) / (max − min)    from 0 to 1

Each input by itself. `sd` is that of the samples themselves (divided by M, not by M − 1). The trees
are over whole arrays: `raw` and `train` have a row per sample, the rest a number per input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tutor.engine.kinds import STATISTICS
from tutor.engine.tree import (
    ArrayRef,
    Difference,
    LargestOver,
    Node,
    Number,
    Quotient,
    SmallestOver,
    Sqrt,
    Square,
    SumOver,
)

RAW, TRAIN, X = ArrayRef("raw"), ArrayRef("train"), ArrayRef("x")
MEAN, SD, MIN, MAX = ArrayRef("mean"), ArrayRef("sd"), ArrayRef("min"), ArrayRef("max")


@dataclass(frozen=True, slots=True)
class Scale:
    """One way to scale. `statistics` gives each number of the training samples with its tree, from
    their array and how many they are.
    """

    statistics: Callable[[ArrayRef, int], tuple[tuple[ArrayRef, Node], ...]]
    divided: Node
    """What the difference is divided by."""
    subtracted: ArrayRef

    @property
    def scaled(self) -> Node:
        """What becomes of an input."""
        return Quotient(Difference(RAW, self.subtracted), self.divided)


def _average(tree: Node, samples: int) -> Node:
    return Quotient(SumOver(tree, "samples", 0, keep=False), Number(float(samples)))


def _mean_and_sd(source: ArrayRef, samples: int) -> tuple[tuple[ArrayRef, Node], ...]:
    squares = Square(Difference(source, MEAN))
    return (MEAN, _average(source, samples)), (SD, Sqrt(_average(squares, samples)))


def _min_and_max(source: ArrayRef, _: int) -> tuple[tuple[ArrayRef, Node], ...]:
    return (
        (MIN, SmallestOver(source, 0, keep=False)),
        (MAX, LargestOver(source, 0, keep=False)),
    )


SCALES: Final = {
    "standardize": Scale(_mean_and_sd, SD, MEAN),
    "min_max": Scale(_min_and_max, Difference(MAX, MIN), MIN),
}


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """What of a scaling decides its trees."""

    name: str
    samples: int
    """How many training samples there are."""
    source: ArrayRef = RAW
    """Where they are: `raw` where an iteration uses all of them in their order, else `train`."""

    def trees(self) -> Iterator[tuple[ArrayRef, Node]]:
        """Each array with its tree, in their order; the last is x."""
        scale = SCALES[self.name]
        yield from scale.statistics(self.source, self.samples)
        yield X, scale.scaled

    @property
    def statistics(self) -> tuple[str, ...]:
        """The kinds that are computed of the training samples."""
        return STATISTICS[self.name]

"""Batches: which samples an iteration takes, and in which order.

    batches = Batches(samples=12, size=5, seed=0)
    batches.rows(4) -> array([…])        the rows that iteration 4 takes, from 0

An iteration is one update on one batch; an epoch goes through all samples once. The order is that
of the data set, again and again, or with a seed another one in each epoch. It depends on the number
of the iteration alone, so that any iteration opens without those before it. Where the size does not
divide the number of samples, the last batch of an epoch is smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tutor.errors import NetworkError


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches of a training run; a `size` of None stands for all samples at once."""

    samples: int
    size: int | None = None
    seed: int | None = None
    """Shuffles the samples of each epoch; without it they keep the order of the data set."""

    def __post_init__(self) -> None:
        if not 1 <= self.each <= self.samples:
            raise NetworkError(
                f"a batch has 1 to {self.samples} samples, all that there are; got {self.each}"
            )

    @property
    def each(self) -> int:
        """How many samples a batch has; the last one of an epoch may have fewer."""
        return self.samples if self.size is None else self.size

    @property
    def per_epoch(self) -> int:
        """How many iterations go through all samples once."""
        return -(-self.samples // self.each)

    @property
    def full(self) -> bool:
        """Whether every iteration takes all samples."""
        return self.each == self.samples

    def epoch(self, iteration: int) -> int:
        """The epoch of an iteration; both count from 1."""
        return (iteration - 1) // self.per_epoch + 1

    def span(self, iteration: int) -> slice:
        """Where in the order of its epoch the samples of an iteration stand."""
        start = (iteration - 1) % self.per_epoch * self.each
        return slice(start, min(start + self.each, self.samples))

    def rows(self, iteration: int) -> np.ndarray:
        """The rows of the data set that an iteration takes, counted from 0."""
        span = self.span(iteration)
        if self.seed is None:
            return np.arange(span.start, span.stop)
        return _shuffled(self.samples, self.seed, self.epoch(iteration))[span]


@lru_cache(maxsize=8)
def _shuffled(samples: int, seed: int, epoch: int) -> np.ndarray:
    """The order of an epoch: a permutation of the rows that depends on seed and epoch alone."""
    order = np.random.default_rng([seed, epoch - 1]).permutation(samples)
    order.setflags(write=False)
    return order

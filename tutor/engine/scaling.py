"""Scaling of inputs: each column by itself, fitted on the training samples alone.

    standardize   (x − μ) / σ            mean 0 and standard deviation 1
    min_max       (x − min) / (max − min)  from 0 to 1

    scaling = Scaling.fitted("standardize", training inputs)
    scaling(x) -> the same columns scaled

σ is that of the samples themselves (divided by M, not by M − 1). Validation and test samples are
scaled with the numbers of the training samples, so they may lie outside of 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tutor.engine.network import Array, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """How each input is scaled: `subtracted` (N,) is taken away, then it is divided by `divided`
    (N,).
    """

    name: str
    subtracted: Array
    divided: Array

    @classmethod
    def fitted(cls, name: str, x: Array) -> Scaling:
        """The scaling whose numbers come from these samples, x (M, N)."""
        low = x.min(axis=0)
        span = x.max(axis=0) - low
        if name == "standardize":
            # the mean of equal numbers may be rounded, so their deviation need not be exactly 0
            return cls(name, frozen(x.mean(axis=0)), frozen(np.where(span > 0, x.std(axis=0), 0)))
        return cls(name, frozen(low), frozen(span))

    @property
    def constant(self) -> tuple[int, ...]:
        """The columns, from 1, that cannot be scaled, because all their numbers are the same."""
        return tuple((np.flatnonzero(~(self.divided > 0)) + 1).tolist())

    def __call__(self, x: Array) -> Array:
        """Samples x (M, N), scaled."""
        return frozen((x - self.subtracted) / self.divided)

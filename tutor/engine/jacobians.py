"""The Jacobians of a layer for one sample, as arrays: a row for each number that is
differentiated, a column for each with respect to which it is (numerator layout).

    slopes(trace, 2, 0)         da/dz of layer 2, (units, units): diagonal, or full behind a softmax
    by_inputs(trace, 2)         dz/da of the layer below: the weights
    by_weight(trace, 2, 0, i, k)    an entry of dz/dW, (units, units · inputs): I ⊗ hᵀ, the weights
                                unit by unit; of a large layer nobody could hold the whole
"""

from __future__ import annotations

import numpy as np

from tutor.engine.kinds import SLOPE
from tutor.engine.trace import Array, Trace


def slopes(trace: Trace, layer: int, row: int) -> Array:
    """∂a/∂z. Raises KeyError where the activation has no derivative."""
    if trace.network.layer(layer).activation.full_jacobian:
        return trace.jacobian(layer, row)
    return np.asarray(np.diag(trace.array(SLOPE, layer)[row]))


def by_inputs(trace: Trace, layer: int) -> Array:
    """∂z/∂a, where a is what the layer below passes on."""
    return trace.array("w", layer)


def by_weight(trace: Trace, layer: int, row: int, i: int, k: int) -> float:
    """The entry of ∂z/∂W for unit i and weight k, both from 1. The weights are in one row: those
    into unit 1, then those into unit 2, and so on.
    """
    inputs = trace.passed(layer - 1)[row]
    unit, j = divmod(k - 1, len(inputs))
    return float(inputs[j]) if unit + 1 == i else 0.0

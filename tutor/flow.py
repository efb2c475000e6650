"""How the gradient travels: its size layer by layer, and by what factor it grows or fades on the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tutor.engine.trace import Trace

_SIGNAL, _SLOPE = "dL/dz", "da/dz"


@dataclass(frozen=True, slots=True)
class LayerFlow:
    """One layer's part in the backward pass. None where it was not computed."""

    layer: int
    largest_slope: float | None
    """The largest size of da/dz in this layer."""
    bound: float | None
    """What that can be at most for this activation function."""
    size: float | None
    """The length (Euclidean norm) of all error signals dL/dz of the layer."""
    factor: float | None
    """That size divided by the size in the layer above: below 1 the gradient fades, above 1 it grows."""


def flow(trace: Trace) -> tuple[LayerFlow, ...]:
    """From the output layer down."""
    found: list[LayerFlow] = []
    above: float | None = None
    for layer in range(trace.network.depth, 0, -1):
        deltas, slopes = trace.get((_SIGNAL, layer)), trace.get((_SLOPE, layer))
        size = None if deltas is None else float(np.linalg.norm(deltas))
        largest = None if slopes is None else float(np.abs(slopes).max())
        factor = size / above if size is not None and above else None
        found.append(LayerFlow(layer, largest, trace.network.layer(layer).activation.bound, size, factor))
        above = size
    return tuple(found)

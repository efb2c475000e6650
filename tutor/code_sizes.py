"""How large the terms of each array are: what it would come to if nothing in its sums cancelled.

    sizes(trace) -> {("z", 1): array like z[1], ("dL/dw", 2): …, ("loss", 0): …}

Another computer, or another library, may round the last digit of a term in another way. Where large terms nearly cancel, as in
a − y of an output that is almost right, that digit is a large part of the result. A script that checks its numbers allows
for it, and only there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutor.network import Array
from tutor.trace import Trace

Sizes = dict[tuple[str, int], Any]


def sizes(trace: Trace) -> Sizes:
    """The sizes of all arrays of a trace, each of the array's shape; infinite where nothing can be said."""
    found: Sizes = {("a", 0): np.abs(trace.x)}
    with np.errstate(all="ignore"):
        _forward(trace, found, "")
        _backward(trace, found)
        if not trace.blocked:
            _update(trace, found)
            _forward(trace, found, "+")
            found["loss-loss+", 0] = trace.scale * (found["loss", 0].sum() + found["loss+", 0].sum())
    return {key: np.nan_to_num(size, nan=np.inf, posinf=np.inf) for key, size in found.items()}


def _forward(trace: Trace, found: Sizes, mark: str) -> None:
    below, network = found["a", 0], trace.network
    for n, layer in enumerate(network.layers, 1):
        w = found["w+", n] if mark else np.abs(layer.weights)
        b = found["b+", n] if mark else np.abs(0.0 if layer.biases is None else layer.biases)
        z, a = trace.array("z" + mark, n), trace.array("a" + mark, n)
        found["z" + mark, n] = over_z = below @ w.T + b
        found["a" + mark, n] = below = np.abs(a) * (1.0 + _slope(trace, n, z, a, over_z))
    found["loss" + mark, 0] = _losses(trace, found, mark)


def _slope(trace: Trace, n: int, z: Array, a: Array, over_z: Array) -> Array:
    """How much of what z may be off reaches a, as a share of a."""
    rule = trace.network.layer(n).activation
    if rule.couples:
        return np.asarray(over_z.max(axis=1, keepdims=True))
    if rule.derivative is None:
        return np.zeros_like(z)
    slope = np.abs(rule.derivative(z, a))
    return np.asarray(np.divide(slope * over_z, np.abs(a), out=np.zeros_like(z), where=a != 0))


def _losses(trace: Trace, found: Sizes, mark: str) -> Array:
    last = trace.network.depth
    a, y = trace.array("a" + mark, last), trace.y
    if trace.network.loss.fused_with:
        terms = np.asarray(1.0 + found["z" + mark, last])
    else:
        terms = np.abs(a - y) * (found["a" + mark, last] + np.abs(y))
    return np.asarray(2.0 * terms.sum(axis=1))


def _backward(trace: Trace, found: Sizes) -> None:
    network = trace.network
    over_a = _by_output(trace, found)
    for n in range(network.depth, 0, -1):
        found["dL/da", n] = over_a
        if n == trace.blocked:
            return
        found["da/dz", n] = _slopes(trace, found, n)
        found["dL/dz", n] = over_z = _by_z(trace, found, n)
        found["dL/dw", n] = over_z.T @ found["a", n - 1]
        found["dL/db", n] = over_z.sum(axis=0)
        over_a = over_z @ np.abs(network.layer(n).weights)


def _by_output(trace: Trace, found: Sizes) -> Array:
    last = trace.network.depth
    a, y, size = trace.array("a", last), np.abs(trace.y), found["a", last]
    match trace.network.loss.name:
        case "binary_cross_entropy":
            return np.asarray(trace.scale * (np.abs(1.0 - y) * size / (1.0 - a) ** 2 + y * size / a**2))
        case "cross_entropy":
            return np.asarray(trace.scale * y * size / a**2)
        case _:
            return np.asarray(2.0 * trace.scale * (size + y))


def _slopes(trace: Trace, found: Sizes, n: int) -> Array:
    """The size of da/dz: 1 − a of a saturated unit cancels."""
    rule, a = trace.network.layer(n).activation, trace.array("a", n)
    if rule.couples or rule.derivative is None:
        return np.asarray(found["a", n])
    slope = np.abs(trace.array("da/dz", n))
    return np.asarray(slope + {"sigmoid": 1.0, "tanh": 2.0}.get(rule.name, 0.0) * np.abs(a))


def _by_z(trace: Trace, found: Sizes, n: int) -> Array:
    a, over_a = np.abs(trace.array("a", n)), found["dL/da", n]
    if n == trace.fused_layer:
        return np.asarray(trace.scale * (found["a", n] + np.abs(trace.y)))
    if trace.network.layer(n).activation.couples:
        return np.asarray(found["a", n] * (over_a + (over_a * a).sum(axis=1, keepdims=True)))
    return np.asarray(over_a * np.abs(trace.array("da/dz", n)) + np.abs(trace.array("dL/da", n)) * found["da/dz", n])


def _update(trace: Trace, found: Sizes) -> None:
    for n, layer in enumerate(trace.network.layers, 1):
        found["w+", n] = np.abs(layer.weights) + (trace.eta * found["dL/dw", n] if layer.train_weights else 0.0)
        if layer.biases is None:
            found["b+", n] = np.zeros(layer.units)
        else:
            found["b+", n] = np.abs(layer.biases) + (trace.eta * found["dL/db", n] if layer.train_biases else 0.0)

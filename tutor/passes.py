"""The passes of the engine: forward, backward and update as functions from arrays to arrays.

Rows are samples. Lists are indexed by layer, entry 0 of the activations is the input; an entry is None where a pass
does not make it. `tutor.trace` puts the passes together and keeps what they made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tutor.losses import log_sigmoid, log_softmax
from tutor.network import Network

Array = np.ndarray
Layers: TypeAlias = list[Any]
"""One array, or None, for each layer; entry 0 is the input's."""


def forward(network: Network, x: Array, w: Layers, b: Layers) -> tuple[Layers, Layers]:
    """z = a_in Wᵀ + b and a = f(z), layer by layer."""
    z: Layers = [None]
    a: Layers = [x]
    a_in = x
    for number, layer in enumerate(network.layers, 1):
        z_out = a_in @ w[number].T
        if b[number] is not None:
            z_out += b[number]
        a_in = layer.activation.f(z_out)
        z.append(z_out)
        a.append(a_in)
    return z, a


@dataclass(frozen=True, slots=True, eq=False)
class Backward:
    """What the backward pass makes. `blocked` is the layer whose activation has no derivative, or 0."""

    da_dz: Layers
    dL_da: Layers
    dL_dz: Layers
    dL_dw: Layers
    dL_db: Layers
    blocked: int


def backward(network: Network, z: Layers, a: Layers, w: Layers, y: Array, scale: float) -> Backward:
    """The chain rule from the loss down; it stops at an activation without a derivative."""
    depth = network.depth
    da_dz, dL_da, dL_dz, dL_dw, dL_db = (list[Any]([None] * (depth + 1)) for _ in range(5))
    grad = network.loss.gradient(a[-1], y)
    dL_da[depth] = grad = grad if scale == 1.0 else scale * grad
    for number in range(depth, 0, -1):
        layer = network.layers[number - 1]
        rule, a_out = layer.activation, a[number]
        if not rule.differentiable:
            return Backward(da_dz, dL_da, dL_dz, dL_dw, dL_db, number)
        if rule.derivative is not None:
            da_dz[number] = slope = rule.derivative(z[number], a_out)
            delta = grad * slope
        else:
            delta = a_out * (grad - (grad * a_out).sum(axis=1, keepdims=True))
        if number == depth and network.loss.fused_with:
            delta = a_out - y if not rule.couples else a_out * y.sum(axis=1, keepdims=True) - y
            delta = delta if scale == 1.0 else scale * delta
        dL_dz[number] = delta
        if layer.train_weights:
            dL_dw[number] = delta.T @ a[number - 1]
        if layer.learns_biases:
            dL_db[number] = delta.sum(axis=0)
        if number > 1:
            dL_da[number - 1] = grad = delta @ w[number]
    return Backward(da_dz, dL_da, dL_dz, dL_dw, dL_db, 0)


def update(w: Layers, b: Layers, dL_dw: Layers, dL_db: Layers, eta: float) -> tuple[Layers, Layers]:
    """Gradient descent, θ⁺ = θ − η ∂L/∂θ; what is frozen stays the same array."""
    new_w = [old if grad is None else old - eta * grad for old, grad in zip(w, dL_dw, strict=True)]
    new_b = [old if grad is None else old - eta * grad for old, grad in zip(b, dL_db, strict=True)]
    return new_w, new_b


def log_outputs(network: Network, z: Array) -> tuple[Array, Array | None]:
    """(log a, log(1 − a)) of output pre-activations z (M, n)."""
    with np.errstate(all="ignore"):
        if network.layers[-1].activation.couples:
            return log_softmax(z), None
        return log_sigmoid(z), log_sigmoid(-z)

"""The trace: every number of one training iteration, computed once, kept, and never written to again.

    run(network, x, y, eta) -> Trace

forward, loss, backward, update, and the verification pass with the updated parameters; all vectorised over the
batch, rows are samples. Lists are indexed by layer: `trace.z[1]` has shape (M, units of layer 1), `trace.a[0]`
are the inputs. What was not computed is None: behind a step or sign function there is no backward pass.

Non-finite numbers are let through here, quietly, and located afterwards: `trace.stop` is the first bad quantity
in the order of the walk, with the reason. One exception is not a stop: where an output saturates, dL/da of a
cross-entropy may be beyond float64 although dL/dz = a − y is not; backward goes on by that shortcut.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from tutor.activations import softmax_jacobian
from tutor.errors import NetworkError
from tutor.network import Network, frozen, with_parameters
from tutor.order import NumberOrder
from tutor.passes import Array, Layers, backward, forward, log_outputs, update
from tutor.quantity import Quantity
from tutor.stop import FLAT, OVERFLOW, UNDEFINED, Stop, first_bad

__all__ = ["FLAT", "OVERFLOW", "UNDEFINED", "Stop", "Trace", "run", "updated"]

@dataclass(frozen=True, eq=False)
class Trace:
    """All numbers of one iteration. See the module's text for shapes; `value` looks one up by name."""

    network: Network
    x: Array
    y: Array
    eta: float
    z: Layers
    a: Layers
    da_dz: Layers
    dL_da: Layers
    dL_dz: Layers
    dL_dw: Layers
    dL_db: Layers
    w: Layers
    b: Layers
    w_new: Layers
    b_new: Layers
    z_new: Layers
    a_new: Layers
    losses: Array
    """The loss of each sample by itself, shape (M,): no 1/M is in it."""
    loss: float
    """The loss of the batch: the mean or sum of `losses`."""
    losses_new: Array | None
    loss_new: float
    blocked: int
    """The layer whose activation has no derivative, or 0."""

    @property
    def samples(self) -> int:
        return int(self.x.shape[0])

    @property
    def scale(self) -> float:
        """The factor of each sample's loss in that of the batch: 1/M for a mean."""
        return self.network.scale(self.samples)

    @cached_property
    def stop(self) -> Stop | None:
        """The first quantity, in the order of the walk, that is not a finite number or has no derivative."""
        if self.finite and not self.blocked:
            return None
        with np.errstate(all="ignore"):
            return first_bad(NumberOrder.of(self.network, self.samples, self.blocked), self._bad, self._value_or_none)

    @cached_property
    def finite(self) -> bool:
        """Whether every number is finite, dL/da of a fused output layer left aside."""
        lists = (self.z, self.a, self.dL_dz, self.dL_dw, self.dL_db, self.w_new, self.b_new, self.z_new, self.a_new)
        arrays = [array for arrays in (*lists, self.dL_da[: self.fused_layer or None]) for array in arrays if array is not None]
        losses = (self.loss, self.loss_new, self.loss - self.loss_new)
        with np.errstate(all="ignore"):
            return bool(np.isfinite(losses).all() and np.isfinite(np.concatenate([array.ravel() for array in arrays])).all())

    def _bad(self, kind: str, layer: int, samples: int) -> Array:
        """For each sample (one entry where `samples` is 0) whether a number of this kind cannot be had."""
        whole = np.zeros(max(samples, 1), dtype=bool)
        match kind:
            case "da/dz":
                return whole | (layer == self.blocked)
            case "dL/da" if layer == self.fused_layer:
                return whole
            case "loss" | "loss+" if samples:
                return np.asarray(~np.isfinite(self.sample_losses(kind)))
            case "loss" | "loss+" | "loss-loss+":
                return whole | (not np.isfinite(self.value(Quantity(kind))))
            case "dL/dw" | "dL/db" if samples:
                largest = np.abs(self._layer("dL/dz", layer)).max(axis=1)
                below = np.abs(self._layer("a", layer - 1)).max(axis=1) if kind == "dL/dw" else 1.0
                return np.asarray(~np.isfinite(largest * below))
            case "dL/dw" | "dL/db" | "w+" | "b+":
                return whole | (not np.isfinite(self._layer(kind, layer)).all())
            case _:
                return np.asarray(~np.isfinite(self._layer(kind, layer)).all(axis=1))

    def _value_or_none(self, q: Quantity) -> float | None:
        """The value, 0 for what is beyond float64 but stepped around, None at an activation without derivative."""
        if q.kind == "da/dz" and q.layer == self.blocked:
            return None
        return 0.0 if self.beyond(q) else self.value(q)

    @property
    def fused_layer(self) -> int:
        """The output layer's number where its loss and activation have the shortcut a − y, else 0."""
        return self.network.depth if self.network.loss.fused_with else 0

    def beyond(self, q: Quantity) -> bool:
        """Whether q is the dL/da of a saturated output: beyond float64, and stepped around by the shortcut."""
        return q.kind == "dL/da" and q.layer == self.fused_layer and not np.isfinite(self.value(q))

    def goes_around(self, q: Quantity) -> bool:
        """Whether the error signal q has the shortcut alone, because a dL/da of its sample is beyond float64."""
        return q.layer == self.fused_layer and not np.isfinite(self._layer("dL/da", q.layer)[max(q.sample, 1) - 1]).all()

    def jacobian(self, layer: int, row: int) -> Array:
        """The softmax Jacobian ∂a/∂z of one sample (row counts from 0), shape (n, n); made when asked for."""
        a = self.a[layer]
        assert a is not None
        return softmax_jacobian(a[row])

    @cached_property
    def log_output(self) -> tuple[Array, Array | None]:
        """(log a, log(1 − a)) of the output layer, from its pre-activations; the second only for a sigmoid."""
        return log_outputs(self.network, self._layer("z", self.network.depth))

    @cached_property
    def log_output_new(self) -> tuple[Array, Array | None]:
        """The same in the verification pass."""
        return log_outputs(self.network, self._layer("z+", self.network.depth))

    def learned(self, kind: str, layer: int) -> str:
        """The kind of a parameter in the verification pass: what is frozen is still `w` or `b`, not `w+` or `b+`."""
        if kind not in {"w+", "b+"}:
            return kind
        part = self.network.layer(layer)
        return kind if (part.train_weights if kind == "w+" else part.learns_biases) else kind[0]

    def value(self, q: Quantity) -> float:
        """Look up one number. Raises KeyError where this trace does not have it."""
        try:
            return self._value(q)
        except IndexError:
            raise KeyError(f"{q} is not part of this trace") from None

    def _value(self, q: Quantity) -> float:
        row = max(q.sample, 1) - 1
        match q.kind:
            case "eta":
                return self.eta
            case "loss" | "loss+":
                return self._loss(q)
            case "loss-loss+":
                return self.loss - self._known(self.loss_new)
            case "(loss-loss+)/loss":
                drop = self.loss - self._known(self.loss_new)
                return drop / self.loss if self.loss else drop * float("inf") if drop else 0.0
            case "x":
                return float(self.x[row, q.i - 1])
            case "y":
                return float(self.y[row, q.i - 1])
            case "da/dz" if q.j and self.network.layer(q.layer).activation.couples:
                a = self._layer("a", q.layer)[row]
                return float(a[q.i - 1] * ((q.i == q.j) - a[q.j - 1]))
            case "dL/dw" | "dL/db" if q.sample:
                return self._share(q)
            case "da/dz" if q.j:
                raise KeyError(f"{q} is not part of this trace")
            case "w" | "w+" | "dL/dw":
                return float(self._layer(q.kind, q.layer)[q.i - 1, q.j - 1])
            case "b" | "b+" | "dL/db":
                return float(self._layer(q.kind, q.layer)[q.i - 1])
            case _:
                return float(self._layer(q.kind, q.layer)[row, q.i - 1])

    def array(self, kind: str, layer: int) -> Array:
        """All of one kind in one layer: (M, units) for data, (units, inputs) or (units,) for parameters."""
        if kind in {"x", "y"}:
            return self.x if kind == "x" else self.y
        return self._layer(kind, layer)

    def _layer(self, kind: str, layer: int) -> Array:
        array: Array | None = self._lists[kind][layer]
        if array is None:
            raise KeyError(f"{kind}[{layer}] is not part of this trace")
        return array

    @cached_property
    def _lists(self) -> dict[str, Layers]:
        return {
            "z": self.z, "a": self.a, "da/dz": self.da_dz, "dL/da": self.dL_da, "dL/dz": self.dL_dz, "dL/dw": self.dL_dw,
            "dL/db": self.dL_db, "w": self.w, "b": self.b, "w+": self.w_new, "b+": self.b_new, "z+": self.z_new,
            "a+": self.a_new,
        }  # fmt: skip

    def sample_losses(self, kind: str) -> Array:
        """The loss of each sample by itself, for `loss` or `loss+`, shape (M,)."""
        losses = self.losses if kind == "loss" else self.losses_new
        if losses is None:
            raise KeyError(f"{kind} is not part of this trace")
        return losses

    def _loss(self, q: Quantity) -> float:
        losses = self.sample_losses(q.kind)
        return float(losses[q.sample - 1]) if q.sample else self.loss if q.kind == "loss" else self.loss_new

    def _known(self, number: float) -> float:
        if self.losses_new is None:
            raise KeyError("there is no verification pass in this trace")
        return number

    def _share(self, q: Quantity) -> float:
        delta = float(self._layer("dL/dz", q.layer)[q.sample - 1, q.i - 1])
        below = self._layer("a", q.layer - 1)
        return delta * float(below[q.sample - 1, q.j - 1]) if q.kind == "dL/dw" else delta


def run(network: Network, x: Array, y: Array, eta: float) -> Trace:
    """Compute one iteration for inputs x (M, N) and targets y (M, K) with learning rate eta.

    Raises NetworkError where x or y do not fit the network: they would broadcast to numbers nobody meant.
    """
    x, y = frozen(x), frozen(y)
    if x.shape != (len(x), network.sizes[0]) or y.shape != (len(x), network.sizes[-1]) or not len(x):
        raise NetworkError(f"a {network.shape} network does not take inputs of shape {x.shape} with targets of shape {y.shape}")
    w: Layers = [None, *(p.weights for p in network.layers)]
    b: Layers = [None, *(p.biases for p in network.layers)]
    scale, per_sample = network.scale(len(x)), network.loss.per_sample
    with np.errstate(all="ignore"):
        z, a = forward(network, x, w, b)
        losses = per_sample(a[-1], y, z[-1])
        back = backward(network, z, a, w, y, scale)
        w_new = b_new = z_new = a_new = list[Any]([None] * len(w))
        new: Array | None = None
        if not back.blocked:
            w_new, b_new = update(w, b, back.dL_dw, back.dL_db, eta)
            z_new, a_new = forward(network, x, w_new, b_new)
            new = per_sample(a_new[-1], y, z_new[-1])
        kept = (z, a, back.da_dz, back.dL_da, back.dL_dz, back.dL_dw, back.dL_db, w, b, w_new, b_new, z_new, a_new)
        for array in (*chain.from_iterable(kept), losses, new):
            if array is not None:
                array.flags.writeable = False
        loss, loss_new = float(scale * losses.sum()), float("nan") if new is None else float(scale * new.sum())
    return Trace(network, x, y, eta, *kept, losses, loss, new, loss_new, back.blocked)


def updated(trace: Trace) -> Network:
    """The network after the update, ready for the next iteration."""
    return with_parameters(trace.network, tuple(trace.w_new[1:]), tuple(trace.b_new[1:]))

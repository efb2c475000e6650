"""Networks: layers of weights with an activation, and the loss at the end. Frozen for real."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tutor.engine.activations import Activation
from tutor.engine.losses import Loss
from tutor.engine.optimizers import PLAIN, UpdateRule
from tutor.engine.program import LayerPlan, Plan, Program
from tutor.engine.skip import skip_fault
from tutor.errors import NetworkError

Array = np.ndarray


def frozen(values: object) -> Array:
    """A float64 array that nobody can write to; one that is so already is kept."""
    if isinstance(values, np.ndarray) and values.dtype == np.float64 and not values.flags.writeable:
        return values
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One fully connected layer: weights (units, inputs), biases (units,) or None, and an
    activation.

    `skip`: how many layers back lies what is added to the activation (1: the layer's own input); 0
    for nothing.
    """

    weights: Array
    biases: Array | None
    activation: Activation
    train_weights: bool = True
    train_biases: bool = True
    skip: int = 0
    dropout: float = 0.0
    """The share of its activations that is dropped while it learns."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", frozen(self.weights))
        object.__setattr__(self, "biases", None if self.biases is None else frozen(self.biases))
        if not 0 <= self.dropout < 1:
            raise NetworkError(f"dropout is from 0 to below 1, got {self.dropout:g}")
        if self.weights.ndim != 2 or 0 in self.weights.shape:
            raise NetworkError(
                "weights have one row per unit and one column per input, "
                f"got shape {self.weights.shape}"
            )
        if self.biases is not None and self.biases.shape != (self.units,):
            raise NetworkError(
                f"expected {self.units} biases, one per unit, got shape {self.biases.shape}"
            )

    @property
    def units(self) -> int:
        return int(self.weights.shape[0])

    @property
    def inputs(self) -> int:
        return int(self.weights.shape[1])

    @property
    def learns_biases(self) -> bool:
        """Whether the update changes this layer's biases."""
        return self.biases is not None and self.train_biases


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Layers 1..L and a loss. `reduction` says whether the loss of a batch is the sum or the mean
    over samples.
    """

    layers: tuple[Layer, ...]
    loss: Loss
    reduction: str = "mean"
    rule: UpdateRule = PLAIN
    """How it learns."""
    sizes: tuple[int, ...] = field(init=False)
    plans: tuple[Plan, Plan] = field(init=False)
    """What there is to compute: for a loss that is summed up, and for one that is a mean over
    several samples.
    """
    _programs: dict[bool, Program] = field(init=False, default_factory=dict)
    """Those that were asked for; to look one up takes longer than some of its steps."""

    def __post_init__(self) -> None:
        if not self.layers:
            raise NetworkError("a network has at least one layer")
        object.__setattr__(
            self, "sizes", (self.layers[0].inputs, *(layer.units for layer in self.layers))
        )
        for number, layer in enumerate(self.layers, 1):
            if layer.inputs != self.sizes[number - 1]:
                raise NetworkError(
                    f"layer {number} takes {layer.inputs} inputs, "
                    f"but layer {number - 1} has {self.sizes[number - 1]} units"
                )
            self._check_skip(number, layer)
        last = self.layers[-1].activation.name
        if self.loss.fused_with and last != self.loss.fused_with:
            raise NetworkError(
                f"{self.loss.title} needs a {self.loss.fused_with} output layer, got {last}"
            )
        if self.layers[-1].dropout:
            raise NetworkError("dropout is for hidden layers; the outputs are the answer")
        if self.loss.fused_with and self.layers[-1].skip:
            raise NetworkError(
                f"{self.loss.title} needs the {last} itself as output; "
                "a skip connection would add to it"
            )
        parts = tuple(
            LayerPlan(
                layer.activation,
                layer.biases is not None,
                layer.train_weights,
                layer.learns_biases,
                layer.skip,
                layer.dropout > 0,
            )
            for layer in self.layers
        )
        plans = (Plan(parts, self.loss, mean, self.rule.plan) for mean in (False, True))
        object.__setattr__(self, "plans", tuple(plans))

    def _check_skip(self, number: int, layer: Layer) -> None:
        fault = skip_fault(number, layer.skip, self.sizes)
        if fault:
            raise NetworkError(fault)

    @property
    def depth(self) -> int:
        """The number of layers, L; the input is layer 0."""
        return len(self.layers)

    @property
    def shape(self) -> str:
        """The sizes as people write them: `1-2-3-1`."""
        return "-".join(map(str, self.sizes))

    @property
    def parameters(self) -> int:
        """How many weights and biases there are."""
        return sum(p.weights.size + (0 if p.biases is None else p.biases.size) for p in self.layers)

    def layer(self, number: int) -> Layer:
        """Layer 1 is 1."""
        return self.layers[number - 1]

    def scale(self, samples: int) -> float:
        """The factor of each sample's loss in that of the batch: 1/M for a mean over M samples, 1
        for a sum.
        """
        return 1.0 / samples if self.reduction == "mean" else 1.0

    def program(self, samples: int) -> Program:
        """What is computed for a batch of this size."""
        mean = self.scale(samples) != 1.0
        if mean not in self._programs:
            self._programs[mean] = Program.of(self.plans[mean])
        return self._programs[mean]

    def passed(self, number: int, mark: str = "") -> tuple[str, int]:
        """Kind and layer of what a layer passes on: x at the input, r behind a skip, d where some
        are dropped, else a; before or (mark +) after the update, when nothing is dropped.
        """
        if not number:
            return "x", 0
        layer = self.layers[number - 1]
        kind = "r" if layer.skip else "d" if layer.dropout and not mark else "a"
        return kind + mark, number

    @property
    def skips(self) -> tuple[tuple[int, int], ...]:
        """The skip connections: (layer that the value comes from, layer that adds it)."""
        return tuple((n - layer.skip, n) for n, layer in enumerate(self.layers, 1) if layer.skip)


def without_dropout(network: Network) -> Network:
    """The network as it is used: nothing is dropped."""
    if not any(layer.dropout for layer in network.layers):
        return network
    return replace(network, layers=tuple(replace(p, dropout=0.0) for p in network.layers))


def with_parameters(
    network: Network, weights: tuple[Array, ...], biases: tuple[Array | None, ...]
) -> Network:
    """The same network with other numbers: what it is after an update."""
    layers = (
        replace(p, weights=w, biases=b)
        for p, w, b in zip(network.layers, weights, biases, strict=True)
    )
    return replace(network, layers=tuple(layers))

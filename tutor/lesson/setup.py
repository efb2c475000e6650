"""Build the engine's network, training samples and training from a scenario.

build(scenario) -> Setup            network, all training samples, learning rate
training(scenario) -> Training      the same with its batches and what stops it
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tutor.engine.activations import activation
from tutor.engine.losses import loss
from tutor.engine.network import Array, Layer, Network, frozen
from tutor.engine.training import Stop, Training
from tutor.lesson.dataset import dataset
from tutor.scenario import model
from tutor.scenario.reader import Scenario
from tutor.scenario.update import rule_of


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """What is computed: a network, inputs x (M, N) and targets y (M, K) of the samples to learn
    from, and a learning rate.
    """

    network: Network
    x: Array
    y: Array
    eta: float


def build(scenario: Scenario) -> Setup:
    """The network and training samples of a scenario. Raises DataError where there are none."""
    x, y = dataset(scenario).part("training")
    return Setup(network_of(scenario), x, y, scenario.training.learning_rate)


def training(scenario: Scenario) -> Training:
    """The training of a scenario: its batches, their order, and when it stops by itself."""
    setup, spec = build(scenario), scenario.training
    stop = Stop(**spec.stop.model_dump()) if spec.stop else Stop()
    return Training(
        setup.network, setup.x, setup.y, setup.eta,
        batch_size=spec.batch_size, shuffle=spec.shuffle.seed if spec.shuffle else None, stop=stop,
    )  # fmt: skip


def network_of(scenario: Scenario) -> Network:
    """The network of a scenario."""
    spec = scenario.network
    layers = tuple(_layer(spec, number) for number in range(1, len(spec.layers) + 1))
    return Network(layers, loss(spec.loss.name), spec.loss.reduction, rule_of(scenario.training))


def _layer(spec: model.NetworkSpec, number: int) -> Layer:
    part = spec.layers[number - 1]
    learns_weights, learns_biases = spec.learns(number)
    weights = (
        part.weights
        if part.init is None
        else initial(part.init, part.units, spec.sizes[number - 1])
    )
    biases = None if part.biases is None else frozen(part.biases)
    rule = activation(part.activation, **part.parameters)
    return Layer(
        frozen(weights), biases, rule, learns_weights, learns_biases, part.skip, part.dropout
    )


def initial(init: model.Init, units: int, inputs: int) -> Array:
    """Weights (units, inputs) made by a scheme; the same seed gives the same weights.

    uniform: ±scale. normal: standard deviation `scale`. xavier: normal with variance 2/(inputs +
    units). he: normal with variance 2/inputs. constant: all `scale`. identity: `scale` on the
    diagonal.
    """
    random = np.random.default_rng(init.seed)
    match init.scheme:
        case "constant":
            return np.full((units, inputs), init.scale)
        case "identity":
            return init.scale * np.eye(units, inputs)
        case "uniform":
            return random.uniform(-init.scale, init.scale, (units, inputs))
        case "normal":
            return init.scale * random.standard_normal((units, inputs))
        case _:
            fan = inputs + units if init.scheme == "xavier" else inputs
            return np.asarray(
                init.scale * np.sqrt(2.0 / fan) * random.standard_normal((units, inputs))
            )

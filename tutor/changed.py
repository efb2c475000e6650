"""A scenario with some of its parts changed: what does not fit together, and the scenario itself.

Only what is touched is made anew: a change in a large matrix copies one row, and a layer made by `init` is written out
once. What spoke of the original's numbers goes: what the slides print, notes, closed forms, the place in the gallery.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from tutor import scenario_checks
from tutor.change_names import OWNERS, Part, Value
from tutor.change_names import made as made_by_init
from tutor.engine.activations import activation
from tutor.problem import Path
from tutor.scenario import Data, Layer, Network, Rows, Scenario

Wanted = Mapping[Part, Value]
Misfit = tuple[tuple[Part, ...], str]
"""The parts that do not agree, the likeliest culprit first, and what is wrong with them."""

MOST_MISFITS = 50


def usual(kind: str) -> float:
    """What slope or alpha is where nobody says otherwise."""
    return activation(OWNERS[kind]).parameters[kind]


def misfits(scenario: Scenario, wanted: Wanted) -> tuple[Misfit, ...]:
    """What of the changes does not fit together, by the same checks that a file has to pass."""
    if not any(at.kind in {"y", "loss", "activation", "slope", "alpha"} for at in wanted):
        return ()
    network, data = _network(scenario, wanted, numbers=False), _data(scenario, wanted)
    found = islice(scenario_checks.fit(network, data), MOST_MISFITS)
    return tuple((_culprits(path, network, len(data.targets)), message) for path, message in found)


def _culprits(path: Path, network: Network, samples: int) -> tuple[Part, ...]:
    """The parts behind a place in a file."""
    output, loss = Part("activation", len(network.layers)), Part("loss")
    match path:
        case ("network", "loss", _) | ("network", "layers", _, "skip"):
            return (loss, output)
        case ("network", "layers", int(n), key):
            return (Part(str(key), n + 1), Part("activation", n + 1))
        case ("data", "targets", int(s), int(i)):
            return (Part("y", 0, i + 1, 0, s + 1 if samples > 1 else 0), loss, output)
        case ("data", "targets", int(s)):
            row = s + 1 if samples > 1 else 0
            return (*(Part("y", 0, i, 0, row) for i in range(1, network.sizes[-1] + 1)), loss, output)
        case _:
            return (loss, output)


def made(scenario: Scenario, wanted: Wanted) -> Scenario:
    """The scenario with the changes made; they have to fit together."""
    if not wanted:
        return scenario
    training = scenario.training
    if Part("learning_rate") in wanted:
        training = training.model_copy(update={"learning_rate": wanted[Part("learning_rate")]})
    return replace(
        scenario, network=_network(scenario, wanted), data=_data(scenario, wanted), training=training,
        printed=(), notes=(), checks=(), lecture=None,
    )  # fmt: skip


def _network(scenario: Scenario, wanted: Wanted, *, numbers: bool = True) -> Network:
    """The network with its changes; without `numbers` the weights stay, for checks that do not ask for them."""
    network = scenario.network
    touched = {at.layer for at in wanted if at.layer}
    layers = tuple(
        _layer(network, n, wanted, numbers=numbers) if n in touched else layer for n, layer in enumerate(network.layers, 1)
    )
    words = {key: wanted[Part(kind)] for key, kind in (("name", "loss"), ("reduction", "reduction")) if Part(kind) in wanted}
    loss = network.loss.model_copy(update=words) if words else network.loss
    return network.model_copy(update={"layers": layers, "loss": loss})


def _layer(network: Network, n: int, wanted: Wanted, *, numbers: bool) -> Layer:
    layer = network.layers[n - 1]
    update: dict[str, Any] = {}
    kind = wanted.get(Part("activation", n), layer.activation)
    if kind != layer.activation:
        update |= {"activation": kind, "slope": None, "alpha": None}
    update |= {key: wanted[Part(key, n)] for key in OWNERS if Part(key, n) in wanted}
    weights = {(at.i, at.j): float(v) for at, v in wanted.items() if (at.kind, at.layer) == ("w", n)}
    biases = {(1, at.i): float(v) for at, v in wanted.items() if (at.kind, at.layer) == ("b", n)}
    if weights and numbers:
        rows = layer.weights if layer.init is None else _written_out(layer, network.sizes[n - 1])
        update |= {"weights": _put(rows or (), weights), "init": None}
    if biases and numbers:
        update["biases"] = _put((layer.biases or (),), biases)[0]
    return layer.model_copy(update=update)


def _written_out(layer: Layer, inputs: int) -> Rows:
    if layer.init is None:
        return layer.weights or ()
    return tuple(map(tuple, made_by_init(layer.init, layer.units, inputs).tolist()))


def _data(scenario: Scenario, wanted: Wanted) -> Data:
    cells: dict[str, dict[tuple[int, int], float]] = defaultdict(dict)
    for at, v in wanted.items():
        if at.kind in {"x", "y"}:
            cells[at.kind][max(at.sample, 1), at.i] = float(v)
    update = {key: _put(rows, cells[kind]) for kind, key, rows in (("x", "inputs", scenario.inputs), ("y", "targets", scenario.targets))
              if cells[kind]}  # fmt: skip
    return scenario.data.model_copy(update=update) if update else scenario.data


def _put(rows: Rows, cells: Mapping[tuple[int, int], float]) -> Rows:
    """Rows with some numbers replaced; (row, column) count from 1. Rows that are not touched stay the same objects."""
    new = list(rows)
    for r in {r for r, _ in cells}:
        row = list(new[r - 1])
        for (at, column), v in cells.items():
            if at == r:
                row[column - 1] = v
        new[r - 1] = tuple(row)
    return tuple(new)

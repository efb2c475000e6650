"""How much work the gradient of a network is, counted three ways: path by path, by forward
accumulation, by backpropagation.

    work(network) -> Work

Counted are multiplications by a local derivative, for one sample and for the derivatives of the
loss with respect to every weight and bias that learns, all outputs included. A bias and a skip
connection add no factor, and the first factor of a product is no multiplication; that of an
activation always counts, even the 1 of the identity. Nothing is listed: the counts are whole
numbers of any size, made layer by layer.

    path by path            for each parameter each path by itself: one factor after the other
    forward accumulation    for each parameter once through all that depends on it, up to the loss
    backpropagation         once through the whole network, from the loss down, for all together
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tutor.engine.kinds import KINDS
from tutor.engine.network import Network
from tutor.engine.program import Name, Operation
from tutor.engine.tree import Apply, ArrayRef, Hadamard


@dataclass(frozen=True, slots=True)
class Work:
    """The counts. `parameters`: how many derivatives there are to compute; `paths`: along how many
    paths they are sums.
    """

    parameters: int
    paths: int
    by_paths: int
    forward: int
    reverse: int


def work(network: Network) -> Work:
    """Count the multiplications of a network's gradient. Raises KeyError where a layer has no
    derivative.
    """
    steps = network.program(1).operations
    if network.program(1).blocked:
        raise KeyError("there is no derivative behind a step or sign function")
    learned = list(_learned(network))
    paths, factors = _paths(network, steps)
    reverse = sum(_edges(network, step, leaf) for step in steps for leaf in _inner(step))
    return Work(
        sum(count for _, count, _ in learned),
        sum(count * paths["z", layer] for layer, count, _ in learned),
        # the last factor of a weight's path is an activation, that of a bias's is 1
        sum(
            count * (factors["z", n] - paths["z", n] * (not weights))
            for n, count, weights in learned
        ),
        sum(count * _pushed(network, steps, n, bias=not weights) for n, count, weights in learned),
        reverse + sum(count for _, count, weights in learned if weights),
    )


def _learned(network: Network) -> Iterator[tuple[int, int, bool]]:
    """(layer, how many, whether they are weights) of the parameters that learn."""
    for number, layer in enumerate(network.layers, 1):
        if layer.train_weights:
            yield number, layer.units * layer.inputs, True
        if layer.learns_biases:
            yield number, layer.units, False


def _inner(step: Operation) -> Iterator[ArrayRef]:
    """The inputs of an operation through which a derivative is handed on; those of the network are
    not needed.
    """
    return (leaf for leaf in step.inputs if KINDS[leaf.kind].role == "unit")


def _factor(step: Operation) -> bool:
    """Whether the local derivative is a number to multiply by, and not 1."""
    return step.mixes or isinstance(step.tree, Apply | Hadamard)


def _edges(network: Network, step: Operation, leaf: ArrayRef, reached: int | None = None) -> int:
    """The multiplications between an operation and one of its inputs, of whose units `reached`
    take part (all, where nothing is said).
    """
    if not _factor(step):
        return 0
    below = network.sizes[leaf.layer] if reached is None else reached
    return below * (network.sizes[step.out.layer] if step.mixes else 1)


def _paths(
    network: Network, steps: tuple[Operation, ...]
) -> tuple[dict[Name, int], dict[Name, int]]:
    """For a unit of each array: the paths to the loss, and how many factors they have together."""
    top = network.passed(network.depth)
    paths, factors = {top: 1}, {top: 1}
    for step in reversed(steps):
        name = step.out.kind, step.out.layer
        many = network.sizes[step.out.layer] if step.mixes else 1
        for leaf in _inner(step):
            below = leaf.kind, leaf.layer
            count = many * paths[name]
            paths[below] = paths.get(below, 0) + count
            more = many * factors[name] + count * _factor(step)
            factors[below] = factors.get(below, 0) + more
    return paths, factors


def _pushed(network: Network, steps: tuple[Operation, ...], layer: int, *, bias: bool) -> int:
    """The multiplications of one pass forward, from one weight or bias of a layer to the loss. That
    of a bias begins with a 1, so its first local derivative is copied, not multiplied.
    """
    reached, total = {("z", layer): 1}, 0
    ones = {("z", layer)} if bias else set()
    for step in steps:
        name, size = (step.out.kind, step.out.layer), network.sizes[step.out.layer]
        for leaf in step.inputs:
            below = leaf.kind, leaf.layer
            here = reached.get(below, 0)
            if here:
                total += 0 if below in ones else _edges(network, step, leaf, here)
                if below in ones and not _factor(step):
                    ones.add(name)
                reached[name] = max(reached.get(name, 0), size if step.mixes else here)
    top = network.passed(network.depth)
    return total + (0 if top in ones else reached[top])

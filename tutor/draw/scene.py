"""A step as the network diagram sees it: what is known, what the step uses and makes, where it is
at work.

`Scene` is what a page hands over; `Reading` answers the questions that the drawing asks about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import NamedTuple

import numpy as np

from tutor.draw.layout import Skip
from tutor.draw.marks import Room, fitted
from tutor.engine.kinds import BACKWARD, GRADIENT, SLOPE, UPDATE, VERIFY, Kind
from tutor.engine.network import Network
from tutor.engine.order import forward_kinds, loss_numbers
from tutor.engine.program import by
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef
from tutor.memo import Memo
from tutor.notation.conventions import Alphabet

_LOOK = 512
"""How many names of a step are looked through to find out where it is at work."""
_FEW = 8
"""A step that makes more numbers is about whole layers."""
TWO = 2
"""How many layers are open at least where the others are gathered."""


States = dict[tuple[int, int], str]
"""What a step does with the weights of a layer, by (i, j): " uses" or " makes"."""


class Label(NamedTuple):
    """A number to write."""

    quantity: Quantity
    text: str
    em: float
    """How wide it is, in em of its own type."""
    state: str
    """ " uses", " makes" or "" for what the step does with it."""
    size: int
    """Which of the sizes of type it needs."""
    family: str
    """What is written in one size: an old weight and a new one, the loss and what it fell by."""


@dataclass(frozen=True, slots=True)
class When:
    """A scene's place in its walk: step n, the step that makes a quantity, what is drawn so far."""

    n: int
    place: Callable[[Quantity], int]
    drawn: Memo
    labels: dict[Room, Memo]
    """The numbers that other steps have written, by the room for them."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One step as the diagram sees it. `value` answers None for what is not computed yet."""

    network: Network
    alphabet: Alphabet
    decimals: int
    value: Callable[[Quantity], float | None]
    uses: frozenset[Quantity]
    makes: frozenset[Quantity]
    phase: str
    """forward, loss, backward, update, verify, or "" where only what is given is to be seen."""
    sample: int = 0
    """The sample whose values stand on the units; 0 is the only one."""
    caption: str = ""
    changed: Mapping[Quantity, str] = field(default_factory=dict)
    """The given numbers that a reader changed, with their old values."""
    when: When | None = None
    """Where the scene is one of many, so that what several have in common is drawn once."""


class Reading:
    """Answers about one scene; nothing is drawn here."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.phase = scene, scene.phase
        self.after = "+" if scene.phase == VERIFY else ""
        self.touched = scene.uses | scene.makes
        self._labels: dict[Room, Memo] = scene.when.labels if scene.when else {}
        self.edges, self.slopes = self._look()

    def value(self, q: Quantity) -> float | None:
        """The scene's value."""
        return self.scene.value(q)

    @property
    def largest(self) -> float:
        """The largest size of a weight, or 1 where all are 0."""
        when = self.scene.when
        find = partial(_largest, self.scene.network)
        return when.drawn.once("largest weight", find) if when else find()

    def layers(self) -> frozenset[int]:
        """The layers that the step is about: where its numbers are made, and what they are made
        from; at least two. Those of the output where it makes none in a layer.
        """
        network, some = self.scene.network, {(q.kind, q.layer): q for q in self.scene.makes if q.i}
        found = {layer for q in some.values() for layer, _ in _places(network, q)}
        found &= set(range(1, network.depth + 1))
        last = max(found, default=network.depth if self.touched else 0)
        if len(found) < TWO and last:
            found |= {last, last - 1 or 2} & set(range(1, network.depth + 1))
        return frozenset(found)

    def must_see(self) -> frozenset[tuple[int, int]]:
        """(layer, unit) of the units that the step is about, as far as it is about a few, and where
        its numbers come from.
        """
        if len(self.scene.makes) > _FEW:
            return frozenset()
        network, made = self.scene.network, self.scene.makes
        places = {place for q in made if q.i for place in _places(network, q)}
        return frozenset((layer, unit) for layer, unit in places if layer <= network.depth)

    def _look(self) -> tuple[dict[int, States], dict[tuple[int, int], Quantity | None]]:
        """What the step does with the weights of each layer, and the da/dz that belongs to each
        unit (None: several).
        """
        edges: dict[int, States] = {}
        slopes: dict[tuple[int, int], Quantity | None] = {}
        used, samples = {"w", f"w{self.after}"}, {0, self.scene.sample}
        for q in self.scene.uses:
            if q.kind in used:
                edges.setdefault(q.layer, {})[q.i, q.j] = " uses"
        for q in self.scene.makes:  # the gradient of a weight, or its new value
            if q.j and q.sample in samples and q.of.weights:
                edges.setdefault(q.layer, {})[q.i, q.j] = " makes"
        for q in self.touched if len(self.touched) <= _LOOK else ():
            if q.kind == SLOPE and q.sample == self.scene.sample:
                slopes[q.layer, q.i] = None if (q.layer, q.i) in slopes else q
        return edges, slopes

    def state(self, q: Quantity) -> str:
        if q not in self.touched:
            return ""
        return " makes" if q in self.scene.makes else " uses"

    def pick(self, *choices: Quantity) -> Quantity | None:
        """The choice that this step makes, else the first that it uses, else the first that is
        known.
        """
        for those in (self.scene.makes, self.scene.uses):
            for q in choices:
                if q in those:
                    return q
        return next((q for q in choices if self.value(q) is not None), None)

    def label(self, q: Quantity | None, room: Room) -> Label | None:
        """What to write for a quantity in a place with so much room; None where it is not known.

        The type of what is computed follows from the decimals alone where it can, so that it stays
        the same from step to step.
        """
        value = None if q is None else self.scene.value(q)
        if q is None or value is None:
            return None
        labels = self._labels.get(room)
        if labels is None:
            labels = self._labels[room] = Memo()
        label: Label | None = labels.get(q)
        if label is None:
            label = labels[q] = self._label(q, value, room)
        return label._replace(state=self.state(q)) if q in self.touched else label

    def _label(self, q: Quantity, value: float, room: Room) -> Label:
        """What every step writes that does not touch the quantity."""
        text, em, size = fitted(value, self.scene.decimals, room)
        size = size if q.given else max(size, room.usual(self.scene.decimals))
        return Label(q, text, em, "", size, _family(q.of))

    def named(self, kind: str, layer: int, unit: int) -> Quantity:
        """A number of a unit, for the sample of the scene."""
        return Quantity(kind, layer, unit, 0, self.scene.sample)

    def inside(self, layer: int, unit: int) -> tuple[Quantity, ...]:
        """What a unit computes, from left to right: z and a, and the sum r of a skip connection."""
        kinds = forward_kinds(self.scene.network.layer(layer), self.after)
        return tuple(self.named(kind, layer, unit) for kind in kinds)

    def error(self, layer: int, unit: int) -> Quantity:
        """The error signal of a unit."""
        return self.named(GRADIENT["z"], layer, unit)

    def passed(self, layer: int, unit: int) -> Quantity:
        """What a unit passes on: its activation, the sum behind a skip connection, or an input."""
        return self.named(self.scene.network.passed(layer, self.after)[0], layer, unit)

    def raw(self, unit: int) -> Quantity:
        """An input before it was scaled."""
        return self.named("raw", 0, unit)

    def passed_back(self, layer: int, unit: int) -> Quantity:
        """The derivative of the loss with respect to that."""
        return self.named(gradient_of_passed(self.scene.network, layer), layer, unit)

    def parameter(self, kind: str, layer: int, i: int, j: int, room: Room) -> list[Label]:
        """What is to be said of a weight or bias in this phase: its value, and its gradient while
        that matters.
        """
        old = Quantity(kind, layer, i, j)
        new = old.after if self.phase in {UPDATE, VERIFY} else None
        first = (self.label(new, room) if new else None) or self.label(old, room)
        labels = [first] if first else []
        if self.phase in {BACKWARD, UPDATE}:
            total = Quantity(GRADIENT[kind], layer, i, j)
            share = total._replace(sample=self.scene.sample)
            between = [old._replace(kind=each) for each in self._between(kind)]
            shares = (share,) if share.sample else ()
            gradient = self.label(self.pick(total, *shares, *between), room)
            shown = self.phase == BACKWARD or (first and first.quantity == old)
            if gradient and (shown or gradient.state):
                labels.append(gradient)
        return labels

    def _between(self, kind: str) -> tuple[str, ...]:
        """What stands between the gradient of a weight or bias and its new value, the last first:
        it is the one that matters.
        """
        return self.scene.network.rule.made(kind)[::-1] if self.phase == UPDATE else ()

    def parts_of(self, loss: Quantity) -> tuple[Quantity, ...]:
        """What the loss of the batch is the sum of, where it has a penalty."""
        return loss_numbers(self.scene.network, loss.of.mark)[-2::-1]

    def skip_state(self, skip: Skip) -> str:
        """The colour and state of a skip connection that the step goes along, or ""."""
        used, made = self.scene.uses, self.scene.makes
        source, target = (skip.source, skip.unit), (skip.target, skip.unit)
        if self.passed(*source) in used and self.passed(*target) in made:
            return "a uses"
        back = self.passed_back(*target) in used and self.passed_back(*source) in made
        return "g uses" if back else ""

    def flows(self, layer: int, i: int, j: int) -> bool:
        """Whether numbers go along this edge: where its weight only gets a gradient or a new value,
        none do.
        """
        weight, used = Quantity("w", layer, i, j), self.scene.uses
        return self.phase != UPDATE and (
            weight in used or (bool(self.after) and weight.after in used)
        )


def _largest(network: Network) -> float:
    sizes = (float(np.abs(layer.weights).max(initial=0)) for layer in network.layers)
    return max((size for size in sizes if isfinite(size)), default=1.0) or 1.0


def _family(kind: Kind) -> str:
    """An old weight and a new one are one family, and the loss and what it fell by."""
    return kind.role if kind.role == "loss" else kind.base


def gradient_of_passed(network: Network, layer: int) -> str:
    """The kind of derivative with respect to what a layer passes on."""
    return by(ArrayRef(*network.passed(layer))).kind


def _places(network: Network, q: Quantity) -> tuple[tuple[int, int], ...]:
    """The unit of q, and one in the layer that q is computed from (for a weight: the one that it
    comes from).
    """
    here, kind = (q.layer, q.i), q.of
    if kind.of_inputs:
        return (here,)
    if kind.role == "slope":
        return here, (q.layer, q.j or q.i)
    if q.kind == gradient_of_passed(network, q.layer):
        adding = ((target, q.i) for source, target in network.skips if source == q.layer)
        return here, (q.layer + 1, 1), *adding
    if kind.by == "a":
        return (here,)
    skip = network.layer(q.layer).skip
    if skip and kind.base == network.passed(q.layer)[0]:
        return here, (q.layer - skip, q.i)
    return here, (q.layer - 1, q.j or 1)

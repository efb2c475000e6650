"""The order of the walk: which number comes at which step, by arithmetic alone.

`NumberOrder` goes number by number, as the hand-worked slides do: sample by sample forward, then
the losses, then sample by sample backward (error signals first, then the shares of each gradient),
then the sums over the samples, the updates, and the verification pass. Position k is found without
listing the others, so the walk of a large network costs no more than the walk of a small one.

`stages` goes matrix by matrix over the whole batch. Both name the same quantities.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from tutor.engine.kinds import KINDS, SCALE, marked
from tutor.engine.network import Layer, Network
from tutor.engine.quantity import Quantity
from tutor.errors import LessonError


@dataclass(frozen=True, slots=True)
class Block:
    """A run of quantities of one layer: unit by unit (`by_unit`), or kind by kind."""

    kinds: tuple[str, ...]
    layer: int = 0
    units: int = 1
    inputs: int = 0
    """Weights per unit, where the block is of parameters; `kinds` is then (bias kind, weight kind).
    """
    by_unit: bool = True
    pairs: bool = False
    """A Jacobian: one kind with two indices."""

    @property
    def size(self) -> int:
        if self.pairs:
            return self.units * self.units
        return self.units * self.per_unit if self.inputs else self.units * len(self.kinds)

    @property
    def per_unit(self) -> int:
        """How many parameters one unit has here."""
        return (self.kinds[0] != "") + (self.inputs if self.kinds[1] else 0)

    def at(self, offset: int, sample: int) -> Quantity:
        """The quantity at this offset, from 0."""
        if self.pairs:
            i, k = divmod(offset, self.units)
            return Quantity(self.kinds[0], self.layer, i + 1, k + 1, sample)
        if self.inputs:
            unit, j = divmod(offset, self.per_unit)
            j += self.kinds[0] == ""
            return Quantity(self.kinds[1] if j else self.kinds[0], self.layer, unit + 1, j, sample)
        unit, kind = (
            divmod(offset, len(self.kinds)) if self.by_unit else divmod(offset, self.units)[::-1]
        )
        return Quantity(
            self.kinds[kind], self.layer, unit + 1 if KINDS[self.kinds[kind]].axes else 0, 0, sample
        )

    def offset(self, q: Quantity) -> int:
        """Where q is in this block, from 0."""
        unit = max(q.i, 1) - 1
        if self.pairs:
            return unit * self.units + q.j - 1
        if self.inputs:
            return unit * self.per_unit + q.j - (self.kinds[0] == "")
        kind = self.kinds.index(q.kind)
        return unit * len(self.kinds) + kind if self.by_unit else kind * self.units + unit


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks gone through once per sample (`samples` > 0 names them), or once for the batch (0)."""

    phase: str
    blocks: tuple[Block, ...]
    samples: int = 0
    starts: tuple[int, ...] = field(init=False)
    round: int = field(init=False)

    def __post_init__(self) -> None:
        ends = tuple(accumulate((block.size for block in self.blocks), initial=0))
        object.__setattr__(self, "starts", ends[:-1])
        object.__setattr__(self, "round", ends[-1])

    @property
    def size(self) -> int:
        return self.round * max(self.samples, 1)

    def at(self, offset: int) -> Quantity:
        turn, rest = divmod(offset, self.round)
        index = bisect_right(self.starts, rest) - 1
        return self.blocks[index].at(rest - self.starts[index], turn + 1 if self.samples else 0)


class NumberOrder(Sequence[Quantity]):
    """All quantities of one iteration in walking order. `len`, `[k]` and `rank` list nothing."""

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self.sections = tuple(s for s in sections if s.size)
        self.starts = tuple(accumulate((s.size for s in self.sections), initial=0))
        self._place: dict[tuple[str, int, bool], tuple[int, int]] = {}
        for number, section in enumerate(self.sections):
            for index, block in enumerate(section.blocks):
                for kind in block.kinds:
                    self._place[kind, block.layer, bool(section.samples)] = (number, index)

    @classmethod
    def of(
        cls,
        network: Network,
        samples: int,
        blocked: int = 0,
        inputs: bool = False,
        statistics: Sequence[str] = (),
    ) -> NumberOrder:
        """The walk of a network over a batch; behind layer `blocked` nothing is computed.

        `inputs`: whether the derivatives with respect to the inputs are steps. `statistics`: the
        kinds of numbers that the inputs are scaled with, where that is steps.
        """
        each = samples if samples > 1 else 0
        scaled = _scaled(network, each, tuple(statistics)) if statistics else ()
        return cls((*scaled, *_sections(network, each, blocked, inputs)))

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, k: int) -> Quantity:  # type: ignore[override]
        if not 0 <= k < len(self):
            raise IndexError(k)
        number = bisect_right(self.starts, k) - 1
        return self.sections[number].at(k - self.starts[number])

    def __iter__(self) -> Iterator[Quantity]:
        return (self[k] for k in range(len(self)))

    def rank(self, q: Quantity) -> int:
        """The position of q, from 0. Raises LessonError where the walk does not compute it."""
        place = self._place.get((q.kind, q.layer, q.sample > 0))
        k = -1 if place is None else self._offset(q, place)
        # an index past the layer's end would land on another number
        if not 0 <= k < len(self) or self[k] != q:
            raise LessonError(f"{q} is not a step of this lesson")
        return k

    def _offset(self, q: Quantity, place: tuple[int, int]) -> int:
        section = self.sections[place[0]]
        block = section.blocks[place[1]]
        turn = section.round * (q.sample - 1) if section.samples else 0
        return self.starts[place[0]] + turn + section.starts[place[1]] + block.offset(q)

    def makes(self, q: Quantity) -> bool:
        """Whether numbers like q are steps, of whichever sample."""
        return any((q.kind, q.layer, sampled) in self._place for sampled in (False, True))

    def phase(self, k: int) -> str:
        """The phase that position k belongs to."""
        return self.sections[bisect_right(self.starts, k) - 1].phase


def _scaled(network: Network, samples: int, statistics: tuple[str, ...]) -> Iterator[Section]:
    """What each input is scaled with, input by input, then the inputs sample by sample."""
    inputs = network.sizes[0]
    yield Section(SCALE, (Block(statistics, 0, inputs),))
    yield Section(SCALE, (Block((INPUT,), 0, inputs),), samples)


INPUT = "x"
"""What is scaled."""


def _sections(network: Network, samples: int, blocked: int, inputs: bool) -> Iterator[Section]:
    yield Section("forward", _forward(network, ""), samples)
    yield from _losses(network, "loss", "", samples)
    yield Section("backward", _backward(network, blocked, inputs), samples)
    if blocked:
        return
    downwards = range(network.depth, 0, -1)
    if samples:
        totals = (_parameters(network.layer(n), n, "dL/db", "dL/dw") for n in downwards)
        yield Section("backward", tuple(block for block in totals if block))
    yield Section("update", tuple(_updates(network)))
    yield Section("verify", _forward(network, "+"), samples)
    yield from _losses(network, "verify", "+", samples)
    yield Section("verify", (Block(("loss-loss+",)),))


def _losses(network: Network, phase: str, mark: str, samples: int) -> Iterator[Section]:
    if samples:
        yield Section(phase, (Block((marked("loss", mark),)),), samples)
    found = loss_numbers(network, mark)
    yield Section(phase, tuple(Block((q.kind,), q.layer) for q in found))


def loss_numbers(network: Network, mark: str = "") -> tuple[Quantity, ...]:
    """What the loss of the batch is made of, and the loss itself."""
    found = [kind for kind in ("data_loss", "wnorm", "penalty") if network.rule.has(kind)]
    each = range(1, len(network.rule.by_layer) + 1)
    return tuple(
        Quantity(marked(kind, mark), layer)
        for kind in (*found, "loss")
        for layer in (each if KINDS[kind].by_layer and each else (0,))
    )


def _updates(network: Network) -> Iterator[Block]:
    """What the whole update needs first, then layer by layer from the output what its weights and
    biases need, quantity by quantity.
    """
    downwards = range(network.depth, 0, -1)
    before, then = update_kinds(network)
    for kind in before:
        if not KINDS[kind].axes:
            yield Block((kind,))
            continue
        blocks = (_parameters(network.layer(n), n, "", kind) for n in downwards)
        yield from (block for block in blocks if block)
    for n in downwards:
        for bias, weight in then:
            block = _parameters(network.layer(n), n, bias, weight)
            if block:
                yield block


def update_kinds(network: Network) -> tuple[list[str], list[tuple[str, str]]]:
    """(what comes before all layers, pairs of what each bias and each weight has, to the new
    value).
    """
    rule = network.rule
    biases, weights = rule.made("b"), rule.made("w")
    before = [kind for kind in rule.whole() if kind != "gnorm"]
    before += [kind for kind in weights if KINDS[kind].by]
    learns = any(layer.train_weights or layer.learns_biases for layer in network.layers)
    before += [kind for kind in rule.whole() if kind == "gnorm" and learns]
    stems = dict.fromkeys(k[:-1] for k in (*weights, *biases) if k not in before)
    pairs = [
        tuple(stem + end if stem + end in of else "" for end, of in (("b", biases), ("w", weights)))
        for stem in stems
    ]
    return before, [*((bias, weight) for bias, weight in pairs), ("b+", "w+")]


def _forward(network: Network, mark: str) -> tuple[Block, ...]:
    return tuple(
        Block(
            forward_kinds(layer, mark),
            number,
            layer.units,
            by_unit=not layer.activation.full_jacobian,
        )
        for number, layer in enumerate(network.layers, 1)
    )


def forward_kinds(layer: Layer, mark: str = "") -> tuple[str, ...]:
    """What a layer computes on the way forward, before or (mark +) after the update, when nothing
    is dropped.
    """
    drops = ("d",) if layer.dropout and not mark else ()
    kinds = ("z", "a", *drops, *(("r",) if layer.skip else ()))
    return tuple(marked(kind, mark) for kind in kinds)


def _backward(network: Network, blocked: int, inputs: bool) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for number in range(network.depth, 0, -1):
        layer = network.layer(number)
        blocks += [Block((kind,), number, layer.units) for kind in passed_back(layer)]
        if number == blocked:
            return (*blocks, Block(("da/dz",), number, layer.units))
        if layer.activation.full_jacobian:
            blocks.append(Block(("da/dz",), number, layer.units, pairs=True))
            blocks.append(Block(("dL/dz",), number, layer.units))
        else:
            blocks.append(Block(("da/dz", "dL/dz"), number, layer.units))
        parameters = _parameters(layer, number, "dL/db", "dL/dw")
        if parameters:
            blocks.append(parameters)
    return (*blocks, Block(("dL/da",), 0, network.sizes[0])) if inputs else tuple(blocks)


def passed_back(layer: Layer) -> tuple[str, ...]:
    """The derivatives by what a layer passes on and by its activation, from the loss down."""
    skip = ("dL/dr",) if layer.skip else ()
    return (*skip, *(("dL/dd",) if layer.dropout else ()), "dL/da")


def _parameters(layer: Layer, number: int, bias: str, weight: str) -> Block | None:
    """The block of a layer's trainable parameters: unit by unit, the bias first, as on slides."""
    kinds = (bias * layer.learns_biases, weight * layer.train_weights)
    return Block(kinds, number, layer.units, layer.inputs) if any(kinds) else None


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the walk by matrices: all of `kind` in `layer`, for the whole batch."""

    phase: str
    kind: str
    layer: int = 0
    per_sample: bool = False
    """The loss of each sample by itself, before that of the batch."""

    @property
    def single(self) -> bool:
        """Whether this is one number and no matrix."""
        return not KINDS[self.kind].axes and not self.per_sample


def stages(
    network: Network,
    samples: int,
    blocked: int = 0,
    inputs: bool = False,
    statistics: Sequence[str] = (),
) -> tuple[Stage, ...]:
    """The walk by matrices; at most a dozen stages a layer. `inputs`: whether the derivatives by
    the inputs are one; `statistics`: what the inputs are scaled with, where that is steps.
    """
    found = [Stage(SCALE, kind) for kind in (*statistics, INPUT)] if statistics else []
    found += _forward_stages("forward", network, "")
    found += _loss_stages(network, "loss", "", samples)
    for number in range(network.depth, 0, -1):
        layer = network.layer(number)
        found += [Stage("backward", kind, number) for kind in (*passed_back(layer), "da/dz")]
        if number == blocked:
            return tuple(found)
        found.append(Stage("backward", "dL/dz", number))
        found += [Stage("backward", kind, number) for kind in _learned(layer, "dL/db", "dL/dw")]
    if inputs:
        found.append(Stage("backward", "dL/da", 0))
    found += _update_stages(network)
    found += _forward_stages("verify", network, "+")
    found += _loss_stages(network, "verify", "+", samples)
    return (*found, Stage("verify", "loss-loss+"))


def _forward_stages(phase: str, network: Network, mark: str) -> Iterator[Stage]:
    for number, layer in enumerate(network.layers, 1):
        for kind in forward_kinds(layer, mark):
            yield Stage(phase, kind, number)


def _loss_stages(network: Network, phase: str, mark: str, samples: int) -> list[Stage]:
    each = [Stage(phase, marked("loss", mark), per_sample=True)] if samples > 1 else []
    return each + [Stage(phase, q.kind, q.layer) for q in loss_numbers(network, mark)]


def _update_stages(network: Network) -> Iterator[Stage]:
    downwards = range(network.depth, 0, -1)
    before, then = update_kinds(network)
    for kind in before:
        if not KINDS[kind].axes:
            yield Stage("update", kind)
            continue
        yield from (Stage("update", kind, n) for n in downwards if network.layer(n).train_weights)
    for n in downwards:
        layer = network.layer(n)
        for side, learns in enumerate((layer.learns_biases, layer.train_weights)):
            yield from (Stage("update", pair[side], n) for pair in then if learns and pair[side])


def _learned(layer: Layer, bias: str, weight: str) -> list[str]:
    return [bias] * layer.learns_biases + [weight] * layer.train_weights


# ---- Where a walk ends early: the first number, in the order of the walk, that cannot be had ----
#     first_bad(order, bad, value) -> Stop or None
#
# The search goes section by section over whole arrays and looks at single numbers only in the one
# block that holds the first bad one, so a large network that overflows late is answered as fast as
# a small one.


FLAT = "flat"
OVERFLOW = "overflow"
UNDEFINED = "undefined"

Bad = Callable[[str, int, int], np.ndarray]
"""(kind, layer, samples) -> for each sample whether a number of this kind is bad; one entry where
`samples` is 0.
"""


@dataclass(frozen=True, slots=True)
class EarlyEnd:
    """The first quantity that cannot be had, and why (flat, overflow, undefined)."""

    quantity: Quantity
    why: str


def first_bad(
    order: NumberOrder, bad: Bad, value: Callable[[Quantity], float | None]
) -> EarlyEnd | None:
    """Find the first number that is not finite, or (by `value`) None: no derivative there."""
    for section in order.sections:
        table = np.stack([_any_kind(block, section.samples, bad) for block in section.blocks])
        if table.any():
            row = int(table.any(axis=0).argmax())
            block = section.blocks[int(table[:, row].argmax())]
            return _within(block, row + 1 if section.samples else 0, value)
    return None


def _any_kind(block: Block, samples: int, bad: Bad) -> np.ndarray:
    return np.asarray(
        np.logical_or.reduce([bad(kind, block.layer, samples) for kind in block.kinds if kind])
    )


def _within(
    block: Block, sample: int, value: Callable[[Quantity], float | None]
) -> EarlyEnd | None:
    for offset in range(block.size):
        quantity = block.at(offset, sample)
        number = value(quantity)
        if number is None:
            return EarlyEnd(quantity, FLAT)
        if not np.isfinite(number):
            return EarlyEnd(quantity, UNDEFINED if np.isnan(number) else OVERFLOW)
    return None

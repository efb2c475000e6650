"""Where a walk ends early: the first number, in the order of the walk, that cannot be had.

    first_bad(order, bad, value) -> Stop or None

The search goes section by section over whole arrays and looks at single numbers only in the one block that holds the
first bad one, so a large network that overflows late is answered as fast as a small one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tutor.engine.order import Block, NumberOrder
from tutor.engine.quantity import Quantity

FLAT = "flat"
OVERFLOW = "overflow"
UNDEFINED = "undefined"

Bad = Callable[[str, int, int], np.ndarray]
"""(kind, layer, samples) -> for each sample whether a number of this kind is bad; one entry where `samples` is 0."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The first quantity that cannot be had, and why (flat, overflow, undefined)."""

    quantity: Quantity
    why: str


def first_bad(order: NumberOrder, bad: Bad, value: Callable[[Quantity], float | None]) -> Stop | None:
    """Find the first number that is not finite, or None by `value`: an activation without a derivative."""
    for section in order.sections:
        table = np.stack([_any_kind(block, section.samples, bad) for block in section.blocks])
        if table.any():
            row = int(table.any(axis=0).argmax())
            block = section.blocks[int(table[:, row].argmax())]
            return _within(block, row + 1 if section.samples else 0, value)
    return None


def _any_kind(block: Block, samples: int, bad: Bad) -> np.ndarray:
    return np.asarray(np.logical_or.reduce([bad(kind, block.layer, samples) for kind in block.kinds if kind]))


def _within(block: Block, sample: int, value: Callable[[Quantity], float | None]) -> Stop | None:
    for offset in range(block.size):
        quantity = block.at(offset, sample)
        number = value(quantity)
        if number is None:
            return Stop(quantity, FLAT)
        if not np.isfinite(number):
            return Stop(quantity, UNDEFINED if np.isnan(number) else OVERFLOW)
    return None

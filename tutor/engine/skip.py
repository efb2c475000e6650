"""Skip connections that fit: what is wrong with one, told alike for a file and for a network.

No NumPy is needed for that: files are read without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tutor.number import counted


def skip_fault(number: int, skip: int, sizes: Sequence[int | None]) -> str:
    """What is wrong with the skip connection of a layer, or "".

    `sizes` are the units of all layers, the input first. Of None, which is not known, nothing is
    said.
    """
    if not skip:
        return ""
    if not 0 < skip <= number:
        reach = "skip can be 1" if number == 1 else f"skip can be 1 to {number}"
        return f"layer {number} has {number} before it, counting the input: {reach}, not {skip}"
    here, there = sizes[number], sizes[number - skip]
    if here is None or there is None or here == there:
        return ""
    added = f"layer {number - skip}" if number > skip else "the input"
    own = f"layer {number} has {counted(here, 'unit')}"
    return f"a skip connection needs equal sizes: {own}, but {added} has {there:,}"

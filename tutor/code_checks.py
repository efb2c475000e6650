"""The end of a script: every array compared with what the lesson has, and how many numbers agree.

Small lessons compare every number. In a large one an array of more than `FEW` numbers is compared at a few places (the
corners and the largest entry) and by the sum of its absolute values, so that the file stays small enough to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tutor.code_results import Result
from tutor.code_text import array
from tutor.engine.network import Array
from tutor.lesson import Lesson
from tutor.number import exact

MANY_PARAMETERS = 2_000
MANY_NUMBERS = 10_000
FEW = 60


def large(lesson: Lesson, found: Sequence[Result]) -> bool:
    """Whether only chosen entries are compared."""
    return lesson.trace.network.parameters > MANY_PARAMETERS or sum(result.values.size for result in found) > MANY_NUMBERS


def check_lines(lesson: Lesson, found: Sequence[Result], python: Callable[[Result], str] = lambda result: result.name) -> list[str]:
    """One comparison for each array, and the count at the end; `python` says where the script has the array."""
    chosen = large(lesson, found)
    lines = ["# What the lesson has, to the last digit."]
    if chosen:
        lines += [
            f"# This network is large: of an array with more than {FEW} numbers a few entries are compared, the corners and the largest,",
            "# and the sum of its absolute values.",
        ]
    lines.append("numbers = 0")
    for result in found:
        lines += _sampled(result, python(result)) if chosen and result.values.size > FEW else [_every(result, python(result))]
    return [*lines, 'print(f"all {numbers} numbers agree")']


def _every(result: Result, python: str) -> str:
    return f'numbers += check("{result.name}", {python}, {array(result.values)}{_size(result.size)})'


def _sampled(result: Result, python: str) -> list[str]:
    """Lines that compare the corners, the largest entry, and the sum of all sizes."""
    lines = []
    for place in places(result.values):
        at = f"[{', '.join(map(str, place))}]"
        lines.append(f'numbers += check("{result.name}{at}", {python}{at}, {exact(float(result.values[place]))}{_size(result.size)})')
    with np.errstate(over="ignore"):
        total = float(np.abs(result.values).sum())
    if np.isfinite(total):
        line = f'numbers += check("sum of |{result.name}|", abs({python}).sum(), {exact(total)}'
        lines.append(f"{line}{_size(result.size * result.values.size)})")
    return lines


def places(values: Array) -> list[tuple[int, ...]]:
    """The first, the last and the largest entry."""
    ends = (tuple(0 for _ in values.shape), tuple(n - 1 for n in values.shape))
    largest = tuple(int(k) for k in np.unravel_index(np.abs(values).argmax(), values.shape))
    return list(dict.fromkeys((*ends, largest)))


def _size(size: float) -> str:
    return f", size={float(f'{size:.1g}')!r}" if size else ""

"""Python source from texts and numbers of a lesson: comments that nothing can break out of, and
arrays to the last digit.

Titles and other texts of a scenario stand in comments only, one line each, with every character
that does not print written as its escape; the first two lines of a file are always ours, because
there Python would read a comment that names an encoding. Numbers are the shortest text that reads
back as the same float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from textwrap import wrap

import numpy as np

from tutor.engine.network import Array
from tutor.export.arrays import Result
from tutor.lesson.changes import told
from tutor.lesson.walk import Lesson
from tutor.number import exact

WIDTH = 100
NAMES = 35
"""Room for what stands in front of an array in its first line."""


def printable(text: str) -> str:
    """The text in one line; what does not print, such as a mark that turns the reading direction,
    as its escape.
    """
    line = " ".join(text.split())
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line
    )


def comment(text: str) -> list[str]:
    """Comment lines that hold a text, whatever is in it."""
    return [f"# {line}" for line in wrap(printable(text), WIDTH - 2, break_on_hyphens=False)]


def header(lesson: Lesson, what: str, needs: str) -> list[str]:
    """The comments at the top: what the file is, the lesson's title, course and text, and how to
    read the names.
    """
    scenario, trace = lesson.scenario, lesson.trace
    about = [
        scenario.title,
        scenario.source,
        f"Iteration {lesson.iteration}" if lesson.iteration > 1 else "",
    ]
    lines = [f"# {what}", "#", *(line for text in about if text for line in comment(text))]
    if scenario.about:
        lines += ["#", *comment(scenario.about)]
    if lesson.changes:
        lines += ["#", *comment(told(lesson.changes))]
    lines += [
        "#",
        *comment(
            f"Lesson {scenario.id}, a {trace.network.shape} network. "
            "Layer 1 comes right after the inputs; rows are samples, columns are units. "
            "W1 has one row per unit of layer 1 and one column per input."
        ),
        *comment(f"To run it, you need Python and {needs}."),
    ]
    return lines


def array(values: Array | float, indent: str = "") -> str:
    """A number or an array (1, 2 or 3 dimensions) as nested lists; it is broken into lines where it
    is long.
    """
    values = np.asarray(values)
    if not values.ndim:
        return exact(float(values))
    short = _flat(values)
    if short and len(short) + len(indent) <= WIDTH - (2 if indent else NAMES):
        return short
    inner = indent + "    "
    if values.ndim == 1:
        return (
            "[\n"
            + "".join(
                f"{inner}{line}\n"
                for line in _filled(map(exact, values.tolist()), WIDTH - len(inner))
            )
            + indent
            + "]"
        )
    return "[\n" + "".join(f"{inner}{array(row, inner)},\n" for row in values) + indent + "]"


def _flat(values: Array) -> str:
    return (
        "["
        + ", ".join(map(exact, values.tolist()) if values.ndim == 1 else map(_flat, values))
        + "]"
        if values.size <= 12
        else ""
    )


def _filled(words: Iterable[str], width: int) -> Iterator[str]:
    """Lines of words with commas, each as full as the width allows."""
    line: list[str] = []
    length = 0
    for word in words:
        if line and length + len(word) + 2 > width:
            yield ", ".join(line) + ","
            line, length = [], 0
        line.append(word)
        length += len(word) + 2
    yield ", ".join(line) + ","


def broken(line: str) -> list[str]:
    """A line that adds up many terms in parentheses, as lines that are not too long."""
    first, *others = line.split(" + (")
    lines = [first]
    for term in others:
        if len(lines[-1]) + len(term) > WIDTH - 4:
            lines.append("   ")
        lines[-1] += f" + ({term}"
    return lines


def filled(start: str, names: Sequence[str], end: str, then: str = "") -> list[str]:
    """Names with commas between them, in one line or in several."""
    comma = "," * (len(names) == 1 and start.endswith("("))
    line = f"{start}{', '.join(names)}{comma}{end}{then}"
    if len(line) <= WIDTH - 4:
        return [line]
    return [start, *(f"    {part}" for part in _filled(names, WIDTH - 8)), end + then]


# ---- The end of a script ----
#
# Every array is compared with what the lesson has, and how many numbers agree is told. Small
# lessons compare every number. In a large one an array of more than `FEW` numbers is compared at a
# few places (the corners and the largest entry) and by the sum of its absolute values, so that the
# file stays small enough to be read.


MANY_PARAMETERS = 2_000
MANY_NUMBERS = 10_000
FEW = 60


def large(lesson: Lesson, found: Sequence[Result]) -> bool:
    """Whether only chosen entries are compared."""
    return (
        lesson.trace.network.parameters > MANY_PARAMETERS
        or sum(result.values.size for result in found) > MANY_NUMBERS
    )


def check_lines(
    lesson: Lesson,
    found: Sequence[Result],
    python: Callable[[Result], str] = lambda result: result.name,
) -> list[str]:
    """One comparison for each array, and the count at the end; `python` says where the script has
    the array.
    """
    chosen = large(lesson, found)
    lines = ["# The lesson's own numbers, to the last digit."]
    if chosen:
        lines += [
            (
                f"# This network is large: in an array with more than {FEW} numbers "
                "only a few entries are compared, the corners and the largest,"
            ),
            "# and the sum of its absolute values.",
        ]
    lines.append("numbers = 0")
    for result in found:
        lines += (
            _sampled(result, python(result))
            if chosen and result.values.size > FEW
            else [_every(result, python(result))]
        )
    return [*lines, 'print(f"all {numbers} numbers agree")']


def _every(result: Result, python: str) -> str:
    return (
        f'numbers += check("{result.name}", {python}, {array(result.values)}{_size(result.size)})'
    )


def _sampled(result: Result, python: str) -> list[str]:
    """Lines that compare the corners, the largest entry, and the sum of all sizes."""
    lines = []
    for place in places(result.values):
        at = f"[{', '.join(map(str, place))}]"
        expected = f"{exact(float(result.values[place]))}{_size(result.size)}"
        lines.append(f'numbers += check("{result.name}{at}", {python}{at}, {expected})')
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

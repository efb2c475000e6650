"""Which number of a lesson is asked about, from where, and on which way.

    find(context, name) -> Quantity      or UnknownQuantity, with the nearest names
    read(query, context) -> Asked        the step one asks from, the numbers asked before, and how
                                         far this one is nudged

What makes no sense in an address is ignored with a notice; an unknown name is an error of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tutor import number, suggestion
from tutor.engine import quantity
from tutor.engine.kinds import KINDS
from tutor.engine.quantity import Quantity
from tutor.errors import NumberError, QuantityError
from tutor.lesson.changeable import sizes
from tutor.pages.context import Context
from tutor.pages.error_page import Missing
from tutor.pages.outline import Link
from tutor.pages.view import IGNORED, Ignored, whole
from tutor.scenario import names
from tutor.scenario.problem import quotable

STEP, VIA, SIZE, AT = "step", "via", "h", "at"
NAMES = frozenset({STEP, VIA, SIZE, AT})
"""What the address has beside the view."""
DEEPEST = 12
"""So many numbers of the way are kept; the first of a longer one are dropped."""
MOST_NEAR = 3
SMALLEST = 1e-15
"""The least that a number can be nudged by."""


class UnknownQuantity(Missing):
    """404: a lesson has no such number. `links` lead to the nearest that it has."""

    def __init__(self, description: str, links: tuple[Link, ...]) -> None:
        super().__init__(description)
        self.links = links


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a question says."""

    step: int | None = None
    """The step that the reader looks at; None where the whole lesson may be told."""
    via: tuple[Quantity, ...] = ()
    """The numbers that led to this one, from the first."""
    h: float | None = None
    """How far the number is nudged to both sides."""
    at: float | None = None
    """Where it is moved to, to see what the loss is there."""


def read(query: Mapping[str, str], context: Context) -> tuple[Asked, tuple[str, ...]]:
    """The step and the way; and what of them makes no sense."""
    ignored: list[Ignored] = []
    step = whole(query, STEP, 1, len(context.walk), None, ignored)
    via = []
    for name in query.get(VIA, "").split()[-DEEPEST:]:
        try:
            via.append(find(context, name))
        except UnknownQuantity:
            ignored.append(Ignored(f"“{quotable(name, 40)}” is no number of this lesson"))
    h, at = (_number(query, key, ignored) for key in (SIZE, AT))
    if h is not None and not SMALLEST <= h <= 1:
        size = f"h “{quotable(query[SIZE], 20)}” is not a number from {SMALLEST:g} to 1"
        ignored.append(Ignored(size, IGNORED, field=SIZE))
        h = None
    return Asked(step, tuple(via), h, at), tuple(map(str, ignored))


def _number(query: Mapping[str, str], key: str, ignored: list[Ignored]) -> float | None:
    text = query.get(key, "").strip()
    if not text:
        return None
    try:
        return number.read(text)
    except NumberError as error:
        ignored.append(Ignored(f"{key}: {error}", IGNORED, field=key))
        return None


def find(context: Context, name: str) -> Quantity:
    """The quantity of this name. Raises UnknownQuantity where the lesson has none."""
    refused = _refusal(context, name)
    if not refused:
        q = quantity.parse(name)
        try:
            context.trace.value(q)
        except KeyError:
            refused = f"this lesson does not compute {name}"
        else:
            return q
    near = tuple(_near(context, name))
    links = tuple(Link(str(q), context.view.quantity(context.source.id, str(q))) for q in near)
    told = f" Near it are {', '.join(map(str, near))}." if near else ""
    text = refused[0].upper() + refused[1:]
    raise UnknownQuantity(f"{text.removesuffix('?').removesuffix('.')}.{told}", links)


def _refusal(context: Context, name: str) -> str:
    """Why this lesson has no number of this name, or ""."""
    scenario, trace = context.lesson.scenario, context.trace
    try:
        refused = names.refusal(name, replace(sizes(scenario), samples=trace.samples))
    except QuantityError as error:
        return str(error)
    return refused


def _near(context: Context, name: str) -> Iterator[Quantity]:
    """Numbers of the lesson whose names are nearest: of the kind that is probably meant, with
    indices brought into their range.
    """
    stem = re.split(r"[\[@\s(]", name.strip(), maxsplit=1)[0]
    kind = stem if stem in KINDS else suggestion.meant(stem, KINDS)
    if not kind:
        return
    wanted = [int(n) for n in re.findall(r"[0-9]{1,7}", name[len(stem) :])]
    trace, of, found = context.trace, KINDS[kind], 0
    lowest, highest = (1, trace.network.depth) if of.layered else (0, 0)
    layer = min(max(wanted[0] if of.layered and wanted else lowest, lowest), highest)
    indices = wanted[1 if of.layered else 0 :]
    for at in sorted(range(lowest, highest + 1), key=lambda one: abs(one - layer)):
        q = _clamped(context, kind, at, indices)
        if q is not None and not _refusal(context, str(q)):
            yield q
            found += 1
        if found == MOST_NEAR:
            return


def _clamped(context: Context, kind: str, layer: int, indices: list[int]) -> Quantity | None:
    """The entry of an array that is nearest to these indices."""
    trace, of = context.trace, KINDS[kind]
    if not of.axes:
        return Quantity(kind)
    try:
        shape = trace.array(kind, layer).shape
    except KeyError:
        return None
    rest = [*indices, 1, 1, 1]
    i = min(max(rest[0], 1), shape[0] if of.parameter else shape[1])
    j = min(max(rest[1], 1), shape[1]) if of.weights else 0
    at = rest[of.indices]
    sample = min(max(at, 1), trace.samples) if of.per_sample and trace.samples > 1 else 0
    return Quantity(kind, layer, i, j, sample)

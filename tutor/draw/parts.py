"""The parts of a diagram: what each adds to it, and which of them a step takes over from another.

Most of a drawing is that of the step before. `Parts` knows on which quantities each part depends; a
step that touches none of them, and knows as many of them as another step did, draws the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from tutor.draw.marks import SIZE_NAMES, SIZES, ring, was
from tutor.draw.scene import Label
from tutor.engine.quantity import Quantity
from tutor.notation.markup import Markup, trusted
from tutor.notation.mathml import role

_MANY = 512
"""Of so many touched quantities each part is asked whether it depends on one of them."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picture of a step in parts, from back to front."""

    opening: str
    """The `<svg>` with its size and its name."""
    about: str
    """The description, or ""."""
    backdrop: str
    """What is the same at every step of this layout."""
    parts: tuple[str, ...]
    """One element each."""

    @property
    def svg(self) -> Markup:
        """All of it as one element."""
        return trusted(f"{self.opening}{self.about}{self.backdrop}{''.join(self.parts)}</svg>")


class Written(NamedTuple):
    """A number with its place: the middle of its baseline, or the right end of it."""

    label: Label
    x: float
    y: float
    em: int
    """The size of the type, before it is made smaller."""
    ringed: bool
    at_end: bool

    def svg(self, size: int, changed: Mapping[Quantity, str]) -> tuple[str, str]:
        """(the ring around it or "", the number) in one of the sizes."""
        (q, text, em, state, _, _), y = self.label, self.y
        half = em * SIZES[size] * self.em / 2
        x = self.x - half * self.at_end
        css = f"{state} {SIZE_NAMES[size]}".strip()
        mark = f' class="{css}"' if css else ""
        number = f'<text{mark} data-q="{q}" x="{x:.0f}" y="{y:.0f}">{text}</text>'
        around = (
            ring(role(q.kind) + state, x, y, half, self.em + 2) if state and self.ringed else ""
        )
        return around, was(number, x + half, y, f"{q} was {changed[q]}") if q in changed else number


class Part:
    """What one part of a drawing adds to it; the drawing decides how large its numbers are."""

    __slots__ = ("_numbers", "lines", "shapes", "sizes", "texts", "written")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shapes: list[str] = []
        self.texts: list[str] = []
        self.written: list[Written] = []
        self.sizes: dict[str, int] = {}
        """The size that each family of its numbers needs."""
        self._numbers: dict[tuple[int, ...], tuple[list[str], list[str]]] = {}

    def write(
        self,
        label: Label,
        x: float,
        y: float,
        em: int,
        *,
        ringed: bool = True,
        at_end: bool = False,
    ) -> None:
        """Add a number."""
        self.written.append(Written(label, x, y, em, ringed, at_end))
        if label.size >= self.sizes.get(label.family, 0):
            self.sizes[label.family] = label.size

    def numbers(
        self, sizes: Mapping[str, int], changed: Mapping[Quantity, str]
    ) -> tuple[list[str], list[str]]:
        """(rings, numbers) in these sizes."""
        key = tuple(map(sizes.__getitem__, self.sizes))
        found = self._numbers.get(key)
        if found is None:
            made = [written.svg(sizes[written.label.family], changed) for written in self.written]
            found = self._numbers[key] = (
                [ring for ring, _ in made if ring],
                [number for _, number in made],
            )
        return found


def together(parts: list[Part], changed: Mapping[Quantity, str]) -> tuple[str, ...]:
    """Lines, shapes on top, then text; numbers of a family in the size of the widest."""
    sizes: dict[str, int] = {}
    for part in parts:
        for family, size in part.sizes.items():
            if size >= sizes.get(family, 0):
                sizes[family] = size
    numbers = [part.numbers(sizes, changed) for part in parts if part.written]
    everything = (
        *[part.lines for part in parts],
        *[part.shapes for part in parts], *[rings for rings, _ in numbers],
        *[part.texts for part in parts], *[texts for _, texts in numbers],
    )  # fmt: skip
    return tuple(chain.from_iterable(everything))


class Parts:
    """What several steps draw alike, drawn once. It is complete when it is made, so that threads
    may share it.
    """

    def __init__(
        self,
        members: Iterable[tuple[Hashable, Iterable[Quantity]]],
        place: Callable[[Quantity], int],
    ) -> None:
        """`members`: on which quantities each part depends. `place`: the step that makes one."""
        self._steps: dict[Hashable, list[int]] = {}
        """The steps that make the quantities of a part."""
        self._keys: dict[Quantity, list[Hashable]] = {}
        """The parts that depend on a quantity."""
        self._made: dict[tuple[Hashable, int], Part] = {}
        """Each part as it is after so many of these steps."""
        for key, quantities in members:
            found = set(quantities)
            self._steps[key] = sorted({place(q) for q in found})
            for q in found:
                self._keys.setdefault(q, []).append(key)

    def touched(self, quantities: Collection[Quantity]) -> set[Hashable]:
        """The parts that depend on one of these quantities."""
        keys = self._keys
        if len(quantities) > _MANY:
            return {key for q, own in keys.items() if q in quantities for key in own}
        return {key for q in quantities for key in keys.get(q, ())}

    def same(self, key: Hashable, n: int, make: Callable[..., Part], *by: Any) -> Part:
        """What `make` makes of `by` at step n, which does not touch this part, or what it made
        before.
        """
        place = key, bisect_right(self._steps[key], n)
        found = self._made.get(place)
        if found is None:
            found = self._made[place] = make(*by)
        return found

"""The network diagram of a step, as SVG: what is known stands in it, what is not is visibly empty.

Every number has one place for good. A unit is a card: z and a side by side under their names, the
derivative of the loss with respect to each of them below it, da/dz in the last row; behind a skip
connection the sum r stands at the right of a. In front of a card stands its list: the bias, then a
weight a line, each with its gradient; the edge of a weight ends at its line. Edges are as wide as
their weights are large, dashed where they are negative. What the step uses is drawn thick and
outlined, what it makes is filled and outlined thicker; edges in use carry arrow heads in the
direction of flow. Colours come from `static/diagram.css`; nothing is said by colour alone.
`tutor.draw.layout` says where things stand, `tutor.draw.marks` how small marks are written.

A skip connection is a curve from the unit that the value comes from, faint until a step goes along
it. Each quantity is one element with `data-q`: its number where it is known, else its empty place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from math import ceil, isfinite
from typing import Any, NamedTuple, TypeVar

from tutor.draw.backdrop import backdrop, thumbnail
from tutor.draw.layout import (
    LINE,
    LOSS_HALF,
    LOSS_HEIGHT,
    ROWS_OF_FLAT,
    TIGHT_TYPE,
    TYPE,
    Column,
    Place,
    arrange,
)
from tutor.draw.marks import SIZE_NAMES, SIZES, Room, arrow, bent, name, ring, thick, was
from tutor.draw.scene import Label, Reading, Scene
from tutor.engine.kinds import AFTER, BACKWARD, FORWARD, GRADIENT, LOSS, UPDATE, VERIFY
from tutor.engine.network import Network
from tutor.engine.order import forward_kinds
from tutor.engine.quantity import Quantity
from tutor.memo import Memo
from tutor.notation.markup import Markup, attribute, trusted
from tutor.notation.mathml import role

__all__ = ["Drawing", "Scene", "draw", "drawing", "thumbnail"]

FLOW = {
    FORWARD: "forward →", LOSS: "forward →", BACKWARD: "← backward", UPDATE: "update",
    VERIFY: "forward again →",
}  # fmt: skip
SLOPE = "da/dz"
LOST, FALL = Quantity("loss"), Quantity("loss-loss+")
"""The loss of the batch, and how much it has fallen."""
MOST_HEADS = 20
"""Of more edges between two layers that a step touches none has the head of an arrow."""
MOST_LABELS = 9
"""Where not every weight is listed, those that the step touches are, if they are no more."""
THICKNESSES = 4
"""How many widths an edge can have: the widest for the largest weight of the network."""
_TARGET = Room(2.6)
"""The room beside the name of a target."""
_AMOUNT = Room(2 * LOSS_HALF / TYPE)
"""The room for a loss in its box."""
_BROAD = 640
"""From this width on the legend has room beside the direction of flow."""
_SWITCH = 60
"""The room for the switch of the tables, which stands over the corner of the diagram."""
_LETTER = 6.2
"""How wide a letter of the legend is."""
_MIDDLING, _WIDE = 400, 500
"""From these widths on a diagram has a class that keeps it from shrinking too far;
`static/diagram.css` has the rest.
"""

T = TypeVar("T")
_About = Callable[..., Iterable[Quantity]]
"""What a part of a drawing depends on, for the same arguments as the method that draws it."""
States = dict[tuple[int, int], str]
"""What the step does with the weights of a layer, by (i, j)."""


class _Written(NamedTuple):
    """A number with its place: the middle of its baseline, or the right end of it."""

    label: Label
    x: float
    y: float
    ringed: bool
    at_end: bool
    type: int

    def svg(self, size: int, changed: Mapping[Quantity, str]) -> tuple[str, str]:
        """(the ring around it or "", the number) in one of the sizes."""
        (q, text, em, state, _, _), y = self.label, self.y
        half = em * SIZES[size] * self.type / 2
        x = self.x - half * self.at_end
        css = f"{state} {SIZE_NAMES[size]}".strip()
        mark = f' class="{css}"' if css else ""
        number = f'<text{mark} data-q="{q}" x="{x:.0f}" y="{y:.0f}">{text}</text>'
        css = role(q.kind) + state
        around = ring(css, x, y, half, self.type + 2) if state and self.ringed else ""
        return around, was(number, x + half, y, f"{q} was {changed[q]}") if q in changed else number


class _Part:
    """What one part of a drawing adds to it; the drawing decides how large its numbers are."""

    __slots__ = ("_numbers", "left_out", "lines", "shapes", "sizes", "texts", "written")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shapes: list[str] = []
        self.texts: list[str] = []
        self.written: list[_Written] = []
        self.sizes: dict[str, int] = {}
        """The size that each family of its numbers needs."""
        self._numbers: dict[tuple[int, ...], tuple[list[str], list[str]]] = {}

    def write(
        self,
        label: Label,
        x: float,
        y: float,
        *,
        type: int,
        ringed: bool = True,
        at_end: bool = False,
    ) -> None:
        """Add a number."""
        self.written.append(_Written(label, x, y, ringed, at_end, type))
        if label.size >= self.sizes.get(label.family, 0):
            self.sizes[label.family] = label.size

    def numbers(
        self, sizes: Mapping[str, int], changed: Mapping[Quantity, str]
    ) -> tuple[list[str], list[str]]:
        """(rings, numbers) in these sizes."""
        key = tuple([sizes[family] for family in self.sizes])
        found = self._numbers.get(key)
        if found is None:
            made = [written.svg(sizes[written.label.family], changed) for written in self.written]
            found = self._numbers[key] = (
                [ring for ring, _ in made if ring],
                [number for _, number in made],
            )
        return found


@dataclass(frozen=True, slots=True)
class Drawing:
    """The diagram of a step in parts, from back to front."""

    opening: str
    """The `<svg>` with its size and its name."""
    about: str
    """The description, or ""."""
    backdrop: str
    """What is the same at every step of this layout."""
    parts: tuple[str, ...]
    """One element each."""


def draw(scene: Scene) -> Markup:
    """The diagram of a step as one `<svg>`."""
    made = drawing(scene)
    return trusted(f"{made.opening}{made.about}{made.backdrop}{''.join(made.parts)}</svg>")


def drawing(scene: Scene) -> Drawing:
    """The diagram of a step in parts."""
    return _Picture(scene).drawing()


class _Picture:
    """Collects the parts of one drawing."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.phase = scene, scene.phase
        self.reading = Reading(scene)
        network = scene.network
        self.layout = arrange(
            network.sizes, self.reading.must_see(), scene.decimals, network.skips,
            _matrices(network), self.reading.layers(),
        )  # fmt: skip
        self.type = self.layout.type
        self.room = _room(self.layout.cell, self.layout.tight)
        when = scene.when
        if when:
            self._n, self._place = when.n, when.place
        self._drawn: Memo | None = (
            when.drawn.once((self.layout, scene.phase, scene.sample), Memo) if when else None
        )
        self.parts: list[_Part] = []
        self.part = _Part()
        """The part that is being drawn."""

    def drawing(self) -> Drawing:
        layout, network = self.layout, self.scene.network
        for left, right in layout.gaps():
            if right.layer == left.layer + 1:
                self._part(right.layer, self._of_edges, self._edges, left, right)
        self._part("skips", self._of_skips, self._skips)
        for place in layout.columns:
            draw_one = self._unit if place.layer else self._input
            for unit, y in place.spots:
                self._part((place.layer, unit), self._of_unit, draw_one, place, unit, y)
            if place.slopes > 1 and self.phase == BACKWARD:
                self._part(("matrix", place.layer), _nothing, self._matrix, place)
        self._part(0, self._of_loss, self._loss)
        self.part = _Part()
        lines = self._footer()
        title = f"Network {network.shape}{_spoken(network.skips)}"
        about = f"<desc>{attribute(self.scene.caption)}</desc>" if self.scene.caption else ""
        css = (
            "net"
            + (" tight" if layout.tight else "")
            + (" wide" if layout.width > _WIDE else " mid" if layout.width > _MIDDLING else "")
        )
        high = layout.height + LINE * (lines - 1)
        size = f'viewBox="0 0 {layout.width} {high}" width="{layout.width}" height="{high}"'
        opening = (
            f'<svg class="{css}" {size} role="img" aria-label="{title}"><title>{title}</title>'
        )
        return Drawing(opening, about, backdrop(layout, _rules(network)), self._together())

    def _together(self) -> tuple[str, ...]:
        """Lines, shapes on top, then text; numbers of a family in the size of the widest."""
        sizes: dict[str, int] = {}
        for part in self.parts:
            for family, size in part.sizes.items():
                sizes[family] = max(size, sizes.get(family, 0))
        numbers = [part.numbers(sizes, self.scene.changed) for part in self.parts]
        parts = [*self.parts, self.part]
        everything = (
            *(part.lines for part in parts),
            *(part.shapes for part in parts), *(rings for rings, _ in numbers),
            *(part.texts for part in self.parts), *(texts for _, texts in numbers), self.part.texts,
        )  # fmt: skip
        return tuple(chain.from_iterable(everything))

    # Parts: most of a drawing is that of the step before

    def _part(
        self, key: Hashable, about: _About, draw_it: Callable[..., None], *place: Any
    ) -> None:
        """Draw a part, or take over what another step drew."""

        def make() -> _Part:
            self.part = _Part()
            draw_it(*place)
            return self.part

        self.parts.append(self._same(key, lambda: about(*place), make))

    def _same(
        self, key: Hashable, about: Callable[[], Iterable[Quantity]], make: Callable[[], T]
    ) -> T:
        """What `make` makes, or what it made for another step.

        That step knew as much of the quantities `about`, and neither step uses or makes any of
        them.
        """
        if self._drawn is None:
            return make()
        found = self._drawn.get(key)
        if found is None:
            found = self._drawn[key] = self._kept(frozenset(about()))
        members, steps, made = found
        if not members.isdisjoint(self.reading.touched) or key in self.reading.slopes:
            return make()
        known = bisect_right(steps, self._n)
        same: T | None = made.get(known)
        if same is None:
            same = made[known] = make()
        return same

    def _kept(
        self, members: frozenset[Quantity]
    ) -> tuple[frozenset[Quantity], list[int], dict[int, Any]]:
        """(the quantities, the steps that make them, what was made after so many of these steps)"""
        return members, sorted({self._place(q) for q in members}), {}

    def _of_unit(self, column: Column, unit: int, _: float) -> Iterator[Quantity]:
        """The quantities on which the drawing of a unit depends."""
        layer, named = column.layer, self.reading.named
        yield self.reading.passed_back(layer, unit)
        if not layer:
            yield named("x", 0, unit)
            return
        part = self.scene.network.layer(layer)
        for kind in forward_kinds(part):
            yield from (named(each, layer, unit) for each in (kind, AFTER[kind], GRADIENT[kind]))
        if column.slopes > 1:
            yield from self._row(column, unit)
        elif not part.activation.full_jacobian:
            yield named(SLOPE, layer, unit)

    def _of_edges(self, left: Column, right: Column) -> Iterator[Quantity]:
        for i, _ in right.spots:
            for j in (0, *(j for j, _ in left.spots)):
                yield from self._of_parameter(right.layer, i, j)

    def _of_loss(self) -> Iterator[Quantity]:
        outputs, reading = self.layout.columns[-1], self.reading
        for loss in (LOST, LOST.after, FALL):
            yield from (loss, replace(loss, sample=self.scene.sample))
        units = (*self.layout.targets.spots, *outputs.spots)
        yield from (reading.named("y", 0, unit) for unit, _ in units)
        for unit, _ in outputs.spots:
            of_output = reading.passed, reading.passed_back, reading.error
            yield from (quantity(outputs.layer, unit) for quantity in of_output)

    def _of_skips(self) -> Iterator[Quantity]:
        for skip in self.layout.skips:
            for layer in (skip.source, skip.target):
                yield self.reading.passed(layer, skip.unit)
                yield self.reading.passed_back(layer, skip.unit)

    def _name(self, q: Quantity, x: float, y: float, css: str = "n") -> None:
        self.part.texts.append(
            f'<text class="{css}" x="{x:.0f}" y="{y:.0f}">{name(self.scene.alphabet, q)}</text>'
        )

    # Units

    def _input(self, column: Column, unit: int, y: float) -> None:
        q, back = self.reading.named("x", 0, unit), self.reading.passed_back(0, unit)
        self._cell(q, column, y, 0, 0)
        if self.layout.tight:
            x, at = self.layout.place(column, y, 0, 0)
            self._name(q, x - self.layout.cell / 2 - 16, at, "a n")
        else:
            self._called(q, column, y, 0)
        if self.phase == BACKWARD:
            self._number(back, column, y, 1, 0)

    def _unit(self, column: Column, unit: int, y: float) -> None:
        if not column.open:
            q = self.reading.passed(column.layer, unit)
            self._cell(q, column, y, 0, 0)
            self._called(q, column, y, 0)
            return
        layer, tight = column.layer, self.layout.tight
        for n, q in enumerate(self.reading.inside(layer, unit)):
            cell = column.cell(n)
            self._cell(q, column, y, 0, cell)
            if not tight:
                self._called(q, column, y, cell)
            elif n:  # the unit's name, between z and a; that of a sum is beside it
                x, at = self.layout.place(column, y, 0, (1 + column.slopes) / 2)
                self._name(q, x, at, f"{role(q.kind)} n") if n == 1 else None
            if self.phase == BACKWARD:
                gradient = self.reading.named(GRADIENT[q.of.base], layer, unit)
                self._number(gradient, column, y, 1, cell)
        if self.phase != BACKWARD:
            return
        if column.slopes > 1:
            for k, q in enumerate(self._row(column, unit), 1):
                self._number(q, column, y, 1, k)
        else:
            row, cell = (1, 1) if column.slopes else (2, 0.5)
            self._number(self._slope(layer, unit), column, y, row, cell)

    def _row(self, column: Column, unit: int) -> list[Quantity]:
        """The derivatives of a softmax's output with respect to each of its pre-activations."""
        q = self.reading.named(SLOPE, column.layer, unit)
        return [replace(q, j=k) for k in range(1, column.slopes + 1)]

    def _matrix(self, column: Column) -> None:
        """Around the derivatives of a softmax: what they are derivatives of and by, and brackets."""
        layout, texts = self.layout, self.part.texts
        for unit, y in column.spots:
            z, a = self.reading.inside(column.layer, unit)[:2]
            x, top = layout.place(column, column.spots[0][1], 0, unit)[0], column.spots[0][1]
            symbol = name(self.scene.alphabet, z)
            above = layout.top(column, top) - 5
            texts.append(f'<text class="d n" x="{x:.0f}" y="{above:.0f}">∂{symbol}</text>')
            if not layout.tight:
                x, at = layout.place(column, y, 0, (1 + column.slopes) / 2)
                symbol = name(self.scene.alphabet, a)
                texts.append(f'<text class="d n" x="{x:.0f}" y="{at:.0f}">∂{symbol}</text>')
        top = layout.top(column, column.spots[0][1]) + layout.row
        down = layout.bottom(column, column.spots[-1][1]) - top
        left, right = column.x + layout.cell, column.x + layout.cell * (1 + column.slopes)
        ends = f"M{left + 5} {top:.0f}h-5v{down:.0f}h5M{right - 5} {top:.0f}h5v{down:.0f}h-5"
        self.part.lines.append(f'<path class="d matrix" d="{ends}"/>')

    def _slope(self, layer: int, unit: int) -> Quantity | None:
        """da/dz of a unit; of a softmax, which has one for each pair, the one that the step deals
        with.
        """
        if (layer, unit) in self.reading.slopes:
            return self.reading.slopes[layer, unit]
        if self.scene.network.layer(layer).activation.full_jacobian:
            return None
        return self.reading.named(SLOPE, layer, unit)

    def _cell(self, q: Quantity, column: Column, y: float, row: int, cell: float) -> None:
        """A number that a card always has a place for; dashed and empty where there is none yet."""
        if not self._number(q, column, y, row, cell):
            x, top = column.x + cell * self.layout.cell, self.layout.top(column, y)
            high, wide = self.layout.row - 4, self.layout.cell - 6
            at = top + (column.first + row) * self.layout.row + 2
            self.part.shapes.append(
                f'<rect class="{role(q.kind)} todo" data-q="{q}" x="{x + 3:.0f}" y="{at:.0f}" '
                f'width="{wide}" height="{high}"/>'
            )

    def _number(self, q: Quantity | None, column: Column, y: float, row: int, cell: float) -> bool:
        """Write a number in its place of a card; False where it is unknown."""
        label = self.reading.label(q, self.room)
        if label:
            self.part.write(label, *self.layout.place(column, y, row, cell), type=self.type)
        return label is not None

    def _called(self, q: Quantity, column: Column, y: float, cell: int) -> None:
        """The name of a number, above its place."""
        x, _ = self.layout.place(column, y, 0, cell)
        self._name(q, x, self.layout.outline(column, y)[0] - 5, f"{role(q.kind)} n")

    # Edges and the lists of weights in which they end

    def _edges(self, left: Column, right: Column) -> None:
        """The edges between two layers, and the lists of weights, as many as can be read."""
        states: States = {}
        if right.layer in self.reading.hot:
            pairs = ((i, j) for i, _ in right.spots for j, _ in left.spots)
            found = ((pair, self.reading.edge_state(right.layer, *pair)) for pair in pairs)
            states = {pair: state for pair, state in found if state}
        drawn: dict[str, list[str]] = {}
        many = len(states) > MOST_HEADS
        for i, y in right.spots:
            listed = self._listed(left, right, i, states)
            lines = {j: self.layout.line(right, y, n, len(listed)) for n, j in enumerate(listed)}
            for j, from_y in left.spots:
                end_x, end_y = lines.get(j) or self.layout.enters(right, y)
                state = states.get((i, j), "")
                end = end_x - 3, end_y
                css, path = self._edge(left, right.layer, i, j, state, from_y, end, many=many)
                drawn.setdefault(css, []).append(path)
            for j, place in lines.items():
                self._line(right, i, j, place)
        for css, paths in sorted(drawn.items(), reverse=True):  # wires first, below the others
            self.part.lines.append(f'<path class="{css}" d="{"".join(paths)}"/>')

    def _listed(self, left: Column, right: Column, i: int, states: States) -> list[int]:
        """The lines of a unit's list: 0 for the bias, then the units that its weights lead from."""
        biased = self.scene.network.layer(right.layer).biases is not None
        if self.layout.listed:
            return [0] * biased + [j for j, _ in left.spots]
        if len(states) > MOST_LABELS or right.entrance == right.x:
            return []
        bias = biased and any(label.state for label in self._labels(right.layer, i, 0))
        return [0] * bias + [j for j, _ in left.spots if (i, j) in states]

    def _edge(
        self, left: Column, layer: int, i: int, j: int, state: str, from_y: float, end: Place,
        *, many: bool,
    ) -> tuple[str, str]:  # fmt: skip
        """(class, `d`) of an edge: thin, or thick where the step touches it, with a head where
        numbers flow along it. Many such edges are no thicker than their weights are large.
        """
        flows = bool(state) and self.reading.flows(layer, i, j)
        back = flows and self.phase == BACKWARD
        start = self.layout.leaves(left, from_y, int(back))
        if state and not many:
            first, last = (end, start) if back else (start, end)
            return f"w{state} line", arrow(first, last, 1, 2, pointed=flows)
        path = f"M{start[0]} {start[1]:.0f}L{end[0]:.0f} {end[1]:.0f}"
        kind = f"w{state} line many" if state else "wires"
        return f"{kind} {self._thickness(layer, i, j)}", path

    def _thickness(self, layer: int, i: int, j: int) -> str:
        """How wide an edge is, by the size of its weight, and whether the weight is negative."""
        old = Quantity("w", layer, i, j)
        new = self.reading.value(old.after) if self.phase in {UPDATE, VERIFY} else None
        value = self.reading.value(old) if new is None else new
        if value is None or not isfinite(value):
            return "t1"
        share = min(1.0, abs(value) / self.reading.largest)
        return f"t{max(1, ceil(THICKNESSES * share))}" + (" minus" if value < 0 else "")

    def _line(self, right: Column, i: int, j: int, place: Place) -> None:
        """A line of a list: a weight or bias with its gradient beside or below it."""
        (x, y), labels = place, self._labels(right.layer, i, j)
        if not self.layout.listed:
            labels = [label for label in labels if label.state]
        for n, label in enumerate(labels):
            half = label.em * SIZES[label.size] * self.type / 2
            if self.layout.stacked:
                down = 13 * n - 3 if len(labels) > 1 else 4
                self.part.write(label, x + 4 + half, y + down, type=self.type)
            else:
                at = x + self.layout.beside if n else x + 4 + half
                self.part.write(label, at, y + 5, type=self.type)

    def _labels(self, layer: int, i: int, j: int) -> list[Label]:
        """What there is to say of a weight, or for j = 0 of a bias."""
        kind = "w" if j else "b"
        return self._same(
            (kind, layer, i, j),
            lambda: self._of_parameter(layer, i, j),
            lambda: self.reading.parameter(kind, layer, i, j, self.room),
        )

    def _of_parameter(self, layer: int, i: int, j: int) -> Iterator[Quantity]:
        kind = "w" if j else "b"
        yield from (Quantity(each, layer, i, j) for each in (kind, AFTER[kind], GRADIENT[kind]))
        yield Quantity(GRADIENT[kind], layer, i, j, self.scene.sample)

    def _skips(self) -> None:
        """The skip connections that the step goes along, with heads where the numbers flow to."""
        for skip in self.layout.skips:
            state = self.reading.skip_state(skip)
            if state:
                end, before = skip.ends[0 if self.phase == BACKWARD else 1]
                self.part.lines.append(bent(f"{state} skip", skip.path, end, before))

    # The loss

    def _loss(self) -> None:
        """The loss with its targets, and the lines that tie the outputs to it; afterwards the old
        loss, the new one, their difference.
        """
        x, y = self.layout.loss
        if self.phase == VERIFY:
            self._amount(LOST, x, y - 64, LOSS_HEIGHT)
            self._amount(LOST.after, x, y - LOSS_HEIGHT / 2, LOSS_HEIGHT)
            fall = self.reading.label(FALL, _AMOUNT)
            if fall:
                self._name(fall.quantity, x, y + 30)
                self.part.write(fall, x, y + 47, type=TYPE)
        else:
            self._amount(LOST, x, y - LOSS_HEIGHT, 2 * LOSS_HEIGHT)
        for unit, at in self.layout.targets.spots:
            self._target(unit, x, at)
        for unit, at in self.layout.columns[-1].spots:
            self._tie(unit, at)

    def _amount(self, batch: Quantity, x: float, top: float, high: float) -> None:
        """A loss in its box, or the empty box, under its own name."""
        q = self.reading.pick(batch, replace(batch, sample=self.scene.sample)) or batch
        label = self.reading.label(q, _AMOUNT)
        self._name(q, x, top - 7)
        css = "l" + self.reading.state(q) + ("" if label else f' todo" data-q="{q}')
        self.part.shapes.append(_box(css, x, top, high))
        if label:
            self.part.write(label, x, top + high / 2 + 5, type=TYPE, ringed=False)

    def _target(self, unit: int, x: float, y: float) -> None:
        q = Quantity("y", 0, unit, 0, self.scene.sample)
        state, label = self.reading.state(q), self.reading.label(q, _TARGET)
        self.part.shapes.append(_box("y" + state, x, y - 11, 22))
        said = name(self.scene.alphabet, q)
        self.part.texts.append(
            f'<text class="n t" x="{x - LOSS_HALF + 5}" y="{y + 4:.0f}">{said}</text>'
        )
        if label:
            self.part.write(label, x + LOSS_HALF - 5, y + 5, type=TYPE, ringed=False, at_end=True)

    def _tie(self, unit: int, y: float) -> None:
        """A thick line between an output and the loss, where the step goes along it."""
        scene, reading = self.scene, self.reading
        column, (x, middle) = self.layout.columns[-1], self.layout.loss
        layer, loss = column.layer, (x - LOSS_HALF, middle)
        output = self.layout.leaves(column, y, int(self.phase == BACKWARD))
        error, back = reading.error(layer, unit), reading.passed_back(layer, unit)
        losses = any(q.of.role == LOST.kind for q in scene.makes)
        if self.phase in {LOSS, VERIFY} and losses and reading.passed(layer, unit) in scene.uses:
            self.part.lines.append(thick("l uses", arrow(output, loss, 1, 3)))
        y_used = reading.named("y", 0, unit) in scene.uses
        if self.phase == BACKWARD and (back in scene.makes or (y_used and error in scene.makes)):
            self.part.lines.append(thick("g uses", arrow(loss, output, 1, 2)))

    def _footer(self) -> int:
        """Which way the numbers flow, which sample this is, and how to read the picture; how many
        lines there is room for, the same in every phase.
        """
        scene, layout, y = self.scene, self.layout, self.layout.height - 7
        broad, texts = layout.width >= _BROAD, self.part.texts
        said = [f"sample {scene.sample} of {scene.alphabet.samples}"] if scene.sample else []
        said += [FLOW[scene.phase]] if scene.phase in FLOW else []
        if said:
            texts.append(f'<text class="flow" x="6" y="{y}">{" · ".join(said)}</text>')
        beside = (110 + 90 * bool(scene.sample)) * broad
        room = layout.width - 12 - beside - _SWITCH * broad
        first = 0 if broad else 1
        for n, line in enumerate(self._legend(scene.phase, room), first):
            texts.append(f'<text class="s" x="{6 + beside}" y="{y + n * LINE}">{line}</text>')
        return first + len(self._legend(BACKWARD, room))

    def _legend(self, phase: str, room: float) -> list[str]:
        """How to read the picture in a phase, in lines that have room."""
        loss, layout = name(self.scene.alphabet, LOST), self.layout
        parts = []
        if layout.tight:
            below = f"; below: ∂{loss}/∂z, ∂a/∂z, ∂{loss}/∂a" if phase == BACKWARD else ""
            parts.append(f"left z, right a{below}")
        elif phase == BACKWARD and any(column.rows > ROWS_OF_FLAT for column in layout.columns):
            parts.append(f"below z and a: ∂{loss}/∂z and ∂{loss}/∂a, then ∂a/∂z")
        elif phase == BACKWARD:
            parts.append(f"below: ∂{loss}/∂z, ∂a/∂z, ∂{loss}/∂a")
        parts.append("wide edge: large weight, dashed: negative")
        parts += ["numbers of other edges are left out"] * (not layout.listed)
        lines: list[str] = []
        for part in parts:
            if lines and _LETTER * (len(lines[-1]) + len(part)) <= room:
                lines[-1] += f" · {part}"
            else:
                lines.append(part)
        return lines


def _nothing(*_: Any) -> Iterator[Quantity]:
    """What depends on the phase alone."""
    return iter(())


@lru_cache(maxsize=256)
def _matrices(network: Network) -> frozenset[int]:
    """The layers in which every activation depends on every pre-activation."""
    layers = enumerate(network.layers, 1)
    return frozenset(n for n, layer in layers if layer.activation.full_jacobian)


@lru_cache
def _room(cell: int, tight: bool) -> Room:
    """The room for a number in a card or a list."""
    return Room((cell - 2) / TIGHT_TYPE, 1) if tight else Room((cell - 2) / TYPE)


def _spoken(skips: tuple[tuple[int, int], ...]) -> str:
    """The skip connections in words, for the name of the picture."""
    said = [f"from {_layer(source)} to {_layer(target)}" for source, target in skips]
    many = "a skip connection" if len(said) == 1 else "skip connections"
    return f", with {many} {', '.join(said)}" if said else ""


def _layer(number: int) -> str:
    return f"layer {number}" if number else "the input"


def _rules(network: Network) -> tuple[str, ...]:
    """What stands above each layer: its activation, and what a skip connection adds."""
    added = {
        target: f" + {_layer(source).removeprefix('the ')}" for source, target in network.skips
    }
    names = (layer.activation.name.replace("_", " ") for layer in network.layers)
    return tuple(name + added.get(n, "") for n, name in enumerate(names, 1))


def _box(css: str, x: float, top: float, high: float) -> str:
    return (
        f'<rect class="{css}" x="{x - LOSS_HALF}" y="{top:.0f}" '
        f'width="{2 * LOSS_HALF}" height="{high:.0f}"/>'
    )

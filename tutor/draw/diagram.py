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
from dataclasses import dataclass
from itertools import chain
from math import ceil, isfinite
from typing import Any, NamedTuple, TypeVar

from tutor.draw.backdrop import backdrop, thumbnail
from tutor.draw.layout import (
    LINE,
    LOSS_HALF,
    LOSS_HEIGHT,
    Column,
    Place,
    arrange,
)
from tutor.draw.marks import SIZE, SIZE_NAMES, SIZES, Room, arrow, bent, name, ring, thick, was
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
MOST_LABELS = 9
"""Where not every weight is listed, those that the step touches are, if they are no more."""
THICKNESSES = 4
"""How many widths an edge can have: the widest for the largest weight of the network."""
_TIGHT_SIZE = 12
"""The size of the type inside a small card."""
_TARGET = Room(2.6)
"""The room beside the name of a target."""
_BROAD = 560
"""From this width on the legend has room in one line."""
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

    def svg(self, size: int, changed: Mapping[Quantity, str]) -> tuple[str, str]:
        """(the ring around it or "", the number) in one of the sizes."""
        (q, text, em, state, _, _), y = self.label, self.y
        half = em * SIZES[size] * SIZE / 2
        x = self.x - half * self.at_end
        css = f"{state} {SIZE_NAMES[size]}".strip()
        mark = f' class="{css}"' if css else ""
        number = f'<text{mark} data-q="{q}" x="{x:.0f}" y="{y:.0f}">{text}</text>'
        around = ring(role(q.kind) + state, x, y, half) if state and self.ringed else ""
        return around, was(number, x + half, y, f"{q} was {changed[q]}") if q in changed else number


class _Part:
    """What one part of a drawing adds to it; the drawing decides how large its numbers are."""

    __slots__ = ("_numbers", "left_out", "lines", "shapes", "sizes", "texts", "written")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shapes: list[str] = []
        self.texts: list[str] = []
        self.written: list[_Written] = []
        self.left_out = False
        """Whether an edge has a number for which there is no room."""
        self.sizes: dict[str, int] = {}
        """The size that each family of its numbers needs."""
        self._numbers: dict[tuple[int, ...], tuple[list[str], list[str]]] = {}

    def write(
        self, label: Label, x: float, y: float, *, ringed: bool = True, at_end: bool = False
    ) -> None:
        """Add a number."""
        self.written.append(_Written(label, x, y, ringed, at_end))
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
        self.layout = arrange(network.sizes, self.reading.must_see(), scene.decimals, network.skips)
        self._inside = (
            Room((self.layout.cell - 4) / _TIGHT_SIZE, 1)
            if self.layout.tight
            else self.reading.room
        )
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
        self._part(0, self._of_loss, self._loss)
        self.part = _Part()
        legend = self._legend(left_out=any(part.left_out for part in self.parts))
        self._footer(legend)
        title = f"Network {network.shape}{_spoken(network.skips)}"
        about = f"<desc>{attribute(self.scene.caption)}</desc>" if self.scene.caption else ""
        css = (
            "net"
            + (" tight" if layout.tight else "")
            + (" wide" if layout.width > _WIDE else " mid" if layout.width > _MIDDLING else "")
        )
        high = layout.height + LINE * (len(legend) - 1)
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
        if not part.activation.full_jacobian:
            yield named(SLOPE, layer, unit)

    def _of_edges(self, left: Column, right: Column) -> Iterator[Quantity]:
        for i, _ in right.spots:
            for j in (0, *(j for j, _ in left.spots)):
                yield from self._of_parameter(right.layer, i, j)

    def _of_loss(self) -> Iterator[Quantity]:
        outputs, reading = self.layout.columns[-1], self.reading
        for loss in (LOST, LOST.after, FALL):
            yield from (loss, loss._replace(sample=self.scene.sample))
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
        self._called(q, column, y, 0)
        if self.phase == BACKWARD:
            self._number(back, column, y, 1, 0)

    def _unit(self, column: Column, unit: int, y: float) -> None:
        layer = column.layer
        for n, q in enumerate(self.reading.inside(layer, unit)):
            self._cell(q, column, y, 0, n)
            self._called(q, column, y, n)
            if self.phase == BACKWARD:
                self._number(self.reading.named(GRADIENT[q.of.base], layer, unit), column, y, 1, n)
        if self.phase == BACKWARD:
            self._number(self._slope(layer, unit), column, y, 2, 0.5)

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
            x, top = column.x + cell * self.layout.cell, self.layout.top(y)
            high, wide = self.layout.row - 4, self.layout.cell - 6
            self.part.shapes.append(
                f'<rect class="{role(q.kind)} todo" data-q="{q}" x="{x + 3:.0f}" '
                f'y="{top + row * self.layout.row + 2:.0f}" width="{wide}" height="{high}"/>'
            )

    def _number(self, q: Quantity | None, column: Column, y: float, row: int, cell: float) -> bool:
        """Write a number in its place of a card; False where it is unknown."""
        label = self.reading.label(q, self._inside)
        if label:
            self.part.write(label, *self.layout.place(column, y, row, cell))
        return label is not None

    def _called(self, q: Quantity, column: Column, y: float, cell: int) -> None:
        """The name of a number, above its place."""
        x, _ = self.layout.place(column, y, 0, cell)
        self._name(q, x, self.layout.top(y) - 5, f"{role(q.kind)} n")

    # Edges and the lists of weights in which they end

    def _edges(self, left: Column, right: Column) -> None:
        """The edges between two layers, and the lists of weights, as many as can be read."""
        states: States = {}
        if right.layer in self.reading.hot:
            pairs = ((i, j) for i, _ in right.spots for j, _ in left.spots)
            found = ((pair, self.reading.edge_state(right.layer, *pair)) for pair in pairs)
            states = {pair: state for pair, state in found if state}
        drawn: dict[str, list[str]] = {}
        for i, y in right.spots:
            listed = self._listed(left, right, i, states)
            lines = {j: self.layout.line(right, y, n, len(listed)) for n, j in enumerate(listed)}
            for j, from_y in left.spots:
                end_x, end_y = lines.get(j, (right.x, y))
                state = states.get((i, j), "")
                css, path = self._edge(left, right.layer, i, j, state, from_y, (end_x - 3, end_y))
                drawn.setdefault(css, []).append(path)
            for j, place in lines.items():
                self._line(right, i, j, place)
        for css, paths in sorted(drawn.items(), reverse=True):  # wires first, below the others
            thin = css.startswith("wires")
            self.part.lines.append(
                f'<path class="{css}" d="{"".join(paths)}"/>' if thin else thick(css, *paths)
            )
        self.part.left_out |= not self.layout.listed

    def _listed(self, left: Column, right: Column, i: int, states: States) -> list[int]:
        """The lines of a unit's list: 0 for the bias, then the units that its weights lead from."""
        biased = self.scene.network.layer(right.layer).biases is not None
        if self.layout.listed:
            return [0] * biased + [j for j, _ in left.spots]
        if len(states) > MOST_LABELS:
            return []
        bias = biased and any(label.state for label in self._labels(right.layer, i, 0))
        return [0] * bias + [j for j, _ in left.spots if (i, j) in states]

    def _edge(
        self, left: Column, layer: int, i: int, j: int, state: str, from_y: float, end: Place
    ) -> tuple[str, str]:
        """(class, `d`) of an edge: thin, or thick where the step touches it, with a head where
        numbers flow along it.
        """
        flows = bool(state) and self.reading.flows(layer, i, j)
        back = flows and self.phase == BACKWARD
        start = self.layout.leaves(left, from_y, int(back))
        if state:
            first, last = (end, start) if back else (start, end)
            return "w" + state, arrow(first, last, 1, 2, pointed=flows)
        path = f"M{start[0]} {start[1]:.0f}L{end[0]:.0f} {end[1]:.0f}"
        return "wires " + self._thickness(layer, i, j), path

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
        for n, label in enumerate(labels):
            half = label.em * SIZES[label.size] * SIZE / 2
            if self.layout.stacked:
                self.part.write(label, x + 4 + half, y - 3 + 13 * n)
            else:
                at = x + self.layout.beside if n else x + 4 + half
                self.part.write(label, at, y + 5)

    def _labels(self, layer: int, i: int, j: int) -> list[Label]:
        """What there is to say of a weight, or for j = 0 of a bias."""
        kind = "w" if j else "b"
        return self._same(
            (kind, layer, i, j),
            lambda: self._of_parameter(layer, i, j),
            lambda: self.reading.parameter(kind, layer, i, j),
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
            fall = self.reading.label(FALL)
            if fall:
                self._name(fall.quantity, x, y + 30)
                self.part.write(fall, x, y + 47)
        else:
            self._amount(LOST, x, y - LOSS_HEIGHT, 2 * LOSS_HEIGHT)
        for unit, at in self.layout.targets.spots:
            self._target(unit, x, at)
        for unit, at in self.layout.columns[-1].spots:
            self._tie(unit, at)

    def _amount(self, batch: Quantity, x: float, top: float, high: float) -> None:
        """A loss in its box, or the empty box, under its own name."""
        q = self.reading.pick(batch, batch._replace(sample=self.scene.sample)) or batch
        label = self.reading.label(q)
        self._name(q, x, top - 7)
        css = "l" + self.reading.state(q) + ("" if label else f' todo" data-q="{q}')
        self.part.shapes.append(_box(css, x, top, high))
        if label:
            self.part.write(label, x, top + high / 2 + 5, ringed=False)

    def _target(self, unit: int, x: float, y: float) -> None:
        q = Quantity("y", 0, unit, 0, self.scene.sample)
        state, label = self.reading.state(q), self.reading.label(q, _TARGET)
        self.part.shapes.append(_box("y" + state, x, y - 11, 22))
        said = name(self.scene.alphabet, q)
        self.part.texts.append(
            f'<text class="n t" x="{x - LOSS_HALF + 5}" y="{y + 4:.0f}">{said}</text>'
        )
        if label:
            self.part.write(label, x + LOSS_HALF - 5, y + 5, ringed=False, at_end=True)

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

    def _footer(self, legend: list[str]) -> None:
        """Which way the numbers flow, which sample this is, and how to read the picture."""
        scene, y = self.scene, self.layout.height - 7
        texts, middle = self.part.texts, self.layout.width // 2
        if scene.phase in FLOW:
            flow = FLOW[scene.phase]
            texts.append(f'<text class="flow" x="{middle}" y="{y - LINE}">{flow}</text>')
        if scene.sample:
            of = f"sample {scene.sample} of {scene.alphabet.samples}"
            texts.append(f'<text class="s" x="6" y="{y - LINE}">{of}</text>')
        for n, line in enumerate(legend):
            texts.append(f'<text class="s" x="6" y="{y + n * LINE}">{line}</text>')

    def _legend(self, *, left_out: bool) -> list[str]:
        """How to read the picture in this phase, in as many lines as it takes."""
        loss = name(self.scene.alphabet, LOST)
        parts = [f"below z and a: ∂{loss}/∂z and ∂{loss}/∂a, then ∂a/∂z"] * (self.phase == BACKWARD)
        parts.append("wide edge: large weight, dashed: negative")
        lines = [" · ".join(parts)] if self.layout.width >= _BROAD else parts
        return [*lines, "the numbers of the other edges are left out"] if left_out else lines


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

"""The network diagram of a step, as SVG: what is known stands in it, what is not is visibly empty.

A unit is a circle of two halves, the pre-activation above and the activation below, so it shows
which of the two exists. Its name stands above it (in the backward pass the gradient that has
arrived, under that gradient's name), its bias below. What the step uses is drawn thick and
outlined, what it makes is filled and outlined thicker; edges in use carry arrow heads in the
direction of flow. Colours come from `static/diagram.css`; nothing is said by colour alone.
`tutor.draw.layout` says where things stand, `tutor.draw.marks` how small marks are written.

A unit that a skip connection leads to has three parts, z above a above
the sum r; dL/dr stands under r. The skip connection is a curve from the unit that the value comes
from, faint until a step goes along it.

Each quantity is one element with `data-q`: its number where it is known, else the empty half of its
unit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from tutor.draw.backdrop import backdrop, thumbnail
from tutor.draw.layout import LINE, LOSS_HALF, LOSS_HEIGHT, Column, Place, arrange, crossing
from tutor.draw.marks import SIZE, SIZE_NAMES, SIZES, Room, arrow, bent, name, ring, was
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
LOST, FALL = Quantity("loss"), Quantity("loss-loss+")
"""The loss of the batch, and how much it has fallen."""
MOST_LABELS = 9
"""Up to so many edges between two columns all carry their numbers; else the step's own do, if they
are no more.
"""
_TIGHT_SIZE = 12
"""The size of the type inside a small circle."""
_TARGET = Room(2.6)
"""The room beside the name of a target."""
_MIDDLING, _WIDE = 400, 500
"""From these widths on a diagram has a class that keeps it from shrinking too far;
`static/diagram.css` has the rest.
"""

T = TypeVar("T")
_About = Callable[..., Iterable[Quantity]]
"""What a part of a drawing depends on, for the same arguments as the method that draws it."""
Ends = tuple[tuple[int, float], tuple[int, float]]
"""An edge: (unit, y) where it starts and where it ends."""


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
    """What one part of a drawing adds to it; the whole drawing decides how large its numbers are."""

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
            self.reading.room
            if self.layout.roomy
            else Room((2 * self.layout.radius - 8) / _TIGHT_SIZE, 1)
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
        left_out = any(part.left_out for part in self.parts)
        self._footer(left_out=left_out)
        title = f"Network {network.shape}{_spoken(network.skips)}"
        about = f"<desc>{attribute(self.scene.caption)}</desc>" if self.scene.caption else ""
        css = (
            "net"
            + ("" if layout.roomy else " tight")
            + (" wide" if layout.width > _WIDE else " mid" if layout.width > _MIDDLING else "")
        )
        high = layout.height + (LINE if left_out else 0)
        size = f'viewBox="0 0 {layout.width} {high}" width="{layout.width}" height="{high}"'
        opening = (
            f'<svg class="{css}" {size} role="img" aria-label="{title}"><title>{title}</title>'
        )
        return Drawing(opening, about, backdrop(layout, _rules(network)), self._together())

    def _together(self) -> tuple[str, ...]:
        """Lines, shapes on top of them, then text; numbers of a family in the size of the widest."""
        sizes: dict[str, int] = {}
        for part in self.parts:
            for family, size in part.sizes.items():
                sizes[family] = max(size, sizes.get(family, 0))
        numbers = [part.numbers(sizes, self.scene.changed) for part in self.parts]
        parts = [*self.parts, self.part]
        everything = (
            *(part.lines for part in parts), *(part.shapes for part in parts), *(rings for rings, _ in numbers),
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
        """The quantities on which the drawing of a unit depends.

        da/dz is left out: it is shown only where the step touches it.
        """
        layer, named = column.layer, self.reading.named
        yield self.reading.passed_back(layer, unit)
        if not layer:
            yield named("x", 0, unit)
            return
        for kind in forward_kinds(self.scene.network.layer(layer)):
            yield from (named(each, layer, unit) for each in (kind, AFTER[kind], GRADIENT[kind]))
        yield named(GRADIENT["b"], layer, unit)
        yield from (Quantity(kind, layer, unit) for kind in ("b", AFTER["b"], GRADIENT["b"]))

    def _of_edges(self, left: Column, right: Column) -> Iterator[Quantity]:
        for i, _ in right.spots:
            for j, _ in left.spots:
                yield from self._of_weight(right.layer, i, j)

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
        q, r, x = self.reading.named("x", 0, unit), self.layout.radius, column.x
        css = "a" + self.reading.state(q)
        self.part.shapes.append(f'<circle class="{css}" cx="{x}" cy="{y:.0f}" r="{r}"/>')
        label = self.reading.label(q, self._inside)
        if label:
            self.part.write(label, x, y + 5, ringed=False)
        if not self._arrived(self.reading.passed_back(0, unit), x, y - r):
            self._name(q, x, y - r - 9)

    def _unit(self, column: Column, unit: int, y: float) -> None:
        x, layer, lift = column.x, column.layer, self.layout.lift(column.layer)
        z, a, *_ = parts = self.reading.inside(layer, unit)
        self._half(parts[-1], x, y + lift, 0, y + lift + 14)
        if lift:
            self._band(a, x, y, lift)
        self._half(z, x, y - lift, 1, y - lift - 5)
        top, low = y - self.layout.radius - lift, y + self.layout.radius + lift
        if not self._arrived(self.reading.arrived(layer, unit), x, top):
            self._name(self._furthest(parts), x, top - (9 if self.layout.roomy else 6))
        stem = 5
        if lift:
            returned = self._returned(self.reading.passed_back(layer, unit), x, low)
            low += self.layout.below
            stem += 0 if returned else self.layout.below
        self._below(layer, unit, x, low, stem)

    def _furthest(self, parts: tuple[Quantity, ...]) -> Quantity:
        """What a unit is called: the last of its numbers that are known, else the last of all."""
        known = [q for q in parts if self.reading.value(q) is not None]
        return (known or parts)[-1]

    def _arrived(self, q: Quantity, x: float, top: float) -> bool:
        """Write a gradient and its name above a unit that ends at `top`; False where it is unknown."""
        label = self.reading.label(q) if self.phase == BACKWARD else None
        if label is None:
            return False
        self.part.write(label, x, top - 6)
        if self.layout.roomy:
            self._name(q, x, top - 25, "g n")
        return True

    def _returned(self, q: Quantity, x: float, low: float) -> bool:
        """Write the gradient of r below its unit, which ends at `low`; False where it is unknown."""
        label = self.reading.label(q) if self.phase == BACKWARD else None
        if label is None:
            return False
        if self.layout.roomy:
            self._name(q, x, low + 16, "g n")
        self.part.write(label, x, low + (33 if self.layout.roomy else 13))
        return True

    def _band(self, q: Quantity, x: int, y: float, lift: int) -> None:
        """The middle of a unit with a skip connection: its own activation."""
        r = self.layout.radius
        self._shape(q, f"M{x - r} {y - lift:.0f}h{2 * r}v{2 * lift}h{-2 * r}z", x, y + 5)

    def _half(self, q: Quantity, x: int, y: float, sweep: int, baseline: float) -> None:
        """Half a circle with its number."""
        r = self.layout.radius
        self._shape(q, f"M{x - r} {y:.0f}a{r} {r} 0 0 {sweep} {2 * r} 0z", x, baseline)

    def _shape(self, q: Quantity, shape: str, x: int, baseline: float) -> None:
        """A part of a unit with its number; dashed and empty where there is none yet."""
        label, css = self.reading.label(q, self._inside), role(q.kind) + self.reading.state(q)
        empty = "" if label else f' todo" data-q="{q}'
        self.part.shapes.append(f'<path class="{css}{empty}" d="{shape}"/>')
        if label:
            self.part.write(label, x, baseline, ringed=False)

    def _below(self, layer: int, unit: int, x: float, y: float, stem: int) -> None:
        """The bias on its stem with its gradient, and da/dz while the step deals with it."""
        biased = self.scene.network.layer(layer).biases is not None
        labels = self.reading.parameter("b", layer, unit, 0) if biased else []
        slope = self.reading.label(self.reading.slopes.get((layer, unit)))
        if not self.layout.roomy:
            labels = [slope] if slope else [label for label in labels if label.state][-1:]
        elif slope and len(labels) < 2:
            labels.append(slope)
        if labels and labels[0].quantity.of.role == "parameter":
            css = f"b{labels[0].state} line"
            self.part.lines.append(f'<path class="{css}" d="M{x} {y + 5 - stem:.0f}v{stem}"/>')
        for n, label in enumerate(labels):
            self.part.write(label, x, y + (15 if self.layout.roomy else 13) + 15 * n)

    # Edges

    def _edges(self, left: Column, right: Column) -> None:
        """The lines that the step touches, and the numbers on edges, as many as can be read."""
        pairs = [(source, spot) for spot in right.spots for source in left.spots]
        states = [""] * len(pairs)
        if right.layer in self.reading.hot:
            states = [self.reading.edge_state(right.layer, i, j) for (j, _), (i, _) in pairs]
        for ((j, y1), (i, y2)), state in zip(pairs, states, strict=True):
            if state:
                pointed = self.reading.flows(right.layer, i, j)
                self._flow(right.layer, state, (left.x, y1), (right.x, y2), pointed=pointed)
        if self.layout.roomy and len(pairs) <= MOST_LABELS:
            labels = self._weights(right.layer, pairs)
            brief = [
                both if state else both[:1] for both, state in zip(labels, states, strict=True)
            ]
            if self._fits(left.x, right.x, pairs, labels):
                return
            if self._fits(left.x, right.x, pairs, brief):
                self.part.left_out |= brief != labels
                return
        self.part.left_out = True
        own = [pair for pair, state in zip(pairs, states, strict=True) if state]
        if 0 < len(own) <= MOST_LABELS:
            labels = self._weights(right.layer, own)
            stated = [[label for label in both if label.state] for both in labels]
            _ = self._fits(left.x, right.x, own, labels) or self._fits(left.x, right.x, own, stated)

    def _weights(self, layer: int, pairs: list[Ends]) -> list[list[Label]]:
        return [self._weight(layer, i, j) for (j, _), (i, _) in pairs]

    def _weight(self, layer: int, i: int, j: int) -> list[Label]:
        return self._same(
            ("w", layer, i, j),
            lambda: self._of_weight(layer, i, j),
            lambda: self.reading.parameter("w", layer, i, j),
        )

    def _of_weight(self, layer: int, i: int, j: int) -> Iterator[Quantity]:
        yield from (Quantity(kind, layer, i, j) for kind in ("w", AFTER["w"], GRADIENT["w"]))
        yield Quantity(GRADIENT["w"], layer, i, j, self.scene.sample)

    def _flow(self, layer: int, state: str, source: Place, spot: Place, *, pointed: bool) -> None:
        """A thick edge with its head where the numbers flow to; a gradient or an update of its
        weight flows nowhere.
        """
        reach = self.layout.reach
        ends = (source, reach(layer - 1, source, spot)), (spot, reach(layer, spot, source))
        (start, before), (end, after) = ends[::-1] if self.phase == BACKWARD else ends
        self.part.lines.append(arrow("w" + state, start, end, before, after + 2, pointed=pointed))

    def _skips(self) -> None:
        """The skip connections that the step goes along, with heads where the numbers flow to."""
        for skip in self.layout.skips:
            state = self.reading.skip_state(skip)
            if state:
                end, before = skip.ends[0 if self.phase == BACKWARD else 1]
                self.part.lines.append(bent(f"{state} skip", skip.path, end, before))

    def _fits(self, x1: int, x2: int, pairs: list[Ends], labels: list[list[Label]]) -> bool:
        """Write the labels where their edges cross one vertical line; False where they would meet.

        Where there is room for two wide numbers on every edge the place is the same in all phases.
        """
        edges = tuple((y1, y2) for (_, y1), (_, y2) in pairs)
        widest = max((label.em * SIZES[label.size] for both in labels for label in both), default=0)
        t = crossing(edges, (2,) * len(edges), self._bound(self.reading.room.em, x2 - x1))
        if t is None:
            t = crossing(edges, tuple(len(both) for both in labels), self._bound(widest, x2 - x1))
        if t is None:
            return False
        for (y1, y2), both in zip(edges, labels, strict=True):
            middle = y1 + t * (y2 - y1) + 12 - 7.5 * len(both)
            at_work = any(label.state for label in both)
            for n, label in enumerate(both):
                if at_work and not label.state:
                    self.part.shapes.append(
                        ring(
                            "bare",
                            x1 + t * (x2 - x1),
                            middle + 15 * n,
                            label.em * SIZES[label.size] * SIZE / 2,
                        )
                    )
                self.part.write(label, x1 + t * (x2 - x1), middle + 15 * n)
        return True

    def _bound(self, em: float, distance: float) -> float:
        """The share of the way at which a number this wide is clear of a column's strip."""
        return round((self.layout.strip + em * SIZE / 2 + 4) / distance + 0.005, 2)

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
        q = self.reading.pick(batch, replace(batch, sample=self.scene.sample)) or batch
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
        self.part.texts.append(
            f'<text class="n t" x="{x - LOSS_HALF + 5}" y="{y + 4:.0f}">{name(self.scene.alphabet, q)}</text>'
        )
        if label:
            self.part.write(label, x + LOSS_HALF - 5, y + 5, ringed=False, at_end=True)

    def _tie(self, unit: int, y: float) -> None:
        """A thick line between an output and the loss, where the step goes along it."""
        scene, reading = self.scene, self.reading
        column, (x, middle) = self.layout.columns[-1], self.layout.loss
        layer, output, loss = column.layer, (column.x, y), (x - LOSS_HALF, middle)
        reach = self.layout.reach(layer, output, loss)
        error, back = reading.error(layer, unit), reading.passed_back(layer, unit)
        losses = any(q.of.role == LOST.kind for q in scene.makes)
        if self.phase in {LOSS, VERIFY} and losses and reading.passed(layer, unit) in scene.uses:
            self.part.lines.append(arrow("l uses", output, loss, reach, 3))
        y_used = reading.named("y", 0, unit) in scene.uses
        if self.phase == BACKWARD and (back in scene.makes or (y_used and error in scene.makes)):
            self.part.lines.append(arrow("g uses", loss, output, 1, reach + 2))

    def _footer(self, *, left_out: bool) -> None:
        scene, y = self.scene, self.layout.height - 7
        if scene.phase in FLOW:
            self.part.texts.append(
                f'<text class="flow" x="{self.layout.width // 2}" y="{y}">{FLOW[scene.phase]}</text>'
            )
        if scene.sample:
            self.part.texts.append(
                f'<text class="s" x="6" y="{y}">sample {scene.sample} of {scene.alphabet.samples}</text>'
            )
        if left_out:
            self.part.texts.append(
                f'<text x="{self.layout.width // 2}" y="{y + LINE}">not every edge has room for its numbers</text>'
            )


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
    return f'<rect class="{css}" x="{x - LOSS_HALF}" y="{top:.0f}" width="{2 * LOSS_HALF}" height="{high:.0f}" rx="4"/>'

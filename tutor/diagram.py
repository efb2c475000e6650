"""The network diagram of a step, as SVG: what is known stands in it, what is not is visibly empty.

A unit is a circle of two halves, the pre-activation above and the activation below, so it shows which of the two
exists. Its name stands above it (in the backward pass the gradient that has arrived, under that gradient's name),
its bias below. What the step uses is drawn thick and outlined, what it makes is filled and outlined thicker; edges
in use carry arrow heads in the direction of flow. Colours come from `static/diagram.css`; nothing is said by colour
alone. `tutor.diagram_layout` says where things stand, `tutor.diagram_marks` how small marks are written.

Each quantity is one element with `data-q`: its number where it is known, else the empty half of its unit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from tutor.diagram_backdrop import backdrop, thumbnail
from tutor.diagram_layout import LINE, LOSS_HALF, LOSS_HEIGHT, Column, Place, arrange, crossing
from tutor.diagram_marks import SIZE, SIZE_NAMES, SIZES, Room, arrow, name, ring, was
from tutor.diagram_scene import Label, Reading, Scene
from tutor.markup import Markup, attribute, trusted
from tutor.mathml import role
from tutor.memo import Memo
from tutor.quantity import Quantity

__all__ = ["Drawing", "Scene", "draw", "drawing", "thumbnail"]

FLOW = {"forward": "forward →", "loss": "forward →", "backward": "← backward", "update": "update", "verify": "forward again →"}
MOST_LABELS = 9
"""Up to so many edges between two columns all carry their numbers; else the step's own do, if they are no more."""
_TIGHT_SIZE = 12
"""The size of the type inside a small circle."""
_TARGET = Room(2.6)
"""The room beside the name of a target."""
_MIDDLING, _WIDE = 400, 500
"""From these widths on a diagram has a class that keeps it from shrinking too far; `static/diagram.css` has the rest."""

T = TypeVar("T")
_About = Callable[..., Iterable[Quantity]]
"""What a part of a drawing depends on, for the same arguments as the method that draws it."""
Pair = tuple[tuple[int, float], tuple[int, float]]
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

    def write(self, label: Label, x: float, y: float, *, ringed: bool = True, at_end: bool = False) -> None:
        """Add a number."""
        self.written.append(_Written(label, x, y, ringed, at_end))
        if label.size >= self.sizes.get(label.family, 0):
            self.sizes[label.family] = label.size

    def numbers(self, sizes: Mapping[str, int], changed: Mapping[Quantity, str]) -> tuple[list[str], list[str]]:
        """(rings, numbers) in these sizes."""
        key = tuple([sizes[family] for family in self.sizes])
        found = self._numbers.get(key)
        if found is None:
            made = [written.svg(sizes[written.label.family], changed) for written in self.written]
            found = self._numbers[key] = [ring for ring, _ in made if ring], [number for _, number in made]
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
        self.layout = arrange(scene.network.sizes, self.reading.must_see(), scene.decimals)
        self._inside = self.reading.room if self.layout.roomy else Room((2 * self.layout.radius - 8) / _TIGHT_SIZE, 1)
        when = scene.when
        if when:
            self._n, self._place = when.n, when.place
        self._drawn: Memo | None = when.drawn.once((self.layout, scene.phase, scene.sample), Memo) if when else None
        self.parts: list[_Part] = []
        self.part = _Part()
        """The part that is being drawn."""

    def drawing(self) -> Drawing:
        layout, network = self.layout, self.scene.network
        names = tuple(layer.activation.name for layer in network.layers)
        for left, right in layout.gaps():
            if right.layer == left.layer + 1:
                self._part(right.layer, self._of_edges, self._edges, left, right)
        for column in layout.columns:
            draw_one = self._unit if column.layer else self._input
            for unit, y in column.spots:
                self._part((column.layer, unit), self._of_unit, draw_one, column, unit, y)
        self._part(0, self._of_loss, self._loss)
        self.part = _Part()
        left_out = any(part.left_out for part in self.parts)
        self._footer(left_out=left_out)
        title = f"Network {network.shape}"
        about = f"<desc>{attribute(self.scene.caption)}</desc>" if self.scene.caption else ""
        css = "net" + ("" if layout.roomy else " tight") + (" wide" if layout.width > _WIDE else " mid" if layout.width > _MIDDLING else "")
        high = layout.height + (LINE if left_out else 0)
        size = f'viewBox="0 0 {layout.width} {high}" width="{layout.width}" height="{high}"'
        opening = f'<svg class="{css}" {size} role="img" aria-label="{title}"><title>{title}</title>'
        return Drawing(opening, about, backdrop(layout, names), self._together())

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

    def _part(self, key: Hashable, about: _About, draw_it: Callable[..., None], *place: Any) -> None:
        """Draw a part, or take over what another step drew."""

        def make() -> _Part:
            self.part = _Part()
            draw_it(*place)
            return self.part

        self.parts.append(self._same(key, lambda: about(*place), make))

    def _same(self, key: Hashable, about: Callable[[], Iterable[Quantity]], make: Callable[[], T]) -> T:
        """What `make` makes, or what it made for another step.

        That step knew as much of the quantities `about`, and neither step uses or makes any of them.
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

    def _kept(self, members: frozenset[Quantity]) -> tuple[frozenset[Quantity], list[int], dict[int, Any]]:
        """(the quantities, the steps that make them, what was made after so many of these steps)"""
        return members, sorted({self._place(q) for q in members}), {}

    def _of_unit(self, column: Column, unit: int, _: float) -> Iterator[Quantity]:
        """What a unit shows; da/dz apart, which it shows only where the step touches it."""
        layer, sample = column.layer, self.scene.sample
        if not layer:
            yield Quantity("x", 0, unit, 0, sample)
            return
        yield from (Quantity(kind, layer, unit, 0, sample) for kind in ("z", "a", "z+", "a+", "dL/dz", "dL/da", "dL/db"))
        yield from (Quantity(kind, layer, unit) for kind in ("b", "b+", "dL/db"))

    def _of_edges(self, left: Column, right: Column) -> Iterator[Quantity]:
        for i, _ in right.spots:
            for j, _ in left.spots:
                yield from self._of_weight(right.layer, i, j)

    def _of_loss(self) -> Iterator[Quantity]:
        outputs, sample = self.layout.columns[-1], self.scene.sample
        yield from (Quantity(kind, sample=s) for kind in ("loss", "loss+", "loss-loss+") for s in {0, sample})
        yield from (Quantity("y", 0, unit, 0, sample) for unit, _ in self.layout.targets.spots)
        for unit, _ in outputs.spots:
            yield Quantity("y", 0, unit, 0, sample)
            yield from (Quantity(kind, outputs.layer, unit, 0, sample) for kind in ("a", "a+", "dL/dz", "dL/da"))

    def _name(self, q: Quantity, x: float, y: float, css: str = "n") -> None:
        self.part.texts.append(f'<text class="{css}" x="{x:.0f}" y="{y:.0f}">{name(self.scene.alphabet, q)}</text>')

    # Units

    def _input(self, column: Column, unit: int, y: float) -> None:
        q, r = Quantity("x", 0, unit, 0, self.scene.sample), self.layout.radius
        self.part.shapes.append(f'<circle class="a{self.reading.state(q)}" cx="{column.x}" cy="{y:.0f}" r="{r}"/>')
        label = self.reading.label(q, self._inside)
        if label:
            self.part.write(label, column.x, y + 5, ringed=False)
        self._name(q, column.x, y - r - 9)

    def _unit(self, column: Column, unit: int, y: float) -> None:
        x, r, layer = column.x, self.layout.radius, column.layer
        z, a = (Quantity(kind + self.reading.after, layer, unit, 0, self.scene.sample) for kind in "za")
        self._half(a, x, y, 0, y + 14)
        known_z = self._half(z, x, y, 1, y - 5)
        named = z if known_z and self.reading.value(a) is None else a
        gradients = (Quantity(kind, layer, unit, 0, self.scene.sample) for kind in ("dL/dz", "dL/da"))
        arrived = self.reading.label(self.reading.arrived(*gradients)) if self.phase == "backward" else None
        if arrived:
            self.part.write(arrived, x, y - r - 6)
        if arrived and self.layout.roomy:
            self._name(arrived.quantity, x, y - r - 25, "g n")
        elif not arrived:
            self._name(named, x, y - r - (9 if self.layout.roomy else 6))
        self._below(layer, unit, x, y + r)

    def _half(self, q: Quantity, x: int, y: float, sweep: int, baseline: float) -> bool:
        """Half a circle with its number; dashed and empty where there is none yet."""
        r, label, css = self.layout.radius, self.reading.label(q, self._inside), role(q.kind) + self.reading.state(q)
        empty = "" if label else f' todo" data-q="{q}'
        self.part.shapes.append(f'<path class="{css}{empty}" d="M{x - r} {y:.0f}a{r} {r} 0 0 {sweep} {2 * r} 0z"/>')
        if label:
            self.part.write(label, x, baseline, ringed=False)
        return label is not None

    def _below(self, layer: int, unit: int, x: float, y: float) -> None:
        """The bias with its gradient, and the slope da/dz while the step deals with it."""
        biased = self.scene.network.layer(layer).biases is not None
        labels = self.reading.parameter("b", layer, unit, 0) if biased else []
        slope = self.reading.label(self.reading.slopes.get((layer, unit)))
        if not self.layout.roomy:
            labels = [slope] if slope else [label for label in labels if label.state][-1:]
        elif slope and len(labels) < 2:
            labels.append(slope)
        if labels and labels[0].quantity.kind[0] == "b":
            self.part.lines.append(f'<path class="b{labels[0].state} line" d="M{x} {y:.0f}v5"/>')
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
                self._flow(state, (left.x, y1), (right.x, y2), pointed=self.reading.flows(right.layer, i, j))
        if self.layout.roomy and len(pairs) <= MOST_LABELS:
            labels = self._weights(right.layer, pairs)
            brief = [both if state else both[:1] for both, state in zip(labels, states, strict=True)]
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

    def _weights(self, layer: int, pairs: list[Pair]) -> list[list[Label]]:
        return [self._weight(layer, i, j) for (j, _), (i, _) in pairs]

    def _weight(self, layer: int, i: int, j: int) -> list[Label]:
        return self._same(
            ("w", layer, i, j), lambda: self._of_weight(layer, i, j), lambda: self.reading.parameter("w", layer, i, j)
        )

    def _of_weight(self, layer: int, i: int, j: int) -> Iterator[Quantity]:
        yield from (Quantity(kind, layer, i, j) for kind in ("w", "w+", "dL/dw"))
        yield Quantity("dL/dw", layer, i, j, self.scene.sample)

    def _flow(self, state: str, source: Place, spot: Place, *, pointed: bool) -> None:
        """A thick edge with its head where the numbers flow to; a gradient or an update of its weight flows nowhere."""
        start, end = (spot, source) if self.phase == "backward" else (source, spot)
        r = self.layout.radius
        self.part.lines.append(arrow("w" + state, start, end, r, r + 2, pointed=pointed))

    def _fits(self, x1: int, x2: int, pairs: list[Pair], labels: list[list[Label]]) -> bool:
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
                    self.part.shapes.append(ring("bare", x1 + t * (x2 - x1), middle + 15 * n, label.em * SIZES[label.size] * SIZE / 2))
                self.part.write(label, x1 + t * (x2 - x1), middle + 15 * n)
        return True

    def _bound(self, em: float, distance: float) -> float:
        """The share of the way at which a number this wide is clear of a column's strip."""
        return round((self.layout.strip + em * SIZE / 2 + 4) / distance + 0.005, 2)

    # The loss

    def _loss(self) -> None:
        """The loss with its targets, and the lines that tie the outputs to it; afterwards the old loss, the new one, their difference."""
        x, y = self.layout.loss
        if self.phase == "verify":
            self._amount("loss", x, y - 64, LOSS_HEIGHT)
            self._amount("loss+", x, y - LOSS_HEIGHT / 2, LOSS_HEIGHT)
            fall = self.reading.label(Quantity("loss-loss+"))
            if fall:
                self._name(fall.quantity, x, y + 30)
                self.part.write(fall, x, y + 47)
        else:
            self._amount("loss", x, y - LOSS_HEIGHT, 2 * LOSS_HEIGHT)
        for unit, at in self.layout.targets.spots:
            self._target(unit, x, at)
        for unit, at in self.layout.columns[-1].spots:
            self._tie(unit, at)

    def _amount(self, kind: str, x: float, top: float, high: float) -> None:
        """A loss in its box, or the empty box, under its own name."""
        batch, share = Quantity(kind), Quantity(kind, sample=self.scene.sample)
        q = self.reading.pick(batch, share) or batch
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
        self.part.texts.append(f'<text class="n t" x="{x - LOSS_HALF + 5}" y="{y + 4:.0f}">{name(self.scene.alphabet, q)}</text>')
        if label:
            self.part.write(label, x + LOSS_HALF - 5, y + 5, ringed=False, at_end=True)

    def _tie(self, unit: int, y: float) -> None:
        """A thick line between an output and the loss, where the step goes along it."""
        scene, r = self.scene, self.layout.radius
        column, (x, middle) = self.layout.columns[-1], self.layout.loss
        output, loss = (column.x, y), (x - LOSS_HALF, middle)
        a, z, back = (Quantity(k, column.layer, unit, 0, scene.sample) for k in ("a" + self.reading.after, "dL/dz", "dL/da"))
        y_used = Quantity("y", 0, unit, 0, scene.sample) in scene.uses
        if self.phase in {"loss", "verify"} and a in scene.uses and any(q.kind.startswith("loss") for q in scene.makes):
            self.part.lines.append(arrow("l uses", output, loss, r, 3))
        elif self.phase == "backward" and (back in scene.makes or (y_used and z in scene.makes)):
            self.part.lines.append(arrow("g uses", loss, output, 1, r + 2))

    def _footer(self, *, left_out: bool) -> None:
        scene, y = self.scene, self.layout.height - 7
        if scene.phase in FLOW:
            self.part.texts.append(f'<text class="flow" x="{self.layout.width // 2}" y="{y}">{FLOW[scene.phase]}</text>')
        if scene.sample:
            self.part.texts.append(f'<text class="s" x="6" y="{y}">sample {scene.sample} of {scene.alphabet.samples}</text>')
        if left_out:
            self.part.texts.append(f'<text x="{self.layout.width // 2}" y="{y + LINE}">not every edge has room for its numbers</text>')


def _box(css: str, x: float, top: float, high: float) -> str:
    return f'<rect class="{css}" x="{x - LOSS_HALF}" y="{top:.0f}" width="{2 * LOSS_HALF}" height="{high:.0f}" rx="4"/>'

"""The network diagram of a step, as SVG: what is known stands in it, what is not is visibly empty.

Every number has one place for good. A unit is a card: z and a side by side under their names, the
derivative of the loss with respect to each of them below it, da/dz between them or in a row of its
own; those of a softmax form their matrix. Behind a skip connection the sum r stands at the right of
a. In front of a card stands its list: the bias, then a weight a line, each with its gradient; the
edge of a weight ends at its line. Edges are as wide as their weights are large, dashed where they
are negative. What the step uses is drawn thick and outlined, what it makes is filled and outlined
thicker; edges in use carry arrow heads in the direction of flow. Colours come from
`static/diagram.css`; nothing is said by colour alone. `tutor.draw.layout` says where things stand,
`tutor.draw.parts` what a step takes over from another.

A skip connection is a curve from the unit that the value comes from, faint until a step goes along
it. Each quantity is one element with `data-q`: its number where it is known, else its empty place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import ceil, isfinite
from typing import Any

from tutor.draw.backdrop import backdrop, thumbnail
from tutor.draw.layout import (
    LINE,
    LOSS_HALF,
    LOSS_HEIGHT,
    MOST_TARGETS,
    ROWS_OF_FLAT,
    TIGHT_TYPE,
    TYPE,
    Column,
    Layout,
    Place,
    arrange,
)
from tutor.draw.marks import SIZES, Room, arrow, bent, name, symbol, thick
from tutor.draw.parts import Drawing, Part, Parts, together
from tutor.draw.scene import Label, Reading, Scene, States
from tutor.engine.kinds import (
    AFTER,
    BACKWARD,
    FORWARD,
    GRADIENT,
    LOSS,
    SCALE,
    SLOPE,
    UPDATE,
    VERIFY,
)
from tutor.engine.network import Network
from tutor.engine.order import forward_kinds
from tutor.engine.quantity import Quantity
from tutor.notation.markup import Markup, attribute
from tutor.notation.mathml import role

__all__ = ["NetworkDrawing", "Scene", "draw", "drawing", "thumbnail"]

FLOW = {
    SCALE: "scaling →", FORWARD: "forward →", LOSS: "forward →", BACKWARD: "← backward",
    UPDATE: "update", VERIFY: "forward again →",
}  # fmt: skip
LOST, FALL = Quantity("loss"), Quantity("loss-loss+")
"""The loss of the batch, and how much it has fallen."""
MOST_HEADS = 20
"""Of more edges between two layers that a step touches none has the head of an arrow."""
MOST_LABELS = 9
"""Where not every weight is listed, those that the step touches are, if they are no more."""
MOST_MARKS = 2
"""More marks on a name, such as those of a layer, a sample and an update, are too wide for a small
card.
"""
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

_About = Callable[..., Iterable[Quantity]]
"""What a part of a drawing depends on, for the same arguments as the method that draws it."""


@dataclass(frozen=True, slots=True)
class NetworkDrawing(Drawing):
    """The diagram of a step in parts, and where they stand."""

    layout: Layout
    box: str
    """Its `viewBox`."""


def draw(scene: Scene) -> Markup:
    """The diagram of a step as one `<svg>`."""
    return drawing(scene).svg


def drawing(scene: Scene) -> NetworkDrawing:
    """The diagram of a step in parts."""
    return _Picture(scene).drawing()


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the steps of a layout have in common, in one phase and for one sample."""

    opening: str
    box: str
    backdrop: str
    plan: tuple[tuple[Hashable, _About, Callable[..., None], tuple[Any, ...]], ...]
    """The parts: a key, on what each depends, what draws it, and where."""
    parts: Parts | None
    edges: dict[tuple[int, int, int, Place, bool], tuple[str, str]] = field(default_factory=dict)
    """The edges that a step leaves alone, before and after the update."""


class _Picture:
    """Collects the parts of one drawing."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.phase, self.when = scene, scene.phase, scene.when
        self.reading = Reading(scene)
        self.layout = self._laid_out()
        self.em = self.layout.type
        self.room = _room(self.layout.cell, tight=self.layout.tight)
        self.part = Part()
        """The part that is being drawn."""
        when = scene.when
        key = self.layout, scene.phase, scene.sample
        self.frame: _Frame = when.drawn.once(key, self._framed) if when else self._framed()
        self.touched = (
            self.frame.parts.touched(self.reading.touched) if self.frame.parts else frozenset()
        )

    def _laid_out(self) -> Layout:
        """The layout of the step; it is the same at all steps where every weight is listed."""
        scene, network, when = self.scene, self.scene.network, self.when
        known: Layout | None = when.drawn.get("layout") if when else None
        if known:
            return known
        layout = arrange(
            network.sizes, self.reading.must_see(), scene.decimals, network.skips,
            _matrices(network), self.reading.layers(), _dropped(network),
        )  # fmt: skip
        if when and layout.listed and network.sizes[-1] <= MOST_TARGETS:
            when.drawn["layout"] = layout
        return layout

    def _framed(self) -> _Frame:
        layout, network = self.layout, self.scene.network
        plan = tuple(self._plan())
        title = f"Network {network.shape}{_spoken(network.skips)}"
        css = "net" + " tight" * layout.tight
        css += " wide" if layout.width > _WIDE else " mid" * (layout.width > _MIDDLING)
        high = layout.height + LINE * (self._lines() - 1)
        box = f"0 0 {layout.width} {high}"
        size = f'viewBox="{box}" width="{layout.width}" height="{high}"'
        opening = (
            f'<svg class="{css}" {size} role="img" aria-label="{title}"><title>{title}</title>'
        )
        parts = None
        if self.when:
            members = [(key, about(self, *place)) for key, about, _, place in plan]
            parts = Parts(members, self.when.place)
        return _Frame(opening, box, backdrop(layout, _rules(network)), plan, parts)

    def _plan(self) -> Iterator[tuple[Hashable, _About, Callable[..., None], tuple[Any, ...]]]:
        """The parts of the picture from back to front."""
        layout, this = self.layout, _Picture
        for left, right in layout.gaps():
            if right.layer == left.layer + 1:
                yield right.layer, this.of_edges, this.draw_edges, (left, right)
                for i, y in right.spots if layout.listed else ():
                    place = left, right, i, y
                    yield ("list", right.layer, i), this.of_list, this.draw_list, place
        yield "skips", this.of_skips, this.draw_skips, ()
        yield "words", this.of_words, this.draw_words, ()
        for column in layout.columns:
            draw_one = this.draw_unit if column.layer else this.draw_input
            for unit, y in column.spots:
                yield (column.layer, unit), this.of_unit, draw_one, (column, unit, y)
        yield 0, this.of_loss, this.draw_loss, ()

    def drawing(self) -> NetworkDrawing:
        frame = self.frame
        about = f"<desc>{attribute(self.scene.caption)}</desc>" if self.scene.caption else ""
        parts = [self._part(key, draw_it, place) for key, _, draw_it, place in frame.plan]
        pieces = together(parts, self.scene.changed)
        return NetworkDrawing(frame.opening, about, frame.backdrop, pieces, self.layout, frame.box)

    # Parts: most of a drawing is that of the step before

    def _part(self, key: Hashable, draw_it: Callable[..., None], place: tuple[Any, ...]) -> Part:
        """Draw a part, or take over what another step drew."""
        parts, when = self.frame.parts, self.when
        if not parts or not when or key in self.touched or key in self.reading.slopes:
            return self._drawn(draw_it, place)
        return parts.same(key, when.n, self._drawn, draw_it, place)

    def _drawn(self, draw_it: Callable[..., None], place: tuple[Any, ...]) -> Part:
        self.part = part = Part()
        draw_it(self, *place)
        return part

    def of_unit(self, column: Column, unit: int, _: float) -> Iterator[Quantity]:
        """The quantities on which the drawing of a unit depends."""
        layer, named = column.layer, self.reading.named
        yield self.reading.passed_back(layer, unit)
        if not layer:
            yield named("x", 0, unit)
            yield self.reading.raw(unit)
            return
        part = self.scene.network.layer(layer)
        for kind in forward_kinds(part):
            after = (AFTER[kind],) if kind in AFTER else ()
            yield from (named(each, layer, unit) for each in (kind, *after, GRADIENT[kind]))
        if column.slopes > 1:
            yield from self._row(column, unit)
        elif not part.activation.full_jacobian:
            yield named(SLOPE, layer, unit)

    def of_edges(self, left: Column, right: Column) -> Iterator[Quantity]:
        for i, y in right.spots:
            yield from self.of_list(left, right, i, y)

    def of_list(self, left: Column, right: Column, i: int, _: float) -> Iterator[Quantity]:
        for j in (0, *[j for j, _ in left.spots]):
            kind = "w" if j else "b"
            between = self.scene.network.rule.made(kind)
            for each in (kind, AFTER[kind], GRADIENT[kind], *between):
                yield Quantity(each, right.layer, i, j)
            yield Quantity(GRADIENT[kind], right.layer, i, j, self.scene.sample)

    def of_loss(self) -> Iterator[Quantity]:
        outputs, reading = self.layout.columns[-1], self.reading
        yield from (part for loss in (LOST, LOST.after) for part in self.reading.parts_of(loss))
        for loss in (LOST, LOST.after, FALL):
            yield from (loss, loss._replace(sample=self.scene.sample))
        units = (*self.layout.targets.spots, *outputs.spots)
        yield from (reading.named("y", 0, unit) for unit, _ in units)
        for unit, _ in outputs.spots:
            of_output = reading.passed, reading.passed_back, reading.error
            yield from (quantity(outputs.layer, unit) for quantity in of_output)

    def of_skips(self) -> Iterator[Quantity]:
        for skip in self.layout.skips:
            for layer in (skip.source, skip.target):
                yield self.reading.passed(layer, skip.unit)
                yield self.reading.passed_back(layer, skip.unit)

    def of_words(self) -> Iterator[Quantity]:
        yield from ()

    def draw_words(self) -> None:
        """What the phase alone says: names, the head of a softmax's matrix, how to read it all."""
        for column in self.layout.columns:
            for unit, y in column.spots:
                self._names(column, unit, y)
            if column.slopes > 1 and self.phase == BACKWARD:
                self._matrix(column)
        self._footer()

    def _name(self, q: Quantity, x: float, y: float, css: str = "n") -> None:
        said = name(self.scene.alphabet, q)
        self.part.texts.append(f'<text class="{css}" x="{x:.0f}" y="{y:.0f}">{said}</text>')

    def _head(self, q: Quantity, x: float, y: float) -> None:
        """What stands above a column or a row of a matrix: ∂ and a symbol without its layer."""
        said = symbol(replace(self.scene.alphabet.symbol(q), sup=()))
        self.part.texts.append(f'<text class="d n" x="{x:.0f}" y="{y:.0f}">∂{said}</text>')

    def _names(self, column: Column, unit: int, y: float) -> None:
        """The names of a unit's numbers: above their places, or inside a small card."""
        layout, reading = self.layout, self.reading
        above = layout.outline(column, y)[0] - 5
        if not column.open:
            q = reading.passed(column.layer, unit)
            x, at = layout.place(column, y, 0, 0)
            beside = layout.tight and not column.layer
            place = (x - layout.cell / 2 - 16, at) if beside else (x, above)
            self._name(q, *place, f"{role(q.kind)} n")
            return
        inside = reading.inside(column.layer, unit)
        if layout.tight:  # the unit's name, between z and a
            q = self._narrow(inside[1])
            self._name(q, *layout.place(column, y, 0, (1 + column.slopes) / 2), "a n")
            return
        for n, q in enumerate(inside):
            x, _ = layout.place(column, y, 0, column.cell(n))
            self._name(q, x, above, f"{role(q.kind)} n")

    def _narrow(self, q: Quantity) -> Quantity:
        """A name that has room between two numbers: with many marks it does without that of its
        sample, which is named below the picture.
        """
        marks = self.scene.alphabet.symbol(q).sup
        return q._replace(sample=0) if len(marks) > MOST_MARKS else q

    def _matrix(self, column: Column) -> None:
        """What the derivatives of a softmax are derivatives of, and with respect to what; brackets
        around them.
        """
        layout, spots = self.layout, column.spots
        top, bottom = layout.top(column, spots[0][1]), layout.bottom(column, spots[-1][1])
        for unit, y in spots:
            z, a, *_ = self.reading.inside(column.layer, unit)
            x, _ = layout.place(column, y, 0, unit)
            self._head(z, x, top - 5)
            if not layout.tight:
                self._head(a, *layout.place(column, y, 0, (1 + column.slopes) / 2))
        left, right = column.x + layout.cell, column.x + layout.cell * (1 + column.slopes)
        start, down = top + layout.row, bottom - top - layout.row
        ends = f"M{left + 5} {start:.0f}h-5v{down:.0f}h5M{right - 5} {start:.0f}h5v{down:.0f}h-5"
        self.part.lines.append(f'<path class="d matrix" d="{ends}"/>')

    # Units

    def draw_input(self, column: Column, unit: int, y: float) -> None:
        self._cell(self.reading.named("x", 0, unit), column, y, 0)
        if self.phase == BACKWARD:
            self._number(self.reading.passed_back(0, unit), column, y, 1, 0)
        if self.phase == SCALE:
            self._number(self.reading.raw(unit), column, y, 1, 0)

    def draw_unit(self, column: Column, unit: int, y: float) -> None:
        layer, reading, backward = column.layer, self.reading, self.phase == BACKWARD
        if not column.open:
            self._cell(reading.passed(layer, unit), column, y, 0)
            return
        for n, q in enumerate(reading.inside(layer, unit)):
            cell = column.cell(n)
            self._cell(q, column, y, cell)
            if backward:
                self._number(reading.named(GRADIENT[q.of.base], layer, unit), column, y, 1, cell)
        if not backward:
            return
        if column.slopes > 1:
            for k, q in enumerate(self._row(column, unit), 1):
                self._number(q, column, y, 1, k)
        else:
            row, at = (1, 1.0) if column.slopes else (2, 0.5)
            self._number(self._slope(layer, unit), column, y, row, at)

    def _row(self, column: Column, unit: int) -> list[Quantity]:
        """The derivatives of a softmax's output with respect to each of its pre-activations."""
        q = self.reading.named(SLOPE, column.layer, unit)
        return [q._replace(j=k) for k in range(1, column.slopes + 1)]

    def _slope(self, layer: int, unit: int) -> Quantity | None:
        """da/dz of a unit; of a softmax, which has one for each pair, the one that the step deals
        with.
        """
        if (layer, unit) in self.reading.slopes:
            return self.reading.slopes[layer, unit]
        if self.scene.network.layer(layer).activation.full_jacobian:
            return None
        return self.reading.named(SLOPE, layer, unit)

    def _cell(self, q: Quantity, column: Column, y: float, cell: float) -> None:
        """A number that a card always has a place for; dashed and empty where there is none yet."""
        if not self._number(q, column, y, 0, cell):
            layout = self.layout
            x, top = column.x + cell * layout.cell, layout.outline(column, y)[0]
            self.part.shapes.append(
                f'<rect class="{role(q.kind)} todo" data-q="{q}" x="{x + 3:.0f}" '
                f'y="{top + 2:.0f}" width="{layout.cell - 6}" height="{layout.row - 4}"/>'
            )

    def _number(self, q: Quantity | None, column: Column, y: float, row: int, cell: float) -> bool:
        """Write a number in its place of a card; False where it is unknown."""
        label = self.reading.label(q, self.room)
        if label:
            self.part.write(label, *self.layout.place(column, y, row, cell), self.em)
        return label is not None

    # Edges and the lists of weights in which they end

    def draw_edges(self, left: Column, right: Column) -> None:
        """The edges between two layers; where not every weight is listed, those of the step."""
        states: States = {}
        found = self.reading.edges.get(right.layer)
        if found:
            pairs = ((i, j) for i, _ in right.spots for j, _ in left.spots)
            states = {pair: found[pair] for pair in pairs if pair in found}
        drawn: dict[str, list[str]] = {}
        for i, y in right.spots:
            lines = self._lines_of(left, right, i, y, states)
            for j, from_y in left.spots:
                x, to_y = lines.get(j) or self.layout.enters(right, y)
                ends = (left, from_y), (x - 3, to_y)
                if (i, j) in states:
                    many = len(states) > MOST_HEADS
                    css, path = self._edge(right.layer, i, j, states[i, j], *ends, many=many)
                else:
                    css, path = self._thin(right.layer, i, j, *ends)
                drawn.setdefault(css, []).append(path)
            if not self.layout.listed:
                for j, place in lines.items():
                    self._line(right.layer, i, j, place)
        for css, paths in sorted(drawn.items(), reverse=True):  # wires first, below the others
            self.part.lines.append(f'<path class="{css}" d="{"".join(paths)}"/>')

    def draw_list(self, left: Column, right: Column, i: int, y: float) -> None:
        """The list of a unit's bias and weights."""
        for j, place in self._lines_of(left, right, i, y, {}).items():
            self._line(right.layer, i, j, place)

    def _lines_of(
        self, left: Column, right: Column, i: int, y: float, states: States
    ) -> dict[int, Place]:
        """Where the lines of a unit's list begin: 0 for the bias, then the units that its weights
        lead from.
        """
        biased = self.scene.network.layer(right.layer).biases is not None
        if self.layout.listed:
            listed = [0] * biased + [j for j, _ in left.spots]
        elif len(states) > MOST_LABELS or right.entrance == right.x:
            listed = []
        else:
            bias = biased and any(label.state for label in self._labels(right.layer, i, 0))
            listed = [0] * bias + [j for j, _ in left.spots if (i, j) in states]
        return {j: self.layout.line(right, y, n, len(listed)) for n, j in enumerate(listed)}

    def _edge(
        self, layer: int, i: int, j: int, state: str, start: tuple[Column, float], end: Place,
        *, many: bool,
    ) -> tuple[str, str]:  # fmt: skip
        """(class, `d`) of an edge that the step touches: thick, with a head where numbers flow
        along it. Many such edges are no thicker than their weights are large.
        """
        if many:
            css, path = self._thin(layer, i, j, start, end)
            return css.replace("wires", f"w{state} line many"), path
        flows = self.reading.flows(layer, i, j)
        back = flows and self.phase == BACKWARD
        first, last = self.layout.leaves(*start, int(back)), end
        if back:
            first, last = last, first
        return f"w{state} line", arrow(first, last, 1, 2, pointed=flows)

    def _thin(
        self, layer: int, i: int, j: int, start: tuple[Column, float], end: Place
    ) -> tuple[str, str]:
        """(class, `d`) of an edge as wide as its weight is large."""
        old, kept = Quantity("w", layer, i, j), self.frame.edges
        new = self.reading.value(old.after) if self.phase in {UPDATE, VERIFY} else None
        key = layer, i, j, end, new is None
        found = kept.get(key)
        if found is None:
            x, y = self.layout.leaves(*start)
            path = f"M{x} {y:.0f}L{end[0]:.0f} {end[1]:.0f}"
            width = self._width(self.reading.value(old) if new is None else new)
            found = kept[key] = f"wires {width}", path
        return found

    def _width(self, value: float | None) -> str:
        if value is None or not isfinite(value):
            return "t1"
        share = min(1.0, abs(value) / self.reading.largest)
        return f"t{max(1, ceil(THICKNESSES * share))}" + (" minus" if value < 0 else "")

    def _line(self, layer: int, i: int, j: int, place: Place) -> None:
        """A line of a list: a weight or bias with its gradient beside or below it."""
        (x, y), labels = place, self._labels(layer, i, j)
        if not self.layout.listed:
            labels = [label for label in labels if label.state]
        for n, label in enumerate(labels):
            half = label.em * SIZES[label.size] * self.em / 2
            if self.layout.stacked:
                apart = self.layout.line_height // 2
                down = apart * n - apart // 4 if len(labels) > 1 else 4
                self.part.write(label, x + 4 + half, y + down, self.em)
            else:
                at = x + self.layout.beside if n else x + 4 + half
                self.part.write(label, at, y + 5, self.em)

    def _labels(self, layer: int, i: int, j: int) -> list[Label]:
        """What there is to say of a weight, or for j = 0 of a bias."""
        return self.reading.parameter("w" if j else "b", layer, i, j, self.room)

    def draw_skips(self) -> None:
        """The skip connections that the step goes along, with heads where the numbers flow to."""
        for skip in self.layout.skips:
            state = self.reading.skip_state(skip)
            if state:
                end, before = skip.ends[0 if self.phase == BACKWARD else 1]
                self.part.lines.append(bent(f"{state} skip", skip.path, end, before))

    # The loss

    def draw_loss(self) -> None:
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
                self.part.write(fall, x, y + 47, TYPE)
        else:
            self._amount(LOST, x, y - LOSS_HEIGHT, 2 * LOSS_HEIGHT)
        for unit, at in self.layout.targets.spots:
            self._target(unit, x, at)
        for unit, at in self.layout.columns[-1].spots:
            self._tie(unit, at)

    def _amount(self, batch: Quantity, x: float, top: float, high: float) -> None:
        """A loss in its box, or the empty box, under its own name."""
        whole = (batch, batch._replace(sample=self.scene.sample))
        q = self.reading.pick(*whole, *self.reading.parts_of(batch)) or batch
        label = self.reading.label(q, _AMOUNT)
        self._name(q, x, top - 7)
        css = "l" + self.reading.state(q) + ("" if label else f' todo" data-q="{q}')
        self.part.shapes.append(_box(css, x, top, high))
        if label:
            self.part.write(label, x, top + high / 2 + 5, TYPE, ringed=False)

    def _target(self, unit: int, x: float, y: float) -> None:
        q = Quantity("y", 0, unit, 0, self.scene.sample)
        state, label = self.reading.state(q), self.reading.label(q, _TARGET)
        self.part.shapes.append(_box("y" + state, x, y - 11, 22))
        said = name(self.scene.alphabet, q)
        self.part.texts.append(
            f'<text class="n t" x="{x - LOSS_HALF + 5}" y="{y + 4:.0f}">{said}</text>'
        )
        if label:
            self.part.write(label, x + LOSS_HALF - 5, y + 5, TYPE, ringed=False, at_end=True)

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

    def _footer(self) -> None:
        """Which way the numbers flow, which sample this is, and how to read the picture."""
        scene, y, texts = self.scene, self.layout.height - 7, self.part.texts
        said = [f"sample {scene.sample} of {scene.alphabet.samples}"] if scene.sample else []
        said += [FLOW[scene.phase]] if scene.phase in FLOW else []
        if said:
            texts.append(f'<text class="flow" x="6" y="{y}">{" · ".join(said)}</text>')
        for n, line in enumerate(self._legend(scene.phase), 0 if self._beside else 1):
            texts.append(f'<text class="s" x="{6 + self._beside}" y="{y + n * LINE}">{line}</text>')

    @property
    def _beside(self) -> int:
        """How far from the left the legend begins, where it has room beside the flow; else 0."""
        return (124 + 90 * bool(self.scene.sample)) * (self.layout.width >= _BROAD)

    def _lines(self) -> int:
        """How many lines there is room for below the picture, the same in every phase."""
        return len(self._legend(BACKWARD)) + (not self._beside)

    def _legend(self, phase: str) -> list[str]:
        """How to read the picture in a phase, in lines that have room."""
        room = self.layout.width - 12 - _SWITCH - self._beside
        loss, layout = name(self.scene.alphabet, LOST), self.layout
        parts = []
        if phase == SCALE:
            parts.append("below an input: before scaling")
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


def _matrices(network: Network) -> frozenset[int]:
    """The layers in which every activation depends on every pre-activation."""
    layers = enumerate(network.layers, 1)
    return frozenset(n for n, layer in layers if layer.activation.full_jacobian)


@lru_cache(maxsize=256)
def _dropped(network: Network) -> frozenset[int]:
    """The layers with dropout."""
    return frozenset(n for n, layer in enumerate(network.layers, 1) if layer.dropout)


@lru_cache
def _room(cell: int, *, tight: bool) -> Room:
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
    names = (
        layer.activation.name.replace("_", " ") + (" · dropout" if layer.dropout else "")
        for layer in network.layers
    )
    return tuple(name + added.get(n, "") for n, name in enumerate(names, 1))


def _box(css: str, x: float, top: float, high: float) -> str:
    return (
        f'<rect class="{css}" x="{x - LOSS_HALF}" y="{top:.0f}" '
        f'width="{2 * LOSS_HALF}" height="{high:.0f}"/>'
    )

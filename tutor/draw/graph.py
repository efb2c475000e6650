"""The picture of a computation graph as SVG: what is known stands in it, what is not is visibly
empty.

A node is a box with its operation and its name; values are round. Above it stands its value, below
it the derivative of the result with respect to it. On an edge stands the local derivative, once
backward has come so far. What the step uses is drawn thick, what it makes is filled and thicker;
edges in use carry arrow heads in the direction of flow. Colours come from `static/diagram.css`, and
nothing is said by colour alone. `tutor.draw.graph_layout` says where things stand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tutor import number
from tutor.draw.graph_layout import HALF_HIGH, HALF_WIDE, GraphLayout, Wire
from tutor.draw.layout import Place
from tutor.draw.marks import SIZE_NAMES, SIZES, Room, fitted, italic, ring, symbol, was
from tutor.draw.parts import Drawing
from tutor.engine.graph import Graph, GraphNode
from tutor.engine.kinds import BACKWARD, FORWARD
from tutor.engine.operation import shape_words
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Number
from tutor.notation.conventions import Alphabet
from tutor.notation.markup import Markup, attribute, trusted
from tutor.number import counted

FLOW = {FORWARD: "forward →", BACKWARD: "← backward"}
LEGEND = "above a node its value, below it the derivative, on an edge the local derivative"
_SIGNS = {"*": "×", "/": "÷", "-": "−", "**": "xⁿ", "neg": "−", "copy": "=", "sigmoid": "σ",
          "relu": "ReLU", "transpose": "⊤", "layernorm": "norm"}  # fmt: skip
ROOM = Room(5.4, 2)
"""The room for a number above or below a node."""
EDGE_ROOM = Room(3.6, 2)
FOOT = 24
_WIDE, _MIDDLING = 500, 400
_NEAR = 0.62
"""Where a local derivative stands on the last piece of its edge."""
_COMMUTES = frozenset({"+", "*", "max", "min"})
"""Operations whose inputs have no order; their edges come in from above to below."""


@dataclass(frozen=True, slots=True)
class GraphScene:
    """One step as the picture sees it. `value` answers None for what is not computed yet."""

    graph: Graph
    layout: GraphLayout
    alphabet: Alphabet
    decimals: int
    value: Callable[[Quantity], float | None]
    local: Callable[[Wire], float | None]
    """The local derivative along an edge between single numbers."""
    uses: frozenset[Quantity]
    makes: frozenset[Quantity]
    phase: str
    caption: str = ""
    changed: Mapping[Quantity, str] = field(default_factory=dict)
    """The values that a reader changed, with what they were."""
    whole_way: bool = False
    """Whether what is used is a way of several steps; its edges are then in use as well."""


def draw_graph(scene: GraphScene) -> Markup:
    """The picture of a step as one `<svg>`."""
    return graph_drawing(scene).svg


def graph_drawing(scene: GraphScene) -> Drawing:
    """The picture of a step in parts."""
    return _Picture(scene).drawing()


class _Picture:
    """Collects the parts of one drawing."""

    def __init__(self, scene: GraphScene) -> None:
        self.scene, self.graph, self.layout = scene, scene.graph, scene.layout
        nodes = self.graph.nodes
        self.backs = {kind: self.graph.derivative(nodes[kind]).kind for kind in self.layout.spots}
        """The kind of the derivative with respect to each node."""
        self.ways = [(wire, self._way(wire)) for wire in self.layout.wires]
        self.states = dict.fromkeys((q.kind for q in scene.uses), "uses")
        self.states |= dict.fromkeys((q.kind for q in scene.makes), "makes")
        self.first: dict[str, Quantity] = {}
        """The number of each array that the step is about."""
        for q in scene.makes | scene.uses:
            self.first[q.kind] = min(q, self.first.get(q.kind, q))

    def _way(self, wire: Wire) -> list[Place]:
        """The points of an edge."""
        commutes = self.graph.nodes[wire.target].operation.name in _COMMUTES
        return self.layout.ends(wire, by_height=commutes)

    def drawing(self) -> Drawing:
        scene, layout = self.scene, self.layout
        title = (
            f"Computation graph of {self.graph.result.name}, "
            f"{counted(len(self.graph.nodes), 'node')}"
        )
        css = "net graph" + (
            " wide" if layout.width > _WIDE else " mid" if layout.width > _MIDDLING else ""
        )
        high = layout.height + FOOT
        opening = (
            f'<svg class="{css}" viewBox="0 0 {layout.width} {high}" width="{layout.width}" '
            f'height="{high}" role="img" aria-label="{title}"><title>{title}</title>'
        )
        about = f"<desc>{attribute(scene.caption)}</desc>" if scene.caption else ""
        parts = (*self._wires(), *self._locals(), *self._nodes(), *self._footer())
        return Drawing(opening, about, "".join(self._cuts()), parts)

    def _state(self, kind: str) -> str:
        """What the step does with a node or a derivative: "makes", "uses" or ""."""
        return self.states.get(kind, "")

    # Edges

    def _cuts(self) -> Iterator[str]:
        """Where an edge comes from a node that is not drawn, or leads to one."""
        for kinds, start in (
            (self.layout.cut_in, -HALF_WIDE - 20),
            (self.layout.cut_out, HALF_WIDE + 2),
        ):
            for kind in sorted(kinds):
                x, y = self.layout.spots[kind]
                yield f'<path class="wires todo" d="M{x + start:.0f} {y:.0f}h18"/>'

    def _wires(self) -> Iterator[str]:
        back = self.scene.phase == BACKWARD
        for wire, points in self.ways:
            path = through(points)
            if self._flows(wire):
                head = arrow_head(points[0], 1) if back else arrow_head(points[-1], -1)
                yield f'<path class="{"g" if back else "a"} uses line" d="{path}{head}"/>'
            else:
                yield f'<path class="wires" d="{path}"/>'

    def _flows(self, wire: Wire) -> bool:
        """Whether the step goes along an edge."""
        ends = wire.source, wire.target
        if self.scene.phase == BACKWARD:
            ends = self.backs[wire.target], self.backs[wire.source]
        before, after = map(self._state, ends)
        return before != "" and (after == "makes" or (self.scene.whole_way and after != ""))

    def _locals(self) -> Iterator[str]:
        """The local derivatives, where backward has come along the edge."""
        for wire, points in self.ways:
            known = self.scene.local(wire)
            if known is None:
                continue
            text, _, size = fitted(known, self.scene.decimals, EDGE_ROOM)
            (x, y), (x2, y2) = points[-2:]
            place = f'x="{x + (x2 - x) * _NEAR:.0f}" y="{y + (y2 - y) * _NEAR - 3:.0f}"'
            yield f'<text class="d {SIZE_NAMES[max(size, 1)]}" {place}>{text}</text>'

    # Nodes

    def _nodes(self) -> Iterator[str]:
        for kind, (x, y) in self.layout.spots.items():
            node, back = self.graph.nodes[kind], self.backs[kind]
            states = {self._state(kind), self._state(back)}
            css = "makes" if "makes" in states else "uses" if "uses" in states else ""
            role = "g" if self._state(back) else "a"
            yield _box(f"{role} {css}".strip(), x, y, round_=node.given)
            yield self._words(node, x, y)
            yield from self._number(kind, node, x, y - HALF_HIGH - 5, "a")
            if kind in self.graph.needed:
                yield from self._number(back, node, x, y + HALF_HIGH + 18, "g")

    def _words(self, node: GraphNode, x: float, y: float) -> str:
        """The operation and the name of a node, in type that fits."""
        name, sign = symbol(self.scene.alphabet.symbol(Quantity(node.kind))), operation_sign(node)
        letters = len(node.name) + (1.3 + 0.8 * len(sign) if sign else 0)
        css = "n" if letters < 5.5 else "n small" if letters < 7 else "n tiny"
        if letters > 10:
            name, css = italic(node.name[: 9 - len(sign)] + "…"), "n tiny"
        op = f'<tspan class="op">{attribute(sign)}</tspan> ' if sign else ""
        said = attribute(_said(node))
        place = f'x="{x:.0f}" y="{y + 5:.0f}"'
        return f'<text class="{css}" {place}><title>{said}</title>{op}{name}</text>'

    def _number(self, kind: str, node: GraphNode, x: float, y: float, role: str) -> Iterator[str]:
        """The number of a node or the derivative with respect to it; of an array the one that the
        step is about, else its shape. What is not computed yet is a dashed place.
        """
        first = self.first.get(kind)
        q = first or (next(node.entries(kind)) if node.shape else Quantity(kind))
        known, state = self.scene.value(q), self._state(kind)
        if known is None:
            yield (f'<path class="todo" data-q="{q}" d="M{x - 11:.0f} {y - 4:.0f}h22"/>')
            return
        if node.shape and not first:
            shape = "×".join(map(str, node.shape))
            yield f'<text class="small {role}" x="{x:.0f}" y="{y:.0f}">[{shape}]</text>'
            return
        text, em, size = fitted(known, self.scene.decimals, ROOM)
        if node.shape:
            text = f"{str(q)[str(q).rindex('[') :]} {text}"
            em, size = em + 1.2 + 0.5 * len(node.shape), 1
        css = " ".join(filter(None, (state, SIZE_NAMES[size])))
        mark = f' class="{css}"' if css else ""
        written = f'<text{mark} data-q="{q}" x="{x:.0f}" y="{y:.0f}">{text}</text>'
        if state == "makes":
            yield ring(f"{role} makes", x, y, em * SIZES[size] * 7, 16)
        old = self.scene.changed.get(q)
        yield was(written, x + em * 7, y, f"was {old}") if old is not None else written

    def _footer(self) -> Iterator[str]:
        layout, phase = self.layout, self.scene.phase
        y = layout.height + FOOT - 8
        if phase:
            yield f'<text class="flow" x="6" y="{y}">{FLOW[phase]}</text>'
        said = LEGEND if layout.width > 620 else ""
        if layout.left_out:
            nodes = counted(layout.left_out, "node")
            said = f"{nodes} further away {'is' if layout.left_out == 1 else 'are'} not drawn"
        if said:
            yield f'<text class="s" x="{110 if phase else 6}" y="{y}">{said}</text>'


def through(points: Sequence[Place]) -> str:
    """The `d` of an edge by way of these points."""
    start = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    return start + "".join(_bend(a, b) for a, b in itertools.pairwise(points))


def arrow_head(point: Place, way: int) -> str:
    """The head of an arrow at an end of an edge: `way` is where the edge goes from there, 1 to the
    right.
    """
    x, y = point
    return f"M{x + 8 * way:.0f} {y - 5:.0f}L{x:.0f} {y:.0f}L{x + 8 * way:.0f} {y + 5:.0f}"


def _bend(a: Place, b: Place) -> str:
    """A piece of an edge: level at both ends."""
    (x, y), (x2, y2) = a, b
    if abs(y - y2) < 1:
        return f"L{x2:.0f} {y2:.0f}"
    half = (x + x2) / 2
    return f"C{half:.0f} {y:.0f} {half:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def _box(css: str, x: float, y: float, *, round_: bool) -> str:
    at = f'x="{x - HALF_WIDE:.0f}" y="{y - HALF_HIGH:.0f}"'
    size = f'width="{2 * HALF_WIDE}" height="{2 * HALF_HIGH}"'
    return f'<rect class="{css}{" round" * round_}" {at} {size}/>'


def operation_sign(node: GraphNode) -> str:
    """What a node does, in a few letters: ×, σ, exp; with a constant where it has one, ×2."""
    if node.call is None:
        return ""
    name = node.operation.name
    sign = _SIGNS.get(name, name)
    constants = [part for part in node.call.arguments if isinstance(part, Number)]
    if len(constants) != 1 or len(node.call.arguments) != 2 or name not in _SIGNED:
        return sign
    text = number.shown(constants[0].number, 2)
    if name == "**":
        return f"x{text.translate(_RAISED)}" if isinstance(node.call.arguments[1], Number) else sign
    first = node.call.arguments[0] is constants[0]
    return f"{text}{sign}" if first and name in {"-", "/"} else f"{sign}{text}"


_SIGNED = frozenset({"+", "-", "*", "/", "**"})
_RAISED = str.maketrans("0123456789−.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")


@lru_cache(4096)
def _said_of(name: str, operation: str, shape: tuple[int, ...]) -> str:
    what = f"{name}: {operation}" if operation else f"{name}: given"
    return what + (f", {shape_words(shape)}" if shape else "")


def _said(node: GraphNode) -> str:
    return _said_of(node.name, "" if node.given else node.operation.title, node.shape)


THUMB_HIGH = 92
THUMB_WIDE = 200


def graph_thumbnail(layout: GraphLayout, title: str) -> Markup:
    """A small picture of a graph's shape, without names and numbers."""
    xs, ys = zip(*layout.spots.values(), strict=True)
    across, down = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    scale = min((THUMB_WIDE - 24) / across, (THUMB_HIGH - 24) / down, 0.5)
    left, top = 12 - min(xs) * scale, THUMB_HIGH / 2 - (min(ys) + down / 2) * scale

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return left + place[0] * scale, top + place[1] * scale

    lines = "".join(
        "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in map(at, wire.points)) for wire in layout.wires
    )
    dots = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5.5"/>' for x, y in map(at, layout.spots.values())
    )
    wide, said = round(across * scale) + 24, attribute(title)
    return trusted(
        f'<svg class="thumb" viewBox="0 0 {wide} {THUMB_HIGH}" width="{wide}" '
        f'height="{THUMB_HIGH}" role="img" aria-label="{said}"><title>{said}</title>'
        f'<path d="{lines}"/>{dots}</svg>'
    )

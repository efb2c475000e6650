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
from tutor.draw.marks import SIZE_NAMES, SIZES, Room, fitted, italic, ring, symbol, was
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

    def state(self, kind: str) -> str:
        """What the step does with a node or a derivative: " makes", " uses" or ""."""
        if any(q.kind == kind for q in self.makes):
            return " makes"
        return " uses" if any(q.kind == kind for q in self.uses) else ""

    def reaches(self, kind: str) -> bool:
        """Whether the step goes along the edges by which a node or a derivative is computed."""
        state = self.state(kind)
        return state == " makes" or (self.whole_way and state != "")

    def touched(self, kind: str) -> Quantity | None:
        """The number of an array that the step is about."""
        numbers = (*self.makes, *self.uses)
        return min((q for q in numbers if q.kind == kind), default=None)


def draw_graph(scene: GraphScene) -> Markup:
    """The picture of a step as one `<svg>`."""
    layout, graph = scene.layout, scene.graph
    nodes = counted(len(graph.nodes), "node")
    title = f"Computation graph of {graph.result.name}, {nodes}"
    css = "net graph" + (
        " wide" if layout.width > _WIDE else " mid" if layout.width > _MIDDLING else ""
    )
    box = f"0 0 {layout.width} {layout.height + FOOT}"
    head = (
        f'<svg class="{css}" viewBox="{box}" width="{layout.width}" '
        f'height="{layout.height + FOOT}" role="img" aria-label="{title}"><title>{title}</title>'
    )
    about = f"<desc>{attribute(scene.caption)}</desc>" if scene.caption else ""
    parts = [*_wires(scene), *_nodes(scene), *_footer(scene)]
    return trusted(f"{head}{about}{''.join(parts)}</svg>")


# ---- edges ----


def _wires(scene: GraphScene) -> Iterator[str]:
    for wire in scene.layout.wires:
        yield _wire(scene, wire)
    for kind in sorted(scene.layout.cut_in):
        x, y = scene.layout.spots[kind]
        yield f'<path class="wires todo" d="M{x - HALF_WIDE - 20:.0f} {y:.0f}h18"/>'
    for kind in sorted(scene.layout.cut_out):
        x, y = scene.layout.spots[kind]
        yield f'<path class="wires todo" d="M{x + HALF_WIDE + 2:.0f} {y:.0f}h18"/>'
    for wire in scene.layout.wires:
        yield _local(scene, wire)


def _wire(scene: GraphScene, wire: Wire) -> str:
    points = _ends(scene, wire)
    path = through(points)
    state = _flows(scene, wire)
    if not state:
        return f'<path class="wires" d="{path}"/>'
    back = scene.phase == BACKWARD
    head = arrow_head(points[0], 1) if back else arrow_head(points[-1], -1)
    return f'<path class="{"g" if back else "a"} uses line" d="{path}{head}"/>'


def _ends(scene: GraphScene, wire: Wire) -> list[tuple[float, float]]:
    commutes = scene.graph.nodes[wire.target].operation.name in _COMMUTES
    return scene.layout.ends(wire, by_height=commutes)


_COMMUTES = frozenset({"+", "*", "max", "min"})
"""Operations whose inputs have no order; their edges come in from above to below."""


def through(points: Sequence[tuple[float, float]]) -> str:
    """The `d` of an edge by way of these points."""
    start = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    return start + "".join(_bend(a, b) for a, b in itertools.pairwise(points))


def arrow_head(point: tuple[float, float], way: int) -> str:
    """The head of an arrow at an end of an edge: `way` is where the edge goes from there, 1 to the
    right.
    """
    x, y = point
    return f"M{x + 8 * way:.0f} {y - 5:.0f}L{x:.0f} {y:.0f}L{x + 8 * way:.0f} {y + 5:.0f}"


def _bend(a: tuple[float, float], b: tuple[float, float]) -> str:
    """A piece of an edge: level at both ends."""
    (x, y), (x2, y2) = a, b
    if abs(y - y2) < 1:
        return f"L{x2:.0f} {y2:.0f}"
    half = (x + x2) / 2
    return f"C{half:.0f} {y:.0f} {half:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def _flows(scene: GraphScene, wire: Wire) -> bool:
    """Whether the step goes along an edge."""
    if scene.phase == BACKWARD:
        below, above = (_derivative(scene, kind) for kind in (wire.source, wire.target))
        return scene.reaches(below) and scene.state(above) != ""
    return scene.reaches(wire.target) and scene.state(wire.source) != ""


def _derivative(scene: GraphScene, kind: str) -> str:
    return scene.graph.derivative(scene.graph.nodes[kind]).kind


def _local(scene: GraphScene, wire: Wire) -> str:
    """The local derivative, where backward has come along the edge."""
    known = scene.local(wire)
    if known is None:
        return ""
    text, _, size = fitted(known, scene.decimals, EDGE_ROOM)
    points = _ends(scene, wire)
    (x, y), (x2, y2) = points[-2], points[-1]
    near = 0.62
    at = x + (x2 - x) * near, y + (y2 - y) * near
    css = " ".join(filter(None, ("d", SIZE_NAMES[max(size, 1)])))
    return f'<text class="{css}" x="{at[0]:.0f}" y="{at[1] - 3:.0f}">{text}</text>'


# ---- nodes ----


def _nodes(scene: GraphScene) -> Iterator[str]:
    for kind, (x, y) in scene.layout.spots.items():
        node = scene.graph.nodes[kind]
        back = _derivative(scene, kind)
        states = {scene.state(kind), scene.state(back)}
        css = "makes" if " makes" in states else "uses" if " uses" in states else ""
        role = "g" if scene.state(back) else "a"
        yield _box(f"{role} {css}".strip(), x, y, round_=node.given)
        yield from _words(scene, node, x, y)
        yield from _number(scene, kind, node, x, y - HALF_HIGH - 5, "a")
        if kind in scene.graph.needed:
            yield from _number(scene, back, node, x, y + HALF_HIGH + 18, "g")


def _box(css: str, x: float, y: float, *, round_: bool) -> str:
    at = f'x="{x - HALF_WIDE:.0f}" y="{y - HALF_HIGH:.0f}"'
    size = f'width="{2 * HALF_WIDE}" height="{2 * HALF_HIGH}"'
    return f'<rect class="{css}{" round" * round_}" {at} {size}/>'


def _words(scene: GraphScene, node: GraphNode, x: float, y: float) -> Iterator[str]:
    """The operation and the name of a node, in type that fits."""
    name, sign = symbol(scene.alphabet.symbol(Quantity(node.kind))), operation_sign(node)
    letters = len(node.name) + (1.3 + 0.8 * len(sign) if sign else 0)
    css = "n" if letters < 5.5 else "n small" if letters < 7 else "n tiny"
    if letters > 10:
        name, css = italic(node.name[: 9 - len(sign)] + "…"), "n tiny"
    op = f'<tspan class="op">{attribute(sign)}</tspan> ' if sign else ""
    yield (
        f'<text class="{css}" x="{x:.0f}" y="{y + 5:.0f}"><title>{attribute(_said(node))}</title>'
        f"{op}{name}</text>"
    )


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


def _number(
    scene: GraphScene, kind: str, node: GraphNode, x: float, y: float, role: str
) -> Iterator[str]:
    """The number of a node or the derivative with respect to it; of an array the one that the step
    is about, else its shape. What is not computed yet is a dashed place.
    """
    q = scene.touched(kind) or (next(node.entries(kind)) if node.shape else Quantity(kind))
    known, state = scene.value(q), scene.state(kind).strip()
    if known is None:
        yield (f'<path class="todo" data-q="{q}" d="M{x - 11:.0f} {y - 4:.0f}h22"/>')
        return
    if node.shape and not scene.touched(kind):
        shape = "×".join(map(str, node.shape))
        yield f'<text class="small {role}" x="{x:.0f}" y="{y:.0f}">[{shape}]</text>'
        return
    text, em, size = fitted(known, scene.decimals, ROOM)
    if node.shape:
        text = f"{str(q)[str(q).rindex('[') :]} {text}"
        em, size = em + 1.2 + 0.5 * len(node.shape), 1
    css = " ".join(filter(None, (state, SIZE_NAMES[size])))
    mark = f' class="{css}"' if css else ""
    written = f'<text{mark} data-q="{q}" x="{x:.0f}" y="{y:.0f}">{text}</text>'
    if state == "makes":
        yield ring(f"{role} makes", x, y, em * SIZES[size] * 7, 16)
    old = scene.changed.get(q)
    yield was(written, x + em * 7, y, f"was {old}") if old is not None else written


def _footer(scene: GraphScene) -> Iterator[str]:
    y = scene.layout.height + FOOT - 8
    if scene.phase:
        yield f'<text class="flow" x="6" y="{y}">{FLOW[scene.phase]}</text>'
    said = LEGEND if scene.layout.width > 620 else ""
    if scene.layout.left_out:
        nodes = counted(scene.layout.left_out, "node")
        said = f"{nodes} further away {'is' if scene.layout.left_out == 1 else 'are'} not drawn"
    if said:
        yield f'<text class="s" x="{110 if scene.phase else 6}" y="{y}">{said}</text>'


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

"""Where the nodes of a computation graph stand: columns from the values to the result, few
crossings, the same at every step.

    laid_out(graph)             the whole graph, or of a large one the part round the result
    laid_out(graph, round)      of a large one the part round these nodes
    arranged(vertices)          any other graph: nodes with their inputs, and how high they are

Each node stands one column right of the last node that it is made of; values stand left of the
first node that uses them. Edges that pass a column take a place in it, so that they go between its
nodes. The order within a column is found by going back and forth and taking the mean of the
neighbours' places; of all orders that come up the one with the fewest crossings is kept.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import fmean

from tutor.engine.graph import Graph

MOST_DRAWN, PART = 40, 22
"""Of a graph with more nodes than this a part is drawn, of so many nodes."""
BRANCHES = 3
"""So many neighbours of a node on each side are followed further."""
SWEEPS, SMOOTHINGS = 12, 60
COLUMN, ROW, NARROW = 128, 74, 26
"""The pitch of columns; the pitch of nodes, and of edges that pass."""
HALF_WIDE, HALF_HIGH = 27, 14
"""Half the size of a node."""
TOP, BOTTOM = 30, 34
LEFT = 38


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node as its place depends on it: as which of its inputs it takes which others, whether it
    is given, and the room that it needs above and below its middle.
    """

    inputs: tuple[tuple[int, str], ...]
    given: bool
    up: float = ROW / 2
    down: float = ROW / 2


@dataclass(frozen=True, slots=True)
class Pitch:
    """How far columns are apart, half the width of a node, and the room at the sides."""

    column: int = COLUMN
    half: int = HALF_WIDE
    side: int = LEFT


USUAL = Pitch()


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge: from a node to the input `k` of another, by way of these points."""

    source: str
    target: str
    k: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class GraphLayout:
    """Where everything stands; keys are the kinds of nodes."""

    spots: Mapping[str, tuple[float, float]]
    wires: tuple[Wire, ...]
    width: int
    height: int
    left_out: int
    """How many nodes are not drawn."""
    cut_in: frozenset[str]
    """Nodes of which not all inputs are drawn."""
    cut_out: frozenset[str]
    """Nodes of which not all uses are drawn."""
    half: int = HALF_WIDE
    """Half the width of a node."""

    @cached_property
    def crossings(self) -> int:
        """How many pairs of edges cross, counted from column to column."""
        gaps: dict[float, list[tuple[float, float]]] = {}
        for wire in self.wires:
            for (x, y), (_, below) in zip(wire.points, wire.points[1:], strict=False):
                gaps.setdefault(x, []).append((y, below))
        return sum(_inversions(sorted(pairs)) for pairs in gaps.values())

    def ends(self, wire: Wire, *, by_height: bool) -> list[tuple[float, float]]:
        """The points of an edge: it leaves a node at its right and comes in at its left, each
        input a little lower than the one before. `by_height`: in the order in which they come,
        where the inputs have none.
        """
        (x, y), *between, (x2, y2) = wire.points
        others = self.into[wire.target]
        if by_height:
            others = sorted(others, key=lambda other: (other.points[-2][1], other.k))
        place, count = others.index(wire), len(others)
        shift = (place - (count - 1) / 2) * min(8.0, 2.0 * HALF_HIGH / count)
        return [(x + self.half, y), *between, (x2 - self.half, y2 + shift)]

    @cached_property
    def into(self) -> dict[str, list[Wire]]:
        """The edges into each node, in the order of its inputs."""
        found: dict[str, list[Wire]] = {}
        for wire in self.wires:
            found.setdefault(wire.target, []).append(wire)
        return {kind: sorted(wires, key=lambda wire: wire.k) for kind, wires in found.items()}


def laid_out(graph: Graph, focus: Iterable[str] = ()) -> GraphLayout:
    """The layout of a graph; of one that is too large the part round some nodes, or round the
    result where none are named.
    """
    if len(graph.nodes) <= MOST_DRAWN:
        return _whole(graph)
    chosen = _chosen(graph, [kind for kind in focus if kind in graph.nodes] or [graph.result.kind])
    return _Sugiyama(_vertices(graph), chosen, USUAL).layout()


@lru_cache(maxsize=64)  # as many as graphs are kept
def _whole(graph: Graph) -> GraphLayout:
    """The layout of all nodes, which does not depend on their numbers: once for all views."""
    return arranged(_vertices(graph))


def arranged(vertices: Mapping[str, Vertex], pitch: Pitch = USUAL) -> GraphLayout:
    """The layout of all nodes of any graph; each is named behind those that it is made of."""
    return _Sugiyama(vertices, list(vertices), pitch).layout()


def _vertices(graph: Graph) -> dict[str, Vertex]:
    """The nodes of a formula."""
    found = {}
    for kind, node in graph.nodes.items():
        arguments = enumerate(node.call.arguments if node.call else ())
        kinds = ((k, getattr(leaf, "kind", "")) for k, leaf in arguments)
        found[kind] = Vertex(tuple((k, other) for k, other in kinds if other), node.given)
    return found


def _chosen(graph: Graph, focus: list[str]) -> list[str]:
    """The nodes to draw, in the graph's own order: those nearest to some."""
    found = dict.fromkeys(focus[:PART])
    waiting = deque(found)
    while waiting and len(found) < PART:
        kind = waiting.popleft()
        users = [use.by.kind for use in graph.uses.get(kind, ())[:BRANCHES]]
        for other in (*users, *graph.nodes[kind].inputs[:BRANCHES]):
            if other not in found and len(found) < PART:
                found[other] = None
                waiting.append(other)
    return [kind for kind in graph.nodes if kind in found]


class _Sugiyama:
    """Columns, places for what passes, order, heights."""

    def __init__(self, vertices: Mapping[str, Vertex], chosen: list[str], pitch: Pitch) -> None:
        self.vertices, self.chosen, self.pitch = vertices, chosen, pitch
        self.inside = frozenset(chosen)
        self.users: dict[str, list[str]] = {}
        for kind, vertex in vertices.items():
            for _, other in vertex.inputs:
                self.users.setdefault(other, []).append(kind)
        self.column = self._columns()
        self.edges = list(self._edges())
        self.chains = [self._chain(n, edge) for n, edge in enumerate(self.edges)]

    def _inputs(self, kind: str) -> list[tuple[int, str]]:
        """Which drawn nodes a node is made of: (as which of its inputs, the node)."""
        return [(k, other) for k, other in self.vertices[kind].inputs if other in self.inside]

    def _columns(self) -> dict[str, int]:
        """The column of each node, from 0."""
        found: dict[str, int] = {}
        for kind in self.chosen:
            if not self.vertices[kind].given:
                before = [found[other] for _, other in self._inputs(kind) if other in found]
                found[kind] = 1 + max(before, default=0)
        for kind in self.chosen:
            if self.vertices[kind].given:
                uses = [found[user] for user in self.users.get(kind, ()) if user in found]
                found[kind] = min(uses, default=1) - 1
        least = min(found.values())
        return {kind: column - least for kind, column in found.items()}

    def _edges(self) -> Iterator[tuple[str, str, int]]:
        for kind in self.chosen:
            for k, other in self._inputs(kind):
                yield other, kind, k

    def _chain(self, n: int, edge: tuple[str, str, int]) -> list[str]:
        """A node, the places in the columns that the edge passes, the next node."""
        source, target, _ = edge
        between = range(self.column[source] + 1, self.column[target])
        passing = [f"pass {n} {column}" for column in between]
        self.column.update(zip(passing, between, strict=True))
        return [source, *passing, target]

    def layout(self) -> GraphLayout:
        order = self._ordered()
        heights = self._heights(order)
        rooms = [(self._room(kind), heights[kind]) for kind in self.chosen]
        top = max(TOP, *(up + TOP - ROW / 2 - y for (up, _), y in rooms))
        high = max(*heights.values(), *(y + down - ROW / 2 for (_, down), y in rooms))
        left, column = self.pitch.side, self.pitch.column
        spots = {kind: (left + column * self.column[kind], top + y) for kind, y in heights.items()}
        wires = tuple(
            Wire(source, target, k, tuple(spots[place] for place in chain))
            for (source, target, k), chain in zip(self.edges, self.chains, strict=True)
        )
        return GraphLayout(
            {kind: spots[kind] for kind in self.chosen}, wires,
            left * 2 + column * max(self.column.values()), round(high) + round(top) + BOTTOM,
            len(self.vertices) - len(self.chosen),
            frozenset(
                kind for kind in self.chosen
                if any(other not in self.inside for _, other in self.vertices[kind].inputs)
            ),
            frozenset(
                kind for kind in self.chosen
                if any(user not in self.inside for user in self.users.get(kind, ()))
            ),
            self.pitch.half,
        )  # fmt: skip

    def _room(self, place: str) -> tuple[float, float]:
        """The room that a node needs above and below, or an edge that passes."""
        vertex = self.vertices.get(place)
        return (vertex.up, vertex.down) if vertex else (NARROW / 2, NARROW / 2)

    def _offsets(self, column: list[str]) -> list[float]:
        """How far each place of a column must be from its first at least."""
        found = [0.0] if column else []
        for above, below in itertools.pairwise(column):
            found.append(found[-1] + self._room(above)[1] + self._room(below)[0])
        return found

    # ---- the order within the columns ----

    def _ordered(self) -> list[list[str]]:
        columns: list[list[str]] = [[] for _ in range(max(self.column.values()) + 1)]
        for place in self._by_depth():
            columns[self.column[place]].append(place)
        left: dict[str, list[str]] = {}
        right: dict[str, list[str]] = {}
        for chain in self.chains:
            for a, b in itertools.pairwise(chain):
                right.setdefault(a, []).append(b)
                left.setdefault(b, []).append(a)
        best, fewest = columns, self._crossings(columns, right)
        for sweep in range(SWEEPS):
            if not fewest:
                break
            columns = _swept(columns, left if sweep % 2 else right, backwards=not sweep % 2)
            columns = _swapped(columns, right)
            crossings = self._crossings(columns, right)
            if crossings < fewest:
                best, fewest = columns, crossings
        return best

    def _by_depth(self) -> Iterator[str]:
        """Every place, from the result back along its inputs: neighbours stand near each other."""
        into: dict[str, list[list[str]]] = {}
        for chain in self.chains:
            into.setdefault(chain[-1], []).append(chain)
        seen: set[str] = set()
        waiting = list(self.chosen)
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            yield place
            for chain in reversed(into.get(place, [])):
                passing = [p for p in chain[1:-1] if p not in seen]
                seen.update(passing)
                yield from passing
                waiting.append(chain[0])

    def _crossings(self, columns: list[list[str]], right: Mapping[str, list[str]]) -> int:
        total = 0
        for here, there in itertools.pairwise(columns):
            rank = {place: n for n, place in enumerate(there)}
            pairs = [(n, rank[b]) for n, a in enumerate(here) for b in right.get(a, ())]
            total += _inversions(sorted(pairs))
        return total

    # ---- heights ----

    def _heights(self, columns: list[list[str]]) -> dict[str, float]:
        """How far down each place is: near the mean of its neighbours, and never too close to the
        one above it.
        """
        y: dict[str, float] = {}
        offsets = [self._offsets(column) for column in columns]
        for column, down in zip(columns, offsets, strict=True):
            y.update(zip(column, down, strict=True))
        near: dict[str, list[str]] = {}
        for chain in self.chains:
            for a, b in itertools.pairwise(chain):
                near.setdefault(a, []).append(b)
                near.setdefault(b, []).append(a)
        for turn in range(SMOOTHINGS):
            for n in range(len(columns)) if turn % 2 else reversed(range(len(columns))):
                wanted = [fmean([y[other] for other in near.get(p, [p])]) for p in columns[n]]
                y.update(zip(columns[n], _spread(offsets[n], wanted), strict=True))
        least = min(y.values(), default=0.0)
        return {place: down - least for place, down in y.items()}


def _swept(
    columns: list[list[str]], near: Mapping[str, list[str]], *, backwards: bool
) -> list[list[str]]:
    """Each column in the order of the mean place of its neighbours on one side."""
    found = [list(column) for column in columns]
    turns = range(len(found) - 2, -1, -1) if backwards else range(1, len(found))
    for n in turns:
        rank = {place: at for at, place in enumerate(found[n + 1 if backwards else n - 1])}
        own = {place: at for at, place in enumerate(found[n])}

        def mean(place: str, rank: Mapping[str, int] = rank, own: Mapping[str, int] = own) -> float:
            there = [rank[other] for other in near.get(place, ()) if other in rank]
            return fmean(there) if there else float(own[place])

        found[n].sort(key=lambda place: (mean(place), own[place]))
    return found


def _swapped(columns: list[list[str]], right: Mapping[str, list[str]]) -> list[list[str]]:
    """The same with neighbours swapped where that takes crossings away."""
    left: dict[str, list[str]] = {}
    for a, others in right.items():
        for b in others:
            left.setdefault(b, []).append(a)
    for n, column in enumerate(columns):
        sides = []
        for near, other in ((left, n - 1), (right, n + 1)):
            if 0 <= other < len(columns):
                sides.append((near, {place: at for at, place in enumerate(columns[other])}))
        for at in range(len(column) - 1):
            a, b = column[at], column[at + 1]
            gain = 0
            for near, rank in sides:
                pairs = [(rank[p], rank[q]) for p in near.get(a, ()) for q in near.get(b, ())]
                gain += sum(p > q for p, q in pairs) - sum(p < q for p, q in pairs)
            if gain > 0:
                column[at], column[at + 1] = b, a
    return columns


def _spread(offsets: list[float], wanted: list[float]) -> list[float]:
    """Places as near to the wanted ones as their distances allow: those that would be too close
    share their mean.
    """
    blocks: list[tuple[float, int, float]] = []  # (sum of wanted tops, how many, top)
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while blocks and blocks[-1][2] > total / count:
            before, many, _ = blocks.pop()
            total, count = total + before, count + many
        blocks.append((total, count, total / count))
    tops = [top for _, count, top in blocks for _ in range(count)]
    return [top + offset for top, offset in zip(tops, offsets, strict=True)]


def _inversions(pairs: list[tuple[float, float]]) -> int:
    """How many pairs of edges cross that go from one column to the next; sorted by their start."""
    seen: list[float] = []
    found = 0
    for _, end in pairs:
        found += len(seen) - bisect_right(seen, end)
        insort(seen, end)
    return found

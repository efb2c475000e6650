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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
    is given, and the room that it needs above, below and beside its middle.
    """

    inputs: tuple[tuple[int, str], ...]
    given: bool
    up: float = ROW / 2
    down: float = ROW / 2
    beside: float = 0
    row: str = ""
    """Nodes of one row stand from above to below as they are named, where that costs nothing."""


@dataclass(frozen=True, slots=True)
class Pitch:
    """How far columns are apart at least, half the width of a node, the room at the sides."""

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

    def ends(self, wire: Wire, *, by_height: bool, level: int = 0) -> list[tuple[float, float]]:
        """The points of an edge: it leaves a node at its right and comes in at its left, each
        input a little lower than the one before. `by_height`: in the order in which they come,
        where the inputs have none. `level`: how far from the middle of a column an edge that passes
        it is level.
        """
        (x, y), *between, (x2, y2) = wire.points
        others = self.into[wire.target]
        if by_height:
            others = sorted(others, key=lambda other: (other.points[-2][1], other.k))
        place, count = others.index(wire), len(others)
        shift = (place - (count - 1) / 2) * min(8.0, 2.0 * HALF_HIGH / count)
        if level:
            between = [(x + side, y) for x, y in between for side in (-level, level)]
        return [(x + self.half, y), *between, (x2 - self.half, y2 + shift)]

    def widened(self, after: Collection[float], by: int) -> GraphLayout:
        """The same with everything right of some columns further right."""

        def moved(x: float) -> float:
            return x + by * sum(x > column for column in after)

        spots = {key: (moved(x), y) for key, (x, y) in self.spots.items()}
        wires = tuple(
            replace(wire, points=tuple((moved(x), y) for x, y in wire.points))
            for wire in self.wires
        )
        width = self.width + by * len(after)
        return replace(self, spots=spots, wires=wires, width=width)

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


def arranged(
    vertices: Mapping[str, Vertex], pitch: Pitch = USUAL, *, apart: bool = False
) -> GraphLayout:
    """The layout of all nodes of any graph; each is named behind those that it is made of.
    `apart`: what a node is given for itself has a column of its own, so that the edges of others
    can go round it.
    """
    return _Sugiyama(vertices, list(vertices), pitch, apart=apart).layout()


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

    def __init__(
        self,
        vertices: Mapping[str, Vertex],
        chosen: list[str],
        pitch: Pitch,
        *,
        apart: bool = False,
    ) -> None:
        self.vertices, self.chosen, self.pitch, self.apart = vertices, chosen, pitch, apart
        self.inside = frozenset(chosen)
        self.users: dict[str, list[str]] = {}
        for kind, vertex in vertices.items():
            for _, other in vertex.inputs:
                self.users.setdefault(other, []).append(kind)
        self.rank = {kind: n for n, kind in enumerate(vertices)}
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
                inputs = [other for _, other in self._inputs(kind)]
                before = [found[other] for other in inputs if other in found]
                found[kind] = 1 + self._is_apart(inputs) + max(before, default=0)
        for kind in self.chosen:
            if self.vertices[kind].given:
                uses = [found[user] for user in self.users.get(kind, ()) if user in found]
                found[kind] = min(uses, default=1) - 1 - (self.apart and not self._is_alone(kind))
        least = min(found.values())
        return {kind: column - least for kind, column in found.items()}

    def _is_alone(self, kind: str) -> bool:
        """Whether a node is given, and for one other."""
        return self.vertices[kind].given and len(self.users.get(kind, ())) < 2

    def _is_apart(self, inputs: list[str]) -> bool:
        """Whether what a node is given for itself has a column between it and the others."""
        alone = sum(map(self._is_alone, inputs))
        return self.apart and 0 < alone < len(inputs)

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
        xs, width = self._across(order)
        spots = {kind: (xs[self.column[kind]], top + y) for kind, y in heights.items()}
        wires = tuple(
            Wire(source, target, k, tuple(spots[place] for place in chain))
            for (source, target, k), chain in zip(self.edges, self.chains, strict=True)
        )
        return GraphLayout(
            {kind: spots[kind] for kind in self.chosen}, wires,
            width, round(high) + round(top) + BOTTOM,
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

    def _across(self, columns: list[list[str]]) -> tuple[list[int], int]:
        """Where the columns are, as far apart as what stands beside their nodes needs, and how wide
        the picture is.
        """
        given = self.vertices
        halves = [
            max((given[place].beside for place in column if place in given), default=0)
            for column in columns
        ]
        side = self.pitch.side
        xs = [max(side, round(halves[0]))]
        for left, right in itertools.pairwise(halves):
            xs.append(xs[-1] + max(self.pitch.column, round(left + right)))
        return xs, xs[-1] + max(side, round(halves[-1]))

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
        """The order in every column: of two beginnings the one that leads to fewer crossings, then
        to more rows in order.
        """
        left: dict[str, list[str]] = {}
        right: dict[str, list[str]] = {}
        for chain in self.chains:
            for a, b in itertools.pairwise(chain):
                right.setdefault(a, []).append(b)
                left.setdefault(b, []).append(a)
        ways = [self._improved(turn, left, right) for turn in (False, True)]
        return min(ways, key=lambda way: (self._crossings(way, right), self._out_of_order(way)))

    def _improved(
        self, turn: bool, left: Mapping[str, list[str]], right: Mapping[str, list[str]]
    ) -> list[list[str]]:
        columns: list[list[str]] = [[] for _ in range(max(self.column.values()) + 1)]
        for place in self._by_depth(turn=turn):
            columns[self.column[place]].append(place)
        best, fewest = columns, self._crossings(columns, right)
        for sweep in range(SWEEPS):
            if not fewest:
                break
            columns = _swept(columns, left if sweep % 2 else right, backwards=not sweep % 2)
            columns = _swapped(columns, right)
            crossings = self._crossings(columns, right)
            if crossings < fewest:
                best, fewest = columns, crossings
        return self._in_rows(best, right)

    def _in_rows(self, columns: list[list[str]], right: Mapping[str, list[str]]) -> list[list[str]]:
        """The same, upside down where that brings more rows in order, with neighbours swapped that
        need not stand the other way.
        """
        upside_down = [column[::-1] for column in columns]
        columns = min(columns, upside_down, key=self._out_of_order)
        for _ in range(max(map(len, columns))):
            before, columns = columns, _swapped(columns, right, self._is_out_of_order)
            if columns == before:
                break
        return columns

    def _out_of_order(self, columns: list[list[str]]) -> int:
        """How many pairs of the same row stand the wrong way."""
        pairs = (pair for column in columns for pair in itertools.combinations(column, 2))
        return sum(map(self._is_out_of_order, pairs))

    def _is_out_of_order(self, pair: tuple[str, str]) -> bool:
        a, b = map(self.vertices.get, pair)
        if a is None or b is None or not a.row or a.row != b.row:
            return False
        return self.rank[pair[0]] > self.rank[pair[1]]

    def _by_depth(self, *, turn: bool) -> Iterator[str]:
        """Every place, from the result back along its inputs: neighbours stand near each other.
        `turn`: the edges that pass columns in the order of the inputs.
        """
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
            chains = into.get(place, [])
            for chain in chains if turn else reversed(chains):
                passing = [p for p in chain[1:-1] if p not in seen]
                seen.update(passing)
                yield from passing
            waiting += [chain[0] for chain in reversed(chains)]

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


def _swapped(
    columns: list[list[str]],
    right: Mapping[str, list[str]],
    is_better: Callable[[tuple[str, str]], bool] = lambda _: False,
) -> list[list[str]]:
    """The same with neighbours swapped where that takes crossings away, or where a pair is better
    the other way and that costs none.
    """
    columns = [list(column) for column in columns]
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
            if gain > 0 or (gain == 0 and is_better((a, b))):
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

"""Paths of the chain rule as coloured routes through the network diagram.

    with_routes(drawn, network, routes) -> NetworkDrawing

A route leads from a number to the loss, card by card, and along the line of each weight that it
uses. Routes lie behind the numbers, side by side; each has a dash and a number of its own, so that
colour is never alone. `static/paths.css` has their colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import dist

from tutor.draw.diagram import NetworkDrawing
from tutor.draw.layout import LOSS_HALF, Column, Layout, Place
from tutor.engine.network import Network
from tutor.engine.quantity import Quantity
from tutor.notation.markup import attribute

STYLES = 6
"""How many colours and dashes there are."""
APART, SPREAD = 5.0, 26.0
"""How far one route is from the next, and all of them together at most, in a card."""

ROOM = 16.0
"""The least width of a place for the number of a route."""
SHARES = (0.5, 0.3, 0.7)
"""Where it may stand on its way through such a place."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path: its number from 1, where it leads, and whether it is the one that is chosen."""

    n: int
    stops: tuple[Quantity, ...]
    """From the number up to the last one before the loss."""
    title: str
    chosen: bool = False

    @property
    def style(self) -> int:
        """Which colour and dash it has, from 1."""
        return (self.n - 1) % STYLES + 1


def with_routes(drawn: NetworkDrawing, network: Network, routes: Sequence[Route]) -> NetworkDrawing:
    """The same picture with routes behind its numbers."""
    step = min(APART, SPREAD / max(len(routes), 1))
    middle = (len(routes) - 1) / 2
    ways = [
        _way(drawn.layout, network, route.stops, (k - middle) * step)
        for k, route in enumerate(routes)
    ]
    lines = map(_drawn, routes, ways, _labels(drawn.layout, ways))
    return replace(drawn, parts=("".join(lines), *drawn.parts))


def _drawn(route: Route, ways: list[list[Place]], label: Place) -> str:
    d = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in way) for way in ways)
    x, y = label
    css = f"route path-{route.n}" + " current" * route.chosen
    return (
        f'<g class="{css}"><title>{attribute(route.title)}</title>'
        f'<path class="way-{route.style}" d="{d}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
        f'<text x="{x:.1f}" y="{y + 4.5:.1f}">{route.n}</text></g>'
    )


def _labels(layout: Layout, routes: Sequence[list[list[Place]]]) -> Iterator[Place]:
    """Where the number of each route stands: behind a card, where no numbers are, and as far from
    those before it as can be.
    """
    behind = {layout.right(column) for column in layout.columns}
    taken: list[Place] = []
    for ways in routes:
        free = [
            (ax + (bx - ax) * share, ay + (by - ay) * share)
            for way in ways
            for (ax, ay), (bx, by) in pairwise(way)
            if ax in behind and bx - ax > ROOM
            for share in SHARES
        ]
        found = max(
            free or [_middle([place for way in ways for place in way])],
            key=lambda place: min((dist(place, other) for other in taken), default=0),
        )
        taken.append(found)
        yield found


def _way(
    layout: Layout, network: Network, stops: tuple[Quantity, ...], shift: float
) -> list[list[Place]]:
    """The places that a route passes; in several pieces where it follows a skip connection."""
    columns = {column.layer: column for column in layout.columns}
    way: list[Place] = []
    ways = [way]
    first = stops[0]
    if not first.of.per_sample:
        _from_parameter(layout, network, columns, first, way, shift)
    elif first.layer in columns:
        way.append(_side(layout, columns[first.layer], first.i, shift))
    for below, here in pairwise((first, *stops)):
        column = columns.get(here.layer)
        if column is None or not here.of.per_sample or here == first:
            continue
        unit = _unit(column, here.i, layout)
        if here.of.residual and below.layer != here.layer:
            way = [(layout.right(column) - layout.cell / 2, unit + shift)]
            ways.append(way)
        elif below.of.per_sample and below.layer != here.layer:
            way.append(_line(layout, network, columns, here, below.i))
            way.append((column.x, unit + shift))
        elif below.i != here.i and column.slopes > 1 and here.i in dict(column.spots):
            # within a softmax by the derivative that stands in its matrix
            way.append(layout.place(column, dict(column.spots)[here.i], 1, below.i))
        if here.kind != "z":
            way.append((layout.right(column), unit + shift))
    x, y = layout.loss
    way.append((x - LOSS_HALF, y + shift / 2))
    return ways


def _from_parameter(
    layout: Layout,
    network: Network,
    columns: dict[int, Column],
    q: Quantity,
    way: list[Place],
    shift: float,
) -> None:
    """From a weight or bias in its list to the card of its unit."""
    column = columns.get(q.layer)
    if column is not None:
        way.append(_line(layout, network, columns, q, q.j))
        way.append((column.x, _unit(column, q.i, layout) + shift))


def _side(layout: Layout, column: Column, unit: int, shift: float) -> Place:
    """Where a route begins at a number of a card."""
    return column.x, _unit(column, unit, layout) + shift


def _unit(column: Column, unit: int, layout: Layout) -> float:
    """The height of a unit's card; of one that is left out the middle of the picture."""
    return dict(column.spots).get(unit, layout.middle)


def _line(
    layout: Layout, network: Network, columns: dict[int, Column], into: Quantity, j: int
) -> Place:
    """Where the weight from unit j (0: the bias) stands in the list of a unit."""
    column, y = columns[into.layer], _unit(columns[into.layer], into.i, layout)
    below = columns.get(into.layer - 1)
    biased = network.layer(into.layer).biases is not None
    listed = [0] * biased + [unit for unit, _ in (below.spots if below else ())]
    if not layout.listed or j not in listed:
        return layout.enters(column, y)
    x, at = layout.line(column, y, listed.index(j), len(listed))
    return x - 3, at


def _middle(places: list[Place]) -> Place:
    """The middle of the longest straight piece of a way."""
    (ax, ay), (bx, by) = max(pairwise(places), key=lambda ends: dist(*ends))
    return (ax + bx) / 2, (ay + by) / 2

"""The loss over two weights of a training, with the paths that its runs took, and both as tables.

surface_over(context, runs, chosen, when)   the picture with its tables
largest_movers(run)                         the weights that it is over where nobody chose
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tutor import number
from tutor.draw import charts, planes
from tutor.draw.charts import Key
from tutor.draw.marks import axis_name
from tutor.draw.planes import Area, Levels, Plane
from tutor.engine.network import Array, Network
from tutor.engine.quantity import Quantity
from tutor.engine.run import loss_on, movers, surface, value
from tutor.lesson.titles import capital
from tutor.notation.markup import Markup
from tutor.pages.context import Context
from tutor.pages.training_pictures import (
    DIGITS,
    MOST_ROWS,
    NumberTable,
    Picture,
    TableRow,
    some,
    span,
)
from tutor.pages.training_runs import Trained

CELLS = 21
"""Rows and columns of the loss surface."""
EVERY = 5
"""The table has every so many of them."""
HEIGHTS = 9
MOST_WORK = 40_000_000
"""Parameters times samples times cells of a surface: about a tenth of a second."""
ROOM = 0.35
"""Beyond the paths, as a part of their width."""
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a run over the surface, up to where it leaves the picture."""

    run: Trained
    networks: tuple[tuple[int, Network], ...]
    """(iterations done, the network after them)"""
    points: tuple[Point, ...]
    """Of the first ones, as many as are in the picture."""

    @property
    def name(self) -> str:
        return capital(self.run.name)


def largest_movers(run: Trained) -> tuple[Quantity, ...]:
    """The two parameters that changed most."""
    networks = run.networks()
    return tuple(movers(networks[0][1], networks[-1][1], 2)) if len(networks) > 1 else ()


def surface_over(
    context: Context,
    runs: Sequence[Trained],
    network: Network,
    chosen: Sequence[Quantity],
    when: str,
) -> Picture | None:
    """The loss over two parameters, all the others as in `network`; None where there are no two,
    where nothing has moved, or where it would take too long.
    """
    training = runs[0].run.training
    moved = [one for one in runs if len(one.networks()) > 1]
    if len(chosen) != 2 or not runs[0].last or not moved:
        return None
    if CELLS**2 * network.parameters * len(training.x) > MOST_WORK:
        return None
    first, second = chosen
    across, up, ways = _framed(moved, first, second)
    field = surface(network, training.x, training.y, (first, second), across, up)
    finite = field[np.isfinite(field)]
    if not finite.size or float(finite.min()) == float(finite.max()):
        return None
    line = context.line
    words = line.said(first), line.said(second)
    symbols = axis_name(line.alphabet, first), axis_name(line.alphabet, second)
    svg = planes.draw(_plane(field, finite, (across, up), ways, words, symbols, when))
    legend = tuple(Key(f"line-{way.run.style}", way.name) for way in ways)
    text = (
        "Each line joins places of equal loss; the stronger the colour, the lower. "
        f"All other parameters are as they are {when}; along the path they were different."
    )
    if network.rule.penalty:
        text += " The penalty is left aside."
    names = [context.line.quantity(q) for q in chosen]
    tables = (
        _heights(field, across, up, words, names),
        *(_path(way, *names, several=len(ways) > 1) for way in ways),
    )
    return Picture("Loss surface", svg, legend, text, tables)


def _framed(
    runs: Sequence[Trained], first: Quantity, second: Quantity
) -> tuple[Array, Array, list[Way]]:
    """Places across and up that hold the path of the first run, and others as far as they stay
    near it.
    """
    networks = [tuple(one.networks()) for one in runs]
    paths = [
        tuple((value(one, first), value(one, second)) for _, one in found) for found in networks
    ]
    points = np.array(paths[0])
    (left, right), (low, high) = (span(points[:, i], ROOM) for i in (0, 1))
    for path in paths[1:]:
        near = _near(path, (2 * left - right, 2 * right - left), (2 * low - high, 2 * high - low))
        points = np.array([*points, *near])
    across, up = (np.linspace(*span(points[:, i], ROOM), CELLS) for i in (0, 1))
    box = (float(across[0]), float(across[-1])), (float(up[0]), float(up[-1]))
    ways = [
        Way(run, found, _near(path, *box))
        for run, found, path in zip(runs, networks, paths, strict=True)
    ]
    return across, up, ways


def _near(path: tuple[Point, ...], across: Point, up: Point) -> tuple[Point, ...]:
    """A way up to where it leaves a box for the first time."""
    out = (
        at
        for at, (x, y) in enumerate(path)
        if not (across[0] <= x <= across[1] and up[0] <= y <= up[1])
    )
    return path[: max(1, next(out, len(path)))]


def _plane(
    field: Array,
    finite: Array,
    places: tuple[Array, Array],
    ways: Sequence[Way],
    words: tuple[str, str],
    symbols: tuple[Markup, Markup],
    when: str,
) -> Plane:
    heights = tuple(
        float(height) for height in np.unique(np.quantile(finite, np.linspace(0.04, 0.92, HEIGHTS)))
    )
    over = f"The loss over {' and '.join(words)}"
    about = (
        f"{over}; all other parameters are as they are {when}. "
        f"It goes from {charts.shown(float(finite.min()))} to "
        f"{charts.shown(float(finite.max()))}; the stronger the colour, the lower. "
        + " ".join(
            f"{way.name} goes from ({_pair(way.points[0])}) to ({_pair(way.points[-1])})."
            for way in ways
        )
    )
    return Plane(
        "surface", over, about, *symbols, *places,
        tuple(Area(height - field, "band") for height in heights),
        (Levels(field, heights, "level"),),
        paths=tuple((way.points, way.run.style) for way in ways),
    )  # fmt: skip


def _pair(point: Point) -> str:
    return ", ".join(number.shown(one, 3) for one in point)


# ---- the numbers ----


def _heights(
    field: Array,
    across: Array,
    up: Array,
    words: tuple[str, str],
    names: Sequence[Markup],
) -> NumberTable:
    """The loss at some places of the picture, its top row first."""
    places = range(0, CELLS, EVERY)
    rows = tuple(
        TableRow(_few(up[i]), "", tuple(_few(field[i, j]) for j in places))
        for i in reversed(places)
    )
    caption = (
        f"The loss over {words[0]} (across) and {words[1]} (up), at {len(places) ** 2} of the "
        f"{CELLS**2} places of the picture"
    )
    columns = tuple(_few(across[j]) for j in places)
    return NumberTable(caption, names[1], columns, rows, over=names[0])


def _path(way: Way, first: Markup, second: Markup, *, several: bool) -> NumberTable:
    """Some points of a way, with the loss of the network as it was there."""
    training = way.run.run.training
    shown = some(range(len(way.points)), MOST_ROWS)
    rows = []
    for at in shown:
        done, network = way.networks[at]
        loss = loss_on(network, training.x, training.y)
        rows.append(TableRow(f"{done:,}", "", tuple(map(_few, (*way.points[at], loss)))))
    last = way.networks[shown[-1]][0]
    caption = f"The path{f' with {way.run.name}' if several else ''}, "
    caption += "with the loss over all samples"
    if len(shown) <= last:
        caption += f"; {len(shown)} of its {last + 1:,} points, the others are left out"
    if len(way.points) < len(way.networks):
        caption += f"; after iteration {last:,} it leaves the picture"
    return NumberTable(caption, "Iterations done", (first, second, "Loss"), tuple(rows))


def _few(found: float) -> str:
    return number.shown(float(found), DIGITS)

"""Pictures over two numbers: the regions that a network tells apart, and a loss over two weights.

    draw(Plane(…)) -> one <svg>

Areas are where a field is above 0; levels are lines of equal height. Samples of different classes
differ by their shape as well as by their colour, wrong ones by a ring.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import contourpy
import numpy as np

from tutor import budget
from tutor.draw.charts import LEFT, RIGHT, TOP, Axis, Point, axes, dot, n, strokes, text, window
from tutor.draw.curves import simplified
from tutor.notation.markup import Markup, attribute, trusted

Array = np.ndarray

WIDTH, HEIGHT = 400, 348
BOTTOM = 306.0


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """Where a field (rows of y, columns of x) is above 0."""

    field: Array
    css: str


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Lines along which a field has these heights."""

    field: Array
    heights: tuple[float, ...]
    css: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Samples:
    """Points of a kind."""

    points: tuple[Point, ...]
    style: int
    css: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """What is drawn, over x and y at the grid's places."""

    key: str
    title: str
    about: str
    x_name: Markup | str
    y_name: Markup | str
    x: Array
    y: Array
    areas: tuple[Area, ...] = ()
    levels: tuple[Levels, ...] = ()
    samples: tuple[Samples, ...] = ()
    paths: tuple[tuple[tuple[Point, ...], int], ...] = ()
    """Ways through the plane, each with the style of its line; from a ring to a disc."""


def draw(plane: Plane) -> Markup:
    """The plane as one `<svg>`."""
    across = Axis(float(plane.x[0]), float(plane.x[-1]), LEFT, RIGHT)
    up = Axis(float(plane.y[0]), float(plane.y[-1]), BOTTOM, TOP)
    title, described = attribute(plane.title), f"plane-{plane.key}-about"
    body = [
        f'<title>{title}</title><desc id="{described}">{attribute(plane.about)}</desc>',
        *(_area(area, plane, across, up) for area in plane.areas),
        axes(across, up, plane.x_name, plane.y_name),
        *(_levels(levels, plane, across, up) for levels in plane.levels),
        *(_samples(samples, across, up) for samples in plane.samples),
        *(_way(points, style, across, up) for points, style in plane.paths),
    ]
    return trusted(
        f'<svg class="chart plane" viewBox="{window(up, HEIGHT)}" role="img" aria-label="{title}" '
        f'aria-describedby="{described}">{"".join(body)}</svg>'
    )


def _contours(field: Array, plane: Plane) -> Any:
    """What finds lines, each by itself, and polygons, each with its holes."""
    return contourpy.contour_generator(
        plane.x,
        plane.y,
        np.nan_to_num(field, nan=0.0, posinf=1e300, neginf=-1e300),
        line_type="Separate",
        fill_type="OuterOffset",
    )


def _area(area: Area, plane: Plane, across: Axis, up: Axis) -> str:
    budget.give_way()
    polygons, rings = _contours(area.field, plane).filled(0.0, np.inf)
    parts = [
        _drawn(points[start:end], across, up) + "Z"
        for points, offsets in zip(polygons, rings, strict=True)
        for start, end in pairwise(offsets)
    ]
    return f'<path class="area {area.css}" d="{"".join(parts)}"/>' if parts else ""


def _levels(levels: Levels, plane: Plane, across: Axis, up: Axis) -> str:
    contours = _contours(levels.field, plane)
    found, labels = [], []
    for at, height in enumerate(levels.heights):
        lines = contours.lines(height)
        found += [_drawn(line, across, up) for line in lines]
        if levels.labels and lines:
            x, y = max(lines, key=len)[len(max(lines, key=len)) // 2]
            labels.append(text(across(x), up(y) - 3, levels.labels[at], "middle", "height"))
    if not found:
        return ""
    return f'<path class="{levels.css}" d="{"".join(found)}"/>{"".join(labels)}'


def _drawn(points: Iterable[Iterable[float]], across: Axis, up: Axis) -> str:
    return _path([(across(x), up(y)) for x, y in points])


def _path(on: list[Point]) -> str:
    """A line in two halves, so that one that comes back to its start is not taken for a point."""
    half = len(on) // 2
    kept = on if half < 2 else simplified(on[: half + 1])[:-1] + simplified(on[half:])
    return "M" + "L".join(f"{n(x)} {n(y)}" for x, y in kept)


def _samples(samples: Samples, across: Axis, up: Axis) -> str:
    return strokes([(across(x), up(y)) for x, y in samples.points], samples.style, samples.css)


def _way(points: tuple[Point, ...], style: int, across: Axis, up: Axis) -> str:
    on = [(across(x), up(y)) for x, y in points]
    start, end = dot(on[0], f"ring-{style}"), dot(on[-1], f"dot-{style}")
    return f'<path class="line line-{style}" d="{_path(on)}"/>{start}{end}'

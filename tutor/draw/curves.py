"""Curves: one small SVG of a function and its derivative, with the point at the reader's z marked
on both.

The window shows z from −6 to 6. f is a solid line with a round mark, f′ a dashed line with a
diamond, so nothing depends on colour alone. Where a curve jumps at 0 it is drawn in two pieces: an
open ring at an end that does not belong to it, a dot where the value is. `static/curves.css` has
the colours; there is no style inside the drawing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from math import ceil, floor, isfinite

import numpy as np

from tutor import number
from tutor.notation.markup import Markup, attribute, trusted

Array = np.ndarray
Point = tuple[float, float]

WINDOW = 6.0
"""The curve is drawn for −WINDOW ≤ z ≤ WINDOW."""
GRID = np.arange(-30, 31) / 5.0
HAIR = 1e-9
"""How close to 0 we look for a jump."""
WIDTH, HEIGHT = 320, 204
LEFT, RIGHT, TOP, BOTTOM = 34.0, 310.0, 28.0, 184.0
TOLERANCE = 0.2
"""How far, in units of the drawing, a point may lie off the line that replaces it."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What is drawn: a function of one number, its derivative, and where the reader looks."""

    key: str
    """A word for the ids inside the drawing, unique on its page."""
    title: str
    f: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    """nan where there is no derivative."""
    z: float
    labels: tuple[str, str] = ("a", "∂a/∂z")
    """The names of f and of f′ in the legend."""
    axis: str = "z"


@dataclass(frozen=True)
class _Frame:
    """The window's lowest and highest value, and where a point of it lies in the drawing."""

    low: float
    high: float

    def x(self, z: float) -> float:
        return LEFT + (z + WINDOW) / (2 * WINDOW) * (RIGHT - LEFT)

    def y(self, value: float) -> float:
        return BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP)


def position(z: float) -> str:
    """Where z lies: `left` or `right` of the window, or `inside`."""
    return "left" if z < -WINDOW else "right" if z > WINDOW else "inside"


def draw(curve: Curve) -> Markup:
    """The whole drawing as one `<svg>`; at most 3 KB."""
    pieces = {"f": _pieces(curve.f), "d": _pieces(curve.derivative)}
    frame = _frame(list(chain(*pieces["f"], *pieces["d"])))
    title, described = attribute(curve.title), f"curve-{curve.key}-desc"
    body = [
        f'<title>{title}</title><desc id="{described}">{attribute(_description(curve))}</desc>',
        _axes(frame, curve.axis),
        _legend(curve.labels),
        *(_line(frame, piece, role) for role in "fd" for piece in pieces[role]),
        *(
            _ends(frame, function, role)
            for role, function in (("f", curve.f), ("d", curve.derivative))
        ),
        _mark(frame, curve),
    ]
    return trusted(
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" '
        f'aria-describedby="{described}">{"".join(body)}</svg>'
    )


def _at(function: Callable[[Array], Array], z: float) -> float:
    with np.errstate(all="ignore"):
        return float(function(np.array([z]))[0])


def _jumps(function: Callable[[Array], Array]) -> bool:
    return abs(_at(function, HAIR) - _at(function, -HAIR)) > 1e-6


def _pieces(function: Callable[[Array], Array]) -> list[list[Point]]:
    """The curve as points (z, value): one piece, or two where it jumps at 0 or is not there."""
    if not _jumps(function) and isfinite(_at(function, 0.0)):
        return [_points(function, GRID)]
    half = len(GRID) // 2
    sides = np.append(GRID[:half], -HAIR), np.append(HAIR, GRID[half + 1 :])
    return [_points(function, side) for side in sides]


def _points(function: Callable[[Array], Array], z: Array) -> list[Point]:
    with np.errstate(all="ignore"):
        return list(zip(z.tolist(), function(z).tolist(), strict=True))


def _frame(points: list[Point]) -> _Frame:
    values = [value for _, value in points]
    low, high = min(0.0, *values), max(0.0, *values)
    high = max(high, low + 1.0)
    room = 0.06 * (high - low)
    return _Frame(low - room, high + room)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between low and high, at most five."""
    for step in (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0):
        first, last = ceil(low / step), floor(high / step)
        if last - first < 5:
            return [n * step for n in range(first, last + 1)]
    return [0.0]


def _axes(frame: _Frame, name: str) -> str:
    across, up = ticks(-WINDOW, WINDOW), ticks(frame.low, frame.high)
    grid = "".join(f"M{_n(frame.x(z))} {_n(TOP)}V{_n(BOTTOM)}" for z in across if z)
    grid += "".join(f"M{_n(LEFT)} {_n(frame.y(v))}H{_n(RIGHT)}" for v in up if v)
    zero = f"M{_n(LEFT)} {_n(frame.y(0))}H{_n(RIGHT)}M{_n(frame.x(0))} {_n(TOP)}V{_n(BOTTOM)}"
    below = "".join(_text(frame.x(z), BOTTOM + 14, number.shown(z), "middle") for z in across)
    beside = "".join(_text(LEFT - 5, frame.y(v) + 4, number.shown(v), "end") for v in up)
    label = _text(frame.x(WINDOW * 0.75), BOTTOM + 14, name, "middle", "axis-name")
    return (
        f'<path class="grid" d="{grid}"/><path class="axis" d="{zero}"/>'
        f'<g class="ticks">{below}{beside}</g>{label}'
    )


def _legend(labels: tuple[str, str]) -> str:
    f = _text(LEFT + 30, 16, labels[0], "start", "name-f")
    d = _text(LEFT + 120, 16, labels[1], "start", "name-d")
    return (
        f'<path class="line-f" d="M{_n(LEFT)} 12h24"/>{f}'
        f'<path class="line-d" d="M{_n(LEFT + 90)} 12h24"/>{d}'
    )


def _line(frame: _Frame, piece: list[Point], role: str) -> str:
    points = simplified([(frame.x(z), frame.y(value)) for z, value in piece])
    return f'<path class="line-{role}" d="M{" ".join(f"{_n(x)} {_n(y)}" for x, y in points)}"/>'


def simplified(points: list[Point]) -> list[Point]:
    """The fewest of these points that keep the line within TOLERANCE (Douglas and Peucker)."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = float(np.hypot(x1 - x0, y1 - y0)) or 1.0
    off = [abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length for x, y in points]
    worst = int(np.argmax(off))
    if not off[worst] > TOLERANCE:  # nor where a distance is no number
        return [points[0], points[-1]]
    return simplified(points[: worst + 1])[:-1] + simplified(points[worst:])


def _ends(frame: _Frame, function: Callable[[Array], Array], role: str) -> str:
    """Rings and the dot at 0, where the curve is in two pieces there."""
    here, sides = _at(function, 0.0), {_at(function, -HAIR), _at(function, HAIR)}
    if isfinite(here) and not _jumps(function):
        return ""
    rings = (
        _circle(frame, 0.0, side, f"ring-{role}", 3)
        for side in sorted(sides)
        if not abs(side - here) < 1e-6
    )
    dot = _circle(frame, 0.0, here, f"dot-{role}", 3) if isfinite(here) else ""
    return "".join(rings) + dot


def _mark(frame: _Frame, curve: Curve) -> str:
    """The reader's z on both curves, or an arrow to where it lies."""
    where, text = position(curve.z), f"{curve.axis} = {number.shown(curve.z)}"
    if where != "inside":
        y = frame.y(frame.low + 0.4 * (frame.high - frame.low)) + 4
        left = where == "left"
        arrow = f"← {text}" if left else f"{text} →"
        return _text(
            LEFT + 5 if left else RIGHT - 5, y, arrow, "start" if left else "end", "outside"
        )
    x, value, slope = frame.x(curve.z), _at(curve.f, curve.z), _at(curve.derivative, curve.z)
    guide = f'<path class="guide" d="M{_n(x)} {_n(TOP)}V{_n(BOTTOM)}"/>'
    diamond = (
        f'<path class="mark-d" d="M{_n(x)} {_n(frame.y(slope) - 4.5)}l4.5 4.5-4.5 4.5-4.5-4.5z"/>'
        if isfinite(slope)
        else ""
    )
    return guide + _circle(frame, curve.z, value, "mark-f", 5) + diamond


def _description(curve: Curve) -> str:
    f, d = curve.labels
    lines = [f"{curve.axis} runs from {number.shown(-WINDOW)} to {number.shown(WINDOW)}."]
    for style, name, function in (("Solid", f, curve.f), ("Dashed", d, curve.derivative)):
        values = [value for piece in _pieces(function) for _, value in piece]
        least, most = number.shown(min(values)), number.shown(max(values))
        lines.append(f"{style} line: {name}, between {least} and {most}.")
    where = position(curve.z)
    if where != "inside":
        return " ".join(
            [*lines, f"{curve.axis} = {number.shown(curve.z)} lies to the {where} of the window."]
        )
    slope = _at(curve.derivative, curve.z)
    end = f"{d} is {number.shown(slope)}" if isfinite(slope) else f"{d} does not exist"
    value = number.shown(_at(curve.f, curve.z))
    marked = f"Marked at {curve.axis} = {number.shown(curve.z)}: {f} is {value}, {end}."
    return " ".join([*lines, marked])


def _circle(frame: _Frame, z: float, value: float, name: str, radius: int) -> str:
    return f'<circle class="{name}" cx="{_n(frame.x(z))}" cy="{_n(frame.y(value))}" r="{radius}"/>'


def _text(x: float, y: float, text: str, anchor: str, name: str = "") -> str:
    css = f' class="{name}"' if name else ""
    return f'<text{css} x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{attribute(text)}</text>'


def _n(value: float) -> str:
    """A coordinate: one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")

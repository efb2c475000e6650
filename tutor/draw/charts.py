"""Charts over iterations, and of functions of one input: lines, samples, and links to iterations.

    draw(Chart(…)) -> one <svg>

A chart has a title, a description in words, ticks at round numbers, and where the sizes span powers
of ten a logarithmic scale. Lines differ by dashes as well as by colour, and marks by their shape.
Places are links with a field as high as the chart, so that a thumb meets them. `static/charts.css`
has the colours; there is no style inside the drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from typing import NamedTuple

from tutor import budget, number
from tutor.draw.curves import simplified
from tutor.notation.markup import Markup, attribute, trusted

Point = tuple[float, float]

WIDTH, HEIGHT = 400, 232
LEFT, RIGHT, TOP, BOTTOM = 54.0, 378.0, 12.0, 190.0
DECADES = 2
"""Sizes that span so many powers of ten are drawn on a logarithmic scale."""
MOST_COLUMNS = 240
"""A line is drawn from at most so many columns, each with its lowest and highest point."""
STYLES = 6
"""How many kinds of lines there are."""
TICKS = 5
POWERS = -323, 308
"""The smallest and the largest power of ten that a number can be."""
DIGIT = 8.3
"""How wide a character of a tick is at most; a longer text than fits makes the drawing wider."""
FITS = 4
"""How many of them have room between the scale and its name."""
SAME, LEAST = 1e-10, 1e-290
"""Numbers that differ by no more than this share of them, or than this, have the same ticks."""
MARKS = ("h0", "h.1", "m-3 0h6", "m0-3v6", "m-3 0h6m-3-3v6", "m-2.5-2.5l5 5m0-5l-5 5")
"""How the marks of samples are drawn around their place, so that no two differ by colour alone: a
disc and a square (the ends of a line without length; of a square on paper it needs some, for there
is none where a line has no direction), a bar that lies and one that stands, a plus and a cross.
"""


class Key(NamedTuple):
    """An entry of a legend: the class of the line or mark, and what it stands for."""

    css: str
    name: Markup | str

    @property
    def path(self) -> str:
        """A piece of it, 26 wide and 12 high."""
        kind, _, style = self.css.partition("-")
        if kind == "line":
            return "M2 6h22"
        return f"M13 6{_shape(int(style or 1))}"


@dataclass(frozen=True, slots=True)
class Series:
    """A line: x and y of its points, from left to right."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 1
    faint: bool = False
    """Whether it is the noise behind another line."""

    @property
    def points(self) -> list[Point]:
        """What of it can be drawn."""
        found = zip(self.x, self.y, strict=True)
        return [(float(x), float(y)) for x, y in found if isfinite(x) and isfinite(y)]


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a chart that leads somewhere."""

    x: float
    y: float
    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. `key` is a word for the ids inside, unique on its page."""

    key: str
    title: str
    series: tuple[Series, ...]
    x_name: str
    y_name: str
    x_range: tuple[float, float]
    places: tuple[Place, ...] = ()
    reached: bool = True
    """Whether its links are reached by the Tab key; where another chart has the same, not."""
    cursor: float | None = None
    """Where a line from top to bottom is."""
    samples: tuple[Series, ...] = ()
    """Single points."""
    y_range: tuple[float, float] | None = None
    """What is shown at least."""
    linear: bool = False
    """Never a logarithmic scale."""
    whole: bool = False
    """Whether it counts something from left to right, so that there is nothing between."""
    logarithmic: bool = False
    """Always one, where no number is 0 or less."""
    most: float | None = None
    """Where the scale ends at the latest; a line that goes beyond leaves the chart there."""
    words: str = ""
    """What it shows, where starts and ends of its lines do not say it."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From numbers to coordinates, between two ends of the drawing."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False
    whole: bool = False

    def __call__(self, value: float) -> float:
        at = log10(value) if self.logarithmic else value
        return self.start + (at - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Round numbers with their texts."""
        if self.logarithmic:
            every = max(1, ceil((self.high - self.low) / TICKS))
            low, high = max(ceil(self.low), POWERS[0]), min(floor(self.high), POWERS[1])
            powers = range(low, high + 1, every)
            return [(10.0**power, power_of_ten(power)) for power in powers]
        found = nice(self.low, self.high)
        if self.whole:
            found = [value for value in found if value == round(value)]
        return [(value, plain_tick(value, found)) for value in found]


def apart(low: float, high: float) -> bool:
    """Whether there is room for ticks between two numbers: with fewer digits they are the same."""
    return high - low > max(SAME * max(abs(low), abs(high)), LEAST)


def nice(low: float, high: float, most: int = TICKS) -> list[float]:
    """Round numbers from low to high, at most so many: steps of 1, 2 or 5 times a power of ten."""
    if not apart(low, high):
        return [low]
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(step for m in (1, 2, 5, 10, 20) if (high - low) / (step := m * power) < most)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [float(f"{n * step:.12g}") + 0.0 for n in range(first, last + 1)]


def plain_tick(value: float, among: Sequence[float]) -> str:
    """A tick as text, with as many decimals as its neighbours need."""
    size = max(map(abs, among))
    if value and not 1e-4 <= size < 1e6:
        digits, _, power = f"{value:.1e}".partition("e")
        return f"{digits.removesuffix('.0')}e{int(power)}".replace("-", number.MINUS)
    step = among[1] - among[0] if len(among) > 1 else value or 1.0
    decimals = max(0, -floor(log10(step) + 1e-9))
    return f"{value:,.{decimals}f}".replace("-", number.MINUS) if value else "0"


def power_of_ten(power: int) -> str:
    """0.001, 1, 1,000; beyond that 1e-7."""
    if -4 <= power <= 5:
        return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"
    return f"1e{power}".replace("-", number.MINUS)


def spans_decades(values: Iterable[float]) -> bool:
    """Whether these sizes are better seen on a logarithmic scale."""
    found = list(values)
    return bool(found) and min(found) > 0 and max(found) >= 10**DECADES * min(found)


def y_axis(chart: Chart) -> Axis:
    """The scale of a chart's numbers."""
    values = [y for line in (*chart.series, *chart.samples) for _, y in line.points]
    if chart.most is not None:
        values = [min(y, chart.most) for y in values]
    wanted = chart.logarithmic and min(values, default=0.0) > 0
    if wanted or (not chart.linear and not chart.y_range and spans_decades(values)):
        lowest, highest = floor(log10(min(values))), ceil(log10(max(values)))
        return Axis(lowest, max(highest, lowest + 1), BOTTOM, TOP, logarithmic=True)
    shown = chart.y_range or ()
    low, high = min((*values, *shown), default=0.0), max((*values, *shown), default=1.0)
    if not chart.linear and not shown and 0 < low < high:
        low = 0.0
    if not apart(low, high):
        size = max(abs(low), abs(high))
        room = size if size > LEAST else 1.0
        return Axis(low - 0.1 * room, high + 0.1 * room, BOTTOM, TOP)
    room = 0.0 if shown else 0.06 * (high - low)
    return Axis(low - (room if low else 0.0), high + room, BOTTOM, TOP)


def x_axis(chart: Chart) -> Axis:
    """The scale from left to right."""
    low, high = chart.x_range
    return Axis(low, high if high > low else low + 1.0, LEFT, RIGHT, whole=chart.whole)


def draw(chart: Chart) -> Markup:
    """The chart as one `<svg>`."""
    budget.give_way()
    across, up = x_axis(chart), y_axis(chart)
    title, described = attribute(chart.title), f"chart-{chart.key}-about"
    body = [
        f'<title>{title}</title><desc id="{described}">{attribute(about(chart, up))}</desc>',
        axes(across, up, chart.x_name, chart.y_name),
        *(_line(line, across, up, chart.most) for line in chart.series),
        *(dots(line, across, up) for line in chart.samples),
    ]
    if chart.cursor is not None:
        body.append(f'<path class="cursor" d="M{n(across(chart.cursor))} {n(TOP)}V{n(BOTTOM)}"/>')
    body += places(chart, across, up)
    role = "group" if chart.places else "img"
    return trusted(
        f'<svg class="chart" viewBox="{window(up, HEIGHT)}" role="{role}" aria-label="{title}" '
        f'aria-describedby="{described}">{"".join(body)}</svg>'
    )


def overhang(up: Axis) -> float:
    """How far the texts of the ticks reach beyond the room that is kept for them."""
    return DIGIT * max(0, *(len(label) - FITS for _, label in up.ticks), 0)


def window(up: Axis, height: float) -> str:
    """The part of the plane that is drawn, wider on the left where the ticks are long."""
    beyond = overhang(up)
    return f"{n(-beyond)} 0 {n(WIDTH + beyond)} {height}"


def axes(across: Axis, up: Axis, x_name: Markup | str, y_name: Markup | str) -> str:
    """The grid with its numbers and the names of both directions, which are words or a symbol; in
    words the description has them.
    """
    left, right = across.start, across.end
    bottom, top = up.start, up.end
    xs, ys = across.ticks, up.ticks
    grid = "".join(f"M{n(across(x))} {n(top)}V{n(bottom)}" for x, _ in xs)
    grid += "".join(f"M{n(left)} {n(up(y))}H{n(right)}" for y, _ in ys)
    below = "".join(text(across(x), bottom + 15, label, "middle") for x, label in xs)
    beside = "".join(text(left - 5, up(y) + 4, label, "end") for y, label in ys)
    names = text((left + right) / 2, bottom + 33, x_name, "middle", "axis-name")
    marks = 6 if isinstance(y_name, Markup) else 0  # what stands above a letter
    x, y = n(13 + marks - overhang(up)), n((top + bottom) / 2)
    side = (
        f'<text class="axis-name" transform="translate({x} {y}) rotate(-90)" '
        f'text-anchor="middle">{_named(y_name)}</text>'
        if y_name
        else ""
    )
    return (
        f'<path class="grid" d="{grid}"/><path class="axis" d="M{n(left)} {n(top)}V{n(bottom)}'
        f'H{n(right)}"/><g class="ticks" aria-hidden="true">{below}{beside}{names}{side}</g>'
    )


def inside(points: list[Point], most: float | None) -> list[Point]:
    """The points up to the first that is too high, which stands at the upper end."""
    if most is None:
        return points
    over = next((at for at, (_, y) in enumerate(points) if y > most), None)
    return points if over is None else [*points[:over], (points[over][0], most)]


def _line(line: Series, across: Axis, up: Axis, most: float | None = None) -> str:
    seen = inside(line.points, most)
    points = [(across(x), up(y)) for x, y in thinned(seen) if not up.logarithmic or y > 0]
    if not points:
        return ""
    if len(points) == 1:
        return dot(points[0], f"dot-{line.style}")
    drawn = simplified(points) if len(points) > 2 else points
    path = "L".join(f"{n(x)} {n(y)}" for x, y in drawn)
    faint = " faint" if line.faint else ""
    return f'<path class="line line-{line.style}{faint}" d="M{path}"/>'


def thinned(points: list[Point], most: int = MOST_COLUMNS) -> list[Point]:
    """At most two points of each column, its lowest and its highest, so that a line that goes up
    and down is still seen to; the first and the last point stay.
    """
    if len(points) <= 2 * most:
        return points
    found = [points[0]]
    for column in range(most):
        part = points[column * len(points) // most : (column + 1) * len(points) // most]
        low, high = min(part, key=_height), max(part, key=_height)
        found += sorted({low, high})
    return [*found, points[-1]]


def _height(point: Point) -> float:
    return point[1]


def dots(line: Series, across: Axis, up: Axis) -> str:
    """Single points, as one path."""
    return strokes([(across(x), up(y)) for x, y in line.points], line.style)


def strokes(points: Iterable[Point], style: int, css: str = "") -> str:
    """Marks at coordinates, each style another shape, with a rim behind them."""
    path = "".join(f"M{n(x)} {n(y)}{_shape(style)}" for x, y in points)
    if not path:
        return ""
    css = f" {css}" if css else ""
    return (
        f'<path class="rim mark-{style}{css}" d="{path}"/>'
        f'<path class="mark mark-{style}{css}" d="{path}"/>'
    )


def _shape(style: int) -> str:
    return MARKS[(style - 1) % len(MARKS)]


def places(chart: Chart, across: Axis, up: Axis) -> list[str]:
    """The links: a dot each, and a field around it that reaches halfway to the next."""
    xs = [across(place.x) for place in chart.places]
    ends = [LEFT, *((a + b) / 2 for a, b in pairwise(xs)), RIGHT]
    off = "" if chart.reached else ' tabindex="-1"'
    found = []
    for place, x, start, end in zip(chart.places, xs, ends, ends[1:], strict=False):
        beyond = chart.most is not None and place.y > chart.most
        if beyond or not isfinite(place.y) or (up.logarithmic and place.y <= 0):
            continue
        name = attribute(place.label)
        found.append(
            f'<a href="{attribute(place.href)}" aria-label="{name}"{off}><title>{name}</title>'
            f'<rect class="hit" x="{n(start)}" y="{n(TOP)}" width="{n(end - start)}" '
            f'height="{n(BOTTOM - TOP)}"/>{dot((x, up(place.y)), "place")}</a>'
        )
    return found


def about(chart: Chart, up: Axis) -> str:
    """The chart in words."""
    if chart.words:
        return chart.words
    low, high = chart.x_range
    lines = [f"{chart.x_name} from {shown(low)} to {shown(high)}."]
    if up.logarithmic:
        lines.append("Logarithmic scale.")
    for line in chart.series:
        points = line.points
        if not points:
            continue
        least, most = min(points, key=_height), max(points, key=_height)
        lines.append(
            f"{line.name}: starts at {shown(points[0][1])}, ends at {shown(points[-1][1])}; "
            f"lowest {shown(least[1])}, highest {shown(most[1])}."
        )
    return " ".join(lines)


def shown(value: float) -> str:
    """A number within a sentence about a chart."""
    return f"{value:,.0f}" if value == round(value) and 1000 <= abs(value) < 1e7 else _shown(value)


def _shown(value: float) -> str:
    return number.shown(value, 4)


def dot(at: Point, css: str) -> str:
    """A small disc."""
    return f'<circle class="{css}" cx="{n(at[0])}" cy="{n(at[1])}" r="3.5"/>'


def text(x: float, y: float, words: Markup | str, anchor: str, css: str = "") -> str:
    """Words at a place, or a symbol."""
    css = f' class="{css}"' if css else ""
    return f'<text{css} x="{n(x)}" y="{n(y)}" text-anchor="{anchor}">{_named(words)}</text>'


def _named(words: Markup | str) -> str:
    return words if isinstance(words, Markup) else attribute(words)


def n(value: float) -> str:
    """A coordinate: one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")

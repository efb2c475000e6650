"""Pictures of a training: what the network does at a moment.

picture(run, network, when)            regions for two inputs, the fitted curve for one
units_picture(run, network, when)      what each unit before the output adds to it
activity(run, network, when)           how the activations of each layer are spread
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tutor import number
from tutor.draw import charts, planes
from tutor.draw.charts import Chart, Key, Series
from tutor.draw.planes import Area, Levels, Plane, Samples
from tutor.engine.network import Array, Network
from tutor.engine.run import (
    Run,
    Sets,
    activations,
    outputs,
    passed_to_output,
)
from tutor.lesson.titles import capital, enumerated, place
from tutor.notation.markup import Markup

GRID = 41
MARGIN = 0.15
OTHERS = 3
"""The style of the first set that is not learned from."""
FEW, BINS = 8, 24
"""Fewer activations than this in every layer are no histogram; into so many steps they are sorted.
"""
MOST_UNITS = 32
"""Units before the output whose parts are told apart."""
LINE_OF = 161
"""Places at which the fitted curve is computed."""
MOST_ROWS = 24
"""Rows of a table."""
DIGITS = 4
"""Of the numbers in tables."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: what it is about, where it leads ("" nowhere), and its numbers."""

    n: str
    href: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberTable:
    """The data of a picture or of several charts."""

    caption: str
    each: str
    """What a row is: an iteration, an epoch, a sample."""
    columns: tuple[Markup | str, ...]
    rows: tuple[TableRow, ...]
    leads: str = ""
    """Where the links of its rows lead."""
    over: Markup | str = ""
    """What all columns are values of, where they are."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its heading and legend."""

    heading: str
    svg: Markup
    legend: tuple[Key, ...]
    """(class of its mark, what it stands for)"""
    text: str
    """What to see in it."""
    tables: tuple[NumberTable, ...] = ()
    """Its data."""


def span(values: Array, margin: float = MARGIN) -> tuple[float, float]:
    """From the lowest to the highest value, with some room on both sides."""
    low, high = float(values.min()), float(values.max())
    room = margin * (high - low) or 0.5 * abs(high) or 1.0
    return low - room, high + room


def reach(x: Array, others: Sets) -> list[tuple[float, float]]:
    """From where to where each input is drawn; one input alone with those of the other sets too."""
    if x.shape[1] == 1:
        x = np.concatenate([x, *(inputs for inputs, _ in others.values())])
    return [span(column) for column in x.T]


def boundary(y: Array) -> float:
    """What a single output is above for the second class, where targets y (M, 1) are classes."""
    return 0.0 if (y < 0).any() else 0.5


def has_picture(network: Network) -> bool:
    """Whether there is one: of one input or two."""
    return network.sizes[0] in {1, 2} and network.sizes[-1] <= charts.STYLES


def picture(run: Run, network: Network, when: str) -> Picture | None:
    """What a network of the run does with its inputs; `when` says which: after iteration 5."""
    if not has_picture(network):
        return None
    x, y = run.training.x, run.training.y
    if network.sizes[0] == 1:
        return _fitted(network, x, y, run.others, when)
    return _regions(run, network, x, y, when) if run.classified else _heights(network, x, y, when)


def _fitted(network: Network, x: Array, y: Array, others: Sets, when: str) -> Picture:
    ((low, high),) = reach(x, others)
    grid = np.linspace(low, high, LINE_OF)
    found, several = outputs(network, grid[:, None], y), y.shape[1] > 1
    names = [f"output {k}" if several else "the network" for k in range(1, y.shape[1] + 1)]
    lines = tuple(
        Series(name, grid.tolist(), found[:, k].tolist(), k + 1) for k, name in enumerate(names)
    )
    samples = tuple(
        Series(
            f"targets of {name}" if several else "targets",
            x[:, 0].tolist(),
            y[:, k].tolist(),
            k + 1,
        )
        for k, name in enumerate(names)
    )
    if not several:
        samples += tuple(
            Series(f"{name} set", inputs[:, 0].tolist(), targets[:, 0].tolist(), k)
            for k, (name, (inputs, targets)) in enumerate(others.items(), OTHERS)
        )
    title = f"The fitted curve {when}"
    svg = charts.draw(
        Chart("fit", title, lines, "x", "output", (low, high), samples=samples, linear=True)
    )
    legend = (
        *(Key(f"line-{k + 1}", name) for k, name in enumerate(names)),
        *(Key(f"mark-{one.style}", one.name) for one in samples),
    )
    table = _of_samples(network, x, y, ("x",))
    return Picture("Fitted curve", svg, legend, "", (table,))


def _of_samples(
    network: Network, x: Array, y: Array, inputs: tuple[str, ...], *more: tuple[str, Sequence[str]]
) -> NumberTable:
    """Some samples: inputs, targets, what the network makes of them, and further columns."""
    found, several = outputs(network, x, y), y.shape[1] > 1
    ends = [f" {k}" if several else "" for k in range(1, y.shape[1] + 1)]
    columns = [*inputs, *(f"Target{end}" for end in ends), *(f"Output{end}" for end in ends)]
    rows = []
    for s in some(range(len(x)), MOST_ROWS):
        numbers = [*x[s], *y[s], *found[s]]
        cells = [number.shown(float(one), DIGITS) for one in numbers]
        cells += [words[s] for _, words in more]
        rows.append(TableRow(f"{s + 1:,}", "", tuple(cells)))
    caption = "All samples" if len(rows) == len(x) else f"{len(rows)} of {len(x):,} samples"
    return NumberTable(caption, "Sample", (*columns, *(name for name, _ in more)), tuple(rows))


def adds_units(network: Network) -> bool:
    """Whether one output is the weighted sum of a few units before it."""
    last = network.layers[-1]
    return (
        network.depth > 1
        and network.sizes[-1] == 1
        and 2 <= network.sizes[-2] <= MOST_UNITS
        and not last.skip
        and last.activation.name == "identity"
    )


def units_picture(run: Run, network: Network, when: str) -> Picture | None:
    """What each unit before the output adds to it, for one input; None where the output is not
    their sum.
    """
    x, y = run.training.x, run.training.y
    if network.sizes[0] != 1 or not adds_units(network):
        return None
    low, high = span(x)
    grid = np.linspace(low, high, LINE_OF)
    passed, whole = (part(network, grid[:, None], y) for part in (passed_to_output, outputs))
    each = passed * network.layers[-1].weights[0]
    lines = [Series("the network", grid.tolist(), whole[:, 0].tolist(), 1)]
    lines += [
        Series(f"unit {k}", grid.tolist(), added.tolist(), 2) for k, added in enumerate(each.T, 1)
    ]
    svg = charts.draw(
        Chart(
            "units", f"What each unit adds to the output {when}", tuple(lines), "x", "output",
            (low, high), linear=True,
        )
    )  # fmt: skip
    legend = (Key("line-1", "the network"), Key("line-2", "each unit times its weight"))
    text = "The dashed lines and the bias add up to the network’s curve."
    table = _added(grid, whole[:, 0], each, network.layers[-1].biases)
    return Picture("What each unit adds", svg, legend, text, (table,))


def _added(grid: Array, whole: Array, each: Array, biases: Array | None) -> NumberTable:
    """What the units add at some places of the picture, the bias, and what they add up to."""
    columns = ["The network", *(f"Unit {k}" for k in range(1, each.shape[1] + 1))]
    columns += ["Bias"] if biases is not None else []
    bias = [] if biases is None else [float(biases[0])]
    rows = []
    for at in some(range(LINE_OF), MOST_ROWS):
        x, *numbers = [float(one) for one in (grid[at], whole[at], *each[at], *bias)]
        cells = tuple(number.shown(one, DIGITS) for one in numbers)
        rows.append(TableRow(number.shown(x, DIGITS), "", cells))
    caption = (
        "What each unit times its weight adds to the output, "
        f"at {len(rows)} of the {LINE_OF} places of the picture"
    )
    return NumberTable(caption, "x", tuple(columns), tuple(rows))


def _grid(x: Array) -> tuple[Array, Array, Array]:
    """Places across, up, and all of them as inputs."""
    across, up = (np.linspace(*ends, GRID) for ends in reach(x, {}))
    return across, up, np.stack([part.ravel() for part in np.meshgrid(across, up)], axis=1)


def _regions(run: Run, network: Network, x: Array, y: Array, when: str) -> Picture:
    across, up, inputs = _grid(x)
    fields = margins(run, outputs(network, inputs, y)).reshape(GRID, GRID, -1)
    guessed = margins(run, outputs(network, x, y)).argmax(axis=1)
    right = margins(run, y).argmax(axis=1)
    classes = fields.shape[2]
    names = class_names(run.training.y)
    areas = tuple(Area(fields[:, :, k], f"area-{k + 1}") for k in range(classes))
    border = tuple(Levels(fields[:, :, k], (0.0,), "border") for k in range(min(classes, 9)))
    groups = [Samples(_points(x[(right == k) & (guessed == k)]), k + 1) for k in range(classes)]
    groups += [
        Samples(_points(x[(right == k) & (guessed != k)]), k + 1, "wrong") for k in range(classes)
    ]
    wrong = int(np.count_nonzero(right != guessed))
    about = (
        f"Regions of {enumerated(names)} over the two inputs. "
        f"{len(x) - wrong:,} of {len(x):,} samples lie in the region of their class."
    )
    plane = Plane(
        "regions", f"The decision boundary {when}", about, "x₁", "x₂", across, up,
        areas, border[: 1 if classes == 2 else classes], tuple(groups),
    )  # fmt: skip
    legend = tuple(Key(f"mark-{k + 1}", name) for k, name in enumerate(names))
    legend += (Key("wrong", "classified wrong"),) if wrong else ()
    said = "All" if not wrong else f"{len(x) - wrong:,} of {len(x):,}"
    answers = ["yes" if same else "no" for same in (right == guessed).tolist()]
    table = _of_samples(network, x, y, ("x₁", "x₂"), ("Right", answers))
    return Picture(
        "Decision boundary", planes.draw(plane), legend, f"{said} samples right.", (table,)
    )


def margins(run: Run, found: Array) -> Array:
    """By how much each class is ahead of the others, (M, classes); above 0 where it wins."""
    if found.shape[1] > 1:
        return np.stack(
            [found[:, k] - np.delete(found, k, axis=1).max(axis=1) for k in range(found.shape[1])],
            axis=1,
        )
    ahead = found[:, 0] - boundary(run.training.y)
    return np.stack([-ahead, ahead], axis=1)


def class_names(y: Array) -> list[str]:
    """What classes are called that targets y (M, K) stand for."""
    if y.shape[1] > 1:
        return [f"class {k}" for k in range(1, y.shape[1] + 1)]
    low = number.shown(float(y.min()) if (y < 0).any() else 0.0)
    return [f"target {low}", "target 1"]


def _points(rows: Array) -> tuple[tuple[float, float], ...]:
    return tuple((float(a), float(b)) for a, b in rows)


def _heights(network: Network, x: Array, y: Array, when: str) -> Picture:
    across, up, inputs = _grid(x)
    field = outputs(network, inputs, y)[:, 0].reshape(GRID, GRID)
    finite = field[np.isfinite(field)]
    heights = charts.nice(float(finite.min()), float(finite.max()), 8) if finite.size else []
    labels = tuple(charts.plain_tick(height, heights) for height in heights)
    about = (
        "Lines of equal output over the two inputs, from "
        f"{charts.shown(float(finite.min()))} to {charts.shown(float(finite.max()))}, "
        f"with {number.counted(len(x), 'sample')}."
        if finite.size
        else "No output is a finite number here."
    )
    name = "output 1" if y.shape[1] > 1 else "output"
    plane = Plane(
        "heights", f"Lines of equal {name} {when}", about, "x₁", "x₂", across, up,
        levels=(Levels(field, tuple(heights), "level", labels),),
        samples=(Samples(_points(x), 1),),
    )  # fmt: skip
    legend, table = (Key("mark-1", "samples"),), _of_samples(network, x, y, ("x₁", "x₂"))
    return Picture(f"Lines of equal {name}", planes.draw(plane), legend, "", (table,))


# ---- how the activations are spread ----


def some(found: Sequence[int], most: int) -> list[int]:
    """The first, the last, and some between."""
    if len(found) <= most:
        return list(found)
    return [found[round(k * (len(found) - 1) / (most - 1))] for k in range(most)]


def activity(run: Run, network: Network, when: str) -> Picture | None:
    """A histogram of the activations of each layer over all samples; None where they are few, or
    one of them is no number.
    """
    x = run.training.x
    if network.depth < 2 or len(x) * max(network.sizes[1:]) < FEW:
        return None
    chosen = some(range(1, network.depth + 1), charts.STYLES)
    made = activations(network, x, run.training.y)
    layers = [made[n - 1].ravel() for n in chosen]
    every = np.concatenate(layers)
    if not np.isfinite(every).all():
        return None
    low, high = float(every.min()), float(every.max())
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    names = [capital(place(network, n).removeprefix("the ")) for n in chosen]
    series, peaks, columns = [], [], []
    for style, (name, found) in enumerate(zip(names, layers, strict=True), 1):
        shares = np.histogram(found, edges)[0] / len(found) * 100
        columns.append([number.shown(share, DIGITS) for share in shares.tolist()])
        heights = [0.0, *np.repeat(shares, 2).tolist(), 0.0]
        peak = int(shares.argmax())
        ends = " to ".join(map(_edge, edges[peak : peak + 2].tolist()))
        peaks.append(f"{name}: most of them, {shares[peak]:.0f} %, from {ends}.")
        series.append(Series(name, np.repeat(edges, 2).tolist(), heights, style))
    chart = Chart(
        "activity", f"The activations of each layer {when}", tuple(series), "activation",
        "share in %", (low, high), y_range=(0.0, 0.0), linear=True,
        words=" ".join(peaks),
    )  # fmt: skip
    legend = tuple(Key(f"line-{one.style}", one.name) for one in series)
    text = (
        "Over all samples. A unit whose activations pile up at an end of its function hardly "
        "learns."
    )
    bins = [" to ".join(_edge(end) for end in ends) for ends in pairwise(edges.tolist())]
    rows = [
        TableRow(*row) for row in zip(bins, [""] * BINS, zip(*columns, strict=True), strict=True)
    ]
    table = NumberTable("Share of the activations in %", "Activation", tuple(names), tuple(rows))
    return Picture("Activations", charts.draw(chart), legend, text, (table,))


def _edge(value: float) -> str:
    return number.shown(round(value, DIGITS), DIGITS)

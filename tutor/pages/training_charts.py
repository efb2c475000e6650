"""The charts of a training over its iterations, and their numbers as a table.

    loss_chart(runs)            the loss of each iteration, of all runs on the same axes
    more_charts(context, runs)  accuracy, gradient norms, weights and biases
    table(context, runs)        the same numbers

Links of a chart open an iteration at its first step. They are few, so that a thumb meets them; the
table has more.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10

from tutor import number
from tutor.draw import charts
from tutor.draw.charts import Chart, Key, Place, Series
from tutor.engine.quantity import Quantity
from tutor.engine.run import Point, learning, movers, value
from tutor.lesson.titles import capital, place
from tutor.notation.markup import Markup
from tutor.pages.context import Context
from tutor.pages.training_runs import FEW, Trained

MOST_PLACES = 10
"""Links of a chart: on a phone each is as wide as a thumb."""
MEANS = 2
"""The style of the line of epochs."""
MOST_ROWS = 24
MOST_LINES = 6
ROOM = 1000.0
"""A loss of so many times that of the first iteration leaves the chart."""


@dataclass(frozen=True, slots=True)
class ChartPart:
    """A chart with its heading and legend."""

    heading: str
    svg: Markup
    legend: tuple[Key, ...]
    """(class of its line, what it stands for)"""
    note: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """An iteration in the table."""

    n: str
    href: str
    cells: tuple[str, ...]


def chosen_iterations(last: int, most: int) -> list[int]:
    """Round iterations from the first to the last, at most so many."""
    if last <= most:
        return list(range(1, last + 1))
    every = round_up(last / (most - 1))
    found = [1, *range(every, last, every)]
    if last - found[-1] < 0.6 * every and len(found) > 1:
        found.pop()
    return [*found, last]


def round_up(value: float) -> int:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10 ** floor(log10(value)) if value >= 1 else 1
    return next(m * power for m in (1, 2, 5, 10) if m * power >= value)


def _places(one: Trained, known: Mapping[int, float], what: str) -> tuple[Place, ...]:
    """Links to round iterations, or to those next to them that are known."""
    there = sorted(n for n in known if n <= one.end)
    nearest = (
        min((abs(at - n), at) for at in there[max(0, bisect(there, n) - 1) :][:2])[1]
        for n in chosen_iterations(one.end, MOST_PLACES)
        if there
    )
    return tuple(
        Place(n, known[n], one.step(n), f"Open iteration {n:,}: {what} {_few(known[n])}")
        for n in dict.fromkeys(nearest)
    )


def _few(value: float) -> str:
    return number.shown(value, FEW)


def loss_chart(runs: Sequence[Trained]) -> ChartPart | None:
    """The loss of each iteration, of both runs."""
    shown = [one for one in runs if one.losses]
    if not shown:
        return None
    series = [
        Series(
            capital(one.name) if len(runs) > 1 else "Loss",
            range(1, one.end + 1), one.losses, one.style,
        )
        for one in shown
    ]  # fmt: skip
    series += [
        Series(
            f"Loss on the {name} set",
            *_columns(one.points, [p.others[k] for _, p in one.points]),
            3 + k,
        )
        for one in shown[:1]
        for k, name in enumerate(one.run.others)
    ]
    own = shown[0]
    ends, means = own.run.epochs(own.losses)
    if means and len(shown) == 1:
        series[0] = replace(series[0], name="Loss of each batch", faint=True)
        series.append(Series("Mean of each epoch", ends, means, MEANS))
    most = ROOM * max(one.losses[0] for one in shown)
    out = any(max(one.losses) > most > 0 for one in shown)
    svg = charts.draw(
        Chart(
            "loss", "Loss of each iteration", tuple(series), "iteration", "loss",
            (1.0, float(max(2, *(one.end if one.done else asked_for(one) for one in shown)))),
            _places(own, dict(enumerate(own.losses, 1)), "loss"), most=most if out else None,
        )
    )  # fmt: skip
    legend = tuple(Key(f"line-{line.style}", line.name) for line in series)
    note = f"A loss above {number.shown(most, 2)} is cut off." if out else ""
    return ChartPart("Loss", svg, legend if len(series) > 1 else (), note)


def asked_for(one: Trained) -> int:
    """Up to where a run is drawn that is not done: there is room for the rest."""
    return one.asked.iterations


def _columns(
    points: Sequence[tuple[int, Point]], values: list[float]
) -> tuple[list[float], list[float]]:
    return [float(n) for n, _ in points], values


def more_charts(context: Context, runs: Sequence[Trained]) -> Iterator[ChartPart]:
    """Accuracy, gradient norms and weights."""
    shown = [one for one in runs if one.end > 1]
    if not shown:
        return
    if shown[0].run.classified is not None:
        yield _accuracy(shown)
    yield _norms(context, shown[0], several=len(runs) > 1)
    lines = weight_lines(shown[0])
    if lines:
        yield _weights(context, shown[0], lines, several=len(runs) > 1)


def _accuracy(runs: Sequence[Trained]) -> ChartPart:
    """Of each iteration; of each epoch where an iteration has a part of the samples."""
    series, known = [], dict[int, float]()
    for one in runs:
        each = list(one.run.accuracies[: one.end])
        ends, means = one.run.epochs(each)
        x, y = (ends, means) if means else (list(range(1, one.end + 1)), each)
        known = known or dict(zip(x, y, strict=True))
        name = capital(one.name) if len(runs) > 1 else "Accuracy"
        series.append(Series(name, x, y, one.style))
    by_epoch = "epoch" if runs[0].run.epochs(runs[0].losses)[0] else "iteration"
    last = max(one.end for one in runs)
    svg = charts.draw(
        Chart(
            "accuracy", f"Accuracy of each {by_epoch}", tuple(series), "iteration", "accuracy",
            (1.0, float(max(2, last))), _places(runs[0], known, "accuracy"),
            reached=False, y_range=(0.0, 1.0),
        )
    )  # fmt: skip
    legend = tuple(Key(f"line-{line.style}", line.name) for line in series)
    note = "The mean over the batches of each epoch." if by_epoch == "epoch" else ""
    return ChartPart("Accuracy", svg, legend if len(series) > 1 else (), note)


def _norms(context: Context, one: Trained, *, several: bool) -> ChartPart:
    depth, network = one.run.depth, context.trace.network
    layers = _some(list(range(1, depth + 1)), MOST_LINES)
    series = [
        Series(
            capital(place(network, layer).removeprefix("the ")),
            *_columns(one.points, [p.norms[layer - 1] for _, p in one.points]), at + 1,
        )
        for at, layer in enumerate(layers)
    ]  # fmt: skip
    top = {int(n): y for n, y in zip(series[-1].x, series[-1].y, strict=True)}
    svg = charts.draw(
        Chart(
            "norms", "Size of the gradient in each layer", tuple(series), "iteration",
            "gradient norm", (1.0, float(max(2, one.end))),
            _places(one, top, "gradient norm of the output layer"), reached=False,
        )
    )  # fmt: skip
    note = (
        f"The norm of all gradients of a layer, {one.name}."
        if several
        else ("The norm of all gradients of a layer: near 0 the layer hardly learns.")
    )
    legend = tuple(Key(f"line-{line.style}", line.name) for line in series)
    return ChartPart("Gradient norm per layer", svg, legend, note)


def _some(found: list[int], most: int) -> list[int]:
    """The first, the last, and some between."""
    if len(found) <= most:
        return found
    return [found[round(k * (len(found) - 1) / (most - 1))] for k in range(most)]


def weight_lines(one: Trained) -> list[tuple[Quantity, list[tuple[int, float]]]]:
    """The parameters that changed most, over time."""
    networks = one.networks()
    if len(networks) < 2:
        return []
    names = movers(networks[0][1], networks[-1][1], MOST_LINES)
    return [(q, [(n, value(network, q)) for n, network in networks]) for q in names]


def _weights(
    context: Context, one: Trained, lines: list[tuple[Quantity, list[tuple[int, float]]]],
    *, several: bool,
) -> ChartPart:  # fmt: skip
    series = [
        Series(str(q), [n + 1.0 for n, _ in line], [y for _, y in line], style)
        for style, (q, line) in enumerate(lines, 1)
    ]
    first = {int(n): y for n, y in zip(series[0].x, series[0].y, strict=True)}
    last = one.end + 1
    svg = charts.draw(
        Chart(
            "weights", "Weights and biases before each iteration", tuple(series), "iteration",
            "value", (1.0, float(max(2, last))),
            _places(one, first, str(lines[0][0])),
            reached=False, linear=True,
        )
    )  # fmt: skip
    legend = tuple(Key(f"line-{k}", context.line.quantity(q)) for k, (q, _) in enumerate(lines, 1))
    all_of_them = len(lines) == learning(context.trace.network)
    note = "" if all_of_them else f"The {len(lines)} that change most."
    if several:
        note = f"{note} {capital(one.name)}.".strip()
    return ChartPart("Weights and biases", svg, legend, note)


def table(
    context: Context, runs: Sequence[Trained]
) -> tuple[tuple[Markup | str, ...], tuple[TableRow, ...]]:
    """The data of the charts: heads, and a row for some iterations of the first run."""
    own = runs[0]
    if not own.losses:
        return (), ()
    several = len(runs) > 1
    columns: list[Markup | str] = [
        "Loss" + (f", {one.name}" if several else "") for one in runs if one.losses
    ]
    network = context.trace.network
    layers = _some(list(range(1, own.run.depth + 1)), MOST_LINES)
    if own.run.classified is not None:
        columns.append("Accuracy")
    columns += [f"Loss on the {name} set" for name in own.run.others]
    columns += [f"Gradient, {place(network, layer).removeprefix('the ')}" for layer in layers]
    lines = weight_lines(own)
    columns += [context.line.quantity(q) for q, _ in lines]
    points, values = dict(own.points), [dict(line) for _, line in lines]
    rows = []
    for n in table_iterations(own, points, {n + 1 for n, _ in own.networks()}):
        cells = [
            number.shown(one.losses[n - 1], FEW) if n <= one.end else ""
            for one in runs
            if one.losses
        ]
        if own.run.classified is not None:
            cells.append(number.shown(own.run.accuracies[n - 1], FEW))
        point = points.get(n)
        cells += [
            number.shown(loss, FEW) if point else ""
            for loss in (point.others if point else ("",) * len(own.run.others))
        ]
        cells += [number.shown(point.norms[layer - 1], FEW) if point else "" for layer in layers]
        cells += [number.shown(known[n - 1], FEW) if n - 1 in known else "" for known in values]
        rows.append(TableRow(f"{n:,}", own.step(n), tuple(cells)))
    return tuple(columns), tuple(rows)


def table_iterations(one: Trained, points: dict[int, Point], others: set[int]) -> list[int]:
    """Iterations for the table: those of which most is known, evenly, and the last."""
    known = sorted(others & set(points)) or sorted(points)
    if len(known) > MOST_ROWS:
        known = [known[round(k * (len(known) - 1) / (MOST_ROWS - 1))] for k in range(MOST_ROWS)]
    return known if known and known[-1] == one.end else [*known, one.end]

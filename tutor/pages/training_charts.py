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
from dataclasses import dataclass
from math import floor, log10

from tutor import number
from tutor.draw import charts
from tutor.draw.charts import Chart, Key, Place, Series
from tutor.engine.quantity import Quantity
from tutor.engine.run import Point, learning, movers, value
from tutor.lesson.titles import capital, enumerated, place
from tutor.notation.markup import Markup
from tutor.pages.context import Context
from tutor.pages.training_pictures import MOST_ROWS, OTHERS, NumberTable, TableRow, some
from tutor.pages.training_query import EPOCH, ITERATION
from tutor.pages.training_runs import FEW, Trained

MOST_PLACES = 10
"""Links of a chart: on a phone each is as wide as a thumb."""
MEANS = 2
"""The style of the line of epochs."""
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
    """Links to round iterations, or to those next to them that are known; none in a file."""
    if one.view is None:
        return ()
    there = sorted(n for n in known if n <= one.end)
    nearest = (
        min((abs(at - n), at) for at in there[max(0, bisect(there, n) - 1) :][:2])[1]
        for n in chosen_iterations(one.end, MOST_PLACES)
        if there
    )
    return tuple(
        Place(one.x(n), known[n], one.step(n), f"Open iteration {n:,}: {what} {_few(known[n])}")
        for n in dict.fromkeys(nearest)
    )


def _each(one: Trained) -> str:
    """What the axis counts."""
    return EPOCH if one.by_epoch else ITERATION


def _range(runs: Sequence[Trained], last: float) -> tuple[float, float]:
    """From the first to the last of what the axis counts; from 0 where an epoch has parts."""
    return 0.0 if any(one.per > 1 for one in runs) else 1.0, max(2.0, last)


def _few(value: float) -> str:
    return number.shown(value, FEW)


def loss_chart(runs: Sequence[Trained]) -> ChartPart | None:
    """The loss of each iteration, of both runs; of batches also its mean over each epoch."""
    shown = [one for one in runs if one.losses]
    if not shown:
        return None
    own, several = shown[0], len(runs) > 1
    series = [line for one in shown for line in _losses(one, several=several)]
    series += [
        Series(
            f"Loss on the {name} set",
            *_columns(own, [p.others[k].loss for _, p in own.points]),
            OTHERS + k,
        )
        for k, name in enumerate(own.run.others)
    ]
    most = ROOM * max(one.losses[0] for one in shown)
    out = any(max(one.losses) > most > 0 for one in shown)
    each, last = _each(own), max(one.x(one.end if one.done else asked_for(one)) for one in shown)
    ends = range(own.per, own.end + 1, own.per)
    known = {n: loss for n in ends if (loss := own.loss_at(n // own.per)) is not None}
    what = "loss" if own.per == 1 else f"mean loss of the {EPOCH}"
    svg = charts.draw(
        Chart(
            "loss", f"Loss of each {each}", tuple(series), each, "loss", _range(runs, last),
            _places(own, known, what), most=most if out else None,
        )
    )  # fmt: skip
    legend = tuple(
        Key(f"line-{line.style}", line.name) for line in series if not (several and line.faint)
    )
    notes = (_compared(runs), f"A loss above {number.shown(most, 2)} is cut off." if out else "")
    return ChartPart("Loss", svg, legend if len(legend) > 1 else (), " ".join(filter(None, notes)))


def _losses(one: Trained, *, several: bool) -> Iterator[Series]:
    """The losses of a run; where they are of batches, faint behind their mean over each epoch."""
    ends, means = one.run.epochs(one.losses)
    name, iterations = capital(one.name) if several else "Loss", range(1, one.end + 1)
    x = [one.x(n) for n in iterations]
    if not means:
        yield Series(name, x, one.losses, one.style)
        return
    each = f"{name}, each batch" if several else "Loss of each batch"
    yield Series(each, x, one.losses, one.style, faint=True)
    mean = name if several else "Mean of each epoch"
    yield Series(mean, [one.x(n) for n in ends], means, one.style if several else MEANS)


def _compared(runs: Sequence[Trained]) -> str:
    """What is fair about runs with batches of different sizes, and what is not."""
    batches = [one.running.training.batches for one in runs]
    if len({each.per_epoch for each in batches}) < 2:
        return ""
    names = [one.name for one in runs]
    mean = (
        "A bold line is the mean over the updates of each epoch, taken while the weights change; "
        "the faint one is each update’s own loss."
    )
    if not runs[0].by_epoch:
        seen = _with([number.counted(each.each, "sample") for each in batches], names)
        return f"One iteration is one update, but sees more or less of the data: {seen}. {mean}"
    updates = _with([number.counted(each.per_epoch, "update") for each in batches], names)
    return " ".join(
        [f"In one epoch a run sees every sample once: {updates}.", mean, *_shorter(runs)]
    )


def _with(amounts: Sequence[str], names: Sequence[str]) -> str:
    """1 update with full batches and 12 updates with online updates."""
    return enumerated([f"{a} with {name}" for a, name in zip(amounts, names, strict=True)])


def _shorter(runs: Sequence[Trained]) -> Iterator[str]:
    """Which runs cannot be as long as the first one."""
    for one in runs:
        wanted = runs[0].asked.iterations * one.per // runs[0].per
        if one.asked.iterations < wanted:
            most = number.counted(one.asked.iterations, "iteration")
            epochs = number.counted(one.asked.iterations // one.per, "epoch")
            yield f"With {one.name} it goes {epochs} far, for a run has at most {most} here."


def asked_for(one: Trained) -> int:
    """Up to where a run is drawn that is not done: there is room for the rest."""
    return one.asked.iterations


def _columns(one: Trained, values: list[float]) -> tuple[list[float], list[float]]:
    return [one.x(n) for n, _ in one.points], values


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
        n, y = (ends, means) if means else (list(range(1, one.end + 1)), each)
        known = known or dict(zip(n, y, strict=True))
        name = capital(one.name) if len(runs) > 1 else "Accuracy"
        series.append(Series(name, [one.x(at) for at in n], y, one.style))
    series += _other_accuracies(runs[0])
    averaged = any(one.run.epochs(one.losses)[0] for one in runs)
    by_epoch = EPOCH if averaged else ITERATION
    last = max(one.x(one.end) for one in runs)
    svg = charts.draw(
        Chart(
            "accuracy", f"Accuracy of each {by_epoch}", tuple(series), _each(runs[0]), "accuracy",
            _range(runs, last), _places(runs[0], known, "accuracy"),
            reached=False, y_range=(0.0, 1.0),
        )
    )  # fmt: skip
    legend = tuple(Key(f"line-{line.style}", line.name) for line in series)
    note = "Of batches, the mean over each epoch." if averaged else ""
    return ChartPart("Accuracy", svg, legend if len(series) > 1 else (), note)


def _other_accuracies(one: Trained) -> Iterator[Series]:
    """On the sets that are not learned from."""
    for k, name in enumerate(one.run.others):
        found = [(n, p.others[k].accuracy) for n, p in one.points]
        known = [(one.x(n), accuracy) for n, accuracy in found if accuracy is not None]
        x, y = ([pair[i] for pair in known] for i in (0, 1))
        yield Series(f"Accuracy on the {name} set", x, y, OTHERS + k)


def _norms(context: Context, one: Trained, *, several: bool) -> ChartPart:
    depth, network = one.run.depth, context.trace.network
    layers = some(range(1, depth + 1), MOST_LINES)
    series = [
        Series(
            capital(place(network, layer).removeprefix("the ")),
            *_columns(one, [p.norms[layer - 1] for _, p in one.points]), at + 1,
        )
        for at, layer in enumerate(layers)
    ]  # fmt: skip
    top = {n: p.norms[layers[-1] - 1] for n, p in one.points}
    svg = charts.draw(
        Chart(
            "norms", "Size of the gradient in each layer", tuple(series), _each(one),
            "gradient norm", _range([one], one.x(one.end)),
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
        Series(context.line.said(q), [one.x(n + 1) for n, _ in line], [y for _, y in line], style)
        for style, (q, line) in enumerate(lines, 1)
    ]
    first = {n + 1: y for n, y in lines[0][1]}
    svg = charts.draw(
        Chart(
            "weights", "Weights and biases before each iteration", tuple(series), _each(one),
            "value", _range([one], one.x(one.end + 1)),
            _places(one, first, context.line.said(lines[0][0])),
            reached=False, linear=True,
        )
    )  # fmt: skip
    legend = tuple(Key(f"line-{k}", context.line.quantity(q)) for k, (q, _) in enumerate(lines, 1))
    all_of_them = len(lines) == learning(context.trace.network)
    note = "" if all_of_them else f"The {len(lines)} that change most."
    if several:
        note = f"{note} {capital(one.name)}.".strip()
    return ChartPart("Weights and biases", svg, legend, note)


def table(context: Context, runs: Sequence[Trained]) -> NumberTable | None:
    """The data of the charts: a row for some iterations of the first run, or for some epochs."""
    own = runs[0]
    if not own.losses:
        return None
    shown, network = [one for one in runs if one.losses], context.trace.network
    layers = some(range(1, own.run.depth + 1), MOST_LINES)
    classified = own.run.classified is not None
    lines = weight_lines(own)
    of = {one: f", {one.name}" if len(runs) > 1 else "" for one in shown}
    columns: list[Markup | str] = [f"Loss{of[one]}" for one in shown]
    columns += [f"Accuracy{of[one]}" for one in shown if classified]
    columns += [f"Loss on the {name} set" for name in own.run.others]
    columns += [f"Accuracy on the {name} set" for name in own.run.others if classified]
    columns += [f"Gradient, {place(network, layer).removeprefix('the ')}" for layer in layers]
    columns += [context.line.quantity(q) for q, _ in lines]
    points, values = dict(own.points), [dict(line) for _, line in lines]
    rows = []
    for n in table_iterations(own, points, {n + 1 for n, _ in own.networks()}):
        x = n // own.per
        found = [one.loss_at(x) for one in shown]
        found += [one.accuracy_at(x) for one in shown if classified]
        point = points.get(n)
        others = point.others if point else ()
        found += [one.loss for one in others] or [None] * len(own.run.others)
        if classified:
            found += [one.accuracy for one in others] or [None] * len(own.run.others)
        found += [point.norms[layer - 1] if point else None for layer in layers]
        found += [known.get(n - 1) for known in values]
        cells = tuple("" if one is None else number.shown(one, FEW) for one in found)
        rows.append(TableRow(f"{x:,}", own.step(n), cells))
    each, leads = capital(_each(own)), ""
    if own.view is not None:
        leads = f"each leads to its {'last update' if own.by_epoch else 'first step'}"
    return NumberTable(f"Some {each.lower()}s", each, tuple(columns), tuple(rows), leads)


def table_iterations(one: Trained, points: dict[int, Point], others: set[int]) -> list[int]:
    """Iterations for the table: those of which most is known, evenly, and the last. Where curves go
    over epochs, the last ones of some.
    """
    ends = range(one.per, one.end + 1, one.per)
    known = sorted(n for n in others & set(points) if n in ends) or sorted(
        n for n in points if n in ends
    )
    if len(known) < min(len(ends), MOST_ROWS) and one.per > 1:
        known = list(ends)
    known = some(known, MOST_ROWS)
    return known if known and known[-1] == ends[-1] else [*known, ends[-1]]

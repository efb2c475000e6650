"""The page of a training: how it goes over many iterations, with a way into each of them.

    training_page(context, asked, runs, notices)  -> TrainingPage
    Trained(running, rate, view)                  one run: what is recorded, and how it is looked at

The first run is the lesson's own; a second one, with another learning rate, is drawn on the same
axes. What is not trained yet is said to be so, with the address that goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from urllib.parse import unquote_plus

import numpy as np

from tutor import number
from tutor.draw import charts
from tutor.draw.charts import Chart, Place, Series
from tutor.engine.network import Network
from tutor.engine.quantity import Quantity
from tutor.engine.run import Ending, Point, Run, accuracy_of, parameter_names, value
from tutor.engine.trace import FLAT, OVERFLOW
from tutor.lesson import running as how
from tutor.lesson.explain import explain_stop
from tutor.lesson.running import Running, Verdict, verdict
from tutor.lesson.titles import capital, place
from tutor.lesson.walk import Lesson, furthest
from tutor.notation.markup import Markup
from tutor.pages.context import Context
from tutor.pages.outline import Link
from tutor.pages.training_pictures import Picture, Way, has_picture, picture, surface_picture
from tutor.pages.training_query import Asked
from tutor.pages.view import View
from tutor.pages.what_if import Changed, changed

STEPS = (1, 10, 100, 1000, 10_000)
"""Numbers of iterations that are a click away."""
MOST_PLACES = 10
"""Links of a chart: on a phone each is as wide as a thumb."""
MOST_ROWS = 24
MOST_LINES = 6
RATES = (0.1, 0.3, 3.0, 10.0)
"""Other learning rates that are a click away, as factors."""
FEW = 4
"""Digits of numbers in sentences."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form."""

    name: str
    label: str
    text: str
    hint: str = ""
    problem: str = ""

    @property
    def described_by(self) -> str:
        """The ids of the texts that belong to it."""
        ids = [f"{self.name}-hint"] if self.hint else []
        return " ".join([*ids, f"{self.name}-problem"] if self.problem else ids)


@dataclass(frozen=True, slots=True)
class ChartPart:
    """A chart with its heading and legend."""

    heading: str
    svg: Markup
    legend: tuple[tuple[str, Markup | str], ...]
    """(class of its line, what it stands for)"""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is that has not reached its end."""

    done: int
    of: int
    text: str
    """Count, loss so far, time left."""
    go_on: str
    """The address that goes on."""
    stop: str
    """The address of what there is so far."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run that cannot go on."""

    text: str
    """Which iteration, which layer, why."""
    open: Link
    """That iteration, where its first bad number is."""
    tries: tuple[Link, ...]
    """What to try."""


@dataclass(frozen=True, slots=True)
class Scrub:
    """The moment at which the pictures are drawn, and other moments."""

    action: str
    hidden: tuple[tuple[str, str], ...]
    at: int
    last: int
    text: str
    """Which moment this is."""
    links: tuple[Link, ...]
    open: Link | None
    """The iteration that led here."""
    part: str
    """The address of the pictures alone."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the network does after an iteration."""

    scrub: Scrub
    picture: Picture | None
    surface: Picture | None
    choose: tuple[Field, ...]
    """The fields for the parameters of the surface."""
    names: tuple[str, ...]
    """What may stand in them."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """An iteration in the table."""

    n: str
    href: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of the runs so far."""

    said: str
    """In short, for those who listen."""
    sentences: tuple[str, ...]
    progress: Progress | None
    stopped: tuple[Stopped, ...]
    loss: ChartPart | None
    more: tuple[ChartPart, ...]
    moment: Moment | None
    columns: tuple[Markup | str, ...]
    rows: tuple[TableRow, ...]
    next: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class TrainingPage:
    """The form, and what came of it."""

    id: str
    title: str
    home: str
    notices: tuple[str, ...]
    variant: str
    changed: Changed | None
    action: str
    presets: tuple[Link, ...]
    fields: tuple[Field, ...]
    goals: tuple[Field, ...]
    until: bool
    """Whether a goal is set, so that its fields are open."""
    hidden: tuple[tuple[str, str], ...]
    rate: str
    """The learning rate of the lesson."""
    rates: tuple[Link, ...]
    result: Result | None


@dataclass(frozen=True, slots=True)
class Trained:
    """One run, how it is looked at, and how far it is wanted."""

    running: Running
    rate: float
    view: View
    """Of its steps."""
    style: int
    asked: Asked

    @property
    def run(self) -> Run:
        return self.running.run

    @property
    def goal_met(self) -> int | None:
        """The iteration that meets the reader's goal, if one does."""
        found = self.run.reached(self.asked.goal) if self.asked.goal else None
        return found if found is None or found <= self.asked.iterations else None

    @property
    def end(self) -> int:
        """The last iteration that is shown."""
        return min(self.goal_met or self.asked.iterations, self.run.length)

    @property
    def done(self) -> bool:
        """Whether it is as far as it is wanted, or as it can get."""
        return (
            self.goal_met is not None
            or self.run.length >= self.asked.iterations
            or self.run.ending is not None
        )

    @property
    def ending(self) -> Ending | None:
        """Why it ends early, where that is within what is wanted."""
        found = self.run.ending
        within = found and found.iteration <= self.asked.iterations and self.goal_met is None
        return found if within else None

    @property
    def losses(self) -> list[float]:
        return list(self.run.losses[: self.end])

    @property
    def name(self) -> str:
        """What the run is called beside another."""
        return f"learning rate {number.shown(self.rate, 6)}"

    @property
    def points(self) -> list[tuple[int, Point]]:
        """What is recorded beside the losses, up to the end."""
        kept = dict(self.run.points.kept)
        return [(n, point) for n, point in sorted(kept.items()) if n <= self.end]

    def step(self, iteration: int) -> str:
        """The address of an iteration's first step."""
        return self.view.address(self.asked.lesson, 1, iteration=iteration)

    def networks(self) -> list[tuple[int, Network]]:
        """(iterations done, the network after them), some of them, from the first to the last."""
        states = dict(self.run.states.kept)
        found = [(n - 1, s.network) for n, s in sorted(states.items()) if n <= self.end + 1]
        if found and found[-1][0] != self.last:
            found.append((self.last, self.run.parameters(self.last + 1)))
        return found

    @property
    def last(self) -> int:
        """After how many iterations there is a network."""
        return self.end - 1 if self._cut else self.end

    @property
    def _cut(self) -> bool:
        """Whether the last recorded iteration has no update that can be used."""
        found = self.run.ending
        return found is not None and self.end >= found.iteration


def training_page(
    context: Context, asked: Asked, runs: Sequence[Trained], notices: tuple[str, ...] = ()
) -> TrainingPage:
    """The whole page; without runs where something in the form is wrong."""
    scenario = context.lesson.scenario
    rate = scenario.training.learning_rate
    return TrainingPage(
        scenario.id, scenario.title, context.home, notices, "", changed(context, None),
        asked.address().partition("?")[0], tuple(presets(context, asked)), fields(asked),
        goals(context, asked), bool(asked.goal) or any(f.problem for f in goals(context, asked)),
        hidden(asked.view), number.shown(rate, 6), rates(asked, rate),
        result(context, asked, runs) if runs else None,
    )  # fmt: skip


def presets(context: Context, asked: Asked) -> Iterator[Link]:
    """Numbers of iterations that are a click away; that of the file is its end."""
    scenario = context.lesson.scenario
    most, end = furthest(scenario), scenario.training.iterations
    for n in sorted({n for n in (*STEPS, end) if n <= most}):
        text = f"{n:,} to the end" if n == end > 1 else f"{n:,}"
        href = asked.address(iterations=n, at=None, of=0)
        yield Link(text, href, n == asked.iterations and not asked.goal, n)


def fields(asked: Asked) -> tuple[Field, ...]:
    """The fields that are always there."""
    return (
        _field(asked, "iterations", "Iterations", text=str(asked.iterations)),
        _field(asked, "other", "Compare with learning rate"),
    )


def goals(context: Context, asked: Asked) -> tuple[Field, ...]:
    """The fields for when to stop early."""
    found = [
        _field(asked, "loss_below", "Loss below"),
        _field(asked, "change_below", "Change of the loss below"),
    ]
    if accuracy_of(context.trace.network, context.trace.y) or "accuracy" in asked.problems:
        found.append(_field(asked, "accuracy", "Accuracy at least", "between 0 and 1"))
    return tuple(found)


def _field(asked: Asked, name: str, label: str, hint: str = "", text: str = "") -> Field:
    return Field(
        name, label, asked.texts.get(name, "") or text, hint, asked.problems.get(name, "")
    )


def hidden(view: View, **more: str) -> tuple[tuple[str, str], ...]:
    """What the form keeps of the address."""
    kept = [part.partition("=") for part in view.query().split("&") if part]
    return (*((key, unquote_plus(text)) for key, _, text in kept), *more.items())


def rates(asked: Asked, rate: float) -> tuple[Link, ...]:
    """Other learning rates to compare with, and none."""
    found = [float(f"{rate * factor:.3g}") for factor in RATES]
    links = [
        Link(number.shown(one, 6), asked.address(other=one, at=None), one == asked.other)
        for one in found
    ]
    none = [Link("none", asked.address(other=None, at=None))] if asked.other is not None else []
    return (*links, *none)


# ---- what came of it ----


def result(context: Context, asked: Asked, runs: Sequence[Trained]) -> Result:
    """All that is known of the runs so far; pictures and table only when they are done."""
    done = all(one.done for one in runs)
    sentences = tuple(said(one, several=len(runs) > 1) for one in runs)
    columns, rows = table(context, runs) if done else ((), ())
    return Result(
        sentences[0] if done else "",
        sentences if done else (),
        None if done else progress(asked, runs),
        tuple(stopped(context, asked, one) for one in runs if one.ending),
        loss_chart(context, runs),
        tuple(more_charts(context, runs)) if done else (),
        moment(context, asked, runs) if done and runs[0].last >= 0 and runs[0].losses else None,
        columns,
        rows,
        tuple(onward(context, asked, runs)) if done else (),
    )


def progress(asked: Asked, runs: Sequence[Trained]) -> Progress:
    """How far the slowest is."""
    slow = min(runs, key=lambda one: one.run.length if not one.done else asked.iterations)
    done, of = slow.run.length, asked.iterations
    left = sum(
        (of - one.run.length) * one.running.pace for one in runs if not one.done
    )
    seconds = max(1, ceil(left))
    loss = f", loss so far {number.shown(slow.losses[-1], FEW)}" if slow.losses else ""
    text = (
        f"{done:,} of {number.counted(of, 'iteration')}{loss}, "
        f"about {number.counted(seconds, 'second')} left"
    )
    stop = asked.address(iterations=max(1, done), of=of, at=None)
    return Progress(done, of, text, asked.address("progress"), stop)


def said(one: Trained, *, several: bool) -> str:
    """How a run went, in a sentence or two."""
    found = verdict(one.losses, one.ending is not None and one.ending.why.why != FLAT)
    start = f"With {one.name}" if several else f"After {number.counted(one.end, 'iteration')}"
    if found is None:
        return f"{start} there is no loss to show."
    goal = one.goal_met
    reached = f" The goal is reached in iteration {goal:,}." if goal is not None else ""
    if one.asked.goal and goal is None and not one.ending:
        reached = f" The goal is not reached within {number.counted(one.end, 'iteration')}."
    cut = one.asked.of
    if cut > one.end and not several:
        reached += f" You stopped the run after {one.end:,} of {cut:,} iterations."
    return _said(start, found, one) + reached


def _said(start: str, found: Verdict, one: Trained) -> str:
    first, last = (number.shown(loss, FEW) for loss in (found.first, found.last))
    if one.end == 1 and found.word == how.STAYS:
        return f"{start} one loss is known, that of iteration 1: {first}."
    match found.word:
        case how.EXPLODES:
            return (
                f"{start} training explodes: the numbers leave the range of 64-bit numbers in "
                f"iteration {one.ending.iteration if one.ending else one.end:,}."
            )
        case how.CONVERGES:
            return (
                f"{start} training has converged: the loss has fallen from {first} to {last} and "
                "hardly changes any more."
            )
        case how.FALLS:
            return f"{start} the loss has fallen from {first} to {last} and is still falling."
        case how.CRAWLS:
            return (
                f"{start} training crawls: the loss has only fallen from {first} to {last}. "
                "More iterations or a larger learning rate would help."
            )
        case how.BOUNCES:
            return (
                f"{start} the loss bounces up and down: it starts at {first}, ends at {last} and "
                f"was {number.shown(found.lowest, FEW)} at its lowest. "
                "A smaller learning rate takes smaller steps."
            )
        case how.DIVERGES:
            return (
                f"{start} training diverges: the loss has grown from {first} to {last}. "
                "Each step goes too far; try a smaller learning rate."
            )
        case _:
            return f"{start} the loss is still {first}: nothing has changed."


def stopped(context: Context, asked: Asked, one: Trained) -> Stopped:
    """Where and why a run cannot go on, and what to try."""
    ending = one.ending
    assert ending is not None
    q = ending.why.quantity
    network = ending.trace.network
    where = f" in {place(network, q.layer)}" if q.layer else ""
    lesson = Lesson(context.lesson.scenario, ending.trace, ending.iteration)
    opened = Link(
        f"Open iteration {ending.iteration:,} where it ends",
        one.view.address(
            asked.lesson, len(lesson.walk(one.view.grain)), iteration=ending.iteration
        ),
    )
    if ending.why.why == FLAT:
        text = explain_stop(ending.trace, ending.why).replace(
            "The backward pass ends here.", "This network cannot be trained.", 1
        )
        return Stopped(text, Link("Walk through the forward pass", one.step(1)), ())
    reason = (
        "is larger than a 64-bit number can hold, about 1.8 × 10³⁰⁸"
        if ending.why.why == OVERFLOW
        else "is not a number: infinity meets infinity or 0"
    )
    text = (
        f"With {one.name} the run stops in iteration {ending.iteration:,}: "
        f"the {q.of.words}{where} ({q}) {reason}. The curve is kept up to there."
    )
    smaller = [float(f"{one.rate * factor:.3g}") for factor in (0.3, 0.1, 0.01)]
    tries = tuple(
        Link(f"Compare with learning rate {number.shown(rate, 6)}", asked.address(other=rate, at=None))
        for rate in smaller
    )
    return Stopped(text, opened, tries)


def onward(context: Context, asked: Asked, runs: Sequence[Trained]) -> Iterator[Link]:
    """What one may do next."""
    own = runs[0]
    if own.losses:
        yield Link("Open iteration 1 number by number", own.step(1))
        if own.end > 1:
            yield Link(f"Open iteration {own.end:,}, the last one", own.step(own.end))
    further = next((n for n in STEPS if n > own.end), 0)
    if own.ending is None and own.end < further <= furthest(context.lesson.scenario):
        yield Link(f"Train on to iteration {further:,}", asked.address(iterations=further, at=None, of=0))


# ---- charts over iterations ----


def chosen_iterations(last: int, most: int) -> list[int]:
    """Round iterations from the first to the last, at most so many."""
    if last <= most:
        return list(range(1, last + 1))
    every = _round_up(last / (most - 1))
    found = [1, *range(every, last, every)]
    if last - found[-1] < 0.6 * every and len(found) > 1:
        found.pop()
    return [*found, last]


def _round_up(value: float) -> int:
    power = 10 ** floor(log10(value)) if value >= 1 else 1
    return next(m * power for m in (1, 2, 5, 10) if m * power >= value)


def _over_iterations(
    context: Context, runs: Sequence[Trained], key: str, title: str, name: str,
    series: Sequence[Series], places: Sequence[Place], **more: bool,
) -> Markup:  # fmt: skip
    last = max(one.end for one in runs)
    return charts.draw(
        Chart(
            key, title, tuple(series), "iteration", name, (1.0, float(max(2, last))),
            tuple(places), **more,  # type: ignore[arg-type]
        )
    )  # fmt: skip


def _places(one: Trained, y: Callable[[int], float | None], what: str) -> Iterator[Place]:
    for n in chosen_iterations(one.end, MOST_PLACES):
        at = y(n)
        if at is not None:
            yield Place(
                n, at, one.step(n), f"Open iteration {n:,}: {what} {number.shown(at, FEW)}"
            )


def loss_chart(context: Context, runs: Sequence[Trained]) -> ChartPart | None:
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
            f"Loss on the {name} set", *_columns(one.points, lambda p, k=k: p.others[k]), 3 + k
        )
        for one in shown[:1]
        for k, name in enumerate(one.run.others)
    ]
    own = shown[0]
    svg = _over_iterations(
        context, shown, "loss", "Loss of each iteration", "loss", series,
        list(_places(own, lambda n: own.losses[n - 1], "loss")),
    )  # fmt: skip
    legend = tuple((f"line-{line.style}", line.name) for line in series)
    return ChartPart("Loss", svg, legend if len(series) > 1 else ())


def _columns(
    points: Sequence[tuple[int, Point]], of: Callable[[Point], float | None]
) -> tuple[list[float], list[float]]:
    found = [(float(n), y) for n, point in points if (y := of(point)) is not None]
    return [n for n, _ in found], [y for _, y in found]


def more_charts(context: Context, runs: Sequence[Trained]) -> Iterator[ChartPart]:
    """Accuracy, gradient norms and weights."""
    shown = [one for one in runs if one.end > 1]
    if not shown:
        return
    if shown[0].run.classified is not None:
        yield _accuracy(context, shown)
    yield _norms(context, shown[0], several=len(runs) > 1)
    lines = weight_lines(shown[0])
    if lines:
        yield _weights(context, shown[0], lines, several=len(runs) > 1)


def _accuracy(context: Context, runs: Sequence[Trained]) -> ChartPart:
    series = [
        Series(
            capital(one.name) if len(runs) > 1 else "Accuracy",
            range(1, one.end + 1), list(one.run.accuracies[: one.end]), one.style,
        )
        for one in runs
    ]  # fmt: skip
    own = runs[0]
    last = max(one.end for one in runs)
    svg = charts.draw(
        Chart(
            "accuracy", "Accuracy of each iteration", tuple(series), "iteration", "accuracy",
            (1.0, float(max(2, last))),
            tuple(_places(own, lambda n: own.run.accuracies[n - 1], "accuracy")),
            reached=False, y_range=(0.0, 1.0),
        )
    )  # fmt: skip
    legend = tuple((f"line-{line.style}", line.name) for line in series)
    return ChartPart("Accuracy", svg, legend if len(series) > 1 else ())


def _norms(context: Context, one: Trained, *, several: bool) -> ChartPart:
    depth, network = one.run.depth, context.trace.network
    layers = _some(list(range(1, depth + 1)), MOST_LINES)
    series = [
        Series(
            capital(place(network, layer).removeprefix("the ")),
            *_columns(one.points, lambda p, at=layer - 1: p.norms[at]), at + 1,
        )
        for at, layer in enumerate(layers)
    ]  # fmt: skip
    top = dict(zip(series[-1].x, series[-1].y, strict=True))
    svg = _over_iterations(
        context, [one], "norms", "Size of the gradient in each layer", "gradient norm", series,
        list(_places(one, lambda n: top.get(n), "gradient norm of the output layer")),
        reached=False,
    )  # fmt: skip
    note = f"The norm of all gradients of a layer, {one.name}." if several else (
        "The norm of all gradients of a layer: near 0 the layer hardly learns."
    )
    legend = tuple((f"line-{line.style}", line.name) for line in series)
    return ChartPart("Gradient norm per layer", svg, legend, note)


def _some(found: list[int], most: int) -> list[int]:
    """The first, the last, and some between."""
    if len(found) <= most:
        return found
    return [found[round(k * (len(found) - 1) / (most - 1))] for k in range(most)]


def movers(before: Network, after: Network, most: int) -> list[Quantity]:
    """The parameters that differ most, in the order of their names."""
    names = parameter_names(before)
    if len(names) > 4000:
        names = names[:: len(names) // 4000 + 1]
    way = [abs(value(after, q) - value(before, q)) for q in names]
    order = sorted(range(len(names)), key=lambda at: -way[at] if np.isfinite(way[at]) else 0.0)
    return [names[at] for at in sorted(order[:most])]


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
    first = dict(zip(series[0].x, series[0].y, strict=True))
    last = one.end + 1
    svg = charts.draw(
        Chart(
            "weights", "Weights and biases before each iteration", tuple(series), "iteration",
            "value", (1.0, float(max(2, last))),
            tuple(_places(one, lambda n: first.get(n), f"{lines[0][0]}")),
            reached=False, linear=True,
        )
    )  # fmt: skip
    legend = tuple((f"line-{k}", context.line.quantity(q)) for k, (q, _) in enumerate(lines, 1))
    all_of_them = len(lines) == len(parameter_names(context.trace.network))
    note = "" if all_of_them else f"The {len(lines)} that change most."
    if several:
        note = f"{note} {capital(one.name)}.".strip()
    return ChartPart("Weights and biases", svg, legend, note)


# ---- a moment ----


def moment(context: Context, asked: Asked, runs: Sequence[Trained]) -> Moment | None:
    """What the network of the first run does after an iteration."""
    own = runs[0]
    at = min(own.last if asked.at is None else asked.at, own.last)
    network = own.run.parameters(at + 1)
    when = f"after iteration {at:,}" if at else "before training"
    if at == own.last and at:
        when = f"after {number.counted(at, 'iteration')}"
    drawn = picture(own.run, network, when) if has_picture(network) else None
    chosen = asked.chosen or tuple(_two(own))
    over = None
    if len(chosen) == 2 and own.last >= 1:
        ways = [
            Way(tuple(network for _, network in one.networks()), one.style, capital(one.name))
            for one in runs
            if len(one.networks()) > 1
        ]
        over = surface_picture(own.run, network, ways, (chosen[0], chosen[1]), when)
    if drawn is None and over is None:
        return None
    choose = tuple(
        Field(name, label, str(q), "", asked.problems.get(name, ""))
        for name, label, q in zip(("first", "second"), ("Across", "Up"), chosen, strict=False)
    )
    names = tuple(map(str, parameter_names(network)[:200])) if over else ()
    return Moment(scrub(asked, own, at), drawn, over, choose if over else (), names)


def _two(one: Trained) -> list[Quantity]:
    networks = one.networks()
    return movers(networks[0][1], networks[-1][1], 2) if len(networks) > 1 else []


def scrub(asked: Asked, own: Trained, at: int) -> Scrub:
    """The moment, and the way to others."""
    last = own.last
    step = max(1, _round_up(last / 20)) if last else 1
    moments = [
        ("Before training", 0),
        (f"− {step:,}", max(0, at - step)),
        (f"+ {step:,}", min(last, at + step)),
        ("End", last),
    ]
    links = tuple(
        Link(text, asked.address(at=n) + "#moment", n == at) for text, n in moments
    )
    opened = Link(f"Open iteration {max(at, 1):,}", own.step(max(at, 1))) if own.losses else None
    kept = {key: text for key, text in asked.query(at=None).items() if key != "at"}
    return Scrub(
        asked.address().partition("?")[0], hidden(asked.view, **kept), at, last,
        f"After iteration {at:,}" if at else "Before training", links, opened,
        asked.address("moment", at=None),
    )  # fmt: skip


# ---- the numbers ----


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
    for n in table_iterations(own, points):
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
        cells += [
            number.shown(known[n - 1], FEW) if n - 1 in known else "" for known in values
        ]
        rows.append(TableRow(f"{n:,}", own.step(n), tuple(cells)))
    return tuple(columns), tuple(rows)


def table_iterations(one: Trained, points: dict[int, Point]) -> list[int]:
    """Iterations for the table: recorded ones, evenly, and the last."""
    known = sorted(points)
    if len(known) > MOST_ROWS:
        known = [known[round(k * (len(known) - 1) / (MOST_ROWS - 1))] for k in range(MOST_ROWS)]
    return known if known and known[-1] == one.end else [*known, one.end]

"""The page of a training: how it goes over many iterations, with a way into each of them.

    training_page(context, asked, runs, notices)  -> TrainingPage

The first run is the lesson's own; a second one, with another learning rate, batch size or
optimizer, is drawn on the same axes. What is not trained yet is said to be so, with the address
that goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil
from urllib.parse import unquote_plus

from tutor import number
from tutor.engine.run import parameter_names
from tutor.engine.trace import FLAT
from tutor.lesson import changes
from tutor.lesson.changeable import batch_word
from tutor.lesson.changes import Changes
from tutor.lesson.dataset import all_alike
from tutor.lesson.walk import Lesson, furthest
from tutor.pages.context import Context
from tutor.pages.outline import Link
from tutor.pages.training_charts import (
    ChartPart,
    loss_chart,
    more_charts,
    round_up,
    table,
)
from tutor.pages.training_pictures import (
    NumberTable,
    Picture,
    activity,
    picture,
    units_picture,
)
from tutor.pages.training_query import EPOCH, ITERATION, SLIDES, Asked, has_classes, slid, slide
from tutor.pages.training_runs import FEW, Trained, before_any_update, said, why_it_ends
from tutor.pages.training_surface import largest_movers, surface_over
from tutor.pages.training_tables import SizeTable, layers_table, units_table
from tutor.pages.view import View
from tutor.pages.what_if import Changed, changed
from tutor.scenario.knobs import CHOICES, title
from tutor.scenario.reader import Scenario

STEPS = (1, 10, 100, 1000, 10_000)
"""Numbers of iterations that are a click away."""
MOST_NAMES = 200
"""Parameters that a field suggests."""
SMALLER = (0.3, 0.1, 0.01)
"""Learning rates to try after one that was too large, as factors."""
RATES = (0.1, 0.3, 3.0, 10.0)
"""Other learning rates that are a click away, as factors."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form."""

    name: str
    label: str
    text: str
    hint: str = ""
    problem: str = ""
    options: tuple[tuple[str, str, bool], ...] = ()
    """(value, text, chosen), where it is chosen from a list."""
    mode: str = "decimal"
    """What a keyboard on the screen offers."""
    links: tuple[Link, ...] = ()
    """What it may hold, a click away."""
    choices: str = ""
    """What these are."""

    @property
    def described_by(self) -> str:
        """The ids of the texts that belong to it."""
        ids = [f"{self.name}-hint"] if self.hint else []
        return " ".join([*ids, f"{self.name}-problem"] if self.problem else ids)


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
    pictures: tuple[Picture, ...]
    tables: tuple[SizeTable, ...]
    surface: Picture | None
    choose: tuple[Field, ...]
    """The fields for the parameters of the surface."""
    names: tuple[tuple[str, str], ...]
    """What may stand in them, and how it is read out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of the runs so far."""

    said: str
    """In short, for those who listen."""
    address: str
    """Of the page that shows this."""
    rate: str
    """The other learning rate, where there is one."""
    sentences: tuple[str, ...]
    progress: Progress | None
    stopped: tuple[Stopped, ...]
    loss: ChartPart | None
    more: tuple[ChartPart, ...]
    moment: Moment | None
    table: NumberTable | None
    next: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Slider:
    """A second learning rate, from far too small to far too large."""

    hidden: tuple[tuple[str, str], ...]
    at: int
    last: int
    rate: str
    """The learning rate where it is."""
    least: str
    most: str
    none: str
    """The address without it; "" where there is none."""


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
    iterations: Field
    comparison: str
    """What may be compared."""
    compare: tuple[Field, ...]
    """What a second run may have of its own."""
    comparing: bool
    """Whether it has some of it that the slider does not show, so that its fields are open."""
    goals: tuple[Field, ...]
    until: bool
    """Whether a goal is set, so that its fields are open."""
    axes: tuple[Link, ...]
    """What the curves may go over, where an iteration takes a part of the samples."""
    hidden: tuple[tuple[str, str], ...]
    slider: Slider
    result: Result | None


def training_page(
    context: Context, asked: Asked, runs: Sequence[Trained], notices: tuple[str, ...] = ()
) -> TrainingPage:
    """The whole page; without runs where something in the form is wrong."""
    scenario = context.lesson.scenario
    notices = (*notices, *elsewhere(asked), *alike(scenario))
    other, early = compare(context, asked), goals(context, asked)
    batched = any(f.name == "other_batch" for f in other)
    return TrainingPage(
        scenario.id, scenario.title, context.home, notices, "",
        changed(context, None),
        asked.address().partition("?")[0], tuple(presets(context, asked)),
        _field(asked, "iterations", "Iterations", text=str(asked.iterations)),
        f"Compare rate{', batch' if batched else ''} or optimizer", other,
        bool(asked.other_batch or asked.other_optimizer) or any(f.problem for f in other),
        early, asked.goal.set or any(f.problem for f in early),
        axes(asked, runs), hidden(asked.view, **({"per": asked.per} if asked.per else {})),
        slider(asked, scenario.training.learning_rate),
        result(context, asked, runs) if runs else None,
    )  # fmt: skip


def elsewhere(asked: Asked) -> tuple[str, ...]:
    """What is wrong in the address where no field of the form has it."""
    named = ("at", "first", "second", "of", "per", "slide")
    return tuple(f"{name}: {asked.problems[name]}" for name in named if name in asked.problems)


def alike(scenario: Scenario) -> tuple[str, ...]:
    """What to know where there is nothing to tell apart."""
    found = all_alike(scenario)
    return (f"{found}; the network learns to answer the same to everything.",) if found else ()


def presets(context: Context, asked: Asked) -> Iterator[Link]:
    """Numbers of iterations that are a click away; that of the file is its end."""
    scenario = context.lesson.scenario
    most, end = furthest(scenario), scenario.training.iterations
    for n in sorted({n for n in (*STEPS, end) if n <= most}):
        text = f"{n:,} (to the end)" if n == end > 1 else f"{n:,}"
        yield Link(text, asked.trained(n), n == asked.iterations and not asked.goal.set, n)


def compare(context: Context, asked: Asked) -> tuple[Field, ...]:
    """The fields for another learning rate, size of the batches and optimizer."""
    scenario = context.lesson.scenario
    training, chosen = scenario.training, asked.other_optimizer
    rate, batch = training.learning_rate, batch_word(scenario, scenario.batch)
    found = [
        replace(
            _field(asked, "other", f"Compare with learning rate, here {number.shown(rate, 6)}"),
            links=rates(asked, rate), choices="Another learning rate",
        )
    ]  # fmt: skip
    if scenario.data.training_samples > 1 or "other_batch" in asked.problems:
        label = f"Compare with batch (full, online, a number), here {batch}"
        found.append(
            replace(
                _field(asked, "other_batch", label), mode="text",
                links=batches(context, asked), choices="Another size of the batches",
            )
        )  # fmt: skip
    options = [("", "the same", not chosen)]
    options += [
        (name, title("optimizer", name), name == chosen)
        for name in CHOICES["optimizer"]
        if name != training.optimizer.name
    ]
    optimizer = _field(asked, "other_optimizer", "Compare with optimizer")
    return (*found, replace(optimizer, options=tuple(options)))


def goals(context: Context, asked: Asked) -> tuple[Field, ...]:
    """The fields for when to stop early."""
    batches = context.lesson.scenario.batch != context.lesson.scenario.data.training_samples
    mean = "the mean over each epoch" if batches else ""
    found = [
        _field(asked, "loss_below", "Loss below", mean),
        _field(asked, "change_below", "Change of the loss below", mean),
    ]
    if has_classes(context) or "accuracy" in asked.problems:
        found.append(_field(asked, "accuracy", "Accuracy at least", "between 0 and 1"))
    return tuple(found)


def _field(asked: Asked, name: str, label: str, hint: str = "", text: str = "") -> Field:
    return Field(name, label, asked.texts.get(name, "") or text, hint, asked.problems.get(name, ""))


def hidden(view: View, **more: str) -> tuple[tuple[str, str], ...]:
    """What the form keeps of the address."""
    kept = [part.partition("=") for part in view.query().split("&") if part]
    return (*((key, unquote_plus(text)) for key, _, text in kept), *more.items())


def rates(asked: Asked, rate: float) -> tuple[Link, ...]:
    """Other learning rates to compare with, and none."""
    found = [float(f"{rate * factor:.3g}") for factor in RATES]
    links = [
        Link(number.shown(one, 6), asked.compared(other=one), one == asked.other) for one in found
    ]
    none = [Link("none", asked.compared(other=None))] if asked.other is not None else []
    return (*links, *none)


def slider(asked: Asked, rate: float) -> Slider:
    """The slider for the other learning rate, where that is now."""
    shown = rate if asked.other is None else asked.other
    kept = asked.query(other=None, at=None)
    least, most = (number.shown(slid(rate, at), 6) for at in (0, SLIDES))
    none = "" if asked.other is None else asked.compared(other=None)
    at, said = slide(rate, shown), number.shown(shown, 6)
    return Slider(hidden(asked.view, **kept), at, SLIDES, said, least, most, none)


def batches(context: Context, asked: Asked) -> tuple[Link, ...]:
    """Other sizes of batches to compare with, and none; a mini-batch is an eighth of the data."""
    scenario = context.lesson.scenario
    samples = scenario.data.training_samples
    sizes = dict.fromkeys((samples, min(samples, max(2, samples // 8)), 1))
    words = [batch_word(scenario, size) for size in sizes if size != scenario.batch]
    found = [
        Link(word, asked.compared(other_batch=word), word == asked.other_batch) for word in words
    ]
    none = [Link("none", asked.compared(other_batch=""))] if asked.other_batch else []
    return (*found, *none) if samples > 1 else ()


def axes(asked: Asked, runs: Sequence[Trained]) -> tuple[Link, ...]:
    """Epochs and iterations, where they differ."""
    if all(one.running.training.batches.full for one in runs):
        return ()
    now = EPOCH if runs[0].by_epoch else ITERATION
    return tuple(
        Link(f"per {each}", asked.address(per=each), each == now) for each in (EPOCH, ITERATION)
    )


# ---- what came of it ----


def result(context: Context, asked: Asked, runs: Sequence[Trained]) -> Result:
    """All that is known of the runs so far; pictures and table only when they are done."""
    done = all(one.done for one in runs)
    sentences = tuple(said(one, several=len(runs) > 1) for one in runs)
    return Result(
        " ".join(sentences) if done else "",
        asked.address(),
        "" if asked.other is None else number.shown(asked.other, 6),
        sentences if done else (),
        None if done else progress(asked, runs),
        tuple(stopped(context, asked, one) for one in runs if one.ending),
        loss_chart(runs),
        tuple(more_charts(context, runs)) if done else (),
        moment(context, asked, runs) if done and runs[0].last >= 0 and runs[0].losses else None,
        table(context, runs) if done else None,
        tuple(onward(context, asked, runs)) if done else (),
    )


def progress(asked: Asked, runs: Sequence[Trained]) -> Progress:
    """How far the slowest is."""
    slow = min(runs, key=lambda one: one.done or one.run.length / one.asked.iterations)
    done, of = slow.run.length, slow.asked.iterations
    left = sum(
        (one.asked.iterations - one.run.length) * one.running.pace for one in runs if not one.done
    )
    seconds = max(1, ceil(left))
    loss = f", loss so far {number.shown(slow.losses[-1], FEW)}" if slow.losses else ""
    text = (
        f"{done:,} of {number.counted(of, 'iteration')}{loss}, "
        f"about {number.counted(seconds, 'second')} left"
    )
    own = done // slow.per * runs[0].per
    stop = asked.address(iterations=max(1, own), of=asked.iterations, at=None)
    return Progress(done, of, text, asked.address("progress"), stop)


def stopped(context: Context, asked: Asked, one: Trained) -> Stopped:
    """Where and why a run cannot go on, and what to try."""
    ending, view = one.ending, one.view
    assert ending is not None
    assert view is not None
    text = why_it_ends(one)
    lesson = Lesson(context.lesson.scenario, ending.trace, ending.iteration)
    opened = Link(
        f"Open iteration {ending.iteration:,} at the step where it stops",
        view.address(asked.lesson, len(lesson.walk(view.grain)), iteration=ending.iteration),
    )
    if ending.why.why == FLAT:
        return Stopped(text, Link("Walk through the forward pass", one.step(1)), ())
    if before_any_update(ending):
        return Stopped(text, opened, tuple(_other_numbers(asked, one)))
    return Stopped(text, opened, tuple(_tries(context, asked, one)))


def _other_numbers(asked: Asked, one: Trained) -> Iterator[Link]:
    """What to try where the numbers that a run starts from are too large."""
    if one.view is not None and one.view.changes:
        yield Link("Take back your changes", _with(asked, ()))
    yield Link("Change the inputs or the weights", f"{one.step(1)}#whatif")


def _tries(context: Context, asked: Asked, one: Trained) -> Iterator[Link]:
    """What to try where the updates were too large: smaller steps, or a limit for the gradient."""
    own = context.source.training.learning_rate
    rates = [own, *(float(f"{one.rate * factor:.3g}") for factor in SMALLER)]
    for rate in [rate for rate in rates if rate < one.rate][: len(SMALLER)]:
        name = f"{number.shown(rate, 6)}{', the lesson’s own' if rate == own else ''}"
        yield Link(f"Compare with learning rate {name}", asked.address(other=rate, at=None))
    if not context.lesson.scenario.training.clip:
        clipped = changes.read(
            {**dict(asked.view.changes), "clipping": "norm", "clip": "1"}, context.source
        )[0]
        yield Link("Clip the gradient to length 1", _with(asked, clipped))


def _with(asked: Asked, wanted: Changes) -> str:
    """The address of the page with other changes of the lesson."""
    return replace(asked, view=replace(asked.view, changes=wanted), at=None).address()


def onward(context: Context, asked: Asked, runs: Sequence[Trained]) -> Iterator[Link]:
    """What one may do next."""
    own = runs[0]
    if own.losses:
        yield Link("Open iteration 1 number by number", own.step(1))
        if own.end > 1:
            yield Link(f"Open iteration {own.end:,}, the last one", own.step(own.end))
    further = next((n for n in STEPS if n > own.end), 0)
    if own.ending is None and own.end < further <= furthest(context.lesson.scenario):
        yield Link(
            f"Train on to iteration {further:,}", asked.address(iterations=further, at=None, of=0)
        )


# ---- a moment ----


def moment(context: Context, asked: Asked, runs: Sequence[Trained]) -> Moment | None:
    """What the network of the first run does after an iteration."""
    own = runs[0]
    at = min(own.last if asked.at is None else asked.at, own.last)
    network = own.run.parameters(at + 1)
    when = f"after iteration {at:,}" if at else "before training"
    if at == own.last and at:
        when = f"after {number.counted(at, 'iteration')}"
    drawn = [draw(own.run, network, when) for draw in (picture, units_picture, activity)]
    tables = [table(own.run, network) for table in (units_table, layers_table)]
    chosen = asked.chosen or largest_movers(own)
    over = surface_over(context, runs, network, chosen, when)
    pictures = tuple(one for one in drawn if one is not None)
    measured = tuple(one for one in tables if one is not None)
    if not pictures and not measured and over is None:
        return None
    choose = tuple(
        Field(name, label, str(q), "", asked.problems.get(name, ""))
        for name, label, q in zip(("first", "second"), ("Across", "Up"), chosen, strict=False)
    )
    some = islice(parameter_names(network), MOST_NAMES if over else 0)
    names = tuple((str(q), context.line.said(q)) for q in some)
    return Moment(scrub(asked, own, at), pictures, measured, over, choose if over else (), names)


def scrub(asked: Asked, own: Trained, at: int) -> Scrub:
    """The moment, and the way to others."""
    last = own.last
    step = max(1, round_up(last / 20)) if last else 1
    moments = [
        ("Before training", 0),
        (f"− {step:,}", max(0, at - step)),
        (f"+ {step:,}", min(last, at + step)),
        ("End", last),
    ]
    links = tuple(
        Link(text, asked.address(at=n) + "#moment", n == at and n in {0, last} and text[0] in "BE")
        for text, n in moments
    )
    opened = Link(f"Open iteration {max(at, 1):,}", own.step(max(at, 1))) if own.losses else None
    kept = {key: text for key, text in asked.query(at=None).items() if key != "at"}
    return Scrub(
        asked.address().partition("?")[0], hidden(asked.view, **kept), at, last,
        f"After iteration {at:,}" if at else "Before training", links, opened,
        asked.address("moment", at=None),
    )  # fmt: skip

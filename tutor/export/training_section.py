"""The training of a lesson as a part of a file: how it went, its curves and pictures, their data.

    trains(context, phases)        whether a file with these phases has it
    training_section(context, id) -> TrainingSection

The curves are those of the lesson's page of its training, over the iterations that its file asks
for, without the links into single iterations. A run that is too long for a download is left out,
and the section says so, with the command that makes the file with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from tutor import budget, limits
from tutor.engine.kinds import PHASES
from tutor.engine.run import Goal
from tutor.engine.trace import FLAT
from tutor.lesson.running import Running
from tutor.number import counted
from tutor.pages.context import Context
from tutor.pages.training_charts import ChartPart, loss_chart, more_charts, table
from tutor.pages.training_pictures import NumberTable, Picture, activity, picture, units_picture
from tutor.pages.training_query import Asked
from tutor.pages.training_runs import Trained, said, side_by_side, why_it_ends
from tutor.pages.training_surface import largest_movers, surface_over
from tutor.scenario.reader import Scenario


@dataclass(frozen=True, slots=True)
class TrainingSection:
    """What a file shows of a training."""

    id: str
    title: str
    sentences: tuple[str, ...]
    """How it went; or why it is not here, and how to have it."""
    charts: tuple[ChartPart, ...] = ()
    pictures: tuple[Picture, ...] = ()
    """What the network does in the end."""
    tables: tuple[tuple[str, tuple[NumberTable, ...]], ...] = ()
    """(what they are about, the numbers)."""


def trains(context: Context, phases: tuple[str, ...]) -> bool:
    """Whether a file with these phases of a lesson has its training too: it comes after all of
    them, where the lesson has more than one iteration and its network can learn.
    """
    stop = context.trace.stop
    flat = stop is not None and stop.why == FLAT
    return context.lesson.scenario.training.iterations > 1 and {*PHASES} <= {*phases} and not flat


def training_title(scenario: Scenario) -> str:
    """The heading of the section."""
    return f"Training over {counted(scenario.training.iterations, 'iteration')}"


def training_section(context: Context, id_: str) -> TrainingSection:
    """The section with its run, which is made for it; `id_` is where it stands in the file."""
    scenario = context.lesson.scenario
    refusal = too_long(context)
    if refusal:
        return TrainingSection(id_, training_title(scenario), (refusal,))
    running, iterations = Running(scenario), scenario.training.iterations
    goal = Goal(own=scenario.training.stop is not None)
    asked = Asked(scenario.id, context.view, iterations, iterations, goal)
    (one,) = side_by_side((running,), (None,), asked, inf)
    if not one.done:
        budget.check()
    return _section(context, one, id_)


def too_long(context: Context) -> str:
    """Why a download has no run of a lesson, and how to have it, or "". Counted, not measured: the
    same file always has it or never; the command line knows no limit.
    """
    request, scenario = budget.current(), context.lesson.scenario
    work = context.trace.network.parameters * scenario.batch * scenario.training.iterations
    if request is None or work <= limits.TRAINED:
        return ""
    return (
        "This file has no curves of the training, for the run is too long for a download: "
        f"parameters times samples times iterations is {work:,}, "
        f"and the limit is {limits.TRAINED:,}. {request.advice}"
    ).rstrip()


def _section(context: Context, one: Trained, id_: str) -> TrainingSection:
    sentences = (said(one, several=False), *((why_it_ends(one),) if one.ending else ()))
    loss = loss_chart((one,))
    charts = (*((loss,) if loss else ()), *more_charts(context, (one,)))
    network = one.run.parameters(one.last + 1)
    when = f"after {counted(one.last, 'iteration')}" if one.last else "before training"
    found = (
        picture(one.run, network, when),
        units_picture(one.run, network, when),
        activity(one.run, network, when),
        surface_over(context, (one,), network, largest_movers(one), when),
    )
    pictures = tuple(each for each in found if each is not None)
    numbers = table(context, (one,))
    tables: list[tuple[str, tuple[NumberTable, ...]]] = []
    if numbers:
        tables.append(("Over the iterations", (numbers,)))
    tables += [(each.heading, each.tables) for each in pictures if each.tables]
    scenario = context.lesson.scenario
    return TrainingSection(
        id_, training_title(scenario), sentences, charts, pictures, tuple(tables)
    )

"""Runs of a training as a page looks at them: how far they are wanted, and how they went.

side_by_side(runs, views, asked, seconds)   the runs of a page on common axes, gone on with
Trained                                     one run: what is recorded, and how it is looked at
said(trained, several=…)                    whether it converges, crawls, diverges or explodes
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import fsum

from tutor import number
from tutor.engine.batches import Batches
from tutor.engine.kinds import BACKWARD, FORWARD, LOSS
from tutor.engine.network import Network
from tutor.engine.run import Ending, Point, Run, looked, loss_on
from tutor.engine.trace import FLAT, OVERFLOW
from tutor.engine.training import Training
from tutor.lesson import running as how
from tutor.lesson.explain import explain_stop
from tutor.lesson.running import Running, Verdict, verdict
from tutor.lesson.titles import place
from tutor.pages.training_query import EPOCH, ITERATION, Asked
from tutor.pages.view import View
from tutor.scenario.knobs import title

MOST_NETWORKS = 80
BEGINNING = 40
"""So many of the first networks are looked at one by one: there they change most."""
OVER = 1.1
"""A loss on other samples that is so many times its lowest has risen."""
FEW = 4
"""Digits of numbers in sentences."""
JUDGED = 3
"""So many epochs it takes to tell from their means how training goes."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """One run, how it is looked at, and how far it is wanted."""

    running: Running
    name: str
    """What the run is called beside another."""
    view: View | None
    """Of its steps; None where there are no pages of them, as in a file."""
    style: int
    asked: Asked
    """What is wanted of this run."""
    per: int
    """How many iterations are 1 on the axis of the curves: those of an epoch, or one."""

    goal_met: int | None
    """The iteration that meets a goal, if one does."""
    end: int
    """The last iteration that is shown."""
    _networks: list[tuple[int, Network]] = field(default_factory=list)
    _points: list[tuple[int, Point]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        running: Running,
        name: str,
        view: View | None,
        style: int,
        asked: Asked,
        per: int = 1,
    ) -> Trained:
        """A run as far as it is recorded now."""
        run, wanted = running.run, asked.iterations
        met = run.reached(asked.goal) if asked.goal else None
        met = None if met is not None and met > wanted else met
        return cls(running, name, view, style, asked, per, met, min(met or wanted, run.length))

    @property
    def run(self) -> Run:
        return self.running.run

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
    def judged(self) -> list[float]:
        """The losses that tell how it went: those of its iterations, or of batches, which contain
        different samples, the mean over each whole epoch.
        """
        return self.losses if self.batches.full else self.run.epochs(self.losses)[1]

    @property
    def batches(self) -> Batches:
        return self.running.training.batches

    @property
    def rate(self) -> float:
        """Its learning rate."""
        return self.running.training.eta

    @property
    def by_epoch(self) -> bool:
        """Whether its curves go over epochs."""
        return self.asked.per == EPOCH

    @property
    def epochs(self) -> int:
        """How many epochs it has gone through."""
        return self.end // self.batches.per_epoch

    def x(self, iteration: float) -> float:
        """Where an iteration is on the axis of the curves."""
        return iteration / self.per

    def loss_at(self, x: int) -> float | None:
        """The loss at a whole number of the axis: of an iteration, or the mean over an epoch."""
        return self._mean(self.run.losses, x)

    def accuracy_at(self, x: int) -> float | None:
        """The same for the accuracy."""
        return self._mean(self.run.accuracies, x)

    def _mean(self, values: Sequence[float], x: int) -> float | None:
        last = x * self.per
        return None if last > self.end else fsum(values[last - self.per : last]) / self.per

    @property
    def points(self) -> list[tuple[int, Point]]:
        """What is known beside the losses of the first iteration, the last, and some between."""
        if not self._points and self.end:
            kept = dict(self.run.points.kept)
            self._points.extend((n, kept[n]) for n in looked(self.end) if n in kept)
            if self.end not in kept:
                self._points.append((self.end, self.run.look(self.end)))
        return self._points

    def step(self, iteration: int) -> str:
        """The address of an iteration's first step; "" where there is no page of it."""
        if self.view is None:
            return ""
        return self.view.address(self.asked.lesson, 1, iteration=iteration)

    def networks(self) -> list[tuple[int, Network]]:
        """(iterations done, the network after them), some of them, from the first to the last; the
        last iteration has the one that it starts from too.
        """
        if not self._networks and self.run.states.kept:
            kept = dict(self.run.states.kept)
            there = [n for n in looked(self.last + 1, self.run.states.most) if n in kept]
            every = -(-len(there) // MOST_NETWORKS)
            begun = {*there[:BEGINNING], *there[BEGINNING::every]}
            begun |= {n for n in (self.last, self.last + 1) if n}
            for n in sorted(begun):
                state = kept[n]() if n in kept else self.run.state(n)
                self._networks.append((n - 1, state.network))
        return self._networks

    @property
    def last(self) -> int:
        """After how many iterations there is a network."""
        return self.end - 1 if self._cut else self.end

    @property
    def _cut(self) -> bool:
        """Whether the last recorded iteration has no update that can be used."""
        found = self.run.ending
        return found is not None and self.end >= found.iteration


def side_by_side(
    runs: Sequence[Running], views: Sequence[View | None], asked: Asked, seconds: float
) -> tuple[Trained, ...]:
    """The runs of a page, each gone on with for its part of so many seconds of the processor.

    Where curves go over epochs, all runs are wanted for as many epochs as the first one, as far as
    they may go; else for as many iterations.
    """
    batches = [running.training.batches for running in runs]
    epochs = -(-asked.iterations // batches[0].per_epoch)
    mixed = len({each.per_epoch for each in batches}) > 1
    whole = asked.iterations >= batches[0].per_epoch
    by_epoch = whole and (asked.per == EPOCH or (mixed and not asked.per))
    found = []
    for at, (running, name, view) in enumerate(zip(runs, names(runs), views, strict=True)):
        per = batches[at].per_epoch if by_epoch else 1
        wanted = asked.iterations if not (at and by_epoch) else epochs * per
        own = replace(
            asked, iterations=min(wanted, running.most), per=EPOCH if by_epoch else ITERATION
        )
        running.go_on(own.iterations, asked.goal, seconds / len(runs))
        found.append(Trained.of(running, name, view, at + 1, own, per))
    return tuple(found)


def names(runs: Sequence[Running]) -> list[str]:
    """What each run is called: by what it has of its own."""
    told = [_described(running.training) for running in runs]
    own = [k for k, found in enumerate(zip(*told, strict=True)) if len(set(found)) > 1]
    return [", ".join(one[k] for k in own or [0]) for one in told]


def _described(training: Training) -> tuple[str, str, str]:
    batches, optimizer = training.batches, training.network.rule.optimizer
    return (
        f"learning rate {number.shown(training.eta, 6)}",
        batch_name(batches.each, batches.samples),
        title("optimizer", optimizer),
    )


def batch_name(size: int, samples: int) -> str:
    """What batches of a size are called."""
    if size == samples:
        return "full batches"
    return "single samples (online)" if size == 1 else f"mini-batches of {size:,}"


def said(one: Trained, *, several: bool) -> str:
    """How a run went, in a sentence or two."""
    ended = one.ending is not None and one.ending.why.why != FLAT
    found = verdict(one.judged or one.losses, ended)
    iterations, epochs = number.counted(one.end, "iteration"), number.counted(one.epochs, "epoch")
    start = f"With {one.name}" if several else f"After {iterations}"
    if several and one.by_epoch:
        start += f" ({iterations}, {epochs})"
    elif not one.batches.full and one.epochs:
        start += f" ({epochs})"
    if found is None and ended:
        return (
            "Training cannot begin: the numbers of iteration 1 leave the range of 64-bit numbers."
        )
    if found is None:
        return f"{start} there is no loss to show."
    goal = one.goal_met
    own = one.asked.goal.own
    what = "The lesson’s own stopping condition" if own else "The goal"
    reached = f" {what} is reached in iteration {goal:,}." if goal is not None else ""
    if one.asked.goal.set and goal is None and not one.ending:
        reached = f" The goal is not reached within {number.counted(one.end, 'iteration')}."
    cut = one.asked.of
    if cut > one.end and one.style == 1:
        reached += f" You stopped the run after {one.end:,} of {cut:,} iterations."
    falls = found.word not in {how.EXPLODES, how.DIVERGES}
    early = one.losses and not (ended or one.batches.full) and one.epochs < JUDGED
    how_it_went = _before_and_after(start, one) if early else _said(start, found, one)
    return " ".join([how_it_went + reached, *_on_other_sets(one, falls=falls)])


def before_any_update(ending: Ending) -> bool:
    """Whether the numbers that a run starts from are too large, so that no learning rate helps."""
    return ending.iteration == 1 and ending.why.quantity.of.phase in {FORWARD, LOSS, BACKWARD}


def why_it_ends(one: Trained) -> str:
    """Where and why a run cannot go on."""
    ending = one.ending
    assert ending is not None
    if ending.why.why == FLAT:
        return explain_stop(ending.trace, ending.why).replace(
            "The backward pass ends here.", "This network cannot be trained.", 1
        )
    q = ending.why.quantity
    where = f" in {place(ending.trace.network, q.layer)}" if q.layer else ""
    reason = (
        "is larger than a 64-bit number can hold, about 1.8 × 10³⁰⁸"
        if ending.why.why == OVERFLOW
        else "is not a number: infinity meets infinity or 0"
    )
    where_and_why = f"the {q.of.words}{where} ({q}) {reason}"
    if before_any_update(ending):
        return (
            f"The run stops in iteration 1, before its first update: {where_and_why}. No learning "
            "rate helps here; smaller inputs or smaller weights do."
        )
    return (
        f"With {one.name} the run stops in iteration {ending.iteration:,}: {where_and_why}. "
        "The curve is kept up to there."
    )


def _why_it_bounces(one: Trained) -> str:
    if any(layer.dropout for layer in one.running.training.network.layers):
        return "Each iteration drops different units, so its loss differs."
    return "A smaller learning rate takes smaller steps."


def _on_other_sets(one: Trained, *, falls: bool) -> Iterator[str]:
    """How the loss goes on samples that are not learned from. Only where it `falls` on those that
    are is it overfitting that it rises here.
    """
    for at, name in enumerate(one.run.others if one.end > 1 else ()):
        losses = [(point.others[at].loss, n) for n, point in one.points]
        (lowest, n), (last, _) = min(losses), losses[-1]
        if last > OVER * lowest:
            why = ": a sign of overfitting" if falls else ""
            yield (
                f"On the {name} set it was lowest in iteration {n:,}, {_few(lowest)}, and has "
                f"risen to {_few(last)} since{why}."
            )
        else:
            yield f"On the {name} set it is {_few(last)}."


def _few(value: float) -> str:
    return number.shown(value, FEW)


def _before_and_after(start: str, one: Trained) -> str:
    """What a run has changed that is too short for epochs to be compared."""
    training, batches = one.running.training, one.batches
    first, last = (
        _few(loss_on(one.run.parameters(n), training.x, training.y)) for n in (1, one.last + 1)
    )
    epoch = number.counted(batches.per_epoch, "update")
    return (
        f"{start} the loss over all {batches.samples:,} training samples has gone from {first} to "
        f"{last}. The losses of single updates are of different samples; how training goes shows "
        f"after {JUDGED} epochs of {epoch} each."
    )


def _said(start: str, found: Verdict, one: Trained) -> str:
    first, last = (number.shown(loss, FEW) for loss in (found.first, found.last))
    if one.end == 1 and found.word == how.STAYS:
        return f"{start} one loss is known, that of iteration 1: {first}."
    loss, begin, end, converged = "the loss", first, last, "converged"
    if not one.batches.full:
        loss, converged = "the mean loss of an epoch", "settled"
        begin, end = f"{first} in epoch 1", f"{last} in epoch {one.epochs:,}"
    match found.word:
        case how.EXPLODES:
            return (
                f"{start} training explodes: the numbers leave the range of 64-bit numbers in "
                f"iteration {one.ending.iteration if one.ending else one.end:,}."
            )
        case how.CONVERGES if last == first:
            return f"{start} training has come to rest: {loss} is {last} and changes no more."
        case how.CONVERGES:
            return (
                f"{start} training has {converged}: {loss} has fallen from {begin} to {end} and "
                "hardly changes any more."
            )
        case how.FALLS:
            return f"{start} {loss} has fallen from {begin} to {end} and is still falling."
        case how.CRAWLS:
            return (
                f"{start} training crawls: {loss} has only fallen from {begin} to {end}. "
                "More iterations or a larger learning rate would help."
            )
        case how.BOUNCES:
            return (
                f"{start} {loss} bounces up and down: it starts at {begin}, ends at {end} and "
                f"was {number.shown(found.lowest, FEW)} at its lowest. {_why_it_bounces(one)}"
            )
        case how.DIVERGES:
            return (
                f"{start} training diverges: {loss} has grown from {begin} to {end}. "
                "Each step goes too far; try a smaller learning rate."
            )
        case _:
            return f"{start} {loss} is still {first}: nothing has changed."

"""Runs of a training as a page looks at them: how far they are wanted, and how they went.

Trained(running, rate, view, style, asked)   one run: what is recorded, and how it is looked at
said(trained, several=…)                     whether it converges, crawls, diverges or explodes
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tutor import number
from tutor.engine.network import Network
from tutor.engine.run import Ending, Point, Run
from tutor.engine.trace import FLAT
from tutor.lesson import running as how
from tutor.lesson.running import Running, Verdict, verdict
from tutor.pages.training_query import Asked
from tutor.pages.view import View

MOST_NETWORKS = 80
BEGINNING = 40
"""So many of the first networks are looked at one by one: there they change most."""
OVER = 1.1
"""A loss on other samples that is so many times its lowest has risen."""
FEW = 4
"""Digits of numbers in sentences."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One run, how it is looked at, and how far it is wanted."""

    running: Running
    rate: float
    view: View
    """Of its steps."""
    style: int
    asked: Asked

    goal_met: int | None
    """The iteration that meets a goal, if one does."""
    end: int
    """The last iteration that is shown."""
    _networks: list[tuple[int, Network]] = field(default_factory=list)

    @classmethod
    def of(cls, running: Running, rate: float, view: View, style: int, asked: Asked) -> Trained:
        """A run as far as it is recorded now."""
        run, wanted = running.run, asked.iterations
        met = run.reached(asked.goal) if asked.goal else None
        met = None if met is not None and met > wanted else met
        return cls(running, rate, view, style, asked, met, min(met or wanted, run.length))

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
        if not self._networks:
            states = sorted(dict(self.run.states.kept).items())
            there = [(n - 1, made) for n, made in states if n <= self.last + 1]
            every = -(-len(there) // MOST_NETWORKS) or 1
            taken = there[:BEGINNING] + there[BEGINNING::every]
            self._networks.extend((n, made().network) for n, made in taken)
            if there and self._networks[-1][0] != self.last:
                self._networks.append((self.last, self.run.parameters(self.last + 1)))
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


def said(one: Trained, *, several: bool) -> str:
    """How a run went, in a sentence or two."""
    found = verdict(one.losses, one.ending is not None and one.ending.why.why != FLAT)
    start = f"With {one.name}" if several else f"After {number.counted(one.end, 'iteration')}"
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
    return " ".join([_said(start, found, one) + reached, *_on_other_sets(one)])


def _why_it_bounces(one: Trained) -> str:
    training = one.running.training
    if not training.batches.full:
        return "Each batch contains different samples, so its loss differs."
    if any(layer.dropout for layer in training.network.layers):
        return "Each iteration drops different units, so its loss differs."
    return "A smaller learning rate takes smaller steps."


def _on_other_sets(one: Trained) -> Iterator[str]:
    """How the loss goes on samples that are not learned from."""
    for at, name in enumerate(one.run.others if one.end > 1 else ()):
        losses = [(point.others[at], n) for n, point in one.points]
        (lowest, n), (last, _) = min(losses), losses[-1]
        if last > OVER * lowest:
            yield (
                f"On the {name} set it was lowest in iteration {n:,}, {_few(lowest)}, and has "
                f"risen to {_few(last)} since: a sign of overfitting."
            )
        else:
            yield f"On the {name} set it is {_few(last)}."


def _few(value: float) -> str:
    return number.shown(value, FEW)


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
        case how.CONVERGES if last == first:
            return f"{start} training has come to rest: the loss is {last} and changes no more."
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
                f"was {number.shown(found.lowest, FEW)} at its lowest. {_why_it_bounces(one)}"
            )
        case how.DIVERGES:
            return (
                f"{start} training diverges: the loss has grown from {first} to {last}. "
                "Each step goes too far; try a smaller learning rate."
            )
        case _:
            return f"{start} the loss is still {first}: nothing has changed."

"""A lesson's training while it runs: in pieces that take no longer than one may work at a time.

    running = Running(scenario)
    running.go_on(1000, Goal(), 0.2)     up to iteration 1000, but for at most 0.2 seconds
    running.run                          what is recorded so far (tutor.engine.run)
    verdict(losses, ended)               whether it converges, crawls or diverges

What was recorded is kept, so that the next piece goes on from there, and the states on the way
serve whoever opens one of its iterations.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import perf_counter, thread_time

import numpy as np

from tutor import budget
from tutor.engine.run import Goal, Run, accuracy_of
from tutor.engine.training import Stop, Training
from tutor.lesson.dataset import dataset
from tutor.lesson.setup import training
from tutor.lesson.walk import furthest
from tutor.scenario.reader import Scenario

CRAWLS, CONVERGES, FALLS, BOUNCES, DIVERGES, EXPLODES, STAYS = (
    "crawls", "converges", "falls", "bounces", "diverges", "explodes", "stays",
)  # fmt: skip
OFTEN, MUCH = 0.3, 0.05
"""A loss whose last tenth goes up so often, and by such a part of all it went through, bounces."""
USUAL = 100
"""Iterations where neither the address nor the file says how many."""
LITTLE = 0.1
"""A loss that has fallen by less than this part crawls."""
SETTLED = 0.01
"""A loss that fell in the last tenth by less than this part of its whole fall has converged, if it
fell by less than this part of what is left too, or less than this part of the first is left.
"""


def usual(scenario: Scenario) -> int:
    """How many iterations are trained at first: those of the file, or a hundred."""
    wanted = scenario.training.iterations
    return min(wanted if wanted > 1 else USUAL, furthest(scenario))


def in_budget() -> bool:
    """Always, as long as the request has not used up its time: that raises."""
    budget.check()
    return True


class Running:
    """The training of a scenario with what is recorded of it. Threads may share it."""

    def __init__(self, scenario: Scenario) -> None:
        self.training = training(scenario)
        self.most = furthest(scenario)
        """The last iteration that may be asked for."""
        network = self.training.network
        others = dataset(scenario).others
        self.run = Run(self.training, accuracy_of(network, self.training.y), others)
        self.seconds = 0.0
        """How long it ran so far, by the clock."""
        self._lock = threading.Lock()

    def go_on(self, last: int, goal: Goal, seconds: float) -> None:
        """Go on up to iteration `last` or a goal, for at most so many seconds of the processor."""
        with self._lock:
            begun, until = perf_counter(), thread_time() + seconds
            before = self.run.length

            def in_time() -> bool:
                budget.check()
                return thread_time() < until

            with suppress(budget.OverBudgetError):
                self.run.record(last, in_time, goal)
            if self.run.length > before:
                self.seconds += perf_counter() - begun

    def finish(self, last: int) -> None:
        """Go on up to iteration `last`, or where the training stops by itself, however long."""
        self.go_on(last, Goal(own=self.training.stop != Stop()), inf)

    def ready(self, iteration: int) -> Training:
        """The training, for who opens one of its iterations: run up to it, where that is quick and
        nobody else is at it.
        """
        if self.run.quick and self._lock.acquire(blocking=False):
            try:
                self.run.record(iteration - 1, in_budget)
            finally:
                self._lock.release()
        return self.training

    @property
    def pace(self) -> float:
        """Seconds that an iteration takes."""
        return self.seconds / self.run.length if self.run.length else 0.0

    @property
    def size(self) -> int:
        """About how many bytes it takes when it is long."""
        parameters = self.training.network.parameters
        return 2 * 2**20 + min(64 * 8 * parameters, 24 * 2**20)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run went: one of the words above, and the losses that say so."""

    word: str
    first: float
    last: float
    lowest: float


def verdict(losses: Sequence[float], exploded: bool = False) -> Verdict | None:
    """How the losses of a run go, or their means over epochs; None where there are none."""
    if not losses:
        return None
    found = np.asarray(losses, dtype=float)
    first, last, lowest = float(found[0]), float(found[-1]), float(found.min())

    def said(word: str) -> Verdict:
        return Verdict(word, first, last, lowest)

    if exploded:
        return said(EXPLODES)
    if len(found) < 2 or float(found.max()) == lowest:
        return said(STAYS)
    end = found[-max(3, len(found) // 10) :]
    ups, swing = float(np.mean(np.diff(end) > 0)), float(end.max() - end.min())
    if last > 1.01 * first or (ups == 1 and last > first):
        return said(DIVERGES)
    if ups >= OFTEN and swing > MUCH * (float(found.max()) - lowest):
        return said(BOUNCES)
    fell = float(found[-max(2, len(found) // 10)]) - last
    little = fell <= SETTLED * (first - last)
    if first - last < LITTLE * abs(first) and not little:
        return said(CRAWLS)
    settled = fell <= SETTLED * abs(last) or abs(last) <= SETTLED * abs(first)
    return said(CONVERGES if little and settled else FALLS)

"""What a script of a whole training repeats: the run of a lesson, as far as it goes.

    run_of(lesson) -> ScriptedRun

A run that cannot be finished ends before the iteration in which a number is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tutor import budget
from tutor.engine.kinds import AFTER, KINDS
from tutor.engine.network import Array, Network, without_dropout
from tutor.engine.program import Definition, Name, Program
from tutor.engine.run import (
    above_half,
    accuracy_of,
    largest_output,
    looked,
    measured,
    same_signs,
)
from tutor.engine.trace import Trace
from tutor.engine.training import State, Stop, Training, UnfinishedError
from tutor.lesson.dataset import Dataset, dataset
from tutor.lesson.explain import explain_stop
from tutor.lesson.setup import training
from tutor.lesson.walk import Lesson, furthest

RIGHT: Mapping[Callable[[Array, Array], float], str] = {
    largest_output: "a.argmax(1) == y.argmax(1)",
    above_half: "((a > 0.5) == (y > 0.5)).all(1)",
    same_signs: "((a > 0) == (y > 0)).all(1)",
}
"""Which samples are classified right, for NumPy and PyTorch alike."""


@dataclass(frozen=True, slots=True, eq=False)
class ScriptedRun:
    """What a script repeats."""

    lesson: Lesson
    training: Training
    iterations: int
    """How many there are; fewer than asked for where one cannot be finished."""
    first: Trace
    end: State
    loss: float
    """Of the last iteration, before its update."""
    reason: str
    """Why there are fewer."""
    data: Dataset
    """All samples."""

    @property
    def program(self) -> Program:
        return self.first.program

    @property
    def dropout(self) -> dict[int, float]:
        """The share that each layer drops."""
        layers = enumerate(self.first.network.layers, 1)
        return {n: layer.dropout for n, layer in layers if layer.dropout}

    @property
    def learned(self) -> list[Name]:
        """Weights and biases that change, layer by layer."""
        found = [name for name in self.program.given if (AFTER.get(name[0]), name[1]) in self.made]
        parameters = [name for name in found if KINDS[name[0]].parameter]
        return sorted(parameters, key=lambda name: (name[1], not KINDS[name[0]].weights))

    @property
    def memory(self) -> list[Name]:
        """What an iteration takes over from the one before."""
        return [name for name in self.program.given if KINDS[name[0]].earlier]

    @property
    def right(self) -> str:
        """Which samples are classified right, in the script; "" where targets are no classes."""
        return RIGHT[self.classified] if self.classified is not None else ""

    @property
    def output(self) -> Name:
        """What the last layer passes on."""
        return self.first.network.passed(self.first.network.depth)

    @property
    def used(self) -> Network:
        """The network where nothing is dropped."""
        return without_dropout(self.first.network)

    @property
    def looked(self) -> list[int]:
        """Which iterations look at the sets that nothing is learned from."""
        return looked(self.iterations)

    @property
    def seen(self) -> dict[str, float]:
        """What the last look finds, by the names of the curves, as far as it is a number."""
        network, rule = self.training.at(self.iterations).network, self.classified
        found: dict[str, float | None] = {}
        for name, (x, y) in self.data.others.items():
            one = measured(network, x, y, rule)
            found |= {f"loss on the {name} set": one.loss}
            found |= {f"accuracy on the {name} set": one.accuracy}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def classified(self) -> Callable[[Array, Array], float] | None:
        """How right answers are counted, where targets are classes."""
        return accuracy_of(self.first.network, self.training.y)

    @property
    def gradients(self) -> dict[int, list[Name]]:
        """Those of each layer that learns."""
        found: dict[int, list[Name]] = {}
        for kind, layer in self.learned:
            found.setdefault(layer, []).append((f"dL/d{kind}", layer))
        return found

    @property
    def made(self) -> dict[Name, Definition]:
        """What the program computes."""
        return self.program.by_name


def run_of(lesson: Lesson) -> ScriptedRun:
    """The run of a lesson: as many iterations as its file asks for, or to the one that is open."""
    scenario = lesson.scenario
    wanted = max(scenario.training.iterations, lesson.iteration)
    trained, reason = training(scenario), ""
    first, _ = trained.step(trained.at(1))
    done = wanted = min(wanted, furthest(scenario))
    try:
        found = _stops(trained, wanted)
        if found < wanted:
            done = max(found, lesson.iteration)
            reason = f"The run stops by itself after iteration {found}." * (done == found)
        trained.at(done + 1)
    except UnfinishedError as error:
        done = error.iteration - 1
        trace, _ = trained.step(trained.at(error.iteration))
        why = explain_stop(trace, trace.stop) if trace.stop is not None else ""
        reason = f"Iteration {error.iteration} cannot be finished. {why}".rstrip()
    last, end = trained.step(trained.at(max(done, 1)))
    return ScriptedRun(lesson, trained, done, first, end, last.loss, reason, dataset(scenario))


def _stops(trained: Training, wanted: int) -> int:
    """The iteration after which a run stops by itself, or the last one that is wanted."""
    losses: list[float] = []
    state = trained.at(1)
    while trained.stop != Stop() and len(losses) < wanted:
        budget.check()
        trace, after = trained.step(state)
        losses.append(trace.loss)
        if trained.stop.reached(losses, trained.batches):
            return len(losses)
        state = after if trace.finite else trained.advance(state)
    return wanted

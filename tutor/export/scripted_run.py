"""What a script of a whole training repeats: the run of a lesson, as far as it goes.

    run_of(lesson) -> ScriptedRun

A run that cannot be finished ends before the iteration in which a number is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from tutor import budget
from tutor.engine.kinds import AFTER, KINDS
from tutor.engine.network import Array, Network, without_dropout
from tutor.engine.program import Definition, Name, Program
from tutor.engine.quantity import Quantity
from tutor.engine.run import (
    Goal,
    above_half,
    accuracy_of,
    largest_output,
    same_signs,
)
from tutor.engine.trace import Trace
from tutor.engine.training import State, Stop, Training
from tutor.lesson.dataset import Dataset, dataset
from tutor.lesson.explain import explain_stop
from tutor.lesson.running import Running
from tutor.lesson.walk import Lesson
from tutor.pages.training_charts import weight_lines
from tutor.pages.training_query import Asked
from tutor.pages.training_runs import Trained, side_by_side
from tutor.pages.view import View
from tutor.scenario.reader import Scenario

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
    trained: Trained
    """The run as the page of the training looks at it."""
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
        """Which iterations look at the gradients, and at the sets that nothing is learned from."""
        return [n for n, _ in self.trained.points]

    @property
    def loss(self) -> float:
        """Of the last iteration, before its update."""
        return self.trained.losses[-1]

    @property
    def moments(self) -> list[int]:
        """After how many iterations the chosen weights are looked at."""
        return [n for n, _ in self.trained.networks()]

    @property
    def every_look(self) -> bool:
        """Whether every iteration looks."""
        return len(self.looked) == self.iterations

    @property
    def every_moment(self) -> bool:
        """Whether the weights before and after every iteration are looked at."""
        return len(self.moments) == self.iterations + 1

    @property
    def chosen(self) -> list[Quantity]:
        """The weights and biases that are drawn over time."""
        return [q for q, _ in weight_lines(self.trained)]

    @property
    def seen(self) -> dict[str, float]:
        """What the last look finds, by the names of the curves, as far as it is a number."""
        found: dict[str, float | None] = {}
        _, last = self.trained.points[-1]
        for name, one in zip(self.data.others, last.others, strict=True):
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
    scenario, running, reason = lesson.scenario, Running(lesson.scenario), ""
    wanted = max(scenario.training.iterations, lesson.iteration)
    one = _trained(running, scenario, wanted, Goal(own=running.training.stop != Stop()))
    if one.goal_met is not None and one.goal_met < wanted:
        if one.goal_met < lesson.iteration:
            one = _trained(running, scenario, lesson.iteration, Goal())
        else:
            reason = f"The run stops by itself after iteration {one.goal_met}."
    ending, done = one.ending, one.end
    if ending is not None:
        why = explain_stop(ending.trace, ending.why)
        reason = f"Iteration {ending.iteration} cannot be finished. {why}".rstrip()
        done = ending.iteration - 1
        one = _trained(running, scenario, done, Goal())
    first, _ = running.training.step(running.training.at(1))
    end = running.run.state(done + 1)
    return ScriptedRun(lesson, running.training, done, first, end, one, reason, dataset(scenario))


def _trained(running: Running, scenario: Scenario, wanted: int, goal: Goal) -> Trained:
    """A run up to an iteration or a goal. Raises OverBudgetError where that takes too long."""
    asked = Asked(scenario.id, View(), wanted, wanted, goal)
    (one,) = side_by_side((running,), (None,), asked, inf)
    if not one.done:
        budget.check()
    return one

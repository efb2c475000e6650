"""Lessons: a scenario's trace as a walk, in three grains.

`number` takes one number a step, `layer` one matrix (or vector) for the whole batch, `pass` one
phase. A walk knows what its step n makes and which step makes a quantity, both by arithmetic, so
any step can be opened by itself and a reader can change the grain and stay at the same place.

    walk.step(n) -> Step     where step n stands, decided once and handed to whatever shows it

A walk ends early where the trace has a stop: its last step is then the one that explains why.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from tutor import limits
from tutor.engine.kinds import KINDS, PHASES, STATISTICS
from tutor.engine.order import NumberOrder, Stage, stages
from tutor.engine.paper import on_paper
from tutor.engine.quantity import Quantity, parse
from tutor.engine.scaling import from_raw
from tutor.engine.trace import FLAT, OVERFLOW, UNDEFINED, EarlyEnd, Trace
from tutor.engine.training import Training, UnfinishedError
from tutor.errors import LessonError, TutorError
from tutor.lesson.changes import AnyChange, Change
from tutor.lesson.dataset import dataset
from tutor.lesson.setup import network_of, training
from tutor.lesson.slides import Numbers, Slide, slides
from tutor.memo import Memo
from tutor.number import counted
from tutor.scenario.model import FORWARD_ONLY
from tutor.scenario.reader import AnyScenario, Scenario

GRAINS = ("number", "layer", "pass")
MAX_ITERATION = limits.FURTHER_ITERATIONS
MOST_LISTED = 6
"""Numbers of samples that a line names."""
NEVER = 1 << 62
"""The step that makes what a walk does not come to: behind every other."""


@dataclass(frozen=True, slots=True, eq=False)
class AnyStep:
    """One step of a walk: where it stands, and the first quantity that it makes."""

    walk: AnyWalk
    n: int
    phase: str
    anchor: Quantity

    @property
    def total(self) -> int:
        return len(self.walk)

    @property
    def last(self) -> bool:
        return self.n == len(self.walk)

    @property
    def arrays(self) -> tuple[Hashable, ...]:
        """The arrays that it makes, as the trace names them; nothing where it makes one number."""
        return ()

    def known(self, q: Quantity) -> bool:
        """Whether q has been computed when the step is shown."""
        return self.walk.place(q) <= self.n


class AnyWalk:
    """The steps of a lesson in one grain, whatever is walked through; they count from 1."""

    grain: str

    def __init__(self) -> None:
        self._known_places = Memo()

    def __len__(self) -> int:
        raise NotImplementedError

    def step(self, n: int) -> AnyStep:
        """Step n. Raises LessonError where there is none."""
        self.refuse(n)
        return AnyStep(self, n, self.phase(n), self.anchor(n))

    def refuse(self, n: int) -> None:
        """Raise LessonError where there is no step n."""
        if not 1 <= n <= len(self):
            raise LessonError(f"this lesson has steps 1 to {len(self)}; there is no step {n}")

    def phase(self, n: int) -> str:
        """The phase of step n."""
        raise NotImplementedError

    def anchor(self, n: int) -> Quantity:
        """The first quantity that step n makes: the place that another grain looks for."""
        raise NotImplementedError

    def _step_of(self, q: Quantity) -> int:
        raise NotImplementedError

    def starts_from(self, q: Quantity) -> bool:
        """Whether q is given."""
        return q.given

    def step_of(self, q: Quantity) -> int:
        """The step that makes q; 0 where q is given. Raises LessonError where this walk does not
        reach it.
        """
        if self.starts_from(q):
            return 0
        n = self._step_of(q)
        if n > len(self):
            raise LessonError(f"{q} comes after the end of this lesson")
        return n

    def place(self, q: Quantity) -> int:
        """The step that makes q: 0 where it is given, NEVER where the walk does not reach it."""
        found: int | None = self._known_places.get(q)
        if found is None:
            try:
                found = self._known_places[q] = self.step_of(q)
            except LessonError:
                found = self._known_places[q] = NEVER
        return found

    def known(self, q: Quantity, n: int) -> bool:
        """Whether q has been computed when step n is shown."""
        return self.place(q) <= n

    def first_of(self, phase: str) -> int | None:
        """The first step of a phase, or None where the walk does not get there."""
        raise NotImplementedError

    def phases(self) -> tuple[tuple[str, int, int], ...]:
        """(phase, first step, last step) of each phase that this walk reaches."""
        return self._bounds

    @cached_property
    def _bounds(self) -> tuple[tuple[str, int, int], ...]:
        starts = [(phase, first) for phase in PHASES if (first := self.first_of(phase)) is not None]
        ends = [*(first - 1 for _, first in starts[1:]), len(self)]
        return tuple((phase, first, end) for (phase, first), end in zip(starts, ends, strict=True))

    @property
    def stop(self) -> EarlyEnd | None:
        """Why the walk ends early, where it does."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Step(AnyStep):
    """One step of the walk through a network."""

    walk: Walk
    stages: tuple[Stage, ...] = ()
    """What the step makes, matrix by matrix; nothing where it makes one number."""

    @property
    def arrays(self) -> tuple[Hashable, ...]:
        return tuple(
            (f"{stage.kind}@" if stage.per_sample else stage.kind, stage.layer)
            for stage in self.stages
        )

    @property
    def sample(self) -> int:
        """The sample whose numbers stand beside the step: its own, else the first of several."""
        return self.anchor.sample or (1 if self.walk.trace.samples > 1 else 0)


class Walk(AnyWalk):
    """The steps of a network's iteration."""

    def __init__(self, trace: Trace, inputs: bool = False) -> None:
        super().__init__()
        self.trace, self.inputs = trace, inputs
        self.order = NumberOrder.of(
            trace.network, trace.samples, trace.blocked, inputs, trace.statistics
        )

    def step(self, n: int) -> Step:
        """Step n. Raises LessonError where there is none."""
        self.refuse(n)
        return Step(self, n, self.phase(n), self.anchor(n), self.stages_of(n))

    def starts_from(self, q: Quantity) -> bool:
        """Whether q is given: an input is not, where the walk scales it."""
        return q.given and not self.order.makes(q)

    def stages_of(self, n: int) -> tuple[Stage, ...]:
        """The matrices that step n makes."""
        return ()

    def step_of(self, q: Quantity) -> int:
        """The step that makes q; a share of the loss stands beside its fall."""
        return super().step_of(Quantity("loss-loss+") if q.kind == "(loss-loss+)/loss" else q)

    def first_of(self, phase: str) -> int | None:
        """The first step of a phase, or None where the walk does not get there."""
        for section, start in zip(self.order.sections, self.order.starts, strict=False):
            if section.phase == phase:
                try:
                    return self.step_of(self.order[start])
                except LessonError:
                    return None
        return None

    @property
    def stop(self) -> EarlyEnd | None:
        return self.trace.stop


class NumberWalk(Walk):
    """One number a step."""

    grain = "number"

    @cached_property
    def _length(self) -> int:
        stop = self.trace.stop
        return self.order.rank(stop.quantity) + 1 if stop else len(self.order)

    def __len__(self) -> int:
        return self._length

    def phase(self, n: int) -> str:
        return self.order.phase(n - 1)

    def anchor(self, n: int) -> Quantity:
        return self.order[n - 1]

    def _step_of(self, q: Quantity) -> int:
        return self.order.rank(q) + 1


class LayerWalk(Walk):
    """One matrix a step, for the whole batch."""

    grain = "layer"

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The steps, up to the first that has a bad number."""
        trace = self.trace
        found = stages(trace.network, trace.samples, trace.blocked, self.inputs, trace.statistics)
        if trace.stop is None:
            return found
        bad = (n for n, stage in enumerate(found, 1) if self._bad(stage))
        return found[: next(bad, len(found))]

    @cached_property
    def _places(self) -> dict[tuple[str, int, bool], int]:
        return {
            (stage.kind, stage.layer, stage.per_sample): n for n, stage in enumerate(self.stages, 1)
        }

    @property
    def stop(self) -> EarlyEnd | None:
        """Why this walk ends early: its last stage's first bad number, which may come before the
        number walk's.
        """
        if self.trace.stop is None or self.trace.stop.why == FLAT:
            return self.trace.stop
        stage = self.stages[-1]
        samples = range(1, self.trace.samples + 1) if self.trace.samples > 1 else (0,)
        for q in self._members(stage, samples):
            value = self.trace.value(q)
            if not np.isfinite(value):
                return EarlyEnd(q, UNDEFINED if np.isnan(value) else OVERFLOW)
        return self.trace.stop

    def _members(self, stage: Stage, samples: Iterable[int]) -> Iterator[Quantity]:
        """The numbers of a stage, one by one."""
        kind, layer, sizes = stage.kind, stage.layer, self.trace.network.sizes
        of = KINDS[kind]
        if not of.axes:
            yield from (Quantity(kind, sample=s) for s in (samples if stage.per_sample else (0,)))
        elif of.weights:
            yield from (
                Quantity(kind, layer, i, j)
                for i in range(1, sizes[layer] + 1)
                for j in range(1, sizes[layer - 1] + 1)
            )
        elif of.biases or of.feature:
            yield from (Quantity(kind, layer, i) for i in range(1, sizes[layer] + 1))
        else:
            yield from (
                Quantity(kind, layer, i, 0, s) for s in samples for i in range(1, sizes[layer] + 1)
            )

    def __len__(self) -> int:
        return len(self.stages)

    def phase(self, n: int) -> str:
        return self.stages[n - 1].phase

    def stages_of(self, n: int) -> tuple[Stage, ...]:
        return self.stages[n - 1 : n]

    def anchor(self, n: int) -> Quantity:
        stage = self.stages[n - 1]
        of = KINDS[stage.kind]
        sampled = self.trace.samples > 1 and (stage.per_sample or of.per_sample)
        softmax = (
            of.role == "slope" and self.trace.network.layer(stage.layer).activation.full_jacobian
        )
        return Quantity(
            stage.kind,
            stage.layer,
            1 if of.axes else 0,
            1 if of.weights or softmax else 0,
            1 if sampled else 0,
        )

    def _step_of(self, q: Quantity) -> int:
        per_sample = not q.of.axes and q.sample > 0
        place = self._places.get((q.kind, q.layer, per_sample))
        if place is None:
            raise LessonError(f"{q} is not a step of this lesson")
        return place

    def _bad(self, stage: Stage) -> bool:
        trace = self.trace
        of = KINDS[stage.kind]
        if of.role == "slope" and stage.layer == trace.blocked:
            return True
        if stage.per_sample:
            return not np.isfinite(trace.sample_losses(stage.kind)).all()
        if stage.single:
            return not np.isfinite(trace.value(Quantity(stage.kind, stage.layer)))
        if of.role == "slope" and trace.network.layer(stage.layer).activation.full_jacobian:
            return False
        if of.by == "a" and 0 < stage.layer == trace.fused_layer:
            return False
        return not np.isfinite(trace.array(stage.kind, stage.layer)).all()


class PassWalk(Walk):
    """One phase a step."""

    grain = "pass"

    def __init__(self, trace: Trace, inputs: bool = False) -> None:
        super().__init__(trace, inputs)
        self.layers = LayerWalk(trace, inputs)

    @cached_property
    def _phases(self) -> tuple[str, ...]:
        return tuple(phase for phase, _, _ in self.layers.phases())

    def __len__(self) -> int:
        return len(self._phases)

    def phase(self, n: int) -> str:
        return self._phases[n - 1]

    def anchor(self, n: int) -> Quantity:
        return self.layers.anchor(self.layers.first_of(self.phase(n)) or 1)

    def _step_of(self, q: Quantity) -> int:
        return self._phases.index(self.layers.phase(self.layers.step_of(q))) + 1

    @property
    def stop(self) -> EarlyEnd | None:
        return self.layers.stop

    def stages_of(self, n: int) -> tuple[Stage, ...]:
        return self.stages(n)

    def stages(self, n: int) -> tuple[Stage, ...]:
        """The stages that step n sums up."""
        return tuple(stage for stage in self.layers.stages if stage.phase == self.phase(n))


_WALKS: dict[str, type[Walk]] = {walk.grain: walk for walk in (NumberWalk, LayerWalk, PassWalk)}


@dataclass(frozen=True, slots=True)
class Batch:
    """The samples of an iteration by their numbers in the data set, from 1; `@s` in a trace is the
    s-th of them.
    """

    samples: tuple[int, ...]
    of: int
    """How many samples there are to learn from."""
    all: int
    """How many samples the data set has, those for validation and test too."""
    epoch: int

    @classmethod
    def of_iteration(cls, scenario: Scenario, training: Training, iteration: int) -> Batch:
        """The batch of an iteration."""
        rows = dataset(scenario).training
        samples = tuple(int(rows[s - 1]) + 1 for s in training.samples(iteration))
        return cls(samples, len(rows), scenario.data.samples, training.batches.epoch(iteration))

    def number(self, sample: int) -> int:
        """The number in the data set of what is `@sample` in the trace; 0 stands for the only
        one.
        """
        return self.samples[max(sample, 1) - 1]

    def sample(self, number: int) -> int | None:
        """The other way round: what a sample of the data set is called in the trace; None where
        this iteration does not use it.
        """
        if number not in self.samples:
            return None
        return self.samples.index(number) + 1 if len(self.samples) > 1 else 0

    def __str__(self) -> str:
        shown = ", ".join(str(number) for number in self.samples[:MOST_LISTED])
        more = max(0, len(self.samples) - MOST_LISTED)
        shown += f" and {more} more" if more else ""
        word = "sample" if len(self.samples) == 1 else "samples"
        whole = f"{self.of} for training; " if self.of < self.all else ""
        return f"This iteration’s batch: {word} {shown} of {self.all} ({whole}epoch {self.epoch})"


class AnyLesson:
    """A scenario ready to be walked through, whatever it is made of."""

    scenario: AnyScenario
    trace: Numbers
    iteration: int
    changes: tuple[AnyChange, ...]
    """What of the scenario is not the original's, for pages that say so."""

    def read(self, name: str) -> Quantity:
        """The number of this name. Raises QuantityError."""
        return parse(name)

    @property
    def walks(self) -> Mapping[str, AnyWalk]:
        """The walk in each grain."""
        raise NotImplementedError

    def walk(self, grain: str) -> AnyWalk:
        """The walk in one grain. Raises LessonError where there is no such grain."""
        if grain not in GRAINS:
            raise LessonError(f"there is no grain called {grain!r}; there are {', '.join(GRAINS)}")
        return self.walks[grain]

    def same_place(self, step: AnyStep, grain: str) -> int:
        """The step of another grain that shows what this step shows."""
        if grain == step.walk.grain:
            return step.n
        other = self.walk(grain)
        return min(other.place(step.anchor), len(other))

    @property
    def exact(self) -> Numbers:
        """The numbers at full precision."""
        raise NotImplementedError

    @property
    def stop(self) -> EarlyEnd | None:
        """Why the lesson ends early, where it does."""
        return self.walks["number"].stop

    @property
    def shape(self) -> str:
        """What it is a lesson of, in a few words: `2-3-1`, `graph of 9 nodes`."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Lesson(AnyLesson):
    """A network at one iteration, ready to be walked through."""

    scenario: Scenario
    trace: Trace
    iteration: int
    changes: tuple[Change, ...] = ()
    input_gradients: bool = False
    """Whether the derivatives with respect to the inputs are steps."""
    batch: Batch | None = None
    """Which samples of the data set the iteration uses; None where they are all, in their order."""

    @property
    def scales(self) -> bool:
        """Whether its inputs are scaled, be it in steps or before the first of them."""
        return self.scenario.data.scale is not None

    @cached_property
    def from_raw(self) -> Lesson:
        """The same, where the walk begins with the steps that scale its inputs, if they are."""
        if not self.scales or self.trace.statistics:
            return self
        return replace(self, trace=_from_raw(self.scenario, self.exact, self.batch))

    @cached_property
    def walks(self) -> dict[str, Walk]:
        """The walk in each grain."""
        return {grain: walk(self.trace, self.input_gradients) for grain, walk in _WALKS.items()}

    def walk(self, grain: str) -> Walk:
        """The walk in one grain. Raises LessonError where there is no such grain."""
        found = super().walk(grain)
        assert isinstance(found, Walk)
        return found

    @property
    def shape(self) -> str:
        return self.trace.network.shape

    def in_trace(self, q: Quantity) -> Quantity | None:
        """The name in the trace of an input or target whose sample counts in the data set; None
        where this iteration does not use that sample.
        """
        if self.batch is None or q.of.role != "data":
            return q
        sample = self.batch.sample(max(q.sample, 1))
        return None if sample is None else q._replace(sample=sample)

    def on_paper(self, decimals: int, *, cut: bool = False) -> Lesson:
        """The same with every number rounded to so many decimals and carried on; `cut`: cut off
        there. Given numbers are copied as the lesson shows them.
        """
        key, given = (decimals, cut), self.scenario.display.decimals
        if key not in self._papers:
            trace = on_paper(self.exact, decimals, given, cut=cut)
            self._papers[key] = replace(self, trace=trace)
        return self._papers[key]

    @cached_property
    def _papers(self) -> dict[tuple[int, bool], Lesson]:
        """The lesson as on paper, as often as somebody asked for it."""
        return {}

    @property
    def exact(self) -> Trace:
        """The trace at full precision."""
        return self.trace.exact or self.trace

    @property
    def original(self) -> bool:
        """Whether this is the lecture's own iteration with its own numbers, so that the slides'
        numbers belong to it.
        """
        return self.iteration == 1 and not self.changes

    @cached_property
    def slides(self) -> dict[Quantity, Slide]:
        """What the lecture says, by the quantity at whose step it is shown; compared once, for
        every view of the lesson.
        """
        return slides(
            self.scenario,
            self.from_raw.exact,
            notes_fit=self.iteration == 1,
            numbers_fit=self.original,
        )


def furthest(scenario: Scenario) -> int:
    """The last iteration that can be opened: 100, or what the file asks for, as long as it can be
    computed at once.
    """
    sizes = scenario.network.sizes
    work = scenario.batch * sum(a * b + b for a, b in pairwise(sizes))
    return max(1, min(max(MAX_ITERATION, scenario.training.iterations), limits.WORK // work))


def open_lesson(
    scenario: Scenario,
    iteration: int = 1,
    changes: tuple[Change, ...] = (),
    input_gradients: bool | None = None,
    known: Training | None = None,
    scaling: bool = True,
) -> Lesson:
    """Compute a lesson; `changes` have been made in the scenario already, the lesson keeps them to
    tell of them.

    The derivatives with respect to the inputs are steps where the scenario says so, or
    `input_gradients`. `known` is the scenario's training, where some iterations were run already.
    `scaling`: whether a lesson that scales its inputs begins with the steps that do it; otherwise
    it starts from what comes of them.

    Raises LessonError where training does not get to that iteration.
    """
    if not 1 <= iteration <= furthest(scenario):
        raise LessonError(
            f"iterations of this lesson go from 1 to {furthest(scenario)}; "
            f"there is no iteration {iteration}"
        )
    problem = known or training(scenario)
    try:
        trace = problem.trace(iteration)
    except UnfinishedError as unfinished:
        raise LessonError(
            f"iteration {unfinished.iteration} cannot be finished, "
            f"so there is no iteration {iteration}"
        ) from None
    inputs = scenario.display.input_gradients if input_gradients is None else input_gradients
    batch = Batch.of_iteration(scenario, problem, iteration) if scenario.in_batches else None
    lesson = Lesson(scenario, trace, iteration, changes, inputs, batch)
    return lesson.from_raw if scaling else lesson


def _from_raw(scenario: Scenario, trace: Trace, batch: Batch | None) -> Trace:
    """The trace with the steps that scale its inputs."""
    data = dataset(scenario)
    assert data.scaling is not None
    train = data.raw[data.training]
    raw = train if batch is None else data.raw[np.array(batch.samples) - 1]
    return from_raw(trace, data.scaling, raw, train)


# ---- How many steps a lesson has, number by number, for lists of many lessons ----
# length(scenario) -> Length(79)              small enough to be computed: exact, also where the
# walk ends early
# length(scenario) -> Length(119_231, False)  large: counted from its shape, so it is the most that
# there can be
#
# A large lesson whose numbers overflow has fewer steps than its shape says; that is why such a
# count is not called exact.


EASY = 100_000
"""Parameters times samples that are computed without asking; about a millisecond."""


@dataclass(frozen=True, slots=True)
class Length:
    """A number of steps; where it is not exact there may be fewer."""

    steps: int
    exact: bool = True

    def __str__(self) -> str:
        steps = counted(self.steps, "step")
        return steps if self.exact else f"at most {steps}"


def length(scenario: Scenario) -> Length | None:
    """The steps of a lesson; None where it cannot be computed, so that one lesson never hides the
    others.
    """
    try:
        return (
            Length(len(open_lesson(scenario).walk("number")))
            if _easy(scenario)
            else Length(by_shape(scenario), exact=False)
        )
    except TutorError:
        return None


def _easy(scenario: Scenario) -> bool:
    return (
        scenario.batch
        * sum(below * into + into for below, into in pairwise(scenario.network.sizes))
        <= EASY
    )


def by_shape(scenario: Scenario) -> int:
    """How many steps the shape of a network allows: the whole walk, or up to the first slope of the
    last layer without a derivative.
    """
    flat = max(
        (
            n
            for n, layer in enumerate(scenario.network.layers, 1)
            if layer.activation in FORWARD_ONLY
        ),
        default=0,
    )
    scale = scenario.data.scale
    order = NumberOrder.of(
        network_of(scenario), scenario.batch, flat, scenario.display.input_gradients,
        STATISTICS[scale] if scale else (),
    )  # fmt: skip
    if not flat:
        return len(order)
    backward = next(n for n, section in enumerate(order.sections) if section.phase == "backward")
    section = order.sections[backward]
    return order.starts[backward] + section.round - section.blocks[-1].size + 1

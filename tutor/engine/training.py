"""Training: one iteration after the other, and any of them again.

    training = Training(network, x, y, eta)
    training.at(40) -> State                 what iteration 40 starts from
    training.step(state) -> (Trace, State)   that iteration with every number, and the next state
    training.advance(state) -> State         the next state alone, the same numbers bit for bit
    training.samples(40) -> (3, 7, 1)        which samples of the data set iteration 40 uses

A state is all that an iteration needs from the one before: the network, what an optimizer
remembers, and where the random numbers are. Some states are kept on the way, so that an iteration
opens without the whole run before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from math import fsum

from tutor import budget
from tutor.engine.batches import Batches
from tutor.engine.kinds import FORWARD, LOSS
from tutor.engine.network import Array, Network, frozen
from tutor.engine.program import Name
from tutor.engine.trace import Progress, Trace, advance, remembered, run, updated
from tutor.errors import NetworkError

EVERY = 32
"""A state is kept every so many iterations at first; a longer run keeps fewer early ones."""
MOST_KEPT = 64
BYTES_KEPT = 16 * 2**20
"""About how much of a training is kept."""


class UnfinishedError(NetworkError):
    """An iteration that cannot be finished, so that none follows it. `iteration` says which."""

    def __init__(self, iteration: int) -> None:
        super().__init__(
            f"iteration {iteration} cannot be finished, so there is no iteration {iteration + 1}"
        )
        self.iteration = iteration


@dataclass(frozen=True, slots=True)
class State:
    """What iteration `iteration` (from 1) starts from; `slots` are what an optimizer keeps, `seed`
    draws its batches.
    """

    network: Network
    iteration: int = 1
    slots: Mapping[Name, Array] = field(default_factory=dict)
    seed: int = 0

    @property
    def progress(self) -> Progress:
        """What an iteration has to know of those before it."""
        return Progress(self.iteration, self.slots, self.seed)


@dataclass(frozen=True, slots=True)
class Stop:
    """When a run ends by itself: an epoch's loss is below a number, or it differs by less from that
    of the epoch before. The loss of an epoch is the mean over its iterations.
    """

    loss_below: float | None = None
    change_below: float | None = None

    def reached(self, losses: Sequence[float], batches: Batches) -> bool:
        """Whether a run ends with the last of these losses, one for each iteration from the first;
        only the last iteration of an epoch ends one.
        """
        each = batches.per_epoch
        if not losses or len(losses) % each:
            return False
        loss = fsum(losses[-each:]) / each
        if self.loss_below is not None and loss < self.loss_below:
            return True
        if self.change_below is None or len(losses) < 2 * each:
            return False
        return abs(loss - fsum(losses[-2 * each : -each]) / each) < self.change_below


@dataclass(eq=False)
class Training:
    """A network that learns from inputs x (M, N) and targets y (M, K) at a learning rate, by its
    own rule; on all samples at once, or on batches of a size.
    """

    network: Network
    x: Array
    y: Array
    eta: float
    _: KW_ONLY
    batch_size: int | None = None
    shuffle: int | None = None
    """The seed of the order of samples; without it, the order of the data set."""
    stop: Stop = Stop()
    batches: Batches = field(init=False)
    _kept: dict[int, State] = field(init=False)
    _every: int = field(init=False, default=EVERY)

    def __post_init__(self) -> None:
        self.x, self.y = frozen(self.x), frozen(self.y)
        self.batches = Batches(len(self.x), self.batch_size, self.shuffle)
        self._kept = {1: State(self.network)}

    def batch(self, state: State) -> tuple[Array, Array]:
        """The inputs and targets of an iteration's samples, in its order."""
        if self.shuffle is not None:
            rows = self.batches.rows(state.iteration)
            return frozen(self.x[rows]), frozen(self.y[rows])
        if self.batches.full:
            return self.x, self.y
        span = self.batches.span(state.iteration)
        return self.x[span], self.y[span]

    def samples(self, iteration: int) -> tuple[int, ...]:
        """The samples of an iteration, by their numbers in the data set, from 1."""
        return tuple((self.batches.rows(iteration) + 1).tolist())

    def step(self, state: State) -> tuple[Trace, State]:
        """One iteration with every number. The next state holds numbers that are none where the
        trace has a stop.
        """
        trace = run(state.network, *self.batch(state), self.eta, state.progress)
        slots = remembered(state.network, trace.arrays)
        return trace, replace(
            state, network=updated(trace), iteration=state.iteration + 1, slots=slots
        )

    def advance(self, state: State) -> State:
        """The state after an iteration, without its trace. Raises UnfinishedError where a number on
        the way is none.
        """
        found = advance(state.network, *self.batch(state), self.eta, state.progress)
        if found is None:
            trace, _ = self.step(state)
            raise UnfinishedError(_unfinished(trace, state.iteration))
        network, slots = found
        return replace(state, network=network, iteration=state.iteration + 1, slots=slots)

    def at(self, iteration: int) -> State:
        """The state that an iteration starts from. Raises UnfinishedError where there is none."""
        state = self._kept[max(n for n in self._kept if n <= iteration)]
        while state.iteration < iteration:
            budget.check()
            state = self.advance(state)
            self.keep(state)
        return state

    def trace(self, iteration: int) -> Trace:
        """An iteration with every number. Raises UnfinishedError where training ends before it."""
        state = self.at(iteration)
        trace, _ = self.step(state)
        if _unfinished(trace, iteration) < iteration:
            raise UnfinishedError(iteration - 1)
        return trace

    def keep(self, state: State) -> None:
        """Keep a state on the way, where it is one of those that are kept. Other threads may look
        for one meanwhile, so the old ones stay as they are.
        """
        if not self.keeps(state.iteration):
            return
        kept = {**self._kept, state.iteration: state}
        if len(kept) > self._most:
            self._every *= 2
            kept = {n: found for n, found in kept.items() if n == 1 or n % self._every == 0}
        self._kept = kept

    def keeps(self, iteration: int) -> bool:
        """Whether the state of an iteration is one of those that are kept."""
        return iteration % self._every == 0

    @property
    def _most(self) -> int:
        """How many states are kept: fewer of a large network."""
        return max(4, min(MOST_KEPT, BYTES_KEPT // (8 * self.network.parameters)))


def _unfinished(trace: Trace, iteration: int) -> int:
    """Which iteration cannot be finished: a bad number on the way forward is in the verification
    pass of the one before.
    """
    early = trace.stop is not None and trace.stop_phase in {FORWARD, LOSS}
    return iteration - (early and iteration > 1)
